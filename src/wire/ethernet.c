/*
 * ethernet.c - Ethernet II headers.
 *
 *     | destination | source | type |  payload, padded to 46 bytes by the sender
 *      0             6        12     14
 */
#include "wire/ethernet.h"

bool sw_wire_ethernet_read(struct wire_ethernet *out, const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_ETHERNET_HEADER);

    if (!p)
        return false;
    memcpy(out->destination.bytes, p, 6);
    memcpy(out->source.bytes, p + 6, 6);
    out->type = sw_load16(p + 12);
    return true;
}

void sw_wire_ethernet_write(const struct wire_ethernet *h, uint8_t *bytes)
{
    memcpy(bytes, h->destination.bytes, 6);
    memcpy(bytes + 6, h->source.bytes, 6);
    sw_store16(bytes + 12, h->type);
}

bool sw_wire_mac_equal(const struct wire_mac *a, const struct wire_mac *b)
{
    return memcmp(a->bytes, b->bytes, 6) == 0;
}

bool sw_wire_mac_is_zero(const struct wire_mac *m)
{
    static const struct wire_mac zero;

    return sw_wire_mac_equal(m, &zero);
}
