/*
 * fuzz_http.c - What HTTP reads from strangers: messages, URLs, paths, ranges, dates, conditions.
 *
 *     input:  | which reader | parameters of it | text |
 *
 * A message is fed whole and again in pieces: where it was cut on its way must make no difference
 * to what it says. (How a broken one is refused, 400 or 501 say, may depend on it.)
 */
#include "fuzz.h"

#include "http/conditional.h"
#include "http/date.h"
#include "http/message.h"
#include "http/path.h"
#include "http/range.h"
#include "http/request.h"
#include "http/url.h"

#include <stdlib.h>

static const struct message_limits limits = {.head = 2048, .target = 512};

/* What came of a message, for comparison. */
struct outcome {
    struct message message;
    uint64_t body, body_sum;
    bool stopped; /* fed up: broken, or done */
};

static bool on_body(void *context, const char *bytes, size_t length)
{
    struct outcome *o = context;
    o->body += length;
    for (size_t i = 0; i < length; i++)
        o->body_sum = o->body_sum * 31 + (uint8_t)bytes[i];
    return true;
}

/* @step bytes at a time, each piece of exactly its size. */
static void feed(struct outcome *o, bool is_request, const uint8_t *data, size_t size, size_t step)
{
    struct message *m = &o->message;
    size_t at = 0;
    sw_http_message_init(m, is_request, &limits);
    m->on_body = on_body;
    m->context = o;
    while (at < size && m->state != MESSAGE_DONE && m->state != MESSAGE_BROKEN) {
        size_t n = size - at < step ? size - at : step;
        char *piece = fuzz_copy(data + at, n);
        size_t eaten = sw_http_message_feed(m, piece, n);
        free(piece);
        FUZZ_CHECK(eaten <= n, "no more than there is");
        FUZZ_CHECK(eaten > 0 || m->state >= MESSAGE_BODY, "it goes on");
        at += eaten;
    }
    if (m->state != MESSAGE_DONE && m->state != MESSAGE_BROKEN)
        sw_http_message_finish(m);
}

static void look_at_fields(struct message *m)
{
    struct text name, value;
    size_t cursor = 0;
    while (sw_http_message_next(m, &cursor, &name, &value)) {
        FUZZ_CHECK(sw_http_text_is_token(name), "a field's name is a token");
        FUZZ_CHECK(!memchr(value.at, 0, value.length), "no NUL in a value");
    }
}

static void check_request(struct message *m)
{
    struct request q;
    if (m->state < MESSAGE_BODY)
        return;
    sw_http_request_read(&q, m, 4096);
    FUZZ_CHECK(q.status == 0 || (q.status >= 400 && q.status < 600), "a refusal is an error");
    FUZZ_CHECK(q.target, "there is a target, empty or not");
}

static void check_message(struct fuzz_input *in)
{
    struct outcome whole = {0}, pieces = {0};
    bool is_request = fuzz_byte(in) & 1;
    size_t step = fuzz_byte(in) % 61 + 1u;
    feed(&whole, is_request, in->at, in->left, SIZE_MAX);
    feed(&pieces, is_request, in->at, in->left, step);
    struct message *a = &whole.message, *b = &pieces.message;
    FUZZ_CHECK(a->state == b->state, "cuts make no difference: the verdict");
    if (a->state != MESSAGE_BROKEN) {
        FUZZ_CHECK(whole.body == pieces.body && whole.body_sum == pieces.body_sum, "nor the body");
        FUZZ_CHECK(a->store.used == b->store.used &&
                       (!a->store.used || !memcmp(a->store.bytes, b->store.bytes, a->store.used)),
                   "nor the fields");
        if (a->state >= MESSAGE_BODY)
            look_at_fields(a);
    }
    if (is_request)
        check_request(a);
    sw_http_message_free(a);
    sw_http_message_free(b);
}

static void check_url(struct text t)
{
    struct url u = {0}, again = {0}, next = {0};
    const char *why = sw_http_url_read(&u, t);
    if (why)
        return;
    FUZZ_CHECK(u.port != 0 && u.target && u.target[0] == '/', "a port and a path");
    FUZZ_CHECK(strlen(u.host) > 0 && strlen(u.host) < sizeof(u.host), "a host");
    FUZZ_CHECK(!strpbrk(u.target, " \r\n\t") && !strpbrk(u.authority, " \r\n\t/"), "one word each");
    /* What it was taken apart into means the same again. */
    char line[8192];
    if (strlen(u.authority) + strlen(u.target) + 8 < sizeof(line)) {
        strcpy(line, "http://");
        strcat(line, u.authority);
        strcat(line, u.target);
        FUZZ_CHECK(!sw_http_url_read(&again, text_of(line)), "readable again");
        FUZZ_CHECK(again.port == u.port && !strcmp(again.host, u.host) &&
                       !strcmp(again.target, u.target),
                   "the same again");
        sw_http_url_free(&again);
    }
    if (!sw_http_url_follow(&next, &u, t)) {
        FUZZ_CHECK(next.target[0] == '/', "a path");
        sw_http_url_free(&next);
    }
    sw_http_url_free(&u);
}

