/*
 * test_tcp_scoreboard.c - SACK blocks onto the records: what is believed, and what is marked.
 */
#include "test_tcp_support.h"

#define FLIGHT 20000u

/* @count records of @length from @una on, a millisecond apart. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t una, uint32_t count,
                                        uint32_t length)
{
    struct tcp_connection *c = rig_open(r, una, 1);

    c->sack = 1;
    c->send.min_rtt = c->send.srtt = SANWO_MSEC(50);
    for (uint32_t i = 0; i < count; i++) {
        r->tcp.now += SANWO_MSEC(1);
        assert_true(sw_tcp_records_push(&r->tcp, c, length));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, length);
    }
    c->send.snd_end = c->send.snd_nxt;
    return c;
}

static bool report(struct rig *r, struct tcp_connection *c, const struct wire_tcp_sack *blocks,
                   uint8_t count)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);

    seg.ack = c->send.snd_una;
    seg.options.sack_count = count;
    memcpy(seg.options.sack, blocks, count * sizeof blocks[0]);
    bool news = sw_tcp_scoreboard_update(&r->tcp, c, &seg).bytes;
    rig_check_records(r, c);
    return news;
}

/* Bytes in [from, to), relative to una, that the records call SACKed. */
static uint32_t sacked(const struct rig *r, const struct tcp_connection *c, uint32_t from,
                       uint32_t to)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < sw_tcp_records_count(&r->tcp, c); i++) {
        const struct tcp_record *record = rig_record(r, c, i);
        uint32_t a = tcp_seq_distance(c->send.snd_una, record->seq), b = a + record->length;
        a = a > from ? a : from;
        b = b < to ? b : to;
        if (record->flags & RECORD_SACKED && a < b)
            bytes += b - a;
    }
    return bytes;
}

/* Attack B-04: every pair of edges from these distances of una and of nxt. RFC2018-3-1. */
static void test_edges(void **state)
{
    (void)state;
    const uint32_t places[] = {0, 1, 2, 100, 0x7fffffff, 0x80000000, 0x80000001};
    const uint32_t starts[] = {1000, 0, 0xffffffff, 0xffffe000, 0x7fffffff, 0x80000000};
    uint32_t edges[4 * SW_COUNT(places)], n = 0;

    for (size_t i = 0; i < SW_COUNT(places); i++) {
        edges[n++] = places[i];
        edges[n++] = 0u - places[i];
        edges[n++] = FLIGHT + places[i];
        edges[n++] = FLIGHT - places[i];
    }
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        for (uint32_t pair = 0; pair < n * n; pair++) {
            uint32_t left = edges[pair / n], right = edges[pair % n];
            struct wire_tcp_sack block = {tcp_seq_of(starts[s] + left),
                                          tcp_seq_of(starts[s] + right)};
            if (left == 0)
                continue; /* see the next test */
            struct tcp_connection *c = in_flight(r, starts[s], 4, FLIGHT / 4);
            bool believed = left < right && right <= FLIGHT;
            bool news = report(r, c, &block, 1);
            if (news != believed)
                fail_msg("block [una%+d, una%+d) of %u in flight: %s", (int)left, (int)right,
                         FLIGHT, news ? "believed" : "refused");
            assert_int_equal(sacked(r, c, 0, FLIGHT), believed ? right - left : 0);
            assert_int_equal(c->send.in_flight, FLIGHT - (believed ? right - left : 0));
            rig_discard(r, c);
        }
        rig_end(r);
    }
}

/*
 * RFC 2018 3: the byte below a block is missing, so none begins at SND.UNA. One that does
 * contradicts the acknowledgement it came with, and would hide the very byte that is waited for.
 * RFC2018-3-1.
 */
static void test_block_at_snd_una(void **state)
{
    (void)state;
    const uint32_t starts[] = {1000, 0, 0xffffffff, 0xffffe000};
    const uint32_t rights[] = {1, 2, 5000, FLIGHT - 1, FLIGHT};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rights); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, starts[s], 4, FLIGHT / 4);
            struct wire_tcp_sack block = {tcp_seq_of(starts[s]), tcp_seq_of(starts[s] + rights[i])};
            assert_false(report(r, c, &block, 1));
            assert_int_equal(c->send.in_flight, FLIGHT);
            rig_end(r);
        }
    }
}

static void test_marks_and_splits(void **state)
{
    (void)state;
    const struct {
        uint32_t left, right, records; /* afterwards; before there are 4 of 1000 */
    } rows[] = {
        {1000, 2000, 4}, {1000, 1500, 5}, {1500, 2000, 5}, {1200, 1300, 6}, {1500, 2500, 6},
        {1, 4000, 5},    {1, 3999, 6},    {1000, 4000, 4}, {3999, 4000, 5}, {1999, 2001, 6},
    };
    const uint32_t starts[] = {1000, 0xffffffff, 0xfffff830};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, starts[s], 4, 1000);
            struct wire_tcp_sack block = {tcp_seq_of(starts[s] + rows[i].left),
                                          tcp_seq_of(starts[s] + rows[i].right)};
            assert_true(report(r, c, &block, 1));
            assert_int_equal(sw_tcp_records_count(&r->tcp, c), rows[i].records);
            assert_int_equal(sacked(r, c, rows[i].left, rows[i].right),
                             rows[i].right - rows[i].left);
            assert_int_equal(c->send.in_flight, 4000 - (rows[i].right - rows[i].left));
            assert_false(report(r, c, &block, 1)); /* no news the second time */
            assert_int_equal(sw_tcp_records_count(&r->tcp, c), rows[i].records);
            rig_end(r);
        }
    }
}

