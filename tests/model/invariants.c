/*
 * invariants.c - What holds after every step, of each control block, each stack, and between both.
 */
#include "model.h"

#include "tcp/close/time_wait.h"
#include "tcp/connection/state.h"
#include "tcp/open/half_open.h"
#include "tcp/open/listener.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define WORKING_MEMORY                                                                             \
    24576 /* what a connection, its queues and the tables may take besides slabs */
#define TICK (1 << WHEEL_TICK_SHIFT)

static bool is_at_or_before(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) >= 0;
}

static bool wrong(struct model *m, unsigned side, const char *what)
{
    return model_violation(m, "host %u: %s", side, what);
}

/* ---- the control block ----------------------------------------------------------------------- */

/* What the records add up to. */
struct sums {
    uint32_t count, all, in_flight, lost, sacked;
    uint32_t open_count, lost_count, sacked_count, resent_out;
    bool gap;
};

static struct sums sums_of(const struct tcp *tcp, const struct tcp_connection *conn, tcp_seq start)
{
    struct sums sums = {.count = 0};
    struct tcp_place place;
    const struct tcp_record *r = sw_tcp_records_first(tcp, conn, &place);

    for (; r; r = sw_tcp_records_next(tcp, conn, &place)) {
        sums.gap |= !tcp_seq_equal(r->seq, tcp_seq_add(start, sums.all)) || !r->length;
        sums.count++;
        sums.all += r->length;
        if (r->flags & RECORD_LOST) {
            sums.lost += r->length;
            sums.lost_count++;
        } else if (r->flags & RECORD_SACKED) {
            sums.sacked += r->length;
            sums.sacked_count++;
        } else {
            sums.in_flight += r->length;
            sums.open_count++;
            sums.resent_out += r->flags & RECORD_RETRANSMITTED ? r->length : 0;
        }
    }
    return sums;
}

/* Whole chunks are passed over by their counts: were one wrong, some of a kind would not be found. */
static uint32_t found(const struct tcp *tcp, const struct tcp_connection *conn,
                      enum tcp_record_kind kind)
{
    struct tcp_place place;
    uint32_t n = 0;

    if (!sw_tcp_records_first(tcp, conn, &place))
        return 0;
    for (; sw_tcp_records_next_of(tcp, conn, kind, &place); place.slot++)
        n++;
    return n;
}

/* No record is passed over by where the searches for losses begin. */
static bool check_search(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    const struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    struct tcp_place place;

    if (!s)
        return true;
    const struct tcp_record *r = sw_tcp_records_first(tcp, conn, &place);
    for (; r; r = sw_tcp_records_next(tcp, conn, &place)) {
        if ((r->flags & RECORD_LOST) && tcp_seq_before(r->seq, s->records.lost_from))
            return wrong(m, side, "a lost record lies below `lost_from`");
        if (conn->sack && !(r->flags & (RECORD_LOST | RECORD_SACKED | RECORD_RETRANSMITTED)) &&
            tcp_seq_before(r->seq, s->rack.undecided))
            return wrong(m, side, "a record that may be lost lies below `undecided`");
        if ((int32_t)(r->order - s->records.transmissions) > 0)
            return wrong(m, side, "a record was sent after the last transmission");
    }
    if (tcp_seq_after(s->rack.undecided, conn->send.snd_nxt) ||
        s->prr.recover_fs > UINT32_C(1) << 30 || flight > UINT32_C(1) << 30)
        return wrong(m, side, "recovery looks beyond SND.NXT");
    return true;
}

static bool check_records(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    tcp_seq start = tcp_seq_add(conn->send.snd_una, conn->syn_unacked); /* a SYN has no record */
    struct sums sums = sums_of(tcp, conn, start);

    if (sums.gap)
        return wrong(m, side, "the records have a gap");
    if (sums.count != sw_tcp_records_count(tcp, conn))
        return wrong(m, side, "the records are miscounted");
    if (sums.all != tcp_seq_distance(start, conn->send.snd_nxt))
        return wrong(m, side, "the records are not what is between SND.UNA and SND.NXT");
    if (sums.in_flight != conn->send.in_flight || sums.lost != conn->send.lost)
        return wrong(m, side, "in_flight or lost is miscounted");
    if (conn->send.sending && sums.resent_out != sw_tcp_sending(tcp, conn)->records.resent_out)
        return wrong(m, side, "what was sent again is miscounted");
    if (found(tcp, conn, RECORDS_OPEN) != sums.open_count ||
        found(tcp, conn, RECORDS_LOST) != sums.lost_count ||
        found(tcp, conn, RECORDS_SACKED) != sums.sacked_count)
        return wrong(m, side, "a chunk miscounts its records");
    return check_search(m, side, conn);
}

