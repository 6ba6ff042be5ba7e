/*
 * bbr_state.c - BBR's phases: when it sends faster than the path to find its limits, when slower.
 *
 *     Startup --> Drain --> ProbeBW:  DOWN --> CRUISE --> REFILL --> UP --.
 *                                      ^                                  |
 *                                      `------- full, or losses ----------'
 *     any phase, when the shortest round trip was not seen for 5 s --> ProbeRTT (200 ms) --> CRUISE
 *                                                            or Startup, if that was not over
 */
#include "base/bytes.h"
#include "tcp/congestion/bbr.h"

#define FULL_BW_ROUNDS 3         /* so many without a quarter's growth: the pipe is full */
#define STARTUP_LOSS_EVENTS 6    /* in a round, to be no accident (5.3.1.3) */
#define DRAIN_ROUNDS 3           /* more, and the bandwidth was overestimated (5.3.2) */
#define PROBE_WAIT SANWO_SEC(2)  /* between probes, and up to a second more by chance */
#define MOST_ROUNDS_TO_PROBE 63  /* as often as Reno, on a path where it would need no longer */
#define MOST_GROWTH_DOUBLINGS 30 /* of what a probe adds a round */
#define PROBE_RTT_LENGTH SANWO_MSEC(200)

#define GAIN(percent) ((uint16_t)((percent)*BBR_GAIN_ONE / 100))

/* 5.6.1: how fast, of the bandwidth; and how much in flight, of the BDP. */
static const struct {
    uint16_t pacing, cwnd;
} gains[] = {
    [BBR_STARTUP] = {GAIN(277) + 1, GAIN(200)}, /* 4 ln 2: the least that doubles in a round */
    [BBR_DRAIN] = {GAIN(50), GAIN(200)},        /* the queue of Startup is gone in a round trip */
    [BBR_PROBE_BW_DOWN] = {GAIN(90), GAIN(200)},
    [BBR_PROBE_BW_CRUISE] = {GAIN(100), GAIN(200)},
    [BBR_PROBE_BW_REFILL] = {GAIN(100), GAIN(200)},
    [BBR_PROBE_BW_UP] = {GAIN(125), GAIN(225)},
    [BBR_PROBE_RTT] = {GAIN(100), GAIN(50)},
};

static void enter(struct bbr *bbr, enum bbr_phase phase)
{
    bbr->phase = (uint8_t)phase;
    bbr->pacing_gain = gains[phase].pacing;
    bbr->cwnd_gain = gains[phase].cwnd;
}

void sw_tcp_bbr_state_init(struct bbr *bbr, sanwo_time now)
{
    enter(bbr, BBR_STARTUP);
    bbr->ack_phase = BBR_ACKS_OTHER;
    bbr->cycle_at = now;
    bbr->probe_wait = PROBE_WAIT;
    bbr->probe_rtt_done = SANWO_TIME_NEVER;
}

bool sw_tcp_bbr_in_probe_bw(const struct bbr *bbr)
{
    return bbr->phase >= BBR_PROBE_BW_DOWN && bbr->phase <= BBR_PROBE_BW_UP;
}

/* xorshift32; never 0 once it was not. */
static uint32_t next_random(struct bbr *bbr)
{
    bbr->random ^= bbr->random << 13;
    bbr->random ^= bbr->random >> 17;
    bbr->random ^= bbr->random << 5;
    return bbr->random;
}

/* ---- is the pipe full? ---- */

/* 5.3.1.2, ResetFullBW(). */
static void watch_growth(struct bbr *bbr, uint64_t from)
{
    bbr->full_bw = from;
    bbr->full_bw_rounds = 0;
    bbr->full_bw_now = false;
}

/* 5.3.1.2, CheckFullBWReached(): once a round, and not by what the sender slowed down itself. */
static void check_full_bw(struct bbr *bbr)
{
    if (bbr->full_bw_now || !bbr->round_start || bbr->sample == 0 || bbr->app_limited)
        return;
    if (bbr->sample >= bbr->full_bw + bbr->full_bw / 4) {
        watch_growth(bbr, bbr->sample);
        return;
    }
    if (++bbr->full_bw_rounds < FULL_BW_ROUNDS)
        return;
    bbr->full_bw_now = true;
    bbr->full_bw_reached = true;
}

/* 5.5.10.2, IsInflightTooHigh(). */
static bool is_too_high(const struct tcp_cc *cc, const struct tcp_rate_sample *rate)
{
    return rate->valid && sw_tcp_bbr_is_too_much(cc, rate->lost, rate->tx_in_flight);
}

/* Losses end the phase: if they were none it is gone back to. */
static void note_ended(struct bbr *bbr)
{
    bbr->undo.phase_ended = true;
    bbr->undo.phase = bbr->phase;
}

