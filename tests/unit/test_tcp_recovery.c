/*
 * test_tcp_recovery.c - Duplicates, partial and full acknowledgements, time-outs: RFC 5681 3.2, RFC
 * 6582, RFC 3042, on whole connections that send and are acknowledged.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS

static struct rig_frame frame;

static const uint32_t starts[] = {1000, 0xffffe000, 0xffffffff, 0x7fffff00};

/* @count full segments are out, no SACK; a window of exactly them. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t snd, uint32_t count)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    r->tcp.config.pacing = false; /* all at once */
    c->cc.cwnd = count * MSS;
    c->send.srtt = c->send.min_rtt = SANWO_MSEC(50);
    rig_send(r, c, (count + 20) * MSS);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(rig_output(r, c, &frame));
        assert_int_equal(frame.payload, MSS);
    }
    assert_false(rig_output(r, c, &frame));
    rig_check_records(r, c);
    return c;
}

/* The next frame is [at, at + MSS), relative to the first byte. */
static void check_sends(struct rig *r, struct tcp_connection *c, uint32_t at)
{
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.h.seq.raw - c->send.iss.raw - 1, at);
    assert_int_equal(frame.payload, MSS);
    rig_check(frame.bytes + frame.h.header_length, at, MSS);
    rig_check_records(r, c);
}

static void check_sends_nothing(struct rig *r, struct tcp_connection *c)
{
    if (rig_output(r, c, &frame))
        fail_msg("sent %u bytes at %u", frame.payload, frame.h.seq.raw - c->send.iss.raw - 1);
}

static void duplicates(struct rig *r, struct tcp_connection *c, uint32_t n)
{
    while (n--)
        assert_int_equal(rig_ack(r, c, c->send.snd_una.raw, c->send.snd_wnd), TCP_CONTINUE);
}

/* RFC 3042: each of the first two lets one new segment out; RFC 5681 3.2: the third sends again. */
static void test_three_duplicates(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], 10);
        duplicates(r, c, 1);
        check_sends(r, c, 10 * MSS);
        check_sends_nothing(r, c);
        duplicates(r, c, 1);
        check_sends(r, c, 11 * MSS);
        check_sends_nothing(r, c);
        assert_int_equal(c->in_recovery, 0);
        duplicates(r, c, 1);
        assert_int_equal(c->in_recovery, 1);
        check_sends(r, c, 0); /* whatever cwnd says */
        assert_int_equal(c->retransmitted, 1);
        assert_in_range(c->cc.ssthresh, 4 * MSS, 6 * MSS);
        assert_int_equal(c->cc.cwnd, c->cc.ssthresh);
        rig_end(r);
    }
}

/* More duplicates let new data out as the flight falls, but no more than was in flight (B-21). */
static void test_inflation_is_bounded(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000, 10);
    uint32_t sent = 0;

    duplicates(r, c, 3);
    uint32_t flight = tcp_seq_distance(c->send.snd_una, c->send.snd_nxt);
    check_sends(r, c, 0);
    for (int i = 0; i < 1000; i++) { /* forged, most of them */
        uint32_t before = c->send.in_flight, most = c->cc.cwnd + MSS;
        duplicates(r, c, 1);
        while (rig_output(r, c, &frame))
            sent += frame.payload;
        rig_check_records(r, c);
        assert_true(c->send.in_flight <= (before > most ? before : most));
    }
    assert_true(sent <= flight);
    rig_end(r);
}

/*
 * RFC 6582 3.2 step 3: a partial acknowledgement sends the next hole, a full one ends recovery.
 * RFC6582-3-1.
 */
static void test_partial_and_full(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], 10);
        duplicates(r, c, 3);
        check_sends(r, c, 0);
        uint32_t reduced = c->cc.cwnd;
        rig_ack(r, c, starts[s] + 4 * MSS, 1 << 20);
        assert_int_equal(c->in_recovery, 1);
        check_sends(r, c, 4 * MSS);
        rig_ack(r, c, starts[s] + 7 * MSS, 1 << 20);
        check_sends(r, c, 7 * MSS);
        assert_int_equal(c->cc.cwnd, reduced); /* one reduction a window */
        uint32_t recover = c->send.recover.raw;
        rig_ack(r, c, recover - 1, 1 << 20);
        assert_int_equal(c->in_recovery, 1);
        rig_ack(r, c, recover, 1 << 20);
        assert_int_equal(c->in_recovery, 0);
        assert_true(c->cc.cwnd <= c->cc.ssthresh + MSS);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* Duplicates of a window that was reduced already start nothing new (6582 3.2 step 2). */