static bool check_sender(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct tcp_sender *s = &conn->send;
    uint32_t flight = tcp_seq_distance(s->snd_una, s->snd_nxt);
    uint32_t to_end = tcp_seq_distance(s->snd_una, s->snd_end) + conn->fin_sent;

    if (!sw_tcp_is_synchronised(conn->state)) {
        if (!tcp_seq_equal(s->snd_una, s->iss) || flight != 1)
            return wrong(m, side, "only the SYN may be out before ESTABLISHED");
        return true;
    }
    if (conn->fin_acked ? flight != 0 : flight > to_end)
        return wrong(m, side, "SND.NXT is beyond what was queued");
    if (flight > s->max_snd_wnd + 1)
        return wrong(m, side, "more is out than the peer ever allowed");
    if (conn->cc.cwnd < conn->cc.mss || !conn->cc.mss)
        return wrong(m, side, "cwnd is below one segment");
    return check_records(m, side, conn);
}

/* What the flags claim must be what the state means. */
static bool check_flags(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    unsigned state = conn->state;
    bool has_fin = state == SANWO_TCP_CLOSE_WAIT || state == SANWO_TCP_LAST_ACK ||
                   state == SANWO_TCP_CLOSING || state == SANWO_TCP_TIME_WAIT;
    bool fin_acked = state == SANWO_TCP_FIN_WAIT_2 || state == SANWO_TCP_TIME_WAIT;
    bool may_send = state == SANWO_TCP_ESTABLISHED || state == SANWO_TCP_CLOSE_WAIT;

    if (conn->fin_received != has_fin)
        return wrong(m, side, "fin_received and the state disagree");
    if (conn->fin_acked != fin_acked)
        return wrong(m, side, "fin_acked and the state disagree");
    if (sw_tcp_is_synchronised((uint8_t)state) && conn->fin_queued == may_send)
        return wrong(m, side, "fin_queued and the state disagree");
    if (conn->closed_by_user && !conn->fin_queued)
        return wrong(m, side, "the user let go and no FIN is queued");
    return true;
}

/* Whatever waits for the peer has a timer, or nothing would ever wake it. */
static bool check_timers(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct tcp_sender *s = &conn->send;
    bool out = !tcp_seq_equal(s->snd_una, s->snd_nxt);
    bool unsent = sw_tcp_is_synchronised(conn->state) &&
                  (sw_tcp_send_queue_unsent(conn) || (conn->fin_queued && !conn->fin_sent));

    if ((out || unsent) && conn->deadline.retransmit == SANWO_TIME_NEVER)
        return wrong(m, side, "something waits for the peer without a timer");
    if (!out && !unsent && conn->deadline.retransmit != SANWO_TIME_NEVER)
        return wrong(m, side, "the retransmission timer runs for nothing");
    if (conn->state == SANWO_TCP_TIME_WAIT && conn->deadline.linger == SANWO_TIME_NEVER)
        return wrong(m, side, "TIME-WAIT without its timer");
    if (conn->state == SANWO_TCP_FIN_WAIT_2 && conn->closed_by_user &&
        conn->deadline.linger == SANWO_TIME_NEVER)
        return wrong(m, side, "FIN-WAIT-2 after close without its timer");
    if (conn->state != SANWO_TCP_SYN_SENT &&
        !tcp_seq_equal(conn->receive.rcv_nxt, conn->receive.last_ack_sent) &&
        conn->deadline.delayed_ack == SANWO_TIME_NEVER)
        return wrong(m, side, "what was received is not acknowledged, and no timer is to do it");
    return true;
}

/* The deadlines that are kept with what it takes to send: each is watched, none is for nothing. */
static bool check_sending(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    const struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    bool out = sw_tcp_records_count(tcp, conn) != 0;

    if (!s)
        return !out || wrong(m, side, "records without the block they belong to");
    if (conn->state == SANWO_TCP_TIME_WAIT) /* all its timers are stopped but one */
        return true;
    if (out != (s->kept_until == SANWO_TIME_NEVER))
        return wrong(m, side, "what it takes to send is kept too long, or not long enough");
    if (!out && (s->rack.deadline != SANWO_TIME_NEVER || s->tail.deadline != SANWO_TIME_NEVER))
        return wrong(m, side, "with nothing in flight a timer asks after it");
    sanwo_time first = s->kept_until < s->rack.deadline ? s->kept_until : s->rack.deadline;
    first = s->tail.deadline < first ? s->tail.deadline : first;
    first = s->pacing.deadline < first ? s->pacing.deadline : first;
    if (first != SANWO_TIME_NEVER &&
        (!sw_wheel_is_armed(&conn->timer) || sw_wheel_node_time(&conn->timer) > first + TICK))
        return wrong(m, side, "a deadline of the sender is not armed");
    if (s->tail.deadline != SANWO_TIME_NEVER && (conn->in_recovery || conn->in_timeout))
        return wrong(m, side, "a tail loss probe waits while recovery is under way");
    return true;
}

