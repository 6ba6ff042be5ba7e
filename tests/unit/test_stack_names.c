/*
 * test_stack_names.c - Errors and reasons as text, and what is none of them.
 */
#include "test_tcp_support.h"

#include <limits.h>

static void test_errors(void **state)
{
    (void)state;
    assert_string_equal(sanwo_error_name(0), "OK");
    assert_string_equal(sanwo_error_name(SANWO_ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(sanwo_error_name(-SANWO_ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(sanwo_error_name(SANWO_ESNAPSHOT), "ESNAPSHOT");
    for (int i = 0; i < SANWO_ERROR_COUNT; i++) {
        assert_ptr_equal(sanwo_error_name(i), sanwo_error_name(-i));
        assert_ptr_equal(sanwo_error_text(i), sanwo_error_text(-i));
        assert_true(strlen(sanwo_error_text(i)) > 5);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(sanwo_error_name(i), sanwo_error_name(j));
    }
    const int unknown[] = {SANWO_ERROR_COUNT, -SANWO_ERROR_COUNT, INT_MAX, INT_MIN, INT_MIN + 1};
    for (size_t i = 0; i < SW_COUNT(unknown); i++) {
        assert_string_equal(sanwo_error_name(unknown[i]), "?");
        assert_string_equal(sanwo_error_text(unknown[i]), "unknown error");
    }
}

static void test_reasons(void **state)
{
    (void)state;
    assert_string_equal(sanwo_reason_name(SANWO_REASON_NONE), "NONE");
    assert_string_equal(sanwo_reason_name(SANWO_REASON_PEER_FIN), "PEER_FIN");
    for (unsigned i = 0; i < SANWO_REASON_COUNT; i++) {
        assert_true(strlen(sanwo_reason_name(i)) > 1);
        assert_true(strlen(sanwo_reason_text(i)) > 5);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(sanwo_reason_name(i), sanwo_reason_name(j));
    }
    assert_string_equal(sanwo_reason_name(SANWO_REASON_COUNT), "?");
    assert_string_equal(sanwo_reason_text(UINT_MAX), "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
