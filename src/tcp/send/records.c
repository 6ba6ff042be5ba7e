/*
 * records.c - Sent-segment records in chunks, and the directory of the chunks.
 */
#include "tcp/send/records.h"

#include "tcp/recovery/rack.h"
#include "tcp/send/lost.h"

#define RECORDS_MAX 65536 /* B-01, B-02; of 1448 bytes each it is more than the largest buffer */
#define SPLIT_MARGIN 64   /* of them, kept for splits */
#define CHUNK_BYTES 1024
#define MARKED_CHUNK_BYTES 2048

struct tcp_chunk {
    uint16_t first; /* slot of the oldest */
    uint16_t count;
    uint16_t lost;
    uint16_t sacked;
    uint16_t capacity;
    bool embedded; /* lies in the block of the connection: is not freed */
    bool marked;   /* behind the records lies a rate mark for each */
    uint8_t spare[4];
    struct tcp_record slots[];
};
_Static_assert(sizeof(struct tcp_chunk) == 16, "42 records fill a kilobyte");

/* Where the algorithm was changed meanwhile, there are chunks with marks and without. */
static struct tcp_chunk empty_chunk(size_t bytes, bool marked, bool embedded)
{
    size_t one = sizeof(struct tcp_record) + (marked ? sizeof(struct tcp_rate_mark) : 0);
    return (struct tcp_chunk){.capacity = (uint16_t)((bytes - sizeof(struct tcp_chunk)) / one),
                              .embedded = embedded,
                              .marked = marked};
}

static struct tcp_rate_mark *mark_of(struct tcp_chunk *chunk, uint32_t i)
{
    return (struct tcp_rate_mark *)(void *)(chunk->slots + chunk->capacity) + chunk->first + i;
}

/* @count records from slot @from on, counted from the oldest, move to @to (absolute) of @into. */
static void move(struct tcp_chunk *into, uint32_t to, struct tcp_chunk *chunk, uint32_t from,
                 uint32_t count)
{
    if (chunk->marked) {
        struct tcp_rate_mark *marks = (void *)(into->slots + into->capacity);
        memmove(marks + to, mark_of(chunk, from), count * sizeof(*marks));
    }
    memmove(into->slots + to, chunk->slots + chunk->first + from, count * sizeof(*into->slots));
}

static struct tcp_records *records_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s ? &s->records : NULL;
}

/* ---- the directory -------------------------------------------------------------------------- */

static region_ref *directory(const struct tcp *tcp, struct tcp_records *r)
{
    return r->directory ? sw_region_at(tcp->region, r->directory) : r->few;
}

static struct tcp_chunk *chunk_at(const struct tcp *tcp, struct tcp_records *r, uint32_t i)
{
    return sw_region_at(tcp->region, directory(tcp, r)[r->begin + i]);
}

static uint32_t chunks(const struct tcp_records *r)
{
    return r->end - r->begin;
}

/* Those with records: the last may be there for one to come. */
static uint32_t used_chunks(const struct tcp *tcp, struct tcp_records *r)
{
    uint32_t n = chunks(r);
    return n && !chunk_at(tcp, r, n - 1)->count ? n - 1 : n;
}

/* Room for one more entry at the end. */
static bool grow_directory(struct tcp *tcp, struct tcp_records *r)
{
    uint32_t capacity = r->directory ? r->capacity : (uint32_t)SW_COUNT(r->few);
    region_ref *old = directory(tcp, r);
    if (r->end < capacity)
        return true;
    if (r->begin >= capacity / 2) {
        memmove(old, old + r->begin, chunks(r) * sizeof(*old));
        r->end -= r->begin;
        r->begin = 0;
        return true;
    }
    size_t size = sw_region_round(2 * capacity * sizeof(region_ref));
    region_ref block = sw_region_alloc(tcp->region, size);
    if (!block)
        return false;
    region_ref *wide = sw_region_at(tcp->region, block);
    memcpy(wide, old + r->begin, chunks(r) * sizeof(*wide));
    if (r->directory)
        sw_region_free(tcp->region, r->directory);
    r->directory = block;
    r->capacity = (uint32_t)(size / sizeof(region_ref));
    r->end -= r->begin;
    r->begin = 0;
    return true;
}

