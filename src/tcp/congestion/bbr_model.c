/*
 * bbr_model.c - BBR's model of the path, kept by what ACKs tell.
 *
 *     max of two probing cycles ---- bw_max --.                  shortest of 10 s: min_rtt
 *     losses of a round: x 0.7 ----- bw_lo ---+--> bw                     |
 *                                              `----- bw x min_rtt = BDP -'
 *     too much in flight was -------- inflight_hi
 *     losses of a round: x 0.7 ------ inflight_lo
 *     ACKs in bunches --------------- extra_acked, on top of the BDP: sending goes on meanwhile
 */
#include "base/bytes.h"
#include "tcp/congestion/bbr.h"

#define MIN_RTT_WINDOW SANWO_SEC(10)
#define PROBE_RTT_INTERVAL SANWO_SEC(5)
#define SECOND SANWO_SEC(1)
#define LOSS_PERCENT 2  /* LossThresh (2.8): of what was in flight may get lost, ... */
#define LOSS_SEGMENTS 2 /* ... and as many, by chance, */
#define LOSS_PART 16    /* ... or such a part of a small window */

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint32_t bytes32(uint64_t bytes)
{
    return bytes > CWND_LIMIT ? CWND_LIMIT : (uint32_t)bytes;
}

/* Beta (2.8). */
static uint64_t beta(uint64_t x)
{
    return x * 7 / 10; /* callers: below 2^34 */
}

/* 5.2.1, OnInit(). */
void sw_tcp_bbr_model_init(struct bbr *bbr, const struct tcp_cc *cc, sanwo_time now)
{
    bbr->min_rtt = bbr->probe_rtt_min = SANWO_TIME_NEVER;
    bbr->min_rtt_at = bbr->probe_rtt_min_at = now;
    bbr->extra_since = now;
    bbr->initial_cwnd = bytes32(cc->cwnd);
    bbr->inflight_hi = BBR_INFLIGHT_NONE;
    sw_tcp_bbr_forget_low_bounds(bbr);
}

/* ---- figures derived from it ---- */

uint64_t sw_tcp_bbr_max_bw(const struct bbr *bbr)
{
    return max64(bbr->bw_max[0], bbr->bw_max[1]);
}

uint64_t sw_tcp_bbr_bytes_in(uint64_t rate, sanwo_time time)
{
    if (time <= 0)
        return 0;
    uint64_t seconds = (uint64_t)time / SECOND, rest = (uint64_t)time % SECOND;
    if (seconds > 64)
        seconds = 64; /* longer than any round trip that is worth sending for */
    return rate * seconds + rate * rest / SECOND;
}

/* 5.6.4.2, BDPMultiple(). */
uint32_t sw_tcp_bbr_bdp(const struct bbr *bbr, uint64_t bw, uint32_t gain)
{
    if (bbr->min_rtt == SANWO_TIME_NEVER || bw == 0)
        return bbr->initial_cwnd;
    return bytes32(sw_tcp_bbr_bytes_in(bw, bbr->min_rtt) * gain / BBR_GAIN_ONE); /* < 2^51 */
}

uint32_t sw_tcp_bbr_min_cwnd(const struct tcp_cc *cc)
{
    return 4u * cc->mss; /* an ACK of every second segment keeps coming */
}

/*
 * What one decision to send may release: a millisecond's worth, at most 64 KiB (5.6.3). It lets us
 * take less than two segments where they take long: below 1.2 Mbit/s.
 */
static uint32_t send_quantum(const struct tcp_cc *cc)
{
    uint64_t quantum = cc->pacing_rate / 1000;
    if (quantum > 65536)
        quantum = 65536;
    return sw_max32((uint32_t)quantum, cc->pacing_rate < 150000 ? cc->mss : 2u * cc->mss);
}

bool sw_tcp_bbr_is_full(const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    uint64_t in_flight = (uint64_t)ack->in_flight + ack->delivered + ack->lost;

    return ack->cwnd_limited && in_flight + send_quantum(cc) >= cc->cwnd;
}

/* 5.6.4.2, QuantizationBudget(); 5.5.8.1, UpdateOffloadBudget(). */
uint32_t sw_tcp_bbr_quantized(const struct bbr *bbr, const struct tcp_cc *cc, uint32_t bytes)
{
    bytes = sw_max32(bytes, 3 * send_quantum(cc)); /* sender, network, receiver hold one each */
    bytes = sw_max32(bytes, sw_tcp_bbr_min_cwnd(cc));
    if (bbr->phase == BBR_PROBE_BW_UP)
        bytes += 2u * cc->mss; /* 1.25 of a few segments would be no probe */
    return bytes;
}

