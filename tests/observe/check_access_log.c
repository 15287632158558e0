#include "base/log.h"
#include "flow/app.h"
#include "flow/oauth.h"
#include "observe/access_log.h"
#include "support.h"

/* Stands wherever a stranger can put something; never in a line. */
#define MARKER    "MaRkEr77"
#define ID        "0123456789abcdef"
#define TIME_LEN  (sizeof("2026-11-23T20:41:00.123Z") - 1)
#define CALLBACK  "/api/ms_oauth_callback"
#define FORM_TYPE "application/x-www-form-urlencoded"

static char seen[2 * LOG_LINE_SIZE]; /* the last line */
static size_t n_seen;

static void
keep_line(struct span line)
{
	ck_assert_uint_lt(line.len, sizeof(seen));
	memcpy(seen, line.data, line.len);
	seen[line.len] = '\0';
	n_seen++;
}

static void
set_up(void)
{
	n_seen = 0;
	seen[0] = '\0';
	log_configure(LOG_DEBUG, LOG_JSON);
	log_set_sink(keep_line);
}

static void
tear_down(void)
{
	log_configure(LOG_INFO, LOG_JSON);
	log_set_sink(NULL);
}

/* What follows the time, which no table can hold. */
static const char *
after_time(void)
{
	ck_assert_int_eq(strncmp(seen, "{\"time\":\"", 9), 0);
	ck_assert_uint_gt(strlen(seen), 9 + TIME_LEN);
	return seen + 9 + TIME_LEN;
}

#define LINE(level, rest)                                                                          \
	"\",\"level\":\"" level "\",\"event\":\"request\",\"id\":\"" ID "\"," rest "}\n"

