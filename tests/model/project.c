/*
 * project.c - What makes two situations the same: a canonical form of both stacks, the wire and the
 * applications, hashed.
 *
 * A control block goes in whole, so that a field added later counts by itself; taken out is what
 * says nothing of the future (counters, links, places in memory), and times become distances from
 * the host's own clock. What that leaves out is in docs/decisions/0012-exploration.md.
 */
#include "model.h"

#include "tcp/close/time_wait.h"
#include "tcp/open/half_open.h"
#include "tcp/open/isn.h"
#include "tcp/open/listener.h"
#include "tcp/receive/reassembly.h"
#include "tcp/receive/timestamps.h"
#include "tcp/send/rtt.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#include <string.h>

#define TIMESTAMP_OPTION 8
#define TICK (1 << WHEEL_TICK_SHIFT)

struct projection {
    uint64_t hash;
};

static void put(struct projection *p, uint64_t value)
{
    p->hash = (p->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    p->hash ^= p->hash >> 32;
}

static void put_bytes(struct projection *p, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t word;
    for (; length >= 8; at += 8, length -= 8) {
        memcpy(&word, at, 8);
        put(p, word);
    }
    word = 0;
    memcpy(&word, at, length);
    put(p, word ^ (uint64_t)length << 56);
}

/* A millisecond is fine enough; a wheel's tick, which may or may not be in it, is not. */
static sanwo_time distance(sanwo_time when, sanwo_time now)
{
    if (when == SANWO_TIME_NEVER)
        return -1;
    return when <= now ? 0 : (when - now + SANWO_MSEC(1) / 2) / SANWO_MSEC(1);
}

static void put_each_record(struct projection *p, const struct model *m, const struct tcp *tcp,
                            const struct tcp_connection *conn)
{
    struct tcp_place place;
    const struct tcp_record *r = sw_tcp_records_first(tcp, conn, &place);

    put(p, sw_tcp_records_count(tcp, conn));
    for (; r; r = sw_tcp_records_next(tcp, conn, &place)) {
        put(p, (uint64_t)r->seq.raw << 32 | r->length);
        put(p, (uint64_t)r->flags << 1 | r->pushed);
        if (m->scenario->sack)
            put(p, (uint64_t)(r->sent - tcp->now));
    }
}

/* What was sent in what order: the records' places in it, not how many there were before. */
static void put_order(struct projection *p, const struct tcp *tcp,
                      const struct tcp_connection *conn, const struct tcp_sending *s)
{
    uint32_t newest = s->records.transmissions;
    struct tcp_place place;
    const struct tcp_record *r = sw_tcp_records_first(tcp, conn, &place);
    const struct tcp_resent *again;

    for (; r; r = sw_tcp_records_next(tcp, conn, &place))
        put(p, newest - r->order);
    for (uint32_t i = 0; (again = sw_tcp_resent_at(tcp, &s->records.resent, i)); i++)
        put(p, (uint64_t)again->seq.raw << 32 | (newest - again->order));
}

static void put_rack(struct projection *p, const struct tcp *tcp, const struct tcp_sending *s)
{
    const struct tcp_rack *rack = &s->rack;

    put(p, (uint64_t)distance(rack->deadline, tcp->now));
    put(p, rack->undecided.raw);
    put(p, rack->dsack_round_is_set ? 1 + (uint64_t)rack->dsack_round.raw : 0);
    put(p, rack->reduced ? 1 + (uint64_t)(tcp->now - rack->reduced) : 0);
    put(p, rack->valid);
    if (!rack->valid)
        return;
    put(p, (uint64_t)(rack->xmit_ts - tcp->now));
    put(p, (uint64_t)rack->rtt);
    put(p, (uint64_t)rack->end_seq.raw << 32 | rack->fack.raw);
    put(p, s->records.transmissions - rack->order);
}

static void put_tail(struct projection *p, const struct tcp *tcp, const struct tcp_tail *tail)
{
    put(p, (uint64_t)distance(tail->deadline, tcp->now));
    put(p, tail->sampled | tail->out << 1 | (tail->out && tail->is_retrans) << 2);
    put(p, tail->out ? tail->end_seq.raw : 0);
}

/* Whether the reduction of cwnd may be taken back, and what that waits for. */
static void put_undo(struct projection *p, const struct model *m, const struct tcp *tcp,
                     const struct tcp_connection *conn, const struct tcp_undo *undo)
{
    put(p, undo->armed);
    if (!undo->armed)
        return;
    put(p, (uint64_t)undo->resent << 32 | undo->frto);
    put(p, undo->frto == FRTO_NEW ? (uint64_t)undo->frto_recover.raw << 8 | undo->frto_new : 0);
    put(p, undo->stamped);
    if (undo->stamped && m->scenario->timestamps)
        put(p, undo->first_stamp - sw_tcp_timestamp_now(tcp, conn->ts_offset));
}

/*
 * What it takes to send, while it does. A few bytes are never paced, and how much of the initial window
 * went is nothing to them; where the records lie is nothing either.
 */
static void put_sending(struct projection *p, const struct model *m, const struct tcp *tcp,
                        const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);

    put(p, s != NULL);
    put_each_record(p, m, tcp, conn);
    if (!s)
        return;
    put(p, (uint64_t)distance(s->kept_until, tcp->now));
    put_bytes(p, sw_tcp_sending_state(s), sw_tcp_cc_ops(&conn->cc)->state_size);
    put(p, (uint64_t)s->prr.recover_fs << 32 | s->prr.delivered);
    put(p, s->prr.out);
    if (m->scenario->timestamps) { /* older than any tolerance it is as good as none */
        uint32_t age = sw_tcp_timestamp_now(tcp, conn->ts_offset) - s->stamp;
        put(p, age < 1000 ? age : 1000);
    }
    put_undo(p, m, tcp, conn, &s->undo);
    if (!m->scenario->sack)
        return;
    put_order(p, tcp, conn, s);
    put_rack(p, tcp, s);
    put_tail(p, tcp, &s->tail);
    put(p, s->sack_count);
    for (unsigned i = 0; i < s->sack_count; i++)
        put(p, (uint64_t)s->sacks[i].left.raw << 32 | s->sacks[i].right.raw);
}

