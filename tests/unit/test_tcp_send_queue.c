/*
 * test_tcp_send_queue.c - The bytes from snd_una on, against an array of bytes.
 *
 *     external memory is the stream itself: the byte at position p is at stream + p
 */
#include "test_tcp_support.h"

#define LONGEST (1u << 20)

static uint8_t stream[LONGEST];

static void make_stream(void)
{
    rig_fill(stream, 0, LONGEST);
}

/* [at, at + length) of the stream, counted from @start, comes out as slices; all references go. */
static uint32_t read_slices(struct rig *r, struct tcp_connection *c, uint32_t start, uint32_t at,
                            uint32_t length)
{
    struct sanwo_frame frame = {.slice_count = 1};
    uint32_t got = sw_tcp_send_queue_slices(&r->tcp, c, tcp_seq_of(start + at), length, &frame);
    uint32_t done = 0;

    for (uint16_t i = 1; i < frame.slice_count; i++) {
        assert_int_not_equal(frame.slices[i].length, 0);
        rig_check(frame.slices[i].bytes, at + done, frame.slices[i].length);
        done += frame.slices[i].length;
    }
    assert_int_equal(done, got);
    sw_tcp_frame_release(&r->tcp, &frame);
    return got;
}

static void acknowledge(struct rig *r, struct tcp_connection *c, uint32_t length)
{
    c->send.snd_una = tcp_seq_add(c->send.snd_una, length);
    sw_tcp_send_queue_acknowledge(&r->tcp, c, length);
}

static void test_append_rows(void **state)
{
    (void)state;
    const uint32_t starts[] = {1, 0xffffffff, 0xfffffff0, 0xffff0000, 0x7fffffff, 0x80000000};
    const uint32_t lengths[] = {1, 2, 191, 192, 193, 1000, 16320, 16321, 65472, 65473, 300000};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t n = 0; n < SW_COUNT(lengths); n++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = rig_open(r, starts[s], 1);
            uint64_t before = r->region.used;
            uint32_t length = lengths[n];
            r->tcp.config.send_buffer = 1 << 20;
            assert_int_equal(sw_tcp_send_queue_append(&r->tcp, c, stream, length), length);
            assert_int_equal(sw_tcp_send_queue_bytes(c), length);
            assert_int_equal(sw_tcp_send_queue_unsent(c), length);
            assert_int_equal(sw_tcp_send_queue_space(&r->tcp, c), (1 << 20) - length);
            for (uint32_t at = 0; at < length;)
                at += read_slices(r, c, starts[s], at, length - at);
            assert_int_equal(read_slices(r, c, starts[s], length - 1, 1), 1);
            acknowledge(r, c, length);
            assert_int_equal(c->send.head | c->send.tail | c->send.next, 0);
            rig_settled(r, before);
            rig_end(r);
        }
    }
}

/* A frame has seventeen slices for payload: what more would need is left for the next one. */
static void test_more_pieces_than_slices(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff8, 1);

    for (uint32_t i = 0; i < 40; i++)
        assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream + i * 3, 3));
    assert_int_equal(read_slices(r, c, 0xfffffff8, 0, 120), 51);
    assert_int_equal(read_slices(r, c, 0xfffffff8, 1, 119), 50);
    assert_int_equal(read_slices(r, c, 0xfffffff8, 100, 20), 20);
    assert_int_equal(read_slices(r, c, 0xfffffff8, 119, 5), 1);
    assert_int_equal(read_slices(r, c, 0xfffffff8, 120, 5), 0);
    rig_end(r);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 100, 1);
    struct sanwo_room room;

    r->region.fault_countdown = 1;
    assert_int_equal(sw_tcp_send_queue_append(&r->tcp, c, stream, 100), 0);
    r->region.fault_countdown = 1;
    assert_false(sw_tcp_send_queue_append_external(&r->tcp, c, stream, 100));
    r->region.fault_countdown = 1;
    assert_int_equal(sw_tcp_send_queue_reserve(&r->tcp, c, 100, &room), 0);
    assert_int_equal(sw_tcp_send_queue_bytes(c), 0);
    /* A large block refused: a smaller one does. Then the budget ends: what fitted stays. */
    r->region.fault_countdown = 1;
    assert_int_equal(sw_tcp_send_queue_append(&r->tcp, c, stream, 60000), 60000);
    r->region.budget = r->region.used + 100000;
    uint32_t done = sw_tcp_send_queue_append(&r->tcp, c, stream + 60000, 150000);
    assert_in_range(done, 65472, 100000 + 65472);
    for (uint32_t at = 0; at < 60000 + done;)
        at += read_slices(r, c, 100, at, 60000 + done - at);
    assert_int_equal(sw_tcp_send_queue_bytes(c), 60000 + done);
    rig_end(r);
}

