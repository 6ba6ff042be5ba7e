/*
 * mime.h - The media type of a file, by the end of its name.
 */
#ifndef SW_HTTP_MIME_H
#define SW_HTTP_MIME_H

#include "http/text.h"

/* Static storage; "application/octet-stream" for what is not known. */
const char *sw_http_mime_type(struct text name);

#endif
