/*
 * test_tcp_acceptable.c - The sequence check (RFC 9293 3.10.7.4 first, table 6), and trimming.
 */
#include "test_tcp_support.h"

/* Rows are relative to RCV.NXT, which is each of these in turn. */
static const uint32_t starts[] = {1000, 0, 1, 0xffffffff, 0xfffffff6, 0x7fffffff, 0x80000000};

static void test_the_four_cases(void **state)
{
    (void)state;
    const struct {
        uint32_t window;
        int32_t seq; /* from RCV.NXT */
        uint32_t span;
        bool acceptable;
    } rows[] = {
        /* length 0, window 0 */
        {0, 0, 0, true},
        {0, 1, 0, false},
        {0, -1, 0, false},
        /* length 0, window open */
        {10, 0, 0, true},
        {10, 9, 0, true},
        {10, 10, 0, false},
        {10, -1, 0, false},
        {1, 0, 0, true},
        {1, 1, 0, false},
        /* length, window 0 */
        {0, 0, 1, false},
        {0, -1, 1, false},
        {0, -1, 2, false},
        /* length and window: one end of it inside will do */
        {10, 0, 1, true},
        {10, 9, 1, true},
        {10, 10, 1, false},
        {10, -1, 1, false},
        {10, -1, 2, true},
        {10, -5, 5, false},
        {10, -5, 6, true},
        {10, 5, 100, true},
        {10, -5, 16, false}, /* over both edges: as the RFC has it */
        {10, -5, 15, true},
        /* far away */
        {10, INT32_MIN, 1, false},
        {10, INT32_MAX, 1, false},
        {10, INT32_MIN, 0, false},
        {1u << 30, (1 << 30) - 1, 1, true},
        {1u << 30, 1 << 30, 1, false},
        {1u << 30, INT32_MIN, 0, false},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++)
        for (size_t i = 0; i < SW_COUNT(rows); i++)
            assert_int_equal(sw_tcp_acceptable(tcp_seq_of(starts[s]), rows[i].window,
                                               tcp_seq_of(starts[s] + (uint32_t)rows[i].seq),
                                               rows[i].span),
                             rows[i].acceptable);
}

/* Window 100. What is left of the segment, and the verdict. */
static void test_check_and_trim(void **state)
{
    (void)state;
    const struct {
        int32_t seq;
        uint32_t length;
        uint8_t flags;
        enum tcp_verdict verdict;
        int32_t left_seq;
        uint32_t left_length;
        uint8_t left_flags;
        int32_t skip;
    } rows[] = {
        {0, 0, TCP_ACK, TCP_CONTINUE, 0, 0, TCP_ACK, 0},
        {0, 50, TCP_ACK, TCP_CONTINUE, 0, 50, TCP_ACK, 0},
        {0, 100, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0, 100, TCP_ACK | TCP_FIN, 0},
        {0, 101, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0, 100, TCP_ACK, 0}, /* FIN beyond is cut */
        {0, 500, TCP_ACK, TCP_CONTINUE, 0, 100, TCP_ACK, 0},
        {-10, 10, TCP_ACK, TCP_DROP_AND_ACK, -10, 10, TCP_ACK, 0},
        {-10, 11, TCP_ACK, TCP_CONTINUE, 0, 1, TCP_ACK, 10},
        {-10, 10, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0, 0, TCP_ACK | TCP_FIN, 10},
        {-11, 10, TCP_ACK | TCP_FIN, TCP_DROP_AND_ACK, -11, 10, TCP_ACK | TCP_FIN, 0},
        {-10, 60, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0, 50, TCP_ACK | TCP_FIN, 10},
        {-1, 0, TCP_ACK, TCP_DROP_AND_CHALLENGE, -1, 0, TCP_ACK, 0}, /* a keep-alive probe */
        {-1, 1, TCP_ACK, TCP_DROP_AND_ACK, -1, 1, TCP_ACK, 0},       /* with its old byte */
        {50, 50, TCP_ACK | TCP_FIN, TCP_CONTINUE, 50, 50, TCP_ACK | TCP_FIN, 0},
        {50, 51, TCP_ACK | TCP_FIN, TCP_CONTINUE, 50, 50, TCP_ACK, 0},
        {99, 1, TCP_ACK, TCP_CONTINUE, 99, 1, TCP_ACK, 0},
        {99, 9, TCP_ACK, TCP_CONTINUE, 99, 1, TCP_ACK, 0},
        {100, 0, TCP_ACK, TCP_DROP_AND_CHALLENGE, 100, 0, TCP_ACK, 0},
        {100, 1, TCP_ACK, TCP_DROP_AND_ACK, 100, 1, TCP_ACK, 0},
        {0, 0, TCP_RST, TCP_CONTINUE, 0, 0, TCP_RST, 0},
        {99, 0, TCP_RST, TCP_CONTINUE, 99, 0, TCP_RST, 0},
        {100, 0, TCP_RST, TCP_DROP, 100, 0, TCP_RST, 0}, /* no answer to a reset, ever */
        {-1, 0, TCP_RST, TCP_DROP, -1, 0, TCP_RST, 0},
        /* a SYN, wherever it is, stays for the step that challenges it */
        {-1, 5, TCP_ACK | TCP_SYN, TCP_CONTINUE, -1, 5, TCP_ACK | TCP_SYN, 0},
        {-1, 0, TCP_ACK | TCP_SYN, TCP_CONTINUE, -1, 0, TCP_ACK | TCP_SYN, 0},
        {INT32_MIN, 5, TCP_ACK, TCP_DROP_AND_ACK, INT32_MIN, 5, TCP_ACK, 0},
        {INT32_MAX, 0, TCP_ACK, TCP_DROP_AND_CHALLENGE, INT32_MAX, 0, TCP_ACK, 0},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = rig_open(r, 0xfffffff0, starts[s]);
            struct tcp_segment seg =
                rig_segment(r, c, starts[s] + (uint32_t)rows[i].seq, rows[i].flags);
            c->receive.rcv_adv = tcp_seq_of(starts[s] + 100);
            seg.length = rows[i].length;
            seg.skip = 7;
            assert_int_equal(sw_tcp_check_sequence(&r->tcp, c, &seg), rows[i].verdict);
            assert_int_equal(seg.seq.raw, starts[s] + (uint32_t)rows[i].left_seq);
            assert_int_equal(seg.length, rows[i].left_length);
            assert_int_equal(seg.flags, rows[i].left_flags);
            assert_int_equal(seg.skip, 7 + rows[i].skip);
            if (rows[i].verdict != TCP_CONTINUE)
                assert_int_not_equal(seg.reason, SANWO_REASON_NONE);
            rig_end(r);
        }
    }
}

