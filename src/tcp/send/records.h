/*
 * records.h - What is in flight: one record a transmission, in a ring that exists only meanwhile.
 *
 * A record covers what one frame carried, a super-segment included; it is split only where a part of it is
 * acknowledged, reported or sent again by itself. Records are ordered, gapless from snd_una to snd_nxt.
 */
#ifndef SW_TCP_SEND_RECORDS_H
#define SW_TCP_SEND_RECORDS_H

#include "tcp/recovery/rack.h"
#include "tcp/tcp.h"

enum {
    RECORD_LOST = 1,          /* deemed lost and not sent again yet; not in flight */
    RECORD_SACKED = 2,        /* the peer has it; not in flight */
    RECORD_RETRANSMITTED = 4, /* was sent more than once: no RTT sample (Karn) */
};

struct tcp_record {
    tcp_seq seq;
    uint32_t length; /* sequence numbers it covers, a FIN included */
    sanwo_time sent; /* the last time; RFC8985-4-1 */
    uint8_t flags;
    uint8_t transmissions;
    bool pushed; /* ends with PSH */
    uint8_t spare;
    uint32_t
        order; /* of the last transmission among all of this ring's: time alone is too coarse */
};
_Static_assert(sizeof(struct tcp_record) == 24, "what is in flight is counted in thousands");

uint32_t sw_tcp_records_count(const struct tcp *tcp, const struct tcp_connection *conn);
/* The i-th oldest; valid until the next push or split. */
struct tcp_record *sw_tcp_record(const struct tcp *tcp, const struct tcp_connection *conn,
                                 uint32_t i);
/* Room for new data: makes sure that a push and a split will succeed. False: no memory. */
bool sw_tcp_records_reserve(struct tcp *tcp, struct tcp_connection *conn);
/* Gives an empty ring back. */
void sw_tcp_records_trim(struct tcp *tcp, struct tcp_connection *conn);
/* [snd_nxt, snd_nxt + length) is sent now. False: no memory; nothing changed. */
bool sw_tcp_records_push(struct tcp *tcp, struct tcp_connection *conn, uint32_t length);
/* The i-th covers only its first @length from now on, a new one after it the rest. False: no memory. */
bool sw_tcp_records_split(struct tcp *tcp, struct tcp_connection *conn, uint32_t i,
                          uint32_t length);
/* Everything below SEG.ACK is acknowledged; frees the ring when nothing is left. */
struct tcp_acked {
    uint32_t rtt_valid; /* a record sent once was acknowledged: its time is in `sent` */
    sanwo_time sent;
};
struct tcp_acked sw_tcp_records_acknowledge(struct tcp *tcp, struct tcp_connection *conn,
                                            const struct tcp_segment *seg);
/* The i-th is sent again, now. */
void sw_tcp_records_sent_again(struct tcp *tcp, struct tcp_connection *conn, uint32_t i);
/* The state of RACK, which lives with the records; NULL while nothing is in flight. */
struct tcp_rack *sw_tcp_records_rack(const struct tcp *tcp, const struct tcp_connection *conn);
/* Moves a record between in flight, lost and SACKed, keeping send.in_flight and send.lost right. */
void sw_tcp_record_set_flags(struct tcp_connection *conn, struct tcp_record *record, uint8_t flags);
void sw_tcp_records_clear(struct tcp *tcp, struct tcp_connection *conn);

#endif
