/*
 * test_match_flows.c - What packets teach of a flow: ISNs of every kind of opening, ports begun anew,
 * timestamps, cookies; and which packets concern which line of a script.
 */
#include "test_match_support.h"

static void send_in(struct drill_wire *wire, const struct drill_packet *packet, uint32_t seq,
                    uint32_t ack)
{
    uint8_t out[128];
    size_t ip = wire->family == 6 ? 40 : 20;

    build(wire, packet, out, sizeof(out));
    assert_int_equal(get4(out + ip + 4), seq);
    assert_int_equal(get4(out + ip + 8), ack);
}

static void see_out(struct drill_wire *wire, const struct drill_packet *packet,
                    const struct sent *sent, const char *expected)
{
    const char *message = match_sent(wire, packet, sent, 0);

    if (expected == NULL && message != NULL)
        fail_msg("must match: %s", message);
    if (expected != NULL)
        assert_string_equal(message ? message : "right", expected);
}

/* The stack opens from a port of its own choice; the script calls its ISN 500, the peer's 7000. */
static void test_active_open(void **state)
{
    struct drill_packet syn = OUT(.flags = SYN, .seq = 500),
                        data = OUT(.flags = ACK, .seq = 1, ACKED(1));
    struct drill_packet answer = IN(.flags = SYN | ACK, .seq = 7000, ACKED(501));
    struct drill_packet next = IN(.flags = ACK, .seq = 1, ACKED(1));
    struct sent sent = {.flags = SYN, .seq = ISN, .source = 33333, .destination = 8080};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    see_out(&wire, &syn, &sent, NULL);
    see_out(&wire, &syn, &sent, NULL); /* sent again */
    send_in(&wire, &answer, 7000, ISN + 1);
    sent = (struct sent){
        .flags = ACK, .seq = ISN + 1, .ack = 7001, .source = 33333, .destination = 8080};
    see_out(&wire, &data, &sent, NULL);
    send_in(&wire, &next, 7001, ISN + 1); /* to that port, though the script names none */
    sent = (struct sent){.flags = SYN, .seq = ISN + 5, .source = 33333, .destination = 8080};
    see_out(&wire, &syn, &sent, "seq is 505, must be 500"); /* another ISN on a living flow */
    assert_int_equal(wire.flow_count, 1);
    /* A second connection, from another port: packets without ports are of that one from now on. */
    sent = (struct sent){.flags = SYN, .seq = 42, .source = 33334, .destination = 8080};
    see_out(&wire, &syn, &sent, NULL);
    send_in(&wire, &answer, 7000, 43);
    assert_int_equal(wire.flow_count, 2);
    sw_drill_wire_free(&wire);
}

static void test_simultaneous_open(void **state)
{
    struct drill_packet syn = OUT(.flags = SYN), crossing = IN(.flags = SYN, .seq = 300);
    struct drill_packet syn_ack = OUT(.flags = SYN | ACK, ACKED(301));
    struct drill_packet theirs = IN(.flags = SYN | ACK, .seq = 300, ACKED(1));
    struct drill_packet data = OUT(.flags = ACK, .seq = 1, ACKED(1));
    struct sent sent = {.flags = SYN, .seq = ISN};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 6);
    see_out(&wire, &syn, &sent, NULL);
    send_in(&wire, &crossing, 300, 0);
    sent = (struct sent){.flags = SYN | ACK, .seq = ISN, .ack = 301};
    see_out(&wire, &syn_ack, &sent, NULL);
    send_in(&wire, &theirs, 300, ISN + 1);
    sent = (struct sent){.flags = ACK, .seq = ISN + 1, .ack = 301};
    see_out(&wire, &data, &sent, NULL);
    sw_drill_wire_free(&wire);
}

