/*
 * mtu_probe.c - The path MTU by trying: a segment larger than the others, made of data that waits
 * to be sent anyway. If it is lost, and nothing else, it was too large.
 *
 *     path_mtu: passes        probe        high: did not pass      the link, the peer's MSS
 *        |---------------------|-------------------|--------------------------|
 *        '-- acknowledged: path_mtu moves here     '-- lost: `high` moves to the probe
 *
 * RFC 4821 7.3 to 7.6; RFC 8899 5.3 does the same for datagrams. Only where there is something to
 * find: path_mtu is set, which it is after a black hole (mtu_probing 1), or after a message that is
 * ten minutes old (mtu_probing 2). Only with SACK, which tells a lost probe from lost others. When
 * the gap is small enough the search rests for ten minutes.
 */
#include "tcp/send/mtu_probe.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/send/path_mtu.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define CLOSE_ENOUGH 16             /* a part of the size in use that is not worth another probe */
#define SEGMENTS_BEHIND 4           /* RFC 4821 7.4: so that its loss is noticed at once */
#define MOST_TRIES 3                /* RFC 8899 5.1.2: MAX_PROBES */
#define LONGEST_PAUSE SANWO_SEC(20) /* see pause_after() */
#define SHORTEST_ROUND SANWO_MSEC(1)

struct tcp_mtu_search *sw_tcp_mtu_search(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *sending = sw_tcp_sending(tcp, conn);
    return sending ? &sending->mtu : NULL;
}

/* RFC 4821 7.3: sizes that are common, among them Ethernet's less the headers of tunnels. */
static const uint16_t common[] = {1280, 1400, 1420, 1440, 1460, 1476,  1492,
                                  1500, 2048, 4352, 8166, 9000, 16384, 32000};

/*
 * Upward through the common sizes: what arrives costs nothing, while each one lost costs a pause.
 * What lies between two of them is halved.
 */
static uint32_t between(uint32_t low, uint32_t high)
{
    for (size_t i = 0; i < SW_COUNT(common); i++)
        if (common[i] > low && common[i] < high)
            return common[i];
    return high - low > low / CLOSE_ENOUGH ? low + (high - low) / 2 : 0;
}

uint16_t sw_tcp_mtu_probe_size(const struct tcp_mtu_search *search, uint32_t low, uint32_t most)
{
    most = sw_min32(most, UINT16_MAX);
    uint32_t high = search->high && search->high <= most ? search->high : most + 1;
    if (low >= most || high <= low)
        return 0;
    if (search->first > low && search->first < high)
        return search->first;
    if (high > most) /* nothing failed yet: all of it */
        return (uint16_t)most;
    return (uint16_t)between(low, high);
}

/*
 * RFC 4821 7.6.2: losses that are no sign of congestion must be rarer than those that are: as many
 * round trips as cwnd has segments. With a very large window that would be minutes; twenty seconds
 * is what CUBIC takes to come back to a window of ten thousand segments.
 */
static sanwo_time pause_after(const struct tcp_connection *conn, uint32_t times)
{
    sanwo_time round = conn->send.srtt > SHORTEST_ROUND ? conn->send.srtt : SHORTEST_ROUND;
    sanwo_time rounds = times * (conn->cc.cwnd / sw_max32(conn->cc.mss, 1)) + 1;
    return round < LONGEST_PAUSE / rounds ? round * rounds : LONGEST_PAUSE;
}

/* Nothing is left to try. */
static void rest(struct tcp *tcp, struct tcp_connection *conn, struct tcp_mtu_search *search,
                 uint32_t most)
{
    search->first = search->high = 0;
    if (conn->send.path_mtu >= most) { /* as if nothing had been */
        conn->black_hole = 0;
        conn->send.path_mtu = 0;
        return;
    }
    sw_tcp_timers_path_mtu_lowered(tcp, conn); /* RFC 4821 7.3: ten minutes, then anew */
}

static bool is_calm(const struct tcp_connection *conn)
{
    return !conn->in_recovery && !conn->in_timeout && !conn->send.lost && !conn->urgent_out &&
           !conn->limited;
}

/* RFC 4821 7.4 (RFC4821-5-1), and whether there is anything to search for. */
static bool may_probe(const struct tcp *tcp, const struct tcp_connection *conn,
                      const struct tcp_mtu_search *search)
{
    uint8_t probing = sw_tcp_config(tcp, conn)->mtu_probing;
    if (probing == MTU_PROBING_OFF ||
        (probing == MTU_PROBING_AFTER_BLACK_HOLE && !conn->black_hole))
        return false;
    return search && !search->probe && tcp->now >= search->not_before && is_calm(conn);
}

