/*
 * test_path_mtu.c - Paths that become narrow or wide amid a stream, told by ICMP or not.
 *
 *     a: sends --- emulator: delay, MTU ---> b: reads, and looks at every byte        virtual time
 *
 * RFC 4821, RFC 8899, RFC 5927 7.2, RFC 1191, RFC 8201; row E-07. RFC4821-5-1.
 */
#include "peer.h"

#include <sanwo/loop.h>

#include <stdlib.h>

#define ROUND SANWO_MSEC(20)
#define REGION (64u << 20)

struct host {
    struct sanwo_stack *stack;
    void *region;
    struct sanwo_address address;
    struct sanwo_handle handle;
};

struct path {
    struct sanwo_virtual *v;
    struct host a, b;
    struct sanwo_handle listener;
    struct sanwo_driver *emulator, *far; /* the two ends of the wire */
    uint64_t sent, received, to_send;
    int64_t gap_from, gap; /* the longest time without progress since the path was changed last */
    unsigned lowered, raised, fallen, reductions;
    int pace;
    uint32_t paced; /* bytes each 100 ms; 0: as fast as it goes */
    uint16_t mtu;
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + (offset >> 16));
}

static void give(struct path *p, sanwo_time now)
{
    uint8_t bytes[8192];
    while (p->sent < p->to_send) {
        size_t n =
            p->to_send - p->sent < sizeof(bytes) ? (size_t)(p->to_send - p->sent) : sizeof(bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(p->sent + i);
        int64_t taken = sanwo_tcp_send(p->a.stack, p->a.handle, bytes, n, 0, now);
        if (taken <= 0)
            return;
        p->sent += (uint64_t)taken;
    }
}

static void on_event_a(void *context, struct sanwo_stack *s, const struct sanwo_event *e,
                       sanwo_time now)
{
    struct path *p = context;
    (void)s;
    if (e->what & (SANWO_EVENT_CONNECTED | SANWO_EVENT_WRITABLE))
        give(p, now);
}

static void on_event_b(void *context, struct sanwo_stack *s, const struct sanwo_event *e,
                       sanwo_time now)
{
    struct path *p = context;
    uint8_t bytes[65536];
    int64_t n;
    if (e->what & SANWO_EVENT_ACCEPT)
        assert_int_equal(sanwo_tcp_accept(s, p->listener, p, &p->b.handle), 0);
    if (sanwo_handle_is_none(p->b.handle))
        return;
    while ((n = sanwo_tcp_receive(s, p->b.handle, bytes, sizeof(bytes), now)) > 0) {
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], byte_at(p->received + (uint64_t)i));
        p->received += (uint64_t)n;
        if (now - p->gap_from > p->gap)
            p->gap = now - p->gap_from;
        p->gap_from = now;
    }
}

static void on_pace(void *context, sanwo_time now)
{
    struct path *p = context;
    if (!p->paced)
        return;
    p->to_send += p->paced;
    give(p, now);
    sanwo_virtual_set_timer(p->v, p->pace, now + SANWO_MSEC(100));
}

static void observe(void *context, const struct sanwo_observation *what)
{
    struct path *p = context;
    if (what->kind == SANWO_OBSERVE_PATH_MTU) {
        p->lowered += what->reason == SANWO_REASON_PATH_MTU_LOWERED;
        p->raised += what->reason == SANWO_REASON_PATH_MTU_RAISED;
        p->fallen += what->reason == SANWO_REASON_BLACK_HOLE;
    }
    p->reductions +=
        what->kind == SANWO_OBSERVE_CONGESTION &&
        (what->reason == SANWO_REASON_RACK_LOSS || what->reason == SANWO_REASON_FAST_RETRANSMIT);
}

static void host_new(struct path *p, struct host *h, bool ipv6, unsigned number, unsigned probing,
                     struct sanwo_driver *driver, sanwo_event_callback callback)
{
    struct sanwo_stack_config c;
    sanwo_stack_config_default(&c);
    c.deterministic = true;
    c.budget = 32 << 20;
    c.tcp.mtu_probing = (uint8_t)probing;
    c.tcp.send_buffer = c.tcp.receive_buffer = 1 << 20; /* half of the queue that the path has */
    if (number == 1)
        c.observer = (struct sanwo_observer){observe, p};
    h->region = aligned_alloc(4096, REGION);
    assert_non_null(h->region);
    assert_true(sanwo_stack_region_size(&c) <= REGION);
    assert_int_equal(sanwo_stack_create(h->region, REGION, &c, sanwo_virtual_now(p->v), &h->stack),
                     0);
    assert_true(sanwo_driver_attach(driver, h->stack) >= 0);
    const char *text[][2] = {{"10.0.0.1", "10.0.0.2"}, {"2001:db8::1", "2001:db8::2"}};
    assert_true(sanwo_address_parse(text[ipv6][number - 1], &h->address));
    assert_int_equal(sanwo_stack_address_add(h->stack, 0, &h->address, ipv6 ? 64 : 24), 0);
    assert_int_equal(sanwo_virtual_add_stack(p->v, h->stack, callback, p), 0);
    assert_int_equal(sanwo_virtual_add_driver(p->v, driver), 0);
}

