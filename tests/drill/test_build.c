/*
 * test_build.c - The script's '<' lines as bytes: every field, mapped numbers, flows, refusals.
 */
#include "test_match_support.h"

static const struct drill_tcp_option syn_options[] = {
    {.kind = 2, .val = 1000, .length = 4}, {.kind = 4, .length = 2}, {.kind = 1, .length = 1},
    {.kind = 3, .val = 7, .length = 3},    {.kind = 0, .length = 1}, {.kind = 0, .length = 1},
};

/* Options of a literal are not changed; the tree of a script is not const. */
#define TABLE_OF(array)                                                                            \
    .options = (struct drill_tcp_option *)(uintptr_t)(array),                                      \
    .option_count = sizeof(array) / sizeof((array)[0])

static uint32_t ip_length(const uint8_t *p)
{
    return p[0] >> 4 == 6 ? 40 : 20;
}

/* All sums of a packet that was built must come out as "all ones". */
static void check_sums(const uint8_t *p, size_t length)
{
    uint32_t ip = ip_length(p);
    uint8_t protocol = p[ip == 40 ? 6 : 9];

    if (ip == 20)
        assert_int_equal(plain_sum(0, p, 20), 65535);
    if (protocol == 1)
        assert_int_equal(plain_sum(0, p + ip, length - ip), 65535);
    else
        assert_int_equal(transport_sum(p, ip, length - ip, protocol), 65535);
}

static void test_syn_in_bytes(void **state)
{
    static const uint8_t expected[] = {
        0x45, 0,    0,    52,                   /* version, length */
        0,    0,    0,    0,                    /* id 0, no DF */
        255,  6,    0,    0,                    /* TTL, TCP, sum */
        192,  0,    2,    1,    192, 168, 0, 1, /* from the peer to the stack */
        0xc3, 0x50, 0x1f, 0x90,                 /* 50000 > 8080 */
        0,    0,    0,    0,    0,   0,   0, 0, /* seq, ack */
        0x80, 0x02, 0x80, 0x18, 0,   0,   0, 0, /* 32 bytes, SYN, window 32792 */
        2,    4,    0x03, 0xe8, 4,   2,   1, 3, 3, 7, 0, 0,
    };
    struct drill_wire wire;
    struct drill_packet syn = IN(.flags = SYN, .window = 32792, TABLE_OF(syn_options));
    uint8_t out[64];
    size_t length;

    (void)state;
    wire_init(&wire, SANWO_FAMILY_IPV4);
    length = build(&wire, &syn, out, sizeof(out));
    assert_int_equal(length, 52);
    check_sums(out, length);
    put2(out + 10, 0);
    put2(out + 36, 0);
    assert_memory_equal(out, expected, 52);
    sw_drill_wire_free(&wire);
}

