#include "base/buf.h"
#include "support.h"

START_TEST(builds)
{
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_put_number(&b, 0);
	buf_put_number(&b, UINT64_MAX);
	buf_printf(&b, "[%d]", -7);
	ck_assert(buf_ok(&b));
	ck_assert_str_eq(b.data, "ab018446744073709551615[-7]");
}
END_TEST

/* Room for seven bytes and the NUL: the eighth empties it for good. */
START_TEST(overflow_is_sticky_and_empties)
{
	char array[8];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	buf_puts(&b, "1234567");
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.len, 7);
	buf_putc(&b, '8');
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(array, "");
	buf_puts(&b, "x");
	buf_printf(&b, "%d", 1);
	ck_assert(!buf_ok(&b));
	ck_assert_uint_eq(b.len, 0);
	buf_clear(&b);
	buf_printf(&b, "%s", "12345678");
	ck_assert(!buf_ok(&b));
	buf_clear(&b);
	buf_printf(&b, "%s", "1234567");
	ck_assert_str_eq(b.data, "1234567");
	buf_clear(&b);
	buf_printf(&b, "%s", "");
	ck_assert(buf_ok(&b));
}
END_TEST

/* Whatever became of it: nothing of a secret stays behind. */
START_TEST(wipes_all_that_was_ever_put)
{
	struct {
		char array[64], after[4];
	} at = { .after = "SSS" };
	char *array = at.array;
	struct buf b;

	buf_init(&b, array, sizeof(at.array));
	buf_puts(&b, "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
	if (_i == 1 || _i == 2)
		buf_clear(&b);
	if (_i == 2)
		buf_puts(&b, "x");
	if (_i == 3 || _i == 4)
		buf_puts(&b, "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
	if (_i == 4)
		buf_clear(&b);
	if (_i == 5)
		buf_printf(&b, "%s", "SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS");
	ck_assert_ptr_nonnull(memchr(array, 'S', sizeof(at.array)));
	buf_wipe(&b);
	ck_assert_ptr_null(memchr(array, 'S', sizeof(at.array)));
	ck_assert_str_eq(at.after, "SSS");
	ck_assert(buf_ok(&b));
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

static const struct {
	struct span text;
	const char *json;
} json_rows[] = {
	{ SPAN(""), "\"\"" },
	{ SPAN("plain / text"), "\"plain / text\"" },
	{ SPAN("\"\\"), "\"\\\"\\\\\"" },
	{ SPAN("\b\f\n\r\t"), "\"\\u0008\\u000c\\u000a\\u000d\\u0009\"" },
	{ SPAN("\0\x01\x1f"), "\"\\u0000\\u0001\\u001f\"" },
	{ SPAN("\x7f"), "\"\x7f\"" },
	{ SPAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
	    "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ SPAN("caf\xc3\xa9 \xff!"), "\"caf\xc3\xa9 \xef\xbf\xbd!\"" },
	{ SPAN("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ SPAN("bad \xff\xfe"), "\"bad \xef\xbf\xbd\xef\xbf\xbd\"" },
};

START_TEST(escapes_json)
{
	char array[128];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	buf_put_json(&b, json_rows[_i].text);
	ck_assert_str_eq(b.data, json_rows[_i].json);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");

	tcase_add_test(tests, builds);
	tcase_add_test(tests, overflow_is_sticky_and_empties);
	tcase_add_loop_test(tests, wipes_all_that_was_ever_put, 0, 6);
	tcase_add_loop_test(tests, escapes_json, 0, sizeof(json_rows) / sizeof(json_rows[0]));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
