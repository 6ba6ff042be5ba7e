/*
 * test_calls.c - The user's calls in each state, with stale handles, with bad arguments (U-20, U-21).
 *
 * RFC 9293 3.10.1 to 3.10.6, 3.9.1; attack table E-10, E-12.
 */
#include "peer.h"

static const struct sanwo_handle invented[] = {
    {0, 0}, {1, 1}, {0, 1}, {UINT32_MAX, UINT32_MAX}, {4, 3}, {123456, 7}, {2, 1}, {3, 1},
};

/* ---- the matrix: SEND, RECEIVE, SHUTDOWN, STATUS by state ------------------------------------------ */

static const struct {
    enum sanwo_tcp_state state;
    int send, receive, shutdown; /* of one byte, of an empty queue */
} matrix[] = {
    /* 3.10.2: queued until ESTABLISHED; 3.10.3: nothing there yet; 3.10.4: the FIN is queued */
    {SANWO_TCP_SYN_SENT, 1, -SANWO_ENOTCONN, 0},
    {SANWO_TCP_SYN_RECEIVED, 1, -SANWO_ENOTCONN, 0},
    {SANWO_TCP_ESTABLISHED, 1, -SANWO_EAGAIN, 0},
    /* "connection closing" */
    {SANWO_TCP_FIN_WAIT_1, -SANWO_EPIPE, -SANWO_EAGAIN, -SANWO_EPIPE},
    {SANWO_TCP_FIN_WAIT_2, -SANWO_EPIPE, -SANWO_EAGAIN, -SANWO_EPIPE},
    {SANWO_TCP_CLOSE_WAIT, 1, 0, 0},
    {SANWO_TCP_CLOSING, -SANWO_EPIPE, 0, -SANWO_EPIPE},
    {SANWO_TCP_LAST_ACK, -SANWO_EPIPE, 0, -SANWO_EPIPE},
    {SANWO_TCP_TIME_WAIT, -SANWO_EPIPE, 0, -SANWO_EPIPE},
};
#define FOR_EACH_STATE(i) for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++)

static void leave(struct peer *p)
{
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_advance(p, 70 * 1000); /* TIME-WAIT too */
    peer_discard(p);
}

static void test_U_21_send(void **state)
{
    struct peer *p = *state;
    uint8_t byte = peer_pattern(1);
    FOR_EACH_STATE(i)
    {
        struct sanwo_room room;
        in_state(p, matrix[i].state);
        assert_int_equal(sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now), matrix[i].send);
        leave(p);
        in_state(p, matrix[i].state);
        assert_int_equal(sanwo_tcp_send_ref(p->stack, p->conn, &byte, 1, 0, p->now),
                         matrix[i].send);
        leave(p);
        in_state(p, matrix[i].state);
        assert_int_equal(sanwo_tcp_reserve(p->stack, p->conn, 1, &room), matrix[i].send);
        if (matrix[i].send > 0)
            assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, 0, 0, p->now), 0);
        leave(p);
    }
}

static void test_U_21_receive(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        struct sanwo_slice slice;
        uint8_t byte;
        in_state(p, matrix[i].state);
        assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), matrix[i].receive);
        assert_int_equal(sanwo_tcp_peek(p->stack, p->conn, &slice, 1), matrix[i].receive);
        assert_int_equal(sanwo_tcp_consume(p->stack, p->conn, 1, p->now), -SANWO_EINVAL);
        assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 0);
        leave(p);
    }
}

static void test_U_20_shutdown(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        in_state(p, matrix[i].state);
        assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), matrix[i].shutdown);
        assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), -SANWO_EPIPE);
        leave(p);
    }
}

static void test_U_20_close_and_abort(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    for (int abort = 0; abort < 2; abort++) {
        in_state(p, matrix[i].state);
        assert_int_equal(abort ? sanwo_tcp_abort(p->stack, p->conn, p->now)
                               : sanwo_tcp_close(p->stack, p->conn, p->now),
                         0);
        assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), -SANWO_EBADF);
        assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), -SANWO_EBADF);
        peer_advance(p, 1800 * 1000);
        peer_discard(p);
        assert_int_equal(peer_stats(p).connections + peer_stats(p).time_wait, 0);
    }
}

static void test_U_21_status(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        in_state(p, matrix[i].state);
        struct sanwo_tcp_info info = peer_info(p);
        assert_int_equal(info.state, matrix[i].state);
        assert_int_equal(info.local.port, OUR_PORT);
        assert_int_equal(info.remote.port, PEER_PORT);
        assert_true(sanwo_address_equal(&info.remote.address, &p->theirs.address));
        assert_int_equal(info.iss, p->iss);
        assert_int_equal(info.peer_closed, matrix[i].receive == 0);
        assert_int_equal(info.shutdown, matrix[i].send < 0);
        leave(p);
    }
}

