/*
 * fast_open.c - Both ends of TCP Fast Open (RFC 7413). Off unless a user asks for it: data in a SYN may
 * arrive twice (2.1), so only requests that do no harm when repeated should travel so (RFC7413-3-1).
 *
 *     cookie    SipHash(both addresses, time slot): good for one to two slots, so the key changes by
 *               itself and the one before it still counts (4.1.2). RFC7413-4.1.2-1
 *     bounds    pending connections, and those that were reset while pending, of each listener (5.1)
 */
#include "tcp/open/fast_open.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/peers.h"
#include "tcp/open/demux.h"
#include "tcp/open/half_open.h"
#include "tcp/open/handshake.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/reassembly.h"
#include "tcp/send/send_queue.h"

#define SLOT SANWO_SEC(12 * 3600)
#define RESET_SLOT SANWO_SEC(60) /* a reset counts for one to two of them */
#define DEFAULT_TEXT_IPV4 536    /* 4.1.3: where the peer's MSS is not known */
#define DEFAULT_TEXT_IPV6 1220
#define LARGEST_TEXT_IPV4 1460 /* 4.1.3: larger SYNs confuse middleboxes */
#define LARGEST_TEXT_IPV6 1440
#define BLOCKED_FOR 3600 /* seconds, doubled with each failure in a row */
#define MOST_DOUBLINGS 6 /* 64 hours */

/* ---- the server: cookies ----------------------------------------------------------------------- */

static uint64_t slot_at(sanwo_time now)
{
    return (uint64_t)now / (uint64_t)SLOT;
}

static uint64_t cookie_of(const struct tcp *tcp, const struct tcp_tuple *tuple, uint64_t slot)
{
    struct {
        uint8_t local[16], remote[16];
        uint64_t slot;
    } input = {.slot = slot};
    memcpy(input.local, tuple->local, 16);
    memcpy(input.remote, tuple->remote, 16);
    return sw_siphash(&tcp->fast_open_key, &input, sizeof(input));
}

static void put_cookie(uint8_t bytes[TCP_FAST_OPEN_COOKIE], uint64_t cookie)
{
    sw_store32(bytes, (uint32_t)(cookie >> 32)); /* the same on all machines that share a key */
    sw_store32(bytes + 4, (uint32_t)cookie);
}

static uint64_t get_cookie(const struct tcp_segment *seg)
{
    const uint8_t *bytes = seg->options.fast_open_cookie;
    return (uint64_t)sw_load32(bytes) << 32 | sw_load32(bytes + 4);
}

void sw_tcp_fast_open_add_cookie(const struct tcp *tcp, const struct tcp_tuple *tuple,
                                 bool experiment, struct wire_tcp_options *options)
{
    options->fast_open = true;
    options->fast_open_experiment = experiment; /* answered in kind: it may know no other */
    options->fast_open_length = TCP_FAST_OPEN_COOKIE;
    put_cookie(options->fast_open_cookie, cookie_of(tcp, tuple, slot_at(tcp->now)));
}

/* Both comparisons are always made: no earlier answer for half of a good cookie. */
static bool cookie_is_valid(const struct tcp *tcp, const struct tcp_segment *seg)
{
    if (seg->options.fast_open_length != TCP_FAST_OPEN_COOKIE)
        return false;
    uint64_t slot = slot_at(tcp->now);
    uint64_t cookie = get_cookie(seg);
    bool now = cookie == cookie_of(tcp, &seg->tuple, slot);
    bool before = slot > 0 && cookie == cookie_of(tcp, &seg->tuple, slot - 1);
    return now | before;
}

static bool is_fresh(const struct tcp *tcp, const struct tcp_segment *seg)
{
    return get_cookie(seg) == cookie_of(tcp, &seg->tuple, slot_at(tcp->now));
}

/* ---- the server: how many ------------------------------------------------------------------------ */

/* Resets of the slot that runs and of the one before. */
static uint32_t recent_resets(const struct tcp *tcp, const struct tcp_listener *listener)
{
    uint64_t slot = (uint64_t)tcp->now / (uint64_t)RESET_SLOT;
    uint64_t age = slot - listener->fast_open_resets.slot;
    if (age == 0)
        return listener->fast_open_resets.now + listener->fast_open_resets.before;
    return age == 1 ? listener->fast_open_resets.now : 0;
}

