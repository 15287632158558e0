/*
 * Responses on their way out, and what they leave in the loop's arrays. libmicrohttpd is played by
 * the functions below.
 */
#include "mhd/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/app.h"
#include "http/screen.h"
#include "support.h"

enum { POOL_BYTES = 27 * 1024 };

/* --- libmicrohttpd: what was queued, as text --- */

static char queued_array[64 * 1024];
static struct buf queued;
static unsigned queued_status;
static bool has_no_memory;

struct MHD_Response *
MHD_create_response_from_buffer(size_t size, void *bytes, enum MHD_ResponseMemoryMode mode)
{
	(void)size;
	(void)bytes;
	(void)mode;
	buf_init(&queued, queued_array, sizeof(queued_array));
	return has_no_memory ? NULL : (struct MHD_Response *)(void *)&queued;
}

enum MHD_Result
MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value)
{
	buf_printf((struct buf *)(void *)response, "%s: %s\n", name, value);
	return MHD_YES;
}

void
MHD_destroy_response(struct MHD_Response *response)
{
	(void)response;
}

enum MHD_Result
MHD_queue_response(
    struct MHD_Connection *connection, unsigned status, struct MHD_Response *response)
{
	(void)connection;
	(void)response;
	queued_status = status;
	return MHD_YES;
}

const char *
MHD_get_reason_phrase_for(unsigned status)
{
	return status == 302 ? "Found" : "Other";
}

const union MHD_ConnectionInfo *
MHD_get_connection_info(struct MHD_Connection *connection, enum MHD_ConnectionInfoType type, ...)
{
	(void)connection;
	(void)type;
	return NULL;
}

/* --- a loop and a request --- */

#define MARK  "SECRETMARK"
#define TOKEN "recall_calendar_auth_token=" MARK
#define ENOUGH                                                                                     \
	"\"public_url\": \"https://o.example.com\", \"microsoft.client_id\": "                     \
	"\"11111111-2222-3333-4444-555555555555\", \"log.access\": false"

static struct loop loop;
static struct watchdog dog;
static struct recent recent = { .mutex = PTHREAD_MUTEX_INITIALIZER };
static struct record record;
static struct header header;

static void
set_up(void)
{
	loop = (struct loop){ .watchdog = &dog,
		.recent = &recent,
		.pool_bytes = POOL_BYTES,
		.array_size = POOL_BYTES,
		.location = calloc(1, POOL_BYTES),
		.body = calloc(1, POOL_BYTES) };
	record = (struct record){ 0 };
	queued_status = 0;
	has_no_memory = false;
	buf_init(&queued, queued_array, sizeof(queued_array));
}

static void
tear_down(void)
{
	free(loop.location);
	free(loop.body);
}

static bool
has_mark(void)
{
	return memmem(loop.location, POOL_BYTES, MARK, strlen(MARK)) != NULL ||
	       memmem(loop.body, POOL_BYTES, MARK, strlen(MARK)) != NULL;
}

/* Until the response is there, but has not been sent. */
static void
answer(struct exchange *x, const struct config *config, const char *target, size_t head_bytes)
{
	*x = (struct exchange){ .loop = &loop,
		.record = &record,
		.config = config,
		.response = &loop.response,
		.request = {
		    .id = "0123456789abcdef",
		    .method = SPAN("GET"),
		    .target = span_of(target),
		    .headers = &header,
		    .n_headers = header.name.len > 0,
		    .head_bytes = head_bytes,
		    .body = SPAN(""),
		} };
	app_find_route(&x->request);
	reply_open(x);
	app_handle(config, &x->request, x->response);
}

#define ENFORCE "\"callback.browser_binding\": \"enforce\""

static const struct {
	const char *config; /* besides ENOUGH */
	const char *target;
	const char *accept;
	int status;
	bool shows;  /* the mark goes out, as it has to */
	bool leaves; /* and is in the arrays until then: the positive control */
} answers[] = {
	{ "", "/api/ms_oauth_callback?code=" MARK, "", 302, true, true },
	{ "", "/connect?" TOKEN, "", 302, true, true },
	{ "", "/connect?" TOKEN, "application/json", 200, false, true },
	{ "," ENFORCE, "/api/ms_oauth_callback?code=" MARK "&state=%7B%7D", "text/html", 403, false,
	    true },
	{ "," ENFORCE, "/api/ms_oauth_callback?code=" MARK "&state=%7B%7D", "", 403, false, true },
	{ "", "/connect?" TOKEN "&x=1", "", 400, false, false },
	{ "", "/connect?" TOKEN "&" TOKEN, "text/html", 400, false, false },
	{ "", "/nothing?" TOKEN, "", 404, false, false },
};

START_TEST(leaves_no_secret_in_the_arrays)
{
	char text[512];
	struct config *config;
	struct exchange x;

	snprintf(text, sizeof(text), "{" ENOUGH "%s}", answers[_i].config);
	config = support_config(text, NULL);
	header = (struct header){ SPAN("Accept"), span_of(answers[_i].accept) };
	answer(&x, config, answers[_i].target, 200);
	ck_assert_int_eq(has_mark(), answers[_i].leaves);
	ck_assert_int_eq(reply_send(&x), MHD_YES);
	ck_assert(!has_mark());
	ck_assert_uint_eq(queued_status, (unsigned)answers[_i].status);
	ck_assert_int_eq(strstr(queued.data, MARK) != NULL, answers[_i].shows);
	config_free(config);
}
END_TEST

