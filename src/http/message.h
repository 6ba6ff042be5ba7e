/*
 * message.h - One HTTP message being parsed: llhttp with limits, strictness and a memory.
 *
 *     init -> feed ... MESSAGE_HEAD -> feed ... MESSAGE_BODY -> feed ... MESSAGE_DONE -> init
 *                         '-----------> MESSAGE_BROKEN <-----------'
 *
 * feed() stops where the head ends and where the message ends, so that what follows can stay where
 * it is until it is wanted. RFC 9112.
 */
#ifndef SW_HTTP_MESSAGE_H
#define SW_HTTP_MESSAGE_H

#include "http/text.h"

#include <llhttp.h>

enum message_state {
    MESSAGE_EMPTY, /* not a byte yet (but for blank lines) */
    MESSAGE_HEAD,  /* in the start line or the fields */
    MESSAGE_BODY,  /* the head is complete; what follows is body */
    MESSAGE_DONE,
    MESSAGE_BROKEN, /* `status` and `trouble` say why */
};

struct message_limits {
    uint32_t head;   /* bytes of start line and fields */
    uint32_t target; /* bytes of the request target */
};

struct message {
    llhttp_t parser;
    const struct message_limits *limits;
    uint8_t state;       /* enum message_state */
    bool body_is_absent; /* the answer to HEAD */
    bool in_trailer;     /* after a chunked body: counted, checked, not kept */
    uint16_t status;     /* broken request: what to answer */
    const char *trouble; /* broken: a phrase */
    char begin[24];      /* its first bytes, to tell a strange method from noise */
    uint8_t begin_length;
    char last_byte; /* of the head so far */
    uint32_t head_bytes;
    uint32_t target_length;
    uint32_t field_start; /* in `store`, of the field being read */
    uint32_t value_start;
    uint32_t field_count;
    /* The target or reason phrase and a NUL; then each field as "Name\0value\0". */
    struct writer store;
    bool (*on_body)(void *context, const char *bytes, size_t length); /* false breaks off */
    void *context;
};

/* @m is zeroed or was used before: its memory is kept for the next message. */
void sw_http_message_init(struct message *m, bool is_request, const struct message_limits *limits);
void sw_http_message_free(struct message *m);
/* Eats bytes and returns how many: all, or up to the end of the head or of the message. */
size_t sw_http_message_feed(struct message *m, const char *bytes, size_t length);
/* The stream ended. A body that lasts until then is DONE; others are BROKEN unless still EMPTY. */
void sw_http_message_finish(struct message *m);

/* Views are valid until the next feed() or init(). */
const char *sw_http_message_target(const struct message *m);
const char *sw_http_message_method(const struct message *m);
/* The value of the @nth field called @name, trimmed; false if there are fewer. */
bool sw_http_message_field(const struct message *m, const char *name, unsigned nth,
                           struct text *value);
unsigned sw_http_message_count(const struct message *m, const char *name);
/*
 * All fields called @name as one list (RFC 9110 5.3); empty if there are none. Several are joined
 * in the message's memory, which moves other views.
 */
struct text sw_http_message_list(struct message *m, const char *name);
/* All fields in order: *cursor begins as 0. */
bool sw_http_message_next(const struct message *m, size_t *cursor, struct text *name,
                          struct text *value);

static inline unsigned message_version(const struct message *m)
{
    return m->parser.http_major * 10u + m->parser.http_minor;
}

#endif
