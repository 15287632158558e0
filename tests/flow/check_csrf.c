/*
 * Login CSRF: where starts may come from, which answers belong to which browser, and what an
 * attacker gets with and without each defence.
 */
#include <dlfcn.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/app.h"
#include "flow/csrf.h"
#include "flow/oauth.h"
#include "support.h"

#define CONFIG_WITH(cross_site, binding)                                                                              \
	"{\"public_url\": \"https://oauth.example.com\","                                                             \
	"\"microsoft\": {\"client_id\": \"11111111-2222-3333-4444-555555555555\"},"                                   \
	"\"google\": {\"client_id\": \"1-a.apps.googleusercontent.com\"},"                                            \
	"\"connect\": {\"return_origins\": [\"https://app.example.com\"],"                                            \
	"\"start_origins\": [\"https://app.example.org\", \"https://*.wild.example\"], \"cross_site\": \"" cross_site \
	"\"},"                                                                                                        \
	"\"callback\": {\"browser_binding\": \"" binding "\"}}"

/* --- GnuTLS, which can be made to fail --- */

static bool hashing_fails;

int
gnutls_hash_fast(gnutls_digest_algorithm_t algorithm, const void *bytes, size_t len, void *digest)
{
	int (*real)(gnutls_digest_algorithm_t, const void *, size_t, void *);

	*(void **)&real = dlsym(RTLD_NEXT, "gnutls_hash_fast");
	return hashing_fails ? GNUTLS_E_INTERNAL_ERROR : real(algorithm, bytes, len, digest);
}

/* --- a browser: it keeps cookies and sends them back --- */

enum { MAX_COOKIES = 40, COOKIE_SIZE = 256, ANSWER_SIZE = 64 * 1024 };

struct browser {
	char cookies[MAX_COOKIES][COOKIE_SIZE]; /* name=value */
	size_t n_cookies;
	int64_t now;
};

static char location_array[ANSWER_SIZE], body_array[ANSWER_SIZE];
static struct response response;

static size_t
name_len(const char *cookie)
{
	return strcspn(cookie, "=");
}

static void
forget(struct browser *browser, const char *cookie)
{
	for (size_t i = 0; i < browser->n_cookies; i++) {
		if (name_len(browser->cookies[i]) != name_len(cookie) ||
		    memcmp(browser->cookies[i], cookie, name_len(cookie)) != 0)
			continue;
		browser->n_cookies--;
		memmove(browser->cookies[i], browser->cookies[browser->n_cookies], COOKIE_SIZE);
		return;
	}
}

/* Take a Set-Cookie value as a browser does, which insists on what the prefix promises. */
static void
keep(struct browser *browser, const char *set_cookie)
{
	const char *prefix = support_provider == &providers[GOOGLE] ? "__Host-redirectd-google-"
								    : "__Host-redirectd-";

	ck_assert_int_eq(strncmp(set_cookie, prefix, strlen(prefix)), 0);
	ck_assert_ptr_nonnull(strstr(set_cookie, "; Path=/; Secure; HttpOnly; SameSite=Lax"));
	ck_assert_ptr_null(strstr(set_cookie, "Domain"));
	forget(browser, set_cookie);
	if (strstr(set_cookie, "Max-Age=0") != NULL)
		return;
	ck_assert_ptr_nonnull(strstr(set_cookie, "; Max-Age=900;"));
	ck_assert_uint_lt(browser->n_cookies, MAX_COOKIES);
	snprintf(browser->cookies[browser->n_cookies++], COOKIE_SIZE, "%.*s",
	    (int)strcspn(set_cookie, ";"), set_cookie);
}

static void
visit(struct browser *browser, const struct config *config, const char *target,
    const char *sec_fetch_site)
{
	static char cookie[MAX_COOKIES * COOKIE_SIZE];
	struct header headers[3] = { { SPAN("Cookie"), { cookie, 0 } },
		{ SPAN("Accept"), SPAN("text/html") },
		{ SPAN("Sec-Fetch-Site"), span_of(sec_fetch_site) } };
	struct request request = { .id = "0123456789abcdef",
		.method = SPAN("GET"),
		.target = span_of(target),
		.headers = headers,
		.n_headers = *sec_fetch_site != '\0' ? 3 : 2,
		.body = SPAN(""),
		.now = browser->now,
		.samples_state = true };
	struct buf b;

	buf_init(&b, cookie, sizeof(cookie));
	for (size_t i = 0; i < browser->n_cookies; i++)
		buf_printf(&b, "%s%s", i > 0 ? "; " : "theme=dark; ", browser->cookies[i]);
	headers[0].value = buf_span(&b);
	memset(request.random, (int)browser->now, sizeof(request.random));
	response = (struct response){ 0 };
	buf_init(&response.location, location_array, sizeof(location_array));
	buf_init(&response.body, body_array, sizeof(body_array));
	app_find_route(&request);
	app_handle(config, &request, &response);
	for (size_t i = 0; i < response.n_fields; i++)
		if (strcmp(response.fields[i].name, "Set-Cookie") == 0)
			keep(browser, response.fields[i].value);
}

static void
connect_with(struct browser *browser, const struct config *config, const char *token,
    const char *sec_fetch_site)
{
	char target[512];

	snprintf(target, sizeof(target), "%s?recall_calendar_auth_token=%s",
	    support_provider->start_path, token);
	visit(browser, config, target, sec_fetch_site);
}

