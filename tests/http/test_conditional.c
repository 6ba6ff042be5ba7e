/*
 * test_conditional.c - Preconditions in the order of RFC 9110 13.2.2, and If-Range.
 */
#include "http/conditional.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CHANGED INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW INT64_C(1700000000)
#define AT "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define TAG "\"2ebc98a10000007b-3e8-2a\""

static struct version version(void)
{
    struct version v;

    sw_http_version_init(&v, 1000, CHANGED, 123, 42);
    return v;
}

static void test_tag(void **state)
{
    struct version v = version(), other;

    (void)state;
    assert_string_equal(v.etag, TAG);
    sw_http_version_init(&other, 1000, CHANGED, 124, 42);
    assert_string_not_equal(v.etag, other.etag);
    sw_http_version_init(&other, UINT64_MAX, INT64_MIN, 999999999, UINT64_MAX);
    assert_int_equal(other.etag[strlen(other.etag) - 1], '"');
}

static void test_preconditions(void **state)
{
    static const struct {
        const char *match, *unmodified, *none_match, *modified;
        enum precondition verdict;
    } rows[] = {
        {"", "", "", "", PRECONDITION_HOLDS},
        /* step 1 */
        {TAG, "", "", "", PRECONDITION_HOLDS},
        {"*", "", "", "", PRECONDITION_HOLDS},
        {"\"x\", " TAG, "", "", "", PRECONDITION_HOLDS},
        {"\"x\"", "", "", "", PRECONDITION_FAILED},
        {"W/" TAG, "", "", "", PRECONDITION_FAILED}, /* strong comparison */
        {TAG, BEFORE, "", "", PRECONDITION_HOLDS},   /* If-Match hides If-Unmodified-Since */
        /* step 2 */
        {"", AT, "", "", PRECONDITION_HOLDS},
        {"", AFTER, "", "", PRECONDITION_HOLDS},
        {"", BEFORE, "", "", PRECONDITION_FAILED},
        {"", "never", "", "", PRECONDITION_HOLDS},
        /* step 3 */
        {"", "", TAG, "", PRECONDITION_NOT_MODIFIED},
        {"", "", "W/" TAG, "", PRECONDITION_NOT_MODIFIED}, /* weak comparison */
        {"", "", "*", "", PRECONDITION_NOT_MODIFIED},
        {"", "", "\"x\"", "", PRECONDITION_HOLDS},
        {"", "", "\"x\"", AFTER, PRECONDITION_HOLDS}, /* If-None-Match hides If-Modified-Since */
        /* step 4 */
        {"", "", "", AT, PRECONDITION_NOT_MODIFIED},
        {"", "", "", AFTER, PRECONDITION_NOT_MODIFIED},
        {"", "", "", BEFORE, PRECONDITION_HOLDS},
        {"", "", "", "never", PRECONDITION_HOLDS},
        /* both kinds: 412 comes first */
        {"\"x\"", "", TAG, "", PRECONDITION_FAILED},
        {TAG, "", TAG, "", PRECONDITION_NOT_MODIFIED},
    };
    struct version v = version();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conditions c = {
            .if_match = text_of(rows[i].match),
            .if_unmodified_since = text_of(rows[i].unmodified),
            .if_none_match = text_of(rows[i].none_match),
            .if_modified_since = text_of(rows[i].modified),
        };
        if (sw_http_precondition_check(&c, &v, NOW) != rows[i].verdict)
            fail_msg("row %zu", i);
    }
}

static void test_if_range(void **state)
{
    static const struct {
        const char *field;
        int64_t now;
        bool current;
    } rows[] = {
        {"", NOW, true},          {TAG, NOW, true}, {"W/" TAG, NOW, false},
        {"\"x\"", NOW, false},    {AT, NOW, true},  {BEFORE, NOW, false},
        {AFTER, NOW, false},  /* not "since" but "equal" */
        {AT, CHANGED, false}, /* it may change again within this second */
        {"nonsense", NOW, false},
    };
    struct version v = version();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conditions c = {.if_range = text_of(rows[i].field)};
        if (sw_http_range_is_current(&c, &v, rows[i].now) != rows[i].current)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag),
        cmocka_unit_test(test_preconditions),
        cmocka_unit_test(test_if_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
