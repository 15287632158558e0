#include "http/screen.h"

#include "support.h"

enum { MAX_FIELDS = 4, QUERY_BYTES = 64, HEAD_BYTES = 1000 };

#define HOST                                                                                       \
	{                                                                                          \
		SPAN("Host"), SPAN("oauth.example.com")                                            \
	}
#define LENGTH(value)                                                                              \
	{                                                                                          \
		SPAN("Content-Length"), SPAN(value)                                                \
	}
#define CODING(value)                                                                              \
	{                                                                                          \
		SPAN("Transfer-Encoding"), SPAN(value)                                             \
	}
#define FIELD(name, value)                                                                         \
	{                                                                                          \
		SPAN(name), SPAN(value)                                                            \
	}

#define V10 SPAN("HTTP/1.0")
#define V11 SPAN("HTTP/1.1")

enum damage { TOO_LONG = 1, DAMAGED = 2, TOO_MANY = 4, TOO_BIG = 8 };

struct row {
	const char *result; /* "ok", or status and reason */
	struct span method;
	struct span target;
	struct span version;
	struct header headers[MAX_FIELDS]; /* as many as have a name */
	unsigned damage;
};

#define TARGET(target, result)                                                                     \
	{                                                                                          \
		result, SPAN("GET"), SPAN(target), V11, { HOST }, 0                                \
	}
#define METHOD(method, target, result)                                                             \
	{                                                                                          \
		result, SPAN(method), SPAN(target), V11, { HOST }, 0                               \
	}
#define HEADERS(method, result, ...)                                                               \
	{                                                                                          \
		result, SPAN(method), SPAN("/"), V11, { __VA_ARGS__ }, 0                           \
	}
#define OLD_HEADERS(method, result, ...)                                                           \
	{                                                                                          \
		result, SPAN(method), SPAN("/"), V10, { __VA_ARGS__ }, 0                           \
	}
#define HEAD(damage, result)                                                                       \
	{                                                                                          \
		result, SPAN("GET"), SPAN("/"), V11, { HOST }, damage                              \
	}

#define BAD_TARGET  "400 target_malformed"
#define BAD_METHOD  "400 method_malformed"
#define BAD_HEADER  "400 header_malformed"
#define BAD_HOST    "400 host_malformed"
#define BAD_FRAMING "400 framing_malformed"
#define NO_BODY     "413 body_not_allowed"
#define BIG_BODY    "413 body_too_large"
#define BIG_HEAD    "431 head_too_large"
#define LONG_QUERY  "414 query_too_long"
#define BAD_HEAD    "400 head_malformed"

#define A16         "aaaaaaaaaaaaaaaa"
#define A64         A16 A16 A16 A16

