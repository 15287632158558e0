/*
 * The real binary over raw sockets: what is passed on, what is refused, and what is never said.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "wire/wire.h"

#define TARGET    "https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/"
#define CLIENT_ID "11111111-2222-3333-4444-555555555555"
#define GOOGLE_ID "1-a.apps.googleusercontent.com"

static const char *const usual_options[] = { "--listen.port=0", "--listen.address=127.0.0.1",
	"--admin.port=0", "--public_url=https://oauth.example.com",
	"--microsoft.client_id=" CLIENT_ID, "--google.client_id=" GOOGLE_ID,
	"--connect.return_origins=https://app.example.com", "--log.level=debug", NULL };
static const char *const bare_options[] = { "--listen.port=0", "--admin.port=0", NULL };

static struct wire_server server;
static struct wire_answer answer;

static void
start_usual(void)
{
	wire_start(&server, usual_options);
}

static void
stop_usual(void)
{
	ck_assert_int_eq(wire_stop(&server), 0);
}

static struct buf
request_buf(void)
{
	static char array[64 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	return b;
}

/* Send a request, which is written for Microsoft, as it is at the provider. */
static void
ask(struct span request)
{
	static char array[128 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	support_put(&b, request);
	ck_assert(buf_ok(&b));
	wire_ask(&server, buf_span(&b), &answer);
}

static void
ask_target(struct span target)
{
	struct buf b = request_buf();

	buf_puts(&b, "GET ");
	buf_put(&b, target);
	buf_puts(&b, " HTTP/1.1\r\nHost: oauth.example.com\r\n\r\n");
	ask(buf_span(&b));
}

static void
assert_location(const char *microsofts, struct span rest)
{
	char prefix[256];
	struct span location;
	struct buf b;
	size_t len;

	buf_init(&b, prefix, sizeof(prefix));
	support_put(&b, span_of(microsofts));
	len = b.len;

	ck_assert_int_eq(answer.status, 302);
	ck_assert(wire_field(&answer, "Location", &location));
	ck_assert_uint_eq(location.len, len + rest.len);
	ck_assert_mem_eq(location.data, prefix, len);
	ck_assert_mem_eq(location.data + len, rest.data, rest.len);
}

/* --- the callback --- */

static const struct span queries[] = {
	SPAN(""),
	SPAN("?"),
	SPAN("??"),
	SPAN("?code=abc&state=xyz"),
	SPAN("?code=a+b%20c%2Bd"),
	SPAN("?code=%2f%2F%3a%3A"),
	SPAN("?state=%00"),
	SPAN("?error_description=AADSTS900144%3a+The+request%0d%0aTrace+ID%3a+1"),
	SPAN("?a=%zz&b=%&c=%4"),
	SPAN("?a=1?b=2?c=3"),
	SPAN("?code=1&code=2&state=&state"),
	SPAN("?a&&b==&=&="),
	SPAN("?&&&&&&&&"),
	SPAN("?name=caf\xc3\xa9"),
	SPAN("?name=\xff\xfe\x80"),
	SPAN("?state={\"recall_calendar_auth_token\":\"a\",\"x\":[1,2]}"),
	SPAN("?q='\"<>|\\^`~"),
	SPAN("?a=;b=,c=(d)!*$@:/"),
	SPAN("?code=M.C552_BL2.2.U.11111111-2222-3333-4444-555555555555"),
	SPAN("?state=%7b%22recall%22%3a%22a+b%22%7d&session_state=1"),
	SPAN("?%63ode=x"),
	SPAN("?admin_consent=True&tenant=x&error=access_denied"),
	SPAN("?http://other.example/?a=b"),
	SPAN("?a=../../..//"),
	SPAN("?%252B%2525"),
	SPAN("?code=1&utf=%E2%82%AC&euro=\xe2\x82\xac"),
	SPAN("?a=[]&b[]=1"),
	SPAN("?Location:x"),
};

START_TEST(passes_the_query_on_byte_for_byte)
{
	static const char *const paths[] = { "/api/ms_oauth_callback", "/api/ms_oauth_callback/",
		"http://oauth.example.com/api/ms_oauth_callback",
		"HTTPS://x:1/api/ms_oauth_callback/" };
	char array[1024];
	struct buf target;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		buf_init(&target, array, sizeof(array));
		buf_puts(&target, paths[i]);
		buf_put(&target, queries[_i]);
		ask_target(buf_span(&target));
		assert_location(TARGET, queries[_i]);
	}
}
END_TEST

