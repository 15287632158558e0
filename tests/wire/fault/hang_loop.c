/*
 * Loaded into the server with LD_PRELOAD: the event loop whose number the file HANG_LOOP holds,
 * counted from 0 in the order of their start, never comes back from its next turn.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_LOOPS = 16 };

static int loops[MAX_LOOPS], n_loops;

int
epoll_create1(int flags)
{
	int fd = (int)syscall(SYS_epoll_create1, flags);

	if (n_loops < MAX_LOOPS)
		loops[n_loops++] = fd;
	return fd;
}

/* The descriptor of the loop that is to hang; -1 while none is. */
static int
chosen(void)
{
	int fd = open(getenv("HANG_LOOP"), O_RDONLY | O_CLOEXEC);
	char digit = 0;

	if (fd < 0 || read(fd, &digit, 1) != 1)
		digit = 0;
	close(fd);
	return digit >= '0' && digit - '0' < n_loops ? loops[digit - '0'] : -1;
}

int
epoll_wait(int fd, struct epoll_event *events, int max_events, int timeout)
{
	int n = (int)syscall(SYS_epoll_pwait, fd, events, max_events, timeout, NULL, 8);

	while (fd == chosen())
		pause();
	return n;
}
