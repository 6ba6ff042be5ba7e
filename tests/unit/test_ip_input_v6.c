/*
 * test_ip_input_v6.c - IPv6 in: martians, zones, extension headers and what is said about them.
 */
#include "test_ip_host.h"

#define DROP(name) IP_DROP, SANWO_REASON_##name

/* RFC 4291 2.5 and 2.7; attacks B-12, B-33, C-19. */
static void test_addresses(void **state)
{
    static const struct {
        const char *from, *to;
        uint8_t next;
        enum ip_verdict verdict;
        unsigned reason;
        bool ours;
    } rows[] = {
        {"2001:db8::2", "2001:db8::1", 6, IP_TCP, 0, true},
        {"fe80::2", "fe80::1", 6, IP_TCP, 0, true},
        {"2600::2", "2600::3", 6, IP_TCP, 0, false},
        {"2001:db8::1", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"fe80::1", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"::", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"::1", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"ff02::1", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"::ffff:10.0.0.2", "2001:db8::1", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "::", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "::1", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "::ffff:10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "ff01::1", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "ff00::1", 6, DROP(IP_MARTIAN), false},
        {"2001:db8::2", "ff02::1", 6, DROP(NOT_FOR_US), false}, /* RFC 9293 MUST-57 */
        {"2001:db8::2", "ff02::fb", 6, DROP(NOT_FOR_US), false},
        {"2001:db8::2", "ff02::1", 17, DROP(PORT_UNREACHABLE), false}, /* without a word */
        {"2001:db8::2", "2001:db8::1", 17, DROP(PORT_UNREACHABLE), true},
        {"2001:db8::2", "2600::3", 17, DROP(NOT_FOR_US), false},
        {"2001:db8::2", "2001:db8::1", 59, DROP(IP_PROTOCOL), true}, /* no next header */
        {"2001:db8::2", "2001:db8::1", 1, DROP(IP_PROTOCOL), true},  /* ICMP is not of IPv6 */
        {"2001:db8::2", "2001:db8::1", 50, DROP(IP_PROTOCOL), true},
        {"2001:db8::2", "ff02::1", 50, DROP(IP_PROTOCOL), false},
    };
    struct ip_packet out;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        bool error = rows[i].ours && rows[i].reason && rows[i].next != 59;
        put_v6(&p, rows[i].from, rows[i].to, rows[i].next, "upper layer, 24 bytes...", 24);
        if (input(h, TUN, &p, &out) != rows[i].verdict || out.reason != rows[i].reason)
            fail_msg("%s > %s: reason %u", rows[i].from, rows[i].to, out.reason);
        assert_int_equal(out.ours, rows[i].ours);
        if (poll_all(h, 0) != error)
            fail_msg("%s > %s: an error too many or too few", rows[i].from, rows[i].to);
        host_end(h);
    }
}

static void test_fields(void **state)
{
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v6(&p, "fe80::2", "fe80::1", IP_PROTOCOL_TCP, "upper layer, 24 bytes...", 24);
    sw_store32(p.bytes, UINT32_C(0x6b900000)); /* class 0xb9 */
    p.length += 3;                             /* padding */
    assert_int_equal(input(h, TUN, &p, &out), IP_TCP);
    assert_int_equal(out.source.zone, TUN + 1); /* scope does not leak (C-19) */
    assert_int_equal(out.destination.zone, TUN + 1);
    assert_int_equal(out.offset, 40);
    assert_int_equal(out.length, 24);
    assert_int_equal(out.dscp_ecn, 0xb9);
    assert_int_equal(out.ttl, 64);
    for (uint32_t claimed = 0; claimed < 65536; claimed += 13) {
        sw_store16(p.bytes + 4, (uint16_t)claimed); /* RFC 8200 3 */
        input(h, TUN, &p, &out);
        assert_int_equal(out.reason, claimed <= 27 ? 0 : SANWO_REASON_IP_LENGTH);
        if (claimed <= 27)
            assert_int_equal(out.length, claimed);
    }
    host_end(h);
}

/*
 * Chains (attack A-06, C-18). Each is the bytes after the fixed header; the error that comes back,
 * if one does, to a packet for us and to one for ff02::1. RFC 8200 4, RFC 4443 3.4.
 */
