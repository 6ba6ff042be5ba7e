/*
 * test_pacing.c - A paced connection wakes once a burst and no oftener, however slow or fast its path.
 *
 *     stack A -- emulator: rate, delay -- stack B        a crank of our own, that counts: how often is
 *                                                        A woken by its clock, with nothing for it?
 *
 * Time is virtual, so counts are exact. A wake is a turn that only A's own deadline asked for.
 */
#include <string.h>

#include "check.h"

enum { BATCH = 64, CASCADES = 3 };

/* What a transfer came to, without the slow start that begins it. */
struct count {
    unsigned wakes;      /* of A, by its own deadline, that sent something */
    unsigned idle;       /* such that sent nothing */
    unsigned bursts;     /* instants at which A sent */
    uint64_t bytes;      /* that A sent */
    uint64_t largest;    /* most bytes at one instant that no arrival let out */
    sanwo_time from, to; /* when */
};

struct couple {
    struct world *w;
    struct sanwo_handle sender, receiver;
    bool accepted;
    sanwo_time now;
};

static sanwo_time earlier(sanwo_time a, sanwo_time b)
{
    return a < b ? a : b;
}

static sanwo_time link_deadline(const struct couple *c, unsigned side)
{
    const struct sanwo_driver *link = c->w->host[side].link;

    return link->ops->deadline(link);
}

static void take_events(struct couple *c, unsigned side)
{
    struct world_host *host = &c->w->host[side];
    struct sanwo_event events[BATCH];

    while (sanwo_stack_events(host->stack, events, BATCH) > 0)
        continue;
    if (side == 1 && !c->accepted)
        c->accepted = sanwo_tcp_accept(host->stack, host->listener, NULL, &c->receiver) == 0;
}

/* B takes all, A has always more to say. */
static void serve(struct couple *c, unsigned side)
{
    static uint8_t bytes[65536];
    struct sanwo_stack *s = c->w->host[side].stack;

    if (side == 0)
        while (sanwo_tcp_send(s, c->sender, bytes, sizeof(bytes), 0, c->now) > 0)
            continue;
    else if (c->accepted)
        while (sanwo_tcp_receive(s, c->receiver, bytes, sizeof(bytes), c->now) > 0)
            continue;
}

/* One turn of a host. Returns the bytes that it sent; *arrived: something came in. */
static uint64_t turn(struct couple *c, unsigned side, bool *arrived)
{
    struct world_host *host = &c->w->host[side];
    struct sanwo_frame frames[BATCH];
    uint64_t sent = 0;
    size_t n;
    int got;

    while ((got = host->link->ops->receive(host->link, frames, BATCH, c->now)) > 0) {
        sanwo_stack_receive(host->stack, frames, (size_t)got, c->now);
        *arrived = true;
    }
    take_events(c, side);
    serve(c, side);
    while ((n = sanwo_stack_transmit(host->stack, frames, BATCH, c->now)) > 0) {
        for (size_t i = 0; i < n; i++)
            sent += frames[i].length;
        assert_int_equal(host->link->ops->transmit(host->link, frames, n, c->now), (int)n);
    }
    return sent;
}

/* Lets @time go by from where the world stands. */
static struct count run(struct couple *c, sanwo_time time)
{
    struct count count = {.from = c->now};
    sanwo_time end = c->now + time;

    while (c->now < end) {
        sanwo_time own = sanwo_stack_deadline(c->w->host[0].stack);
        sanwo_time next = earlier(own, sanwo_stack_deadline(c->w->host[1].stack));
        bool arrived[2] = {false, false};
        uint64_t sent;

        next = earlier(next, earlier(link_deadline(c, 0), link_deadline(c, 1)));
        assert_true(next != SANWO_TIME_NEVER);
        c->now = next > c->now ? next : c->now;
        sent = turn(c, 0, &arrived[0]);
        turn(c, 1, &arrived[1]);
        count.bytes += sent;
        count.bursts += sent > 0;
        if (arrived[0] || own > c->now)
            continue;
        count.wakes += sent > 0;
        count.idle += sent == 0;
        count.largest = sent > count.largest ? sent : count.largest;
    }
    count.to = c->now;
    return count;
}

static void open_couple(struct couple *c, const char *name, uint64_t rate, sanwo_time delay,
                        uint32_t queue, uint8_t congestion)
{
    struct world_config config;
    struct sanwo_tcp_connect connect = {.remote = {.port = 7}};

    check_config(&config, name);
    config.path[0] = (struct sanwo_emulator_path){.delay = delay, .rate = rate, .queue = queue};
    config.path[1] = (struct sanwo_emulator_path){.delay = delay};
    config.stack[0].tcp.congestion = congestion;
    *c = (struct couple){.w = world_create(&config)};
    connect.remote.address = c->w->host[1].address;
    assert_int_equal(sanwo_tcp_connect(c->w->host[0].stack, &connect, 0, &c->sender), 0);
}

struct row {
    uint64_t rate; /* bits a second */
    sanwo_time delay;
    uint32_t queue;
    sanwo_time first; /* let slow start go by */
    sanwo_time time;  /* measured */
    unsigned most;    /* wakes a second */
    uint64_t burst;   /* most bytes of one */
};

static void check_row(const char *name, const struct row *row, uint8_t congestion)
{
    struct couple c;
    struct count count;
    uint64_t seconds = (uint64_t)row->time / SANWO_MSEC(1), most, full;

    open_couple(&c, name, row->rate, row->delay, row->queue, congestion);
    run(&c, row->first);
    count = run(&c, row->time);
    most = (uint64_t)row->most * seconds / 1000;
    full = row->rate / 8 * seconds / 1000;
    print_message("%4llu Mbit/s, algorithm %u: %u wakes (at most %llu), %u idle, %u bursts, "
                  "%llu bytes, at most %llu at once\n",
                  (unsigned long long)(row->rate / 1000000), congestion, count.wakes,
                  (unsigned long long)most, count.idle, count.bursts,
                  (unsigned long long)count.bytes, (unsigned long long)count.largest);
    assert_true(count.bytes > full / 2); /* it was busy */
    assert_true(count.wakes <= most);
    /* The wheel looks at a deadline once a level before it fires: two levels for some milliseconds. */
    assert_true(count.idle <= CASCADES * count.bursts + (unsigned)(seconds / 50));
    assert_true(count.largest <= row->burst);
    world_destroy(c.w); /* what is under way goes with it */
}

/* A burst is a millisecond's worth or a segment, and 64 KiB at most. */
static void test_wakes_once_a_burst(void **state)
{
    static const struct row rows[] = {
        {1000000, SANWO_MSEC(25), 20000, SANWO_SEC(10), SANWO_SEC(20), 90, 1500},
        {100000000, SANWO_MSEC(10), 250000, SANWO_SEC(3), SANWO_SEC(3), 1200, 20000},
        {1000000000, SANWO_MSEC(5), 1250000, SANWO_SEC(2), SANWO_SEC(1), 2400, 140000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(__func__, &rows[i], SANWO_CONGESTION_CUBIC);
        check_row(__func__, &rows[i], SANWO_CONGESTION_BBR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wakes_once_a_burst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
