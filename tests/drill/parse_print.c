/*
 * parse_print.c - A parsed script in a compact form of its own, for comparing.
 */
#include "parse_print.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char printed[1 << 16];
static size_t used;

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(printed + used, sizeof(printed) - used, format, arguments);
    va_end(arguments);
    used = used + (size_t)length < sizeof(printed) ? used + (size_t)length : sizeof(printed) - 1;
}

/* ---- values --------------------------------------------------------------------------------------- */

static void put_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= ' ' && text[i] <= '~')
            put("%c", text[i]);
        else
            put("<%02x>", (unsigned char)text[i]);
    }
}

static void put_value(const struct drill_value *value);

static void put_values(const struct drill_value *values, size_t count, const char *between)
{
    for (size_t i = 0; i < count; i++) {
        put("%s", i ? between : "");
        put_value(&values[i]);
    }
}

static void put_value(const struct drill_value *value)
{
    if (value->name)
        put("%s", value->name);
    if (value->count) {
        put("(");
        put_value(value->count);
        put(")");
    }
    put("%s", value->name ? "=" : "");
    switch (value->kind) {
    case DRILL_ELLIPSIS:
        put("...");
        break;
    case DRILL_INTEGER:
        put(value->hexadecimal ? "0x%" PRIx64 : "%" PRId64, value->integer);
        break;
    case DRILL_WORD:
        assert_int_equal(value->length, strlen(value->text));
        put("%s", value->text);
        break;
    case DRILL_STRING:
        put("\"");
        put_text(value->text, value->length);
        put(value->open_ended ? "\"..." : "\"");
        break;
    case DRILL_OR:
        assert_int_equal(value->item_count, 2);
        put("<");
        put_values(value->items, 2, " | ");
        put(">");
        break;
    case DRILL_LIST:
    case DRILL_STRUCT:
        put(value->kind == DRILL_LIST ? "[" : "{");
        put_values(value->items, value->item_count, ", ");
        put(value->kind == DRILL_LIST ? "]" : "}");
        break;
    case DRILL_CALLED:
        put("%s(", value->text);
        put_values(value->items, value->item_count, ", ");
        put(")");
        break;
    default:
        fail_msg("kind %u", value->kind);
    }
}

static void put_call(const struct drill_call *call)
{
    put("call %s(", call->name);
    put_values(call->arguments, call->argument_count, ", ");
    put(") = ");
    put_value(call->result);
    if (call->error)
        put(" %s", call->error);
    if (call->note)
        put(" (%s)", call->note);
}

/* ---- packets -------------------------------------------------------------------------------------- */

static void put_ip(const struct drill_ip_info *ip)
{
    static const char *const checks[] = {"", "ecn", "ect01", "byte", "dscp", "dscp+ect01"};

    if (ip->tos_check)
        put(" %s:%02x", checks[ip->tos_check], ip->tos);
    else
        assert_int_equal(ip->tos, 0);
    if (ip->ttl_is_set)
        put(" ttl:%u", ip->ttl);
    if (ip->flow_label_is_set)
        put(" label:%05x", (unsigned)ip->flow_label);
}

static void put_option(const struct drill_tcp_option *option)
{
    put(" %u/%u", option->kind, option->length);
    if (option->experimental)
        put("x%04x", option->exid);
    if (option->as_bytes)
        put("raw");
    if (option->kind == 8 && !option->as_bytes)
        put("=%u%s,%u%s", (unsigned)option->val, option->any_val ? "any" : "",
            (unsigned)option->ecr, option->absolute_ecr ? "!" : "");
    else if ((option->kind == 2 || option->kind == 3) && !option->as_bytes)
        put("=%u", (unsigned)option->val);
    for (unsigned i = 0; i < option->sack_count; i++)
        put("=%u-%u", (unsigned)option->sack[i][0], (unsigned)option->sack[i][1]);
    for (unsigned i = 0; i < option->data_length; i++)
        put("%s%02x", i ? "" : ":", option->data[i]);
}

static void put_tcp(const struct drill_packet *packet)
{
    put(" tcp %02x", packet->flags);
    put("%s", packet->ae ? "+ae" : "");
    if (packet->ace_is_set)
        put(" ace %u", packet->ace);
    put(packet->seq_is_any ? " any" : " seq %u%s", (unsigned)packet->seq,
        packet->seq_is_absolute ? "!" : "");
    put(" len %u", (unsigned)packet->payload_length);
    if (packet->ack_is_set)
        put(" ack %u%s", (unsigned)packet->ack, packet->ack_is_absolute ? "!" : "");
    if (packet->window_is_set)
        put(" win %u", packet->window);
    if (packet->urgent_is_set)
        put(" urg %u", packet->urgent);
    if (packet->any_options)
        put(" any-options");
    for (size_t i = 0; i < packet->option_count; i++)
        put_option(&packet->options[i]);
    if (packet->udp_encapsulated)
        put(" within %u>%u", packet->udp_source, packet->udp_destination);
}

