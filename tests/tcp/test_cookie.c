/*
 * test_cookie.c - SYN cookies: what a listener answers when its backlog is full (RFC 4987 3.6).
 *
 * Attacks B-08, B-09, B-11, C-14. The flood itself is in tests/attacks.
 */
#include "peer.h"

/* A listener whose ISNs are its own; one half-open connection fills the backlog. */
static void listen_full(struct peer *p, const struct sanwo_tcp_config *config, uint32_t flags)
{
    struct segment syn = p->offer;
    peer_start(p);
    struct sanwo_tcp_listen open = {
        .local = {.port = OUR_PORT}, .backlog = 1, .flags = flags, .user = p, .config = config};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    syn.flags = SYN;
    peer_send_from(p, 999, &syn);
    peer_discard(p);
    assert_int_equal(peer_stats(p).half_open, 1);
}

/* A SYN from @port; the cookie's number becomes what 0 is on the wire. */
static const struct segment *cookie_for(struct peer *p, uint16_t port)
{
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send_from(p, port, &syn);
    const struct segment *answer = peer_next(p, 0);
    assert_non_null(answer);
    assert_int_equal(answer->flags, SYN | ACK);
    assert_int_equal(answer->ack, 1);
    p->iss += answer->seq;
    p->written_at = p->read_at = 1;
    assert_int_equal(peer_stats(p).half_open, 1); /* nothing is kept */
    return answer;
}

/* The ACK with what the SYN-ACK's timestamp said. */
static void answer_cookie(struct peer *p, uint16_t port, const struct segment *cookie)
{
    struct segment ack = {.flags = ACK, .seq = 1, .ack = 1};
    ack.has_ts = cookie->has_ts;
    ack.ts_value = p->offer.ts_value;
    ack.ts_echo = cookie->ts_value;
    ack.no_ts = !cookie->has_ts;
    peer_send_from(p, port, &ack);
}

static struct sanwo_tcp_info accept_it(struct peer *p)
{
    peer_accept(p);
    return peer_info(p);
}

static bool opened(struct peer *p)
{
    struct sanwo_handle h;
    int result = sanwo_tcp_accept(p->stack, p->listener, p, &h);
    if (result == -SANWO_EAGAIN)
        return false;
    assert_int_equal(result, 0);
    sanwo_tcp_abort(p->stack, h, p->now);
    peer_discard(p);
    return true;
}

/* RFC4987-3-1. */
static void test_B_08_cookie_completes(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    const struct segment *cookie = cookie_for(p, 1000);
    answer_cookie(p, 1000, cookie);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).reasons[SANWO_REASON_COOKIE_SENT], 1);
    assert_int_equal(peer_stats(p).reasons[SANWO_REASON_COOKIE_ACCEPTED], 1);
    struct sanwo_tcp_info info = accept_it(p);
    assert_int_equal(info.state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(info.remote.port, 1000);
    assert_int_equal(info.snd_wnd, 65535);
    assert_int_equal(info.srtt, 0); /* nobody knows when the SYN-ACK went out */
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10); /* of another port: no connection */
    peer_discard(p);
    peer_send_from(p, 1000, &(struct segment){.flags = ACK, .seq = 1, .ack = 1, .length = 20});
    READ(p, 20);
    WRITE(p, 30);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 21, .length = 30);
}

/* The timestamp carries the options of the SYN; without one there are none. */
static void test_B_08_options(void **state)
{
    struct peer *p = *state;
    static const struct {
        bool ts, sack;
        int scale; /* -1: not offered */
    } rows[] = {{true, true, 0},  {true, true, 14},  {true, true, 7},  {true, false, 3},
                {true, true, -1}, {true, false, -1}, {false, true, 7}, {false, false, -1}};
    listen_full(p, NULL, 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p->offer.has_ts = rows[i].ts;
        p->offer.ts_value = 12345 + i;
        p->offer.sack_permitted = rows[i].sack;
        p->offer.scale = rows[i].scale >= 0 ? SCALE(rows[i].scale) : 0;
        const struct segment *cookie = cookie_for(p, (uint16_t)(1000 + i));
        assert_int_equal(cookie->has_ts, rows[i].ts);
        assert_int_equal(cookie->ts_echo, rows[i].ts ? 12345 + i : 0);
        assert_int_equal(cookie->sack_permitted, rows[i].ts && rows[i].sack);
        assert_int_equal(cookie->scale != 0, rows[i].ts && rows[i].scale >= 0);
        p->ts_on = rows[i].ts;
        answer_cookie(p, (uint16_t)(1000 + i), cookie);
        struct sanwo_tcp_info info = accept_it(p);
        assert_int_equal(info.timestamps, rows[i].ts);
        assert_int_equal(info.sack, rows[i].ts && rows[i].sack);
        assert_int_equal(info.send_scale, rows[i].ts ? rows[i].scale : -1);
        assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
        peer_discard(p);
        p->ts_on = false;
        peer_advance(p, 37);
    }
}

