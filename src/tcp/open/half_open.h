/*
 * half_open.h - A connection that a SYN asked for, in 96 bytes until the handshake is complete.
 */
#ifndef SW_TCP_OPEN_HALF_OPEN_H
#define SW_TCP_OPEN_HALF_OPEN_H

#include "tcp/tcp.h"

struct tcp_listener;

enum {
    HALF_OPEN_UNDECIDED = 1, /* the user was not asked, or has not answered: no SYN-ACK yet */
    HALF_OPEN_SEEN = 2,      /* sanwo_tcp_request() gave it out */
    HALF_OPEN_TIMESTAMPS = 4,
    HALF_OPEN_SACK = 8,
    HALF_OPEN_FOREIGN = 16, /* the destination was none of ours: a listener for any address */
    HALF_OPEN_COOKIE = 32,  /* the first SYN-ACK brings a Fast Open cookie (RFC 7413 4.2.1) ... */
    HALF_OPEN_EXPERIMENT = 64, /* ... in the experimental option, as it was asked for */
};

struct tcp_half_open {
    struct pool_item item;
    uint32_t listener; /* pool index */
    uint16_t link;     /* it arrived by */
    uint16_t link_mtu;
    struct wheel_node timer; /* SYN-ACK retransmission, or the user's time to decide */
    struct tcp_tuple tuple;
    tcp_seq irs;
    union {
        struct tcp_link request; /* undecided and not seen: in the listener's queue */
        struct {                 /* afterwards */
            tcp_seq iss;
            uint32_t config; /* pool index, shared: what the SYN-ACK promised holds */
        };
    } u;
    uint32_t ts_recent;
    uint16_t peer_mss; /* 0: not announced */
    uint16_t window;
    int8_t scale; /* the peer's; -1: not offered */
    uint8_t flags;
    uint8_t retransmissions;
    uint8_t ecn; /* the SYN's two bits of IP, above them the enum tcp_ecn_mode: ecn/ecn.h */
};
_Static_assert(sizeof(struct tcp_half_open) <= 96, "design.md 4: at most 96 bytes");

/*
 * A SYN for @listener passed its checks: makes the record and answers, or asks the user. NONE, or why
 * there is no room for the record.
 */
enum sanwo_reason sw_tcp_half_open_create(struct tcp *tcp, struct tcp_listener *listener,
                                          const struct tcp_segment *seg);
/* What the SYN offered, as far as @config agrees. */
void sw_tcp_half_open_fill(const struct sanwo_tcp_config *config, struct tcp_half_open *half,
                           const struct tcp_segment *seg);
/* The ISN of what answers @seg, which @half was made from. */
tcp_seq sw_tcp_half_open_isn(struct tcp *tcp, const struct tcp_half_open *half,
                             const struct tcp_segment *seg);
/* The SYN-ACK of a record, or of what only a cookie will remember (one in no pool). */
void sw_tcp_half_open_syn_ack(struct tcp *tcp, const struct tcp_half_open *half, uint32_t ts_value,
                              enum sanwo_reason why);
/* A valid cookie came back with @seg: the connection of the record @half, which lies in no pool. */
void sw_tcp_half_open_revive(struct tcp *tcp, const struct tcp_half_open *half,
                             struct tcp_segment *seg);
/* RFC 9293 3.10.7.4 in SYN-RECEIVED, as far as it needs no control block. */
void sw_tcp_half_open_input(struct tcp *tcp, struct tcp_half_open *half, struct tcp_segment *seg);
void sw_tcp_half_open_timer(struct tcp *tcp, struct tcp_half_open *half);
/* Forgets it, saying why. */
void sw_tcp_half_open_drop(struct tcp *tcp, struct tcp_half_open *half, enum sanwo_reason why);
/* The user said yes: the SYN-ACK goes out. */
void sw_tcp_half_open_admit(struct tcp *tcp, struct tcp_half_open *half);
/* The user said no: the SYN is answered with a reset. */
void sw_tcp_half_open_refuse(struct tcp *tcp, struct tcp_half_open *half);

#endif
