/*
 * tcp_close.c - CLOSE, ABORT, STATUS and the options (RFC 9293 3.10.4 to 3.10.6; U-20, U-21).
 */
#include "stack/stack.h"

#include "tcp/close/close.h"
#include "tcp/connection/config.h"
#include "tcp/connection/info.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/timers.h"
#include "tcp/send/sending.h"
#include "tcp/open/half_open.h"
#include "tcp/open/listener.h"

int sanwo_tcp_shutdown(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    return conn ? sw_tcp_shutdown(&s->tcp, conn) : -SANWO_EBADF;
}

int sanwo_tcp_close(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (conn)
        sw_tcp_close(&s->tcp, conn);
    else if (listener)
        sw_tcp_listener_close(&s->tcp, listener, false);
    else
        return sanwo_tcp_ignore(s, h, now);
    return 0;
}

int sanwo_tcp_abort(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    sw_tcp_abort(&s->tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_USER_ABORT);
    return 0;
}

int sanwo_tcp_info(struct sanwo_stack *s, struct sanwo_handle h, struct sanwo_tcp_info *out)
{
    struct tcp_connection *conn = sw_stack_connection(s, h);
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (conn)
        sw_tcp_info(&s->tcp, conn, out);
    else if (listener)
        *out = (struct sanwo_tcp_info){.state = SANWO_TCP_LISTEN, .local = listener->local};
    else
        return -SANWO_EBADF;
    return 0;
}

/* Where the configuration of what @h names is kept; NULL: it names nothing that has one. */
static uint32_t *config_index(struct sanwo_stack *s, struct sanwo_handle h,
                              struct tcp_connection **conn)
{
    struct tcp_listener *listener = sw_stack_listener(s, h);
    *conn = sw_stack_connection(s, h);
    if (*conn)
        return &(*conn)->config;
    return listener ? &listener->config : NULL;
}

/* The one option that a listener has for itself. */
static int set_fast_open(struct sanwo_stack *s, struct sanwo_handle h, int64_t value)
{
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (!listener || (listener->flags & SANWO_LISTEN_DECIDE) || value < 0 || value > UINT32_MAX)
        return listener || sw_stack_connection(s, h) ? -SANWO_EINVAL : -SANWO_EBADF;
    listener->fast_open = (uint32_t)value;
    return 0;
}

/* SHLD-21: of a connection at any time. */
int sanwo_tcp_set_option(struct sanwo_stack *s, struct sanwo_handle h, enum sanwo_tcp_option option,
                         int64_t value, sanwo_time now)
{
    sw_stack_clock(s, now);
    if (option == SANWO_TCP_FAST_OPEN)
        return set_fast_open(s, h, value);
    struct tcp_connection *conn;
    uint32_t *index = config_index(s, h, &conn);
    if (!index)
        return -SANWO_EBADF;
    struct sanwo_tcp_config changed = *sw_tcp_config_at(&s->tcp, *index);
    int result = sw_tcp_config_set_option(&changed, option, value);
    if (result < 0)
        return result;
    if (!sw_tcp_config_set(&s->tcp, index, &changed))
        return -SANWO_ENOMEM;
    if (conn && conn->state != SANWO_TCP_CLOSED) {
        sw_tcp_timers_option_changed(&s->tcp, conn, option);
        if (option == SANWO_TCP_CONGESTION)
            sw_tcp_sending_switch(&s->tcp, conn, (uint8_t)value);
        sw_tcp_wants_send(&s->tcp, conn); /* Nagle may just have been switched off */
    }
    return 0;
}

int sanwo_tcp_get_option(struct sanwo_stack *s, struct sanwo_handle h, enum sanwo_tcp_option option,
                         int64_t *value)
{
    struct tcp_connection *conn;
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (option == SANWO_TCP_FAST_OPEN && listener) {
        *value = listener->fast_open;
        return 0;
    }
    const uint32_t *index = config_index(s, h, &conn);
    if (!index)
        return -SANWO_EBADF;
    return sw_tcp_config_get_option(sw_tcp_config_at(&s->tcp, *index), option, value);
}
