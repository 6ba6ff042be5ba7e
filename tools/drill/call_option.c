/*
 * call_option.c - Options of sockets; fcntl and ioctl are in call_control.c.
 *
 * An option is one of: mapped onto an option of the stack, kept and told again because it changes
 * nothing that a wire shows, or not to be had, which skips the script.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "info.h"

enum how {
    STACK,      /* the stack's option, times `unit` */
    STORED,     /* remembered; `initial` until set */
    NODELAY,    /* the inverse of Nagle */
    BUFFER,     /* SO_RCVBUF, SO_SNDBUF: doubled by Linux */
    LINGER,     /* {onoff, seconds} */
    TIMEOUT,    /* {tv_sec, tv_usec} */
    ERROR,      /* told once */
    INFO,       /* TCP_INFO */
    INLINE,     /* SO_OOBINLINE */
    LOW_WATER,  /* SO_RCVLOWAT */
    UNSENT_LOW, /* TCP_NOTSENT_LOWAT */
    TOS,        /* the upper six bits */
    MAXSEG,
    CONGESTION, /* a name */
    NO_OPTIONS, /* TCP_NOOPT: before the connection only */
    CONSTANT,   /* told, never set */
    LISTENING,  /* SO_ACCEPTCONN */
    PATH_MTU,   /* told */
    FUNCTIONS,  /* {function_set_name="freebsd", ...} */
    ABSENT,     /* skips the script */
};

struct row {
    const char *name;
    enum how how;
    enum sanwo_tcp_option option;
    int64_t unit;    /* STACK: nanoseconds of one; BUFFER and others: see there */
    int64_t initial; /* STORED, CONSTANT */
    const char *why; /* ABSENT */
};

