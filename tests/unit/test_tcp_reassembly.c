/*
 * test_tcp_reassembly.c - Out-of-order data against a map of bytes; SACK and D-SACK blocks.
 *
 * Each transmission of a byte carries another value, so what was kept shows who came first.
 */
#include "test_tcp_support.h"

#define WINDOW 20000 /* numbers that the map covers */

struct sack {
    uint32_t left, right; /* relative to the connection's first byte */
};

/* The peer sends [at, at + length); each byte is the position's plus @salt. */
static bool arrive(struct rig *r, struct tcp_connection *c, uint32_t start, uint32_t at,
                   uint32_t length, uint8_t salt)
{
    struct tcp_segment seg = rig_segment(r, c, start + at, TCP_ACK);
    uint8_t bytes[WINDOW];
    struct sanwo_slice slice;

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(rig_byte(at + i) + salt);
    slice = rig_borrow(r, length + 60, 40, bytes, length);
    seg.slices = &slice;
    seg.slice_count = 1;
    seg.skip = 40;
    seg.length = length;
    bool kept = sw_tcp_reassemble(&r->tcp, c, &seg);
    rig_return(r, &slice);
    return kept;
}

static void check_blocks(struct rig *r, struct tcp_connection *c, uint32_t start, unsigned room,
                         const struct sack *expected, unsigned n)
{
    struct wire_tcp_options o;

    sw_wire_tcp_options_none(&o);
    sw_tcp_sack_blocks(&r->tcp, c, &o, room);
    assert_int_equal(o.sack_count, n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(o.sack[i].left.raw - start, expected[i].left);
        assert_int_equal(o.sack[i].right.raw - start, expected[i].right);
    }
}

static struct tcp_connection *open_sack(struct rig *r, uint32_t start)
{
    struct tcp_connection *c = rig_open(r, 1, start);

    c->sack = 1;
    return c;
}

static const uint32_t starts[] = {1000, 0xfffffff0, 0xffffff38, 0xffffffff, 0x7fffff9c};

/* What joins what: the ranges held after each arrival, the latest first (RFC 2018 4). */
static void test_ranges(void **state)
{
    (void)state;
    const struct {
        struct sack in[5];
        struct sack out[4];
    } rows[] = {
        {{{100, 200}}, {{100, 200}}},
        {{{100, 200}, {200, 300}}, {{100, 300}}},
        {{{200, 300}, {100, 200}}, {{100, 300}}},
        {{{100, 200}, {300, 400}}, {{300, 400}, {100, 200}}},
        {{{300, 400}, {100, 200}}, {{100, 200}, {300, 400}}},
        {{{100, 200}, {300, 400}, {200, 300}}, {{100, 400}}},
        {{{100, 200}, {300, 400}, {150, 350}}, {{100, 400}}},
        {{{100, 200}, {300, 400}, {500, 600}, {50, 700}}, {{50, 700}}},
        {{{100, 200}, {300, 400}, {500, 600}, {700, 800}},
         {{700, 800}, {500, 600}, {300, 400}, {100, 200}}},
        {{{100, 200}, {300, 400}, {500, 600}, {400, 450}}, {{300, 450}, {500, 600}, {100, 200}}},
        {{{100, 200}, {99, 201}}, {{99, 201}}},
        {{{1, 2}, {3, 4}, {2, 3}}, {{1, 4}}},
        {{{100, 200}, {0, 100}}, {{0, 0}}},    /* all in order */
        {{{100, 200}, {0, 99}}, {{100, 200}}}, /* a byte is missing still */
        {{{100, 200}, {300, 400}, {0, 150}}, {{300, 400}}},
        {{{100, 200}, {300, 400}, {0, 350}}, {{0, 0}}},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = open_sack(r, starts[s]);
            unsigned n = 0;
            for (const struct sack *in = rows[i].in; in < rows[i].in + 5 && in->right; in++)
                assert_true(arrive(r, c, starts[s], in->left, in->right - in->left, 0));
            while (n < 4 && rows[i].out[n].right)
                n++;
            c->receive.dsack_left = c->receive.dsack_right;
            check_blocks(r, c, starts[s], 4, rows[i].out, n);
            assert_int_equal(c->receive.reassembly != 0, n != 0);
            sw_tcp_reassembly_clear(&r->tcp, c);
            rig_end(r);
        }
    }
}

