/*
 * fuzz_tcp_options.c - TCP options, in any order and any room.
 *
 *     input:  | room | how many kinds of an order | kinds ... | option bytes
 *
 * What was read is written, with the order and the room of the input, and read again: options that
 * had no room may be missing, all else is as before. Where nothing is aligned by NOPs of the
 * writer's own, writing that once more gives the same bytes.
 */
#include "fuzz.h"

#include "wire/tcp.h"
#include "wire/tcp_options.h"

#define ORDER_MAX 12

static void check_read(const struct wire_tcp_options *o)
{
    FUZZ_CHECK(o->window_scale >= -1 && o->window_scale <= 14, "RFC 7323 2.3");
    FUZZ_CHECK(o->sack_count <= WIRE_TCP_SACK_BLOCKS, "blocks");
    FUZZ_CHECK(o->fast_open_length <= sizeof(o->fast_open_cookie), "the cookie");
    FUZZ_CHECK(o->fast_open || !o->fast_open_length, "a cookie of an option that is there");
    FUZZ_CHECK(o->accurate_count <= WIRE_TCP_ACCURATE_COUNTERS, "accurate ECN's counters");
    FUZZ_CHECK(o->accurate || !o->accurate_count, "counters of an option that is there");
}

static void check_kept(const struct wire_tcp_options *was, const struct wire_tcp_options *is)
{
    FUZZ_CHECK(!is->malformed, "what we write is well-formed");
    FUZZ_CHECK(!is->mss || is->mss == was->mss, "MSS");
    FUZZ_CHECK(is->window_scale < 0 || is->window_scale == was->window_scale, "window scale");
    FUZZ_CHECK(!is->sack_permitted || was->sack_permitted, "SACK permitted");
    FUZZ_CHECK(!is->timestamps || (was->timestamps && is->ts_value == was->ts_value &&
                                   is->ts_echo == was->ts_echo),
               "timestamps");
    FUZZ_CHECK(!is->fast_open || (was->fast_open && is->fast_open_length == was->fast_open_length),
               "fast open");
    FUZZ_CHECK(!memcmp(is->fast_open_cookie, was->fast_open_cookie, is->fast_open_length),
               "the cookie");
    FUZZ_CHECK(!is->accurate ||
                   (is->accurate == was->accurate && is->accurate_count == was->accurate_count &&
                    !memcmp(is->accurate_counters, was->accurate_counters,
                            is->accurate_count * sizeof(is->accurate_counters[0]))),
               "accurate ECN");
    FUZZ_CHECK(is->sack_count <= was->sack_count, "no more blocks than there were");
    for (unsigned i = 0; i < is->sack_count; i++)
        FUZZ_CHECK(tcp_seq_equal(is->sack[i].left, was->sack[i].left) &&
                       tcp_seq_equal(is->sack[i].right, was->sack[i].right),
                   "the first blocks stay");
}

/* With all the room there is and our own order, everything that fits together must be there. */
static void check_complete(const struct wire_tcp_options *o)
{
    struct wire_tcp_options one, again;
    uint8_t bytes[WIRE_TCP_OPTIONS_MAX];
    sw_wire_tcp_options_none(&one);
    one.mss = o->mss;
    one.window_scale = o->window_scale;
    one.sack_permitted = o->sack_permitted;
    one.timestamps = o->timestamps;
    one.ts_value = o->ts_value;
    one.ts_echo = o->ts_echo;
    size_t length = sw_wire_tcp_options_write(&one, NULL, bytes, sizeof(bytes));
    sw_wire_tcp_options_read(&again, bytes, length);
    bool stamps =
        again.timestamps == one.timestamps &&
        (!one.timestamps || (again.ts_value == one.ts_value && again.ts_echo == one.ts_echo));
    FUZZ_CHECK(stamps && again.mss == one.mss && again.window_scale == one.window_scale &&
                   again.sack_permitted == one.sack_permitted,
               "a SYN's options fit together");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct wire_tcp_options first, second, third;
    uint8_t order[ORDER_MAX + 1] = {0}, bytes[WIRE_TCP_OPTIONS_MAX], again[WIRE_TCP_OPTIONS_MAX];
    size_t room = fuzz_byte(&in) % (WIRE_TCP_OPTIONS_MAX + 1);
    size_t kinds = fuzz_byte(&in) % (ORDER_MAX + 1);
    const uint8_t *listed = fuzz_bytes(&in, &kinds); /* there may be fewer */
    memcpy(order, listed, kinds);
    const uint8_t *wanted = kinds ? order : NULL;

    sw_wire_tcp_options_read(&first, in.at, in.left);
    check_read(&first);
    size_t length = sw_wire_tcp_options_write(&first, wanted, bytes, room);
    FUZZ_CHECK(length <= room && length % 4 == 0, "whole words within the room");
    sw_wire_tcp_options_read(&second, bytes, length);
    check_kept(&first, &second);
    size_t twice = sw_wire_tcp_options_write(&second, wanted, again, room);
    sw_wire_tcp_options_read(&third, again, twice);
    check_kept(&second, &third);
    if (kinds && memchr(order, TCP_OPTION_NOP, strlen((const char *)order)))
        FUZZ_CHECK(twice == length && memcmp(again, bytes, length) == 0, "written twice the same");
    check_complete(&first);
    return 0;
}
