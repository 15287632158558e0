#include "base/url.h"

#include "base/address.h"

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

bool
url_decode_form(struct buf *out, struct span encoded)
{
	while (encoded.len > 0) {
		int c = take_decoded(&encoded);

		if (c < 0)
			return false;
		buf_putc(out, (char)c);
	}
	return true;
}

bool
url_next_pair(struct span *rest, struct span *ret_name, struct span *ret_value)
{
	struct span pair = SPAN("");
	size_t equals;

	while (pair.len == 0)
		if (!span_next(rest, '&', &pair))
			return false;
	equals = span_find(pair, '=');
	*ret_name = (struct span){ pair.data, equals };
	*ret_value = span_from(pair, equals + 1);
	return true;
}

bool
url_name_is(struct span encoded, const char *known)
{
	for (; encoded.len > 0 && *known != '\0'; known++)
		if (take_decoded(&encoded) != (unsigned char)*known)
			return false;
	return encoded.len == 0 && *known == '\0';
}

static bool
is_dangerous(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '\\' || c == '<' || c == '>';
}

static struct span
take_authority(struct span *rest)
{
	static const char ends[] = { '/', '?', '#' };
	struct span authority = { rest->data, 0 };

	while (authority.len < rest->len &&
	       memchr(ends, rest->data[authority.len], sizeof(ends)) == NULL)
		authority.len++;
	*rest = span_from(*rest, authority.len);
	return authority;
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

/* A name or an address that every reader takes for the same; IPv6 in brackets. */
static bool
is_plain_host(struct span host)
{
	struct address address;

	if (host.len > 0 && host.data[0] == '[')
		return span_find(host, ':') < host.len && address_parse(host, &address);
	return text_is_host_name(host) && (!ends_in_number(host) || address_parse(host, &address));
}

/* `*.`, and then a name with a dot: a star alone above one label would match whole countries. */
static bool
is_host_pattern(struct span host)
{
	struct span domain = span_from(host, 2);

	return span_starts_ignoring_case(host, "*.") && host.len < URL_HOST_SIZE &&
	       text_is_domain(domain) && !ends_in_number(domain);
}

static bool
take_host(struct span *authority, bool is_pattern, char ret_host[URL_HOST_SIZE])
{
	struct span host = *authority;
	bool bracket = host.len > 0 && host.data[0] == '[';

	host.len = bracket ? span_find(host, ']') + 1 : span_find(host, ':');
	if (host.len > authority->len)
		return false;
	if (!(is_pattern && is_host_pattern(host)) && !is_plain_host(host))
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

const char *
url_parse(struct span url, enum url_form form, struct url_origin *ret_origin)
{
	bool is_pattern = form == URL_PATTERN;
	struct url_origin origin = { 0 };
	struct span authority;

	if (span_any(url, is_dangerous))
		return "contains a control byte, a space, a backslash, < or >";
	origin.https = span_starts_ignoring_case(url, "https://");
	if (!origin.https && !span_starts_ignoring_case(url, "http://"))
		return "does not start with https://";
	url = span_from(url, strlen("http://") + origin.https);
	authority = take_authority(&url);
	if (span_find(authority, '@') < authority.len)
		return "contains a user name";
	if (!take_host(&authority, is_pattern, origin.host))
		return is_pattern && span_find(authority, '*') < authority.len
			   ? "has a * that does not stand for the first label of a domain"
			   : "has no valid ASCII host";
	if (!take_port(authority, origin.https, &origin.port))
		return "has a port that is not 1 to 65535";
	if (!origin.https && strcmp(origin.host, "localhost") != 0 &&
	    strcmp(origin.host, "127.0.0.1") != 0 && strcmp(origin.host, "[::1]") != 0)
		return "uses http for a host other than localhost";
	if (form != URL_ANY && url.len > 0)
		return "has more than a scheme, a host and a port";
	*ret_origin = origin;
	return NULL;
}

bool
url_matches(const struct url_origin *origin, const struct url_origin *patterns, size_t n_patterns)
{
	for (size_t i = 0; i < n_patterns; i++) {
		const struct url_origin *pattern = &patterns[i];
		bool is_star = pattern->host[0] == '*';
		const char *host = origin->host + (is_star ? strcspn(origin->host, ".") : 0);

		if (strcmp(host, pattern->host + is_star) == 0 && origin->https == pattern->https &&
		    origin->port == pattern->port)
			return true;
	}
	return false;
}
