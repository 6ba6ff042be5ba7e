/*
 * ends.c - The applications: what they send, what they must get, and how they leave.
 *
 *     opened -> connected -> [ write, read, stall ... ] -> ended (shutdown, close, abort)
 *                                                       -> over (CLOSED event) -> finished
 *
 * Writes go by copy, by reference or into the queue itself, reads by copy or in place, by chance.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "ends.h"

enum { PORT = 7, MOST = 65536 };

static struct sanwo_stack *stack_of(const struct world_end *end)
{
    return end->world->host[end->side].stack;
}

static struct world_end *peer_of(const struct world_end *end)
{
    return end->talk != NULL ? end->talk->end[end->opener] : NULL;
}

/* ---- what is said ------------------------------------------------------------------------------ */

/* Where in the text the byte at @offset of what this end sends lies. */
static size_t place(const struct world_talk *talk, bool opener, uint64_t offset)
{
    uint64_t start = (talk->number * UINT64_C(2) + opener + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(((start >> 20) + offset) % WORLD_TEXT);
}

/* Compares @length bytes at @bytes with what the peer sends at @offset. */
static bool is_said(const struct world_end *end, const uint8_t *bytes, size_t length)
{
    uint64_t offset = end->received;

    while (length > 0) {
        size_t at = place(end->talk, !end->opener, offset);
        size_t part = WORLD_TEXT - at < length ? WORLD_TEXT - at : length;

        if (memcmp(bytes, end->world->text + at, part) != 0)
            return false;
        bytes += part;
        offset += part;
        length -= part;
    }
    return true;
}

static void heard(struct world_end *end, const uint8_t *bytes, size_t length)
{
    struct world *w = end->world;
    struct world_end *peer = peer_of(end);

    if (end->talk == NULL)
        world_fail(w, "%zu bytes from nobody", length);
    if (peer == NULL || end->received + length > peer->sent)
        world_fail(w, "talk %u: more arrived than was sent", end->talk->number);
    if (!is_said(end, bytes, length))
        world_fail(w, "talk %u: wrong bytes at %llu + %zu", end->talk->number,
                   (unsigned long long)end->received, length);
    end->received += length;
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static void wake_at(struct world *w, sanwo_time when)
{
    if (when >= w->timer_at)
        return;
    w->timer_at = when;
    sanwo_virtual_set_timer(w->clock, w->timer, when);
}

static sanwo_time acts_at(const struct world_end *end)
{
    if (end->ended || end->plan.after == 0 || end->plan.ending == WORLD_STAY)
        return SANWO_TIME_NEVER;
    return end->opened + end->plan.after;
}

static sanwo_time starts_at(const struct world_end *end)
{
    return end->opened + end->plan.start;
}

static sanwo_time next_wake(const struct world_end *end, sanwo_time now)
{
    sanwo_time times[] = {acts_at(end), starts_at(end), end->read_after, end->retry};
    sanwo_time next = SANWO_TIME_NEVER;

    if (!end->open)
        return next;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i] > now && times[i] < next)
            next = times[i];
    return next;
}

void ends_on_timer(void *context, sanwo_time now)
{
    struct world *w = context;
    sanwo_time next = SANWO_TIME_NEVER;

    w->timer_at = SANWO_TIME_NEVER;
    for (struct world_end *end = w->ends; end != NULL; end = end->next) {
        sanwo_time wake;

        if (!end->open)
            continue;
        world_pump(end);
        wake = next_wake(end, now);
        next = wake < next ? wake : next;
    }
    wake_at(w, next);
}

/* ---- leaving ----------------------------------------------------------------------------------- */

static void finish(struct world_end *end)
{
    end->open = false;
    end->finished = true;
    if (--end->world->open_ends == 0 && end->world->stop_when_finished)
        sanwo_virtual_stop(end->world->clock);
    end->world->errors[end->error < 32 ? end->error : 31]++;
}

void ends_vanish(struct world_end *end)
{
    end->vanished = true;
    if (end->open)
        finish(end);
}

