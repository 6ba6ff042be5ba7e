/*
 * sim_jobs.c - Worlds in several processes: job j of J runs the worlds j, j + J, j + 2J, ...
 *
 * A job writes its sum into memory shared with the parent, and first the number of the world that it
 * is about to run: so a crash, too, leaves the number behind. With the same number of jobs the same
 * worlds are run.
 */
#define _GNU_SOURCE
#include "sim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A world takes milliseconds, the largest some seconds: after this it will not end. */
enum { PATIENCE = 300 };

/* ---- sums ------------------------------------------------------------------------------------ */

static void add_network(struct sanwo_emulator_stats *sum, const struct sanwo_emulator_stats *s)
{
    const uint64_t *from = (const uint64_t *)s;
    uint64_t *to = (uint64_t *)sum;

    for (size_t i = 0; i < sizeof(*s) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

static void keep_peak(struct sim_sum *sum, uint64_t peak, uint64_t budget)
{
    if (peak <= sum->memory_peak)
        return;
    sum->memory_peak = peak;
    sum->memory_budget = budget;
}

void sw_sim_sum_world(struct sim_sum *sum, const struct sim_result *r)
{
    sum->worlds++;
    sum->segments += r->segments;
    sum->talks += r->talks;
    sum->bytes += r->bytes;
    sum->excused += r->excused;
    sum->refused += r->refused;
    sum->retransmitted += r->retransmitted;
    sum->reboots += r->reboots;
    sum->jumps += r->jumps;
    sum->flaps += r->flaps;
    sum->hash ^= r->hash;
    sum->virtual_seconds += (double)r->time / 1e9;
    for (unsigned i = 0; i < WORLD_ERRORS; i++)
        sum->ended[i] += r->ended[i];
    keep_peak(sum, r->memory_peak, r->memory_budget);
    add_network(&sum->network, &r->network);
}

void sw_sim_sum_add(struct sim_sum *sum, const struct sim_sum *more)
{
    sum->worlds += more->worlds;
    sum->verified += more->verified;
    sum->segments += more->segments;
    sum->talks += more->talks;
    sum->bytes += more->bytes;
    sum->excused += more->excused;
    sum->refused += more->refused;
    sum->retransmitted += more->retransmitted;
    sum->reboots += more->reboots;
    sum->jumps += more->jumps;
    sum->flaps += more->flaps;
    sum->hash ^= more->hash;
    sum->virtual_seconds += more->virtual_seconds;
    for (unsigned i = 0; i < WORLD_ERRORS; i++)
        sum->ended[i] += more->ended[i];
    keep_peak(sum, more->memory_peak, more->memory_budget);
    add_network(&sum->network, &more->network);
    for (unsigned i = 0; i < more->failure_count && sum->failure_count < SIM_MOST_FAILURES; i++)
        sum->failures[sum->failure_count++] = more->failures[i];
}

/* ---- a job ----------------------------------------------------------------------------------- */

static struct sim_failure *new_failure(struct sim_sum *sum, const char *what)
{
    struct sim_failure *f;

    if (sum->failure_count == SIM_MOST_FAILURES)
        return NULL;
    f = &sum->failures[sum->failure_count++];
    *f = (struct sim_failure){.world = sum->current};
    snprintf(f->what, sizeof(f->what), "%s", what);
    return f;
}

static void verify(const struct sim_draw *d, const struct sim_wish *wish,
                   const struct sim_result *first, struct sim_sum *sum)
{
    struct sim_result second;
    struct sim_failure *f;

    sim_run(d, wish, &second);
    sum->verified++;
    if (second.hash == first->hash && second.segments == first->segments)
        return;
    f = new_failure(sum, "a second run of the same world gives another trace");
    if (f != NULL)
        f->unequal = true;
}

static void run_job(const struct sim_options *o, unsigned number, struct sim_sum *sum)
{
    uint64_t enough = (o->segments + o->jobs - 1) / o->jobs;
    struct world_ground ground = {0};
    struct sim_wish wish = {.ground = &ground};

    for (uint64_t world = number; sum->segments < enough; world += o->jobs) {
        struct sim_result result;
        struct sim_draw d;

        sum->current = world;
        alarm(PATIENCE);
        sim_draw(&d, o->seed, world, o->faults);
        sim_run(&d, &wish, &result);
        sw_sim_sum_world(sum, &result);
        if (result.failed)
            new_failure(sum, result.failure);
        else if (o->verify != 0 && (world / o->jobs) % o->verify == 0)
            verify(&d, &wish, &result, sum);
        if (sum->failure_count == SIM_MOST_FAILURES)
            break;
    }
    world_ground_dispose(&ground);
}

/* ---- all jobs -------------------------------------------------------------------------------- */

static pid_t start_job(const struct sim_options *o, unsigned number, struct sim_sum *sum)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    run_job(o, number, sum);
    _exit(0);
}

static void end_job(pid_t child, struct sim_sum *sum)
{
    struct sim_failure *f;
    char what[64];
    int status;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(what, sizeof(what), "not done after %d s of real time", PATIENCE);
    else if (WIFSIGNALED(status))
        snprintf(what, sizeof(what), "crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(what, sizeof(what), "the process ended with status %d", WEXITSTATUS(status));
    if (sum->failure_count == SIM_MOST_FAILURES)
        sum->failure_count--;
    f = new_failure(sum, what);
    if (f != NULL)
        f->signal = WIFSIGNALED(status) ? WTERMSIG(status) : SIGABRT;
}

int sw_sim_run_jobs(const struct sim_options *o, struct sim_sum *sum)
{
    size_t size = o->jobs * sizeof(struct sim_sum);
    struct sim_sum *shared =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[SIM_MOST_JOBS];
    bool started = true;

    *sum = (struct sim_sum){0};
    if (shared == MAP_FAILED)
        return sw_complain("sim", STATUS_FAILED, "no memory: %s", strerror(errno));
    fflush(NULL);
    for (unsigned i = 0; i < o->jobs; i++) {
        children[i] = start_job(o, i, &shared[i]);
        started = started && children[i] > 0;
    }
    for (unsigned i = 0; i < o->jobs; i++) {
        if (children[i] > 0)
            end_job(children[i], &shared[i]);
        sw_sim_sum_add(sum, &shared[i]);
    }
    munmap(shared, size);
    if (!started)
        return sw_complain("sim", STATUS_FAILED, "a process could not be started; try --jobs 1");
    return 0;
}
