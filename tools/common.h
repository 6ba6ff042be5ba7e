/*
 * common.h - What the subcommands of `sanwo` share: their table, options, and a host on a TUN
 * device.
 *
 * A subcommand is int sw_cmd_NAME(int argc, char **argv) in tools/NAME.c, argv[0] being its name.
 * It returns the exit status, 0 only on success; each error is one line on standard error that says
 * what to do next.
 */
#ifndef SANWO_TOOLS_COMMON_H
#define SANWO_TOOLS_COMMON_H

#include <sanwo/loop.h>

int sw_cmd_bench(int argc, char **argv);
int sw_cmd_demo(int argc, char **argv);
int sw_cmd_drill(int argc, char **argv);
int sw_cmd_get(int argc, char **argv);
int sw_cmd_nc(int argc, char **argv);
int sw_cmd_serve(int argc, char **argv);
int sw_cmd_sim(int argc, char **argv);

/* Exit statuses. Those of get are curl's where curl has one. */
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* what has no number of its own */
    STATUS_USAGE = 2,
    STATUS_DEVICE = 3, /* TUN device or permission */
    STATUS_WRITE = 5,
    STATUS_RESOLVE = 6,
    STATUS_CONNECT = 7,
    STATUS_PROTOCOL = 8,
    STATUS_HTTP = 22,
    STATUS_TIMEOUT = 28,
    STATUS_RESET = 56,
    STATUS_INTERRUPTED = 130,
};

/* "sanwo COMMAND: ..." as one line on standard error. Returns @status. */
int sw_complain(const char *command, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- options (options.c) --------------------------------------------------------------------- */

#define MAX_LIST 16

struct option_list {
    const char *items[MAX_LIST + 1]; /* NULL after the last */
    size_t count;
};

enum option_kind {
    OPTION_END = 0,
    OPTION_ON,      /* bool: becomes true */
    OPTION_OFF,     /* bool: becomes false */
    OPTION_TEXT,    /* const char * */
    OPTION_LIST,    /* struct option_list: may be repeated */
    OPTION_NUMBER,  /* uint64_t within [least, most] */
    OPTION_SECONDS, /* sanwo_time; decimals allowed */
    OPTION_MILLISECONDS,
    OPTION_PERCENT, /* uint32_t, per million */
};

struct option_entry {
    enum option_kind kind;
    char letter;          /* 0: has none */
    const char *name;     /* without "--" */
    void *target;         /* of the type above; what it held is the default */
    const char *argument; /* its name in --help; NULL for ON and OFF */
    const char *help;
    uint64_t least, most; /* NUMBER */
};

struct command_help {
    const char *name;     /* "serve" */
    const char *synopsis; /* "DIR [options]" */
    const char *summary;  /* sentences */
    const char *more;     /* after the options: exit statuses; or NULL */
    const char *example;  /* lines, without indentation */
};

/*
 * Reads options of both tables (each ends with OPTION_END; @shared may be NULL) and --help, which
 * need not come before the other arguments; "--" ends them. The others are left in argv[1..*count].
 * False: the command is over with *status, and everything was said.
 */
bool sw_options_read(const struct command_help *help, const struct option_entry *own,
                     const struct option_entry *shared, int argc, char **argv, int *count,
                     int *status);

/* ---- a host on a TUN device (host.c) --------------------------------------------------------- */

struct host_options {
    const char *tun, *netns, *pcap;
    struct option_list addresses, peers;
    uint64_t mtu, memory, seed;
    bool no_offload, trace;
    sanwo_time delay, jitter;
    uint32_t loss, reorder, duplicate, corrupt;
};

#define HOST_OPTION_COUNT 17

/* The defaults, and the table of options that fill @o. */
void sw_host_options(struct host_options *o, struct option_entry table[HOST_OPTION_COUNT]);

#define HOST_MAX_ADDRESSES MAX_LIST

struct host {
    const char *command;
    void *region;
    size_t region_size;
    struct sanwo_stack *stack;
    struct sanwo_driver *driver;
    struct sanwo_loop *loop;
    struct sanwo_address addresses[HOST_MAX_ADDRESSES]; /* ours */
    unsigned prefix_lengths[HOST_MAX_ADDRESSES];
    size_t address_count;
    struct sanwo_address peers[2]; /* the kernel's; NONE: has none */
    unsigned peer_lengths[2];
    sanwo_time round_trip; /* what the emulator adds */
};

/*
 * Makes device, stack and loop; events go to @callback. 0, or the exit status: the error was told
 * and nothing needs closing. @h must stay where it is.
 */
int sw_host_open(struct host *h, const char *command, const struct host_options *o,
                 sanwo_event_callback callback, void *context);
void sw_host_close(struct host *h);
/*
 * Turns the loop until the stack has said its goodbyes (no connection but those in TIME-WAIT) and
 * the emulator has let them pass, at most for @patience and two round trips through the emulator.
 */
void sw_host_settle(struct host *h, sanwo_time patience);
/* Addresses of @name, by the host's resolver, of families that we have. How many, 0: none. */
int sw_host_resolve(const struct host *h, const char *name, struct sanwo_address *out, int max);
/*
 * From now on SIGINT and SIGTERM stop the loop; a second one ends the process. How many came so
 * far:
 */
void sw_host_catch_signals(struct host *h);
int sw_host_signals(void);
/* The exit status for an error that ended a connection. */
int sw_host_status(int error);

#endif
