/*
 * test_calls.c - Programs that call anything at any moment, on any handle: D-01, E-10; and a stack
 * without entropy: E-11.
 *
 *     for ever:  one of   a frame from A to B, or from B to A      a step of time
 *                         an event taken                           any call, on any handle ever seen
 *
 * Nothing is served in order, as a program of callbacks would: there is no crash, no handle but a live
 * one does anything, and in the end, when all is given back, the memory is too.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"

enum kind { CONNECTION, LISTENER, REQUEST, KINDS };
enum {
    HANDLES = 64,
    DEAD = 16,
    MOST_GIVEN = 1 << 18,
    WIRE = 256,
    BYTES = 2048,
    PORTS = 3,
    SLAB = 16384,
    KEPT = 10
};

struct packet {
    uint32_t length;
    uint8_t bytes[BYTES];
};

struct host {
    struct sanwo_stack *stack;
    void *region;
    size_t size;
    struct sanwo_handle dead[DEAD];
    struct sanwo_handle live[KINDS][HANDLES]; /* to call on; some may be dead by now */
    unsigned live_count[KINDS];
    struct sanwo_handle *given; /* all that this host ever gave out */
    size_t given_count;
    struct sanwo_frame lent[8]; /* transmitted, not given back */
    unsigned lent_count;
    struct packet wire[WIRE]; /* to this host */
    unsigned wire_count;
};

struct chaos {
    struct chance chance;
    struct host host[2];
    sanwo_time now;
    uint8_t text[8192]; /* what send_ref refers to: never changes */
    enum kind kind;     /* of the handle that was called on last ... */
    unsigned chosen;    /* ... and its place, if it was one of the live */
    bool dead;          /* or it was one that had been found dead before */
    uint64_t done, refused;
};

static uint64_t below(struct chaos *c, uint64_t n)
{
    return chance_below(&c->chance, n);
}

/* ---- hosts ----------------------------------------------------------------------------------------- */

