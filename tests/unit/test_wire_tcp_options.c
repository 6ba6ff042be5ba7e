/*
 * test_wire_tcp_options.c - TCP options: every truncation, every length byte at every place,
 * layouts known by hand, orders, cutting to the room, round trips, and a second reader to compare. Fast Open's
 * layouts are in test_wire_fast_open.c.
 */
#include "test_wire_options_support.h"

/* As Linux opens a connection. */
static const uint8_t linux_syn[20] = {2,    4, 0x05, 0xb4, 4, 2, 8, 10, 0x01, 0x02,
                                      0x03, 4, 0,    0,    0, 0, 1, 3,  3,    7};
/* NOP, NOP, timestamps, NOP, NOP, three SACK blocks. */
static const uint8_t full_ack[40] = {
    1, 1, 8, 10, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 1, 5, 26, 0xff, 0xff, 0xff, 0xf0,
    0, 0, 0, 16, 0, 0, 1, 0, 0,    0,    2,    0,    0, 0, 3, 0,  0,    0,    4,    0};

static void test_none(void **state)
{
    struct wire_tcp_options o, empty;

    (void)state;
    memset(&o, 0xa5, sizeof(o));
    sw_wire_tcp_options_none(&o);
    empty = read_exact(NULL, 0);
    assert_same(&o, &empty);
    assert_int_equal(o.mss, 0);
    assert_int_equal(o.window_scale, -1);
    assert_false(o.sack_permitted || o.timestamps || o.fast_open || o.malformed);
}

/* MUST-4. */
static void test_known_layouts(void **state)
{
    struct wire_tcp_options syn = read_exact(linux_syn, sizeof(linux_syn));
    struct wire_tcp_options ack = read_exact(full_ack, sizeof(full_ack));

    (void)state;
    assert_int_equal(syn.mss, 1460);
    assert_int_equal(syn.window_scale, 7);
    assert_true(syn.sack_permitted && syn.timestamps && !syn.malformed);
    assert_int_equal(syn.ts_value, 0x01020304);
    assert_int_equal(syn.ts_echo, 0);
    assert_int_equal(ack.ts_value, 1);
    assert_int_equal(ack.ts_echo, UINT32_MAX);
    assert_int_equal(ack.sack_count, 3);
    assert_int_equal(ack.sack[0].left.raw, 0xfffffff0); /* a block over the wrap-around */
    assert_int_equal(ack.sack[0].right.raw, 16);
    assert_int_equal(ack.sack[2].right.raw, 0x400);
}

/* Attack A-03: what stands before the cut counts, the rest does no harm. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t n = 0; n <= sizeof(linux_syn); n++) {
        struct wire_tcp_options o = read_exact(linux_syn, n);
        assert_int_equal(o.mss, n >= 4 ? 1460 : 0);
        assert_int_equal(o.sack_permitted, n >= 6);
        assert_int_equal(o.timestamps, n >= 16);
        assert_int_equal(o.window_scale, n >= 20 ? 7 : -1);
        assert_int_equal(o.malformed, n != 0 && n != 4 && n != 6 && n != 16 && n != 17 && n != 20);
    }
    for (size_t n = 0; n <= sizeof(full_ack); n++)
        read_exact(full_ack, n);
}

/* Attacks: MUST-6, MUST-7, MUST-64. Around the option are NOPs. */
static void test_every_length_byte_at_every_place(void **state)
{
    static const uint8_t kinds[] = {2, 3, 4, 5, 8, 34, 6, 19, 30, 63, 64, 253, 255};
    uint8_t *p = malloc(40);

    (void)state;
    assert_non_null(p);
    for (size_t k = 0; k < sizeof(kinds); k++)
        for (size_t at = 0; at < 40; at++)
            for (unsigned size = 0; size < 256; size++) {
                struct wire_tcp_options o, again;
                memset(p, TCP_OPTION_NOP, 40);
                p[at] = kinds[k];
                if (at + 1 < 40)
                    p[at + 1] = (uint8_t)size;
                sw_wire_tcp_options_read(&o, p, 40);
                again = read_again(p, 40);
                assert_same(&o, &again);
                assert_int_equal(o.malformed, at + 1 >= 40 || size < 2 || size > 40 - at);
            }
    free(p);
}

