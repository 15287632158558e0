/*
 * Loaded into the server with LD_PRELOAD: FAIL_START is "call errno n", the call that fails from
 * the n-th on, for lack of what the system allows. To close a descriptor that is not open ends the
 * program, unless libmicrohttpd does it: 1.0.1 closes the socket of a daemon that fails twice.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

static char call[32];
static int cause, first;

__attribute__((constructor)) static void
start(void)
{
	const char *text = getenv("FAIL_START");

	if (text == NULL || sscanf(text, "%31s %d %d", call, &cause, &first) != 3)
		abort();
}

static int
must_fail(const char *name)
{
	return strcmp(name, call) == 0 && --first <= 0;
}

int
pthread_create(
    pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *), void *cls)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
	    dlsym(RTLD_NEXT, "pthread_create");

	return must_fail("pthread_create") ? cause : create(ret_thread, attributes, run, cls);
}

int
epoll_create1(int flags)
{
	if (!must_fail("epoll_create1"))
		return (int)syscall(SYS_epoll_create1, flags);
	errno = cause;
	return -1;
}

int
close(int fd)
{
	int result = (int)syscall(SYS_close, fd);
	Dl_info caller;

	if (result == 0 || errno != EBADF)
		return result;
	if (dladdr(__builtin_return_address(0), &caller) == 0 ||
	    strstr(caller.dli_fname, "libmicrohttpd") == NULL)
		abort();
	errno = EBADF;
	return result;
}
