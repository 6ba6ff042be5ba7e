/*
 * honest.c - Those whom the attack must not hurt: transfers that go on, connections that open.
 *
 * Every byte that arrives is compared with the pattern.
 */
#include "attacks/attack.h"

#include <stdlib.h>

#define CLIENTS 2048
#define SMALL_REQUEST 1000
#define EVENTS 64
#define TIMES 1000000

struct attack_client {
    struct sanwo_handle handle;
    sanwo_time began;
    uint64_t done; /* payload beyond the request, either way */
    uint64_t wanted;
    uint8_t verb;
    uint8_t asked; /* bytes of the request that were taken */
    bool open, connected, transfer;
};

static void open_client(struct attack *a, struct attack_client *c, uint8_t verb, uint32_t size)
{
    struct sanwo_tcp_connect open = {.remote = {.port = SERVER_PORT}, .user = c};
    open.remote.address = sanwo_address_ipv4(10, 0, 0, 1);
    bool transfer = c->transfer;
    *c = (struct attack_client){
        .began = a->now, .verb = verb, .wanted = size, .open = true, .transfer = transfer};
    assert_int_equal(sanwo_tcp_connect(a->honest_stack, &open, a->now, &c->handle), 0);
}

static void restart_transfer(struct attack *a, struct attack_client *c)
{
    bool put = (c - a->honest.clients) & 1;
    open_client(a, c, put ? ATTACK_PUT : ATTACK_GET, a->transfer_size);
}

void honest_start(struct attack *a, unsigned transfers, sanwo_time every)
{
    struct attack_honest *h = &a->honest;
    if (!h->clients) {
        h->clients = calloc(CLIENTS, sizeof(h->clients[0]));
        h->connect_times = calloc(TIMES, sizeof(h->connect_times[0]));
    }
    h->transfers = transfers;
    h->every = every;
    h->next = a->now;
    for (unsigned i = 0; i < transfers; i++) {
        h->clients[i].transfer = true;
        restart_transfer(a, &h->clients[i]);
    }
}

static void over(struct attack *a, struct attack_client *c, bool good)
{
    struct attack_honest *h = &a->honest;
    sanwo_tcp_close(a->honest_stack, c->handle, a->now);
    c->open = false;
    if (c->transfer) {
        h->transfers_done += good;
        h->transfers_failed += !good;
        if (c < h->clients + h->transfers)
            restart_transfer(a, c);
        return;
    }
    h->succeeded += good;
    h->failed += !good;
    if (good && a->now - c->began > h->slowest)
        h->slowest = a->now - c->began;
}

static void note_connected(struct attack *a, struct attack_client *c)
{
    if (c->connected)
        return;
    c->connected = true;
    if (c->transfer || a->honest.connected >= TIMES)
        return;
    struct sanwo_tcp_info info;
    assert_int_equal(sanwo_tcp_info(a->honest_stack, c->handle, &info), 0);
    a->honest.with_options += info.timestamps && info.sack && info.send_scale >= 0;
    a->honest.connect_times[a->honest.connected++] = a->now - c->began;
}

static void send_more(struct attack *a, struct attack_client *c)
{
    uint8_t request[5] = {c->verb};
    hostile_put32(request + 1, (uint32_t)c->wanted);
    while (c->asked < 5) {
        int64_t n = sanwo_tcp_send(a->honest_stack, c->handle, request + c->asked,
                                   (size_t)(5 - c->asked), 0, a->now);
        if (n <= 0)
            return;
        c->asked += (uint8_t)n;
    }
    while (c->verb == ATTACK_PUT && c->done < c->wanted) {
        uint64_t left = c->wanted - c->done;
        int64_t n = sanwo_tcp_send(a->honest_stack, c->handle, attack_pattern(c->done),
                                   left < 16384 ? left : 16384, 0, a->now);
        if (n <= 0)
            return;
        c->done += (uint64_t)n;
        a->honest.transferred += (uint64_t)n;
    }
}

