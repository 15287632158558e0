#include "cork.h"
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 10, CORK_MS = 200 };

/* The two ends of a TCP connection. */
struct ends {
	int server;
	int client;
};

static struct ends ends;

static void
open_ends(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listening, (void *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (void *)&address, &len), 0);
	ends.client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(ends.client, (void *)&address, sizeof(address)), 0);
	ends.server = accept(listening, NULL, NULL);
	ck_assert_int_ge(ends.server, 0);
	close(listening);
}

/* Leaves no cork behind: without a fork, the next test has the same numbers. */
static void
close_ends(void)
{
	cork_end(ends.server);
	if (ends.server >= 0)
		close(ends.server);
	close(ends.client);
}

static int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static int
switch_on(int fd, int level, int name)
{
	return setsockopt(fd, level, name, &(int){ 1 }, sizeof(int));
}

static bool
arrives(int milliseconds)
{
	struct pollfd wait = { .fd = ends.client, .events = POLLIN };

	return poll(&wait, 1, milliseconds) == 1;
}

static void
send_answer(void)
{
	ck_assert_int_eq(send(ends.server, "answer", 6, 0), 6);
}

static bool
has_ended(void)
{
	struct pollfd wait = { .fd = ends.client, .events = POLLRDHUP };

	return poll(&wait, 1, SOON_MS) == 1;
}

/* As the library does it: send, then TCP_NODELAY. */
START_TEST(keeps_the_answer_until_the_end)
{
	cork_until_end(ends.server);
	send_answer();
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert(!arrives(SOON_MS));
	cork_end(ends.server);
	ck_assert(arrives(SOON_MS));
	ck_assert(has_ended());
}
END_TEST

/* Whether the client gets its answer though something of what it sent is never read. */
static bool
survives_unread_bytes(bool is_ended)
{
	char answer[8];

	ck_assert_int_eq(send(ends.client, "more", 4, 0), 4);
	cork_until_end(ends.server);
	send_answer();
	if (is_ended)
		cork_end(ends.server);
	close(ends.server);
	cork_end(ends.server);
	ends.server = -1;
	return recv(ends.client, answer, sizeof(answer), 0) == 6;
}

START_TEST(loses_no_answer_to_unread_bytes)
{
	ck_assert(survives_unread_bytes(true));
}
END_TEST

START_TEST(closing_alone_would_lose_it)
{
	ck_assert(!survives_unread_bytes(false));
}
END_TEST

START_TEST(ends_nothing_that_is_not_corked)
{
	cork_end(ends.server);
	cork_end(-1);
	ck_assert(!has_ended());
	cork_until_end(ends.server);
	cork_end(ends.client);
	ck_assert(!has_ended());
}
END_TEST

START_TEST(keeps_no_answer_for_long)
{
	cork_until_end(ends.server);
	send_answer();
	ck_assert(arrives(10 * CORK_MS));
}
END_TEST

START_TEST(an_answer_without_it_comes_at_once)
{
	send_answer();
	ck_assert(arrives(SOON_MS));
}
END_TEST

/* What the cork is kept from: without the stand-in, this is what the library's call would do. */
START_TEST(tcp_nodelay_draws_a_cork)
{
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_CORK), 0);
	send_answer();
	ck_assert(!arrives(SOON_MS));
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert(arrives(SOON_MS));
}
END_TEST

START_TEST(passes_on_what_is_not_about_the_corked_socket)
{
	cork_until_end(ends.server);
	ck_assert_int_eq(switch_on(ends.client, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(option_of(ends.client, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_eq(switch_on(ends.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_ne(option_of(ends.server, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_KEEPCNT), 0);
	ck_assert_int_eq(option_of(ends.server, IPPROTO_TCP, TCP_KEEPCNT), 1);
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_eq(option_of(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
}
END_TEST

/* The number of an ended socket is soon another's. */
START_TEST(forgets_an_ended_socket)
{
	cork_until_end(ends.server);
	cork_end(ends.server);
	ck_assert_int_eq(switch_on(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(option_of(ends.server, IPPROTO_TCP, TCP_NODELAY), 0);
}
END_TEST

START_TEST(tells_errors_as_the_system_does)
{
	cork_until_end(-1);
	errno = 0;
	ck_assert_int_eq(switch_on(-1, IPPROTO_TCP, TCP_NODELAY), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cork");
	TCase *tests = tcase_create("cork");

	tcase_add_checked_fixture(tests, open_ends, close_ends);
	tcase_add_test(tests, keeps_the_answer_until_the_end);
	tcase_add_test(tests, keeps_no_answer_for_long);
	tcase_add_test(tests, an_answer_without_it_comes_at_once);
	tcase_add_test(tests, tcp_nodelay_draws_a_cork);
	tcase_add_test(tests, passes_on_what_is_not_about_the_corked_socket);
	tcase_add_test(tests, forgets_an_ended_socket);
	tcase_add_test(tests, loses_no_answer_to_unread_bytes);
	tcase_add_test(tests, closing_alone_would_lose_it);
	tcase_add_test(tests, ends_nothing_that_is_not_corked);
	tcase_add_test(tests, tells_errors_as_the_system_does);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