/* CLOSED by the peer's reset, by an orderly end: what was queued was read, then the reason is told. */
static void test_U_21_closed(void **state)
{
    struct peer *p = *state;
    uint8_t byte = 0;
    in_state(p, SANWO_TCP_CLOSED);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now), -SANWO_ECONNRESET);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), -SANWO_ECONNRESET);
    assert_true(sanwo_tcp_shutdown(p->stack, p->conn, p->now) < 0);
    assert_int_equal(peer_info(p).state, SANWO_TCP_CLOSED);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    in_state(p, SANWO_TCP_LAST_ACK);
    SEND(p, .flags = ACK, .seq = 2, .ack = 2);
    int64_t sent = sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now);
    assert_true(sent == -SANWO_EPIPE || sent == -SANWO_ENOTCONN);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), 0);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT_NOTHING(p);
}

/* ---- handles ------------------------------------------------------------------------------------------- */

/* E-10: every call on what was never given out, or is of another kind, or is gone: EBADF, no more. */
static void all_calls_refuse(struct peer *p, struct sanwo_handle h)
{
    uint8_t byte = 0;
    int64_t value = 0;
    struct sanwo_room room;
    struct sanwo_slice slice;
    struct sanwo_tcp_info info;
    assert_int_equal(sanwo_tcp_send(p->stack, h, &byte, 1, 0, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_send_ref(p->stack, h, &byte, 1, 0, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_reserve(p->stack, h, 1, &room), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_commit(p->stack, h, 0, 0, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_receive(p->stack, h, &byte, 1, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_peek(p->stack, h, &slice, 1), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_consume(p->stack, h, 0, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_urgent(p->stack, h), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, h, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_info(p->stack, h, &info), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_get_option(p->stack, h, SANWO_TCP_NAGLE, &value), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_set_option(p->stack, h, SANWO_TCP_NAGLE, 1, p->now), -SANWO_EBADF);
}

static void listener_calls_refuse(struct peer *p, struct sanwo_handle h)
{
    struct sanwo_handle out;
    struct sanwo_tcp_request request;
    assert_int_equal(sanwo_tcp_accept(p->stack, h, NULL, &out), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_request(p->stack, h, &request), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_admit(p->stack, h, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_refuse(p->stack, h, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_ignore(p->stack, h, p->now), -SANWO_EBADF);
}

static void test_E_10_invented_handles(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    for (size_t i = 0; i < sizeof(invented) / sizeof(invented[0]); i++) {
        all_calls_refuse(p, invented[i]);
        listener_calls_refuse(p, invented[i]);
        assert_int_equal(sanwo_tcp_close(p->stack, invented[i], p->now), -SANWO_EBADF);
        assert_int_equal(sanwo_tcp_abort(p->stack, invented[i], p->now), -SANWO_EBADF);
    }
    EXPECT_NOTHING(p);
}

static void test_E_10_stale_handles(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        in_state(p, matrix[i].state);
        struct sanwo_handle old = p->conn;
        assert_int_equal(sanwo_tcp_close(p->stack, old, p->now), 0);
        peer_discard(p);
        all_calls_refuse(p, old);
        listener_calls_refuse(p, old);
        peer_advance(p, 1800 * 1000);
        peer_discard(p);
        in_state(p, SANWO_TCP_ESTABLISHED); /* probably in the same place */
        all_calls_refuse(p, old);
        ASSERT_STATE(p, ESTABLISHED);
        leave(p);
    }
}

static void test_E_10_handles_of_another_kind(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_info info;
    in_state(p, SANWO_TCP_ESTABLISHED);
    listener_calls_refuse(p, p->conn);
    in_state(p, SANWO_TCP_LISTEN);
    uint8_t byte = 0;
    assert_true(sanwo_tcp_send(p->stack, p->listener, &byte, 1, 0, p->now) < 0);
    assert_true(sanwo_tcp_receive(p->stack, p->listener, &byte, 1, p->now) < 0);
    assert_true(sanwo_tcp_shutdown(p->stack, p->listener, p->now) < 0);
    int result = sanwo_tcp_info(p->stack, p->listener, &info);
    assert_true(result < 0 || info.state == SANWO_TCP_LISTEN); /* 3.10.6 */
    ASSERT_STATE(p, ESTABLISHED);
}

/* ---- OPEN, 3.10.1 -------------------------------------------------------------------------------------------- */

static int try_connect(struct peer *p, struct sanwo_tcp_connect open)
{
    struct sanwo_handle h;
    int result = sanwo_tcp_connect(p->stack, &open, p->now, &h);
    if (result == 0)
        sanwo_tcp_abort(p->stack, h, p->now);
    return result;
}

/* MUST-46: no broadcast, multicast, unspecified address; nor port 0. */
static void test_MUST_46_connect_to_nobody(void **state)
{
    static const char *const nobody[][4] = {
        {"0.0.0.0", "255.255.255.255", "192.0.2.255", "224.0.0.1"},
        {"::", "ff02::1", "ff0e::1234", "ff01::1"}};
    struct peer *p = *state;
    peer_start(p);
    for (size_t i = 0; i < 4; i++) {
        struct sanwo_tcp_connect open = {.remote = {.port = 80}};
        assert_true(
            sanwo_address_parse(nobody[p->family == SANWO_FAMILY_IPV6][i], &open.remote.address));
        assert_int_equal(try_connect(p, open), -SANWO_EINVAL);
    }
    struct sanwo_tcp_connect open = {.remote = p->theirs};
    open.remote.port = 0;
    assert_int_equal(try_connect(p, open), -SANWO_EINVAL);
    open.remote = (struct sanwo_endpoint){.port = 80};
    assert_int_equal(try_connect(p, open), -SANWO_EINVAL);
    EXPECT_NOTHING(p);
}

/* MUST-43, MUST-44, MUST-45: the local address as given, or chosen before the SYN, and kept. */
static void test_MUST_43_44_local_address(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    struct sanwo_address second = p->ours.address;
    second.bytes[p->family == SANWO_FAMILY_IPV4 ? 3 : 15] = 77;
    assert_int_equal(
        sanwo_stack_address_add(p->stack, 0, &second, p->family == SANWO_FAMILY_IPV4 ? 24 : 64), 0);
    struct sanwo_tcp_connect open = {.remote = p->theirs, .isn_is_set = true, .isn = p->iss};
    struct sanwo_tcp_info info;
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &p->conn), 0);
    info = peer_info(p);
    assert_true(sanwo_address_equal(&info.local.address, &p->ours.address) ||
                sanwo_address_equal(&info.local.address, &second));
    assert_in_range(info.local.port, 32768, 60999);
    p->ours = info.local;
    EXPECT(p, .flags = SYN);
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    open.local = (struct sanwo_endpoint){second, 6000};
    p->ours = open.local;
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &p->conn), 0);
    EXPECT(p, .flags = SYN); /* from there, as the harness sees */
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
}

static void test_connect_errors(void **state)
{
    struct peer *p = *state;
    p->config.max_connections = 2;
    peer_start(p);
    struct sanwo_tcp_connect open = {.remote = p->theirs, .local = p->ours};
    open.local.address.bytes[3] ^= 0x40;
    assert_int_equal(try_connect(p, open), -SANWO_EADDRNOTAVAIL);
    open.local = p->ours;
    open.remote.address.bytes[0] ^= 0x10; /* no route there */
    assert_int_equal(try_connect(p, open), -SANWO_ENETUNREACH);
    open.remote = p->theirs;
    struct sanwo_tcp_config config = p->config.tcp;
    config.delayed_ack = SANWO_MSEC(500);
    open.config = &config;
    assert_int_equal(try_connect(p, open), -SANWO_EINVAL);
    open.config = NULL;
    peer_connect(p);
    assert_int_equal(try_connect(p, open), -SANWO_EADDRINUSE); /* 3.10.1: exists already */
    EXPECT(p, .flags = SYN);
    struct sanwo_handle first = p->conn;
    p->ours.port++;
    peer_connect(p);
    open.local.port = 0;
    assert_int_equal(try_connect(p, open), -SANWO_ELIMIT);
    EXPECT(p, .flags = SYN);
    p->ours.port--;
    assert_int_equal(sanwo_tcp_abort(p->stack, first, p->now), 0);
}

/* E-12: no port is left towards one peer: a clean error, and all of them differ until then. */
static void test_E_12_ephemeral_ports_run_out(void **state)
{
    struct peer *p = *state;
    struct sanwo_handle h[8], more;
    uint16_t seen = 0;
    p->config.ephemeral_first = 50000;
    p->config.ephemeral_last = 50007;
    peer_start(p);
    struct sanwo_tcp_connect open = {.remote = p->theirs};
    for (int i = 0; i < 8; i++) {
        struct sanwo_tcp_info info;
        assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &h[i]), 0);
        assert_int_equal(sanwo_tcp_info(p->stack, h[i], &info), 0);
        seen |= (uint16_t)(1u << (info.local.port - 50000));
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &more), -SANWO_EADDRNOTAVAIL);
    open.remote.port++; /* towards another there are some */
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &more), 0);
    sanwo_tcp_abort(p->stack, more, p->now);
    for (int i = 0; i < 8; i++)
        sanwo_tcp_abort(p->stack, h[i], p->now);
}

