#include "flow/page.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "support.h"

#define ID "0123456789abcdef"

/* By name, so that what is only for the log may come and go. */
#define PROBLEM(s, r, p, d)                                                                        \
	{                                                                                          \
		.status = (s), .reason = (r), .parameter = (p), .detail = (d)                      \
	}

enum { PAGE_SIZE = 4096 }; /* no page is larger, its style included */

static char body[PAGE_SIZE], location[256];

static const struct header html[] = { { SPAN("Accept"), SPAN("text/html") } };

#define APP(name, url) "{\"app.name\": \"" name "\", \"app.url\": \"" url "\"}"

/* Refuse with what was there before, which nobody may get to see. */
static void
refuse(const char *config_text, struct response *response, const struct header *headers,
    size_t n_headers, const struct problem *problem)
{
	struct config *config = support_config(config_text, NULL);
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
	response->problem = *problem;
	page_show_problem(config, &request, response);
	config_free(config);
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
	{ PROBLEM(400, "a", NULL, "a \"b\" \\ <c> & d\n\x01"),
	    "{\"type\":\"about:blank\",\"title\":\"Bad request\",\"status\":400,\"detail\":"
	    "\"a \\\"b\\\" \\\\ <c> & d\\u000a\\u0001.\",\"reason\":\"a\",\"id\":\"" ID "\"}\n" },
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

	refuse(NULL, &response, NULL, 0, problem);
	ck_assert_int_eq(response.status, problem->status);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_uint_eq(response.n_fields, 0);
	ck_assert_str_eq(body, json_rows[_i].json);
	ck_assert_pstr_eq(response.problem.reason, problem->reason);
	ck_assert_pstr_eq(response.problem.parameter, problem->parameter);
	check_valid_json(problem);
}
END_TEST

static const struct {
	int status;
	const char *title;
} title_rows[] = {
	{ 400, "Bad request" },
	{ 403, "Please start from the app" },
	{ 404, "Not found" },
	{ 405, "Method not allowed" },
	{ 413, "Content too large" },
	{ 414, "Address too long" },
	{ 415, "Unsupported media type" },
	{ 431, "Header fields too large" },
	{ 500, "Internal error" },
	{ 501, "Not set up yet" },
	{ 503, "Not available" },
	{ 418, "Internal error" },
};

START_TEST(gives_each_status_its_title)
{
	const struct problem problem = PROBLEM(title_rows[_i].status, "a", NULL, "No");
	struct response response;
	char wanted[64];

	refuse(NULL, &response, NULL, 0, &problem);
	snprintf(wanted, sizeof(wanted), ",\"title\":\"%s\",\"status\":%d,", title_rows[_i].title,
	    problem.status);
	ck_assert_msg(strstr(body, wanted) != NULL, "%s", body);
}
END_TEST

/* What stands around the places that differ from page to page. */
#define START(app, title)                                                                          \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                  \
	"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"                \
	"<title>" title "</title>\n<style>*</style>\n</head>\n<body>\n<header>" app                \
	"</header>\n<main>\n<h1>" title "</h1>\n"
#define BACK(app, url) "<a class=\"b\" href=\"" url "\">Back to " app "</a>"
#define END(details)                                                                               \
	"<p>Do you need help? Give this number to support: <code>" ID                              \
	"</code></p>\n</main>\n<footer>\n<h2>For support and developers</h2>\n" details            \
	"</footer>\n</body>\n</html>\n"

#define PAGE_404(header, app, back)                                                                \
	START(header, "There is no page here")                                                     \
	"<p>The address may be incomplete or mistyped. Go back to " app                            \
	" and continue from there.</p>\n<p>" back                                                  \
	"</p>\n" END("<p>No.</p>\n<p>Status 404, reason <code>not_found</code></p>\n")
#define PAGE_400(details)                                                                          \
	START("Calendar connection", "This link does not work")                                    \
	"<p>Something in the link that brought you here is wrong. It is not your fault. Your "     \
	"calendar was not connected.</p>\n<p>Go back to the app and try again. If this page "      \
	"comes up again, tell support.</p>\n<p></p>\n" END(details)
#define PAGE_403(app, url)                                                                         \
	START(app, "Please start from " app)                                                       \
	"<p>You came here from another page, or by typing the address. Your calendar was not "     \
	"connected: a link from a stranger could connect it to the stranger's account.</p>\n"      \
	"<p>Open " app                                                                             \
	" and connect your calendar from there.</p>\n<p>" BACK(app, url) "</p>\n" END(             \
	    "<p>No.</p>\n<p>Status 403, reason <code>cross_site_start</code></p>\n")

