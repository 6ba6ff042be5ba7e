/*
 * test_tcp_reset.c - Resets out, their limit in rate, and the queue of answers.
 */
#include "test_tcp_support.h"

static struct tcp_segment stray(uint32_t seq, uint32_t ack, uint8_t flags, uint32_t length)
{
    struct tcp_segment seg = {.tuple = rig_tuple(0),
                              .seq = tcp_seq_of(seq),
                              .ack = tcp_seq_of(ack),
                              .flags = flags,
                              .length = length,
                              .destination_is_ours = true};

    sw_wire_tcp_options_none(&seg.options);
    return seg;
}

/* RFC 9293 3.5.2: formed from the segment it answers. */
static void test_form(void **state)
{
    (void)state;
    const struct {
        uint32_t seq, ack;
        uint8_t flags;
        uint32_t length;
        uint8_t answer; /* flags; 0: none */
        uint32_t answer_seq, answer_ack;
    } rows[] = {
        {100, 200, TCP_ACK, 0, TCP_RST, 200, 0},
        {100, 0xffffffff, TCP_ACK | TCP_FIN, 10, TCP_RST, 0xffffffff, 0},
        {100, 200, TCP_SYN, 0, TCP_RST | TCP_ACK, 0, 101},
        {0xffffffff, 200, TCP_SYN, 0, TCP_RST | TCP_ACK, 0, 0},
        {0xfffffff0, 0, TCP_FIN, 20, TCP_RST | TCP_ACK, 0, 5},
        {100, 0, 0, 0, TCP_RST | TCP_ACK, 0, 100},
        {100, 0, TCP_SYN | TCP_FIN, 8, TCP_RST | TCP_ACK, 0, 110},
        {100, 200, TCP_RST, 0, 0, 0, 0}, /* U-17 */
        {100, 200, TCP_RST | TCP_ACK, 0, 0, 0, 0},
        {100, 200, TCP_RST | TCP_SYN, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_segment seg = stray(rows[i].seq, rows[i].ack, rows[i].flags, rows[i].length);
        struct tcp_outgoing out;
        sw_tcp_reset_answer(&r->tcp, &seg, SANWO_REASON_PORT_CLOSED);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), rows[i].answer != 0);
        if (rows[i].answer) {
            assert_int_equal(out.flags, rows[i].answer);
            assert_int_equal(out.seq.raw, rows[i].answer_seq);
            assert_int_equal(out.ack.raw, rows[i].answer_ack);
            assert_int_equal(out.reason, SANWO_REASON_PORT_CLOSED);
            assert_true(sw_tcp_tuple_equal(&out.tuple, &seg.tuple));
        }
        rig_end(r);
    }
}

/* Attack B-10: so many a second, half of that to one peer, and no more. */
static void test_rate(void **state)
{
    (void)state;
    struct sanwo_stack_config config = rig_config();
    config.reset_rate = 10;
    struct rig *r = rig_with(&config);
    struct tcp_outgoing out;
    unsigned all = 0, last = 0;

    for (int second = 0; second < 5; second++)
        for (int i = 0; i < 1000; i++) {
            struct tcp_segment seg = stray(1, 2, TCP_ACK, 0);
            seg.tuple.remote[15] = (uint8_t)(second == 4 ? 0 : i); /* at last only one asks */
            r->tcp.now = RIG_START + SANWO_SEC(second) + SANWO_USEC(i * 999);
            sw_tcp_reset_answer(&r->tcp, &seg, SANWO_REASON_PORT_CLOSED);
            unsigned sent = sw_tcp_poll_reply(&r->tcp, &out);
            all += sent;
            last += second == 4 ? sent : 0;
        }
    assert_in_range(all, 30, 90); /* the first second has its burst besides; chance adds or takes */
    assert_in_range(last, 1, 10);
    assert_int_equal(r->tcp.counters.resets_out, all);
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_RATE_LIMITED], 5000 - all);
    rig_end(r);
}

/* First in, first out, at most so many; what does not fit is counted. */
static void test_queue(void **state)
{
    (void)state;
    struct sanwo_stack_config config = rig_config();
    config.max_replies = 20;
    struct rig *r = rig_with(&config);
    struct tcp_outgoing out = {.flags = TCP_ACK};
    uint64_t before = r->region.used;
    uint32_t next_in = 0, next_out = 0;
    struct dice d = dice_of(__func__);

    for (int i = 0; i < 3000; i++) {
        if (roll(&d, 2)) {
            out.seq = tcp_seq_of(next_in);
            sw_tcp_reply(&r->tcp, &out);
            next_in += next_in - next_out < 20;
        } else if (sw_tcp_poll_reply(&r->tcp, &out)) {
            assert_int_equal(out.seq.raw, next_out++);
        }
        assert_int_equal(r->tcp.reply_count, next_in - next_out);
    }
    for (int i = 0; i < 50; i++)
        sw_tcp_reply(&r->tcp, &out);
    assert_int_equal(r->tcp.reply_count, 20);
    while (sw_tcp_poll_reply(&r->tcp, &out))
        ;
    assert_int_equal(r->tcp.reply_head | r->tcp.reply_tail | r->tcp.reply_count, 0);
    rig_settled(r, before);
    r->region.fault_countdown = 1;
    uint64_t full = r->tcp.counters.reasons[SANWO_REASON_QUEUE_FULL];
    sw_tcp_reply(&r->tcp, &out);
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_QUEUE_FULL], full + 1);
    assert_false(sw_tcp_poll_reply(&r->tcp, &out));
    rig_end(r);
}

/* RFC 9293 3.10.5: in which states an abort tells the peer. */
static void test_abort_by_state(void **state)
{
    (void)state;
    const struct {
        enum sanwo_tcp_state state;
        bool told;
    } rows[] = {
        {SANWO_TCP_CLOSED, false},     {SANWO_TCP_SYN_SENT, false},  {SANWO_TCP_SYN_RECEIVED, true},
        {SANWO_TCP_ESTABLISHED, true}, {SANWO_TCP_FIN_WAIT_1, true}, {SANWO_TCP_FIN_WAIT_2, true},
        {SANWO_TCP_CLOSE_WAIT, true},  {SANWO_TCP_CLOSING, false},   {SANWO_TCP_LAST_ACK, false},
        {SANWO_TCP_TIME_WAIT, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_tuple tuple = rig_tuple(0);
        struct tcp_connection *c = rig_connection(r, &tuple, rows[i].state, 0xfffffffe, 77);
        struct tcp_outgoing out;
        sw_tcp_reset_connection(&r->tcp, c, SANWO_REASON_USER_ABORT);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), rows[i].told);
        if (rows[i].told) {
            assert_true(out.flags & TCP_RST);
            assert_int_equal(out.seq.raw, 0xfffffffe); /* SND.NXT */
            c->reset_received = 1;                     /* never in answer to one */
            sw_tcp_reset_connection(&r->tcp, c, SANWO_REASON_USER_ABORT);
            assert_false(sw_tcp_poll_reply(&r->tcp, &out));
        }
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_abort_by_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
