/*
 * log: one line an event on stderr, as JSON or as text. Every value is escaped here, once.
 *
 *	struct log_line line;
 *
 *	if (log_begin(&line, LOG_INFO, "listening")) {
 *		log_number(&line, "port", 8080);
 *		log_end(&line);
 *	}
 */
#ifndef LOG_H
#define LOG_H

#include "buf.h"
#include "config.h"

enum { LOG_LINE_SIZE = 4096 };

/* A thread writes one at a time: the bytes are in an array of the thread's. */
struct log_line {
	struct buf buf;
};

/* Set the level and format of all that follows. */
void log_configure(enum log_level level, enum log_format format);

/* Send lines, each with its line feed, to write instead of stderr; NULL: stderr again. */
void log_set_sink(void (*write)(struct span line));

/* False, with nothing begun, where the level is not logged. event is a constant snake_case word. */
bool log_begin(struct log_line *line, enum log_level level, const char *event);

/* Add a field; name is a constant. An empty text adds nothing. */
void log_text(struct log_line *line, const char *name, struct span value);
void log_string(struct log_line *line, const char *name, const char *value); /* NULL: nothing */
void log_number(struct log_line *line, const char *name, uint64_t value);

/* Hand the line, whole, to the sink. */
void log_end(struct log_line *line);

/* A whole event with one text field. */
void log_message(enum log_level level, const char *event, const char *name, const char *value);

#endif
