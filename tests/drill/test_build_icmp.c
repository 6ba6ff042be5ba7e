/*
 * test_build_icmp.c - ICMP and ICMPv6 by the script's names, both ways: what is quoted, and what matches.
 */
#include "test_match_support.h"

#define NAMED(type, code)                                                                          \
    .protocol = DRILL_ICMP, .icmp_type = (char *)(uintptr_t)(type),                                \
    .icmp_code = (char *)(uintptr_t)(code)

struct names {
    const char *type, *code;
    uint8_t type_number, code_number;
};

static const struct names names4[] = {
    {"unreachable", "net_unreachable", 3, 0},
    {"unreachable", "host_unreachable", 3, 1},
    {"unreachable", "protocol_unreachable", 3, 2},
    {"unreachable", "port_unreachable", 3, 3},
    {"unreachable", "frag_needed", 3, 4},
    {"unreachable", "source_route_failed", 3, 5},
    {"unreachable", "net_unknown", 3, 6},
    {"unreachable", "host_unknown", 3, 7},
    {"unreachable", "source_host_isolated", 3, 8},
    {"unreachable", "net_prohibited", 3, 9},
    {"unreachable", "host_prohibited", 3, 10},
    {"unreachable", "net_unreachable_for_tos", 3, 11},
    {"unreachable", "host_unreachable_for_tos", 3, 12},
    {"unreachable", "packet_filtered", 3, 13},
    {"unreachable", "precedence_violation", 3, 14},
    {"unreachable", "precedence_cutoff", 3, 15},
    {"unreachable", "code_99", 3, 99},
    {"source_quench", NULL, 4, 0},
    {"redirect", "code_1", 5, 1},
    {"echo_request", NULL, 8, 0},
    {"echo_reply", NULL, 0, 0},
    {"time_exceeded", NULL, 11, 0},
    {"parameter_problem", NULL, 12, 0},
    {"type_200", "code_7", 200, 7},
};

static const struct names names6[] = {
    {"unreachable", "no_route", 1, 0},
    {"unreachable", "admin_prohibited", 1, 1},
    {"unreachable", "not_neighbour", 1, 2},
    {"unreachable", "address_unreachable", 1, 3},
    {"unreachable", "port_unreachable", 1, 4},
    {"packet_too_big", NULL, 2, 0},
    {"time_exceeded", "exceeded_hop_limit", 3, 0},
    {"time_exceeded", "exceeded_frag_time", 3, 1},
    {"parameter_problem", "header_field", 4, 0},
    {"parameter_problem", "unknown_next_header", 4, 1},
    {"parameter_problem", "unknown_option", 4, 2},
    {"echo_request", NULL, 128, 0},
    {"echo_reply", NULL, 129, 0},
};

static bool names_are_right(uint8_t family, const struct names *row)
{
    struct drill_packet packet = IN(NAMED(row->type, row->code));
    struct drill_wire wire;
    uint8_t out[1300];
    size_t ip = family == 6 ? 40 : 20, length;
    uint32_t sum;

    wire_init(&wire, family);
    establish(&wire, 0);
    length = build(&wire, &packet, out, sizeof(out));
    sum =
        family == 6 ? transport_sum(out, ip, length - ip, 58) : plain_sum(0, out + ip, length - ip);
    sw_drill_wire_free(&wire);
    return out[ip] == row->type_number && out[ip + 1] == row->code_number && sum == 65535 &&
           out[family == 6 ? 6 : 9] == (family == 6 ? 58 : 1);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names4) / sizeof(names4[0]); i++)
        if (!names_are_right(4, &names4[i]))
            fail_msg("%s %s", names4[i].type, names4[i].code);
    for (size_t i = 0; i < sizeof(names6) / sizeof(names6[0]); i++)
        if (!names_are_right(6, &names6[i]))
            fail_msg("%s %s", names6[i].type, names6[i].code);
}

/* The packet of the stack that is quoted at @q: its addresses and ports, the sequence number, the length. */
static void check_quoted(const uint8_t *q, uint8_t family, uint32_t seq, uint32_t payload)
{
    struct sanwo_address from = stack_address(family), to = peer_address(family);
    size_t ip = family == 6 ? 40 : 20, width = family == 6 ? 16 : 4;

    assert_int_equal(q[0] >> 4, family);
    assert_int_equal(q[family == 6 ? 6 : 9], 6);
    assert_memory_equal(q + ip - 2 * width, from.bytes, width);
    assert_memory_equal(q + ip - width, to.bytes, width);
    assert_int_equal(get2(q + (family == 6 ? 4 : 2)), 20 + payload + (family == 6 ? 0 : 20));
    if (family == 4)
        assert_int_equal(plain_sum(0, q, 20), 65535);
    assert_int_equal(get4(q + ip), LOCAL_PORT << 16 | PEER_PORT);
    assert_int_equal(get4(q + ip + 4), seq);
    assert_int_equal(q[ip + 12], 0x50);
}

