#include "flow/app.h"

#include <stdlib.h>

#include "support.h"

#define ID          "0123456789abcdef"
#define A_GUID      "11111111-2222-3333-4444-555555555555"
#define G_ID        "\"google.client_id\": \"1-a.apps.googleusercontent.com\""

#define CALLBACK    "/api/ms_oauth_callback"
#define ASSOCIATION "/.well-known/microsoft-identity-association"
#define TOKEN       "recall_calendar_auth_token"
#define RECALL      "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/"
#define AUTHORIZE                                                                                  \
	"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=" A_GUID         \
	"&response_type=code&redirect_uri=https%3A%2F%2Foauth.example.com%2Fapi%2Fms_oauth_"       \
	"callback&response_mode=query&scope=offline_access%20openid%20email%20https%3A%2F%2F"      \
	"graph.microsoft.com%2FCalendars.Read&state=%7B%22recall_calendar_auth_token%22%3A%22t%22" \
	"%2C%22ms_oauth_redirect_url%22%3A%22https%3A%2F%2Foauth.example.com%2Fapi%2Fms_oauth_"    \
	"callback%22%7D"

/* Stands on whatever is no redirect. */
#define WITH_ID "X-Request-Id: " ID "\n"

/* Answers as put_answer() writes them: status, route, reason, then the fields by name. */
#define REDIRECT(status, route, to)                                                                \
	status " " route "\nLocation: " to "\nCache-Control: no-store\n"                           \
	       "Referrer-Policy: no-referrer\n"
#define GOOD(route, type)                                                                          \
	"200 " route "\nCache-Control: no-store\nContent-Type: " type                              \
	"\nReferrer-Policy: no-referrer\nX-Content-Type-Options: nosniff\n" WITH_ID
#define ASSOCIATION_FILE                                                                           \
	"200 association\nContent-Type: application/json\nX-Content-Type-Options: nosniff\n" WITH_ID
#define PROBLEM(status, route, reason)                                                             \
	status " " route " " reason                                                                \
	       "\nCache-Control: no-store\nContent-Type: application/problem+json\n"               \
	       "Referrer-Policy: no-referrer\nX-Content-Type-Options: nosniff\n" WITH_ID
#define POLICY                                                                                     \
	"Content-Security-Policy: default-src 'none'; style-src "                                  \
	"'sha256-*'; base-uri 'none'; "                                                            \
	"form-action 'none'; frame-ancestors 'none'\n"
#define HTML_PROBLEM(status, route, reason)                                                        \
	status " " route " " reason "\nCache-Control: no-store\n" POLICY                           \
	       "Content-Type: text/html; charset=utf-8\n"                                          \
	       "Referrer-Policy: no-referrer\nX-Content-Type-Options: nosniff\n" WITH_ID
#define NOT_ALLOWED(route, allow)                                                                  \
	"405 " route " method_not_allowed\nAllow: " allow                                          \
	"\nCache-Control: no-store\nContent-Type: application/problem+json\n"                      \
	"Referrer-Policy: no-referrer\nX-Content-Type-Options: nosniff\n" WITH_ID
#define HSTS      "Strict-Transport-Security: max-age=31536000\n"
#define NOT_FOUND PROBLEM("404", "other", "not_found")
#define HEALTHY   GOOD("healthz", "text/plain; charset=utf-8")
#define READY     GOOD("readyz", "text/plain; charset=utf-8")

enum setup { USUAL, NOTHING_SET, ONLY_PUBLIC_URL, ONLY_CLIENT_ID, ONLY_IDS, ONLY_HSTS };

/* Cookies are the business of another suite. */
static struct config *
config_of(enum setup setup)
{
	static const char *const files[] = {
		[USUAL] = "{\"public_url\": \"https://oauth.example.com\","
			  "\"microsoft.client_id\": \"" A_GUID "\"," G_ID ","
			  "\"callback.browser_binding\": \"off\"}",
		[NOTHING_SET] = "{}",
		[ONLY_PUBLIC_URL] = "{\"public_url\": \"https://oauth.example.com\"}",
		[ONLY_CLIENT_ID] = "{\"microsoft.client_id\": \"" A_GUID "\"," G_ID "}",
		[ONLY_IDS] = "{\"microsoft.association_ids\": [\"" A_GUID "\"]}",
		[ONLY_HSTS] = "{\"tls.hsts_seconds\": 31536000}",
	};

	return support_config(files[setup], NULL);
}

