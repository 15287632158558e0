#include "mhd/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/screen.h"
#include "mhd/callbacks.h"
#include "system/tls.h"

/* What a loop may still accept by itself before it sees one from another thread: twice 11. */
enum { ACCEPTED_MEANWHILE = 22 };

/* Targets are matched and forwarded raw, so the library need not decode them. */
static size_t
unescape_nothing(void *, struct MHD_Connection *, char *text)
{
	return strlen(text);
}

/*
 * Above the limit at which the watchdog starts to end idle connections, so that even a loop full of
 * busy ones can be given a connection: one that was queued at the end, or a poke.
 */
static size_t
library_limit(const struct loop *loop)
{
	return loop->connections.limit + DAEMON_EXTRA_CONNECTIONS;
}

/*
 * Without a timeout of the library's own: the watchdog ends what is idle, and the library takes a
 * lock and the time twice a request to keep one. Not strict before 0.9.77, which drops some
 * requests without an answer then; http/screen is strict instead. TLS is polled: with epoll the
 * library spins when a handshake stalls.
 */
static struct MHD_Daemon *
start_library(struct loop *loop, int fd)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_retriever() },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	unsigned kind = loop->connections.is_tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS
						 : MHD_USE_EPOLL_INTERNAL_THREAD;

	return MHD_start_daemon(kind | MHD_USE_TURBO | MHD_USE_ITC, 0, connection_may_accept, loop,
	    exchange_handle, loop, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT,
	    loop->checks_layout ? 0 : 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, loop->pool_bytes,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)library_limit(loop),
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL, MHD_OPTION_URI_LOG_CALLBACK,
	    connection_take_target, loop, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, loop,
	    MHD_OPTION_NOTIFY_COMPLETED, connection_request_completed, loop, MHD_OPTION_ARRAY,
	    loop->connections.is_tls ? tls : none, MHD_OPTION_END);
}

/*
 * A connection's pool has the query twice, as it came and in Location, and the rest of both heads.
 * Each byte of it is cleared with every request, and above 32 KiB it costs an mmap().
 */
bool
daemon_start(struct loop *loop, int fd)
{
	enum { LEAST_QUERY = 8 * 1024, BESIDE_THE_QUERY = 11 * 1024, NOT_FOR_THE_HEAD = 3 * 1024 };
	size_t query = loop->query_bytes > LEAST_QUERY ? loop->query_bytes : LEAST_QUERY;

	loop->pool_bytes = 2 * query + BESIDE_THE_QUERY;
	loop->head_bytes = loop->pool_bytes - NOT_FOR_THE_HEAD; /* so that we refuse longer ones */
	if (strverscmp(MHD_get_version(), "1.0.1") > 0) /* which reads into half of the pool */
		loop->pool_bytes *= 2;
	loop->array_size = loop->is_admin ? METRICS_TEXT_SIZE : loop->pool_bytes;
	loop->location = malloc(loop->array_size);
	loop->body = malloc(loop->array_size);
	loop->checks_layout = mhd_0975_applies(MHD_get_version());
	if (loop->location == NULL || loop->body == NULL ||
	    getrandom(&loop->next_id, sizeof(loop->next_id), 0) != sizeof(loop->next_id))
		return false;
	errno = 0; /* of some failures the library gives no cause */
	loop->daemon = start_library(loop, fd);
	/* 1.0.1 closes the socket of a daemon whose thread does not start twice, and so hides why.
	 * The log writer's thread has started, so what is missing is room for one more. */
	if (loop->daemon == NULL && errno == EBADF)
		errno = EAGAIN;
	return loop->daemon != NULL;
}

/*
 * How many connections may be given to the loop from another thread. Where the library's limit is
 * reached before the loop's own thread has taken one in, the library leaves a mutex locked, and
 * that thread hangs forever (new_connection_process_() in 0.9.75).
 */
static size_t
room_for_more(struct loop *loop, size_t pending)
{
	size_t taken = loop->connections.n_open + pending + ACCEPTED_MEANWHILE;

	return taken < library_limit(loop) ? library_limit(loop) - taken : 0;
}

/* What was given to the loop, and is not among its connections yet. */
static size_t
count_pending(struct loop *loop)
{
	uint64_t opened = atomic_load(&loop->opened);

	return loop->given > opened ? (size_t)(loop->given - opened) : 0;
}

/* Takes in what is queued, as far as there is room; false where more may be left. */
static bool
take_queued(struct loop *loop)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	size_t pending = count_pending(loop);
	int connection;

	if (pending == 0)
		loop->given = atomic_load(&loop->opened);
	for (size_t room = room_for_more(loop, pending); room > 0; room--) {
		connection = accept4(
		    loop->quiesced_fd, (void *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (connection < 0)
			return errno == EAGAIN;
		loop->given += MHD_add_connection(loop->daemon, connection, (const void *)&address,
				   len) == MHD_YES;
		len = sizeof(address);
	}
	return false;
}

void
daemon_stop_listening(struct loop *loop, bool is_passed)
{
	loop->quiesced_fd = MHD_quiesce_daemon(loop->daemon);
	loop->may_have_queued = loop->quiesced_fd >= 0 && !is_passed;
}

/* The library's thread may still name the descriptor, so its number is freed with the loop only. */
size_t
daemon_finish(struct loop *loop)
{
	size_t pending;

	if (loop->may_have_queued && take_queued(loop)) {
		shutdown(loop->quiesced_fd, SHUT_RDWR);
		loop->may_have_queued = false;
	}
	pending = count_pending(loop); /* first: from there they go to the list */
	return loop->may_have_queued + pending + loop->connections.n_open;
}

/* Give the loop a connection that ends at once. */
static bool
poke(struct loop *loop)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNIX };
	int pair[2];
	bool good;

	if (room_for_more(loop, 0) == 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return false;
	good = MHD_add_connection(loop->daemon, pair[0], &nowhere, sizeof(nowhere)) == MHD_YES;
	close(pair[1]);
	return good;
}

/*
 * A loop that none of its callbacks is called in for a period may have nothing to do. It is given
 * something, unless there is no room: then all its connections are busy, and the watchdog ends them
 * one by one, which the loop has to notice. Two periods later it is stuck. Counted in ticks, so
 * that a process that was stopped is not judged by the clock.
 */
void
daemon_check_progress(struct loop *loop)
{
	enum { PERIOD_TICKS = 10 };
	uint64_t progress = atomic_load_explicit(&loop->progress, memory_order_relaxed);

	if (progress != loop->seen_progress)
		loop->still_ticks = loop->waiting_ticks = 0;
	else if (loop->waiting_ticks > 0)
		loop->waiting_ticks++;
	else if (++loop->still_ticks >= PERIOD_TICKS)
		loop->waiting_ticks = loop->connections.n_ended > 0 || poke(loop);
	loop->seen_progress = progress;
	atomic_store(&loop->is_stuck, loop->waiting_ticks > 2 * PERIOD_TICKS);
}

void
daemon_free(struct loop *loop)
{
	if (loop->quiesced_fd > 0)
		close(loop->quiesced_fd);
	free(loop->location);
	free(loop->body);
}
