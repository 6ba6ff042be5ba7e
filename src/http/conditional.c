/*
 * conditional.c - The order of preconditions is RFC 9110's (13.2.2), step by step.
 *
 * The tag is made of time of change, size and inode, as a file that changes differs in one of them;
 * nanoseconds make it strong enough for ranges (8.8.1).
 */
#include "http/conditional.h"

#include "http/date.h"

#include <stdio.h>

void sw_http_version_init(struct version *v, uint64_t size, int64_t modified, long nanoseconds,
                          uint64_t inode)
{
    v->size = size;
    v->modified = modified;
    snprintf(v->etag, sizeof v->etag, "\"%llx%08lx-%llx-%llx\"", (unsigned long long)modified,
             (unsigned long)nanoseconds, (unsigned long long)size, (unsigned long long)inode);
}

static bool is_weak(struct text tag)
{
    return tag.length >= 2 && tag.at[0] == 'W' && tag.at[1] == '/';
}

/* RFC 9110 8.8.3.2: weak comparison passes over "W/", strong comparison fails on it. */
static bool tag_is(struct text tag, const struct version *v, bool weakly)
{
    if (is_weak(tag)) {
        if (!weakly)
            return false;
        tag = text_part(tag, 2, tag.length);
    }
    return sw_http_text_equals(tag, text_of(v->etag));
}

static bool tag_is_in(struct text list, const struct version *v, bool weakly)
{
    struct text tag;

    while (sw_http_list_next(&list, &tag))
        if (sw_http_text_matches(tag, "*") || tag_is(tag, v, weakly))
            return true;
    return false;
}

enum precondition sw_http_precondition_check(const struct conditions *c, const struct version *v,
                                             int64_t now)
{
    int64_t date;

    if (c->if_match.length) { /* step 1 */
        if (!tag_is_in(c->if_match, v, false))
            return PRECONDITION_FAILED;
    } else if (sw_http_date_parse(c->if_unmodified_since, now, &date)) { /* step 2 */
        if (v->modified > date)
            return PRECONDITION_FAILED;
    }
    if (c->if_none_match.length) { /* step 3; ours are GET and HEAD */
        if (tag_is_in(c->if_none_match, v, true))
            return PRECONDITION_NOT_MODIFIED;
    } else if (sw_http_date_parse(c->if_modified_since, now, &date)) { /* step 4 */
        if (v->modified <= date)
            return PRECONDITION_NOT_MODIFIED;
    }
    return PRECONDITION_HOLDS;
}

bool sw_http_range_is_current(const struct conditions *c, const struct version *v, int64_t now)
{
    struct text validator = sw_http_text_trim(c->if_range);
    int64_t date;

    if (!validator.length)
        return true;
    if (validator.at[0] == '"' || is_weak(validator))
        return tag_is(validator, v, false);
    /* 8.8.2.2: a date is strong if the file could not change again within that second. */
    return sw_http_date_parse(validator, now, &date) && date == v->modified && date < now;
}
