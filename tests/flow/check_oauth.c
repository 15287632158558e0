#include "flow/oauth.h"
#include "support.h"

#define A_GUID "11111111-2222-3333-4444-555555555555"
#define B_GUID "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define C_GUID "00000000-0000-0000-0000-00000000000F"

#define TARGET "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/"

/* The query as it came, its `?` included; it has to follow the target to the byte. */
static const struct span query_rows[] = {
	SPAN(""),
	SPAN("?"),
	SPAN("??"),
	SPAN("?a=b?c=d?"),
	SPAN("?&&=&a&=b&"),
	SPAN("?code=1.AXoA&state=%7b%22a%22%3a1%7d&session_state=" A_GUID),
	SPAN("?error=access_denied&error_subcode=cancel&state=%7B%7d"),
	SPAN("?error_description=AADSTS65004%3a+The+user%0d%0aTrace+ID%3a+x"),
	SPAN("?a=%00&b=%zz&c=%&d=%2&e=%2f%2F%252F"),
	SPAN("?a=1&a=2&A=3&code=x&code=y"),
	SPAN("?a+b=c d"),
	SPAN("?\x80\xff\xc3\xa9=\xe2\x82\xac"),
	SPAN("?\"<>{}|\\^`'"),
	SPAN("?a=;,/:@!$*()~._-"),
	SPAN("?a=https://evil.example/&b=//evil.example"),
	SPAN("?\0\x01\r\n\t\x7f#"),
};

/* Append the target of a request whose query, with its `?`, is this. */
static void
put_target(struct buf *out, const struct config *config, struct span query)
{
	struct request request = { .target = query, .provider = support_provider };

	http_split_target(&request);
	oauth_put_callback_target(out, config, &request);
}

