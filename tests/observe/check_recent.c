/*
 * What is kept of requests: which of them count as failures, how far back they go, and the hours.
 */
#include "observe/recent.h"

#include <stdio.h>

#include "flow/app.h"
#include "support.h"

enum { HOUR_MS = 3600 * 1000, START_MS = 123456 };

#define CALLBACK "/api/ms_oauth_callback"
#define TOKEN    "recall_calendar_auth_token"
#define MARK     "hunter2"

static struct recent recent;
static struct metrics total;
static struct past past;
static struct config *config;

static void
set_up(void)
{
	memset(&recent, 0, sizeof(recent));
	memset(&total, 0, sizeof(total));
	pthread_mutex_init(&recent.mutex, NULL);
	recent.start_ms = START_MS;
	config = support_usual_config();
}

static void
tear_down(void)
{
	config_free(config);
	pthread_mutex_destroy(&recent.mutex);
}

static void
ask(const char *id, const char *method, const char *target, const struct header *header)
{
	static char location[16 * 1024], body[16 * 1024];
	struct request request = { .id = id,
		.method = span_of(method),
		.target = span_of(target),
		.headers = header,
		.n_headers = header != NULL,
		.now = 1700000000 };
	struct response response = { 0 };

	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	app_find_route(&request);
	app_handle(config, &request, &response);
	recent_note(&recent, &request, &response);
	metrics_count(&total, &request, &response, 1);
}

static const struct header cross_site = { SPAN("Sec-Fetch-Site"), SPAN("cross-site") };

