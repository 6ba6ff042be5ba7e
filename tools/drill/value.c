/*
 * value.c - Arguments of calls as numbers; the names that stand for numbers.
 *
 * Scripts name options and flags, seldom write their numbers. Numbers are Linux's, but for the few
 * that a script of the other dialect may write out (O_NONBLOCK is 4 there).
 */
#define _GNU_SOURCE
#include "value.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "call.h"
#include "run.h"

#define SAME(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
    SAME(AF_INET),
    SAME(AF_INET6),
    SAME(AF_UNSPEC),
    SAME(AF_UNIX),
    {"AF_LOCAL", AF_UNIX},
    {"AF_PACKET", 17},
    {"AF_NETLINK", 16},
    {"AF_SMC", 43},
    {"PF_INET", AF_INET},
    {"PF_INET6", AF_INET6},
    SAME(SOCK_STREAM),
    SAME(SOCK_DGRAM),
    SAME(SOCK_RAW),
    SAME(SOCK_SEQPACKET),
    SAME(SOCK_NONBLOCK),
    SAME(SOCK_CLOEXEC),
    SAME(IPPROTO_IP),
    SAME(IPPROTO_TCP),
    SAME(IPPROTO_UDP),
    SAME(IPPROTO_ICMP),
    SAME(IPPROTO_ICMPV6),
    SAME(IPPROTO_IPV6),
    SAME(IPPROTO_SCTP),
    {"IPPROTO_UDPLITE", 136},
    {"IPPROTO_MPTCP", 262},
    {"IPPROTO_RAW", 255},
    {"IPPROTO_SMC", 256},
    {"IPPROTO_DIVERT", 258},
    {"SOL_SCTP", 132},
    {"SOL_UDPLITE", 136},
    {"SOL_MPTCP", 284},
    {"SOL_TLS", 282},
    SAME(SOL_SOCKET),
    {"SOL_IP", 0},
    {"SOL_IPV6", 41},
    {"SOL_TCP", 6},
    {"SOL_UDP", 17},
    {"INADDR_ANY", 0},
    {"INADDR_LOOPBACK", 0x7f000001},
    SAME(SHUT_RD),
    SAME(SHUT_WR),
    SAME(SHUT_RDWR),
    SAME(SOMAXCONN),
    SAME(MSG_OOB),
    SAME(MSG_PEEK),
    SAME(MSG_DONTROUTE),
    SAME(MSG_CTRUNC),
    SAME(MSG_TRUNC),
    SAME(MSG_DONTWAIT),
    SAME(MSG_EOR),
    SAME(MSG_WAITALL),
    SAME(MSG_CONFIRM),
    SAME(MSG_ERRQUEUE),
    SAME(MSG_NOSIGNAL),
    SAME(MSG_MORE),
    SAME(MSG_FASTOPEN),
    {"MSG_ZEROCOPY", 0x4000000},
    {"MSG_SPLICE_PAGES", 0x8000000},
    {"MSG_PROXY", 0x10},
    {"MSG_SYN", 0x400},
    {"MSG_RST", 0x1000},
    {"MSG_FIN", 0x200},
    {"MSG_WAITFORONE", 0x10000},
    {"MSG_BATCH", 0x40000},
    {"MSG_PROBE", 0x10},
    {"MSG_SOCKALLOCMBUF", 0x20000000},
    {"MSG_EOF", DRILL_MSG_EOF},
    {"MSG_NBIO", MSG_DONTWAIT},
    {"MSG_CMSG_CLOEXEC", 0x40000000},
    SAME(F_GETFL),
    SAME(F_SETFL),
    SAME(F_GETFD),
    SAME(F_SETFD),
    SAME(F_DUPFD),
    SAME(FD_CLOEXEC),
    SAME(F_GETOWN),
    SAME(F_SETOWN),
    SAME(F_GETLK),
    SAME(F_SETLK),
    SAME(F_SETLKW),
    {"F_SETSIG", 10},
    {"F_GETSIG", 11},
    {"F_DUPFD_CLOEXEC", 1030},
    {"F_SETPIPE_SZ", 1031},
    {"F_GETPIPE_SZ", 1032},
    SAME(O_RDONLY),
    SAME(O_WRONLY),
    SAME(O_RDWR),
    SAME(O_NONBLOCK),
    {"O_NDELAY", O_NONBLOCK},
    {"FNONBLOCK", O_NONBLOCK},
    SAME(O_APPEND),
    SAME(O_CREAT),
    SAME(O_TRUNC),
    SAME(O_EXCL),
    SAME(O_ASYNC),
    SAME(O_SYNC),
    {"O_CLOEXEC", 02000000},
    {"FASYNC", O_ASYNC},
    SAME(FIONREAD),
    {"SIOCINQ", FIONREAD},
    {"SIOCOUTQ", TIOCOUTQ},
    {"TIOCOUTQ", TIOCOUTQ},
    {"TIOCINQ", FIONREAD},
    {"SIOCGSTAMP", 0x8906},
    {"SIOCGIFMTU", 0x8921},
    {"SIOCSIFMTU", 0x8922},
    {"SIOCGIFADDR", 0x8915},
    {"SIOCSPGRP", 0x8902},
    {"FIOSETOWN", 0x8901},
    {"SIOCOUTQNSD", DRILL_SIOCOUTQNSD},
    {"FIONWRITE", TIOCOUTQ},
    {"FIONSPACE", DRILL_FIONSPACE},
    SAME(FIONBIO),
    SAME(FIOASYNC),
    {"SIOCATMARK", DRILL_SIOCATMARK},
    SAME(POLLIN),
    SAME(POLLPRI),
    SAME(POLLOUT),
    SAME(POLLERR),
    SAME(POLLHUP),
    SAME(POLLNVAL),
    SAME(POLLRDNORM),
    SAME(POLLRDBAND),
    SAME(POLLWRNORM),
    SAME(POLLWRBAND),
    SAME(POLLRDHUP),
    {"POLLMSG", 0x400},
    {"POLLREMOVE", 0x1000},
    {"POLL_BUSY_LOOP", 0x8000},
    {"INFTIM", -1},
    {"POLLINIGNEOF", 0x10000},
    SAME(EPOLLIN),
    SAME(EPOLLPRI),
    SAME(EPOLLOUT),
    SAME(EPOLLERR),
    SAME(EPOLLHUP),
    SAME(EPOLLRDHUP),
    SAME(EPOLLRDNORM),
    SAME(EPOLLRDBAND),
    SAME(EPOLLWRNORM),
    SAME(EPOLLWRBAND),
    {"EPOLLET", INT64_C(0x80000000)},
    {"EPOLLONESHOT", 0x40000000},
    {"EPOLLWAKEUP", 0x20000000},
    {"EPOLLMSG", 0x400},
    {"EPOLLNVAL", 0x20},
    {"EPOLLEXCLUSIVE", 0x10000000},
    SAME(EPOLL_CTL_ADD),
    SAME(EPOLL_CTL_MOD),
    SAME(EPOLL_CTL_DEL),
    {"EPOLL_CLOEXEC", 02000000},
    {"IP_PMTUDISC_DONT", 0},
    {"IP_PMTUDISC_WANT", 1},
    {"IP_PMTUDISC_DO", 2},
    {"IP_PMTUDISC_PROBE", 3},
    {"IP_PMTUDISC_INTERFACE", 4},
    {"IP_PMTUDISC_OMIT", 5},
    {"IPTOS_DSCP_CS0", 0},
    {"IPTOS_DSCP_CS1", 32},
    {"IPTOS_DSCP_CS2", 64},
    {"IPTOS_DSCP_CS3", 96},
    {"IPTOS_DSCP_CS4", 128},
    {"IPTOS_DSCP_CS5", 160},
    {"IPTOS_DSCP_CS6", 192},
    {"IPTOS_DSCP_CS7", 224},
    {"IPTOS_DSCP_AF11", 40},
    {"IPTOS_DSCP_AF12", 48},
    {"IPTOS_DSCP_AF13", 56},
    {"IPTOS_DSCP_AF21", 72},
    {"IPTOS_DSCP_AF22", 80},
    {"IPTOS_DSCP_AF23", 88},
    {"IPTOS_DSCP_AF31", 104},
    {"IPTOS_DSCP_AF32", 112},
    {"IPTOS_DSCP_AF33", 120},
    {"IPTOS_DSCP_AF41", 136},
    {"IPTOS_DSCP_AF42", 144},
    {"IPTOS_DSCP_AF43", 152},
    {"IPTOS_DSCP_EF", 0xb8},
    {"IPTOS_DSCP_VA", 0xb0},
    {"IPTOS_ECN_NOT_ECT", 0},
    {"IPTOS_ECN_NOTECT", 0},
    {"IPTOS_ECN_ECT1", 1},
    {"IPTOS_ECN_ECT0", 2},
    {"IPTOS_ECN_CE", 3},
    {"IPTOS_ECN_MASK", 3},
    {"IPTOS_MINCOST", 2},
    {"IPTOS_LOWDELAY", 0x10},
    {"IPTOS_THROUGHPUT", 0x08},
    {"IPTOS_RELIABILITY", 0x04},
    {"TCPS_CLOSED", 0},
    {"TCPS_LISTEN", 1},
    {"TCPS_SYN_SENT", 2},
    {"TCPS_SYN_RECEIVED", 3},
    {"TCPS_ESTABLISHED", 4},
    {"TCPS_CLOSE_WAIT", 5},
    {"TCPS_FIN_WAIT_1", 6},
    {"TCPS_CLOSING", 7},
    {"TCPS_LAST_ACK", 8},
    {"TCPS_FIN_WAIT_2", 9},
    {"TCPS_TIME_WAIT", 10},
    {"TCP_ESTABLISHED", 1},
    {"TCP_SYN_SENT", 2},
    {"TCP_SYN_RECV", 3},
    {"TCP_FIN_WAIT1", 4},
    {"TCP_FIN_WAIT2", 5},
    {"TCP_TIME_WAIT", 6},
    {"TCP_CLOSE", 7},
    {"TCP_CLOSE_WAIT", 8},
    {"TCP_LAST_ACK", 9},
    {"TCP_LISTEN", 10},
    {"TCP_CLOSING", 11},
    {"NULL", 0},
    {"true", 1},
    {"false", 0},
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
    {"TCP_LOG_STATE_OFF", 0},
    {"TCP_LOG_STATE_TAIL", 1},
    {"TCP_LOG_STATE_HEAD", 2},
    {"TCP_LOG_STATE_HEAD_AUTO", 3},
    {"TCP_LOG_STATE_CONTINUAL", 4},
    {"TCP_LOG_STATE_TAIL_AUTO", 5},
    {"TCP_LOG_STATE_RATIO_OFF", 6},
    {"TCP_LOG_VIA_BBPOINTS", 7},
    {"TCP_CA_Open", 0},
    {"TCP_CA_Disorder", 1},
    {"TCP_CA_CWR", 2},
    {"TCP_CA_Recovery", 3},
    {"TCP_CA_Loss", 4},
    {"TCPI_OPT_TIMESTAMPS", 1},
    {"TCPI_OPT_SACK", 2},
    {"TCPI_OPT_WSCALE", 4},
    {"TCPI_OPT_ECN", 8},
    {"IP_PORTRANGE_DEFAULT", 0},
    {"IP_PORTRANGE_HIGH", 1},
    {"IP_PORTRANGE_LOW", 2},
    {"SOF_TIMESTAMPING_TX_HARDWARE", 1},
    {"SOF_TIMESTAMPING_TX_SOFTWARE", 2},
    {"SOF_TIMESTAMPING_RX_HARDWARE", 4},
    {"SOF_TIMESTAMPING_RX_SOFTWARE", 8},
    {"SOF_TIMESTAMPING_SOFTWARE", 16},
    {"SOF_TIMESTAMPING_TX_SCHED", 256},
    {"SOF_TIMESTAMPING_TX_ACK", 512},
    {"SOF_TIMESTAMPING_OPT_ID", 128},
    {"SOF_TIMESTAMPING_OPT_TSONLY", 2048},
    {"SOF_TIMESTAMPING_OPT_STATS", 4096},
};