/* RFC 2883 4: the duplicate comes first, is told once, and only where SACK was agreed. */
static void test_duplicates_reported(void **state)
{
    (void)state;
    const struct {
        struct sack in[3];
        struct sack out[3]; /* the first is the duplicate */
    } rows[] = {
        {{{100, 200}, {100, 200}}, {{100, 200}, {100, 200}}},
        {{{100, 200}, {150, 160}}, {{150, 160}, {100, 200}}},
        {{{100, 200}, {150, 250}}, {{150, 200}, {100, 250}}},
        {{{100, 200}, {50, 150}}, {{100, 150}, {50, 200}}},
        {{{100, 200}, {0, 150}}, {{100, 150}}},
        {{{100, 200}, {300, 400}, {120, 130}}, {{120, 130}, {100, 200}, {300, 400}}},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            for (int agreed = 0; agreed < 2; agreed++) {
                struct rig *r = rig_new();
                struct tcp_connection *c = rig_open(r, 1, starts[s]);
                unsigned n = 0;
                c->sack = agreed;
                for (const struct sack *in = rows[i].in; in < rows[i].in + 3 && in->right; in++)
                    assert_true(arrive(r, c, starts[s], in->left, in->right - in->left, 0));
                while (n < 3 && rows[i].out[n].right)
                    n++;
                check_blocks(r, c, starts[s], 4, rows[i].out, agreed ? n : 0);
                sw_tcp_ack_was_sent(c);
                check_blocks(r, c, starts[s], 4, rows[i].out + 1, agreed ? n - 1 : 0);
                rig_end(r);
            }
        }
    }
}

/* No more blocks than there is room for. */
static void test_room_for_blocks(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_sack(r, 0xffffff00);
    const struct sack all[] = {{900, 950}, {700, 750}, {500, 550}, {300, 350}};

    for (uint32_t at = 100; at < 1000; at += 200)
        arrive(r, c, 0xffffff00, at, 50, 0);
    for (unsigned room = 0; room < 6; room++)
        check_blocks(r, c, 0xffffff00, room, all, room < 4 ? room : 4);
    rig_end(r);
}

/* At most 48 ranges: a nearer one drives the farthest out, a farther one finds no room (B-05). */
static void test_range_overflow(void **state)
{
    (void)state;
    const uint32_t start = 0xffffff00;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_sack(r, start);
    uint64_t before = r->region.used;

    for (uint32_t i = 0; i < 48; i++)
        assert_true(arrive(r, c, start, 100 + 20 * i, 10, 0));
    uint32_t full = sw_tcp_reassembly_bytes(&r->tcp, c);
    assert_int_equal(full, 480);
    assert_false(arrive(r, c, start, 5000, 10, 0));
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), full);
    assert_true(
        arrive(r, c, start, 100 + 20 * 47 + 10, 5, 0)); /* it extends the last: no new range */
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), full + 5);
    assert_true(arrive(r, c, start, 50, 10, 0)); /* the last, of 15, is gone */
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), full - 10 + 10);
    assert_true(arrive(r, c, start, 55, 45, 0)); /* bridges 50 to 110: a range is free again */
    assert_true(arrive(r, c, start, 5000, 10, 0));
    assert_false(arrive(r, c, start, 6000, 10, 0));
    for (uint32_t i = 0; i < 48; i++)
        arrive(r, c, start, 90 + 20 * i, 10, 0);
    assert_true(arrive(r, c, start, 0, 50, 0));
    assert_true(tcp_seq_distance(tcp_seq_of(start), c->receive.rcv_nxt) >= 100 + 20 * 46);
    sw_tcp_reassembly_clear(&r->tcp, c);
    sw_tcp_receive_queue_clear(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
}

enum { PIECE = 700, PIECES = 1800 };

/* One of the pieces that a random order gives at each step: every other one, then those between. */
static void shuffle(struct dice *d, uint16_t *order, uint16_t from, uint16_t step, unsigned kind)
{
    for (unsigned i = 0; i < PIECES / 2; i++)
        order[i] = (uint16_t)(from + step * (kind == 1 ? PIECES / 2 - 1 - i : i));
    for (unsigned i = 0; kind == 2 && i < PIECES / 2; i++) {
        unsigned k = roll(d, PIECES / 2);
        uint16_t other = order[k];
        order[k] = order[i];
        order[i] = other;
    }
}

/* The first block told is what came last, and all of them are ranges there are. */
static void check_latest(struct rig *r, struct tcp_connection *c, uint32_t start, uint32_t at)
{
    struct wire_tcp_options o;

    sw_wire_tcp_options_none(&o);
    sw_tcp_sack_blocks(&r->tcp, c, &o, 3);
    if (!c->receive.reassembly)
        return;
    assert_true(o.sack_count >= 1);
    if (tcp_seq_after(tcp_seq_of(start + at), c->receive.rcv_nxt)) {
        assert_true(tcp_seq_before_or_equal(o.sack[0].left, tcp_seq_of(start + at)));
        assert_true(tcp_seq_after(o.sack[0].right, tcp_seq_of(start + at)));
    }
    for (unsigned i = 0; i < o.sack_count; i++)
        for (unsigned k = 0; k < i; k++)
            assert_false(tcp_seq_equal(o.sack[i].left, o.sack[k].left));
}