/* The state that the last answer sent the browser away with, decoded. */
static void
read_state(struct buf *ret_state)
{
	struct span query = span_from(
	    buf_span(&response.location), span_find(buf_span(&response.location), '?') + 1);
	struct span name, value;

	buf_clear(ret_state);
	while (url_next_pair(&query, &name, &value))
		if (span_is(name, "state"))
			ck_assert(url_decode_form(ret_state, value));
}

/* As Microsoft writes it: lower-case hex, `+` for a space, letters, digits and `-_.!*()` as is. */
static void
put_as_microsoft(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == ' ')
			buf_putc(out, '+');
		else if (text_is_alpha(c) || text_is_digit(c) ||
			 (c != '\0' && strchr("-_.!*()", c) != NULL))
			buf_putc(out, c);
		else
			buf_printf(out, "%%%02x", (unsigned char)c);
	}
}

static void
answer_with(struct browser *browser, const struct config *config, struct span state)
{
	static char array[ANSWER_SIZE];
	struct buf target;

	buf_init(&target, array, sizeof(array));
	buf_puts(&target, support_provider->callback_path);
	buf_puts(&target, "?code=1.AXoA&state=");
	put_as_microsoft(&target, state);
	buf_puts(&target, "&session_state=1");
	visit(browser, config, target.data, "cross-site");
}

/* --- starts: all of Sec-Fetch-Site x Origin x Referer x method x mode --- */

static const char *const sites[] = { NULL, "same-origin", "same-site", "cross-site", "none", "",
	"other", "Same-Origin" };
static const char *const origins[] = { NULL, "https://app.example.org",
	"HTTPS://APP.example.org:443", "https://evil.example", "null",
	"https://app.example.org.evil.example", "http://app.example.org", "https://a.wild.example",
	"https://wild.example", "https://a.b.wild.example" };
static const char *const referers[] = { NULL, "https://app.example.org/page?x=1",
	"https://evil.example/https://app.example.org/", "https://app.example.org@evil.example/" };
static const char *const start_methods[] = { "GET", "HEAD", "POST" };

/* product.md, section 3, in other words. */
static bool
is_expected_to_pass(bool allow, const char *site, const char *origin, const char *referer)
{
	static const bool listed_origin[] = { false, true, true, false, false, false, false, true,
		false, false };
	static const bool listed_referer[] = { false, true, false, false };
	size_t o = 0, r = 0;

	while (origins[o] != origin)
		o++;
	while (referers[r] != referer)
		r++;
	if (allow || site == NULL || strcmp(site, "same-origin") == 0 ||
	    strcmp(site, "same-site") == 0)
		return true;
	if (strcmp(site, "cross-site") != 0)
		return false;
	return origin != NULL ? listed_origin[o] : listed_referer[r];
}

static bool
passes(const struct config *config, const char *method, const char *site, const char *origin,
    const char *referer)
{
	struct header headers[3];
	struct request request = { .method = span_of(method),
		.target = SPAN("/connect"),
		.headers = headers,
		.body = SPAN("") };
	struct problem problem = { 0 };
	bool good;

	if (site != NULL)
		headers[request.n_headers++] =
		    (struct header){ SPAN("Sec-Fetch-Site"), span_of(site) };
	if (origin != NULL)
		headers[request.n_headers++] = (struct header){ SPAN("origin"), span_of(origin) };
	if (referer != NULL)
		headers[request.n_headers++] = (struct header){ SPAN("REFERER"), span_of(referer) };
	good = csrf_may_start(config, &request, &problem);
	ck_assert_int_eq(problem.status, good ? 0 : 403);
	return good;
}

START_TEST(judges_every_combination_of_starts)
{
	struct config *config = support_config(
	    _i == 0 ? CONFIG_WITH("refuse", "report") : CONFIG_WITH("allow", "report"), NULL);

	for (size_t i = 0;
	     i < COUNT(sites) * COUNT(origins) * COUNT(referers) * COUNT(start_methods); i++) {
		const char *site = sites[i % COUNT(sites)];
		const char *origin = origins[i / COUNT(sites) % COUNT(origins)];
		const char *referer = referers[i / COUNT(sites) / COUNT(origins) % COUNT(referers)];
		const char *method =
		    start_methods[i / COUNT(sites) / COUNT(origins) / COUNT(referers)];
		bool wanted = is_expected_to_pass(_i == 1, site, origin, referer);

		ck_assert_msg(passes(config, method, site, origin, referer) == wanted,
		    "%s, Sec-Fetch-Site %s, Origin %s, Referer %s: wanted %d", method, site, origin,
		    referer, wanted);
	}
	config_free(config);
}
END_TEST

#define HIDDEN                                                                                     \
	"The page that links here hides its origin, by a Referrer-Policy such as no-referrer or "  \
	"same-origin, or by rel=noreferrer: give it Referrer-Policy: "                             \
	"strict-origin-when-cross-origin, and list its origin in connect.start_origins"
#define FOREIGN                                                                                    \
	"The start came from another site: list the app's origin in connect.start_origins, or "    \
	"set connect.cross_site to allow"
#define NO_PAGE                                                                                    \
	"The address was typed, or opened from a mail or another program, or the app redirected "  \
	"to it: start from a link on a page of the app"

