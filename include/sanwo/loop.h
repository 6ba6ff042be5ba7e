/*
 * sanwo/loop.h - What turns the crank: an epoll loop in real time, and a loop in virtual time.
 *
 * Both do the same: frames in, events to the application, frames out, until all is quiet; then the one
 * sleeps until a descriptor or a deadline, and the other moves its clock there.
 */
#ifndef SANWO_LOOP_H
#define SANWO_LOOP_H

#include <sanwo/driver.h>

SANWO_BEGIN

/** Called with every event of a stack, inside the loop; may use the stack and the loop freely. */
typedef void (*sanwo_event_callback)(void *context, struct sanwo_stack *stack,
                                     const struct sanwo_event *event, sanwo_time now);

/* ---- real time ------------------------------------------------------------------------------------ */

struct sanwo_loop;

SANWO_API int sanwo_loop_create(struct sanwo_loop **out);
/** Does not destroy the drivers. */
SANWO_API void sanwo_loop_destroy(struct sanwo_loop *loop);
/** A stack whose events go to @callback. One stack may have several drivers (links). */
SANWO_API int sanwo_loop_add_stack(struct sanwo_loop *loop, struct sanwo_stack *stack,
                                   sanwo_event_callback callback, void *context);
/** A driver attached to a stack added before. */
SANWO_API int sanwo_loop_add_driver(struct sanwo_loop *loop, struct sanwo_driver *driver);

enum { SANWO_LOOP_READ = 1, SANWO_LOOP_WRITE = 2, SANWO_LOOP_HANGUP = 4 };
typedef void (*sanwo_loop_fd_callback)(void *context, int fd, unsigned ready, sanwo_time now);
/**
 * A descriptor of the application's own; @interest READ and WRITE; 0 removes nothing but waits for
 * nothing. Regular files, which epoll refuses, count as always ready. 0 or -errno.
 */
SANWO_API int sanwo_loop_add_fd(struct sanwo_loop *loop, int fd, unsigned interest,
                                sanwo_loop_fd_callback callback, void *context);
SANWO_API int sanwo_loop_set_fd(struct sanwo_loop *loop, int fd, unsigned interest);
SANWO_API void sanwo_loop_remove_fd(struct sanwo_loop *loop, int fd);

/** An application timer: called back once, at or after @when. Setting it again moves it; NEVER stops it. */
typedef void (*sanwo_loop_timer_callback)(void *context, sanwo_time now);
SANWO_API int sanwo_loop_add_timer(struct sanwo_loop *loop, sanwo_loop_timer_callback callback,
                                   void *context); /* returns its number */
SANWO_API void sanwo_loop_set_timer(struct sanwo_loop *loop, int timer, sanwo_time when);

/** The loop's idea of now: read once per turn. */
SANWO_API sanwo_time sanwo_loop_now(const struct sanwo_loop *loop);
/** Until sanwo_loop_stop(). 0, or -errno if epoll or a driver broke. */
SANWO_API int sanwo_loop_run(struct sanwo_loop *loop);
/** One turn, sleeping at most @timeout. 0; 1 if sanwo_loop_stop() was called; -errno as above. */
SANWO_API int sanwo_loop_turn(struct sanwo_loop *loop, sanwo_time timeout);
/** From a callback or a signal handler. */
SANWO_API void sanwo_loop_stop(struct sanwo_loop *loop);

/* ---- virtual time ----------------------------------------------------------------------------------- */

struct sanwo_virtual;

SANWO_API int sanwo_virtual_create(sanwo_time start, struct sanwo_virtual **out);
SANWO_API void sanwo_virtual_destroy(struct sanwo_virtual *v);
SANWO_API int sanwo_virtual_add_stack(struct sanwo_virtual *v, struct sanwo_stack *stack,
                                      sanwo_event_callback callback, void *context);
SANWO_API int sanwo_virtual_add_driver(struct sanwo_virtual *v, struct sanwo_driver *driver);
/** Called once when the clock reaches @when; may be set again from inside. Returns its number. */
SANWO_API int sanwo_virtual_add_timer(struct sanwo_virtual *v, sanwo_loop_timer_callback callback,
                                      void *context);
SANWO_API void sanwo_virtual_set_timer(struct sanwo_virtual *v, int timer, sanwo_time when);
SANWO_API sanwo_time sanwo_virtual_now(const struct sanwo_virtual *v);
/**
 * Runs until nothing is left to do, the clock would pass @until (it is left there), or
 * sanwo_virtual_stop(). Returns 1 if everything is quiet for good, 0 if @until or stop ended it,
 * -errno on a broken driver, -ELOOP if there was no end of work at one instant.
 */
SANWO_API int sanwo_virtual_run(struct sanwo_virtual *v, sanwo_time until);
SANWO_API void sanwo_virtual_stop(struct sanwo_virtual *v);

SANWO_END
#endif