static void give_back(struct world_end *end, bool abort)
{
    sanwo_time now = world_now(end->world);
    struct sanwo_handle h = end->handle;
    int result =
        abort ? sanwo_tcp_abort(stack_of(end), h, now) : sanwo_tcp_close(stack_of(end), h, now);
    uint8_t byte = 0;

    if (result != 0)
        world_fail(end->world, "%s: %s", abort ? "abort" : "close", sanwo_error_name(result));
    if (sanwo_tcp_send(stack_of(end), h, &byte, 1, 0, now) != -SANWO_EBADF ||
        sanwo_tcp_receive(stack_of(end), h, &byte, 1, now) != -SANWO_EBADF ||
        sanwo_tcp_close(stack_of(end), h, now) != -SANWO_EBADF)
        world_fail(end->world, "a handle that was given back still works");
    end->ended = true;
    finish(end);
}

static void shut(struct world_end *end)
{
    int result = sanwo_tcp_shutdown(stack_of(end), end->handle, world_now(end->world));

    if (result == -SANWO_ENOMEM && end->world->rough) {
        end->retry = world_now(end->world) + SANWO_MSEC(10);
        wake_at(end->world, end->retry);
        return;
    }
    if (result != 0 && !end->over)
        world_fail(end->world, "shutdown: %s", sanwo_error_name(result));
    end->ended = true;
}

/* Does the plan's last act if its time has come. */
static void maybe_end(struct world_end *end)
{
    bool all_sent = end->sent == end->plan.send;
    bool due = end->plan.after != 0 ? world_now(end->world) >= acts_at(end) : all_sent;

    if (end->ended || !due)
        return;
    switch (end->plan.ending) {
    case WORLD_SHUTDOWN:
        if (all_sent)
            shut(end);
        break;
    case WORLD_CLOSE:
        give_back(end, false);
        break;
    case WORLD_ABORT:
        end->error = SANWO_ECONNABORTED;
        give_back(end, true);
        break;
    default:
        break;
    }
}

/* ---- writing ----------------------------------------------------------------------------------- */

static int64_t write_reserved(struct world_end *end, const uint8_t *bytes, size_t length)
{
    struct sanwo_stack *s = stack_of(end);
    struct sanwo_room room;
    int64_t got = sanwo_tcp_reserve(s, end->handle, length, &room);
    size_t use;
    int result;

    if (got < 0)
        return got;
    use = (size_t)got < length ? (size_t)got : length;
    if (chance_hit(&end->world->chance, 50000))
        use = 0; /* thought better of it */
    memcpy(room.bytes, bytes, use);
    result = sanwo_tcp_commit(s, end->handle, use, 0, world_now(end->world));
    if (result < 0)
        world_fail(end->world, "commit: %s", sanwo_error_name(result));
    return (int64_t)use;
}

static int64_t write_some(struct world_end *end, const uint8_t *bytes, size_t length)
{
    sanwo_time now = world_now(end->world);
    uint64_t way = chance_below(&end->world->chance, 8);
    unsigned flags = way == 4 ? SANWO_SEND_MORE : 0;

    if (way == 0)
        return write_reserved(end, bytes, length);
    if (way <= 2 && length >= 1024) {
        int64_t sent = sanwo_tcp_send_ref(stack_of(end), end->handle, bytes, length, 0, now);

        if (sent != -SANWO_EMSGSIZE) /* more than the send buffer is */
            return sent;
    }
    if (length == end->plan.send - end->sent)
        flags = 0; /* nothing more follows */
    return sanwo_tcp_send(stack_of(end), end->handle, bytes, length, flags, now);
}

static void cannot_write(struct world_end *end, int error)
{
    struct world *w = end->world;

    switch (error) {
    case SANWO_EAGAIN:
        return;
    case SANWO_ENOMEM:
        end->retry = world_now(w) + SANWO_MSEC(10);
        wake_at(w, end->retry);
        return;
    case SANWO_EBADF:
    case SANWO_EINVAL:
    case SANWO_EPIPE:
    case SANWO_EMSGSIZE:
        world_fail(w, "send: %s", sanwo_error_name(error));
    default: /* what ended it: the CLOSED event says the same */
        return;
    }
}

static void write_all(struct world_end *end)
{
    struct world *w = end->world;
    uint32_t most = end->plan.most_write != 0 ? end->plan.most_write : MOST;

    while (!end->ended && end->sent < end->plan.send) {
        size_t at = place(end->talk, end->opener, end->sent);
        uint64_t length = 1 + chance_below(&w->chance, most);
        int64_t taken;

        if (length > end->plan.send - end->sent)
            length = end->plan.send - end->sent;
        if (length > WORLD_TEXT - at)
            length = WORLD_TEXT - at;
        taken = write_some(end, w->text + at, (size_t)length);
        if (taken < 0) {
            cannot_write(end, (int)-taken);
            return;
        }
        if ((uint64_t)taken > length)
            world_fail(w, "send took more than it was given");
        end->sent += (uint64_t)taken;
    }
}

