/*
 * ip_ready.c - Frames that wait: for a neighbour's answer, or for the next poll.
 *
 *     sw_ip_send() -> parked at a neighbour -> answered   -> ready queue -> sw_ip_poll_frame()
 *                                           -> given up   -> dropped
 *     ARP, echo, errors ------------------------------------^
 *
 * A waiting frame lies in a block of the region with as many slices as it uses. Its bytes are kept
 * relative to the region (but those of external buffers), so that a copy of the region holds.
 */
#include "ip/ip_internal.h"
#include "link/arp.h"

struct waiting_frame {
    region_ref next; /* in the ready queue; 0 ends */
    uint32_t spare;
    struct sanwo_frame frame; /* cut off after the last slice in use */
};

static struct waiting_frame *waiting_at(const struct ip *ip, region_ref place)
{
    return sw_region_at(ip->region, place);
}

/* ---- a frame at rest ---------------------------------------------------------------------------- */

static size_t frame_size(unsigned slice_count)
{
    return offsetof(struct sanwo_frame, slices) + slice_count * sizeof(struct sanwo_slice);
}

region_ref sw_ip_waiting_alloc(struct ip *ip, unsigned slice_count)
{
    SW_ASSERT(slice_count > 0 && slice_count <= SANWO_FRAME_SLICES);
    return sw_region_alloc(ip->region,
                           offsetof(struct waiting_frame, frame) + frame_size(slice_count));
}

static bool lies_in_region(const struct ip *ip, const struct sanwo_slice *s)
{
    const struct buffer *b = sw_buffer_at(ip->region, s->buffer);

    return b && !b->external;
}

void sw_ip_waiting_store(struct ip *ip, region_ref place, const struct sanwo_frame *frame)
{
    struct waiting_frame *w = waiting_at(ip, place);

    w->next = 0;
    w->spare = 0;
    memcpy(&w->frame, frame, frame_size(frame->slice_count));
    for (unsigned i = 0; i < frame->slice_count; i++) {
        struct sanwo_slice *s = &w->frame.slices[i];
        if (lies_in_region(ip, s))
            s->bytes =
                (const uint8_t *)((uintptr_t)s->bytes - (uintptr_t)sw_region_base(ip->region));
    }
}

/* The frame as it was; the place is free again. */
static void unstore(struct ip *ip, region_ref place, struct sanwo_frame *out)
{
    const struct waiting_frame *w = waiting_at(ip, place);

    memset(out, 0, sizeof *out);
    memcpy(out, &w->frame, frame_size(w->frame.slice_count));
    for (unsigned i = 0; i < out->slice_count; i++) {
        struct sanwo_slice *s = &out->slices[i];
        if (lies_in_region(ip, s))
            s->bytes =
                (const uint8_t *)((uintptr_t)sw_region_base(ip->region) + (uintptr_t)s->bytes);
    }
    sw_region_free(ip->region, place);
}

/* ---- letting go --------------------------------------------------------------------------------- */

static void release_buffer(struct ip *ip, struct buffer *b)
{
    if (b->external && b->references == 1) {
        b->next = ip->orphans; /* in no list of others: this reference is the last */
        ip->orphans = sw_buffer_name(ip->region, b);
        return;
    }
    sw_buffer_unref(ip->region, b);
}

region_ref sw_ip_take_orphan(struct ip *ip)
{
    region_ref name = ip->orphans;
    struct buffer *b = sw_buffer_at(ip->region, name);

    if (b) {
        ip->orphans = b->next;
        b->next = 0;
    }
    return name;
}

void sw_ip_frame_release(struct ip *ip, const struct sanwo_frame *frame)
{
    for (unsigned i = 0; i < frame->slice_count; i++) {
        struct buffer *b = sw_buffer_at(ip->region, frame->slices[i].buffer);
        if (b)
            release_buffer(ip, b);
    }
}

static void drop_waiting(struct ip *ip, region_ref place)
{
    struct sanwo_frame frame;

    unstore(ip, place, &frame);
    sw_ip_frame_release(ip, &frame);
}

void sw_ip_drop_frames(struct ip *ip, const struct neighbour_frames *frames)
{
    for (unsigned i = 0; i < frames->count; i++)
        drop_waiting(ip, frames->frames[i]);
}

/* ---- the ready queue ---------------------------------------------------------------------------- */

