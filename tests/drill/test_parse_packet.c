/*
 * test_parse_packet.c - Packets of scripts in both dialects: what they are read as, and what is said of
 * those that are wrong.
 */
#include "parse_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *packet;   /* follows "+0 " */
    const char *expected; /* follows "1: +0 " or, of a wrong one, "error: " */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_rows(const struct row *rows, size_t count, const char *begin)
{
    for (size_t i = 0; i < count; i++) {
        char script[600], expected[600];

        snprintf(script, sizeof(script), "+0 %s\n", rows[i].packet);
        snprintf(expected, sizeof(expected), "%s%s\n", begin, rows[i].expected);
        check_parse(script, expected);
    }
}

#define CHECK_GOOD(rows) check_rows(rows, COUNT(rows), "1: +0 ")
#define CHECK_BAD(rows) check_rows(rows, COUNT(rows), "error: ")

static void test_flags(void **state)
{
    static const struct row rows[] = {
        {"> S 0:0(0)", "> tcp 02 seq 0 len 0"},
        {"> S. 0:0(0) ack 1", "> tcp 12 seq 0 len 0 ack 1"},
        {"> S . 0:0(0) ack 1", "> tcp 12 seq 0 len 0 ack 1"},
        {"> . 1:1(0) ack 1", "> tcp 10 seq 1 len 0 ack 1"},
        {"> - 1:1(0)", "> tcp 00 seq 1 len 0"},
        {"> P. 1:2(1) ack 1", "> tcp 18 seq 1 len 1 ack 1"},
        {"> FPU. 1:2(1) ack 1", "> tcp 39 seq 1 len 1 ack 1"},
        {"> R 1:1(0)", "> tcp 04 seq 1 len 0"},
        {"> SEW 0:0(0)", "> tcp c2 seq 0 len 0"},
        {"> SEWA 0:0(0)", "> tcp c2+ae seq 0 len 0"},
        {"> SC 0:0(0)", "> tcp 82 seq 0 len 0"},
        {"> .5 1:1(0) ack 1", "> tcp 50+ae ace 5 seq 1 len 0 ack 1"},
        {"> P.2 1:1(0) ack 1", "> tcp 98 ace 2 seq 1 len 0 ack 1"},
        {"> S0. 1:1(0) ack 1", "> tcp 12 ace 0 seq 1 len 0 ack 1"},
        {"> S7 1:1(0)", "> tcp c2+ae ace 7 seq 1 len 0"},
    };
    static const struct row wrong[] = {
        {"> X 0:0(0)", "t.pkt:1: 'X' is no TCP flag; there are F S R P . U E W A and 0-7"},
        {"> S8 0:0(0)", "t.pkt:1: '8' is no TCP flag; there are F S R P . U E W A and 0-7"},
        {"> E.1 0:0(0)", "t.pkt:1: the flag 1 contradicts another one"},
        {"> S1E 0:0(0)", "t.pkt:1: the flag E contradicts another one"},
        {"> .12 0:0(0)", "t.pkt:1: the flag 2 contradicts another one"},
        {"> 1:1(0)", "t.pkt:1: expected '>' between the ports, found ':'"},
        {"> \"S\" 1:1(0)",
         "t.pkt:1: expected TCP flags (as S. or -), ports, udp or icmp, found a string"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

static void test_numbers(void **state)
{
    static const struct row rows[] = {
        {"> . 1:1461(1460) ack 1 win 256", "> tcp 10 seq 1 len 1460 ack 1 win 256"},
        {"> . 1:1(0)! ack 5!", "> tcp 10 seq 1! len 0 ack 5!"},
        {"> R ...(0)", "> tcp 04 any len 0"},
        {"> . 4294967295:4(5) ack 4294967295", "> tcp 10 seq 4294967295 len 5 ack 4294967295"},
        {"> . 0x10:0x20(16) ack 0xa win 0xffff", "> tcp 10 seq 16 len 16 ack 10 win 65535"},
        {"< U. 1:2(1) ack 1 win 0 urg 65535", "< tcp 30 seq 1 len 1 ack 1 win 0 urg 65535"},
        {"< 1000 > 2000 S 0:0(0) win 1", "< 1000>2000 tcp 02 seq 0 len 0 win 1"},
        {"> 65535 > 1 S. 0:0(0) ack 1", "> 65535>1 tcp 12 seq 0 len 0 ack 1"},
        {"> S 0:0(0) /udp(1234 > 4321)", "> tcp 02 seq 0 len 0 within 1234>4321"},
        {"> S 0:0(0) <mss 1460> / udp (9 > 8)", "> tcp 02 seq 0 len 0 2/4=1460 within 9>8"},
        {"> S 0:0(0) (udp 9 > 8)", "> tcp 02 seq 0 len 0 within 9>8"},
        {"> . 1:1(0) ack 1 {}", "> tcp 10 seq 1 len 0 ack 1"},
    };
    static const struct row wrong[] = {
        {"> . 1:1461(1459) ack 1", "t.pkt:1: 1:1461(1459) is inconsistent: 1 + 1459 is 1460"},
        {"> . 4294967296:0(0)", "t.pkt:1: the sequence number must be within 0 and 4294967295"},
        {"> . -1:0(1)", "t.pkt:1: the sequence number must be within 0 and 4294967295"},
        {"> . 1:65537(65536)", "t.pkt:1: the payload's length must be within 0 and 65535"},
        {"> . 99999999999999999999:1(1)",
         "t.pkt:1: the sequence number must be within 0 and 4294967295"},
        {"> .", "t.pkt:2: expected sequence numbers: first:end(length), found the script's end"},
        {"> . 1", "t.pkt:2: expected ':' between the sequence numbers, found the script's end"},
        {"> . 1:1", "t.pkt:2: expected '(' before the length, found the script's end"},
        {"> . 1:1(0 ack 1", "t.pkt:1: expected ')' after the length, found 'ack'"},
        {"> . 1:1(0) ack", "t.pkt:2: expected a number (ack), found the script's end"},
        {"> . 1:1(0) ack 4294967296", "t.pkt:1: ack must be within 0 and 4294967295"},
        {"> . 1:1(0) ack 1 win 65536", "t.pkt:1: win must be within 0 and 65535"},
        {"> . 1:1(0) ack 1 win -1", "t.pkt:1: win must be within 0 and 65535"},
        {"> U. 1:1(0) ack 1 win 1 urg 65536", "t.pkt:1: urg must be within 0 and 65535"},
        {"> . 1:1(0) wni 5",
         "t.pkt:1: expected an event's time (0.1, +0.1 or *) after this packet, found 'wni'"},
        {"< S 0:0(0)", "t.pkt:1: an inbound segment needs its window: win n"},
        {"> 1 > 65536 S 0:0(0)", "t.pkt:1: the destination port must be within 0 and 65535"},
        {"> . 1:1(0) ack 1 {mut ip ihl}", "unsupported: t.pkt:1: packets to be fuzzed"},
        {"> S 0:0(0) /tcp(1 > 2)", "t.pkt:1: expected udp, found 'tcp'"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

static void test_options(void **state)
{
    static const struct row rows[] = {
        {"> S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>",
         "> tcp 02 seq 0 len 0 2/4=1460 4/2 8/10=1,0 1/1 3/3=7"},
        {"> . 1:1(0) ack 1 <nop, nop, TS val 4294967295 ecr 7>",
         "> tcp 10 seq 1 len 0 ack 1 1/1 1/1 8/10=4294967295,7"},
        {"> . 1:1(0) ack 1 <nop,nop,TS val ... ecr 7!>",
         "> tcp 10 seq 1 len 0 ack 1 1/1 1/1 8/10=0any,7!"},
        {"> . 1:1(0) ack 1 <nop,nop,sack 1:2 3:4 5:6 4294967290:7>",
         "> tcp 10 seq 1 len 0 ack 1 1/1 1/1 5/34=1-2=3-4=5-6=4294967290-7"},
        {"> . 1:1(0) ack 1 <nop,eol,eol,eol>", "> tcp 10 seq 1 len 0 ack 1 1/1 0/1 0/1 0/1"},
        {"> . 1:1(0) ack 1 <...>", "> tcp 10 seq 1 len 0 ack 1 any-options"},
        {"< S 0:0(0) win 1 <md5 000102030405060708090a0b0c0d0e0f,nop,nop>",
         "< tcp 02 seq 0 len 0 win 1 19/18:000102030405060708090a0b0c0d0e0f 1/1 1/1"},
        {"> S 0:0(0) <FO,nop,nop>", "> tcp 02 seq 0 len 0 34/2 1/1 1/1"},
        {"> S 0:0(0) <FO a1b2c3d4e5f60718,nop,nop>",
         "> tcp 02 seq 0 len 0 34/10:a1b2c3d4e5f60718 1/1 1/1"},
        {"> S 0:0(0) <FO 12345678901234567890123456789012,nop,nop>",
         "> tcp 02 seq 0 len 0 34/18:12345678901234567890123456789012 1/1 1/1"},
        {"> S 0:0(0) <FOEXP,FOEXP 0102 , nop,nop>",
         "> tcp 02 seq 0 len 0 254/4xf989 254/6xf989:0102 1/1 1/1"},
        {"> S 0:0(0) <exp-FO,exp-FO 0a0b,nop,nop>",
         "> tcp 02 seq 0 len 0 254/4xf989 254/6xf989:0a0b 1/1 1/1"},
        {"> . 1:1(0) ack 1 <AccECN0 ee0b 1 eceb 2 ee1b 16777215,nop>",
         "> tcp 10 seq 1 len 0 ack 1 172/11:000001000002ffffff 1/1"},
        {"> . 1:1(0) ack 1 <AccECN1 ee1b 1 eceb 2,AccECN1,nop,nop>",
         "> tcp 10 seq 1 len 0 ack 1 174/8:000001000002 174/2 1/1 1/1"},
        {"> . 1:1(0) ack 1 <exp-AccECN0 ee0b 1,exp-AccECN1,nop>",
         "> tcp 10 seq 1 len 0 ack 1 254/7xacc0:000001 254/4xacc1 1/1"},
        {"> . 1:1(0) ack 1 <exp-AccECN1 ee1b 1 eceb 2 ee0b 3,nop,nop,nop>",
         "> tcp 10 seq 1 len 0 ack 1 254/13xacc1:000001000002000003 1/1 1/1 1/1"},
        {"> . 1:1(0) ack 1 <ECN e1b 1 ceb 0 e0b 2,nop>",
         "> tcp 10 seq 1 len 0 ack 1 174/11:000001000000000002 1/1"},
        {"> . 1:1(0) ack 1 <ECN e0b 1 ceb 0 e1b 2,nop>",
         "> tcp 10 seq 1 len 0 ack 1 172/11:000001000000000002 1/1"},
        {"> . 1:1(0) ack 1 <exp-tarr,exp-tarr 3,exp-tarr 1001>",
         "> tcp 10 seq 1 len 0 ack 1 254/4x00ac 254/6x00ac:0060 254/6x00ac:7d20"},
        {"< . 1:1(0) ack 1 win 1 <0xfd:010203,0x1f/0:,0x02/9:05,nop,nop>",
         "< tcp 10 seq 1 len 0 ack 1 win 1 253/5raw:010203 31/0raw 2/9raw:05 1/1 1/1"},
        {"< . 1:1(0) ack 1 win 1 <30:aabb>", "< tcp 10 seq 1 len 0 ack 1 win 1 30/4raw:aabb"},
    };

    (void)state;
    CHECK_GOOD(rows);
}

static void test_wrong_options(void **state)
{
    static const struct row rows[] = {
        {"> S 0:0(0) <mss 65536>", "t.pkt:1: mss must be within 0 and 65535"},
        {"> S 0:0(0) <wscale 256>", "t.pkt:1: wscale must be within 0 and 255"},
        {"> S 0:0(0) <mss>", "t.pkt:1: expected a number (mss), found '>'"},
        {"> S 0:0(0) <mss 1460,wscale 7>",
         "t.pkt:1: the TCP options take 7 bytes: add nop up to a multiple of 4"},
        {"> S 0:0(0) <mss 1460",
         "t.pkt:2: expected '>' or ',' after a TCP option, found the script's end"},
        {"> S 0:0(0) <mss 1460 nop>",
         "t.pkt:1: expected '>' or ',' after a TCP option, found 'nop'"},
        {"> S 0:0(0) <sakOK>",
         "t.pkt:1: expected a TCP option (mss, wscale, sackOK, sack, TS, nop ...), found 'sakOK'"},
        {"> S 0:0(0) <>",
         "t.pkt:1: expected a TCP option (mss, wscale, sackOK, sack, TS, nop ...), found '>'"},
        {"> . 1:1(0) ack 1 <sack 1:2 3:4 5:6 7:8 9:10>", "t.pkt:1: more than four SACK blocks"},
        {"> . 1:1(0) ack 1 <nop,nop,sack 1 2>",
         "t.pkt:1: expected ':' between a SACK block's edges, found '2'"},
        {"> . 1:1(0) ack 1 <TS ecr 1>", "t.pkt:1: expected val after TS, found 'ecr'"},
        {"> . 1:1(0) ack 1 <TS val 4294967296 ecr 1>",
         "t.pkt:1: val must be within 0 and 4294967295"},
        {"> . 1:1(0) ack 1 <sack 1:2 3:4 5:6 7:8,TS val 1 ecr 2>",
         "t.pkt:1: the TCP options take more than 40 bytes"},
        {"> S 0:0(0) <FO abc>", "t.pkt:1: the cookie has an odd number of digits"},
        {"> S 0:0(0) <FO abxy>", "t.pkt:1: the cookie is not hexadecimal"},
        {"> S 0:0(0) <md5 000102030405060708090a0b0c0d0e0f10>",
         "t.pkt:1: the digest is longer than 16 bytes"},
        {"> . 1:1(0) ack 1 <AccECN0 eceb 1>", "t.pkt:1: AccECN: ee0b comes next in this option"},
        {"> . 1:1(0) ack 1 <AccECN1 ee1b 16777216>", "t.pkt:1: ee1b must be within 0 and 16777215"},
        {"> . 1:1(0) ack 1 <exp-mss>",
         "t.pkt:1: expected FO, AccECN0, AccECN1 or tarr after exp-, found 'mss'"},
        {"> S 0:0(0) <mp_capable abc>", "unsupported: t.pkt:1: Multipath TCP"},
        {"< . 1:1(0) ack 1 win 1 <...>", "t.pkt:1: <...> is for outbound packets only"},
    };

    (void)state;
    CHECK_BAD(rows);
}

static void test_ip_info(void **state)
{
    static const struct row rows[] = {
        {"> [noecn] . 1:1(0)", "> ecn:00 tcp 10 seq 1 len 0"},
        {"> [ect1] . 1:1(0)", "> ecn:01 tcp 10 seq 1 len 0"},
        {"> (ect0) . 1:1(0)", "> ecn:02 tcp 10 seq 1 len 0"},
        {"> [ce] . 1:1(0)", "> ecn:03 tcp 10 seq 1 len 0"},
        {"> [ect01] . 1:1(0)", "> ect01:00 tcp 10 seq 1 len 0"},
        {"> [ecn ce] . 1:1(0)", "> ecn:03 tcp 10 seq 1 len 0"},
        {"> [tos 0x10] . 1:1(0)", "> byte:10 tcp 10 seq 1 len 0"},
        {"> [class 0xff, flowlabel 0xfffff, hlim 5] . 1:1(0)",
         "> byte:ff ttl:5 label:fffff tcp 10 seq 1 len 0"},
        {"> [dscp 0x3f] . 1:1(0)", "> dscp:fc tcp 10 seq 1 len 0"},
        {"> [dscp cs5] . 1:1(0)", "> dscp:a0 tcp 10 seq 1 len 0"},
        {"> [dscp AF43, ttl 64] . 1:1(0)", "> dscp:98 ttl:64 tcp 10 seq 1 len 0"},
        {"> [dscp ef] . 1:1(0)", "> dscp:b8 tcp 10 seq 1 len 0"},
        {"> [dscp voice-admit] . 1:1(0)", "> dscp:b0 tcp 10 seq 1 len 0"},
        {"> [dscp le] . 1:1(0)", "> dscp:04 tcp 10 seq 1 len 0"},
        {"> [dscp af11, ecn ect0, ttl 3] . 1:1(0)", "> byte:2a ttl:3 tcp 10 seq 1 len 0"},
        {"> [dscp cs1, ecn ect01] . 1:1(0)", "> dscp+ect01:20 tcp 10 seq 1 len 0"},
        {"> (ttl 255) 5 > 6 . 1:1(0)", "> ttl:255 5>6 tcp 10 seq 1 len 0"},
        {"> [flowlabel 0x12345] . 1:1(0)", "> label:12345 tcp 10 seq 1 len 0"},
    };
    static const struct row wrong[] = {
        {"< [ect01] . 1:1(0) win 1", "t.pkt:1: [ect01] is for outbound packets only"},
        {"> [tos 0x100] . 1:1(0)", "t.pkt:1: tos must be within 0 and 255"},
        {"> [ttl 256] . 1:1(0)", "t.pkt:1: ttl must be within 0 and 255"},
        {"> [flowlabel 0x100000] . 1:1(0)", "t.pkt:1: flowlabel must be within 0 and 1048575"},
        {"> [dscp 64] . 1:1(0)", "t.pkt:1: dscp must be within 0 and 63"},
        {"> [dscp af44] . 1:1(0)",
         "t.pkt:1: expected a code point: 0x00 to 0x3f, cs0, af11, ef, le ..., found 'af44'"},
        {"> [ce, ect0] . 1:1(0)", "t.pkt:1: ECN is given twice"},
        {"> [tos 0x10, dscp ef] . 1:1(0)", "t.pkt:1: the traffic class is given twice"},
        {"> [ect0) . 1:1(0)", "t.pkt:1: expected ']' or ',', found ')'"},
        {"> [] . 1:1(0)",
         "t.pkt:1: expected ect0, ect1, ect01, ce, noecn, ecn, dscp, tos, class, ttl, hlim, "
         "flowlabel, fill or bad_checksum, found ']'"},
        {"> [fill 5] . 1:2(1)", "t.pkt:1: [fill] and [bad_checksum] are for inbound packets only"},
        {"> [bad_checksum] . 1:1(0)",
         "t.pkt:1: [fill] and [bad_checksum] are for inbound packets only"},
        {"> [fill 256] . 1:2(1)", "t.pkt:1: fill must be within 0 and 255"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

static void test_icmp_and_udp(void **state)
{
    static const struct row rows[] = {
        {"< icmp unreachable host_unreachable", "< icmp unreachable host_unreachable"},
        {"< icmp unreachable frag_needed mtu 1400 [1:1461(1460)]",
         "< icmp unreachable frag_needed mtu 1400 quotes 6: 1+1460"},
        {"< icmp packet_too_big mtu 1280 [4294967295:9(10)]",
         "< icmp packet_too_big mtu 1280 quotes 6: 4294967295+10"},
        {"< icmp echo_request id 7", "< icmp echo_request id 7"},
        {"< [ect0] icmp unreachable port_unreachable [udp (1000)]",
         "< ecn:02 icmp unreachable port_unreachable quotes 17: 0+1000"},
        {"< icmp time_exceeded [raw (100)]", "< icmp time_exceeded quotes 255: 0+100"},
        {"< icmp unreachable [1:2(1) /udp(5 > 6)]", "< icmp unreachable quotes 6: 1+1 within 5>6"},
        {"< [1:1001(1000)] icmp unreachable frag_needed mtu 1200",
         "< icmp unreachable frag_needed mtu 1200 quotes 6: 1+1000"},
        {"> udp (1000)", "> udp len 1000"},
        {"< udp 53 > 5353 (0)", "< 53>5353 udp len 0"},
        {"< (tos 0x10) udp (12)", "< byte:10 udp len 12"},
        {"> gre: S 0:0(0)", "> {gre} tcp 02 seq 0 len 0"},
        {"> ipv4 192.0.2.1 > 192.0.2.2: ipv6 fd00::1 > fd00::2: gre: udp (5)",
         "> {ipv4 192.0.2.1 > 192.0.2.2: ipv6 fd00::1 > fd00::2: gre} udp len 5"},
        {"> mpls (label 0, tc 1, [S], ttl 2): S 0:0(0)",
         "> {mpls (label 0, tc 1, [S], ttl 2)} tcp 02 seq 0 len 0"},
        {"> ipv4 [ttl 5] 1.1.1.1 > 2.2.2.2: gre flags [none], sum 0, off 0, key = 0x1, seq 0: "
         ". 1:1(0)",
         "> {ipv4 [ttl 5] 1.1.1.1 > 2.2.2.2: gre flags [none], sum 0, off 0, key = 0x1, seq 0} "
         "tcp 10 seq 1 len 0"},
    };
    static const struct row wrong[] = {
        {"< icmp", "t.pkt:2: expected the type of ICMP message, found the script's end"},
        {"< icmp unreachable mtu x", "t.pkt:1: expected a number (mtu), found 'x'"},
        {"< icmp unreachable [1:2(3)]", "t.pkt:1: 1:2(3) is inconsistent: 1 + 3 is 4"},
        {"< icmp unreachable [1:2(1)",
         "t.pkt:2: expected ']' after what is quoted, found the script's end"},
        {"< icmp unreachable [sctp(1)]", "unsupported: t.pkt:1: ICMP that quotes sctp"},
        {"< [1:2(1)] S 1:1(0) win 1", "t.pkt:1: expected icmp after what it quotes, found 'S'"},
        {"> udp 5", "t.pkt:2: expected '>' between the ports, found the script's end"},
        {"> udp (65536)", "t.pkt:1: the payload's length must be within 0 and 65535"},
        {"> sctp: INIT[flgs=0, tag=1]", "unsupported: t.pkt:1: SCTP packets"},
        {"> 1 > 2 sctp(tag=1): COOKIE_ACK[flgs=0]", "unsupported: t.pkt:1: SCTP packets"},
        {"> udplite (10, 8)", "unsupported: t.pkt:1: UDP-Lite packets"},
        {"> gre S 0 0(0)", "t.pkt:1: the gre header that begins here has no ':'"},
        {"> gre: gre: gre: gre: gre: gre: gre: gre: gre: S 0:0(0)",
         "t.pkt:1: too many headers around the packet"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_options), cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_ip_info), cmocka_unit_test(test_icmp_and_udp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
