/*
 * Two buffers for all threads, so that lines keep their order: one is filled while the other is
 * written. The mutex is held while a line is copied in, never while bytes are written out.
 */
#include "system/log_writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum {
	BUFFER_BYTES = 512 * 1024,
	WAKE_BYTES = BUFFER_BYTES / 8,
	PIPE_BYTES = 4096, /* PIPE_BUF: what a writable pipe takes without blocking */
	TICK_MS = 50,
	STOP_MS = 1000,
};

/* Each starts with a line feed, which is written only after a line that broke off. */
static char buffers[2][BUFFER_BYTES] = { "\n", "\n" };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static char *filling = buffers[0];
static size_t filled = 1; /* bytes in it */
static bool stops;

static _Atomic uint64_t dropped; /* lines */

static pthread_t writer;
static char *out = buffers[1]; /* what is being written, by one thread at a time */
static size_t out_len, out_done;
static bool is_torn; /* the last line that was written broke off */

static void
keep_line(struct span line)
{
	pthread_mutex_lock(&mutex);
	if (line.len <= BUFFER_BYTES - filled) {
		memcpy(filling + filled, line.data, line.len);
		filled += line.len;
	} else {
		dropped++;
	}
	if (filled >= WAKE_BYTES)
		pthread_cond_signal(&wake);
	pthread_mutex_unlock(&mutex);
}

/* Go on to the lines that have come meanwhile; false where there are none. */
static bool
take_lines(void)
{
	char *empty = out;

	pthread_mutex_lock(&mutex);
	out = filling;
	out_len = filled;
	filling = empty;
	filled = 1;
	pthread_mutex_unlock(&mutex);
	out_done = is_torn ? 0 : 1;
	is_torn = false;
	return out_len > 1;
}

/* How many bytes standard error took within so many milliseconds; -1: it is broken. */
static ssize_t
write_piece(const char *bytes, size_t len, int64_t milliseconds)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n;

	if (poll(&ready, 1, milliseconds > 0 ? (int)milliseconds : 0) != 1)
		return 0;
	if ((ready.revents & POLLOUT) == 0)
		return -1;
	n = write(STDERR_FILENO, bytes, len < PIPE_BYTES ? len : PIPE_BYTES);
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

/* Until all lines are written, or for so long. False where standard error takes nothing. */
static bool
write_lines(int milliseconds)
{
	int64_t until = clock_now_ms() + milliseconds;
	ssize_t n = 1;

	while (n > 0 && (out_done < out_len || take_lines())) {
		n = write_piece(out + out_done, out_len - out_done, until - clock_now_ms());
		out_done += n > 0 ? (size_t)n : 0;
	}
	if (n < 0) { /* broken, or on a full disk */
		is_torn = out_done == 0 || out[out_done - 1] != '\n';
		for (; out_done < out_len; out_done++)
			dropped += out_done > 0 && out[out_done] == '\n';
	}
	return n > 0;
}

static void
log_dropped(void)
{
	static uint64_t logged;
	uint64_t now = dropped;
	struct log_line line;

	if (now == logged || !log_begin(&line, LOG_WARNING, "log_lines_dropped"))
		return;
	logged = now;
	log_number(&line, "lines", now);
	log_end(&line);
}

/*
 * Until the next tick, or until the buffer has much in it: a fast server fills it within one.
 * True where the log ends.
 */
static bool
wait_for_lines(void)
{
	struct timespec tick;
	bool ends;

	clock_gettime(CLOCK_MONOTONIC, &tick);
	tick.tv_nsec += TICK_MS * 1000000L;
	tick.tv_sec += tick.tv_nsec / 1000000000;
	tick.tv_nsec %= 1000000000;
	pthread_mutex_lock(&mutex);
	if (!stops && filled < WAKE_BYTES)
		pthread_cond_clockwait(&wake, &mutex, CLOCK_MONOTONIC, &tick);
	ends = stops;
	pthread_mutex_unlock(&mutex);
	return ends;
}

static void *
run(void *)
{
	while (!wait_for_lines())
		if (write_lines(TICK_MS))
			log_dropped();
	return NULL;
}

bool
log_writer_start(void)
{
	stops = false;
	errno = pthread_create(&writer, NULL, run, NULL);
	if (errno != 0)
		return false;
	log_set_sink(keep_line);
	return true;
}

void
log_writer_stop(void)
{
	pthread_mutex_lock(&mutex);
	stops = true;
	pthread_cond_signal(&wake);
	pthread_mutex_unlock(&mutex);
	pthread_join(writer, NULL);
	log_set_sink(NULL);
	if (write_lines(STOP_MS))
		log_dropped();
}

uint64_t
log_writer_dropped(void)
{
	return dropped;
}
