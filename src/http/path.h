/*
 * path.h - From a request target to the path of a file below the folder. RFC 9112 3.2, RFC 3986
 * 5.2.4.
 */
#ifndef SW_HTTP_PATH_H
#define SW_HTTP_PATH_H

#include "http/text.h"

/*
 * Reads the origin-form ("/a/b?q") or absolute-form ("http://host/a/b?q") of @target. Writes the
 * decoded path without slashes at its ends, "" for the folder itself, into @out of @size bytes,
 * which must be more than the target's. *is_folder: the target ended with a slash. Returns 0, or
 * the status to answer: 400 for what is malformed or climbs out, 404 for what can name no file.
 */
unsigned sw_http_path_read(struct text target, char *out, size_t size, bool *is_folder);
/* The part from '?' on, with it; empty if there is none. */
struct text sw_http_path_query(struct text target);

#endif