/*
 * The same within what Linux sends, each byte with each value: also the fast case's near misses.
 * MUST-4, MUST-6.
 */
static void test_every_byte_of_known_layouts(void **state)
{
    static const struct {
        const uint8_t *bytes;
        size_t length;
    } rows[] = {{linux_syn, 20}, {full_ack, 40}, {full_ack, 12}};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        for (size_t at = 0; at < rows[i].length; at++)
            for (unsigned v = 0; v < 256; v++) {
                uint8_t bytes[40];
                memcpy(bytes, rows[i].bytes, rows[i].length);
                bytes[at] = (uint8_t)v;
                read_exact(bytes, rows[i].length);
            }
}

static void test_random_bytes(void **state)
{
    uint64_t seed = 9;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        size_t n = next_random(&seed) % 41;
        uint8_t bytes[40];
        random_fill(&seed, bytes, n);
        for (size_t at = 0; at < n; at++) /* else hardly any would be an option of ours */
            bytes[at] %= (uint8_t)(1 + next_random(&seed) % 40);
        read_exact(bytes, n);
    }
}

/* More bytes than a header has room for: five SACK blocks are not four. */
static void test_longer_than_any_header(void **state)
{
    uint8_t bytes[255];

    (void)state;
    for (unsigned size = 0; size < 256; size++) {
        struct wire_tcp_options o;
        memset(bytes, 0xee, sizeof(bytes));
        bytes[0] = TCP_OPTION_SACK;
        bytes[1] = (uint8_t)size;
        o = read_exact(bytes, sizeof(bytes));
        assert_true(o.sack_count <= WIRE_TCP_SACK_BLOCKS);
    }
}

