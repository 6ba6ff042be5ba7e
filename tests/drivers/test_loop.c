/*
 * test_loop.c - The loop in real time: timers, descriptors, stopping, and that it sleeps.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sanwo/loop.h>

#define MS SANWO_MSEC(1)

struct fixture {
    struct sanwo_loop *loop;
    int near, far; /* a socket pair */
    unsigned calls, ready;
    int timers[3];
    char order[16];
    size_t order_length;
};

static struct fixture fixture;

static int setup(void **state)
{
    struct fixture *f = &fixture;
    int ends[2];

    memset(f, 0, sizeof(*f));
    assert_int_equal(sanwo_loop_create(&f->loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    f->near = ends[0];
    f->far = ends[1];
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    sanwo_loop_destroy(f->loop);
    close(f->near);
    if (f->far >= 0)
        close(f->far);
    return 0;
}

static void on_fd(void *context, int fd, unsigned ready, sanwo_time now)
{
    struct fixture *f = context;

    (void)fd;
    assert_int_equal(now, sanwo_loop_now(f->loop));
    f->calls++;
    f->ready = ready;
}

/* One turn that does not sleep; returns what the descriptor was called back with, 0: it was not. */
static unsigned ready_now(struct fixture *f)
{
    f->ready = 0;
    assert_int_equal(sanwo_loop_turn(f->loop, 0), 0);
    return f->ready;
}

static void test_descriptor(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_READ, on_fd, f), 0);
    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_READ, on_fd, f), -EEXIST);
    assert_int_equal(ready_now(f), 0);
    assert_int_equal(write(f->far, "x", 1), 1);
    assert_int_equal(ready_now(f), SANWO_LOOP_READ);
    assert_int_equal(ready_now(f), SANWO_LOOP_READ); /* until it is read */
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, SANWO_LOOP_READ | SANWO_LOOP_WRITE), 0);
    assert_int_equal(ready_now(f), SANWO_LOOP_READ | SANWO_LOOP_WRITE);
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, SANWO_LOOP_WRITE), 0);
    assert_int_equal(ready_now(f), SANWO_LOOP_WRITE);
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, 0), 0);
    assert_int_equal(ready_now(f), 0);
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, SANWO_LOOP_READ), 0);
    assert_int_equal(ready_now(f), SANWO_LOOP_READ);
    sanwo_loop_remove_fd(f->loop, f->near);
    assert_int_equal(ready_now(f), 0);
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, SANWO_LOOP_READ), -EBADF);
    assert_int_equal(sanwo_loop_add_fd(f->loop, -1, SANWO_LOOP_READ, on_fd, f), -EINVAL);
    assert_int_equal(sanwo_loop_add_fd(f->loop, 900, SANWO_LOOP_READ, on_fd, f), -EBADF);
}

/* A hangup shows as what was asked for, too; with no interest it does not even wake. */
static void test_hangup(void **state)
{
    struct fixture *f = *state;
    sanwo_time before;

    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_READ, on_fd, f), 0);
    close(f->far);
    f->far = -1;
    assert_int_equal(ready_now(f), SANWO_LOOP_READ | SANWO_LOOP_HANGUP);
    assert_int_equal(sanwo_loop_set_fd(f->loop, f->near, 0), 0);
    before = sanwo_time_now();
    assert_int_equal(sanwo_loop_turn(f->loop, 20 * MS), 0);
    assert_true(sanwo_time_now() - before >= 20 * MS);
    assert_int_equal(f->calls, 1);
}

static void remove_all(void *context, int fd, unsigned ready, sanwo_time now)
{
    struct fixture *f = context;

    (void)fd, (void)ready, (void)now;
    f->calls++;
    sanwo_loop_remove_fd(f->loop, f->near);
    sanwo_loop_remove_fd(f->loop, f->far);
    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_WRITE, on_fd, f), 0);
    assert_int_equal(sanwo_loop_add_fd(f->loop, f->far, SANWO_LOOP_WRITE, on_fd, f), 0);
}

/* An event of the same batch does not reach who took a removed descriptor's number. */
static void test_removal_in_callback(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_WRITE, remove_all, f), 0);
    assert_int_equal(sanwo_loop_add_fd(f->loop, f->far, SANWO_LOOP_WRITE, remove_all, f), 0);
    assert_int_equal(sanwo_loop_turn(f->loop, 0), 0);
    assert_int_equal(f->calls, 1);
    assert_int_equal(sanwo_loop_turn(f->loop, 0), 0);
    assert_int_equal(f->calls, 3);
}

static void test_regular_file(void **state)
{
    struct fixture *f = *state;
    FILE *file = tmpfile();
    int fd = fileno(file);

    assert_int_equal(sanwo_loop_add_fd(f->loop, fd, SANWO_LOOP_READ, on_fd, f), 0);
    assert_int_equal(sanwo_loop_turn(f->loop, SANWO_TIME_NEVER), 0);
    assert_int_equal(f->ready, SANWO_LOOP_READ);
    assert_int_equal(sanwo_loop_set_fd(f->loop, fd, 0), 0);
    assert_int_equal(ready_now(f), 0);
    assert_int_equal(sanwo_loop_set_fd(f->loop, fd, SANWO_LOOP_WRITE), 0);
    assert_int_equal(ready_now(f), SANWO_LOOP_WRITE);
    sanwo_loop_remove_fd(f->loop, fd);
    f->calls = 0;
    assert_int_equal(sanwo_loop_turn(f->loop, MS), 0);
    assert_int_equal(f->calls, 0);
    fclose(file);
}

