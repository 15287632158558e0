/*
 * The strict reading of a request head. Pure; refuses, and never repairs.
 */
#include "screen.h"

/* How often a field is there, and its first value as it came. */
struct occurrence {
	size_t n;
	struct span value;
};

/* What the rules look at. The fields that say where a request ends are found in one walk. */
struct reading {
	const struct head *head;
	const struct request *request;
	const struct screen_limits *limits;
	struct occurrence host, length, coding;
};

struct rule {
	bool (*holds)(const struct reading *r);
	struct problem problem;
};

static void
note(struct occurrence *occurrence, struct span value)
{
	if (occurrence->n++ == 0)
		occurrence->value = value;
}

static void
find_fields(struct reading *r)
{
	for (size_t i = 0; i < r->request->n_headers; i++) {
		const struct header *header = &r->request->headers[i];

		if (span_equals_ignoring_case(header->name, (struct span)SPAN("Host")))
			note(&r->host, header->value);
		else if (span_equals_ignoring_case(
			     header->name, (struct span)SPAN("Content-Length")))
			note(&r->length, header->value);
		else if (span_equals_ignoring_case(
			     header->name, (struct span)SPAN("Transfer-Encoding")))
			note(&r->coding, header->value);
	}
}

/* What a byte may be part of. */
enum { TOKEN = 1, NAME = 2, LITERAL = 4 };