static const struct row rows[] = {
    {"SO_REUSEADDR", STORED, 0, 0, 0, NULL},
    {"SO_REUSEPORT", STORED, 0, 0, 0, NULL},
    {"SO_BROADCAST", STORED, 0, 0, 0, NULL},
    {"SO_DEBUG", STORED, 0, 0, 0, NULL},
    {"SO_DONTROUTE", STORED, 0, 0, 0, NULL},
    {"SO_PRIORITY", STORED, 0, 0, 0, NULL},
    {"SO_MARK", STORED, 0, 0, 0, NULL},
    {"SO_NOSIGPIPE", STORED, 0, 0, 0, NULL},
    {"SO_BUSY_POLL", STORED, 0, 0, 0, NULL},
    {"SO_INCOMING_CPU", STORED, 0, 0, 0, NULL},
    {"SO_SNDLOWAT", STORED, 0, 0, 1, NULL},
    {"SO_BINDTODEVICE", STORED, 0, 0, 0, NULL},
    {"SO_SETFIB", STORED, 0, 0, 0, NULL},
    {"SO_USER_COOKIE", STORED, 0, 0, 0, NULL},
    {"SO_TIMESTAMP", STORED, 0, 0, 0, NULL},
    {"SO_NO_OFFLOAD", STORED, 0, 0, 0, NULL},
    {"SO_NO_DDP", STORED, 0, 0, 0, NULL},
    {"SO_TYPE", CONSTANT, 0, 0, SOCK_STREAM, NULL},
    {"SO_PROTOCOL", CONSTANT, 0, 0, 6, NULL},
    {"SO_ACCEPTCONN", LISTENING, 0, 0, 0, NULL},
    {"SO_ERROR", ERROR, 0, 0, 0, NULL},
    {"SO_LINGER", LINGER, 0, 0, 0, NULL},
    {"SO_KEEPALIVE", STACK, SANWO_TCP_KEEPALIVE, 1, 0, NULL},
    {"SO_OOBINLINE", INLINE, 0, 0, 0, NULL},
    {"SO_RCVBUF", BUFFER, SANWO_TCP_RECEIVE_BUFFER, 1, 0, NULL},
    {"SO_SNDBUF", BUFFER, SANWO_TCP_SEND_BUFFER, 1, 0, NULL},
    {"SO_RCVBUFFORCE", BUFFER, SANWO_TCP_RECEIVE_BUFFER, 1, 0, NULL},
    {"SO_SNDBUFFORCE", BUFFER, SANWO_TCP_SEND_BUFFER, 1, 0, NULL},
    {"SO_RCVLOWAT", LOW_WATER, 0, 0, 0, NULL},
    {"SO_RCVTIMEO", TIMEOUT, 0, 0, 0, NULL},
    {"SO_SNDTIMEO", TIMEOUT, 0, 1, 0, NULL},
    {"SO_ZEROCOPY", ABSENT, 0, 0, 0, "MSG_ZEROCOPY"},
    {"SO_TIMESTAMPING", ABSENT, 0, 0, 0, "the error queue of a socket"},
    {"SO_MAX_PACING_RATE", ABSENT, 0, 0, 0, "pacing"},
    {"SO_ATTACH_FILTER", ABSENT, 0, 0, 0, "packet filters"},

    {"TCP_NODELAY", NODELAY, SANWO_TCP_NAGLE, 0, 0, NULL},
    {"TCP_MAXSEG", MAXSEG, 0, 0, 0, NULL},
    {"TCP_KEEPIDLE", STACK, SANWO_TCP_KEEPALIVE_IDLE, 1000000000, 0, NULL},
    {"TCP_KEEPINTVL", STACK, SANWO_TCP_KEEPALIVE_INTERVAL, 1000000000, 0, NULL},
    {"TCP_KEEPCNT", STACK, SANWO_TCP_KEEPALIVE_PROBES, 1, 0, NULL},
    {"TCP_USER_TIMEOUT", STACK, SANWO_TCP_USER_TIMEOUT, 1000000, 0, NULL},
    {"TCP_QUICKACK", STACK, SANWO_TCP_QUICK_ACK, 1, 0, NULL},
    {"TCP_KEEPINIT", STORED, 0, 0, 75, NULL},
    {"TCP_SYNCNT", STACK, SANWO_TCP_SYN_RETRIES, 1, 0, NULL},
    {"TCP_LINGER2", STACK, SANWO_TCP_FIN_WAIT_2_TIME, 1000000000, 0, NULL},
    {"TCP_NOOPT", NO_OPTIONS, 0, 0, 0, NULL},
    {"TCP_CONGESTION", CONGESTION, SANWO_TCP_CONGESTION, 0, 0, NULL},
    {"TCP_INFO", INFO, 0, 0, 0, NULL},
    {"TCP_NOTSENT_LOWAT", UNSENT_LOW, 0, 0, 0, NULL},
    {"TCP_THIN_DUPACK", STORED, 0, 0, 0, NULL},
    {"TCP_SAVE_SYN", STORED, 0, 0, 0, NULL},
    {"TCP_FUNCTION_BLK", FUNCTIONS, 0, 0, 0, NULL},
    {"TCP_LOG", STORED, 0, 0, 0, NULL},
    {"TCP_CORK", ABSENT, 0, 0, 0, "TCP_CORK"},
    {"TCP_NOPUSH", ABSENT, 0, 0, 0, "TCP_NOPUSH"},
    {"TCP_DEFER_ACCEPT", ABSENT, 0, 0, 0, "TCP_DEFER_ACCEPT"},
    {"TCP_WINDOW_CLAMP", ABSENT, 0, 0, 0, "TCP_WINDOW_CLAMP"},
    {"TCP_THIN_LINEAR_TIMEOUTS", ABSENT, 0, 0, 0, "TCP_THIN_LINEAR_TIMEOUTS"},
    {"TCP_FASTOPEN", ABSENT, 0, 0, 0, "TCP Fast Open"},
    {"TCP_FASTOPEN_CONNECT", ABSENT, 0, 0, 0, "TCP Fast Open"},
    {"TCP_FASTOPEN_KEY", ABSENT, 0, 0, 0, "TCP Fast Open"},
    {"TCP_FASTOPEN_NO_COOKIE", ABSENT, 0, 0, 0, "TCP Fast Open"},
    {"TCP_MD5SIG", ABSENT, 0, 0, 0, "TCP MD5 signatures"},
    {"TCP_TIMESTAMP", ABSENT, 0, 0, 0, "TCP_TIMESTAMP"},
    {"TCP_INQ", ABSENT, 0, 0, 0, "control data of messages"},
    {"TCP_REMOTE_UDP_ENCAPS_PORT", ABSENT, 0, 0, 0, "TCP over UDP"},

    {"IP_TOS", TOS, SANWO_TCP_DSCP, 0, 0, NULL},
    {"IPV6_TCLASS", TOS, SANWO_TCP_DSCP, 0, 0, NULL},
    {"IP_TTL", STACK, SANWO_TCP_TTL, 1, 0, NULL},
    {"IPV6_UNICAST_HOPS", STACK, SANWO_TCP_TTL, 1, 0, NULL},
    {"IP_MTU", PATH_MTU, 0, 0, 0, NULL},
    {"IPV6_MTU", PATH_MTU, 0, 0, 0, NULL},
    {"IP_MTU_DISCOVER", STORED, 0, 0, 1, NULL},
    {"IPV6_MTU_DISCOVER", STORED, 0, 0, 1, NULL},
    {"IP_FREEBIND", STORED, 0, 0, 0, NULL},
    {"IP_TRANSPARENT", STORED, 0, 0, 0, NULL},
    {"IP_BIND_ADDRESS_NO_PORT", STORED, 0, 0, 0, NULL},
    {"IP_PORTRANGE", STORED, 0, 0, 0, NULL},
    {"IPV6_V6ONLY", STORED, 0, 0, 0, NULL},
    {"IPV6_AUTOFLOWLABEL", STORED, 0, 0, 1, NULL},
    {"IP_RECVERR", ABSENT, 0, 0, 0, "the error queue of a socket"},
    {"IPV6_RECVERR", ABSENT, 0, 0, 0, "the error queue of a socket"},
    {"IP_MINTTL", ABSENT, 0, 0, 0, "IP_MINTTL"},
};

