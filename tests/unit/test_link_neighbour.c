/*
 * test_link_neighbour.c - The neighbour cache: states, time, room, and scans that cost nobody his entry.
 */
#include "link/neighbour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LINK 3
#define START SANWO_SEC(1000)

static const struct wire_mac mac_a = {{2, 0, 0, 0, 0, 0xa}};
static const struct wire_mac mac_b = {{2, 0, 0, 0, 0, 0xb}};

static struct neighbours *cache(unsigned limit)
{
    size_t size = sw_neighbours_size(limit);
    struct neighbours *n = aligned_alloc(64, sw_round_up(size, 64));

    assert_non_null(n);
    memset(n, 0xa5, size);
    sw_neighbours_init(n, limit, (struct siphash_key){1, 2});
    return n;
}

static struct sanwo_address host_number(uint32_t i)
{
    struct sanwo_address a = {.family = SANWO_FAMILY_IPV4};

    sw_store32(a.bytes, UINT32_C(0x0a000000) + i);
    return a;
}

static bool known(struct neighbours *n, uint32_t i, sanwo_time now)
{
    struct sanwo_address a = host_number(i);
    struct wire_mac mac;

    return sw_neighbour_lookup(n, LINK, &a, now, &mac);
}

static struct neighbour_frames park(struct neighbours *n, uint32_t i, region_ref f, sanwo_time now)
{
    struct sanwo_address a = host_number(i);
    struct neighbour_frames dropped;

    sw_neighbour_park(n, LINK, &a, f, now, &dropped);
    return dropped;
}

static bool learn(struct neighbours *n, uint32_t i, const struct wire_mac *mac, bool add,
                  sanwo_time now, struct neighbour_frames *out)
{
    struct sanwo_address a = host_number(i);

    return sw_neighbour_learn(n, LINK, &a, mac, add, now, out);
}

static struct neighbour_task task_at(struct neighbours *n, sanwo_time now)
{
    struct neighbour_task t;

    sw_neighbours_poll(n, now, &t);
    return t;
}

/*
 * A park, three requests a second apart, and the frame comes back; RFC 1122 2.3.2.1 and .2.
 * RFC1122-2.3.2-1.
 */
static void test_unanswered(void **state)
{
    struct neighbours *n = cache(16);
    struct neighbour_task t;

    (void)state;
    assert_true(sw_neighbours_deadline(n) == SANWO_TIME_NEVER);
    assert_int_equal(park(n, 1, 77, START).count, 0);
    for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
        sanwo_time due = START + i * NEIGHBOUR_RETRY;
        assert_true(sw_neighbours_deadline(n) == due);
        assert_int_equal(task_at(n, due - 1).kind, NEIGHBOUR_TASK_NONE);
        t = task_at(n, due);
        assert_int_equal(t.kind, NEIGHBOUR_TASK_ASK);
        assert_false(t.unicast);
        assert_int_equal(t.link, LINK);
        assert_memory_equal(t.address.bytes, host_number(1).bytes, 4);
        assert_int_equal(task_at(n, due).kind, NEIGHBOUR_TASK_NONE);
    }
    assert_int_equal(task_at(n, START + NEIGHBOUR_TRIES * NEIGHBOUR_RETRY - 1).kind,
                     NEIGHBOUR_TASK_NONE);
    t = task_at(n, START + NEIGHBOUR_TRIES * NEIGHBOUR_RETRY);
    assert_int_equal(t.kind, NEIGHBOUR_TASK_DROP);
    assert_int_equal(t.frames.count, 1);
    assert_int_equal(t.frames.frames[0], 77);
    assert_true(sw_neighbours_deadline(n) == SANWO_TIME_NEVER);
    assert_int_equal(n->incomplete, 0);
    free(n);
}