static void count_reset(const struct tcp *tcp, struct tcp_listener *listener)
{
    uint64_t slot = (uint64_t)tcp->now / (uint64_t)RESET_SLOT;
    uint64_t age = slot - listener->fast_open_resets.slot;
    if (age > 0) {
        listener->fast_open_resets.before = age == 1 ? listener->fast_open_resets.now : 0;
        listener->fast_open_resets.now = 0;
        listener->fast_open_resets.slot = slot;
    }
    listener->fast_open_resets.now++;
}

/*
 * RFC 7413 4.2.2, steps 1 to 3. While SYN cookies are out, or the limit is reached, nobody gets more than
 * the usual handshake, so that its defences hold (5.1, 8.2). RFC7413-5.1-1, B-27.
 */
enum tcp_fast_open sw_tcp_fast_open_judge(const struct tcp *tcp,
                                          const struct tcp_listener *listener,
                                          const struct tcp_segment *seg)
{
    if (SW_LIKELY(!listener->fast_open || !seg->options.fast_open) ||
        tcp->now < listener->cookies_until)
        return TCP_FAST_OPEN_NO;
    uint64_t pending = (uint64_t)listener->fast_open_pending + recent_resets(tcp, listener);
    if (pending >= listener->fast_open)
        return TCP_FAST_OPEN_NO;
    if (!cookie_is_valid(tcp, seg)) /* RFC7413-4.2-1 */
        return TCP_FAST_OPEN_OFFER;
    return sw_tcp_memory_is_short(tcp) ? TCP_FAST_OPEN_NO : TCP_FAST_OPEN_TAKE;
}

/* ---- the server: a connection -------------------------------------------------------------------- */

/* Step 4: the text behind the SYN, as far as there is room. Without memory the SYN alone is taken. */
static void take_text(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    seg->flags &= (uint8_t)~TCP_SYN;
    seg->seq = conn->receive.rcv_nxt;
    seg->length = sw_min32(seg->length, sw_tcp_receive_window(conn));
    if (seg->length && sw_tcp_reassemble(tcp, conn, seg))
        sw_tcp_event(tcp, conn, SANWO_EVENT_READABLE);
}

static struct tcp_connection *new_connection(struct tcp *tcp, struct tcp_listener *listener,
                                             const struct tcp_segment *seg)
{
    struct tcp_half_open half = {.listener = listener->item.index};
    half.u.config = listener->config; /* it lies in no pool, so it holds no share */
    sw_tcp_half_open_fill(sw_tcp_config_at(tcp, listener->config), &half, seg);
    half.u.iss = sw_tcp_half_open_isn(tcp, &half, seg);
    struct tcp_connection *conn = sw_tcp_promote(tcp, &half);
    if (!conn)
        return NULL;
    if (!sw_tcp_demux_insert(tcp, &seg->tuple,
                             sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index))) {
        sw_tcp_connection_discard(tcp, conn);
        return NULL;
    }
    conn->in_table = 1;
    conn->foreign = !seg->destination_is_ours;
    struct tcp_subject who = {&half.tuple, sw_tcp_handle(TCP_KIND_CONNECTION, conn),
                              SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED};
    sw_tcp_observe_subject(tcp, &who, SANWO_OBSERVE_STATE, SANWO_REASON_FAST_OPEN);
    return conn;
}

bool sw_tcp_fast_open_accept(struct tcp *tcp, struct tcp_listener *listener,
                             struct tcp_segment *seg)
{
    struct tcp_connection *conn = new_connection(tcp, listener, seg);
    if (!conn)
        return false;
    tcp->counters.reasons[SANWO_REASON_FAST_OPEN]++;
    conn->reason = SANWO_REASON_FAST_OPEN;
    conn->fast_open_pending = conn->fast_open_taken = 1;
    conn->fast_open_option = !is_fresh(tcp, seg); /* step 5: its key is about to go */
    listener->fast_open_pending++;
    sw_tcp_handshake_start(tcp, conn); /* step 6: the initial window of RFC 5681 */
    conn->syn_pending = 1;
    sw_tcp_wants_send(tcp, conn);
    take_text(tcp, conn, seg);
    sw_tcp_event(tcp, conn, SANWO_EVENT_WRITABLE);
    sw_tcp_listener_deliver(tcp, listener, conn);
    return true;
}

bool sw_tcp_fast_open_is_repeated(struct tcp *tcp, struct tcp_connection *conn,
                                  const struct tcp_segment *seg)
{
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
        !tcp_seq_equal(seg->seq, conn->receive.irs))
        return false;
    conn->syn_twice = 1; /* Karn: what acknowledges it may mean either */
    conn->syn_pending = 1;
    sw_tcp_wants_send(tcp, conn);
    return true;
}

