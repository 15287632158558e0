/*
 * Starts and stops event loops. Owns the daemons and what each loop works with.
 */
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "exchange.h"
#include "log.h"

struct server {
	size_t n_loops;
	struct loop loops[];
};

/*
 * What libmicrohttpd reports is mostly what strangers made it say. Only the format is logged, never
 * its arguments, which may be theirs.
 */
static void
log_library(void *cls, const char *format, va_list arguments)
{
	struct span message = span_of(format);

	(void)cls;
	(void)arguments;
	message.len -= message.len > 0 && message.data[message.len - 1] == '\n';
	struct log_line line;

	if (!log_begin(&line, LOG_DEBUG, "library"))
		return;
	log_text(&line, "message", message);
	log_end(&line);
}

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

static struct MHD_Daemon *
start_daemon(struct loop *loop, const struct config *config, int fd)
{
	unsigned connections =
	    (unsigned)((config->limits_connections + config->threads - 1) / config->threads);

	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, exchange_handle, loop, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_STRICT_FOR_CLIENT, strictness(),
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, loop->pool_bytes, MHD_OPTION_CONNECTION_LIMIT,
	    connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)config->limits_idle_seconds,
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)config->limits_connections_per_ip,
	    MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL, MHD_OPTION_URI_LOG_CALLBACK,
	    exchange_take_target, loop, MHD_OPTION_NOTIFY_CONNECTION, exchange_notify_connection,
	    loop, MHD_OPTION_NOTIFY_COMPLETED, exchange_notify_completed, loop, MHD_OPTION_END);
}

static bool
start_loop(struct loop *loop, const struct config *config, int fd, const char **ret_fault)
{
	uint64_t first_id;

	if (getrandom(&first_id, sizeof(first_id), 0) != sizeof(first_id)) {
		*ret_fault = "there are no random bytes";
		return false;
	}
	*ret_fault = "there is not enough memory";
	if (!exchange_open(loop, config, first_id))
		return false;
	*ret_fault = "libmicrohttpd does not start";
	loop->daemon = start_daemon(loop, config, fd);
	return loop->daemon != NULL;
}

struct server *
server_start(const struct config *config, const int *fds, const char **ret_fault)
{
	struct server *server =
	    calloc(1, sizeof(*server) + config->threads * sizeof(server->loops[0]));

	*ret_fault = "there is not enough memory";
	if (server == NULL)
		return NULL;
	tune_malloc();
	for (size_t i = 0; i < config->threads; i++) {
		server->n_loops++;
		if (start_loop(&server->loops[i], config, fds[i], ret_fault))
			continue;
		for (size_t unused = i; unused < config->threads; unused++)
			close(fds[unused]);
		server_stop(server);
		return NULL;
	}
	return server;
}

void
server_stop(struct server *server)
{
	for (size_t i = 0; i < server->n_loops; i++) {
		if (server->loops[i].daemon != NULL)
			MHD_stop_daemon(server->loops[i].daemon);
		exchange_close(&server->loops[i]);
	}
	free(server);
}