/* Parking more often asks no more often, and the oldest frame makes room. */
static void test_queue(void **state)
{
    struct neighbours *n = cache(16);
    struct neighbour_frames f;

    (void)state;
    for (region_ref i = 1; i <= 5; i++) {
        f = park(n, 9, i, START);
        assert_int_equal(f.count, i > NEIGHBOUR_QUEUE);
        if (f.count)
            assert_int_equal(f.frames[0], i - NEIGHBOUR_QUEUE);
    }
    assert_int_equal(task_at(n, START).kind, NEIGHBOUR_TASK_ASK);
    assert_int_equal(task_at(n, START).kind, NEIGHBOUR_TASK_NONE);
    assert_false(known(n, 9, START));
    assert_true(learn(n, 9, &mac_a, false, START, &f));
    assert_int_equal(f.count, NEIGHBOUR_QUEUE);
    for (region_ref i = 0; i < NEIGHBOUR_QUEUE; i++)
        assert_int_equal(f.frames[i], i + 3);
    assert_true(known(n, 9, START));
    assert_true(sw_neighbours_deadline(n) == SANWO_TIME_NEVER);
    free(n);
}

enum step { USE, POLL_ASK, POLL_DROP, QUIET, HEAR_A, HEAR_B_REFUSED, HEAR_B, GONE };

/* An entry's life by the clock, seconds after it was learnt. RFC1122-2.3.2-1. C-16. */
static void test_ageing(void **state)
{
    static const struct {
        int second;
        enum step step;
    } rows[] = {
        {0, HEAR_B_REFUSED}, {59, USE},       {60, USE},       {60, QUIET},     {61, QUIET},
        {62, USE},           {62, POLL_ASK},  {62, QUIET},     {62, USE},       {63, POLL_ASK},
        {63, HEAR_A},        {64, QUIET},     {64, HEAR_B},    {120, USE},      {120, QUIET},
        {125, USE},          {125, POLL_ASK}, {126, POLL_ASK}, {127, POLL_ASK}, {127, USE},
        {128, POLL_DROP},    {128, GONE},
    };
    struct neighbours *n = cache(16);
    struct neighbour_frames f;

    (void)state;
    assert_true(learn(n, 5, &mac_a, true, START, &f));
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        sanwo_time now = START + SANWO_SEC(rows[i].second);
        struct neighbour_task t = {.kind = NEIGHBOUR_TASK_NONE};
        if (rows[i].step >= POLL_ASK && rows[i].step <= QUIET)
            t = task_at(n, now);
        switch (rows[i].step) {
        case USE:
            assert_true(known(n, 5, now));
            break;
        case POLL_ASK:
            assert_int_equal(t.kind, NEIGHBOUR_TASK_ASK);
            assert_true(t.unicast);
            break;
        case POLL_DROP:
            assert_int_equal(t.kind, NEIGHBOUR_TASK_DROP);
            break;
        case QUIET:
            assert_int_equal(t.kind, NEIGHBOUR_TASK_NONE);
            break;
        case HEAR_A:
            assert_true(learn(n, 5, &mac_a, false, now, &f));
            break;
        case HEAR_B_REFUSED:
            assert_false(learn(n, 5, &mac_b, false, now, &f));
            break;
        case HEAR_B:
            assert_true(learn(n, 5, &mac_b, false, now, &f));
            break;
        case GONE:
            assert_false(known(n, 5, now));
            break;
        }
    }
    assert_int_equal(n->resolved, 0);
    free(n);
}

/*
 * RFC 6583, attack B-29: 1e5 addresses asked for between two uses of each legitimate neighbour.
 * RFC6583-7-1.
 */
static void test_scan(void **state)
{
    struct neighbours *n = cache(512);
    struct neighbour_frames f;
    region_ref out = 0;

    (void)state;
    for (uint32_t i = 0; i < n->resolved_limit; i++)
        assert_true(learn(n, i, &mac_a, true, START, &f));
    for (uint32_t i = 0; i < 100000; i++) {
        f = park(n, 1000 + i, i + 1, START + i);
        for (unsigned k = 0; k < f.count; k++) /* oldest first: none is lost, none comes twice */
            assert_int_equal(f.frames[k], ++out);
        if (i % 7 == 0)
            assert_int_equal(task_at(n, START + i).kind, NEIGHBOUR_TASK_ASK);
    }
    assert_int_equal(n->incomplete, n->incomplete_limit);
    assert_int_equal(n->resolved, n->resolved_limit);
    assert_int_equal(out, 100000 - n->incomplete_limit);
    for (uint32_t i = 0; i < n->resolved_limit; i++)
        assert_true(known(n, i, START + 100000));
    /* And a newcomer in the midst of it is served once he answers. */
    park(n, 999, 1, START + 100000);
    assert_true(learn(n, 999, &mac_b, false, START + 100001, &f));
    assert_int_equal(f.count, 1);
    assert_true(known(n, 999, START + 100001));
    free(n);
}

