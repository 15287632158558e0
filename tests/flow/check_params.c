#include <stdio.h>
#include <stdlib.h>

#include "flow/params.h"
#include "support.h"

#define TOKEN    "recall_calendar_auth_token"
#define FORM     "application/x-www-form-urlencoded"
#define JSON     "application/json"
#define APP      "https://app.example.com"
#define APP_PATH "https%3A%2F%2Fapp.example.com%2F"

/* What came out, on one line: "ok" and every parameter, or status, reason and parameter. */
static void
put_result(struct buf *out, bool good, const struct span p[N_PARAMS], const struct problem *problem)
{
	if (!good) {
		buf_printf(out, "%d %s %s", problem->status, problem->reason,
		    problem->parameter != NULL ? problem->parameter : "-");
		return;
	}
	buf_puts(out, "ok ");
	for (enum param i = 0; i < PARAM_TENANT; i++) {
		buf_puts(out, i > 0 ? "|" : "");
		buf_put(out, p[i]);
	}
}

/* Good values stand in the caller's storage, so that wiping it wipes them all. */
static void
check_in_storage(const struct span p[N_PARAMS], const char *storage)
{
	for (size_t i = 0; i < N_PARAMS; i++)
		ck_assert(
		    p[i].len == 0 || (p[i].data >= storage &&
					 p[i].data + p[i].len <= storage + PARAMS_STORAGE_SIZE));
}

static bool
read_with(const struct config *config, const struct request *request, struct buf *out,
    struct problem *ret_problem)
{
	static char storage[PARAMS_STORAGE_SIZE];
	struct span params[N_PARAMS];
	struct request split = *request;
	bool good;

	http_split_target(&split);
	split.provider = support_provider;
	good = params_read(config, &split, storage, params, ret_problem);
	if (good)
		check_in_storage(params, storage);
	put_result(out, good, params, ret_problem);
	ck_assert(buf_ok(out));
	return good;
}

static void
check_request(const char *file, const struct request *request, const char *wanted)
{
	static char array[16 * 1024];
	struct config *config = file != NULL ? support_config(file, NULL) : support_usual_config();
	struct problem problem = { 0 };
	struct buf out;

	buf_init(&out, array, sizeof(array));
	read_with(config, request, &out, &problem);
	ck_assert_str_eq(out.data, wanted);
	config_free(config);
}

/* The ways in which the same form-encoded bytes may come. */
enum channel { BY_QUERY, BY_HEAD_QUERY, BY_POST_QUERY, BY_FORM, N_CHANNELS };

static struct request
request_by(
    enum channel channel, struct span form, char target[], size_t size, const struct header *type)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "POST" };
	struct request request = { .id = "0123456789abcdef",
		.method = span_of(methods[channel]),
		.target = SPAN("/connect"),
		.body = SPAN("") };
	struct buf out;

	if (channel == BY_FORM) {
		request.headers = type;
		request.n_headers = 1;
		request.body = form;
		return request;
	}
	buf_init(&out, target, size);
	buf_puts(&out, "/connect?");
	buf_put(&out, form);
	ck_assert(buf_ok(&out));
	request.target = buf_span(&out);
	return request;
}

static void
check_form(const char *file, enum channel channel, struct span form, const char *wanted)
{
	static const struct header type = { SPAN("Content-Type"), SPAN(FORM) };
	static char target[32 * 1024];
	struct request request = request_by(channel, form, target, sizeof(target), &type);

	check_request(file, &request, wanted);
}

struct row {
	struct span form;
	const char *result;
};

#define ROW(form, result)                                                                          \
	{                                                                                          \
		SPAN(form), result                                                                 \
	}
#define TOKEN_ROW(value, result)   ROW(TOKEN "=" value, result)
#define SUCCESS_ROW(value, result) ROW(TOKEN "=t&success_url=" value, result)
#define BAD_SUCCESS(value)         SUCCESS_ROW(value, "400 parameter_malformed success_url")
#define FOREIGN_SUCCESS(value)     SUCCESS_ROW(value, "400 parameter_not_allowed success_url")
#define PROMPT_ROW(value, result)  ROW(TOKEN "=t&prompt=" value, result)