/* What was taken for lost and arrived after all is not sent again. */
static void test_lost_that_arrived(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffffc18, 4, 1000);
    struct wire_tcp_sack block = {tcp_seq_of(0xfffffc18 + 1000u), tcp_seq_of(0xfffffc18 + 2000u)};

    rig_set_flags(r, c, 1, RECORD_LOST);
    assert_int_equal(c->send.lost, 1000);
    assert_true(report(r, c, &block, 1));
    assert_int_equal(c->send.lost, 0);
    rig_end(r);
}

static void test_no_memory_to_split(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 70; count++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffffff0, count, 100);
        struct wire_tcp_sack block = {tcp_seq_of(0xfffffff0 + 10u),
                                      tcp_seq_of(0xfffffff0 + count * 100 - 10)};
        r->region.fault_countdown = 1;
        report(r, c, &block, 1); /* as much as can be said; the records stay in order */
        assert_true(sacked(r, c, 0, 10) == 0);
        assert_true(sacked(r, c, count * 100 - 10, count * 100) == 0);
        rig_end(r);
    }
}

/* What could not be marked is marked when the same block comes again and there is memory. */
static void test_refused_and_repeated(void **state)
{
    (void)state;
    for (uint32_t count = 2; count < 70; count++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffffff0, count, 100);
        struct wire_tcp_sack block = {tcp_seq_of(0xfffffff0 + 10u),
                                      tcp_seq_of(0xfffffff0 + count * 100 - 10)};
        r->region.fault_countdown = 1;
        report(r, c, &block, 1);
        r->region.fault_countdown = 0;
        report(r, c, &block, 1);
        assert_int_equal(sacked(r, c, 0, count * 100), count * 100 - 20);
        rig_end(r);
    }
}

/* Blocks that grow, shrink and come back: each byte is news once. */
static void test_known_blocks(void **state)
{
    (void)state;
    const struct {
        uint32_t left, right;
        bool news;
    } rows[] = {{5000, 6000, true},  {5000, 7000, true},  {4000, 7000, true},  {5000, 6000, false},
                {4000, 7000, false}, {1000, 9000, true},  {6000, 7000, false}, {1, 20000, true},
                {5000, 6000, false}, {1000, 20000, false}};
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xffffe000, 20, 1000);

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct wire_tcp_sack block = {tcp_seq_of(0xffffe000 + rows[i].left),
                                      tcp_seq_of(0xffffe000 + rows[i].right)};
        assert_int_equal(report(r, c, &block, 1), rows[i].news);
    }
    assert_int_equal(c->send.in_flight, 1);
    for (uint32_t i = 0; i < sw_tcp_records_count(&r->tcp, c); i++) /* the peer threw all away */
        rig_set_flags(r, c, i, 0);
    sw_tcp_scoreboard_forget(&r->tcp, c);
    struct wire_tcp_sack again = {tcp_seq_of(0xffffe000 + 1000u), tcp_seq_of(0xffffe000 + 20000u)};
    assert_true(report(r, c, &again, 1));
    assert_int_equal(c->send.in_flight, 1000);
    rig_end(r);
}

/* ---- against a map of bytes -------------------------------------------------------------- */

static bool map_report(bool *map, uint32_t flight, uint32_t left, uint32_t right)
{
    bool news = false;

    for (uint32_t at = left; left && right <= flight && at < right; at++) {
        news |= !map[at];
        map[at] = true;
    }
    return news;
}

static void test_random_blocks(void **state)
{
    (void)state;
    struct dice d = dice_of(__func__);
    static bool map[4000];

    for (int life = 0; life < 60; life++) {
        struct rig *r = rig_new();
        uint32_t una = life & 1 ? 0xfffff000 + roll(&d, 4000) : roll(&d, UINT32_MAX);
        struct tcp_connection *c = in_flight(r, una, 20, 200);
        uint32_t total = 0;
        memset(map, 0, sizeof map);
        for (int i = 0; i < 30; i++) {
            struct wire_tcp_sack blocks[WIRE_TCP_SACK_BLOCKS];
            bool news = false;
            uint8_t count = (uint8_t)(1 + roll(&d, WIRE_TCP_SACK_BLOCKS));
            for (uint8_t b = 0; b < count; b++) {
                uint32_t left = 1 + roll(&d, 4300), right = left + roll(&d, 600) - 50;
                blocks[b].left = tcp_seq_of(una + left);
                blocks[b].right = tcp_seq_of(una + right);
                if (left < right)
                    news |= map_report(map, 4000, left, right);
            }
            assert_int_equal(report(r, c, blocks, count), news);
        }
        for (uint32_t at = 0; at < 4000; at++)
            total += map[at];
        assert_int_equal(sacked(r, c, 0, 4000), total);
        for (uint32_t at = 0; at < 4000; at += 37)
            assert_int_equal(sacked(r, c, at, at + 1), map[at]);
        assert_int_equal(c->send.in_flight, 4000 - total);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_block_at_snd_una),
        cmocka_unit_test(test_marks_and_splits),
        cmocka_unit_test(test_lost_that_arrived),
        cmocka_unit_test(test_no_memory_to_split),
        cmocka_unit_test(test_refused_and_repeated),
        cmocka_unit_test(test_known_blocks),
        cmocka_unit_test(test_random_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
