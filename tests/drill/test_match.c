/*
 * test_match.c - What the stack sent against the script's '>' lines: for each field a row that passes and
 * one that fails, with the words of the failure.
 */
#include "test_match_support.h"

/* A row of a table: the script's line, what came, and what is said of it; NULL: they match. */
struct row {
    const char *message;
    struct drill_packet packet;
    struct sent sent;
};

#define PEER_ISN UINT32_C(0xfffffffa) /* numbers of the peer wrap too */

static void check_rows(uint8_t family, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct drill_wire wire;
        const char *message;

        wire_init(&wire, family);
        establish(&wire, PEER_ISN);
        message = match_sent(&wire, &rows[i].packet, &rows[i].sent, 0);
        if (message == NULL && rows[i].message != NULL)
            fail_msg("row %zu: must fail: %s", i, rows[i].message);
        if (message != NULL && (rows[i].message == NULL || strcmp(message, rows[i].message) != 0))
            fail_msg("row %zu: \"%s\", not \"%s\"", i, message,
                     rows[i].message ? rows[i].message : "right");
        sw_drill_wire_free(&wire);
    }
}

#define CHECK_ROWS(family, rows) check_rows(family, rows, sizeof(rows) / sizeof((rows)[0]))

static void test_flags(void **state)
{
    const struct row rows[] = {
        {NULL,
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"flags are P., must be .",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = PSH | ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"flags are ., must be P.",
         OUT(.flags = PSH | ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"flags are EA., must be F.",
         OUT(.flags = FIN | ACK, .seq = 1, ACKED(1)),
         {.flags = ACK | ECE, .ae = true, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"flags are W., must be E.",
         OUT(.flags = ECE | ACK, .seq = 1, ACKED(1)),
         {.flags = ACK | CWR, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {NULL,
         OUT(.flags = ACK | ECE, .ae = true, .ace_is_set = true, .ace = 5, .seq = 1, ACKED(1)),
         {.flags = ACK | ECE, .ae = true, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"flags are .3, must be .5",
         OUT(.flags = ACK | ECE, .ae = true, .ace_is_set = true, .ace = 5, .seq = 1, ACKED(1)),
         {.flags = ACK | ECE | CWR, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"reserved bits is 2, must be 0",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .reserved = 2, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"a checksum is wrong",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .wrong_sum = true}},
    };

    (void)state;
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
}

static void test_numbers(void **state)
{
    const struct row rows[] = {
        {"seq is 2, must be 1",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 2, .ack = PEER_ISN + 1}},
        {NULL,
         OUT(.flags = ACK, .seq = 100, ACKED(200)),
         {.flags = ACK, .seq = ISN + 100, .ack = PEER_ISN + 200}},
        {"seq is 4294967295, must be 1; ack is 4294967295, must be 1",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN - 1, .ack = PEER_ISN - 1}},
        {NULL,
         OUT(.flags = ACK, .seq = 77, .seq_is_absolute = true, ACKED(1)),
         {.flags = ACK, .seq = 77, .ack = PEER_ISN + 1}},
        {"seq is 78, must be 77",
         OUT(.flags = ACK, .seq = 77, .seq_is_absolute = true, ACKED(1)),
         {.flags = ACK, .seq = 78, .ack = PEER_ISN + 1}},
        {NULL,
         OUT(.flags = ACK, .seq_is_any = true, ACKED(1)),
         {.flags = ACK, .seq = 12345, .ack = PEER_ISN + 1}},
        {"ack is 2, must be 1",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 2}},
        {NULL,
         OUT(.flags = ACK, .seq = 1, ACKED(55), .ack_is_absolute = true),
         {.flags = ACK, .seq = ISN + 1, .ack = 55}},
        {"ack is 56, must be 55",
         OUT(.flags = ACK, .seq = 1, ACKED(55), .ack_is_absolute = true),
         {.flags = ACK, .seq = ISN + 1, .ack = 56}},
        {"ack is 3, must be 0",
         OUT(.flags = RST, .seq = 1),
         {.flags = RST, .seq = ISN + 1, .ack = 3}},
        {NULL,
         OUT(.flags = PSH | ACK, .seq = 1, .payload_length = 9, ACKED(1)),
         {.flags = PSH | ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .length = 9}},
        {"payload length is 9, must be 10",
         OUT(.flags = ACK, .seq = 1, .payload_length = 10, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .length = 9}},
    };

    (void)state;
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
}

static void test_window_and_urgent(void **state)
{
    const struct row rows[] = {
        {NULL,
         OUT(.flags = ACK, .seq = 1, ACKED(1), WINDOW(7)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .window = 7}},
        {"win is 8, must be 7",
         OUT(.flags = ACK, .seq = 1, ACKED(1), WINDOW(7)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .window = 8}},
        {NULL,
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .window = 8}},
        {NULL,
         OUT(.flags = ACK | URG, .seq = 1, ACKED(1), .urgent_is_set = true, .urgent = 4),
         {.flags = ACK | URG, .seq = ISN + 1, .ack = PEER_ISN + 1, .urgent = 4}},
        {"urg is 5, must be 4",
         OUT(.flags = ACK | URG, .seq = 1, ACKED(1), .urgent_is_set = true, .urgent = 4),
         {.flags = ACK | URG, .seq = ISN + 1, .ack = PEER_ISN + 1, .urgent = 5}},
        {"urg is 5, must be 0",
         OUT(.flags = ACK, .seq = 1, ACKED(1)),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .urgent = 5}},
        /* RFC 9293 3.10.7.1: SEQ=0 answers what has no ACK, whatever was before on these ports */
        {NULL,
         OUT(.flags = RST | ACK, ACKED(1)),
         {.flags = RST | ACK, .seq = 0, .ack = PEER_ISN + 1}},
        {"seq is 16, must be 1",
         OUT(.flags = RST | ACK, .seq = 1, ACKED(1)),
         {.flags = RST | ACK, .seq = 0, .ack = PEER_ISN + 1}},
        {"seq is 17, must be 1",
         OUT(.flags = RST | ACK, .seq = 1, ACKED(1)),
         {.flags = RST | ACK, .seq = ISN + 17, .ack = PEER_ISN + 1}},
    };

    (void)state;
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
}

