/*
 * script.h - What a script in packetdrill's language says, as a tree.
 *
 *     --tolerance_usecs=5000                                  option
 *     `sysctl -q net.ipv4.tcp_sack=0`                         shell line before the events
 *     0     socket(..., SOCK_STREAM, IPPROTO_TCP) = 3         event: when, and a call
 *     +0...0.1 connect(3, ..., ...) = 0                       a call that blocks until then
 *     +0    > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0>       what the stack must send
 *     +.01  < S. 0:0(0) ack 1 win 65535 <mss 1000>            what the peer sends
 *     +0    %{ assert tcpi_cwnd == 10 }%                      code
 *
 * Both dialects in use are read: Google's and the one of FreeBSD's test suite. The tree belongs to
 * the script; sw_drill_script_free() frees it whole.
 */
#ifndef SANWO_TOOLS_DRILL_SCRIPT_H
#define SANWO_TOOLS_DRILL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sanwo/types.h>

/* ---- values in calls --------------------------------------------------------------------------- */

enum drill_value_kind {
    DRILL_ELLIPSIS, /* ... : anything */
    DRILL_INTEGER,  /* 12, 0x1f, -1, htons(80), inet_addr("1.2.3.4") (network order in `integer`) */
    DRILL_WORD,     /* SOL_SOCKET: a name */
    DRILL_STRING,   /* "text", escapes undone; `open_ended` for "text"... */
    DRILL_OR,       /* a | b: left and right in items[0], items[1] */
    DRILL_LIST,     /* [a, b, c] */
    DRILL_STRUCT,   /* {name=value, ...} or {a, b}: fields, whose names may be NULL */
    DRILL_CALLED, /* name(a, b): a function within an expression, as inet6_addr("::1"), htonl(3) */
};

/** A value; fields and items in the order written. */
struct drill_value {
    uint8_t kind; /* enum drill_value_kind */
    bool hexadecimal, open_ended;
    unsigned line;
    int64_t integer;
    char *text;    /* WORD, STRING (NUL-terminated, may hold NULs: length), CALLED: the name */
    size_t length; /* of `text` */
    char *name;    /* of this field of a structure, or NULL; `msg_iov(1)=...` keeps "msg_iov" ... */
    struct drill_value *count; /* ... and the number in the brackets here, or NULL */
    struct drill_value *items; /* array of item_count */
    size_t item_count;
};

/** A call with what it must return. */
struct drill_call {
    char *name;
    struct drill_value *arguments; /* array */
    size_t argument_count;
    struct drill_value *result; /* INTEGER, WORD, ELLIPSIS, ... */
    char *error;                /* "EAGAIN", or NULL */
    char *note;                 /* "(Resource temporarily unavailable)" without brackets, or NULL */
    bool blocking;              /* `...end` was given; the event's `end` is when it returns */
};

/* ---- segments ---------------------------------------------------------------------------------- */

enum drill_direction { DRILL_INBOUND, DRILL_OUTBOUND }; /* '<' to the stack, '>' from it */

enum drill_protocol { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

/** One TCP option as written; `kind` is the number on the wire. */
struct drill_tcp_option {
    uint8_t kind;
    bool any_val, absolute_ecr; /* TS val ... ; TS ecr 5! (FreeBSD's dialect) */
    bool experimental;          /* FOEXP and exp-...: kind 254 with the number `exid` */
    bool as_bytes; /* 0xfd:0102, 0x02/0:05: `data` is all behind the length byte, whatever the kind;
                      `length` may be false */
    uint16_t exid;
    uint32_t val, ecr;   /* TS; mss and wscale in val */
    uint32_t sack[4][2]; /* left and right edges */
    uint8_t sack_count;
    uint8_t data[40]; /* FO and FOEXP cookies, md5 digest, AccECN counters, unknown kinds: the bytes
                         after the length, or after the `exid` */
    uint8_t data_length;
    uint8_t length; /* as its byte says: with kind and length bytes; 1 for nop and eol */
};

enum drill_tos_check {
    DRILL_TOS_ANY,
    DRILL_TOS_ECN,   /* [ect0], [ce], [noecn], [ect1]: the two bits are `tos` */
    DRILL_TOS_ECT01, /* either of ECT(0) and ECT(1); only outbound */
    DRILL_TOS_BYTE,  /* [tos 0x10], [class 0x10]: all eight bits */
    DRILL_TOS_DSCP,  /* the upper six are those of `tos` */
    DRILL_TOS_DSCP_ECT01,
};

/** What stands in brackets before a segment. */
struct drill_ip_info {
    uint8_t tos_check; /* enum drill_tos_check */
    uint8_t tos;
    bool ttl_is_set, flow_label_is_set;
    uint8_t ttl; /* or hop limit */
    /* Ours, inbound TCP: */
    uint8_t fill;      /* each byte of the payload */
    bool bad_checksum; /* of TCP, one off */
    uint32_t flow_label;
};

/** An encapsulating header: `ipv4 a > b:`, `gre:`, `mpls (...)`: kept as text; we have none of them. */
struct drill_packet {
    uint8_t direction;   /* enum drill_direction */
    uint8_t protocol;    /* enum drill_protocol */
    char *encapsulation; /* NULL: none, or its text */
    struct drill_ip_info ip;
    uint16_t source_port, destination_port; /* 0: those of the connection */

