/*
 * url.h - URLs of the client: taking them apart and following references. RFC 3986, RFC 9110 4.2.
 */
#ifndef SW_HTTP_URL_H
#define SW_HTTP_URL_H

#include "http/text.h"

#include <sanwo/address.h>

struct url {
    char host[256];      /* a name or an address without brackets */
    char authority[272]; /* as in the Host field: brackets, and the port if it is not 80 */
    uint16_t port;
    char *target; /* path and query, encoded, without a fragment; owned */
};

/*
 * Reads an http URL; a missing "http://" is taken as said. NULL, or a phrase that says why not;
 * then *u owns nothing.
 */
const char *sw_http_url_read(struct url *u, struct text url);
/* RFC 3986 5.2: what @reference, found at @base, leads to. */
const char *sw_http_url_follow(struct url *u, const struct url *base, struct text reference);
void sw_http_url_free(struct url *u);

#endif
