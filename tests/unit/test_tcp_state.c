/*
 * test_tcp_state.c - The eleven states and the edges of RFC 9293 figure 5, as a list of its own.
 */
#include "test_tcp_support.h"

_Static_assert(sizeof(struct tcp_connection) <= 480, "design.md 4: an idle connection is this");

#define S(name) SANWO_TCP_##name

static const struct {
    uint8_t from, to;
} figure_5[] = {
    {S(CLOSED), S(LISTEN)},            /* passive OPEN */
    {S(CLOSED), S(SYN_SENT)},          /* active OPEN */
    {S(LISTEN), S(SYN_RECEIVED)},      /* rcv SYN */
    {S(LISTEN), S(SYN_SENT)},          /* SEND */
    {S(LISTEN), S(CLOSED)},            /* CLOSE */
    {S(SYN_SENT), S(SYN_RECEIVED)},    /* rcv SYN */
    {S(SYN_SENT), S(ESTABLISHED)},     /* rcv SYN,ACK */
    {S(SYN_RECEIVED), S(ESTABLISHED)}, /* rcv ACK of SYN */
    {S(SYN_RECEIVED), S(FIN_WAIT_1)},  /* CLOSE */
    {S(SYN_RECEIVED), S(LISTEN)},      /* note 1: RST after a passive OPEN */
    {S(ESTABLISHED), S(FIN_WAIT_1)},   /* CLOSE */
    {S(ESTABLISHED), S(CLOSE_WAIT)},   /* rcv FIN */
    {S(FIN_WAIT_1), S(FIN_WAIT_2)},    /* rcv ACK of FIN */
    {S(FIN_WAIT_1), S(CLOSING)},       /* rcv FIN */
    {S(FIN_WAIT_1), S(TIME_WAIT)},     /* note 2: FIN and ACK of ours together */
    {S(FIN_WAIT_2), S(TIME_WAIT)},     /* rcv FIN */
    {S(CLOSE_WAIT), S(LAST_ACK)},      /* CLOSE */
    {S(CLOSING), S(TIME_WAIT)},        /* rcv ACK of FIN */
    {S(LAST_ACK), S(CLOSED)},          /* rcv ACK of FIN */
    {S(TIME_WAIT), S(CLOSED)},         /* 2 MSL */
};

/* And what the figure leaves to the text: reset, abort and time-out end in CLOSED from anywhere. */
static bool is_edge(uint8_t from, uint8_t to)
{
    if (to == S(CLOSED) && from != S(CLOSED))
        return true;
    for (size_t i = 0; i < SW_COUNT(figure_5); i++)
        if (figure_5[i].from == from && figure_5[i].to == to)
            return true;
    return false;
}

static void test_edges(void **state)
{
    (void)state;
    for (uint8_t from = 0; from < SANWO_TCP_STATE_COUNT; from++)
        for (uint8_t to = 0; to < SANWO_TCP_STATE_COUNT; to++)
            if (sw_tcp_state_can_follow(from, to) != is_edge(from, to))
                fail_msg("%s -> %s", sanwo_tcp_state_name(from), sanwo_tcp_state_name(to));
}

static void test_set_state_tells(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    rig_watch(r);
    c->user = c;
    sw_tcp_set_state(&r->tcp, c, SANWO_TCP_CLOSE_WAIT, SANWO_REASON_PEER_FIN);
    assert_int_equal(c->state, SANWO_TCP_CLOSE_WAIT);
    assert_int_equal(c->reason, SANWO_REASON_PEER_FIN);
    const struct sanwo_observation *o = rig_last(r, SANWO_OBSERVE_STATE);
    assert_non_null(o);
    assert_int_equal(o->old_state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(o->state, SANWO_TCP_CLOSE_WAIT);
    assert_int_equal(o->reason, SANWO_REASON_PEER_FIN);
    assert_ptr_equal(o->user, c);
    rig_end(r);
}

static void test_names_and_classes(void **state)
{
    (void)state;
    const struct {
        const char *name;
        bool synchronised, sends, receives;
    } rows[SANWO_TCP_STATE_COUNT] = {
        [S(CLOSED)] = {"CLOSED", false, false, false},
        [S(LISTEN)] = {"LISTEN", false, false, false},
        [S(SYN_SENT)] = {"SYN-SENT", false, false, false},
        [S(SYN_RECEIVED)] = {"SYN-RECEIVED", false, false, false},
        [S(ESTABLISHED)] = {"ESTABLISHED", true, true, true},
        [S(FIN_WAIT_1)] = {"FIN-WAIT-1", true, false, true},
        [S(FIN_WAIT_2)] = {"FIN-WAIT-2", true, false, true},
        [S(CLOSE_WAIT)] = {"CLOSE-WAIT", true, true, false},
        [S(CLOSING)] = {"CLOSING", true, false, false},
        [S(LAST_ACK)] = {"LAST-ACK", true, false, false},
        [S(TIME_WAIT)] = {"TIME-WAIT", true, false, false},
    };
    for (uint8_t i = 0; i < SANWO_TCP_STATE_COUNT; i++) {
        assert_string_equal(sanwo_tcp_state_name(i), rows[i].name);
        assert_int_equal(sw_tcp_is_synchronised(i), rows[i].synchronised);
        assert_int_equal(sw_tcp_may_send_data(i), rows[i].sends);
        assert_int_equal(sw_tcp_may_receive_data(i), rows[i].receives);
    }
    assert_string_equal(sanwo_tcp_state_name(SANWO_TCP_STATE_COUNT), "?");
    assert_string_equal(sanwo_tcp_state_name(UINT32_MAX), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_set_state_tells),
        cmocka_unit_test(test_names_and_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
