/*
 * test_ip_ready.c - Frames that wait: released by a reply, dropped by time, moved with the region.
 */
#include "test_ip_host.h"

/* Sends @slices slices of 20 bytes to @to, which is not resolved. */
static void park(struct host *h, const char *to, unsigned slices, sanwo_time now)
{
    struct ip_send what = send_to("192.168.1.1", to);
    struct ip_path path = path_to(h, to);
    struct sanwo_frame f = segment(h, 20);
    uint16_t reason;

    while (f.slice_count < slices) {
        struct sanwo_frame more = segment(h, 20);
        f.slices[f.slice_count++] = more.slices[0];
        f.length += 20;
    }
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, now, &reason), IP_PARKED);
}

static void hear(struct host *h, const char *from, const struct wire_mac *mac, sanwo_time now)
{
    struct ip_packet out;
    struct packet p;

    put_arp(&p, ARP_REPLY, mac, from, "192.168.1.1");
    assert_int_equal(input_cut(h, ETH, p.bytes, p.length, NULL, now, &out), IP_DONE);
}

static void test_released(void **state)
{
    struct host *h = host_new();
    struct packet p;

    (void)state;
    park(h, "192.168.1.7", 1, 5);
    park(h, "192.168.1.7", SANWO_FRAME_SLICES, 5);
    assert_true(sw_ip_deadline(&h->ip) == 5);
    assert_true(poll(h, &p, 5)); /* the request */
    assert_int_equal(p.length, ARP_FRAME_SIZE);
    assert_memory_equal(p.bytes, all_mac.bytes, 6);
    assert_memory_equal(p.bytes + 28, addr("192.168.1.1").bytes, 4);
    assert_memory_equal(p.bytes + 38, addr("192.168.1.7").bytes, 4);
    assert_false(poll(h, &p, 5));
    assert_true(sw_ip_deadline(&h->ip) == 5 + SANWO_SEC(1));
    hear(h, "192.168.1.7", &peer_mac, 900);
    assert_true(sw_ip_deadline(&h->ip) == 900);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(poll(h, &p, 900));
        assert_int_equal(p.link, ETH);
        assert_int_equal(p.length, i ? 34 + 20 * SANWO_FRAME_SLICES : 54);
        assert_memory_equal(p.bytes, peer_mac.bytes, 6);
        for (uint32_t k = 34; k < p.length; k++)
            assert_int_equal(p.bytes[k], (k - 34) % 20);
    }
    assert_false(poll(h, &p, 900));
    assert_true(sw_ip_deadline(&h->ip) == SANWO_TIME_NEVER);
    host_end(h);
}

/* A neighbour of more than a minute ago is asked alone, while frames go on to him. */
static void test_polled(void **state)
{
    struct host *h = host_new();
    struct ip_send what = send_to("192.168.1.1", "192.168.1.7");
    struct ip_path path = path_to(h, "192.168.1.7");
    sanwo_time now = NEIGHBOUR_FRESH + 1;
    struct sanwo_frame f;
    uint16_t reason;
    struct packet p;

    (void)state;
    park(h, "192.168.1.7", 1, 0);
    hear(h, "192.168.1.7", &peer_mac, 0);
    assert_int_equal(poll_all(h, 0), 1);
    f = segment(h, 20);
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, now, &reason), IP_SENT);
    release(h, &f);
    assert_true(poll(h, &p, now));
    assert_int_equal(p.length, ARP_FRAME_SIZE);
    assert_int_equal(p.link, ETH);
    assert_memory_equal(p.bytes, peer_mac.bytes, 6);
    assert_false(poll(h, &p, now));
    hear(h, "192.168.1.7", &peer_mac, now);
    assert_true(sw_ip_deadline(&h->ip) == SANWO_TIME_NEVER);
    host_end(h);
}

static void test_dropped(void **state)
{
    struct host *h = host_new();
    struct packet p;

    (void)state;
    for (int i = 0; i < 5; i++)
        park(h, "192.168.1.7", 3, 0);
    assert_int_equal(h->ip.lost.neighbour_queue_full, 2);
    for (int i = 0; i < NEIGHBOUR_TRIES; i++) {
        assert_true(sw_ip_deadline(&h->ip) == SANWO_SEC(i));
        assert_int_equal(poll_all(h, SANWO_SEC(i)), 1);
    }
    assert_int_not_equal(h->region.used, 0);
    assert_false(poll(h, &p, SANWO_SEC(NEIGHBOUR_TRIES)));
    assert_int_equal(h->ip.lost.neighbour_unresolved, 3);
    assert_true(sw_ip_deadline(&h->ip) == SANWO_TIME_NEVER);
    host_end(h);
}

/* Attack B-29 as TCP would feel it: 1e5 addresses tried, memory bounded, the resolved one served. */
static void test_scan(void **state)
{
    struct host *h = host_new();
    struct ip_send what = send_to("192.168.1.1", "192.168.1.7");
    struct ip_path path = path_to(h, "192.168.1.7");
    uint64_t most = 0;
    uint16_t reason;

    (void)state;
    park(h, "192.168.1.7", 1, 0);
    hear(h, "192.168.1.7", &peer_mac, 0);
    assert_int_equal(poll_all(h, 0), 1);
    for (uint32_t i = 0; i < 100000; i++) {
        struct sanwo_frame f = segment(h, 20);
        struct ip_path probe = path;
        sw_store32(probe.next_hop.bytes, UINT32_C(0xc0a90000) + i);
        assert_int_equal(sw_ip_send(&h->ip, &what, &probe, &f, i, &reason), IP_PARKED);
        most = h->region.used > most ? h->region.used : most;
        if (i % 100)
            continue;
        f = segment(h, 20);
        assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, i, &reason), IP_SENT);
        release(h, &f);
    }
    assert_in_range(most, 1, 256 * 1024);
    for (int s = 1; s < 6; s++)
        poll_all(h, SANWO_SEC(s));
    assert_int_equal(h->ip.lost.neighbour_unresolved + h->ip.lost.neighbour_queue_full, 100000);
    host_end(h);
}

