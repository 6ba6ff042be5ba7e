/*
 * test_pcapng.c - The capture file, read back block by block.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spy.h"

#define EPOCH INT64_C(1700000000000000000)

struct capture {
    struct sanwo_driver *recorder, *far;
    struct spy near;
    char path[64];
};

/* One packet block, and how the file began. */
struct reader {
    FILE *file;
    uint16_t linktype;
    uint8_t resolution;
    uint64_t time;
    uint32_t length, direction;
    uint8_t bytes[70000];
};

static void setup_capture(struct capture *c, size_t queue)
{
    struct sanwo_driver *inner;
    char message[200];
    int fd;

    memset(c, 0, sizeof(*c));
    strcpy(c->path, "/tmp/sanwo-test-XXXXXX");
    fd = mkstemp(c->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sanwo_pair_create(1500, 7, queue, &inner, &c->far), 0);
    assert_int_equal(sanwo_pcapng_create(inner, c->path, EPOCH, &c->recorder, message, 200), 0);
    assert_int_equal(c->recorder->link.offload, 7);
    spy_on(&c->near, c->recorder);
}

static void close_capture(struct capture *c)
{
    sanwo_driver_destroy(c->recorder);
    sanwo_driver_destroy(c->far);
}

/* Reads one block and checks its frame; returns its type and body, 0 at the end of the file. */
static uint32_t read_block(struct reader *r, uint8_t *body, uint32_t *body_length)
{
    uint32_t head[2], tail;

    if (fread(head, sizeof(head), 1, r->file) != 1)
        return 0;
    assert_int_equal(head[1] % 4, 0);
    *body_length = head[1] - 12;
    assert_true(*body_length < 70000);
    assert_int_equal(fread(body, 1, *body_length, r->file), *body_length);
    assert_int_equal(fread(&tail, sizeof(tail), 1, r->file), 1);
    assert_int_equal(tail, head[1]);
    return head[0];
}

/* The value of an option, which must be there with that length. */
static void read_option(const uint8_t *options, uint16_t wanted, void *out, uint16_t length)
{
    for (;;) {
        uint16_t head[2];

        memcpy(head, options, sizeof(head));
        assert_int_not_equal(head[0], 0);
        if (head[0] == wanted) {
            assert_int_equal(head[1], length);
            memcpy(out, options + 4, length);
            return;
        }
        options += 4 + (head[1] + 3) / 4 * 4;
    }
}

static void open_reader(struct reader *r, const char *path)
{
    uint8_t body[70000];
    uint32_t length, magic;

    r->file = fopen(path, "rb");
    assert_non_null(r->file);
    assert_int_equal(read_block(r, body, &length), 0x0a0d0d0a);
    memcpy(&magic, body, sizeof(magic));
    assert_int_equal(magic, 0x1a2b3c4d);
    assert_int_equal(body[4], 1);
    assert_int_equal(body[6], 0);
    assert_int_equal(read_block(r, body, &length), 1);
    memcpy(&r->linktype, body, sizeof(r->linktype));
    read_option(body + 8, 9, &r->resolution, 1);
}

static bool read_packet(struct reader *r)
{
    uint8_t body[70000];
    uint32_t length, head[5];

    if (read_block(r, body, &length) == 0)
        return false;
    memcpy(head, body, sizeof(head));
    assert_int_equal(head[0], 0);
    r->time = (uint64_t)head[1] << 32 | head[2];
    assert_int_equal(head[3], head[4]);
    r->length = head[3];
    memcpy(r->bytes, body + sizeof(head), r->length);
    read_option(body + sizeof(head) + (r->length + 3) / 4 * 4, 2, &r->direction, 4);
    return true;
}

static void close_reader(struct reader *r, const char *path)
{
    assert_false(read_packet(r));
    fclose(r->file);
    unlink(path);
}

