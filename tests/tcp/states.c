/*
 * states.c - The application's side of a test, and the ways into each state.
 *
 *     CLOSED -connect-> SYN-SENT -SYN-> SYN-RECEIVED        -SYN,ACK-> ESTABLISHED
 *     ESTABLISHED -shutdown-> FIN-WAIT-1 -ACK-> FIN-WAIT-2 -FIN-> TIME-WAIT
 *     FIN-WAIT-1 -FIN-> CLOSING       ESTABLISHED -FIN-> CLOSE-WAIT -shutdown-> LAST-ACK
 */
#include "peer.h"

/* ---- the application ------------------------------------------------------------------------- */

void peer_write(struct peer *p, size_t n, unsigned flags)
{
    static uint8_t bytes[4 << 20];
    assert_true(n <= sizeof(bytes));
    for (size_t i = 0; i < n; i++)
        bytes[i] = peer_pattern(p->written_at + (uint32_t)i);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, n, flags, p->now), n);
    p->written_at += (uint32_t)n;
}

void peer_read(struct peer *p, size_t n, const char *file, int line)
{
    static uint8_t bytes[4 << 20];
    size_t done = 0;
    while (done < n) {
        int64_t got = sanwo_tcp_receive(p->stack, p->conn, bytes + done, n - done, p->now);
        if (got <= 0) {
            print_error("receive: %s after %zu of %zu bytes\n",
                        got ? sanwo_error_name((int)got) : "the end", done, n);
            _fail(file, line);
            return;
        }
        done += (size_t)got;
    }
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != peer_pattern(p->read_at + (uint32_t)i)) {
            print_error("byte %u of the stream is wrong\n", p->read_at + (unsigned)i);
            _fail(file, line);
            return;
        }
    p->read_at += (uint32_t)n;
}

struct sanwo_tcp_info peer_info(struct peer *p)
{
    struct sanwo_tcp_info info;
    memset(&info, 0, sizeof(info));
    assert_int_equal(sanwo_tcp_info(p->stack, p->conn, &info), 0);
    return info;
}

struct sanwo_stack_stats peer_stats(struct peer *p)
{
    struct sanwo_stack_stats stats;
    sanwo_stack_stats(p->stack, &stats);
    return stats;
}

unsigned peer_state(struct peer *p)
{
    struct sanwo_tcp_info info;
    int result = sanwo_tcp_info(p->stack, p->conn, &info);
    if (result == -SANWO_EBADF)
        return SANWO_TCP_CLOSED;
    assert_int_equal(result, 0);
    return info.state;
}

void peer_changes(struct peer *p, const char *file, int line, ...)
{
    va_list list;
    unsigned n = 0;
    bool same = true;
    va_start(list, line);
    for (int from = va_arg(list, int); from >= 0; from = va_arg(list, int), n++) {
        int to = va_arg(list, int);
        if (n >= p->change_count || p->changes[n].from != from || p->changes[n].to != to) {
            print_error("expected: %s -> %s\n", sanwo_tcp_state_name((unsigned)from),
                        sanwo_tcp_state_name((unsigned)to));
            same = false;
        }
    }
    va_end(list);
    same = same && n == p->change_count;
    for (unsigned i = 0; i < p->change_count && !same; i++)
        print_error("seen:     %s -> %s (%s)\n", sanwo_tcp_state_name(p->changes[i].from),
                    sanwo_tcp_state_name(p->changes[i].to),
                    sanwo_reason_name(p->changes[i].reason));
    p->change_count = 0;
    if (!same)
        _fail(file, line);
}

/* ---- ways into states ------------------------------------------------------------------------ */

void peer_connect(struct peer *p)
{
    peer_start(p);
    struct sanwo_tcp_connect open = {
        .remote = p->theirs, .local = p->ours, .user = p, .isn_is_set = true, .isn = p->iss};
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &p->conn), 0);
    p->written_at = p->read_at = 1;
}

void peer_listen(struct peer *p, uint32_t flags, uint32_t backlog)
{
    peer_start(p);
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT},
                                    .backlog = backlog,
                                    .flags = flags,
                                    .user = p,
                                    .isn_is_set = true,
                                    .isn = p->iss};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
}

void peer_syn(struct peer *p, uint8_t flags)
{
    struct segment syn = p->offer;
    syn.flags = flags;
    syn.seq = 0;
    syn.ack = 1;
    if (syn.has_ts && !syn.ts_value)
        syn.ts_value = p->ts_base + (uint32_t)(p->now / SANWO_MSEC(1));
    if (syn.has_ts && (flags & ACK)) /* our SYN came before: what it offers is known */
        syn.ts_echo = p->ts_echo;
    peer_send(p, &syn);
}

void peer_accept(struct peer *p)
{
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, p, &p->conn), 0);
    p->written_at = p->read_at = 1;
}

static void settle(struct peer *p)
{
    p->seq = p->ack = 1;
    peer_events(p, p->conn);
    p->change_count = 0;
}

void established_active(struct peer *p)
{
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    peer_advance(p, RTT);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    EXPECT_NOTHING(p);
    ASSERT_STATE(p, ESTABLISHED);
    settle(p);
}

void established_passive(struct peer *p)
{
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_advance(p, RTT);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    EXPECT_NOTHING(p);
    peer_accept(p);
    ASSERT_STATE(p, ESTABLISHED);
    settle(p);
}

static void our_fin(struct peer *p)
{
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = p->ack, .ack = p->seq);
    p->ack++;
}

static void their_fin(struct peer *p, uint32_t ack)
{
    SEND(p, .flags = FIN | ACK, .seq = p->seq, .ack = ack);
    p->seq++;
    EXPECT(p, .flags = ACK, .seq = p->ack, .ack = p->seq);
}

static void opening(struct peer *p, enum sanwo_tcp_state state)
{
    switch (state) {
    case SANWO_TCP_LISTEN:
        peer_listen(p, 0, 0);
        return;
    case SANWO_TCP_SYN_SENT:
    case SANWO_TCP_SYN_RECEIVED:
        peer_connect(p);
        EXPECT(p, .flags = SYN);
        p->seq = p->ack = 1;
        if (state == SANWO_TCP_SYN_RECEIVED) {
            peer_syn(p, SYN);
            EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
        }
        return;
    default: /* CLOSED, but the handle was not given back yet */
        established_active(p);
        SEND(p, .flags = RST, .seq = 1);
        EXPECT_NOTHING(p);
    }
}

void in_state(struct peer *p, enum sanwo_tcp_state state)
{
    if (state < SANWO_TCP_ESTABLISHED) {
        opening(p, state);
    } else {
        established_active(p);
        if (state == SANWO_TCP_CLOSE_WAIT || state == SANWO_TCP_LAST_ACK)
            their_fin(p, 1);
        if (state != SANWO_TCP_ESTABLISHED && state != SANWO_TCP_CLOSE_WAIT)
            our_fin(p);
        if (state == SANWO_TCP_FIN_WAIT_2 || state == SANWO_TCP_TIME_WAIT)
            SEND(p, .flags = ACK, .seq = 1, .ack = 2);
        if (state == SANWO_TCP_CLOSING)
            their_fin(p, 1);
        if (state == SANWO_TCP_TIME_WAIT)
            their_fin(p, 2);
    }
    EXPECT_NOTHING(p);
    if (state != SANWO_TCP_LISTEN) {
        peer_events(p, p->conn);
        assert_string_equal(sanwo_tcp_state_name(peer_state(p)), sanwo_tcp_state_name(state));
    }
    p->change_count = 0;
}
