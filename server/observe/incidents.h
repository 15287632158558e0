/*
 * incidents: what strangers and shortage do to connections, counted, and logged without flooding
 * the log.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* Why connections are ended or refused, in the order of incident_names. */
enum incident {
	INCIDENT_DEADLINE, /* a request or an answer took too long */
	INCIDENT_LIMIT,    /* idle or slow, they made room for new ones */
	INCIDENT_PER_IP,   /* limits.connections_per_ip */
	INCIDENT_PROTOCOL, /* something came that is no request */
	N_INCIDENTS,
};

/* As logs and metrics call them. */
extern const char *const incident_names[N_INCIDENTS];

/* Counted since the start, by whichever thread sees it. */
struct incidents {
	_Atomic uint64_t rejected[N_INCIDENTS];
	_Atomic uint64_t no_memory; /* answered 503, or ended at once, for lack of memory */
	_Atomic(const char *) hint; /* on the last of INCIDENT_PROTOCOL: a constant, or NULL */
	atomic_bool is_peeking;     /* such connections come: look at the first bytes of new ones */
};

/* Log what has been counted since the last line, at most every ten seconds. One thread calls it. */
void incidents_report(struct incidents *incidents, int64_t now_ms);
