/*
 * tcp.h - The engine: what all connections of a stack share, and the doors to the rooms.
 *
 *                 segment in                         timers                segment out
 *                     |                                 |                       ^
 *     open/demux.c: connection? half-open? TIME-WAIT? listener? closed port?    |
 *          |              |            |        |        |                      |
 *     receive/input.c  open/half_open  |   open/listener |            send/output.c, replies
 *     (the RFC's steps)           close/time_wait   close/reset          (pulled by the stack)
 *
 * Knows segments, not IP packets: the stack hands in a struct tcp_segment, and pulls frames whose
 * first slice starts with the TCP header.
 */
#ifndef SW_TCP_TCP_H
#define SW_TCP_TCP_H

#include "base/limiter.h"
#include "base/table.h"
#include "tcp/connection/connection.h"
#include "tcp/segment.h"

#include <sanwo/stack.h>

#define TCP_TIME_WAIT_BUCKETS 128

/* What a value in the demultiplexing table, and the index of a public handle, stand for. */
enum tcp_kind {
    TCP_KIND_CONNECTION = 1,
    TCP_KIND_HALF_OPEN = 2,
    TCP_KIND_LISTENER = 3,
    TCP_KIND_TIME_WAIT = 3
};

static inline uint32_t sw_tcp_name(enum tcp_kind kind, uint32_t index)
{
    return index << 2 | (uint32_t)kind;
}

struct tcp_counters {
    uint64_t segments_in, segments_out, retransmitted, resets_out, challenge_acks;
    uint64_t opened, accepted, failed, reset;
    uint64_t reasons[SANWO_REASON_COUNT];
};

/* A pooled configuration, shared by reference count. */
struct tcp_config_item {
    struct pool_item item;
    uint32_t references;
    struct sanwo_tcp_config config;
};

struct tcp {
    struct region *region;
    struct random *random;
    sanwo_time now;
    struct siphash_key table_key, isn_key, port_key, timestamp_key, listener_key, cookie_key;
    struct pool connections, half_open, time_wait, listeners, configs;
    struct table table; /* tuple -> connection, half-open or TIME-WAIT record */
    struct {
        struct tcp_tuple tuple;
        uint32_t name, hash;     /* name 0: nothing is remembered */
    } last_found;                /* segments come in runs: open/demux.c */
    struct table listener_table; /* local endpoint -> listener */
    struct wheel wheel;          /* connections */
    struct wheel half_open_wheel;
    struct tcp_list ready;  /* connections that want to send */
    struct tcp_list events; /* connections with events to take */
    struct tcp_list listener_events;
    struct {
        region_ref oldest, newest;
    } meters;                   /* connection/meter.c */
    uint32_t any_port_listener; /* head of those with SANWO_LISTEN_ANY_PORT */
    struct {
        uint32_t head[TCP_TIME_WAIT_BUCKETS];
        uint64_t oldest;  /* number of the first bucket that may hold records */
        sanwo_time width; /* of a bucket */
    } time_wait_queue;
    region_ref reply_head, reply_tail; /* stateless answers: close/reset.c */
    uint32_t reply_count, reply_limit;
    bool users_wait;         /* some user was refused memory: tell it when there is again */
    uint32_t relief_cursor;  /* the connection to look at next while memory is short */
    uint64_t refused_before; /* of the region's refusals, when last looked */
    struct peer_limiter reset_limiter;
    struct siphash_key fast_open_key;
    struct {
        struct siphash_key key;
        uint64_t directory; /* offset of region_ref[sets] from the region's base */
        uint32_t sets;
    } peers; /* connection/peers.c */
    uint16_t ephemeral_first, ephemeral_last;
    uint32_t ephemeral_step;        /* RFC 6056 3.3.3: algorithm 3's counter */
    struct sanwo_tcp_config config; /* of connections without one of their own */
    struct sanwo_observer observer;
    struct tcp_counters counters;
};

/* Bytes of directories for these limits, and their layout at @arrays (offset from the region's base). */
size_t sw_tcp_arrays_size(const struct sanwo_stack_config *config);
void sw_tcp_init(struct tcp *tcp, struct region *region, uint64_t arrays, struct random *random,
                 const struct sanwo_stack_config *config, sanwo_time now);

/* What the stack knows about the way to the peer. */
struct tcp_path {
    uint16_t mtu;
    bool checksum_offload;
    uint32_t super_segment; /* most payload of one frame; 0: one segment at a time */
};

/* ---- doors (each in the file named) ------------------------------------------------------------ */

/* open/demux.c: a segment arrived. */
void sw_tcp_receive(struct tcp *tcp, struct tcp_segment *seg);
/* connection/timers.c: fires what is due. */
void sw_tcp_run_timers(struct tcp *tcp, sanwo_time now);
sanwo_time sw_tcp_deadline(const struct tcp *tcp);
/*
 * send/output.c: the next connection that wants to send, or NULL; then frames of it until false.
 * What a frame holds is referred to by its slices' buffers.
 */
struct tcp_connection *sw_tcp_next_ready(struct tcp *tcp);
bool sw_tcp_output(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                   struct sanwo_frame *frame);
/* The connection has nothing (more) to send now: it leaves the `ready` list. */
void sw_tcp_output_done(struct tcp *tcp, struct tcp_connection *conn);
/* The link refused: it goes to the end of the list. */
void sw_tcp_output_later(struct tcp *tcp, struct tcp_connection *conn);

/*
 * Three quarters of the budget are in use: what users send and windows promise must wait, so that
 * headers, records and control blocks still find room and memory can come free again.
 */
static inline bool sw_tcp_memory_is_short(const struct tcp *tcp)
{
    return tcp->region->used > tcp->region->budget / 4 * 3;
}

/*
 * Beyond this nobody's bytes are taken. Before, even while memory is short, who has nothing queued may
 * queue a little: a crowd that holds three quarters for good must slow the others, not stop them.
 */
static inline bool sw_tcp_memory_is_scarce(const struct tcp *tcp)
{
    return tcp->region->used > tcp->region->budget / 8 * 7;
}

/* Users who were refused memory may go on once a good part of the budget is free again. */
static inline bool sw_tcp_users_may_go_on(const struct tcp *tcp)
{
    return tcp->users_wait && tcp->region->used <= tcp->region->budget / 16 * 13;
}

static inline void *sw_tcp_at(const struct tcp *tcp, const struct pool *pool, uint32_t index)
{
    return sw_pool_at(pool, tcp->region, index);
}

static inline struct tcp_connection *sw_tcp_connection_at(const struct tcp *tcp, uint32_t index)
{
    return sw_pool_at(&tcp->connections, tcp->region, index);
}

#endif
