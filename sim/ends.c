/*
 * ends.c - The applications: how they open, wait and leave. What they say is in stream.c.
 *
 *     opened -> connected -> [ write, read, stall ... ] -> ended (shutdown, close, abort)
 *                                                       -> over (CLOSED event) -> finished
 */
#include <stdlib.h>

#include "inside.h"

struct sanwo_stack *ends_stack(const struct world_end *end)
{
    return end->world->host[end->side].stack;
}

struct world_end *ends_peer(const struct world_end *end)
{
    return end->talk != NULL ? end->talk->end[end->opener] : NULL;
}

/* ---- waiting ----------------------------------------------------------------------------------- */

void ends_wake_at(struct world *w, sanwo_time when)
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
    ends_wake_at(w, next);
}

/* ---- leaving ----------------------------------------------------------------------------------- */

static void finish(struct world_end *end)
{
    struct world *w = end->world;

    end->open = false;
    end->finished = true;
    if (--w->open_ends == 0 && w->stop_when_finished)
        sanwo_virtual_stop(w->clock);
    w->errors[end->error < WORLD_ERRORS ? end->error : WORLD_ERRORS - 1]++;
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
    struct sanwo_stack *stack = ends_stack(end);
    struct sanwo_handle h = end->handle;
    int result = abort ? sanwo_tcp_abort(stack, h, now) : sanwo_tcp_close(stack, h, now);
    uint8_t byte = 0;

    if (result != 0)
        world_fail(end->world, "%s: %s", abort ? "abort" : "close", sanwo_error_name(result));
    if (sanwo_tcp_send(stack, h, &byte, 1, 0, now) != -SANWO_EBADF ||
        sanwo_tcp_receive(stack, h, &byte, 1, now) != -SANWO_EBADF ||
        sanwo_tcp_close(stack, h, now) != -SANWO_EBADF)
        world_fail(end->world, "a handle that was given back still works");
    end->ended = true;
    finish(end);
}

