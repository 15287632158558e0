#include "base/json.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

const char json_out_of_memory[] = "cannot be read; free some memory";

#define DIGITS "0123456789"
#define BLANKS " \t\n\r"

/* The byte at this offset; NUL, which no JSON holds, outside of the text. */
static char
byte_at(struct span text, size_t at)
{
	return (char)(at < text.len ? text.data[at] : '\0');
}

static bool
is_one_of(char c, const char *bytes)
{
	return c != '\0' && strchr(bytes, c) != NULL;
}

static size_t
skip_blanks(struct span text, size_t at)
{
	while (is_one_of(byte_at(text, at), BLANKS))
		at++;
	return at;
}

/* After the string or number that starts there; after one byte of anything else. */
static size_t
skip_token(struct span text, size_t at)
{
	size_t start = at++;

	if (text.data[start] == '"') {
		while (at < text.len && text.data[at] != '"')
			at += text.data[at] == '\\' ? 2 : 1;
		return at + 1;
	}
	while (
	    is_one_of(text.data[start], DIGITS "-") && is_one_of(byte_at(text, at), DIGITS ".eE+-"))
		at++;
	return at;
}

/* cJSON makes NUL, which cuts the string, of \u0000 and of \u without four digits. */
static bool
is_nul(struct span text, size_t at)
{
	bool is_zero = true;

	if (byte_at(text, at) != '\\' || byte_at(text, at + 1) != 'u')
		return false;
	for (size_t i = at + 2; i < at + 6; i++) {
		if (text_hex_value(byte_at(text, i)) < 0)
			return true;
		is_zero = is_zero && text.data[i] == '0';
	}
	return is_zero;
}

static const char *
string_trap(struct span text, size_t at, size_t end)
{
	for (; at < end && at < text.len; at += text.data[at] == '\\' ? 2 : 1) {
		if ((unsigned char)text.data[at] < 0x20)
			return "has a control byte or a line end in a string; close each string (\") "
			       "on its line";
		if (is_nul(text, at))
			return "has \\u0000, or a broken \\u, in it; write the character itself";
	}
	return end > text.len ? "has a string without an end; close it with a double quote (\")"
			      : NULL;
}

/* RFC 8259 6: no leading zero, and digits around the point; cJSON leaves that to strtod(). */
static const char *
number_trap(struct span text, size_t at, size_t end)
{
	size_t first = at + (text.data[at] == '-');
	bool is_wrong = byte_at(text, first) == '0' && text_is_digit(byte_at(text, first + 1));

	for (at = first; at < end; at++)
		is_wrong |= text.data[at] == '.' && (!text_is_digit(byte_at(text, at - 1)) ||
							!text_is_digit(byte_at(text, at + 1)));
	return is_wrong ? "has something that is not a JSON number; put text in double quotes (\")"
			: NULL;
}

/* Where the first token is that cJSON accepts and RFC 8259 does not; text.len where none is. */
static size_t
find_trap(struct span text, const char **ret_wrong)
{
	size_t at, end;

	for (at = 0; at < text.len; at = end) {
		char c = text.data[at];

		end = skip_token(text, at);
		*ret_wrong = NULL;
		if (c == '"')
			*ret_wrong = string_trap(text, at, end);
		else if (is_one_of(c, DIGITS "-"))
			*ret_wrong = number_trap(text, at, end);
		else if ((unsigned char)c < 0x20 && !is_one_of(c, BLANKS))
			*ret_wrong = "has a control byte in it; save it as UTF-8";
		if (*ret_wrong != NULL)
			break;
	}
	return at;
}

/*
 * Usual slips, by the byte where cJSON stopped and the one before it, white space aside. Without
 * before, either of the two is meant.
 */
