/*
 * test_flood.c - Packets at line rate from addresses that are not the sender's: what is answered, and who
 * notices.
 *
 *     a million a second, in virtual time; honest users 20 ms away. What an outsider counts:
 *     connect times, answers out per packet in, bytes out per byte in
 */
#include "attacks/attack.h"

#include <time.h>

#define SPOOFED(a) (CROWD_ADDRESS + attack_random(a) % 0x40000000u)
#define PER_MS attack_scale(1000, 1000)

static const uint8_t usual_options[20] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 1,
                                          2, 3, 0, 0,   0, 0, 1, 3,  3, 7};

/* What the flood is made of, for the ticks. */
struct flood {
    uint32_t per_tick;
    bool options;
    uint64_t resets, acks, syn_acks;
};

static void count_answers(struct attack *a, const struct hostile_segment *seg)
{
    struct flood *f = a->context;
    f->resets += (seg->flags & HOSTILE_RST) != 0;
    f->syn_acks += seg->flags == (HOSTILE_SYN | HOSTILE_ACK);
    f->acks += seg->flags == HOSTILE_ACK;
}

/* ---- B-08: SYN ------------------------------------------------------------------------------------- */

static void spoof_syns(struct attack *a)
{
    const struct flood *f = a->context;
    struct hostile_segment syn = {.to_port = SERVER_PORT,
                                  .flags = HOSTILE_SYN,
                                  .window = 65535,
                                  .options = usual_options,
                                  .options_length = f->options ? sizeof(usual_options) : 0};
    for (uint32_t i = 0; i < f->per_tick; i++) {
        syn.from = SPOOFED(a);
        syn.from_port = (uint16_t)(1024 + attack_random(a) % 60000);
        syn.seq = attack_random(a);
        attack_send(a, &syn);
    }
}

/* One in sixteen of those addresses is somebody, who says that it never asked. */
static void somebody(struct attack *a, const struct hostile_segment *seg)
{
    count_answers(a, seg);
    if (seg->flags == (HOSTILE_SYN | HOSTILE_ACK) && seg->to % 16 == 0)
        attack_send(a, &(struct hostile_segment){.from = seg->to,
                                                 .from_port = seg->to_port,
                                                 .to_port = SERVER_PORT,
                                                 .seq = seg->ack,
                                                 .flags = HOSTILE_RST});
}

static void syn_flood(const char *name, bool timestamps)
{
    struct attack a;
    struct flood f = {.per_tick = PER_MS, .options = timestamps};
    unsigned seconds = attack_scale(10, 2);
    attack_init(&a);
    a.honest_config.tcp.offer_timestamps = timestamps;
    attack_start(&a);
    honest_start(&a, 0, SANWO_MSEC(10));
    attack_run(&a, SANWO_SEC(1));
    a.honest.every = 0;
    attack_run(&a, SANWO_SEC(1));
    assert_int_equal(a.honest.succeeded, a.honest.opened);
    sanwo_time unloaded = honest_percentile(&a, 99);
    honest_mark(&a);

    a.context = &f;
    a.tick = spoof_syns;
    a.tick_every = SANWO_MSEC(1);
    a.next_tick = a.now;
    a.seen = somebody;
    a.honest.every = SANWO_MSEC(10);
    a.honest.next = a.now + SANWO_MSEC(500); /* when the backlog is long full */
    clock_t cpu = clock();
    attack_run(&a, SANWO_MSEC(500) + SANWO_SEC(seconds) - 1);
    double spent = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    a.honest.every = 0;
    attack_run(&a, SANWO_SEC(1));

    struct attack_honest *h = &a.honest;
    struct sanwo_stack_stats stats = attack_stats(&a);
    sanwo_time p99 = honest_percentile(&a, 99);
    double ratio = (double)a.answer_bytes / (double)a.hostile_bytes;
    print_message(
        "%s: %.1f million packets in %.1f s of virtual time (%.0f thousand a second of CPU); "
        "%u of %u honest ones succeed, p99 connect %.1f ms (unloaded %.1f); cookies %.1f "
        "million; answers %.2f bytes a byte; peak %.2f MiB\n",
        name, (double)a.hostile_packets / 1e6, seconds + 1.5,
        (double)a.hostile_packets / 1e3 / spent, (unsigned)h->succeeded, (unsigned)h->opened,
        (double)p99 / 1e6, (double)unloaded / 1e6,
        (double)stats.reasons[SANWO_REASON_COOKIE_SENT] / 1e6, ratio,
        (double)stats.memory_peak / (1 << 20));
    assert_in_range(h->opened, seconds * 100, seconds * 100 + 1);
    assert_true((double)h->succeeded >= 0.999 * (double)h->opened);
    assert_true(p99 <= 2 * unloaded);
    assert_int_equal(h->with_options, timestamps ? h->connected : 0);
    assert_true(ratio <= 3); /* B-11 */
    assert_in_range(stats.memory_peak, 1, 4 << 20);
    assert_true(stats.reasons[SANWO_REASON_COOKIE_SENT] > a.hostile_packets / 2);
    attack_finish(&a);
}