void sw_tcp_bbr_startup_too_high(struct bbr *bbr)
{
    bbr->full_bw_reached = true;
    bbr->inflight_hi =
        sw_max32(sw_tcp_bbr_bdp(bbr, sw_tcp_bbr_max_bw(bbr), BBR_GAIN_ONE), bbr->inflight_latest);
}

/* 5.3.1.3: a whole round of losses, many of them, more than a few percent: the queue is full, too. */
static void check_startup_losses(struct bbr *bbr, const struct tcp_cc *cc,
                                 const struct tcp_cc_ack *ack)
{
    if (bbr->phase == BBR_STARTUP && !bbr->full_bw_reached && bbr->loss_round_start &&
        bbr->recovering && bbr->loss_events >= STARTUP_LOSS_EVENTS && is_too_high(cc, &ack->rate)) {
        note_ended(bbr);
        sw_tcp_bbr_startup_too_high(bbr);
    }
}

/* 5.3.2. */
static void start_drain(struct bbr *bbr)
{
    bbr->drain_round = bbr->round_count;
    enter(bbr, BBR_DRAIN);
}

static bool is_drained(const struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    return ack->in_flight <= sw_tcp_bbr_inflight(bbr, cc, bbr->bw) ||
           bbr->round_count - bbr->drain_round > DRAIN_ROUNDS;
}

/* ---- ProbeBW: 5.3.3.8 and 5.3.3.9 ---- */

static uint32_t target_inflight(const struct bbr *bbr, const struct tcp_cc *cc)
{
    return sw_min32(sw_tcp_bbr_bdp(bbr, bbr->bw, BBR_GAIN_ONE), cc->cwnd);
}

static void start_down(struct bbr *bbr, sanwo_time now)
{
    sw_tcp_bbr_forget_losses(bbr);
    /* By chance, so that flows that share a path do not probe at once for ever. */
    bbr->rounds_since_probe = next_random(bbr) & 1;
    bbr->probe_wait = PROBE_WAIT + (sanwo_time)(((uint64_t)next_random(bbr) * SANWO_SEC(1)) >> 32);
    bbr->cycle_at = now;
    bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
    sw_tcp_bbr_start_round(bbr);
    enter(bbr, BBR_PROBE_BW_DOWN);
}

static void start_refill(struct bbr *bbr)
{
    sw_tcp_bbr_forget_low_bounds(bbr);
    bbr->probe_up_rounds = 0;
    bbr->probe_up_acked = 0;
    bbr->prev_probe_precautionary = false;
    bbr->ack_phase = BBR_ACKS_REFILLING;
    sw_tcp_bbr_start_round(bbr);
    enter(bbr, BBR_PROBE_BW_REFILL);
}

/* Each round of a probe may add twice as much as the one before: one segment, 2, 4 ... */
static void raise_growth(struct bbr *bbr, const struct tcp_cc *cc)
{
    bbr->probe_up_per_segment = sw_max32(cc->cwnd >> bbr->probe_up_rounds, sw_max32(cc->mss, 1));
    if (bbr->probe_up_rounds < MOST_GROWTH_DOUBLINGS)
        bbr->probe_up_rounds++;
}

static void start_up(struct bbr *bbr, const struct tcp_cc *cc)
{
    bbr->ack_phase = BBR_ACKS_PROBE_STARTING;
    sw_tcp_bbr_start_round(bbr);
    watch_growth(bbr, bbr->sample);
    enter(bbr, BBR_PROBE_BW_UP);
    raise_growth(bbr, cc);
}

static bool is_time_to_probe(const struct bbr *bbr, const struct tcp_cc *cc, sanwo_time now)
{
    uint32_t reno_rounds = target_inflight(bbr, cc) / sw_max32(cc->mss, 1);
    return now - bbr->cycle_at > bbr->probe_wait ||
           bbr->rounds_since_probe >= sw_min32(reno_rounds, MOST_ROUNDS_TO_PROBE);
}

/* No queue is left, and others find some room. */
static bool is_time_to_cruise(const struct bbr *bbr, const struct tcp_cc *cc, uint32_t in_flight)
{
    return in_flight <= sw_tcp_bbr_inflight_with_headroom(bbr, cc) &&
           in_flight <= sw_tcp_bbr_inflight(bbr, cc, sw_tcp_bbr_max_bw(bbr));
}

/* What was in flight before the ACK was as much as inflight_hi allows: no segment more fits in. */
static bool is_at_upper_bound(const struct bbr *bbr, const struct tcp_cc *cc,
                              const struct tcp_cc_ack *ack)
{
    uint64_t in_flight = (uint64_t)ack->in_flight + ack->delivered + ack->lost;
    return in_flight + cc->mss > bbr->inflight_hi;
}

