/*
 * test_scoreboard.c - SACK blocks that cut the send queue to pieces, and text that comes in pieces.
 *
 *     in flight   |####|    |####|    |####|    |####|  ...   every other segment is SACKed: N holes
 *
 * Attacks B-01, B-02, B-03, B-05 on one connection.
 */
#include "tcp/peer.h"

#include <stdlib.h>

#define SMALL 64 /* the least MSS that is believed */

static uint32_t scale(uint32_t full, uint32_t quick)
{
    return getenv("SANWO_LONG") ? full : quick;
}

/* A connection with segments of @mss bytes, of which @segments are in flight. */
static void in_flight(struct peer *p, uint16_t mss, uint32_t segments)
{
    uint32_t want = segments * mss, acked = 1;
    p->config.budget = 64 << 20;
    p->config.tcp.send_buffer = 8 << 20;
    p->offer.mss = mss;
    p->offer.sack_permitted = true;
    p->offer.scale = SCALE(10);
    p->any_payload = true; /* so many bytes are looked at elsewhere */
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = 65535);
    for (;;) {
        while (peer_info(p).send_queued < 2 * want)
            WRITE(p, want / 2);
        peer_advance(p, 1);
        peer_discard(p);
        uint32_t out = peer_info(p).in_flight;
        if (out >= want)
            break;
        acked += out;
        SEND(p, .flags = ACK, .seq = 1, .ack = acked, .window = 65535);
    }
    p->ack = acked;
}

static void sack(struct peer *p, uint32_t from, uint32_t to)
{
    struct segment seg = {.flags = ACK, .seq = 1, .ack = p->ack, .window = 65535, .sack_count = 1};
    seg.sack[0][0] = p->ack + from;
    seg.sack[0][1] = p->ack + to;
    peer_send(p, &seg);
}

/* SACK for every other one of @segments. */
static void punch(struct peer *p, uint16_t mss, uint32_t segments)
{
    for (uint32_t i = 1; i < segments; i += 2) {
        sack(p, i * mss, (i + 1) * mss);
        if (i % 128 == 1)
            peer_discard(p);
    }
    peer_discard(p);
}

static void deliver_all(struct peer *p)
{
    for (unsigned i = 0; i < 1000 && peer_info(p).send_queued; i++) {
        p->ack = peer_info(p).snd_nxt - p->iss;
        SEND(p, .flags = ACK, .seq = 1, .ack = p->ack, .window = 65535);
        peer_advance(p, 1);
        peer_discard(p);
    }
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.send_queued, 0);
    assert_int_equal(info.in_flight + info.segments_in_flight + info.segments_sacked, 0);
    assert_int_equal(info.segments_lost, 0);
    assert_int_equal(info.bytes_acked, p->written_at - 1);
}

/* Tens of thousands of segments of 64 bytes, half of them SACKed: no counter wraps. B-01, B-03. */
static void test_B_01_sack_panic(void **state)
{
    struct peer *p = *state;
    const uint32_t segments = scale(24000, 6000);
    in_flight(p, SMALL, segments);
    punch(p, SMALL, segments);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(info.segments_sacked, segments / 2);
    uint32_t flight = info.snd_nxt - info.snd_una;
    assert_in_range(info.in_flight, 0, flight - segments / 2 * SMALL);
    deliver_all(p);
}

/* Single bytes out of segments: each cut makes three of one, until there is no more room for cuts. B-01, B-02. */
static void test_B_02_every_other_byte(void **state)
{
    struct peer *p = *state;
    const uint32_t segments = scale(12000, 3000);
    in_flight(p, SMALL, segments);
    uint64_t used = peer_stats(p).memory_used;
    for (uint32_t i = 1; i < segments * SMALL; i += 30) {
        sack(p, i, i + 1);
        if (i % 128 == 1)
            peer_discard(p);
    }
    peer_discard(p);
    assert_in_range(peer_stats(p).memory_used, 0, used + (2 << 20));
    ASSERT_STATE(p, ESTABLISHED);
    deliver_all(p);
}

/* @pieces of one byte each behind a hole, here and there in a large window. */
static void piece_by_piece(struct peer *p, uint32_t pieces)
{
    uint32_t x = 1;
    p->config.tcp.receive_buffer = 1 << 20;
    p->offer.sack_permitted = true;
    p->offer.scale = SCALE(7);
    established_active(p);
    for (uint32_t i = 0; i < pieces; i++) {
        x = x * 1664525 + 1013904223;
        SEND(p, .flags = ACK, .seq = 3 + (x >> 8) % 60000 * 2, .ack = 1, .length = 1);
        peer_discard(p);
    }
}

/* A hundred thousand of them: no more than 48 ranges are held, the nearest ones. B-05, B-16. */
static void test_B_05_tiny_pieces(void **state)
{
    struct peer *p = *state;
    piece_by_piece(p, scale(1000000, 20000));
    assert_in_range(peer_info(p).receive_out_of_order, 1, 48);
    assert_in_range(peer_stats(p).memory_used, 0, 4 * 65536 + 48 * 256);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1,
         .length = 1400); /* what is in order is taken all the same */
    assert_true(peer_info(p).receive_queued >= 1400);
    assert_int_equal(peer_stats(p).memory_refused, 0);
}

/* The same in reverse order: each new piece lies before all others. B-05. */
static void test_B_05_reverse_order(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 1 << 20;
    p->offer.sack_permitted = true;
    p->offer.scale = SCALE(7);
    established_active(p);
    for (uint32_t i = scale(20000, 20000); i; i--) {
        SEND(p, .flags = ACK, .seq = 1 + 2 * i, .ack = 1, .length = 1);
        assert_in_range(peer_info(p).receive_out_of_order, 1, 48);
        peer_discard(p);
    }
    assert_int_equal(peer_info(p).receive_out_of_order, 48);
    for (uint32_t i = 0; i < 48; i++) /* the nearest are the ones kept */
        SEND(p, .flags = ACK, .seq = 1 + 2 * i, .ack = 1, .length = 2);
    assert_int_equal(peer_info(p).receive_queued, 97);
    peer_discard(p);
}

/* For cost.sh: an attack of a given size, and nothing else. */
static void test_cost(void **state)
{
    struct peer *p = *state;
    const char *holes = getenv("SANWO_COST_HOLES"), *acks = getenv("SANWO_COST_ACKS");
    const char *pieces = getenv("SANWO_COST_PIECES");
    if (pieces) {
        piece_by_piece(p, (uint32_t)atoi(pieces));
        return;
    }
    uint32_t segments = 2 * (uint32_t)atoi(holes);
    in_flight(p, SMALL, segments);
    punch(p, SMALL, segments);
    bool wide = getenv("SANWO_COST_WIDE") != NULL; /* every other block spans all there is */
    for (int i = 0; i < atoi(acks); i++) {
        sack(p, SMALL, (wide && i & 1 ? segments : 2) * SMALL);
        peer_discard(p);
    }
    deliver_all(p);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        BOTH(test_B_01_sack_panic),
        BOTH(test_B_02_every_other_byte),
        BOTH(test_B_05_tiny_pieces),
        BOTH(test_B_05_reverse_order),
    };
    const struct CMUnitTest cost[] = {
        {"cost", test_cost, peer_setup_ipv4, peer_teardown, NULL},
    };
    bool measure =
        getenv("SANWO_COST_PIECES") || (getenv("SANWO_COST_HOLES") && getenv("SANWO_COST_ACKS"));
    return measure ? cmocka_run_group_tests(cost, NULL, NULL)
                   : cmocka_run_group_tests(all, NULL, NULL);
}
