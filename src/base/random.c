/*
 * random.c - ChaCha20 as a generator with fast key erasure.
 *
 *     key -> 256 bytes of key stream | 32: the next key | 224: to be drawn, zeroed as they are |
 *
 * The block function is RFC 8439 2.3, with a nonce of zero: a key makes four blocks, once.
 */
#include "base/random.h"

#include "base/bytes.h"

#define BLOCK_BYTES 64
#define KEY_BYTES 32

static inline uint32_t load32_little(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void store32_little(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

static inline uint32_t rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

/* RFC 8439 2.1. */
static inline void quarter_round(uint32_t x[16], int a, int b, int c, int d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

/* RFC 8439 2.3: "expand 32-byte k", the key, the counter, a nonce of zero. */
static void block(uint8_t out[BLOCK_BYTES], const uint32_t key[8], uint32_t counter)
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[16];

    memcpy(start + 4, key, KEY_BYTES);
    start[12] = counter;
    memcpy(x, start, sizeof x);
    for (int i = 0; i < 10; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
        store32_little(out + 4 * i, x[i] + start[i]);
}

static void load_key(struct random *r, const uint8_t bytes[KEY_BYTES])
{
    for (int i = 0; i < 8; i++)
        r->key[i] = load32_little(bytes + 4 * i);
}

static void refill(struct random *r)
{
    uint8_t first[BLOCK_BYTES];

    block(first, r->key, 0);
    memcpy(r->pool, first + KEY_BYTES, BLOCK_BYTES - KEY_BYTES);
    for (uint32_t i = 1; i < 4; i++)
        block(r->pool + BLOCK_BYTES * i - KEY_BYTES, r->key, i);
    load_key(r, first);
    r->left = sizeof r->pool;
}

void sw_random_init(struct random *r, const uint8_t seed[32])
{
    memset(r, 0, sizeof *r);
    load_key(r, seed);
}

void sw_random_bytes(struct random *r, void *out, size_t length)
{
    uint8_t *to = out;

    while (length) {
        uint32_t n;
        uint8_t *from;
        if (!r->left)
            refill(r);
        n = length < r->left ? (uint32_t)length : r->left;
        from = r->pool + sizeof r->pool - r->left;
        memcpy(to, from, n);
        memset(from, 0, n);
        r->left -= n;
        to += n;
        length -= n;
    }
}

uint32_t sw_random_u32(struct random *r)
{
    uint8_t bytes[4];

    sw_random_bytes(r, bytes, sizeof bytes);
    return load32_little(bytes);
}

/*
 * The high half of draw * bound is uniform but for the draws whose low half is below 2^32 mod
 * bound: those are drawn again. (Lemire, "Fast random integer generation in an interval", 2019.)
 */
uint32_t sw_random_below(struct random *r, uint32_t bound)
{
    uint64_t product = (uint64_t)sw_random_u32(r) * bound;

    SW_ASSERT(bound > 0);
    if ((uint32_t)product < bound) {
        uint32_t least = -bound % bound;
        while ((uint32_t)product < least)
            product = (uint64_t)sw_random_u32(r) * bound;
    }
    return (uint32_t)(product >> 32);
}

struct siphash_key sw_random_key(struct random *r)
{
    uint64_t halves[4];

    for (int i = 0; i < 4; i++)
        halves[i] = sw_random_u32(r);
    return (struct siphash_key){halves[0] | halves[1] << 32, halves[2] | halves[3] << 32};
}