/* No SYN at all: numbers are those of the wire, and resets are RFC 9293 3.10.7.1's two forms. */
static void test_mid_air(void **state)
{
    struct drill_packet stray = IN(.flags = ACK, .seq = 10, ACKED(20)),
                        syn = IN(.flags = SYN, .seq = 900);
    struct drill_packet reset = OUT(.flags = RST, .seq = 20),
                        refusal = OUT(.flags = RST | ACK, ACKED(1));
    struct sent sent = {.flags = RST, .seq = 20};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    send_in(&wire, &stray, 10, 20);
    see_out(&wire, &reset, &sent, NULL);
    sent.seq = 21;
    see_out(&wire, &reset, &sent, "seq is 21, must be 20");
    send_in(&wire, &syn, 900, 0);
    sent = (struct sent){.flags = RST | ACK, .seq = 0, .ack = 901};
    see_out(&wire, &refusal, &sent, NULL);
    sent.ack = 902;
    see_out(&wire, &refusal, &sent, "ack is 2, must be 1");
    sw_drill_wire_free(&wire);
}

/* A SYN on a living flow teaches nothing until the stack takes it as a new beginning. */
static void test_syn_again(void **state)
{
    struct drill_packet intruder = IN(.flags = SYN, .seq = 40000);
    struct drill_packet challenge = OUT(.flags = ACK, .seq = 1, ACKED(1));
    struct drill_packet data = IN(.flags = ACK, .seq = 1, ACKED(1));
    struct drill_packet taken = OUT(.flags = SYN | ACK, .seq = 0, ACKED(40001));
    struct sent ack = {.flags = ACK, .seq = ISN + 1, .ack = 1001};
    struct sent anew = {.flags = SYN | ACK, .seq = 777, .ack = 40001};
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 1000);
    send_in(&wire, &intruder, 40000, 0);
    see_out(&wire, &challenge, &ack, NULL);
    send_in(&wire, &data, 1001, ISN + 1);
    send_in(&wire, &intruder, 40000, 0);
    anew.ack = 40002;
    see_out(&wire, &taken, &anew, "seq is 793, must be 0; ack is 40002, must be 40001");
    anew.ack = 40001;
    see_out(&wire, &taken, &anew, NULL);
    send_in(&wire, &data, 40001, 778);
    sw_drill_wire_free(&wire);
}

/* SYN-ACKs that answer the same SYN must have the same ISN; after a reset another is right. */
static void test_isn_of_second_answer(void **state)
{
    struct drill_packet syn = IN(.flags = SYN, .seq = 5), reset = IN(.flags = RST, .seq = 1);
    struct drill_packet answer = OUT(.flags = SYN | ACK, ACKED(6));
    struct drill_packet data = IN(.flags = ACK, .seq = 1, ACKED(1));
    struct sent first = {.flags = SYN | ACK, .seq = ISN, .ack = 6}, second = first;
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    send_in(&wire, &syn, 5, 0);
    see_out(&wire, &answer, &first, NULL);
    send_in(&wire, &syn, 5, 0);
    see_out(&wire, &answer, &first, NULL);
    second.seq = ISN + 8;
    see_out(&wire, &answer, &second, "seq is 8, must be 0");
    send_in(&wire, &reset, 6, 0);
    send_in(&wire, &syn, 5, 0);
    see_out(&wire, &answer, &second, NULL);
    send_in(&wire, &data, 6, ISN + 9);
    sw_drill_wire_free(&wire);
}

/* The stack's connection from a port of its own is over: a SYN without ports is for the listener. */
static void test_listener_after_active(void **state)
{
    struct drill_packet syn = OUT(.flags = SYN), reset = IN(.flags = RST | ACK, ACKED(1));
    struct drill_packet open = IN(.flags = SYN);
    struct sent sent = {.flags = SYN, .seq = ISN, .source = 33333, .destination = 8080};
    uint8_t out[64];
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    see_out(&wire, &syn, &sent, NULL);
    build(&wire, &open, out, sizeof(out)); /* simultaneous open: the flow lives */
    assert_int_equal(get4(out + 20), 8080u << 16 | 33333);
    send_in(&wire, &reset, 0, ISN + 1);
    build(&wire, &open, out, sizeof(out));
    assert_int_equal(get4(out + 20), 50000u << 16 | 8080);
    sw_drill_wire_free(&wire);
}

