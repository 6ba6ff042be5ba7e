/*
 * test_links.c - Links that vanish, flap, or work one way; addresses and routes taken away under live
 * connections; an Ethernet whose stations change. All comes back, and so do the connections.
 */
#include <string.h>

#include "gate.h"

#define DELAY SANWO_MSEC(5)

static const struct world_plan sends = {.send = 4000000, .patient = true}, none = {.patient = true};

static struct world_talk *open_from(struct world *w, unsigned sender)
{
    struct world_talk *talk =
        world_open(w, 0, sender == 0 ? &sends : &none, sender == 0 ? &none : &sends, NULL);

    assert_non_null(talk);
    faults_run_until_received(w, 200000);
    return talk;
}

/* Something arrives within @limit. */
static void check_resumes(struct world *w, sanwo_time limit, const char *what)
{
    uint64_t received = faults_received(w);
    sanwo_time end = world_now(w) + limit;

    while (faults_received(w) == received) {
        if (world_now(w) >= end)
            world_fail(w, "%s: nothing within %lld s", what, (long long)(limit / SANWO_SEC(1)));
        world_run(w, SANWO_MSEC(10));
    }
}

/* ---- E-06 ------------------------------------------------------------------------------------------- */

/*
 * E-06: the wire is dead for a second to ten minutes, both ways or one way: R2 is longer. The first
 * retransmission after it, at most an RTO's maximum later, gets through.
 */
static void test_E_06_wire_is_dead_for_long(void **state)
{
    static const int seconds[] = {1, 10, 60, 300, 600};

    (void)state;
    for (unsigned i = 0; i < 6 * COUNT(seconds); i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        unsigned sender = i & 1, way = i / 2 % 3; /* A's way out, B's, both */

        world_warm_up(w);
        open_from(w, sender);
        if (way != 1)
            faults_mute(w, 0, true, DELAY);
        if (way != 0)
            faults_mute(w, 1, true, DELAY);
        world_run(w, SANWO_SEC(seconds[i / 6]));
        faults_mute(w, 0, false, DELAY);
        faults_mute(w, 1, false, DELAY);
        check_resumes(w, SANWO_SEC(121), "the wire is back");
        faults_finish_complete(w, SANWO_SEC(100));
    }
}

/* E-06: up and down each round trip, told (the stack's link) or untold (the wire). */
static void test_E_06_flapping(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        struct world_host *host = &w->host[i & 1];
        bool told = i & 2;
        sanwo_time half = i & 4 ? 2 * DELAY : DELAY;

        w->links_go = true;
        world_warm_up(w);
        open_from(w, i & 1);
        for (int k = 0; k < 400; k++) {
            bool up = k & 1;

            if (told)
                assert_int_equal(
                    sanwo_stack_link_set_up(host->stack, host->link->number, up, world_now(w)), 0);
            else
                faults_set_wire(w, up);
            world_run(w, half);
        }
        if (w->open_ends > 0)
            check_resumes(w, SANWO_SEC(10), "flapping is over");
        faults_finish_complete(w, SANWO_SEC(300));
    }
}

/*
 * E-07: the path becomes narrow amid a stream, and says so; it becomes wide again and does not. The
 * stream goes on at once; ten minutes later segments are tried in full (RFC 1191 6.3).
 */
