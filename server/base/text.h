/* text: borrowed bytes, and what can be said of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes that somebody else owns; not NUL-terminated, may hold any byte. data is never NULL. */
struct span {
	const char *data;
	size_t len;
};

/* A span over a string literal, usable in a static initialiser. */
#define SPAN(literal)                                                                              \
	{                                                                                          \
		"" literal, sizeof(literal) - 1                                                    \
	}

static inline struct span
span_of(const char *string)
{
	return (struct span){ string, strlen(string) };
}

static inline bool
span_equals(struct span a, struct span b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static inline bool
span_is(struct span s, const char *string)
{
	return span_equals(s, span_of(string));
}

/* The bytes from offset on; nothing where offset is past the end. */
static inline struct span
span_from(struct span s, size_t offset)
{
	offset = offset < s.len ? offset : s.len;
	return (struct span){ s.data + offset, s.len - offset };
}

/* Where the byte c stands first in s; s.len where it does not. */
size_t span_find(struct span s, char c);

/*
 * Whether is_odd() holds for any byte. Looks at every byte and ends late on purpose, so that
 * compilers look at many at once.
 */
static inline __attribute__((always_inline)) bool
span_any(struct span s, bool (*is_odd)(unsigned char c))
{
	unsigned char found = 0;

	for (size_t i = 0; i < s.len; i++)
		found |= is_odd((unsigned char)s.data[i]) ? 0xff : 0;
	return found != 0;
}

/* Cut the part before the first separator off *rest; false once *rest has been used up. */
bool span_next(struct span *rest, char separator, struct span *ret_part);

/* Without spaces and tabs at both ends (RFC 9110 5.6.3, OWS). */
struct span span_trim(struct span s);

bool span_same_letters(const char *a, const char *b, size_t len);

/* ASCII only: bytes >= 0x80 compare as they are. Most names differ in length already. */
static inline bool
span_is_ignoring_case(struct span s, const char *string)
{
	return s.len == strlen(string) && span_same_letters(s.data, string, s.len);
}

bool span_starts_ignoring_case(struct span s, const char *start);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The index of this word among n; n where it is none of them. */
size_t text_find_word(const char *const *words, size_t n, struct span word);

/* Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. */
bool text_is_utf8(struct span s);

/* How many bytes at the start are well-formed UTF-8. */
size_t text_utf8_len(struct span s);

/* Holds a byte below 0x20, or 0x7f. */
bool text_has_control(struct span s);

/* 8-4-4-4-12 hex digits, as Microsoft writes application, tenant and correlation ids. */
bool text_is_guid(struct span s);

/* Letters, digits, `-` and `.` in labels of 1 to 63 (RFC 1123 2.1), 253 in all, ASCII only. */
bool text_is_host_name(struct span s);

/* A host name with at least one dot: a verified domain of a tenant. */
bool text_is_domain(struct span s);

/* Decimal digits only, without a sign; false on anything else or above max. */
bool text_to_number(struct span s, unsigned long max, unsigned long *ret_number);

static inline bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
text_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a hex digit, or -1. */
static inline int
text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
