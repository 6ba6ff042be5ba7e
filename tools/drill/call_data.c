/*
 * call_data.c - The families of read() and write(): plain, with flags, scattered, in messages.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define CHUNK 65536
#define SLICES 64

static bool is_bsd(const struct drill_run *run)
{
    return run->conditions.profile.dialect == SW_DIALECT_BSD;
}

/* ---- how much, with which flags -------------------------------------------------------------- */

struct transfer {
    int64_t length, flags;
    const char *text; /* to be written, or NULL: zeros */
    size_t text_length;
};

/* [{..., 1000}, {iov_base=..., iov_len=10}] */
static bool add_vector(struct drill_run *run, const struct drill_value *v, struct transfer *t)
{
    for (size_t i = 0; v->kind == DRILL_LIST && i < v->item_count; i++) {
        const struct drill_value *item = &v->items[i];
        const struct drill_value *length = sw_drill_field(item, "iov_len");
        int64_t n;

        if (!length && item->kind == DRILL_STRUCT && item->item_count == 2)
            length = &item->items[1];
        if (!length) {
            sw_drill_fail(run, v->line, "a vector must be a list of {..., length}");
            return false;
        }
        if (!sw_drill_integer(run, length, &n))
            return false;
        t->length += n;
    }
    return true;
}

/* The flags that a script expects in a received message; control data we have none. */
static bool check_message(struct drill_run *run, struct drill_pending *p,
                          const struct drill_value *message, bool received)
{
    const struct drill_value *control = sw_drill_field(message, "msg_control");
    const struct drill_value *flags = sw_drill_field(message, "msg_flags");

    if (control && control->kind != DRILL_ELLIPSIS && control->item_count) {
        sw_drill_skip(run, p->event->line, "control data of messages");
        return false;
    }
    if (received && flags)
        sw_drill_call_expect(run, p, "msg_flags", flags, 0);
    return !run->decided;
}

static bool read_message(struct drill_run *run, struct drill_pending *p, struct transfer *t,
                         bool received)
{
    const struct drill_value *message = sw_drill_argument(run, p->event->call, p->event->line, 1);
    const struct drill_value *vector = sw_drill_field(message, "msg_iov");

    if (!message || !sw_drill_argument_integer(run, p->event, 2, &t->flags))
        return false;
    if (!vector) {
        sw_drill_fail(run, p->event->line, "%s() needs {msg_iov(n)=[...], ...}",
                      p->event->call->name);
        return false;
    }
    return add_vector(run, vector, t) && check_message(run, p, message, received);
}

static bool read_transfer(struct drill_run *run, struct drill_pending *p, struct transfer *t,
                          bool received)
{
    const char *name = p->event->call->name;
    const struct drill_value *buffer = sw_drill_argument(run, p->event->call, p->event->line, 1);
    bool flagged = !strncmp(name, "send", 4) || !strncmp(name, "recv", 4);

    *t = (struct transfer){0};
    if (!buffer)
        return false;
    if (!strcmp(name, "sendmsg") || !strcmp(name, "recvmsg"))
        return read_message(run, p, t, received);
    if (!strcmp(name, "readv") || !strcmp(name, "writev"))
        return add_vector(run, buffer, t);
    if (buffer->kind == DRILL_STRING) {
        t->text = buffer->text;
        t->text_length = buffer->length;
    }
    return sw_drill_argument_integer(run, p->event, 2, &t->length) &&
           (!flagged || sw_drill_argument_integer(run, p->event, 3, &t->flags));
}

static bool flags_are_known(struct drill_run *run, const struct drill_pending *p, int64_t flags)
{
    static const struct {
        int64_t flag;
        const char *what;
    } unknown[] = {{0x4000000, "MSG_ZEROCOPY"}, {MSG_ERRQUEUE, "the error queue of a socket"}};

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (flags & unknown[i].flag) {
            sw_drill_skip(run, p->event->line, "%s", unknown[i].what);
            return false;
        }
    }
    return true;
}

/* ---- reading -------------------------------------------------------------------------------------- */

/* Copies up to @size bytes from the front without taking them; or the error. */
static int64_t look(struct drill_run *run, struct drill_socket *s, size_t skip, size_t size)
{
    struct sanwo_slice slices[SLICES];
    int n = sanwo_tcp_peek(run->world->stack, s->handle, slices, SLICES);
    size_t total = 0;

    if (n <= 0)
        return n;
    for (int i = 0; i < n; i++)
        total += slices[i].length;
    total = total > skip ? total - skip : 0;
    return (int64_t)(total < size ? total : size);
}

/* The urgent byte is not part of the stream unless asked for (SO_OOBINLINE): it is passed over. */
static int64_t before_urgent(struct drill_run *run, struct drill_socket *s, int64_t size)
{
    int64_t urgent = sanwo_tcp_urgent(run->world->stack, s->handle);

    if (s->out_of_band_inline || urgent <= 0)
        return size;
    if (urgent == 1) {
        if (sanwo_tcp_consume(run->world->stack, s->handle, 1, run->world->now) == 0)
            s->has_out_of_band = true; /* kept for recv(MSG_OOB) */
        return size;
    }
    return size < urgent - 1 ? size : urgent - 1;
}

