/*
 * flow.c - Finding and making flows; script numbers to live ones and back. See flow.h.
 *
 * Which flow a packet without ports is of: the one made last, but not one whose ports the script
 * names (it speaks of that one by its ports). So a script with one connection needs no ports, and
 * one with many names them.
 */
#include "flow.h"

#include "packet_bytes.h"

#include <stdlib.h>
#include <string.h>

/* Scripts remember at most this many timestamps of a flow; the oldest is forgotten. */
#define TS_PAIRS_MAX 4096
#define DEFAULT_PORT 8080

void sw_drill_wire_init(struct drill_wire *wire)
{
    memset(wire, 0, sizeof(*wire));
    wire->family = SANWO_FAMILY_IPV4;
    wire->check_ttl = true;
}

void sw_drill_wire_free(struct drill_wire *wire)
{
    for (size_t i = 0; i < DRILL_FLOWS_MAX; i++)
        free(wire->flows[i].ts_pairs);
    memset(wire->flows, 0, sizeof(wire->flows));
    wire->flow_count = 0;
}

void sw_drill_wire_listen(struct drill_wire *wire, uint16_t port)
{
    wire->listening = true;
    wire->listen_port = port;
}

uint16_t sw_drill_flow_default_port(const struct sanwo_endpoint *endpoint)
{
    return endpoint->port ? endpoint->port : DEFAULT_PORT;
}

/* ---- finding and making --------------------------------------------------------------------- */

static bool same_endpoint(const struct sanwo_endpoint *a, const struct sanwo_endpoint *b)
{
    return a->port == b->port && sanwo_address_equal(&a->address, &b->address);
}

static struct drill_flow *find(struct drill_wire *wire, uint8_t protocol,
                               const struct sanwo_endpoint *local,
                               const struct sanwo_endpoint *remote)
{
    for (size_t i = 0; i < wire->flow_count; i++) {
        struct drill_flow *flow = &wire->flows[i];

        if (flow->used && flow->protocol == protocol && same_endpoint(&flow->local, local) &&
            same_endpoint(&flow->remote, remote))
            return flow;
    }
    return NULL;
}

struct drill_flow *sw_drill_flow_find(struct drill_wire *wire, const struct sanwo_endpoint *local,
                                      const struct sanwo_endpoint *remote)
{
    struct drill_flow *flow = find(wire, DRILL_TCP, local, remote);

    return flow ? flow : find(wire, DRILL_UDP, local, remote);
}

/* A free place, or the one that was not used for longest. */
static struct drill_flow *place(struct drill_wire *wire)
{
    struct drill_flow *oldest = &wire->flows[0];

    if (wire->flow_count < DRILL_FLOWS_MAX)
        return &wire->flows[wire->flow_count++];
    for (size_t i = 1; i < DRILL_FLOWS_MAX; i++)
        if (wire->flows[i].last_use < oldest->last_use)
            oldest = &wire->flows[i];
    free(oldest->ts_pairs);
    return oldest;
}

static struct drill_flow *make(struct drill_wire *wire, uint8_t protocol,
                               const struct sanwo_endpoint *local,
                               const struct sanwo_endpoint *remote, bool named)
{
    struct drill_flow *flow = place(wire);

    memset(flow, 0, sizeof(*flow));
    flow->used = true;
    flow->protocol = protocol;
    flow->local = *local;
    flow->remote = *remote;
    flow->named = named;
    flow->serial = ++wire->uses;
    return flow;
}

static struct drill_flow *use(struct drill_wire *wire, struct drill_flow *flow)
{
    flow->last_use = ++wire->uses;
    return flow;
}

struct drill_flow *sw_drill_flow_current(struct drill_wire *wire, uint8_t protocol)
{
    struct drill_flow *best = NULL;

    for (size_t i = 0; i < wire->flow_count; i++) {
        struct drill_flow *flow = &wire->flows[i];

        if (!flow->used || flow->protocol != protocol)
            continue;
        if (!best || (best->named && !flow->named) ||
            (best->named == flow->named && flow->serial > best->serial))
            best = flow;
    }
    return best;
}

static bool is_over(const struct drill_flow *flow)
{
    return flow->reset || (flow->local_fin && flow->remote_fin);
}

static uint16_t next_remote_port(struct drill_wire *wire)
{
    if (wire->next_remote_port == 0)
        wire->next_remote_port = sw_drill_flow_default_port(&wire->remote);
    return wire->next_remote_port++;
}

/*
 * A new flow for a packet without ports: the peer opens it. Ports that a flow has already (a script
 * may have named them) are passed over.
 */
static struct drill_flow *open_from_peer(struct drill_wire *wire, uint8_t protocol, uint16_t port)
{
    struct sanwo_endpoint local = wire->local, remote = wire->remote;

