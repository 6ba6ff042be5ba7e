/*
 * test_receive.c - Receiving: reassembly, SACK and D-SACK blocks, delayed ACKs, the window offered,
 * the urgent pointer, PAWS.
 *
 * RFC 9293 3.8.5, 3.8.6, 3.10.7.4 (sixth, seventh); RFC 5681 4.2; RFC 2018 4; RFC 2883; RFC 7323 5.
 */
#include "peer.h"

static const struct segment *data(struct peer *p, uint32_t seq, uint32_t length)
{
    SEND(p, .flags = ACK, .seq = seq, .ack = 1, .length = length);
    return NULL;
}

static void open_with_sack(struct peer *p)
{
    p->offer.sack_permitted = true;
    established_active(p);
}

/* The next segment is an ACK with these SACK blocks, and nothing else waits. */
static void expect_sacks(struct peer *p, uint32_t ack, unsigned count, const uint32_t blocks[][2])
{
    const struct segment *seg = EXPECT(p, .flags = ACK, .seq = 1, .ack = ack);
    assert_int_equal(seg->sack_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(seg->sack[i][0], blocks[i][0]);
        assert_int_equal(seg->sack[i][1], blocks[i][1]);
    }
    EXPECT_NOTHING(p);
}
#define SACKS(...) ((const uint32_t[][2]){__VA_ARGS__})

/* ---- reassembly ----------------------------------------------------------------------------------- */

/* SHLD-31: held for later; delivered in order, once the hole is filled. MAY-13. RFC5681-4.2-1. */
static void test_SHLD_31_out_of_order(void **state)
{
    static const uint32_t order[] = {4, 2, 7, 3, 1, 9, 8, 0, 6, 5};
    struct peer *p = *state;
    open_with_sack(p);
    for (unsigned i = 0; i < 10; i++) {
        data(p, 1 + 100 * order[i], 100);
        /* RFC 5681 4.2: out of order and filling a hole: an ACK at once */
        assert_int_equal(peer_discard(p), 1);
        assert_int_equal(peer_info(p).out_of_order_segments > 0, 1);
    }
    assert_int_equal(p->last.segment.ack, 1001);
    assert_int_equal(peer_info(p).receive_out_of_order, 0);
    READ(p, 1000);
}

/* Overlaps of every kind, each byte once. */
static void test_overlapping_segments(void **state)
{
    static const uint32_t rows[][2] = {{101, 100}, {151, 100}, {51, 100},  {301, 50}, {201, 200},
                                       {110, 20},  {501, 1},   {403, 200}, {1, 60},   {401, 10}};
    struct peer *p = *state;
    open_with_sack(p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        data(p, rows[i][0], rows[i][1]);
    peer_discard(p);
    assert_int_equal(peer_info(p).receive_queued, 602);
    READ(p, 602);
}

/* Attack C-12: where copies differ, the first that arrived is what the user reads. */
static void test_C_12_first_copy_wins(void **state)
{
    static const uint8_t other[200] = "other bytes than before";
    struct peer *p = *state;
    open_with_sack(p);
    data(p, 101, 100);
    SEND(p, .flags = ACK, .seq = 101, .ack = 1, .length = 100, .payload = other);
    SEND(p, .flags = ACK, .seq = 51, .ack = 1, .length = 51, .payload = other); /* one byte over */
    uint8_t front[100], back[200];
    for (unsigned i = 0; i < 100; i++)
        front[i] = peer_pattern(1 + i);
    memcpy(front + 50, other, 50); /* 51..100 came from there first */
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, back, 200, p->now), 200);
    assert_memory_equal(back, front, 100);
    for (unsigned i = 100; i < 200; i++)
        assert_int_equal(back[i], peer_pattern(1 + i));
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 210, .payload = (const uint8_t[210]){9});
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, back, 200, p->now), 10);
    peer_discard(p);
}

/* ---- SACK, RFC 2018 4 -------------------------------------------------------------------------------- */

/*
 * First the block of the segment that caused the ACK, then the most recently reported ones.
 * RFC2018-4-1.
 */
static void test_RFC2018_4_order_of_blocks(void **state)
{
    struct peer *p = *state;
    open_with_sack(p);
    data(p, 101, 100);
    expect_sacks(p, 1, 1, SACKS({101, 201}));
    data(p, 301, 100);
    expect_sacks(p, 1, 2, SACKS({301, 401}, {101, 201}));
    data(p, 501, 100);
    expect_sacks(p, 1, 3, SACKS({501, 601}, {301, 401}, {101, 201}));
    data(p, 401, 50); /* grows the second */
    expect_sacks(p, 1, 3, SACKS({301, 451}, {501, 601}, {101, 201}));
    data(p, 201, 100); /* joins two */
    expect_sacks(p, 1, 2, SACKS({101, 451}, {501, 601}));
    data(p, 1, 100); /* fills the hole: what is acknowledged is not reported */
    expect_sacks(p, 451, 1, SACKS({501, 601}));
}

