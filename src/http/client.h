/*
 * client.h - The client's inside, for client.c (connections and time) and client_reply.c (what the
 * server says).
 *
 *     start -> CONNECTING -> SENDING -> RECEIVING -> IDLE (done)
 *                 ^  '-- next address     | redirect
 *                 '-----------------------'
 */
#ifndef SW_HTTP_CLIENT_H
#define SW_HTTP_CLIENT_H

#include "http/message.h"
#include "http/url.h"

#include <sanwo/http.h>

#define HTTP_MAX_ADDRESSES 16

enum client_state { CLIENT_IDLE, CLIENT_CONNECTING, CLIENT_SENDING, CLIENT_RECEIVING };

/* What to do when the head was read. */
enum after_head {
    AFTER_HEAD_BODY, /* the body is wanted */
    AFTER_HEAD_FOLLOW,
    AFTER_HEAD_SUCCEED,
};

struct sanwo_http_client {
    struct sanwo_http_client_config config;
    struct message_limits limits;
    struct sanwo_http_request request;
    struct sanwo_http_result result;
    enum client_state state;
    struct url url;
    char *first_authority; /* of the URL asked for: secrets go there only */
    struct sanwo_address addresses[HTTP_MAX_ADDRESSES];
    int address_count, address_next;
    struct sanwo_handle handle; /* none: no connection */
    int soft_error;             /* what the network said while connecting; 0: nothing */
    size_t eaten;               /* bytes parsed that TCP was not told of */
    struct message message;
    bool judged;   /* the head of this message was looked at */
    bool is_final; /* its body is what was asked for */
    enum after_head after_head;
    struct writer out; /* the request */
    size_t out_sent;
    sanwo_time connect_by, stall_by, total_by; /* NEVER: not running */
};

/* What the head of a response means. */
enum reply {
    REPLY_FINAL,   /* the body follows */
    REPLY_INTERIM, /* 1xx: another response follows */
    REPLY_REDIRECT,
    REPLY_COMPLETE, /* 416 to a resume: nothing is missing */
    REPLY_WRONG,    /* breaks the protocol */
};

struct reply_head {
    enum reply kind;
    const char *trouble;    /* WRONG */
    struct text location;   /* REDIRECT */
    int64_t content_length; /* -1: unknown */
    uint64_t offset;
    int64_t total;
};

/* Writes the request's text. NULL, or what is wrong with the fields that the user gave. */
const char *sw_http_client_compose(struct writer *w, const struct sanwo_http_client *client);
/* @m: the head is complete. */
void sw_http_client_judge(struct reply_head *head, const struct message *m,
                          const struct sanwo_http_request *request);
/* Status line and fields, one a line. */
void sw_http_client_write_head(struct writer *w, const struct message *m);

#endif
