/*
 * Deadlines and limits: what clients that stall cost the others, the processor and the memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"
#include "wire/wire.h"

#define HOST  "Host: h\r\n"
#define READY "GET /readyz HTTP/1.1\r\n" HOST "\r\n"
#define USUAL                                                                                      \
	"--listen.port=0", "--listen.address=127.0.0.1", "--admin.port=0",                         \
	    "--public_url=https://oauth.example.com",                                              \
	    "--microsoft.client_id=11111111-2222-3333-4444-555555555555", "--log.access=false"

enum { N_SLOW = 200, N_ASKED = 20, RSS_SLACK_KIB = 3 * 1024 };

/* What is late because the server waits is so by a deadline; a busy machine alone is so by less. */
static const double request_seconds = 2, idle_seconds = 3, after_deadline = 8, late_seconds = 1,
		    most_of_a_core = 0.05;

static struct wire_server server;
static struct wire_answer answer;

static void
start(const char *first, const char *second)
{
	wire_start(&server, (const char *[]){ USUAL, first, second, NULL });
}

static void
pause_ms(unsigned milliseconds)
{
	usleep(milliseconds * 1000);
}

static void
ask_ready(struct wire *wire)
{
	wire_send(wire, (struct span)SPAN(READY));
	wire_receive(wire, false, wire_patience(), &answer);
	ck_assert_int_eq(answer.status, 200);
}

static void
ask_on_a_new_connection(void)
{
	struct wire wire;

	wire_connect(&server, &wire);
	ask_ready(&wire);
	wire_close(&wire);
}

