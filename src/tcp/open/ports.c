/*
 * ports.c - Ephemeral ports by RFC 6056 3.3.4: a keyed offset per destination, and a counter.
 *
 * Towards one destination the ports walk through the whole range before one comes again; an observer
 * of one destination learns nothing of another's. The counter advances by random steps, so that the
 * number of our connections cannot be read off either.
 */
#include "tcp/open/ports.h"

#include "tcp/open/demux.h"

#define LARGEST_STEP 4

/* RFC6056-3.3-1. A-23. */
bool sw_tcp_choose_port(struct tcp *tcp, struct tcp_tuple *tuple)
{
    uint32_t count = (uint32_t)tcp->ephemeral_last - tcp->ephemeral_first + 1;
    tuple->local_port = 0;
    uint32_t offset = (uint32_t)sw_siphash(&tcp->port_key, tuple, sizeof(*tuple));
    tcp->ephemeral_step += 1 + sw_random_below(tcp->random, LARGEST_STEP);
    uint32_t start = (offset % count + tcp->ephemeral_step % count) % count;
    for (uint32_t i = 0; i < count; i++) {
        tuple->local_port = (uint16_t)(tcp->ephemeral_first + (start + i) % count);
        if (!sw_tcp_demux_find(tcp, tuple).name)
            return true;
    }
    return false;
}
