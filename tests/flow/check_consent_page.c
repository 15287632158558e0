#include "flow/app.h"
#include "flow/page.h"
#include "support.h"

#define ID            "0123456789abcdef"
#define CALLBACK      "/api/ms_oauth_callback"
#define DENIED        "error=access_denied&error_subcode=cancel"
#define LINK          "https://oauth.example.com/connect/admin"

#define CLIENT        "\"microsoft.client_id\": \"11111111-2222-3333-4444-555555555555\""
#define REGISTERED    "\"public_url\": \"https://oauth.example.com\", " CLIENT
#define NAMED         ", \"app.name\": \"R&D <Notes>\", \"app.url\": \"https://app.example/?a&b\""
#define WALL(mode)    ", \"callback.admin_wall\": \"" mode "\""
#define BINDING(mode) ", \"callback.browser_binding\": \"" mode "\""

static char location[8192], body[8192];
static struct response response;

/* Answer a GET with this query; what is in location and body was there before. */
static void
answer(const char *config_text, struct span target)
{
	struct header headers[] = { { SPAN("Accept"), SPAN("text/html") } };
	struct config *config = support_config(config_text, NULL);
	struct request request = { .id = ID,
		.method = SPAN("GET"),
		.target = target,
		.headers = headers,
		.n_headers = COUNT(headers),
		.body = SPAN("") };

	response = (struct response){ 0 };
	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	app_find_route(&request);
	app_handle(config, &request, &response);
	config_free(config);
}

#define TITLE(app) "Your organization wants an administrator to approve " app " first"
#define ROLE       "Cloud Application Administrator or Application Administrator"
#define MAIL                                                                                       \
	"mailto:?subject=Please%20approve%20R%26D%20%3CNotes%3E%20for%20our%20organization&amp;"   \
	"body=Hello%2C%0D%0A%0D%0AI%20would%20like%20to%20connect%20my%20Outlook%20calendar%20to"  \
	"%20R%26D%20%3CNotes%3E.%20Microsoft%20wants%20an%20administrator%20to%20approve%20this"   \
	"%20first.%20Please%20open%20this%20link%2C%20sign%20in%20and%20accept%3A%0D%0A%0D%0A"     \
	"https%3A%2F%2Foauth.example.com%2Fconnect%2Fadmin%0D%0A%0D%0AIt%20takes%20the%20role%20"  \
	"Cloud%20Application%20Administrator%20or%20Application%20Administrator.%20One%20approval" \
	"%20is%20enough%20for%20everyone%20in%20our%20organization.%0D%0A%0D%0AThank%20you"

#define TO_IT(app)                                                                                 \
	"<p>Your calendar is not connected yet. You did nothing wrong: your IT department has to " \
	"approve " app " once.</p>\n<p>"
#define SEND                                                                                       \
	"Send them this link:</p>\n<p><code class=\"c\">" LINK                                     \
	"</code></p>\n<p><a class=\"b\" href=\"" MAIL "\">Mail this link</a>"
#define MORE(app)                                                                                  \
	"</p>\n<p>The administrator signs in at Microsoft, sees under \"Permissions requested\" "  \
	"what " app                                                                                \
	" may do, such as reading calendars, and accepts for everyone in your organization. It "   \
	"takes the role " ROLE ". Then go back to " app                                            \
	" and connect your calendar again.</p>\n<p>If you cancelled the sign-in yourself, go "     \
	"back to " app                                                                             \
	" and start again.</p>\n<p>Do you need help? Give this number to support: <code>" ID       \
	"</code></p>\n</main>\n"
#define DETAILS(error)                                                                               \
	"<footer>\n<h2>For support and developers</h2>\n<p>Outcome <code>admin_wall</code>" error    \
	". The answer was not sent to Recall, because callback.admin_wall is page.</p>\n</footer>\n" \
	"</body>\n</html>\n"

#define NOTES "R&amp;D &lt;Notes&gt;"
#define BACK  "<a class=\"b\" href=\"https://app.example/?a&amp;b\">Back to " NOTES "</a>"

