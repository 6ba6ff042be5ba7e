/*
 * test_live.c - One observation as one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <sanwo/trace.h>

static struct sanwo_observation base(unsigned kind)
{
    struct sanwo_observation o = {0};

    o.now = SANWO_USEC(12004211);
    o.kind = (uint8_t)kind;
    o.state = o.old_state = SANWO_TCP_LISTEN;
    o.local = (struct sanwo_endpoint){sanwo_address_ipv4(10, 9, 0, 2), 80};
    o.remote = (struct sanwo_endpoint){sanwo_address_ipv4(10, 9, 0, 1), 51544};
    return o;
}

static void check(const struct sanwo_observation *o, const char *want)
{
    char text[512];
    size_t n = sanwo_trace_format_line(o, text, sizeof(text));

    assert_string_equal(text, want);
    assert_int_equal(n, strlen(text));
}

static void test_segments(void **state)
{
    struct sanwo_observation o = base(SANWO_OBSERVE_SEGMENT_IN);

    (void)state;
    o.flags = 2;
    o.seq = 7;
    o.window = 64240;
    check(&o, "12.004211 IP 10.9.0.1.51544 > 10.9.0.2.80: Flags [S], seq 7, win 64240, length 0 "
              "(LISTEN)");
    o.kind = SANWO_OBSERVE_SEGMENT_OUT;
    o.state = SANWO_TCP_ESTABLISHED;
    o.flags = 0x18;
    o.ack = 9;
    o.payload_length = 100;
    o.reason = SANWO_REASON_FAST_RETRANSMIT;
    check(&o, "12.004211 IP 10.9.0.2.80 > 10.9.0.1.51544: Flags [P.], seq 7:107, ack 9, win 64240, "
              "length 100 (ESTABLISHED), three duplicate acknowledgements");
}

static void test_others(void **state)
{
    struct sanwo_observation o = base(SANWO_OBSERVE_STATE);

    (void)state;
    o.state = SANWO_TCP_SYN_RECEIVED;
    o.reason = SANWO_REASON_SYN_RECEIVED;
    check(&o, "12.004211    10.9.0.2.80 - 10.9.0.1.51544: LISTEN > SYN-RECEIVED: SYN received");
    o = base(SANWO_OBSERVE_DROP);
    o.reason = SANWO_REASON_PORT_CLOSED;
    check(&o, "12.004211    10.9.0.2.80 - 10.9.0.1.51544: dropped: nothing listens there");
    memset(&o.remote, 0, sizeof(o.remote));
    check(&o, "12.004211    10.9.0.2.80: dropped: nothing listens there");
    o = base(SANWO_OBSERVE_STATE);
    o.old_state = SANWO_TCP_CLOSED;
    o.reason = SANWO_REASON_PASSIVE_OPEN;
    memset(&o.local.address, 0, sizeof(o.local.address));
    memset(&o.remote, 0, sizeof(o.remote));
    check(&o, "12.004211    *.80: CLOSED > LISTEN: the user listens");
    o = base(SANWO_OBSERVE_DROP);
    memset(&o.remote, 0, sizeof(o.remote));
    memset(&o.local, 0, sizeof(o.local));
    o.reason = SANWO_REASON_IP_CHECKSUM;
    check(&o, "12.004211    dropped: IPv4 header checksum wrong");
    o = base(SANWO_OBSERVE_CONGESTION);
    o.value = 14480;
    o.value2 = 7240;
    o.reason = SANWO_REASON_FAST_RETRANSMIT;
    check(&o, "12.004211    10.9.0.2.80 - 10.9.0.1.51544: cwnd 14480, ssthresh 7240: three "
              "duplicate acknowledgements");
    o = base(SANWO_OBSERVE_RTT);
    o.value = SANWO_USEC(150);
    o.value2 = SANWO_USEC(200);
    check(&o, "12.004211    10.9.0.2.80 - 10.9.0.1.51544: RTT 150 us, smoothed 200 us");
}

/* Every size: never past the end, always terminated. Every kind: never empty. */
static void test_cut(void **state)
{
    char text[600];

    (void)state;
    for (unsigned kind = 0; kind < 16; kind++) {
        struct sanwo_observation o = base(kind);
        for (size_t size = 0; size < 200; size++) {
            memset(text, 'X', sizeof(text));
            size_t n = sanwo_trace_format_line(&o, text, size);
            assert_true(size == 0 || n < size);
            assert_true(size == 0 || text[n] == '\0');
            assert_int_equal(text[size], 'X');
        }
        assert_true(sanwo_trace_format_line(&o, text, sizeof(text)) > 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