static const struct row rows[] = {
	/* Length of the query: the `?` does not count, and paths have no limit of their own. */
	TARGET("/?" A64, "ok"),
	TARGET("/?" A64 "a", LONG_QUERY),
	TARGET("/?" A64 "?", LONG_QUERY),
	TARGET("/?", "ok"),
	TARGET("/" A64 A64, "ok"),
	TARGET("http://" A64 "/" A64 "?" A64, "ok"),
	TARGET("http://a?" A64 "a", LONG_QUERY),
	HEAD(TOO_LONG, "414 target_too_long"),

	/* Bytes of the target: what Microsoft sends, however odd, passes. */
	TARGET("/", "ok"),
	TARGET("/api/ms_oauth_callback?code=1.AX&state=%7b%22a%22%3a1%7d", "ok"),
	TARGET("/a?\x80\xff\xc3\xa9", "ok"),
	TARGET("/\xff", "ok"),
	TARGET("/a?\"{}|\\^<>`'", "ok"),
	TARGET("/a?%&%z&%zz&%0&%00&%0d%0a&%7f&%23", "ok"),
	TARGET("/a?+&;,=!$*()@:[]/?", "ok"),
	TARGET("/a b", BAD_TARGET),
	TARGET("/a?b c", BAD_TARGET),
	TARGET("/a?b ", BAD_TARGET),
	TARGET("/a?b#c", BAD_TARGET),
	TARGET("/#", BAD_TARGET),
	TARGET("/a\0b", BAD_TARGET),
	TARGET("/a?\0", BAD_TARGET),
	TARGET("/a?\x01", BAD_TARGET),
	TARGET("/a?\t", BAD_TARGET),
	TARGET("/a?\r\nX: y", BAD_TARGET),
	TARGET("/a?\x1f", BAD_TARGET),
	TARGET("/a?\x7f", BAD_TARGET),

	HEAD(DAMAGED, BAD_HEAD),

	/* Forms of the target. */
	TARGET("//a", "ok"),
	TARGET("http://oauth.example.com/a", "ok"),
	TARGET("HTTPS://oauth.example.com", "ok"),
	TARGET("http://", "ok"),
	TARGET("", BAD_TARGET),
	TARGET("a", BAD_TARGET),
	TARGET("?a", BAD_TARGET),
	TARGET("http:/a", BAD_TARGET),
	TARGET("http:", BAD_TARGET),
	TARGET("ftp://a/", BAD_TARGET),
	TARGET("\\a", BAD_TARGET),
	TARGET("oauth.example.com:443", BAD_TARGET),
	TARGET("**", BAD_TARGET),
	METHOD("OPTIONS", "*", "ok"),
	METHOD("GET", "*", BAD_TARGET),
	METHOD("HEAD", "*", BAD_TARGET),
	METHOD("POST", "*", BAD_TARGET),
	METHOD("options", "*", BAD_TARGET),
	METHOD("OPTIONS", "*?a", BAD_TARGET),
	METHOD("CONNECT", "oauth.example.com:443", "ok"),
	METHOD("CONNECT", "", BAD_TARGET),
	METHOD("CONNECT", "a", "ok"),
	METHOD("connect", "oauth.example.com:443", BAD_TARGET),

	/* Methods: any token, since an unknown one is told so later. */
	METHOD("HEAD", "/", "ok"),
	METHOD("get", "/", "ok"),
	METHOD("PROPFIND", "/", "ok"),
	METHOD("!#$%&'*+-.^_`|~09azAZ", "/", "ok"),
	METHOD("", "/", BAD_METHOD),
	METHOD("G ET", "/", BAD_METHOD),
	METHOD("GET\t", "/", BAD_METHOD),
	METHOD("GET\0", "/", BAD_METHOD),
	METHOD("G\xc3\x89T", "/", BAD_METHOD),
	METHOD("{}", "/", BAD_METHOD),
	METHOD("GET:", "/", BAD_METHOD),

	/* Fields. */
	HEADERS("GET", "ok", HOST, FIELD("X", "")),
	HEADERS("GET", "ok", HOST, FIELD("!#$%&'*+-.^_`|~09azAZ", "a\tb \x80\xff")),
	HEADERS("GET", "ok", HOST, FIELD("X", " a \t")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X ", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD(" X", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X\t", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X(y)", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X:", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("\xc3\xa9", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X\0", "a")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X", "a\0b")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X", "a\rb")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X", "a\nb")),
	HEADERS("GET", BAD_HEADER, HOST, FIELD("X", "\x7f")),
	HEADERS("GET", BAD_HEADER, FIELD("X", "\x1f"), HOST),

	/* Host. */
	HEADERS("GET", "ok", FIELD("hOST", "a")),
	HEADERS("GET", "ok", FIELD("Host", "")),
	HEADERS("GET", "ok", FIELD("Host", " a:80\t")),
	HEADERS("GET", "ok", FIELD("Host", "[2001:db8::1]:8080")),
	HEADERS("GET", "ok", FIELD("Host", "a_b.example.")),
	HEADERS("GET", "ok", FIELD("Host", "a:")),
	HEADERS("GET", "ok", FIELD("Host", "a:65535")),
	HEADERS("GET", "ok", FIELD("Host", "[::1]")),
	HEADERS("GET", "ok", FIELD("Host", "[fe80::1%25eth0]:")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a:b")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a:80:80")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a:65536")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a:-1")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "::1")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "[::1")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "[")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "::1]")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "[::1]80")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "[::1]]")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a[::1]")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "[a/b]")),
	HEADERS("GET", BAD_HOST, FIELD("X", "a")),
	HEADERS("GET", BAD_HOST, HOST, HOST),
	HEADERS("GET", BAD_HOST, HOST, FIELD("HOST", "evil.example")),
	HEADERS("GET", BAD_HOST, FIELD("Host", ""), FIELD("Host", "")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a b")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a/b")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a?b")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "user@a")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "a\\b")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "<a>")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "\"a\"")),
	HEADERS("GET", BAD_HOST, FIELD("Host", "\xc3\xa4")),
	OLD_HEADERS("GET", "ok", FIELD("X", "a")),
	OLD_HEADERS("GET", "ok", HOST),
	OLD_HEADERS("GET", BAD_HOST, HOST, HOST),
	OLD_HEADERS("GET", BAD_HOST, FIELD("Host", "a b")),

	/* Transfer-Encoding. */
	HEADERS("POST", "ok", HOST, CODING("chunked")),
	HEADERS("POST", "ok", HOST, FIELD("transfer-encoding", "Chunked")),
	HEADERS("POST", BAD_FRAMING, HOST, FIELD("transfer-encoding", "chunked ")),
	HEADERS("POST", BAD_FRAMING, HOST, FIELD("transfer-encoding", "\tchunked")),
	HEADERS("PUT", "ok", HOST, CODING("chunked")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("identity")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("gzip")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("gzip, chunked")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked, gzip")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked, chunked")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked;a=b")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("xchunked")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunke")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked"), CODING("chunked")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked"), CODING("identity")),
	HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked"), LENGTH("5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("0"), CODING("chunked")),
	HEADERS("GET", BAD_FRAMING, HOST, CODING("identity")),
	OLD_HEADERS("POST", BAD_FRAMING, HOST, CODING("chunked")),

	/* Content-Length. */
	HEADERS("POST", "ok", HOST),
	HEADERS("POST", "ok", HOST, LENGTH("0")),
	HEADERS("POST", "ok", HOST, FIELD("CONTENT-length", " 5 ")),
	HEADERS("POST", "ok", HOST, LENGTH("16384")),
	HEADERS("POST", "ok", HOST, LENGTH("0000000000000000000000005")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH(" ")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("abc")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("+5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("-5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("0x5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("5.0")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("5 5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("5, 5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("5"), LENGTH("5")),
	HEADERS("POST", BAD_FRAMING, HOST, LENGTH("5"), LENGTH("6")),
	HEADERS("GET", BAD_FRAMING, HOST, LENGTH("x")),

	/* Bodies where none belongs, and too large ones. */
	HEADERS("GET", "ok", HOST, LENGTH("0")),
	HEADERS("HEAD", "ok", HOST, LENGTH("00")),
	HEADERS("GET", NO_BODY, HOST, LENGTH("1")),
	HEADERS("HEAD", NO_BODY, HOST, LENGTH("1")),
	HEADERS("GET", NO_BODY, HOST, LENGTH("16385")),
	HEADERS("GET", "ok", HOST, CODING("chunked")),
	HEADERS("HEAD", "ok", HOST, CODING("chunked")),
	HEADERS("POST", BIG_BODY, HOST, LENGTH("16385")),
	HEADERS("POST", BIG_BODY, HOST, LENGTH("4294967296")),
	HEADERS("POST", BIG_BODY, HOST, LENGTH("18446744073709551615")),
	HEADERS("POST", BIG_BODY, HOST, LENGTH("18446744073709551616")),
	HEADERS("POST", BIG_BODY, HOST, LENGTH("99999999999999999999999999")),
	HEADERS("PUT", BIG_BODY, HOST, LENGTH("16385")),

	HEAD(TOO_MANY, BIG_HEAD),
	HEAD(TOO_BIG, BIG_HEAD),
};

/* What a refusal says, letter by letter; a reason with two texts has two rows. */
static const struct {
	const char *reason, *detail, *hint;
} texts[] = {
	{ "query_too_long", "The query is too long", NULL },
	{ "target_too_long", "The address is too long", NULL },
	{ "target_malformed", "The address contains a control byte, a space or a #", NULL },
	{ "target_malformed", "The address does not start with a slash", NULL },
	{ "head_malformed", "The request head is not well-formed HTTP/1.1", NULL },
	{ "method_malformed", "The request method is not a token", NULL },
	{ "header_malformed", "A header field contains a byte that is not allowed", NULL },
	{ "host_malformed", "The request needs exactly one valid Host field", NULL },
	{ "framing_malformed",
	    "Transfer-Encoding must be chunked, appear once, and come without Content-Length",
	    NULL },
	{ "framing_malformed", "Content-Length must be a single number", NULL },
	{ "body_not_allowed", "A request with this method must not have a body", NULL },
	{ "body_too_large", "The body is larger than 16 KiB", NULL },
	{ "head_too_large", "The header fields are too large, most likely the cookies",
	    "Give this server a host name of its own, which fewer cookies are sent to, or raise "
	    "limits.query_bytes: the head of a request may have twice as many bytes and 8 KiB, at "
	    "least 24 KiB, in 128 fields" },
};

static bool
has_known_text(const struct problem *problem)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i].reason, problem->reason) == 0 &&
		    strcmp(texts[i].detail, problem->detail) == 0)
			return texts[i].hint == NULL
				   ? problem->hint == NULL
				   : problem->hint != NULL &&
					 strcmp(texts[i].hint, problem->hint) == 0;
	return false;
}