static void check_follow(struct text t)
{
    struct url base = {0}, next = {0};
    FUZZ_CHECK(!sw_http_url_read(&base, text_of("http://h.example:81/a/b/c?q")), "the base");
    if (!sw_http_url_follow(&next, &base, t)) {
        FUZZ_CHECK(next.target[0] == '/' && next.port, "somewhere");
        FUZZ_CHECK(!strstr(next.target, "/../") || strchr(next.target, '?'), "no way up is left");
        sw_http_url_free(&next);
    }
    sw_http_url_free(&base);
}

static void check_path(struct text t)
{
    size_t size = t.length + 1;
    char *out = malloc(size);
    bool is_folder;
    if (!out)
        return;
    if (sw_http_path_read(t, out, size, &is_folder) == 0) {
        size_t n = strlen(out);
        FUZZ_CHECK(n < size, "in its room");
        FUZZ_CHECK(n == 0 || (out[0] != '/' && out[n - 1] != '/'), "no slashes at its ends");
        for (char *part = out; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
            FUZZ_CHECK(strncmp(part, "..", 2) != 0 || (part[2] && part[2] != '/'),
                       "it does not climb out");
    }
    struct text query = sw_http_path_query(t);
    FUZZ_CHECK(query.length <= t.length, "a part of it");
    free(out);
}

static void check_range(struct text t, uint64_t size)
{
    struct range ranges[HTTP_MAX_RANGES];
    unsigned count = 0;
    uint64_t sum = 0;
    int64_t first, last, total;
    if (sw_http_range_read(t, size, ranges, &count) == RANGE_SOME) {
        FUZZ_CHECK(count >= 1 && count <= HTTP_MAX_RANGES, "as many as there is room for");
        for (unsigned i = 0; i < count; i++) {
            FUZZ_CHECK(ranges[i].length > 0 && ranges[i].first < size &&
                           ranges[i].length <= size - ranges[i].first,
                       "inside of the file");
            sum += ranges[i].length;
        }
        FUZZ_CHECK(sum <= size, "no amplifier");
    }
    if (sw_http_content_range_read(t, &first, &last, &total)) {
        FUZZ_CHECK(first >= -1 && total >= -1 && last >= first, "in order");
        FUZZ_CHECK(total < 0 || last < total, "inside");
    }
}

static void check_date(struct text t)
{
    const int64_t now = INT64_C(1700000000);
    int64_t seconds, again;
    char text[HTTP_DATE_TEXT];
    if (!sw_http_date_parse(t, now, &seconds))
        return;
    if (seconds < 0)
        return; /* before 1970: format clamps */
    sw_http_date_format(seconds, text);
    FUZZ_CHECK(strlen(text) == HTTP_DATE_TEXT - 1, "an IMF-fixdate");
    FUZZ_CHECK(sw_http_date_parse(text_of(text), now, &again) && again == seconds,
               "there and back");
}

static void check_conditions(struct text t, uint8_t which)
{
    struct version v;
    struct conditions c = {0};
    struct text *fields[] = {&c.if_match, &c.if_none_match, &c.if_modified_since,
                             &c.if_unmodified_since, &c.if_range};
    sw_http_version_init(&v, 1234, INT64_C(784111777), 5, 99);
    *fields[which % 5] = t;
    *fields[which / 5 % 5] = t;
    enum precondition p = sw_http_precondition_check(&c, &v, INT64_C(1700000000));
    FUZZ_CHECK(p <= PRECONDITION_FAILED, "a verdict of the list");
    sw_http_range_is_current(&c, &v, INT64_C(1700000000));
}

static void check_list(struct text t)
{
    struct text rest = t, element;
    size_t sum = 0;
    while (sw_http_list_next(&rest, &element)) {
        FUZZ_CHECK(element.length > 0, "empty elements are passed over");
        sum += element.length;
    }
    FUZZ_CHECK(sum <= t.length, "parts of it");
    sw_http_list_has(t, "close");
    uint64_t n;
    sw_http_text_decimal(t, &n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t kind = fuzz_byte(&in) % 8;
    if (kind == 0) {
        check_message(&in);
        return 0;
    }
    uint8_t parameter = fuzz_byte(&in);
    char *copy = fuzz_copy(in.at, in.left);
    struct text t = {copy, in.left};
    switch (kind) {
    case 1:
        check_url(t);
        break;
    case 2:
        check_follow(t);
        break;
    case 3:
        check_path(t);
        break;
    case 4:
        check_range(t, (uint64_t)parameter << (parameter % 40));
        break;
    case 5:
        check_date(t);
        break;
    case 6:
        check_conditions(t, parameter);
        break;
    default:
        check_list(t);
        break;
    }
    free(copy);
    return 0;
}
