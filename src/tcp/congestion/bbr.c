/*
 * bbr.c - BBR: from the model of the path to pacing rate and cwnd, and what happens beside ACKs.
 *
 *     pacing_rate = 0.99 x gain x bw
 *     cwnd       -> gain x BDP + extra_acked, within inflight_hi and inflight_lo
 *
 * The pacing rate is what keeps queues short; cwnd is a bound for when ACKs do not come as
 * expected. ssthresh is not used. Random numbers (when to probe) come from a small generator
 * seeded with what init() is given: the box stays repeatable, and two flows seldom begin in the
 * same nanosecond.
 *
 * ECN: marks are taken as RFC 3168 5 asks, like a round with losses; the draft leaves open how (3.7).
 */
#include "base/bytes.h"
#include "tcp/congestion/bbr.h"

static void bbr_init(struct tcp_cc *cc, void *state, sanwo_time now)
{
    struct bbr *bbr = state;
    uint64_t seed = (uint64_t)now * UINT64_C(0x9E3779B97F4A7C15) + cc->mss + cc->cwnd;

    *bbr = (struct bbr){.random = (uint32_t)(seed >> 32) | 1};
    sw_tcp_bbr_model_init(bbr, cc, now);
    sw_tcp_bbr_state_init(bbr, now);
    /*
     * As if the round trip took 1 ms, until it is known. Where cwnd is left from an earlier life,
     * it was not for such a path: a usual initial window (RFC 6928) is supposed. Below 2^40.
     */
    uint64_t window = sw_min32(bbr->initial_cwnd, 10u * cc->mss);
    cc->pacing_rate = window * 1000 * bbr->pacing_gain / BBR_GAIN_ONE;
}

/* ---- control ---- */

/* A segment a second at least, so that there is always a next one. */
static uint64_t pacing_floor(const struct tcp_cc *cc)
{
    return cc->mss;
}

/* 5.6.2, SetPacingRateWithGain(). */
static void set_pacing_rate(struct tcp_cc *cc, struct bbr *bbr, uint32_t gain)
{
    if (bbr->bw == 0)
        return;
    uint64_t rate = bbr->bw * gain / BBR_GAIN_ONE * 99 / 100; /* 1 % below: queues do drain */
    if (rate < pacing_floor(cc))
        rate = pacing_floor(cc);
    /* In Startup the estimate lags behind, and does not slow it down. */
    if (bbr->full_bw_reached || rate > cc->pacing_rate)
        cc->pacing_rate = rate;
}

/* The guess of 1 ms is replaced by the first round trip. */
static void correct_first_rate(struct tcp_cc *cc, struct bbr *bbr, const struct tcp_cc_ack *ack)
{
    sanwo_time rtt = ack->srtt > 0 ? ack->srtt : ack->rtt;

    if (bbr->has_rtt || rtt <= 0)
        return;
    bbr->has_rtt = true;
    uint64_t rate = (uint64_t)bbr->initial_cwnd * SANWO_SEC(1) / (uint64_t)rtt; /* < 2^60 */
    if (rate > BBR_BW_LIMIT)
        rate = BBR_BW_LIMIT;
    rate = rate * bbr->pacing_gain / BBR_GAIN_ONE;
    cc->pacing_rate = rate > pacing_floor(cc) ? rate : pacing_floor(cc);
}

void sw_tcp_bbr_save_cwnd(struct bbr *bbr, const struct tcp_cc *cc)
{
    if (bbr->recovering || bbr->phase == BBR_PROBE_RTT)
        bbr->prior_cwnd = sw_max32(bbr->prior_cwnd, cc->cwnd);
    else
        bbr->prior_cwnd = cc->cwnd;
}

void sw_tcp_bbr_restore_cwnd(const struct bbr *bbr, struct tcp_cc *cc)
{
    cc->cwnd = sw_max32(cc->cwnd, bbr->prior_cwnd);
}

