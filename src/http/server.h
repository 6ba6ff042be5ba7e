/*
 * server.h - The server and its connections, for server.c (who there is, when to act) and
 * connection.c (what one connection does).
 *
 *     READ --request complete--> SEND --all handed to TCP--> READ ...       keep-alive
 *                                 '--------> LINGER --> free                close
 *
 * A connection holds memory beyond its slot only while there is a request (struct exchange).
 */
#ifndef SW_HTTP_SERVER_H
#define SW_HTTP_SERVER_H

#include "http/answer.h"

#include <sanwo/http.h>

enum phase {
    PHASE_FREE,
    PHASE_READ,   /* waiting for a request, or for the rest of it */
    PHASE_SEND,   /* a response is being handed to TCP */
    PHASE_LINGER, /* our end is sent; waiting for the peer to take it all and to close too */
};

/* Each kind has one length, so a list in the order of arming is sorted by deadline. */
enum timer {
    TIMER_NONE,
    TIMER_IDLE,    /* READ, nothing of a request yet */
    TIMER_REQUEST, /* READ, since the first byte; or since accept for the first request */
    TIMER_STALL,   /* SEND and LINGER: has anything been acknowledged meanwhile? */
    TIMER_LINGER,  /* LINGER, all is acknowledged */
    TIMER_RETRY,   /* SEND, the stack was out of memory */
    TIMER_COUNT,
};

/* One request and its response. */
struct exchange {
    struct message message;
    struct request request;
    struct response response;
    bool judged;         /* the head was looked at */
    unsigned piece;      /* being sent */
    uint64_t piece_done; /* bytes of it that TCP has */
    uint64_t body_sent;
    uint64_t body_eaten; /* of the request, with its chunk framing */
    sanwo_time began;
};

struct connection {
    struct sanwo_http_server *server;
    struct connection *next, *prev; /* in the list of its timer; `next` also of free slots */
    struct exchange *exchange;      /* NULL: no byte of a request */
    struct sanwo_handle handle;
    struct sanwo_endpoint remote;
    uint8_t phase;  /* enum phase */
    uint8_t timer;  /* enum timer */
    bool peer_done; /* LINGER: its end of the stream was read */
    uint32_t requests;
    sanwo_time armed;
    sanwo_time progress; /* when TCP last took something */
    uint64_t acked;      /* when STALL was armed */
};

struct timer_list {
    struct connection *first, *last;
    sanwo_time length;
};

struct sanwo_http_server {
    struct sanwo_http_server_config config;
    struct sanwo_stack *stack;
    struct sanwo_handle listener;
    struct site site;
    struct message_limits limits;
    struct timer_list timers[TIMER_COUNT];
    struct connection *connections; /* max_connections slots; touched from the front */
    struct connection *free;
    uint32_t touched;
    bool stopping;
    bool waiting; /* there was no slot for what waits in the backlog */
    struct exchange *spare;
    char *index; /* the configuration's, copied */
    struct sanwo_http_server_stats stats;
};

/* server.c */
void sw_http_server_arm(struct connection *c, enum timer timer, sanwo_time now);
void sw_http_server_free_slot(struct connection *c);
struct exchange *sw_http_server_take_exchange(struct sanwo_http_server *server);
void sw_http_server_give_exchange(struct sanwo_http_server *server, struct exchange *x);
int64_t sw_http_server_wall(const struct sanwo_http_server *server);

/* connection.c; each may free the connection. */
void sw_http_connection_init(struct connection *c, struct sanwo_handle handle, sanwo_time now);
/* Does what can be done now. */
void sw_http_connection_run(struct connection *c, sanwo_time now);
/* TCP says that it is over; @error is SANWO_E... or 0. */
void sw_http_connection_on_closed(struct connection *c, int error, sanwo_time now);
/* Its timer expired (and is no longer armed). */
void sw_http_connection_on_timer(struct connection *c, enum timer timer, sanwo_time now);
/* The server stops. */
void sw_http_connection_on_stop(struct connection *c, sanwo_time now);
/* At once: closes, or resets what is not idle. */
void sw_http_connection_drop(struct connection *c, const char *trouble, sanwo_time now);

#endif
