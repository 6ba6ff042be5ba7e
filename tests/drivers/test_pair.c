/*
 * test_pair.c - The pair: order, references, when frames are given back, a full queue, ends that go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spy.h"

enum { MTU = 1500, QUEUE = 8 };

struct fixture {
    struct sanwo_driver *a, *b;
    struct spy from_a, from_b;
    uint8_t bytes[64][4];
    struct sanwo_frame frames[64], got[64];
};

static int setup(void **state)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    assert_int_equal(sanwo_pair_create(MTU, SANWO_OFFLOAD_CHECKSUM, QUEUE, &f.a, &f.b), 0);
    spy_on(&f.from_a, f.a);
    spy_on(&f.from_b, f.b);
    for (unsigned i = 0; i < 64; i++) {
        f.bytes[i][0] = (uint8_t)i;
        f.frames[i] = spy_frame(f.bytes[i], sizeof(f.bytes[i]));
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sanwo_driver_destroy(f->a);
    sanwo_driver_destroy(f->b);
    return 0;
}

static void test_links(void **state)
{
    struct fixture *f = *state;
    struct sanwo_driver *x, *y;

    assert_int_equal(f->a->link.kind, SANWO_LINK_IP);
    assert_int_equal(f->a->link.mtu, MTU);
    assert_int_equal(f->b->link.offload, SANWO_OFFLOAD_CHECKSUM);
    assert_int_equal(f->a->ops->descriptor(f->a), -1);
    assert_int_equal(sanwo_pair_create(67, 0, 0, &x, &y), -SANWO_EINVAL);
    assert_int_equal(sanwo_pair_create(1500, 8, 0, &x, &y), -SANWO_EINVAL);
}

/* In order, by reference, and given back only when the receiver comes again. */
static void test_order_and_references(void **state)
{
    struct fixture *f = *state;

    f->b->number = 5;
    assert_int_equal(spy_deadline(f->b), SANWO_TIME_NEVER);
    assert_int_equal(spy_transmit(f->a, f->frames, 3, 1), 3);
    assert_int_equal(spy_deadline(f->b), 0);
    assert_int_equal(spy_receive(f->b, f->got, 2, 77), 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_ptr_equal(f->got[i].slices[0].bytes, f->bytes[i]);
        assert_int_equal(f->got[i].slices[0].buffer, 0);
        assert_int_equal(f->got[i].link, 5);
        assert_int_equal(f->got[i].arrival, 77);
    }
    assert_int_equal(f->from_a.sent, 0);
    assert_int_equal(spy_receive(f->b, f->got, 2, 78), 1);
    assert_ptr_equal(f->got[0].slices[0].bytes, f->bytes[2]);
    assert_int_equal(f->from_a.sent, 2);
    assert_int_equal(spy_deadline(f->b), 0);
    assert_int_equal(spy_receive(f->b, f->got, 2, 79), 0);
    assert_int_equal(f->from_a.sent, 3);
    assert_int_equal(f->from_b.sent, 0);
    assert_int_equal(spy_deadline(f->b), SANWO_TIME_NEVER);
}

/* Many times around the ring, with batches that do not divide it. */
static void test_wrap_around(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0, received = 0;

    for (unsigned round = 0; round < 100; round++) {
        unsigned batch = 1 + round % 5;
        int n;

        for (unsigned i = 0; i < batch; i++)
            sent += (unsigned)spy_transmit(f->a, &f->frames[sent % 64], 1, round);
        n = spy_receive(f->b, f->got, 3, round);
        for (int i = 0; i < n; i++)
            assert_int_equal(f->got[i].slices[0].bytes[0], received++ % 64);
    }
    assert_true(sent > 200);
    assert_true(received <= sent && sent - received <= QUEUE);
}