/* read(4, "AAB", 3) after segments with [fill n]: these bytes must come. */
static void compare(struct drill_run *run, struct drill_pending *p, const struct transfer *t,
                    size_t from, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; run->wire.filled && t->text && i < n && from + i < t->text_length; i++) {
        uint8_t wanted = (uint8_t)t->text[from + i];

        if (bytes[i] != wanted) {
            sw_drill_call_complain(p, "byte %zu is 0x%02x, must be 0x%02x", from + i, bytes[i],
                                   wanted);
            return;
        }
    }
}

static int64_t take(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                    const struct transfer *t, int64_t size, bool keep)
{
    static uint8_t bytes[CHUNK];
    int64_t total = 0, n = 0;

    size = before_urgent(run, s, size);
    if (keep)
        return look(run, s, 0, (size_t)size);
    while (total < size) {
        size_t part = (size_t)(size - total < CHUNK ? size - total : CHUNK);

        n = sanwo_tcp_receive(run->world->stack, s->handle, bytes, part, run->world->now);
        if (n <= 0)
            break;
        compare(run, p, t, p->done + (size_t)total, bytes, (size_t)n);
        total += n;
    }
    return total ? total : n;
}

static enum drill_progress read_urgent(struct drill_run *run, struct drill_pending *p,
                                       struct drill_socket *s, int64_t flags)
{
    int64_t urgent = sanwo_tcp_urgent(run->world->stack, s->handle);

    if (s->out_of_band_inline)
        return sw_drill_call_fails(p, EINVAL);
    if (s->has_out_of_band) {
        s->has_out_of_band = (flags & MSG_PEEK) != 0;
        return sw_drill_call_returns(p, 1);
    }
    if (urgent <= 0)
        return sw_drill_call_fails(p, EINVAL);
    if (look(run, s, (size_t)urgent - 1, 1) != 1)
        return sw_drill_call_fails(p, EAGAIN); /* told of, not arrived */
    return sw_drill_call_returns(p, 1);
}

/* Nothing (more) can be read now: what the call returns, or whether it sleeps. */
static enum drill_progress nothing_more(struct drill_run *run, struct drill_pending *p,
                                        struct drill_socket *s, const struct transfer *t,
                                        int64_t reason)
{
    struct sanwo_tcp_info info;
    bool opening = sw_drill_socket_info(run, s, &info) &&
                   (info.state == SANWO_TCP_SYN_SENT || info.state == SANWO_TCP_SYN_RECEIVED);
    int error;

    if (reason == 0 || (s->shut_read && !opening))
        return sw_drill_call_returns(p, (int64_t)p->done);
    if (reason == -SANWO_EAGAIN || (opening && !is_bsd(run))) {
        if (sw_drill_call_may_sleep(run, p, s, t->flags, s->receive_timeout))
            return DRILL_CALL_WAITS;
        return p->done ? sw_drill_call_returns(p, (int64_t)p->done)
                       : sw_drill_call_fails(p, EAGAIN);
    }
    if (p->done)
        return sw_drill_call_returns(p, (int64_t)p->done);
    if (reason == -SANWO_ENOTCONN)
        return sw_drill_call_fails(p, ENOTCONN);
    error = sw_drill_socket_take_error(run, s);
    return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
}

enum drill_progress sw_drill_call_read(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    struct transfer t;
    int64_t least, n = 0;

    if (!s || !read_transfer(run, p, &t, true) || !flags_are_known(run, p, t.flags))
        return s || run->decided ? DRILL_CALL_BROKEN : DRILL_CALL_DONE;
    if (s->dropped) {
        int error = sw_drill_socket_take_error(run, s);
        return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
    }
    if (s->listening || !s->has_handle)
        return sw_drill_call_fails(p, ENOTCONN);
    if (t.flags & MSG_OOB)
        return read_urgent(run, p, s, t.flags);
    if (!t.length)
        return sw_drill_call_returns(p, 0);
    least = t.flags & MSG_WAITALL ? t.length : s->receive_low;
    least = least < t.length ? least : t.length;
    n = take(run, p, s, &t, t.length - (int64_t)p->done, (t.flags & MSG_PEEK) != 0);
    if (n > 0 && (t.flags & MSG_PEEK))
        return sw_drill_call_returns(p, n);
    if (n > 0)
        p->done += (size_t)n;
    if ((int64_t)p->done >= least)
        return sw_drill_call_returns(p, (int64_t)p->done);
    if (n > 0) /* less than asked for: why is there no more? */
        n = take(run, p, s, &t, t.length - (int64_t)p->done, true);
    return nothing_more(run, p, s, &t, n > 0 ? -SANWO_EAGAIN : n);
}

/* ---- writing --------------------------------------------------------------------------------------- */

static unsigned send_flags(const struct transfer *t)
{
    return (t->flags & MSG_MORE ? SANWO_SEND_MORE : 0) |
           (t->flags & MSG_OOB ? SANWO_SEND_URGENT : 0);
}

