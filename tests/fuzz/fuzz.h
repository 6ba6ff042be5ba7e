/*
 * fuzz.h - What a fuzz target is: one function of some bytes, that ends or says what is wrong.
 *
 *     libFuzzer, or replay.c with files  ->  LLVMFuzzerTestOneInput(bytes)  ->  FUZZ_CHECK
 *
 * A target is a file fuzz_NAME.c, with files NAME_*.c of its own and the shared_*.c of all. It is
 * built twice: as replay-NAME, by any compiler, to run the seeds and the corpus as a test; and,
 * with SANWO_FUZZ, by clang as fuzz-NAME, to search.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Set by replay's --trace: a target may tell what it does. */
extern bool fuzz_trace;

/** Prints where and what, and ends the program as a crash does. */
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

#define FUZZ_CHECK(condition, what)                                                                \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, what " (" #condition ")");                               \
    } while (0)

/* Bytes of the input, taken one after the other; zeros when there are no more. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->at++;
}

/** The next @n bytes or as many as there are; sets *n to the number. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t *n)
{
    const uint8_t *at = in->at;
    if (*n > in->left)
        *n = in->left;
    in->at += *n;
    in->left -= *n;
    return at;
}

/** A copy of exactly its size, so that a sanitizer sees each byte too far; to be freed. */
void *fuzz_copy(const void *bytes, size_t size);

#endif
