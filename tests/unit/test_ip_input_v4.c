/*
 * test_ip_input_v4.c - IPv4 in: martians, broadcasts, options, fragments, lengths, protocols.
 */
#include "test_ip_host.h"

#define DROP(name) IP_DROP, SANWO_REASON_##name

/*
 * RFC 1122 3.2.1.3, 3.3.6; attacks B-12, B-33, C-19. Link 0 unless said otherwise.
 * RFC1122-3.2.1.3-1, RFC1122-3.3.6-1.
 * RFC1122-3.2.2.1-1.
 */
static void test_addresses(void **state)
{
    static const struct {
        const char *from, *to;
        uint8_t protocol;
        enum ip_verdict verdict;
        unsigned reason;
        bool ours;
    } rows[] = {
        {"10.0.0.2", "10.0.0.1", 6, IP_TCP, 0, true},
        {"8.8.8.8", "10.0.0.1", 6, IP_TCP, 0, true},
        {"10.0.0.2", "8.8.8.8", 6, IP_TCP, 0, false},
        {"240.0.0.1", "10.0.0.1", 6, IP_TCP, 0, true},
        /* RFC1122-3.3.4-1 */
        {"10.0.0.2", "192.168.1.1", 6, DROP(NOT_FOR_US), false}, /* another link's address */
        {"10.0.0.1", "10.0.0.1", 6, DROP(IP_MARTIAN), false},    /* LAND */
        {"192.168.1.1", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"0.0.0.0", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"0.255.0.1", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"127.0.0.1", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"127.255.255.254", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"224.0.0.1", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"239.255.255.255", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"255.255.255.255", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"10.0.0.255", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"192.168.1.255", "10.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"10.0.0.2", "0.0.0.0", 6, DROP(IP_MARTIAN), false},
        {"10.0.0.2", "0.1.2.3", 6, DROP(IP_MARTIAN), false},
        {"10.0.0.2", "127.0.0.1", 6, DROP(IP_MARTIAN), false},
        {"10.0.0.2", "224.0.0.1", 6, DROP(NOT_FOR_US), false}, /* RFC 9293 MUST-57 */
        {"10.0.0.2", "255.255.255.255", 6, DROP(NOT_FOR_US), false},
        {"10.0.0.2", "10.0.0.255", 6, DROP(NOT_FOR_US), false},
        {"10.0.0.2", "10.0.0.1", 17, DROP(PORT_UNREACHABLE), true},
        {"10.0.0.2", "8.8.8.8", 17, DROP(NOT_FOR_US), false},
        {"10.0.0.2", "10.0.0.255", 17, DROP(NOT_FOR_US), false},
        {"10.0.0.2", "224.0.0.251", 17, DROP(NOT_FOR_US), false},
        {"10.0.0.2", "10.0.0.1", 47, DROP(IP_PROTOCOL), true},
        {"10.0.0.2", "10.0.0.1", 0, DROP(IP_PROTOCOL), true},
        {"10.0.0.2", "10.0.0.1", 255, DROP(IP_PROTOCOL), true},
        {"10.0.0.2", "10.0.0.1", 58, DROP(IP_PROTOCOL), true}, /* ICMPv6 is not of IPv4 */
        {"10.0.0.2", "8.8.8.8", 47, DROP(NOT_FOR_US), false},
    };
    struct ip_packet out;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        bool error = rows[i].reason == SANWO_REASON_PORT_UNREACHABLE ||
                     rows[i].reason == SANWO_REASON_IP_PROTOCOL;
        put_v4(&p, rows[i].from, rows[i].to, rows[i].protocol, "upper layer, 24 bytes...", 24);
        if (input(h, TUN, &p, &out) != rows[i].verdict || out.reason != rows[i].reason)
            fail_msg("%s > %s: reason %u", rows[i].from, rows[i].to, out.reason);
        assert_int_equal(out.ours, rows[i].ours);
        assert_int_equal(poll_all(h, 0), error);
        host_end(h);
    }
}

