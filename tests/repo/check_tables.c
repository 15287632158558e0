/*
 * Holds README.md's table of keys and the manual page's list of them to server/config/keys.c. With
 * --write it writes both (make docs). What it writes stands between two marks in each document.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config/keys.h"
#include "support.h"

#define BEGIN "keys: written by `make docs` from server/config/keys.c"
#define END   "end of the keys"

enum { DOCUMENT_SIZE = 256 * 1024, LINE_WIDTH = 72 };

/* A default that is a value, or words where there is none. */
static const char *
default_of(const struct config_key *key, bool *ret_is_value)
{
	*ret_is_value = key->fallback != NULL;
	if (key->fallback != NULL)
		return key->fallback;
	if (key->derived != NULL)
		return key->derived;
	return key->type == KEY_LIST ? "empty" : "none";
}

static void
put_markdown(struct buf *out)
{
	bool is_value;

	buf_puts(out, "| Key | Default | Meaning |\n|---|---|---|\n");
	for (size_t i = 0; i < config_n_keys; i++) {
		const char *value = default_of(&config_keys[i], &is_value);
		const char *quote = is_value ? "`" : "";

		buf_printf(out, "| `%s` | %s%s%s | %s |\n", config_keys[i].name, quote, value,
		    quote, config_keys[i].meaning);
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
	bool is_value;

	for (size_t i = 0; i < config_n_keys; i++) {
		buf_printf(out, ".It Va %s Pq Li ", config_keys[i].name);
		for (const char *c = default_of(&config_keys[i], &is_value); *c != '\0'; c++)
			buf_printf(out, "%c%s", *c, is_value && *c == ',' ? "\\:" : "");
		buf_putc(out, '\n');
		put_mdoc_text(out, config_keys[i].meaning);
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

	if (argc == 2 && strcmp(argv[1], "--write") == 0) {
		for (size_t i = 0; i < COUNT(documents); i++)
			with_document((int)i, write_document);
		return 0;
	}
	LOOP(tests, documents_have_the_table, documents);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
