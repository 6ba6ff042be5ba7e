/*
 * tcpdump.c - One segment as tcpdump prints it: today's way and the old way.
 *
 *     Flags [S.], seq 9, ack 4, win 65535, options [mss 1460], length 0
 *     S 9:9(0) ack 4 win 65535 <mss 1460>
 */
#include "trace/trace.h"

size_t sw_trace_modern(const struct trace_shown *s, char *out, size_t size)
{
    char text[256];

    sw_trace_flag_letters(s->flags, text, sizeof(text));
    size_t n = sw_trace_append(out, size, 0, "Flags [%s]", text);
    if (s->payload_length > 0) {
        n = sw_trace_append(out, size, n, ", seq %u:%u", s->seq, s->seq + s->payload_length);
    } else if (s->flags & (TCP_SYN | TCP_FIN | TCP_RST)) {
        n = sw_trace_append(out, size, n, ", seq %u", s->seq);
    }
    if (s->flags & TCP_ACK) {
        n = sw_trace_append(out, size, n, ", ack %u", s->ack);
    }
    n = sw_trace_append(out, size, n, ", win %u", s->window);
    if (s->flags & TCP_URG) {
        n = sw_trace_append(out, size, n, ", urg %u", s->urgent);
    }
    if (s->options_length > 0) {
        sw_trace_options(s->options, s->options_length, TRACE_TCPDUMP, s->sack_base, text,
                         sizeof(text));
        n = sw_trace_append(out, size, n, ", options [%s]", text);
    }
    return sw_trace_append(out, size, n, ", length %u", s->payload_length);
}

/* The old letters: no dot for ACK, which is written out; a dot alone where there is no letter. */
static size_t classic_flags(uint8_t flags, char *out, size_t size)
{
    uint8_t lettered = flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_PSH);
    size_t n =
        lettered ? sw_trace_flag_letters(lettered, out, size) : sw_trace_append(out, size, 0, ".");

    n = sw_trace_append(out, size, n, "%s", (flags & TCP_CWR) ? "W" : "");
    return sw_trace_append(out, size, n, "%s", (flags & TCP_ECE) ? "E" : "");
}

size_t sw_trace_classic(const struct trace_shown *s, char *out, size_t size)
{
    char text[256];

    classic_flags(s->flags, text, sizeof(text));
    size_t n = sw_trace_append(out, size, 0, "%s", text);
    if (s->payload_length > 0 || (s->flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
        n = sw_trace_append(out, size, n, " %u:%u(%u)", s->seq, s->seq + s->payload_length,
                            s->payload_length);
    }
    if (s->flags & TCP_ACK) {
        n = sw_trace_append(out, size, n, " ack %u", s->ack);
    }
    n = sw_trace_append(out, size, n, " win %u", s->window);
    if (s->flags & TCP_URG) {
        n = sw_trace_append(out, size, n, " urg %u", s->urgent);
    }
    if (s->options_length > 0) {
        sw_trace_options(s->options, s->options_length, TRACE_CLASSIC, s->sack_base, text,
                         sizeof(text));
        n = sw_trace_append(out, size, n, " <%s>", text);
    }
    return n;
}
