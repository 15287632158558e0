/*
 * Owns the event loops, what they share, and the watchdog over them.
 */
#include "server.h"

#include <stdlib.h>
#include <unistd.h>

#include "backlog.h"
#include "gauges.h"
#include "loop.h"
#include "noise.h"
#include "tls.h"

enum {
	ADMIN_CONNECTIONS = 64,
	DRAINING_IDLE_MS = 500, /* long enough for an answer's reader to send the next request */
};

struct server {
	const struct config *config; /* at the start */
	struct live live;
	struct watchdog watchdog;
	struct watch_list *lists; /* one a loop */
	bool is_shared;           /* the public socket is somebody else's too */
	atomic_bool reload_success;
	_Atomic int64_t certificate_expiry;
	size_t n_public;
	size_t n_loops;  /* with the admin loop, which is the last one */
	uint64_t *pokes; /* how many connections each loop had seen at the last poke */
	struct loop loops[];
};

const char *
server_library_version(void)
{
	return MHD_get_version();
}

size_t
server_max_connections(const struct config *config)
{
	size_t most = loop_max_connections(config) * config->threads;

	return most > 0 && config->limits_connections > most ? most : config->limits_connections;
}

/* --- metrics --- */

static struct gauges
read_gauges(struct server *server)
{
	struct watch_counts *counts = &server->watchdog.counts;
	struct gauges gauges = {
		.connections_open = server_open_connections(server),
		.rejected_deadline = atomic_load(&counts->deadline),
		.rejected_limit = atomic_load(&counts->limit),
		.rejected_per_ip = atomic_load(&counts->per_ip),
		.log_lines_dropped = backlog_dropped(),
		.reload_success = atomic_load(&server->reload_success),
		.certificate_expiry = atomic_load(&server->certificate_expiry),
		.version = VERSION,
		.libmicrohttpd = MHD_get_version(),
	};

	gauges_read_process(&gauges);
	return gauges;
}

static void
put_metrics(void *cls, struct buf *out)
{
	enum { MAX_LOOPS = 80 };
	struct server *server = cls;
	struct gauges gauges = read_gauges(server);
	const struct metrics *all[MAX_LOOPS];
	size_t n = 0;

	for (; n < server->n_loops && n < MAX_LOOPS; n++)
		all[n] = &server->loops[n].metrics;
	metrics_put(out, all, n, &gauges);
}

/* --- start --- */

static bool
start_loop(struct server *server, size_t i, int fd, size_t limit, const char **ret_fault)
{
	struct loop *loop = &server->loops[i];

	watch_list_init(&server->lists[i], limit);
	loop->config = server->config;
	loop->live = &server->live;
	loop->connections = &server->lists[i];
	loop->counts = &server->watchdog.counts;
	loop->put_metrics = put_metrics;
	loop->put_metrics_cls = server;
	loop->is_admin = i == server->n_public;
	loop->is_tls = !loop->is_admin && loop->config->tls_certificate != NULL;
	server->n_loops++;
	return loop_start(loop, fd, ret_fault);
}

/* Sockets of loops that are not started any more are closed here. */
static bool
start_loops(struct server *server, const struct server_sockets *sockets, size_t connections,
    const char **ret_fault)
{
	size_t limit = (connections + server->n_public - 1) / server->n_public;
	bool good = true;

	for (size_t i = 0; i < server->n_public; i++) {
		if (good)
			good = start_loop(server, i, sockets->public_fds[i], limit, ret_fault);
		else
			close(sockets->public_fds[i]);
	}
	if (sockets->admin_fd < 0)
		return good;
	if (good)
		return start_loop(
		    server, server->n_public, sockets->admin_fd, ADMIN_CONNECTIONS, ret_fault);
	close(sockets->admin_fd);
	return false;
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
		loop_stop(&server->loops[i]);
		pthread_mutex_destroy(&server->lists[i].mutex);
	}
	free(server->lists);
	free(server->pokes);
	free(server);
}

static struct server *
make_server(const struct config *config)
{
	size_t n = config->threads + 1;
	struct server *server = calloc(1, sizeof(*server) + n * sizeof(server->loops[0]));

	if (server == NULL)
		return NULL;
	server->config = config;
	server->n_public = config->threads;
	server->lists = calloc(n, sizeof(*server->lists));
	server->pokes = calloc(n, sizeof(*server->pokes));
	atomic_store(&server->live.config, config);
	atomic_store(&server->reload_success, true);
	if (server->lists != NULL && server->pokes != NULL)
		return server;
	stop_loops(server);
	return NULL;
}

struct server *
server_start(const struct config *config, const struct server_sockets *sockets, size_t connections,
    const char **ret_fault)
{
	struct server *server = make_server(config);

	*ret_fault = "there is not enough memory";
	if (server == NULL)
		return NULL;
	loop_tune_memory();
	server->is_shared = sockets->is_shared;
	if (start_loops(server, sockets, connections, ret_fault)) {
		set_up_watchdog(server);
		if (watchdog_start(&server->watchdog))
			return server;
		*ret_fault = "there is no thread for the watchdog";
	}
	stop_loops(server);
	return NULL;
}

/* --- changes while it runs --- */

const struct config *
server_replace_config(struct server *server, const struct config *config)
{
	const struct config *before = live_replace(&server->live, config);
	bool is_free = before != server->config;

	for (size_t i = 0; is_free && i < server->n_loops; i++)
		is_free = live_wait(&server->loops[i].reader, before);
	return is_free ? before : NULL;
}

void
server_set_reload(struct server *server, bool success)
{
	atomic_store(&server->reload_success, success);
}

void
server_set_certificate_expiry(struct server *server, int64_t expiry)
{
	atomic_store(&server->certificate_expiry, expiry);
}

/* A loop that is nearly full takes no connection; it is taken for alive then. */
bool
server_is_alive(struct server *server)
{
	bool alive = true;

	for (size_t i = 0; i < server->n_loops; i++) {
		uint64_t opened = atomic_load(&server->loops[i].opened);

		alive = alive && opened >= server->pokes[i];
		server->pokes[i] = loop_poke(&server->loops[i]) ? opened + 1 : opened;
	}
	return alive;
}

/* --- end --- */

void
server_drain(struct server *server)
{
	atomic_store(&server->live.draining, true);
}

void
server_stop_listening(struct server *server)
{
	for (size_t i = 0; i < server->n_public; i++)
		loop_stop_listening(&server->loops[i], server->is_shared);
	atomic_store(&server->watchdog.idle_ms, DRAINING_IDLE_MS);
}

size_t
server_open_connections(struct server *server)
{
	size_t n = 0;

	for (size_t i = 0; i < server->n_public; i++)
		n += watch_list_count(&server->lists[i]);
	return n;
}

void
server_stop(struct server *server)
{
	watchdog_stop(&server->watchdog);
	noise_report(&server->watchdog.counts, INT64_MAX);
	stop_loops(server);
}
