/*
 * script_memory.c - Memory that is given out in pieces and freed as a whole.
 */
#include "script_memory.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

struct drill_memory {
    struct block *blocks; /* the newest first */
};

struct drill_memory *sw_drill_memory_new(void)
{
    return calloc(1, sizeof(struct drill_memory));
}

void sw_drill_memory_free(struct drill_memory *memory)
{
    if (!memory)
        return;
    while (memory->blocks) {
        struct block *next = memory->blocks->next;

        free(memory->blocks);
        memory->blocks = next;
    }
    free(memory);
}

void *sw_drill_memory_take(struct drill_memory *memory, size_t size)
{
    struct block *block = memory->blocks;
    size_t room;
    void *taken;

    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!block || block->size - block->used < size) {
        room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = calloc(1, sizeof(*block) + room);
        if (!block) {
            fputs("sanwo drill: no memory is left\n", stderr);
            exit(1);
        }
        block->size = room;
        block->next = memory->blocks;
        memory->blocks = block;
    }
    taken = block->bytes + block->used;
    block->used += size;
    return taken;
}

char *sw_drill_memory_copy(struct drill_memory *memory, const char *text, size_t length)
{
    char *copy = sw_drill_memory_take(memory, length + 1);

    if (length)
        memcpy(copy, text, length);
    return copy;
}

void *sw_drill_memory_grow(struct drill_memory *memory, void *array, size_t count, size_t size)
{
    void *larger;

    if (count & (count - 1))
        return array; /* its size is the next power of two */
    larger = sw_drill_memory_take(memory, (count ? 2 * count : 1) * size);
    if (count)
        memcpy(larger, array, count * size);
    return larger;
}
