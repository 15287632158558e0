#include "page.h"

#include <cjson/cJSON.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "support.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ID           "0123456789abcdef"

/* By name, so that what is only for the log may come and go. */
#define PROBLEM(s, r, p, d)                                                                        \
	{                                                                                          \
		.status = (s), .reason = (r), .parameter = (p), .detail = (d)                      \
	}

static char body[4096], location[256];

static const struct header html[] = { { SPAN("Accept"), SPAN("text/html") } };

/* Refuse with what was there before, which nobody may get to see. */
static void
refuse(struct response *response, const struct header *headers, size_t n_headers,
    const struct problem *problem)
{
	struct request request = { .id = ID,
		.method = SPAN("GET"),
		.target = SPAN("/hunter2?hunter2"),
		.headers = headers,
		.n_headers = n_headers,
		.body = SPAN("hunter2") };

	*response = (struct response){ 0 };
	buf_init(&response->body, body, sizeof(body));
	buf_init(&response->location, location, sizeof(location));
	buf_puts(&response->body, "hunter2");
	buf_puts(&response->location, "https://hunter2.example/");
	page_refuse(response, &request, problem);
	ck_assert_str_eq(location, "");
	ck_assert_ptr_null(strstr(body, "hunter2"));
}

static const struct {
	struct problem problem;
	const char *json;
} json_rows[] = {
	{ PROBLEM(400, "parameter_empty", "success_url", "is empty"),
	    "{\"type\":\"about:blank\",\"title\":\"Bad request\",\"status\":400,\"detail\":"
	    "\"success_url is empty.\",\"reason\":\"parameter_empty\",\"parameter\":"
	    "\"success_url\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(404, "not_found", NULL, "There is nothing at this address"),
	    "{\"type\":\"about:blank\",\"title\":\"Not found\",\"status\":404,\"detail\":"
	    "\"There is nothing at this address.\",\"reason\":\"not_found\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(405, "method_not_allowed", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Method not allowed\",\"status\":405,\"detail\":"
	    "\"No.\",\"reason\":\"method_not_allowed\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(413, "body_too_large", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Content too large\",\"status\":413,\"detail\":"
	    "\"No.\",\"reason\":\"body_too_large\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(414, "query_too_long", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Address too long\",\"status\":414,\"detail\":"
	    "\"No.\",\"reason\":\"query_too_long\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(415, "body_type", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Unsupported media type\",\"status\":415,"
	    "\"detail\":\"No.\",\"reason\":\"body_type\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(431, "head_too_large", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Header fields too large\",\"status\":431,"
	    "\"detail\":\"No.\",\"reason\":\"head_too_large\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(500, "answer_too_large", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Internal error\",\"status\":500,\"detail\":"
	    "\"No.\",\"reason\":\"answer_too_large\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(503, "unconfigured", NULL, "No"),
	    "{\"type\":\"about:blank\",\"title\":\"Not available\",\"status\":503,\"detail\":"
	    "\"No.\",\"reason\":\"unconfigured\",\"id\":\"" ID "\"}\n" },
	{ PROBLEM(400, "a", NULL, "a \"b\" \\ <c> & d\n\x01"),
	    "{\"type\":\"about:blank\",\"title\":\"Bad request\",\"status\":400,\"detail\":"
	    "\"a \\\"b\\\" \\\\ <c> & d\\n\\u0001.\",\"reason\":\"a\",\"id\":\"" ID "\"}\n" },
};

static void
check_member(const cJSON *tree, const char *name, const char *wanted)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(tree, name);

	ck_assert_pstr_eq(cJSON_GetStringValue(member), wanted);
}

/* Any JSON parser reads the same out of it as we put in. */
static void
check_valid_json(const struct problem *problem)
{
	cJSON *tree = cJSON_Parse(body);

	ck_assert_ptr_nonnull(tree);
	ck_assert_int_eq(cJSON_GetArraySize(tree), problem->parameter != NULL ? 7 : 6);
	ck_assert_double_eq(
	    cJSON_GetNumberValue(cJSON_GetObjectItem(tree, "status")), (double)problem->status);
	check_member(tree, "type", "about:blank");
	check_member(tree, "reason", problem->reason);
	check_member(tree, "parameter", problem->parameter);
	check_member(tree, "id", ID);
	cJSON_Delete(tree);
}

