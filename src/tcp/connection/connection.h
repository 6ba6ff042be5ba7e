/*
 * connection.h - The control block: one structure, grouped by the RFC's own nouns.
 *
 * Names follow RFC 9293 3.3.1: snd_una is SND.UNA, rcv_nxt is RCV.NXT, and so on. Unless a name ends
 * otherwise: times are sanwo_time, sizes are bytes, windows are already scaled. An established
 * connection with nothing to do holds no buffer and no record: this structure is all it costs.
 */
#ifndef SW_TCP_CONNECTION_CONNECTION_H
#define SW_TCP_CONNECTION_CONNECTION_H

#include "base/buffer.h"
#include "base/pool.h"
#include "base/wheel.h"
#include "tcp/congestion/congestion.h"
#include "tcp/connection/list.h"
#include "tcp/tuple.h"
#include "wire/tcp_seq.h"

#include <sanwo/tcp.h>

struct tcp_receiver {
    tcp_seq irs;           /* the peer's initial sequence number */
    tcp_seq rcv_nxt;       /* next byte expected */
    tcp_seq rcv_adv;       /* right edge of the window as announced; never moves left */
    tcp_seq last_ack_sent; /* RFC 7323 4.3: Last.ACK.sent */
    tcp_seq rcv_up;        /* end of the urgent data, valid while `urgent` */
    tcp_seq fin_seq;       /* of the peer's FIN, valid while `fin_known` */
    uint32_t queued;       /* bytes in order, unread */
    uint32_t limit;        /* what autotuning lets the buffer be; less than the start: that */
    region_ref head, tail; /* struct buffer: those bytes */
    region_ref reassembly; /* struct tcp_reassembly: what lies behind a hole; 0: nothing does */
    tcp_seq dsack_left, dsack_right; /* RFC 2883: a duplicate to report once; equal: none */
    uint32_t unacked;                /* bytes taken in order and not acknowledged yet */
    uint32_t ts_recent;              /* RFC 7323 4.3: TS.Recent */
    uint32_t ts_recent_at;           /* when it was set, in seconds (RFC 7323 5.5) */
    uint16_t segment_estimate; /* largest payload seen: what "full-sized" means for delayed ACKs */
    uint16_t mss;              /* what we announced */
    int8_t scale;              /* of the windows we announce; 0 if not negotiated */
    uint8_t dscp_ecn;          /* of the last segment */
};

struct tcp_sender {
    tcp_seq iss;              /* our initial sequence number */
    tcp_seq snd_una;          /* oldest byte not acknowledged */
    tcp_seq snd_nxt;          /* next number never sent before */
    tcp_seq snd_end;          /* one past the last byte queued; our FIN's place once queued */
    tcp_seq snd_wl1, snd_wl2; /* sequence and acknowledgement of the last window update */
    tcp_seq snd_up;           /* end of the user's urgent data, valid while `urgent_out` */
    uint32_t snd_wnd;         /* as last announced by the peer; REC-1 */
    uint32_t max_snd_wnd;     /* the largest ever */
    region_ref head, tail;    /* struct buffer: bytes from snd_una on */
    region_ref next;          /* the one that holds snd_nxt; 0: at the end, look again */
    region_ref sending;       /* struct tcp_sending: what it takes to send; 0: idle for long */
    uint32_t in_flight;       /* bytes out that are neither acknowledged, SACKed nor deemed lost */
    uint32_t lost;            /* bytes deemed lost and not yet sent again */
    tcp_seq recover;          /* RFC 6582: recovery ends when this is acknowledged */
    uint16_t peer_mss;        /* what the peer announced, or the default */
    uint16_t path_mtu;        /* learnt from ICMP; 0: the link's */
    uint16_t syn_text;        /* bytes that went with our SYN and were not acknowledged with it */
    uint8_t duplicate_acks;
    uint8_t retransmissions; /* of the oldest data, by time-out, in a row */
    uint8_t probes;          /* zero-window probes in a row: how far they back off */
    int8_t scale;            /* of the windows the peer announces; 0 if not negotiated */
    sanwo_time srtt, rttvar; /* RFC 6298; srtt 0: no sample yet */
    sanwo_time min_rtt;
    sanwo_time last_sent; /* last segment with data or SYN */
};

