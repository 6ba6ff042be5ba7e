/*
 * sanwo/driver.h - Packet pipes: what moves frames between a stack and a wire.
 *
 *     stack <-> pcapng <-> emulator <-> tun <-> wire        each is the `outer` of the one it wraps
 *
 * A driver serves one link of one stack. Wrapping drivers (emulator, pcapng) own the one they wrap.
 * Destroy a driver while its stack's region is still there: frames are given back to it.
 * This library allocates with malloc and makes system calls; the core does neither. One thread at a
 * time uses a driver, the same that uses its stack.
 */
#ifndef SANWO_DRIVER_H
#define SANWO_DRIVER_H

#include <sanwo/sanwo.h>

SANWO_BEGIN

struct sanwo_driver;

struct sanwo_driver_ops {
    const char *name;
    /**
     * Up to @max frames that came in, `link` and `arrival` set. Slices are buffers borrowed from the
     * stack the driver is attached to, or memory of the driver's that stays valid until the next
     * call. Returns how many, 0: none now; -errno if the wire is broken for good.
     */
    int (*receive)(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max, sanwo_time now);
    /**
     * Takes the first k <= @n frames, returns k; sanwo_driver_sent() is called by the driver for each
     * frame once its memory is no longer needed, possibly before returning. k < n: no room now, try
     * again when ready. A frame the wire refuses for good (too long, link down) counts as taken and
     * lost. -errno if the wire is broken for good; then none of these frames was taken.
     */
    int (*transmit)(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                    sanwo_time now);
    /** The descriptor to wait on, or -1. */
    int (*descriptor)(const struct sanwo_driver *d);
    /** When something may move without the descriptor saying so (delays); or NEVER. */
    sanwo_time (*deadline)(const struct sanwo_driver *d);
    void (*destroy)(struct sanwo_driver *d);
    /**
     * Wrappers that hand frames of their own to the driver they wrap: those frames are done with.
     * NULL: frames pass through as they came, and so does this.
     */
    void (*sent)(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n);
};

/** The head of every driver. */
struct sanwo_driver {
    const struct sanwo_driver_ops *ops;
    struct sanwo_link_config link; /* what sanwo_stack_link_add() should be told */
    struct sanwo_stack *stack;     /* set by sanwo_driver_attach() */
    unsigned number;               /* its link number there */
    bool blocked;                  /* transmit() took less than all: wait for the descriptor */
    struct sanwo_driver *inner;    /* the one it wraps, or NULL; set when made */
    struct sanwo_driver *outer;    /* the one that wraps it, or NULL */
};

/**
 * Adds the driver's link to @stack; @d is the outermost, those it wraps learn the stack too. Returns
 * the link's number or -SANWO_E...
 */
SANWO_API int sanwo_driver_attach(struct sanwo_driver *d, struct sanwo_stack *stack);
/** Frees a driver and what it wraps. NULL is nothing. Unsent frames of the stack are given back. */
SANWO_API void sanwo_driver_destroy(struct sanwo_driver *d);
/** For drivers: @d needs the memory of these frames no longer. Tells whoever made them. */
SANWO_API void sanwo_driver_sent(struct sanwo_driver *d, const struct sanwo_frame *frames,
                                 size_t n);

/** Reserves zero-on-touch memory for a region (mmap, not committed); NULL with errno. */
SANWO_API void *sanwo_region_reserve(size_t size);
SANWO_API void sanwo_region_release(void *region, size_t size);
/** 32 bytes of the system's entropy. 0 or -errno. */
SANWO_API int sanwo_seed_from_system(uint8_t seed[32]);
/** CLOCK_MONOTONIC. */
SANWO_API sanwo_time sanwo_time_now(void);

/* ---- pair: two ends in memory ------------------------------------------------------------------- */

/** Two drivers, each the other's wire, bare IP, @queue frames each way (0: 1024); offload flags as given. */
SANWO_API int sanwo_pair_create(uint16_t mtu, uint32_t offload, size_t queue,
                                struct sanwo_driver **a, struct sanwo_driver **b);

