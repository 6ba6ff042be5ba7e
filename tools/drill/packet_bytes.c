/*
 * packet_bytes.c - The Internet checksum and bounded text.
 */
#include "packet_bytes.h"

#include <stdarg.h>
#include <stdio.h>

uint16_t sw_drill_checksum(const uint8_t *bytes, size_t length, uint32_t sum)
{
    uint64_t total = sum;

    for (size_t i = 0; i + 1 < length; i += 2)
        total += drill_get16(bytes + i);
    if (length % 2)
        total += (uint32_t)bytes[length - 1] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint16_t)~total;
}

uint32_t sw_drill_pseudo_sum(const struct sanwo_address *source,
                             const struct sanwo_address *destination, uint8_t protocol,
                             size_t length)
{
    size_t bytes = source->family == SANWO_FAMILY_IPV6 ? 16 : 4;
    uint32_t sum = protocol + (uint32_t)(length >> 16) + (uint32_t)(length & 0xffff);

    for (size_t i = 0; i < bytes; i += 2)
        sum += (uint32_t)drill_get16(source->bytes + i) + drill_get16(destination->bytes + i);
    return sum;
}

void sw_drill_text_init(struct drill_text *text, char *out, size_t size)
{
    text->out = out;
    text->size = size;
    text->used = 0;
    if (size > 0)
        out[0] = '\0';
}

void sw_drill_text_add(struct drill_text *text, const char *format, ...)
{
    va_list arguments;
    int n;

    if (text->used + 1 >= text->size)
        return;
    va_start(arguments, format);
    n = vsnprintf(text->out + text->used, text->size - text->used, format, arguments);
    va_end(arguments);
    if (n > 0)
        text->used += (size_t)n;
    if (text->used >= text->size)
        text->used = text->size - 1;
}

void sw_drill_text_hex(struct drill_text *text, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sw_drill_text_add(text, "%02x", bytes[i]);
}
