/*
 * driver.c - What all drivers share: joining a stack, giving frames back, memory, entropy, time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include <sanwo/driver.h>

int sanwo_driver_attach(struct sanwo_driver *d, struct sanwo_stack *stack)
{
    int number = sanwo_stack_link_add(stack, &d->link);

    if (number < 0)
        return number;
    for (; d != NULL; d = d->inner) {
        d->stack = stack;
        d->number = (unsigned)number;
    }
    return number;
}

void sanwo_driver_destroy(struct sanwo_driver *d)
{
    if (d != NULL)
        d->ops->destroy(d);
}

void sanwo_driver_sent(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n)
{
    if (n == 0)
        return;
    for (struct sanwo_driver *outer = d->outer; outer != NULL; outer = outer->outer) {
        if (outer->ops->sent != NULL) {
            outer->ops->sent(outer, frames, n);
            return;
        }
    }
    if (d->stack != NULL)
        sanwo_stack_sent(d->stack, frames, n);
}

/* Anonymous pages cost nothing until they are touched, and are zero then. */
void *sanwo_region_reserve(size_t size)
{
    void *region = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return region == MAP_FAILED ? NULL : region;
}

void sanwo_region_release(void *region, size_t size)
{
    if (region != NULL)
        munmap(region, size);
}

int sanwo_seed_from_system(uint8_t seed[32])
{
    size_t have = 0;

    while (have < 32) {
        ssize_t got = getrandom(seed + have, 32 - have, 0);

        if (got < 0 && errno != EINTR)
            return -errno;
        if (got > 0)
            have += (size_t)got;
    }
    return 0;
}

sanwo_time sanwo_time_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return SANWO_SEC(t.tv_sec) + t.tv_nsec;
}
