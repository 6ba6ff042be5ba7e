/*
 * test_time_wait_backlog.c - A TIME-WAIT record makes way only for a SYN that will be remembered.
 *
 * RFC 6191 2 lets a new SYN end TIME-WAIT. Where the backlog is full its answer would be a cookie, which
 * is good for more than a minute: the ACK of an earlier one could then open the connection twice (B-09).
 */
#include "peer.h"

enum { OTHER_PORT = 999 };

static void listen_with(struct peer *p, uint32_t backlog)
{
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT}, .backlog = backlog, .user = p};
    struct sanwo_handle h;

    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &h), 0);
}

/* A SYN to a TIME-WAIT record whose listener has one half-open connection. The answer, or NULL. */
static const struct segment *try_reuse(struct peer *p, uint32_t backlog)
{
    struct segment syn = p->offer;

    in_state(p, SANWO_TCP_TIME_WAIT);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    listen_with(p, backlog);
    syn.flags = SYN;
    peer_send_from(p, OTHER_PORT, &syn);
    assert_non_null(peer_next(p, 0));
    p->any_payload = p->leak_unchecked = true; /* another connection; half-open ones last */
    syn.seq = 200000;
    syn.ts_value = p->ts_base + 100000;
    peer_send(p, &syn);
    return peer_next(p, 0);
}

static void test_B_09_time_wait_makes_no_way_for_a_cookie(void **state)
{
    struct peer *p = *state;

    assert_null(try_reuse(p, 1));
    assert_int_equal(peer_stats(p).time_wait, 1);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
}

static void test_time_wait_makes_way_for_what_is_remembered(void **state)
{
    struct peer *p = *state;
    const struct segment *answer = try_reuse(p, 8);

    assert_non_null(answer);
    assert_int_equal(answer->flags, SYN | ACK);
    assert_int_equal(peer_stats(p).time_wait, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_B_09_time_wait_makes_no_way_for_a_cookie),
        BOTH(test_time_wait_makes_way_for_what_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