/* The row of the option argument; NULL: the run is decided. */
static const struct row *find(struct drill_run *run, const struct drill_pending *p)
{
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 2);
    char text[64];

    if (!v)
        return NULL;
    for (size_t i = 0; v->kind == DRILL_WORD && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, v->text))
            continue;
        if (rows[i].how != ABSENT)
            return &rows[i];
        sw_drill_skip(run, p->event->line, "%s is not there", rows[i].why);
        return NULL;
    }
    sw_drill_format_value(v, text, sizeof text);
    sw_drill_skip(run, p->event->line, "the socket option %s is not known here", text);
    return NULL;
}

/* ---- what a socket will start with ------------------------------------------------------------- */

enum field_kind { FLAG, BYTE, HALF, WORD, TIME };

static const struct field {
    enum sanwo_tcp_option option;
    enum field_kind kind;
    size_t offset;
} fields[] = {
#define FIELD(option, kind, name)                                                                  \
    {                                                                                              \
        SANWO_TCP_##option, kind, offsetof(struct sanwo_tcp_config, name)                          \
    }
    FIELD(NAGLE, FLAG, nagle),
    FIELD(KEEPALIVE, FLAG, keepalive),
    FIELD(KEEPALIVE_IDLE, TIME, keepalive_idle),
    FIELD(KEEPALIVE_INTERVAL, TIME, keepalive_interval),
    FIELD(KEEPALIVE_PROBES, BYTE, keepalive_probes),
    FIELD(USER_TIMEOUT, TIME, user_timeout),
    FIELD(SEND_BUFFER, WORD, send_buffer),
    FIELD(RECEIVE_BUFFER, WORD, receive_buffer),
    FIELD(TTL, BYTE, ttl),
    FIELD(DSCP, BYTE, dscp),
    FIELD(QUICK_ACK, FLAG, quick_ack),
    FIELD(MSS, HALF, mss),
    FIELD(SYN_RETRIES, BYTE, syn_retries),
    FIELD(FIN_WAIT_2_TIME, TIME, fin_wait_2),
#undef FIELD
};

static const struct field *field_of(enum sanwo_tcp_option option)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (fields[i].option == option)
            return &fields[i];
    return NULL;
}

static int set_config(struct sanwo_tcp_config *c, enum sanwo_tcp_option option, int64_t value)
{
    static const int64_t most[] = {1, UINT8_MAX, UINT16_MAX, UINT32_MAX, INT64_MAX};
    const struct field *f = field_of(option);
    uint8_t *at;

    if (!f || value < 0)
        return EINVAL;
    if (f->kind == FLAG)
        value = value != 0;
    if (value > most[f->kind])
        return EINVAL;
    at = (uint8_t *)c + f->offset;
    if (f->kind == FLAG)
        *(bool *)at = value != 0;
    else if (f->kind == BYTE)
        *at = (uint8_t)value;
    else if (f->kind == HALF)
        *(uint16_t *)(void *)at = (uint16_t)value;
    else if (f->kind == WORD)
        *(uint32_t *)(void *)at = (uint32_t)value;
    else
        *(sanwo_time *)(void *)at = value;
    return 0;
}

