/*
 * test_ip_icmp_output.c - Errors that we send: about what never, what they quote, how often.
 */
#include "test_ip_host.h"

/*
 * RFC 1122 3.2.2, RFC 4443 2.4 (e): the packet is given to sw_ip_send_error() whatever it is.
 * RFC1122-3.2.2-2, RFC4443-2.4-1.
 */
static void test_never_about(void **state)
{
    static const struct {
        const char *what;
        const char *from, *to;
        uint8_t protocol;
        uint8_t first; /* byte of the upper layer: the ICMP type */
        uint16_t fragment;
        bool group;
        bool sent;
    } rows[] = {
        {"a datagram", "8.8.8.8", "10.0.0.1", 17, 0, 0, false, true},
        {"a first fragment", "8.8.8.8", "10.0.0.1", 17, 0, 0x2000, false, true},
        {"an echo", "8.8.8.8", "10.0.0.1", 1, 8, 0, false, true},
        {"a later fragment", "8.8.8.8", "10.0.0.1", 17, 0, 1, false, false},
        {"unreachable", "8.8.8.8", "10.0.0.1", 1, 3, 0, false, false},
        {"source quench", "8.8.8.8", "10.0.0.1", 1, 4, 0, false, false},
        {"redirect", "8.8.8.8", "10.0.0.1", 1, 5, 0, false, false},
        {"time exceeded", "8.8.8.8", "10.0.0.1", 1, 11, 0, false, false},
        {"parameter problem", "8.8.8.8", "10.0.0.1", 1, 12, 0, false, false},
        {"broadcast", "8.8.8.8", "255.255.255.255", 17, 0, 0, true, false},
        {"link broadcast", "8.8.8.8", "10.0.0.1", 17, 0, 0, true, false},
        {"from nobody", "0.0.0.0", "10.0.0.1", 17, 0, 0, false, false},
        {"from this network", "0.0.0.9", "10.0.0.1", 17, 0, 0, false, false},
        {"from loopback", "127.0.0.1", "10.0.0.1", 17, 0, 0, false, false},
        {"from a multicast address", "224.0.0.9", "10.0.0.1", 17, 0, 0, false, false},
        {"from a broadcast address", "10.0.0.255", "10.0.0.1", 17, 0, 0, false, false},
        {"from everybody", "255.255.255.255", "10.0.0.1", 17, 0, 0, false, false},
        {"from class E", "240.0.0.9", "10.0.0.1", 17, 0, 0, false, false},
        {"from ourselves", "192.168.1.1", "10.0.0.1", 17, 0, 0, false, false},
        {"to another", "8.8.8.8", "10.0.0.77", 17, 0, 0, false, false},
        {"v6 datagram", "2001:db8::2", "2001:db8::1", 17, 0, 0, false, true},
        {"v6 echo", "2001:db8::2", "2001:db8::1", 58, 128, 0, false, true},
        {"v6 error", "2001:db8::2", "2001:db8::1", 58, 1, 0, false, false},
        {"v6 unknown error", "2001:db8::2", "2001:db8::1", 58, 127, 0, false, false},
        {"v6 redirect", "2001:db8::2", "2001:db8::1", 58, 137, 0, false, false},
        {"v6 multicast", "2001:db8::2", "ff02::1", 17, 0, 0, true, false},
        {"v6 from nobody", "::", "2001:db8::1", 17, 0, 0, false, false},
        {"v6 from a group", "ff02::2", "2001:db8::1", 17, 0, 0, false, false},
        {"v6 without a route", "2600::2", "2001:db8::1", 17, 0, 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        bool v6 = addr(rows[i].from).family == SANWO_FAMILY_IPV6;
        uint8_t upper[16] = {rows[i].first};
        struct ip_packet about = {.link = TUN, .group = rows[i].group};
        struct sanwo_frame f = {.link = TUN, .slice_count = 1};
        struct packet p;
        /* The errors go out by TUN. */
        assert_int_equal(add_route(&h->ip, "0.0.0.0", 0, "10.0.0.9", TUN), 0);
        (v6 ? put_v6 : put_v4)(&p, rows[i].from, rows[i].to, rows[i].protocol, upper, 16);
        if (!v6)
            sw_store16(p.bytes + 6, rows[i].fragment);
        f.length = f.slices[0].length = p.length;
        f.slices[0].bytes = p.bytes;
        about.source = addr(rows[i].from);
        about.destination = addr(rows[i].to);
        about.ours = sw_ip_is_ours(&h->ip, &about.destination);
        about.protocol = rows[i].protocol;
        about.offset = v6 ? 40 : 20;
        about.length = 16;
        sw_ip_send_error(&h->ip, &f, &about, v6 ? 1 : 3, v6 ? 4 : 3, 0, 0);
        if (poll_all(h, 0) != rows[i].sent)
            fail_msg("%s", rows[i].what);
        assert_int_equal(h->ip.icmp_out, rows[i].sent);
        host_end(h);
    }
}

/* ICMP of which not even the type is there could be an error. */
static void test_not_about_the_unknown(void **state)
{
    struct host *h = host_new();
    struct ip_packet about = {.source = addr("10.0.0.2"),
                              .destination = addr("10.0.0.1"),
                              .ours = true,
                              .protocol = IP_PROTOCOL_ICMP,
                              .offset = 20};
    struct sanwo_frame f = {.link = TUN, .slice_count = 1};
    struct packet p = {.bytes = {0}};

    (void)state;
    put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_ICMP, NULL, 0);
    p.bytes[20] = ICMP_ECHO; /* outside */
    f.slices[0].bytes = p.bytes;
    for (uint32_t n = 0; n < 2; n++) {
        f.length = f.slices[0].length = p.length + n;
        about.length = n;
        sw_ip_send_error(&h->ip, &f, &about, ICMP_UNREACHABLE, ICMP_UNREACHABLE_PROTOCOL, 0, 0);
        assert_int_equal(poll_all(h, 0), n);
    }
    host_end(h);
}

