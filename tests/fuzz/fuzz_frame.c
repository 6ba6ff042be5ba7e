/*
 * fuzz_frame.c - Arbitrary frames into a whole stack, over both kinds of link.
 *
 *     input:  | how | length | bytes | how | length | bytes | ...
 *     how:    link, checksums made right or not, vouched for or not, slices, borrowed, time
 *
 * The stack listens, and has connections opening on both links, so that every door of it can be
 * reached. Checked: everything emitted is well-formed, transmitting ends, the budget is kept.
 */
#include "shared_wire.h"

#include <stdlib.h>

#define BUDGET (512u << 10)
#define FRAMES_PER_INPUT 40
#define MTU 1500
#define ETHERNET_HEADER 14

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1};

struct host {
    struct sanwo_stack *stack;
    sanwo_time now;
    unsigned ip, ethernet;
};

static struct sanwo_address address(const char *text)
{
    struct sanwo_address a;
    FUZZ_CHECK(sanwo_address_parse(text, &a), "an address");
    return a;
}

static void add_address(struct host *h, unsigned link, const char *text, unsigned prefix)
{
    struct sanwo_address a = address(text);
    FUZZ_CHECK(sanwo_stack_address_add(h->stack, link, &a, prefix) == 0, "an address is added");
}

static void open_connections(struct host *h)
{
    struct sanwo_handle handle;
    struct sanwo_tcp_listen listen = {.local = {.port = 80}};
    struct sanwo_tcp_listen ask = {.local = {.port = 81}, .flags = SANWO_LISTEN_DECIDE};
    FUZZ_CHECK(sanwo_tcp_listen(h->stack, &listen, 0, &handle) == 0, "listening");
    FUZZ_CHECK(sanwo_tcp_listen(h->stack, &ask, 0, &handle) == 0, "listening");
    const char *peers[] = {"10.0.0.2", "2001:db8::2", "192.168.1.2", "8.8.8.8"};
    for (unsigned i = 0; i < 4; i++) {
        struct sanwo_tcp_connect open = {
            .remote = {address(peers[i]), 80}, .isn_is_set = true, .isn = 0xfffffff0u};
        open.local.port = (uint16_t)(5000 + i);
        FUZZ_CHECK(sanwo_tcp_connect(h->stack, &open, 0, &handle) == 0, "connecting");
    }
}

static void set_up(struct host *h)
{
    static uint8_t *region;
    struct sanwo_stack_config config;
    sanwo_stack_config_default(&config);
    config.deterministic = true;
    config.budget = BUDGET;
    config.max_connections = 32;
    config.max_half_open = 16;
    config.max_time_wait = 16;
    config.max_listeners = 4;
    config.max_neighbours = 8;
    config.max_replies = 16;
    size_t size = sanwo_stack_region_size(&config);
    if (!region)
        region = aligned_alloc(4096, size);
    FUZZ_CHECK(region, "memory");
    memset(region, 0xa5, size < (2u << 20) ? size : 2u << 20);
    FUZZ_CHECK(sanwo_stack_create(region, size, &config, 0, &h->stack) == 0, "a stack");
    struct sanwo_link_config ip = {.kind = SANWO_LINK_IP, .mtu = MTU, .distrust_checksums = true};
    struct sanwo_link_config ethernet = {.kind = SANWO_LINK_ETHERNET, .mtu = MTU};
    memcpy(ethernet.mac, our_mac, 6);
    h->ip = (unsigned)sanwo_stack_link_add(h->stack, &ip);
    h->ethernet = (unsigned)sanwo_stack_link_add(h->stack, &ethernet);
    add_address(h, h->ip, "10.0.0.1", 24);
    add_address(h, h->ip, "2001:db8::1", 64);
    add_address(h, h->ip, "fe80::1", 64);
    add_address(h, h->ethernet, "192.168.1.1", 24);
    struct sanwo_address any = address("0.0.0.0"), gateway = address("192.168.1.254");
    FUZZ_CHECK(sanwo_stack_route_add(h->stack, &any, 0, &gateway, h->ethernet) == 0, "a route");
    open_connections(h);
}

