/*
 * test_scan.c - What nmap and hping send to find out who we are and what is open: the answers, written down.
 *
 *     T1 SYN      open    SYN-ACK          T5 SYN      closed   RST-ACK, ack = seq + 1
 *     T2 nothing  open    -                T6 ACK      closed   RST, seq = their ack
 *     T3 SFPU     open    - (D17)          T7 FPU      closed   RST-ACK, ack = seq + 1
 *     T4 ACK      open    RST              IE echo     -        echo reply     U1 UDP   unreachable
 *
 * And no probe leaves anything behind. C-20; RFC 9293 3.10.7.1, 3.10.7.2.
 */
#include "attacks/attack.h"

#define PROBER CROWD_ADDRESS
#define CLOSED_PORT 81
#define SEQ 0x1000
#define ACKED 0x2000

static const uint8_t t1_options[20] = {3,   3,   10,  1,   2, 4, 5, 180, 8, 10,
                                       255, 255, 255, 255, 0, 0, 0, 0,   4, 2};

struct answers {
    struct hostile_segment last;
    unsigned count, icmp;
    uint8_t packet[256];
    size_t length;
};

static void keep_segment(struct attack *a, const struct hostile_segment *seg)
{
    struct answers *got = a->context;
    got->last = *seg;
    got->count++;
}

static void keep_packet(struct attack *a, const uint8_t *packet, size_t length)
{
    struct answers *got = a->context;
    got->icmp++;
    got->length = length < sizeof(got->packet) ? length : sizeof(got->packet);
    memcpy(got->packet, packet, got->length);
}

static void begin(struct attack *a, struct answers *got)
{
    memset(got, 0, sizeof(*got));
    attack_init(a);
    attack_start(a);
    a->context = got;
    a->seen = keep_segment;
    a->seen_other = keep_packet;
}

static void probe(struct attack *a, uint8_t flags, uint16_t port, uint16_t urgent)
{
    struct answers *got = a->context;
    got->count = got->icmp = 0;
    got->last = (struct hostile_segment){0};
    attack_send(a, &(struct hostile_segment){.from = PROBER,
                                             .from_port = 5000,
                                             .to_port = port,
                                             .seq = SEQ,
                                             .ack = ACKED,
                                             .flags = flags,
                                             .window = 1024,
                                             .urgent = urgent,
                                             .options = t1_options,
                                             .options_length = sizeof(t1_options)});
    attack_run(a, SANWO_MSEC(50));
}

#define ECN_FLAGS 0xc0

enum answer { NOTHING, SYN_ACK, RESET, RESET_ACK };

static void expect(const struct answers *got, enum answer want, uint32_t ack)
{
    assert_int_equal(got->icmp, 0);
    assert_int_equal(got->count, want != NOTHING);
    switch (want) {
    case NOTHING:
        return;
    case SYN_ACK:
        /* To a probe of ECN we say yes, as any host of today does (RFC 3168 6.1.1). */
        assert_int_equal(got->last.flags & ~ECN_FLAGS, HOSTILE_SYN | HOSTILE_ACK);
        assert_int_equal(got->last.ack, SEQ + 1);
        return;
    case RESET:
        assert_int_equal(got->last.flags, HOSTILE_RST);
        assert_int_equal(got->last.seq, ACKED);
        break;
    case RESET_ACK:
        assert_int_equal(got->last.flags, HOSTILE_RST | HOSTILE_ACK);
        assert_int_equal(got->last.seq, 0);
        assert_int_equal(got->last.ack, ack);
        break;
    }
    assert_int_equal(got->last.window,
                     0); /* a reset tells no window, and no byte of what was in memory */
    assert_int_equal(got->last.length, 0);
}

/* What is there after a probe: nothing, but for the SYN's own record, which a RST takes away. */
static void check_nothing_left(struct attack *a)
{
    struct sanwo_stack_stats stats = attack_stats(a);
    assert_int_equal(stats.connections + stats.time_wait, 0);
    if (stats.half_open) {
        struct answers *got = a->context;
        attack_send(a, &(struct hostile_segment){.from = PROBER,
                                                 .from_port = 5000,
                                                 .to_port = SERVER_PORT,
                                                 .seq = SEQ + 1,
                                                 .flags = HOSTILE_RST});
        attack_settle(a);
        got->count = 0;
    }
    assert_int_equal(attack_stats(a).half_open, 0);
}

