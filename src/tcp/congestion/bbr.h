/*
 * bbr.h - BBR: a model of the path decides how fast to send, and how much may be under way.
 *
 *     bbr_model.c   what the ACKs tell of the path: bandwidth, shortest round trip, aggregation,
 *                   what was too much in flight
 *     bbr_state.c   the phases in which it is measured: Startup, Drain, ProbeBW, ProbeRTT
 *     bbr.c         from the model to pacing rate and cwnd; losses, time-outs, undo, idle times
 *
 * It is version 3, of the Internet-Draft draft-ietf-ccwg-bbr-06 of 6 July 2026; sections are its.
 * bw_lo, inflight_lo and inflight_hi are its bw_shortterm, inflight_shortterm and
 * inflight_longterm. Where we differ, and why: deviation D37.
 *
 * Bytes and bytes a second. A bandwidth is at most BBR_BW_LIMIT, an amount in flight CWND_LIMIT, a
 * gain below 2^10, so that products stay below 2^64 without a look at each.
 */
#ifndef SW_TCP_CONGESTION_BBR_H
#define SW_TCP_CONGESTION_BBR_H

#include "tcp/congestion/congestion.h"

#define BBR_BW_LIMIT ((UINT64_C(1) << 34) - 1) /* 137 Gbit/s; times 10^9 ns it is below 2^64 */
#define BBR_BW_NONE UINT64_MAX                 /* no bound */
#define BBR_INFLIGHT_NONE UINT32_MAX           /* no bound */
#define BBR_GAIN_ONE 256

enum bbr_phase {
    BBR_STARTUP,         /* doubles each round trip until the bandwidth grows no more */
    BBR_DRAIN,           /* lets the queue go that Startup left */
    BBR_PROBE_BW_DOWN,   /* a little slower than the path: leaves room to others */
    BBR_PROBE_BW_CRUISE, /* as fast as the path: most of the time */
    BBR_PROBE_BW_REFILL, /* a round trip without the short-term bounds, so that what follows ... */
    BBR_PROBE_BW_UP, /* ... sends more than the path was known to bear, and looks what happens */
    BBR_PROBE_RTT,   /* half a pipe only, so that the queue is gone and the shortest RTT shows */
};

/* What the ACKs arriving now are about: the feedback lags a round trip behind the sending. */
enum bbr_ack_phase {
    BBR_ACKS_OTHER,
    BBR_ACKS_REFILLING,
    BBR_ACKS_PROBE_STARTING, /* not yet about what the probe sent */
    BBR_ACKS_PROBE_FEEDBACK,
    BBR_ACKS_PROBE_STOPPING, /* still about the probe, which is over */
};

/* What undo() needs, noted at the first loss of an episode (5.5.11.1). */
struct bbr_undo {
    uint64_t bw_lo;
    uint32_t inflight_lo;
    uint32_t inflight_hi;
    bool noted;
    bool phase_ended; /* by losses, and it was ... */
    uint8_t phase;    /* ... Startup or UP */
};

/* The window of the aggregation filter in round trips: ExtraAckedFilterLen (2.12). */
enum { BBR_EXTRA_ACKED_ROUNDS = 10 };