static void test_ports_and_protocol(void **state)
{
    const struct row rows[] = {
        {NULL,
         OUT(.flags = ACK, .seq = 1, ACKED(1), .source_port = 8080, .destination_port = 50000),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"source port is 8080, must be 1; destination port is 50000, must be 2",
         OUT(.flags = ACK, .seq = 1, ACKED(1), .source_port = 1, .destination_port = 2),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"protocol is TCP, must be UDP", OUT(.protocol = DRILL_UDP), {.flags = ACK}},
        {"protocol is TCP, must be ICMP", OUT(.protocol = DRILL_ICMP), {.flags = ACK}},
        {"unsupported: encapsulation (mpls)",
         OUT(.flags = ACK, .encapsulation = (char[]){"mpls"}),
         {.flags = ACK}},
        {"unsupported: encapsulation (udp)",
         OUT(.flags = ACK, .udp_encapsulated = true),
         {.flags = ACK}},
    };

    (void)state;
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
}

/* A segment with nothing but the IP fields of interest. */
#define IP_ROW(words, ...)                                                                         \
    {                                                                                              \
        words, OUT(.flags = ACK, .seq = 1, ACKED(1), .ip = {__VA_ARGS__}),                         \
        {                                                                                          \
            .flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .tos = 0xba, .ttl = 63,             \
            .label = 0x777                                                                         \
        }                                                                                          \
    }

static void test_ip(void **state)
{
    const struct row rows[] = {
        IP_ROW(NULL, .tos_check = DRILL_TOS_ANY, .tos = 1),
        IP_ROW(NULL, .tos_check = DRILL_TOS_ECN, .tos = 2),
        IP_ROW("ECN is ect0, must be ce", .tos_check = DRILL_TOS_ECN, .tos = 3),
        IP_ROW("ECN is ect0, must be noecn", .tos_check = DRILL_TOS_ECN, .tos = 0),
        IP_ROW(NULL, .tos_check = DRILL_TOS_ECT01),
        IP_ROW(NULL, .tos_check = DRILL_TOS_BYTE, .tos = 0xba),
        IP_ROW("tos is 0xba, must be 0xbb", .tos_check = DRILL_TOS_BYTE, .tos = 0xbb),
        IP_ROW(NULL, .tos_check = DRILL_TOS_DSCP, .tos = 0xb8),
        IP_ROW("dscp is 0x2e, must be 0x2f", .tos_check = DRILL_TOS_DSCP, .tos = 0xbc),
        IP_ROW(NULL, .tos_check = DRILL_TOS_DSCP_ECT01, .tos = 0xb8),
        IP_ROW("dscp is 0x2e, must be 0x2f", .tos_check = DRILL_TOS_DSCP_ECT01, .tos = 0xbc),
        IP_ROW(NULL, .ttl_is_set = true, .ttl = 63),
        IP_ROW(NULL, .flow_label_is_set = true,
               .flow_label = 5), /* the script's name of the live one */
    };
    const struct row rows4[] = {IP_ROW("ttl is 63, must be 64", .ttl_is_set = true, .ttl = 64)};
    const struct row rows6[] = {
        IP_ROW("hop limit is 63, must be 64", .ttl_is_set = true, .ttl = 64)};
    const struct row not_ect[] = {
        {"ECN is noecn, must be ect0 or ect1",
         OUT(.flags = ACK, .seq = 1, ACKED(1), .ip = {.tos_check = DRILL_TOS_ECT01}),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1}},
        {"ECN is ce, must be ect0 or ect1",
         OUT(.flags = ACK, .seq = 1, ACKED(1), .ip = {.tos_check = DRILL_TOS_DSCP_ECT01}),
         {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1, .tos = 3}},
    };

    (void)state;
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows4);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows6);
    CHECK_ROWS(SANWO_FAMILY_IPV4, not_ect);
}