static const struct {
	const char *config;
	struct span target;
	const char *title;
	const char *page; /* from the title's end on */
} wall_rows[] = {
	{ "{" REGISTERED NAMED WALL("page") "}", SPAN(CALLBACK "?" DENIED "&state=hunter2"),
	    TITLE(NOTES), TO_IT(NOTES) SEND BACK MORE(NOTES) DETAILS("") },
	{ "{" REGISTERED NAMED WALL("page") "}",
	    SPAN(CALLBACK "/?error=consent_required&error_description=AADSTS65001+hunter2"),
	    TITLE(NOTES),
	    TO_IT(NOTES) SEND BACK MORE(NOTES) DETAILS(", error <code>AADSTS65001</code>") },

	/* Without a link of ours there is none to send. */
	{ "{\"callback.admin_wall\": \"page\"}", SPAN(CALLBACK "?" DENIED), TITLE("the app"),
	    TO_IT("the app") MORE("the app") DETAILS("") },
	{ "{" CLIENT WALL("page") "}", SPAN(CALLBACK "?" DENIED), TITLE("the app"),
	    TO_IT("the app") MORE("the app") DETAILS("") },
};

START_TEST(helps_at_the_wall)
{
	const char *rest;

	answer(wall_rows[_i].config, wall_rows[_i].target);
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.content_type, "text/html; charset=utf-8");
	ck_assert_str_eq(response.outcome.name, "admin_wall");
	ck_assert_str_eq(location, "");
	rest = strstr(body, "<h1>");
	ck_assert_ptr_nonnull(rest);
	rest += strlen("<h1>");
	ck_assert_int_eq(strncmp(rest, wall_rows[_i].title, strlen(wall_rows[_i].title)), 0);
	rest += strlen(wall_rows[_i].title);
	ck_assert_int_eq(strncmp(rest, "</h1>\n", strlen("</h1>\n")), 0);
	ck_assert_str_eq(rest + strlen("</h1>\n"), wall_rows[_i].page);
	ck_assert_ptr_null(strstr(body, "hunter2"));
	ck_assert_uint_lt(response.body.len, 4096);
}
END_TEST

/* With forward, which is the default, and where there is no wall, the answer is as it came. */
static const struct {
	const char *config;
	struct span target;
	const char *location;
} forward_rows[] = {
	{ "{" REGISTERED "}", SPAN(CALLBACK "?" DENIED), "?" DENIED },
	{ "{" REGISTERED WALL("forward") "}", SPAN(CALLBACK "?" DENIED), "?" DENIED },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?code=a&" DENIED), "?code=a&" DENIED },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?" DENIED "&code="),
	    "?" DENIED "&code=" },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?" DENIED "&" DENIED),
	    "?" DENIED "&" DENIED },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?code=a&state=b"), "?code=a&state=b" },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?error=server_error"),
	    "?error=server_error" },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK "?"), "?" },
	{ "{" REGISTERED WALL("page") "}", SPAN(CALLBACK), "" },
};

START_TEST(forwards_everything_else)
{
	static const char recall[] =
	    "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/";

	answer(forward_rows[_i].config, forward_rows[_i].target);
	ck_assert_int_eq(response.status, 302);
	ck_assert_int_eq(strncmp(location, recall, strlen(recall)), 0);
	ck_assert_str_eq(location + strlen(recall), forward_rows[_i].location);
	ck_assert_str_eq(body, "");
	ck_assert_str_ne(response.outcome.name, "admin_wall");
}
END_TEST

/* Whose answer it is comes first. */
START_TEST(checks_the_binding_first)
{
	answer("{" REGISTERED WALL("page") BINDING("enforce") "}",
	    (struct span)SPAN(CALLBACK "?" DENIED));
	ck_assert_int_eq(response.status, 403);
	ck_assert_str_eq(response.problem.reason, "unbound_callback");
	ck_assert_str_eq(response.problem.detail,
	    "The state of this answer matches no cookie that /connect set in this browser within "
	    "the last 15 minutes");
	ck_assert_str_eq(response.problem.hint,
	    "No cookie of this browser matched the state, and callback.browser_binding is enforce: "
	    "the sign-in must start at /connect in the same browser, at most 15 minutes earlier");
	ck_assert_str_eq(response.outcome.name, "error");
	answer("{" REGISTERED WALL("page") BINDING("report") "}",
	    (struct span)SPAN(CALLBACK "?" DENIED));
	ck_assert_int_eq(response.status, 200);
	ck_assert_str_eq(response.binding, "missing");
	answer(
	    "{" REGISTERED WALL("page") BINDING("off") "}", (struct span)SPAN(CALLBACK "?" DENIED));
	ck_assert_int_eq(response.status, 200);
	ck_assert_ptr_null(response.binding);
}
END_TEST