static struct span
long_target(size_t query_bytes, const char *filling)
{
	static char array[64 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	buf_puts(&b, "/api/ms_oauth_callback?");
	for (size_t i = 0; i < query_bytes; i++)
		buf_putc(&b, filling[i % strlen(filling)]);
	return buf_span(&b);
}

static const char *const fillings[] = { "x", "&", "a=1&", "=", "%", "%41", "\xff", "+" };

START_TEST(passes_the_longest_query_and_refuses_one_more)
{
	struct span target = long_target(8192, fillings[_i]);

	ask_target(target);
	assert_location(TARGET, span_from(target, strlen("/api/ms_oauth_callback")));
	ask_target(long_target(8193, fillings[_i]));
	ck_assert_int_eq(answer.status, 414);
	ask_target(long_target(12000, fillings[_i]));
	ck_assert_int_eq(answer.status, 414);
}
END_TEST

/* Whatever the sizes of query, cookie and other headers: there is an answer. */
START_TEST(never_answers_a_large_head_with_silence)
{
	static const size_t sizes[] = { 0, 1000, 4000, 8000, 12000, 16000, 24000, 40000 };
	struct span target = long_target((size_t)_i * 2048, "a=1&");
	struct buf b;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		b = request_buf();
		buf_puts(&b, "GET ");
		buf_put(&b, target);
		buf_puts(&b, " HTTP/1.1\r\nHost: h\r\nCookie: ");
		for (size_t n = 0; n < sizes[i]; n++)
			buf_putc(&b, "a=b; "[n % 5]);
		buf_puts(&b, "\r\n\r\n");
		wire_ask(&server, buf_span(&b), &answer);
		ck_assert_msg(answer.status == 302 || answer.status == 431 || answer.status == 414,
		    "query %d, cookie %zu: %d", _i * 2048, sizes[i], answer.status);
	}
}
END_TEST

START_TEST(never_answers_many_headers_with_silence)
{
	struct buf b = request_buf();

	buf_puts(&b, "GET /api/ms_oauth_callback?code=1 HTTP/1.1\r\nHost: h\r\n");
	for (int i = 0; i < _i * 40; i++)
		buf_printf(&b, "X-%d: v\r\n", i);
	buf_puts(&b, "\r\n");
	wire_ask(&server, buf_span(&b), &answer);
	ck_assert_int_eq(answer.status, _i * 40 + 1 <= 128 ? 302 : 431);
}
END_TEST

/* A target, so many x after it, and what grows: one field, cookies of 60 bytes, or fields. */
static const struct {
	const char *target;
	size_t filling;
	const char *before, *unit;
	size_t unit_len;
} heads[] = {
	{ "/connect?x", 0, "A: ", "x", 1 },
	{ "/connect?x", 0, "Cookie: ", "x", 1 },
	{ "/connect?recall_calendar_auth_token=", 1000, "Cookie: ", "x", 1 },
	{ "/api/ms_oauth_callback?", 6000, "Cookie: ", "x", 1 },
	{ "/api/ms_oauth_callback?", 6000, "A: ", "x", 1 },
	{ "/api/ms_oauth_callback?", 8192,
	    "Cookie: ", "cookie=vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv; ", 60 },
	{ "/api/ms_oauth_callback?", 1, "A: x",
	    "\r\nField: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv",
	    83 },
	{ "/api/ms_oauth_callback?", 1, "A: x", "\r\na:", 4 },
};

/* The head whose grown part has this size. */
static struct buf
make_head(int head, size_t size)
{
	struct buf b = request_buf();

	buf_printf(&b, "GET %s", heads[head].target);
	for (size_t i = 0; i < heads[head].filling; i++)
		buf_putc(&b, 'x');
	buf_printf(&b, " HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n%s", heads[head].before);
	for (size_t i = 0; i < size; i++)
		buf_putc(&b, heads[head].unit[i % heads[head].unit_len]);
	buf_puts(&b, "\r\n\r\n");
	return b;
}

static int
ask_head(int head, size_t size)
{
	enum { MOST_HEAD = 20 * 1024 };
	struct buf b = make_head(head, size);

	wire_ask(&server, buf_span(&b), &answer);
	/* Of heads that are nearly too long, or are, later libraries leave some without an answer.
	 */
	ck_assert_msg(
	    answer.status != 0 || (b.len > MOST_HEAD && wire_has_library(&server, "1.0.2")),
	    "row %d, %zu bytes: silence", head, size);
	return answer.status;
}

