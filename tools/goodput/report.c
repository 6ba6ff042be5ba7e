/*
 * report.c - A cell's figures: a line for people, an object for machines.
 */
#define _GNU_SOURCE
#include "goodput.h"

static double ms(sanwo_time t)
{
    return (double)t / 1e6;
}

static double mean_ms(const struct transfers *t)
{
    return t->finished > 0 ? ms(t->sum) / t->finished : 0;
}

static void transfers_json(FILE *out, const char *name, const struct transfers *t)
{
    fprintf(out,
            ",\"%s\":{\"count\":%u,\"finished\":%u,\"mean_ms\":%.3f,\"least_ms\":%.3f,"
            "\"most_ms\":%.3f,\"segments\":%llu,\"again\":%llu,\"needless\":%llu}",
            name, t->count, t->finished, mean_ms(t), ms(t->least), ms(t->most),
            (unsigned long long)t->segments, (unsigned long long)t->again,
            (unsigned long long)t->needless);
}

static void cell_json(FILE *out, const struct cell *c)
{
    fprintf(out,
            "{\"cell\":\"%s\",\"ends\":\"%s\",\"rate\":%llu,\"rtt_ms\":%g,\"loss\":%g,"
            "\"burst\":%u,\"reorder\":%g,\"queue_bdp\":%g,\"flows\":%u,\"seed\":%llu,"
            "\"warm_s\":%g,\"measure_s\":%g",
            c->text, sw_cell_ends_name(c), (unsigned long long)c->rate, ms(c->rtt), c->loss / 1e4,
            c->burst, c->reorder / 1e4, c->queue / 1e3, c->flows, (unsigned long long)c->seed,
            (double)c->warm / 1e9, (double)c->measure / 1e9);
}

void sw_report_json(FILE *out, const struct cell *c, const struct result *r)
{
    cell_json(out, c);
    fprintf(out,
            ",\"goodput\":%.0f,\"capacity\":%.0f,\"model\":%.0f,\"fill\":%.4f,\"jain\":%.4f,"
            "\"flow_goodput\":[",
            r->goodput, sw_cell_capacity(c), sw_cell_model(c), r->fill, r->jain);
    for (unsigned i = 0; i < c->flows; i++)
        fprintf(out, "%s%.0f", i > 0 ? "," : "", r->flows[i]);
    fprintf(out,
            "],\"segments\":%llu,\"again\":%.5f,\"again_all\":%.5f,\"needless\":%.5f,"
            "\"overtaken\":%.5f,\"lost\":%llu",
            (unsigned long long)r->segments, r->again, r->again_all, r->needless, r->overtaken,
            (unsigned long long)r->lost);
    fprintf(out,
            ",\"waiting\":{\"mean_ms\":%.3f,\"median_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f,"
            "\"dropped\":%llu,\"most_bytes\":%llu}",
            ms(r->queue.mean), ms(r->queue.median), ms(r->queue.p99), ms(r->queue.most),
            (unsigned long long)r->queue.dropped, (unsigned long long)r->queue.most_bytes);
    transfers_json(out, "short", &r->shorts);
    transfers_json(out, "long", &r->longs);
    fprintf(out,
            ",\"processor\":%.3f,\"late_us\":%.1f,\"latest_us\":%.1f,\"kernel_dropped\":%llu,"
            "\"elapsed_s\":%.3f}\n",
            r->processor, (double)r->late / 1e3, (double)r->latest / 1e3,
            (unsigned long long)r->dropped, (double)r->elapsed / 1e9);
}

void sw_report_line(FILE *out, const struct cell *c, const struct result *r)
{
    fprintf(out,
            "%-10s %6g Mbit/s %4g ms %5g %% loss%s %3g %% late %4g BDP %2u flows: %9.3f Mbit/s, "
            "fill %.3f, model %.3f, again %.2f %%, needless %.2f %%, queue %.2f/%.2f ms, Jain "
            "%.3f, 100 KB %.1f ms, 10 MB %.0f ms",
            sw_cell_ends_name(c), (double)c->rate / 1e6, ms(c->rtt), c->loss / 1e4,
            c->burst > 1 ? " in bursts" : "", c->reorder / 1e4, c->queue / 1e3, c->flows,
            r->goodput / 1e6, r->fill, sw_cell_model(c) / sw_cell_capacity(c), r->again * 100,
            r->needless * 100, ms(r->queue.mean), ms(r->queue.p99), r->jain, mean_ms(&r->shorts),
            mean_ms(&r->longs));
    if (sw_cell_is_real(c))
        fprintf(out, ", processor %.2f, late %.0f us", r->processor, (double)r->late / 1e3);
    if (r->dropped > 0)
        fprintf(out, ", the kernel dropped %llu", (unsigned long long)r->dropped);
    fprintf(out, "\n");
}
