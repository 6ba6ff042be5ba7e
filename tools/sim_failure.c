/*
 * sim_failure.c - One world: replayed, made smaller, captured, drawn as a ladder.
 *
 *     failing world --> leave out kinds of fault, each try in a process --> smallest set
 *                   --> run with capture                --> world-K.pcapng
 *                   --> run again, observing the talk   --> world-K.ladder.txt
 */
#define _GNU_SOURCE
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sanwo/trace.h>

enum { PATIENCE = 120 }; /* seconds that a try may take */

struct replay {
    const struct sim_options *options;
    uint64_t world, faults;
    const char *pcap;
    FILE *description;
    struct sanwo_trace *trace;
    int port; /* of the talk whose ladder is wanted */
};

/* ---- observing ------------------------------------------------------------------------------- */

static void follow(void *context, unsigned side, const struct sanwo_observation *what)
{
    const struct replay *r = context;
    char line[256];

    if (r->options->trace) {
        sanwo_trace_format_line(what, line, sizeof(line));
        printf("%c %s\n", 'A' + (int)side, line);
    }
    if (r->trace != NULL && (what->local.port == r->port || what->remote.port == r->port))
        sanwo_trace_observe(r->trace, side, what);
}

static void run_once(struct replay *r, struct sim_result *result)
{
    struct sim_wish wish = {.pcap = r->pcap, .description = r->description, .context = r};
    struct sim_draw d;

    if (r->trace != NULL || r->options->trace)
        wish.on_observation = follow;
    sim_draw(&d, r->options->seed, r->world, r->faults);
    sim_run(&d, &wish, result);
}

static void write_file(void *context, const char *bytes, size_t length)
{
    fwrite(bytes, 1, length, context);
}

/* Runs the world once more for the talk's ladder. 0 or an exit status. */
static int draw_ladder(struct replay *r, int port, const char *path)
{
    struct sanwo_trace_writer writer = {.write = write_file};
    struct sim_options quiet = *r->options;
    struct replay again = {.options = &quiet, .world = r->world, .faults = r->faults, .port = port};
    struct sim_result result;
    FILE *file = fopen(path, "w");
    int error;

    if (file == NULL)
        return sw_complain("sim", STATUS_WRITE, "%s: %s", path, strerror(errno));
    quiet.trace = false;
    writer.context = file;
    error = sanwo_trace_create(&again.trace);
    if (error == 0) {
        run_once(&again, &result);
        sanwo_trace_finish(again.trace);
        error = sanwo_trace_render(again.trace, SANWO_TRACE_LADDER, NULL, &writer);
    }
    sanwo_trace_destroy(again.trace);
    if (fclose(file) != 0 || error != 0)
        return sw_complain("sim", STATUS_WRITE, "%s: the ladder could not be written", path);
    return 0;
}

/* ---- one world, here ------------------------------------------------------------------------- */

static void print_replayed(const struct sim_options *o, const struct sim_draw *d,
                           const struct sim_result *r)
{
    char names[512];

    printf("world %" PRIu64 " of seed %" PRIu64 ": %s\n", o->world, o->seed,
           sim_faults_format(d->faults, names, sizeof(names)));
    sim_describe(d, stdout);
    printf("%" PRIu64 " segments, %" PRIu64 " talks (%" PRIu64 " not in order), %" PRIu64
           " bytes, %.6f s of virtual time, trace %016" PRIx64 "\n",
           r->segments, r->talks, r->excused, r->bytes, (double)r->time / 1e9, r->hash);
    if (r->failed)
        printf("FAILED at %.6f s: %s\n", (double)r->failed_at / 1e9, r->failure);
}

static int replay_json(const struct sim_options *o, const struct sim_result *result,
                       const struct sim_draw *d)
{
    struct sim_failure failure = {.world = o->world};
    struct sim_finding finding = {.failure = &failure, .faults = d->faults, .smallest = d->faults};
    struct sim_sum sum = {0};

    sw_sim_sum_world(&sum, result);
    if (result->failed) {
        memcpy(failure.what, result->failure, sizeof(failure.what));
        sum.failures[sum.failure_count++] = failure;
    }
    sw_sim_print_json(o, &sum, 0, &finding);
    return result->failed ? STATUS_FAILED : STATUS_OK;
}

