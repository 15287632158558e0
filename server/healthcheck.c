/*
 * The client behind `healthcheck`: one GET /healthz over a socket, with a deadline.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "commands.h"
#include "tls.h"

enum { TIMEOUT_SECONDS = 3 };

/* The address to reach the listener at: a wildcard is reached over loopback. */
static const char *
reachable(const char *listen_address)
{
	if (strcmp(listen_address, "0.0.0.0") == 0 || strcmp(listen_address, "::") == 0)
		return "127.0.0.1";
	return listen_address;
}

static int
connect_to(const char *address, unsigned short port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	const struct sockaddr *to = is_v4 ? (const void *)&v4 : (const void *)&v6;
	const struct timeval timeout = { .tv_sec = TIMEOUT_SECONDS };
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!is_v4)
		inet_pton(AF_INET6, address, &v6.sin6_addr);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) == 0)
		return fd;
	close(fd);
	return -1;
}

static size_t
ask_plain(int fd, struct span request, char *answer, size_t answer_size)
{
	size_t len = 0;
	ssize_t n;

	if (send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		return 0;
	while (len < answer_size && (n = recv(fd, answer + len, answer_size - len, 0)) > 0)
		len += (size_t)n;
	return len;
}

static bool
answers_200(int fd, bool is_tls)
{
	static const struct span request =
	    SPAN("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	static const struct span wanted = SPAN("HTTP/1.1 200 ");
	char answer[sizeof("HTTP/1.1 200 ") - 1];
	struct span seen = { answer, 0 };

	seen.len = is_tls ? tls_ask(fd, request, answer, sizeof(answer))
			  : ask_plain(fd, request, answer, sizeof(answer));
	return span_equals(seen, wanted);
}

enum exit_code
command_healthcheck(const struct config *config)
{
	const char *address = reachable(config->listen_address);
	int fd = connect_to(address, (unsigned short)config->listen_port);
	bool good = fd >= 0 && answers_200(fd, config->tls_certificate != NULL);

	if (fd >= 0)
		close(fd);
	if (!good)
		fprintf(stderr, "healthcheck: %s port %lu does not answer /healthz with 200\n",
		    address, config->listen_port);
	return good ? EXIT_GOOD : EXIT_FAILED;
}
