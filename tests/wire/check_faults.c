/*
 * The server when the system fails it: no memory, a full disk, closed descriptors, clocks that
 * jump, clients that leave. It may refuse; it may not crash, spin, or say half of something.
 *
 * Failures come from libraries in fault/, next to PROGRAM, loaded with LD_PRELOAD; not
 * together with a sanitizer, which replaces the same functions, nor under WRAPPER.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"
#include "wire/fault/fail_alloc.h"
#include "wire/wire.h"

enum { OUTPUT_SIZE = 64 * 1024, MOST_ALLOCATIONS = 20000, FILE_MAX_LEN = 1 << 20 };

#define LOCATION                                                                                   \
	"Location: https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=1\r\n"
#define CLIENT_ID "11111111-2222-3333-4444-555555555555"

static const char config_file_text[] =
    "{\"public_url\": \"https://oauth.example.com\", \"threads\": 1,\n"
    " \"admin\": {\"port\": 0}, \"listen\": {\"address\": \"127.0.0.1\"},\n"
    " \"microsoft\": {\"client_id\": \"" CLIENT_ID "\"}, \"tls\": {\"hsts_seconds\": 60},\n"
    " \"connect\": {\"return_origins\": [\"https://app.example.com\", \"http://localhost\"]}}\n";

static char folder[64];
static char config_path[128], shared_path[128];
static struct fail_alloc *shared;
static struct wire_answer answer;

static const char *
in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static void
share_memory(void)
{
	static const struct fail_alloc off = { .countdown = FAIL_ALLOC_OFF };
	int fd = open(shared_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(ftruncate(fd, sizeof(*shared)), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	close(fd);
	*shared = off;
}

static void
set_up(void)
{
	snprintf(folder, sizeof(folder), "/tmp/recall-redirectd-faults.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	snprintf(config_path, sizeof(config_path), "%s/config.json", folder);
	snprintf(shared_path, sizeof(shared_path), "%s/shared", folder);
	write_file(config_path, config_file_text, strlen(config_file_text));
	share_memory();
}

static void
tear_down(void)
{
	static const char *const names[] = { "config.json", "shared", "large.json", "secret.json" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
}

/* --- processes --- */

/* Whether the program was built with -fsanitize=address or thread; before the tests begin. */
static bool
is_sanitized(void)
{
	const char *program = getenv("PROGRAM");
	FILE *file = program != NULL ? fopen(program, "r") : NULL;
	char *bytes = NULL;
	size_t size = 0;
	bool found = getenv("SANITIZED") != NULL;
	ssize_t len = 0;

	if (file == NULL) {
		fputs("PROGRAM names no binary\n", stderr);
		exit(EXIT_FAILURE);
	}
	while ((len = getline(&bytes, &size, file)) > 0 && !found)
		found = memmem(bytes, (size_t)len, "__asan_init", 11) != NULL ||
			memmem(bytes, (size_t)len, "__tsan_init", 11) != NULL;
	free(bytes);
	fclose(file);
	return found;
}

static void
preload(const char *library)
{
	char path[512];
	const char *slash = strrchr(getenv("PROGRAM"), '/');

	snprintf(path, sizeof(path), "%.*s/fault/%s",
	    slash != NULL ? (int)(slash - getenv("PROGRAM")) : 1,
	    slash != NULL ? getenv("PROGRAM") : ".", library);
	ck_assert_msg(access(path, R_OK) == 0, "%s: %s", path, strerror(errno));
	setenv("LD_PRELOAD", realpath(path, NULL), 1);
	setenv("FAIL_ALLOC", shared_path, 1);
}

struct child {
	const char *library;   /* preloaded; may be NULL */
	void (*prepare)(void); /* called first; may be NULL */
};

static void
prepare_child(const void *context)
{
	const struct child *child = context;

	if (child->prepare != NULL)
		child->prepare();
	if (child->library != NULL)
		preload(child->library);
}

static pid_t
spawn(const char *const *words, const char *library, void (*prepare)(void))
{
	return wire_spawn(words, prepare_child, &(struct child){ library, prepare });
}

static int out_fd = -1;

static void
open_output(void)
{
	out_fd = memfd_create("output", MFD_CLOEXEC);
	ck_assert_int_ge(out_fd, 0);
}

static void
take_output(void)
{
	dup2(out_fd, STDOUT_FILENO);
	dup2(out_fd, STDERR_FILENO);
}

static void
take_errors(void)
{
	dup2(out_fd, STDERR_FILENO);
}

/* All that has been written, until the next call. */
static const char *
output(void)
{
	static char text[OUTPUT_SIZE];
	ssize_t n = pread(out_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int
wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended with %#x: %.2000s", (unsigned)status,
	    out_fd >= 0 ? output() : "");
	return WEXITSTATUS(status);
}