static int64_t get_config(const struct sanwo_tcp_config *c, enum sanwo_tcp_option option)
{
    const struct field *f = field_of(option);
    const uint8_t *at;

    if (!f)
        return 0;
    at = (const uint8_t *)c + f->offset;
    switch (f->kind) {
    case FLAG:
        return *(const bool *)at;
    case BYTE:
        return *at;
    case HALF:
        return *(const uint16_t *)(const void *)at;
    case WORD:
        return *(const uint32_t *)(const void *)at;
    default:
        return *(const sanwo_time *)(const void *)at;
    }
}

int sw_drill_socket_set(struct drill_run *run, struct drill_socket *s, enum sanwo_tcp_option option,
                        int64_t value)
{
    int result = 0;

    if (s->has_handle)
        result = sanwo_tcp_set_option(run->world->stack, s->handle, option, value, run->world->now);
    return result < 0 ? sw_drill_errno(run, result) : set_config(&s->config, option, value);
}

static int64_t socket_get(struct drill_run *run, struct drill_socket *s,
                          enum sanwo_tcp_option option)
{
    int64_t value;

    if (s->has_handle && sanwo_tcp_get_option(run->world->stack, s->handle, option, &value) == 0)
        return value;
    return get_config(&s->config, option);
}

/* ---- setsockopt ----------------------------------------------------------------------------------- */

static void store(struct drill_socket *s, const char *name, int64_t value)
{
    size_t i = 0;

    while (i < s->stored_count && s->stored[i].name != name)
        i++;
    if (i == DRILL_STORED)
        return;
    s->stored[i].name = name;
    s->stored[i].value = value;
    if (i == s->stored_count)
        s->stored_count++;
}

static int64_t stored(const struct drill_socket *s, const struct row *row)
{
    for (size_t i = 0; i < s->stored_count; i++)
        if (s->stored[i].name == row->name)
            return s->stored[i].value;
    return row->initial;
}

/* Two numbers of a structure, named or not. */
static bool read_two(struct drill_run *run, const struct drill_value *v, const char *a,
                     const char *b, int64_t *x, int64_t *y)
{
    const struct drill_value *first = sw_drill_field(v, a), *second = sw_drill_field(v, b);

    if (v->kind == DRILL_STRUCT && v->item_count == 2 && !first)
        first = &v->items[0];
    if (v->kind == DRILL_STRUCT && v->item_count == 2 && !second)
        second = &v->items[1];
    if (!first || !second) {
        sw_drill_fail(run, v->line, "the option needs {%s=..., %s=...}", a, b);
        return false;
    }
    return sw_drill_integer(run, first, x) && sw_drill_integer(run, second, y);
}

static enum drill_progress set_pair(struct drill_run *run, struct drill_pending *p,
                                    struct drill_socket *s, const struct row *row,
                                    const struct drill_value *v)
{
    int64_t x, y;

    if (row->how == LINGER) {
        const char *on = sw_drill_field(v, "l_onoff") ? "l_onoff" : "onoff";

        if (!read_two(run, v, on, on[0] == 'l' ? "l_linger" : "linger", &x, &y))
            return DRILL_CALL_BROKEN;
        s->linger = x != 0;
        s->linger_seconds = (int)y;
        return sw_drill_call_returns(p, 0);
    }
    if (!read_two(run, v, "tv_sec", "tv_usec", &x, &y))
        return DRILL_CALL_BROKEN;
    *(row->unit ? &s->send_timeout : &s->receive_timeout) = SANWO_SEC(x) + SANWO_USEC(y);
    return sw_drill_call_returns(p, 0);
}

static enum drill_progress set_name(struct drill_run *run, struct drill_pending *p,
                                    const struct row *row, const struct drill_value *v)
{
    const char *name = v->kind == DRILL_STRING ? v->text : NULL;

    if (row->how == FUNCTIONS) {
        const struct drill_value *field = sw_drill_field(v, "function_set_name");

        name = field && field->kind == DRILL_STRING ? field->text : name;
        if (name && (!strcmp(name, "freebsd") || !strcmp(name, "default")))
            return sw_drill_call_returns(p, 0);
        sw_drill_skip(run, p->event->line, "the function block %s", name ? name : "");
        return DRILL_CALL_BROKEN;
    }
    if (name && (!strcmp(name, "reno") || !strcmp(name, "newreno")))
        return sw_drill_call_returns(p, 0);
    sw_drill_skip(run, p->event->line, "congestion control %s is not there", name ? name : "");
    return DRILL_CALL_BROKEN;
}