static void
check_request(struct request *request, struct span version, unsigned damage, const char *wanted)
{
	char array[64] = "ok";
	struct problem problem = { 0 };
	struct buf result;

	http_split_target(request);
	request->version = version;
	request->head_bytes = damage & TOO_BIG ? HEAD_BYTES + 1 : HEAD_BYTES;
	request->too_many_headers = damage & TOO_MANY;
	request->target_too_long = damage & TOO_LONG;
	request->is_damaged = damage & DAMAGED;
	if (!screen_head(request, QUERY_BYTES, HEAD_BYTES, &problem)) {
		buf_init(&result, array, sizeof(array));
		buf_printf(&result, "%d %s", problem.status, problem.reason);
		ck_assert_msg(has_known_text(&problem), "%s", problem.detail);
	}
	ck_assert_str_eq(array, wanted);
	ck_assert_ptr_null(problem.parameter);
}

START_TEST(screens)
{
	const struct row *row = &rows[_i];
	struct request request = { .id = "",
		.method = row->method,
		.target = row->target,
		.headers = row->headers,
		.body = SPAN("") };

	while (request.n_headers < MAX_FIELDS && row->headers[request.n_headers].name.data != NULL)
		request.n_headers++;
	check_request(&request, row->version, row->damage, row->result);
}
END_TEST

