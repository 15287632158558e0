/*
 * The operator's page: what stands on it, in which order, and that it is whole whatever happened.
 */
#include "observe/operator_page.h"

#include <stdio.h>

#include "support.h"

#define ID "0123456789abcdef"

static char body[METRICS_TEXT_SIZE];
static struct past past;
static struct response response;
static struct incidents incidents;
static struct gauges gauges;

static void
set_up(void)
{
	memset(&past, 0, sizeof(past));
	memset(&incidents, 0, sizeof(incidents));
	gauges = (struct gauges){ .incidents = &incidents,
		.version = "9.9.9",
		.start_seconds = 1700000000.5,
		.reload_success = true };
}

static const char *
show_with(const char *config_text)
{
	struct config *config =
	    config_text != NULL ? support_config(config_text, NULL) : support_usual_config();

	response = (struct response){ 0 };
	buf_init(&response.body, body, sizeof(body));
	operator_page_show(config, &gauges, &past, &response);
	config_free(config);
	ck_assert_msg(buf_ok(&response.body), "the page is too large");
	return body;
}

static void
assert_shows(const char *text)
{
	ck_assert_msg(strstr(body, text) != NULL, "no %s in %s", text, body);
}

static struct failure *
add(struct failures *failures, const struct provider *provider, const char *id)
{
	struct failure *failure = &failures->items[failures->n++ % RECENT_FAILURES];

	*failure = (struct failure){ .time = 1700000000, .provider = provider, .status = 302 };
	memcpy(failure->id, id, strlen(id) + 1);
	return failure;
}

/* A provider's part, where nothing has happened. */
static void
put_empty_section(struct buf *out, const char *title)
{
	buf_printf(out,
	    "<section>\n<h2>%s: 0 answers in 24 hours</h2>\n"
	    "<svg viewBox=\"0 -6 240 66\" role=\"img\" aria-label=\"Answers of each hour; the "
	    "numbers follow in a table\">\n</svg>\n<p><span>23 hours ago</span><span>at most 1 in "
	    "an hour</span><span>now</span></p>\n<details><summary>Hour by hour: "
	    "<span><i class=\"o0\"></i>code 0</span>\n<span><i class=\"o1\"></i>error 0</span>\n"
	    "<span><i class=\"o2\"></i>admin_wall 0</span>\n<span><i class=\"o3\"></i>"
	    "admin_consent 0</span>\n<span><i class=\"o4\"></i>empty 0</span>\n"
	    "<span><i class=\"o5\"></i>ambiguous 0</span>\n</summary>\n<table>\n<tr><th>Hours ago"
	    "</th><th>code</th><th>error</th><th>admin_wall</th><th>admin_consent</th>"
	    "<th>empty</th><th>ambiguous</th>",
	    title);
	for (int h = 0; h < RECENT_HOURS; h++)
		buf_printf(out,
		    "</tr>\n<tr><th>%d</th><td>0</td><td>0</td><td>0</td><td>0</td><td>0</td>"
		    "<td>0</td>",
		    h);
	buf_puts(out, "</tr>\n</table></details>\n</section>\n");
}

static void
put_empty_list(struct buf *out, const char *title, const char *from)
{
	buf_printf(out,
	    "<h2>%s: 0 since the start</h2>\n<table class=\"f\">\n<thead><tr><th>Time and id</th>"
	    "<th>Provider</th><th>What happened</th><th>%s</th><th>What to do</th></tr></thead>\n"
	    "<tbody>\n</tbody></table>\n",
	    title, from);
}

