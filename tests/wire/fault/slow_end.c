/*
 * Loaded into the server with LD_PRELOAD: a thread that ends takes a twentieth of a second to be
 * joined, and whoever locks a mutex that was destroyed ends the program.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { JOIN_MICROSECONDS = 50000, DESTROYED = -1 };

int
pthread_join(pthread_t thread, void **ret_value)
{
	int (*join)(pthread_t, void **) = dlsym(RTLD_NEXT, "pthread_join");
	int result = join(thread, ret_value);

	usleep(JOIN_MICROSECONDS);
	return result;
}

int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*lock)(pthread_mutex_t *);

	if (mutex->__data.__kind == DESTROYED)
		abort();
	if (lock == NULL)
		lock = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return lock(mutex);
}
