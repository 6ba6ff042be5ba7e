/*
 * test_tcp_mtu_probe.c - The search for the path MTU: which size, when, and what follows.
 */
#include "test_tcp_support.h"

#define FIRST 0xfffff000u
#define CONVERGED 0

/* Against paths of any size: it ends, it never exceeds, and it finds nearly all. RFC 4821 7.3. */
static void test_sizes_converge(void **state)
{
    (void)state;
    for (uint32_t most = 1081; most <= 65535; most = most * 21 / 20 + 1)
        for (uint32_t mtu = 1080; mtu <= most; mtu = mtu * 33 / 32 + 1) {
            struct tcp_mtu_search search = {.first = (uint16_t)(most / 2)};
            uint32_t low = 1080, probes = 0, lost = 0, size;
            while ((size = sw_tcp_mtu_probe_size(&search, low, most)) != CONVERGED) {
                assert_in_range(size, low + 1, most);
                assert_true(!search.high || size < search.high);
                assert_true(++probes < 30);
                if (size <= mtu) {
                    low = size;
                    if (search.first <= low)
                        search.first = 0;
                } else {
                    lost++;
                    search.high = (uint16_t)size;
                    if (search.first >= size)
                        search.first = 0;
                }
            }
            assert_true(low <= mtu);
            if (mtu - low > low / 16)
                fail_msg("%u of %u, most %u", low, mtu, most);
            if (lost > 12)
                fail_msg("%u probes lost to find %u of %u", lost, mtu, most);
        }
}

static void test_sizes(void **state)
{
    (void)state;
    const struct {
        uint16_t first, high;
        uint32_t low, most;
        uint16_t size;
    } rows[] = {
        {0, 0, 1064, 1500, 1500},    /* nothing failed: all of it */
        {1500, 0, 1064, 9000, 1500}, /* what was used before */
        {1064, 0, 1064, 9000, 9000},      {9000, 9000, 1064, 9000, 1280}, /* that failed */
        {0, 1500, 1064, 1500, 1280}, /* then upward through common sizes */
        {0, 1500, 1280, 1500, 1400},      {0, 1400, 1280, 1500, 1340}, /* and between them */
        {0, 1340, 1280, 1500, CONVERGED}, {0, 1500, 1476, 1500, 1492},
        {0, 1500, 1492, 1500, CONVERGED}, {0, 0, 1500, 1500, CONVERGED}, /* nothing left */
        {0, 0, 1500, 1400, CONVERGED},    {0, 1300, 1500, 9000, CONVERGED},
        {0, 0, 1500, 100000, 65535},      {0, 65535, 64000, 65535, CONVERGED},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_mtu_search search = {.first = rows[i].first, .high = rows[i].high};
        uint16_t size = sw_tcp_mtu_probe_size(&search, rows[i].low, rows[i].most);
        if (size != rows[i].size)
            fail_msg("row %zu: %u", i, size);
    }
}

/* ---- when ---------------------------------------------------------------------------------- */

/* After a black hole: packets of 1064 bytes pass, the link has 1500; much is queued. */
static struct tcp_connection *searching(struct rig *r)
{
    struct tcp_connection *c = rig_open(r, FIRST, 1);
    c->sack = c->black_hole = 1;
    c->send.peer_mss = 1460;
    c->send.path_mtu = 1064;
    c->send.srtt = SANWO_MSEC(10);
    sw_tcp_cc_set_mss(&c->cc, 1024);
    assert_non_null(sw_tcp_sending_make(&r->tcp, c));
    return c;
}

enum obstacle {
    NONE,
    OFF,
    TOLD,
    NO_SACK,
    RESTING,
    OUT,
    TOO_EARLY,
    IN_RECOVERY,
    IN_TIMEOUT,
    LITTLE_DATA,
    SMALL_WINDOW,
    SMALL_CWND,
    URGENT,
    OBSTACLES
};

/* RFC 4821 7.4: each alone is enough. */
static void test_preconditions(void **state)
{
    (void)state;
    for (unsigned o = 0; o < OBSTACLES; o++) {
        struct sanwo_stack_config config = rig_config();
        config.tcp.mtu_probing = o == OFF ? 0 : 1;
        struct rig *r = rig_with(&config);
        struct tcp_connection *c = searching(r);
        struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
        struct tcp_plan plan = {.length = 0};
        uint32_t needed = 1460 + 4 * 1024;
        rig_send(r, c, o == LITTLE_DATA ? needed - 1 : needed);
        c->send.snd_wnd = o == SMALL_WINDOW ? needed - 1 : needed;
        c->cc.cwnd = o == SMALL_CWND ? needed - 1 : needed;
        c->black_hole = o != TOLD;
        c->sack = o != NO_SACK;
        c->deadline.path_mtu = o == RESTING ? r->tcp.now + 1 : SANWO_TIME_NEVER;
        search->probe = o == OUT ? 1400 : 0;
        search->not_before = o == TOO_EARLY ? r->tcp.now + 1 : r->tcp.now;
        c->in_recovery = o == IN_RECOVERY;
        c->in_timeout = o == IN_TIMEOUT;
        c->urgent_out = o == URGENT;
        bool planned = sw_tcp_mtu_probe_plan(&r->tcp, c, &rig_path, 1024, &plan);
        if (planned != (o == NONE))
            fail_msg("obstacle %u", o);
        if (planned)
            assert_int_equal(plan.length, 1460);
        rig_end(r);
    }
}