/* As many as fit: four blocks, three beside a timestamp. RFC2018-4-1. */
static void test_RFC2018_3_number_of_blocks(void **state)
{
    struct peer *p = *state;
    for (int ts = 0; ts < 2; ts++) {
        p->offer.has_ts = ts;
        open_with_sack(p);
        for (uint32_t i = 0; i < 10; i++) {
            data(p, 101 + 200 * i, 100);
            peer_discard(p);
            unsigned most = ts ? 3 : 4;
            assert_int_equal(p->last.segment.sack_count, i + 1 < most ? i + 1 : most);
            for (unsigned k = 0; k < p->last.segment.sack_count; k++)
                assert_int_equal(p->last.segment.sack[k][0], 101 + 200 * (i - k));
        }
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* RFC 2883 4: what arrived twice is reported first. RFC2883-4-1. */
static void test_RFC2883_4_d_sack(void **state)
{
    struct peer *p = *state;
    open_with_sack(p);
    data(p, 1, 500);
    peer_advance(p, 100);
    peer_discard(p);
    data(p, 1, 500); /* 4.1.1: a whole segment, below the ACK */
    expect_sacks(p, 501, 1, SACKS({1, 501}));
    data(p, 1001, 500);
    expect_sacks(p, 501, 1, SACKS({1001, 1501}));
    data(p, 1001, 500); /* 4.1.2: out of order and a duplicate: D-SACK, then the block around it */
    expect_sacks(p, 501, 2, SACKS({1001, 1501}, {1001, 1501}));
    data(p, 101, 100); /* below the ACK while a block is held */
    expect_sacks(p, 501, 2, SACKS({101, 201}, {1001, 1501}));
    data(p, 1501, 500); /* it is reported once only */
    expect_sacks(p, 501, 1, SACKS({1001, 2001}));
}

/* 4.2.1: a segment of which a part is new. RFC2883-4-1. */
static void test_RFC2883_4_2_partial_duplicate(void **state)
{
    struct peer *p = *state;
    open_with_sack(p);
    data(p, 1, 500);
    peer_advance(p, 100);
    peer_discard(p);
    data(p, 301, 400);
    const struct segment *ack = peer_next(p, 100);
    assert_non_null(ack);
    assert_int_equal(ack->ack, 701);
    assert_int_equal(ack->sack_count, 1);
    assert_int_equal(ack->sack[0][0], 301);
    assert_int_equal(ack->sack[0][1], 501);
}

/* ---- acknowledging, 3.8.6.3, RFC 5681 4.2 ------------------------------------------------------------- */

/* SHLD-18, MUST-40: an ACK is held back, and less than half a second. RFC5681-4.2-1. */
static void test_MUST_40_delayed_ack(void **state)
{
    struct peer *p = *state;
    established_active(p);
    data(p, 1, 100);
    QUIET(p, 35);
    EXPECT_WITHIN(p, 10, .flags = ACK, .seq = 1, .ack = 101); /* 40 ms: our choice */
    QUIET(p, 10000);
}

/* MUST-40: no more than half a second. */
static void test_delayed_ack_is_configurable(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_int_equal(
        sanwo_tcp_set_option(p->stack, p->conn, SANWO_TCP_DELAYED_ACK, SANWO_MSEC(200), p->now), 0);
    data(p, 1, 100);
    QUIET(p, 195);
    EXPECT_WITHIN(p, 10, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(
        sanwo_tcp_set_option(p->stack, p->conn, SANWO_TCP_DELAYED_ACK, SANWO_MSEC(500), p->now),
        -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn, SANWO_TCP_QUICK_ACK, 1, p->now), 0);
    data(p, 101, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 201);
}

/* SHLD-19: at least every second full segment. */
static void test_SHLD_19_ack_every_second_segment(void **state)
{
    struct peer *p = *state;
    established_active(p);
    uint32_t at = 1, last = 1;
    for (int i = 0; i < 20; i++, at += 1460) {
        data(p, at, 1460);
        const struct segment *ack = peer_next(p, 0);
        if (ack)
            last = ack->ack;
        assert_true(at + 1460 - last < 2 * 1460);
    }
    peer_advance(p, 100);
    peer_discard(p);
    READ(p, 20 * 1460);
}

/* MUST-58, MUST-59: what arrives in one batch is acknowledged at once, not each. */
static void test_MUST_58_59_aggregated_acks(void **state)
{
    struct peer *p = *state;
    established_active(p);
    for (uint32_t at = 1; at < 30001; at += MSS)
        data(p, at, MSS);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 30001);
    EXPECT_NOTHING(p);
    READ(p, 30000);
}

/* An ACK rides on data if there is some. */
static void test_ack_is_piggybacked(void **state)
{
    struct peer *p = *state;
    established_active(p);
    data(p, 1, 100);
    WRITE(p, 50);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 101, .length = 50);
    QUIET(p, 100);
}

