#include "flow/app.h"
#include "flow/provider.h"
#include "support.h"

#define GUID_A "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define GUID_B "11111111-2222-3333-4444-555555555555"
#define STATE  "&state=%7b%22recall_calendar_auth_token%22%3a%22ey.x%22%7d"

/* A description as Microsoft writes it: form-encoded, lower-case hex, CR LF between its parts. */
#define DESCRIPTION(aadsts, text)                                                                  \
	"&error_description=AADSTS" aadsts "%3a+" text "%0d%0aTrace+ID%3a+" GUID_B                 \
	"%0d%0aCorrelation+ID%3a+" GUID_A "%0d%0aTimestamp%3a+2026-11-23+20%3a41%3a00Z"

#define SEND_ADMIN_LINK                                                                            \
	"An administrator has to approve the app: send the admin-consent link to the customer's "  \
	"IT department"
#define ASK_IT                                                                                     \
	"The customer's Conditional Access policy blocked the sign-in: their IT department has "   \
	"to allow it"
#define WRONG_ACCOUNT                                                                              \
	"The visitor signed in with an account of the wrong tenant or kind: they should sign out " \
	"and start again with their work account"
#define CANCELLED                                                                                  \
	"The visitor cancelled, or Microsoft showed \"Need admin approval\": send the "            \
	"admin-consent link to the customer's IT department"
#define SIGN_IN "The visitor has to sign in: remove prompt=none from the app's links"
#define EMPTY                                                                                      \
	"No code and no error: a proxy in front may drop the query, the app's link may ask for "   \
	"response_mode=fragment, or somebody opened the address by hand"
#define AMBIGUOUS                                                                                  \
	"The answer has both a code and an error, or one of them more than once: no provider "     \
	"sends such answers"
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
	    "The visitor declined: they can start again and accept" },
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
	    "", CANCELLED },
	{ SPAN("error=access_denied&error_subcode="), "error", "access_denied", "other", "", "",
	    CANCELLED },
	{ SPAN("error=access_denied&error_subcode=cancel%0d%0a"), "error", "access_denied", "other",
	    "", "", CANCELLED },
	{ SPAN("error=access_denied&error_subcode=other_thing&error_subcode=cancel"), "error",
	    "access_denied", "other_thing", "", "", CANCELLED },
	{ SPAN("error=server_error&error_subcode=" WORD_40 "x"), "error", "server_error", "other",
	    "", "",
	    "Microsoft had an internal error: the visitor should try again. "
	    "Microsoft's support will ask for the correlation_id" },
	HINTED("error=access_denied" STATE, "access_denied", CANCELLED),
	HINTED("%65rror=access_denied", "access_denied", CANCELLED),
	HINTED("error=%61ccess_denied", "access_denied", CANCELLED),
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
	    "The provider is busy: the visitor should try again in a few minutes"),
	HINTED("error=server_error", "server_error",
	    "Microsoft had an internal error: the visitor should try again. "
	    "Microsoft's support will ask for the correlation_id"),
	HINTED("error=unauthorized_client", "unauthorized_client",
	    "The app registration does not allow this flow: its platform must be Web, "
	    "and its audience must include all tenants and personal accounts"),
	HINTED("error=unsupported_response_type", "unsupported_response_type",
	    "The app's link must ask for response_type=code"),
	HINTED("error=invalid_resource", "invalid_resource",
	    "A scope names an unknown resource: compare microsoft.scopes"),

	/* Numbers. */
	AADSTS("65001", SEND_ADMIN_LINK),
	AADSTS("90094", SEND_ADMIN_LINK),
	AADSTS("90095", SEND_ADMIN_LINK),
	AADSTS("65004", "The visitor declined: they can start again and accept"),
	AADSTS("50105", "The customer's IT department has to assign the user to the app"),
	AADSTS("53000", ASK_IT),
	AADSTS("53003", ASK_IT),
	AADSTS("50131", ASK_IT),
	AADSTS("530035", ASK_IT),
	AADSTS("50020", WRONG_ACCOUNT),
	AADSTS("50034", WRONG_ACCOUNT),
	AADSTS("51004", WRONG_ACCOUNT),
	AADSTS("50194", "The app registration is not multitenant: set its audience to accounts in "
			"any directory and personal accounts"),
	AADSTS("9002332", "The app registration does not allow personal accounts"),
	AADSTS("70011", "A scope is misspelt: compare microsoft.scopes with the app registration"),
	AADSTS("700054", "Tick ID tokens under Authentication in the app registration"),
	AADSTS("7000215", "The client secret in the Recall dashboard is wrong"),
	AADSTS("7000222", "The client secret in the Recall dashboard has expired"),
	AADSTS("54005", "The code had already been redeemed: the visitor has to start again"),
	AADSTS("70008", "The code or grant has expired: the visitor has to start again"),
	AADSTS("50196", "The sign-in went in circles: remove prompt=consent from the app's links"),
	AADSTS("5300", CANCELLED),
	AADSTS("6500", CANCELLED),
	AADSTS("650010", CANCELLED),
	AADSTS("123456789012345", CANCELLED),
	{ SPAN("error=access_denied&error_subcode=cancel" DESCRIPTION("65004", "Declined.")),
	    "error", "access_denied", "cancel", "65004", GUID_A,
	    "The visitor declined: they can start again and accept" },
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