/* Requests as strangers send them, with what is logged of their answers. */
static const struct {
	const char *method, *target;
	const char *content_type, *body; /* NULL: none */
	const char *line;                /* what follows the time */
} rows[] = {
	{ "GET", CALLBACK "?code=" MARKER "&state=" MARKER, NULL, NULL,
	    LINE("info",
		"\"method\":\"GET\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":302,"
		"\"duration_us\":1234,\"query_bytes\":28,\"client\":\"192.0.2.1\","
		"\"outcome\":\"code\",\"binding\":\"missing\"") },
	{ "HEAD", CALLBACK "/?" MARKER, NULL, NULL,
	    LINE("info",
		"\"method\":\"HEAD\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":302,"
		"\"duration_us\":1234,\"query_bytes\":8,\"client\":\"192.0.2.1\","
		"\"outcome\":\"empty\",\"hint\":\"No code and no error: a proxy in "
		"front may drop the query, the app's link may ask for response_mode=fragment, or "
		"somebody opened the address by hand\"") },
	{ "GET",
	    CALLBACK "?error=login_required&error_subcode=" MARKER
		     "&error_description=AADSTS50058%3a+" MARKER
		     "+Correlation+ID%3a+01234567-89AB-cdef-0123-456789abcdef+" MARKER
		     "&state=" MARKER,
	    NULL, NULL,
	    LINE("info",
		"\"method\":\"GET\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":302,\"duration_us\":1234,\"query_bytes\":164,\"client\":\"192.0.2.1\",\"outcome\":\"error\",\"error\":\"login_required\",\"error_subcode\":\"other\",\"aadsts\":\"50058\",\"correlation_id\":\"01234567-89ab-cdef-0123-456789abcdef\",\"binding\":\"missing\",\"hint\":\"The visitor has to sign in: remove prompt=none from the app's links\"") },
	{ "GET", CALLBACK "?error=" MARKER "&error_description=AADSTS" MARKER, NULL, NULL,
	    LINE("info",
		"\"method\":\"GET\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":302,"
		"\"duration_us\":1234,\"query_bytes\":47,\"client\":\"192.0.2.1\","
		"\"outcome\":\"error\",\"error\":\"other\",\"binding\":\"missing\"") },
	{ "GET", "/connect?recall_calendar_auth_token=" MARKER "&login_hint=" MARKER, NULL, NULL,
	    LINE("info",
		"\"method\":\"GET\",\"route\":\"connect\",\"provider\":\"microsoft\",\"status\":302,"
		"\"duration_us\":1234,\"query_bytes\":55,\"client\":\"192.0.2.1\"") },
	{ "POST", "/connect", FORM_TYPE, "recall_calendar_auth_token=" MARKER,
	    LINE("info",
		"\"method\":\"POST\",\"route\":\"connect\",\"provider\":\"microsoft\",\"status\":303,"
		"\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\"") },
	{ "POST", "/connect?", FORM_TYPE, "recall_calendar_auth_token=" MARKER "&prompt=" MARKER,
	    LINE("info",
		"\"method\":\"POST\",\"route\":\"connect\",\"provider\":\"microsoft\",\"status\":400,"
		"\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\","
		"\"reason\":\"parameter_not_allowed\",\"parameter\":\"prompt\"") },
	{ "POST", "/connect", "text/" MARKER, MARKER,
	    LINE("info",
		"\"method\":\"POST\",\"route\":\"connect\",\"provider\":\"microsoft\",\"status\":415,"
		"\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\","
		"\"reason\":\"body_type\"") },
	{ "GET", "/" MARKER "?" MARKER, NULL, NULL,
	    LINE("info", "\"method\":\"GET\",\"route\":\"other\",\"status\":404,"
			 "\"duration_us\":1234,\"query_bytes\":8,\"client\":\"192.0.2.1\","
			 "\"reason\":\"not_found\"") },
	{ MARKER, "http://" MARKER CALLBACK "?", NULL, NULL,
	    LINE("info",
		"\"method\":\"other\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":405,"
		"\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\","
		"\"reason\":\"method_not_allowed\"") },
	{ "get", "/" MARKER, NULL, NULL,
	    LINE("info", "\"method\":\"other\",\"route\":\"other\",\"status\":404,"
			 "\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\","
			 "\"reason\":\"not_found\"") },
	{ "GET", "/healthz?" MARKER, NULL, NULL,
	    LINE("debug", "\"method\":\"GET\",\"route\":\"healthz\",\"status\":200,"
			  "\"duration_us\":1234,\"query_bytes\":8,\"client\":\"192.0.2.1\"") },
	{ "GET", "/readyz", NULL, NULL,
	    LINE("debug", "\"method\":\"GET\",\"route\":\"readyz\",\"status\":200,"
			  "\"duration_us\":1234,\"query_bytes\":0,\"client\":\"192.0.2.1\"") },
};

/* A text of these tables, which are Microsoft's, as it is at the provider. */
static const char *
at_provider(const char *text)
{
	static char array[2048];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	support_put(&b, span_of(text));
	return b.data;
}

/* Answer a row's request, with a marker in every header that could be looked at, and log it. */
static void
answer_and_log(int row, const char *client)
{
	static char location[32 * 1024], body[32 * 1024];
	const char *type = rows[row].content_type != NULL ? rows[row].content_type : "x/" MARKER;
	struct header headers[] = {
		{ SPAN("Host"), SPAN(MARKER ".example.com") },
		{ SPAN("Cookie"), SPAN(MARKER "=" MARKER) },
		{ SPAN("Referer"), SPAN("https://app.example.com/" MARKER) },
		{ SPAN("User-Agent"), SPAN(MARKER) },
		{ SPAN("X-Forwarded-For"), SPAN(MARKER) },
		{ SPAN("X-" MARKER), SPAN(MARKER) },
		{ SPAN("Content-Type"), span_of(type) },
	};
	struct request request = {
		.id = ID,
		.method = span_of(rows[row].method),
		.headers = headers,
		.n_headers = sizeof(headers) / sizeof(headers[0]),
		.body = span_of(rows[row].body != NULL ? rows[row].body : ""),
	};
	struct response response = { 0 };
	struct config *config = support_usual_config();
	char target[512];
	struct buf b;

	buf_init(&b, target, sizeof(target));
	support_put(&b, span_of(rows[row].target));
	request.target = buf_span(&b);
	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	app_find_route(&request);
	app_handle(config, &request, &response);
	access_log_request(config, &request, &response, 1234, client);
	config_free(config);
}

