/*
 * Findings, as they are kept: one line each, without a byte that a terminal or a log reads
 * otherwise.
 */
#include "config/draft.h"

#include <stdio.h>

#include "support.h"

static const struct {
	const char *source, *key, *wrong, *advice, *text;
} rows[] = {
	{ "a.json:1", "listen.port", "is out of range", "use a number",
	    "a.json:1: listen.port: is out of range; use a number" },
	{ "a.json:1", "", "is not JSON", NULL, "a.json:1: is not JSON" },
	{ "\x1f\x20~\x7f\x80\xff\n", "", "is odd", NULL, "? ~????: is odd" },
};

START_TEST(keeps_a_finding)
{
	struct findings findings = { 0 };

	findings_add(
	    &findings, _i == 0, rows[_i].source, rows[_i].key, rows[_i].wrong, rows[_i].advice);
	ck_assert_uint_eq(findings.n, 1);
	ck_assert_uint_eq(findings.n_errors, _i == 0);
	ck_assert_int_eq(findings.items[0].is_error, _i == 0);
	ck_assert_str_eq(findings.items[0].text, rows[_i].text);
	findings_free(&findings);
	ck_assert_uint_eq(findings.n, 0);
}
END_TEST

/* Of a source 300 bytes are shown, and of a key 120. */
START_TEST(cuts_what_is_too_long)
{
	struct findings findings = { 0 };
	char source[400], key[200], wanted[600];

	memset(source, 's', sizeof(source) - 1);
	memset(key, 'k', sizeof(key) - 1);
	source[sizeof(source) - 1] = key[sizeof(key) - 1] = '\0';
	snprintf(wanted, sizeof(wanted), "%.300s: %.120s: is odd", source, key);
	findings_add(&findings, true, source, key, "is odd", NULL);
	ck_assert_str_eq(findings.items[0].text, wanted);
	findings_free(&findings);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("draft");
	TCase *tests = tcase_create("findings");

	LOOP(tests, keeps_a_finding, rows);
	tcase_add_test(tests, cuts_what_is_too_long);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