/* The MSS comes back rounded down, never up (MUST-16). */
static void test_B_08_mss(void **state)
{
    struct peer *p = *state;
    bool v6 = p->family == SANWO_FAMILY_IPV6;
    static const struct {
        uint16_t offered, used;
    } rows[] = {{1460, 1460}, {1459, 1440}, {1440, 1440}, {1400, 1400}, {1399, 1360},
                {1220, 1220}, {1219, 536},  {536, 536},   {535, 64},    {100, 64},
                {64, 64},     {1, 64},      {9000, 1460}};
    listen_full(p, NULL, 0);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p->offer.mss = rows[i].offered;
        answer_cookie(p, (uint16_t)(1000 + i), cookie_for(p, (uint16_t)(1000 + i)));
        uint16_t most = v6 ? 1440 : 1460; /* what our own link takes */
        assert_int_equal(accept_it(p).send_mss, rows[i].used < most ? rows[i].used : most);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
    p->offer.mss = 0; /* MUST-15 */
    answer_cookie(p, 2000, cookie_for(p, 2000));
    assert_int_equal(accept_it(p).send_mss, v6 ? 1220 : 536);
}

/* B-11: the SYN-ACK goes out once; the SYN again is answered again, statelessly. */
static void test_B_11_sent_once(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    peer_send_from(p, 999, &(struct segment){.flags = RST, .seq = 1}); /* free again ... */
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send_from(p, 998, &syn); /* ... and filled again, by one that does not interest here */
    peer_discard(p);
    peer_send_from(p, 998, &(struct segment){.flags = RST, .seq = 1});
    peer_send_from(p, 997, &syn);
    peer_discard(p);
    uint64_t before = peer_stats(p).segments_out;
    cookie_for(p, 1000);
    cookie_for(p, 1000);
    assert_int_equal(peer_stats(p).segments_out - before, 2);
    peer_send_from(p, 997, &(struct segment){.flags = RST, .seq = 1});
    QUIET(p, 200000);
}

/* The final ACK was lost: the first data brings the same. With FIN too. */
static void test_B_09_lost_final_ack(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    cookie_for(p, 1000);
    peer_send_from(p, 1000,
                   &(struct segment){.flags = ACK | FIN, .seq = 1, .ack = 1, .length = 100});
    assert_int_equal(accept_it(p).state, SANWO_TCP_CLOSE_WAIT);
    READ(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 102);
}

/* The SYN comes again when there is room for a record: both answers to it must say the same. */
static void test_B_09_syn_again_with_room(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    struct segment cookie = *cookie_for(p, 1000), syn = p->offer;
    peer_send_from(p, 999, &(struct segment){.flags = RST, .seq = 1});
    assert_int_equal(peer_stats(p).half_open, 0);
    peer_advance(p, 1000);
    syn.flags = SYN;
    peer_send_from(p, 1000, &syn);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(peer_stats(p).half_open, 1);
    answer_cookie(p, 1000, &cookie);
    EXPECT_NOTHING(p);
    assert_true(opened(p));
}

/* Deviation D28: data that overtook the segment with the cookie waits for it, unanswered. */
static void test_B_09_data_behind_the_cookie(void **state)
{
    struct peer *p = *state;
    const struct segment second = {.flags = ACK, .seq = 101, .ack = 1, .length = 50};
    listen_full(p, NULL, 0);
    cookie_for(p, 1000);
    peer_send_from(p, 1000, &second);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_COOKIE_INVALID);
    peer_send_from(p, 1000, &(struct segment){.flags = ACK, .seq = 1, .ack = 1, .length = 100});
    peer_send_from(p, 1000, &second);
    peer_accept(p);
    READ(p, 150);
}

/* What is no cookie of this tuple, this ISN, this time, is answered with a reset. */
static void test_B_09_forgeries(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    cookie_for(p, 1000);
    const struct segment forged[] = {
        {.flags = ACK, .seq = 1, .ack = 0},          {.flags = ACK, .seq = 2, .ack = 1},
        {.flags = ACK, .seq = 0, .ack = 1},          {.flags = ACK, .seq = 1, .ack = 9},
        {.flags = ACK, .seq = 1, .ack = 0x80000001}, {.flags = ACK, .seq = 1, .ack = 0x100001},
    };
    for (unsigned i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        struct segment seg = forged[i];
        if (i == 0)
            seg.ack -= 8; /* beyond the three bits that carry the MSS, whatever they are */
        if (i == 3)
            seg.ack += 8;
        peer_send_from(p, 1000, &seg);
        EXPECT(p, .flags = RST, .seq = seg.ack);
        assert_int_equal(p->last_drop, SANWO_REASON_COOKIE_INVALID);
        assert_false(opened(p));
    }
    uint32_t next_bit = (p->iss ^ 8) - p->iss + 1; /* the lowest that carries no MSS */
    peer_send_from(p, 1000, &(struct segment){.flags = ACK, .seq = 1, .ack = next_bit});
    EXPECT(p, .flags = RST, .seq = next_bit);
    peer_send_from(p, 1001, &(struct segment){.flags = ACK, .seq = 1, .ack = 1});
    EXPECT(p, .flags = RST, .seq = 1);
    peer_send_from(p, 1000, &(struct segment){.flags = SYN | ACK, .seq = 1, .ack = 1});
    EXPECT(p, .flags = RST, .seq = 1);
    assert_false(opened(p));
    answer_cookie(p, 1000, &(struct segment){0});
    assert_true(opened(p));
}

