/*
 * stamp.c - Stamps of retransmissions never go back, and never before what the peer has in order.
 *
 * Data is sent again a round trip after the first time at the earliest. What is held back by a quarter
 * of one, where RACK's window begins (RFC 8985 6.2 step 4), is younger than all that was in order then.
 */
#include "tcp/send/stamp.h"

#include "tcp/connection/config.h"
#include "tcp/receive/timestamps.h"
#include "tcp/send/sending.h"

#define MOST_TICKS 1000 /* paws_tolerance is a second at most */

/* By how many ticks of our clock a retransmission may overtake: nothing, unless the path was seen to
 * reorder. Where the user tolerates nothing late, we ask nobody to. */
static uint32_t ticks_overtaken(const struct tcp *tcp, const struct tcp_connection *conn)
{
    sanwo_time late = conn->send.min_rtt / 4;
    sanwo_time most = sw_tcp_config(tcp, conn)->paws_tolerance;
    if (!conn->reordering_seen)
        return 0;
    if (late > most)
        late = most;
    return (uint32_t)((late + 999999) / 1000000);
}

void sw_tcp_stamp_again(struct tcp *tcp, struct tcp_connection *conn,
                        struct wire_tcp_options *options)
{
    if (!options->timestamps)
        return;
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    uint32_t stamp = options->ts_value - ticks_overtaken(tcp, conn);
    uint32_t back = s->stamp - stamp;
    if (back > MOST_TICKS) /* it is newer, though the clock may have jumped by any number of days */
        s->stamp = stamp;
    options->ts_value = s->stamp;
}

uint32_t sw_tcp_stamp_least(const struct tcp *tcp, const struct tcp_connection *conn,
                            sanwo_time sent)
{
    uint32_t clock = (uint32_t)((uint64_t)sent / 1000000) + conn->ts_offset;
    return clock - ticks_overtaken(tcp, conn);
}
