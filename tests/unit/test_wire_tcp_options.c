/*
 * test_wire_tcp_options.c - TCP options: every truncation, every length byte at every place,
 * layouts known by hand, orders, cutting to the room, round trips, and a second reader to compare.
 */
#include "test_wire_support.h"

#include "wire/tcp.h"
#include "wire/tcp_options.h"

/* As Linux opens a connection. */
static const uint8_t linux_syn[20] = {2,    4, 0x05, 0xb4, 4, 2, 8, 10, 0x01, 0x02,
                                      0x03, 4, 0,    0,    0, 0, 1, 3,  3,    7};
/* NOP, NOP, timestamps, NOP, NOP, three SACK blocks. */
static const uint8_t full_ack[40] = {
    1, 1, 8, 10, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 1, 5, 26, 0xff, 0xff, 0xff, 0xf0,
    0, 0, 0, 16, 0, 0, 1, 0, 0,    0,    2,    0,    0, 0, 3, 0,  0,    0,    4,    0};

static const struct {
    uint8_t kind, size;
} known_sizes[] = {
    {TCP_OPTION_MSS, 4},        {TCP_OPTION_WINDOW_SCALE, 3}, {TCP_OPTION_SACK_PERMITTED, 2},
    {TCP_OPTION_SACK, 10},      {TCP_OPTION_SACK, 18},        {TCP_OPTION_SACK, 26},
    {TCP_OPTION_SACK, 34},      {TCP_OPTION_TIMESTAMPS, 10},  {TCP_OPTION_FAST_OPEN, 2},
    {TCP_OPTION_FAST_OPEN, 6},  {TCP_OPTION_FAST_OPEN, 8},    {TCP_OPTION_FAST_OPEN, 10},
    {TCP_OPTION_FAST_OPEN, 12}, {TCP_OPTION_FAST_OPEN, 14},   {TCP_OPTION_FAST_OPEN, 16},
    {TCP_OPTION_FAST_OPEN, 18},
};

static bool size_is_right(unsigned kind, unsigned size)
{
    for (size_t i = 0; i < SW_COUNT(known_sizes); i++)
        if (known_sizes[i].kind == kind && known_sizes[i].size == size)
            return true;
    return false;
}

static void take_known(struct wire_tcp_options *o, const uint8_t *p)
{
    const uint8_t *v = p + 2;

    switch (p[0]) {
    case TCP_OPTION_MSS:
        o->mss = sw_load16(v);
        break;
    case TCP_OPTION_WINDOW_SCALE:
        o->window_scale = v[0] > 14 ? 14 : (int8_t)v[0];
        break;
    case TCP_OPTION_SACK_PERMITTED:
        o->sack_permitted = true;
        break;
    case TCP_OPTION_SACK:
        o->sack_count = (uint8_t)((p[1] - 2) / 8);
        for (int i = 0; i < o->sack_count; i++, v += 8)
            o->sack[i] =
                (struct wire_tcp_sack){tcp_seq_of(sw_load32(v)), tcp_seq_of(sw_load32(v + 4))};
        break;
    case TCP_OPTION_TIMESTAMPS:
        o->timestamps = true;
        o->ts_value = sw_load32(v);
        o->ts_echo = sw_load32(v + 4);
        break;
    default:
        o->fast_open = true;
        o->fast_open_length = (uint8_t)(p[1] - 2);
        memcpy(o->fast_open_cookie, v, o->fast_open_length);
        break;
    }
}

/* The second reader: indices instead of a cursor, a table instead of a switch on sizes. */
static struct wire_tcp_options read_again(const uint8_t *p, size_t n)
{
    struct wire_tcp_options o;
    bool seen[256] = {false};