struct tcp_connection {
    struct pool_item item;
    uint32_t hash; /* of the tuple, as in the demultiplexing table */
    uint8_t state; /* enum sanwo_tcp_state; written by sw_tcp_set_state() only */
    uint8_t error; /* SANWO_E... that ended it */
    uint8_t soft_error;
    uint8_t quick_acked;     /* of the first segments, see `quick_ack_segments` */
    struct wheel_node timer; /* armed for the earliest of `deadline`, or earlier */
    struct tcp_tuple tuple;

    struct tcp_sender send;
    struct tcp_receiver receive;
    struct tcp_cc cc;

    /* Each is SANWO_TIME_NEVER when idle. Moved by timers.c only. */
    struct {
        sanwo_time
            retransmit; /* RFC 6298 5; while the window is zero: persist (RFC 9293 3.8.6.1) */
        sanwo_time delayed_ack; /* RFC 9293 3.8.6.3 */
        sanwo_time keepalive;   /* RFC 9293 3.8.4 */
        sanwo_time user;        /* RFC 9293 3.8.3: user timeout */
        sanwo_time linger;      /* TIME-WAIT, and FIN-WAIT-2 after the user closed */
        sanwo_time path_mtu;    /* RFC 1191 6.3: try the larger MTU again */
    } deadline;

    unsigned timestamps : 1;     /* RFC 7323, negotiated */
    unsigned window_scaling : 1; /* RFC 7323, negotiated */
    unsigned sack : 1;           /* RFC 2018, negotiated */
    unsigned passive : 1;        /* came from a listener (MUST-11) */
    unsigned accepted : 1;       /* the user holds the handle (always, for connect) */
    unsigned closed_by_user : 1; /* the user let go of the handle */
    unsigned fin_queued : 1;     /* our FIN is at snd_end */
    unsigned fin_sent : 1;
    unsigned fin_acked : 1;
    unsigned fin_received : 1; /* the peer's FIN was taken, in order */
    unsigned fin_known : 1;    /* receive.fin_seq is valid */
    unsigned reset_received : 1;
    unsigned backoff : 4;         /* doublings of the RTO, until a new sample (RFC 6298 5) */
    unsigned foreign : 1;         /* its local address is none of ours: a proxy's */
    unsigned challenged : 1;      /* challenge_ms is valid */
    unsigned no_way : 1;          /* the last frame found no route, or its link down */
    unsigned starved : 1;         /* no memory for what came: the window is shut until there is */
    unsigned told_closed : 1;     /* the user had the CLOSED event */
    unsigned syn_pending : 1;     /* a SYN or SYN-ACK is to be sent (again) */
    unsigned syn_unacked : 1;     /* FIN-WAIT-1 entered from SYN-RECEIVED: our SYN is still out */
    unsigned syn_lost : 1;        /* it was sent more than once: IW is one segment (RFC 5681 3.1) */
    unsigned syn_twice : 1;       /* our SYN went out again with an ACK: no RTT sample from it */
    unsigned duplicates_owed : 2; /* duplicate ACKs that a peer without SACK must get one by one */
    unsigned ack_now : 1;         /* an ACK is to be sent at the next chance */
    unsigned override : 1;        /* 3.8.6.2.1: send what fits, however little, once */
    unsigned probe_now : 1;       /* a zero-window probe is */
    unsigned keepalive_now : 1;   /* a keep-alive probe is */
    unsigned in_recovery : 1;     /* fast recovery (RFC 6582) */
    unsigned in_timeout : 1;      /* between an RTO and the acknowledgement of `recover` */
    unsigned reordering_seen : 1; /* RFC 8985 6.2 step 3 */
    unsigned reo_wnd_mult : 5;    /* RFC 8985 6.2 step 4, less one */
    unsigned reo_wnd_persist : 5;
    unsigned limited : 2;      /* segments that limited transmit lets out beyond cwnd */
    unsigned urgent : 1;       /* receive.rcv_up is ahead of what the user read */
    unsigned urgent_out : 1;   /* send.snd_up is not acknowledged */
    unsigned want_write : 1;   /* the user waits for WRITABLE */
    unsigned more : 1;         /* the user said MORE: hold a small last segment */
    unsigned window_event : 1; /* the peer's window is zero (reported) */
    unsigned reserved : 1;     /* sanwo_tcp_reserve() is open at the tail of the queue */
    unsigned in_table : 1;
    unsigned wants_send : 1; /* in the engine's `ready` list */
    unsigned has_events : 1; /* in the engine's `events` list */
    unsigned in_accept_queue : 1;
    unsigned by_cookie : 1; /* a SYN cookie opened it, which an old duplicate could do again */

