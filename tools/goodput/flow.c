/*
 * flow.c - One transfer, whoever its ends are: what the applications at them do.
 *
 *     sender: connect, write until the limit, half-close      receiver: accept, read to the end
 *
 * Both read and write at once whenever they can; a transfer's time is from connect() to the last byte
 * in the receiver's hands.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <string.h>

#include "../common.h"

const uint8_t sw_flow_bytes[1 << 16];

void sw_flow_init(struct flow *flow, struct world *world, unsigned number, uint64_t limit)
{
    *flow = (struct flow){.world = world,
                          .number = number,
                          .from_linux = sw_cell_from_linux(world->cell, number),
                          .to_linux = sw_cell_to_linux(world->cell),
                          .limit = limit,
                          .sender_fd = -1,
                          .receiver_fd = -1,
                          .listener_fd = -1};
}

bool sw_flow_start(struct flow *flow)
{
    flow->open = true;
    flow->start = flow->world->now;
    return (flow->to_linux ? sw_linux_listen(flow) : sw_ours_listen(flow)) &&
           (flow->from_linux ? sw_linux_connect(flow) : sw_ours_connect(flow));
}

void sw_flow_close(struct flow *flow)
{
    if (flow->open)
        sw_linux_close(flow); /* ours go with their stack */
    flow->open = false;
}

bool sw_flow_info(const struct flow *flow, struct flow_info *out)
{
    memset(out, 0, sizeof *out);
    return flow->from_linux ? sw_linux_info(flow, out) : sw_ours_info(flow, out);
}

void sw_flow_got(struct flow *flow, uint64_t n)
{
    flow->received += n;
    if (flow->limit > 0 && flow->received >= flow->limit && flow->done == 0)
        flow->done = flow->world->now;
}

void sw_flow_ended(struct flow *flow)
{
    flow->ended = true;
    if (flow->limit > 0 && flow->received < flow->limit)
        sw_flow_fail(flow, "the stream ended early", 0);
}

void sw_flow_fail(struct flow *flow, const char *what, int error)
{
    if (!flow->failed)
        sw_complain("bench goodput", 0, "flow %u: %s (%d) after %llu bytes, in: %s", flow->number,
                    what, error, (unsigned long long)flow->received, flow->world->cell->text);
    flow->failed = true;
}

size_t sw_flow_rest(const struct flow *flow, size_t most)
{
    if (flow->limit == 0 || flow->limit - flow->sent > most)
        return most;
    return (size_t)(flow->limit - flow->sent);
}