static const struct problem nothing_here = PROBLEM(404, "not_found", NULL, "No");

#define NAME_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *config;
	struct problem problem;
	const char *page; /* with the style as a * */
} html_rows[] = {
	/* Without a name and a link the words are neutral, and there is no button. */
	{ NULL, PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("Calendar connection", "the app", "") },
	{ "{\"connect.success_url\": \"https://App.example.com:443/x?y=z\"}",
	    PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("app.example.com", "app.example.com",
		BACK("app.example.com", "https://app.example.com")) },
	{ "{\"connect.error_url\": \"https://app.example.com/\"}",
	    PROBLEM(404, "not_found", NULL, "No"), PAGE_404("Calendar connection", "the app", "") },
	{ "{\"app.name\": \"Notes\"}", PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("Notes", "Notes", "") },
	{ "{\"app.url\": \"http://localhost:3000/a\"}", PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("localhost", "localhost", BACK("localhost", "http://localhost:3000/a")) },
	{ "{\"app.name\": \"Notes\", \"connect.success_url\": \"https://a.example:8443/x\"}",
	    PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("Notes", "Notes", BACK("Notes", "https://a.example:8443")) },

	/* What is configured is escaped, and nothing in it is taken for a template. */
	{ APP("<b>&'\\\"$T$a$(%s", "https://a.example/?a=1&b='\\\"$b%3c"),
	    PROBLEM(404, "not_found", NULL, "No"),
	    PAGE_404("&lt;b&gt;&amp;&#39;&quot;$T$a$(%s", "&lt;b&gt;&amp;&#39;&quot;$T$a$(%s",
		BACK("&lt;b&gt;&amp;&#39;&quot;$T$a$(%s",
		    "https://a.example/?a=1&amp;b=&#39;&quot;$b%3c")) },
	{ APP(NAME_64, "https://a.example/"), PROBLEM(403, "cross_site_start", NULL, "No"),
	    PAGE_403(NAME_64, "https://a.example/") },
	{ APP("Caf\xc3\xa9", "https://a.example/"), PROBLEM(403, "cross_site_start", NULL, "No"),
	    PAGE_403("Caf\xc3\xa9", "https://a.example/") },

	/* Developers find the parameter and the reason. */
	{ NULL, PROBLEM(400, "parameter_malformed", "success_url", "has < or > & \"quotes\""),
	    PAGE_400("<p>success_url has &lt; or &gt; &amp; &quot;quotes&quot;.</p>\n"
		     "<p>Status 400, reason <code>parameter_malformed</code></p>\n") },
	{ NULL, PROBLEM(400, "a", NULL, "</p><script>alert(1)</script>"),
	    PAGE_400("<p>&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;.</p>\n<p>Status 400, "
		     "reason <code>a</code></p>\n") },
	{ NULL, PROBLEM(413, "body_too_large", NULL, "$d"),
	    PAGE_400("<p>$d.</p>\n<p>Status 413, reason <code>body_too_large</code></p>\n") },
	{ NULL, PROBLEM(415, "body_type", NULL, "No"),
	    PAGE_400("<p>No.</p>\n<p>Status 415, reason <code>body_type</code></p>\n") },
};

#define NOT_CONNECTED "It is not your fault. Your calendar was not connected.</p>\n<p>"
#define TRY_AGAIN                                                                                  \
	"Go back to the app and try again. If this page comes up again, tell support.</p>\n"

