/*
 * bench_report.c - Figures of all rounds and the facts of the machine, for people and for machines.
 */
#define _GNU_SOURCE

#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

#if defined(NDEBUG) && defined(__OPTIMIZE__)
#define BUILD "release"
#else
#define BUILD "debug: figures of a release build differ much"
#endif

/* ---- measuring -------------------------------------------------------------------------------------- */

void sw_bench_figure(struct bench_round *round, const char *name, const char *unit, double value)
{
    if (round->count < BENCH_MOST_FIGURES)
        round->figures[round->count++] = (struct bench_figure){name, unit, value};
}

sanwo_time sw_bench_processor_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return SANWO_SEC(t.tv_sec) + t.tv_nsec;
}

uint64_t sw_bench_resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    uint64_t all = 0, resident = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- the machine ------------------------------------------------------------------------------------ */

struct machine {
    char processor[96], kernel[200], pages[64], load[32], date[32];
    long cores;
};

/* The first line of @path that begins with @key (all lines do with ""), from @after on. */
static void read_line(const char *path, const char *key, const char *after, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    char line[256];

    snprintf(out, size, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strstr(line, after);

        if (strncmp(line, key, strlen(key)) || !value)
            continue;
        value += strlen(after);
        snprintf(out, size, "%.*s", (int)strcspn(value, "\n"), value);
        break;
    }
    if (file)
        fclose(file);
}

static void read_machine(struct machine *m)
{
    struct utsname name;
    time_t now = time(NULL);
    struct tm utc;

    read_line("/proc/cpuinfo", "model name", ": ", m->processor, sizeof m->processor);
    read_line("/sys/kernel/mm/transparent_hugepage/enabled", "", "", m->pages, sizeof m->pages);
    read_line("/proc/loadavg", "", "", m->load, sizeof m->load);
    m->load[strcspn(m->load, " ")] = 0;
    snprintf(m->kernel, sizeof m->kernel, "unknown");
    if (uname(&name) == 0)
        snprintf(m->kernel, sizeof m->kernel, "%s %s %s", name.sysname, name.release, name.machine);
    m->cores = sysconf(_SC_NPROCESSORS_ONLN);
    gmtime_r(&now, &utc);
    strftime(m->date, sizeof m->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void print_machine_json(const struct machine *m)
{
    printf("{\"processor\":\"%s\",\"cores\":%ld,\"kernel\":\"%s\",\"huge_pages\":\"%s\","
           "\"load\":\"%s\",\"compiler\":\"%s\",\"build\":\"%s\",\"sanwo\":\"%s\",\"date\":\"%s\"}",
           m->processor, m->cores, m->kernel, m->pages, m->load, COMPILER, BUILD, SANWO_VERSION,
           m->date);
}

void sw_bench_print_machine(bool json)
{
    struct machine m;

    read_machine(&m);
    if (json) {
        print_machine_json(&m);
        putchar('\n');
        return;
    }
    printf("sanwo %s (%s), %s\n", SANWO_VERSION, BUILD, COMPILER);
    printf("%s, %ld cores, %s\n", m.processor, m.cores, m.kernel);
    printf("huge pages %s, load %s, %s\n", m.pages, m.load, m.date);
}

/* ---- the rounds ------------------------------------------------------------------------------------- */

static int by_first_figure(const void *a, const void *b)
{
    double x = ((const struct bench_round *)a)->figures[0].value;
    double y = ((const struct bench_round *)b)->figures[0].value;

    return x < y ? -1 : x > y;
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void print_options_json(const struct bench_options *o)
{
    printf("{\"rounds\":%" PRIu64 ",\"seconds\":%.9g,\"mss\":%" PRIu64 ",\"window\":%" PRIu64
           ",\"batch\":%" PRIu64 ",\"chunk\":%" PRIu64 ",\"connections\":%" PRIu64
           ",\"time_wait\":%" PRIu64 ",\"parallel\":%" PRIu64,
           o->rounds, (double)o->seconds / 1e9, o->mss, o->window, o->batch, o->chunk,
           o->connections, o->time_wait, o->parallel);
    printf(",\"ipv6\":%s,\"driver\":%s,\"lend\":%s,\"checksum\":%s,\"timestamps\":%s,\"copy\":%s,"
           "\"super\":%s,\"verify\":%s,\"reset\":%s}",
           truth(o->ipv6), truth(o->driver), truth(o->lend), truth(o->checksum),
           truth(!o->no_timestamps), truth(o->copy), truth(o->super_segments), truth(o->verify),
           truth(o->reset));
}

static void print_round_json(const struct bench_round *round)
{
    for (size_t i = 0; i < round->count; i++)
        printf("%c\"%s\":%.12g", i ? ',' : '{', round->figures[i].name, round->figures[i].value);
    putchar('}');
}

static void report_json(const char *name, const struct bench_options *o,
                        const struct bench_round *rounds, size_t count)
{
    struct machine m;

    read_machine(&m);
    printf("{\"bench\":\"%s\",\"machine\":", name);
    print_machine_json(&m);
    printf(",\"options\":");
    print_options_json(o);
    printf(",\"median\":");
    print_round_json(&rounds[(count - 1) / 2]);
    printf(",\"rounds\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            putchar(',');
        print_round_json(&rounds[i]);
    }
    printf("]}\n");
}

/* "1,234,567" for large numbers, decimals for small ones. */
static const char *number(double value, char out[48])
{
    char digits[40];
    size_t length, at = 0;

    if (value > -1000 && value < 1000) {
        snprintf(out, 48,
                 value > -10 && value < 10 && value != (double)(int)value ? "%.3f" : "%.5g", value);
        return out;
    }
    snprintf(digits, sizeof digits, "%.0f", value);
    length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        out[at++] = digits[i];
        if (i + 1 < length && (length - i - 1) % 3 == 0 && digits[i] != '-')
            out[at++] = ',';
    }
    out[at] = 0;
    return out;
}

static void report_table(const char *name, const struct bench_round *rounds, size_t count)
{
    const struct bench_round *median = &rounds[(count - 1) / 2];
    char a[48], b[48], c[48];

    sw_bench_print_machine(false);
    printf("\nbench %s: the median of %zu round%s, and all that the rounds showed\n", name, count,
           count == 1 ? "" : "s");
    for (size_t i = 0; i < median->count; i++) {
        double least = median->figures[i].value, most = least;

        for (size_t k = 0; k < count; k++) {
            double value = rounds[k].figures[i].value;

            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        printf("  %16s %-34s [%s to %s]\n", number(median->figures[i].value, a),
               median->figures[i].unit, number(least, b), number(most, c));
    }
}

static void report_line(const struct bench_round *rounds, size_t count)
{
    const struct bench_round *median = &rounds[(count - 1) / 2];
    char a[48], b[48], c[48], d[48];

    printf("%12s %s [%s to %s], %s %s\n", number(median->figures[0].value, a),
           median->figures[0].unit, number(rounds[0].figures[0].value, b),
           number(rounds[count - 1].figures[0].value, c), number(median->figures[1].value, d),
           median->figures[1].unit);
}

void sw_bench_report(const char *name, const struct bench_options *options,
                     struct bench_round *rounds, size_t count)
{
    qsort(rounds, count, sizeof(*rounds), by_first_figure);
    if (options->json)
        report_json(name, options, rounds, count);
    else if (options->brief)
        report_line(rounds, count);
    else
        report_table(name, rounds, count);
}
