/*
 * Decides on starts and answers by headers and cookies alone. Owns no memory of them.
 */
#include "csrf.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "url.h"

enum { HASH_LEN = 32, HEX_LEN = 2 * HASH_LEN, TIME_LEN = 8, STATE_MAX_SIZE = 16 * 1024 };

/* __Host-redirectd-TTTTTTTT-HHHHHHHH: time of the start and head of the hash, both hex. */
#define COOKIE_PREFIX     "__Host-redirectd-"
#define COOKIE_ATTRIBUTES "; Path=/; Secure; HttpOnly; SameSite=Lax"

static const struct span prefix = SPAN(COOKIE_PREFIX);

/* --- where a start comes from --- */

static bool
is_start_origin(const struct config *config, struct span url)
{
	struct url_origin origin;
	struct span rest;

	if (url_parse(url, &origin, &rest) != URL_GOOD)
		return false;
	for (size_t i = 0; i < config->n_start_origins; i++)
		if (url_same_origin(&origin, &config->start_origins[i]))
			return true;
	return false;
}

static bool
comes_from_start_origin(const struct config *config, const struct request *request)
{
	struct span origin;

	if (!http_get_header(request, (struct span)SPAN("Origin"), &origin) &&
	    !http_get_header(request, (struct span)SPAN("Referer"), &origin))
		return false;
	return is_start_origin(config, origin);
}

bool
csrf_may_start(
    const struct config *config, const struct request *request, struct problem *ret_problem)
{
	struct span site;

	if (config->connect_cross_site == CROSS_SITE_ALLOW ||
	    !http_get_header(request, (struct span)SPAN("Sec-Fetch-Site"), &site) ||
	    span_equals(site, (struct span)SPAN("same-origin")) ||
	    span_equals(site, (struct span)SPAN("same-site")))
		return true;
	if (span_equals(site, (struct span)SPAN("cross-site")) &&
	    comes_from_start_origin(config, request))
		return true;
	*ret_problem = (struct problem){
		.status = 403,
		.reason = "cross_site_start",
		.detail =
		    "This link did not come from the app, so it was stopped: it could connect "
		    "your calendar to somebody else's account. Open the app and connect your "
		    "calendar from there",
		.hint =
		    "The start came from another site or from nowhere: list the app's origin in "
		    "connect.start_origins, or set connect.cross_site to allow",
	};
	return false;
}

/* --- the cookies of this browser --- */

struct cookie {
	struct span name;
	struct span value;
};

struct cookies {
	const struct request *request;
	size_t header; /* the next to look at */
	struct span rest;
};

static struct cookies
cookies_of(const struct request *request)
{
	return (struct cookies){ request, 0, SPAN("") };
}

/* Take the next Cookie field; false at the end. */
static bool
next_field(struct cookies *cookies)
{
	static const struct span name = SPAN("Cookie");

	while (cookies->header < cookies->request->n_headers) {
		const struct header *header = &cookies->request->headers[cookies->header++];

		if (!span_equals_ignoring_case(header->name, name))
			continue;
		cookies->rest = header->value;
		return true;
	}
	return false;
}

static bool
is_hex(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (text_hex_value(s.data[i]) < 0)
			return false;
	return true;
}

/* A cookie that this program has made, by its looks: the name goes into a field of the answer. */
static bool
is_ours(const struct cookie *cookie)
{
	struct span tail = span_from(cookie->name, prefix.len);

	return cookie->name.len == prefix.len + TIME_LEN + 1 + TIME_LEN &&
	       memcmp(cookie->name.data, prefix.data, prefix.len) == 0 &&
	       tail.data[TIME_LEN] == '-' && is_hex((struct span){ tail.data, TIME_LEN }) &&
	       is_hex(span_from(tail, TIME_LEN + 1)) && cookie->value.len == HEX_LEN &&
	       is_hex(cookie->value);
}

/* The next cookie of ours; false at the end. */
static bool
next_cookie(struct cookies *cookies, struct cookie *ret_cookie)
{
	struct span pair;

	do {
		while (span_next(&cookies->rest, ';', &pair)) {
			pair = span_trim(pair);
			ret_cookie->name = (struct span){ pair.data, span_find(pair, '=') };
			ret_cookie->value = span_from(pair, ret_cookie->name.len + 1);
			if (is_ours(ret_cookie))
				return true;
		}
	} while (next_field(cookies));
	return false;
}

