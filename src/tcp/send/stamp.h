/*
 * stamp.h - The TSval of what is sent again, on a path that reorders (RFC 7323 5.3, deviation D42).
 *
 *     sent       1  2  3  4  5  1'            1 was lost, 4 is held back on the way
 *     arrives       2  3     5  1'  4         the peer's PAWS drops 4: 1' moved TS.Recent past it
 *
 * Each repair would cause the next loss. So 1' says that it is as old as what it may overtake; that is
 * still newer than anything the peer had in order.
 */
#ifndef SW_TCP_SEND_STAMP_H
#define SW_TCP_SEND_STAMP_H

#include <sanwo/types.h>

#include <stdint.h>

struct tcp;
struct tcp_connection;
struct wire_tcp_options;

/* Data goes out again now: @options, with our clock in them, get its stamp. */
void sw_tcp_stamp_again(struct tcp *tcp, struct tcp_connection *conn,
                        struct wire_tcp_options *options);
/* The least that what was sent again at @sent may carry. */
uint32_t sw_tcp_stamp_least(const struct tcp *tcp, const struct tcp_connection *conn,
                            sanwo_time sent);

#endif
