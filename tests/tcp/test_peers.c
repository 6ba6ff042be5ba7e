/*
 * test_peers.c - What a connection leaves to the next one with the same peer (RFC 9040 6), where
 * `remember_peers` asks for it: a longer RTO, the slow-start threshold. Cookies: test_fast_open_client.c.
 */
#include "peer.h"

static void remember(struct peer *p)
{
    p->config.tcp.remember_peers = true;
    peer_start(p);
}

/* A connection whose handshake takes @ms, and is closed in order by us. */
static void connection_of(struct peer *p, int ms)
{
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    peer_advance(p, ms);
    peer_discard(p); /* the SYN again, if it took that long: then nothing is measured */
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
}

static void end(struct peer *p)
{
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
    peer_advance(p, 1);
}

static struct sanwo_peer known(struct peer *p)
{
    struct sanwo_peer peer = {.mss = 0};
    sanwo_stack_peers(p->stack, 0, &peer, 1);
    return peer;
}

static void test_off_by_default(void **state)
{
    struct peer *p = *state;
    connection_of(p, 700);
    end(p);
    assert_int_equal(known(p).srtt, 0);
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    EXPECT_WITHIN(p, 1100, .flags = SYN);
}

/* RFC9040-6.1-1, table 3: at the close, merged: what is longer at once, what is shorter by a quarter. */
static void test_rtt_is_merged(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 400);
    assert_int_equal(known(p).srtt, 0);
    end(p);
    assert_int_equal(known(p).srtt, SANWO_MSEC(400));
    assert_int_equal(known(p).rttvar, SANWO_MSEC(200));
    connection_of(p, 600);
    end(p);
    assert_int_equal(known(p).srtt, SANWO_MSEC(600));
    connection_of(p, 200);
    end(p);
    assert_int_equal(known(p).srtt, SANWO_MSEC(500));
    struct sanwo_peer peer = known(p);
    assert_true(sanwo_address_equal(&peer.address, &p->theirs.address));
}

/* Closed in order: TIME-WAIT begins, and that is the close. */
static void test_orderly_close(void **state)
{
    struct peer *p = *state;
    remember(p);
    in_state(p, SANWO_TCP_FIN_WAIT_2);
    assert_int_equal(known(p).srtt, 0);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
    assert_int_equal(known(p).srtt, SANWO_MSEC(RTT) * 7 / 8); /* our FIN was answered at once */
}

/* A peer that is far away gets the time it needs ... */
static void test_syn_waits_longer(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 700); /* 700 + 4 * 350 = 2100 ms */
    end(p);
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    QUIET(p, 2090);
    EXPECT_WITHIN(p, 20, .flags = SYN);
}

/* ... and one that is near no less than it always gets. */
static void test_syn_never_waits_less(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 10);
    end(p);
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    QUIET(p, 990);
    EXPECT_WITHIN(p, 20, .flags = SYN);
}

/* The handshake measured 10 ms; the RTO stays what it was until data is measured. */
static void test_rto_after_the_handshake(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 700);
    end(p);
    connection_of(p, 10);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.srtt, SANWO_MSEC(10));
    assert_int_equal(info.min_rtt, SANWO_MSEC(10));
    assert_int_equal(info.rto, SANWO_MSEC(2100));
    /* The other way round what is measured now is longer, and counts. */
    end(p);
    sanwo_stack_peers_forget(p->stack, NULL);
    connection_of(p, 10);
    end(p);
    connection_of(p, 700);
    assert_int_equal(peer_info(p).rto, SANWO_MSEC(2100));
}

/* Instead of three seconds (RFC 6298 5.7), what is known. */
static void test_lost_syn(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 100);
    end(p);
    connection_of(p, 1500);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.srtt, SANWO_MSEC(100));
    assert_int_equal(info.min_rtt, SANWO_MSEC(100));
    assert_int_equal(info.rto, SANWO_MSEC(300));
}

/* Of passive opens too, and one leaves it to the other. */
static void test_passive(void **state)
{
    struct peer *p = *state;
    remember(p);
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_advance(p, 700);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    peer_accept(p);
    end(p);
    assert_in_range(known(p).srtt, SANWO_MSEC(699), SANWO_MSEC(701)); /* by a timer: to a tick */
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_advance(p, 10);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    peer_accept(p);
    assert_in_range(peer_info(p).rto, SANWO_MSEC(2099), SANWO_MSEC(2101));
}

/* Paths change: after an hour nothing of it is used, and it is not averaged with what follows. */
static void test_it_grows_old(void **state)
{
    struct peer *p = *state;
    remember(p);
    connection_of(p, 700);
    end(p);
    peer_advance(p, 3602 * 1000);
    connection_of(p, 10);
    assert_in_range(peer_info(p).rto, SANWO_MSEC(200), SANWO_MSEC(250));
    end(p);
    assert_int_equal(known(p).srtt, SANWO_MSEC(10));
}

/* A connection that never got that far has measured nothing. */
static void test_nothing_measured(void **state)
{
    struct peer *p = *state;
    remember(p);
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    SEND(p, .flags = RST | ACK, .ack = 1);
    ASSERT_STATE(p, CLOSED);
    sanwo_tcp_close(p->stack, p->conn, p->now);
    struct sanwo_peer peer;
    assert_int_equal(sanwo_stack_peers(p->stack, 0, &peer, 1), 0);
}

/* A loss halves the threshold; the next connection begins with it, but not below the initial window. */
static void test_ssthresh(void **state)
{
    struct peer *p = *state;
    remember(p);
    p->config.tcp.congestion = SANWO_CONGESTION_NEWRENO;
    connection_of(p, 10);
    WRITE(p, 40 * MSS);
    for (uint32_t acked = 1; acked <= 8 * MSS; acked += 2 * MSS) {
        peer_discard(p);
        SEND(p, .flags = ACK, .seq = 1, .ack = acked + 2 * MSS);
        peer_advance(p, 10);
    }
    peer_advance(p, 1000); /* nothing more is acknowledged: a time-out */
    peer_discard(p);
    uint32_t ssthresh = peer_info(p).ssthresh;
    uint32_t mss = peer_info(p).send_mss;
    assert_in_range(ssthresh, 2 * mss, 40 * mss);
    end(p);
    assert_int_equal(known(p).ssthresh, ssthresh / mss);
    connection_of(p, 10);
    uint32_t begins = peer_info(p).ssthresh, window = peer_info(p).cwnd;
    uint32_t expected = ssthresh / mss * mss;
    assert_int_equal(begins, expected < window ? window : expected);
    assert_int_equal(window, 10 * mss); /* RFC 6928, whatever cwnd was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_off_by_default),
        BOTH(test_rtt_is_merged),
        BOTH(test_orderly_close),
        BOTH(test_syn_waits_longer),
        BOTH(test_syn_never_waits_less),
        BOTH(test_rto_after_the_handshake),
        BOTH(test_lost_syn),
        BOTH(test_passive),
        BOTH(test_it_grows_old),
        BOTH(test_nothing_measured),
        BOTH(test_ssthresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
