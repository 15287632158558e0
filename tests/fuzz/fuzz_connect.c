/*
 * /connect, of each provider: what is accepted stands in the authorize URL, to the byte and nothing
 * else; what is refused is refused without a byte of the client's. The parameters' rules are stated
 * a second time here.
 *
 * An input's first line says how to ask: a letter for the method and body (G, F form, J JSON,
 * X another type), one for Accept (j, h, -), then the query of a POST. The rest is the query or
 * the body.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "flow/app.h"
#include "flow/page.h"
#include "fuzz.h"

enum { LOCATION_SIZE = 64 * 1024, BODY_SIZE = 128 * 1024, MAX_PAIRS = 16, ORIGIN_LEN = 64 };

enum param { TOKEN, SUCCESS_URL, ERROR_URL, LOGIN_HINT, DOMAIN_HINT, PROMPT, N_PARAMS };

static const char *const names[N_PARAMS] = { "recall_calendar_auth_token", "success_url",
	"error_url", "login_hint", "domain_hint", "prompt" };
static const size_t max_lens[N_PARAMS] = { 2048, 1024, 1024, 320, 320, 320 };

static const char config_text[] =
    "{\"public_url\": \"https://oauth.example.com\","
    "\"microsoft\": {\"client_id\": \"11111111-2222-3333-4444-555555555555\"},"
    "\"google\": {\"client_id\": \"1-a.apps.googleusercontent.com\"},"
    "\"connect\": {\"return_origins\": [\"https://app.example.com\", \"http://localhost:3000\"]}}";
static const char *const allowed[] = { "https://oauth.example.com", "https://app.example.com",
	"https://oauth.example.com:443", "https://app.example.com:443", "http://localhost:3000" };

/* What differs between the providers, stated a second time. NULL: not sent. */
static const struct facts {
	const char *start_path, *authorize_url, *client_id, *redirect_uri, *redirect_member;
	const char *response_mode, *scope, *access_type, *include_granted_scopes, *prompt;
	const char *prompts[2];
	const char *domain_hint;
} all_facts[] = {
	{ "/connect?", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?",
	    "11111111-2222-3333-4444-555555555555",
	    "https://oauth.example.com/api/ms_oauth_callback", "ms_oauth_redirect_url", "query",
	    "offline_access openid email https://graph.microsoft.com/Calendars.Read", NULL, NULL,
	    NULL, { "login", "select_account" }, "domain_hint" },
	{ "/connect/google?", "https://accounts.google.com/o/oauth2/v2/auth?",
	    "1-a.apps.googleusercontent.com", "https://oauth.example.com/api/google_oauth_callback",
	    "google_oauth_redirect_url", NULL,
	    "https://www.googleapis.com/auth/calendar.events.readonly "
	    "https://www.googleapis.com/auth/userinfo.email",
	    "offline", "true", "consent", { "consent", "select_account consent" }, "hd" },
};
static const struct facts *facts; /* of the provider that is asked just now */

/* What a request says, by this harness's own reading; values are on the heap. */
struct wish {
	char *value[N_PARAMS]; /* NULL: not given */
	size_t len[N_PARAMS];
	bool is_bad; /* something other than a value's own rules is broken */
};

static void
wish_free(struct wish *wish)
{
	for (size_t i = 0; i < N_PARAMS; i++)
		free(wish->value[i]);
}

static void
wish_add(struct wish *wish, struct span name, struct span value)
{
	size_t p = 0;

	while (p < N_PARAMS && !span_equals(name, span_of(names[p])))
		p++;
	if (p == N_PARAMS || wish->value[p] != NULL) {
		wish->is_bad = true;
		return;
	}
	wish->value[p] = fuzz_copy(value);
	wish->len[p] = value.len;
}