/* The bytes to read, and where they lie if they wait behind a hole. */
static void put_received(struct projection *p, const struct tcp *tcp,
                         const struct tcp_connection *conn)
{
    struct wire_tcp_options options = {0};
    struct tcp_connection copy;
    memcpy(&copy, conn, sizeof(copy));
    copy.sack = 1; /* what would be reported, whether it was negotiated or not */
    copy.receive.dsack_left = copy.receive.dsack_right;
    sw_tcp_sack_blocks((struct tcp *)(uintptr_t)tcp, &copy, &options, WIRE_TCP_SACK_BLOCKS);
    put(p, options.sack_count);
    for (unsigned i = 0; i < options.sack_count; i++)
        put(p, (uint64_t)options.sack[i].left.raw << 32 | options.sack[i].right.raw);
}

static void clear_links(struct tcp_connection *c)
{
    memset(&c->item, 0, sizeof(c->item));
    memset(&c->timer, 0, sizeof(c->timer));
    memset(&c->send_link, 0, sizeof(c->send_link));
    memset(&c->event_link, 0, sizeof(c->event_link));
    c->hash = c->listener = c->config = 0;
    c->send.head = c->send.tail = c->send.next = c->send.sending = 0;
    c->meter = 0;
    c->receive.head = c->receive.tail = c->receive.reassembly = 0;
    c->user = NULL;
    c->ts_offset = 0;
}

static void clear_counters(struct tcp_connection *c)
{
    c->bytes_received = c->bytes_acked = 0;
    c->segments_in = c->segments_out = c->retransmitted = 0;
    c->duplicate_acks_seen = c->duplicate_segments = c->out_of_order_segments = 0;
    c->references_made = c->references_released = 0;
    c->reason = c->limited_by = 0;
    c->soft_error = 0;
}

