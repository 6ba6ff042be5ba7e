/*
 * test_emulator_middlebox.c - What a network does to segments that it understands: the middlebox, and
 * links that are too narrow.
 *
 *     near -- emulator -- pair -- far           segments are made and read here, byte by byte
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spy.h"

enum { MOST = 1500, KEEP = 64, MILLION = 1000000, FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

#define MS SANWO_MSEC(1)

struct bytes {
    uint8_t at[MOST];
    uint32_t length;
};

struct network {
    struct sanwo_driver *emulator, *far;
    struct spy near;
    sanwo_time now;
    struct bytes there[KEEP], back[KEEP]; /* what arrived at the far end, and at ours */
    size_t there_count, back_count;
};

/* What a segment is to say. Options are given as they stand, a multiple of four bytes. */
struct say {
    bool v6, inward;
    uint8_t flags, tos;
    uint32_t seq, ack;
    const char *options, *payload;
    uint32_t options_length;
};

static struct network net;

/* ---- bytes -------------------------------------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static bool is_v6(const struct bytes *b)
{
    return b->at[0] >> 4 == 6;
}

static uint8_t *tcp_of(struct bytes *b)
{
    return b->at + (is_v6(b) ? 40 : 20);
}

static uint32_t header_of(struct bytes *b)
{
    return (tcp_of(b)[12] >> 4) * 4u;
}

static uint32_t payload_of(struct bytes *b)
{
    return b->length - (uint32_t)(tcp_of(b) - b->at) - header_of(b);
}

static uint32_t pseudo(const struct bytes *b, uint32_t length, uint8_t protocol)
{
    uint32_t sum = length + protocol, size = is_v6(b) ? 32 : 8;
    const uint8_t *addresses = b->at + (is_v6(b) ? 8 : 12);

    for (uint32_t i = 0; i < size; i += 2)
        sum += get16(addresses + i);
    return sum;
}

static uint16_t tcp_sum(struct bytes *b)
{
    uint32_t length = b->length - (uint32_t)(tcp_of(b) - b->at);

    return spy_checksum(tcp_of(b), length, pseudo(b, length, 6));
}

/* Lengths fit and checksums verify. */
static void assert_sound(struct bytes *b)
{
    if (is_v6(b)) {
        assert_int_equal(get16(b->at + 4) + 40, b->length);
    } else {
        assert_int_equal(get16(b->at + 2), b->length);
        assert_int_equal(spy_checksum(b->at, 20, 0), 0);
    }
    assert_int_equal(tcp_sum(b), 0);
}

static struct bytes segment(const struct say *s)
{
    uint32_t ip = s->v6 ? 40 : 20, tcp = 20 + s->options_length;
    uint32_t payload = s->payload != NULL ? (uint32_t)strlen(s->payload) : 0;
    struct bytes b = {.length = ip + tcp + payload};
    uint8_t *t = b.at + ip;
    uint16_t sum;

    b.at[0] = s->v6 ? 0x60 : 0x45;
    if (s->v6) {
        b.at[1] = (uint8_t)(s->tos << 4);
        b.at[0] |= s->tos >> 4;
        b.at[5] = (uint8_t)(b.length - 40);
        b.at[4] = (uint8_t)((b.length - 40) >> 8);
        b.at[6] = 6;
        b.at[7] = 64;
        b.at[8 + 15] = s->inward ? 2 : 1;
        b.at[24 + 15] = s->inward ? 1 : 2;
    } else {
        b.at[1] = s->tos;
        b.at[2] = (uint8_t)(b.length >> 8);
        b.at[3] = (uint8_t)b.length;
        b.at[6] = 0x40;
        b.at[8] = 64;
        b.at[9] = 6;
        put32(b.at + 12, s->inward ? 0xc0000202 : 0xc0000201);
        put32(b.at + 16, s->inward ? 0xc0000201 : 0xc0000202);
        sum = spy_checksum(b.at, 20, 0);
        b.at[10] = (uint8_t)(sum >> 8);
        b.at[11] = (uint8_t)sum;
    }
    put32(t, s->inward ? 0x00501000 : 0x10000050);
    put32(t + 4, s->seq);
    put32(t + 8, s->ack);
    t[12] = (uint8_t)(tcp / 4 << 4);
    t[13] = s->flags;
    t[14] = 0x20;
    memcpy(t + 20, s->options, s->options_length);
    if (payload > 0)
        memcpy(t + tcp, s->payload, payload);
    sum = tcp_sum(&b);
    t[16] = (uint8_t)(sum >> 8);
    t[17] = (uint8_t)sum;
    return b;
}

