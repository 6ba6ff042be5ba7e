/*
 * test_tcp_support.h - One engine in a region of its own, connections in any state, and segments.
 *
 *     | struct rig: region, random, struct tcp, observations | arrays | blocks ...... |
 *
 * No IP and no links: segments go in as struct tcp_segment, frames come out as sw_tcp_output()
 * makes them. The clock is rig->tcp.now. Sequence numbers start wherever the test says; rows
 * near 0xffffffff are what finds a missing modulo.
 */
#ifndef TEST_TCP_SUPPORT_H
#define TEST_TCP_SUPPORT_H

#include "base/checksum.h"
#include "tcp/close/close.h"
#include "tcp/close/reset.h"
#include "tcp/close/time_wait.h"
#include "tcp/connection/config.h"
#include "tcp/connection/info.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/open/demux.h"
#include "tcp/open/half_open.h"
#include "tcp/open/handshake.h"
#include "tcp/open/isn.h"
#include "tcp/open/listener.h"
#include "tcp/open/ports.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/icmp_error.h"
#include "tcp/receive/input.h"
#include "tcp/receive/reassembly.h"
#include "tcp/receive/receive_queue.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/window.h"
#include "tcp/recovery/duplicates.h"
#include "tcp/recovery/rack.h"
#include "tcp/recovery/recovery.h"
#include "tcp/recovery/scoreboard.h"
#include "tcp/send/ack.h"
#include "tcp/send/keepalive.h"
#include "tcp/send/output.h"
#include "tcp/send/path_mtu.h"
#include "tcp/send/records.h"
#include "tcp/send/retransmit.h"
#include "tcp/send/rtt.h"
#include "tcp/send/segment.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RIG_REGION (8u << 20)
#define RIG_ARRAYS (1u << 18)
#define RIG_LOG 4096
#define RIG_START SANWO_SEC(1000)
#define RIG_MSS 1000

struct rig {
    struct region region;
    struct random random;
    struct tcp tcp;
    uint32_t seen; /* observations so far; the last RIG_LOG of them are in `log` */
    struct sanwo_observation log[RIG_LOG];
    _Alignas(64) uint8_t arrays[RIG_ARRAYS];
};

static inline void rig_observe(void *context, const struct sanwo_observation *what)
{
    struct rig *r = context;

    r->log[r->seen++ % RIG_LOG] = *what;
}

static inline struct sanwo_stack_config rig_config(void)
{
    struct sanwo_stack_config c;

    sanwo_stack_config_default(&c);
    c.tcp.paws_tolerance = 0;
    c.tcp.rto_variance_minimum = SANWO_MSEC(1); /* the formulas of RFC 6298 as they stand */
    c.tcp.quick_ack_segments = 0;               /* ACKs are delayed from the first segment on */
    c.max_connections = 2048;
    c.max_half_open = 256;
    c.max_time_wait = 512;
    c.max_listeners = 64;
    return c;
}

static inline struct rig *rig_with(const struct sanwo_stack_config *config)
{
    static const uint8_t seed[32] = {7};
    struct rig *r = aligned_alloc(4096, RIG_REGION);

    assert_non_null(r);
    memset(r, 0xa5, sizeof *r);
    assert_true(
        sw_region_init(&r->region, r, RIG_REGION, sw_round_up(sizeof *r, 4096), config->budget));
    assert_true(sw_tcp_arrays_size(config) <= RIG_ARRAYS);
    sw_random_init(&r->random, seed);
    sw_tcp_init(&r->tcp, &r->region, offsetof(struct rig, arrays), &r->random, config, RIG_START);
    r->seen = 0;
    return r;
}

static inline struct rig *rig_new(void)
{
    struct sanwo_stack_config config = rig_config();

    return rig_with(&config);
}

static inline void rig_watch(struct rig *r)
{
    r->tcp.observer = (struct sanwo_observer){rig_observe, r};
}

/* The last observation of that kind, or NULL. */
static inline const struct sanwo_observation *rig_last(const struct rig *r, unsigned kind)
{
    for (uint32_t i = r->seen; i-- > 0 && r->seen - i < RIG_LOG;)
        if (r->log[i % RIG_LOG].kind == kind)
            return &r->log[i % RIG_LOG];
    return NULL;
}

/* How often that kind was observed with that reason. */
static inline unsigned rig_count(const struct rig *r, unsigned kind, unsigned reason)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < r->seen && i < RIG_LOG; i++)
        n += r->log[i].kind == kind && r->log[i].reason == reason;
    return n;
}

static inline void rig_end(struct rig *r)
{
    free(r);
}

/* Everything is given back but what pools keep: the test took @before when nothing was held. */
static inline void rig_settled(const struct rig *r, uint64_t before)
{
    assert_int_equal(r->region.used, before);
}