static int
compare_fields(const void *a, const void *b)
{
	return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

/* The style's hash as a *: check_page.c knows it. */
static void
put_field(struct buf *out, const struct field *field)
{
	static const char mark[] = "'sha256-";
	const char *hash = strstr(field->value, mark);

	buf_printf(out, "%s: ", field->name);
	if (hash == NULL) {
		buf_printf(out, "%s\n", field->value);
		return;
	}
	hash += strlen(mark);
	buf_put(out, (struct span){ field->value, (size_t)(hash - field->value) });
	buf_printf(out, "*%s\n", hash + strcspn(hash, "'"));
}

/* What refusals say of their reason, whole. */
static const struct {
	const char *reason, *detail;
} details[] = {
	{ "answer_too_large", "The answer was too large" },
	{ "body_type",
	    "The body is neither application/x-www-form-urlencoded nor application/json" },
	{ "draining", "The server is shutting down" },
	{ "head_too_large", "The header fields are too large, most likely the cookies" },
	{ "method_not_allowed", "This address does not support this method" },
	{ "method_not_allowed", "The app's link asks for response_mode=form_post, but it must ask "
				"for response_mode=query" },
	{ "not_found", "There is nothing at this address" },
	{ "parameter_missing", "is missing" },
	{ "parameter_not_allowed",
	    "has an origin that is not on this server's allow-list (connect.return_origins)" },
	{ "parameter_not_allowed", "must be consent or select_account consent: without consent, "
				   "Google gives Recall no lasting access to the calendar" },
	{ "parameter_not_allowed",
	    "must be login or select_account: consent sends people back to the approval step again "
	    "and again, even after their administrator has approved the app" },
	{ "parameter_unknown",
	    "The request has an unknown parameter. Known parameters are "
	    "recall_calendar_auth_token, success_url, error_url, login_hint, domain_hint and "
	    "prompt" },
	{ "parameters_too_long", "The parameters are too long: together with the header fields, "
				 "the authorize URL does not fit into the answer" },
	{ "stuck", "An event loop makes no progress" },
	{ "target_malformed", "No" },
	{ "unconfigured", "microsoft.client_id is not configured on this server" },
	{ "unconfigured", "google.client_id is not configured on this server" },
	{ "unconfigured", "public_url is not configured on this server" },
	{ "unconfigured", "public_url and microsoft.client_id are not configured on this server" },
	{ "unconfigured", "public_url and google.client_id are not configured on this server" },
};

static void
check_detail(const struct problem *problem)
{
	for (size_t i = 0; i < COUNT(details); i++)
		if (strcmp(details[i].reason, problem->reason) == 0 &&
		    strcmp(details[i].detail, problem->detail) == 0)
			return;
	ck_abort_msg("%s: %s", problem->reason, problem->detail);
}

/* Everything of a response but its body; the order of fields means nothing. */
static void
put_answer(struct buf *out, const struct request *request, const struct response *response)
{
	struct field fields[HTTP_MAX_FIELDS];

	memcpy(fields, response->fields, sizeof(fields));
	qsort(fields, response->n_fields, sizeof(fields[0]), compare_fields);
	buf_printf(out, "%d %s", response->status, http_route_names[request->route]);
	if (response->problem.reason != NULL) {
		buf_printf(out, " %s", response->problem.reason);
		check_detail(&response->problem);
	}
	buf_putc(out, '\n');
	if (response->location.len > 0)
		buf_printf(out, "Location: %s\n", response->location.data);
	for (size_t i = 0; i < response->n_fields; i++)
		put_field(out, &fields[i]);
	ck_assert(buf_ok(out));
}

static char location[16 * 1024], body[16 * 1024];

static void
open_response(struct response *response)
{
	*response = (struct response){ 0 };
	buf_init(&response->location, location, sizeof(location));
	buf_init(&response->body, body, sizeof(body));
}

/* Answer one request and compare all but the body, which is left in body. */
static void
check_answer(enum setup setup, struct request *request, const char *wanted)
{
	static char array[32 * 1024];
	struct config *config = config_of(setup);
	struct response response;
	struct buf answer;

	open_response(&response);
	app_find_route(request);
	app_handle(config, request, &response);
	buf_init(&answer, array, sizeof(array));
	put_answer(&answer, request, &response);
	ck_assert_str_eq(answer.data, wanted);
	config_free(config);
}

static struct request
bare(const char *method, struct span target)
{
	return (struct request){
		.id = ID, .method = span_of(method), .target = target, .body = SPAN("")
	};
}

#define HTML "text/html"
#define JSON "application/json"

static const struct {
	enum setup setup;
	const char *method;
	struct span target;
	const char *accept; /* NULL: none */
	const char *answer;
} rows[] = {
	/* The callback needs no configuration, and takes anything after the `?`. */
	{ NOTHING_SET, "GET", SPAN(CALLBACK "?code=a&state=b"), HTML,
	    REDIRECT("302", "callback", RECALL "?code=a&state=b") },
	{ USUAL, "GET", SPAN(CALLBACK), NULL, REDIRECT("302", "callback", RECALL) },
	{ USUAL, "GET", SPAN(CALLBACK "/"), NULL, REDIRECT("302", "callback", RECALL) },
	{ USUAL, "GET", SPAN(CALLBACK "?"), NULL, REDIRECT("302", "callback", RECALL "?") },
	{ USUAL, "GET", SPAN(CALLBACK "/?"), NULL, REDIRECT("302", "callback", RECALL "?") },
	{ USUAL, "GET", SPAN(CALLBACK "??a?b"), NULL, REDIRECT("302", "callback", RECALL "??a?b") },
	{ USUAL, "GET", SPAN(CALLBACK "?a=/../" CALLBACK "?x"), NULL,
	    REDIRECT("302", "callback", RECALL "?a=/../" CALLBACK "?x") },
	{ USUAL, "GET", SPAN(CALLBACK "?a=%00%zz%&b=%0d%0aSet-Cookie%3a+x"), NULL,
	    REDIRECT("302", "callback", RECALL "?a=%00%zz%&b=%0d%0aSet-Cookie%3a+x") },
	{ USUAL, "GET", SPAN(CALLBACK "?\xff\xc3\xa9\"<>{}|\\^`"), NULL,
	    REDIRECT("302", "callback", RECALL "?\xff\xc3\xa9\"<>{}|\\^`") },
	{ USUAL, "GET", SPAN(CALLBACK "?error=access_denied&error_subcode=cancel"), JSON,
	    REDIRECT("302", "callback", RECALL "?error=access_denied&error_subcode=cancel") },
	{ USUAL, "GET", SPAN(CALLBACK "?code=a&code=b&error=c"), NULL,
	    REDIRECT("302", "callback", RECALL "?code=a&code=b&error=c") },
	{ USUAL, "GET", SPAN("http://oauth.example.com" CALLBACK "?code=a"), NULL,
	    REDIRECT("302", "callback", RECALL "?code=a") },
	{ USUAL, "GET", SPAN("HTTPS://user@evil.example:1" CALLBACK "/?code=a"), NULL,
	    REDIRECT("302", "callback", RECALL "?code=a") },

	/* The start. */
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), NULL, REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), HTML, REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "*/*",
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "application/json;q=0",
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "application/json, text/html;q=0.1",
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "application/problem+json",
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect/?" TOKEN "=t"), NULL,
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "POST", SPAN("/connect/?" TOKEN "=t"), NULL,
	    REDIRECT("303", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t&login_hint=a%40b"), NULL,
	    REDIRECT("302", "connect", AUTHORIZE "&login_hint=a%40b") },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t&prompt=hunter2"), NULL,
	    PROBLEM("400", "connect", "parameter_not_allowed") },
	{ USUAL, "POST", SPAN("/connect?" TOKEN "=t"), NULL,
	    REDIRECT("303", "connect", AUTHORIZE) },
	{ USUAL, "POST", SPAN("/connect?" TOKEN "=t"), HTML,
	    REDIRECT("303", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("http://evil.example/connect?" TOKEN "=t"), NULL,
	    REDIRECT("302", "connect", AUTHORIZE) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), JSON, GOOD("connect", JSON) },
	{ USUAL, "POST", SPAN("/connect?" TOKEN "=t"), JSON, GOOD("connect", JSON) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "application/json, text/html;q=0",
	    GOOD("connect", JSON) },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t"), "text/plain, Application/JSON; q=0.5",
	    GOOD("connect", JSON) },
	{ USUAL, "GET", SPAN("/connect"), NULL, PROBLEM("400", "connect", "parameter_missing") },
	{ USUAL, "GET", SPAN("/connect"), JSON, PROBLEM("400", "connect", "parameter_missing") },
	{ USUAL, "GET", SPAN("/connect?x=1"), HTML,
	    HTML_PROBLEM("400", "connect", "parameter_unknown") },
	{ USUAL, "GET", SPAN("/connect?" TOKEN "=t&success_url=https://evil.example"), NULL,
	    PROBLEM("400", "connect", "parameter_not_allowed") },
	{ USUAL, "GET", SPAN("/connect/admin"), JSON, GOOD("connect_admin", JSON) },
	{ USUAL, "GET", SPAN("/connect/admin/"), JSON, GOOD("connect_admin", JSON) },
	{ USUAL, "GET", SPAN("/connect/admin/?utm_source=x&tenant=a.b&_hsenc=y"), JSON,
	    GOOD("connect_admin", JSON) },
	{ NOTHING_SET, "GET", SPAN("/connect/admin"), NULL,
	    PROBLEM("501", "connect_admin", "unconfigured") },
	{ NOTHING_SET, "GET", SPAN("/connect?" TOKEN "=t"), NULL,
	    PROBLEM("501", "connect", "unconfigured") },
	{ NOTHING_SET, "GET", SPAN("/connect"), HTML,
	    HTML_PROBLEM("501", "connect", "unconfigured") },
	{ ONLY_PUBLIC_URL, "GET", SPAN("/connect?" TOKEN "=t"), JSON,
	    PROBLEM("501", "connect", "unconfigured") },
	{ ONLY_CLIENT_ID, "POST", SPAN("/connect?" TOKEN "=t"), NULL,
	    PROBLEM("501", "connect", "unconfigured") },
	{ ONLY_IDS, "GET", SPAN("/connect?" TOKEN "=t"), NULL,
	    PROBLEM("501", "connect", "unconfigured") },

	/* The association file: application/json exactly, whatever is asked for. */
	{ USUAL, "GET", SPAN(ASSOCIATION ".json"), NULL, ASSOCIATION_FILE },
	{ USUAL, "GET", SPAN(ASSOCIATION), NULL, ASSOCIATION_FILE },
	{ USUAL, "GET", SPAN(ASSOCIATION ".json"), HTML, ASSOCIATION_FILE },
	{ USUAL, "GET", SPAN(ASSOCIATION ".json?x=1"), "text/plain", ASSOCIATION_FILE },
	{ ONLY_CLIENT_ID, "GET", SPAN(ASSOCIATION), NULL, ASSOCIATION_FILE },
	{ ONLY_IDS, "GET", SPAN(ASSOCIATION ".json"), NULL, ASSOCIATION_FILE },
	{ NOTHING_SET, "GET", SPAN(ASSOCIATION ".json"), NULL,
	    PROBLEM("501", "association", "unconfigured") },
	{ ONLY_PUBLIC_URL, "GET", SPAN(ASSOCIATION), HTML,
	    HTML_PROBLEM("501", "association", "unconfigured") },

	/* Health. */
	{ NOTHING_SET, "GET", SPAN("/healthz"), NULL, HEALTHY },
	{ USUAL, "GET", SPAN("/healthz?x"), HTML, HEALTHY },
	{ USUAL, "GET", SPAN("/health"), NULL, HEALTHY },
	{ USUAL, "HEAD", SPAN("/health?x"), NULL, HEALTHY },
	{ USUAL, "GET", SPAN("https://10.0.0.1:8080/healthz"), NULL, HEALTHY },
	{ NOTHING_SET, "GET", SPAN("/readyz"), NULL, READY },
	{ USUAL, "GET", SPAN("/readyz?"), JSON, READY },

	/* Strict-Transport-Security, where it is configured, stands on every answer. */
	{ ONLY_HSTS, "GET", SPAN(CALLBACK "?code=a"), NULL,
	    REDIRECT("302", "callback", RECALL "?code=a") HSTS },
	{ ONLY_HSTS, "GET", SPAN("/nowhere"), NULL,
	    "404 other not_found\nCache-Control: no-store\n"
	    "Content-Type: application/problem+json\nReferrer-Policy: no-referrer\n" HSTS
	    "X-Content-Type-Options: nosniff\n" WITH_ID },
	{ ONLY_HSTS, "GET", SPAN("/healthz"), NULL,
	    "200 healthz\nCache-Control: no-store\nContent-Type: text/plain; charset=utf-8\n"
	    "Referrer-Policy: no-referrer\n" HSTS "X-Content-Type-Options: nosniff\n" WITH_ID },

	/* Near misses: nothing is decoded, folded or normalised. */
	{ USUAL, "GET", SPAN("/nowhere"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/nowhere"), HTML, HTML_PROBLEM("404", "other", "not_found") },
	{ USUAL, "DELETE", SPAN("/nowhere"), NULL, NOT_FOUND },
	{ USUAL, "POST", SPAN("/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(""), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("?"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/?" CALLBACK), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("api/ms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/API/ms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/MS_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/" CALLBACK), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api//ms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/./ms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/x/.." CALLBACK), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/ms%5foauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api%2fms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/%61pi/ms_oauth_callback?code=a"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("\\api\\ms_oauth_callback"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "//"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "/x"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "s"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/ms_oauth_callbac"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK ";x"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "&code=a"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "%00"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "%00?code=a"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "\0"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "%3Fcode=a"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(CALLBACK "%20"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connect//?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connect/google//?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connect/Google?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connect/microsoft?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connect/admin//"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/api/ms_admin_consent_callback/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/Connect?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/connec%74?" TOKEN "=t"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(ASSOCIATION ".json/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(ASSOCIATION "/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(ASSOCIATION ".JSON"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN(ASSOCIATION ".json.json"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/healthz/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/healt"), NULL, NOT_FOUND },
	{ USUAL, "POST", SPAN("/health"), NULL, NOT_ALLOWED("healthz", "GET, HEAD") },
	{ USUAL, "GET", SPAN("/healthz%00"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/readyz/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/metrics"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/favicon.ico"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http://oauth.example.com"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http://oauth.example.com/"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http://oauth.example.com?/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http://oauth.example.com//healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http:/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http//oauth.example.com/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("ftp://oauth.example.com/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("//oauth.example.com/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("/http://oauth.example.com/healthz"), NULL, NOT_FOUND },
	{ USUAL, "GET", SPAN("http://a/http://b/healthz"), NULL, NOT_FOUND },

	/* What no path has. */
	{ USUAL, "OPTIONS", SPAN("*"), NULL, NOT_ALLOWED("other", "GET, HEAD, POST") },
	{ USUAL, "GET", SPAN("*"), NULL, NOT_FOUND },
	{ USUAL, "CONNECT", SPAN("evil.example:443"), NULL,
	    NOT_ALLOWED("other", "GET, HEAD, POST") },
	{ USUAL, "CONNECT", SPAN("/healthz"), NULL, NOT_ALLOWED("healthz", "GET, HEAD") },
	{ USUAL, "OPTIONS", SPAN("**"), NULL, NOT_FOUND },
	{ USUAL, "OPTIONS", SPAN("/*"), NULL, NOT_FOUND },
};

/* Make a row's target and answer those of the provider; false where they are the same there. */
static bool
translate(struct span *target, const char **answer)
{
	static char for_target[32 * 1024], for_answer[32 * 1024];
	struct buf b;
	bool differs;

	buf_init(&b, for_target, sizeof(for_target));
	differs = support_put(&b, *target);
	*target = buf_span(&b);
	if (!differs)
		return false;
	buf_init(&b, for_answer, sizeof(for_answer));
	support_put(&b, span_of(*answer));
	*answer = b.data;
	return true;
}

START_TEST(answers)
{
	const char *accept = rows[_i].accept, *answer = rows[_i].answer;
	struct span target = rows[_i].target;
	struct header headers[] = { { SPAN("Host"), SPAN("evil.example") },
		{ SPAN("Accept"), span_of(accept != NULL ? accept : "") } };
	struct request request;

	if (!translate(&target, &answer))
		return;
	request = bare(rows[_i].method, target);
	request.headers = headers;
	request.n_headers = accept != NULL ? 2 : 1;
	check_answer(rows[_i].setup, &request, answer);
}
END_TEST

/* Whatever GET answers, HEAD answers too, to the last byte; the library leaves the body out. */
START_TEST(answers_head_like_get)
{
	static char array[32 * 1024], get_body[sizeof(body)];
	const char *accept = rows[_i].accept, *answer = rows[_i].answer;
	struct span target = rows[_i].target;
	struct header header = { SPAN("Accept"), span_of(accept != NULL ? accept : "") };
	struct config *config = config_of(rows[_i].setup);
	struct request request;
	struct response response;
	struct buf got;

	translate(&target, &answer);
	request = bare("GET", target);
	request.headers = &header;
	request.n_headers = 1;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	buf_init(&got, array, sizeof(array));
	put_answer(&got, &request, &response);
	memcpy(get_body, body, sizeof(body));
	config_free(config);
	request.method = (struct span)SPAN("HEAD");
	check_answer(rows[_i].setup, &request, array);
	ck_assert_str_eq(body, get_body);
}
END_TEST

static const struct {
	struct span target;
	const char *answer;
	bool takes_post;
} paths[] = {
	{ SPAN(CALLBACK), NOT_ALLOWED("callback", "GET, HEAD"), false },
	{ SPAN(CALLBACK "/?code=a"), NOT_ALLOWED("callback", "GET, HEAD"), false },
	{ SPAN("/connect?" TOKEN "=t"), NOT_ALLOWED("connect", "GET, HEAD, POST"), true },
	{ SPAN(ASSOCIATION ".json"), NOT_ALLOWED("association", "GET, HEAD"), false },
	{ SPAN(ASSOCIATION), NOT_ALLOWED("association", "GET, HEAD"), false },
	{ SPAN("/healthz"), NOT_ALLOWED("healthz", "GET, HEAD"), false },
	{ SPAN("/readyz"), NOT_ALLOWED("readyz", "GET, HEAD"), false },
	{ SPAN("http://x/readyz"), NOT_ALLOWED("readyz", "GET, HEAD"), false },
};

static const char *const methods[] = { "POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS",
	"CONNECT", "PROPFIND", "get", "Get", "GE", "GETS", "GET,", "GET, HEAD", " HEAD", "HEAD ",
	"post", "" };

START_TEST(allows_methods)
{
	struct span target = paths[_i].target;
	const char *answer = paths[_i].answer;

	translate(&target, &answer);
	for (size_t i = paths[_i].takes_post ? 1 : 0; i < COUNT(methods); i++) {
		struct request request = bare(methods[i], target);

		check_answer(USUAL, &request, answer);
		check_answer(NOTHING_SET, &request, answer);
	}
}
END_TEST

START_TEST(takes_body_where_post_is_taken)
{
	struct span target = paths[_i].target;
	const char *answer = paths[_i].answer;
	struct request request;

	translate(&target, &answer);
	request = bare("POST", target);
	app_find_route(&request);
	ck_assert_int_eq(app_takes_body(&request), paths[_i].takes_post);
	for (size_t i = 1; i < COUNT(methods); i++) {
		request.method = span_of(methods[i]);
		ck_assert(!app_takes_body(&request));
	}
	request.method = (struct span)SPAN("GET");
	ck_assert(!app_takes_body(&request));
}
END_TEST

START_TEST(takes_no_body_elsewhere)
{
	static const struct span targets[] = { SPAN("/"), SPAN("*"), SPAN(""), SPAN("/connect//"),
		SPAN("connect"), SPAN("/Connect") };
	struct request request = bare("POST", targets[_i]);

	app_find_route(&request);
	ck_assert(!app_takes_body(&request));
}
END_TEST

#define PROBLEM_BODY(title, status, detail, reason)                                                \
	"{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status                     \
	",\"detail\":\"" detail ".\",\"reason\":\"" reason "\",\"id\":\"" ID "\"}\n"
#define UNCONFIGURED(keys)                                                                         \
	PROBLEM_BODY("Not set up yet", "501", keys " not configured on this server", "unconfigured")

/* Accept is application/json in all of them. */
static const struct {
	enum setup setup;
	const char *method;
	const char *target;
	const char *body;
} body_rows[] = {
	{ USUAL, "GET", "/connect?" TOKEN "=t",
	    "{\"authorize_url\":\"" AUTHORIZE
	    "\",\"redirect_uri\":\"https://oauth.example.com/api/ms_oauth_callback\"}\n" },
	{ USUAL, "POST", "/connect?" TOKEN "=t",
	    "{\"authorize_url\":\"" AUTHORIZE
	    "\",\"redirect_uri\":\"https://oauth.example.com/api/ms_oauth_callback\"}\n" },
	{ USUAL, "GET", "/connect/admin?tenant=contoso.example",
	    "{\"admin_consent_url\":\"https://login.microsoftonline.com/contoso.example/v2.0/"
	    "adminconsent?client_id=" A_GUID
	    "&scope=offline_access%20openid%20email%20https%3A%2F%2Fgraph.microsoft.com%2F"
	    "Calendars.Read&redirect_uri=https%3A%2F%2Foauth.example.com%2Fapi%2Fms_admin_consent_"
	    "callback&state=00000000000000000000000000000000\"}\n" },
	{ ONLY_PUBLIC_URL, "GET", "/connect/admin", UNCONFIGURED("microsoft.client_id is") },
	{ NOTHING_SET, "GET", "/connect", UNCONFIGURED("public_url and microsoft.client_id are") },
	{ ONLY_IDS, "GET", "/connect", UNCONFIGURED("public_url and microsoft.client_id are") },
	{ ONLY_PUBLIC_URL, "GET", "/connect", UNCONFIGURED("microsoft.client_id is") },
	{ ONLY_CLIENT_ID, "GET", "/connect", UNCONFIGURED("public_url is") },
	{ NOTHING_SET, "GET", ASSOCIATION, UNCONFIGURED("microsoft.client_id is") },
	{ USUAL, "GET", ASSOCIATION ".json",
	    "{\"associatedApplications\":[{\"applicationId\":\"" A_GUID "\"}]}" },
	{ ONLY_IDS, "GET", ASSOCIATION,
	    "{\"associatedApplications\":[{\"applicationId\":\"" A_GUID "\"}]}" },
	{ USUAL, "GET", "/healthz", "ok\n" },
	{ USUAL, "GET", "/readyz", "ok\n" },
	{ USUAL, "GET", CALLBACK "?code=a", "" },
	{ USUAL, "POST", CALLBACK "?code=a",
	    PROBLEM_BODY("Method not allowed", "405",
		"The app's link asks for response_mode=form_post, but it must ask for "
		"response_mode=query",
		"method_not_allowed") },
	{ USUAL, "PUT", CALLBACK,
	    PROBLEM_BODY("Method not allowed", "405", "This address does not support this method",
		"method_not_allowed") },
	{ USUAL, "POST", "/healthz",
	    PROBLEM_BODY("Method not allowed", "405", "This address does not support this method",
		"method_not_allowed") },
	{ USUAL, "GET", "/hunter2",
	    PROBLEM_BODY("Not found", "404", "There is nothing at this address", "not_found") },
};

START_TEST(writes_body)
{
	static const struct header accept = { SPAN("Accept"), SPAN(JSON) };
	struct config *config = config_of(body_rows[_i].setup);
	struct span target = span_of(body_rows[_i].target);
	const char *answer = body_rows[_i].body;
	struct request request;
	struct response response;

	translate(&target, &answer);
	request = bare(body_rows[_i].method, target);
	request.headers = &accept;
	request.n_headers = 1;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_str_eq(body, answer);
	ck_assert_uint_eq(response.body.len, strlen(answer));
	config_free(config);
}
END_TEST

/* What would be odd at the calendar's callback is what the administrator's is for. */
START_TEST(gives_no_hint_on_a_granted_consent)
{
	struct config *config = config_of(USUAL);
	struct request request =
	    bare("GET", (struct span)SPAN("/api/ms_admin_consent_callback?admin_consent=True"));
	struct response response;

	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_str_eq(response.outcome.name, "admin_consent");
	ck_assert_ptr_null(response.outcome.hint);
	request.target = (struct span)SPAN(CALLBACK "?admin_consent=True");
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_ptr_nonnull(response.outcome.hint);
	config_free(config);
}
END_TEST

/* A server that drains is alive, and wants no new work. */
START_TEST(is_not_ready_while_draining)
{
	struct config *config = config_of(USUAL);
	struct request request = bare("GET", (struct span)SPAN("/readyz"));
	struct response response;

	request.is_draining = true;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 503);
	ck_assert_str_eq(response.problem.reason, "draining");
	check_detail(&response.problem);
	request.target = (struct span)SPAN("/healthz");
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 200);
	config_free(config);
}
END_TEST

/* What asks the admin listener hears of a loop that hangs. */
START_TEST(is_not_healthy_while_a_loop_is_stuck)
{
	static const struct span asked[] = { SPAN("/healthz"), SPAN("/health"), SPAN("/readyz") };
	struct config *config = config_of(USUAL);
	struct request request = bare("GET", asked[_i]);
	struct response response;

	request.is_admin = request.is_stuck = true;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 503);
	ck_assert_str_eq(response.problem.reason, "stuck");
	check_detail(&response.problem);
	config_free(config);
}
END_TEST

/* The shell writes the body: only the status and the type are known here. */
START_TEST(has_metrics_on_the_admin_listener)
{
	struct config *config = config_of(USUAL);
	struct request request = bare("GET", (struct span)SPAN("/metrics"));
	struct response response;

	request.is_admin = true;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
	config_free(config);
}
END_TEST

START_TEST(has_the_operators_page_on_the_admin_listener)
{
	static const struct {
		const char *method;
		struct span target;
		bool is_admin;
		int status;
	} asked[] = {
		{ "GET", SPAN("/"), true, 200 },
		{ "HEAD", SPAN("/?a=b"), true, 200 },
		{ "GET", SPAN("http://h/"), true, 200 },
		{ "POST", SPAN("/"), true, 405 },
		{ "GET", SPAN("//"), true, 404 },
		{ "GET", SPAN(""), true, 404 },
		{ "GET", SPAN("/index.html"), true, 404 },
		{ "GET", SPAN("/"), false, 404 },
	};
	struct config *config = config_of(USUAL);
	struct request request = bare(asked[_i].method, asked[_i].target);
	struct response response;

	request.is_admin = asked[_i].is_admin;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, asked[_i].status);
	if (response.status == 200)
		ck_assert_str_eq(response.content_type, "text/html; charset=utf-8");
	ck_assert_int_eq(request.route == ROUTE_OPERATOR_PAGE, response.status != 404);
	config_free(config);
}
END_TEST

