/*
 * test_ip_addresses.c - Our addresses: what may be one, broadcasts, and which to speak from.
 */
#include "test_ip_host.h"

static void test_add(void **state)
{
    static const struct {
        unsigned link;
        const char *address;
        unsigned length;
        int result;
    } rows[] = {
        {TUN, "0.0.0.0", 24, -SANWO_EINVAL},
        {TUN, "0.1.2.3", 8, -SANWO_EINVAL},
        {TUN, "127.0.0.1", 8, -SANWO_EINVAL},
        {TUN, "224.0.0.1", 24, -SANWO_EINVAL},
        {TUN, "255.255.255.255", 32, -SANWO_EINVAL},
        {TUN, "10.1.0.0", 24, -SANWO_EINVAL},
        {TUN, "10.1.0.255", 24, -SANWO_EINVAL},
        {TUN, "10.1.0.3", 33, -SANWO_EINVAL},
        {TUN, "10.1.0.3", 1u << 31, -SANWO_EINVAL},
        {TUN, "10.1.0.0", 31, 0},
        {TUN, "10.1.0.255", 32, 0},
        {TUN, "10.9.0.1", 0, 0},
        {TUN, "10.0.0.1", 16, -SANWO_EADDRINUSE},
        {ETH, "10.0.0.1", 24, -SANWO_EADDRINUSE},
        {2, "10.2.0.1", 24, -SANWO_EINVAL},
        {TUN, "::", 64, -SANWO_EINVAL},
        {TUN, "::1", 128, -SANWO_EINVAL},
        {TUN, "ff02::1", 64, -SANWO_EINVAL},
        {TUN, "::ffff:10.0.0.1", 128, -SANWO_EINVAL},
        {TUN, "2001:db8::2", 129, -SANWO_EINVAL},
        {TUN, "2001:db8::2", 128, 0},
        {TUN, "2001:db8::1", 64, -SANWO_EADDRINUSE},
        {TUN, "fe80::1", 64, -SANWO_EADDRINUSE},
        {ETH, "2001:db8:1::1", 64, -SANWO_EOPNOTSUPP},
    };
    struct host *h = host_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        int result = add_address(&h->ip, rows[i].link, rows[i].address, rows[i].length);
        if (result != rows[i].result)
            fail_msg("%s/%u: %d", rows[i].address, rows[i].length, result);
    }
    host_end(h);
}

static void test_limit_and_remove(void **state)
{
    struct sanwo_stack_config config = host_config();
    struct sanwo_address a = addr("10.0.0.2"), b = addr("fe80::5");
    struct host *h;

    (void)state;
    config.max_addresses = 2;
    h = host_bare(&config);
    add_link(&h->ip, SANWO_LINK_IP, 1280, 0);
    add_link(&h->ip, SANWO_LINK_IP, 1279, 0);
    assert_int_equal(add_address(&h->ip, 1, "fe80::5", 64), -SANWO_EINVAL); /* RFC 8200 5 */
    assert_int_equal(add_address(&h->ip, 0, "10.0.0.2", 24), 0);
    assert_int_equal(add_address(&h->ip, 0, "fe80::5", 64), 0);
    assert_int_equal(add_address(&h->ip, 0, "10.0.0.3", 24), -SANWO_ELIMIT);
    assert_true(sw_ip_is_ours(&h->ip, &a));
    assert_false(sw_ip_is_ours(&h->ip, &b)); /* of which link? */
    b.zone = 1;
    assert_true(sw_ip_is_ours(&h->ip, &b));
    b.zone = 2;
    assert_int_equal(sw_ip_address_remove(&h->ip, &b), -SANWO_EADDRNOTAVAIL);
    b.zone = 0;
    assert_int_equal(sw_ip_address_remove(&h->ip, &a), 0);
    assert_int_equal(sw_ip_address_remove(&h->ip, &a), -SANWO_EADDRNOTAVAIL);
    assert_int_equal(sw_ip_address_remove(&h->ip, &b), 0);
    assert_int_equal(h->ip.address_count, 0);
    host_end(h);
}

