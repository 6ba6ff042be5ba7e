/*
 * test_emulator_middlebox.c - What a middlebox does to segments, and that it leaves alone what it must.
 */
#include "segments.h"

/* ---- options ------------------------------------------------------------------------------------ */

/* MSS 1460, SACK permitted, timestamps, NOP, window scale 7. */
#define SYN_OPTIONS "\2\4\5\xb4\4\2\10\12\1\2\3\4\0\0\0\0\1\3\3\7"
/* NOP NOP timestamps NOP NOP SACK of one block. */
#define LATER_OPTIONS "\1\1\10\12\1\2\3\4\5\6\7\10\1\1\5\12\0\0\20\0\0\0\40\0"

static void assert_options(struct bytes *b, const char *want, size_t length)
{
    assert_sound(b);
    assert_memory_equal(tcp_of(b) + 20, want, length);
}

static void test_strip(void **state)
{
    static const struct {
        uint32_t strip;
        char want[21];
    } rows[] = {
        {SANWO_STRIP_MSS, "\1\1\1\1\4\2\10\12\1\2\3\4\0\0\0\0\1\3\3\7"},
        {SANWO_STRIP_SACK_PERMITTED, "\2\4\5\xb4\1\1\10\12\1\2\3\4\0\0\0\0\1\3\3\7"},
        {SANWO_STRIP_TIMESTAMPS, "\2\4\5\xb4\4\2\1\1\1\1\1\1\1\1\1\1\1\3\3\7"},
        {SANWO_STRIP_WINDOW_SCALE, "\2\4\5\xb4\4\2\10\12\1\2\3\4\0\0\0\0\1\1\1\1"},
        {31, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"},
        {SANWO_STRIP_SACK, SYN_OPTIONS},
    };

    (void)state;
    for (size_t i = 0; i < 4 * sizeof(rows) / sizeof(rows[0]); i++) {
        struct sanwo_emulator_middlebox box = {.strip_syn = rows[i / 4].strip};
        struct say say = {.v6 = i & 1,
                          .inward = i & 2,
                          .flags = SYN,
                          .seq = 77,
                          .options = SYN_OPTIONS,
                          .options_length = 20};

        setup_box(&box, NULL);
        assert_options(through(&say), rows[i / 4].want, 20);
        say.flags = ACK; /* not a SYN: as it was */
        assert_options(through(&say), SYN_OPTIONS, 20);
        assert_int_equal(stats().rewritten, rows[i / 4].strip != SANWO_STRIP_SACK);
        teardown();
    }
}

static void test_strip_later_outward_only(void **state)
{
    struct sanwo_emulator_middlebox box = {.strip_later = SANWO_STRIP_SACK | SANWO_STRIP_TIMESTAMPS,
                                           .strip_outward_only = true};
    struct say say = {
        .flags = ACK, .options = LATER_OPTIONS, .options_length = 24, .payload = "odd"};

    (void)state;
    setup_box(&box, NULL);
    assert_options(through(&say), "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 24);
    say.inward = true;
    assert_options(through(&say), LATER_OPTIONS, 24);
    teardown();
}

static void test_clamp(void **state)
{
    struct sanwo_emulator_middlebox box = {.clamp_mss = 1200};
    struct say say = {.flags = SYN, .options = "\2\4\5\xb4", .options_length = 4};

    (void)state;
    setup_box(&box, NULL);
    assert_options(through(&say), "\2\4\4\xb0", 4);
    say.options = "\2\4\2\0"; /* 512: less than that already */
    assert_options(through(&say), "\2\4\2\0", 4);
    teardown();
}

/* Options that are no options are left as they are, and nothing is read past the header's end. */
static void test_malformed_options(void **state)
{
    static const char *const rows[] = {"\2\0\2\4", "\2\1\2\4", "\2\44\0\0", "\1\1\1\2", "\0\2\4\5"};
    struct sanwo_emulator_middlebox box = {.strip_syn = 31, .strip_later = 31, .clamp_mss = 100};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct say say = {.flags = SYN, .options = rows[i], .options_length = 4};

        setup_box(&box, NULL);
        assert_options(through(&say), rows[i], 4);
        teardown();
    }
}

/* ---- numbers ------------------------------------------------------------------------------------ */

static void test_shift(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct sanwo_emulator_middlebox box = {.shift_sequence = true};
        struct say say = {
            .v6 = v6, .flags = SYN, .seq = 0xfffffff0, .options = "", .payload = NULL};
        uint32_t ours, theirs;

        setup_box(&box, NULL);
        ours = get32(tcp_of(through(&say)) + 4) - say.seq;
        assert_true(ours != 0);
        /* No ACK: the field is no number. */
        assert_int_equal(get32(tcp_of(&net.there[0]) + 8), 0);
        say = (struct say){.v6 = v6,
                           .inward = true,
                           .flags = SYN | ACK,
                           .seq = 900,
                           .ack = 0xfffffff1 + ours,
                           .options = ""};
        theirs = get32(tcp_of(through(&say)) + 4) - say.seq;
        assert_sound(&net.back[0]);
        assert_true(theirs != 0 && theirs != ours);
        assert_int_equal(get32(tcp_of(&net.back[0]) + 8), 0xfffffff1);
        /* The stack acknowledges what it saw, blocks of it too, and the peer sees its own numbers. */
        say = (struct say){.v6 = v6,
                           .flags = ACK,
                           .seq = 0xfffffff1,
                           .ack = 901 + theirs,
                           .options = LATER_OPTIONS,
                           .options_length = 24};
        assert_sound(through(&say));
        assert_int_equal(get32(tcp_of(&net.there[0]) + 4), 0xfffffff1 + ours);
        assert_int_equal(get32(tcp_of(&net.there[0]) + 8), 901);
        assert_int_equal(get32(tcp_of(&net.there[0]) + 36), 0x1000 - theirs);
        assert_int_equal(get32(tcp_of(&net.there[0]) + 40), 0x2000 - theirs);
        teardown();
    }
}