/* The queue of answers has its limit, in both ways in. */
static void test_limit(void **state)
{
    struct host *h = host_new();
    uint16_t reason;

    (void)state;
    h->ip.ready_limit = 2;
    for (int i = 0; i < 3; i++)
        park(h, "192.168.1.7", 1, 0);
    hear(h, "192.168.1.7", &peer_mac, 0);
    assert_int_equal(h->ip.ready_count, 2);
    assert_int_equal(h->ip.lost.queue_full, 1);
    for (int i = 0; i < 2; i++) {
        struct sanwo_frame f = segment(h, 20);
        assert_false(sw_ip_ready_push(&h->ip, &f, 0, &reason));
        assert_int_equal(reason, SANWO_REASON_QUEUE_FULL);
        release(h, &f);
    }
    assert_int_equal(poll_all(h, 0), 2);
    host_end(h);
}

/* In the order they came; what was for a link that is down is dropped on the way. */
static void test_order_and_down(void **state)
{
    struct host *h = host_new();
    struct packet p;
    uint16_t reason;

    (void)state;
    for (uint32_t i = 1; i <= 6; i++) {
        struct sanwo_frame f = segment(h, i);
        f.link = i & 1;
        assert_true(sw_ip_ready_push(&h->ip, &f, 10 + i, &reason));
    }
    assert_true(sw_ip_deadline(&h->ip) == 11);
    sw_ip_link_set_up(&h->ip, ETH, false);
    for (uint32_t i = 2; i <= 6; i += 2) {
        assert_true(poll(h, &p, 20));
        assert_int_equal(p.length, i);
    }
    assert_false(poll(h, &p, 20));
    assert_int_equal(h->ip.lost.link_down, 3);
    host_end(h);
}

/* The last reference to the application's memory is not dropped in silence. */
static void test_orphans(void **state)
{
    struct host *h = host_new();
    uint8_t memory[2][30] = {{1}, {2}};
    struct ip_send what = send_to("192.168.1.1", "192.168.1.7");
    struct ip_path path = path_to(h, "192.168.1.7");
    struct buffer *b[2];
    region_ref name;
    uint16_t reason;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sanwo_frame f = segment(h, 20);
        b[i] = sw_buffer_external(&h->region, memory[i], sizeof memory[i]);
        f.slices[1] = (struct sanwo_slice){.bytes = memory[i],
                                           .length = sizeof memory[i],
                                           .buffer = sw_buffer_name(&h->region, b[i])};
        f.slice_count = 2;
        f.length += sizeof memory[i];
        assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_PARKED);
    }
    sw_buffer_ref(b[1]); /* its send queue still has that one */
    assert_int_equal(sw_ip_take_orphan(&h->ip), 0);
    for (int s = 0; s <= NEIGHBOUR_TRIES; s++)
        poll_all(h, SANWO_SEC(s));
    name = sw_ip_take_orphan(&h->ip);
    assert_ptr_equal(sw_buffer_at(&h->region, name), b[0]);
    assert_true(sw_buffer_unref(&h->region, b[0]));
    assert_int_equal(sw_ip_take_orphan(&h->ip), 0);
    assert_true(sw_buffer_unref(&h->region, b[1]));
    host_end(h);
}

/* The region is copied elsewhere while frames wait, and the original is overwritten. */
static void test_moved(void **state)
{
    struct host *h = host_new(), *copy = aligned_alloc(4096, HOST_REGION);
    uint16_t reason;
    struct packet p;

    (void)state;
    park(h, "192.168.1.7", 2, 0);
    for (uint32_t i = 30; i < 33; i++) {
        struct sanwo_frame f = segment(h, i);
        assert_true(sw_ip_ready_push(&h->ip, &f, 0, &reason));
    }
    memcpy(copy, h, HOST_REGION);
    memset(h, 0xee, HOST_REGION);
    copy->ip.region = &copy->region;
    copy->ip.random = &copy->random;
    assert_true(poll(copy, &p, 0)); /* the request */
    hear(copy, "192.168.1.7", &peer_mac, 0);
    for (uint32_t i = 30; i < 33; i++) {
        assert_true(poll(copy, &p, 0));
        assert_int_equal(p.length, i);
        assert_int_equal(p.bytes[i - 1], i - 1);
    }
    assert_true(poll(copy, &p, 0));
    assert_int_equal(p.length, 14 + 20 + 40);
    assert_memory_equal(p.bytes, peer_mac.bytes, 6);
    host_end(copy);
    free(h);
}

/* Without memory for a request, or without an address to ask from, time still ends the wait. */
static void test_request_impossible(void **state)
{
    struct sanwo_address ours = addr("192.168.1.1");

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct host *h = host_new();
        park(h, "192.168.1.7", 1, 0);
        if (kind == 0)
            h->region.fault_countdown = 1;
        else
            assert_int_equal(sw_ip_address_remove(&h->ip, &ours), 0);
        assert_int_equal(poll_all(h, 0), 0);
        assert_int_equal(h->ip.lost.no_memory, kind == 0);
        assert_int_equal(poll_all(h, SANWO_SEC(1)), kind == 0);
        poll_all(h, SANWO_SEC(2));
        poll_all(h, SANWO_SEC(3));
        assert_int_equal(h->ip.lost.neighbour_unresolved, 1);
        host_end(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_released),
        cmocka_unit_test(test_polled),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_order_and_down),
        cmocka_unit_test(test_orphans),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_request_impossible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