static void test_E_07_path_narrows_and_widens(void **state)
{
    static const uint16_t mtu[] = {1400, 1000, 600};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(mtu); i++) {
        const struct sanwo_emulator_path narrow = {
            .delay = DELAY, .mtu = mtu[i / 2], .too_big = true};
        const struct world_plan much = {.send = 3000000, .ending = WORLD_STAY};
        const struct world_plan more = {.send = 3100000, .ending = WORLD_STAY};
        const struct world_plan ends = {.send = 3100000};
        struct world *w = faults_world(__func__, i, DELAY);
        struct world_talk *talk = world_open(w, 0, &much, &much, NULL);
        unsigned sender = i & 1, full;

        faults_run_until_received(w, 300000);
        full = faults_info(talk->end[sender]).send_mss;
        sanwo_emulator_configure(w->host[sender].emulator, &narrow,
                                 &(struct sanwo_emulator_path){0});
        check_resumes(w, SANWO_SEC(1), "the path is narrow");
        world_run(w, SANWO_SEC(60));
        assert_int_equal(faults_info(talk->end[sender]).path_mtu, mtu[i / 2]);
        assert_int_equal(talk->end[!sender]->received, much.send);
        faults_calm(w, DELAY);
        world_run(w, SANWO_SEC(600));
        for (int k = 0; k < 2; k++)
            world_change_plan(talk->end[k], &more);
        world_run(w, SANWO_SEC(1));
        assert_int_equal(faults_info(talk->end[sender]).send_mss, full);
        for (int k = 0; k < 2; k++)
            world_change_plan(talk->end[k], &ends);
        faults_finish_complete(w, SANWO_SEC(60));
    }
}

/* ---- E-09: addresses and routes ----------------------------------------------------------------------- */

enum removed { ADDRESS, ROUTE, INTERFACE, REMOVED };

/* Host A's address as a host's only, and the way to the other by a route that can be taken away. */
static void make_removable(struct world *w)
{
    const struct sanwo_address net = sanwo_address_ipv4(192, 0, 2, 0);
    const struct sanwo_address nowhere = {0};
    struct world_host *a = &w->host[0];

    assert_int_equal(sanwo_stack_address_remove(a->stack, &a->address), 0);
    assert_int_equal(sanwo_stack_address_add(a->stack, a->link->number, &a->address, 32), 0);
    assert_int_equal(sanwo_stack_route_add(a->stack, &net, 24, &nowhere, a->link->number), 0);
}

static void take_away(struct world *w, enum removed what, bool back)
{
    const struct sanwo_address net = sanwo_address_ipv4(192, 0, 2, 0);
    const struct sanwo_address nowhere = {0};
    struct world_host *a = &w->host[0];
    int result;

    switch (what) {
    case ADDRESS:
        result = back ? sanwo_stack_address_add(a->stack, a->link->number, &a->address, 32)
                      : sanwo_stack_address_remove(a->stack, &a->address);
        break;
    case ROUTE:
        result = back ? sanwo_stack_route_add(a->stack, &net, 24, &nowhere, a->link->number)
                      : sanwo_stack_route_remove(a->stack, &net, 24);
        break;
    default:
        result = sanwo_stack_link_set_up(a->stack, a->link->number, back, world_now(w));
    }
    assert_int_equal(result, 0);
}

/*
 * E-09: the address, the route or the interface of a live connection goes. Its user is told of a soft
 * error only, new connections are refused at once; and when it is back the stream goes on.
 */
static void test_E_09_taken_away_and_back(void **state)
{
    static const int seconds[] = {1, 20, 90};

    (void)state;
    for (unsigned i = 0; i < 2 * REMOVED * COUNT(seconds); i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        enum removed what = i % REMOVED;
        unsigned sender = i / REMOVED % 2;
        struct world_talk *talk;
        struct sanwo_tcp_info info;
        uint64_t received, taken;
        int error;

        w->links_go = true;
        make_removable(w);
        world_warm_up(w);
        talk = open_from(w, sender);
        taken = talk->end[0]->received;
        take_away(w, what, false);
        world_run(w, 3 * DELAY); /* what is on its way to B may still arrive */
        received = faults_received(w);
        if (what != ROUTE) /* RFC 1122 3.2.1.3: what is not addressed to us is not taken */
            assert_true(talk->end[0]->received == taken);
        world_run(w, SANWO_SEC(seconds[i / REMOVED / 2]));
        /* Without a route A hears and cannot answer: B's tail loss probe is new data (RFC 8985 7.3). */
        assert_true(faults_received(w) - received <= (what == ROUTE ? 2 * 1460 : 0));
        if (what == ROUTE) {
            struct sanwo_tcp_connect open = {.remote = {.address = w->host[1].address, .port = 7}};
            struct sanwo_handle h;

            error = sanwo_tcp_connect(w->host[0].stack, &open, world_now(w), &h);
            assert_int_equal(error, -SANWO_ENETUNREACH);
        }
        info = faults_info(talk->end[0]);
        assert_true(talk->end[0]->open && !talk->end[0]->over);
        if (sender == 0)
            assert_int_equal(info.soft_error, SANWO_EHOSTUNREACH);
        take_away(w, what, true);
        /* A link of our own says that it is up: nobody waits for the RTO. */
        check_resumes(w, SANWO_SEC(what == INTERFACE && sender == 0 ? 1 : 121),
                      "what was taken away is back");
        faults_finish_complete(w, SANWO_SEC(300));
    }
}