/* The timestamp brings the options back: a connection under attack is as good as any. B-08, B-11. */
static void test_B_08_syn_flood(void **state)
{
    (void)state;
    syn_flood(__func__, true);
}

/* Without timestamps there is no place for options, but a connection. B-08. */
static void test_B_08_syn_flood_without_timestamps(void **state)
{
    (void)state;
    syn_flood(__func__, false);
}

/* Few SYNs, no flood: each is answered six times at most, and nothing after a RST. B-11. */
static void test_B_11_amplification(void **state)
{
    struct attack a;
    struct flood f = {0};
    (void)state;
    attack_init(&a);
    attack_start(&a);
    a.context = &f;
    a.seen = count_answers;
    for (uint32_t i = 0; i < 100; i++)
        attack_send(&a, &(struct hostile_segment){.from = CROWD_ADDRESS + i,
                                                  .from_port = 1024,
                                                  .to_port = SERVER_PORT,
                                                  .flags = HOSTILE_SYN});
    attack_run(&a, SANWO_MSEC(10));
    assert_int_equal(f.syn_acks, 100);
    for (uint32_t i = 0; i < 50; i++) /* half of them protest */
        attack_send(&a, &(struct hostile_segment){.from = CROWD_ADDRESS + i,
                                                  .from_port = 1024,
                                                  .to_port = SERVER_PORT,
                                                  .seq = 1,
                                                  .flags = HOSTILE_RST});
    attack_run(&a, SANWO_SEC(300));
    assert_int_equal(f.syn_acks, 100 + 50 * 5);
    assert_int_equal(a.answers, f.syn_acks);
    attack_finish(&a);
}

/* ---- B-10: to ports where nobody is ---------------------------------------------------------------- */

static void spoof_anything(struct attack *a)
{
    static const uint8_t flags[] = {HOSTILE_SYN,
                                    HOSTILE_ACK,
                                    HOSTILE_FIN,
                                    HOSTILE_SYN | HOSTILE_ACK,
                                    HOSTILE_FIN | HOSTILE_PSH | HOSTILE_URG,
                                    0};
    const struct flood *f = a->context;
    for (uint32_t i = 0; i < f->per_tick; i++) {
        struct hostile_segment seg = {.from = SPOOFED(a),
                                      .from_port = (uint16_t)(1 + attack_random(a) % 65535),
                                      .to_port = (uint16_t)(1000 + attack_random(a) % 60000),
                                      .seq = attack_random(a),
                                      .ack = attack_random(a),
                                      .payload = attack_pattern(0),
                                      .length = (uint16_t)(i % 3)};
        seg.flags = flags[attack_random(a) % 6];
        attack_send(a, &seg);
    }
}

static void spoof_resets(struct attack *a)
{
    const struct flood *f = a->context;
    for (uint32_t i = 0; i < f->per_tick; i++)
        attack_send(a, &(struct hostile_segment){.from = SPOOFED(a),
                                                 .from_port = 1024,
                                                 .to_port = (uint16_t)(80 + i % 2),
                                                 .seq = attack_random(a),
                                                 .flags = i % 4 < 2 ? HOSTILE_RST
                                                                    : HOSTILE_RST | HOSTILE_ACK});
}

/* Honest users under a flood that costs the stack nothing it keeps. */
static void run_flood(struct attack *a, struct flood *f, void (*tick)(struct attack *),
                      unsigned seconds)
{
    attack_start(a);
    honest_start(a, 2, SANWO_MSEC(20));
    attack_run(a, SANWO_SEC(2));
    double unloaded = (double)a->honest.transferred / 2;
    sanwo_time p99 = honest_percentile(a, 99);
    a->honest.every = 0;
    attack_run(a, SANWO_SEC(1));
    honest_mark(a);
    a->honest.every = SANWO_MSEC(20);
    a->honest.next = a->now;
    a->context = f;
    if (!a->seen)
        a->seen = count_answers;
    a->tick = tick;
    a->tick_every = SANWO_MSEC(1);
    a->next_tick = a->now;
    uint64_t used = attack_stats(a).memory_used;
    attack_run(a, SANWO_SEC(seconds));
    double rate = (double)a->honest.transferred / seconds;
    a->tick = NULL;
    a->honest.every = 0;
    attack_run(a, SANWO_SEC(1));
    assert_false(a->honest.wrong_bytes);
    assert_int_equal(a->honest.failed + a->honest.transfers_failed, 0);
    assert_int_equal(a->honest.succeeded, a->honest.opened);
    assert_true(honest_percentile(a, 99) <= 2 * p99);
    assert_true(rate >= 0.9 * unloaded);
    assert_in_range(attack_stats(a).memory_used, 0, used + (1 << 20));
    assert_in_range(attack_stats(a).memory_peak, 0, used + (8 << 20));
}

