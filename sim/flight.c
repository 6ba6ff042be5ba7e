/*
 * flight.c - Who sends new data has not more in flight than congestion control allows (RFC 5681 3.1).
 *
 *     frame sent -> whose? -> its info: in flight <= cwnd and a little
 *
 * Looked at is the last frame of a batch, at the instant at which it is sent: the window is then what
 * it was when that was decided. What is sent again may exceed it (a first retransmission, RFC 5681 3.2;
 * RTO), and so may a probe of the tail (RFC 8985 7.3); what is new may not.
 */
#include "inside.h"

enum {
    LOOK_EVERY = 4,
    /* Limited transmit (RFC 3042) sends two beyond cwnd; and a segment may be half sent when it is full. */
    SPARE_SEGMENTS = 3,
};

struct seen {
    uint16_t port, peer_port;
    uint32_t end; /* the number behind its last byte */
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Returns false if it is not a TCP segment with payload, as our stacks build them. */
static bool read_frame(const struct sanwo_frame *frame, struct seen *out)
{
    const uint8_t *ip = frame->slices[0].bytes;
    bool six = ip[0] >> 4 == 6;
    size_t header = six ? 40 : (size_t)(ip[0] & 15) * 4;
    const uint8_t *tcp = ip + header;

    if (frame->slices[0].length < header + 20 || (six ? ip[6] : ip[9]) != 6)
        return false;
    header += (size_t)(tcp[12] >> 4) * 4;
    *out = (struct seen){.port = get16(tcp),
                         .peer_port = get16(tcp + 2),
                         .end = get32(tcp + 4) + (uint32_t)(frame->length - header)};
    return frame->length > header;
}

static struct world_end *find_end(struct world *w, unsigned side, const struct seen *seen)
{
    for (struct world_end *end = w->ends; end != NULL; end = end->next)
        if (end->open && end->side == side && end->port == seen->port &&
            end->peer_port == seen->peer_port)
            return end;
    return NULL;
}

void flight_check(struct world *w, unsigned side, const struct sanwo_frame *frame)
{
    struct sanwo_tcp_info i;
    struct world_end *end;
    struct seen seen;
    bool probed;

    if (w->host[side].frames % LOOK_EVERY != 0 || !read_frame(frame, &seen))
        return;
    end = find_end(w, side, &seen);
    if (end == NULL || sanwo_tcp_info(w->host[side].stack, end->handle, &i) != 0 ||
        i.snd_nxt != seen.end)
        return;
    probed = i.tail_probes != end->tail_probes;
    end->tail_probes = i.tail_probes;
    if (probed || i.state == SANWO_TCP_SYN_SENT || i.state == SANWO_TCP_SYN_RECEIVED)
        return;
    if (i.in_flight > i.cwnd + SPARE_SEGMENTS * i.send_mss + i.path_mtu_probe)
        world_fail(w, "talk %d: %c has %u in flight, with a cwnd of %u and segments of %u",
                   end->talk != NULL ? (int)end->talk->number : -1, 'A' + (int)side, i.in_flight,
                   i.cwnd, i.send_mss);
}