/* E-09: for good: who has something to say is told at last, by time, and only he. */
static void test_E_09_taken_away_for_good(void **state)
{
    const struct world_plan stays = {.ending = WORLD_STAY};

    (void)state;
    for (unsigned what = 0; what < REMOVED; what++) {
        struct world *w = faults_world(__func__, what, DELAY);
        struct world_talk *talk, *idle;

        w->links_go = true;
        make_removable(w);
        world_warm_up(w);
        idle = world_open(w, 0, &stays, &stays, NULL);
        talk = open_from(w, 0);
        take_away(w, what, false);
        world_run(w, SANWO_SEC(3600));
        assert_true(talk->end[0]->over);
        assert_true(talk->end[0]->error == SANWO_ETIMEDOUT ||
                    talk->end[0]->error == SANWO_EHOSTUNREACH);
        assert_false(idle->end[0]->over); /* MUST-25: nobody asked it to look */
        world_destroy(w);
    }
}

/* ---- E-09: neighbours --------------------------------------------------------------------------------- */

struct wires {
    bool drop_arp[2];         /* that comes in at the side */
    bool new_mac;             /* B's interface was changed for another one */
    unsigned requests, polls; /* to all; to one, replies too */
};

enum { ARP_TYPE = 0x0806, ARP_SENDER = 22, ARP_TARGET = 32, LAST = 5 };

static bool is_arp(const struct gate_packet *p)
{
    return p->length >= 42 && p->bytes[12] == ARP_TYPE >> 8 && p->bytes[13] == (ARP_TYPE & 0xff);
}

