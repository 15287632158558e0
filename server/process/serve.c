/* The serving process: start, signals, end. Everything here runs in the main thread. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mhd/server.h"
#include "process/certificate.h"
#include "process/commands.h"
#include "process/reload.h"
#include "process/report.h"
#include "system/log_writer.h"
#include "system/machine.h"
#include "system/systemd.h"
#include "system/tls.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, LEAVE_FREE_FILES = 64 };

/* As many connections as are wanted and as open files allow, listeners and the like aside. */
static size_t
fit_connections(const struct config *config)
{
	size_t wanted = config->limits_connections;
	unsigned long reserve = LEAVE_FREE_FILES + SERVER_FILES_PER_THREAD * listener_count(config);
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

static sigset_t handled;

void
command_hold_signals(bool is_held)
{
	sigemptyset(&handled);
	sigaddset(&handled, SIGTERM);
	sigaddset(&handled, SIGINT);
	sigaddset(&handled, SIGHUP);
	pthread_sigmask(is_held ? SIG_BLOCK : SIG_UNBLOCK, &handled, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* The next one, or 0 after so many milliseconds. */
static int
wait_for_signal(int64_t milliseconds)
{
	struct timespec most = { (time_t)(milliseconds / 1000),
		(long)(milliseconds % 1000) * 1000000 };
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
	int64_t pause_ms = watchdog_ms > 0 && watchdog_ms < 3000 ? watchdog_ms / 3 : 1000;
	int64_t longest_handshake_ms = (int64_t)service->boot->limits_request_seconds * 2000;
	int64_t warned_ms = clock_now_ms();
	int number;

	while ((number = wait_for_signal(pause_ms)) == 0 || number == SIGHUP) {
		/* The watchdog's last round met each loop's mutex: what loops did before it, such
		 * as handshakes with an old pair, is over for this thread as well. */
		bool good = server_makes_progress(service->server, true);

		tls_collect(clock_now_ms() - longest_handshake_ms);
		if (number == SIGHUP)
			reload_service(service);
		reload_if_changed(service);
		if (watchdog_ms > 0 && good)
			systemd_notify("WATCHDOG=1");
		if (clock_now_ms() - warned_ms >= DAY_MS) {
			certificate_warn();
			warned_ms = clock_now_ms();
		}
	}
	log_message(LOG_INFO, "stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* False where a second signal says that it should end at once. */
static bool
wait_or_signal(int64_t milliseconds)
{
	int64_t until = clock_now_ms() + milliseconds;
	int64_t left;
	int number;

	while ((left = until - clock_now_ms()) > 0) {
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
	until = clock_now_ms() + (int64_t)service->current->shutdown_timeout_seconds * 1000;
	do { /* a while at first, in which the loops look at what has been queued */
		if (!wait_or_signal(STEP_MS))
			return;
	} while (server_finish(service->server) > 0 && clock_now_ms() < until);
}

static enum exit_code
run(struct service *service, time_t certificate_end)
{
	const struct config *config = service->boot;
	size_t connections = fit_connections(config);
	struct listener_fault fault;
	struct listeners listeners;
	const char *step;

	if (!listeners_open(config, &listeners, &fault)) {
		report_log_listen_failure(config, &fault);
		return EXIT_UNAVAILABLE;
	}
	service->server = server_start(config, &listeners, connections, certificate_end, &step);
	if (service->server == NULL) {
		report_log_start_failure(step, errno);
		return EXIT_FAILED;
	}
	report_log_listening(config, &listeners, connections);
	systemd_notify("READY=1\nSTATUS=Serving");
	wait_for_end(service);
	drain(service);
	server_stop(service->server);
	log_message(LOG_INFO, "stopped", NULL, NULL);
	return EXIT_GOOD;
}

enum exit_code
command_serve(const struct config *config, struct findings *findings, const struct options *options)
{
	struct service service = {
		.options = options, .boot = config, .current = config, .tried = config
	};
	enum exit_code code = EXIT_FAILED;
	struct tls_pair *pair;

	machine_forbid_core();
	reload_mark(&service);
	if (!certificate_read(config, false, findings, &pair)) {
		report_print_findings(findings, stderr); /* as main() does */
		return EXIT_CONFIG;
	}
	log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
	if (log_writer_start()) {
		report_log_findings(findings);
		code = run(&service, certificate_show(pair));
		log_writer_stop();
	} else {
		report_log_start_failure("The log writer's thread cannot be started", errno);
		tls_free(pair);
	}
	tls_install(NULL);
	tls_collect(INT64_MAX);
	if (service.tried != service.current)
		config_free((struct config *)(uintptr_t)service.tried);
	if (service.current != config)
		config_free((struct config *)(uintptr_t)service.current);
	return code;
}
