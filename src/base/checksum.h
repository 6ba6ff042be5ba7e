/*
 * checksum.h - The Internet checksum (RFC 1071), its update (RFC 1624), and it fused with a copy.
 *
 * Sums are 32-bit partial sums in network order, added to each other freely and folded at the end:
 *
 *     sum = sw_checksum_add(0, pseudo, 12);
 *     sum = sw_checksum_add(sum, segment, length);      -- every piece but the last of even length
 *     field = sw_checksum_finish(sum);                  -- 0xffff means 0 for UDP: the caller's job
 *
 * A packet verifies when the finished sum over it, checksum included, is 0.
 */
#ifndef SW_BASE_CHECKSUM_H
#define SW_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds @length bytes to partial sum @sum. Wide-vector where the processor has it. */
uint32_t sw_checksum_add(uint32_t sum, const void *bytes, size_t length);
/* The same in the plainest code there is: what the fast one is verified against. */
uint32_t sw_checksum_add_plain(uint32_t sum, const void *bytes, size_t length);
/* Copies and sums in one pass over memory. The areas do not overlap. */
uint32_t sw_checksum_copy(uint32_t sum, void *to, const void *from, size_t length);
/* A sum whose bytes began at an odd offset, moved to the other lane. */
uint32_t sw_checksum_swap(uint32_t sum);
/* Folds to 16 bits and complements. */
uint16_t sw_checksum_finish(uint32_t sum);
/* Folds to 16 bits without complementing: what a "partial" checksum field holds for an offload. */
uint16_t sw_checksum_fold(uint32_t sum);
/* RFC 1624 equation 3: the checksum @old after a 16-bit field went from @from to @to. */
uint16_t sw_checksum_update(uint16_t old, uint16_t from, uint16_t to);

#endif
