/*
 * meter.c - Counts the data segments of each flow where they enter the path and where they leave it.
 *
 *     entry: sent before?        below sent_to
 *     exit:  needless?           below arrived_to, or within one of the spans above it
 *
 * The port tells the flow. Only IPv4 is used here.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <stdlib.h>
#include <string.h>

struct data {
    struct meter_flow *flow;
    uint32_t begin, end; /* relative to the SYN */
};

static uint32_t read32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool after(uint32_t a, uint32_t b)
{
    return a != b && a - b < UINT32_C(0x80000000);
}

/* False: no data, or none of ours. */
static bool read_data(struct meter *meter, const struct sanwo_frame *f, struct data *out)
{
    const uint8_t *ip = f->slices[0].bytes, *tcp;
    uint32_t have = f->slices[0].length, header, length;
    unsigned number;

    if (f->slice_count == 0 || have < 40 || ip[0] >> 4 != 4 || ip[9] != 6)
        return false;
    header = (ip[0] & 15u) * 4u;
    if (header + 20 > have)
        return false;
    tcp = ip + header;
    number = ((unsigned)tcp[2] << 8 | tcp[3]) - FLOW_PORT;
    if (number >= MOST_FLOWS)
        return false;
    out->flow = &meter->flows[number];
    header += (tcp[12] >> 4) * 4u;
    if ((tcp[13] & 2) != 0 && !out->flow->known) { /* SYN */
        out->flow->known = true;
        out->flow->isn = read32(tcp + 4) + 1;
    }
    length = f->length > header ? f->length - header : 0;
    out->begin = read32(tcp + 4) - out->flow->isn;
    out->end = out->begin + length;
    return length > 0 && out->flow->known;
}

void sw_meter_enter(struct meter *meter, const struct sanwo_frame *frame)
{
    struct data d;

    if (!read_data(meter, frame, &d))
        return;
    d.flow->segments++;
    if (after(d.end, d.flow->sent_to))
        d.flow->sent_to = d.end;
    else
        d.flow->again++;
}

/* The first span that ends at or after @begin. */
static size_t find_span(const struct meter_flow *flow, uint32_t begin)
{
    size_t low = 0, high = flow->span_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (after(begin, flow->spans[middle].end))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_span(struct meter_flow *flow, size_t at, struct span span)
{
    if (flow->span_count == flow->span_size) {
        size_t size = flow->span_size != 0 ? 2 * flow->span_size : 64;
        struct span *more = realloc(flow->spans, size * sizeof(*more));

        if (more == NULL)
            return;
        flow->spans = more;
        flow->span_size = size;
    }
    memmove(flow->spans + at + 1, flow->spans + at, (flow->span_count - at) * sizeof(*flow->spans));
    flow->spans[at] = span;
    flow->span_count++;
}

static void remove_spans(struct meter_flow *flow, size_t at, size_t count)
{
    memmove(flow->spans + at, flow->spans + at + count,
            (flow->span_count - at - count) * sizeof(*flow->spans));
    flow->span_count -= count;
}

/* Adds [begin, end) above arrived_to. False: all of it was there. */
static bool add_span(struct meter_flow *flow, uint32_t begin, uint32_t end)
{
    size_t at = find_span(flow, begin), last = at;
    uint32_t known = 0;

    if (at < flow->span_count && !after(flow->spans[at].begin, begin) &&
        !after(end, flow->spans[at].end))
        return false;
    while (last < flow->span_count && !after(flow->spans[last].begin, end)) {
        if (after(begin, flow->spans[last].begin))
            begin = flow->spans[last].begin;
        if (after(flow->spans[last].end, end))
            end = flow->spans[last].end;
        known += flow->spans[last].end - flow->spans[last].begin;
        last++;
    }
    flow->fresh += end - begin - known;
    if (last > at) {
        flow->spans[at] = (struct span){begin, end};
        remove_spans(flow, at + 1, last - at - 1);
    } else {
        insert_span(flow, at, (struct span){begin, end});
    }
    return true;
}

/* All below @end is there. */
static void advance(struct meter_flow *flow, uint32_t end)
{
    uint32_t known = 0, before = flow->arrived_to;
    size_t n = 0;

    while (n < flow->span_count && !after(flow->spans[n].begin, end)) {
        known += flow->spans[n].end - flow->spans[n].begin;
        if (after(flow->spans[n].end, end))
            end = flow->spans[n].end;
        n++;
    }
    if (n > 0)
        remove_spans(flow, 0, n);
    flow->arrived_to = end;
    flow->fresh += end - before - known;
}

void sw_meter_leave(struct meter *meter, const struct sanwo_frame *frame)
{
    struct meter_flow *flow;
    struct data d;

    if (!read_data(meter, frame, &d))
        return;
    flow = d.flow;
    flow->out_segments++;
    if (!after(d.end, flow->arrived_to)) {
        flow->needless++;
        return;
    }
    if (flow->span_count > 0 && after(flow->spans[flow->span_count - 1].end, d.end))
        flow->overtaken++;
    if (after(d.begin, flow->arrived_to)) {
        flow->needless += !add_span(flow, d.begin, d.end);
        return;
    }
    advance(flow, d.end);
}

void sw_meter_dispose(struct meter *meter)
{
    for (unsigned i = 0; i < MOST_FLOWS; i++)
        free(meter->flows[i].spans);
}
