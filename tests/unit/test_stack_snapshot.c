/*
 * test_stack_snapshot.c - A stack copied and brought back: the same bytes come out of both.
 */
#include "stack/stack.h"
#include "test_tcp_support.h"

#define REGION (32u << 20)

static struct sanwo_stack *host(void *region, uint8_t last)
{
    struct sanwo_stack_config config = rig_config();
    struct sanwo_link_config link = {.kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address ours = sanwo_address_ipv4(10, 0, 0, last);
    struct sanwo_stack *s;

    config.deterministic = true;
    config.seed[0] = last;
    config.budget = 8u << 20;
    assert_int_equal(sanwo_stack_create(region, REGION, &config, RIG_START, &s), 0);
    assert_int_equal(sanwo_stack_link_add(s, &link), 0);
    assert_int_equal(sanwo_stack_address_add(s, 0, &ours, 24), 0);
    return s;
}

static struct sanwo_handle connect_to(struct sanwo_stack *s, uint8_t last)
{
    struct sanwo_tcp_connect open = {
        .remote = {.address = sanwo_address_ipv4(10, 0, 0, last), .port = 80}};
    struct sanwo_handle h;

    assert_int_equal(sanwo_tcp_connect(s, &open, RIG_START, &h), 0);
    return h;
}

/* All frames from @now on for ten seconds of silence, one after the other; how many bytes. */
static size_t output(struct sanwo_stack *s, sanwo_time now, uint8_t *out)
{
    struct sanwo_frame frames[4];
    size_t total = 0, n;

    for (int i = 0; i < 100; i++, now += SANWO_MSEC(100)) {
        while ((n = sanwo_stack_transmit(s, frames, 4, now)) > 0) {
            for (size_t k = 0; k < n; k++) {
                sanwo_frame_copy(&frames[k], out + total);
                total += frames[k].length;
            }
            sanwo_stack_sent(s, frames, n);
        }
    }
    return total;
}

static void test_goes_on_as_before(void **state)
{
    (void)state;
    void *one = aligned_alloc(4096, REGION), *two = aligned_alloc(4096, REGION);
    static uint8_t first[10000], second[10000];
    struct sanwo_stack *s = host(one, 1), *copy;

    for (uint8_t i = 2; i < 12; i++)
        connect_to(s, i);
    size_t size = sanwo_stack_snapshot_size(s);
    assert_true(size < REGION);
    uint8_t *snapshot = malloc(size);
    assert_int_equal(sanwo_stack_snapshot(s, snapshot, size), 0);
    memset(two, 0xa5, REGION);
    assert_int_equal(sanwo_stack_restore(two, REGION, snapshot, size, &copy), 0);
    struct sanwo_tcp_info theirs, ours; /* the port is drawn at random: the copy draws the same */
    assert_int_equal(sanwo_tcp_info(s, connect_to(s, 50), &theirs), 0);
    size_t length = output(s, RIG_START, first);
    assert_true(length > 10 * 40);
    memset(one, 0xcd, REGION); /* the copy needs nothing of it */
    assert_int_equal(sanwo_tcp_info(copy, connect_to(copy, 50), &ours), 0);
    assert_int_equal(ours.local.port, theirs.local.port);
    assert_int_equal(ours.iss, theirs.iss);
    assert_int_equal(output(copy, RIG_START, second), length);
    assert_memory_equal(first, second, length);
    /* And back to where the first one was: time travel. */
    assert_int_equal(sanwo_stack_restore(one, REGION, snapshot, size, &s), 0);
    memset(first, 0, sizeof first);
    connect_to(s, 50);
    assert_int_equal(output(s, RIG_START, first), length);
    assert_memory_equal(first, second, length);
    free(snapshot);
    free(one);
    free(two);
}

/* Handles outlive the journey. */
static void test_handles_stay_valid(void **state)
{
    (void)state;
    void *one = aligned_alloc(4096, REGION), *two = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(one, 1), *copy;
    struct sanwo_handle h = connect_to(s, 2);
    size_t size = sanwo_stack_snapshot_size(s);
    uint8_t *snapshot = malloc(size);
    struct sanwo_tcp_info info;

    assert_int_equal(sanwo_stack_snapshot(s, snapshot, size), 0);
    assert_int_equal(sanwo_tcp_abort(s, h, RIG_START), 0);
    assert_int_equal(sanwo_tcp_info(s, h, &info), -SANWO_EBADF);
    assert_int_equal(sanwo_stack_restore(two, REGION, snapshot, size, &copy), 0);
    assert_int_equal(sanwo_tcp_info(copy, h, &info), 0);
    assert_int_equal(info.state, SANWO_TCP_SYN_SENT);
    free(snapshot);
    free(one);
    free(two);
}

static void test_refused(void **state)
{
    (void)state;
    void *one = aligned_alloc(4096, REGION), *two = aligned_alloc(4096, REGION);
    struct sanwo_stack *s = host(one, 1), *copy;
    struct sanwo_frame frame;
    size_t size = sanwo_stack_snapshot_size(s);
    uint8_t *snapshot = malloc(size), *broken = malloc(size);

    assert_int_equal(sanwo_stack_snapshot(s, snapshot, size - 1), -SANWO_EMSGSIZE);
    assert_int_equal(sanwo_stack_snapshot(s, snapshot, size), 0);
    assert_int_equal(sanwo_stack_restore(NULL, REGION, snapshot, size, &copy), -SANWO_ESNAPSHOT);
    assert_int_equal(sanwo_stack_restore((uint8_t *)two + 64, REGION - 64, snapshot, size, &copy),
                     -SANWO_ESNAPSHOT);
    assert_int_equal(sanwo_stack_restore(two, REGION - 1, snapshot, size, &copy), -SANWO_ESNAPSHOT);
    for (size_t cut = 0; cut < size; cut = cut < 40 ? cut + 1 : cut * 2)
        assert_int_equal(sanwo_stack_restore(two, REGION, snapshot, cut, &copy), -SANWO_ESNAPSHOT);
    for (size_t at = 0; at < 24; at++) { /* magic, layout and extent; a smaller extent aside */
        memcpy(broken, snapshot, size);
        broken[at] ^= 0x80;
        if (at < 16)
            assert_int_equal(sanwo_stack_restore(two, REGION, broken, size, &copy),
                             -SANWO_ESNAPSHOT);
    }
    /* While frames are out their slices point into the region: no. */
    connect_to(s, 2);
    assert_int_equal(sanwo_stack_transmit(s, &frame, 1, RIG_START), 1);
    size = sanwo_stack_snapshot_size(s);
    broken = realloc(broken, size);
    assert_int_equal(sanwo_stack_snapshot(s, broken, size), -SANWO_EINVAL);
    sanwo_stack_sent(s, &frame, 1);
    assert_int_equal(sanwo_stack_snapshot(s, broken, size), 0);
    free(snapshot);
    free(broken);
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on_as_before),
        cmocka_unit_test(test_handles_stay_valid),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
