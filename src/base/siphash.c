/*
 * siphash.c - SipHash-c-d: c rounds for each eight bytes, d rounds at the end, a key of 128 bits.
 *
 * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012. RFC 6528 wants such a
 * function for sequence numbers, RFC 6056 for ports.
 */
#include "base/siphash.h"

#include "base/bytes.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t load64_little(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void rounds(struct sip *s, int count)
{
    for (int i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void absorb(struct sip *s, uint64_t word, int count)
{
    s->v3 ^= word;
    rounds(s, count);
    s->v0 ^= word;
}

/* Inlined twice, with the numbers of rounds known. */
static inline uint64_t hash(const struct siphash_key *key, const uint8_t *p, size_t length,
                            int per_word, int at_end)
{
    struct sip s = {
        key->k0 ^ UINT64_C(0x736f6d6570736575),
        key->k1 ^ UINT64_C(0x646f72616e646f6d),
        key->k0 ^ UINT64_C(0x6c7967656e657261),
        key->k1 ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)length << 56;

    for (; length >= 8; p += 8, length -= 8)
        absorb(&s, load64_little(p), per_word);
    for (size_t i = 0; i < length; i++)
        last |= (uint64_t)p[i] << (8 * i);
    absorb(&s, last, per_word);
    s.v2 ^= 0xff;
    rounds(&s, at_end);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t sw_siphash(const struct siphash_key *key, const void *bytes, size_t length)
{
    return hash(key, bytes, length, 2, 4);
}

uint64_t sw_siphash_table(const struct siphash_key *key, const void *bytes, size_t length)
{
    return hash(key, bytes, length, 1, 3);
}
