/*
 * watchdog: ends connections that take too long, and at the limit the slowest to make room.
 *
 * libmicrohttpd only limits inactivity: one byte a second keeps a request alive forever. Deadlines
 * here are total. The watchdog ends a connection by shutdown(), which its event loop notices; only
 * the loop closes it.
 */
#pragma once

#include <linux/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/address.h"
#include "observe/incidents.h"

enum watch_phase {
	WATCH_BUSY,  /* accepted, or from the request line until the response has been written */
	WATCH_IDLE,  /* between requests, even if part of the next request line has come */
	WATCH_ENDED, /* shut down; waits for its event loop */
	WATCH_PHASES,
};

/* Part of a connection's record. The list's mutex guards it. */
struct watched {
	int fd;
	bool has_address;
	struct address address; /* of the other end; it and fd are set before watch_add() */
	TAILQ_ENTRY(watched) entry;
	enum watch_phase phase;
	bool is_new;      /* no request has begun yet */
	int64_t since_ms; /* when work or idling began: while it is new, when it was opened */
};

TAILQ_HEAD(watch_queue, watched);

/* The connections of one event loop, by phase; those of a phase in order of its beginning. */
struct watch_list {
	pthread_mutex_t mutex;
	struct watch_queue queues[WATCH_PHASES];
	atomic_size_t n_open, n_ended; /* any thread may read them */
	size_t limit;                  /* one in sixteen of them is kept free for new ones */
	bool is_tls;
	SLIST_ENTRY(watch_list) entry;
};

struct watchdog {
	SLIST_HEAD(watch_lists, watch_list) lists;
	int64_t request_ms;
	int64_t idle_ms;
	atomic_bool is_draining; /* idle ones are ended at once, and new ones that send nothing */
	struct incidents counts;
	void (*on_tick)(void *cls); /* called at every tick */
	void *cls;
	_Atomic int64_t ticked_ms;
	pthread_t thread;
	atomic_bool stops;
};

void watch_list_init(struct watch_list *list, size_t limit);

/* A connection was opened, and is about to be closed. */
void watch_add(struct watch_list *list, struct watched *connection);
void watch_remove(struct watch_list *list, struct watched *connection);

/* A request has begun on it (WATCH_BUSY), or has been answered (WATCH_IDLE). */
void watch_enter_phase(struct watch_list *list, struct watched *connection, enum watch_phase phase);

/*
 * After an accept: where too few places are left, end the oldest idle ones, then requests and
 * handshakes that are over a second old; never an answer that its reader is reading.
 */
void watchdog_make_room(struct watchdog *dog, struct watch_list *list, int64_t now_ms);

/* What the kernel knows of a connection; false where it is not TCP. */
bool watch_ask_kernel(const struct watched *connection, struct tcp_info *ret_info);

/* How many connections are open from this network, in all lists. */
size_t watchdog_count_from(struct watchdog *dog, const struct network *network);

/* One round over all lists, as the thread makes them five times a second. */
void watchdog_tick(struct watchdog *dog, int64_t now_ms);

/* Start and end the thread; lists, times and on_tick are set before. False with errno. */
bool watchdog_start(struct watchdog *dog);
void watchdog_stop(struct watchdog *dog);
