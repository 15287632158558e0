/*
 * Opens listening sockets, or takes those that systemd has passed. The first of several is bound
 * alone, so that a port in use is noticed; the others then share it by SO_REUSEPORT, and the kernel
 * spreads connections over them.
 */
#include "system/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "system/systemd.h"

/* What the kernel keeps of a connection, each way: who reads no answer makes it keep megabytes. */
enum { BACKLOG = 4096, KERNEL_BYTES = 16 * 1024 };

/*
 * Connections reach an event loop with their first bytes; a silent one after about this long, so
 * that its deadline does not start much later. Over TLS it costs a loop, which polls, much more.
 */
enum { DEFER_SECONDS = 1, DEFER_TLS_SECONDS = 10 };

static bool
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* Bound and listening, or -1 with errno. */
static int
open_socket(const struct sockaddr_storage *to, socklen_t len, int defer_seconds, bool is_first)
{
	int fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = fd >= 0 && set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);

	if (good && to->ss_family == AF_INET6)
		good = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (good && !is_first)
		good = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	good = good && bind(fd, (const void *)to, len) == 0;
	if (good && is_first)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (good) {
		set_option(fd, SOL_SOCKET, SO_SNDBUF, KERNEL_BYTES);
		set_option(fd, SOL_SOCKET, SO_RCVBUF, KERNEL_BYTES);
		set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, defer_seconds);
	}
	if (good && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0)
		close(fd); /* which leaves errno as it is */
	return -1;
}

static unsigned short
port_of(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	if (getsockname(fd, (void *)&at, &len) != 0)
		return 0;
	if (at.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&at)->sin_port);
	return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&at)->sin6_port) : 0;
}

unsigned
listener_port(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (port_of(fds[i]) != 0)
			return port_of(fds[i]);
	return 0;
}

/* Copies of the first n_open, in turn, for the rest. False with errno. */
static bool
share(int *fds, size_t n_open, size_t n)
{
	for (size_t i = n_open; i < n; i++) {
		fds[i] = fcntl(fds[i % n_open], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			return false;
	}
	return true;
}

/*
 * n sockets on a numeric address; port 0 takes a free one, the same for all. "::" is dual-stack,
 * and 0.0.0.0 where the system has no IPv6. Without SO_REUSEPORT all are one. False with errno.
 */
static bool
open_sockets(const char *text, unsigned port, int defer_seconds, size_t n, int *ret_fds)
{
	struct address address = { 0 };
	struct sockaddr_storage to;
	socklen_t len;

	address_parse(span_of(text), &address);
	len = address_to_socket(&address, (unsigned short)port, &to);
	ret_fds[0] = open_socket(&to, len, defer_seconds, true);
	if (ret_fds[0] < 0)
		return strcmp(text, "::") == 0 &&
		       (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) &&
		       open_sockets("0.0.0.0", port, defer_seconds, n, ret_fds);
	address_to_socket(&address, port_of(ret_fds[0]), &to);
	for (size_t i = 1; i < n; i++) {
		ret_fds[i] = open_socket(&to, len, defer_seconds, false);
		if (ret_fds[i] < 0)
			return share(ret_fds, i, n);
	}
	return true;
}

size_t
listener_count(const struct config *config)
{
	enum { MOST_POLLED = 1024 };
	size_t n = 1 + (config->limits_connections - 1) / MOST_POLLED;

	n = config->tls_certificate == NULL || n < config->threads ? config->threads : n;
	return n < LISTENER_MAX_PUBLIC ? n : LISTENER_MAX_PUBLIC;
}

static bool
open_all(const struct config *config, struct listeners *listeners, const char **ret_key)
{
	size_t n_passed = listeners->n_public;
	size_t n = listener_count(config);

	n = n_passed > n ? n_passed : n;
	listeners->is_passed = n_passed > 0;
	listeners->is_admin_passed = listeners->n_admin > 0;
	listeners->n_public = n;
	if (n_passed > 0 && !share(listeners->public_fds, n_passed, n))
		return false;
	*ret_key = "listen";
	if (n_passed == 0 &&
	    !open_sockets(config->listen_address, config->listen_port,
		config->tls_certificate != NULL ? DEFER_TLS_SECONDS : DEFER_SECONDS, n,
		listeners->public_fds))
		return false;
	*ret_key = "admin";
	if (listeners->n_admin > 0 || config->admin_port == 0)
		return true;
	listeners->n_admin = 1;
	return open_sockets(config->admin_address, config->admin_port, 0, 1, listeners->admin_fds);
}

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static bool
is_servable(int fd)
{
	int domain = option_of(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6 || domain == AF_UNIX) &&
	       option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1;
}

_Static_assert(LISTENER_MAX_PUBLIC == 64 && LISTENER_MAX_ADMIN == 8, "as take() says");

/* What is wrong with a passed socket; NULL where it was taken. */
static const char *
take(int fd, struct span name, struct listeners *l)
{
	bool is_admin = span_is(name, "admin");
	size_t *n = is_admin ? &l->n_admin : &l->n_public;

	if (!is_admin && !span_is(name, "public"))
		return "is not called public or admin: set FileDescriptorName= in its unit";
	if (!is_servable(fd))
		return "is not a TCP or Unix socket that listens: use ListenStream= in its unit";
	if (*n == (is_admin ? LISTENER_MAX_ADMIN : LISTENER_MAX_PUBLIC))
		return "is one too many: at most 64 can be called public, and 8 admin";
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(is_admin ? l->admin_fds : l->public_fds)[(*n)++] = fd;
	return NULL;
}

bool
listeners_open(
    const struct config *config, struct listeners *ret_listeners, struct listener_fault *ret_fault)
{
	struct span names = systemd_socket_names();
	struct buf cause;

	*ret_listeners = (struct listeners){ 0 };
	*ret_fault = (struct listener_fault){ .key = "passed" };
	buf_init(&cause, ret_fault->cause, sizeof(ret_fault->cause));
	for (int fd = SYSTEMD_FIRST_SOCKET; fd < systemd_end_of_sockets(); fd++) {
		struct span name = SPAN("");
		const char *fault;

		span_next(&names, ':', &name);
		fault = take(fd, name, ret_listeners);
		if (fault == NULL)
			continue;
		buf_printf(&cause, "The passed socket %d (\"%.*s\") %s", fd,
		    (int)(name.len < 64 ? name.len : 64), name.data, fault);
		return false;
	}
	if (open_all(config, ret_listeners, &ret_fault->key))
		return true;
	ret_fault->number = errno;
	buf_puts(&cause, strerror(errno));
	return false;
}