static const struct row form_rows[] = {
	TOKEN_ROW("t", "ok t|||||"),
	ROW(TOKEN "=t&success_url=" APP_PATH "s&error_url=" APP_PATH
		  "e&login_hint=jo%40example.com&domain_hint=example.com&prompt=select_account",
	    "ok t|" APP "/s|" APP "/e|jo@example.com|example.com|select_account"),
	ROW("prompt=login&domain_hint=d&login_hint=l&error_url=" APP "&success_url=" APP "&" TOKEN
	    "=t",
	    "ok t|" APP "|" APP "|l|d|login"),

	/* Names. */
	ROW("", "400 parameter_missing " TOKEN),
	ROW("&&&", "400 parameter_missing " TOKEN),
	ROW("prompt=login", "400 parameter_missing " TOKEN),
	ROW("&&" TOKEN "=t&&", "ok t|||||"),
	ROW("%72ecall_calendar_auth_toke%6E=t", "ok t|||||"),
	ROW("token=t", "400 parameter_unknown -"),
	ROW("Recall_calendar_auth_token=t", "400 parameter_unknown -"),
	ROW(TOKEN "s=t", "400 parameter_unknown -"),
	ROW("recall_calendar_auth_toke=t", "400 parameter_unknown -"),
	ROW(TOKEN "%00=t", "400 parameter_unknown -"),
	ROW(TOKEN "\0=t", "400 parameter_unknown -"),
	ROW("+" TOKEN "=t", "400 parameter_unknown -"),
	ROW(TOKEN "[]=t", "400 parameter_unknown -"),
	ROW("?" TOKEN "=t", "400 parameter_unknown -"),
	ROW("%zz=t", "400 parameter_unknown -"),
	ROW("prompt%=login", "400 parameter_unknown -"),
	ROW("=t", "400 parameter_unknown -"),
	ROW("=", "400 parameter_unknown -"),
	ROW(TOKEN "=t&state=x", "400 parameter_unknown -"),
	ROW(TOKEN "=t&redirect_uri=" APP, "400 parameter_unknown -"),
	ROW(TOKEN "=t&client_id=x", "400 parameter_unknown -"),
	ROW(TOKEN "=t&amp;prompt=login", "400 parameter_unknown -"),

	/* Twice. */
	ROW(TOKEN "=t&" TOKEN "=t", "400 parameter_repeated " TOKEN),
	ROW(TOKEN "=t&prompt=login&" TOKEN "=u", "400 parameter_repeated " TOKEN),
	ROW(TOKEN "=t&recall%5fcalendar_auth_token=u", "400 parameter_repeated " TOKEN),
	ROW(TOKEN "=t&success_url=" APP "&success_url=" APP, "400 parameter_repeated success_url"),
	ROW(TOKEN "=t&error_url=" APP "&error_url=" APP, "400 parameter_repeated error_url"),
	ROW(TOKEN "=t&login_hint=a&login_hint=a", "400 parameter_repeated login_hint"),
	ROW(TOKEN "=t&domain_hint=a&domain_hint=", "400 parameter_repeated domain_hint"),
	ROW(TOKEN "=t&prompt=login&prompt=login", "400 parameter_repeated prompt"),

	/* Empty. */
	TOKEN_ROW("", "400 parameter_empty " TOKEN),
	ROW(TOKEN, "400 parameter_empty " TOKEN),
	ROW(TOKEN "=t&success_url=", "400 parameter_empty success_url"),
	ROW(TOKEN "=t&error_url", "400 parameter_empty error_url"),
	ROW(TOKEN "=t&login_hint=&prompt=login", "400 parameter_empty login_hint"),
	ROW(TOKEN "=t&domain_hint=", "400 parameter_empty domain_hint"),
	ROW(TOKEN "=t&prompt=", "400 parameter_empty prompt"),

	/* Bytes. */
	TOKEN_ROW("eyJh.eyJz.-_~", "ok eyJh.eyJz.-_~|||||"),
	TOKEN_ROW("a+b%2Bc%20d", "ok a b+c d|||||"),
	TOKEN_ROW("a=b==", "ok a=b==|||||"),
	TOKEN_ROW("t;prompt=login", "ok t;prompt=login|||||"),
	TOKEN_ROW("%26%3d%25", "ok &=%|||||"),
	TOKEN_ROW("%2541", "ok %41|||||"),
	TOKEN_ROW("\"'\\{}|^`?/:@", "ok \"'\\{}|^`?/:@|||||"),
	TOKEN_ROW("%C3%a9%f0%9f%98%80", "ok \xc3\xa9\xf0\x9f\x98\x80|||||"),
	TOKEN_ROW("\xc3\xa9", "ok \xc3\xa9|||||"),
	TOKEN_ROW("%", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%4", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%zzb", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%u0041", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%+1", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%00", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%00b", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a\0b", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%0d%0aSet-Cookie:%20x", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%1f", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%7F", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%09b", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%3cb", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("a%3Eb", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("<", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%e9", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("\xff", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%c3", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%c0%af", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%ed%a0%80", "400 parameter_malformed " TOKEN),
	TOKEN_ROW("%f4%90%80%80", "400 parameter_malformed " TOKEN),
	ROW(TOKEN "=t&login_hint=a%0ab", "400 parameter_malformed login_hint"),
	ROW(TOKEN "=t&login_hint=a%3cb", "400 parameter_malformed login_hint"),
	ROW(TOKEN "=t&domain_hint=%fe", "400 parameter_malformed domain_hint"),
	ROW(TOKEN "=t&domain_hint=%g0", "400 parameter_malformed domain_hint"),
	ROW(TOKEN "=t&prompt=login%00", "400 parameter_malformed prompt"),
	ROW(TOKEN "=t&error_url=" APP "/%3cb%3e", "400 parameter_malformed error_url"),

	/* Return URLs: good ones. */
	SUCCESS_ROW(APP, "ok t|" APP "||||"),
	SUCCESS_ROW(APP "/a/b?c=d%26e%23f", "ok t|" APP "/a/b?c=d&e#f||||"),
	SUCCESS_ROW(APP "?x", "ok t|" APP "?x||||"),
	SUCCESS_ROW(APP ":443/", "ok t|" APP ":443/||||"),
	SUCCESS_ROW("HTTPS://App.Example.Com/X", "ok t|HTTPS://App.Example.Com/X||||"),
	SUCCESS_ROW("https://oauth.example.com/done", "ok t|https://oauth.example.com/done||||"),
	SUCCESS_ROW(APP "/caf%C3%A9", "ok t|" APP "/caf\xc3\xa9||||"),
	SUCCESS_ROW(APP "/@b:c", "ok t|" APP "/@b:c||||"),

	/* Return URLs: of somebody else. */
	FOREIGN_SUCCESS("https://evil.example/"),
	FOREIGN_SUCCESS("https://app.example.com.evil.example/"),
	FOREIGN_SUCCESS("https://evilapp.example.com/"),
	FOREIGN_SUCCESS("https://example.com/"),
	FOREIGN_SUCCESS("https://a.app.example.com/"),
	FOREIGN_SUCCESS("https://evil.example/https://app.example.com/"),
	FOREIGN_SUCCESS("https://evil.example%23@app.example.com/"),
	FOREIGN_SUCCESS("https://evil.example%3F@app.example.com/"),
	FOREIGN_SUCCESS(APP ":8443/"),
	FOREIGN_SUCCESS(APP ":80/"),
	FOREIGN_SUCCESS("http://localhost/"),
	FOREIGN_SUCCESS("http://127.0.0.1:8080/"),
	FOREIGN_SUCCESS("https://[::1]/"),
	FOREIGN_SUCCESS("https://192.0.2.1/"),
	ROW(TOKEN "=t&error_url=https://evil.example/", "400 parameter_not_allowed error_url"),

	/* Return URLs: none at all, or ones that two readers read differently. */
	BAD_SUCCESS("http://app.example.com/"),
	BAD_SUCCESS("app.example.com"),
	BAD_SUCCESS("//app.example.com/"),
	BAD_SUCCESS("/path"),
	BAD_SUCCESS("https:app.example.com"),
	BAD_SUCCESS("https:/app.example.com"),
	BAD_SUCCESS("https:///app.example.com"),
	BAD_SUCCESS("https://"),
	BAD_SUCCESS("javascript:alert(1)//https://app.example.com"),
	BAD_SUCCESS("data:text/html,x"),
	BAD_SUCCESS("ftp://app.example.com/"),
	BAD_SUCCESS("https://user@app.example.com/"),
	BAD_SUCCESS("https://app.example.com@evil.example/"),
	BAD_SUCCESS("https://app.example.com:443@evil.example/"),
	BAD_SUCCESS("https://@app.example.com/"),
	BAD_SUCCESS("https://evil.example%5C@app.example.com/"),
	BAD_SUCCESS("https:%5C%5Capp.example.com/"),
	BAD_SUCCESS(APP "%5C.evil.example"),
	BAD_SUCCESS(APP "/a%5Cb"),
	BAD_SUCCESS(APP "/?a%5Cb"),
	BAD_SUCCESS(APP "%2520"),
	BAD_SUCCESS(APP "/a+b"),
	BAD_SUCCESS(APP "/%20"),
	BAD_SUCCESS("+" APP),
	BAD_SUCCESS(APP "/%09"),
	BAD_SUCCESS(APP "/%3Cscript%3E"),
	BAD_SUCCESS(APP "./"),
	BAD_SUCCESS("https://.app.example.com/"),
	BAD_SUCCESS("https://app..example.com/"),
	BAD_SUCCESS(APP ":/"),
	BAD_SUCCESS(APP ":0/"),
	BAD_SUCCESS(APP ":65536/"),
	BAD_SUCCESS(APP ":443x/"),
	BAD_SUCCESS(APP ":443:443/"),
	BAD_SUCCESS(APP ":-443/"),
	BAD_SUCCESS("https://%C3%A4pp.example.com/"),
	BAD_SUCCESS("https://app%E3%80%82example.com/"),
	BAD_SUCCESS("https://app_1.example.com/"),
	BAD_SUCCESS("https://[app.example.com]/"),
	BAD_SUCCESS("https://[::1/"),
	BAD_SUCCESS(APP "%2C/"),

	/* Prompts. */
	PROMPT_ROW("login", "ok t|||||login"),
	PROMPT_ROW("select_account", "ok t|||||select_account"),
	PROMPT_ROW("%6cogin", "ok t|||||login"),
	PROMPT_ROW("consent", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("none", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("create", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("Login", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("login+", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("login+select_account", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("logins", "400 parameter_not_allowed prompt"),
	PROMPT_ROW("logi", "400 parameter_not_allowed prompt"),

	/* Several faults: the first in the order of the bytes is the one that is told. */
	ROW("x=1&" TOKEN "=", "400 parameter_unknown -"),
	ROW(TOKEN "=&x=1", "400 parameter_empty " TOKEN),
	ROW("prompt=consent&" TOKEN "=%00", "400 parameter_not_allowed prompt"),
	ROW("login_hint=%0a&success_url=x", "400 parameter_malformed login_hint"),
};

/* What may be asked for differs, so that rows about prompts are Microsoft's; see prompt_rows. */
static bool
is_elsewhere(struct span form)
{
	return support_provider->id != MICROSOFT &&
	       memmem(form.data, form.len, "prompt", strlen("prompt")) != NULL;
}

START_TEST(reads_form)
{
	const struct row *row = &form_rows[_i / N_CHANNELS];

	if (!is_elsewhere(row->form))
		check_form(NULL, (enum channel)(_i % N_CHANNELS), row->form, row->result);
}
END_TEST

/* Which of them are good at which provider. */
static const struct {
	const char *prompt, *plain;
	bool at[N_PROVIDERS];
} prompt_rows[] = {
	{ "login", "login", { true, false } },
	{ "%6cogin", "login", { true, false } },
	{ "select_account", "select_account", { true, false } },
	{ "consent", "consent", { false, true } },
	{ "select_account+consent", "select_account consent", { false, true } },
	{ "select_account%20consent", "select_account consent", { false, true } },
	{ "consent+select_account", NULL, { false, false } },
	{ "select_account++consent", NULL, { false, false } },
	{ "select_account,consent", NULL, { false, false } },
	{ "+consent", NULL, { false, false } },
	{ "consent+", NULL, { false, false } },
	{ "Consent", NULL, { false, false } },
	{ "consen", NULL, { false, false } },
	{ "consents", NULL, { false, false } },
	{ "none", NULL, { false, false } },
	{ "create", NULL, { false, false } },
};

START_TEST(judges_prompts)
{
	char form[128], wanted[128];

	snprintf(form, sizeof(form), TOKEN "=t&prompt=%s", prompt_rows[_i].prompt);
	if (prompt_rows[_i].at[support_provider->id])
		snprintf(wanted, sizeof(wanted), "ok t|||||%s", prompt_rows[_i].plain);
	else
		snprintf(wanted, sizeof(wanted), "400 parameter_not_allowed prompt");
	check_form(NULL, BY_QUERY, span_of(form), wanted);
	check_form(NULL, BY_FORM, span_of(form), wanted);
}
END_TEST

/* Without any `?` there is no query. */
START_TEST(reads_no_query)
{
	struct request request = { .id = "",
		.method = SPAN("GET"),
		.target = SPAN("/connect"),
		.body = SPAN(TOKEN "=t") };

	check_request(NULL, &request, "400 parameter_missing " TOKEN);
	request.target = (struct span)SPAN("/connect?");
	check_request(NULL, &request, "400 parameter_missing " TOKEN);
	request.target = (struct span)SPAN("http://oauth.example.com/connect?" TOKEN "=u");
	check_request(NULL, &request, "ok u|||||");
}
END_TEST

/* Whose origins are on the allow-list: of public_url, the defaults and return_origins only. */
#define ORIGINS_FILE                                                                                    \
	"{\"public_url\": \"http://localhost:8080\", \"microsoft\": {\"client_id\": "                   \
	"\"11111111-2222-3333-4444-555555555555\"}, \"connect\": {\"success_url\": "                    \
	"\"https://s.example/a\", \"error_url\": \"https://e.example:8443/b\", "                        \
	"\"return_origins\": [\"https://R.example:443\", \"https://*.w.example\"], \"start_origins\": " \
	"[\"https://start.example\"]}}"

static const struct row origin_rows[] = {
	SUCCESS_ROW("http://localhost:8080/x", "ok t|http://localhost:8080/x||||"),
	SUCCESS_ROW("https://s.example/other", "ok t|https://s.example/other||||"),
	SUCCESS_ROW("https://e.example:8443/", "ok t|https://e.example:8443/||||"),
	SUCCESS_ROW("https://r.EXAMPLE", "ok t|https://r.EXAMPLE||||"),
	ROW(TOKEN "=t&error_url=https://s.example/", "ok t||https://s.example/|||"),
	SUCCESS_ROW("https://one.W.example/", "ok t|https://one.W.example/||||"),
	FOREIGN_SUCCESS("https://w.example/"),
	FOREIGN_SUCCESS("https://two.one.w.example/"),
	FOREIGN_SUCCESS("https://one.w.example:444/"),
	FOREIGN_SUCCESS("https://onew.example/"),
	FOREIGN_SUCCESS("http://localhost/"),
	FOREIGN_SUCCESS("https://localhost:8080/"),
	FOREIGN_SUCCESS("http://127.0.0.1:8080/"),
	FOREIGN_SUCCESS("https://e.example/"),
	FOREIGN_SUCCESS("https://start.example/"),
	FOREIGN_SUCCESS(APP "/"),
	FOREIGN_SUCCESS("https://login.microsoftonline.com/"),
	FOREIGN_SUCCESS("https://us-east-1.recall.ai/"),
	BAD_SUCCESS("http://r.example/"),
};

START_TEST(allows_origins)
{
	check_form(ORIGINS_FILE, BY_QUERY, origin_rows[_i].form, origin_rows[_i].result);
}
END_TEST

/* Limits: the name, how a value starts, how many bytes it may have, and what one of them gives. */
static const struct {
	const char *name;
	const char *start;
	size_t most;
	const char *at_limit; /* NULL: good */
	const char *over;
} limit_rows[] = {
	{ TOKEN, "", 2048, NULL, "400 parameter_too_long " TOKEN },
	{ "success_url", APP "/", 1024, NULL, "400 parameter_too_long success_url" },
	{ "error_url", APP "/", 1024, NULL, "400 parameter_too_long error_url" },
	{ "login_hint", "", 320, NULL, "400 parameter_too_long login_hint" },
	{ "domain_hint", "", 320, NULL, "400 parameter_too_long domain_hint" },
	{ "prompt", "", 320, "400 parameter_not_allowed prompt", "400 parameter_too_long prompt" },
};

enum fill { FILL_PLAIN, FILL_ENCODED, FILL_JSON, N_FILLS };

static void
put_long_value(struct buf *out, int row, size_t len, enum fill fill)
{
	buf_puts(out, limit_rows[row].start);
	for (size_t i = strlen(limit_rows[row].start); i < len; i++)
		buf_puts(out, fill == FILL_ENCODED ? "%61" : fill == FILL_JSON ? "\\u0061" : "a");
}

static void
check_long_value(int row, size_t len, enum fill fill, const char *wanted)
{
	static char array[64 * 1024];
	static const struct header types[] = { { SPAN("Content-Type"), SPAN(FORM) },
		{ SPAN("Content-Type"), SPAN(JSON) } };
	struct request request = { .id = "",
		.method = SPAN("POST"),
		.target = SPAN("/connect"),
		.headers = &types[fill == FILL_JSON],
		.n_headers = 1 };
	struct buf body;

	buf_init(&body, array, sizeof(array));
	buf_printf(&body, fill == FILL_JSON ? "{\"%s\": \"" : "%s=", limit_rows[row].name);
	put_long_value(&body, row, len, fill);
	buf_puts(&body, fill == FILL_JSON ? "\"}" : "");
	request.body = buf_span(&body);
	ck_assert(buf_ok(&body));
	check_request(NULL, &request, wanted);
}

/* A good value of another parameter than the token leaves only the token missing. */
START_TEST(limits_length)
{
	int row = _i / N_FILLS;
	enum fill fill = (enum fill)(_i % N_FILLS);
	size_t most = limit_rows[row].most;
	static char wanted[4096];
	struct buf out;

	buf_init(&out, wanted, sizeof(wanted));
	if (limit_rows[row].at_limit != NULL) {
		buf_puts(&out, limit_rows[row].at_limit);
	} else if (row > 0) {
		buf_puts(&out, "400 parameter_missing " TOKEN);
	} else {
		buf_puts(&out, "ok ");
		put_long_value(&out, row, most, FILL_PLAIN);
		buf_puts(&out, "|||||");
	}
	check_long_value(row, most, fill, wanted);
	check_long_value(row, most + 1, fill, limit_rows[row].over);
	check_long_value(row, PARAMS_STORAGE_SIZE - 1, fill, limit_rows[row].over);
	check_long_value(row, PARAMS_STORAGE_SIZE, fill, limit_rows[row].over);
}
END_TEST

/* Every parameter at its longest, together. */
START_TEST(takes_all_at_their_longest)
{
	static char form[8 * 1024], wanted[8 * 1024];
	struct buf out, expected;

	buf_init(&out, form, sizeof(form));
	buf_init(&expected, wanted, sizeof(wanted));
	buf_puts(&expected, "ok ");
	for (int row = 0; row < 5; row++) {
		buf_printf(&out, "%s=", limit_rows[row].name);
		put_long_value(&out, row, limit_rows[row].most, FILL_PLAIN);
		buf_putc(&out, '&');
		put_long_value(&expected, row, limit_rows[row].most, FILL_PLAIN);
		buf_putc(&expected, '|');
	}
	buf_printf(&out, "prompt=%s", support_provider->prompts[0]);
	buf_puts(&expected, support_provider->prompts[0]);
	ck_assert(buf_ok(&out) && buf_ok(&expected));
	check_form(NULL, (enum channel)_i, buf_span(&out), wanted);
}
END_TEST

#define MALFORMED "400 body_malformed -"

static const struct row json_rows[] = {
	ROW("{\"" TOKEN "\": \"t\"}", "ok t|||||"),
	ROW("\r\n\t {\n\"" TOKEN "\"\t:\n\"t\" } \n", "ok t|||||"),
	ROW("{\"prompt\":\"login\",\"domain_hint\":\"d\",\"login_hint\":\"l\",\"error_url\":\"" APP
	    "/e\",\"success_url\":\"" APP "/s\",\"" TOKEN "\":\"t\"}",
	    "ok t|" APP "/s|" APP "/e|l|d|login"),
	ROW("{\"" TOKEN "\": \"a+b%20c\"}", "ok a+b%20c|||||"),
	ROW("{\"" TOKEN "\": \"\\\"\\\\\\/\\u00e9\\ud83d\\ude00\"}",
	    "ok \"\\/\xc3\xa9\xf0\x9f\x98\x80|||||"),
	ROW("{\"\\u0072ecall_calendar_auth_token\": \"t\"}", "ok t|||||"),
	ROW("{\"" TOKEN "\": \"t\", \"success_url\": \"" APP "/?a=b+c\"}",
	    "ok t|" APP "/?a=b+c||||"),
	ROW("{}", "400 parameter_missing " TOKEN),

	/* No object, or not only one. */
	ROW("", MALFORMED),
	ROW(" ", MALFORMED),
	ROW("null", MALFORMED),
	ROW("\"" TOKEN "\"", MALFORMED),
	ROW("[]", MALFORMED),
	ROW("[{\"" TOKEN "\": \"t\"}]", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\"", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\",}", MALFORMED),
	ROW("{" TOKEN ": \"t\"}", MALFORMED),
	ROW("{'" TOKEN "': 't'}", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\"} x", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\"}{}", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\"}\0", MALFORMED),
	ROW("\0{\"" TOKEN "\": \"t\"}", MALFORMED),
	ROW(TOKEN "=t", MALFORMED),
	ROW("{\"" TOKEN "\": \"t\", /* x */ \"prompt\": \"login\"}", MALFORMED),

	/* Strings that other parsers cut, repair or read differently. */
	ROW("{\"" TOKEN "\": \"a\\u0000b\"}", MALFORMED),
	ROW("{\"" TOKEN "\\u0000x\": \"t\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"a\0b\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\\ud83d\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\\x41\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\xff\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\xc0\xaf\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\x01\"}", MALFORMED),
	ROW("{\"" TOKEN "\": \"\\u0001\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"a\\r\\nb\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"a\\tb\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"\\u007f\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"\\u003c\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"a>b\"}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"\\\\u0000\"}", "ok \\u0000|||||"),

	/* Types. */
	ROW("{\"" TOKEN "\": 1}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": null}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": true}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": [\"t\"]}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": {\"" TOKEN "\": \"t\"}}", "400 parameter_malformed " TOKEN),
	ROW("{\"" TOKEN "\": \"t\", \"prompt\": 0}", "400 parameter_malformed prompt"),
	ROW("{\"" TOKEN "\": \"\"}", "400 parameter_empty " TOKEN),
	ROW("{\"" TOKEN "\": \"t\", \"success_url\": \"\"}", "400 parameter_empty success_url"),

	/* Names, which are not form-encoded here. */
	ROW("{\"%72ecall_calendar_auth_token\": \"t\"}", "400 parameter_unknown -"),
	ROW("{\"" TOKEN "\": \"t\", \"promp%74\": \"login\"}", "400 parameter_unknown -"),
	ROW("{\"" TOKEN "%\": \"t\"}", "400 parameter_unknown -"),
	ROW("{\"+" TOKEN "\": \"t\"}", "400 parameter_unknown -"),
	ROW("{\"Recall_calendar_auth_token\": \"t\"}", "400 parameter_unknown -"),
	ROW("{\"\": \"t\"}", "400 parameter_unknown -"),
	ROW("{\"" TOKEN "\": \"t\", \"state\": \"x\"}", "400 parameter_unknown -"),
	ROW("{\"" TOKEN "\": \"t\", \"__proto__\": {}}", "400 parameter_unknown -"),
	ROW("{\"" TOKEN "\": \"t\", \"" TOKEN "\": \"t\"}", "400 parameter_repeated " TOKEN),
	ROW("{\"" TOKEN "\": \"t\", \"\\u0072ecall_calendar_auth_token\": \"u\"}",
	    "400 parameter_repeated " TOKEN),
	ROW("{\"prompt\": \"login\", \"prompt\": null}", "400 parameter_repeated prompt"),

	/* The rules of the values are those of forms. */
	ROW("{\"" TOKEN "\": \"t\", \"success_url\": \"https://evil.example\"}",
	    "400 parameter_not_allowed success_url"),
	ROW("{\"" TOKEN "\": \"t\", \"error_url\": \"https://a\\\\@app.example.com\"}",
	    "400 parameter_malformed error_url"),
	ROW("{\"" TOKEN "\": \"t\", \"prompt\": \"consent\"}", "400 parameter_not_allowed prompt"),
	ROW("{\"prompt\": \"consent\", \"" TOKEN "\": 1}", "400 parameter_not_allowed prompt"),
	ROW("{\"x\": 1, \"" TOKEN "\": 1}", "400 parameter_unknown -"),
};

static struct request
post(const struct header *headers, size_t n_headers, struct span body)
{
	return (struct request){ .id = "",
		.method = SPAN("POST"),
		.target = SPAN("/connect"),
		.headers = headers,
		.n_headers = n_headers,
		.body = body };
}

START_TEST(reads_json)
{
	static const struct header type = { SPAN("Content-Type"), SPAN(JSON) };
	struct request request = post(&type, 1, json_rows[_i].form);

	if (!is_elsewhere(json_rows[_i].form))
		check_request(NULL, &request, json_rows[_i].result);
}
END_TEST

/* --- what stays in memory after a JSON body --- */

#define SECRET "hunter2-hunter2-hunter2-hunter2-hunter2-hunter2"

/* Whether the secret, which is kept in here in another form, stands in these bytes of the process.
 */
static bool
is_secret_in(FILE *memory, unsigned long start, unsigned long end)
{
	static char page[64 * 1024];
	char secret[] = "hunter2-hunter2"; /* free() writes over the start */
	bool found = false;

	for (unsigned long at = start; at < end && !found; at += sizeof(page) - sizeof(secret)) {
		size_t len = end - at < sizeof(page) ? end - at : sizeof(page);

		if (fseek(memory, (long)at, SEEK_SET) != 0 || fread(page, 1, len, memory) != len)
			break;
		found = memmem(page, len, secret, sizeof(secret) - 1) != NULL;
	}
	return found;
}

/* Whether the secret stands anywhere in the heap. */
static bool
is_secret_in_heap(void)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
	unsigned long start, end;
	bool found = false;
	char line[512];

	ck_assert(maps != NULL && memory != NULL);
	setvbuf(maps, NULL, _IONBF, 0);
	setvbuf(memory, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (strstr(line, "[heap]") != NULL && sscanf(line, "%lx-%lx", &start, &end) == 2)
			found = found || is_secret_in(memory, start, end);
	fclose(maps);
	fclose(memory);
	return found;
}

static const struct span secret_rows[] = {
	SPAN("{\"" TOKEN "\": \"" SECRET "\"}"),
	SPAN("{\"" TOKEN "\": \"" SECRET "\", \"prompt\": \"" SECRET "\"}"),
	SPAN("{\"" TOKEN "\": \"" SECRET "\", \"unknown\": \"" SECRET "\"}"),
	SPAN("{\"" TOKEN "\": [\"" SECRET "\"]}"),
	SPAN("{\"" SECRET "\": 1}"),
	SPAN("{\"" TOKEN "\": \"" SECRET "\", \"prompt\": }"),
	SPAN("{\"" TOKEN "\": \"" SECRET "\" \"prompt\": 1}"),
	SPAN("{\"" TOKEN "\": \"" SECRET "\"} x"),
	SPAN("[\"" SECRET "\", \"" SECRET "\", nul]"),
	SPAN("\"" SECRET "\""),
};

START_TEST(leaves_no_secret_in_memory)
{
	static const struct header type = { SPAN("Content-Type"), SPAN(JSON) };
	struct config *config = support_usual_config();
	struct request request = post(&type, 1, secret_rows[_i]);
	char *control = strdup(secret_rows[_i].data), storage[PARAMS_STORAGE_SIZE];
	struct span params[N_PARAMS];
	struct problem problem;

	if (is_secret_in_heap()) { /* else another allocator's heap is elsewhere */
		explicit_bzero(control, strlen(control));
		ck_assert(!is_secret_in_heap());
		http_split_target(&request);
		request.provider = support_provider;
		params_read(config, &request, storage, params, &problem);
		ck_assert(!is_secret_in_heap());
	}
	free(control);
	config_free(config);
}
END_TEST

/* Nesting without end must not end the server. */
START_TEST(refuses_deep_json)
{
	static const struct header type = { SPAN("Content-Type"), SPAN(JSON) };
	static char body[HTTP_BODY_MAX_LEN];
	struct request request = post(&type, 1, (struct span){ body, sizeof(body) });

	memset(body, '[', sizeof(body));
	check_request(NULL, &request, MALFORMED);
	for (size_t i = 0; i + 5 <= sizeof(body); i += 5)
		memcpy(body + i, "{\"a\":", 5);
	check_request(NULL, &request, MALFORMED);
}
END_TEST

/* Content-Type (NULL: none), query, body. */
static const struct {
	const char *type;
	const char *target;
	struct span body;
	const char *result;
} type_rows[] = {
	{ FORM, "/connect", SPAN(TOKEN "=t"), "ok t|||||" },
	{ "Application/X-WWW-Form-URLEncoded", "/connect", SPAN(TOKEN "=t"), "ok t|||||" },
	{ FORM ";charset=UTF-8", "/connect", SPAN(TOKEN "=t"), "ok t|||||" },
	{ " " FORM " ; charset=utf-8", "/connect", SPAN(TOKEN "=t"), "ok t|||||" },
	{ JSON, "/connect", SPAN("{\"" TOKEN "\":\"t\"}"), "ok t|||||" },
	{ "APPLICATION/JSON", "/connect", SPAN("{\"" TOKEN "\":\"t\"}"), "ok t|||||" },
	{ JSON "; charset=utf-8", "/connect", SPAN("{\"" TOKEN "\":\"t\"}"), "ok t|||||" },
	{ "\t" JSON "\t", "/connect", SPAN("{\"" TOKEN "\":\"t\"}"), "ok t|||||" },
	{ JSON, "/connect", SPAN(TOKEN "=t"), MALFORMED },
	{ FORM, "/connect", SPAN("{\"" TOKEN "\":\"t\"}"), "400 parameter_unknown -" },
	{ NULL, "/connect", SPAN(TOKEN "=t"), "415 body_type -" },
	{ "", "/connect", SPAN(TOKEN "=t"), "415 body_type -" },
	{ "text/plain", "/connect", SPAN(TOKEN "=t"), "415 body_type -" },
	{ "text/plain", "/connect?" TOKEN "=t", SPAN(""), "415 body_type -" },
	{ "multipart/form-data; boundary=x", "/connect", SPAN("--x--"), "415 body_type -" },
	{ "text/json", "/connect", SPAN("{}"), "415 body_type -" },
	{ "application/problem+json", "/connect", SPAN("{}"), "415 body_type -" },
	{ "application/jsonp", "/connect", SPAN("{}"), "415 body_type -" },
	{ "application/json, text/plain", "/connect", SPAN("{}"), "415 body_type -" },
	{ "application/jso", "/connect", SPAN("{}"), "415 body_type -" },
	{ "; " JSON, "/connect", SPAN("{}"), "415 body_type -" },
	{ "text/plain; " JSON, "/connect", SPAN("{}"), "415 body_type -" },

	/* Query and body together. */
	{ NULL, "/connect?" TOKEN "=t", SPAN(""), "ok t|||||" },
	{ FORM, "/connect?" TOKEN "=t", SPAN(""), "ok t|||||" },
	{ FORM, "/connect?" TOKEN "=t", SPAN("prompt=login"), "ok t|||||login" },
	{ JSON, "/connect?prompt=login", SPAN("{\"" TOKEN "\":\"t\"}"), "ok t|||||login" },
	{ JSON, "/connect?" TOKEN "=t", SPAN(""), MALFORMED },
	{ FORM, "/connect?" TOKEN "=t", SPAN(TOKEN "=t"), "400 parameter_repeated " TOKEN },
	{ JSON, "/connect?" TOKEN "=t", SPAN("{\"" TOKEN "\":\"t\"}"),
	    "400 parameter_repeated " TOKEN },
	{ FORM, "/connect?x=1", SPAN(TOKEN "="), "400 parameter_unknown -" },
	{ "text/plain", "/connect?x=1", SPAN("x"), "400 parameter_unknown -" },
	{ "text/plain", "/connect?" TOKEN "=t", SPAN("x"), "415 body_type -" },
};

START_TEST(reads_by_content_type)
{
	const char *type = type_rows[_i].type;
	struct header headers[] = { { SPAN("Accept"), SPAN(JSON) },
		{ SPAN("content-TYPE"), span_of(type != NULL ? type : "") } };
	struct request request = post(headers, type != NULL ? 2 : 1, type_rows[_i].body);

	request.target = span_of(type_rows[_i].target);
	if (!is_elsewhere(request.target) && !is_elsewhere(request.body))
		check_request(NULL, &request, type_rows[_i].result);
}
END_TEST

/* Two readers could take different ones. */
START_TEST(refuses_two_content_types)
{
	struct header headers[] = { { SPAN("Content-Type"), SPAN(FORM) },
		{ SPAN("content-type"), SPAN(FORM) } };
	struct request request = post(headers, 2, (struct span)SPAN(TOKEN "=t"));

	check_request(NULL, &request, "415 body_type -");
	request.n_headers = 1;
	check_request(NULL, &request, "ok t|||||");
}
END_TEST

static const struct {
	const char *types[2];
	struct span body;
	const char *detail;
} body_rows[] = {
	{ { "text/plain" }, SPAN("x"),
	    "The body is neither application/x-www-form-urlencoded nor application/json" },
	{ { FORM, JSON }, SPAN("x"), "The request has more than one Content-Type field" },
	{ { JSON }, SPAN("[]"), "The body is not a single valid JSON object" },
	{ { JSON }, SPAN("{\"" TOKEN "\":1}"), "is not a string" },
	{ { JSON }, SPAN("{\"hunter2\":1}"),
	    "The request has an unknown parameter. Known parameters are "
	    "recall_calendar_auth_token, success_url, error_url, login_hint, domain_hint and "
	    "prompt" },
	{ { FORM }, SPAN(""), "is missing" },
};

START_TEST(says_why_of_a_body)
{
	static char array[1024];
	struct config *config = support_usual_config();
	struct header headers[2] = { { SPAN("Content-Type"), span_of(body_rows[_i].types[0]) },
		{ SPAN("Content-Type"), SPAN(JSON) } };
	size_t n = body_rows[_i].types[1] != NULL ? 2 : 1;
	struct request request = post(headers, n, body_rows[_i].body);
	struct problem problem = { 0 };
	struct buf out;

	buf_init(&out, array, sizeof(array));
	ck_assert(!read_with(config, &request, &out, &problem));
	ck_assert_str_eq(problem.detail, body_rows[_i].detail);
	config_free(config);
}
END_TEST

/* Where the reason matters to whoever reads it. */
static const struct {
	const char *target;
	const char *detail;
} detail_rows[] = {
	{ "/connect?prompt=consent",
	    "must be login or select_account: consent sends people back to the approval step again "
	    "and again, even after their administrator has approved the app" },
	{ "/connect?prompt=hunter2",
	    "must be login or select_account: consent sends people back to the approval step again "
	    "and again, even after their administrator has approved the app" },
	{ "/connect?hunter2=1", "The request has an unknown parameter. Known parameters are "
				"recall_calendar_auth_token, success_url, error_url, login_hint, "
				"domain_hint and prompt" },
	{ "/connect", "is missing" },
	{ "/connect?" TOKEN "=", "is empty" },
	{ "/connect?login_hint=a&login_hint=a", "appears more than once" },
	{ "/connect?login_hint=hunter2%", "has a % that is not followed by two hex digits" },
	{ "/connect?login_hint=hunter2%ff", "is not valid UTF-8" },
	{ "/connect?login_hint=hunter2%00", "contains a control byte" },
	{ "/connect?login_hint=hunter2%3c",
	    "contains < or >, which Microsoft would strip from the state" },
	{ "/connect?success_url=https://hunter2.example",
	    "has an origin that is not on this server's allow-list (connect.return_origins)" },
	{ "/connect?success_url=http://hunter2.example",
	    "uses http for a host other than localhost" },
	{ "/connect?success_url=hunter2", "does not start with https://" },
	{ "/connect?success_url=https://hunter2@app.example.com", "contains a user name" },
};

START_TEST(says_why)
{
	static char array[1024];
	struct config *config = support_usual_config();
	struct request request = { .id = "",
		.method = SPAN("GET"),
		.target = span_of(detail_rows[_i].target),
		.body = SPAN("") };
	struct problem problem = { 0 };
	struct buf out;

	buf_init(&out, array, sizeof(array));
	if (!is_elsewhere(request.target) || _i > 0) { /* consent is good there */
		ck_assert(!read_with(config, &request, &out, &problem));
		ck_assert_str_eq(problem.detail, is_elsewhere(request.target)
						     ? "must be consent or select_account "
						       "consent: without consent, Google gives "
						       "Recall no lasting access to the calendar"
						     : detail_rows[_i].detail);
	}
	config_free(config);
}
END_TEST

/* Whatever is wrong with a value or a name, neither comes back. */
static const char *const marker_rows[] = {
	"hunter2=1",
	"%68unter2=1",
	"hunter2",
	TOKEN "=hunter2%00",
	TOKEN "=hunter2%",
	TOKEN "=hunter2&" TOKEN "=hunter2",
	TOKEN "=t&prompt=hunter2",
	TOKEN "=t&success_url=hunter2",
	TOKEN "=t&success_url=https://hunter2/",
	TOKEN "=t&error_url=https://hunter2@app.example.com/",
	TOKEN "=t&error_url=https://app.example.com:hunter2/",
	TOKEN "=t&login_hint=hunter2%0a",
	TOKEN "=t&domain_hint=hunter2%3e",
	TOKEN "=t&domain_hint=hunter2%ff",
};

START_TEST(never_repeats_a_value)
{
	char array[512], target[512];
	struct config *config = support_usual_config();
	struct request request =
	    request_by(BY_QUERY, span_of(marker_rows[_i]), target, sizeof(target), NULL);
	struct problem problem = { 0 };
	struct buf out;

	buf_init(&out, array, sizeof(array));
	ck_assert(!read_with(config, &request, &out, &problem));
	buf_printf(&out, " %s", problem.detail);
	ck_assert_msg(strstr(out.data, "hunter2") == NULL, "%s", out.data);
	config_free(config);
}
END_TEST

static const struct {
	struct span token;
	const char *result;
} token_rows[] = {
	{ SPAN("t"), "ok" },
	{ SPAN("a+b%20c"), "ok" },
	{ SPAN(""), "400 parameter_empty " TOKEN },
	{ SPAN("a\n"), "400 parameter_malformed " TOKEN },
	{ SPAN("a\0"), "400 parameter_malformed " TOKEN },
	{ SPAN("a<b"), "400 parameter_malformed " TOKEN },
	{ SPAN("\xff"), "400 parameter_malformed " TOKEN },
};

static void
check_token(struct span token, const char *wanted)
{
	char result[128] = "ok";
	struct problem problem = { 0 };

	if (!params_check_token(token, &problem))
		snprintf(result, sizeof(result), "%d %s %s", problem.status, problem.reason,
		    problem.parameter);
	ck_assert_str_eq(result, wanted);
}

START_TEST(checks_token)
{
	check_token(token_rows[_i].token, token_rows[_i].result);
}
END_TEST

/* limits.query_bytes may let through more than there is room for. */
static const struct {
	int len;
	const char *reason;
} tenant_rows[] = {
	{ 253, NULL },
	{ 254, "parameter_malformed" },
	{ PARAMS_HINT_MAX_LEN, "parameter_malformed" },
	{ PARAMS_HINT_MAX_LEN + 1, "parameter_too_long" },
	{ PARAMS_STORAGE_SIZE - 1, "parameter_too_long" },
	{ PARAMS_STORAGE_SIZE, "parameter_too_long" },
};

START_TEST(limits_tenant)
{
	static char target[PARAMS_STORAGE_SIZE + 64];
	char storage[PARAMS_STORAGE_SIZE];
	struct problem problem = { 0 };
	struct request request = { .method = SPAN("GET"), .route = ROUTE_CONNECT_ADMIN };
	struct span params[N_PARAMS];
	struct buf b;

	buf_init(&b, target, sizeof(target));
	buf_puts(&b, "/connect/admin?tenant=");
	for (int i = 0; i < tenant_rows[_i].len; i++)
		buf_putc(&b, i % 64 == 63 ? '.' : 'a');
	request.target = buf_span(&b);
	http_split_target(&request);
	ck_assert_int_eq(
	    params_read(NULL, &request, storage, params, &problem), tenant_rows[_i].reason == NULL);
	ck_assert_pstr_eq(problem.reason, tenant_rows[_i].reason);
}
END_TEST

START_TEST(limits_token)
{
	static char token[PARAMS_TOKEN_MAX_LEN + 1];

	memset(token, 'a', sizeof(token));
	check_token((struct span){ token, 2048 }, "ok");
	check_token((struct span){ token, 2049 }, "400 parameter_too_long " TOKEN);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, reads_form, 0, N_CHANNELS * COUNT(form_rows));
	LOOP(tests, judges_prompts, prompt_rows);
	tcase_add_test(tests, reads_no_query);
	LOOP(tests, allows_origins, origin_rows);
	tcase_add_loop_test(tests, limits_length, 0, N_FILLS * COUNT(limit_rows));
	tcase_add_loop_test(tests, takes_all_at_their_longest, 0, N_CHANNELS);
	LOOP(tests, reads_json, json_rows);
	LOOP(tests, leaves_no_secret_in_memory, secret_rows);
	tcase_add_test(tests, refuses_deep_json);
	LOOP(tests, reads_by_content_type, type_rows);
	tcase_add_test(tests, refuses_two_content_types);
	LOOP(tests, says_why, detail_rows);
	LOOP(tests, says_why_of_a_body, body_rows);
	LOOP(tests, never_repeats_a_value, marker_rows);
}

int
main(void)
{
	Suite *suite = suite_create("connect");
	TCase *tests = tcase_create("connect");

	support_at_every_provider(suite, add_tests);
	LOOP(tests, checks_token, token_rows);
	tcase_add_test(tests, limits_token);
	LOOP(tests, limits_tenant, tenant_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