/* 5.6.4.2, Inflight(). */
uint32_t sw_tcp_bbr_inflight(const struct bbr *bbr, const struct tcp_cc *cc, uint64_t bw)
{
    return sw_tcp_bbr_quantized(bbr, cc, sw_tcp_bbr_bdp(bbr, bw, BBR_GAIN_ONE));
}

/* 5.3.3.9, InflightWithHeadroom(). */
uint32_t sw_tcp_bbr_inflight_with_headroom(const struct bbr *bbr, const struct tcp_cc *cc)
{
    if (bbr->inflight_hi == BBR_INFLIGHT_NONE)
        return BBR_INFLIGHT_NONE;
    uint32_t headroom = sw_max32(cc->mss, (uint32_t)((uint64_t)bbr->inflight_hi * 15 / 100));
    uint32_t rest = bbr->inflight_hi > headroom ? bbr->inflight_hi - headroom : 0;
    return sw_max32(rest, sw_tcp_bbr_min_cwnd(cc));
}

/* ---- round trips ---- */

void sw_tcp_bbr_start_round(struct bbr *bbr)
{
    bbr->next_round = bbr->delivered;
}

/* 5.5.1, UpdateRound(); 5.5.10.3, UpdateLatestDeliverySignals(). */
static void measure_round(struct bbr *bbr, const struct tcp_cc_ack *ack)
{
    bbr->round_start = ack->rate.valid && ack->rate.prior_delivered >= bbr->next_round;
    if (bbr->round_start) {
        sw_tcp_bbr_start_round(bbr);
        bbr->round_count++;
        bbr->rounds_since_probe++;
    }
    bbr->loss_round_start = ack->rate.valid && ack->rate.prior_delivered >= bbr->loss_round;
    if (bbr->loss_round_start)
        bbr->loss_round = bbr->delivered;
}

/* 5.3.4.3, UpdateMinRTT(). */
void sw_tcp_bbr_measure_rtt(struct bbr *bbr, const struct tcp_cc_ack *ack)
{
    /*
     * One that equals the shortest shows as well that the queue was gone: no need to drain for it.
     */
    bbr->probe_rtt_due = ack->now - bbr->probe_rtt_min_at > PROBE_RTT_INTERVAL;
    if (ack->rtt > 0 && (ack->rtt <= bbr->probe_rtt_min || bbr->probe_rtt_due)) {
        bbr->probe_rtt_min = ack->rtt;
        bbr->probe_rtt_min_at = ack->now;
    }
    bool expired = ack->now - bbr->min_rtt_at > MIN_RTT_WINDOW;
    if (bbr->probe_rtt_min <= bbr->min_rtt || expired) {
        bbr->min_rtt = bbr->probe_rtt_min;
        bbr->min_rtt_at = bbr->probe_rtt_min_at;
    }
}

/* ---- bandwidth ---- */

/* delivered < 2^32, times 10^9 < 2^62; the interval is not 0. */
static uint64_t rate_of(const struct tcp_rate_sample *rate)
{
    if (!rate->valid || rate->interval <= 0 || rate->delivered == 0)
        return 0;
    uint64_t bw = (uint64_t)rate->delivered * SECOND / (uint64_t)rate->interval;
    return bw > BBR_BW_LIMIT ? BBR_BW_LIMIT : max64(bw, 1);
}

bool sw_tcp_bbr_app_limited(const struct bbr *bbr, const struct tcp_rate_sample *rate)
{
    return rate->app_limited || (bbr->slow_until != 0 && rate->prior_delivered >= bbr->slow_from &&
                                 rate->prior_delivered <= bbr->slow_until);
}

/* As MarkConnectionAppLimited() (4.1.2.4) does, which is not ours to call from here. */
void sw_tcp_bbr_mark_slow(struct bbr *bbr, uint32_t in_flight)
{
    if (bbr->slow_until == 0 || bbr->delivered > bbr->slow_until)
        bbr->slow_from = bbr->delivered;
    bbr->slow_until = max64(bbr->delivered + in_flight, 1);
}

/* 5.5.5, UpdateMaxBw(): what slowed down by itself tells only when it is more than was known. */
static void measure_bw(struct bbr *bbr)
{
    if (bbr->sample >= sw_tcp_bbr_max_bw(bbr) || !bbr->app_limited)
        bbr->bw_max[1] = max64(bbr->bw_max[1], bbr->sample);
}

/* 5.5.6, AdvanceMaxBwFilter(). */
void sw_tcp_bbr_end_bw_cycle(struct bbr *bbr)
{
    if (bbr->bw_max[1] == 0)
        return; /* nothing was measured: what is known stays */
    bbr->bw_max[0] = bbr->bw_max[1];
    bbr->bw_max[1] = 0;
}

/* ---- what losses tell ---- */