static void test_fields(void **state)
{
    struct host *h = host_new();
    struct sanwo_address from = addr("10.0.0.2"), to = addr("10.0.0.1");
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, "upper layer, 24 bytes...", 24);
    p.bytes[1] = 0xb9; /* DSCP EF, ECT(1) */
    p.bytes[8] = 0;    /* RFC1122-3.2.1.7-1: for us whatever its TTL */
    fix_v4(&p);
    p.length += 10; /* padding */
    assert_int_equal(input(h, TUN, &p, &out), IP_TCP);
    assert_true(sanwo_address_equal(&out.source, &from));
    assert_true(sanwo_address_equal(&out.destination, &to));
    assert_int_equal(out.offset, 20);
    assert_int_equal(out.length, 24);
    assert_int_equal(out.protocol, 6);
    assert_int_equal(out.ttl, 0);
    assert_int_equal(out.dscp_ecn, 0xb9);
    assert_int_equal(out.link, TUN);
    assert_false(out.group);
    host_end(h);
}

/*
 * Everything about the header that RFC 791 and 1122 3.2.1 let us drop for. RFC1122-3.2.1.1-1,
 * RFC1122-3.2.1.2-1, RFC791-3.1-1.
 */
static void test_headers(void **state)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        bool fix; /* the checksum is right again */
        unsigned reason;
    } rows[] = {
        {"checksum", 10, 0xaa, false, SANWO_REASON_IP_CHECKSUM},
        {"a bit flipped", 4, 0xff, false, SANWO_REASON_IP_CHECKSUM},
        {"header of 16", 0, 0x44, true, SANWO_REASON_IP_LENGTH},
        {"header of 0", 0, 0x40, true, SANWO_REASON_IP_LENGTH},
        {"header past the frame", 0, 0x4f, false, SANWO_REASON_FRAME_TOO_SHORT},
        {"total below the header", 3, 19, true, SANWO_REASON_IP_LENGTH},
        {"total of 0", 3, 0, true, SANWO_REASON_IP_LENGTH},
        {"total past the frame", 3, 45, true, SANWO_REASON_IP_LENGTH},
        {"total far past the frame", 2, 0xff, true, SANWO_REASON_IP_LENGTH},
        {"more fragments", 6, 0x20, true, SANWO_REASON_IP_FRAGMENT},
        {"a later fragment", 7, 1, true, SANWO_REASON_IP_FRAGMENT},
        {"the last possible fragment", 6, 0x1f, true, SANWO_REASON_IP_FRAGMENT},
        {"don't fragment", 6, 0x40, true, SANWO_REASON_NONE},
        {"the reserved bit", 6, 0x80, true, SANWO_REASON_NONE},
    };
    struct ip_packet out;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, "upper layer, 24 bytes...", 24);
        p.bytes[rows[i].at] = rows[i].value;
        if (rows[i].fix)
            fix_v4(&p);
        input(h, TUN, &p, &out);
        if (out.reason != rows[i].reason)
            fail_msg("%s: reason %u", rows[i].what, out.reason);
        assert_int_equal(poll_all(h, 0), 0);
        host_end(h);
    }
}

/*
 * Unknown options are ignored (RFC 1122 3.2.1.8); source routes and nonsense are dropped. MUST-50,
 * RFC1122-3.2.1.8-1.
 * A-13, C-18.
 */
