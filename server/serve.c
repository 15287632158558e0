/*
 * The serving process: limits, signals, certificate, sockets, in the order in which they are
 * needed.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "certificate.h"
#include "commands.h"
#include "listener.h"
#include "log.h"
#include "machine.h"
#include "server.h"
#include "tls.h"

enum { MAX_THREADS = 64 };

static void
log_warnings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		log_message(LOG_WARNING, "config_warning", "message", findings->items[i].text);
}

static void
log_listening(const struct config *config, unsigned short port, size_t connections)
{
	struct log_line line;

	if (!log_begin(&line, LOG_INFO, "listening"))
		return;
	log_string(&line, "address", config->listen_address);
	log_number(&line, "port", port);
	log_string(&line, "scheme", config->tls_certificate != NULL ? "https" : "http");
	log_number(&line, "threads", config->threads);
	log_number(&line, "connections", connections);
	log_string(&line, "version", VERSION);
	log_string(&line, "libmicrohttpd", server_library_version());
	log_end(&line);
}

static void
log_failure(const char *event, const struct config *config, const char *cause)
{
	struct log_line line;

	if (!log_begin(&line, LOG_ERROR, event))
		return;
	log_string(&line, "address", config->listen_address);
	log_number(&line, "port", config->listen_port);
	log_string(&line, "cause", cause);
	log_end(&line);
}

static void
block_signals(sigset_t *ret_handled)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(ret_handled);
	sigaddset(ret_handled, SIGTERM);
	sigaddset(ret_handled, SIGINT);
	sigaddset(ret_handled, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret_handled, NULL);
}

static void
reload(const struct config *config)
{
	if (config->tls_certificate != NULL)
		certificate_reload(config);
	else
		log_message(LOG_WARNING, "reload_unsupported", "message",
		    "SIGHUP renews certificates only; restart to read the configuration anew");
}

static void
wait_for_end(const struct config *config, const sigset_t *handled)
{
	static const struct timespec day = { .tv_sec = 24L * 60 * 60 };
	int signal_number;

	while ((signal_number = sigtimedwait(handled, NULL, &day)) < 0 || signal_number == SIGHUP) {
		if (signal_number == SIGHUP)
			reload(config);
		else if (errno == EAGAIN)
			certificate_warn();
	}
	log_message(
	    LOG_INFO, "stopping", "signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* As many connections as are wanted and as open files allow, listeners and the like aside. */
static size_t
fit_connections(const struct config *config)
{
	size_t wanted = server_max_connections(config);
	unsigned long reserve = 32 + 8 * config->threads;
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

static bool
install_certificate(const struct config *config)
{
	char fault[CERTIFICATE_FAULT_SIZE];
	struct tls_pair *pair;

	if (config->tls_certificate == NULL)
		return true;
	pair = certificate_read(config, fault);
	if (pair == NULL) {
		fprintf(stderr, "error: %s\n", fault);
		return false;
	}
	if (certificate_key_warning(config) != NULL)
		log_message(
		    LOG_WARNING, "config_warning", "message", certificate_key_warning(config));
	certificate_log(pair);
	tls_install(pair);
	return true;
}

static enum exit_code
listen_and_serve(const struct config *config, const sigset_t *handled)
{
	size_t connections = fit_connections(config);
	int fds[MAX_THREADS];
	struct server *server;
	const char *fault;

	if (!listener_open(config->listen_address, (unsigned short)config->listen_port,
		(int)config->limits_request_seconds, config->threads, fds)) {
		log_failure("listen_failed", config, strerror(errno));
		return EXIT_UNAVAILABLE;
	}
	server = server_start(config, fds, connections, &fault);
	if (server == NULL) {
		log_failure("start_failed", config, fault);
		return EXIT_FAILED;
	}
	log_listening(config, listener_port(fds[0]), connections);
	wait_for_end(config, handled);
	server_stop(server);
	log_message(LOG_INFO, "stopped", NULL, NULL);
	return EXIT_GOOD;
}

enum exit_code
command_serve(const struct config *config, const struct findings *findings)
{
	enum exit_code code = EXIT_CONFIG;
	sigset_t handled;

	machine_forbid_core();
	block_signals(&handled);
	log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
	log_warnings(findings);
	if (install_certificate(config))
		code = listen_and_serve(config, &handled);
	tls_uninstall();
	return code;
}
