/*
 * date.h - HTTP dates: seconds since 1970 to text and back. RFC 9110 5.6.7.
 */
#ifndef SW_HTTP_DATE_H
#define SW_HTTP_DATE_H

#include "http/text.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" and the NUL. */
#define HTTP_DATE_TEXT 30

/* IMF-fixdate. Years outside 1970..9999 are clamped. Returns @out. */
char *sw_http_date_format(int64_t seconds, char out[HTTP_DATE_TEXT]);
/*
 * IMF-fixdate and the two obsolete forms. @now decides the century of two-digit years: more than 50
 * years ahead means the past. False if it is no date.
 */
bool sw_http_date_parse(struct text t, int64_t now, int64_t *out);

#endif