bool sw_drill_constant(const struct drill_run *run, const char *name, int64_t *out)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (strcmp(constants[i].name, name))
            continue;
        *out = constants[i].value;
        if (run->conditions.profile.dialect == SW_DIALECT_BSD && *out == O_NONBLOCK &&
            (name[0] == 'O' || name[0] == 'F'))
            *out = DRILL_BSD_NONBLOCK;
        return true;
    }
    return false;
}

static bool called(struct drill_run *run, const struct drill_value *v, int64_t *out)
{
    int64_t x = 0;

    if (v->item_count == 1 && v->items[0].kind == DRILL_STRING && !strcmp(v->text, "inet_addr")) {
        struct in_addr address;

        if (inet_pton(AF_INET, v->items[0].text, &address) != 1)
            return false;
        *out = address.s_addr;
        return true;
    }
    if (v->item_count == 1 && v->items[0].kind == DRILL_ELLIPSIS) {
        sw_drill_skip(run, v->line, "%s(...) as a value", v->text);
        return false;
    }
    if (v->item_count != 1 || !sw_drill_integer(run, &v->items[0], &x))
        return false;
    if (!strcmp(v->text, "htons") || !strcmp(v->text, "ntohs"))
        *out = htons((uint16_t)x);
    else if (!strcmp(v->text, "htonl") || !strcmp(v->text, "ntohl"))
        *out = htonl((uint32_t)x);
    else
        return false;
    return true;
}

