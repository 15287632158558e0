/*
 * Judges borrowed bytes. Owns nothing, allocates nothing, changes nothing.
 */
#include "text.h"

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
span_same_letters(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text_lower(a[i]) != text_lower(b[i]))
			return false;
	return true;
}

/* How many continuation bytes follow this lead byte, and the range of the first one; -1: none. */
static int
utf8_tail(unsigned char lead, unsigned char *ret_low, unsigned char *ret_high)
{
	*ret_low = 0x80;
	*ret_high = 0xbf;
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef) {
		*ret_low = lead == 0xe0 ? 0xa0 : 0x80;
		*ret_high = lead == 0xed ? 0x9f : 0xbf;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*ret_low = lead == 0xf0 ? 0x90 : 0x80;
		*ret_high = lead == 0xf4 ? 0x8f : 0xbf;
		return 3;
	}
	return -1;
}

/* The length of the character that starts at offset; 0 where none does. */
static size_t
utf8_char_len(struct span s, size_t offset)
{
	unsigned char low, high;
	int tail = utf8_tail((unsigned char)s.data[offset], &low, &high);

	if (tail < 0 || (size_t)tail > s.len - offset - 1)
		return 0;
	for (int i = 1; i <= tail; i++, low = 0x80, high = 0xbf) {
		unsigned char c = (unsigned char)s.data[offset + (size_t)i];

		if (c < low || c > high)
			return 0;
	}
	return (size_t)tail + 1;
}

size_t
text_utf8_len(struct span s)
{
	size_t len = 0, n;

	while (len < s.len && (n = utf8_char_len(s, len)) > 0)
		len += n;
	return len;
}

bool
text_is_utf8(struct span s)
{
	return text_utf8_len(s) == s.len;
}

/* Looks at every byte, without an early end, so that compilers take many at once. */
bool
text_has_control(struct span s)
{
	const unsigned char *bytes = (const unsigned char *)s.data;
	unsigned char found = 0;

	for (size_t i = 0; i < s.len; i++)
		found |= bytes[i] < 0x20 || bytes[i] == 0x7f ? 0xff : 0;
	return found != 0;
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
