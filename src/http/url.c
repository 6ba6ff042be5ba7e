/*
 * url.c - http://host:port/path?query#fragment
 */
#include "http/url.h"

#include <stdio.h>
#include <stdlib.h>

#define HTTP_PORT 80

/* Where the first of @set stands, or the end. */
static size_t find_any(struct text t, const char *set)
{
    size_t at = 0;

    while (at < t.length && (!t.at[at] || !strchr(set, t.at[at])))
        at++;
    return at;
}

static struct text rest_from(struct text t, size_t at)
{
    return text_part(t, at < t.length ? at : t.length, t.length);
}

/* RFC 3986 3.1: the scheme, without its colon; empty if there is none. */
static struct text scheme_of(struct text t)
{
    size_t end = find_any(t, ":/?#[@");
    struct text scheme = text_part(t, 0, end);

    /* "host:8080" is a host with a port. */
    if (end + 2 >= t.length || memcmp(t.at + end, "://", 3))
        scheme.length = 0;
    return scheme;
}

static const char *read_host(struct url *u, struct text host)
{
    bool is_ipv6 = host.length > 1 && host.at[0] == '[' && host.at[host.length - 1] == ']';
    struct sanwo_address address;

    if (is_ipv6)
        host = text_part(host, 1, host.length - 1);
    if (!host.length)
        return "it names no host";
    if (host.length >= sizeof u->host)
        return "its host is too long";
    for (size_t i = 0; i < host.length; i++)
        if ((unsigned char)host.at[i] <= ' ' || host.at[i] == 0x7f ||
            strchr("[]<>\"\\^`{|}%", host.at[i]))
            return "its host holds characters that no host has";
    memcpy(u->host, host.at, host.length);
    u->host[host.length] = '\0';
    if (is_ipv6 && (!sanwo_address_parse(u->host, &address) || address.family != SANWO_FAMILY_IPV6))
        return "what stands in brackets is no IPv6 address";
    if (!is_ipv6 && strchr(u->host, ':'))
        return "an IPv6 address must stand in brackets, as in http://[::1]/";
    return NULL;
}

static const char *read_authority(struct url *u, struct text authority)
{
    struct text host = authority, port = {NULL, 0};
    size_t bracket = authority.length && authority.at[0] == '[' ? find_any(authority, "]") : 0;
    size_t colon = bracket + find_any(rest_from(authority, bracket), ":");
    uint64_t number = HTTP_PORT;
    const char *trouble;
    bool is_ipv6;

    if (find_any(authority, "@") < authority.length)
        return "names and passwords in URLs are not supported; use -H 'Authorization: ...'";
    if (colon < authority.length) {
        host = text_part(authority, 0, colon);
        port = rest_from(authority, colon + 1);
        if (bracket == 0 && find_any(port, ":") < port.length)
            return "an IPv6 address must stand in brackets, as in http://[::1]/";
    }
    if (port.length && (!sw_http_text_decimal(port, &number) || number == 0 || number > 65535))
        return "its port is not a number from 1 to 65535";
    trouble = read_host(u, host);
    if (trouble)
        return trouble;
    u->port = (uint16_t)number;
    is_ipv6 = strchr(u->host, ':') != NULL;
    snprintf(u->authority, sizeof u->authority, "%s%s%s", is_ipv6 ? "[" : "", u->host,
             is_ipv6 ? "]" : "");
    if (u->port != HTTP_PORT)
        snprintf(u->authority + strlen(u->authority), sizeof u->authority - strlen(u->authority),
                 ":%u", u->port);
    return NULL;
}

/* RFC 3986 5.2.4, in place on a path that begins with a slash. */
static size_t remove_dots(char *path, size_t length)
{
    size_t out = 0, at = 0;

    while (at < length) {
        size_t end = at + 1;
        size_t segment;

        while (end < length && path[end] != '/')
            end++;
        segment = end - at - 1;
        if (segment == 1 && path[at + 1] == '.') {
            if (end == length)
                path[out++] = '/';
        } else if (segment == 2 && path[at + 1] == '.' && path[at + 2] == '.') {
            while (out > 0 && path[--out] != '/')
                ;
            if (end == length)
                path[out++] = '/';
        } else {
            memmove(path + out, path + at, end - at);
            out += end - at;
        }
        at = end;
    }
    return out;
}

/* Path and query: what may not stand there is encoded; an escape that is there stays. */
static const char *read_target(struct url *u, struct text path_and_query)
{
    struct text t = text_part(path_and_query, 0, find_any(path_and_query, "#"));
    struct text path = text_part(t, 0, find_any(t, "?"));
    struct writer w = {0};

    if (!path.length)
        sw_http_write(&w, text_of("/"));
    for (size_t i = 0; i < t.length; i++) {
        if (i == path.length && !w.failed)
            w.used = remove_dots(w.bytes, w.used);
        if ((unsigned char)t.at[i] <= ' ' || (unsigned char)t.at[i] >= 0x7f ||
            strchr("\"<>\\^`{|}", t.at[i]))
            sw_http_write_format(&w, "%%%02X", (unsigned char)t.at[i]);
        else
            sw_http_write(&w, text_part(t, i, i + 1));
    }
    if (path.length == t.length && !w.failed)
        w.used = remove_dots(w.bytes, w.used);
    if (!w.used)
        sw_http_write(&w, text_of("/"));
    sw_http_write(&w, (struct text){"", 1});
    if (w.failed) {
        sw_http_writer_free(&w);
        return "there is no memory for it";
    }
    u->target = w.bytes;
    return NULL;
}

const char *sw_http_url_read(struct url *u, struct text url)
{
    struct text scheme = scheme_of(url);
    const char *trouble;
    size_t end;

    memset(u, 0, sizeof *u);
    if (sw_http_text_matches(scheme, "https"))
        return "https is not supported: there is no TLS here; use an http:// URL";
    if (scheme.length && !sw_http_text_matches(scheme, "http"))
        return "only http:// URLs are supported";
    if (scheme.length)
        url = rest_from(url, scheme.length + 3);
    end = find_any(url, "/?#");
    trouble = read_authority(u, text_part(url, 0, end));
    return trouble ? trouble : read_target(u, rest_from(url, end));
}

const char *sw_http_url_follow(struct url *u, const struct url *base, struct text reference)
{
    struct text whole = {NULL, 0};
    size_t colon = find_any(reference, ":/?#");
    bool is_absolute = colon < reference.length && reference.at[colon] == ':';
    struct text path = text_of(base->target);
    struct writer w = {0};
    const char *trouble;

    if (is_absolute && !scheme_of(reference).length)
        return "only http:// URLs are supported";
    path = text_part(path, 0, find_any(path, "?"));
    if (!is_absolute)
        sw_http_write(&w, text_of("http:"));
    if (!is_absolute && (reference.length < 2 || memcmp(reference.at, "//", 2))) {
        sw_http_write(&w, text_of("//"));
        sw_http_write(&w, text_of(base->authority));
        if (!reference.length || reference.at[0] == '#')
            path = text_of(base->target);
        else if (reference.at[0] == '/')
            path.length = 0;
        else if (reference.at[0] != '?')
            while (path.length && path.at[path.length - 1] != '/')
                path.length--;
        sw_http_write(&w, path);
    }
    sw_http_write(&w, reference);
    whole = (struct text){w.bytes, w.used};
    trouble = w.failed ? "there is no memory for it" : sw_http_url_read(u, whole);
    sw_http_writer_free(&w);
    return trouble;
}

void sw_http_url_free(struct url *u)
{
    free(u->target);
    u->target = NULL;
}
