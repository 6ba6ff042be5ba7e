/*
 * fast_open.h - What the tests of a Fast Open server share (RFC 7413): its listener, cookies, SYNs.
 */
#ifndef TESTS_TCP_FAST_OPEN_H
#define TESTS_TCP_FAST_OPEN_H

#include "peer.h"

static inline void listen_for(struct peer *p, uint32_t limit, uint32_t backlog)
{
    peer_start(p);
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT},
                                    .user = p,
                                    .backlog = backlog,
                                    .isn_is_set = true,
                                    .isn = p->iss,
                                    .fast_open = limit};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
}

/* A SYN with @length bytes of text and these bytes of options. */
static inline void syn_from(struct peer *p, uint16_t port, const uint8_t *raw, uint8_t raw_length,
                            uint32_t length)
{
    struct segment syn = p->offer;
    syn.flags = SYN;
    syn.raw = raw;
    syn.raw_length = raw_length;
    syn.length = length;
    peer_send_from(p, port, &syn);
}

/* The cookie as an option of ten bytes and two NOPs, from a handshake that comes to nothing. */
static inline void get_cookie(struct peer *p, uint8_t option[12])
{
    static const uint8_t request[4] = {34, 2, 1, 1};
    syn_from(p, p->theirs.port, request, 4, 0);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(answer->cookie_kind, 34);
    assert_int_equal(answer->cookie_length, 8);
    option[0] = 34;
    option[1] = 10;
    memcpy(option + 2, answer->cookie, 8);
    option[10] = option[11] = 1;
    SEND(p, .flags = RST, .seq = 1);
    assert_int_equal(peer_stats(p).half_open, 0);
    p->change_count = 0;
}

static inline bool nothing_to_accept(struct peer *p)
{
    struct sanwo_handle h;
    return sanwo_tcp_accept(p->stack, p->listener, p, &h) == -SANWO_EAGAIN;
}

/* A connection with @text bytes in its SYN that was accepted and has not completed its handshake. */
static inline void opened(struct peer *p, uint32_t limit, uint32_t text)
{
    uint8_t cookie[12];
    listen_for(p, limit, 0);
    get_cookie(p, cookie);
    syn_from(p, PEER_PORT, cookie, 12, text);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1 + text);
    peer_accept(p);
    ASSERT_STATE(p, SYN_RECEIVED);
}

#endif