static void test_shift_forgets_sack(void **state)
{
    struct sanwo_emulator_middlebox box = {.shift_sequence = true, .forget_sack = true};
    struct say say = {.flags = ACK, .options = LATER_OPTIONS, .options_length = 24};

    (void)state;
    setup_box(&box, NULL);
    assert_options(through(&say), LATER_OPTIONS, 24);
    assert_true(get32(tcp_of(&net.there[0]) + 4) != 0);
    teardown();
}

/* What was damaged before is not mended. */
static void test_damage_stays(void **state)
{
    struct sanwo_emulator_middlebox box = {.shift_sequence = true,
                                           .clamp_mss = 500,
                                           .split_ppm = MILLION,
                                           .reset_ppm = MILLION,
                                           .join_ppm = MILLION,
                                           .bleach_ecn = true};
    struct say say = {.flags = ACK,
                      .tos = 3,
                      .options = LATER_OPTIONS,
                      .options_length = 24,
                      .payload = "a payload"};

    (void)state;
    for (uint32_t at = 20; at < 20 + 44 + 9; at++) {
        struct bytes b = segment(&say);

        if (at == 20 + 12)
            continue; /* the data offset: that would be another segment */
        b.at[at] ^= 0x10;
        setup_box(&box, NULL);
        pass(&b, false);
        assert_int_equal(net.there_count, 1);
        assert_int_equal(net.back_count, 0);
        assert_true(tcp_sum(&net.there[0]) != 0);
        teardown();
    }
}

/* ---- ECN ---------------------------------------------------------------------------------------- */

static void test_bleach(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct sanwo_emulator_middlebox box = {.bleach_ecn = true};
        struct say say = {.v6 = v6, .flags = ACK | 64 | 128, .tos = 0xab, .options = ""};
        struct bytes *b;
        uint32_t tos;

        setup_box(&box, NULL);
        b = through(&say);
        assert_sound(b);
        tos = v6 ? (get16(b->at) >> 4 & 0xff) : b->at[1];
        assert_int_equal(tos, 0xa8);
        assert_int_equal(tcp_of(b)[13], ACK);
        teardown();
    }
}