START_TEST(logs_requests)
{
	answer_and_log(_i, "192.0.2.1");
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_str_eq(after_time(), at_provider(rows[_i].line));
	ck_assert_ptr_null(strcasestr(seen, MARKER));
}
END_TEST

START_TEST(logs_health_at_debug_only)
{
	bool is_health = strstr(rows[_i].line, "\"level\":\"debug\"") != NULL;

	log_configure(LOG_INFO, LOG_JSON);
	answer_and_log(_i, "192.0.2.1");
	ck_assert_uint_eq(n_seen, is_health ? 0 : 1);
	log_configure(LOG_WARNING, LOG_JSON);
	answer_and_log(_i, "192.0.2.1");
	ck_assert_uint_eq(n_seen, is_health ? 0 : 1);
}
END_TEST

START_TEST(logs_as_text)
{
	log_configure(LOG_DEBUG, LOG_TEXT);
	answer_and_log(0, "");
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_str_eq(seen + TIME_LEN,
	    at_provider(" info request id=" ID
			" method=GET route=callback provider=microsoft status=302 duration_us=1234"
			" query_bytes=28 outcome=code binding=missing\n"));
}
END_TEST

/* Every field there is, in its order, and the largest numbers. */
START_TEST(logs_every_field)
{
	struct request request = {
		.id = ID,
		.method = SPAN("GET"),
		.query = SPAN(MARKER),
		.route = ROUTE_CALLBACK,
		.provider = &providers[MICROSOFT],
	};
	struct response response = {
		.status = 400,
		.problem = { 400, "a_reason", "a_parameter", "a detail, which is not logged",
		    "A hint of the problem" },
		.outcome = { "an_outcome", "A hint", false, false, "an_error", "a_subcode", "15",
		    "a-guid", MARKER, false },
		.binding = "a_binding",
	};
	struct config *config = support_usual_config();

	access_log_request(config, &request, &response, UINT64_MAX, "2001:db8::1");
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_str_eq(after_time(),
	    LINE("info",
		"\"method\":\"GET\",\"route\":\"callback\",\"provider\":\"microsoft\",\"status\":400,"
		"\"duration_us\":18446744073709551615,\"query_bytes\":8,"
		"\"client\":\"2001:db8::1\",\"reason\":\"a_reason\","
		"\"parameter\":\"a_parameter\",\"outcome\":\"an_outcome\","
		"\"error\":\"an_error\",\"error_subcode\":\"a_subcode\","
		"\"aadsts\":\"15\",\"correlation_id\":\"a-guid\",\"binding\":\"a_binding\",\"hint\":\"A hint of the problem\""));
	response.problem.hint = NULL;
	access_log_request(config, &request, &response, 0, "");
	ck_assert_ptr_nonnull(strstr(seen, ",\"binding\":\"a_binding\",\"hint\":\"A hint\"}\n"));
	response.outcome.hint_takes_link = true;
	access_log_request(config, &request, &response, 0, "");
	ck_assert_ptr_nonnull(
	    strstr(seen, ",\"hint\":\"A hint: https://oauth.example.com/connect/admin\"}\n"));
	response.problem.hint = "A hint of the problem";
	access_log_request(config, &request, &response, 0, "");
	ck_assert_ptr_nonnull(strstr(seen, ",\"hint\":\"A hint of the problem\"}\n"));
	config_free(config);
}
END_TEST

