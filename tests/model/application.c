/*
 * application.c - The users of the two hosts: what they may call, and that streams are what was sent.
 *
 * Byte k that life n of a host sends is a function of (host, n, k). A reader knows by the peer's
 * initial sequence number whose bytes it reads, and so each one that it must get.
 */
#include "model.h"

#include <string.h>

#define PORT(side) ((uint16_t)(1000 + (side)))

static uint8_t byte_of(unsigned side, unsigned life, unsigned offset)
{
    return (uint8_t)(side * 131 + life * 29 + offset * 7 + 1);
}

static sanwo_time now_of(const struct model *m, unsigned side)
{
    return sanwo_stack_now(m->host[side].stack);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool check_bytes(struct model *m, unsigned side, const uint8_t *bytes, size_t length)
{
    struct model_end *end = &m->at.end[side];
    const struct model_end *peer = &m->at.end[1 - side];
    struct sanwo_tcp_info info;

    sanwo_tcp_info(m->host[side].stack, end->conn, &info);
    unsigned life = model_life(m, 1 - side, info.irs);
    if (!life)
        return model_violation(m, "host %u reads bytes of a connection that nobody opened", side);
    end->peer_life = (uint8_t)life;
    for (size_t i = 0; i < length; i++, end->read++) {
        if (end->read >= peer->written[life - 1])
            return model_violation(m, "host %u reads byte %u, which was never written", side,
                                   end->read);
        if (bytes[i] != byte_of(1 - side, life, end->read))
            return model_violation(m, "host %u reads a wrong byte at %u", side, end->read);
        end->got[life - 1]++;
    }
    return true;
}

static bool end_of_stream(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    struct sanwo_tcp_info info;

    if (end->eof)
        return true;
    sanwo_tcp_info(m->host[side].stack, end->conn, &info);
    unsigned life = model_life(m, 1 - side, info.irs);
    if (!life || end->read != m->at.end[1 - side].written[life - 1])
        return model_violation(m, "host %u is told the end of the stream after %u bytes", side,
                               end->read);
    end->peer_life = (uint8_t)life;
    end->eof = true;
    return true;
}

bool model_application_read(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    uint8_t bytes[256];
    int64_t n;

    while ((n = sanwo_tcp_receive(m->host[side].stack, end->conn, bytes, sizeof(bytes),
                                  now_of(m, side))) > 0)
        if (!check_bytes(m, side, bytes, (size_t)n))
            return false;
    if (n == 0)
        return end_of_stream(m, side);
    if (n == -SANWO_EBADF)
        return model_violation(m, "host %u: a handle that is held became invalid", side);
    if (n != -SANWO_EAGAIN && n != -SANWO_ENOTCONN)
        end->failed = true;
    return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool take_accepted(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    if (!end->has_listener || end->has_conn || !end->may_accept)
        return true;
    if (sanwo_tcp_accept(m->host[side].stack, end->listener, NULL, &end->conn) != 0) {
        end->may_accept = false;
        return true;
    }
    end->has_conn = true;
    end->shut = end->eof = end->failed = false;
    end->read = end->peer_life = 0;
    return true;
}

static bool check_event(struct model *m, unsigned side, const struct sanwo_event *event)
{
    const struct model_end *end = &m->at.end[side];
    bool known = (end->has_conn && sanwo_handle_equal(event->handle, end->conn)) ||
                 (end->has_listener && sanwo_handle_equal(event->handle, end->listener));
    if (!known)
        return model_violation(m, "host %u: an event for a handle that is not held", side);
    return true;
}

bool model_application_poll(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    struct sanwo_event events[8];
    size_t n;

    for (unsigned round = 0; (n = sanwo_stack_events(m->host[side].stack, events, 8)) > 0;
         round++) {
        if (round == 8)
            return model_violation(m, "host %u: events without end", side);
        for (size_t i = 0; i < n; i++) {
            if (!check_event(m, side, &events[i]))
                return false;
            if (events[i].what & SANWO_EVENT_ACCEPT)
                end->may_accept = true;
            if ((events[i].what & SANWO_EVENT_CLOSED) && events[i].error)
                end->failed = true;
        }
        take_accepted(m, side);
        if (end->has_conn && !m->scenario->allow[side].read_by_hand &&
            !model_application_read(m, side))
            return false;
    }
    return take_accepted(m, side);
}

/* ---- what they may do ------------------------------------------------------------------------ */

static bool may_connect(const struct model *m, unsigned side)
{
    const struct model_end *end = &m->at.end[side];
    return !end->has_conn && end->connected < m->scenario->allow[side].connects;
}

static bool may_close(const struct model *m, unsigned side)
{
    const struct model_end *end = &m->at.end[side];
    const struct model_allow *allow = &m->scenario->allow[side];
    return end->has_conn && allow->close && (!allow->gentle || end->eof || end->failed);
}

bool model_application_may(const struct model *m, unsigned side, uint8_t kind)
{
    const struct model_end *end = &m->at.end[side];
    const struct model_allow *allow = &m->scenario->allow[side];
    bool may_write = end->has_conn && !end->shut && !end->failed && end->wrote < allow->writes;
    struct sanwo_tcp_info info;

    switch (kind) {
    case STEP_LISTEN:
        return !end->has_listener && end->listened < allow->listens;
    case STEP_CONNECT:
        return may_connect(m, side);
    case STEP_UPGRADE:
        return allow->upgrade && end->has_listener && may_connect(m, side);
    case STEP_UNLISTEN:
        return allow->unlisten && end->has_listener;
    case STEP_WRITE:
        return may_write;
    case STEP_READ:
        return end->has_conn && allow->read_by_hand && !end->eof &&
               sanwo_tcp_info(m->host[side].stack, end->conn, &info) == 0 &&
               (info.receive_queued || info.peer_closed);
    case STEP_SHUTDOWN:
        return end->has_conn && allow->shutdown && !end->shut && !end->failed;
    case STEP_WRITE_SHUTDOWN:
        return may_write && allow->write_shutdown;
    case STEP_CLOSE:
        return may_close(m, side);
    case STEP_ABORT:
        return end->has_conn && allow->abort;
    case STEP_REBOOT:
        return end->rebooted < allow->reboots;
    default:
        return false;
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool refused(struct model *m, unsigned side, const char *call, int64_t result)
{
    return model_violation(m, "host %u: %s is refused with %s", side, call,
                           sanwo_error_name((int)-result));
}

static bool do_listen(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    struct sanwo_tcp_listen open = {.local = {.address = m->host[side].address, .port = PORT(side)},
                                    .backlog = 2,
                                    .isn_is_set = true,
                                    .isn = model_iss(m, side, end->lives + 1u)};
    int result = sanwo_tcp_listen(m->host[side].stack, &open, now_of(m, side), &end->listener);
    end->listened++;
    end->may_accept = false;
    end->has_listener = result == 0;
    return result == 0 || refused(m, side, "listen", result);
}

static bool do_connect(struct model *m, unsigned side, bool upgrade)
{
    struct model_end *end = &m->at.end[side];
    struct sanwo_tcp_connect open = {
        .local = {.address = m->host[side].address, .port = PORT(side)},
        .remote = {.address = m->host[1 - side].address, .port = PORT(1 - side)},
        .isn_is_set = true,
        .isn = model_iss(m, side, end->lives + 1u)};
    if (upgrade)
        open.listener = end->listener;
    int result = sanwo_tcp_connect(m->host[side].stack, &open, now_of(m, side), &end->conn);
    end->connected++;
    if (result == -SANWO_EADDRINUSE) /* a half-open, accepted or TIME-WAIT one has these ports */
        return true;
    if (result < 0)
        return refused(m, side, "connect", result);
    if (upgrade)
        end->has_listener = false;
    end->lives++;
    end->has_conn = true;
    end->shut = end->eof = end->failed = false;
    end->read = end->peer_life = 0;
    return true;
}

static bool do_write(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    const struct model_allow *allow = &m->scenario->allow[side];
    struct sanwo_tcp_info info;
    uint8_t bytes[MODEL_WRITE];

    if (sanwo_tcp_info(m->host[side].stack, end->conn, &info) < 0)
        return model_violation(m, "host %u: a handle that is held became invalid", side);
    unsigned life = model_life(m, side, info.iss);
    if (!life)
        return model_violation(m, "host %u: its ISN is not the one that was set", side);
    for (unsigned i = 0; i < allow->write_size; i++)
        bytes[i] = byte_of(side, life, end->written[life - 1] + i);
    int64_t n = sanwo_tcp_send(m->host[side].stack, end->conn, bytes, allow->write_size, 0,
                               now_of(m, side));
    end->wrote++;
    if (n > 0)
        end->written[life - 1] = (uint16_t)(end->written[life - 1] + n);
    else if (n == -SANWO_EPIPE || n == -SANWO_EBADF || n == -SANWO_EAGAIN)
        return refused(m, side, "send", n);
    return true;
}

static bool do_shutdown(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    int result = sanwo_tcp_shutdown(m->host[side].stack, end->conn, now_of(m, side));
    end->shut = true;
    return result != -SANWO_EPIPE && result != -SANWO_EBADF ? true
                                                            : refused(m, side, "shutdown", result);
}

static bool let_go(struct model *m, unsigned side, bool abort)
{
    struct model_end *end = &m->at.end[side];
    struct sanwo_stack *stack = m->host[side].stack;
    int result = abort ? sanwo_tcp_abort(stack, end->conn, now_of(m, side))
                       : sanwo_tcp_close(stack, end->conn, now_of(m, side));
    end->has_conn = false;
    end->shut = end->eof = end->failed = false;
    end->read = end->peer_life = 0;
    return result == 0 || refused(m, side, abort ? "abort" : "close", result);
}

static bool do_unlisten(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    int result = sanwo_tcp_close(m->host[side].stack, end->listener, now_of(m, side));
    end->has_listener = false;
    return result == 0 || refused(m, side, "close", result);
}

bool model_application_do(struct model *m, unsigned side, uint8_t kind)
{
    switch (kind) {
    case STEP_LISTEN:
        return do_listen(m, side);
    case STEP_CONNECT:
    case STEP_UPGRADE:
        return do_connect(m, side, kind == STEP_UPGRADE);
    case STEP_UNLISTEN:
        return do_unlisten(m, side);
    case STEP_WRITE:
        return do_write(m, side);
    case STEP_READ:
        return model_application_read(m, side);
    case STEP_SHUTDOWN:
        return do_shutdown(m, side);
    case STEP_WRITE_SHUTDOWN:
        return do_write(m, side) && do_shutdown(m, side);
    case STEP_CLOSE:
    case STEP_ABORT:
        return let_go(m, side, kind == STEP_ABORT);
    case STEP_REBOOT:
        m->at.end[side].rebooted++;
        model_reboot(m, side);
        return true;
    default:
        return model_violation(m, "no such call: %u", kind);
    }
}
