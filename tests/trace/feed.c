/*
 * feed.c - Observations as two stacks would make them.
 */
#include "trace/feed.h"

#include <string.h>

static const uint8_t syn_options[] = {2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 0, 0};

static struct sanwo_observation observation(const struct feed *f, unsigned end, unsigned kind,
                                            unsigned state)
{
    struct sanwo_observation o = {0};

    o.now = f->now;
    o.kind = (uint8_t)kind;
    o.state = o.old_state = (uint8_t)state;
    o.local.address = sanwo_address_ipv4(10, 0, 0, (uint8_t)(end + 1));
    o.local.port = end == SANWO_TRACE_A ? 4001 : 80;
    o.remote.address = sanwo_address_ipv4(10, 0, 0, (uint8_t)((end ^ 1) + 1));
    o.remote.port = end == SANWO_TRACE_A ? 80 : 4001;
    return o;
}

void feed_start(struct feed *f)
{
    memset(f, 0, sizeof(*f));
    if (sanwo_trace_create(&f->trace) != 0) {
        return;
    }
    sanwo_trace_role(f->trace, SANWO_TRACE_A, "client");
    sanwo_trace_role(f->trace, SANWO_TRACE_B, "server");
    struct sanwo_observation o =
        observation(f, SANWO_TRACE_B, SANWO_OBSERVE_STATE, SANWO_TCP_LISTEN);
    memset(&o.remote, 0, sizeof(o.remote));
    o.reason = SANWO_REASON_PASSIVE_OPEN;
    sanwo_trace_observe(f->trace, SANWO_TRACE_B, &o);
}

void feed_stop(struct feed *f)
{
    sanwo_trace_destroy(f->trace);
}

void feed_state(struct feed *f, unsigned end, unsigned from, unsigned to, unsigned reason)
{
    struct sanwo_observation o = observation(f, end, SANWO_OBSERVE_STATE, to);
    o.old_state = (uint8_t)from;
    o.reason = (uint16_t)reason;
    sanwo_trace_observe(f->trace, end, &o);
}

void feed_out(struct feed *f, unsigned end, unsigned state, unsigned flags, uint32_t seq,
              uint32_t ack, uint32_t length)
{
    struct sanwo_observation o = observation(f, end, SANWO_OBSERVE_SEGMENT_OUT, state);

    o.flags = (uint8_t)flags;
    o.seq = seq;
    o.ack = ack;
    o.payload_length = length;
    o.window = 65535;
    if (flags & SYN) {
        o.options = syn_options;
        o.options_length = sizeof(syn_options);
    }
    sanwo_trace_observe(f->trace, end, &o);
    f->last[end] = o;
}

void feed_in_this(struct feed *f, unsigned end, unsigned state,
                  const struct sanwo_observation *segment)
{
    struct sanwo_observation o = *segment;
    struct sanwo_observation here = observation(f, end, SANWO_OBSERVE_SEGMENT_IN, state);

    o.now = here.now;
    o.kind = here.kind;
    o.state = o.old_state = here.state;
    o.local = here.local;
    o.remote = here.remote;
    o.reason = SANWO_REASON_NONE;
    sanwo_trace_observe(f->trace, end, &o);
}

void feed_in(struct feed *f, unsigned end, unsigned state)
{
    feed_in_this(f, end, state, &f->last[end ^ 1]);
}

void feed_drop(struct feed *f, unsigned end, unsigned state, unsigned reason)
{
    struct sanwo_observation o = observation(f, end, SANWO_OBSERVE_DROP, state);
    o.reason = (uint16_t)reason;
    sanwo_trace_observe(f->trace, end, &o);
}