/* ---- emulator: a bad network around any driver --------------------------------------------------- */

/** Applies to one direction. All off when zero. Randomness from @seed only. */
struct sanwo_emulator_path {
    sanwo_time delay;         /* each frame */
    sanwo_time jitter;        /* plus uniform [0, jitter), order kept unless reordered */
    uint32_t loss_ppm;        /* frames lost at random, per million */
    uint32_t burst_ppm;       /* chance to enter a burst in which all is lost ... */
    uint32_t burst_exit_ppm;  /* ... and to leave it again, per frame (Gilbert-Elliott) */
    sanwo_time burst_most;    /* ... at the latest after this long; 0: by frames alone */
    uint32_t reorder_ppm;     /* frames that are held back so that later ones overtake them ... */
    sanwo_time reorder_delay; /* ... by this long; 0: a quarter of the delay, at least 1 ms */
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm;  /* one bit flipped somewhere */
    uint32_t truncate_ppm; /* frames that arrive without their end */
    uint32_t spike_ppm;    /* chance that the line stands still: this frame and all behind it ... */
    sanwo_time spike;      /* ... come so much later */
    uint64_t rate;         /* bits a second; 0: unlimited */
    uint32_t queue;        /* bytes waiting for the rate; 0: 256 KiB. Tail drop */
    uint32_t ecn_mark; /* ECT packets that find more bytes than this waiting become CE; 0: none */
    uint16_t mtu;      /* longer IP packets are dropped (none is fragmented); 0: no limit */
    bool too_big;      /* ... and their sender is told by ICMP (RFC 1191, RFC 8201) */
};

/** TCP options that a middlebox takes out: bits of `strip`. */
enum {
    SANWO_STRIP_MSS = 1,
    SANWO_STRIP_WINDOW_SCALE = 2,
    SANWO_STRIP_SACK_PERMITTED = 4,
    SANWO_STRIP_SACK = 8,
    SANWO_STRIP_TIMESTAMPS = 16,
};

/**
 * A middlebox at the stack's door, which TCP segments of both directions pass before the path out
 * and after the wire. All off when zero. It keeps no state: what it does to a connection follows
 * from the seed and the addresses and ports. Checksums are mended by the difference, so a segment
 * that was damaged before stays so. Super-segments that come in are neither split, joined nor reset.
 */
struct sanwo_emulator_middlebox {
    uint32_t strip_syn;      /* SANWO_STRIP_...: overwritten by no-operations in SYN segments ... */
    uint32_t strip_later;    /* ... and in all others */
    bool strip_outward_only; /* both only in what the stack sends */
    uint16_t clamp_mss;      /* a larger MSS in a SYN becomes this; 0: none does */
    bool shift_sequence; /* initial numbers are rewritten, and all numbers and SACK blocks ... */
    bool forget_sack;    /* ... but not the SACK blocks */
    bool bleach_ecn;     /* ECN bits of IP, AE, ECE and CWR of TCP become zero */
    uint32_t split_ppm;  /* segments cut in two */
    uint32_t join_ppm;   /* segments put behind the one before, if that is still on its way */
    uint32_t reset_ppm;  /* segments thrown away, and a reset sent to each end in its place */
};

struct sanwo_emulator_config {
    uint64_t seed;
    struct sanwo_emulator_path out, in; /* what the stack sends; what it receives */
    struct sanwo_emulator_middlebox middlebox;
};

struct sanwo_emulator_stats {
    uint64_t passed, lost, queue_dropped, reordered, duplicated, corrupted; /* both directions */
    uint64_t truncated, spikes, too_big, marked;
    uint64_t rewritten, split, joined, resets; /* by the middlebox */
};