static void test_not_twice_for_one_window(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffffff0, 10);

    duplicates(r, c, 3);
    check_sends(r, c, 0);
    uint32_t ssthresh = c->cc.ssthresh;
    duplicates(r, c, 20);
    assert_int_equal(c->cc.ssthresh, ssthresh);
    rig_ack(r, c, 0xfffffff0 + 2u * MSS, 1 << 20);
    duplicates(r, c, 5);
    assert_int_equal(c->cc.ssthresh, ssthresh);
    rig_end(r);
}

/* RFC 5681 2: what is a duplicate acknowledgement, and what is not. RFC5681-2-1. */
static void test_what_is_a_duplicate(void **state)
{
    (void)state;
    const struct {
        uint32_t length;
        uint8_t flags;
        uint32_t window;
        int32_t ack; /* from SND.UNA */
        bool counts;
    } rows[] = {
        {0, TCP_ACK, 1 << 20, 0, true},
        {0, TCP_ACK | TCP_PSH, 1 << 20, 0, true},
        {1, TCP_ACK, 1 << 20, 0, false},           /* data */
        {0, TCP_ACK | TCP_FIN, 1 << 20, 0, false}, /* FIN */
        {0, TCP_ACK, (1 << 20) - 1, 0, false},     /* another window */
        {0, TCP_ACK, 1 << 20, -1, false},          /* older */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xffffffff, 5);
        struct tcp_segment seg = rig_segment(r, c, 1, rows[i].flags);
        seg.length = rows[i].length;
        seg.came_with_data = rows[i].length > 0;
        seg.window = rows[i].window;
        seg.ack = tcp_seq_of(0xffffffff + (uint32_t)rows[i].ack);
        assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
        assert_int_equal(c->duplicate_acks_seen, rows[i].counts);
        assert_int_equal(c->send.duplicate_acks, rows[i].counts);
        rig_end(r);
    }
    struct rig *r = rig_new(); /* nothing outstanding */
    struct tcp_connection *c = rig_open(r, 1, 1);
    duplicates(r, c, 5);
    assert_int_equal(c->duplicate_acks_seen, 0);
    rig_end(r);
}

/* Reordering: two duplicates, then the hole fills by itself. Nothing is reduced or lost. */
static void test_reordering(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff800, 10);
    uint32_t cwnd = c->cc.cwnd;

    duplicates(r, c, 2);
    rig_ack(r, c, 0xfffff800 + 3u * MSS, 1 << 20);
    rig_check_records(r, c);
    assert_int_equal(c->send.in_flight, 7 * MSS);
    assert_int_equal(c->send.duplicate_acks, 0);
    assert_true(c->cc.cwnd >= cwnd);
    assert_int_equal(c->in_recovery, 0);
    assert_int_equal(c->send.lost, 0);
    rig_end(r);
}

/*
 * All counts as lost; cwnd is one segment. Its ACK lets two new ones out (F-RTO, RFC 5682 2.1 step 2b);
 * a duplicate then says that the rest is lost, and it goes again in order.
 */
static void test_timeout(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], 10);
        rig_set_flags(r, c, 4, RECORD_SACKED); /* presumed, by a duplicate */
        assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
        rig_check_records(r, c);
        assert_int_equal(c->send.lost, 10 * MSS);
        assert_int_equal(c->send.in_flight, 0);
        assert_int_equal(c->cc.cwnd, MSS);
        assert_int_equal(c->cc.ssthresh, 5 * MSS);
        check_sends(r, c, 0);
        check_sends_nothing(r, c);
        rig_ack(r, c, starts[s] + MSS, 1 << 20);
        check_sends(r, c, 10 * MSS);
        check_sends(r, c, 11 * MSS);
        check_sends_nothing(r, c);
        duplicates(r, c, 1);
        assert_true(c->cc.cwnd <= 3 * MSS);
        check_sends(r, c, MSS);
        /* RFC6675-5.1-1 */
        duplicates(r, c, 5); /* of what was sent twice: no fast retransmit for them */
        assert_int_equal(c->in_recovery, 0);
        assert_int_equal(c->cc.ssthresh, 5 * MSS);
        rig_ack(r, c, starts[s] + 10 * MSS, 1 << 20);
        assert_int_equal(c->in_timeout, 0);
        assert_int_equal(c->send.lost, 0);
        check_sends(r, c, 12 * MSS);
        rig_end(r);
    }
}

/*
 * With SACK, what was reported stays reported (RFC 6675 5.1), unless the oldest is among it, which the
 * peer can only have thrown away (RFC 2018 8). RFC2018-8-1.
 */
static void test_timeout_with_sack(void **state)
{
    (void)state;
    for (uint32_t reneged = 0; reneged < 2; reneged++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xffffe000, 10);
        c->sack = 1;
        rig_set_flags(r, c, 4, RECORD_SACKED);
        if (reneged)
            rig_set_flags(r, c, 0, RECORD_SACKED);
        assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
        rig_check_records(r, c);
        assert_int_equal(c->send.lost, (reneged ? 10 : 9) * MSS);
        assert_int_equal(rig_bits(r, c, RECORD_LOST), reneged ? 0x3ff : 0x3ef);
        check_sends(r, c, 0);
        rig_end(r);
    }
}

