/*
 * test_tcp_receive_queue.c - Keeping payload by reference or by copy, and handing it to the user.
 */
#include "test_tcp_support.h"

static uint8_t stream[1 << 18];

/* What a chain holds, and that it is the stream from @at on. */
static uint32_t check_chain(struct rig *r, const struct tcp_chain *chain, uint32_t at)
{
    uint32_t total = 0;
    region_ref last = 0;

    for (region_ref name = chain->head; name;) {
        const struct buffer *b = sw_buffer_at(&r->region, name);
        assert_int_not_equal(b->length, 0);
        rig_check(sw_buffer_bytes(b), at + total, b->length);
        total += b->length;
        last = name;
        name = b->next;
    }
    assert_int_equal(chain->tail, last);
    return total;
}

/* Half of the buffer or more: kept where it landed. Less: copied, and the buffer goes back. */
static void test_by_reference_or_by_copy(void **state)
{
    (void)state;
    const struct {
        uint32_t room, skip, from, length;
        bool reference;
    } rows[] = {
        {1984, 54, 0, 1460, true},   {1984, 54, 0, 1024, true},   {1984, 54, 0, 1023, false},
        {1984, 54, 0, 1, false},     {1984, 0, 0, 1984, true},    {192, 54, 0, 138, true},
        {192, 54, 0, 127, false},    {192, 40, 10, 130, true},    {65472, 54, 0, 1460, false},
        {65472, 54, 9, 40000, true}, {1984, 54, 500, 900, false}, {1984, 54, 400, 1024, true},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        uint64_t before = r->region.used;
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        struct tcp_chain chain = {0, 0};
        struct sanwo_slice slice =
            rig_borrow(r, rows[i].room, rows[i].skip, stream, rows[i].from + rows[i].length);
        seg.slices = &slice;
        seg.slice_count = 1;
        seg.skip = rows[i].skip;
        seg.length = rows[i].from + rows[i].length;
        assert_true(sw_tcp_keep(&r->tcp, &seg, rows[i].from, rows[i].length, &chain));
        assert_int_equal(chain.head == slice.buffer, rows[i].reference);
        rig_return(r, &slice);
        assert_int_equal(check_chain(r, &chain, rows[i].from), rows[i].length);
        sw_tcp_chain_clear(&r->tcp, &chain);
        assert_int_equal(chain.head | chain.tail, 0);
        rig_settled(r, before);
        rig_end(r);
    }
}

/* One buffer can hang in one place only: of two pieces of it, the second is copied. */
static void test_two_pieces_of_one_buffer(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    struct tcp_chain one = {0, 0}, two = {0, 0};
    struct sanwo_slice slice = rig_borrow(r, 4032, 40, stream, 3990);

    seg.slices = &slice;
    seg.slice_count = 1;
    seg.skip = 40;
    seg.length = 3990;
    assert_true(sw_tcp_keep(&r->tcp, &seg, 0, 2100, &one));
    assert_true(sw_tcp_keep(&r->tcp, &seg, 2100, 1890, &two));
    assert_int_equal(one.head, slice.buffer);
    assert_int_not_equal(two.head, slice.buffer);
    rig_return(r, &slice);
    assert_int_equal(check_chain(r, &one, 0), 2100);
    assert_int_equal(check_chain(r, &two, 2100), 1890);
    rig_end(r);
}

/* What follows a borrowed buffer's bytes is not ours to write: the next piece gets its own. */
static void test_nothing_is_appended_to_borrowed(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    struct tcp_chain chain = {0, 0};
    struct sanwo_slice slice = rig_borrow(r, 1984, 54, stream, 1000 + 200);

    seg.slices = &slice;
    seg.slice_count = 1;
    seg.skip = 54;
    seg.length = 1200;
    assert_true(sw_tcp_keep(&r->tcp, &seg, 0, 1100, &chain));
    rig_return(r, &slice); /* it is ours alone now, and yet */
    rig_payload(&seg, &slice, stream + 1100, 100);
    assert_true(sw_tcp_keep(&r->tcp, &seg, 0, 100, &chain));
    assert_int_not_equal(chain.head, chain.tail);
    assert_int_equal(check_chain(r, &chain, 0), 1200);
    rig_end(r);
}

