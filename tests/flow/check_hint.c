#include "flow/hint.h"

#include <stdio.h>

#include "flow/app.h"
#include "flow/params.h"
#include "flow/provider.h"
#include "support.h"

#define PREFLIGHT                                                                                  \
	"This is a preflight: a script wants to call this address by fetch(), which cannot show "  \
	"the sign-in page; open /connect by a link or a form in the whole window"
#define FRAME                                                                                      \
	"The sign-in page cannot be shown in a frame; open /connect by a link or a form in the "   \
	"whole window"
#define FETCH                                                                                      \
	"A script asked by fetch(), which cannot show the sign-in page; open /connect by a link "  \
	"or a form in the whole window"
#define TOKEN   "recall_calendar_auth_token"
#define CONNECT "/connect?" TOKEN "=t"

static char location[8192], body[8192];

static const char *
hint_of(const struct config *config, struct request *request, struct response *ret_response)
{
	*ret_response = (struct response){ 0 };
	request->id = "0123456789abcdef";
	request->body = (struct span)SPAN("");
	buf_init(&ret_response->location, location, sizeof(location));
	buf_init(&ret_response->body, body, sizeof(body));
	app_find_route(request);
	app_handle(config, request, ret_response);
	return ret_response->problem.hint != NULL ? ret_response->problem.hint
						  : ret_response->outcome.hint;
}

static const struct {
	const char *method, *target;
	struct header headers[2]; /* as many as have a name */
	int status;
	const char *hint;
} browser_rows[] = {
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Mode"), SPAN("navigate") } }, 302, NULL },
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Dest"), SPAN("document") } }, 302, NULL },
	{ "GET", CONNECT, { { SPAN("X"), SPAN("cors") } }, 302, NULL },
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Mode"), SPAN("cors") } }, 302, FETCH },
	{ "GET", CONNECT, { { SPAN("sec-fetch-MODE"), SPAN("no-cors") } }, 302, FETCH },
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Mode"), SPAN("same-origin") } }, 302, FETCH },
	{ "GET", CONNECT,
	    { { SPAN("Sec-Fetch-Mode"), SPAN("cors") },
		{ SPAN("Sec-Fetch-Site"), SPAN("cross-site") } },
	    403, FETCH },
	{ "GET", CONNECT,
	    { { SPAN("Sec-Fetch-Mode"), SPAN("cors") },
		{ SPAN("Accept"), SPAN("application/json") } },
	    200, NULL },
	{ "GET", CONNECT "&x=y", { { SPAN("Sec-Fetch-Mode"), SPAN("cors") } }, 400, FETCH },
	{ "GET", "/connect/admin", { { SPAN("Sec-Fetch-Mode"), SPAN("cors") } }, 302, FETCH },
	{ "GET", "/connect/admin/", { { SPAN("Sec-Fetch-Dest"), SPAN("iframe") } }, 302, FRAME },
	{ "GET", "/connect/?" TOKEN "=t", { { SPAN("Sec-Fetch-Dest"), SPAN("frame") } }, 302,
	    FRAME },
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Dest"), SPAN("embed") } }, 302, FRAME },
	{ "GET", CONNECT, { { SPAN("Sec-Fetch-Dest"), SPAN("object") } }, 302, FRAME },
	{ "GET", CONNECT,
	    { { SPAN("Sec-Fetch-Dest"), SPAN("iframe") },
		{ SPAN("Sec-Fetch-Mode"), SPAN("navigate") } },
	    302, FRAME },
	{ "GET", "/healthz", { { SPAN("Sec-Fetch-Mode"), SPAN("cors") } }, 200, NULL },
	{ "OPTIONS", "/connect", { { SPAN("Access-Control-Request-Method"), SPAN("POST") } }, 405,
	    PREFLIGHT },
	{ "OPTIONS", "/connect/admin", { { SPAN("access-control-request-method"), SPAN("") } }, 405,
	    PREFLIGHT },
	{ "OPTIONS", "/api/ms_oauth_callback",
	    { { SPAN("Access-Control-Request-Method"), SPAN("GET") } }, 405, PREFLIGHT },
	{ "OPTIONS", "/connect", { { SPAN("Origin"), SPAN("null") } }, 405, NULL },
	{ "GET", CONNECT, { { SPAN("Access-Control-Request-Method"), SPAN("GET") } }, 302, NULL },
};

