/*
 * test_tcp_window.c - The announced window: silly windows, scaling, pressure, and a random walk.
 */
#include "test_tcp_support.h"

static struct tcp_connection *open_window(struct rig *r, uint32_t rcv, uint32_t buffer,
                                          int8_t scale, uint32_t window)
{
    struct tcp_connection *c = rig_open(r, 1, rcv);

    r->tcp.config.receive_buffer = buffer;
    c->receive.scale = scale;
    c->window_scaling = scale > 0;
    c->receive.mss = 1000;
    c->receive.rcv_adv = tcp_seq_of(rcv + window);
    return c;
}

/* RFC 9293 3.8.6.2.2 (MUST-39): the edge moves by a segment or half the buffer, or not at all. */
static void test_silly_window(void **state)
{
    (void)state;
    const struct {
        uint32_t buffer, window, queued;
        uint32_t announced;
    } rows[] = {
        {10000, 10000, 0, 10000},   {10000, 9001, 0, 9001},   {10000, 9000, 0, 10000},
        {10000, 0, 10000, 0},       {10000, 0, 9001, 0},      {10000, 0, 9000, 1000},
        {10000, 500, 8501, 500},    {10000, 500, 8500, 1500}, {10000, 0, 20000, 0},
        {1500, 0, 751, 0}, /* half the buffer is less than a segment */
        {1500, 0, 750, 750},        {1500, 10, 741, 10},      {1500, 10, 740, 760},
        {10000, 5000, 10000, 5000}, /* promised is promised, though the buffer is full (SHLD-14) */
        {65535, 0, 0, 65535},       {100000, 0, 0, 65535}, /* the field's end */
    };
    const uint32_t starts[] = {1, 0xffffffff, 0xffffe000, 0x7fffffff};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = open_window(r, starts[s], rows[i].buffer, 0, rows[i].window);
            c->receive.queued = rows[i].queued;
            assert_int_equal(sw_tcp_window_to_send(&r->tcp, c), rows[i].announced);
            assert_int_equal(sw_tcp_receive_window(c), rows[i].announced);
            rig_end(r);
        }
    }
}

static void test_syn_announces_at_most_16_bits(void **state)
{
    (void)state;
    const uint32_t buffers[] = {1024, 65535, 65536, 1 << 20, 1 << 30};

    for (size_t i = 0; i < SW_COUNT(buffers); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_window(r, 0xffffff00, buffers[i], 14, 0);
        sw_tcp_window_announce_from(&r->tcp, c);
        assert_int_equal(sw_tcp_receive_window(c),
                         buffers[i] < UINT16_MAX ? buffers[i] : UINT16_MAX);
        rig_end(r);
    }
}

/* Past three quarters of the budget all windows shrink; what was promised stays promised. */
static void test_memory_pressure(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_window(r, 0xfffffff0, 1 << 20, 5, 0);

    r->region.budget = r->region.used * 4 / 3 + 64; /* just below */
    assert_int_equal((uint32_t)sw_tcp_window_to_send(&r->tcp, c) << 5, 1 << 20);
    r->region.used = 1 << 20;
    r->region.budget = r->region.used + 160000; /* a sixteenth of what is left: 10000 */
    assert_int_equal((uint32_t)sw_tcp_window_to_send(&r->tcp, c) << 5, 1 << 20);
    c->receive.rcv_adv = c->receive.rcv_nxt;
    assert_in_range((uint32_t)sw_tcp_window_to_send(&r->tcp, c) << 5, 9968, 10000);
    c->receive.rcv_adv = c->receive.rcv_nxt;
    r->region.budget = r->region.used; /* nothing: as little as keeps it going */
    assert_int_equal((uint32_t)sw_tcp_window_to_send(&r->tcp, c) << 5, 4096);
    rig_end(r);
}

