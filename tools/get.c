/*
 * get.c - sanwo get URL: a file over HTTP on our own TCP.
 *
 * The file is opened when the final response begins, so that a failure before leaves it as it was.
 * What came stays there if the rest does not, for --resume.
 */
#define _GNU_SOURCE
#include "common.h"
#include "progress.h"

#include <sanwo/http.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOODBYE SANWO_SEC(2)
#define DRAW_EVERY SANWO_MSEC(200)

struct get {
    struct host host;
    struct sanwo_http_client *client;
    struct sanwo_http_request request;
    int timer;
    const char *path; /* of the file; NULL: standard output */
    int out;          /* -1: not open yet */
    int write_error;  /* errno */
    uint64_t offset;  /* where the response's body begins in the file */
    bool head, remote_name, resume, verbose, quiet;
    bool no_progress, want_progress, draws;
    bool discards; /* an error's body */
    struct progress progress;
    sanwo_time draw_at;
};

static const struct command_help help = {
    .name = "get",
    .synopsis = "URL [options]",
    .summary = "Fetches an http:// URL, on our own TCP behind a TUN device, to standard output or "
               "a file.\n"
               "Follows redirects. Needs root, or CAP_NET_ADMIN in a namespace of its own.",
    .more = "exit status: 0 fetched, 1 failed, 2 usage, 3 TUN device or permission, 5 the file "
            "cannot be\n"
            "written, 6 the name has no address, 7 refused or unreachable, 8 the server broke the "
            "protocol\n"
            "or the body ended early, 22 HTTP status of 400 or more, 28 time-out, 56 connection "
            "reset,\n"
            "130 interrupted.",
    .example = "sudo sanwo get http://10.77.0.2/big.iso -o big.iso\n"
               "sudo sanwo get http://10.77.0.2/big.iso -o big.iso --resume",
};

/* ---- the file -------------------------------------------------------------------------------- */

