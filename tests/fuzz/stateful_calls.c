/*
 * stateful_calls.c - The user: every call of <sanwo/tcp.h>, with handles that live and that do not.
 *
 * `who` names the flow whose latest handle is meant; with 128 set, any handle (bits 3 to 6).
 */
#include "stateful.h"

#include <stdlib.h>

#define OPTIONS_TRIED 40 /* some of which there are not */

static struct user *user_of(struct world *w, const uint8_t *r)
{
    struct user *any = &w->users[r[1] >> 3 & (USERS - 1)];
    return r[1] & 128 ? (any->used ? any : NULL) : flow_user(w, (r[1] & 7) % FLOWS);
}

struct user *call_user_of(struct world *w, struct sanwo_handle h)
{
    for (unsigned i = 0; i < USERS; i++)
        if (w->users[i].used && sanwo_handle_equal(w->users[i].handle, h))
            return &w->users[i];
    return NULL;
}

static struct far *flow_of(struct world *w, const struct user *u)
{
    struct far *f = &w->flows[u->flow];
    bool latest = f->user == (int)(u - w->users);
    return latest && f->iss_known && f->iss == u->iss ? f : NULL;
}

static void remember_stale(struct world *w, struct sanwo_handle h)
{
    w->stale[w->stale_count++ % HISTORY] = h;
}

/* A buffer of size 0 follows the path. */
static uint32_t receive_most(const struct sanwo_tcp_config *t)
{
    return t->receive_buffer ? t->receive_buffer : t->receive_buffer_max;
}

static uint32_t send_most(const struct sanwo_tcp_config *t)
{
    return t->send_buffer ? t->send_buffer : t->send_buffer_max;
}

/* A free entry, or the handle is aborted: the user cannot hold more. */
static struct user *take_handle(struct world *w, struct sanwo_handle h, int flow)
{
    struct sanwo_tcp_info info;
    unsigned i = 0;
    FUZZ_CHECK(!call_user_of(w, h), "a handle is given out once");
    FUZZ_CHECK(sanwo_tcp_info(w->stack, h, &info) == 0, "a handle just given out is valid");
    while (i < USERS && w->users[i].used)
        i++;
    if (i == USERS || flow < 0) {
        FUZZ_CHECK(sanwo_tcp_abort(w->stack, h, w->now) == 0, "aborted");
        remember_stale(w, h);
        return NULL;
    }
    w->users[i] = (struct user){.used = true,
                                .handle = h,
                                .flow = flow,
                                .iss = info.iss,
                                .receive_limit = receive_most(&w->config.tcp),
                                .send_limit = send_most(&w->config.tcp)};
    w->flows[flow].user = (int)i;
    return &w->users[i];
}

/* ---- OPEN ------------------------------------------------------------------------------------ */

/* Another configuration than the stack's. */
static const struct sanwo_tcp_config *variant(struct world *w, uint8_t bits,
                                              struct sanwo_tcp_config *out)
{
    if (!bits)
        return NULL;
    *out = w->config.tcp;
    out->nagle = !(bits & 1);
    out->offer_timestamps = !(bits & 2);
    out->offer_sack = !(bits & 4);
    out->quick_ack = bits & 8;
    if (bits & 16) {
        out->keepalive = true;
        out->keepalive_idle = SANWO_SEC(2);
        out->keepalive_interval = SANWO_MSEC(500);
        out->keepalive_probes = 2;
    }
    if (bits & 32)
        out->user_timeout = SANWO_SEC(10);
    if (bits & 64)
        out->receive_buffer = out->send_buffer = 2048;
    if (bits & 128)
        out->mss = 100;
    return out;
}

static void limits_of(struct user *u, const struct sanwo_tcp_config *config)
{
    if (!u || !config)
        return;
    u->receive_limit = receive_most(config);
    u->send_limit = send_most(config);
}