/* ---- segments made anew ------------------------------------------------------------------------- */

static void test_split(void **state)
{
    struct sanwo_emulator_middlebox box = {.split_ppm = MILLION};
    struct say say = {.flags = ACK | PSH | FIN,
                      .seq = 0xffffffff,
                      .options = LATER_OPTIONS,
                      .options_length = 24,
                      .payload = "0123456789"};
    struct bytes b, *first = &net.there[0], *second = &net.there[1];
    uint32_t cut;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        say.v6 = v6;
        setup_box(&box, NULL);
        b = segment(&say);
        pass(&b, false);
        assert_int_equal(net.there_count, 2);
        assert_sound(first);
        assert_sound(second);
        cut = payload_of(first);
        assert_true(cut > 0 && cut < 10);
        assert_int_equal(payload_of(second), 10 - cut);
        assert_int_equal(get32(tcp_of(second) + 4), say.seq + cut);
        assert_int_equal(tcp_of(first)[13], ACK);
        assert_int_equal(tcp_of(second)[13], ACK | PSH | FIN);
        assert_memory_equal(tcp_of(first) + 44, "0123456789", cut);
        assert_memory_equal(tcp_of(second) + 44, "0123456789" + cut, 10 - cut);
        assert_int_equal(stats().split, 1);
        teardown();
    }
}

static void test_join(void **state)
{
    struct sanwo_emulator_middlebox box = {.join_ppm = MILLION};
    struct sanwo_emulator_path path = {.delay = MS};
    struct say say = {.flags = ACK,
                      .seq = 0xfffffffe,
                      .ack = 5,
                      .options = LATER_OPTIONS,
                      .options_length = 24,
                      .payload = "0123"};
    struct bytes b = segment(&say);

    (void)state;
    setup_box(&box, &path);
    pass(&b, false);
    say.seq += 4;
    say.ack = 9;
    say.payload = "456";
    say.flags |= PSH;
    b = segment(&say);
    pass(&b, false);
    say.seq += 4; /* a gap: no neighbour */
    b = segment(&say);
    pass(&b, false);
    net.now = MS;
    move_all();
    assert_int_equal(net.there_count, 2);
    assert_sound(&net.there[0]);
    assert_memory_equal(tcp_of(&net.there[0]) + 44, "0123456", 7);
    assert_int_equal(get32(tcp_of(&net.there[0]) + 4), 0xfffffffe);
    assert_int_equal(get32(tcp_of(&net.there[0]) + 8), 9);
    assert_int_equal(tcp_of(&net.there[0])[13], ACK | PSH);
    assert_int_equal(stats().joined, 1);
    teardown();
}

/* Joining stops at the link's MTU, and what has left the emulator is out of reach. */
static void test_join_limits(void **state)
{
    static char payload[801];
    struct sanwo_emulator_middlebox box = {.join_ppm = MILLION};
    struct sanwo_emulator_path path = {.delay = MS};
    struct say say = {.flags = ACK, .options = "", .payload = payload};
    struct bytes b;

    (void)state;
    memset(payload, 'x', 800);
    setup_box(&box, &path);
    for (int i = 0; i < 2; i++) {
        b = segment(&say);
        pass(&b, false);
        say.seq += 800;
    }
    net.now = MS;
    move_all();
    assert_int_equal(net.there_count, 2);
    payload[100] = '\0';
    b = segment(&say);
    pass(&b, false);
    net.now = 2 * MS;
    move_all();
    assert_int_equal(net.there_count, 3);
    assert_int_equal(stats().joined, 0);
    teardown();
}