/* A head that breaks every rule, mended from the first rule on: each answer in its turn. */
static const char *const order_results[] = { LONG_QUERY, BAD_TARGET, BAD_HEAD, BAD_TARGET,
	BAD_METHOD, BAD_HEADER, BAD_HOST, BAD_FRAMING, BAD_FRAMING, NO_BODY, BIG_BODY, BIG_HEAD,
	"ok" };

static void
put_target(struct request *request, int mended)
{
	request->target = span_of(mended < 1   ? "#?" A64 "a"
				  : mended < 2 ? "#"
				  : mended < 4 ? "a"
					       : "/");
}

/* Where the method cannot be a token and ask for no body at once, GET comes in as it is mended. */
static void
put_method(struct request *request, int mended)
{
	request->method = span_of(mended < 5 ? "G ET" : mended < 10 ? "GET" : "POST");
}

static size_t
put_headers(struct header headers[5], int mended)
{
	size_t n = 0;

	if (mended < 6)
		headers[n++] = (struct header)FIELD("X", "\x01");
	if (mended >= 7)
		headers[n++] = (struct header)HOST;
	if (mended < 8)
		headers[n++] = (struct header)CODING("gzip");
	if (mended < 9)
		headers[n++] = (struct header)LENGTH("x");
	else if (mended < 11)
		headers[n++] = (struct header)LENGTH("16385");
	return n;
}

START_TEST(answers_first_broken_rule)
{
	struct header headers[5];
	struct request request = { .id = "", .headers = headers, .body = SPAN("") };
	unsigned damage =
	    (_i < 1 ? TOO_LONG : 0) | (_i < 3 ? DAMAGED : 0) | (_i < 12 ? TOO_MANY | TOO_BIG : 0);

	put_target(&request, _i);
	put_method(&request, _i);
	request.n_headers = put_headers(headers, _i);
	check_request(&request, (struct span)V11, damage, order_results[_i]);
}
END_TEST

/* Every byte in every place: which ones pass. */
#define ALPHANUMERIC "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool
is_in(const char *set, int c)
{
	return c != 0 && strchr(set, c) != NULL;
}

START_TEST(screens_each_byte)
{
	char byte = (char)_i;
	struct span one = { &byte, 1 };
	char target[] = { '/', '?', byte };
	bool is_token = is_in(ALPHANUMERIC "!#$%&'*+-.^_`|~", _i);
	bool is_value = _i == '\t' || (_i >= 0x20 && _i != 0x7f);
	bool is_host = is_in(ALPHANUMERIC "-._~%!$&'()*+,;=: \t", _i);
	struct header headers[] = { HOST, { SPAN("X"), one } };
	struct request request = { .id = "",
		.method = SPAN("GET"),
		.target = { target, sizeof(target) },
		.headers = headers,
		.n_headers = 1,
		.body = SPAN("") };

	check_request(&request, (struct span)V11, 0,
	    _i <= 0x20 || _i == 0x7f || _i == '#' ? BAD_TARGET : "ok");
	request.target = (struct span)SPAN("/");
	request.method = one;
	check_request(&request, (struct span)V11, 0, is_token ? "ok" : BAD_METHOD);
	request.method = (struct span)SPAN("GET");
	request.n_headers = 2;
	check_request(&request, (struct span)V11, 0, is_value ? "ok" : BAD_HEADER);
	headers[1] = (struct header){ one, SPAN("a") };
	check_request(&request, (struct span)V11, 0, is_token ? "ok" : BAD_HEADER);
	headers[0].value = one;
	request.n_headers = 1;
	check_request(&request, (struct span)V11, 0,
	    !is_value ? BAD_HEADER
	    : is_host ? "ok"
		      : BAD_HOST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("screen");
	TCase *tests = tcase_create("screen");

	tcase_add_loop_test(tests, screens, 0, COUNT(rows));
	tcase_add_loop_test(tests, answers_first_broken_rule, 0, COUNT(order_results));
	tcase_add_loop_test(tests, screens_each_byte, 0, 256);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