/* ---- reading ----------------------------------------------------------------------------------- */

static int64_t read_in_place(struct world_end *end, size_t length)
{
    struct sanwo_slice slices[4];
    int n = sanwo_tcp_peek(stack_of(end), end->handle, slices, 4);
    size_t used = 0;
    int result;

    if (n <= 0)
        return n;
    for (int i = 0; i < n && used < length; i++) {
        size_t part = slices[i].length < length - used ? slices[i].length : length - used;

        heard(end, slices[i].bytes, part);
        used += part;
    }
    result = sanwo_tcp_consume(stack_of(end), end->handle, used, world_now(end->world));
    if (result < 0)
        world_fail(end->world, "consume: %s", sanwo_error_name(result));
    return (int64_t)used;
}

static int64_t read_copy(struct world_end *end, size_t length)
{
    uint8_t bytes[MOST];
    int64_t n = sanwo_tcp_receive(stack_of(end), end->handle, bytes, length, world_now(end->world));

    if (n > 0)
        heard(end, bytes, (size_t)n);
    return n;
}

static void at_end(struct world_end *end)
{
    struct world_end *peer = peer_of(end);

    if (end->eof)
        return;
    end->eof = true;
    if (peer == NULL || !peer->ended || peer->received > end->sent)
        world_fail(end->world, "an end of stream that nobody made");
    if (end->received != peer->sent)
        world_fail(end->world, "talk %u: the stream ends at %llu of %llu", end->talk->number,
                   (unsigned long long)end->received, (unsigned long long)peer->sent);
}

/* Returns true if nothing more will ever come. */
static bool read_all(struct world_end *end)
{
    struct world *w = end->world;
    uint32_t most = end->plan.most_read != 0 ? end->plan.most_read : MOST;

    while (world_now(w) >= end->read_after) {
        size_t length = 1 + (size_t)chance_below(&w->chance, most);
        int64_t n =
            chance_hit(&w->chance, 300000) ? read_in_place(end, length) : read_copy(end, length);

        if (n == -SANWO_EBADF || n == -SANWO_EINVAL)
            world_fail(w, "receive: %s", sanwo_error_name((int)n));
        if (n < 0)
            return n != -SANWO_EAGAIN && (end->over || n != -SANWO_ENOTCONN);
        if (n == 0) {
            at_end(end);
            return true;
        }
        if (chance_hit(&w->chance, end->plan.stall_ppm)) {
            end->read_after =
                world_now(w) + 1 + (sanwo_time)chance_below(&w->chance, (uint64_t)end->plan.stall);
            wake_at(w, end->read_after);
        }
    }
    return false;
}

/* ---- acting ------------------------------------------------------------------------------------ */

void world_pump(struct world_end *end)
{
    bool drained = false;

    if (!end->open)
        return;
    if (world_now(end->world) >= starts_at(end)) {
        if (end->talk != NULL)
            write_all(end);
        drained = read_all(end);
    }
    maybe_end(end);
    if (!end->open || !drained)
        return;
    /* All was read and said. The handle goes now or, as some programs do, when all is over. */
    if (end->over || (end->eof && end->ended && !end->lingers && !end->plan.patient))
        give_back(end, false);
}

void world_change_plan(struct world_end *end, const struct world_plan *plan)
{
    end->plan = *plan;
    end->read_after = 0;
    wake_at(end->world, world_now(end->world));
}

static struct world_end *new_end(struct world *w, unsigned side, bool opener)
{
    struct world_end *end = calloc(1, sizeof(*end));

    assert_non_null(end);
    end->world = w;
    end->side = side;
    end->opener = opener;
    end->open = true;
    end->opened = world_now(w);
    end->lingers = chance_hit(&w->chance, 500000);
    if (w->last_end != NULL)
        w->last_end->next = end;
    else
        w->ends = end;
    w->last_end = end;
    w->open_ends++;
    return end;
}