/* A timestamp of the stack at 100 ms by its own clock of 1 ms; the script's clock begins at 5000. */
static void test_timestamps(void **state)
{
    static const struct {
        uint32_t script_val, live_val, ecr;
        sanwo_time tick;
        bool any_val;
        const char *message;
    } rows[] = {
        {5000, 0xffffffff, 7, SANWO_MSEC(1), false, NULL}, /* the first: whatever it is */
        {5010, 9, 7, SANWO_MSEC(1), false, NULL},          /* ten later, wrapped */
        {5014, 9, 7, SANWO_MSEC(1), false, NULL},          /* four off: the tolerance */
        {5006, 9, 7, SANWO_MSEC(1), false, NULL},
        {5015, 9, 7, SANWO_MSEC(1), false, "TS val is 5010, must be 5015"},
        {5005, 9, 7, SANWO_MSEC(1), false, "TS val is 5010, must be 5005"},
        {5011, 9, 7, SANWO_MSEC(5), false,
         "TS val is 5010, must be 5011"},        /* one tick is too much */
        {4000, 9, 7, 0, false, NULL},            /* no tick: free */
        {4000, 9, 7, SANWO_MSEC(1), true, NULL}, /* val ... */
        {5010, 9, 8, SANWO_MSEC(1), false,
         "options are <nop,nop,TS val 5010 ecr 8>, must be <nop,nop,TS val 5010 ecr 7>"},
    };
    struct drill_wire wire;

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct drill_tcp_option options[] = {
            {.kind = 1, .length = 1},
            {.kind = 1, .length = 1},
            {.kind = 8,
             .length = 10,
             .val = rows[i].script_val,
             .any_val = rows[i].any_val,
             .ecr = 7},
        };
        struct drill_packet packet = OUT(.flags = ACK, .seq = 1, ACKED(1), OPTIONS(options));
        struct sent sent = {
            .flags = ACK, .seq = ISN + 1, .ack = 1, .options = {1, 1, 8, 10}, .options_length = 12};

        put4(sent.options + 4, rows[i].live_val);
        put4(sent.options + 8, rows[i].ecr);
        wire.ts_tick = rows[i].tick;
        see_out(&wire, &packet, &sent, rows[i].message);
        if (i == 9) {
            wire.any_ecr = true;
            see_out(&wire, &packet, &sent, NULL);
        }
    }
    sw_drill_wire_free(&wire);
}

/* Of thousands of timestamps the last ones are known exactly, older ones by the clock. */
static void test_many_timestamps(void **state)
{
    struct drill_tcp_option ts = {.kind = 8, .length = 10};
    struct drill_packet out =
        OUT(.flags = ACK, .seq = 1, ACKED(1), .options = &ts, .option_count = 1);
    struct drill_packet in =
        IN(.flags = ACK, .seq = 1, ACKED(1), .options = &ts, .option_count = 1);
    struct sent sent = {
        .flags = ACK, .seq = ISN + 1, .ack = 1, .options = {8, 10}, .options_length = 12};
    struct drill_wire wire;
    uint8_t bytes[64];

    (void)state;
    wire_init(&wire, 4);
    establish(&wire, 0);
    for (uint32_t i = 1; i <= 5000; i++) {
        ts.val = i;
        put4(sent.options + 2, 3 * i);
        see_out(&wire, &out, &sent, NULL);
    }
    ts.ecr = 5000;
    build(&wire, &in, bytes, sizeof(bytes));
    assert_int_equal(get4(bytes + 46), 15000);
    ts.ecr = 905;
    build(&wire, &in, bytes, sizeof(bytes));
    assert_int_equal(get4(bytes + 46), 2715);
    ts.ecr = 904; /* forgotten: estimated from the first */
    build(&wire, &in, bytes, sizeof(bytes));
    assert_int_equal(get4(bytes + 46), 3 + 903);
    sw_drill_wire_free(&wire);
}

