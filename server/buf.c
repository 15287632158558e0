/*
 * Builds strings in bounded arrays. Never allocates, never writes past the array.
 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>

void
buf_init(struct buf *b, char *array, size_t size)
{
	b->data = array;
	b->size = size;
	buf_clear(b);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	b->data[0] = '\0';
}

static void
fail(struct buf *b)
{
	b->len = 0;
	b->overflow = true;
	b->data[0] = '\0';
}

char *
buf_reserve(struct buf *b, size_t len)
{
	char *at = b->data + b->len;

	if (b->overflow || len >= b->size - b->len) {
		fail(b);
		return NULL;
	}
	b->len += len;
	b->data[b->len] = '\0';
	return at;
}

void
buf_put(struct buf *b, struct span bytes)
{
	char *at = buf_reserve(b, bytes.len);

	if (at != NULL)
		memcpy(at, bytes.data, bytes.len);
}

void
buf_putc(struct buf *b, char c)
{
	char *at = buf_reserve(b, 1);

	if (at != NULL)
		*at = c;
}

void
buf_put_number(struct buf *b, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	buf_put(b, (struct span){ digits + at, sizeof(digits) - at });
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list arguments;
	int len;

	if (b->overflow)
		return;
	va_start(arguments, format);
	len = vsnprintf(b->data + b->len, b->size - b->len, format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= b->size - b->len)
		fail(b);
	else
		b->len += (size_t)len;
}

/* The letter of a two-character escape, 'u' for \u00xx, 0 for a byte that stands for itself. */
static char
json_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return c < 0x20 ? 'u' : '\0';
	}
}

/* A byte that json_escape() has an escape for. */
static void
put_escaped(struct buf *b, unsigned char c)
{
	char escape = json_escape(c);

	if (escape == 'u') {
		buf_printf(b, "\\u%04x", c);
	} else {
		buf_putc(b, '\\');
		buf_putc(b, escape);
	}
}

/* How many bytes stand for themselves until the next that does not. */
static size_t
plain_len(struct span text)
{
	size_t len = 0;

	while (len < text.len && json_escape((unsigned char)text.data[len]) == '\0')
		len++;
	return len;
}

/* Whether all of it stands for itself, as nearly every text that is logged does. */
static bool
is_plain(struct span text)
{
	unsigned char bad = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		bad |= c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
	}
	return bad == 0;
}

static void
put_with_escapes(struct buf *b, struct span text)
{
	while (text.len > 0) {
		size_t good = text_utf8_len(text);

		for (size_t i = 0; i < good; i++) {
			size_t plain = plain_len((struct span){ text.data + i, good - i });

			buf_put(b, (struct span){ text.data + i, plain });
			i += plain;
			if (i < good)
				put_escaped(b, (unsigned char)text.data[i]);
		}
		if (good < text.len)
			buf_puts(b, "\xef\xbf\xbd");
		text = span_from(text, good + 1);
	}
}

void
buf_put_json(struct buf *b, struct span text)
{
	buf_putc(b, '"');
	if (is_plain(text))
		buf_put(b, text);
	else
		put_with_escapes(b, text);
	buf_putc(b, '"');
}

bool
buf_ok(const struct buf *b)
{
	return !b->overflow;
}

struct span
buf_span(const struct buf *b)
{
	return (struct span){ b->data, b->len };
}