START_TEST(knows_what_no_browser_can_do)
{
	struct config *config = support_usual_config();
	struct request request = { .method = span_of(browser_rows[_i].method),
		.target = span_of(browser_rows[_i].target),
		.headers = browser_rows[_i].headers };
	struct response response;

	while (request.n_headers < 2 && request.headers[request.n_headers].name.data != NULL)
		request.n_headers++;
	ck_assert_pstr_eq(hint_of(config, &request, &response), browser_rows[_i].hint);
	ck_assert_int_eq(response.status, browser_rows[_i].status);
	config_free(config);
}
END_TEST

#define CALLBACK    "/api/ms_oauth_callback"
#define ASSOCIATION "/.well-known/microsoft-identity-association"

static const struct {
	struct span target;
	const char *path; /* the right one; NULL: none is near */
} near_rows[] = {
	{ SPAN("/API/ms_oauth_callback"), CALLBACK },
	{ SPAN("/api/MS_OAuth_Callback?code=hunter2"), CALLBACK },
	{ SPAN("/ms_oauth_callback"), CALLBACK },
	{ SPAN("/ms_oauth_callback/"), CALLBACK },
	{ SPAN("//api/ms_oauth_callback"), CALLBACK },
	{ SPAN("/api//ms_oauth_callback"), CALLBACK },
	{ SPAN("/api/ms_oauth_callback//"), CALLBACK },
	{ SPAN("/api/ms-oauth-callback"), CALLBACK },
	{ SPAN("///Api///ms-OAuth_callback///"), CALLBACK },
	{ SPAN("http://oauth.example.com/API/ms_oauth_callback"), CALLBACK },
	{ SPAN("/google-oauth-callback"), "/api/google_oauth_callback" },
	{ SPAN("/connect/Google"), "/connect/google" },
	{ SPAN("/Connect"), "/connect" },
	{ SPAN("/connect//"), "/connect" },
	{ SPAN("/api/connect"), "/connect" },
	{ SPAN("/connect//admin"), "/connect/admin" },
	{ SPAN("/CONNECT/ADMIN"), "/connect/admin" },
	{ SPAN("/api/ms-admin-consent-callback"), "/api/ms_admin_consent_callback" },
	{ SPAN("/api/ms_admin_consent_callback/"), "/api/ms_admin_consent_callback" },
	{ SPAN("/.well-known/microsoft_identity_association"), ASSOCIATION },
	{ SPAN(ASSOCIATION "/"), ASSOCIATION },
	{ SPAN(ASSOCIATION ".JSON"), ASSOCIATION ".json" },
	{ SPAN("/healthz/"), "/healthz" },
	{ SPAN("/ReadyZ"), "/readyz" },
	{ SPAN("/"), NULL },
	{ SPAN("//"), NULL },
	{ SPAN("/api"), NULL },
	{ SPAN("/api/"), NULL },
	{ SPAN("/api/api/ms_oauth_callback"), NULL },
	{ SPAN("/api/ms_oauth_callbac"), NULL },
	{ SPAN("/api/ms_oauth_callbacks"), NULL },
	{ SPAN("/api/ms_oauth_callback/x"), NULL },
	{ SPAN("/x/api/ms_oauth_callback"), NULL },
	{ SPAN("/api/ms%5foauth_callback"), NULL },
	{ SPAN("/apims_oauth_callback"), NULL },
	{ SPAN("/conn/ect"), NULL },
	{ SPAN("/metrics/"), NULL },
	{ SPAN("/favicon.ico"), NULL },
};