/* What the person reads. */
static const struct {
	int status;
	const char *reason;
	const char *title;
	const char *text;
} heading_rows[] = {
	{ 400, "parameter_empty", "This link does not work",
	    "<p>Something in the link that brought you here is wrong. " NOT_CONNECTED TRY_AGAIN },
	{ 403, "cross_site_start", "Please start from the app",
	    "<p>You came here from another page, or by typing the address. Your calendar was not connected: a link from a stranger could connect it to the stranger's account.</p>\n<p>Open the app and connect your calendar from there.</p>\n" },
	{ 403, "unbound_callback", "The sign-in took too long",
	    "<p>It has to be finished within 15 minutes, in the same browser. Your calendar was not connected, and nothing is lost.</p>\n<p>Go back to the app and connect your calendar again.</p>\n" },
	{ 404, "not_found", "There is no page here",
	    "<p>The address may be incomplete or mistyped. Go back to the app and continue from there.</p>\n" },
	{ 405, "method_not_allowed", "The sign-in could not be finished",
	    "<p>Your browser was sent here in a way that does not work. " NOT_CONNECTED TRY_AGAIN },
	{ 413, "body_too_large", "This link does not work",
	    "<p>Something in the link that brought you here is wrong. " NOT_CONNECTED TRY_AGAIN },
	{ 414, "query_too_long", "This link is too long",
	    "<p>The address that your browser was sent to is longer than this server takes. " NOT_CONNECTED
		TRY_AGAIN },
	{ 415, "body_type", "This link does not work",
	    "<p>Something in the link that brought you here is wrong. " NOT_CONNECTED TRY_AGAIN },
	{ 431, "head_too_large", "Your browser sent too many cookies",
	    "<p>It keeps more data for this site than fits into one request. Your calendar was not connected.</p>\n<p>Open the app in a private window and try again there, or delete this site's cookies first.</p>\n" },
	{ 500, "answer_too_large", "Something went wrong here",
	    "<p>This service has made a mistake. " NOT_CONNECTED TRY_AGAIN },
	{ 501, "unconfigured", "Connecting is not set up yet",
	    "<p>The people who run this service have not finished setting it up. There is nothing that you have to do here.</p>\n<p>Go back to the app and tell support.</p>\n" },
	{ 503, "out_of_memory", "Please try again in a minute",
	    "<p>This service is busy, or it is being restarted. Your calendar was not connected.</p>\n<p>Wait a minute, then go back to the app and try again.</p>\n" },
	{ 503, "draining", "Please try again in a minute",
	    "<p>This service is busy, or it is being restarted. Your calendar was not connected.</p>\n<p>Wait a minute, then go back to the app and try again.</p>\n" },
};

/* Every page has the way back and the number, and fits. */
START_TEST(has_the_way_back_and_the_number)
{
	struct problem problem =
	    PROBLEM(heading_rows[_i].status, heading_rows[_i].reason, NULL, "No");
	struct response response;
	char words[1024];

	refuse(APP("the app", "https://a.example/"), &response, html, COUNT(html), &problem);
	snprintf(words, sizeof(words), "<h1>%s</h1>\n%s<p>", heading_rows[_i].title,
	    heading_rows[_i].text);
	ck_assert_msg(strstr(body, words) != NULL, "%s", body);
	ck_assert_ptr_nonnull(strstr(body, BACK("the app", "https://a.example/")));
	ck_assert_ptr_nonnull(strstr(body, "<code>" ID "</code>"));
	ck_assert_ptr_null(strchr(body, '$'));
}
END_TEST

/* Cut the style out of the page and put a * in its place; returns the style. */
static struct span
take_style(struct buf *page)
{
	static char style[2048];
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
	char array[PAGE_SIZE];
	struct response response;
	struct buf page;

	refuse(html_rows[_i].config, &response, html, COUNT(html), &html_rows[_i].problem);
	ck_assert_int_eq(response.status, html_rows[_i].problem.status);
	ck_assert_str_eq(response.content_type, "text/html; charset=utf-8");
	buf_init(&page, array, sizeof(array));
	take_style(&page);
	ck_assert_str_eq(page.data, html_rows[_i].page);
}
END_TEST

START_TEST(allows_its_own_style)
{
	struct response response;

	refuse(NULL, &response, html, COUNT(html), &nothing_here);
	ck_assert_uint_eq(response.n_fields, 1);
	ck_assert_str_eq(response.fields[0].name, "Content-Security-Policy");
	support_check_policy(response.fields[0].value, body);
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

	refuse(NULL, &response, accept_rows[_i].headers, 2, &json_rows[0].problem);
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
	struct config *config = support_config(NULL, NULL);
	struct response response = { 0 };

	buf_init(&response.body, body, 100);
	buf_init(&response.location, location, sizeof(location));
	response.problem = json_rows[0].problem;
	page_show_problem(config, &request, &response);
	config_free(config);
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
	tcase_add_loop_test(tests, gives_each_status_its_title, 0, COUNT(title_rows));
	tcase_add_loop_test(tests, writes_html, 0, COUNT(html_rows));
	tcase_add_loop_test(tests, has_the_way_back_and_the_number, 0, COUNT(heading_rows));
	tcase_add_test(tests, allows_its_own_style);
	tcase_add_loop_test(tests, follows_accept, 0, COUNT(accept_rows));
	tcase_add_loop_test(tests, overflow_empties, 0, 2);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