/* Guessing: each hits one number in 2^28; a hundred thousand must not. */
static void test_B_09_brute_force(void **state)
{
    struct peer *p = *state;
    uint32_t x = 1;
    listen_full(p, NULL, 0);
    cookie_for(p, 1000);
    for (unsigned i = 0; i < 100000; i++) {
        x = x * 1664525 + 1013904223;
        peer_send_from(p, (uint16_t)(1024 + x % 60000),
                       &(struct segment){.flags = ACK, .seq = x >> 7, .ack = x * 2654435761u});
        if (i % 512 == 0)
            peer_discard(p);
    }
    peer_discard(p);
    assert_int_equal(peer_stats(p).reasons[SANWO_REASON_COOKIE_ACCEPTED], 0);
    assert_int_equal(peer_stats(p).connections, 0);
}

/* Good for one to two slots of 64 s; and only while cookies are out at all. */
static void test_B_09_expiry(void **state)
{
    struct peer *p = *state;
    static const struct {
        int64_t seconds;
        bool good;
    } rows[] = {{0, true}, {1, true}, {63, true}, {129, false}, {200, false}, {86400, false}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (i == 0)
            listen_full(p, NULL, 0);
        else { /* the one that fills the backlog gave up meanwhile */
            struct segment syn = p->offer;
            syn.flags = SYN;
            peer_send_from(p, (uint16_t)(900 + i), &syn);
            peer_discard(p);
        }
        if (peer_stats(p).half_open == 0)
            continue;
        const struct segment cookie = *cookie_for(p, (uint16_t)(1000 + i));
        peer_advance(p, rows[i].seconds * 1000);
        peer_discard(p);
        answer_cookie(p, (uint16_t)(1000 + i), &cookie);
        if (!rows[i].good)
            EXPECT(p, .flags = RST, .seq = 1);
        assert_int_equal(opened(p), rows[i].good);
        peer_advance(p, 130000); /* until the backlog is free again */
        peer_discard(p);
    }
}

/* A listener that sent none believes none. */
static void test_B_09_only_after_an_overflow(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    struct segment cookie = *cookie_for(p, 1000);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    listen_full(p, NULL, 0);
    answer_cookie(p, 1000, &cookie);
    EXPECT(p, .flags = RST, .seq = 1);
    assert_int_equal(p->last_drop, SANWO_REASON_UNEXPECTED_ACK);
    assert_false(opened(p));
}

/* A timestamp that we did not send lately is none that carries options. */
static void test_B_09_stale_timestamp(void **state)
{
    struct peer *p = *state;
    static const struct {
        uint32_t off;
        bool good;
    } rows[] = {{0, true}, {64, false}, {0x80000000, false}, {0 - 200000u, false}};
    listen_full(p, NULL, 0);
    p->offer.has_ts = true;
    p->offer.ts_value = 5;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct segment cookie = *cookie_for(p, (uint16_t)(1000 + i));
        cookie.ts_value += rows[i].off;
        answer_cookie(p, (uint16_t)(1000 + i), &cookie);
        assert_int_equal(opened(p), rows[i].good);
        peer_discard(p);
    }
}

/* Where the user must be asked, or wants none, or could accept nothing, there are no cookies. */
static void test_no_cookies(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_config config;
    struct segment syn = p->offer;
    syn.flags = SYN;
    sanwo_tcp_config_default(&config);
    config.syn_cookies = false;
    listen_full(p, &config, 0);
    peer_send_from(p, 1000, &syn);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);

    listen_full(p, NULL, SANWO_LISTEN_DECIDE);
    peer_send_from(p, 1000, &syn);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);

    listen_full(p, NULL, 0);
    cookie_for(p, 1001);
    answer_cookie(p, 1001, &(struct segment){0}); /* the accept queue is full now */
    peer_send_from(p, 1002, &syn);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
    peer_accept(p);
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
}

