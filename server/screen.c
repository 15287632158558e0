/*
 * The strict reading of a request head. Pure; refuses, and never repairs.
 */
#include "screen.h"

struct rule {
	bool (*holds)(const struct head *head, const struct screen_limits *limits);
	struct problem problem;
};

/* Letters, digits and these marks. */
static bool
has_only(struct span s, const char *marks)
{
	for (size_t i = 0; i < s.len; i++)
		if (!text_is_alpha(s.data[i]) && !text_is_digit(s.data[i]) &&
		    (s.data[i] == '\0' || strchr(marks, s.data[i]) == NULL))
			return false;
	return true;
}

/* RFC 9110 5.6.2: tchar. */
static bool
is_token(struct span s)
{
	return s.len > 0 && has_only(s, "!#$%&'*+-.^_`|~");
}

static bool
fits_query(const struct head *head, const struct screen_limits *limits)
{
	size_t query = http_query(head->request->target).len;

	return query == 0 || query - 1 <= limits->query_bytes;
}

static bool
fits_target(const struct head *head, const struct screen_limits *limits)
{
	(void)limits;
	return !head->too_long;
}

static bool
has_clean_target(const struct head *head, const struct screen_limits *limits)
{
	struct span target = head->request->target;

	(void)limits;
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.data[i] <= 0x20 || target.data[i] == 0x7f ||
		    target.data[i] == '#')
			return false;
	return true;
}

static bool
is_undamaged(const struct head *head, const struct screen_limits *limits)
{
	(void)limits;
	return !head->damaged;
}

static bool
starts_with(struct span s, struct span start)
{
	return s.len >= start.len &&
	       span_equals_ignoring_case((struct span){ s.data, start.len }, start);
}

/* RFC 9112 3.2: origin-form, absolute-form, `*`, or CONNECT's authority-form. */
static bool
has_known_target_form(const struct head *head, const struct screen_limits *limits)
{
	struct span target = head->request->target;

	(void)limits;
	return starts_with(target, (struct span)SPAN("/")) ||
	       starts_with(target, (struct span)SPAN("http://")) ||
	       starts_with(target, (struct span)SPAN("https://")) ||
	       span_equals(target, (struct span)SPAN("*")) ||
	       (target.len > 0 && span_equals(head->request->method, (struct span)SPAN("CONNECT")));
}

static bool
has_token_method(const struct head *head, const struct screen_limits *limits)
{
	(void)limits;
	return is_token(head->request->method);
}

static bool
is_field_value(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
has_clean_headers(const struct head *head, const struct screen_limits *limits)
{
	(void)limits;
	for (size_t i = 0; i < head->request->n_headers; i++)
		if (!is_token(head->request->headers[i].name) ||
		    !is_field_value(head->request->headers[i].value))
			return false;
	return true;
}

static bool
is_http_1_0(const struct head *head)
{
	return span_equals(head->version, (struct span)SPAN("HTTP/1.0"));
}

static size_t
count(const struct head *head, struct span name, struct span *ret_first)
{
	size_t n = 0;

	for (size_t i = 0; i < head->request->n_headers; i++)
		if (span_equals_ignoring_case(head->request->headers[i].name, name) && n++ == 0)
			*ret_first = span_trim(head->request->headers[i].value);
	return n;
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
	       has_only(span_from(name, is_literal), is_literal ? ":.%" : "-._~%!$&'()*+,;=");
}

static bool
has_one_host(const struct head *head, const struct screen_limits *limits)
{
	struct span host = SPAN("");
	size_t n = count(head, (struct span)SPAN("Host"), &host);

	(void)limits;
	return n <= 1 && (n == 1 || is_http_1_0(head)) && is_host(host);
}

/*
 * Exactly `chunked`, once, on HTTP/1.1 and without a Content-Length (RFC 9112 6.1, 6.3). White
 * space behind it, which libmicrohttpd 0.9.75 does not take away, makes a body without an end
 * there.
 */
static bool
has_clear_transfer_encoding(const struct head *head, const struct screen_limits *limits)
{
	static const struct span name = SPAN("Transfer-Encoding");
	struct span coding = SPAN(""), length = SPAN("");
	size_t n = count(head, name, &coding);

	(void)limits;
	coding = http_find_header(head->request, name);
	return n == 0 ||
	       (n == 1 && span_equals_ignoring_case(coding, (struct span)SPAN("chunked")) &&
		   !is_http_1_0(head) &&
		   count(head, (struct span)SPAN("Content-Length"), &length) == 0);
}

static bool
has_clear_length(const struct head *head, const struct screen_limits *limits)
{
	struct span length = SPAN("0");
	size_t n = count(head, (struct span)SPAN("Content-Length"), &length);

	(void)limits;
	for (size_t i = 0; i < length.len; i++)
		if (!text_is_digit(length.data[i]))
			return false;
	return n <= 1 && length.len > 0;
}

static bool
fits_body(const struct head *head, const struct screen_limits *limits)
{
	struct span length = SPAN("0");
	unsigned long bytes;

	(void)limits;
	count(head, (struct span)SPAN("Content-Length"), &length);
	return text_to_number(length, HTTP_BODY_MAX_LEN, &bytes);
}

static bool
has_body_where_one_belongs(const struct head *head, const struct screen_limits *limits)
{
	struct span length = SPAN("0"), coding;
	struct span method = head->request->method;
	unsigned long bytes;

	(void)limits;
	if (!span_equals(method, (struct span)SPAN("GET")) &&
	    !span_equals(method, (struct span)SPAN("HEAD")))
		return true;
	count(head, (struct span)SPAN("Content-Length"), &length);
	return text_to_number(length, 0, &bytes) &&
	       count(head, (struct span)SPAN("Transfer-Encoding"), &coding) == 0;
}

static bool
fits_head(const struct head *head, const struct screen_limits *limits)
{
	return !head->too_many_headers && head->bytes <= limits->head_bytes;
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
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].holds(head, limits))
			continue;
		*ret_problem = rules[i].problem;
		return false;
	}
	return true;
}
