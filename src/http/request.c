/*
 * request.c - The rules between a well-formed message and an answer.
 *
 * What might be understood in two ways (two lengths, two hosts, a coding in HTTP/1.0) is refused
 * and the connection closed after it: whoever stands in front of us may have understood the other.
 */
#include "http/request.h"

static void refuse(struct request *q, unsigned status, const char *trouble)
{
    if (q->status)
        return;
    q->status = status;
    q->trouble = trouble;
}

/* RFC 9112 9.3 */
static bool wants_keep_alive(struct message *m)
{
    struct text list = sw_http_message_list(m, "Connection");

    if (sw_http_list_has(list, "close"))
        return false;
    return message_version(m) >= 11 || sw_http_list_has(list, "keep-alive");
}

/* RFC 3986 3.2.2 and 3.2.3, no more exactly than to keep nonsense out of logs. */
static bool is_authority(struct text t)
{
    for (size_t i = 0; i < t.length; i++)
        if (t.at[i] <= ' ' || t.at[i] >= 0x7f || strchr("\"#/<>?@\\^`{|}", t.at[i]))
            return false;
    return true;
}

/* RFC 9112 3.2: exactly one Host; HTTP/1.0 may have none. */
static void check_host(struct request *q, const struct message *m)
{
    unsigned count = sw_http_message_count(m, "Host");
    struct text host;

    sw_http_message_field(m, "Host", 0, &host);
    if (count > 1 || (count == 0 && !q->is_old) || !is_authority(host))
        refuse(q, 400, count ? "the Host field is malformed" : "there is no Host field");
    if (q->status)
        q->keep_alive = false;
}

/* RFC 9112 6.1; that a chunked coding is the last one, llhttp has seen to. */
static void check_coding(struct request *q, struct message *m)
{
    struct text list = sw_http_message_list(m, "Transfer-Encoding");

    if (!list.length)
        return;
    if (q->is_old)
        refuse(q, 400, "a transfer coding in HTTP/1.0");
    else if (!sw_http_text_matches(sw_http_text_trim(list), "chunked"))
        refuse(q, 501, "the transfer coding is not supported");
}

static void check_expectation(struct request *q, struct message *m)
{
    struct text list = sw_http_message_list(m, "Expect");

    if (!list.length)
        return;
    if (!sw_http_text_matches(list, "100-continue"))
        refuse(q, 417, "the expectation is not known");
    q->expects_continue = q->has_body && !q->is_old;
}

static void check_method(struct request *q, const struct message *m)
{
    q->is_head = m->parser.method == HTTP_HEAD;
    if (m->parser.method != HTTP_GET && !q->is_head)
        refuse(q, 405, "only GET and HEAD are served");
    if (m->parser.method == HTTP_CONNECT)
        q->keep_alive = false;
}

static struct text single_field(const struct message *m, const char *name)
{
    struct text value;

    /* Twice what may be there once: as if it were not there. */
    sw_http_message_field(m, name, sw_http_message_count(m, name) > 1 ? UINT32_MAX : 0, &value);
    return value;
}

static void read_conditions(struct request *q, struct message *m)
{
    struct conditions *c = &q->conditions;

    /* Joined lists are shorter than what they come from: with this room no view moves. */
    sw_http_writer_reserve(&m->store, m->store.used);
    c->if_match = sw_http_message_list(m, "If-Match");
    c->if_none_match = sw_http_message_list(m, "If-None-Match");
    c->if_modified_since = single_field(m, "If-Modified-Since");
    c->if_unmodified_since = single_field(m, "If-Unmodified-Since");
    c->if_range = single_field(m, "If-Range");
    q->range = single_field(m, "Range");
}

void sw_http_request_read(struct request *q, struct message *m, uint64_t max_body)
{
    unsigned version = message_version(m);

    memset(q, 0, sizeof *q);
    if (m->state == MESSAGE_BROKEN) {
        refuse(q, m->status, m->trouble);
        q->target = sw_http_message_target(m);
        return;
    }
    q->is_old = version == 10;
    q->keep_alive = wants_keep_alive(m);
    q->has_body = (m->parser.flags & F_CHUNKED) || m->parser.content_length > 0;
    if (version != 10 && version != 11)
        refuse(q, 505, "the version of HTTP is not supported");
    check_host(q, m);
    check_coding(q, m);
    check_method(q, m);
    check_expectation(q, m);
    if (m->parser.content_length > max_body && !(m->parser.flags & F_CHUNKED))
        refuse(q, 413, "the body is too large");
    /* Refused before its body was read: what follows cannot be told from it. */
    if (q->status && (q->has_body || version < 10 || version > 11))
        q->keep_alive = false;
    read_conditions(q, m);
    q->target = sw_http_message_target(m);
}
