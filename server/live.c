/*
 * Swaps one pointer. A reader says what it is about to read before it reads (a hazard pointer), so
 * that the writer knows when the old one is free.
 */
#include "live.h"

#include <time.h>

const struct config *
live_enter(struct live *live, struct live_reader *reader)
{
	const struct config *config = atomic_load(&live->config);
	const struct config *now;

	for (;;) {
		atomic_store(&reader->reads, config);
		now = atomic_load(&live->config);
		if (now == config)
			return config;
		config = now;
	}
}

void
live_leave(struct live_reader *reader)
{
	atomic_store_explicit(&reader->reads, NULL, memory_order_release);
}

const struct config *
live_replace(struct live *live, const struct config *new_config)
{
	return atomic_exchange(&live->config, new_config);
}

bool
live_wait(struct live_reader *reader, const struct config *old)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < 5000; i++) {
		if (atomic_load(&reader->reads) != old)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}
