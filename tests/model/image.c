/*
 * image.c - A stack's snapshot in small: only the lines in which it differs from a fresh stack's.
 *
 * A snapshot is some 130 KB, of which a path changes two or three. Taking one copies it whole and
 * compares; loading undoes the lines of the one before, does those of the new, and restores that.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define LINE 64
#define PAGE 4096

static uint8_t *lines_of(struct model_image *image)
{
    return (uint8_t *)(image->line + image->lines);
}

static void die(const char *what)
{
    fprintf(stderr, "model: %s\n", what);
    abort();
}

struct model_image *model_image_take(struct model *m, unsigned side)
{
    struct model_host *host = &m->host[side];
    uint32_t found[MODEL_REGION / LINE];
    size_t size = sanwo_stack_snapshot_size(host->stack);
    uint32_t count = 0;

    if (size > MODEL_REGION || sanwo_stack_snapshot(host->stack, host->scratch, size) < 0)
        die("no snapshot");
    memset(host->scratch + size, 0, (LINE - size % LINE) % LINE);
    for (size_t page = 0; page < size; page += PAGE) {
        size_t end = page + PAGE < size ? page + PAGE : size;
        if (memcmp(host->scratch + page, host->base + page, end - page) == 0)
            continue;
        for (size_t at = page; at < end; at += LINE)
            if (memcmp(host->scratch + at, host->base + at, LINE) != 0)
                found[count++] = (uint32_t)(at / LINE);
    }
    struct model_image *image =
        malloc(sizeof(*image) + count * sizeof(image->line[0]) + (size_t)count * LINE);
    if (!image)
        die("no memory");
    *image = (struct model_image){.references = 1, .size = (uint32_t)size, .lines = count};
    memcpy(image->line, found, count * sizeof(found[0]));
    for (uint32_t i = 0; i < count; i++)
        memcpy(lines_of(image) + (size_t)i * LINE, host->scratch + (size_t)found[i] * LINE, LINE);
    return image;
}

static void undo(struct model_host *host)
{
    if (!host->loaded)
        return;
    for (uint32_t i = 0; i < host->loaded->lines; i++) {
        size_t at = (size_t)host->loaded->line[i] * LINE;
        memcpy(host->opened + at, host->base + at, LINE);
    }
    model_image_release(host->loaded);
    host->loaded = NULL;
}

void model_image_load(struct model *m, unsigned side, struct model_image *image)
{
    struct model_host *host = &m->host[side];
    if (host->loaded != image) {
        undo(host);
        for (uint32_t i = 0; i < image->lines; i++)
            memcpy(host->opened + (size_t)image->line[i] * LINE, lines_of(image) + (size_t)i * LINE,
                   LINE);
        image->references++;
        host->loaded = image;
    }
    if (sanwo_stack_restore(host->region, MODEL_REGION, host->opened, image->size, &host->stack) <
        0)
        die("the snapshot cannot be restored");
}

void model_image_release(struct model_image *image)
{
    if (image && --image->references == 0)
        free(image);
}