static const char *
word_of(const char *word)
{
	return word[0] != '\0' ? word : NULL;
}

START_TEST(reads)
{
	const struct row *row = &rows[_i];
	struct outcome outcome;

	memset(&outcome, 'x', sizeof(outcome));
	outcome_read(&providers[MICROSOFT], row->query, &outcome);
	ck_assert_pstr_eq(outcome.name, row->name);
	ck_assert_pstr_eq(word_of(outcome.error), row->error);
	ck_assert_pstr_eq(word_of(outcome.error_subcode), row->error_subcode);
	ck_assert_str_eq(outcome.aadsts, row->aadsts);
	ck_assert_str_eq(outcome.correlation_id, row->correlation_id);
	ck_assert_pstr_eq(outcome.hint, row->hint);
}
END_TEST

/* The link goes with those hints that speak of it, and with no other. */
START_TEST(marks_hints_that_take_the_link)
{
	const char *hint = rows[_i].hint != NULL ? rows[_i].hint : "";
	struct outcome outcome;

	outcome_read(&providers[MICROSOFT], rows[_i].query, &outcome);
	ck_assert_int_eq(outcome.hint_takes_link, strstr(hint, "admin-consent link") != NULL);
}
END_TEST

#define DENIED "error=access_denied"

static const struct {
	struct span query;
	bool is_wall;
} wall_rows[] = {
	{ SPAN(DENIED "&error_subcode=cancel" STATE), true },
	{ SPAN("error_subcode=cancel&state=x&" DENIED), true },
	{ SPAN("err%6Fr=access%5fdenied&error_subcode=%63ancel"), true },
	{ SPAN(DENIED DESCRIPTION("65001", "x") STATE), true },
	{ SPAN(DENIED DESCRIPTION("90094", "x") STATE), true },
	{ SPAN(DENIED DESCRIPTION("90095", "x") STATE), true },
	{ SPAN("error=consent_required"), true },
	{ SPAN("error=consent_required" DESCRIPTION("65001", "x")), true },
	{ SPAN("error=consent_required" DESCRIPTION("65004", "x")), true },

	/* What else stops people. */
	{ SPAN(""), false },
	{ SPAN(DENIED), false },
	{ SPAN(DENIED "&error_subcode="), false },
	{ SPAN(DENIED "&error_subcode=Cancel"), false },
	{ SPAN(DENIED "&error_subcode=cancel%00"), false },
	{ SPAN(DENIED "&error_subcode=cancel%0d%0a"), false },
	{ SPAN(DENIED "&error_subcode=cancelled"), false },
	{ SPAN(DENIED DESCRIPTION("65004", "x")), false },
	{ SPAN(DENIED DESCRIPTION("6500", "x")), false },
	{ SPAN(DENIED DESCRIPTION("650010", "x")), false },
	{ SPAN(DENIED DESCRIPTION("65004", "AADSTS90094")), false },
	{ SPAN(DENIED "&error_description=An+administrator+has+to+approve"), false },
	{ SPAN("error=Access_denied&error_subcode=cancel"), false },
	{ SPAN("error=access_denied%00&error_subcode=cancel"), false },
	{ SPAN("error=&error_subcode=cancel"), false },

	/* The number in a description is never enough. */
	{ SPAN("error=server_error" DESCRIPTION("90094", "x")), false },
	{ SPAN("error=invalid_request&error_subcode=cancel" DESCRIPTION("65001", "x")), false },
	{ SPAN("error=temporarily_unavailable" DESCRIPTION("90095", "x")), false },
	{ SPAN("error=interaction_required" DESCRIPTION("65001", "x")), false },
	{ SPAN("error_subcode=cancel" DESCRIPTION("90094", "x")), false },
	{ SPAN("error=%zz" DESCRIPTION("90094", "x")), false },

	/* Never where there is a code, or where it is not clear what was answered. */
	{ SPAN("code=a&error_subcode=cancel"), false },
	{ SPAN("code=a" DESCRIPTION("90094", "x")), false },
	{ SPAN("code=&" DENIED "&error_subcode=cancel"), false },
	{ SPAN(DENIED "&error_subcode=cancel&c%6fde=a"), false },
	{ SPAN(DENIED "&error_subcode=cancel&" DENIED), false },
	{ SPAN("error=consent_required&error=consent_required"), false },
	{ SPAN("admin_consent=True&" DENIED "&error_subcode=cancel"), false },
	{ SPAN("admin_consent=True&error=consent_required"), false },
};

