/*
 * fuzz_arp.c - ARP packets: what is read is written the same (RFC 826).
 */
#include "fuzz.h"

#include "wire/arp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ours[6] = {0, 1, 8, 0, 6, 4}; /* Ethernet and IPv4, and their lengths */
    struct wire_arp a;
    uint8_t again[WIRE_ARP_SIZE];
    bool right = size >= sizeof(again) && memcmp(data, ours, sizeof(ours)) == 0;
    bool readable = sw_wire_arp_read(&a, data, size);
    FUZZ_CHECK(readable == right, "types and lengths decide");
    if (!readable)
        return 0;
    FUZZ_CHECK(a.sender.family == SANWO_FAMILY_IPV4 && a.target.family == SANWO_FAMILY_IPV4,
               "IPv4 addresses");
    sw_wire_arp_write(&a, again);
    FUZZ_CHECK(memcmp(again, data, sizeof(again)) == 0, "written as it was read");
    return 0;
}
