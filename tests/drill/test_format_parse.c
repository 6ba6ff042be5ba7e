/*
 * test_format_parse.c - What is written in messages can be put into a script: reading it and writing it
 * again gives the same words.
 */
#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const lines[] = {
    "- 0:0(0) win 0",
    "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>",
    "S. 4294967295:4294967295(0) ack 1 win 1",
    "SEWA 0:0(0) win 1",
    "SR. 0:0(0) ack 1 win 1",
    "FPUEW. 1:11(10) ack 5 win 0 urg 10",
    ".5 1:1(0) ack 1 win 1",
    "P.3 1:1(0) ack 1 win 1",
    "S7 0:0(0) win 1",
    "F. 5:5(0)! ack 6! win 9",
    "1234 > 8080 . 1:1(0) ack 1 win 1",
    "[ce] . 1:1(0) ack 1 win 1",
    "[noecn,ttl 7] . 1:1(0) ack 1 win 1",
    "[tos 0xb9] . 1:1(0) ack 1 win 1",
    "[dscp 0x2e] . 1:1(0) ack 1 win 1",
    "[tos 0x00,flowlabel 0x12345] . 1:1(0) ack 1 win 1",
    ". 1:1(0) ack 1 win 1 <nop,nop,sack 1:2 4294967295:4>",
    ". 1:1(0) ack 1 win 1 <nop,nop,TS val 5 ecr 6!>",
    "S 0:0(0) win 1 <FO,nop,nop>",
    "S 0:0(0) win 1 <FO 0102030405060708,nop,nop>",
    "S 0:0(0) win 1 <FOEXP,mss 1>",
    ". 1:1(0) ack 1 win 1 <AccECN0 ee0b 1 eceb 2 ee1b 3,nop>",
    ". 1:1(0) ack 1 win 1 <AccECN1 ee1b 1 eceb 2,nop,nop,nop,eol>",
    ". 1:1(0) ack 1 win 1 <exp-AccECN0 ee0b 16777215,nop>",
    ". 1:1(0) ack 1 win 1 <exp-tarr 3,nop,nop>",
    ". 1:1(0) ack 1 win 1 <0x1f:0102,0x02:05b4>",
    ". 1:1(0) ack 1 win 1 <0x1f/9:0102>",
    "udp (100)",
    "udp 53 > 1024 (100)",
    "icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
    "icmp echo_request id 7 [raw (64)]",
    "icmp time_exceeded [udp (5)]",
};

static const char *const outbound_lines[] = {
    ". ...(7) ack 1 <...>",   "S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val ... ecr 7>",
    "[ect01] . 1:1(0) ack 1", "[dscp 0x2e,ect01] . 1:1(0) ack 1",
    "[ttl 64] R 1:1(0)",
};

static void check_lines(const char *const *rows, size_t count, char direction)
{
    for (size_t i = 0; i < count; i++) {
        char script[256], message[256], text[256];
        struct drill_script *tree;
        int length = snprintf(script, sizeof(script), "+0 %c %s\n", direction, rows[i]);

        tree = sw_drill_parse("row", script, (size_t)length, NULL, 0, message, sizeof(message));
        if (!tree)
            fail_msg("%s", message);
        assert_int_equal(tree->event_count, 1);
        sw_drill_format_packet(tree->events[0].packet, text, sizeof(text));
        assert_string_equal(text, rows[i]);
        sw_drill_script_free(tree);
    }
}

static void test_both_ways(void **state)
{
    (void)state;
    check_lines(lines, sizeof(lines) / sizeof(lines[0]), '<');
    check_lines(lines, sizeof(lines) / sizeof(lines[0]), '>');
    check_lines(outbound_lines, sizeof(outbound_lines) / sizeof(outbound_lines[0]), '>');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_ways)};

    return cmocka_run_group_tests_name("drill: format and parse", tests, NULL, NULL);
}