/* An empty chunk, at position @i. NULL: no memory. */
static struct tcp_chunk *add_chunk(struct tcp *tcp, struct tcp_records *r, uint32_t i, bool marked)
{
    if (!grow_directory(tcp, r))
        return NULL;
    size_t bytes = marked ? MARKED_CHUNK_BYTES : CHUNK_BYTES;
    region_ref block = sw_region_alloc(tcp->region, bytes);
    if (!block)
        return NULL;
    struct tcp_chunk *chunk = sw_region_at(tcp->region, block);
    *chunk = empty_chunk(bytes, marked, false);
    region_ref *d = directory(tcp, r) + r->begin;
    memmove(d + i + 1, d + i, (chunks(r) - i) * sizeof(*d));
    d[i] = block;
    r->end++;
    return chunk;
}

static void remove_first_chunk(struct tcp *tcp, struct tcp_records *r)
{
    struct tcp_chunk *chunk = chunk_at(tcp, r, 0);
    if (!chunk->embedded)
        sw_region_free(tcp->region, directory(tcp, r)[r->begin]);
    r->begin++;
    if (r->begin == r->end)
        r->begin = r->end = 0;
}

/* With nothing in flight the first chunk is the one in the block itself. */
static void use_embedded(struct tcp *tcp, struct tcp_connection *conn, struct tcp_sending *s)
{
    if (chunks(&s->records) || !s->chunk)
        return;
    uint32_t bytes = (uint32_t)sw_region_block_size(tcp->region, conn->send.sending) - s->chunk;
    region_ref ref = conn->send.sending + s->chunk / REGION_LINE;
    struct tcp_chunk *chunk = sw_region_at(tcp->region, ref);
    *chunk = empty_chunk(bytes, s->records.marked, true);
    directory(tcp, &s->records)[0] = ref;
    s->records.begin = 0;
    s->records.end = 1;
}

/* The only one left is that, and of the right kind: it stays, empty, for what is sent next. */
static bool keep_embedded(const struct tcp *tcp, struct tcp_records *r)
{
    struct tcp_chunk *chunk = chunk_at(tcp, r, 0);
    if (chunks(r) > 1 || !chunk->embedded || chunk->marked != r->marked)
        return false;
    chunk->first = chunk->count = chunk->lost = chunk->sacked = 0;
    return true;
}

/* ---- going from one to the next -------------------------------------------------------------- */

uint32_t sw_tcp_records_count(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_records *r = records_of(tcp, conn);
    return r ? r->count : 0;
}

static struct tcp_record *slot(struct tcp_chunk *chunk, uint32_t i)
{
    return &chunk->slots[chunk->first + i];
}

struct tcp_record *sw_tcp_record_at(const struct tcp *tcp, const struct tcp_connection *conn,
                                    const struct tcp_place *place)
{
    return slot(chunk_at(tcp, records_of(tcp, conn), place->chunk), place->slot);
}

/* The record at @place; where its chunk ends, the first of the next that has one. */
static struct tcp_record *settle(const struct tcp *tcp, struct tcp_records *r,
                                 struct tcp_place *place)
{
    for (; place->chunk < chunks(r); place->chunk++, place->slot = 0) {
        struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
        if (place->slot < chunk->count)
            return slot(chunk, place->slot);
    }
    return NULL;
}

struct tcp_record *sw_tcp_records_first(const struct tcp *tcp, const struct tcp_connection *conn,
                                        struct tcp_place *place)
{
    struct tcp_records *r = records_of(tcp, conn);
    *place = (struct tcp_place){0, 0};
    return r ? settle(tcp, r, place) : NULL;
}

