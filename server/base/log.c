/*
 * Formats and writes log lines. Knows nothing of requests, so nothing of secrets: callers pass
 * fields from closed sets.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TIME_LEN = sizeof("2026-11-23T20:41:00.123Z") - 1 };

/* In the order of enum log_level. */
static const char *const level_names[] = { "debug", "info", "warning", "error" };
static const char *const priorities[] = { "<7>", "<6>", "<4>", "<3>" };

static void
write_stderr(struct span line)
{
	ssize_t ignored = write(STDERR_FILENO, line.data, line.len);

	(void)ignored;
}

/* A reload changes these while other threads log. */
static _Atomic enum log_level lowest = LOG_INFO;
static _Atomic enum log_format format = LOG_JSON;
static atomic_bool has_priorities;
static void (*_Atomic sink)(struct span line) = write_stderr;

/* Held from a line's time to its end in the sink, so that lines are in the order of their times. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void
log_configure(enum log_level level, enum log_format new_format)
{
	lowest = level;
	format = new_format;
}

void
log_show_priorities(void)
{
	has_priorities = true;
}

const char *
log_priority(enum log_level level)
{
	return has_priorities ? priorities[level] : "";
}

void
log_set_sink(void (*write)(struct span line))
{
	sink = write != NULL ? write : write_stderr;
}

/* RFC 3339, UTC, milliseconds: 2026-11-23T20:41:00.123Z. */
static void
write_time(char *to)
{
	static time_t second = -1;
	static char text[TIME_LEN + 1];
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	}
	snprintf(text + TIME_LEN - 5, 6, ".%03uZ", (unsigned)(now.tv_nsec / 1000000) % 1000);
	memcpy(to, text, TIME_LEN);
}

bool
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	static _Thread_local char array[LOG_LINE_SIZE];
	bool is_json;

	if (level < lowest)
		return false;
	line->format = format;
	is_json = line->format == LOG_JSON;
	buf_init(&line->buf, array, sizeof(array));
	buf_puts(&line->buf, log_priority(level));
	buf_puts(&line->buf, is_json ? "{\"time\":\"" : "");
	line->time = buf_reserve(&line->buf, TIME_LEN);
	buf_puts(&line->buf, is_json ? "\",\"level\":\"" : " ");
	buf_puts(&line->buf, level_names[level]);
	buf_puts(&line->buf, is_json ? "\",\"event\":\"" : " ");
	buf_puts(&line->buf, event);
	buf_puts(&line->buf, is_json ? "\"" : "");
	return true;
}

static void
put_name(struct log_line *line, const char *name)
{
	buf_puts(&line->buf, line->format == LOG_JSON ? ",\"" : " ");
	buf_puts(&line->buf, name);
	buf_puts(&line->buf, line->format == LOG_JSON ? "\":" : "=");
}

static bool
needs_quotes(unsigned char c)
{
	return c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '=';
}

void
log_string(struct log_line *line, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	put_name(line, name);
	if (line->format == LOG_TEXT && !span_any(span_of(value), needs_quotes))
		buf_puts(&line->buf, value);
	else
		buf_put_json(&line->buf, span_of(value));
}

void
log_number(struct log_line *line, const char *name, uint64_t value)
{
	put_name(line, name);
	buf_put_number(&line->buf, value);
}

void
log_end(struct log_line *line)
{
	buf_puts(&line->buf, line->format == LOG_JSON ? "}\n" : "\n");
	if (!buf_ok(&line->buf))
		return;
	pthread_mutex_lock(&mutex);
	write_time(line->time);
	sink(buf_span(&line->buf));
	pthread_mutex_unlock(&mutex);
}

void
log_message(enum log_level level, const char *event, const char *name, const char *value)
{
	struct log_line line;

	if (!log_begin(&line, level, event))
		return;
	log_string(&line, name, value);
	log_end(&line);
}
