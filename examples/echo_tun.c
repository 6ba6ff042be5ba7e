/*
 * echo_tun.c - An echo server on our own TCP, behind a TUN device: port 7 of 10.77.0.1 and fd77::1.
 *
 *     nc, kernel 10.77.0.2 --- TUN --- sanwo 10.77.0.1, this program
 *
 *     sudo build/examples/echo_tun [NETNS] &
 *     echo hello | nc -N 10.77.0.1 7
 *
 * Bytes go from the receive queue to the send queue without a buffer in between, and only as fast as
 * the peer takes them: what the send queue has no room for stays unread, so the window closes.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sanwo/loop.h>

static struct sanwo_loop *loop; /* set before signals are caught */

static void on_signal(int number)
{
    (void)number;
    sanwo_loop_stop(loop);
}

static void echo(struct sanwo_stack *stack, struct sanwo_handle connection, sanwo_time now)
{
    struct sanwo_slice slice;
    int64_t n;

    while ((n = sanwo_tcp_peek(stack, connection, &slice, 1)) > 0) {
        n = sanwo_tcp_send(stack, connection, slice.bytes, slice.length, 0, now);
        if (n < 0)
            break;
        sanwo_tcp_consume(stack, connection, (size_t)n, now);
    }
    if (n == -SANWO_EAGAIN || n == -SANWO_ENOMEM)
        return; /* nothing to read, or no room to send: an event says when to go on */
    /* 0: the peer's FIN, and all before it was echoed. Else the error that ended the connection. */
    if (n < 0)
        printf("a connection ended: %s\n", sanwo_error_text((int)n));
    sanwo_tcp_close(stack, connection, now);
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct sanwo_handle connection;

    (void)context;
    if (!(event->what & SANWO_EVENT_ACCEPT)) {
        echo(stack, event->handle, now);
        return;
    }
    while (sanwo_tcp_accept(stack, event->handle, NULL, &connection) == 0) {
        struct sanwo_tcp_info info;
        char text[SANWO_ENDPOINT_TEXT];

        sanwo_tcp_info(stack, connection, &info);
        printf("accepted %s\n", sanwo_endpoint_format(&info.remote, text, sizeof text));
    }
}

/* An address of ours on @link, and a default route of its family into the link. */
static int add_address(struct sanwo_stack *stack, int link, const char *text)
{
    const struct sanwo_address no_gateway = {.family = SANWO_FAMILY_NONE};
    struct sanwo_address address, everything = {.family = SANWO_FAMILY_NONE};
    unsigned length;

    if (link < 0 || !sanwo_prefix_parse(text, &address, &length) ||
        sanwo_stack_address_add(stack, (unsigned)link, &address, length) < 0)
        return -1;
    everything.family = address.family;
    return sanwo_stack_route_add(stack, &everything, 0, &no_gateway, (unsigned)link);
}

int main(int argc, char **argv)
{
    struct sanwo_tun_config device = {.netns = argc > 1 ? argv[1] : NULL};
    struct sanwo_tcp_listen service = {.local.port =
                                           7}; /* no address: all of ours, either family */
    struct sanwo_stack_config config;
    struct sanwo_driver *driver;
    struct sanwo_stack *stack;
    struct sanwo_handle listener;
    char message[256];
    int link, error;

    sanwo_prefix_parse("10.77.0.2/24", &device.address, &device.prefix_length);
    sanwo_prefix_parse("fd77::2/64", &device.address2, &device.prefix_length2);
    if (sanwo_tun_create(&device, &driver, message, sizeof message) < 0) {
        fprintf(stderr, "echo_tun: %s\n", message);
        return 1;
    }
    sanwo_stack_config_default(&config);
    sanwo_seed_from_system(config.seed);
    size_t size = sanwo_stack_region_size(&config);
    void *region = sanwo_region_reserve(size);
    if (!region || sanwo_stack_create(region, size, &config, sanwo_time_now(), &stack) < 0)
        return 1;
    link = sanwo_driver_attach(driver, stack);
    if (add_address(stack, link, "10.77.0.1/24") || add_address(stack, link, "fd77::1/64") ||
        sanwo_tcp_listen(stack, &service, sanwo_time_now(), &listener) < 0 ||
        sanwo_loop_create(&loop) < 0)
        return 1;
    sanwo_loop_add_stack(loop, stack, on_event, NULL);
    sanwo_loop_add_driver(loop, driver);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    printf("echoing on port 7 of 10.77.0.1 and fd77::1, device %s\n", driver->link.name);
    fflush(stdout);
    error = sanwo_loop_run(loop);
    sanwo_loop_destroy(loop);
    sanwo_driver_destroy(driver);
    sanwo_region_release(region, size);
    return error < 0;
}