/**
 * Wraps @inner, which belongs to it from now on. The link loses its segmentation offload (frames are
 * treated one by one as the wire would see them) and checksums are completed before a frame is
 * corrupted. -SANWO_ENOMEM, -SANWO_EINVAL (then @inner is still the caller's).
 */
SANWO_API int sanwo_emulator_create(struct sanwo_driver *inner,
                                    const struct sanwo_emulator_config *config,
                                    struct sanwo_driver **out);
SANWO_API void sanwo_emulator_stats(const struct sanwo_driver *emulator,
                                    struct sanwo_emulator_stats *out);

/** What the queue of one direction did to those who passed it. Percentiles exact to a sixteenth. */
struct sanwo_emulator_queue {
    uint64_t packets, dropped;
    uint64_t most_bytes; /* the longest queue that a packet found */
    sanwo_time mean, median, p99,
        most;       /* how long packets waited before their first bit was sent */
    uint64_t bytes; /* waiting now */
};

/** Of what the stack sends (@out true) or receives, since the beginning or the last restart. */
SANWO_API void sanwo_emulator_queue(const struct sanwo_driver *emulator, bool out, sanwo_time now,
                                    struct sanwo_emulator_queue *queue);
/** Both directions count from zero again: a measured phase begins. */
SANWO_API void sanwo_emulator_queue_restart(struct sanwo_driver *emulator);
/** Changes the paths while running. */
SANWO_API void sanwo_emulator_configure(struct sanwo_driver *emulator,
                                        const struct sanwo_emulator_path *out,
                                        const struct sanwo_emulator_path *in);
SANWO_API void sanwo_emulator_set_middlebox(struct sanwo_driver *emulator,
                                            const struct sanwo_emulator_middlebox *middlebox);
/** Drops everything in both directions while false. */
SANWO_API void sanwo_emulator_set_up(struct sanwo_driver *emulator, bool up);

/* ---- tun and tap ------------------------------------------------------------------------------------ */

struct sanwo_tun_config {
    const char *name;             /* of the device; NULL or "": the kernel chooses (sanwo%d) */
    const char *netns;            /* network namespace to make it in (ip netns name); NULL: ours */
    struct sanwo_address address; /* the kernel's end; NONE: the device is configured by others */
    unsigned prefix_length;
    struct sanwo_address address2; /* a second one, of the other family, or NONE */
    unsigned prefix_length2;
    uint16_t mtu;    /* 0: 1500 */
    bool no_offload; /* do not use the virtio-net header (checksum, TSO) */
    uint8_t mac[6];  /* tap: the stack's; all zero: made up */
};

/**
 * Opens /dev/net/tun, makes the device, gives the kernel's end its address and sets it up. On
 * failure returns -errno and writes one line that says what to do next into @message.
 */
SANWO_API int sanwo_tun_create(const struct sanwo_tun_config *config, struct sanwo_driver **out,
                               char *message, size_t message_size);
SANWO_API int sanwo_tap_create(const struct sanwo_tun_config *config, struct sanwo_driver **out,
                               char *message, size_t message_size);

struct sanwo_tun_stats {
    uint64_t frames_in, frames_out;
    uint64_t lost;            /* refused by the kernel: device down, out of memory */
    uint64_t short_of_memory; /* came in while the stack had no buffer to lend */
};

/** Of a tun or tap driver itself, not of what wraps it. */
SANWO_API void sanwo_tun_stats(const struct sanwo_driver *tun, struct sanwo_tun_stats *out);

/* ---- pcapng: writes down what passes ---------------------------------------------------------------- */

/**
 * Wraps @inner and writes every frame of both directions to @path (pcapng, nanoseconds, direction in
 * the block's flags), as it is on the wire: super-segments whole, checksums completed. Timestamps are
 * @epoch plus the stack's time, so virtual time gives identical files. -errno with @message.
 */
SANWO_API int sanwo_pcapng_create(struct sanwo_driver *inner, const char *path, int64_t epoch,
                                  struct sanwo_driver **out, char *message, size_t message_size);

SANWO_END
#endif
