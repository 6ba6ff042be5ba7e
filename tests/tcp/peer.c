/*
 * peer.c - A stack in virtual time, what it emits, and a peer by hand.
 */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>

#include <sanwo/driver.h>

#define BUDGET (16u << 20)
#define SPARE_SLAB 16384

/* RFC 9293 3.3.2, figure 5, with its notes; and CLOSED from anywhere: ABORT, RST, time-outs. */
#define TO(state) (1u << SANWO_TCP_##state)
static const uint16_t figure5[SANWO_TCP_STATE_COUNT] = {
    [SANWO_TCP_CLOSED] = TO(LISTEN) | TO(SYN_SENT),
    [SANWO_TCP_LISTEN] = TO(SYN_RECEIVED) | TO(SYN_SENT) | TO(CLOSED),
    [SANWO_TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
    [SANWO_TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(LISTEN) | TO(CLOSED),
    [SANWO_TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [SANWO_TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [SANWO_TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_LAST_ACK] = TO(CLOSED),
    [SANWO_TCP_TIME_WAIT] = TO(CLOSED),
};

/* ---- life ------------------------------------------------------------------------------------- */

static void observe(void *context, const struct sanwo_observation *what)
{
    struct peer *p = context;
    if (what->kind == SANWO_OBSERVE_DROP)
        p->last_drop = what->reason;
    if (what->kind != SANWO_OBSERVE_STATE)
        return;
    if (!(figure5[what->old_state] >> what->state & 1))
        p->violation = "a change of state that figure 5 does not have";
    if (p->change_count == sizeof(p->changes) / sizeof(p->changes[0]))
        p->change_count = 0;
    p->changes[p->change_count++] = (struct change){what->old_state, what->state, what->reason};
}

static int setup(void **state, uint8_t family)
{
    static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8};
    struct peer *p = calloc(1, sizeof(*p));
    p->family = family;
    p->now = SANWO_SEC(1000);
    sanwo_stack_config_default(&p->config);
    p->config.deterministic = true;
    p->config.budget = BUDGET;
    p->config.max_connections = p->config.max_time_wait = p->config.max_half_open = 256;
    /* Tests say when each segment leaves: at once, and as RFC 5681 has it, unless they are about more. */
    p->config.tcp.pacing = p->config.tcp.tail_loss_probe = false;
    p->config.tcp.congestion = SANWO_CONGESTION_NEWRENO;
    p->config.tcp.mtu_probing = 0;
    p->config.tcp.quick_ack_segments = 0;
    p->config.tcp.paws_tolerance = 0;
    p->config.tcp.rto_variance_minimum = SANWO_MSEC(1);
    p->config.observer = (struct sanwo_observer){observe, p};
    p->offer = (struct segment){.mss = MSS, .window = 65535};
    p->iss = 0xffffff9c;
    p->isn = 0x7fffff9c;
    p->ts_base = 0x7ffffff0;
    p->ours.port = OUR_PORT;
    p->theirs.port = PEER_PORT;
    p->ours.address = p->theirs.address =
        family == SANWO_FAMILY_IPV4 ? sanwo_address_ipv4(192, 0, 2, 0) : sanwo_address_ipv6(v6);
    p->ours.address.bytes[family == SANWO_FAMILY_IPV4 ? 3 : 15] = 1;
    p->theirs.address.bytes[family == SANWO_FAMILY_IPV4 ? 3 : 15] = 2;
    *state = p;
    return 0;
}

int peer_setup_ipv4(void **state)
{
    return setup(state, SANWO_FAMILY_IPV4);
}

int peer_setup_ipv6(void **state)
{
    return setup(state, SANWO_FAMILY_IPV6);
}

void peer_start(struct peer *p)
{
    struct sanwo_link_config link = {.name = "peer", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address ipv4 = sanwo_address_ipv4(192, 0, 2, 1), ipv6;
    if (p->stack)
        return;
    p->region_size = sanwo_stack_region_size(&p->config);
    p->region = aligned_alloc(4096, (p->region_size + 4095) / 4096 * 4096);
    assert_non_null(p->region);
    assert_int_equal(sanwo_stack_create(p->region, p->region_size, &p->config, p->now, &p->stack),
                     0);
    p->link = sanwo_stack_link_add(p->stack, &link);
    assert_int_equal(p->link, 0);
    assert_true(sanwo_address_parse("2001:db8::1", &ipv6));
    assert_int_equal(sanwo_stack_address_add(p->stack, 0, &ipv4, 24), 0);
    assert_int_equal(sanwo_stack_address_add(p->stack, 0, &ipv6, 64), 0);
}

/* The user lets go of everything, nobody answers for an hour: nothing may be left. */
static const char *leak(struct peer *p)
{
    struct sanwo_stack_stats stats;
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    sanwo_tcp_close(p->stack, p->listener, p->now);
    peer_advance(p, 3600 * 1000);
    peer_discard(p);
    sanwo_stack_peers_forget(p->stack, NULL);
    sanwo_stack_stats(p->stack, &stats);
    if (stats.connections || stats.half_open || stats.time_wait || stats.listeners)
        return "a connection, a half-open one, TIME-WAIT or a listener is left at the end";
    /* Each kind of object may keep one empty slab; a lost buffer would not make a whole one. */
    if (stats.memory_used % SPARE_SLAB || stats.memory_used > 8 * SPARE_SLAB)
        return "memory in use is not as at the start";
    return NULL;
}

int peer_teardown(void **state)
{
    struct peer *p = *state;
    const char *wrong = p->violation;
    if (p->stack && !wrong && !p->leak_unchecked)
        wrong = leak(p);
    while (p->queue_first < p->queue_count)
        free(p->queue[p->queue_first++].packet);
    free(p->last.packet);
    free(p->queue);
    free(p->region);
    free(p);
    if (wrong)
        print_error("%s\n", wrong);
    return wrong ? -1 : 0;
}

/* ---- what the stack emits -------------------------------------------------------------------- */

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* SHLD-14: the right edge never moves to the left, but for what the scale cannot express. */
static const char *check_edge(struct peer *p, const struct segment *seg)
{
    if ((seg->flags & RST) || !(seg->flags & ACK))
        return NULL;
    unsigned scale = seg->flags & SYN ? 0 : p->scale;
    uint32_t edge = seg->ack + ((uint32_t)seg->window << scale);
    if (p->edge_known && is_before(edge + (1u << scale) - 1, p->edge))
        return "the right edge of the window moved to the left (SHLD-14)";
    if (!p->edge_known || is_before(p->edge, edge))
        p->edge = edge;
    p->edge_known = true;
    return NULL;
}

/* RFC7323-3.2-1. */
static const char *check_segment(struct peer *p, const struct segment *seg)
{
    if (seg->flags & SYN) {
        p->edge_known = false;
        p->ts_on = seg->has_ts && p->offer.has_ts;
        p->scale_on = seg->scale && p->offer.scale;
        p->scale = p->scale_on ? seg->scale & 15 : 0;
    } else if (!(seg->flags & ACK) && !(seg->flags & RST)) {
        return "neither SYN nor RST nor ACK";
    } else if (!(seg->flags & RST) && p->ts_on != seg->has_ts) {
        return "a timestamp is missing, or was never agreed on (RFC 7323 3.2)";
    }
    if (seg->has_ts && !(seg->flags & RST))
        p->ts_echo = seg->ts_value;
    for (uint32_t i = 0; i < seg->length && !p->any_payload; i++)
        if (seg->payload[i] != peer_pattern(seg->seq + !!(seg->flags & SYN) + i))
            return "the payload is not what was written there";
    return check_edge(p, seg);
}

static void keep(struct peer *p, const struct sanwo_frame *frame)
{
    struct seen seen = {.packet = malloc(frame->length), .length = frame->length};
    struct flow flow;
    sanwo_frame_copy(frame, seen.packet);
    const char *wrong = packet_read(seen.packet, seen.length, &flow, &seen.segment);
    if (!wrong && (frame->checksum != SANWO_CHECKSUM_NONE || frame->segmentation))
        wrong = "the link has no offload, but the frame needs it";
    struct segment *seg = &seen.segment;
    seg->seq -= p->iss;
    seg->ack -= seg->flags & ACK ? p->isn : 0;
    for (unsigned i = 0; i < seg->sack_count; i++) {
        seg->sack[i][0] -= p->isn;
        seg->sack[i][1] -= p->isn;
    }
    seg->time = p->now;
    seg->port = flow.to.port;
    bool ours = sanwo_address_equal(&flow.from.address, &p->ours.address) &&
                sanwo_address_equal(&flow.to.address, &p->theirs.address) &&
                flow.from.port == p->ours.port;
    if (!wrong && !ours)
        wrong = "wrong addresses or ports";
    if (!wrong && flow.to.port == p->theirs.port)
        wrong = check_segment(p, seg);
    if (wrong && !p->violation)
        p->violation = wrong;
    if (p->queue_count == p->queue_size) {
        p->queue_size = p->queue_size ? 2 * p->queue_size : 64;
        p->queue = realloc(p->queue, p->queue_size * sizeof(*p->queue));
    }
    p->queue[p->queue_count++] = seen;
}

/* What happened is kept per handle until the test asks. */
static void take_events(struct peer *p)
{
    struct sanwo_event some[16];
    size_t n;
    while ((n = sanwo_stack_events(p->stack, some, 16)) > 0)
        for (size_t i = 0; i < n; i++) {
            unsigned at = 0;
            while (at < p->event_count && !sanwo_handle_equal(p->events[at].handle, some[i].handle))
                at++;
            if (at == EVENTS_KEPT)
                continue;
            if (at == p->event_count)
                p->events[p->event_count++] = (struct sanwo_event){.handle = some[i].handle};
            p->events[at].what |= some[i].what;
            p->events[at].user = some[i].user;
            p->events[at].error = some[i].error ? some[i].error : p->events[at].error;
        }
}

struct sanwo_event peer_events(struct peer *p, struct sanwo_handle h)
{
    struct sanwo_event found = {.handle = h};
    take_events(p);
    for (unsigned i = 0; i < p->event_count; i++)
        if (sanwo_handle_equal(p->events[i].handle, h))
            found = p->events[i];
    p->event_count = 0;
    return found;
}

static void pump(struct peer *p)
{
    take_events(p);
    struct sanwo_frame frame;
    while (sanwo_stack_transmit(p->stack, &frame, 1, p->now)) {
        keep(p, &frame);
        sanwo_stack_sent(p->stack, &frame, 1);
    }
    take_events(p);
    if (!p->violation && sanwo_stack_deadline(p->stack) <= p->now)
        p->violation = "nothing to transmit, and yet the deadline is now";
    if (p->violation) {
        fail(); /* the end of the test says why */
    }
}

void peer_advance(struct peer *p, int64_t ms)
{
    sanwo_time end = p->now + SANWO_MSEC(ms);
    pump(p);
    for (;;) {
        sanwo_time next = sanwo_stack_deadline(p->stack);
        if (next > end)
            break;
        p->now = next;
        pump(p);
    }
    p->now = end;
}

static struct seen *take(struct peer *p, int64_t ms)
{
    sanwo_time end = p->now + SANWO_MSEC(ms);
    pump(p);
    while (p->queue_first == p->queue_count) {
        sanwo_time next = sanwo_stack_deadline(p->stack);
        if (next > end) {
            p->now = end;
            return NULL;
        }
        p->now = next;
        pump(p);
    }
    free(p->last.packet);
    p->last = p->queue[p->queue_first++];
    if (p->queue_first == p->queue_count)
        p->queue_first = p->queue_count = 0;
    return &p->last;
}

unsigned peer_discard(struct peer *p)
{
    unsigned n = 0;
    while (take(p, 0))
        n++;
    return n;
}

const struct segment *peer_next(struct peer *p, int64_t ms)
{
    struct seen *seen = take(p, ms);
    return seen ? &seen->segment : NULL;
}

static void describe(const char *what, const struct segment *seg)
{
    char flags[9], *at = flags;
    for (unsigned i = 0; i < 8; i++)
        if (seg->flags >> i & 1)
            *at++ = "FSRP.UEC"[i];
    *at = 0;
    print_error("%s: %s seq %u ack %u window %u length %u (as wire bits: flags %02x)\n", what,
                flags, seg->seq, seg->ack, seg->window, seg->length, seg->flags);
}

const struct segment *peer_expect(struct peer *p, const struct segment *want, int ms,
                                  const char *file, int line)
{
    struct seen *seen = take(p, ms);
    if (!seen) {
        describe("expected", want);
        print_error("seen:     nothing\n");
        _fail(file, line);
        return want;
    }
    const struct segment *got = &seen->segment;
    if ((got->flags ^ want->flags) & ~PSH || got->seq != want->seq || got->length != want->length ||
        ((want->flags & ACK) && got->ack != want->ack)) {
        describe("expected", want);
        describe("seen    ", got);
        _fail(file, line);
    }
    return got;
}

void peer_expect_nothing(struct peer *p, const char *file, int line)
{
    struct seen *seen = take(p, 0);
    if (seen) {
        print_error("expected: nothing\n");
        describe("seen    ", &seen->segment);
        _fail(file, line);
    }
}

/* ---- what the peer emits --------------------------------------------------------------------- */

uint8_t peer_pattern(uint32_t relative)
{
    return (uint8_t)(relative * 7 + (relative >> 8));
}

void peer_receive_raw(struct peer *p, const uint8_t *packet, size_t length)
{
    struct sanwo_frame frame = {.arrival = p->now,
                                .length = (uint32_t)length,
                                .link = (uint16_t)p->link,
                                .slice_count = 1,
                                .slices = {{.bytes = packet, .length = (uint32_t)length}}};
    peer_start(p);
    sanwo_stack_receive(p->stack, &frame, 1, p->now);
}

void peer_send_from(struct peer *p, uint16_t port, const struct segment *seg)
{
    static uint8_t packet[PACKET_MAX], pattern[65536];
    struct flow flow = {p->theirs, p->ours};
    struct segment s = *seg;
    flow.from.port = port;
    if (!s.payload) {
        for (uint32_t i = 0; i < s.length; i++)
            pattern[i] = peer_pattern(s.seq + (s.flags & SYN ? 1 : 0) + i);
        s.payload = pattern;
    }
    if (!s.window && !s.zero_window)
        s.window = p->offer.window;
    if (p->ts_on && !s.has_ts && !s.no_ts) {
        s.has_ts = true;
        s.ts_value = p->ts_base + (uint32_t)(p->now / SANWO_MSEC(1));
        s.ts_echo = s.flags & ACK ? p->ts_echo : 0;
    }
    s.seq += p->isn;
    s.ack = s.flags & ACK ? s.ack + p->iss : 0;
    for (unsigned i = 0; i < s.sack_count; i++) {
        s.sack[i][0] += p->iss;
        s.sack[i][1] += p->iss;
    }
    peer_receive_raw(p, packet, packet_tcp(&flow, &s, packet));
}

void peer_send(struct peer *p, const struct segment *seg)
{
    peer_send_from(p, p->theirs.port, seg);
}

void peer_icmp(struct peer *p, uint8_t type, uint8_t code, uint32_t mtu)
{
    uint8_t packet[1400];
    size_t quoted = p->last.length < 576 ? p->last.length : 576;
    assert_non_null(p->last.packet);
    size_t length = packet_icmp(&p->theirs.address, &p->ours.address, type, code, mtu,
                                p->last.packet, quoted, packet);
    peer_receive_raw(p, packet, length);
}
