/*
 * Speaks to systemd. Written by hand: the protocol is a datagram and three variables, and
 * libsystemd would bring five libraries along.
 */
#include "systemd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_FD = 3 };

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
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, assignments, strlen(assignments), MSG_NOSIGNAL, (const void *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void
systemd_notify_reloading(void)
{
	struct timespec now;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	systemd_notify(text);
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

static bool
is_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value == 1;
}

int
systemd_find_socket(const char *name)
{
	long long n = getenv("LISTEN_PID") != NULL ? own_number("LISTEN_FDS", "LISTEN_PID") : 0;
	const char *names = getenv("LISTEN_FDNAMES");

	for (int fd = FIRST_FD; names != NULL && fd < FIRST_FD + n; fd++) {
		size_t len = strcspn(names, ":");

		if (len == strlen(name) && memcmp(names, name, len) == 0 && is_listening(fd)) {
			fcntl(fd, F_SETFD, FD_CLOEXEC);
			return fd;
		}
		names += len + (names[len] == ':');
	}
	return -1;
}