/* In large steps, and in small ones where the status changes: there the memory just suffices. */
START_TEST(answers_every_head)
{
	enum { STEP = 256 };
	int last = ask_head(_i, 1000);

	for (size_t size = 1000; size < 34000; size += STEP) {
		int status = ask_head(_i, size);

		for (size_t fine = size - STEP; status != last && fine < size; fine += 8)
			ask_head(_i, fine);
		last = status;
	}
	ck_assert_int_eq(last, 431);
}
END_TEST

/* Around where the pool is full, whether a refusal or an answer goes out. */
START_TEST(answers_heads_that_fill_the_pool)
{
	size_t from = 27 * 1024 - 1200 - heads[_i].filling;

	for (size_t size = from; size < from + 1200; size += 13)
		ask_head(_i, size);
}
END_TEST

/* What other requests, which follow in the same segment, take of the pool, is no reason for
 * silence. */
START_TEST(answers_large_heads_before_pipelined_requests)
{
	struct buf b = make_head(3, 1000 + 500 * (size_t)_i);
	struct wire wire;

	for (int i = 0; i < 300; i++)
		buf_puts(&b, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert(buf_ok(&b));
	wire_connect(&server, &wire);
	wire_send(&wire, buf_span(&b));
	wire_receive(&wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 302);
	wire_close(&wire);
}
END_TEST

/* What nginx lets pass by default: Cookie lines of nearly 8 KiB beside the query; many fields. */
static const struct {
	size_t query, cookies;
	int fields;
	int status;
} usual_heads[] = {
	{ 1600, 7900, 0, 302 },
	{ 1600, 8190, 0, 302 },
	{ 8192, 8190, 0, 302 },
	{ 1600, 0, 100, 302 },
	{ 1600, 8190, 100, 302 },
	{ 8192, 0, 100, 302 },
	{ 1600, 0, 126, 302 },
	{ 1600, 0, 127, 431 },
};

START_TEST(answers_what_proxies_let_pass)
{
	static const char cookie[] = "cookie=vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv; ";
	struct buf b = request_buf();

	buf_puts(&b, "GET /api/ms_oauth_callback?");
	for (size_t i = 0; i < usual_heads[_i].query; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, " HTTP/1.1\r\nHost: h\r\nCookie: ");
	for (size_t i = 0; i < usual_heads[_i].cookies; i++)
		buf_putc(&b, cookie[i % (sizeof(cookie) - 1)]);
	for (int i = 0; i < usual_heads[_i].fields; i++)
		buf_printf(&b, "\r\nX-%d: v", i);
	buf_puts(&b, "\r\n\r\n");
	wire_ask(&server, buf_span(&b), &answer);
	ck_assert_int_eq(answer.status, usual_heads[_i].status);
}
END_TEST

static unsigned
count_in_log(const char *text)
{
	char *log = wire_log(&server);
	unsigned n = 0;

	for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
		n++;
	free(log);
	return n;
}

/* Ours and the library's: each has its line, with the cure, and a page. */
START_TEST(logs_heads_that_are_too_large)
{
	static const char hint[] = "raise limits.query_bytes";
	static const size_t bytes[] = { 24000, 25000, 27200, 40000 };
	unsigned before;

	usleep(200000); /* the log is written in the background */
	before = count_in_log(hint);
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		ck_assert_int_eq(ask_head(0, bytes[i]), i == 0 ? 400 : 431);
		ck_assert_ptr_nonnull(strstr(answer.bytes, "</html>"));
	}
	for (int i = 0; i < 50 && count_in_log(hint) < before + 3; i++)
		usleep(100000);
	ck_assert_uint_eq(count_in_log(hint), before + 3);
	ck_assert_uint_ge(count_in_log("\"status\":431,"), before + 3);
}
END_TEST

/* --- connections --- */

START_TEST(keeps_long_pipelined_requests_apart)
{
	struct span target = long_target(8192, "x");
	struct buf b = request_buf();
	struct wire wire;

	for (int i = 0; i < 4; i++) {
		buf_puts(&b, "GET ");
		buf_put(&b, target);
		buf_puts(&b, " HTTP/1.1\r\nHost: h\r\n\r\n");
	}
	wire_connect(&server, &wire);
	wire_send(&wire, buf_span(&b));
	for (int i = 0; i < 4; i++) {
		wire_receive(&wire, false, wire_patience(), &answer);
		ck_assert_msg(answer.status == 302, "request %d: %d", i, answer.status);
	}
	wire_close(&wire);
}
END_TEST