/* All of it but the style, from the first byte to the last. */
START_TEST(is_a_page)
{
	static char array[32 * 1024];
	const char *rest;
	struct buf wanted;

	show_with(NULL);
	ck_assert_ptr_eq(strstr(body, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
				      "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
				      "content=\"width=device-width,initial-scale=1\">\n"
				      "<title>recall-redirectd</title>\n<style>"),
	    body);
	rest = strstr(body, "</style>");
	ck_assert_ptr_nonnull(rest);
	buf_init(&wanted, array, sizeof(array));
	buf_puts(&wanted,
	    "</style>\n</head>\n<body>\n<main>\n"
	    "<h1>0 of 0 answers in 24 hours brought no code</h1>\n"
	    "<dl>\n<dt>Server</dt><dd>recall-redirectd 9.9.9, since 2023-11-14 22:13:20 UTC</dd>\n"
	    "<dt>Answers go to</dt><dd>https://us-east-1.recall.ai</dd>\n<dt>Redirect URIs</dt><dd>"
	    "<code>https://oauth.example.com/api/ms_oauth_callback</code><br>"
	    "<code>https://oauth.example.com/api/google_oauth_callback</code><br>"
	    "<code>https://oauth.example.com/api/ms_admin_consent_callback</code></dd>\n"
	    "<dt>Admin-consent link</dt><dd><code>https://oauth.example.com/connect/admin</code>"
	    "</dd>\n<dt>Last reload</dt><dd>none</dd>\n<dt>Certificate ends</dt><dd>none</dd>\n"
	    "<dt>Connections</dt><dd>0 open; rejected since the start: deadline 0, limit 0, per_ip "
	    "0, protocol 0</dd>\n</dl>\n");
	put_empty_section(&wanted, "Microsoft");
	put_empty_section(&wanted, "Google");
	put_empty_list(&wanted, "Failed answers", "Binding");
	put_empty_list(&wanted, "Refused starts", "Sec-Fetch-Site");
	buf_puts(&wanted,
	    "<p>The last 50 of each, newest first. This page knows what this process has seen; "
	    "what was before its start is in the log.</p>\n</main>\n</body>\n</html>\n");
	ck_assert_str_eq(rest, wanted.data);
}
END_TEST

START_TEST(says_what_the_server_knows_of_itself)
{
	static const uint64_t rejected[N_INCIDENTS] = { 1, 2, 3, 4 };

	for (size_t i = 0; i < N_INCIDENTS; i++)
		incidents.rejected[i] = rejected[i];
	gauges.connections_open = 77;
	gauges.certificate_expiry = 1800000000;
	gauges.reload_seconds = 1700000060;
	show_with("{\"recall.base_url\": \"https://[::1]:8443\"}");
	assert_shows("<dd>https://[::1]:8443</dd>");
	assert_shows("<code>/api/ms_oauth_callback</code>"); /* public_url is not set */
	assert_shows("<dt>Last reload</dt><dd>2023-11-14 22:14:20 UTC</dd>");
	assert_shows("<dt>Certificate ends</dt><dd>2027-01-15 08:00:00 UTC</dd>");
	assert_shows("<dd>77 open; rejected since the start: deadline 1, limit 2, per_ip 3, "
		     "protocol 4</dd>");
	gauges.reload_success = false;
	show_with(NULL);
	assert_shows("<dd>2023-11-14 22:14:20 UTC, refused: the log says why</dd>");
}
END_TEST

/* A browser asks for it again, and loads nothing but what stands in it. */
START_TEST(sets_its_fields)
{
	show_with(NULL);
	ck_assert_uint_eq(response.n_fields, 2);
	ck_assert_str_eq(response.fields[0].name, "Refresh");
	ck_assert_str_eq(response.fields[0].value, "30");
	ck_assert_str_eq(response.fields[1].name, "Content-Security-Policy");
	support_check_policy(response.fields[1].value, body);
	ck_assert_ptr_null(strstr(body, "<script"));
	ck_assert_ptr_null(strstr(body, "href"));
	ck_assert_ptr_null(strstr(body, "src="));
}
END_TEST

