/*
 * packet.h - Between what a script says of a packet and the bytes on the wire.
 *
 *     script '<'  --  flow: numbers as the peer counts them  -->  bytes into the stack
 *     script '>'  <-- flow, compared field by field          ---  bytes from the stack
 *
 * A flow is one TCP connection (or UDP pair, or ICMP exchange) as seen on the wire: it knows the
 * ports, both ISNs as the script and as the wire counts them, and the timestamps. This codec is the
 * drill's own: the one under test has no part in judging itself.
 */
#ifndef SANWO_TOOLS_DRILL_PACKET_H
#define SANWO_TOOLS_DRILL_PACKET_H

#include <sanwo/sanwo.h>

#include "script.h"

#define DRILL_PACKET_MAX 65600
#define DRILL_FLOWS_MAX 64

struct drill_timestamp_pair {
    uint32_t script, live;
};

struct drill_flow {
    bool used;
    struct sanwo_endpoint local, remote; /* the stack's end, the peer's end */
    bool local_isn_known, remote_isn_known;
    uint32_t local_isn;        /* on the wire */
    uint32_t local_isn_script; /* as the script writes it, nearly always 0 */
    uint32_t remote_isn;       /* on the wire (chosen by us); the script's is remote_isn_script */
    uint32_t remote_isn_script;
    bool ts_known; /* the stack's timestamps: first live one and what the script called it, when */
    uint32_t ts_live, ts_script;
    sanwo_time ts_time;
    struct drill_timestamp_pair
        *ts_pairs; /* script's value -> live, for `ecr` of inbound segments */
    size_t ts_pair_count, ts_pair_size;
    uint8_t fo_cookie[16]; /* last Fast Open cookie the stack gave: mapped as `FO` scripts expect */
    uint8_t fo_cookie_length;
    uint32_t last_seq_live, last_length; /* of the last outbound segment: quoted by ICMP */
    bool last_known;
    uint8_t protocol; /* enum drill_protocol: TCP or UDP */
    bool named;       /* the script names its ports: packets without ports are not of it */
    bool active;      /* the stack opened it */
    bool reset, local_fin, remote_fin; /* seen: then a new SYN may begin the flow anew */
    bool pending_known; /* the peer's last SYN, should the stack answer it as a new one */
    uint32_t pending_isn;
    bool label_known; /* flow label of IPv6: the script's and the live one */
    uint32_t label_script, label_live;
    uint64_t serial, last_use; /* when made and when used, in numbers of uses of the wire */
};

/** A Fast Open cookie of the stack: what the script calls it, and what it is. */
struct drill_cookie {
    bool known;
    uint8_t length;
    uint8_t script[16], live[16];
};

/** What all flows of a run share. */
struct drill_wire {
    uint8_t family;                      /* of the packets: SANWO_FAMILY_IPV4 or 6 */
    struct sanwo_endpoint local, remote; /* addresses; ports are the defaults of the run */
    sanwo_time tolerance;                /* --tolerance_usecs */
    sanwo_time ts_tick; /* --tcp_ts_tick_usecs; 0: timestamps are not checked against time */
    bool check_ttl;
    struct drill_flow flows[DRILL_FLOWS_MAX];
    size_t flow_count;
    uint16_t
        next_remote_port; /* of flows the peer opens; starts at --connect_port or its default */
    bool any_window;      /* profile: outbound windows are free choice unless zero-ness matters */
    bool any_ecr; /* ecr of outbound timestamps is not compared, as Google's packetdrill does */
    bool filled;  /* a segment came with [fill n]: what is read is compared */
    bool zero_payload; /* the applications of this run write zeros only: other bytes are a fault */
    bool listening;    /* see sw_drill_wire_listen() */
    uint16_t listen_port;
    struct drill_cookie cookie; /* of all flows: a cookie outlives its connection */
    uint64_t uses;
};

/** No flows, packets IPv4, `ttl` checked; port 8080 at both ends unless the caller sets others. */
void sw_drill_wire_init(struct drill_wire *wire);
void sw_drill_wire_free(struct drill_wire *wire);

/**
 * A socket listens at @port (0: the default): the next inbound segment without ports opens a new
 * flow to it. Without this call such a segment is of the flow made last, and opens one if there is none.
 */
void sw_drill_wire_listen(struct drill_wire *wire, uint16_t port);

/** A parsed packet of the wire, TCP, UDP or ICMP, v4 or v6; false if it is none of those or malformed. */
struct drill_seen {
    uint8_t family, protocol; /* enum drill_protocol */
    struct sanwo_endpoint source, destination;
    uint8_t tos, ttl;
    uint16_t ip_id;
    bool dont_fragment;
    uint32_t flow_label;
    uint8_t flags;
    bool ae;
    uint32_t seq, ack, payload_length;
    uint16_t window, urgent;
    uint8_t options[40];
    uint8_t options_length;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_rest; /* second word: MTU, id and sequence */
    bool bad_checksum;
    uint8_t ip_options_length; /* IPv4 options, or IPv6 extension headers */
    uint8_t reserved;          /* TCP: the three bits below AE that must be zero */
    const uint8_t *payload;    /* within @packet */
    const uint8_t *packet;
    size_t length;
    sanwo_time when;
};

bool sw_drill_dissect(struct drill_seen *out, const uint8_t *packet, size_t length,
                      sanwo_time when);

/**
 * The bytes of an inbound packet (@packet->direction is INBOUND) into @out; finds or makes its flow:
 * that of its ports, or where it names none the one made last. A SYN where that one was opened by
 * the stack and is over opens a new one. Returns the length, or 0 with a @message, which begins
 * with "unsupported: " where the fault is ours and not the script's. The payload is zeros.
 */
size_t sw_drill_build(struct drill_wire *wire, const struct drill_packet *packet, sanwo_time now,
                      uint8_t *out, size_t size, char *message, size_t message_size);

/**
 * Does @seen satisfy @packet (OUTBOUND) within its flow? Timing is not judged here. Learns ISNs,
 * timestamps and cookies from it. Returns true, or false and in @message what differs, in words:
 * "ack is 2, must be 1". With @packet->any_options options are not looked at.
 */
bool sw_drill_match(struct drill_wire *wire, const struct drill_packet *packet,
                    const struct drill_seen *seen, char *message, size_t message_size);

/**
 * Would packetdrill compare @seen with @packet, or pass it over as of another connection? True if
 * the protocols are the same and @seen has the ports of @packet or, where it names none, is of the
 * flow made last or begins a new one.
 */
bool sw_drill_concerns(struct drill_wire *wire, const struct drill_packet *packet,
                       const struct drill_seen *seen);

/** As the script would write it, relative to @wire's flows: ". 1:1461(1460) ack 1 win 256 <nop,...>". */
void sw_drill_format_packet(const struct drill_packet *packet, char *out, size_t size);
void sw_drill_format_seen(struct drill_wire *wire, const struct drill_seen *seen, char *out,
                          size_t size);

/** The flow of a local and remote endpoint (of a live packet's addresses and ports), or NULL. */
struct drill_flow *sw_drill_flow_find(struct drill_wire *wire, const struct sanwo_endpoint *local,
                                      const struct sanwo_endpoint *remote);

#endif