/* The exit status of a command, which is all that wrote output(). */
static int
run(const char *const *words, const char *library, void (*prepare)(void))
{
	if (out_fd >= 0)
		close(out_fd);
	open_output();
	return wait_for(spawn(words, library, prepare));
}

/* --- memory --- */

static void
arm(long n, bool goes_on)
{
	atomic_store(&shared->failed, 0);
	atomic_store(&shared->goes_on, goes_on);
	atomic_store(&shared->countdown, n);
}

/* How many allocations failed. */
static long
disarm(void)
{
	atomic_store(&shared->countdown, FAIL_ALLOC_OFF);
	return atomic_load(&shared->failed);
}

/* From one allocation to the next to fail: all of them, or a sample where everything is slow. */
static long
step(long n)
{
	return wire_is_wrapped() ? n + 1 + n / 4 : n + 1;
}

static const char *const commands[][6] = {
	{ "-c", config_path, "check" },
	{ "-c", config_path, "config" },
	{ "-c", config_path, "setup" },
	{ "-c", config_path, "url", "--token", "abc" },
	{ "check", "--listen.port=70000", "--recall.regoin=x" },
	{ "check", "--listen.port=70000", "--log.level=loud" },
};

/* Refused with a message, or done as if nothing had been: half of it would be a lie. */
static void
check_command(int status, int wanted_status, const char *wanted_output)
{
	ck_assert_msg(status == wanted_status || status == 1 || status == 78, "exit %d: %.2000s",
	    status, output());
	ck_assert_str_ne(output(), "");
	if (status == 0)
		ck_assert_str_eq(output(), wanted_output);
}

static void
fail_command(const char *const *words, bool goes_on)
{
	int wanted = run(words, "fail_alloc.so", take_output);
	char *wanted_output = strdup(output());
	long n = 1, failed = 1;

	ck_assert_int_gt(atomic_exchange(&shared->processes, 0), 0);
	for (; failed > 0 && n < MOST_ALLOCATIONS; n = step(n)) {
		int status;

		arm(n, goes_on);
		status = run(words, "fail_alloc.so", take_output);
		failed = disarm();
		check_command(status, wanted, wanted_output);
	}
	ck_assert_int_eq(failed, 0);
	ck_assert_msg(n > 2 || wanted == 64, "nothing was allocated");
	free(wanted_output);
}

START_TEST(commands_refuse_or_finish_without_memory)
{
	fail_command(commands[_i], false);
	fail_command(commands[_i], true);
}
END_TEST

static const char *const serve[] = { "-c", config_path, "--listen.port=0", NULL };
static char fixed_port[32];
static const char *const serve_fixed[] = { "-c", config_path, fixed_port, NULL };

enum { SILENCE_MS = 3000 };

/* Without memory the line that reports the start can be lost: then the port decides. */
static bool
has_started(struct wire_server *server, int waited_ms)
{
	bool is_silent;

	if (server->port == 0)
		server->port = wire_find_port(output());
	if (wire_find_port(output()) != 0)
		return true;
	is_silent = waited_ms >= SILENCE_MS || strstr(output(), "log_lines_dropped") != NULL;
	return is_silent && server->port != 0 && wire_accepts(server->port);
}

/* Whether it listens; else it has ended, with *ret_status. */
static bool
wait_for_start(struct wire_server *server, int *ret_status)
{
	for (int waited = 0; waited < 30000; waited += 5) {
		pid_t ended = waitpid(server->pid, ret_status, WNOHANG);

		if (ended != 0 || has_started(server, waited))
			return ended == 0;
		usleep(5000);
	}
	ck_abort_msg("neither listens nor ends: %.2000s", output());
}

static const struct span callback =
    SPAN("GET /api/ms_oauth_callback?code=1 HTTP/1.1\r\nHost: h\r\n\r\n");

static void
assert_serves(const struct wire_server *server)
{
	wire_ask(server, callback, &answer);
	ck_assert_int_eq(answer.status, 302);
	ck_assert_ptr_nonnull(strstr(answer.bytes, LOCATION));
}

static void
stop(const struct wire_server *server)
{
	ck_assert_int_eq(kill(server->pid, SIGTERM), 0);
	ck_assert_int_eq(wait_for(server->pid), 0);
}

static void
check_failed_start(int status)
{
	ck_assert_msg(WIFEXITED(status), "ended with %#x: %.2000s", (unsigned)status, output());
	ck_assert_msg(
	    WEXITSTATUS(status) == 1 || WEXITSTATUS(status) == 69 || WEXITSTATUS(status) == 78,
	    "exit %d: %.2000s", WEXITSTATUS(status), output());
	ck_assert_str_ne(output(), "");
}