START_TEST(knows_the_admin_wall)
{
	struct outcome outcome;

	outcome_read(support_provider, wall_rows[_i].query, &outcome);
	ck_assert_int_eq(
	    outcome.is_admin_wall, wall_rows[_i].is_wall && support_provider->id == MICROSOFT);
}
END_TEST

static const struct {
	struct span query;
	bool is_granted;
} granted_rows[] = {
	{ SPAN("admin_consent=True" STATE), true },
	{ SPAN("admin_consent=true"), true },
	{ SPAN("admin_consent=TRUE"), true },
	{ SPAN("%61dmin_consent=%54rue"), true },
	{ SPAN("admin_consent=False"), false },
	{ SPAN("admin_consent="), false },
	{ SPAN("admin_consent"), false },
	{ SPAN("admin_consent=1"), false },
	{ SPAN("admin_consent=yes"), false },
	{ SPAN("admin_consent=True+"), false },
	{ SPAN("admin_consent=True%00"), false },
	{ SPAN("admin_consent=True%"), false },
	{ SPAN("admin_consent=Truetruetruetrue"), false },
	{ SPAN("admin_consent=True&admin_consent=True"), false },
	{ SPAN("admin_consent=True&admin_consent=False"), false },
	{ SPAN("admin_consent=False&admin_consent=True"), false },
	{ SPAN("admin_consent=True&error="), false },
	{ SPAN("admin_consent=True&error=access_denied"), false },
	{ SPAN("admin_consent=True&error=a&error=b"), false },
	{ SPAN(""), false },
};

START_TEST(knows_an_approval)
{
	struct outcome outcome;

	outcome_read(support_provider, granted_rows[_i].query, &outcome);
	ck_assert_int_eq(outcome.is_granted, granted_rows[_i].is_granted);
}
END_TEST

/* Nobody can approve an app at Google for others, whatever its answers look like. */
START_TEST(adds_no_admin_link_at_google)
{
	struct outcome outcome;

	outcome_read(&providers[GOOGLE], rows[_i].query, &outcome);
	ck_assert(!outcome.hint_takes_link);
	ck_assert_ptr_null(strstr(outcome.hint != NULL ? outcome.hint : "", "admin-consent link"));
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
	buf_puts(&b, support_provider->callback_path);
	buf_putc(&b, '?');
	buf_put(&b, rows[_i].query);
	request.target = buf_span(&b);
	buf_init(&b, wanted, sizeof(wanted));
	buf_printf(&b, "https://us-east-1.recall.ai%s?", support_provider->recall_path);
	buf_put(&b, rows[_i].query);
	buf_init(&response.location, location, sizeof(location));
	buf_init(&response.body, body, sizeof(body));
	app_find_route(&request);
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
	outcome_read(&providers[MICROSOFT], buf_span(&out), &outcome);
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
	SPAN("error=not_a_word_hunter2&error_subcode=nor_this_hunter2"),
	SPAN("hunter2=hunter2"),
	SPAN("code=x&scope=hunter2+https%3a%2f%2fhunter2"),
};

