#include "base/text.h"

enum { HOST_NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63 };

size_t
span_find(struct span s, char c)
{
	const char *at = memchr(s.data, c, s.len);

	return at != NULL ? (size_t)(at - s.data) : s.len;
}

bool
span_next(struct span *rest, char separator, struct span *ret_part)
{
	size_t len;

	if (rest->len == 0)
		return false;
	len = span_find(*rest, separator);
	*ret_part = (struct span){ rest->data, len };
	*rest = span_from(*rest, len + 1);
	return true;
}

struct span
span_trim(struct span s)
{
	while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool
span_starts_ignoring_case(struct span s, const char *start)
{
	size_t len = strlen(start);

	return s.len >= len && span_same_letters(s.data, start, len);
}

bool
span_same_letters(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text_lower(a[i]) != text_lower(b[i]))
			return false;
	return true;
}

size_t
text_find_word(const char *const *words, size_t n, struct span word)
{
	size_t i = 0;

	while (i < n && !span_is(word, words[i]))
		i++;
	return i;
}

/* RFC 3629 4: lead bytes, how many bytes follow them, and which the first of those may be. */
static const struct {
	unsigned char low, high;
	unsigned char tail, first_low, first_high;
} characters[] = {
	{ 0x00, 0x7f, 0, 0, 0 },
	{ 0xc2, 0xdf, 1, 0x80, 0xbf },
	{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
	{ 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f },
	{ 0xee, 0xef, 2, 0x80, 0xbf },
	{ 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf },
	{ 0xf4, 0xf4, 3, 0x80, 0x8f },
};

/* The length of the character at the start of s, which is not empty; 0 where there is none. */
static size_t
utf8_char_len(struct span s)
{
	const unsigned char *bytes = (const unsigned char *)s.data;
	size_t c = 0;

	while (c < COUNT(characters) && bytes[0] > characters[c].high)
		c++;
	if (c == COUNT(characters) || bytes[0] < characters[c].low || characters[c].tail >= s.len)
		return 0;
	for (size_t i = 1; i <= characters[c].tail; i++)
		if (bytes[i] < (i == 1 ? characters[c].first_low : 0x80) ||
		    bytes[i] > (i == 1 ? characters[c].first_high : 0xbf))
			return 0;
	return characters[c].tail + 1u;
}

size_t
text_utf8_len(struct span s)
{
	size_t len = 0, n;

	while (len < s.len && (n = utf8_char_len(span_from(s, len))) > 0)
		len += n;
	return len;
}

bool
text_is_utf8(struct span s)
{
	return text_utf8_len(s) == s.len;
}

static bool
is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

bool
text_has_control(struct span s)
{
	return span_any(s, is_control);
}

bool
text_is_guid(struct span s)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (s.len != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (shape[i] == '-' ? s.data[i] != '-' : text_hex_value(s.data[i]) < 0)
			return false;
	return true;
}

static bool
is_label(struct span s)
{
	if (s.len == 0 || s.len > LABEL_MAX_LEN || s.data[0] == '-' || s.data[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!text_is_alpha(s.data[i]) && !text_is_digit(s.data[i]) && s.data[i] != '-')
			return false;
	return true;
}

bool
text_is_host_name(struct span s)
{
	struct span label;

	if (s.len == 0 || s.len > HOST_NAME_MAX_LEN || s.data[s.len - 1] == '.')
		return false;
	while (span_next(&s, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

bool
text_is_domain(struct span s)
{
	return text_is_host_name(s) && span_find(s, '.') < s.len;
}

bool
text_to_number(struct span s, unsigned long max, unsigned long *ret_number)
{
	unsigned long number = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned long digit = (unsigned long)(s.data[i] - '0');

		if (!text_is_digit(s.data[i]) || digit > max || number > (max - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}