/* --- bodies --- */

static void
post(const char *path, const char *type, struct span body, size_t declared)
{
	struct buf b = request_buf();

	buf_printf(&b,
	    "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", path,
	    type, declared);
	buf_put(&b, body);
	ask(buf_span(&b));
}

START_TEST(reads_a_body_up_to_its_limit)
{
	static char body[16 * 1024 + 1];
	struct span whole = { body, sizeof(body) - 1 };

	memset(body, '&', sizeof(body));
	memcpy(body, "recall_calendar_auth_token=t", 28);
	post("/connect", "application/x-www-form-urlencoded", whole, whole.len);
	ck_assert_int_eq(answer.status, 303);
	whole.len++;
	post("/connect", "application/x-www-form-urlencoded", whole, whole.len);
	ck_assert_int_eq(answer.status, 413);
}
END_TEST

START_TEST(reads_a_chunked_body_up_to_its_limit)
{
	struct buf b = request_buf();
	static const char head[] =
	    "POST /connect HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
	    "Content-Type: application/x-www-form-urlencoded\r\n\r\n";

	buf_puts(&b, head);
	buf_puts(&b, "1c\r\nrecall_calendar_auth_token=t\r\n1\r\n&\r\n0\r\n\r\n");
	ask(buf_span(&b));
	ck_assert_int_eq(answer.status, 303);
	b = request_buf();
	buf_puts(&b, head);
	buf_puts(&b, "4001\r\n");
	for (int i = 0; i < 0x4001; i++)
		buf_putc(&b, '&');
	buf_puts(&b, "\r\n0\r\n\r\n");
	ask(buf_span(&b));
	ck_assert_int_eq(answer.status, 413);
}
END_TEST

START_TEST(tells_form_post_what_is_wrong)
{
	post("/api/ms_oauth_callback", "application/x-www-form-urlencoded",
	    (struct span)SPAN("code=1&state=2"), 14);
	ck_assert_int_eq(answer.status, 405);
	ck_assert_ptr_nonnull(strstr(answer.bytes, "response_mode=query"));
}
END_TEST

/* --- what is never said --- */

#define MARK "5ecretMarker"

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", MARK,
	"B@D" };
static const char *const paths[] = { "/api/ms_oauth_callback", "/api/ms_oauth_callback/",
	"/connect", "/connect/admin", "/api/ms_admin_consent_callback",
	"/.well-known/microsoft-identity-association.json", "/healthz", "/readyz", "/" MARK, "//",
	"*", "http://h/connect" };
static const char *const marked_queries[] = {
	"?code=" MARK "&state=" MARK "&session_state=" MARK,
	"?error=" MARK "&error_description=" MARK "&error_subcode=" MARK "&state=" MARK,
	"?error=access_denied&error_subcode=cancel&state=" MARK "&error_description=" MARK,
	"?recall_calendar_auth_token=" MARK "&login_hint=" MARK "%40x.example",
	"?recall_calendar_auth_token=" MARK "%00&login_hint=" MARK,
	"?recall_calendar_auth_token=" MARK "&success_url=https://" MARK ".example/",
	"?recall_calendar_auth_token=" MARK "&prompt=" MARK,
	"?tenant=" MARK,
	"?admin_consent=True&tenant=" MARK "&state=" MARK "&scope=" MARK "&error=" MARK,
	"?recall_calendar_auth_token=" MARK "&" MARK "=" MARK,
	"?login_hint=" MARK "&login_hint=" MARK,
	"?code=" MARK "\x01&state=" MARK,
	"?code=" MARK "#" MARK,
};
static const char *const marked_tails[] = {
	"",
	"Accept: text/html\r\n",
	"Accept: application/json\r\n",
	"Cookie: " MARK "=" MARK "\r\nReferer: https://" MARK ".example\r\nX-" MARK ": " MARK
	"\r\n",
	"Host: " MARK "\r\n",
	"Content-Length: " MARK "\r\n",
	"Transfer-Encoding: " MARK "\r\n",
	"Bad Header " MARK ": x\r\n",
};

