/*
 * incidents: what strangers and shortage do to connections, counted, and logged without flooding
 * the log.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Counted since the start, by whichever thread sees it. */
struct incidents {
	_Atomic uint64_t deadline;  /* ended because a request or an answer took too long */
	_Atomic uint64_t limit;     /* ended, idle or slow, to make room for new ones */
	_Atomic uint64_t no_memory; /* answered 503, or ended at once, for lack of memory */
	_Atomic uint64_t per_ip;    /* refused: limits.connections_per_ip */
	_Atomic uint64_t protocol;  /* ended before a request could be read: something else came */
	_Atomic(const char *) hint; /* on the last of these: a constant; NULL: nothing is known */
	atomic_bool is_peeking;     /* such connections come: look at the first bytes of new ones */
};

/*
 * Log what has been counted since the last line, at most every ten seconds, and end the peeking
 * after an hour without need. One thread calls it.
 */
void incidents_report(struct incidents *incidents, int64_t now_ms);
