/*
 * text.c - Comparing, splitting and writing text.
 */
#include "http/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

bool sw_http_text_is_token(struct text t)
{
    for (size_t i = 0; i < t.length; i++)
        if (!is_alphanumeric(t.at[i]) && (!t.at[i] || !strchr("!#$%&'*+-.^_`|~", t.at[i])))
            return false;
    return t.length > 0;
}

bool sw_http_text_equals(struct text a, struct text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

bool sw_http_text_matches(struct text t, const char *string)
{
    size_t i = 0;

    for (; i < t.length && string[i]; i++)
        if (lower(t.at[i]) != lower(string[i]))
            return false;
    return i == t.length && !string[i];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text sw_http_text_trim(struct text t)
{
    while (t.length && is_blank(t.at[0]))
        t = text_part(t, 1, t.length);
    while (t.length && is_blank(t.at[t.length - 1]))
        t.length--;
    return t;
}

bool sw_http_text_decimal(struct text t, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < t.length; i++) {
        uint64_t digit = (uint64_t)(t.at[i] - '0');
        if (t.at[i] < '0' || t.at[i] > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return t.length > 0;
}

/* Where the first element ends: at a comma outside quotes, or at the end. */
static size_t element_end(struct text t)
{
    bool quoted = false;

    for (size_t i = 0; i < t.length; i++) {
        if (t.at[i] == '"')
            quoted = !quoted;
        else if (t.at[i] == '\\' && quoted)
            i++;
        else if (t.at[i] == ',' && !quoted)
            return i;
    }
    return t.length;
}

bool sw_http_list_next(struct text *rest, struct text *element)
{
    while (rest->length) {
        size_t end = element_end(*rest);

        *element = sw_http_text_trim(text_part(*rest, 0, end));
        *rest = text_part(*rest, end < rest->length ? end + 1 : end, rest->length);
        if (element->length)
            return true;
    }
    return false;
}

bool sw_http_list_has(struct text list, const char *token)
{
    struct text element;

    while (sw_http_list_next(&list, &element))
        if (sw_http_text_matches(element, token))
            return true;
    return false;
}

void sw_http_writer_free(struct writer *w)
{
    free(w->bytes);
    *w = (struct writer){0};
}

bool sw_http_writer_reserve(struct writer *w, size_t length)
{
    size_t size = w->size ? w->size : 512;
    char *bytes;

    if (w->failed)
        return false;
    if (w->size - w->used >= length)
        return true;
    while (size - w->used < length)
        size *= 2;
    bytes = realloc(w->bytes, size);
    if (!bytes) {
        w->failed = true;
        return false;
    }
    w->bytes = bytes;
    w->size = size;
    return true;
}

void sw_http_write(struct writer *w, struct text t)
{
    if (!t.length || !sw_http_writer_reserve(w, t.length))
        return;
    memcpy(w->bytes + w->used, t.at, t.length);
    w->used += t.length;
}

void sw_http_write_format(struct writer *w, const char *format, ...)
{
    va_list list;
    int length;

    va_start(list, format);
    length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (length < 0 || !sw_http_writer_reserve(w, (size_t)length + 1))
        return;
    va_start(list, format);
    vsnprintf(w->bytes + w->used, (size_t)length + 1, format, list);
    va_end(list);
    w->used += (size_t)length;
}

void sw_http_write_escaped(struct writer *w, struct text t)
{
    for (size_t i = 0; i < t.length; i++) {
        switch (t.at[i]) {
        case '&':
            sw_http_write(w, text_of("&amp;"));
            break;
        case '<':
            sw_http_write(w, text_of("&lt;"));
            break;
        case '>':
            sw_http_write(w, text_of("&gt;"));
            break;
        case '"':
            sw_http_write(w, text_of("&quot;"));
            break;
        case '\'':
            sw_http_write(w, text_of("&#39;"));
            break;
        default:
            sw_http_write(w, text_part(t, i, i + 1));
        }
    }
}

void sw_http_write_encoded(struct writer *w, struct text t)
{
    for (size_t i = 0; i < t.length; i++) {
        if (is_alphanumeric(t.at[i]) || (t.at[i] && strchr("-._~/", t.at[i])))
            sw_http_write(w, text_part(t, i, i + 1));
        else
            sw_http_write_format(w, "%%%02X", (unsigned char)t.at[i]);
    }
}
