/*
 * Sets up libmicrohttpd. The options are where its traps are avoided.
 */
#include "loop.h"

#include <malloc.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "noise.h"
#include "tls.h"

/* libmicrohttpd spins with epoll when a TLS handshake stalls; with poll() it becomes slow beyond.
 */
enum { TLS_CONNECTIONS = 1000, ACCEPTED_MEANWHILE = 20 };

/* glibc gives memory back and asks for it anew with every burst of connections otherwise. */
void
loop_tune_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_TOP_PAD, 1024 * 1024);
}

size_t
loop_max_connections(const struct config *config)
{
	return config->tls_certificate != NULL ? TLS_CONNECTIONS : 0;
}

/* Targets are matched and passed on raw, so decoding a copy of them would be for nothing. */
static size_t
unescape_nothing(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

/* 0.9.75 is worse when strict: it drops some requests unanswered. screen does its work there. */
static int
strictness(void)
{
	const char *version = MHD_get_version();

	return strncmp(version, "0.", 2) == 0 && strverscmp(version, "0.9.77") < 0 ? 0 : 1;
}

/*
 * Without a timeout of the library's own: the watchdog ends what is idle, and the library takes a
 * lock and the time twice a request to keep one.
 */
static struct MHD_Daemon *
start_daemon(struct loop *loop, int fd)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_retrieve },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	unsigned kind = loop->is_tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS
				     : MHD_USE_EPOLL_INTERNAL_THREAD;

	return MHD_start_daemon(kind | MHD_USE_TURBO | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
	    connection_may_accept, loop, exchange_handle, loop, MHD_OPTION_EXTERNAL_LOGGER,
	    noise_log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT,
	    strictness(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, loop->pool_bytes,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)loop->connections->limit,
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL, MHD_OPTION_URI_LOG_CALLBACK,
	    connection_take_target, loop, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, loop,
	    MHD_OPTION_NOTIFY_COMPLETED, connection_request_completed, loop, MHD_OPTION_ARRAY,
	    loop->is_tls ? tls : none, MHD_OPTION_END);
}

bool
loop_start(struct loop *loop, int fd, const char **ret_fault)
{
	uint64_t *next_id = &loop->supply.next_id;
	bool good;

	*ret_fault = "there are no random bytes";
	good = getrandom(next_id, sizeof(*next_id), 0) == sizeof(*next_id);
	if (good) {
		*ret_fault = "there is not enough memory";
		good = exchange_open(loop);
	}
	if (good) {
		*ret_fault = "libmicrohttpd does not start";
		loop->daemon = start_daemon(loop, fd);
	}
	if (loop->daemon == NULL)
		close(fd);
	return loop->daemon != NULL;
}

/*
 * How many connections may be given to the loop from another thread. Where the limit is reached
 * before its own thread has taken one in, libmicrohttpd leaves a mutex locked, and that thread
 * hangs for ever (new_connection_process_() in 0.9.75); meanwhile it may accept ten, twice.
 */
static size_t
room_for_more(const struct loop *loop)
{
	size_t taken = watch_list_count(loop->connections) + ACCEPTED_MEANWHILE;

	return taken < loop->connections->limit ? loop->connections->limit - taken : 0;
}

static void
take_queued(struct loop *loop, int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	int connection;

	for (size_t room = room_for_more(loop); room > 0; room--) {
		connection = accept4(fd, (void *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (connection < 0)
			return;
		MHD_add_connection(loop->daemon, connection, (const void *)&address, len);
		len = sizeof(address);
	}
}

/* The library's thread may still name the descriptor, so its number is freed with the loop only. */
void
loop_stop_listening(struct loop *loop, bool is_shared)
{
	loop->quiesced_fd = MHD_quiesce_daemon(loop->daemon);
	if (loop->quiesced_fd < 0 || is_shared)
		return;
	take_queued(loop, loop->quiesced_fd);
	shutdown(loop->quiesced_fd, SHUT_RDWR);
}

bool
loop_poke(struct loop *loop)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNIX };
	int pair[2];
	bool good;

	if (room_for_more(loop) == 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return false;
	good = MHD_add_connection(loop->daemon, pair[0], &nowhere, sizeof(nowhere)) == MHD_YES;
	close(pair[1]);
	return good;
}

void
loop_stop(struct loop *loop)
{
	if (loop->daemon != NULL)
		MHD_stop_daemon(loop->daemon);
	if (loop->quiesced_fd > 0)
		close(loop->quiesced_fd);
	exchange_close(loop);
}
