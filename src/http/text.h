/*
 * text.h - Views of text, header field lists, and a growing buffer to write into.
 *
 * A view is not NUL-terminated and owns nothing.
 */
#ifndef SW_HTTP_TEXT_H
#define SW_HTTP_TEXT_H

#include <sanwo/types.h>

#include <string.h>

struct text {
    const char *at;
    size_t length;
};

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

static inline struct text text_part(struct text t, size_t from, size_t to)
{
    return (struct text){t.at + from, to - from};
}

/* RFC 9110 5.6.2: what names of fields and methods are made of. */
bool sw_http_text_is_token(struct text t);
bool sw_http_text_equals(struct text a, struct text b);
/* ASCII letters of either case are the same. */
bool sw_http_text_matches(struct text t, const char *string);
/* Without the spaces and tabs around it. */
struct text sw_http_text_trim(struct text t);
/* All digits, at least one, and no overflow; else false. */
bool sw_http_text_decimal(struct text t, uint64_t *out);

/*
 * The next element of a comma-separated list (RFC 9110 5.6.1), trimmed; empty ones are passed over,
 * commas in quoted strings do not separate. False at the end. Advances *rest.
 */
bool sw_http_list_next(struct text *rest, struct text *element);
bool sw_http_list_has(struct text list, const char *token);

/* Memory that grows. Once out of memory it stays `failed` and takes nothing more. */
struct writer {
    char *bytes;
    size_t used, size;
    bool failed;
};

void sw_http_writer_free(struct writer *w);
/* Room for @length more bytes at bytes + used; false if there is no memory. */
bool sw_http_writer_reserve(struct writer *w, size_t length);
void sw_http_write(struct writer *w, struct text t);
void sw_http_write_format(struct writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* For HTML text and attribute values. */
void sw_http_write_escaped(struct writer *w, struct text t);
/* As a path in a URL: all but unreserved characters and '/' as %XX (RFC 3986 2.1, 2.3). */
void sw_http_write_encoded(struct writer *w, struct text t);

#endif
