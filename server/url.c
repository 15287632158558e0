/*
 * Encodes, decodes, walks and judges URLs. Pure: bytes in, bytes out.
 * Refuses to normalise: what is not plainly good is refused.
 */
#include "url.h"

#include <arpa/inet.h>

static bool
is_unreserved(char c)
{
	return text_is_alpha(c) || text_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void
url_encode(struct buf *out, struct span bytes)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		if (is_unreserved(bytes.data[i]))
			buf_putc(out, bytes.data[i]);
		else
			buf_put(out, (struct span){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
	}
}

/* Take one decoded byte off the front of *rest; -1 where a percent form is broken. */
static int
take_decoded(struct span *rest)
{
	char c = rest->data[0];
	int high, low;

	if (c != '%') {
		*rest = span_from(*rest, 1);
		return c == '+' ? ' ' : (unsigned char)c;
	}
	if (rest->len < 3)
		return -1;
	high = text_hex_value(rest->data[1]);
	low = text_hex_value(rest->data[2]);
	*rest = span_from(*rest, 3);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* How many bytes stand for themselves until the next that does not. */
static size_t
plain_len(struct span encoded)
{
	size_t len = 0;

	while (len < encoded.len && encoded.data[len] != '%' && encoded.data[len] != '+')
		len++;
	return len;
}

bool
url_decode_form(struct buf *out, struct span encoded)
{
	while (encoded.len > 0) {
		size_t plain = plain_len(encoded);
		int c;

		buf_put(out, (struct span){ encoded.data, plain });
		encoded = span_from(encoded, plain);
		if (encoded.len == 0)
			break;
		c = take_decoded(&encoded);
		if (c < 0)
			return false;
		buf_putc(out, (char)c);
	}
	return true;
}

bool
url_next_pair(struct span *rest, struct span *ret_name, struct span *ret_value)
{
	struct span pair;

	do
		if (!span_next(rest, '&', &pair))
			return false;
	while (pair.len == 0);
	*ret_value = pair;
	ret_name->data = pair.data;
	ret_name->len = span_find(pair, '=');
	*ret_value = span_from(pair, ret_name->len + 1);
	return true;
}

bool
url_name_is(struct span encoded, struct span known)
{
	while (encoded.len > 0 && known.len > 0) {
		if (take_decoded(&encoded) != (unsigned char)known.data[0])
			return false;
		known = span_from(known, 1);
	}
	return encoded.len == 0 && known.len == 0;
}

static bool
has_dangerous_byte(struct span url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.data[i];

		if (c <= 0x20 || c == 0x7f || c == '\\' || c == '<' || c == '>')
			return true;
	}
	return false;
}

static bool
take_scheme(struct span *url, bool *ret_https)
{
	static const struct span schemes[] = { SPAN("http://"), SPAN("https://") };

	for (size_t i = 0; i < 2; i++) {
		struct span start = { url->data, schemes[i].len };

		if (url->len < start.len || !span_equals_ignoring_case(start, schemes[i]))
			continue;
		*url = span_from(*url, start.len);
		*ret_https = i == 1;
		return true;
	}
	return false;
}

static bool
is_authority_end(char c)
{
	return c == '/' || c == '?' || c == '#';
}

static struct span
take_authority(struct span *rest)
{
	struct span authority = *rest;

	for (authority.len = 0; authority.len < rest->len; authority.len++)
		if (is_authority_end(authority.data[authority.len]))
			break;
	*rest = span_from(*rest, authority.len);
	return authority;
}

/* The text in brackets is an IPv6 address (RFC 3986 3.2.2). */
static bool
is_ipv6_literal(struct span host)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[16];

	if (host.len < 2 || host.len - 2 >= sizeof(text) || host.data[host.len - 1] != ']')
		return false;
	memcpy(text, host.data + 1, host.len - 2);
	text[host.len - 2] = '\0';
	return strlen(text) == host.len - 2 && inet_pton(AF_INET6, text, address) == 1;
}

