/*
 * timers.c - The deadlines of a connection, and the one wheel node that serves them.
 *
 * The node is armed for the earliest deadline or earlier. A deadline that moves later, as the
 * retransmission timer does with every ACK, leaves the node alone: when it fires too early it is
 * merely armed again. So the fast path almost never touches the wheel.
 */
#include "tcp/connection/timers.h"

#include "tcp/close/close.h"
#include "tcp/close/time_wait.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/open/half_open.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/reassembly.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/keepalive.h"
#include "tcp/send/path_mtu.h"
#include "tcp/send/retransmit.h"
#include "tcp/send/rtt.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define RELIEVED_AT_ONCE 256
#define PATH_MTU_RAISE SANWO_SEC(600) /* RFC 1191 6.3, RFC 8201 4: at least 10 minutes */

static sanwo_time earliest(const struct tcp *tcp, const struct tcp_connection *conn)
{
    sanwo_time e = conn->deadline.retransmit;
    sanwo_time sending = sw_tcp_sending_deadline(tcp, conn);
    if (sending < e)
        e = sending;
    if (conn->deadline.delayed_ack < e)
        e = conn->deadline.delayed_ack;
    if (conn->deadline.keepalive < e)
        e = conn->deadline.keepalive;
    if (conn->deadline.user < e)
        e = conn->deadline.user;
    if (conn->deadline.linger < e)
        e = conn->deadline.linger;
    if (conn->deadline.path_mtu < e)
        e = conn->deadline.path_mtu;
    return e;
}

static void arm_node(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    sw_wheel_arm(&tcp->wheel, tcp->region, &conn->timer, when);
}

/* A deadline was set to @when: the node must not be armed for later. Mostly it is not. */
static inline void arm(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    if (SW_UNLIKELY(!sw_wheel_fires_by(&conn->timer, when)))
        arm_node(tcp, conn, when);
}

void sw_tcp_timers_opened(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (config->user_timeout) { /* MUST-22: a SYN is like data in this */
        conn->deadline.user = tcp->now + config->user_timeout;
        arm(tcp, conn, conn->deadline.user);
    }
}

void sw_tcp_timers_established(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (config->keepalive)
        sw_tcp_timers_keepalive(tcp, conn, config->keepalive_idle);
}

void sw_tcp_timers_keepalive(struct tcp *tcp, struct tcp_connection *conn, sanwo_time in)
{
    conn->deadline.keepalive = tcp->now + in;
    arm(tcp, conn, conn->deadline.keepalive);
}

void sw_tcp_timers_segment_arrived(struct tcp *tcp, struct tcp_connection *conn)
{
    if (SW_UNLIKELY(conn->deadline.keepalive != SANWO_TIME_NEVER)) {
        conn->keepalive_probes = 0;
        sw_tcp_timers_keepalive(tcp, conn, sw_tcp_config(tcp, conn)->keepalive_idle);
    }
}

/* B-28: it counts from the last progress, not from the last sign of life. */
static void restart_user_timeout(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (SW_LIKELY(!config->user_timeout))
        return;
    conn->deadline.user = tcp->now + config->user_timeout;
    arm(tcp, conn, conn->deadline.user);
}

void sw_tcp_timers_sent(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->deadline.user == SANWO_TIME_NEVER)
        restart_user_timeout(tcp, conn);
    if (conn->deadline.retransmit != SANWO_TIME_NEVER)
        return;
    conn->deadline.retransmit = tcp->now + sw_tcp_rto(tcp, conn);
    arm(tcp, conn, conn->deadline.retransmit);
}

void sw_tcp_timers_acked(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->deadline.retransmit = tcp->now + sw_tcp_rto(tcp, conn);
    arm(tcp, conn, conn->deadline.retransmit);
    restart_user_timeout(tcp, conn);
}

void sw_tcp_timers_all_acked(struct tcp *tcp, struct tcp_connection *conn)
{
    (void)tcp;
    conn->deadline.retransmit = SANWO_TIME_NEVER;
    conn->deadline.user = SANWO_TIME_NEVER;
}

void sw_tcp_timers_backed_off(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->deadline.retransmit = tcp->now + sw_tcp_rto(tcp, conn);
    arm(tcp, conn, conn->deadline.retransmit);
}

void sw_tcp_timers_window_closed(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->deadline.retransmit != SANWO_TIME_NEVER)
        return;
    conn->deadline.retransmit = tcp->now + sw_tcp_rto(tcp, conn);
    arm(tcp, conn, conn->deadline.retransmit);
}

