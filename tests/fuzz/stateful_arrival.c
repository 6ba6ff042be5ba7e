/*
 * stateful_arrival.c - The oracle of one segment: what it may change, and what it must not.
 *
 * The connection's numbers before and after its arrival are compared. RFC 9293 3.10.7.4, RFC 5961 3
 * to 5, RFC 7323 3.2. Only while its user holds it, and in synchronised states.
 */
#include "stateful.h"

struct arrival arrival_before(struct world *w, const struct far *f)
{
    struct arrival a = {.user = flow_user(w, (unsigned)(f - w->flows)), .vouched = w->via_left};
    if (!a.user || !f->iss_known || a.user->iss != f->iss || w->batch_left ||
        sanwo_tcp_info(w->stack, a.user->handle, &a.info) < 0 ||
        a.info.state < SANWO_TCP_ESTABLISHED || a.info.local.port != f->ours.port ||
        a.info.snd_una == a.info.iss) /* our SYN is still out: what crosses it still counts */
        a.user = NULL;
    return a;
}

static void check_unchanged(const struct sanwo_tcp_info *before, const struct sanwo_tcp_info *now)
{
    FUZZ_CHECK(now->state == before->state, "it changes no state");
    FUZZ_CHECK(now->rcv_nxt == before->rcv_nxt, "its text is not taken");
    FUZZ_CHECK(now->snd_una == before->snd_una, "its acknowledgement is not believed");
}

/* RFC 5961 3.2: only the exact number resets. */
static void check_reset(const struct sanwo_tcp_info *before, const struct sanwo_tcp_info *now,
                        const struct segment *seg)
{
    if (seg->seq != before->rcv_nxt)
        check_unchanged(before, now);
    else if (now->state != SANWO_TCP_CLOSED) /* it was lost below: link down, no such address */
        check_unchanged(before, now);
}

/* RFC 5961 5: what acknowledges the future, or too old a past, is not believed. */
static bool is_strange_ack(const struct sanwo_tcp_info *before, const struct segment *seg)
{
    uint32_t oldest = before->snd_una - before->snd_max_wnd;
    return seg->ack - oldest > before->snd_nxt - oldest;
}

static void check_numbers(const struct sanwo_tcp_info *before, const struct sanwo_tcp_info *now,
                          const struct segment *seg)
{
    uint32_t taken = now->rcv_nxt - before->rcv_nxt;
    uint32_t waiting = before->receive_out_of_order;
    FUZZ_CHECK(taken <= before->rcv_wnd + waiting + 1, "no more than the window, and a FIN");
    FUZZ_CHECK(taken <= seg->length + waiting + 1, "no more than came, and what it joined");
    if (now->snd_una != before->snd_una)
        FUZZ_CHECK(now->snd_una == seg->ack, "it acknowledges what it says");
    FUZZ_CHECK(now->snd_una - before->snd_una <= before->snd_nxt - before->snd_una,
               "only what was sent");
    /* A window that opens takes the byte back that probed it. */
    bool probe_back = before->snd_nxt == before->snd_una + 1 && now->snd_nxt == now->snd_una;
    FUZZ_CHECK(now->snd_nxt == before->snd_nxt || probe_back, "nothing is sent by receiving");
}

void arrival_after(struct world *w, const struct arrival *a, const struct segment *seg)
{
    struct sanwo_tcp_info now;
    const struct sanwo_tcp_info *before = &a->info;
    if (!a->user || before->state == SANWO_TCP_TIME_WAIT)
        return;
    FUZZ_CHECK(sanwo_tcp_info(w->stack, a->user->handle, &now) == 0, "the handle lasts");
    if ((seg->bad_checksum && !a->vouched) ||
        (before->timestamps && !seg->has_ts && !(seg->flags & RST))) {
        check_unchanged(before, &now);
        return;
    }
    if (seg->flags & RST) {
        check_reset(before, &now, seg);
        return;
    }
    if ((seg->flags & SYN) || !(seg->flags & ACK) || is_strange_ack(before, seg)) {
        check_unchanged(before, &now);
        return;
    }
    check_numbers(before, &now, seg);
}
