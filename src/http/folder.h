/*
 * folder.h - Opening files below a folder, and nowhere else.
 */
#ifndef SW_HTTP_FOLDER_H
#define SW_HTTP_FOLDER_H

#include <sanwo/types.h>

struct folder {
    int fd;
    bool walk; /* the kernel has no openat2(): go component by component, following no link */
};

/* Takes a copy of @fd, or opens @path if that is -1. 0 or -errno. */
int sw_http_folder_init(struct folder *f, int fd, const char *path);
void sw_http_folder_dispose(struct folder *f);
/*
 * Opens what @path ("" is the folder itself) names for reading; never blocks on a FIFO. A
 * descriptor, or -errno: -EXDEV or -ELOOP if a link leads out.
 */
int sw_http_folder_open(struct folder *f, const char *path);
/* The status to answer for such an error. */
unsigned sw_http_folder_status(int error);

#endif
