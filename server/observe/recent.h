/*
 * recent: the last failures, and the answers of the last 24 hours, for the operator's page. Ends
 * with the process. Only words, ids and constants stand here, as in the log, and no client address.
 */
#pragma once

#include <pthread.h>

#include "observe/metrics.h"

enum { RECENT_FAILURES = 50, RECENT_HOURS = 24 };

struct failure {
	int64_t time; /* seconds since 1970 */
	char id[HTTP_ID_SIZE];
	const struct provider *provider;
	int status;
	const char *from; /* an answer's binding, a start's Sec-Fetch-Site, or NULL */
	struct problem problem;
	struct outcome outcome;
};

/* The last of n; number i stands at i % RECENT_FAILURES. */
struct failures {
	struct failure items[RECENT_FAILURES];
	uint64_t n;
};

struct past {
	struct failures callbacks, starts;
	struct answers hours[RECENT_HOURS], all; /* the present hour first */
};

struct recent {
	pthread_mutex_t mutex;
	struct failures callbacks, starts;
	struct answers before[RECENT_HOURS]; /* hours since the start; what had been counted then */
	size_t hour;                         /* the present one stands at hour % RECENT_HOURS */
	int64_t start_ms;                    /* as clock_now_ms() counts */
};

/* Keep what an operator has to know of a callback, a consent or a start that failed. */
void recent_note(
    struct recent *recent, const struct request *request, const struct response *response);

/* Begin a new hour where it is time to; total is what was counted until now. */
void recent_begin_hour(struct recent *recent, const struct metrics *total, int64_t now_ms);

void recent_read(struct recent *recent, const struct metrics *total, struct past *ret_past);
