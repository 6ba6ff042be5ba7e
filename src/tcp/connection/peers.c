/*
 * peers.c - A cache of eight-way sets; reading it at the opening, writing it at the close (RFC 9040 6).
 *
 *     directory | set 0 | none | set 2 | ...        a set: one block of eight entries of 64 bytes
 *
 * Which peers share a set is a keyed hash, so nobody can choose whom to push out, and only
 * connections of ours make entries: what a stranger sends does not.
 */
#include "tcp/connection/peers.h"

#include "tcp/connection/config.h"
#include "tcp/send/rtt.h"

#define WAYS 8
#define LARGEST_DIRECTORY (1u << 16) /* sets: half a million peers */
#define USABLE_FOR 3600              /* seconds; what is older tells little of the path */
#define MICROSECOND 1000

size_t sw_tcp_peers_directory_size(uint32_t max_peers)
{
    uint32_t sets = max_peers / WAYS + (max_peers % WAYS != 0);
    return sw_min32(sets, LARGEST_DIRECTORY) * sizeof(region_ref);
}

static region_ref *directory(const struct tcp *tcp)
{
    return (void *)((uint8_t *)sw_region_base(tcp->region) + tcp->peers.directory);
}

void sw_tcp_peers_init(struct tcp *tcp, uint64_t directory_offset, uint32_t max_peers)
{
    size_t size = sw_tcp_peers_directory_size(max_peers);
    tcp->peers.directory = directory_offset;
    tcp->peers.sets = (uint32_t)(size / sizeof(region_ref));
    if (size)
        memset(directory(tcp), 0, size);
}

uint32_t sw_tcp_peers_second(const struct tcp *tcp)
{
    return (uint32_t)((uint64_t)tcp->now / (uint64_t)SANWO_SEC(1)) + 1;
}

/* The set, and in @id what tells the peers in it apart: never 0. @tcp has sets. */
static uint32_t set_of(const struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t *id)
{
    uint8_t pair[33];
    memcpy(pair, tuple->local, 16);
    memcpy(pair + 16, tuple->remote, 16);
    pair[32] = (uint8_t)tuple->zone;
    uint64_t hash = sw_siphash(&tcp->peers.key, pair, sizeof(pair));
    *id = (uint32_t)hash | 1;
    return (uint32_t)((hash >> 32) % tcp->peers.sets);
}

static struct tcp_peer *ways(const struct tcp *tcp, uint32_t set)
{
    region_ref block = directory(tcp)[set];
    return block ? sw_region_at(tcp->region, block) : NULL;
}

static struct tcp_peer *find_in(struct tcp_peer *way, const struct tcp_tuple *tuple, uint32_t id)
{
    for (unsigned i = 0; way && i < WAYS; i++)
        if (way[i].id == id && memcmp(way[i].remote, tuple->remote, 16) == 0)
            return &way[i];
    return NULL;
}

struct tcp_peer *sw_tcp_peer_find(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
    uint32_t id;
    if (!tcp->peers.sets)
        return NULL;
    struct tcp_peer *way = ways(tcp, set_of(tcp, tuple, &id));
    return find_in(way, tuple, id);
}

static struct tcp_peer *make_set(struct tcp *tcp, uint32_t set)
{
    struct tcp_peer *way = ways(tcp, set);
    if (way || sw_tcp_memory_is_short(tcp))
        return way;
    region_ref block = sw_region_alloc(tcp->region, WAYS * sizeof(struct tcp_peer));
    if (!block)
        return NULL;
    directory(tcp)[set] = block;
    way = sw_region_at(tcp->region, block);
    memset(way, 0, WAYS * sizeof(struct tcp_peer));
    return way;
}

/* Nobody's place, else that of the one written longest ago. */
static struct tcp_peer *oldest(struct tcp_peer *way)
{
    struct tcp_peer *least = way;
    for (unsigned i = 1; i < WAYS && least->id; i++)
        if (!way[i].id || way[i].written < least->written)
            least = &way[i];
    return least;
}

struct tcp_peer *sw_tcp_peer_make(struct tcp *tcp, const struct tcp_tuple *tuple)
{
    uint32_t id;
    if (!tcp->peers.sets)
        return NULL;
    struct tcp_peer *way = make_set(tcp, set_of(tcp, tuple, &id));
    if (!way)
        return NULL;
    struct tcp_peer *peer = find_in(way, tuple, id);
    if (!peer) {
        peer = oldest(way);
        *peer = (struct tcp_peer){.id = id};
        memcpy(peer->remote, tuple->remote, 16);
    }
    peer->written = sw_tcp_peers_second(tcp);
    return peer;
}

/* ---- reading: a connection begins -------------------------------------------------------------- */

/* What was measured on the way to the peer of @conn not too long ago, or NULL. */
static const struct tcp_peer *known_path(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(!sw_tcp_config(tcp, conn)->remember_peers))
        return NULL;
    const struct tcp_peer *peer = sw_tcp_peer_find(tcp, &conn->tuple);
    bool usable = peer && peer->srtt && sw_tcp_peers_second(tcp) - peer->written <= USABLE_FOR;
    return usable ? peer : NULL;
}

static sanwo_time srtt_of(const struct tcp_peer *peer)
{
    return (sanwo_time)peer->srtt * MICROSECOND;
}

