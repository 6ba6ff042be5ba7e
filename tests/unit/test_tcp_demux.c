/*
 * test_tcp_demux.c - From a tuple to its owner, against an array; segments that nobody owns.
 */
#include "test_tcp_support.h"

#define MOST 40

/* What owns each tuple in the model: nothing, or an object of a kind. */
struct owner {
    uint32_t kind;
    void *object;
};

static void check_all(struct rig *r, const struct owner *model, struct dice *d)
{
    for (unsigned n = 0; n < 3; n++) { /* in runs, as segments come */
        unsigned i = roll(d, MOST);
        struct tcp_tuple tuple = i & 1 ? rig_tuple(i) : rig_tuple_v6(i);
        for (unsigned again = 0; again < 2; again++) {
            struct tcp_found found = sw_tcp_demux_find(&r->tcp, &tuple);
            assert_int_equal(found.name & 3, model[i].kind);
            assert_ptr_equal(found.object, model[i].object);
            assert_int_equal(found.hash, sw_tcp_tuple_hash(&r->tcp.table_key, &tuple));
        }
    }
}

/* Connections come, turn into TIME-WAIT records, and go; a find in between never yields the dead. */
static void test_against_model(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    struct owner model[MOST] = {{0, NULL}};

    for (int step = 0; step < 20000; step++) {
        unsigned i = roll(&d, MOST);
        struct tcp_tuple tuple = i & 1 ? rig_tuple(i) : rig_tuple_v6(i);
        struct owner *o = &model[i];
        if (!o->kind) {
            o->kind = TCP_KIND_CONNECTION;
            o->object = rig_connection(r, &tuple, SANWO_TCP_TIME_WAIT, 1, 1);
        } else if (o->kind == TCP_KIND_CONNECTION && roll(&d, 2)) {
            struct tcp_connection *c = o->object;
            assert_true(sw_tcp_time_wait_create(&r->tcp, c));
            rig_discard(r, c);
            o->kind = TCP_KIND_TIME_WAIT;
            o->object = sw_tcp_demux_find(&r->tcp, &tuple).object;
        } else if (o->kind == TCP_KIND_CONNECTION) {
            rig_discard(r, o->object);
            *o = (struct owner){0, NULL};
        } else if (roll(&d, 20) == 0) { /* all records expire */
            r->tcp.now += SANWO_SEC(100);
            sw_tcp_time_wait_expire(&r->tcp);
            for (unsigned n = 0; n < MOST; n++)
                if (model[n].kind == TCP_KIND_TIME_WAIT)
                    model[n] = (struct owner){0, NULL};
        }
        check_all(r, model, &d);
    }
    rig_end(r);
}

/* RFC 9293 3.10.7.1: a reset for everything but a reset, if the address is ours. All flags. */
static void test_closed_port(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 128; flags++) {
        struct rig *r = rig_new();
        bool ours = flags & 64;
        struct tcp_segment seg = {.tuple = rig_tuple(0),
                                  .seq = tcp_seq_of(0xffffffff),
                                  .ack = tcp_seq_of(5),
                                  .flags = flags & 63,
                                  .length = 3,
                                  .destination_is_ours = ours};
        struct tcp_outgoing out;
        sw_wire_tcp_options_none(&seg.options);
        sw_tcp_receive(&r->tcp, &seg);
        assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_PORT_CLOSED], 1);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), ours && !(flags & TCP_RST));
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_closed_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
