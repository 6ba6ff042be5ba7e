/*
 * message.c - The one file that calls llhttp.
 *
 * What llhttp leaves open is decided here, whichever way it was compiled: names of fields are
 * tokens (no blank before the colon: RFC 9112 5.1), values hold no control characters nor folded
 * lines (5.2), lines end in CR LF (2.2 lets us refuse a bare LF), head and target have limits.
 */
#define _GNU_SOURCE
#include "http/message.h"

static struct message *message_of(const llhttp_t *parser)
{
    return parser->data;
}

static int break_off(struct message *m, unsigned status, const char *trouble)
{
    if (m->state != MESSAGE_BROKEN) {
        m->state = MESSAGE_BROKEN;
        m->status = (uint16_t)status;
        m->trouble = trouble;
    }
    return HPE_USER;
}

static int keep(struct message *m, const char *at, size_t length)
{
    if (!m->in_trailer)
        sw_http_write(&m->store, (struct text){at, length});
    return m->store.failed ? break_off(m, 503, "out of memory") : 0;
}

static int on_begin(llhttp_t *parser)
{
    message_of(parser)->state = MESSAGE_HEAD;
    return 0;
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct message *m = message_of(parser);

    m->target_length += (uint32_t)length;
    if (m->target_length > m->limits->target)
        return break_off(m, 414, "the request target is too long");
    return keep(m, at, length);
}

static int on_reason_phrase(llhttp_t *parser, const char *at, size_t length)
{
    struct message *m = message_of(parser);

    m->target_length += (uint32_t)length;
    return keep(m, at, length);
}

static int on_start_line(llhttp_t *parser)
{
    struct message *m = message_of(parser);

    /* A status line without a reason never called on_reason_phrase: this NUL is its whole text. */
    m->field_start = (uint32_t)m->store.used + 1;
    return keep(m, "", 1);
}

/* RFC 9112 5.1 and RFC 9110 5.5, over what was kept of this field. */
static int check_field(struct message *m)
{
    const char *store = m->store.bytes;
    struct text name = {store + m->field_start, m->value_start - 1 - m->field_start};

    if (!sw_http_text_is_token(name))
        return break_off(m, 400, "a field's name is not a token");
    for (size_t i = m->value_start; i < m->store.used; i++)
        if (((unsigned char)store[i] < ' ' && store[i] != '\t') || store[i] == 0x7f)
            return break_off(m, 400, "a control character in a field");
    return 0;
}

static int on_field_name(llhttp_t *parser, const char *at, size_t length)
{
    struct message *m = message_of(parser);

    if (m->state == MESSAGE_BODY)
        m->in_trailer = true;
    return keep(m, at, length);
}

static int on_field_name_end(llhttp_t *parser)
{
    struct message *m = message_of(parser);
    int error = keep(m, "", 1);

    if (!m->in_trailer)
        m->value_start = (uint32_t)m->store.used;
    return error;
}

static int on_field_value(llhttp_t *parser, const char *at, size_t length)
{
    return keep(message_of(parser), at, length);
}

static int on_field_value_end(llhttp_t *parser)
{
    struct message *m = message_of(parser);
    int error = m->in_trailer ? 0 : check_field(m);

    if (!error)
        error = keep(m, "", 1);
    if (error)
        return error;
    if (!m->in_trailer) {
        m->field_start = (uint32_t)m->store.used;
        m->field_count++;
    }
    return 0;
}

/*
 * RFC 9112 6.3, steps 1 and 2: such responses end with their head, whatever length they
 * announce.
 */
static bool has_no_body(const struct message *m)
{
    unsigned status = m->parser.status_code;

    return m->parser.type == HTTP_RESPONSE &&
           (m->body_is_absent || status < 200 || status == 204 || status == 304);
}

