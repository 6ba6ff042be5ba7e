/*
 * stateful_check.c - The oracle: what must hold of every segment, event, byte and connection.
 *
 * What is emitted is judged by the peer's knowledge of the wire and the user's of its calls; the
 * stack's own word (sanwo_tcp_info) is taken only for what cannot be seen outside, and is checked
 * against itself and against the counts kept here.
 */
#include "stateful.h"

#include <stdio.h>
#include <stdlib.h>

#define SPARE_SLAB 16384 /* each kind of object may keep an empty one */

/* ---- segments -------------------------------------------------------------------------------- */

struct far *peer_flow_of(struct world *w, const struct flow *flow)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        struct far *f = &w->flows[i];
        if (flow->to.port == f->theirs.port && flow->from.port == f->ours.port &&
            sanwo_address_equal(&flow->to.address, &f->theirs.address) &&
            sanwo_address_equal(&flow->from.address, &f->ours.address))
            return f;
    }
    return NULL;
}

static void check_bytes(const struct world *w, const struct far *f, const struct segment *seg)
{
    uint32_t end = seg->seq + seg->length;
    FUZZ_CHECK(!(seg->flags & SYN) && f->iss_known, "data needs a connection");
    FUZZ_CHECK(seq_before(f->iss, seg->seq), "data lies behind the SYN");
    FUZZ_CHECK(!seq_before(f->user_end, end), "only what the user gave");
    for (uint32_t at = 0; at < seg->length; at += MOST_BYTES) {
        uint32_t n = seg->length - at < MOST_BYTES ? seg->length - at : MOST_BYTES;
        const uint8_t *right = stack_stream((unsigned)(f - w->flows), seg->seq + at);
        FUZZ_CHECK(memcmp(seg->payload + at, right, n) == 0, "the user's bytes, each in its place");
    }
}

/* MUST-34, SHLD-16, 3.8.6.1: within the window, as the stack understood it, but for probes. */
static void check_within_window(struct world *w, const struct far *f, const struct segment *seg)
{
    struct sanwo_tcp_info info;
    struct user *u = flow_user(w, (unsigned)(f - w->flows));
    uint32_t end = seg->seq + seg->length + !!(seg->flags & FIN);
    if (!u || u->iss != f->iss || sanwo_tcp_info(w->stack, u->handle, &info) < 0)
        return;
    if (info.state < SANWO_TCP_ESTABLISHED)
        return;
    bool probe = seg->seq == info.snd_una && end == seg->seq + 1;
    FUZZ_CHECK(info.snd_wnd <= f->window_max, "a window that the peer once announced");
    FUZZ_CHECK(probe || !seq_before(info.snd_una + info.snd_wnd, end), "within the peer's window");
}

/* The acknowledgement and the right edge move forward only. RFC 9293 3.8.6 SHLD-14. */
static void check_acknowledgement(struct world *w, struct far *f, const struct segment *seg)
{
    if (f->ack_known)
        FUZZ_CHECK(!seq_before(seg->ack, f->ack), "what was acknowledged stays so");
    f->ack = seg->ack;
    f->ack_known = true;
    if (!f->agreed && !(seg->flags & SYN))
        return;
    unsigned scale = seg->flags & SYN ? 0 : f->scale;
    uint32_t edge = seg->ack + ((uint32_t)seg->window << scale);
    uint32_t unit = (1u << f->scale) - 1; /* RFC 7323 2.4 */
    struct sanwo_stack_stats stats;
    sanwo_stack_stats(w->stack, &stats);
    bool shut = !seg->window && stats.reasons[SANWO_REASON_NO_MEMORY]; /* deviation D22 */
    if (f->edge_known && !shut && !(seg->flags & SYN))
        FUZZ_CHECK(!seq_before(edge + unit, f->edge), "the right edge of the window stays");
    if (!f->edge_known || seq_before(f->edge, edge) || shut || (seg->flags & SYN))
        f->edge = edge;
    f->edge_known = true;
}

/*
 * What the handshake agreed to. Which of several answers counted, and whether a SYN cookie's
 * options came back, only the stack knows.
 */
