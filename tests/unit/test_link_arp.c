/*
 * test_link_arp.c - ARP: who is believed, what is learnt, what is answered (RFC 826).
 */
#include "link/arp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define START SANWO_SEC(1000)

static const struct wire_mac ours = {{2, 0, 0, 0, 0, 1}};
static const struct wire_mac theirs = {{2, 0, 0, 0, 0, 7}};

static struct neighbours *cache(void)
{
    struct neighbours *n = aligned_alloc(64, sw_round_up(sw_neighbours_size(16), 64));

    assert_non_null(n);
    sw_neighbours_init(n, 16, (struct siphash_key){1, 2});
    return n;
}

/* One packet into an empty cache, or one that asks for the sender (A) or knows it (K). */
struct row {
    const char *what;
    uint16_t operation;
    struct wire_mac mac;
    const char *sender;
    bool target_ours, sender_ours, sender_group;
    char before;
    enum arp_verdict verdict;
    bool known_after;
};

#define MAC(last)                                                                                  \
    {                                                                                              \
        {                                                                                          \
            2, 0, 0, 0, 0, last                                                                    \
        }                                                                                          \
    }

static const struct row rows[] = {
    {"request for us", 1, MAC(7), "10.0.0.7", 1, 0, 0, ' ', ARP_TO_ANSWER, true},
    {"request for another", 1, MAC(7), "10.0.0.7", 0, 0, 0, ' ', ARP_TAKEN, false},
    {"request for another, asked", 1, MAC(7), "10.0.0.7", 0, 0, 0, 'A', ARP_TAKEN, true},
    {"reply, asked", 2, MAC(7), "10.0.0.7", 1, 0, 0, 'A', ARP_TAKEN, true},
    {"reply, not asked", 2, MAC(7), "10.0.0.7", 1, 0, 0, ' ', ARP_TAKEN, false},
    {"gratuitous, known", 1, MAC(7), "10.0.0.7", 0, 0, 0, 'K', ARP_TAKEN, true},
    {"gratuitous, unknown", 2, MAC(7), "10.0.0.7", 0, 0, 0, ' ', ARP_TAKEN, false},
    {"probe for us", 1, MAC(7), "0.0.0.0", 1, 0, 0, ' ', ARP_TO_ANSWER, false},
    {"operation 0", 0, MAC(7), "10.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"operation 3", 3, MAC(7), "10.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"operation 0xffff", 0xffff, MAC(7), "10.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"our MAC", 1, MAC(1), "10.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"zero MAC", 2, {{0}}, "10.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"broadcast MAC",
     2,
     {{255, 255, 255, 255, 255, 255}},
     "10.0.0.7",
     1,
     0,
     0,
     'A',
     ARP_UNBELIEVABLE,
     false},
    {"multicast MAC",
     2,
     {{1, 0, 0x5e, 0, 0, 1}},
     "10.0.0.7",
     1,
     0,
     0,
     'A',
     ARP_UNBELIEVABLE,
     false},
    {"our address", 1, MAC(7), "10.0.0.7", 1, 1, 0, 'A', ARP_UNBELIEVABLE, false},
    {"broadcast address", 2, MAC(7), "10.0.0.7", 1, 0, 1, 'A', ARP_UNBELIEVABLE, false},
    {"multicast address", 2, MAC(7), "224.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
    {"loopback address", 2, MAC(7), "127.0.0.7", 1, 0, 0, 'A', ARP_UNBELIEVABLE, false},
};

static void prepare(struct neighbours *n, char before, const struct sanwo_address *sender)
{
    struct neighbour_frames f;

    if (before == 'A')
        sw_neighbour_park(n, 0, sender, 99, START, &f);
    if (before == 'K')
        sw_neighbour_learn(n, 0, sender, &theirs, true, START, &f);
}

/* RFC826-0-1. C-16. */
static void test_packets(void **state)
{
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct arp_link at = {.mac = ours,
                              .target_is_ours = row->target_ours,
                              .sender_is_ours = row->sender_ours,
                              .sender_is_group = row->sender_group};
        struct wire_arp packet = {.operation = row->operation, .sender_mac = row->mac};
        struct neighbours *n = cache();
        struct neighbour_frames released;
        enum arp_verdict verdict;
        struct wire_mac mac;
        bool known;

        assert_true(sanwo_address_parse(row->sender, &packet.sender));
        assert_true(sanwo_address_parse("10.0.0.1", &packet.target));
        prepare(n, row->before, &packet.sender);
        verdict = sw_arp_input(n, &at, &packet, START, &released);
        known = sw_neighbour_lookup(n, 0, &packet.sender, START, &mac);
        if (verdict != row->verdict || known != row->known_after)
            fail_msg("%s: verdict %d, known %d", row->what, verdict, known);
        assert_int_equal(released.count, row->before == 'A' && row->known_after);
        if (known)
            assert_memory_equal(mac.bytes, row->mac.bytes, 6);
        free(n);
    }
}

static void test_frames(void **state)
{
    static const uint8_t request_wanted[ARP_FRAME_SIZE] = {
        255, 255, 255, 255, 255, 255, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,   2,   0,   0,   0,   0,   1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 7,
    };
    static const uint8_t reply_wanted[ARP_FRAME_SIZE] = {
        2, 0, 0, 0, 0, 7, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 7, 10, 0, 0, 7,
    };
    uint8_t bytes[ARP_FRAME_SIZE];
    struct sanwo_address a = sanwo_address_ipv4(10, 0, 0, 1), b = sanwo_address_ipv4(10, 0, 0, 7);
    struct wire_arp request = {
        .operation = ARP_REQUEST, .sender_mac = theirs, .sender = b, .target = a};

    (void)state;
    sw_arp_write_request(bytes, &ours, &a, &b, NULL);
    assert_memory_equal(bytes, request_wanted, sizeof bytes);
    sw_arp_write_request(bytes, &ours, &a, &b, &theirs);
    assert_memory_equal(bytes, theirs.bytes, 6);
    assert_memory_equal(bytes + 6, request_wanted + 6, sizeof bytes - 6);
    sw_arp_write_reply(bytes, &ours, &request);
    assert_memory_equal(bytes, reply_wanted, sizeof bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
