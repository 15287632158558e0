/*
 * A ring a thread, filled by that thread and emptied by one writer: no lock between them. Rings
 * live until the process ends, since threads may end before their lines are written.
 */
#include "backlog.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

enum {
	RING_BYTES = 256 * 1024, /* a power of two */
	WAKE_BYTES = RING_BYTES / 4,
	MAX_RINGS = 80,
	PIPE_BYTES = 4096, /* PIPE_BUF: what a writable pipe takes without blocking */
	TICK_MS = 50,
};

struct ring {
	_Atomic size_t written; /* by the ring's thread: bytes in all */
	_Atomic size_t taken;   /* by the writer: bytes in all */
	char bytes[RING_BYTES];
};

static _Atomic(struct ring *) rings[MAX_RINGS];
static atomic_size_t n_rings;
static _Thread_local struct ring *own;
static _Atomic uint64_t dropped;
static atomic_bool stops;
static int wake = -1; /* an eventfd: a ring has WAKE_BYTES in it */
static pthread_t writer;
static size_t piece_bytes = PIPE_BYTES; /* at most, in one write */

static struct ring *
make_ring(void)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	size_t index = ring != NULL ? atomic_fetch_add(&n_rings, 1) : MAX_RINGS;

	if (index < MAX_RINGS) {
		atomic_store(&rings[index], ring);
		return ring;
	}
	free(ring);
	return NULL;
}

static void
copy_in(struct ring *ring, size_t at, struct span line)
{
	size_t offset = at % RING_BYTES;
	size_t first = RING_BYTES - offset < line.len ? RING_BYTES - offset : line.len;

	memcpy(ring->bytes + offset, line.data, first);
	memcpy(ring->bytes, line.data + first, line.len - first);
}

static void
keep_line(struct span line)
{
	size_t at, used;

	if (own == NULL)
		own = make_ring();
	if (own == NULL) {
		atomic_fetch_add(&dropped, 1);
		return;
	}
	at = atomic_load_explicit(&own->written, memory_order_relaxed);
	used = at - atomic_load_explicit(&own->taken, memory_order_acquire);
	if (line.len > RING_BYTES - used) {
		atomic_fetch_add(&dropped, 1);
		return;
	}
	copy_in(own, at, line);
	atomic_store_explicit(&own->written, at + line.len, memory_order_release);
	if (used < WAKE_BYTES && used + line.len >= WAKE_BYTES)
		eventfd_write(wake, 1);
}

/* Bytes that standard error takes now, without waiting longer than milliseconds; -1: broken. */
static ssize_t
write_piece(const char *bytes, size_t len, int milliseconds)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&ready, 1, milliseconds) != 1)
		return 0;
	if ((ready.revents & POLLOUT) == 0)
		return -1;
	return write(STDERR_FILENO, bytes, len < piece_bytes ? len : piece_bytes);
}

static void
count_lost_lines(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] == '\n')
			atomic_fetch_add(&dropped, 1);
}

/* False where standard error takes nothing for now. Broken, it swallows the lines. */
static bool
empty_ring(struct ring *ring, int milliseconds)
{
	size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	while (taken < written) {
		size_t offset = taken % RING_BYTES;
		size_t len = written - taken;
		ssize_t n;

		len = len < RING_BYTES - offset ? len : RING_BYTES - offset;
		n = write_piece(ring->bytes + offset, len, milliseconds);
		if (n == 0)
			return false;
		if (n < 0)
			count_lost_lines((struct span){ ring->bytes + offset, len });
		taken += n > 0 ? (size_t)n : len;
		atomic_store_explicit(&ring->taken, taken, memory_order_release);
	}
	return true;
}

/* A line must end before one of another ring begins, so a ring that is stuck stays first. */
static bool
empty_all(int milliseconds)
{
	static size_t at;
	size_t n = atomic_load(&n_rings);

	n = n < MAX_RINGS ? n : MAX_RINGS;
	for (size_t i = 0; i < n; i++) {
		struct ring *ring = atomic_load(&rings[at % n]);

		if (ring != NULL && !empty_ring(ring, milliseconds))
			return false;
		at = (at + 1) % n;
	}
	return true;
}

static void
tell_dropped(void)
{
	static uint64_t told;
	uint64_t now = atomic_load(&dropped);
	struct log_line line;

	if (now == told || !log_begin(&line, LOG_WARNING, "log_lines_dropped"))
		return;
	told = now;
	log_number(&line, "lines", now);
	log_end(&line);
}

/* Until the next tick, or until a ring has much in it: a fast server fills one within a tick. */
static void
wait_for_lines(void)
{
	struct pollfd ready = { .fd = wake, .events = POLLIN };
	eventfd_t ignored;

	if (poll(&ready, 1, TICK_MS) == 1)
		eventfd_read(wake, &ignored);
}

static void *
run(void *cls)
{
	(void)cls;
	while (!atomic_load(&stops)) {
		wait_for_lines();
		if (empty_all(0))
			tell_dropped();
	}
	return NULL;
}

/* A file takes all that it is given, and each write costs more than its bytes. */
static void
look_at_stderr(void)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode))
		piece_bytes = RING_BYTES;
}

bool
backlog_start(void)
{
	look_at_stderr();
	atomic_store(&stops, false);
	if (wake < 0)
		wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pthread_create(&writer, NULL, run, NULL) != 0)
		return false;
	log_set_sink(keep_line);
	return true;
}

void
backlog_stop(void)
{
	bool is_empty = false;

	atomic_store(&stops, true);
	pthread_join(writer, NULL);
	log_set_sink(NULL);
	for (int i = 0; i < 100 && !is_empty; i++)
		is_empty = empty_all(10);
	if (is_empty)
		tell_dropped();
}

uint64_t
backlog_dropped(void)
{
	return atomic_load(&dropped);
}