/* Small pieces fill one buffer up; memory stays within twice the bytes and a small block. B-16. */
static void test_small_pieces_share(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    uint64_t before = r->region.used;
    uint32_t total = 0;

    while (total < 100000) {
        struct tcp_segment seg = rig_segment(r, c, 1 + total, TCP_ACK);
        struct sanwo_slice slice = rig_borrow(r, 1984, 54, stream + total, 100);
        seg.slices = &slice;
        seg.slice_count = 1;
        seg.skip = 54;
        seg.length = 100;
        assert_true(sw_tcp_receive_queue_append(&r->tcp, c, &seg, 100));
        rig_return(r, &slice);
        total += 100;
        assert_int_equal(c->receive.queued, total);
        assert_true(r->region.used - before <= 4 * total + 2048);
    }
    struct tcp_chain chain = {c->receive.head, c->receive.tail};
    assert_int_equal(check_chain(r, &chain, 0), total);
    sw_tcp_receive_queue_clear(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
}

/* A payload in many slices, some borrowed, some not, some too small to keep: each fault in turn. */
static void slices_of(struct rig *r, struct sanwo_slice slices[6], struct tcp_segment *seg)
{
    slices[0] = rig_borrow(r, 192, 54, stream, 10);
    slices[1] = rig_borrow(r, 960, 0, stream + 10, 900);
    slices[2] = (struct sanwo_slice){stream + 910, 400, 0};
    slices[3] = rig_borrow(r, 1984, 0, stream + 1310, 300);
    slices[4] = rig_borrow(r, 960, 0, stream + 1610, 950);
    slices[5] = (struct sanwo_slice){stream + 2560, 3000, 0};
    seg->slices = slices;
    seg->slice_count = 6;
    seg->skip = 54;
    seg->length = 5560;
}

static void test_restored_when_memory_fails(void **state)
{
    (void)state;
    for (uint32_t prior = 0; prior <= 150; prior += 75) {
        for (uint64_t nth = 1; nth < 12; nth++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = rig_open(r, 1, 1);
            struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
            struct sanwo_slice slices[6], first;
            if (prior) {
                rig_payload(&seg, &first, stream + (1 << 17) - prior, prior);
                assert_true(sw_tcp_receive_queue_append(&r->tcp, c, &seg, prior));
            }
            slices_of(r, slices, &seg);
            uint64_t used = r->region.used;
            region_ref head = c->receive.head, tail = c->receive.tail;
            r->region.fault_countdown = nth;
            bool kept = sw_tcp_receive_queue_append(&r->tcp, c, &seg, seg.length);
            r->region.fault_countdown = 0;
            if (!kept) {
                assert_int_equal(c->receive.queued, prior);
                assert_int_equal(c->receive.head, head);
                assert_int_equal(c->receive.tail, tail);
                assert_int_equal(r->region.used, used);
                struct tcp_chain chain = {head, tail};
                assert_int_equal(check_chain(r, &chain, (1 << 17) - prior), prior);
                seg.kept = 0; /* the peer sends it again */
                assert_true(sw_tcp_receive_queue_append(&r->tcp, c, &seg, seg.length));
            }
            for (int i = 0; i < 6; i++)
                rig_return(r, &slices[i]);
            assert_int_equal(c->receive.queued, prior + 5560);
            sw_tcp_receive_queue_consume(&r->tcp, c, prior);
            struct tcp_chain chain = {c->receive.head, c->receive.tail};
            assert_int_equal(check_chain(r, &chain, 0), 5560);
            rig_end(r);
        }
    }
}

static void fill(struct rig *r, struct tcp_connection *c, uint32_t at, uint32_t piece)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    struct sanwo_slice slice = rig_borrow(r, piece, 0, stream + at, piece);

    seg.slices = &slice;
    seg.slice_count = 1;
    seg.length = piece;
    assert_true(sw_tcp_receive_queue_append(&r->tcp, c, &seg, piece));
    rig_return(r, &slice);
}

