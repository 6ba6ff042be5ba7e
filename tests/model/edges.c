/*
 * edges.c - Every edge of figure 5 of RFC 9293 must have been taken, and those that it leaves out.
 */
#include "model.h"

struct edge {
    uint8_t from, to;
    const char *why;
};

#define EDGE(from, to, why)                                                                        \
    {                                                                                              \
        SANWO_TCP_##from, SANWO_TCP_##to, why                                                      \
    }

static const struct edge figure_5[] = {
    EDGE(CLOSED, LISTEN, "passive OPEN"),
    EDGE(CLOSED, SYN_SENT, "active OPEN"),
    EDGE(LISTEN, SYN_RECEIVED, "rcv SYN"),
    EDGE(LISTEN, SYN_SENT, "SEND: active OPEN of a listener"),
    EDGE(LISTEN, CLOSED, "CLOSE"),
    EDGE(SYN_SENT, SYN_RECEIVED, "rcv SYN: simultaneous open"),
    EDGE(SYN_SENT, ESTABLISHED, "rcv SYN,ACK"),
    EDGE(SYN_SENT, CLOSED, "CLOSE, or rcv RST"),
    EDGE(SYN_RECEIVED, ESTABLISHED, "rcv ACK of SYN"),
    EDGE(SYN_RECEIVED, FIN_WAIT_1, "CLOSE"),
    EDGE(SYN_RECEIVED, LISTEN, "rcv RST after a passive OPEN (note 1)"),
    EDGE(SYN_RECEIVED, CLOSED, "rcv RST after an active OPEN, or ABORT"),
    EDGE(ESTABLISHED, FIN_WAIT_1, "CLOSE"),
    EDGE(ESTABLISHED, CLOSE_WAIT, "rcv FIN"),
    EDGE(ESTABLISHED, CLOSED, "ABORT, or rcv RST"),
    EDGE(FIN_WAIT_1, FIN_WAIT_2, "rcv ACK of FIN"),
    EDGE(FIN_WAIT_1, CLOSING, "rcv FIN: simultaneous close"),
    EDGE(FIN_WAIT_1, CLOSED, "ABORT, or rcv RST"),
    EDGE(FIN_WAIT_2, TIME_WAIT, "rcv FIN"),
    EDGE(FIN_WAIT_2, CLOSED, "ABORT, or rcv RST"),
    EDGE(CLOSE_WAIT, LAST_ACK, "CLOSE"),
    EDGE(CLOSE_WAIT, CLOSED, "ABORT, or rcv RST"),
    EDGE(CLOSING, TIME_WAIT, "rcv ACK of FIN"),
    EDGE(CLOSING, CLOSED, "ABORT, or rcv RST"),
    EDGE(LAST_ACK, CLOSED, "rcv ACK of FIN"),
    EDGE(TIME_WAIT, CLOSED, "2 MSL"),
};

/* States that a reset and a user's ABORT (or the CLOSE of SYN-SENT) must have ended. */
static const uint8_t by_reset[] = {
    SANWO_TCP_SYN_SENT,   SANWO_TCP_SYN_RECEIVED, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1,
    SANWO_TCP_FIN_WAIT_2, SANWO_TCP_CLOSE_WAIT,   SANWO_TCP_CLOSING,     SANWO_TCP_LAST_ACK};
static const uint8_t by_abort[] = {SANWO_TCP_SYN_SENT,    SANWO_TCP_SYN_RECEIVED,
                                   SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1,
                                   SANWO_TCP_FIN_WAIT_2,  SANWO_TCP_CLOSE_WAIT};

void model_edges_merge(struct model *sum, const struct model *m)
{
    for (unsigned a = 0; a < SANWO_TCP_STATE_COUNT; a++) {
        sum->reset_from[a] += m->reset_from[a];
        sum->abort_from[a] += m->abort_from[a];
        sum->time_out_from[a] += m->time_out_from[a];
        for (unsigned b = 0; b < SANWO_TCP_STATE_COUNT; b++) {
            sum->edge[a][b] += m->edge[a][b];
            sum->pair[a][b] += m->pair[a][b];
            sum->half_open_pair[a][b] += m->half_open_pair[a][b];
        }
    }
    sum->fin_wait_1_to_time_wait += m->fin_wait_1_to_time_wait;
    if (m->memory_peak > sum->memory_peak)
        sum->memory_peak = m->memory_peak;
}

static unsigned report_one(const char *from, const char *to, const char *why, uint64_t times,
                           FILE *out)
{
    fprintf(out, "  %-12s -> %-12s %12llu  %s%s\n", from, to, (unsigned long long)times, why,
            times ? "" : "   MISSING");
    return times == 0;
}

unsigned model_edges_report(const struct model *sum, FILE *out)
{
    unsigned missing = 0;

    fprintf(out, "edges of RFC 9293 figure 5, and how often each was taken:\n");
    for (size_t i = 0; i < sizeof(figure_5) / sizeof(figure_5[0]); i++)
        missing +=
            report_one(sanwo_tcp_state_name(figure_5[i].from), sanwo_tcp_state_name(figure_5[i].to),
                       figure_5[i].why, sum->edge[figure_5[i].from][figure_5[i].to], out);
    missing += report_one("FIN-WAIT-1", "TIME-WAIT", "FIN with the ACK of ours (note 2)",
                          sum->fin_wait_1_to_time_wait, out);
    for (size_t i = 0; i < sizeof(by_reset); i++)
        missing += report_one(sanwo_tcp_state_name(by_reset[i]), "gone", "rcv RST",
                              sum->reset_from[by_reset[i]], out);
    for (size_t i = 0; i < sizeof(by_abort); i++)
        missing += report_one(sanwo_tcp_state_name(by_abort[i]), "gone", "ABORT",
                              sum->abort_from[by_abort[i]], out);
    for (unsigned i = 0; i < SANWO_TCP_STATE_COUNT; i++)
        if (sum->time_out_from[i])
            fprintf(out, "  %-12s -> gone         %12llu  gave up\n", sanwo_tcp_state_name(i),
                    (unsigned long long)sum->time_out_from[i]);
    model_pairs_report(sum, out);
    return missing;
}
