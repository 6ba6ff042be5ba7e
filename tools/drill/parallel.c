/*
 * parallel.c - The workers: each takes the next script, runs it, and tells the result by a pipe.
 *
 *     shared memory: which script is next, which one each worker is at and since when
 *     worker --- record, message, detail ---> parent
 *
 * A worker that dies (an assertion of the stack) or takes too long (it is ended then) leaves its
 * script as failed, with the end of what it wrote on standard error; another takes its place.
 */
#define _GNU_SOURCE
#include "parallel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pipe.h"
#include "python.h"

#define LOOK_EVERY_MS 200
#define LOG_SHOWN 2000 /* bytes of a dead worker's last words */

struct at {
    _Atomic size_t script; /* its index plus one; 0: none */
    _Atomic int64_t since;
};

struct shared {
    _Atomic size_t next;
    struct at at[DRILL_JOBS_MAX];
};

struct record {
    size_t index, message_length, detail_length;
    sanwo_time took;
    unsigned line;
    uint8_t verdict;
};

struct worker {
    pid_t pid; /* 0: none */
    int pipe;  /* its results; -1 at their end */
    int log;   /* its standard error */
    bool overdue;
    char *bytes;
    size_t used, size;
};

struct pool {
    const char *const *paths;
    size_t count, done;
    const struct drill_settings *settings;
    struct drill_result *results;
    struct shared *shared;
    struct worker workers[DRILL_JOBS_MAX];
    unsigned jobs;
    sanwo_time limit;
};

/* ---- in the worker ----------------------------------------------------------------------------- */

static bool tell(int fd, size_t index, const struct drill_result *result)
{
    struct record record = {.index = index,
                            .message_length = strlen(result->message),
                            .detail_length = strlen(result->detail),
                            .took = result->took,
                            .line = result->line,
                            .verdict = (uint8_t)result->verdict};

    return sw_drill_pipe_put(fd, &record, sizeof record) &&
           sw_drill_pipe_put(fd, result->message, record.message_length) &&
           sw_drill_pipe_put(fd, result->detail, record.detail_length);
}

static void work(struct pool *pool, struct at *at, int fd)
{
    struct drill_python *python = sw_drill_python_new();
    struct drill_world world;
    size_t i;
    bool fine = sw_drill_world_init(&world);

    while (fine && (i = atomic_fetch_add(&pool->shared->next, 1)) < pool->count) {
        struct drill_result result;

        atomic_store(&at->since, sanwo_time_now());
        atomic_store(&at->script, i + 1);
        sw_drill_run_file(pool->paths[i], pool->settings, &world, python, &result);
        fine = tell(fd, i, &result);
        sw_drill_result_free(&result);
    }
    atomic_store(&at->script, 0);
    sw_drill_python_free(python);
    sw_drill_world_free(&world);
    _exit(fine ? 0 : 1);
}

/* ---- in the parent ------------------------------------------------------------------------------ */

static bool start(struct pool *pool, unsigned number)
{
    struct worker *w = &pool->workers[number];
    int ends[2];

    *w = (struct worker){.pipe = -1, .log = -1};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    w->log = memfd_create("drill", MFD_CLOEXEC);
    fflush(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        close(ends[0]);
        if (w->log >= 0)
            dup2(w->log, STDERR_FILENO);
        work(pool, &pool->shared->at[number], ends[1]);
    }
    close(ends[1]);
    w->pipe = ends[0];
    if (w->pid > 0)
        return true;
    close(ends[0]);
    if (w->log >= 0)
        close(w->log);
    w->pid = 0;
    return false;
}

static char *copy(const char *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (!text)
        abort();
    memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

/* Takes the complete records off the front of what a worker told so far. */
static void take_records(struct pool *pool, struct worker *w)
{
    size_t at = 0;
    struct record r;

    while (w->used - at >= sizeof r) {
        const char *texts = w->bytes + at + sizeof r;

        memcpy(&r, w->bytes + at, sizeof r);
        if (w->used - at < sizeof r + r.message_length + r.detail_length || r.index >= pool->count)
            break;
        pool->results[r.index] =
            (struct drill_result){.verdict = r.verdict,
                                  .line = r.line,
                                  .took = r.took,
                                  .message = copy(texts, r.message_length),
                                  .detail = copy(texts + r.message_length, r.detail_length)};
        pool->done++;
        at += sizeof r + r.message_length + r.detail_length;
    }
    memmove(w->bytes, w->bytes + at, w->used - at);
    w->used -= at;
}

/* False: the worker's end of the pipe is closed. */
static bool read_results(struct pool *pool, struct worker *w)
{
    ssize_t n;

    if (w->size - w->used < 65536) {
        char *grown = realloc(w->bytes, w->size * 2 + 65536);

        if (!grown)
            return false;
        w->bytes = grown;
        w->size = w->size * 2 + 65536;
    }
    n = read(w->pipe, w->bytes + w->used, w->size - w->used);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0)
        return false;
    w->used += (size_t)n;
    take_records(pool, w);
    return true;
}

