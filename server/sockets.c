/*
 * Decides where listening sockets come from.
 */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "listener.h"
#include "systemd.h"

/*
 * Connections reach an event loop with their first bytes; a silent one after about this long, so
 * that its deadline does not start much later.
 */
enum { DEFER_SECONDS = 1 };

static void
close_all(const int *fds, size_t n)
{
	int cause = errno;

	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	errno = cause;
}

/* A copy of the passed socket for each thread; the passed one itself is the first. */
static bool
share(int fd, size_t n, int *ret_fds)
{
	ret_fds[0] = fd;
	for (size_t i = 1; i < n; i++) {
		ret_fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (ret_fds[i] >= 0)
			continue;
		close_all(ret_fds, i);
		return false;
	}
	return true;
}

static bool
open_public(const struct config *config, struct sockets *sockets)
{
	int passed = systemd_find_socket("public");

	sockets->is_shared = passed >= 0;
	if (passed >= 0)
		return share(passed, config->threads, sockets->public_fds);
	return listener_open(config->listen_address, (unsigned short)config->listen_port,
	    DEFER_SECONDS, config->threads, sockets->public_fds);
}

static bool
open_admin(const struct config *config, struct sockets *sockets)
{
	sockets->admin_fd = systemd_find_socket("admin");
	if (sockets->admin_fd >= 0 || config->admin_port == 0)
		return true;
	return listener_open(
	    config->admin_address, (unsigned short)config->admin_port, 0, 1, &sockets->admin_fd);
}

bool
sockets_open(const struct config *config, struct sockets *ret_sockets, const char **ret_key)
{
	*ret_key = "listen";
	if (!open_public(config, ret_sockets))
		return false;
	*ret_key = "admin";
	if (open_admin(config, ret_sockets))
		return true;
	close_all(ret_sockets->public_fds, config->threads);
	return false;
}