static void clear_times(const struct model *m, const struct tcp *tcp, struct tcp_connection *c)
{
    sanwo_time now = tcp->now;
    /* Its interval is shorter than any timer here, so what counts is whether it is over. */
    c->challenged = c->challenged && c->challenge_ms == (uint32_t)((uint64_t)now / 1000000);
    c->challenge_ms = 0;
    c->send.last_sent = 0;
    if (!m->scenario->sack) { /* else RACK looks at them */
        c->send.rttvar = c->send.min_rtt = 0;
        c->send.srtt = c->send.srtt != 0;
    }
    c->deadline.retransmit = distance(c->deadline.retransmit, now);
    c->deadline.delayed_ack = distance(c->deadline.delayed_ack, now);
    c->deadline.keepalive = distance(c->deadline.keepalive, now);
    c->deadline.user = distance(c->deadline.user, now);
    c->deadline.linger = distance(c->deadline.linger, now);
    c->deadline.path_mtu = distance(c->deadline.path_mtu, now);
    c->receive.ts_recent_at = 0;
}

/* The peer's timestamp clock, as it stands now. */
static uint32_t peer_clock(const struct model *m, unsigned side, const struct tcp_tuple *tuple)
{
    const struct tcp *peer = &m->host[1 - side].stack->tcp;
    struct tcp_tuple mirrored;
    memset(&mirrored, 0, sizeof(mirrored));
    memcpy(mirrored.local, tuple->remote, sizeof(mirrored.local));
    memcpy(mirrored.remote, tuple->local, sizeof(mirrored.remote));
    mirrored.local_port = tuple->remote_port;
    mirrored.remote_port = tuple->local_port;
    return sw_tcp_timestamp_now(peer, sw_tcp_timestamp_offset(peer, &mirrored));
}

static void put_connection(struct projection *p, const struct model *m, unsigned side,
                           const struct tcp_connection *conn)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    struct tcp_connection c;

    put(p, (uint64_t)sw_tcp_rto(tcp, conn));
    put(p, sw_tcp_send_queue_bytes(conn));
    put_sending(p, m, tcp, conn);
    put_received(p, tcp, conn);
    memcpy(&c, conn, sizeof(c)); /* with its padding, which the pool made zero */
    if (c.timestamps)
        c.receive.ts_recent -= peer_clock(m, side, &c.tuple);
    clear_links(&c);
    clear_counters(&c);
    clear_times(m, tcp, &c);
    put_bytes(p, &c, sizeof(c));
}

static void put_half_open(struct projection *p, const struct model *m, unsigned side,
                          const struct tcp_half_open *half)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    put(p, (uint64_t)half->irs.raw << 32 | half->u.iss.raw);
    put(p, (uint64_t)half->window << 32 | half->peer_mss);
    put(p,
        (uint64_t)half->flags << 16 | (uint64_t)(uint8_t)half->scale << 8 | half->retransmissions);
    put(p, (uint64_t)distance(sw_wheel_node_time(&half->timer), tcp->now));
    if (half->flags & HALF_OPEN_TIMESTAMPS)
        put(p, half->ts_recent - peer_clock(m, side, &half->tuple));
}

static void put_host(struct projection *p, const struct model *m, unsigned side)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    struct model_view view;
    uint32_t cursor = 0;

    model_view(m, side, &view);
    put(p, model_working_memory(m, side)); /* or a leak would hide behind a situation without it */
    /* Where in a millisecond and in a wheel's tick it stands, where times count to the last bit. */
    if (m->scenario->timestamps || m->scenario->sack)
        put(p, (uint64_t)(tcp->now % SANWO_MSEC(1)) << 32 | (uint64_t)(tcp->now % TICK));
    put(p, (uint64_t)tcp->connections.live << 24 | tcp->half_open.live << 16 |
               tcp->time_wait.live << 8 | tcp->listeners.live);
    for (uint32_t i = 0; i < tcp->connections.live; i++)
        put_connection(p, m, side, sw_pool_next(&tcp->connections, tcp->region, &cursor));
    if (view.half_open)
        put_half_open(p, m, side, view.half_open);
    if (view.time_wait) {
        put(p, (uint64_t)view.time_wait->rcv_nxt.raw << 32 | view.time_wait->snd_nxt.raw);
        if (view.time_wait->ts_recent) {
            struct tcp_tuple tuple = sw_tcp_time_wait_tuple(view.time_wait);
            put(p, view.time_wait->ts_recent - peer_clock(m, side, &tuple));
        }
    }
    if (view.listener)
        put(p, (uint64_t)view.listener->half_open << 32 | view.listener->accept_queue.count);
}