/* ---- the window offered, 3.8.6 -------------------------------------------------------------------------- */

/* It shrinks as data waits, its edge does not move back, it opens when the user reads. MAY-8. */
static void test_window_closes_and_opens(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 10000;
    established_active(p);
    for (uint32_t at = 1; at < 10001; at += MSS)
        data(p, at, MSS);
    peer_advance(p, 100);
    peer_discard(p);
    assert_int_equal(p->last.segment.ack, 10001);
    assert_int_equal(p->last.segment.window, 0);
    QUIET(p, 3600 * 1000);
    READ(p, 10000);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 10001)->window, 10000);
}

/* MUST-39: no silly windows: the edge moves by a full segment or half the buffer, or not. */
static void test_MUST_39_receiver_avoids_silly_windows(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 10000;
    p->config.tcp.mss = MSS;
    established_active(p);
    for (uint32_t at = 1; at < 10001; at += MSS)
        data(p, at, MSS);
    peer_advance(p, 100);
    peer_discard(p);
    for (uint32_t i = 1; i <= 5000; i++) {
        READ(p, 1);
        const struct segment *update = peer_next(p, 0);
        if (update) {
            assert_true(update->window >= MSS);
            assert_true(update->window <= i);
        }
        if (i % 100 == 0) { /* a probe does not bring a silly one to light either */
            SEND(p, .flags = ACK, .seq = p->last.segment.ack, .ack = 1, .zero_window = false);
            peer_discard(p);
            assert_true(p->last.segment.window == 0 || p->last.segment.window >= MSS);
        }
    }
    assert_true(p->last.segment.window >= 3000);
}

static void test_window_update_is_not_repeated(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 10000;
    established_active(p);
    data(p, 1, 100);
    EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 1, .ack = 101);
    READ(p, 100); /* little was taken: no update */
    QUIET(p, 10000);
}

/* SHLD-14 is checked on all segments: with a scaled window as well. */
static void test_SHLD_14_scaled_window_never_shrinks(void **state)
{
    struct peer *p = *state;
    p->offer.scale = SCALE(0);
    p->config.tcp.receive_buffer = 1 << 20;
    established_active(p);
    uint32_t at = 1;
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t length = 1 + i * 7919 % 1400;
        data(p, at, length);
        at += length;
        if (i % 3 == 0)
            peer_discard(p);
        if (i % 100 == 99) {
            READ(p, at - p->read_at);
            peer_advance(p, 10);
        }
    }
    READ(p, at - p->read_at);
}

/* ---- urgent, 3.8.5 -------------------------------------------------------------------------------------- */

/*
 * MUST-30, 32, 33, 62: told at once, how much is left, and the pointer is one past the last byte.
 *
 */
static void test_MUST_30_32_33_62_urgent(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 0);
    SEND(p, .flags = ACK | URG, .seq = 1, .ack = 1, .urgent = 300, .length = 100);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_URGENT);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 300); /* of which 100 are here */
    READ(p, 60);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 240);
    SEND(p, .flags = ACK | URG, .seq = 101, .ack = 1, .urgent = 200, .length = 100);
    assert_false(peer_events(p, p->conn).what & SANWO_EVENT_URGENT); /* the same place */
    SEND(p, .flags = ACK | URG, .seq = 201, .ack = 1, .urgent = 101, .length = 101);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_URGENT); /* it advanced by one */
    READ(p, 240);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 1);
    READ(p, 1);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 0);
    peer_discard(p);
}

/* The pointer counts from the number in the header, also where the front of the text is old. */
static void test_MUST_62_urgent_in_an_overlapping_segment(void **state)
{
    struct peer *p = *state;
    established_active(p);
    data(p, 1, 100);
    SEND(p, .flags = ACK | URG, .seq = 51, .ack = 1, .urgent = 80, .length = 100);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 130);
    READ(p, 150);
    peer_discard(p);
}