/* Ethernet: a header of ours, then ARP or IPv4. */
static void check_ethernet(const struct sanwo_frame *frame, uint8_t *bytes)
{
    struct wire_seen seen;
    sanwo_frame_copy(frame, bytes);
    sanwo_frame_complete(frame, bytes);
    FUZZ_CHECK(frame->length >= ETHERNET_HEADER + 28, "an Ethernet frame");
    FUZZ_CHECK(frame->length <= ETHERNET_HEADER + MTU, "within the MTU");
    FUZZ_CHECK(memcmp(bytes + 6, our_mac, 6) == 0, "from us");
    unsigned type = (unsigned)bytes[12] << 8 | bytes[13];
    if (type == 0x0806) {
        static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};
        FUZZ_CHECK(memcmp(bytes + 14, head, sizeof(head)) == 0, "ARP for IPv4");
        FUZZ_CHECK(bytes[21] == 1 || bytes[21] == 2, "asking or answering");
        FUZZ_CHECK(memcmp(bytes + 22, our_mac, 6) == 0, "our address");
        return;
    }
    FUZZ_CHECK(type == 0x0800, "IPv4 or ARP");
    wire_check_packet(bytes + ETHERNET_HEADER, frame->length - ETHERNET_HEADER, &seen);
}

static void look(struct host *h)
{
    static uint8_t bytes[70000];
    struct sanwo_frame frames[8];
    struct sanwo_event events[8];
    struct sanwo_stack_stats stats;
    unsigned total = 0;
    size_t n;
    while ((n = sanwo_stack_transmit(h->stack, frames, 8, h->now)) > 0) {
        for (size_t i = 0; i < n; i++) {
            struct wire_seen seen;
            if (frames[i].link == h->ip)
                wire_check_frame(&frames[i], MTU, bytes, &seen);
            else
                check_ethernet(&frames[i], bytes);
        }
        sanwo_stack_sent(h->stack, frames, n);
        total += (unsigned)n;
        FUZZ_CHECK(total < 1000, "transmitting ends");
    }
    while (sanwo_stack_events(h->stack, events, 8) > 0)
        ;
    FUZZ_CHECK(sanwo_stack_deadline(h->stack) > h->now, "nothing is left to do now");
    sanwo_stack_stats(h->stack, &stats);
    FUZZ_CHECK(stats.memory_peak <= stats.memory_budget, "the budget is kept");
}

enum { HOW_LINK = 1, HOW_FIX = 2, HOW_SPLIT = 4, HOW_BORROW = 8 };

/* The bytes as up to three slices, in memory of exactly their size or in a borrowed buffer. */
static void hand_in(struct host *h, uint8_t how, uint8_t *bytes, uint32_t length)
{
    struct sanwo_frame frame = {.length = length, .slice_count = 1};
    struct sanwo_room room;
    frame.link = (uint16_t)(how & HOW_LINK ? h->ethernet : h->ip);
    frame.checksum = how >> 4 & 3;
    frame.slices[0] = (struct sanwo_slice){.bytes = bytes, .length = length};
    if (frame.checksum > SANWO_CHECKSUM_PARTIAL)
        frame.checksum = SANWO_CHECKSUM_NONE;
    if ((how & HOW_BORROW) && sanwo_stack_borrow(h->stack, length, &room, 1) == 1) {
        memcpy(room.bytes, bytes, length);
        frame.slices[0].bytes = room.bytes;
        frame.slices[0].buffer = room.buffer;
    } else if ((how & HOW_SPLIT) && length > 60) {
        uint32_t headers = length / 2 > 80 ? 80 : length / 2, middle = (length - headers) / 3;
        frame.slice_count = 3;
        frame.slices[0].length = headers;
        frame.slices[1] = (struct sanwo_slice){.bytes = bytes + headers, .length = middle};
        frame.slices[2] = (struct sanwo_slice){.bytes = bytes + headers + middle,
                                               .length = length - headers - middle};
    }
    sanwo_stack_receive(h->stack, &frame, 1, h->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct host h = {0};
    set_up(&h);
    look(&h);
    for (unsigned i = 0; i < FRAMES_PER_INPUT && in.left; i++) {
        uint8_t how = fuzz_byte(&in);
        size_t length = fuzz_byte(&in);
        if (length >= 250) /* longer ones */
            length = (length - 249) * 300;
        const uint8_t *at = fuzz_bytes(&in, &length);
        uint8_t *bytes = fuzz_copy(at, length);
        size_t skip = how & HOW_LINK ? ETHERNET_HEADER : 0;
        if ((how & HOW_FIX) && length > skip)
            wire_fix_checksums(bytes + skip, length - skip);
        h.now += how >> 6 == 3 ? SANWO_SEC(2) : SANWO_MSEC(how >> 6);
        hand_in(&h, how, bytes, (uint32_t)length);
        free(bytes);
        look(&h);
    }
    return 0;
}
