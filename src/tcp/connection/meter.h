/*
 * meter.h - What is measured of a connection while it is active, in a block of its own.
 *
 *     active_at    active ...    |<-- REST -->|  the block goes back to the region
 *
 * An idle connection is its control block and no more, so what only an active one needs to know lies
 * here: what tunes the receive buffer, the times that the sender was held back, and the counters that
 * are kept for sanwo_tcp_info() alone. They begin anew when the connection was at rest for a minute,
 * or when memory was short. Without memory for the block nothing is measured, and nothing else changes.
 */
#ifndef SW_TCP_CONNECTION_METER_H
#define SW_TCP_CONNECTION_METER_H

#include "tcp/receive/tuning.h"

struct tcp_meter {
    /* Two cache lines and a half for every segment and every ACK ... */
    uint8_t limit; /* enum sanwo_tcp_limit: what holds the sender now */
    bool busy;     /* data waits or is on its way */
    bool in_timeout;
    bool app_limited; /* there was too little to send at some time of this rate's measurement ... */
    bool rate_app_limited; /* ... or of the last one's */
    uint16_t tail_probes;
    sanwo_time limit_since, busy_since;
    uint64_t busy_time;                                /* ns, up to busy_since */
    sanwo_time data_sent, data_received, ack_received; /* when last; 0: never */
    uint32_t data_segments_in, data_segments_out;
    uint32_t delivered, rate_from; /* bytes, modulo 2^32: now, and when this rate's measure began */
    sanwo_time rate_since;
    uint32_t duplicates_reported; /* D-SACK blocks that came */
    uint32_t owner;               /* pool index */
    struct tcp_tuning tuning;

    /* ... and what is seldom touched. */
    uint64_t limited[SANWO_LIMIT_COUNT]; /* ns, up to limit_since */
    uint64_t rate;                       /* bytes a second; 0: none yet */
    uint64_t bytes_retransmitted;
    sanwo_time timeout_time, timeout_since;
    sanwo_time queued_at;    /* in the engine's queue of meters ... */
    region_ref older, newer; /* ... whose oldest is the one to look at first */
    uint16_t timeouts, timeout_recoveries;
};
_Static_assert(sizeof(struct tcp_meter) <= 256, "a block of the smallest size");

/* The connection's, or NULL. */
static inline struct tcp_meter *sw_tcp_meter(const struct tcp *tcp,
                                             const struct tcp_connection *conn)
{
    return conn->meter ? sw_region_at(tcp->region, conn->meter) : NULL;
}

/* Data is sent or came: there should be one. NULL: no memory. */
struct tcp_meter *sw_tcp_meter_need(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_meter_release(struct tcp *tcp, struct tcp_connection *conn);

/* What happens, as it happens. Payload arrived that was asked for: */
void sw_tcp_meter_data_in(struct tcp *tcp, struct tcp_connection *conn);
/* What left: payload of @length bytes in @segments of them, for the first time or again, as a probe. */
struct tcp_measured_data {
    uint32_t length, segments;
    bool again, tail_probe;
};
void sw_tcp_meter_data_out(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_measured_data *data);
/* The retransmission timer expired for data; and SND.UNA advanced. */
void sw_tcp_meter_timed_out(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_meter_acked(struct tcp *tcp, struct tcp_connection *conn);
/* A segment that acknowledges came; the peer has @delivered bytes more; @duplicate: RFC 2883. */
void sw_tcp_meter_ack_in(struct tcp *tcp, struct tcp_connection *conn, uint32_t delivered,
                         bool duplicate);

/* Looks at those whose time has come: who is at rest gives its block back. */
void sw_tcp_meters_expire(struct tcp *tcp);
sanwo_time sw_tcp_meters_deadline(const struct tcp *tcp);

#endif
