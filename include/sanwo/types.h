/*
 * sanwo/types.h - Time, linkage and the small types that every other header uses.
 *
 * Thread rule for the whole core: a stack and everything in it is used by one thread at a time.
 * Nothing here is global, so different stacks may be used by different threads freely.
 */
#ifndef SANWO_TYPES_H
#define SANWO_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SANWO_BEGIN extern "C" {
#define SANWO_END }
#else
#define SANWO_BEGIN
#define SANWO_END
#endif

#if defined(__GNUC__)
#define SANWO_API __attribute__((visibility("default")))
#else
#define SANWO_API
#endif

/** Nanoseconds, monotonic, any origin. The core never reads a clock: the caller says what time it is. */
typedef int64_t sanwo_time;

/** A deadline that is not set: nothing to wait for. */
#define SANWO_TIME_NEVER INT64_MAX
#define SANWO_USEC(n) ((sanwo_time)(n)*1000)
#define SANWO_MSEC(n) ((sanwo_time)(n)*1000000)
#define SANWO_SEC(n) ((sanwo_time)(n)*1000000000)

/** A stack: one host. All of its state lies in the one region given at creation. */
struct sanwo_stack;

/**
 * What names a connection, a listener or a connection request. The generation makes a handle that
 * outlived its object an error (-SANWO_EBADF), never a crash. All zero names nothing.
 */
struct sanwo_handle {
    uint32_t index;
    uint32_t generation;
};

static inline bool sanwo_handle_equal(struct sanwo_handle a, struct sanwo_handle b)
{
    return a.index == b.index && a.generation == b.generation;
}

static inline bool sanwo_handle_is_none(struct sanwo_handle h)
{
    return h.index == 0 && h.generation == 0;
}

#endif
