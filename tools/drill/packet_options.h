/*
 * packet_options.h - TCP options of a script as bytes, and bytes as a script writes them.
 */
#ifndef SANWO_TOOLS_DRILL_PACKET_OPTIONS_H
#define SANWO_TOOLS_DRILL_PACKET_OPTIONS_H

#include "packet.h"
#include "packet_bytes.h"

/** Is it one byte: nop, eol? (A script may write these with a length, as no stack does.) */
bool sw_drill_option_is_single(const struct drill_tcp_option *option);

/** How numbers of the script become those of the wire. All zero: they are the same. */
struct drill_option_mapping {
    uint32_t sack_offset; /* added to both edges of each block */
    bool set_val, set_ecr;
    uint32_t val, ecr; /* in place of the script's */
    const struct drill_cookie *cookie;
};

/**
 * The options of @packet into @out, padded with zeros to a multiple of four bytes as the data offset
 * counts words. Returns their length, or -1 if they do not fit a header.
 */
int sw_drill_options_write(const struct drill_packet *packet,
                           const struct drill_option_mapping *mapping,
                           uint8_t out[DRILL_OPTIONS_MAX]);

/** The script's first option of @kind that it does not write as bytes, or NULL. */
const struct drill_tcp_option *sw_drill_options_script(const struct drill_packet *packet,
                                                       uint8_t kind);
/**
 * The first option of @kind among @length bytes: where its kind byte stands; NULL if there is none.
 * An option is at least two bytes and lies within the bytes whole.
 */
const uint8_t *sw_drill_options_find(const uint8_t *bytes, size_t length, uint8_t kind);

/**
 * "mss 1460,sackOK,TS val 1 ecr 0": bytes in the script's words, SACK edges less @mapping's offset.
 * A timestamp is given as @val and @ecr of the mapping say if they are set. What is no option is
 * given as one whose length byte is false.
 */
void sw_drill_options_format(struct drill_text *text, const uint8_t *bytes, size_t length,
                             const struct drill_option_mapping *mapping);

#endif
