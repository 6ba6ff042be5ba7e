/*
 * progress.c - Drawing the bar.
 *
 *     45% [=========>           ]  450.0 MiB  112.3 MiB/s  00:05 left
 */
#define _GNU_SOURCE
#include "progress.h"

#include <stdio.h>

#define BAR 24

static char *format_bytes(double bytes, char *out, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;

    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

void sw_progress_start(struct progress *p, uint64_t offset, int64_t total, sanwo_time now)
{
    *p = (struct progress){.offset = offset, .total = total, .started = now, .last = now};
}

/* The average of the last seconds: half of it is new after about one. */
static void take_speed(struct progress *p, sanwo_time now)
{
    double elapsed = (double)(now - p->last) / 1e9;
    double current, weight;

    if (elapsed < 0.05)
        return;
    current = (double)(p->bytes - p->last_bytes) / elapsed;
    weight = p->speed > 0 ? (elapsed > 1 ? 0.6 : 0.6 * elapsed) : 1;
    p->speed += (current - p->speed) * weight;
    p->last = now;
    p->last_bytes = p->bytes;
}

static void draw_bar(const struct progress *p, uint64_t done)
{
    double part = p->total > 0 ? (double)done / (double)p->total : 1;
    int filled = (int)(part * BAR);

    fprintf(stderr, "%3d%% [", (int)(part * 100));
    for (int i = 0; i < BAR; i++)
        fputc(i < filled ? '=' : i == filled ? '>' : ' ', stderr);
    fprintf(stderr, "]  ");
}

static void draw_left(const struct progress *p, uint64_t done)
{
    double seconds;

    if (p->total < 0 || p->speed < 1 || (uint64_t)p->total <= done)
        return;
    seconds = (double)((uint64_t)p->total - done) / p->speed;
    if (seconds < 359999)
        fprintf(stderr, "  %02d:%02d left", (int)seconds / 60, (int)seconds % 60);
}

void sw_progress_draw(struct progress *p, sanwo_time now)
{
    uint64_t done = p->offset + p->bytes;
    char amount[32], speed[32];

    take_speed(p, now);
    fprintf(stderr, "\r");
    if (p->total >= 0)
        draw_bar(p, done);
    fprintf(stderr, "%s  %s/s", format_bytes((double)done, amount, sizeof amount),
            format_bytes(p->speed, speed, sizeof speed));
    draw_left(p, done);
    fprintf(stderr, "\033[K");
    p->shown = true;
}

void sw_progress_end(struct progress *p, sanwo_time now)
{
    double elapsed = (double)(now - p->started) / 1e9;

    if (!p->shown)
        return;
    if (elapsed > 0)
        p->speed = (double)p->bytes / elapsed; /* on the whole */
    p->last = now;
    sw_progress_draw(p, now);
    fprintf(stderr, "\n");
    p->shown = false;
}
