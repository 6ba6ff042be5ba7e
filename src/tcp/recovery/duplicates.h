/*
 * duplicates.h - Where the peer has no SACK: counting duplicate acknowledgements.
 */
#ifndef SW_TCP_RECOVERY_DUPLICATES_H
#define SW_TCP_RECOVERY_DUPLICATES_H

#include "tcp/tcp.h"

/* One more segment left the network. True: the oldest is lost, and marked so. */
bool sw_tcp_duplicates_one_more(struct tcp *tcp, struct tcp_connection *conn, bool may_enter);
/* RFC 6582 3.2 step 3, a partial acknowledgement in recovery: the next hole is at SND.UNA. */
void sw_tcp_duplicates_partial(struct tcp *tcp, struct tcp_connection *conn);
/* The hole filled: what was presumed is forgotten. */
void sw_tcp_duplicates_forget(struct tcp *tcp, struct tcp_connection *conn);

#endif