static const struct {
	const char *site, *origin, *referer; /* NULL: none */
	const char *word;                    /* in the log */
	const char *hint;
} refused_starts[] = {
	{ "none", NULL, NULL, "none", NO_PAGE },
	{ "none", "https://app.example.org", NULL, "none", NO_PAGE },
	{ "cross-site", NULL, NULL, "cross-site", HIDDEN },
	{ "cross-site", "null", NULL, "cross-site", HIDDEN },
	{ "cross-site", "null", "https://app.example.org/", "cross-site", HIDDEN },
	{ "cross-site", "", NULL, "cross-site", HIDDEN },
	{ "cross-site", NULL, "", "cross-site", HIDDEN },
	{ "cross-site", "https://evil.example", NULL, "cross-site", FOREIGN },
	{ "cross-site", NULL, "https://evil.example/hunter2", "cross-site", FOREIGN },
	{ "cross-site", "hunter2", NULL, "cross-site", FOREIGN },
	{ "hunter2", "https://app.example.org", NULL, "other", NO_PAGE },
	{ "", NULL, NULL, "other", NO_PAGE },
	{ "Same-Origin", NULL, NULL, "other", NO_PAGE },
};

START_TEST(says_why_a_start_is_refused)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "report"), NULL);
	struct header headers[3] = { { SPAN("Sec-Fetch-Site"), span_of(refused_starts[_i].site) } };
	struct request request = { .headers = headers, .n_headers = 1 };
	struct problem problem = { 0 };

	if (refused_starts[_i].origin != NULL)
		headers[request.n_headers++] =
		    (struct header){ SPAN("Origin"), span_of(refused_starts[_i].origin) };
	if (refused_starts[_i].referer != NULL)
		headers[request.n_headers++] =
		    (struct header){ SPAN("Referer"), span_of(refused_starts[_i].referer) };
	ck_assert(!csrf_may_start(config, &request, &problem));
	ck_assert_str_eq(problem.reason, "cross_site_start");
	ck_assert_str_eq(problem.detail, "Sec-Fetch-Site says that this start came from another "
					 "site, or from no page at all");
	ck_assert_str_eq(problem.hint, refused_starts[_i].hint);
	ck_assert_str_eq(csrf_site(&request), refused_starts[_i].word);
	config_free(config);
}
END_TEST

/* --- answers --- */

static char state_array[ANSWER_SIZE];

static struct buf
state_buf(void)
{
	struct buf state;

	buf_init(&state, state_array, sizeof(state_array));
	return state;
}

/* Every character that JSON allows in a string, in the token and in a return URL, as UTF-8. */
static void
put_code_point(struct buf *out, unsigned c)
{
	if (c < 0x80) {
		buf_printf(out, "%%%02X", c);
	} else if (c < 0x800) {
		buf_printf(out, "%%%02X%%%02X", 0xc0 | c >> 6, 0x80 | (c & 63));
	} else if (c < 0x10000) {
		buf_printf(out, "%%%02X%%%02X%%%02X", 0xe0 | c >> 12, 0x80 | (c >> 6 & 63),
		    0x80 | (c & 63));
	} else {
		buf_printf(out, "%%%02X%%%02X%%%02X%%%02X", 0xf0 | c >> 18, 0x80 | (c >> 12 & 63),
		    0x80 | (c >> 6 & 63), 0x80 | (c & 63));
	}
}

static bool
is_allowed_in_token(unsigned c)
{
	return c >= 0x20 && c != 0x7f && c != '<' && c != '>' && (c < 0xd800 || c > 0xdfff);
}

START_TEST(survives_microsofts_encoding_of_every_character)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	unsigned c = 0x20;

	while (c <= 0x10ffff) {
		struct browser browser = { .now = 1000 };
		struct buf state = state_buf();
		char array[8192];
		struct buf target;

		buf_init(&target, array, sizeof(array));
		buf_puts(&target, support_provider->start_path);
		buf_puts(&target, "?recall_calendar_auth_token=");
		for (int n = 0; n < 400 && c <= 0x10ffff; c += c < 0x3000 ? 1 : 37)
			if (is_allowed_in_token(c) && n++ >= 0)
				put_code_point(&target, c);
		visit(&browser, config, target.data, "same-site");
		ck_assert_int_eq(response.status, 302);
		read_state(&state);
		answer_with(&browser, config, buf_span(&state));
		ck_assert_int_eq(response.status, 302);
		ck_assert_str_eq(response.binding, "match");
	}
	config_free(config);
}
END_TEST

START_TEST(notices_every_changed_byte)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();

	connect_with(&browser, config, "token-%E2%82%AC", "same-site");
	read_state(&state);
	for (size_t i = 0; i < state.len; i++) {
		state.data[i] ^= 1;
		answer_with(&browser, config, buf_span(&state));
		ck_assert_int_eq(response.status, 403);
		ck_assert_str_eq(response.binding, "mismatch");
		state.data[i] ^= 1;
	}
	answer_with(&browser, config, buf_span(&state));
	ck_assert_int_eq(response.status, 302);
	config_free(config);
}
END_TEST

