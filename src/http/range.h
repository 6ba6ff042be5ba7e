/*
 * range.h - The Range field: which bytes of a file are wanted. RFC 9110 14.
 */
#ifndef SW_HTTP_RANGE_H
#define SW_HTTP_RANGE_H

#include "http/text.h"

/* More in one request and the whole is served. */
#define HTTP_MAX_RANGES 16

struct range {
    uint64_t first, length; /* length > 0 */
};

enum range_verdict {
    RANGE_WHOLE,         /* no range, not understood, or not worth it: answer 200 */
    RANGE_SOME,          /* 206 */
    RANGE_UNSATISFIABLE, /* 416 */
};

/*
 * Reads @field for a file of @size bytes into @out, in the order asked for. Ranges that together
 * are longer than the file are not served: that would be an amplifier.
 */
enum range_verdict sw_http_range_read(struct text field, uint64_t size,
                                      struct range out[HTTP_MAX_RANGES], unsigned *count);
/*
 * "bytes 0-499/1234", "bytes 0-499/" "*" or "bytes " "*" "/1234" of a response. What is "*" is -1;
 * for an unsatisfied range *first and *last are -1.
 */
bool sw_http_content_range_read(struct text field, int64_t *first, int64_t *last, int64_t *total);

#endif