static bool is_time_to_go_down(struct bbr *bbr, const struct tcp_cc *cc,
                               const struct tcp_cc_ack *ack)
{
    /* 5.3.3.6: there the last probe lost too much. See what comes back before more is tried. */
    if (bbr->prev_probe_too_high && is_at_upper_bound(bbr, cc, ack)) {
        bbr->prev_probe_precautionary = true;
        return true;
    }
    if (sw_tcp_bbr_is_full(cc, ack) && cc->cwnd >= bbr->inflight_hi) {
        /* The bound held it back, not the path: see again once the bound has risen. */
        watch_growth(bbr, bbr->sample ? bbr->sample : bbr->full_bw);
        return false;
    }
    return bbr->full_bw_now;
}

/* 5.5.10.2, HandleInflightTooHigh(). */
void sw_tcp_bbr_inflight_too_high(struct bbr *bbr, const struct tcp_cc *cc, uint32_t tried,
                                  bool app_limited, sanwo_time now)
{
    bbr->prev_probe_too_high = true;
    bbr->probe_samples = false; /* one answer a probe */
    if (!app_limited) {
        uint32_t beta = (uint32_t)((uint64_t)target_inflight(bbr, cc) * 7 / 10);
        bbr->inflight_hi = sw_max32(tried, beta);
    }
    if (bbr->phase == BBR_PROBE_BW_UP)
        start_down(bbr, now);
}

/*
 * 5.5.10.2, HandleLostPacket(). By what was in flight when the lost itself had left, not what shows
 * that it is lost: that may have left much later.
 */
void sw_tcp_bbr_handle_lost(struct bbr *bbr, const struct tcp_cc *cc,
                            const struct tcp_rate_sample *lost, uint32_t length, sanwo_time now)
{
    if (!bbr->probe_samples || !is_too_high(cc, lost))
        return;
    if (bbr->phase == BBR_PROBE_BW_UP)
        note_ended(bbr);
    sw_tcp_bbr_inflight_too_high(bbr, cc, sw_tcp_bbr_inflight_at_loss(cc, lost, length),
                                 sw_tcp_bbr_app_limited(bbr, lost), now);
}

/* The bound is used up and nothing was lost: it rises, slowly first. */
static void probe_upward(struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    if (!sw_tcp_bbr_is_full(cc, ack) || cc->cwnd < bbr->inflight_hi)
        return;
    bbr->probe_up_acked = sw_min32(bbr->probe_up_acked, CWND_LIMIT) + ack->delivered;
    uint32_t per_segment = sw_max32(bbr->probe_up_per_segment, 1);
    uint32_t segments = bbr->probe_up_acked / per_segment;
    bbr->probe_up_acked -= segments * per_segment;
    uint64_t risen = bbr->inflight_hi + (uint64_t)segments * cc->mss;
    bbr->inflight_hi = risen > CWND_LIMIT ? CWND_LIMIT : (uint32_t)risen;
    if (bbr->round_start)
        raise_growth(bbr, cc);
}

static void follow_ack_phase(struct bbr *bbr)
{
    if (!bbr->round_start)
        return;
    if (bbr->ack_phase == BBR_ACKS_PROBE_STARTING) {
        bbr->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
    } else if (bbr->ack_phase == BBR_ACKS_PROBE_STOPPING) {
        bbr->ack_phase = BBR_ACKS_OTHER;
        bbr->probe_samples = false;
        if (!sw_tcp_bbr_in_probe_bw(bbr))
            return;
        if (!bbr->app_limited)
            sw_tcp_bbr_end_bw_cycle(bbr);
        /* 5.3.3.6: as much as lost too much once is borne now. At once again, and longer. */
        if (bbr->prev_probe_precautionary && !bbr->prev_probe_too_high)
            start_refill(bbr);
    }
}

/* AdaptLongTermModel(). */
static void adapt_upper_bound(struct bbr *bbr, const struct tcp_cc *cc,
                              const struct tcp_cc_ack *ack)
{
    if (bbr->inflight_hi == BBR_INFLIGHT_NONE || !ack->rate.valid || is_too_high(cc, &ack->rate))
        return;
    bbr->inflight_hi = sw_max32(bbr->inflight_hi, sw_min32(ack->rate.tx_in_flight, CWND_LIMIT));
    if (bbr->phase == BBR_PROBE_BW_UP)
        probe_upward(bbr, cc, ack);
}

static void follow_cycle(struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    switch (bbr->phase) {
    case BBR_PROBE_BW_DOWN:
        if (is_time_to_probe(bbr, cc, ack->now))
            start_refill(bbr);
        else if (is_time_to_cruise(bbr, cc, ack->in_flight))
            enter(bbr, BBR_PROBE_BW_CRUISE);
        break;
    case BBR_PROBE_BW_CRUISE:
        if (is_time_to_probe(bbr, cc, ack->now))
            start_refill(bbr);
        break;
    case BBR_PROBE_BW_REFILL:
        if (bbr->round_start) { /* what is lost from now on was lost with the pipe full */
            bbr->probe_samples = true;
            start_up(bbr, cc);
        }
        break;
    case BBR_PROBE_BW_UP:
        if (is_time_to_go_down(bbr, cc, ack)) {
            bbr->prev_probe_too_high = false; /* that this one did not is not known yet */
            start_down(bbr, ack->now);
        }
        break;
    default:
        break;
    }
}

