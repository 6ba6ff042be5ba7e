/*
 * fuzz_address.c - Addresses, prefixes and endpoints as text, and back.
 *
 * The system's inet_pton() is the second opinion on what an address is; inet_ntop() on what the
 * text of ours means.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <sanwo/address.h>

#include <arpa/inet.h>
#include <stdlib.h>

static bool second_opinion(const char *text, struct sanwo_address *out)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *out = sanwo_address_ipv4(bytes[0], bytes[1], bytes[2], bytes[3]);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *out = sanwo_address_ipv6(bytes);
    return true;
}

static void check_text_of(const struct sanwo_address *a)
{
    struct sanwo_address again;
    char text[SANWO_ADDRESS_TEXT], small[SANWO_ADDRESS_TEXT];
    sanwo_address_format(a, text, sizeof(text));
    FUZZ_CHECK(sanwo_address_parse(text, &again) && sanwo_address_equal(a, &again),
               "its text means the address");
    FUZZ_CHECK(second_opinion(text, &again) && sanwo_address_equal(a, &again), "to others too");
    for (size_t size = 1; size < sizeof(small); size += 7) {
        memset(small, 'x', sizeof(small));
        sanwo_address_format(a, small, size);
        FUZZ_CHECK(memchr(small, 0, size), "ended by a NUL in any room");
    }
}

static void check_parse(const char *text)
{
    struct sanwo_address a, other;
    bool ours = sanwo_address_parse(text, &a);
    FUZZ_CHECK(ours == second_opinion(text, &other), "what is an address");
    if (!ours)
        return;
    FUZZ_CHECK(sanwo_address_equal(&a, &other), "which address it is");
    check_text_of(&a);
    FUZZ_CHECK(sanwo_address_in_prefix(&a, &a, a.family == SANWO_FAMILY_IPV4 ? 32 : 128), "itself");
}

static void check_prefix(const char *text)
{
    struct sanwo_address a;
    unsigned length = 999;
    if (!sanwo_prefix_parse(text, &a, &length))
        return;
    FUZZ_CHECK(length <= (a.family == SANWO_FAMILY_IPV4 ? 32u : 128u), "the prefix's length");
    FUZZ_CHECK(sanwo_address_in_prefix(&a, &a, length), "an address lies in its prefix");
    check_text_of(&a);
}

static void check_endpoint(const char *text)
{
    struct sanwo_endpoint e, again;
    char out[SANWO_ENDPOINT_TEXT];
    if (!sanwo_endpoint_parse(text, &e))
        return;
    sanwo_endpoint_format(&e, out, sizeof(out));
    FUZZ_CHECK(sanwo_endpoint_parse(out, &again) && again.port == e.port &&
                   sanwo_address_equal(&e.address, &again.address),
               "its text means the endpoint");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    check_parse(text);
    check_prefix(text);
    check_endpoint(text);
    free(text);
    if (size == 16) {
        struct sanwo_address six = sanwo_address_ipv6(data);
        struct sanwo_address four = sanwo_address_ipv4(data[0], data[1], data[2], data[3]);
        check_text_of(&six);
        check_text_of(&four);
    }
    return 0;
}
