/*
 * test_render.c - What each renderer writes, to the byte, for a small connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "trace/feed.h"

static struct feed f;

/* A handshake, a request that is lost and sent again, a reset that crosses the answer. */
static int start(void **state)
{
    (void)state;
    feed_start(&f);
    sanwo_trace_label(f.trace, 0, 0, 18, "GET \"/\" <1>");
    feed_handshake(&f, SANWO_MSEC(5));
    feed_out(&f, 0, SANWO_TCP_ESTABLISHED, PSH | ACK, 1001, 5001, 18);
    f.now += SANWO_SEC(1);
    feed_out(&f, 0, SANWO_TCP_ESTABLISHED, PSH | ACK, 1001, 5001, 18);
    f.now += SANWO_MSEC(5);
    feed_in(&f, 1, SANWO_TCP_ESTABLISHED);
    feed_out(&f, 1, SANWO_TCP_ESTABLISHED, ACK, 5001, 1019, 500);
    feed_state(&f, 0, SANWO_TCP_ESTABLISHED, SANWO_TCP_CLOSED, SANWO_REASON_USER_ABORT);
    feed_out(&f, 0, SANWO_TCP_CLOSED, RST | ACK, 1019, 5001, 0);
    f.now += SANWO_MSEC(5);
    feed_in(&f, 0, SANWO_TCP_CLOSED);
    feed_drop(&f, 0, SANWO_TCP_CLOSED, SANWO_REASON_PORT_CLOSED);
    feed_in(&f, 1, SANWO_TCP_ESTABLISHED);
    feed_state(&f, 1, SANWO_TCP_ESTABLISHED, SANWO_TCP_CLOSED, SANWO_REASON_PEER_RESET);
    sanwo_trace_finish(f.trace);
    return f.trace == NULL;
}

static int stop(void **state)
{
    (void)state;
    feed_stop(&f);
    return 0;
}

static const char ladder[] =
    "                     A client                                         B server\n"
    "                   10.0.0.1:4001                                     10.0.0.2:80\n"
    "                         ┃                                                ┃\n"
    "─────────────────────────╂── Handshake ─────────────────────"
    "──────────────╂─────────────────────────\n"
    " 0.000000         CLOSED ┃ #1 SYN  seq 1000                               ┃ LISTEN\n"
    "              ▸ SYN-SENT ┠─────────── mss 1460, SACK, scale 7 ───────────▶┨ ▸ "
    "SYN-RECEIVED  0.005000\n"
    "                SYN-SENT ┃ #2 SYN ACK  seq 5000  ack 1001                 ┃ "
    "SYN-RECEIVED    0.005000\n"
    " 0.010000  ▸ ESTABLISHED ┠◀─────────── mss 1460, SACK, scale 7 ───────────┨ "
    "SYN-RECEIVED\n"
    " 0.010000    ESTABLISHED ┃ #3 ACK  seq 1  ack 1                           ┃ "
    "SYN-RECEIVED\n"
    "             ESTABLISHED ┠───────────────────────────────────────────────▶┨ ▸ "
    "ESTABLISHED   0.015000\n"
    "                         ┃                                                ┃\n"
    "─────────────────────────╂── Data ──────────────────────────"
    "──────────────╂─────────────────────────\n"
    " 0.015000    ESTABLISHED ┃ #4 PSH ACK  seq 1:19  ack 1  len 18  lost      ┃ "
    "ESTABLISHED\n"
    "             ESTABLISHED ┠───────── GET \"/\" <1> ─────────✗                ┃ "
    "ESTABLISHED\n"
    "                         ┊ 1 s go by                                      ┊\n"
    " 1.015000    ESTABLISHED ┃ #5 PSH ACK  seq 1:19  ack 1  len 18            ┃ "
    "ESTABLISHED\n"
    "             ESTABLISHED ┠───────── GET \"/\" <1>, retransmission ─────────▶┨ "
    "ESTABLISHED     1.020000\n"
    "                         ┃ #6 ACK  seq 1:501  ack 19  len 500             ┃ ESTABLISHED "
    "    1.020000\n"
    "                         ┃          ╌╌╌╌╌╌────────────────────────────────┨ "
    "ESTABLISHED\n"
    "                         ┃                                                ┃\n"
    "─────────────────────────╂── Reset ─────────────────────────"
    "──────────────╂─────────────────────────\n"
    " 1.020000    ESTABLISHED ┃ #7 RST ACK  seq 19  ack 1                      ┃\n"
    "                ▸ CLOSED ┠────────────────────────────────╌╌╌╌╌╌          ┃\n"
    "                         ┃ A is closed: the user aborted                  ┃\n"
    "                  CLOSED ┃ #6 ACK  seq 1:501  ack 19  len 500  arrives    ┃\n"
    " 1.025000         CLOSED ┠◀───────────────────────────────╌╌╌╌╌╌          ┃\n"
    "                         ┃ ✗ at A: nothing listens there                  ┃\n"
    "                         ┃ #7 RST ACK  seq 19  ack 1  arrives             ┃ "
    "ESTABLISHED\n"
    "                         ┃          ╌╌╌╌╌╌───────────────────────────────▶┨ ▸ CLOSED    "
    "    1.025000\n"
    "                         ┃ B is closed: the peer reset the connection     ┃\n"
    "\n"
    "  Outside the lifelines: the states before each segment, and below them those after (▸ "
    "changed).\n"
    "\n"
    "  opened by   A (client)\n"
    "  reset by    A (client)\n"
    "  segments    5 from A, 2 from B\n"
    "  bytes       18 from A, 500 from B\n"
    "  trouble     1 lost on the way, 1 retransmitted, 1 dropped on arrival\n"
    "  duration    1.025 s\n"
    "  at the end  A CLOSED, B CLOSED\n";

