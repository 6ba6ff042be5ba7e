/*
 * core_loop.c - The core alone: two stacks in two arrays, and a loop that carries frames between them.
 *
 *     client 192.0.2.1 --- frames, DELAY each way --- server 192.0.2.2:7
 *
 * No driver, no thread, no malloc, no clock and no system call but what printf() makes: time is a
 * variable, so every run prints the same. The calls in carry(), the events and the deadline in
 * main() are all that a loop of your own has to make.
 */
#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include <sanwo/sanwo.h>

#define REGION ((size_t)16 << 20)
#define DELAY SANWO_MSEC(5)
#define BATCH 8

static alignas(4096) unsigned char memory[2][REGION];
static sanwo_time now;

static const char request[] = "hello";

static struct sanwo_stack *make_host(unsigned number, struct sanwo_address address)
{
    const struct sanwo_link_config link = {.name = "wire", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_stack_config config;
    struct sanwo_stack *stack = NULL;

    sanwo_stack_config_default(&config);
    config.seed[0] = (unsigned char)(number + 1); /* for real: sanwo_seed_from_system() */
    config.budget = (uint64_t)1 << 20;            /* connections and buffers together */
    config.max_connections = 1000;
    if (sanwo_stack_region_size(&config) > REGION ||
        sanwo_stack_create(memory[number], REGION, &config, now, &stack) < 0)
        return NULL;
    sanwo_stack_link_add(stack, &link); /* the first link: number 0 */
    sanwo_stack_address_add(stack, 0, &address, 24);
    return stack;
}

/* What one stack has to send reaches the other DELAY later. */
static void carry(struct sanwo_stack *from, struct sanwo_stack *to)
{
    struct sanwo_frame sent[BATCH], received[BATCH];
    size_t n;

    while ((n = sanwo_stack_transmit(from, sent, BATCH, now)) > 0) {
        now += DELAY;
        for (size_t i = 0; i < n; i++) {
            received[i] = sent[i];
            received[i].arrival = now;
            received[i].link = 0;
            for (size_t j = 0; j < sent[i].slice_count; j++) /* the bytes are not the receiver's */
                received[i].slices[j].buffer = 0;
        }
        sanwo_stack_receive(to, received, n, now);
        sanwo_stack_sent(from, sent, n);
    }
}

/* The whole application, both ends: the server sends back what it gets, the client asks once. */
static void act(struct sanwo_stack *stack, const char *who, const struct sanwo_event *e)
{
    struct sanwo_handle handle = e->handle;
    char bytes[100];
    int64_t n;

    if (e->what & SANWO_EVENT_ACCEPT) {
        while (sanwo_tcp_accept(stack, e->handle, NULL, &handle) == 0)
            printf("%7.3f s  %s: accepted\n", (double)now / 1e9, who);
        return;
    }
    if (e->what & SANWO_EVENT_CONNECTED) {
        printf("%7.3f s  %s: connected, sends \"%s\"\n", (double)now / 1e9, who, request);
        sanwo_tcp_send(stack, handle, request, strlen(request), 0, now);
        sanwo_tcp_shutdown(stack, handle, now); /* nothing more: our FIN follows */
    }
    while ((n = sanwo_tcp_receive(stack, handle, bytes, sizeof bytes, now)) > 0) {
        printf("%7.3f s  %s: got \"%.*s\"\n", (double)now / 1e9, who, (int)n, bytes);
        if (who[0] == 's')
            sanwo_tcp_send(stack, handle, bytes, (size_t)n, 0, now);
    }
    if (n == 0) { /* the peer's FIN, and everything before it was read */
        printf("%7.3f s  %s: end of stream, closes\n", (double)now / 1e9, who);
        sanwo_tcp_close(stack, handle, now);
    }
}

int main(void)
{
    const struct sanwo_tcp_listen service = {.local.port = 7};
    const struct sanwo_tcp_connect call = {
        .remote = {.address = sanwo_address_ipv4(192, 0, 2, 2), .port = 7}};
    struct sanwo_stack *client = make_host(0, sanwo_address_ipv4(192, 0, 2, 1));
    struct sanwo_stack *server = make_host(1, call.remote.address);
    struct sanwo_handle handle;
    struct sanwo_event event;

    if (!client || !server || sanwo_tcp_listen(server, &service, now, &handle) < 0 ||
        sanwo_tcp_connect(client, &call, now, &handle) < 0)
        return 1;
    for (;;) {
        carry(client, server);
        while (sanwo_stack_events(server, &event, 1) > 0)
            act(server, "server", &event);
        carry(server, client);
        while (sanwo_stack_events(client, &event, 1) > 0)
            act(client, "client", &event);
        sanwo_time a = sanwo_stack_deadline(client), b = sanwo_stack_deadline(server);
        if (a == SANWO_TIME_NEVER && b == SANWO_TIME_NEVER)
            break;
        if ((a < b ? a : b) > now) /* a real loop would sleep until then */
            now = a < b ? a : b;
    }
    printf("%7.3f s  quiet for good: TIME-WAIT is over too\n", (double)now / 1e9);
    return 0;
}