/* What host a sends passes a path of this MTU from now on, 0: any; -1: nothing passes. */
static void set_path(struct path *p, int mtu, bool too_big)
{
    struct sanwo_emulator_path out = {.delay = ROUND / 2,
                                      .rate = 100000000,
                                      .queue = 2000000,
                                      .mtu = mtu > 0 ? (uint16_t)mtu : 0,
                                      .loss_ppm = mtu < 0 ? 1000000 : 0,
                                      .too_big = too_big};
    struct sanwo_emulator_path in = {.delay = ROUND / 2};
    sanwo_emulator_configure(p->emulator, &out, &in);
    p->gap_from = sanwo_virtual_now(p->v);
    p->gap = 0;
}

static struct path *path_new(bool ipv6, uint16_t link_mtu, unsigned probing, int mtu, bool too_big)
{
    struct path *p = calloc(1, sizeof(*p));
    struct sanwo_driver *a, *b;
    struct sanwo_emulator_config config = {.seed = 1};
    assert_non_null(p);
    assert_int_equal(sanwo_virtual_create(SANWO_SEC(1), &p->v), 0);
    assert_int_equal(sanwo_pair_create(link_mtu, 0, 4096, &a, &b), 0);
    assert_int_equal(sanwo_emulator_create(a, &config, &p->emulator), 0);
    p->far = b;
    set_path(p, mtu, too_big);
    host_new(p, &p->a, ipv6, 1, probing, p->emulator, on_event_a);
    host_new(p, &p->b, ipv6, 2, probing, b, on_event_b);
    p->pace = sanwo_virtual_add_timer(p->v, on_pace, p);
    struct sanwo_tcp_listen listen = {.local = {p->b.address, 80}};
    assert_int_equal(sanwo_tcp_listen(p->b.stack, &listen, sanwo_virtual_now(p->v), &p->listener),
                     0);
    struct sanwo_tcp_connect open = {.remote = {p->b.address, 80}};
    assert_int_equal(sanwo_tcp_connect(p->a.stack, &open, sanwo_virtual_now(p->v), &p->a.handle),
                     0);
    return p;
}

static void path_end(struct path *p)
{
    struct host *hosts[] = {&p->a, &p->b};
    sanwo_driver_destroy(p->emulator);
    sanwo_driver_destroy(p->far);
    sanwo_virtual_destroy(p->v);
    for (unsigned i = 0; i < 2; i++)
        free(hosts[i]->region);
    free(p);
}

static void run(struct path *p, sanwo_time time)
{
    assert_true(sanwo_virtual_run(p->v, sanwo_virtual_now(p->v) + time) >= 0);
}

static struct sanwo_tcp_info info(struct path *p)
{
    struct sanwo_tcp_info i;
    assert_int_equal(sanwo_tcp_info(p->a.stack, p->a.handle, &i), 0);
    return i;
}

/* @n bytes more arrive within @limit. */
static void transfer(struct path *p, uint64_t n, sanwo_time limit)
{
    sanwo_time begun = sanwo_virtual_now(p->v);
    p->to_send += n;
    give(p, begun);
    while (p->received < p->to_send && sanwo_virtual_now(p->v) < begun + limit)
        run(p, SANWO_MSEC(10));
    assert_int_equal(p->received, p->to_send);
}

/* The size of full packets now. */
static uint32_t packet_size(struct path *p, bool ipv6)
{
    return info(p).send_mss + 12 + (ipv6 ? 60 : 40);
}

#define ASSERT_AT_MOST(what, most) assert_in_range(what, 0, most)

/* ---- a path that turns from 9000 to 1280 amid a stream ------------------------------------- */

static struct path *narrowed(bool ipv6, bool too_big)
{
    struct path *p = path_new(ipv6, 9000, 1, 0, false);
    transfer(p, 2000000, SANWO_SEC(10));
    assert_int_equal(packet_size(p, ipv6), 9000);
    p->to_send += 4000000;
    give(p, sanwo_virtual_now(p->v));
    run(p, SANWO_MSEC(50));
    assert_in_range(p->received, 2000001, 5000000);
    set_path(p, 1280, too_big);
    return p;
}

