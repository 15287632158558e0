#include "http/http.h"
#include "support.h"

#include <stdlib.h>

static const struct header find_headers[] = {
	{ SPAN("Host"), SPAN("h") },
	{ SPAN("X-Two"), SPAN("first") },
	{ SPAN("x-two"), SPAN("second") },
	{ SPAN("Empty"), SPAN("") },
	{ SPAN("X-Two-More"), SPAN("more") },
};

static const struct {
	const char *name, *value;
	size_t n;
} find_rows[] = {
	{ "Host", "h", 1 },
	{ "host", "h", 1 },
	{ "HOST", "h", 1 },
	{ "X-Two", "first", 2 },
	{ "x-tWO", "first", 2 },
	{ "x-TWO-more", "more", 1 },
	{ "X-Tw", "", 0 },
	{ "X-Two-", "", 0 },
	{ "Empty", "", 1 },
	{ "None", "", 0 },
	{ "", "", 0 },
};

START_TEST(finds_headers)
{
	struct request request = {
		.headers = find_headers,
		.n_headers = sizeof(find_headers) / sizeof(find_headers[0]),
	};
	struct span value = SPAN("untouched");
	size_t n = http_count_header(&request, find_rows[_i].name, &value);

	ck_span_eq(http_find_header(&request, find_rows[_i].name), find_rows[_i].value);
	ck_assert_uint_eq(n, find_rows[_i].n);
	ck_span_eq(value, n > 0 ? find_rows[_i].value : "untouched");
}
END_TEST

START_TEST(finds_nothing_without_headers)
{
	struct request request = { 0 };
	struct span value = http_find_header(&request, "Host");

	ck_span_eq(value, "");
	ck_assert_ptr_nonnull(value.data);
	ck_assert_uint_eq(http_accept_weight(&request, "text/html"), 0);
}
END_TEST

static const struct {
	struct header headers[3]; /* an empty name ends them */
	unsigned html, json;      /* in thousandths */
} accept_rows[] = {
	{ { { SPAN("Accept"), SPAN("") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("application/json") } }, 0, 1000 },
	{ { { SPAN("Accept"), SPAN("text/html,application/json") } }, 1000, 1000 },
	{ { { SPAN("Accept"), SPAN("text/plain, \ttext/html\t ,image/png") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN(",,text/html,") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.5x9") } }, 500, 0 },
	/* Names and types in any case. */
	{ { { SPAN("accept"), SPAN("TEXT/Html") } }, 1000, 0 },
	{ { { SPAN("ACCEPT"), SPAN("text/html") } }, 1000, 0 },
	/* Only Accept itself. */
	{ { { SPAN("Accept-Language"), SPAN("text/html") } }, 0, 0 },
	{ { { SPAN("Content-Type"), SPAN("text/html") } }, 0, 0 },
	/* Several fields. */
	{ { { SPAN("Accept"), SPAN("image/png") }, { SPAN("Accept"), SPAN("text/html") } }, 1000,
	    0 },
	{ { { SPAN("Accept"), SPAN("text/html") }, { SPAN("accept"), SPAN("application/json") } },
	    1000, 1000 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0") },
	      { SPAN("Accept"), SPAN("application/json") } },
	    0, 1000 },
	{ { { SPAN("Host"), SPAN("h") }, { SPAN("Accept"), SPAN("text/html") } }, 1000, 0 },
	/* A wildcard names nothing. */
	{ { { SPAN("Accept"), SPAN("*/*") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/*") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("*/*, text/html") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/*, application/json;q=0.1") } }, 0, 100 },
	/* What browsers send. */
	{ { { SPAN("Accept"), SPAN("text/html,application/xhtml+xml,application/xml;q=0.9,"
				   "image/avif,image/webp,*/*;q=0.8") } },
	    1000, 0 },
	/* Weights. */
	{ { { SPAN("Accept"), SPAN("text/html;q=0") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.0") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.00") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.000") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;Q=0") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html ; q=0 ") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0, application/json") } }, 0, 1000 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.001") } }, 1, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.5") } }, 500, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.05") } }, 50, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.999") } }, 999, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.9999") } }, 999, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.1, text/html;q=0.3, text/html;q=0.2") } }, 300,
	    0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.4") },
	      { SPAN("Accept"), SPAN("application/json;q=0.8, text/html;q=0.6") } },
	    600, 800 },
	{ { { SPAN("Accept"), SPAN("text/html;q=") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=x") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=1") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=1.000") } }, 1000, 0 },
	/* Other parameters, before and after the weight. */
	{ { { SPAN("Accept"), SPAN("text/html;level=1") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;level=1;q=0") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;level=1;q=0, text/html") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;level=0;q=0.3") } }, 300, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.3;level=0") } }, 300, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;qq=0") } }, 1000, 0 },
	{ { { SPAN("Accept"), SPAN("text/html;") } }, 1000, 0 },
	/* No other type. */
	{ { { SPAN("Accept"), SPAN("text/htm") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html5") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("xtext/html") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text /html") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("text/html\0") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("application/problem+json") } }, 0, 0 },
	{ { { SPAN("Accept"), SPAN("image/png;x=text/html") } }, 0, 0 },
};

