/*
 * answer.h - From a request to its response: which file, which page, which refusal.
 */
#ifndef SW_HTTP_ANSWER_H
#define SW_HTTP_ANSWER_H

#include "http/folder.h"
#include "http/response.h"

struct site {
    struct folder folder;
    const char *index;
    bool listing;
};

/* Fills in @r (cleared, r->close set). @wall: seconds since 1970. */
void sw_http_answer(struct response *r, struct site *site, const struct request *q, int64_t wall);

#endif