void sw_tcp_timers_no_way(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_timers_window_closed(tcp, conn);
    if (conn->deadline.user == SANWO_TIME_NEVER)
        restart_user_timeout(tcp, conn);
}

void sw_tcp_timers_reordering(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    arm(tcp, conn, when);
}

void sw_tcp_timers_tail(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    arm(tcp, conn, when);
}

void sw_tcp_timers_pacing(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    arm(tcp, conn, when);
}

void sw_tcp_timers_sending(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when)
{
    arm(tcp, conn, when);
}

void sw_tcp_timers_delay_ack(struct tcp *tcp, struct tcp_connection *conn, sanwo_time by)
{
    if (conn->deadline.delayed_ack != SANWO_TIME_NEVER)
        return;
    conn->deadline.delayed_ack = tcp->now + by;
    arm(tcp, conn, conn->deadline.delayed_ack);
}

void sw_tcp_timers_ack_sent(struct tcp_connection *conn)
{
    conn->deadline.delayed_ack = SANWO_TIME_NEVER;
}

void sw_tcp_timers_time_wait(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_timers_stop(tcp, conn);
    sw_tcp_sending_release(tcp, conn);
    conn->deadline.linger = tcp->now + 2 * sw_tcp_config(tcp, conn)->msl; /* MUST-13 */
    arm(tcp, conn, conn->deadline.linger);
}

void sw_tcp_timers_fin_wait_2(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->deadline.linger = tcp->now + sw_tcp_config(tcp, conn)->fin_wait_2;
    arm(tcp, conn, conn->deadline.linger);
}

void sw_tcp_timers_path_mtu_lowered(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->deadline.path_mtu = tcp->now + PATH_MTU_RAISE;
    arm(tcp, conn, conn->deadline.path_mtu);
}

void sw_tcp_timers_option_changed(struct tcp *tcp, struct tcp_connection *conn,
                                  enum sanwo_tcp_option option)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    /* MUST-24, MUST-27 */
    if (option == SANWO_TCP_KEEPALIVE || option == SANWO_TCP_KEEPALIVE_IDLE) {
        conn->deadline.keepalive = SANWO_TIME_NEVER;
        if (config->keepalive && sw_tcp_is_synchronised(conn->state) &&
            conn->state != SANWO_TCP_TIME_WAIT)
            sw_tcp_timers_keepalive(tcp, conn, config->keepalive_idle);
    }
    if (option == SANWO_TCP_USER_TIMEOUT) {
        conn->deadline.user = SANWO_TIME_NEVER;
        if (conn->deadline.retransmit != SANWO_TIME_NEVER)
            restart_user_timeout(tcp, conn);
    }
}

void sw_tcp_timers_link_up(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->deadline.retransmit == SANWO_TIME_NEVER || !conn->send.retransmissions)
        return;
    /* What was tried on a dead link says nothing of the peer: the count begins anew. */
    conn->send.retransmissions = conn->send.probes = 0;
    conn->backoff = 0;
    conn->deadline.retransmit = tcp->now;
    arm(tcp, conn, tcp->now);
}

void sw_tcp_timers_stop(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->deadline.retransmit = conn->deadline.delayed_ack = SANWO_TIME_NEVER;
    conn->deadline.keepalive = conn->deadline.user = SANWO_TIME_NEVER;
    conn->deadline.linger = conn->deadline.path_mtu = SANWO_TIME_NEVER;
    sw_wheel_cancel(&tcp->wheel, tcp->region, &conn->timer);
}

static enum tcp_verdict user_timeout_over(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_USER_TIMEOUT, 0, 0);
    sw_tcp_fail(tcp, conn, SANWO_ETIMEDOUT, SANWO_REASON_USER_TIMEOUT); /* RFC 9293 3.10.8; U-14 */
    return TCP_FINISHED;
}

static bool take(sanwo_time *deadline, sanwo_time now)
{
    if (*deadline > now)
        return false;
    *deadline = SANWO_TIME_NEVER;
    return true;
}

static void fire_sending(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    sanwo_time now = tcp->now;
    if (s->rack.deadline <= now)
        sw_tcp_recovery_reordering_over(tcp, conn);
    if (s->pacing.deadline <= now)
        sw_tcp_pacing_expired(tcp, conn);
    if (s->tail.deadline <= now && sw_tcp_tail_expired(tcp, conn)) {
        conn->deadline.retransmit =
            now + sw_tcp_rto(tcp, conn); /* RFC8985-7.3-2: not the probe's */
        sw_tcp_wants_send(tcp, conn);
    }
    if (s->kept_until <= now)
        sw_tcp_sending_release(tcp, conn);
}

