/*
 * run_script.c - One world for all scripts of a test program.
 */
#include "run_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void check_script(const char *profile, const struct script_row *row, size_t number)
{
    static const char *const words[] = {"passed", "failed", "skipped"};
    static struct drill_world world;
    const struct drill_settings settings = {.profile = profile};
    struct drill_result result;

    if (!world.region)
        assert_true(sw_drill_world_init(&world));
    sw_drill_run_text("script", row->text, strlen(row->text), &settings, &world, NULL, &result);
    if (result.verdict != row->verdict || result.line != row->line ||
        (row->message && !strstr(result.message, row->message)))
        fail_msg("row %zu: %s at line %u: %s; must be %s at line %u: %s\n%s\n%s", number,
                 words[result.verdict], result.line, result.message, words[row->verdict], row->line,
                 row->message ? row->message : "", row->text, result.detail);
    sw_drill_result_free(&result);
}

void check_scripts(const char *profile, const struct script_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_script(profile, &rows[i], i);
}