/* The other side has ended the connection; bytes before the end are thrown away. */
static bool
has_ended(const struct wire *wire)
{
	char bytes[4096];
	ssize_t n;

	do
		n = recv(wire->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	while (n > 0);
	return n == 0 || errno != EAGAIN;
}

static int
count_open(const struct wire *wires, int n)
{
	int n_open = 0;

	for (int i = 0; i < n; i++)
		n_open += !has_ended(&wires[i]);
	return n_open;
}

static double
cpu_share(double cpu_before, double since)
{
	return (wire_cpu_seconds(&server) - cpu_before) / (wire_now() - since);
}

/* --- slow clients --- */

struct slow {
	const char *name;
	struct span start; /* sent at once */
	char drip;         /* then this byte, over and over */
	bool reads;        /* or fills the server's buffers with answers */
	int n;
	double extra;      /* seconds: the kernel holds back connections that send nothing */
	bool ends_at_once; /* with libmicrohttpd 1.x, which takes one empty line and no more */
};

static const struct slow slow_ones[] = {
	{ "request line", SPAN("GET /rea"), 'a', true, N_SLOW, 0, false },
	{ "headers", SPAN("GET /readyz HTTP/1.1\r\nHost: h\r\nA: "), 'b', true, N_SLOW, 0, false },
	{ "body",
	    SPAN("POST /connect HTTP/1.1\r\nHost: h\r\nContent-Length: 16000\r\n"
		 "Content-Type: application/x-www-form-urlencoded\r\n\r\n"),
	    '&', true, N_SLOW, 0, false },
	{ "blank lines", SPAN("\r\n"), '\n', true, N_SLOW, 0, true },
	{ "silent", SPAN(""), '\0', true, N_SLOW, 3, false },
	{ "never reads", SPAN(""), '\0', false, N_SLOW / 5, 2, false },
};

/* Long answers, so that the buffers of both sides are soon full. */
static struct span
long_request(void)
{
	static char array[16 * 1024];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	buf_puts(&b, "GET /api/ms_oauth_callback?");
	for (int i = 0; i < 8000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, " HTTP/1.1\r\n" HOST "\r\n");
	return buf_span(&b);
}

static void
drip(const struct slow *slow, struct wire *wires)
{
	static const size_t many = 1000;
	struct span request = long_request();

	for (int i = 0; i < slow->n; i++) {
		if (slow->drip != '\0')
			send(wires[i].fd, &slow->drip, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		for (size_t n = 0; !slow->reads && n < many; n++)
			if (send(wires[i].fd, request.data, request.len,
				MSG_DONTWAIT | MSG_NOSIGNAL) < (ssize_t)request.len)
				break;
	}
}

static void
open_slow(const struct slow *slow, struct wire *wires)
{
	int small = 4096;

	for (int i = 0; i < slow->n; i++) {
		wire_connect(&server, &wires[i]);
		if (!slow->reads)
			setsockopt(wires[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		wire_send(&wires[i], slow->start);
	}
}

static void
ask_in_between(const struct slow *slow, struct wire *wires)
{
	int n_late = 0;

	for (int i = 0; i < N_ASKED; i++) {
		double asked = wire_now();

		ask_on_a_new_connection();
		n_late += wire_now() - asked >= late_seconds;
		if (i % 5 == 0)
			drip(slow, wires);
		pause_ms(50);
	}
	/* A loop that waits for one of them is late for all; a busy machine is so for a few. */
	ck_assert_msg(wire_is_slowed() || n_late <= N_ASKED / 2, "%s: %d answers were late",
	    slow->name, n_late);
}

static bool
are_gone(const struct slow *slow, const struct wire *wires, int files_before)
{
	return wire_open_files(&server) <= files_before &&
	       (!slow->reads || count_open(wires, slow->n) == 0);
}

static void
wait_until_gone(const struct slow *slow, struct wire *wires, int files_before, double opened)
{
	double deadline =
	    opened + request_seconds + after_deadline + slow->extra + (wire_is_slowed() ? 20 : 0);

	while (!are_gone(slow, wires, files_before)) {
		ck_assert_msg(wire_now() < deadline, "%s: %d open files, %d before; %d open",
		    slow->name, wire_open_files(&server), files_before,
		    count_open(wires, slow->reads ? slow->n : 0));
		drip(slow, wires);
		pause_ms(100);
	}
}

static void
hold(const struct slow *slow)
{
	static struct wire wires[N_SLOW];
	int files_before = wire_open_files(&server);
	double opened;

	open_slow(slow, wires);
	opened = wire_now();
	ask_in_between(slow, wires);
	ck_assert_msg(slow->drip == '\0' || wire_open_files(&server) >= files_before + N_SLOW / 2 ||
			  wire_now() - opened > request_seconds ||
			  (slow->ends_at_once && wire_has_library(&server, "1.0")),
	    "%s: are not held at all", slow->name);
	wait_until_gone(slow, wires, files_before, opened);
	for (int i = 0; i < slow->n; i++)
		wire_close(&wires[i]);
}

/* The server listens and has the memory of one busy second, which malloc() keeps. */
static void
start_slow(void)
{
	static struct wire wires[N_SLOW];

	start("--limits.request_seconds=2", "--limits.idle_seconds=3");
	for (int i = 0; i < N_SLOW; i++) {
		wire_connect(&server, &wires[i]);
		ask_ready(&wires[i]);
	}
	for (int i = 0; i < N_SLOW; i++)
		wire_close(&wires[i]);
	pause_ms(500);
}

static void
stop(void)
{
	ck_assert_int_eq(wire_stop(&server), 0);
}

START_TEST(slow_clients_harm_nobody_and_are_ended)
{
	long before = wire_rss_kib(&server), after;

	hold(&slow_ones[_i]);
	pause_ms(300);
	after = wire_rss_kib(&server);
	ck_assert_msg(wire_is_slowed() || after - before <= RSS_SLACK_KIB,
	    "%s: memory grew from %ld to %ld KiB", slow_ones[_i].name, before, after);
	ask_on_a_new_connection();
}
END_TEST

/* A request line that does not end is no request yet: the connection is idle all the same. */
static void
begin_requests(const struct wire *wires, int n)
{
	for (int i = 0; i < n; i += 2)
		send(wires[i].fd, "G", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

START_TEST(idle_connections_end)
{
	enum { N_IDLE = 20 };
	struct wire wires[N_IDLE];
	double since;

	for (int i = 0; i < N_IDLE; i++) {
		wire_connect(&server, &wires[i]);
		ask_ready(&wires[i]);
	}
	since = wire_now();
	while (wire_now() < since + idle_seconds - 1) {
		ck_assert_int_eq(count_open(wires, N_IDLE), N_IDLE);
		begin_requests(wires, N_IDLE);
		pause_ms(100);
	}
	while (count_open(wires, N_IDLE) > 0) {
		ck_assert_msg(wire_now() < since + idle_seconds + after_deadline +
					       (wire_is_slowed() ? 20 : 0),
		    "idle connections stay");
		begin_requests(wires, N_IDLE);
		pause_ms(100);
	}
	for (int i = 0; i < N_IDLE; i++)
		wire_close(&wires[i]);
}
END_TEST

/* --- numbers --- */

START_TEST(oldest_idle_connection_makes_room)
{
	enum { LIMIT = 8, NEWEST = 4 };
	struct wire wires[LIMIT], ninth;
	double since;

	start("--limits.connections=8", "--threads=1");
	for (int i = 0; i < LIMIT; i++) {
		wire_connect(&server, &wires[i]);
		ask_ready(&wires[i]);
		pause_ms(10);
	}
	since = wire_now();
	wire_connect(&server, &ninth);
	ask_ready(&ninth);
	ck_assert_msg(wire_now() - since < after_deadline, "the ninth waited");
	while (!has_ended(&wires[0])) {
		ck_assert_msg(wire_now() < since + after_deadline, "no room was made");
		pause_ms(20);
	}
	for (int i = LIMIT - NEWEST; i < LIMIT; i++)
		ask_ready(&wires[i]);
	for (int i = 0; i < LIMIT; i++)
		wire_close(&wires[i]);
	wire_close(&ninth);
	stop();
}
END_TEST

/* More than there is room for hold their places with half a head, far below the deadline. */
START_TEST(slow_requests_make_room)
{
	enum { LIMIT = 32, HELD = 40 };
	struct wire wires[HELD];
	double since;

	start("--limits.connections=32", "--threads=1");
	for (int i = 0; i < HELD; i++) {
		wire_connect(&server, &wires[i]);
		wire_send(&wires[i], (struct span)SPAN("GET /readyz HTTP/1.1\r\n"));
	}
	pause_ms(1500);
	since = wire_now();
	for (int i = 0; i < LIMIT; i++)
		ask_on_a_new_connection();
	ck_assert_msg(wire_is_slowed() || wire_now() - since < 2, "new ones waited");
	ck_assert(has_ended(&wires[0]));
	for (int i = 0; i < HELD; i++)
		wire_close(&wires[i]);
	stop();
}
END_TEST

START_TEST(one_address_has_so_many_connections)
{
	struct wire wires[3], fourth;

	start("--limits.connections_per_ip=3", "--threads=2");
	for (int i = 0; i < 3; i++) {
		wire_connect(&server, &wires[i]);
		ask_ready(&wires[i]);
	}
	wire_connect(&server, &fourth);
	wire_send(&fourth, (struct span)SPAN(READY));
	wire_receive(&fourth, false, wire_patience(), &answer);
	ck_assert(answer.closed);
	ck_assert_uint_eq(answer.len, 0);
	wire_close(&fourth);
	for (int i = 0; i < 3; i++)
		ask_ready(&wires[i]);
	wire_close(&wires[1]);
	pause_ms(200);
	ask_on_a_new_connection();
	wire_close(&wires[0]);
	wire_close(&wires[2]);
	stop();
}
END_TEST

START_TEST(few_open_files_are_enough)
{
	enum { FILES = 64, ATTEMPTED = 100 };
	struct wire wires[ATTEMPTED];
	double cpu, since;
	char *log;

	if (getenv("WRAPPER") != NULL && getenv("WRAPPER")[0] != '\0')
		return; /* it needs files of its own */
	wire_limit_files(FILES);
	start("--limits.request_seconds=30", "--threads=2");
	log = wire_log(&server);
	ck_assert_ptr_nonnull(strstr(log, "\"event\":\"connections_lowered\""));
	free(log);
	for (int i = 0; i < ATTEMPTED; i++) {
		wire_connect(&server, &wires[i]);
		wire_send(&wires[i], (struct span)SPAN("GET /readyz HTTP/1.1\r\n"));
	}
	pause_ms(300);
	ck_assert_int_le(wire_open_files(&server), FILES);
	cpu = wire_cpu_seconds(&server);
	since = wire_now();
	pause_ms(2000);
	ck_assert_msg(cpu_share(cpu, since) < most_of_a_core, "burns %.0f %% of a core",
	    100 * cpu_share(cpu, since));
	for (int i = 0; i < ATTEMPTED; i++)
		wire_close(&wires[i]);
	ask_on_a_new_connection();
	stop();
}
END_TEST

/* --- stalls in TLS --- */

/* A ClientHello's record header and what it promises, cut off or followed by nothing. */
static const char client_hello[] =
    "\x16\x03\x01\x00\x7b\x01\x00\x00\x77\x03\x03"
    "0123456789abcdef0123456789abcdef"
    "\x00"
    "\x00\x04\xc0\x2b\xc0\x2f"
    "\x01\x00"
    "\x00\x4a"
    "\x00\x0a\x00\x04\x00\x02\x00\x17"
    "\x00\x0b\x00\x02\x01\x00"
    "\x00\x0d\x00\x08\x00\x06\x04\x03\x08\x04\x04\x01"
    "\x00\x15\x00\x2c"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

static void
open_stalls(struct wire_server *plain, struct wire *wires)
{
	struct span hello = { client_hello, sizeof(client_hello) - 1 };

	for (int i = 0; i < 3; i++) {
		wire_connect(plain, &wires[3 * i]);
		wire_connect(plain, &wires[3 * i + 1]);
		wire_send(&wires[3 * i + 1], hello);
		wire_connect(plain, &wires[3 * i + 2]);
		wire_send(&wires[3 * i + 2], (struct span){ hello.data, hello.len / 2 });
	}
}

static struct wire_pair pair;

static void
start_tls(const char *first, const char *second)
{
	char certificate[96], key[96];

	wire_make_pair(&pair, WIRE_ECDSA, "first", -60, 86400L * 90);
	snprintf(certificate, sizeof(certificate), "--tls.certificate=%s", pair.certificate);
	snprintf(key, sizeof(key), "--tls.private_key=%s", pair.key);
	wire_start(&server, (const char *[]){ USUAL, certificate, key, first, second, NULL });
	server.tls = true;
}

static void
stop_tls(void)
{
	stop();
	wire_remove_pair(&pair);
}

START_TEST(stalled_handshakes_cost_nothing_and_end)
{
	enum { N_STALLS = 9 };
	struct wire wires[N_STALLS];
	struct wire_server plain;
	double cpu, since;
	int files;

	start_tls("--limits.request_seconds=3", NULL);
	plain = server;
	plain.tls = false;
	ask_on_a_new_connection();
	pause_ms(200);
	files = wire_open_files(&server);
	open_stalls(&plain, wires);
	pause_ms(200);
	ck_assert_int_ge(wire_open_files(&server), files + 6);
	cpu = wire_cpu_seconds(&server);
	since = wire_now();
	pause_ms(2000);
	ck_assert_msg(cpu_share(cpu, since) < most_of_a_core, "burns %.0f %% of a core",
	    100 * cpu_share(cpu, since));
	/* The silent ones are the kernel's for some 15 seconds before they are the server's. */
	while (count_open(wires, N_STALLS) > 0) {
		ck_assert_msg(wire_now() < since + 15 + 3 + after_deadline, "%d stalls stay",
		    count_open(wires, N_STALLS));
		pause_ms(100);
	}
	ck_assert_msg(cpu_share(cpu, since) < most_of_a_core, "burns %.0f %% of a core",
	    100 * cpu_share(cpu, since));
	ask_on_a_new_connection();
	for (int i = 0; i < N_STALLS; i++)
		wire_close(&wires[i]);
	stop_tls();
}
END_TEST

/* A browser asks nothing more, and its connection costs a loop that polls; a proxy's is kept. */
static const struct {
	const char *idle, *proxies;
	double seconds;
	bool ends;
} tls_idles[] = {
	{ "--limits.idle_seconds=75", NULL, 15, true },
	{ "--limits.idle_seconds=3", NULL, 3, true },
	{ "--limits.idle_seconds=75", "--trusted_proxies=127.0.0.2", 15, false },
};

START_TEST(browser_is_not_waited_for_long_over_tls)
{
	double since, seconds = tls_idles[_i].seconds;
	struct wire wire;

	start_tls(tls_idles[_i].idle, tls_idles[_i].proxies);
	wire_connect(&server, &wire);
	ask_ready(&wire);
	since = wire_now();
	while (count_open(&wire, 1) > 0 && wire_now() < since + seconds + after_deadline)
		pause_ms(100);
	ck_assert_int_eq(count_open(&wire, 1), !tls_idles[_i].ends);
	ck_assert_msg(
	    wire_now() > since + seconds - 1, "it ended after %.1f s", wire_now() - since);
	wire_close(&wire);
	stop_tls();
}
END_TEST

static TCase *
slow_case(void)
{
	TCase *tests = tcase_create("slow");

	tcase_set_timeout(tests, 300);
	tcase_add_unchecked_fixture(tests, start_slow, stop);
	tcase_add_loop_test(tests, slow_clients_harm_nobody_and_are_ended, 0,
	    sizeof(slow_ones) / sizeof(slow_ones[0]));
	tcase_add_test(tests, idle_connections_end);
	return tests;
}

static TCase *
limits_case(void)
{
	TCase *tests = tcase_create("limits");

	tcase_set_timeout(tests, 300);
	tcase_add_test(tests, oldest_idle_connection_makes_room);
	tcase_add_test(tests, slow_requests_make_room);
	tcase_add_test(tests, one_address_has_so_many_connections);
	tcase_add_test(tests, few_open_files_are_enough);
	tcase_add_test(tests, stalled_handshakes_cost_nothing_and_end);
	LOOP(tests, browser_is_not_waited_for_long_over_tls, tls_idles);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("slow");

	signal(SIGPIPE, SIG_IGN);
	suite_add_tcase(suite, slow_case());
	suite_add_tcase(suite, limits_case());
	return support_run(suite);
}
