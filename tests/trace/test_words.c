/*
 * test_words.c - Flags, options, times and single segments as text; options of every bad length.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

static void test_flags(void **state)
{
    static const struct {
        uint8_t flags;
        const char *words, *letters;
    } rows[] = {
        {TCP_SYN, "SYN", "S"},
        {TCP_SYN | TCP_ACK, "SYN ACK", "S."},
        {TCP_FIN | TCP_PSH | TCP_ACK, "FIN PSH ACK", "FP."},
        {TCP_RST | TCP_ACK, "RST ACK", "R."},
        {TCP_SYN | TCP_ECE | TCP_CWR, "SYN ECE CWR", "SEW"},
        {TCP_URG | TCP_ACK, "URG ACK", ".U"},
        {0, "no flags", "none"},
    };
    char text[48];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sw_trace_flag_words(rows[i].flags, text, sizeof(text));
        assert_string_equal(text, rows[i].words);
        sw_trace_flag_letters(rows[i].flags, text, sizeof(text));
        assert_string_equal(text, rows[i].letters);
    }
}

static const uint8_t all_options[] = {2, 4, 5, 180, 4, 2, 8, 10,  0, 0, 0, 7,   0,   0, 0, 9, 1, 3,
                                      3, 7, 5, 10,  0, 0, 3, 232, 0, 0, 7, 208, 254, 4, 1, 2, 0};

static void test_options(void **state)
{
    char text[256];

    (void)state;
    sw_trace_options(all_options, sizeof(all_options), TRACE_TCPDUMP, 900, text, sizeof(text));
    assert_string_equal(text, "mss 1460,sackOK,TS val 7 ecr 9,nop,wscale 7,sack 1 {100:1100},"
                              "unknown-254,eol");
    sw_trace_options(all_options, 16, TRACE_CLASSIC, 0, text, sizeof(text));
    assert_string_equal(text, "mss 1460,sackOK,timestamp 7 9");
    sw_trace_offer(all_options, sizeof(all_options), text, sizeof(text));
    assert_string_equal(text, "mss 1460, SACK, timestamps, scale 7");
}

/* Every truncation and every length byte: no byte past the end is read (the copy is exact). */
static void test_bad_options(void **state)
{
    char text[256];

    (void)state;
    for (size_t length = 0; length <= sizeof(all_options); length++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t *copy = malloc(length + 1);
            assert_non_null(copy);
            uint8_t *bytes = copy + 1; /* ends with the allocation */
            memcpy(bytes, all_options, length);
            if (length > 1) {
                bytes[1] = (uint8_t)value;
            }
            sw_trace_options(bytes, length, TRACE_TCPDUMP, 0, text, sizeof(text));
            sw_trace_offer(bytes, length, text, sizeof(text));
            free(copy);
        }
    }
    sw_trace_options((const uint8_t[]){2, 4, 5}, 3, TRACE_TCPDUMP, 0, text, sizeof(text));
    assert_string_equal(text, "malformed");
    sw_trace_options((const uint8_t[]){1, 3, 0}, 3, TRACE_TCPDUMP, 0, text, sizeof(text));
    assert_string_equal(text, "nop,malformed");
}

static void test_times(void **state)
{
    static const struct {
        sanwo_time time;
        const char *seconds, *span;
    } rows[] = {
        {0, "0.000000", "0 ms"},
        {SANWO_USEC(1), "0.000001", "0.001 ms"},
        {SANWO_MSEC(20), "0.020000", "20 ms"},
        {SANWO_USEC(1500), "0.001500", "1.5 ms"},
        {SANWO_SEC(60), "60.000000", "60 s"},
        {SANWO_MSEC(59990), "59.990000", "59.99 s"},
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sw_trace_time(rows[i].time, text, sizeof(text));
        assert_string_equal(text, rows[i].seconds);
        sw_trace_span(rows[i].time, text, sizeof(text));
        assert_string_equal(text, rows[i].span);
    }
    sw_trace_time(-SANWO_MSEC(1), text, sizeof(text));
    assert_string_equal(text, "-0.001000");
}

