/*
 * log: one line per event on stderr, as JSON or as text. Every value is escaped here, once.
 *
 *	struct log_line line;
 *
 *	if (log_begin(&line, LOG_INFO, "listening")) {
 *		log_number(&line, "port", 8080);
 *		log_end(&line);
 *	}
 */
#pragma once

#include "base/buf.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

enum { LOG_LINE_SIZE = 4096 };

/* A thread writes one at a time: the bytes are in an array of the thread's. */
struct log_line {
	struct buf buf;
	enum log_format format;
	char *time; /* where it stands; it is written last */
};

/* Set the level and format of lines that begin from now on. */
void log_configure(enum log_level level, enum log_format format);

/* Begin every line with its priority for the journal, "<3>" to "<7>", from now on. */
void log_show_priorities(void);

/* That beginning, for lines that others write; empty where it is not wanted. */
const char *log_priority(enum log_level level);

/*
 * Send lines, each with its line feed, to write instead of stderr; NULL: stderr again. One thread
 * at a time calls it, and nothing is logged from there.
 */
void log_set_sink(void (*write)(struct span line));

/* False, with nothing begun, where the level is not logged. event is a constant snake_case word. */
bool log_begin(struct log_line *line, enum log_level level, const char *event);

/* Add a field; name is a constant. An empty value or NULL adds nothing. */
void log_string(struct log_line *line, const char *name, const char *value);
void log_number(struct log_line *line, const char *name, uint64_t value);

/* Hand the line, whole, to the sink. Lines of all threads are there in the order of their times. */
void log_end(struct log_line *line);

/* A whole event with one text field. */
void log_message(enum log_level level, const char *event, const char *name, const char *value);