#define ADMIN "/api/ms_admin_consent_callback"

/* What an administrator reads whose browser did not start it; bound ones are in check_app.c. */
static const struct {
	struct span target;
	const char *text;
} admin_rows[] = {
	{ SPAN(ADMIN),
	    "<h1>No answer from Microsoft</h1>\n<p>This page shows what an administrator has "
	    "answered to Microsoft's question. This time Microsoft sent no answer. Open the "
	    "approval link again.</p>\n" },
	{ SPAN(ADMIN "?admin_consent=True&tenant=t"),
	    "<h1>Microsoft reports an approval</h1>\n<p>Microsoft reports that an administrator has "
	    "approved " NOTES ".</p>\n" },
	{ SPAN(ADMIN "?error=access_denied"),
	    "<h1>Microsoft reports that " NOTES
	    " was not approved</h1>\n<p>Either the request was cancelled, or your account is not "
	    "allowed to approve apps. Open the link again and sign in with the role " ROLE
	    ".</p>\n" },
	{ SPAN(ADMIN "?error=server_error"),
	    "<h1>Microsoft reports that " NOTES
	    " was not approved</h1>\n<p>Microsoft had a problem, or the registration of " NOTES
	    " there does not match this link. Open the link again in a few minutes. If that does "
	    "not help, tell the company that sent it to you.</p>\n" },
};

START_TEST(says_what_the_administrator_answered)
{
	answer(
	    "{" REGISTERED WALL("page") ", \"app.name\": \"R&D <Notes>\"}", admin_rows[_i].target);
	ck_assert_int_eq(response.status, 200);
	ck_assert_msg(strstr(body, admin_rows[_i].text) != NULL, "%s", body);
}
END_TEST

#define LISTED                                                                                     \
	"<p>Approvals are listed in the <a href=\"https://entra.microsoft.com\">Microsoft Entra "  \
	"admin center</a>: Entra ID, Enterprise apps, " NOTES ", Permissions.</p>\n"

/* What an administrator reads whose browser started it. */
static const struct {
	struct outcome outcome;
	const char *text, *ask;
} bound_rows[] = {
	{ { .name = "admin_consent", .is_granted = true },
	    "<h1>Your organization has approved " NOTES "</h1>\n<p>Everyone in it can connect "
	    "their calendar now. Tell the person who sent you the link.</p>\n",
	    "If the approval is needed again, use this link:</p>\n<p><code class=\"c\">" LINK
	    "</code></p>\n" },
	{ { .name = "error", .error = "access_denied" },
	    "<h1>Your organization has not approved " NOTES "</h1>\n<p>Either the request was "
	    "cancelled, or your account is not allowed to approve apps. Open the link again and "
	    "sign in with the role " ROLE ".</p>\n",
	    "<a class=\"b\" href=\"" LINK "\">Open the approval link again</a>" },
};

START_TEST(says_more_to_the_browser_that_started_it)
{
	struct config *config =
	    support_config("{" REGISTERED ", \"app.name\": \"R&D <Notes>\"}", NULL);
	struct request request = { .id = ID, .provider = &providers[MICROSOFT] };

	response = (struct response){ .outcome = bound_rows[_i].outcome };
	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	page_show_consent(config, &request, true, &response);
	ck_assert_msg(strstr(body, bound_rows[_i].text) != NULL, "%s", body);
	ck_assert_msg(strstr(body, bound_rows[_i].ask) != NULL, "%s", body);
	ck_assert_ptr_nonnull(strstr(body, LISTED));
	ck_assert_ptr_null(strstr(body, "was not started in this browser"));
	config_free(config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("consent_page");
	TCase *tests = tcase_create("consent_page");

	tcase_add_loop_test(tests, helps_at_the_wall, 0, COUNT(wall_rows));
	tcase_add_loop_test(tests, forwards_everything_else, 0, COUNT(forward_rows));
	tcase_add_test(tests, checks_the_binding_first);
	LOOP(tests, says_what_the_administrator_answered, admin_rows);
	LOOP(tests, says_more_to_the_browser_that_started_it, bound_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
