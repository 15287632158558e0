/*
 * loop: an event loop, and a request on its way through it. Types only: daemon.c runs a loop,
 * connection.c, exchange.c and reply.c are its callbacks.
 */
#pragma once

#include <microhttpd.h>

#include "config/config.h"
#include "mhd/record.h"
#include "mhd/watchdog.h"
#include "observe/recent.h"

struct loop {
	/* Set before it starts; the limits hold until the end, whatever is reloaded. */
	bool is_admin;
	size_t query_bytes, head_bytes; /* that a request may have */
	size_t connections_per_ip;      /* 0: no limit */
	struct watchdog *watchdog;
	struct server *server; /* for the admin loop, which answers for all of them */
	struct recent *recent;

	/* Guarded by the mutex, which is held while a request is handled. */
	pthread_mutex_t mutex;
	const struct config *config; /* the one in force */

	/* For any thread. */
	atomic_bool is_draining; /* no new work is wanted */
	struct watch_list connections;
	struct metrics metrics;
	_Atomic uint64_t opened;   /* connections so far */
	_Atomic uint64_t progress; /* changes with every callback in the loop's thread */
	atomic_bool is_stuck;      /* see daemon_check_progress() */

	/* Of its own thread. */
	bool checks_layout;       /* the library is one that mhd_0975 knows */
	size_t pool_bytes;        /* of a connection; request head and response head share it */
	uint64_t next_id;         /* starts with random bytes */
	int64_t state_sampled_at; /* in seconds: once a second, so that it costs nothing */
	struct header headers[HTTP_MAX_HEADERS]; /* of the request that is handled just now */
	struct response response;                /* to it */
	char *location;                          /* array_size each */
	char *body;
	size_t array_size;

	/* Of the thread that starts and stops it. */
	struct MHD_Daemon *daemon;
	int quiesced_fd;      /* the listening socket, once the daemon has given it up */
	bool may_have_queued; /* it is still open for those who came before that */
	uint64_t given;       /* what opened has to reach, for all that was queued to be taken in */

	/* Of the watchdog's thread. */
	uint64_t seen_progress;
	unsigned still_ticks;   /* for so many, progress has not changed */
	unsigned waiting_ticks; /* and for so many, work has been waiting */
};

/* A request and its response, for as long as the library's callback takes. */
struct exchange {
	struct loop *loop;
	struct MHD_Connection *connection;
	struct record *record;
	const struct config *config;
	struct request request;
	size_t n_records; /* that the library keeps of header fields */
	bool reads_on;    /* a body follows, to be read after the answer as well */
	struct response *response;
};

/* In each of the library's callbacks in the loop's own thread, which alone writes it. */
static inline void
loop_note_progress(struct loop *loop)
{
	uint64_t progress = atomic_load_explicit(&loop->progress, memory_order_relaxed);

	atomic_store_explicit(&loop->progress, progress + 1, memory_order_relaxed);
}
