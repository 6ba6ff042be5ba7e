/*
 * path.c - Taking a request target apart: escapes, empty and dot segments.
 *
 *     "/a//b/./%63/../d%20e/?q"  ->  "a/b/d e", a folder
 *
 * Segments are decoded first and judged then, so that "%2e%2e" is no way around "..". This alone
 * keeps nobody in the folder (symbolic links): folder.c does.
 */
#include "http/path.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct text sw_http_path_query(struct text target)
{
    const char *mark = target.length ? memchr(target.at, '?', target.length) : NULL;

    if (!mark)
        return text_part(target, target.length, target.length);
    return text_part(target, (size_t)(mark - target.at), target.length);
}

/* Cuts "http://authority" and the query off. False if what is left does not begin with a slash. */
static bool isolate_path(struct text *t)
{
    struct text query = sw_http_path_query(*t);

    t->length -= query.length;
    if (t->length >= 7 && sw_http_text_matches(text_part(*t, 0, 7), "http://")) {
        const char *slash;

        *t = text_part(*t, 7, t->length);
        slash = t->length ? memchr(t->at, '/', t->length) : NULL;
        if (!slash || slash == t->at) {
            if (slash || !t->length)
                return false;
            *t = text_of("/");
            return true;
        }
        *t = text_part(*t, (size_t)(slash - t->at), t->length);
    }
    return t->length > 0 && t->at[0] == '/';
}

/* Decodes one segment to @out; its length, or minus the status to answer. */
static int decode_segment(struct text segment, char *out)
{
    int length = 0;

    for (size_t i = 0; i < segment.length; i++) {
        unsigned char c = (unsigned char)segment.at[i];

        if (c == '%') {
            bool whole = i + 2 < segment.length;
            int high = whole ? hex_value(segment.at[i + 1]) : -1;
            int low = whole ? hex_value(segment.at[i + 2]) : -1;

            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return -400;
            c = (unsigned char)(high * 16 + low);
            if (c == '/')
                return -404; /* no name holds a slash */
            i += 2;
        } else if (c <= ' ' || c >= 0x7f || c == '#') {
            return -400;
        }
        out[length++] = (char)c;
    }
    return length;
}

/* Where the last segment of @path begins, its slash included. */
static size_t parent_end(const char *path, size_t length)
{
    while (length > 0 && path[length - 1] != '/')
        length--;
    return length > 0 ? length - 1 : 0;
}

unsigned sw_http_path_read(struct text target, char *out, size_t size, bool *is_folder)
{
    size_t used = 0;

    if (!isolate_path(&target) || target.length >= size)
        return 400;
    *is_folder = true;
    for (size_t at = 1, end; at <= target.length; at = end + 1) {
        size_t start = used ? used + 1 : 0;
        int length;

        for (end = at; end < target.length && target.at[end] != '/'; end++)
            ;
        length = decode_segment(text_part(target, at, end), out + start);
        if (length < 0)
            return (unsigned)-length;
        *is_folder = true;
        if (length == 0 || (length == 1 && out[start] == '.'))
            continue;
        if (length == 2 && out[start] == '.' && out[start + 1] == '.') {
            if (used == 0)
                return 400;
            used = parent_end(out, used);
            continue;
        }
        if (start)
            out[used] = '/';
        used = start + (size_t)length;
        *is_folder = false;
    }
    out[used] = '\0';
    return 0;
}
