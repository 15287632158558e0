/*
 * Which request heads are good, stated a second time: RFC 9112, RFC 9110 5.6.2, and the limits.
 *
 * An input is a head: its first byte sets flags, its second the limits; then the request line and
 * the header lines, each part as it stands.
 */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>

#include "fuzz.h"
#include "http/screen.h"

enum { TOO_LONG = 1, TOO_MANY = 2, DAMAGED = 4 };

/* A span as a string; NULL where it holds a NUL. On the heap. */
static char *
string_of(struct span s)
{
	return memchr(s.data, '\0', s.len) == NULL ? fuzz_copy(s) : NULL;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* Only bytes of this set; NUL is in none. */
static bool
consists_of(struct span s, const char *set)
{
	char *string = string_of(s);
	bool good = string != NULL && string[strspn(string, set)] == '\0';

	free(string);
	return good;
}

static bool
is_token(struct span s)
{
	return s.len > 0 && consists_of(s, LETTERS DIGITS "!#$%&'*+-.^_`|~");
}

/* How many fields have this name, and the first one's value. */
static size_t
find_raw(const struct request *request, const char *name, struct span *ret_value)
{
	size_t n = 0;

	for (size_t i = request->n_headers; i-- > 0;) {
		const struct header *h = &request->headers[i];

		if (h->name.len != strlen(name) ||
		    strncasecmp(h->name.data, name, h->name.len) != 0)
			continue;
		n++;
		*ret_value = h->value;
	}
	return n;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The same, without white space at both ends of the value. */
static size_t
find(const struct request *request, const char *name, struct span *ret_value)
{
	size_t n = find_raw(request, name, ret_value);

	while (ret_value->len > 0 && is_space(ret_value->data[0]))
		*ret_value = (struct span){ ret_value->data + 1, ret_value->len - 1 };
	while (ret_value->len > 0 && is_space(ret_value->data[ret_value->len - 1]))
		ret_value->len--;
	return n;
}

static bool
begins(struct span s, const char *start)
{
	return s.len >= strlen(start) && strncasecmp(s.data, start, strlen(start)) == 0;
}

static bool
is_good_target(const struct request *request, size_t query_bytes)
{
	struct span target = request->target;
	const char *mark = memchr(target.data, '?', target.len);

	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.data[i] < '!' || target.data[i] == '#' ||
		    target.data[i] == 0x7f)
			return false;
	if (mark != NULL && (size_t)(target.data + target.len - mark) - 1 > query_bytes)
		return false;
	if (span_equals(request->method, span_of("CONNECT")))
		return target.len > 0;
	return begins(target, "/") || begins(target, "http://") || begins(target, "https://") ||
	       (span_is(target, "*") && span_is(request->method, "OPTIONS"));
}

static bool
has_good_fields(const struct request *request)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		const struct header *h = &request->headers[i];

		if (!is_token(h->name))
			return false;
		for (size_t n = 0; n < h->value.len; n++)
			if (iscntrl((unsigned char)h->value.data[n]) && h->value.data[n] != '\t')
				return false;
	}
	return true;
}

/* RFC 3986 3.2, without a user: a name or an address in brackets, and digits after a colon. */
static bool
is_good_host(struct span host)
{
	static const char pattern[] =
	    "^([A-Za-z0-9._~%!$&'()*+,;=-]*|\\[[A-Za-z0-9:.%]*\\])(:0*([0-9]{0,5}))?$";
	static regex_t expression;
	static bool is_ready;
	char *text = fuzz_copy(host);
	regmatch_t parts[4];
	bool good;

	HOLDS(is_ready || regcomp(&expression, pattern, REG_EXTENDED) == 0);
	is_ready = true;
	good = strlen(text) == host.len && regexec(&expression, text, 4, parts, 0) == 0 &&
	       (parts[3].rm_so < 0 || strtoul(text + parts[3].rm_so, NULL, 10) <= 65535);
	free(text);
	return good;
}