static void learn_agreement(struct world *w, struct far *f)
{
    struct sanwo_tcp_info info;
    struct user *u = flow_user(w, (unsigned)(f - w->flows));
    if (f->agreed || !u || u->iss != f->iss || sanwo_tcp_info(w->stack, u->handle, &info) < 0 ||
        info.state < SANWO_TCP_ESTABLISHED || info.snd_una == info.iss)
        return;
    f->scale = info.receive_scale > 0 ? (uint8_t)info.receive_scale : 0;
    f->ts_agreed = info.timestamps;
    f->agreed = true;
}

/* Of a connection whose SYN-ACK was never seen: lost in a queue of replies that was full. */
static bool is_unknown(struct world *w, const struct far *f, const struct segment *seg)
{
    const struct user *u = flow_user(w, (unsigned)(f - w->flows));
    bool held = u && u->iss == f->iss;
    bool placed = seg->seq - f->iss <= f->user_end + 1 - f->iss;
    return f->iss_known && !held && !placed && !(seg->flags & SYN);
}

static void check_segment(struct world *w, struct far *f, const struct segment *seg)
{
    FUZZ_CHECK(!(seg->flags & SYN) || !(seg->flags & (FIN | RST)), "a SYN alone");
    if (seg->flags & RST) {
        FUZZ_CHECK(!seg->length, "a reset without data");
        return;
    }
    FUZZ_CHECK((seg->flags & ACK) || (seg->flags & SYN), "ACK is always there (but for a SYN)");
    /* (A SYN cookie is good for another connection while its time lasts.) */
    if (f->iss_known && f->user_aborted && !(seg->flags & SYN) && !w->config.tcp.syn_cookies)
        FUZZ_CHECK(seq_before(seg->seq, f->iss), "after ABORT there are resets only");
    if (is_unknown(w, f, seg))
        peer_forget(f);
    peer_took(w, f, seg);
    if (!f->iss_known)
        return;
    if (seg->length)
        check_bytes(w, f, seg);
    if (seg->flags & FIN)
        FUZZ_CHECK(f->user_fin && seg->seq + seg->length == f->user_end, "FIN behind all bytes");
    if (seg->length || (seg->flags & FIN))
        check_within_window(w, f, seg);
    learn_agreement(w, f);
    if (seg->flags & ACK)
        check_acknowledgement(w, f, seg);
    if (f->agreed && f->ts_agreed)
        FUZZ_CHECK(seg->has_ts, "timestamps once negotiated (RFC 7323 3.2)");
}

static void keep_last(struct far *f, const uint8_t *packet, size_t length)
{
    if (length > 576)
        length = 576;
    free(f->last);
    f->last = fuzz_copy(packet, length);
    f->last_length = length;
}

static void print_segment(const struct world *w, const struct far *f, const struct segment *s)
{
    if (!f)
        printf("    %d.%06d s  a segment of no flow\n", (int)(w->now / SANWO_SEC(1)),
               (int)(w->now / 1000 % 1000000));
    else
        printf("    %d.%06d s  flow %d: %s%s%s%s%s%s seq +%u length %u ack +%u win %u%s%s\n",
               (int)(w->now / SANWO_SEC(1)), (int)(w->now / 1000 % 1000000), (int)(f - w->flows),
               s->flags & SYN ? "S" : "", s->flags & FIN ? "F" : "", s->flags & RST ? "R" : "",
               s->flags & PSH ? "P" : "", s->flags & URG ? "U" : "", s->flags & ACK ? "." : "",
               s->seq - f->iss, s->length, s->ack - f->isn, s->window, s->has_ts ? " TS" : "",
               s->sack_count ? " SACK" : "");
    fflush(stdout);
}

void check_frame(struct world *w, const struct sanwo_frame *frame)
{
    static uint8_t packet[PACKET_MAX];
    struct wire_seen seen;
    FUZZ_CHECK(frame->link == w->link && frame->length <= sizeof(packet), "for our link");
    wire_check_frame(frame, w->mtu, packet, &seen);
    if (!seen.is_tcp)
        return;
    struct far *f = peer_flow_of(w, &seen.flow);
    if (fuzz_trace)
        print_segment(w, f, &seen.segment);
    if (!f)
        return;
    keep_last(f, packet, frame->length);
    check_segment(w, f, &seen.segment);
}

/* ---- events and bytes ------------------------------------------------------------------------ */

