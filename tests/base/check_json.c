#include "base/json.h"
#include "support.h"

#include <errno.h>
#include <stdlib.h>

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
	{ SPAN("[0,-0.5,10,1.05,1e05,1E05,1E+2,20e-1]"), "[0,-0.5,10,1.05,100000,100000,100,2]" },
	/* No numbers, no faults. */
	{ SPAN("[\"01\",\"-.5\",\"\\n\"]"), "[\"01\",\"-.5\",\"\\n\"]" },
};

START_TEST(parses)
{
	struct span text = good_rows[_i].text;
	char *copy = support_copy(text);
	const char *wrong;
	size_t line;
	cJSON *tree = json_parse((struct span){ copy, text.len }, &line, &wrong);
	char *printed = cJSON_PrintUnformatted(tree);

	ck_assert_msg(tree != NULL, "line %zu: %s", line, wrong);
	ck_assert_str_eq(printed, good_rows[_i].printed);
	cJSON_free(printed);
	cJSON_Delete(tree);
	free(copy);
}
END_TEST

#define UTF8     "is not UTF-8; save it as UTF-8"
#define BOM      "starts with a byte order mark; save it as UTF-8 without one"
#define EMPTY    "is empty; write at least {}"
#define CONTROL  "has a control byte or a line end in a string; close each string (\") on its line"
#define BINARY   "has a control byte in it; save it as UTF-8"
#define NUL      "has \\u0000, or a broken \\u, in it; write the character itself"
#define NO_END   "has a string without an end; close it with a double quote (\")"
#define ESCAPE   "has a backslash that escapes nothing; write \\\\ for a backslash"
#define COMMENT  "has a comment; delete it: JSON has no comments"
#define SINGLE   "has single quotes; use double quotes (\")"
#define CURLY    "has curly quotes; use straight double quotes (\")"
#define TOO_MANY "has a comma too many; delete it"
#define TRAILING "has a comma after the last value; delete that comma"
#define MISSING  "lacks a comma or a colon; put it there"
#define NUMBER   "has something that is not a JSON number; put text in double quotes (\")"
#define NEITHER  "has a string that is neither a name nor a value; put a list in [ and ]"
#define INVALID  "is not valid JSON; put text in double quotes (\"), and close every { and ["
#define AFTER    "has text after the end of the JSON; delete it"