/* a: SANWO_LISTEN_..., 16: it is closed instead; b: backlog; c: configuration; d: address, ISN */
static void do_listen(struct world *w, const uint8_t *r)
{
    unsigned i = r[1] & (LISTENERS - 1);
    struct sanwo_tcp_config config;
    struct sanwo_tcp_listen open = {.backlog = r[3],
                                    .flags = r[2] & 7,
                                    .config = variant(w, r[4], &config),
                                    .isn_is_set = r[5] & 8,
                                    .isn = 0xffffffffu - (r[5] >> 4)};
    open.local.port = (uint16_t)(open.flags & SANWO_LISTEN_ANY_PORT ? 0 : LISTEN_PORT + i);
    if (r[5] & 3)
        open.local.address = w->flows[r[5] & 1].ours.address;
    if (r[5] & 4)
        memset(open.local.address.bytes, 0, 16);
    if (!sanwo_handle_is_none(w->listeners[i]) && (r[2] & 16)) {
        FUZZ_CHECK(!sanwo_tcp_close(w->stack, w->listeners[i], w->now), "a listener closes");
        remember_stale(w, w->listeners[i]);
        w->listeners[i] = (struct sanwo_handle){0};
    } else if (sanwo_handle_is_none(w->listeners[i])) {
        struct sanwo_handle h;
        if (sanwo_tcp_listen(w->stack, &open, w->now, &h) == 0)
            w->listeners[i] = h;
    }
}

/* a: 1 ephemeral port, 2 a listener becomes it, 4 ISN set, 8 nonsense; b: peer's ISN; c: config */
static void do_connect(struct world *w, const uint8_t *r)
{
    static const uint32_t starts[] = {0xffffff80u, 0, 0x7fffff00u, 0x80000000u};
    unsigned flow = (r[1] & 7) % FLOWS, listener = r[1] >> 3 & (LISTENERS - 1);
    struct far *f = &w->flows[flow];
    struct sanwo_tcp_config config;
    struct sanwo_tcp_connect open = {.remote = f->theirs,
                                     .config = variant(w, r[4], &config),
                                     .isn_is_set = r[2] & 4,
                                     .isn = 0xffffff00u + r[5]};
    struct sanwo_tcp_info info;
    struct sanwo_handle h;
    open.local.port = (uint16_t)(r[2] & 1 ? 0 : CONNECT_PORT + flow);
    if (r[2] & 2)
        open.listener = w->listeners[listener];
    if (r[2] & 8)
        open.remote.address = r[2] & 16 ? w->unreachable : sanwo_address_ipv4(224, 0, 0, 1);
    int result = sanwo_tcp_connect(w->stack, &open, w->now, &h);
    if (result < 0)
        return;
    if (!sanwo_handle_is_none(open.listener)) {
        remember_stale(w, open.listener);
        w->listeners[listener] = (struct sanwo_handle){0};
    }
    limits_of(take_handle(w, h, (r[2] & 8) ? -1 : (int)flow), open.config);
    if (sanwo_tcp_info(w->stack, h, &info) < 0)
        return;
    peer_forget(f);
    f->ours = info.local;
    f->isn = f->nxt = starts[r[3] & 3] - (r[3] >> 2);
    f->iss = info.iss; /* known to the peer when it sees the SYN */
    f->user_end = info.iss + 1;
    f->user_fin = f->user_aborted = false;
}

/* The flow of a connection that a listener made; -1: its flow is another connection's by now. */
static int flow_of_peer(struct world *w, const struct sanwo_tcp_info *info)
{
    unsigned i = info->remote.port - (unsigned)FIRST_PORT;
    if (i < FLOWS && sanwo_address_equal(&w->flows[i].theirs.address, &info->remote.address) &&
        info->local.port == w->flows[i].ours.port)
        return (int)i;
    return -1;
}

/*
 * A SYN cookie may come back with another index of the MSS table in its lowest bits: what the peer
 * acknowledged is then where the stack's numbers begin.
 */
static void correct_start(struct far *f, uint32_t iss)
{
    if (!f->iss_known || f->iss == iss || (f->iss ^ iss) > 7)
        return;
    f->iss = iss;
    f->rcv_nxt = f->end = f->acked = f->user_end = iss + 1;
}

static void do_accept(struct world *w, const uint8_t *r)
{
    struct sanwo_handle listener = w->listeners[r[2] & (LISTENERS - 1)], h;
    struct sanwo_tcp_info info;
    if (sanwo_tcp_accept(w->stack, listener, w, &h) < 0)
        return;
    FUZZ_CHECK(sanwo_tcp_info(w->stack, h, &info) == 0, "what was accepted is there");
    struct user *u = take_handle(w, h, flow_of_peer(w, &info));
    if (u) { /* the listener's configuration: as large as any */
        correct_start(&w->flows[u->flow], u->iss);
        u->receive_limit = u->send_limit = 1u << 20;
    }
}