struct tcp_record *sw_tcp_records_next(const struct tcp *tcp, const struct tcp_connection *conn,
                                       struct tcp_place *place)
{
    place->slot++;
    return settle(tcp, records_of(tcp, conn), place);
}

struct tcp_record *sw_tcp_records_last(const struct tcp *tcp, const struct tcp_connection *conn,
                                       struct tcp_place *place)
{
    struct tcp_records *r = records_of(tcp, conn);
    if (!r || !r->count)
        return NULL;
    place->chunk = used_chunks(tcp, r) - 1;
    struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
    place->slot = chunk->count - 1u;
    return slot(chunk, place->slot);
}

/* True if @seq, given as a distance from snd_una, lies beyond the record's end. */
static bool ends_before(const struct tcp_connection *conn, const struct tcp_record *record,
                        uint32_t wanted)
{
    return tcp_seq_distance(conn->send.snd_una, record->seq) + record->length <= wanted;
}

struct tcp_record *sw_tcp_records_find(const struct tcp *tcp, const struct tcp_connection *conn,
                                       tcp_seq seq, struct tcp_place *place)
{
    struct tcp_records *r = records_of(tcp, conn);
    if (!r || !r->count)
        return NULL;
    uint32_t wanted = tcp_seq_distance(conn->send.snd_una, seq);
    uint32_t all = used_chunks(tcp, r), low = 0, high = all;
    while (low < high) { /* the first chunk whose last record does not end before it */
        uint32_t middle = (low + high) / 2;
        struct tcp_chunk *chunk = chunk_at(tcp, r, middle);
        if (ends_before(conn, slot(chunk, chunk->count - 1u), wanted))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == all)
        return NULL;
    place->chunk = low;
    struct tcp_chunk *chunk = chunk_at(tcp, r, low);
    low = 0;
    high = chunk->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ends_before(conn, slot(chunk, middle), wanted))
            low = middle + 1;
        else
            high = middle;
    }
    place->slot = low;
    return slot(chunk, low);
}

static uint32_t count_of(const struct tcp_chunk *chunk, enum tcp_record_kind kind)
{
    switch (kind) {
    case RECORDS_LOST:
        return chunk->lost;
    case RECORDS_SACKED:
        return chunk->sacked;
    case RECORDS_UNSACKED:
        return (uint32_t)chunk->count - chunk->sacked;
    default:
        return (uint32_t)chunk->count - chunk->lost - chunk->sacked;
    }
}

static bool is_of(const struct tcp_record *record, enum tcp_record_kind kind)
{
    if (kind == RECORDS_OPEN)
        return !(record->flags & (RECORD_LOST | RECORD_SACKED));
    if (kind == RECORDS_UNSACKED)
        return !(record->flags & RECORD_SACKED);
    return record->flags & (kind == RECORDS_LOST ? RECORD_LOST : RECORD_SACKED);
}

struct tcp_record *sw_tcp_records_next_of(const struct tcp *tcp, const struct tcp_connection *conn,
                                          enum tcp_record_kind kind, struct tcp_place *place)
{
    struct tcp_records *r = records_of(tcp, conn);
    for (; place->chunk < chunks(r); place->chunk++, place->slot = 0) {
        struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
        if (!count_of(chunk, kind))
            continue;
        for (; place->slot < chunk->count; place->slot++)
            if (is_of(slot(chunk, place->slot), kind))
                return slot(chunk, place->slot);
    }
    return NULL;
}

struct tcp_record *sw_tcp_records_first_lost(const struct tcp *tcp, struct tcp_connection *conn,
                                             struct tcp_place *place)
{
    struct tcp_records *r = records_of(tcp, conn);
    if (!conn->send.lost || !r)
        return NULL;
    tcp_seq from = tcp_seq_max(r->lost_from, conn->send.snd_una);
    struct tcp_record *record = sw_tcp_records_find(tcp, conn, from, place)
                                    ? sw_tcp_records_next_of(tcp, conn, RECORDS_LOST, place)
                                    : NULL;
    if (record)
        r->lost_from = record->seq;
    return record;
}