static const struct span marked_bodies[] = {
	SPAN("{\"" MARK "\":\"" MARK "\"}"),
	SPAN("{\"recall_calendar_auth_token\":\"" MARK "\",\"prompt\":\"" MARK "\"}"),
	SPAN("{\"recall_calendar_auth_token\":\"" MARK "\",\"success_url\":\"https://" MARK
	     ".example/\"}"),
	SPAN("{\"recall_calendar_auth_token\":\"" MARK "\",\"login_hint\":\"" MARK "\\n\"}"),
	SPAN("{\"recall_calendar_auth_token\":\"" MARK "\",\"login_hint\":[\"" MARK "\"]}"),
	SPAN("{\"recall_calendar_auth_token\":\"" MARK "\" " MARK "}"),
	SPAN("\"" MARK "\""),
};

/* The marker may stand where it was asked to go: in Location, and in the URL that JSON returns. */
static void
assert_says_no_secret(const char *request)
{
	struct span body = wire_body(&answer);
	bool is_url = answer.status == 200 && strstr(request, "application/json") != NULL;

	ck_assert_msg(is_url || memmem(body.data, body.len, MARK, strlen(MARK)) == NULL,
	    "%s\n said\n%s", request, answer.bytes);
}

static void
ask_marked(const char *method, const char *path, const char *query, const char *tail)
{
	struct buf b = request_buf();

	buf_printf(&b, "%s %s%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n", method, path,
	    query, tail);
	ask(buf_span(&b));
	assert_says_no_secret(b.data);
}

static void
assert_log_has_no_secret(void)
{
	char *log = wire_log(&server);

	ck_assert_ptr_nonnull(strstr(log, "\"event\":\"request\""));
	ck_assert_ptr_nonnull(strstr(log, "\"route\":\"callback\""));
	ck_assert_ptr_nonnull(strstr(log, "\"route\":\"connect\""));
	ck_assert_ptr_null(strstr(log, MARK));
	ck_assert_ptr_null(strcasestr(log, "marker"));
	free(log);
}

static void
ask_everything_marked(void)
{
	for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
		for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++)
			for (size_t q = 0; q < sizeof(marked_queries) / sizeof(marked_queries[0]);
			     q++)
				ask_marked(methods[m], paths[p], marked_queries[q],
				    marked_tails[(m + p + q) % 8]);
	for (size_t q = 0; q < sizeof(marked_queries) / sizeof(marked_queries[0]); q++)
		for (size_t t = 0; t < 8; t++)
			ask_marked("GET", paths[q % 3], marked_queries[q], marked_tails[t]);
	for (size_t q = 0; q < sizeof(marked_queries) / sizeof(marked_queries[0]); q++) {
		post("/connect", "application/x-www-form-urlencoded",
		    span_of(marked_queries[q] + 1), strlen(marked_queries[q] + 1));
		assert_says_no_secret("");
	}
	for (size_t b = 0; b < sizeof(marked_bodies) / sizeof(marked_bodies[0]); b++) {
		post("/connect", "application/json", marked_bodies[b], marked_bodies[b].len);
		ck_assert_int_eq(answer.status, 400);
		assert_says_no_secret("");
		post("/connect", "text/" MARK, marked_bodies[b], marked_bodies[b].len);
		ck_assert_int_eq(answer.status, 415);
		assert_says_no_secret("");
	}
}

/* All that can be logged, in both formats, and the least: a level in between leaves some out. */
static const char *const log_settings[][2] = {
	{ "--log.level=debug", "--log.format=json" },
	{ "--log.level=debug", "--log.format=text" },
	{ "--log.level=error", "--log.format=text" },
};

START_TEST(keeps_secrets_out_of_bodies_and_log)
{
	ask_everything_marked();
	assert_log_has_no_secret();
}
END_TEST

/* Above info the log does not name the port, so it is chosen here. */
START_TEST(keeps_secrets_out_in_both_formats)
{
	const char *options[16];
	char port[32];
	size_t n = 0;
	char *log;

	for (; n < 7; n++)
		options[n] = usual_options[n];
	snprintf(port, sizeof(port), "--listen.port=%u", wire_free_port());
	options[0] = port;
	options[n++] = log_settings[_i][0];
	options[n++] = log_settings[_i][1];
	options[n++] = "--callback.admin_wall=page";
	options[n++] = "--app.name=Notes";
	options[n++] = "--app.url=https://app.example.com";
	options[n] = NULL;
	wire_start(&server, options);
	ask_everything_marked();
	log = wire_log(&server);
	ck_assert(
	    _i >= 2 || support_provider->id != MICROSOFT || strstr(log, "admin_wall") != NULL);
	ck_assert_ptr_null(strstr(log, MARK));
	free(log);
	ck_assert_int_eq(wire_stop(&server), 0);
}
END_TEST