static void
wish_add_encoded(struct wish *wish, struct span pair)
{
	const char *equals = memchr(pair.data, '=', pair.len);
	size_t name_len = equals != NULL ? (size_t)(equals - pair.data) : pair.len;
	size_t skipped = name_len + (equals != NULL);
	struct span name = { fuzz_copy(pair), 0 }, value = { fuzz_copy(pair), 0 };

	if (!fuzz_decode((struct span){ pair.data, name_len }, true, (char *)(uintptr_t)name.data,
		&name.len) ||
	    !fuzz_decode((struct span){ pair.data + skipped, pair.len - skipped }, true,
		(char *)(uintptr_t)value.data, &value.len))
		wish->is_bad = true;
	else
		wish_add(wish, name, value);
	free((char *)(uintptr_t)name.data);
	free((char *)(uintptr_t)value.data);
}

static void
wish_read_form(struct wish *wish, struct span form)
{
	while (form.len > 0 && !wish->is_bad) {
		const char *end = memchr(form.data, '&', form.len);
		size_t len = end != NULL ? (size_t)(end - form.data) : form.len;
		size_t skipped = len + (end != NULL);

		if (len > 0)
			wish_add_encoded(wish, (struct span){ form.data, len });
		form = (struct span){ form.data + skipped, form.len - skipped };
	}
}

static void
wish_read_json(struct wish *wish, struct span body)
{
	cJSON *tree = cJSON_ParseWithLength(body.data, body.len), *member;

	if (!cJSON_IsObject(tree))
		wish->is_bad = true;
	else
		cJSON_ArrayForEach(member, tree)
		{
			if (!cJSON_IsString(member))
				wish->is_bad = true;
			else
				wish_add(
				    wish, span_of(member->string), span_of(member->valuestring));
		}
	cJSON_Delete(tree);
}