/* ---- the network -------------------------------------------------------------------------------- */

static void setup_box(const struct sanwo_emulator_middlebox *box,
                      const struct sanwo_emulator_path *out)
{
    struct sanwo_emulator_config config = {.seed = 5};
    struct sanwo_driver *inner;

    memset(&net, 0, sizeof(net));
    if (box != NULL)
        config.middlebox = *box;
    if (out != NULL)
        config.out = *out;
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &inner, &net.far), 0);
    assert_int_equal(sanwo_emulator_create(inner, &config, &net.emulator), 0);
    spy_on(&net.near, net.emulator);
}

static void teardown(void)
{
    sanwo_driver_destroy(net.emulator);
    sanwo_driver_destroy(net.far);
}

static void keep(struct bytes *list, size_t *count, const struct sanwo_frame *f)
{
    assert_true(*count < KEEP && f->length <= MOST);
    list[*count].length = f->length;
    sanwo_frame_copy(f, list[(*count)++].at);
}

static void move_all(void)
{
    struct sanwo_frame frames[8];
    int n;

    while ((n = spy_receive(net.emulator, frames, 8, net.now)) > 0)
        for (int i = 0; i < n; i++)
            keep(net.back, &net.back_count, &frames[i]);
    while ((n = spy_receive(net.far, frames, 8, net.now)) > 0)
        for (int i = 0; i < n; i++)
            keep(net.there, &net.there_count, &frames[i]);
}

static void pass(const struct bytes *b, bool inward)
{
    struct sanwo_frame f = spy_frame(b->at, b->length);

    assert_int_equal(spy_transmit(inward ? net.far : net.emulator, &f, 1, net.now), 1);
    move_all();
}

/* Sends one segment and returns what became of it. */
static struct bytes *through(const struct say *s)
{
    struct bytes b = segment(s);

    net.there_count = net.back_count = 0;
    pass(&b, s->inward);
    assert_int_equal(s->inward ? net.back_count : net.there_count, 1);
    return s->inward ? &net.back[0] : &net.there[0];
}

static struct sanwo_emulator_stats stats(void)
{
    struct sanwo_emulator_stats s;

    sanwo_emulator_stats(net.emulator, &s);
    return s;
}

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
    b.at[7] = 1; /* a fragment */
    net.there_count = 0;
    pass(&b, false);
    assert_memory_equal(net.there[0].at, b.at, b.length);
    teardown();
}

/* ---- narrow links ------------------------------------------------------------------------------- */

static void test_too_big(void **state)
{
    static char payload[1301];

    (void)state;
    memset(payload, 'y', 1300);
    for (int v6 = 0; v6 < 2; v6++) {
        struct sanwo_emulator_path path = {.mtu = 1280, .too_big = true};
        struct say say = {.v6 = v6, .flags = ACK, .options = "", .payload = payload};
        uint32_t ip = v6 ? 40 : 20, quoted;
        struct bytes b = segment(&say), *error = &net.back[0];

        setup_box(NULL, &path);
        pass(&b, false);
        move_all();
        assert_int_equal(net.there_count, 0);
        assert_int_equal(net.back_count, 1);
        assert_int_equal(stats().too_big, 1);
        assert_true(is_v6(error) == (v6 != 0));
        /* From where it was to go, back to its sender. */
        assert_memory_equal(error->at + (v6 ? 8 : 12), b.at + (v6 ? 24 : 16), v6 ? 16 : 4);
        assert_memory_equal(error->at + (v6 ? 24 : 16), b.at + (v6 ? 8 : 12), v6 ? 16 : 4);
        assert_int_equal(get16(error->at + ip), v6 ? 0x0200 : 0x0304);
        assert_int_equal(get32(error->at + ip + 4), 1280);
        quoted = error->length - ip - 8;
        assert_true(error->length <= (v6 ? 1280 : 576) && quoted >= ip + 8);
        assert_memory_equal(error->at + ip + 8, b.at, quoted);
        assert_int_equal(spy_checksum(error->at + ip, error->length - ip,
                                      v6 ? pseudo(error, error->length - ip, 58) : 0),
                         0);
        payload[1280 - ip - 20] = '\0'; /* fits to the byte */
        through(&say);
        payload[1280 - ip - 20] = 'y';
        teardown();
    }
}