/* Both ways to answer tell the log how long the URL is; nothing else does. */
START_TEST(notes_what_the_log_needs)
{
	static const struct header accept = { SPAN("Accept"), SPAN(JSON) };
	struct config *config = config_of(USUAL);
	struct span target = SPAN("/connect?" TOKEN "=t");
	const char *url = AUTHORIZE;
	struct request request;
	struct response response;

	translate(&target, &url);
	request = bare("GET", target);
	request.headers = &accept;
	request.n_headers = (size_t)_i;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_uint_eq(response.authorize_url_len, strlen(url));
	ck_assert_ptr_null(response.outcome.name);
	target = (struct span)SPAN(CALLBACK "?error=access_denied&error_subcode=cancel");
	translate(&target, &url);
	request.target = target;
	open_response(&response);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_uint_eq(response.authorize_url_len, 0);
	ck_assert_str_eq(response.outcome.name, "error");
	ck_assert_str_eq(response.outcome.error_subcode, "cancel");
	ck_assert_ptr_nonnull(response.outcome.hint);
	config_free(config);
}
END_TEST

START_TEST(reads_posted_body)
{
	static const struct header type = { SPAN("Content-Type"), SPAN(JSON) };
	struct span target = SPAN("/connect");
	const char *answer = REDIRECT("303", "connect", AUTHORIZE);
	struct request request;

	translate(&target, &answer);
	request = bare("POST", target);
	request.headers = &type;
	request.n_headers = 1;
	request.body = (struct span)SPAN("{\"" TOKEN "\":\"t\"}");
	check_answer(USUAL, &request, answer);
	request.n_headers = 0;
	check_answer(USUAL, &request, PROBLEM("415", "connect", "body_type"));
}
END_TEST

