/*
 * site.c - Making the folder that tests serve.
 */
#define _GNU_SOURCE
#include "site.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[64];

static void check(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    abort();
}

const char *site_path(const char *name)
{
    static char path[320];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void site_write(const char *name, const void *bytes, size_t length)
{
    const struct timespec times[2] = {{SITE_CHANGED, 123}, {SITE_CHANGED, 123}};
    int fd = open(site_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    check(fd >= 0 && write(fd, bytes, length) == (ssize_t)length, name);
    check(futimens(fd, times) == 0, name);
    close(fd);
}

const char *site_make(void)
{
    char target[128];

    strcpy(folder, "/tmp/sanwo-site-XXXXXX");
    check(mkdtemp(folder) != NULL, folder);
    check(!mkdir(site_path("sub"), 0755) && !mkdir(site_path("empty"), 0755) &&
              !mkdir(site_path("bare"), 0755),
          "mkdir");
    site_write("index.html", "<p>home\n", 8);
    site_write("sub/a.txt", "0123456789", 10);
    site_write("sub/<odd> & \"name\"", "?", 1);
    site_write("sub/.hidden", "h", 1);
    site_write("zero", "", 0);
    site_write("bare/index.html", "bare\n", 5);
    site_write("secret", "s", 1);
    check(!chmod(site_path("secret"), 0), "chmod");
    check(!symlink("sub/a.txt", site_path("in")) && !symlink("/etc/passwd", site_path("out")) &&
              !symlink("..", site_path("up")) && !symlink("loop", site_path("loop")),
          "symlink");
    snprintf(target, sizeof target, "%s/sub/a.txt", folder);
    check(!symlink(target, site_path("absolute")), "symlink");
    check(!mkfifo(site_path("fifo"), 0644), "mkfifo");
    return folder;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s, (void)type, (void)at;
    return remove(path);
}

void site_remove(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