static int try_listen(struct peer *p, struct sanwo_tcp_listen open)
{
    struct sanwo_handle h;
    int result = sanwo_tcp_listen(p->stack, &open, p->now, &h);
    if (result == 0)
        sanwo_tcp_close(p->stack, h, p->now);
    return result;
}

static void test_listen_errors(void **state)
{
    struct peer *p = *state;
    p->config.max_listeners = 1;
    peer_start(p);
    struct sanwo_tcp_listen open = {.local = p->ours};
    assert_int_equal(try_listen(p, open), 0);
    open.local.port = 0;
    assert_int_equal(try_listen(p, open), -SANWO_EINVAL);
    open.local = p->theirs;
    assert_int_equal(try_listen(p, open), -SANWO_EADDRNOTAVAIL);
    open.flags = SANWO_LISTEN_ANY_ADDRESS;
    assert_int_equal(try_listen(p, open), 0);
    open = (struct sanwo_tcp_listen){.local = p->ours, .flags = 0x80};
    assert_int_equal(try_listen(p, open), -SANWO_EINVAL);
    open = (struct sanwo_tcp_listen){.local = {.port = OUR_PORT}};
    peer_listen(p, 0, 0);
    assert_int_equal(try_listen(p, open), -SANWO_EADDRINUSE);
    open.local.port++;
    assert_int_equal(try_listen(p, open), -SANWO_ELIMIT);
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

static void test_options_out_of_range(void **state)
{
    static const struct {
        int option;
        int64_t value;
    } rows[] = {
        {0, 1},
        {1000, 1},
        {-1, 1},
        {SANWO_TCP_NAGLE, 2},
        {SANWO_TCP_NAGLE, -1},
        {SANWO_TCP_KEEPALIVE_IDLE, 0},
        {SANWO_TCP_KEEPALIVE_IDLE, -1},
        {SANWO_TCP_KEEPALIVE_PROBES, 0},
        {SANWO_TCP_KEEPALIVE_PROBES, 256},
        {SANWO_TCP_USER_TIMEOUT, -1},
        {SANWO_TCP_SEND_BUFFER, 1023},
        {SANWO_TCP_SEND_BUFFER, -5},
        {SANWO_TCP_RECEIVE_BUFFER, INT64_MAX},
        {SANWO_TCP_TTL, 0},
        {SANWO_TCP_TTL, 256},
        {SANWO_TCP_DSCP, 64},
        {SANWO_TCP_DSCP, -1},
        {SANWO_TCP_DELAYED_ACK, SANWO_MSEC(500)},
        {SANWO_TCP_DELAYED_ACK, -1},
        {SANWO_TCP_CONGESTION, 99},
        {SANWO_TCP_CONGESTION, INT64_C(1) << 32},
    };
    struct peer *p = *state;
    established_active(p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn,
                                              (enum sanwo_tcp_option)rows[i].option, rows[i].value,
                                              p->now),
                         -SANWO_EINVAL);
    int64_t value;
    assert_int_equal(sanwo_tcp_get_option(p->stack, p->conn, (enum sanwo_tcp_option)1000, &value),
                     -SANWO_EINVAL);
}

