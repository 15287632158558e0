#include "app.h"
#include "outcome.h"
#include "support.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GUID_A       "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define GUID_B       "11111111-2222-3333-4444-555555555555"
#define STATE        "&state=%7b%22recall_calendar_auth_token%22%3a%22ey.x%22%7d"

/* A description as Microsoft writes it: form-encoded, lower-case hex, CR LF between its parts. */
#define DESCRIPTION(aadsts, text)                                                                  \
	"&error_description=AADSTS" aadsts "%3a+" text "%0d%0aTrace+ID%3a+" GUID_B                 \
	"%0d%0aCorrelation+ID%3a+" GUID_A "%0d%0aTimestamp%3a+2026-11-23+20%3a41%3a00Z"

#define SEND_ADMIN_LINK                                                                            \
	"An administrator has to approve the app: send the customer's IT the admin-consent link"
#define ASK_IT                                                                                     \
	"The customer's Conditional Access policy stopped the sign-in: their IT has to allow it"
#define WRONG_ACCOUNT                                                                              \
	"The visitor used an account of another tenant or kind: sign out, then start again with "  \
	"the work account"
#define CANCELLED                                                                                  \
	"The visitor cancelled, or met \"Need admin approval\": send the customer's IT the "       \
	"admin-consent link"
#define SIGN_IN "The visitor has to sign in: take prompt=none out of the app's links"
#define EMPTY                                                                                      \
	"No code and no error: the app's link may ask for response_mode=fragment, or somebody "    \
	"opened the address by hand"
#define AMBIGUOUS                                                                                  \
	"Both a code and an error, or one of them twice: not an answer that Microsoft gives"
#define ADMIN                                                                                      \
	"An admin-consent answer came to the calendar callback: its redirect URI should be "       \
	"/api/ms_admin_consent_callback"

#define WORD_10 "abcdefgh_z"
#define WORD_40 WORD_10 WORD_10 WORD_10 WORD_10

struct row {
	struct span query;
	const char *name;
	const char *error; /* NULL: not there */
	const char *error_subcode;
	const char *aadsts; /* "": not there */
	const char *correlation_id;
	const char *hint; /* NULL: none */
};

#define CODE(query)                                                                                \
	{                                                                                          \
		SPAN(query), "code", NULL, NULL, "", "", NULL                                      \
	}
#define NOTHING(query)                                                                             \
	{                                                                                          \
		SPAN(query), "empty", NULL, NULL, "", "", EMPTY                                    \
	}
#define ERROR(query, error)                                                                        \
	{                                                                                          \
		SPAN(query), "error", error, NULL, "", "", NULL                                    \
	}
#define HINTED(query, error, hint)                                                                 \
	{                                                                                          \
		SPAN(query), "error", error, NULL, "", "", hint                                    \
	}
/* An error with a whole description. */
#define AADSTS(number, hint)                                                                       \
	{                                                                                          \
		SPAN("error=access_denied" DESCRIPTION(number, "Text.") STATE), "error",           \
		    "access_denied", NULL, number, GUID_A, hint                                    \
	}
/* An error with this in its description, and what is read out of that. */
#define DESCRIBED(description, aadsts, correlation_id)                                             \
	{                                                                                          \
		SPAN("error=invalid_request&error_description=" description), "error",             \
		    "invalid_request", NULL, aadsts, correlation_id, NULL                          \
	}

