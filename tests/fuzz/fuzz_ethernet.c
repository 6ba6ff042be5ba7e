/*
 * fuzz_ethernet.c - Ethernet II headers: what is read is written the same.
 */
#include "fuzz.h"

#include "wire/ethernet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_ethernet h;
    uint8_t again[WIRE_ETHERNET_HEADER];
    bool readable = sw_wire_ethernet_read(&h, data, size);
    FUZZ_CHECK(readable == (size >= sizeof(again)), "the length alone decides");
    if (!readable)
        return 0;
    sw_wire_ethernet_write(&h, again);
    FUZZ_CHECK(memcmp(again, data, sizeof(again)) == 0, "written as it was read");
    FUZZ_CHECK(sw_wire_mac_is_group(&h.destination) == (data[0] & 1), "the group bit");
    FUZZ_CHECK(sw_wire_mac_equal(&h.source, &h.destination) == !memcmp(data, data + 6, 6), "equal");
    return 0;
}
