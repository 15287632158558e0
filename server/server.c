/*
 * Starts and stops event loops. Owns the daemons and what each loop works with.
 */
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "connection.h"
#include "exchange.h"
#include "noise.h"
#include "tls.h"

struct server {
	const struct config *config;
	struct watchdog watchdog;
	struct watch_list *lists; /* one a loop */
	size_t n_loops;
	struct loop loops[];
};

/* libmicrohttpd does not get along with epoll and TLS: a stalled handshake spins. With poll() a
 * loop becomes slow beyond this. */
enum { TLS_CONNECTIONS_PER_LOOP = 1000 };

/* Targets are matched and passed on raw, so decoding a copy of them would be for nothing. */
static size_t
unescape_nothing(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

const char *
server_library_version(void)
{
	return MHD_get_version();
}

/* 0.9.75 is worse when strict: it drops some requests unanswered. screen does its work there. */
static int
strictness(void)
{
	const char *version = MHD_get_version();

	return strncmp(version, "0.", 2) == 0 && strverscmp(version, "0.9.77") < 0 ? 0 : 1;
}

/* glibc gives memory back and asks for it anew with every burst of connections otherwise. */
static void
tune_malloc(void)
{
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_TOP_PAD, 1024 * 1024);
}

static bool
is_tls(const struct config *config)
{
	return config->tls_certificate != NULL;
}

size_t
server_max_connections(const struct config *config)
{
	size_t most = TLS_CONNECTIONS_PER_LOOP * config->threads;

	return is_tls(config) && config->limits_connections > most ? most
								   : config->limits_connections;
}

static struct MHD_Daemon *
start_daemon(struct loop *loop, int fd)
{
	const struct config *config = loop->config;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)tls_retrieve },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	unsigned loop_flags = is_tls(config) ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS
					     : MHD_USE_EPOLL_INTERNAL_THREAD;

	return MHD_start_daemon(loop_flags | MHD_USE_TURBO | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
	    connection_may_accept, loop, exchange_handle, loop, MHD_OPTION_EXTERNAL_LOGGER,
	    noise_log_library, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT,
	    strictness(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, loop->pool_bytes,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)loop->connections->limit,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->limits_idle_seconds,
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL, MHD_OPTION_URI_LOG_CALLBACK,
	    connection_take_target, loop, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, loop,
	    MHD_OPTION_NOTIFY_COMPLETED, connection_request_completed, loop, MHD_OPTION_ARRAY,
	    is_tls(config) ? tls : none, MHD_OPTION_END);
}

static bool
start_loop(struct loop *loop, int fd, const char **ret_fault)
{
	*ret_fault = "there are no random bytes";
	if (getrandom(&loop->next_id, sizeof(loop->next_id), 0) != sizeof(loop->next_id))
		return false;
	*ret_fault = "there is not enough memory";
	if (!exchange_open(loop))
		return false;
	*ret_fault = "libmicrohttpd does not start";
	loop->daemon = start_daemon(loop, fd);
	return loop->daemon != NULL;
}

static bool
start_loops(struct server *server, const int *fds, size_t connections, const char **ret_fault)
{
	size_t threads = server->config->threads;

	for (size_t i = 0; i < threads; i++) {
		struct loop *loop = &server->loops[i];

		watch_list_init(&server->lists[i], (connections + threads - 1) / threads);
		loop->config = server->config;
		loop->connections = &server->lists[i];
		loop->counts = &server->watchdog.counts;
		server->n_loops++;
		if (start_loop(loop, fds[i], ret_fault))
			continue;
		for (size_t unused = i; unused < threads; unused++)
			close(fds[unused]);
		return false;
	}
	return true;
}

static void
on_tick(void *cls, int64_t oldest_new_ms)
{
	struct server *server = cls;

	tls_collect(oldest_new_ms);
	noise_report(&server->watchdog.counts, watch_now_ms());
}

static void
set_up_watchdog(struct server *server)
{
	struct watchdog *dog = &server->watchdog;

	dog->lists = server->lists;
	dog->n_lists = server->n_loops;
	dog->request_ms = (int64_t)server->config->limits_request_seconds * 1000;
	dog->idle_ms = (int64_t)server->config->limits_idle_seconds * 1000;
	dog->on_tick = on_tick;
	dog->cls = server;
}

static void
stop_loops(struct server *server)
{
	for (size_t i = 0; i < server->n_loops; i++) {
		if (server->loops[i].daemon != NULL)
			MHD_stop_daemon(server->loops[i].daemon);
		exchange_close(&server->loops[i]);
		pthread_mutex_destroy(&server->lists[i].mutex);
	}
	free(server->lists);
	free(server);
}

struct server *
server_start(
    const struct config *config, const int *fds, size_t connections, const char **ret_fault)
{
	struct server *server =
	    calloc(1, sizeof(*server) + config->threads * sizeof(server->loops[0]));

	*ret_fault = "there is not enough memory";
	if (server == NULL)
		return NULL;
	tune_malloc();
	server->config = config;
	server->lists = calloc(config->threads, sizeof(*server->lists));
	if (server->lists != NULL && start_loops(server, fds, connections, ret_fault)) {
		set_up_watchdog(server);
		if (watchdog_start(&server->watchdog))
			return server;
		*ret_fault = "there is no thread for the watchdog";
	}
	stop_loops(server);
	return NULL;
}

void
server_stop(struct server *server)
{
	watchdog_stop(&server->watchdog);
	noise_report(&server->watchdog.counts, INT64_MAX);
	stop_loops(server);
}