void sw_tcp_fast_open_settled(struct tcp *tcp, struct tcp_connection *conn)
{
    if (SW_LIKELY(!conn->fast_open_pending))
        return;
    conn->fast_open_pending = 0;
    if (conn->listener == TCP_NONE)
        return;
    struct tcp_listener *listener = sw_tcp_at(tcp, &tcp->listeners, conn->listener);
    listener->fast_open_pending--;
}

/*
 * 5.1: the resets of those whose address was used count for some time, or each would make room for the
 * next. Who was not accepted yet is not given out any more: back to LISTEN (MUST-11).
 */
void sw_tcp_fast_open_reset(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->listener == TCP_NONE)
        return;
    struct tcp_listener *listener = sw_tcp_at(tcp, &tcp->listeners, conn->listener);
    count_reset(tcp, listener);
    if (!conn->in_accept_queue)
        return;
    sw_tcp_list_remove(&listener->accept_queue, &tcp->connections, tcp->region, conn);
    conn->in_accept_queue = 0;
}

void sw_tcp_fast_open_orphan(struct tcp *tcp, struct tcp_listener *listener)
{
    uint32_t cursor = 0;
    struct tcp_connection *conn;
    while (listener->fast_open_pending &&
           (conn = sw_pool_next(&tcp->connections, tcp->region, &cursor)))
        if (conn->fast_open_pending && conn->listener == listener->item.index) {
            conn->listener = TCP_NONE;
            listener->fast_open_pending--;
        }
}

/* ---- the client ------------------------------------------------------------------------------------ */

static bool is_blocked(const struct tcp *tcp, const struct tcp_peer *peer, uint16_t port)
{
    return sw_tcp_peers_second(tcp) < peer->blocked_until &&
           (!peer->blocked_port || peer->blocked_port == port);
}

/* 4.1.3: as much as the server is known to take, and the way. */
static uint32_t room_for_text(const struct tcp_connection *conn, const struct tcp_peer *peer,
                              uint16_t mtu, size_t options)
{
    bool ipv4 = sw_tcp_tuple_is_ipv4(&conn->tuple);
    uint32_t headers = ipv4 ? 40 : 60;
    uint32_t known = peer->mss ? peer->mss : ipv4 ? DEFAULT_TEXT_IPV4 : DEFAULT_TEXT_IPV6;
    uint32_t room = sw_min32(known, ipv4 ? LARGEST_TEXT_IPV4 : LARGEST_TEXT_IPV6);
    room = sw_min32(room, mtu > headers ? mtu - headers : 0);
    return room > options ? room - (uint32_t)options : 0;
}

/* Bytes of the options if the cookie is among them; 0: there was no room for it. */
static size_t size_with_cookie(const struct tcp_outgoing *out)
{
    uint8_t bytes[WIRE_TCP_OPTIONS_MAX];
    struct wire_tcp_options back;
    const uint8_t *order = out->option_order[0] ? out->option_order : NULL;
    size_t size = sw_wire_tcp_options_write(&out->options, order, bytes, sizeof(bytes));
    sw_wire_tcp_options_read(&back, bytes, size);
    return back.fast_open ? size : 0;
}

/*
 * 4.2.1 and 4.2.2: a request while there is no cookie, else the cookie and as much as fits of what the
 * user has queued. A SYN that goes out again has neither.
 */
uint32_t sw_tcp_fast_open_syn(struct tcp *tcp, struct tcp_connection *conn, uint16_t mtu,
                              struct tcp_outgoing *out)
{
    if (conn->syn_lost || conn->state != SANWO_TCP_SYN_SENT)
        return 0;
    const struct tcp_peer *peer = sw_tcp_peer_find(tcp, &conn->tuple);
    if (peer && is_blocked(tcp, peer, conn->tuple.remote_port))
        return 0;
    out->options.fast_open = true;
    if (peer) {
        out->options.fast_open_length = peer->cookie_length;
        out->options.fast_open_experiment =
            peer->cookie_length && peer->flags & TCP_PEER_EXPERIMENT;
        memcpy(out->options.fast_open_cookie, peer->cookie, peer->cookie_length);
    }
    size_t options = size_with_cookie(out);
    if (!options) { /* step 1 a: the usual handshake */
        out->options.fast_open = false;
        return 0;
    }
    conn->fast_open_tried = 1;
    if (!peer || !peer->cookie_length)
        return 0;
    return sw_min32(room_for_text(conn, peer, mtu, options), sw_tcp_send_queue_unsent(conn));
}