/* False where it has ended: its port can be open for a while after it has given up. */
static bool
comes_to_serve(struct wire_server *server, int *ret_status)
{
	while (waitpid(server->pid, ret_status, WNOHANG) == 0) {
		answer.status = 0;
		if (wire_accepts(server->port))
			wire_ask(server, callback, &answer);
		if (answer.status != 0)
			return true;
		usleep(5000);
	}
	return false;
}

/* How many allocations failed on the way to a server that listens, or to none. */
static long
fail_start(long n, bool goes_on)
{
	struct wire_server child = { .port = wire_free_port() };
	long failed;
	int status;

	snprintf(fixed_port, sizeof(fixed_port), "--listen.port=%u", child.port);
	if (out_fd >= 0)
		close(out_fd);
	open_output();
	arm(n, goes_on);
	child.pid = spawn(serve_fixed, "fail_alloc.so", take_output);
	if (!wait_for_start(&child, &status)) {
		check_failed_start(status);
		return disarm();
	}
	failed = disarm();
	if (comes_to_serve(&child, &status)) {
		assert_serves(&child);
		stop(&child);
	} else {
		check_failed_start(status);
	}
	return failed;
}

START_TEST(starts_or_ends_without_memory)
{
	long n = 1;

	while (fail_start(n, _i == 1) > 0 && n < MOST_ALLOCATIONS)
		n = step(n);
	ck_assert_int_lt(n, MOST_ALLOCATIONS);
	ck_assert_int_gt(n, 50);
}
END_TEST