/* SYN, ACK, FIN, data, Xmas and nothing, spoofed, to closed ports: resets within the rate. B-10. */
static void test_B_10_closed_ports(void **state)
{
    struct attack a;
    struct flood f = {.per_tick = attack_scale(1000, 100)};
    (void)state;
    attack_init(&a);
    run_flood(&a, &f, spoof_anything, 3);
    print_message("%s: %u thousand segments in 3 s, %u resets\n", __func__,
                  (unsigned)(a.hostile_packets / 1000), (unsigned)f.resets);
    /* A second's worth in the bucket and three seconds; chance blurs that by a few per cent. */
    assert_in_range(f.resets, 3000, 4 * 1000 * 11 / 10);
    assert_int_equal(f.acks + f.syn_acks, 0);
    attack_finish(&a);
}

/* A RST is never answered, at an open port or a closed one. B-10. */
static void test_B_10_resets(void **state)
{
    struct attack a;
    struct flood f = {.per_tick = 100};
    (void)state;
    attack_init(&a);
    run_flood(&a, &f, spoof_resets, 1);
    assert_int_equal(a.answers, 0);
    attack_finish(&a);
}

/* ---- ICMP, fragments, neighbours -------------------------------------------------------------------- */

/* Forged errors about the honest transfers: every port known, the sequence number not. C-05. */
static void forge_icmp(struct attack *a)
{
    static const uint8_t kinds[][2] = {{3, 0}, {3, 1}, {3, 2},  {3, 3},  {3, 4},
                                       {3, 9}, {4, 0}, {11, 0}, {12, 0}, {5, 1}};
    const struct flood *f = a->context;
    uint8_t quote[HOSTILE_MAX], packet[HOSTILE_MAX + 64];
    for (uint32_t i = 0; i < f->per_tick; i++) {
        uint32_t kind = attack_random(a) % 10;
        struct hostile_segment seg = {.from = VICTIM_ADDRESS,
                                      .to = HONEST_ADDRESS,
                                      .from_port = SERVER_PORT,
                                      .to_port = honest_port(a, i & 1),
                                      .seq = attack_random(a),
                                      .ack = attack_random(a),
                                      .flags = HOSTILE_ACK,
                                      .payload = attack_pattern(0),
                                      .length = 1400};
        hostile_write(&seg, quote);
        size_t length =
            hostile_icmp(SPOOFED(a), kinds[kind][0], kinds[kind][1], 68, quote, 28, packet);
        attack_send_raw(a, packet, length);
    }
}

static void test_C_05_forged_icmp(void **state)
{
    struct attack a;
    struct flood f = {.per_tick = attack_scale(1000, 50)};
    (void)state;
    attack_init(&a);
    run_flood(&a, &f, forge_icmp, 2);
    assert_true(attack_stats(&a).reasons[SANWO_REASON_ICMP_INVALID] > a.hostile_packets / 2);
    attack_finish(&a);
}

/* First fragments, last ones, overlapping ones, tiny ones: none is kept, none is answered. */
static void send_fragments(struct attack *a)
{
    const struct flood *f = a->context;
    uint8_t packet[HOSTILE_MAX];
    for (uint32_t i = 0; i < f->per_tick; i++) {
        uint16_t place = (uint16_t)(attack_random(a) % 0x2000), more = i % 2 ? 0x2000 : 0;
        size_t length = 8 + attack_random(a) % 1400 / 8 * 8;
        if (!place && !more)
            more = 0x2000;
        memcpy(packet + 20, attack_pattern(0), length);
        length = hostile_ip(SPOOFED(a), 0, 6, (uint16_t)(i % 64), (uint16_t)(more | place), length,
                            packet);
        attack_send_raw(a, packet, length);
    }
}

/* B-06, B-34: nothing is reassembled (N1), so nothing can be held or overlap. */
static void test_B_06_B_34_fragments(void **state)
{
    struct attack a;
    struct flood f = {.per_tick = attack_scale(1000, 100)};
    (void)state;
    attack_init(&a);
    run_flood(&a, &f, send_fragments, 1);
    assert_int_equal(a.answers, 0);
    assert_int_equal(attack_stats(&a).reasons[SANWO_REASON_IP_FRAGMENT], a.hostile_packets);
    attack_finish(&a);
}

/* A scan that has the stack look for a hundred thousand neighbours that are not there. B-29. */
static void test_B_29_neighbours(void **state)
{
    struct attack a;
    struct flood f = {.per_tick = attack_scale(1000, 50)};
    (void)state;
    attack_init(&a);
    a.ethernet = true;
    run_flood(&a, &f, spoof_syns, 2);
    print_message("%s: %u addresses, %u asked for\n", __func__, (unsigned)a.hostile_packets,
                  (unsigned)a.arp_asked);
    assert_in_range(a.arp_answered, 1, 2); /* who is there is not forgotten for who is not */
    assert_in_range(a.arp_asked, 1000, a.hostile_packets + a.hostile_packets / 20);
    attack_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B_08_syn_flood),
        cmocka_unit_test(test_B_08_syn_flood_without_timestamps),
        cmocka_unit_test(test_B_11_amplification),
        cmocka_unit_test(test_B_10_closed_ports),
        cmocka_unit_test(test_B_10_resets),
        cmocka_unit_test(test_C_05_forged_icmp),
        cmocka_unit_test(test_B_06_B_34_fragments),
        cmocka_unit_test(test_B_29_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