START_TEST(writes_problem_json)
{
	const struct problem *problem = &json_rows[_i].problem;
	struct response response;

	refuse(&response, NULL, 0, problem);
	ck_assert_int_eq(response.status, problem->status);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_uint_eq(response.n_fields, 0);
	ck_assert_str_eq(body, json_rows[_i].json);
	ck_assert_pstr_eq(response.problem.reason, problem->reason);
	ck_assert_pstr_eq(response.problem.parameter, problem->parameter);
	check_valid_json(problem);
}
END_TEST

/* What stands around the two places that differ from page to page. */
#define PAGE(title, sentence, status)                                                              \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                  \
	"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"                \
	"<title>" title "</title>\n<style>*</style>\n</head>\n<body>\n<main>\n<h1>" title          \
	"</h1>\n<p>" sentence "</p>\n</main>\n<footer>Error " status ", request <code>" ID         \
	"</code></footer>\n</body>\n</html>\n"

static const struct {
	struct problem problem;
	const char *page; /* with the style as a * */
} html_rows[] = {
	{ PROBLEM(404, "not_found", NULL, "There is nothing at this address"),
	    PAGE("Not found", "There is nothing at this address.", "404") },
	{ PROBLEM(400, "parameter_malformed", "success_url", "has < or > in it & more \"quotes\""),
	    PAGE("Bad request", "success_url has &lt; or &gt; in it &amp; more \"quotes\".",
		"400") },
	{ PROBLEM(503, "unconfigured", NULL, "</p><script>alert(1)</script>"),
	    PAGE("Not available", "&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;.", "503") },
};

/* Cut the style out of the page and put a * in its place; returns the style. */
static struct span
take_style(struct buf *page)
{
	static char style[1024];
	char *start = strstr(body, "<style>") + strlen("<style>");
	char *end = strstr(body, "</style>");
	size_t len = (size_t)(end - start);

	ck_assert_uint_lt(len, sizeof(style));
	memcpy(style, start, len);
	buf_put(page, (struct span){ body, (size_t)(start - body) });
	buf_putc(page, '*');
	buf_puts(page, end);
	ck_assert(buf_ok(page));
	return (struct span){ style, len };
}

START_TEST(writes_html)
{
	char array[2048];
	struct response response;
	struct buf page;

	refuse(&response, html, COUNT(html), &html_rows[_i].problem);
	ck_assert_int_eq(response.status, html_rows[_i].problem.status);
	ck_assert_str_eq(response.content_type, "text/html; charset=utf-8");
	buf_init(&page, array, sizeof(array));
	take_style(&page);
	ck_assert_str_eq(page.data, html_rows[_i].page);
}
END_TEST

static void
put_hash(struct buf *out, struct span bytes)
{
	unsigned char digest[32];
	gnutls_datum_t raw = { digest, sizeof(digest) }, text;

	ck_assert_int_eq(gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.data, bytes.len, digest), 0);
	ck_assert_int_eq(gnutls_base64_encode2(&raw, &text), 0);
	buf_put(out, (struct span){ (const char *)text.data, text.size });
	gnutls_free(text.data);
}