static const char ascii_ladder[] =
    "                     A client                                         B server\n"
    "                   10.0.0.1:4001                                     10.0.0.2:80\n"
    "                         |                                                |\n"
    "-------------------------+-- Handshake ---------------------"
    "--------------+-------------------------\n"
    " 0.000000         CLOSED | #1 SYN  seq 1000                               | LISTEN\n"
    "              > SYN-SENT |----------- mss 1460, SACK, scale 7 ----------->| > "
    "SYN-RECEIVED  0.005000\n"
    "                SYN-SENT | #2 SYN ACK  seq 5000  ack 1001                 | "
    "SYN-RECEIVED    0.005000\n"
    " 0.010000  > ESTABLISHED |<----------- mss 1460, SACK, scale 7 -----------| "
    "SYN-RECEIVED\n"
    " 0.010000    ESTABLISHED | #3 ACK  seq 1  ack 1                           | "
    "SYN-RECEIVED\n"
    "             ESTABLISHED |----------------------------------------------->| > "
    "ESTABLISHED   0.015000\n"
    "                         |                                                |\n"
    "-------------------------+-- Data --------------------------"
    "--------------+-------------------------\n"
    " 0.015000    ESTABLISHED | #4 PSH ACK  seq 1:19  ack 1  len 18  lost      | "
    "ESTABLISHED\n"
    "             ESTABLISHED |--------- GET \"/\" <1> ---------x                | "
    "ESTABLISHED\n"
    "                         : 1 s go by                                      :\n"
    " 1.015000    ESTABLISHED | #5 PSH ACK  seq 1:19  ack 1  len 18            | "
    "ESTABLISHED\n"
    "             ESTABLISHED |--------- GET \"/\" <1>, retransmission --------->| "
    "ESTABLISHED     1.020000\n"
    "                         | #6 ACK  seq 1:501  ack 19  len 500             | ESTABLISHED "
    "    1.020000\n"
    "                         |          ......--------------------------------| "
    "ESTABLISHED\n"
    "                         |                                                |\n"
    "-------------------------+-- Reset -------------------------"
    "--------------+-------------------------\n"
    " 1.020000    ESTABLISHED | #7 RST ACK  seq 19  ack 1                      |\n"
    "                > CLOSED |--------------------------------......          |\n"
    "                         | A is closed: the user aborted                  |\n"
    "                  CLOSED | #6 ACK  seq 1:501  ack 19  len 500  arrives    |\n"
    " 1.025000         CLOSED |<-------------------------------......          |\n"
    "                         | x at A: nothing listens there                  |\n"
    "                         | #7 RST ACK  seq 19  ack 1  arrives             | "
    "ESTABLISHED\n"
    "                         |          ......------------------------------->| > CLOSED    "
    "    1.025000\n"
    "                         | B is closed: the peer reset the connection     |\n"
    "\n"
    "  Outside the lifelines: the states before each segment, and below them those after (> "
    "changed).\n"
    "\n"
    "  opened by   A (client)\n"
    "  reset by    A (client)\n"
    "  segments    5 from A, 2 from B\n"
    "  bytes       18 from A, 500 from B\n"
    "  trouble     1 lost on the way, 1 retransmitted, 1 dropped on arrival\n"
    "  duration    1.025 s\n"
    "  at the end  A CLOSED, B CLOSED\n";

