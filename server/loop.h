/*
 * loop: one event loop, which is one libmicrohttpd daemon with its thread.
 */
#ifndef LOOP_H
#define LOOP_H

#include "exchange.h"

/* Once a process, before the first loop: what the C library's allocator should know. */
void loop_tune_memory(void);

/* Connections that a loop handles well; fewer with TLS. 0: as many as wanted. */
size_t loop_max_connections(const struct config *config);

/*
 * Start serving on a listening socket, which the loop then owns. The members that exchange.h says
 * are set before. False with *ret_fault; loop_stop() is still needed then.
 */
bool loop_start(struct loop *loop, int fd, const char **ret_fault);

/* Listen no more; what is queued on the socket is taken in first, unless somebody shares it. */
void loop_stop_listening(struct loop *loop, bool is_shared);

/* Give the loop a connection that ends at once; loop->opened counts it when it is noticed. */
bool loop_poke(struct loop *loop);

/* Close its connections and end its thread. */
void loop_stop(struct loop *loop);

#endif