/* A word of a closed set, whatever the browser says, and only where it is the reason. */
START_TEST(logs_where_a_refused_start_came_from)
{
	static const struct header site = { SPAN("Sec-Fetch-Site"), SPAN(MARKER) };
	struct request request = { .id = ID,
		.method = SPAN("GET"),
		.route = ROUTE_CONNECT,
		.headers = &site,
		.n_headers = 1 };
	struct response response = { .status = 403, .problem = { .reason = "cross_site_start" } };
	struct config *config = support_usual_config();

	access_log_request(config, &request, &response, 0, "");
	ck_assert_ptr_nonnull(
	    strstr(seen, ",\"reason\":\"cross_site_start\",\"sec_fetch_site\":\"other\"}\n"));
	response.status = 302;
	access_log_request(config, &request, &response, 0, "");
	ck_assert_ptr_null(strstr(seen, "sec_fetch_site"));
	config_free(config);
}
END_TEST

static const struct {
	struct span method;
	const char *word;
} method_rows[] = {
	{ SPAN("GET"), "GET" },
	{ SPAN("HEAD"), "HEAD" },
	{ SPAN("POST"), "POST" },
	{ SPAN("PUT"), "PUT" },
	{ SPAN("DELETE"), "DELETE" },
	{ SPAN("CONNECT"), "CONNECT" },
	{ SPAN("OPTIONS"), "OPTIONS" },
	{ SPAN("TRACE"), "TRACE" },
	{ SPAN("PATCH"), "PATCH" },
	{ SPAN("GETS"), "other" },
	{ SPAN("GE"), "other" },
	{ SPAN("Get"), "other" },
	{ SPAN("GET\0"), "other" },
	{ SPAN("\"\r\n"), "other" },
	{ SPAN(""), "other" },
};

START_TEST(names_methods)
{
	struct config *config = support_usual_config();
	struct request request = { .id = ID, .target = SPAN("/") };
	struct response response = { .status = 404 };
	char wanted[256];
	struct buf b;

	request.method = method_rows[_i].method;
	buf_init(&b, wanted, sizeof(wanted));
	buf_printf(&b,
	    LINE("info", "\"method\":\"%s\",\"route\":\"other\",\"status\":404,"
			 "\"duration_us\":0,\"query_bytes\":0"),
	    method_rows[_i].word);
	access_log_request(config, &request, &response, 0, "");
	ck_assert_str_eq(after_time(), wanted);
	config_free(config);
}
END_TEST

static const struct {
	enum log_level lowest;
	size_t len;
	const char *line; /* NULL: none */
} long_url_rows[] = {
	{ LOG_INFO, 0, NULL },
	{ LOG_INFO, OAUTH_URL_ADVISED_LEN, NULL },
	{ LOG_ERROR, OAUTH_URL_ADVISED_LEN + 1, NULL },
	{ LOG_WARNING, OAUTH_URL_ADVISED_LEN + 1,
	    "\",\"level\":\"warning\",\"event\":\"authorize_url_long\",\"id\":\"" ID
	    "\",\"bytes\":2001,\"hint\":\"Providers and proxies may refuse URLs of more than "
	    "2,000 bytes: use a shorter success_url and error_url\"}\n" },
};

START_TEST(warns_of_long_urls)
{
	struct request request = {
		.id = ID,
		.method = SPAN("GET"),
		.target = SPAN("/connect?recall_calendar_auth_token=" MARKER),
	};
	struct response response = { .status = 302 };
	struct config *config = support_config("{\"log.access\": false}", NULL);

	response.authorize_url_len = long_url_rows[_i].len;
	log_configure(long_url_rows[_i].lowest, LOG_JSON);
	access_log_request(config, &request, &response, 0, "");
	config_free(config);
	ck_assert_uint_eq(n_seen, long_url_rows[_i].line != NULL ? 1 : 0);
	if (long_url_rows[_i].line != NULL)
		ck_assert_str_eq(after_time(), long_url_rows[_i].line);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, set_up, tear_down);
	LOOP(tests, logs_requests, rows);
	LOOP(tests, logs_health_at_debug_only, rows);
	tcase_add_test(tests, logs_as_text);
}

int
main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("access");

	support_at_every_provider(suite, add_tests);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, logs_every_field);
	tcase_add_test(tests, logs_where_a_refused_start_came_from);
	LOOP(tests, names_methods, method_rows);
	LOOP(tests, warns_of_long_urls, long_url_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