static void test_first_of_two_counts(void **state)
{
    static const uint8_t bytes[] = {2, 4, 0, 0, 2, 4, 5, 0xb4, 3, 3, 200, 3, 3, 2, 0, 0};
    struct wire_tcp_options o = read_exact(bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(o.mss, 0); /* attack A-09: said as 0, and no second one makes it good */
    assert_int_equal(o.window_scale, 14); /* RFC 7323 2.3: above 14 is 14 */
    assert_false(o.malformed);
}

static void test_end_of_list_hides_the_rest(void **state)
{
    static const uint8_t bytes[] = {1, 0, 2, 4, 5, 0xb4, 8, 1};
    struct wire_tcp_options o = read_exact(bytes, sizeof(bytes));

    (void)state;
    assert_int_equal(o.mss, 0);
    assert_false(o.malformed);
}

static struct wire_tcp_options syn_options(void)
{
    struct wire_tcp_options o;

    sw_wire_tcp_options_none(&o);
    o.mss = 1460;
    o.window_scale = 7;
    o.sack_permitted = true;
    o.timestamps = true;
    o.ts_value = 0x01020304;
    return o;
}

static void add_sack(struct wire_tcp_options *o, uint8_t count)
{
    o->sack_count = count;
    for (uint32_t i = 0; i < count; i++)
        o->sack[i] = (struct wire_tcp_sack){tcp_seq_of(i * 100), tcp_seq_of(i * 100 + 50)};
}

static void test_write_like_linux(void **state)
{
    struct wire_tcp_options o = syn_options();
    uint8_t out[40];

    (void)state;
    assert_int_equal(write_exact(&o, NULL, out, 40), 20);
    assert_memory_equal(out, linux_syn, 20);

    sw_wire_tcp_options_none(&o);
    o.timestamps = true;
    o.ts_value = 1;
    o.ts_echo = UINT32_MAX;
    assert_int_equal(write_exact(&o, NULL, out, 40), 12);
    assert_memory_equal(out, full_ack, 12);
    o.sack_count = 3;
    o.sack[0] = (struct wire_tcp_sack){tcp_seq_of(0xfffffff0), tcp_seq_of(16)};
    o.sack[1] = (struct wire_tcp_sack){tcp_seq_of(0x100), tcp_seq_of(0x200)};
    o.sack[2] = (struct wire_tcp_sack){tcp_seq_of(0x300), tcp_seq_of(0x400)};
    assert_int_equal(write_exact(&o, NULL, out, 40), 40);
    assert_memory_equal(out, full_ack, 40);
}

static const struct layout layouts[] = {
    /* nothing at all */
    {{.window_scale = -1}, {0}, 40, 0, {0}},
    /* without timestamps: NOPs before SACK permitted */
    {{.mss = 536, .window_scale = 0, .sack_permitted = true},
     {0},
     40,
     12,
     {2, 4, 2, 24, 1, 1, 4, 2, 1, 3, 3, 0}},
    /* SACK alone */
    {{.window_scale = -1, .sack_count = 1, .sack = {{{1}, {2}}}},
     {0},
     40,
     12,
     {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
    /* an order without NOPs is aligned for the caller */
    {{.mss = 536, .window_scale = 2}, {3, 2}, 40, 8, {1, 3, 3, 2, 2, 4, 2, 24}},
    /* with NOPs it is taken at its word, trailing zeros included */
    {{.mss = 536, .window_scale = 2, .sack_permitted = true},
     {2, 1, 3, 1, 1, 4},
     40,
     12,
     {2, 4, 2, 24, 1, 3, 3, 2, 1, 1, 4, 2}},
    {{.mss = 536, .window_scale = 2, .sack_permitted = true},
     {3, 2, 1, 4},
     40,
     12,
     {3, 3, 2, 2, 4, 2, 24, 1, 4, 2, 0, 0}},
    /* kinds that are not there or not known are passed over */
    {{.mss = 536, .window_scale = -1}, {8, 77, 3, 4, 2, 34, 5}, 40, 4, {2, 4, 2, 24}},
    /* what is not in the order is not written */
    {{.mss = 536, .window_scale = 2}, {3}, 40, 4, {1, 3, 3, 2}},
    /* NOPs belong to the option after them, and stay away with it */
    {{.window_scale = -1}, {1, 1, 1, 1, 1, 1}, 4, 0, {0}},
    {{.mss = 1460, .window_scale = -1}, {2, 1, 3, 4, 8}, 40, 4, {2, 4, 5, 180}},
    {{.mss = 1460, .window_scale = -1, .sack_permitted = true},
     {2, 1, 3, 4, 1, 1, 8},
     40,
     8,
     {2, 4, 5, 180, 4, 2, 0, 0}},
    /* too little room: whole options or none */
    {{.mss = 536, .window_scale = 2}, {0}, 7, 4, {2, 4, 2, 24}},
    {{.mss = 536, .window_scale = 2}, {0}, 3, 0, {0}},
    /* no room for NOPs, but for the option */
    {{.window_scale = -1, .sack_permitted = true, .sack_count = 1, .sack = {{{1}, {2}}}},
     {4, 5},
     16,
     16,
     {1, 1, 4, 2, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
};

/* MUST-69. */
static void test_write_layouts(void **state)
{
    (void)state;
    assert_layouts(layouts, SW_COUNT(layouts));
}

/* For every room: it fits, it reads, and SACK blocks give way from the end. */
static void test_write_every_room(void **state)
{
    (void)state;
    for (uint8_t count = 0; count <= 4; count++)
        for (size_t room = 0; room <= 40; room++)
            for (unsigned syn = 0; syn < 2; syn++) {
                struct wire_tcp_options o = syn_options(), got;
                uint8_t out[40];
                size_t n, used = syn ? 20 : 12, blocks = 0;
                if (!syn) {
                    o.mss = 0;
                    o.window_scale = -1;
                    o.sack_permitted = false;
                }
                add_sack(&o, count);
                n = write_exact(&o, NULL, out, room);
                got = read_exact(out, n);
                assert_false(got.malformed);
                if ((room & ~(size_t)3) < used)
                    continue;
                if (room >= used + 12)
                    blocks = ((room & ~(size_t)3) - used - 4) / 8;
                assert_int_equal(got.sack_count, blocks < count ? blocks : count);
                assert_int_equal(n, used + (got.sack_count ? 4u + 8u * got.sack_count : 0));
                assert_memory_equal(got.sack, o.sack, 8u * got.sack_count);
            }
}

static struct wire_tcp_options random_options(uint64_t *seed)
{
    struct wire_tcp_options o;
    uint64_t bits = next_random(seed);

    sw_wire_tcp_options_none(&o);
    if (bits & 1)
        o.mss = (uint16_t)(next_random(seed) | 1);
    if (bits & 2)
        o.window_scale = (int8_t)(next_random(seed) % 15);
    o.sack_permitted = bits & 4;
    if (bits & 8) {
        o.timestamps = true;
        random_fill(seed, &o.ts_value, 8);
    }
    if (bits & 16) {
        o.fast_open = true;
        o.fast_open_length = (uint8_t)(next_random(seed) % 8 * 2);
        o.fast_open_length = o.fast_open_length == 2 ? 16 : o.fast_open_length;
        random_fill(seed, o.fast_open_cookie, o.fast_open_length);
        o.fast_open_experiment = (bits & 64) != 0;
    }
    if (bits & 32) {
        o.sack_count = (uint8_t)(1 + next_random(seed) % 4);
        random_fill(seed, o.sack, 8u * o.sack_count);
    }
    return o;
}

/* Bytes without any alignment: what is surely enough of them goes in whole. */
static size_t bare_size(const struct wire_tcp_options *o)
{
    return (o->mss ? 4u : 0) + (o->window_scale >= 0 ? 3u : 0) + (o->sack_permitted ? 2u : 0) +
           (o->timestamps ? 10u : 0) +
           (o->fast_open ? 2u + 2u * o->fast_open_experiment + o->fast_open_length : 0) +
           (o->sack_count ? 2u + 8u * o->sack_count : 0);
}

static void test_round_trip(void **state)
{
    static const uint8_t all[] = {5, 34, 3, 8, 4, 2}, packed[] = {34, 5, 3, 8, 4, 2, 1};
    uint64_t seed = 10;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct wire_tcp_options o = random_options(&seed), got;
        uint8_t order[8] = {0}, out[40];
        size_t n;
        memcpy(order, i % 2 ? all : packed, i % 2 ? sizeof(all) : sizeof(packed));
        n = write_exact(&o, i % 3 ? order : NULL, out, 40);
        got = read_exact(out, n);
        assert_false(got.malformed);
        /* Packed tight only timestamps are aligned; elsewhere NOPs take at most 3 an option. */
        if (bare_size(&o) + (i % 3 && !(i % 2) ? 3u : 15u) <= 40)
            assert_same(&got, &o);
    }
}

/* MUST-69, attack A-10: written bytes are the options', NOPs and zeros, never the memory's. */
static void test_no_byte_is_left_unwritten(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct wire_tcp_options o = random_options(&seed);
        size_t room = next_random(&seed) % 41;
        uint8_t a[40], b[40];
        size_t n;
        memset(a, 0, sizeof(a));
        memset(b, 0xff, sizeof(b));
        n = sw_wire_tcp_options_write(&o, NULL, a, room);
        assert_int_equal(sw_wire_tcp_options_write(&o, NULL, b, room), n);
        assert_memory_equal(a, b, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_known_layouts),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_length_byte_at_every_place),
        cmocka_unit_test(test_every_byte_of_known_layouts),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_longer_than_any_header),
        cmocka_unit_test(test_first_of_two_counts),
        cmocka_unit_test(test_end_of_list_hides_the_rest),
        cmocka_unit_test(test_write_like_linux),
        cmocka_unit_test(test_write_layouts),
        cmocka_unit_test(test_write_every_room),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_byte_is_left_unwritten),
    };

    return cmocka_run_group_tests_name("wire/tcp_options", tests, NULL, NULL);
}