static bool
has_good_host(const struct request *request)
{
	struct span host = SPAN("");
	size_t n = find(request, "Host", &host);

	if (n == 0)
		return span_equals(request->version, span_of("HTTP/1.0"));
	return n == 1 && is_good_host(host);
}

/* A length of more digits than this harness can read is too large anyway. */
static bool
has_good_framing(const struct request *request)
{
	struct span length = SPAN("0"), coding = SPAN("");
	size_t n_lengths = find(request, "Content-Length", &length);
	size_t n_codings = find_raw(request, "Transfer-Encoding", &coding);
	bool takes_body = !span_equals(request->method, span_of("GET")) &&
			  !span_equals(request->method, span_of("HEAD"));
	char *digits = fuzz_copy(length);
	const char *first = digits + strspn(digits, "0");
	unsigned long bytes = strlen(first) > 5 ? 99999 : strtoul(first, NULL, 10);

	free(digits);
	if (n_lengths > 1 || length.len == 0 || !consists_of(length, DIGITS))
		return false;
	if (n_codings > 0 && (n_codings > 1 || n_lengths > 0 || coding.len != 7 ||
				 strncasecmp(coding.data, "chunked", 7) != 0 ||
				 span_equals(request->version, span_of("HTTP/1.0"))))
		return false;
	return bytes <= (takes_body ? 16384 : 0);
}

static bool
is_good(const struct request *request, size_t max_query, size_t max_bytes)
{
	return !request->target_too_long && !request->is_damaged && !request->too_many_headers &&
	       request->head_bytes <= max_bytes && is_token(request->method) &&
	       is_good_target(request, max_query) && has_good_fields(request) &&
	       has_good_host(request) && has_good_framing(request);
}

static void
check(const struct request *request, size_t max_query, size_t max_bytes)
{
	struct problem problem = { 0 };
	bool accepted = screen_head(request, max_query, max_bytes, &problem);

	HOLDS(accepted == is_good(request, max_query, max_bytes));
	if (accepted) {
		HOLDS(problem.status == 0);
		return;
	}
	HOLDS(problem.status == 400 || problem.status == 413 || problem.status == 414 ||
	      problem.status == 431);
	HOLDS(fuzz_is_constant(problem.reason) && fuzz_is_constant(problem.detail));
	HOLDS(problem.parameter == NULL);
}

/* `Name:value` lines; without a colon the name is all of it. */
static size_t
cut_headers(struct span rest, struct header headers[HTTP_MAX_HEADERS])
{
	size_t n = 0;

	while (rest.len > 0 && n < HTTP_MAX_HEADERS) {
		struct span line = fuzz_line(&rest);
		size_t colon = span_find(line, ':');

		headers[n].name = (struct span){ line.data, colon };
		headers[n++].value = span_from(line, colon + 1);
	}
	return n;
}

/* Method, target, version; the version follows the last space. */
static void
cut_request_line(struct span line, struct request *request)
{
	size_t space = span_find(line, ' ');
	size_t end = line.len;

	request->method = (struct span){ line.data, space };
	line = span_from(line, space + 1);
	end = line.len;
	while (end > 0 && line.data[end - 1] != ' ')
		end--;
	request->version = span_from(line, end);
	request->target = (struct span){ line.data, end > 0 ? end - 1 : 0 };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header headers[HTTP_MAX_HEADERS];
	struct request request = { .headers = headers, .head_bytes = size, .body = SPAN("") };
	struct span rest;

	if (size < 2)
		return 0;
	rest = (struct span){ (const char *)data + 2, size - 2 };
	request.target_too_long = (data[0] & 0x11) == (TOO_LONG | 0x10);
	request.too_many_headers = (data[0] & 0x12) == (TOO_MANY | 0x10);
	request.is_damaged = (data[0] & 0x14) == (DAMAGED | 0x10);
	cut_request_line(fuzz_line(&rest), &request);
	http_split_target(&request);
	request.n_headers = cut_headers(rest, headers);
	check(&request, data[1] * 8u, 32 * (255u - data[1]) + 64);
	return 0;
}
