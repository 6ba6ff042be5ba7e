/*
 * world.c - One run of a cell: stacks, path and flows, and the clock that drives them.
 *
 *     turn: frames, events of both stacks; readiness of Linux's sockets and devices
 *     then: virtual time jumps to the earliest deadline; real time sleeps until it, or until epoll tells
 *
 * Sleeping is as exact as the kernel allows: epoll with nanoseconds, no timer slack, and the last few
 * microseconds are waited for awake.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../common.h"

#define BUDGET (UINT64_C(1) << 30)
#define AWAKE SANWO_USEC(15)
#define LONGEST_SLEEP SANWO_MSEC(100)

enum { PREFIX = 16, EVENTS = 64, MOST_TURNS = 100000, MTU = 1500 };

const char *sw_world_record;
FILE *sw_world_samples;
uint64_t sw_world_watched;

/* 10.66.1.1 and 10.66.2.1 are Linux's, 10.66.3.1 and 10.66.4.1 ours. */
struct sanwo_address sw_world_address(enum side side, bool of_linux)
{
    return sanwo_address_ipv4(10, 66, (uint8_t)(1 + side + (of_linux ? 0 : 2)), 1);
}

/* ---- making ------------------------------------------------------------------------------------ */

static void configure(struct sanwo_stack_config *c, const struct world *w, enum side side)
{
    uint64_t seed = w->cell->seed * 64 + w->run;

    sanwo_stack_config_default(c);
    c->budget = BUDGET; /* memory shall not be what is measured; buffers are the default ones */
    c->max_connections = 1024;
    c->deterministic = true;
    memcpy(c->seed, &seed, sizeof seed);
    c->seed[31] = (uint8_t)side;
    if (w->cell->strict && side == RIGHT) /* as Linux does, which has no such tolerance */
        c->tcp.paws_tolerance = 0;
    if (w->cell->congestion >= 0)
        c->tcp.congestion = (uint8_t)w->cell->congestion;
}

static bool make_end(struct world *w, enum side side)
{
    struct sanwo_link_config link = {.name = "path", .kind = SANWO_LINK_IP, .mtu = MTU};
    struct sanwo_address address = sw_world_address(side, false);
    struct sanwo_stack_config config;
    int result;

    configure(&config, w, side);
    w->ends[side].region_size = sanwo_stack_region_size(&config);
    w->ends[side].region = sanwo_region_reserve(w->ends[side].region_size);
    if (w->ends[side].region == NULL) {
        sw_complain("bench goodput", 0, "no memory for a stack of %zu bytes",
                    w->ends[side].region_size);
        return false;
    }
    result = sanwo_stack_create(w->ends[side].region, w->ends[side].region_size, &config, w->now,
                                &w->ends[side].stack);
    if (result == 0)
        result = sanwo_stack_link_add(w->ends[side].stack, &link);
    if (result >= 0)
        result = sanwo_stack_address_add(w->ends[side].stack, 0, &address, PREFIX);
    if (result < 0)
        sw_complain("bench goodput", 0, "cannot make a stack: %s", sanwo_error_text(result));
    return result >= 0;
}

static bool make_path(struct world *w)
{
    struct sanwo_emulator_config config = {.seed = w->cell->seed * 1000003 + w->run};
    struct sanwo_driver *hub = sw_wire_hub(w);
    char message[256];
    int result;

    sw_cell_path(w->cell, &config.out, &config.in);
    result = hub != NULL ? sanwo_emulator_create(hub, &config, &w->emulator) : -SANWO_ENOMEM;
    if (result < 0) {
        sw_complain("bench goodput", 0, "cannot make the path of '%s': %s", w->cell->text,
                    sanwo_error_text(result));
        sanwo_driver_destroy(hub);
        return false;
    }
    w->path = w->emulator;
    if (sw_world_record == NULL || w->run != sw_world_watched)
        return true;
    result =
        sanwo_pcapng_create(w->emulator, sw_world_record, 0, &w->path, message, sizeof message);
    if (result < 0)
        sw_complain("bench goodput", 0, "%s", message);
    return result >= 0;
}

