#include "http/http.h"

/* PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt); RFC 9113 3.4. */
#define PROXY_V1     "PROXY "
#define PROXY_V2     "\r\n\r\n\0\r\nQUIT\n"
#define HTTP2        "PRI * HTTP/2"
#define TLS_HELLO    '\x16' /* RFC 8446 5.1: the record type; version and length follow */
#define TLS_1_2_TEXT "\x03\x03"

static bool
starts_with(struct span bytes, const char *start, size_t len)
{
	return bytes.len >= len && memcmp(bytes.data, start, len) == 0;
}

const char *
protocol_hint(struct span first, bool is_tls)
{
	bool is_hello = first.len > 2 && first.data[0] == TLS_HELLO && first.data[1] == 3;

	if (starts_with(first, PROXY_V1, strlen(PROXY_V1)) ||
	    starts_with(first, PROXY_V2, sizeof(PROXY_V2) - 1))
		return "A client sent the PROXY protocol, which is not supported: turn it off in the "
		       "proxy (send-proxy, proxy_protocol), and let it send X-Forwarded-For";
	if (!is_tls && starts_with(first, HTTP2, strlen(HTTP2)))
		return "A client sent HTTP/2 without TLS: let the proxy speak HTTP/1.1 to this server";
	if (!is_tls && is_hello)
		return "A client sent TLS to a plain HTTP port: let it use http, or set "
		       "tls.certificate and tls.private_key";
	/* The version that a hello names is the client's highest, or that of TLS 1.2. */
	if (is_tls && is_hello && first.len >= 11 && memcmp(first.data + 9, TLS_1_2_TEXT, 2) < 0)
		return "A client supports TLS 1.1 at most: it must support TLS 1.2";
	if (is_tls && first.len > 0 && first.data[0] >= 'A' && first.data[0] <= 'Z')
		return "A client sent plain HTTP to a TLS port: let the proxy or the health check "
		       "use https";
	return NULL;
}
