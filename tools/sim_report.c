/*
 * sim_report.c - What `sanwo sim` says in the end, as text or JSON.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- faults dealt ---------------------------------------------------------------------------- */

struct dealt {
    const char *name;
    uint64_t count;
};

enum { DEALT = 18 };

static void list_dealt(const struct sim_sum *s, struct dealt out[DEALT])
{
    const struct sanwo_emulator_stats *n = &s->network;
    const struct dealt rows[DEALT] = {
        {"lost", n->lost},
        {"queue_dropped", n->queue_dropped},
        {"reordered", n->reordered},
        {"duplicated", n->duplicated},
        {"corrupted", n->corrupted},
        {"truncated", n->truncated},
        {"spikes", n->spikes},
        {"too_big", n->too_big},
        {"marked", n->marked},
        {"rewritten", n->rewritten},
        {"split", n->split},
        {"joined", n->joined},
        {"proxy_resets", n->resets},
        {"reboots", s->reboots},
        {"clock_jumps", s->jumps},
        {"link_flaps", s->flaps},
        {"allocations_refused", s->refused},
        {"retransmitted", s->retransmitted},
    };

    memcpy(out, rows, sizeof(rows));
}

static double rate(const struct sim_sum *sum, double seconds)
{
    return seconds > 0 ? (double)sum->segments / seconds : 0;
}

/* The command that shows a world again. */
static void format_command(const struct sim_options *o, const struct sim_finding *f, char *out,
                           size_t size)
{
    char names[512];

    snprintf(out, size, "sanwo sim --seed %" PRIu64 " --world %" PRIu64 " --only %s", o->seed,
             f->failure->world, sim_faults_format(f->smallest, names, sizeof(names)));
}

/* ---- text ------------------------------------------------------------------------------------ */

void sw_sim_print(const struct sim_options *o, const struct sim_sum *sum, double seconds)
{
    struct dealt dealt[DEALT];

    printf("seed %" PRIu64 ": %" PRIu64 " segments in %" PRIu64 " worlds, %.1f s, %.0f segments/s"
           " with %" PRIu64 " jobs\n",
           o->seed, sum->segments, sum->worlds, seconds, rate(sum, seconds), o->jobs);
    printf("virtual time %.1f days; %" PRIu64 " talks, %" PRIu64 " bytes, each compared\n",
           sum->virtual_seconds / 86400, sum->talks, sum->bytes);
    printf("talks ended:");
    for (unsigned i = 0; i < WORLD_ERRORS; i++)
        if (sum->ended[i] != 0)
            printf(" %s %" PRIu64, sanwo_error_name((int)i), sum->ended[i]);
    printf("; %" PRIu64 " not in order, as their faults explain\n", sum->excused);
    printf("faults dealt:");
    list_dealt(sum, dealt);
    for (unsigned i = 0; i < DEALT; i++)
        printf(" %s %" PRIu64, dealt[i].name, dealt[i].count);
    printf("\nworst memory: %" PRIu64 " bytes of %" PRIu64 "; %" PRIu64
           " worlds run twice and equal; traces %016" PRIx64 "\n",
           sum->memory_peak, sum->memory_budget, sum->verified, sum->hash);
    if (sum->failure_count == 0)
        printf("all is well\n");
    else
        printf("%u worlds broke a rule\n", sum->failure_count);
}

void sw_sim_print_finding(const struct sim_options *o, const struct sim_finding *f)
{
    struct sim_draw d;
    char names[1024];

    printf("\nworld %" PRIu64 ": %s\n", f->failure->world, f->failure->what);
    printf("  faults: %s\n", sim_faults_format(f->faults, names, sizeof(names)));
    printf("  it takes: %s\n", sim_faults_format(f->smallest, names, sizeof(names)));
    sim_draw(&d, o->seed, f->failure->world, f->smallest);
    sim_describe(&d, stdout);
    format_command(o, f, names, sizeof(names));
    printf("  replay: %s\n  files: %s, %s, %s\n", names, f->pcap, f->ladder, f->text);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Texts here are our own: names, numbers, paths given by the user. */
static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 32)
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void print_field(const char *name, const char *text)
{
    printf(", \"%s\": ", name);
    print_string(text);
}

static void print_failures(const struct sim_options *o, const struct sim_sum *sum,
                           const struct sim_finding *findings)
{
    char names[1024];

    printf(", \"failures\": [");
    for (unsigned i = 0; i < sum->failure_count; i++) {
        const struct sim_finding *f = &findings[i];

        printf("%s{\"world\": %" PRIu64, i > 0 ? ", " : "", f->failure->world);
        print_field("failure", f->failure->what);
        print_field("faults", sim_faults_format(f->faults, names, sizeof(names)));
        print_field("smallest", sim_faults_format(f->smallest, names, sizeof(names)));
        format_command(o, f, names, sizeof(names));
        print_field("replay", names);
        print_field("pcap", f->pcap);
        print_field("ladder", f->ladder);
        printf("}");
    }
    printf("]");
}

void sw_sim_print_json(const struct sim_options *o, const struct sim_sum *sum, double seconds,
                       const struct sim_finding *findings)
{
    struct dealt dealt[DEALT];
    const char *comma = "";

    printf("{\"seed\": %" PRIu64 ", \"jobs\": %" PRIu64 ", \"worlds\": %" PRIu64
           ", \"segments\": %" PRIu64 ", \"seconds\": %.3f, \"segments_per_second\": %.0f",
           o->seed, o->jobs, sum->worlds, sum->segments, seconds, rate(sum, seconds));
    printf(", \"virtual_seconds\": %.3f, \"talks\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"not_in_order\": %" PRIu64 ", \"ended\": {",
           sum->virtual_seconds, sum->talks, sum->bytes, sum->excused);
    for (unsigned i = 0; i < WORLD_ERRORS; i++) {
        if (sum->ended[i] == 0)
            continue;
        printf("%s\"%s\": %" PRIu64, comma, sanwo_error_name((int)i), sum->ended[i]);
        comma = ", ";
    }
    printf("}, \"dealt\": {");
    list_dealt(sum, dealt);
    for (unsigned i = 0; i < DEALT; i++)
        printf("%s\"%s\": %" PRIu64, i > 0 ? ", " : "", dealt[i].name, dealt[i].count);
    printf("}, \"memory_peak\": %" PRIu64 ", \"memory_budget\": %" PRIu64 ", \"verified\": %" PRIu64
           ", \"trace\": \"%016" PRIx64 "\"",
           sum->memory_peak, sum->memory_budget, sum->verified, sum->hash);
    print_failures(o, sum, findings);
    printf(", \"well\": %s}\n", sum->failure_count == 0 ? "true" : "false");
}
