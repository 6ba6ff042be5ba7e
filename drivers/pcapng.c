/*
 * pcapng.c - Writes down every frame that passes, for Wireshark and the like.
 *
 *     section header | interface | packet | packet | ...
 *                                  |- timestamp, length, bytes, option: direction
 *
 * Blocks gather in a buffer, since one write per packet would cost more than the packet. A frame to be
 * sent is recorded before it is passed on, for afterwards its memory may be gone; the record of what
 * the wire did not take yet is withdrawn. A full disk ends the recording, never the traffic.
 * Format: draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanwo/driver.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    SECTION_MAGIC = 0x1a2b3c4d,
    LINKTYPE_ETHERNET = 1,
    LINKTYPE_RAW = 101,
    OPTION_IF_NAME = 2,
    OPTION_IF_TSRESOL = 9,
    OPTION_EPB_FLAGS = 2,
    INBOUND = 1,
    OUTBOUND = 2,
};

enum {
    BATCH = 64,
    FRAME_LIMIT = 65536 + 64, /* longer than any frame */
    BLOCK_OVERHEAD = 64,      /* more than a packet block has besides the packet */
    BUFFER_SIZE = 1024 * 1024,
    FLUSH_AT = 256 * 1024,
};

#define FLUSH_AFTER SANWO_SEC(1)

struct recorder {
    struct sanwo_driver driver;
    int fd; /* -1: gave up writing */
    int64_t epoch;
    sanwo_time flushed; /* when */
    size_t used;
    uint8_t *buffer;
    char *path;
};

static struct recorder *recorder_of(const struct sanwo_driver *d)
{
    return (struct recorder *)(uintptr_t)d;
}

/* ---- the file ------------------------------------------------------------------------------- */

static void put(struct recorder *r, const void *bytes, size_t length)
{
    memcpy(r->buffer + r->used, bytes, length);
    r->used += length;
}

static void put16(struct recorder *r, uint16_t value)
{
    put(r, &value, sizeof(value)); /* the section's magic number tells our byte order */
}

static void put32(struct recorder *r, uint32_t value)
{
    put(r, &value, sizeof(value));
}

static void pad(struct recorder *r)
{
    static const uint8_t zeros[3];

    put(r, zeros, (4 - r->used % 4) % 4);
}

static void put_option(struct recorder *r, uint16_t code, const void *value, size_t length)
{
    put16(r, code);
    put16(r, (uint16_t)length);
    put(r, value, length);
    pad(r);
}

/* Blocks have their length at both ends. Returns where the block starts. */
static size_t begin_block(struct recorder *r, uint32_t type)
{
    size_t start = r->used;

    put32(r, type);
    put32(r, 0);
    return start;
}

static void end_block(struct recorder *r, size_t start)
{
    uint32_t length = (uint32_t)(r->used - start + sizeof(length));

    put32(r, length);
    memcpy(r->buffer + start + 4, &length, sizeof(length));
}

static void put_preamble(struct recorder *r)
{
    const struct sanwo_link_config *link = &r->driver.link;
    const uint8_t nanoseconds = 9;
    size_t start = begin_block(r, BLOCK_SECTION);

    put32(r, SECTION_MAGIC);
    put16(r, 1); /* version 1.0 */
    put16(r, 0);
    put32(r, UINT32_MAX); /* the section's length, 64 bits: not known */
    put32(r, UINT32_MAX);
    end_block(r, start);

    start = begin_block(r, BLOCK_INTERFACE);
    put16(r, link->kind == SANWO_LINK_ETHERNET ? LINKTYPE_ETHERNET : LINKTYPE_RAW);
    put16(r, 0);
    put32(r, 0); /* no limit on the captured length */
    put_option(r, OPTION_IF_NAME, link->name, strnlen(link->name, sizeof(link->name)));
    put_option(r, OPTION_IF_TSRESOL, &nanoseconds, 1);
    put32(r, 0); /* end of options */
    end_block(r, start);
}

/* 0 or -errno. */
static int write_out(struct recorder *r)
{
    size_t done = 0;

    while (done < r->used) {
        ssize_t put_now = write(r->fd, r->buffer + done, r->used - done);

        if (put_now < 0 && errno != EINTR)
            return -errno;
        if (put_now > 0)
            done += (size_t)put_now;
    }
    r->used = 0;
    return 0;
}

static void flush(struct recorder *r)
{
    int result = r->fd < 0 ? 0 : write_out(r);

    if (result < 0) {
        fprintf(stderr, "sanwo: %s: %s; recording stops here, traffic goes on\n", r->path,
                strerror(-result));
        close(r->fd);
        r->fd = -1;
    }
    r->used = r->fd < 0 ? 0 : r->used;
}

static void flush_if_due(struct recorder *r, sanwo_time now)
{
    if (r->used < FLUSH_AT && now - r->flushed < FLUSH_AFTER)
        return;
    flush(r);
    r->flushed = now;
}

/* ---- packets -------------------------------------------------------------------------------- */

