/*
 * cell.c - A cell of the map: reading it, and what path it means.
 *
 *     ends=ours rate=100 rtt=20 loss=1 burst=4 reorder=0 queue=1 flows=2 cc=cubic seed=1
 *          |         |      |      |      |                |
 *          |      Mbit/s    ms     %   packets            BDP
 *          ours | ours-linux | linux-ours | linux | mixed
 *
 * Loss, reordering, rate and queue are those of the way of the data; half of the round trip is on
 * each way, and the acknowledgements' way has no other limit. The queue has room for ten packets at
 * least, for otherwise no sender can work on short paths. A packet that is held back comes an eighth
 * of the round trip later, but at least the time of two packets, so that it is overtaken at all. A
 * burst of losses lasts a quarter of the round trip at most, or the time of sixteen packets: counted in
 * packets alone it would wait for a sender that backs off, and luck would be what is measured.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET = 1500, PAYLOAD = 1448, LEAST_QUEUE = 10 * PACKET, MILLION = 1000000 };

static const char *const ends_names[ENDS_COUNT] = {"ours", "ours-linux", "linux-ours", "linux",
                                                   "mixed"};
static const char *const congestion_names[] = {"newreno", "cubic", "bbr", "dctcp"};

const char *sw_cell_ends_name(const struct cell *cell)
{
    return ends_names[cell->ends];
}

bool sw_cell_is_real(const struct cell *cell)
{
    return cell->ends != ENDS_OURS;
}

/* Mixed: by turns, and an odd seed lets Linux begin. */
bool sw_cell_from_linux(const struct cell *cell, unsigned number)
{
    return cell->ends == ENDS_LINUX || cell->ends == ENDS_LINUX_TO_OURS ||
           (cell->ends == ENDS_MIXED && (number + cell->seed) % 2 == 1);
}

bool sw_cell_to_linux(const struct cell *cell)
{
    return cell->ends != ENDS_OURS && cell->ends != ENDS_LINUX_TO_OURS;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static int find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], name))
            return (int)i;
    return -1;
}

/* A number within bounds, as text to its end. */
static bool number(const char *text, double least, double most, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= least && *out <= most;
}

static bool read_names(struct cell *c, const char *key, const char *value, bool *known)
{
    int found = 0;

    *known = true;
    if (!strcmp(key, "ends")) {
        found = find(ends_names, ENDS_COUNT, value);
        c->ends = (enum cell_ends)found;
    } else if (!strcmp(key, "cc")) {
        found = find(congestion_names, sizeof congestion_names / sizeof congestion_names[0], value);
        c->congestion = found;
        if (found >= SANWO_CONGESTION_COUNT)
            return false;
    } else if (!strcmp(key, "linux")) {
        snprintf(c->linux_congestion, sizeof c->linux_congestion, "%s", value);
    } else {
        *known = false;
    }
    return found >= 0;
}

static bool read_pair(struct cell *c, const char *key, const char *value)
{
    bool known;
    double n;

    if (!read_names(c, key, value, &known))
        return false;
    if (known)
        return true;
    if (!number(value, 0, 1e12, &n))
        return false;
    if (!strcmp(key, "rate") && n >= 0.01 && n <= 1e5)
        c->rate = (uint64_t)(n * 1e6);
    else if (!strcmp(key, "rtt") && n <= 1e5)
        c->rtt = (sanwo_time)(n * 1e6);
    else if (!strcmp(key, "loss") && n <= 100)
        c->loss = (uint32_t)lround(n * 1e4);
    else if (!strcmp(key, "burst") && n <= 1000)
        c->burst = (uint32_t)n;
    else if (!strcmp(key, "reorder") && n <= 100)
        c->reorder = (uint32_t)lround(n * 1e4);
    else if (!strcmp(key, "held") && n <= 1e5)
        c->held = (sanwo_time)(n * 1e6);
    else if (!strcmp(key, "queue") && n <= 1e4)
        c->queue = (uint32_t)lround(n * 1000);
    else if (!strcmp(key, "flows") && n >= 1 && n <= MOST_FLOWS)
        c->flows = (uint32_t)n;
    else if (!strcmp(key, "seed"))
        c->seed = (uint64_t)n;
    else if (!strcmp(key, "warm") && n <= 1e5)
        c->warm = (sanwo_time)(n * 1e9);
    else if (!strcmp(key, "measure") && n > 0 && n <= 1e5)
        c->measure = (sanwo_time)(n * 1e9);
    else if (!strcmp(key, "short") && n <= 1000)
        c->short_count = (uint32_t)n;
    else if (!strcmp(key, "long") && n <= 1)
        c->long_transfer = n > 0;
    else if (!strcmp(key, "strict") && n <= 1)
        c->strict = n > 0;
    else
        return false;
    return true;
}