/* ---- connections ------------------------------------------------------------------------- */

static inline struct sanwo_address rig_address(const char *text)
{
    struct sanwo_address a;

    assert_true(sanwo_address_parse(text, &a));
    return a;
}

/* 10.0.0.1:80 as we are, 10.0.0.2 and a port of @n as the peer is. */
static inline struct tcp_tuple rig_tuple(unsigned n)
{
    struct sanwo_address ours = rig_address("10.0.0.1"), peer = rig_address("10.0.0.2");

    return sw_tcp_tuple(&ours, 80, &peer, (uint16_t)(10000 + n));
}

static inline struct tcp_tuple rig_tuple_v6(unsigned n)
{
    struct sanwo_address ours = rig_address("2001:db8::1"), peer = rig_address("2001:db8::2");

    return sw_tcp_tuple(&ours, 80, &peer, (uint16_t)(10000 + n));
}

/*
 * A connection in @state whose next byte to send is @snd and next to receive @rcv: MSS 1000, no
 * options, a peer's window of 1 MiB, ours of 64 KiB - 1, a congestion window of 1 MiB. It is in the
 * table and its user holds it.
 */
static inline struct tcp_connection *rig_connection(struct rig *r, const struct tcp_tuple *tuple,
                                                    enum sanwo_tcp_state state, uint32_t snd,
                                                    uint32_t rcv)
{
    struct tcp_connection *c = sw_tcp_connection_new(&r->tcp, tuple);

    assert_non_null(c);
    assert_true(
        sw_tcp_demux_insert(&r->tcp, tuple, sw_tcp_name(TCP_KIND_CONNECTION, c->item.index)));
    c->in_table = 1;
    c->accepted = 1;
    c->state = (uint8_t)state;
    c->send.iss = c->send.recover = tcp_seq_of(snd - 1);
    c->send.snd_una = c->send.snd_nxt = c->send.snd_end = tcp_seq_of(snd);
    c->send.snd_wl1 = tcp_seq_of(rcv);
    c->send.snd_wl2 = tcp_seq_of(snd);
    c->send.snd_wnd = c->send.max_snd_wnd = 1 << 20;
    c->send.peer_mss = RIG_MSS;
    c->send.last_sent = r->tcp.now;
    c->receive.irs = tcp_seq_of(rcv - 1);
    c->receive.rcv_nxt = c->receive.last_ack_sent = c->receive.rcv_up = tcp_seq_of(rcv);
    c->receive.rcv_adv = tcp_seq_of(rcv + UINT16_MAX);
    c->receive.mss = 1460;
    sw_tcp_cc_init(&c->cc, SANWO_CONGESTION_NEWRENO, RIG_MSS, 10);
    c->cc.cwnd = 1 << 20;
    return c;
}

/* The usual one: ESTABLISHED, the first tuple. */
static inline struct tcp_connection *rig_open(struct rig *r, uint32_t snd, uint32_t rcv)
{
    struct tcp_tuple tuple = rig_tuple(0);

    return rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, snd, rcv);
}

/* Gone without a word to anybody. */
static inline void rig_discard(struct rig *r, struct tcp_connection *c)
{
    sw_tcp_connection_discard(&r->tcp, c);
}

/* The block of what it takes to send; where there is none, one with nothing to wait for. */
static inline struct tcp_sending rig_sending(struct rig *r, struct tcp_connection *c)
{
    const struct tcp_sending *s = sw_tcp_sending(&r->tcp, c);
    const struct tcp_sending none = {.rack.deadline = SANWO_TIME_NEVER,
                                     .tail.deadline = SANWO_TIME_NEVER,
                                     .pacing.deadline = SANWO_TIME_NEVER,
                                     .kept_until = SANWO_TIME_NEVER};

    return s ? *s : none;
}

/* ---- segments ---------------------------------------------------------------------------- */

/* A segment without payload for @c, acknowledging all we sent, with a window of 65535. */
static inline struct tcp_segment rig_segment(const struct rig *r, const struct tcp_connection *c,
                                             uint32_t seq, uint8_t flags)
{
    struct tcp_segment seg = {.tuple = c->tuple,
                              .seq = tcp_seq_of(seq),
                              .ack = c->send.snd_nxt,
                              .window = UINT16_MAX,
                              .flags = flags,
                              .link_mtu = 1500,
                              .destination_is_ours = true,
                              .arrival = r->tcp.now,
                              .now = r->tcp.now};

    sw_wire_tcp_options_none(&seg.options);
    return seg;
}

/* The byte at stream position @at of every test's stream. */
static inline uint8_t rig_byte(uint32_t at)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16) * 3 + 1);
}