/* The end of what a worker wrote on its standard error. */
static char *last_words(const struct worker *w)
{
    off_t size = w->log >= 0 ? lseek(w->log, 0, SEEK_END) : 0;
    off_t from = size > LOG_SHOWN ? size - LOG_SHOWN : 0;
    char text[LOG_SHOWN + 1];
    ssize_t n = size > 0 ? pread(w->log, text, (size_t)(size - from), from) : 0;

    return copy(text, n > 0 ? (size_t)n : 0);
}

static void script_died(struct pool *pool, size_t index, const struct worker *w, int status)
{
    struct drill_result *result = &pool->results[index];
    char message[200];

    if (result->message) /* it was told before the end came */
        return;
    if (w->overdue)
        snprintf(message, sizeof message, "it was not done after %.0f s of real time",
                 (double)pool->limit / 1e9);
    else if (WIFSIGNALED(status))
        snprintf(message, sizeof message, "the stack crashed: signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(message, sizeof message, "the process ended with status %d",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    *result =
        (struct drill_result){.verdict = DRILL_FAILED,
                              .took = sanwo_time_now() - pool->shared->at[w - pool->workers].since,
                              .message = copy(message, strlen(message)),
                              .detail = last_words(w)};
    pool->done++;
}

/* The worker is gone: its script failed, if it had one; another goes on if there is work left. */
static bool replace(struct pool *pool, unsigned number)
{
    struct worker *w = &pool->workers[number];
    struct at *at = &pool->shared->at[number];
    size_t script = atomic_load(&at->script);
    int status = 0;

    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (script)
        script_died(pool, script - 1, w, status);
    atomic_store(&at->script, 0);
    free(w->bytes);
    close(w->pipe);
    if (w->log >= 0)
        close(w->log);
    w->pid = 0;
    if (script && atomic_load(&pool->shared->next) < pool->count)
        return start(pool, number);
    return true;
}

static void end_overdue(struct pool *pool, unsigned number)
{
    struct at *at = &pool->shared->at[number];
    struct worker *w = &pool->workers[number];

    if (w->overdue || !atomic_load(&at->script) ||
        sanwo_time_now() - atomic_load(&at->since) < pool->limit)
        return;
    w->overdue = true;
    kill(w->pid, SIGKILL);
}

/* Waits for results of the workers that live. False: none lives. */
static bool attend(struct pool *pool)
{
    struct pollfd fds[DRILL_JOBS_MAX];
    unsigned numbers[DRILL_JOBS_MAX], n = 0;

    for (unsigned i = 0; i < pool->jobs; i++) {
        if (!pool->workers[i].pid)
            continue;
        fds[n] = (struct pollfd){.fd = pool->workers[i].pipe, .events = POLLIN};
        numbers[n++] = i;
    }
    if (!n)
        return false;
    if (poll(fds, n, LOOK_EVERY_MS) < 0 && errno != EINTR)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (fds[i].revents && !read_results(pool, &pool->workers[numbers[i]]) &&
            !replace(pool, numbers[i]))
            return false;
        if (pool->workers[numbers[i]].pid)
            end_overdue(pool, numbers[i]);
    }
    return true;
}

static void run_here(struct pool *pool)
{
    struct drill_python *python = sw_drill_python_new();
    struct drill_world world;

    if (sw_drill_world_init(&world)) {
        for (size_t i = 0; i < pool->count; i++, pool->done++)
            sw_drill_run_file(pool->paths[i], pool->settings, &world, python, &pool->results[i]);
        sw_drill_world_free(&world);
    }
    sw_drill_python_free(python);
}

/* Scripts that nobody came to run, for want of processes. */
static void fill_gaps(struct pool *pool)
{
    static const char why[] = "it was not run: no process could be made";

    for (size_t i = 0; i < pool->count; i++)
        if (!pool->results[i].message)
            pool->results[i] = (struct drill_result){.verdict = DRILL_FAILED,
                                                     .message = copy(why, sizeof why - 1),
                                                     .detail = copy("", 0)};
}

bool sw_drill_parallel(const char *const *paths, size_t count,
                       const struct drill_settings *settings, unsigned jobs, sanwo_time limit,
                       struct drill_result *results)
{
    struct pool *pool = calloc(1, sizeof *pool);
    size_t done;

    if (!pool)
        return false;
    *pool = (struct pool){.paths = paths,
                          .count = count,
                          .settings = settings,
                          .results = results,
                          .jobs = jobs < DRILL_JOBS_MAX ? jobs : DRILL_JOBS_MAX,
                          .limit = limit};
    pool->shared =
        mmap(NULL, sizeof *pool->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pool->shared != MAP_FAILED) {
        if (!jobs)
            run_here(pool);
        for (unsigned i = 0; i < pool->jobs; i++)
            if (i < count)
                start(pool, i);
        while (attend(pool))
            ;
        munmap(pool->shared, sizeof *pool->shared);
    }
    done = pool->done;
    fill_gaps(pool);
    free(pool);
    return done == count;
}