/* The stack's cookie stands where the script writes its own, in later connections too. */
static void test_cookie(void **state)
{
    struct drill_tcp_option request = {.kind = 34, .length = 2};
    struct drill_tcp_option cookie = {
        .kind = 34, .length = 10, .data_length = 8, .data = {1, 2, 3, 4, 5, 6, 7, 8}};
    struct drill_packet ask = IN(.flags = SYN, .options = &request, .option_count = 1);
    struct drill_packet give =
        OUT(.flags = SYN | ACK, ACKED(1), .options = &cookie, .option_count = 1);
    struct drill_packet use = IN(.flags = SYN, .source_port = 999, .destination_port = 8080,
                                 .options = &cookie, .option_count = 1);
    struct sent sent = {.flags = SYN | ACK,
                        .seq = ISN,
                        .ack = 1,
                        .options_length = 12,
                        .options = {34, 10, 9, 9, 9, 9, 9, 9, 9, 7}};
    struct drill_wire wire;
    uint8_t out[64];

    (void)state;
    wire_init(&wire, 4);
    build(&wire, &ask, out, sizeof(out));
    assert_memory_equal(out + 40, "\x22\2\0\0", 4);
    see_out(&wire, &give, &sent, NULL);
    build(&wire, &use, out, sizeof(out));
    assert_memory_equal(out + 40, sent.options, 10);
    sent.options[9] = 6; /* another cookie than before */
    see_out(&wire, &give, &sent,
            "options are <FO 0909090909090906,eol,eol>, must be <FO 0909090909090907,eol,eol>");
    cookie.data[0] = 99; /* one that the stack never gave is sent as it is written */
    build(&wire, &use, out, sizeof(out));
    assert_memory_equal(out + 42, cookie.data, 8);
    sw_drill_wire_free(&wire);
}

/* Which packets packetdrill would compare with a line, and which it would pass over. */
static void test_concerns(void **state)
{
    struct drill_packet any = OUT(.flags = ACK),
                        named = OUT(.flags = ACK, .source_port = 8080, .destination_port = 7);
    struct drill_packet udp = OUT(.protocol = DRILL_UDP);
    struct drill_packet other = IN(.flags = SYN, .source_port = 7, .destination_port = 8080);
    struct sent own = {.flags = ACK}, foreign = {.flags = ACK, .destination = 7};
    struct sent stray = {.flags = RST, .destination = 8}, syn = {.flags = SYN, .source = 34567};
    struct drill_wire wire;
    struct sent_bytes *room = malloc(sizeof(*room));
    struct drill_seen seen;
    uint8_t out[64];

    (void)state;
    assert_non_null(room);
    wire_init(&wire, 4);
    see(&seen, room, 4, &stray, 0);
    assert_true(sw_drill_concerns(&wire, &any, &seen)); /* no flow yet */
    establish(&wire, 0);
    build(&wire, &other, out, sizeof(out));
    assert_false(sw_drill_concerns(&wire, &any, &seen));
    see(&seen, room, 4, &own, 0);
    assert_true(sw_drill_concerns(&wire, &any, &seen));
    assert_false(sw_drill_concerns(&wire, &named, &seen));
    assert_false(sw_drill_concerns(&wire, &udp, &seen));
    see(&seen, room, 4, &foreign, 0);
    assert_false(sw_drill_concerns(&wire, &any, &seen));
    assert_true(sw_drill_concerns(&wire, &named, &seen));
    see(&seen, room, 4, &syn, 0);
    assert_true(sw_drill_concerns(&wire, &any, &seen)); /* a connection that the stack opens */
    free(room);
    sw_drill_wire_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_active_open),
        cmocka_unit_test(test_simultaneous_open),
        cmocka_unit_test(test_mid_air),
        cmocka_unit_test(test_syn_again),
        cmocka_unit_test(test_isn_of_second_answer),
        cmocka_unit_test(test_listener_after_active),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_many_timestamps),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_concerns),
    };

    return cmocka_run_group_tests_name("drill: flows", tests, NULL, NULL);
}