static bool either(struct drill_run *run, const struct drill_value *v, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < v->item_count; i++) {
        int64_t part;

        if (!sw_drill_integer(run, &v->items[i], &part))
            return false;
        *out |= part;
    }
    return true;
}

bool sw_drill_integer(struct drill_run *run, const struct drill_value *v, int64_t *out)
{
    char text[128];

    switch (v->kind) {
    case DRILL_INTEGER:
        *out = v->integer;
        return true;
    case DRILL_WORD:
        if (sw_drill_constant(run, v->text, out))
            return true;
        sw_drill_skip(run, v->line, "the name %s is not known here", v->text);
        return false;
    case DRILL_OR:
        return either(run, v, out);
    case DRILL_CALLED:
        if (called(run, v, out))
            return true;
        break;
    default:
        break;
    }
    sw_drill_format_value(v, text, sizeof text);
    sw_drill_fail(run, v->line, "a number must stand where %s is", text);
    return false;
}

const struct drill_value *sw_drill_argument(struct drill_run *run, const struct drill_call *call,
                                            unsigned line, size_t index)
{
    if (index < call->argument_count)
        return &call->arguments[index];
    sw_drill_fail(run, line, "%s() has %zu arguments, and needs %zu or more", call->name,
                  call->argument_count, index + 1);
    return NULL;
}