struct bbr {
    /* Bandwidth */
    uint64_t bw_max[2]; /* best samples of the last probing cycle and of this one; 0: none yet */
    uint64_t bw_lo;     /* what losses of late suggest, or BBR_BW_NONE */
    uint64_t bw_latest; /* best sample of this round trip */
    uint64_t bw;        /* what is reckoned with: the least of those; 0: nothing is known */
    uint64_t sample;    /* of the ACK at hand; 0: none */
    uint64_t full_bw;   /* what growth is measured against */
    /* Round trips */
    sanwo_time min_rtt; /* shortest of 10 s; SANWO_TIME_NEVER: none yet */
    sanwo_time min_rtt_at;
    sanwo_time probe_rtt_min; /* shortest of 5 s */
    sanwo_time probe_rtt_min_at;
    sanwo_time probe_rtt_done; /* when ProbeRTT may end; SANWO_TIME_NEVER: still draining */
    uint64_t delivered;        /* in all, at the last ACK */
    uint64_t next_round;       /* a round trip ends with what left when so much was delivered */
    uint64_t loss_round;       /* the same for rounds in which losses are counted */
    /* What leaves in ProbeRTT tells little of the bandwidth: from and until so much was delivered. */
    uint64_t slow_from, slow_until; /* 0: none did */
    /* Probing */
    sanwo_time cycle_at;   /* when the last probe ended */
    sanwo_time probe_wait; /* how long until the next */
    /* Aggregation */
    sanwo_time extra_since;
    uint64_t extra_delivered;
    uint32_t extra_acked[BBR_EXTRA_ACKED_ROUNDS]; /* most of each of the last rounds */
    /* Bounds of what may be in flight */
    uint32_t inflight_hi;                 /* more was too much: long-term */
    uint32_t inflight_lo;                 /* what losses of late suggest */
    uint32_t inflight_latest;             /* most delivered in a round trip, of this one */
    uint32_t round_delivered, round_lost; /* in this loss round */
    uint32_t initial_cwnd;
    uint32_t prior_cwnd; /* before recovery or ProbeRTT */
    struct bbr_undo undo;
    uint32_t probe_up_acked;
    uint32_t probe_up_per_segment; /* to be acknowledged for inflight_hi to rise by one */
    uint32_t round_count;
    uint32_t drain_round; /* in which Drain began */
    uint32_t rounds_since_probe;
    uint32_t random;
    uint16_t pacing_gain, cwnd_gain; /* of BBR_GAIN_ONE */
    uint8_t phase;                   /* enum bbr_phase */
    uint8_t ack_phase;               /* enum bbr_ack_phase */
    uint8_t full_bw_rounds;          /* without growth */
    uint8_t probe_up_rounds;
    uint8_t extra_slot;  /* of extra_acked, this round's */
    uint8_t loss_events; /* ACKs of this loss round that told of losses */
    bool full_bw_now;    /* no growth since Startup or the probe began */
    bool full_bw_reached;
    bool round_start, loss_round_start; /* the ACK at hand begins one */
    bool app_limited;                   /* so is the sample at hand */
    bool loss_in_round;
    bool loss_told; /* since the last ACK */
    bool timed_out_in_round;
    bool marked_in_round;          /* CE */
    bool probe_samples;            /* losses now are about what the probe sent */
    bool prev_probe_too_high;      /* the last probe lost too much: the next is short ... */
    bool prev_probe_precautionary; /* ... as this one was; if it was borne a full one follows */
    bool probe_rtt_round_done;
    bool probe_rtt_due;
    bool idle_restart;
    bool has_rtt; /* the first pacing rate was put right with the first round trip */
    bool recovering;
};
_Static_assert(sizeof(struct bbr) <= TCP_CC_STATE_MAX, "the state is lent by the caller");

/* ---- bbr_model.c ---- */

void sw_tcp_bbr_model_init(struct bbr *bbr, const struct tcp_cc *cc, sanwo_time now);
/* @length bytes were lost, whose sample is @lost. */
void sw_tcp_bbr_note_loss(struct bbr *bbr, const struct tcp_rate_sample *lost, uint32_t length);
/* Whether a sample is of what left while the application, or ProbeRTT, held the sender back. */
bool sw_tcp_bbr_app_limited(const struct bbr *bbr, const struct tcp_rate_sample *rate);
/* What leaves from now on, until what is in flight has arrived, is held back by ProbeRTT. */
void sw_tcp_bbr_mark_slow(struct bbr *bbr, uint32_t in_flight);
/* What an ACK tells of the path, but for the round-trip time. */
void sw_tcp_bbr_measure(struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack);
/* Sets probe_rtt_due once the shortest round trip was not seen for 5 s. */
void sw_tcp_bbr_measure_rtt(struct bbr *bbr, const struct tcp_cc_ack *ack);
/* The last step of an ACK: the samples of the next round trip begin; bw is settled. */
void sw_tcp_bbr_measured(struct bbr *bbr, const struct tcp_cc_ack *ack);
/* The ACK at hand ends a cycle of the maximum filter: the one before the last is forgotten. */
void sw_tcp_bbr_end_bw_cycle(struct bbr *bbr);
void sw_tcp_bbr_start_round(struct bbr *bbr);
void sw_tcp_bbr_forget_losses(struct bbr *bbr);
void sw_tcp_bbr_forget_low_bounds(struct bbr *bbr);
uint64_t sw_tcp_bbr_max_bw(const struct bbr *bbr);
/* Bytes that go by in @time at @rate (at most BBR_BW_LIMIT); less than 2^41. */
uint64_t sw_tcp_bbr_bytes_in(uint64_t rate, sanwo_time time);
/*
 * @gain pipes full: bandwidth times shortest round trip. The initial window while that is unknown.
 */