/* MUST-31: of any length. Each segment carries the pointer on. */
static void test_MUST_31_long_urgent_data(void **state)
{
    struct peer *p = *state;
    established_active(p);
    for (uint32_t at = 1; at < 200001; at += MSS) {
        SEND(p, .flags = ACK | URG, .seq = at, .ack = 1, .urgent = 65535, .length = MSS);
        assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 65535);
        READ(p, MSS);
        assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), 64535);
        peer_discard(p);
    }
}

/* Attack A-04: 0, beyond the segment, old, on a FIN: a mark moves or not, nothing else. */
static void test_A_04_strange_urgent_pointers(void **state)
{
    static const uint16_t pointers[] = {0, 1, 10, 11, 65535, 32768};
    struct peer *p = *state;
    established_active(p);
    for (unsigned i = 0; i < 6; i++) {
        SEND(p, .flags = ACK | URG, .seq = 1 + 10 * i, .ack = 1, .urgent = pointers[i],
             .length = 10);
        READ(p, 10);
        assert_in_range(sanwo_tcp_urgent(p->stack, p->conn), 0, 65535);
    }
    SEND(p, .flags = ACK, .seq = 61, .ack = 1, .urgent = 5, .length = 10); /* no URG: no pointer */
    READ(p, 10);
    SEND(p, .flags = ACK | URG | FIN, .seq = 71, .ack = 1, .urgent = 500);
    ASSERT_STATE(p, CLOSE_WAIT);
    peer_discard(p);
}

/* ---- timestamps and PAWS, RFC 7323 ------------------------------------------------------------------------ */

static uint32_t ts_now(const struct peer *p)
{
    return p->ts_base + (uint32_t)(p->now / SANWO_MSEC(1));
}

static void open_with_ts(struct peer *p)
{
    p->offer.has_ts = true;
    p->offer.sack_permitted = true;
    established_active(p);
}

/*
 * 5.3 R1: older than TS.Recent: ACK and drop, whatever else is right. Modulo 2^32. MUST-5: an
 * option outside a SYN is obeyed.
 * RFC7323-5.3-1.
 */
static void test_RFC7323_5_3_paws(void **state)
{
    static const struct {
        int64_t later;
        bool good;
    } rows[] = {{0, true},
                {1, true},
                {-1, false},
                {-1000, false},
                {-600000, false},
                {-1, false},
                {INT64_C(-0x7fffffff), false},
                {1000000, true}};
    struct peer *p = *state;
    open_with_ts(p);
    uint32_t recent = ts_now(p), at = 1;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t ts = recent + (uint32_t)rows[i].later;
        SEND(p, .flags = ACK, .seq = at, .ack = 1, .length = 10, .has_ts = true, .ts_value = ts);
        if (rows[i].good) {
            READ(p, 10);
            at += 10;
            recent = ts;
        } else {
            EXPECT(p, .flags = ACK, .seq = 1, .ack = at);
            assert_int_equal(peer_info(p).receive_queued, 0);
            assert_int_equal(p->last_drop, SANWO_REASON_PAWS);
        }
        peer_advance(p, 1000);
        peer_discard(p);
    }
}

/*
 * 4.3: TS.Recent is taken from a segment that covers Last.ACK.sent only; so it is what we echo.
 * RFC7323-4.3-1.
 */
static void test_RFC7323_4_3_ts_recent(void **state)
{
    struct peer *p = *state;
    open_with_ts(p);
    uint32_t base = ts_now(p) + 100;
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .has_ts = true, .ts_value = base);
    assert_int_equal(EXPECT_WITHIN(p, 50, .flags = ACK, .seq = 1, .ack = 11)->ts_echo, base);
    /* out of order: the ACK echoes the old one (A.2 of the appendix on delayed ACKs, case B) */
    SEND(p, .flags = ACK, .seq = 21, .ack = 1, .length = 10, .has_ts = true, .ts_value = base + 5);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 11)->ts_echo, base);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .has_ts = true, .ts_value = base + 9);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 31)->ts_echo, base + 9);
    /* delayed: the earliest segment not acknowledged yet is echoed (case A) */
    SEND(p, .flags = ACK, .seq = 31, .ack = 1, .length = 5, .has_ts = true, .ts_value = base + 20);
    SEND(p, .flags = ACK, .seq = 36, .ack = 1, .length = 5, .has_ts = true, .ts_value = base + 30);
    const struct segment *ack = peer_next(p, 50);
    assert_non_null(ack);
    assert_int_equal(ack->ts_echo, base + 20);
}