static bool watch_devices(struct world *w)
{
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0) {
        sw_complain("bench goodput", 0, "cannot wait for the kernel: epoll: %s", strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = i};

        w->readable[i] = w->kernel->fds[i] >= 0; /* the last run may have left something */
        if (w->readable[i])
            epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->kernel->fds[i], &event);
    }
    prctl(PR_SET_TIMERSLACK, 1);
    return true;
}

bool sw_world_open(struct world *w, const struct cell *cell, struct kernel *kernel, unsigned run)
{
    bool made;

    memset(w, 0, sizeof *w);
    w->cell = cell;
    w->kernel = kernel;
    w->run = run;
    w->epoll = -1;
    w->now = w->begun = kernel != NULL ? sanwo_time_now() : SANWO_SEC(1000);
    w->flow_count = cell->flows;
    w->sample_next = SANWO_TIME_NEVER;
    for (unsigned i = 0; i < MOST_FLOWS; i++)
        sw_flow_init(&w->flows[i], w, i, 0);
    made = make_path(w);
    if (cell->ends == ENDS_OURS || cell->ends == ENDS_OURS_TO_LINUX || cell->ends == ENDS_MIXED)
        made = made && make_end(w, LEFT);
    if (!sw_cell_to_linux(cell))
        made = made && make_end(w, RIGHT);
    if (kernel != NULL)
        made = made && watch_devices(w);
    w->failed = !made;
    if (sw_world_samples != NULL && run == sw_world_watched) {
        w->samples = sw_world_samples;
        w->sample_every = cell->rtt / 4 > SANWO_MSEC(5) ? cell->rtt / 4 : SANWO_MSEC(5);
        w->sample_next = w->now;
    }
    return made;
}

/* What the kernel's sockets still say to each other must not meet the next run. */
static void drain_devices(struct world *w)
{
    uint8_t bytes[2048];

    for (unsigned i = 0; i < 2; i++)
        while (w->kernel->fds[i] >= 0 && read(w->kernel->fds[i], bytes, sizeof bytes) > 0)
            continue;
}

void sw_world_close(struct world *w)
{
    for (unsigned i = 0; i < MOST_FLOWS; i++)
        sw_flow_close(&w->flows[i]);
    sanwo_driver_destroy(w->path);
    for (unsigned i = 0; i < 2; i++)
        sanwo_region_release(w->ends[i].region, w->ends[i].region_size);
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->kernel != NULL)
        drain_devices(w);
    sw_meter_dispose(&w->meter);
}

/* ---- running ------------------------------------------------------------------------------------- */

static int serve_events(struct world *w)
{
    struct sanwo_event events[EVENTS];
    int moved = 0;

    for (unsigned side = 0; side < 2; side++) {
        size_t n = 0;

        if (w->ends[side].stack != NULL)
            n = sanwo_stack_events(w->ends[side].stack, events, EVENTS);
        for (size_t i = 0; i < n; i++)
            sw_ours_event((enum side)side, &events[i]);
        moved += (int)n;
    }
    return moved;
}

static void sample(struct world *w)
{
    struct sanwo_emulator_queue queue;

    sanwo_emulator_queue(w->emulator, true, w->now, &queue);
    for (unsigned i = 0; i < w->flow_count; i++) {
        struct flow_info info;

        if (!w->flows[i].open || !sw_flow_info(&w->flows[i], &info))
            continue;
        fprintf(w->samples, "%.6f\t%u\t%llu\t%llu\t%llu\t%lld\t%llu\t%llu\t%llu\n",
                (double)(w->now - w->begun) / 1e9, i, (unsigned long long)info.cwnd,
                (unsigned long long)info.ssthresh, (unsigned long long)info.in_flight,
                (long long)info.srtt / 1000, (unsigned long long)w->flows[i].received,
                (unsigned long long)queue.bytes, (unsigned long long)info.resent);
    }
    w->sample_next = w->now + w->sample_every;
}

