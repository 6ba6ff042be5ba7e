/*
 * sending.h - What a connection needs only while it sends: one block, gone some time after the last.
 *
 *     | struct tcp_sending | state of the congestion control | a first chunk of records |   1 KiB
 *
 * An idle connection has none. Without memory for it nothing is sent; the timer tries again.
 */
#ifndef SW_TCP_SEND_SENDING_H
#define SW_TCP_SEND_SENDING_H

#include "tcp/congestion/validation.h"
#include "tcp/recovery/prr.h"
#include "tcp/recovery/rack.h"
#include "tcp/recovery/tail.h"
#include "tcp/recovery/undo.h"
#include "tcp/send/mtu_probe.h"
#include "tcp/send/pacing.h"
#include "tcp/send/rate.h"
#include "tcp/send/records.h"

struct tcp_sending {
    /* Five cache lines that every segment and every ACK need ... */
    struct tcp_records records;
    struct tcp_rack rack;
    struct tcp_tail tail;
    struct tcp_undo undo;
    struct tcp_pacing pacing;
    uint64_t delivered;    /* bytes that the peer has, since the block was made */
    sanwo_time kept_until; /* NEVER while anything is in flight */
    uint32_t stamp;        /* TSval that was last sent again, at least */
    uint16_t chunk;        /* offset of the first chunk; 0: there is no room for one */
    uint8_t sack_count;
    struct tcp_validation validation;
    struct tcp_mtu_search mtu;
    /* ... and what is for recovery, or for some algorithms. */
    struct tcp_prr prr;
    tcp_seq presumable; /* without SACK: a duplicate speaks of what was sent below it */
    struct tcp_rate rate;
    struct wire_tcp_sack
        sacks[WIRE_TCP_SACK_BLOCKS]; /* of the last ACK: what they cover is known already */
};

/* The connection's; NULL if it has none. */
struct tcp_sending *sw_tcp_sending(const struct tcp *tcp, const struct tcp_connection *conn);
/* The same, made if need be; NULL: no memory. */
struct tcp_sending *sw_tcp_sending_make(struct tcp *tcp, struct tcp_connection *conn);
/* What the algorithm remembers. */
void *sw_tcp_sending_state(struct tcp_sending *s);
/* The user chose another algorithm. */
void sw_tcp_sending_switch(struct tcp *tcp, struct tcp_connection *conn, uint8_t algorithm);
void sw_tcp_sending_release(struct tcp *tcp, struct tcp_connection *conn);
/* Everything is acknowledged: the block is kept for some time. */
void sw_tcp_sending_rest(struct tcp *tcp, struct tcp_connection *conn);
/* The earliest of its deadlines: reordering, tail loss probe, next burst, end of rest; or NEVER. */
sanwo_time sw_tcp_sending_deadline(const struct tcp *tcp, const struct tcp_connection *conn);
/* While memory is short: gives back what nobody needs now. */
void sw_tcp_sending_relieve(struct tcp *tcp, struct tcp_connection *conn);

#endif