bool sw_tcp_fast_open_acks_syn(const struct tcp_connection *conn, tcp_seq ack)
{
    tcp_seq first = tcp_seq_add(conn->send.iss, 1);
    if (SW_UNLIKELY(conn->fast_open_pending)) /* with what was sent behind our SYN-ACK */
        return tcp_seq_between(ack, first, conn->send.snd_nxt);
    return tcp_seq_between(ack, first, tcp_seq_add(first, conn->send.syn_text));
}

/* 4.1.3.1: not to be tried again for some time, with that port or, if others failed too, with none. */
static void block(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_peer *peer = sw_tcp_peer_make(tcp, &conn->tuple);
    if (!peer)
        return;
    uint16_t port = conn->tuple.remote_port;
    bool other = sw_tcp_peers_second(tcp) < peer->blocked_until && peer->blocked_port != port;
    uint32_t doublings = sw_min32(peer->failures, MOST_DOUBLINGS);
    peer->blocked_until = sw_tcp_peers_second(tcp) + ((uint32_t)BLOCKED_FOR << doublings);
    peer->blocked_port = other ? 0 : port;
    peer->failures = (uint8_t)(doublings + 1);
    tcp->counters.reasons[SANWO_REASON_FAST_OPEN_FAILED]++;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_ERROR, SANWO_REASON_FAST_OPEN_FAILED, port, 0);
}

/* What the SYN-ACK tells of the server (4.1.3, and "Client: Receiving SYN-ACK"). */
static void learn(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                  uint32_t taken)
{
    const struct wire_tcp_options *o = &seg->options;
    bool syn = seg->came_with_syn; /* 4.1.1: elsewhere the option is ignored. RFC7413-4.1.1-1 */
    bool has_cookie = syn && o->fast_open && o->fast_open_length;
    struct tcp_peer *peer =
        has_cookie ? sw_tcp_peer_make(tcp, &conn->tuple) : sw_tcp_peer_find(tcp, &conn->tuple);
    /* Lost with the option, answered without: presumably somebody on the way drops such SYNs. */
    if (conn->syn_lost && !taken && !has_cookie) {
        block(tcp, conn);
        return;
    }
    if (!peer)
        return;
    if (syn && o->mss)
        peer->mss = o->mss;
    if (has_cookie) {
        memcpy(peer->cookie, o->fast_open_cookie, o->fast_open_length);
        peer->cookie_length = o->fast_open_length;
        peer->flags &= (uint8_t)~TCP_PEER_EXPERIMENT;
        if (o->fast_open_experiment)
            peer->flags |= TCP_PEER_EXPERIMENT;
    } else if (conn->send.syn_text && !taken) { /* 4.1.3.1: it refused the text; ask it anew */
        peer->cookie_length = 0;
    }
    if (taken)
        peer->failures = 0;
}

void sw_tcp_fast_open_answered(struct tcp *tcp, struct tcp_connection *conn,
                               const struct tcp_segment *seg)
{
    struct tcp_sender *s = &conn->send;
    tcp_seq first = tcp_seq_add(s->iss, 1);
    uint32_t taken = tcp_seq_distance(first, seg->ack);
    if (SW_LIKELY(!conn->fast_open_tried) || conn->fast_open_pending)
        return;
    learn(tcp, conn, seg, taken);
    s->syn_text -= (uint16_t)taken; /* sw_tcp_fast_open_acks_syn() saw to it that it is no more */
    s->next = 0;
    if (!taken)
        return;
    conn->fast_open_taken = 1;
    s->snd_nxt = seg->ack;
    sw_tcp_send_queue_acknowledge(tcp, conn, taken);
    conn->bytes_acked += taken;
    if (!sw_tcp_send_queue_unsent(conn))
        sw_tcp_event(tcp, conn, SANWO_EVENT_DRAINED);
}

/*
 * 4.1.3.1: no answer at all, an ICMP error, a reset; and the firewall that lets the SYN through but
 * nothing after it. Whether Fast Open is to blame nobody knows, and trying without costs a round trip.
 */
void sw_tcp_fast_open_ended(struct tcp *tcp, struct tcp_connection *conn, uint8_t old,
                            enum sanwo_reason why)
{
    if (SW_LIKELY(!conn->fast_open_tried))
        return;
    bool by_user = why == SANWO_REASON_USER_ABORT || why == SANWO_REASON_USER_CLOSE;
    bool silent = conn->error == SANWO_ETIMEDOUT && !conn->bytes_received;
    if ((old == SANWO_TCP_SYN_SENT && !by_user) || (conn->fast_open_taken && silent))
        block(tcp, conn);
}