void feed_handshake(struct feed *f, sanwo_time delay)
{
    feed_state(f, 0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_out(f, 0, SANWO_TCP_SYN_SENT, SYN, 1000, 0, 0);
    f->now += delay;
    feed_in(f, 1, SANWO_TCP_LISTEN);
    feed_state(f, 1, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED, SANWO_REASON_SYN_RECEIVED);
    feed_out(f, 1, SANWO_TCP_SYN_RECEIVED, SYN | ACK, 5000, 1001, 0);
    f->now += delay;
    feed_in(f, 0, SANWO_TCP_SYN_SENT);
    feed_state(f, 0, SANWO_TCP_SYN_SENT, SANWO_TCP_ESTABLISHED, SANWO_REASON_SYN_ACK_RECEIVED);
    feed_out(f, 0, SANWO_TCP_ESTABLISHED, ACK, 1001, 5001, 0);
    f->now += delay;
    feed_in(f, 1, SANWO_TCP_SYN_RECEIVED);
    feed_state(f, 1, SANWO_TCP_SYN_RECEIVED, SANWO_TCP_ESTABLISHED,
               SANWO_REASON_HANDSHAKE_COMPLETE);
}

void feed_close(struct feed *f, sanwo_time delay, uint32_t seq, uint32_t ack)
{
    feed_state(f, 0, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_REASON_USER_SHUTDOWN);
    feed_out(f, 0, SANWO_TCP_FIN_WAIT_1, FIN | ACK, seq, ack, 0);
    f->now += delay;
    feed_in(f, 1, SANWO_TCP_ESTABLISHED);
    feed_state(f, 1, SANWO_TCP_ESTABLISHED, SANWO_TCP_CLOSE_WAIT, SANWO_REASON_PEER_FIN);
    feed_out(f, 1, SANWO_TCP_CLOSE_WAIT, ACK, ack, seq + 1, 0);
    f->now += delay;
    feed_in(f, 0, SANWO_TCP_FIN_WAIT_1);
    feed_state(f, 0, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_FIN_WAIT_2, SANWO_REASON_OUR_FIN_ACKED);
    f->now += SANWO_MSEC(1);
    feed_state(f, 1, SANWO_TCP_CLOSE_WAIT, SANWO_TCP_LAST_ACK, SANWO_REASON_USER_CLOSE);
    feed_out(f, 1, SANWO_TCP_LAST_ACK, FIN | ACK, ack, seq + 1, 0);
    f->now += delay;
    feed_in(f, 0, SANWO_TCP_FIN_WAIT_2);
    feed_state(f, 0, SANWO_TCP_FIN_WAIT_2, SANWO_TCP_TIME_WAIT, SANWO_REASON_PEER_FIN);
    feed_out(f, 0, SANWO_TCP_TIME_WAIT, ACK, seq + 1, ack + 1, 0);
    f->now += delay;
    feed_in(f, 1, SANWO_TCP_LAST_ACK);
    feed_state(f, 1, SANWO_TCP_LAST_ACK, SANWO_TCP_CLOSED, SANWO_REASON_OUR_FIN_ACKED);
    f->now += SANWO_SEC(60) - delay;
    feed_state(f, 0, SANWO_TCP_TIME_WAIT, SANWO_TCP_CLOSED, SANWO_REASON_TIME_WAIT_OVER);
}

static void collect(void *context, const char *bytes, size_t length)
{
    struct feed *f = context;

    if (length >= sizeof(f->text) - f->length) {
        length = sizeof(f->text) - f->length - 1;
    }
    memcpy(f->text + f->length, bytes, length);
    f->length += length;
    f->text[f->length] = '\0';
}

int feed_render(struct feed *f, enum sanwo_trace_format format,
                const struct sanwo_trace_style *style)
{
    struct sanwo_trace_writer w = {collect, f};
    f->length = 0;
    f->text[0] = '\0';
    return sanwo_trace_render(f->trace, format, style, &w);
}

struct feed shared_feed;

int feed_setup(void **state)
{
    (void)state;
    feed_start(&shared_feed);
    return shared_feed.trace == NULL;
}

int feed_teardown(void **state)
{
    (void)state;
    feed_stop(&shared_feed);
    return 0;
}
