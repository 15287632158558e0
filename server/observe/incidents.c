#include "observe/incidents.h"

#include "base/log.h"

enum { WINDOW_MS = 10000, PEEKING_MS = 60 * 60 * 1000 };

#define UNKNOWN_PROTOCOL                                                                           \
	"A client sent something other than HTTP/1.1, such as the PROXY protocol, TLS or HTTP/2, " \
	"or only part of a request line. The next one will be examined"

/* Totals since the start, so that no line depends on one before it. */
static void
report_connections(const struct incidents *incidents)
{
	static uint64_t reported, reported_protocol;
	uint64_t deadline = atomic_load(&incidents->deadline);
	uint64_t limit = atomic_load(&incidents->limit);
	uint64_t per_ip = atomic_load(&incidents->per_ip);
	uint64_t protocol = atomic_load(&incidents->protocol);
	uint64_t total = deadline + limit + per_ip + protocol;
	const char *hint = atomic_load(&incidents->hint);
	struct log_line line;

	if (total == reported || !log_begin(&line, LOG_WARNING, "connections_rejected"))
		return;
	reported = total;
	log_number(&line, "deadline", deadline);
	log_number(&line, "limit", limit);
	log_number(&line, "per_ip", per_ip);
	log_number(&line, "protocol", protocol);
	if (protocol > reported_protocol)
		log_string(&line, "hint", hint != NULL ? hint : UNKNOWN_PROTOCOL);
	reported_protocol = protocol;
	log_end(&line);
}

void
incidents_report(struct incidents *incidents, int64_t now_ms)
{
	static int64_t last_ms, seen_ms;
	static uint64_t reported, seen;
	uint64_t no_memory = atomic_load(&incidents->no_memory);
	uint64_t protocol = atomic_load(&incidents->protocol);
	struct log_line line;

	if (last_ms == 0)
		last_ms = now_ms;
	if (now_ms - last_ms < WINDOW_MS)
		return;
	last_ms = now_ms;
	report_connections(incidents);
	if (no_memory != reported && log_begin(&line, LOG_ERROR, "out_of_memory")) {
		reported = no_memory;
		log_number(&line, "requests", no_memory);
		log_end(&line);
	}
	if (protocol != seen || seen_ms == 0)
		seen_ms = now_ms;
	seen = protocol;
	if (now_ms - seen_ms > PEEKING_MS)
		atomic_store(&incidents->is_peeking, false);
}