/* A text of these tables, which are Microsoft's, as it is at the provider. */
static const char *
at_provider(const char *text)
{
	static char array[16 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	support_put(&b, span_of(text));
	return b.data;
}

static void
check_target(const struct buf *out, struct span query)
{
	const char *target = at_provider(TARGET);

	ck_assert_uint_eq(out->len, strlen(target) + query.len);
	ck_assert_mem_eq(out->data, target, strlen(target));
	ck_assert_mem_eq(out->data + strlen(target), query.data, query.len);
}

START_TEST(forwards_query_as_it_came)
{
	char array[256];
	struct config *config = support_config(NULL, NULL);
	struct buf out;
	struct span query = query_rows[_i];

	buf_init(&out, array, sizeof(array));
	put_target(&out, config, query);
	check_target(&out, query);
	config_free(config);
}
END_TEST

/* Every byte value 32 times over: 8 KiB after the `?`. */
START_TEST(forwards_long_query_as_it_came)
{
	enum { QUERY_LEN = 8193 };
	static char query[QUERY_LEN], array[QUERY_LEN + 128];
	struct config *config = support_config(NULL, NULL);
	struct buf out;

	query[0] = '?';
	for (size_t i = 1; i < QUERY_LEN; i++)
		query[i] = (char)i;
	buf_init(&out, array, sizeof(array));
	put_target(&out, config, (struct span){ query, QUERY_LEN });
	check_target(&out, (struct span){ query, QUERY_LEN });
	config_free(config);
}
END_TEST

static const struct {
	const char *file;
	const char *target;
} target_rows[] = {
	{ "{}", "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?a" },
	{ "{\"recall.region\": \"us-west-2\"}",
	    "https://us-west-2.recall.ai/api/v1/calendar/ms_oauth_callback/?a" },
	{ "{\"recall.region\": \"eu-central-1\"}",
	    "https://eu-central-1.recall.ai/api/v1/calendar/ms_oauth_callback/?a" },
	{ "{\"recall.region\": \"ap-northeast-1\"}",
	    "https://ap-northeast-1.recall.ai/api/v1/calendar/ms_oauth_callback/?a" },
	{ "{\"recall.region\": \"us-west-2\", \"recall.base_url\": \"http://localhost:9000\"}",
	    "http://localhost:9000/api/v1/calendar/ms_oauth_callback/?a" },
};

START_TEST(targets_region)
{
	char array[256];
	struct config *config = support_config(target_rows[_i].file, NULL);
	struct buf out;

	buf_init(&out, array, sizeof(array));
	put_target(&out, config, (struct span)SPAN("?a"));
	ck_assert_str_eq(out.data, at_provider(target_rows[_i].target));
	config_free(config);
}
END_TEST

#define PUBLIC    "\"public_url\": \"https://oauth.example.com\", "
#define CLIENT_ID "\"client_id\": \"" A_GUID "\""
#define GOOGLE_ID "\"google.client_id\": \"1-a.apps.googleusercontent.com\", "
#define USUAL     "{" PUBLIC GOOGLE_ID "\"microsoft\": {" CLIENT_ID "}}"
#define DEFAULTS                                                                                   \
	"{" PUBLIC GOOGLE_ID "\"microsoft\": {" CLIENT_ID                                          \
	"}, \"connect\": {\"success_url\": \"https://app.example.com/ok\", \"error_url\": "        \
	"\"https://app.example.com/error\"}}"
#define REDIRECT_URI "https://oauth.example.com/api/ms_oauth_callback"
#define NONE         SPAN("")

/* Token, success_url, error_url, login_hint, domain_hint, prompt. */
static const struct {
	const char *file;
	struct span params[N_PARAMS];
	const char *state;
} state_rows[] = {
	{ USUAL, { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\"}" },
	{ USUAL, { SPAN("t"), SPAN("https://a.example/s"), NONE, NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"success_url\":\"https://a.example/s\"}" },
	{ USUAL, { SPAN("t"), NONE, SPAN("https://a.example/e"), NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"error_url\":\"https://a.example/e\"}" },
	{ USUAL,
	    { SPAN("t"), SPAN("https://a.example/s"), SPAN("https://a.example/e"), SPAN("l"),
		SPAN("d"), SPAN("login") },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"success_url\":\"https://a.example/s\",\"error_url\":\"https://a.example/e\"}" },
	{ DEFAULTS, { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"success_url\":\"https://app.example.com/ok\",\"error_url\":"
	    "\"https://app.example.com/error\"}" },
	{ DEFAULTS, { SPAN("t"), NONE, SPAN("https://a.example/e"), NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"success_url\":\"https://app.example.com/ok\",\"error_url\":"
	    "\"https://a.example/e\"}" },
	{ DEFAULTS, { SPAN("t"), SPAN("https://a.example/s"), NONE, NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"t\",\"ms_oauth_redirect_url\":\"" REDIRECT_URI
	    "\",\"success_url\":\"https://a.example/s\",\"error_url\":"
	    "\"https://app.example.com/error\"}" },
	{ USUAL, { SPAN("a\"b\\c/\xc3\xa9 +%"), NONE, NONE, NONE, NONE, NONE },
	    "{\"recall_calendar_auth_token\":\"a\\\"b\\\\c/\xc3\xa9 +%\","
	    "\"ms_oauth_redirect_url\":\"" REDIRECT_URI "\"}" },
};

START_TEST(builds_state)
{
	struct config *config = support_config(state_rows[_i].file, NULL);
	BUF(out, 4096);
	BUF(state, 1024);

	oauth_put_authorize_url(&out, config, support_provider, state_rows[_i].params, &state);
	ck_assert_str_eq(state.data, at_provider(state_rows[_i].state));
	config_free(config);
}
END_TEST

#define LOGIN "https://login.microsoftonline.com/"
#define FIRST                                                                                      \
	"/oauth2/v2.0/authorize?client_id=" A_GUID                                                 \
	"&response_type=code&redirect_uri=https%3A%2F%2Foauth.example.com%2Fapi%2Fms_oauth_"       \
	"callback&response_mode=query&scope="
#define SCOPE "offline_access%20openid%20email%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars.Read"
#define STATE_OF(token)                                                                            \
	"&state=%7B%22recall_calendar_auth_token%22%3A%22" token                                   \
	"%22%2C%22ms_oauth_redirect_url%22%3A%22https%3A%2F%2Foauth.example.com%2Fapi%2Fms_"       \
	"oauth_callback%22"

static const struct {
	const char *file;
	struct span params[N_PARAMS];
	const char *url;
} authorize_rows[] = {
	{ USUAL, { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF("t") "%7D" },
	{ USUAL,
	    { SPAN("t"), SPAN("https://a.example/s?x=1&y=#f"), SPAN("https://a.example/e"),
		SPAN("jo+x@example.com"), SPAN("example.com"), SPAN("select_account") },
	    LOGIN "common" FIRST SCOPE "&prompt=select_account" STATE_OF(
		"t") "%2C%22success_url%22%3A%22https%3A%2F%2Fa.example%2Fs%3Fx%3D1%26y%3D%23f%22"
		     "%2C%22error_url%22%3A%22https%3A%2F%2Fa.example%2Fe%22%7D&login_hint=jo%2Bx"
		     "%40example.com&domain_hint=example.com" },
	{ USUAL, { SPAN("t"), NONE, NONE, NONE, NONE, SPAN("login") },
	    LOGIN "common" FIRST SCOPE "&prompt=login" STATE_OF("t") "%7D" },
	{ USUAL, { SPAN("t"), NONE, NONE, NONE, SPAN("d"), NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF("t") "%7D&domain_hint=d" },
	/* Unreserved bytes stay, everything else is encoded once, in upper case. */
	{ USUAL, { SPAN("aZ09-._~ +%2f/\xc3\xa9'!*()&=?"), NONE, NONE, NONE, NONE, NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF(
		"aZ09-._~%20%2B%252f%2F%C3%A9%27%21%2A%28%29%26%3D%3F") "%7D" },
	{ USUAL, { SPAN("\"\\"), NONE, NONE, NONE, NONE, NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF("%5C%22%5C%5C") "%7D" },
	{ USUAL, { SPAN("t"), NONE, NONE, SPAN("\xe2\x82\xac&prompt=consent#\r\n"), NONE, NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF(
		"t") "%7D&login_hint=%E2%82%AC%26prompt%3Dconsent%23%0D%0A" },
	{ DEFAULTS, { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    LOGIN "common" FIRST SCOPE STATE_OF(
		"t") "%2C%22success_url%22%3A%22https%3A%2F%2Fapp.example.com%2Fok%22%2C%22error_"
		     "url%22%3A%22https%3A%2F%2Fapp.example.com%2Ferror%22%7D" },
	{ "{" PUBLIC "\"microsoft\": {" CLIENT_ID ", \"tenant\": \"organizations\", "
	  "\"authority\": \"https://login.microsoftonline.us\"}}",
	    { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    "https://login.microsoftonline.us/organizations" FIRST SCOPE STATE_OF("t") "%7D" },
	{ "{" PUBLIC "\"microsoft\": {" CLIENT_ID ", \"scopes\": [\"email\", \"openid\", "
	  "\"https://graph.microsoft.com/Calendars.Read\", \"offline_access\", \"User.Read\"]}}",
	    { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    LOGIN "common" FIRST "email%20openid%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars."
		  "Read%20offline_access%20User.Read" STATE_OF("t") "%7D" },
};

START_TEST(builds_authorize_url)
{
	char array[2048];
	struct config *config = support_config(authorize_rows[_i].file, NULL);
	struct buf out;
	BUF(state, OAUTH_STATE_SIZE);

	buf_init(&out, array, sizeof(array));
	oauth_put_authorize_url(
	    &out, config, &providers[MICROSOFT], authorize_rows[_i].params, &state);
	ck_assert_str_eq(out.data, authorize_rows[_i].url);
	config_free(config);
}
END_TEST

#define GOOGLE_FIRST                                                                               \
	"https://accounts.google.com/o/oauth2/v2/auth?client_id=1-a.apps.googleusercontent.com"    \
	"&response_type=code&redirect_uri=https%3A%2F%2Foauth.example.com%2Fapi%2Fgoogle_oauth_"   \
	"callback&scope="
#define CALENDAR "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcalendar.events.readonly"
#define EMAIL    "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email"
#define LASTING  "&access_type=offline&include_granted_scopes=true"
#define GOOGLE_STATE_OF(token)                                                                     \
	"&state=%7B%22recall_calendar_auth_token%22%3A%22" token                                   \
	"%22%2C%22google_oauth_redirect_url%22%3A%22https%3A%2F%2Foauth.example.com%2Fapi%2F"      \
	"google_oauth_callback%22"

/* As authorize_rows; the file is what stands under "google". */
static const struct {
	const char *file;
	struct span params[N_PARAMS];
	const char *url;
} google_rows[] = {
	{ "", { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    GOOGLE_FIRST CALENDAR "%20" EMAIL LASTING
				  "&prompt=consent" GOOGLE_STATE_OF("t") "%7D" },
	{ "",
	    { SPAN("t"), SPAN("https://a.example/s?x=1&y=#f"), SPAN("https://a.example/e"),
		SPAN("jo+x@example.com"), SPAN("example.com"), SPAN("select_account consent") },
	    GOOGLE_FIRST CALENDAR
	    "%20" EMAIL LASTING "&prompt=select_account%20consent" GOOGLE_STATE_OF(
		"t") "%2C%22success_url%22%3A%22https%3A%2F%2Fa.example%2Fs%3Fx%3D1%26y%3D%23f%22"
		     "%2C%22error_url%22%3A%22https%3A%2F%2Fa.example%2Fe%22%7D&login_hint=jo%2Bx"
		     "%40example.com&hd=example.com" },
	{ "", { SPAN("a\"\xc3\xa9 &=#"), NONE, NONE, NONE, SPAN("d&hd=x"), SPAN("consent") },
	    GOOGLE_FIRST CALENDAR "%20" EMAIL LASTING "&prompt=consent" GOOGLE_STATE_OF(
		"a%5C%22%C3%A9%20%26%3D%23") "%7D&hd=d%26hd%3Dx" },
	{ ", \"scopes\": [\"https://www.googleapis.com/auth/userinfo.email\", \"openid\", "
	  "\"https://www.googleapis.com/auth/calendar.events.readonly\"]",
	    { SPAN("t"), NONE, NONE, NONE, NONE, NONE },
	    GOOGLE_FIRST EMAIL "%20openid%20" CALENDAR LASTING
			       "&prompt=consent" GOOGLE_STATE_OF("t") "%7D" },
};

START_TEST(builds_google_url)
{
	char array[2048], file[512];
	struct config *config;
	struct buf out;
	BUF(state, OAUTH_STATE_SIZE);

	buf_init(&out, file, sizeof(file));
	buf_printf(&out,
	    "{" PUBLIC "\"google\": {\"client_id\": \"1-a.apps.googleusercontent.com\"%s}}",
	    google_rows[_i].file);
	config = support_config(file, NULL);
	buf_init(&out, array, sizeof(array));
	oauth_put_authorize_url(&out, config, &providers[GOOGLE], google_rows[_i].params, &state);
	ck_assert_str_eq(out.data, google_rows[_i].url);
	config_free(config);
}
END_TEST

/* The longest parameters there can be, each byte of which JSON doubles, still make a whole URL. */
START_TEST(builds_longest_authorize_url)
{
	static char quotes[2048], array[64 * 1024];
	struct config *config = support_usual_config();
	struct span params[N_PARAMS] = { { quotes, 2048 }, { quotes, 1024 }, { quotes, 1024 },
		{ quotes, 320 }, { quotes, 320 }, { quotes, 320 } };
	struct buf out;
	BUF(state, OAUTH_STATE_SIZE);

	memset(quotes, '"', sizeof(quotes));
	buf_init(&out, array, sizeof(array));
	oauth_put_authorize_url(&out, config, support_provider, params, &state);
	ck_assert(buf_ok(&out));
	ck_assert_uint_gt(out.len, 6 * (2048 + 2 * 1024) + 3 * 3 * 320);
	ck_assert_str_eq(out.data + out.len - 9, "%22%22%22");
	config_free(config);
}
END_TEST

/* A state that does not fit leaves no URL without one. */
START_TEST(refuses_longer_state)
{
	static char token[16 * 1024], array[64 * 1024];
	struct config *config = support_usual_config();
	struct span params[N_PARAMS] = { { token, sizeof(token) }, NONE, NONE, NONE, NONE, NONE };
	struct buf out;
	BUF(state, OAUTH_STATE_SIZE);

	memset(token, 'a', sizeof(token));
	buf_init(&out, array, sizeof(array));
	oauth_put_authorize_url(&out, config, support_provider, params, &state);
	ck_assert(!buf_ok(&out));
	config_free(config);
}
END_TEST

static const struct {
	const char *file;
	const char *document;
} association_rows[] = {
	{ "{\"microsoft.client_id\": \"" A_GUID "\"}",
	    "{\"associatedApplications\":[{\"applicationId\":\"" A_GUID "\"}]}" },
	{ "{\"microsoft.association_ids\": [\"" B_GUID "\"]}",
	    "{\"associatedApplications\":[{\"applicationId\":\"" B_GUID "\"}]}" },
	{ "{\"microsoft\": {\"client_id\": \"" A_GUID "\", \"association_ids\": [\"" C_GUID
	  "\", \"" A_GUID "\", \"" B_GUID "\"]}}",
	    "{\"associatedApplications\":[{\"applicationId\":\"" C_GUID
	    "\"},{\"applicationId\":\"" A_GUID "\"},{\"applicationId\":\"" B_GUID "\"}]}" },
};

START_TEST(builds_association)
{
	char array[512];
	struct config *config = support_config(association_rows[_i].file, NULL);
	struct buf out;

	buf_init(&out, array, sizeof(array));
	oauth_put_association(&out, config);
	ck_assert_str_eq(out.data, association_rows[_i].document);
	config_free(config);
}
END_TEST

/* Each document by its number, so that one loop can shrink the room of all of them. */
static void
put_document(struct buf *out, const struct config *config, int which)
{
	static const struct span params[N_PARAMS] = { SPAN("t"), NONE, NONE, NONE, NONE,
		SPAN("login") };
	BUF(other, 2048);

	if (which == 0)
		put_target(out, config, (struct span)SPAN("?code=1"));
	else if (which == 1)
		oauth_put_authorize_url(&other, config, support_provider, params, out);
	else if (which == 2)
		oauth_put_authorize_url(out, config, support_provider, params, &other);
	else
		oauth_put_association(out, config);
}

/* In any room but enough, nothing at all comes out: never the half of a URL. */
START_TEST(overflow_empties)
{
	char array[1024];
	struct config *config = support_usual_config();
	struct buf out;
	size_t whole;

	buf_init(&out, array, sizeof(array));
	put_document(&out, config, _i);
	whole = out.len;
	ck_assert_uint_gt(whole, 0);
	for (size_t size = 1; size <= whole; size++) {
		buf_init(&out, array, size);
		put_document(&out, config, _i);
		ck_assert(!buf_ok(&out));
		ck_assert_str_eq(array, "");
	}
	buf_init(&out, array, whole + 1);
	put_document(&out, config, _i);
	ck_assert_uint_eq(out.len, whole);
	config_free(config);
}
END_TEST

static void
add_tests(TCase *tests)
{
	LOOP(tests, forwards_query_as_it_came, query_rows);
	tcase_add_test(tests, forwards_long_query_as_it_came);
	LOOP(tests, targets_region, target_rows);
	LOOP(tests, builds_state, state_rows);
	tcase_add_test(tests, builds_longest_authorize_url);
	tcase_add_test(tests, refuses_longer_state);
	tcase_add_loop_test(tests, overflow_empties, 0, 4);
}

int
main(void)
{
	Suite *suite = suite_create("oauth");
	TCase *tests = tcase_create("oauth");

	support_at_every_provider(suite, add_tests);
	LOOP(tests, builds_authorize_url, authorize_rows);
	LOOP(tests, builds_google_url, google_rows);
	LOOP(tests, builds_association, association_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
