/*
 * progress.h - A bar on standard error: how much came, how fast, how long yet.
 */
#ifndef SANWO_TOOLS_PROGRESS_H
#define SANWO_TOOLS_PROGRESS_H

#include <sanwo/types.h>

struct progress {
    bool shown;      /* something stands on the line */
    uint64_t offset; /* bytes that were there before */
    uint64_t bytes;  /* came since */
    int64_t total;   /* of the whole; -1: not known */
    sanwo_time started;
    sanwo_time last; /* when the speed was last taken */
    uint64_t last_bytes;
    double speed; /* smoothed, bytes a second */
};

void sw_progress_start(struct progress *p, uint64_t offset, int64_t total, sanwo_time now);
/* Draws the line anew. */
void sw_progress_draw(struct progress *p, sanwo_time now);
/* Draws it a last time and ends the line. */
void sw_progress_end(struct progress *p, sanwo_time now);

#endif