static const uint8_t everybody[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* In at either host. B's new interface hears what is sent to the new address, not to the old one. */
static bool wires_in(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    enum { NEW = 0x77, OLD = 2 };
    struct wires *wires = context;

    (void)now;
    if (is_arp(p) && wires->drop_arp[g->side])
        return false;
    if (is_arp(p)) {
        bool to_all = memcmp(p->bytes, everybody, sizeof(everybody)) == 0;

        wires->requests += to_all;
        wires->polls += !to_all;
    }
    if (!wires->new_mac || g->side != 1 || memcmp(p->bytes, everybody, sizeof(everybody)) == 0)
        return true;
    if (p->bytes[LAST] != NEW)
        return false;
    p->bytes[LAST] = OLD;
    return true;
}

static bool wires_out(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    enum { NEW = 0x77, SOURCE = 6 };
    const struct wires *wires = context;

    (void)now;
    if (wires->new_mac && g->side == 1) {
        p->bytes[SOURCE + LAST] = NEW;
        if (is_arp(p))
            p->bytes[ARP_SENDER + LAST] = NEW;
    }
    return true;
}

static struct world *make_lan(const char *name, uint64_t salt, uint32_t receive_buffer,
                              struct lan *lan, struct wires *wires)
{
    const struct lan_config config = {.kind = SANWO_LINK_ETHERNET, .delay = DELAY};
    struct world_config c;
    struct world *w;

    faults_config(&c, name);
    c.salt = salt;
    c.stack[0].tcp.receive_buffer = c.stack[1].tcp.receive_buffer = receive_buffer;
    w = world_create(&c);
    *wires = (struct wires){0};
    lan_create(lan, w, &config);
    for (unsigned side = 0; side < 2; side++) {
        lan->gate[side]->in = wires_in;
        lan->gate[side]->out = wires_out;
        lan->gate[side]->context = wires;
    }
    return w;
}

/* A stream that lasts for minutes, a little at a time, if the window is small. */
static const struct world_plan trickles = {.send = 400000,
                                           .most_read = 3000,
                                           .stall_ppm = 300000,
                                           .stall = SANWO_SEC(10),
                                           .patient = true};

/* E-09: entries grow old amid a stream and are asked for again; no packet waits or is lost for that. */
static void test_E_09_entry_expires(void **state)
{
    struct wires wires;
    struct lan lan;
    struct world *w = make_lan(__func__, 0, 6000, &lan, &wires);

    (void)state;
    world_warm_up(w);
    wires.requests = wires.polls = 0;
    world_open(w, 0, &trickles, &trickles, NULL);
    world_run(w, SANWO_SEC(300));
    assert_int_equal(w->open_ends, 2);
    assert_int_equal(wires.requests, 0); /* never forgotten, so nothing ever waited */
    assert_true(wires.polls >= 2 * 4 && wires.polls <= 2 * 10); /* requests and replies */
    world_finish(w, SANWO_SEC(3600));
    world_check_all_complete(w);
    world_check_clean(w);
    lan_destroy(&lan);
    world_destroy(w);
}

/*
 * E-09: ARP is deaf for longer than an entry lives: after the polls the entry is gone and packets wait
 * or are dropped. When ARP is heard again the stream goes on.
 */
static void test_E_09_arp_is_lost_for_a_while(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct wires wires;
        struct lan lan;
        struct world *w = make_lan(__func__, i, 1 << 20, &lan, &wires);
        unsigned sender = i & 1;

        world_warm_up(w);
        world_run(w, SANWO_SEC(70)); /* all entries are old */
        if (i < 4)
            open_from(w, sender);
        for (unsigned side = 0; side < 2; side++)
            wires.drop_arp[side] = i / 2 % 3 != side;
        if (i >= 4) /* not even the first packet goes */
            assert_non_null(world_open(w, sender, &sends, &none, NULL));
        world_run(w, SANWO_SEC(30));
        wires.drop_arp[0] = wires.drop_arp[1] = false;
        if (w->open_ends > 0)
            check_resumes(w, SANWO_SEC(65), "ARP is heard again");
        world_finish(w, SANWO_SEC(300));
        world_check_all_complete(w);
        world_check_clean(w);
        lan_destroy(&lan);
        world_destroy(w);
    }
}

/* E-09: B's interface is changed for one with another address; nobody says so. A finds out. */
static void test_E_09_peer_has_a_new_interface(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct wires wires;
        struct lan lan;
        struct world *w = make_lan(__func__, i, 1 << 20, &lan, &wires);
        unsigned sender = i & 1;

        world_warm_up(w);
        open_from(w, sender);
        wires.new_mac = true;
        /* The entry lives a minute; the first retransmission after that makes it be polled, for three
         * seconds; the next one, at most two minutes later, asks all. */
        check_resumes(w, SANWO_SEC(60 + 120 + 3 + 120), "the interface was changed");
        world_finish(w, SANWO_SEC(300));
        world_check_all_complete(w);
        world_check_clean(w);
        lan_destroy(&lan);
        world_destroy(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_06_wire_is_dead_for_long),
        cmocka_unit_test(test_E_06_flapping),
        cmocka_unit_test(test_E_07_path_narrows_and_widens),
        cmocka_unit_test(test_E_09_taken_away_and_back),
        cmocka_unit_test(test_E_09_taken_away_for_good),
        cmocka_unit_test(test_E_09_entry_expires),
        cmocka_unit_test(test_E_09_arp_is_lost_for_a_while),
        cmocka_unit_test(test_E_09_peer_has_a_new_interface),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
