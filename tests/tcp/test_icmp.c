/*
 * test_icmp.c - ICMP and ICMPv6 errors about a connection: soft, hard, too big, forged.
 *
 * RFC 9293 3.9.2.2 (MUST-54, 55, 56, SHLD-25, 26), 3.7.2; RFC 1191, RFC 8201, RFC 5927.
 */
#include "peer.h"

struct message {
    uint8_t type, code;
};

/* 3.9.2.2: these must not abort. Unreachable net, host, source route failed; time; parameter. */
static const struct message soft_v4[] = {{3, 0}, {3, 1}, {3, 5}, {11, 0}, {11, 1}, {12, 0}};
static const struct message soft_v6[] = {{1, 0}, {1, 3}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {4, 2}};
/* Hard ones: protocol and port unreachable, and for IPv6 prohibited and port. */
static const struct message hard_v4[] = {{3, 2}, {3, 3}};
static const struct message hard_v6[] = {{1, 1}, {1, 4}};

static const enum sanwo_tcp_state synchronised[] = {
    SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_FIN_WAIT_2, SANWO_TCP_CLOSE_WAIT,
    SANWO_TCP_CLOSING,     SANWO_TCP_LAST_ACK,   SANWO_TCP_TIME_WAIT,
};

static size_t messages(const struct peer *p, bool hard, const struct message **out)
{
    bool v6 = p->family == SANWO_FAMILY_IPV6;
    if (hard) {
        *out = v6 ? hard_v6 : hard_v4;
        return 2;
    }
    *out = v6 ? soft_v6 : soft_v4;
    return v6 ? 7 : 6;
}

/* ESTABLISHED with a full segment in flight, the one that is quoted. */
static void data_in_flight(struct peer *p)
{
    p->offer.mss = 1400;
    established_active(p);
    WRITE(p, 5600);
    for (uint32_t at = 1; at < 5601; at += 1400)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = 1400);
    EXPECT_NOTHING(p);
}