/* Strangers who only announce themselves displace each other, not who is in use. */
static void test_announcements(void **state)
{
    struct neighbours *n = cache(16);
    struct neighbour_frames f;

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(learn(n, i, &mac_a, true, START, &f));
        assert_true(known(n, i, START)); /* used */
    }
    for (uint32_t i = 100; i < 1100; i++)
        assert_true(learn(n, i, &mac_b, true, START, &f));
    assert_int_equal(n->resolved, n->resolved_limit);
    for (uint32_t i = 0; i < 8; i++)
        assert_true(known(n, i, START));
    assert_false(learn(n, 5000, &mac_b, false, START, &f)); /* not asked, not to be added */
    assert_false(known(n, 5000, START));
    free(n);
}

/* The least recently used goes first; those being polled go last. */
static void test_order_of_use(void **state)
{
    struct neighbours *n = cache(4); /* three resolved */
    struct neighbour_frames f;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        learn(n, i, &mac_a, true, START, &f);
        known(n, i, START);
    }
    known(n, 1, START);
    park(n, 4, 1, START);
    learn(n, 4, &mac_a, false, START, &f);
    assert_false(known(n, 2, START));
    assert_true(known(n, 3, START));
    assert_true(known(n, 1, START));
    for (uint32_t i = 10; i < 14; i++) { /* all three are old and polled by now: still room */
        known(n, 1, START + SANWO_SEC(100));
        known(n, 3, START + SANWO_SEC(100));
        known(n, 4, START + SANWO_SEC(100));
        learn(n, i, &mac_b, true, START + SANWO_SEC(100), &f);
        assert_int_equal(n->resolved, 3);
    }
    free(n);
}

static void test_links_and_forgetting(void **state)
{
    struct neighbours *n = cache(16);
    struct sanwo_address a = host_number(1);
    struct neighbour_frames f;
    struct wire_mac mac;
    unsigned cursor = 0, count = 0;

    (void)state;
    sw_neighbour_learn(n, 1, &a, &mac_a, true, START, &f);
    sw_neighbour_learn(n, 2, &a, &mac_b, true, START, &f);
    a = host_number(2);
    sw_neighbour_park(n, 1, &a, 55, START, &f);
    while (sw_neighbours_forget(n, 1, &cursor, &f))
        count += 1 + f.count;
    assert_int_equal(count, 3);
    a = host_number(1);
    assert_false(sw_neighbour_lookup(n, 1, &a, START, &mac));
    assert_true(sw_neighbour_lookup(n, 2, &a, START, &mac));
    assert_memory_equal(mac.bytes, mac_b.bytes, 6);
    assert_true(sw_neighbours_deadline(n) == SANWO_TIME_NEVER);
    free(n);
}

/* The same address on many links is as many neighbours. */
static void test_same_address_everywhere(void **state)
{
    struct neighbours *n = cache(512);
    struct sanwo_address a = host_number(1);
    struct neighbour_frames f;
    struct wire_mac mac = mac_a;

    (void)state;
    for (unsigned link = 0; link < 250; link++) {
        mac.bytes[1] = (uint8_t)link;
        sw_neighbour_learn(n, link, &a, &mac, true, START, &f);
    }
    for (unsigned link = 0; link < 250; link++) {
        assert_true(sw_neighbour_lookup(n, link, &a, START, &mac));
        assert_int_equal(mac.bytes[1], link);
    }
    assert_int_equal(n->resolved, 250);
    free(n);
}

static void test_odd_limits(void **state)
{
    static const unsigned limits[] = {0, 1, 3, 5, 31, 512, 65535};
    struct neighbour_frames f;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(limits); i++) {
        struct neighbours *n = cache(limits[i]);
        for (uint32_t k = 0; k < 70; k++) {
            park(n, k, k + 1, START);
            learn(n, k, &mac_a, false, START, &f);
        }
        assert_true(known(n, 69, START));
        free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unanswered),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_ageing),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_announcements),
        cmocka_unit_test(test_order_of_use),
        cmocka_unit_test(test_links_and_forgetting),
        cmocka_unit_test(test_odd_limits),
        cmocka_unit_test(test_same_address_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