/* What ends in a number is an IPv4 address to browsers, whatever its form (WHATWG URL 3.5). */
static bool
ends_in_number(struct span host)
{
	struct span label = host;

	while (span_find(label, '.') < label.len)
		label = span_from(label, span_find(label, '.') + 1);
	if (label.len > 1 && label.data[0] == '0' && text_lower(label.data[1]) == 'x')
		return true;
	for (size_t i = 0; i < label.len; i++)
		if (!text_is_digit(label.data[i]))
			return false;
	return true;
}

static bool
is_ipv4_literal(struct span host)
{
	char text[INET_ADDRSTRLEN];
	unsigned char address[4];

	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET, text, address) == 1;
}

/* A name or IPv4 address that every reader takes for the same. */
static bool
is_plain_host(struct span host)
{
	return text_is_host_name(host) && (!ends_in_number(host) || is_ipv4_literal(host));
}

static bool
take_host(struct span *authority, char ret_host[URL_HOST_SIZE])
{
	struct span host = *authority;
	bool bracket = host.len > 0 && host.data[0] == '[';

	host.len = bracket ? span_find(host, ']') + 1 : span_find(host, ':');
	if (host.len > authority->len)
		return false;
	if (bracket ? !is_ipv6_literal(host) : !is_plain_host(host))
		return false;
	for (size_t i = 0; i < host.len; i++)
		ret_host[i] = text_lower(host.data[i]);
	ret_host[host.len] = '\0';
	*authority = span_from(*authority, host.len);
	return true;
}

static bool
take_port(struct span authority, bool https, unsigned short *ret_port)
{
	unsigned long port = https ? 443 : 80;

	if (authority.len > 0 &&
	    (authority.data[0] != ':' || !text_to_number(span_from(authority, 1), 65535, &port) ||
		port == 0))
		return false;
	*ret_port = (unsigned short)port;
	return true;
}

enum url_fault
url_parse(struct span url, struct url_origin *ret_origin, struct span *ret_rest)
{
	struct url_origin origin = { 0 };
	struct span authority;

	if (has_dangerous_byte(url))
		return URL_BYTES;
	if (!take_scheme(&url, &origin.https))
		return URL_SCHEME;
	authority = take_authority(&url);
	if (span_find(authority, '@') < authority.len)
		return URL_USERINFO;
	if (!take_host(&authority, origin.host))
		return URL_HOST;
	if (!take_port(authority, origin.https, &origin.port))
		return URL_PORT;
	if (!origin.https && !url_is_loopback(&origin))
		return URL_INSECURE;
	*ret_origin = origin;
	*ret_rest = url;
	return URL_GOOD;
}

enum url_fault
url_parse_origin(struct span url, struct url_origin *ret_origin)
{
	struct url_origin origin;
	struct span rest;
	enum url_fault fault = url_parse(url, &origin, &rest);

	if (fault != URL_GOOD)
		return fault;
	if (rest.len > 0)
		return URL_PATH;
	*ret_origin = origin;
	return URL_GOOD;
}

const char *
url_fault_text(enum url_fault fault)
{
	static const char *const texts[] = {
		[URL_GOOD] = "is good",
		[URL_BYTES] = "has a control byte, a space, a backslash, < or > in it",
		[URL_SCHEME] = "does not start with https://",
		[URL_USERINFO] = "has a user name in it",
		[URL_HOST] = "has no valid ASCII host",
		[URL_PORT] = "has a port that is not 1 to 65535",
		[URL_INSECURE] = "uses http for another host than localhost",
		[URL_PATH] = "has more than scheme, host and port",
	};

	return texts[fault];
}

bool
url_same_origin(const struct url_origin *a, const struct url_origin *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

bool
url_is_loopback(const struct url_origin *origin)
{
	return strcmp(origin->host, "localhost") == 0 || strcmp(origin->host, "127.0.0.1") == 0 ||
	       strcmp(origin->host, "[::1]") == 0;
}