static void put_icmp(const struct drill_packet *packet)
{
    put(" icmp %s", packet->icmp_type);
    if (packet->icmp_code)
        put(" %s", packet->icmp_code);
    if (packet->mtu_is_set)
        put(" mtu %u", (unsigned)packet->mtu);
    if (packet->id_is_set)
        put(" id %u", packet->icmp_id);
    if (packet->quoted_is_set)
        put(" quotes %u: %u+%u", packet->quoted_protocol, (unsigned)packet->quoted_seq,
            (unsigned)packet->quoted_length);
    if (packet->udp_encapsulated)
        put(" within %u>%u", packet->udp_source, packet->udp_destination);
}

static void put_packet(const struct drill_packet *packet)
{
    put(packet->direction == DRILL_INBOUND ? "<" : ">");
    if (packet->encapsulation)
        put(" {%s}", packet->encapsulation);
    put_ip(&packet->ip);
    if (packet->source_port || packet->destination_port)
        put(" %u>%u", packet->source_port, packet->destination_port);
    if (packet->protocol == DRILL_TCP)
        put_tcp(packet);
    else if (packet->protocol == DRILL_UDP)
        put(" udp len %u", (unsigned)packet->payload_length);
    else
        put_icmp(packet);
}

/* ---- scripts -------------------------------------------------------------------------------------- */

static void put_nanoseconds(sanwo_time t)
{
    char digits[40];
    size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64 ".%09" PRId64,
                                     t / 1000000000, t % 1000000000);

    while (digits[length - 1] == '0')
        length--;
    put("%.*s", (int)(digits[length - 1] == '.' ? length - 1 : length), digits);
}

static void put_event(const struct drill_event *event)
{
    static const char *const times[] = {"@", "+", "*"};

    put("%u", event->line);
    if (event->included_path)
        put("(%s:%u)", event->included_path, event->included_line);
    put(": %s", times[event->time_kind]);
    if (event->time_kind != DRILL_TIME_ANY)
        put_nanoseconds(event->at);
    if (event->range || (event->call && event->call->blocking)) {
        put(event->range ? "~" : "...");
        put_nanoseconds(event->end);
    }
    put(" ");
    switch (event->kind) {
    case DRILL_EVENT_PACKET:
        put_packet(event->packet);
        break;
    case DRILL_EVENT_CALL:
        put_call(event->call);
        break;
    default:
        put(event->kind == DRILL_EVENT_CODE ? "code [" : "shell [");
        put_text(event->text, strlen(event->text));
        put("]");
    }
    put("\n");
}

static void put_shell(const char *what, unsigned line, const char *text)
{
    if (!text)
        return;
    put("%u: %s [", line, what);
    put_text(text, strlen(text));
    put("]\n");
}

static void put_script(const struct drill_script *script)
{
    for (size_t i = 0; i < script->option_count; i++) {
        const struct drill_option *option = &script->options[i];

        put("%u: --%s%s%s\n", option->line, option->name, option->value ? "=" : "",
            option->value ? option->value : "");
    }
    put_shell("initially", script->initial_shell_line, script->initial_shell);
    for (size_t i = 0; i < script->event_count; i++)
        put_event(&script->events[i]);
    put_shell("finally", script->cleanup_shell_line, script->cleanup_shell);
}

const char *parse_and_print(const char *text, size_t length, const struct drill_define *defines,
                            size_t define_count)
{
    char message[600];
    struct drill_script *script =
        sw_drill_parse("t.pkt", text, length, defines, define_count, message, sizeof(message));

    used = 0;
    printed[0] = '\0';
    if (!script) {
        assert_true(message[0]);
        assert_null(strchr(message, '\n'));
        put("error: %s\n", message);
        return printed;
    }
    assert_int_equal(message[0], 0);
    put_script(script);
    sw_drill_script_free(script);
    return printed;
}

void check_parse(const char *text, const char *expected)
{
    const char *got = parse_and_print(text, strlen(text), NULL, 0);

    if (strcmp(got, expected))
        fail_msg("script:\n%s\nexpected:\n%s\ngot:\n%s", text, expected, got);
}