/* The next frame, as much of it as is of interest; 0: none. */
static uint32_t next_length(struct rig *r, struct tcp_connection *c)
{
    static struct rig_frame f;
    return rig_output(r, c, &f) ? f.payload : 0;
}

/* With a window full of others new data waits until the probe fits; it goes before them. */
static void test_waits_for_room(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = searching(r);
    struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
    c->cc.cwnd = 8 * 1024;
    search->not_before = SANWO_TIME_NEVER;
    rig_send(r, c, 100 * 1024);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(next_length(r, c), 1024);
    search->not_before = 0;
    r->tcp.now += SANWO_MSEC(10);
    assert_int_equal(next_length(r, c), 0);
    c->cc.ssthresh = c->cc.cwnd; /* no growth to speak of */
    rig_ack(r, c, FIRST + 1024, 1 << 20);
    r->tcp.now += SANWO_MSEC(10);
    assert_int_equal(next_length(r, c), 0);
    assert_int_equal(c->limited_by, SANWO_REASON_CONGESTION_WINDOW);
    rig_ack(r, c, FIRST + 2048, 1 << 20);
    r->tcp.now += SANWO_MSEC(10);
    assert_int_equal(next_length(r, c), 1460);
    assert_int_equal(search->probe, 1500);
    rig_check_records(r, c);
    rig_end(r);
}

/* ---- what follows -------------------------------------------------------------------------- */

/* A probe of 1500 and four segments behind it are out. */
static struct tcp_connection *probing(struct rig *r, unsigned before)
{
    struct tcp_connection *c = searching(r);
    struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
    rig_watch(r);
    c->cc.cwnd = 64 * 1024;
    c->send.min_rtt = SANWO_MSEC(10);
    search->not_before = before ? SANWO_TIME_NEVER : 0;
    rig_send(r, c, 100 * 1024);
    for (unsigned i = 0; i < before; i++)
        assert_int_equal(next_length(r, c), 1024);
    search->not_before = 0;
    assert_int_equal(next_length(r, c), 1460);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(next_length(r, c), 1024);
    assert_int_equal(search->probe, 1500);
    return c;
}

/* An ACK of @ack that reports [left, right), both as distances from the first byte. */
static void sack(struct rig *r, struct tcp_connection *c, uint32_t ack, uint32_t left,
                 uint32_t right)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
    seg.ack = tcp_seq_of(FIRST + ack);
    seg.window = 1 << 20;
    seg.options.sack_count = 1;
    seg.options.sack[0] =
        (struct wire_tcp_sack){tcp_seq_of(FIRST + left), tcp_seq_of(FIRST + right)};
    sw_tcp_process_ack(&r->tcp, c, &seg);
}

/* RFC 4821 7.6.1; and as it was all the link carries, all is as if nothing had been. */
static void test_success(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = probing(r, 0);
    uint32_t cwnd = c->cc.cwnd;
    r->tcp.now += SANWO_MSEC(10);
    rig_ack(r, c, FIRST + 1460, 1 << 20);
    assert_int_equal(c->send.path_mtu, 1500);
    assert_int_equal(rig_count(r, SANWO_OBSERVE_PATH_MTU, SANWO_REASON_PATH_MTU_RAISED), 1);
    assert_in_range(c->cc.cwnd, cwnd, cwnd + 1460); /* RFC 4821 4: no more bytes than before */
    assert_int_equal(next_length(r, c), 1460);
    assert_int_equal(c->send.path_mtu, 0);
    assert_false(c->black_hole);
    assert_int_equal(c->deadline.path_mtu, SANWO_TIME_NEVER);
    rig_end(r);
}

/* RFC 4821 7.6.2, RFC4821-5-1: only the probe is lost. cwnd stays, the data goes in pieces. */
static void test_failure(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = probing(r, 0);
    struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
    uint32_t cwnd = c->cc.cwnd, ssthresh = c->cc.ssthresh;
    r->tcp.now += SANWO_MSEC(10);
    sack(r, c, 0, 1460, 1460 + 4 * 1024);
    r->tcp.now += SANWO_MSEC(20);
    sw_tcp_recovery_detect(&r->tcp, c);
    assert_int_equal(search->probe, 0);
    assert_int_equal(search->high, 1500);
    assert_int_equal(c->send.lost, 1460);
    assert_int_equal(c->in_recovery, 0);
    assert_int_equal(c->cc.cwnd, cwnd);
    assert_int_equal(c->cc.ssthresh, ssthresh);
    assert_true(search->not_before > r->tcp.now + 60 * SANWO_MSEC(10)); /* cwnd is 64 segments */
    assert_int_equal(next_length(r, c), 1024);
    assert_int_equal(next_length(r, c), 1460 - 1024);
    rig_check_records(r, c);
    rig_ack(r, c, FIRST + 1460 + 4 * 1024, 1 << 20);
    assert_int_equal(c->send.path_mtu, 1064); /* that was no success of the probe */
    assert_int_equal(next_length(r, c), 1024);
    assert_int_equal(search->probe, 0);
    r->tcp.now = search->not_before;
    assert_int_equal(next_length(r, c), 1280 - 40);
    rig_end(r);
}

