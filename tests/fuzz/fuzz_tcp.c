/*
 * fuzz_tcp.c - The TCP header: what is read is written the same (RFC 9293 3.1).
 */
#include "fuzz.h"

#include "wire/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_tcp h;
    uint8_t again[WIRE_TCP_HEADER];
    size_t offset = size > 12 ? (data[12] >> 4) * 4u : 0;
    bool right = size >= WIRE_TCP_HEADER && offset >= WIRE_TCP_HEADER && offset <= size;
    bool readable = sw_wire_tcp_read(&h, data, size);
    FUZZ_CHECK(readable == right, "the data offset lies inside and behind the header");
    if (!readable)
        return 0;
    FUZZ_CHECK(h.header_length == offset, "the data offset");
    sw_wire_tcp_write(&h, again);
    FUZZ_CHECK(memcmp(again, data, sizeof(again)) == 0, "written as it was read");
    return 0;
}