/* The policy lets this one style through and nothing else: a changed style needs a new hash. */
START_TEST(allows_its_own_style)
{
	char page_array[2048], policy_array[512];
	struct response response;
	struct buf page, policy;
	struct span style;

	refuse(&response, html, COUNT(html), &html_rows[0].problem);
	buf_init(&page, page_array, sizeof(page_array));
	buf_init(&policy, policy_array, sizeof(policy_array));
	style = take_style(&page);
	ck_assert_uint_gt(style.len, 0);
	buf_puts(&policy, "default-src 'none'; style-src 'sha256-");
	put_hash(&policy, style);
	buf_puts(&policy, "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	ck_assert_uint_eq(response.n_fields, 1);
	ck_assert_str_eq(response.fields[0].name, "Content-Security-Policy");
	ck_assert_str_eq(response.fields[0].value, policy.data);
}
END_TEST

#define BROWSER "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

static const struct {
	struct header headers[2];
	bool is_html;
} accept_rows[] = {
	{ { { SPAN("X"), SPAN("text/html") }, { SPAN("Host"), SPAN("x") } }, false },
	{ { { SPAN("Accept"), SPAN("text/html") }, { SPAN("X"), SPAN("") } }, true },
	{ { { SPAN("X"), SPAN("") }, { SPAN("aCCEPT"), SPAN("TEXT/Html") } }, true },
	{ { { SPAN("Accept"), SPAN(BROWSER) }, { SPAN("X"), SPAN("") } }, true },
	{ { { SPAN("Accept"), SPAN("application/json, text/html") }, { SPAN("X"), SPAN("") } },
	    true },
	{ { { SPAN("Accept"), SPAN("application/json") }, { SPAN("Accept"), SPAN("text/html") } },
	    true },
	{ { { SPAN("Accept"), SPAN(" , ,\ttext/html ;level=1; q=0.001") },
	      { SPAN("X"), SPAN("") } },
	    true },
	{ { { SPAN("Accept"), SPAN("text/html;q=1") }, { SPAN("X"), SPAN("") } }, true },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.5, */*") }, { SPAN("X"), SPAN("") } }, true },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.9, application/json;q=0.5") },
	      { SPAN("X"), SPAN("") } },
	    true },
	{ { { SPAN("Accept"), SPAN("application/json, text/html;q=0.9") },
	      { SPAN("X"), SPAN("") } },
	    false },
	{ { { SPAN("Accept"), SPAN("text/html;q=0.1") },
	      { SPAN("Accept"), SPAN("application/problem+json") } },
	    false },
	{ { { SPAN("Accept"), SPAN("") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("*/*") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("text/*") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("text/plain") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("text/htmlx") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("text/htm") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("xtext/html") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("application/json;x=text/html") }, { SPAN("X"), SPAN("") } },
	    false },
	{ { { SPAN("Accept"), SPAN("text/html;q=0") }, { SPAN("X"), SPAN("") } }, false },
	{ { { SPAN("Accept"), SPAN("text/html ; Q=0.000 , */*") }, { SPAN("X"), SPAN("") } },
	    false },
	{ { { SPAN("Accept"), SPAN("application/problem+json") }, { SPAN("X"), SPAN("") } },
	    false },
	{ { { SPAN("Accept-Language"), SPAN("text/html") }, { SPAN("X"), SPAN("") } }, false },
};

START_TEST(follows_accept)
{
	struct response response;

	refuse(&response, accept_rows[_i].headers, 2, &json_rows[0].problem);
	ck_assert_str_eq(response.content_type,
	    accept_rows[_i].is_html ? "text/html; charset=utf-8" : "application/problem+json");
	ck_assert_int_eq(body[0], accept_rows[_i].is_html ? '<' : '{');
}
END_TEST

/* Half a page is none. */
START_TEST(overflow_empties)
{
	struct request request = { .id = ID,
		.method = SPAN("GET"),
		.target = SPAN("/"),
		.headers = html,
		.n_headers = _i == 0 ? COUNT(html) : 0,
		.body = SPAN("") };
	struct response response = { 0 };

	buf_init(&response.body, body, 100);
	buf_init(&response.location, location, sizeof(location));
	page_refuse(&response, &request, &json_rows[0].problem);
	ck_assert(!buf_ok(&response.body));
	ck_assert_str_eq(body, "");
	ck_assert_int_eq(response.status, 400);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("page");
	TCase *tests = tcase_create("page");

	tcase_add_loop_test(tests, writes_problem_json, 0, COUNT(json_rows));
	tcase_add_loop_test(tests, writes_html, 0, COUNT(html_rows));
	tcase_add_test(tests, allows_its_own_style);
	tcase_add_loop_test(tests, follows_accept, 0, COUNT(accept_rows));
	tcase_add_loop_test(tests, overflow_empties, 0, 2);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
