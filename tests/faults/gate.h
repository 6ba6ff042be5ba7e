/*
 * gate.h - A driver that misbehaves, between a host of a world and its wire; and an Ethernet.
 *
 *     stack -- watch -- [ gate ] -- emulator -- pair          gate_put()
 *     stack ----------- [ gate ] -- emulator -- pair          lan_create(): a second link
 *
 * Outward it copies what it is given. It gives frames back at once, or holds them (D-02) and looks
 * whether their bytes are still the same when it does; it may take nothing, or a few at a time
 * (E-02). Inward every frame lies in memory of its own, exactly as long as it is, which is
 * overwritten when the stack has returned (D-06); or in buffers borrowed from the stack. Hooks see
 * all frames as flat bytes and may change, drop, or add some.
 */
#ifndef TESTS_FAULTS_GATE_H
#define TESTS_FAULTS_GATE_H

#include "faults.h"

struct gate_packet {
    struct gate_packet *next;
    struct sanwo_frame frame; /* offload fields; the slices when it is handed in */
    uint32_t length;          /* may be changed, up to `room` */
    uint32_t room;
    uint8_t *bytes;
};

struct gate;

/** Returns false if the packet is lost. */
typedef bool (*gate_hook)(void *context, struct gate *g, struct gate_packet *p, sanwo_time now);

/** How payload is cut into slices on its way in. */
enum gate_slices {
    GATE_WHOLE = 0, /* one slice */
    GATE_BROKEN,    /* headers, then pieces of odd lengths, some of them empty */
    GATE_BORROWED,  /* in a buffer of the stack's, as TUN does it */
};

struct gate {
    struct sanwo_driver driver;
    struct world *world;
    unsigned side;
    struct chance chance;
    /* outward */
    uint64_t refuse;       /* so many calls take nothing, a microsecond apart */
    sanwo_time shut_until; /* nothing is taken before */
    size_t most;           /* frames that one call takes; 0: all */
    bool hold;             /* frames are given back by gate_release() only */
    uint64_t calls, refused_calls, frames_out;
    uint64_t held; /* now */
    struct gate_held *first_held;
    uint64_t changed; /* frames whose bytes had changed while they were lent */
    sanwo_time ready_at;
    /* inward */
    enum gate_slices slices;
    uint32_t trailer;   /* so many bytes behind each packet, as an Ethernet pads */
    bool reverse;       /* what came at one instant is handed in last first */
    bool deaf;          /* nothing is taken from the wire */
    size_t merge;       /* TCP segments that follow one another become one, up to so many */
    bool claim_whole;   /* and nothing says that it was segments: packets longer than the link */
    uint64_t merged;    /* segments that were put behind another */
    uint64_t no_buffer; /* packets dropped because the stack lent none */
    struct gate_packet *waiting, **waiting_end; /* to be handed in */
    struct gate_packet *handed;                 /* that the stack looks at now */
    gate_hook out, in;
    void *context;
};

/** Puts a gate into the one link of host @side. It goes when the world goes. */
struct gate *gate_put(struct world *w, unsigned side);
/** Gives back held frames, @n at most, in any order if @shuffled. */
void gate_release(struct gate *g, size_t n, bool shuffled);
/** Hands @length bytes to the stack with the next receive. */
void gate_inject(struct gate *g, const void *bytes, uint32_t length);
/** Mends the checksum of a TCP segment over IPv4 (and its header's) that a hook has changed. */
void gate_mend(struct gate_packet *p);
/** The same of any IPv4 packet, its header only. */
void gate_mend_ip(struct gate_packet *p);
/** The TCP header of an IPv4 packet without a link header, or NULL if it is none. */
uint8_t *gate_tcp(const struct gate_packet *p, uint32_t *header_length, uint32_t *payload);

/* ---- an Ethernet ------------------------------------------------------------------------------- */

/** A second link between the hosts of a world, over which it opens connections from now on. */
struct lan {
    struct world *world;
    struct gate *gate[2];
    struct sanwo_driver *emulator[2];
    struct sanwo_address address[2];
};

struct lan_config {
    uint8_t kind; /* enum sanwo_link_kind */
    uint16_t mtu; /* 0: 1500 */
    sanwo_time delay;
    bool distrust;    /* distrust_checksums */
    uint32_t offload; /* only without an emulator in between: `direct` */
    bool direct;
};

void lan_create(struct lan *lan, struct world *w, const struct lan_config *config);
/** Before world_destroy(). */
void lan_destroy(struct lan *lan);

#endif