/* a: 0 admit, 1 refuse, 2 ignore, 3 close, 4 leave it; b: how many more */
static void do_decide(struct world *w, const uint8_t *r)
{
    struct sanwo_tcp_request request;
    struct sanwo_handle listener = w->listeners[r[1] & (LISTENERS - 1)];
    for (unsigned i = 0; i <= (r[3] & 3u); i++) {
        if (sanwo_tcp_request(w->stack, listener, &request) < 0)
            return;
        int result = 0;
        switch (r[2] % 5) {
        case 0:
            result = sanwo_tcp_admit(w->stack, request.handle, w->now);
            break;
        case 1:
            result = sanwo_tcp_refuse(w->stack, request.handle, w->now);
            break;
        case 2:
            result = sanwo_tcp_ignore(w->stack, request.handle, w->now);
            break;
        case 3:
            result = sanwo_tcp_close(w->stack, request.handle, w->now);
            break;
        default:
            break;
        }
        FUZZ_CHECK(result == 0, "a request just seen is there");
        remember_stale(w, request.handle);
    }
}

/* ---- SEND ------------------------------------------------------------------------------------ */

static uint32_t amount(const uint8_t *r)
{
    uint32_t n = r[2] | (uint32_t)r[3] << 8;
    return n ? n : 1000;
}

static const uint8_t *next_bytes(const struct user *u)
{
    return stack_stream((unsigned)u->flow, u->iss + 1 + (uint32_t)u->sent);
}

static void gave(struct world *w, struct user *u, uint64_t n)
{
    struct far *f = flow_of(w, u);
    u->sent += n;
    if (f)
        f->user_end = u->iss + 1 + (uint32_t)u->sent;
    else if (!w->flows[u->flow].iss_known) /* its SYN is still to come */
        w->flows[u->flow].user_end = u->iss + 1 + (uint32_t)u->sent;
}

static void check_refusal(const struct user *u, int64_t result)
{
    FUZZ_CHECK(result < 0, "nothing was taken, so it is an error");
    FUZZ_CHECK(result != -SANWO_EBADF, "the handle is valid");
    if (u->fin)
        FUZZ_CHECK(result != -SANWO_EAGAIN && result != -SANWO_ENOMEM, "there is no again");
}

/* a b: how many; c: SANWO_SEND_... */
static void do_send(struct world *w, struct user *u, const uint8_t *r)
{
    uint32_t n = amount(r);
    int64_t result = sanwo_tcp_send(w->stack, u->handle, next_bytes(u), n, r[4] & 3, w->now);
    if (result <= 0) {
        check_refusal(u, result);
        return;
    }
    FUZZ_CHECK(result <= n && !u->fin, "no more than was given");
    gave(w, u, (uint64_t)result);
}

static void do_send_ref(struct world *w, struct user *u, const uint8_t *r)
{
    uint32_t n = amount(r);
    int64_t result = sanwo_tcp_send_ref(w->stack, u->handle, next_bytes(u), n, r[4] & 3, w->now);
    if (result <= 0) {
        check_refusal(u, result);
        return;
    }
    FUZZ_CHECK(result == n && !u->fin, "all or nothing");
    u->references++;
    gave(w, u, (uint64_t)result);
}

static void do_reserve(struct world *w, struct user *u, const uint8_t *r)
{
    struct sanwo_room room;
    uint32_t n = amount(r);
    int64_t result = sanwo_tcp_reserve(w->stack, u->handle, n, &room);
    if (result <= 0) {
        check_refusal(u, result);
        return;
    }
    FUZZ_CHECK(!u->reserved && !u->fin, "one at a time");
    FUZZ_CHECK(room.length == result && result <= n, "as much as was asked for");
    memcpy(room.bytes, next_bytes(u), room.length);
    u->reserved = room.length;
}

/* a b: how many (0: all); c: flags */
static void do_commit(struct world *w, struct user *u, const uint8_t *r)
{
    uint32_t n = r[2] | (uint32_t)r[3] << 8;
    if (!n || (u->reserved && n > u->reserved))
        n = u->reserved;
    int result = sanwo_tcp_commit(w->stack, u->handle, n, r[4] & 3, w->now);
    if (result < 0)
        return; /* there was none, or it is gone with the connection */
    FUZZ_CHECK(u->reserved && n <= u->reserved, "only what was reserved");
    u->reserved = 0;
    gave(w, u, n);
}

/* ---- RECEIVE --------------------------------------------------------------------------------- */