static inline void rig_fill(uint8_t *bytes, uint32_t at, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = rig_byte(at + i);
}

static inline void rig_check(const uint8_t *bytes, uint32_t at, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != rig_byte(at + i))
            fail_msg("byte %u is %u, not %u", at + i, bytes[i], rig_byte(at + i));
}

/* A buffer as a driver borrows it: @room bytes, the first @skip not payload, then @length bytes. */
static inline struct sanwo_slice rig_borrow(struct rig *r, uint32_t room, uint32_t skip,
                                            const uint8_t *bytes, uint32_t length)
{
    struct buffer *b = sw_buffer_alloc(&r->region, room);
    uint8_t *at;

    assert_non_null(b);
    at = sw_buffer_tail(b);
    memset(at, 0xee, skip);
    memcpy(at + skip, bytes, length);
    return (struct sanwo_slice){at, skip + length, sw_buffer_name(&r->region, b)};
}

/* The frame's own reference goes, as the stack drops it after receive. */
static inline void rig_return(struct rig *r, const struct sanwo_slice *slice)
{
    if (slice->buffer)
        sw_tcp_buffer_release(&r->tcp, sw_buffer_at(&r->region, slice->buffer));
}

/* Puts payload from one slice of memory that nobody borrowed. */
static inline void rig_payload(struct tcp_segment *seg, struct sanwo_slice *slice,
                               const uint8_t *bytes, uint32_t length)
{
    *slice = (struct sanwo_slice){bytes, length, 0};
    seg->slices = slice;
    seg->slice_count = 1;
    seg->skip = 0;
    seg->length = length;
    seg->kept = 0;
}

/* ---- output ------------------------------------------------------------------------------ */

static const struct tcp_path rig_path = {.mtu = 1500};

/* What went out, flat: header and payload as the wire would have them. */
struct rig_frame {
    struct wire_tcp h;
    struct wire_tcp_options options;
    uint32_t payload; /* bytes after the header */
    struct sanwo_frame frame;
    uint8_t bytes[70000];
};

static inline void rig_flatten(struct rig_frame *f)
{
    uint32_t n = 0;

    for (uint16_t i = 0; i < f->frame.slice_count; i++) {
        memcpy(f->bytes + n, f->frame.slices[i].bytes, f->frame.slices[i].length);
        n += f->frame.slices[i].length;
    }
    assert_int_equal(n, f->frame.length);
    assert_true(sw_wire_tcp_read(&f->h, f->bytes, n));
    sw_wire_tcp_options_read(&f->options, f->bytes + WIRE_TCP_HEADER,
                             (size_t)f->h.header_length - WIRE_TCP_HEADER);
    assert_false(f->options.malformed);
    f->payload = n - f->h.header_length;
}

/* The next frame of @c, its references dropped again; false: nothing (more) to send. */
static inline bool rig_output_by(struct rig *r, struct tcp_connection *c,
                                 const struct tcp_path *path, struct rig_frame *f)
{
    memset(&f->frame, 0, sizeof f->frame);
    if (!sw_tcp_output(&r->tcp, c, path, &f->frame))
        return false;
    rig_flatten(f);
    sw_tcp_frame_release(&r->tcp, &f->frame);
    return true;
}

static inline bool rig_output(struct rig *r, struct tcp_connection *c, struct rig_frame *f)
{
    return rig_output_by(r, c, &rig_path, f);
}

/* Queues @length bytes of the stream, whose position 0 is the connection's first byte. */
static inline void rig_send(struct rig *r, struct tcp_connection *c, uint32_t length)
{
    static uint8_t bytes[1 << 20];
    uint32_t at = tcp_seq_distance(c->send.iss, c->send.snd_end) - 1;

    assert_true(length <= sizeof bytes);
    rig_fill(bytes, at, length);
    assert_int_equal(sw_tcp_send_queue_append(&r->tcp, c, bytes, length), length);
    sw_tcp_wants_send(&r->tcp, c);
}

/* The peer acknowledges up to @ack with a window of @window, without options. */
static inline enum tcp_verdict rig_ack(struct rig *r, struct tcp_connection *c, uint32_t ack,
                                       uint32_t window)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);

    seg.ack = tcp_seq_of(ack);
    seg.window = window;
    return sw_tcp_process_ack(&r->tcp, c, &seg);
}

/*
 * The same with a SACK block, and what goes with it; distances from the connection's first byte. No
 * block where @left is @right.
 */
static inline struct tcp_segment rig_report(const struct rig *r, const struct tcp_connection *c,
                                            uint32_t ack, uint32_t left, uint32_t right)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
    uint32_t base = c->send.iss.raw + 1;

    seg.ack = tcp_seq_of(base + ack);
    seg.window = c->send.snd_wnd;
    seg.options.sack_count = left != right;
    seg.options.sack[0] = (struct wire_tcp_sack){tcp_seq_of(base + left), tcp_seq_of(base + right)};
    return seg;
}