/* Four times as many of its form as a browser of good will has; who sends more is not followed. */
START_TEST(reads_so_many_cookies)
{
	enum { MOST = 4 * CSRF_MAX_COOKIES };
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();
	size_t n = MOST - 1 + (size_t)_i;

	connect_with(&browser, config, "t", "same-site");
	read_state(&state);
	memcpy(browser.cookies[n], browser.cookies[0], COOKIE_SIZE);
	for (size_t i = 0; i < n; i++)
		snprintf(browser.cookies[i], COOKIE_SIZE, "%s%08zx-%08zx=%064zx",
		    support_provider->cookie_prefix, i, i, i);
	browser.n_cookies = n + 1;
	answer_with(&browser, config, buf_span(&state));
	ck_assert_str_eq(response.binding, n < MOST ? "match" : "mismatch");
	ck_assert_int_eq(response.status, n < MOST ? 302 : 403);
	config_free(config);
}
END_TEST

/* It cannot be one that /connect made. */
START_TEST(matches_no_state_without_room)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "report"), NULL);
	struct browser browser = { .now = 1000 };
	static char text[CSRF_STATE_SIZE];

	connect_with(&browser, config, "t", "same-site");
	memset(text, 'a', sizeof(text));
	answer_with(&browser, config, (struct span){ text, sizeof(text) });
	ck_assert_int_eq(response.status, 302);
	ck_assert_str_eq(response.binding, "mismatch");
	ck_assert_uint_eq(browser.n_cookies, 1);
	config_free(config);
}
END_TEST

/* Its name goes into a field of the answer, so every byte of it must be one that we make. */
START_TEST(takes_no_damaged_cookie_for_its_own)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();
	char *cookie = browser.cookies[0];
	size_t len;

	connect_with(&browser, config, "t", "same-site");
	read_state(&state);
	len = strlen(cookie);
	ck_assert_uint_eq(
	    len, strlen(support_provider->cookie_prefix) + strlen("00000000-00000000=") + 64);
	for (size_t i = 0; i < len; i++) {
		cookie[i] ^= 0x40;
		answer_with(&browser, config, buf_span(&state));
		ck_assert_int_eq(response.status, 403);
		ck_assert_str_eq(response.binding, "missing");
		ck_assert_uint_eq(browser.n_cookies, 1);
		cookie[i] ^= 0x40;
	}
	cookie[len - 1] = '\0';
	answer_with(&browser, config, buf_span(&state));
	ck_assert_str_eq(response.binding, "missing");
	snprintf(cookie + len - 1, 3, "00");
	answer_with(&browser, config, buf_span(&state));
	ck_assert_str_eq(response.binding, "missing");
	config_free(config);
}
END_TEST

/* What comes back, in each mode: status, binding, and whether the cookie is cleared. */
static const struct {
	const char *mode;
	const char *query; /* %s: the encoded state */
	bool has_cookie;
	int status;
	const char *binding;
	size_t cookies_left;
} answers[] = {
	{ "off", "?code=1&state=%s", true, 302, NULL, 1 },
	{ "off", "?code=1", false, 302, NULL, 0 },
	{ "report", "?code=1&state=%s", true, 302, "match", 1 },
	{ "report", "?code=1&state=%s", false, 302, "missing", 0 },
	{ "report", "?code=1&state=x", true, 302, "mismatch", 1 },
	{ "report", "?code=1&state=%s&state=%s", true, 302, "mismatch", 1 },
	{ "report", "?code=1", true, 302, "mismatch", 1 },
	{ "report", "", false, 302, NULL, 0 },
	{ "enforce", "?code=1&state=%s", true, 302, "match", 0 },
	{ "enforce", "?error=access_denied&error_subcode=cancel&state=%s", true, 302, "match", 0 },
	{ "enforce", "?code=1&st%%61te=%s", true, 302, "match", 0 },
	{ "enforce", "?code=1&state=%s", false, 403, "missing", 0 },
	{ "enforce", "?code=1&state=x", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1&state=%s&state=x", true, 403, "mismatch", 1 },
	{ "enforce", "?state=x&code=1&state=%s", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1&st%%61te=x&state=%s", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1&state=%s&state=%s", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1&state=%s%%zz", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1&state=", true, 403, "mismatch", 1 },
	{ "enforce", "?code=1", true, 403, "mismatch", 1 },
	{ "enforce", "", false, 403, "missing", 0 },
};

static struct config *
config_of_mode(const char *mode)
{
	return support_config(strcmp(mode, "off") == 0      ? CONFIG_WITH("refuse", "off")
			      : strcmp(mode, "report") == 0 ? CONFIG_WITH("refuse", "report")
							    : CONFIG_WITH("refuse", "enforce"),
	    NULL);
}

static void
put_query(struct buf *out, const char *query, struct span state)
{
	for (; *query != '\0'; query++) {
		if (query[0] == '%' && query[1] == 's')
			put_as_microsoft(out, state);
		else
			buf_putc(out, *query);
		query += *query == '%';
	}
}

START_TEST(answers_by_mode)
{
	/* The cookie comes from a server that binds, whatever this row's mode is. */
	struct config *binding = config_of_mode("report");
	struct config *config = config_of_mode(answers[_i].mode);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf(), target;
	char array[4096];

	connect_with(&browser, binding, "t", "same-site");
	read_state(&state);
	browser.n_cookies = answers[_i].has_cookie;
	buf_init(&target, array, sizeof(array));
	buf_puts(&target, support_provider->callback_path);
	put_query(&target, answers[_i].query, buf_span(&state));
	visit(&browser, config, target.data, "cross-site");
	ck_assert_int_eq(response.status, answers[_i].status);
	ck_assert_pstr_eq(response.binding, answers[_i].binding);
	ck_assert_uint_eq(browser.n_cookies, answers[_i].cookies_left);
	ck_assert((response.location.len > 0) == (response.status == 302));
	config_free(config);
	config_free(binding);
}
END_TEST

/* Where no hash can be made, none matches: not even one of zeros, which an attacker may bring. */
START_TEST(fails_closed_without_hashes)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();

	connect_with(&browser, config, "t", "same-site");
	read_state(&state);
	hashing_fails = true;
	if (_i == 1)
		memset(strchr(browser.cookies[0], '=') + 1, '0', 64);
	answer_with(&browser, config, buf_span(&state));
	ck_assert_int_eq(response.status, 403);
	ck_assert_str_eq(response.binding, "mismatch");
	browser.n_cookies = 0;
	connect_with(&browser, config, "t", "same-site");
	ck_assert_int_eq(response.status, 302);
	ck_assert_uint_eq(browser.n_cookies, 0);
	answer_with(&browser, config, buf_span(&state));
	ck_assert_int_eq(response.status, 403);
	visit(&browser, config, "/connect/admin", "none");
	ck_assert_int_eq(response.status, 302);
	ck_assert_uint_eq(browser.n_cookies, 0);
	hashing_fails = false;
	config_free(config);
}
END_TEST

