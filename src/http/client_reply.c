/*
 * client_reply.c - The text of a request, and the meaning of a response's head. No connection, no
 * time.
 */
#include "http/client.h"

#include "http/range.h"

/* ---- the request ----------------------------------------------------------------------------- */

static struct text field_name(const char *field)
{
    const char *colon = strchr(field, ':');

    return (struct text){field, colon ? (size_t)(colon - field) : 0};
}

static bool is_given(const struct sanwo_http_request *request, const char *name)
{
    for (size_t i = 0; request->headers && request->headers[i]; i++)
        if (sw_http_text_matches(field_name(request->headers[i]), name))
            return true;
    return false;
}

static void write_default(struct writer *w, const struct sanwo_http_request *request,
                          const char *name, const char *value)
{
    if (!is_given(request, name))
        sw_http_write_format(w, "%s: %s\r\n", name, value);
}

/* What must not follow a redirect to another server. */
static bool is_secret(struct text name)
{
    return sw_http_text_matches(name, "Authorization") || sw_http_text_matches(name, "Cookie") ||
           sw_http_text_matches(name, "Proxy-Authorization");
}

static const char *write_given(struct writer *w, const char *field, bool is_elsewhere)
{
    struct text name = field_name(field);

    if (!sw_http_text_is_token(name))
        return "a header field must be 'Name: value'";
    for (const char *at = field; *at; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return "a header field holds a control character";
    if (!is_elsewhere || !is_secret(name))
        sw_http_write_format(w, "%s\r\n", field);
    return NULL;
}

const char *sw_http_client_compose(struct writer *w, const struct sanwo_http_client *client)
{
    const struct sanwo_http_request *request = &client->request;
    const char *agent = client->config.user_agent;
    bool is_elsewhere = strcmp(client->first_authority, client->url.authority) != 0;

    w->used = 0;
    sw_http_write_format(w, "%s %s HTTP/1.1\r\n", request->head ? "HEAD" : "GET",
                         client->url.target);
    write_default(w, request, "Host", client->url.authority);
    write_default(w, request, "User-Agent", agent ? agent : "sanwo");
    write_default(w, request, "Accept", "*/*");
    write_default(w, request, "Accept-Encoding", "identity");
    if (request->resume_from)
        sw_http_write_format(w, "Range: bytes=%llu-\r\n", (unsigned long long)request->resume_from);
    for (size_t i = 0; request->headers && request->headers[i]; i++) {
        const char *trouble = write_given(w, request->headers[i], is_elsewhere);
        if (trouble)
            return trouble;
    }
    sw_http_write(w, text_of("\r\n"));
    return w->failed ? "there is no memory for the request" : NULL;
}

/* ---- the response ---------------------------------------------------------------------------- */

static void be_wrong(struct reply_head *head, const char *trouble)
{
    head->kind = REPLY_WRONG;
    head->trouble = trouble;
}

static void judge_partial(struct reply_head *head, const struct message *m,
                          const struct sanwo_http_request *request)
{
    struct text field;
    int64_t first, last;

    if (!request->resume_from && is_given(request, "Range"))
        return; /* the user asked for it himself: also for several parts */
    if (!sw_http_message_field(m, "Content-Range", 0, &field) ||
        !sw_http_content_range_read(field, &first, &last, &head->total) || first < 0)
        be_wrong(head, "the server sent a part without saying which");
    else if ((uint64_t)first != request->resume_from)
        be_wrong(head, "the server sent another part than was asked for");
    else if (head->content_length >= 0 && head->content_length != last - first + 1)
        be_wrong(head, "the part and its length contradict each other");
    head->offset = request->resume_from;
}

static void judge_unsatisfied(struct reply_head *head, const struct message *m,
                              uint64_t resume_from)
{
    struct text field;
    int64_t first, last, total;

    if (sw_http_message_field(m, "Content-Range", 0, &field) &&
        sw_http_content_range_read(field, &first, &last, &total) && first < 0 && total >= 0 &&
        (uint64_t)total == resume_from)
        head->kind = REPLY_COMPLETE;
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void sw_http_client_judge(struct reply_head *head, const struct message *m,
                          const struct sanwo_http_request *request)
{
    unsigned status = m->parser.status_code;
    uint64_t length;
    struct text field;

    *head = (struct reply_head){REPLY_FINAL, NULL, {NULL, 0}, -1, 0, -1};
    if (!(m->parser.flags & F_CHUNKED) && sw_http_message_field(m, "Content-Length", 0, &field) &&
        sw_http_text_decimal(field, &length) && length <= INT64_MAX)
        head->content_length = (int64_t)length;
    head->total = head->content_length;
    if (status < 100 || status > 599)
        be_wrong(head, "the status is none of HTTP's");
    else if (status == 101)
        be_wrong(head, "the server changed the protocol unasked");
    else if (status < 200)
        head->kind = REPLY_INTERIM;
    else if (is_redirect(status) && sw_http_message_field(m, "Location", 0, &head->location))
        head->kind = REPLY_REDIRECT;
    else if (status == 206)
        judge_partial(head, m, request);
    else if (status == 416 && request->resume_from)
        judge_unsatisfied(head, m, request->resume_from);
}

void sw_http_client_write_head(struct writer *w, const struct message *m)
{
    struct text name, value;
    size_t cursor = 0;

    w->used = 0;
    sw_http_write_format(w, "HTTP/%u.%u %u %s\n", m->parser.http_major, m->parser.http_minor,
                         m->parser.status_code, sw_http_message_target(m));
    while (sw_http_message_next(m, &cursor, &name, &value)) {
        sw_http_write(w, name);
        sw_http_write(w, text_of(": "));
        sw_http_write(w, value);
        sw_http_write(w, text_of("\n"));
    }
    sw_http_write(w, (struct text){"", 1});
}
