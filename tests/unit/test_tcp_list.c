/*
 * test_tcp_list.c - First-in-first-out lists of pooled objects, against an array.
 */
#include "test_tcp_support.h"

#define MOST 64

struct thing {
    struct pool_item item;
    uint32_t number;
    struct tcp_link first, second; /* in two lists at once */
    uint32_t spare;
};
_Static_assert(sizeof(struct thing) % 16 == 0, "pools want that");

struct box {
    struct region region;
    struct pool pool;
    _Alignas(64) uint8_t directory[4096];
};

static struct box *box_new(void)
{
    struct box *b = aligned_alloc(4096, 1 << 20);

    assert_non_null(b);
    assert_true(sw_region_init(&b->region, b, 1 << 20, sw_round_up(sizeof *b, 4096), 0));
    assert_true(sw_pool_directory_size(sizeof(struct thing), 1024, MOST) <= sizeof b->directory);
    sw_pool_init(&b->pool, &b->region, offsetof(struct box, directory), sizeof(struct thing), 1024,
                 MOST);
    return b;
}

/* The list holds these, in this order, and its links agree in both directions. */
static void check(const struct box *b, const struct tcp_list *l, struct thing *const *model,
                  uint32_t n)
{
    uint32_t at = l->head, before = TCP_NONE;

    assert_int_equal(l->count, n);
    for (uint32_t i = 0; i < n; i++) {
        struct thing *t = sw_pool_at(&b->pool, &b->region, at);
        struct tcp_link link;
        assert_ptr_equal(t, model[i]);
        memcpy(&link, (uint8_t *)t + l->member, sizeof link);
        assert_int_equal(link.prev, before);
        before = at;
        at = link.next;
    }
    assert_int_equal(at, TCP_NONE);
    assert_int_equal(l->tail, before);
    assert_ptr_equal(sw_tcp_list_first(l, &b->pool, &b->region), n ? model[0] : NULL);
}

static void test_empty(void **state)
{
    (void)state;
    struct box *b = box_new();
    struct tcp_list l;

    sw_tcp_list_init(&l, offsetof(struct thing, first));
    check(b, &l, NULL, 0);
    assert_null(sw_tcp_list_take(&l, &b->pool, &b->region));
    check(b, &l, NULL, 0);
    free(b);
}

static void test_remove_each_place(void **state)
{
    (void)state;
    struct box *b = box_new();

    for (uint32_t n = 1; n <= 5; n++) {
        for (uint32_t gone = 0; gone < n; gone++) {
            struct thing *t[5];
            struct tcp_list l;
            sw_tcp_list_init(&l, offsetof(struct thing, second));
            for (uint32_t i = 0; i < n; i++) {
                t[i] = sw_pool_alloc(&b->pool, &b->region);
                sw_tcp_list_append(&l, &b->pool, &b->region, t[i]);
                check(b, &l, t, i + 1);
            }
            sw_tcp_list_remove(&l, &b->pool, &b->region, t[gone]);
            sw_pool_free(&b->pool, &b->region, t[gone]);
            memmove(&t[gone], &t[gone + 1], (n - gone - 1) * sizeof t[0]);
            check(b, &l, t, n - 1);
            for (uint32_t i = 0; i < n - 1; i++) {
                assert_ptr_equal(sw_tcp_list_take(&l, &b->pool, &b->region), t[i]);
                sw_pool_free(&b->pool, &b->region, t[i]);
            }
        }
    }
    free(b);
}

struct model {
    struct tcp_list list;
    struct thing *in[MOST];
    uint32_t count;
};

static void toggle(struct box *b, struct model *m, struct thing *t, struct dice *d)
{
    uint32_t i = 0;

    while (i < m->count && m->in[i] != t)
        i++;
    if (i == m->count) {
        sw_tcp_list_append(&m->list, &b->pool, &b->region, t);
        m->in[m->count++] = t;
        return;
    }
    if (roll(d, 3) == 0) { /* not that one, but the first */
        assert_ptr_equal(sw_tcp_list_take(&m->list, &b->pool, &b->region), m->in[0]);
        i = 0;
    } else {
        sw_tcp_list_remove(&m->list, &b->pool, &b->region, t);
    }
    m->count--;
    memmove(&m->in[i], &m->in[i + 1], (m->count - i) * sizeof m->in[0]);
}

static void test_two_lists_against_arrays(void **state)
{
    (void)state;
    struct box *b = box_new();
    struct dice d = dice_of(__func__);
    struct thing *all[MOST];
    struct model m[2] = {{.count = 0}, {.count = 0}};

    sw_tcp_list_init(&m[0].list, offsetof(struct thing, first));
    sw_tcp_list_init(&m[1].list, offsetof(struct thing, second));
    for (uint32_t i = 0; i < MOST; i++)
        all[i] = sw_pool_alloc(&b->pool, &b->region);
    for (int step = 0; step < 5000; step++) {
        struct model *which = &m[roll(&d, 2)];
        toggle(b, which, all[roll(&d, MOST)], &d);
        check(b, &m[0].list, m[0].in, m[0].count);
        check(b, &m[1].list, m[1].in, m[1].count);
    }
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_remove_each_place),
        cmocka_unit_test(test_two_lists_against_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