/* Too little room for Location is an answer, not silence; the query is in no part of it. */
static const struct {
	const char *target;
	const char *answer;
} room_rows[] = {
	{ CALLBACK "?code=hunter2", PROBLEM("431", "callback", "head_too_large") },
	{ "/connect?" TOKEN "=hunter2", PROBLEM("400", "connect", "parameters_too_long") },
	{ "/connect/admin?tenant=hunter2.example",
	    PROBLEM("400", "connect_admin", "parameters_too_long") },
};

START_TEST(answers_without_room)
{
	char array[512];
	struct config *config = config_of(USUAL);
	struct span target = span_of(room_rows[_i].target);
	const char *wanted = room_rows[_i].answer;
	struct request request;
	struct response response;
	struct buf answer;

	translate(&target, &wanted);
	request = bare("GET", target);
	open_response(&response);
	buf_init(&response.location, location, strlen(RECALL) + strlen("?code=hunter2"));
	app_find_route(&request);
	app_handle(config, &request, &response);
	buf_init(&answer, array, sizeof(array));
	put_answer(&answer, &request, &response);
	ck_assert_str_eq(answer.data, wanted);
	ck_assert_str_eq(location, "");
	ck_assert_ptr_null(strstr(body, "hunter2"));
	config_free(config);
}
END_TEST

