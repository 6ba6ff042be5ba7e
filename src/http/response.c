/*
 * response.c - Composing heads, error pages and parts of files. RFC 9110 6.6, 8, 14, 15.
 */
#include "http/response.h"

#include "http/date.h"

#include <stdio.h>
#include <unistd.h>

#define BOUNDARY_TEXT 24

const char *sw_http_status_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } phrases[] = {
        {100, "Continue"},
        {200, "OK"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

void sw_http_response_clear(struct response *r)
{
    if (r->file >= 0)
        close(r->file);
    sw_http_writer_free(&r->text);
    memset(r, 0, sizeof *r);
    r->file = -1;
}

/* The text written since @start is the next piece. */
static void add_text(struct response *r, size_t start)
{
    r->pieces[r->count++] = (struct piece){false, start, r->text.used - start};
}

static void add_file(struct response *r, struct range range)
{
    if (range.length)
        r->pieces[r->count++] = (struct piece){true, range.first, range.length};
}

static void begin_head(struct response *r, const struct request *q, unsigned status, int64_t wall)
{
    char date[HTTP_DATE_TEXT];

    r->status = status;
    sw_http_write_format(&r->text, "HTTP/1.1 %u %s\r\nDate: %s\r\nServer: sanwo\r\n", status,
                         sw_http_status_phrase(status), sw_http_date_format(wall, date));
    if (r->close)
        sw_http_write(&r->text, text_of("Connection: close\r\n"));
    else if (q->is_old)
        sw_http_write(&r->text, text_of("Connection: keep-alive\r\n"));
}

static void end_head(struct response *r)
{
    sw_http_write(&r->text, text_of("\r\n"));
    add_text(r, 0);
}

/* Ends the head and adds @body, but to the answer of HEAD. */
static void finish_with_text(struct response *r, const struct request *q, struct text body)
{
    sw_http_write_format(&r->text, "Content-Length: %zu\r\n", body.length);
    end_head(r);
    if (q->is_head || !body.length)
        return;
    sw_http_write(&r->text, body);
    add_text(r, r->text.used - (r->text.failed ? 0 : body.length));
    r->body_length = body.length;
}

void sw_http_response_page(struct response *r, const struct request *q, unsigned status,
                           struct text html, int64_t wall)
{
    begin_head(r, q, status, wall);
    sw_http_write(&r->text, text_of("Content-Type: text/html; charset=utf-8\r\n"
                                    "X-Content-Type-Options: nosniff\r\n"));
    if (status == 405)
        sw_http_write(&r->text, text_of("Allow: GET, HEAD\r\n"));
    if (status == 503)
        sw_http_write(&r->text, text_of("Retry-After: 1\r\n"));
    finish_with_text(r, q, html);
}

static void write_error_page(struct writer *w, unsigned status, const char *trouble)
{
    const char *phrase = sw_http_status_phrase(status);

    sw_http_write_format(w,
                         "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<title>%u %s</title></head>\n<body><h1>%u %s</h1>",
                         status, phrase, status, phrase);
    if (trouble) {
        sw_http_write(w, text_of("<p>"));
        sw_http_write_escaped(w, text_of(trouble));
        sw_http_write(w, text_of("</p>"));
    }
    sw_http_write(w, text_of("</body></html>\n"));
}

void sw_http_response_error(struct response *r, const struct request *q, unsigned status,
                            const char *trouble, int64_t wall)
{
    struct writer page = {0};

    write_error_page(&page, status, trouble);
    r->text.failed = r->text.failed || page.failed;
    sw_http_response_page(r, q, status, (struct text){page.bytes, page.used}, wall);
    sw_http_writer_free(&page);
}

void sw_http_response_moved(struct response *r, const struct request *q, struct text location,
                            int64_t wall)
{
    begin_head(r, q, 301, wall);
    sw_http_write(&r->text, text_of("Location: "));
    sw_http_write(&r->text, location);
    sw_http_write(&r->text, text_of("\r\n"));
    finish_with_text(r, q, text_of(""));
}

/* RFC 9110 8.8.2.1: never a date later than that of the response. */
static void write_validators(struct response *r, const struct version *v, int64_t wall)
{
    char date[HTTP_DATE_TEXT];

    sw_http_write_format(&r->text, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n",
                         v->etag,
                         sw_http_date_format(v->modified < wall ? v->modified : wall, date));
}

/* Whole, or one range. */
static void compose_single(struct response *r, const struct request *q,
                           const struct found_file *file, struct range range)
{
    sw_http_write_format(&r->text,
                         "Content-Type: %s\r\nX-Content-Type-Options: nosniff\r\n"
                         "Content-Length: %llu\r\n",
                         file->type, (unsigned long long)range.length);
    end_head(r);
    if (q->is_head)
        return;
    add_file(r, range);
    r->body_length = range.length;
}

/* The same for the same file and ranges, so that a repeated run gives the same bytes (FNV-1a). */
static void make_boundary(char out[BOUNDARY_TEXT], const struct request *q, const struct version *v)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *at = v->etag; *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    for (size_t i = 0; i < q->range.length; i++)
        hash = (hash ^ (unsigned char)q->range.at[i]) * UINT64_C(1099511628211);
    snprintf(out, BOUNDARY_TEXT, "sanwo%016llx", (unsigned long long)hash);
}

static void write_part_head(struct writer *w, const char *boundary, const char *type,
                            struct range range, uint64_t size)
{
    sw_http_write_format(w,
                         "\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n"
                         "\r\n",
                         boundary, type, (unsigned long long)range.first,
                         (unsigned long long)(range.first + range.length - 1),
                         (unsigned long long)size);
}

/* RFC 9110 14.6. The parts' heads are composed first, as the length must be known. */
static void compose_multipart(struct response *r, const struct request *q,
                              const struct found_file *file, const struct range *ranges,
                              unsigned count)
{
    char boundary[BOUNDARY_TEXT];
    size_t ends[HTTP_MAX_RANGES + 1] = {0};
    struct writer parts = {0};
    uint64_t length = 0;

    make_boundary(boundary, q, &file->version);
    for (unsigned i = 0; i < count; i++) {
        write_part_head(&parts, boundary, file->type, ranges[i], file->version.size);
        ends[i] = parts.used;
        length += ranges[i].length;
    }
    sw_http_write_format(&parts, "\r\n--%s--\r\n", boundary);
    length += parts.used;
    sw_http_write_format(&r->text,
                         "Content-Type: multipart/byteranges; boundary=%s\r\n"
                         "Content-Length: %llu\r\n",
                         boundary, (unsigned long long)length);
    end_head(r);
    r->text.failed = r->text.failed || parts.failed;
    if (!q->is_head && !r->text.failed) {
        size_t base = r->text.used;

        sw_http_write(&r->text, (struct text){parts.bytes, parts.used});
        for (unsigned i = 0; i < count; i++) {
            size_t start = i ? ends[i - 1] : 0;

            r->pieces[r->count++] = (struct piece){false, base + start, ends[i] - start};
            add_file(r, ranges[i]);
        }
        add_text(r, base + ends[count - 1]);
        r->body_length = length;
    }
    sw_http_writer_free(&parts);
}

/* 304 and 412: no body; what the client has is named by its validators (RFC 9110 15.4.5). */
static void compose_precondition(struct response *r, const struct request *q,
                                 const struct found_file *file, enum precondition verdict,
                                 int64_t wall)
{
    begin_head(r, q, verdict == PRECONDITION_FAILED ? 412 : 304, wall);
    write_validators(r, &file->version, wall);
    if (verdict == PRECONDITION_FAILED)
        sw_http_write(&r->text, text_of("Content-Length: 0\r\n"));
    end_head(r);
}

static void compose_unsatisfiable(struct response *r, const struct request *q,
                                  const struct found_file *file, int64_t wall)
{
    begin_head(r, q, 416, wall);
    sw_http_write_format(&r->text, "Content-Range: bytes */%llu\r\n",
                         (unsigned long long)file->version.size);
    write_validators(r, &file->version, wall);
    finish_with_text(r, q, text_of(""));
}

void sw_http_response_file(struct response *r, const struct request *q,
                           const struct found_file *file, int64_t wall)
{
    uint64_t size = file->version.size;
    enum precondition verdict = sw_http_precondition_check(&q->conditions, &file->version, wall);
    enum range_verdict partial = RANGE_WHOLE;
    struct range ranges[HTTP_MAX_RANGES] = {{0, 0}};
    unsigned count = 0;

    r->file = file->fd;
    if (verdict != PRECONDITION_HOLDS) {
        compose_precondition(r, q, file, verdict, wall);
        return;
    }
    /* RFC 9110 14.2: Range has a meaning for GET only; 13.2.2 step 5. */
    if (q->range.length && !q->is_head &&
        sw_http_range_is_current(&q->conditions, &file->version, wall))
        partial = sw_http_range_read(q->range, size, ranges, &count);
    if (partial == RANGE_UNSATISFIABLE) {
        compose_unsatisfiable(r, q, file, wall);
        return;
    }
    begin_head(r, q, partial == RANGE_SOME ? 206 : 200, wall);
    write_validators(r, &file->version, wall);
    if (partial == RANGE_SOME && count > 1) {
        compose_multipart(r, q, file, ranges, count);
        return;
    }
    if (partial == RANGE_SOME)
        sw_http_write_format(&r->text, "Content-Range: bytes %llu-%llu/%llu\r\n",
                             (unsigned long long)ranges[0].first,
                             (unsigned long long)(ranges[0].first + ranges[0].length - 1),
                             (unsigned long long)size);
    else
        ranges[0] = (struct range){0, size};
    compose_single(r, q, file, ranges[0]);
}
