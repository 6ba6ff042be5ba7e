/*
 * config.c - Defaults and limits of the tunables, and sharing of configurations.
 *
 * Most connections use the stack's configuration and own nothing. One that differs refers to a
 * pooled copy, which the connections of a listener share.
 */
#include "tcp/connection/config.h"

#define SMALLEST_BUFFER 1024
#define LARGEST_BUFFER (UINT32_C(1) << 30) /* RFC 7323 2.3: the largest window */

void sanwo_tcp_config_default(struct sanwo_tcp_config *c)
{
    *c = (struct sanwo_tcp_config){
        .send_buffer_start = 1 << 20,
        .send_buffer_max = 64 << 20,
        .receive_buffer_start = 1 << 20,
        .receive_buffer_max = UINT16_MAX << 10, /* what a window scale of 10 can say */
        .mss_floor = 64,
        .window_scale = -1,
        .offer_window_scale = true,
        .offer_timestamps = true,
        .offer_sack = true,
        .reset_timestamps = true,
        .nagle = true,
        .soft_errors = true,
        .syn_cookies = true,
        .tail_loss_probe = true,
        .pacing = true,
        .idle_restart = true,
        .congestion = SANWO_CONGESTION_CUBIC,
        .ecn = SANWO_ECN_ACCEPT,
        .accurate_option = true,
        .initial_window = 10,
        .mtu_probing = 1,
        .base_mss = 1024,
        .ttl = 64,
        .keepalive_probes = 9,
        .syn_retries = 7, /* 1+2+4+...+64 = 127 s until the last, which waits 120 s more: MUST-23 */
        .syn_ack_retries = 5,
        .retransmit_limit = 15, /* SHLD-11: over 100 s even at the smallest RTO */
        .orphan_retries = 8,    /* after close() nobody waits as long */
        .duplicate_threshold = 3,
        .ack_every = 2,
        .quick_ack_segments = 16, /* as Linux: a sender that begins waits for each of them */
        .keepalive_idle = SANWO_SEC(7200), /* MUST-28 */
        .keepalive_interval = SANWO_SEC(75),
        .delayed_ack = SANWO_MSEC(40),
        .rto_initial = SANWO_SEC(1),    /* RFC 6298 2.1 */
        .rto_minimum = SANWO_MSEC(200), /* deviation D2: RFC 6298 2.4 says 1 s */
        .rto_maximum = SANWO_SEC(120),  /* RFC 6298 2.5: at least 60 s; RFC6298-2.5-1 */
        .rto_variance_minimum =
            SANWO_MSEC(200), /* as Linux: a steady path must not time out early */
        .challenge_interval = SANWO_MSEC(500),
        .paws_tolerance = SANWO_MSEC(100), /* deviation D30 */
        .msl = SANWO_SEC(30),              /* deviation D3: RFC 9293 3.4.2 suggests 2 min */
        .fin_wait_2 = SANWO_SEC(60),
        .decide = SANWO_SEC(10),
    };
}

/* Sums of two times must not overflow. */
static bool times_are_bounded(const struct sanwo_tcp_config *c)
{
    const sanwo_time limit = SANWO_SEC(INT64_C(366) * 24 * 3600);
    return c->keepalive_idle <= limit && c->keepalive_interval <= limit &&
           c->user_timeout <= limit && c->rto_maximum <= limit && c->fin_wait_2 <= limit &&
           c->decide <= limit && c->rto_variance_minimum >= 0 && c->rto_variance_minimum <= limit &&
           c->paws_tolerance >= 0 && c->paws_tolerance <= SANWO_SEC(1) && c->rto_slop >= 0 &&
           c->rto_slop <= limit && c->challenge_interval >= 0 && c->challenge_interval <= limit;
}

static bool is_size(uint32_t size)
{
    return size >= SMALLEST_BUFFER && size <= LARGEST_BUFFER;
}

/* A size, or 0; the range counts even while it is not used. */
static bool is_buffer(uint32_t size, uint32_t start, uint32_t most)
{
    return (!size || is_size(size)) && is_size(start) && is_size(most);
}

bool sw_tcp_config_is_valid(const struct sanwo_tcp_config *c)
{
    return is_buffer(c->send_buffer, c->send_buffer_start, c->send_buffer_max) &&
           is_buffer(c->receive_buffer, c->receive_buffer_start, c->receive_buffer_max) &&
           (!c->window_clamp || is_size(c->window_clamp)) && c->unsent_limit <= LARGEST_BUFFER &&
           c->window_scale >= -1 && c->window_scale <= 14 && c->mss_floor >= 8 &&
           (c->mss == 0 || c->mss >= c->mss_floor) && c->congestion < SANWO_CONGESTION_COUNT &&
           c->ecn < SANWO_ECN_COUNT && c->initial_window >= 1 && c->ttl >= 1 && c->dscp < 64 &&
           c->mtu_probing <= 2 && c->base_mss >= 64 && c->keepalive_probes >= 1 &&
           c->ack_every >= 1 && c->retransmit_limit >= 1 && c->duplicate_threshold >= 1 &&
           c->keepalive_idle > 0 && c->keepalive_interval > 0 && c->user_timeout >= 0 &&
           c->delayed_ack >= 0 && c->delayed_ack < SANWO_MSEC(500) && /* MUST-40 */
           c->rto_minimum >= SANWO_MSEC(1) && c->rto_initial >= c->rto_minimum &&
           c->rto_maximum >= c->rto_initial && c->msl >= 0 && c->msl <= SANWO_SEC(3600) &&
           c->fin_wait_2 > 0 && c->decide > 0 && times_are_bounded(c);
}

