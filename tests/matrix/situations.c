/*
 * situations.c - The eleven states, and the forms of them that the rules tell apart.
 *
 * A form is brought about by segments and calls alone, and so are its numbers: the table says what
 * they must then be, relative to the two SYNs.
 */
#include "matrix.h"

#define OUR_FIN (1 + IN_FLIGHT) /* its number, where there is one */

static void nothing(struct peer *p)
{
    peer_start(p);
}

static void listening(struct peer *p)
{
    peer_listen(p, 0, 0);
}

static void syn_sent(struct peer *p)
{
    in_state(p, SANWO_TCP_SYN_SENT);
}

static void half_open(struct peer *p)
{
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

static void simultaneous(struct peer *p)
{
    in_state(p, SANWO_TCP_SYN_RECEIVED);
}

static void text_out(struct peer *p)
{
    established_active(p);
    WRITE(p, IN_FLIGHT);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = IN_FLIGHT);
}

/* The user does not read: @n bytes wait. */
static void their_text(struct peer *p, uint32_t n)
{
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = n);
    EXPECT(p, .flags = ACK, .seq = 1 + IN_FLIGHT, .ack = 1 + n);
}

static void window_closed(struct peer *p)
{
    text_out(p);
    their_text(p, WINDOW);
}

static void behind_a_hole(struct peer *p)
{
    text_out(p);
    SEND(p, .flags = ACK, .seq = 190, .ack = 1, .length = 30);
    EXPECT(p, .flags = ACK, .seq = 1 + IN_FLIGHT, .ack = 1);
}

static void our_fin(struct peer *p, uint32_t ack)
{
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = OUR_FIN, .ack = ack);
}

static void their_fin(struct peer *p, uint32_t seq, uint32_t ack, uint32_t our_seq)
{
    SEND(p, .flags = FIN | ACK, .seq = seq, .ack = ack);
    EXPECT(p, .flags = ACK, .seq = our_seq, .ack = seq + 1);
}

static void fin_wait_1(struct peer *p)
{
    text_out(p);
    our_fin(p, 1);
}

/* CLOSE in SYN-RECEIVED (3.10.4): the FIN goes out before the SYN was acknowledged. */
static void fin_wait_1_syn_out(struct peer *p)
{
    simultaneous(p);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
}

static void fin_wait_1_window_closed(struct peer *p)
{
    window_closed(p);
    our_fin(p, 1 + WINDOW);
}

static void fin_wait_2(struct peer *p)
{
    fin_wait_1(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = OUR_FIN + 1);
}

static void fin_wait_2_window_closed(struct peer *p)
{
    fin_wait_1_window_closed(p);
    SEND(p, .flags = ACK, .seq = 1 + WINDOW, .ack = OUR_FIN + 1);
}

static void fin_wait_1_let_go(struct peer *p)
{
    text_out(p);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = OUR_FIN, .ack = 1);
}

static void fin_wait_2_let_go(struct peer *p)
{
    fin_wait_1_let_go(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = OUR_FIN + 1);
}

static void close_wait(struct peer *p)
{
    text_out(p);
    their_fin(p, 1, 1, 1 + IN_FLIGHT);
}

static void close_wait_window_closed(struct peer *p)
{
    text_out(p);
    their_text(p, WINDOW - 1);
    their_fin(p, WINDOW, 1, 1 + IN_FLIGHT);
}

static void closing(struct peer *p)
{
    fin_wait_1(p);
    their_fin(p, 1, 1, OUR_FIN + 1);
}

static void last_ack(struct peer *p)
{
    close_wait(p);
    our_fin(p, 2);
}

/* Some of the 2 MSL are over: beginning anew is seen. */
static void time_wait(struct peer *p)
{
    fin_wait_2(p);
    their_fin(p, 1, OUR_FIN + 1, OUR_FIN + 1);
    peer_advance(p, 20 * 1000);
}

static void time_wait_let_go(struct peer *p)
{
    fin_wait_2_let_go(p);
    their_fin(p, 1, OUR_FIN + 1, OUR_FIN + 1);
    peer_advance(p, 20 * 1000);
}

static void time_wait_listened(struct peer *p)
{
    established_passive(p);
    WRITE(p, IN_FLIGHT);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = IN_FLIGHT);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = OUR_FIN, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = OUR_FIN + 1);
    their_fin(p, 1, OUR_FIN + 1, OUR_FIN + 1);
    peer_advance(p, 20 * 1000);
}

#define END (1 + WINDOW)      /* the right edge, if nothing moved it */
#define NXT (1 + IN_FLIGHT)   /* SND.NXT with text in flight */
#define FIN_NXT (OUR_FIN + 1) /* and with a FIN behind it */
#define NO_WL INT64_MIN       /* no window was told yet, or it does not matter */

