#include "wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 64, START_MILLISECONDS = 30000 };

int
wire_patience(void)
{
	const char *wrapper = getenv("WRAPPER");

	return wrapper != NULL && wrapper[0] != '\0' ? 20000 : 5000;
}

/* WRAPPER's words, the program, the options. */
static void
make_arguments(const char *const *options, char *words, char **ret_arguments)
{
	size_t n = 0;

	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
		ret_arguments[n++] = word;
	ret_arguments[n++] = getenv("PROGRAM");
	for (; *options != NULL && n < MAX_ARGUMENTS - 1; options++)
		ret_arguments[n++] = (char *)(uintptr_t)*options;
	ret_arguments[n] = NULL;
}

static pid_t
spawn(const char *log_path, const char *const *options)
{
	char *arguments[MAX_ARGUMENTS];
	char words[512] = "";
	pid_t pid;

	ck_assert_msg(getenv("PROGRAM") != NULL, "PROGRAM names no binary");
	if (getenv("WRAPPER") != NULL)
		snprintf(words, sizeof(words), "%s", getenv("WRAPPER"));
	make_arguments(options, words, arguments);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int fd = open(log_path, O_WRONLY | O_APPEND);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		setpgid(0, 0);
		execvp(arguments[0], arguments);
		_exit(127);
	}
	return pid;
}

static void
make_log(struct wire_server *server)
{
	snprintf(server->log_path, sizeof(server->log_path), "/tmp/recall-redirectd-test.XXXXXX");
	close(mkstemp(server->log_path));
}

static unsigned short
find_port(const char *log)
{
	const char *at = strstr(log, "\"event\":\"listening\"");

	at = at != NULL ? strstr(at, "\"port\":") : NULL;
	return at != NULL ? (unsigned short)strtoul(at + 7, NULL, 10) : 0;
}

static bool
accepts(unsigned short port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = connect(fd, (const void *)&to, sizeof(to)) == 0;

	close(fd);
	return good;
}

