/*
 * accurate.h - Accurate ECN: how much was marked, not only that something was (RFC 9768).
 */
#ifndef SW_TCP_ECN_ACCURATE_H
#define SW_TCP_ECN_ACCURATE_H

#include "tcp/ecn/ecn.h"

/*
 * Allocated when accurate ECN was agreed on, freed with the connection. `r_`: what we received;
 * `s_`: what the peer said of what we sent. Packets and bytes of payload; only the lowest 3 and 24
 * bits of them are on the wire.
 */
struct tcp_accurate {
    uint32_t r_cep, r_ceb, r_e0b, r_e1b;
    uint32_t s_cep, s_ceb, s_e0b;
    uint32_t guessed;      /* bytes taken for marked by flags alone, since the last option */
    uint32_t since_option; /* bytes delivered since the last option that told of CE; saturates */
    uint32_t unseen;       /* bytes delivered while nothing was told to arrive as ECT; saturates */
    uint32_t untold;       /* bytes counted since our last option; saturates */
    tcp_seq una;           /* SND.UNA when the last ACK was looked at */
    tcp_seq option_ack;    /* what the last option that told of CE acknowledged */
    tcp_seq tried;         /* while `trying`: where the text begins that the option went with */
    uint64_t marks_received, marks_told; /* for STATUS: packets */
    uint8_t handshake_ecn;               /* of the latest SYN or SYN-ACK of the peer's */
    uint8_t last_ecn;                    /* of the last packet */
    uint8_t unreported;                  /* marks since our last ACK */
    uint8_t ever, changed;               /* bit 1 << IP_...: counted, counted since our option */
    uint8_t option_ace;                  /* the flags beside the last option that told of CE */
    uint8_t lately;                      /* ACKs with news until marks count as rare */
    uint8_t until_first;                 /* segments until the peer's first counter is at hand */
    uint8_t rounds;                      /* windows of which every packet was marked */
    uint8_t losses;                      /* trials of the option that had to be sent again */
    bool answers_syn_ack;                /* the next bare ACK tells how the SYN-ACK arrived */
    bool answers_ack;                    /* the next bare ACK answers ACKs: without SACK */
    bool syn_ack_counted;                /* a marked SYN-ACK counts once */
    bool syn_ack_tried;                  /* our first SYN-ACK had the option */
    bool syn_marked;                     /* of ours, SYN or SYN-ACK */
    bool first_due;                      /* our first text is to have the option */
    bool arrives;                        /* something that we sent arrived as ECT or marked */
    bool all_marked;                     /* everything delivered so far was marked */
    bool option_broken;                  /* its counters were zeroed on the way */
    bool deaf;                           /* what the peer tells of marks is no answer to ours */
    bool trying, held, passes;           /* the option is on trial; failed for now; came through */
};

/* What an ACK tells; packets without bytes are no text, or not what was just delivered. */
struct tcp_marks {
    uint32_t packets, bytes;
};

/* False: no memory. */
bool sw_tcp_accurate_start(struct tcp *tcp, struct tcp_connection *conn);
struct tcp_accurate *sw_tcp_accurate(const struct tcp *tcp, const struct tcp_connection *conn);

/* RFC 9768 tables 2 and 3: how the flags of a handshake tell the two bits of IP. */
uint8_t sw_tcp_accurate_code(uint8_t ip_ecn);
/* The other way: the bits of IP, or IP_ECN_MASK + 1 where the flags tell none. */
uint8_t sw_tcp_accurate_decode(uint8_t ace);

/* The peer's SYN, or with @active its SYN-ACK, had the bits @ip_ecn. */
void sw_tcp_accurate_begin(const struct tcp_connection *conn, struct tcp_accurate *a,
                           uint8_t ip_ecn, bool active);
/* A SYN-ACK of the peer's had them. */
void sw_tcp_accurate_syn_ack(struct tcp_accurate *a, uint8_t ip_ecn);
/* The option of our SYN-ACK. */
void sw_tcp_accurate_first_option(struct wire_tcp_options *options);
/* The segment is the peer's first with an option: were its counters zeroed on the way? */
void sw_tcp_accurate_check_option(struct tcp_accurate *a, const struct wire_tcp_options *o);

/*
 * The counters of what we received, @payload bytes in it; @unacked: we owe an ACK of text. True: this is
 * to be acknowledged at once.
 */
bool sw_tcp_accurate_count(struct tcp_accurate *a, const struct tcp_segment *seg, uint32_t payload,
                           bool unacked);
/* A segment that @plan describes leaves, @fresh if its text does for the first time. */
void sw_tcp_accurate_outgoing(const struct tcp_connection *conn, struct tcp_accurate *a,
                              const struct tcp_plan *plan, bool fresh, struct tcp_outgoing *out);
/* What the peer says was marked; at most @delivered bytes, which the segment acknowledged. */
struct tcp_marks sw_tcp_accurate_marked(struct tcp_connection *conn, struct tcp_accurate *a,
                                        const struct tcp_segment *seg, uint32_t delivered);
/* cwnd was reduced for a mark, once in a window. */
void sw_tcp_accurate_reduced(struct tcp_connection *conn, struct tcp_accurate *a);

#endif