static void test_full_queue(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(spy_transmit(f->a, f->frames, 12, 0), QUEUE);
    assert_true(f->a->blocked);
    assert_int_equal(spy_transmit(f->a, f->frames + QUEUE, 4, 0), 0);
    assert_int_equal(spy_deadline(f->a), SANWO_TIME_NEVER);
    assert_int_equal(spy_receive(f->b, f->got, 2, 0), 2);
    assert_int_equal(spy_transmit(f->a, f->frames + QUEUE, 4, 0), 0); /* still being looked at */
    assert_int_equal(spy_receive(f->b, f->got, 2, 0), 2);
    assert_int_equal(spy_deadline(f->a), 0); /* there is room again */
    assert_int_equal(spy_transmit(f->a, f->frames + QUEUE, 4, 0), 2);
    assert_true(f->a->blocked);
    assert_int_equal(spy_receive(f->b, f->got, 64, 0), 6);
    assert_int_equal(f->got[5].slices[0].bytes[0], 9);
    assert_int_equal(spy_receive(f->b, f->got, 64, 0), 0);
    assert_int_equal(spy_transmit(f->a, f->frames, 1, 0), 1);
    assert_false(f->a->blocked);
}

static void test_offload_fields_pass(void **state)
{
    struct fixture *f = *state;
    struct sanwo_frame *sent = &f->frames[0], *got = &f->got[0];

    sent->checksum = SANWO_CHECKSUM_PARTIAL;
    sent->checksum_start = 20;
    sent->checksum_offset = 16;
    sent->segmentation = SANWO_SEGMENT_TCP_IPV4;
    sent->segment_size = 1460;
    sent->header_length = 40;
    sent->slice_count = 2;
    sent->slices[1] = (struct sanwo_slice){f->bytes[9], 60000, 123};
    sent->length = 60004;
    assert_int_equal(spy_transmit(f->a, sent, 1, 0), 1);
    assert_int_equal(spy_receive(f->b, got, 1, 0), 1);
    assert_int_equal(got->checksum, SANWO_CHECKSUM_PARTIAL);
    assert_int_equal(got->checksum_start, 20);
    assert_int_equal(got->checksum_offset, 16);
    assert_int_equal(got->segmentation, SANWO_SEGMENT_TCP_IPV4);
    assert_int_equal(got->segment_size, 1460);
    assert_int_equal(got->header_length, 40);
    assert_int_equal(got->length, 60004);
    assert_int_equal(got->slice_count, 2);
    assert_ptr_equal(got->slices[1].bytes, f->bytes[9]);
    assert_int_equal(got->slices[1].buffer, 0);
}

static void test_longer_than_mtu_is_lost(void **state)
{
    struct fixture *f = *state;

    f->frames[1].length = MTU + 1;
    f->frames[2].length = MTU;
    f->frames[3].segmentation = SANWO_SEGMENT_TCP_IPV6;
    f->frames[3].segment_size = MTU - 59;
    f->frames[3].header_length = 60;
    assert_int_equal(spy_transmit(f->a, f->frames, 5, 0), 5);
    assert_int_equal(f->from_a.sent, 2);
    assert_int_equal(spy_receive(f->b, f->got, 64, 0), 3);
    assert_int_equal(f->got[1].slices[0].bytes[0], 2);
    assert_int_equal(f->got[2].slices[0].bytes[0], 4);
}

/* Whoever goes first: each frame is given back once, and the other end lives on. */
static void test_sender_goes(void **state)
{
    struct fixture *f = *state;

    spy_transmit(f->a, f->frames, 5, 0);
    spy_transmit(f->b, f->frames, 3, 0);
    spy_receive(f->b, f->got, 2, 0);
    sanwo_driver_destroy(f->a);
    f->a = NULL;
    assert_int_equal(f->from_a.sent, 5);
    assert_int_equal(f->from_b.sent, 3);
    assert_int_equal(spy_receive(f->b, f->got, 64, 0), 0);
    assert_int_equal(spy_transmit(f->b, f->frames, 2, 0), 2);
    assert_int_equal(f->from_b.sent, 5);
    assert_int_equal(spy_deadline(f->b), SANWO_TIME_NEVER);
}

static void test_receiver_goes(void **state)
{
    struct fixture *f = *state;

    spy_transmit(f->a, f->frames, QUEUE + 1, 0);
    spy_receive(f->b, f->got, 2, 0);
    sanwo_driver_destroy(f->b);
    f->b = NULL;
    assert_int_equal(f->from_a.sent, QUEUE);
    assert_int_equal(spy_transmit(f->a, f->frames, 64, 0), 64);
    assert_false(f->a->blocked);
    assert_int_equal(f->from_a.sent, QUEUE + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order_and_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrap_around, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_offload_fields_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longer_than_mtu_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receiver_goes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
