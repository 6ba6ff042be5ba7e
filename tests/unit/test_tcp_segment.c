/*
 * test_tcp_segment.c - Building one segment: header, options, and a checksum computed anew here.
 */
#include "test_tcp_support.h"

static uint8_t stream[70000];

/* RFC 1071 by the letter: sixteen bits at a time over the flat bytes. */
static uint16_t plain_sum(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
    for (uint32_t i = 0; i < length; i++)
        sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8, sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t plain_pseudo(const struct tcp_tuple *t, uint32_t length)
{
    bool ipv4 = sw_tcp_tuple_is_ipv4(t);
    uint8_t bytes[40] = {0};
    size_t a = ipv4 ? 4 : 16;

    memcpy(bytes, t->local + 16 - a, a);
    memcpy(bytes + a, t->remote + 16 - a, a);
    sw_store32(bytes + 32, length);
    return plain_sum(bytes, 40, 6); /* where the zeros stand does not matter to the sum */
}

struct built {
    struct sanwo_frame frame;
    uint8_t flat[70100];
    uint32_t length;
};

static struct tcp_outgoing outgoing(bool ipv6)
{
    struct tcp_outgoing out = {.tuple = ipv6 ? rig_tuple_v6(0) : rig_tuple(0),
                               .seq = tcp_seq_of(0xfffffffe),
                               .ack = tcp_seq_of(0x12345678),
                               .window = 4321,
                               .urgent = 7,
                               .flags = TCP_ACK | TCP_PSH};

    sw_wire_tcp_options_none(&out.options);
    return out;
}

/* Payload in slices of these lengths (0 ends). */
static void build(struct rig *r, const struct tcp_outgoing *out, const struct tcp_path *path,
                  const uint32_t *cuts, uint16_t segment_size, struct built *b)
{
    uint32_t payload = 0;

    memset(&b->frame, 0, sizeof b->frame);
    b->frame.slice_count = 1;
    for (; *cuts; cuts++) {
        b->frame.slices[b->frame.slice_count++] = (struct sanwo_slice){stream + payload, *cuts, 0};
        payload += *cuts;
    }
    assert_true(sw_tcp_segment_build(&r->tcp, out, path, &b->frame, payload, segment_size));
    sanwo_frame_copy(&b->frame, b->flat);
    b->length = b->frame.length;
    assert_int_equal(b->length, b->frame.slices[0].length + payload);
    assert_int_equal(b->frame.header_length, b->frame.slices[0].length);
}

/* MUST-2. */
static void test_checksum(void **state)
{
    (void)state;
    static struct built b;
    const uint32_t cuts[][6] = {
        {0},
        {1, 0},
        {2, 0},
        {1, 1, 0},
        {1, 2, 3, 4, 5, 0},
        {1460, 0},
        {729, 731, 0},
        {3, 1000, 1, 7, 0},
        {65000, 1, 0},
        {1, 65000, 0},
        {5, 5, 5, 5, 5, 0},
        {16320, 16320, 16320, 16319, 1, 0},
    };
    for (size_t i = 0; i < SW_COUNT(cuts); i++) {
        for (int ipv6 = 0; ipv6 < 2; ipv6++) {
            for (int offload = 0; offload < 2; offload++) {
                struct rig *r = rig_new();
                uint64_t before = r->region.used;
                struct tcp_outgoing out = outgoing(ipv6);
                struct tcp_path path = {.mtu = 1500, .checksum_offload = offload};
                build(r, &out, &path, cuts[i], 0, &b);
                uint16_t pseudo = plain_pseudo(&out.tuple, b.length);
                if (offload) {
                    assert_int_equal(b.frame.checksum, SANWO_CHECKSUM_PARTIAL);
                    assert_int_equal(b.frame.checksum_offset, 16);
                    assert_int_equal(sw_load16(b.flat + 16) % 0xffff, pseudo % 0xffff);
                    sanwo_frame_complete(&b.frame, b.flat);
                } else {
                    assert_int_equal(b.frame.checksum, SANWO_CHECKSUM_NONE);
                }
                assert_int_equal(plain_sum(b.flat, b.length, pseudo), 0xffff);
                sw_tcp_frame_release(&r->tcp, &b.frame);
                rig_settled(r, before);
                rig_end(r);
            }
        }
    }
}

static void test_header(void **state)
{
    (void)state;
    static struct built b;
    struct rig *r = rig_new();
    struct tcp_outgoing out = outgoing(false);
    struct wire_tcp h;
    struct wire_tcp_options o;

    out.options.mss = 1460;
    out.options.timestamps = true;
    out.options.ts_value = 0xdeadbeef;
    out.options.window_scale = 7;
    build(r, &out, &rig_path, (const uint32_t[]){10, 0}, 0, &b);
    assert_true(sw_wire_tcp_read(&h, b.flat, b.length));
    assert_int_equal(h.source_port, 80);
    assert_int_equal(h.destination_port, 10000);
    assert_int_equal(h.seq.raw, 0xfffffffe);
    assert_int_equal(h.ack.raw, 0x12345678);
    assert_int_equal(h.window, 4321);
    assert_int_equal(h.urgent, 7);
    assert_int_equal(h.flags, TCP_ACK | TCP_PSH);
    sw_wire_tcp_options_read(&o, b.flat + 20, (size_t)h.header_length - 20);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.ts_value, 0xdeadbeef);
    assert_int_equal(o.window_scale, 7);
    rig_check(b.flat + h.header_length, 0, 10);
    out.flags = TCP_RST; /* without ACK the number is zero */
    build(r, &out, &rig_path, (const uint32_t[]){0}, 0, &b);
    assert_int_equal(sw_load32(b.flat + 8), 0);
    /* An order of the user's own. */
    out.option_order[0] = TCP_OPTION_WINDOW_SCALE;
    out.option_order[1] = TCP_OPTION_MSS;
    build(r, &out, &rig_path, (const uint32_t[]){0}, 0, &b);
    const uint8_t *at = b.flat + 20;
    while (*at == TCP_OPTION_NOP)
        at++;
    assert_int_equal(*at, TCP_OPTION_WINDOW_SCALE);
    assert_int_equal(r->tcp.counters.segments_out, 3);
    rig_end(r);
}

