/*
 * test_base_buffer.c - Packet buffers: room, references, external bytes, refusal.
 */
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct region *setup_region(void **memory)
{
    *memory = aligned_alloc(4096, 1 << 20);
    memset(*memory, 0xa5, 1 << 20);
    assert_true(sw_region_init(*memory, *memory, 1 << 20, 512, 0));
    return *memory;
}

static void test_room(void **state)
{
    static const struct {
        size_t room;
        uint32_t capacity;
    } rows[] = {
        {0, 256}, {192, 256}, {193, 512}, {1984, 2048}, {1985, 4096}, {65536, 131072},
    };
    void *memory;
    struct region *r = setup_region(&memory);

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct buffer *b = sw_buffer_alloc(r, rows[i].room);
        assert_non_null(b);
        assert_int_equal(b->capacity, rows[i].capacity);
        assert_int_equal(sw_buffer_tailroom(b), rows[i].capacity - 64);
        assert_int_equal(b->length, 0);
        assert_ptr_equal(sw_buffer_at(r, sw_buffer_name(r, b)), b);
        memset(sw_buffer_tail(b), 7, sw_buffer_tailroom(b));
        b->length = sw_buffer_tailroom(b);
        assert_int_equal(sw_buffer_tailroom(b), 0);
        assert_true(sw_buffer_unref(r, b));
        assert_int_equal(r->used, 0);
    }
    assert_null(sw_buffer_alloc(r, 1 << 20));
    assert_null(sw_buffer_alloc(r, SIZE_MAX));
    assert_null(sw_buffer_alloc(r, SIZE_MAX - 64));
    assert_null(sw_buffer_at(r, 0));
    free(memory);
}

/* D-02. */
static void test_references(void **state)
{
    void *memory;
    struct region *r = setup_region(&memory);
    struct buffer *b = sw_buffer_alloc(r, 100);

    (void)state;
    sw_buffer_ref(b);
    sw_buffer_ref(b);
    assert_false(sw_buffer_unref(r, b));
    assert_false(sw_buffer_unref(r, b));
    assert_int_equal(r->used, 256);
    assert_true(sw_buffer_unref(r, b));
    assert_int_equal(r->used, 0);
    free(memory);
}

static void test_external(void **state)
{
    static const uint8_t bytes[] = "not in the region";
    void *memory;
    struct region *r = setup_region(&memory);
    struct buffer *b = sw_buffer_external(r, bytes, sizeof bytes);

    (void)state;
    assert_ptr_equal(sw_buffer_bytes(b), bytes);
    assert_int_equal(b->length, sizeof bytes);
    assert_int_equal(sw_buffer_tailroom(b), 0);
    b->offset += 4;
    b->length -= 4;
    assert_ptr_equal(sw_buffer_bytes(b), bytes + 4);
    r->fault_countdown = 1;
    assert_null(sw_buffer_external(r, bytes, 1));
    r->fault_countdown = 1;
    assert_null(sw_buffer_alloc(r, 1));
    assert_true(sw_buffer_unref(r, b));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_external),
    };
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