/* What cannot be written at all is said before the world runs. */
static bool can_write(const char *path)
{
    FILE *file = fopen(path, "w");

    return file != NULL && fclose(file) == 0;
}

int sw_sim_replay(const struct sim_options *o)
{
    struct replay r = {.options = o, .world = o->world, .faults = o->faults, .pcap = o->pcap};
    struct sim_result result;
    struct sim_draw d;
    int status = 0;

    if (o->pcap != NULL && !can_write(o->pcap))
        return sw_complain("sim", STATUS_WRITE, "%s: %s", o->pcap, strerror(errno));
    r.description = o->json ? NULL : stdout;
    sim_draw(&d, o->seed, o->world, o->faults);
    run_once(&r, &result);
    if (o->ladder != NULL)
        status = draw_ladder(&r, result.port, o->ladder);
    if (o->json) {
        int failed = replay_json(o, &result, &d);

        return status != 0 ? status : failed;
    }
    print_replayed(o, &d, &result);
    if (status != 0)
        return status;
    return result.failed ? STATUS_FAILED : STATUS_OK;
}

/* ---- a failure ------------------------------------------------------------------------------- */

/* In a process of its own, since what failed may crash or never end. True: all went well. */
static bool in_child(void (*work)(struct replay *r), struct replay *r)
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        work(r);
        _exit(0);
    }
    if (child < 0)
        return true;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void try_quietly(struct replay *r)
{
    struct sim_result first, second;

    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(0);
    run_once(r, &first);
    if (first.failed)
        _exit(1);
    run_once(r, &second);
    _exit(first.hash != second.hash);
}

static bool still_fails(void *context, uint64_t faults)
{
    struct replay r = *(const struct replay *)context;

    r.faults = faults;
    return !in_child(try_quietly, &r);
}

struct files {
    struct replay replay; /* first: it is handed on as such */
    const struct sim_finding *finding;
};

static void write_files(struct replay *r)
{
    const struct sim_finding *finding = ((struct files *)r)->finding;
    FILE *text = fopen(finding->text, "w");
    struct sim_result result;
    struct sim_draw d;

    sim_draw(&d, r->options->seed, r->world, r->faults);
    if (text != NULL) {
        fprintf(text, "world %" PRIu64 " of seed %" PRIu64 ": %s\n", r->world, r->options->seed,
                finding->failure->what);
        sim_describe(&d, text);
        fflush(text);
    }
    r->description = text;
    r->pcap = finding->pcap;
    run_once(r, &result);
    if (text != NULL)
        fclose(text);
    draw_ladder(r, result.port, finding->ladder);
}

void sw_sim_look_into(const struct sim_options *o, const struct sim_failure *failure,
                      struct sim_finding *out)
{
    struct files files = {.replay = {.options = o, .world = failure->world}, .finding = out};
    char base[200];
    struct sim_draw d;

    sim_draw(&d, o->seed, failure->world, o->faults);
    *out = (struct sim_finding){.failure = failure, .faults = d.faults};
    out->smallest = sim_shrink(d.faults, still_fails, &files.replay);
    if (mkdir(o->out, 0777) != 0 && errno != EEXIST)
        sw_complain("sim", STATUS_WRITE, "%s: %s; give another folder with --out", o->out,
                    strerror(errno));
    snprintf(base, sizeof(base), "%.150s/world-%" PRIu64 "-%" PRIu64, o->out, o->seed,
             failure->world);
    snprintf(out->pcap, sizeof(out->pcap), "%s.pcapng", base);
    snprintf(out->ladder, sizeof(out->ladder), "%s.ladder.txt", base);
    snprintf(out->text, sizeof(out->text), "%s.txt", base);
    files.replay.faults = out->smallest;
    in_child(write_files, &files.replay);
}
