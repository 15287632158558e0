/*
 * What an answer leaves in memory: nothing of the token, the state or the code. A thread answers on
 * a stack of its own, which is then read as the kernel sees it, because sanitizers and valgrind
 * know that nothing there is in use any more.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow/app.h"
#include "support.h"

enum { STACK_SIZE = 1024 * 1024 };

#define MARK  "hunter2hunter2hunter2hunter2"
#define TOKEN "recall_calendar_auth_token"
/* Before the last 64 bytes of what is hashed: those stay on GnuTLS's own stack. */
#define BLOCK MARK "-----------------------------------------------------------------"
#define HASH  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A row's texts are in static memory, which is not looked at, and so are these. */
static char location[16 * 1024], body[16 * 1024];
static struct config *config;
static char *stack;
static bool samples_state; /* what looks at the state last wipes where others were, too */

static const struct row {
	const char *method;
	struct span target;
	struct header headers[2];
	struct span body;
	size_t room; /* in location */
	int status;
} rows[] = {
	{ "GET", SPAN("/connect?" TOKEN "=" MARK), { { SPAN("Accept"), SPAN("text/html") } },
	    SPAN(""), sizeof(location), 302 },
	{ "GET", SPAN("/connect?" TOKEN "=" MARK), { { SPAN("Accept"), SPAN("application/json") } },
	    SPAN(""), sizeof(location), 200 },
	{ "GET", SPAN("/connect?" TOKEN "=" MARK),
	    { { SPAN("Accept"), SPAN("application/json, text/html;q=0.001") } }, SPAN(""),
	    sizeof(location), 302 },
	{ "GET", SPAN("/connect?login_hint=" MARK "&" TOKEN "=" MARK), { { SPAN(""), SPAN("") } },
	    SPAN(""), 64, 400 },
	{ "GET", SPAN("/connect?" TOKEN "=" MARK "&prompt=no"), { { SPAN(""), SPAN("") } },
	    SPAN(""), sizeof(location), 400 },
	{ "POST", SPAN("/connect"),
	    { { SPAN("Content-Type"), SPAN("application/x-www-form-urlencoded") } },
	    SPAN("login_hint=" MARK "&" TOKEN "=" MARK), sizeof(location), 303 },
	{ "POST", SPAN("/connect"), { { SPAN("Content-Type"), SPAN("application/json") } },
	    SPAN("{\"" TOKEN "\":\"" MARK "\"}"), sizeof(location), 303 },
	{ "POST", SPAN("/connect"), { { SPAN("Content-Type"), SPAN("application/json") } },
	    SPAN("{\"" TOKEN "\":\"" MARK "\",\"prompt\":1}"), sizeof(location), 400 },
	{ "GET", SPAN("/api/ms_oauth_callback?code=" MARK "&state=" BLOCK),
	    { { SPAN("Cookie"), SPAN("__Host-redirectd-01234567-89abcdef=" HASH) } }, SPAN(""),
	    sizeof(location), 302 },
	{ "GET", SPAN("/api/ms_oauth_callback?code=" MARK "&state=%7B%22a%22:%22" BLOCK "%22%7D"),
	    { { SPAN(""), SPAN("") } }, SPAN(""), sizeof(location), 302 },
};

static void
set_up(void)
{
	config = support_usual_config();
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(stack, MAP_FAILED);
}

static void
tear_down(void)
{
	munmap(stack, STACK_SIZE);
	config_free(config);
}

static void
run_on_stack(void *(*run)(void *), void *cls)
{
	pthread_attr_t attributes;
	pthread_t thread;

	ck_assert_int_eq(pthread_attr_init(&attributes), 0);
	ck_assert_int_eq(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
	ck_assert_int_eq(pthread_create(&thread, &attributes, run, cls), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
}

static bool
is_on_stack(const char *text)
{
	static char seen[STACK_SIZE];
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	/* As an unsigned number: with 32 bits a pointer may be one that off_t takes for negative.
	 */
	ssize_t n = pread64(memory, seen, sizeof(seen), (off64_t)(uintptr_t)stack);

	close(memory);
	ck_assert_int_eq(n, STACK_SIZE);
	return memmem(seen, sizeof(seen), text, strlen(text)) != NULL;
}

static void *
answer(void *cls)
{
	const struct row *row = cls;
	struct request request = { .id = "0123456789abcdef",
		.method = span_of(row->method),
		.target = row->target,
		.headers = row->headers,
		.n_headers = 1,
		.body = row->body,
		.samples_state = samples_state };
	struct response response = { 0 };

	buf_init(&response.location, location, row->room);
	buf_init(&response.body, body, sizeof(body));
	app_find_route(&request);
	app_handle(config, &request, &response);
	ck_assert_int_eq(response.status, row->status);
	return NULL;
}

START_TEST(leaves_no_secret)
{
	struct row row = rows[_i / 2];

	samples_state = _i % 2 != 0;
	run_on_stack(answer, &row);
	ck_assert(!is_on_stack(MARK));
}
END_TEST

static void *
forget_to_wipe(void *cls)
{
	volatile char copy[8 * 1024]; /* its beginning lies below what the thread's end needs */
	const char *text = cls;

	for (size_t i = 0; i < sizeof(MARK); i++)
		copy[i] = text[i];
	return copy[0] == text[0] ? NULL : cls;
}

START_TEST(would_notice_a_secret)
{
	run_on_stack(forget_to_wipe, (void *)(uintptr_t)MARK);
	ck_assert(is_on_stack(MARK));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("connect");
	TCase *tests = tcase_create("connect");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, leaves_no_secret, 0, 2 * COUNT(rows));
	tcase_add_test(tests, would_notice_a_secret);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
