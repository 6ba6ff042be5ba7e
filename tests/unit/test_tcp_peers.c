/*
 * test_tcp_peers.c - The cache of peers: sets, who makes room for whom, bounds (src/tcp/connection/peers.c).
 */
#include "tcp/connection/peers.h"

#include "test_tcp_support.h"

static struct rig *rig_for(uint32_t max_peers)
{
    struct sanwo_stack_config config = rig_config();
    config.max_peers = max_peers;
    return rig_with(&config);
}

/* A tuple of the @n-th peer. */
static struct tcp_tuple to(uint32_t n)
{
    struct tcp_tuple t = {.remote_port = 80, .local_port = 5000};
    t.local[15] = 1;
    sw_store32(t.remote + 12, n);
    return t;
}

static uint32_t count(const struct rig *r)
{
    uint32_t n = 0;
    while (sw_tcp_peers_at(&r->tcp, n))
        n++;
    return n;
}

static void test_make_and_find(void **state)
{
    struct rig *r = rig_for(256);
    struct tcp_tuple a = to(1), b = to(2), ports = to(1);
    (void)state;
    assert_null(sw_tcp_peer_find(&r->tcp, &a));
    struct tcp_peer *peer = sw_tcp_peer_make(&r->tcp, &a);
    assert_non_null(peer);
    assert_memory_equal(peer->remote, a.remote, 16);
    peer->mss = 77;
    assert_ptr_equal(sw_tcp_peer_find(&r->tcp, &a), peer);
    assert_ptr_equal(sw_tcp_peer_make(&r->tcp, &a), peer);
    assert_int_equal(peer->mss, 77);
    assert_null(sw_tcp_peer_find(&r->tcp, &b));
    ports.remote_port = ports.local_port = 9; /* the pair of addresses counts */
    assert_ptr_equal(sw_tcp_peer_find(&r->tcp, &ports), peer);
    b = a;
    b.local[15] = 2; /* both of them: RFC 7413 4.1.3 */
    assert_null(sw_tcp_peer_find(&r->tcp, &b));
    b = a;
    b.zone = 1;
    assert_null(sw_tcp_peer_find(&r->tcp, &b));
    rig_end(r);
}

/* Bounded, whatever comes: no more than so many, in no more than so many blocks. */
static void test_bounds(void **state)
{
    static const uint32_t limits[] = {1, 8, 9, 100, 256};
    (void)state;
    for (size_t i = 0; i < SW_COUNT(limits); i++) {
        struct rig *r = rig_for(limits[i]);
        uint64_t before = r->region.used;
        uint32_t sets = (limits[i] + 7) / 8;
        for (uint32_t n = 0; n < 2000; n++) {
            struct tcp_tuple t = to(n);
            assert_non_null(sw_tcp_peer_make(&r->tcp, &t));
        }
        assert_int_equal(count(r), sets * 8);
        assert_int_equal(r->region.used - before, sets * 512);
        assert_int_equal(sw_tcp_peers_forget(&r->tcp, NULL), sets * 8);
        rig_settled(r, before);
        assert_int_equal(count(r), 0);
        rig_end(r);
    }
}

static void test_switched_off(void **state)
{
    struct rig *r = rig_for(0);
    struct tcp_tuple t = to(1);
    (void)state;
    assert_null(sw_tcp_peer_make(&r->tcp, &t));
    assert_null(sw_tcp_peer_find(&r->tcp, &t));
    assert_null(sw_tcp_peers_at(&r->tcp, 0));
    assert_int_equal(sw_tcp_peers_forget(&r->tcp, NULL), 0);
    assert_int_equal(sw_tcp_peers_directory_size(0), 0);
    rig_end(r);
}

/* The one written longest ago makes room; writing again counts. */
static void test_the_oldest_goes(void **state)
{
    struct rig *r = rig_for(8); /* a single set */
    (void)state;
    for (uint32_t n = 0; n < 8; n++) {
        struct tcp_tuple t = to(n);
        r->tcp.now += SANWO_SEC(1);
        assert_non_null(sw_tcp_peer_make(&r->tcp, &t));
    }
    struct tcp_tuple first = to(0), second = to(1), new = to(8);
    r->tcp.now += SANWO_SEC(1);
    sw_tcp_peer_make(&r->tcp, &first);
    struct tcp_peer *peer = sw_tcp_peer_make(&r->tcp, &new);
    assert_int_equal(peer->mss, 0);
    assert_non_null(sw_tcp_peer_find(&r->tcp, &first));
    assert_null(sw_tcp_peer_find(&r->tcp, &second));
    assert_int_equal(count(r), 8);
    rig_end(r);
}

/* which peers share a set is another matter in each stack. */
static void test_sets_are_keyed(void **state)
{
    struct rig *a = rig_for(64), *b = rig_for(64);
    unsigned same = 0;
    (void)state;
    b->tcp.peers.key.k0 ^= 1;
    for (uint32_t n = 0; n < 64; n++) {
        struct tcp_tuple t = to(n);
        sw_tcp_peer_make(&a->tcp, &t);
        sw_tcp_peer_make(&b->tcp, &t);
    }
    for (uint32_t n = 0; n < 16; n++) {
        const struct tcp_peer *x = sw_tcp_peers_at(&a->tcp, n), *y = sw_tcp_peers_at(&b->tcp, n);
        same += x && y && memcmp(x->remote, y->remote, 16) == 0;
    }
    assert_in_range(same, 0, 8);
    rig_end(a);
    rig_end(b);
}

