/*
 * checksum.c - The Internet checksum: plain, wide, and wide while copying.
 *
 * The wide code adds the words as they lie in memory and turns the result round once at the end:
 * the sum does not care about byte order (RFC 1071 2 (B)). Each 64-bit lane holds two 32-bit
 * words. Two running sums a lane tell them apart without unpacking:
 *
 *     all  = sum of the lanes, modulo 2^64       high = sum of their upper halves
 *     low  = all - (high << 32), modulo 2^64     exact for up to 2^32 lanes
 *
 * The vectors are the compiler's own (SSE2, AVX2, NEON, ... as the build allows); nothing is asked
 * of the processor at run time.
 */
#include "base/checksum.h"

#include "base/bytes.h"

#define WIDE 32         /* bytes of a vector */
#define STEP (4 * WIDE) /* bytes of a turn of the main loop */
#define LANES (WIDE / 8)

typedef uint64_t lanes __attribute__((vector_size(WIDE)));
/* The same where it lies: at any address, over bytes of any type. */
typedef uint64_t lanes_anywhere __attribute__((vector_size(WIDE), aligned(1), may_alias));

/* One's complement addition of 32 bits: what is carried out comes in again. */
static inline uint32_t add32(uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;
    return sum + (sum < a);
}

static inline uint32_t fold32(uint64_t sum)
{
    return add32((uint32_t)sum, (uint32_t)(sum >> 32));
}

static inline uint32_t from_memory_order(uint16_t sum)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (uint16_t)(sum << 8 | sum >> 8);
#else
    return sum;
#endif
}

/* Folds the upper halves of all lanes, and what is left of the full sums, into one number. */
static inline uint64_t collect(const lanes *all, const lanes *high)
{
    uint64_t total = 0;

    for (int i = 0; i < LANES; i++) {
        uint64_t low = (*all)[i] - ((*high)[i] << 32);
        total += (uint64_t)fold32(low) + fold32((*high)[i]);
    }
    return total;
}

/* The last bytes, fewer than eight: in pieces, as a call of memcpy would cost more than a sum. */
static inline __attribute__((always_inline)) uint64_t sum_tail(bool copies, uint8_t *to,
                                                               const uint8_t *from, size_t length)
{
    uint64_t total = 0;

    if (length & 4) {
        uint32_t word;
        memcpy(&word, from, 4);
        if (copies)
            memcpy(to, from, 4);
        total += word;
    }
    if (length & 2) {
        uint16_t word;
        memcpy(&word, from + (length & 4), 2);
        if (copies)
            memcpy(to + (length & 4), from + (length & 4), 2);
        total += word;
    }
    if (length & 1) {
        uint8_t byte = from[length - 1];
        if (copies)
            to[length - 1] = byte;
        total += from_memory_order((uint16_t)(byte << 8)); /* it stands in front of a zero */
    }
    return total;
}

/*
 * The sum of the words of [from, from + length) as they lie in memory, copied to @to on the way if
 * @copies (a constant where this is inlined).
 */
static inline __attribute__((always_inline)) uint64_t sum_words(bool copies, uint8_t *to,
                                                                const uint8_t *from, size_t length)
{
    uint64_t total = 0;
    size_t at = 0;

    if (length >= STEP) {
        lanes all[2] = {{0}, {0}}, high[2] = {{0}, {0}};
        for (; length - at >= STEP; at += STEP) {
            for (size_t i = 0; i < STEP / WIDE; i++) {
                lanes v = *(const lanes_anywhere *)(const void *)(from + at + i * WIDE);
                if (copies)
                    *(lanes_anywhere *)(void *)(to + at + i * WIDE) = v;
                all[i & 1] += v;
                high[i & 1] += v >> 32;
            }
        }
        all[0] += all[1];
        high[0] += high[1];
        total = collect(&all[0], &high[0]);
    }
    for (; length - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, from + at, 8);
        if (copies)
            memcpy(to + at, from + at, 8);
        total += (word & UINT32_MAX) + (word >> 32);
    }
    return total + sum_tail(copies, copies ? to + at : NULL, from + at, length - at);
}

/* Adds the words' sum, turned into network order, to a partial sum. */
static inline uint32_t add_words(uint32_t sum, uint64_t words)
{
    return add32(sum, from_memory_order(sw_checksum_fold(fold32(words))));
}

uint32_t sw_checksum_add(uint32_t sum, const void *bytes, size_t length)
{
    return add_words(sum, sum_words(false, NULL, bytes, length));
}

uint32_t sw_checksum_copy(uint32_t sum, void *to, const void *from, size_t length)
{
    return add_words(sum, sum_words(true, to, from, length));
}

uint32_t sw_checksum_add_plain(uint32_t sum, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;

    for (; length >= 2; p += 2, length -= 2)
        sum = add32(sum, sw_load16(p));
    if (length)
        sum = add32(sum, (uint32_t)p[0] << 8);
    return sum;
}

uint32_t sw_checksum_swap(uint32_t sum)
{
    uint32_t folded = sw_checksum_fold(sum);
    return (folded << 8 | folded >> 8) & 0xffff;
}

uint16_t sw_checksum_fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)(sum + (sum >> 16));
}

uint16_t sw_checksum_finish(uint32_t sum)
{
    return (uint16_t)~sw_checksum_fold(sum);
}

uint16_t sw_checksum_update(uint16_t old, uint16_t from, uint16_t to)
{
    return sw_checksum_finish((uint32_t)(uint16_t)~old + (uint16_t)~from + to);
}
