/*
 * listing.h - The page of links for a folder that has no index.
 */
#ifndef SW_HTTP_LISTING_H
#define SW_HTTP_LISTING_H

#include "http/text.h"

/* Writes the page about the folder open as @fd, which stays the caller's. 0 or -errno. */
int sw_http_listing_write(struct writer *w, int fd, const char *path);

#endif
