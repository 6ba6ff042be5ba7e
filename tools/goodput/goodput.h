/*
 * goodput.h - What a path lets through: the parts of `sanwo bench goodput`.
 *
 *        senders                      the path under test                       receivers
 *     our stack  ---.     entry    [ loss, queue, rate, delay, order ]   exit    .--- our stack
 *                    >---- meter -------------- emulator ------------- meter ---<
 *     Linux, TUN ---'                         <---- delay ----                   '--- Linux, TUN
 *
 * A cell says which path and who sends to whom; a world is one run of it. With our stack at both
 * ends time is virtual, so the same cell gives the same figures to the last bit; with Linux at an
 * end it is real, and this process carries the packets between the kernel's TUN devices. Both meters
 * and the queue are the same code whoever sends, so all are measured with one yardstick.
 */
#ifndef SANWO_TOOLS_GOODPUT_H
#define SANWO_TOOLS_GOODPUT_H

#include <stdio.h>

#include <sanwo/driver.h>

enum { MOST_FLOWS = 16, CELL_TEXT = 256 };

/* ---- the cell (cell.c) --------------------------------------------------------------------------- */

enum cell_ends {
    ENDS_OURS = 0,      /* ours to ours, in virtual time */
    ENDS_OURS_TO_LINUX, /* the rest in real time */
    ENDS_LINUX_TO_OURS,
    ENDS_LINUX,
    ENDS_MIXED, /* ours and Linux's by turns, to Linux, through one queue */
    ENDS_COUNT
};

struct cell {
    char text[CELL_TEXT]; /* as it was given */
    enum cell_ends ends;
    uint64_t rate; /* bits a second */
    sanwo_time rtt;
    uint32_t loss;    /* packets lost per million */
    uint32_t burst;   /* mean length of a burst of losses in packets; 0: each by itself */
    uint32_t reorder; /* packets held back per million ... */
    sanwo_time held;  /* ... for so long; 0: see sw_cell_path() */
    uint32_t queue;   /* thousandths of the bandwidth-delay product */
    uint32_t flows;
    int congestion; /* enum sanwo_congestion, or -1: the default */
    char linux_congestion[16];
    uint64_t seed;
    sanwo_time warm, measure; /* before measuring, and while */
    uint32_t short_count;     /* how many transfers of 100 KB */
    bool long_transfer;       /* one of 10 MB */
    bool strict;              /* our receiver throws away what is late, by RFC 7323's letter */
};

/* Reads "KEY=VALUE ..."; what is missing has a default. False: @message says why. */
bool sw_cell_read(struct cell *cell, const char *text, char *message, size_t size);
/* The two ways of the emulator. */
void sw_cell_path(const struct cell *cell, struct sanwo_emulator_path *out,
                  struct sanwo_emulator_path *in);
const char *sw_cell_ends_name(const struct cell *cell);
bool sw_cell_is_real(const struct cell *cell);
/* Payload bits a second that fill the rate, all segments being full and with timestamps. */
double sw_cell_capacity(const struct cell *cell);
/* What the published formulas expect of CUBIC at this loss, all flows together, payload bits a second. */
double sw_cell_model(const struct cell *cell);
/* Whether flow @number is sent by Linux. */
bool sw_cell_from_linux(const struct cell *cell, unsigned number);
bool sw_cell_to_linux(const struct cell *cell);

/* ---- what passes (meter.c) ------------------------------------------------------------------------ */

struct span {
    uint32_t begin, end;
};

/* The data of one flow. Sequence numbers are relative to its SYN's. */
struct meter_flow {
    bool known;
    uint32_t isn, sent_to; /* highest sequence number that entered */
    uint32_t arrived_to;   /* all below it came out ... */
    struct span *spans;    /* ... and these above it, in order */
    size_t span_count, span_size;
    uint64_t segments, again;        /* that entered; of those, sent before */
    uint64_t out_segments, needless; /* that came out; of those, nothing of them was new */
    uint64_t overtaken;              /* that came out after a later one */
    uint64_t fresh;                  /* bytes that came out for the first time */
};

struct meter {
    struct meter_flow flows[MOST_FLOWS];
};

/* A frame enters the path, or comes out of it, towards the receivers. */
void sw_meter_enter(struct meter *meter, const struct sanwo_frame *frame);
void sw_meter_leave(struct meter *meter, const struct sanwo_frame *frame);
void sw_meter_dispose(struct meter *meter);

/* ---- Linux's ends (kernel.c): two namespaces, a TUN device in each ---------------------------------- */

enum side { LEFT = 0, RIGHT };

struct kernel {
    int home;     /* the namespace to come back to */
    int netns[2]; /* or -1 */
    struct sanwo_driver *tuns[2];
    int fds[2]; /* packets of the device; or -1: has none */
    char names[2][16];
};

/* 0 or -errno: the reason was told. */
int sw_kernel_open(struct kernel *kernel, bool left, bool right);
void sw_kernel_close(struct kernel *kernel);
/* A socket of that side's namespace, not blocking. -errno. */
int sw_kernel_socket(const struct kernel *kernel, enum side side);
/* Packets that the device of that side threw away because we did not read in time. */
uint64_t sw_kernel_dropped(const struct kernel *kernel, enum side side);