START_TEST(keeps_no_secret)
{
	struct outcome outcome;

	outcome_read(support_provider, secret_rows[_i], &outcome);
	/* Not after the end of a word either: an outcome may be copied and kept. */
	ck_assert_ptr_null(memmem(&outcome, sizeof(outcome), "hunter2", strlen("hunter2")));
	ck_assert(outcome.hint == NULL || strstr(outcome.hint, "hunter2") == NULL);
}
END_TEST

/* --- Google --- */

#define ALLOW "The visitor cancelled: they can start again and allow access"
#define TICK                                                                                       \
	"The visitor did not allow access to the calendar: they can start again and tick its box"
#define UNKNOWN "google.client_id is not, or no longer, an OAuth client"
#define AUTH    "https://www.googleapis.com/auth/"
#define GOT                                                                                        \
	"code=4/0Ab_5q&state=%7B%7D&iss=https://accounts.google.com&authuser=0&hd=contoso.example&prompt=consent&scope="

static const struct {
	struct span query;
	const char *name, *error, *hint;
} google_rows[] = {
	/* What was granted is among what comes back, in any order and encoding. */
	{ SPAN(GOT AUTH "calendar.events.readonly%20" AUTH "userinfo.email"), "code", NULL, NULL },
	{ SPAN(GOT "email+" AUTH "userinfo.email+openid+" AUTH "calendar.events.readonly"), "code",
	    NULL, NULL },
	{ SPAN(GOT "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcalendar.events.readonly"), "code",
	    NULL, NULL },
	{ SPAN("scope=x+" AUTH "calendar.events.readonly&code=x"), "code", NULL, NULL },
	{ SPAN(GOT AUTH "userinfo.email%20openid"), "code", NULL, TICK },
	{ SPAN("c%6fde=x&sc%6fpe=openid"), "code", NULL, TICK },
	{ SPAN("code=x&scope="), "code", NULL, TICK },
	{ SPAN(GOT AUTH "calendar.events.readonly2"), "code", NULL, TICK },
	{ SPAN(GOT "x" AUTH "calendar.events.readonly"), "code", NULL, TICK },
	{ SPAN(GOT AUTH "calendar.events.readonl"), "code", NULL, TICK },
	{ SPAN(GOT AUTH "calendar.events.readonly%00"), "code", NULL, TICK },
	{ SPAN(GOT AUTH "Calendar.Events.Readonly"), "code", NULL, TICK },
	/* Where it cannot be known, nothing is said. */
	{ SPAN("code=x&state=y"), "code", NULL, NULL },
	{ SPAN("code=x&Scope=openid"), "code", NULL, NULL },
	{ SPAN("code=x&scope=openid&scope=email"), "code", NULL, NULL },
	{ SPAN("code=x&scope=openid%zz"), "code", NULL, NULL },

	{ SPAN("error=access_denied&state=%7B%7D"), "error", "access_denied", ALLOW },
	{ SPAN("error=access_denied&error_subcode=cancel"), "error", "access_denied", ALLOW },
	{ SPAN("error=access_denied&scope=openid"), "error", "access_denied", ALLOW },
	{ SPAN("error=admin_policy_enforced"), "error", "admin_policy_enforced",
	    "The customer's Google administrator has to trust the app" },
	{ SPAN("error=org_internal"), "error", "org_internal",
	    "Set the app's audience to External in the Google Cloud console" },
	{ SPAN("error=disallowed_useragent"), "error", "disallowed_useragent",
	    "Google refuses sign-in inside an app: open it in a browser" },
	{ SPAN("error=invalid_request"), "error", "invalid_request", NULL },
	{ SPAN("error=redirect_uri_mismatch"), "error", "redirect_uri_mismatch",
	    "Register the redirect URI that setup prints, to the letter" },
	{ SPAN("error=invalid_client"), "error", "invalid_client", UNKNOWN },
	{ SPAN("error=deleted_client"), "error", "deleted_client", UNKNOWN },
	{ SPAN("error=unauthorized_client"), "error", "unauthorized_client",
	    "The OAuth client has to be of the type Web application" },
	{ SPAN("error=unsupported_response_type"), "error", "unsupported_response_type",
	    "The app's link must ask for response_type=code" },
	{ SPAN("error=invalid_scope"), "error", "invalid_scope",
	    "A scope is misspelt: compare google.scopes with the consent screen" },
	{ SPAN("error=server_error"), "error", "server_error",
	    "Google had an internal error: the visitor should try again" },
	{ SPAN("error=temporarily_unavailable"), "error", "temporarily_unavailable",
	    "The provider is busy: the visitor should try again in a few minutes" },
	{ SPAN("error=login_required"), "error", "login_required", SIGN_IN },
	{ SPAN("error=interaction_required"), "error", "interaction_required", SIGN_IN },
	{ SPAN("error=other"), "error", "other", NULL },
	{ SPAN("error=Access_denied"), "error", "other", NULL },
	{ SPAN("error=invalid_resource"), "error", "invalid_resource", NULL },
	/* A number of Microsoft's means nothing here. */
	{ SPAN("error=invalid_request&error_description=AADSTS65001%3a+x"), "error",
	    "invalid_request", NULL },
	{ SPAN("code=a&error=access_denied"), "ambiguous", "access_denied", AMBIGUOUS },
	{ SPAN("code=a&code=b&scope=openid"), "ambiguous", NULL, AMBIGUOUS },
	{ SPAN(""), "empty", NULL, EMPTY },
};

