/*
 * records.h - What is in flight: a record a transmission, in chunks that exist only meanwhile.
 *
 *     directory:  [chunk]      [chunk]      [chunk]        each up to 42 records, ordered, gapless
 *                  | | | |      | | | | |    | |            from snd_una to snd_nxt
 *     counts:      lost, open   lost, open   lost, open     whole chunks are passed over by them
 *
 * A record covers what one frame carried, a super-segment included; it is split only where a part of it is
 * acknowledged, reported or sent again by itself. Finding one by number is two bisections; taking the
 * oldest away, adding one and splitting move at most one chunk. So what an ACK costs does not grow
 * with what is in flight, nor with the holes in it (attacks B-01, B-02).
 */
#ifndef SW_TCP_SEND_RECORDS_H
#define SW_TCP_SEND_RECORDS_H

#include "tcp/send/resent.h"
#include "tcp/tcp.h"

struct tcp_sending;

enum {
    RECORD_LOST = 1,          /* deemed lost and not sent again yet; not in flight */
    RECORD_SACKED = 2,        /* the peer has it; not in flight */
    RECORD_RETRANSMITTED = 4, /* was sent more than once: no RTT sample (Karn) */
    RECORD_PROBE = 8,         /* of a larger path MTU: its loss is no congestion (RFC 4821 7.7) */
};

struct tcp_record {
    tcp_seq seq;
    uint32_t length; /* sequence numbers it covers, a FIN included */
    sanwo_time sent; /* the last time; RFC8985-4-1 */
    uint8_t flags;
    uint8_t transmissions;
    bool pushed; /* ends with PSH */
    uint8_t spare;
    uint32_t order; /* of its last transmission among all: time alone is too coarse */
};
_Static_assert(sizeof(struct tcp_record) == 24, "what is in flight is counted in thousands");

/* Part of struct tcp_sending. */
struct tcp_records {
    region_ref directory; /* of chunks, once they are more than `few` */
    uint32_t begin, end;  /* of it, in use */
    uint32_t capacity;
    uint32_t count;         /* records in all */
    uint32_t transmissions; /* so many went out: what came after what */
    uint32_t resent_out;    /* bytes in flight that were sent again */
    tcp_seq lost_from;      /* no record below it is lost */
    struct tcp_resent_queue resent;
    bool marked; /* with a rate mark each (send/rate.h) */
    region_ref few[4];
};

/* Where a record is; good until one is added, split or acknowledged. */
struct tcp_place {
    uint32_t chunk, slot;
};

uint32_t sw_tcp_records_count(const struct tcp *tcp, const struct tcp_connection *conn);
/* The oldest, and the one after @place; NULL if there is none. */
struct tcp_record *sw_tcp_records_first(const struct tcp *tcp, const struct tcp_connection *conn,
                                        struct tcp_place *place);
struct tcp_record *sw_tcp_records_next(const struct tcp *tcp, const struct tcp_connection *conn,
                                       struct tcp_place *place);
/* The newest. */
struct tcp_record *sw_tcp_records_last(const struct tcp *tcp, const struct tcp_connection *conn,
                                       struct tcp_place *place);
/* The one that holds @seq. */
struct tcp_record *sw_tcp_records_find(const struct tcp *tcp, const struct tcp_connection *conn,
                                       tcp_seq seq, struct tcp_place *place);
struct tcp_record *sw_tcp_record_at(const struct tcp *tcp, const struct tcp_connection *conn,
                                    const struct tcp_place *place);
/* The first from @place on, itself included, that is in flight, lost, (not) SACKed; NULL: none. */
enum tcp_record_kind { RECORDS_OPEN, RECORDS_LOST, RECORDS_SACKED, RECORDS_UNSACKED };
struct tcp_record *sw_tcp_records_next_of(const struct tcp *tcp, const struct tcp_connection *conn,
                                          enum tcp_record_kind kind, struct tcp_place *place);
/* The oldest lost one, to be sent again. */
struct tcp_record *sw_tcp_records_first_lost(const struct tcp *tcp, struct tcp_connection *conn,
                                             struct tcp_place *place);

/* Room for new data: makes sure that a push will succeed. False: no memory. */
bool sw_tcp_records_reserve(struct tcp *tcp, struct tcp_connection *conn);
/* [snd_nxt, snd_nxt + length) is sent now: its record. NULL: no memory; nothing changed. */
struct tcp_record *sw_tcp_records_push(struct tcp *tcp, struct tcp_connection *conn,
                                       uint32_t length);
/* The one at @place covers only its first @length from now on, a new one after it the rest. */
bool sw_tcp_records_split(struct tcp *tcp, struct tcp_connection *conn, struct tcp_place *place,
                          uint32_t length);
/* It is sent again, now. */
void sw_tcp_records_sent_again(struct tcp *tcp, struct tcp_connection *conn,
                               const struct tcp_place *place);
/* Moves a record between in flight, lost and SACKed, keeping send.in_flight and send.lost right. */
void sw_tcp_record_set_flags(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_place *place, uint8_t flags);
/* The peer has @length bytes of it, which were not known to have arrived: a rate sample. */
void sw_tcp_record_delivered(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_place *place, uint32_t length);
/* Everything below SEG.ACK is acknowledged. */
struct tcp_acked {
    bool rtt_valid;  /* a record sent once was acknowledged: its time is in `sent` */
    bool first_sent; /* some of it was sent once, and not known to have arrived (RFC 5682 3.1) */
    bool resent;     /* some of it was sent again */
    uint32_t sacked; /* bytes that the peer had reported before */
    sanwo_time sent;
};
struct tcp_acked sw_tcp_records_acknowledge(struct tcp *tcp, struct tcp_connection *conn,
                                            const struct tcp_segment *seg);
/* Nothing is in flight any more; what they lay in is kept for the next. */
void sw_tcp_records_clear(struct tcp *tcp, struct tcp_connection *conn);
/* Gives back all but what lies in the block itself. */
void sw_tcp_records_release(struct tcp *tcp, struct tcp_connection *conn);

#endif
