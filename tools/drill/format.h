/*
 * format.h - Parts of packets in script syntax, for messages. The whole ones are in packet.h.
 */
#ifndef SANWO_TOOLS_DRILL_FORMAT_H
#define SANWO_TOOLS_DRILL_FORMAT_H

#include "packet.h"
#include "packet_bytes.h"

/** "S.", "FP.", "SEWA", "-" without any. */
void sw_drill_format_flags(struct drill_text *text, uint8_t flags, bool ae);
/** The same with AE, CWR and ECE as one digit: ".5". */
void sw_drill_format_ace(struct drill_text *text, uint8_t flags, uint8_t ace);
/** "ect0", "ce", ... of the two bits. */
const char *sw_drill_ecn_name(uint8_t bits);

#endif
