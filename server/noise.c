/*
 * Counts and rations log lines that strangers cause.
 */
#include "noise.h"

#include "log.h"

enum { WINDOW_MS = 10000, LIBRARY_LINES_PER_WINDOW = 10 };

static _Atomic uint64_t library_lines; /* in this window */

void
noise_log_library(void *cls, const char *format, va_list arguments)
{
	struct span message = span_of(format);
	struct log_line line;

	(void)cls;
	(void)arguments;
	if (atomic_fetch_add_explicit(&library_lines, 1, memory_order_relaxed) >=
	    LIBRARY_LINES_PER_WINDOW)
		return;
	message.len -= message.len > 0 && message.data[message.len - 1] == '\n';
	if (!log_begin(&line, LOG_DEBUG, "library"))
		return;
	log_text(&line, "message", message);
	log_end(&line);
}

static void
report_library(void)
{
	uint64_t lines = atomic_exchange(&library_lines, 0);
	struct log_line line;

	if (lines <= LIBRARY_LINES_PER_WINDOW || !log_begin(&line, LOG_DEBUG, "library_suppressed"))
		return;
	log_number(&line, "messages", lines - LIBRARY_LINES_PER_WINDOW);
	log_end(&line);
}

/* Totals since the start, so that no line depends on one before it. */
static void
report_connections(const struct watch_counts *counts)
{
	static uint64_t reported;
	uint64_t deadline = atomic_load(&counts->deadline);
	uint64_t limit = atomic_load(&counts->limit);
	uint64_t per_ip = atomic_load(&counts->per_ip);
	struct log_line line;

	if (deadline + limit + per_ip == reported)
		return;
	reported = deadline + limit + per_ip;
	if (!log_begin(&line, LOG_WARNING, "connections_rejected"))
		return;
	log_number(&line, "deadline", deadline);
	log_number(&line, "limit", limit);
	log_number(&line, "per_ip", per_ip);
	log_end(&line);
}

static void
report_memory(const struct watch_counts *counts)
{
	static uint64_t reported;
	uint64_t no_memory = atomic_load(&counts->no_memory);
	struct log_line line;

	if (no_memory == reported || !log_begin(&line, LOG_ERROR, "out_of_memory"))
		return;
	reported = no_memory;
	log_number(&line, "requests", no_memory);
	log_end(&line);
}

void
noise_report(const struct watch_counts *counts, int64_t now_ms)
{
	static int64_t last_ms;

	if (last_ms == 0)
		last_ms = now_ms;
	if (now_ms - last_ms < WINDOW_MS)
		return;
	last_ms = now_ms;
	report_library();
	report_connections(counts);
	report_memory(counts);
}