/*
 * 5.6.4.7, BoundCwndForModel(), and 5.6.4.5, BoundCwndForProbeRTT(): some of what may be in flight is
 * left free but while probing.
 */
static void bound_cwnd(struct tcp_cc *cc, const struct bbr *bbr)
{
    uint32_t bound = BBR_INFLIGHT_NONE;

    if (bbr->phase == BBR_PROBE_RTT || bbr->phase == BBR_PROBE_BW_CRUISE)
        bound = sw_tcp_bbr_inflight_with_headroom(bbr, cc);
    else if (sw_tcp_bbr_in_probe_bw(bbr))
        bound = bbr->inflight_hi;
    bound = sw_min32(bound, bbr->inflight_lo);
    bound = sw_max32(bound, sw_tcp_bbr_min_cwnd(cc));
    if (bbr->phase == BBR_PROBE_RTT)
        bound = sw_min32(bound, sw_tcp_bbr_probe_rtt_cwnd(bbr, cc));
    cc->cwnd = sw_min32(cc->cwnd, sw_min32(bound, CWND_LIMIT));
}

/* 5.6.4.6, SetCwnd(). Losses shrink it by the bounds of the model only (5.6.4.4). */
static void set_cwnd(struct tcp_cc *cc, struct bbr *bbr, const struct tcp_cc_ack *ack)
{
    uint32_t most = sw_tcp_bbr_bdp(bbr, bbr->bw, bbr->cwnd_gain) + sw_tcp_bbr_extra_acked(bbr);
    most = sw_tcp_bbr_quantized(bbr, cc, most);

    uint32_t grown = sw_min32(cc->cwnd, CWND_LIMIT) + sw_min32(ack->delivered, CWND_LIMIT);
    if (bbr->full_bw_reached)
        cc->cwnd = sw_min32(grown, most);
    else if (cc->cwnd < most || bbr->delivered < bbr->initial_cwnd)
        cc->cwnd = grown;
    cc->cwnd = sw_max32(cc->cwnd, sw_tcp_bbr_min_cwnd(cc));
    bound_cwnd(cc, bbr);
}

/* ---- losses ---- */

/* 5.5.11.1, SaveStateUponLoss(), before anything is changed because of them: once an episode. */
static void note_losses(struct bbr *bbr)
{
    if (bbr->undo.noted)
        return;
    bbr->undo = (struct bbr_undo){
        .bw_lo = bbr->bw_lo,
        .inflight_lo = bbr->inflight_lo,
        .inflight_hi = bbr->inflight_hi,
        .noted = true,
    };
}

/* 5.2.4. */
static void bbr_on_lost(struct tcp_cc *cc, void *state, const struct tcp_rate_sample *lost,
                        uint32_t length, sanwo_time now)
{
    struct bbr *bbr = state;

    note_losses(bbr);
    sw_tcp_bbr_note_loss(bbr, lost, length);
    sw_tcp_bbr_handle_lost(bbr, cc, lost, length, now);
}

/* 3.7: a mark is congestion, as a loss is. */

static void on_marked(struct tcp_cc *cc, struct bbr *bbr, uint32_t outstanding, sanwo_time now)
{
    bbr->marked_in_round = true;
    if (bbr->phase == BBR_STARTUP)
        sw_tcp_bbr_startup_too_high(bbr);
    else if (bbr->probe_samples)
        sw_tcp_bbr_inflight_too_high(bbr, cc, sw_min32(outstanding, CWND_LIMIT), false, now);
    else
        return;
    /* Not to be undone with the losses. */
    bbr->undo.inflight_hi = bbr->inflight_hi;
    bbr->undo.phase_ended = false;
}