START_TEST(accepts)
{
	struct header headers[3];
	struct request request = { .headers = headers };

	memcpy(headers, accept_rows[_i].headers, sizeof(headers));
	for (size_t *n = &request.n_headers; *n < 3 && headers[*n].name.len > 0; ++*n)
		headers[*n].value.data = support_copy(headers[*n].value);
	ck_assert_uint_gt(request.n_headers, 0);
	ck_assert_uint_eq(http_accept_weight(&request, "text/html"), accept_rows[_i].html);
	ck_assert_uint_eq(http_accept_weight(&request, "application/json"), accept_rows[_i].json);
	while (request.n_headers > 0)
		free((void *)(uintptr_t)headers[--request.n_headers].value.data);
}
END_TEST

static const struct {
	struct span content_type;
	bool is_json;
} media_type_rows[] = {
	{ SPAN("application/json"), true },
	{ SPAN("Application/JSON"), true },
	{ SPAN("application/json; charset=utf-8"), true },
	{ SPAN("application/json;charset=utf-8"), true },
	{ SPAN(" \tapplication/json\t ;x"), true },
	{ SPAN("application/json;"), true },
	{ SPAN(""), false },
	{ SPAN(";application/json"), false },
	{ SPAN("application/jso"), false },
	{ SPAN("application/jsonp"), false },
	{ SPAN("application/json, text/html"), false },
	{ SPAN("application/problem+json"), false },
	{ SPAN("text/plain; application/json"), false },
	{ SPAN("application/json\0"), false },
	{ SPAN("application/json\r\n"), false },
};

START_TEST(compares_media_types)
{
	ck_assert_int_eq(http_is_media_type(media_type_rows[_i].content_type, "application/json"),
	    media_type_rows[_i].is_json);
}
END_TEST