START_TEST(names_the_path_that_was_missed)
{
	struct config *config = support_usual_config();
	struct request request = { .method = SPAN("GET"), .target = near_rows[_i].target };
	struct response response;
	const char *hint = hint_of(config, &request, &response);
	char wanted[256];

	snprintf(wanted, sizeof(wanted),
	    "The path is almost %s, but not quite: look at capital letters, slashes, /api, - and _",
	    near_rows[_i].path);
	ck_assert_int_eq(response.status, 404);
	ck_assert_pstr_eq(hint, near_rows[_i].path != NULL ? wanted : NULL);
	config_free(config);
}
END_TEST

#define ADDED                                                                                      \
	"A web framework or a tracker of mails and advertisements added a field: leave it out of " \
	"the form or link to /connect"

static const struct {
	const char *name;
	const char *hint;
} parameter_rows[] = {
	{ "authenticity_token", ADDED },
	{ "csrfmiddlewaretoken", ADDED },
	{ "_token", ADDED },
	{ "_csrf", ADDED },
	{ "__RequestVerificationToken", ADDED },
	{ "_gl", ADDED },
	{ "utm_source", ADDED },
	{ "utm_", ADDED },
	{ "UTM_Campaign", ADDED },
	{ "fbclid", ADDED },
	{ "_hsenc", ADDED },
	{ "token", NULL },
	{ "utm", NULL },
	{ "xutm_source", NULL },
	{ "_tokens", NULL },
	{ "x", NULL },
};

/* In a query and in JSON; /connect refuses them all the same, /connect/admin ignores them. */
START_TEST(knows_fields_that_others_add)
{
	static const struct header json = { SPAN("Content-Type"), SPAN("application/json") };
	struct config *config = support_usual_config();
	struct span params[N_PARAMS];
	struct problem problem = { 0 };
	char query[128], text[128], storage[PARAMS_STORAGE_SIZE];
	struct request request = { .method = SPAN("GET"),
		.body = SPAN(""),
		.route = ROUTE_CONNECT_ADMIN,
		.provider = &providers[MICROSOFT] };

	snprintf(query, sizeof(query), "tenant=a.example&%s=hunter2", parameter_rows[_i].name);
	request.query = span_of(query);
	ck_assert(params_read(config, &request, storage, params, &problem));
	ck_span_eq(params[PARAM_TENANT], "a.example");
	request.route = ROUTE_CONNECT;
	request.query = span_of(query + strlen("tenant=a.example&"));
	ck_assert(!params_read(config, &request, storage, params, &problem));
	ck_assert_str_eq(problem.reason, "parameter_unknown");
	ck_assert_pstr_eq(problem.hint, parameter_rows[_i].hint);
	snprintf(text, sizeof(text), "{\"%s\": \"hunter2\"}", parameter_rows[_i].name);
	request = (struct request){ .method = SPAN("POST"),
		.query = SPAN(""),
		.body = span_of(text),
		.headers = &json,
		.n_headers = 1,
		.provider = &providers[MICROSOFT] };
	problem = (struct problem){ 0 };
	ck_assert(!params_read(config, &request, storage, params, &problem));
	ck_assert_pstr_eq(problem.hint, parameter_rows[_i].hint);
	config_free(config);
}
END_TEST

#define ELSEWHERE                                                                                  \
	"The state was built elsewhere, and Recall cannot use it: it has to be one JSON object "   \
	"with recall_calendar_auth_token and the redirect URI of this server. Build the URL by "   \
	"/connect"
#define OUR_URI "https%3a%2f%2foauth.example.com%2fapi%2fms_oauth_callback"
#define STATE(token, uri)                                                                          \
	"code=hunter2&state=%7b%22" TOKEN "%22%3a" token                                           \
	"%2c%22ms_oauth_redirect_url%22%3a%22" uri "%22%7d"