static void do_receive(struct world *w, struct user *u, const uint8_t *r)
{
    uint32_t n = r[2] || r[3] ? amount(r) : MOST_BYTES;
    uint8_t *bytes = malloc(n);
    FUZZ_CHECK(bytes, "memory");
    int64_t result = sanwo_tcp_receive(w->stack, u->handle, bytes, n, w->now);
    FUZZ_CHECK(result != -SANWO_EBADF && result <= n, "the handle is valid");
    if (result > 0) {
        check_received(w, u, bytes, (size_t)result, 0);
        u->received += (uint64_t)result;
    }
    free(bytes);
}

/* a b: how many bytes to consume; c: how many slices */
static void do_peek(struct world *w, struct user *u, const uint8_t *r)
{
    struct sanwo_slice slices[8];
    uint64_t there = 0, n = r[2] | (uint32_t)r[3] << 8;
    int count = sanwo_tcp_peek(w->stack, u->handle, slices, (r[4] & 7u) + 1);
    FUZZ_CHECK(count != -SANWO_EBADF && count <= 8, "the handle is valid");
    for (int i = 0; i < count; i++) {
        check_received(w, u, slices[i].bytes, slices[i].length, there);
        there += slices[i].length;
    }
    if (!n)
        n = there;
    int result = sanwo_tcp_consume(w->stack, u->handle, (size_t)n, w->now);
    FUZZ_CHECK(n > there || result == 0, "what was seen can be consumed");
    if (result == 0)
        u->received += n;
    FUZZ_CHECK(sanwo_tcp_urgent(w->stack, u->handle) >= 0, "the urgent mark");
}

/* ---- CLOSE, ABORT, options ------------------------------------------------------------------- */

static void do_shutdown(struct world *w, struct user *u)
{
    struct far *f = flow_of(w, u);
    int result = sanwo_tcp_shutdown(w->stack, u->handle, w->now);
    FUZZ_CHECK(result != -SANWO_EBADF, "the handle is valid");
    if (result < 0)
        return;
    FUZZ_CHECK(!u->fin, "only once");
    u->fin = true;
    if (f)
        f->user_fin = true;
    else if (!w->flows[u->flow].iss_known)
        w->flows[u->flow].user_fin = true;
}

void call_let_go(struct world *w, struct user *u, bool abort)
{
    struct sanwo_tcp_info info;
    struct far *f = flow_of(w, u);
    if (!f && !w->flows[u->flow].iss_known && w->flows[u->flow].user == (int)(u - w->users))
        f = &w->flows[u->flow];
    int result = abort ? sanwo_tcp_abort(w->stack, u->handle, w->now)
                       : sanwo_tcp_close(w->stack, u->handle, w->now);
    FUZZ_CHECK(result == 0, "a handle that the user holds can be let go of");
    FUZZ_CHECK(sanwo_tcp_info(w->stack, u->handle, &info) == -SANWO_EBADF, "invalid at once");
    if (f && abort)
        f->user_aborted = true;
    if (f)
        f->user_fin = true;
    remember_stale(w, u->handle);
    u->used = false;
    if (w->flows[u->flow].user == (int)(u - w->users))
        w->flows[u->flow].user = -1;
}

static int64_t option_value(uint8_t option, uint8_t byte)
{
    static const int64_t times[] = {SANWO_MSEC(100), SANWO_SEC(1),    SANWO_SEC(60),  0, -1,
                                    INT64_MAX,       SANWO_MSEC(499), SANWO_MSEC(500)};
    switch (option) {
    case SANWO_TCP_KEEPALIVE_IDLE:
    case SANWO_TCP_KEEPALIVE_INTERVAL:
    case SANWO_TCP_USER_TIMEOUT:
    case SANWO_TCP_DELAYED_ACK:
    case SANWO_TCP_FIN_WAIT_2_TIME:
        return times[byte & 7];
    case SANWO_TCP_SEND_BUFFER:
    case SANWO_TCP_RECEIVE_BUFFER:
        return (int64_t)(byte + 1) * 1024 - (byte & 1);
    default:
        return byte;
    }
}

