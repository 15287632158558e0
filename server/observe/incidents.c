#include "observe/incidents.h"

#include "base/log.h"

enum { WINDOW_MS = 10000 };

#define UNKNOWN_PROTOCOL                                                                           \
	"A client sent something other than HTTP/1.1, such as the PROXY protocol, TLS or HTTP/2, " \
	"or only part of a request line. The next one will be examined"

const char *const incident_names[N_INCIDENTS] = { "deadline", "limit", "per_ip", "protocol" };

/* Totals since the start, so that no line depends on one before it. */
static void
report_connections(const struct incidents *incidents)
{
	static uint64_t reported[N_INCIDENTS];
	uint64_t now[N_INCIDENTS];
	const char *hint = atomic_load(&incidents->hint);
	struct log_line line;

	for (size_t i = 0; i < N_INCIDENTS; i++)
		now[i] = atomic_load(&incidents->rejected[i]);
	if (memcmp(now, reported, sizeof(now)) == 0 ||
	    !log_begin(&line, LOG_WARNING, "connections_rejected"))
		return;
	for (size_t i = 0; i < N_INCIDENTS; i++)
		log_number(&line, incident_names[i], now[i]);
	if (now[INCIDENT_PROTOCOL] > reported[INCIDENT_PROTOCOL])
		log_string(&line, "hint", hint != NULL ? hint : UNKNOWN_PROTOCOL);
	memcpy(reported, now, sizeof(reported));
	log_end(&line);
}

void
incidents_report(struct incidents *incidents, int64_t now_ms)
{
	static int64_t last_ms;
	static uint64_t reported;
	uint64_t no_memory = atomic_load(&incidents->no_memory);
	struct log_line line;

	if (now_ms - last_ms < WINDOW_MS)
		return;
	last_ms = now_ms;
	report_connections(incidents);
	if (no_memory != reported && log_begin(&line, LOG_ERROR, "out_of_memory")) {
		reported = no_memory;
		log_number(&line, "requests", no_memory);
		log_end(&line);
	}
}