/* A reader must be able to tell a peer that waits at the edge; otherwise the next ACK does. */
static void test_update_on_read(void **state)
{
    (void)state;
    const struct {
        uint32_t window, queued; /* after the reading; buffer 100000, MSS 1000 */
        enum sanwo_tcp_state state;
        bool told;
    } rows[] = {
        {0, 99001, SANWO_TCP_ESTABLISHED, false},     {0, 99000, SANWO_TCP_ESTABLISHED, true},
        {999, 98001, SANWO_TCP_ESTABLISHED, true},    {999, 98500, SANWO_TCP_ESTABLISHED, false},
        {1000, 0, SANWO_TCP_ESTABLISHED, true},       {24999, 62501, SANWO_TCP_ESTABLISHED, true},
        {24999, 62502, SANWO_TCP_ESTABLISHED, false}, {25000, 0, SANWO_TCP_ESTABLISHED, false},
        {0, 0, SANWO_TCP_FIN_WAIT_1, true},           {0, 0, SANWO_TCP_FIN_WAIT_2, true},
        {0, 0, SANWO_TCP_CLOSE_WAIT, false},          {0, 0, SANWO_TCP_LAST_ACK, false},
        {0, 0, SANWO_TCP_TIME_WAIT, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_window(r, 0xfffff000, 100000, 1, rows[i].window);
        c->receive.queued = rows[i].queued;
        c->state = (uint8_t)rows[i].state;
        sw_tcp_window_on_read(&r->tcp, c);
        if (c->ack_now != rows[i].told)
            fail_msg("row %zu", i);
        rig_end(r);
    }
}

/* ---- a random walk ----------------------------------------------------------------------- */

struct walk {
    struct rig *r;
    struct tcp_connection *c;
    uint32_t buffer, unit; /* of the scaled field */
    uint64_t nxt, edge;    /* unwrapped: what the peer counts */
};

/* The peer takes the window of an ACK: what does it see? */
static void announce(struct walk *w)
{
    tcp_seq promised = w->c->receive.rcv_adv;
    uint32_t field = sw_tcp_window_to_send(&w->r->tcp, w->c);
    uint64_t edge = w->nxt + (uint64_t)field * w->unit;

    /* RFC 7323 2.4: rounding may take back less than a unit, and what was promised stays good. */
    assert_true(edge + w->unit > w->edge);
    assert_false(tcp_seq_before(w->c->receive.rcv_adv, promised));
    assert_true(tcp_seq_distance(w->c->receive.rcv_nxt, w->c->receive.rcv_adv) >= edge - w->nxt);
    /* Within the buffer nothing is taken back at all. */
    if (w->c->receive.queued + (w->edge - w->nxt) + w->unit <= w->buffer)
        assert_true(edge >= w->edge);
    w->edge = edge > w->edge ? edge : w->edge;
}

/* Whatever the sizes of segments, no more is promised than the buffer takes and a unit besides. */
static void check_bound(const struct walk *w)
{
    uint32_t promised = w->c->receive.queued + sw_tcp_receive_window(w->c);

    if (promised > w->buffer + w->unit)
        fail_msg("%u bytes unread and %u promised exceed a buffer of %u (unit %u)",
                 w->c->receive.queued, sw_tcp_receive_window(w->c), w->buffer, w->unit);
}

static void step(struct walk *w, struct dice *d, uint32_t largest, bool reads)
{
    uint32_t window = (uint32_t)(w->edge - w->nxt), length = 1 + roll(d, largest);

    if (reads && roll(d, 3) == 0) {
        w->c->receive.queued -= roll(d, w->c->receive.queued + 1);
        sw_tcp_window_on_read(&w->r->tcp, w->c);
        if (w->c->ack_now)
            announce(w);
        w->c->ack_now = 0;
    } else if (window) {
        length = length < window ? length : window;
        w->c->receive.rcv_nxt = tcp_seq_add(w->c->receive.rcv_nxt, length);
        w->c->receive.queued += length;
        w->nxt += length;
        if (roll(d, 2))
            announce(w);
    }
    check_bound(w);
}

static void walk(uint32_t buffer, int8_t scale, uint32_t largest, bool reads)
{
    struct dice d = dice_of(__func__);
    struct rig *r = rig_new();
    uint32_t first = sw_min32(buffer, UINT16_MAX);
    struct walk w = {r,          open_window(r, 0xffff0000, buffer, scale, first),
                     buffer,     1u << scale,
                     0xffff0000, 0xffff0000 + (uint64_t)first};

    for (int i = 0; i < 3000; i++)
        step(&w, &d, largest, reads);
    rig_end(r);
}

static void test_walk_with_a_reader(void **state)
{
    (void)state;
    walk(65535, 0, 1460, true);
    walk(10000, 0, 100, true);
    walk(1 << 20, 5, 1460, true);
    walk(200000, 2, 10, true);
}

/* Nobody reads: the window closes, however odd the segments are. */
static void test_walk_without_a_reader(void **state)
{
    (void)state;
    walk(65535, 0, 1460, false);
    walk(1 << 20, 5, 1460, false);
    walk(100000, 7, 127, false);
    walk(100000, 14, 1, false);
}

/* RFC5681-4.2-1: an ACK that could say nothing new is not sent, however much is read. */
static void test_read_beyond_what_the_field_can_say(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_window(r, 1, 1 << 20, 0, UINT16_MAX);

    sw_tcp_window_on_read(&r->tcp, c);
    assert_int_equal(c->ack_now, 0);
    c->receive.rcv_adv = tcp_seq_of(1 + 500);
    sw_tcp_window_on_read(&r->tcp, c);
    assert_int_equal(c->ack_now, 1);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silly_window),
        cmocka_unit_test(test_syn_announces_at_most_16_bits),
        cmocka_unit_test(test_memory_pressure),
        cmocka_unit_test(test_update_on_read),
        cmocka_unit_test(test_walk_with_a_reader),
        cmocka_unit_test(test_walk_without_a_reader),
        cmocka_unit_test(test_read_beyond_what_the_field_can_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