START_TEST(answers_without_room_for_body)
{
	struct config *config = config_of(USUAL);
	struct request request = bare("GET", (struct span)SPAN(ASSOCIATION));
	struct response response;

	open_response(&response);
	buf_init(&response.body, body, 32);
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 500);
	ck_assert_str_eq(response.problem.reason, "answer_too_large");
	check_detail(&response.problem);
	ck_assert_str_eq(body, "");
	config_free(config);
}
END_TEST

static const struct {
	enum setup setup;
	struct span target;
	const char *accept;
	const char *answer;
} refuse_rows[] = {
	{ USUAL, SPAN(CALLBACK "?a#b"), JSON, PROBLEM("400", "callback", "target_malformed") },
	{ USUAL, SPAN("/connect"), HTML, HTML_PROBLEM("400", "connect", "target_malformed") },
	{ USUAL, SPAN("/readyz"), JSON, PROBLEM("400", "readyz", "target_malformed") },
	{ USUAL, SPAN(ASSOCIATION), JSON, PROBLEM("400", "association", "target_malformed") },
	{ USUAL, SPAN("\xff"), HTML, HTML_PROBLEM("400", "other", "target_malformed") },
	{ USUAL, SPAN(""), JSON, PROBLEM("400", "other", "target_malformed") },
	{ ONLY_HSTS, SPAN("/"), HTML,
	    "400 other target_malformed\nCache-Control: no-store\n" POLICY
	    "Content-Type: text/html; charset=utf-8\nReferrer-Policy: no-referrer\n" HSTS
	    "X-Content-Type-Options: nosniff\n" WITH_ID },
};

