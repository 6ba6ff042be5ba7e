/*
 * response.h - A response as pieces in the order they are sent: text of ours, and parts of a file.
 *
 *     text  "HTTP/1.1 206 ..." | file 0..499 | text "--boundary ..." | file 900..999 | text "--"
 *
 * Nothing here sends: connection.c walks over the pieces.
 */
#ifndef SW_HTTP_RESPONSE_H
#define SW_HTTP_RESPONSE_H

#include "http/range.h"
#include "http/request.h"

struct piece {
    bool is_file; /* bytes of the file; else of `text` */
    uint64_t at, length;
};

#define HTTP_MAX_PIECES (2 * HTTP_MAX_RANGES + 2)

struct response {
    unsigned status;
    bool close; /* the connection ends after it */
    int file;   /* owned; -1: none */
    struct writer text;
    uint64_t body_length; /* of all pieces but the head */
    unsigned count;
    struct piece pieces[HTTP_MAX_PIECES];
};

/* A file that was found. */
struct found_file {
    int fd; /* becomes the response's */
    const char *type;
    struct version version;
};

const char *sw_http_status_phrase(unsigned status);

/* @r is zeroed with file -1, or was cleared. On lack of memory `text.failed` is set. */
void sw_http_response_clear(struct response *r);
/*
 * 200, 206, 304, 412 or 416, as conditions and ranges ask. @wall: seconds since 1970. For all of
 * these, r->close is to be set before: it becomes a field.
 */
void sw_http_response_file(struct response *r, const struct request *q,
                           const struct found_file *file, int64_t wall);
/* A page made by us, of HTML. */
void sw_http_response_page(struct response *r, const struct request *q, unsigned status,
                           struct text html, int64_t wall);
/* A short page about @status; @trouble, if not NULL, says more. 405 has its Allow. */
void sw_http_response_error(struct response *r, const struct request *q, unsigned status,
                            const char *trouble, int64_t wall);
/* 301 to @location, which is used as it is. */
void sw_http_response_moved(struct response *r, const struct request *q, struct text location,
                            int64_t wall);

#endif
