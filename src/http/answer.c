/*
 * answer.c - Finding what a target names.
 *
 *     file            its bytes            folder without "/"   301 to the one with it
 *     file and "/"    404                  folder with "/"      its index, or a listing, or 403
 *     anything else   403                  nothing              404
 */
#define _GNU_SOURCE
#include "http/answer.h"

#include "http/listing.h"
#include "http/mime.h"
#include "http/path.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the target was found to be. */
struct finding {
    int fd; /* -1: none */
    struct stat stat;
    struct text name; /* of the file */
};

/* Opens @path; 0, or the status to answer. */
static unsigned open_path(struct finding *found, struct site *site, const char *path)
{
    found->fd = sw_http_folder_open(&site->folder, path);
    if (found->fd < 0)
        return sw_http_folder_status(found->fd);
    if (fstat(found->fd, &found->stat)) {
        close(found->fd);
        found->fd = -1;
        return 500;
    }
    found->name = text_of(path);
    return 0;
}

static void answer_file(struct response *r, const struct request *q, const struct finding *found,
                        int64_t wall)
{
    struct found_file file = {.fd = found->fd, .type = sw_http_mime_type(found->name)};

    sw_http_version_init(&file.version, (uint64_t)found->stat.st_size, found->stat.st_mtim.tv_sec,
                         found->stat.st_mtim.tv_nsec, found->stat.st_ino);
    sw_http_response_file(r, q, &file, wall);
}

/* The same path with its slash; written from the decoded path, it cannot point to another host. */
static void answer_moved(struct response *r, const struct request *q, const char *path,
                         int64_t wall)
{
    struct writer location = {0};

    sw_http_write(&location, text_of("/"));
    sw_http_write_encoded(&location, text_of(path));
    sw_http_write(&location, text_of("/"));
    sw_http_write(&location, sw_http_path_query(text_of(q->target)));
    r->text.failed = location.failed;
    sw_http_response_moved(r, q, (struct text){location.bytes, location.used}, wall);
    sw_http_writer_free(&location);
}

static void answer_listing(struct response *r, const struct request *q, int fd, const char *path,
                           int64_t wall)
{
    struct writer page = {0};
    int error = sw_http_listing_write(&page, fd, path);

    if (error)
        sw_http_response_error(r, q, sw_http_folder_status(error), NULL, wall);
    else
        sw_http_response_page(r, q, 200, (struct text){page.bytes, page.used}, wall);
    sw_http_writer_free(&page);
}

/* @path with its index appended needs @room bytes there. */
static void answer_folder(struct response *r, struct site *site, const struct request *q,
                          struct finding *folder, char *path, size_t room, int64_t wall)
{
    struct finding index = {.fd = -1};
    size_t length = strlen(path), needed = strlen(site->index) + 2;
    unsigned status = 404;

    if (length + needed <= room) {
        char *end = path + length;

        memcpy(end, "/", length ? 1 : 0);
        memcpy(end + (length ? 1 : 0), site->index, needed - 1);
        status = open_path(&index, site, path);
        if (!status && S_ISREG(index.stat.st_mode)) {
            answer_file(r, q, &index, wall);
            close(folder->fd);
            return;
        }
        *end = '\0';
    }
    if (!status)
        close(index.fd);
    if ((status == 404 || !status) && site->listing)
        answer_listing(r, q, folder->fd, path, wall);
    else
        sw_http_response_error(r, q, status == 404 || !status ? 403 : status, NULL, wall);
    close(folder->fd);
}

static void answer_path(struct response *r, struct site *site, const struct request *q, char *path,
                        size_t room, bool is_folder, int64_t wall)
{
    struct finding found = {.fd = -1};
    unsigned status = open_path(&found, site, path);

    if (!status && S_ISDIR(found.stat.st_mode) && is_folder) {
        answer_folder(r, site, q, &found, path, room, wall);
        return;
    }
    if (!status && S_ISREG(found.stat.st_mode) && !is_folder) {
        answer_file(r, q, &found, wall);
        return;
    }
    if (!status) {
        if (S_ISDIR(found.stat.st_mode))
            status = 301;
        else
            status = S_ISREG(found.stat.st_mode) ? 404 : 403; /* a FIFO, a device */
        close(found.fd);
    }
    if (status == 301)
        answer_moved(r, q, path, wall);
    else
        sw_http_response_error(r, q, status, NULL, wall);
}

void sw_http_answer(struct response *r, struct site *site, const struct request *q, int64_t wall)
{
    size_t room = strlen(q->target) + strlen(site->index) + 3;
    unsigned status = q->status;
    const char *trouble = q->trouble;
    bool is_folder = false;
    char *path = malloc(room);

    if (!path)
        status = 503;
    if (!status) {
        status = sw_http_path_read(text_of(q->target), path, room, &is_folder);
        trouble = status == 400 ? "the request target is malformed" : NULL;
    }
    if (status)
        sw_http_response_error(r, q, status, trouble, wall);
    else
        answer_path(r, site, q, path, room, is_folder, wall);
    free(path);
}
