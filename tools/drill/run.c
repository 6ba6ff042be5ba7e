/*
 * run.c - One script from its text to its verdict.
 *
 *     text -> tree -> options -> shell line -> stack -> events -> code -> verdict
 */
#define _GNU_SOURCE
#include "run.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "code.h"
#include "event.h"
#include "shell.h"

#define DRILL_DEFINES 32
#define MOST_SCRIPT (16u << 20) /* bytes of a file */

/* ---- texts and verdicts ------------------------------------------------------------------------- */

void sw_drill_append(struct drill_buffer *t, const char *format, ...)
{
    va_list list;
    int n;

    for (;;) {
        size_t room = t->size - t->length;

        va_start(list, format);
        n = vsnprintf(t->text ? t->text + t->length : NULL, room, format, list);
        va_end(list);
        if (n < 0 || (size_t)n < room)
            break;
        size_t larger = (t->size ? t->size * 2 : 1024) + (size_t)n;
        char *grown = realloc(t->text, larger);
        if (!grown)
            return;
        t->text = grown;
        t->size = larger;
    }
    t->length += n > 0 ? (size_t)n : 0;
}

void sw_drill_append_free(struct drill_buffer *t)
{
    free(t->text);
    *t = (struct drill_buffer){0};
}

static void decide(struct drill_run *run, enum drill_verdict verdict, unsigned line,
                   const char *format, va_list list)
{
    if (run->decided)
        return;
    run->decided = true;
    run->verdict = verdict;
    run->line = line;
    vsnprintf(run->message, sizeof run->message, format, list);
}

void sw_drill_fail(struct drill_run *run, unsigned line, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    decide(run, DRILL_FAILED, line, format, list);
    va_end(list);
}

void sw_drill_skip(struct drill_run *run, unsigned line, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    decide(run, DRILL_SKIPPED, line, format, list);
    va_end(list);
}

static double seconds(sanwo_time t)
{
    return (double)t / 1e9;
}

/* ---- before and after ------------------------------------------------------------------------------------ */

/* DIR/tests_close_fin.pkt.pcapng: one file a script, whatever folder the script is in. */
static void recording_path(const struct drill_run *run, char *out, size_t size)
{
    size_t folder = strlen(run->settings->pcap) + 1;

    snprintf(out, size, "%s/%s.pcapng", run->settings->pcap,
             run->script->path + strspn(run->script->path, "./"));
    for (size_t i = folder; i < size && out[i]; i++)
        if (out[i] == '/')
            out[i] = '_';
}

bool sw_drill_begin(struct drill_run *run)
{
    const struct drill_conditions *c = &run->conditions;
    struct drill_world_config config = {
        .mtu = c->mtu, .local = c->local, .prefix_length = c->prefix_length, .tcp = run->tcp};
    char message[DRILL_MESSAGE], path[4096];

    if (run->begun || run->decided)
        return !run->decided;
    if (run->settings->pcap) {
        recording_path(run, path, sizeof path);
        config.pcap = path;
    }
    run->begun = true;
    if (!sw_drill_world_begin(run->world, &config, message, sizeof message)) {
        sw_drill_fail(run, 0, "%s", message);
        return false;
    }
    run->world->sleepers = (struct drill_sleepers){sw_drill_call_resume, sw_drill_call_deadline,
                                                   sw_drill_call_event, run};
    sw_drill_wire_init(&run->wire);
    run->wire.family = c->wire_family;
    run->wire.local = (struct sanwo_endpoint){c->local, c->bind_port};
    run->wire.remote = (struct sanwo_endpoint){c->remote, c->connect_port};
    run->wire.tolerance = c->tolerance;
    run->wire.ts_tick = c->ts_tick;
    run->wire.any_ecr = !strcmp(c->profile.name, "linux");
    run->wire.zero_payload = true;
    return true;
}

static void trace_happening(void *context, const struct sanwo_observation *what)
{
    struct drill_run *run = context;
    char line[512];

    sw_drill_describe(run, what, what->options, line, sizeof line);
    sw_drill_append(&run->trace, "%11.6f  %s\n", seconds(what->now), line);
}