/* MUST-47, MUST-54, MUST-56, SHLD-25: told to the user, and retransmission goes on. Every state. */
static void test_MUST_54_56_SHLD_25_soft_errors(void **state)
{
    struct peer *p = *state;
    const struct message *m;
    size_t n = messages(p, false, &m);
    for (size_t i = 0; i < n; i++) {
        data_in_flight(p);
        peer_icmp(p, m[i].type, m[i].code, 0);
        UNCHANGED(p);
        struct sanwo_event e = peer_events(p, p->conn);
        assert_true(e.what & SANWO_EVENT_SOFT_ERROR);
        assert_true(e.error > 0);
        assert_true(peer_info(p).soft_error > 0);
        assert_int_equal(peer_info(p).soft_error, 0); /* reading clears it */
        EXPECT_WITHIN(p, 300, .flags = ACK, .seq = 1, .ack = 1, .length = 1400);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

static void test_MUST_56_soft_errors_abort_in_no_state(void **state)
{
    static const enum sanwo_tcp_state states[] = {SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED,
                                                  SANWO_TCP_FIN_WAIT_1, SANWO_TCP_CLOSING,
                                                  SANWO_TCP_LAST_ACK};
    struct peer *p = *state;
    const struct message *m;
    size_t n = messages(p, false, &m);
    for (size_t k = 0; k < 5; k++) {
        in_state(p, states[k]);
        assert_non_null(peer_next(p, 3000)); /* a retransmission, to quote */
        for (size_t i = 0; i < n; i++)
            peer_icmp(p, m[i].type, m[i].code, 0);
        UNCHANGED(p);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* SHLD-20: reports can be switched off. */
static void test_SHLD_20_soft_errors_off(void **state)
{
    struct peer *p = *state;
    data_in_flight(p);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn, SANWO_TCP_SOFT_ERRORS, 0, p->now), 0);
    peer_icmp(p, p->family == SANWO_FAMILY_IPV4 ? 3 : 1, 0, 0);
    assert_int_equal(peer_events(p, p->conn).what & SANWO_EVENT_SOFT_ERROR, 0);
}

/* SHLD-26 as far as RFC 5927 5.2 lets it: hard errors end the attempt to connect ... */
static void test_SHLD_26_hard_errors_while_opening(void **state)
{
    static const enum sanwo_tcp_state states[] = {SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED};
    struct peer *p = *state;
    const struct message *m;
    size_t n = messages(p, true, &m);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < n; i++) {
            in_state(p, states[k]);
            assert_non_null(peer_next(p, 3000));
            peer_icmp(p, m[i].type, m[i].code, 0);
            CHANGES(p, (int)states[k], SANWO_TCP_CLOSED);
            struct sanwo_event e = peer_events(p, p->conn);
            assert_true(e.what & SANWO_EVENT_CLOSED);
            assert_true(e.error == SANWO_EHOSTUNREACH || e.error == SANWO_ECONNREFUSED ||
                        e.error == SANWO_ENETUNREACH);
            QUIET(p, 10000);
            sanwo_tcp_close(p->stack, p->conn, p->now);
        }
}

/* ... and are soft afterwards (attack C-05). RFC5927-4-1. */
static void test_SHLD_26_hard_errors_are_soft_when_synchronised(void **state)
{
    struct peer *p = *state;
    const struct message *m;
    size_t n = messages(p, true, &m);
    for (size_t i = 0; i < n; i++) {
        data_in_flight(p);
        peer_icmp(p, m[i].type, m[i].code, 0);
        UNCHANGED(p);
        assert_true(peer_events(p, p->conn).what & SANWO_EVENT_SOFT_ERROR);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
    for (size_t k = 0; k < sizeof(synchronised) / sizeof(synchronised[0]); k++) {
        in_state(p, synchronised[k]);
        peer_icmp(p, m[0].type, m[0].code, 0);
        UNCHANGED(p);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_advance(p, 70 * 1000);
        peer_discard(p);
    }
}

/* MUST-55, RFC 6633: Source Quench is as if it had not come. RFC6633-2-1. */
static void test_MUST_55_source_quench(void **state)
{
    struct peer *p = *state;
    if (p->family != SANWO_FAMILY_IPV4)
        return; /* there is none in ICMPv6 */
    data_in_flight(p);
    struct sanwo_tcp_info before = peer_info(p);
    for (int i = 0; i < 10; i++)
        peer_icmp(p, 4, 0, 0);
    struct sanwo_tcp_info after = peer_info(p);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.ssthresh, before.ssthresh);
    assert_int_equal(after.soft_error, 0);
    assert_int_equal(peer_events(p, p->conn).what, 0);
    EXPECT_NOTHING(p);
}

/* ---- too big ----------------------------------------------------------------------------------------------- */

static void too_big(struct peer *p, uint32_t mtu)
{
    bool v4 = p->family == SANWO_FAMILY_IPV4;
    peer_icmp(p, v4 ? 3 : 2, v4 ? 4 : 0, mtu);
}

/*
 * U-19, RFC 1191, RFC 8201: the MSS goes down, and what was too big goes again at once, smaller.
 * RFC7323-5.7-1, RFC1191-3-1, RFC8201-4-1.
 * E-07.
 */
static void test_U_19_path_mtu_goes_down(void **state)
{
    struct peer *p = *state;
    uint32_t headers = p->family == SANWO_FAMILY_IPV4 ? 40 : 60;
    data_in_flight(p);
    too_big(p, 1300);
    assert_int_equal(peer_info(p).path_mtu, 1300);
    EXPECT_WITHIN(p, 1000, .flags = ACK, .seq = 1, .ack = 1, .length = 1300 - headers);
    assert_int_equal(peer_info(p).send_mss, 1300 - headers);
    uint32_t next = 1301 - headers;
    SEND(p, .flags = ACK, .seq = 1, .ack = next);
    for (const struct segment *seg; next < 5601 && (seg = peer_next(p, 60000)) != NULL;) {
        assert_true(seg->length <= 1300 - headers);
        if (seg->seq == next)
            next += seg->length;
        SEND(p, .flags = ACK, .seq = 1, .ack = next);
    }
    assert_int_equal(next, 5601);
    ASSERT_STATE(p, ESTABLISHED);
}

/*
 * Never up by such a message; RFC 8201 4: nothing below 1280. RFC 1191: nothing below 68. C-06.
 * RFC1191-3-1, RFC8201-4-1.
 */
static void test_path_mtu_unbelievable(void **state)
{
    static const uint32_t v4[] = {1500, 9000, 65535, 67, 1};
    static const uint32_t v6[] = {1500, 9000, 0xffffffff, 1279, 68, 0};
    struct peer *p = *state;
    bool is_v6 = p->family == SANWO_FAMILY_IPV6;
    const uint32_t *mtus = is_v6 ? v6 : v4;
    data_in_flight(p);
    for (size_t i = 0; i < (is_v6 ? 6 : 5); i++) {
        too_big(p, mtus[i]);
        uint32_t known = peer_info(p).path_mtu;
        assert_true(!known || known >= (is_v6 ? 1280 : 68));
        peer_discard(p);
        assert_true(peer_info(p).send_mss <= 1400);
        assert_true(peer_info(p).send_mss >= (is_v6 ? 1220 : 64));
        ASSERT_STATE(p, ESTABLISHED);
        peer_discard(p);
    }
}

/*
 * RFC 1191 6.3, RFC 8201 4: after ten minutes at the earliest a larger one may be tried.
 * RFC1191-3-1, RFC8201-4-1.
 */
static void test_path_mtu_goes_up_again(void **state)
{
    struct peer *p = *state;
    data_in_flight(p);
    too_big(p, 1300);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 5601);
    peer_advance(p, 590 * 1000);
    WRITE(p, 1400);
    uint32_t low = peer_next(p, 0)->length;
    assert_true(low < 1300);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 7001);
    peer_advance(p, 3600 * 1000);
    WRITE(p, 1400);
    EXPECT(p, .flags = ACK, .seq = 7001, .ack = 1, .length = 1400);
}

