/*
 * libfuzzer_stateful.c - Changes programs by whole records, so that what follows keeps its meaning.
 *
 * Half of the time libFuzzer's own mutations of bytes are used; else a record is put in, taken out,
 * moved, doubled, or one of its bytes changed. For the searching program only.
 */
#include "stateful_ops.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static uint32_t next(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* Operations that carry a connection on come more often than the others. */
static uint8_t operation(uint32_t *x)
{
    static const uint8_t usual[] = {OP_SEGMENT, OP_SEGMENT, OP_ACK,  OP_DATA, OP_SEND,
                                    OP_RECEIVE, OP_RUN,     OP_SYN,  OP_FIN,  OP_ANSWER,
                                    OP_ACCEPT,  OP_CONNECT, OP_SACKS};
    return next(x) & 1 ? usual[next(x) % sizeof(usual)] : (uint8_t)(next(x) % OP_COUNT);
}

static void make_record(uint8_t *r, uint32_t *x)
{
    memset(r, 0, STATEFUL_RECORD);
    r[0] = operation(x);
    r[1] = next(x) % 3 ? 0 : (uint8_t)(next(x) % 6);
    for (unsigned i = next(x) % 4; i; i--)
        r[2 + next(x) % 6] = next(x) & 1 ? (uint8_t)(1u << next(x) % 8) : (uint8_t)next(x);
}

static uint8_t *record_at(uint8_t *data, size_t i)
{
    return data + i * STATEFUL_RECORD;
}

/* @n records, the configuration among them; room for one more. Returns how many there are then. */
static size_t change(uint8_t *data, size_t n, size_t most, uint32_t *x)
{
    uint8_t saved[STATEFUL_RECORD];
    size_t at = 1 + next(x) % (n > 1 ? n - 1 : 1), from = 1 + next(x) % (n > 1 ? n - 1 : 1);
    switch (next(x) % 6) {
    case 0:
    case 1: /* a new one, or one of those there, is put in */
        if (n >= most)
            return n;
        make_record(saved, x);
        if (n > 1 && next(x) & 1)
            memcpy(saved, record_at(data, from), sizeof(saved));
        if (at > n)
            at = n;
        memmove(record_at(data, at + 1), record_at(data, at), (n - at) * sizeof(saved));
        memcpy(record_at(data, at), saved, sizeof(saved));
        return n + 1;
    case 2: /* taken out */
        if (n < 3)
            return n;
        memmove(record_at(data, at), record_at(data, at + 1), (n - at - 1) * sizeof(saved));
        return n - 1;
    case 3: /* two change places */
        if (n < 3)
            return n;
        memcpy(saved, record_at(data, at), sizeof(saved));
        memcpy(record_at(data, at), record_at(data, from), sizeof(saved));
        memcpy(record_at(data, from), saved, sizeof(saved));
        return n;
    case 4: /* the configuration */
        data[next(x) % STATEFUL_RECORD] ^= (uint8_t)(1u << next(x) % 8);
        return n;
    default: /* a byte */
        if (n > 1)
            record_at(data, at)[next(x) % STATEFUL_RECORD] =
                next(x) & 1 ? (uint8_t)(next(x) % 33) : (uint8_t)next(x);
        return n;
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t x = seed | 1;
    size_t n = (size + STATEFUL_RECORD - 1) / STATEFUL_RECORD, most = max_size / STATEFUL_RECORD;
    if (!(next(&x) & 1) || most < 2 || n > most)
        return LLVMFuzzerMutate(data, size, max_size);
    if (n == 0)
        n = 1;
    if (n * STATEFUL_RECORD > size)
        memset(data + size, 0, n * STATEFUL_RECORD - size);
    for (unsigned i = next(&x) % 3 + 1; i; i--)
        n = change(data, n, most, &x);
    return n * STATEFUL_RECORD;
}