/* Attack C-07: an unacceptable segment must not poison TS.Recent. */
static void test_C_07_paws_is_not_poisoned(void **state)
{
    struct peer *p = *state;
    open_with_ts(p);
    uint32_t now = ts_now(p);
    SEND(p, .flags = ACK, .seq = 0x40000000, .ack = 1, .length = 10, .has_ts = true,
         .ts_value = now + 0x10000000);
    SEND(p, .flags = SYN, .seq = 1, .has_ts = true, .ts_value = now + 0x10000000);
    SEND(p, .flags = RST, .seq = 5, .has_ts = true, .ts_value = now + 0x10000000);
    SEND(p, .flags = ACK, .seq = 5, .ack = 1, .length = 10, .has_ts = true,
         .ts_value = now + 0x10000000);
    SEND(p, .flags = ACK, .seq = 1, .ack = 77, .length = 10, .has_ts = true,
         .ts_value = now + 0x10000000);
    peer_discard(p);
    data(p, 1, 4);
    READ(p, 4);
}

/*
 * 3.2: a segment without the option is dropped, never a reason to abort; resets are exempt.
 * RFC7323-3.2-2.
 */
static void test_RFC7323_3_2_missing_timestamp(void **state)
{
    struct peer *p = *state;
    open_with_ts(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .no_ts = true);
    peer_advance(p, 100);
    peer_discard(p);
    assert_int_equal(peer_info(p).receive_queued, 0);
    assert_int_equal(p->last_drop, SANWO_REASON_TIMESTAMP_MISSING);
    UNCHANGED(p);
    data(p, 1, 10);
    READ(p, 10);
}

/* 5.5: after 24 days of silence TS.Recent says nothing any more. RFC7323-5.5-1. */
static void test_RFC7323_5_5_ts_recent_expires(void **state)
{
    struct peer *p = *state;
    for (int days = 23; days <= 25; days += 2) {
        open_with_ts(p);
        uint32_t now = ts_now(p);
        data(p, 1, 10);
        READ(p, 10);
        peer_advance(p, days * INT64_C(24) * 3600 * 1000);
        peer_discard(p);
        SEND(p, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .has_ts = true,
             .ts_value = now - 1000);
        assert_int_equal(peer_info(p).receive_queued, days > 24 ? 10 : 0);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/*
 * 5.4: our clock ticks between once in 1 ms and once in 1 s, and starts somewhere else each time.
 * RFC7323-5.4-1.
 */
static void test_RFC7323_5_4_timestamp_clock(void **state)
{
    struct peer *p = *state;
    open_with_ts(p);
    WRITE(p, 1);
    uint32_t first = EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1)->ts_value;
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    peer_advance(p, 10000);
    WRITE(p, 1);
    uint32_t second = EXPECT(p, .flags = ACK, .seq = 2, .ack = 1, .length = 1)->ts_value;
    assert_in_range(second - first, 10, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_62_urgent_in_an_overlapping_segment),
        BOTH(test_SHLD_31_out_of_order),
        BOTH(test_overlapping_segments),
        BOTH(test_C_12_first_copy_wins),
        BOTH(test_RFC2018_4_order_of_blocks),
        BOTH(test_RFC2018_3_number_of_blocks),
        BOTH(test_RFC2883_4_d_sack),
        BOTH(test_RFC2883_4_2_partial_duplicate),
        BOTH(test_MUST_40_delayed_ack),
        BOTH(test_delayed_ack_is_configurable),
        BOTH(test_SHLD_19_ack_every_second_segment),
        BOTH(test_MUST_58_59_aggregated_acks),
        BOTH(test_ack_is_piggybacked),
        BOTH(test_window_closes_and_opens),
        BOTH(test_MUST_39_receiver_avoids_silly_windows),
        BOTH(test_window_update_is_not_repeated),
        BOTH(test_SHLD_14_scaled_window_never_shrinks),
        BOTH(test_MUST_30_32_33_62_urgent),
        BOTH(test_MUST_31_long_urgent_data),
        BOTH(test_A_04_strange_urgent_pointers),
        BOTH(test_RFC7323_5_3_paws),
        BOTH(test_RFC7323_4_3_ts_recent),
        BOTH(test_C_07_paws_is_not_poisoned),
        BOTH(test_RFC7323_3_2_missing_timestamp),
        BOTH(test_RFC7323_5_5_ts_recent_expires),
        BOTH(test_RFC7323_5_4_timestamp_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
