#include "base/log.h"
#include "support.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char seen[2 * LOG_LINE_SIZE]; /* the last line */
static size_t seen_len;
static size_t n_seen;

static void
keep_line(struct span line)
{
	ck_assert_uint_lt(line.len, sizeof(seen));
	memcpy(seen, line.data, line.len);
	seen[line.len] = '\0';
	seen_len = line.len;
	n_seen++;
}

static void
set_up(void)
{
	n_seen = 0;
	seen_len = 0;
	log_configure(LOG_INFO, LOG_JSON);
	log_set_sink(keep_line);
}

static void
tear_down(void)
{
	log_configure(LOG_INFO, LOG_JSON);
	log_set_sink(NULL);
}

static void
log_one(const char *name, const char *value)
{
	struct log_line line;

	ck_assert(log_begin(&line, LOG_INFO, "tested"));
	log_string(&line, name, value);
	log_end(&line);
}

/* The text of the member of this name in the last line. */
static char *
json_member(const char *name)
{
	cJSON *tree = cJSON_ParseWithLength(seen, seen_len);
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, name));
	char *copy = strdup(text != NULL ? text : "(none)");

	ck_assert_msg(tree != NULL, "no JSON: %s", seen);
	cJSON_Delete(tree);
	return copy;
}

enum { TIME_LEN = sizeof("2026-11-23T20:41:00.123Z") - 1 };

START_TEST(writes_json)
{
	struct log_line line;

	ck_assert(log_begin(&line, LOG_WARNING, "tested"));
	log_string(&line, "word", "a b");
	log_number(&line, "zero", 0);
	log_number(&line, "most", UINT64_MAX);
	log_end(&line);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_int_eq(strncmp(seen, "{\"time\":\"", 9), 0);
	ck_assert_str_eq(seen + 9 + TIME_LEN,
	    "\",\"level\":\"warning\",\"event\":\"tested\",\"word\":\"a b\",\"zero\":0,"
	    "\"most\":18446744073709551615}\n");
}
END_TEST

START_TEST(writes_text)
{
	struct log_line line;

	log_configure(LOG_INFO, LOG_TEXT);
	ck_assert(log_begin(&line, LOG_ERROR, "tested"));
	log_string(&line, "word", "a-b/c");
	log_string(&line, "words", "a b");
	log_number(&line, "number", 42);
	log_end(&line);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_str_eq(seen + TIME_LEN, " error tested word=a-b/c words=\"a b\" number=42\n");
}
END_TEST

START_TEST(leaves_out_what_is_empty)
{
	struct log_line line;

	ck_assert(log_begin(&line, LOG_INFO, "tested"));
	log_string(&line, "b", "");
	log_string(&line, "c", NULL);
	log_end(&line);
	ck_assert_str_eq(seen + 9 + TIME_LEN, "\",\"level\":\"info\",\"event\":\"tested\"}\n");
}
END_TEST