static void record(struct recorder *r, const struct sanwo_frame *frame, uint32_t direction,
                   sanwo_time when)
{
    uint64_t time = (uint64_t)(r->epoch + when);
    size_t start;

    if (r->fd < 0 || frame->length > FRAME_LIMIT)
        return;
    start = begin_block(r, BLOCK_PACKET);
    put32(r, 0); /* the only interface */
    put32(r, (uint32_t)(time >> 32));
    put32(r, (uint32_t)time);
    put32(r, frame->length); /* captured */
    put32(r, frame->length); /* on the wire */
    sanwo_frame_copy(frame, r->buffer + r->used);
    if (frame->checksum == SANWO_CHECKSUM_PARTIAL)
        sanwo_frame_complete(frame, r->buffer + r->used);
    r->used += frame->length;
    pad(r);
    put_option(r, OPTION_EPB_FLAGS, &direction, sizeof(direction));
    put32(r, 0); /* end of options */
    end_block(r, start);
}

/* How many of the frames can be recorded before the buffer must be written; at least one. */
static size_t how_many_fit(const struct recorder *r, const struct sanwo_frame *frames, size_t n)
{
    size_t room = BUFFER_SIZE - r->used, i;

    for (i = 0; i < n && i < BATCH; i++) {
        size_t need = (size_t)frames[i].length + BLOCK_OVERHEAD;

        if (need > room)
            break;
        room -= need;
    }
    return i > 0 ? i : 1;
}

/* ---- the driver ----------------------------------------------------------------------------- */

static int pcapng_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                          sanwo_time now)
{
    struct recorder *r = recorder_of(d);
    int n = d->inner->ops->receive(d->inner, frames, max, now);

    for (int i = 0; i < n; i++) {
        frames[i].link = (uint16_t)d->number;
        record(r, &frames[i], INBOUND, frames[i].arrival != 0 ? frames[i].arrival : now);
        flush_if_due(r, now);
    }
    return n;
}

static int pcapng_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                           sanwo_time now)
{
    struct recorder *r = recorder_of(d);
    size_t ends[BATCH], done = 0;

    while (done < n) {
        size_t part = how_many_fit(r, frames + done, n - done);
        size_t before = r->used;
        int taken;

        for (size_t i = 0; i < part; i++) {
            record(r, &frames[done + i], OUTBOUND, now);
            ends[i] = r->used;
        }
        taken = d->inner->ops->transmit(d->inner, frames + done, part, now);
        r->used = taken > 0 ? ends[taken - 1] : before;
        flush_if_due(r, now);
        if (taken < 0)
            return done > 0 ? (int)done : taken;
        done += (size_t)taken;
        if ((size_t)taken < part)
            break;
    }
    d->blocked = d->inner->blocked;
    return (int)done;
}

static int pcapng_descriptor(const struct sanwo_driver *d)
{
    return d->inner->ops->descriptor(d->inner);
}

static sanwo_time pcapng_deadline(const struct sanwo_driver *d)
{
    return d->inner->ops->deadline(d->inner);
}

static void free_recorder(struct recorder *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->buffer);
    free(r->path);
    free(r);
}

static void pcapng_destroy(struct sanwo_driver *d)
{
    struct recorder *r = recorder_of(d);

    flush(r);
    sanwo_driver_destroy(d->inner);
    free_recorder(r);
}

static const struct sanwo_driver_ops pcapng_ops = {
    .name = "pcapng",
    .receive = pcapng_receive,
    .transmit = pcapng_transmit,
    .descriptor = pcapng_descriptor,
    .deadline = pcapng_deadline,
    .destroy = pcapng_destroy,
};

static struct recorder *new_recorder(const char *path)
{
    struct recorder *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->fd = -1;
    r->buffer = malloc(BUFFER_SIZE);
    r->path = malloc(strlen(path) + 1);
    if (r->buffer == NULL || r->path == NULL) {
        free_recorder(r);
        return NULL;
    }
    memcpy(r->path, path, strlen(path) + 1);
    return r;
}

int sanwo_pcapng_create(struct sanwo_driver *inner, const char *path, int64_t epoch,
                        struct sanwo_driver **out, char *message, size_t message_size)
{
    struct recorder *r = new_recorder(path);
    int result;

    if (r == NULL) {
        snprintf(message, message_size, "out of memory");
        return -ENOMEM;
    }
    r->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (r->fd < 0) {
        result = -errno;
        snprintf(message, message_size, "cannot write %s: %s", path, strerror(-result));
        free_recorder(r);
        return result;
    }
    r->epoch = epoch;
    r->driver.ops = &pcapng_ops;
    r->driver.link = inner->link;
    put_preamble(r);
    result = write_out(r); /* what cannot be written at all is said at once */
    if (result < 0) {
        snprintf(message, message_size, "cannot write %s: %s", path, strerror(-result));
        free_recorder(r);
        return result;
    }
    r->driver.inner = inner;
    inner->outer = &r->driver;
    *out = &r->driver;
    return 0;
}