/* The label stays where the script's stays and changes where it changes. */
static void test_flow_label(void **state)
{
    struct drill_packet packet =
        OUT(.flags = ACK, .seq = 1, ACKED(1), .ip = {.flow_label_is_set = true});
    struct sent sent = {.flags = ACK, .seq = ISN + 1, .ack = 1};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, SANWO_FAMILY_IPV6);
    establish(&wire, 0);
    sent.label = 0x777;
    packet.ip.flow_label = 1;
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    packet.ip.flow_label = 2;
    assert_string_equal(match_sent(&wire, &packet, &sent, 0),
                        "flow label is 0x777 as before, must be another");
    sent.label = 0x888;
    packet.ip.flow_label = 3;
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    sent.label = 0x999;
    assert_string_equal(match_sent(&wire, &packet, &sent, 0), "flow label is 0x999, must be 0x888");
    packet.ip.flow_label = 0; /* not looked at */
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    packet.ip.flow_label = 9;
    sent.label = 0;
    assert_string_equal(match_sent(&wire, &packet, &sent, 0), "flow label is 0, must be set");
    sw_drill_wire_free(&wire);
}

static void test_options(void **state)
{
    struct drill_tcp_option sack[] = {
        {.kind = 1, .length = 1},
        {.kind = 1, .length = 1},
        {.kind = 5, .sack = {{11, 21}, {31, 41}}, .sack_count = 2, .length = 18},
    };
    struct drill_tcp_option mss[] = {{.kind = 2, .val = 1460, .length = 4}};
    struct drill_tcp_option mss_padded[] = {
        {.kind = 2, .val = 1460, .length = 4},
        {.kind = 0, .length = 1},
        {.kind = 0, .length = 1},
        {.kind = 0, .length = 1},
        {.kind = 0, .length = 1},
    };
    struct sent plain = {.flags = ACK, .seq = ISN + 1, .ack = PEER_ISN + 1};
    struct sent blocks = plain, two = plain;
    struct row rows[] = {
        {NULL, OUT(.flags = ACK, .seq = 1, ACKED(1)), plain},
        {"options are <mss 1460>, must be <>", OUT(.flags = ACK, .seq = 1, ACKED(1)), two},
        {"options are <>, must be <mss 1460>", OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(mss)),
         plain},
        {NULL, OUT(.flags = ACK, .seq = 1, ACKED(1), .any_options = true), two},
        {NULL, OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(mss)), two},
        {"options are <mss 1460>, must be <mss 1460,eol,eol,eol,eol>",
         OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(mss_padded)), two},
        {NULL, OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(sack)), blocks},
        {"options are <nop,nop,sack 11:21 31:41>, must be <mss 1460>",
         OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(mss)), blocks},
        {"options are <nop,nop,sack 11:21 31:42>, must be <nop,nop,sack 11:21 31:41>",
         OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(sack)), blocks},
        {"options are <sack 11:21 31:41,nop,nop>, must be <nop,nop,sack 11:21 31:41>",
         OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(sack)), blocks},
    };
    uint8_t *bytes = blocks.options;

    (void)state;
    memcpy(two.options, "\2\4\5\264", 4);
    two.options_length = 4;
    memcpy(bytes, "\1\1\5\22", 4);
    blocks.options_length = 20;
    for (uint32_t i = 0; i < 4; i++)
        put4(bytes + 4 + 4 * i, PEER_ISN + 11 + 10 * i); /* the peer's space */
    rows[1].sent = rows[3].sent = rows[4].sent = rows[5].sent = two;
    rows[6].sent = rows[7].sent = rows[8].sent = rows[9].sent = blocks;
    rows[8].sent.options[19]++;
    memcpy(rows[9].sent.options, bytes + 2, 18);
    memcpy(rows[9].sent.options + 18, "\1\1", 2);
    CHECK_ROWS(SANWO_FAMILY_IPV4, rows);
    CHECK_ROWS(SANWO_FAMILY_IPV6, rows);
}