static void test_options_are_read_back(void **state)
{
    static const struct {
        enum sanwo_tcp_option option;
        int64_t value;
    } rows[] = {
        {SANWO_TCP_NAGLE, 0},
        {SANWO_TCP_KEEPALIVE, 1},
        {SANWO_TCP_KEEPALIVE_IDLE, SANWO_SEC(100)},
        {SANWO_TCP_KEEPALIVE_INTERVAL, SANWO_SEC(7)},
        {SANWO_TCP_KEEPALIVE_PROBES, 255},
        {SANWO_TCP_USER_TIMEOUT, SANWO_SEC(33)},
        {SANWO_TCP_SEND_BUFFER, 77777},
        {SANWO_TCP_RECEIVE_BUFFER, 50000},
        {SANWO_TCP_TTL, 1},
        {SANWO_TCP_DSCP, 63},
        {SANWO_TCP_SOFT_ERRORS, 0},
        {SANWO_TCP_QUICK_ACK, 1},
        {SANWO_TCP_DELAYED_ACK, SANWO_MSEC(499)},
    };
    struct peer *p = *state;
    int64_t value;
    established_active(p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(
            sanwo_tcp_set_option(p->stack, p->conn, rows[i].option, rows[i].value, p->now), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(sanwo_tcp_get_option(p->stack, p->conn, rows[i].option, &value), 0);
        assert_int_equal(value, rows[i].value);
    }
}

/* On a listener: for the connections to come. */
static void test_options_of_a_listener(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, SANWO_TCP_TTL, 9, p->now), 0);
    peer_syn(p, SYN);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->ttl, 9);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    peer_accept(p);
    WRITE(p, 1);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1)->ttl, 9);
}

