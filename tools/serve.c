/*
 * serve.c - sanwo serve DIR: an HTTP server on our own TCP, until it is interrupted.
 *
 *     first SIGINT or SIGTERM: no new connections, responses are finished, all is closed, exit 0
 *     second one: the end at once
 *     SIGUSR1: a line of statistics on standard error
 */
#define _GNU_SOURCE
#include "common.h"

#include <sanwo/http.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define GOODBYE SANWO_SEC(3)

#define FAST_OPEN_PENDING 256 /* reading a file twice does no harm */

struct serve {
    struct host host;
    struct sanwo_http_server *server;
    int timer;
    int usr1; /* descriptor that says when SIGUSR1 came */
    bool json, quiet, fast_open;
};

static const struct command_help help = {
    .name = "serve",
    .synopsis = "DIR [options]",
    .summary = "Serves the files of DIR over HTTP/1.1, on our own TCP behind a TUN device. The "
               "device is made\n"
               "and configured, and vanishes at the end. One line on standard output tells where "
               "the server\n"
               "listens, then one of each request. Needs root, or CAP_NET_ADMIN in a namespace of "
               "its own.",
    .more =
        "On SIGUSR1 one line on standard error tells how many connections there are, the memory "
        "in\nuse, at most ever and allowed, what was sent again, and what was dropped, by "
        "reason:\n  sudo pkill -USR1 -x sanwo\n\n"
        "exit status: 0 interrupted and closed cleanly, 1 failed, 2 usage, 3 TUN device or\n"
        "permission, 5 the capture file cannot be written.",
    .example = "sudo sanwo serve /usr/share/doc &\ncurl http://10.77.0.1/",
};

/* ---- the log --------------------------------------------------------------------------------- */

/* Text of a peer inside quotation marks: what could end them or move a terminal is escaped. */
static void print_quoted(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c >= 0x7f)
            printf("\\u%04x", c);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void log_json(const struct sanwo_http_access *what)
{
    char remote[SANWO_ENDPOINT_TEXT];

    printf("{\"event\":\"request\",\"remote\":\"%s\",\"method\":\"%s\",\"target\":",
           sanwo_endpoint_format(&what->remote, remote, sizeof remote), what->method);
    print_quoted(what->target);
    printf(",\"status\":%u,\"bytes\":%" PRIu64 ",\"ms\":%.3f", what->status, what->body_bytes,
           (double)what->duration / 1e6);
    if (what->trouble) {
        printf(",\"trouble\":");
        print_quoted(what->trouble);
    }
    printf("}\n");
}

static void log_access(void *context, const struct sanwo_http_access *what)
{
    const struct serve *s = context;
    char remote[SANWO_ENDPOINT_TEXT];

    if (s->json) {
        log_json(what);
        return;
    }
    if (s->quiet && !what->trouble)
        return;
    printf("%s %s ", sanwo_endpoint_format(&what->remote, remote, sizeof remote), what->method);
    print_quoted(what->target);
    printf(" %u %" PRIu64 " bytes %.1f ms%s%s\n", what->status, what->body_bytes,
           (double)what->duration / 1e6, what->trouble ? ": " : "",
           what->trouble ? what->trouble : "");
}

static void announce(const struct serve *s, const char *folder, uint16_t port)
{
    const char *device = s->host.driver->link.name;
    const char *quote = s->json ? "\"" : "";

    if (s->json)
        printf("{\"event\":\"listening\",\"device\":\"%s\",\"urls\":[", device);
    else
        printf("serving %s at ", folder);
    for (size_t i = 0; i < s->host.address_count; i++) {
        const struct sanwo_address *a = &s->host.addresses[i];
        bool is_ipv6 = a->family == SANWO_FAMILY_IPV6;
        char text[SANWO_ADDRESS_TEXT], suffix[8] = "";

        if (port != 80)
            snprintf(suffix, sizeof suffix, ":%u", port);
        printf("%s%shttp://%s%s%s%s/%s",
               !i        ? ""
               : s->json ? ","
                         : " ",
               quote, is_ipv6 ? "[" : "", sanwo_address_format(a, text, sizeof text),
               is_ipv6 ? "]" : "", suffix, quote);
    }
    if (s->json)
        printf("]}\n");
    else
        printf(" (device %s, Ctrl-C ends)\n", device);
}

/* ---- statistics ------------------------------------------------------------------------------ */

struct number {
    const char *text, *key; /* for people, in JSON */
    uint64_t value;
};

static void print_numbers(bool json, const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json)
            fprintf(stderr, ",\"%s\":%" PRIu64, numbers[i].key, numbers[i].value);
        else
            fprintf(stderr, "%s%s %" PRIu64, i ? ", " : "", numbers[i].text, numbers[i].value);
}

/* Only those that there were. */
static void print_drops(bool json, const uint64_t *reasons)
{
    bool any = false;

    fprintf(stderr, json ? ",\"drops\":{" : ", drops:");
    for (unsigned i = 0; i < SANWO_REASON_COUNT; i++) {
        if (!reasons[i])
            continue;
        if (json)
            fprintf(stderr, "%s\"%s\":%" PRIu64, any ? "," : "", sanwo_reason_name(i), reasons[i]);
        else
            fprintf(stderr, "%s %s %" PRIu64, any ? "," : "", sanwo_reason_name(i), reasons[i]);
        any = true;
    }
    fprintf(stderr, json ? "}}\n" : any ? "\n" : " none\n");
}

