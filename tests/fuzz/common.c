/*
 * What several fuzzers say about the program's answers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

void
fuzz_holds(bool holds, const char *condition, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

struct config *
fuzz_config(const char *file_text)
{
	struct config_source source = {
		.file_name = "fuzz.json",
		.file_text = span_of(file_text),
		.processors = 1,
	};
	struct findings findings = { 0 };
	struct config *config = config_parse(&source, &findings);

	HOLDS(config != NULL);
	findings_free(&findings);
	return config;
}

char *
fuzz_copy(struct span bytes)
{
	char *copy = malloc(bytes.len + 1);

	HOLDS(copy != NULL);
	memcpy(copy, bytes.data, bytes.len);
	copy[bytes.len] = '\0';
	return copy;
}

struct buf
fuzz_buf(size_t size)
{
	char *array = malloc(size);
	struct buf b;

	HOLDS(array != NULL);
	buf_init(&b, array, size);
	return b;
}

struct span
fuzz_line(struct span *rest)
{
	const char *end = memchr(rest->data, '\n', rest->len);
	struct span line = *rest;

	if (end != NULL)
		line.len = (size_t)(end - rest->data);
	rest->data += line.len + (end != NULL);
	rest->len -= line.len + (end != NULL);
	return line;
}

static int
hex_value(char c)
{
	static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
	const char *at = memchr(digits, c, sizeof(digits) - 1);

	return at != NULL ? (int)((at - digits) / 2) : -1;
}

bool
fuzz_decode(struct span encoded, bool is_form, char *out, size_t *ret_len)
{
	size_t i = 0, n = 0;

	for (; i < encoded.len; i++) {
		char c = encoded.data[i];

		if (c == '%') {
			if (encoded.len - i < 3 || hex_value(encoded.data[i + 1]) < 0 ||
			    hex_value(encoded.data[i + 2]) < 0)
				return false;
			c = (char)(hex_value(encoded.data[i + 1]) * 16 +
				   hex_value(encoded.data[i + 2]));
			i += 2;
		} else if (c == '+' && is_form) {
			c = ' ';
		}
		out[n++] = c;
	}
	*ret_len = n;
	return true;
}

/* The linker's names for where the program starts and where its initialised data ends. */
extern const char __executable_start[], edata[];

bool
fuzz_is_constant(const char *text)
{
	uintptr_t at = (uintptr_t)text;

	return at >= (uintptr_t)__executable_start && at < (uintptr_t)edata;
}

static bool
is_word(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz_");

	return word[len] == '\0' && len >= 1 && len <= 40;
}

static bool
is_guid(const char *text)
{
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
							    : hex_value(text[i]) < 0)
			return false;
	return text[36] == '\0';
}

void
fuzz_check_outcome(const struct outcome *outcome)
{
	static const char names[] = " code error admin_consent empty ambiguous ";
	char name[32];

	HOLDS(outcome->name != NULL);
	snprintf(name, sizeof(name), " %s ", outcome->name);
	HOLDS(strstr(names, name) != NULL);
	HOLDS(outcome->error[0] == '\0' || is_word(outcome->error));
	HOLDS(outcome->error_subcode[0] == '\0' || is_word(outcome->error_subcode));
	HOLDS(memchr(outcome->aadsts, '\0', sizeof(outcome->aadsts)) != NULL);
	HOLDS(outcome->aadsts[strspn(outcome->aadsts, "0123456789")] == '\0');
	HOLDS(outcome->correlation_id[0] == '\0' || is_guid(outcome->correlation_id));
	HOLDS(outcome->tenant[0] == '\0' || is_guid(outcome->tenant));
	HOLDS(outcome->hint != NULL || !outcome->hint_takes_link);
	HOLDS(outcome->hint == NULL || fuzz_is_constant(outcome->hint));
	if (strcmp(outcome->name, "code") == 0)
		HOLDS(outcome->error[0] == '\0' && outcome->error_subcode[0] == '\0' &&
		      outcome->aadsts[0] == '\0' && outcome->correlation_id[0] == '\0');
}

const char *
fuzz_field(const struct response *response, const char *name)
{
	for (size_t i = 0; i < response->n_fields; i++)
		if (strcmp(response->fields[i].name, name) == 0)
			return response->fields[i].value;
	return NULL;
}