/* The pieces of a failed probe are like any other: if one of them is lost, it is congestion. */
static void test_failure_and_a_loss(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = probing(r, 0);
    r->tcp.now += SANWO_MSEC(10);
    sack(r, c, 0, 1460, 1460 + 4 * 1024);
    r->tcp.now += SANWO_MSEC(20);
    sw_tcp_recovery_detect(&r->tcp, c);
    while (c->send.lost)
        assert_true(next_length(r, c));
    assert_int_equal(next_length(r, c), 1024);
    uint32_t ssthresh = c->cc.ssthresh;
    r->tcp.now += SANWO_MSEC(30);
    sack(r, c, 1024, 1460, 1460 + 5 * 1024);
    r->tcp.now += SANWO_MSEC(30);
    sw_tcp_recovery_detect(&r->tcp, c);
    assert_int_equal(c->in_recovery, 1);
    assert_true(c->cc.ssthresh < ssthresh);
    rig_end(r);
}

/* RFC 4821 7.6.4: others are lost too. It tells nothing, and congestion control does its work. */
static void test_inconclusive(void **state)
{
    (void)state;
    for (unsigned tries = 0; tries < 3; tries++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = probing(r, 2);
        struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
        search->tries = (uint8_t)tries;
        uint32_t cwnd = c->cc.cwnd;
        r->tcp.now += SANWO_MSEC(10);
        sack(r, c, 1024, 2048 + 1460, 2048 + 1460 + 4 * 1024);
        r->tcp.now += SANWO_MSEC(20);
        sw_tcp_recovery_detect(&r->tcp, c);
        assert_int_equal(c->in_recovery, 1);
        assert_true(c->cc.ssthresh < cwnd);
        assert_int_equal(search->probe, 0);
        assert_int_equal(search->high, tries == 2 ? 1500 : 0); /* the third time is enough */
        rig_end(r);
    }
}

/* RFC 4821 7.6.3: by time-out, alone at the front or behind others. */
static void test_time_out(void **state)
{
    (void)state;
    for (unsigned before = 0; before < 2; before++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = probing(r, before);
        struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
        c->send.retransmissions = 1;
        sw_tcp_path_mtu_timed_out(&r->tcp, c);
        sw_tcp_recovery_on_timeout(&r->tcp, c);
        assert_int_equal(search->probe, 0);
        assert_int_equal(search->high, before ? 0 : 1500);
        assert_int_equal(c->send.path_mtu, 1064);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* A message about the probe: it failed, and the size that it names is next, without a pause. */
static void test_too_big(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = probing(r, 1);
    struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
    uint32_t cwnd = c->cc.cwnd;
    sw_tcp_path_mtu_message(&r->tcp, c, tcp_seq_of(FIRST), 1300, 1500); /* another segment */
    assert_int_equal(search->probe, 1500);
    assert_int_equal(c->send.lost, 0);
    sw_tcp_path_mtu_message(&r->tcp, c, tcp_seq_of(FIRST + 1024), 1300, 1500);
    assert_int_equal(search->probe, 0);
    assert_int_equal(c->send.lost, 1460);
    assert_int_equal(c->send.path_mtu, 1064);
    assert_int_equal(c->cc.cwnd, cwnd);
    assert_int_equal(next_length(r, c), 1024);
    assert_int_equal(next_length(r, c), 1460 - 1024);
    assert_int_equal(next_length(r, c), 1300 - 40);
    assert_int_equal(search->probe, 1300);
    rig_check_records(r, c);
    rig_end(r);
}

/* When the gap is small the search rests; ten minutes later it begins anew. */
static void test_rests(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = searching(r);
    struct tcp_mtu_search *search = sw_tcp_mtu_search(&r->tcp, c);
    search->high = 1100;
    rig_send(r, c, 20 * 1024);
    assert_int_equal(next_length(r, c), 1024);
    assert_true(c->deadline.path_mtu >= r->tcp.now + SANWO_SEC(300)); /* RFC 4821 7.3 */
    assert_int_equal(search->high, 0);
    assert_int_equal(next_length(r, c), 1024);
    c->deadline.path_mtu = SANWO_TIME_NEVER;
    sw_tcp_path_mtu_expired(&r->tcp, c);
    assert_int_equal(next_length(r, c), 1460);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_converge),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_waits_for_room),
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_failure_and_a_loss),
        cmocka_unit_test(test_inconclusive),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
