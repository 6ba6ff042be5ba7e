/*
 * fuzz_stateful.c - Programs of packets, calls and time, against a stack with a live peer.
 *
 *     | configuration | record | record | ...          (stateful_ops.h)
 *
 * After each record the stack transmits (unless it is to be quiet), every segment it emits is
 * checked against what the peer and the user know (stateful_check.c), and so are the invariants of
 * every connection that its user still holds. At the end all is let go of, and all memory must be
 * there again.
 */
#include "stateful.h"

#include <stdio.h>

#define RECORDS_MAX 256

static void print_record(const uint8_t *r)
{
    static const char *const names[] = {
#define NAME(name, text) #name,
        STATEFUL_OPS(NAME)
#undef NAME
    };
    printf("%s %02x %02x %02x %02x %02x %02x %02x\n", names[r[0]], r[1], r[2], r[3], r[4], r[5],
           r[6], r[7]);
    fflush(stdout);
}

static void run(struct world *w, const uint8_t *record)
{
    if (fuzz_trace)
        print_record(record);
    w->now += SANWO_USEC(8); /* two connections must not begin with the same number */
    bool taken = peer_operation(w, record);
    if (!taken) {
        peer_flush_batch(w);
        taken = call_operation(w, record) || time_operation(w, record);
    }
    FUZZ_CHECK(taken, "every operation is somebody's");
    world_pump(w);
    check_all(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    uint8_t record[STATEFUL_RECORD] = {0};
    memcpy(record, data, size < sizeof(record) ? size : sizeof(record));
    world_create(&w, record);
    for (unsigned i = 1; i < RECORDS_MAX && i * sizeof(record) < size; i++) {
        size_t left = size - i * sizeof(record);
        memset(record, 0, sizeof(record));
        memcpy(record, data + i * sizeof(record), left < sizeof(record) ? left : sizeof(record));
        record[0] %= OP_COUNT;
        run(&w, record);
    }
    if (w.settles)
        world_settle(&w);
    world_end(&w);
    return 0;
}
