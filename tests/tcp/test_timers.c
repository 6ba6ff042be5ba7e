/*
 * test_timers.c - Time: the retransmission time-out and its estimate, R1 and R2, the user timeout,
 * keep-alive.
 *
 * RFC 6298; RFC 9293 3.8.1, 3.8.3, 3.8.4, 3.10.8. Without SACK, so that no tail loss probe comes first.
 */
#include "peer.h"

#define NEAR(ms, want) assert_in_range(ms, (want) - (want) / 20 - 2, (want) + (want) / 20 + 2)

static void set_option(struct peer *p, enum sanwo_tcp_option option, int64_t value)
{
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn, option, value, p->now), 0);
}

/* Milliseconds until the next segment, which must be this retransmission. */
static int64_t until(struct peer *p, uint32_t seq, uint32_t length)
{
    sanwo_time start = p->now;
    EXPECT_WITHIN(p, 1000 * 1000, .flags = ACK, .seq = seq, .ack = 1, .length = length);
    return (p->now - start) / SANWO_MSEC(1);
}

/* A handshake that takes @ms: the first sample. */
static void open_with_rtt(struct peer *p, int64_t ms)
{
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    peer_advance(p, ms);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    p->seq = p->ack = 1;
    peer_events(p, p->conn);
    p->change_count = 0;
}

/* ---- the estimate: MUST-18, RFC 6298 2 --------------------------------------------------------------- */

/*
 * 2.2: SRTT = R, RTTVAR = R/2, RTO = 3R. 2.3: then alpha 1/8, beta 1/4. RFC6298-2-1. RFC8961-4-1.
 */
static void test_MUST_18_rto_follows_the_model(void **state)
{
    static const int64_t samples[] = {400, 400, 300, 700, 500, 500, 500, 450};
    struct peer *p = *state;
    open_with_rtt(p, 600);
    double srtt = 600, rttvar = 300;
    uint32_t at = 1;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        double rto = srtt + 4 * rttvar;
        struct sanwo_tcp_info info = peer_info(p);
        NEAR(info.srtt / SANWO_MSEC(1), (int64_t)srtt);
        NEAR(info.rttvar / SANWO_MSEC(1), (int64_t)rttvar);
        NEAR(info.rto / SANWO_MSEC(1), (int64_t)rto);
        WRITE(p, 100);
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = 100);
        peer_advance(p, samples[i]);
        SEND(p, .flags = ACK, .seq = 1, .ack = at += 100);
        double error = srtt - (double)samples[i];
        rttvar += ((error < 0 ? -error : error) - rttvar) / 4;
        srtt += ((double)samples[i] - srtt) / 8;
    }
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = 100);
    NEAR(until(p, at, 100), (int64_t)(srtt + 4 * rttvar)); /* and the timer obeys */
}

/* 2.4: a least RTO; ours is 200 ms (docs/deviations.md). 2.5: a largest one. */
static void test_RFC6298_2_4_least_rto(void **state)
{
    struct peer *p = *state;
    open_with_rtt(p, 1);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    NEAR(until(p, 1, 100), 200);
}

/*
 * 5.1: the timer starts with the first segment; 5.3: an ACK of new data restarts it; 5.2: all:
 * stops. RFC6298-5-1.
 */
static void test_RFC6298_5_timer_rules(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 3 * MSS);
    peer_discard(p);
    peer_advance(p, 150);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001);
    sanwo_time rto = peer_info(p).rto / SANWO_MSEC(1);
    NEAR(until(p, 1001, MSS), rto);
    SEND(p, .flags = ACK, .seq = 1, .ack = 3001);
    QUIET(p, 3600 * 1000);
}

/*
 * 5.4, 5.5: the earliest segment, and twice as long each time. MUST-19, RFC6298-5-1,
 * RFC6298-2.5-1.
 * RFC8961-4-1.
 */
static void test_RFC6298_5_5_back_off(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 2 * MSS);
    peer_discard(p);
    int64_t wait = 200;
    for (int i = 0; i < 9; i++) {
        NEAR(until(p, 1, MSS), wait);
        EXPECT_NOTHING(p); /* one segment: cwnd is one now */
        wait *= 2;
    }
    NEAR(until(p, 1, MSS), 102400);
    NEAR(until(p, 1, MSS), 120000); /* the largest */
}