static const struct row rows[] = {
	/* Codes. */
	CODE("code=1.AXoAx0.AgABBAIAAAD" STATE "&session_state=" GUID_A),
	CODE("code=M.C552_BL2.2.U." GUID_B STATE),
	CODE("code=0.A%21%2a%24.x&state=%7b%7d"),
	CODE("state=x&code=y"),
	CODE("%63ode=x"),
	CODE("c%6Fd%65=x"),
	CODE("&&code=x&&"),
	CODE("code=x&error_description=AADSTS65001%3a+x&correlation_id=" GUID_A),
	CODE("code=x&error_subcode=cancel"),
	CODE("code=x&admin_consent=True"),
	CODE("code=x&state=a&state=b"),
	CODE("code=%zz%&a=%00"),
	CODE("code=x&Error=access_denied"),
	CODE("code=x&error%00=access_denied"),

	/* Neither code nor error. */
	NOTHING(""),
	NOTHING("&"),
	NOTHING("="),
	NOTHING("state=x"),
	NOTHING("Code=x"),
	NOTHING("ERROR=access_denied"),
	NOTHING("codes=x"),
	NOTHING("cod=x"),
	NOTHING("code%00=x"),
	NOTHING("code\0=x"),
	NOTHING("code%20=x"),
	NOTHING("code%=x"),
	NOTHING("%zzcode=x"),
	NOTHING("+code=x"),
	NOTHING("?code=x"),
	NOTHING("%2563ode=x"),
	NOTHING("state=a;code=x"),
	NOTHING("state=a%26code=x"),
	NOTHING("state=a%26error=access_denied"),
	{ SPAN("error_subcode=cancel"), "empty", NULL, "cancel", "", "", EMPTY },

	/* Both, or one twice. */
	{ SPAN("code=a&code=b"), "ambiguous", NULL, NULL, "", "", AMBIGUOUS },
	{ SPAN("code=a&code=a&code=a"), "ambiguous", NULL, NULL, "", "", AMBIGUOUS },
	{ SPAN("code=a&%63%6f%64%65=b"), "ambiguous", NULL, NULL, "", "", AMBIGUOUS },
	{ SPAN("code=a&error=access_denied"), "ambiguous", "access_denied", NULL, "", "",
	    AMBIGUOUS },
	{ SPAN("error=access_denied&error_subcode=cancel&code=a"), "ambiguous", "access_denied",
	    "cancel", "", "", AMBIGUOUS },
	{ SPAN("error=access_denied&error=server_error"), "ambiguous", "access_denied", NULL, "",
	    "", AMBIGUOUS },
	{ SPAN("error=server_error&err%6fr=server_error"), "ambiguous", "server_error", NULL, "",
	    "", AMBIGUOUS },
	{ SPAN("admin_consent=True&code=a&error=access_denied"), "ambiguous", "access_denied", NULL,
	    "", "", AMBIGUOUS },
	{ SPAN("admin_consent=True&error=access_denied&error=x_y"), "ambiguous", "access_denied",
	    NULL, "", "", AMBIGUOUS },

	/* Administrators' answers: True even where they refused. */
	{ SPAN("admin_consent=True&tenant=" GUID_B "&scope=https%3a%2f%2fgraph.microsoft.com%2f"
	       "Calendars.Read" STATE),
	    "admin_consent", NULL, NULL, "", "", ADMIN },
	{ SPAN("admin_consent=True&error=access_denied" DESCRIPTION("65004", "Declined.") STATE),
	    "admin_consent", "access_denied", NULL, "65004", GUID_A,
	    "The visitor declined: start again, and accept" },
	{ SPAN("admin_consent=True&error=access_denied&error_subcode=cancel" STATE),
	    "admin_consent", "access_denied", "cancel", "", "", CANCELLED },
	{ SPAN("error=permission_denied&admin_consent=True"), "admin_consent", "permission_denied",
	    NULL, "", "", NULL },
	{ SPAN("admin%5fconsent=False"), "admin_consent", NULL, NULL, "", "", ADMIN },
	NOTHING("Admin_Consent=True"),

	/* The error's word. */
	{ SPAN("error=access_denied&error_subcode=cancel" STATE), "error", "access_denied",
	    "cancel", "", "", CANCELLED },
	{ SPAN("error_subcode=cancel&error=access_denied"), "error", "access_denied", "cancel", "",
	    "", CANCELLED },
	{ SPAN("error=access%5fdenied&error_subcode=%63ancel"), "error", "access_denied", "cancel",
	    "", "", CANCELLED },
	{ SPAN("error=access_denied&error_subcode=Cancel"), "error", "access_denied", "other", "",
	    "", NULL },
	{ SPAN("error=access_denied&error_subcode="), "error", "access_denied", "other", "", "",
	    NULL },
	{ SPAN("error=access_denied&error_subcode=cancel%0d%0a"), "error", "access_denied", "other",
	    "", "", NULL },
	{ SPAN("error=access_denied&error_subcode=other_thing&error_subcode=cancel"), "error",
	    "access_denied", "other_thing", "", "", NULL },
	{ SPAN("error=server_error&error_subcode=" WORD_40 "x"), "error", "server_error", "other",
	    "", "", "Microsoft failed: start again; correlation_id is what its support asks for" },
	ERROR("error=access_denied" STATE, "access_denied"),
	ERROR("%65rror=access_denied", "access_denied"),
	ERROR("error=%61ccess_denied", "access_denied"),
	ERROR("error=invalid_request", "invalid_request"),
	ERROR("error=" WORD_40, WORD_40),
	ERROR("error=" WORD_40 "a", "other"),
	ERROR("error=" WORD_40 WORD_40 WORD_40, "other"),
	ERROR("error=_", "_"),
	ERROR("error=", "other"),
	ERROR("error", "other"),
	ERROR("error=ACCESS_DENIED", "other"),
	ERROR("error=Access_denied", "other"),
	ERROR("error=access-denied", "other"),
	ERROR("error=access+denied", "other"),
	ERROR("error=access_denied1", "other"),
	ERROR("error=access_denied%0d%0aSet-Cookie%3a+x", "other"),
	ERROR("error=access_denied%00", "other"),
	ERROR("error=access_denied\0", "other"),
	ERROR("error=access_denied%", "other"),
	ERROR("error=%zz", "other"),
	ERROR("error=%3cscript%3e", "other"),
	ERROR("error=\"},{\"a\":\"", "other"),
	ERROR("error=caf%c3%a9", "other"),
	ERROR("error=\xff", "other"),
	ERROR("error=`a", "other"),
	ERROR("error={", "other"),

	/* What is known of an error without a number. */
	HINTED("error=consent_required", "consent_required", SEND_ADMIN_LINK),
	HINTED("error=login_required", "login_required", SIGN_IN),
	HINTED("error=interaction_required", "interaction_required", SIGN_IN),
	HINTED("error=temporarily_unavailable", "temporarily_unavailable",
	    "Microsoft is busy: start again in some minutes"),
	HINTED("error=server_error", "server_error",
	    "Microsoft failed: start again; correlation_id is what its support asks for"),
	HINTED("error=unauthorized_client", "unauthorized_client",
	    "The app registration does not allow this flow: its platform must be Web, its audience "
	    "multitenant and personal"),
	HINTED("error=unsupported_response_type", "unsupported_response_type",
	    "The app's link must ask for response_type=code"),
	HINTED("error=invalid_resource", "invalid_resource",
	    "A scope names an unknown resource: compare microsoft.scopes"),

	/* Numbers. */
	AADSTS("65001", SEND_ADMIN_LINK),
	AADSTS("90094", SEND_ADMIN_LINK),
	AADSTS("90095", SEND_ADMIN_LINK),
	AADSTS("65004", "The visitor declined: start again, and accept"),
	AADSTS("50105", "The customer's IT has to assign the user to the app"),
	AADSTS("53000", ASK_IT),
	AADSTS("53003", ASK_IT),
	AADSTS("50131", ASK_IT),
	AADSTS("530035", ASK_IT),
	AADSTS("50020", WRONG_ACCOUNT),
	AADSTS("50034", WRONG_ACCOUNT),
	AADSTS("51004", WRONG_ACCOUNT),
	AADSTS("50194", "The app registration is not multitenant: set its audience to accounts in "
			"any directory and personal accounts"),
	AADSTS("9002332", "The app registration's audience lacks personal accounts"),
	AADSTS("70011", "A scope is misspelt: compare microsoft.scopes with the app registration"),
	AADSTS("700054", "Tick ID tokens under Authentication in the app registration"),
	AADSTS("7000215", "The client secret in the Recall dashboard is wrong"),
	AADSTS("7000222", "The client secret in the Recall dashboard has expired"),
	AADSTS("54005", "The code was redeemed before: start again"),
	AADSTS("70008", "The code or grant has expired: start again"),
	AADSTS("50196", "The sign-in looped: take prompt=consent out of the app's links"),
	AADSTS("5300", NULL),
	AADSTS("6500", NULL),
	AADSTS("650010", NULL),
	AADSTS("123456789012345", NULL),
	{ SPAN("error=access_denied&error_subcode=cancel" DESCRIPTION("65004", "Declined.")),
	    "error", "access_denied", "cancel", "65004", GUID_A,
	    "The visitor declined: start again, and accept" },
	{ SPAN("error=access_denied&error_subcode=cancel" DESCRIPTION("1", "Unknown.")), "error",
	    "access_denied", "cancel", "1", GUID_A, CANCELLED },
	{ SPAN("error=%0a" DESCRIPTION("65001", "x")), "error", "other", NULL, "65001", GUID_A,
	    SEND_ADMIN_LINK },

	/* Descriptions. */
	{ SPAN("error=invalid_request" DESCRIPTION("900144",
	      "The+request+body+must+contain+the+following+parameter%3a+%27scope%27.") "&error_uri="
										       "https%3a%2f%2flogin.microsoftonline.com%2ferror%3fcode%3d900144" STATE),
	    "error", "invalid_request", NULL, "900144", GUID_A, NULL },
	DESCRIBED("", "", ""),
	DESCRIBED("The+user+has+denied+access", "", ""),
	DESCRIBED("AADSTS", "", ""),
	DESCRIBED("AADSTS%3a+x", "", ""),
	DESCRIBED("AADSTS-1", "", ""),
	DESCRIBED("AADSTS1234567890123456", "", ""),
	DESCRIBED("aadsts900144%3A%20x", "900144", ""),
	DESCRIBED("%41ADSTS9%30%30144", "900144", ""),
	DESCRIBED("Error:%20AADSTS900144:%20AADSTS65001", "900144", ""),
	DESCRIBED("AADSTS900144%00", "900144", ""),
	DESCRIBED("AADSTS%0065001", "", ""),
	DESCRIBED("AADSTS900144%0d%0a%0d%0a{\"injected\":1}", "900144", ""),
	DESCRIBED("AADSTS900144%zz+Correlation+ID%3a+" GUID_A, "900144", ""),
	DESCRIBED("Correlation+ID%3a+" GUID_A, "", GUID_A),
	DESCRIBED("Correlation%20ID%3A%20" GUID_A, "", GUID_A),
	DESCRIBED("correlation+id%3a" GUID_A, "", GUID_A),
	DESCRIBED("Correlation+ID%3a+0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9%0d%0a", "", GUID_A),
	DESCRIBED("Correlation+ID%3a+0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f", "", ""),
	DESCRIBED("Correlation+ID%3a+0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8fg", "", ""),
	DESCRIBED("Correlation+ID%3a+%0d%0a", "", ""),
	DESCRIBED("Correlation+ID%3a", "", ""),

	/* The id as a parameter of its own. */
	{ SPAN("error=invalid_request&correlation_id=" GUID_A), "error", "invalid_request", NULL,
	    "", GUID_A, NULL },
	{ SPAN("error=invalid_request&correlation%5fid=0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"),
	    "error", "invalid_request", NULL, "", GUID_A, NULL },
	ERROR("error=invalid_request&correlation_id=", "invalid_request"),
	ERROR("error=invalid_request&correlation_id=x%0d%0a", "invalid_request"),
	ERROR("error=invalid_request&correlation_id=0a1b2c3d-4e5f-6071-8293", "invalid_request"),
	ERROR("error=invalid_request&trace_id=" GUID_A, "invalid_request"),
};