static void test_quoted_segment(void **state)
{
    struct drill_packet given = IN(NAMED("type_3", NULL), .quoted_protocol = 6,
                                   .quoted_is_set = true, .quoted_seq = 101, .quoted_length = 10);
    struct drill_packet last = IN(NAMED("type_3", NULL));
    struct drill_packet data = OUT(.flags = ACK, .seq = 21, ACKED(1), .payload_length = 1000);
    struct sent sent = {.flags = ACK, .seq = ISN + 21, .ack = 1, .length = 1000};

    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t ip = family == 6 ? 40 : 20, length;
        struct drill_wire wire;
        uint8_t out[1300];

        wire_init(&wire, family);
        establish(&wire, 0);
        length = build(&wire, &given, out, sizeof(out));
        assert_int_equal(length, 2 * ip + 8 + 20 + 10);
        check_quoted(out + ip + 8, family, ISN + 101, 10); /* in the stack's space, wrapped */

        /* Without numbers: what the stack sent last, so far the SYN-ACK. */
        length = build(&wire, &last, out, sizeof(out));
        assert_int_equal(length, 2 * ip + 8 + 20);
        check_quoted(out + ip + 8, family, ISN, 0);
        assert_ptr_equal(match_sent(&wire, &data, &sent, 0), NULL);
        length = build(&wire, &last, out, sizeof(out));
        assert_int_equal(length,
                         family == 6 ? 40 + 8 + 40 + 20 + 1000 : 576); /* RFC 1812 4.3.2.3 */
        check_quoted(out + ip + 8, family, ISN + 21, 1000);

        /* A length that no packet has: cut, nothing overflows. */
        given.quoted_length = 0xffffffff;
        length = build(&wire, &given, out, sizeof(out));
        assert_int_equal(length, family == 6 ? 1280 : 576);
        assert_int_equal(get2(out + ip + 8 + (family == 6 ? 4 : 2)), family == 6 ? 65495 : 65535);
        given.quoted_length = 10;
        sw_drill_wire_free(&wire);
    }
}

/* Without a flow the ports of the run are quoted; UDP is quoted with its length. */
static void test_quoted_otherwise(void **state)
{
    struct drill_packet none = IN(NAMED("unreachable", "port_unreachable"));
    struct drill_packet udp =
        IN(NAMED("unreachable", "port_unreachable"), .quoted_protocol = 17, .quoted_length = 100);
    struct drill_wire wire;
    uint8_t out[600];

    (void)state;
    wire_init(&wire, 4);
    assert_int_equal(build(&wire, &none, out, sizeof(out)), 68);
    assert_int_equal(get4(out + 48), LOCAL_PORT << 16 | 8080);
    assert_int_equal(build(&wire, &udp, out, sizeof(out)), 20 + 8 + 20 + 8 + 100);
    assert_int_equal(out[28 + 9], 17);
    assert_int_equal(get2(out + 48 + 4), 108);
    sw_drill_wire_free(&wire);
}

static void test_second_word(void **state)
{
    struct drill_packet mtu4 =
        IN(NAMED("unreachable", "frag_needed"), .mtu_is_set = true, .mtu = 1400);
    struct drill_packet mtu6 = IN(NAMED("packet_too_big", NULL), .mtu_is_set = true, .mtu = 70000);
    struct drill_packet echo = IN(NAMED("echo_request", NULL), .id_is_set = true, .icmp_id = 0x1234,
                                  .quoted_protocol = 255, .quoted_length = 64);
    struct drill_wire wire;
    uint8_t out[1300];
    char message[80];

    (void)state;
    wire_init(&wire, 4);
    build(&wire, &mtu4, out, sizeof(out));
    assert_int_equal(get4(out + 24), 1400);
    assert_int_equal(build(&wire, &echo, out, sizeof(out)), 20 + 64);
    assert_int_equal(get4(out + 24), 0x12340000);
    mtu4.mtu = 65536;
    assert_int_equal(sw_drill_build(&wire, &mtu4, 0, out, sizeof(out), message, sizeof(message)),
                     0);
    assert_string_equal(message, "an MTU of IPv4 is at most 65535");
    wire_init(&wire, 6);
    build(&wire, &mtu6, out, sizeof(out));
    assert_int_equal(get4(out + 44), 70000);
    assert_int_equal(sw_drill_build(&wire, &mtu4, 0, out, sizeof(out), message, sizeof(message)),
                     0);
    assert_string_equal(message, "\"frag_needed\" is no code of ICMP unreachable for IPv6");
}

