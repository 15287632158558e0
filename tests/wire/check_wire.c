/*
 * HTTP/1.1 as the wire has it: what is read, what is refused, and what never passes as a second
 * request. Each row is sent over a plain connection, over TLS, and byte by byte.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support.h"
#include "wire/wire.h"

#define HOST     "Host: h\r\n"
#define GET      "GET /readyz HTTP/1.1\r\n" HOST
#define POST     "POST /connect HTTP/1.1\r\n" HOST "Content-Type: application/x-www-form-urlencoded\r\n"
#define CALLBACK "/api/ms_oauth_callback"
#define TOKEN    "recall_calendar_auth_token=t" /* 28 bytes */
#define CHUNKS   "1c\r\n" TOKEN "\r\n0\r\n\r\n"

/* What must not be answered after a request that closes: its answer would repeat the mark. */
#define MARK     "smuggled"
#define SMUGGLED "GET " CALLBACK "?" MARK " HTTP/1.1\r\n" HOST "\r\n"

enum end {
	KEEPS,    /* the connection goes on with the next request */
	CLOSES,   /* after the answer, or without one */
	SMUGGLES, /* closes, and SMUGGLED after it is not answered */
};

enum { NOTHING = -1 };

struct probe {
	const char *name;
	struct span bytes;
	int status;         /* 0: closed without a byte */
	const char *reason; /* in the problem document; NULL: the library's own answer, or none */
	enum end end;
	/* libmicrohttpd 1.x: 0: as above, but a refusal may be the library's own; NOTHING: closed.
	 */
	int status_1;
	bool doubled; /* known defect of 0.9.75: the header block comes twice */
};