static enum tcp_verdict fire(struct tcp *tcp, struct tcp_connection *conn)
{
    sanwo_time now = tcp->now;
    enum tcp_verdict verdict = TCP_CONTINUE;
    if (take(&conn->deadline.linger, now))
        return sw_tcp_close_linger_over(tcp, conn);
    if (take(&conn->deadline.user, now))
        return user_timeout_over(tcp, conn);
    if (conn->send.sending)
        fire_sending(tcp, conn);
    if (take(&conn->deadline.retransmit, now))
        verdict = sw_tcp_retransmit_expired(tcp, conn);
    if (verdict == TCP_CONTINUE && take(&conn->deadline.keepalive, now))
        verdict = sw_tcp_keepalive_expired(tcp, conn);
    if (verdict != TCP_CONTINUE)
        return verdict;
    if (take(&conn->deadline.delayed_ack, now))
        sw_tcp_delayed_ack_expired(tcp, conn);
    if (take(&conn->deadline.path_mtu, now))
        sw_tcp_path_mtu_expired(tcp, conn);
    return TCP_CONTINUE;
}

static void tell_waiting_users(struct tcp *tcp)
{
    if (SW_LIKELY(!sw_tcp_users_may_go_on(tcp)))
        return;
    tcp->users_wait = false;
    uint32_t cursor = 0;
    struct tcp_connection *conn;
    while ((conn = sw_pool_next(&tcp->connections, tcp->region, &cursor)))
        if (conn->want_write && sw_tcp_send_queue_space(tcp, conn)) {
            conn->want_write = 0;
            sw_tcp_event(tcp, conn, SANWO_EVENT_WRITABLE);
        }
}

/*
 * While memory is short, what lies behind holes is forgotten, some connections at a time: it will come
 * again (RFC 2018 8), and one byte of it holds a kilobyte (attack B-16).
 */
static void relieve(struct tcp *tcp)
{
    if (SW_LIKELY(!sw_tcp_memory_is_short(tcp) && tcp->refused_before == tcp->region->refused))
        return; /* the second: nothing large enough was left between the small */
    tcp->refused_before = tcp->region->refused;
    for (unsigned i = 0; i < RELIEVED_AT_ONCE; i++) {
        struct tcp_connection *conn =
            sw_pool_next(&tcp->connections, tcp->region, &tcp->relief_cursor);
        if (!conn) {
            tcp->relief_cursor = 0;
            return;
        }
        sw_tcp_reassembly_clear(tcp, conn);
        sw_tcp_sending_relieve(tcp, conn);
        sw_tcp_meter_release(tcp, conn);
    }
}

void sw_tcp_run_timers(struct tcp *tcp, sanwo_time now)
{
    struct wheel_node *node;
    relieve(tcp);
    tell_waiting_users(tcp);
    while ((node = sw_wheel_pop(&tcp->wheel, tcp->region, now)) != NULL) {
        struct tcp_connection *conn =
            (void *)((uint8_t *)node - offsetof(struct tcp_connection, timer));
        if (fire(tcp, conn) == TCP_FINISHED) {
            sw_tcp_finish(tcp, conn);
            continue;
        }
        sanwo_time next = earliest(tcp, conn);
        if (next != SANWO_TIME_NEVER)
            arm(tcp, conn, next);
    }
    while ((node = sw_wheel_pop(&tcp->half_open_wheel, tcp->region, now)) != NULL)
        sw_tcp_half_open_timer(tcp,
                               (void *)((uint8_t *)node - offsetof(struct tcp_half_open, timer)));
    sw_tcp_time_wait_expire(tcp);
    sw_tcp_meters_expire(tcp);
}

sanwo_time sw_tcp_deadline(const struct tcp *tcp)
{
    sanwo_time a = sw_wheel_deadline(&tcp->wheel, tcp->region);
    sanwo_time b = sw_wheel_deadline(&tcp->half_open_wheel, tcp->region);
    sanwo_time c = sw_tcp_time_wait_deadline(tcp), d = sw_tcp_meters_deadline(tcp);
    a = a < b ? a : b;
    c = c < d ? c : d;
    return a < c ? a : c;
}
