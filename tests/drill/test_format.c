/*
 * test_format.c - Packets in script syntax: those of a script, and those seen, in the script's numbers.
 */
#include "test_match_support.h"

#include <stdio.h>

static void check_packet(const struct drill_packet *packet, const char *expected)
{
    char text[256];

    sw_drill_format_packet(packet, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_script_tcp(void **state)
{
    const struct {
        const char *text;
        struct drill_packet packet;
    } rows[] = {
        {"- 0:0(0)", {0}},
        {"S 0:0(0) win 65535", {.flags = SYN, WINDOW(65535)}},
        {"S. 5:5(0)! ack 6! win 0",
         {.flags = SYN | ACK,
          .seq = 5,
          .seq_is_absolute = true,
          .ack_is_absolute = true,
          ACKED(6),
          WINDOW(0)}},
        {"FSRPUEWA. 4294967295:1(2) ack 3 win 4 urg 5",
         {.flags = 0xff,
          .ae = true,
          .seq = 0xffffffff,
          .payload_length = 2,
          ACKED(3),
          WINDOW(4),
          .urgent_is_set = true,
          .urgent = 5}},
        {"P.5 1:11(10) ack 1",
         {.flags = PSH | ACK | ECE,
          .ae = true,
          .ace_is_set = true,
          .ace = 5,
          .seq = 1,
          .payload_length = 10,
          ACKED(1)}},
        {". ...(7) ack 1 <...>",
         {.flags = ACK, .seq_is_any = true, .payload_length = 7, ACKED(1), .any_options = true}},
        {"1234 > 80 R 0:0(0)", {.flags = RST, .source_port = 1234, .destination_port = 80}},
        {"[ce] . 1:1(0)", {.flags = ACK, .seq = 1, .ip = {.tos_check = DRILL_TOS_ECN, .tos = 3}}},
        {"[noecn,ttl 3] . 1:1(0)",
         {.flags = ACK,
          .seq = 1,
          .ip = {.tos_check = DRILL_TOS_ECN, .ttl_is_set = true, .ttl = 3}}},
        {"[ect01] - 0:0(0)", {.ip = {.tos_check = DRILL_TOS_ECT01}}},
        {"[tos 0xb9,flowlabel 0x12] - 0:0(0)",
         {.ip = {.tos_check = DRILL_TOS_BYTE,
                 .tos = 0xb9,
                 .flow_label_is_set = true,
                 .flow_label = 18}}},
        {"[dscp 0x2e,ect01] - 0:0(0)", {.ip = {.tos_check = DRILL_TOS_DSCP_ECT01, .tos = 0xb8}}},
        {"gre: - 0:0(0)", {.encapsulation = (char[]){"gre:"}}},
        {"udp (9)", {.protocol = DRILL_UDP, .payload_length = 9}},
        {"udp 1 > 2 (9)",
         {.protocol = DRILL_UDP, .payload_length = 9, .source_port = 1, .destination_port = 2}},
        {"icmp unreachable frag_needed mtu 1200 [1:1461(1460)]",
         {.protocol = DRILL_ICMP,
          .icmp_type = (char[]){"unreachable"},
          .icmp_code = (char[]){"frag_needed"},
          .mtu_is_set = true,
          .mtu = 1200,
          .quoted_protocol = 6,
          .quoted_is_set = true,
          .quoted_seq = 1,
          .quoted_length = 1460}},
        {"icmp echo_request id 7 [raw (64)]",
         {.protocol = DRILL_ICMP,
          .icmp_type = (char[]){"echo_request"},
          .id_is_set = true,
          .icmp_id = 7,
          .quoted_protocol = 255,
          .quoted_length = 64}},
        {"icmp time_exceeded [udp (5)]",
         {.protocol = DRILL_ICMP,
          .icmp_type = (char[]){"time_exceeded"},
          .quoted_protocol = 17,
          .quoted_length = 5}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_packet(&rows[i].packet, rows[i].text);
}

static void test_script_options(void **state)
{
    struct drill_tcp_option options[] = {
        {.kind = 2, .val = 1460, .length = 4},
        {.kind = 3, .val = 7, .length = 3},
        {.kind = 4, .length = 2},
        {.kind = 5, .sack = {{1, 2}, {3, 4}}, .sack_count = 2, .length = 18},
        {.kind = 8, .val = 5, .ecr = 6, .length = 10},
        {.kind = 8, .any_val = true, .ecr = 6, .absolute_ecr = true, .length = 10},
        {.kind = 8, .val = 5, .ecr = 6, .absolute_ecr = true, .length = 10},
        {.kind = 1, .length = 1},
        {.kind = 0, .length = 1},
        {.kind = 19, .data = {1, 2, 0xfe}, .data_length = 3, .length = 5},
        {.kind = 34, .length = 2},
        {.kind = 34, .data = {0xab, 0xcd}, .data_length = 2, .length = 4},
        {.kind = 254, .experimental = true, .exid = 0xf989, .length = 4},
        {.kind = 254,
         .experimental = true,
         .exid = 0x00ac,
         .data = {0, 0x60},
         .data_length = 2,
         .length = 6},
        {.kind = 172, .data = {0, 0, 1, 0, 0, 2, 0, 0, 3}, .data_length = 9, .length = 11},
        {.kind = 174, .data = {0, 0, 1}, .data_length = 3, .length = 5},
        {.kind = 254,
         .experimental = true,
         .exid = 0xacc1,
         .data = {1, 0, 0},
         .data_length = 3,
         .length = 7},
        {.kind = 254,
         .experimental = true,
         .exid = 0x1234,
         .data = {9},
         .data_length = 1,
         .length = 5},
        {.kind = 31, .as_bytes = true, .data = {1, 2}, .data_length = 2, .length = 4},
        {.kind = 31, .as_bytes = true, .length = 9, .data = {1}, .data_length = 1},
        {.kind = 1, .as_bytes = true, .data = {5}, .data_length = 1, .length = 3},
    };
    static const char *const texts[] = {
        "mss 1460",
        "wscale 7",
        "sackOK",
        "sack 1:2 3:4",
        "TS val 5 ecr 6",
        "TS val ... ecr 6!",
        "TS val 5 ecr 6!",
        "nop",
        "eol",
        "md5 0102fe",
        "FO",
        "FO abcd",
        "FOEXP",
        "exp-tarr 3",
        "AccECN0 ee0b 1 eceb 2 ee1b 3",
        "AccECN1 ee1b 1",
        "exp-AccECN1 ee1b 65536",
        "0xfe:123409",
        "0x1f:0102",
        "0x1f/9:01",
        "0x01:05",
    };
    struct drill_packet both = {.flags = SYN, .options = options, .option_count = 3};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct drill_packet packet = {.flags = ACK, .options = options + i, .option_count = 1};
        char expected[80];

        snprintf(expected, sizeof(expected), ". 0:0(0) <%s>", texts[i]);
        check_packet(&packet, expected);
    }
    check_packet(&both, "S 0:0(0) <mss 1460,wscale 7,sackOK>");
}

static void check_seen(struct drill_wire *wire, const struct sent *sent, const char *expected)
{
    static struct sent_bytes room;
    struct drill_seen seen;
    char text[256];

    see(&seen, &room, wire->family, sent, 0);
    sw_drill_format_seen(wire, &seen, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void test_seen_tcp(void **state)
{
    static const struct {
        const char *text;
        struct sent sent;
    } rows[] = {
        {"P. 1:1461(1460) ack 1 win 256",
         {.flags = PSH | ACK, .seq = ISN + 1, .ack = 0x1001, .length = 1460, .window = 256}},
        {"S. 0:0(0) ack 4097 win 1", {.flags = SYN | ACK, .seq = ISN, .ack = 0x1001, .window = 1}},
        {"R 2:2(0) win 0", {.flags = RST, .seq = ISN + 2}},
        {"R. 0:0(0) ack 1 win 0", {.flags = RST | ACK, .seq = 0, .ack = 0x1001}},
        {"R 2:2(0) ack 9 win 0", {.flags = RST, .seq = ISN + 2, .ack = 9}},
        {"[ect0] U. 1:1(0) ack 1 win 2 urg 3",
         {.flags = ACK | URG, .seq = ISN + 1, .ack = 0x1001, .window = 2, .urgent = 3, .tos = 2}},
        {". 1:1(0) ack 1 win 2 <nop,nop,sack 11:21>",
         {.flags = ACK,
          .seq = ISN + 1,
          .ack = 0x1001,
          .window = 2,
          .options_length = 12,
          .options = {1, 1, 5, 10, 0, 0, 0x10, 11, 0, 0, 0x10, 21}}},
        {". 1:1(0) ack 1 win 2 <0x05/9:010203040000>", /* a length past the end */
         {.flags = ACK,
          .seq = ISN + 1,
          .ack = 0x1001,
          .window = 2,
          .options_length = 8,
          .options = {5, 9, 1, 2, 3, 4}}},
        {". 1:1(0) ack 1 win 2 <nop,0x08/1:01>",
         {.flags = ACK,
          .seq = ISN + 1,
          .ack = 0x1001,
          .window = 2,
          .options_length = 4,
          .options = {1, 8, 1, 1}}},
        {". 1:1(0) ack 1 win 2 <mss 1,eol,eol,eol,0x08>",
         {.flags = ACK,
          .seq = ISN + 1,
          .ack = 0x1001,
          .window = 2,
          .options_length = 8,
          .options = {2, 4, 0, 1, 0, 0, 0, 8}}},
        {"9 > 50000 . 5:5(0) ack 6 win 0", {.source = 9, .flags = ACK, .seq = 5, .ack = 6}},
    };
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0x1000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_seen(&wire, &rows[i].sent, rows[i].text);
    }
    sw_drill_wire_free(&wire);
}

/* Ports are told where the script must name them: of all flows but the one it may speak of without. */
static void test_ports_of_flows(void **state)
{
    struct drill_packet named = IN(.flags = SYN, .source_port = 7, .destination_port = 8080);
    struct sent of_named = {.flags = ACK, .seq = 5, .ack = 1, .destination = 7};
    struct sent of_unnamed = {.flags = ACK, .seq = ISN + 1, .ack = 1};
    struct drill_wire wire;
    uint8_t out[64];

    (void)state;
    wire_init(&wire, 4);
    check_seen(&wire, &of_named, ". 5:5(0) ack 1 win 0"); /* nothing is known of any flow */
    build(&wire, &named, out, sizeof(out));
    check_seen(&wire, &of_named, "8080 > 7 . 5:5(0) ack 1 win 0");
    sw_drill_wire_listen(&wire, 0);
    establish(&wire, 0);
    check_seen(&wire, &of_named, "8080 > 7 . 5:5(0) ack 1 win 0");
    check_seen(&wire, &of_unnamed, ". 1:1(0) ack 1 win 0");
    sw_drill_wire_free(&wire);
}

/* Timestamps seen are told in the script's clock once it is known. */
static void test_seen_timestamp(void **state)
{
    struct drill_tcp_option ts = {.kind = 8, .length = 10, .val = 100, .ecr = 7};
    struct drill_packet packet =
        OUT(.flags = ACK, .seq = 1, ACKED(1), .options = &ts, .option_count = 1);
    struct sent sent = {.flags = ACK,
                        .seq = ISN + 1,
                        .ack = 1,
                        .options_length = 12,
                        .options = {8, 10, 0, 0, 0, 50, 0, 0, 0, 7}};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 6);
    establish(&wire, 0);
    check_seen(&wire, &sent, ". 1:1(0) ack 1 win 0 <TS val 50 ecr 7,eol,eol>");
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    sent.options[5] = 53;
    check_seen(&wire, &sent, ". 1:1(0) ack 1 win 0 <TS val 103 ecr 7,eol,eol>");
    sw_drill_wire_free(&wire);
}

/* Cut where the room ends, terminated, nothing behind it. */
static void test_small_rooms(void **state)
{
    struct drill_tcp_option option = {.kind = 2, .val = 1460, .length = 4};
    struct drill_packet packet = {.flags = SYN, WINDOW(3), .options = &option, .option_count = 1};
    const char *whole = "S 0:0(0) win 3 <mss 1460>";

    (void)state;
    for (size_t size = 1; size <= 30; size++) {
        char *text = malloc(size);

        assert_non_null(text);
        sw_drill_format_packet(&packet, text, size);
        assert_int_equal(strlen(text), size - 1 < strlen(whole) ? size - 1 : strlen(whole));
        assert_memory_equal(text, whole, strlen(text));
        free(text);
    }
    sw_drill_format_packet(&packet, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_tcp),     cmocka_unit_test(test_script_options),
        cmocka_unit_test(test_seen_tcp),       cmocka_unit_test(test_seen_timestamp),
        cmocka_unit_test(test_ports_of_flows), cmocka_unit_test(test_small_rooms),
    };

    return cmocka_run_group_tests_name("drill: format", tests, NULL, NULL);
}