static void shut(struct world_end *end)
{
    int result = sanwo_tcp_shutdown(ends_stack(end), end->handle, world_now(end->world));

    if (result == -SANWO_ENOMEM && end->world->rough) {
        end->retry = world_now(end->world) + SANWO_MSEC(10);
        ends_wake_at(end->world, end->retry);
        return;
    }
    /* What ended the connection may be known here before its event is taken. */
    if (result == -SANWO_EBADF || result == -SANWO_EINVAL || (result == -SANWO_EPIPE && !end->over))
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

/* ---- acting ------------------------------------------------------------------------------------ */

void world_pump(struct world_end *end)
{
    struct world *w = end->world;
    bool drained = false;

    if (!end->open || w->failed)
        return;
    if (end->talk != NULL && world_now(w) >= starts_at(end)) {
        stream_write(end);
        drained = stream_read(end);
    }
    if (w->failed)
        return;
    maybe_end(end);
    if (!end->open || !drained || w->failed)
        return;
    /* All was read and said. The handle goes now or, as some programs do, when all is over. */
    if (end->over || (end->eof && end->ended && !end->lingers && !end->plan.patient))
        give_back(end, false);
}

void world_change_plan(struct world_end *end, const struct world_plan *plan)
{
    end->plan = *plan;
    end->read_after = 0;
    ends_wake_at(end->world, world_now(end->world));
}

/* ---- opening ----------------------------------------------------------------------------------- */

static struct world_end *new_end(struct world *w, unsigned side, bool opener)
{
    struct world_end *end = sim_calloc(sizeof(*end));

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

static struct world_talk *new_talk(struct world *w, unsigned side,
                                   const struct sanwo_tcp_info *info)
{
    struct world_talk *talk = sim_calloc(sizeof(*talk));

    *talk = (struct world_talk){
        .number = w->talk_count++, .port = info->local.port, .iss = info->iss, .opener_side = side};
    if (w->last_talk != NULL)
        w->last_talk->next = talk;
    else
        w->talks = talk;
    w->last_talk = talk;
    return talk;
}

static void join(struct world_talk *talk, struct world_end *end, const struct world_plan *plan)
{
    talk->end[!end->opener] = end;
    end->talk = talk;
    end->plan = *plan;
    ends_wake_at(end->world, next_wake(end, world_now(end->world)));
}

/* Returns 0 or the SANWO_E... that connect() refuses with. */
static int connect_end(struct world_end *end, uint16_t from, uint16_t to)
{
    struct world *w = end->world;
    struct sanwo_tcp_connect connect = {
        .remote = {.address = w->host[!end->side].address, .port = to},
        .local = {.port = from},
        .isn_is_set = w->config.isn_is_set,
        .isn = w->config.isn[end->side],
        .user = end,
        .fast_open = w->config.fast_open[end->side],
    };
    int result = sanwo_tcp_connect(ends_stack(end), &connect, world_now(w), &end->handle);

    if (result < 0) {
        end->error = -result;
        finish(end);
    }
    return -result;
}

static struct sanwo_tcp_info info_of(const struct world_end *end)
{
    struct sanwo_tcp_info info = {0};

    if (sanwo_tcp_info(ends_stack(end), end->handle, &info) != 0)
        world_fail(end->world, "a new handle has no information");
    return info;
}

static void note_ports(struct world_end *end, const struct sanwo_tcp_info *info)
{
    end->port = info->local.port;
    end->peer_port = info->remote.port;
}

struct world_talk *world_open(struct world *w, unsigned side, const struct world_plan *opener,
                              const struct world_plan *acceptor, int *error)
{
    struct world_end *end = new_end(w, side, true);
    int result = connect_end(end, 0, WORLD_PORT);
    struct sanwo_tcp_info info;
    struct world_talk *talk;

    if (error != NULL)
        *error = result;
    if (result != 0)
        return NULL;
    info = info_of(end);
    note_ports(end, &info);
    talk = new_talk(w, side, &info);
    talk->acceptor_plan = *acceptor;
    join(talk, end, opener);
    if (w->config.fast_open[side]) /* what is said before the SYN goes out goes with it */
        world_pump(end);
    return talk;
}

struct world_talk *world_open_both(struct world *w, const struct world_plan plans[2], int *error)
{
    /* Ports of neither the listeners nor the range of connect(), each pair used once. */
    uint16_t ports[2] = {(uint16_t)(1000 + w->talk_count % 20000), 999};
    struct world_end *end[2];
    struct sanwo_tcp_info info;
    struct world_talk *talk;

    for (unsigned side = 0; side < 2; side++) {
        end[side] = new_end(w, side, side == 0);
        *error = connect_end(end[side], ports[side], ports[!side]);
        if (*error != 0) {
            if (side == 1)
                give_back(end[0], true);
            return NULL;
        }
        info = info_of(end[side]);
        note_ports(end[side], &info);
    }
    info = info_of(end[0]);
    talk = new_talk(w, 0, &info);
    talk->simultaneous = true;
    join(talk, end[0], &plans[0]);
    join(talk, end[1], &plans[1]);
    return talk;
}

/* ---- accepting --------------------------------------------------------------------------------- */

/* By Fast Open a host accepts before the opener knows; if it starts anew then, it accepts once more. */
static bool lacks_acceptor(const struct world *w, const struct world_talk *talk)
{
    bool anew = w->host[!talk->opener_side].boots > 1 && w->config.fast_open[talk->opener_side];

    return talk->end[1] == NULL || (anew && !talk->end[1]->open);
}

/* Ports come again, so the number of the SYN decides. NULL: the talk has its acceptor already. */
static struct world_talk *find_talk(struct world *w, unsigned opener_side,
                                    const struct sanwo_tcp_info *info)
{
    uint32_t irs = info->irs;

    /* A middlebox that moves sequence numbers hides it; ports then come again late enough. */
    bool moved = w->config.middlebox.shift_sequence;
    struct world_talk *found = NULL;

    for (struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        if (talk->opener_side == opener_side && talk->port == info->remote.port &&
            (talk->iss == irs || moved) && lacks_acceptor(w, talk))
            found = talk;
    return found;
}

/*
 * Only a cookie makes a connection of an old segment (RFC 4987 3.6, RFC 7413 6.1), or an ISN that is always
 * the same: others need an answer.
 */
static void check_nobody(struct world *w, unsigned side)
{
    struct sanwo_stack_stats stats;

    world_stats(w, side, &stats);
    if (!w->config.isn_is_set && stats.reasons[SANWO_REASON_COOKIE_ACCEPTED] == 0 &&
        stats.reasons[SANWO_REASON_FAST_OPEN] == 0)
        world_fail(w, "%c accepted a connection that nobody opened", 'A' + (int)side);
}

/* Returns false if there was nothing to accept. */
static bool accept_one(struct world *w, unsigned side)
{
    struct world_host *host = &w->host[side];
    struct world_end *end = new_end(w, side, false);
    int result = sanwo_tcp_accept(host->stack, host->listener, end, &end->handle);
    /* A cookie that came back late: who opened it has left, or talks to an earlier acceptor. */
    const struct world_plan nobody = {.ending = WORLD_ABORT};
    struct sanwo_tcp_info info;
    struct world_talk *talk;

    if (result < 0) {
        if (result != -SANWO_EAGAIN)
            world_fail(w, "accept: %s", sanwo_error_name(result));
        finish(end);
        return false;
    }
    info = info_of(end);
    note_ports(end, &info);
    end->connected = true;
    talk = find_talk(w, !side, &info);
    end->plan = nobody;
    if (talk != NULL && talk->end[1] != NULL)
        end->vanished = true; /* the first one did: what is missing is explained */
    if (talk != NULL)
        join(talk, end, &talk->acceptor_plan);
    else
        check_nobody(w, side);
    world_pump(end);
    return true;
}

/* ---- being told -------------------------------------------------------------------------------- */

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
        if (end->world->links_go || end->world->rough)
            return;
        break;
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
    if (w->failed)
        return;
    if (event->what & SANWO_EVENT_ACCEPT) {
        while (accept_one(w, stack == w->host[1].stack))
            continue;
        return;
    }
    if (end == NULL || !end->open || !sanwo_handle_equal(end->handle, event->handle)) {
        world_fail(w, "an event %#x for nobody", event->what);
        return;
    }
    if (end->over) { /* only the user's own memory may still come back, from frames on their way */
        if (event->what & ~(uint32_t)SANWO_EVENT_RELEASED)
            world_fail(w, "an event %#x after CLOSED", event->what);
        return;
    }
    end->connected |= (event->what & SANWO_EVENT_CONNECTED) != 0;
    if (event->what & SANWO_EVENT_CLOSED) {
        end->over = true;
        end->error = event->error;
        check_error(end, event->error);
    }
    world_pump(end);
}