/* What a profile leaves free, and what a run of zeros does not. */
static void test_leniency(void **state)
{
    struct drill_packet packet = OUT(.flags = ACK, .seq = 1, ACKED(1), WINDOW(100));
    struct sent sent = {.flags = ACK, .seq = ISN + 1, .ack = 1, .window = 200};
    struct drill_packet ttl =
        OUT(.flags = ACK, .seq = 1, ACKED(1), .ip = {.ttl_is_set = true, .ttl = 1});
    struct drill_packet data = OUT(.flags = ACK, .seq = 1, ACKED(1), .payload_length = 3);
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0);
    wire.any_window = true;
    assert_ptr_equal(match_sent(&wire, &packet, &sent, 0), NULL);
    sent.window = 0;
    assert_string_equal(match_sent(&wire, &packet, &sent, 0), "win is 0, must be 100");
    packet.window = 0;
    sent.window = 5;
    assert_string_equal(match_sent(&wire, &packet, &sent, 0), "win is 5, must be 0");
    wire.check_ttl = false;
    assert_ptr_equal(match_sent(&wire, &ttl, &sent, 0), NULL);
    sent.length = 3;
    sent.fill = 'x';
    assert_ptr_equal(match_sent(&wire, &data, &sent, 0), NULL);
    wire.zero_payload = true;
    assert_string_equal(match_sent(&wire, &data, &sent, 0),
                        "byte 0 of the payload is 0x78, must be 0");
    sent.fill = 0;
    assert_ptr_equal(match_sent(&wire, &data, &sent, 0), NULL);
    sw_drill_wire_free(&wire);
}

/* IPv4 options, and the version, as packetdrill looks at them. */
static void test_ip_header(void **state)
{
    struct drill_packet packet = OUT(.flags = ACK, .seq = 1, ACKED(1));
    struct sent sent = {.flags = ACK, .seq = ISN + 1, .ack = 1};
    uint8_t bytes[64];
    struct drill_wire wire;
    struct drill_seen seen;
    char message[128];
    size_t length;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0);
    length = put_segment(bytes, 4, &sent);
    memmove(bytes + 24, bytes + 20, length - 20);
    memset(bytes + 20, 1, 4);
    bytes[0] = 0x46;
    put2(bytes + 2, (uint32_t)length + 4);
    put2(bytes + 10, 0);
    put2(bytes + 10, 65535 - plain_sum(0, bytes, 24));
    assert_true(sw_drill_dissect(&seen, bytes, length + 4, 0));
    assert_false(sw_drill_match(&wire, &packet, &seen, message, sizeof(message)));
    assert_string_equal(message, "length of IP options is 4, must be 0");

    length = put_segment(bytes, 6, &sent);
    assert_true(sw_drill_dissect(&seen, bytes, length, 0));
    assert_false(sw_drill_match(&wire, &packet, &seen, message, sizeof(message)));
    assert_memory_equal(message, "IP version is 6, must be 4", 26);
    sw_drill_wire_free(&wire);
}

/* The message is cut at the end of its room, whatever its size. */
static void test_small_rooms(void **state)
{
    struct drill_packet packet = OUT(.flags = FIN, .seq = 5, WINDOW(1), .payload_length = 9);
    struct sent sent = {.flags = ACK, .seq = ISN + 1, .ack = 1};
    uint8_t bytes[64];
    struct drill_wire wire;
    struct drill_seen seen;
    size_t length = put_segment(bytes, 4, &sent);

    (void)state;
    wire_init(&wire, 4);
    assert_true(sw_drill_dissect(&seen, bytes, length, 0));
    for (size_t size = 1; size < 60; size++) {
        char *message = malloc(size);

        assert_non_null(message);
        assert_false(sw_drill_match(&wire, &packet, &seen, message, size));
        assert_int_equal(strlen(message), size - 1);
        free(message);
    }
    assert_false(sw_drill_match(&wire, &packet, &seen, NULL, 0));
    sw_drill_wire_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_window_and_urgent),
        cmocka_unit_test(test_ports_and_protocol),
        cmocka_unit_test(test_ip),
        cmocka_unit_test(test_flow_label),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_leniency),
        cmocka_unit_test(test_ip_header),
        cmocka_unit_test(test_small_rooms),
    };

    return cmocka_run_group_tests_name("drill: match", tests, NULL, NULL);
}
