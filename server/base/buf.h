/*
 * buf: a bounded string, built in an array that the caller owns.
 *
 * Overflow is sticky and empties the string, so that half a URL or half a document cannot leave:
 * put whatever there is to put, then ask buf_ok() once.
 */
#pragma once

#include <stdint.h>

#include "base/text.h"

struct buf {
	char *data; /* always NUL-terminated at len */
	size_t size;
	size_t len;
	size_t high; /* as far as bytes were ever written; see buf_wipe() */
	bool overflow;
};

/* Start empty over array, which must outlive the buf; size counts the final NUL, at least 1. */
void buf_init(struct buf *b, char *array, size_t size);

/* Declare a buf of this name over an array of its own, which lives as long. */
#define BUF(name, array_size)                                                                      \
	char name##_array[array_size];                                                             \
	struct buf name = { .data = memset(name##_array, '\0', 1), .size = sizeof(name##_array) }

/* Start again, empty, with overflow forgotten. */
void buf_clear(struct buf *b);

void buf_put(struct buf *b, struct span bytes);

/* Here, so that the length of a constant is known when it is compiled. */
static inline void
buf_puts(struct buf *b, const char *string)
{
	buf_put(b, span_of(string));
}

void buf_putc(struct buf *b, char c);
void buf_put_number(struct buf *b, uint64_t number);

/* As printf; for short text off the hot path. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A JSON string with its quotes (RFC 8259 7), control bytes as \u00xx; bytes that are not UTF-8
 * become U+FFFD, one each.
 */
void buf_put_json(struct buf *b, struct span text);

/* Room for len more bytes, to be written by the caller; NULL, and overflow, where there is none. */
char *buf_reserve(struct buf *b, size_t len);

/* Clear, and overwrite every byte that was ever put, those lost by an overflow included. */
void buf_wipe(struct buf *b);

static inline bool
buf_ok(const struct buf *b)
{
	return !b->overflow;
}

static inline struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->data, b->len };
}