/* MUST-18, Karn: what was sent twice gives no sample. RFC6298-3-1. */
static void test_MUST_18_karn(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    until(p, 1, 100);
    sanwo_time srtt = peer_info(p).srtt;
    peer_advance(p, 300);
    SEND(p, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(peer_info(p).srtt, srtt);
}

/* RFC 6298 5, last paragraph: the time-out collapses only with a new measurement. */
static void test_MUST_18_backoff_is_kept_until_a_sample(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    NEAR(until(p, 1, 100), 200);
    NEAR(until(p, 1, 100), 400);
    SEND(p, .flags = ACK, .seq = 1, .ack = 101); /* ambiguous: no sample */
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    NEAR(peer_info(p).rto / SANWO_MSEC(1), 800);
    peer_advance(p, RTT);
    SEND(p, .flags = ACK, .seq = 1, .ack = 201); /* a sample */
    NEAR(peer_info(p).rto / SANWO_MSEC(1), 200);
}

/* ---- R1 and R2, 3.8.3 ---------------------------------------------------------------------------------- */

static void test_MUST_20_r1_and_r2(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    sanwo_time start = p->now;
    unsigned told_at = 0, n = 0;
    while (peer_next(p, 300 * 1000)) {
        n++;
        if (!told_at && (peer_events(p, p->conn).what & SANWO_EVENT_SOFT_ERROR)) {
            told_at = n;
            assert_int_equal(peer_info(p).soft_error, SANWO_ETIMEDOUT);
        }
        if (peer_state(p) == SANWO_TCP_CLOSED)
            break;
    }
    assert_true(told_at >= 3); /* SHLD-10, SHLD-9 */
    assert_true(n > told_at);
    CHANGED(p, ESTABLISHED, CLOSED);
    assert_true(p->now - start >= SANWO_SEC(100));
    assert_int_equal(peer_info(p).error, SANWO_ETIMEDOUT);
    uint8_t byte = 0;
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now), -SANWO_ETIMEDOUT);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), -SANWO_ETIMEDOUT);
}

/* SHLD-11: at least 100 s. */
static void test_connection_survives_until_r2(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    peer_advance(p, 99 * 1000);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 101);
    ASSERT_STATE(p, ESTABLISHED);
    QUIET(p, 3600 * 1000);
    WRITE(p, 10); /* and counts from the beginning again */
    EXPECT(p, .flags = ACK, .seq = 101, .ack = 1, .length = 10);
    peer_advance(p, 99 * 1000);
    ASSERT_STATE(p, ESTABLISHED);
}

/* MUST-21, U-14, 3.10.8: R2 by time, set by the user; what waits is flushed, and the user told. */
static void test_MUST_21_U_14_user_timeout(void **state)
{
    static const int64_t seconds[] = {5, 60, 1000};
    struct peer *p = *state;
    for (size_t i = 0; i < 3; i++) {
        established_active(p);
        set_option(p, SANWO_TCP_USER_TIMEOUT, SANWO_SEC(seconds[i]));
        QUIET(p, 24 * 3600 * 1000); /* nothing is unacknowledged */
        WRITE(p, 100);
        peer_advance(p, seconds[i] * 1000 - 100);
        ASSERT_STATE(p, ESTABLISHED);
        peer_advance(p, seconds[i] * 100 + 1000);
        CHANGED(p, ESTABLISHED, CLOSED);
        assert_int_equal(peer_events(p, p->conn).error, SANWO_ETIMEDOUT);
        peer_discard(p);
        QUIET(p, 10000);
        sanwo_tcp_close(p->stack, p->conn, p->now);
    }
}

/* MUST-21: "infinite" too, which here is a year. */
static void test_MUST_21_endless_user_timeout(void **state)
{
    struct peer *p = *state;
    established_active(p);
    set_option(p, SANWO_TCP_USER_TIMEOUT, SANWO_SEC(365 * 24 * 3600L));
    WRITE(p, 100);
    peer_advance(p, 10 * 24 * 3600 * 1000);
    peer_discard(p);
    ASSERT_STATE(p, ESTABLISHED);
}

/* Acknowledged progress restarts it. */
static void test_user_timeout_counts_from_the_last_progress(void **state)
{
    struct peer *p = *state;
    established_active(p);
    set_option(p, SANWO_TCP_USER_TIMEOUT, SANWO_SEC(5));
    WRITE(p, 10 * MSS);
    for (uint32_t i = 1; i <= 9; i++) {
        peer_advance(p, 4000);
        peer_discard(p);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1 + i * MSS);
        ASSERT_STATE(p, ESTABLISHED);
    }
    peer_advance(p, 6000);
    ASSERT_STATE(p, CLOSED);
}

/* ---- keep-alive, 3.8.4 ------------------------------------------------------------------------------------ */

static void test_MUST_25_keepalive_is_off(void **state)
{
    struct peer *p = *state;
    established_active(p);
    QUIET(p, 10 * 24 * 3600 * 1000);
    ASSERT_STATE(p, ESTABLISHED);
}

