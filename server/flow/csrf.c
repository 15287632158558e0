#include "flow/csrf.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/url.h"
#include "flow/provider.h"

enum { HASH_LEN = 32, HEX_LEN = 2 * HASH_LEN, HEX_SIZE = HEX_LEN + 1, TIME_LEN = 8 };
enum { MAX_READ = 4 * CSRF_MAX_COOKIES }; /* a browser of good will holds CSRF_MAX_COOKIES */

const char *
csrf_site(const struct request *request)
{
	static const char *const known[] = { "same-origin", "same-site", "cross-site", "none",
		"other" };
	struct span site;

	if (http_count_header(request, "Sec-Fetch-Site", &site) == 0)
		return NULL;
	return known[text_find_word(known, COUNT(known) - 1, site)];
}

/* What would help a cross-site start; NULL where it comes from one of the start origins. */
static const char *
judge_cross_site(const struct config *config, const struct request *request)
{
	struct span from = SPAN("");
	struct url_origin origin;

	if (http_count_header(request, "Origin", &from) == 0)
		http_count_header(request, "Referer", &from);
	if (from.len == 0 || span_is(from, "null"))
		return "The page that links here hides its origin, by a Referrer-Policy such as "
		       "no-referrer or same-origin, or by rel=noreferrer: give it Referrer-Policy: "
		       "strict-origin-when-cross-origin, and list its origin in "
		       "connect.start_origins";
	if (url_parse(from, URL_ANY, &origin) == NULL &&
	    url_matches(&origin, config->start_origins, config->n_start_origins))
		return NULL;
	return "The start came from another site: list the app's origin in connect.start_origins, "
	       "or set connect.cross_site to allow";
}

bool
csrf_may_start(
    const struct config *config, const struct request *request, struct problem *ret_problem)
{
	const char *site = csrf_site(request);
	const char *hint =
	    "The address was typed, or opened from a mail or another program, or the "
	    "app redirected to it: start from a link on a page of the app";

	if (config->connect_cross_site == CROSS_SITE_ALLOW || site == NULL ||
	    strncmp(site, "same-", strlen("same-")) == 0)
		return true;
	if (strcmp(site, "cross-site") == 0)
		hint = judge_cross_site(config, request);
	if (hint == NULL)
		return true;
	*ret_problem = (struct problem){ 403, "cross_site_start", NULL,
		"Sec-Fetch-Site says that this start came from another site, or from no page at all",
		hint };
	return false;
}

static bool
is_not_hex(unsigned char c)
{
	return text_hex_value((char)c) < 0;
}

/*
 * A cookie that this program has made, by its looks: the name goes into a field of the answer. It
 * is the provider's prefix, TTTTTTTT-HHHHHHHH: time of the start and head of the hash, both in hex.
 */
static bool
is_ours(const struct header *cookie, struct span prefix)
{
	struct span tail = span_from(cookie->name, prefix.len);

	return cookie->name.len == prefix.len + TIME_LEN + 1 + TIME_LEN &&
	       memcmp(cookie->name.data, prefix.data, prefix.len) == 0 &&
	       tail.data[TIME_LEN] == '-' &&
	       !span_any((struct span){ tail.data, TIME_LEN }, is_not_hex) &&
	       !span_any(span_from(tail, TIME_LEN + 1), is_not_hex) &&
	       cookie->value.len == HEX_LEN && !span_any(cookie->value, is_not_hex);
}

/* The cookies of ours that this browser sent; returns how many. */
static size_t
read_cookies(const struct request *request, struct header ret_cookies[MAX_READ])
{
	struct span prefix = span_of(request->provider->cookie_prefix);
	size_t n = 0;

	for (size_t i = 0; i < request->n_headers; i++) {
		struct span rest = request->headers[i].value, pair;

		if (!span_is_ignoring_case(request->headers[i].name, "Cookie"))
			continue;
		while (n < MAX_READ && span_next(&rest, ';', &pair)) {
			pair = span_trim(pair);
			ret_cookies[n].name = (struct span){ pair.data, span_find(pair, '=') };
			ret_cookies[n].value = span_from(pair, ret_cookies[n].name.len + 1);
			n += is_ours(&ret_cookies[n], prefix);
		}
	}
	return n;
}

/* False where no hash can be made: nothing may match then. */
static bool
hash_hex(struct span state, char ret_hex[HEX_SIZE])
{
	unsigned char hash[HASH_LEN];
	const gnutls_datum_t bytes = { hash, HASH_LEN };
	size_t size = HEX_SIZE;

	return gnutls_hash_fast(GNUTLS_DIG_SHA256, state.data, state.len, hash) == 0 &&
	       gnutls_hex_encode(&bytes, ret_hex, &size) == 0;
}

bool
csrf_read_state(struct span query, struct buf *ret_state)
{
	struct span name, value, encoded = SPAN("");
	size_t n = 0;

	while (url_next_pair(&query, &name, &value))
		if (url_name_is(name, "state") && n++ == 0)
			encoded = value;
	return n == 1 && url_decode_form(ret_state, encoded) && buf_ok(ret_state);
}

/* Not in csrf_check(), where its array would be cleared without any cookie too. */
static bool
hash_query(struct span query, char ret_hex[HEX_SIZE])
{
	BUF(state, CSRF_STATE_SIZE);
	bool good;

	good = csrf_read_state(query, &state) && hash_hex(buf_span(&state), ret_hex);
	buf_wipe(&state);
	return good;
}

void
csrf_check(const struct request *request, struct response *response)
{
	struct header cookies[MAX_READ];
	size_t n = read_cookies(request, cookies);
	char hex[HEX_SIZE];

	response->binding = n > 0 ? "mismatch" : "missing";
	if (n == 0 || !hash_query(request->query, hex))
		return;
	for (size_t i = 0; i < n; i++) {
		if (gnutls_memcmp(cookies[i].value.data, hex, HEX_LEN) != 0)
			continue;
		response->binding = "match";
		response->bound_cookie = cookies[i].name;
	}
}

static void
set_cookie(struct response *response, struct span name, struct span value, int seconds)
{
	struct buf out;

	assert(response->n_cookies < HTTP_MAX_COOKIES);
	buf_init(&out, response->cookies[response->n_cookies++], HTTP_COOKIE_SIZE);
	buf_put(&out, name);
	buf_putc(&out, '=');
	buf_put(&out, value);
	buf_printf(&out, "; Max-Age=%d; Path=/; Secure; HttpOnly; SameSite=Lax", seconds);
	http_add_field(response, "Set-Cookie", out.data);
}

void
csrf_bind(const struct request *request, struct span state, struct response *response)
{
	struct header cookies[MAX_READ];
	size_t n = read_cookies(request, cookies), oldest = 0;
	char hex[HEX_SIZE];
	BUF(name, HTTP_COOKIE_SIZE);

	if (!hash_hex(state, hex))
		return;
	for (size_t i = 1; i < n; i++)
		if (memcmp(cookies[i].name.data, cookies[oldest].name.data, cookies[i].name.len) <
		    0)
			oldest = i;
	if (n >= CSRF_MAX_COOKIES)
		set_cookie(response, cookies[oldest].name, (struct span)SPAN(""), 0);
	buf_printf(
	    &name, "%s%08x-%.8s", request->provider->cookie_prefix, (unsigned)request->now, hex);
	set_cookie(response, buf_span(&name), (struct span){ hex, HEX_LEN }, CSRF_COOKIE_SECONDS);
}

void
csrf_release(struct response *response)
{
	if (response->bound_cookie.len > 0)
		set_cookie(response, response->bound_cookie, (struct span)SPAN(""), 0);
}