static int on_head_end(llhttp_t *parser)
{
    struct message *m = message_of(parser);

    m->state = MESSAGE_BODY;
    return has_no_body(m) ? 1 : HPE_PAUSED;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct message *m = message_of(parser);

    if (m->on_body && !m->on_body(m->context, at, length))
        return break_off(m, 0, "the receiver of the body gave up");
    return 0;
}

static int on_end(llhttp_t *parser)
{
    message_of(parser)->state = MESSAGE_DONE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_url_complete = on_start_line,
    .on_status = on_reason_phrase,
    .on_status_complete = on_start_line,
    .on_header_field = on_field_name,
    .on_header_field_complete = on_field_name_end,
    .on_header_value = on_field_value,
    .on_header_value_complete = on_field_value_end,
    .on_headers_complete = on_head_end,
    .on_body = on_body,
    .on_message_complete = on_end,
};

void sw_http_message_init(struct message *m, bool is_request, const struct message_limits *limits)
{
    struct writer store = m->store;

    memset(m, 0, sizeof *m);
    store.used = 0;
    store.failed = false;
    m->store = store;
    m->limits = limits;
    llhttp_init(&m->parser, is_request ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
    m->parser.data = m;
}

void sw_http_message_free(struct message *m)
{
    sw_http_writer_free(&m->store);
}

/*
 * RFC 9110 9.1: a method that is none of llhttp's is 501; what is no request line at all is 400. The
 * parser may complain before the method is whole, depending on how it was cut into segments: its
 * first character decides.
 */
static void judge_method(struct message *m)
{
    struct text begin = {m->begin, m->begin_length};

    if (begin.length && sw_http_text_is_token(text_part(begin, 0, 1)))
        break_off(m, 501, "the method is not known");
    else
        break_off(m, 400, "not an HTTP request");
}

static void judge_error(struct message *m, llhttp_errno_t error)
{
    switch (error) {
    case HPE_USER: /* a callback broke it off and said why */
        break_off(m, 400, "refused");
        break;
    case HPE_INVALID_METHOD:
        judge_method(m);
        break;
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
        break_off(m, 505, "the version of HTTP is not supported");
        break;
    case HPE_INVALID_TRANSFER_ENCODING:
        break_off(m, 400, "the transfer coding leaves the length open");
        break;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        break_off(m, 400, "contradicting lengths");
        break;
    default:
        break_off(m, 400, llhttp_get_error_reason(&m->parser));
    }
}

/*
 * What is wrong with the line ends of a head, or NULL. @before: the byte before these, or 0. A
 * folded line is an error of requests only: RFC 9112 5.2 has a client take it as a space, as llhttp
 * does.
 */
static const char *check_lines(const char *bytes, size_t length, char before, bool is_request)
{
    for (size_t i = 0; i < length; before = bytes[i++]) {
        if (bytes[i] == '\n' && before != '\r')
            return "a line that does not end in CR LF";
        if (is_request && before == '\n' && (bytes[i] == ' ' || bytes[i] == '\t'))
            return "a folded line";
    }
    return NULL;
}

/* What was eaten of the head: its limit, its line ends. */
static void account_head(struct message *m, const char *bytes, size_t length)
{
    bool is_request = m->parser.type == HTTP_REQUEST;
    const char *trouble = check_lines(bytes, length, m->last_byte, is_request);

    if (trouble)
        break_off(m, 400, trouble);
    if (length)
        m->last_byte = bytes[length - 1];
    m->head_bytes += (uint32_t)length;
    if (m->head_bytes > m->limits->head)
        break_off(m, 431, "the head of the message is too large");
}

static void note_begin(struct message *m, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && m->begin_length < sizeof m->begin; i++)
        if (m->begin_length || (bytes[i] != '\r' && bytes[i] != '\n'))
            m->begin[m->begin_length++] = bytes[i];
}

