/*
 * Holds the cork of one socket a thread, and keeps libmicrohttpd from drawing it.
 *
 * After the first response on a connection the library sets TCP_NODELAY, which sends at once what a
 * cork keeps back (tcp(7)). No option of the library's spares that call, so setsockopt() here
 * stands in for the C library's, everywhere in this process, and leaves out this one call on a
 * corked socket. Every other call is passed on as it is.
 */
#include "cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int corked_fd = -1;

void
cork_until_end(int fd)
{
	static const int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0)
		corked_fd = fd;
}

void
cork_end(int fd)
{
	if (fd < 0 || fd != corked_fd)
		return;
	shutdown(fd, SHUT_WR);
	corked_fd = -1;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (fd >= 0 && fd == corked_fd && level == IPPROTO_TCP && name == TCP_NODELAY)
		return 0;
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}
