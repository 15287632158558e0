/*
 * Holds README.md's table of keys to server/config/keys.c, whose names, order and defaults it has,
 * and the manual page's list to that table. What a key means, and what stands in for a default that
 * is no value, is written in the table by hand. With --write it writes both (make docs). What it
 * writes stands between two marks in each document.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/keys.h"
#include "support.h"

#define BEGIN "keys: checked by `make check`, written by `make docs`"
#define END   "end of the keys"

enum { DOCUMENT_SIZE = 256 * 1024, LINE_WIDTH = 72 };

/* The table as it stands in the README: `| `key` | default | meaning |`. */
static char *readme;

/* The cell of this number of a key's row; its length is in *ret_len. */
static const char *
find_cell(const char *key, int number, size_t *ret_len)
{
	BUF(start, 128);
	const char *at, *cell;

	buf_printf(&start, "\n| `%s` | ", key);
	at = strstr(readme, start.data);
	if (at == NULL) {
		fprintf(stderr, "README.md: lacks a row \"%s... |\"\n", start.data + 1);
		exit(EXIT_FAILURE);
	}
	for (cell = at + start.len; number > 0; number--)
		cell = strstr(cell, " | ") + strlen(" | ");
	at = strstr(cell, " |");
	*ret_len = (size_t)(at - cell);
	return cell;
}

static void
put_default(struct buf *out, const struct config_key *key, const char *quote)
{
	size_t len;
	const char *cell = find_cell(key->name, 0, &len);

	if (key->fallback != NULL)
		buf_printf(out, "%s%s%s", quote, key->fallback, quote);
	else
		buf_put(out, (struct span){ cell, len });
}

static void
put_markdown(struct buf *out)
{
	buf_puts(out, "| Key | Default | Meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < config_n_keys; i++) {
		size_t len;
		const char *meaning = find_cell(config_keys[i].name, 1, &len);

		buf_printf(out, "| `%s` | ", config_keys[i].name);
		put_default(out, &config_keys[i], "`");
		buf_printf(out, " | %.*s |\n", (int)len, meaning);
	}
}

static bool
is_closing(char c)
{
	return c != '\0' && strchr(".,;:)", c) != NULL;
}

/* Code is a macro's argument on a line of its own, with what closes after it as further ones. */
static const char *
put_mdoc_code(struct buf *out, const char *text)
{
	size_t len = strcspn(text, "`");

	buf_printf(out, "%s.Li %.*s", out->data[out->len - 1] == '\n' ? "" : "\n", (int)len, text);
	for (text += len + 1; is_closing(*text); text++)
		buf_printf(out, " %c", *text);
	buf_putc(out, '\n');
	return text + strspn(text, " ");
}

/* The next word of plain text; a sentence starts on a new line, for mandoc's sake. */
static const char *
put_mdoc_word(struct buf *out, const char *text, size_t *column)
{
	size_t len = strcspn(text, " ");
	bool is_end = len > 1 && text[len - 1] == '.';

	if (*column > 0 && *column + len > LINE_WIDTH) {
		buf_putc(out, '\n');
		*column = 0;
	}
	buf_printf(out, "%s%.*s%s", *column > 0 ? " " : "", (int)len, text, is_end ? "\n" : "");
	*column = is_end ? 0 : *column + len + 1;
	return text + len + strspn(text + len, " ");
}

static void
put_mdoc_text(struct buf *out, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		if (*text == '`') {
			text = put_mdoc_code(out, text + 1);
			column = 0;
		} else {
			text = put_mdoc_word(out, text, &column);
		}
	}
	buf_puts(out, column > 0 ? "\n" : "");
}