static void test_segments(void **state)
{
    static const struct {
        struct trace_shown shown;
        const char *modern, *classic;
    } rows[] = {
        {{.flags = TCP_SYN, .seq = 9, .window = 65535},
         "Flags [S], seq 9, win 65535, length 0",
         "S 9:9(0) win 65535"},
        {{.flags = TCP_SYN | TCP_ACK, .seq = 9, .ack = 4, .window = 10},
         "Flags [S.], seq 9, ack 4, win 10, length 0",
         "S 9:9(0) ack 4 win 10"},
        {{.flags = TCP_ACK, .seq = 1, .ack = 5, .window = 10},
         "Flags [.], ack 5, win 10, length 0",
         ". ack 5 win 10"},
        {{.flags = TCP_PSH | TCP_ACK, .seq = UINT32_MAX, .ack = 5, .payload_length = 2},
         "Flags [P.], seq 4294967295:1, ack 5, win 0, length 2",
         "P 4294967295:1(2) ack 5 win 0"},
        {{.flags = TCP_FIN | TCP_ACK, .seq = 7, .ack = 5, .window = 3},
         "Flags [F.], seq 7, ack 5, win 3, length 0",
         "F 7:7(0) ack 5 win 3"},
        {{.flags = TCP_ACK | TCP_URG | TCP_ECE, .ack = 5, .window = 3, .urgent = 2},
         "Flags [.UE], ack 5, win 3, urg 2, length 0",
         ".E ack 5 win 3 urg 2"},
        {{.flags = TCP_SYN, .seq = 9, .options = all_options, .options_length = 4},
         "Flags [S], seq 9, win 0, options [mss 1460], length 0",
         "S 9:9(0) win 0 <mss 1460>"},
    };
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sw_trace_modern(&rows[i].shown, text, sizeof(text));
        assert_string_equal(text, rows[i].modern);
        sw_trace_classic(&rows[i].shown, text, sizeof(text));
        assert_string_equal(text, rows[i].classic);
    }
}

static void test_append_is_cut(void **state)
{
    char text[8];
    size_t n = sw_trace_append(text, sizeof(text), 0, "%s", "12345");

    (void)state;
    n = sw_trace_append(text, sizeof(text), n, "%s", "6789");
    assert_int_equal(n, 7);
    assert_string_equal(text, "1234567");
    assert_int_equal(sw_trace_append(text, sizeof(text), n, "x"), 7);
}

static void test_break(void **state)
{
    static const struct {
        const char *text;
        size_t most, want;
    } rows[] = {
        {"", 5, 0},
        {"12345", 5, 5},
        {"one two", 7, 7},
        {"one two", 6, 3},
        {"one two", 3, 3},
        {"onetwo", 3, 3},            /* no word fits */
        {"A: one two three", 15, 2}, /* the rest fits below the colon */
        {"A: one two three", 12, 10},
        {"\xe2\x9c\x97 two", 5, 7},
        {"\xe2\x9c\x97 two", 4, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(sw_trace_break(rows[i].text, rows[i].most), rows[i].want);
    }
}

static void test_shorten(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *want;
    } rows[] = {
        {"mss 1460, SACK", 14, "mss 1460, SACK"},
        {"mss 1460, SACK", 13, "mss 1460..."},
        {"mss 1460, SACK", 11, "mss 1460..."},
        {"mss 1460, SACK", 10, "mss..."},
        {"abcdefgh", 6, "abc..."},
        {"\xe2\x9c\x97\xe2\x9c\x97\xe2\x9c\x97\xe2\x9c\x97\xe2\x9c\x97", 4, "\xe2\x9c\x97..."},
        {"abcdefgh", 3, "..."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        sw_trace_append(text, sizeof(text), 0, "%s", rows[i].text);
        sw_trace_shorten(text, rows[i].most);
        assert_string_equal(text, rows[i].want);
        assert_true(sw_trace_columns(text) <= rows[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),       cmocka_unit_test(test_options),
        cmocka_unit_test(test_bad_options), cmocka_unit_test(test_times),
        cmocka_unit_test(test_segments),    cmocka_unit_test(test_append_is_cut),
        cmocka_unit_test(test_break),       cmocka_unit_test(test_shorten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
