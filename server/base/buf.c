#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void
buf_init(struct buf *b, char *array, size_t size)
{
	*b = (struct buf){ .data = array, .size = size };
	b->data[0] = '\0';
}

void
buf_clear(struct buf *b)
{
	b->high = b->len > b->high ? b->len : b->high;
	b->len = 0;
	b->overflow = false;
	b->data[0] = '\0';
}

static void
fail(struct buf *b)
{
	buf_clear(b);
	b->overflow = true;
}

void
buf_wipe(struct buf *b)
{
	buf_clear(b);
	explicit_bzero(b->data, b->high);
	b->high = 0;
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
	if (len < 0 || (size_t)len >= b->size - b->len) {
		b->len = b->size - 1; /* as far as it was written */
		fail(b);
	} else {
		b->len += (size_t)len;
	}
}

/* Bytes that need an escape, or a look at the bytes around them. */
static bool
needs_care(unsigned char c)
{
	return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

static void
put_escaped(struct buf *b, struct span good)
{
	for (size_t i = 0; i < good.len; i++) {
		char c = good.data[i];

		if ((unsigned char)c < 0x20) {
			buf_printf(b, "\\u%04x", (unsigned char)c);
			continue;
		}
		if (c == '"' || c == '\\')
			buf_putc(b, '\\');
		buf_putc(b, c);
	}
}

void
buf_put_json(struct buf *b, struct span text)
{
	bool is_easy = !span_any(text, needs_care); /* as nearly every text that is logged */

	buf_putc(b, '"');
	while (text.len > 0) {
		size_t good = is_easy ? text.len : text_utf8_len(text);

		(is_easy ? buf_put : put_escaped)(b, (struct span){ text.data, good });
		if (good < text.len)
			buf_puts(b, "\xef\xbf\xbd");
		text = span_from(text, good + 1);
	}
	buf_putc(b, '"');
}