/* ---- applications (flow.c, flow_ours.c, flow_linux.c) ------------------------------------------------ */

struct world;

/* What both kinds of sender can tell of themselves. */
struct flow_info {
    uint64_t cwnd, ssthresh, in_flight; /* bytes */
    sanwo_time srtt;
    uint64_t resent; /* segments, by their own count */
};

struct flow {
    struct world *world;
    unsigned number;
    bool from_linux, to_linux;
    bool open, failed, ended; /* asked for; broke off; the receiver saw the end */
    uint64_t limit;           /* bytes to send; 0: no end */
    uint64_t sent, received;
    sanwo_time start, done;
    struct sanwo_handle sender, receiver, listener;
    int sender_fd, receiver_fd, listener_fd;
    bool shut;
};

enum { FLOW_PORT = 5000 }; /* of flow 0, at the receiver */

void sw_flow_init(struct flow *flow, struct world *world, unsigned number, uint64_t limit);
bool sw_flow_start(struct flow *flow);
void sw_flow_close(struct flow *flow);
bool sw_flow_info(const struct flow *flow, struct flow_info *out);
/* The receiver got @n bytes more; the end of the stream. */
void sw_flow_got(struct flow *flow, uint64_t n);
void sw_flow_ended(struct flow *flow);
void sw_flow_fail(struct flow *flow, const char *what, int error);
/* Bytes that may still be sent, at most @most. */
size_t sw_flow_rest(const struct flow *flow, size_t most);
extern const uint8_t sw_flow_bytes[1 << 16];

bool sw_ours_listen(struct flow *flow);
bool sw_ours_connect(struct flow *flow);
void sw_ours_event(enum side side, const struct sanwo_event *event);
bool sw_ours_info(const struct flow *flow, struct flow_info *out);

bool sw_linux_listen(struct flow *flow);
bool sw_linux_connect(struct flow *flow);
void sw_linux_ready(struct flow *flow, bool sender);
bool sw_linux_info(const struct flow *flow, struct flow_info *out);
void sw_linux_close(struct flow *flow);

/* ---- a world: one run of a cell (world.c, wire.c) ------------------------------------------------------ */

struct world {
    const struct cell *cell;
    struct kernel *kernel; /* NULL: virtual time */
    sanwo_time now, begun;
    struct {
        struct sanwo_stack *stack; /* NULL: Linux alone */
        void *region;
        size_t region_size;
    } ends[2];
    struct sanwo_driver *path; /* the emulator, perhaps in a recorder */
    struct sanwo_driver *emulator;
    int epoll;
    bool readable[2]; /* the TUN devices */
    struct meter meter;
    struct flow flows[MOST_FLOWS];
    unsigned flow_count;
    bool failed;
    uint64_t late_turns;
    sanwo_time late, latest; /* after a packet was due: sum, and most */
    FILE *samples;
    sanwo_time sample_every, sample_next;
    unsigned run;
};

extern const char *sw_world_record; /* where to write packets down, or NULL */
extern FILE *sw_world_samples;      /* or NULL */
extern uint64_t sw_world_watched;   /* of which run: 0 in bulk, then the transfers */

/* False: the reason was told. Close it all the same. */
bool sw_world_open(struct world *world, const struct cell *cell, struct kernel *kernel,
                   unsigned run);
void sw_world_close(struct world *world);
/* Until @when, or until @flow is over if it is not NULL. False: failed. */
bool sw_world_run(struct world *world, sanwo_time when, const struct flow *flow);
struct sanwo_address sw_world_address(enum side side, bool of_linux);

/* Frames of the left end, and to it (wire.c). How many moved; negative: broken. */
int sw_wire_turn(struct world *world);
/* What the emulator wraps: the receivers. */
struct sanwo_driver *sw_wire_hub(struct world *world);

/* ---- measuring a cell (measure.c), and telling (report.c) ---------------------------------------------- */

struct transfers {
    unsigned count, finished;
    sanwo_time sum, least, most;
    uint64_t again, segments, needless;
};

struct result {
    double flows[MOST_FLOWS]; /* payload bits a second in the measured part */
    double goodput, jain;
    double fill;      /* of the capacity */
    double again;     /* share of segments sent before, in the measured part */
    double again_all; /* of the whole run */
    double needless;  /* share of segments that came out and were there already */
    double overtaken;
    uint64_t segments, segments_all; /* that entered, in the measured part and in the whole run */
    uint64_t lost;
    struct sanwo_emulator_queue queue;
    struct transfers shorts, longs;
    double processor;        /* share of one core that this process used */
    sanwo_time late, latest; /* how late packets left the emulator: mean, most */
    uint64_t dropped;        /* by the kernel's devices: the figures are not the path's */
    sanwo_time elapsed;      /* of the machine's time */
};

bool sw_measure(const struct cell *cell, struct result *result);
void sw_report_json(FILE *out, const struct cell *cell, const struct result *result);
void sw_report_line(FILE *out, const struct cell *cell, const struct result *result);

/* Records or checks figures of the cells listed in a file (guard.c). An exit status. */
int sw_guard_check(const char *path);
int sw_guard_record(const char *path);

int sw_cmd_goodput(int argc, char **argv);

#endif