uint32_t sw_tcp_bbr_bdp(const struct bbr *bbr, uint64_t bw, uint32_t gain);
/* One pipe full, and enough that whole bursts and delayed ACKs do not starve a short path. */
uint32_t sw_tcp_bbr_inflight(const struct bbr *bbr, const struct tcp_cc *cc, uint64_t bw);
/* What is added to it for quanta in the sender, in the network and in the receiver. */
uint32_t sw_tcp_bbr_quantized(const struct bbr *bbr, const struct tcp_cc *cc, uint32_t bytes);
/* Whether cwnd, not the pace, held the sender back before this ACK: a burst more was too much. */
bool sw_tcp_bbr_is_full(const struct tcp_cc *cc, const struct tcp_cc_ack *ack);
uint32_t sw_tcp_bbr_extra_acked(const struct bbr *bbr);
/* Whether @lost out of @of bytes is more than chance: the path is full. */
bool sw_tcp_bbr_is_too_much(const struct tcp_cc *cc, uint32_t lost, uint64_t of);
/* How much was in flight when that became so, while the lost @length bytes of @lost left. */
uint32_t sw_tcp_bbr_inflight_at_loss(const struct tcp_cc *cc, const struct tcp_rate_sample *lost,
                                     uint32_t length);
/* inflight_hi less what is left free for others. */
uint32_t sw_tcp_bbr_inflight_with_headroom(const struct bbr *bbr, const struct tcp_cc *cc);
/* A count of bytes that stops at its end. */
uint32_t sw_tcp_bbr_add(uint32_t a, uint32_t b);
uint32_t sw_tcp_bbr_min_cwnd(const struct tcp_cc *cc);

/* ---- bbr_state.c ---- */

void sw_tcp_bbr_state_init(struct bbr *bbr, sanwo_time now);
/* May change the phase, by what was just measured. */
void sw_tcp_bbr_next_phase(struct bbr *bbr, struct tcp_cc *cc, const struct tcp_cc_ack *ack);
bool sw_tcp_bbr_in_probe_bw(const struct bbr *bbr);
/* The path bore less than what was tried. @tried: bytes in flight then. */
void sw_tcp_bbr_inflight_too_high(struct bbr *bbr, const struct tcp_cc *cc, uint32_t tried,
                                  bool app_limited, sanwo_time now);
/* It lost @length bytes, whose sample is @lost. */
void sw_tcp_bbr_handle_lost(struct bbr *bbr, const struct tcp_cc *cc,
                            const struct tcp_rate_sample *lost, uint32_t length, sanwo_time now);
/* Startup found the end of the path by losses or marks. */
void sw_tcp_bbr_startup_too_high(struct bbr *bbr);
/* ProbeRTT may end although no ACK comes. */
void sw_tcp_bbr_check_probe_rtt_done(struct bbr *bbr, struct tcp_cc *cc, sanwo_time now);
/* The losses of the episode did not happen, nor does what they ended have to stay ended. */
void sw_tcp_bbr_resume(struct bbr *bbr);
/* 0.5 pipe: what ProbeRTT lets be in flight. */
uint32_t sw_tcp_bbr_probe_rtt_cwnd(const struct bbr *bbr, const struct tcp_cc *cc);

/* ---- bbr.c ---- */

void sw_tcp_bbr_save_cwnd(struct bbr *bbr, const struct tcp_cc *cc);
void sw_tcp_bbr_restore_cwnd(const struct bbr *bbr, struct tcp_cc *cc);

#endif
