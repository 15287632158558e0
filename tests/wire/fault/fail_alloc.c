/*
 * Loaded into the server with LD_PRELOAD: makes the n-th allocation fail.
 *
 * FAIL_ALLOC names a file that holds a struct fail_alloc, shared with the test, which arms it
 * whenever it likes. Counting begins once this library is initialised, which is after the others
 * and before main(): what a dynamic library does without memory while it is loaded is its own
 * affair. glibc only.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_alloc.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static struct fail_alloc *shared;

__attribute__((constructor)) static void
start(void)
{
	const char *path = getenv("FAIL_ALLOC");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = MAP_FAILED;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return;
	shared = at;
	atomic_fetch_add(&shared->processes, 1);
}

/*
 * Once main() has returned nothing fails any more: gcov, for one, writes its counts then. A
 * handler for that has to be registered after those that run the destructors, so between the C
 * library's start and main().
 */
typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *begin, int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

static main_function *program_main;

static void
disarm(void)
{
	shared = NULL;
}

static int
begin(int argc, char **argv, char **environment)
{
	atexit(disarm);
	return program_main(argc, argv, environment);
}

int
__libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_function *next = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");

	program_main = main;
	return next(begin, argc, argv, init, fini, rtld_fini, stack_end);
}

/* The one of number 1 fails and, where all that follow do too, those below. */
static int
must_fail(void)
{
	long number;

	if (shared == NULL || atomic_load(&shared->countdown) == FAIL_ALLOC_OFF)
		return 0;
	number = atomic_fetch_sub(&shared->countdown, 1);
	if (number > 1 || (number < 1 && !atomic_load(&shared->goes_on)))
		return 0;
	atomic_fetch_add(&shared->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(old, size);
}