void check_event(struct world *w, const struct sanwo_event *event)
{
    struct user *u = call_user_of(w, event->handle);
    FUZZ_CHECK(event->what, "something happened");
    if (!u) {
        bool listener = false;
        for (unsigned i = 0; i < LISTENERS; i++)
            listener |= sanwo_handle_equal(w->listeners[i], event->handle);
        FUZZ_CHECK(listener, "events are of handles that the user holds");
        FUZZ_CHECK(!(event->what & ~(unsigned)(SANWO_EVENT_ACCEPT | SANWO_EVENT_REQUEST)), "of it");
        return;
    }
    FUZZ_CHECK(!(event->what & (SANWO_EVENT_ACCEPT | SANWO_EVENT_REQUEST)), "not a listener's");
    if (event->what & SANWO_EVENT_CLOSED) {
        FUZZ_CHECK(!u->closed_event, "CLOSED comes once");
        u->closed_event = true;
    }
    FUZZ_CHECK(event->error >= 0 && event->error < SANWO_ERROR_COUNT, "an error of the table");
}

static bool may_be_forged(const struct far *f, uint32_t seq)
{
    for (unsigned i = 0; i < f->forged_count; i++)
        if (seq - f->forged[i].left < f->forged[i].right - f->forged[i].left)
            return true;
    return f->forged_all;
}

void check_received(struct world *w, const struct user *u, const uint8_t *bytes, size_t n,
                    uint64_t ahead)
{
    struct sanwo_tcp_info info;
    const struct far *f = &w->flows[u->flow];
    unsigned flow = (unsigned)u->flow;
    FUZZ_CHECK(sanwo_tcp_info(w->stack, u->handle, &info) == 0, "the handle is valid");
    bool known =
        f->iss_known && f->iss == u->iss; /* else: an old one, and its forgeries are lost */
    uint32_t seq = info.irs + 1 + (uint32_t)(u->received + ahead);
    for (size_t i = 0; i < n; i++, seq++) {
        if (bytes[i] == *peer_stream(flow, seq, false))
            continue;
        if (w->garbled)
            continue;
        FUZZ_CHECK(bytes[i] == *peer_stream(flow, seq, true), "the peer's bytes, in order");
        FUZZ_CHECK(!known || may_be_forged(f, seq), "what was received first stays");
    }
}

/* ---- states ---------------------------------------------------------------------------------- */

