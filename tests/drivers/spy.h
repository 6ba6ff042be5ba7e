/*
 * spy.h - A driver around the one under test that only watches what is given back, and packets to
 * send.
 */
#ifndef TESTS_DRIVERS_SPY_H
#define TESTS_DRIVERS_SPY_H

#include <string.h>

#include <sanwo/driver.h>

struct spy {
    struct sanwo_driver driver;
    size_t sent;         /* frames given back */
    const uint8_t *last; /* bytes of the last of them */
};

static inline void spy_sent(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n)
{
    struct spy *spy = (struct spy *)d;

    spy->sent += n;
    spy->last = frames[n - 1].slices[0].bytes;
}

/** From now on what @inner gives back is counted. */
static inline void spy_on(struct spy *spy, struct sanwo_driver *inner)
{
    static const struct sanwo_driver_ops ops = {.name = "spy", .sent = spy_sent};

    memset(spy, 0, sizeof(*spy));
    spy->driver.ops = &ops;
    spy->driver.inner = inner;
    inner->outer = &spy->driver;
}

/** A frame of one slice. */
static inline struct sanwo_frame spy_frame(const void *bytes, uint32_t length)
{
    struct sanwo_frame f;

    memset(&f, 0, sizeof(f));
    f.length = length;
    f.slice_count = 1;
    f.slices[0].bytes = bytes;
    f.slices[0].length = length;
    return f;
}

/** RFC 1071 over @length bytes, plainly. */
static inline uint16_t spy_checksum(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline int spy_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                              sanwo_time now)
{
    return d->ops->receive(d, frames, max, now);
}

static inline int spy_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                               sanwo_time now)
{
    return d->ops->transmit(d, frames, n, now);
}

static inline sanwo_time spy_deadline(const struct sanwo_driver *d)
{
    return d->ops->deadline(d);
}

#endif