static void
put_mdoc(struct buf *out)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		size_t len;
		const char *meaning = find_cell(config_keys[i].name, 1, &len);
		char *text = strndup(meaning, len);
		BUF(value, 256);

		put_default(&value, &config_keys[i], "");
		buf_printf(out, ".It Va %s Pq Li ", config_keys[i].name);
		for (const char *c = value.data; *c != '\0'; c++)
			buf_printf(
			    out, "%c%s", *c, config_keys[i].fallback && *c == ',' ? "\\:" : "");
		buf_putc(out, '\n');
		put_mdoc_text(out, text);
		free(text);
	}
}

static const struct {
	const char *path;
	void (*put)(struct buf *out);
} documents[] = {
	{ "README.md", put_markdown },
	{ "server/recall-redirectd.8", put_mdoc },
};

/* In a test and outside of one. */
static void
need(bool good, const char *path, const char *wrong)
{
	if (good)
		return;
	fprintf(stderr, "%s: %s\n", path, wrong);
	exit(EXIT_FAILURE);
}

static char *
read_document(const char *path)
{
	char *text = calloc(1, DOCUMENT_SIZE);
	FILE *file = fopen(path, "r");

	need(file != NULL && text != NULL, path, "cannot be read");
	need(fread(text, 1, DOCUMENT_SIZE - 1, file) < DOCUMENT_SIZE - 1, path, "is too long");
	fclose(file);
	return text;
}

/* The document with what belongs between the lines of its two marks. */
static void
put_document(struct buf *out, const char *path, const char *text, void (*put)(struct buf *out))
{
	const char *begin = strstr(text, BEGIN), *end = strstr(text, END);

	need(begin != NULL && end != NULL && begin < end, path, "lacks its marks");
	while (end[-1] != '\n')
		end--;
	buf_put(out, (struct span){ text, (size_t)(strchr(begin, '\n') + 1 - text) });
	put(out);
	buf_puts(out, end);
	need(buf_ok(out), path, "is too long");
}

static void
with_document(int index, void (*use)(const char *path, const char *text, struct span wanted))
{
	const char *path = documents[index].path;
	char *text = read_document(path), *array = malloc(DOCUMENT_SIZE);
	struct buf wanted;

	buf_init(&wanted, array, DOCUMENT_SIZE);
	put_document(&wanted, path, text, documents[index].put);
	use(path, text, buf_span(&wanted));
	free(text);
	free(array);
}

static void
compare(const char *path, const char *text, struct span wanted)
{
	size_t i = 0;

	while (text[i] != '\0' && text[i] == wanted.data[i])
		i++;
	ck_assert_msg(text[i] == wanted.data[i],
	    "%s differs from the table of keys (run make docs) from here:\n%.200s", path, text + i);
}

static void
write_document(const char *path, const char *text, struct span wanted)
{
	FILE *file = fopen(path, "w");

	(void)text;
	need(file != NULL && fwrite(wanted.data, 1, wanted.len, file) == wanted.len &&
		 fclose(file) == 0,
	    path, "cannot be written");
}

/* A sentence, whose code is between backticks. */
START_TEST(says_what_each_key_means)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		size_t len, n = 0;
		const char *meaning = find_cell(config_keys[i].name, 1, &len);

		ck_assert_msg(len > 1 && meaning[len - 1] == '.', "%s", config_keys[i].name);
		for (size_t c = 0; c < len; c++)
			n += meaning[c] == '`';
		ck_assert_msg(n % 2 == 0, "%s", config_keys[i].name);
	}
}
END_TEST

START_TEST(documents_have_the_table)
{
	with_document(_i, compare);
}
END_TEST

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("tables");
	TCase *tests = tcase_create("tables");
	int result;

	readme = read_document("README.md");

	if (argc == 2 && strcmp(argv[1], "--write") == 0) {
		for (size_t i = 0; i < COUNT(documents); i++)
			with_document((int)i, write_document);
		free(readme);
		return 0;
	}
	tcase_add_test(tests, says_what_each_key_means);
	LOOP(tests, documents_have_the_table, documents);
	suite_add_tcase(suite, tests);
	result = support_run(suite);
	free(readme);
	return result;
}