static int set_buffer(struct drill_run *run, struct drill_socket *s, const struct row *row,
                      int64_t value)
{
    bool receive = row->option == SANWO_TCP_RECEIVE_BUFFER;
    int64_t bytes = value < 2048 ? 2048 : value;

    if (value < 0)
        return EINVAL;
    *(receive ? &s->receive_buffer : &s->send_buffer) = bytes;
    if (receive && !s->has_handle && run->conditions.profile.dialect == SW_DIALECT_LINUX &&
        s->config.window_scale >=
            0) { /* a buffer that was set bounds the window, and so the shift */
        s->config.window_scale = 0;
        while (s->config.window_scale < 14 && (bytes >> s->config.window_scale) > 65535)
            s->config.window_scale++;
    }
    return sw_drill_socket_set(run, s, row->option, bytes);
}

static int set_number(struct drill_run *run, struct drill_socket *s, const struct row *row,
                      int64_t value)
{
    int error;

    switch (row->how) {
    case STACK:
        if (value < 0 || value > INT32_MAX)
            return EINVAL;
        return sw_drill_socket_set(run, s, row->option, value * row->unit);
    case NODELAY:
        return sw_drill_socket_set(run, s, row->option, value == 0);
    case TOS:
        return sw_drill_socket_set(run, s, row->option, (value >> 2) & 0x3f);
    case BUFFER:
        return set_buffer(run, s, row, value);
    case MAXSEG:
        if (value < 64 || value > 32767)
            return EINVAL;
        error = sw_drill_socket_set(run, s, SANWO_TCP_MSS, value);
        return error == EINVAL && s->has_handle ? 0 : error; /* too late: no harm */
    case NO_OPTIONS:
        s->config.offer_sack = s->config.offer_timestamps = value == 0;
        s->config.offer_window_scale = value == 0;
        return 0;
    case INLINE:
        s->out_of_band_inline = value != 0;
        return 0;
    case LOW_WATER:
        s->receive_low = value > 0 ? value : 1;
        return 0;
    case UNSENT_LOW:
        s->unsent_low = value;
        return 0;
    default:
        store(s, row->name, value);
        return 0;
    }
}

enum drill_progress sw_drill_call_setsockopt(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 3);
    const struct row *row;
    int64_t value = 0;
    int error;

    if (!s || !v)
        return sw_drill_call_no_socket(run);
    row = find(run, p);
    if (!row)
        return DRILL_CALL_BROKEN;
    if (row->how == LINGER || row->how == TIMEOUT)
        return set_pair(run, p, s, row, v);
    if (row->how == CONGESTION || row->how == FUNCTIONS)
        return set_name(run, p, row, v);
    if (row->how == CONSTANT || row->how == LISTENING || row->how == INFO || row->how == ERROR)
        return sw_drill_call_fails(p, ENOPROTOOPT);
    if (sw_drill_only_item(v))
        v = sw_drill_only_item(v);
    if (v->kind != DRILL_STRING && !sw_drill_integer(run, v, &value))
        return DRILL_CALL_BROKEN;
    error = set_number(run, s, row, value);
    return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
}

/* ---- getsockopt ----------------------------------------------------------------------------------- */

static int64_t get_buffer(struct drill_run *run, struct drill_socket *s, const struct row *row)
{
    int64_t value = row->option == SANWO_TCP_RECEIVE_BUFFER ? s->receive_buffer : s->send_buffer;

    if (!value)
        value = socket_get(run, s, row->option);
    return run->conditions.profile.doubles_buffers ? 2 * value : value;
}

