/*
 * Parses JSON strictly. Owns nothing once it has returned; cJSON's tree belongs to the caller.
 */
#include "json.h"

#include <errno.h>

const char json_out_of_memory[] = "cannot be read, since memory is short";

static size_t
line_at(struct span text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.data[i] == '\n';
	return line;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The string that starts at offset holds nothing that RFC 8259 forbids or cJSON cuts it at. */
static bool
is_safe_string(struct span text, size_t *offset, const char **ret_fault)
{
	for (++*offset; *offset < text.len && text.data[*offset] != '"'; ++*offset) {
		size_t left = text.len - *offset;

		if ((unsigned char)text.data[*offset] < 0x20) {
			*ret_fault = "has a control byte in it";
			return false;
		}
		if (text.data[*offset] != '\\')
			continue;
		if (left >= 6 && memcmp(text.data + *offset, "\\u0000", 6) == 0) {
			*ret_fault = "has \\u0000 in it";
			return false;
		}
		++*offset;
	}
	++*offset;
	return true;
}

static size_t
skip_digits(struct span text, size_t offset)
{
	while (offset < text.len && text_is_digit(text.data[offset]))
		offset++;
	return offset;
}

/* RFC 8259 6: no leading zero, and digits behind the point; cJSON leaves that to strtod(). */
static bool
is_safe_number(struct span text, size_t *offset, const char **ret_fault)
{
	size_t start = *offset + (text.data[*offset] == '-');
	size_t end = skip_digits(text, start);
	bool good = end > start && (end == start + 1 || text.data[start] != '0');

	if (good && end < text.len && text.data[end] == '.') {
		size_t fraction = end + 1;

		end = skip_digits(text, fraction);
		good = end > fraction;
	}
	*offset = end;
	*ret_fault = "is not valid JSON";
	return good;
}

static bool
is_number_start(char c)
{
	return text_is_digit(c) || c == '-';
}

/* Behind an exponent, whose digits may start with 0; cJSON checks it. */
static size_t
skip_exponent(struct span text, size_t offset)
{
	if (offset >= text.len || (text.data[offset] != 'e' && text.data[offset] != 'E'))
		return offset;
	offset++;
	if (offset < text.len && (text.data[offset] == '+' || text.data[offset] == '-'))
		offset++;
	return skip_digits(text, offset);
}

/* The offset of the first byte that cJSON would take and RFC 8259 does not; text.len if none. */
static size_t
find_trap(struct span text, const char **ret_fault)
{
	size_t i = 0;

	while (i < text.len) {
		size_t start = i;

		if (text.data[i] == '"') {
			if (!is_safe_string(text, &i, ret_fault))
				return i;
		} else if (is_number_start(text.data[i])) {
			if (!is_safe_number(text, &i, ret_fault))
				return start;
			i = skip_exponent(text, i);
		} else if ((unsigned char)text.data[i] < 0x20 && !is_space(text.data[i])) {
			*ret_fault = "has a control byte in it";
			return i;
		} else {
			i++;
		}
	}
	return text.len;
}

static cJSON *
parse_at(struct span text, size_t *ret_offset, const char **ret_fault)
{
	const char *end = text.data;
	cJSON *tree;

	errno = 0; /* malloc() leaves ENOMEM there; cJSON tells nobody */
	tree = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);
	*ret_offset = (size_t)(end - text.data);
	*ret_fault = tree == NULL && errno == ENOMEM ? json_out_of_memory : "is not valid JSON";
	if (tree == NULL)
		return NULL;
	for (; *ret_offset < text.len; ++*ret_offset) {
		if (is_space(text.data[*ret_offset]))
			continue;
		*ret_fault = "has text behind the end of the JSON";
		cJSON_Delete(tree);
		return NULL;
	}
	return tree;
}

cJSON *
json_parse(struct span text, size_t *ret_line, const char **ret_fault)
{
	size_t offset = text_utf8_len(text);
	cJSON *tree = NULL;

	*ret_fault = "is not UTF-8";
	if (offset == text.len) {
		offset = find_trap(text, ret_fault);
		if (offset == text.len)
			tree = parse_at(text, &offset, ret_fault);
	}
	*ret_line = line_at(text, offset);
	return tree;
}

/* Behind the string that starts at offset. */
static size_t
skip_string(struct span text, size_t offset)
{
	for (offset++; offset < text.len && text.data[offset] != '"'; offset++)
		if (text.data[offset] == '\\')
			offset++;
	return offset + 1;
}

size_t
json_next_name(struct span *cursor, size_t line)
{
	size_t offset = 0;

	while (offset < cursor->len) {
		size_t end = offset + 1;
		size_t after;

		if (cursor->data[offset] == '"')
			end = skip_string(*cursor, offset);
		for (after = end; after < cursor->len && is_space(cursor->data[after]); after++)
			;
		line += cursor->data[offset] == '\n';
		if (cursor->data[offset] == '"' && after < cursor->len &&
		    cursor->data[after] == ':') {
			*cursor = span_from(*cursor, end);
			return line;
		}
		offset = end;
	}
	*cursor = span_from(*cursor, offset);
	return line;
}