    /* TCP */
    uint8_t flags;   /* as in the header: FIN 1 SYN 2 RST 4 PSH 8 ACK 16 URG 32 ECE 64 CWR 128 */
    bool ae;         /* 'A': the bit that was NS (accurate ECN) */
    bool ace_is_set; /* a digit 0..7 stood among the flags ... */
    uint8_t ace;     /* ... AE, CWR, ECE as one number */
    bool seq_is_absolute; /* `!`: no ISN is added */
    bool seq_is_any;      /* ...(length) */
    uint32_t seq, payload_length;
    bool ack_is_set, window_is_set, urgent_is_set;
    bool ack_is_absolute; /* `ack 5!` */
    uint32_t ack;
    uint16_t window, urgent;
    bool any_options; /* <...> */
    struct drill_tcp_option *options;
    size_t option_count;
    bool udp_encapsulated; /* FreeBSD's dialect: (udp a > b); ports below */
    uint16_t udp_source, udp_destination;

    /* UDP: payload_length */

    /* ICMP */
    char *icmp_type, *icmp_code; /* words: "unreachable", "frag_needed"; code may be NULL */
    bool mtu_is_set, id_is_set;
    uint32_t mtu;
    uint16_t icmp_id;
    uint8_t quoted_protocol; /* 6, 17 or 255 (raw); 0: no brackets were given */
    bool quoted_is_set;      /* [1:1461(1460)] was given; seq is in quoted_seq */
    uint32_t quoted_seq, quoted_length;
};

/* ---- events ------------------------------------------------------------------------------------- */

enum drill_time_kind {
    DRILL_TIME_ABSOLUTE,
    DRILL_TIME_RELATIVE, /* to the event before */
    DRILL_TIME_ANY,      /* '*' */
};

enum drill_event_kind { DRILL_EVENT_PACKET, DRILL_EVENT_CALL, DRILL_EVENT_SHELL, DRILL_EVENT_CODE };

struct drill_event {
    unsigned line;      /* where it begins; of a packet or call: the line of the action */
    uint8_t kind;       /* enum drill_event_kind */
    uint8_t time_kind;  /* enum drill_time_kind */
    bool range;         /* a~b: between `at` and `end` */
    sanwo_time at, end; /* as written (relative ones are not summed up); `end` also of a
                           blocking call */
    struct drill_packet *packet;
    struct drill_call *call;
    char *text;                /* of a shell line or of code */
    const char *included_path; /* NULL, or the file of an #include that the event comes from ... */
    unsigned included_line;    /* ... and its line there; `line` is then that of the #include */
};

struct drill_option {
    unsigned line;
    char *name;  /* "mtu" */
    char *value; /* "1500", or NULL */
};

struct drill_memory;

struct drill_script {
    struct drill_memory *memory; /* holds the tree, this structure included */
    char *path;
    struct drill_option *options;
    size_t option_count;
    char *initial_shell; /* before the first event, or NULL; several are joined by newlines */
    char *cleanup_shell; /* after the last one (no time before it), or NULL */
    unsigned initial_shell_line, cleanup_shell_line;
    struct drill_event *events;
    size_t event_count;
    char **lines; /* the source, for messages: lines[0] is line 1 */
    size_t line_count;
};

/**
 * A name that stands for a word, a "string" or a `shell line`: --define, -D, #define. Without a
 * @value (NULL) it only counts for #ifdef, as the name of a profile.
 */
struct drill_define {
    const char *name, *value;
};

/**
 * Reads @length bytes of @text. On success returns a script; else NULL and in @message one line
 * "path:line: what is wrong", and nothing is leaked. What the language has and we have not reads
 * "unsupported: path:line: what". @defines hold for #ifdef and for words.
 */
struct drill_script *sw_drill_parse(const char *path, const char *text, size_t length,
                                    const struct drill_define *defines, size_t define_count,
                                    char *message, size_t message_size);
void sw_drill_script_free(struct drill_script *script);

#endif
