/*
 * goodput.c - sanwo bench goodput: the command line. bench/goodput runs it over the whole map.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <errno.h>
#include <string.h>

#include "../common.h"

static const struct command_help help = {
    .name = "bench goodput",
    .synopsis = "[options] [KEY=VALUE ...]",
    .summary =
        "Goodput, completion times, retransmissions, queueing delay and fairness over one path.\n"
        "The cell: ends=ours|ours-linux|linux-ours|linux|mixed rate=MBIT rtt=MS loss=% "
        "burst=PACKETS\n"
        "reorder=% held=MS queue=BDP flows=N cc=newreno|cubic|bbr|dctcp linux=NAME seed=N warm=S\n"
        "measure=S short=N long=0|1 strict=0|1. With ends=ours time is virtual; the others need "
        "root.",
    .example = "sanwo bench goodput rate=100 rtt=20 loss=0.1 queue=1",
};

static bool join(int argc, char **argv, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (int i = 1; i < argc; i++) {
        int n = snprintf(text + used, size - used, "%s%s", i > 1 ? " " : "", argv[i]);

        if (n < 0 || (size_t)n >= size - used)
            return false;
        used += (size_t)n;
    }
    return true;
}

static int run_cell(const char *text, bool json)
{
    char message[384];
    struct result result;
    struct cell cell;

    if (!sw_cell_read(&cell, text, message, sizeof message))
        return sw_complain("bench goodput", STATUS_USAGE, "%s", message);
    if (!sw_measure(&cell, &result))
        return STATUS_FAILED;
    if (json)
        sw_report_json(stdout, &cell, &result);
    else
        sw_report_line(stdout, &cell, &result);
    return fflush(stdout) ? STATUS_WRITE : STATUS_OK;
}

static int cannot_write(const char *path)
{
    return sw_complain("bench goodput", STATUS_WRITE, "cannot write %s: %s", path, strerror(errno));
}

static int open_samples(const char *path)
{
    if (path == NULL)
        return STATUS_OK;
    sw_world_samples = fopen(path, "w");
    if (sw_world_samples == NULL)
        return cannot_write(path);
    fprintf(sw_world_samples, "seconds\tflow\tcwnd\tssthresh\tin_flight\tsrtt_us\treceived\tqueue\t"
                              "resent\n");
    return STATUS_OK;
}

int sw_cmd_goodput(int argc, char **argv)
{
    const char *guard = NULL, *record = NULL, *samples = NULL;
    bool json = false;
    const struct option_entry options[] = {
        {OPTION_ON, 0, "json", &json, NULL, "an object, for machines", 0, 0},
        {OPTION_TEXT, 0, "samples", &samples, "FILE", "cwnd and in-flight over time, with tabs", 0,
         0},
        {OPTION_TEXT, 0, "pcap", &sw_world_record, "FILE", "packets at the senders' end", 0, 0},
        {OPTION_NUMBER, 0, "run", &sw_world_watched, "N",
         "samples and packets of the Nth transfer, not of the run in bulk", 0, 1000},
        {OPTION_TEXT, 0, "guard", &guard, "FILE", "compare with recorded counts", 0, 0},
        {OPTION_TEXT, 0, "record", &record, "FILE", "record them anew", 0, 0},
        {.kind = OPTION_END},
    };
    char text[CELL_TEXT];
    int count, status;

    if (!sw_options_read(&help, options, NULL, argc, argv, &count, &status))
        return status;
    if (guard != NULL)
        return sw_guard_check(guard);
    if (record != NULL)
        return sw_guard_record(record);
    if (!join(count + 1, argv, text, sizeof text))
        return sw_complain("bench goodput", STATUS_USAGE, "the cell has more than %d characters",
                           CELL_TEXT - 1);
    status = open_samples(samples);
    if (status == STATUS_OK)
        status = run_cell(text, json);
    if (sw_world_samples != NULL && fclose(sw_world_samples) != 0 && status == STATUS_OK)
        status = cannot_write(samples);
    return status;
}
