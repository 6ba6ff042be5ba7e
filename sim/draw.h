/*
 * draw.h - Drawing a world: all its parameters, from a seed, its number, and the kinds of fault allowed.
 *
 * Each kind draws from a generator of its own, so that leaving one out changes nothing about the
 * others: a failing world is made smaller by leaving out kind after kind.
 */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include "world.h"

/* X(NAME, "name", "what it is"). */
#define SIM_FAULTS(X)                                                                              \
    X(LOSS, "loss", "frames lost at random")                                                       \
    X(BURST, "burst", "bursts of losses (Gilbert-Elliott)")                                        \
    X(REORDER, "reorder", "frames overtaken by later ones")                                        \
    X(DUPLICATE, "duplicate", "frames that come twice")                                            \
    X(CORRUPT, "corrupt", "a bit flipped")                                                         \
    X(TRUNCATE, "truncate", "frames without their end")                                            \
    X(JITTER, "jitter", "delays that vary")                                                        \
    X(SPIKE, "spike", "the line stands still for a moment")                                        \
    X(RATE, "rate", "a slow line with a short or a very long queue, other than the way back")      \
    X(MTU, "mtu", "a narrower link on the path, told by Packet Too Big, and gone again")           \
    X(SILENT_MTU, "silent-mtu", "the same, and nobody tells")                                      \
    X(BLACKOUT, "blackout", "nothing arrives for a while")                                         \
    X(ONE_WAY, "one-way", "nothing arrives in one direction for a while")                          \
    X(FLAP, "flap", "a host's link goes down and up again")                                        \
    X(STRIP, "strip", "SYN options, or SACK blocks, taken out both ways")                          \
    X(STRIP_ODD, "strip-odd", "options taken out one way only, or timestamps after the SYN")       \
    X(SHIFT, "shift", "initial sequence numbers rewritten")                                        \
    X(SHIFT_SACK, "shift-sack", "the same, and the SACK blocks forgotten")                         \
    X(CLAMP, "clamp", "MSS clamped")                                                               \
    X(BLEACH, "bleach", "ECN bits cleared")                                                        \
    X(SPLIT, "split", "segments split")                                                            \
    X(JOIN, "join", "segments joined")                                                             \
    X(RESET, "reset", "resets made up by a proxy")                                                 \
    X(REBOOT, "reboot", "a host starts anew")                                                      \
    X(JUMP, "jump", "the clock jumps, by up to 49 days")                                           \
    X(LATE, "late", "nobody is served for a moment")                                               \
    X(MEMORY, "memory", "small budgets")                                                           \
    X(REFUSE, "refuse", "allocations refused")                                                     \
    X(OPTIONS, "options", "other than default options, buffers and sequence numbers")              \
    X(ABORT, "abort", "applications abort")                                                        \
    X(CLOSE, "close", "applications close without reading on")                                     \
    X(SLOW, "slow", "applications stall, and read and write little at a time")                     \
    X(BOTH, "both", "simultaneous opens")                                                          \
    X(URGENT, "urgent", "urgent data")                                                             \
    X(DIRECT, "direct", "no network: stacks meet with offload, super-segments whole")              \
    X(SENDER, "sender", "other congestion control, pacing, probes, buffers that follow the path")  \
    X(ECN, "ecn", "explicit congestion notification, and queues that mark")                        \
    X(FAST_OPEN, "fast-open", "data in SYN segments")                                              \
    X(PEERS, "peers", "what connections measured is left to later ones")

enum sim_fault {
#define SIM_FAULT_ENUM(name, text, meaning) SIM_##name,
    SIM_FAULTS(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
        SIM_FAULT_COUNT
};

#define SIM_BIT(fault) (UINT64_C(1) << (fault))
#define SIM_ALL (SIM_BIT(SIM_FAULT_COUNT) - 1)

const char *sim_fault_name(unsigned fault);
const char *sim_fault_meaning(unsigned fault);
/** Reads "loss,reorder". False: *wrong is where the unknown name begins. */
bool sim_faults_parse(const char *text, uint64_t *out, const char **wrong);
/** Writes such a list ("none" for none); at most @size bytes with the NUL. Returns @out. */
char *sim_faults_format(uint64_t faults, char *out, size_t size);

enum { SIM_MOST_EPISODES = 48 };

enum sim_act {
    SIM_PATHS,  /* the faults of paths and middlebox begin; `value` is a mask of what is dark */
    SIM_NARROW, /* `value` is the MTU; 0: as wide as before. `side` 1: and nobody tells */
    SIM_LINK,   /* host `side`'s link: `value` 0 down, 1 up */
    SIM_BOOT,
    SIM_CLOCK, /* jumps by `time` */
};

struct sim_episode {
    sanwo_time at; /* since the faults began */
    uint8_t act;   /* enum sim_act */
    uint8_t side;
    uint16_t value;
    sanwo_time time;
};

struct sim_draw {
    uint64_t seed, number;
    uint64_t faults;            /* bits of the kinds that this world has */
    struct world_config config; /* the network as it is while all is well */
    struct sanwo_emulator_path bad[2];
    struct sanwo_emulator_middlebox box;
    unsigned talks;
    uint64_t most_bytes; /* of one direction of a talk */
    sanwo_time span;     /* talks are opened during so long */
    sanwo_time faulty;   /* and faults last so long */
    uint32_t fault_every[2];
    struct sim_episode episodes[SIM_MOST_EPISODES];
    size_t episode_count;
    bool may_time_out; /* what a talk that wants to end in order may end with instead */
    bool may_be_reset;
    bool links_go; /* EHOSTUNREACH where ETIMEDOUT would do */
    bool may_fail; /* with any named error */
};

/** World @number of @seed, with no kinds but those of @allowed. */
void sim_draw(struct sim_draw *d, uint64_t seed, uint64_t number, uint64_t allowed);
/** How its hosts send: the last four kinds. */
void sim_draw_senders(struct sim_draw *d);
/** What the opener and the acceptor of the next talk do. */
void sim_draw_plans(const struct sim_draw *d, struct chance *c, struct world_plan plans[2]);

#endif
