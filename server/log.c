/*
 * Formats and writes log lines. Knows nothing of requests, so nothing of secrets: callers pass
 * fields from closed sets.
 */
#include "log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

static void
write_stderr(struct span line)
{
	ssize_t ignored = write(STDERR_FILENO, line.data, line.len);

	(void)ignored;
}

/* A reload changes these while other threads log. */
static _Atomic enum log_level lowest = LOG_INFO;
static _Atomic enum log_format format = LOG_JSON;
static void (*_Atomic sink)(struct span line) = write_stderr;

void
log_configure(enum log_level level, enum log_format new_format)
{
	lowest = level;
	format = new_format;
}

void
log_set_sink(void (*write)(struct span line))
{
	sink = write != NULL ? write : write_stderr;
}

/* RFC 3339, UTC, milliseconds: 2026-11-23T20:41:00.123Z. */
static void
put_time(struct buf *out)
{
	static _Thread_local time_t second = -1;
	static _Thread_local char text[sizeof("2026-11-23T20:41:00")];
	struct timespec now;
	struct tm utc;
	unsigned ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		gmtime_r(&second, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	}
	ms = (unsigned)(now.tv_nsec / 1000000);
	buf_puts(out, text);
	buf_put(out, (struct span){ (char[]){ '.', (char)('0' + ms / 100),
					(char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z' },
			 5 });
}

bool
log_begin(struct log_line *line, enum log_level level, const char *event)
{
	static _Thread_local char array[LOG_LINE_SIZE];

	if (level < lowest)
		return false;
	buf_init(&line->buf, array, sizeof(array));
	buf_puts(&line->buf, format == LOG_JSON ? "{\"time\":\"" : "");
	put_time(&line->buf);
	buf_puts(&line->buf, format == LOG_JSON ? "\",\"level\":\"" : " ");
	buf_puts(&line->buf, level_names[level]);
	buf_puts(&line->buf, format == LOG_JSON ? "\",\"event\":\"" : " ");
	buf_puts(&line->buf, event);
	buf_puts(&line->buf, format == LOG_JSON ? "\"" : "");
	return true;
}

static void
put_name(struct log_line *line, const char *name)
{
	buf_puts(&line->buf, format == LOG_JSON ? ",\"" : " ");
	buf_puts(&line->buf, name);
	buf_puts(&line->buf, format == LOG_JSON ? "\":" : "=");
}

/* Readable without quotes in the text format. */
static bool
is_word(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= 0x20 || value.data[i] >= 0x7f || value.data[i] == '"' ||
		    value.data[i] == '\\' || value.data[i] == '=')
			return false;
	return true;
}

void
log_text(struct log_line *line, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	put_name(line, name);
	if (format == LOG_TEXT && is_word(value))
		buf_put(&line->buf, value);
	else
		buf_put_json(&line->buf, value);
}

void
log_string(struct log_line *line, const char *name, const char *value)
{
	if (value != NULL)
		log_text(line, name, span_of(value));
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
	buf_puts(&line->buf, format == LOG_JSON ? "}\n" : "\n");
	if (buf_ok(&line->buf))
		sink(buf_span(&line->buf));
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