START_TEST(reads)
{
	const struct row *row = &rows[_i];
	struct outcome outcome;

	memset(&outcome, 'x', sizeof(outcome));
	outcome_read(row->query, &outcome);
	ck_assert_pstr_eq(outcome.name, row->name);
	ck_assert_pstr_eq(outcome.error, row->error);
	ck_assert_pstr_eq(outcome.error_subcode, row->error_subcode);
	ck_assert_str_eq(outcome.aadsts, row->aadsts);
	ck_assert_str_eq(outcome.correlation_id, row->correlation_id);
	ck_assert_pstr_eq(outcome.hint, row->hint);
}
END_TEST

/* Whatever was made of it: it is passed on as it came. */
START_TEST(passes_on_what_it_reads)
{
	static char target[8192], wanted[8192], location[8192], body[8192];
	struct config *config = support_usual_config();
	struct response response = { 0 };
	struct request request = { .id = "0", .method = SPAN("GET"), .body = SPAN("") };
	struct buf b;

	buf_init(&b, target, sizeof(target));
	buf_puts(&b, "/api/ms_oauth_callback?");
	buf_put(&b, rows[_i].query);
	request.target = buf_span(&b);
	buf_init(&b, wanted, sizeof(wanted));
	buf_puts(&b, "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?");
	buf_put(&b, rows[_i].query);
	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 302);
	ck_assert(span_equals(buf_span(&response.location), buf_span(&b)));
	ck_assert_pstr_eq(response.outcome.name, rows[_i].name);
	config_free(config);
}
END_TEST

