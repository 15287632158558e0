#include "base/buf.h"
#include "base/text.h"
#include "support.h"

#include <limits.h>

#define LABEL_61 "a234567890123456789012345678901234567890123456789012345678901"
#define LABEL_63 LABEL_61 "23"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

START_TEST(cuts_from_an_offset)
{
	struct span s = SPAN("abc");

	ck_span_eq(span_from(s, 0), "abc");
	ck_span_eq(span_from(s, 2), "c");
	ck_span_eq(span_from(s, 3), "");
	ck_span_eq(span_from(s, 4), "");
	ck_span_eq(span_from(s, SIZE_MAX), "");
	ck_assert_ptr_eq(span_from(s, SIZE_MAX).data, s.data + 3);
}
END_TEST

static const struct {
	struct span s;
	char c;
	size_t offset;
} find_rows[] = {
	{ SPAN(""), 'a', 0 },
	{ SPAN(""), '\0', 0 },
	{ SPAN("abca"), 'a', 0 },
	{ SPAN("abca"), 'c', 2 },
	{ SPAN("abca"), 'd', 4 },
	{ SPAN("ab\0c\0"), '\0', 2 },
	{ SPAN("ab\0c"), 'c', 3 },
	{ SPAN("a\xff"), '\xff', 1 },
};

START_TEST(finds_a_byte)
{
	ck_assert_uint_eq(span_find(find_rows[_i].s, find_rows[_i].c), find_rows[_i].offset);
}
END_TEST

/* A byte after the span is not part of it. */
START_TEST(finds_nothing_past_the_end)
{
	ck_assert_uint_eq(span_find((struct span){ "ab", 1 }, 'b'), 1);
}
END_TEST

static const struct {
	struct span s;
	const char *parts; /* each in brackets */
} next_rows[] = {
	{ SPAN(""), "" },
	{ SPAN("a"), "[a]" },
	{ SPAN("a,bc"), "[a][bc]" },
	{ SPAN(","), "[]" },
	{ SPAN(",,"), "[][]" },
	{ SPAN("a,"), "[a]" },
	{ SPAN(",a"), "[][a]" },
	{ SPAN("a,,b,"), "[a][][b]" },
	{ SPAN("a;b"), "[a;b]" },
};

