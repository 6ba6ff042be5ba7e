/*
 * test_tcp_bbr_lost.c - Each loss is told to BBR when it is found (draft-ietf-ccwg-bbr-06 5.2.4), from
 * the records of a connection.
 */
#include "tcp/congestion/bbr.h"
#include "test_tcp_support.h"

static void flag(struct rig *r, struct tcp_connection *c, uint32_t i, uint8_t flags)
{
    struct tcp_place place = rig_place(r, c, i);

    sw_tcp_record_set_flags(&r->tcp, c, &place, flags);
}

/* What was in flight when it left, what was lost since; each once, and a time-out's losses too. */
static void test_losses_are_told(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1000, 1);
    sw_tcp_cc_init(&c->cc, SANWO_CONGESTION_BBR, RIG_MSS, 10);
    c->sack = 1;
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(sw_tcp_records_push(&r->tcp, c, RIG_MSS));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, RIG_MSS);
    }
    struct bbr *bbr = sw_tcp_sending_state(sw_tcp_sending(&r->tcp, c));
    assert_false(bbr->loss_in_round);
    flag(r, c, 19, RECORD_SACKED);
    assert_false(bbr->loss_in_round);
    flag(r, c, 0, RECORD_LOST);
    assert_true(bbr->loss_in_round);
    assert_true(bbr->undo.noted);
    assert_int_equal(bbr->round_lost, RIG_MSS);
    flag(r, c, 0, RECORD_LOST); /* it is lost already */
    assert_int_equal(bbr->round_lost, RIG_MSS);

    bbr->probe_samples = true;
    flag(r, c, 15, RECORD_LOST);
    assert_int_equal(bbr->round_lost, 2 * RIG_MSS); /* the first one is chance */
    assert_false(bbr->probe_samples);
    assert_true(bbr->prev_probe_too_high);
    assert_in_range(bbr->inflight_hi, 15 * RIG_MSS, 16 * RIG_MSS);
    sw_tcp_records_clear(&r->tcp, c);
    sw_tcp_sending_release(&r->tcp, c);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
