#include "config/keys.h"
#include "support.h"

static const struct {
	const char *name;
	const char *nearest;
	bool known;
} name_rows[] = {
	{ "listen.port", "listen.port", true },
	{ "threads", "threads", true },
	{ "Threads", "threads", false },
	{ "LISTEN_PORT", "listen.port", false },
	{ "listen.pot", "listen.port", false },
	{ "listn.port", "listen.port", false },
	{ "tenant", "microsoft.tenant", false },
	{ "idle_seconds", "limits.idle_seconds", false },
	{ "public-url", "public_url", false },
	{ "listen", NULL, false },
	{ "", NULL, false },
	{ "x", NULL, false },
	{ "zzzzzzzzzzzzzzzzzz", NULL, false },
	{ "limits.request_seconds.limits.request_seconds.limits.request_seconds", NULL, false },
};

START_TEST(names_nearest_key)
{
	const char *nearest = keys_find_nearest(name_rows[_i].name);

	ck_assert_int_eq(keys_find(name_rows[_i].name) != NULL, name_rows[_i].known);
	if (name_rows[_i].nearest == NULL)
		ck_assert_ptr_null(nearest);
	else
		ck_assert_pstr_eq(nearest, name_rows[_i].nearest);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tests = tcase_create("keys");

	tcase_add_loop_test(tests, names_nearest_key, 0, sizeof(name_rows) / sizeof(name_rows[0]));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
