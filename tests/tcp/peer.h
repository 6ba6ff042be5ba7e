/*
 * peer.h - One stack ("us") in virtual time, and a hand-made peer that speaks segment by segment.
 *
 *     test ---- calls of include/sanwo ----> stack <---- packet.c, bytes ----> peer (this)
 *
 * Sequence numbers are relative as in packetdrill: a SYN has 0, the first byte 1, of either side.
 * Absolute ones are chosen so that both sides' wrap around in the first hundred bytes. The full
 * segment of a peer that says nothing else is MSS bytes. Every test runs over IPv4 and over IPv6.
 *
 * Checked on every segment the stack emits, in every test: both checksums, lengths, options
 * (MUST-2, MUST-65, MUST-68, MUST-69), the bytes of the stream, the right edge of the window
 * (SHLD-14), a timestamp where negotiated (RFC 7323 3.2); on every state change: that figure 5 of
 * RFC 9293 has that edge; when a test is over: that all memory came back.
 */
#ifndef TESTS_TCP_PEER_H
#define TESTS_TCP_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include <sanwo/stack.h>

#include "packet.h"

#define MSS 1000 /* what the peer announces unless a test says otherwise */
#define RTT 10   /* ms, of the handshakes made here: the RTO is then its minimum, 200 ms */
#define EVENTS_KEPT 64
#define OUR_PORT 5000
#define PEER_PORT 80

struct change {
    uint8_t from, to;
    uint16_t reason;
};

struct seen {
    struct segment segment;
    uint8_t *packet; /* malloc'ed */
    size_t length;
};

struct peer {
    struct sanwo_stack_config config; /* change it before the stack is started */
    struct segment offer;             /* the options and the window of the peer's SYN */
    uint8_t family;
    struct sanwo_stack *stack;
    void *region;
    size_t region_size;
    int link;
    sanwo_time now;
    struct sanwo_endpoint ours, theirs;
    struct sanwo_handle listener, conn;
    uint32_t iss, isn;   /* what 0 is on the wire: the stack's, the peer's */
    uint32_t seq, ack;   /* next of the peer's, next it expects; kept by the ways into states */
    uint32_t written_at; /* relative place in the stream of the next WRITE, READ */
    uint32_t read_at;
    bool any_payload;     /* the stack's bytes are not the pattern: do not look */
    bool ts_on, scale_on; /* negotiated */
    uint8_t scale;        /* of the windows we see */
    uint32_t ts_base;     /* of the peer's timestamp clock, in ms */
    uint32_t ts_echo;     /* the last timestamp seen of the stack's */
    bool edge_known;      /* the right edge of the stack's window, relative */
    uint32_t edge;
    struct seen *queue; /* emitted and not yet expected */
    unsigned queue_first, queue_count, queue_size;
    struct seen last; /* the one expected last */
    struct change changes[256];
    unsigned change_count;
    struct sanwo_event events[EVENTS_KEPT]; /* not asked for yet */
    unsigned event_count;
    uint16_t last_drop; /* enum sanwo_reason */
    const char *violation;
    bool leak_unchecked; /* a test that ends amid things that last for hours */
};

/* ---- life ----------------------------------------------------------------------------------- */

int peer_setup_ipv4(void **state);
int peer_setup_ipv6(void **state);
int peer_teardown(void **state);

