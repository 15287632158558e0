/*
 * url: percent-encoding, the walk over a query, and which URLs are good enough to send people to.
 */
#ifndef URL_H
#define URL_H

#include "buf.h"

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
bool url_name_is(struct span encoded, struct span known);

/* Longest host that url_parse_origin takes: 253 of a name, or an IPv6 address in brackets. */
enum { URL_HOST_SIZE = 254 };

/* An origin (RFC 6454 4): scheme, lower-case host, port with the scheme's default filled in. */
struct url_origin {
	bool https;
	unsigned short port;
	char host[URL_HOST_SIZE];
};

/* As long as a URL that people are sent back to may be: it stands in the authorize URL. */
enum { URL_RETURN_MAX_LEN = 1024 };

enum url_fault {
	URL_GOOD,
	URL_BYTES,    /* a control byte, a space, a backslash, `<` or `>` */
	URL_SCHEME,   /* neither https:// nor http:// */
	URL_USERINFO, /* user@host */
	URL_HOST,     /* empty, not ASCII, or not a host */
	URL_PORT,     /* not 1 to 65535 */
	URL_INSECURE, /* http to another host than this machine */
	URL_PATH,     /* more than an origin, where an origin is wanted */
};

/*
 * Read the origin of an absolute http or https URL, and judge the URL: strict, so that no browser
 * can read another host out of it. ret_rest is what follows the authority (path, query, fragment).
 */
enum url_fault url_parse(struct span url, struct url_origin *ret_origin, struct span *ret_rest)
    __attribute__((warn_unused_result));

/* The same for text that has to be an origin and nothing more, as in a configuration. */
enum url_fault url_parse_origin(struct span url, struct url_origin *ret_origin)
    __attribute__((warn_unused_result));

/* What is wrong, to stand after the name of a key or parameter: "has a user name in it". */
const char *url_fault_text(enum url_fault fault);

bool url_same_origin(const struct url_origin *a, const struct url_origin *b);

/* The machine itself: localhost, 127.0.0.1 or [::1]. */
bool url_is_loopback(const struct url_origin *origin);

#endif