/* All options, in the order that lets the command line prevail. */
static bool take_options(struct drill_run *run)
{
    for (size_t i = 0; i < run->script->option_count; i++)
        if (!sw_drill_take_option(run, &run->script->options[i]))
            return false;
    run->conditions.script_is_done = true;
    for (size_t i = 0; i < run->settings->option_count; i++)
        if (!sw_drill_take_option(run, &run->settings->options[i]))
            return false;
    return sw_drill_conditions_finish(run);
}

static void perform(struct drill_run *run)
{
    if (!take_options(run))
        return;
    if (run->script->initial_shell)
        sw_drill_shell(run, run->script->initial_shell_line, run->script->initial_shell);
    if (!sw_drill_begin(run))
        return;
    run->world->trace = run->settings->verbose ? trace_happening : NULL;
    run->world->trace_context = run;
    sw_drill_play(run);
    sw_drill_await_calls(run);
    sw_drill_check_leftovers(run);
    sw_drill_code_execute(run);
}

/* ---- results --------------------------------------------------------------------------------------------- */

void sw_drill_result_free(struct drill_result *result)
{
    free(result->message);
    free(result->detail);
    *result = (struct drill_result){0};
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text ? text : "");

    return copy ? copy : calloc(1, 1);
}

/* Passes over @start if @text begins with it. */
static bool pass_over(const char **text, const char *start)
{
    size_t length = strlen(start);

    if (strncmp(*text, start, length))
        return false;
    *text += length;
    return true;
}

/* "unsupported: path:12: SCTP packets" as verdict, line and message. */
static void take_parse_error(const char *path, const char *message, struct drill_result *out)
{
    char *end;

    out->verdict = pass_over(&message, "unsupported: ") ? DRILL_SKIPPED : DRILL_FAILED;
    if (pass_over(&message, path) && pass_over(&message, ":")) {
        out->line = (unsigned)strtoul(message, &end, 10);
        message = end;
        pass_over(&message, ": ");
    }
    if (pass_over(&message, "unsupported: "))
        out->verdict = DRILL_SKIPPED;
    out->message = copy_of(message);
    out->detail = copy_of("");
}

bool sw_drill_congestion(struct drill_run *run, const char *name, uint8_t *algorithm)
{
    static const struct {
        const char *name;
        uint8_t algorithm;
    } ours[] = {{"reno", SANWO_CONGESTION_NEWRENO}, {"newreno", SANWO_CONGESTION_NEWRENO},
                {"cubic", SANWO_CONGESTION_CUBIC},  {"bbr", SANWO_CONGESTION_BBR},
                {"bbr2", SANWO_CONGESTION_BBR},     {"bbr3", SANWO_CONGESTION_BBR},
                {"dctcp", SANWO_CONGESTION_DCTCP}};
    static const char *const names[] = {"htcp", "vegas", "westwood",  "cdg",   "chd", "hd",
                                        "bic",  "yeah",  "illinois",  "hybla", "lp",  "scalable",
                                        "veno", "nv",    "highspeed", "prague"};

    run->congestion[0] = 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!strcmp(name, ours[i].name)) {
            *algorithm = ours[i].algorithm;
            return true;
        }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strcmp(names[i], name))
            snprintf(run->congestion, sizeof run->congestion, "%s", name);
    return run->congestion[0] != 0;
}

/*
 * Algorithms begin alike: while ten segments were not exceeded, nothing was lost and nobody looks at
 * the window, a failure is one with any of them. BBR paces, which shows from the first flight on.
 */
static bool congestion_shows(const struct drill_run *run)
{
    const unsigned flight = 10;

    if (!run->congestion[0])
        return false;
    for (size_t i = 0; i < run->script->event_count; i++) {
        const struct drill_event *e = &run->script->events[i];

        if (e->kind == DRILL_EVENT_CODE && e->text &&
            (strstr(e->text, "_cwnd") || strstr(e->text, "ssthresh")))
            return true;
    }
    for (size_t i = 0; run->begun && i < run->world->peer_count; i++)
        if (run->world->peers[i].data_segments_out > flight)
            return true;
    return false;
}

