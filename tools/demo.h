/*
 * demo.h - Inside `sanwo demo`: what was asked for, and the two hosts.
 *
 *     demo.c          two stacks, a wire between them, virtual time; prints the trace
 *     demo_options.c  the command line
 *     demo_app.c      who connects, asks, answers and closes, and when
 */
#ifndef TOOLS_DEMO_H
#define TOOLS_DEMO_H

#include <sanwo/driver.h>
#include <sanwo/loop.h>
#include <sanwo/trace.h>

enum { DEMO_A = SANWO_TRACE_A, DEMO_B = SANWO_TRACE_B };

struct demo_options {
    struct sanwo_endpoint end[2]; /* A's port may be 0: chosen by its stack */
    bool isn_is_set[2];
    uint32_t isn[2];
    sanwo_time delay;
    uint32_t loss_ppm;
    uint64_t seed;
    size_t bytes; /* of the page */
    uint16_t mtu;
    enum sanwo_trace_format format;
    struct sanwo_trace_style style;
    bool simultaneous_open, simultaneous_close, refuse;
    const char *pcap; /* file name, or NULL */
};

/* Returns 0, or -1 if the command is over with *status (help, or a mistake that was reported). */
int sw_demo_options(struct demo_options *o, int argc, char **argv, int *status);

/* One end's view of the connection. */
struct demo_side {
    struct sanwo_stack *stack;
    struct sanwo_handle handle; /* of its connection; none before and after */
    bool connected;
    bool saw_end; /* of the peer's stream */
    bool shut;    /* ours was ended */
    int error;    /* what ended the connection, or 0 */
};

struct demo_app {
    const struct demo_options *options;
    struct sanwo_virtual *world;
    struct demo_side side[2];
    struct sanwo_handle listener;
    int timer;     /* B thinks before it closes; or both close at once */
    int ask_timer; /* A asks */
    bool may_ask;
    char request[256];
    size_t request_length;
    size_t request_sent, request_received;
    uint8_t *response; /* head and page */
    size_t response_length, head_length;
    size_t response_sent, response_received;
    bool differs; /* what arrived is not what was sent */
};

/* Makes the page. -SANWO_ENOMEM. */
int sw_demo_app_init(struct demo_app *app, const struct demo_options *options);
void sw_demo_app_free(struct demo_app *app);
/* Opens what is to be opened. 0 or -SANWO_E... */
int sw_demo_app_start(struct demo_app *app, sanwo_time now);
/* The events of either stack; @context is the struct demo_app. */
void sw_demo_app_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                       sanwo_time now);
/* True if the page arrived, whole and equal. */
bool sw_demo_app_succeeded(const struct demo_app *app);

#endif