/* The same, so that a marker that cannot be found would be noticed. */
START_TEST(leak_test_would_find_a_leak)
{
	ask_target((struct span)SPAN("/connect?recall_calendar_auth_token=" MARK));
	ck_assert_int_eq(answer.status, 302);
	ck_assert_ptr_nonnull(strstr(answer.bytes, MARK));
}
END_TEST

/* --- endurance --- */

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A good request, or one with a few bytes changed, cut off or doubled. */
static struct span
mutated_request(uint32_t *state, bool broken)
{
	struct buf b = request_buf();
	size_t end;

	buf_printf(&b,
	    "%s /api/ms_oauth_callback?code=%u&state=x HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
	    next_random(state) % 8 == 0 ? "HEAD" : "GET", next_random(state));
	for (uint32_t i = next_random(state) % 4 + 1; broken && i > 0; i--)
		b.data[next_random(state) % b.len] = (char)next_random(state);
	end = broken && next_random(state) % 4 == 0 ? next_random(state) % b.len : b.len;
	return (struct span){ b.data, end };
}

START_TEST(survives_broken_requests)
{
	uint32_t state = 1;
	struct wire wire;

	for (int i = 0; i < 2000; i++) {
		struct span request = mutated_request(&state, i % 2 == 1);

		wire_connect(&server, &wire);
		wire_send(&wire, request);
		wire_half_close(&wire);
		wire_receive(&wire, request.data[0] == 'H', wire_patience(), &answer);
		wire_close(&wire);
		ck_assert_msg(
		    i % 2 == 1 || answer.status == 302, "good request %d: %d", i, answer.status);
	}
}
END_TEST

/* --- the process --- */

static const struct {
	const char *options[6];
	int status;
	const char *says;
} runs[] = {
	{ { "--version" }, 0, "recall-redirectd " },
	{ { "--help" }, 0, "usage: recall-redirectd" },
	{ { "check" }, 0,
	    "Answers go to https://us-east-1.recall.ai (default)\nThe configuration is good.\n" },
	{ { "check", "--recall.region=us-west-2" }, 0,
	    "Answers go to https://us-west-2.recall.ai (recall.region)\n" },
	{ { "check", "--recall.base_url=https://r.example" }, 0,
	    "Answers go to https://r.example (recall.base_url)\n" },
	{ { "config", "--listen.port=81" }, 0, "listen.port = 81 (--listen.port)" },
	{ { "setup", "--public_url=https://o.example", "--microsoft.client_id=" CLIENT_ID }, 0,
	    "https://o.example/api/ms_oauth_callback" },
	{ { "setup" }, 78, "public_url is not set" },
	{ { "setup", "--public_url=https://o.example" }, 0, "(not set yet: comes with" },
	{ { "setup", "--public_url=https://o.example" }, 0,
	    "Authorized redirect URIs: https://o.example/api/google_oauth_callback\n" },
	{ { "setup", "--public_url=https://o.example", "--google.client_id=" GOOGLE_ID }, 0,
	    "1. Google Cloud console" },
	{ { "setup", "--public_url=https://o.example", "--google.client_id=" GOOGLE_ID }, 0,
	    "   Client ID                " GOOGLE_ID "\n" },
	{ { "setup", "--public_url=https://o.example", "--google.client_id=" GOOGLE_ID }, 0,
	    "/dashboard/platforms/google\n" },
	{ { "setup", "--public_url=https://o.example", "--google.client_id=" GOOGLE_ID,
	      "--microsoft.client_id=" CLIENT_ID },
	    0, "4. Google Cloud console" },
	{ { "check", "--public_url=https://o.example", "--google.client_id=" GOOGLE_ID }, 0,
	    "Check at Google: this redirect URI has to be registered, to the letter: "
	    "https://o.example/api/google_oauth_callback\n" },
	{ { "setup", "--public_url=https://o.example", "--microsoft.client_id=" CLIENT_ID,
	      "--microsoft.tenant=organizations" },
	    0, "(Any Microsoft Entra ID tenant - Multitenant)\n" },
	{ { "setup", "--public_url=https://o.example", "--microsoft.client_id=" CLIENT_ID,
	      "--microsoft.tenant=consumers" },
	    0, "Personal Microsoft accounts only\n" },
	{ { "setup", "--public_url=https://o.example", "--microsoft.client_id=" CLIENT_ID,
	      "--microsoft.tenant=contoso.example" },
	    0, "in this organizational directory only (Single tenant)\n" },
	{ { "check", "--tls.certificate=/nonexistent/c", "--tls.private_key=/nonexistent/k" }, 78,
	    "error: /nonexistent/c: tls.certificate: cannot be read" },
	{ { "url", "--token=abc", "--public_url=https://o.example",
	      "--microsoft.client_id=" CLIENT_ID },
	    0,
	    "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=" CLIENT_ID },
	{ { "url", "--token=a<b", "--public_url=https://o.example",
	      "--microsoft.client_id=" CLIENT_ID },
	    1, "the token contains < or >" },
	{ { "url" }, 64, "--token" },
	{ { "url", "--token=abc" }, 78, "public_url is not set" },
	{ { "url", "--admin", "--public_url=https://o.example",
	      "--microsoft.client_id=" CLIENT_ID },
	    0,
	    "https://login.microsoftonline.com/organizations/v2.0/adminconsent?client_id=" CLIENT_ID },
	{ { "url", "--token=abc", "--provider=google", "--public_url=https://o.example",
	      "--google.client_id=" GOOGLE_ID },
	    0, "https://accounts.google.com/o/oauth2/v2/auth?client_id=" GOOGLE_ID "&" },
	{ { "url", "--token=abc", "--provider=google", "--public_url=https://o.example",
	      "--microsoft.client_id=" CLIENT_ID },
	    78, "url: google.client_id is not set" },
	{ { "url", "--admin", "--public_url=https://o.example" }, 78,
	    "microsoft.client_id is not set" },
	{ { "bogus" }, 64, "no such command" },
	{ { "--listen.prt=1" }, 64, "did you mean --listen.port?" },
	{ { "--listen.port=x" }, 78, "--listen.port: listen.port: is not a whole number" },
	{ { "check", "--listen.port=x" }, 78, "use a whole number from 0 to 65535" },
	{ { "-c", "/nonexistent/file.json" }, 78, "No such file or directory" },
	{ { "--tls.certificate=/nonexistent/c", "--tls.private_key=/nonexistent/k" }, 78,
	    "error: /nonexistent/c: tls.certificate: cannot be read" },
	{ { "healthcheck", "--listen.port=1" }, 1, "does not answer" },
};

