/*
 * records.c - The ring of sent-segment records.
 */
#include "tcp/send/records.h"

#define LARGEST_CAPACITY 32768 /* 768 KiB: the region's largest block is 1 MiB; B-01, B-02 */
#define SPLIT_MARGIN 64        /* of the largest ring, kept for splits */
#define FIRST_CAPACITY 16      /* with the header: a block of 512 bytes */

struct tcp_records {
    uint32_t first; /* position of the oldest */
    uint32_t count;
    uint32_t capacity; /* a power of two */
    uint32_t spare;
    struct tcp_rack rack;
    struct tcp_record ring[];
};

static struct tcp_records *ring_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return conn->send.records ? sw_region_at(tcp->region, conn->send.records) : NULL;
}

static struct tcp_record *at(struct tcp_records *r, uint32_t i)
{
    return &r->ring[(r->first + i) & (r->capacity - 1)];
}

uint32_t sw_tcp_records_count(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_records *r = ring_of(tcp, conn);
    return r ? r->count : 0;
}

struct tcp_record *sw_tcp_record(const struct tcp *tcp, const struct tcp_connection *conn,
                                 uint32_t i)
{
    return at(ring_of(tcp, conn), i);
}

struct tcp_rack *sw_tcp_records_rack(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_records *r = ring_of(tcp, conn);
    return r ? &r->rack : NULL;
}

void sw_tcp_records_clear(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->send.records)
        sw_region_free(tcp->region, conn->send.records);
    conn->send.records = 0;
    conn->send.in_flight = conn->send.lost = 0;
}

/* Room for @more records: the ring twice as large if need be. */
static struct tcp_records *make_room(struct tcp *tcp, struct tcp_connection *conn, uint32_t more)
{
    struct tcp_records *old = ring_of(tcp, conn);
    if (old && old->count + more <= old->capacity)
        return old;
    uint32_t capacity = old ? old->capacity * 2 : FIRST_CAPACITY;
    if (capacity > LARGEST_CAPACITY)
        return NULL;
    region_ref block = sw_region_alloc(tcp->region, sizeof(struct tcp_records) +
                                                        capacity * sizeof(struct tcp_record));
    if (!block)
        return NULL;
    struct tcp_records *r = sw_region_at(tcp->region, block);
    *r = (struct tcp_records){.capacity = capacity, .rack = {.deadline = SANWO_TIME_NEVER}};
    if (old) {
        r->rack = old->rack;
        r->count = old->count;
        for (uint32_t i = 0; i < old->count; i++)
            r->ring[i] = *at(old, i);
        sw_region_free(tcp->region, conn->send.records);
    }
    conn->send.records = block;
    return r;
}

bool sw_tcp_records_reserve(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_records *r = ring_of(tcp, conn);
    bool largest = r && r->capacity == LARGEST_CAPACITY;
    return make_room(tcp, conn, largest ? SPLIT_MARGIN : 3) != NULL;
}

void sw_tcp_records_trim(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->send.records && !ring_of(tcp, conn)->count)
        sw_tcp_records_clear(tcp, conn);
}

bool sw_tcp_records_push(struct tcp *tcp, struct tcp_connection *conn, uint32_t length)
{
    struct tcp_records *r = make_room(tcp, conn, 1);
    if (!r)
        return false;
    *at(r, r->count++) = (struct tcp_record){.seq = conn->send.snd_nxt,
                                             .length = length,
                                             .sent = tcp->now,
                                             .transmissions = 1,
                                             .order = ++r->rack.transmissions};
    conn->send.in_flight += length;
    return true;
}

void sw_tcp_records_sent_again(struct tcp *tcp, struct tcp_connection *conn, uint32_t i)
{
    struct tcp_records *r = ring_of(tcp, conn);
    struct tcp_record *record = at(r, i);
    record->sent = tcp->now;
    record->order = ++r->rack.transmissions;
    tcp_seq end = tcp_seq_add(record->seq, record->length);
    r->rack.resent_end = r->rack.resent ? tcp_seq_max(r->rack.resent_end, end) : end;
    r->rack.resent = true;
    if (record->transmissions < UINT8_MAX)
        record->transmissions++;
}

bool sw_tcp_records_split(struct tcp *tcp, struct tcp_connection *conn, uint32_t i, uint32_t length)
{
    struct tcp_records *r = make_room(tcp, conn, 1);
    if (!r)
        return false;
    for (uint32_t j = r->count; j > i; j--)
        *at(r, j) = *at(r, j - 1);
    r->count++;
    struct tcp_record *head = at(r, i), *rest = at(r, i + 1);
    rest->seq = tcp_seq_add(head->seq, length);
    rest->length = head->length - length;
    head->length = length;
    head->pushed = false;
    return true;
}

void sw_tcp_record_set_flags(struct tcp_connection *conn, struct tcp_record *record, uint8_t flags)
{
    const uint8_t away = RECORD_LOST | RECORD_SACKED;
    if (!(record->flags & away))
        conn->send.in_flight -= record->length;
    if (record->flags & RECORD_LOST)
        conn->send.lost -= record->length;
    record->flags = flags;
    if (!(flags & away))
        conn->send.in_flight += record->length;
    if (flags & RECORD_LOST)
        conn->send.lost += record->length;
}

/* @length numbers of the record left the flight, whichever way they were counted. */
static void uncount(struct tcp_connection *conn, const struct tcp_record *record, uint32_t length)
{
    if (record->flags & RECORD_LOST)
        conn->send.lost -= length;
    else if (!(record->flags & RECORD_SACKED))
        conn->send.in_flight -= length;
}

/* RFC6298-3-1. */
struct tcp_acked sw_tcp_records_acknowledge(struct tcp *tcp, struct tcp_connection *conn,
                                            const struct tcp_segment *seg)
{
    tcp_seq upto = seg->ack;
    struct tcp_acked acked = {0, 0};
    bool spoilt = false;
    struct tcp_records *r = ring_of(tcp, conn);
    while (r && r->count) {
        struct tcp_record *record = at(r, 0);
        uint32_t covered = tcp_seq_distance(record->seq, upto);
        if (covered == 0 || covered > INT32_MAX)
            break;
        spoilt |= record->flags !=
                  0; /* Karn: what waited behind a hole tells of the hole, not the path */
        if (covered < record->length) {
            uncount(conn, record, covered);
            record->seq = upto;
            record->length -= covered;
            break;
        }
        if (conn->sack && !(record->flags & RECORD_SACKED))
            sw_tcp_rack_delivered(tcp, conn, record, seg);
        uncount(conn, record, record->length);
        acked.rtt_valid = 1;
        acked.sent = record->sent;
        r->first = (r->first + 1) & (r->capacity - 1);
        r->count--;
    }
    if (r && !r->count)
        sw_tcp_records_clear(tcp, conn);
    if (spoilt)
        acked.rtt_valid = 0;
    return acked;
}
