/*
 * test_ip_links.c - Links: what is refused, limits, up and down, MTU.
 */
#include "test_ip_host.h"

static void test_refused(void **state)
{
    static const struct {
        struct sanwo_link_config config;
        int result;
    } rows[] = {
        {{.kind = SANWO_LINK_IP, .mtu = 67}, -SANWO_EINVAL},
        {{.kind = SANWO_LINK_IP, .mtu = 0}, -SANWO_EINVAL},
        {{.kind = 0, .mtu = 1500}, -SANWO_EINVAL},
        {{.kind = 3, .mtu = 1500}, -SANWO_EINVAL},
        {{.kind = SANWO_LINK_IP, .mtu = 1500, .offload = 8}, -SANWO_EINVAL},
        {{.kind = SANWO_LINK_ETHERNET, .mtu = 1500}, -SANWO_EINVAL},
        {{.kind = SANWO_LINK_ETHERNET, .mtu = 1500, .mac = {1, 2, 3, 4, 5, 6}}, -SANWO_EINVAL},
        {{.kind = SANWO_LINK_ETHERNET, .mtu = 1500, .mac = {2, 2, 3, 4, 5, 6}}, 0},
        {{.kind = SANWO_LINK_IP, .mtu = 68}, 1},
        {{.kind = SANWO_LINK_IP, .mtu = 65535, .offload = 7}, 2},
        {{.kind = SANWO_LINK_IP, .mtu = 1500}, -SANWO_ELIMIT},
    };
    struct sanwo_stack_config config = host_config();
    struct host *h;

    (void)state;
    config.max_links = 3;
    h = host_bare(&config);
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_ip_link_add(&h->ip, &rows[i].config), rows[i].result);
    assert_int_equal(sw_ip_link_at(&h->ip, 2)->config.mtu, 65535);
    assert_null(sw_ip_link_at(&h->ip, 3));
    assert_null(sw_ip_link_at(&h->ip, UINT32_MAX));
    host_end(h);
}

static void test_up_and_mtu(void **state)
{
    struct host *h = host_new();
    uint32_t epoch = h->ip.route_epoch;

    (void)state;
    assert_int_equal(sw_ip_link_set_up(&h->ip, 2, true), -SANWO_EINVAL);
    assert_int_equal(sw_ip_link_set_up(&h->ip, TUN, true), 0);
    assert_int_equal(h->ip.route_epoch, epoch); /* nothing changed */
    assert_int_equal(sw_ip_link_set_up(&h->ip, TUN, false), 0);
    assert_int_equal(h->ip.route_epoch, epoch + 1);
    assert_false(path_to(h, "10.0.0.2").up);
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, 2, 1500), -SANWO_EINVAL);
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, TUN, 1279), -SANWO_EINVAL); /* it has IPv6 */
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, ETH, 67), -SANWO_EINVAL);
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, ETH, 68), 0);
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, TUN, 1280), 0);
    assert_int_equal(path_to(h, "10.0.0.2").mtu, 1280);
    assert_int_equal(h->ip.route_epoch, epoch + 3);
    host_end(h);
}

/* What waited for a neighbour on a link that goes down is dropped, and the neighbours forgotten. */
static void test_down_forgets(void **state)
{
    struct host *h = host_new();
    struct sanwo_frame f = segment(h, 20);
    struct ip_path path = path_to(h, "192.168.1.9");
    struct ip_send what = send_to("192.168.1.1", "192.168.1.9");
    uint16_t reason;

    (void)state;
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_PARKED);
    assert_true(sw_ip_deadline(&h->ip) == 0);
    assert_int_equal(sw_ip_link_set_up(&h->ip, ETH, false), 0);
    assert_int_equal(h->region.used, 0);
    assert_int_equal(h->ip.lost.link_down, 1);
    assert_true(sw_ip_deadline(&h->ip) == SANWO_TIME_NEVER);
    f = segment(h, 20);
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_NOT_SENT);
    assert_int_equal(reason, SANWO_REASON_LINK_DOWN);
    release(h, &f);
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_up_and_mtu),
        cmocka_unit_test(test_down_forgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