/* A packet, and what its fields must be. */
static const struct {
    const char *name;
    struct drill_packet packet;
    uint8_t flags, ae, tos, ttl;
    uint16_t window, urgent;
    uint32_t label;
} field_rows[] = {
    {"all flags", {.flags = 0xff, .window_is_set = true}, 0xff, 0, 0, 255, 0, 0, 0},
    {"none", {.window_is_set = true}, 0, 0, 0, 255, 0, 0, 0},
    {"window", {.flags = ACK, WINDOW(65535)}, ACK, 0, 0, 255, 65535, 0, 0},
    {"urg",
     {.flags = ACK | URG, WINDOW(1), .urgent_is_set = true, .urgent = 513},
     ACK | URG,
     0,
     0,
     255,
     1,
     513,
     0},
    {"ae", {.flags = SYN | ECE | CWR, .ae = true, WINDOW(1)}, SYN | ECE | CWR, 1, 0, 255, 1, 0, 0},
    {"ace 5",
     {.flags = ACK, .ace_is_set = true, .ace = 5, WINDOW(1)},
     ACK | ECE,
     1,
     0,
     255,
     1,
     0,
     0},
    {"ace 2",
     {.flags = ACK, .ace_is_set = true, .ace = 2, WINDOW(1)},
     ACK | CWR,
     0,
     0,
     255,
     1,
     0,
     0},
    {"ect0",
     {.flags = ACK, WINDOW(1), .ip = {.tos_check = DRILL_TOS_ECN, .tos = 2}},
     ACK,
     0,
     2,
     255,
     1,
     0,
     0},
    {"ce",
     {.flags = ACK, WINDOW(1), .ip = {.tos_check = DRILL_TOS_ECN, .tos = 3}},
     ACK,
     0,
     3,
     255,
     1,
     0,
     0},
    {"tos",
     {.flags = ACK, WINDOW(1), .ip = {.tos_check = DRILL_TOS_BYTE, .tos = 0xb9}},
     ACK,
     0,
     0xb9,
     255,
     1,
     0,
     0},
    {"dscp",
     {.flags = ACK, WINDOW(1), .ip = {.tos_check = DRILL_TOS_DSCP, .tos = 0xb8}},
     ACK,
     0,
     0xb8,
     255,
     1,
     0,
     0},
    {"dscp and ect01",
     {.flags = ACK, WINDOW(1), .ip = {.tos_check = DRILL_TOS_DSCP_ECT01, .tos = 0xb8}},
     ACK,
     0,
     0xba,
     255,
     1,
     0,
     0},
    {"ttl", {.flags = ACK, WINDOW(1), .ip = {.ttl_is_set = true, .ttl = 1}}, ACK, 0, 0, 1, 1, 0, 0},
    {"flow label",
     {.flags = ACK, WINDOW(1), .ip = {.flow_label_is_set = true, .flow_label = 0xabcde}},
     ACK,
     0,
     0,
     255,
     1,
     0,
     0xabcde},
    {"reset without a window", {.flags = RST}, RST, 0, 0, 255, 0, 0, 0},
};

static void test_tcp_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(field_rows) / sizeof(field_rows[0]); i++)
        for (uint8_t family = 4; family <= 6; family += 2) {
            struct drill_wire wire;
            uint8_t out[128];
            size_t length, ip;
            bool right;

            wire_init(&wire, family);
            length = build(&wire, &field_rows[i].packet, out, sizeof(out));
            check_sums(out, length);
            ip = ip_length(out);
            right = length == ip + 20 && out[ip + 13] == field_rows[i].flags &&
                    out[ip + 12] == (0x50 | field_rows[i].ae) &&
                    get2(out + ip + 14) == field_rows[i].window &&
                    get2(out + ip + 18) == field_rows[i].urgent;
            if (family == 6)
                right = right && (get4(out) & 0xfffff) == field_rows[i].label &&
                        out[7] == field_rows[i].ttl &&
                        (get4(out) >> 20 & 0xff) == field_rows[i].tos && get2(out + 4) == 20;
            else
                right = right && out[1] == field_rows[i].tos && out[8] == field_rows[i].ttl;
            if (!right)
                fail_msg("%s, IPv%u: not as it should be", field_rows[i].name, family);
            sw_drill_wire_free(&wire);
        }
}