static void note(void *context, char name)
{
    struct fixture *f = context;

    if (f->order_length < sizeof(f->order) - 1)
        f->order[f->order_length++] = name;
}

static void on_timer_a(void *context, sanwo_time now)
{
    (void)now;
    note(context, 'a');
}

static void on_timer_b(void *context, sanwo_time now)
{
    (void)now;
    note(context, 'b');
}

static void on_timer_stop(void *context, sanwo_time now)
{
    struct fixture *f = context;

    (void)now;
    note(f, 's');
    sanwo_loop_stop(f->loop);
}

static void test_timers(void **state)
{
    struct fixture *f = *state;
    sanwo_time start = sanwo_time_now();
    int a = sanwo_loop_add_timer(f->loop, on_timer_a, f);
    int b = sanwo_loop_add_timer(f->loop, on_timer_b, f);
    int stop = sanwo_loop_add_timer(f->loop, on_timer_stop, f);

    sanwo_loop_set_timer(f->loop, a, start + 20 * MS);
    sanwo_loop_set_timer(f->loop, b, start + 10 * MS);
    sanwo_loop_set_timer(f->loop, stop, start + 30 * MS);
    assert_int_equal(sanwo_loop_run(f->loop), 0);
    assert_string_equal(f->order, "bas");
    assert_in_range(sanwo_time_now() - start, 30 * MS, 500 * MS);

    sanwo_loop_set_timer(f->loop, a, start); /* past, all of them, in order of time */
    sanwo_loop_set_timer(f->loop, b, start - 1);
    sanwo_loop_set_timer(f->loop, stop, start + 1);
    assert_int_equal(sanwo_loop_run(f->loop), 0);
    assert_string_equal(f->order, "basbas");

    sanwo_loop_set_timer(f->loop, a, start);
    sanwo_loop_set_timer(f->loop, a, SANWO_TIME_NEVER);
    assert_int_equal(sanwo_loop_turn(f->loop, 0), 0);
    assert_string_equal(f->order, "basbas");
}

static struct sanwo_loop *to_stop;

static void on_signal(int number)
{
    (void)number;
    sanwo_loop_stop(to_stop);
}

static void test_stop_from_signal(void **state)
{
    struct fixture *f = *state;
    struct itimerspec in_20_ms = {.it_value.tv_nsec = 20 * MS};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;

    to_stop = f->loop;
    signal(SIGUSR1, on_signal);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &in_20_ms, NULL), 0);
    assert_int_equal(sanwo_loop_run(f->loop), 0);
    timer_delete(timer);

    sanwo_loop_stop(f->loop); /* before it runs: it does not get stuck */
    assert_int_equal(sanwo_loop_run(f->loop), 0);
    sanwo_loop_stop(f->loop);
    assert_int_equal(sanwo_loop_turn(f->loop, SANWO_TIME_NEVER), 1);
    assert_int_equal(sanwo_loop_turn(f->loop, 0), 0);
}

/* Sleeping costs no processor time, and ends when it should. */
static void test_sleeps(void **state)
{
    struct fixture *f = *state;
    int stop = sanwo_loop_add_timer(f->loop, on_timer_stop, f);
    sanwo_time before = sanwo_time_now();
    clock_t used = clock();

    sanwo_loop_set_timer(f->loop, stop, before + 100 * MS);
    assert_int_equal(sanwo_loop_run(f->loop), 0);
    assert_in_range(sanwo_time_now() - before, 100 * MS, 500 * MS);
    assert_true(clock() - used < CLOCKS_PER_SEC / 50);
    before = sanwo_time_now();
    used = clock();

    assert_int_equal(sanwo_loop_add_fd(f->loop, f->near, SANWO_LOOP_READ, on_fd, f), 0);
    assert_int_equal(sanwo_loop_turn(f->loop, 100 * MS), 0);
    assert_in_range(sanwo_time_now() - before, 100 * MS, 500 * MS);
    assert_true(clock() - used < CLOCKS_PER_SEC / 50);
    assert_int_equal(f->calls, 0);
    before = sanwo_time_now();
    assert_int_equal(sanwo_loop_turn(f->loop, 300 * SANWO_USEC(1)), 0);
    assert_in_range(sanwo_time_now() - before, 300 * SANWO_USEC(1), 100 * MS);
}

static void test_driver_without_stack(void **state)
{
    struct fixture *f = *state;
    struct sanwo_driver *a, *b;

    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    assert_int_equal(sanwo_loop_add_driver(f->loop, a), -EINVAL);
    assert_int_equal(sanwo_loop_add_stack(f->loop, NULL, NULL, NULL), -EINVAL);
    sanwo_driver_destroy(a);
    sanwo_driver_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hangup, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal_in_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_regular_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_from_signal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sleeps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_driver_without_stack, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
