/*
 * Which URLs are good, stated a second time, and that an accepted one means the origin we say.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/url.h"
#include "fuzz.h"

struct parts {
	char *scheme, *host, *port; /* on the heap; host and scheme lower case, port may be NULL */
	const char *rest;
};

static char *
lower_copy(const char *from, size_t len)
{
	char *copy = fuzz_copy((struct span){ from, len });

	for (size_t i = 0; i < len; i++)
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] | 0x20);
	return copy;
}

/* The last colon that no bracket follows. */
static const char *
find_port(const char *authority, size_t len)
{
	for (const char *at = authority + len; at > authority && at[-1] != ']'; at--)
		if (at[-1] == ':')
			return at;
	return NULL;
}

/* Cut a URL of no dangerous byte as RFC 3986 appendix B does. */
static bool
cut(const char *url, struct parts *p)
{
	const char *colon = strstr(url, "://"), *authority, *port;
	size_t len;

	if (colon == NULL)
		return false;
	authority = colon + 3;
	len = strcspn(authority, "/?#");
	port = find_port(authority, len);
	p->scheme = lower_copy(url, (size_t)(colon - url));
	p->host = lower_copy(authority, port != NULL ? (size_t)(port - authority) - 1 : len);
	p->port = port != NULL ? lower_copy(port, (size_t)(authority + len - port)) : NULL;
	p->rest = authority + len;
	return true;
}

static bool
is_host_name(const char *host)
{
	size_t label = 0, len = strlen(host);

	for (size_t i = 0; i < len; i++) {
		bool is_end = host[i + 1] == '.' || host[i + 1] == '\0';

		label = host[i] == '.' ? 0 : label + 1;
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", host[i]) == NULL)
			return false;
		if (label > 63 || (host[i] == '.' && is_end) || (i == 0 && host[i] == '.'))
			return false;
		if (host[i] == '-' && (label == 1 || is_end))
			return false;
	}
	return len > 0 && len <= 253;
}

static bool
is_ipv6(const char *host)
{
	unsigned char address[16];
	char text[64];

	return sscanf(host, "[%45[0-9a-f:.]", text) == 1 && strlen(host) == strlen(text) + 2 &&
	       host[strlen(host) - 1] == ']' && inet_pton(AF_INET6, text, address) == 1;
}

static bool
is_quad(const char *host)
{
	unsigned n[4];
	char again[32] = "";

	if (sscanf(host, "%3u.%3u.%3u.%3u", &n[0], &n[1], &n[2], &n[3]) == 4)
		snprintf(again, sizeof(again), "%u.%u.%u.%u", n[0], n[1], n[2], n[3]);
	return strcmp(host, again) == 0 && n[0] < 256 && n[1] < 256 && n[2] < 256 && n[3] < 256;
}

/* What browsers read as an IPv4 address: the last label is a number, decimal or hexadecimal. */
static bool
is_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot != NULL ? dot + 1 : host;

	return strncmp(label, "0x", 2) == 0 || label[strspn(label, "0123456789")] == '\0';
}

static bool
is_host(const char *host)
{
	if (host[0] == '[')
		return is_ipv6(host);
	return is_host_name(host) && (!is_number(host) || is_quad(host));
}

/* 1 to 65535 in digits, or the scheme's own; 0 where it is neither. */
static unsigned long
port_of(const struct parts *p)
{
	unsigned long port;

	if (p->port == NULL)
		return strcmp(p->scheme, "https") == 0 ? 443 : 80;
	if (p->port[0] == '\0' || p->port[strspn(p->port, "0123456789")] != '\0')
		return 0;
	port = strtoul(p->port, NULL, 10);
	return port <= 65535 ? port : 0;
}

static bool
is_good(const struct parts *p)
{
	bool https = strcmp(p->scheme, "https") == 0;
	bool here = strcmp(p->host, "localhost") == 0 || strcmp(p->host, "127.0.0.1") == 0 ||
		    strcmp(p->host, "[::1]") == 0;

	if (!https && (strcmp(p->scheme, "http") != 0 || !here))
		return false;
	return is_host(p->host) && port_of(p) > 0;
}

static bool
has_dangerous_byte(struct span url)
{
	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.data[i] <= ' ' || strchr("\x7f\\<>", url.data[i]) != NULL)
			return true;
	return false;
}

/* The origin, written out in full, with the rest after it, is the same URL. */
static void
check_written_out(const struct url_origin *origin, struct span rest)
{
	struct buf url = fuzz_buf(URL_HOST_SIZE + 32 + rest.len);
	struct url_origin seen;

	buf_printf(
	    &url, "%s://%s:%u", origin->https ? "https" : "http", origin->host, origin->port);
	buf_put(&url, rest);
	HOLDS(buf_ok(&url));
	HOLDS(url_parse(buf_span(&url), URL_ANY, &seen) == NULL);
	HOLDS(url_matches(origin, &seen, 1));
	free(url.data);
}

static void
check_parts(const struct parts *p, const char *fault, const char *as_origin,
    const struct url_origin *origin)
{
	HOLDS((fault == NULL) == is_good(p));
	if (fault != NULL)
		return;
	HOLDS(strcmp(p->scheme, origin->https ? "https" : "http") == 0);
	HOLDS(strcmp(p->host, origin->host) == 0);
	HOLDS(port_of(p) == origin->port);
	HOLDS((as_origin == NULL) == (*p->rest == '\0'));
	check_written_out(origin, span_of(p->rest));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size };
	struct url_origin origin, ignored;
	const char *fault = url_parse(input, URL_ANY, &origin);
	const char *as_origin = url_parse(input, URL_ORIGIN, &ignored);
	struct parts p = { 0 };
	char *url = fuzz_copy(input);

	HOLDS(as_origin == fault ||
	      (fault == NULL && as_origin != NULL &&
		  strcmp(as_origin, "has more than a scheme, a host and a port") == 0));
	if (has_dangerous_byte(input))
		HOLDS(fault != NULL && strncmp(fault, "contains a control byte", 23) == 0);
	else if (cut(url, &p))
		check_parts(&p, fault, as_origin, &origin);
	else
		HOLDS(fault != NULL);
	free(p.scheme);
	free(p.host);
	free(p.port);
	free(url);
	return 0;
}