static void test_super_segment(void **state)
{
    (void)state;
    static struct built b;
    const struct tcp_path path = {.mtu = 1500, .checksum_offload = true, .super_segment = 65000};

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct rig *r = rig_new();
        struct tcp_outgoing out = outgoing(ipv6);
        rig_watch(r);
        build(r, &out, &path, (const uint32_t[]){30000, 30001, 0}, 1448, &b);
        assert_int_equal(b.frame.segmentation,
                         ipv6 ? SANWO_SEGMENT_TCP_IPV6 : SANWO_SEGMENT_TCP_IPV4);
        assert_int_equal(b.frame.segment_size, 1448);
        const struct sanwo_observation *o = rig_last(r, SANWO_OBSERVE_SEGMENT_OUT);
        assert_int_equal(o->payload_length, 60001);
        assert_int_equal(o->segment_size, 1448);
        rig_end(r);
    }
}

/* There is room in front for IP and link, and none when memory is refused. */
static void test_headroom_and_no_memory(void **state)
{
    (void)state;
    static struct built b;
    struct rig *r = rig_new();
    struct tcp_outgoing out = outgoing(true);

    build(r, &out, &rig_path, (const uint32_t[]){0}, 0, &b);
    const struct buffer *buffer = sw_buffer_at(&r->region, b.frame.slices[0].buffer);
    assert_true(buffer->offset >= sizeof *buffer + TCP_HEADROOM);
    sw_tcp_frame_release(&r->tcp, &b.frame);
    r->region.fault_countdown = 1;
    assert_false(sw_tcp_segment_build(&r->tcp, &out, &rig_path, &b.frame, 0, 0));
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_super_segment),
        cmocka_unit_test(test_headroom_and_no_memory),
    };
    rig_fill(stream, 0, sizeof stream);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
