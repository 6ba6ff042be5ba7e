/*
 * flow.h - A connection as the wire shows it: which packets are of it, and its numbers.
 *
 *     in the script     S 0:0(0)         1:1001(1000)       ack 1        TS val 100
 *                         |                 | + ISN           | + ISN       | first of both
 *     on the wire       seq 3920111      seq 3920112        ack 77       val 81234567
 *
 * As packetdrill counts: numbers of segments with SYN are absolute, those of all others are relative
 * to the ISN, whatever the script called the ISN. The peer's ISN is the script's own number; the
 * stack's is learned from its SYN. An ISN that is not known counts as 0, so that a script may begin
 * in mid-air and a reset of a closed port is what RFC 9293 3.10.7.1 says: SEQ=0.
 */
#ifndef SANWO_TOOLS_DRILL_FLOW_H
#define SANWO_TOOLS_DRILL_FLOW_H

#include "packet.h"

/** The port of our end, of the peer's: the run's, or 8080 where none was set. */
uint16_t sw_drill_flow_default_port(const struct sanwo_endpoint *endpoint);

/** The flow an inbound TCP or UDP packet is of; made if there is none. */
struct drill_flow *sw_drill_flow_for_inbound(struct drill_wire *wire,
                                             const struct drill_packet *packet);
/** The flow of what the stack sent; made if there is none. */
struct drill_flow *sw_drill_flow_for_seen(struct drill_wire *wire, const struct drill_seen *seen);
/** The flow of what the stack sent, or NULL. */
struct drill_flow *sw_drill_flow_of_seen(struct drill_wire *wire, const struct drill_seen *seen);
/** The flow that packets without ports are of, or NULL. */
struct drill_flow *sw_drill_flow_current(struct drill_wire *wire, uint8_t protocol);

/** The script's number as the wire's and back; of the stack's space (local) and of the peer's. */
uint32_t sw_drill_flow_local_live(const struct drill_flow *flow, uint32_t script, bool syn);
uint32_t sw_drill_flow_local_script(const struct drill_flow *flow, uint32_t live, bool syn);
uint32_t sw_drill_flow_remote_live(const struct drill_flow *flow, uint32_t script, bool syn);
uint32_t sw_drill_flow_remote_script(const struct drill_flow *flow, uint32_t live, bool syn);

/** What an inbound segment tells of the flow. */
void sw_drill_flow_learn_inbound(struct drill_flow *flow, const struct drill_packet *packet);
/** What an outbound one tells; @packet is what the script expects there. */
void sw_drill_flow_learn_outbound(struct drill_flow *flow, const struct drill_packet *packet,
                                  const struct drill_seen *seen);

/** The stack sent timestamp @live where the script says @script. */
void sw_drill_flow_learn_ts(struct drill_flow *flow, uint32_t script, uint32_t live,
                            sanwo_time when);
/** The live timestamp that the script calls @script; false if the stack sent none before. */
bool sw_drill_flow_live_ts(const struct drill_flow *flow, uint32_t script, uint32_t *live);
/** The other way round; the number itself if nothing is known. */
uint32_t sw_drill_flow_script_ts(const struct drill_flow *flow, uint32_t live);

#endif