static void test_both_directions(void **state)
{
    const uint8_t ping[] = {0x45, 1, 2, 3, 4}, pong[] = {0x60, 9, 8, 7, 6, 5, 4};
    struct sanwo_frame out = spy_frame(ping, sizeof(ping)), in = spy_frame(pong, sizeof(pong)), f;
    static struct reader r;
    struct capture c;

    (void)state;
    setup_capture(&c, 0);
    c.recorder->number = 4;
    assert_int_equal(spy_transmit(c.recorder, &out, 1, 1000), 1);
    assert_int_equal(spy_transmit(c.far, &in, 1, 1500), 1);
    assert_int_equal(spy_receive(c.recorder, &f, 1, 2001), 1);
    assert_int_equal(f.link, 4);
    assert_int_equal(spy_receive(c.far, &f, 1, 2500), 1);
    assert_memory_equal(f.slices[0].bytes, ping, sizeof(ping));
    assert_int_equal(spy_receive(c.far, &f, 1, 2500), 0);
    assert_int_equal(c.near.sent, 1); /* passes through to who made the frame */
    close_capture(&c);

    open_reader(&r, c.path);
    assert_int_equal(r.linktype, 101);
    assert_int_equal(r.resolution, 9);
    assert_true(read_packet(&r));
    assert_int_equal(r.time, EPOCH + 1000);
    assert_int_equal(r.direction, 2);
    assert_int_equal(r.length, sizeof(ping));
    assert_memory_equal(r.bytes, ping, sizeof(ping));
    assert_true(read_packet(&r));
    assert_int_equal(r.time, EPOCH + 2001);
    assert_int_equal(r.direction, 1);
    assert_memory_equal(r.bytes, pong, sizeof(pong));
    close_reader(&r, c.path);
}

/* A super-segment of several slices is one packet, with its checksum completed in the record only. */
static void test_super_segment(void **state)
{
    static uint8_t header[40], payload[30000];
    struct sanwo_frame f = spy_frame(header, sizeof(header));
    static struct reader r;
    struct capture c;

    (void)state;
    setup_capture(&c, 0);
    for (unsigned i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 31 >> 3);
    f.checksum = SANWO_CHECKSUM_PARTIAL;
    f.checksum_start = 20;
    f.checksum_offset = 16;
    f.segmentation = SANWO_SEGMENT_TCP_IPV4;
    f.segment_size = 1000;
    f.header_length = 40;
    f.slices[1] = (struct sanwo_slice){.bytes = payload, .length = 10000};
    f.slices[2] = (struct sanwo_slice){.bytes = payload + 10000, .length = 20000};
    f.slice_count = 3;
    f.length = 30040;
    assert_int_equal(spy_transmit(c.recorder, &f, 1, 0), 1);
    close_capture(&c);

    assert_int_equal(header[36] | header[37], 0);
    open_reader(&r, c.path);
    assert_true(read_packet(&r));
    assert_int_equal(r.length, 30040);
    assert_memory_equal(r.bytes + 40, payload, sizeof(payload));
    assert_int_equal(spy_checksum(r.bytes + 20, 30020, 0), 0);
    close_reader(&r, c.path);
}

/* What the wire did not take is recorded when it does, once. */
static void test_not_taken_not_recorded(void **state)
{
    uint8_t bytes[200][4];
    struct sanwo_frame frames[200], got[64];
    static struct reader r;
    struct capture c;
    size_t done = 0;

    (void)state;
    setup_capture(&c, 70);
    for (unsigned i = 0; i < 200; i++) {
        memset(bytes[i], (int)i, 4);
        frames[i] = spy_frame(bytes[i], 4);
    }
    assert_int_equal(spy_transmit(c.recorder, frames, 200, 0), 70);
    assert_true(c.recorder->blocked);
    for (done = 70; done < 200;) {
        assert_int_equal(spy_transmit(c.recorder, frames + done, 200 - done, 0), 0);
        while (spy_receive(c.far, got, 64, 0) > 0)
            continue;
        done += (size_t)spy_transmit(c.recorder, frames + done, 200 - done, 0);
    }
    assert_false(c.recorder->blocked);
    close_capture(&c);

    open_reader(&r, c.path);
    for (unsigned i = 0; i < 200; i++) {
        assert_true(read_packet(&r));
        assert_int_equal(r.bytes[0], i);
    }
    close_reader(&r, c.path);
}