/* Every other segment of a window is lost: as many ranges as were not, in whatever order they come. */
static void test_many_ranges(void **state)
{
    (void)state;
    const uint32_t start = 0xfff00000;
    static uint16_t order[PIECES];
    static uint8_t out[PIECE * PIECES];
    struct dice d = dice_of(__func__);

    for (unsigned kind = 0; kind < 9; kind++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_sack(r, start);
        uint64_t before = r->region.used;
        shuffle(&d, order, 1, 2, kind % 3);
        shuffle(&d, order + PIECES / 2, 0, 2, kind / 3);
        for (unsigned i = 0; i < PIECES; i++) {
            uint32_t at = (uint32_t)order[i] * PIECE;
            if (!arrive(r, c, start, at, PIECE, 0))
                fail_msg("kind %u: piece %u is refused", kind, i);
            check_latest(r, c, start, at);
            if (i == PIECES / 2 - 1)
                assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), PIECES / 2 * PIECE);
        }
        assert_int_equal(c->receive.reassembly, 0);
        assert_int_equal(sw_tcp_receive_queue_read(&r->tcp, c, out, sizeof out), PIECE * PIECES);
        rig_check(out, 0, sizeof out);
        rig_settled(r, before);
        rig_end(r);
    }
}

/* Without memory for a larger array the farthest gives way, as it does when there are enough. */
static void test_no_memory_for_more_ranges(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_sack(r, 1);
    uint64_t before = r->region.used;
    unsigned refused = 0;

    assert_true(arrive(r, c, 1, 101 * 2000, 900, 0)); /* the first array */
    for (uint32_t i = 100; i > 0; i--) {
        uint32_t held = sw_tcp_reassembly_bytes(&r->tcp, c);
        r->region.fault_countdown = 2; /* the first is the driver's buffer, where the text stays */
        bool kept = arrive(r, c, 1, i * 2000, 900, 0);
        bool short_of_memory = r->region.fault_countdown == 0;
        r->region.fault_countdown = 0;
        assert_true(kept);
        assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), held + (short_of_memory ? 0 : 900));
        refused += short_of_memory;
    }
    assert_true(refused > 0);
    assert_true(sw_tcp_reassembly_bytes(&r->tcp, c) >= 48 * 900);
    sw_tcp_reassembly_clear(&r->tcp, c);
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), 0);
    rig_settled(r, before);
    rig_end(r);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 8; nth++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_sack(r, 0xfffffffe);
        uint64_t before = r->region.used;
        uint8_t bytes[300];
        rig_fill(bytes, 0, sizeof bytes);
        for (uint32_t at = 250; at > 0; at -= 50) {
            struct tcp_segment seg = rig_segment(r, c, 0xfffffffe + at, TCP_ACK);
            struct sanwo_slice slice;
            rig_payload(&seg, &slice, bytes + at, 25);
            r->region.fault_countdown = at == 250 || nth > 4 ? nth : 0;
            uint32_t held = sw_tcp_reassembly_bytes(&r->tcp, c);
            bool kept = sw_tcp_reassemble(&r->tcp, c, &seg);
            assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), held + (kept ? 25 : 0));
        }
        r->region.fault_countdown = 1;
        struct tcp_segment seg = rig_segment(r, c, 0xfffffffe, TCP_ACK);
        struct sanwo_slice slice;
        rig_payload(&seg, &slice, bytes, 10);
        /* What is in order goes first: for it the farthest of what is not is forgotten. */
        uint32_t held = sw_tcp_reassembly_bytes(&r->tcp, c);
        assert_true(held > 0);
        assert_true(sw_tcp_reassemble(&r->tcp, c, &seg));
        assert_int_equal(c->receive.queued, 10);
        assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), held - 25);
        sw_tcp_reassembly_clear(&r->tcp, c);
        r->region.fault_countdown = 1;
        sw_tcp_receive_queue_clear(&r->tcp, c);
        seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
        rig_payload(&seg, &slice, bytes, 10);
        assert_false(sw_tcp_reassemble(&r->tcp, c, &seg));
        assert_int_equal(c->receive.queued, 0);
        r->region.fault_countdown = 0;
        rig_settled(r, before);
        rig_end(r);
    }
}

/* ---- against a map ----------------------------------------------------------------------- */

struct map {
    uint32_t next; /* in order up to here */
    bool have[WINDOW];
    uint8_t salt[WINDOW]; /* of who came first */
};

static void check_stream(struct rig *r, struct tcp_connection *c, const struct map *m, uint32_t out,
                         uint32_t length)
{
    uint8_t bytes[WINDOW];

    assert_int_equal(sw_tcp_receive_queue_read(&r->tcp, c, bytes, length), length);
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != (uint8_t)(rig_byte(out + i) + m->salt[out + i]))
            fail_msg("byte %u is not of the first copy", out + i);
}