static sanwo_time longer(sanwo_time a, sanwo_time b)
{
    return a > b ? a : b;
}

/* Long enough for slow start to end and for some of a congestion window's ups and downs. Real time
 * is dear, so it gets less; all kinds that are compared get the same. */
static void choose_times(struct cell *c)
{
    bool real = sw_cell_is_real(c);
    int times =
        !real && c->flows > 1 && c->rate <= 100 * MILLION ? 3 : 1; /* shares settle slowly */

    if (c->warm < 0)
        c->warm = times * longer(SANWO_SEC(3) / (real ? 2 : 1), (real ? 12 : 30) * c->rtt);
    if (c->measure <= 0)
        c->measure = times * longer(SANWO_SEC(6) / (real ? 2 : 1), (real ? 20 : 60) * c->rtt);
}

bool sw_cell_read(struct cell *cell, const char *text, char *message, size_t size)
{
    char copy[CELL_TEXT], *rest = copy, *word;

    *cell = (struct cell){.rate = 100 * MILLION,
                          .rtt = SANWO_MSEC(20),
                          .queue = 1000,
                          .flows = 1,
                          .congestion = -1,
                          .linux_congestion = "cubic",
                          .seed = 1,
                          .warm = -1,
                          .short_count = 3,
                          .long_transfer = true};
    snprintf(cell->text, sizeof cell->text, "%s", text);
    if (strlen(text) >= sizeof copy) {
        snprintf(message, size, "a cell of more than %d characters", CELL_TEXT - 1);
        return false;
    }
    memcpy(copy, text, strlen(text) + 1);
    while ((word = strtok_r(rest, " \t\n", &rest)) != NULL) {
        char *value = strchr(word, '=');

        if (value != NULL)
            *value++ = '\0';
        if (value == NULL || !read_pair(cell, word, value)) {
            snprintf(message, size, "'%s%s%s' is not understood, or out of range", word,
                     value != NULL ? "=" : "", value != NULL ? value : "");
            return false;
        }
    }
    choose_times(cell);
    return true;
}

/* ---- the path --------------------------------------------------------------------------------- */

void sw_cell_path(const struct cell *c, struct sanwo_emulator_path *out,
                  struct sanwo_emulator_path *in)
{
    double bdp = (double)c->rate / 8 * (double)c->rtt / 1e9;
    double queue = bdp * c->queue / 1000;
    sanwo_time two_packets = (sanwo_time)(2.0 * PACKET * 8 * 1e9 / (double)c->rate);

    *out = (struct sanwo_emulator_path){.delay = c->rtt / 2, .rate = c->rate};
    out->queue = queue > LEAST_QUEUE ? (uint32_t)queue : LEAST_QUEUE;
    out->reorder_ppm = c->reorder;
    out->reorder_delay = c->held > 0 ? c->held : longer(c->rtt / 8, two_packets);
    if (c->burst > 1) {
        /* Gilbert's two states: bursts end with chance 1/burst a packet, and so often begin that
         * the share of packets in bursts is the loss. */
        out->burst_exit_ppm = MILLION / c->burst;
        out->burst_most = longer(c->rtt / 4, 8 * two_packets);
        out->burst_ppm = (uint32_t)((uint64_t)c->loss * out->burst_exit_ppm / (MILLION - c->loss));
    } else {
        out->loss_ppm = c->loss;
    }
    *in = (struct sanwo_emulator_path){.delay = c->rtt - c->rtt / 2};
}

double sw_cell_capacity(const struct cell *cell)
{
    return (double)cell->rate * PAYLOAD / PACKET;
}

/* RFC 9438 5.1 with C = 0.4 and beta = 0.7, and below it the Reno-friendly window, RFC 5348's first
 * term with an acknowledgement of every segment. */
double sw_cell_model(const struct cell *cell)
{
    double p = cell->loss / 1e6, rtt = (double)cell->rtt / 1e9, window, reno;
    double capacity = sw_cell_capacity(cell);

    if (cell->loss == 0)
        return capacity;
    rtt += PACKET * 8 / (double)cell->rate;
    window = 1.054 * pow(rtt / p, 0.75);
    reno = sqrt(1.5 / p);
    if (reno > window)
        window = reno;
    window *= PAYLOAD * 8 / rtt * cell->flows;
    return window < capacity * (1 - p) ? window : capacity * (1 - p);
}