static void print_statistics(const struct serve *s)
{
    struct sanwo_stack_stats stack;
    struct sanwo_http_server_stats http;

    sanwo_stack_stats(s->host.stack, &stack);
    sanwo_http_server_stats(s->server, &http);
    const struct number numbers[] = {
        {"connections", "connections", stack.connections},
        {"half-open", "half_open", stack.half_open},
        {"time-wait", "time_wait", stack.time_wait},
        {"accepted", "accepted", stack.connections_accepted},
        {"reset", "reset", stack.connections_reset},
        {"requests", "requests", http.requests},
        {"memory used", "memory_used", stack.memory_used},
        {"peak", "memory_peak", stack.memory_peak},
        {"budget", "memory_budget", stack.memory_budget},
        {"refused", "memory_refused", stack.memory_refused},
        {"segments in", "segments_in", stack.segments_in},
        {"out", "segments_out", stack.segments_out},
        {"retransmitted", "segments_retransmitted", stack.segments_retransmitted},
    };

    fputs(s->json ? "{\"event\":\"statistics\"" : "sanwo serve: ", stderr);
    print_numbers(s->json, numbers, sizeof numbers / sizeof numbers[0]);
    print_drops(s->json, stack.reasons);
}

static void on_usr1(void *context, int fd, unsigned ready, sanwo_time now)
{
    struct signalfd_siginfo info;

    (void)ready;
    (void)now;
    if (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        print_statistics(context);
}

static int catch_usr1(struct serve *s)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL); /* or it would end us */
    s->usr1 = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->usr1 < 0)
        return -errno;
    return sanwo_loop_add_fd(s->host.loop, s->usr1, SANWO_LOOP_READ, on_usr1, s);
}

/* ---- running --------------------------------------------------------------------------------- */

static void set_timer(struct serve *s)
{
    sanwo_loop_set_timer(s->host.loop, s->timer, sanwo_http_server_deadline(s->server));
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct serve *s = context;

    (void)stack;
    if (s->server)
        sanwo_http_server_event(s->server, event, now);
    set_timer(s);
}

static void on_timer(void *context, sanwo_time now)
{
    struct serve *s = context;

    sanwo_http_server_tick(s->server, now);
    set_timer(s);
}

static int start(struct serve *s, const char *folder, uint16_t port)
{
    struct sanwo_http_server_config config;
    bool folder_failed;
    int error;

    sanwo_http_server_config_default(&config);
    config.path = folder;
    config.local.port = port;
    config.log = log_access;
    config.log_context = s;
    config.fast_open = s->fast_open ? FAST_OPEN_PENDING : 0;
    s->timer = sanwo_loop_add_timer(s->host.loop, on_timer, s);
    if (s->timer < 0)
        return sw_complain("serve", STATUS_FAILED, "out of memory");
    error = sanwo_http_server_create(&config, s->host.stack, sanwo_time_now(), &s->server,
                                     &folder_failed);
    if (error >= 0)
        return STATUS_OK;
    s->server = NULL;
    if (folder_failed)
        return sw_complain("serve", STATUS_USAGE, "cannot serve %s: %s; name a folder", folder,
                           strerror(-error));
    return sw_complain("serve", STATUS_FAILED, "cannot listen on port %u: %s", port,
                       sanwo_error_text(error));
}

static int run(struct serve *s)
{
    int error = sanwo_loop_run(s->host.loop);

    if (error >= 0) {
        fprintf(stderr, "sanwo serve: finishing; interrupt again to end at once\n");
        sanwo_http_server_stop(s->server, sanwo_time_now());
        set_timer(s);
    }
    while (error >= 0 && !sanwo_http_server_is_idle(s->server))
        error = sanwo_loop_turn(s->host.loop, SANWO_SEC(1));
    if (error >= 0) {
        sw_host_settle(&s->host, GOODBYE);
        return STATUS_OK;
    }
    return sw_complain("serve", STATUS_DEVICE, "the device broke: %s; start again",
                       strerror(-error));
}

int sw_cmd_serve(int argc, char **argv)
{
    static struct serve s; /* large, and one in a process */
    struct host_options host;
    struct option_entry shared[HOST_OPTION_COUNT];
    uint64_t port = 80;
    const struct option_entry own[] = {
        {OPTION_NUMBER, 'p', "port", &port, "N", "port to listen on (default 80)", 1, 65535},
        {OPTION_ON, 'q', "quiet", &s.quiet, NULL, "tell only of requests that failed", 0, 0},
        {OPTION_ON, 0, "json", &s.json, NULL, "tell in JSON, one object a line", 0, 0},
        {OPTION_ON, 0, "fast-open", &s.fast_open, NULL,
         "take requests that come with a SYN (RFC 7413)", 0, 0},
        {OPTION_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int count, status;

    sw_host_options(&host, shared);
    if (!sw_options_read(&help, own, shared, argc, argv, &count, &status))
        return status;
    if (count != 1)
        return sw_complain("serve", STATUS_USAGE, "name one folder, as in: sanwo serve .");
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = sw_host_open(&s.host, "serve", &host, on_event, &s);
    if (status)
        return status;
    status = start(&s, argv[1], (uint16_t)port);
    if (!status) {
        sw_host_catch_signals(&s.host);
        int error = catch_usr1(&s);
        if (error < 0)
            sw_complain("serve", STATUS_OK, "no statistics on SIGUSR1: %s", strerror(-error));
        announce(&s, argv[1], (uint16_t)port);
        status = run(&s);
    }
    sanwo_http_server_destroy(s.server, sanwo_time_now());
    sw_host_close(&s.host);
    if (s.usr1 > 0)
        close(s.usr1);
    return status;
}
