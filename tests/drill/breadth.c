/*
 * breadth.c - Builds a script around a line, and runs it.
 */
#include "breadth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "python.h"
#include "run_script.h"

#define SOCKET "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

static void make_script(const struct breadth_row *row, char *out, size_t size)
{
    switch (row->place) {
    case HEAD:
        snprintf(out, size, "%s\n" SOCKET, row->text);
        break;
    case FIRST:
        snprintf(out, size, SOCKET "+0 %s\n", row->text);
        break;
    case CALL:
        snprintf(out, size, ACCEPTED "+0 %s\n", row->text);
        break;
    case CODE:
        snprintf(out, size, ACCEPTED "+0 %%{ %s }%%\n", row->text);
        break;
    default:
        snprintf(out, size, ACCEPTED "%s\n", row->text);
    }
}

static bool is_right(const struct breadth_row *row, const struct drill_result *result)
{
    if (result->verdict == DRILL_SKIPPED && strstr(result->message, "python3 is not installed"))
        return row->place == CODE;
    if (!row->skipped)
        return result->verdict == DRILL_PASSED;
    return result->verdict == DRILL_SKIPPED && strstr(result->message, row->skipped);
}

void check_breadth(const char *profile, const struct breadth_row *rows, size_t count)
{
    static const char *const words[] = {"passed", "failed", "skipped"};
    const struct drill_settings settings = {.profile = profile};
    struct drill_python *python = sw_drill_python_new();
    struct drill_world world;
    unsigned wrong = 0;

    assert_non_null(python);
    assert_true(sw_drill_world_init(&world));
    for (size_t i = 0; i < count; i++) {
        struct drill_result result;
        char script[4096];

        make_script(&rows[i], script, sizeof script);
        sw_drill_run_text("script", script, strlen(script), &settings, &world, python, &result);
        if (!is_right(&rows[i], &result)) {
            wrong++;
            print_error("%s\n    %s: %s; must be %s %s\n", rows[i].text, words[result.verdict],
                        result.message, rows[i].skipped ? "skipped:" : "passed",
                        rows[i].skipped ? rows[i].skipped : "");
        }
        sw_drill_result_free(&result);
    }
    sw_drill_world_free(&world);
    sw_drill_python_free(python);
    assert_int_equal(wrong, 0);
}