    local.port = port ? port : sw_drill_flow_default_port(&wire->local);
    do
        remote.port = next_remote_port(wire);
    while (remote.port == 0 || find(wire, protocol, &local, &remote));
    return make(wire, protocol, &local, &remote, false);
}

struct drill_flow *sw_drill_flow_for_inbound(struct drill_wire *wire,
                                             const struct drill_packet *packet)
{
    struct drill_flow *flow = sw_drill_flow_current(wire, packet->protocol);
    bool begins = packet->protocol == DRILL_TCP && (packet->flags & DRILL_SYN) &&
                  !(packet->flags & DRILL_ACK);

    if (packet->source_port || packet->destination_port) {
        struct sanwo_endpoint local = flow ? flow->local : wire->local;
        struct sanwo_endpoint remote = flow ? flow->remote : wire->remote;

        local.port = packet->destination_port ? packet->destination_port
                     : flow                   ? local.port
                                              : sw_drill_flow_default_port(&local);
        remote.port = packet->source_port ? packet->source_port
                      : flow              ? remote.port
                                          : sw_drill_flow_default_port(&remote);
        flow = find(wire, packet->protocol, &local, &remote);
        return use(wire, flow ? flow : make(wire, packet->protocol, &local, &remote, true));
    }
    if (wire->listening && packet->protocol == DRILL_TCP) {
        wire->listening = false;
        return use(wire, open_from_peer(wire, DRILL_TCP, wire->listen_port));
    }
    /* The stack opened the last one and it is over: a SYN is for a listener, not for that port. */
    if (!flow || (begins && flow->active && is_over(flow)))
        flow = open_from_peer(wire, packet->protocol, 0);
    return use(wire, flow);
}

struct drill_flow *sw_drill_flow_of_seen(struct drill_wire *wire, const struct drill_seen *seen)
{
    if (seen->protocol == DRILL_ICMP)
        return NULL;
    return find(wire, seen->protocol, &seen->source, &seen->destination);
}

struct drill_flow *sw_drill_flow_for_seen(struct drill_wire *wire, const struct drill_seen *seen)
{
    struct drill_flow *flow = sw_drill_flow_of_seen(wire, seen);

    if (!flow) {
        flow = make(wire, seen->protocol, &seen->source, &seen->destination, false);
        flow->active = true;
        wire->listening = false; /* the socket that connects was made after the one that listens */
    }
    return use(wire, flow);
}

bool sw_drill_concerns(struct drill_wire *wire, const struct drill_packet *packet,
                       const struct drill_seen *seen)
{
    struct drill_flow *flow, *current;
    bool begins;

    if (packet->protocol != seen->protocol)
        return false;
    if (seen->protocol == DRILL_ICMP)
        return true;
    if (packet->source_port || packet->destination_port)
        return (!packet->source_port || packet->source_port == seen->source.port) &&
               (!packet->destination_port || packet->destination_port == seen->destination.port);
    flow = sw_drill_flow_of_seen(wire, seen);
    current = sw_drill_flow_current(wire, seen->protocol);
    begins = seen->protocol != DRILL_TCP || (seen->flags & (DRILL_SYN | DRILL_ACK)) == DRILL_SYN;
    return flow ? flow == current : begins || !current;
}

/* ---- sequence numbers ------------------------------------------------------------------------ */

static uint32_t local_offset(const struct drill_flow *flow, bool syn)
{
    uint32_t isn = flow->local_isn_known ? flow->local_isn : 0;

    return syn && flow->local_isn_known ? isn - flow->local_isn_script : isn;
}

static uint32_t remote_offset(const struct drill_flow *flow, bool syn)
{
    if (!flow->remote_isn_known)
        return 0;
    return syn ? flow->remote_isn - flow->remote_isn_script : flow->remote_isn;
}

uint32_t sw_drill_flow_local_live(const struct drill_flow *flow, uint32_t script, bool syn)
{
    return script + local_offset(flow, syn);
}

uint32_t sw_drill_flow_local_script(const struct drill_flow *flow, uint32_t live, bool syn)
{
    return live - local_offset(flow, syn);
}

uint32_t sw_drill_flow_remote_live(const struct drill_flow *flow, uint32_t script, bool syn)
{
    return script + remote_offset(flow, syn);
}

uint32_t sw_drill_flow_remote_script(const struct drill_flow *flow, uint32_t live, bool syn)
{
    return live - remote_offset(flow, syn);
}

/* ---- what packets tell ------------------------------------------------------------------------- */