START_TEST(cuts_parts)
{
	struct span rest = next_rows[_i].s;
	struct span part;
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	while (span_next(&rest, ',', &part))
		buf_printf(&b, "[%.*s]", (int)part.len, part.data);
	ck_assert_str_eq(b.data, next_rows[_i].parts);
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(leaves_the_part_alone_at_the_end)
{
	struct span rest = SPAN("");
	struct span part = SPAN("before");

	ck_assert(!span_next(&rest, ',', &part));
	ck_span_eq(part, "before");
}
END_TEST

static bool
is_mark(unsigned char c)
{
	return c == '#' || c >= 0x80;
}

static const char mark_rows[] = { '#', '\x80', '\xff' };

/* A mark in every place of every length is found; one before or after the text is not seen. */
START_TEST(sees_each_byte_and_no_other)
{
	char array[50 + 2];

	for (size_t len = 0; len <= 50; len++) {
		memset(array, '#', sizeof(array));
		memset(array + 1, 'a', len);
		ck_assert(!span_any((struct span){ array + 1, len }, is_mark));
		for (size_t at = 0; at < len; at++) {
			array[1 + at] = mark_rows[_i];
			ck_assert(span_any((struct span){ array + 1, len }, is_mark));
			array[1 + at] = 'a';
		}
	}
}
END_TEST

static const struct {
	struct span s;
	const char *start;
	bool starts;
} start_rows[] = {
	{ SPAN(""), "", true },
	{ SPAN("a"), "", true },
	{ SPAN(""), "a", false },
	{ SPAN("ab"), "ab", true },
	{ SPAN("aBc"), "Ab", true },
	{ SPAN("a"), "ab", false },
	{ SPAN("ba"), "a", false },
	{ SPAN("a\0b"), "A", true },
	{ SPAN("\xc9"), "\xe9", false },
	{ SPAN("[x"), "{", false },
};

START_TEST(compares_starts)
{
	ck_assert_int_eq(span_starts_ignoring_case(start_rows[_i].s, start_rows[_i].start),
	    start_rows[_i].starts);
}
END_TEST

static const struct {
	struct span s;
	const char *trimmed;
} trim_rows[] = {
	{ SPAN(""), "" },
	{ SPAN(" "), "" },
	{ SPAN("\t \t"), "" },
	{ SPAN("a"), "a" },
	{ SPAN(" \ta b\tc\t "), "a b\tc" },
	{ SPAN("a "), "a" },
	{ SPAN(" a"), "a" },
	/* Other white space is not optional white space. */
	{ SPAN("\ra\n"), "\ra\n" },
	{ SPAN("\va\f"), "\va\f" },
	{ SPAN("\xc2\xa0"
	       "a"),
	    "\xc2\xa0"
	    "a" },
};

START_TEST(trims)
{
	ck_span_eq(span_trim(trim_rows[_i].s), trim_rows[_i].trimmed);
}
END_TEST

static const struct {
	struct span a;
	const char *b;
	bool equal, equal_ignoring_case;
} equal_rows[] = {
	{ SPAN(""), "", true, true },
	{ SPAN("Az09"), "Az09", true, true },
	{ SPAN("aZ"), "Az", false, true },
	{ SPAN("a"), "b", false, false },
	{ SPAN("a"), "ab", false, false },
	{ SPAN("ab"), "a", false, false },
	{ SPAN(""), "a", false, false },
	{ SPAN("a\0b"), "a", false, false },
	{ SPAN("a\0"), "a", false, false },
	/* The neighbours of the letters, 0x20 apart. */
	{ SPAN("@"), "`", false, false },
	{ SPAN("["), "{", false, false },
	{ SPAN("\r"), "-", false, false },
	{ SPAN("\xc3\x89"), "\xc3\xa9", false, false },
};

START_TEST(compares)
{
	struct span a = equal_rows[_i].a;
	struct span b = span_of(equal_rows[_i].b);

	ck_assert_int_eq(span_equals(a, b), equal_rows[_i].equal);
	ck_assert_int_eq(span_is(a, b.data), equal_rows[_i].equal);
	ck_assert_int_eq(span_is_ignoring_case(a, b.data), equal_rows[_i].equal_ignoring_case);
}
END_TEST

static const struct {
	struct span s;
	bool good;
} utf8_rows[] = {
	{ SPAN(""), true },
	{ SPAN("a\0\x7f"), true },
	{ SPAN("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80."), true },
	/* The first and the last of every length. */
	{ SPAN("\xc2\x80\xdf\xbf"), true },
	{ SPAN("\xe0\xa0\x80\xef\xbf\xbf"), true },
	{ SPAN("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true },
	{ SPAN("\xed\x9f\xbf\xee\x80\x80"), true },
	/* Overlong. */
	{ SPAN("\xc0\x80"), false },
	{ SPAN("\xc0\xaf"), false },
	{ SPAN("\xc1\xbf"), false },
	{ SPAN("\xe0\x80\xaf"), false },
	{ SPAN("\xe0\x9f\xbf"), false },
	{ SPAN("\xf0\x80\x80\xaf"), false },
	{ SPAN("\xf0\x8f\xbf\xbf"), false },
	/* Surrogates, also as a pair. */
	{ SPAN("\xed\xa0\x80"), false },
	{ SPAN("\xed\xbf\xbf"), false },
	{ SPAN("\xed\xa0\xbd\xed\xb8\x80"), false },
	/* Above U+10FFFF. */
	{ SPAN("\xf4\x90\x80\x80"), false },
	/* Second bytes at both ends of what each lead allows, and one beside. */
	{ SPAN("\xc2\x80\xc2\xbf\xdf\x80\xdf\xbf"), true },
	{ SPAN("\xc2\x7f"), false },
	{ SPAN("\xc2\xc0"), false },
	{ SPAN("\xdf\xc0"), false },
	{ SPAN("\xe0\xa0\x80\xe0\xbf\x80\xe1\x80\x80\xec\xbf\x80\xed\x80\x80"), true },
	{ SPAN("\xe0\x9f\x80"), false },
	{ SPAN("\xe0\xc0\x80"), false },
	{ SPAN("\xe1\x7f\x80"), false },
	{ SPAN("\xec\xc0\x80"), false },
	{ SPAN("\xed\x7f\x80"), false },
	{ SPAN("\xee\x7f\x80"), false },
	{ SPAN("\xef\xc0\x80"), false },
	{ SPAN("\xf0\x90\x80\x80\xf0\xbf\x80\x80\xf1\x80\x80\x80\xf3\xbf\x80\x80"), true },
	{ SPAN("\xf0\xc0\x80\x80"), false },
	{ SPAN("\xf1\x7f\x80\x80"), false },
	{ SPAN("\xf3\xc0\x80\x80"), false },
	{ SPAN("\xf4\x7f\x80\x80"), false },
	{ SPAN("\xf5\x80\x80\x80"), false },
	{ SPAN("\xf8\x88\x80\x80\x80"), false },
	{ SPAN("\xfc\x84\x80\x80\x80\x80"), false },
	{ SPAN("\xfe"), false },
	{ SPAN("\xff"), false },
	/* Later bytes, which every lead allows alike. */
	{ SPAN("\xe1\x80\x80\xe1\x80\xbf\xf1\x80\x80\x80\xf1\x80\xbf\xbf"), true },
	{ SPAN("\xe1\x80\x7f"), false },
	{ SPAN("\xe1\x80\xc0"), false },
	{ SPAN("\xf1\x80\x7f\x80"), false },
	{ SPAN("\xf1\x80\xc0\x80"), false },
	{ SPAN("\xf1\x80\x80\x7f"), false },
	{ SPAN("\xf1\x80\x80\xc0"), false },
	/* Truncated, at the end and before another character. */
	{ SPAN("\xc3"), false },
	{ SPAN("\xe2\x82"), false },
	{ SPAN("\xe2"), false },
	{ SPAN("\xf0\x9f\x98"), false },
	{ SPAN("\xf0\x9f"), false },
	{ SPAN("\xf0"), false },
	{ SPAN("\xc3"
	       "a"),
	    false },
	{ SPAN("\xe2\x82"
	       "a"),
	    false },
	{ SPAN("\xf0\x9f\x98"
	       "a"),
	    false },
	{ SPAN("\xc3\xc3\xa9"), false },
	/* A continuation with nothing before it. */
	{ SPAN("\x80"), false },
	{ SPAN("\xbf"), false },
	{ SPAN("a\x80"), false },
	{ SPAN("\xc3\xa9\xa9"), false },
	{ SPAN("\xe2\xc2\xac"), false },
	{ SPAN("\xf0\x9f\x98\xc0"), false },
};

START_TEST(knows_utf8)
{
	ck_assert_int_eq(text_is_utf8(utf8_rows[_i].s), utf8_rows[_i].good);
}
END_TEST

/* By the bit patterns of RFC 3629 3, for any code point, whether it is one or not. */
static struct span
utf8_of(unsigned long point, char ret_bytes[4])
{
	static const unsigned char leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; point >>= 6)
		ret_bytes[i] = (char)(0x80 | (point & 0x3f));
	ret_bytes[0] = (char)(leads[len] | point);
	return (struct span){ ret_bytes, len };
}

START_TEST(knows_every_code_point)
{
	char bytes[4];

	for (unsigned long point = 0; point < 0x120000; point++) {
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		bool good = point <= 0x10ffff && !surrogate;
		struct span s = utf8_of(point, bytes);

		/* Asserting a million times over takes seconds. */
		if (text_is_utf8(s) != good)
			ck_abort_msg("U+%04lX", point);
		s.len--;
		if (text_is_utf8(s) != (s.len == 0))
			ck_abort_msg("U+%04lX cut short", point);
	}
}
END_TEST

START_TEST(knows_every_control_byte)
{
	for (int c = 0; c < 256; c++) {
		char bytes[] = { 'a', (char)c, 'b' };
		bool control = c <= 0x1f || c == 0x7f;

		ck_assert_msg(text_has_control((struct span){ bytes, 3 }) == control, "0x%02x", c);
		ck_assert(!text_has_control((struct span){ bytes, 1 }));
	}
	ck_assert(!text_has_control((struct span)SPAN("")));
}
END_TEST

static const struct {
	struct span s;
	bool good;
} guid_rows[] = {
	{ SPAN("11111111-2222-3333-4444-555555555555"), true },
	{ SPAN("01234567-89ab-cdef-ABCD-EF0123456789"), true },
	{ SPAN(""), false },
	{ SPAN("11111111-2222-3333-4444-55555555555"), false },
	{ SPAN("11111111-2222-3333-4444-5555555555555"), false },
	{ SPAN("11111111222233334444555555555555"), false },
	{ SPAN("111111112222-3333-4444-5555555555555"), false },
	{ SPAN("1111111-12222-3333-4444-555555555555"), false },
	{ SPAN("11111111_2222-3333-4444-555555555555"), false },
	{ SPAN("g1111111-2222-3333-4444-555555555555"), false },
	{ SPAN("11111111-2222-3333-4444-55555555555g"), false },
	{ SPAN("{1111111-2222-3333-4444-55555555555}"), false },
	{ SPAN("{11111111-2222-3333-4444-555555555555}"), false },
	{ SPAN(" 11111111-2222-3333-4444-55555555555"), false },
	{ SPAN("11111111-2222-3333-4444-55555555555\n"), false },
	{ SPAN("11111111-2222-3333-4444-55555555555\0"), false },
	{ SPAN("------------------------------------"), false },
};

START_TEST(knows_guids)
{
	ck_assert_int_eq(text_is_guid(guid_rows[_i].s), guid_rows[_i].good);
}
END_TEST

static const struct {
	struct span s;
	bool host_name, domain;
} host_rows[] = {
	{ SPAN(""), false, false },
	{ SPAN("a"), true, false },
	{ SPAN("localhost"), true, false },
	{ SPAN("a.b"), true, true },
	{ SPAN("oauth.Example.COM"), true, true },
	{ SPAN("xn--bcher-kva.example"), true, true },
	{ SPAN("3com.0"), true, true },
	{ SPAN("a-b.c--d"), true, true },
	{ SPAN("."), false, false },
	{ SPAN(".a"), false, false },
	{ SPAN("a."), false, false },
	{ SPAN("a.b."), false, false },
	{ SPAN("a..b"), false, false },
	{ SPAN("-a.b"), false, false },
	{ SPAN("a-.b"), false, false },
	{ SPAN("a.-b"), false, false },
	{ SPAN("a.b-"), false, false },
	{ SPAN("-"), false, false },
	{ SPAN("a_b.c"), false, false },
	{ SPAN("a b.c"), false, false },
	{ SPAN("a.b\n"), false, false },
	{ SPAN("a.b\0"), false, false },
	{ SPAN("\0.b"), false, false },
	{ SPAN("a.b:80"), false, false },
	{ SPAN("a/b.c"), false, false },
	{ SPAN("*.b"), false, false },
	{ SPAN("a%2eb.c"), false, false },
	{ SPAN("b\xc3\xbc"
	       "cher.example"),
	    false, false },
	{ SPAN(LABEL_63), true, false },
	{ SPAN(LABEL_63 "4"), false, false },
	{ SPAN("a." LABEL_63), true, true },
	{ SPAN("a." LABEL_63 "4"), false, false },
	{ SPAN(NAME_253), true, true },
	{ SPAN(NAME_253 "2"), false, false },
};

START_TEST(knows_hosts)
{
	ck_assert_int_eq(text_is_host_name(host_rows[_i].s), host_rows[_i].host_name);
	ck_assert_int_eq(text_is_domain(host_rows[_i].s), host_rows[_i].domain);
}
END_TEST

/* The rows at the limits are what they are taken for. */
START_TEST(hosts_have_the_lengths_meant)
{
	ck_assert_uint_eq(strlen(LABEL_63), 63);
	ck_assert_uint_eq(strlen(NAME_253), 253);
}
END_TEST

enum { UNTOUCHED = 77 };

static const struct {
	struct span s;
	unsigned long max;
	bool good;
	unsigned long number;
} number_rows[] = {
	{ SPAN("0"), 0, true, 0 },
	{ SPAN("00"), 0, true, 0 },
	{ SPAN("1"), 0, false, UNTOUCHED },
	{ SPAN("5"), 5, true, 5 },
	{ SPAN("6"), 5, false, UNTOUCHED },
	{ SPAN("65534"), 65535, true, 65534 },
	{ SPAN("65535"), 65535, true, 65535 },
	{ SPAN("65536"), 65535, false, UNTOUCHED },
	{ SPAN("65540"), 65535, false, UNTOUCHED },
	{ SPAN("655350"), 65535, false, UNTOUCHED },
	{ SPAN("0000065535"), 65535, true, 65535 },
#if ULONG_MAX > 0xffffffff
	{ SPAN("18446744073709551615"), ULONG_MAX, true, ULONG_MAX },
#else
	{ SPAN("4294967295"), ULONG_MAX, true, ULONG_MAX },
	{ SPAN("4294967296"), ULONG_MAX, false, UNTOUCHED },
#endif
	{ SPAN("18446744073709551616"), ULONG_MAX, false, UNTOUCHED },
	{ SPAN("18446744073709551620"), ULONG_MAX, false, UNTOUCHED },
	{ SPAN("184467440737095516150"), ULONG_MAX, false, UNTOUCHED },
	{ SPAN("99999999999999999999999999"), ULONG_MAX, false, UNTOUCHED },
	/* 2^64 + 1: what is left of it after wrapping round would do. */
	{ SPAN("18446744073709551617"), 65535, false, UNTOUCHED },
	{ SPAN(""), 9, false, UNTOUCHED },
	{ SPAN("+1"), 9, false, UNTOUCHED },
	{ SPAN("-1"), 9, false, UNTOUCHED },
	{ SPAN("-0"), 9, false, UNTOUCHED },
	{ SPAN(" 1"), 9, false, UNTOUCHED },
	{ SPAN("1 "), 9, false, UNTOUCHED },
	{ SPAN("1\n"), 9, false, UNTOUCHED },
	{ SPAN("1\0"), 9, false, UNTOUCHED },
	{ SPAN("\0"), 9, false, UNTOUCHED },
	{ SPAN("1.0"), 99, false, UNTOUCHED },
	{ SPAN("1e1"), 99, false, UNTOUCHED },
	{ SPAN("0x1"), 99, false, UNTOUCHED },
	{ SPAN("1_0"), 99, false, UNTOUCHED },
	{ SPAN("/"), 99, false, UNTOUCHED },
	{ SPAN(":"), 99, false, UNTOUCHED },
	{ SPAN("\xb2"), 999, false, UNTOUCHED },
	{ SPAN("\xd9\xa1"), ULONG_MAX, false, UNTOUCHED },
};

START_TEST(reads_numbers)
{
	unsigned long number = UNTOUCHED;
	bool good = text_to_number(number_rows[_i].s, number_rows[_i].max, &number);

	ck_assert_int_eq(good, number_rows[_i].good);
	ck_assert_uint_eq(number, number_rows[_i].number);
}
END_TEST

/* Where c stands in a list, or -1; the NUL at the end does not count. */
static int
position(const char *list, int c)
{
	const char *at = c != '\0' ? strchr(list, c) : NULL;

	return at != NULL ? (int)(at - list) : -1;
}

START_TEST(knows_every_byte)
{
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		int upper = position("ABCDEFGHIJKLMNOPQRSTUVWXYZ", i);
		int lower = position("abcdefghijklmnopqrstuvwxyz", i);
		int digit = position("0123456789", i);
		int hex = upper >= 0 && upper < 6 ? 10 + upper : -1;

		hex = lower >= 0 && lower < 6 ? 10 + lower : hex;
		ck_assert_int_eq(text_is_digit(c), digit >= 0);
		ck_assert_int_eq(text_is_alpha(c), upper >= 0 || lower >= 0);
		ck_assert_int_eq(text_lower(c), upper >= 0 ? 'a' + upper : c);
		ck_assert_int_eq(text_hex_value(c), digit >= 0 ? digit : hex);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *tests = tcase_create("text");

	tcase_add_test(tests, cuts_from_an_offset);
	tcase_add_loop_test(tests, finds_a_byte, 0, sizeof(find_rows) / sizeof(find_rows[0]));
	tcase_add_test(tests, finds_nothing_past_the_end);
	tcase_add_loop_test(tests, cuts_parts, 0, sizeof(next_rows) / sizeof(next_rows[0]));
	tcase_add_loop_test(tests, compares_starts, 0, sizeof(start_rows) / sizeof(start_rows[0]));
	LOOP(tests, sees_each_byte_and_no_other, mark_rows);
	tcase_add_test(tests, leaves_the_part_alone_at_the_end);
	tcase_add_loop_test(tests, trims, 0, sizeof(trim_rows) / sizeof(trim_rows[0]));
	tcase_add_loop_test(tests, compares, 0, sizeof(equal_rows) / sizeof(equal_rows[0]));
	tcase_add_loop_test(tests, knows_utf8, 0, sizeof(utf8_rows) / sizeof(utf8_rows[0]));
	tcase_add_test(tests, knows_every_code_point);
	tcase_add_test(tests, knows_every_control_byte);
	tcase_add_loop_test(tests, knows_guids, 0, sizeof(guid_rows) / sizeof(guid_rows[0]));
	tcase_add_loop_test(tests, knows_hosts, 0, sizeof(host_rows) / sizeof(host_rows[0]));
	tcase_add_test(tests, hosts_have_the_lengths_meant);
	tcase_add_loop_test(tests, reads_numbers, 0, sizeof(number_rows) / sizeof(number_rows[0]));
	tcase_add_test(tests, knows_every_byte);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