/* RFC1122-3.3.6-1. */
static void test_broadcast(void **state)
{
    static const struct {
        const char *address;
        bool broadcast;
    } rows[] = {
        {"255.255.255.255", true}, {"10.0.0.255", true},  {"192.168.1.255", true},
        {"10.0.0.254", false},     {"10.0.1.255", false}, {"10.5.0.1", false},
        {"172.16.0.3", true},      {"10.0.0.0", false},   {"ff02::1", false},
        {"2001:db8::", false},     {"10.6.0.7", false},
    };
    struct host *h = host_new();

    (void)state;
    assert_int_equal(add_address(&h->ip, TUN, "10.5.0.1", 32), 0);
    assert_int_equal(add_address(&h->ip, TUN, "10.6.0.6", 31), 0); /* RFC 3021 */
    assert_int_equal(add_address(&h->ip, TUN, "172.16.0.1", 30), 0);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address a = addr(rows[i].address);
        if (sw_ip_is_broadcast(&h->ip, &a) != rows[i].broadcast)
            fail_msg("%s", rows[i].address);
    }
    host_end(h);
}

/* RFC 6724 5; the examples of 10.1 where they need nothing but addresses. RFC6724-5-1. */
static void test_source(void **state)
{
    static const struct {
        const char *ours[3]; /* all on one link; the last may be missing */
        const char *destination;
        const char *wanted;
    } rows[] = {
        {{"2001:db8:1::1", "fe80::1"}, "2001:db8:1::2", "2001:db8:1::1"},
        {{"2001:db8:1::1", "fe80::1"}, "fe80::2", "fe80::1"},
        {{"fe80::1", "2001:db8:1::1"}, "2001:db8:9::2", "2001:db8:1::1"},
        {{"2001:db8:1::1", "2001:db8:3::1"}, "2001:db8:3::2", "2001:db8:3::1"},
        {{"2001:db8:3::1", "2001:db8:1::1"}, "2001:db8:1::9", "2001:db8:1::1"},
        {{"2002:c633:6401::d5e3", "2001:db8:1::2"}, "2002:c633:6401::2", "2002:c633:6401::d5e3"},
        {{"2002:c633:6401::d5e3", "2001:db8:1::2"}, "2001:db8:2::2", "2001:db8:1::2"},
        {{"2001:db8:1::1", "fd00::1"}, "fd00:1::2", "fd00::1"},
        {{"fd00::1", "2001:db8:1::1"}, "2600::2", "2001:db8:1::1"},
        {{"fec0::1", "2001:db8::7"}, "2600::2", "2001:db8::7"},
        {{"fe80::1"}, "2001:db8:1::2", "fe80::1"},
        {{"10.0.0.1", "169.254.7.7", "192.168.0.1"}, "169.254.9.9", "169.254.7.7"},
        {{"169.254.7.7", "10.0.0.1", "192.168.0.1"}, "192.168.0.9", "192.168.0.1"},
        {{"10.0.0.1", "10.0.0.2"}, "10.0.0.3", "10.0.0.1"}, /* the first added */
        {{"10.0.0.1", "2001:db8::1"}, "8.8.8.8", "10.0.0.1"},
        {{"10.0.0.1"}, "2600::2", NULL},
        {{"2001:db8::1"}, "8.8.8.8", NULL},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_stack_config config = host_config();
        struct host *h = host_bare(&config);
        struct sanwo_address to = addr(rows[i].destination), from;
        struct ip_path path = {.link = 1};
        add_link(&h->ip, SANWO_LINK_IP, 1500, 0);
        add_link(&h->ip, SANWO_LINK_IP, 1500, 0);
        assert_int_equal(add_address(&h->ip, 0, "8.8.8.1", 24), 0); /* on another link */
        for (int k = 0; k < 3 && rows[i].ours[k]; k++)
            assert_true(add_address(&h->ip, 1, rows[i].ours[k],
                                    addr(rows[i].ours[k]).family == 4 ? 24 : 64) == 0);
        if (sw_ip_source_for(&h->ip, &to, &path, &from) != (rows[i].wanted != NULL))
            fail_msg("row %zu", i);
        if (rows[i].wanted && memcmp(from.bytes, addr(rows[i].wanted).bytes, 16) != 0)
            fail_msg("row %zu: not %s", i, rows[i].wanted);
        host_end(h);
    }
}

static void test_source_is_itself(void **state)
{
    struct host *h = host_new();
    struct sanwo_address to = addr("10.0.0.1"), from;
    struct ip_path path = {.link = TUN};

    (void)state;
    assert_true(sw_ip_source_for(&h->ip, &to, &path, &from)); /* rule 1 */
    assert_true(sanwo_address_equal(&from, &to));
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_limit_and_remove),
        cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_source_is_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