/* A second time-out of the same data leaves ssthresh alone (RFC 5681 3.1). */
static void test_timeout_again(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 1, 10);

    sw_tcp_retransmit_expired(&r->tcp, c);
    check_sends(r, c, 0);
    sw_tcp_retransmit_expired(&r->tcp, c);
    assert_int_equal(c->cc.ssthresh, 5 * MSS);
    assert_int_equal(c->send.retransmissions, 2);
    check_sends(r, c, 0);
    assert_int_equal(rig_record(r, c, 0)->transmissions, 3);
    rig_end(r);
}

/* After gigabytes without any loss, the next one is found as fast as the first (modulo 2^32). */
static void test_recover_does_not_age(void **state)
{
    (void)state;
    const uint32_t gigabytes[] = {0, 1, 2, 3, 4, 6};

    for (size_t i = 0; i < SW_COUNT(gigabytes); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1000, 1);
        for (uint32_t n = 0; n < gigabytes[i] * 64; n++) { /* 16 MiB a step, as if sent and acked */
            uint32_t step = 16 << 20;
            assert_true(sw_tcp_records_push(&r->tcp, c, step));
            c->send.snd_nxt = c->send.snd_end = tcp_seq_add(c->send.snd_nxt, step);
            struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
            struct tcp_news news = sw_tcp_recovery_begin(&r->tcp, c, &seg);
            c->send.snd_una = seg.ack;
            sw_tcp_records_acknowledge(&r->tcp, c, &seg);
            news.acked = step;
            sw_tcp_recovery_end(&r->tcp, c, &news);
        }
        c->cc.cwnd = 5 * MSS;
        rig_send(r, c, 5 * MSS);
        while (rig_output(r, c, &frame))
            assert_int_equal(frame.payload, MSS);
        duplicates(r, c, 3);
        if (!c->in_recovery)
            fail_msg("no fast retransmit after %u GiB", gigabytes[i]);
        rig_end(r);
    }
}

/* ---- with SACK --------------------------------------------------------------------------- */

static void sack(struct rig *r, struct tcp_connection *c, uint32_t ack, uint32_t left,
                 uint32_t right)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    uint32_t base = c->send.iss.raw + 1;

    seg.ack = tcp_seq_of(base + ack);
    seg.window = c->send.snd_wnd;
    seg.options.sack_count = 1;
    seg.options.sack[0] = (struct wire_tcp_sack){tcp_seq_of(base + left), tcp_seq_of(base + right)};
    assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
    rig_check_records(r, c);
}

/* Three segments behind the hole were reported: it is lost, and only the hole is sent again. */
static void test_sack_sends_the_holes(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], 10);
        c->sack = 1;
        r->tcp.now += SANWO_MSEC(50);
        sack(r, c, 0, MSS, 2 * MSS);
        check_sends(r, c, 10 * MSS); /* limited transmit */
        r->tcp.now += SANWO_MSEC(1);
        sack(r, c, 0, MSS, 3 * MSS);
        check_sends(r, c, 11 * MSS);
        r->tcp.now += SANWO_MSEC(1);
        sack(r, c, 0, MSS, 4 * MSS);
        assert_int_equal(c->in_recovery, 1);
        assert_int_equal(c->send.lost, MSS);
        check_sends(r, c, 0);
        r->tcp.now += SANWO_MSEC(49);
        sack(r, c, 0, 5 * MSS, 12 * MSS); /* a second hole */
        while (rig_output(r, c, &frame)) {
            uint32_t at = frame.h.seq.raw - c->send.iss.raw - 1;
            assert_true(at == 4 * MSS || at >= 12 * MSS);
        }
        assert_int_equal(c->retransmitted, 2);
        sack(r, c, 10 * MSS, 0, 0);
        assert_int_equal(c->in_recovery, 1); /* `recover` is 12 segments on */
        sack(r, c, 12 * MSS, 0, 0);
        assert_int_equal(c->in_recovery, 0);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_duplicates),
        cmocka_unit_test(test_inflation_is_bounded),
        cmocka_unit_test(test_partial_and_full),
        cmocka_unit_test(test_not_twice_for_one_window),
        cmocka_unit_test(test_what_is_a_duplicate),
        cmocka_unit_test(test_reordering),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_timeout_with_sack),
        cmocka_unit_test(test_timeout_again),
        cmocka_unit_test(test_recover_does_not_age),
        cmocka_unit_test(test_sack_sends_the_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