/* The user is told the same as is inside. */
static bool check_info(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    const struct model_end *end = &m->at.end[side];
    struct sanwo_tcp_info info;
    if (!end->has_conn || conn->closed_by_user || !conn->accepted)
        return true;
    if (sanwo_tcp_info(m->host[side].stack, end->conn, &info) < 0)
        return wrong(m, side, "the handle of a live connection is refused");
    if (info.state != conn->state || info.snd_una != conn->send.snd_una.raw ||
        info.rcv_nxt != conn->receive.rcv_nxt.raw || info.error)
        return wrong(m, side, "sanwo_tcp_info tells something else");
    return true;
}

static bool check_connection(struct model *m, unsigned side, const struct tcp_connection *conn)
{
    if (!check_sender(m, side, conn) || !check_flags(m, side, conn) ||
        !check_timers(m, side, conn) || !check_sending(m, side, conn) || !check_info(m, side, conn))
        return false;
    if (conn->closed_by_user && conn->receive.queued)
        return wrong(m, side, "it keeps data that nobody can read any more");
    if (tcp_seq_distance(conn->receive.rcv_nxt, conn->receive.rcv_adv) > 1u << 30)
        return wrong(m, side, "RCV.NXT is beyond the announced window");
    return true;
}

/* ---- the stack ------------------------------------------------------------------------------- */

static uint64_t slabs(const struct tcp *tcp, const struct pool *pool)
{
    const struct pool_slab_entry *entries = sw_pool_slabs(pool, tcp->region);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < pool->unused; i++)
        bytes += entries[i].block ? sw_region_block_size(tcp->region, entries[i].block) : 0;
    return bytes;
}

static uint64_t all_slabs(const struct tcp *tcp)
{
    return slabs(tcp, &tcp->connections) + slabs(tcp, &tcp->half_open) +
           slabs(tcp, &tcp->time_wait) + slabs(tcp, &tcp->listeners) + slabs(tcp, &tcp->configs);
}

uint64_t model_working_memory(const struct model *m, unsigned side)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    return tcp->region->used - all_slabs(tcp);
}

static bool check_stack(struct model *m, unsigned side, const struct model_view *view)
{
    struct sanwo_stack *stack = m->host[side].stack;
    const struct tcp *tcp = &stack->tcp;
    uint32_t named = tcp->half_open.live + tcp->time_wait.live + (view->conn != NULL);
    uint64_t working = model_working_memory(m, side);
    sanwo_time due = model_next_timer(m, side);
    uint32_t waiting = view->listener ? view->listener->accept_queue.count : 0;

    if (due != SANWO_TIME_NEVER && sanwo_stack_deadline(stack) > due + TICK)
        return wrong(m, side, "it would sleep through a timer");
    if (due <= tcp->now - TICK)
        return wrong(m, side, "a timer is overdue");
    if (tcp->ready.count || tcp->reply_count || stack->frames_lent)
        return wrong(m, side, "it was not done sending");
    if (tcp->events.count || tcp->listener_events.count)
        return wrong(m, side, "events were left");
    if (sanwo_stack_deadline(stack) <= sanwo_stack_now(stack))
        return wrong(m, side, "it wants to be called again at once, and has nothing to do");
    if (tcp->table.entries != named || named > 1)
        return wrong(m, side, "the table of connections and what there is disagree");
    if (tcp->connections.live != (view->conn != NULL) + view->husks)
        return wrong(m, side, "a control block was forgotten");
    if (tcp->listeners.live != m->at.end[side].has_listener)
        return wrong(m, side, "a listener was forgotten");
    if (view->listener && (view->listener->half_open != tcp->half_open.live ||
                           view->listener->accept_queue.count > tcp->connections.live))
        return wrong(m, side, "the listener miscounts what waits");
    if (view->husks > m->at.end[side].has_conn + waiting)
        return wrong(m, side, "a closed control block that nobody holds was kept");
    if (working > WORKING_MEMORY + m->scenario->receive_buffer * 4u)
        return wrong(m, side, "it uses more and more memory");
    if (working > m->memory_peak)
        m->memory_peak = working;
    return true;
}

bool model_check_empty(struct model *m)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct tcp *tcp = &m->host[side].stack->tcp;
        if (tcp->connections.live || tcp->half_open.live || tcp->time_wait.live ||
            tcp->listeners.live || tcp->configs.live || tcp->table.entries)
            return wrong(m, side, "at the end something is left");
        if (model_working_memory(m, side))
            return wrong(m, side, "at the end memory is missing");
    }
    return true;
}

