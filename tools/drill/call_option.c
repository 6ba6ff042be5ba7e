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
#include "option_table.h"

/* The row of the option argument; NULL: the run is decided. */
static const struct drill_option_row *find(struct drill_run *run, const struct drill_pending *p)
{
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 2);
    const struct drill_option_row *row;
    char text[64];

    if (!v)
        return NULL;
    row = v->kind == DRILL_WORD ? sw_drill_option_find(v->text) : NULL;
    /* FreeBSD's has keys of its own, and limits that are not of the socket. */
    if (row && row->how == FAST_OPEN && run->conditions.profile.dialect == SW_DIALECT_BSD) {
        sw_drill_skip(run, p->event->line, "FreeBSD's TCP Fast Open is not there");
        return NULL;
    }
    if (row && row->how != ABSENT)
        return row;
    if (row) {
        sw_drill_skip(run, p->event->line, "%s is not there", row->why);
        return NULL;
    }
    sw_drill_format_value(v, text, sizeof text);
    sw_drill_skip(run, p->event->line, "the socket option %s is not known here", text);
    return NULL;
}

#define LARGEST_UNSENT (INT64_C(1) << 30)

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
    FIELD(CORK, FLAG, cork),
    FIELD(MSS, HALF, mss),
    FIELD(SYN_RETRIES, BYTE, syn_retries),
    FIELD(FIN_WAIT_2_TIME, TIME, fin_wait_2),
    FIELD(UNSENT_LIMIT, WORD, unsent_limit),
    FIELD(CONGESTION, BYTE, congestion),
    FIELD(WINDOW_CLAMP, WORD, window_clamp),
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

void sw_drill_socket_opened(struct drill_run *run, struct drill_socket *s)
{
    struct sanwo_tcp_info info;
    int64_t bytes, mss;

    if (run->conditions.profile.dialect != SW_DIALECT_BSD || !sw_drill_socket_info(run, s, &info))
        return;
    bytes = s->receive_buffer ? s->receive_buffer : s->config.receive_buffer;
    if (!bytes)
        return;
    mss = info.send_mss + (info.timestamps ? 12 : 0);
    if (bytes > mss && mss && bytes % mss)
        sw_drill_socket_set(run, s, SANWO_TCP_RECEIVE_BUFFER, bytes - bytes % mss + mss);
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

static int64_t stored(const struct drill_socket *s, const struct drill_option_row *row)
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
                                    struct drill_socket *s, const struct drill_option_row *row,
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
                                    struct drill_socket *s, const struct drill_option_row *row,
                                    const struct drill_value *v)
{
    uint8_t algorithm = s->config.congestion;
    const char *name = v->kind == DRILL_STRING ? v->text : NULL;

    if (row->how == FUNCTIONS) {
        const struct drill_value *field = sw_drill_field(v, "function_set_name");

        name = field && field->kind == DRILL_STRING ? field->text : name;
        if (name && (!strcmp(name, "freebsd") || !strcmp(name, "default")))
            return sw_drill_call_returns(p, 0);
        if (name && strncmp(name, "rack", 4) && strncmp(name, "bbr", 3))
            return sw_drill_call_fails(p, ENOENT);
        sw_drill_skip(run, p->event->line, "the function block %s", name ? name : "");
        return DRILL_CALL_BROKEN;
    }
    if (!name || !sw_drill_congestion(run, name, &algorithm))
        return sw_drill_call_fails(p, ENOENT);
    int error = sw_drill_socket_set(run, s, SANWO_TCP_CONGESTION, algorithm);
    return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
}

static int set_buffer(struct drill_run *run, struct drill_socket *s,
                      const struct drill_option_row *row, int64_t value)
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

static sanwo_time *config_time(struct drill_socket *s, const struct drill_option_row *row)
{
    return (sanwo_time *)(void *)((uint8_t *)&s->config + row->initial);
}