size_t sw_http_message_feed(struct message *m, const char *bytes, size_t length)
{
    bool in_head = m->state < MESSAGE_BODY;
    size_t eaten = length;
    llhttp_errno_t error;

    /* Without a byte: a message that has no body ends after its head. */
    if (m->state >= MESSAGE_DONE || (!length && in_head))
        return 0;
    /* No more than the limit allows is looked at, so that no callback stores beyond it. */
    if (in_head && length > m->limits->head + 1 - m->head_bytes)
        eaten = length = m->limits->head + 1 - m->head_bytes;
    note_begin(m, bytes, length);
    if (llhttp_get_errno(&m->parser) == HPE_PAUSED)
        llhttp_resume(&m->parser);
    error = llhttp_execute(&m->parser, bytes, length);
    if (error != HPE_OK)
        eaten = (size_t)(llhttp_get_error_pos(&m->parser) - bytes);
    /* An upgrade is not for us: the message simply ends there (RFC 9110 7.8 lets us ignore it). */
    if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE)
        judge_error(m, error);
    if (in_head)
        account_head(m, bytes, eaten);
    return eaten;
}

void sw_http_message_finish(struct message *m)
{
    if (m->state == MESSAGE_EMPTY || m->state >= MESSAGE_DONE)
        return;
    if (llhttp_get_errno(&m->parser) == HPE_PAUSED)
        llhttp_resume(&m->parser);
    if (llhttp_finish(&m->parser) != HPE_OK && m->state != MESSAGE_DONE)
        break_off(m, 400, "the stream ended inside the message");
}

const char *sw_http_message_target(const struct message *m)
{
    return m->field_start ? m->store.bytes : "";
}

const char *sw_http_message_method(const struct message *m)
{
    return llhttp_method_name((llhttp_method_t)m->parser.method);
}

/* What is kept from @at up to the next NUL. */
static struct text kept(const struct message *m, size_t at)
{
    size_t most = at < m->store.used ? m->store.used - at : 0;

    return (struct text){m->store.bytes + at, strnlen(m->store.bytes + at, most)};
}

bool sw_http_message_next(const struct message *m, size_t *cursor, struct text *name,
                          struct text *value)
{
    if (!*cursor)
        *cursor = m->target_length + 1u;
    if (*cursor >= m->field_start)
        return false;
    *name = kept(m, *cursor);
    *value = kept(m, *cursor + name->length + 1);
    *cursor += name->length + value->length + 2;
    *value = sw_http_text_trim(*value);
    return true;
}

bool sw_http_message_field(const struct message *m, const char *name, unsigned nth,
                           struct text *value)
{
    struct text found;
    size_t cursor = 0;

    while (sw_http_message_next(m, &cursor, &found, value))
        if (sw_http_text_matches(found, name) && nth-- == 0)
            return true;
    *value = text_of("");
    return false;
}

unsigned sw_http_message_count(const struct message *m, const char *name)
{
    struct text found, value;
    unsigned count = 0;
    size_t cursor = 0;

    while (sw_http_message_next(m, &cursor, &found, &value))
        count += sw_http_text_matches(found, name);
    return count;
}

struct text sw_http_message_list(struct message *m, const char *name)
{
    unsigned count = sw_http_message_count(m, name);
    struct text found, value;
    size_t cursor = 0, length = 0, start;

    sw_http_message_field(m, name, 0, &value);
    if (count < 2)
        return value;
    while (sw_http_message_next(m, &cursor, &found, &value))
        length += sw_http_text_matches(found, name) ? value.length + 1 : 0;
    if (!sw_http_writer_reserve(&m->store, length))
        return text_of("");
    /* With the room reserved nothing moves while writing. */
    start = m->store.used;
    cursor = 0;
    while (sw_http_message_next(m, &cursor, &found, &value)) {
        if (!sw_http_text_matches(found, name))
            continue;
        sw_http_write(&m->store, value);
        sw_http_write(&m->store, text_of(","));
    }
    return (struct text){m->store.bytes + start, length};
}