static void start(struct chaos *c, unsigned side)
{
    const struct sanwo_link_config link = {.name = "wire", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address address = sanwo_address_ipv4(10, 0, 0, (uint8_t)(1 + side));
    struct host *h = &c->host[side];
    struct sanwo_stack_config config;

    sanwo_stack_config_default(&config);
    config.max_connections = config.max_half_open = config.max_time_wait = 40;
    config.max_listeners = 6;
    config.budget = UINT64_C(1) << 20;
    config.tcp.send_buffer = config.tcp.receive_buffer = 30000;
    for (size_t i = 0; i < sizeof(config.seed); i++)
        config.seed[i] = (uint8_t)chance_next(&c->chance);
    h->size = sanwo_stack_region_size(&config);
    h->region = sanwo_region_reserve(h->size);
    assert_non_null(h->region);
    h->given = calloc(MOST_GIVEN, sizeof(h->given[0]));
    assert_non_null(h->given);
    assert_int_equal(sanwo_stack_create(h->region, h->size, &config, 0, &h->stack), 0);
    assert_int_equal(sanwo_stack_link_add(h->stack, &link), 0);
    assert_int_equal(sanwo_stack_address_add(h->stack, 0, &address, 24), 0);
}

static void given(struct chaos *c, struct host *h, enum kind kind, struct sanwo_handle handle)
{
    unsigned *count = &h->live_count[kind];

    assert_true(h->given_count < MOST_GIVEN);
    h->given[h->given_count++] = handle;
    h->live[kind][*count < HANDLES ? (*count)++ : below(c, HANDLES)] = handle;
}

/* Mostly one of the kind that the call is for; also dead ones, the other host's, and invented ones. */
static struct sanwo_handle some_handle(struct chaos *c, struct host *h, enum kind kind)
{
    struct sanwo_handle invented = {(uint32_t)below(c, 64), (uint32_t)below(c, 8)};
    uint64_t way = below(c, 100);

    c->chosen = HANDLES;
    c->kind = kind;
    c->dead = way < 5;
    if (way < 5)
        return h->dead[below(c, DEAD)];
    if (way < 7)
        h = &c->host[below(c, 2)];
    if (way < 11)
        kind = (enum kind)below(c, KINDS);
    if (h->live_count[kind] == 0 || way == 11)
        return invented;
    if (way > 11)
        c->chosen = (unsigned)below(c, h->live_count[kind]);
    return h->live[kind][c->chosen < HANDLES ? c->chosen : below(c, h->live_count[kind])];
}

static void bury(struct chaos *c, struct host *h, int64_t result)
{
    struct sanwo_handle *live = h->live[c->kind];

    if (result != -SANWO_EBADF || c->chosen >= h->live_count[c->kind])
        return;
    if (c->kind != REQUEST) /* an admitted one is none any more, but can still be closed */
        h->dead[below(c, DEAD)] = live[c->chosen];
    live[c->chosen] = live[--h->live_count[c->kind]];
}

/* ---- what can happen -------------------------------------------------------------------------------- */

static void deliver(struct chaos *c, struct host *to)
{
    unsigned at = (unsigned)below(c, to->wire_count < 4 ? to->wire_count : 4); /* not in order */
    struct packet *p = &to->wire[at];
    struct sanwo_frame f = {.length = p->length, .slice_count = 1};

    f.slices[0] = (struct sanwo_slice){p->bytes, p->length, 0};
    if (below(c, 30) != 0) /* else lost */
        sanwo_stack_receive(to->stack, &f, 1, c->now);
    if (below(c, 30) == 0) /* comes again */
        return;
    memmove(p, p + 1, (to->wire_count - at - 1) * sizeof(*p));
    to->wire_count--;
}

static void give_back(struct chaos *c, struct host *h)
{
    unsigned at = (unsigned)below(c, h->lent_count);

    sanwo_stack_sent(h->stack, &h->lent[at], 1);
    h->lent[at] = h->lent[--h->lent_count];
}

static void transmit(struct chaos *c, struct host *h, struct host *to)
{
    struct sanwo_frame *f = &h->lent[h->lent_count];

    if (h->lent_count == COUNT(h->lent))
        give_back(c, h);
    f = &h->lent[h->lent_count];
    if (sanwo_stack_transmit(h->stack, f, 1, c->now) == 0)
        return;
    assert_in_range(f->length, 20, 1500);
    h->lent_count++;
    if (to->wire_count == WIRE)
        return;
    to->wire[to->wire_count].length = f->length;
    sanwo_frame_copy(f, to->wire[to->wire_count++].bytes);
}

/* A program that cares closes what is over, and accepts what has come; this one often does. */
static void take_events(struct chaos *c, struct host *h)
{
    struct sanwo_event events[3];
    size_t n = sanwo_stack_events(h->stack, events, 1 + below(c, 3));

    for (size_t i = 0; i < n; i++) {
        struct sanwo_tcp_request request;
        struct sanwo_handle out;

        if (below(c, 4) == 0)
            continue;
        if (events[i].what & SANWO_EVENT_CLOSED)
            sanwo_tcp_close(h->stack, events[i].handle, c->now);
        if (events[i].what & SANWO_EVENT_ACCEPT &&
            sanwo_tcp_accept(h->stack, events[i].handle, NULL, &out) == 0)
            given(c, h, CONNECTION, out);
        if (events[i].what & SANWO_EVENT_REQUEST &&
            sanwo_tcp_request(h->stack, events[i].handle, &request) == 0) {
            given(c, h, REQUEST, request.handle);
            sanwo_tcp_admit(h->stack, request.handle, c->now);
        }
    }
}

static sanwo_time step(struct chaos *c)
{
    static const sanwo_time steps[] = {SANWO_USEC(10), SANWO_MSEC(1), SANWO_MSEC(50), SANWO_SEC(1),
                                       SANWO_SEC(40)};

    return steps[below(c, below(c, 40) == 0 ? COUNT(steps) : 3)];
}

/* ---- calls ------------------------------------------------------------------------------------------- */

static int64_t call_open(struct chaos *c, struct host *h, unsigned side)
{
    struct sanwo_handle out;
    enum kind kind = below(c, 3) == 0 ? LISTENER : CONNECTION;
    int result;

    if (kind == LISTENER) {
        struct sanwo_tcp_listen listen = {
            .local = {.port = (uint16_t)(1 + below(c, PORTS))},
            .backlog = (uint32_t)below(c, 6),
            .flags = below(c, 2) ? (uint32_t)SANWO_LISTEN_DECIDE : 0,
        };

        result = sanwo_tcp_listen(h->stack, &listen, c->now, &out);
    } else {
        struct sanwo_tcp_connect open = {
            .remote = {sanwo_address_ipv4(10, 0, 0, (uint8_t)(2 - side)),
                       (uint16_t)(1 + below(c, PORTS))},
            .local = {.port = (uint16_t)(below(c, 3) ? 0 : 1 + below(c, PORTS))},
            .listener = below(c, 10) ? (struct sanwo_handle){0, 0} : some_handle(c, h, LISTENER),
        };

        result = sanwo_tcp_connect(h->stack, &open, c->now, &out);
    }
    if (result == 0)
        given(c, h, kind, out);
    return result;
}

static int64_t call_on_listener(struct chaos *c, struct host *h)
{
    uint64_t what = below(c, 5);
    struct sanwo_handle handle = some_handle(c, h, what < 2 ? LISTENER : REQUEST), out;
    struct sanwo_tcp_request request;
    int result;

    switch (what) {
    case 0:
        result = sanwo_tcp_accept(h->stack, handle, NULL, &out);
        if (result == 0)
            given(c, h, CONNECTION, out);
        return result;
    case 1:
        result = sanwo_tcp_request(h->stack, handle, &request);
        if (result == 0)
            given(c, h, REQUEST, request.handle);
        return result;
    case 2:
        return sanwo_tcp_admit(h->stack, handle, c->now);
    case 3:
        return sanwo_tcp_refuse(h->stack, handle, c->now);
    default:
        return sanwo_tcp_ignore(h->stack, handle, c->now);
    }
}

static int64_t call_with_data(struct chaos *c, struct host *h)
{
    struct sanwo_handle handle = some_handle(c, h, CONNECTION);
    struct sanwo_slice slices[3];
    struct sanwo_room room;
    uint8_t bytes[3000];
    size_t length = below(c, 8) ? below(c, sizeof(bytes)) : 0;
    int64_t result;

    switch (below(c, 9)) {
    case 0:
        return sanwo_tcp_send(h->stack, handle, c->text, length, (unsigned)below(c, 4), c->now);
    case 1:
        return sanwo_tcp_send_ref(h->stack, handle, c->text, below(c, sizeof(c->text)),
                                  (unsigned)below(c, 4), c->now);
    case 2: /* perhaps it is committed, perhaps never */
        result = sanwo_tcp_reserve(h->stack, handle, length, &room);
        if (result > 0)
            memset(room.bytes, 0x55, (size_t)result);
        return result;
    case 3:
        return sanwo_tcp_commit(h->stack, handle, length, 0, c->now);
    case 4:
        return sanwo_tcp_receive(h->stack, handle, bytes, length, c->now);
    case 5:
        result = sanwo_tcp_peek(h->stack, handle, slices, below(c, 4));
        for (int64_t i = 0; i < result; i++) /* readable, all of it */
            memcpy(bytes, slices[i].bytes,
                   slices[i].length < sizeof(bytes) ? slices[i].length : sizeof(bytes));
        return result;
    case 6:
        return sanwo_tcp_consume(h->stack, handle, length, c->now);
    default:
        return sanwo_tcp_urgent(h->stack, handle);
    }
}

static int64_t call_other(struct chaos *c, struct host *h)
{
    struct sanwo_handle handle = some_handle(c, h, CONNECTION);
    enum sanwo_tcp_option option;
    struct sanwo_tcp_info info;
    int64_t value;

    switch (below(c, 4)) {
    case 0:
        return sanwo_tcp_info(h->stack, handle, &info);
    case 1:
        return sanwo_tcp_get_option(h->stack, handle, (enum sanwo_tcp_option)below(c, 20), &value);
    case 2:
        option = (enum sanwo_tcp_option)below(c, 20);
        value = (int64_t)(chance_next(&c->chance) >> below(c, 64));
        if (option == SANWO_TCP_FIN_WAIT_2_TIME) /* else it may last for centuries */
            value %= SANWO_SEC(100);
        return sanwo_tcp_set_option(h->stack, handle, option, value, c->now);
    default:
        return sanwo_tcp_shutdown(h->stack, handle, c->now);
    }
}

static int64_t call_leave(struct chaos *c, struct host *h)
{
    enum kind kind = (enum kind)below(c, KINDS);
    struct sanwo_handle handle = some_handle(c, h, kind);

    return kind != CONNECTION || below(c, 2) ? sanwo_tcp_close(h->stack, handle, c->now)
                                             : sanwo_tcp_abort(h->stack, handle, c->now);
}

/* Links and addresses go and come, too; memory is refused. */
static void shake(struct chaos *c, struct host *h, unsigned side)
{
    struct sanwo_address address = sanwo_address_ipv4(10, 0, 0, (uint8_t)(1 + side));

    switch (below(c, 5)) {
    case 0:
        sanwo_stack_link_set_up(h->stack, 0, false, c->now);
        break;
    case 1:
        sanwo_stack_address_remove(h->stack, &address);
        break;
    case 2:
        sanwo_stack_link_set_mtu(h->stack, 0, (uint16_t)(576 + below(c, 925)));
        break;
    default:
        sanwo_stack_inject_fault(h->stack, 1 + below(c, 10));
        return;
    }
    if (below(c, 3) != 0) {
        sanwo_stack_link_set_up(h->stack, 0, true, c->now);
        sanwo_stack_address_add(h->stack, 0, &address, 24);
    }
}

static void call(struct chaos *c, unsigned side)
{
    struct host *h = &c->host[side];
    uint64_t what = below(c, 100);
    int64_t result;

    c->chosen = HANDLES;
    c->dead = false;
    if (what < 8)
        result = call_open(c, h, side);
    else if (what < 40)
        result = call_on_listener(c, h);
    else if (what < 82)
        result = call_with_data(c, h);
    else if (what < 94)
        result = call_other(c, h);
    else
        result = call_leave(c, h);
    assert_true(result >= 0 || (result > -SANWO_ERROR_COUNT && result < 0));
    if (c->dead && what >= 8) /* what is dead stays dead, whoever has its place now */
        assert_int_equal(result, -SANWO_EBADF);
    bury(c, h, result);
    if (result < 0)
        c->refused++;
    else
        c->done++;
}

static void one_thing(struct chaos *c)
{
    unsigned side = (unsigned)below(c, 2);
    struct host *h = &c->host[side];
    uint64_t what = below(c, 1000);

    if (what < 250)
        transmit(c, h, &c->host[!side]);
    else if (what < 500 && h->wire_count > 0)
        deliver(c, h);
    else if (what < 560 && h->lent_count > 0)
        give_back(c, h);
    else if (what < 640)
        take_events(c, h);
    else if (what < 700)
        c->now += step(c);
    else if (what < 702)
        shake(c, h, side);
    else
        call(c, side);
}

/* ---- the end ------------------------------------------------------------------------------------------ */

/* All handles go, then all that has no handle runs out of time; what is left is as in the beginning. */
static void check_empty(struct chaos *c, struct host *h)
{
    struct sanwo_stack_stats stats;
    struct sanwo_frame frames[4];
    struct sanwo_event events[8];
    size_t n;

    sanwo_stack_inject_fault(h->stack, 0);
    for (size_t i = 0; i < h->given_count; i++)
        if (sanwo_tcp_abort(h->stack, h->given[i], c->now) < 0)
            sanwo_tcp_close(h->stack, h->given[i], c->now);
    while (h->lent_count > 0)
        give_back(c, h);
    for (int i = 0; i < 2000; i++) {
        while ((n = sanwo_stack_transmit(h->stack, frames, 4, c->now)) > 0)
            sanwo_stack_sent(h->stack, frames, n);
        while ((n = sanwo_stack_events(h->stack, events, 8)) > 0)
            continue;
        c->now += SANWO_SEC(1);
    }
    sanwo_stack_stats(h->stack, &stats);
    assert_int_equal(stats.connections, 0);
    assert_int_equal(stats.half_open + stats.time_wait + stats.listeners, 0);
    assert_true(stats.memory_peak <= stats.memory_budget);
    assert_int_equal(sanwo_stack_deadline(h->stack), SANWO_TIME_NEVER);
    /* Each pool keeps an empty slab or two; nothing that is smaller than that is left. */
    if (stats.memory_used % SLAB != 0 || stats.memory_used > KEPT * SLAB)
        fail_msg("%llu bytes are left", (unsigned long long)stats.memory_used);
}

/* D-01, E-10. */
static void test_D_01_any_call_at_any_moment(void **state)
{
    unsigned worlds = long_run() ? 400 : 30, things = 60000;
    uint64_t opened = 0;

    (void)state;
    for (unsigned i = 0; i < worlds; i++) {
        struct chaos *c = calloc(1, sizeof(*c));

        assert_non_null(c);
        chance_seed(&c->chance, __func__, i);
        for (unsigned side = 0; side < 2; side++)
            start(c, side);
        memset(c->text, 0x55, sizeof(c->text));
        for (unsigned k = 0; k < things; k++)
            one_thing(c);
        assert_true(c->done > things / 20 && c->refused > things / 20);
        for (unsigned side = 0; side < 2; side++) {
            struct host *h = &c->host[side];
            struct sanwo_stack_stats stats;

            sanwo_stack_stats(h->stack, &stats);
            opened += stats.connections_accepted;
            check_empty(c, h);
            sanwo_region_release(h->region, h->size);
            free(h->given);
        }
        free(c);
    }
    print_message("%llu connections were accepted amid it\n", (unsigned long long)opened);
    assert_true(opened > 20 * worlds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_D_01_any_call_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
