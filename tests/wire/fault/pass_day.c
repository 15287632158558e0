/* Loaded with LD_PRELOAD: at SIGUSR1 the monotonic clock goes on by a day and an hour. */
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DAY_AND_HOUR_SECONDS = 25 * 60 * 60 };

static atomic_int passed_seconds;

static void
pass(int number)
{
	(void)number;
	atomic_fetch_add(&passed_seconds, DAY_AND_HOUR_SECONDS);
}

__attribute__((constructor)) static void
wait_for_it(void)
{
	signal(SIGUSR1, pass);
}

int
clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, ret_now);

	if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
		ret_now->tv_sec += atomic_load(&passed_seconds);
	return result;
}