/* clang-format off */
static const struct probe probes[] = {
	/* --- the target --- */
	{ "empty query", SPAN("GET " CALLBACK "? HTTP/1.1\r\n" HOST "\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "odd query", SPAN("GET " CALLBACK "?a&&b==&b=??&%00%2f%2F+%zz HTTP/1.1\r\n" HOST "\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "0x80 and 0xff in query", SPAN("GET " CALLBACK "?a=\x80\xff HTTP/1.1\r\n" HOST "\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "0x80 in path", SPAN("GET /readyz\x80 HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "%00 in path", SPAN("GET /readyz%00 HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "encoded path", SPAN("GET /%72eadyz HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "quotes and braces", SPAN("GET " CALLBACK "?{}|^\\`\"<>' HTTP/1.1\r\n" HOST "\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "# in target", SPAN("GET " CALLBACK "?a#b HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "# in path", SPAN("GET /readyz#a HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "0x01 in target", SPAN("GET " CALLBACK "?a\x01 HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "0x1f in target", SPAN("GET " CALLBACK "?a\x1f HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "0x7f in target", SPAN("GET " CALLBACK "?a\x7f HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "0x01 in path", SPAN("GET /readyz\x01 HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "tab in target", SPAN("GET " CALLBACK "?a\tb HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "VT in target", SPAN("GET " CALLBACK "?a\vb HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, NOTHING, 0 },
	{ "FF in target", SPAN("GET " CALLBACK "?a\fb HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, NOTHING, 0 },
	{ "bare CR in target", SPAN("GET " CALLBACK "?a\rb HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "NUL in target", SPAN("GET " CALLBACK "?a\0b HTTP/1.1\r\n" HOST "\r\n"), 400, "head_malformed", SMUGGLES, NOTHING, 0 },
	{ "NUL in path", SPAN("GET /readyz\0b HTTP/1.1\r\n" HOST "\r\n"), 400, "head_malformed", SMUGGLES, NOTHING, 0 },
	{ "space in query", SPAN("GET " CALLBACK "?a b HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "space in path", SPAN("GET /ready yz HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "two spaces before target", SPAN("GET  /readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "two spaces before version", SPAN("GET /readyz  HTTP/1.1\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "no target", SPAN("GET  HTTP/1.1\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "relative target", SPAN("GET readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "other scheme", SPAN("GET ftp://h/readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "query only", SPAN("GET ?a HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "two slashes", SPAN("GET //readyz HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "absolute-form", SPAN("GET http://h/readyz HTTP/1.1\r\n" HOST "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "absolute-form https", SPAN("GET HTTPS://h:443/readyz?a HTTP/1.1\r\n" HOST "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "absolute-form, other path", SPAN("GET http://h/nothing HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "absolute-form, no path", SPAN("GET http://h HTTP/1.1\r\n" HOST "\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "OPTIONS *", SPAN("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed", KEEPS, 0, 0 },
	{ "GET *", SPAN("GET * HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },
	{ "CONNECT", SPAN("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed", KEEPS, 0, 0 },
	{ "GET of an authority", SPAN("GET h:443 HTTP/1.1\r\n" HOST "\r\n"), 400, "target_malformed", SMUGGLES, 0, 0 },

	/* --- the request line --- */
	{ "space after version", SPAN("GET /readyz HTTP/1.1 \r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "tabs as separators", SPAN("GET\t/readyz\tHTTP/1.1\r\n" HOST "\r\n"), 0, NULL, SMUGGLES, 0, 0 },
	{ "binary junk", SPAN("\x80\x81\xfe\xff\x01\x02\r\n\r\n"), 0, NULL, SMUGGLES, 0, 0 },
	{ "TLS hello", SPAN("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n"), 0, NULL, SMUGGLES, 0, 0 },
	{ "leading space", SPAN(" GET /readyz HTTP/1.1\r\n" HOST "\r\n"), 0, NULL, SMUGGLES, 0, 0 },
	{ "leading tab", SPAN("\tGET /readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "method_malformed", SMUGGLES, 0, 0 },
	{ "leading CRLF", SPAN("\r\n" GET "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "three leading CRLF", SPAN("\r\n\r\n\r\n" GET "\r\n"), 200, NULL, KEEPS, NOTHING, 0 },
	/* Known defect of 0.9.75. */
	{ "leading NUL line", SPAN("\0junk\r\n" GET "\r\n"), 200, NULL, KEEPS, NOTHING, 0 },
	{ "bare LF", SPAN("GET /readyz HTTP/1.1\n" "Host: h\n\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "bare LF after one header", SPAN(GET "A: b\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "HTTP/0.9", SPAN("GET /readyz\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/0.9 with headers", SPAN("GET /readyz\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/1.10", SPAN("GET /readyz HTTP/1.10\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "http/1.1", SPAN("GET /readyz http/1.1\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/1.", SPAN("GET /readyz HTTP/1.\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/1.2", SPAN("GET /readyz HTTP/1.2\r\n" HOST "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "HTTP/1.9", SPAN("GET /readyz HTTP/1.9\r\n" HOST "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "HTTP/1.2 without Host", SPAN("GET /readyz HTTP/1.2\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "HTTP/0.8", SPAN("GET /readyz HTTP/0.8\r\n" HOST "\r\n"), 505, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/2.0", SPAN("GET /readyz HTTP/2.0\r\n" HOST "\r\n"), 505, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/3.1", SPAN("GET /readyz HTTP/3.1\r\n" HOST "\r\n"), 505, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/2 preface", SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, NULL, SMUGGLES, 0, 0 },
	{ "unknown method", SPAN("FOO /readyz HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed", KEEPS, 0, 0 },
	{ "lower-case method", SPAN("get /readyz HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed", KEEPS, 0, 0 },
	{ "TRACE", SPAN("TRACE /readyz HTTP/1.1\r\n" HOST "\r\n"), 405, "method_not_allowed", KEEPS, 0, 0 },
	{ "@ in method", SPAN("B@D /readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "method_malformed", SMUGGLES, 0, 0 },
	{ "parenthesis in method", SPAN("G(T /readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "method_malformed", SMUGGLES, 0, 0 },
	{ "0x80 in method", SPAN("G\x80T /readyz HTTP/1.1\r\n" HOST "\r\n"), 400, "method_malformed", SMUGGLES, 0, 0 },
	{ "HEAD", SPAN("HEAD /nothing HTTP/1.1\r\n" HOST "\r\n"), 404, NULL, KEEPS, 0, 0 },

	/* --- header fields --- */
	{ "folded header", SPAN(GET "A: b\r\n c\r\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "folded with tab", SPAN(GET "A: b\r\n\tc\r\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "folded into Content-Length", SPAN(POST "Content: 28\r\n -Length\r\n" "\r\n" TOKEN), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "folded Content-Length", SPAN(POST "Content-Length:\r\n 28\r\n" "\r\n" TOKEN), 400, NULL, SMUGGLES, 0, 0 },
	{ "folded Transfer-Encoding", SPAN(POST "Transfer-Encoding:\r\n chunked\r\n" "\r\n" CHUNKS), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "first header folded", SPAN("GET /readyz HTTP/1.1\r\n X: y\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "space before colon", SPAN(GET "A : b\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "tab before colon", SPAN(GET "A\t: b\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "Content-Length with space before colon", SPAN(POST "Content-Length : 28\r\n" "\r\n" TOKEN), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "Transfer-Encoding with space before colon", SPAN(POST "Transfer-Encoding : chunked\r\n" "\r\n" CHUNKS), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "parenthesis in name", SPAN(GET "A(b): c\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "space in name", SPAN(GET "A b: c\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "0x80 in name", SPAN(GET "A\x80: c\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "0x80 in value", SPAN(GET "A: \x80\xff\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "no colon", SPAN(GET "Abc\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "no colon on the first line", SPAN("GET /readyz HTTP/1.1\r\nAbc\r\n" HOST "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "empty name", SPAN(GET ": v\r\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "NUL-led header line", SPAN(GET "\0X: y\r\n" "A: b\r\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "NUL in header name", SPAN(GET "A\0b: c\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "NUL in header value", SPAN(GET "A: b\0c\r\n" "\r\n"), 400, "head_malformed", SMUGGLES, 0, 0 },
	{ "0x01 in value", SPAN(GET "A: b\x01\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "0x7f in value", SPAN(GET "A: \x7f\r\n" "\r\n"), 400, "header_malformed", SMUGGLES, 0, 0 },
	{ "CR in value", SPAN(GET "A: b\rc\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "tab in value", SPAN(GET "A: b\tc\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "blanks around a value", SPAN(GET "A: \t b \t\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty value", SPAN(GET "A:\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },

	/* --- Host --- */
	{ "no Host", SPAN("GET /readyz HTTP/1.1\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "Host twice", SPAN(GET HOST "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "other Host twice", SPAN(GET "hOST: i\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "slash in Host", SPAN("GET /readyz HTTP/1.1\r\nHost: a/b\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "@ in Host", SPAN("GET /readyz HTTP/1.1\r\nHost: a@b\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "space in Host", SPAN("GET /readyz HTTP/1.1\r\nHost: a b\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "0x80 in Host", SPAN("GET /readyz HTTP/1.1\r\nHost: a\x80\r\n" "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "empty Host", SPAN("GET /readyz HTTP/1.1\r\nHost:\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "Host with port", SPAN("GET /readyz HTTP/1.1\r\nHost: [::1]:8080 \r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },

	/* --- Content-Length --- */
	{ "length abc", SPAN(POST "Content-Length: abc\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length +5", SPAN(POST "Content-Length: +5\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length -5", SPAN(POST "Content-Length: -5\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length 0x5", SPAN(POST "Content-Length: 0x5\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length empty", SPAN(POST "Content-Length:\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length list of equals", SPAN(POST "Content-Length: 28, 28\r\n" "\r\n" TOKEN), 400, NULL, SMUGGLES, 0, true },
	{ "length list", SPAN(POST "Content-Length: 28,5\r\n" "\r\n" TOKEN), 400, NULL, SMUGGLES, 0, true },
	{ "length 5 5", SPAN(POST "Content-Length: 5 5\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length abc on GET", SPAN(GET "Content-Length: abc\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, true },
	{ "length over 2^64", SPAN(POST "Content-Length: 99999999999999999999999\r\n" "\r\n"), 413, NULL, SMUGGLES, 0, true },
	{ "length 2^64", SPAN(POST "Content-Length: 18446744073709551616\r\n" "\r\n"), 413, NULL, SMUGGLES, 0, true },
	{ "length 2^64-1", SPAN(POST "Content-Length: 18446744073709551615\r\n" "\r\n"), 413, "body_too_large", SMUGGLES, 0, 0 },
	{ "length 2^63", SPAN(POST "Content-Length: 9223372036854775808\r\n" "\r\n"), 413, "body_too_large", SMUGGLES, 0, 0 },
	{ "length 16385", SPAN(POST "Content-Length: 16385\r\n" "\r\n"), 413, "body_too_large", SMUGGLES, 0, 0 },
	{ "length twice, equal", SPAN(POST "Content-Length: 28\r\nContent-Length: 28\r\n" "\r\n" TOKEN), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "length twice, different", SPAN(POST "Content-Length: 28\r\nContent-Length: 5\r\n" "\r\n" TOKEN), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "length twice, zero first", SPAN(POST "Content-Length: 0\r\nContent-Length: 77\r\n" "\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "length twice on GET", SPAN(GET "Content-Length: 0\r\nContent-Length: 77\r\n" "\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "length 0 on GET", SPAN(GET "Content-Length: 0\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "length 000 on GET", SPAN(GET "Content-Length: 000\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "length 77 on GET", SPAN(GET "Content-Length: 77\r\n" "\r\n"), 413, "body_not_allowed", SMUGGLES, 0, 0 },
	{ "length 77 on HEAD", SPAN("HEAD /readyz HTTP/1.1\r\n" HOST "Content-Length: 77\r\n" "\r\n"), 413, NULL, SMUGGLES, 0, 0 },
	{ "body for PUT", SPAN("PUT /readyz HTTP/1.1\r\n" HOST "Content-Length: 5\r\n" "\r\nabcde"), 405, "method_not_allowed", SMUGGLES, 0, 0 },
	{ "good form", SPAN(POST "Content-Length: 28\r\n" "\r\n" TOKEN), 303, NULL, CLOSES, 0, 0 },
	{ "good form, leading zeros", SPAN(POST "Content-Length: 0028\r\n" "\r\n" TOKEN), 303, NULL, CLOSES, 0, 0 },
	/* Known defect of 0.9.75: blanks after the number are legal. */
	{ "blank after length", SPAN(POST "Content-Length: 28 \r\n" "\r\n" TOKEN), 400, NULL, SMUGGLES, 303, true },

	/* --- Transfer-Encoding --- */
	{ "chunked form", SPAN(POST "Transfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 303, NULL, CLOSES, 0, 0 },
	{ "Chunked form", SPAN(POST "transfer-encoding: Chunked\r\n" "\r\n" CHUNKS), 303, NULL, CLOSES, 0, 0 },
	{ "chunk extension", SPAN(POST "Transfer-Encoding: chunked\r\n" "\r\n" "1c;a=b\r\n" TOKEN "\r\n0\r\n\r\n"), 303, NULL, CLOSES, 400, 0 },
	{ "coding and length", SPAN(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" "\r\n" "0\r\n\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "length and coding", SPAN(POST "Content-Length: 39\r\nTransfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "coding and length on GET", SPAN(GET "Content-Length: 77\r\nTransfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "coding and length 0", SPAN(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "unknown coding", SPAN(POST "Transfer-Encoding: xchunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "identity", SPAN(POST "Transfer-Encoding: identity\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "chunked, gzip", SPAN(POST "Transfer-Encoding: chunked, gzip\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "gzip, chunked", SPAN(POST "Transfer-Encoding: gzip, chunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "empty coding", SPAN(POST "Transfer-Encoding:\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "quoted coding", SPAN(POST "Transfer-Encoding: \"chunked\"\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "coding twice", SPAN(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "coding twice, second identity", SPAN(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "coding on 1.0", SPAN("POST /connect HTTP/1.0\r\n" HOST "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "empty chunked on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked on HEAD", SPAN("HEAD /readyz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked for the callback", SPAN("GET " CALLBACK "?a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "empty chunked for a start", SPAN("GET /connect?recall_calendar_auth_token=a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 302, NULL, KEEPS, 0, 0 },
	{ "empty chunked for a wrong path", SPAN("GET /nothing HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 404, "not_found", KEEPS, 0, 0 },
	{ "empty chunked, zeros", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0000\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked, trailer", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\nA: b\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked, trailer of framing", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\nContent-Length: 50\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked, Expect", SPAN(GET "Expect: 200-ok\r\nTransfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "empty chunked, a request as trailer", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\nGET /x HTTP/1.1\r\n\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "one byte, chunked on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "1\r\na\r\n0\r\n\r\n"), 413, "body_not_allowed", SMUGGLES, 0, 0 },
	{ "one NUL, chunked on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "1\r\n\0\r\n0\r\n\r\n"), 413, "body_not_allowed", SMUGGLES, 0, 0 },
	{ "chunked form on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 413, "body_not_allowed", SMUGGLES, 0, 0 },
	{ "chunked for the callback", SPAN("GET " CALLBACK "?a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" CHUNKS), 413, "body_not_allowed", SMUGGLES, 0, 0 },
	{ "no chunk on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "broken chunk on GET", SPAN(GET "Transfer-Encoding: chunked\r\n" "\r\n" "0x0\r\n\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "unknown coding on GET", SPAN(GET "Transfer-Encoding: x\r\n" "\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "unknown coding on PUT", SPAN("PUT /readyz HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\n" "\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "chunked on PUT", SPAN("PUT /readyz HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" "\r\n" "0\r\n\r\n"), 405, "method_not_allowed", SMUGGLES, 0, 0 },
	{ "endless chunk", SPAN(POST "Transfer-Encoding: chunked\r\n" "\r\n" "zz\r\n"), 400, NULL, SMUGGLES, 0, 0 },
	{ "chunk of 2^64", SPAN(POST "Transfer-Encoding: chunked\r\n" "\r\n" "10000000000000000\r\n"), 413, NULL, SMUGGLES, 0, 0 },
	{ "blank after coding", SPAN(POST "Transfer-Encoding: chunked \r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 303, 0 },
	{ "tab after coding", SPAN(POST "Transfer-Encoding: chunked\t\r\n" "\r\n" CHUNKS), 400, "framing_malformed", SMUGGLES, 303, 0 },

	/* --- Expect --- */
	{ "other Expect", SPAN(GET "Expect: something\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "Expect, body too large", SPAN(POST "Expect: 100-continue\r\nContent-Length: 16385\r\n" "\r\n"), 413, "body_too_large", SMUGGLES, 0, 0 },
	{ "Expect, coding and length", SPAN(POST "Expect: 100-continue\r\nContent-Length: 28\r\nTransfer-Encoding: chunked\r\n" "\r\n"), 400, "framing_malformed", SMUGGLES, 0, 0 },
	{ "Expect, wrong method", SPAN("PUT /readyz HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 28\r\n" "\r\n"), 405, "method_not_allowed", CLOSES, 0, 0 },
	{ "Expect, wrong path", SPAN("POST /nothing HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 28\r\n" "\r\n"), 404, "not_found", CLOSES, 0, 0 },
	{ "Expect, chunked for a wrong path", SPAN("POST /nothing HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" "\r\n"), 404, "not_found", CLOSES, 0, 0 },

	/* --- HTTP/1.0 and persistence --- */
	{ "HTTP/1.0", SPAN("GET /readyz HTTP/1.0\r\n" "\r\n"), 200, NULL, SMUGGLES, 0, 0 },
	{ "HTTP/1.0 keep-alive", SPAN("GET /readyz HTTP/1.0\r\nConnection: keep-alive\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "HTTP/1.0, Host twice", SPAN("GET /readyz HTTP/1.0\r\nConnection: keep-alive\r\n" HOST HOST "\r\n"), 400, "host_malformed", SMUGGLES, 0, 0 },
	{ "Connection: close", SPAN(GET "Connection: close\r\n" "\r\n"), 200, NULL, SMUGGLES, 0, 0 },
	{ "Connection: keep-alive", SPAN(GET "Connection: keep-alive\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
	{ "Upgrade", SPAN(GET "Connection: upgrade\r\nUpgrade: h2c\r\n" "\r\n"), 200, NULL, KEEPS, 0, 0 },
};
/* clang-format on */

static struct wire_server server;
static struct wire_pair pair;
static struct wire_answer answer;
static char raw[WIRE_ANSWER_SIZE];
static bool is_library_1, is_library_1_0_2;
static bool sends_single_bytes;

#define USUAL                                                                                      \
	"--listen.port=0", "--listen.address=127.0.0.1", "--admin.port=0",                         \
	    "--public_url=https://oauth.example.com",                                              \
	    "--microsoft.client_id=11111111-2222-3333-4444-555555555555"

static void
start_plain(void)
{
	static const char *const options[] = { USUAL, NULL };

	wire_start(&server, options);
	is_library_1 = wire_has_library(&server, "1.0");
	is_library_1_0_2 = wire_has_library(&server, "1.0.2");
	sends_single_bytes = false;
}

static void
start_single_bytes(void)
{
	start_plain();
	sends_single_bytes = true;
}

static void
start_tls(void)
{
	char certificate[96], key[96];

	wire_make_pair(&pair, WIRE_ECDSA, "first", -60, 86400L * 90);
	snprintf(certificate, sizeof(certificate), "--tls.certificate=%s", pair.certificate);
	snprintf(key, sizeof(key), "--tls.private_key=%s", pair.key);
	wire_start(&server,
	    (const char *[]){ USUAL, "--trusted_proxies=127.0.0.1", certificate, key, NULL });
	server.tls = true;
	sends_single_bytes = false;
}

static void
stop(void)
{
	ck_assert_int_eq(wire_stop(&server), 0);
	if (server.tls)
		wire_remove_pair(&pair);
}

static void
send_all(struct wire *wire, struct span bytes)
{
	if (!sends_single_bytes) {
		wire_send(wire, bytes);
		return;
	}
	for (size_t i = 0; i < bytes.len; i++)
		wire_send(wire, (struct span){ bytes.data + i, 1 });
}

/* --- the table --- */

/* What later libraries know: other codings (RFC 9112 6.1), chunk extensions, and large numbers. */
static const struct {
	const char *name;
	int status;
	enum end end;
} later[] = {
	{ "unknown coding", 501, SMUGGLES },
	{ "identity", 501, SMUGGLES },
	{ "chunked, gzip", 501, SMUGGLES },
	{ "gzip, chunked", 501, SMUGGLES },
	{ "empty coding", 501, SMUGGLES },
	{ "quoted coding", 501, SMUGGLES },
	{ "unknown coding on GET", 501, SMUGGLES },
	{ "unknown coding on PUT", 501, SMUGGLES },
	{ "length over 2^64", 400, SMUGGLES },
	{ "length 2^64", 400, SMUGGLES },
	{ "chunk extension", 303, CLOSES },
};

static struct probe
expected(const struct probe *probe)
{
	struct probe to = *probe;

	if (!is_library_1)
		return to;
	to.doubled = false;
	if (to.status >= 400 || to.status_1 != 0)
		to.reason = NULL;
	if (to.status_1 != 0)
		to.status = to.status_1 == NOTHING ? 0 : to.status_1;
	if (probe->status_1 == NOTHING || probe->status_1 >= 400)
		to.end = SMUGGLES;
	else if (probe->status_1 != 0)
		to.end = CLOSES;
	for (size_t i = 0; is_library_1_0_2 && i < COUNT(later); i++)
		if (strcmp(later[i].name, probe->name) == 0) {
			to.status = later[i].status;
			to.end = later[i].end;
		}
	return to;
}

static bool
is_head(const struct probe *probe)
{
	return memcmp(probe->bytes.data, "HEAD ", 5) == 0;
}

static void
assert_reason(const struct probe *probe, const char *reason)
{
	char wanted[64];

	if (reason == NULL)
		return;
	snprintf(wanted, sizeof(wanted), "\"reason\":\"%s\"", reason);
	ck_assert_msg(strstr(answer.bytes, wanted) != NULL, "%s: wanted reason %s in\n%s",
	    probe->name, reason, answer.bytes);
}

/* What the server still says when the answer has been read. */
static void
assert_is_the_last(const struct probe *probe, struct wire *wire, bool doubled)
{
	bool closed = answer.closed;
	size_t len = 0;

	raw[0] = '\0';
	if (!closed)
		len = wire_drain(wire, wire_patience(), raw, sizeof(raw), &closed);
	ck_assert_msg(closed, "%s: stays open", probe->name);
	ck_assert_msg((len > 0) == doubled, "%s: is followed by\n%s", probe->name, raw);
	ck_assert_msg(strstr(raw, MARK) == NULL && strstr(answer.bytes, MARK) == NULL,
	    "%s: smuggled:\n%s%s", probe->name, answer.bytes, raw);
}

static void
assert_goes_on(const struct probe *probe, struct wire *wire)
{
	wire_send(wire, (struct span)SPAN("GET " CALLBACK "?next HTTP/1.1\r\n" HOST "\r\n"));
	wire_receive(wire, false, wire_patience(), &answer);
	ck_assert_msg(answer.status == 302 && strstr(answer.bytes, "?next\r\n") != NULL,
	    "%s: is followed by %d", probe->name, answer.status);
}

/* The rest of the first copy's body and the second copy follow a doubled header block. */
START_TEST(reads_as_specified)
{
	const struct probe *probe = &probes[_i];
	struct probe wanted = expected(probe);
	struct wire wire;

	wire_connect(&server, &wire);
	send_all(&wire, probe->bytes);
	if (wanted.end == SMUGGLES)
		send_all(&wire, (struct span)SPAN(SMUGGLED));
	wire_receive(&wire, is_head(probe), wire_patience(), &answer);
	ck_assert_msg(answer.status == wanted.status, "%s: %d, wanted %d, %s\n%s", probe->name,
	    answer.status, wanted.status, answer.closed ? "closed" : "open", answer.bytes);
	if (wanted.status == 0)
		ck_assert_uint_eq(answer.len, 0);
	assert_reason(probe, wanted.reason);
	if (wanted.end == KEEPS)
		assert_goes_on(probe, &wire);
	else
		assert_is_the_last(probe, &wire, wanted.doubled);
	wire_close(&wire);
}
END_TEST

/* An empty chunked body ends where it ends: what follows in the same segment is the next request.
 */
START_TEST(reads_on_after_an_empty_chunked_body)
{
	struct wire wire;

	wire_connect(&server, &wire);
	send_all(&wire,
	    (struct span)SPAN(GET "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET
				  "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n" SMUGGLED));
	for (int i = 0; i < 2; i++) {
		wire_receive(&wire, false, wire_patience(), &answer);
		ck_assert_int_eq(answer.status, 200);
	}
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 302);
	ck_assert_ptr_nonnull(strstr(answer.bytes, MARK));
	wire_close(&wire);
}
END_TEST

/* The mark comes back where it is asked for, so that no row misses it. */
START_TEST(smuggled_request_would_be_seen)
{
	struct wire wire;

	wire_connect(&server, &wire);
	send_all(&wire, (struct span)SPAN(GET "\r\n" SMUGGLED));
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 200);
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 302);
	ck_assert_ptr_nonnull(strstr(answer.bytes, MARK));
	wire_close(&wire);
}
END_TEST

/* --- bodies that are refused: their senders read the answer once they have sent all --- */

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define BODY "Content-Length: 65536\r\n\r\n"

static const struct {
	const char *head;
	int status;
} refused_bodies[] = {
	{ POST FORM BODY, 413 },
	{ GET BODY, 413 },
	{ "PUT /connect HTTP/1.1\r\n" HOST BODY, 413 },
	{ "POST /nowhere HTTP/1.1\r\n" HOST BODY, 413 },
	{ "POST " CALLBACK " HTTP/1.1\r\n" HOST FORM BODY, 413 },
	{ "POST " CALLBACK "#a HTTP/1.1\r\n" HOST FORM BODY, 400 },
	{ "POST /connect HTTP/1.1\r\nHost: a b\r\n" BODY, 400 },
	{ "POST /nowhere HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000\r\n", 404 },
	{ "POST " CALLBACK " HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000\r\n",
	    405 },
};

START_TEST(reads_a_refused_body_to_its_end)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	static char piece[8192];
	struct wire wire;
	double since;

	memset(piece, 'a', sizeof(piece));
	wire_connect(&server, &wire);
	wire_send(&wire, span_of(refused_bodies[_i].head));
	for (size_t sent = 0; sent < 65536; sent += sizeof(piece)) {
		nanosleep(&pause, NULL);
		ck_assert(wire_send(&wire, (struct span){ piece, sizeof(piece) }));
	}
	since = wire_now();
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, refused_bodies[_i].status);
	ck_assert(answer.closed ||
		  wire_drain(&wire, wire_patience(), raw, sizeof(raw), &answer.closed) == 0);
	ck_assert(answer.closed);
	ck_assert_double_lt(wire_now() - since, 5.0);
	wire_close(&wire);
}
END_TEST

/* --- sizes: a status, whatever overflows --- */

static const struct {
	const char *before;
	size_t filling;
	const char *after;
	int statuses[2];
	int status_1; /* with libmicrohttpd 1.x too */
} sizes[] = {
	{ "GET " CALLBACK "?", 8192, " HTTP/1.1\r\n" HOST "\r\n", { 302, 302 }, 302 },
	{ "GET " CALLBACK "?", 8193, " HTTP/1.1\r\n" HOST "\r\n", { 414, 414 }, 414 },
	{ "GET /", 12000, " HTTP/1.1\r\n" HOST "\r\n", { 414, 414 }, 414 },
	{ "GET /", 40000, " HTTP/1.1\r\n" HOST "\r\n", { 414, 414 }, 414 },
	{ "GET /", 200000, " HTTP/1.1\r\n" HOST "\r\n", { 414, 414 }, 414 },
	{ GET "A: ", 8000, "\r\n\r\n", { 200, 200 }, 200 },
	{ GET "A: ", 26000, "\r\n\r\n", { 431, 431 }, 431 },
	{ GET "A: ", 40000, "\r\n\r\n", { 431, 431 }, 431 },
	{ GET "A: ", 200000, "\r\n\r\n", { 431, 431 }, 431 },
	{ GET "A: ", 27250, "\r\n\r\n", { 431, 431 },
	    431 }, /* the pool is full, but for 200 bytes */
	{ GET "Cookie: ", 20000, "\r\n\r\n", { 200, 200 }, 431 },
	{ GET "Cookie: ", 25000, "\r\n\r\n", { 431, 431 }, 431 },
	{ GET, 40000, ": a\r\n\r\n", { 431, 431 }, 431 },
	{ "", 40000, " / HTTP/1.1\r\n" HOST "\r\n", { 414, 400 },
	    0 }, /* 1.x: no method is that long, so no HTTP */
};

START_TEST(answers_oversize_with_a_status)
{
	static char array[256 * 1024];
	struct buf b;
	struct wire wire;

	buf_init(&b, array, sizeof(array));
	buf_puts(&b, sizes[_i].before);
	for (size_t i = 0; i < sizes[_i].filling; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, sizes[_i].after);
	wire_connect(&server, &wire);
	wire_send(&wire, buf_span(&b));
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_msg(answer.status == sizes[_i].statuses[0] ||
			  answer.status == sizes[_i].statuses[1] ||
			  (is_library_1 && answer.status == sizes[_i].status_1) ||
			  (is_library_1_0_2 && answer.status == 431),
	    "%s%zu bytes: %d", sizes[_i].before, sizes[_i].filling, answer.status);
	if (answer.status >= 200 && answer.status < 400)
		assert_goes_on(&probes[0], &wire);
	wire_close(&wire);
}
END_TEST

/* --- connections --- */

enum { PIPELINED = 100, KEPT = 2000 };

static void
put_numbered(struct buf *b, int number)
{
	buf_printf(b, "GET " CALLBACK "?n=%d HTTP/1.1\r\n" HOST "\r\n", number);
}

static void
assert_numbered(struct wire *wire, int number)
{
	char wanted[32];

	wire_receive(wire, false, wire_patience(), &answer);
	snprintf(wanted, sizeof(wanted), "?n=%d\r\n", number);
	ck_assert_msg(answer.status == 302 && strstr(answer.bytes, wanted) != NULL,
	    "request %d: %d\n%s", number, answer.status, answer.bytes);
}

static void
pipeline(struct wire *wire)
{
	char array[16 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	for (int i = 0; i < PIPELINED; i++)
		put_numbered(&b, i);
	ck_assert(buf_ok(&b));
	wire_connect(&server, wire);
	send_all(wire, buf_span(&b));
}

START_TEST(answers_a_hundred_pipelined)
{
	struct wire wire;

	pipeline(&wire);
	for (int i = 0; i < PIPELINED; i++)
		assert_numbered(&wire, i);
	wire_close(&wire);
}
END_TEST

START_TEST(answers_all_after_half_close)
{
	struct wire wire;
	bool closed;

	pipeline(&wire);
	wire_half_close(&wire);
	for (int i = 0; i < PIPELINED; i++)
		assert_numbered(&wire, i);
	/* After single bytes the library may miss the end; the connection goes when it is idle. */
	if (!sends_single_bytes) {
		ck_assert_uint_eq(wire_drain(&wire, wire_patience(), raw, sizeof(raw), &closed), 0);
		ck_assert(closed);
	}
	wire_close(&wire);
}
END_TEST

START_TEST(half_closed_head_gets_no_answer)
{
	struct wire wire;
	bool closed;

	wire_connect(&server, &wire);
	send_all(&wire, (struct span)SPAN("GET /readyz HTTP/1.1\r\nHo"));
	wire_half_close(&wire);
	ck_assert_uint_eq(wire_drain(&wire, wire_patience(), raw, sizeof(raw), &closed), 0);
	ck_assert(closed || sends_single_bytes);
	wire_close(&wire);
}
END_TEST

START_TEST(keeps_a_connection_for_two_thousand)
{
	char array[256];
	struct wire wire;
	struct buf b;

	wire_connect(&server, &wire);
	for (int i = 0; i < KEPT; i++) {
		buf_init(&b, array, sizeof(array));
		put_numbered(&b, i);
		wire_send(&wire, buf_span(&b));
		assert_numbered(&wire, i);
	}
	wire_close(&wire);
}
END_TEST

START_TEST(head_is_get_without_a_body)
{
	static const char *const paths[] = { "/readyz", "/nothing", CALLBACK "?a" };
	struct wire_answer *get = malloc(sizeof(*get));
	char request[128];
	struct wire wire;

	wire_connect(&server, &wire);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct span of_get, of_head;

		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		wire_send(&wire, span_of(request));
		wire_receive(&wire, false, wire_patience(), get);
		snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
		wire_send(&wire, span_of(request));
		wire_receive(&wire, true, wire_patience(), &answer);
		ck_assert_int_eq(answer.status, get->status);
		ck_assert(wire_field(get, "Content-Length", &of_get));
		ck_assert(wire_field(&answer, "Content-Length", &of_head));
		ck_assert(span_equals(of_get, of_head));
	}
	assert_goes_on(&probes[0], &wire);
	wire_close(&wire);
	free(get);
}
END_TEST

START_TEST(sends_100_and_then_the_answer)
{
	struct wire wire;

	wire_connect(&server, &wire);
	send_all(
	    &wire, (struct span)SPAN(POST "Expect: 100-continue\r\nContent-Length: 28\r\n\r\n"));
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 100);
	send_all(&wire, (struct span)SPAN(TOKEN));
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 303);
	wire_close(&wire);
}
END_TEST

/* RFC 9110 10.1.1: a server may leave 100 out here; the library sends it. */
START_TEST(expect_without_a_body_is_answered)
{
	struct wire wire;

	wire_connect(&server, &wire);
	send_all(&wire, (struct span)SPAN(GET "Expect: 100-continue\r\n\r\n"));
	wire_receive(&wire, false, wire_patience(), &answer);
	if (answer.status == 100)
		wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 200);
	assert_goes_on(&probes[0], &wire);
	wire_close(&wire);
}
END_TEST

START_TEST(says_405_with_what_is_allowed)
{
	struct span allow;

	wire_ask(&server, (struct span)SPAN("PUT " CALLBACK " HTTP/1.1\r\n" HOST "\r\n"), &answer);
	ck_assert_int_eq(answer.status, 405);
	ck_assert(wire_field(&answer, "Allow", &allow));
	ck_span_eq(allow, "GET, HEAD");
}
END_TEST

/* Nothing names the product; there is a date. */
START_TEST(names_no_server)
{
	struct span value;

	wire_ask(&server, (struct span)SPAN(GET "\r\n"), &answer);
	ck_assert_int_eq(answer.status, 200);
	ck_assert(!wire_field(&answer, "Server", &value));
	ck_assert(wire_field(&answer, "Date", &value));
	wire_ask(&server, (struct span)SPAN("GET /readyz HTTP/9.9\r\n\r\n"), &answer);
	ck_assert_int_eq(answer.status, 505);
	ck_assert_ptr_null(strcasestr(answer.bytes, "microhttpd"));
}
END_TEST

START_TEST(closes_on_plain_http_to_the_tls_port)
{
	struct wire_server plain = server;
	struct wire wire;
	bool closed;

	plain.tls = false;
	wire_connect(&plain, &wire);
	wire_send(&wire, (struct span)SPAN(GET "\r\n"));
	wire_drain(&wire, wire_patience(), raw, sizeof(raw), &closed);
	ck_assert(closed);
	ck_assert_ptr_null(strstr(raw, "HTTP"));
	wire_close(&wire);
}
END_TEST

static TCase *
make_case(const char *name, void (*start)(void))
{
	TCase *tests = tcase_create(name);

	tcase_set_timeout(tests, 600);
	tcase_add_unchecked_fixture(tests, start, stop);
	LOOP(tests, reads_as_specified, probes);
	tcase_add_test(tests, smuggled_request_would_be_seen);
	tcase_add_test(tests, reads_on_after_an_empty_chunked_body);
	tcase_add_test(tests, answers_a_hundred_pipelined);
	tcase_add_test(tests, answers_all_after_half_close);
	tcase_add_test(tests, half_closed_head_gets_no_answer);
	tcase_add_test(tests, sends_100_and_then_the_answer);
	tcase_add_test(tests, expect_without_a_body_is_answered);
	return tests;
}

static void
add_once_a_protocol(TCase *tests)
{
	LOOP(tests, answers_oversize_with_a_status, sizes);
	LOOP(tests, reads_a_refused_body_to_its_end, refused_bodies);
	tcase_add_test(tests, keeps_a_connection_for_two_thousand);
	tcase_add_test(tests, head_is_get_without_a_body);
	tcase_add_test(tests, says_405_with_what_is_allowed);
	tcase_add_test(tests, names_no_server);
}

int
main(void)
{
	Suite *suite = suite_create("wire");
	TCase *plain = make_case("plain", start_plain);
	TCase *tls = make_case("tls", start_tls);

	signal(SIGPIPE, SIG_IGN);
	add_once_a_protocol(plain);
	add_once_a_protocol(tls);
	tcase_add_test(tls, closes_on_plain_http_to_the_tls_port);
	suite_add_tcase(suite, plain);
	suite_add_tcase(suite, tls);
	suite_add_tcase(suite, make_case("single bytes", start_single_bytes));
	return support_run(suite);
}