static void test_too_big_and_nobody_tells(void **state)
{
    static char payload[1301];
    struct sanwo_emulator_path path = {.mtu = 1280};
    struct say say = {.flags = ACK, .options = "", .payload = payload};
    struct bytes b;

    (void)state;
    memset(payload, 'y', 1300);
    setup_box(NULL, &path);
    b = segment(&say);
    pass(&b, false);
    move_all();
    assert_int_equal(net.there_count + net.back_count, 0);
    assert_int_equal(stats().too_big, 1);
    teardown();
}

/* ---- paths -------------------------------------------------------------------------------------- */

static void test_truncate(void **state)
{
    struct sanwo_emulator_path path = {.truncate_ppm = MILLION};
    struct say say = {.flags = ACK, .options = "", .payload = "whatever"};
    uint32_t lengths = 0;

    (void)state;
    setup_box(NULL, &path);
    for (int i = 0; i < KEEP; i++) {
        struct bytes b = segment(&say);

        pass(&b, false);
        assert_true(net.there[i].length >= 1 && net.there[i].length < b.length);
        assert_memory_equal(net.there[i].at, b.at, net.there[i].length);
        lengths |= 1u << (net.there[i].length % 32);
    }
    assert_true((lengths & (lengths - 1)) != 0); /* not always the same */
    assert_int_equal(stats().truncated, KEEP);
    teardown();
}

/* Who comes behind a spike waits with it. */
static void test_spike(void **state)
{
    struct sanwo_emulator_path path = {.delay = MS, .spike_ppm = MILLION, .spike = 50 * MS};
    struct say say = {.flags = ACK, .options = ""};
    struct bytes b = segment(&say);

    (void)state;
    setup_box(NULL, &path);
    pass(&b, false);
    path.spike_ppm = 0;
    sanwo_emulator_configure(net.emulator, &path, &path);
    pass(&b, false);
    net.now = 51 * MS - 1;
    move_all();
    assert_int_equal(net.there_count, 0);
    net.now = 51 * MS;
    move_all();
    assert_int_equal(net.there_count, 2);
    assert_int_equal(stats().spikes, 1);
    pass(&b, false);
    net.now = 52 * MS;
    move_all();
    assert_int_equal(net.there_count, 3);
    teardown();
}

static void test_refused_arguments(void **state)
{
    static const struct sanwo_emulator_config bad[] = {
        {.middlebox = {.split_ppm = MILLION + 1}}, {.middlebox = {.join_ppm = MILLION + 1}},
        {.middlebox = {.reset_ppm = MILLION + 1}}, {.out = {.truncate_ppm = MILLION + 1}},
        {.out = {.spike_ppm = MILLION + 1}},       {.in = {.spike = -1}},
    };
    struct sanwo_driver *a, *b, *emulator;

    (void)state;
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sanwo_emulator_create(a, &bad[i], &emulator), -SANWO_EINVAL);
    sanwo_driver_destroy(a);
    sanwo_driver_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strip),
        cmocka_unit_test(test_strip_later_outward_only),
        cmocka_unit_test(test_clamp),
        cmocka_unit_test(test_malformed_options),
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_shift_forgets_sack),
        cmocka_unit_test(test_damage_stays),
        cmocka_unit_test(test_bleach),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_limits),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_too_big_and_nobody_tells),
        cmocka_unit_test(test_truncate),
        cmocka_unit_test(test_spike),
        cmocka_unit_test(test_refused_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