static void plan_wakes(struct world_end *end)
{
    sanwo_time now = world_now(end->world);

    wake_at(end->world, next_wake(end, now));
}

struct world_talk *world_open(struct world *w, unsigned side, const struct world_plan *opener,
                              const struct world_plan *acceptor, int *error)
{
    struct sanwo_tcp_connect connect = {
        .remote = {.address = w->host[!side].address, .port = PORT},
        .isn_is_set = w->config.isn_is_set,
        .isn = w->config.isn[side],
    };
    struct world_talk *talk = calloc(1, sizeof(*talk));
    struct world_end *end = new_end(w, side, true);
    struct sanwo_tcp_info info;
    int result;

    assert_non_null(talk);
    connect.user = end;
    result = sanwo_tcp_connect(w->host[side].stack, &connect, world_now(w), &end->handle);
    if (error != NULL)
        *error = -result;
    if (result < 0) {
        end->error = -result;
        finish(end);
        free(talk);
        return NULL;
    }
    assert_int_equal(sanwo_tcp_info(w->host[side].stack, end->handle, &info), 0);
    *talk = (struct world_talk){.number = w->talk_count++,
                                .port = info.local.port,
                                .iss = info.iss,
                                .opener_side = side,
                                .end = {end, NULL},
                                .acceptor_plan = *acceptor};
    if (w->last_talk != NULL)
        w->last_talk->next = talk;
    else
        w->talks = talk;
    w->last_talk = talk;
    end->talk = talk;
    end->plan = *opener;
    plan_wakes(end);
    return talk;
}

/* Ports come again, so the number of the SYN decides. NULL: the talk has its acceptor already. */
static struct world_talk *find_talk(struct world *w, unsigned opener_side,
                                    const struct sanwo_tcp_info *info)
{
    for (struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        if (talk->opener_side == opener_side && talk->port == info->remote.port &&
            talk->iss == info->irs && talk->end[1] == NULL)
            return talk;
    return NULL;
}

/* Returns false if there was nothing to accept. */
static bool accept_one(struct world *w, unsigned side)
{
    struct world_host *host = &w->host[side];
    struct world_end *end = new_end(w, side, false);
    int result = sanwo_tcp_accept(host->stack, host->listener, end, &end->handle);
    struct sanwo_tcp_info info;

    if (result == -SANWO_EAGAIN) {
        finish(end);
        return false;
    }
    assert_int_equal(result, 0);
    assert_int_equal(sanwo_tcp_info(host->stack, end->handle, &info), 0);
    end->connected = true;
    end->talk = find_talk(w, !side, &info);
    /* An old SYN that came twice: nobody is there, and the peer's reset will end it. */
    end->plan = (struct world_plan){.ending = WORLD_STAY};
    if (end->talk != NULL) {
        end->talk->end[1] = end;
        end->plan = end->talk->acceptor_plan;
    }
    plan_wakes(end);
    world_pump(end);
    return true;
}

/* Orderly, or for a reason that has a name and that the other side or the network can have caused. */
static void check_error(struct world_end *end, int error)
{
    switch (error) {
    case SANWO_OK:
    case SANWO_ECONNREFUSED:
    case SANWO_ECONNRESET:
    case SANWO_ETIMEDOUT:
        return;
    case SANWO_EHOSTUNREACH:
    case SANWO_ENETUNREACH:
    case SANWO_ENOMEM:
    case SANWO_ECONNABORTED:
        if (end->world->rough)
            return;
        break;
    default:
        break;
    }
    world_fail(end->world, "ended with %s", sanwo_error_name(error));
}

void ends_on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                   sanwo_time now)
{
    struct world *w = context;
    struct world_end *end = event->user;

    (void)now;
    if (event->what & SANWO_EVENT_ACCEPT) {
        while (accept_one(w, stack == w->host[1].stack))
            continue;
        return;
    }
    if (end == NULL || !end->open || !sanwo_handle_equal(end->handle, event->handle))
        world_fail(w, "an event %#x for nobody", event->what);
    if (end->over)
        world_fail(w, "an event %#x after CLOSED", event->what);
    end->connected |= (event->what & SANWO_EVENT_CONNECTED) != 0;
    if (event->what & SANWO_EVENT_CLOSED) {
        end->over = true;
        end->error = event->error;
        check_error(end, event->error);
    }
    world_pump(end);
}