/* Port unreachable to a datagram of @length bytes; what comes back is right to the last bit. */
static void check_quote(bool v6, uint32_t length, const uint32_t *cuts)
{
    uint32_t header = v6 ? 40 : 20, most = v6 ? 1280 : 576, quote;
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p, error;
    uint8_t data[1400];
    struct wire_icmp icmp;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 3);
    if (v6)
        put_v6(&p, "2001:db8::2", "2001:db8::1", IP_PROTOCOL_UDP, data, length);
    else
        put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_UDP, data, length);
    p.bytes[p.length] = 0xee; /* padding is not quoted */
    input_cut(h, TUN, p.bytes, p.length + 1, cuts, 0, &out);
    assert_int_equal(out.reason, SANWO_REASON_PORT_UNREACHABLE);
    assert_true(poll(h, &error, 0));
    quote = sw_min32(p.length, most - header - 8);
    assert_int_equal(error.length, header + 8 + quote);
    assert_memory_equal(error.bytes + header + 8, p.bytes, quote);
    assert_true(sw_wire_icmp_read(&icmp, error.bytes + header, 8));
    assert_int_equal(icmp.type, v6 ? ICMPV6_UNREACHABLE : ICMP_UNREACHABLE);
    assert_int_equal(icmp.code, v6 ? ICMPV6_UNREACHABLE_PORT : ICMP_UNREACHABLE_PORT);
    assert_int_equal(icmp.rest, 0);
    if (v6) {
        struct sanwo_address a = addr("2001:db8::1"), b = addr("2001:db8::2");
        sum = sw_wire_pseudo_sum(&a, &b, IP_PROTOCOL_ICMPV6, 8 + quote);
        assert_int_equal(sw_load16(error.bytes + 4), 8 + quote);
    } else {
        assert_int_equal(error.bytes[1], 0); /* RFC 1122 3.2.2: TOS 0 */
        assert_int_equal(sw_load16(error.bytes + 2), error.length);
        assert_int_equal(sw_checksum_finish(sw_checksum_add(0, error.bytes, 20)), 0);
    }
    sum = sw_checksum_add(sum, error.bytes + header, 8 + quote);
    assert_int_equal(sw_checksum_finish(sum), 0);
    host_end(h);
}