unsigned short
wire_free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const void *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(fd, (void *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

void
wire_start(struct wire_server *server, const char *const *options)
{
	unsigned fixed_port = 0;

	*server = (struct wire_server){ 0 };
	make_log(server);
	sscanf(options[0], "--listen.port=%u", &fixed_port);
	server->pid = spawn(server->log_path, options);
	for (int waited = 0; server->port == 0; waited += 20) {
		char *log = wire_log(server);
		int status;

		if (fixed_port == 0)
			server->port = find_port(log);
		else if (accepts((unsigned short)fixed_port))
			server->port = (unsigned short)fixed_port;
		ck_assert_msg(
		    waitpid(server->pid, &status, WNOHANG) == 0, "did not start: %s", log);
		ck_assert_msg(waited < START_MILLISECONDS, "does not listen: %s", log);
		free(log);
		usleep(20000);
	}
}

static int
exit_status(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
wire_run(struct wire_server *server, const char *const *options)
{
	*server = (struct wire_server){ 0 };
	make_log(server);
	return exit_status(spawn(server->log_path, options));
}

int
wire_stop(struct wire_server *server)
{
	int status;

	kill(server->pid, SIGTERM);
	status = exit_status(server->pid);
	if (status != 0) {
		char *log = wire_log(server);

		fprintf(stderr, "%s", log);
		free(log);
	}
	unlink(server->log_path);
	return status;
}

char *
wire_log(const struct wire_server *server)
{
	FILE *file = fopen(server->log_path, "r");
	char *text = NULL;
	size_t size = 0;

	ck_assert_ptr_nonnull(file);
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static void
start_tls(struct wire *wire)
{
	static gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	int result;

	if (credentials == NULL)
		ck_assert_int_eq(gnutls_certificate_allocate_credentials(&credentials), 0);
	ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT), 0);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, wire->fd);
	gnutls_handshake_set_timeout(session, (unsigned)wire_patience());
	do
		result = gnutls_handshake(session);
	while (result < 0 && !gnutls_error_is_fatal(result));
	ck_assert_msg(result == 0, "handshake: %s", gnutls_strerror(result));
	wire->session = session;
}

void
wire_connect(const struct wire_server *server, struct wire *ret_wire)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(server->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;

	*ret_wire = (struct wire){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	ck_assert_int_ge(ret_wire->fd, 0);
	ck_assert_msg(connect(ret_wire->fd, (const void *)&to, sizeof(to)) == 0, "connect: %s",
	    strerror(errno));
	setsockopt(ret_wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (server->tls)
		start_tls(ret_wire);
}

void
wire_send(struct wire *wire, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = wire->session != NULL
				? gnutls_record_send(wire->session, bytes.data, bytes.len)
				: send(wire->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the server may have answered and closed already */
		bytes = span_from(bytes, (size_t)n);
	}
}

void
wire_half_close(struct wire *wire)
{
	if (wire->session != NULL)
		gnutls_bye(wire->session, GNUTLS_SHUT_WR);
	else
		shutdown(wire->fd, SHUT_WR);
}

void
wire_close(struct wire *wire)
{
	if (wire->session != NULL)
		gnutls_deinit(wire->session);
	close(wire->fd);
}

/* Bytes read, 0 at the end, -1 on silence. */
static ssize_t
receive_piece(struct wire *wire, char *to, size_t size, int milliseconds)
{
	struct pollfd ready = { .fd = wire->fd, .events = POLLIN };
	bool pending = wire->session != NULL && gnutls_record_check_pending(wire->session) > 0;
	ssize_t n;

	if (!pending && poll(&ready, 1, milliseconds) == 0)
		return -1;
	if (wire->session == NULL) {
		n = recv(wire->fd, to, size, 0);
		return n < 0 ? 0 : n;
	}
	do
		n = gnutls_record_recv(wire->session, to, size);
	while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
	return n < 0 ? 0 : n;
}

static size_t
content_length(const struct wire_answer *answer)
{
	struct span value;
	unsigned long length = 0;

	if (wire_field(answer, "Content-Length", &value))
		text_to_number(value, WIRE_ANSWER_SIZE, &length);
	return length;
}

static bool
is_complete(struct wire_answer *answer, bool is_head)
{
	const char *end;

	answer->bytes[answer->len] = '\0';
	end = memmem(answer->bytes, answer->len, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	answer->head_len = (size_t)(end - answer->bytes) + 4;
	answer->status = atoi(answer->bytes + sizeof("HTTP/1.1"));
	return is_head || answer->len >= answer->head_len + content_length(answer);
}

/*
 * Byte by byte while the head is read, so that what follows this response stays for the next call.
 */
void
wire_receive(struct wire *wire, bool is_head, int milliseconds, struct wire_answer *ret_answer)
{
	ret_answer->status = 0;
	ret_answer->len = ret_answer->head_len = 0;
	ret_answer->closed = false;
	while (!is_complete(ret_answer, is_head) && ret_answer->len < WIRE_ANSWER_SIZE - 1) {
		ssize_t n =
		    receive_piece(wire, ret_answer->bytes + ret_answer->len, 1, milliseconds);

		ret_answer->closed = n == 0;
		if (n <= 0)
			return;
		ret_answer->len += (size_t)n;
	}
}

void
wire_ask(const struct wire_server *server, struct span bytes, struct wire_answer *ret_answer)
{
	struct wire wire;

	wire_connect(server, &wire);
	wire_send(&wire, bytes);
	wire_receive(&wire, false, wire_patience(), ret_answer);
	wire_close(&wire);
}

bool
wire_field(const struct wire_answer *answer, const char *name, struct span *ret_value)
{
	struct span rest = { answer->bytes, answer->head_len }, line;

	while (span_next(&rest, '\n', &line)) {
		struct span key = { line.data, span_find(line, ':') };

		if (key.len == line.len || !span_equals_ignoring_case(key, span_of(name)))
			continue;
		*ret_value = span_from(line, key.len + 1);
		ret_value->len -= ret_value->len > 0; /* CR */
		*ret_value = span_trim(*ret_value);
		return true;
	}
	return false;
}

struct span
wire_body(const struct wire_answer *answer)
{
	return (struct span){ answer->bytes + answer->head_len, answer->len - answer->head_len };
}