START_TEST(draws_the_hours)
{
	past.hours[0].n[MICROSOFT][0] = 6;
	past.hours[0].n[MICROSOFT][1] = 4;
	past.hours[23].n[MICROSOFT][4] = 5;
	past.all.n[MICROSOFT][0] = 6;
	past.all.n[MICROSOFT][1] = 4;
	past.all.n[MICROSOFT][4] = 5;
	past.all.n[GOOGLE][0] = 1;
	show_with(NULL);
	assert_shows("<h1>9 of 16 answers in 24 hours brought no code</h1>");
	assert_shows("<h2>Microsoft: 15 answers in 24 hours</h2>");
	assert_shows("<h2>Google: 1 answers in 24 hours</h2>");
	assert_shows("<rect class=\"o0\" x=\"231\" y=\"23.6\" width=\"8\" height=\"36.4\"/>");
	assert_shows("<rect class=\"o1\" x=\"231\" y=\"-1.0\" width=\"8\" height=\"24.6\"/>");
	assert_shows("<rect class=\"o4\" x=\"1\" y=\"29.5\" width=\"8\" height=\"30.5\"/>");
	assert_shows("<span>at most 10 in an hour</span>");
	assert_shows("<span><i class=\"o1\"></i>error 4</span>");
	assert_shows("<tr><th>0</th><td>6</td><td>4</td><td>0</td><td>0</td><td>0</td><td>0</td>");
	assert_shows("<tr><th>23</th><td>0</td><td>0</td><td>0</td><td>0</td><td>5</td><td>0</td>");
}
END_TEST

START_TEST(shows_failures_with_their_cure)
{
	struct failure *failure = add(&past.callbacks, &providers[MICROSOFT], "first");

	failure->from = "missing";
	failure->outcome = (struct outcome){ .name = "error",
		.error = "access_denied",
		.error_subcode = "cancel",
		.aadsts = "65004",
		.correlation_id = "11111111-2222-3333-4444-555555555555",
		.hint = "A cure",
		.hint_takes_link = true };
	failure = add(&past.callbacks, &providers[GOOGLE], "second");
	failure->outcome.name = "ambiguous";
	failure = add(&past.starts, &providers[MICROSOFT], "third");
	failure->status = 403;
	failure->from = "none";
	failure->problem = (struct problem){ 403, "a_reason", "a_parameter", NULL, "A hint" };
	show_with(NULL);
	assert_shows("<h2>Failed answers: 2 since the start</h2>");
	assert_shows(
	    "<tr><td><time>2023-11-14 22:13:20 UTC</time><br><code>second</code></td>"
	    "<td>Google</td><td>302   ambiguous  </td><td></td><td>Look for the id in the log"
	    "</td></tr>\n<tr><td><time>2023-11-14 22:13:20 UTC</time><br><code>first</code></td>"
	    "<td>Microsoft</td><td>302   error access_denied cancel AADSTS65004<br>correlation id "
	    "<code>11111111-2222-3333-4444-555555555555</code></td><td>missing</td><td>A cure:"
	    "<br><code>https://oauth.example.com/connect/admin</code></td></tr>\n</tbody>");
	assert_shows("<h2>Refused starts: 1 since the start</h2>");
	assert_shows("<code>third</code></td><td>Microsoft</td><td>403 a_reason a_parameter   </td>"
		     "<td>none</td><td>A hint</td></tr>");
	/* The cure of a problem of our own is not the link. */
	past.callbacks.items[0].problem.hint = "Another cure";
	show_with(NULL);
	assert_shows("<td>missing</td><td>Another cure</td></tr>");
}
END_TEST

START_TEST(shows_the_last_50_newest_first)
{
	const char *at;
	char id[32];

	for (int i = 0; i < 137; i++) {
		snprintf(id, sizeof(id), "id-%d", i);
		add(&past.starts, &providers[GOOGLE], id);
	}
	at = show_with(NULL);
	assert_shows("<h2>Refused starts: 137 since the start</h2>");
	for (int i = 136; i > 136 - RECENT_FAILURES; i--) {
		snprintf(id, sizeof(id), "<code>id-%d</code>", i);
		at = strstr(at, id);
		ck_assert_msg(at != NULL, "no %s", id);
	}
	ck_assert_ptr_null(strstr(body, "<code>id-86</code>"));
}
END_TEST