/* ---- ProbeRTT: 5.3.4.3 and 5.3.4.4 ---- */

uint32_t sw_tcp_bbr_probe_rtt_cwnd(const struct bbr *bbr, const struct tcp_cc *cc)
{
    return sw_max32(sw_tcp_bbr_bdp(bbr, bbr->bw, gains[BBR_PROBE_RTT].cwnd),
                    sw_tcp_bbr_min_cwnd(cc));
}

void sw_tcp_bbr_check_probe_rtt_done(struct bbr *bbr, struct tcp_cc *cc, sanwo_time now)
{
    if (bbr->phase != BBR_PROBE_RTT || now <= bbr->probe_rtt_done)
        return;
    bbr->probe_rtt_min_at = now; /* not again for 5 s */
    sw_tcp_bbr_restore_cwnd(bbr, cc);
    sw_tcp_bbr_forget_low_bounds(bbr);
    if (!bbr->full_bw_reached) {
        enter(bbr, BBR_STARTUP);
        return;
    }
    start_down(bbr, now); /* the pipe is not even full: no need to drain it first */
    enter(bbr, BBR_PROBE_BW_CRUISE);
}

/* 200 ms and a round trip, counted from when no more than half a pipe was in flight. */
static void follow_probe_rtt(struct bbr *bbr, struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    sw_tcp_bbr_mark_slow(bbr, ack->in_flight);
    if (bbr->probe_rtt_done == SANWO_TIME_NEVER) {
        if (ack->in_flight > sw_tcp_bbr_probe_rtt_cwnd(bbr, cc))
            return;
        bbr->probe_rtt_done = ack->now + PROBE_RTT_LENGTH;
        bbr->probe_rtt_round_done = false;
        sw_tcp_bbr_start_round(bbr);
        return;
    }
    bbr->probe_rtt_round_done |= bbr->round_start;
    if (bbr->probe_rtt_round_done)
        sw_tcp_bbr_check_probe_rtt_done(bbr, cc, ack->now);
}

static void check_probe_rtt(struct bbr *bbr, struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    /* Whoever was idle just now has left the path empty: the samples to come are good enough. */
    if (bbr->phase != BBR_PROBE_RTT && bbr->probe_rtt_due && !bbr->idle_restart) {
        sw_tcp_bbr_save_cwnd(bbr, cc);
        enter(bbr, BBR_PROBE_RTT);
        bbr->probe_rtt_done = SANWO_TIME_NEVER;
        bbr->ack_phase = BBR_ACKS_PROBE_STOPPING;
        sw_tcp_bbr_start_round(bbr);
    }
    if (bbr->phase == BBR_PROBE_RTT)
        follow_probe_rtt(bbr, cc, ack);
    if (ack->delivered > 0)
        bbr->idle_restart = false;
}

/* ---- all of it ---- */

/* 5.2.3, the order of UpdateModelAndState(). */
void sw_tcp_bbr_next_phase(struct bbr *bbr, struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    check_full_bw(bbr);
    check_startup_losses(bbr, cc, ack);
    if (bbr->phase == BBR_STARTUP && bbr->full_bw_reached)
        start_drain(bbr);
    if (bbr->phase == BBR_DRAIN && is_drained(bbr, cc, ack))
        start_down(bbr, ack->now);
    if (bbr->full_bw_reached) {
        uint8_t phase = bbr->phase;
        follow_ack_phase(bbr);
        if (bbr->phase == phase) {
            adapt_upper_bound(bbr, cc, ack);
            follow_cycle(bbr, cc, ack);
        }
    }
    sw_tcp_bbr_measure_rtt(bbr, ack);
    check_probe_rtt(bbr, cc, ack);
}

/* 5.5.11.2, HandleSpuriousLossDetection(). What ends while the round trip is probed is put right. */
void sw_tcp_bbr_resume(struct bbr *bbr)
{
    watch_growth(bbr, 0);
    if (!bbr->undo.phase_ended || bbr->phase == bbr->undo.phase)
        return;
    if (bbr->undo.phase == BBR_STARTUP)
        bbr->full_bw_reached = false;
    if (bbr->phase == BBR_PROBE_RTT)
        return;
    if (bbr->undo.phase == BBR_STARTUP)
        enter(bbr, BBR_STARTUP);
    else
        start_refill(bbr); /* the pipe has drained meanwhile: the probe begins anew */
}
