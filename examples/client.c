/*
 * client.c - Connects to HOST PORT on our own TCP, sends a line, prints what comes back.
 *
 *     this program, 10.77.0.1 and fd77::1 --- TUN --- 10.77.0.2 and fd77::2, the kernel
 *
 *     sudo build/examples/client 10.77.0.2 7 [LINE [NETNS]]
 *
 * Everything that is not 10.77.0.0/24 goes into the device as well: where the kernel forwards and
 * masquerades, HOST may be any address.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sanwo/loop.h>

struct client {
    struct sanwo_loop *loop;
    const char *line;
    int error; /* what ended the connection; 0: both ends closed */
};

static void finish(struct client *c, struct sanwo_stack *stack, struct sanwo_handle h, int error,
                   sanwo_time now)
{
    c->error = error;
    sanwo_tcp_close(stack, h, now);
    sanwo_loop_stop(c->loop);
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct client *c = context;
    char bytes[4096];
    int64_t n;

    if (event->what & SANWO_EVENT_CONNECTED) {
        sanwo_tcp_send(stack, event->handle, c->line, strlen(c->line), SANWO_SEND_MORE, now);
        sanwo_tcp_send(stack, event->handle, "\n", 1, 0, now); /* both fit: the queue was empty */
        sanwo_tcp_shutdown(stack, event->handle, now);         /* receiving goes on */
    }
    while ((n = sanwo_tcp_receive(stack, event->handle, bytes, sizeof bytes, now)) > 0)
        fwrite(bytes, 1, (size_t)n, stdout);
    if (n == 0 || (n < 0 && n != -SANWO_EAGAIN))
        finish(c, stack, event->handle, (int)n, now);
}

/* The device, a stack behind it with an address of each family, and a loop that drives both. */
static struct sanwo_driver *open_host(struct client *c, const char *netns,
                                      struct sanwo_stack **stack)
{
    static const char *const ours[] = {"10.77.0.1/24", "fd77::1/64"};
    const struct sanwo_address no_gateway = {.family = SANWO_FAMILY_NONE};
    struct sanwo_tun_config device = {.netns = netns};
    struct sanwo_stack_config config;
    struct sanwo_driver *driver;
    char message[256];

    sanwo_prefix_parse("10.77.0.2/24", &device.address, &device.prefix_length);
    sanwo_prefix_parse("fd77::2/64", &device.address2, &device.prefix_length2);
    if (sanwo_tun_create(&device, &driver, message, sizeof message) < 0) {
        fprintf(stderr, "client: %s\n", message);
        exit(1);
    }
    sanwo_stack_config_default(&config);
    sanwo_seed_from_system(config.seed);
    size_t size = sanwo_stack_region_size(&config);
    void *region = sanwo_region_reserve(size); /* the end of the process gives it back */
    if (!region || sanwo_stack_create(region, size, &config, sanwo_time_now(), stack) < 0 ||
        sanwo_driver_attach(driver, *stack) != 0 || sanwo_loop_create(&c->loop) < 0)
        exit(1);
    for (int i = 0; i < 2; i++) {
        struct sanwo_address address, everything = {.family = SANWO_FAMILY_NONE};
        unsigned length;

        sanwo_prefix_parse(ours[i], &address, &length);
        everything.family = address.family;
        sanwo_stack_address_add(*stack, 0, &address, length);
        sanwo_stack_route_add(*stack, &everything, 0, &no_gateway, 0);
    }
    sanwo_loop_add_stack(c->loop, *stack, on_event, c);
    sanwo_loop_add_driver(c->loop, driver);
    return driver;
}

int main(int argc, char **argv)
{
    struct client c = {.line = argc > 3 ? argv[3] : "hello"};
    struct sanwo_tcp_connect call = {.remote.port = (uint16_t)(argc > 2 ? atoi(argv[2]) : 0)};
    struct sanwo_handle handle;
    struct sanwo_driver *driver;
    struct sanwo_stack *stack;
    struct sanwo_stack_stats stats;
    int error, turns = 0;

    if (argc < 3 || !sanwo_address_parse(argv[1], &call.remote.address)) {
        fprintf(stderr, "usage: client ADDRESS PORT [LINE [NETNS]]\n");
        return 2;
    }
    driver = open_host(&c, argc > 4 ? argv[4] : NULL, &stack);
    error = sanwo_tcp_connect(stack, &call, sanwo_time_now(), &handle);
    if (error == 0) {
        sanwo_loop_run(c.loop);
        do { /* what is still under way when we let go of it: at most a second */
            sanwo_loop_turn(c.loop, SANWO_MSEC(20));
            sanwo_stack_stats(stack, &stats);
        } while (stats.connections && ++turns < 50);
        error = c.error;
    }
    if (error)
        fprintf(stderr, "client: %s\n", sanwo_error_text(error));
    sanwo_loop_destroy(c.loop);
    sanwo_driver_destroy(driver);
    return error != 0;
}