void sw_drill_flow_learn_inbound(struct drill_flow *flow, const struct drill_packet *packet)
{
    if (packet->flags & DRILL_SYN) {
        if (!flow->remote_isn_known) {
            flow->remote_isn = flow->remote_isn_script = packet->seq;
            flow->remote_isn_known = true;
        }
        /*
         * On a flow that exists a SYN may be old, an attack, or a new beginning: only the stack's
         * answer tells. Until then numbers stay relative to the first SYN.
         */
        if (!(packet->flags & DRILL_ACK)) {
            flow->pending_isn = packet->seq;
            flow->pending_known = true;
        }
    }
    if (packet->flags & DRILL_RST)
        flow->reset = true;
    if (packet->flags & DRILL_FIN)
        flow->remote_fin = true;
}

/* The four-tuple begins again: what was learned of the connection before it does not hold. */
static void begin_anew(struct drill_flow *flow, bool from_peer)
{
    flow->remote_isn_known = from_peer;
    flow->remote_isn = flow->remote_isn_script = flow->pending_isn;
    flow->reset = flow->local_fin = flow->remote_fin = false;
    flow->ts_known = false;
    flow->ts_pair_count = 0;
    flow->label_known = false;
}

static void learn_isn(struct drill_flow *flow, const struct drill_packet *packet,
                      const struct drill_seen *seen)
{
    bool answer = seen->flags & DRILL_ACK;

    if (flow->local_isn_known) {
        if (seen->seq == flow->local_isn)
            return; /* sent again */
        /* The same SYN twice must be answered with the same ISN; another may be accepted as new. */
        if (answer && (!flow->pending_known || seen->ack != flow->pending_isn + 1 ||
                       (!is_over(flow) && flow->pending_isn == flow->remote_isn)))
            return;
        if (!answer && !is_over(flow))
            return;
        begin_anew(flow, answer);
    }
    flow->local_isn = seen->seq;
    flow->local_isn_script = packet->seq_is_any || packet->seq_is_absolute ? 0 : packet->seq;
    flow->local_isn_known = true;
}

void sw_drill_flow_learn_outbound(struct drill_flow *flow, const struct drill_packet *packet,
                                  const struct drill_seen *seen)
{
    if (seen->protocol == DRILL_TCP) {
        if ((packet->flags & DRILL_SYN) && (seen->flags & DRILL_SYN))
            learn_isn(flow, packet, seen);
        if (seen->flags & DRILL_RST)
            flow->reset = true;
        if (seen->flags & DRILL_FIN)
            flow->local_fin = true;
    }
    flow->last_seq_live = seen->seq;
    flow->last_length = seen->payload_length;
    flow->last_known = true;
}

/* ---- timestamps -------------------------------------------------------------------------------- */

static struct drill_timestamp_pair *pair_of(const struct drill_flow *flow, uint32_t script)
{
    for (size_t i = flow->ts_pair_count; i-- > 0;)
        if (flow->ts_pairs[i].script == script)
            return &flow->ts_pairs[i];
    return NULL;
}

/* Room for one more pair, or NULL where there is no memory: then the script's `ecr` is estimated. */
static struct drill_timestamp_pair *new_pair(struct drill_flow *flow)
{
    if (flow->ts_pair_count == TS_PAIRS_MAX) {
        flow->ts_pair_count--;
        memmove(flow->ts_pairs, flow->ts_pairs + 1, flow->ts_pair_count * sizeof(*flow->ts_pairs));
    }
    if (flow->ts_pair_count == flow->ts_pair_size) {
        size_t size = flow->ts_pair_size ? flow->ts_pair_size * 2 : 16;
        struct drill_timestamp_pair *pairs = realloc(flow->ts_pairs, size * sizeof(*pairs));

        if (!pairs)
            return NULL;
        flow->ts_pairs = pairs;
        flow->ts_pair_size = size;
    }
    return &flow->ts_pairs[flow->ts_pair_count++];
}

void sw_drill_flow_learn_ts(struct drill_flow *flow, uint32_t script, uint32_t live,
                            sanwo_time when)
{
    struct drill_timestamp_pair *pair = pair_of(flow, script);

    if (!flow->ts_known) {
        flow->ts_known = true;
        flow->ts_script = script;
        flow->ts_live = live;
        flow->ts_time = when;
    }
    if (!pair)
        pair = new_pair(flow);
    if (pair) {
        pair->script = script;
        pair->live = live;
    }
}

bool sw_drill_flow_live_ts(const struct drill_flow *flow, uint32_t script, uint32_t *live)
{
    const struct drill_timestamp_pair *pair = pair_of(flow, script);

    if (pair) {
        *live = pair->live;
        return true;
    }
    if (script == 0) { /* "none", RFC 7323 3.2 */
        *live = 0;
        return true;
    }
    *live = script - flow->ts_script + flow->ts_live;
    return flow->ts_known;
}

uint32_t sw_drill_flow_script_ts(const struct drill_flow *flow, uint32_t live)
{
    return flow->ts_known ? live - flow->ts_live + flow->ts_script : live;
}
