#include <stdio.h>
#include <stdlib.h>

#include "observe/metrics.h"
#include "support.h"

static struct metrics one, two;
static char text[METRICS_TEXT_SIZE];

static void
start_at_zero(void)
{
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
}

static void
count(struct metrics *metrics, enum route route, const char *method, int status,
    const struct outcome *outcome, const char *binding, uint64_t duration_us)
{
	struct request request = {
		.method = span_of(method), .route = route, .provider = support_provider
	};
	struct response response = { .status = status, .binding = binding };

	if (outcome != NULL)
		response.outcome = *outcome;
	metrics_count(metrics, &request, &response, duration_us);
}

static const char *
write_text(void)
{
	static const struct incidents incidents = { .rejected = { 1, 2, 3, 17 } };
	static const struct gauges gauges = { .connections_open = 7,
		.incidents = &incidents,
		.log_lines_dropped = 4,
		.reload_success = true,
		.certificate_expiry = 1800000000,
		.version = "9.9.9",
		.libmicrohttpd = "1.0.1",
		.cpu_seconds = 1.25,
		.start_seconds = 1700000000.5,
		.open_fds = 11,
		.max_fds = 12,
		.virtual_bytes = 13,
		.resident_bytes = 14 };
	struct metrics total = { 0 };
	struct buf out;

	buf_init(&out, text, sizeof(text));
	metrics_add(&one, &total);
	metrics_add(&two, &total);
	metrics_put(&out, &total, &gauges);
	ck_assert(buf_ok(&out));
	return text;
}

static void
assert_line(const char *row)
{
	char wanted[256];
	const char *at;
	struct buf b;

	buf_init(&b, wanted, sizeof(wanted));
	support_put(&b, span_of(row));
	at = strstr(text, wanted);

	ck_assert_msg(at != NULL && at[strlen(wanted)] == '\n' && (at == text || at[-1] == '\n'),
	    "no line \"%s\"", wanted);
}

/* Every series is there from the start, at 0: its names and labels, in their number. */
START_TEST(starts_with_every_series_at_zero)
{
	size_t n = 0;

	write_text();
	for (const char *at = text; (at = strstr(at, "redirectd_http_requests_total{")) != NULL;
	     at++)
		n++;
	ck_assert_uint_eq(n, N_ROUTES * METRICS_METHODS * HTTP_N_STATUSES);
	assert_line(
	    "redirectd_http_requests_total{route=\"admin_consent_callback\",method=\"other\",code="
	    "\"other\"} 0");
	assert_line("redirectd_callbacks_total{provider=\"microsoft\",outcome=\"ambiguous\"} 0");
	assert_line(
	    "redirectd_callback_errors_total{provider=\"microsoft\",error=\"temporarily_unavailable\"} 0");
	assert_line("redirectd_connects_total{provider=\"microsoft\",result=\"unconfigured\"} 0");
	assert_line("redirectd_binding_total{provider=\"microsoft\",result=\"missing\"} 0");
	assert_line("redirectd_http_request_duration_seconds_bucket{le=\"+Inf\"} 0");
}
END_TEST

static const struct {
	enum route route;
	const char *method;
	int status;
	const char *line;
} request_rows[] = {
	{ ROUTE_CALLBACK, "GET", 302, "route=\"callback\",method=\"GET\",code=\"302\"} 1" },
	{ ROUTE_CONNECT, "POST", 303, "route=\"connect\",method=\"POST\",code=\"303\"} 1" },
	{ ROUTE_OTHER, "BREW", 404, "route=\"other\",method=\"other\",code=\"404\"} 1" },
	{ ROUTE_OTHER, "get", 418, "route=\"other\",method=\"other\",code=\"other\"} 1" },
	{ ROUTE_METRICS, "GET", 200, "route=\"metrics\",method=\"GET\",code=\"200\"} 1" },
	{ ROUTE_CONNECT, "GET", 501, "route=\"connect\",method=\"GET\",code=\"501\"} 1" },
	{ ROUTE_READYZ, "HEAD", 503, "route=\"readyz\",method=\"HEAD\",code=\"503\"} 1" },
};

START_TEST(counts_requests)
{
	char line[160];

	count(&two, request_rows[_i].route, request_rows[_i].method, request_rows[_i].status, NULL,
	    NULL, 5);
	write_text();
	snprintf(line, sizeof(line), "redirectd_http_requests_total{%s", request_rows[_i].line);
	assert_line(line);
}
END_TEST

/* The values of `error` are those of all providers, and "other". */
static const char *const error_rows[] = { "access_denied", "admin_policy_enforced",
	"consent_required", "deleted_client", "disallowed_useragent", "interaction_required",
	"invalid_client", "invalid_request", "invalid_resource", "invalid_scope", "login_required",
	"org_internal", "redirect_uri_mismatch", "server_error", "temporarily_unavailable",
	"unauthorized_client", "unsupported_response_type", "other" };