/* A cookie of our prefix that another program of this host made, or somebody's hand. */
static const struct {
	const char *what;
	int at; /* from the end where it is below 0 */
	char byte;
} foreign_cookies[] = {
	{ "the prefix", 3, 'x' },
	{ "the time", -82, 'g' },
	{ "the time, not ASCII", -75, '\xe9' },
	{ "the dash", -74, '0' },
	{ "the head of the hash", -66, 'z' },
	{ "the hash", -1, 'g' },
	{ "the hash, in front", -64, '\"' },
	{ "the length", -65, '0' },
};

START_TEST(leaves_cookies_of_others_alone)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();
	int at = foreign_cookies[_i].at;
	char *cookie = browser.cookies[0];

	connect_with(&browser, config, "t", "same-site");
	read_state(&state);
	cookie[at >= 0 ? at : (int)strlen(cookie) + at] = foreign_cookies[_i].byte;
	answer_with(&browser, config, buf_span(&state));
	ck_assert_msg(response.status == 403, "%s: %d", foreign_cookies[_i].what, response.status);
	ck_assert_pstr_eq(response.binding, "missing");
	ck_assert_uint_eq(browser.n_cookies, 1);
	for (int i = 0; i < 9; i++) { /* which makes no room for our ninth */
		browser.now++;
		connect_with(&browser, config, "t", "same-site");
	}
	ck_assert_uint_eq(browser.n_cookies, 1 + 8);
	config_free(config);
}
END_TEST

START_TEST(keeps_eight_starts_and_drops_the_oldest)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct browser browser = { 0 };
	static char states[10][1024];
	struct buf state;

	for (size_t i = 0; i < 10; i++) {
		char token[8];

		snprintf(token, sizeof(token), "t%zu", i);
		browser.now = 1000 + (int64_t)i;
		connect_with(&browser, config, token, "same-site");
		buf_init(&state, states[i], sizeof(states[i]));
		read_state(&state);
		ck_assert_uint_eq(browser.n_cookies, i < 8 ? i + 1 : 8);
	}
	for (size_t i = 0; i < 10; i++) {
		answer_with(&browser, config, span_of(states[i]));
		ck_assert_int_eq(response.status, i < 2 ? 403 : 302);
	}
	ck_assert_uint_eq(browser.n_cookies, 0);
	config_free(config);
}
END_TEST

START_TEST(json_answers_set_no_cookie)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	struct header accept = { SPAN("Accept"), SPAN("application/json") };
	struct request request = { .id = "0",
		.method = SPAN("GET"),
		.headers = &accept,
		.n_headers = 1,
		.body = SPAN("") };
	char target[128];

	snprintf(target, sizeof(target), "%s?recall_calendar_auth_token=t",
	    support_provider->start_path);
	request.target = span_of(target);
	response = (struct response){ 0 };
	buf_init(&response.location, location_array, sizeof(location_array));
	buf_init(&response.body, body_array, sizeof(body_array));
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, 200);
	for (size_t i = 0; i < response.n_fields; i++)
		ck_assert_str_ne(response.fields[i].name, "Set-Cookie");
	config_free(config);
}
END_TEST

/* --- the attacker's walk-through: what the victim's browser reaches, with and without defences ---
 */

/* Each gives the status of the last step in the victim's browser. */
typedef int attack(struct browser *victim, const struct config *config);

/* The state of a start that the attacker made in a browser of their own. */
static struct span
attackers_state(const struct config *config)
{
	struct browser attacker = { .now = 900 };
	static struct buf state;

	state = state_buf();
	connect_with(&attacker, config, "attackers-token", "same-site");
	read_state(&state);
	return buf_span(&state);
}

static int
mailed_connect_link(struct browser *victim, const struct config *config)
{
	struct buf state = state_buf();

	connect_with(victim, config, "attackers-token", "none");
	if (response.status != 302)
		return response.status;
	read_state(&state);
	answer_with(victim, config, buf_span(&state));
	return response.status;
}

static int
link_on_another_site(struct browser *victim, const struct config *config)
{
	connect_with(victim, config, "attackers-token", "cross-site");
	return response.status;
}

static int
handmade_authorize_url(struct browser *victim, const struct config *config)
{
	answer_with(victim, config, attackers_state(config));
	return response.status;
}