static const struct {
	struct span target;
	const char *path, *query; /* with its `?` */
} target_rows[] = {
	{ SPAN("/"), "/", "" },
	{ SPAN("/a/b"), "/a/b", "" },
	{ SPAN("/a?"), "/a", "?" },
	{ SPAN("/a?b=c"), "/a", "?b=c" },
	{ SPAN("/a?b?c??d"), "/a", "?b?c??d" },
	{ SPAN("/a??"), "/a", "??" },
	{ SPAN("?"), "", "?" },
	{ SPAN("?a"), "", "?a" },
	{ SPAN(""), "", "" },
	{ SPAN("*"), "*", "" },
	{ SPAN("*?x"), "*", "?x" },
	/* Nothing is decoded or normalised. */
	{ SPAN("/%61%3fb"), "/%61%3fb", "" },
	{ SPAN("//h/a"), "//h/a", "" },
	{ SPAN("/a/../b;c#d"), "/a/../b;c#d", "" },
	{ SPAN("/a#b?c"), "/a#b", "?c" },
	{ SPAN("/\xff?\x80"), "/\xff", "?\x80" },
	/* Absolute form. */
	{ SPAN("http://h/x"), "/x", "" },
	{ SPAN("https://h/x?y"), "/x", "?y" },
	{ SPAN("HTTP://H/x"), "/x", "" },
	{ SPAN("HttpS://H:8443/X?Y"), "/X", "?Y" },
	{ SPAN("http://h?x"), "", "?x" },
	{ SPAN("http://h?/x"), "", "?/x" },
	{ SPAN("http://h"), "", "" },
	{ SPAN("http://h/"), "/", "" },
	{ SPAN("http://"), "", "" },
	{ SPAN("http:///x"), "/x", "" },
	{ SPAN("http://u@h:1//x"), "//x", "" },
	{ SPAN("http://h/http://i/x"), "/http://i/x", "" },
	{ SPAN("http://[::1]/x"), "/x", "" },
	/* Another scheme, or none. */
	{ SPAN("http:/h/x"), "http:/h/x", "" },
	{ SPAN("httpx://h/x"), "httpx://h/x", "" },
	{ SPAN("ftp://h/x?y"), "ftp://h/x", "?y" },
	{ SPAN("h:443"), "h:443", "" },
	{ SPAN("/http://h/x"), "/http://h/x", "" },
};

START_TEST(splits_targets)
{
	struct request request = { .target = target_rows[_i].target };
	const char *query = target_rows[_i].query;

	http_split_target(&request);
	ck_span_eq(request.path, target_rows[_i].path);
	ck_assert_int_eq(request.has_query, *query == '?');
	ck_span_eq(request.query, *query == '?' ? query + 1 : "");
}
END_TEST

START_TEST(adds_fields)
{
	struct response response = { 0 };

	http_add_field(&response, "A", "1");
	http_add_field(&response, "A", "2");
	ck_assert_uint_eq(response.n_fields, 2);
	ck_assert_str_eq(response.fields[0].name, "A");
	ck_assert_str_eq(response.fields[0].value, "1");
	ck_assert_str_eq(response.fields[1].name, "A");
	ck_assert_str_eq(response.fields[1].value, "2");
}
END_TEST

static const struct {
	enum route route;
	const char *name;
} route_rows[] = {
	{ ROUTE_OTHER, "other" },
	{ ROUTE_CALLBACK, "callback" },
	{ ROUTE_CONNECT, "connect" },
	{ ROUTE_CONNECT_ADMIN, "connect_admin" },
	{ ROUTE_ADMIN_CALLBACK, "admin_consent_callback" },
	{ ROUTE_ASSOCIATION, "association" },
	{ ROUTE_HEALTHZ, "healthz" },
	{ ROUTE_READYZ, "readyz" },
};

START_TEST(names_routes)
{
	ck_assert_str_eq(http_route_names[route_rows[_i].route], route_rows[_i].name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http");
	TCase *tests = tcase_create("http");

	tcase_add_loop_test(tests, finds_headers, 0, sizeof(find_rows) / sizeof(find_rows[0]));
	tcase_add_test(tests, finds_nothing_without_headers);
	tcase_add_loop_test(tests, accepts, 0, sizeof(accept_rows) / sizeof(accept_rows[0]));
	tcase_add_loop_test(
	    tests, compares_media_types, 0, sizeof(media_type_rows) / sizeof(media_type_rows[0]));
	tcase_add_loop_test(tests, splits_targets, 0, sizeof(target_rows) / sizeof(target_rows[0]));
	tcase_add_test(tests, adds_fields);
	tcase_add_loop_test(tests, names_routes, 0, sizeof(route_rows) / sizeof(route_rows[0]));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