/* Script numbers to the wire's, where both spaces wrap: the peer's ISN is 0xfffffffe, the stack's ISN. */
static void test_numbers(void **state)
{
    static const struct {
        const char *name;
        struct drill_packet packet;
        uint32_t seq, ack;
    } rows[] = {
        {"relative", {.flags = ACK, .seq = 1, ACKED(1), WINDOW(1)}, 0xffffffff, ISN + 1},
        {"wrapped", {.flags = ACK, .seq = 1001, ACKED(101), WINDOW(1)}, 999, 0x55},
        {"below",
         {.flags = ACK, .seq = 0xffffffff, ACKED(0xfffffff0u), WINDOW(1)},
         0xfffffffd,
         ISN - 16},
        {"absolute",
         {.flags = ACK, .seq = 7, .seq_is_absolute = true, ACKED(1), WINDOW(1)},
         7,
         ISN + 1},
        {"absolute ack",
         {.flags = ACK, .seq = 1, ACKED(9), .ack_is_absolute = true, WINDOW(1)},
         0xffffffff,
         9},
        {"SYN: both absolute", {.flags = SYN | ACK, .seq = 70, ACKED(1), WINDOW(1)}, 70, ISN + 1},
        {"no ACK flag: as written", {.flags = RST, .seq = 1, ACKED(9), WINDOW(0)}, 0xffffffff, 9},
    };
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0xfffffffe);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[64];

        build(&wire, &rows[i].packet, out, sizeof(out));
        if (get4(out + 24) != rows[i].seq || get4(out + 28) != rows[i].ack)
            fail_msg("%s: seq %#x ack %#x", rows[i].name, get4(out + 24), get4(out + 28));
    }
    sw_drill_wire_free(&wire);
}

/* SACK blocks of the peer speak of the stack's space; more than 40 bytes are refused. */
static void test_sack(void **state)
{
    static const struct drill_tcp_option options[] = {
        {.kind = 1, .length = 1},
        {.kind = 1, .length = 1},
        {.kind = 5, .sack = {{11, 21}, {31, 41}}, .sack_count = 2, .length = 18},
    };
    static const struct drill_tcp_option long_options[] = {
        {.kind = 5, .sack_count = 4, .length = 34},
        {.kind = 8, .length = 10},
    };
    struct drill_packet packet =
        IN(.flags = ACK, .seq = 1, ACKED(1), .window = 9, TABLE_OF(options));
    struct drill_packet too_long = IN(.flags = RST, .seq = 1, TABLE_OF(long_options));
    struct drill_wire wire;
    uint8_t out[128];
    char message[128];

    (void)state;
    wire_init(&wire, 6);
    establish(&wire, 0);
    assert_int_equal(build(&wire, &packet, out, sizeof(out)), 40 + 20 + 20);
    assert_int_equal(out[52], 0xa0);
    assert_int_equal(get4(out + 60), 0x01010512);
    assert_int_equal(get4(out + 64), ISN + 11);
    assert_int_equal(get4(out + 68), ISN + 21);
    assert_int_equal(get4(out + 72), ISN + 31);
    assert_int_equal(get4(out + 76), ISN + 41);
    check_sums(out, 80);
    assert_int_equal(
        sw_drill_build(&wire, &too_long, 0, out, sizeof(out), message, sizeof(message)), 0);
    assert_string_equal(message, "the options take more than the 40 bytes that a header has");
    sw_drill_wire_free(&wire);
}

/* What the script's `ecr` becomes: the stack's timestamp that it stands for. */
static void test_echoed_timestamps(void **state)
{
    struct drill_tcp_option ts = {.kind = 8, .length = 10, .val = 5};
    struct drill_packet packet =
        IN(.flags = ACK, .seq = 1, ACKED(1), .window = 9, .options = &ts, .option_count = 1);
    struct drill_tcp_option sent_ts = {.kind = 8, .length = 10, .val = 100, .ecr = 5};
    struct drill_packet expected =
        OUT(.flags = ACK, .seq = 1, ACKED(1), .options = &sent_ts, .option_count = 1);
    struct sent sent = {
        .flags = ACK, .seq = ISN + 1, .ack = 1, .options = {8, 10}, .options_length = 12};
    struct drill_wire wire;
    uint8_t out[64];
    char message[160];

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0);
    ts.ecr = 100;
    assert_int_equal(sw_drill_build(&wire, &packet, 0, out, 64, message, sizeof(message)), 0);
    assert_string_equal(
        message, "ecr 100: the stack sent no timestamp before; `ecr 100!` is the number itself");
    ts.absolute_ecr = true;
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 42), 5);
    assert_int_equal(get4(out + 46), 100);
    ts.absolute_ecr = false;

    put4(sent.options + 2, 0xfffffff0);
    put4(sent.options + 6, 5);
    assert_ptr_equal(match_sent(&wire, &expected, &sent, 0), NULL);
    sent_ts.val = 200;
    put4(sent.options + 2, 0xfffffff7); /* as it is without a tick: any value */
    assert_ptr_equal(match_sent(&wire, &expected, &sent, 0), NULL);
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 46), 0xfffffff0);
    ts.ecr = 200;
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 46), 0xfffffff7);
    ts.ecr = 130; /* never sent: thirty after the first one, which wraps */
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 46), 14);
    ts.ecr = 0;
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 46), 0);
    packet.flags = RST; /* without ACK it is no echo */
    ts.ecr = 100;
    build(&wire, &packet, out, sizeof(out));
    assert_int_equal(get4(out + 46), 100);
    sw_drill_wire_free(&wire);
}

