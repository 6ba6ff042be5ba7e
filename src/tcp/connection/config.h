/*
 * config.h - Every tunable of a connection: defaults, limits, and one's own copy where it differs.
 */
#ifndef SW_TCP_CONNECTION_CONFIG_H
#define SW_TCP_CONNECTION_CONFIG_H

#include "tcp/tcp.h"

bool sw_tcp_config_is_valid(const struct sanwo_tcp_config *config);

/* The configuration with that pool index; TCP_NONE: the stack's. */
static inline const struct sanwo_tcp_config *sw_tcp_config_at(const struct tcp *tcp, uint32_t index)
{
    if (SW_LIKELY(index == TCP_NONE))
        return &tcp->config;
    struct tcp_config_item *item = sw_pool_at(&tcp->configs, tcp->region, index);
    return &item->config;
}

static inline const struct sanwo_tcp_config *sw_tcp_config(const struct tcp *tcp,
                                                           const struct tcp_connection *conn)
{
    return sw_tcp_config_at(tcp, conn->config);
}

/* *index names a configuration equal to @config from now on. False: no memory, nothing changed. */
bool sw_tcp_config_set(struct tcp *tcp, uint32_t *index, const struct sanwo_tcp_config *config);
void sw_tcp_config_share(struct tcp *tcp, uint32_t *index, uint32_t other);
void sw_tcp_config_drop(struct tcp *tcp, uint32_t *index);

/* Reads or writes one option in @config. 0 or -SANWO_EINVAL. */
int sw_tcp_config_get_option(const struct sanwo_tcp_config *config, enum sanwo_tcp_option option,
                             int64_t *value);
int sw_tcp_config_set_option(struct sanwo_tcp_config *config, enum sanwo_tcp_option option,
                             int64_t value);

#endif