/* Every tag is closed, and no byte of a text is one of HTML's: nothing is escaped here. */
static bool
is_well_formed(void)
{
	static const char *const single[] = { "!DOCTYPE", "meta", "br", "rect" };
	struct span open[16];
	size_t depth = 0;

	for (const char *at = strchr(body, '<'); at != NULL; at = strchr(at + 1, '<')) {
		bool is_end = at[1] == '/';
		struct span name = { at + 1 + is_end, strcspn(at + 1 + is_end, " />") };

		if (name.len == 0 || strcspn(at + 1, "<") < strcspn(at, ">") ||
		    depth == COUNT(open))
			return false;
		if (is_end && (depth == 0 || !span_equals(open[--depth], name)))
			return false;
		if (!is_end && text_find_word(single, COUNT(single), name) == COUNT(single))
			open[depth++] = name;
	}
	return depth == 0 && strchr(body, '&') == NULL;
}

static const char *
origin_of(size_t len)
{
	static char text[512];
	struct buf buf;

	buf_init(&buf, text, sizeof(text));
	buf_puts(&buf, "{\"public_url\": \"https://");
	while (buf.len + strlen("aa.example\"}") < len + strlen("{\"public_url\": \""))
		buf_puts(&buf, buf.len % 32 == 0 ? "a." : "aa");
	buf_puts(&buf, "a.example\"}");
	return text;
}

/* Each cure of each provider, in lists that are full of the longest there is. */
START_TEST(is_whole_whatever_happened)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz_abcdefghijklm";
	const struct provider *provider = &providers[_i % N_PROVIDERS];
	const struct cure *cure = provider->cures;

	for (int i = 0; i < RECENT_FAILURES; i++) {
		struct failure *failure = add(i % 2 == 0 ? &past.callbacks : &past.starts, provider,
		    "0123456789012345678901234567890123456789012345678901234567890123");

		failure->time = 253402300799; /* the last second of four digits */
		failure->from = "mismatch";
		failure->problem = (struct problem){ .status = 400,
			.reason = "parameters_too_long",
			.parameter = "recall_calendar_auth_token" };
		failure->outcome = (struct outcome){ .name = "admin_consent",
			.hint = cure->hint,
			.hint_takes_link = true,
			.aadsts = "123456789012345",
			.correlation_id = "11111111-2222-3333-4444-555555555555" };
		memcpy(failure->outcome.error, word, sizeof(word));
		memcpy(failure->outcome.error_subcode, word, sizeof(word));
		cure = (++cure)->key != NULL ? cure : provider->cures;
	}
	for (size_t h = 0; h < RECENT_HOURS; h++)
		for (size_t p = 0; p < N_PROVIDERS; p++)
			for (size_t o = 0; o < METRICS_OUTCOMES; o++)
				past.hours[h].n[p][o] = UINT64_MAX / 1024;
	past.all = past.hours[0];
	for (size_t i = 0; i < RECENT_FAILURES; i++) { /* both lists full */
		past.callbacks.items[i] = past.callbacks.items[i % 25];
		past.starts.items[i] = past.starts.items[i % 25];
	}
	past.callbacks.n = past.starts.n = UINT64_MAX / RECENT_FAILURES * RECENT_FAILURES;
	show_with(origin_of(226));
	ck_assert(is_well_formed());
	ck_assert_uint_lt(response.body.len, sizeof(body) / 8 * 7);
}
END_TEST

/* The control: the check above finds what it looks for. */
START_TEST(would_notice_a_missing_escape)
{
	static const char *const hints[] = { "a<b", "</td>", "<b>", "a&b", "<" };

	add(&past.callbacks, &providers[GOOGLE], ID)->problem.hint = hints[_i];
	show_with(NULL);
	ck_assert(!is_well_formed());
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("operator_page");
	TCase *tests = tcase_create("operator_page");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, is_a_page);
	tcase_add_test(tests, says_what_the_server_knows_of_itself);
	tcase_add_test(tests, sets_its_fields);
	tcase_add_test(tests, draws_the_hours);
	tcase_add_test(tests, shows_failures_with_their_cure);
	tcase_add_test(tests, shows_the_last_50_newest_first);
	tcase_add_loop_test(tests, would_notice_a_missing_escape, 0, 5);
	tcase_add_loop_test(tests, is_whole_whatever_happened, 0, N_PROVIDERS);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
