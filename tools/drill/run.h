/*
 * run.h - One script against one stack: what is shared by those who take part in it.
 *
 *     run.c      from text to verdict      event.c     the events and their times
 *     call*.c    socket calls              shell*.c    command lines
 *     info.c     tcpi_* variables          code.c      the assertions over them
 *     world.c    stack, wire and clock     explain.c   what a failure shows
 */
#ifndef SANWO_TOOLS_DRILL_RUN_H
#define SANWO_TOOLS_DRILL_RUN_H

#include "descriptor.h"
#include "packet.h"
#include "profile.h"
#include "script.h"
#include "world.h"

struct drill_python;

/** What the command line says; the same for all scripts. */
struct drill_settings {
    const char *profile; /* its name, or "auto" */
    const struct drill_define *defines;
    size_t define_count;
    const struct drill_option
        *options; /* in packetdrill's spelling; they prevail over a script's */
    size_t option_count;
    const char *pcap; /* folder for recordings, or NULL */
    bool dry_run;     /* read the script only */
    bool verbose;     /* tell everything that happens */
    bool strict;      /* packets that no event takes are a failure */
};

/** What the options of a script, its profile and the command line come to. */
struct drill_conditions {
    struct sw_profile profile;
    uint16_t mtu;
    uint8_t wire_family;   /* SANWO_FAMILY_... of packets */
    uint8_t socket_family; /* of socket(...): 4, or 6 also for mapped addresses */
    struct sanwo_address local, remote;
    unsigned prefix_length;
    bool script_is_done;  /* options that come now are of the command line */
    uint8_t named_wire;   /* the family that the script asks for, or 0 */
    uint8_t named_socket; /* ... for its sockets: by --ip_version only, or 0 */
    uint16_t bind_port, connect_port;
    sanwo_time tolerance;
    double tolerance_percent;
    sanwo_time ts_tick;
    bool strict_segments; /* a segment of the script is one on the wire, not several that follow */
    bool forgive_packets, forgive_calls; /* --non_fatal: a difference is told and no failure */
};

enum drill_verdict { DRILL_PASSED, DRILL_FAILED, DRILL_SKIPPED };

#define DRILL_MESSAGE 1024
#define DRILL_DETAIL 8192
#define DRILL_PENDING 16

/** A text that grows; what does not fit is left out. */
struct drill_buffer {
    char *text;
    size_t length, size;
};

/** A call that was begun; it is asked again until it is done. */
struct drill_pending {
    bool used;
    const struct drill_event *event;
    sanwo_time begun;
    sanwo_time due;      /* when it must return: blocking calls; as the script says */
    sanwo_time deadline; /* when it wants to be asked again: timeouts */
    unsigned stage;      /* the call's own: how far it is */
    size_t done;         /* bytes so far */
    int64_t result;
    int error;                     /* errno when result is -1 */
    char complaint[DRILL_MESSAGE]; /* what is wrong with its out-parameters */
};

struct drill_run {
    const struct drill_settings *settings;
    struct drill_conditions conditions;
    struct drill_script *script;
    struct drill_world *world;
    struct drill_wire wire;
    bool begun;                  /* the world has a stack */
    struct sanwo_tcp_config tcp; /* what sockets start with: the profile and the sysctls so far */
    struct drill_socket sockets[DRILL_SOCKETS];
    int under_test; /* index of the socket that %{ }% asks, or -1 */
    struct drill_pending pending[DRILL_PENDING];
    struct drill_buffer code;  /* the Python program so far */
    struct drill_buffer trace; /* with --verbose */
    struct drill_python *python;
    unsigned nested;                                     /* depth of command files */
    bool no_fast_client, no_fast_server, fast_listeners; /* net.ipv4.tcp_fastopen */
    char congestion[16]; /* the algorithm that the script asks for instead of ours; or empty */

    enum drill_verdict verdict;
    unsigned line;
    char message[DRILL_MESSAGE];
    struct drill_buffer detail;
    bool decided; /* failed or skipped: nothing more is done */
};

/** The first verdict stands. @line 0: none. */
void sw_drill_fail(struct drill_run *run, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sw_drill_skip(struct drill_run *run, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sw_drill_append(struct drill_buffer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sw_drill_append_free(struct drill_buffer *t);

/** What became of a script; the texts are the caller's to free. */
struct drill_result {
    enum drill_verdict verdict;
    unsigned line;
    sanwo_time took; /* real time */
    char *message;   /* one line */
    char *detail;    /* several, or empty */
};

void sw_drill_result_free(struct drill_result *result);

/**
 * Runs the script of that file. @world and @python (which may be NULL: then scripts with code are
 * skipped) are reused from script to script.
 */
void sw_drill_run_file(const char *path, const struct drill_settings *settings,
                       struct drill_world *world, struct drill_python *python,
                       struct drill_result *result);

/** As above, for a text in memory; @path is for messages. */
void sw_drill_run_text(const char *path, const char *text, size_t length,
                       const struct drill_settings *settings, struct drill_world *world,
                       struct drill_python *python, struct drill_result *result);

/* ---- between the files of a run ---------------------------------------------------------------- */

/** Makes the stack if there is none yet: after the shell line that may change its options. */
bool sw_drill_begin(struct drill_run *run);
/** Takes an option in packetdrill's spelling. False: the run is decided. */
bool sw_drill_take_option(struct drill_run *run, const struct drill_option *option);
/** The conditions without any option. */
void sw_drill_conditions_default(struct drill_run *run, const struct sw_profile *profile);
/** The algorithm of congestion control that the script names; ours stays for one we lack. False: there is no such. */
bool sw_drill_congestion(struct drill_run *run, const char *name, uint8_t *algorithm);
/** Completes addresses after the last option. False: the run is decided. */
bool sw_drill_conditions_finish(struct drill_run *run);

/** Within tolerance? @since: the time that a percentage counts from. */
bool sw_drill_on_time(const struct drill_run *run, sanwo_time expected, sanwo_time end,
                      sanwo_time actual, sanwo_time since);

/** What a failure shows below its message: packets, states, history. */
void sw_drill_explain_packets(struct drill_run *run, const struct drill_event *event,
                              sanwo_time expected, const struct drill_seen *seen);
void sw_drill_explain(struct drill_run *run);
/** One thing that happened, as a line without its end. */
void sw_drill_describe(const struct drill_run *run, const struct sanwo_observation *what,
                       const uint8_t *options, char *out, size_t size);

#endif