/* RFC 9293 figure 5 and its notes; CLOSED from anywhere: ABORT, RST, time-outs. */
static bool may_follow(unsigned from, unsigned to)
{
#define TO(state) (1u << SANWO_TCP_##state)
    static const uint32_t edges[SANWO_TCP_STATE_COUNT] = {
        [SANWO_TCP_CLOSED] = TO(LISTEN) | TO(SYN_SENT),
        [SANWO_TCP_LISTEN] = TO(SYN_RECEIVED) | TO(SYN_SENT),
        [SANWO_TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED),
        [SANWO_TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(LISTEN),
        [SANWO_TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
        [SANWO_TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT),
        [SANWO_TCP_FIN_WAIT_2] = TO(TIME_WAIT),
        [SANWO_TCP_CLOSE_WAIT] = TO(LAST_ACK),
        [SANWO_TCP_CLOSING] = TO(TIME_WAIT),
    };
#undef TO
    return to == SANWO_TCP_CLOSED || (edges[from] >> to & 1);
}

void check_observation(void *context, const struct sanwo_observation *what)
{
    (void)context;
    FUZZ_CHECK(what->reason < SANWO_REASON_COUNT, "a reason of the table");
    FUZZ_CHECK(what->state < SANWO_TCP_STATE_COUNT, "a state");
    if (fuzz_trace && what->kind == SANWO_OBSERVE_DROP)
        printf("        dropped: %s\n", sanwo_reason_text(what->reason));
    if (what->kind != SANWO_OBSERVE_STATE)
        return;
    if (fuzz_trace)
        printf("        %s -> %s: %s\n", sanwo_tcp_state_name(what->old_state),
               sanwo_tcp_state_name(what->state), sanwo_reason_text(what->reason));
    FUZZ_CHECK(what->reason != SANWO_REASON_NONE, "a change has a reason");
    FUZZ_CHECK(may_follow(what->old_state, what->state), "an edge of figure 5");
}

/* ---- connections ----------------------------------------------------------------------------- */

static void check_sender(const struct world *w, const struct user *u,
                         const struct sanwo_tcp_info *i)
{
    uint32_t out = i->snd_nxt - i->snd_una;
    FUZZ_CHECK(out < 0x80000000u, "SND.UNA <= SND.NXT");
    FUZZ_CHECK(i->in_flight <= out, "in flight is what is out, at most");
    FUZZ_CHECK(i->send_unsent <= i->send_queued, "unsent bytes are queued");
    FUZZ_CHECK(i->send_queued <= u->send_limit, "no more than the buffer");
    FUZZ_CHECK(i->rto >= w->config.tcp.rto_minimum && i->rto <= w->config.tcp.rto_maximum, "RTO");
    FUZZ_CHECK(i->references_released <= u->references, "released once");
    FUZZ_CHECK(i->snd_wnd <= i->snd_max_wnd, "the largest window");
    if (i->state < SANWO_TCP_ESTABLISHED)
        return;
    FUZZ_CHECK(i->cwnd >= i->send_mss, "cwnd is a segment at least");
    if (i->snd_una != i->iss) /* else our SYN is still out, and counts */
        FUZZ_CHECK(i->bytes_acked + i->send_queued == u->sent, "no byte of the user's is lost");
    FUZZ_CHECK(i->send_mss >= 8 && i->send_mss <= 65535, "the MSS");
}

static void check_receiver(const struct user *u, const struct sanwo_tcp_info *i)
{
    uint32_t unit = i->receive_scale > 0 ? 1u << i->receive_scale : 1; /* less cannot be said */
    uint32_t limit = u->receive_limit > unit ? u->receive_limit : unit;
    FUZZ_CHECK(i->receive_queued <= limit, "no more than the buffer");
    FUZZ_CHECK(i->rcv_wnd <= limit + 65535, "the window");
    FUZZ_CHECK(i->receive_out_of_order <= limit, "what waits lay in the window");
    FUZZ_CHECK(i->bytes_received == u->received + i->receive_queued,
               "no byte of the peer's is lost");
    if (i->state >= SANWO_TCP_ESTABLISHED)
        FUZZ_CHECK((uint32_t)(i->irs + 1 + i->bytes_received + i->peer_closed) == i->rcv_nxt,
                   "RCV.NXT counts them");
}

static void check_user(struct world *w, struct user *u)
{
    struct sanwo_tcp_info i;
    FUZZ_CHECK(sanwo_tcp_info(w->stack, u->handle, &i) == 0, "a handle lasts until it is closed");
    FUZZ_CHECK(i.state < SANWO_TCP_STATE_COUNT && i.state != SANWO_TCP_LISTEN, "a state");
    FUZZ_CHECK(i.error >= 0 && i.error < SANWO_ERROR_COUNT, "an error of the table");
    FUZZ_CHECK(i.iss == u->iss, "ISS never changes");
    if (u->closed_event)
        FUZZ_CHECK(i.state == SANWO_TCP_CLOSED || i.state == SANWO_TCP_TIME_WAIT, "over is over");
    check_receiver(u, &i);
    if (i.state == SANWO_TCP_CLOSED)
        return;
    FUZZ_CHECK(!i.error, "it ended with that error");
    FUZZ_CHECK(i.shutdown == u->fin, "shut down by the user only");
    check_sender(w, u, &i);
}

void check_all(struct world *w)
{
    struct sanwo_stack_stats stats;
    for (unsigned i = 0; i < USERS; i++)
        if (w->users[i].used)
            check_user(w, &w->users[i]);
    sanwo_stack_stats(w->stack, &stats);
    FUZZ_CHECK(stats.memory_peak <= stats.memory_budget, "the budget is kept");
    FUZZ_CHECK(stats.memory_used <= stats.memory_peak, "the peak");
    FUZZ_CHECK(stats.connections <= w->config.max_connections, "connections");
    FUZZ_CHECK(stats.half_open <= w->config.max_half_open, "half-open ones");
    FUZZ_CHECK(stats.time_wait <= w->config.max_time_wait, "TIME-WAIT");
}

void check_nothing_left(struct world *w)
{
    struct sanwo_stack_stats stats;
    sanwo_stack_peers_forget(w->stack, NULL); /* what is remembered of them is meant to stay */
    sanwo_stack_stats(w->stack, &stats);
    FUZZ_CHECK(!stats.connections && !stats.half_open && !stats.time_wait && !stats.listeners,
               "nothing is left of what nobody holds");
    FUZZ_CHECK(stats.memory_used % SPARE_SLAB == 0 && stats.memory_used <= 8 * SPARE_SLAB,
               "all memory came back");
}