/* RFC1122-3.2.2-1, RFC4443-2.4-1. */
static void test_quotes(void **state)
{
    static const uint32_t lengths[] = {0, 1, 8, 527, 528, 529, 1191, 1192, 1193, 1400};
    static const uint32_t whole[] = {0}, cut[] = {43, 11, 0};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(lengths); i++)
        for (int v6 = 0; v6 < 2; v6++) {
            check_quote(v6, lengths[i], whole);
            check_quote(v6, lengths[i], cut);
        }
}

/* A link smaller than what the RFCs allow to quote. */
static void test_quote_fits_link(void **state)
{
    struct host *h = host_new();
    uint8_t data[600] = {0};
    struct ip_packet out;
    struct packet p;

    (void)state;
    assert_int_equal(add_link(&h->ip, SANWO_LINK_IP, 300, 0), 2);
    assert_int_equal(add_address(&h->ip, 2, "10.3.0.1", 24), 0);
    put_v4(&p, "10.3.0.2", "10.3.0.1", IP_PROTOCOL_UDP, data, sizeof data);
    input(h, 2, &p, &out);
    assert_true(poll(h, &p, 0));
    assert_int_equal(p.length, 300);
    host_end(h);
}

static unsigned flood(struct host *h, unsigned peers, unsigned rounds, sanwo_time now)
{
    unsigned sent = 0;
    struct ip_packet out;
    struct packet p;

    for (unsigned i = 0; i < peers * rounds; i++) {
        put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_UDP, "8 bytes.", 8);
        sw_store32(p.bytes + 12, UINT32_C(0x0a000002) + i % peers);
        fix_v4(&p);
        input_cut(h, TUN, p.bytes, p.length, NULL, now, &out);
        sent += poll_all(h, now);
    }
    return sent;
}

/*
 * RFC 4443 2.4 (f): a burst, then the rate; no single peer takes all of it (C-03). RFC4443-2.4-1.
 */
static void test_rate(void **state)
{
    struct host *h = host_new();
    unsigned burst;

    (void)state;
    assert_int_equal(flood(h, 1, 100, 0), 10);
    assert_int_equal(h->ip.lost.rate_limited, 90);
    assert_int_equal(flood(h, 1, 100, SANWO_MSEC(99)), 0);
    assert_int_equal(flood(h, 1, 100, SANWO_MSEC(100)), 1);
    assert_int_equal(flood(h, 1, 100, SANWO_SEC(10)), 10);
    burst = flood(h, 200, 10, SANWO_SEC(20));
    assert_in_range(burst, 70, 130); /* 100, give or take the dice */
    assert_int_equal(flood(h, 200, 1, SANWO_SEC(20)), 0);
    assert_int_equal(h->ip.icmp_out, 21 + burst);
    host_end(h);
}

/*
 * What the rest of the budget is cannot be read off by counting one's own answers: bursts differ.
 * C-03.
 */
static void test_burst_is_not_exact(void **state)
{
    struct host *h = host_new();
    unsigned first = flood(h, 200, 10, 0), sum = 0, different = 0;

    (void)state;
    for (int i = 1; i <= 10; i++) {
        unsigned n = flood(h, 200, 10, SANWO_SEC(10 * i));
        different += n != first;
        sum += n;
    }
    assert_in_range(different, 5, 10);
    assert_in_range(sum, 920, 1080); /* and yet the rate is kept on average */
    host_end(h);
}

static void test_no_memory(void **state)
{
    struct host *h = host_new();

    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        h->region.fault_countdown = n;
        assert_int_equal(flood(h, 1, 1, 0), 0);
        assert_int_equal(h->ip.lost.no_memory, n);
        assert_int_equal(h->region.used, 0);
    }
    assert_int_equal(h->ip.icmp_out, 0);
    assert_int_equal(flood(h, 1, 1, 0), 1);
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_about), cmocka_unit_test(test_not_about_the_unknown),
        cmocka_unit_test(test_quotes),      cmocka_unit_test(test_quote_fits_link),
        cmocka_unit_test(test_rate),        cmocka_unit_test(test_burst_is_not_exact),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
