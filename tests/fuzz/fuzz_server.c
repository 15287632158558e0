/*
 * The real server over loopback: whatever head comes, it lives, answers in HTTP or not at all, and
 * serves the next one. PROGRAM names its binary; it is started once.
 *
 * An input is what a client sends, to the byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum { ANSWER_SIZE = 256 * 1024, START_MS = 30000, ANSWER_MS = 20000 };

static pid_t server;
static in_port_t port;

static in_port_t
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	HOLDS(bind(fd, (const void *)&at, sizeof(at)) == 0);
	HOLDS(getsockname(fd, (void *)&at, &len) == 0);
	close(fd);
	return at.sin_port;
}

static int
open_connection(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), cause;

	HOLDS(fd >= 0);
	if (connect(fd, (const void *)&to, sizeof(to)) == 0)
		return fd;
	cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

/* Some thousand connections a second can use up the ports; libFuzzer's clock interrupts. */
static int
open_soon(void)
{
	int fd = open_connection();

	for (int tries = 0; fd < 0 && tries < 60; tries++) {
		if (errno != EADDRNOTAVAIL && errno != EINTR)
			break;
		sleep(errno == EADDRNOTAVAIL);
		fd = open_connection();
	}
	if (fd < 0)
		perror("connect");
	HOLDS(fd >= 0);
	return fd;
}

static void
run_server(void)
{
	static char text[64];
	char *program = getenv("PROGRAM");
	char *const arguments[] = { program, text, (char[]){ "--listen.address=127.0.0.1" },
		(char[]){ "--admin.port=0" }, (char[]){ "--threads=1" },
		(char[]){ "--log.level=error" },
		(char[]){ "--public_url=https://oauth.example.com" },
		(char[]){ "--microsoft.client_id=11111111-2222-3333-4444-555555555555" }, NULL };

	snprintf(text, sizeof(text), "--listen.port=%u", ntohs(port));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(program, arguments);
	_exit(127);
}

static void
stop_server(void)
{
	int status;

	kill(server, SIGTERM);
	waitpid(server, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "the server ended with %#x\n", (unsigned)status);
		_exit(1);
	}
}

static void
start_server(void)
{
	int fd = -1;

	HOLDS(getenv("PROGRAM") != NULL);
	port = free_port();
	server = fork();
	HOLDS(server >= 0);
	if (server == 0)
		run_server();
	for (int waited = 0; fd < 0 && waited < START_MS; waited += 20) {
		fd = open_connection();
		usleep(20000);
	}
	HOLDS(fd >= 0);
	close(fd);
	atexit(stop_server);
}

/* The server may close before it has read everything. */
static void
send_all(int fd, struct span bytes)
{
	ssize_t n;

	while (bytes.len > 0 &&
	       (n = TEMP_FAILURE_RETRY(send(fd, bytes.data, bytes.len, MSG_NOSIGNAL))) > 0)
		bytes = span_from(bytes, (size_t)n);
	shutdown(fd, SHUT_WR);
}

/* Everything until the other side closes; silence for long is none of its answers. */
static size_t
receive_all(int fd, char answer[ANSWER_SIZE])
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < ANSWER_SIZE - 1) {
		HOLDS(TEMP_FAILURE_RETRY(poll(&ready, 1, ANSWER_MS)) == 1);
		n = TEMP_FAILURE_RETRY(recv(fd, answer + len, ANSWER_SIZE - 1 - len, 0));
		len += n > 0 ? (size_t)n : 0;
	}
	answer[len] = '\0';
	return len;
}

/* With a reset at the end, where the server has not closed, so that no port stays in TIME_WAIT. */
static size_t
ask(struct span bytes, char answer[ANSWER_SIZE])
{
	static const struct linger reset = { .l_onoff = 1 };
	int fd = open_soon();
	size_t len;

	send_all(fd, bytes);
	len = receive_all(fd, answer);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	return len;
}

static bool
is_known_status(long status)
{
	static const long known[] = { 100, 200, 302, 303, 400, 403, 404, 405, 413, 414, 415, 431,
		501, 505 };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (status == known[i])
			return true;
	return false;
}

static void
check_answer(const char *answer, size_t len)
{
	if (len == 0)
		return;
	HOLDS(len > 12 && strncmp(answer, "HTTP/1.", 7) == 0);
	HOLDS(is_known_status(strtol(answer + 9, NULL, 10)));
	HOLDS(strstr(answer, "\r\n\r\n") != NULL);
}

static void
check_serves(char answer[ANSWER_SIZE])
{
	static const struct span good = SPAN(
	    "GET /api/ms_oauth_callback?code=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	static const char target[] =
	    "\r\nLocation: https://us-east-1.recall.ai/api/v1/calendar/ms_oauth_callback/?code=1\r\n";

	ask(good, answer);
	HOLDS(strncmp(answer, "HTTP/1.1 302 ", 13) == 0);
	HOLDS(strstr(answer, target) != NULL);
	HOLDS(TEMP_FAILURE_RETRY(waitpid(server, NULL, WNOHANG)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answer[ANSWER_SIZE];
	size_t len;

	if (server == 0)
		start_server();
	len = ask((struct span){ (const char *)data, size }, answer);
	check_answer(answer, len);
	check_serves(answer);
	return 0;
}
