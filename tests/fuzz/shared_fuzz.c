/*
 * shared_fuzz.c - How a target says what is wrong.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

bool fuzz_trace;

void fuzz_fail(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}

void *fuzz_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}