static const struct {
    const char *what;
    uint8_t first;
    uint8_t bytes[40];
    uint32_t length;
    unsigned reason;
    int code; /* of Parameter Problem; -1: silence */
    uint32_t pointer;
    bool to_group_too;
} chains[] = {
    {"padding", 0, {6, 0, 1, 4}, 28, SANWO_REASON_NONE, -1, 0, 0},
    {"atomic fragment", 44, {6}, 28, SANWO_REASON_NONE, -1, 0, 0},
    {"fragment", 44, {6, 0, 0, 1}, 28, SANWO_REASON_IP_FRAGMENT, -1, 0, 0},
    {"option 00", 60, {6, 0, 0x3e, 4}, 28, SANWO_REASON_NONE, -1, 0, 0},
    {"option 01", 60, {6, 0, 0x7e, 4}, 28, SANWO_REASON_IP_EXTENSION, -1, 0, 0},
    {"option 10", 60, {6, 0, 0xbe, 4}, 28, SANWO_REASON_IP_EXTENSION, 2, 42, true},
    {"option 11", 60, {6, 0, 0xfe, 4}, 28, SANWO_REASON_IP_EXTENSION, 2, 42, false},
    {"jumbo", 0, {6, 0, 0xc2, 4}, 28, SANWO_REASON_IP_EXTENSION, 2, 42, false},
    {"routing, none left", 43, {6, 0, 0, 0}, 28, SANWO_REASON_NONE, -1, 0, 0},
    {"routing 0", 43, {6, 0, 0, 1}, 28, SANWO_REASON_IP_EXTENSION, 0, 42, false},
    {"routing 200", 43, {6, 0, 200, 9}, 28, SANWO_REASON_IP_EXTENSION, 0, 42, false},
    {"hop-by-hop late",
     60,
     {0, 0, 1, 4, 0, 0, 0, 0, 6},
     28,
     SANWO_REASON_IP_EXTENSION,
     1,
     40,
     false},
    {"past the end", 60, {6, 9, 1, 4}, 28, SANWO_REASON_IP_EXTENSION, -1, 0, 0},
    {"unknown next", 60, {99, 0, 1, 4}, 28, SANWO_REASON_IP_PROTOCOL, 1, 40, false},
    {"unknown first", 99, {0}, 28, SANWO_REASON_IP_PROTOCOL, 1, 6, false},
    {"option 10 before an error",
     60,
     {58, 0, 0xbe, 4, 0, 0, 0, 0, 1, 4},
     28,
     SANWO_REASON_IP_EXTENSION,
     -1,
     0,
     0},
    {"option 10 before a redirect",
     60,
     {58, 0, 0xbe, 4, 0, 0, 0, 0, 137},
     28,
     SANWO_REASON_IP_EXTENSION,
     -1,
     0,
     0},
    {"option 10 before an echo",
     60,
     {58, 0, 0xbe, 4, 0, 0, 0, 0, 128},
     28,
     SANWO_REASON_IP_EXTENSION,
     2,
     42,
     true},
    {"option 10 before what is cut off",
     60,
     {58, 0, 0xbe, 4},
     8,
     SANWO_REASON_IP_EXTENSION,
     -1,
     0,
     0},
};

/* RFC8200-4-2, RFC8200-4.4-1. */
static void test_chains(void **state)
{
    struct packet p, error;
    struct ip_packet out;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(chains); i++)
        for (int group = 0; group < 2; group++) {
            struct host *h = host_new();
            bool wanted = chains[i].code >= 0 && (!group || chains[i].to_group_too);
            put_v6(&p, "2001:db8::2", group ? "ff02::1" : "2001:db8::1", chains[i].first,
                   chains[i].bytes, chains[i].length);
            input(h, TUN, &p, &out);
            if (!group && out.reason != chains[i].reason)
                fail_msg("%s: reason %u", chains[i].what, out.reason);
            if (poll(h, &error, 0) != wanted)
                fail_msg("%s, group %d: an error too many or too few", chains[i].what, group);
            if (wanted) {
                struct sanwo_address from = sanwo_address_ipv6(error.bytes + 8);
                assert_int_equal(error.bytes[40], ICMPV6_PARAMETER_PROBLEM);
                assert_int_equal(error.bytes[41], chains[i].code);
                assert_int_equal(sw_load32(error.bytes + 44), chains[i].pointer);
                assert_true(sw_ip_is_ours(&h->ip, &from)); /* RFC 4443 2.2 */
                assert_memory_equal(error.bytes + 48, p.bytes, p.length);
            }
            host_end(h);
        }
}

/* A chain for an address of others is walked for TCP, and never complained about. */
static void test_foreign_chain(void **state)
{
    static const uint8_t bad[28] = {6, 0, 0xbe, 4}, good[28] = {6, 0, 1, 4};
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v6(&p, "2001:db8::2", "2600::3", IPV6_DESTINATION, good, sizeof good);
    assert_int_equal(input(h, TUN, &p, &out), IP_TCP);
    assert_int_equal(out.offset, 48);
    assert_int_equal(out.length, 20);
    put_v6(&p, "2001:db8::2", "2600::3", IPV6_DESTINATION, bad, sizeof bad);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(poll_all(h, 0), 0);
    host_end(h);
}

/* Groups that we are not in, and broadcasts on the link: not ours to say anything about. */
static void test_groups(void **state)
{
    static const uint8_t option[28] = {6, 0, 0xbe, 4};
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v6(&p, "2001:db8::2", "ff02::fb", IPV6_DESTINATION, option, sizeof option);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_NOT_FOR_US);
    assert_int_equal(poll_all(h, 0), 0);
    put_v6(&p, "2001:db8::2", "2600::3", IP_PROTOCOL_TCP, option, sizeof option);
    put_ethernet(&p, &all_mac, &peer_mac, ETHERTYPE_IPV6);
    assert_int_equal(input(h, ETH, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_NOT_FOR_US);
    memcpy(p.bytes, our_mac.bytes, 6);
    assert_int_equal(input(h, ETH, &p, &out), IP_TCP);
    assert_int_equal(out.offset, 54);
    host_end(h);
}

/* 1 to 200 headers: at most eight are walked, and it ends (RFC 8504 5.3). A-06. */
static void test_long_chains(void **state)
{
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;
    uint8_t bytes[201 * 8 + 20] = {0};

    (void)state;
    for (uint32_t n = 1; n <= 200; n++) {
        for (uint32_t i = 0; i < n; i++) {
            bytes[i * 8] = i + 1 < n ? IPV6_DESTINATION : IP_PROTOCOL_TCP;
            bytes[i * 8 + 2] = 1;
            bytes[i * 8 + 3] = 4;
        }
        put_v6(&p, "2001:db8::2", "2001:db8::1", IPV6_DESTINATION, bytes, n * 8 + 20);
        assert_int_equal(input(h, TUN, &p, &out), n <= 8 ? IP_TCP : IP_DROP);
        assert_int_equal(out.reason, n <= 8 ? 0 : SANWO_REASON_IP_EXTENSION);
    }
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_chains),    cmocka_unit_test(test_foreign_chain),
        cmocka_unit_test(test_groups),    cmocka_unit_test(test_long_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