/*
 * RFC 5927 4.1, attack C-05: what quotes a number that is not in flight is forged. RFC5927-4-1,
 * RFC8201-4-1.
 */
static void test_RFC5927_quotes_must_be_in_flight(void **state)
{
    struct peer *p = *state;
    size_t at = (p->family == SANWO_FAMILY_IPV4 ? 20 : 40) + 4;
    const struct message *m;
    data_in_flight(p);
    messages(p, false, &m);
    static const int32_t wrong[] = {-1, 5600, 5601, 100000, INT32_MIN};
    for (size_t i = 0; i < 5; i++) {
        uint32_t seq = p->iss + 1 + (uint32_t)wrong[i];
        for (unsigned k = 0; k < 4; k++)
            p->last.packet[at + k] = (uint8_t)(seq >> (24 - 8 * k));
        peer_icmp(p, m[0].type, m[0].code, 0);
        too_big(p, 1300);
        assert_int_equal(peer_info(p).soft_error, 0);
        assert_int_equal(peer_info(p).send_mss, 1400);
    }
    EXPECT_NOTHING(p);
}

/* MUST-54: it concerns the connection that it quotes, and no other. B-30. */
static void test_MUST_54_other_connections_are_not_concerned(void **state)
{
    struct peer *p = *state;
    size_t at = p->family == SANWO_FAMILY_IPV4 ? 20 : 40;
    data_in_flight(p);
    p->last.packet[at + 3] ^= 1; /* another port of the peer's */
    too_big(p, 1300);
    peer_icmp(p, p->family == SANWO_FAMILY_IPV4 ? 3 : 1, 0, 0);
    assert_int_equal(peer_info(p).soft_error, 0);
    assert_int_equal(peer_info(p).send_mss, 1400);
    EXPECT_NOTHING(p);
}

/* A time-out tells what the network said before (3.9.2.2). */
static void test_soft_error_explains_the_end_of_connecting(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    peer_icmp(p, p->family == SANWO_FAMILY_IPV4 ? 3 : 1, p->family == SANWO_FAMILY_IPV4 ? 1 : 3, 0);
    while (peer_next(p, 300 * 1000))
        ;
    assert_int_equal(peer_events(p, p->conn).error, SANWO_EHOSTUNREACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_54_56_SHLD_25_soft_errors),
        BOTH(test_MUST_56_soft_errors_abort_in_no_state),
        BOTH(test_SHLD_20_soft_errors_off),
        BOTH(test_SHLD_26_hard_errors_while_opening),
        BOTH(test_SHLD_26_hard_errors_are_soft_when_synchronised),
        BOTH(test_MUST_55_source_quench),
        BOTH(test_U_19_path_mtu_goes_down),
        BOTH(test_path_mtu_unbelievable),
        BOTH(test_path_mtu_goes_up_again),
        BOTH(test_RFC5927_quotes_must_be_in_flight),
        BOTH(test_MUST_54_other_connections_are_not_concerned),
        BOTH(test_soft_error_explains_the_end_of_connecting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