/* Two cookies are out and one place is left: the second waits, and is not refused. */
static void test_accept_queue_full_at_the_ack(void **state)
{
    struct peer *p = *state;
    listen_full(p, NULL, 0);
    uint32_t iss = p->iss;
    struct segment first = *cookie_for(p, 1001);
    uint32_t iss1 = p->iss;
    p->iss = iss;
    struct segment second = *cookie_for(p, 1002);
    uint32_t iss2 = p->iss;
    p->iss = iss1;
    answer_cookie(p, 1001, &first);
    p->iss = iss2;
    answer_cookie(p, 1002, &second);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
    assert_true(opened(p));
    answer_cookie(p, 1002, &second); /* as with data that comes again */
    assert_true(opened(p));
}

/* An old duplicate of the final ACK, with data, after both sides closed: no new connection. */
static void test_B_09_replay(void **state)
{
    struct peer *p = *state;
    const struct segment data = {.flags = ACK, .seq = 1, .ack = 1, .length = 10};
    listen_full(p, NULL, 0);
    cookie_for(p, 1000);
    peer_send_from(p, 1000, &data);
    peer_accept(p);
    READ(p, 10);
    peer_send_from(p, 1000, &(struct segment){.flags = ACK | FIN, .seq = 11, .ack = 1});
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 12);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 12);
    peer_send_from(p, 1000, &(struct segment){.flags = ACK, .seq = 12, .ack = 2}); /* LAST-ACK */
    peer_send_from(p, 1000, &data);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 12); /* as TIME-WAIT does */
    assert_false(opened(p));
}

/* Stacks that share the key complete each other's handshakes. */
static void test_shared_key(void **state)
{
    struct peer *p = *state, *q;
    void *other = NULL;
    static const uint8_t key[16] = "0123456789abcde";
    for (int shared = 1; shared >= 0; shared--) {
        (p->family == SANWO_FAMILY_IPV4 ? peer_setup_ipv4 : peer_setup_ipv6)(&other);
        q = other;
        q->config.cookie_key_is_set = shared;
        memcpy(q->config.cookie_key, key, 16);
        q->config.seed[0] = 77;
        if (!p->stack) {
            p->config.cookie_key_is_set = true;
            memcpy(p->config.cookie_key, key, 16);
            listen_full(p, NULL, 0);
        }
        listen_full(q, NULL, 0);
        uint32_t iss = q->iss;
        cookie_for(q, 2000); /* cookies are out there too */
        peer_discard(q);
        struct segment cookie = *cookie_for(p, (uint16_t)(1000 + shared));
        q->iss = p->iss;
        answer_cookie(q, (uint16_t)(1000 + shared), &cookie);
        peer_discard(q);
        assert_int_equal(opened(q), shared);
        q->iss = iss;
        assert_int_equal(peer_teardown(&other), 0);
    }
}

/* C-14: the first cookie comes by chance somewhere in the last quarter of the backlog. */
static void test_C_14_early_by_chance(void **state)
{
    struct peer *p = *state;
    unsigned first[2] = {0};
    for (int round = 0; round < 2; round++) {
        struct sanwo_tcp_listen open = {
            .local = {.port = (uint16_t)(OUR_PORT + round)}, .backlog = 40, .user = p};
        struct segment syn = p->offer;
        syn.flags = SYN;
        p->config.seed[0] = 3;
        peer_start(p);
        p->ours.port = open.local.port;
        assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
        uint64_t before = peer_stats(p).reasons[SANWO_REASON_COOKIE_SENT];
        unsigned n = 0;
        while (n < 100 && peer_stats(p).reasons[SANWO_REASON_COOKIE_SENT] == before)
            peer_send_from(p, (uint16_t)(2000 + n++), &syn);
        peer_discard(p);
        first[round] = n;
        assert_in_range(n, 31, 41);
        if (round == 0)
            sanwo_tcp_close(p->stack, p->listener, p->now);
    }
    assert_true(first[0] < 41 || first[1] < 41);
    assert_true(first[0] > 31 || first[1] > 31);
    p->ours.port = OUR_PORT;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_B_08_cookie_completes),
        BOTH(test_B_08_options),
        BOTH(test_B_08_mss),
        BOTH(test_B_11_sent_once),
        BOTH(test_B_09_lost_final_ack),
        BOTH(test_B_09_syn_again_with_room),
        BOTH(test_B_09_data_behind_the_cookie),
        BOTH(test_B_09_forgeries),
        BOTH(test_B_09_brute_force),
        BOTH(test_B_09_expiry),
        BOTH(test_B_09_only_after_an_overflow),
        BOTH(test_B_09_stale_timestamp),
        BOTH(test_no_cookies),
        BOTH(test_accept_queue_full_at_the_ack),
        BOTH(test_B_09_replay),
        BOTH(test_shared_key),
        BOTH(test_C_14_early_by_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