START_TEST(refuses_for_others)
{
	static const struct problem problem = {
		.status = 400, .reason = "target_malformed", .detail = "No"
	};
	char array[1024];
	struct header accept = { SPAN("Accept"), span_of(refuse_rows[_i].accept) };
	struct span target = refuse_rows[_i].target;
	const char *wanted = refuse_rows[_i].answer;
	struct config *config = config_of(refuse_rows[_i].setup);
	struct request request;
	struct response response;
	struct buf answer;

	translate(&target, &wanted);
	request = bare("GET", target);
	request.headers = &accept;
	request.n_headers = 1;
	open_response(&response);
	app_find_route(&request);
	app_refuse(config, &request, &problem, &response);
	buf_init(&answer, array, sizeof(array));
	put_answer(&answer, &request, &response);
	ck_assert_str_eq(answer.data, wanted);
	config_free(config);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, answers, 0, COUNT(rows));
	tcase_add_loop_test(tests, answers_head_like_get, 0, COUNT(rows));
	tcase_add_loop_test(tests, allows_methods, 0, COUNT(paths));
	tcase_add_loop_test(tests, takes_body_where_post_is_taken, 0, COUNT(paths));
	tcase_add_loop_test(tests, writes_body, 0, COUNT(body_rows));
	tcase_add_loop_test(tests, notes_what_the_log_needs, 0, 2);
	tcase_add_test(tests, reads_posted_body);
	tcase_add_loop_test(tests, answers_without_room, 0, COUNT(room_rows));
	tcase_add_loop_test(tests, refuses_for_others, 0, COUNT(refuse_rows));
}

int
main(void)
{
	Suite *suite = suite_create("app");
	TCase *tests = tcase_create("app");

	support_at_every_provider(suite, add_tests);
	tcase_add_loop_test(tests, takes_no_body_elsewhere, 0, 6);
	tcase_add_test(tests, gives_no_hint_on_a_granted_consent);
	tcase_add_test(tests, is_not_ready_while_draining);
	tcase_add_loop_test(tests, is_not_healthy_while_a_loop_is_stuck, 0, 3);
	tcase_add_test(tests, has_metrics_on_the_admin_listener);
	tcase_add_loop_test(tests, has_the_operators_page_on_the_admin_listener, 0, 8);
	tcase_add_test(tests, answers_without_room_for_body);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