/* Larger packets had passed, so the message is doubted until the time-out (RFC 5927 7.2). E-07. */
static void test_E_07_narrow_and_told(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct path *p = narrowed(ipv6, true);
        transfer(p, 1000000, SANWO_SEC(5));
        ASSERT_AT_MOST(p->gap, SANWO_MSEC(500));
        assert_int_equal(packet_size(p, ipv6), 1280);
        assert_int_equal(p->lowered, 1);
        assert_int_equal(p->fallen, 0);
        ASSERT_AT_MOST(info(p).segments_retransmitted, 1100); /* a window, in smaller pieces */
        path_end(p);
    }
}

/* Nothing is told. RFC 4821 7.7: RFC4821-5-1. E-07. */
static void test_E_07_narrow_and_silent(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct path *p = narrowed(ipv6, false);
        transfer(p, 1000000, SANWO_SEC(10));
        ASSERT_AT_MOST(p->gap, SANWO_MSEC(1500));
        assert_int_equal(p->fallen, 1);
        assert_int_equal(p->lowered, 0);
        ASSERT_AT_MOST(info(p).segments_retransmitted, 1300);
        /* Half a minute later all of the 1280 are in use, and no loss was taken for congestion. */
        p->paced = 200000;
        sanwo_virtual_set_timer(p->v, p->pace, sanwo_virtual_now(p->v));
        run(p, SANWO_SEC(40));
        assert_int_equal(packet_size(p, ipv6), 1280);
        assert_int_equal(p->raised, ipv6 ? 0 : 1); /* IPv6 never goes below */
        assert_int_equal(p->reductions, 0);
        path_end(p);
    }
}

/* The trial of the tests above: without probing such a path carries nothing more. */
static void test_off_means_off(void **state)
{
    struct path *p = path_new(false, 9000, 0, 1280, false);
    (void)state;
    p->to_send = 100000;
    run(p, SANWO_SEC(30));
    assert_int_equal(p->received, 0);
    assert_int_equal(p->fallen, 0);
    path_end(p);
}

/* ---- a path that was narrow from the beginning --------------------------------------------- */

/* No packet of the size ever passed: two time-outs are enough. Then the search, to the byte. */
static void test_black_hole_from_the_start(void **state)
{
    static const uint16_t mtu[] = {1400, 1420, 1492, 1350, 1076, 800};
    static const uint16_t found[] = {1400, 1420, 1492, 1340, 1076, 552};
    (void)state;
    for (unsigned i = 0; i < sizeof(mtu) / sizeof(mtu[0]); i++) {
        struct path *p = path_new(false, 1500, 1, mtu[i], false);
        transfer(p, 100000, SANWO_SEC(10));
        ASSERT_AT_MOST(p->gap, mtu[i] < 1064 ? SANWO_SEC(4) : SANWO_MSEC(800));
        p->paced = 100000;
        sanwo_virtual_set_timer(p->v, p->pace, sanwo_virtual_now(p->v));
        run(p, SANWO_SEC(60));
        if (mtu[i] >= 1064)
            assert_int_equal(packet_size(p, false), found[i]);
        else
            assert_in_range(packet_size(p, false), found[i], mtu[i]);
        assert_int_equal(p->reductions, 0);
        path_end(p);
    }
}

/* ---- wide again ---------------------------------------------------------------------------- */

/* Not the size but the whole path was the trouble: one probe tells, and all is as before. */
static void test_after_an_outage(void **state)
{
    (void)state;
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct path *p = narrowed(ipv6, false);
        set_path(p, -1, false);
        run(p, SANWO_SEC(4));
        assert_int_equal(p->fallen > 0, true);
        set_path(p, 0, false);
        transfer(p, 4000000, SANWO_SEC(10));
        transfer(p, 1000000, SANWO_SEC(1));
        assert_int_equal(packet_size(p, ipv6), 9000);
        assert_int_equal(info(p).path_mtu, 0);
        path_end(p);
    }
}

/* RFC 4821 7.3, RFC 1191 6.3: ten minutes after the search is over it begins anew. */
static void widens(unsigned probing, bool too_big)
{
    struct path *p = path_new(false, 9000, probing, 1280, too_big);
    transfer(p, 1000000, SANWO_SEC(5));
    p->paced = 32000;
    sanwo_virtual_set_timer(p->v, p->pace, sanwo_virtual_now(p->v));
    run(p, SANWO_SEC(60));
    assert_int_equal(packet_size(p, false), 1280);
    set_path(p, 0, false);
    run(p, SANWO_SEC(530));
    assert_int_equal(packet_size(p, false), 1280);
    run(p, SANWO_SEC(90));
    assert_int_equal(packet_size(p, false), 9000);
    assert_int_equal(p->reductions, 0);
    path_end(p);
}

static void test_widens(void **state)
{
    (void)state;
    widens(1, true);  /* as told before: all at once */
    widens(2, true);  /* by a probe */
    widens(1, false); /* the same after a black hole */
}

