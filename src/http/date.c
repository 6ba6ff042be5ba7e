/*
 * date.c - HTTP dates, with a calendar of our own: the C library's depends on locale and zone.
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the one we write
 *     Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
 *     Sun Nov  6 08:49:37 1994          asctime
 *
 * RFC 9110 5.6.7. The name of the day is checked for being one, not for being right.
 */
#include "http/date.h"

#include <stdio.h>

#define DAY INT64_C(86400)

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";

struct civil {
    int64_t year;
    int month, day; /* from 1 */
    int hour, minute, second;
};

/*
 * Days since 1970-01-01 in the proleptic Gregorian calendar; the year is taken to begin in
 * March.
 */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

/* The inverse, for days from 0 on. */
static void civil_of(int64_t days, struct civil *c)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted % 146097;
    int64_t year =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */

    c->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    c->month = (int)(month < 10 ? month + 3 : month - 9);
    c->year = year + era * 400 + (c->month <= 2);
}

char *sw_http_date_format(int64_t seconds, char out[HTTP_DATE_TEXT])
{
    const int64_t last = INT64_C(253402300799); /* 9999-12-31 23:59:59 */
    int64_t days, rest;
    struct civil c;

    seconds = seconds < 0 ? 0 : seconds > last ? last : seconds;
    days = seconds / DAY;
    rest = seconds % DAY;
    civil_of(days, &c);
    snprintf(out, HTTP_DATE_TEXT, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             day_names + 3 * ((days + 4) % 7), (unsigned)c.day % 100u,
             month_names + 3 * (c.month - 1), (unsigned)c.year % 10000u,
             (unsigned)(rest / 3600) % 100u, (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    return out;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Eats @string; false if something else stands there. */
static bool eat(struct text *t, const char *string)
{
    size_t length = strlen(string);

    if (t->length < length || memcmp(t->at, string, length))
        return false;
    *t = text_part(*t, length, t->length);
    return true;
}

static bool eat_number(struct text *t, size_t digits, int *out)
{
    uint64_t value;

    if (t->length < digits || !sw_http_text_decimal(text_part(*t, 0, digits), &value))
        return false;
    *out = (int)value;
    *t = text_part(*t, digits, t->length);
    return true;
}

/* One of the three-letter names in @names; *out counts from 0. */
static bool eat_name(struct text *t, const char *names, int *out)
{
    for (int i = 0; names[3 * i]; i++) {
        if (t->length >= 3 && !memcmp(t->at, names + 3 * i, 3)) {
            *out = i;
            *t = text_part(*t, 3, t->length);
            return true;
        }
    }
    return false;
}

static bool eat_clock(struct text *t, struct civil *c)
{
    return eat_number(t, 2, &c->hour) && eat(t, ":") && eat_number(t, 2, &c->minute) &&
           eat(t, ":") && eat_number(t, 2, &c->second) && c->hour < 24 && c->minute < 60 &&
           c->second <= 60; /* a leap second */
}

static bool read_fixdate(struct text t, struct civil *c)
{
    int year;

    if (!eat(&t, ", ") || !eat_number(&t, 2, &c->day) || !eat(&t, " ") ||
        !eat_name(&t, month_names, &c->month) || !eat(&t, " ") || !eat_number(&t, 4, &year) ||
        !eat(&t, " ") || !eat_clock(&t, c) || !eat(&t, " GMT"))
        return false;
    c->year = year;
    return t.length == 0;
}

static bool read_rfc850(struct text t, int64_t now, struct civil *c)
{
    struct civil today;
    int year;

    if (!eat(&t, ", ") || !eat_number(&t, 2, &c->day) || !eat(&t, "-") ||
        !eat_name(&t, month_names, &c->month) || !eat(&t, "-") || !eat_number(&t, 2, &year) ||
        !eat(&t, " ") || !eat_clock(&t, c) || !eat(&t, " GMT"))
        return false;
    civil_of(now < 0 ? 0 : now / DAY, &today);
    c->year = today.year / 100 * 100 + year;
    if (c->year > today.year + 50)
        c->year -= 100;
    return t.length == 0;
}

static bool read_asctime(struct text t, struct civil *c)
{
    int year;

    if (!eat(&t, " ") || !eat_name(&t, month_names, &c->month) || !eat(&t, " ") ||
        !(eat(&t, " ") ? eat_number(&t, 1, &c->day) : eat_number(&t, 2, &c->day)) ||
        !eat(&t, " ") || !eat_clock(&t, c) || !eat(&t, " ") || !eat_number(&t, 4, &year))
        return false;
    c->year = year;
    return t.length == 0;
}

static bool eat_long_day(struct text *t)
{
    static const char *const rest[] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
    int day;

    return eat_name(t, day_names, &day) && eat(t, rest[day]);
}

static bool civil_is_valid(const struct civil *c)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
    int length = lengths[c->month - 1] + (c->month == 2 && leap);

    return c->day >= 1 && c->day <= length && c->year >= 1;
}

bool sw_http_date_parse(struct text t, int64_t now, int64_t *out)
{
    struct civil c = {0};
    struct text rest = t;
    int day;
    bool read;

    if (eat_long_day(&rest)) {
        read = read_rfc850(rest, now, &c);
    } else {
        rest = t;
        read =
            eat_name(&rest, day_names, &day) && (read_fixdate(rest, &c) || read_asctime(rest, &c));
    }
    c.month++;
    if (!read || !civil_is_valid(&c))
        return false;
    *out = days_of(c.year, c.month, c.day) * DAY + c.hour * 3600 + c.minute * 60 + c.second;
    return true;
}
