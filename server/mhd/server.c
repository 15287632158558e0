#include "mhd/server.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "mhd/daemon.h"
#include "observe/operator_page.h"
#include "system/log_writer.h"
#include "system/machine.h"

enum { ADMIN_CONNECTIONS = 64, WATCHDOG_LATE_MS = 5000, LEAST_BURST = 256 };

_Static_assert(SERVER_FILES_PER_THREAD >= DAEMON_EXTRA_CONNECTIONS + 8, "and a loop's own");

struct server {
	struct watchdog watchdog;
	double start_seconds; /* since 1970 */
	bool is_passed;       /* the public listeners are sockets that systemd keeps open */
	struct recent recent;
	atomic_bool reload_success;
	_Atomic int64_t reload_seconds; /* since 1970; 0: there was none */
	_Atomic int64_t certificate_expiry;
	size_t burst; /* most connections since memory was trimmed; of the watchdog's thread */
	size_t n_public;
	size_t n_loops; /* with those of the admin listener, which come last */
	struct loop loops[];
};

const char *
server_library_version(void)
{
	return MHD_get_version();
}

static void
add_up(const struct server *server, struct metrics *total)
{
	for (size_t i = 0; i < server->n_loops; i++)
		metrics_add(&server->loops[i].metrics, total);
}

void
server_put_numbers(
    struct server *server, const struct config *config, enum route route, struct response *response)
{
	struct metrics total = { 0 };
	struct past past;
	struct gauges gauges = { .incidents = &server->watchdog.counts,
		.log_lines_dropped = log_writer_dropped(),
		.reload_success = atomic_load(&server->reload_success),
		.reload_seconds = atomic_load(&server->reload_seconds),
		.certificate_expiry = atomic_load(&server->certificate_expiry),
		.version = VERSION,
		.libmicrohttpd = MHD_get_version(),
		.start_seconds = server->start_seconds };

	machine_read_usage(&gauges);
	for (size_t i = 0; i < server->n_public; i++)
		gauges.connections_open += server->loops[i].connections.n_open;
	add_up(server, &total);
	if (route == ROUTE_METRICS)
		metrics_put(&response->body, &total, &gauges);
	if (route != ROUTE_OPERATOR_PAGE)
		return;
	recent_read(&server->recent, &total, &past);
	operator_page_show(config, &gauges, &past, response);
}

static void
prepare_loop(struct server *server, size_t i, const struct config *config, size_t limit)
{
	struct loop *loop = &server->loops[i];

	pthread_mutex_init(&loop->mutex, NULL);
	loop->config = config;
	loop->query_bytes = config->limits_query_bytes;
	loop->connections_per_ip = config->limits_connections_per_ip;
	watch_list_init(&loop->connections, limit);
	SLIST_INSERT_HEAD(&server->watchdog.lists, &loop->connections, entry);
	loop->watchdog = &server->watchdog;
	loop->server = server;
	loop->recent = &server->recent;
	loop->is_admin = i >= server->n_public;
	loop->connections.is_tls = !loop->is_admin && config->tls_certificate != NULL;
}

static void
on_tick(void *cls)
{
	struct server *server = cls;
	struct metrics total = { 0 };
	size_t n_open = 0;

	for (size_t i = 0; i < server->n_loops; i++) {
		daemon_check_progress(&server->loops[i]);
		n_open += server->loops[i].connections.n_open;
	}
	/* A burst's memory goes back once three of four are gone; a request may wait meanwhile. */
	server->burst = n_open > server->burst ? n_open : server->burst;
	if (server->burst >= LEAST_BURST && n_open < server->burst / 4) {
		malloc_trim(0);
		server->burst = n_open;
	}
	incidents_report(&server->watchdog.counts, clock_now_ms());
	add_up(server, &total);
	recent_begin_hour(&server->recent, &total, clock_now_ms());
}

/* The admin listener's first. Loops look at each other's connections: all stop before one goes. */
static void
stop_loops(struct server *server)
{
	for (size_t i = server->n_loops; i > 0; i--)
		if (server->loops[i - 1].daemon != NULL)
			MHD_stop_daemon(server->loops[i - 1].daemon);
	for (size_t i = 0; i < server->n_loops; i++) {
		daemon_free(&server->loops[i]);
		pthread_mutex_destroy(&server->loops[i].mutex);
		pthread_mutex_destroy(&server->loops[i].connections.mutex);
	}
	free(server);
}