/* ---- between both ---------------------------------------------------------------------------- */

/* What the rules between both ends need, of whatever there is. */
struct numbers {
    bool known, irs_known;
    bool is_open; /* a control block: then rcv_adv is what the peer was told */
    uint32_t iss, irs, snd_una, snd_nxt, rcv_nxt, rcv_adv;
};

static struct numbers numbers_of(const struct model *m, unsigned side,
                                 const struct model_view *view)
{
    const struct model_end *end = &m->at.end[side];
    struct numbers n = {.known = view->present};
    if (view->conn) {
        const struct tcp_connection *c = view->conn;
        n = (struct numbers){.known = true,
                             .irs_known = c->state != SANWO_TCP_SYN_SENT,
                             .is_open = true,
                             .iss = c->send.iss.raw,
                             .irs = c->receive.irs.raw,
                             .snd_una = c->send.snd_una.raw,
                             .snd_nxt = c->send.snd_nxt.raw,
                             .rcv_nxt = c->receive.rcv_nxt.raw,
                             .rcv_adv = c->receive.rcv_adv.raw};
    } else if (view->half_open) {
        uint32_t iss = view->half_open->u.iss.raw, irs = view->half_open->irs.raw;
        n = (struct numbers){.known = true,
                             .irs_known = true,
                             .iss = iss,
                             .irs = irs,
                             .snd_una = iss,
                             .snd_nxt = iss + 1,
                             .rcv_nxt = irs + 1,
                             .rcv_adv = irs + 1};
    } else if (view->time_wait) { /* the ISNs are remembered from before */
        n = (struct numbers){.known = true,
                             .irs_known = true,
                             .iss = end->iss,
                             .irs = end->irs,
                             .snd_una = view->time_wait->snd_nxt.raw,
                             .snd_nxt = view->time_wait->snd_nxt.raw,
                             .rcv_nxt = view->time_wait->rcv_nxt.raw,
                             .rcv_adv = end->rcv_adv};
    }
    return n;
}

static bool check_progress(struct model *m, unsigned side, const struct numbers *n)
{
    struct model_end *end = &m->at.end[side];
    bool same = end->known && n->known && end->iss == n->iss;

    if (same && !is_at_or_before(end->snd_una, n->snd_una))
        return wrong(m, side, "SND.UNA went back");
    if (same && end->irs_known && end->irs != n->irs)
        return wrong(m, side, "IRS changed");
    if (same && end->irs_known && !is_at_or_before(end->rcv_nxt, n->rcv_nxt))
        return wrong(m, side, "RCV.NXT went back");
    if (same && end->irs_known && !is_at_or_before(end->rcv_adv, n->rcv_adv))
        return wrong(m, side, "the right edge of the window went back");
    end->known = n->known;
    end->irs_known = n->irs_known;
    end->iss = n->known ? n->iss : 0;
    end->irs = n->irs_known ? n->irs : 0;
    end->snd_una = n->snd_una;
    end->rcv_nxt = n->rcv_nxt;
    end->rcv_adv = n->rcv_adv;
    return true;
}

/* SND.UNA of one end <= RCV.NXT of the other <= SND.NXT; a probe's byte may be taken back. */
static bool check_agreement(struct model *m, unsigned side, const struct numbers n[2])
{
    const struct numbers *a = &n[side], *b = &n[1 - side];
    if (!a->known || !b->known || !b->irs_known || b->irs != a->iss ||
        (a->irs_known && a->irs != b->iss))
        return true;
    if (!is_at_or_before(a->snd_una, b->rcv_nxt))
        return wrong(m, side, "it takes for acknowledged what the peer does not have");
    if (!is_at_or_before(b->rcv_nxt, a->snd_nxt + (m->scenario->receive_buffer != 0)))
        return wrong(m, side, "the peer has what was never sent");
    if (b->is_open && !is_at_or_before(a->snd_nxt, b->rcv_adv + 1)) /* a probe, or a FIN */
        return wrong(m, side, "it sent more than the peer has ever allowed");
    return true;
}

bool model_check(struct model *m)
{
    struct model_view view[2];
    struct numbers n[2];

    if (m->violation[0])
        return false;
    for (unsigned side = 0; side < 2; side++) {
        model_view(m, side, &view[side]);
        n[side] = numbers_of(m, side, &view[side]);
        if (!check_stack(m, side, &view[side]))
            return false;
        if (view[side].conn && !check_connection(m, side, view[side].conn))
            return false;
        if (!check_progress(m, side, &n[side]))
            return false;
    }
    return check_agreement(m, 0, n) && check_agreement(m, 1, n) && model_check_pair(m, view);
}
