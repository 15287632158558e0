/*
 * watchdog: ends connections that take too long or that stand in the way of new ones.
 *
 * libmicrohttpd knows inactivity only, so that one byte a second keeps a request alive for ever.
 * Deadlines here are total. A connection is ended by shutdown(), which its event loop notices;
 * closing it is the loop's alone.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum watch_phase {
	WATCH_NEW,     /* accepted; nothing of a request is known yet */
	WATCH_REQUEST, /* from the request line to the end of the body */
	WATCH_ANSWER,  /* until the response has been written */
	WATCH_IDLE,    /* between requests; the library does not tell of a line that has begun */
	WATCH_ENDED,   /* shut down; waits for its event loop */
};

/* Stands in whatever hangs on a connection. Its event loop writes phase, the watchdog reads it. */
struct watched {
	struct watched *next;
	struct watched *previous;
	int fd;
	int64_t opened_ms;
	_Atomic int64_t phase; /* milliseconds of its start, times 8, plus the watch_phase */
};

/* The connections of one event loop. */
struct watch_list {
	pthread_mutex_t mutex;
	struct watched *first;
	size_t n_open;
	size_t limit; /* at this many, the oldest idle ones are ended */
};

/* Counted since the start. */
struct watch_counts {
	_Atomic uint64_t deadline;  /* ended because a request or an answer took too long */
	_Atomic uint64_t limit;     /* ended, idle, to make room for new ones */
	_Atomic uint64_t no_memory; /* answered 503 for lack of memory; counted by others */
	_Atomic uint64_t per_ip;    /* refused: limits.connections_per_ip; counted by others */
};

struct watchdog {
	struct watch_list *lists;
	size_t n_lists;
	int64_t request_ms;
	_Atomic int64_t idle_ms; /* may be changed while the watchdog runs */
	struct watch_counts counts;
	/* Called at every tick with the time of opening of the oldest connection that is still new.
	 */
	void (*on_tick)(void *cls, int64_t oldest_new_ms);
	void *cls;
	pthread_t thread;
	atomic_bool stops;
};

/* CLOCK_MONOTONIC in milliseconds, as of the last timer tick: the cheapest clock there is. */
int64_t watch_now_ms(void);

void watch_list_init(struct watch_list *list, size_t limit);
void watch_add(struct watch_list *list, struct watched *connection, int fd);
void watch_remove(struct watch_list *list, struct watched *connection);

/* How many connections are open. */
size_t watch_list_count(struct watch_list *list);

/* Enter a phase now. The clock of a new connection's first request runs from its opening. */
void watch_enter(struct watched *connection, enum watch_phase phase);

/* One round over all lists, as the thread makes them five times a second. */
void watchdog_tick(struct watchdog *dog, int64_t now_ms);

/* Start and end the thread; lists, times and on_tick are set before. False without a thread. */
bool watchdog_start(struct watchdog *dog);
void watchdog_stop(struct watchdog *dog);

#endif