/* RFC 3629, by what a sequence stands for. */
static bool
is_utf8(const unsigned char *s, size_t len)
{
	static const unsigned long least[] = { 0, 0x80, 0x800, 0x10000 };

	for (size_t i = 0; i < len;) {
		size_t tail = s[i] < 0x80 ? 0 : s[i] < 0xe0 ? 1 : s[i] < 0xf0 ? 2 : 3;
		unsigned long point = tail == 0 ? s[i] : s[i] & (0x3fu >> tail);

		if ((s[i] >= 0x80 && s[i] < 0xc0) || s[i] > 0xf7 || i + tail >= len)
			return false;
		for (size_t n = 1; n <= tail; n++) {
			if ((s[i + n] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (s[i + n] & 0x3f);
		}
		if (point < least[tail] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
		i += tail + 1;
	}
	return true;
}

static bool
is_clean(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || strchr("\x7f<>", value[i]) != NULL)
			return false;
	return is_utf8((const unsigned char *)value, len);
}

/* Of an allowed origin, written in any letter case, and nothing that a browser reads otherwise. */
static bool
is_allowed_url(const char *url)
{
	size_t len;

	if (strpbrk(url, " \\<>") != NULL || strstr(url, "://") == NULL)
		return false;
	len = (size_t)(strstr(url, "://") - url) + 3;
	len += strcspn(url + len, "/?#");
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strlen(allowed[i]) == len && strncasecmp(allowed[i], url, len) == 0)
			return true;
	return false;
}

/* `:443` and `:0443` are the same port: what this harness does not judge. */
static bool
is_oddly_written(const char *url)
{
	return url != NULL && strstr(url, ":0") != NULL;
}

static bool
is_good_value(const struct wish *wish, size_t p)
{
	const char *value = wish->value[p];

	if (value == NULL)
		return p != TOKEN;
	if (wish->len[p] == 0 || wish->len[p] > max_lens[p] || !is_clean(value, wish->len[p]))
		return false;
	if (p == SUCCESS_URL || p == ERROR_URL)
		return is_oddly_written(value) || is_allowed_url(value);
	return p != PROMPT || strcmp(value, facts->prompts[0]) == 0 ||
	       strcmp(value, facts->prompts[1]) == 0;
}

static bool
is_good_wish(const struct wish *wish)
{
	bool good = !wish->is_bad;

	for (size_t p = 0; p < N_PARAMS; p++)
		good = good && is_good_value(wish, p);
	return good;
}

/* Cut name=value off a query that is written strictly, and decode the value; false at the end. */
static bool
take_pair(const char **at, char *ret_name, char **ret_value, size_t *ret_len)
{
	size_t name_len = strcspn(*at, "=&"), len;

	if (**at == '\0')
		return false;
	HOLDS(name_len < 64 && (*at)[name_len] == '=');
	memcpy(ret_name, *at, name_len);
	ret_name[name_len] = '\0';
	*at += name_len + 1;
	len = strcspn(*at, "&");
	HOLDS(strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") ==
	      len);
	*ret_value = fuzz_copy((struct span){ *at, len });
	HOLDS(fuzz_decode((struct span){ *at, len }, false, *ret_value, ret_len));
	(*ret_value)[*ret_len] = '\0';
	*at += len + ((*at)[len] == '&');
	return true;
}

static void
expect_pair(const char **at, const char *name, struct span value)
{
	char seen_name[64], *seen;
	size_t len;

	HOLDS(take_pair(at, seen_name, &seen, &len));
	HOLDS(strcmp(seen_name, name) == 0);
	HOLDS(span_equals((struct span){ seen, len }, value));
	free(seen);
}

/* The same, where there is a value. */
static void
expect_text(const char **at, const char *name, const char *value)
{
	if (value != NULL)
		expect_pair(at, name, span_of(value));
}

static const cJSON *
expect_member(const cJSON *member, const char *name, const char *value)
{
	if (value == NULL)
		return member;
	HOLDS(cJSON_IsString(member) && strcmp(member->string, name) == 0);
	HOLDS(strcmp(member->valuestring, value) == 0);
	return member->next;
}

static void
check_state(const char *text, size_t len, const struct wish *wish)
{
	cJSON *tree = cJSON_ParseWithLength(text, len);
	const cJSON *member;

	HOLDS(cJSON_IsObject(tree) && strpbrk(text, "<>\n\t\r") == NULL);
	member = expect_member(tree->child, names[TOKEN], wish->value[TOKEN]);
	member = expect_member(member, facts->redirect_member, facts->redirect_uri);
	member = expect_member(member, names[SUCCESS_URL], wish->value[SUCCESS_URL]);
	member = expect_member(member, names[ERROR_URL], wish->value[ERROR_URL]);
	HOLDS(member == NULL);
	cJSON_Delete(tree);
}

static void
expect_state(const char **at, const struct wish *wish)
{
	char name[64], *state;
	size_t len;

	HOLDS(take_pair(at, name, &state, &len) && strcmp(name, "state") == 0);
	check_state(state, len, wish);
	free(state);
}

static void
check_authorize_url(const char *url, const struct wish *wish)
{
	const char *at = url + strlen(facts->authorize_url);

	HOLDS(strncmp(url, facts->authorize_url, strlen(facts->authorize_url)) == 0);
	expect_text(&at, "client_id", facts->client_id);
	expect_text(&at, "response_type", "code");
	expect_text(&at, "redirect_uri", facts->redirect_uri);
	expect_text(&at, "response_mode", facts->response_mode);
	expect_text(&at, "scope", facts->scope);
	expect_text(&at, "access_type", facts->access_type);
	expect_text(&at, "include_granted_scopes", facts->include_granted_scopes);
	expect_text(
	    &at, "prompt", wish->value[PROMPT] != NULL ? wish->value[PROMPT] : facts->prompt);
	expect_state(&at, wish);
	expect_text(&at, "login_hint", wish->value[LOGIN_HINT]);
	expect_text(&at, facts->domain_hint, wish->value[DOMAIN_HINT]);
	HOLDS(*at == '\0');
}

static void
check_json_answer(const struct response *response, const struct wish *wish)
{
	cJSON *tree = cJSON_ParseWithLength(response->body.data, response->body.len);
	const cJSON *member;

	HOLDS(cJSON_IsObject(tree) && response->location.len == 0);
	HOLDS(strcmp(fuzz_field(response, "Content-Type"), "application/json") == 0);
	member = tree->child;
	HOLDS(cJSON_IsString(member) && strcmp(member->string, "authorize_url") == 0);
	check_authorize_url(member->valuestring, wish);
	HOLDS(expect_member(member->next, "redirect_uri", facts->redirect_uri) == NULL);
	cJSON_Delete(tree);
}

static void
check_acceptance(
    const struct request *request, const struct response *response, const struct wish *wish)
{
	bool is_post = span_equals(request->method, span_of("POST"));

	HOLDS(is_good_wish(wish) && response->problem.reason == NULL);
	if (response->status == 200) {
		check_json_answer(response, wish);
		return;
	}
	HOLDS(response->status == (is_post ? 303 : 302) && response->body.len == 0);
	HOLDS(strlen(response->location.data) == response->location.len);
	check_authorize_url(response->location.data, wish);
}

/* The page is made of constants: it is the one that a request without content would get. */
static void
check_refusal(
    const struct config *config, const struct request *request, const struct response *response)
{
	const struct problem *problem = &response->problem;
	struct request empty = *request;
	struct response other = { .location = fuzz_buf(1), .body = fuzz_buf(BODY_SIZE) };

	HOLDS(problem->reason != NULL && fuzz_is_constant(problem->reason));
	HOLDS(fuzz_is_constant(problem->detail));
	HOLDS(problem->parameter == NULL || fuzz_is_constant(problem->parameter));
	HOLDS(problem->hint == NULL || fuzz_is_constant(problem->hint));
	HOLDS(response->status == 400 || response->status == 415);
	HOLDS(response->location.len == 0);
	empty.target = span_of("/connect");
	empty.body = span_of("");
	other.problem = *problem;
	page_show_problem(config, &empty, &other);
	HOLDS(span_equals(buf_span(&response->body), buf_span(&other.body)));
	free(other.location.data);
	free(other.body.data);
}

static void
ask(const struct request *request, const struct wish *wish, bool is_exact)
{
	static struct config *config;
	struct response response = { .location = fuzz_buf(LOCATION_SIZE),
		.body = fuzz_buf(BODY_SIZE) };

	if (config == NULL)
		config = fuzz_config(config_text);
	app_handle(config, request, &response);
	if (response.status == 200 || response.status == 302 || response.status == 303)
		check_acceptance(request, &response, wish);
	else
		check_refusal(config, request, &response);
	if (is_exact && is_good_wish(wish))
		HOLDS(response.status < 400 || is_oddly_written(wish->value[SUCCESS_URL]) ||
		      is_oddly_written(wish->value[ERROR_URL]));
	HOLDS(strcmp(fuzz_field(&response, "Cache-Control"), "no-store") == 0);
	HOLDS(strcmp(fuzz_field(&response, "Referrer-Policy"), "no-referrer") == 0);
	free(response.location.data);
	free(response.body.data);
}

static struct span
type_of(char how)
{
	return span_of(how == 'F'   ? "application/x-www-form-urlencoded"
		       : how == 'J' ? "application/json; charset=utf-8"
				    : "text/plain");
}

static struct span
accept_of(char how)
{
	return span_of(how == 'j' ? "application/json" : how == 'h' ? "text/html, */*" : "*/*");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size }, line = fuzz_line(&rest), query = rest;
	char how = line.len > 0 ? line.data[0] : 'G';
	bool is_post = how == 'F' || how == 'J' || how == 'X';
	struct header headers[] = { { SPAN("Accept"),
					accept_of(line.len > 1 ? line.data[1] : '-') },
		{ SPAN("Content-Type"), type_of(how) } };
	struct request request = { .id = "0123456789abcdef", .headers = headers, .n_headers = 1 };
	struct buf target = fuzz_buf(size + 32);
	struct wish wish = { 0 };

	if (is_post)
		query = span_from(line, 2);
	request.method = span_of(is_post ? "POST" : "GET");
	request.body = is_post ? rest : span_of("");
	request.n_headers += is_post;
	wish_read_form(&wish, query);
	if (how == 'F')
		wish_read_form(&wish, rest);
	else if (how == 'J' && !wish.is_bad)
		wish_read_json(&wish, rest);
	for (size_t i = 0; i < sizeof(all_facts) / sizeof(all_facts[0]); i++) {
		facts = &all_facts[i];
		buf_clear(&target);
		buf_puts(&target, facts->start_path);
		buf_put(&target, query);
		request.target = buf_span(&target);
		app_find_route(&request);
		ask(&request, &wish, how == 'F' || !is_post);
	}
	wish_free(&wish);
	free(target.data);
	return 0;
}
