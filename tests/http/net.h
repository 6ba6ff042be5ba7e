/*
 * net.h - Two hosts in memory on one virtual clock, and a plain peer to talk to what is tested.
 *
 *     10.0.0.1 (client) ---- pair, 1 ms each way ---- 10.0.0.2 (server)
 */
#ifndef TEST_HTTP_NET_H
#define TEST_HTTP_NET_H

#include <sanwo/loop.h>

struct net_host {
    void *region;
    size_t region_size;
    struct sanwo_stack *stack;
    struct sanwo_driver *driver;
    struct sanwo_address address;
    bool (*on_event)(void *context, const struct sanwo_event *event,
                     sanwo_time now); /* true: taken */
    void *context;
};

struct net {
    struct sanwo_virtual *loop;
    struct net_host client, server;
};

void net_open(struct net *n);
void net_close(struct net *n);
sanwo_time net_now(const struct net *n);
/* Until all is quiet or @length has passed. */
void net_run(struct net *n, sanwo_time length);
/* A router says to the client that what it sent the SYN to cannot be reached. */
void net_say_unreachable(struct net *n, const struct sanwo_observation *syn);

#define PEER_ROOM (4 << 20)

/* Says what it is told to and keeps what it hears. Its events come to it by its address. */
struct peer {
    struct sanwo_stack *stack;
    struct sanwo_handle handle, listener;
    const char *say; /* to be sent once connected */
    size_t say_left;
    bool then_ends; /* FIN after that */
    bool then_resets;
    bool is_deaf; /* does not read */
    bool connected;
    bool ended;  /* the other side's FIN was read */
    bool closed; /* CLOSED came */
    int error;   /* why it ended; 0: in order */
    char *heard; /* NUL-terminated */
    size_t heard_length;
};

void peer_connect(struct peer *p, struct net *n, uint16_t port, const char *say);
/* Takes one connection and answers the first blank line it hears with @say. */
void peer_listen(struct peer *p, struct net *n, uint16_t port, const char *say);
void peer_say(struct peer *p, const char *bytes, size_t length, sanwo_time now);
bool peer_event(struct peer *p, const struct sanwo_event *event, sanwo_time now);
/* Closes its handles and frees what it heard. */
void peer_close(struct peer *p, sanwo_time now);

#endif