/* ---- changing them ---------------------------------------------------------------------------- */

/* Room where there is none yet: the last chunk made anew, or a new one. NULL: no memory. Rare, so apart. */
static __attribute__((noinline)) struct tcp_chunk *make_room_at_end(struct tcp *tcp,
                                                                    struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending_make(tcp, conn);
    if (!s)
        return NULL;
    struct tcp_records *r = &s->records;
    use_embedded(tcp, conn, s);
    if (chunks(r)) {
        struct tcp_chunk *last = chunk_at(tcp, r, chunks(r) - 1);
        if (last->first + last->count < last->capacity)
            return last;
        if (!last->count) {
            last->first = 0;
            return last;
        }
        if (last->first > last->capacity / 2) {
            move(last, 0, last, 0, last->count);
            last->first = 0;
            return last;
        }
    }
    return add_chunk(tcp, r, chunks(r), r->marked);
}

/* Room for one more. NULL: no memory, or @limit of them are there. */
static struct tcp_chunk *room_at_end(struct tcp *tcp, struct tcp_connection *conn, uint32_t limit)
{
    struct tcp_records *r = records_of(tcp, conn);
    if (r && r->count >= limit)
        return NULL;
    if (SW_LIKELY(r && chunks(r))) {
        struct tcp_chunk *last = chunk_at(tcp, r, chunks(r) - 1);
        if (SW_LIKELY(last->first + last->count < last->capacity))
            return last;
    }
    return make_room_at_end(tcp, conn);
}

bool sw_tcp_records_reserve(struct tcp *tcp, struct tcp_connection *conn)
{
    /* An added chunk may stay empty for a while: it is the last, and alone so. */
    return room_at_end(tcp, conn, RECORDS_MAX - SPLIT_MARGIN) != NULL;
}

struct tcp_record *sw_tcp_records_push(struct tcp *tcp, struct tcp_connection *conn,
                                       uint32_t length)
{
    struct tcp_chunk *chunk = room_at_end(tcp, conn, RECORDS_MAX);
    if (!chunk)
        return NULL;
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    struct tcp_records *r = &s->records;
    if (chunk->marked)
        sw_tcp_rate_on_sent(&s->rate, mark_of(chunk, chunk->count), conn->send.in_flight, length,
                            tcp->now);
    struct tcp_record *record = slot(chunk, chunk->count++);
    *record = (struct tcp_record){.seq = conn->send.snd_nxt,
                                  .length = length,
                                  .sent = tcp->now,
                                  .transmissions = 1,
                                  .order = ++r->transmissions};
    r->count++;
    conn->send.in_flight += length;
    return record;
}

/* Half of a full chunk moves to a new one behind it; @place goes along. */
static bool halve(struct tcp *tcp, struct tcp_records *r, struct tcp_place *place)
{
    struct tcp_chunk *right =
        add_chunk(tcp, r, place->chunk + 1, chunk_at(tcp, r, place->chunk)->marked);
    if (!right)
        return false;
    struct tcp_chunk *left = chunk_at(tcp, r, place->chunk);
    uint16_t moved = left->count / 2;
    left->count = (uint16_t)(left->count - moved);
    move(right, 0, left, left->count, moved);
    right->count = moved;
    for (uint32_t i = 0; i < moved; i++) {
        right->lost += !!(right->slots[i].flags & RECORD_LOST);
        right->sacked += !!(right->slots[i].flags & RECORD_SACKED);
    }
    left->lost = (uint16_t)(left->lost - right->lost);
    left->sacked = (uint16_t)(left->sacked - right->sacked);
    if (place->slot >= left->count) {
        place->slot -= left->count;
        place->chunk++;
    }
    return true;
}

