/*
 * host.c - A host of our own beside the kernel's, joined by a TUN device.
 *
 *     our stack 10.77.0.1 -- emulator? -- pcapng? -- TUN -- 10.77.0.2 the kernel
 *               fd77::1                                     fd77::2
 *
 * The capture lies at the device, so that it holds what tcpdump sees there. A default route leads
 * into the link, so that clients with any address can be answered.
 */
#define _GNU_SOURCE
#include "common.h"

#include <sanwo/trace.h>

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MEBIBYTE (UINT64_C(1) << 20)

void sw_host_options(struct host_options *o, struct option_entry table[HOST_OPTION_COUNT])
{
    const struct option_entry entries[HOST_OPTION_COUNT] = {
        {OPTION_TEXT, 0, "tun", &o->tun, "NAME", "name of the TUN device (default: sanwo0, ...)", 0,
         0},
        {OPTION_TEXT, 0, "netns", &o->netns, "NAME", "network namespace to make it in", 0, 0},
        {OPTION_LIST, 0, "addr", &o->addresses, "CIDR",
         "our address (default 10.77.0.1/24 and fd77::1/64); repeatable", 0, 0},
        {OPTION_LIST, 0, "peer", &o->peers, "ADDR",
         "the kernel's end (default: the one after ours); one a family", 0, 0},
        {OPTION_NUMBER, 0, "mtu", &o->mtu, "N", "of the device (default 1500)", 68, 65535},
        {OPTION_ON, 0, "no-offload", &o->no_offload, NULL, "no checksum or segmentation offload", 0,
         0},
        {OPTION_NUMBER, 0, "memory", &o->memory, "MIB", "most memory of the stack (default 1024)",
         8, 1 << 20},
        {OPTION_ON, 0, "trace", &o->trace, NULL, "print each segment on standard error", 0, 0},
        {OPTION_TEXT, 0, "pcap", &o->pcap, "FILE", "write packets to FILE (pcapng)", 0, 0},
        {OPTION_MILLISECONDS, 0, "delay", &o->delay, "MS", "emulate: delay each packet, both ways",
         0, 0},
        {OPTION_MILLISECONDS, 0, "jitter", &o->jitter, "MS", "emulate: up to so much more delay", 0,
         0},
        {OPTION_PERCENT, 0, "loss", &o->loss, "PCT", "emulate: lose packets, both ways", 0, 0},
        {OPTION_PERCENT, 0, "reorder", &o->reorder, "PCT", "emulate: let later packets overtake", 0,
         0},
        {OPTION_PERCENT, 0, "duplicate", &o->duplicate, "PCT", "emulate: send packets twice", 0, 0},
        {OPTION_PERCENT, 0, "corrupt", &o->corrupt, "PCT", "emulate: flip a bit", 0, 0},
        {OPTION_NUMBER, 0, "seed", &o->seed, "N", "emulate: chance repeats with the same seed", 0,
         UINT64_MAX},
        {OPTION_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };

    *o = (struct host_options){.memory = 1024, .seed = 1};
    memcpy(table, entries, sizeof entries);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* The address after @a in its prefix, or before it where that is the last. */
static struct sanwo_address neighbour_of(const struct sanwo_address *a, unsigned prefix_length)
{
    struct sanwo_address next = *a;
    int last = a->family == SANWO_FAMILY_IPV6 ? 15 : 3;
    unsigned host_bits = (unsigned)(last + 1) * 8 - prefix_length;
    uint8_t mask = host_bits >= 8 ? 0xff : (uint8_t)((1u << host_bits) - 1);
    uint8_t low = a->bytes[last] & mask;

    if (mask == 0)
        next.bytes[last] ^= 1;
    /* One less than the last: that one is IPv4's broadcast address, but for /31. */
    else if (low + (mask > 1) < mask)
        next.bytes[last]++;
    else
        next.bytes[last]--;
    return next;
}

static int read_addresses(struct host *h, const struct host_options *o)
{
    static const char *const defaults[] = {"10.77.0.1/24", "fd77::1/64"};
    size_t count = o->addresses.count;

    if (!count) /* RFC 8200 5: no IPv6 on links with less */
        count = o->mtu && o->mtu < 1280 ? 1 : 2;
    for (size_t i = 0; i < count; i++) {
        const char *text = o->addresses.count ? o->addresses.items[i] : defaults[i];

        if (!sanwo_prefix_parse(text, &h->addresses[i], &h->prefix_lengths[i]) ||
            h->prefix_lengths[i] == 0)
            return sw_complain(h->command, STATUS_USAGE,
                               "--addr does not take '%s'; give an address with its prefix, as "
                               "10.77.0.1/24",
                               text);
    }
    h->address_count = count;
    return 0;
}

static int family_index(const struct sanwo_address *a)
{
    return a->family == SANWO_FAMILY_IPV6;
}

/* Where the prefix length of a peer comes from: our first address of its family. */
static unsigned prefix_for(const struct host *h, const struct sanwo_address *peer)
{
    for (size_t i = 0; i < h->address_count; i++)
        if (h->addresses[i].family == peer->family)
            return h->prefix_lengths[i];
    return 0;
}

static int read_peers(struct host *h, const struct host_options *o)
{
    for (size_t i = 0; i < o->peers.count; i++) {
        struct sanwo_address peer;
        unsigned length;

        if (!sanwo_prefix_parse(o->peers.items[i], &peer, &length))
            return sw_complain(h->command, STATUS_USAGE,
                               "--peer does not take '%s'; give an address, as 10.77.0.2",
                               o->peers.items[i]);
        if (!strchr(o->peers.items[i], '/'))
            length = prefix_for(h, &peer);
        if (!length)
            return sw_complain(h->command, STATUS_USAGE,
                               "--peer %s has no --addr of its family; add one", o->peers.items[i]);
        h->peers[family_index(&peer)] = peer;
        h->peer_lengths[family_index(&peer)] = length;
    }
    for (size_t i = 0; i < h->address_count; i++) {
        int family = family_index(&h->addresses[i]);

        if (h->peers[family].family != SANWO_FAMILY_NONE)
            continue;
        h->peers[family] = neighbour_of(&h->addresses[i], h->prefix_lengths[i]);
        h->peer_lengths[family] = h->prefix_lengths[i];
    }
    return 0;
}

/* False: of a family that is not ours. */
static bool read_socket_address(const struct sockaddr *from, struct sanwo_address *out)
{
    const void *any = from;

    if (from->sa_family == AF_INET) {
        uint8_t b[4];
        memcpy(b, &((const struct sockaddr_in *)any)->sin_addr, 4);
        *out = sanwo_address_ipv4(b[0], b[1], b[2], b[3]);
    } else if (from->sa_family == AF_INET6) {
        *out = sanwo_address_ipv6(((const struct sockaddr_in6 *)any)->sin6_addr.s6_addr);
    } else {
        return false;
    }
    return true;
}

/* The kernel would take the same address on a second device, and answer on neither for sure. */
static bool is_address_of_kernel(const struct sanwo_address *a)
{
    struct ifaddrs *all = NULL;
    struct sanwo_address one;
    bool found = false;

    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *at = all; at && !found; at = at->ifa_next)
        found =
            at->ifa_addr && read_socket_address(at->ifa_addr, &one) && sanwo_address_equal(&one, a);
    freeifaddrs(all);
    return found;
}

static int check_conflicts(const struct host *h, const struct host_options *o)
{
    char text[SANWO_ADDRESS_TEXT];

    /* Another namespace, or a device that was configured before: that is the user's affair. */
    if (o->netns || (o->tun && if_nametoindex(o->tun)))
        return 0;
    for (int i = 0; i < 2; i++)
        if (is_address_of_kernel(&h->peers[i]))
            return sw_complain(h->command, STATUS_DEVICE,
                               "%s is in use on this machine (another sanwo?); choose other "
                               "addresses, as --addr 10.78.0.1/24 --peer 10.78.0.2",
                               sanwo_address_format(&h->peers[i], text, sizeof text));
    return 0;
}

/* ---- the link -------------------------------------------------------------------------------- */

/* Without addresses of its own choosing the user does without IPv6 where the kernel has none. */
static bool drop_ipv6(struct host *h, const struct host_options *o)
{
    if (o->addresses.count || o->peers.count || h->address_count < 2)
        return false;
    h->address_count = 1;
    h->peers[1] = (struct sanwo_address){.family = SANWO_FAMILY_NONE};
    return true;
}

static bool emulates(const struct host_options *o)
{
    return o->delay || o->jitter || o->loss || o->reorder || o->duplicate || o->corrupt;
}

static int create_tun(struct host *h, const struct host_options *o)
{
    struct sanwo_tun_config config = {
        .name = o->tun,
        .netns = o->netns,
        .mtu = (uint16_t)o->mtu,
        /* A super-segment of the kernel's would be delayed or lost as one packet. */
        .no_offload = o->no_offload || emulates(o),
    };
    char message[256];
    int error;

    do {
        config.address = h->peers[0];
        config.prefix_length = h->peer_lengths[0];
        config.address2 = h->peers[1];
        config.prefix_length2 = h->peer_lengths[1];
        error = sanwo_tun_create(&config, &h->driver, message, sizeof message);
    } while ((error == -EACCES || error == -EOPNOTSUPP) && drop_ipv6(h, o));
    if (error < 0) {
        h->driver = NULL;
        return sw_complain(h->command, error == -EINVAL ? STATUS_USAGE : STATUS_DEVICE, "%s",
                           message);
    }
    return 0;
}

static int64_t epoch(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return SANWO_SEC(t.tv_sec) + t.tv_nsec - sanwo_time_now();
}

static int wrap_capture(struct host *h, const struct host_options *o)
{
    struct sanwo_driver *wrapped;
    char message[256];

    if (!o->pcap)
        return 0;
    if (sanwo_pcapng_create(h->driver, o->pcap, epoch(), &wrapped, message, sizeof message) < 0)
        return sw_complain(h->command, STATUS_WRITE, "%s", message);
    h->driver = wrapped;
    return 0;
}

static int wrap_emulator(struct host *h, const struct host_options *o)
{
    struct sanwo_emulator_path path = {
        .delay = o->delay,
        .jitter = o->jitter,
        .loss_ppm = o->loss,
        .reorder_ppm = o->reorder,
        .duplicate_ppm = o->duplicate,
        .corrupt_ppm = o->corrupt,
    };
    struct sanwo_emulator_config config = {.seed = o->seed, .out = path, .in = path};
    struct sanwo_driver *wrapped;
    int error;

    if (!emulates(o))
        return 0;
    error = sanwo_emulator_create(h->driver, &config, &wrapped);
    if (error < 0)
        return sw_complain(h->command, STATUS_FAILED, "cannot emulate: %s; try smaller values",
                           sanwo_error_text(error));
    h->driver = wrapped;
    h->round_trip = 2 * (o->delay + o->jitter);
    return 0;
}

/* ---- the stack ------------------------------------------------------------------------------- */

static void trace(void *context, const struct sanwo_observation *what)
{
    char line[512];

    (void)context;
    if (what->kind > SANWO_OBSERVE_DROP)
        return;
    sanwo_trace_format_line(what, line, sizeof line);
    fprintf(stderr, "%s\n", line);
}

static int create_stack(struct host *h, const struct host_options *o)
{
    struct sanwo_stack_config config;
    int error;

    sanwo_stack_config_default(&config);
    config.budget = o->memory * MEBIBYTE;
    if (o->trace)
        config.observer.observe = trace;
    error = sanwo_seed_from_system(config.seed);
    if (error < 0)
        return sw_complain(h->command, STATUS_FAILED, "the system gives no random numbers: %s",
                           strerror(-error));
    h->region_size = sanwo_stack_region_size(&config);
    h->region = sanwo_region_reserve(h->region_size);
    if (!h->region)
        return sw_complain(h->command, STATUS_FAILED,
                           "cannot reserve %zu MiB; give less with --memory",
                           (size_t)(h->region_size / MEBIBYTE));
    error = sanwo_stack_create(h->region, h->region_size, &config, sanwo_time_now(), &h->stack);
    if (error < 0)
        return sw_complain(h->command, STATUS_FAILED, "cannot make the stack: %s; try --memory",
                           sanwo_error_text(error));
    return 0;
}

static int add_addresses(struct host *h, unsigned link)
{
    const struct sanwo_address none = {.family = SANWO_FAMILY_NONE};
    struct sanwo_address networks[2] = {{.family = SANWO_FAMILY_IPV4},
                                        {.family = SANWO_FAMILY_IPV6}};
    bool routed[2] = {false, false};
    char text[SANWO_ADDRESS_TEXT];

    for (size_t i = 0; i < h->address_count; i++) {
        const struct sanwo_address *address = &h->addresses[i];
        int family = family_index(address);
        int error = sanwo_stack_address_add(h->stack, link, address, h->prefix_lengths[i]);

        if (error >= 0 && !routed[family])
            error = sanwo_stack_route_add(h->stack, &networks[family], 0, &none, link);
        routed[family] = true;
        if (error < 0)
            return sw_complain(h->command, STATUS_USAGE, "cannot use --addr %s: %s",
                               sanwo_address_format(address, text, sizeof text),
                               sanwo_error_text(error));
    }
    return 0;
}

static int join(struct host *h, sanwo_event_callback callback, void *context)
{
    int link = sanwo_driver_attach(h->driver, h->stack);
    int status, error;

    if (link < 0)
        return sw_complain(h->command, STATUS_DEVICE, "cannot use the device: %s",
                           sanwo_error_text(link));
    status = add_addresses(h, (unsigned)link);
    if (status)
        return status;
    error = sanwo_loop_create(&h->loop);
    if (error >= 0)
        error = sanwo_loop_add_stack(h->loop, h->stack, callback, context);
    if (error >= 0)
        error = sanwo_loop_add_driver(h->loop, h->driver);
    return error < 0 ? sw_complain(h->command, STATUS_FAILED, "cannot make the event loop: %s",
                                   strerror(-error))
                     : 0;
}

int sw_host_open(struct host *h, const char *command, const struct host_options *o,
                 sanwo_event_callback callback, void *context)
{
    int status;

    memset(h, 0, sizeof *h);
    h->command = command;
    status = read_addresses(h, o);
    if (!status)
        status = read_peers(h, o);
    if (!status)
        status = check_conflicts(h, o);
    if (!status)
        status = create_tun(h, o);
    if (!status)
        status = wrap_capture(h, o);
    if (!status)
        status = wrap_emulator(h, o);
    if (!status)
        status = create_stack(h, o);
    if (!status)
        status = join(h, callback, context);
    if (status)
        sw_host_close(h);
    return status;
}

void sw_host_close(struct host *h)
{
    sanwo_loop_destroy(h->loop);
    sanwo_driver_destroy(h->driver);
    if (h->region)
        sanwo_region_release(h->region, h->region_size);
    h->loop = NULL;
    h->driver = NULL;
    h->region = NULL;
}

/*
 * Nothing is left to say, and what was said has left the emulator. What is on its way in may still
 * be answered.
 */
static bool is_settled(const struct host *h, sanwo_time now)
{
    struct sanwo_stack_stats stats;

    sanwo_stack_stats(h->stack, &stats);
    return stats.connections == 0 && sanwo_stack_deadline(h->stack) > now &&
           h->driver->ops->deadline(h->driver) == SANWO_TIME_NEVER;
}

void sw_host_settle(struct host *h, sanwo_time patience)
{
    sanwo_time until = sanwo_time_now() + patience + 2 * h->round_trip;

    while (!is_settled(h, sanwo_time_now()) && sanwo_time_now() < until)
        if (sanwo_loop_turn(h->loop, SANWO_MSEC(20)) < 0)
            return;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool has_family(const struct host *h, const struct sanwo_address *a)
{
    for (size_t i = 0; i < h->address_count; i++)
        if (h->addresses[i].family == a->family)
            return true;
    return false;
}

int sw_host_resolve(const struct host *h, const char *name, struct sanwo_address *out, int max)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int count = 0;

    if (getaddrinfo(name, NULL, &hints, &found))
        return 0;
    for (const struct addrinfo *at = found; at && count < max; at = at->ai_next) {
        struct sanwo_address address;

        if (read_socket_address(at->ai_addr, &address) && has_family(h, &address))
            out[count++] = address;
    }
    freeaddrinfo(found);
    return count;
}

/* ---- signals --------------------------------------------------------------------------------- */

static struct sanwo_loop *volatile loop_to_stop;
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    if (signals++)
        _exit(128 + number);
    sanwo_loop_stop(loop_to_stop);
}

void sw_host_catch_signals(struct host *h)
{
    struct sigaction action = {.sa_handler = on_signal};

    loop_to_stop = h->loop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL); /* writing says EPIPE instead */
}

int sw_host_signals(void)
{
    return signals;
}

int sw_host_status(int error)
{
    switch (error < 0 ? -error : error) {
    case 0:
        return STATUS_OK;
    case SANWO_ECONNREFUSED:
    case SANWO_EHOSTUNREACH:
    case SANWO_ENETUNREACH:
        return STATUS_CONNECT;
    case SANWO_ETIMEDOUT:
        return STATUS_TIMEOUT;
    case SANWO_ECONNRESET:
    case SANWO_ECONNABORTED:
        return STATUS_RESET;
    default:
        return STATUS_FAILED;
    }
}
