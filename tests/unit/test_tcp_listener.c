/*
 * test_tcp_listener.c - Who listens where, the backlog, the accept queue, and segments in LISTEN.
 */
#include "test_tcp_support.h"

static struct sanwo_endpoint end(const char *address, uint16_t port)
{
    struct sanwo_endpoint e = {.port = port};

    if (address)
        e.address = rig_address(address);
    return e;
}

static int listen_at(struct rig *r, const char *address, uint16_t port, uint32_t flags,
                     struct tcp_listener **out)
{
    struct sanwo_tcp_listen open = {.local = end(address, port), .flags = flags};

    return sw_tcp_listen(&r->tcp, &open, out);
}

static struct tcp_tuple to(const char *local, uint16_t port)
{
    struct sanwo_address l = rig_address(local);
    struct sanwo_address peer =
        rig_address(l.family == SANWO_FAMILY_IPV4 ? "10.0.0.9" : "2001:db8::9");

    return sw_tcp_tuple(&l, port, &peer, 999);
}

/* The most specific one that takes the destination. */
static void test_lookup(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        uint16_t port;
        uint32_t flags;
    } listeners[] = {
        {"10.0.0.1", 80, 0},
        {"0.0.0.0", 80, 0},
        {NULL, 80, 0},
        {"2001:db8::1", 443, 0},
        {"::", 443, 0},
        {"10.0.0.7", 22, SANWO_LISTEN_ANY_ADDRESS},
        {"0.0.0.0", 25, SANWO_LISTEN_ANY_ADDRESS},
        {"0.0.0.0", 0, SANWO_LISTEN_ANY_PORT | SANWO_LISTEN_ANY_ADDRESS},
        {NULL, 0, SANWO_LISTEN_ANY_PORT},
    };
    const struct {
        const char *local;
        uint16_t port;
        bool ours;
        int which; /* -1: none */
    } rows[] = {
        {"10.0.0.1", 80, true, 0},       {"10.0.0.2", 80, true, 1},
        {"2001:db8::1", 80, true, 2},    {"2001:db8::1", 443, true, 3},
        {"2001:db8::2", 443, true, 4},   {"10.0.0.7", 22, false, 5},
        {"8.8.8.8", 25, false, 6},       {"8.8.8.8", 80, false, 7},
        {"10.0.0.1", 443, true, 8},      {"10.0.0.1", 9999, true, 8},
        {"8.8.8.8", 9999, false, 7},     {"2001:db8::1", 9999, true, 8},
        {"2001:db8::1", 443, false, -1}, {"2001:db8::5", 9999, false, -1},
    };
    struct rig *r = rig_new();
    struct tcp_listener *l[SW_COUNT(listeners)];

    for (size_t i = 0; i < SW_COUNT(listeners); i++)
        assert_int_equal(
            listen_at(r, listeners[i].address, listeners[i].port, listeners[i].flags, &l[i]), 0);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_tuple tuple = to(rows[i].local, rows[i].port);
        struct tcp_listener *found = sw_tcp_listener_for(&r->tcp, &tuple, rows[i].ours);
        if (found != (rows[i].which < 0 ? NULL : l[rows[i].which]))
            fail_msg("row %zu", i);
    }
    rig_end(r);
}

static void test_refused(void **state)
{
    (void)state;
    struct sanwo_stack_config config = rig_config();
    config.max_listeners = 3;
    struct rig *r = rig_with(&config);
    struct tcp_listener *l, *other;
    struct sanwo_tcp_config bad = config.tcp;

    assert_int_equal(listen_at(r, NULL, 0, 0, &l), -SANWO_EINVAL);
    assert_int_equal(listen_at(r, NULL, 80, SANWO_LISTEN_ANY_PORT, &l), -SANWO_EINVAL);
    assert_int_equal(listen_at(r, NULL, 80, 8, &l), -SANWO_EINVAL);
    bad.ttl = 0;
    struct sanwo_tcp_listen open = {.local = {.port = 80}, .config = &bad};
    assert_int_equal(sw_tcp_listen(&r->tcp, &open, &l), -SANWO_EINVAL);
    assert_int_equal(listen_at(r, "10.0.0.1", 80, 0, &l), 0);
    assert_int_equal(listen_at(r, "10.0.0.1", 80, 0, &other), -SANWO_EADDRINUSE);
    assert_int_equal(listen_at(r, "0.0.0.0", 80, 0, &other), 0);
    assert_int_equal(listen_at(r, "0.0.0.0", 80, 0, &other), -SANWO_EADDRINUSE);
    assert_int_equal(listen_at(r, "::", 80, 0, &other), 0);
    assert_int_equal(listen_at(r, NULL, 80, 0, &other), -SANWO_ELIMIT);
    sw_tcp_listener_close(&r->tcp, l, false);
    assert_int_equal(listen_at(r, "10.0.0.1", 80, 0, &l), 0);
    rig_end(r);
}

/* Each allocation fails once: nothing is left behind, and the same call works afterwards. */
static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct sanwo_tcp_config own = r->tcp.config;
    struct tcp_listener *l;
    struct sanwo_tcp_listen open = {.local = {.port = 80}, .config = &own};
    uint64_t nth = 1;

    for (;; nth++) {
        r->region.fault_countdown = nth;
        int result = sw_tcp_listen(&r->tcp, &open, &l);
        bool fired = r->region.fault_countdown == 0;
        r->region.fault_countdown = 0;
        if (!fired || result == 0)
            break;
        assert_int_equal(result, -SANWO_ENOMEM);
        assert_int_equal(r->tcp.listeners.live, 0);
        assert_int_equal(r->tcp.configs.live, 0);
        assert_int_equal(r->tcp.listener_table.entries, 0);
    }
    assert_true(nth >= 3);
    sw_tcp_listener_close(&r->tcp, l, false);
    assert_int_equal(r->tcp.configs.live, 0);
    rig_end(r);
}

