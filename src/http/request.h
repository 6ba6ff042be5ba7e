/*
 * request.h - What a parsed request asks for, and whether it may. RFC 9110 9, 10; RFC 9112 3, 6, 9.
 */
#ifndef SW_HTTP_REQUEST_H
#define SW_HTTP_REQUEST_H

#include "http/conditional.h"
#include "http/message.h"

struct request {
    unsigned status;     /* 0: it is one to answer; else how it is refused */
    const char *trouble; /* with status: why, for the page and the log */
    const char *target;  /* "" if none could be read */
    bool is_head;
    bool is_old;     /* HTTP/1.0 */
    bool keep_alive; /* it would have the connection kept */
    bool has_body;
    bool expects_continue; /* RFC 9110 10.1.1: it waits before sending the body */
    struct text range;
    struct conditions conditions;
};

/*
 * Judges a message whose head is complete (state BODY or later), or a broken one. The views in @q
 * live as long as those of @m.
 */
void sw_http_request_read(struct request *q, struct message *m, uint64_t max_body);

#endif
