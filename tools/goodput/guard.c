/*
 * guard.c - Counts of some cells in virtual time, kept in a file: what they are today is compared.
 *
 *     # comment
 *     BAND <tab> CELL <tab> segments again queue_dropped received_kb short_us long_us
 *
 * The same build gives the same counts to the last one; another sender gives others. Within BAND per
 * cent (and a few segments) that is a change of taste; beyond, someone has to look and to record anew:
 * bench/goodput --record.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"

enum { COUNTS = 6, LINE = 512, SLACK = 5 };

static const char *const count_names[COUNTS] = {
    "segments",           "sent again",    "dropped by the queue",
    "kilobytes a second", "us for 100 KB", "us for 10 MB"};

struct guard_line {
    double band;
    char cell[CELL_TEXT];
    double expected[COUNTS], found[COUNTS];
    bool recorded;
};

static bool parse(char *line, struct guard_line *g)
{
    char *band = strtok(line, "\t\n"), *cell = strtok(NULL, "\t\n");
    unsigned n = 0;

    if (band == NULL || cell == NULL || strlen(cell) >= sizeof g->cell)
        return false;
    g->band = atof(band);
    snprintf(g->cell, sizeof g->cell, "%s", cell);
    for (char *word; n < COUNTS && (word = strtok(NULL, "\t\n ")) != NULL; n++)
        g->expected[n] = atof(word);
    g->recorded = n == COUNTS;
    return true;
}

static bool run(struct guard_line *g)
{
    char message[128];
    struct result r;
    struct cell cell;

    if (!sw_cell_read(&cell, g->cell, message, sizeof message)) {
        sw_complain("bench goodput", 0, "%s", message);
        return false;
    }
    if (!sw_measure(&cell, &r))
        return false;
    g->found[0] = (double)r.segments;
    g->found[1] = round(r.again * (double)r.segments);
    g->found[2] = (double)r.queue.dropped;
    g->found[3] = round(r.goodput / 8000);
    g->found[4] = r.shorts.finished > 0 ? (double)(r.shorts.sum / r.shorts.finished / 1000) : 0;
    g->found[5] = r.longs.finished > 0 ? (double)(r.longs.sum / r.longs.finished / 1000) : 0;
    return true;
}

static bool compare(const struct guard_line *g)
{
    bool good = g->recorded;

    if (!g->recorded)
        printf("not recorded: %s\n", g->cell);
    for (unsigned i = 0; good && i < COUNTS; i++) {
        double most = g->expected[i] * g->band / 100 + SLACK;

        if (fabs(g->found[i] - g->expected[i]) <= most)
            continue;
        printf("%s: %s: expected %.0f (give or take %.0f), found %.0f\n", g->cell, count_names[i],
               g->expected[i], most, g->found[i]);
        good = false;
    }
    return good;
}

int sw_guard_check(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[LINE];
    unsigned cells = 0, bad = 0;

    if (file == NULL)
        return sw_complain("bench goodput", STATUS_USAGE, "cannot open %s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        struct guard_line g = {0};

        if (line[0] == '#' || !parse(line, &g))
            continue;
        cells++;
        bad += !run(&g) || !compare(&g);
    }
    fclose(file);
    printf("%u cells, %u outside of what was recorded\n", cells, bad);
    return bad > 0 || cells == 0 ? STATUS_FAILED : STATUS_OK;
}

/* The file with today's counts, comments as they are. */
int sw_guard_record(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL, line[LINE];
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int status = STATUS_OK;

    if (file == NULL || out == NULL)
        return sw_complain("bench goodput", STATUS_USAGE, "cannot open %s", path);
    while (fgets(line, sizeof line, file) != NULL) {
        struct guard_line g = {0};

        if (line[0] == '#') {
            fputs(line, out);
            continue;
        }
        if (!parse(line, &g))
            continue;
        if (!run(&g))
            status = STATUS_FAILED;
        fprintf(out, "%g\t%s\t%.0f %.0f %.0f %.0f %.0f %.0f\n", g.band, g.cell, g.found[0],
                g.found[1], g.found[2], g.found[3], g.found[4], g.found[5]);
    }
    fclose(file);
    fclose(out);
    file = status == STATUS_OK ? fopen(path, "w") : NULL;
    if (file == NULL || fwrite(text, 1, size, file) != size || fclose(file) != 0)
        status = sw_complain("bench goodput", STATUS_WRITE, "%s was not written", path);
    free(text);
    return status;
}