static void bbr_on_congestion(struct tcp_cc *cc, void *state, enum tcp_cc_sign sign,
                              uint32_t outstanding, sanwo_time now)
{
    struct bbr *bbr = state;

    if (sign == TCP_CC_ECN) { /* never a mistake: nothing is noted for undo() */
        on_marked(cc, bbr, outstanding, now);
        return;
    }
    note_losses(bbr);
    sw_tcp_bbr_save_cwnd(bbr, cc);
    bbr->recovering = true;
}

/* 5.6.4.4, RFC 5681 3.1 (7): one segment; the model is believed again as soon as ACKs come. */
static void bbr_on_timeout(struct tcp_cc *cc, void *state, uint32_t outstanding, bool first,
                           sanwo_time now)
{
    struct bbr *bbr = state;

    (void)outstanding;
    (void)now;
    note_losses(bbr);
    if (first)
        sw_tcp_bbr_save_cwnd(bbr, cc);
    bbr->timed_out_in_round = true;
    bbr->recovering = true;
    cc->cwnd = cc->mss;
}

static void end_recovery(struct tcp_cc *cc, struct bbr *bbr)
{
    if (bbr->recovering && bbr->phase != BBR_PROBE_RTT)
        sw_tcp_bbr_restore_cwnd(bbr, cc);
    bbr->recovering = false;
    bbr->undo.noted = bbr->undo.phase_ended = false;
}

static void bbr_undo(struct tcp_cc *cc, void *state)
{
    struct bbr *bbr = state;

    if (bbr->undo.noted) {
        bbr->loss_in_round = bbr->timed_out_in_round = false;
        if (bbr->undo.bw_lo > bbr->bw_lo)
            bbr->bw_lo = bbr->undo.bw_lo;
        bbr->inflight_lo = sw_max32(bbr->inflight_lo, bbr->undo.inflight_lo);
        bbr->inflight_hi = sw_max32(bbr->inflight_hi, bbr->undo.inflight_hi);
        sw_tcp_bbr_resume(bbr);
    }
    end_recovery(cc, bbr);
}

static void bbr_on_recovered(struct tcp_cc *cc, void *state, uint32_t in_flight, sanwo_time now)
{
    (void)in_flight;
    (void)now;
    end_recovery(cc, state);
}

/* ---- the rest ---- */

static void bbr_on_ack(struct tcp_cc *cc, void *state, const struct tcp_cc_ack *ack)
{
    struct bbr *bbr = state;

    if (!ack->recovering)
        end_recovery(cc, bbr); /* a loss that a probe repaired begins no recovery, and ends none */
    correct_first_rate(cc, bbr, ack);
    sw_tcp_bbr_measure(bbr, cc, ack);
    sw_tcp_bbr_next_phase(bbr, cc, ack);
    sw_tcp_bbr_measured(bbr, ack);
    set_pacing_rate(cc, bbr, bbr->pacing_gain);
    set_cwnd(cc, bbr, ack);
}

/* 5.4.1: after a pause the pipe is empty: it is filled at the bandwidth, whatever the phase's gain. */
static void bbr_on_restart(struct tcp_cc *cc, void *state, sanwo_time idle, sanwo_time now)
{
    struct bbr *bbr = state;

    (void)idle;
    bbr->idle_restart = true;
    bbr->extra_since = now;
    bbr->extra_delivered = 0;
    if (sw_tcp_bbr_in_probe_bw(bbr))
        set_pacing_rate(cc, bbr, BBR_GAIN_ONE);
    else
        sw_tcp_bbr_check_probe_rtt_done(bbr, cc, now);
}

const struct tcp_cc_ops sw_tcp_cc_bbr = {
    .name = "bbr",
    .state_size = sizeof(struct bbr),
    .paces = true,
    .wants_rate = true,
    .owns_cwnd = true,
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .on_lost = bbr_on_lost,
    .on_congestion = bbr_on_congestion,
    .on_timeout = bbr_on_timeout,
    .undo = bbr_undo,
    .on_recovered = bbr_on_recovered,
    .on_restart = bbr_on_restart,
};