static const char tcpdump[] =
    "00:00:00.000000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [S], seq 1000, win 65535, options "
    "[mss 1460,sackOK,nop,wscale 7,eol], length 0  [A CLOSED > SYN-SENT, B LISTEN > "
    "SYN-RECEIVED]\n"
    "00:00:00.005000 IP 10.0.0.2.80 > 10.0.0.1.4001: Flags [S.], seq 5000, ack 1001, win "
    "65535, options [mss 1460,sackOK,nop,wscale 7,eol], length 0  [A SYN-SENT > ESTABLISHED, "
    "B SYN-RECEIVED]\n"
    "00:00:00.010000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [.], ack 1, win 65535, length 0  "
    "[A ESTABLISHED, B SYN-RECEIVED > ESTABLISHED]\n"
    "00:00:00.015000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [P.], seq 1:19, ack 1, win 65535, "
    "length 18  [A ESTABLISHED, B ESTABLISHED]  LOST  # GET \"/\" <1>\n"
    "00:00:01.015000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [P.], seq 1:19, ack 1, win 65535, "
    "length 18  [A ESTABLISHED, B ESTABLISHED]  # GET \"/\" <1>, retransmission\n"
    "00:00:01.020000 IP 10.0.0.2.80 > 10.0.0.1.4001: Flags [.], seq 1:501, ack 19, win "
    "65535, length 500  [A CLOSED, B ESTABLISHED]  DROPPED: nothing listens there\n"
    "00:00:01.020000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [R.], seq 19, ack 1, win 65535, "
    "length 0  [A ESTABLISHED > CLOSED, B ESTABLISHED > CLOSED]  # A: the user aborted  # B: "
    "the peer reset the connection\n"
    "#\n"
    "# opened by   A (client)\n"
    "# reset by    A (client)\n"
    "# segments    5 from A, 2 from B\n"
    "# bytes       18 from A, 500 from B\n"
    "# trouble     1 lost on the way, 1 retransmitted, 1 dropped on arrival\n"
    "# duration    1.025 s\n"
    "# at the end  A CLOSED, B CLOSED\n";

static const char classic[] =
    "IP 10.0.0.1.4001 > 10.0.0.2.80: S 1000:1000(0) win 65535 <mss 1460,sackOK,nop,wscale "
    "7,eol>  [A CLOSED > SYN-SENT, B LISTEN > SYN-RECEIVED]\n"
    "IP 10.0.0.2.80 > 10.0.0.1.4001: S 5000:5000(0) ack 1001 win 65535 <mss "
    "1460,sackOK,nop,wscale 7,eol>  [A SYN-SENT > ESTABLISHED, B SYN-RECEIVED]\n"
    "IP 10.0.0.1.4001 > 10.0.0.2.80: . ack 5001 win 65535  [A ESTABLISHED, B SYN-RECEIVED > "
    "ESTABLISHED]\n"
    "IP 10.0.0.1.4001 > 10.0.0.2.80: P 1001:1019(18) ack 5001 win 65535  [A ESTABLISHED, B "
    "ESTABLISHED]  LOST  # GET \"/\" <1>\n"
    "IP 10.0.0.1.4001 > 10.0.0.2.80: P 1001:1019(18) ack 5001 win 65535  [A ESTABLISHED, B "
    "ESTABLISHED]  # GET \"/\" <1>, retransmission\n"
    "IP 10.0.0.2.80 > 10.0.0.1.4001: . 5001:5501(500) ack 1019 win 65535  [A CLOSED, B "
    "ESTABLISHED]  DROPPED: nothing listens there\n"
    "IP 10.0.0.1.4001 > 10.0.0.2.80: R 1019:1019(0) ack 5001 win 65535  [A ESTABLISHED > "
    "CLOSED, B ESTABLISHED > CLOSED]  # A: the user aborted  # B: the peer reset the "
    "connection\n"
    "#\n"
    "# opened by   A (client)\n"
    "# reset by    A (client)\n"
    "# segments    5 from A, 2 from B\n"
    "# bytes       18 from A, 500 from B\n"
    "# trouble     1 lost on the way, 1 retransmitted, 1 dropped on arrival\n"
    "# duration    1.025 s\n"
    "# at the end  A CLOSED, B CLOSED\n";

