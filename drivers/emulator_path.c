/*
 * emulator_path.c - What a bad network does to one packet, in this order:
 *
 *     burst and random loss -> duplicate -> corrupt, truncate -> queue (tail drop, mark) -> rate
 *                                                        -> delay, jitter, spike -> held back
 *
 * All chance comes from one generator per direction, which is only asked when the answer matters; so
 * the same packets at the same times meet the same fates.
 */
#include <sanwo/driver.h>

#include "emulator_chance.h"
#include "emulator_path.h"

enum { DEFAULT_QUEUE = 256 * 1024 };

#define SECOND UINT64_C(1000000000)
#define LONGEST SANWO_SEC(100000000) /* three years: sums of times stay far from overflow */

static bool sensible(sanwo_time t)
{
    return t >= 0 && t <= LONGEST;
}

bool sw_emulator_path_valid(const struct sanwo_emulator_path *config)
{
    /* A full queue must drain within the times that can be written. */
    if (config->rate != 0 && config->queue / config->rate > LONGEST / SECOND)
        return false;
    return sensible(config->delay) && sensible(config->jitter) && sensible(config->reorder_delay) &&
           sensible(config->spike) && sensible(config->burst_most) &&
           config->spike_ppm <= MILLION && config->truncate_ppm <= MILLION &&
           config->loss_ppm <= MILLION && config->burst_ppm <= MILLION &&
           config->burst_exit_ppm <= MILLION && config->reorder_ppm <= MILLION &&
           config->duplicate_ppm <= MILLION && config->corrupt_ppm <= MILLION;
}

void sw_emulator_path_init(struct path *path, const struct sanwo_emulator_path *config,
                           uint64_t seed)
{
    *path = (struct path){
        .config = *config, .random = seed, .line_free = INT64_MIN, .last_due = INT64_MIN};
    path->random = sw_emulator_random(&path->random); /* near seeds, far states */
}

/* A burst counted in frames alone would wait for those who back off. */
static bool in_burst(struct path *path, sanwo_time now)
{
    const struct sanwo_emulator_path *c = &path->config;

    if (path->burst && (c->burst_most == 0 || now < path->burst_end))
        return !sw_emulator_chance(&path->random, c->burst_exit_ppm);
    if (!sw_emulator_chance(&path->random, c->burst_ppm))
        return false;
    path->burst_end = now + c->burst_most;
    return true;
}

static bool lost(struct path *path, sanwo_time now)
{
    const struct sanwo_emulator_path *c = &path->config;

    path->burst = in_burst(path, now);
    return path->burst || sw_emulator_chance(&path->random, c->loss_ppm);
}

/* Bytes not yet on the line at @now, no more than about @limit. */
static uint64_t backlog(const struct path *path, sanwo_time now, uint64_t limit)
{
    uint64_t rate = path->config.rate, wait, seconds;

    if (path->line_free <= now)
        return 0;
    wait = (uint64_t)path->line_free - (uint64_t)now;
    seconds = wait / SECOND;
    wait %= SECOND;
    if (seconds > (limit + 1) * 8 / rate)
        return limit + 1;
    if (rate > SECOND)
        return seconds * (rate / 8) + wait * (rate / 1000) / (8 * SECOND / 1000);
    return (seconds * rate + wait * rate / SECOND) / 8;
}

static uint64_t queue_limit(const struct path *path)
{
    return path->config.queue != 0 ? path->config.queue : DEFAULT_QUEUE;
}

uint64_t sw_emulator_path_backlog(const struct path *path, sanwo_time now)
{
    return path->config.rate != 0 ? backlog(path, now, queue_limit(path)) : 0;
}

/* False: the queue is full. Otherwise *out is when the packet's last bit leaves. */
static bool send_at_rate(struct path *path, struct fate *fate, sanwo_time now, sanwo_time *out)
{
    uint32_t length = fate->length;
    uint64_t limit = queue_limit(path);
    uint64_t waiting, work;

    if (path->config.rate == 0) {
        *out = now;
        return true;
    }
    waiting = backlog(path, now, limit);
    if (waiting > 0 && waiting + length > limit) {
        path->waits.dropped++;
        return false;
    }
    fate->mark = path->config.ecn_mark != 0 && waiting > path->config.ecn_mark;
    sw_emulator_queue_add(&path->waits, path->line_free > now ? path->line_free - now : 0, waiting);
    if (path->line_free <= now) {
        path->line_free = now;
        path->line_rest = 0;
    }
    work = length * UINT64_C(8) * SECOND + path->line_rest;
    path->line_free += (sanwo_time)(work / path->config.rate);
    path->line_rest = work % path->config.rate;
    *out = path->line_free;
    return true;
}

static sanwo_time due(struct path *path, sanwo_time left, bool *late,
                      struct sanwo_emulator_stats *stats)
{
    const struct sanwo_emulator_path *c = &path->config;
    sanwo_time when = left + c->delay;

    if (c->jitter > 0)
        when += (sanwo_time)(sw_emulator_random(&path->random) % (uint64_t)c->jitter);
    if (sw_emulator_chance(&path->random, c->spike_ppm)) {
        stats->spikes++;
        when += c->spike;
    }
    if (sw_emulator_chance(&path->random, c->reorder_ppm)) {
        sanwo_time more = c->reorder_delay;

        if (more == 0)
            more = c->delay / 4 > SANWO_MSEC(1) ? c->delay / 4 : SANWO_MSEC(1);
        stats->reordered++;
        *late = true;
        return when + more;
    }
    if (when < path->last_due)
        when = path->last_due; /* jitter alone changes no order */
    path->last_due = when;
    return when;
}

unsigned sw_emulator_path_enter(struct path *path, uint32_t length, sanwo_time now,
                                struct fate fates[2], struct sanwo_emulator_stats *stats)
{
    unsigned copies = 1, n = 0;

    if (lost(path, now)) {
        stats->lost++;
        return 0;
    }
    if (sw_emulator_chance(&path->random, path->config.duplicate_ppm)) {
        stats->duplicated++;
        copies = 2;
    }
    for (unsigned i = 0; i < copies; i++) {
        struct fate *fate = &fates[n];
        sanwo_time left;

        *fate = (struct fate){.bit = PATH_NO_BIT, .length = length};
        if (length > 0 && sw_emulator_chance(&path->random, path->config.corrupt_ppm)) {
            stats->corrupted++;
            fate->bit = (uint32_t)(sw_emulator_random(&path->random) % (length * UINT64_C(8)));
        }
        if (length > 1 && sw_emulator_chance(&path->random, path->config.truncate_ppm)) {
            stats->truncated++;
            fate->length = 1 + (uint32_t)(sw_emulator_random(&path->random) % (length - 1));
        }
        if (!send_at_rate(path, fate, now, &left)) {
            stats->queue_dropped++;
            continue;
        }
        fate->due = due(path, left, &fate->late, stats);
        n++;
    }
    return n;
}
