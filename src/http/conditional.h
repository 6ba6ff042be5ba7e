/*
 * conditional.h - Entity tags, dates of change, and requests that depend on them. RFC 9110 8.8, 13.
 */
#ifndef SW_HTTP_CONDITIONAL_H
#define SW_HTTP_CONDITIONAL_H

#include "http/text.h"

#define HTTP_ETAG_TEXT 64

/* What a file is at one time. */
struct version {
    uint64_t size;
    int64_t modified;          /* seconds since 1970 */
    char etag[HTTP_ETAG_TEXT]; /* quoted, strong */
};

/* The fields of a request as they came; empty if they did not. */
struct conditions {
    struct text if_match, if_none_match, if_modified_since, if_unmodified_since, if_range;
};

enum precondition {
    PRECONDITION_HOLDS,
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED,       /* 412 */
};

void sw_http_version_init(struct version *v, uint64_t size, int64_t modified, long nanoseconds,
                          uint64_t inode);
enum precondition sw_http_precondition_check(const struct conditions *c, const struct version *v,
                                             int64_t now);
/* RFC 9110 13.1.5: may the Range field be obeyed? True without If-Range. */
bool sw_http_range_is_current(const struct conditions *c, const struct version *v, int64_t now);

#endif
