/*
 * net.c - Two hosts on a virtual clock.
 */
#include "net.h"

#include <stdlib.h>
#include <string.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct net_host *host = context;
    struct peer *p = event->user;

    (void)stack;
    if (!host->on_event || !host->on_event(host->context, event, now))
        peer_event(p, event, now);
}

static void open_host(struct net *n, struct net_host *host, uint8_t last)
{
    const struct sanwo_address none = {.family = SANWO_FAMILY_NONE};
    struct sanwo_stack_config config;
    int link;

    sanwo_stack_config_default(&config);
    config.deterministic = true;
    config.seed[0] = last;
    config.budget = 32 << 20;
    config.max_connections = 256;
    config.max_half_open = 64;
    config.max_time_wait = 64;
    config.max_listeners = 8;
    config.max_neighbours = 8;
    host->region_size = sanwo_stack_region_size(&config);
    host->region = sanwo_region_reserve(host->region_size);
    check(host->region != NULL);
    check(!sanwo_stack_create(host->region, host->region_size, &config, 1, &host->stack));
    link = sanwo_driver_attach(host->driver, host->stack);
    check(link >= 0);
    host->address = sanwo_address_ipv4(10, 0, 0, last);
    check(sanwo_stack_address_add(host->stack, (unsigned)link, &host->address, 24) >= 0);
    check(sanwo_stack_route_add(host->stack, &(struct sanwo_address){.family = SANWO_FAMILY_IPV4},
                                0, &none, (unsigned)link) >= 0);
    check(sanwo_virtual_add_stack(n->loop, host->stack, on_event, host) >= 0);
    check(sanwo_virtual_add_driver(n->loop, host->driver) >= 0);
}

void net_open(struct net *n)
{
    struct sanwo_emulator_config config = {
        .seed = 1,
        .out = {.delay = SANWO_MSEC(1)},
        .in = {.delay = SANWO_MSEC(1)},
    };
    struct sanwo_driver *a;

    memset(n, 0, sizeof *n);
    check(!sanwo_virtual_create(1, &n->loop));
    check(!sanwo_pair_create(1500, 0, 0, &a, &n->server.driver));
    check(!sanwo_emulator_create(a, &config, &n->client.driver));
    open_host(n, &n->client, 1);
    open_host(n, &n->server, 2);
}

void net_close(struct net *n)
{
    sanwo_virtual_destroy(n->loop);
    sanwo_driver_destroy(n->client.driver);
    sanwo_driver_destroy(n->server.driver);
    sanwo_region_release(n->client.region, n->client.region_size);
    sanwo_region_release(n->server.region, n->server.region_size);
}

sanwo_time net_now(const struct net *n)
{
    return sanwo_virtual_now(n->loop);
}

void net_run(struct net *n, sanwo_time length)
{
    check(sanwo_virtual_run(n->loop, net_now(n) + length) >= 0);
}

/* RFC 1071; @length is even. */
static void put_checksum(uint8_t *field, const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    field[0] = (uint8_t) ~(sum >> 8);
    field[1] = (uint8_t)~sum;
}

void net_say_unreachable(struct net *n, const struct sanwo_observation *syn)
{
    /* An IPv4 header, ICMP's (host unreachable), the quoted IPv4 header, its first 8 bytes. */
    uint8_t packet[56] = {0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1};
    uint8_t *icmp = packet + 20, *quoted = packet + 28, *tcp = packet + 48;
    struct sanwo_frame frame = {.length = sizeof packet, .slice_count = 1};

    memcpy(packet + 12, (const uint8_t[]){10, 0, 0, 254}, 4);
    memcpy(packet + 16, syn->local.address.bytes, 4);
    icmp[0] = 3;
    icmp[1] = 1;
    memcpy(quoted, (const uint8_t[]){0x45, 0, 0, 60, 0, 0, 0x40, 0, 63, 6}, 10);
    memcpy(quoted + 12, syn->local.address.bytes, 4);
    memcpy(quoted + 16, syn->remote.address.bytes, 4);
    memcpy(tcp,
           (const uint8_t[]){(uint8_t)(syn->local.port >> 8), (uint8_t)syn->local.port,
                             (uint8_t)(syn->remote.port >> 8), (uint8_t)syn->remote.port,
                             (uint8_t)(syn->seq >> 24), (uint8_t)(syn->seq >> 16),
                             (uint8_t)(syn->seq >> 8), (uint8_t)syn->seq},
           8);
    put_checksum(quoted + 10, quoted, 20);
    put_checksum(icmp + 2, icmp, 36);
    put_checksum(packet + 10, packet, 20);
    frame.slices[0] = (struct sanwo_slice){packet, sizeof packet, 0};
    sanwo_stack_receive(n->client.stack, &frame, 1, net_now(n));
}