/* A segment that overtook another has left, and its memory is not written to. */
static void test_join_what_is_there(void **state)
{
    struct sanwo_emulator_middlebox box = {.join_ppm = MILLION};
    struct sanwo_emulator_path path = {
        .delay = MS, .reorder_ppm = MILLION, .reorder_delay = 5 * MS};
    struct say say = {.flags = ACK, .seq = 5, .options = "", .payload = "overtaken"};
    struct bytes b = segment(&say);

    (void)state;
    setup_box(&box, &path);
    pass(&b, false);
    path.reorder_ppm = 0;
    sanwo_emulator_configure(net.emulator, &path, &path);
    say.seq = 1000;
    b = segment(&say);
    pass(&b, false);
    for (net.now = MS; net.now < 10 * MS; net.now += MS)
        move_all();
    say.seq += 9;
    b = segment(&say);
    pass(&b, false);
    net.now += MS;
    move_all();
    assert_int_equal(net.there_count, 3);
    assert_int_equal(stats().joined, 0);
    teardown();
}

static void test_reset(void **state)
{
    struct sanwo_emulator_middlebox box = {.reset_ppm = MILLION, .shift_sequence = true};
    struct say say = {
        .flags = ACK | PSH, .seq = 1000, .ack = 2000, .options = "", .payload = "data"};
    struct bytes b;

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        uint32_t shift;

        say.v6 = v6;
        setup_box(&box, NULL);
        b = segment(&say);
        pass(&b, false);
        move_all();
        assert_int_equal(net.there_count, 1);
        assert_int_equal(net.back_count, 1);
        assert_sound(&net.there[0]);
        assert_sound(&net.back[0]);
        assert_int_equal(tcp_of(&net.there[0])[13], RST);
        assert_int_equal(tcp_of(&net.back[0])[13], RST);
        assert_int_equal(get32(tcp_of(&net.back[0])), 0x00501000);
        assert_int_equal(get32(tcp_of(&net.back[0]) + 4), 2000);
        /* Behind the box the numbers are the moved ones. */
        shift = get32(tcp_of(&net.there[0]) + 4) - 1000;
        sanwo_emulator_set_middlebox(net.emulator,
                                     &(struct sanwo_emulator_middlebox){.shift_sequence = true});
        assert_int_equal(get32(tcp_of(through(&say)) + 4), 1000 + shift);
        teardown();
    }
}

/* A SYN, a reset and what is no segment pass whatever the box would do to others. */
static void test_left_alone(void **state)
{
    struct sanwo_emulator_middlebox box = {
        .reset_ppm = MILLION, .split_ppm = MILLION, .join_ppm = MILLION, .strip_later = 31};
    struct say say = {.flags = SYN, .options = "", .payload = "fast open"};
    struct bytes b;

    (void)state;
    setup_box(&box, NULL);
    b = segment(&say);
    assert_memory_equal(through(&say)->at, b.at, b.length);
    say.flags = RST | ACK;
    b = segment(&say);
    assert_memory_equal(through(&say)->at, b.at, b.length);
    say.flags = ACK;
    for (uint32_t length = 1; length < 20 + 20; length++) {
        b = segment(&say);
        b.length = length;
        net.there_count = 0;
        pass(&b, false);
        assert_int_equal(net.there_count, 1);
        assert_memory_equal(net.there[0].at, b.at, length);
    }
    b = segment(&say);
    b.at[9] = 17; /* UDP */
    net.there_count = 0;
    pass(&b, false);
    assert_memory_equal(net.there[0].at, b.at, b.length);
    b.at[9] = 6;
    b.at[7] = 1; /* a fragment, sound otherwise */
    seal_ipv4(&b);
    net.there_count = net.back_count = 0;
    pass(&b, false);
    assert_int_equal(net.there_count, 1);
    assert_int_equal(net.back_count, 0);
    assert_memory_equal(net.there[0].at, b.at, b.length);
    teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strip),        cmocka_unit_test(test_strip_later_outward_only),
        cmocka_unit_test(test_clamp),        cmocka_unit_test(test_malformed_options),
        cmocka_unit_test(test_shift),        cmocka_unit_test(test_shift_forgets_sack),
        cmocka_unit_test(test_damage_stays), cmocka_unit_test(test_bleach),
        cmocka_unit_test(test_split),        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_limits),  cmocka_unit_test(test_join_what_is_there),
        cmocka_unit_test(test_reset),        cmocka_unit_test(test_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