static void note_lateness(struct world *w, sanwo_time due)
{
    if (due > w->now)
        return;
    w->late_turns++;
    w->late += w->now - due;
    if (w->now - due > w->latest)
        w->latest = w->now - due;
}

/* How much moved; negative: broken. */
static int turn(struct world *w)
{
    int moved;

    if (w->kernel != NULL)
        note_lateness(w, w->path->ops->deadline(w->path));
    moved = sw_wire_turn(w);
    if (moved < 0) {
        sw_complain("bench goodput", 0, "the path broke: %s", strerror(-moved));
        return moved;
    }
    moved += serve_events(w);
    if (w->now >= w->sample_next)
        sample(w);
    return moved;
}

static sanwo_time next_deadline(const struct world *w)
{
    sanwo_time next = w->path->ops->deadline(w->path);

    for (unsigned i = 0; i < 2; i++) {
        sanwo_time stack =
            w->ends[i].stack != NULL ? sanwo_stack_deadline(w->ends[i].stack) : SANWO_TIME_NEVER;

        next = stack < next ? stack : next;
    }
    return w->sample_next < next ? w->sample_next : next;
}

static void wait_with_kernel(struct world *w, sanwo_time timeout)
{
    struct epoll_event events[EVENTS];
    struct timespec t = {.tv_nsec = timeout > 0 ? (long)timeout : 0};
    int n = (int)syscall(SYS_epoll_pwait2, w->epoll, events, EVENTS, &t, NULL, 0);

    if (n < 0 && errno != EINTR) {
        sw_complain("bench goodput", 0,
                    "cannot wait exactly (epoll_pwait2, which needs Linux 5.11): %s",
                    strerror(errno));
        w->failed = true;
    }
    for (int i = 0; i < n; i++) {
        uint32_t what = events[i].data.u32;

        if (what < 2)
            w->readable[what] = true;
        else
            sw_linux_ready(&w->flows[what / 2 - 1], what % 2 == 1);
    }
}

/* Real time: sleeps if nothing moved, and looks what the kernel has. */
static void wait_really(struct world *w, int moved, sanwo_time until)
{
    sanwo_time next = next_deadline(w), timeout;

    if (next > until)
        next = until;
    timeout = next - w->now;
    if (moved > 0 || w->readable[LEFT] || w->readable[RIGHT] || timeout < AWAKE)
        timeout = 0;
    else
        timeout = timeout > LONGEST_SLEEP ? LONGEST_SLEEP : timeout - AWAKE / 2;
    wait_with_kernel(w, timeout);
    w->now = sanwo_time_now();
}

/* Virtual time: jumps if nothing moved. False: no end of work at one instant. */
static bool wait_virtually(struct world *w, int moved, sanwo_time until, unsigned *turns)
{
    sanwo_time next = next_deadline(w);

    if (moved > 0 || next <= w->now)
        return ++*turns < MOST_TURNS;
    *turns = 0;
    w->now = next < until ? next : until;
    return true;
}

bool sw_world_run(struct world *w, sanwo_time until, const struct flow *flow)
{
    unsigned turns = 0;

    while (w->now < until && !w->failed) {
        int moved = turn(w);

        if (moved < 0) {
            w->failed = true;
            break;
        }
        if (flow != NULL && (flow->done != 0 || flow->failed))
            break;
        if (w->kernel != NULL) {
            wait_really(w, moved, until);
        } else if (!wait_virtually(w, moved, until, &turns)) {
            sw_complain("bench goodput", 0, "no end of work at one instant, in: %s", w->cell->text);
            w->failed = true;
        }
    }
    return !w->failed;
}
