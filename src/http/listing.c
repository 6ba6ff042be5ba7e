/*
 * listing.c - Reading a folder and drawing it as a table: folders first, by name, hidden ones left
 * out.
 */
#define _GNU_SOURCE
#include "http/listing.h"

#include "http/date.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENTRIES 10000

struct entry {
    char *name;
    bool is_folder;
    uint64_t size;
    int64_t modified;
};

struct entries {
    struct entry *items;
    size_t count, room;
    bool cut;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->is_folder != b->is_folder)
        return a->is_folder ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* False if there is no memory. What cannot be looked at is left out. */
static bool add_entry(struct entries *list, int folder, const char *name)
{
    struct stat s;
    struct entry *entry;

    if (name[0] == '.' || fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW))
        return true;
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        struct entry *items = realloc(list->items, room * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->room = room;
    }
    entry = &list->items[list->count];
    entry->name = strdup(name);
    if (!entry->name)
        return false;
    entry->is_folder = S_ISDIR(s.st_mode);
    entry->size = (uint64_t)s.st_size;
    entry->modified = s.st_mtime;
    list->count++;
    return true;
}

static int read_entries(struct entries *list, int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *found;
    int error = 0;

    if (!folder) {
        error = -errno;
        if (copy >= 0)
            close(copy);
        return error;
    }
    while (!error && !list->cut && (found = readdir(folder))) {
        list->cut = list->count == MAX_ENTRIES;
        if (!list->cut && !add_entry(list, copy, found->d_name))
            error = -ENOMEM;
    }
    closedir(folder);
    return error;
}

static void write_entry(struct writer *w, const struct entry *entry)
{
    const char *slash = entry->is_folder ? "/" : "";
    char date[HTTP_DATE_TEXT];

    /* "./" keeps a name with a colon from being taken for a scheme. */
    sw_http_write(w, text_of("<tr><td><a href=\"./"));
    sw_http_write_encoded(w, text_of(entry->name));
    sw_http_write_format(w, "%s\">", slash);
    sw_http_write_escaped(w, text_of(entry->name));
    sw_http_write_format(w, "%s</a></td><td class=\"n\">", slash);
    if (!entry->is_folder)
        sw_http_write_format(w, "%llu", (unsigned long long)entry->size);
    sw_http_write_format(w, "</td><td>%s</td></tr>\n", sw_http_date_format(entry->modified, date));
}

static void write_page(struct writer *w, const struct entries *list, const char *path)
{
    sw_http_write(w, text_of("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                             "<title>/"));
    sw_http_write_escaped(w, text_of(path));
    sw_http_write(w, text_of("</title>\n<style>body{font-family:sans-serif;margin:2em}"
                             "td{padding:.1em 1em .1em 0}.n{text-align:right}</style></head>\n"
                             "<body><h1>/"));
    sw_http_write_escaped(w, text_of(path));
    sw_http_write(w, text_of("</h1>\n<table>\n"));
    if (*path)
        sw_http_write(w, text_of("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n"));
    for (size_t i = 0; i < list->count; i++)
        write_entry(w, &list->items[i]);
    sw_http_write(w, text_of("</table>\n"));
    if (list->cut)
        sw_http_write_format(w, "<p>Only the first %d entries are shown.</p>\n", MAX_ENTRIES);
    sw_http_write(w, text_of("</body></html>\n"));
}

int sw_http_listing_write(struct writer *w, int fd, const char *path)
{
    struct entries list = {0};
    int error = read_entries(&list, fd);

    if (!error) {
        if (list.count)
            qsort(list.items, list.count, sizeof list.items[0], compare);
        write_page(w, &list, path);
    }
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i].name);
    free(list.items);
    return error ? error : w->failed ? -ENOMEM : 0;
}