static void receive_more(struct attack *a, struct attack_client *c)
{
    uint8_t bytes[16384];
    int64_t n;
    while ((n = sanwo_tcp_receive(a->honest_stack, c->handle, bytes, sizeof(bytes), a->now)) > 0) {
        if (c->verb == ATTACK_PUT) { /* its one byte */
            over(a, c, c->done == c->wanted && bytes[0] == 'k');
            return;
        }
        if (c->done + (uint64_t)n > c->wanted ||
            memcmp(bytes, attack_pattern(c->done), (size_t)n) != 0)
            a->honest.wrong_bytes = true;
        c->done += (uint64_t)n;
        if (c->transfer)
            a->honest.transferred += (uint64_t)n;
    }
    if (n != -SANWO_EAGAIN)
        over(a, c, n == 0 && c->done == c->wanted);
}

static void on_event(struct attack *a, const struct sanwo_event *event)
{
    struct attack_client *c = event->user;
    if (!c || !c->open || !sanwo_handle_equal(c->handle, event->handle))
        return;
    if (event->what & SANWO_EVENT_CONNECTED)
        note_connected(a, c);
    if (event->what & (SANWO_EVENT_CONNECTED | SANWO_EVENT_WRITABLE))
        send_more(a, c);
    if (event->what & (SANWO_EVENT_READABLE | SANWO_EVENT_PEER_CLOSED))
        receive_more(a, c);
    if (c->open && sanwo_handle_equal(c->handle, event->handle) &&
        (event->what & SANWO_EVENT_CLOSED))
        over(a, c, false);
}

static bool open_next(struct attack *a)
{
    struct attack_honest *h = &a->honest;
    if (!h->every || h->next > a->now)
        return false;
    h->next += h->every;
    for (unsigned i = h->transfers; i < CLIENTS; i++)
        if (!h->clients[i].open) {
            h->clients[i].transfer = false;
            h->opened++;
            open_client(a, &h->clients[i], ATTACK_GET, SMALL_REQUEST);
            return true;
        }
    fail_msg("the honest ones wait too long: %u at a time", CLIENTS);
    return false;
}

bool honest_turn(struct attack *a)
{
    struct sanwo_event events[EVENTS];
    bool any = false;
    size_t n;
    while (open_next(a))
        any = true;
    while ((n = sanwo_stack_events(a->honest_stack, events, EVENTS)) > 0) {
        for (size_t i = 0; i < n; i++)
            on_event(a, &events[i]);
        any = true;
    }
    return any;
}

sanwo_time honest_deadline(const struct attack *a)
{
    return a->honest.every ? a->honest.next : SANWO_TIME_NEVER;
}

void honest_stop(struct attack *a)
{
    struct attack_honest *h = &a->honest;
    h->every = 0;
    h->transfers = 0;
    for (unsigned i = 0; h->clients && i < CLIENTS; i++)
        if (h->clients[i].open) {
            h->clients[i].open = false;
            sanwo_tcp_abort(a->honest_stack, h->clients[i].handle, a->now);
        }
}

void honest_mark(struct attack *a)
{
    struct attack_honest *h = &a->honest;
    h->with_options = 0;
    h->opened = h->connected = h->succeeded = h->failed = 0;
    h->transferred = h->transfers_done = h->transfers_failed = 0;
    h->slowest = 0;
}

static int compare(const void *x, const void *y)
{
    const sanwo_time *a = x, *b = y;
    return (*a > *b) - (*a < *b);
}

sanwo_time honest_percentile(struct attack *a, double percent)
{
    struct attack_honest *h = &a->honest;
    if (!h->connected)
        return SANWO_TIME_NEVER;
    qsort(h->connect_times, h->connected, sizeof(h->connect_times[0]), compare);
    return h->connect_times[(uint64_t)((double)(h->connected - 1) * percent / 100)];
}

uint16_t honest_port(const struct attack *a, unsigned i)
{
    const struct attack_client *c = &a->honest.clients[i];
    struct sanwo_tcp_info info;
    if (!c->open || sanwo_tcp_info(a->honest_stack, c->handle, &info) < 0)
        return 0;
    return info.local.port;
}

void honest_free(struct attack *a)
{
    free(a->honest.clients);
    free(a->honest.connect_times);
}