static int
handmade_url_beside_an_own_start(struct browser *victim, const struct config *config)
{
	struct span state = attackers_state(config);
	char copy[2048];

	snprintf(copy, sizeof(copy), "%.*s", (int)state.len, state.data);
	connect_with(victim, config, "victims-token", "same-site");
	answer_with(victim, config, span_of(copy));
	return response.status;
}

static int
forged_callback(struct browser *victim, const struct config *config)
{
	char target[128];

	snprintf(target, sizeof(target), "%s?code=stolen", support_provider->callback_path);
	visit(victim, config, target, "cross-site");
	return response.status;
}

static int
stolen_code_with_thiefs_state(struct browser *victim, const struct config *config)
{
	struct browser thief = { .now = 1000 };
	struct buf state = state_buf();

	(void)victim;
	connect_with(&thief, config, "thiefs-token", "same-site");
	read_state(&state);
	thief.n_cookies = 0; /* the code is redeemed from another machine than the start's */
	answer_with(&thief, config, buf_span(&state));
	return response.status;
}

/* Nothing here can tell this from the thief's own connection; see SECURITY.md. */
static int
stolen_code_in_the_thiefs_browser(struct browser *victim, const struct config *config)
{
	struct browser thief = { .now = 1000 };
	struct buf state = state_buf();

	(void)victim;
	connect_with(&thief, config, "thiefs-token", "same-site");
	read_state(&state);
	answer_with(&thief, config, buf_span(&state));
	return response.status;
}

static int
cookie_from_a_subdomain(struct browser *victim, const struct config *config)
{
	struct browser attacker = { .now = 900 };
	struct buf state = state_buf();

	/* A sub-domain cannot set __Host- cookies; under another name a hash counts for nothing. */
	connect_with(&attacker, config, "attackers-token", "same-site");
	read_state(&state);
	if (attacker.n_cookies > 0)
		snprintf(victim->cookies[victim->n_cookies++], COOKIE_SIZE, "xx%.200s",
		    attacker.cookies[0] + 2);
	answer_with(victim, config, buf_span(&state));
	return response.status;
}

static int
two_tabs(struct browser *victim, const struct config *config)
{
	struct buf state = state_buf();
	char first[2048];

	connect_with(victim, config, "tab-one", "same-site");
	read_state(&state);
	snprintf(first, sizeof(first), "%s", state.data);
	victim->now++;
	connect_with(victim, config, "tab-two", "same-site");
	read_state(&state);
	answer_with(victim, config, buf_span(&state));
	if (response.status != 302)
		return response.status;
	answer_with(victim, config, span_of(first));
	return response.status;
}

/* The code has been used then, so that nothing is lost. */
static int
back_button(struct browser *victim, const struct config *config)
{
	struct buf state = state_buf();

	connect_with(victim, config, "own", "same-site");
	read_state(&state);
	answer_with(victim, config, buf_span(&state));
	ck_assert_int_eq(response.status, 302);
	answer_with(victim, config, buf_span(&state));
	return response.status;
}

static const struct {
	const char *name;
	attack *run;
	int status_of[4]; /* no defence, the first, the second, both */
} attacks[] = {
	{ "mailed /connect link", mailed_connect_link, { 302, 403, 302, 403 } },
	{ "link on another site", link_on_another_site, { 302, 403, 302, 403 } },
	{ "hand-made authorize URL", handmade_authorize_url, { 302, 302, 403, 403 } },
	{ "the same beside a start of one's own", handmade_url_beside_an_own_start,
	    { 302, 302, 403, 403 } },
	{ "forged callback", forged_callback, { 302, 302, 403, 403 } },
	{ "stolen code with the thief's state", stolen_code_with_thiefs_state,
	    { 302, 302, 403, 403 } },
	{ "the same in the thief's browser", stolen_code_in_the_thiefs_browser,
	    { 302, 302, 302, 302 } },
	{ "cookie injected from a sub-domain", cookie_from_a_subdomain, { 302, 302, 403, 403 } },
	{ "two tabs, which is no attack", two_tabs, { 302, 302, 302, 302 } },
	{ "back button", back_button, { 302, 302, 403, 403 } },
};

static const char *const defences[] = { CONFIG_WITH("allow", "off"), CONFIG_WITH("refuse", "off"),
	CONFIG_WITH("allow", "enforce"), CONFIG_WITH("refuse", "enforce") };

START_TEST(stops_attacks_with_the_right_defence)
{
	for (size_t d = 0; d < COUNT(defences); d++) {
		struct config *config = support_config(defences[d], NULL);
		struct browser victim = { .now = 1000 };
		int status = attacks[_i].run(&victim, config);

		ck_assert_msg(status == attacks[_i].status_of[d], "%s, defence %zu: %d",
		    attacks[_i].name, d, status);
		config_free(config);
	}
}
END_TEST

/* --- two providers --- */

static const struct provider *
other_provider(void)
{
	return &providers[N_PROVIDERS - 1 - support_provider->id];
}

static void
start_at(struct browser *browser, const struct config *config, const struct provider *provider)
{
	support_provider = provider;
	browser->now++;
	connect_with(browser, config, "t", "same-site");
	ck_assert_int_eq(response.status, 302);
}

