/*
 * test_misuse.c - Programs that close in the accept, never accept, never read, write without bounds; and
 * a stack without entropy. See tests/tcp/test_calls.c for handles and test_calls.c for all at random.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#define DELAY SANWO_MSEC(5)

enum { PORT = 50, MOST = 24 };

/* A listener of the test's own at B, and connections to it from A: the world only lends its clock. */
struct party {
    struct world *world;
    struct world_end listener, from[MOST], to[MOST];
    unsigned count, accepted;
};

static void party_open(struct party *p, const char *name, unsigned backlog, unsigned count)
{
    struct world *w = p->world = faults_world(name, 0, DELAY);
    struct sanwo_tcp_listen listen = {
        .local = {.port = PORT}, .backlog = backlog, .user = &p->listener};
    struct sanwo_tcp_connect open = {.remote = {w->host[1].address, PORT}};
    struct sanwo_handle h;

    p->accepted = 0;
    p->count = count;
    w->rough = true;
    world_warm_up(w);
    assert_int_equal(sanwo_tcp_listen(w->host[1].stack, &listen, world_now(w), &h), 0);
    faults_adopt(w, 1, &p->listener, h);
    for (unsigned i = 0; i < count; i++) {
        open.user = &p->from[i];
        assert_int_equal(sanwo_tcp_connect(w->host[0].stack, &open, world_now(w), &h), 0);
        faults_adopt(w, 0, &p->from[i], h);
    }
}

/* The next one is B's to[n]. */
static bool party_accept(struct party *p)
{
    struct world *w = p->world;
    struct world_end *end = &p->to[p->accepted];
    struct sanwo_handle h;

    if (sanwo_tcp_accept(w->host[1].stack, p->listener.handle, end, &h) != 0)
        return false;
    faults_adopt(w, 1, end, h);
    p->accepted++;
    return true;
}

static int give_back(const struct world_end *end)
{
    const struct world *w = end->world;

    return sanwo_tcp_close(w->host[end->side].stack, end->handle, world_now(w));
}

static void party_close(struct party *p)
{
    struct world *w = p->world;

    for (unsigned i = 0; i < p->count; i++)
        if (p->from[i].open)
            give_back(&p->from[i]);
    give_back(&p->listener);
    world_check_clean(w);
    world_destroy(w);
}

/* ---- E-10 ------------------------------------------------------------------------------------------- */

/* What a program may do with a connection the moment it gets it; all of it is in order but the last. */
static void leave_at_once(const struct world_end *end, unsigned how)
{
    const struct world *w = end->world;
    struct sanwo_stack *s = w->host[1].stack;
    sanwo_time now = world_now(w);
    struct sanwo_handle h = end->handle;
    uint8_t byte = 7;

    switch (how % 6) {
    case 0:
        assert_int_equal(sanwo_tcp_close(s, h, now), 0);
        break;
    case 1:
        assert_int_equal(sanwo_tcp_abort(s, h, now), 0);
        break;
    case 2: /* both ways, then once more */
        assert_int_equal(sanwo_tcp_shutdown(s, h, now), 0);
        assert_int_equal(sanwo_tcp_shutdown(s, h, now), -SANWO_EPIPE);
        assert_int_equal(sanwo_tcp_send(s, h, &byte, 1, 0, now), -SANWO_EPIPE);
        assert_int_equal(sanwo_tcp_close(s, h, now), 0);
        break;
    case 3:
        assert_int_equal(sanwo_tcp_send(s, h, &byte, 1, 0, now), 1);
        assert_int_equal(sanwo_tcp_close(s, h, now), 0);
        break;
    case 4: /* a reservation is never committed */
    {
        struct sanwo_room room;

        assert_true(sanwo_tcp_reserve(s, h, 100, &room) > 0);
        assert_int_equal(sanwo_tcp_close(s, h, now), 0);
        assert_int_equal(sanwo_tcp_commit(s, h, 100, 0, now), -SANWO_EBADF);
        break;
    }
    default:
        assert_int_equal(sanwo_tcp_close(s, h, now), 0);
        assert_int_equal(sanwo_tcp_abort(s, h, now), -SANWO_EBADF);
        assert_int_equal(sanwo_tcp_close(s, h, now), -SANWO_EBADF);
        assert_int_equal(sanwo_tcp_receive(s, h, &byte, 1, now), -SANWO_EBADF);
    }
}