/* MUST-66: a closed window takes no data, but the ACK, URG and RST of it still count. */
static void test_closed_window(void **state)
{
    (void)state;
    const struct {
        int32_t seq;
        uint32_t length;
        uint8_t flags;
        enum tcp_verdict verdict;
        uint32_t left;
    } rows[] = {
        {0, 0, TCP_ACK, TCP_CONTINUE, 0},
        {0, 1, TCP_ACK, TCP_CONTINUE, 0}, /* a window probe */
        {0, 1, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0},
        {0, 0, TCP_RST, TCP_CONTINUE, 0},
        {1, 0, TCP_ACK, TCP_CONTINUE, 0}, /* behind the probe's byte that we refused */
        {1, 1, TCP_ACK | TCP_FIN, TCP_CONTINUE, 0},
        {1, 0, TCP_RST, TCP_DROP, 0},
        {2, 0, TCP_ACK, TCP_DROP_AND_CHALLENGE, 0},
        {2, 1, TCP_ACK, TCP_DROP_AND_ACK, 1},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = rig_open(r, 1, starts[s]);
            struct tcp_segment seg =
                rig_segment(r, c, starts[s] + (uint32_t)rows[i].seq, rows[i].flags);
            c->receive.rcv_adv = c->receive.rcv_nxt;
            seg.length = rows[i].length;
            assert_int_equal(sw_tcp_check_sequence(&r->tcp, c, &seg), rows[i].verdict);
            assert_int_equal(seg.length, rows[i].left);
            if (rows[i].length && rows[i].verdict == TCP_CONTINUE) {
                assert_false(seg.flags & TCP_FIN);
                assert_int_equal(c->ack_now, 1);
            }
            rig_end(r);
        }
    }
}

/* Duplicates are told by D-SACK, and what an old segment acknowledges is used (U-22). B-25. */
static void test_old_segment(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct rig_frame *f = malloc(sizeof *f);
        struct tcp_connection *c = rig_open(r, starts[s], starts[s]);
        c->sack = 1;
        rig_send(r, c, 500);
        assert_true(rig_output(r, c, f));
        struct tcp_segment seg = rig_segment(r, c, starts[s] - 30, TCP_ACK);
        seg.length = 20;
        seg.ack = tcp_seq_of(starts[s] + 500);
        assert_int_equal(sw_tcp_check_sequence(&r->tcp, c, &seg), TCP_DROP_AND_ACK);
        assert_int_equal(c->receive.dsack_left.raw, starts[s] - 30);
        assert_int_equal(c->receive.dsack_right.raw, starts[s] - 10);
        assert_int_equal(c->send.snd_una.raw, starts[s] + 500);
        assert_int_equal(c->duplicate_segments, 1);
        free(f);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_four_cases),
        cmocka_unit_test(test_check_and_trim),
        cmocka_unit_test(test_closed_window),
        cmocka_unit_test(test_old_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