static void put_end(struct projection *p, const struct model_end *end)
{
    put(p, (uint64_t)end->has_listener | (uint64_t)end->has_conn << 1 | (uint64_t)end->shut << 2 |
               (uint64_t)end->eof << 3 | (uint64_t)end->failed << 4 | (uint64_t)end->known << 5 |
               (uint64_t)end->irs_known << 6 | (uint64_t)end->may_accept << 7 |
               (uint64_t)end->ended << 8 | (uint64_t)end->listened << 16 |
               (uint64_t)end->connected << 24 | (uint64_t)end->wrote << 32 |
               (uint64_t)end->rebooted << 40 | (uint64_t)end->lives << 48 |
               (uint64_t)end->peer_life << 56);
    put_bytes(p, end->written, sizeof(end->written));
    put_bytes(p, end->got, sizeof(end->got));
    put(p, end->read);
    put(p, (uint64_t)end->iss << 32 | (end->irs_known ? end->irs : 0));
}

/* Without timestamps a name is as good as the bytes; with them, times become ages. */
static void put_segment(struct projection *p, const struct model *m, unsigned from, uint32_t name)
{
    struct model_fields f;
    if (!m->scenario->timestamps) {
        put(p, name);
        return;
    }
    model_segment_read(model_segment_at(m, name), &f);
    uint8_t copy[2048];
    memcpy(copy, f.tcp, f.tcp_length);
    memset(copy + 16, 0, 2);
    struct tcp_tuple tuple;
    memset(&tuple, 0, sizeof(tuple));
    tuple.local[10] = tuple.local[11] = tuple.remote[10] = tuple.remote[11] = 0xff;
    memcpy(tuple.local + 12, m->host[from].address.bytes, 4);
    memcpy(tuple.remote + 12, m->host[1 - from].address.bytes, 4);
    tuple.local_port = sw_load16(f.tcp);
    tuple.remote_port = sw_load16(f.tcp + 2);
    const struct tcp *sender = &m->host[from].stack->tcp;
    uint32_t ours = sw_tcp_timestamp_now(sender, sw_tcp_timestamp_offset(sender, &tuple));
    uint32_t theirs = peer_clock(m, from, &tuple);
    for (unsigned at = 20; at + 1 < f.header && copy[at];) {
        if (copy[at] == TIMESTAMP_OPTION && copy[at + 1] == 10) {
            sw_store32(copy + at + 2, sw_load32(copy + at + 2) - ours);
            if (f.flags & TCP_ACK)
                sw_store32(copy + at + 6, sw_load32(copy + at + 6) - theirs);
        }
        at += copy[at] == 1 ? 1 : copy[at + 1] ? copy[at + 1] : 1;
    }
    put_bytes(p, copy, f.tcp_length);
}

uint64_t model_key(const struct model *m)
{
    struct projection p = {UINT64_C(0x243f6a8885a308d3) + m->at.at_odds};
    for (unsigned side = 0; side < 2; side++) {
        const struct model_wire *wire = &m->at.wire[side];
        put_host(&p, m, side);
        put_end(&p, &m->at.end[side]);
        put(&p, (uint64_t)wire->count << 8 | wire->strays);
        for (unsigned i = 0; i < wire->count; i++)
            put_segment(&p, m, side, wire->fifo[i]);
        for (unsigned i = 0; i < wire->strays; i++)
            put_segment(&p, m, side, wire->stray[i]);
    }
    return p.hash ^ p.hash >> 31;
}