/* An acknowledgement while the user fills the room at the tail never takes that room away. */
static void test_reserve_while_acknowledged(void **state)
{
    (void)state;
    const struct {
        uint32_t queued, acked, committed;
    } rows[] = {{0, 0, 50},    {0, 0, 0},         {100, 0, 50},     {100, 60, 50}, {100, 100, 50},
                {100, 100, 0}, {100, 60, 0},      {1000, 1000, 7},  {192, 192, 5}, {192, 192, 0},
                {192, 100, 9}, {70000, 70000, 3}, {70000, 66000, 0}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffc0, 1);
        uint64_t before = r->region.used;
        struct sanwo_room room;
        uint32_t queued = rows[i].queued, committed = rows[i].committed;
        sw_tcp_send_queue_append(&r->tcp, c, stream, queued);
        uint32_t got = sw_tcp_send_queue_reserve(&r->tcp, c, 100, &room);
        assert_in_range(got, 1, 100);
        assert_int_equal(room.length, got);
        committed = committed < got ? committed : got;
        memcpy(room.bytes, stream + queued, committed);
        acknowledge(r, c, rows[i].acked);
        sw_tcp_send_queue_commit(&r->tcp, c, committed);
        assert_int_equal(sw_tcp_send_queue_bytes(c), queued - rows[i].acked + committed);
        sw_tcp_send_queue_append(&r->tcp, c, stream + queued + committed, 10);
        uint32_t end = queued + committed + 10;
        for (uint32_t at = rows[i].acked; at < end;)
            at += read_slices(r, c, 0xffffffc0, at, end - at);
        acknowledge(r, c, end - rows[i].acked);
        sw_tcp_send_queue_clear(&r->tcp, c);
        rig_settled(r, before);
        rig_end(r);
    }
}

/* snd_nxt's buffer is remembered; a slice call that led to nothing must not leave it behind. */
static void test_slices_that_were_not_sent(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffffff, 1);

    for (uint32_t i = 0; i < 5; i++)
        assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream + i * 100, 100));
    assert_int_equal(read_slices(r, c, 0xffffffff, 0, 450), 450);
    assert_int_equal(read_slices(r, c, 0xffffffff, 0, 50), 50); /* snd_nxt is still there */
    assert_int_equal(read_slices(r, c, 0xffffffff, 0, 450), 450);
    rig_end(r);
}

static void test_space_and_fin(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);

    r->tcp.config.send_buffer = 1024;
    assert_int_equal(sw_tcp_send_queue_space(&r->tcp, c), 1024);
    sw_tcp_send_queue_append(&r->tcp, c, stream, 1000);
    assert_int_equal(sw_tcp_send_queue_space(&r->tcp, c), 24);
    r->tcp.config.send_buffer = 500; /* lowered below what is queued */
    assert_int_equal(sw_tcp_send_queue_space(&r->tcp, c), 0);
    c->fin_queued = c->fin_sent = 1;
    c->send.snd_nxt = tcp_seq_add(c->send.snd_end, 1);
    assert_int_equal(sw_tcp_send_queue_unsent(c), 0);
    assert_int_equal(sw_tcp_send_queue_bytes(c), 1000);
    acknowledge(r, c, 1000);
    c->send.snd_una = c->send.snd_nxt;
    c->fin_acked = 1;
    assert_int_equal(sw_tcp_send_queue_bytes(c), 0);
    assert_int_equal(sw_tcp_send_queue_space(&r->tcp, c), 0);
    rig_end(r);
}

/* ---- send_ref: who is told, and when ----------------------------------------------------- */

static void hold(struct rig *r, region_ref name)
{
    sw_buffer_ref(sw_buffer_at(&r->region, name));
}

static void let_go(struct rig *r, region_ref name)
{
    sw_tcp_buffer_release(&r->tcp, sw_buffer_at(&r->region, name));
}