/* a: which, b: value; `who` with 64 set: of a listener */
static void do_option(struct world *w, struct user *u, const uint8_t *r)
{
    uint8_t option = r[2] % OPTIONS_TRIED;
    int64_t value = option_value(option, r[3]), got = 0;
    struct sanwo_handle h = r[1] & 64 ? w->listeners[r[1] & 3] : u ? u->handle : w->listeners[0];
    int result = sanwo_tcp_set_option(w->stack, h, option, value, w->now);
    int asked = sanwo_tcp_get_option(w->stack, h, option, &got);
    if (result == 0)
        FUZZ_CHECK(asked == 0 && got == value, "what was set is there");
    if (result < 0 || !u || !sanwo_handle_equal(h, u->handle))
        return;
    if (option == SANWO_TCP_RECEIVE_BUFFER && !value) /* as the path needs, from now on */
        value = w->config.tcp.receive_buffer_max;
    if (option == SANWO_TCP_SEND_BUFFER && !value)
        value = w->config.tcp.send_buffer_max;
    if ((option == SANWO_TCP_RECEIVE_BUFFER || option == SANWO_TCP_RECEIVE_BUFFER_MAX) &&
        value > u->receive_limit)
        u->receive_limit = (uint32_t)value;
    if ((option == SANWO_TCP_SEND_BUFFER || option == SANWO_TCP_SEND_BUFFER_MAX) &&
        value > u->send_limit)
        u->send_limit = (uint32_t)value;
}

/* Every call with a handle that names nothing: an error, and nothing happens. */
static void try_stale(struct world *w, const uint8_t *r)
{
    struct sanwo_stack *s = w->stack;
    struct sanwo_handle h = w->stale[r[2] % HISTORY], out;
    struct sanwo_tcp_request request;
    struct sanwo_tcp_info info;
    struct sanwo_slice slice;
    struct sanwo_room room;
    int64_t value;
    uint8_t byte = 0;
    h.index ^= (uint32_t)(r[3] & 15);
    h.generation += r[4] & 3u;
    for (unsigned i = 0; i < LISTENERS; i++)
        if (call_user_of(w, h) || sanwo_handle_equal(h, w->listeners[i]))
            return;
    const int bad = -SANWO_EBADF;
    FUZZ_CHECK(sanwo_tcp_send(s, h, &byte, 1, 0, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_send_ref(s, h, &byte, 1, 0, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_reserve(s, h, 1, &room) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_commit(s, h, 0, 0, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_receive(s, h, &byte, 1, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_peek(s, h, &slice, 1) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_consume(s, h, 0, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_urgent(s, h) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_shutdown(s, h, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_abort(s, h, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_info(s, h, &info) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_set_option(s, h, SANWO_TCP_NAGLE, 0, w->now) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_get_option(s, h, SANWO_TCP_NAGLE, &value) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_accept(s, h, NULL, &out) == bad, "stale");
    FUZZ_CHECK(sanwo_tcp_request(s, h, &request) == bad, "stale");
    /* Those may name a request that the user left alone. */
    sanwo_tcp_admit(s, h, w->now);
    sanwo_tcp_refuse(s, h, w->now);
    sanwo_tcp_ignore(s, h, w->now);
    FUZZ_CHECK(sanwo_tcp_close(s, h, w->now) == bad, "stale");
}

static void with_user(struct world *w, struct user *u, const uint8_t *r)
{
    switch (r[0]) {
    case OP_SEND:
        do_send(w, u, r);
        break;
    case OP_SEND_REF:
        do_send_ref(w, u, r);
        break;
    case OP_RESERVE:
        do_reserve(w, u, r);
        break;
    case OP_COMMIT:
        do_commit(w, u, r);
        break;
    case OP_RECEIVE:
        do_receive(w, u, r);
        break;
    case OP_PEEK:
        do_peek(w, u, r);
        break;
    case OP_SHUTDOWN:
        do_shutdown(w, u);
        break;
    default:
        call_let_go(w, u, r[0] == OP_ABORT);
        break;
    }
}

bool call_operation(struct world *w, const uint8_t *r)
{
    struct user *u = user_of(w, r);
    switch (r[0]) {
    case OP_LISTEN:
        do_listen(w, r);
        return true;
    case OP_CONNECT:
        do_connect(w, r);
        return true;
    case OP_ACCEPT:
        do_accept(w, r);
        return true;
    case OP_DECIDE:
        do_decide(w, r);
        return true;
    case OP_OPTION:
        do_option(w, u, r);
        return true;
    case OP_STALE:
        try_stale(w, r);
        return true;
    case OP_SEND:
    case OP_SEND_REF:
    case OP_RESERVE:
    case OP_COMMIT:
    case OP_RECEIVE:
    case OP_PEEK:
    case OP_SHUTDOWN:
    case OP_CLOSE:
    case OP_ABORT:
        if (u)
            with_user(w, u, r);
        return true;
    default:
        return false;
    }
}