static const struct {
	const char *query;
	const char *hint;
} state_rows[] = {
	{ STATE("%22hunter2%22", OUR_URI), NULL },
	{ STATE("%22hunter2%22", OUR_URI) "&session_state=1", NULL },
	{ "code=hunter2", ELSEWHERE },
	{ "code=hunter2&state=", ELSEWHERE },
	{ "code=hunter2&state=%zz", ELSEWHERE },
	{ STATE("%22hunter2%22", OUR_URI) "&state=x", ELSEWHERE },
	{ "code=hunter2&state=hunter2", ELSEWHERE },
	{ "code=hunter2&state=eyJyZWNhbGwiOiJodW50ZXIyIn0%3d", ELSEWHERE },
	{ "code=hunter2&state=%22hunter2%22", ELSEWHERE },
	{ "code=hunter2&state=%5b%7b%7d%5d", ELSEWHERE },
	{ "code=hunter2&state=null", ELSEWHERE },
	{ "code=hunter2&state=%7b%22a%22%3a%00%7d", ELSEWHERE },
	{ "code=hunter2&state=%7b%7d", ELSEWHERE },
	{ STATE("1", OUR_URI), ELSEWHERE },
	{ STATE("%22%22", OUR_URI), ELSEWHERE },
	{ STATE("null", OUR_URI), ELSEWHERE },
	{ "code=hunter2&state=%7b%22" TOKEN "%22%3a%22hunter2%22%7d", ELSEWHERE },
	{ STATE("%22hunter2%22", "https%3a%2f%2fhunter2.example%2fapi%2fms_oauth_callback"),
	    ELSEWHERE },
	{ STATE("%22hunter2%22", OUR_URI "%2f"), ELSEWHERE },
	{ STATE("%22hunter2%22", "HTTPS%3a%2f%2foauth.example.com%2fapi%2fms_oauth_callback"),
	    ELSEWHERE },
	/* What Microsoft answered is worth more than what was asked. */
	{ "error=consent_required&state=x",
	    "An administrator has to approve the app: send the admin-consent link to the "
	    "customer's IT department" },
};

START_TEST(knows_states_that_were_built_elsewhere)
{
	struct config *config = support_usual_config();
	struct request request = { .method = SPAN("GET") };
	struct response response;
	char target[1024], forwarded[1024];
	const char *hint;

	snprintf(target, sizeof(target), CALLBACK "?%s", state_rows[_i].query);
	snprintf(forwarded, sizeof(forwarded),
	    "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?%s",
	    state_rows[_i].query);
	request.target = span_of(target);
	hint = hint_of(config, &request, &response);
	ck_assert(hint == NULL || strncmp(target, CALLBACK "?error", 27) == 0);
	request.samples_state = true;
	hint = hint_of(config, &request, &response);
	ck_assert_pstr_eq(hint, state_rows[_i].hint);
	ck_assert_int_eq(response.status, 302);
	ck_assert_str_eq(location, forwarded);
	config_free(config);
}
END_TEST

/* Without public_url nobody knows the right redirect URI, and any that there is is good. */
START_TEST(judges_no_redirect_uri_without_public_url)
{
	struct config *config = support_config("{}", NULL);
	struct request request = { .provider = &providers[MICROSOFT] };

	request.query = (struct span)SPAN(STATE("%22t%22", "https%3a%2f%2fany.example"));
	ck_assert_ptr_null(hint_of_state(config, &request));
	request.query = (struct span)SPAN("state=%7b%22" TOKEN "%22%3a%22hunter2%22%7d");
	ck_assert_str_eq(hint_of_state(config, &request), ELSEWHERE);
	request.provider = &providers[GOOGLE];
	request.query = (struct span)SPAN(STATE("%22t%22", "https%3a%2f%2fany.example"));
	ck_assert_str_eq(hint_of_state(config, &request), ELSEWHERE);
	config_free(config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("hint");
	TCase *tests = tcase_create("hint");

	LOOP(tests, knows_what_no_browser_can_do, browser_rows);
	LOOP(tests, names_the_path_that_was_missed, near_rows);
	LOOP(tests, knows_fields_that_others_add, parameter_rows);
	LOOP(tests, knows_states_that_were_built_elsewhere, state_rows);
	tcase_add_test(tests, judges_no_redirect_uri_without_public_url);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
