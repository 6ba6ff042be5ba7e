/*
 * world.h - The stack under test, the wire it hangs on, and the clock that both obey.
 *
 *     inbound bytes -> feed (a driver) -> stack -> feed -> queue of packets with their times
 *                                           |
 *                                        observer -> what happened lately, and each connection's state
 *
 * Time is the script's: it moves only when sw_drill_world_advance() is called, from one deadline of
 * the stack to the next.
 */
#ifndef SANWO_TOOLS_DRILL_WORLD_H
#define SANWO_TOOLS_DRILL_WORLD_H

#include <sanwo/driver.h>

#define DRILL_HISTORY 12 /* how many events a failure shows */
#define DRILL_PEERS 64   /* connections whose state is remembered */

/** A packet that the stack sent. */
struct drill_emitted {
    sanwo_time when;
    size_t offset, length; /* in the world's `bytes` */
};

/** What the observer knows of a connection, also after its user let go of it. */
struct drill_peer {
    struct sanwo_endpoint local, remote;
    uint8_t state, last_state; /* the one before CLOSED */
    uint16_t reason;           /* of the last change */
    uint32_t data_segments_in, data_segments_out;
    sanwo_time data_in, data_out, ack_in, ack_out; /* the last of each; -1: none */
    uint32_t losses;
    uint32_t zero_windows;
};

/** One thing that happened, kept for the failure's report. */
struct drill_happening {
    struct sanwo_observation what;
    uint8_t options[40];
};

/** Calls that sleep in the stack: asked after everything that may have woken them. */
struct drill_sleepers {
    bool (*resume)(void *context);         /* true: one of them went on */
    sanwo_time (*deadline)(void *context); /* when one wants to be asked again */
    void (*event)(void *context, const struct sanwo_event *event);
    void *context;
};

struct drill_world {
    void *region; /* reused by one stack after the other */
    size_t region_size;
    struct sanwo_stack *stack;
    struct sanwo_driver *driver; /* the feed, or what records it */
    struct sanwo_frame incoming; /* what the feed hands in next */
    bool has_incoming;
    sanwo_time now;
    bool stuck; /* the stack's deadline does not move: a bug of the stack */

    uint8_t *bytes; /* of all packets sent */
    size_t bytes_used, bytes_size;
    struct drill_emitted *emitted;
    size_t emitted_count, emitted_size, taken; /* those before `taken` were looked at */

    struct drill_happening history[DRILL_HISTORY];
    uint64_t happened;
    struct drill_peer peers[DRILL_PEERS];
    size_t peer_count;
    struct drill_sleepers sleepers;
    void (*trace)(void *context, const struct sanwo_observation *what); /* or NULL */
    void *trace_context;
};

struct drill_world_config {
    uint16_t mtu;
    struct sanwo_address local;
    unsigned prefix_length;
    struct sanwo_tcp_config tcp;
    const char *pcap; /* file to record to, or NULL */
};

/** Reserves the region, once for many stacks. False: no memory. */
bool sw_drill_world_init(struct drill_world *w);
void sw_drill_world_free(struct drill_world *w);

/** A new stack at time 0 with one link. False with a @message. */
bool sw_drill_world_begin(struct drill_world *w, const struct drill_world_config *config,
                          char *message, size_t message_size);
/** Ends it; what it sent may still be read until the next one begins. */
void sw_drill_world_end(struct drill_world *w);

/** One packet for the stack, now. */
void sw_drill_world_inject(struct drill_world *w, const uint8_t *packet, size_t length);
/** Lets the stack, and those who sleep in it, do all that is to be done now. */
void sw_drill_world_settle(struct drill_world *w);
/** Goes on to @until; everything due before and then happens on the way. */
void sw_drill_world_advance(struct drill_world *w, sanwo_time until);
/** One step: to the next deadline, at most to @limit. False: nothing is due until then. */
bool sw_drill_world_step(struct drill_world *w, sanwo_time limit);
/** The next packet sent and not taken yet, or NULL. */
const struct drill_emitted *sw_drill_world_next(const struct drill_world *w);

/** What is known of the connection, or NULL. @remote NULL: the last one with that local port. */
struct drill_peer *sw_drill_world_peer(struct drill_world *w, const struct sanwo_endpoint *local,
                                       const struct sanwo_endpoint *remote);

#endif