static int64_t get_number(struct drill_run *run, struct drill_socket *s, const struct row *row)
{
    struct sanwo_tcp_info info;
    bool known = sw_drill_socket_info(run, s, &info);
    int error;

    switch (row->how) {
    case STACK:
        return socket_get(run, s, row->option) / row->unit;
    case NODELAY:
        return !socket_get(run, s, row->option);
    case TOS:
        return socket_get(run, s, row->option) << 2;
    case BUFFER:
        return get_buffer(run, s, row);
    case MAXSEG:
        if (known && info.send_mss && info.state != SANWO_TCP_LISTEN)
            return info.send_mss;
        return s->config.mss ? s->config.mss : 536;
    case NO_OPTIONS:
        return !s->config.offer_sack;
    case INLINE:
        return s->out_of_band_inline;
    case LOW_WATER:
        return s->receive_low;
    case UNSENT_LOW:
        return s->unsent_low;
    case ERROR:
        error = sw_drill_socket_take_error(run, s);
        if (!error && s->soft_error) {
            error = sw_drill_errno(run, s->soft_error);
            s->soft_error = 0;
        }
        return error;
    case LISTENING:
        return s->listening;
    case PATH_MTU:
        return known ? info.path_mtu : run->conditions.mtu;
    case CONSTANT:
        return row->initial;
    default:
        return stored(s, row);
    }
}

/* [ECONNRESET], where a name stands for the number. */
static void expect_error(struct drill_run *run, struct drill_pending *p,
                         const struct drill_value *v, int64_t actual)
{
    char name[16];
    const char *is = actual ? sw_drill_errno_name((int)actual, name, sizeof name) : "0";
    const struct drill_value *item = sw_drill_only_item(v) ? sw_drill_only_item(v) : v;

    if (item->kind != DRILL_WORD)
        sw_drill_call_expect(run, p, "the option", item, actual);
    else if (strcmp(item->text, is))
        sw_drill_call_complain(p, "the option is %s, must be %s", is, item->text);
}

static void expect_pair(struct drill_run *run, struct drill_pending *p,
                        const struct drill_socket *s, const struct row *row,
                        const struct drill_value *v)
{
    sanwo_time t = row->unit ? s->send_timeout : s->receive_timeout;
    const char *on = sw_drill_field(v, "l_onoff") ? "l_onoff" : "onoff";

    if (row->how == LINGER) {
        sw_drill_call_expect(run, p, "onoff", sw_drill_field(v, on), s->linger);
        sw_drill_call_expect(run, p, "linger",
                             sw_drill_field(v, on[0] == 'l' ? "l_linger" : "linger"),
                             s->linger_seconds);
        return;
    }
    sw_drill_call_expect(run, p, "tv_sec", sw_drill_field(v, "tv_sec"), t / SANWO_SEC(1));
    sw_drill_call_expect(run, p, "tv_usec", sw_drill_field(v, "tv_usec"),
                         t % SANWO_SEC(1) / SANWO_USEC(1));
}

/* {tcpi_state=..., ...}: each field that is named; one that our stack does not tell skips. */
static void expect_info(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                        const struct drill_value *v)
{
    struct drill_variable variables[DRILL_VARIABLES];
    size_t n = sw_drill_info(run, s, variables);

    for (size_t i = 0; v->kind == DRILL_STRUCT && i < v->item_count; i++) {
        const struct drill_value *field = &v->items[i];
        size_t k = 0;

        if (!field->name || field->kind == DRILL_ELLIPSIS)
            continue;
        while (k < n && strcmp(variables[k].name, field->name))
            k++;
        if (k < n)
            sw_drill_call_expect(run, p, field->name, field, (int64_t)variables[k].value);
        else
            sw_drill_skip(run, field->line, "%s is not told by our stack", field->name);
    }
}

static void expect_name(struct drill_pending *p, const struct drill_run *run,
                        const struct drill_value *v)
{
    const char *name = run->conditions.profile.dialect == SW_DIALECT_BSD ? "newreno" : "reno";

    if (v->kind == DRILL_STRING && strcmp(v->text, name))
        sw_drill_call_complain(p, "the option is \"%s\", must be \"%.60s\"", name, v->text);
}

enum drill_progress sw_drill_call_getsockopt(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 3);
    const struct row *row;
    int64_t value;

    if (!s || !v)
        return sw_drill_call_no_socket(run);
    row = find(run, p);
    if (!row)
        return DRILL_CALL_BROKEN;
    if (row->how == LINGER || row->how == TIMEOUT)
        expect_pair(run, p, s, row, v);
    else if (row->how == INFO)
        expect_info(run, p, s, v);
    else if (row->how == CONGESTION || row->how == FUNCTIONS)
        expect_name(p, run, v);
    else {
        value = get_number(run, s, row);
        if (row->how == ERROR)
            expect_error(run, p, v, value);
        else
            sw_drill_call_expect(run, p, "the option", v, value);
    }
    return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_returns(p, 0);
}