static const struct {
	struct span bytes;
	int status;
	const char *text;   /* in the answer where it has this status */
	int without_memory; /* the answer that may come instead, besides 503 */
} requests[] = {
	{ SPAN("GET /api/ms_oauth_callback?code=1 HTTP/1.1\r\nHost: h\r\n\r\n"), 302, LOCATION, 0 },
	{ SPAN("GET /connect?recall_calendar_auth_token=a HTTP/1.1\r\nHost: h\r\n\r\n"), 302,
	    "\r\nLocation: https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=" CLIENT_ID,
	    0 },
	{ SPAN(
	      "POST /connect HTTP/1.1\r\nHost: h\r\nContent-Length: 28\r\n"
	      "Content-Type: application/x-www-form-urlencoded\r\n\r\nrecall_calendar_auth_token=a"),
	    303, "\r\nLocation: https://login.microsoftonline.com/", 0 },
	{ SPAN(
	      "POST /connect HTTP/1.1\r\nHost: h\r\nContent-Length: 34\r\nAccept: application/json\r\n"
	      "Content-Type: application/json\r\n\r\n{\"recall_calendar_auth_token\":\"a\"}"),
	    200, "{\"authorize_url\":\"https://login.microsoftonline.com/", 0 },
	{ SPAN("GET /.well-known/microsoft-identity-association.json HTTP/1.1\r\nHost: h\r\n\r\n"),
	    200, "{\"associatedApplications\":[{\"applicationId\":\"" CLIENT_ID "\"}]}", 0 },
	{ SPAN("GET /x HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n\r\n"), 404, "</html>\n", 0 },
	{ SPAN("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 200, "\r\n\r\nok\n", 0 },
};

static struct wire_server server, admin_listener;
static unsigned long n_refused; /* answers 503 of this server */

static void
start_failing(void)
{
	char port[32];
	const char *const words[] = { "-c", config_path, "--listen.port=0", "--log.level=debug",
		port, NULL };
	int status;

	open_output();
	shared->countdown = FAIL_ALLOC_OFF;
	admin_listener.port = wire_free_port();
	snprintf(port, sizeof(port), "--admin.port=%u", admin_listener.port);
	server = (struct wire_server){ .pid = spawn(words, "fail_alloc.so", take_output) };
	ck_assert(wait_for_start(&server, &status));
	n_refused = 0;
}

/* Every answer is counted, those for lack of memory included; and each has its log line. */
static void
check_refusals_are_counted(void)
{
	static const struct span request = SPAN("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
	static const char code[] = "code=\"503\"} ", reason[] = "\"reason\":\"out_of_memory\"";
	unsigned long counted = 0, logged = 0;

	wire_ask(&admin_listener, request, &answer);
	for (const char *at = answer.bytes; (at = strstr(at, code)) != NULL; at++)
		counted += strtoul(at + sizeof(code) - 1, NULL, 10);
	ck_assert_uint_eq(counted, n_refused);
	usleep(100000); /* the log is written in the background */
	for (const char *at = output(); (at = strstr(at, reason)) != NULL; at++)
		logged++;
	ck_assert_uint_eq(logged, n_refused);
}

static void
stop_failing(void)
{
	stop(&server);
}

/* What stands on every answer stands on the one without memory, too. */
static const char *const on_refusals[] = { "\r\nCache-Control: no-store\r\n",
	"\r\nReferrer-Policy: no-referrer\r\n", "\r\nX-Content-Type-Options: nosniff\r\n",
	"The server is short of memory" };

/* An answer, whole, or none and the connection closed. */
static void
check_answer(size_t request)
{
	if (answer.status == 0) {
		ck_assert_msg(answer.closed, "silence");
		return;
	}
	ck_assert_msg(answer.status == requests[request].status || answer.status == 503 ||
			  answer.status == requests[request].without_memory,
	    "status %d", answer.status);
	for (size_t i = 0; answer.status == 503 && i < COUNT(on_refusals); i++)
		ck_assert_ptr_nonnull(strstr(answer.bytes, on_refusals[i]));
	if (answer.status == requests[request].status)
		ck_assert_msg(strstr(answer.bytes, requests[request].text) != NULL, "half: %.2000s",
		    answer.bytes);
}

static long
fail_request(size_t request, long n, bool goes_on)
{
	long failed;

	arm(n, goes_on);
	wire_ask(&server, requests[request].bytes, &answer);
	failed = disarm();
	check_answer(request);
	n_refused += answer.status == 503;
	ck_assert_int_eq(waitpid(server.pid, NULL, WNOHANG), 0);
	assert_serves(&server);
	return failed;
}

/* Where memory runs out after the request was read, the client is told so. */
START_TEST(answers_or_closes_without_memory)
{
	for (int goes_on = 0; goes_on < 2; goes_on++) {
		unsigned long before = n_refused;
		long n = 1;

		while (fail_request((size_t)_i, n, goes_on == 1) > 0 && n < MOST_ALLOCATIONS)
			n = step(n);
		ck_assert_uint_gt(n_refused, before);
		ck_assert_int_lt(n, MOST_ALLOCATIONS);
		ck_assert_int_gt(n, 3);
		ck_assert_int_eq(answer.status, 302); /* assert_serves() */
	}
	check_refusals_are_counted();
}
END_TEST

/* A connection that has had an answer, so that nothing of it is left to be allocated. */
static void
open_used(struct wire *ret_wire)
{
	wire_connect(&server, ret_wire);
	wire_send(ret_wire, callback);
	wire_receive(ret_wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 302);
}

/* On a connection that is open already, so that only the request itself can fail. */
static long
fail_on(struct wire *wire, size_t request, long n)
{
	long failed;

	arm(n, false);
	wire_send(wire, requests[request].bytes);
	wire_receive(wire, false, wire_patience(), &answer);
	failed = disarm();
	check_answer(request);
	n_refused += answer.status == 503;
	ck_assert_msg(answer.status != 0, "no answer, at allocation %ld", n);
	wire_close(wire);
	open_used(wire);
	return failed;
}

START_TEST(keeps_connections_apart_without_memory)
{
	struct wire wire;
	long n = 1;

	open_used(&wire);
	while (fail_on(&wire, (size_t)_i, n) > 0 && n < MOST_ALLOCATIONS)
		n++;
	ck_assert_int_lt(n, MOST_ALLOCATIONS);
	wire_close(&wire);
	assert_serves(&server);
	check_refusals_are_counted();
}
END_TEST

/* The number of the last line that reports how often memory was missing. */
static unsigned long
reported_without_memory(void)
{
	static const char line[] = "\"event\":\"out_of_memory\",\"requests\":";
	unsigned long n = 0;

	for (const char *at = output(); (at = strstr(at, line)) != NULL; at++)
		n = strtoul(at + sizeof(line) - 1, NULL, 10);
	return n;
}

/* Whether a connection that sends one byte, or it would not be accepted, ends at once where one
 * allocation fails. */
static bool
is_ended_without_memory(long n)
{
	enum { AT_ONCE_MS = 1000 };
	struct wire wire;
	long failed;

	arm(n, false);
	wire_connect(&server, &wire);
	wire_send(&wire, (struct span)SPAN("G"));
	wire_receive(&wire, false, AT_ONCE_MS, &answer);
	failed = disarm();
	wire_close(&wire);
	ck_assert_int_eq(answer.closed, failed > 0);
	return answer.closed;
}

/* The library's memory for it comes first, then our record, without which nothing would limit its
 * time. */
START_TEST(ends_and_counts_connections_without_memory)
{
	enum { REPORT_MS = 15000 };
	long n = 1;

	while (is_ended_without_memory(n))
		n++;
	ck_assert_int_gt(n, 2);
	for (int waited = 0; reported_without_memory() == 0 && waited < REPORT_MS; waited += 50)
		usleep(50000);
	ck_assert_uint_eq(reported_without_memory(), 1);
}
END_TEST

/* --- descriptors --- */

static void
lose_output(void)
{
	int fd = open("/dev/null", O_WRONLY);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

static void
close_errors(void)
{
	close(STDERR_FILENO);
}

static void
close_all(void)
{
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
}

static void
fill_errors(void)
{
	dup2(open("/dev/full", O_WRONLY), STDERR_FILENO);
}

/* A pipe that nobody reads: a write to it is SIGPIPE. */
static void
break_errors(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	signal(SIGPIPE, SIG_DFL);
}

static void (*const lost_errors[])(void) = { close_errors, close_all, fill_errors, break_errors };

static void
start_fixed(struct wire_server *to, void (*prepare)(void))
{
	*to = (struct wire_server){ .port = wire_free_port() };
	snprintf(fixed_port, sizeof(fixed_port), "--listen.port=%u", to->port);
	to->pid = spawn(serve_fixed, NULL, prepare);
	for (int waited = 0; waited < 30000; waited += 20) {
		usleep(20000);
		ck_assert_int_eq(waitpid(to->pid, NULL, WNOHANG), 0);
		if (wire_accepts(to->port))
			return;
	}
	ck_abort_msg("does not listen");
}

/* What was closed is /dev/null, so that no connection gets its number, and with it the log. */
static void
check_standard_files(pid_t pid, int first)
{
	for (int fd = first; fd <= STDERR_FILENO; fd++) {
		char path[64], target[64];
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		len = readlink(path, target, sizeof(target));
		ck_span_eq(((struct span){ target, len > 0 ? (size_t)len : 0 }), "/dev/null");
	}
}

START_TEST(serves_where_nothing_can_be_logged)
{
	struct wire_server child;
	double before;

	start_fixed(&child, lost_errors[_i]);
	if (!wire_is_wrapped() && (lost_errors[_i] == close_errors || lost_errors[_i] == close_all))
		check_standard_files(child.pid, lost_errors[_i] == close_all ? 0 : STDERR_FILENO);
	for (int i = 0; i < 50; i++) {
		assert_serves(&child);
		ck_assert_int_eq(memcmp(answer.bytes, "HTTP/1.1 302 ", 13), 0);
		ck_assert_uint_eq(answer.len, answer.head_len);
	}
	before = wire_cpu_seconds(&child);
	sleep(1);
	ck_assert(wire_cpu_seconds(&child) - before < 0.3);
	stop(&child);
}
END_TEST

static void
close_output(void)
{
	take_errors();
	close(STDOUT_FILENO);
}

static void
fill_output(void)
{
	take_errors();
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
}

static const char *const printing[][6] = {
	{ "-c", config_path, "config" },
	{ "-c", config_path, "check" },
	{ "-c", config_path, "setup" },
	{ "-c", config_path, "url", "--token", "abc" },
	{ "--help" },
	{ "--version" },
};

START_TEST(says_when_its_output_is_lost)
{
	ck_assert_int_eq(run(printing[_i], NULL, take_output), 0);
	ck_assert_int_eq(run(printing[_i], NULL, close_output), 1);
	ck_assert_int_eq(run(printing[_i], NULL, fill_output), 1);
}
END_TEST

/* More than one buffer of it, so that a write fails before the last one does. */
START_TEST(says_when_much_output_is_lost)
{
	static char origins[8192] = "--connect.start_origins=https://a.example";
	const char *const words[] = { "-c", config_path, origins, "config", NULL };

	for (size_t len = strlen(origins); len < 7000 + (size_t)_i; len = strlen(origins))
		snprintf(origins + len, sizeof(origins) - len, ",https://%060zu.example", len);
	ck_assert_int_eq(run(words, NULL, take_output), 0);
	ck_assert_int_gt((int)strlen(output()), 7000);
	ck_assert_int_eq(run(words, NULL, fill_output), 1);
	ck_assert_int_eq(run(words, NULL, close_output), 1);
}
END_TEST

/* --- clients --- */

/* Close at once, with a reset, while answers of some KiB are being written. */
static void
ask_and_leave(const struct wire_server *to, unsigned microseconds)
{
	static const struct linger reset = { .l_onoff = 1 };
	static char bytes[256 * 1024];
	struct buf b;
	struct wire wire;

	buf_init(&b, bytes, sizeof(bytes));
	for (int i = 0; i < 20; i++)
		buf_printf(&b, "GET /api/ms_oauth_callback?%08000d HTTP/1.1\r\nHost: h\r\n\r\n", i);
	ck_assert(buf_ok(&b));
	wire_connect(to, &wire);
	wire_send(&wire, buf_span(&b));
	usleep(microseconds);
	setsockopt(wire.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	wire_close(&wire);
}

START_TEST(survives_clients_that_leave)
{
	struct wire_server child;
	unsigned rounds = wire_is_wrapped() ? 20 : 300;

	start_fixed(&child, lose_output);
	for (unsigned i = 0; i < rounds; i++)
		ask_and_leave(&child, i * 7 % 500);
	assert_serves(&child);
	ck_assert_int_eq(waitpid(child.pid, NULL, WNOHANG), 0);
	stop(&child);
}
END_TEST

/* --- clocks --- */

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
wait_until_closed(struct wire *wire)
{
	wire_receive(wire, false, 20000, &answer);
	ck_assert(answer.closed);
}

static const char *const serve_jumping[] = { "-c", config_path, "--listen.port=0",
	"--limits.request_seconds=2", "--limits.idle_seconds=3", NULL };

/* The positive control: two lines of the log are of different days. */
static bool
has_two_days(const char *log)
{
	static const char mark[] = "\"time\":\"";
	const char *first = strstr(log, mark), *at = first;

	while (at != NULL && memcmp(first, at, sizeof(mark) + strlen("2026-11-23") - 1) == 0)
		at = strstr(at + 1, mark);
	return at != NULL;
}

enum { N_WATCHED = 6 };

/* Slow requests (even ones) and idle connections, each begun in another moment of the clock. */
static void
open_watched(const struct wire_server *to, struct wire wires[N_WATCHED])
{
	for (size_t i = 0; i < N_WATCHED; i++, usleep(30000)) {
		wire_connect(to, &wires[i]);
		if (i % 2 == 0) {
			wire_send(&wires[i], (struct span)SPAN("GET /healthz HTTP/1.1\r\n"));
			continue;
		}
		wire_send(&wires[i], callback);
		wire_receive(&wires[i], false, wire_patience(), &answer);
		ck_assert_int_eq(answer.status, 302);
	}
}

static bool
is_open(const struct wire *wire)
{
	char byte;

	return recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void
check_deadlines(const struct wire_server *to)
{
	struct wire wires[N_WATCHED];
	double start = seconds();

	open_watched(to, wires);
	usleep(800000);
	for (size_t i = 0; i < N_WATCHED; i++)
		ck_assert_msg(is_open(&wires[i]) || seconds() - start > 1.9,
		    "connection %zu ended too early", i);
	for (size_t i = 0; i < N_WATCHED; i += 2)
		wait_until_closed(&wires[i]);
	ck_assert(seconds() - start > 1.9 && seconds() - start < 10);
	ck_assert(is_open(&wires[1]) || seconds() - start > 2.9);
	for (size_t i = 1; i < N_WATCHED; i += 2)
		wait_until_closed(&wires[i]);
	ck_assert(seconds() - start > 2.9 && seconds() - start < 10);
	for (size_t i = 0; i < N_WATCHED; i++)
		wire_close(&wires[i]);
}

START_TEST(keeps_its_deadlines_when_the_clock_jumps)
{
	struct wire_server child = { 0 };
	int status;

	open_output();
	child.pid = spawn(serve_jumping, "jump_clock.so", take_output);
	ck_assert(wait_for_start(&child, &status));
	for (int i = 0; i < 20; i++) {
		assert_serves(&child);
		usleep(10000);
	}
	usleep(100000); /* the log is written in the background */
	ck_assert(has_two_days(output()));
	check_deadlines(&child);
	stop(&child);
}
END_TEST

static void
start_with_admin(const char *library, struct wire_server *ret_child, struct wire_server *ret_admin)
{
	char port[32];
	const char *const words[] = { "--listen.port=0", "--listen.address=127.0.0.1",
		"--threads=4", port, NULL };
	int status;

	*ret_admin = (struct wire_server){ .port = wire_free_port() };
	snprintf(port, sizeof(port), "--admin.port=%u", ret_admin->port);
	open_output();
	*ret_child = (struct wire_server){ .pid = spawn(words, library, take_output) };
	ck_assert(wait_for_start(ret_child, &status));
}

/* What is older than a day leaves the operator's page, but not the count since the start. */
START_TEST(forgets_answers_after_a_day)
{
	static const struct span failed =
	    SPAN("GET /api/ms_oauth_callback?error=server_error HTTP/1.1\r\nHost: h\r\n\r\n");
	static const struct span page = SPAN("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	struct wire_server child, admin;
	double until;

	start_with_admin("pass_day.so", &child, &admin);
	wire_ask(&child, failed, &answer);
	ck_assert_int_eq(answer.status, 302);
	wire_ask(&admin, page, &answer);
	ck_assert_ptr_nonnull(strstr(answer.bytes, "<h1>1 of 1 answers in 24 hours"));
	kill(child.pid, SIGUSR1);
	until = seconds() + wire_patience() / 1000.0;
	do {
		usleep(100000);
		wire_ask(&admin, page, &answer);
	} while (
	    strstr(answer.bytes, "<h1>0 of 0 answers in 24 hours") == NULL && seconds() < until);
	ck_assert_ptr_nonnull(strstr(answer.bytes, "<h1>0 of 0 answers in 24 hours"));
	ck_assert_ptr_nonnull(strstr(answer.bytes, "<h2>Failed answers: 1 since the start</h2>"));
	stop(&child);
}
END_TEST

/* --- start --- */

static const char *const serve_anywhere[] = { "-c", config_path, "--listen.port=0",
	"--listen.address=::", "--admin.port=0", NULL };

/* The default address takes IPv4 as well, and IPv4 alone where nothing else is there. */
START_TEST(serves_without_ipv6)
{
	static const char *const libraries[] = { NULL, "no_ipv6.so" };
	struct wire_server child = { 0 };
	int status;

	open_output();
	child.pid = spawn(serve_anywhere, libraries[_i], take_output);
	ck_assert(wait_for_start(&child, &status));
	assert_serves(&child);
	stop(&child);
}
END_TEST

START_TEST(says_that_the_port_is_taken)
{
	struct wire_server child;

	start_fixed(&child, lose_output);
	ck_assert_int_eq(run(serve_fixed, NULL, take_output), 69);
	ck_assert_ptr_nonnull(strstr(output(), strerror(EADDRINUSE)));
	assert_serves(&child);
	stop(&child);
}
END_TEST

#define NO_THREADS                                                                                 \
	"Raise the number of threads that it may have (TasksMax=, --pids-limit, ulimit -u), or "   \
	"lower threads"
#define NO_FILES "Raise the limit of open files (LimitNOFILE=, --ulimit nofile), or lower threads"

/* What fails from the n-th call on, and what the log says then. */
static const struct {
	const char *call;
	int cause;
	int n;
	const char *step;
	const char *hint;
} failing_starts[] = {
	{ "pthread_create", EPERM, 1, "The log writer's thread cannot be started",
	    "The system forbids this process to start threads. An old Docker or libseccomp refuses "
	    "clone3(): update it, or start the container with --security-opt seccomp=unconfined" },
	{ "pthread_create", EAGAIN, 1, "The log writer's thread cannot be started", NO_THREADS },
	{ "pthread_create", EAGAIN, 2, "An event loop cannot be started", NO_THREADS },
	{ "pthread_create", EAGAIN, 3, "An event loop cannot be started", NO_THREADS },
	{ "pthread_create", EAGAIN, 5, "The watchdog's thread cannot be started", NO_THREADS },
	{ "pthread_create", EINVAL, 1, "The log writer's thread cannot be started", "" },
	{ "epoll_create1", EMFILE, 1, "An event loop cannot be started", NO_FILES },
	{ "epoll_create1", ENFILE, 3, "An event loop cannot be started", "" },
	{ "epoll_create1", ENOMEM, 2, "An event loop cannot be started",
	    "Allow this process more memory (MemoryMax=, --memory), or lower threads" },
};

/* The log writer has the first thread, the loops the next three; no descriptor is closed twice. */
START_TEST(says_why_it_does_not_start)
{
	char admin[32], fail[64], line[512];
	const char *const words[] = { "--listen.port=0", "--listen.address=127.0.0.1",
		"--threads=2", admin, NULL };

	snprintf(admin, sizeof(admin), "--admin.port=%u", wire_free_port());
	snprintf(fail, sizeof(fail), "%s %d %d", failing_starts[_i].call, failing_starts[_i].cause,
	    failing_starts[_i].n);
	setenv("FAIL_START", fail, 1);
	ck_assert_int_eq(run(words, "fail_start.so", take_output), 1);
	snprintf(line, sizeof(line),
	    "\"event\":\"start_failed\",\"step\":\"%s\",\"cause\":\"%s\"%s%s%s",
	    failing_starts[_i].step, strerror(failing_starts[_i].cause),
	    failing_starts[_i].hint[0] != '\0' ? ",\"hint\":\"" : "", failing_starts[_i].hint,
	    failing_starts[_i].hint[0] != '\0' ? "\"}" : "}");
	ck_assert_msg(strstr(output(), line) != NULL, "no %s in %.2000s", line, output());
}
END_TEST

/* The positive control: what does not fail starts. */
START_TEST(starts_where_nothing_fails)
{
	struct wire_server child = { 0 };
	int status;

	setenv("FAIL_START", "pthread_create 1 100", 1);
	open_output();
	child.pid = spawn(serve, "fail_start.so", take_output);
	ck_assert(wait_for_start(&child, &status));
	assert_serves(&child);
	stop(&child);
}
END_TEST

/* --- the end --- */

/* Until nothing listens any more; each answer is the last one of its connection. */
static void *
scrape(void *cls)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	const struct wire_server *admin = cls;
	char bytes[4096];
	int fd;

	while ((fd = wire_dial(admin->port)) >= 0) {
		send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
		while (recv(fd, bytes, sizeof(bytes), 0) > 0)
			continue;
		close(fd);
	}
	return NULL;
}

START_TEST(metrics_can_be_read_until_the_end)
{
	struct wire_server child, admin;
	pthread_t scraper;

	start_with_admin("slow_end.so", &child, &admin);
	ck_assert_int_eq(pthread_create(&scraper, NULL, scrape, &admin), 0);
	usleep(20000);
	stop(&child);
	pthread_join(scraper, NULL);
}
END_TEST

static const char *
missing_file(void)
{
	return in_folder("missing.json");
}

static const char *
large_file(void)
{
	const char *path = in_folder("large.json");
	char *text = malloc(FILE_MAX_LEN + 1);

	memset(text, ' ', FILE_MAX_LEN + 1);
	memcpy(text, "{}", 2);
	write_file(path, text, FILE_MAX_LEN + 1);
	free(text);
	return path;
}

static const char *
secret_file(void)
{
	const char *path = in_folder("secret.json");

	write_file(path, "{}", 2);
	ck_assert_int_eq(chmod(path, 0), 0);
	return path;
}

static const char *
directory(void)
{
	return folder;
}

static const char *
endless_file(void)
{
	return "/dev/zero";
}

static const struct {
	const char *(*make)(void);
	int cause;
} unreadable[] = {
	{ directory, EISDIR },
	{ missing_file, ENOENT },
	{ large_file, EFBIG },
	{ endless_file, EFBIG },
	{ secret_file, EACCES },
};

/* Root reads everything: become nobody, with the program open already in case it lies hidden. */
static void
run_as_nobody(const char *path)
{
	int program = open(getenv("PROGRAM"), O_RDONLY);
	char *const words[] = { getenv("PROGRAM"), (char[]){ "-c" }, (char *)(uintptr_t)path,
		(char[]){ "check" }, NULL };

	take_output();
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(126);
	fexecve(program, words, environ);
	_exit(127);
}

static int
check_file(const char *path, bool as_nobody)
{
	const char *const words[] = { "-c", path, "check", NULL };
	pid_t pid;

	if (!as_nobody)
		return run(words, NULL, take_output);
	if (out_fd >= 0)
		close(out_fd);
	open_output();
	pid = fork();
	if (pid == 0)
		run_as_nobody(path);
	return wait_for(pid);
}

START_TEST(says_why_a_file_cannot_be_read)
{
	const char *path = unreadable[_i].make();

	ck_assert_int_eq(check_file(path, unreadable[_i].cause == EACCES), 78);
	ck_assert_ptr_nonnull(strstr(output(), path));
	ck_assert_msg(
	    strstr(output(), strerror(unreadable[_i].cause)) != NULL, "saw: %.2000s", output());
}
END_TEST

/* The positive control: the longest file that may be read, is. */
START_TEST(reads_the_largest_file)
{
	const char *path = large_file();

	ck_assert_int_eq(truncate(path, FILE_MAX_LEN), 0);
	ck_assert_int_eq(check_file(path, false), 0);
}
END_TEST

static TCase *
make_case(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_set_timeout(tests, 1200);
	tcase_add_unchecked_fixture(tests, set_up, tear_down);
	return tests;
}

static void
add_memory_cases(Suite *suite)
{
	TCase *starts = make_case("memory at start"), *serving = make_case("memory in requests");

	LOOP(starts, commands_refuse_or_finish_without_memory, commands);
	tcase_add_loop_test(starts, starts_or_ends_without_memory, 0, 2);
	suite_add_tcase(suite, starts);
	tcase_add_checked_fixture(serving, start_failing, stop_failing);
	LOOP(serving, answers_or_closes_without_memory, requests);
	LOOP(serving, keeps_connections_apart_without_memory, requests);
	tcase_add_test(serving, ends_and_counts_connections_without_memory);
	suite_add_tcase(suite, serving);
}

int
main(void)
{
	Suite *suite = suite_create("faults");
	TCase *tests = make_case("the rest");

	LOOP(tests, serves_where_nothing_can_be_logged, lost_errors);
	LOOP(tests, says_when_its_output_is_lost, printing);
	tcase_add_loop_test(tests, says_when_much_output_is_lost, 0, 4);
	tcase_add_test(tests, survives_clients_that_leave);
	tcase_add_test(tests, says_that_the_port_is_taken);
	LOOP(tests, says_why_a_file_cannot_be_read, unreadable);
	tcase_add_test(tests, reads_the_largest_file);
	if (is_sanitized()) {
		puts("without what is preloaded: PROGRAM has a sanitizer in it");
	} else {
		tcase_add_test(tests, keeps_its_deadlines_when_the_clock_jumps);
		tcase_add_test(tests, forgets_answers_after_a_day);
		tcase_add_loop_test(tests, serves_without_ipv6, 0, 2);
		LOOP(tests, says_why_it_does_not_start, failing_starts);
		tcase_add_test(tests, starts_where_nothing_fails);
		tcase_add_test(tests, metrics_can_be_read_until_the_end);
		add_memory_cases(suite);
	}
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