/* clang-format off */
const struct situation situations[] = {
    /* name, state, facts, enter
     RCV.NXT edge SND.UNA NXT     FIN?   unread      held      WL1    handle? */
    {"CLOSED", SANWO_TCP_CLOSED, 0, nothing,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, false},
    {"LISTEN", SANWO_TCP_LISTEN, LISTENED, listening,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, false},
    {"SYN-SENT", SANWO_TCP_SYN_SENT, 0, syn_sent,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, true},
    {"SYN-RECEIVED, passive", SANWO_TCP_SYN_RECEIVED, PASSIVE, half_open,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, false},
    {"SYN-RECEIVED, simultaneous", SANWO_TCP_SYN_RECEIVED, 0, simultaneous,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, true},
    {"ESTABLISHED, idle", SANWO_TCP_ESTABLISHED, 0, established_active,
     1,   END, 1,       1,       false, 0,          0,   0,   0,     true},
    {"ESTABLISHED, text in flight", SANWO_TCP_ESTABLISHED, 0, text_out,
     1,   END, 1,       NXT,     false, 0,          0,   0,   0,     true},
    {"ESTABLISHED, window closed", SANWO_TCP_ESTABLISHED, 0, window_closed,
     END, END, 1,       NXT,     false, WINDOW,     0,   0,   1,     true},
    {"ESTABLISHED, behind a hole", SANWO_TCP_ESTABLISHED, 0, behind_a_hole,
     1,   END, 1,       NXT,     false, 0,          190, 220, 190,   true},
    {"FIN-WAIT-1", SANWO_TCP_FIN_WAIT_1, 0, fin_wait_1,
     1,   END, 1,       FIN_NXT, true,  0,          0,   0,   0,     true},
    {"FIN-WAIT-1, window closed", SANWO_TCP_FIN_WAIT_1, 0, fin_wait_1_window_closed,
     END, END, 1,       FIN_NXT, true,  WINDOW,     0,   0,   1,     true},
    {"FIN-WAIT-1, SYN not acknowledged", SANWO_TCP_FIN_WAIT_1, SYN_OUT, fin_wait_1_syn_out,
     1,   END, 0,       2,       true,  0,          0,   0,   NO_WL, true},
    {"FIN-WAIT-1, after CLOSE", SANWO_TCP_FIN_WAIT_1, LET_GO, fin_wait_1_let_go,
     1,   END, 1,       FIN_NXT, true,  0,          0,   0,   0,     false},
    {"FIN-WAIT-2", SANWO_TCP_FIN_WAIT_2, 0, fin_wait_2,
     1,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     true},
    {"FIN-WAIT-2, window closed", SANWO_TCP_FIN_WAIT_2, 0, fin_wait_2_window_closed,
     END, END, FIN_NXT, FIN_NXT, true,  WINDOW,     0,   0,   END,   true},
    {"FIN-WAIT-2, after CLOSE", SANWO_TCP_FIN_WAIT_2, LET_GO, fin_wait_2_let_go,
     1,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     false},
    {"CLOSE-WAIT", SANWO_TCP_CLOSE_WAIT, 0, close_wait,
     2,   END, 1,       NXT,     false, 0,          0,   0,   1,     true},
    {"CLOSE-WAIT, window closed", SANWO_TCP_CLOSE_WAIT, 0, close_wait_window_closed,
     END, END, 1,       NXT,     false, WINDOW - 1, 0,   0,   WINDOW, true},
    {"CLOSING", SANWO_TCP_CLOSING, 0, closing,
     2,   END, 1,       FIN_NXT, true,  0,          0,   0,   1,     true},
    {"LAST-ACK", SANWO_TCP_LAST_ACK, 0, last_ack,
     2,   END, 1,       FIN_NXT, true,  0,          0,   0,   1,     true},
    {"TIME-WAIT", SANWO_TCP_TIME_WAIT, 0, time_wait,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     true},
    {"TIME-WAIT, after CLOSE", SANWO_TCP_TIME_WAIT, LET_GO, time_wait_let_go,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     false},
    {"TIME-WAIT, after CLOSE, LISTEN", SANWO_TCP_TIME_WAIT, LET_GO | LISTENED, time_wait_listened,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     false},

    /* timestamps negotiated */
    {"SYN-RECEIVED, passive, timestamps", SANWO_TCP_SYN_RECEIVED, TIMESTAMPS | PASSIVE, half_open,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, false},
    {"SYN-RECEIVED, simultaneous, timestamps", SANWO_TCP_SYN_RECEIVED, TIMESTAMPS, simultaneous,
     1,   END, 0,       1,       false, 0,          0,   0,   NO_WL, true},
    {"ESTABLISHED, timestamps", SANWO_TCP_ESTABLISHED, TIMESTAMPS, text_out,
     1,   END, 1,       NXT,     false, 0,          0,   0,   0,     true},
    {"ESTABLISHED, window closed, timestamps", SANWO_TCP_ESTABLISHED, TIMESTAMPS, window_closed,
     END, END, 1,       NXT,     false, WINDOW,     0,   0,   1,     true},
    {"FIN-WAIT-2, timestamps", SANWO_TCP_FIN_WAIT_2, TIMESTAMPS, fin_wait_2,
     1,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     true},
    {"LAST-ACK, timestamps", SANWO_TCP_LAST_ACK, TIMESTAMPS, last_ack,
     2,   END, 1,       FIN_NXT, true,  0,          0,   0,   1,     true},
    {"TIME-WAIT, timestamps", SANWO_TCP_TIME_WAIT, TIMESTAMPS, time_wait,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     true},
    {"TIME-WAIT, after CLOSE, timestamps", SANWO_TCP_TIME_WAIT,
     TIMESTAMPS | LET_GO, time_wait_let_go,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     false},
    {"TIME-WAIT, after CLOSE, LISTEN, timestamps", SANWO_TCP_TIME_WAIT,
     TIMESTAMPS | LET_GO | LISTENED, time_wait_listened,
     2,   END, FIN_NXT, FIN_NXT, true,  0,          0,   0,   1,     false},
};
/* clang-format on */

const unsigned situation_count = sizeof(situations) / sizeof(situations[0]);