static const struct {
	struct span text;
	size_t line;
	const char *fault;
} bad_rows[] = {
	{ SPAN("\xff"), 1, UTF8 },
	{ SPAN("{\"a\":\"caf\xe9\"}"), 1, UTF8 },
	{ SPAN("{\"a\":\"\xed\xa0\x80\"}"), 1, UTF8 },
	{ SPAN("{} \xc3"), 1, UTF8 },
	{ SPAN("{}\n\n\xff"), 3, UTF8 },
	{ SPAN("\n\xff"), 2, UTF8 },
	{ SPAN("\xff\xfe{\0}\0"), 1, UTF8 },
	{ SPAN("\xfe\xff\0{\0}"), 1, UTF8 },
	{ SPAN("{\0}\0"), 1, BINARY },
	{ SPAN("\0{\0}"), 1, BINARY },
	{ SPAN("\xef\xbb\xbf{}"), 1, BOM },
	{ SPAN("\xef\xbb\xbf"), 1, BOM },
	{ SPAN("\xef\xbc\x81"), 1, INVALID },
	{ SPAN("\xc2\xbb"), 1, CURLY },
	{ SPAN(""), 1, EMPTY },
	{ SPAN(" \t\r\n\n"), 3, EMPTY },
	{ SPAN("\0"), 1, BINARY },
	{ SPAN("{}\0"), 1, BINARY },
	{ SPAN("{\0}"), 1, BINARY },
	{ SPAN("\0\0\0\0"), 1, BINARY },
	{ SPAN("{\n\n\v}"), 3, BINARY },
	{ SPAN("\f{}"), 1, BINARY },
	{ SPAN("[\x1f]"), 1, BINARY },
	{ SPAN("{\n\"a\":\"\x01\"}"), 2, CONTROL },
	{ SPAN("{\n\"a\":\"\x1f\"}"), 2, CONTROL },
	{ SPAN("{\n\"a\":\"\0\"}"), 2, CONTROL },
	{ SPAN("\"a\tb\""), 1, CONTROL },
	{ SPAN("\"\\\\\x01\""), 1, CONTROL },
	{ SPAN("\"\x01\n\\u0000\""), 1, CONTROL },
	{ SPAN("\"\\u0000\""), 1, NUL },
	{ SPAN("{\n\"a\\u0000\":1}"), 2, NUL },
	{ SPAN("{\n\"a\":\n\"b\\u0000c\"}"), 3, NUL },
	{ SPAN("\"\\\\\\u0000\""), 1, NUL },
	{ SPAN("\"\\\"\\u0000\""), 1, NUL },
	{ SPAN("\"\\u0000\n\x01\""), 1, NUL },
	{ SPAN("\"\\ud800\""), 1, ESCAPE },
	{ SPAN("\"\\udc00\\ud800\""), 1, ESCAPE },
	{ SPAN("\"\\ud83dx\""), 1, ESCAPE },
	{ SPAN("\"\\ud83d\\n\""), 1, ESCAPE },
	{ SPAN("\"\\ud83d\\ud83d\""), 1, ESCAPE },
	{ SPAN("\"\\u00g0\""), 1, NUL },
	{ SPAN("\"\\u00"), 1, NUL },
	{ SPAN("{\n\"\\u\":1}"), 2, NUL },
	{ SPAN("\"\\ug000\""), 1, NUL },
	{ SPAN("\"\\u 041\""), 1, NUL },
	{ SPAN("\"\\x\""), 1, ESCAPE },
	{ SPAN("{\n\"a\":\"C:\\dir\"}"), 2, ESCAPE },
	{ SPAN("\"\\"), 1, NO_END },
	{ SPAN("\"\\\0\""), 1, ESCAPE },
	{ SPAN("\"a"), 1, NO_END },
	{ SPAN("{\n\"a: 1,\n\"b\": 2}"), 2, CONTROL },
	{ SPAN("{\n\"a\rb\":1}"), 2, CONTROL },
	{ SPAN("{"), 1, INVALID },
	{ SPAN("{\n\"a\""), 2, INVALID },
	{ SPAN("{\n\"a\":\n"), 2, INVALID },
	{ SPAN("[1,"), 1, INVALID },
	{ SPAN("[1,,"), 1, INVALID },
	{ SPAN("[1 2"), 1, INVALID },
	{ SPAN("{\"a\":[1}"), 1, INVALID },
	{ SPAN("{\"a\":1]"), 1, INVALID },
	{ SPAN("[1 x]"), 1, INVALID },
	{ SPAN("[1;2]"), 1, INVALID },
	{ SPAN("[1 ;2]"), 1, INVALID },
	{ SPAN("[\"a\":1]"), 1, INVALID },
	/* Comments, wherever. */
	{ SPAN("// no\n{}"), 1, COMMENT },
	{ SPAN("# no\n{}"), 1, COMMENT },
	{ SPAN("{ /* no */ }"), 1, COMMENT },
	{ SPAN("{\n\"a\":1, // no\n\"b\":2}"), 2, COMMENT },
	{ SPAN("{\n\"a\":1 # no\n}"), 2, COMMENT },
	{ SPAN("{\n\"a\":1// no\n}"), 2, COMMENT },
	{ SPAN("{\n\"a\":true# no\n}"), 2, COMMENT },
	{ SPAN("{\n\"a\":/**/1}"), 2, COMMENT },
	{ SPAN("{\n\"a\"/**/:1}"), 2, COMMENT },
	{ SPAN("{}\n// no"), 2, AFTER },
	/* Commas. */
	{ SPAN("[1,]"), 1, TRAILING },
	{ SPAN("{\n\"a\":1,\n}"), 2, TRAILING },
	{ SPAN("{\"a\":{\"b\":1,}}"), 1, TRAILING },
	{ SPAN("{\"a\":{\"b\":1,},\"c\":2}"), 1, TRAILING },
	{ SPAN("[{\"b\":1 ,\n}\n]"), 1, TRAILING },
	{ SPAN("{\"a\":[1,],\"b\":2}"), 1, TRAILING },
	{ SPAN("{\"a\":{\n\"b\":1,\n\n}\n}\n"), 2, TRAILING },
	{ SPAN("{\"a\":{'b':1}}"), 1, SINGLE },
	{ SPAN("{\"a\":{b:1}}"), 1, INVALID },
	{ SPAN("{\"a\":{\n# b\n\"b\":1}}"), 2, COMMENT },
	{ SPAN("{\"a\":{\"b\":1,\n// b\n\"c\":1}}"), 2, COMMENT },
	{ SPAN("{\"a\":{\"b\":1\n\"c\":1}}"), 1, MISSING },
	{ SPAN("{\n\"a\":[\n1,\n2,\n]\n}"), 4, TRAILING },
	{ SPAN("[1,,2]"), 1, TOO_MANY },
	{ SPAN("[,1]"), 1, TOO_MANY },
	{ SPAN("{,\"a\":1}"), 1, TOO_MANY },
	{ SPAN("{\"a\":1,,\"b\":2}"), 1, TOO_MANY },
	{ SPAN("[1]\n,"), 2, AFTER },
	{ SPAN("{\n\"a\": 1\n\"b\": 2\n}"), 2, MISSING },
	{ SPAN("{\n\"a\": \"x\"\n\"b\": 2\n}"), 2, MISSING },
	{ SPAN("{\n\"a\": {}\n\"b\": 2\n}"), 2, MISSING },
	{ SPAN("[\"a\" \"b\"]"), 1, MISSING },
	{ SPAN("[1 -1]"), 1, MISSING },
	{ SPAN("[[] []]"), 1, MISSING },
	{ SPAN("[1 {}]"), 1, MISSING },
	/* Quotes. */
	{ SPAN("{'a':1}"), 1, SINGLE },
	{ SPAN("{\"a\":'x'}"), 1, SINGLE },
	{ SPAN("[`x`]"), 1, SINGLE },
	{ SPAN("{\xe2\x80\x9c"
	       "a\xe2\x80\x9d: 1}"),
	    1, CURLY },
	{ SPAN("{\"a\":\n\xe2\x80\x98x\xe2\x80\x99}"), 2, CURLY },
	{ SPAN("{\"a\": \xc2\xabx\xc2\xbb}"), 1, CURLY },
	{ SPAN("{a:1}"), 1, INVALID },
	{ SPAN("{1:1}"), 1, INVALID },
	{ SPAN("{\n\"a\":1,\nb:2}"), 3, INVALID },
	{ SPAN("{\n\"a\": 1,\n\"b\": x\n}"), 3, INVALID },
	{ SPAN("{\"a\": us-east-1}"), 1, INVALID },
	{ SPAN("[True]"), 1, INVALID },
	{ SPAN("nul"), 1, INVALID },
	{ SPAN("nullnull"), 1, AFTER },
	{ SPAN("{\"a\" 1}"), 1, MISSING },
	{ SPAN("{\"a\" = 1}"), 1, INVALID },
	{ SPAN("{\n\"a\": \"x\", \"y\"}"), 2, NEITHER },
	{ SPAN("{\"a\"}"), 1, NEITHER },
	{ SPAN("{\n\"a\": \"x\",\n\"y\", \"z\"}"), 3, NEITHER },
	/* Numbers that strtod() would take. */
	{ SPAN("01"), 1, NUMBER },
	{ SPAN("{\n\"a\":-01}"), 2, NUMBER },
	{ SPAN("[0080]"), 1, NUMBER },
	{ SPAN("[00]"), 1, NUMBER },
	{ SPAN("1."), 1, NUMBER },
	{ SPAN("[1.e5]"), 1, NUMBER },
	{ SPAN("[-.5]"), 1, NUMBER },
	{ SPAN("[.5]"), 1, INVALID },
	{ SPAN("-"), 1, INVALID },
	{ SPAN("[--1]"), 1, INVALID },
	{ SPAN("[+1]"), 1, INVALID },
	{ SPAN("[0x10]"), 1, INVALID },
	{ SPAN("[1e]"), 1, INVALID },
	{ SPAN("[1e+]"), 1, INVALID },
	{ SPAN("[10.0.0.0/8]"), 1, INVALID },
	{ SPAN("[10MB]"), 1, INVALID },
	{ SPAN("NaN"), 1, INVALID },
	{ SPAN("[Infinity]"), 1, INVALID },
	{ SPAN("[-Infinity]"), 1, INVALID },
	{ SPAN("{\n\"a\":\n01}"), 3, NUMBER },
	{ SPAN("{} {}"), 1, AFTER },
	{ SPAN("{}\n\n}"), 3, AFTER },
	{ SPAN("{}x"), 1, AFTER },
	{ SPAN("1 2"), 1, AFTER },
};