/* Gives the stack what it takes. 0, or why it takes no more. */
static int64_t put(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                   const struct transfer *t)
{
    static const uint8_t zeros[CHUNK];

    while ((int64_t)p->done < t->length) {
        size_t left = (size_t)t->length - p->done;
        size_t part = left < CHUNK ? left : CHUNK;
        const void *bytes = zeros;
        int64_t n;

        if (t->text && p->done < t->text_length) {
            run->wire.zero_payload = false; /* the script says what goes out: not zeros */
            bytes = t->text + p->done;
            part = part < t->text_length - p->done ? part : t->text_length - p->done;
        }
        n = sanwo_tcp_send(run->world->stack, s->handle, bytes, part,
                           part < left ? (unsigned)SANWO_SEND_MORE : send_flags(t),
                           run->world->now);
        if (n < 0)
            return n;
        p->done += (size_t)n;
    }
    return 0;
}

/* The connection has ended. Linux tells why, once; in FreeBSD that is left to read() and SO_ERROR. */
static enum drill_progress nothing_goes_out(struct drill_run *run, struct drill_pending *p,
                                            struct drill_socket *s)
{
    int error = is_bsd(run) ? 0 : sw_drill_socket_take_error(run, s);

    return sw_drill_call_fails(p, error ? error : EPIPE);
}

/* A connection that is not open yet: 0 goes on; else what the call does. */
static bool is_too_early(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                         const struct transfer *t, enum drill_progress *progress)
{
    struct sanwo_tcp_info info;

    if (s->dropped) {
        *progress = nothing_goes_out(run, p, s);
        return true;
    }
    if (!s->has_handle || s->listening) {
        *progress = sw_drill_call_fails(p, is_bsd(run) ? ENOTCONN : EPIPE);
        return true;
    }
    if (!sw_drill_socket_info(run, s, &info) ||
        (info.state != SANWO_TCP_SYN_SENT && info.state != SANWO_TCP_SYN_RECEIVED))
        return false;
    if (s->connected && info.state == SANWO_TCP_SYN_RECEIVED) /* accepted by its Fast Open cookie */
        return false;
    if (is_bsd(run))
        *progress = sw_drill_call_fails(p, ENOTCONN);
    else if (sw_drill_call_may_sleep(run, p, s, t->flags, s->send_timeout))
        *progress = DRILL_CALL_WAITS;
    else
        *progress = sw_drill_call_fails(p, EAGAIN);
    return true;
}

static enum drill_progress stopped(struct drill_run *run, struct drill_pending *p,
                                   struct drill_socket *s, const struct transfer *t, int64_t reason)
{
    if (reason == -SANWO_EAGAIN || reason == -SANWO_ENOMEM) {
        if (sw_drill_call_may_sleep(run, p, s, t->flags, s->send_timeout))
            return DRILL_CALL_WAITS;
        return p->done ? sw_drill_call_returns(p, (int64_t)p->done)
                       : sw_drill_call_fails(p, EAGAIN);
    }
    if (p->done)
        return sw_drill_call_returns(p, (int64_t)p->done);
    return nothing_goes_out(run, p, s);
}

/*
 * sendto(MSG_FASTOPEN), or the first write() after TCP_FASTOPEN_CONNECT: with a cookie the bytes go with
 * the SYN. True: *@progress says what the call does; else it goes on as one of a connecting socket.
 */
static bool opens_fast(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                       const struct transfer *t, enum drill_progress *progress)
{
    bool has_cookie = false, nonblocking = s->nonblocking || (t->flags & MSG_DONTWAIT);
    int error;

    if (is_bsd(run) || p->stage || (!s->deferred && !(t->flags & MSG_FASTOPEN)))
        return false;
    p->stage = 1;
    if (s->has_handle || s->listening) {
        *progress = sw_drill_call_fails(p, EISCONN);
        return true;
    }
    error = sw_drill_fast_connect(run, p, s, 4, &has_cookie);
    *progress = DRILL_CALL_BROKEN;
    if (error < 0)
        return true;
    if (error) {
        *progress = sw_drill_call_fails(p, error);
        return true;
    }
    if (has_cookie)
        put(run, p, s, t);
    if (!nonblocking)
        return false;
    *progress =
        p->done ? sw_drill_call_returns(p, (int64_t)p->done) : sw_drill_call_fails(p, EINPROGRESS);
    return true;
}

enum drill_progress sw_drill_call_write(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    struct transfer t;
    enum drill_progress progress;
    int64_t reason;

    if (!s || !read_transfer(run, p, &t, false) || !flags_are_known(run, p, t.flags))
        return s || run->decided ? DRILL_CALL_BROKEN : DRILL_CALL_DONE;
    if (opens_fast(run, p, s, &t, &progress) || is_too_early(run, p, s, &t, &progress))
        return progress;
    if (!t.length) {
        int error = sw_drill_socket_take_error(run, s);
        return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
    }
    reason = put(run, p, s, &t);
    if (reason < 0)
        return stopped(run, p, s, &t, reason);
    if (t.flags & DRILL_MSG_EOF)
        sanwo_tcp_shutdown(run->world->stack, s->handle, run->world->now);
    return sw_drill_call_returns(p, (int64_t)p->done);
}