START_TEST(has_every_error)
{
	char line[160];
	size_t n = 0;

	write_text();
	for (size_t i = 0; i < N_PROVIDERS * COUNT(error_rows); i++) {
		snprintf(line, sizeof(line),
		    "redirectd_callback_errors_total{provider=\"%s\",error=\"%s\"} 0",
		    providers[i % N_PROVIDERS].name, error_rows[i / N_PROVIDERS]);
		assert_line(line);
	}
	for (const char *at = text; (at = strstr(at, "callback_errors_total{")) != NULL; at++)
		n++;
	ck_assert_uint_eq(n, N_PROVIDERS * COUNT(error_rows));
}
END_TEST

START_TEST(counts_callbacks)
{
	const struct outcome good = { .name = "code" };
	const struct outcome denied = { .name = "error", .error = "access_denied" };
	const struct outcome walled = { .name = "admin_wall", .error = "access_denied" };
	const struct outcome odd = { .name = "error", .error = "other" };
	const struct provider *own = support_provider;

	support_provider = &providers[N_PROVIDERS - 1 - own->id];
	count(&one, ROUTE_CALLBACK, "GET", 302, &odd, "mismatch", 1); /* another's */
	support_provider = own;
	count(&one, ROUTE_CALLBACK, "GET", 302, &good, "match", 1);
	count(&two, ROUTE_CALLBACK, "GET", 302, &good, "missing", 1);
	count(&one, ROUTE_CALLBACK, "GET", 302, &denied, "mismatch", 1);
	count(&two, ROUTE_CALLBACK, "GET", 302, &odd, NULL, 1);
	count(&two, ROUTE_CALLBACK, "GET", 200, &walled, NULL, 1);
	count(&two, ROUTE_ADMIN_CALLBACK, "GET", 200, &denied, "missing", 1); /* not a callback */
	write_text();
	assert_line("redirectd_callbacks_total{provider=\"microsoft\",outcome=\"code\"} 2");
	assert_line("redirectd_callbacks_total{provider=\"microsoft\",outcome=\"error\"} 2");
	assert_line("redirectd_callbacks_total{provider=\"microsoft\",outcome=\"admin_wall\"} 1");
	assert_line(
	    "redirectd_callback_errors_total{provider=\"microsoft\",error=\"access_denied\"} 2");
	assert_line("redirectd_callback_errors_total{provider=\"microsoft\",error=\"other\"} 1");
	assert_line("redirectd_binding_total{provider=\"microsoft\",result=\"match\"} 1");
	assert_line("redirectd_binding_total{provider=\"microsoft\",result=\"missing\"} 1");
	assert_line("redirectd_binding_total{provider=\"microsoft\",result=\"mismatch\"} 1");
}
END_TEST

static const struct {
	int status;
	const char *result;
} connect_rows[] = { { 302, "redirect" }, { 303, "redirect" }, { 200, "json" }, { 400, "invalid" },
	{ 405, "invalid" }, { 413, "invalid" }, { 415, "invalid" }, { 403, "refused" },
	{ 501, "unconfigured" }, { 503, "invalid" } };

START_TEST(counts_connects)
{
	char line[120];

	count(&one, ROUTE_CONNECT, "GET", connect_rows[_i].status, NULL, NULL, 1);
	write_text();
	snprintf(line, sizeof(line),
	    "redirectd_connects_total{provider=\"microsoft\",result=\"%s\"} 1",
	    connect_rows[_i].result);
	assert_line(line);
}
END_TEST

/* On each bound and one above it; then far above all of them. */
START_TEST(puts_durations_into_buckets)
{
	static const struct {
		uint64_t us;
		const char *seconds;
	} bounds[] = { { 10, "1e-05" }, { 25, "2.5e-05" }, { 50, "5e-05" }, { 100, "0.0001" },
		{ 250, "0.00025" }, { 500, "0.0005" }, { 1000, "0.001" }, { 2500, "0.0025" },
		{ 5000, "0.005" }, { 10000, "0.01" }, { 50000, "0.05" }, { 100000, "0.1" },
		{ 500000, "0.5" }, { 1000000, "1" }, { 5000000, "5" } };
	char line[128];

	for (size_t i = 0; i < COUNT(bounds); i++) {
		count(&one, ROUTE_OTHER, "GET", 404, NULL, NULL, bounds[i].us);
		count(&two, ROUTE_OTHER, "GET", 404, NULL, NULL, bounds[i].us + 1);
	}
	count(&one, ROUTE_OTHER, "GET", 404, NULL, NULL, 3000000000);
	write_text();
	for (size_t i = 0; i < COUNT(bounds); i++) {
		snprintf(line, sizeof(line),
		    "redirectd_http_request_duration_seconds_bucket{le=\"%s\"} %zu",
		    bounds[i].seconds, 2 * i + 1);
		assert_line(line);
	}
	assert_line("redirectd_http_request_duration_seconds_bucket{le=\"+Inf\"} 31");
	assert_line("redirectd_http_request_duration_seconds_sum 3013.338885");
	assert_line("redirectd_http_request_duration_seconds_count 31");
}
END_TEST

