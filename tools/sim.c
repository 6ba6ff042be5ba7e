/*
 * sim.c - `sanwo sim`: two hosts, a hostile network and careless applications, drawn again and again.
 *
 *     seed, number --> draw --> world: both ends real, every byte checked --> sum, or a failure
 *
 * The engine is in sim/; here are options, processes and reports.
 */
#include "sim.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command_help help = {
    .name = "sim",
    .synopsis = "[options]",
    .summary =
        "Draws worlds from a seed and runs them in virtual time: two stacks, a network that "
        "loses,\n"
        "reorders, doubles, damages, delays and forgets, middleboxes, hosts that start anew, "
        "clocks\n"
        "that jump, memory that runs short, applications that stall, half-close and abort. Every\n"
        "byte that arrives is compared; once the faults stop, every connection must end in order "
        "or\n"
        "with an error that the faults explain, and memory must be as it was before.",
    .more =
        "Exit status: 0 all is well; 1 a rule was broken, which is shown with the command that\n"
        "replays it, a capture and a ladder; 2 usage; 5 a file could not be written.",
    .example = "sanwo sim --segments 100000000 --seed 7 --json\n"
               "sanwo sim --seed 7 --world 1234 --only loss,reorder --ladder ladder.txt",
};

static bool read_faults(const char *text, const char *option, uint64_t *out)
{
    const char *wrong;

    if (text == NULL || sim_faults_parse(text, out, &wrong))
        return true;
    sw_complain("sim", STATUS_USAGE,
                "--%s: there is no fault '%.*s'; \"sanwo sim --list\" shows what there is", option,
                (int)strcspn(wrong, ","), wrong);
    return false;
}

static void print_faults(void)
{
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        printf("%-12s %s\n", sim_fault_name(i), sim_fault_meaning(i));
}

static int run_many(const struct sim_options *o)
{
    struct sim_finding findings[SIM_MOST_FAILURES];
    sanwo_time start = sanwo_time_now();
    double seconds;
    struct sim_sum sum;
    int status = sw_sim_run_jobs(o, &sum);

    if (status != 0)
        return status;
    seconds = (double)(sanwo_time_now() - start) / 1e9;
    if (!o->json)
        sw_sim_print(o, &sum, seconds);
    for (unsigned i = 0; i < sum.failure_count; i++) {
        sw_sim_look_into(o, &sum.failures[i], &findings[i]);
        if (!o->json)
            sw_sim_print_finding(o, &findings[i]);
    }
    if (o->json)
        sw_sim_print_json(o, &sum, seconds, findings);
    if (fflush(stdout) != 0)
        return sw_complain("sim", STATUS_WRITE, "standard output cannot be written");
    return sum.failure_count > 0 ? STATUS_FAILED : STATUS_OK;
}

int sw_cmd_sim(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct sim_options o = {
        .segments = 2000000,
        .seed = 1,
        .world = SIM_NO_WORLD,
        .jobs = cores > 0 && cores <= SIM_MOST_JOBS ? (uint64_t)cores : 1,
        .verify = 16,
        .out = "sanwo-sim",
    };
    const struct option_entry table[] = {
        {OPTION_NUMBER, 'n', "segments", &o.segments, "N", "until so many were sent (2000000)", 1,
         UINT64_MAX / 2},
        {OPTION_NUMBER, 's', "seed", &o.seed, "S", "other worlds (1)", 0, UINT64_MAX},
        {OPTION_NUMBER, 'w', "world", &o.world, "K", "only this world, here and now", 0,
         SIM_NO_WORLD - 1},
        {OPTION_TEXT, 0, "only", &o.only, "LIST", "faults to draw from, as loss,reorder; or none",
         0, 0},
        {OPTION_TEXT, 0, "without", &o.without, "LIST", "faults to leave out", 0, 0},
        {OPTION_ON, 'l', "list", &o.list, NULL, "the kinds of fault", 0, 0},
        {OPTION_NUMBER, 'j', "jobs", &o.jobs, "J", "processes (one a core)", 1, SIM_MOST_JOBS},
        {OPTION_NUMBER, 0, "verify", &o.verify, "N",
         "every Nth world runs twice and must be equal (16); 0: none", 0, UINT64_MAX},
        {OPTION_TEXT, 'o', "out", &o.out, "DIR", "folder for captures of failures (sanwo-sim)", 0,
         0},
        {OPTION_TEXT, 0, "pcap", &o.pcap, "FILE", "with --world: capture at host A", 0, 0},
        {OPTION_TEXT, 0, "ladder", &o.ladder, "FILE",
         "with --world: the talk that failed, or the "
         "first",
         0, 0},
        {OPTION_ON, 't', "trace", &o.trace, NULL, "with --world: each thing as it happens", 0, 0},
        {OPTION_ON, 0, "json", &o.json, NULL, "one JSON object instead of text", 0, 0},
        {.kind = OPTION_END},
    };
    uint64_t without = 0;
    int count, status;

    if (!sw_options_read(&help, table, NULL, argc, argv, &count, &status))
        return status;
    if (count > 0)
        return sw_complain("sim", STATUS_USAGE, "'%s' is not an option", argv[1]);
    o.faults = SIM_ALL;
    if (!read_faults(o.only, "only", &o.faults) || !read_faults(o.without, "without", &without))
        return STATUS_USAGE;
    o.faults &= ~without;
    if (o.list) {
        print_faults();
        return STATUS_OK;
    }
    if (o.world != SIM_NO_WORLD)
        return sw_sim_replay(&o);
    if (o.pcap != NULL || o.ladder != NULL || o.trace)
        return sw_complain("sim", STATUS_USAGE, "--pcap, --ladder and --trace are for one --world");
    return run_many(&o);
}