static const struct {
	const char *value;
	const char *json; /* as it stands in a JSON line */
	const char *text; /* as it stands in a text line */
} value_rows[] = {
	{ "word", "\"word\"", "word" },
	{ "a/b?c&d:e,f;g~!", "\"a/b?c&d:e,f;g~!\"", "a/b?c&d:e,f;g~!" },
	{ "two words", "\"two words\"", "\"two words\"" },
	{ " ", "\" \"", "\" \"" },
	/* Another field or another line cannot be forged. */
	{ "a=b", "\"a=b\"", "\"a=b\"" },
	{ "=", "\"=\"", "\"=\"" },
	{ "a\r\nb", "\"a\\u000d\\u000ab\"", "\"a\\u000d\\u000ab\"" },
	{ "\n", "\"\\u000a\"", "\"\\u000a\"" },
	{ "a\tb", "\"a\\u0009b\"", "\"a\\u0009b\"" },
	{ "\",\"level\":\"x", "\"\\\",\\\"level\\\":\\\"x\"", "\"\\\",\\\"level\\\":\\\"x\"" },
	{ "\"quoted\"", "\"\\\"quoted\\\"\"", "\"\\\"quoted\\\"\"" },
	{ "a\\", "\"a\\\\\"", "\"a\\\\\"" },
	{ "\x01\x1b[31m\x1f", "\"\\u0001\\u001b[31m\\u001f\"", "\"\\u0001\\u001b[31m\\u001f\"" },
	{ "\x7f", "\"\x7f\"", "\"\x7f\"" },
	{ "caf\xc3\xa9", "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\"" },
	{ "\x80", "\"\xef\xbf\xbd\"", "\"\xef\xbf\xbd\"" },
	{ "a\xff", "\"a\xef\xbf\xbd\"", "\"a\xef\xbf\xbd\"" },
	{ "\xc0\xae", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
};

START_TEST(escapes_in_json)
{
	char wanted[256];
	struct buf b;

	buf_init(&b, wanted, sizeof(wanted));
	buf_printf(
	    &b, "\",\"level\":\"info\",\"event\":\"tested\",\"value\":%s}\n", value_rows[_i].json);
	log_one("value", value_rows[_i].value);
	ck_assert_str_eq(seen + 9 + TIME_LEN, wanted);
	ck_assert_uint_eq(strlen(seen), seen_len);
}
END_TEST

START_TEST(escapes_in_text)
{
	char wanted[256];
	struct buf b;

	buf_init(&b, wanted, sizeof(wanted));
	buf_printf(&b, " info tested value=%s\n", value_rows[_i].text);
	log_configure(LOG_INFO, LOG_TEXT);
	log_one("value", value_rows[_i].value);
	ck_assert_str_eq(seen + TIME_LEN, wanted);
	ck_assert_uint_eq(strlen(seen), seen_len);
}
END_TEST

/* Whatever the byte, there is one line, it is JSON, and the value comes back from it. */
START_TEST(comes_back_from_json)
{
	for (int c = 1; c < 256; c++) {
		char value[] = { 'a', (char)c, 'b', '\0' };
		char *read;

		log_one("value", value);
		ck_assert_ptr_eq(strchr(seen, '\n'), seen + seen_len - 1);
		read = json_member("value");
		ck_assert_str_eq(read, c < 0x80 ? value
						: "a\xef\xbf\xbd"
						  "b");
		free(read);
	}
	ck_assert_uint_eq(n_seen, 255);
}
END_TEST

START_TEST(keeps_text_on_one_line)
{
	log_configure(LOG_INFO, LOG_TEXT);
	for (int c = 1; c < 256; c++) {
		log_one("value", (char[]){ (char)c, '\0' });
		ck_assert_ptr_eq(strchr(seen, '\n'), seen + seen_len - 1);
		ck_assert_ptr_null(strchr(seen, '\r'));
		ck_assert_ptr_null(strchr(seen, '\x1b'));
		ck_assert_uint_eq(strlen(seen), seen_len);
	}
}
END_TEST

static const struct {
	enum log_level lowest;
	bool logged[4]; /* debug, info, warning, error */
} level_rows[] = {
	{ LOG_DEBUG, { true, true, true, true } },
	{ LOG_INFO, { false, true, true, true } },
	{ LOG_WARNING, { false, false, true, true } },
	{ LOG_ERROR, { false, false, false, true } },
};

START_TEST(keeps_to_the_level)
{
	static const char *const names[] = { "debug", "info", "warning", "error" };
	char *level;

	log_configure(level_rows[_i].lowest, LOG_JSON);
	for (enum log_level l = LOG_DEBUG; l <= LOG_ERROR; l++) {
		n_seen = 0;
		log_message(l, "tested", "name", "value");
		ck_assert_uint_eq(n_seen, level_rows[_i].logged[l]);
		if (!level_rows[_i].logged[l])
			continue;
		level = json_member("level");
		ck_assert_str_eq(level, names[l]);
		free(level);
	}
}
END_TEST

START_TEST(begins_nothing_below_the_level)
{
	struct log_line line = { 0 };

	ck_assert(!log_begin(&line, LOG_DEBUG, "tested"));
	ck_assert_ptr_null(line.buf.data);
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

static const struct {
	const char *value;
	const char *line;
} message_rows[] = {
	{ "a\nb", "\",\"level\":\"info\",\"event\":\"tested\",\"name\":\"a\\u000ab\"}\n" },
	{ "", "\",\"level\":\"info\",\"event\":\"tested\"}\n" },
	{ NULL, "\",\"level\":\"info\",\"event\":\"tested\"}\n" },
};

START_TEST(logs_messages)
{
	log_message(LOG_INFO, "tested", "name", message_rows[_i].value);
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_str_eq(seen + 9 + TIME_LEN, message_rows[_i].line);
}
END_TEST

/* A line that fits to the last byte is written; one byte more, and there is none, not half of it.
 */
START_TEST(loses_lines_that_are_too_long)
{
	static char value[LOG_LINE_SIZE];
	const char *end = value + sizeof(value) - 1;
	size_t room;

	memset(value, 'a', sizeof(value) - 1);
	for (enum log_format format = LOG_JSON; format <= LOG_TEXT; format++) {
		log_configure(LOG_INFO, format);
		log_one("value", end - 1);
		room = LOG_LINE_SIZE - 1 - seen_len;
		n_seen = 0;
		log_one("value", end - 1 - room);
		ck_assert_uint_eq(n_seen, 1);
		ck_assert_uint_eq(seen_len, LOG_LINE_SIZE - 1);
		log_one("value", end - 2 - room);
		ck_assert_uint_eq(n_seen, 1);
		log_one("value", end - 1);
		ck_assert_uint_eq(n_seen, 2);
	}
}
END_TEST

/* Seconds since the epoch, of a time of exactly the one shape; the test fails on any other. */
static time_t
read_time(const char *text)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	struct tm utc = { 0 };

	ck_assert_uint_eq(strlen(text), TIME_LEN);
	for (size_t i = 0; shape[i] != '\0'; i++)
		ck_assert_msg(
		    shape[i] == 'd' ? text_is_digit(text[i]) : text[i] == shape[i], "%s", text);
	ck_assert_ptr_nonnull(strptime(text, "%Y-%m-%dT%H:%M:%S", &utc));
	return timegm(&utc);
}

/* Wherever the server stands. */
START_TEST(tells_the_time_in_utc)
{
	time_t before = time(NULL) - 1;
	char *text;
	time_t told;

	setenv("TZ", "JST-9", 1);
	tzset();
	log_message(LOG_INFO, "tested", NULL, NULL);
	text = json_member("time");
	told = read_time(text);
	unsetenv("TZ");
	tzset();
	ck_assert_int_ge(told, before);
	ck_assert_int_le(told, time(NULL) + 1);
	free(text);
}
END_TEST

static int
divert_stderr(int *ret_read_end)
{
	int ends[2];
	int saved = dup(STDERR_FILENO);

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	*ret_read_end = ends[0];
	return saved;
}

/* Without a sink of somebody's, lines go to stderr, each in one piece. */
START_TEST(writes_to_stderr)
{
	char array[256] = "";
	int read_end;
	int saved = divert_stderr(&read_end);
	ssize_t len;

	log_set_sink(NULL);
	log_message(LOG_INFO, "tested", "name", "value");
	dup2(saved, STDERR_FILENO);
	close(saved);
	len = read(read_end, array, sizeof(array) - 1);
	close(read_end);
	ck_assert_int_gt(len, 9 + TIME_LEN);
	ck_assert_str_eq(array + 9 + TIME_LEN,
	    "\",\"level\":\"info\",\"event\":\"tested\",\"name\":\"value\"}\n");
	ck_assert_uint_eq(n_seen, 0);
}
END_TEST

/* The journal's priorities, sd-daemon(3). The last test, for it cannot be undone. */
START_TEST(shows_priorities)
{
	static const char *const begins[] = { "<7>{\"time\":\"", "<6>{\"time\":\"",
		"<4>{\"time\":\"", "<3>{\"time\":\"" };

	log_show_priorities();
	for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
		log_configure(LOG_DEBUG, LOG_JSON);
		log_message(level, "tested", "name", "value");
		ck_assert_msg(strncmp(seen, begins[level], 12) == 0, "%s", seen);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, writes_json);
	tcase_add_test(tests, writes_text);
	tcase_add_test(tests, leaves_out_what_is_empty);
	tcase_add_loop_test(tests, escapes_in_json, 0, sizeof(value_rows) / sizeof(value_rows[0]));
	tcase_add_loop_test(tests, escapes_in_text, 0, sizeof(value_rows) / sizeof(value_rows[0]));
	tcase_add_test(tests, comes_back_from_json);
	tcase_add_test(tests, keeps_text_on_one_line);
	tcase_add_loop_test(
	    tests, keeps_to_the_level, 0, sizeof(level_rows) / sizeof(level_rows[0]));
	tcase_add_test(tests, begins_nothing_below_the_level);
	tcase_add_loop_test(
	    tests, logs_messages, 0, sizeof(message_rows) / sizeof(message_rows[0]));
	tcase_add_test(tests, loses_lines_that_are_too_long);
	tcase_add_test(tests, tells_the_time_in_utc);
	tcase_add_test(tests, writes_to_stderr);
	tcase_add_test(tests, shows_priorities);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