static void check_map(struct rig *r, struct tcp_connection *c, const struct map *m, uint32_t start)
{
    uint32_t behind = 0;

    for (uint32_t i = m->next; i < WINDOW; i++)
        behind += m->have[i];
    assert_int_equal(c->receive.rcv_nxt.raw - start, m->next);
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), behind);
    assert_int_equal(c->bytes_received, m->next);
}

/* Every block told is held as a whole, and ends where the map has a hole. */
static void check_told(struct rig *r, struct tcp_connection *c, const struct map *m, uint32_t start)
{
    struct wire_tcp_options o;

    sw_wire_tcp_options_none(&o);
    c->receive.dsack_left = c->receive.dsack_right;
    sw_tcp_sack_blocks(&r->tcp, c, &o, 4);
    for (unsigned i = 0; i < o.sack_count; i++) {
        uint32_t left = o.sack[i].left.raw - start, right = o.sack[i].right.raw - start;
        assert_true(left < right && right <= WINDOW);
        for (uint32_t at = left; at < right; at++)
            assert_true(m->have[at]);
        assert_false(m->have[left - 1]);
        assert_false(right < WINDOW && m->have[right]);
    }
}

static void one_life(struct rig *r, struct dice *d, uint32_t start)
{
    static struct map m;
    struct tcp_connection *c = open_sack(r, start);
    uint32_t out = 0;

    memset(&m, 0, sizeof m);
    while (m.next < WINDOW) {
        uint32_t reach = WINDOW - m.next < 3000 ? WINDOW - m.next : 3000;
        uint32_t at = m.next + (roll(d, 3) ? roll(d, reach) : 0);
        uint32_t length = 1 + roll(d, roll(d, 2) ? 400 : 1500);
        uint8_t salt = (uint8_t)roll(d, 256);
        length = length < WINDOW - at ? length : WINDOW - at;
        if (arrive(r, c, start, at, length, salt)) {
            for (uint32_t i = at; i < at + length; i++) {
                m.salt[i] = m.have[i] ? m.salt[i] : salt;
                m.have[i] = true;
            }
            while (m.next < WINDOW && m.have[m.next])
                m.next++;
        }
        check_map(r, c, &m, start);
        check_told(r, c, &m, start);
        if (roll(d, 4) == 0) {
            uint32_t n = roll(d, c->receive.queued + 1);
            check_stream(r, c, &m, out, n);
            out += n;
        }
    }
    check_stream(r, c, &m, out, c->receive.queued);
    assert_int_equal(c->receive.reassembly, 0);
    rig_discard(r, c);
}

static void test_against_map(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    struct tcp_tuple tuple = rig_tuple(9); /* keeps the pool's slab */

    rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
    rig_discard(r, rig_open(r, 1, 1));
    uint64_t before = r->region.used;
    for (size_t i = 0; i < SW_COUNT(starts); i++)
        one_life(r, &d, starts[i] - (i & 1 ? WINDOW / 2 : 0));
    rig_settled(r, before);
    rig_end(r);
}

/* Attack B-16: while memory is short what is behind a hole waits, what is in order does not. */
static void test_B_16_short_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_sack(r, 0xfffffffe);
    uint8_t bytes[100];
    struct sanwo_slice slice;

    rig_fill(bytes, 0, sizeof bytes);
    uint64_t budget = r->region.budget;
    r->region.budget = (r->region.used + 65536) / 3 * 4;
    while (!sw_tcp_memory_is_short(&r->tcp))
        assert_int_not_equal(sw_region_alloc(&r->region, 4096), 0);
    struct tcp_segment seg = rig_segment(r, c, 0xfffffffe + 50, TCP_ACK);
    rig_payload(&seg, &slice, bytes + 50, 50);
    assert_false(sw_tcp_reassemble(&r->tcp, c, &seg));
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), 0);
    seg = rig_segment(r, c, 0xfffffffe, TCP_ACK);
    rig_payload(&seg, &slice, bytes, 50);
    assert_true(sw_tcp_reassemble(&r->tcp, c, &seg));
    assert_int_equal(c->receive.queued, 50);
    r->region.budget = budget;
    seg = rig_segment(r, c, 0xfffffffe + 60, TCP_ACK);
    rig_payload(&seg, &slice, bytes + 60, 40);
    assert_true(sw_tcp_reassemble(&r->tcp, c, &seg));
    assert_int_equal(sw_tcp_reassembly_bytes(&r->tcp, c), 40);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_duplicates_reported),
        cmocka_unit_test(test_room_for_blocks),
        cmocka_unit_test(test_range_overflow),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_B_16_short_memory),
        cmocka_unit_test(test_against_map),
        cmocka_unit_test(test_many_ranges),
        cmocka_unit_test(test_no_memory_for_more_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