/* ---- the plain peer -------------------------------------------------------------------------- */

static void speak(struct peer *p, sanwo_time now)
{
    while (p->say_left) {
        int64_t sent = sanwo_tcp_send(p->stack, p->handle, p->say, p->say_left, 0, now);

        if (sent < 0)
            return;
        p->say += sent;
        p->say_left -= (size_t)sent;
    }
    if (p->then_resets) {
        /* What was said is to arrive first: abort throws it away. */
        struct sanwo_tcp_info info;
        if (!sanwo_tcp_info(p->stack, p->handle, &info) && !info.send_queued) {
            sanwo_tcp_abort(p->stack, p->handle, now);
            p->then_resets = false;
        }
    } else if (p->then_ends) {
        sanwo_tcp_shutdown(p->stack, p->handle, now);
        p->then_ends = false;
    }
}

static void hear(struct peer *p, sanwo_time now)
{
    while (!p->is_deaf && !p->ended && !p->error) {
        int64_t got = sanwo_tcp_receive(p->stack, p->handle, p->heard + p->heard_length,
                                        PEER_ROOM - p->heard_length, now);

        if (got == -SANWO_EAGAIN || got == -SANWO_EBADF || got == -SANWO_ENOTCONN)
            return;
        if (got < 0) {
            p->error = (int)-got;
        } else {
            p->ended = got == 0;
            p->heard_length += (size_t)got;
            p->heard[p->heard_length] = '\0';
        }
    }
}

bool peer_event(struct peer *p, const struct sanwo_event *event, sanwo_time now)
{
    bool was_asked = strstr(p->heard, "\r\n\r\n") != NULL;

    if (event->what & SANWO_EVENT_ACCEPT) {
        if (sanwo_tcp_accept(p->stack, p->listener, p, &p->handle))
            return true;
        p->connected = true;
    } else if (!sanwo_handle_equal(event->handle, p->handle)) {
        return true;
    }
    p->connected |= (event->what & SANWO_EVENT_CONNECTED) != 0;
    hear(p, now);
    /* A server answers when it was asked. */
    if (sanwo_handle_is_none(p->listener) || was_asked || strstr(p->heard, "\r\n\r\n"))
        speak(p, now);
    if (event->what & SANWO_EVENT_CLOSED) {
        p->closed = true;
        p->error = event->error;
    }
    return true;
}

static void init(struct peer *p, struct sanwo_stack *stack, const char *say)
{
    p->stack = stack;
    p->say = say;
    p->say_left = say ? strlen(say) : 0;
    p->heard = malloc(PEER_ROOM + 1);
    check(p->heard != NULL);
    p->heard[0] = '\0';
}

void peer_connect(struct peer *p, struct net *n, uint16_t port, const char *say)
{
    struct sanwo_tcp_connect open = {.remote = {n->server.address, port}, .user = p};

    init(p, n->client.stack, say);
    check(!sanwo_tcp_connect(p->stack, &open, net_now(n), &p->handle));
}

void peer_listen(struct peer *p, struct net *n, uint16_t port, const char *say)
{
    struct sanwo_tcp_listen open = {.local = {.port = port}, .user = p};

    init(p, n->server.stack, say);
    check(!sanwo_tcp_listen(p->stack, &open, net_now(n), &p->listener));
}

void peer_say(struct peer *p, const char *bytes, size_t length, sanwo_time now)
{
    p->say = bytes;
    p->say_left = length;
    speak(p, now);
}

void peer_close(struct peer *p, sanwo_time now)
{
    if (!sanwo_handle_is_none(p->handle))
        sanwo_tcp_close(p->stack, p->handle, now);
    if (!sanwo_handle_is_none(p->listener))
        sanwo_tcp_close(p->stack, p->listener, now);
    free(p->heard);
    memset(p, 0, sizeof *p);
}
