/*
 * test_wire_address.c - Addresses as values and as text; the host's inet_pton is the second opinion.
 */
#include "test_wire_support.h"

#include <arpa/inet.h>

#include <sanwo/address.h>

static struct sanwo_address address(const char *text)
{
    struct sanwo_address a;

    memset(&a, 0xa5, sizeof(a));
    if (!sanwo_address_parse(text, &a))
        fail_msg("\"%s\" should be an address", text);
    return a;
}

/* What is read, and how RFC 5952 writes it. */
static void test_text(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"192.0.2.1", "192.0.2.1"},
        {"10.20.30.40", "10.20.30.40"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::1", "2001:db8::1"},
        {"0:0:0:0:0:0:0:0", "::"},
        {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
        {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
        {"FF01::101", "ff01::101"},
        /* RFC 5952 4.1, 4.2.1 to 4.2.3, 5 */
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"1:0:0:2:3:4:0:0", "1::2:3:4:0:0"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
        {"0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"::ffff:c000:0201", "::ffff:192.0.2.1"},
        {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"},
        {"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"::1.2.3.4", "::102:304"},
        /* "::" for one group */
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
        {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address a = address(rows[i].in), b;
        char out[SANWO_ADDRESS_TEXT];
        assert_ptr_equal(sanwo_address_format(&a, out, sizeof(out)), out);
        assert_string_equal(out, rows[i].out);
        b = address(out);
        assert_true(sanwo_address_equal(&a, &b));
    }
}

static const char *const garbage[] = {
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.-4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "01.2.3.4",
    "1.2.3.00",
    "1..2.3",
    "1.2.3.",
    ".1.2.3",
    "0x1.2.3.4",
    "1.2.3.a",
    "1,2,3,4",
    "99999999999.1.1.1",
    "1.2.3.4294967297",
    ":",
    ":::",
    "::1::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1:",
    ":1",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "12345::",
    "g::",
    "::1%eth0",
    "[::1]",
    "::1/64",
    "1.2.3.4/24",
    "1.2.3.4:80",
    "::1.2.3",
    "::1.2.3.4.5",
    "::1.2.3.256",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4",
    "::1.2.3.04",
    "1:2:3:4:5:1.2.3.4",
    "::\xff",
    "localhost",
    "*",
    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
};

static void test_garbage(void **state)
{
    (void)state;
    for (size_t i = 0; i < SW_COUNT(garbage); i++) {
        struct sanwo_address a, before;
        memset(&a, 0xa5, sizeof(a));
        before = a;
        if (sanwo_address_parse(garbage[i], &a))
            fail_msg("\"%s\" should not be an address", garbage[i]);
        assert_memory_equal(&a, &before, sizeof(a));
    }
    assert_false(sanwo_address_parse(NULL, NULL));
}

/* Strings of the right letters, judged by the C library too; each in exactly its bytes. */
static void test_agrees_with_inet_pton(void **state)
{
    static const char *const parts[] = {
        "0",     "1", ":",   ":",   ":",       "::",  "ab",   "F00d",
        "12345", ".", "255", "256", "1.2.3.4", "0:0", "ffff", "1:2:3"};
    uint64_t seed = 16;
    int good = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char text[64] = "";
        size_t count = 1 + next_random(&seed) % 9;
        uint8_t v4[4], v6[16], *exact;
        bool is4, is6, ours;
        struct sanwo_address a;
        for (size_t k = 0; k < count; k++)
            strcat(text, parts[next_random(&seed) % SW_COUNT(parts)]);
        is4 = inet_pton(AF_INET, text, v4) == 1;
        is6 = inet_pton(AF_INET6, text, v6) == 1;
        exact = exact_copy(text, strlen(text) + 1);
        ours = sanwo_address_parse((const char *)exact, &a);
        free(exact);
        if (ours != (is4 || is6))
            fail_msg("\"%s\": we say %d", text, ours);
        if (ours) {
            assert_memory_equal(a.bytes, is4 ? v4 : v6, is4 ? 4 : 16);
            good++;
        }
    }
    assert_true(good > 1000);
}

/* Random addresses, half of their groups zero, come back from their text as they went. */
static void test_round_trip(void **state)
{
    uint64_t seed = 17;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        uint8_t bytes[16], theirs[16];
        char out[SANWO_ADDRESS_TEXT];
        struct sanwo_address a, b;
        random_fill(&seed, bytes, sizeof(bytes));
        for (size_t at = 0; at < 16; at += 2)
            if (next_random(&seed) & 1)
                memset(bytes + at, 0, 2);
        a = i % 4 ? sanwo_address_ipv6(bytes)
                  : sanwo_address_ipv4(bytes[0], bytes[1], bytes[2], bytes[3]);
        sanwo_address_format(&a, out, sizeof(out));
        b = address(out);
        assert_memory_equal(&a, &b, sizeof(a));
        assert_int_equal(inet_pton(i % 4 ? AF_INET6 : AF_INET, out, theirs), 1);
        assert_memory_equal(theirs, a.bytes, i % 4 ? 16 : 4);
    }
}

/* Always ended, never a byte past @size. */
static void test_format_every_size(void **state)
{
    static const char full[] = "[abcd:ef01:2345:6789:abcd:ef01:2345:6789]:65535";
    struct sanwo_endpoint e = {.port = 65535};

    (void)state;
    e.address = address("abcd:ef01:2345:6789:abcd:ef01:2345:6789");
    assert_true(sizeof(full) <= SANWO_ENDPOINT_TEXT);
    for (size_t size = 0; size <= SANWO_ENDPOINT_TEXT; size++) {
        char *p = malloc(size);
        size_t shown = size < sizeof(full) ? size : sizeof(full);
        sanwo_endpoint_format(&e, p, size);
        if (size > 0) {
            assert_int_equal(strlen(p), shown - 1);
            assert_memory_equal(p, full, shown - 1);
        }
        sanwo_address_format(&e.address, p, size);
        free(p);
    }
}

static void test_no_address(void **state)
{
    struct sanwo_endpoint e = {.port = 80};
    char out[SANWO_ENDPOINT_TEXT];

    (void)state;
    assert_string_equal(sanwo_endpoint_format(&e, out, sizeof(out)), "*:80");
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *in, *out; /* out NULL: refused */
        uint16_t port;
    } rows[] = {
        {"192.0.2.1:80", "192.0.2.1:80", 80},
        {"0.0.0.0:0", "0.0.0.0:0", 0},
        {"[2001:DB8::1]:65535", "[2001:db8::1]:65535", 65535},
        {"[::]:1", "[::]:1", 1},
        {"[::ffff:1.2.3.4]:443", "[::ffff:1.2.3.4]:443", 443},
        {"192.0.2.1", NULL, 0},
        {"192.0.2.1:", NULL, 0},
        {"192.0.2.1:65536", NULL, 0},
        {"192.0.2.1:080", NULL, 0},
        {"192.0.2.1:-1", NULL, 0},
        {"192.0.2.1:80 ", NULL, 0},
        {"192.0.2.1:99999999999999", NULL, 0},
        {"[192.0.2.1]:80", NULL, 0},
        {"::1:80", NULL, 0},
        {"[::1]", NULL, 0},
        {"[::1]80", NULL, 0},
        {"[::1:80", NULL, 0},
        {"::1]:80", NULL, 0},
        {"[]:80", NULL, 0},
        {"[:80", NULL, 0},
        {":80", NULL, 0},
        {"", NULL, 0},
        {":", NULL, 0},
        {"[[::1]]:80", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_endpoint e, before;
        char out[SANWO_ENDPOINT_TEXT];
        memset(&e, 0xa5, sizeof(e));
        before = e;
        if (sanwo_endpoint_parse(rows[i].in, &e) != (rows[i].out != NULL))
            fail_msg("endpoint \"%s\"", rows[i].in);
        if (!rows[i].out) {
            assert_memory_equal(&e, &before, sizeof(e));
            continue;
        }
        assert_int_equal(e.port, rows[i].port);
        assert_string_equal(sanwo_endpoint_format(&e, out, sizeof(out)), rows[i].out);
    }
}

static void test_prefixes(void **state)
{
    static const struct {
        const char *in;
        int length; /* -1: refused */
    } rows[] = {
        {"192.0.2.0/24", 24},
        {"192.0.2.1", 32},
        {"0.0.0.0/0", 0},
        {"192.0.2.1/32", 32},
        {"192.0.2.0/33", -1},
        {"192.0.2.0/", -1},
        {"192.0.2.0/024", -1},
        {"192.0.2.0/2x", -1},
        {"2001:db8::/32", 32},
        {"::/0", 0},
        {"::1", 128},
        {"::1/128", 128},
        {"::1/129", -1},
        {"::1/64/64", -1},
        {"/24", -1},
        {"", -1},
        {"2001:0DB8:0:CD30::/60", 60},
        {"2001:0DB8:0:CD3/60", -1},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address a;
        unsigned length = 999;
        bool good = sanwo_prefix_parse(rows[i].in, &a, &length);
        if (good != (rows[i].length >= 0))
            fail_msg("prefix \"%s\"", rows[i].in);
        assert_int_equal(length, good ? rows[i].length : 999);
    }
}

static void test_in_prefix(void **state)
{
    static const struct {
        const char *address, *network;
        unsigned length;
        bool inside;
    } rows[] = {
        {"192.0.2.1", "192.0.2.0", 24, true},
        {"192.0.3.1", "192.0.2.0", 24, false},
        {"192.0.3.1", "192.0.2.0", 23, true},
        {"192.0.2.1", "192.0.2.1", 32, true},
        {"192.0.2.1", "192.0.2.0", 32, false},
        {"8.8.8.8", "0.0.0.0", 0, true},
        {"128.0.0.0", "0.0.0.0", 1, false},
        {"127.0.0.0", "0.0.0.0", 1, true},
        {"192.0.2.1", "192.0.2.1", 33, false},
        {"2001:db8::1", "2001:db8::", 64, true},
        {"2001:db8:0:1::1", "2001:db8::", 64, false},
        {"2001:db8:0:1::1", "2001:db8::", 63, true},
        {"::1", "::1", 128, true},
        {"::1", "::", 127, true},
        {"::1", "::1", 129, false},
        {"::1", "0.0.0.0", 0, false},
        {"192.0.2.1", "::", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address a = address(rows[i].address), n = address(rows[i].network);
        if (sanwo_address_in_prefix(&a, &n, rows[i].length) != rows[i].inside)
            fail_msg("%s in %s/%u", rows[i].address, rows[i].network, rows[i].length);
    }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *address;
        bool any, multicast, loopback, link_local;
    } rows[] = {
        {"0.0.0.0", true, false, false, false},
        {"0.0.0.1", false, false, false, false},
        {"223.255.255.255", false, false, false, false},
        {"224.0.0.1", false, true, false, false},
        {"239.255.255.255", false, true, false, false},
        {"240.0.0.1", false, false, false, false},
        {"127.0.0.1", false, false, true, false},
        {"127.255.0.9", false, false, true, false},
        {"128.0.0.1", false, false, false, false},
        {"169.254.1.1", false, false, false, true},
        {"169.253.1.1", false, false, false, false},
        {"::", true, false, false, false},
        {"::1", false, false, true, false},
        {"::2", false, false, false, false},
        {"ff02::1", false, true, false, false},
        {"fe80::1", false, false, false, true},
        {"febf::1", false, false, false, true},
        {"fec0::1", false, false, false, false},
        {"fe7f::1", false, false, false, false},
        {"7f00::1", false, false, false, false},
        {"e000::1", false, false, false, false},
        {"1::", false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address a = address(rows[i].address);
        if (sanwo_address_is_any(&a) != rows[i].any ||
            sanwo_address_is_multicast(&a) != rows[i].multicast ||
            sanwo_address_is_loopback(&a) != rows[i].loopback ||
            sanwo_address_is_link_local(&a) != rows[i].link_local)
            fail_msg("%s", rows[i].address);
    }
}

static void test_equal(void **state)
{
    struct sanwo_address v4 = address("1.2.3.4"), v6 = address("102:304::"), same = v6;
    struct sanwo_address none = {.family = SANWO_FAMILY_NONE};

    (void)state;
    assert_true(sanwo_address_equal(&v6, &same));
    assert_memory_equal(v4.bytes, v6.bytes, 16);
    assert_false(sanwo_address_equal(&v4, &v6)); /* the family tells them apart */
    same.zone = 1;
    assert_false(sanwo_address_equal(&v6, &same));
    same = v6;
    same.bytes[15] ^= 1;
    assert_false(sanwo_address_equal(&v6, &same));
    assert_true(sanwo_address_equal(&none, &none));
    assert_true(sanwo_address_is_any(&none));
    assert_false(sanwo_address_is_multicast(&none) || sanwo_address_is_loopback(&none));
    assert_false(sanwo_address_in_prefix(&none, &none, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_agrees_with_inet_pton),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_format_every_size),
        cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_in_prefix),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_equal),
    };

    return cmocka_run_group_tests_name("wire/address", tests, NULL, NULL);
}
