/*
 * test_tcp_tuple.c - Connection identities: to tuples and back, equality, the keyed hash.
 */
#include "test_tcp_support.h"

#include "base/checksum.h"
#include "wire/ipv4.h"

static struct sanwo_address zoned(const char *text, uint8_t zone)
{
    struct sanwo_address a = rig_address(text);

    a.zone = zone;
    return a;
}

static void test_there_and_back(void **state)
{
    (void)state;
    const struct {
        const char *local, *remote;
        uint8_t zone;
        bool ipv4;
    } rows[] = {
        {"10.0.0.1", "10.0.0.2", 0, true},
        {"0.0.0.0", "255.255.255.255", 0, true},
        {"2001:db8::1", "2001:db8::2", 0, false},
        {"fe80::1", "fe80::2", 3, false},
        {"fe80::1", "fe80::2", 255, false},
        {"2001:db8::1", "::", 0, false},
        {"2001:db8::1", "0:0:0:0:0:fffe:a00:2", 0, false}, /* nearly IPv4-mapped */
        {"2001:db8::1", "0:0:0:0:1:ffff:a00:2", 0, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address local = zoned(rows[i].local, rows[i].zone);
        struct sanwo_address remote = zoned(rows[i].remote, rows[i].zone);
        struct tcp_tuple t = sw_tcp_tuple(&local, 80, &remote, 65535);
        struct sanwo_endpoint l = sw_tcp_tuple_local(&t), r = sw_tcp_tuple_remote(&t);
        assert_int_equal(sw_tcp_tuple_is_ipv4(&t), rows[i].ipv4);
        assert_true(sanwo_address_equal(&l.address, &local));
        assert_true(sanwo_address_equal(&r.address, &remote));
        assert_int_equal(l.port, 80);
        assert_int_equal(r.port, 65535);
        assert_int_equal(sw_tcp_tuple_sum(&t),
                         sw_checksum_fold(sw_wire_pseudo_sum(&local, &remote, 0, 0)));
    }
}

/* Each byte that may differ makes a difference, to equality and to the hash. */
static void test_every_field_counts(void **state)
{
    (void)state;
    struct siphash_key key = {1, 2};

    for (int ipv4 = 0; ipv4 < 2; ipv4++) {
        struct tcp_tuple a = ipv4 ? rig_tuple(1) : rig_tuple_v6(1), same = a;
        assert_true(sw_tcp_tuple_equal(&a, &same));
        assert_int_equal(sw_tcp_tuple_hash(&key, &a), sw_tcp_tuple_hash(&key, &same));
        for (size_t i = 0; i < offsetof(struct tcp_tuple, spare); i++) {
            struct tcp_tuple b = a;
            if (ipv4 && (i < 12 || (i >= 16 && i < 28) || i == offsetof(struct tcp_tuple, zone)))
                continue; /* the same in all of IPv4 */
            ((uint8_t *)&b)[i] ^= 0x10;
            assert_false(sw_tcp_tuple_equal(&a, &b));
            assert_int_not_equal(sw_tcp_tuple_hash(&key, &a), sw_tcp_tuple_hash(&key, &b));
        }
    }
}

static void test_ends_are_not_interchangeable(void **state)
{
    (void)state;
    struct sanwo_address x = rig_address("10.0.0.1"), y = rig_address("10.0.0.2");
    struct tcp_tuple a = sw_tcp_tuple(&x, 1, &y, 2), b = sw_tcp_tuple(&y, 2, &x, 1);

    assert_false(sw_tcp_tuple_equal(&a, &b));
}

/* The same zone on another link is another connection; a zone on a global address never counts. */
static void test_zones(void **state)
{
    (void)state;
    struct sanwo_address local = zoned("fe80::1", 1), one = zoned("fe80::2", 1),
                         two = zoned("fe80::2", 2);
    struct tcp_tuple a = sw_tcp_tuple(&local, 1, &one, 2), b = sw_tcp_tuple(&local, 1, &two, 2);
    struct sanwo_address global = rig_address("2001:db8::1");
    struct tcp_tuple mixed = sw_tcp_tuple(&global, 1, &two, 2);

    assert_false(sw_tcp_tuple_equal(&a, &b));
    assert_int_equal(sw_tcp_tuple_local(&mixed).address.zone, 0);
    assert_int_equal(sw_tcp_tuple_remote(&mixed).address.zone, 2);
}

/* */
static void test_another_key_another_hash(void **state)
{
    (void)state;
    struct siphash_key one = {1, 2}, two = {1, 3};
    unsigned equal = 0;

    for (unsigned i = 0; i < 1000; i++) {
        struct tcp_tuple t = rig_tuple(i);
        equal += sw_tcp_tuple_hash(&one, &t) == sw_tcp_tuple_hash(&two, &t);
    }
    assert_int_equal(equal, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_every_field_counts),
        cmocka_unit_test(test_ends_are_not_interchangeable),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_another_key_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
