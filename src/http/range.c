/*
 * range.c - Reading Range and Content-Range. RFC 9110 14.1.2, 14.2, 14.4.
 *
 *     bytes=0-499        the first 500
 *     bytes=500-         from there on
 *     bytes=-500         the last 500
 *     bytes=0-0,-1       the first and the last
 */
#include "http/range.h"

enum spec_verdict { SPEC_GOOD, SPEC_BEYOND, SPEC_MALFORMED };

static enum spec_verdict read_spec(struct text spec, uint64_t size, struct range *out)
{
    const char *dash = memchr(spec.at, '-', spec.length);
    struct text left, right;
    uint64_t first, last = UINT64_MAX;

    if (!dash)
        return SPEC_MALFORMED;
    left = text_part(spec, 0, (size_t)(dash - spec.at));
    right = text_part(spec, left.length + 1, spec.length);
    if (!left.length) {
        if (!sw_http_text_decimal(right, &last))
            return SPEC_MALFORMED;
        if (last == 0 || size == 0)
            return SPEC_BEYOND;
        out->length = last < size ? last : size;
        out->first = size - out->length;
        return SPEC_GOOD;
    }
    if (!sw_http_text_decimal(left, &first) ||
        (right.length && !sw_http_text_decimal(right, &last)))
        return SPEC_MALFORMED;
    if (last < first)
        return SPEC_MALFORMED;
    if (first >= size)
        return SPEC_BEYOND;
    out->first = first;
    out->length = (last < size ? last + 1 : size) - first;
    return SPEC_GOOD;
}

enum range_verdict sw_http_range_read(struct text field, uint64_t size,
                                      struct range out[HTTP_MAX_RANGES], unsigned *count)
{
    uint64_t left = size;
    unsigned good = 0, seen = 0;
    struct text spec;

    *count = 0;
    field = sw_http_text_trim(field);
    if (field.length < 6 || !sw_http_text_matches(text_part(field, 0, 6), "bytes="))
        return RANGE_WHOLE;
    field = text_part(field, 6, field.length);
    while (sw_http_list_next(&field, &spec)) {
        struct range range;

        switch (++seen > HTTP_MAX_RANGES ? SPEC_MALFORMED : read_spec(spec, size, &range)) {
        case SPEC_GOOD:
            if (range.length > left)
                return RANGE_WHOLE;
            left -= range.length;
            out[good++] = range;
            break;
        case SPEC_BEYOND:
            break;
        case SPEC_MALFORMED:
            return RANGE_WHOLE;
        }
    }
    if (!seen)
        return RANGE_WHOLE;
    *count = good;
    return good ? RANGE_SOME : RANGE_UNSATISFIABLE;
}

/* A number, or "*" as -1. */
static bool read_number(struct text t, int64_t *out)
{
    uint64_t value;

    *out = -1;
    if (sw_http_text_matches(t, "*"))
        return true;
    if (!sw_http_text_decimal(t, &value) || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

bool sw_http_content_range_read(struct text field, int64_t *first, int64_t *last, int64_t *total)
{
    const char *slash, *dash;
    struct text span;

    field = sw_http_text_trim(field);
    if (field.length < 6 || !sw_http_text_matches(text_part(field, 0, 6), "bytes "))
        return false;
    field = sw_http_text_trim(text_part(field, 6, field.length));
    slash = memchr(field.at, '/', field.length);
    if (!slash)
        return false;
    span = text_part(field, 0, (size_t)(slash - field.at));
    if (!read_number(text_part(field, span.length + 1, field.length), total))
        return false;
    if (sw_http_text_matches(span, "*")) {
        *first = *last = -1;
        return *total >= 0;
    }
    dash = memchr(span.at, '-', span.length);
    if (!dash || !read_number(text_part(span, 0, (size_t)(dash - span.at)), first) ||
        !read_number(text_part(span, (size_t)(dash - span.at) + 1, span.length), last))
        return false;
    return *first >= 0 && *last >= *first && (*total < 0 || *last < *total);
}
