/*
 * test_stack_events.c - Events: one an object, in order, what happened added up; statistics.
 */
#include "stack/stack.h"
#include "test_tcp_support.h"

#define REGION (32u << 20)

static struct sanwo_stack *host(void *region)
{
    struct sanwo_stack_config config = rig_config();
    struct sanwo_stack *s;

    config.deterministic = true;
    assert_int_equal(sanwo_stack_create(region, REGION, &config, RIG_START, &s), 0);
    return s;
}

static struct tcp_connection *connection(struct sanwo_stack *s, unsigned n)
{
    struct tcp_tuple tuple = rig_tuple(n);
    struct tcp_connection *c = sw_tcp_connection_new(&s->tcp, &tuple);

    assert_non_null(c);
    c->state = SANWO_TCP_ESTABLISHED;
    c->accepted = 1;
    c->user = c;
    return c;
}

static void test_added_up_and_taken_once(void **state)
{
    (void)state;
    void *region = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(region);
    struct tcp_connection *c = connection(s, 0), *d = connection(s, 1);
    struct sanwo_event events[4];

    assert_int_equal(sanwo_stack_events(s, events, 4), 0);
    sw_tcp_event(&s->tcp, c, SANWO_EVENT_READABLE);
    sw_tcp_event(&s->tcp, d, SANWO_EVENT_WRITABLE);
    sw_tcp_event(&s->tcp, c, SANWO_EVENT_PEER_CLOSED);
    assert_int_equal(sanwo_stack_events(s, events, 4), 2);
    assert_ptr_equal(events[0].user, c);
    assert_int_equal(events[0].what, SANWO_EVENT_READABLE | SANWO_EVENT_PEER_CLOSED);
    assert_true(sanwo_handle_equal(events[0].handle, sw_tcp_handle(TCP_KIND_CONNECTION, c)));
    assert_ptr_equal(events[1].user, d);
    assert_int_equal(events[1].what, SANWO_EVENT_WRITABLE);
    assert_int_equal(sanwo_stack_events(s, events, 4), 0);
    sw_tcp_event(&s->tcp, c, SANWO_EVENT_DRAINED); /* only what is new */
    assert_int_equal(sanwo_stack_events(s, events, 4), 1);
    assert_int_equal(events[0].what, SANWO_EVENT_DRAINED);
    free(region);
}

/* In as small helpings as the caller likes. */
static void test_few_at_a_time(void **state)
{
    (void)state;
    for (size_t helping = 1; helping < 12; helping += 3) {
        void *region = aligned_alloc(4096, REGION);
        struct sanwo_stack *s = host(region);
        struct tcp_connection *c[10];
        struct sanwo_event events[12];
        size_t total = 0, n;
        for (unsigned i = 0; i < 10; i++) {
            c[i] = connection(s, i);
            sw_tcp_event(&s->tcp, c[i], SANWO_EVENT_READABLE);
        }
        assert_int_equal(sanwo_stack_events(s, events, 0), 0);
        while ((n = sanwo_stack_events(s, events, helping)) > 0)
            for (size_t i = 0; i < n; i++)
                assert_ptr_equal(events[i].user, c[total++]);
        assert_int_equal(total, 10);
        free(region);
    }
}

/* The error comes with CLOSED, or with a soft error; not with anything else. */
static void test_errors(void **state)
{
    (void)state;
    const struct {
        uint32_t what;
        int error;
    } rows[] = {
        {SANWO_EVENT_CLOSED, SANWO_ECONNRESET},
        {SANWO_EVENT_CLOSED | SANWO_EVENT_SOFT_ERROR, SANWO_ECONNRESET},
        {SANWO_EVENT_SOFT_ERROR, SANWO_EHOSTUNREACH},
        {SANWO_EVENT_READABLE, 0},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        void *region = aligned_alloc(4096, REGION);
        struct sanwo_stack *s = host(region);
        struct tcp_connection *c = connection(s, 0);
        struct sanwo_event event;
        c->error = SANWO_ECONNRESET;
        c->soft_error = SANWO_EHOSTUNREACH;
        sw_tcp_event(&s->tcp, c, rows[i].what);
        assert_int_equal(sanwo_stack_events(s, &event, 1), 1);
        assert_int_equal(event.error, rows[i].error);
        free(region);
    }
}

/* Who is not the user's (any more) tells nothing. */
static void test_nobody_to_tell(void **state)
{
    (void)state;
    void *region = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(region);
    struct tcp_connection *c = connection(s, 0), *d = connection(s, 1);
    struct sanwo_event event;

    c->accepted = 0;
    d->closed_by_user = 1;
    sw_tcp_event(&s->tcp, c, SANWO_EVENT_READABLE);
    sw_tcp_event(&s->tcp, d, SANWO_EVENT_READABLE);
    assert_int_equal(sanwo_stack_events(s, &event, 1), 0);
    free(region);
}

static void test_listeners_first(void **state)
{
    (void)state;
    void *region = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(region);
    struct sanwo_tcp_listen open = {.local = {.port = 80}, .user = s};
    struct tcp_listener *l;
    struct sanwo_event events[2];

    assert_int_equal(sw_tcp_listen(&s->tcp, &open, &l), 0);
    sw_tcp_event(&s->tcp, connection(s, 0), SANWO_EVENT_READABLE);
    sw_tcp_listener_event(&s->tcp, l, SANWO_EVENT_ACCEPT);
    sw_tcp_listener_event(&s->tcp, l, SANWO_EVENT_REQUEST);
    assert_int_equal(sanwo_stack_events(s, events, 2), 2);
    assert_ptr_equal(events[0].user, s);
    assert_int_equal(events[0].what, SANWO_EVENT_ACCEPT | SANWO_EVENT_REQUEST);
    assert_int_equal(events[1].what, SANWO_EVENT_READABLE);
    assert_int_equal(sanwo_stack_events(s, events, 2), 0);
    free(region);
}

static void test_statistics(void **state)
{
    (void)state;
    void *region = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(region);
    struct sanwo_stack_stats stats;
    struct tcp_connection *c = connection(s, 0);
    struct tcp_segment seg = {.tuple = c->tuple};

    connection(s, 1);
    sw_tcp_observe_drop(&s->tcp, &seg, c, SANWO_REASON_PAWS);
    s->tcp.counters.opened = 3;
    s->ip.lost.no_memory = 5;
    sanwo_stack_stats(s, &stats);
    assert_int_equal(stats.connections, 2);
    assert_int_equal(stats.connections_opened, 3);
    assert_int_equal(stats.reasons[SANWO_REASON_PAWS], 1);
    assert_int_equal(stats.reasons[SANWO_REASON_NO_MEMORY], 5);
    assert_int_equal(stats.memory_used, s->region.used);
    assert_true(stats.memory_peak >= stats.memory_used && stats.memory_used > 0);
    free(region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_up_and_taken_once),
        cmocka_unit_test(test_few_at_a_time),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_nobody_to_tell),
        cmocka_unit_test(test_listeners_first),
        cmocka_unit_test(test_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
