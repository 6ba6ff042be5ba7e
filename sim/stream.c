/*
 * stream.c - What the applications say and hear: each byte is known to both sides beforehand.
 *
 * A stream is cut from the world's text, beginning at a place that follows from the talk's number
 * and the direction. Writes go by copy, by reference or into the queue itself, reads by copy or in
 * place, by chance.
 */
#include <string.h>

#include "inside.h"

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
    struct world_end *peer = ends_peer(end);
    bool well = false;

    if (peer == NULL || end->received + length > peer->sent)
        world_fail(w, "talk %u: more arrived than was sent", end->talk->number);
    else if (!is_said(end, bytes, length))
        world_fail(w, "talk %u: wrong bytes at %llu + %zu", end->talk->number,
                   (unsigned long long)end->received, length);
    else
        well = true;
    if (!well)
        w->failed_talk = end->talk;
    end->received += length;
}

/* ---- writing ----------------------------------------------------------------------------------- */

static int64_t write_reserved(struct world_end *end, const uint8_t *bytes, size_t length)
{
    struct sanwo_stack *s = ends_stack(end);
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
        int64_t sent = sanwo_tcp_send_ref(ends_stack(end), end->handle, bytes, length, 0, now);

        if (sent != -SANWO_EMSGSIZE) /* more than the send buffer is */
            return sent;
    }
    if (length == end->plan.send - end->sent)
        flags = 0; /* nothing more follows */
    if (chance_hit(&end->world->chance, end->plan.urgent_ppm))
        flags = SANWO_SEND_URGENT;
    return sanwo_tcp_send(ends_stack(end), end->handle, bytes, length, flags, now);
}

static void cannot_write(struct world_end *end, int error)
{
    struct world *w = end->world;

    switch (error) {
    case SANWO_EAGAIN:
        return;
    case SANWO_ENOMEM:
        end->retry = world_now(w) + SANWO_MSEC(10);
        ends_wake_at(w, end->retry);
        return;
    case SANWO_EBADF:
    case SANWO_EINVAL:
    case SANWO_EPIPE:
    case SANWO_EMSGSIZE:
        world_fail(w, "send: %s", sanwo_error_name(error));
        return;
    default: /* what ended it: the CLOSED event says the same */
        return;
    }
}

void stream_write(struct world_end *end)
{
    struct world *w = end->world;
    uint32_t most = end->plan.most_write != 0 ? end->plan.most_write : WORLD_MOST;

    while (!end->ended && end->sent < end->plan.send && !w->failed) {
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
    int n = sanwo_tcp_peek(ends_stack(end), end->handle, slices, 4);
    size_t used = 0;
    int result;

    if (n <= 0)
        return n;
    for (int i = 0; i < n && used < length; i++) {
        size_t part = slices[i].length < length - used ? slices[i].length : length - used;

        heard(end, slices[i].bytes, part);
        used += part;
    }
    result = sanwo_tcp_consume(ends_stack(end), end->handle, used, world_now(end->world));
    if (result < 0)
        world_fail(end->world, "consume: %s", sanwo_error_name(result));
    return (int64_t)used;
}

static int64_t read_copy(struct world_end *end, size_t length)
{
    uint8_t bytes[WORLD_MOST];
    int64_t n =
        sanwo_tcp_receive(ends_stack(end), end->handle, bytes, length, world_now(end->world));

    if (n > 0)
        heard(end, bytes, (size_t)n);
    return n;
}

static void at_end(struct world_end *end)
{
    struct world_end *peer = ends_peer(end);

    if (end->eof)
        return;
    end->eof = true;
    if (peer == NULL || !peer->ended || end->received > peer->sent)
        world_fail(end->world, "an end of stream that nobody made");
    else if (end->received != peer->sent)
        world_fail(end->world, "talk %u: the stream ends at %llu of %llu", end->talk->number,
                   (unsigned long long)end->received, (unsigned long long)peer->sent);
}

/* After a read the program may have other things to do. */
static void maybe_stall(struct world_end *end)
{
    struct world *w = end->world;

    if (!chance_hit(&w->chance, end->plan.stall_ppm))
        return;
    end->read_after =
        world_now(w) + 1 + (sanwo_time)chance_below(&w->chance, (uint64_t)end->plan.stall);
    ends_wake_at(w, end->read_after);
}

bool stream_read(struct world_end *end)
{
    struct world *w = end->world;
    uint32_t most = end->plan.most_read != 0 ? end->plan.most_read : WORLD_MOST;

    while (world_now(w) >= end->read_after && !w->failed) {
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
        maybe_stall(end);
    }
    return false;
}