/* Frames may outlive the acknowledgement, in any order: calls count as released in order only. */
static void test_released_in_order(void **state)
{
    (void)state;
    for (uint32_t made_before = 0; made_before < 2; made_before++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffff, 1);
        const uint32_t order[] = {3, 1, 0, 5, 4, 2};
        const uint32_t released[] = {0, 0, 2, 2, 2, 6};
        uint32_t base = made_before ? UINT32_MAX - 2 : 0; /* the counter wraps, too */
        region_ref names[6];
        c->references_made = c->references_released = base;
        for (uint32_t i = 0; i < 6; i++) {
            assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream + i * 10, 10));
            names[i] = c->send.tail;
            hold(r, names[i]);
        }
        acknowledge(r, c, 60);
        assert_int_equal(c->references_released - base, 0);
        for (uint32_t i = 0; i < 6; i++) {
            c->events = 0;
            let_go(r, names[order[i]]);
            assert_int_equal(c->references_released - base, released[i]);
            assert_int_equal(c->events & SANWO_EVENT_RELEASED, SANWO_EVENT_RELEASED);
        }
        assert_int_equal(c->released_ahead, 0);
        rig_end(r);
    }
}

/* As many as may be out: sixty-four, given back last first. */
static void test_sixty_four_backwards(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    region_ref names[64];

    for (uint32_t i = 0; i < 64; i++) {
        assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream + i, 1));
        names[i] = c->send.tail;
        hold(r, names[i]);
    }
    acknowledge(r, c, 64);
    for (uint32_t i = 64; i-- > 1;) {
        let_go(r, names[i]);
        assert_int_equal(c->references_released, 0);
    }
    let_go(r, names[0]);
    assert_int_equal(c->references_released, 64);
    rig_end(r);
}

/* A reference that comes back after the connection's slot got a new owner tells nobody. */
static void test_release_after_the_end(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream, 10));
    region_ref name = c->send.tail;
    hold(r, name);
    rig_discard(r, c);
    struct tcp_connection *next = rig_open(r, 1, 1);
    assert_int_equal(next->item.index, c->item.index);
    let_go(r, name);
    assert_int_equal(next->references_released, 0);
    assert_int_equal(next->events, 0);
    rig_end(r);
}

/* ---- against a model --------------------------------------------------------------------- */

static void random_append(struct rig *r, struct tcp_connection *c, struct dice *d, uint32_t end)
{
    uint32_t length = 1 + roll(d, roll(d, 4) ? 300 : 20000);
    struct sanwo_room room;

    if (end + length > LONGEST || length > sw_tcp_send_queue_space(&r->tcp, c))
        return;
    switch (roll(d, 3)) {
    case 0:
        assert_int_equal(sw_tcp_send_queue_append(&r->tcp, c, stream + end, length), length);
        break;
    case 1:
        assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, stream + end, length));
        break;
    default:
        length = sw_tcp_send_queue_reserve(&r->tcp, c, length, &room);
        length = roll(d, length + 1);
        memcpy(room.bytes, stream + end, length);
        sw_tcp_send_queue_commit(&r->tcp, c, length);
    }
}

static void test_against_model(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    const uint32_t start = 0xfffe0000;
    struct tcp_connection *c = rig_open(r, start, 1);
    uint64_t before = r->region.used;

    r->tcp.config.send_buffer = 100000;
    for (int step = 0; step < 4000; step++) {
        uint32_t una = c->send.snd_una.raw - start, nxt = c->send.snd_nxt.raw - start;
        uint32_t end = c->send.snd_end.raw - start;
        switch (roll(&d, 4)) {
        case 0:
            random_append(r, c, &d, end);
            break;
        case 1: /* sends */
            if (end > nxt) {
                uint32_t got = read_slices(r, c, start, nxt, 1 + roll(&d, 3000));
                assert_true(got > 0);
                c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, got);
            }
            break;
        case 2: /* sends again */
            if (nxt > una) {
                uint32_t at = una + roll(&d, nxt - una);
                uint32_t wanted = 1 + roll(&d, 3000), left = end - at;
                uint32_t got = read_slices(r, c, start, at, wanted);
                assert_true(got > 0 && got <= (wanted < left ? wanted : left));
            }
            break;
        default: /* acknowledges */
            if (nxt > una)
                acknowledge(r, c, 1 + roll(&d, nxt - una));
        }
        assert_int_equal(sw_tcp_send_queue_bytes(c), c->send.snd_end.raw - c->send.snd_una.raw);
    }
    assert_true(c->send.snd_una.raw < start); /* wrapped */
    sw_tcp_send_queue_clear(&r->tcp, c);
    assert_int_equal(c->references_made, c->references_released);
    rig_settled(r, before);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_rows),
        cmocka_unit_test(test_more_pieces_than_slices),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_reserve_while_acknowledged),
        cmocka_unit_test(test_slices_that_were_not_sent),
        cmocka_unit_test(test_space_and_fin),
        cmocka_unit_test(test_released_in_order),
        cmocka_unit_test(test_sixty_four_backwards),
        cmocka_unit_test(test_release_after_the_end),
        cmocka_unit_test(test_against_model),
    };
    make_stream();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