bool sw_tcp_records_split(struct tcp *tcp, struct tcp_connection *conn, struct tcp_place *place,
                          uint32_t length)
{
    struct tcp_records *r = records_of(tcp, conn);
    struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
    if (r->count >= RECORDS_MAX)
        return false;
    if (chunk->count == chunk->capacity) {
        if (!halve(tcp, r, place))
            return false;
        chunk = chunk_at(tcp, r, place->chunk);
    }
    if (chunk->first + chunk->count == chunk->capacity) {
        move(chunk, 0, chunk, 0, chunk->count);
        chunk->first = 0;
    }
    struct tcp_record *head = slot(chunk, place->slot), *rest = head + 1;
    move(chunk, chunk->first + place->slot + 1, chunk, place->slot, chunk->count - place->slot);
    chunk->count++;
    chunk->lost += !!(head->flags & RECORD_LOST);
    chunk->sacked += !!(head->flags & RECORD_SACKED);
    r->count++;
    rest->seq = tcp_seq_add(head->seq, length);
    rest->length = head->length - length;
    head->length = length;
    head->pushed = false;
    return true;
}

void sw_tcp_record_set_flags(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_place *place, uint8_t flags)
{
    const uint8_t away = RECORD_LOST | RECORD_SACKED;
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    struct tcp_records *r = &s->records;
    struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
    struct tcp_record *record = slot(chunk, place->slot);
    if (r->marked && (flags & ~record->flags & RECORD_LOST))
        sw_tcp_lost(tcp, conn, chunk->marked ? mark_of(chunk, place->slot) : NULL, record->length);
    if (r->marked && (record->flags & ~flags & RECORD_LOST) &&
        ((flags & RECORD_SACKED) || !(flags & RECORD_RETRANSMITTED)))
        sw_tcp_rate_on_found(&s->rate, record->length); /* it came, or is taken back */
    if (!(record->flags & away)) {
        conn->send.in_flight -= record->length;
        r->resent_out -= record->flags & RECORD_RETRANSMITTED ? record->length : 0;
    }
    if (record->flags & RECORD_LOST) {
        conn->send.lost -= record->length;
        chunk->lost--;
    }
    chunk->sacked -= !!(record->flags & RECORD_SACKED);
    record->flags = flags;
    if (!(flags & away)) {
        conn->send.in_flight += record->length;
        r->resent_out += flags & RECORD_RETRANSMITTED ? record->length : 0;
    }
    if (flags & RECORD_LOST) {
        if (!conn->send.lost || tcp_seq_before(record->seq, r->lost_from))
            r->lost_from = record->seq;
        conn->send.lost += record->length;
        chunk->lost++;
    }
    chunk->sacked += !!(flags & RECORD_SACKED);
}

void sw_tcp_record_delivered(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_place *place, uint32_t length)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s->records.marked)
        return;
    struct tcp_chunk *chunk = chunk_at(tcp, &s->records, place->chunk);
    sw_tcp_rate_on_delivered(&s->rate, chunk->marked ? mark_of(chunk, place->slot) : NULL,
                             slot(chunk, place->slot)->sent, length, tcp->now);
}

/* @length numbers of the record left the flight, whichever way they were counted. */
static void uncount(struct tcp_connection *conn, struct tcp_records *r,
                    const struct tcp_record *record, uint32_t length)
{
    if (record->flags & RECORD_LOST) {
        conn->send.lost -= length;
    } else if (!(record->flags & RECORD_SACKED)) {
        conn->send.in_flight -= length;
        r->resent_out -= record->flags & RECORD_RETRANSMITTED ? length : 0;
    }
}

static void note_acked(struct tcp_acked *acked, const struct tcp_record *record, uint32_t length)
{
    if (record->flags & RECORD_SACKED)
        acked->sacked += length;
    else if (!(record->flags & RECORD_RETRANSMITTED))
        acked->first_sent = true;
    if (record->flags & RECORD_RETRANSMITTED)
        acked->resent = true;
}