START_TEST(commands_exit_as_documented)
{
	struct wire_server run;
	int status = wire_run(&run, runs[_i].options);
	char *log = wire_log(&run);

	ck_assert_msg(status == runs[_i].status && strstr(log, runs[_i].says) != NULL,
	    "exit %d, wanted %d; said %s", status, runs[_i].status, log);
	free(log);
	unlink(run.log_path);
}
END_TEST

/* What stands in the first line of standard input, as it is: a NUL ends nothing. */
static const struct {
	struct span input;
	size_t filling; /* so many x in front of it */
	int status;
	const char *says;
} lines[] = {
	{ SPAN("abc"), 0, 0, "%22abc%22" },
	{ SPAN("abc\ndef\n"), 0, 0, "%22abc%22" },
	{ SPAN("abc\r\n"), 0, 0, "%22abc%22" },
	{ SPAN(""), 0, 1, "the token is empty" },
	{ SPAN("\nabc\n"), 0, 1, "the token is empty" },
	{ SPAN("abc\0def\n"), 0, 1, "the token contains a control byte" },
	{ SPAN("abc\rdef\n"), 0, 1, "the token contains a control byte" },
	{ SPAN("\n"), 2048, 0, "xxx%22" },
	{ SPAN("\n"), 2049, 1, "the token is too long" },
	{ SPAN("\n"), 100000, 1, "the token is too long" },
};

START_TEST(reads_a_token_from_standard_input)
{
	char path[] = "/tmp/redirectd-token.XXXXXX", *log;
	int fd = mkstemp(path), kept = dup(STDIN_FILENO), status;
	struct wire_server run;

	for (size_t i = 0; i < lines[_i].filling; i++)
		ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(
	    write(fd, lines[_i].input.data, lines[_i].input.len), (ssize_t)lines[_i].input.len);
	lseek(fd, 0, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);
	unlink(path);
	status = wire_run(
	    &run, (const char *[]){ "url", "--token", "-", "--public_url=https://o.example",
		      "--microsoft.client_id=" CLIENT_ID, NULL });
	dup2(kept, STDIN_FILENO);
	close(kept);
	log = wire_log(&run);
	ck_assert_msg(status == lines[_i].status && strstr(log, lines[_i].says) != NULL,
	    "exit %d, wanted %d; said %s", status, lines[_i].status, log);
	free(log);
	unlink(run.log_path);
}
END_TEST