static void finish(struct drill_run *run, struct drill_result *out)
{
    if (run->decided && run->verdict == DRILL_FAILED && congestion_shows(run)) {
        run->verdict = DRILL_SKIPPED;
        snprintf(run->message, sizeof run->message, "congestion control %s is not there",
                 run->congestion);
    }
    if (run->decided && run->verdict == DRILL_FAILED && !run->detail.length && run->begun &&
        run->world->stack)
        sw_drill_explain(run);
    out->verdict = run->decided ? run->verdict : DRILL_PASSED;
    out->line = run->line;
    out->message = copy_of(run->decided ? run->message : "");
    sw_drill_append(&run->trace, "%s", run->detail.text ? run->detail.text : "");
    out->detail = copy_of(run->trace.text);
    if (run->begun) {
        sw_drill_world_end(run->world);
        sw_drill_wire_free(&run->wire);
    }
    run->world->sleepers = (struct drill_sleepers){0};
    run->world->trace = NULL;
    sw_drill_append_free(&run->code);
    sw_drill_append_free(&run->trace);
    sw_drill_append_free(&run->detail);
}

/* The names of the settings, and PROFILE_LINUX or the like, so that a script can tell. */
static struct drill_script *parse(const struct drill_run *run, const char *path, const char *text,
                                  size_t length, char *message, size_t message_size)
{
    struct drill_define defines[DRILL_DEFINES];
    size_t n = 0;
    char name[64] = "PROFILE_";

    for (size_t i = 0; i < run->settings->define_count && n + 1 < DRILL_DEFINES; i++)
        defines[n++] = run->settings->defines[i];
    snprintf(name + strlen(name), sizeof name - strlen(name), "%s", run->conditions.profile.name);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    defines[n++] = (struct drill_define){name, "1"};
    return sw_drill_parse(path, text, length, defines, n, message, message_size);
}

void sw_drill_run_text(const char *path, const char *text, size_t length,
                       const struct drill_settings *settings, struct drill_world *world,
                       struct drill_python *python, struct drill_result *result)
{
    char message[DRILL_MESSAGE] = "";
    sanwo_time begun = sanwo_time_now();
    const char *name = settings->profile;
    struct sw_profile profile;
    struct drill_run *run;

    *result = (struct drill_result){0};
    if (!name || !strcmp(name, "auto"))
        name = sw_profile_guess(text, length);
    run = calloc(1, sizeof *run);
    if (!run || !sw_profile_find(name, &profile)) {
        free(run);
        result->verdict = DRILL_FAILED;
        result->message = copy_of("no memory, or no such profile");
        result->detail = copy_of("");
        return;
    }
    *run = (struct drill_run){
        .settings = settings, .world = world, .python = python, .under_test = -1};
    sw_drill_conditions_default(run, &profile);
    run->script = parse(run, path, text, length, message, sizeof message);
    if (!run->script) {
        take_parse_error(path, message, result);
    } else {
        if (!settings->dry_run)
            perform(run);
        finish(run, result);
        sw_drill_script_free(run->script);
    }
    free(run);
    result->took = sanwo_time_now() - begun;
}

/* The whole file; NULL with errno. */
static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    struct drill_buffer text = {0};
    char chunk[16384];
    size_t n;

    if (!file)
        return NULL;
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0 && text.length < MOST_SCRIPT) {
        if (text.size - text.length <= n) {
            char *grown = realloc(text.text, text.size * 2 + n + 1);
            if (!grown)
                break;
            text.text = grown;
            text.size = text.size * 2 + n + 1;
        }
        memcpy(text.text + text.length, chunk, n);
        text.length += n;
    }
    if (ferror(file)) {
        free(text.text);
        text.text = NULL;
    }
    fclose(file);
    *length = text.length;
    if (!text.text && !text.length)
        return calloc(1, 1);
    return text.text;
}

void sw_drill_run_file(const char *path, const struct drill_settings *settings,
                       struct drill_world *world, struct drill_python *python,
                       struct drill_result *result)
{
    size_t length = 0;
    char *text = read_file(path, &length);
    char message[256];

    if (!text) {
        snprintf(message, sizeof message, "the file cannot be read: %s", strerror(errno));
        *result = (struct drill_result){
            .verdict = DRILL_FAILED, .message = copy_of(message), .detail = copy_of("")};
        return;
    }
    sw_drill_run_text(path, text, length, settings, world, python, result);
    free(text);
}