static const char json_first[] =
    "{\"type\":\"segment\",\"number\":1,\"time\":0.000000000,\"ar"
    "rived\":0.005000000,\"from\":\"A\",\"source\":\"10.0.0.1:400"
    "1\",\"destination\":\"10.0.0.2:80\",\"flags\":[\"SYN\"],\"se"
    "q\":1000,\"seq_relative\":0,\"window\":65535,\"length\":0,\"options\":\"mss "
    "1460,sackOK,nop,wscale 7,eol\",\"phase\":\"handshake\",\"a\""
    ":{\"before\":\"CLOSED\",\"after\":\"SYN-SENT\",\"reason\":\""
    "ACTIVE_OPEN\"},\"b\":{\"before\":\"LISTEN\",\"after\":\"SYN-"
    "RECEIVED\",\"reason\":\"SYN_RECEIVED\"},\"fate\":\"arrived\""
    ",\"retransmission\":false,\"out_of_order\":false}\n";

static void check(enum sanwo_trace_format format, const struct sanwo_trace_style *style,
                  const char *want)
{
    assert_int_equal(feed_render(&f, format, style), 0);
    assert_string_equal(f.text, want);
}

static void test_ladder(void **state)
{
    (void)state;
    check(SANWO_TRACE_LADDER, NULL, ladder);
}

static void test_ascii_ladder(void **state)
{
    static const struct sanwo_trace_style ascii = {.ascii = true};

    (void)state;
    check(SANWO_TRACE_LADDER, &ascii, ascii_ladder);
}

/* Colours add escapes and nothing else; every line stays within 100 columns. */
static void test_colour(void **state)
{
    static const struct sanwo_trace_style colour = {.colour = true};
    size_t used = 0, columns = 0;

    (void)state;
    assert_int_equal(feed_render(&f, SANWO_TRACE_LADDER, &colour), 0);
    assert_non_null(strstr(f.text, "\033["));
    for (size_t i = 0; i < f.length; i++) {
        if (f.text[i] == '\033') {
            i += strcspn(f.text + i, "m");
            continue;
        }
        columns = f.text[i] == '\n' ? 0 : columns + (((unsigned char)f.text[i] & 0xc0) != 0x80);
        assert_true(columns <= 100);
        f.text[used++] = f.text[i];
    }
    f.text[used] = '\0';
    assert_string_equal(f.text, ladder);
}

/* The longest numbers and texts: nothing touches the lifelines, no word is cut. */
static void test_long_texts(void **state)
{
    static const struct sanwo_trace_style ascii = {.ascii = true};

    (void)state;
    feed_stop(&f);
    feed_start(&f);
    feed_state(&f, 0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_state(&f, 1, SANWO_TCP_LISTEN, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_out(&f, 0, SANWO_TCP_SYN_SENT, SYN | ACK, 4294967290U, 4294967291U, 0);
    feed_out(&f, 1, SANWO_TCP_SYN_SENT, SYN | ACK, 4294967291U, 4294967292U, 0);
    f.now += SANWO_MSEC(5);
    feed_in(&f, 0, SANWO_TCP_SYN_SENT);
    feed_in(&f, 1, SANWO_TCP_SYN_SENT);
    feed_out(&f, 0, SANWO_TCP_ESTABLISHED, PSH | ACK | URG | FIN, 2000000000U, 2000000001U, 1448);
    f.now += SANWO_MSEC(5);
    feed_in(&f, 1, SANWO_TCP_ESTABLISHED);
    feed_state(&f, 1, SANWO_TCP_ESTABLISHED, SANWO_TCP_CLOSED, SANWO_REASON_PEER_REFUSED);
    f.now += SANWO_MSEC(5);
    feed_state(&f, 0, SANWO_TCP_ESTABLISHED, SANWO_TCP_TIME_WAIT, SANWO_REASON_SIMULTANEOUS_CLOSE);
    assert_int_equal(feed_render(&f, SANWO_TRACE_LADDER, &ascii), 0);
    assert_non_null(strstr(f.text, "| #1 SYN ACK  seq 4294967290  arrives            |"));
    assert_non_null(strstr(f.text, "|--- mss 1460, SACK, scale 7 ----......          |"));
    assert_non_null(strstr(f.text, "| B is closed:                                   |\n"));
    assert_non_null(strstr(f.text, "|   the peer answered the SYN with a reset       |\n"));
    assert_non_null(strstr(f.text, "| the peer's FIN received while ours is out:     |"));
    assert_non_null(strstr(f.text, "|   simultaneous close                           |\n"));
    for (const char *line = f.text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strcspn(line, "\n") > 75 && line[25] == '|' && line[26] == ' ' && line[27] != ' ') {
            assert_int_equal(line[74], '|');
            assert_int_equal(line[73], ' ');
        }
    }
}

static void test_tcpdump(void **state)
{
    (void)state;
    check(SANWO_TRACE_TCPDUMP, NULL, tcpdump);
}

static void test_classic(void **state)
{
    (void)state;
    check(SANWO_TRACE_CLASSIC, NULL, classic);
}

/* ---- JSON: a reader that only says whether it is JSON --------------------------------------- */

static const char *skip_value(const char *p);

static const char *skip_string(const char *p)
{
    assert_int_equal(*p, '"');
    for (p++; *p != '"'; p++) {
        assert_true((unsigned char)*p >= 0x20);
        p += *p == '\\';
    }
    return p + 1;
}

static const char *skip_list(const char *p, char close, int named)
{
    if (*p == close) {
        return p + 1;
    }
    for (;; p++) {
        if (named) {
            p = skip_string(p);
            assert_int_equal(*p++, ':');
        }
        p = skip_value(p);
        if (*p == close) {
            return p + 1;
        }
        assert_int_equal(*p, ',');
    }
}

static const char *skip_value(const char *p)
{
    static const char *const words[] = {"true", "false", "null"};
    char *end;

    if (*p == '{') {
        return skip_list(p + 1, '}', 1);
    }
    if (*p == '[') {
        return skip_list(p + 1, ']', 0);
    }
    if (*p == '"') {
        return skip_string(p);
    }
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(p, words[i], strlen(words[i])) == 0) {
            return p + strlen(words[i]);
        }
    }
    assert_true(*p == '-' || isdigit((unsigned char)*p));
    strtod(p, &end);
    return end;
}