/* C-20, D17. */
static void test_C_20_nmap(void **state)
{
    enum { F = HOSTILE_FIN, S = HOSTILE_SYN, P = HOSTILE_PSH, A = HOSTILE_ACK, U = HOSTILE_URG };
    static const struct {
        uint8_t flags;
        uint16_t port;
        enum answer answer;
        uint32_t ack;
    } rows[] = {
        {S, SERVER_PORT, SYN_ACK, 0},                 /* T1, -sS */
        {0, SERVER_PORT, NOTHING, 0},                 /* T2, -sN */
        {S | F | P | U, SERVER_PORT, NOTHING, 0},     /* T3 */
        {A, SERVER_PORT, RESET, 0},                   /* T4, -sA, -sW */
        {S, CLOSED_PORT, RESET_ACK, SEQ + 1},         /* T5 */
        {A, CLOSED_PORT, RESET, 0},                   /* T6 */
        {F | P | U, CLOSED_PORT, RESET_ACK, SEQ + 1}, /* T7 */
        {F | P | U, SERVER_PORT, NOTHING, 0},         /* -sX */
        {F, SERVER_PORT, NOTHING, 0},                 /* -sF */
        {F, CLOSED_PORT, RESET_ACK, SEQ + 1},
        {0, CLOSED_PORT, RESET_ACK, SEQ},
        {F | A, SERVER_PORT, RESET, 0}, /* -sM */
        {F | A, CLOSED_PORT, RESET, 0},
        {S | 0xc0, SERVER_PORT, SYN_ACK, 0}, /* the ECN probe */
        {S | F, SERVER_PORT, NOTHING, 0},
        {S | A, SERVER_PORT, RESET, 0},
        {HOSTILE_RST, SERVER_PORT, NOTHING, 0},
        {HOSTILE_RST, CLOSED_PORT, NOTHING, 0},
        {0xff, SERVER_PORT, NOTHING, 0},
    };
    struct attack a;
    struct answers got;
    (void)state;
    begin(&a, &got);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        probe(&a, rows[i].flags, rows[i].port, 0xf7f5);
        expect(&got, rows[i].answer, rows[i].ack);
        check_nothing_left(&a);
    }
    attack_finish(&a);
}

/* Every combination of flags, to a port that is open and one that is not: a scanner's whole day. C-20. */
static void test_C_20_all_flags(void **state)
{
    struct attack a;
    struct answers got;
    (void)state;
    begin(&a, &got);
    for (unsigned i = 0; i < 512; i++) {
        uint8_t flags = (uint8_t)i;
        bool open = i >= 256;
        uint32_t span = (flags & HOSTILE_SYN ? 1 : 0) + (flags & HOSTILE_FIN ? 1 : 0);
        probe(&a, flags, open ? SERVER_PORT : CLOSED_PORT, (uint16_t)i);
        if (flags & HOSTILE_RST)
            expect(&got, NOTHING, 0);
        else if (flags & HOSTILE_ACK)
            expect(&got, RESET, 0);
        else if (!open)
            expect(&got, RESET_ACK, SEQ + span);
        else
            expect(&got, (flags & 3) == HOSTILE_SYN ? SYN_ACK : NOTHING, 0);
        check_nothing_left(&a);
    }
    attack_finish(&a);
}

/* IE: two echo requests, one with a code that is none and a type of service. U1: UDP. C-20. */
static void test_C_20_icmp_and_udp(void **state)
{
    struct attack a;
    struct answers got;
    uint8_t packet[HOSTILE_MAX], data[150];
    (void)state;
    begin(&a, &got);
    memset(data, 0xab, sizeof(data));
    for (unsigned i = 0; i < 2; i++) {
        size_t length =
            hostile_icmp(PROBER, 8, i ? 0 : 9, 0x12340000 + i, data, 120 + 30 * i, packet);
        got.icmp = 0;
        attack_send_raw(&a, packet, length);
        attack_run(&a, SANWO_MSEC(50));
        assert_int_equal(got.icmp, 1);
        assert_int_equal(got.length, length);
        assert_int_equal(got.packet[20], 0); /* echo reply */
        assert_memory_equal(got.packet + 24, packet + 24, length - 24);
        assert_int_equal(hostile_sum(0, got.packet + 20, length - 20), 0xffff);
    }
    uint8_t *udp = packet + 20;
    memset(udp, 'C', 308);
    hostile_put16(udp, 5000);
    hostile_put16(udp + 2, 9999);
    hostile_put16(udp + 4, 308);
    hostile_put16(udp + 6, 0); /* no checksum */
    attack_send_raw(&a, packet, hostile_ip(PROBER, 0, 17, 0x1042, 0, 308, packet));
    attack_run(&a, SANWO_MSEC(50));
    assert_int_equal(got.icmp, 2);
    assert_int_equal(got.packet[20], 3); /* unreachable: port */
    assert_int_equal(got.packet[21], 3);
    assert_memory_equal(got.packet + 28, packet, 28);
    attack_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C_20_nmap),
        cmocka_unit_test(test_C_20_all_flags),
        cmocka_unit_test(test_C_20_icmp_and_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