/* RFC 9110 5.6.2 (tchar), RFC 3986 3.2.2 (reg-name, IP-literal). */
static const unsigned char uses[256] = {
	['0' ... '9'] = TOKEN | NAME | LITERAL,
	['A' ... 'Z'] = TOKEN | NAME | LITERAL,
	['a' ... 'z'] = TOKEN | NAME | LITERAL,
	['!'] = TOKEN | NAME,
	['#'] = TOKEN,
	['$'] = TOKEN | NAME,
	['%'] = TOKEN | NAME | LITERAL,
	['&'] = TOKEN | NAME,
	['\''] = TOKEN | NAME,
	['('] = NAME,
	[')'] = NAME,
	['*'] = TOKEN | NAME,
	['+'] = TOKEN | NAME,
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

static bool
fits_query(const struct reading *r)
{
	size_t query = http_query(r->request->target).len;

	return query == 0 || query - 1 <= r->limits->query_bytes;
}

static bool
fits_target(const struct reading *r)
{
	return !r->head->too_long;
}

static bool
has_clean_target(const struct reading *r)
{
	struct span target = r->request->target;
	const unsigned char *bytes = (const unsigned char *)target.data;
	unsigned char bad = 0;

	for (size_t i = 0; i < target.len; i++)
		bad |= bytes[i] <= 0x20 || bytes[i] == 0x7f || bytes[i] == '#' ? 0xff : 0;
	return bad == 0;
}

static bool
is_undamaged(const struct reading *r)
{
	return !r->head->damaged;
}

static bool
starts_with(struct span s, struct span start)
{
	return s.len >= start.len &&
	       span_equals_ignoring_case((struct span){ s.data, start.len }, start);
}

/* RFC 9112 3.2: origin-form, absolute-form, `*`, or CONNECT's authority-form. */
static bool
has_known_target_form(const struct reading *r)
{
	struct span target = r->request->target;

	return starts_with(target, (struct span)SPAN("/")) ||
	       starts_with(target, (struct span)SPAN("http://")) ||
	       starts_with(target, (struct span)SPAN("https://")) ||
	       span_equals(target, (struct span)SPAN("*")) ||
	       (target.len > 0 && span_equals(r->request->method, (struct span)SPAN("CONNECT")));
}

static bool
has_token_method(const struct reading *r)
{
	return is_token(r->request->method);
}

/* As text_has_control(), but a tab is allowed. */
static bool
is_field_value(struct span value)
{
	const unsigned char *bytes = (const unsigned char *)value.data;
	unsigned char bad = 0;

	for (size_t i = 0; i < value.len; i++)
		bad |= (bytes[i] < 0x20 && bytes[i] != '\t') || bytes[i] == 0x7f ? 0xff : 0;
	return bad == 0;
}

static bool
has_clean_headers(const struct reading *r)
{
	for (size_t i = 0; i < r->request->n_headers; i++)
		if (!is_token(r->request->headers[i].name) ||
		    !is_field_value(r->request->headers[i].value))
			return false;
	return true;
}

static bool
is_http_1_0(const struct reading *r)
{
	return span_equals(r->head->version, (struct span)SPAN("HTTP/1.0"));
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
has_one_host(const struct reading *r)
{
	return r->host.n <= 1 && (r->host.n == 1 || is_http_1_0(r)) &&
	       is_host(span_trim(r->host.value));
}

/*
 * Exactly `chunked`, once, on HTTP/1.1 and without a Content-Length (RFC 9112 6.1, 6.3). White
 * space behind it, which libmicrohttpd 0.9.75 does not take away, makes a body without an end
 * there.
 */
static bool
has_clear_transfer_encoding(const struct reading *r)
{
	return r->coding.n == 0 ||
	       (r->coding.n == 1 &&
		   span_equals_ignoring_case(r->coding.value, (struct span)SPAN("chunked")) &&
		   !is_http_1_0(r) && r->length.n == 0);
}

/* Without Content-Length as if it were 0. */
static struct span
length_of(const struct reading *r)
{
	return r->length.n > 0 ? span_trim(r->length.value) : (struct span)SPAN("0");
}

static bool
has_clear_length(const struct reading *r)
{
	struct span length = length_of(r);

	for (size_t i = 0; i < length.len; i++)
		if (!text_is_digit(length.data[i]))
			return false;
	return r->length.n <= 1 && length.len > 0;
}

static bool
fits_body(const struct reading *r)
{
	unsigned long bytes;

	return text_to_number(length_of(r), HTTP_BODY_MAX_LEN, &bytes);
}

static bool
has_body_where_one_belongs(const struct reading *r)
{
	struct span method = r->request->method;
	unsigned long bytes;

	if (!span_equals(method, (struct span)SPAN("GET")) &&
	    !span_equals(method, (struct span)SPAN("HEAD")))
		return true;
	return text_to_number(length_of(r), 0, &bytes) && r->coding.n == 0;
}

static bool
fits_head(const struct reading *r)
{
	return !r->head->too_many_headers && r->head->bytes <= r->limits->head_bytes;
}

/* In this order: a request with several faults gets the answer of the first one. */
static const struct rule rules[] = {
	{ fits_query, { 414, "query_too_long", NULL, "The query is too long", NULL } },
	{ fits_target, { 414, "target_too_long", NULL, "The address is too long", NULL } },
	{ has_clean_target, { 400, "target_malformed", NULL,
				"The address has a control byte, a space or a # in it", NULL } },
	{ is_undamaged,
	    { 400, "head_malformed", NULL, "The request head is not well-formed HTTP/1.1", NULL } },
	{ has_known_target_form,
	    { 400, "target_malformed", NULL, "The address does not start with a slash", NULL } },
	{ has_token_method,
	    { 400, "method_malformed", NULL, "The request method is not a token", NULL } },
	{ has_clean_headers, { 400, "header_malformed", NULL,
				 "A header field has a byte in it that is not allowed", NULL } },
	{ has_one_host, { 400, "host_malformed", NULL,
			    "The request needs exactly one valid Host field", NULL } },
	{ has_clear_transfer_encoding,
	    { 400, "framing_malformed", NULL,
		"Transfer-Encoding may only be chunked, once, without Content-Length", NULL } },
	{ has_clear_length,
	    { 400, "framing_malformed", NULL, "Content-Length has to be one number", NULL } },
	{ has_body_where_one_belongs,
	    { 413, "body_not_allowed", NULL, "A request with this method has no body", NULL } },
	{ fits_body, { 413, "body_too_large", NULL, "The body is larger than 16 KiB", NULL } },
	{ fits_head, { 431, "head_too_large", NULL, "The header fields are too large", NULL } },
};

bool
screen_head(
    const struct head *head, const struct screen_limits *limits, struct problem *ret_problem)
{
	struct reading r = {
		.head = head,
		.request = head->request,
		.limits = limits,
		.host.value = SPAN(""),
		.length.value = SPAN(""),
		.coding.value = SPAN(""),
	};

	find_fields(&r);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].holds(&r))
			continue;
		*ret_problem = rules[i].problem;
		return false;
	}
	return true;
}