START_TEST(refuses)
{
	struct span text = bad_rows[_i].text;
	char *copy = support_copy(text);
	const char *wrong = NULL;
	size_t line = 0;

	ck_assert_ptr_null(json_parse((struct span){ copy, text.len }, &line, &wrong));
	ck_assert_str_eq(wrong, bad_rows[_i].fault);
	ck_assert_uint_eq(line, bad_rows[_i].line);
	free(copy);
}
END_TEST

/* Deeper than a stack would bear: a fault, not a crash. */
START_TEST(refuses_deep_nesting)
{
	static char text[100000];
	const char *wrong;
	size_t line;

	memset(text, '[', sizeof(text));
	ck_assert_ptr_null(json_parse((struct span){ text, sizeof(text) }, &line, &wrong));
	ck_assert_str_eq(wrong, INVALID);
}
END_TEST

static const struct {
	struct span text;
	const char *names; /* each one's line and the text after it, up to eight bytes */
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
		json_next_name(&cursor, &line);
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
	size_t line = 41;

	json_next_name(&cursor, &line);
	ck_assert_uint_eq(line, 43);
	ck_span_eq(cursor, ":1}");
}
END_TEST

static void *
no_memory(size_t)
{
	errno = ENOMEM;
	return NULL;
}

/* The last test: no hooks of json_parse()'s own come after the first call. */
START_TEST(says_that_memory_is_missing)
{
	const char *wrong = NULL;
	size_t line;

	cJSON_InitHooks(&(cJSON_Hooks){ no_memory, free });
	ck_assert_ptr_null(json_parse((struct span)SPAN("{}"), &line, &wrong));
	ck_assert_ptr_eq(wrong, json_out_of_memory);
	ck_assert_str_eq(wrong, "cannot be read; free some memory");
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
	tcase_add_test(tests, says_that_memory_is_missing);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
