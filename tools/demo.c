/*
 * demo.c - `sanwo demo`: two hosts in one process, and every segment between them.
 *
 *     stack A -- [pcapng] -- [emulator] -- pair -- stack B
 *        `---------------- sanwo_trace ---------------'
 *
 * Time is virtual: the demonstration of a minute takes a moment, and the same seed gives the same
 * trace to the byte.
 */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START SANWO_SEC(1)             /* capture files count from it */
#define PATIENCE (SANWO_SEC(3600) * 6) /* no connection of ours lives that long */

struct demo {
    struct demo_options options;
    struct demo_app app;
    struct sanwo_trace *trace;
    struct sanwo_virtual *world;
    struct sanwo_driver *driver[2];
    void *region[2];
    size_t region_size;
    sanwo_time ran_until;
    bool quiet; /* nothing was left to do */
};

/* Entry of the command; tools/main.c dispatches here. */
int sw_cmd_demo(int argc, char **argv);

static int complain(const char *what, int error)
{
    fprintf(stderr, "sanwo demo: %s: %s\n", what, sanwo_error_text(error));
    return 1;
}

/* ---- two hosts ------------------------------------------------------------------------------ */

/* SplitMix64: spreads a small seed over the 32 bytes that a stack takes. */
static void spread_seed(uint64_t seed, unsigned end, uint8_t out[32])
{
    uint64_t state = seed * 2 + end;

    for (unsigned i = 0; i < 32; i += 8) {
        state += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = state;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(out + i, &z, 8);
    }
}

/* The trace sees the states of connections: what both hosts need is room for a few. */
static int make_stack(struct demo *d, unsigned end)
{
    struct sanwo_stack_config config;

    sanwo_stack_config_default(&config);
    spread_seed(d->options.seed, end, config.seed);
    config.max_connections = 16;
    config.max_half_open = 16;
    config.max_time_wait = 16;
    config.max_listeners = 4;
    config.observer = sanwo_trace_observer(d->trace, end);
    d->region_size = sanwo_stack_region_size(&config);
    d->region[end] = sanwo_region_reserve(d->region_size);
    if (d->region[end] == NULL) {
        return -SANWO_ENOMEM;
    }
    return sanwo_stack_create(d->region[end], d->region_size, &config, START,
                              &d->app.side[end].stack);
}

/* Its address, and everything else reached through the one link. */
static int plug_in(struct demo *d, unsigned end)
{
    struct sanwo_stack *stack = d->app.side[end].stack;
    const struct sanwo_address *address = &d->options.end[end].address;
    struct sanwo_address everything = {.family = address->family};
    struct sanwo_address on_link = {.family = SANWO_FAMILY_NONE};
    unsigned prefix = address->family == SANWO_FAMILY_IPV6 ? 64 : 24;
    int link = sanwo_driver_attach(d->driver[end], stack);
    int result;

    if (link < 0) {
        return link;
    }
    result = sanwo_stack_address_add(stack, (unsigned)link, address, prefix);
    if (result < 0) {
        return result;
    }
    result = sanwo_stack_route_add(stack, &everything, 0, &on_link, (unsigned)link);
    if (result < 0) {
        return result;
    }
    result = sanwo_virtual_add_stack(d->world, stack, sw_demo_app_event, &d->app);
    return result < 0 ? result : sanwo_virtual_add_driver(d->world, d->driver[end]);
}

/* ---- the wire ------------------------------------------------------------------------------- */

static int add_emulator(struct demo *d)
{
    struct sanwo_emulator_path path = {.delay = d->options.delay, .loss_ppm = d->options.loss_ppm};
    struct sanwo_emulator_config config = {.seed = d->options.seed, .out = path, .in = path};
    struct sanwo_driver *outer;
    int result;

    if (path.delay == 0 && path.loss_ppm == 0) {
        return 0;
    }
    result = sanwo_emulator_create(d->driver[DEMO_A], &config, &outer);
    if (result < 0) {
        return complain("the emulated network", result);
    }
    d->driver[DEMO_A] = outer;
    return 0;
}

static int add_capture(struct demo *d)
{
    char message[256] = "";
    struct sanwo_driver *outer;

    if (d->options.pcap == NULL) {
        return 0;
    }
    if (sanwo_pcapng_create(d->driver[DEMO_A], d->options.pcap, -START, &outer, message,
                            sizeof(message)) < 0) {
        fprintf(stderr, "sanwo demo: %s\n", message);
        return 1;
    }
    d->driver[DEMO_A] = outer;
    return 0;
}

/* 0, or 1 after saying what is wrong. */
static int build(struct demo *d)
{
    int result = sanwo_trace_create(&d->trace);

    result = result < 0 ? result : sw_demo_app_init(&d->app, &d->options);
    result = result < 0 ? result : sanwo_virtual_create(START, &d->world);
    if (result < 0) {
        return complain("cannot begin", result);
    }
    d->app.world = d->world;
    result = sanwo_pair_create(d->options.mtu, 0, 0, &d->driver[DEMO_A], &d->driver[DEMO_B]);
    if (result < 0) {
        return complain("the wire", result);
    }
    if (add_emulator(d) != 0 || add_capture(d) != 0) {
        return 1;
    }
    for (unsigned end = 0; end < 2; end++) {
        result = make_stack(d, end);
        result = result < 0 ? result : plug_in(d, end);
        if (result < 0) {
            return complain(end == DEMO_A ? "host A" : "host B", result);
        }
    }
    return 0;
}

