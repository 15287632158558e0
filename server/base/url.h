/*
 * url: percent-encoding, the walk over a query, and which URLs are good enough to send people to.
 */
#pragma once

#include "base/buf.h"

/* Append bytes, all but RFC 3986 unreserved ones as %XX, upper case; a space is %20. */
void url_encode(struct buf *out, struct span bytes);

/*
 * Append the application/x-www-form-urlencoded value decoded: `+` is a space, %xx a byte.
 * False where a % is not followed by two hex digits; out then holds what came before it.
 */
bool url_decode_form(struct buf *out, struct span encoded);

/*
 * Cut the next name=value pair off a query or form; empty pairs are passed over (WHATWG URL 5.1).
 * Name and value are still encoded; the value is empty where there is no `=`.
 */
bool url_next_pair(struct span *rest, struct span *ret_name, struct span *ret_value);

/* Whether the encoded name means known, so that `%63ode` is not taken for another than `code`. */
bool url_name_is(struct span encoded, const char *known);

/* Longest host that url_parse() takes: 253 of a name, or an IPv6 address in brackets. */
enum { URL_HOST_SIZE = 254 };

/*
 * An origin (RFC 6454 4): scheme, lower-case host, port with the scheme's default filled in. In a
 * pattern the host may start with `*.`, which stands for exactly one label.
 */
struct url_origin {
	bool https;
	unsigned short port;
	char host[URL_HOST_SIZE];
};

/* As long as a URL that people are sent back to may be: it stands in the authorize URL. */
enum { URL_RETURN_MAX_LEN = 1024 };

/* Any URL, an origin and nothing more, or an origin that may be a pattern. */
enum url_form { URL_ANY, URL_ORIGIN, URL_PATTERN };

/*
 * Read the origin of an absolute http or https URL, and judge the URL: strict, so that no browser
 * can read another host out of it. What is not plainly good is refused, never normalised. Returns
 * NULL where it is good, else what is wrong, to stand after the name of a key or parameter:
 * "contains a user name".
 */
const char *url_parse(struct span url, enum url_form form, struct url_origin *ret_origin)
    __attribute__((warn_unused_result));

/* Whether the origin is one of n patterns, or matches one. */
bool url_matches(
    const struct url_origin *origin, const struct url_origin *patterns, size_t n_patterns);