static void test_options(void **state)
{
    static const struct {
        uint8_t bytes[8];
        unsigned reason;
    } rows[] = {
        {{1, 1, 1, 1, 1, 1, 1, 0}, SANWO_REASON_NONE},
        {{0, 131, 0, 0, 0, 0, 0, 0}, SANWO_REASON_NONE},
        {{148, 4, 0, 0, 1, 1, 1, 1}, SANWO_REASON_NONE}, /* router alert */
        {{7, 7, 4, 0, 0, 0, 0, 0}, SANWO_REASON_NONE},   /* record route: not recorded */
        {{131, 7, 4, 1, 2, 3, 4, 0}, SANWO_REASON_IP_OPTIONS},
        {{1, 137, 7, 4, 1, 2, 3, 4}, SANWO_REASON_IP_OPTIONS},
        {{200, 0, 0, 0, 0, 0, 0, 0}, SANWO_REASON_IP_OPTIONS},
        {{200, 1, 0, 0, 0, 0, 0, 0}, SANWO_REASON_IP_OPTIONS},
        {{200, 9, 0, 0, 0, 0, 0, 0}, SANWO_REASON_IP_OPTIONS},
        {{1, 1, 1, 1, 1, 1, 1, 200}, SANWO_REASON_IP_OPTIONS},
    };
    struct ip_packet out;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        struct packet p;
        put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, "01234567upper layer", 19);
        memcpy(p.bytes + 20, rows[i].bytes, 8);
        p.bytes[0] = 0x47;
        fix_v4(&p);
        input(h, TUN, &p, &out);
        assert_int_equal(out.reason, rows[i].reason);
        if (out.reason == SANWO_REASON_NONE) {
            assert_int_equal(out.offset, 28);
            assert_int_equal(out.length, 11);
        }
        host_end(h);
    }
}

/* Every length of header: its options are looked at however few they are. */
static void test_option_lengths(void **state)
{
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;
    uint8_t bytes[60];

    (void)state;
    for (uint32_t ihl = 6; ihl <= 15; ihl++)
        for (int bad = 0; bad < 2; bad++) {
            memset(bytes, IPV4_OPTION_NOP, sizeof bytes);
            if (bad)
                bytes[ihl * 4 - 20 - 1] = 200; /* an option that begins with the last byte */
            put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, bytes, sizeof bytes);
            p.bytes[0] = (uint8_t)(0x40 | ihl);
            fix_v4(&p);
            assert_int_equal(input(h, TUN, &p, &out), bad ? IP_DROP : IP_TCP);
            assert_int_equal(out.reason, bad ? SANWO_REASON_IP_OPTIONS : 0);
        }
    host_end(h);
}

/* A super-segment of 64 KB from TUN, headers and some payload in slice 0. */
static void test_super_segment(void **state)
{
    static const uint32_t cuts[] = {100, 40000, 0};
    struct host *h = host_new();
    uint8_t *bytes = calloc(1, 65536);
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, NULL, 0);
    for (uint32_t length = 65533; length <= 65536; length++) {
        sw_store16(p.bytes + 2, (uint16_t)length);
        fix_v4(&p);
        memcpy(bytes, p.bytes, 20);
        if (length == 65536) { /* the field wraps to 0 */
            assert_int_equal(input_cut(h, TUN, bytes, length, cuts, 0, &out), IP_DROP);
            assert_int_equal(out.reason, SANWO_REASON_IP_LENGTH);
            break;
        }
        assert_int_equal(input_cut(h, TUN, bytes, length, cuts, 0, &out), IP_TCP);
        assert_int_equal(out.length, length - 20);
    }
    free(bytes);
    host_end(h);
}

/* Broadcast on the link with a unicast address inside: RFC 1122 3.3.6. B-33. */
static void test_link_group(void **state)
{
    static const struct {
        const char *to;
        uint8_t protocol;
        enum ip_verdict verdict;
    } rows[] = {
        {"192.168.1.1", 6, IP_TCP}, /* `group` tells TCP not to answer */
        {"192.168.1.1", 17, IP_DROP}, {"192.168.1.1", 1, IP_DROP},
        {"8.8.8.8", 6, IP_DROP},      {"192.168.1.255", 17, IP_DROP},
    };
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        put_icmp(&p, "192.168.1.7", rows[i].to, ICMP_ECHO, 0, 7, "data", 4);
        p.bytes[9] = rows[i].protocol;
        fix_v4(&p);
        put_ethernet(&p, &all_mac, &peer_mac, ETHERTYPE_IPV4);
        assert_int_equal(input(h, ETH, &p, &out), rows[i].verdict);
        assert_true(out.group);
        assert_int_equal(poll_all(h, 0), 0);
    }
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),      cmocka_unit_test(test_fields),
        cmocka_unit_test(test_headers),        cmocka_unit_test(test_options),
        cmocka_unit_test(test_option_lengths), cmocka_unit_test(test_super_segment),
        cmocka_unit_test(test_link_group),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