static const struct row {
	const char *method, *target;
	const struct header *header;
	bool is_start;
	int status; /* of what is kept; 0: nothing is */
	const char *reason, *parameter, *from, *name, *error, *subcode, *aadsts;
} rows[] = {
	{ "GET", CALLBACK "?code=" MARK "&state=" MARK, NULL, false, 0, NULL, NULL, NULL, NULL,
	    NULL, NULL, NULL },
	{ "HEAD", CALLBACK "/?code=" MARK, NULL, false, 0, NULL, NULL, NULL, NULL, NULL, NULL,
	    NULL },
	{ "GET", CALLBACK "?error=access_denied&error_subcode=cancel&state=" MARK, NULL, false, 302,
	    NULL, NULL, "missing", "error", "access_denied", "cancel", "" },
	{ "GET", CALLBACK "?error=" MARK "&error_description=AADSTS65001:+" MARK, NULL, false, 302,
	    NULL, NULL, "missing", "error", "other", "", "65001" },
	{ "GET", CALLBACK "?state=" MARK, NULL, false, 302, NULL, NULL, NULL, "empty", "", "", "" },
	{ "GET", CALLBACK "?code=" MARK "&code=" MARK, NULL, false, 302, NULL, NULL, "missing",
	    "ambiguous", "", "", "" },
	{ "POST", CALLBACK, NULL, false, 405, "method_not_allowed", NULL, NULL, NULL, "", "", "" },
	{ "GET", "/api/google_oauth_callback?code=" MARK "&scope=openid", NULL, false, 302, NULL,
	    NULL, "missing", "code", "", "", "" },
	{ "GET", "/api/ms_admin_consent_callback?admin_consent=True&state=" MARK, NULL, false, 0,
	    NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "GET", "/api/ms_admin_consent_callback?error=access_denied", NULL, false, 200, NULL, NULL,
	    "missing", "error", "access_denied", "", "" },
	{ "GET", "/connect?" TOKEN "=" MARK, NULL, true, 0, NULL, NULL, NULL, NULL, NULL, NULL,
	    NULL },
	{ "GET", "/connect?" TOKEN "=" MARK, &cross_site, true, 403, "cross_site_start", NULL,
	    "cross-site", NULL, "", "", "" },
	{ "GET", "/connect/google?" TOKEN "=" MARK "&success_url=" MARK, NULL, true, 400,
	    "parameter_malformed", "success_url", NULL, NULL, "", "", "" },
	{ "GET", "/connect/admin?tenant=" MARK, NULL, true, 400, "parameter_malformed", "tenant",
	    NULL, NULL, "", "", "" },
	{ "GET", "/connect/admin", NULL, true, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "GET", "/nothing", NULL, false, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
	{ "GET", "/healthz", NULL, false, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL },
};

START_TEST(keeps_what_failed)
{
	const struct row *row = &rows[_i];
	const struct failures *kept = row->is_start ? &past.starts : &past.callbacks;
	const struct failures *others = row->is_start ? &past.callbacks : &past.starts;
	const struct failure *failure = &kept->items[0];

	ask("0123456789abcdef", row->method, row->target, row->header);
	recent_read(&recent, &total, &past);
	ck_assert_uint_eq(others->n, 0);
	ck_assert_uint_eq(kept->n, row->status != 0);
	if (row->status == 0)
		return;
	ck_assert_int_eq(failure->status, row->status);
	ck_assert_int_eq(failure->time, 1700000000);
	ck_assert_str_eq(failure->id, "0123456789abcdef");
	ck_assert_pstr_eq(failure->problem.reason, row->reason);
	ck_assert_pstr_eq(failure->problem.parameter, row->parameter);
	ck_assert_pstr_eq(failure->from, row->from);
	ck_assert_pstr_eq(failure->outcome.name, row->name);
	ck_assert_str_eq(failure->outcome.error, row->error);
	ck_assert_str_eq(failure->outcome.error_subcode, row->subcode);
	ck_assert_str_eq(failure->outcome.aadsts, row->aadsts);
	ck_assert_ptr_eq(failure->provider,
	    strstr(row->target, "google") != NULL ? &providers[GOOGLE] : &providers[MICROSOFT]);
	/* The control: what is looked for stands in every target. */
	ck_assert_ptr_null(memmem(&recent, sizeof(recent), MARK, strlen(MARK)));
}
END_TEST

/* The last 50 of each kind, whatever comes of the other. */
START_TEST(keeps_the_last_ones)
{
	char id[HTTP_ID_SIZE];

	for (int i = 0; i < 120; i++) {
		snprintf(id, sizeof(id), "%d", i);
		ask(id, "GET", i < 2 ? "/connect" : CALLBACK "?error=x", NULL);
	}
	recent_read(&recent, &total, &past);
	ck_assert_uint_eq(past.starts.n, 2);
	ck_assert_str_eq(past.starts.items[1].id, "1");
	ck_assert_uint_eq(past.callbacks.n, 118);
	for (uint64_t i = 1; i <= RECENT_FAILURES; i++) {
		snprintf(id, sizeof(id), "%d", 120 - (int)i);
		ck_assert_str_eq(past.callbacks.items[(118 - i) % RECENT_FAILURES].id, id);
	}
}
END_TEST

START_TEST(keeps_the_longest_id)
{
	static const char longest[] =
	    "0123456789012345678901234567890123456789012345678901234567890123";

	ck_assert_uint_eq(sizeof(longest), HTTP_ID_SIZE);
	ask(longest, "GET", "/connect", NULL);
	recent_read(&recent, &total, &past);
	ck_assert_str_eq(past.starts.items[0].id, longest);
}
END_TEST

static void
answer(enum provider_id provider, size_t outcome, uint64_t n)
{
	total.answers.n[provider][outcome] += n;
}

/* hours: since the start. */
static void
read_at(double hours)
{
	recent_begin_hour(&recent, &total, START_MS + (int64_t)(hours * HOUR_MS));
	recent_read(&recent, &total, &past);
}

static uint64_t
seen(size_t hours_ago, enum provider_id provider, size_t outcome)
{
	return past.hours[hours_ago].n[provider][outcome];
}

START_TEST(counts_by_the_hour)
{
	answer(MICROSOFT, 0, 5);
	answer(GOOGLE, 1, 2);
	read_at(0.9);
	ck_assert_uint_eq(seen(0, MICROSOFT, 0), 5);
	ck_assert_uint_eq(seen(0, GOOGLE, 1), 2);
	ck_assert_uint_eq(seen(1, MICROSOFT, 0), 0);
	read_at(1);
	ck_assert_uint_eq(seen(0, MICROSOFT, 0), 0);
	ck_assert_uint_eq(seen(1, MICROSOFT, 0), 5);
	answer(MICROSOFT, 0, 7);
	read_at(1.5);
	ck_assert_uint_eq(seen(0, MICROSOFT, 0), 7);
	ck_assert_uint_eq(seen(1, GOOGLE, 1), 2);
	ck_assert_uint_eq(past.all.n[MICROSOFT][0], 12);
	read_at(23.9);
	ck_assert_uint_eq(seen(23, MICROSOFT, 0), 5);
	ck_assert_uint_eq(seen(22, MICROSOFT, 0), 7);
	ck_assert_uint_eq(past.all.n[MICROSOFT][0], 12);
	read_at(24);
	ck_assert_uint_eq(seen(23, MICROSOFT, 0), 7);
	ck_assert_uint_eq(seen(0, MICROSOFT, 0), 0);
	ck_assert_uint_eq(past.all.n[MICROSOFT][0], 7);
	ck_assert_uint_eq(past.all.n[GOOGLE][1], 0);
}
END_TEST

/* Each hour has a count of its own, for days. */
START_TEST(forgets_what_is_older_than_a_day)
{
	for (uint64_t hour = 0; hour < 100; hour++) {
		uint64_t all = 0;

		read_at((double)hour + 0.1);
		answer(GOOGLE, 3, hour + 1);
		read_at((double)hour + 0.8);
		for (size_t h = 0; h < RECENT_HOURS; h++) {
			uint64_t wanted = h <= hour ? hour + 1 - h : 0;

			ck_assert_uint_eq(seen(h, GOOGLE, 3), wanted);
			all += wanted;
		}
		ck_assert_uint_eq(past.all.n[GOOGLE][3], all);
	}
}
END_TEST

/* A machine that sleeps, or a watchdog that was stopped, for hours and for days. */
START_TEST(counts_over_hours_that_were_slept)
{
	static const double nights[] = { 1, 2, 23, 24, 25, 1000 };

	answer(MICROSOFT, 2, 3);
	read_at(0.5);
	answer(MICROSOFT, 2, 4);
	read_at(nights[_i] + 0.5);
	/* What came between the last look and the night is counted before it, not in it. */
	for (size_t h = 0; h < RECENT_HOURS; h++)
		ck_assert_uint_eq(seen(h, MICROSOFT, 2), h == nights[_i] ? 7 : 0);
}
END_TEST

/* The page adds up while the watchdog begins an hour with newer numbers. */
START_TEST(never_counts_below_nothing)
{
	answer(MICROSOFT, 0, 9);
	read_at(1);
	total.answers.n[MICROSOFT][0] = 8;
	recent_read(&recent, &total, &past);
	ck_assert_uint_eq(seen(0, MICROSOFT, 0), 0);
	ck_assert_uint_eq(seen(1, MICROSOFT, 0), 9);
}
END_TEST

START_TEST(is_small)
{
	ck_assert_uint_le(sizeof(recent), 64 * 1024);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("recent");
	TCase *tests = tcase_create("recent");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	LOOP(tests, keeps_what_failed, rows);
	tcase_add_test(tests, keeps_the_last_ones);
	tcase_add_test(tests, keeps_the_longest_id);
	tcase_add_test(tests, counts_by_the_hour);
	tcase_add_test(tests, forgets_what_is_older_than_a_day);
	tcase_add_loop_test(tests, counts_over_hours_that_were_slept, 0, 6);
	tcase_add_test(tests, never_counts_below_nothing);
	tcase_add_test(tests, is_small);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
