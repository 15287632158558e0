#include "json.h"
#include "support.h"

#include <stdlib.h>

/* Exactly as many bytes as there are, so that the sanitizer sees a read behind them. */
static char *
copy_of(struct span text)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text.data, text.len);
	return copy;
}

static const struct {
	struct span text;
	const char *printed; /* by cJSON, on one line */
} good_rows[] = {
	{ SPAN("{}"), "{}" },
	{ SPAN("[]"), "[]" },
	{ SPAN("null"), "null" },
	{ SPAN("1"), "1" },
	{ SPAN("\"\""), "\"\"" },
	{ SPAN(" \t\r\n{ } \t\r\n"), "{}" },
	{ SPAN("{\"a\":\"b\",\"c\":[1,true,null,{}]}"), "{\"a\":\"b\",\"c\":[1,true,null,{}]}" },
	/* Both are kept: the caller judges. */
	{ SPAN("{\"a\":1,\"a\":2}"), "{\"a\":1,\"a\":2}" },
	{ SPAN("\"\\u0001\\u0041\\\\\\\"\\/\""), "\"\\u0001A\\\\\\\"/\"" },
	{ SPAN("\"caf\xc3\xa9 \\ud83d\\ude00\""), "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"" },
	/* A backslash and the letters u0000: no NUL. */
	{ SPAN("\"\\\\u0000\""), "\"\\\\u0000\"" },
	{ SPAN("\"\\\\\\\\u0000\""), "\"\\\\\\\\u0000\"" },
	{ SPAN("\"\x7f\""), "\"\x7f\"" },
	{ SPAN("[0,-0.5,10,1.05,1e05,1E+2,20e-1]"), "[0,-0.5,10,1.05,100000,100,2]" },
	/* No numbers, no faults. */
	{ SPAN("[\"01\",\"-.5\",\"\\n\"]"), "[\"01\",\"-.5\",\"\\n\"]" },
};

START_TEST(parses)
{
	struct span text = good_rows[_i].text;
	char *copy = copy_of(text);
	size_t line;
	const char *fault;
	cJSON *tree = json_parse((struct span){ copy, text.len }, &line, &fault);
	char *printed = cJSON_PrintUnformatted(tree);

	ck_assert_msg(tree != NULL, "line %zu: %s", line, fault);
	ck_assert_str_eq(printed, good_rows[_i].printed);
	cJSON_free(printed);
	cJSON_Delete(tree);
	free(copy);
}
END_TEST

#define NOT_UTF8 "is not UTF-8"
#define CONTROL  "has a control byte in it"
#define NUL      "has \\u0000 in it"
#define INVALID  "is not valid JSON"
#define BEHIND   "has text behind the end of the JSON"

static const struct {
	struct span text;
	size_t line;
	const char *fault;
} bad_rows[] = {
	{ SPAN("\xff"), 1, NOT_UTF8 },
	{ SPAN("{\"a\":\"caf\xe9\"}"), 1, NOT_UTF8 },
	{ SPAN("{\"a\":\"\xed\xa0\x80\"}"), 1, NOT_UTF8 },
	{ SPAN("{} \xc3"), 1, NOT_UTF8 },
	{ SPAN("{}\n\n\xff"), 3, NOT_UTF8 },
	{ SPAN("\xff\xfe{\0}\0"), 1, NOT_UTF8 },
	{ SPAN("\0"), 1, CONTROL },
	{ SPAN("{}\0"), 1, CONTROL },
	{ SPAN("{\0}"), 1, CONTROL },
	{ SPAN("{\n\n\v}"), 3, CONTROL },
	{ SPAN("\f{}"), 1, CONTROL },
	{ SPAN("[\x1f]"), 1, CONTROL },
	{ SPAN("{\n\"a\":\"\x01\"}"), 2, CONTROL },
	{ SPAN("{\n\"a\":\"\x1f\"}"), 2, CONTROL },
	{ SPAN("\"\\\\\x01\""), 1, CONTROL },
	{ SPAN("\"\\u0000\""), 1, NUL },
	{ SPAN("{\n\"a\\u0000\":1}"), 2, NUL },
	{ SPAN("{\n\"a\":\n\"b\\u0000c\"}"), 3, NUL },
	{ SPAN("\"\\\\\\u0000\""), 1, NUL },
	{ SPAN("\"\\\"\\u0000\""), 1, NUL },
	/* White space, but not inside of a string. */
	{ SPAN("\"a\nb\""), 1, CONTROL },
	{ SPAN("\"a\tb\""), 1, CONTROL },
	{ SPAN("{\n\"a\rb\":1}"), 2, CONTROL },
	/* The first trap counts. */
	{ SPAN("\"\\u0000\n\x01\""), 1, NUL },
	{ SPAN("\"\x01\n\\u0000\""), 1, CONTROL },
	{ SPAN(""), 1, INVALID },
	{ SPAN("{"), 1, INVALID },
	{ SPAN("[1,]"), 1, INVALID },
	{ SPAN("{\"a\":1,}"), 1, INVALID },
	{ SPAN("{a:1}"), 1, INVALID },
	{ SPAN("{'a':1}"), 1, INVALID },
	{ SPAN("{\"a\" 1}"), 1, INVALID },
	{ SPAN("// no\n{}"), 1, INVALID },
	{ SPAN("nul"), 1, INVALID },
	/* What strtod() takes and RFC 8259 does not. */
	{ SPAN("01"), 1, INVALID },
	{ SPAN("{\n\"a\":-01}"), 2, INVALID },
	{ SPAN("[0080]"), 1, INVALID },
	{ SPAN("[80.]"), 1, INVALID },
	{ SPAN("[.5]"), 1, INVALID },
	{ SPAN("[1.e5]"), 1, INVALID },
	{ SPAN("[-]"), 1, INVALID },
	{ SPAN("{\"a\":\"b\nc\"}"), 1, CONTROL },
	{ SPAN("\"a"), 1, INVALID },
	{ SPAN("\"\\"), 1, INVALID },
	{ SPAN("\"\\u00"), 1, INVALID },
	{ SPAN("\"\\x\""), 1, INVALID },
	{ SPAN("\"\\ud800\""), 1, INVALID },
	{ SPAN("{\n\"a\": 1,\n\"b\": x\n}"), 3, INVALID },
	{ SPAN("{\n\"a\": 1\n\"b\": 2\n}"), 3, INVALID },
	/* Numbers that strtod() would take. */
	{ SPAN("01"), 1, INVALID },
	{ SPAN("-01"), 1, INVALID },
	{ SPAN("[00]"), 1, INVALID },
	{ SPAN("1."), 1, INVALID },
	{ SPAN("[1.]"), 1, INVALID },
	{ SPAN("[1.e5]"), 1, INVALID },
	{ SPAN("[-.5]"), 1, INVALID },
	{ SPAN("[.5]"), 1, INVALID },
	{ SPAN("-"), 1, INVALID },
	{ SPAN("[--1]"), 1, INVALID },
	{ SPAN("[+1]"), 1, INVALID },
	{ SPAN("[0x10]"), 1, INVALID },
	{ SPAN("[1e]"), 1, INVALID },
	{ SPAN("[1e+]"), 1, INVALID },
	{ SPAN("NaN"), 1, INVALID },
	{ SPAN("[Infinity]"), 1, INVALID },
	{ SPAN("{\n\"a\":\n01}"), 3, INVALID },
	{ SPAN("{} {}"), 1, BEHIND },
	{ SPAN("{}\n\n}"), 3, BEHIND },
	{ SPAN("{}x"), 1, BEHIND },
	{ SPAN("[1]\n,"), 2, BEHIND },
	{ SPAN("nullnull"), 1, BEHIND },
	{ SPAN("{}\n// no"), 2, BEHIND },
};

START_TEST(refuses)
{
	struct span text = bad_rows[_i].text;
	char *copy = copy_of(text);
	size_t line = 0;
	const char *fault = NULL;
	cJSON *tree = json_parse((struct span){ copy, text.len }, &line, &fault);

	ck_assert_ptr_null(tree);
	ck_assert_str_eq(fault, bad_rows[_i].fault);
	ck_assert_uint_eq(line, bad_rows[_i].line);
	free(copy);
}
END_TEST

/* Deeper than a stack would bear: a fault, not a crash. */
START_TEST(refuses_deep_nesting)
{
	static char text[100000];
	size_t line;
	const char *fault;

	memset(text, '[', sizeof(text));
	ck_assert_ptr_null(json_parse((struct span){ text, sizeof(text) }, &line, &fault));
	ck_assert_str_eq(fault, INVALID);
}
END_TEST

static const struct {
	struct span text;
	const char *names; /* each one's line and the text behind it, up to eight bytes */
} name_rows[] = {
	{ SPAN("{}"), "" },
	{ SPAN("[1,\"a\",\n\"b\"]"), "" },
	{ SPAN("\"a\""), "" },
	{ SPAN("{\"a\":1}"), "1[:1}]" },
	{ SPAN("{\"a\":1,\"b\":2}"), "1[:1,\"b\":2] 1[:2}]" },
	{ SPAN("{\n\"a\":1,\n\n\"b\":2\n}"), "2[:1,\n\n\"b\"] 4[:2\n}]" },
	{ SPAN("\n\n{ \"a\" : 1 }"), "3[ : 1 }]" },
	/* The line is the name's, wherever its colon and value are. */
	{ SPAN("{\"a\"\n:\n1,\"b\":2}"), "1[\n:\n1,\"b\"] 3[:2}]" },
	{ SPAN("{\"a\"\t\r\n :1}"), "1[\t\r\n :1}]" },
	{ SPAN("{\r\n\"a\":1,\r\n\"b\":2}"), "2[:1,\r\n\"b\"] 3[:2}]" },
	/* Names with escapes, and what looks like a name inside of them. */
	{ SPAN("{\"a\\\"b\":1,\n\"c\":2}"), "1[:1,\n\"c\":] 2[:2}]" },
	{ SPAN("{\"a\\\\\":1,\n\"c\":2}"), "1[:1,\n\"c\":] 2[:2}]" },
	{ SPAN("{\"\\\"x\\\":\":1}"), "1[:1}]" },
	{ SPAN("{\"{:}\":1}"), "1[:1}]" },
	{ SPAN("{\"\":1}"), "1[:1}]" },
	{ SPAN("{\"\\n\":1,\n\"\\\\n\":2}"), "1[:1,\n\"\\\\n] 2[:2}]" },
	/* The same inside of values. */
	{ SPAN("{\"a\":\"b:c\"}"), "1[:\"b:c\"}]" },
	{ SPAN("{\"a\":\"\\\":\"}"), "1[:\"\\\":\"}]" },
	{ SPAN("{\"a\":\"\\\\\",\"b\":1}"), "1[:\"\\\\\",\"b] 1[:1}]" },
	{ SPAN("{\"a\":\"{\\\"x\\\":1}\"}"), "1[:\"{\\\"x\\\"]" },
	{ SPAN("{\"a\":\":\",\"b\":\"\"}"), "1[:\":\",\"b\"] 1[:\"\"}]" },
	/* Nested, in document order. */
	{ SPAN("{\"a\":{\n\"b\":[{\n\"c\":1}]},\n\"d\":2}"),
	    "1[:{\n\"b\":[] 2[:[{\n\"c\":] 3[:1}]},\n\"] 4[:2}]" },
	{ SPAN("[{\"a\":1},\n{\"a\":2}]"), "1[:1},\n{\"a] 2[:2}]]" },
	{ SPAN("{\"a\":[\"b\",\n\"c\"],\"d\":1}"), "1[:[\"b\",\n\"] 2[:1}]" },
};

START_TEST(walks_names)
{
	struct span cursor = name_rows[_i].text;
	size_t line = 1;
	char array[256];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	for (;;) {
		line = json_next_name(&cursor, line);
		if (cursor.len == 0)
			break;
		buf_printf(&b, "%s%zu[%.*s]", b.len > 0 ? " " : "", line,
		    (int)(cursor.len < 8 ? cursor.len : 8), cursor.data);
	}
	ck_assert_str_eq(b.data, name_rows[_i].names);
}
END_TEST

START_TEST(counts_on_from_the_line_given)
{
	struct span cursor = SPAN("\n{\n\"a\":1}");

	ck_assert_uint_eq(json_next_name(&cursor, 41), 43);
	ck_span_eq(cursor, ":1}");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *tests = tcase_create("json");

	tcase_add_loop_test(tests, parses, 0, sizeof(good_rows) / sizeof(good_rows[0]));
	tcase_add_loop_test(tests, refuses, 0, sizeof(bad_rows) / sizeof(bad_rows[0]));
	tcase_add_test(tests, refuses_deep_nesting);
	tcase_add_loop_test(tests, walks_names, 0, sizeof(name_rows) / sizeof(name_rows[0]));
	tcase_add_test(tests, counts_on_from_the_line_given);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