static void
answer_at(struct browser *browser, const struct config *config, const struct provider *provider,
    struct span state, const char *binding)
{
	support_provider = provider;
	answer_with(browser, config, state);
	ck_assert_str_eq(response.binding, binding);
	ck_assert_int_eq(response.status, strcmp(binding, "match") == 0 ? 302 : 403);
	ck_assert_int_eq(response.location.len > 0, strcmp(binding, "match") == 0);
}

/* The state of a start comes to the other provider's callback, then to its own. */
START_TEST(never_mixes_providers)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	const struct provider *own = support_provider, *other = other_provider();
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();

	start_at(&browser, config, own);
	read_state(&state);
	answer_at(&browser, config, other, buf_span(&state), "missing");
	start_at(&browser, config, other);
	answer_at(&browser, config, other, buf_span(&state), "mismatch");
	ck_assert_uint_eq(browser.n_cookies, 2);
	answer_at(&browser, config, own, buf_span(&state), "match");
	ck_assert_uint_eq(browser.n_cookies, 1);
	config_free(config);
}
END_TEST

/* Starts at one provider do not crowd out a start at the other. */
START_TEST(keeps_starts_at_the_other)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "enforce"), NULL);
	const struct provider *own = support_provider, *other = other_provider();
	struct browser browser = { .now = 1000 };
	struct buf state = state_buf();

	start_at(&browser, config, own);
	read_state(&state);
	for (int i = 0; i < 10; i++)
		start_at(&browser, config, other);
	ck_assert_uint_eq(browser.n_cookies, 1 + CSRF_MAX_COOKIES);
	answer_at(&browser, config, own, buf_span(&state), "match");
	config_free(config);
}
END_TEST

/* --- admin consent --- */

#define A_TENANT "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

static const struct {
	const char *query; /* %s: the state */
	bool same_browser;
	const char *title;
	const char *never;  /* must not be on the page */
	const char *tenant; /* as the page names it */
} admin_answers[] = {
	{ "?admin_consent=True&tenant=TTT&state=%s", true, "Your organization has approved the app",
	    "TTT", "none" },
	{ "?admin_consent=True&tenant=TTT&state=%s", false, "Microsoft reports an approval", "TTT",
	    "none" },
	{ "?admin_consent=True&tenant=TTT&state=forged", true, "Microsoft reports an approval",
	    "forged", "none" },
	{ "?admin_consent=True&error=access_denied&error_description=AADSTS65004%%3a+XXX&state=%s",
	    true, "Your organization has not approved the app", "XXX", "none" },
	{ "?admin_consent=True&error=access_denied&state=%s", false,
	    "Microsoft reports that the app was not approved", "access_denied", "none" },
	{ "?error=%%3cscript%%3ealert(1)%%3c/script%%3e&state=%s", true,
	    "Your organization has not approved the app", "script", "none" },
	{ "?admin_consent=%%3cb%%3e&tenant=%%3cb%%3e&scope=%%3cb%%3e&state=%%3cb%%3e", true,
	    "Microsoft reports that the app was not approved", "<b>", "none" },
	{ "?admin_consent=False&state=%s", true, "Your organization has not approved the app",
	    "has approved", "none" },
	{ "?admin_consent=False&state=%s", false, "Microsoft reports that the app was not approved",
	    "has approved", "none" },
	{ "?admin_consent=True&code=x&state=%s", true, "No answer from Microsoft", "has approved",
	    "none" },
	{ "?tenant=TTT&state=%s", true, "No answer from Microsoft", "has approved", "none" },
	{ "", true, "No answer from Microsoft", "approved.", "none" },
	{ "?admin_consent=True&tenant=" A_TENANT "&state=%s", true,
	    "Your organization has approved the app", "state", A_TENANT },
	{ "?admin_consent=True&tenant=0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0&state=%s", false,
	    "Microsoft reports an approval", "0F1E", A_TENANT },
	{ "?error=access_denied&tenant=" A_TENANT "&state=%s", true,
	    "Your organization has not approved the app", "access_denied", A_TENANT },
	{ "?admin_consent=True&tenant=" A_TENANT "0&state=%s", true,
	    "Your organization has approved the app", A_TENANT, "none" },
	{ "?admin_consent=True&tenant=" A_TENANT "%%00&state=%s", true,
	    "Your organization has approved the app", A_TENANT, "none" },
	{ "?admin_consent=True&tenant=%%200f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0&state=%s", true,
	    "Your organization has approved the app", A_TENANT, "none" },
	{ "?admin_consent=True&tenant=%%3cb%%3e0f1e2d3c-4b5a-6978-8796-a5b4c3d&state=%s", true,
	    "Your organization has approved the app", "0f1e", "none" },
	{ "?admin_consent=True&tenant=contoso.example&state=%s", true,
	    "Your organization has approved the app", "contoso", "none" },
	{ "?admin_consent=True&tenant=&state=%s", true, "Your organization has approved the app",
	    "state", "none" },
};