bool sw_drill_argument_integer(struct drill_run *run, const struct drill_event *event, size_t index,
                               int64_t *out)
{
    const struct drill_value *v = sw_drill_argument(run, event->call, event->line, index);

    return v && sw_drill_integer(run, v, out);
}

const struct drill_value *sw_drill_field(const struct drill_value *v, const char *name)
{
    if (!v || v->kind != DRILL_STRUCT)
        return NULL;
    for (size_t i = 0; i < v->item_count; i++)
        if (v->items[i].name && !strcmp(v->items[i].name, name))
            return &v->items[i];
    return NULL;
}

const struct drill_value *sw_drill_only_item(const struct drill_value *v)
{
    return v && v->kind == DRILL_LIST && v->item_count == 1 ? &v->items[0] : NULL;
}

static size_t format_items(const struct drill_value *v, const char *between, char *out, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < v->item_count && used + 1 < size; i++) {
        used +=
            (size_t)snprintf(out + used, size - used, "%s%s%s", i ? between : "",
                             v->items[i].name ? v->items[i].name : "", v->items[i].name ? "=" : "");
        if (used + 1 < size) {
            sw_drill_format_value(&v->items[i], out + used, size - used);
            used += strlen(out + used);
        }
    }
    return used;
}

static void format_group(const struct drill_value *v, const char *open, const char *between,
                         const char *close, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s", open);

    if (used + 1 < size) {
        format_items(v, between, out + used, size - used);
        used = strlen(out);
        snprintf(out + used, size - used, "%s", close);
    }
}

void sw_drill_format_value(const struct drill_value *v, char *out, size_t size)
{
    char open[64];

    if (!size)
        return;
    out[0] = 0;
    switch (v->kind) {
    case DRILL_ELLIPSIS:
        snprintf(out, size, "...");
        break;
    case DRILL_INTEGER:
        snprintf(out, size, v->hexadecimal ? "0x%llx" : "%lld", (long long)v->integer);
        break;
    case DRILL_WORD:
        snprintf(out, size, "%s", v->text);
        break;
    case DRILL_STRING:
        snprintf(out, size, "\"%.60s\"", v->text);
        break;
    case DRILL_OR:
        format_group(v, "", "|", "", out, size);
        break;
    case DRILL_LIST:
        format_group(v, "[", ", ", "]", out, size);
        break;
    case DRILL_STRUCT:
        format_group(v, "{", ", ", "}", out, size);
        break;
    default:
        snprintf(open, sizeof open, "%.50s(", v->text ? v->text : "");
        format_group(v, open, ", ", ")", out, size);
    }
}