START_TEST(says_when_the_port_is_taken)
{
	struct wire_server second;
	char port[32];
	char *log;

	snprintf(port, sizeof(port), "--listen.port=%u", server.port);
	ck_assert_int_eq(
	    wire_run(&second, (const char *[]){ port, "--listen.address=127.0.0.1", NULL }), 69);
	log = wire_log(&second);
	ck_assert_ptr_nonnull(strstr(log, "Address already in use"));
	free(log);
	unlink(second.log_path);
	ck_assert_int_eq(wire_run(&second, (const char *[]){ "healthcheck", port, NULL }), 0);
	unlink(second.log_path);
	snprintf(port, sizeof(port), "--admin.port=%u", server.port);
	ck_assert_int_eq(wire_run(&second, (const char *[]){ port, "--admin.address=127.0.0.1",
					       "--listen.port=0", NULL }),
	    69);
	log = wire_log(&second);
	ck_assert_ptr_nonnull(strstr(log, "\"listener\":\"admin\""));
	free(log);
	unlink(second.log_path);
}
END_TEST

START_TEST(works_without_configuration)
{
	wire_start(&server, bare_options);
	ask_target((struct span)SPAN("/api/ms_oauth_callback?code=1"));
	assert_location(TARGET, (struct span)SPAN("?code=1"));
	ask_target((struct span)SPAN("/connect"));
	ck_assert_int_eq(answer.status, 501);
	ck_assert_ptr_nonnull(strstr(answer.bytes, "public_url and microsoft.client_id"));
	ck_assert_int_eq(wire_stop(&server), 0);
}
END_TEST

static const int end_signals[] = { SIGTERM, SIGINT };

START_TEST(stops_on_signals)
{
	int status;

	wire_start(&server, bare_options);
	ck_assert_int_eq(kill(server.pid, end_signals[_i]), 0);
	ck_assert_int_eq(waitpid(server.pid, &status, 0), server.pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	unlink(server.log_path);
}
END_TEST

static void
add_tests(TCase *tests)
{
	tcase_set_timeout(tests, 600);
	tcase_add_unchecked_fixture(tests, start_usual, stop_usual);
	LOOP(tests, passes_the_query_on_byte_for_byte, queries);
	LOOP(tests, passes_the_longest_query_and_refuses_one_more, fillings);
	tcase_add_test(tests, reads_a_body_up_to_its_limit);
	tcase_add_test(tests, reads_a_chunked_body_up_to_its_limit);
	tcase_add_test(tests, tells_form_post_what_is_wrong);
	tcase_add_test(tests, keeps_secrets_out_of_bodies_and_log);
	tcase_add_test(tests, leak_test_would_find_a_leak);
	LOOP(tests, keeps_secrets_out_in_both_formats, log_settings);
}

static TCase *
requests_case(void)
{
	TCase *tests = tcase_create("requests");

	tcase_set_timeout(tests, 600);
	tcase_add_unchecked_fixture(tests, start_usual, stop_usual);
	tcase_add_loop_test(tests, never_answers_a_large_head_with_silence, 0, 8);
	tcase_add_loop_test(tests, never_answers_many_headers_with_silence, 0, 8);
	LOOP(tests, answers_every_head, heads);
	tcase_add_loop_test(tests, answers_heads_that_fill_the_pool, 0, 5);
	tcase_add_loop_test(tests, answers_large_heads_before_pipelined_requests, 0, 26);
	LOOP(tests, answers_what_proxies_let_pass, usual_heads);
	tcase_add_test(tests, logs_heads_that_are_too_large);
	tcase_add_test(tests, keeps_long_pipelined_requests_apart);
	tcase_add_test(tests, survives_broken_requests);
	tcase_add_test(tests, says_when_the_port_is_taken);
	return tests;
}

static TCase *
process_case(void)
{
	TCase *tests = tcase_create("process");

	tcase_set_timeout(tests, 600);
	LOOP(tests, commands_exit_as_documented, runs);
	LOOP(tests, reads_a_token_from_standard_input, lines);
	LOOP(tests, stops_on_signals, end_signals);
	tcase_add_test(tests, works_without_configuration);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("server");

	support_at_every_provider(suite, add_tests);
	suite_add_tcase(suite, requests_case());
	suite_add_tcase(suite, process_case());
	return support_run(suite);
}
