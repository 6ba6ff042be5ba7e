/*
 * store.c - The situations already seen: an open-addressed table of 64-bit keys onto records, and a
 * set of those from which the fair end is known to come.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 4096

static void *zeroed(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (!memory)
        abort();
    return memory;
}

static uint32_t *slot_of(const struct model_store *store, uint64_t key)
{
    uint32_t at = (uint32_t)key & store->mask;
    while (store->slots[at] && store->record[store->slots[at] - 1].key != key)
        at = (at + 1) & store->mask;
    return &store->slots[at];
}

static void grow(struct model_store *store)
{
    uint32_t size = store->mask ? (store->mask + 1) * 2 : FIRST_SLOTS;
    free(store->slots);
    store->slots = zeroed(size, sizeof(*store->slots));
    store->mask = size - 1;
    store->capacity = size / 2;
    store->record = realloc(store->record, store->capacity * sizeof(*store->record));
    if (!store->record)
        abort();
    for (uint32_t i = 0; i < store->count; i++)
        *slot_of(store, store->record[i].key) = i + 1;
}

uint32_t model_store_find(struct model_store *store, uint64_t key, bool *is_new)
{
    if (store->count == store->capacity)
        grow(store);
    uint32_t *slot = slot_of(store, key);
    *is_new = *slot == 0;
    if (*is_new) {
        memset(&store->record[store->count], 0, sizeof(*store->record));
        store->record[store->count].key = key;
        *slot = ++store->count;
    }
    return *slot - 1;
}

static uint64_t end_slot(const struct model_store *store, uint64_t key)
{
    uint64_t at = key & store->ends.mask;
    while (store->ends.slots[at] && store->ends.slots[at] != key)
        at = (at + 1) & store->ends.mask;
    return at;
}

bool model_store_has_end(const struct model_store *store, uint64_t key)
{
    return store->ends.slots && store->ends.slots[end_slot(store, key | 1)] != 0;
}

void model_store_add_end(struct model_store *store, uint64_t key)
{
    if (!store->ends.slots || store->ends.count * 2 > store->ends.mask) {
        uint64_t *old = store->ends.slots, size = store->ends.mask + 1;
        uint64_t larger = old ? size * 2 : FIRST_SLOTS;
        store->ends.slots = zeroed(larger, sizeof(*old));
        store->ends.mask = larger - 1;
        for (uint64_t i = 0; old && i < size; i++)
            if (old[i])
                store->ends.slots[end_slot(store, old[i])] = old[i];
        free(old);
    }
    uint64_t at = end_slot(store, key | 1);
    store->ends.count += store->ends.slots[at] == 0;
    store->ends.slots[at] = key | 1;
}

void model_store_free(struct model_store *store)
{
    free(store->record);
    free(store->slots);
    free(store->ends.slots);
    *store = (struct model_store){0};
}
