/*
 * metrics: what is counted, and its Prometheus text (exposition format 0.0.4).
 *
 * Each event loop has a struct metrics of its own, which it alone writes and anybody may read.
 */
#pragma once

#include <stdatomic.h>

#include "flow/provider.h"
#include "http/http.h"
#include "observe/incidents.h"

enum {
	METRICS_METHODS = 4,  /* GET, HEAD, POST, other */
	METRICS_BUCKETS = 16, /* of the duration, +Inf included */
	METRICS_OUTCOMES = 6,
	METRICS_ERRORS = 18, /* of all providers */
	METRICS_CONNECTS = 5,
	METRICS_BINDINGS = 3,
	METRICS_TEXT_SIZE = 128 * 1024, /* room for all of it, and for the operator's page */
};

typedef _Atomic uint64_t counter;

/* Of the providers, by outcome. */
struct answers {
	counter n[N_PROVIDERS][METRICS_OUTCOMES];
};

/* Counters only, so that they can be added up as one array. */
struct metrics {
	counter requests[N_ROUTES][METRICS_METHODS][HTTP_N_STATUSES];
	counter durations[METRICS_BUCKETS]; /* not cumulative */
	counter duration_us;
	struct answers answers;
	counter errors[N_PROVIDERS][METRICS_ERRORS];
	counter connects[N_PROVIDERS][METRICS_CONNECTS];
	counter bindings[N_PROVIDERS][METRICS_BINDINGS];
};

/* What is not counted by event loops, at the time of asking. */
struct gauges {
	uint64_t connections_open;
	const struct incidents *incidents;
	uint64_t log_lines_dropped;
	bool reload_success;
	int64_t reload_seconds;     /* when the last reload was, since 1970; 0: there was none */
	int64_t certificate_expiry; /* seconds since 1970; 0: none */
	const char *version;
	const char *libmicrohttpd;
	double cpu_seconds, start_seconds;
	uint64_t open_fds, max_fds, virtual_bytes, resident_bytes;
};

/* The outcomes of answers, in the order of their counters; the first one is success. */
extern const char *const metrics_outcomes[METRICS_OUTCOMES];

/* Count an answered request. Only the thread that owns metrics calls this. */
void metrics_count(struct metrics *metrics, const struct request *request,
    const struct response *response, uint64_t duration_us);

/* Add the counters of one to those of a total. */
void metrics_add(const struct metrics *one, struct metrics *total);

/* Append everything. */
void metrics_put(struct buf *out, const struct metrics *total, const struct gauges *gauges);