bool sw_tcp_config_set(struct tcp *tcp, uint32_t *index, const struct sanwo_tcp_config *config)
{
    struct tcp_config_item *item =
        *index == TCP_NONE ? NULL : sw_tcp_at(tcp, &tcp->configs, *index);
    if (!item || item->references > 1) {
        struct tcp_config_item *own = sw_pool_alloc(&tcp->configs, tcp->region);
        if (!own)
            return false;
        if (item)
            item->references--;
        own->references = 1;
        *index = own->item.index;
        item = own;
    }
    item->config = *config;
    return true;
}

void sw_tcp_config_share(struct tcp *tcp, uint32_t *index, uint32_t other)
{
    *index = other;
    if (other != TCP_NONE)
        ((struct tcp_config_item *)sw_tcp_at(tcp, &tcp->configs, other))->references++;
}

void sw_tcp_config_drop(struct tcp *tcp, uint32_t *index)
{
    if (*index == TCP_NONE)
        return;
    struct tcp_config_item *item = sw_tcp_at(tcp, &tcp->configs, *index);
    if (--item->references == 0)
        sw_pool_free(&tcp->configs, tcp->region, item);
    *index = TCP_NONE;
}

/* ---- options: one field each ----------------------------------------------------------------- */

enum field_kind { FIELD_BOOL, FIELD_U8, FIELD_U16, FIELD_U32, FIELD_TIME };

static const struct field {
    uint8_t kind;
    uint8_t offset;
} fields[] = {
#define FIELD(option, kind, name)                                                                  \
    [SANWO_TCP_##option] = {kind, offsetof(struct sanwo_tcp_config, name)}
    FIELD(NAGLE, FIELD_BOOL, nagle),
    FIELD(KEEPALIVE, FIELD_BOOL, keepalive),
    FIELD(KEEPALIVE_IDLE, FIELD_TIME, keepalive_idle),
    FIELD(KEEPALIVE_INTERVAL, FIELD_TIME, keepalive_interval),
    FIELD(KEEPALIVE_PROBES, FIELD_U8, keepalive_probes),
    FIELD(USER_TIMEOUT, FIELD_TIME, user_timeout),
    FIELD(SEND_BUFFER, FIELD_U32, send_buffer),
    FIELD(RECEIVE_BUFFER, FIELD_U32, receive_buffer),
    FIELD(TTL, FIELD_U8, ttl),
    FIELD(DSCP, FIELD_U8, dscp),
    FIELD(SOFT_ERRORS, FIELD_BOOL, soft_errors),
    FIELD(QUICK_ACK, FIELD_BOOL, quick_ack),
    FIELD(DELAYED_ACK, FIELD_TIME, delayed_ack),
    FIELD(CONGESTION, FIELD_U8, congestion),
    FIELD(MSS, FIELD_U16, mss),
    FIELD(SYN_RETRIES, FIELD_U8, syn_retries),
    FIELD(RETRANSMIT_LIMIT, FIELD_U8, retransmit_limit),
    FIELD(CORK, FIELD_BOOL, cork),
    FIELD(MTU_PROBING, FIELD_U8, mtu_probing),
    FIELD(ECN, FIELD_U8, ecn),
    FIELD(FIN_WAIT_2_TIME, FIELD_TIME, fin_wait_2),
    FIELD(SEND_BUFFER_MAX, FIELD_U32, send_buffer_max),
    FIELD(RECEIVE_BUFFER_MAX, FIELD_U32, receive_buffer_max),
    FIELD(WINDOW_CLAMP, FIELD_U32, window_clamp),
    FIELD(UNSENT_LIMIT, FIELD_U32, unsent_limit),
#undef FIELD
};
_Static_assert(sizeof(struct sanwo_tcp_config) <= UINT8_MAX, "struct field: offset");

static const struct field *field_of(enum sanwo_tcp_option option)
{
    return option >= SANWO_TCP_NAGLE && option < SW_COUNT(fields) ? &fields[option] : NULL;
}

int sw_tcp_config_get_option(const struct sanwo_tcp_config *c, enum sanwo_tcp_option option,
                             int64_t *value)
{
    const struct field *f = field_of(option);
    if (!f)
        return -SANWO_EINVAL;
    const void *at = (const uint8_t *)c + f->offset;
    switch (f->kind) {
    case FIELD_BOOL:
        *value = *(const bool *)at;
        break;
    case FIELD_U8:
        *value = *(const uint8_t *)at;
        break;
    case FIELD_U16:
        *value = *(const uint16_t *)at;
        break;
    case FIELD_U32:
        *value = *(const uint32_t *)at;
        break;
    default:
        *value = *(const sanwo_time *)at;
        break;
    }
    return 0;
}

/* False: @value does not fit. What it means is for sw_tcp_config_is_valid() to judge. */
static bool store(void *at, uint8_t kind, int64_t value)
{
    static const int64_t most[] = {1, UINT8_MAX, UINT16_MAX, UINT32_MAX, INT64_MAX};
    if (kind != FIELD_TIME && (value < 0 || value > most[kind]))
        return false;
    switch (kind) {
    case FIELD_BOOL:
        *(bool *)at = value;
        break;
    case FIELD_U8:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case FIELD_U16:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(sanwo_time *)at = value;
        break;
    }
    return true;
}

int sw_tcp_config_set_option(struct sanwo_tcp_config *c, enum sanwo_tcp_option option,
                             int64_t value)
{
    struct sanwo_tcp_config changed = *c;
    const struct field *f = field_of(option);
    if (!f || !store((uint8_t *)&changed + f->offset, f->kind, value) ||
        !sw_tcp_config_is_valid(&changed))
        return -SANWO_EINVAL;
    *c = changed;
    return 0;
}
