/*
 * icmp.h - ICMP and ICMPv6 by the names that scripts use.
 */
#ifndef SANWO_TOOLS_DRILL_ICMP_H
#define SANWO_TOOLS_DRILL_ICMP_H

#include "packet.h"
#include "packet_bytes.h"

/**
 * "unreachable", "frag_needed" as numbers; also "type_3", "code_4". @code NULL is 0. False if a
 * name is not one of @family's: it is in @message.
 */
bool sw_drill_icmp_numbers(uint8_t family, const char *type, const char *code, uint8_t *type_out,
                           uint8_t *code_out, struct drill_text *message);

/** "unreachable frag_needed": numbers as names, or as type_n and code_n. */
void sw_drill_icmp_format(struct drill_text *text, uint8_t family, uint8_t type, uint8_t code);

/** Does the second word hold an identifier, an MTU? */
bool sw_drill_icmp_is_echo(uint8_t family, uint8_t type);
bool sw_drill_icmp_has_mtu(uint8_t family, uint8_t type, uint8_t code);

/**
 * The ICMP message of @packet into @out, with its checksum, without the IP header around it, which
 * must be from the peer's address to ours. Returns its length; 0 with a @message.
 */
size_t sw_drill_icmp_build(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                           size_t size, struct drill_text *message);

#endif