    unsigned tail_probe : 1;      /* a tail loss probe is to be sent */
    unsigned ecn : 2;             /* enum tcp_ecn_mode: asked for in SYN-SENT, agreed on later */
    unsigned ecn_no_ect : 1;      /* nothing is sent as ECT: the path or the handshake forbids it */
    unsigned ecn_echo : 1;        /* ECE goes with each ACK (RFC 3168 6.1.3) */
    unsigned ecn_cwr : 1;         /* CWR goes with the next new data (RFC 3168 6.1.2) */
    unsigned ecn_hushed : 1;      /* marks count again beyond ecn_until */
    unsigned ecn_seen : 1;        /* data came that was ECT or marked */
    unsigned ecn_ect : 1;         /* the frame just built is to leave as ECT(0) */
    unsigned fast_open : 1;       /* RFC 7413: the user asked for it */
    unsigned fast_open_tried : 1; /* our SYN carried the option */
    unsigned fast_open_taken : 1; /* data was taken with a SYN */
    unsigned fast_open_pending : 1; /* the peer's cookie opened it, our SYN is still out */
    unsigned black_hole : 1;        /* path_mtu was not told but guessed: what is larger vanished */
    unsigned fast_open_option : 1;  /* our SYN-ACK brings a new cookie */

    struct tcp_link send_link;  /* `ready` */
    struct tcp_link event_link; /* `events`, or its listener's accept queue */
    uint32_t listener;          /* pool index while not accepted */
    uint32_t config;            /* pool index of its own configuration, TCP_NONE: the stack's */
    uint32_t events;            /* SANWO_EVENT_... not taken yet */
    region_ref meter;           /* struct tcp_meter: what is measured; 0: it is at rest */
    uint16_t link;              /* it arrived by, or was routed to */
    uint16_t reason;            /* enum sanwo_reason of the last state change */
    uint16_t limited_by;
    uint8_t keepalive_probes; /* unanswered ones in a row */
    uint32_t ts_offset;       /* RFC 7323 5.4: our timestamp clock starts anywhere */
    uint32_t challenge_ms;    /* when the last rate-limited ACK went out, while `challenged` */
    region_ref accurate;      /* struct tcp_accurate: its counters; 0: not agreed on */
    tcp_seq ecn_until;        /* SND.NXT when marks last reduced cwnd, while `ecn_hushed` */
    tcp_seq snd_sml;          /* end of the last small segment sent (RFC 9293 A.3) */
    void *user;

    /* Counters (RFC 9293 3.10.6 STATUS). */
    uint64_t bytes_received;
    uint64_t bytes_acked;
    uint32_t segments_in, segments_out, retransmitted;
    uint32_t duplicate_acks_seen, duplicate_segments, out_of_order_segments;
    uint32_t references_made, references_released; /* send_ref calls */
    uint64_t released_ahead; /* bit n: call references_released + 1 + n is released too */
};

#endif