static const struct {
	const char *here, *before, *wrong;
} slips[] = {
	{ "#/*", NULL, "has a comment; delete it: JSON has no comments" },
	{ "'`", NULL, "has single quotes; use double quotes (\")" },
	{ "\xe2\xc2", NULL, "has curly quotes; use straight double quotes (\")" },
	{ "\\", NULL, "has a backslash that escapes nothing; write \\\\ for a backslash" },
	{ "]}", ",", "has a comma after the last value; delete that comma" },
	{ ",\"", ",[{:", "has a comma too many; delete it" },
	{ ",}", "\"", "has a string that is neither a name nor a value; put a list in [ and ]" },
	{ DIGITS "tfn\"{[-", "]}\"" DIGITS "el", "lacks a comma or a colon; put it there" },
};

/* Where the last byte before this offset is, white space aside. */
static size_t
last_before(struct span text, size_t at)
{
	do
		at--;
	while (at < text.len && is_one_of(text.data[at], BLANKS));
	return at;
}

/* What is wrong where cJSON stopped, which is one byte too far where a name should be. */
static const char *
slip_at(struct span text, size_t *ret_at)
{
	size_t at = last_before(text, *ret_at + 1), before = last_before(text, at);
	bool is_end = skip_blanks(text, at + 1) >= text.len;

	if (byte_at(text, before) == '}' && byte_at(text, last_before(text, before)) == ',') {
		at = before;
		before = last_before(text, at);
	}
	for (size_t i = 0; i < COUNT(slips); i++) {
		const char *wanted = slips[i].before;
		bool is_here = is_one_of(byte_at(text, at), slips[i].here);

		if (wanted == NULL && (is_here || is_one_of(byte_at(text, before), slips[i].here)))
			return slips[i].wrong;
		if (wanted == NULL || !is_here || !is_one_of(byte_at(text, before), wanted) ||
		    (is_end && !is_one_of(byte_at(text, at), "]}")))
			continue;
		*ret_at = before; /* the comma, or where it should be */
		return slips[i].wrong;
	}
	return "is not valid JSON; put text in double quotes (\"), and close every { and [";
}

/* What is parsed may be secret, and of a broken text cJSON itself frees the strings. */
static void
wipe_and_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void
set_hooks(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){ malloc, wipe_and_free });
}

static cJSON *
parse(struct span text, size_t *ret_at, const char **ret_wrong)
{
	const char *end = text.data;
	cJSON *tree;

	errno = 0; /* malloc() leaves ENOMEM there, and cJSON does not say why it failed */
	tree = cJSON_ParseWithLengthOpts(text.data, text.len, &end, false);
	*ret_at = (size_t)(end - text.data);
	if (tree == NULL && errno == ENOMEM)
		*ret_wrong = json_out_of_memory;
	else if (tree == NULL)
		*ret_wrong = slip_at(text, ret_at);
	else if ((*ret_at = skip_blanks(text, *ret_at)) < text.len) {
		*ret_wrong = "has text after the end of the JSON; delete it";
		cJSON_Delete(tree);
		tree = NULL;
	}
	return tree;
}

cJSON *
json_parse(struct span text, size_t *ret_line, const char **ret_wrong)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t at = text_utf8_len(text);
	cJSON *tree = NULL;

	pthread_once(&once, set_hooks);
	if (at < text.len)
		*ret_wrong = "is not UTF-8; save it as UTF-8";
	else if (byte_at(text, 0) == '\xef' && byte_at(text, 1) == '\xbb')
		*ret_wrong = "starts with a byte order mark; save it as UTF-8 without one";
	else if (text.len == skip_blanks(text, 0))
		*ret_wrong = "is empty; write at least {}";
	else if ((at = find_trap(text, ret_wrong)) == text.len)
		tree = parse(text, &at, ret_wrong);
	*ret_line = 1;
	for (size_t i = 0; i < at && i < text.len; i++)
		*ret_line += text.data[i] == '\n';
	return tree;
}

void
json_next_name(struct span *rest, size_t *line)
{
	while (rest->len > 0) {
		char first = rest->data[0];

		*line += first == '\n';
		*rest = span_from(*rest, skip_token(*rest, 0));
		if (first == '"' && byte_at(*rest, skip_blanks(*rest, 0)) == ':')
			return;
	}
}