    memset(&o, 0, sizeof(o));
    o.window_scale = -1;
    for (size_t i = 0; i < n && p[i] != 0;) {
        if (p[i] == 1) {
            i++;
            continue;
        }
        if (i + 1 >= n || p[i + 1] < 2 || i + p[i + 1] > n) {
            o.malformed = true;
            break;
        }
        size_t cookie = p[i + 1] - 4u; /* of an experiment: RFC 7413 9 */
        if (p[i] == 254 && p[i + 1] >= 4 && sw_load16(p + i + 2) == 0xf989 && !o.fast_open &&
            (cookie == 0 || (cookie >= 4 && cookie <= 16 && cookie % 2 == 0))) {
            o.fast_open = o.fast_open_experiment = true;
            o.fast_open_length = (uint8_t)cookie;
            memcpy(o.fast_open_cookie, p + i + 4, cookie);
            seen[34] = true;
        }
        if (!seen[p[i]] && size_is_right(p[i], p[i + 1])) {
            take_known(&o, p + i);
            seen[p[i]] = true; /* one of the wrong size does not hide the right one behind it */
        }
        i += p[i + 1];
    }
    return o;
}

static void assert_same(const struct wire_tcp_options *a, const struct wire_tcp_options *b)
{
    assert_int_equal(a->ts_value, b->ts_value);
    assert_int_equal(a->ts_echo, b->ts_echo);
    assert_int_equal(a->mss, b->mss);
    assert_int_equal(a->window_scale, b->window_scale);
    assert_int_equal(a->sack_permitted, b->sack_permitted);
    assert_int_equal(a->timestamps, b->timestamps);
    assert_int_equal(a->malformed, b->malformed);
    assert_int_equal(a->fast_open, b->fast_open);
    assert_int_equal(a->fast_open_length, b->fast_open_length);
    assert_int_equal(a->fast_open_experiment, b->fast_open_experiment);
    assert_memory_equal(a->fast_open_cookie, b->fast_open_cookie, 16);
    assert_int_equal(a->sack_count, b->sack_count);
    assert_memory_equal(a->sack, b->sack, sizeof(a->sack));
}

/* Reads @n bytes from a place that ends with them, and compares with the second reader. */
static struct wire_tcp_options read_exact(const uint8_t *bytes, size_t n)
{
    uint8_t *p = exact_copy(bytes, n);
    struct wire_tcp_options o, again = read_again(bytes, n);

    sw_wire_tcp_options_read(&o, p, n);
    free(p);
    assert_same(&o, &again);
    return o;
}