/* E-10: no bytes at all; more than there are; peek and consume in pieces. */
static void test_E_10_odd_lengths(void **state)
{
    struct peer *p = *state;
    struct sanwo_slice slices[8];
    uint8_t byte = 0;
    established_active(p);
    assert_true(sanwo_tcp_send(p->stack, p->conn, &byte, 0, 0, p->now) <= 0);
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 501, .ack = 1, .length = 500);
    int n = sanwo_tcp_peek(p->stack, p->conn, slices, 8);
    assert_in_range(n, 1, 8);
    uint32_t total = 0;
    for (int i = 0; i < n; i++)
        for (uint32_t k = 0; k < slices[i].length; k++)
            assert_int_equal(slices[i].bytes[k], peer_pattern(1 + total++));
    assert_int_equal(total, 1000);
    assert_int_equal(sanwo_tcp_consume(p->stack, p->conn, 1001, p->now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_consume(p->stack, p->conn, 0, p->now), 0);
    assert_int_equal(sanwo_tcp_consume(p->stack, p->conn, 700, p->now), 0);
    p->read_at = 701;
    READ(p, 300);
    assert_int_equal(sanwo_tcp_consume(p->stack, p->conn, 1, p->now), -SANWO_EINVAL);
    peer_discard(p);
}

/* No more is committed than was reserved: what lies behind may be another connection's. */
static void test_commit_beyond_the_room(void **state)
{
    struct peer *p = *state;
    struct sanwo_room room;
    established_active(p);
    for (size_t length = 1; length < 20000; length = length * 3 + 1) {
        int64_t got = sanwo_tcp_reserve(p->stack, p->conn, length, &room);
        assert_true(got > 0);
        assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, (size_t)got + 1, 0, p->now),
                         -SANWO_EINVAL);
        assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, 0, 0, p->now), 0);
    }
    EXPECT_NOTHING(p);
}

/*
 * Nothing but what is left to read follows CLOSED: a writer that was refused is not told to go on when
 * the memory of its dead connection comes free.
 */
static void test_closed_is_the_last_event(void **state)
{
    struct peer *p = *state;
    uint8_t bytes[10000] = {0};
    int64_t taken;
    p->config.budget = 512 << 10;
    p->any_payload = true;
    established_active(p);
    do
        taken = sanwo_tcp_send(p->stack, p->conn, bytes, sizeof(bytes), 0, p->now);
    while (taken > 0);
    assert_true(taken == -SANWO_ENOMEM || taken == -SANWO_EAGAIN);
    peer_advance(p, 1);
    peer_discard(p);
    peer_events(p, p->conn);
    SEND(p, .flags = RST, .seq = 1);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_int_equal(e.what & (SANWO_EVENT_CLOSED | SANWO_EVENT_WRITABLE), SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, SANWO_ECONNRESET);
    peer_advance(p, 1000);
    assert_int_equal(peer_events(p, p->conn).what, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_U_21_send),
        BOTH(test_U_21_receive),
        BOTH(test_U_20_shutdown),
        BOTH(test_U_20_close_and_abort),
        BOTH(test_U_21_status),
        BOTH(test_U_21_closed),
        BOTH(test_E_10_invented_handles),
        BOTH(test_E_10_stale_handles),
        BOTH(test_E_10_handles_of_another_kind),
        BOTH(test_MUST_46_connect_to_nobody),
        BOTH(test_MUST_43_44_local_address),
        BOTH(test_connect_errors),
        BOTH(test_E_12_ephemeral_ports_run_out),
        BOTH(test_listen_errors),
        BOTH(test_options_out_of_range),
        BOTH(test_options_are_read_back),
        BOTH(test_options_of_a_listener),
        BOTH(test_E_10_odd_lengths),
        BOTH(test_commit_beyond_the_room),
        BOTH(test_closed_is_the_last_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