static void forget_round(struct bbr *bbr)
{
    bbr->loss_in_round = false;
    bbr->marked_in_round = bbr->timed_out_in_round = false;
    bbr->loss_events = 0;
    bbr->round_delivered = 0;
    bbr->round_lost = 0;
}

/* 5.5.10.3, ResetCongestionSignals(). */
void sw_tcp_bbr_forget_losses(struct bbr *bbr)
{
    forget_round(bbr);
    bbr->bw_latest = 0;
    bbr->inflight_latest = 0;
}

/* 5.5.10.3, ResetShortTermModel(). */
void sw_tcp_bbr_forget_low_bounds(struct bbr *bbr)
{
    bbr->bw_lo = BBR_BW_NONE;
    bbr->inflight_lo = BBR_INFLIGHT_NONE;
}

/* What may be lost by chance on top of LOSS_PERCENT. */
static uint32_t chance(const struct tcp_cc *cc, uint64_t of)
{
    uint64_t segments = (uint64_t)LOSS_SEGMENTS * cc->mss;
    return (uint32_t)(segments > of / LOSS_PART ? of / LOSS_PART : segments);
}

/*
 * Here we differ from the draft. There more than 2 % is too much for a probe, and any loss at all
 * for a round between two of them. With 1 % lost by chance one window in ten loses 2 %: the bounds
 * then shrink, again and again, by what was lost and by the 1 % that pacing stays below them. That
 * left 0.84 of 100 Mbit/s x 20 ms, 0.75 of 1 Gbit/s x 20 ms; as it is, 0.98 of both. A few segments
 * on top of the 2 % tell chance from a full queue, which takes a fifth of what a probe sends; and
 * rounds are measured as probes are.
 */
bool sw_tcp_bbr_is_too_much(const struct tcp_cc *cc, uint32_t lost, uint64_t of)
{
    return lost > of * LOSS_PERCENT / 100 + chance(cc, of);
}

/*
 * 5.5.10.2, InflightAtLoss(): the bytes of which the last @length are @lost may be many segments
 * that left at once; with which of them did it become too much? Where it had been before, none.
 */
uint32_t sw_tcp_bbr_inflight_at_loss(const struct tcp_cc *cc, const struct tcp_rate_sample *lost,
                                     uint32_t length)
{
    uint64_t before = lost->tx_in_flight > length ? lost->tx_in_flight - length : 0;
    uint64_t lost_before = lost->lost > length ? lost->lost - length : 0;
    uint64_t bearable = before * LOSS_PERCENT / 100 + chance(cc, lost->tx_in_flight);
    uint64_t prefix = 0;

    if (bearable > lost_before)
        prefix = (bearable - lost_before) * 100 / (100 - LOSS_PERCENT);
    return bytes32(before + (prefix > length ? length : prefix));
}

uint32_t sw_tcp_bbr_add(uint32_t a, uint32_t b)
{
    return a + b < a ? UINT32_MAX : a + b;
}

/* 5.5.10.2, NoteLoss(): the round that is judged begins with its first loss. */
void sw_tcp_bbr_note_loss(struct bbr *bbr, const struct tcp_rate_sample *lost, uint32_t length)
{
    if (!bbr->loss_in_round) {
        bbr->loss_round = lost->valid ? lost->prior_delivered + lost->delivered : bbr->delivered;
        bbr->round_delivered = bbr->round_lost = 0;
        bbr->loss_events = 0;
        bbr->loss_in_round = true;
    }
    bbr->round_lost = sw_tcp_bbr_add(bbr->round_lost, length);
    if (!bbr->loss_told && bbr->loss_events < UINT8_MAX)
        bbr->loss_events++;
    bbr->loss_told = true; /* what is told at once is one event, be it many records */
}

/* 5.3.3.9, IsProbingBW(). Losses are what it looks for: bbr_state.c has its own answer then. */
static bool is_probing(const struct bbr *bbr)
{
    return bbr->phase == BBR_STARTUP || bbr->phase == BBR_PROBE_BW_REFILL ||
           bbr->phase == BBR_PROBE_BW_UP;
}

/*
 * 5.5.10.3, InitLowerBounds() and LossLowerBounds(), once a round with losses: 0.7 of the bounds,
 * but never less than what did get through.
 */
static void lower_bounds(struct bbr *bbr, const struct tcp_cc *cc)
{
    if (sw_tcp_bbr_max_bw(bbr) == 0)
        return; /* nothing was measured yet that could be lowered */
    if (bbr->bw_lo == BBR_BW_NONE)
        bbr->bw_lo = sw_tcp_bbr_max_bw(bbr);
    if (bbr->inflight_lo == BBR_INFLIGHT_NONE) /* in recovery cwnd says little */
        bbr->inflight_lo = bbr->recovering ? sw_max32(cc->cwnd, bbr->prior_cwnd) : cc->cwnd;
    bbr->bw_lo = max64(bbr->bw_latest, beta(bbr->bw_lo));
    bbr->inflight_lo = sw_max32(bbr->inflight_latest, (uint32_t)beta(bbr->inflight_lo));
}