/* What did not fit into its array, or had no memory to go out, is wiped as well. */
START_TEST(leaves_no_secret_of_what_failed)
{
	struct config *config = support_config("{" ENOUGH "}", NULL);
	struct exchange x;

	header = (struct header){ SPAN(""), SPAN("") };
	loop.array_size = 120;
	answer(&x, config,
	    "/api/ms_oauth_callback?code=" MARK "&state=0123456789012345678901234567890123456789",
	    200);
	ck_assert_int_eq(x.response->status, 431);
	reply_send(&x);
	ck_assert(!has_mark());
	loop.array_size = POOL_BYTES;
	has_no_memory = true;
	answer(&x, config, "/connect?" TOKEN, 200);
	ck_assert(has_mark());
	ck_assert_int_eq(reply_send(&x), MHD_NO);
	ck_assert(!has_mark());
	config_free(config);
}
END_TEST

/* Past the library, which has no memory, but as a page like any other. */
START_TEST(answers_without_memory)
{
	struct config *config = support_config("{" ENOUGH "}", NULL);
	char seen[8192] = "";
	struct exchange x;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	record.watched.fd = pair[0];
	header = (struct header){ SPAN("Accept"), SPAN("text/html") };
	answer(&x, config, "/api/ms_oauth_callback?code=" MARK, 200);
	has_no_memory = true;
	ck_assert_int_eq(reply_send(&x), MHD_NO);
	recv(pair[1], seen, sizeof(seen) - 1, MSG_DONTWAIT);
	ck_assert_ptr_eq(strstr(seen, "HTTP/1.1 503 Other\r\n"), seen);
	ck_assert_ptr_nonnull(strstr(seen, "<h1>Please try again in a minute</h1>"));
	ck_assert_ptr_nonnull(strstr(seen, "reason <code>out_of_memory</code>"));
	ck_assert_ptr_nonnull(strstr(seen, "\r\nX-Request-Id: 0123456789abcdef\r\n"));
	ck_assert_ptr_null(strstr(seen, "Location"));
	ck_assert_ptr_null(strstr(seen, MARK));
	ck_assert_uint_eq(queued_status, 0);
	close(pair[0]);
	close(pair[1]);
	config_free(config);
}
END_TEST

/* The head of a 302, in a pool with as much room, and with a byte less. */
static const struct {
	size_t head_bytes, n_records;
	bool is_direct;
} rooms[] = {
	{ 200, 10, false },
	{ 13000, 10, false },
	{ POOL_BYTES - 2500, 10, false },
	{ POOL_BYTES - 1000, 10, true },
	{ POOL_BYTES - 100, 1, true },
	{ POOL_BYTES + 1000, 1, true },
	{ 200, 200, false },
	{ 200, 210, true },
	{ 200, 1000, true },
	{ 20000, 80, false },
	{ 20000, 120, true },
};

static const char direct_answer[] =
    "HTTP/1.1 302 Found\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nConnection: close\r\n"
    "Content-Length: 0\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    "Location: https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=" MARK
    "\r\n\r\n";

START_TEST(writes_what_has_no_room_in_the_pool)
{
	struct config *config = support_config("{" ENOUGH "}", NULL);
	char seen[2048] = "";
	struct exchange x;
	int pair[2];

	header = (struct header){ SPAN(""), SPAN("") };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	record.watched.fd = pair[0];
	answer(&x, config, "/api/ms_oauth_callback?code=" MARK, rooms[_i].head_bytes);
	x.n_records = rooms[_i].n_records;
	reply_open(&x);
	app_handle(config, &x.request, x.response);
	ck_assert_int_eq(reply_send(&x), rooms[_i].is_direct ? MHD_NO : MHD_YES);
	recv(pair[1], seen, sizeof(seen) - 1, MSG_DONTWAIT);
	ck_assert_str_eq(seen, rooms[_i].is_direct ? direct_answer : "");
	ck_assert_uint_eq(queued_status, rooms[_i].is_direct ? 0 : 302);
	ck_assert(!has_mark());
	close(pair[0]);
	close(pair[1]);
	config_free(config);
}
END_TEST

/* A HEAD request gets the head of the answer; a page goes out whole. */
START_TEST(writes_a_page_but_to_head)
{
	struct config *config = support_config("{" ENOUGH "}", NULL);
	char seen[8192] = "";
	struct exchange x;
	char *body;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	record.watched.fd = pair[0];
	header = (struct header){ SPAN("Accept"), SPAN("text/html") };
	answer(&x, config, "/nothing", POOL_BYTES);
	if (_i == 1)
		x.request.method = (struct span)SPAN("HEAD");
	ck_assert_int_eq(reply_send(&x), MHD_NO);
	recv(pair[1], seen, sizeof(seen) - 1, MSG_DONTWAIT);
	body = strstr(seen, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	ck_assert_int_eq(strlen(body + 4) > 0, _i == 0);
	if (_i == 0)
		ck_assert_uint_eq(
		    strtoul(strstr(seen, "Content-Length: ") + 16, NULL, 10), strlen(body + 4));
	close(pair[0]);
	close(pair[1]);
	config_free(config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("reply");
	TCase *tests = tcase_create("reply");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	LOOP(tests, leaves_no_secret_in_the_arrays, answers);
	tcase_add_test(tests, leaves_no_secret_of_what_failed);
	tcase_add_test(tests, answers_without_memory);
	LOOP(tests, writes_what_has_no_room_in_the_pool, rooms);
	tcase_add_loop_test(tests, writes_a_page_but_to_head, 0, 2);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