static void test_peek_and_consume(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    uint64_t before = r->region.used;
    struct sanwo_slice slices[8];

    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 8), 0);
    for (uint32_t i = 0; i < 6; i++)
        fill(r, c, i * 192, 192);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 0), 0);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 4), 4);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 8), 6);
    for (uint32_t i = 0, at = 0; i < 6; at += slices[i++].length)
        rig_check(slices[i].bytes, at, slices[i].length);
    sw_tcp_receive_queue_consume(&r->tcp, c, 0);
    sw_tcp_receive_queue_consume(&r->tcp, c, 191);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 8), 6);
    assert_int_equal(slices[0].length, 1);
    sw_tcp_receive_queue_consume(&r->tcp, c, 1);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 8), 5);
    sw_tcp_receive_queue_consume(&r->tcp, c, 193);
    assert_int_equal(sw_tcp_receive_queue_peek(&r->tcp, c, slices, 8), 4);
    rig_check(slices[0].bytes, 385, slices[0].length);
    sw_tcp_receive_queue_consume(&r->tcp, c, c->receive.queued);
    assert_int_equal(c->receive.head | c->receive.tail, 0);
    rig_settled(r, before);
    rig_end(r);
}

/* Appending, reading, peeking, consuming at random: the stream comes out as it went in. */
static void test_against_model(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    struct dice d = dice_of(__func__);
    uint64_t before = r->region.used;
    uint32_t in = 0, out = 0;
    uint8_t bytes[3000];

    for (int step = 0; step < 4000; step++) {
        uint32_t n = 1 + roll(&d, 2000);
        struct sanwo_slice slices[3];
        switch (roll(&d, 4)) {
        case 0:
        case 1:
            if (in + n <= sizeof stream)
                fill(r, c, in, n);
            in += in + n <= sizeof stream ? n : 0;
            break;
        case 2:
            n = (uint32_t)sw_tcp_receive_queue_read(&r->tcp, c, bytes, n);
            rig_check(bytes, out, n);
            out += n;
            break;
        default:
            for (int i = 0, got = sw_tcp_receive_queue_peek(&r->tcp, c, slices, 3); i < got; i++) {
                rig_check(slices[i].bytes, out, slices[i].length);
                sw_tcp_receive_queue_consume(&r->tcp, c, slices[i].length);
                out += slices[i].length;
            }
        }
        assert_int_equal(c->receive.queued, in - out);
    }
    sw_tcp_receive_queue_clear(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
}

static void test_join(void **state)
{
    (void)state;
    for (uint32_t first = 0; first <= 500; first += 500) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        struct tcp_chain chain = {0, 0};
        struct sanwo_slice slice;
        rig_payload(&seg, &slice, stream + first, 700);
        assert_true(sw_tcp_keep(&r->tcp, &seg, 0, 700, &chain));
        if (first)
            fill(r, c, 0, first);
        sw_tcp_receive_queue_join(&r->tcp, c, chain, 700);
        assert_int_equal(c->receive.queued, first + 700);
        fill(r, c, first + 700, 300);
        struct tcp_chain all = {c->receive.head, c->receive.tail};
        assert_int_equal(check_chain(r, &all, 0), first + 1000);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_reference_or_by_copy),
        cmocka_unit_test(test_two_pieces_of_one_buffer),
        cmocka_unit_test(test_nothing_is_appended_to_borrowed),
        cmocka_unit_test(test_small_pieces_share),
        cmocka_unit_test(test_restored_when_memory_fails),
        cmocka_unit_test(test_peek_and_consume),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_join),
    };
    rig_fill(stream, 0, sizeof stream);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
