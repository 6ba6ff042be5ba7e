/*
 * script_memory.h - Memory that is given out in pieces and freed as a whole.
 *
 * A script's tree lives in one of these: no piece is freed alone, so a parse that fails half-way
 * leaks nothing, and freeing a deep tree needs no recursion.
 */
#ifndef SANWO_TOOLS_DRILL_SCRIPT_MEMORY_H
#define SANWO_TOOLS_DRILL_SCRIPT_MEMORY_H

#include <stddef.h>

struct drill_memory;

/** NULL when there is none. */
struct drill_memory *sw_drill_memory_new(void);
void sw_drill_memory_free(struct drill_memory *memory);

/** @size zeroed bytes, aligned for anything. Ends the program when the system has no more. */
void *sw_drill_memory_take(struct drill_memory *memory, size_t size);

/** A copy of @length bytes with a NUL after them. */
char *sw_drill_memory_copy(struct drill_memory *memory, const char *text, size_t length);

/**
 * Room for one more element of @size bytes in @array, which has @count of them: the array itself, or
 * a copy twice as large whenever @count is a power of two.
 */
void *sw_drill_memory_grow(struct drill_memory *memory, void *array, size_t count, size_t size);

#endif