/* Options to the letter: odd lengths are padded, a wrong length byte is sent, experiments have a number. */
static void test_odd_options(void **state)
{
    static const struct {
        struct drill_tcp_option option;
        uint8_t bytes[12];
        uint8_t length;
    } rows[] = {
        {{.kind = 3, .val = 14, .length = 3}, {3, 3, 14, 0}, 4},
        {{.kind = 0x1f, .as_bytes = true, .data = {1, 2, 3}, .data_length = 3, .length = 5},
         {31, 5, 1, 2, 3},
         8},
        {{.kind = 31, .as_bytes = true, .length = 40, .data = {1}, .data_length = 1},
         {31, 40, 1},
         4},
        {{.kind = 1, .as_bytes = true, .data = {7, 7}, .data_length = 2, .length = 4},
         {1, 4, 7, 7},
         4},
        {{.kind = 34, .data = {0xaa, 0xbb, 0xcc, 0xdd}, .data_length = 4, .length = 6},
         {34, 6, 0xaa, 0xbb, 0xcc, 0xdd},
         8},
        {{.kind = 254,
          .experimental = true,
          .exid = 0xf989,
          .data = {9},
          .data_length = 1,
          .length = 5},
         {254, 5, 0xf9, 0x89, 9},
         8},
        {{.kind = 172, .data = {0, 0, 1, 0, 0, 2}, .data_length = 6, .length = 8},
         {172, 8, 0, 0, 1, 0, 0, 2},
         8},
        {{.kind = 8, .val = 1, .ecr = 2, .absolute_ecr = true, .length = 10},
         {8, 10, 0, 0, 0, 1, 0, 0, 0, 2},
         12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct drill_tcp_option option = rows[i].option;
        struct drill_packet packet =
            IN(.flags = ACK, .options = &option, .option_count = 1, .payload_length = 3);
        struct drill_wire wire;
        uint8_t out[64];
        size_t length;

        wire_init(&wire, 4);
        memset(out, 0xee, sizeof(out));
        length = build(&wire, &packet, out, sizeof(out));
        assert_int_equal(length, 43u + rows[i].length);
        assert_int_equal(out[32] >> 4, 5 + rows[i].length / 4);
        assert_memory_equal(out + 40, rows[i].bytes, rows[i].length);
        for (size_t at = 40u + rows[i].length; at < length; at++)
            assert_int_equal(out[at], 0); /* the payload */
        check_sums(out, length);
        sw_drill_wire_free(&wire);
    }
}

/* Builds a segment with these ports and returns those on the wire as (source << 16 | destination). */
static uint32_t ports_of(struct drill_wire *wire, uint16_t source, uint16_t destination,
                         uint8_t flags)
{
    struct drill_packet packet =
        IN(.flags = flags, .source_port = source, .destination_port = destination);
    uint8_t out[64];

    build(wire, &packet, out, sizeof(out));
    return get4(out + 20);
}

static void test_flows(void **state)
{
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    assert_int_equal(ports_of(&wire, 0, 0, SYN), 50000u << 16 | 8080);
    assert_int_equal(ports_of(&wire, 0, 0, ACK), 50000u << 16 | 8080);
    assert_int_equal(ports_of(&wire, 0, 0, SYN), 50000u << 16 | 8080); /* the same again */
    /* Ports that are named: a flow of its own, which does not become the one without ports. */
    assert_int_equal(ports_of(&wire, 1111, 8080, SYN), 1111u << 16 | 8080);
    assert_int_equal(ports_of(&wire, 0, 0, ACK), 50000u << 16 | 8080);
    assert_int_equal(ports_of(&wire, 2222, 0, SYN), 2222u << 16 | 8080);
    assert_int_equal(wire.flow_count, 3);
    /* A new listener: the next segment opens a flow to it, and later ones are of that one. */
    sw_drill_wire_listen(&wire, 9090);
    assert_int_equal(ports_of(&wire, 0, 0, SYN), 50001u << 16 | 9090);
    assert_int_equal(ports_of(&wire, 0, 0, ACK), 50001u << 16 | 9090);
    /* More than there is room for: the one not used for longest goes. */
    for (uint16_t port = 1; port <= DRILL_FLOWS_MAX; port++) {
        ports_of(&wire, port, 80, SYN);
        ports_of(&wire, 0, 0, ACK);
    }
    assert_int_equal(wire.flow_count, DRILL_FLOWS_MAX);
    assert_int_equal(ports_of(&wire, 0, 0, ACK), 50001u << 16 | 9090);
    sw_drill_wire_free(&wire);
    assert_int_equal(wire.flow_count, 0);

    /* The first is spared too if it is in use. */
    wire_init(&wire, 4);
    establish(&wire, 0);
    for (uint16_t port = 1; port <= DRILL_FLOWS_MAX; port++) {
        ports_of(&wire, port, 80, SYN);
        assert_int_equal(ports_of(&wire, 0, 0, ACK), 50000u << 16 | 8080);
    }
    sw_drill_wire_free(&wire);

    /* Nothing set: 8080 at both ends. A port that is taken is passed over. */
    sw_drill_wire_init(&wire);
    wire.local.address = stack_address(4);
    wire.remote.address = peer_address(4);
    assert_int_equal(ports_of(&wire, 8080, 8080, SYN), 8080u << 16 | 8080);
    sw_drill_wire_listen(&wire, 0);
    assert_int_equal(ports_of(&wire, 0, 0, SYN), 8081u << 16 | 8080);
    sw_drill_wire_free(&wire);
}

static void test_udp(void **state)
{
    struct drill_packet packet =
        IN(.protocol = DRILL_UDP, .payload_length = 9, .source_port = 53, .destination_port = 99);

    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct drill_wire wire;
        uint8_t out[80];
        size_t ip = family == 6 ? 40 : 20;

        wire_init(&wire, family);
        memset(out, 0xee, sizeof(out));
        assert_int_equal(build(&wire, &packet, out, sizeof(out)), ip + 17);
        check_sums(out, ip + 17);
        assert_int_equal(out[family == 6 ? 6 : 9], 17);
        assert_int_equal(get4(out + ip), 53u << 16 | 99);
        assert_int_equal(get2(out + ip + 4), 17);
        for (size_t i = ip + 8; i < ip + 17; i++)
            assert_int_equal(out[i], 0);
        sw_drill_wire_free(&wire);
    }
}