/* More than the buffer holds, of every length modulo 4. */
static void test_many(void **state)
{
    static uint8_t bytes[1500];
    struct sanwo_frame frames[64], got[64];
    static struct reader r;
    struct capture c;

    (void)state;
    setup_capture(&c, 0);
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 64; i++)
            frames[i] = spy_frame(bytes, 1437 + i);
        assert_int_equal(spy_transmit(c.recorder, frames, 64, round), 64);
        assert_int_equal(spy_receive(c.far, got, 64, round), 64);
    }
    close_capture(&c);
    open_reader(&r, c.path);
    for (unsigned i = 0; i < 40 * 64; i++) {
        assert_true(read_packet(&r));
        assert_int_equal(r.length, 1437 + i % 64);
    }
    close_reader(&r, c.path);
}

/* A batch of super-segments that is larger than the buffer. */
static void test_large_batch(void **state)
{
    static uint8_t bytes[60000];
    struct sanwo_frame frames[64];
    static struct reader r;
    struct capture c;

    (void)state;
    setup_capture(&c, 0);
    for (unsigned i = 0; i < 64; i++) {
        frames[i] = spy_frame(bytes, sizeof(bytes) - i);
        frames[i].segmentation = SANWO_SEGMENT_TCP_IPV4;
        frames[i].segment_size = 1000;
    }
    assert_int_equal(spy_transmit(c.recorder, frames, 64, 0), 64);
    close_capture(&c);
    open_reader(&r, c.path);
    for (unsigned i = 0; i < 64; i++) {
        assert_true(read_packet(&r));
        assert_int_equal(r.length, sizeof(bytes) - i);
    }
    close_reader(&r, c.path);
}

/* A write that fails in the middle ends the file, not the traffic, and is said once. */
static void test_write_error(void **state)
{
    static uint8_t bytes[1400];
    struct rlimit before, small;
    struct sanwo_frame frames[64], got[64];
    char said[1000] = "";
    struct stat status;
    struct capture c;
    int saved, pipes[2];

    (void)state;
    setup_capture(&c, 0);
    for (unsigned i = 0; i < 64; i++)
        frames[i] = spy_frame(bytes, sizeof(bytes));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(pipe(pipes), 0);
    saved = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    for (unsigned round = 0; round < 20; round++) {
        assert_int_equal(spy_transmit(c.recorder, frames, 64, 0), 64);
        assert_int_equal(spy_receive(c.far, got, 64, 0), 64);
    }
    dup2(saved, STDERR_FILENO);
    setrlimit(RLIMIT_FSIZE, &before);
    close_capture(&c);
    assert_true(read(pipes[0], said, sizeof(said) - 1) > 0);
    assert_non_null(strstr(said, c.path));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    assert_int_equal(stat(c.path, &status), 0);
    assert_int_equal(status.st_size, 100000);
    close(pipes[0]);
    close(pipes[1]);
    close(saved);
    unlink(c.path);
}

static void test_cannot_be_made(void **state)
{
    static const struct {
        const char *path;
        int error;
    } rows[] = {{"/nowhere/x.pcapng", ENOENT}, {"/tmp", EISDIR}, {"/dev/full", ENOSPC}};
    struct sanwo_driver *a, *b, *recorder;
    char message[200];

    (void)state;
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        message[0] = '\0';
        assert_int_equal(sanwo_pcapng_create(a, rows[i].path, 0, &recorder, message, 200),
                         -rows[i].error);
        assert_non_null(strstr(message, rows[i].path));
    }
    assert_null(a->outer);
    sanwo_driver_destroy(a);
    sanwo_driver_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_directions),
        cmocka_unit_test(test_super_segment),
        cmocka_unit_test(test_not_taken_not_recorded),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_large_batch),
        cmocka_unit_test(test_write_error),
        cmocka_unit_test(test_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
