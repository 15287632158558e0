/*
 * Speaks to systemd. Written by hand: the protocol is a datagram and three variables, and
 * libsystemd would bring five libraries along.
 */
#include "system/systemd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

void
systemd_notify(const char *assignments)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* the abstract namespace, unix(7) */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL, (const void *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
systemd_notify_reloading(void)
{
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_now_us());
	systemd_notify(text);
}

bool
systemd_has_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM"); /* device:inode */
	struct stat status;
	char own[64];

	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

/* The variable as a number, where the one that names a process names this one. */
static long long
own_number(const char *name, const char *pid_name)
{
	const char *pid = getenv(pid_name);
	const char *value = getenv(name);

	if (value == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(value, NULL, 10);
}

int64_t
systemd_watchdog_ms(void)
{
	return own_number("WATCHDOG_USEC", "WATCHDOG_PID") / 1000;
}

int
systemd_end_of_sockets(void)
{
	enum { MOST = 1024 }; /* a number that is larger is a mistake, and closed anyway */
	long long n = getenv("LISTEN_PID") != NULL ? own_number("LISTEN_FDS", "LISTEN_PID") : 0;

	return SYSTEMD_FIRST_SOCKET + (int)(n < 0 ? 0 : n > MOST ? MOST : n);
}

struct span
systemd_socket_names(void)
{
	const char *names = getenv("LISTEN_FDNAMES");

	return span_of(names != NULL ? names : "");
}