/* Much longer than any room in there: the number at the front is still read. */
START_TEST(reads_long_description)
{
	static char query[64 * 1024];
	struct outcome outcome;
	struct buf out;

	buf_init(&out, query, sizeof(query));
	buf_puts(&out, "error=access_denied&error_description=AADSTS65001%3a+");
	while (out.len < 60000)
		buf_puts(&out, _i == 0 ? "%0d%0a" : _i == 1 ? "x" : "%");
	buf_puts(&out, "&error_subcode=cancel");
	outcome_read(buf_span(&out), &outcome);
	ck_assert_pstr_eq(outcome.name, "error");
	ck_assert_pstr_eq(outcome.error_subcode, "cancel");
	ck_assert_str_eq(outcome.aadsts, "65001");
	ck_assert_str_eq(outcome.correlation_id, "");
	ck_assert_pstr_eq(outcome.hint, SEND_ADMIN_LINK);
}
END_TEST

/* Nothing that is secret is kept, whatever stands where. */
static const struct span secret_rows[] = {
	SPAN("code=hunter2&state=hunter2"),
	SPAN("error=hunter2&error_subcode=hunter2&state=hunter2"),
	SPAN("error=x&error_description=AADSTShunter2+Correlation+ID%3a+hunter2"),
	SPAN("error=x&correlation_id=hunter2-hunter2-hunter2-hunter2-hunter2"),
	SPAN("admin_consent=hunter2&tenant=hunter2"),
	SPAN("hunter2=hunter2"),
};

START_TEST(keeps_no_secret)
{
	struct outcome outcome;

	outcome_read(secret_rows[_i], &outcome);
	ck_assert(outcome.error == NULL || strstr(outcome.error, "hunter2") == NULL);
	ck_assert(
	    outcome.error_subcode == NULL || strstr(outcome.error_subcode, "hunter2") == NULL);
	ck_assert(strstr(outcome.aadsts, "hunter2") == NULL);
	ck_assert(strstr(outcome.correlation_id, "hunter2") == NULL);
	ck_assert(outcome.hint == NULL || strstr(outcome.hint, "hunter2") == NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("outcome");
	TCase *tests = tcase_create("outcome");

	tcase_add_loop_test(tests, reads, 0, COUNT(rows));
	tcase_add_loop_test(tests, passes_on_what_it_reads, 0, COUNT(rows));
	tcase_add_loop_test(tests, reads_long_description, 0, 3);
	tcase_add_loop_test(tests, keeps_no_secret, 0, COUNT(secret_rows));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
