/*
 * server.c - The application on the stack under attack: takes everybody, believes everything.
 *
 * It has no defence of its own: no limit a source, no time-out, no patience lost. What keeps it
 * alive is the stack alone.
 */
#include "attacks/attack.h"

#include <stdlib.h>

#define REQUEST 5
#define NOBODY UINT32_MAX
#define EVENTS 64

struct attack_served {
    struct sanwo_handle handle;
    uint64_t done, wanted;
    uint32_t next_free;
    uint8_t request[REQUEST];
    uint8_t have; /* bytes of the request */
    bool open;
};

void server_start(struct attack *a)
{
    struct sanwo_tcp_listen open = {.local = {.port = SERVER_PORT}, .backlog = a->backlog};
    assert_int_equal(sanwo_tcp_listen(a->victim, &open, a->now, &a->server.listener), 0);
    a->server.free_slot = NOBODY;
}

static uint32_t take_slot(struct attack_server *server)
{
    if (server->free_slot == NOBODY) {
        uint32_t from = server->size;
        server->size = from ? from * 2 : 1024;
        server->table = realloc(server->table, server->size * sizeof(server->table[0]));
        assert_non_null(server->table);
        for (uint32_t i = from; i < server->size; i++)
            server->table[i] =
                (struct attack_served){.next_free = i + 1 < server->size ? i + 1 : NOBODY};
        server->free_slot = from;
    }
    uint32_t slot = server->free_slot;
    server->free_slot = server->table[slot].next_free;
    return slot;
}

static void leave_slot(struct attack_server *server, struct attack_served *one)
{
    one->open = false;
    one->next_free = server->free_slot;
    server->free_slot = (uint32_t)(one - server->table);
    server->open--;
}

static void finish(struct attack *a, struct attack_served *one, bool good)
{
    a->server.finished += good;
    a->server.failed += !good;
    sanwo_tcp_close(a->victim, one->handle, a->now);
    leave_slot(&a->server, one);
}

/* As much as the stack takes. */
static void give(struct attack *a, struct attack_served *one)
{
    while (one->done < one->wanted) {
        uint64_t left = one->wanted - one->done;
        int64_t n = sanwo_tcp_send(a->victim, one->handle, attack_pattern(one->done),
                                   left < 16384 ? left : 16384, 0, a->now);
        if (n == -SANWO_EAGAIN || n == -SANWO_ENOMEM)
            return;
        if (n < 0) {
            finish(a, one, false);
            return;
        }
        one->done += (uint64_t)n;
    }
    finish(a, one, true);
}

static void take(struct attack *a, struct attack_served *one)
{
    uint8_t bytes[16384];
    int64_t n;
    while ((n = sanwo_tcp_receive(a->victim, one->handle, bytes, sizeof(bytes), a->now)) > 0) {
        if (memcmp(bytes, attack_pattern(one->done), (size_t)n) != 0)
            a->honest.wrong_bytes = true;
        one->done += (uint64_t)n;
    }
    if (one->done >= one->wanted && n == -SANWO_EAGAIN) {
        sanwo_tcp_send(a->victim, one->handle, "k", 1, 0, a->now);
        finish(a, one, true);
    } else if (n != -SANWO_EAGAIN) {
        finish(a, one, false);
    }
}

/* False: there is no whole request yet. */
static bool read_request(struct attack *a, struct attack_served *one)
{
    while (one->have < REQUEST) {
        int64_t n = sanwo_tcp_receive(a->victim, one->handle, one->request + one->have,
                                      (size_t)(REQUEST - one->have), a->now);
        if (n == -SANWO_EAGAIN)
            return false;
        if (n <= 0) {
            finish(a, one, false);
            return false;
        }
        one->have += (uint8_t)n;
    }
    if (!one->wanted) {
        one->wanted = hostile_get32(one->request + 1);
        a->server.requests++;
    }
    return true;
}

static void serve(struct attack *a, struct attack_served *one)
{
    if (!read_request(a, one))
        return;
    if (one->request[0] == ATTACK_GET)
        give(a, one);
    else if (one->request[0] == ATTACK_PUT)
        take(a, one);
    else if (one->request[0] != ATTACK_STALL)
        finish(a, one, false);
}

static void accept_all(struct attack *a)
{
    struct attack_server *server = &a->server;
    for (;;) {
        uint32_t slot = take_slot(server);
        struct attack_served *one = &server->table[slot];
        uint32_t next = one->next_free;
        void *user = (void *)(uintptr_t)(slot + 1);
        *one = (struct attack_served){.next_free = next};
        if (sanwo_tcp_accept(a->victim, server->listener, user, &one->handle) < 0) {
            server->open++;
            leave_slot(server, one);
            return;
        }
        one->open = true;
        server->open++;
        server->accepted++;
        serve(a, one);
    }
}

bool server_turn(struct attack *a)
{
    struct sanwo_event events[EVENTS];
    size_t n, all = 0;
    while ((n = sanwo_stack_events(a->victim, events, EVENTS)) > 0) {
        all += n;
        for (size_t i = 0; i < n; i++) {
            uint32_t slot = (uint32_t)(uintptr_t)events[i].user;
            struct attack_served *one = slot ? &a->server.table[slot - 1] : NULL;
            if (!one)
                accept_all(a);
            else if (!one->open || !sanwo_handle_equal(one->handle, events[i].handle))
                continue;
            else if (events[i].what & SANWO_EVENT_CLOSED)
                finish(a, one, false);
            else
                serve(a, one);
        }
    }
    return all > 0;
}

void server_close_all(struct attack *a, bool abort)
{
    for (uint32_t i = 0; i < a->server.size; i++) {
        struct attack_served *one = &a->server.table[i];
        if (!one->open)
            continue;
        if (abort)
            sanwo_tcp_abort(a->victim, one->handle, a->now);
        else
            sanwo_tcp_close(a->victim, one->handle, a->now);
        leave_slot(&a->server, one);
        if (i % 64 == 0)
            attack_settle(a);
    }
    attack_settle(a);
}

void server_stop(struct attack *a)
{
    sanwo_tcp_close(a->victim, a->server.listener, a->now);
}