/* While memory is short nothing is begun; what is there is used. */
static void test_memory(void **state)
{
    struct sanwo_stack_config config = rig_config();
    struct tcp_tuple a = to(1), b = to(2);
    (void)state;
    config.budget = 256 << 10;
    config.max_peers = 64;
    struct rig *r = rig_with(&config);
    assert_non_null(sw_tcp_peer_make(&r->tcp, &a));
    while (!sw_tcp_memory_is_short(&r->tcp))
        assert_int_not_equal(sw_region_alloc(&r->region, 4096), 0);
    assert_non_null(sw_tcp_peer_make(&r->tcp, &a));
    for (uint32_t n = 2; n < 40; n++) { /* those of its set still find room there */
        b = to(n);
        struct tcp_peer *peer = sw_tcp_peer_make(&r->tcp, &b);
        assert_true(!peer || peer == sw_tcp_peer_find(&r->tcp, &b));
    }
    assert_in_range(count(r), 1, 8);
    rig_end(r);
}

static void test_forget_one(void **state)
{
    struct rig *r = rig_for(256);
    uint64_t before = r->region.used;
    struct tcp_tuple a = to(1), b = to(2), other = to(1);
    (void)state;
    other.local[15] = 9;
    sw_tcp_peer_make(&r->tcp, &a);
    sw_tcp_peer_make(&r->tcp, &b);
    sw_tcp_peer_make(&r->tcp, &other);
    assert_int_equal(sw_tcp_peers_forget(&r->tcp, a.remote), 2); /* with each address of ours */
    assert_null(sw_tcp_peer_find(&r->tcp, &a));
    assert_non_null(sw_tcp_peer_find(&r->tcp, &b));
    assert_int_equal(sw_tcp_peers_forget(&r->tcp, b.remote), 1);
    rig_settled(r, before);
    rig_end(r);
}

/* What is stored is bounded: a row is what a connection had, and what the entry says then. */
static void test_extremes(void **state)
{
    static const struct {
        sanwo_time srtt, rttvar;
        uint32_t ssthresh;
        uint16_t mss;
        uint32_t stored_srtt;
        uint16_t stored_ssthresh;
    } rows[] = {
        {SANWO_MSEC(5), SANWO_MSEC(1), UINT32_MAX, 1460, 5000, 0},
        {SANWO_SEC(10000), SANWO_SEC(10000), 2920, 1460, UINT32_MAX, 2},
        {SANWO_MSEC(5), 0, 1, 1460, 5000, 2},
        {SANWO_MSEC(5), 0, UINT32_MAX - 1, 1, 5000, UINT16_MAX},
        {SANWO_MSEC(5), 0, 100000, 0, 5000, UINT16_MAX},
        {999, 0, 2920, 1460, 0, 0}, /* less than can be told: nothing is stored */
        {0, 0, 2920, 1460, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_for(256);
        r->tcp.config.remember_peers = true;
        struct tcp_connection *c = rig_open(r, 1, 1);
        c->send.srtt = rows[i].srtt;
        c->send.rttvar = rows[i].rttvar;
        c->cc.ssthresh = rows[i].ssthresh;
        c->cc.mss = rows[i].mss;
        sw_tcp_peers_closed(&r->tcp, c);
        const struct tcp_peer *peer = sw_tcp_peer_find(&r->tcp, &c->tuple);
        assert_int_equal(peer ? peer->srtt : 0, rows[i].stored_srtt);
        assert_int_equal(peer ? peer->ssthresh : 0, rows[i].stored_ssthresh);
        rig_end(r);
    }
}

/* Without a loss the threshold that is remembered doubles, until it limits nothing. */
static void test_ssthresh_is_forgotten_by_success(void **state)
{
    struct rig *r = rig_for(256);
    (void)state;
    r->tcp.config.remember_peers = true;
    struct tcp_connection *c = rig_open(r, 1, 1);
    c->send.srtt = SANWO_MSEC(10);
    c->cc.ssthresh = 100u * c->cc.mss;
    sw_tcp_peers_closed(&r->tcp, c);
    const struct tcp_peer *peer = sw_tcp_peer_find(&r->tcp, &c->tuple);
    assert_int_equal(peer->ssthresh, 100);
    c->cc.ssthresh = 50u * c->cc.mss;
    sw_tcp_peers_closed(&r->tcp, c);
    assert_int_equal(peer->ssthresh, 75);
    c->cc.ssthresh = UINT32_MAX;
    sw_tcp_peers_closed(&r->tcp, c);
    assert_int_equal(peer->ssthresh, 150);
    for (int i = 0; i < 9; i++)
        sw_tcp_peers_closed(&r->tcp, c);
    assert_int_equal(peer->ssthresh, 0);
    rig_end(r);
}

static void test_reordering(void **state)
{
    struct rig *r = rig_for(256);
    (void)state;
    r->tcp.config.remember_peers = true;
    struct tcp_connection *c = rig_open(r, 1, 1);
    c->send.srtt = SANWO_MSEC(10);
    sw_tcp_peers_closed(&r->tcp, c);
    sw_tcp_peers_established(&r->tcp, c);
    assert_int_equal(c->reordering_seen, 0);
    c->reordering_seen = 1;
    sw_tcp_peers_closed(&r->tcp, c);
    c->reordering_seen = 0;
    sw_tcp_peers_established(&r->tcp, c);
    assert_int_equal(c->reordering_seen, 1);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_and_find),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_the_oldest_goes),
        cmocka_unit_test(test_sets_are_keyed),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_forget_one),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_ssthresh_is_forgotten_by_success),
        cmocka_unit_test(test_reordering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
