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
        .send_buffer = 1 << 20,
        .receive_buffer = 1 << 20,
        .mss_floor = 64,
        .window_scale = -1,
        .offer_window_scale = true,
        .offer_timestamps = true,
        .offer_sack = true,
        .reset_timestamps = true,
        .nagle = true,
        .soft_errors = true,
        .syn_cookies = true,
        .congestion = SANWO_CONGESTION_NEWRENO,
        .initial_window = 10,
        .ttl = 64,
        .keepalive_probes = 9,
        .syn_retries = 7, /* 1+2+4+...+64 = 127 s until the last, which waits 120 s more: MUST-23 */
        .syn_ack_retries = 5,
        .ack_every = 2,
        .keepalive_idle = SANWO_SEC(7200), /* MUST-28 */
        .keepalive_interval = SANWO_SEC(75),
        .delayed_ack = SANWO_MSEC(40),
        .rto_initial = SANWO_SEC(1),    /* RFC 6298 2.1 */
        .rto_minimum = SANWO_MSEC(200), /* deviation D2: RFC 6298 2.4 says 1 s */
        .rto_maximum = SANWO_SEC(120),  /* RFC 6298 2.5: at least 60 s; RFC6298-2.5-1 */
        .msl = SANWO_SEC(30),           /* deviation D3: RFC 9293 3.4.2 suggests 2 min */
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
           c->decide <= limit;
}

bool sw_tcp_config_is_valid(const struct sanwo_tcp_config *c)
{
    return c->send_buffer >= SMALLEST_BUFFER && c->send_buffer <= LARGEST_BUFFER &&
           c->receive_buffer >= SMALLEST_BUFFER && c->receive_buffer <= LARGEST_BUFFER &&
           c->window_scale >= -1 && c->window_scale <= 14 && c->mss_floor >= 8 &&
           (c->mss == 0 || c->mss >= c->mss_floor) && c->congestion < SANWO_CONGESTION_COUNT &&
           c->initial_window >= 1 && c->ttl >= 1 && c->dscp < 64 && c->keepalive_probes >= 1 &&
           c->ack_every >= 1 && c->keepalive_idle > 0 && c->keepalive_interval > 0 &&
           c->user_timeout >= 0 && c->delayed_ack >= 0 &&
           c->delayed_ack < SANWO_MSEC(500) && /* MUST-40 */
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

int sw_tcp_config_get_option(const struct sanwo_tcp_config *c, enum sanwo_tcp_option option,
                             int64_t *value)
{
    switch (option) {
    case SANWO_TCP_NAGLE:
        return *value = c->nagle, 0;
    case SANWO_TCP_KEEPALIVE:
        return *value = c->keepalive, 0;
    case SANWO_TCP_KEEPALIVE_IDLE:
        return *value = c->keepalive_idle, 0;
    case SANWO_TCP_KEEPALIVE_INTERVAL:
        return *value = c->keepalive_interval, 0;
    case SANWO_TCP_KEEPALIVE_PROBES:
        return *value = c->keepalive_probes, 0;
    case SANWO_TCP_USER_TIMEOUT:
        return *value = c->user_timeout, 0;
    case SANWO_TCP_SEND_BUFFER:
        return *value = c->send_buffer, 0;
    case SANWO_TCP_RECEIVE_BUFFER:
        return *value = c->receive_buffer, 0;
    case SANWO_TCP_TTL:
        return *value = c->ttl, 0;
    case SANWO_TCP_DSCP:
        return *value = c->dscp, 0;
    case SANWO_TCP_SOFT_ERRORS:
        return *value = c->soft_errors, 0;
    case SANWO_TCP_QUICK_ACK:
        return *value = c->quick_ack, 0;
    case SANWO_TCP_DELAYED_ACK:
        return *value = c->delayed_ack, 0;
    case SANWO_TCP_CONGESTION:
        return *value = c->congestion, 0;
    }
    return -SANWO_EINVAL;
}

/* Narrow fields are checked before they are stored; sw_tcp_config_is_valid() sees to the rest. */
static bool fits(enum sanwo_tcp_option option, int64_t value)
{
    switch (option) {
    case SANWO_TCP_NAGLE:
    case SANWO_TCP_KEEPALIVE:
    case SANWO_TCP_SOFT_ERRORS:
    case SANWO_TCP_QUICK_ACK:
        return value == 0 || value == 1;
    case SANWO_TCP_KEEPALIVE_PROBES:
    case SANWO_TCP_TTL:
    case SANWO_TCP_DSCP:
    case SANWO_TCP_CONGESTION:
        return value >= 0 && value <= UINT8_MAX;
    case SANWO_TCP_SEND_BUFFER:
    case SANWO_TCP_RECEIVE_BUFFER:
        return value >= 0 && value <= UINT32_MAX;
    default:
        return true;
    }
}

int sw_tcp_config_set_option(struct sanwo_tcp_config *c, enum sanwo_tcp_option option,
                             int64_t value)
{
    struct sanwo_tcp_config changed = *c;
    if (!fits(option, value))
        return -SANWO_EINVAL;
    switch (option) {
    case SANWO_TCP_NAGLE:
        changed.nagle = value;
        break;
    case SANWO_TCP_KEEPALIVE:
        changed.keepalive = value;
        break;
    case SANWO_TCP_KEEPALIVE_IDLE:
        changed.keepalive_idle = value;
        break;
    case SANWO_TCP_KEEPALIVE_INTERVAL:
        changed.keepalive_interval = value;
        break;
    case SANWO_TCP_KEEPALIVE_PROBES:
        changed.keepalive_probes = (uint8_t)value;
        break;
    case SANWO_TCP_USER_TIMEOUT:
        changed.user_timeout = value;
        break;
    case SANWO_TCP_SEND_BUFFER:
        changed.send_buffer = (uint32_t)value;
        break;
    case SANWO_TCP_RECEIVE_BUFFER:
        changed.receive_buffer = (uint32_t)value;
        break;
    case SANWO_TCP_TTL:
        changed.ttl = (uint8_t)value;
        break;
    case SANWO_TCP_DSCP:
        changed.dscp = (uint8_t)value;
        break;
    case SANWO_TCP_SOFT_ERRORS:
        changed.soft_errors = value;
        break;
    case SANWO_TCP_QUICK_ACK:
        changed.quick_ack = value;
        break;
    case SANWO_TCP_DELAYED_ACK:
        changed.delayed_ack = value;
        break;
    case SANWO_TCP_CONGESTION:
        changed.congestion = (uint8_t)value;
        break;
    default:
        return -SANWO_EINVAL;
    }
    if (!sw_tcp_config_is_valid(&changed))
        return -SANWO_EINVAL;
    *c = changed;
    return 0;
}
