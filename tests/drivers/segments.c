/*
 * segments.c - Making and reading segments; a network of one emulator.
 */
#include "segments.h"

struct network net;

/* ---- bytes -------------------------------------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

bool is_v6(const struct bytes *b)
{
    return b->at[0] >> 4 == 6;
}

uint8_t *tcp_of(struct bytes *b)
{
    return b->at + (is_v6(b) ? 40 : 20);
}

uint32_t header_of(struct bytes *b)
{
    return (tcp_of(b)[12] >> 4) * 4u;
}

uint32_t payload_of(struct bytes *b)
{
    return b->length - (uint32_t)(tcp_of(b) - b->at) - header_of(b);
}

uint32_t pseudo(const struct bytes *b, uint32_t length, uint8_t protocol)
{
    uint32_t sum = length + protocol, size = is_v6(b) ? 32 : 8;
    const uint8_t *addresses = b->at + (is_v6(b) ? 8 : 12);

    for (uint32_t i = 0; i < size; i += 2)
        sum += get16(addresses + i);
    return sum;
}

uint16_t tcp_sum(struct bytes *b)
{
    uint32_t length = b->length - (uint32_t)(tcp_of(b) - b->at);

    return spy_checksum(tcp_of(b), length, pseudo(b, length, 6));
}

void assert_sound(struct bytes *b)
{
    if (is_v6(b)) {
        assert_int_equal(get16(b->at + 4) + 40, b->length);
    } else {
        assert_int_equal(get16(b->at + 2), b->length);
        assert_int_equal(spy_checksum(b->at, 20, 0), 0);
    }
    assert_int_equal(tcp_sum(b), 0);
}

void seal_ipv4(struct bytes *b)
{
    uint16_t sum;

    b->at[10] = b->at[11] = 0;
    sum = spy_checksum(b->at, 20, 0);
    b->at[10] = (uint8_t)(sum >> 8);
    b->at[11] = (uint8_t)sum;
}

struct bytes segment(const struct say *s)
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
        seal_ipv4(&b);
    }
    put32(t, s->inward ? 0x00501000 : 0x10000050);
    put32(t + 4, s->seq);
    put32(t + 8, s->ack);
    t[12] = (uint8_t)(tcp / 4 << 4);
    t[13] = s->flags;
    t[14] = 0x20;
    if (s->options_length > 0)
        memcpy(t + 20, s->options, s->options_length);
    if (payload > 0)
        memcpy(t + tcp, s->payload, payload);
    sum = tcp_sum(&b);
    t[16] = (uint8_t)(sum >> 8);
    t[17] = (uint8_t)sum;
    return b;
}

/* ---- the network -------------------------------------------------------------------------------- */

void setup_box(const struct sanwo_emulator_middlebox *box, const struct sanwo_emulator_path *out)
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

void teardown(void)
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

void move_all(void)
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

void pass(const struct bytes *b, bool inward)
{
    struct sanwo_frame f = spy_frame(b->at, b->length);

    assert_int_equal(spy_transmit(inward ? net.far : net.emulator, &f, 1, net.now), 1);
    move_all();
}

struct bytes *through(const struct say *s)
{
    struct bytes b = segment(s);

    net.there_count = net.back_count = 0;
    pass(&b, s->inward);
    assert_int_equal(s->inward ? net.back_count : net.there_count, 1);
    return s->inward ? &net.back[0] : &net.there[0];
}

struct sanwo_emulator_stats stats(void)
{
    struct sanwo_emulator_stats s;

    sanwo_emulator_stats(net.emulator, &s);
    return s;
}
