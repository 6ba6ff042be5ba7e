/*
 * feed.h - Observations as two stacks would make them, for the tests of the trace.
 *
 * The times, states and numbers are the test's: nothing here knows TCP.
 */
#ifndef TESTS_TRACE_FEED_H
#define TESTS_TRACE_FEED_H

#include <sanwo/trace.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

#define FEED_TEXT 65536

struct feed {
    struct sanwo_trace *trace;
    sanwo_time now;
    struct sanwo_observation last[2]; /* the segment each end sent last */
    char text[FEED_TEXT];             /* what was rendered */
    size_t length;
};

/* 10.0.0.1:4001 and 10.0.0.2:80; B listens. */
void feed_start(struct feed *f);
void feed_stop(struct feed *f);
/* cmocka's setup and teardown of a test that uses `shared_feed`. */
extern struct feed shared_feed;
int feed_setup(void **state);
int feed_teardown(void **state);
void feed_state(struct feed *f, unsigned end, unsigned from, unsigned to, unsigned reason);
/* A segment leaves; it stays in f->last[end]. */
void feed_out(struct feed *f, unsigned end, unsigned state, unsigned flags, uint32_t seq,
              uint32_t ack, uint32_t length);
/* The peer's last segment arrives, or the one given. */
void feed_in(struct feed *f, unsigned end, unsigned state);
void feed_in_this(struct feed *f, unsigned end, unsigned state,
                  const struct sanwo_observation *segment);
void feed_drop(struct feed *f, unsigned end, unsigned state, unsigned reason);
/* SYN, SYN-ACK, ACK with initial numbers 1000 and 5000, each taking @delay. */
void feed_handshake(struct feed *f, sanwo_time delay);
/* A closes first, then B; each segment takes @delay. A sent up to @seq, B up to @ack. */
void feed_close(struct feed *f, sanwo_time delay, uint32_t seq, uint32_t ack);
/* Renders into f->text, NUL-terminated. */
int feed_render(struct feed *f, enum sanwo_trace_format format,
                const struct sanwo_trace_style *style);

#endif