static int set_number(struct drill_run *run, struct drill_socket *s,
                      const struct drill_option_row *row, int64_t value)
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
    case FAST_OPEN:
        s->fast_open = value > 0 ? value : 0;
        if (s->listening && !run->no_fast_server)
            sanwo_tcp_set_option(run->world->stack, s->handle, SANWO_TCP_FAST_OPEN, s->fast_open,
                                 run->world->now);
        return value < 0 ? EINVAL : 0;
    case FAST_CONNECT:
        if (run->no_fast_client)
            return EOPNOTSUPP;
        s->fast_connect = value == 1;
        return value < 0 || value > 1 ? EINVAL : 0;
    case CONFIG_TIME:
        return value > 0 ? (*config_time(s, row) = value * row->unit, 0) : EINVAL;
    case INLINE:
        s->out_of_band_inline = value != 0;
        return 0;
    case LOW_WATER:
        s->receive_low = value > 0 ? value : 1;
        return 0;
    case UNSENT_LOW:
        s->unsent_low = value;
        if (value < 0 || value > LARGEST_UNSENT) /* Linux' way to say: none */
            value = 0;
        return sw_drill_socket_set(run, s, SANWO_TCP_UNSENT_LIMIT, value);
    default:
        store(s, row->name, value);
        return 0;
    }
}

enum drill_progress sw_drill_call_setsockopt(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 3);
    const struct drill_option_row *row;
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
        return set_name(run, p, s, row, v);
    if (row->how == CONFIG_TIME && s->has_handle && !s->listening) {
        sw_drill_skip(run, p->event->line, "%s on an open connection", row->name);
        return DRILL_CALL_BROKEN;
    }
    if (row->how == CONSTANT || row->how == FAMILY || row->how == LISTENING || row->how == INFO ||
        row->how == ERROR)
        return sw_drill_call_fails(p, ENOPROTOOPT);
    if (sw_drill_only_item(v))
        v = sw_drill_only_item(v);
    if (v->kind != DRILL_STRING && !(row->how == STORED && v->kind == DRILL_ELLIPSIS) &&
        !sw_drill_integer(run, v, &value))
        return DRILL_CALL_BROKEN;
    error = set_number(run, s, row, value);
    return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
}

/* ---- getsockopt ----------------------------------------------------------------------------------- */

/* The size of a buffer that nobody set. */
static int64_t followed(struct drill_run *run, struct drill_socket *s, bool receive)
{
    struct sanwo_tcp_info info;

    if (sw_drill_socket_info(run, s, &info))
        return receive ? info.receive_limit : info.send_limit;
    return receive ? s->config.receive_buffer_start : s->config.send_buffer_start;
}

static int64_t get_buffer(struct drill_run *run, struct drill_socket *s,
                          const struct drill_option_row *row)
{
    int64_t value = row->option == SANWO_TCP_RECEIVE_BUFFER ? s->receive_buffer : s->send_buffer;

    if (!value)
        value = socket_get(run, s, row->option);
    if (!value) /* it follows the path */
        value = followed(run, s, row->option == SANWO_TCP_RECEIVE_BUFFER);
    return run->conditions.profile.doubles_buffers ? 2 * value : value;
}

static int64_t get_number(struct drill_run *run, struct drill_socket *s,
                          const struct drill_option_row *row)
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
        return known && info.path_mtu ? info.path_mtu : run->conditions.mtu;
    case FAMILY:
        return s->family == SANWO_FAMILY_IPV6 ? AF_INET6 : AF_INET;
    case FAST_OPEN:
        return s->fast_open;
    case FAST_CONNECT:
        return s->fast_connect;
    case CONFIG_TIME:
        return *config_time(s, row) / row->unit;
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
                        const struct drill_socket *s, const struct drill_option_row *row,
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
                        const struct drill_socket *s, const struct drill_value *v)
{
    static const char *const names[] = {[SANWO_CONGESTION_NEWRENO] = "reno",
                                        [SANWO_CONGESTION_CUBIC] = "cubic",
                                        [SANWO_CONGESTION_BBR] = "bbr",
                                        [SANWO_CONGESTION_DCTCP] = "dctcp"};
    const char *name = names[s->config.congestion];

    if (run->conditions.profile.dialect == SW_DIALECT_BSD &&
        s->config.congestion == SANWO_CONGESTION_NEWRENO)
        name = "newreno";
    if (run->congestion[0])
        name = run->congestion;
    if (v->kind == DRILL_STRING && strcmp(v->text, name))
        sw_drill_call_complain(p, "the option is \"%s\", must be \"%.60s\"", name, v->text);
}

enum drill_progress sw_drill_call_getsockopt(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *v = sw_drill_argument(run, p->event->call, p->event->line, 3);
    const struct drill_option_row *row;
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
        expect_name(p, run, s, v);
    else {
        value = get_number(run, s, row);
        if (row->how == ERROR)
            expect_error(run, p, v, value);
        else
            sw_drill_call_expect(run, p, "the option", v, value);
    }
    return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_returns(p, 0);
}
