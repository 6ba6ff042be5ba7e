/*
 * test_strict.c - What the command line changes about a script: its family, and whether packets that
 * nothing expects count. What is no whole packet fails any script.
 */
#include "run_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "event.h"

static struct drill_world world;

static void run_with(const struct drill_settings *settings, const struct script_row *row)
{
    struct drill_result result;

    if (!world.region)
        assert_true(sw_drill_world_init(&world));
    sw_drill_run_text("script", row->text, strlen(row->text), settings, &world, NULL, &result);
    if (result.verdict != row->verdict || result.line != row->line ||
        (row->message && !strstr(result.message, row->message)))
        fail_msg("verdict %d at line %u: %s\n%s\n%s", (int)result.verdict, result.line,
                 result.message, row->text, result.detail);
    sw_drill_result_free(&result);
}

#define SOCKET "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

static void test_family_of_the_script(void **state)
{
    static const struct {
        const char *command_line;
        struct script_row row;
    } rows[] = {
        {"ipv4", {"--ip_version=ipv4\n" SOCKET, PASSES}},
        {"ipv6", {"--ip_version=ipv6\n" SOCKET, PASSES}},
        {"ipv6", {"--ip_version=ipv4\n" SOCKET, SKIPS(0, "the script is for ipv4")}},
        {"ipv4", {"--ip_version=ipv6\n" SOCKET, SKIPS(0, "the script is for ipv6")}},
        {"ipv4-mapped-ipv6", {"--ip_version=ipv4\n" SOCKET, SKIPS(0, "the script is for ipv4")}},
        {"ipv4",
         {"--ip_version=ipv4-mapped-ipv6\n" SOCKET, SKIPS(0, "the script is for ipv4-mapped")}},
        {"ipv6", {"--local_ip=10.0.0.1\n" SOCKET, SKIPS(0, "the script is for ipv4")}},
        {"ipv6", {"--remote_ip=192.0.2.9\n" SOCKET, SKIPS(0, "the script is for ipv4")}},
        {"ipv4", {"--remote_ip=2001:db8::9\n" SOCKET, SKIPS(0, "the script is for ipv6")}},
        {"ipv4-mapped-ipv6", {"--remote_ip=192.0.2.9\n" SOCKET, PASSES}},
        {"ipv6", {SOCKET, PASSES}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char value[32];
        struct drill_option option = {.name = (char[]){"ip_version"}, .value = value};
        const struct drill_settings settings = {
            .profile = "sanwo", .options = &option, .option_count = 1};

        snprintf(value, sizeof value, "%s", rows[i].command_line);
        run_with(&settings, &rows[i].row);
    }
}

/* A listener that two peers call; the script looks at one of them. */
#define TWO_PEERS                                                                                  \
    SOCKET "+0 bind(3, ..., ...) = 0\n+0 listen(3, 5) = 0\n"                                       \
           "+0 < 1001 > 8080 S 0:0(0) win 65535 <mss 1000>\n"                                      \
           "+0 < 1002 > 8080 S 0:0(0) win 65535 <mss 1000>\n"

static void test_packets_passed_over(void **state)
{
    const struct drill_settings strict = {.profile = "sanwo", .strict = true};
    const struct drill_settings lax = {.profile = "sanwo"};
    const struct script_row second_only = {TWO_PEERS "+0 > 8080 > 1002 S. 0:0(0) ack 1 <...>\n",
                                           FAILS(6, "what no event expects: 8080 > 1001 S.")};
    const struct script_row first_only = {TWO_PEERS "+0 > 8080 > 1001 S. 0:0(0) ack 1 <...>\n",
                                          FAILS(0, "what no event expects: 8080 > 1002 S.")};
    const struct script_row both = {TWO_PEERS "+0 > 8080 > 1001 S. 0:0(0) ack 1 <...>\n"
                                              "+0 > 8080 > 1002 S. 0:0(0) ack 1 <...>\n",
                                    PASSES};
    struct script_row row = second_only;

    (void)state;
    run_with(&strict, &second_only);
    run_with(&strict, &first_only);
    run_with(&strict, &both);
    row.verdict = DRILL_PASSED;
    row.line = 0;
    row.message = NULL;
    run_with(&lax, &row);
    row.text = first_only.text;
    run_with(&lax, &row);
}

/* @bytes as if the stack had sent them, with and without --strict. */
static enum drill_verdict verdict_on(const uint8_t *bytes, size_t length, char message[256])
{
    const struct drill_settings settings = {.profile = "sanwo"};
    struct drill_script script = {.path = "script"};
    struct drill_run run = {.settings = &settings, .world = &world, .script = &script};
    struct drill_emitted emitted = {.when = 0, .offset = 0, .length = (uint32_t)length};
    const struct drill_world before = world;

    world.bytes = malloc(length);
    assert_non_null(world.bytes);
    memcpy(world.bytes, bytes, length);
    world.emitted = &emitted;
    world.emitted_count = 1;
    world.taken = 0;
    sw_drill_check_leftovers(&run);
    free(world.bytes);
    world = before;
    snprintf(message, 256, "%.255s", run.message);
    sw_drill_append_free(&run.detail);
    return run.verdict;
}

static void test_no_whole_packet(void **state)
{
    /* From 10.0.0.1 to 10.0.0.2, 20 bytes of TCP: an ACK. The sums are right. */
    uint8_t whole[40] = {0x45, 0, 0,   0x28, 0,    0,    0x40, 0,    0x40, 6,    0x26, 0xce, 0xa, 0,
                         0,    1, 0xa, 0,    0,    2,    0,    0x50, 0,    0x51, 0,    0,    0,   1,
                         0,    0, 0,   1,    0x50, 0x10, 1,    0,    0x9a, 0x2f, 0,    0};
    char message[256];

    (void)state;
    if (!world.region)
        assert_true(sw_drill_world_init(&world));
    assert_int_equal(verdict_on(whole, sizeof whole, message), DRILL_PASSED);
    whole[37] ^= 1;
    assert_int_equal(verdict_on(whole, sizeof whole, message), DRILL_FAILED);
    assert_non_null(strstr(message, "checksum"));
    whole[37] ^= 1;
    assert_int_equal(verdict_on(whole, 39, message), DRILL_FAILED);
    assert_non_null(strstr(message, "no whole packet, 39 bytes: 45 00 00 28"));
    whole[32] = 0x40; /* a header of 16 bytes */
    assert_int_equal(verdict_on(whole, sizeof whole, message), DRILL_FAILED);
    whole[32] = 0x50;
    whole[9] = 99; /* a protocol that the stack does not have */
    assert_int_equal(verdict_on(whole, sizeof whole, message), DRILL_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_family_of_the_script),
        cmocka_unit_test(test_packets_passed_over),
        cmocka_unit_test(test_no_whole_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