static inline void rig_sack(struct rig *r, struct tcp_connection *c, uint32_t ack, uint32_t left,
                            uint32_t right)
{
    struct tcp_segment seg = rig_report(r, c, ack, left, right);

    assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
}

/* Time goes on to @when, and what is due by then happens. */
static inline void rig_run(struct rig *r, sanwo_time when)
{
    r->tcp.now = when;
    sw_tcp_run_timers(&r->tcp, when);
}

/* ---- records ----------------------------------------------------------------------------- */

/* Where record @i is, counted from the oldest. */
static inline struct tcp_place rig_place(const struct rig *r, const struct tcp_connection *c,
                                         uint32_t i)
{
    struct tcp_place place;
    const struct tcp_record *record = sw_tcp_records_first(&r->tcp, c, &place);

    while (record && i--)
        record = sw_tcp_records_next(&r->tcp, c, &place);
    assert_non_null(record);
    return place;
}

static inline struct tcp_record *rig_record(const struct rig *r, const struct tcp_connection *c,
                                            uint32_t i)
{
    struct tcp_place place = rig_place(r, c, i);

    return sw_tcp_record_at(&r->tcp, c, &place);
}

static inline void rig_set_flags(struct rig *r, struct tcp_connection *c, uint32_t i, uint8_t flags)
{
    struct tcp_place place = rig_place(r, c, i);

    sw_tcp_record_set_flags(&r->tcp, c, &place, flags);
}

/* As sw_tcp_plan_sent() notes a retransmission of the whole record. */
static inline void rig_sent_again(struct rig *r, struct tcp_connection *c, uint32_t i)
{
    struct tcp_place place = rig_place(r, c, i);
    uint8_t flags = sw_tcp_record_at(&r->tcp, c, &place)->flags;

    sw_tcp_records_sent_again(&r->tcp, c, &place);
    sw_tcp_record_set_flags(&r->tcp, c, &place,
                            (flags & (uint8_t)~RECORD_LOST) | RECORD_RETRANSMITTED);
}

/* The records with any of @flags, as bits. */
static inline uint64_t rig_bits(const struct rig *r, const struct tcp_connection *c, uint8_t flags)
{
    uint64_t bits = 0, bit = 1;
    struct tcp_place place;
    const struct tcp_record *record = sw_tcp_records_first(&r->tcp, c, &place);

    for (; record; record = sw_tcp_records_next(&r->tcp, c, &place), bit <<= 1)
        bits |= record->flags & flags ? bit : 0;
    return bits;
}

/* in_flight and lost as the records say they are; the records gapless from snd_una to snd_nxt. */
static inline void rig_check_records(const struct rig *r, const struct tcp_connection *c)
{
    uint32_t flight = 0, lost = 0, again = 0, at = c->send.snd_una.raw, count = 0;
    struct tcp_place place;
    const struct tcp_record *record = sw_tcp_records_first(&r->tcp, c, &place);

    for (; record; record = sw_tcp_records_next(&r->tcp, c, &place), count++) {
        assert_int_equal(record->seq.raw, at);
        assert_int_not_equal(record->length, 0);
        at += record->length;
        assert_false((record->flags & RECORD_LOST) && (record->flags & RECORD_SACKED));
        if (record->flags & RECORD_LOST)
            lost += record->length;
        else if (!(record->flags & RECORD_SACKED))
            flight += record->length;
        if ((record->flags & (RECORD_LOST | RECORD_SACKED | RECORD_RETRANSMITTED)) ==
            RECORD_RETRANSMITTED)
            again += record->length;
    }
    if (c->send.sending)
        assert_int_equal(sw_tcp_sending(&r->tcp, c)->records.resent_out, again);
    assert_int_equal(count, sw_tcp_records_count(&r->tcp, c));
    assert_int_equal(at, c->send.snd_nxt.raw);
    assert_int_equal(c->send.in_flight, flight);
    assert_int_equal(c->send.lost, lost);
}

/* ---- chance ------------------------------------------------------------------------------ */

/* One generator a test, seeded from its name: adding a test changes no other. */
struct dice {
    uint64_t state;
};

static inline struct dice dice_of(const char *name)
{
    struct dice d = {1469598103934665603u};

    while (*name)
        d.state = (d.state ^ (uint8_t)*name++) * 1099511628211u;
    return d;
}

/* Uniform enough in [0, below). */
static inline uint32_t roll(struct dice *d, uint32_t below)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (uint32_t)((d->state >> 16) % below);
}

#endif