static void tear_down(struct demo *d)
{
    if (d->world != NULL) {
        sanwo_virtual_destroy(d->world);
    }
    for (unsigned end = 0; end < 2; end++) {
        sanwo_driver_destroy(d->driver[end]);
    }
    for (unsigned end = 0; end < 2; end++) {
        if (d->region[end] != NULL) {
            sanwo_region_release(d->region[end], d->region_size);
        }
    }
    sw_demo_app_free(&d->app);
    sanwo_trace_destroy(d->trace);
}

/* ---- running and telling -------------------------------------------------------------------- */

static void name_things(struct demo *d)
{
    size_t head = d->app.head_length;

    sanwo_trace_role(d->trace, DEMO_A, "client");
    sanwo_trace_role(d->trace, DEMO_B, "server");
    sanwo_trace_label(d->trace, DEMO_A, 0, d->app.request_length, "GET / HTTP/1.1");
    sanwo_trace_label(d->trace, DEMO_B, 0, head, "HTTP/1.1 200 OK");
    sanwo_trace_label(d->trace, DEMO_B, head, d->app.response_length, "the page");
}

static int run(struct demo *d)
{
    int result;

    name_things(d);
    result = sw_demo_app_start(&d->app, START);
    if (result < 0) {
        return complain("cannot open the connection", result);
    }
    result = sanwo_virtual_run(d->world, START + PATIENCE);
    if (result < 0) {
        fprintf(stderr, "sanwo demo: the wire broke: %s\n", strerror(-result));
        return 1;
    }
    d->quiet = result == 1;
    sanwo_trace_finish(d->trace);
    return 0;
}

static void to_stdout(void *context, const char *bytes, size_t length)
{
    (void)context;
    fwrite(bytes, 1, length, stdout);
}

/* What became of the page, in the format's own way; a picture stays a picture. */
static void tell_page(const struct demo *d)
{
    bool good = sw_demo_app_succeeded(&d->app);
    const char *before = d->options.format == SANWO_TRACE_LADDER ? "  " : "# ";

    if (d->options.format == SANWO_TRACE_JSON) {
        printf("{\"type\":\"page\",\"bytes\":%zu,\"equal\":%s}\n", d->options.bytes,
               good ? "true" : "false");
    } else if (d->options.format != SANWO_TRACE_SVG) {
        printf("%sthe page    %zu bytes%s\n", before, d->options.bytes,
               good ? ", equal byte for byte"
                    : (d->options.refuse ? ", not fetched: refused" : ", not all of them arrived"));
    }
}

/* 0, or 1 after saying what went otherwise than it should. */
static int judge(const struct demo *d)
{
    const struct demo_app *app = &d->app;
    struct sanwo_trace_summary s;

    sanwo_trace_summarise(d->trace, &s);
    if (d->options.refuse) {
        if (app->side[DEMO_A].error == SANWO_ECONNREFUSED && s.state[DEMO_A] == SANWO_TCP_CLOSED) {
            return 0;
        }
        fprintf(stderr, "sanwo demo: A was not refused: %s\n",
                sanwo_error_text(app->side[DEMO_A].error));
        return 1;
    }
    if (app->differs) {
        fprintf(stderr, "sanwo demo: the page that arrived is not the one that was sent\n");
        return 1;
    }
    if (!sw_demo_app_succeeded(app)) {
        int error = app->side[DEMO_A].error ? app->side[DEMO_A].error : app->side[DEMO_B].error;
        fprintf(stderr, "sanwo demo: %zu of %zu bytes arrived: %s\n", app->response_received,
                app->response_length, sanwo_error_text(error));
        return 1;
    }
    if (s.state[DEMO_A] != SANWO_TCP_CLOSED || s.state[DEMO_B] != SANWO_TCP_CLOSED || !d->quiet) {
        fprintf(stderr, "sanwo demo: not closed in the end: A is in %s, B in %s\n",
                sanwo_tcp_state_name(s.state[DEMO_A]), sanwo_tcp_state_name(s.state[DEMO_B]));
        return 1;
    }
    return 0;
}

static int tell(const struct demo *d)
{
    struct sanwo_trace_writer writer = {to_stdout, NULL};
    int result = sanwo_trace_render(d->trace, d->options.format, &d->options.style, &writer);

    if (result < 0) {
        return complain("the trace", result);
    }
    tell_page(d);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "sanwo demo: cannot write to standard output: is the disk full?\n");
        return 1;
    }
    return judge(d);
}

int sw_cmd_demo(int argc, char **argv)
{
    struct demo *d;
    struct demo_options options;
    int status;

    if (sw_demo_options(&options, argc, argv, &status) != 0) {
        return status;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL) {
        return complain("cannot begin", SANWO_ENOMEM);
    }
    d->options = options;
    status = build(d);
    if (status == 0) {
        status = run(d);
    }
    if (status == 0) {
        status = tell(d);
    }
    tear_down(d);
    free(d);
    return status;
}