/* RFC 7413 9, RFC 6994: the experiment counts as the option, the first of either as usual. */
static void test_fast_open_experiment(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t size;
        int length; /* of the cookie, -1: no option */
        bool experiment;
        uint8_t first; /* of the cookie */
    } rows[] = {
        {{254, 4, 0xf9, 0x89}, 4, 0, true, 0},
        {{254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 8, 4, true, 5},
        {{254, 7, 0xf9, 0x89, 5, 6, 7, 1}, 8, -1, false, 0},
        {{254, 6, 0xf9, 0x89, 5, 6, 1, 1}, 8, -1, false, 0},
        {{254, 4, 0xf9, 0x88}, 4, -1, false, 0},
        {{254, 3, 0xf9, 0x89}, 4, -1, false, 0},
        {{254, 2, 0, 0}, 4, -1, false, 0},
        {{254, 8, 0xf9, 0x89, 5, 6, 7, 8, 34, 6, 1, 2, 3, 4}, 14, 4, true, 5},
        {{34, 6, 1, 2, 3, 4, 254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 14, 4, false, 1},
        {{34, 3, 1, 254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 11, 4, true, 5},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct wire_tcp_options o = read_exact(rows[i].bytes, rows[i].size);
        assert_int_equal(o.fast_open ? o.fast_open_length : -1, rows[i].length);
        assert_int_equal(o.fast_open_experiment, rows[i].experiment);
        assert_int_equal(o.fast_open_cookie[0], rows[i].first);
    }
}

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

/* Writes into exactly @room bytes of heap; nothing behind what it returns may be touched. */
static size_t write_exact(const struct wire_tcp_options *o, const uint8_t *order, uint8_t *out,
                          size_t room)
{
    uint8_t *p = malloc(room);
    size_t n;

    memset(p, 0xa5, room);
    n = sw_wire_tcp_options_write(o, order, p, room);
    assert_true(n <= room && n % 4 == 0);
    for (size_t i = n; i < room; i++)
        assert_int_equal(p[i], 0xa5);
    memcpy(out, p, n);
    free(p);
    return n;
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

struct layout {
    struct wire_tcp_options o;
    uint8_t order[12];
    uint8_t room, length;
    uint8_t bytes[40];
};

static const struct layout layouts[] = {
    /* nothing at all */
    {{.window_scale = -1}, {0}, 40, 0, {0}},
    /* without timestamps: NOPs before SACK permitted */
    {{.mss = 536, .window_scale = 0, .sack_permitted = true},
     {0},
     40,
     12,
     {2, 4, 2, 24, 1, 1, 4, 2, 1, 3, 3, 0}},
    /* a fast open request ends with NOPs, a cookie of its size too; zeros follow what comes later */
    {{.window_scale = -1, .fast_open = true}, {0}, 40, 4, {34, 2, 1, 1}},
    {{.window_scale = -1, .fast_open = true, .fast_open_experiment = true},
     {0},
     40,
     4,
     {254, 4, 0xf9, 0x89}},
    {{.window_scale = -1,
      .fast_open = true,
      .fast_open_experiment = true,
      .fast_open_length = 4,
      .fast_open_cookie = {1, 2, 3, 4}},
     {0},
     40,
     8,
     {254, 8, 0xf9, 0x89, 1, 2, 3, 4}},
    /* it comes last where the order does not name it, and only if there is room */
    {{.mss = 536, .window_scale = 2, .fast_open = true},
     {2, 1, 3},
     40,
     12,
     {2, 4, 2, 24, 1, 3, 3, 2, 34, 2, 1, 1}},
    {{.mss = 536, .window_scale = 2, .fast_open = true, .fast_open_length = 4},
     {2, 1, 3},
     12,
     8,
     {2, 4, 2, 24, 1, 3, 3, 2}},
    {{.mss = 536, .window_scale = -1, .fast_open = true},
     {34, 3, 2},
     40,
     8,
     {34, 2, 1, 1, 2, 4, 2, 24}},
    {{.window_scale = -1,
      .fast_open = true,
      .fast_open_length = 6,
      .fast_open_cookie = {1, 2, 3, 4, 5, 6}},
     {0},
     40,
     8,
     {34, 8, 1, 2, 3, 4, 5, 6}},
    /* SACK alone, and behind a cookie that leaves it aligned already */
    {{.window_scale = -1, .sack_count = 1, .sack = {{{1}, {2}}}},
     {0},
     40,
     12,
     {1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
    {{.window_scale = -1, .fast_open = true, .sack_count = 1, .sack = {{{1}, {2}}}},
     {0},
     40,
     12,
     {34, 2, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
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
    {{.window_scale = 2, .fast_open = true, .fast_open_length = 4},
     {34, 3},
     12,
     12,
     {34, 6, 0, 0, 0, 0, 1, 1, 1, 3, 3, 2}},
    {{.window_scale = -1,
      .timestamps = true,
      .fast_open = true,
      .fast_open_length = 4,
      .ts_value = 1},
     {34, 8},
     16,
     16,
     {34, 6, 0, 0, 0, 0, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0}},
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
    for (size_t i = 0; i < SW_COUNT(layouts); i++) {
        const struct layout *l = &layouts[i];
        uint8_t out[40];
        size_t n = write_exact(&l->o, l->order[0] ? l->order : NULL, out, l->room);
        if (n != l->length)
            print_error("layout %zu\n", i);
        assert_int_equal(n, l->length);
        assert_memory_equal(out, l->bytes, l->length);
    }
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
        cmocka_unit_test(test_fast_open_experiment),
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
