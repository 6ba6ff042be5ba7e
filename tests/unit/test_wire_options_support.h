/*
 * test_wire_options_support.h - What the tests of TCP's options share: a second reader to compare the first one
 * with, reading and writing in memory that ends where the options do, and layouts known by hand.
 */
#ifndef TEST_WIRE_OPTIONS_SUPPORT_H
#define TEST_WIRE_OPTIONS_SUPPORT_H

#include "test_wire_support.h"

#include "wire/tcp.h"
#include "wire/tcp_options.h"

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

static inline bool size_is_right(unsigned kind, unsigned size)
{
    for (size_t i = 0; i < SW_COUNT(known_sizes); i++)
        if (known_sizes[i].kind == kind && known_sizes[i].size == size)
            return true;
    return false;
}

static inline void take_known(struct wire_tcp_options *o, const uint8_t *p)
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
static inline struct wire_tcp_options read_again(const uint8_t *p, size_t n)
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

static inline void assert_same(const struct wire_tcp_options *a, const struct wire_tcp_options *b)
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
    assert_memory_equal(a->sack, b->sack, a->sack_count * sizeof(a->sack[0]));
}

/* Reads @n bytes from a place that ends with them, and compares with the second reader. */
static inline struct wire_tcp_options read_exact(const uint8_t *bytes, size_t n)
{
    uint8_t *p = exact_copy(bytes, n);
    struct wire_tcp_options o, again = read_again(bytes, n);

    sw_wire_tcp_options_read(&o, p, n);
    free(p);
    assert_same(&o, &again);
    return o;
}

/* Writes into exactly @room bytes of heap; nothing behind what it returns may be touched. */
static inline size_t write_exact(const struct wire_tcp_options *o, const uint8_t *order,
                                 uint8_t *out, size_t room)
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

/* What is written of @o into so much room, in that order; in the usual one if it is empty. */
struct layout {
    struct wire_tcp_options o;
    uint8_t order[12];
    uint8_t room, length;
    uint8_t bytes[40];
};

static inline void assert_layouts(const struct layout *layouts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct layout *l = &layouts[i];
        uint8_t out[40];
        size_t n = write_exact(&l->o, l->order[0] ? l->order : NULL, out, l->room);
        if (n != l->length)
            print_error("layout %zu\n", i);
        assert_int_equal(n, l->length);
        assert_memory_equal(out, l->bytes, l->length);
    }
}

#endif