/* A sum that comes out as zero is sent as all ones: RFC 768. */
static void test_udp_sum_of_zero(void **state)
{
    struct drill_wire wire;
    unsigned found = 0;

    (void)state;
    wire_init(&wire, 4);
    for (uint32_t port = 1; port < 65536; port++) {
        struct drill_packet packet =
            IN(.protocol = DRILL_UDP, .source_port = (uint16_t)port, .destination_port = 1);
        uint8_t out[64];

        build(&wire, &packet, out, sizeof(out));
        assert_int_not_equal(get2(out + 26), 0);
        found += get2(out + 26) == 0xffff;
    }
    assert_int_equal(found, 1);
    sw_drill_wire_free(&wire);
}

static void test_refusals(void **state)
{
    const struct {
        const char *message;
        struct drill_packet packet;
    } rows[] = {
        {"an inbound segment needs a window", {.flags = ACK}},
        {"an inbound segment needs a sequence number",
         {.flags = ACK, .window_is_set = true, .seq_is_any = true}},
        {"an inbound segment needs its options in full",
         {.flags = ACK, .window_is_set = true, .any_options = true}},
        {"a packet of 65536 bytes is too long",
         {.flags = ACK, .window_is_set = true, .payload_length = 65496}},
        {"a packet of 4294967315 bytes is too long",
         {.flags = ACK, .window_is_set = true, .payload_length = 0xffffffff}},
        {"a packet of 65543 bytes is too long", {.protocol = DRILL_UDP, .payload_length = 65515}},
        {"unsupported: encapsulation (gre:)", {.flags = ACK, .encapsulation = (char[]){"gre:"}}},
        {"unsupported: TCP in UDP", {.flags = ACK, .udp_encapsulated = true}},
        {"unsupported: this protocol", {.protocol = 9}},
        {"\"nonsense\" is no type of ICMP for IPv4",
         {.protocol = DRILL_ICMP, .icmp_type = (char[]){"nonsense"}}},
        {"\"no_route\" is no code of ICMP unreachable for IPv4",
         {.protocol = DRILL_ICMP,
          .icmp_type = (char[]){"unreachable"},
          .icmp_code = (char[]){"no_route"}}},
        {"only \"unreachable frag_needed\" has an MTU",
         {.protocol = DRILL_ICMP, .icmp_type = (char[]){"redirect"}, .mtu_is_set = true}},
        {"an ICMP packet needs a type", {.protocol = DRILL_ICMP}},
        {"an ICMP message of 70000 bytes is too long",
         {.protocol = DRILL_ICMP,
          .icmp_type = (char[]){"echo_request"},
          .quoted_protocol = 255,
          .quoted_length = 70000}},
    };
    static uint8_t out[DRILL_PACKET_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct drill_wire wire;
        char message[160];

        wire_init(&wire, 4);
        assert_int_equal(
            sw_drill_build(&wire, &rows[i].packet, 0, out, sizeof(out), message, sizeof(message)),
            0);
        assert_string_equal(message, rows[i].message);
        sw_drill_wire_free(&wire);
    }
}

