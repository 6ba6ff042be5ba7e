/*
 * ecn.h - Congestion marked instead of lost: what both ends agree on, tell each other and obey.
 *
 *     data, ECT(0) ---> a full queue marks it CE ---> the receiver counts, or latches
 *     cwnd shrinks <--- sw_tcp_ecn_marked()      <--- ECE, or ACE and the option, on each ACK
 *
 * RFC 3168 (classic), RFC 8257 3.2 (the echo that DCTCP wants), RFC 9768 (accurate).
 */
#ifndef SW_TCP_ECN_ECN_H
#define SW_TCP_ECN_ECN_H

#include "tcp/send/segment.h"
#include "tcp/tcp.h"

struct tcp_half_open;
struct tcp_plan;

/* Of a connection: asked for in SYN-SENT, agreed on afterwards. Ordered: less is agreed on by both. */
enum tcp_ecn_mode { TCP_ECN_OFF, TCP_ECN_CLASSIC, TCP_ECN_ACCURATE };

/* The two bits of IP (RFC 3168 5). */
enum { IP_NOT_ECT = 0, IP_ECT_1 = 1, IP_ECT_0 = 2, IP_CE = 3, IP_ECN_MASK = 3 };

/* ---- opening: the three flags AE, CWR, ECE as one number ----------------------------------------- */

/* Those of our SYN, or of the SYN-ACK of a control block, whose @options may get another. */
uint8_t sw_tcp_ecn_syn(struct tcp *tcp, struct tcp_connection *conn,
                       struct wire_tcp_options *options);
/* The mode that a SYN gets from us. */
enum tcp_ecn_mode sw_tcp_ecn_judge_syn(const struct sanwo_tcp_config *config,
                                       const struct tcp_segment *seg);
/* Kept in a record: the mode, and how the SYN @seg arrived. */
void sw_tcp_ecn_note(struct tcp_half_open *half, const struct tcp_segment *seg,
                     enum tcp_ecn_mode mode);
enum tcp_ecn_mode sw_tcp_ecn_mode(const struct tcp_half_open *half);
/* The SYN came again. False: it asks for another kind of ECN than before, which is to be reset. */
bool sw_tcp_ecn_syn_again(const struct sanwo_tcp_config *config, struct tcp_half_open *half,
                          const struct tcp_segment *seg);
/* A SYN cookie has one bit for it, @asked: which mode it was the ACK that brings it back shows. */
enum tcp_ecn_mode sw_tcp_ecn_judge_cookie(const struct sanwo_tcp_config *config,
                                          const struct tcp_segment *seg, bool asked);
/* ... and some handshakes do not fit into that. */
bool sw_tcp_ecn_cookie_forgets(const struct tcp_half_open *half);
/* Those of the SYN-ACK of a record, sent for the (@retransmissions + 1)th time. */
uint8_t sw_tcp_ecn_syn_ack(const struct tcp_half_open *half, uint8_t retransmissions);
/* ... and the option that the first of them has with accurate ECN. */
void sw_tcp_ecn_syn_ack_option(const struct sanwo_tcp_config *config,
                               const struct tcp_half_open *half, struct wire_tcp_options *options);
/* Those of a segment without SYN that a record sends. */
uint8_t sw_tcp_ecn_half_open(const struct tcp_half_open *half);
/* Our SYN was answered by a SYN-ACK, or crossed a SYN. False: no memory for what was agreed. */
bool sw_tcp_ecn_answered(struct tcp *tcp, struct tcp_connection *conn,
                         const struct tcp_segment *seg);
/* The connection made of @half. False: no memory. */
bool sw_tcp_ecn_promote(struct tcp *tcp, struct tcp_connection *conn,
                        const struct tcp_half_open *half);
/* The ACK that completes the handshake of a passive open. */
void sw_tcp_ecn_handshake_ack(struct tcp *tcp, struct tcp_connection *conn,
                              struct tcp_segment *seg);
/* A segment came in SYN-RECEIVED. False: a SYN of another kind than before, as above. */
bool sw_tcp_ecn_syn_received(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg);
/* A SYN came later: the SYN-ACK again, so that our ACK is to tell how it arrived? Then it is due. */
bool sw_tcp_ecn_syn_ack_again(struct tcp *tcp, struct tcp_connection *conn,
                              const struct tcp_segment *seg);
/* Our SYN or SYN-ACK was marked: the initial window is that of a lost one (RFC 9768 3.2.2.2). */
bool sw_tcp_ecn_syn_marked(const struct tcp *tcp, const struct tcp_connection *conn);
void sw_tcp_ecn_release(struct tcp *tcp, struct tcp_connection *conn);

/* ---- receiving -------------------------------------------------------------------------------------- */

/* A segment, that came with @payload bytes, passed its checks; before its text is taken. */
void sw_tcp_ecn_receive(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                        uint32_t payload);
/* AE, CWR, ECE of an ACK that leaves now. */
uint8_t sw_tcp_ecn_ace(const struct tcp *tcp, const struct tcp_connection *conn);
/* An ACK is due that tells how the SYN-ACK arrived: it goes alone, ahead of text (RFC 9768 3.2.2.1). */
bool sw_tcp_ecn_answers(const struct tcp *tcp, const struct tcp_connection *conn);
/* ... and without SACK blocks, as does an ACK of ACKs (3.2.2.5.1). */
bool sw_tcp_ecn_hides_sack(const struct tcp *tcp, const struct tcp_connection *conn);
/*
 * Puts the option of accurate ECN into @options if it is due and fits, perhaps in the place of SACK
 * blocks; the bytes that it takes.
 */
uint32_t sw_tcp_ecn_option(const struct tcp *tcp, const struct tcp_connection *conn,
                           struct wire_tcp_options *options);

/* ---- sending ---------------------------------------------------------------------------------------- */

/* The flags of a segment about to be built; whether its frame is ECT goes to conn->ecn_ect. */
void sw_tcp_ecn_outgoing(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan,
                         struct tcp_outgoing *out);
/* The next frame must hold one segment: what cuts it up may clear CWR in all but the first. */
bool sw_tcp_ecn_is_single(const struct tcp *tcp, const struct tcp_connection *conn);
/*
 * An acceptable ACK that told of @delivered bytes, out of @outstanding before it: how many were marked.
 * With classic ECN all of them, while the peer echoes. A mark also reduces cwnd, once a window, unless
 * the algorithm counts marks itself.
 */
uint32_t sw_tcp_ecn_marked(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, uint32_t delivered, uint32_t outstanding);
/* cwnd was reduced, for whatever reason: the peer is told (RFC 3168 6.1.2). */
void sw_tcp_ecn_reduced(struct tcp_connection *conn);

/* For STATUS: SANWO_ECN_..., and packets that came marked. */
void sw_tcp_ecn_info(const struct tcp *tcp, const struct tcp_connection *conn,
                     struct sanwo_tcp_info *out);

#endif
