/*
 * The serving process: start, signals, end. Everything here runs in the main thread.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "backlog.h"
#include "certificate.h"
#include "commands.h"
#include "listener.h"
#include "load.h"
#include "log.h"
#include "machine.h"
#include "reload.h"
#include "server.h"
#include "sockets.h"
#include "systemd.h"
#include "tls.h"
#include "watchdog.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, LEAVE_FREE_FILES = 64, FILES_PER_THREAD = 8 };

static void
log_listening(const struct config *config, const struct sockets *sockets, size_t connections)
{
	struct log_line line;

	if (!log_begin(&line, LOG_INFO, "listening"))
		return;
	log_string(&line, "address", sockets->is_shared ? "passed" : config->listen_address);
	log_number(&line, "port", listener_port(sockets->public_fds[0]));
	log_string(&line, "scheme", config->tls_certificate != NULL ? "https" : "http");
	if (sockets->admin_fd >= 0)
		log_number(&line, "admin_port", listener_port(sockets->admin_fd));
	log_number(&line, "threads", config->threads);
	log_number(&line, "connections", connections);
	log_string(&line, "version", VERSION);
	log_string(&line, "libmicrohttpd", server_library_version());
	log_end(&line);
}

static void
log_listen_failure(const struct config *config, const char *key, const char *cause)
{
	bool is_admin = key[0] == 'a';
	struct log_line line;

	if (!log_begin(&line, LOG_ERROR, "listen_failed"))
		return;
	log_string(&line, "listener", key);
	log_string(&line, "address", is_admin ? config->admin_address : config->listen_address);
	log_number(&line, "port", is_admin ? config->admin_port : config->listen_port);
	log_string(&line, "cause", cause);
	log_end(&line);
}

/* As many connections as are wanted and as open files allow, listeners and the like aside. */
static size_t
fit_connections(const struct config *config)
{
	size_t wanted = server_max_connections(config);
	unsigned long reserve = LEAVE_FREE_FILES + FILES_PER_THREAD * config->threads;
	unsigned long files = machine_raise_file_limit();
	size_t most = files > reserve + 1 ? files - reserve : 1;
	struct log_line line;

	if (wanted <= most)
		return wanted;
	if (log_begin(&line, LOG_WARNING, "connections_lowered")) {
		log_number(&line, "connections", most);
		log_number(&line, "open_files", files);
		log_string(&line, "hint",
		    "Raise the hard limit of open files (LimitNOFILE=, --ulimit nofile)");
		log_end(&line);
	}
	return most;
}

/* --- signals --- */

static sigset_t
handled_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	return set;
}

/* Every thread inherits this, so that the main thread alone gets them. */
static void
block_signals(void)
{
	sigset_t handled = handled_signals();

	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &handled, NULL);
}

/* The next signal, or 0 after so many milliseconds. */
static int
wait_for_signal(int64_t milliseconds)
{
	struct timespec most = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	sigset_t handled = handled_signals();
	int number;

	do
		number = sigtimedwait(&handled, NULL, &most);
	while (number < 0 && errno == EINTR);
	return number < 0 ? 0 : number;
}

/* Feed systemd's watchdog while every loop makes progress; a loop that hangs starves it. */
static void
wait_for_end(struct service *service)
{
	int64_t watchdog_ms = systemd_watchdog_ms();
	int64_t pause_ms = watchdog_ms > 0 ? watchdog_ms / 3 : DAY_MS;
	int64_t warned_ms = watch_now_ms();
	int number;

	while ((number = wait_for_signal(pause_ms)) == 0 || number == SIGHUP) {
		if (number == SIGHUP)
			reload_service(service);
		if (watchdog_ms > 0 && server_is_alive(service->server))
			systemd_notify("WATCHDOG=1");
		if (watch_now_ms() - warned_ms >= DAY_MS) {
			certificate_warn();
			warned_ms = watch_now_ms();
		}
	}
	log_message(LOG_INFO, "stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* False where a second signal says that it should end at once. */
static bool
wait_or_signal(int64_t milliseconds)
{
	int64_t until = watch_now_ms() + milliseconds;
	int64_t left;
	int number;

	while ((left = until - watch_now_ms()) > 0) {
		number = wait_for_signal(left);
		if (number == SIGTERM || number == SIGINT)
			return false;
	}
	return true;
}

static void
drain(const struct service *service)
{
	enum { STEP_MS = 50 };
	int64_t until;

	systemd_notify("STOPPING=1\nSTATUS=Draining");
	server_drain(service->server);
	if (!wait_or_signal((int64_t)service->current->shutdown_delay_seconds * 1000))
		return;
	server_stop_listening(service->server);
	until = watch_now_ms() + (int64_t)service->current->shutdown_timeout_seconds * 1000;
	do { /* a while at first, in which the loops look at what has been queued */
		if (!wait_or_signal(STEP_MS))
			return;
	} while (server_open_connections(service->server) > 0 && watch_now_ms() < until);
}

/* --- the whole --- */

static enum exit_code
run(struct service *service, struct tls_pair *pair)
{
	const struct config *config = service->boot;
	size_t connections = fit_connections(config);
	struct sockets sockets;
	const char *fault;

	if (!sockets_open(config, &sockets, &fault)) {
		log_listen_failure(config, fault, strerror(errno));
		return EXIT_UNAVAILABLE;
	}
	service->server = server_start(config,
	    &(struct server_sockets){ sockets.public_fds, sockets.is_shared, sockets.admin_fd },
	    connections, &fault);
	if (service->server == NULL) {
		log_message(LOG_ERROR, "start_failed", "cause", fault);
		return EXIT_FAILED;
	}
	server_set_certificate_expiry(service->server, pair != NULL ? tls_expiry(pair) : 0);
	log_listening(config, &sockets, connections);
	systemd_notify("READY=1\nSTATUS=Serving");
	wait_for_end(service);
	drain(service);
	server_stop(service->server);
	log_message(LOG_INFO, "stopped", NULL, NULL);
	return EXIT_GOOD;
}

static enum exit_code
run_with_certificate(struct service *service)
{
	char fault[CERTIFICATE_FAULT_SIZE];
	enum exit_code code = EXIT_CONFIG;
	struct tls_pair *pair;

	if (certificate_read(service->boot, &pair, fault)) {
		certificate_show(service->boot, pair);
		code = run(service, pair);
	} else {
		fprintf(stderr, "error: %s\n", fault);
	}
	tls_uninstall();
	return code;
}

enum exit_code
command_serve(
    const struct config *config, const struct findings *findings, const struct options *options)
{
	struct service service = { .options = options, .boot = config, .current = config };
	enum exit_code code;
	bool has_backlog;

	machine_forbid_core();
	block_signals();
	log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
	has_backlog = backlog_start();
	load_log_findings(findings);
	code = run_with_certificate(&service);
	if (service.current != config)
		config_free((struct config *)(uintptr_t)service.current);
	if (has_backlog)
		backlog_stop();
	return code;
}