static sanwo_time rttvar_of(const struct tcp_peer *peer)
{
    return (sanwo_time)peer->rttvar * MICROSECOND;
}

/*
 * The SYN's RTO is longer than RFC 6298 2.1 says where the peer is known to be far away, and never
 * shorter: a SYN sent twice for nothing costs the initial window (RFC 5681 3.1).
 */
void sw_tcp_peers_opened(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_peer *peer = known_path(tcp, conn);
    if (!peer || srtt_of(peer) + 4 * rttvar_of(peer) <= sw_tcp_config(tcp, conn)->rto_initial)
        return;
    conn->send.srtt = srtt_of(peer);
    conn->send.rttvar = rttvar_of(peer);
}

/*
 * What the handshake measured is newer, and right about the way as it is now; but one sample of the
 * smallest segments says little of how much it varies. So the RTO is at least what it was. A handshake
 * that could not be timed leaves all to what is known (instead of RFC 6298 5.7).
 */
static void take_rtt(struct tcp_sender *s, const struct tcp_peer *peer)
{
    if (!s->srtt) {
        s->srtt = srtt_of(peer);
        s->rttvar = rttvar_of(peer);
        s->min_rtt = s->srtt;
        return;
    }
    sanwo_time rto = srtt_of(peer) + 4 * rttvar_of(peer);
    sanwo_time needed = (rto - s->srtt) / 4;
    if (needed > s->rttvar)
        s->rttvar = needed;
}

void sw_tcp_peers_established(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_peer *peer = known_path(tcp, conn);
    if (!peer)
        return;
    take_rtt(&conn->send, peer);
    if (peer->ssthresh) { /* at most 65535 segments of 65535 bytes: fits */
        uint32_t ssthresh = (uint32_t)peer->ssthresh * conn->cc.mss;
        conn->cc.ssthresh = sw_max32(ssthresh, conn->cc.cwnd);
    }
    if (peer->flags & TCP_PEER_REORDERING)
        conn->reordering_seen = 1;
}

/* ---- writing: it ends --------------------------------------------------------------------------- */

static uint32_t microseconds(sanwo_time t)
{
    sanwo_time us = t / MICROSECOND;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

/* RFC9040-6.1-1, merge(): what is longer counts at once, what is shorter by a quarter. */
static uint32_t merge(uint32_t old, uint32_t current)
{
    return current >= old ? current : old - (old - current) / 4;
}

/* One half of both; without a loss it doubles until it limits nothing. */
static uint16_t merge_ssthresh(uint16_t old, const struct tcp_cc *cc)
{
    if (cc->ssthresh == UINT32_MAX)
        return old > UINT16_MAX / 2 ? 0 : (uint16_t)(2 * old);
    uint32_t segments = sw_max32(cc->ssthresh / sw_max32(cc->mss, 1), 2);
    if (old)
        segments = (uint32_t)(((uint64_t)segments + old) / 2);
    return (uint16_t)sw_min32(segments, UINT16_MAX);
}

void sw_tcp_peers_closed(struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_sender *s = &conn->send;
    if (SW_LIKELY(!sw_tcp_config(tcp, conn)->remember_peers) || s->srtt < MICROSECOND)
        return;
    const struct tcp_peer *before = known_path(tcp, conn);
    bool fresh = before != NULL;
    struct tcp_peer *peer = sw_tcp_peer_make(tcp, &conn->tuple);
    if (!peer)
        return;
    if (!fresh) { /* nothing, or too old to be averaged with */
        peer->srtt = peer->rttvar = peer->ssthresh = 0;
        peer->flags &= (uint8_t)~TCP_PEER_REORDERING;
    }
    peer->srtt = merge(peer->srtt, microseconds(s->srtt));
    peer->rttvar = merge(peer->rttvar, microseconds(s->rttvar));
    peer->ssthresh = merge_ssthresh(peer->ssthresh, &conn->cc);
    if (conn->reordering_seen)
        peer->flags |= TCP_PEER_REORDERING;
}

/* ---- seeing and forgetting ----------------------------------------------------------------------- */

const struct tcp_peer *sw_tcp_peers_at(const struct tcp *tcp, uint32_t at)
{
    for (uint32_t set = 0; set < tcp->peers.sets; set++) {
        const struct tcp_peer *way = ways(tcp, set);
        for (unsigned i = 0; way && i < WAYS; i++)
            if (way[i].id && at-- == 0)
                return &way[i];
    }
    return NULL;
}

uint32_t sw_tcp_peers_forget(struct tcp *tcp, const uint8_t *remote)
{
    uint32_t count = 0;
    for (uint32_t set = 0; set < tcp->peers.sets; set++) {
        struct tcp_peer *way = ways(tcp, set);
        unsigned left = 0;
        for (unsigned i = 0; way && i < WAYS; i++) {
            bool goes = way[i].id && (!remote || memcmp(way[i].remote, remote, 16) == 0);
            count += goes;
            if (goes)
                way[i].id = 0;
            left += way[i].id != 0;
        }
        if (way && !left) {
            sw_region_free(tcp->region, directory(tcp)[set]);
            directory(tcp)[set] = 0;
        }
    }
    return count;
}