static void test_json(void **state)
{
    size_t lines = 0;

    (void)state;
    assert_int_equal(feed_render(&f, SANWO_TRACE_JSON, NULL), 0);
    assert_int_equal(strncmp(f.text, json_first, strlen(json_first)), 0);
    for (const char *p = f.text; *p != '\0'; p++, lines++) {
        assert_int_equal(*p, '{');
        p = skip_value(p);
        assert_int_equal(*p, '\n');
    }
    assert_int_equal(lines, sanwo_trace_count(f.trace) + 1);
    assert_non_null(strstr(f.text, "\"note\":\"GET \\\"/\\\" <1>\""));
    assert_non_null(strstr(f.text, "\"arrived\":null"));
    assert_non_null(strstr(f.text, "\"fate\":\"dropped\""));
    assert_non_null(strstr(f.text, "{\"type\":\"summary\",\"opener\":\"A\",\"closer\":null,"
                                   "\"resetter\":\"A\""));
}

/* ---- SVG: tags match, and nothing of ours breaks out of the text ---------------------------- */

static void test_svg(void **state)
{
    int depth = 0;

    (void)state;
    assert_int_equal(feed_render(&f, SANWO_TRACE_SVG, NULL), 0);
    assert_int_equal(strncmp(f.text, "<svg ", 5), 0);
    for (const char *p = strchr(f.text, '<'); p != NULL; p = strchr(p + 1, '<')) {
        const char *end = strchr(p, '>');
        assert_non_null(end);
        if (p[1] == '/') {
            depth--;
        } else if (end[-1] != '/') {
            depth++;
        }
        assert_true(depth >= 0);
    }
    assert_int_equal(depth, 0);
    assert_non_null(strstr(f.text, "GET \"/\" &lt;1&gt;"));
    assert_non_null(strstr(f.text, "prefers-color-scheme"));
    assert_non_null(strstr(f.text, ">SYN-RECEIVED</text>"));
    assert_string_equal(f.text + f.length - 7, "</svg>\n");
}

static void test_nothing_collected(void **state)
{
    (void)state;
    sanwo_trace_destroy(f.trace);
    assert_int_equal(sanwo_trace_create(&f.trace), 0);
    for (unsigned i = 0; i < SANWO_TRACE_FORMATS; i++) {
        assert_int_equal(feed_render(&f, (enum sanwo_trace_format)i, NULL), 0);
        assert_true(f.length > 0);
    }
    assert_int_equal(feed_render(&f, SANWO_TRACE_FORMATS, NULL), -SANWO_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ladder, start, stop),
        cmocka_unit_test_setup_teardown(test_ascii_ladder, start, stop),
        cmocka_unit_test_setup_teardown(test_colour, start, stop),
        cmocka_unit_test_setup_teardown(test_long_texts, start, stop),
        cmocka_unit_test_setup_teardown(test_tcpdump, start, stop),
        cmocka_unit_test_setup_teardown(test_classic, start, stop),
        cmocka_unit_test_setup_teardown(test_json, start, stop),
        cmocka_unit_test_setup_teardown(test_svg, start, stop),
        cmocka_unit_test_setup_teardown(test_nothing_collected, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