/** A test, twice. */
#define BOTH(test)                                                                                 \
    {#test " [IPv4]", test, peer_setup_ipv4, peer_teardown, NULL},                                 \
    {                                                                                              \
#test " [IPv6]", test, peer_setup_ipv6, peer_teardown, NULL                                \
    }

/** Creates the stack with p->config. The other calls here do it if it was not done. */
void peer_start(struct peer *p);

/* ---- segments ------------------------------------------------------------------------------- */

void peer_send(struct peer *p, const struct segment *seg);
void peer_send_from(struct peer *p, uint16_t port, const struct segment *seg);
void peer_receive_raw(struct peer *p, const uint8_t *packet, size_t length);
#define SEND(p, ...) peer_send(p, &(struct segment){__VA_ARGS__})

/** An ICMP error (numbers of the family) about the last segment expected; @mtu as in its message. */
void peer_icmp(struct peer *p, uint8_t type, uint8_t code, uint32_t mtu);

/** The next segment is this one: flags (PSH aside), numbers and length. Stays valid until the next. */
const struct segment *peer_expect(struct peer *p, const struct segment *want, int ms,
                                  const char *file, int line);
#define EXPECT(p, ...) peer_expect(p, &(struct segment){__VA_ARGS__}, 0, __FILE__, __LINE__)
/** Let time pass, at most @ms, until a segment is emitted; it is this one. */
#define EXPECT_WITHIN(p, ms, ...)                                                                  \
    peer_expect(p, &(struct segment){__VA_ARGS__}, ms, __FILE__, __LINE__)

void peer_expect_nothing(struct peer *p, const char *file, int line);
#define EXPECT_NOTHING(p) peer_expect_nothing(p, __FILE__, __LINE__)
/** Nothing is emitted for @ms. */
#define QUIET(p, ms)                                                                               \
    do {                                                                                           \
        peer_advance(p, ms);                                                                       \
        EXPECT_NOTHING(p);                                                                         \
    } while (0)

/** The next segment emitted within @ms, whatever it is, or NULL. */
const struct segment *peer_next(struct peer *p, int64_t ms);
/** Time passes, from deadline to deadline; what is emitted waits to be expected. */
void peer_advance(struct peer *p, int64_t ms);
/** Forgets what was emitted until now. Returns how many segments those were. */
unsigned peer_discard(struct peer *p);

/* ---- the application ------------------------------------------------------------------------- */

/** Writes the next @n bytes of the pattern; all must be taken. */
void peer_write(struct peer *p, size_t n, unsigned flags);
#define WRITE(p, n) peer_write(p, n, 0)
/** Reads @n bytes in order and checks them against the pattern. */
void peer_read(struct peer *p, size_t n, const char *file, int line);
#define READ(p, n) peer_read(p, n, __FILE__, __LINE__)
uint8_t peer_pattern(uint32_t relative);

/** The events of @h since the last time; those of others are forgotten. */
struct sanwo_event peer_events(struct peer *p, struct sanwo_handle h);
struct sanwo_tcp_info peer_info(struct peer *p);
struct sanwo_stack_stats peer_stats(struct peer *p);
/** The state of p->conn, SANWO_TCP_CLOSED if it is no more. */
unsigned peer_state(struct peer *p);
#define ASSERT_STATE(p, s)                                                                         \
    assert_string_equal(sanwo_tcp_state_name(peer_state(p)), sanwo_tcp_state_name(SANWO_TCP_##s))

/** The changes of state since the last time are these: pairs, ended by -1. */
void peer_changes(struct peer *p, const char *file, int line, ...);
#define CHANGES(p, ...) peer_changes(p, __FILE__, __LINE__, __VA_ARGS__, -1)
#define EDGE(from, to) (int)SANWO_TCP_##from, (int)SANWO_TCP_##to
/** The only change is this. */
#define CHANGED(p, from, to) CHANGES(p, EDGE(from, to))
/** None. */
#define UNCHANGED(p) peer_changes(p, __FILE__, __LINE__, -1)

/* ---- ways into states ------------------------------------------------------------------------ */

void peer_connect(struct peer *p);
void peer_listen(struct peer *p, uint32_t flags, uint32_t backlog);
/** Both end in ESTABLISHED with p->conn, p->seq = p->ack = 1, nothing waiting and no events. */
void established_active(struct peer *p);
void established_passive(struct peer *p);
/** Any of the eleven, by what goes over the wire. In LISTEN p->listener, else p->conn is it. */
void in_state(struct peer *p, enum sanwo_tcp_state state);
/** The peer's SYN, answered: p->scale, p->ts_on are as both offered. */
void peer_syn(struct peer *p, uint8_t flags);
/** Accepts the next of p->listener into p->conn. */
void peer_accept(struct peer *p);

#endif
