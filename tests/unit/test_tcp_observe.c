/*
 * test_tcp_observe.c - What the observer is told, field by field, and what is counted without one.
 */
#include "test_tcp_support.h"

static void check_ends(const struct sanwo_observation *o, const struct tcp_tuple *tuple)
{
    struct sanwo_endpoint local = sw_tcp_tuple_local(tuple), remote = sw_tcp_tuple_remote(tuple);

    assert_true(sanwo_address_equal(&o->local.address, &local.address));
    assert_true(sanwo_address_equal(&o->remote.address, &remote.address));
    assert_int_equal(o->local.port, local.port);
    assert_int_equal(o->remote.port, remote.port);
}

static void test_connection(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    rig_watch(r);
    c->user = r;
    sw_tcp_observe(&r->tcp, c, SANWO_OBSERVE_RTT, SANWO_REASON_NONE, -5, INT64_MAX);
    assert_int_equal(r->seen, 1);
    const struct sanwo_observation *o = &r->log[0];
    assert_int_equal(o->kind, SANWO_OBSERVE_RTT);
    assert_int_equal(o->now, RIG_START);
    assert_int_equal(o->value, -5);
    assert_true(o->value2 == INT64_MAX);
    assert_int_equal(o->state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(o->old_state, SANWO_TCP_ESTABLISHED);
    assert_ptr_equal(o->user, r);
    assert_true(sanwo_handle_equal(o->handle, sw_tcp_handle(TCP_KIND_CONNECTION, c)));
    assert_int_equal(o->handle.index & 3, TCP_KIND_CONNECTION);
    check_ends(o, &c->tuple);
    rig_end(r);
}

static void test_segment_and_drop(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        const uint8_t options[4] = {1, 1, 1, 0};
        struct tcp_segment seg = rig_segment(r, c, 0xffffffff, TCP_ACK | TCP_URG);
        rig_watch(r);
        seg.length = 77;
        seg.urgent = 5;
        seg.window = 321;
        seg.option_bytes = options;
        seg.option_length = 4;
        sw_tcp_observe_segment_in(&r->tcp, &seg, known ? c : NULL,
                                  sw_tcp_handle(TCP_KIND_CONNECTION, c), SANWO_TCP_CLOSE_WAIT);
        sw_tcp_observe_drop(&r->tcp, &seg, known ? c : NULL, SANWO_REASON_PAWS);
        assert_int_equal(r->seen, 2);
        assert_int_equal(r->log[0].kind, SANWO_OBSERVE_SEGMENT_IN);
        assert_int_equal(r->log[0].state, SANWO_TCP_CLOSE_WAIT);
        assert_int_equal(r->log[1].kind, SANWO_OBSERVE_DROP);
        assert_int_equal(r->log[1].reason, SANWO_REASON_PAWS);
        assert_int_equal(r->log[1].state, known ? SANWO_TCP_ESTABLISHED : SANWO_TCP_CLOSED);
        assert_int_equal(sanwo_handle_is_none(r->log[1].handle), !known);
        for (int i = 0; i < 2; i++) {
            const struct sanwo_observation *o = &r->log[i];
            assert_int_equal(o->seq, 0xffffffff);
            assert_int_equal(o->ack, 1);
            assert_int_equal(o->payload_length, 77);
            assert_int_equal(o->urgent, 5);
            assert_int_equal(o->window, 321);
            assert_int_equal(o->flags, TCP_ACK | TCP_URG);
            assert_ptr_equal(o->options, options);
            assert_int_equal(o->options_length, 4);
            check_ends(o, &c->tuple);
        }
        rig_end(r);
    }
}

static void test_subject(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple tuple = rig_tuple_v6(3);
    struct tcp_subject who = {&tuple, {9, 8}, SANWO_TCP_TIME_WAIT, SANWO_TCP_CLOSED};

    sw_tcp_observe_subject(&r->tcp, &who, SANWO_OBSERVE_STATE, SANWO_REASON_TIME_WAIT_OVER);
    rig_watch(r);
    sw_tcp_observe_subject(&r->tcp, &who, SANWO_OBSERVE_STATE, SANWO_REASON_TIME_WAIT_OVER);
    assert_int_equal(r->seen, 1);
    assert_int_equal(r->log[0].old_state, SANWO_TCP_TIME_WAIT);
    assert_int_equal(r->log[0].state, SANWO_TCP_CLOSED);
    assert_int_equal(r->log[0].handle.index, 9);
    assert_int_equal(r->log[0].handle.generation, 8);
    check_ends(&r->log[0], &tuple);
    rig_end(r);
}

/* Reasons are counted whether anybody looks or not, each once. */
static void test_counted_without_observer(void **state)
{
    (void)state;
    for (int watched = 0; watched < 2; watched++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        if (watched)
            rig_watch(r);
        for (unsigned why = 0; why < SANWO_REASON_COUNT; why++)
            sw_tcp_observe_drop(&r->tcp, &seg, why & 1 ? c : NULL, (enum sanwo_reason)why);
        for (unsigned why = 0; why < SANWO_REASON_COUNT; why++)
            assert_int_equal(r->tcp.counters.reasons[why], 1);
        assert_int_equal(r->seen, watched ? SANWO_REASON_COUNT : 0);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_segment_and_drop),
        cmocka_unit_test(test_subject),
        cmocka_unit_test(test_counted_without_observer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