static void append(struct ip *ip, region_ref place, sanwo_time now)
{
    if (ip->ready_tail)
        waiting_at(ip, ip->ready_tail)->next = place;
    else
        ip->ready_head = place;
    if (ip->ready_count++ == 0)
        ip->ready_since = now;
    ip->ready_tail = place;
}

static region_ref remove_first(struct ip *ip)
{
    region_ref place = ip->ready_head;

    if (!place)
        return 0;
    ip->ready_head = waiting_at(ip, place)->next;
    if (!ip->ready_head)
        ip->ready_tail = 0;
    ip->ready_count--;
    return place;
}

bool sw_ip_ready_push(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                      uint16_t *reason)
{
    region_ref place;

    *reason = SANWO_REASON_QUEUE_FULL;
    if (ip->ready_count >= ip->ready_limit) {
        ip->lost.queue_full++;
        return false;
    }
    place = sw_ip_waiting_alloc(ip, frame->slice_count);
    *reason = SANWO_REASON_NO_MEMORY;
    if (!place) {
        ip->lost.no_memory++;
        return false;
    }
    sw_ip_waiting_store(ip, place, frame);
    append(ip, place, now);
    *reason = SANWO_REASON_NONE;
    return true;
}

void sw_ip_ready_frames(struct ip *ip, const struct neighbour_frames *frames,
                        const struct wire_mac *mac, sanwo_time now)
{
    for (unsigned i = 0; i < frames->count; i++) {
        const struct sanwo_frame *f = &waiting_at(ip, frames->frames[i])->frame;
        uint8_t *bytes = (uint8_t *)sw_region_base(ip->region) + (uintptr_t)f->slices[0].bytes;
        if (ip->ready_count >= ip->ready_limit) {
            ip->lost.queue_full++;
            drop_waiting(ip, frames->frames[i]);
            continue;
        }
        memcpy(bytes, mac->bytes, sizeof mac->bytes); /* the destination comes first */
        append(ip, frames->frames[i], now);
    }
}

/* ---- polling ------------------------------------------------------------------------------------ */

/* The request for one neighbour, from the address of ours that is nearest to it. */
static bool write_request(struct ip *ip, const struct neighbour_task *task, struct sanwo_frame *out)
{
    const struct ip_link *link = sw_ip_link_at(ip, task->link);
    struct ip_path path = {.link = task->link};
    struct sanwo_address source;
    struct wire_mac mac;
    uint8_t *bytes;

    if (!link || !link->up || !sw_ip_source_for(ip, &task->address, &path, &source))
        return false;
    bytes = sw_ip_reply_begin(ip, ARP_FRAME_SIZE, out);
    if (!bytes) {
        ip->lost.no_memory++;
        return false;
    }
    memcpy(mac.bytes, link->config.mac, sizeof mac.bytes);
    sw_arp_write_request(bytes, &mac, &source, &task->address, task->unicast ? &task->mac : NULL);
    out->link = task->link;
    return true;
}

/* What is due for neighbours, until there is a frame to send. */
static bool poll_neighbours(struct ip *ip, struct sanwo_frame *out, sanwo_time now)
{
    struct neighbour_task task;

    for (;;) {
        sw_neighbours_poll(sw_ip_neighbours(ip), now, &task);
        switch (task.kind) {
        case NEIGHBOUR_TASK_NONE:
            return false;
        case NEIGHBOUR_TASK_ASK:
            if (write_request(ip, &task, out))
                return true;
            break;
        case NEIGHBOUR_TASK_DROP:
            ip->lost.neighbour_unresolved += task.frames.count;
            sw_ip_drop_frames(ip, &task.frames);
            break;
        }
    }
}

bool sw_ip_poll_frame(struct ip *ip, struct sanwo_frame *out, sanwo_time now)
{
    region_ref place;

    if (sw_neighbours_deadline(sw_ip_neighbours(ip)) <= now && poll_neighbours(ip, out, now))
        return true;
    while ((place = remove_first(ip)) != 0) {
        const struct ip_link *link;
        unstore(ip, place, out);
        link = sw_ip_link_at(ip, out->link);
        if (link && link->up)
            return true;
        ip->lost.link_down++;
        sw_ip_frame_release(ip, out);
    }
    return false;
}

sanwo_time sw_ip_deadline(const struct ip *ip)
{
    sanwo_time asks = sw_neighbours_deadline(sw_ip_neighbours(ip));

    return ip->ready_count > 0 && ip->ready_since < asks ? ip->ready_since : asks;
}
