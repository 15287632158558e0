/*
 * The client of `healthcheck`: GET /healthz, with a deadline over everything. What it reads may
 * have changed since the server started, so that it asks in more places than one.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process/commands.h"
#include "process/load.h"
#include "process/report.h"
#include "system/tls.h"

enum { DEADLINE_SECONDS = 3 };

enum verdict { NOBODY, SICK, WELL };

static void
give_up(int)
{
	static const char text[] = "healthcheck: no answer within 3 seconds\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)ignored;
	_exit(EXIT_FAILED);
}

static enum verdict
ask(const char *text, unsigned port, bool is_tls)
{
	static const struct span request =
	    SPAN("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	char answer[sizeof("HTTP/1.1 200 ") - 1] = "";
	struct address address = { 0 };
	struct sockaddr_storage to;
	socklen_t len;
	int fd;

	address_parse(span_of(text), &address);
	len = address_to_socket(&address, (unsigned short)port, &to);
	fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const void *)&to, len) == 0) {
		if (is_tls)
			tls_ask(fd, request, answer, sizeof(answer));
		else if (send(fd, request.data, request.len, MSG_NOSIGNAL) > 0)
			recv(fd, answer, sizeof(answer), MSG_WAITALL);
	}
	close(fd);
	if (memcmp(answer, "HTTP/1.", 7) != 0)
		return NOBODY;
	return memcmp(answer, "HTTP/1.1 200 ", sizeof(answer)) == 0 ? WELL : SICK;
}

/* A wildcard is reached over loopback. */
static enum verdict
ask_listener(const char *address, unsigned port, bool is_tls)
{
	bool is_dual = strcmp(address, "::") == 0;
	enum verdict verdict;

	if (port == 0)
		return NOBODY;
	if (is_dual || strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	verdict = ask(address, port, is_tls);
	if (verdict == NOBODY && is_dual)
		verdict = ask("::1", port, is_tls);
	if (verdict != WELL)
		fprintf(stderr, "healthcheck: %s port %u does not answer /healthz with 200\n",
		    address, port);
	return verdict;
}

/* The admin listener knows more: whether every event loop makes progress. */
static enum verdict
ask_server(const struct config *config)
{
	enum verdict verdict = ask_listener(config->admin_address, config->admin_port, false);

	if (verdict == NOBODY && config->tls_certificate != NULL)
		verdict = ask_listener(config->listen_address, config->listen_port, true);
	if (verdict == NOBODY)
		verdict = ask_listener(config->listen_address, config->listen_port, false);
	return verdict;
}

enum exit_code
command_healthcheck(const struct options *options)
{
	enum verdict verdict = NOBODY;

	signal(SIGALRM, give_up);
	alarm(DEADLINE_SECONDS);
	for (int i = 0; i < 2 && verdict == NOBODY; i++) {
		struct findings findings = { 0 };
		struct config *config =
		    load_config(options, i == 0 ? LOAD_FIRST : LOAD_NO_FILE, &findings);

		if (config != NULL)
			verdict = ask_server(config);
		else if (i == 1)
			report_print_findings(&findings, stderr);
		config_free(config);
		findings_free(&findings);
	}
	return verdict == WELL ? EXIT_GOOD : EXIT_FAILED;
}