/* Where it does not become wide, ten minutes cost one segment or two, and no round trip's worth. */
static void test_stays_narrow(void **state)
{
    struct path *p = path_new(false, 9000, 2, 1280, false);
    (void)state;
    transfer(p, 1000000, SANWO_SEC(5));
    p->paced = 32000;
    sanwo_virtual_set_timer(p->v, p->pace, sanwo_virtual_now(p->v));
    run(p, SANWO_SEC(100));
    assert_int_equal(packet_size(p, false), 1280);
    uint32_t before = info(p).segments_retransmitted;
    p->gap_from = sanwo_virtual_now(p->v);
    p->gap = 0;
    run(p, SANWO_SEC(700));
    assert_int_equal(packet_size(p, false), 1280);
    ASSERT_AT_MOST(p->gap, SANWO_MSEC(150));
    assert_in_range(info(p).segments_retransmitted - before, 1, 30);
    assert_int_equal(p->reductions, 0);
    path_end(p);
}

/* ---- messages that are not true (RFC 5927 7.2) --------------------------------------------- */

static void too_big(struct peer *p, uint32_t mtu)
{
    bool v4 = p->family == SANWO_FAMILY_IPV4;
    peer_icmp(p, v4 ? 3 : 2, v4 ? 4 : 0, mtu);
}

/* Full segments were acknowledged; two more are out, and a message says they are too large. */
static void doubtful(struct peer *p)
{
    p->offer.mss = 1400;
    established_active(p);
    WRITE(p, 1400);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1400);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1401);
    WRITE(p, 2800);
    EXPECT(p, .flags = ACK, .seq = 1401, .ack = 1, .length = 1400);
    EXPECT(p, .flags = ACK, .seq = 2801, .ack = 1, .length = 1400);
    too_big(p, 1300);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_info(p).send_mss, 1400);
}

/* They arrive all the same: it was a lie, and is forgotten. */
static void test_C_05_message_while_data_gets_through(void **state)
{
    struct peer *p = *state;
    doubtful(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 4201);
    assert_int_equal(peer_info(p).send_mss, 1400);
    WRITE(p, 1400);
    EXPECT(p, .flags = ACK, .seq = 4201, .ack = 1, .length = 1400);
    EXPECT_WITHIN(p, 1000, .flags = ACK, .seq = 4201, .ack = 1, .length = 1400); /* a time-out */
    assert_int_equal(peer_info(p).path_mtu, 0);
}

/* They do not: it is obeyed at the first time-out. */
static void test_RFC5927_message_obeyed_at_a_time_out(void **state)
{
    struct peer *p = *state;
    uint32_t mss = 1300 - (p->family == SANWO_FAMILY_IPV4 ? 40 : 60);
    doubtful(p);
    EXPECT_WITHIN(p, 1000, .flags = ACK, .seq = 1401, .ack = 1, .length = mss);
    assert_int_equal(peer_info(p).path_mtu, 1300);
    assert_int_equal(peer_info(p).send_mss, mss);
    assert_int_equal(peer_info(p).retransmissions, 1);
}

/* A size that never passed: no reason to doubt (the initial stage). */
static void test_RFC5927_message_obeyed_at_once(void **state)
{
    struct peer *p = *state;
    uint32_t mss = 1300 - (p->family == SANWO_FAMILY_IPV4 ? 40 : 60);
    p->offer.mss = 1400;
    established_active(p);
    WRITE(p, 1000); /* this one passes, and is smaller than what the message says */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001);
    WRITE(p, 1400);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = 1400);
    too_big(p, 1300);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = mss);
    EXPECT(p, .flags = ACK, .seq = 1001 + mss, .ack = 1, .length = 1400 - mss);
    assert_int_equal(peer_info(p).retransmissions, 0);
}

/* The MSS that is set clamps both ways: what we announce, and what we send. */
static void test_mss_is_clamped(void **state)
{
    struct peer *p = *state;
    p->offer.mss = 1400;
    p->config.tcp.mss = 800;
    established_passive(p);
    assert_int_equal(peer_info(p).receive_mss, 800);
    assert_int_equal(peer_info(p).send_mss, 800);
    WRITE(p, 1600);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 800);
    EXPECT(p, .flags = ACK, .seq = 801, .ack = 1, .length = 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_07_narrow_and_told),
        cmocka_unit_test(test_E_07_narrow_and_silent),
        cmocka_unit_test(test_off_means_off),
        cmocka_unit_test(test_black_hole_from_the_start),
        cmocka_unit_test(test_after_an_outage),
        cmocka_unit_test(test_widens),
        cmocka_unit_test(test_stays_narrow),
        BOTH(test_C_05_message_while_data_gets_through),
        BOTH(test_RFC5927_message_obeyed_at_a_time_out),
        BOTH(test_RFC5927_message_obeyed_at_once),
        BOTH(test_mss_is_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
