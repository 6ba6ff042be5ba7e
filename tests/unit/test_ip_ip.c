/*
 * test_ip_ip.c - The arrays of the host below TCP: sizes, limits of nothing, and the same seed twice.
 */
#include "test_ip_host.h"

/* Nothing is written outside the size that was asked for, whatever the limits. */
static void test_sizes(void **state)
{
    static const uint16_t limits[][4] = {
        {8, 64, 64, 512}, {0, 0, 0, 0}, {1, 1, 1, 1}, {255, 3, 5, 7}, {65535, 9, 9, 1000},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(limits); i++) {
        struct sanwo_stack_config config = host_config();
        struct sanwo_address a;
        struct host *h;
        size_t size;
        config.max_links = limits[i][0];
        config.max_addresses = limits[i][1];
        config.max_routes = limits[i][2];
        config.max_neighbours = limits[i][3];
        size = sw_ip_arrays_size(&config);
        assert_int_equal(size % 64, 0);
        h = host_bare(&config);
        for (unsigned k = 0; k < 300; k++)
            add_link(&h->ip, SANWO_LINK_ETHERNET, 1500, 0);
        assert_int_equal(h->ip.link_count, sw_min32(limits[i][0], IP_LINKS_MOST));
        for (uint8_t k = 1; k < 100; k++) {
            a = sanwo_address_ipv4(10, 0, k, 1);
            sw_ip_address_add(&h->ip, 0, &a, 24);
            a = sanwo_address_ipv4(11, 0, k, 0);
            sw_ip_route_add(&h->ip, &a, 24, NULL, 0);
        }
        if (limits[i][0]) {
            assert_int_equal(h->ip.address_count, sw_min32(limits[i][1], 99));
            assert_int_equal(h->ip.route_count, sw_min32(limits[i][2], 99));
        }
        for (size_t k = size; k < sizeof h->arrays; k++)
            assert_int_equal(h->arrays[k], 0xa5);
        host_end(h);
    }
}

/* The same seed gives the same bytes out; another one does not. */
static void test_deterministic(void **state)
{
    struct packet first[3], p;
    struct ip_packet out;

    (void)state;
    for (int run = 0; run < 3; run++) {
        struct sanwo_stack_config config = host_config();
        uint8_t seed[32] = {run == 2 ? 9 : 1};
        struct host *h = host_bare(&config);
        sw_random_init(&h->random, seed);
        sw_ip_init(&h->ip, &h->region, offsetof(struct host, arrays), &h->random, &config, 0);
        add_link(&h->ip, SANWO_LINK_IP, 1500, 0);
        add_address(&h->ip, 0, "10.0.0.1", 24);
        for (int i = 0; i < 3; i++) {
            put_icmp(&p, "10.0.0.2", "10.0.0.1", ICMP_ECHO, 0, (uint32_t)i << 16, "data", 4);
            assert_int_equal(input(h, 0, &p, &out), IP_DONE);
            assert_true(poll(h, run ? &p : &first[i], 0));
            if (run == 1)
                assert_memory_equal(p.bytes, first[i].bytes, p.length);
            if (run == 2)
                assert_memory_not_equal(p.bytes, first[i].bytes, 20);
        }
        host_end(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_deterministic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