/* RFC 9293 3.10.7.2: first RST, second ACK, third SYN, fourth anything else; C-15. All 64 flags. */
static void test_flags_in_listen(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 64; flags++) {
        struct rig *r = rig_new();
        struct tcp_listener *l;
        struct tcp_outgoing out;
        struct tcp_segment seg = {.tuple = to("10.0.0.1", 80),
                                  .seq = tcp_seq_of(0xffffffff),
                                  .ack = tcp_seq_of(77),
                                  .flags = (uint8_t)flags,
                                  .destination_is_ours = true};
        sw_wire_tcp_options_none(&seg.options);
        assert_int_equal(listen_at(r, NULL, 80, 0, &l), 0);
        sw_tcp_receive(&r->tcp, &seg);
        bool opens = (flags & (TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN)) == TCP_SYN;
        bool resets = !(flags & TCP_RST) && (flags & TCP_ACK);
        assert_int_equal(r->tcp.half_open.live, opens);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), opens || resets);
        if (resets) {
            assert_int_equal(out.flags, TCP_RST);
            assert_int_equal(out.seq.raw, 77);
        }
        rig_end(r);
    }
}

static void handshake(struct rig *r, uint16_t port)
{
    struct tcp_tuple tuple = to("10.0.0.1", 80);
    struct tcp_outgoing out = {0};

    tuple.remote_port = port;
    struct tcp_segment seg = {.tuple = tuple,
                              .seq = tcp_seq_of(0xffffffff),
                              .flags = TCP_SYN,
                              .link_mtu = 1500,
                              .came_with_syn = true,
                              .destination_is_ours = true};
    sw_wire_tcp_options_none(&seg.options);
    sw_tcp_receive(&r->tcp, &seg);
    if (!sw_tcp_poll_reply(&r->tcp, &out))
        return;
    seg.flags = TCP_ACK;
    seg.came_with_syn = false;
    seg.seq = out.ack;
    seg.ack = tcp_seq_add(out.seq, 1);
    sw_tcp_receive(&r->tcp, &seg);
}

/* The backlog bounds half-open and not accepted together; accept yields them in order. */
static void test_backlog_and_accept(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_listener *l;
    struct sanwo_tcp_listen open = {.local = {.port = 80}, .backlog = 4};

    assert_int_equal(sw_tcp_listen(&r->tcp, &open, &l), 0);
    for (uint16_t i = 0; i < 7; i++)
        handshake(r, (uint16_t)(100 + i));
    assert_int_equal(l->accept_queue.count, 4);
    assert_int_equal(l->half_open, 0);
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_BACKLOG_FULL], 3);
    assert_int_equal(l->events & SANWO_EVENT_ACCEPT, SANWO_EVENT_ACCEPT);
    for (uint16_t i = 0; i < 4; i++) {
        struct tcp_connection *c = sw_tcp_listener_accept(&r->tcp, l);
        assert_int_equal(c->tuple.remote_port, 100 + i);
        assert_int_equal(c->accepted, 1);
        assert_int_equal(c->in_accept_queue, 0);
    }
    assert_null(sw_tcp_listener_accept(&r->tcp, l));
    assert_int_equal(r->tcp.counters.accepted, 4);
    rig_end(r);
}

/* What was not accepted is reset, half-open ones are forgotten, any-port lists stay whole. */
static void test_close(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_listener *l[5], *main_one;
    struct tcp_outgoing out;

    assert_int_equal(listen_at(r, NULL, 80, 0, &main_one), 0);
    handshake(r, 100);
    handshake(r, 101);
    struct tcp_segment seg = {
        .tuple = to("10.0.0.1", 80), .flags = TCP_SYN, .destination_is_ours = true};
    sw_wire_tcp_options_none(&seg.options);
    sw_tcp_receive(&r->tcp, &seg);
    while (sw_tcp_poll_reply(&r->tcp, &out))
        ;
    sw_tcp_listener_close(&r->tcp, main_one, false);
    for (int i = 0; i < 2; i++) {
        assert_true(sw_tcp_poll_reply(&r->tcp, &out));
        assert_true(out.flags & TCP_RST);
    }
    assert_false(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(r->tcp.connections.live + r->tcp.half_open.live + r->tcp.listeners.live, 0);
    assert_int_equal(r->tcp.table.entries + r->tcp.listener_table.entries, 0);
    assert_int_equal(r->tcp.listener_events.count, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(listen_at(r, NULL, 0, SANWO_LISTEN_ANY_PORT, &l[i]), 0);
    const int order[] = {2, 4, 0, 3, 1};
    for (int i = 0; i < 5; i++) {
        struct tcp_tuple tuple = to("10.0.0.1", 5);
        assert_non_null(sw_tcp_listener_for(&r->tcp, &tuple, true));
        sw_tcp_listener_close(&r->tcp, l[order[i]], false);
    }
    assert_int_equal(r->tcp.any_port_listener, TCP_NONE);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_flags_in_listen),
        cmocka_unit_test(test_backlog_and_accept),
        cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
