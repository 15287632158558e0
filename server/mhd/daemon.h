/* daemon: one event loop, which is one libmicrohttpd daemon with its thread. */
#pragma once

#include "mhd/loop.h"

/* What a loop may have open beyond its limit, for a moment. */
enum { DAEMON_EXTRA_CONNECTIONS = 24 };

/*
 * Start serving on a listening socket, which the loop then owns. False with errno; fd may be closed
 * or not then, and daemon_free() is needed all the same.
 */
bool daemon_start(struct loop *loop, int fd);

/* Accept nothing more. A passed socket is left to those who listen on it as well. */
void daemon_stop_listening(struct loop *loop, bool is_passed);

/*
 * A step of the end, after that: take in what is queued on the socket, as far as there is room, and
 * close it. Returns how many connections are left, those that may be queued counted as one.
 */
size_t daemon_finish(struct loop *loop);

/* Set loop->is_stuck; called by the watchdog at each of its ticks. */
void daemon_check_progress(struct loop *loop);

/* Free what daemon_start() allocated; loop->daemon has been stopped. */
void daemon_free(struct loop *loop);