static void take_oldest(struct tcp *tcp, struct tcp_records *r, struct tcp_chunk *chunk)
{
    const struct tcp_record *record = slot(chunk, 0);
    chunk->lost -= !!(record->flags & RECORD_LOST);
    chunk->sacked -= !!(record->flags & RECORD_SACKED);
    chunk->first++;
    chunk->count--;
    r->count--;
    if (!chunk->count && !keep_embedded(tcp, r))
        remove_first_chunk(tcp, r);
}

/* RFC6298-3-1. */
struct tcp_acked sw_tcp_records_acknowledge(struct tcp *tcp, struct tcp_connection *conn,
                                            const struct tcp_segment *seg)
{
    tcp_seq upto = seg->ack;
    struct tcp_acked acked = {.rtt_valid = false};
    bool spoilt = false;
    struct tcp_records *r = records_of(tcp, conn);
    while (r && r->count) {
        struct tcp_chunk *chunk = chunk_at(tcp, r, 0);
        struct tcp_record *record = slot(chunk, 0);
        uint32_t covered = tcp_seq_distance(record->seq, upto);
        if (covered == 0 || covered > INT32_MAX)
            break;
        /* Karn: what waited behind a hole tells of the hole, not the path. */
        spoilt |= record->flags != 0;
        uint32_t part = sw_min32(covered, record->length);
        if (r->marked && !(record->flags & RECORD_SACKED))
            sw_tcp_record_delivered(tcp, conn, &(struct tcp_place){0, 0}, part);
        note_acked(&acked, record, part);
        if (r->marked && (record->flags & RECORD_LOST))
            sw_tcp_rate_on_found(&sw_tcp_sending(tcp, conn)->rate, part);
        if (covered < record->length) {
            uncount(conn, r, record, covered);
            record->seq = upto;
            record->length -= covered;
            break;
        }
        if (conn->sack && !(record->flags & RECORD_SACKED))
            sw_tcp_rack_delivered(tcp, conn, record, seg);
        uncount(conn, r, record, record->length);
        acked.rtt_valid = true;
        acked.sent = record->sent;
        take_oldest(tcp, r, chunk);
    }
    if (r && !r->count)
        sw_tcp_records_clear(tcp, conn);
    acked.rtt_valid &= !spoilt;
    return acked;
}

void sw_tcp_records_clear(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_records *r = records_of(tcp, conn);
    conn->send.in_flight = conn->send.lost = 0;
    if (!r)
        return;
    while (chunks(r) && !keep_embedded(tcp, r))
        remove_first_chunk(tcp, r);
    r->count = r->resent_out = 0;
    sw_tcp_resent_clear(&r->resent);
}

void sw_tcp_records_release(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_records *r = records_of(tcp, conn);
    sw_tcp_records_clear(tcp, conn);
    if (!r)
        return;
    sw_tcp_resent_release(tcp, &r->resent);
    if (r->directory)
        sw_region_free(tcp->region, r->directory);
    r->directory = 0;
    r->begin = r->end = r->capacity = 0;
}

void sw_tcp_records_sent_again(struct tcp *tcp, struct tcp_connection *conn,
                               const struct tcp_place *place)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    struct tcp_records *r = &s->records;
    struct tcp_record *record = sw_tcp_record_at(tcp, conn, place);
    struct tcp_chunk *chunk = chunk_at(tcp, r, place->chunk);
    if (chunk->marked)
        sw_tcp_rate_on_sent(&s->rate, mark_of(chunk, place->slot), conn->send.in_flight,
                            record->length, tcp->now);
    record->sent = tcp->now;
    record->order = ++r->transmissions;
    if (record->transmissions < UINT8_MAX)
        record->transmissions++;
    if (conn->sack)
        sw_tcp_resent_add(tcp, &r->resent, record);
}