/* A browser asks nothing more over TLS; a proxy does, and then wants its connections kept. */
static unsigned
find_idle_seconds(const struct config *config)
{
	bool is_browser = config->tls_certificate != NULL && config->n_proxies == 0;

	return is_browser && config->limits_idle_seconds > 15 ? 15 : config->limits_idle_seconds;
}

static struct server *
make_server(const struct config *config, const struct listeners *listeners, size_t connections)
{
	size_t n = listeners->n_public + listeners->n_admin;
	struct server *server = calloc(1, sizeof(*server) + n * sizeof(server->loops[0]));
	size_t limit = (connections + listeners->n_public - 1) / listeners->n_public;

	if (server == NULL)
		return NULL;
	server->n_public = listeners->n_public;
	server->n_loops = n;
	for (size_t i = 0; i < n; i++)
		prepare_loop(server, i, config, i < server->n_public ? limit : ADMIN_CONNECTIONS);
	server->watchdog.request_ms = (int64_t)config->limits_request_seconds * 1000;
	server->watchdog.idle_ms = (int64_t)find_idle_seconds(config) * 1000;
	server->watchdog.on_tick = on_tick;
	server->watchdog.cls = server;
	server->start_seconds = (double)time(NULL);
	pthread_mutex_init(&server->recent.mutex, NULL);
	server->recent.start_ms = clock_now_ms();
	server->is_passed = listeners->is_passed;
	atomic_store(&server->reload_success, true);
	return server;
}

static bool
start_loops(struct server *server, const struct listeners *listeners)
{
	for (size_t i = 0; i < server->n_loops; i++) {
		int fd = i < server->n_public ? listeners->public_fds[i]
					      : listeners->admin_fds[i - server->n_public];

		if (!daemon_start(&server->loops[i], fd))
			return false;
	}
	return true;
}

struct server *
server_start(const struct config *config, const struct listeners *listeners, size_t connections,
    int64_t expiry, const char **ret_step)
{
	struct server *server = make_server(config, listeners, connections);
	int cause;

	*ret_step = "An event loop cannot be started";
	if (server == NULL)
		return NULL;
	server->certificate_expiry = expiry;
	/* Otherwise glibc returns memory to the system after every burst and requests it again. */
	mallopt(M_TRIM_THRESHOLD, 64 * 1024 * 1024);
	mallopt(M_TOP_PAD, 1024 * 1024);
	if (start_loops(server, listeners)) {
		*ret_step = "The watchdog's thread cannot be started";
		if (watchdog_start(&server->watchdog))
			return server;
	}
	cause = errno;
	stop_loops(server);
	errno = cause;
	return NULL;
}

void
server_replace_config(struct server *server, const struct config *config, int64_t expiry)
{
	for (size_t i = 0; i < server->n_loops; i++) {
		pthread_mutex_lock(&server->loops[i].mutex);
		server->loops[i].config = config;
		pthread_mutex_unlock(&server->loops[i].mutex);
	}
	atomic_store(&server->certificate_expiry, expiry);
}

void
server_note_reload(struct server *server, bool is_good)
{
	atomic_store(&server->reload_success, is_good);
	atomic_store(&server->reload_seconds, time(NULL));
}

bool
server_makes_progress(struct server *server, bool with_admin)
{
	bool good = clock_now_ms() - atomic_load(&server->watchdog.ticked_ms) < WATCHDOG_LATE_MS;

	for (size_t i = 0; i < (with_admin ? server->n_loops : server->n_public); i++)
		good = good && !atomic_load(&server->loops[i].is_stuck);
	return good;
}

void
server_drain(struct server *server)
{
	for (size_t i = 0; i < server->n_loops; i++)
		atomic_store(&server->loops[i].is_draining, true);
}

void
server_stop_listening(struct server *server)
{
	for (size_t i = 0; i < server->n_public; i++)
		daemon_stop_listening(&server->loops[i], server->is_passed);
	server_finish(server);
	atomic_store(&server->watchdog.is_draining, true);
}

size_t
server_finish(struct server *server)
{
	size_t n = 0;

	for (size_t i = 0; i < server->n_public; i++)
		n += daemon_finish(&server->loops[i]);
	return n;
}

void
server_stop(struct server *server)
{
	watchdog_stop(&server->watchdog);
	incidents_report(&server->watchdog.counts, INT64_MAX);
	stop_loops(server);
}
