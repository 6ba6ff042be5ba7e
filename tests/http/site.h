/*
 * site.h - A folder with known files, made for a test and removed after it.
 *
 *     index.html "<p>home\n"     sub/a.txt "0123456789"     sub/<odd> name, empty/, bare/
 *     links: in -> sub/a.txt, out -> /etc/passwd, up -> ../, absolute -> its own sub/a.txt
 *     fifo, secret (no permission), loop -> loop
 */
#ifndef TEST_HTTP_SITE_H
#define TEST_HTTP_SITE_H

#include <stdbool.h>
#include <stddef.h>

/* When the files changed: Sun, 06 Nov 1994 08:49:37 GMT. */
#define SITE_CHANGED 784111777

/* Returns its path; valid until site_remove(). */
const char *site_make(void);
void site_remove(void);
/* (Re)writes a file of it, dated SITE_CHANGED. */
void site_write(const char *name, const void *bytes, size_t length);
/* The path of a file in it; valid until the next call. */
const char *site_path(const char *name);

#endif