START_TEST(tells_administrators_the_result)
{
	struct config *config = support_config(CONFIG_WITH("refuse", "off"), NULL);
	struct browser browser = { .now = 7 };
	struct buf state = state_buf(), target;
	char array[4096];

	visit(&browser, config, "/connect/admin?tenant=contoso.example", "none");
	ck_assert_int_eq(response.status, 302);
	ck_assert_uint_eq(browser.n_cookies, 1);
	read_state(&state);
	browser.n_cookies = admin_answers[_i].same_browser;
	buf_init(&target, array, sizeof(array));
	buf_puts(&target, "/api/ms_admin_consent_callback");
	put_query(&target, admin_answers[_i].query, buf_span(&state));
	visit(&browser, config, target.data, "cross-site");
	ck_assert_int_eq(response.status, 200);
	ck_assert_ptr_nonnull(strstr(response.body.data, "<h1>"));
	ck_assert_msg(
	    strstr(response.body.data, admin_answers[_i].title) != NULL, "%s", response.body.data);
	ck_assert_ptr_null(strstr(response.body.data, admin_answers[_i].never));
	snprintf(array, sizeof(array), "Tenant <code>%s</code>", admin_answers[_i].tenant);
	ck_assert_ptr_nonnull(strstr(response.body.data, array));
	ck_assert_ptr_nonnull(
	    strstr(response.body.data, "https://oauth.example.com/connect/admin"));
	ck_assert_ptr_nonnull(strstr(response.body.data, "href=\"https://entra.microsoft.com\""));
	config_free(config);
}
END_TEST

static const struct {
	const char *tenant;
	const char *query;
	int status;
	const char *says; /* in Location, or in the body */
} admin_starts[] = {
	{ "common", "", 302,
	    "https://login.microsoftonline.com/organizations/v2.0/adminconsent?client_id="
	    "11111111-2222-3333-4444-555555555555&scope=offline_access%20openid%20email%20"
	    "https%3A%2F%2Fgraph.microsoft.com%2FCalendars.Read&redirect_uri=https%3A%2F%2F"
	    "oauth.example.com%2Fapi%2Fms_admin_consent_callback&state="
	    "07070707070707070707070707070707" },
	{ "consumers", "", 302, "/organizations/v2.0/adminconsent?" },
	{ "organizations", "", 302, "/organizations/v2.0/adminconsent?" },
	{ "contoso.example", "", 302, "/contoso.example/v2.0/adminconsent?" },
	{ "common", "?tenant=fabrikam.example", 302, "/fabrikam.example/v2.0/adminconsent?" },
	{ "common", "?tenant=11111111-2222-3333-4444-555555555556", 302,
	    "/11111111-2222-3333-4444-555555555556/v2.0/adminconsent?" },
	{ "common", "?tenant=common", 400, "tenant is neither a GUID nor a domain" },
	{ "common", "?tenant=a/b", 400, "tenant is neither a GUID nor a domain" },
	{ "common", "?tenant=a.b%2f..", 400, "tenant is neither a GUID nor a domain" },
	{ "common", "?tenant=", 400, "tenant is empty" },
	{ "common", "?tenant=a.b&tenant=a.b", 400, "tenant appears more than once" },
	{ "common", "?tenant=%zz", 400, "tenant has a % that is not followed by two hex digits" },
	{ "common", "?state=x", 302, "/organizations/v2.0/adminconsent?" },
	{ "common", "?utm_source=a&tenant=fabrikam.example&fbclid=b", 302,
	    "/fabrikam.example/v2.0/adminconsent?" },
	{ "common", "?%zz=%zz&&=", 302, "/organizations/v2.0/adminconsent?" },
};

START_TEST(builds_admin_consent_urls)
{
	char text[1024], target[9216];
	struct browser browser = { .now = 7 };
	struct config *config;

	snprintf(text, sizeof(text),
	    "{\"public_url\": \"https://oauth.example.com\", \"microsoft\": "
	    "{\"client_id\": \"11111111-2222-3333-4444-555555555555\", \"tenant\": "
	    "\"%s\"}}",
	    admin_starts[_i].tenant);
	config = support_config(text, NULL);
	snprintf(target, sizeof(target), "/connect/admin%s", admin_starts[_i].query);
	visit(&browser, config, target, "cross-site");
	ck_assert_int_eq(response.status, admin_starts[_i].status);
	ck_assert_msg(strstr(response.status == 302 ? response.location.data : response.body.data,
			  admin_starts[_i].says) != NULL,
	    "%s%s", response.location.data, response.body.data);
	config_free(config);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_set_timeout(tests, 120);
	LOOP(tests, says_why_a_start_is_refused, refused_starts);
	tcase_add_test(tests, survives_microsofts_encoding_of_every_character);
	tcase_add_test(tests, notices_every_changed_byte);
	tcase_add_test(tests, takes_no_damaged_cookie_for_its_own);
	tcase_add_loop_test(tests, reads_so_many_cookies, 0, 2);
	tcase_add_test(tests, matches_no_state_without_room);
	LOOP(tests, answers_by_mode, answers);
	tcase_add_loop_test(tests, fails_closed_without_hashes, 0, 2);
	tcase_add_test(tests, keeps_eight_starts_and_drops_the_oldest);
	tcase_add_test(tests, json_answers_set_no_cookie);
	LOOP(tests, stops_attacks_with_the_right_defence, attacks);
	LOOP(tests, leaves_cookies_of_others_alone, foreign_cookies);
	tcase_add_test(tests, never_mixes_providers);
	tcase_add_test(tests, keeps_starts_at_the_other);
}

int
main(void)
{
	Suite *suite = suite_create("csrf");
	TCase *tests = tcase_create("csrf");

	support_at_every_provider(suite, add_tests);
	tcase_add_loop_test(tests, judges_every_combination_of_starts, 0, 2);
	LOOP(tests, tells_administrators_the_result, admin_answers);
	LOOP(tests, builds_admin_consent_urls, admin_starts);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