/* E-10: closed in the accept, in six ways: the opener learns of it, nothing is left. */
static void test_E_10_closed_in_the_accept(void **state)
{
    struct party p;

    (void)state;
    party_open(&p, __func__, 0, 18);
    for (int ms = 0; ms < 50; ms++) {
        world_run(p.world, SANWO_MSEC(1));
        while (party_accept(&p))
            leave_at_once(&p.to[p.accepted - 1], p.accepted - 1);
    }
    assert_int_equal(p.accepted, p.count);
    for (unsigned i = 0; i < p.count; i++) {
        const struct world_end *end = &p.from[i];
        struct sanwo_tcp_info info;
        int result = sanwo_tcp_info(p.world->host[0].stack, end->handle, &info);

        assert_int_equal(result, 0);
        assert_true(info.peer_closed || end->over);
    }
    party_close(&p);
}

/* E-10: nobody ever accepts; then the listener goes: those who waited are told by a reset. */
static void test_E_10_never_accepted(void **state)
{
    struct party p;

    (void)state;
    party_open(&p, __func__, 64, 20);
    world_run(p.world, SANWO_SEC(100));
    for (unsigned i = 0; i < p.count; i++)
        assert_true(p.from[i].connected && !p.from[i].over);
    give_back(&p.listener);
    world_run(p.world, SANWO_SEC(1));
    for (unsigned i = 0; i < p.count; i++)
        assert_int_equal(p.from[i].error, SANWO_ECONNRESET);
    party_close(&p);
}

/* E-10, SHLD-3: never reads, and leaves with all of it unread: a reset, not a friendly end. */
static void test_E_10_never_read(void **state)
{
    static uint8_t text[4 << 20];
    struct party p;
    int64_t sent;

    (void)state;
    party_open(&p, __func__, 0, 2);
    world_run(p.world, SANWO_MSEC(20));
    assert_true(party_accept(&p) && party_accept(&p));
    for (unsigned i = 0; i < 2; i++) {
        sent = sanwo_tcp_send(p.world->host[0].stack, p.from[i].handle, text, sizeof(text), 0,
                              world_now(p.world));
        assert_true(sent > 0);
    }
    world_run(p.world, SANWO_SEC(10000));
    for (unsigned i = 0; i < 2; i++)
        assert_false(p.from[i].over); /* probed for as long as it takes (MUST-37) */
    give_back(&p.to[0]);
    assert_int_equal(sanwo_tcp_abort(p.world->host[1].stack, p.to[1].handle, world_now(p.world)),
                     0);
    world_run(p.world, SANWO_SEC(1));
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(p.from[i].error, SANWO_ECONNRESET);
    party_close(&p);
}

