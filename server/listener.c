/*
 * Opens listening sockets. The first is bound alone, so that a port in use is noticed; the others
 * then share it by SO_REUSEPORT, and the kernel spreads connections over them.
 */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
make_address(const char *text, unsigned short port, union address *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, text, &ret_address->v4.sin_addr) == 1) {
		ret_address->v4.sin_family = AF_INET;
		ret_address->v4.sin_port = htons(port);
		return sizeof(ret_address->v4);
	}
	inet_pton(AF_INET6, text, &ret_address->v6.sin6_addr);
	ret_address->v6.sin6_family = AF_INET6;
	ret_address->v6.sin6_port = htons(port);
	return sizeof(ret_address->v6);
}

static bool
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* Bound and listening, or -1 with errno. */
static int
open_socket(const union address *address, socklen_t len, int defer_seconds, bool is_first)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = fd >= 0 && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (good && address->any.sa_family == AF_INET6)
		good = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (good && !is_first)
		good = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	good = good && bind(fd, &address->any, len) == 0;
	if (good && is_first)
		good = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (good && defer_seconds > 0)
		good = set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, defer_seconds);
	if (good && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0) {
		int cause = errno;

		close(fd);
		errno = cause;
	}
	return -1;
}

static void
close_all(int *fds, size_t n)
{
	int cause = errno;

	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	errno = cause;
}

bool
listener_open(const char *text, unsigned short port, int defer_seconds, size_t n, int *ret_fds)
{
	union address address;

	for (size_t i = 0; i < n; i++) {
		socklen_t len =
		    make_address(text, i == 0 ? port : listener_port(ret_fds[0]), &address);

		ret_fds[i] = open_socket(&address, len, defer_seconds, i == 0);
		if (ret_fds[i] >= 0)
			continue;
		close_all(ret_fds, i);
		if (i == 0 && strcmp(text, "::") == 0 &&
		    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
			return listener_open("0.0.0.0", port, defer_seconds, n, ret_fds);
		return false;
	}
	return true;
}

unsigned short
listener_port(int fd)
{
	union address address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}