bool sw_tcp_mtu_probe_plan(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_path *path, uint32_t mss, struct tcp_plan *plan)
{
    struct tcp_sender *s = &conn->send;
    if (SW_LIKELY(!s->path_mtu) || conn->deadline.path_mtu != SANWO_TIME_NEVER || !conn->sack)
        return false;
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    if (!may_probe(tcp, conn, search) || mss > conn->cc.mss)
        return false;
    uint32_t headers = sw_tcp_path_mtu_headers(conn);
    uint32_t options = conn->cc.mss - mss; /* of this segment beside those that all have */
    uint32_t peer = s->peer_mss + headers - (conn->timestamps ? TIMESTAMPS_SIZE : 0);
    uint32_t most = sw_min32(path->mtu, peer);
    uint32_t size = sw_tcp_mtu_probe_size(search, s->path_mtu, most);
    if (size <= conn->cc.mss + headers) {
        rest(tcp, conn, search, most);
        return false;
    }
    uint32_t length = size - headers - options, needed = length + SEGMENTS_BEHIND * mss;
    if (sw_tcp_send_queue_unsent(conn) < needed || s->snd_wnd < needed || conn->cc.cwnd < needed)
        return false;
    uint32_t out = tcp_seq_distance(s->snd_una, s->snd_nxt);
    *plan =
        (struct tcp_plan){.seq = s->snd_nxt, .flags = TCP_ACK, .reason = SANWO_REASON_MTU_PROBE};
    if (s->in_flight + length <= conn->cc.cwnd && out + length <= s->snd_wnd) {
        plan->length = length;
        search->planned = (uint16_t)length;
        search->planned_size = (uint16_t)size;
    } else { /* RFC 4821 7.4: held back while ACKs come, until there is room: within a round trip */
        conn->limited_by = SANWO_REASON_CONGESTION_WINDOW;
    }
    return plan->length || out;
}

static void set_probe_flag(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq, bool on)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_find(tcp, conn, seq, &place);
    if (record)
        sw_tcp_record_set_flags(tcp, conn, &place,
                                on ? record->flags | RECORD_PROBE
                                   : record->flags & (uint8_t)~RECORD_PROBE);
}

void sw_tcp_mtu_probe_sent(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_plan *plan)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    if (!search || plan->length != search->planned) /* in pieces after all: no probe */
        return;
    search->probe = search->planned_size;
    search->probe_seq = plan->seq;
    search->probe_end = tcp_seq_add(plan->seq, plan->length);
    set_probe_flag(tcp, conn, plan->seq, true);
}

void sw_tcp_mtu_probe_acked(struct tcp *tcp, struct tcp_connection *conn,
                            struct tcp_mtu_search *search)
{
    if (tcp_seq_before(conn->send.snd_una, search->probe_end))
        return;
    uint16_t size = search->probe;
    search->probe = 0;
    search->tries = 0;
    if (size <= conn->send.path_mtu) /* a message or time-outs lowered it meanwhile */
        return;
    if (search->first <= size)
        search->first = 0;
    search->delivered = size;
    sw_tcp_path_mtu_use(tcp, conn, size, SANWO_REASON_PATH_MTU_RAISED); /* RFC 4821 7.6.1 */
}

/* RFC 4821 7.6.2: too large; the next one has to wait. */
static void failed(struct tcp *tcp, struct tcp_connection *conn, struct tcp_mtu_search *search,
                   uint32_t pauses)
{
    set_probe_flag(tcp, conn, search->probe_seq, false);
    search->high = search->probe;
    if (search->first >= search->high)
        search->first = 0;
    search->probe = 0;
    search->tries = 0;
    search->not_before = tcp->now + (pauses ? pause_after(conn, pauses) : 0);
}

/* RFC 4821 7.6.4: it tells nothing. But not for ever. */
static void told_nothing(struct tcp *tcp, struct tcp_connection *conn,
                         struct tcp_mtu_search *search)
{
    if (++search->tries >= MOST_TRIES)
        failed(tcp, conn, search, 1);
    set_probe_flag(tcp, conn, search->probe_seq, false);
    search->probe = 0;
}

void sw_tcp_mtu_probe_lost(struct tcp *tcp, struct tcp_connection *conn, bool alone)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    if (!search || !search->probe)
        return;
    if (alone && !conn->in_recovery && !conn->in_timeout)
        failed(tcp, conn, search, 1);
    else
        told_nothing(tcp, conn, search);
}

void sw_tcp_mtu_probe_timed_out(struct tcp *tcp, struct tcp_connection *conn,
                                struct tcp_mtu_search *search)
{
    if (!search->probe)
        return;
    if (tcp_seq_equal(search->probe_seq, conn->send.snd_una))
        failed(tcp, conn, search, 5); /* RFC 4821 7.6.3: and then five times as long */
    else
        told_nothing(tcp, conn, search);
}

bool sw_tcp_mtu_probe_too_big(struct tcp *tcp, struct tcp_connection *conn,
                              struct tcp_mtu_search *search, tcp_seq seq, uint32_t mtu)
{
    if (!search->probe || !tcp_seq_equal(seq, search->probe_seq) || mtu < conn->send.path_mtu)
        return false;
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_find(tcp, conn, seq, &place);
    if (!record || (record->flags & RECORD_SACKED)) /* a lie: it arrived */
        return true;
    sw_tcp_record_set_flags(tcp, conn, &place, record->flags | RECORD_LOST);
    failed(tcp, conn, search, 0);
    search->first = (uint16_t)mtu; /* RFC 4821 7.6.2: what the message names */
    sw_tcp_wants_send(tcp, conn);
    return true;
}