START_TEST(writes_gauges)
{
	write_text();
	assert_line("redirectd_connections_open 7");
	assert_line("redirectd_connections_rejected_total{reason=\"deadline\"} 1");
	assert_line("redirectd_connections_rejected_total{reason=\"limit\"} 2");
	assert_line("redirectd_connections_rejected_total{reason=\"per_ip\"} 3");
	assert_line("redirectd_connections_rejected_total{reason=\"protocol\"} 17");
	assert_line("redirectd_log_lines_dropped_total 4");
	assert_line("redirectd_config_reload_success 1");
	assert_line("redirectd_tls_certificate_expiry_timestamp_seconds 1800000000");
	assert_line("redirectd_build_info{version=\"9.9.9\",libmicrohttpd=\"1.0.1\"} 1");
	assert_line("process_cpu_seconds_total 1.25");
	assert_line("process_start_time_seconds 1700000000.50");
	assert_line("process_open_fds 11");
	assert_line("process_max_fds 12");
	assert_line("process_virtual_memory_bytes 13");
	assert_line("process_resident_memory_bytes 14");
}
END_TEST

static const struct {
	const char *name, *help, *type;
} help_rows[] = {
	{ "redirectd_http_requests_total", "Answered requests.", "counter" },
	{ "redirectd_http_request_duration_seconds", "From the request line to the answer.",
	    "histogram" },
	{ "redirectd_callbacks_total", "What the provider answered.", "counter" },
	{ "redirectd_callback_errors_total", "The error parameter of the provider's answers.",
	    "counter" },
	{ "redirectd_connects_total", "Requests that start the flow.", "counter" },
	{ "redirectd_binding_total",
	    "Whether an answer belonged to the browser that started the flow.", "counter" },
	{ "redirectd_connections_open", "Open public connections.", "gauge" },
	{ "redirectd_connections_rejected_total",
	    "Connections ended or refused to protect the others.", "counter" },
	{ "redirectd_log_lines_dropped_total",
	    "Log lines lost because standard error was too slow.", "counter" },
	{ "redirectd_config_reload_success",
	    "Whether the last reload succeeded; 1 before the first one.", "gauge" },
	{ "redirectd_tls_certificate_expiry_timestamp_seconds",
	    "End of the certificate, in seconds since 1970.", "gauge" },
	{ "redirectd_build_info", "Versions.", "gauge" },
	{ "process_cpu_seconds_total", "User and system time.", "counter" },
	{ "process_start_time_seconds", "Start, in seconds since 1970.", "gauge" },
	{ "process_open_fds", "Open file descriptors.", "gauge" },
	{ "process_max_fds", "Limit of open file descriptors.", "gauge" },
	{ "process_virtual_memory_bytes", "Virtual memory.", "gauge" },
	{ "process_resident_memory_bytes", "Resident memory.", "gauge" },
};

START_TEST(says_what_each_is)
{
	char line[160];
	size_t n = 0;

	write_text();
	for (size_t i = 0; i < COUNT(help_rows); i++) {
		snprintf(line, sizeof(line), "# HELP %s %s", help_rows[i].name, help_rows[i].help);
		assert_line(line);
		snprintf(line, sizeof(line), "# TYPE %s %s", help_rows[i].name, help_rows[i].type);
		assert_line(line);
	}
	for (const char *at = text; (at = strstr(at, "# HELP ")) != NULL; at++)
		n++;
	ck_assert_uint_eq(n, COUNT(help_rows));
}
END_TEST

/* Prometheus wants HELP and TYPE once, before the samples of a name. */
START_TEST(announces_every_name_once)
{
	struct span rest, line;
	const char *name = "";
	size_t len = 0;

	write_text();
	rest = span_of(text);
	while (span_next(&rest, '\n', &line)) {
		if (line.len > 7 && memcmp(line.data, "# TYPE ", 7) == 0) {
			name = line.data + 7;
			len = strcspn(name, " ");
		} else if (line.data[0] != '#') {
			ck_assert_msg(
			    memcmp(line.data, name, len) == 0, "%.*s", (int)line.len, line.data);
		}
	}
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start_at_zero, NULL);
	tcase_add_test(tests, starts_with_every_series_at_zero);
	tcase_add_test(tests, counts_callbacks);
	LOOP(tests, counts_connects, connect_rows);
}

int
main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tests = tcase_create("metrics");

	support_at_every_provider(suite, add_tests);
	tcase_add_checked_fixture(tests, start_at_zero, NULL);
	LOOP(tests, counts_requests, request_rows);
	tcase_add_test(tests, has_every_error);
	tcase_add_test(tests, puts_durations_into_buckets);
	tcase_add_test(tests, writes_gauges);
	tcase_add_test(tests, says_what_each_is);
	tcase_add_test(tests, announces_every_name_once);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