static bool lost_too_much(const struct bbr *bbr, const struct tcp_cc *cc)
{
    return sw_tcp_bbr_is_too_much(cc, bbr->round_lost,
                                  (uint64_t)bbr->round_delivered + bbr->round_lost);
}

/* 5.5.10.3, AdaptLowerBoundsFromCongestion(). */
static void measure_losses(struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    bbr->round_delivered = sw_tcp_bbr_add(bbr->round_delivered, ack->delivered);
    bool congested = bbr->marked_in_round || bbr->timed_out_in_round || lost_too_much(bbr, cc);
    if (bbr->loss_round_start && congested && !is_probing(bbr))
        lower_bounds(bbr, cc);
}

/* ---- aggregation ---- */

uint32_t sw_tcp_bbr_extra_acked(const struct bbr *bbr)
{
    uint32_t most = 0;

    for (unsigned i = 0; i < BBR_EXTRA_ACKED_ROUNDS; i++)
        most = sw_max32(most, bbr->extra_acked[i]);
    return most;
}

/* A round trip begins: the oldest is forgotten. In Startup bw lags behind: all but the last are. */
static void advance_extra_acked(struct bbr *bbr)
{
    uint32_t last = bbr->extra_acked[bbr->extra_slot];

    bbr->extra_slot = (uint8_t)((bbr->extra_slot + 1) % BBR_EXTRA_ACKED_ROUNDS);
    if (!bbr->full_bw_reached) {
        memset(bbr->extra_acked, 0, sizeof bbr->extra_acked);
        bbr->extra_acked[(bbr->extra_slot + BBR_EXTRA_ACKED_ROUNDS - 1) % BBR_EXTRA_ACKED_ROUNDS] =
            last;
    }
    bbr->extra_acked[bbr->extra_slot] = 0;
}

/*
 * 5.5.9, UpdateACKAggregation(): some links deliver ACKs in bunches. What came beyond the bandwidth
 * since the last lull is what must be in flight on top of the BDP so that the sender does not run
 * dry before the next bunch; no more than cwnd.
 */
static void measure_aggregation(struct bbr *bbr, const struct tcp_cc *cc,
                                const struct tcp_cc_ack *ack)
{
    if (bbr->round_start)
        advance_extra_acked(bbr);
    uint64_t expected = sw_tcp_bbr_bytes_in(bbr->bw, ack->now - bbr->extra_since);
    if (bbr->extra_delivered <= expected) {
        bbr->extra_since = ack->now;
        bbr->extra_delivered = 0;
        expected = 0;
    }
    bbr->extra_delivered += ack->delivered;
    uint64_t extra = bbr->extra_delivered > expected ? bbr->extra_delivered - expected : 0;
    uint32_t *most = &bbr->extra_acked[bbr->extra_slot];
    *most = sw_max32(*most, sw_min32(bytes32(extra), cc->cwnd));
}

/* ---- an ACK ---- */

void sw_tcp_bbr_measure(struct bbr *bbr, const struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    /* By the estimator's count, as P.delivered is: the connection's own may have begun elsewhere. */
    if (ack->rate.valid)
        bbr->delivered = ack->rate.prior_delivered + ack->rate.delivered;
    bbr->sample = rate_of(&ack->rate);
    bbr->app_limited = sw_tcp_bbr_app_limited(bbr, &ack->rate);
    bbr->bw_latest = max64(bbr->bw_latest, bbr->sample);
    if (ack->rate.valid)
        bbr->inflight_latest = sw_max32(bbr->inflight_latest, bytes32(ack->rate.delivered));
    measure_round(bbr, ack);
    measure_bw(bbr);
    measure_losses(bbr, cc, ack);
    measure_aggregation(bbr, cc, ack);
}

/* 5.5.10.3, AdvanceLatestDeliverySignals() and BoundBWForModel(). */
void sw_tcp_bbr_measured(struct bbr *bbr, const struct tcp_cc_ack *ack)
{
    if (bbr->loss_round_start) {
        bbr->bw_latest = bbr->sample;
        bbr->inflight_latest = bytes32(ack->rate.delivered);
        forget_round(bbr);
    }
    bbr->loss_told = false;
    uint64_t bw = sw_tcp_bbr_max_bw(bbr);
    bbr->bw = bw < bbr->bw_lo ? bw : bbr->bw_lo;
}