/* E-10: lengths up to all that there is: no more is looked at than fits. */
static void test_E_10_lengths_without_bounds(void **state)
{
    struct party p;
    struct sanwo_stack *s;
    struct sanwo_room room;
    struct sanwo_slice slice;
    struct sanwo_handle h;
    uint32_t buffer;
    uint8_t *text;
    sanwo_time now;

    (void)state;
    party_open(&p, __func__, 0, 1);
    world_run(p.world, SANWO_MSEC(20));
    s = p.world->host[0].stack;
    h = p.from[0].handle;
    now = world_now(p.world);
    buffer = p.world->config.stack[0].tcp.send_buffer_max;
    text = calloc(1, buffer); /* not a byte more: a sanitizer looks */
    assert_non_null(text);
    assert_int_equal(sanwo_tcp_send_ref(s, h, text, SIZE_MAX, 0, now), -SANWO_EMSGSIZE);
    assert_int_equal(sanwo_tcp_send_ref(s, h, text, (size_t)buffer + 1, 0, now), -SANWO_EMSGSIZE);
    assert_int_equal(sanwo_tcp_send_ref(s, h, text, (size_t)1 << 32, 0, now), -SANWO_EMSGSIZE);
    assert_in_range(sanwo_tcp_reserve(s, h, SIZE_MAX, &room), 1, buffer);
    assert_int_equal(sanwo_tcp_commit(s, h, SIZE_MAX, 0, now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_commit(s, h, (size_t)1 << 32, 0, now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_commit(s, h, 0, 0, now), 0);
    assert_in_range(sanwo_tcp_send(s, h, text, SIZE_MAX, 0, now), 1, buffer);
    assert_int_equal(sanwo_tcp_consume(s, h, SIZE_MAX, now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_receive(s, h, text, SIZE_MAX, now), -SANWO_EAGAIN);
    assert_int_equal(sanwo_tcp_peek(s, h, &slice, 0), -SANWO_EAGAIN);
    world_run(p.world, SANWO_SEC(2));
    assert_true(party_accept(&p));
    s = p.world->host[1].stack;
    assert_in_range(sanwo_tcp_receive(s, p.to[0].handle, text, SIZE_MAX, world_now(p.world)), 1,
                    buffer);
    assert_int_equal(sanwo_tcp_consume(s, p.to[0].handle, SIZE_MAX, now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_abort(s, p.to[0].handle, world_now(p.world)), 0);
    world_run(p.world, SANWO_SEC(1));
    free(text);
    party_close(&p);
}

/* ---- E-11 ------------------------------------------------------------------------------------------- */

static int create(const struct sanwo_stack_config *config)
{
    size_t size = sanwo_stack_region_size(config);
    void *region = sanwo_region_reserve(size);
    struct sanwo_stack *s;
    int result;

    assert_non_null(region);
    result = sanwo_stack_create(region, size, config, 0, &s);
    sanwo_region_release(region, size);
    return result;
}

/* E-11: without entropy there is no stack, unless a test says that it means it. */
static void test_E_11_no_entropy(void **state)
{
    struct sanwo_stack_config config;

    (void)state;
    sanwo_stack_config_default(&config);
    assert_int_equal(create(&config), -SANWO_EINVAL);
    config.cookie_key_is_set = true; /* another key is no substitute */
    memset(config.cookie_key, 0x5a, sizeof(config.cookie_key));
    assert_int_equal(create(&config), -SANWO_EINVAL);
    config.deterministic = true;
    assert_int_equal(create(&config), 0);
    config.deterministic = false;
    for (size_t i = 0; i < sizeof(config.seed); i++) { /* each byte of it counts */
        memset(config.seed, 0, sizeof(config.seed));
        config.seed[i] = 1;
        assert_int_equal(create(&config), 0);
    }
}

/* What a stack with this seed chooses for its first connection. */
static void first_choices(const uint8_t seed[32], uint32_t *iss, uint16_t *port)
{
    const struct sanwo_link_config link = {.name = "x", .kind = SANWO_LINK_IP, .mtu = 1500};
    const struct sanwo_address ours = sanwo_address_ipv4(10, 0, 0, 1);
    struct sanwo_tcp_connect open = {.remote = {sanwo_address_ipv4(10, 0, 0, 2), 80}};
    struct sanwo_stack_config config;
    struct sanwo_tcp_info info;
    struct sanwo_stack *s;
    struct sanwo_handle h;
    void *region;
    size_t size;

    sanwo_stack_config_default(&config);
    memcpy(config.seed, seed, sizeof(config.seed));
    size = sanwo_stack_region_size(&config);
    region = sanwo_region_reserve(size);
    assert_non_null(region);
    assert_int_equal(sanwo_stack_create(region, size, &config, 0, &s), 0);
    assert_int_equal(sanwo_stack_link_add(s, &link), 0);
    assert_int_equal(sanwo_stack_address_add(s, 0, &ours, 24), 0);
    assert_int_equal(sanwo_tcp_connect(s, &open, 0, &h), 0);
    assert_int_equal(sanwo_tcp_info(s, h, &info), 0);
    *iss = info.iss;
    *port = info.local.port;
    sanwo_region_release(region, size);
}

/* E-11: the same seed makes the same choices, and each of its bytes others: nothing else is chance. */
static void test_E_11_all_chance_is_the_seed(void **state)
{
    uint32_t iss[33], again;
    uint16_t port[33], port_again;
    uint8_t seed[32] = {1};
    unsigned same_port = 0;

    (void)state;
    for (unsigned i = 0; i < 33; i++) {
        if (i > 0)
            seed[i - 1] ^= 0x80;
        first_choices(seed, &iss[i], &port[i]);
        first_choices(seed, &again, &port_again);
        assert_int_equal(iss[i], again);
        assert_int_equal(port[i], port_again);
        for (unsigned k = 0; k < i; k++) {
            assert_true(iss[i] != iss[k]);
            same_port += port[i] == port[k];
        }
    }
    assert_true(same_port <= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_10_closed_in_the_accept),
        cmocka_unit_test(test_E_10_never_accepted),
        cmocka_unit_test(test_E_10_never_read),
        cmocka_unit_test(test_E_10_lengths_without_bounds),
        cmocka_unit_test(test_E_11_no_entropy),
        cmocka_unit_test(test_E_11_all_chance_is_the_seed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