/* An ICMP message of the stack: type, code and rest, and @length bytes behind them. */
static const char *match_icmp(struct drill_wire *wire, const struct drill_packet *packet,
                              uint8_t type, uint8_t code, uint32_t rest, size_t length,
                              char *seen_text)
{
    static char message[160];
    const struct sent sent = {.ttl = 64};
    uint8_t bytes[256] = {0};
    size_t ip = put_ip_header(bytes, wire->family, wire->family == 6 ? 58 : 1, 8 + length, &sent);
    struct drill_seen seen;
    uint32_t sum;

    bytes[ip] = type;
    bytes[ip + 1] = code;
    put4(bytes + ip + 4, rest);
    sum = wire->family == 6 ? transport_sum(bytes, ip, 8 + length, 58)
                            : plain_sum(0, bytes + ip, 8 + length);
    put2(bytes + ip + 2, 65535 - sum);
    assert_true(sw_drill_dissect(&seen, bytes, ip + 8 + length, 0));
    sw_drill_format_seen(wire, &seen, seen_text, 80);
    return sw_drill_match(wire, packet, &seen, message, sizeof(message)) ? NULL : message;
}

static void test_icmp_of_the_stack(void **state)
{
    struct drill_packet reply = OUT(NAMED("echo_reply", NULL), .id_is_set = true, .icmp_id = 7,
                                    .quoted_protocol = 255, .quoted_length = 64);
    struct drill_packet refusal = OUT(NAMED("unreachable", "port_unreachable"));
    struct drill_packet too_big =
        OUT(NAMED("packet_too_big", NULL), .mtu_is_set = true, .mtu = 1280);
    struct drill_packet nonsense = OUT(NAMED("nonsense", NULL));
    struct drill_wire wire;
    char text[80];

    (void)state;
    wire_init(&wire, 4);
    assert_ptr_equal(match_icmp(&wire, &reply, 0, 0, 7 << 16 | 3, 56, text), NULL);
    assert_string_equal(text, "icmp echo_reply id 7 [raw (64)]");
    assert_string_equal(match_icmp(&wire, &reply, 0, 0, 8 << 16, 55, text),
                        "id is 8, must be 7; length of the ICMP message is 63, must be 64");
    assert_ptr_equal(match_icmp(&wire, &refusal, 3, 3, 0, 28, text), NULL);
    assert_string_equal(text, "icmp unreachable port_unreachable [raw (36)]");
    assert_string_equal(match_icmp(&wire, &refusal, 3, 4, 1400, 28, text),
                        "ICMP is unreachable frag_needed, must be unreachable port_unreachable");
    assert_string_equal(text, "icmp unreachable frag_needed mtu 1400 [raw (36)]");
    assert_string_equal(match_icmp(&wire, &nonsense, 3, 4, 0, 0, text),
                        "\"nonsense\" is no type of ICMP for IPv4");
    wire_init(&wire, 6);
    assert_ptr_equal(match_icmp(&wire, &refusal, 1, 4, 0, 48, text), NULL);
    assert_ptr_equal(match_icmp(&wire, &too_big, 2, 0, 1280, 48, text), NULL);
    assert_string_equal(match_icmp(&wire, &too_big, 2, 0, 1281, 48, text),
                        "mtu is 1281, must be 1280");
    assert_string_equal(match_icmp(&wire, &too_big, 200, 9, 0, 0, text),
                        "ICMP is type_200 code_9, must be packet_too_big; mtu is 0, must be 1280");
}

/* UDP: the length is compared, and the flow is the one of these ports. */
static void test_udp_of_the_stack(void **state)
{
    struct drill_packet packet = OUT(.protocol = DRILL_UDP, .payload_length = 4);
    struct drill_packet answer = IN(.protocol = DRILL_UDP, .payload_length = 1);
    const struct sent sent = {.ttl = 64};
    uint8_t bytes[64], out[64];
    char message[80];
    struct drill_wire wire;
    struct drill_seen seen;

    (void)state;
    wire_init(&wire, 4);
    put_ip_header(bytes, 4, 17, 12, &sent);
    memcpy(bytes + 20, "\x12\x34\0\x35\0\x0c\0\0data", 12);
    put2(bytes + 26, 65535 - transport_sum(bytes, 20, 12, 17));
    assert_true(sw_drill_dissect(&seen, bytes, 32, 0));
    assert_true(sw_drill_match(&wire, &packet, &seen, message, sizeof(message)));
    sw_drill_format_seen(&wire, &seen, message, sizeof(message));
    assert_string_equal(message, "udp (4)");
    packet.payload_length = 5;
    assert_false(sw_drill_match(&wire, &packet, &seen, message, sizeof(message)));
    assert_string_equal(message, "payload length is 4, must be 5");
    build(&wire, &answer, out, sizeof(out));
    assert_int_equal(get4(out + 20), 0x35u << 16 | 0x1234);
    sw_drill_wire_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_quoted_segment),
        cmocka_unit_test(test_quoted_otherwise),
        cmocka_unit_test(test_second_word),
        cmocka_unit_test(test_icmp_of_the_stack),
        cmocka_unit_test(test_udp_of_the_stack),
    };

    return cmocka_run_group_tests_name("drill: icmp", tests, NULL, NULL);
}
