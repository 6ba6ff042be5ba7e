/*
 * guard.c - Counts of some cells in virtual time, kept in a file: what they are today is compared.
 *
 *     # comment
 *     BAND <tab> CELL <tab> segments again queue_dropped kb_per_second short_us long_us
 *
 * The same build gives the same counts to the last one; another sender gives others. Within BAND per
 * cent (and a few segments) that is a change of taste; beyond, someone has to look and to record anew:
 * bench/goodput --record.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <errno.h>
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
    char message[CELL_TEXT + 64];
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

static bool is_comment(const char *line)
{
    return line[0] == '#' || line[0] == '\n';
}

static int complain(int status, const char *what, const char *path)
{
    return sw_complain("bench goodput", status, "cannot %s %s: %s", what, path, strerror(errno));
}

/* A line that is no comment. False: it was told why that is no cell. */
static bool read_line(char *line, const char *path, struct guard_line *g)
{
    if (parse(line, g))
        return true;
    sw_complain("bench goodput", 0,
                "%s: a line with '%s' does not begin with a band, a tab and a cell", path, line);
    return false;
}

int sw_guard_check(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[LINE];
    unsigned cells = 0, bad = 0;

    if (file == NULL)
        return complain(STATUS_USAGE, "read", path);
    while (fgets(line, sizeof line, file) != NULL) {
        struct guard_line g = {0};

        if (is_comment(line))
            continue;
        cells++;
        if (!read_line(line, path, &g)) {
            bad++;
            continue;
        }
        bad += !run(&g) || !compare(&g);
    }
    fclose(file);
    printf("%u cells, %u outside of what was recorded\n", cells, bad);
    return bad > 0 || cells == 0 ? STATUS_FAILED : STATUS_OK;
}

/* The file's lines with today's counts, comments as they are. False: it was told why. */
static bool measure_lines(FILE *file, const char *path, FILE *out)
{
    char line[LINE];
    bool good = true;

    while (fgets(line, sizeof line, file) != NULL) {
        struct guard_line g = {0};

        if (is_comment(line)) {
            fputs(line, out);
            continue;
        }
        if (!read_line(line, path, &g) || !run(&g))
            good = false;
        fprintf(out, "%g\t%s\t%.0f %.0f %.0f %.0f %.0f %.0f\n", g.band, g.cell, g.found[0],
                g.found[1], g.found[2], g.found[3], g.found[4], g.found[5]);
    }
    return good;
}

static int write_whole(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    bool written = file != NULL && fwrite(text, 1, size, file) == size;

    if (file != NULL && fclose(file) != 0)
        written = false;
    return written ? STATUS_OK : complain(STATUS_WRITE, "write", path);
}

/* The file is left as it is unless all of its cells could be measured. */
int sw_guard_record(const char *path)
{
    FILE *file = fopen(path, "r"), *out;
    char *text = NULL;
    size_t size = 0;
    int status;

    if (file == NULL)
        return complain(STATUS_USAGE, "read", path);
    out = open_memstream(&text, &size);
    status = out != NULL && measure_lines(file, path, out) ? STATUS_OK : STATUS_FAILED;
    fclose(file);
    if (out == NULL || fclose(out) != 0)
        status = complain(STATUS_FAILED, "keep the counts of", path);
    if (status == STATUS_OK)
        status = write_whole(path, text, size);
    free(text);
    return status;
}