START_TEST(reads_google)
{
	struct outcome outcome;

	outcome_read(&providers[GOOGLE], google_rows[_i].query, &outcome);
	ck_assert_pstr_eq(outcome.name, google_rows[_i].name);
	ck_assert_pstr_eq(word_of(outcome.error), google_rows[_i].error);
	ck_assert_pstr_eq(outcome.hint, google_rows[_i].hint);
}
END_TEST

/* A scope of any length: where it does not fit, nothing is said of it. */
START_TEST(reads_long_scope)
{
	static char query[8192];
	struct outcome outcome;
	struct buf out;

	buf_init(&out, query, sizeof(query));
	buf_puts(&out, "code=x&scope=");
	for (int i = 0; i < (_i == 0 ? 2047 : 2048); i++)
		buf_putc(&out, 'a');
	outcome_read(&providers[GOOGLE], buf_span(&out), &outcome);
	ck_assert_pstr_eq(outcome.hint, _i == 0 ? TICK : NULL);
}
END_TEST

/* What Microsoft says of scopes is not looked at. */
START_TEST(expects_no_scope_of_microsoft)
{
	struct outcome outcome;

	outcome_read(&providers[MICROSOFT], (struct span)SPAN("code=x&scope=openid"), &outcome);
	ck_assert_ptr_null(outcome.hint);
}
END_TEST

static void
add_tests(TCase *tests)
{
	LOOP(tests, knows_the_admin_wall, wall_rows);
	LOOP(tests, knows_an_approval, granted_rows);
	tcase_add_loop_test(tests, passes_on_what_it_reads, 0, COUNT(rows));
	tcase_add_loop_test(tests, keeps_no_secret, 0, COUNT(secret_rows));
}

int
main(void)
{
	Suite *suite = suite_create("outcome");
	TCase *tests = tcase_create("outcome");

	support_at_every_provider(suite, add_tests);
	tcase_add_loop_test(tests, reads, 0, COUNT(rows));
	tcase_add_loop_test(tests, marks_hints_that_take_the_link, 0, COUNT(rows));
	LOOP(tests, adds_no_admin_link_at_google, rows);
	tcase_add_loop_test(tests, reads_long_description, 0, 3);
	tcase_add_loop_test(tests, reads_google, 0, COUNT(google_rows));
	tcase_add_loop_test(tests, reads_long_scope, 0, 2);
	tcase_add_test(tests, expects_no_scope_of_microsoft);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
