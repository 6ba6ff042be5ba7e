/*
 * folder.c - The wall around the folder: openat2() with RESOLVE_BENEATH, or a walk without links.
 *
 * The kernel resolves the whole path and refuses it if any step leaves the folder, whatever others
 * do to the tree meanwhile. Links inside that stay inside work; absolute ones do not. Where the
 * call is missing (or a sandbox forbids it), each component is opened by itself and links are
 * refused.
 */
#define _GNU_SOURCE
#include "http/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define MAX_TRIES 8

int sw_http_folder_init(struct folder *f, int fd, const char *path)
{
    f->walk = false;
    f->fd =
        fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->fd < 0 ? -errno : 0;
}

void sw_http_folder_dispose(struct folder *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

static int open_beneath(const struct folder *f, const char *path)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    /* EAGAIN: something was renamed meanwhile, and the kernel could not tell. */
    for (int tries = 0; tries < MAX_TRIES; tries++) {
        long fd = syscall(SYS_openat2, f->fd, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

static int open_walking(const struct folder *f, const char *path)
{
    char name[256];
    int here = f->fd;

    for (;;) {
        size_t length = strcspn(path, "/");
        bool last = path[length] == '\0';
        int flags = last ? OPEN_FLAGS | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int next, error = 0;

        if (length >= sizeof name)
            error = ENAMETOOLONG;
        memcpy(name, path, error ? 0 : length);
        name[error ? 0 : length] = '\0';
        if (!strcmp(name, ".."))
            error = EXDEV;
        next = error ? -1 : openat(here, name, flags);
        if (next < 0 && !error)
            error = errno;
        if (here != f->fd)
            close(here);
        if (next < 0)
            return -error;
        if (last)
            return next;
        here = next;
        path += length + 1;
    }
}

int sw_http_folder_open(struct folder *f, const char *path)
{
    if (!*path)
        path = ".";
    if (!f->walk) {
        int fd = open_beneath(f, path);
        /* Sandboxes that do not know the call say EPERM; for a file that is EACCES. */
        if (fd != -ENOSYS && fd != -EPERM)
            return fd;
        f->walk = fd == -ENOSYS;
    }
    return open_walking(f, path);
}

unsigned sw_http_folder_status(int error)
{
    switch (error < 0 ? -error : error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case EXDEV: /* leads out of the folder */
    case ELOOP:
    case ENXIO: /* a socket */
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return 503;
    default:
        return 500;
    }
}