static bool open_file(struct get *g, uint64_t offset)
{
    struct stat s;

    g->offset = offset;
    if (!g->path) {
        g->out = STDOUT_FILENO;
        return true;
    }
    g->out = open(g->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    /* A device or a FIFO has no length to cut. */
    if (g->out < 0 || fstat(g->out, &s) ||
        (S_ISREG(s.st_mode) &&
         (ftruncate(g->out, (off_t)offset) || lseek(g->out, (off_t)offset, SEEK_SET) < 0))) {
        g->write_error = errno;
        return false;
    }
    return true;
}

static bool write_all(struct get *g, const char *bytes, size_t length)
{
    while (length) {
        ssize_t put = write(g->out, bytes, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN) { /* somebody made our output non-blocking */
            usleep(1000);
            continue;
        }
        if (put < 0) {
            g->write_error = errno;
            return false;
        }
        bytes += put;
        length -= (size_t)put;
    }
    return true;
}

/* ---- what the client tells ------------------------------------------------------------------- */

static bool on_head(void *context, const struct sanwo_http_head *head)
{
    struct get *g = context;

    g->discards = head->status >= 400;
    if (g->head) {
        fputs(head->fields, stdout);
        return true;
    }
    if (g->discards)
        return true;
    if (g->request.resume_from && head->offset == 0 && !g->quiet)
        fprintf(stderr, "sanwo get: the server does not resume; fetching all of it\n");
    sw_progress_start(&g->progress, head->offset, head->total, sanwo_loop_now(g->host.loop));
    g->draws = g->want_progress;
    return open_file(g, head->offset);
}

static bool on_body(void *context, const void *bytes, size_t length)
{
    struct get *g = context;

    if (g->discards)
        return true;
    g->progress.bytes += length;
    return write_all(g, bytes, length);
}

static void on_done(void *context, const struct sanwo_http_result *result)
{
    struct get *g = context;

    (void)result;
    sanwo_loop_stop(g->host.loop);
}

static void on_line(void *context, char kind, const char *line)
{
    (void)context;
    fprintf(stderr, "%c %s\n", kind, line);
}

static int on_resolve(void *context, const char *name, struct sanwo_address *out, int max)
{
    const struct get *g = context;

    return sw_host_resolve(&g->host, name, out, max);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void set_timer(struct get *g)
{
    sanwo_time when = sanwo_http_client_deadline(g->client);

    if (g->draws && g->draw_at < when)
        when = g->draw_at;
    sanwo_loop_set_timer(g->host.loop, g->timer, when);
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct get *g = context;

    (void)stack;
    if (!g->client)
        return;
    sanwo_http_client_event(g->client, event, now);
    set_timer(g);
}

static void on_timer(void *context, sanwo_time now)
{
    struct get *g = context;

    sanwo_http_client_tick(g->client, now);
    if (g->draws && now >= g->draw_at) {
        sw_progress_draw(&g->progress, now);
        g->draw_at = now + DRAW_EVERY;
    }
    set_timer(g);
}

/* ---- the end --------------------------------------------------------------------------------- */

static int status_of(const struct sanwo_http_result *r)
{
    switch (r->failure) {
    case SANWO_HTTP_NONE:
        return r->status >= 400 && !r->already_complete ? STATUS_HTTP : STATUS_OK;
    case SANWO_HTTP_URL:
        return STATUS_USAGE;
    case SANWO_HTTP_RESOLVE:
        return STATUS_RESOLVE;
    case SANWO_HTTP_CONNECT:
        return STATUS_CONNECT;
    case SANWO_HTTP_TIMEOUT:
        return STATUS_TIMEOUT;
    case SANWO_HTTP_RESET:
        return STATUS_RESET;
    case SANWO_HTTP_PROTOCOL:
    case SANWO_HTTP_TRUNCATED:
    case SANWO_HTTP_REDIRECTS:
        return STATUS_PROTOCOL;
    case SANWO_HTTP_CONSUMER:
        return STATUS_WRITE;
    default:
        return STATUS_FAILED;
    }
}

/* What came is kept: says so, and how to go on. */
static void tell_kept(const struct get *g, char *out, size_t size)
{
    const struct sanwo_http_result *r = sanwo_http_client_result(g->client);

    out[0] = '\0';
    if (g->path && g->out >= 0 && r->body_bytes)
        snprintf(out, size, "; %s has the first %" PRIu64 " bytes, go on with --resume", g->path,
                 g->offset + g->progress.bytes);
}

static int conclude(struct get *g)
{
    const struct sanwo_http_result *r = sanwo_http_client_result(g->client);
    int status = status_of(r);
    char kept[512];

    if (g->draws)
        sw_progress_end(&g->progress, sanwo_loop_now(g->host.loop));
    if (g->out >= 0 && g->path && close(g->out) && !g->write_error)
        g->write_error = errno;
    tell_kept(g, kept, sizeof kept);
    if (g->write_error)
        return sw_complain("get", STATUS_WRITE, "cannot write %s: %s",
                           g->path ? g->path : "to standard output", strerror(g->write_error));
    if (!r->done)
        return sw_complain("get", STATUS_INTERRUPTED, "interrupted%s", kept);
    if (status == STATUS_HTTP)
        return sw_complain("get", status, "the server answers with status %u; is the URL right?",
                           r->status);
    if (status != STATUS_OK)
        return sw_complain("get", status, "%s%s", r->message, kept);
    if (r->already_complete && !g->quiet)
        fprintf(stderr, "sanwo get: %s is complete already\n", g->path);
    return STATUS_OK;
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* The last part of the path, as -O takes it. */
static const char *remote_name(const char *url)
{
    static char name[256];
    const char *start = strstr(url, "://");
    const char *slash;
    size_t length;

    start = start ? start + 3 : url;
    length = strcspn(start, "?#");
    slash = memrchr(start, '/', length);
    if (!slash)
        return NULL;
    length -= (size_t)(slash + 1 - start);
    if (length == 0 || length >= sizeof name)
        return NULL;
    memcpy(name, slash + 1, length);
    name[length] = '\0';
    return strcmp(name, ".") && strcmp(name, "..") ? name : NULL;
}

static int check(struct get *g, const char *url)
{
    struct stat s;

    if (g->path && !strcmp(g->path, "-"))
        g->path = NULL;
    if (g->remote_name && !g->path) {
        g->path = remote_name(url);
        if (!g->path)
            return sw_complain("get", STATUS_USAGE,
                               "the URL names no file for -O; name one with -o FILE");
    }
    if (g->resume && !g->path)
        return sw_complain("get", STATUS_USAGE, "--resume needs a file: -o FILE, or -O");
    if (g->resume && !stat(g->path, &s) && s.st_size > 0)
        g->request.resume_from = (uint64_t)s.st_size;
    g->request.url = url;
    g->request.head = g->head;
    g->out = -1;
    if (g->draws)
        g->want_progress = true;
    else if (!g->no_progress && !g->quiet && !g->head && !g->verbose)
        g->want_progress = isatty(STDERR_FILENO) && (g->path || !isatty(STDOUT_FILENO));
    g->draws = false;
    return STATUS_OK;
}

static int fetch(struct get *g, struct sanwo_http_client_config *config)
{
    int error;

    config->stack = g->host.stack;
    config->resolve = on_resolve;
    config->on_head = on_head;
    config->on_body = on_body;
    config->on_done = on_done;
    config->on_line = g->verbose ? on_line : NULL;
    config->context = g;
    g->timer = sanwo_loop_add_timer(g->host.loop, on_timer, g);
    if (g->timer < 0 || sanwo_http_client_create(config, &g->client) < 0)
        return sw_complain("get", STATUS_FAILED, "out of memory");
    sw_host_catch_signals(&g->host);
    sanwo_http_client_start(g->client, &g->request, sanwo_time_now());
    set_timer(g);
    error = sanwo_http_client_result(g->client)->done ? 0 : sanwo_loop_run(g->host.loop);
    if (error < 0)
        return sw_complain("get", STATUS_DEVICE, "the device broke: %s; start again",
                           strerror(-error));
    return conclude(g);
}

int sw_cmd_get(int argc, char **argv)
{
    static struct get g; /* large, and one in a process */
    struct host_options host;
    struct option_entry shared[HOST_OPTION_COUNT];
    struct option_list fields = {.count = 0};
    struct sanwo_http_client_config config;
    const struct option_entry own[] = {
        {OPTION_TEXT, 'o', "output", &g.path, "FILE", "write to FILE", 0, 0},
        {OPTION_ON, 'O', "remote-name", &g.remote_name, NULL, "write to the file the URL names", 0,
         0},
        {OPTION_ON, 'I', "head", &g.head, NULL, "ask for the head only, and print it", 0, 0},
        {OPTION_ON, 'C', "resume", &g.resume, NULL, "fetch only what the file lacks", 0, 0},
        {OPTION_LIST, 'H', "header", &fields, "'N: V'", "one more header field; repeatable", 0, 0},
        {OPTION_SECONDS, 'm', "max-time", &config.total_timeout, "S", "for all of it", 0, 0},
        {OPTION_SECONDS, 0, "connect-timeout", &config.connect_timeout, "S",
         "for each address (default 30)", 0, 0},
        {OPTION_ON, 0, "progress", &g.draws, NULL, "show progress (default: on a terminal)", 0, 0},
        {OPTION_ON, 0, "no-progress", &g.no_progress, NULL, "show none", 0, 0},
        {OPTION_ON, 'v', "verbose", &g.verbose, NULL, "show requests and responses", 0, 0},
        {OPTION_ON, 'q', "quiet", &g.quiet, NULL, "say nothing but errors", 0, 0},
        {OPTION_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int count, status;

    sanwo_http_client_config_default(&config);
    sw_host_options(&host, shared);
    if (!sw_options_read(&help, own, shared, argc, argv, &count, &status))
        return status;
    if (count != 1)
        return sw_complain("get", STATUS_USAGE, "name one URL, as http://10.77.0.2/");
    g.request.headers = fields.items;
    status = check(&g, argv[1]);
    if (!status)
        status = sw_host_open(&g.host, "get", &host, on_event, &g);
    if (status)
        return status;
    status = fetch(&g, &config);
    sanwo_http_client_destroy(g.client, sanwo_time_now());
    g.client = NULL;
    sanwo_loop_set_timer(g.host.loop, g.timer, SANWO_TIME_NEVER);
    sw_host_settle(&g.host, GOODBYE);
    sw_host_close(&g.host);
    return status;
}