/* MUST-24, MUST-28 (2 hours), SHLD-12 (no data), and it goes on while answered. MAY-5. */
static void test_MUST_24_28_SHLD_12_keepalive(void **state)
{
    struct peer *p = *state;
    established_active(p);
    set_option(p, SANWO_TCP_KEEPALIVE, 1);
    for (int i = 0; i < 5; i++) {
        QUIET(p, 7199 * 1000);
        const struct segment *probe = peer_next(p, 3000);
        assert_non_null(probe);
        assert_int_equal(probe->flags, ACK);
        assert_int_equal(probe->seq, 0); /* SND.NXT - 1 */
        assert_int_equal(probe->length, 0);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    }
    ASSERT_STATE(p, ESTABLISHED);
    set_option(p, SANWO_TCP_KEEPALIVE, 0);
    QUIET(p, 24 * 3600 * 1000);
}

/* MUST-27, MUST-29: one lost probe, or all but the last, is no reason to give up. */
static void test_MUST_27_29_unanswered_keepalives(void **state)
{
    struct peer *p = *state;
    established_active(p);
    set_option(p, SANWO_TCP_KEEPALIVE_IDLE, SANWO_SEC(10));
    set_option(p, SANWO_TCP_KEEPALIVE_INTERVAL, SANWO_SEC(3));
    set_option(p, SANWO_TCP_KEEPALIVE_PROBES, 4);
    set_option(p, SANWO_TCP_KEEPALIVE, 1);
    for (int round = 0; round < 2; round++) {
        NEAR(until(p, 0, 0), 10000);
        for (int i = 0; i < 3; i++)
            NEAR(until(p, 0, 0), 3000);
        ASSERT_STATE(p, ESTABLISHED);
        if (!round)
            SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    }
    peer_advance(p, 3100);
    CHANGED(p, ESTABLISHED, CLOSED);
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ETIMEDOUT);
}

/* MUST-26: only when nothing arrived for the interval, and nothing is outstanding. */
static void test_MUST_26_keepalive_only_when_idle(void **state)
{
    struct peer *p = *state;
    established_active(p);
    set_option(p, SANWO_TCP_KEEPALIVE_IDLE, SANWO_SEC(10));
    set_option(p, SANWO_TCP_KEEPALIVE, 1);
    for (uint32_t i = 0; i < 5; i++) {
        peer_advance(p, 9000);
        SEND(p, .flags = ACK, .seq = 1 + i, .ack = 1, .length = 1);
        EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 1, .ack = 2 + i);
    }
    READ(p, 5);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 6, .length = 100);
    for (int64_t ms = 0; ms < 60000;) { /* retransmissions, and no probe among them */
        sanwo_time start = p->now;
        const struct segment *seg = peer_next(p, 60000);
        if (!seg)
            break;
        assert_int_equal(seg->seq, 1);
        assert_int_equal(seg->length, 100);
        ms += (p->now - start) / SANWO_MSEC(1);
    }
}

/* The peer's keep-alive, with and without a garbage byte, is answered. */
static void test_keepalive_of_the_peer(void **state)
{
    struct peer *p = *state;
    established_active(p);
    for (uint32_t length = 0; length < 2; length++) {
        SEND(p, .flags = ACK, .seq = 0, .ack = 1, .length = length);
        EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
        peer_advance(p, 10000);
    }
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    READ(p, 10);
}

/* Also where the user closed his half while the handshake was not complete yet. */
static void test_keepalive_after_shutdown_in_syn_received(void **state)
{
    struct peer *p = *state;
    p->config.tcp.keepalive = true;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_CONNECTED);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    ASSERT_STATE(p, FIN_WAIT_2);
    EXPECT_WITHIN(p, 7201000, .flags = ACK, .seq = 1, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_18_rto_follows_the_model),
        BOTH(test_RFC6298_2_4_least_rto),
        BOTH(test_RFC6298_5_timer_rules),
        BOTH(test_RFC6298_5_5_back_off),
        BOTH(test_MUST_18_karn),
        BOTH(test_MUST_18_backoff_is_kept_until_a_sample),
        BOTH(test_MUST_20_r1_and_r2),
        BOTH(test_connection_survives_until_r2),
        BOTH(test_MUST_21_U_14_user_timeout),
        BOTH(test_MUST_21_endless_user_timeout),
        BOTH(test_user_timeout_counts_from_the_last_progress),
        BOTH(test_MUST_25_keepalive_is_off),
        BOTH(test_MUST_24_28_SHLD_12_keepalive),
        BOTH(test_MUST_27_29_unanswered_keepalives),
        BOTH(test_MUST_26_keepalive_only_when_idle),
        BOTH(test_keepalive_of_the_peer),
        BOTH(test_keepalive_after_shutdown_in_syn_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