/* --- the hash --- */

static void
hash_hex(struct span state, char ret_hex[HEX_LEN])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[HASH_LEN] = { 0 };

	gnutls_hash_fast(GNUTLS_DIG_SHA256, state.data, state.len, hash);
	for (size_t i = 0; i < HASH_LEN; i++) {
		ret_hex[2 * i] = digits[hash[i] >> 4];
		ret_hex[2 * i + 1] = digits[hash[i] & 15];
	}
}

/* The one value of state, still encoded; false where it is not there exactly once. */
static bool
find_state(struct span query, struct span *ret_state)
{
	struct span name, value;
	size_t n = 0;

	while (url_next_pair(&query, &name, &value)) {
		if (!url_name_is(name, (struct span)SPAN("state")))
			continue;
		*ret_state = value;
		n++;
	}
	return n == 1;
}

static bool
hash_query(struct span query, char ret_hex[HEX_LEN])
{
	char array[STATE_MAX_SIZE];
	struct span encoded;
	struct buf state;
	bool good;

	buf_init(&state, array, sizeof(array));
	good = find_state(query, &encoded) && url_decode_form(&state, encoded) && buf_ok(&state);
	if (good)
		hash_hex(buf_span(&state), ret_hex);
	explicit_bzero(array, state.len);
	return good;
}

static bool
find_match(
    const struct request *request, struct span query, struct cookie *ret_cookie, bool *ret_any)
{
	struct cookies cookies = cookies_of(request);
	struct cookie cookie;
	char hex[HEX_LEN];
	bool matched = false;

	*ret_any = next_cookie(&cookies, &cookie);
	if (!*ret_any || !hash_query(query, hex))
		return false;
	do {
		if (gnutls_memcmp(cookie.value.data, hex, HEX_LEN) != 0)
			continue;
		*ret_cookie = cookie;
		matched = true;
	} while (next_cookie(&cookies, &cookie));
	return matched;
}

const char *
csrf_check(const struct request *request, struct span query)
{
	struct cookie cookie;
	bool any;

	if (find_match(request, query, &cookie, &any))
		return "match";
	return any ? "mismatch" : "missing";
}

/* --- what the answer says of cookies --- */

static struct buf *
cookie_buf(struct response *response)
{
	if (response->cookies.data == NULL)
		buf_init(
		    &response->cookies, response->cookie_array, sizeof(response->cookie_array));
	return &response->cookies;
}

/* Add Set-Cookie with the text that was put into the response's cookie buffer from start on. */
static void
add_cookie(struct response *response, size_t start)
{
	buf_putc(&response->cookies, '\0');
	if (buf_ok(&response->cookies))
		http_add_field(response, "Set-Cookie", response->cookies.data + start);
}

static void
clear_cookie(struct response *response, struct span name)
{
	struct buf *out = cookie_buf(response);
	size_t start = out->len;

	buf_put(out, name);
	buf_puts(out, "=; Max-Age=0" COOKIE_ATTRIBUTES);
	add_cookie(response, start);
}

/* Clear the oldest cookie where there is no room for one more. */
static void
make_room(const struct request *request, struct response *response)
{
	struct cookies cookies = cookies_of(request);
	struct cookie cookie, oldest = { SPAN(""), SPAN("") };
	size_t n = 0;

	while (next_cookie(&cookies, &cookie)) {
		if (n++ == 0 || memcmp(cookie.name.data, oldest.name.data, cookie.name.len) < 0)
			oldest = cookie;
	}
	if (n >= CSRF_MAX_COOKIES)
		clear_cookie(response, oldest.name);
}

void
csrf_bind(const struct request *request, struct span state, struct response *response)
{
	struct buf *out = cookie_buf(response);
	char hex[HEX_LEN];
	size_t start;

	hash_hex(state, hex);
	make_room(request, response);
	start = out->len;
	buf_printf(out, COOKIE_PREFIX "%08x-%.8s=", (unsigned)request->now, hex);
	buf_put(out, (struct span){ hex, HEX_LEN });
	buf_printf(out, "; Max-Age=%d" COOKIE_ATTRIBUTES, CSRF_COOKIE_SECONDS);
	add_cookie(response, start);
}

void
csrf_release(const struct request *request, struct span query, struct response *response)
{
	struct cookie cookie;
	bool any;

	if (find_match(request, query, &cookie, &any))
		clear_cookie(response, cookie.name);
}
