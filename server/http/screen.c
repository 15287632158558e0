#include "http/screen.h"

const struct problem screen_body_too_large = { 413, "body_too_large", NULL,
	"The body is larger than 16 KiB", NULL };
const struct problem screen_body_not_allowed = { 413, "body_not_allowed", NULL,
	"A request with this method must not have a body", NULL };
const struct problem screen_head_too_large = { 431, "head_too_large", NULL,
	"The header fields are too large, most likely the cookies",
	"Give this server a host name of its own, which fewer cookies are sent to, or raise "
	"limits.query_bytes: the head of a request may have twice as many bytes and 8 KiB, at "
	"least 24 KiB, in 128 fields" };

/* What a byte may be part of. */
enum { TOKEN = 1, NAME = 2, LITERAL = 4, DIGIT = 8 };

/* RFC 9110 5.6.2 (tchar), RFC 3986 3.2.2 (reg-name, IP-literal). */
static const unsigned char uses[256] = {
	['0' ... '9'] = TOKEN | NAME | LITERAL | DIGIT,
	['A' ... 'Z'] = TOKEN | NAME | LITERAL,
	['a' ... 'z'] = TOKEN | NAME | LITERAL,
	['!'] = TOKEN | NAME,
	['#'] = TOKEN,
	['$'] = TOKEN | NAME,
	['%'] = TOKEN | NAME | LITERAL,
	['&' ... '\''] = TOKEN | NAME,
	['(' ... ')'] = NAME,
	['*' ... '+'] = TOKEN | NAME,
	[','] = NAME,
	['-'] = TOKEN | NAME,
	['.'] = TOKEN | NAME | LITERAL,
	[':'] = LITERAL,
	[';'] = NAME,
	['='] = NAME,
	['^'] = TOKEN,
	['_'] = TOKEN | NAME,
	['`'] = TOKEN,
	['|'] = TOKEN,
	['~'] = TOKEN | NAME,
};

static bool
is_all(struct span s, unsigned char use)
{
	for (size_t i = 0; i < s.len; i++)
		use &= uses[(unsigned char)s.data[i]];
	return use != 0;
}

static bool
is_token(struct span s)
{
	return s.len > 0 && is_all(s, TOKEN);
}

/* RFC 9112 3.2: a name, or an address in brackets, and an optional port; empty is legal. */
static bool
is_host(struct span host)
{
	bool is_literal = host.len > 0 && host.data[0] == '[';
	struct span name = { host.data, span_find(host, is_literal ? ']' : ':') };
	struct span port = span_from(host, name.len + is_literal);
	unsigned long number;

	if (is_literal && name.len == host.len)
		return false;
	if (port.len > 1 && !text_to_number(span_from(port, 1), 65535, &number))
		return false;
	return (port.len == 0 || port.data[0] == ':') &&
	       is_all(span_from(name, is_literal), is_literal ? LITERAL : NAME);
}

static bool
refuse_with(struct problem *ret_problem, const struct problem *problem)
{
	*ret_problem = *problem;
	return false;
}

static bool
is_bad_in_target(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '#';
}

static bool
is_bad_in_value(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* RFC 9112 3.2: origin-form, absolute-form, OPTIONS' `*`, or CONNECT's authority-form. */
static bool
is_known_target(struct span target, struct span method)
{
	return (target.len > 0 && target.data[0] == '/') ||
	       span_starts_ignoring_case(target, "http://") ||
	       span_starts_ignoring_case(target, "https://") ||
	       (span_is(target, "*") && span_is(method, "OPTIONS")) ||
	       (target.len > 0 && span_is(method, "CONNECT"));
}

static bool
screen_line(const struct request *request, size_t max_query, struct problem *ret_problem)
{
	if (request->query.len > max_query)
		return http_refuse(ret_problem, 414, "query_too_long", "The query is too long");
	if (request->target_too_long)
		return http_refuse(ret_problem, 414, "target_too_long", "The address is too long");
	if (span_any(request->target, is_bad_in_target))
		return http_refuse(ret_problem, 400, "target_malformed",
		    "The address contains a control byte, a space or a #");
	if (request->is_damaged)
		return http_refuse(ret_problem, 400, "head_malformed",
		    "The request head is not well-formed HTTP/1.1");
	if (!is_known_target(request->target, request->method))
		return http_refuse(ret_problem, 400, "target_malformed",
		    "The address does not start with a slash");
	if (!is_token(request->method))
		return http_refuse(
		    ret_problem, 400, "method_malformed", "The request method is not a token");
	return true;
}

static bool
screen_fields(const struct request *request, struct problem *ret_problem)
{
	struct span host = SPAN("");
	size_t n_hosts = http_count_header(request, "Host", &host);
	bool may_lack_host = span_is(request->version, "HTTP/1.0");

	for (size_t i = 0; i < request->n_headers; i++)
		if (!is_token(request->headers[i].name) ||
		    span_any(request->headers[i].value, is_bad_in_value))
			return http_refuse(ret_problem, 400, "header_malformed",
			    "A header field contains a byte that is not allowed");
	if (n_hosts > 1 || (n_hosts == 0 && !may_lack_host) || !is_host(span_trim(host)))
		return http_refuse(ret_problem, 400, "host_malformed",
		    "The request needs exactly one valid Host field");
	return true;
}

/*
 * Where the request ends (RFC 9112 6.1, 6.3). Transfer-Encoding is exactly `chunked`, once, on
 * HTTP/1.1 and without a Content-Length. White space after it is refused too: libmicrohttpd 0.9.75
 * keeps it, and then waits for a body without an end. A chunked body may turn out to be none, as
 * proxies send it: its bytes are looked at.
 */
static bool
screen_body(const struct request *request, struct problem *ret_problem)
{
	bool is_get = span_is(request->method, "GET") || span_is(request->method, "HEAD");
	struct span coding = SPAN(""), length = SPAN("0");
	size_t n_codings = http_count_header(request, "Transfer-Encoding", &coding);
	size_t n_lengths = http_count_header(request, "Content-Length", &length);
	unsigned long bytes;

	_Static_assert(HTTP_BODY_MAX_LEN == 16 * 1024, "screen_body_too_large says 16 KiB");
	if (n_codings > 1 ||
	    (n_codings == 1 && (!span_is_ignoring_case(coding, "chunked") ||
				   span_is(request->version, "HTTP/1.0") || n_lengths > 0)))
		return http_refuse(ret_problem, 400, "framing_malformed",
		    "Transfer-Encoding must be chunked, appear once, and come without "
		    "Content-Length");
	length = span_trim(length);
	if (n_lengths > 1 || length.len == 0 || !is_all(length, DIGIT))
		return http_refuse(ret_problem, 400, "framing_malformed",
		    "Content-Length must be a single number");
	if (is_get && !text_to_number(length, 0, &bytes))
		return refuse_with(ret_problem, &screen_body_not_allowed);
	return text_to_number(length, HTTP_BODY_MAX_LEN, &bytes) ||
	       refuse_with(ret_problem, &screen_body_too_large);
}

bool
screen_head(
    const struct request *request, size_t max_query, size_t max_bytes, struct problem *ret_problem)
{
	if (!screen_line(request, max_query, ret_problem) || !screen_fields(request, ret_problem) ||
	    !screen_body(request, ret_problem))
		return false;
	return (!request->too_many_headers && request->head_bytes <= max_bytes) ||
	       refuse_with(ret_problem, &screen_head_too_large);
}