/* However small the room, nothing is written behind it, and the message is terminated. */
static void test_small_rooms(void **state)
{
    struct drill_packet packets[] = {
        IN(.flags = SYN, .payload_length = 5, TABLE_OF(syn_options)),
        IN(.protocol = DRILL_UDP, .payload_length = 5),
        IN(.protocol = DRILL_ICMP, .icmp_type = (char[]){"time_exceeded"}),
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t size = 0; size < 600; size++) {
            struct drill_wire wire;
            uint8_t *out = malloc(size ? size : 1);
            char message[5];
            size_t length;

            assert_non_null(out);
            wire_init(&wire, 4);
            length = sw_drill_build(&wire, &packets[i], 0, out, size, message, sizeof(message));
            assert_true(length <= size);
            assert_int_equal(length == 0, message[0] != '\0');
            assert_true(strlen(message) < sizeof(message));
            if (length > 0)
                check_sums(out, length);
            free(out);
            sw_drill_wire_free(&wire);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syn_in_bytes),
        cmocka_unit_test(test_tcp_fields),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_sack),
        cmocka_unit_test(test_echoed_timestamps),
        cmocka_unit_test(test_odd_options),
        cmocka_unit_test(test_flows),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_udp_sum_of_zero),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_small_rooms),
    };

    return cmocka_run_group_tests_name("drill: build", tests, NULL, NULL);
}
