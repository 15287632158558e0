#include "wire/wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 64, START_MILLISECONDS = 30000 };

bool
wire_is_wrapped(void)
{
	const char *wrapper = getenv("WRAPPER");

	return wrapper != NULL && wrapper[0] != '\0';
}

int
wire_patience(void)
{
	return wire_is_wrapped() ? 20000 : 5000;
}

bool
wire_is_slowed(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return true;
#endif
#endif
	return wire_is_wrapped();
}

double
wire_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static unsigned file_limit;

void
wire_limit_files(unsigned n)
{
	file_limit = n;
}

/* WRAPPER's words, the program, the options. A library that is preloaded is for the program alone.
 */
static void
execute(const char *const *options)
{
	char *arguments[MAX_ARGUMENTS];
	char wrapper[512] = "";
	size_t n = 0;

	if (wire_is_wrapped() && getenv("LD_PRELOAD") == NULL)
		snprintf(wrapper, sizeof(wrapper), "%s", getenv("WRAPPER"));
	for (char *word = strtok(wrapper, " "); word != NULL; word = strtok(NULL, " "))
		arguments[n++] = word;
	arguments[n++] = getenv("PROGRAM");
	for (; *options != NULL && n < MAX_ARGUMENTS - 1; options++)
		arguments[n++] = (char *)(uintptr_t)*options;
	arguments[n] = NULL;
	execvp(arguments[0], arguments);
}

pid_t
wire_spawn(const char *const *options, void (*prepare)(const void *context), const void *context)
{
	pid_t pid;

	ck_assert_msg(getenv("PROGRAM") != NULL, "PROGRAM names no binary");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prepare(context);
	execute(options);
	_exit(127);
}

static void
write_to_log(const void *context)
{
	const struct wire_server *server = context;
	int fd = open(server->log_path, O_WRONLY | O_APPEND);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	setpgid(0, 0);
	setenv("REDIRECTD_ADMIN_PORT", "0", 0); /* servers run side by side */
	if (file_limit > 0)
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ file_limit, file_limit });
}

static void
make_log(struct wire_server *server)
{
	snprintf(server->log_path, sizeof(server->log_path), "/tmp/recall-redirectd-test.XXXXXX");
	close(mkstemp(server->log_path));
}

unsigned short
wire_find_port(const char *log)
{
	const char *at = strstr(log, "\"event\":\"listening\"");

	at = at != NULL ? strstr(at, "\"port\":") : NULL;
	return at != NULL ? (unsigned short)strtoul(at + 7, NULL, 10) : 0;
}

int
wire_dial(unsigned short port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const void *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
wire_accepts(unsigned short port)
{
	int fd = wire_dial(port);

	return fd >= 0 && close(fd) == 0;
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
	server->pid = wire_spawn(options, write_to_log, server);
	for (int waited = 0; server->port == 0; waited += 20) {
		char *log = wire_log(server);
		int status;

		if (fixed_port == 0)
			server->port = wire_find_port(log);
		else if (wire_accepts((unsigned short)fixed_port))
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
	return exit_status(wire_spawn(options, write_to_log, server));
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

bool
wire_has_library(const struct wire_server *server, const char *least)
{
	char *log = wire_log(server), *version = strstr(log, "\"libmicrohttpd\":\"");
	bool is;

	ck_assert_ptr_nonnull(version);
	version += strlen("\"libmicrohttpd\":\"");
	version[strcspn(version, "\"")] = '\0';
	is = strverscmp(version, least) >= 0;
	free(log);
	return is;
}

static gnutls_certificate_credentials_t credentials;

static void
make_credentials(void)
{
	ck_assert_int_eq(gnutls_certificate_allocate_credentials(&credentials), 0);
}

/* Of several threads, too. */
static int
start_tls(struct wire *wire, const char *priorities)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	gnutls_session_t session;
	int result;

	pthread_once(&once, make_credentials);
	ck_assert_int_eq(gnutls_init(&session, GNUTLS_CLIENT), 0);
	if (priorities == NULL)
		gnutls_set_default_priority(session);
	else
		ck_assert_int_eq(gnutls_priority_set_direct(session, priorities, NULL), 0);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, wire->fd);
	gnutls_handshake_set_timeout(session, (unsigned)wire_patience());
	do
		result = gnutls_handshake(session);
	while (result < 0 && !gnutls_error_is_fatal(result));
	wire->session = session;
	return result;
}

static void
open_socket(const struct wire_server *server, struct wire *ret_wire)
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
}

void
wire_connect(const struct wire_server *server, struct wire *ret_wire)
{
	int result;

	open_socket(server, ret_wire);
	if (!server->tls)
		return;
	result = start_tls(ret_wire, NULL);
	ck_assert_msg(result == 0, "handshake: %s", gnutls_strerror(result));
}

bool
wire_try_tls(const struct wire_server *server, const char *priorities, struct wire *ret_wire)
{
	open_socket(server, ret_wire);
	if (start_tls(ret_wire, priorities) == 0)
		return true;
	wire_close(ret_wire);
	return false;
}

void
wire_peer_name(const struct wire *wire, char *ret_name, size_t size)
{
	unsigned n;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(wire->session, &n);
	gnutls_x509_crt_t certificate;

	ck_assert_ptr_nonnull(chain);
	ck_assert_int_eq(gnutls_x509_crt_init(&certificate), 0);
	ck_assert_int_eq(gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER), 0);
	ck_assert_int_eq(gnutls_x509_crt_get_dn_by_oid(
			     certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret_name, &size),
	    0);
	gnutls_x509_crt_deinit(certificate);
}

bool
wire_send(struct wire *wire, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = wire->session != NULL
				? gnutls_record_send(wire->session, bytes.data, bytes.len)
				: send(wire->fd, bytes.data, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes = span_from(bytes, (size_t)n);
	}
	return true;
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

size_t
wire_drain(struct wire *wire, int milliseconds, char *ret_bytes, size_t size, bool *ret_closed)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < size - 1) {
		n = receive_piece(wire, ret_bytes + len, size - 1 - len, milliseconds);
		len += n > 0 ? (size_t)n : 0;
	}
	ret_bytes[len] = '\0';
	*ret_closed = n == 0;
	return len;
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

		if (key.len == line.len || !span_is_ignoring_case(key, name))
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

/* --- certificates --- */

static void
make_key(gnutls_x509_privkey_t *ret_key, enum wire_key algorithm)
{
	gnutls_pk_algorithm_t type = algorithm == WIRE_RSA ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA;
	unsigned bits =
	    algorithm == WIRE_RSA ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

	ck_assert_int_eq(gnutls_x509_privkey_init(ret_key), 0);
	ck_assert_int_eq(gnutls_x509_privkey_generate(*ret_key, type, bits, 0), 0);
}

static void
make_certificate(gnutls_x509_crt_t *ret_certificate, gnutls_x509_privkey_t key, const char *name,
    long from, long until)
{
	static const unsigned char address[] = { 127, 0, 0, 1 }, serial[] = { 1 };
	gnutls_x509_crt_t crt;

	ck_assert_int_eq(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	gnutls_x509_crt_set_dn_by_oid(
	    crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(
	    crt, GNUTLS_SAN_IPADDRESS, address, sizeof(address), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) + from);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + until);
	gnutls_x509_crt_set_key_usage(
	    crt, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
	ck_assert_int_eq(gnutls_x509_crt_set_key(crt, key), 0);
	ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	*ret_certificate = crt;
}

static void
write_new_file(char path[64], const gnutls_datum_t *text)
{
	int fd;

	snprintf(path, 64, "/tmp/recall-redirectd-test.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text->data, text->size), (ssize_t)text->size);
	close(fd);
}

void
wire_make_pair(
    struct wire_pair *ret_pair, enum wire_key algorithm, const char *name, long from, long until)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t certificate;
	gnutls_datum_t text;

	make_key(&key, algorithm);
	make_certificate(&certificate, key, name, from, until);
	ck_assert_int_eq(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &text), 0);
	write_new_file(ret_pair->certificate, &text);
	gnutls_free(text.data);
	ck_assert_int_eq(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &text), 0);
	write_new_file(ret_pair->key, &text);
	gnutls_free(text.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
}

void
wire_remove_pair(const struct wire_pair *pair)
{
	unlink(pair->certificate);
	unlink(pair->key);
}

/* --- the server from outside --- */

static FILE *
open_proc(const struct wire_server *server, const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)server->pid, name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	return file;
}

double
wire_cpu_seconds(const struct wire_server *server)
{
	FILE *file = open_proc(server, "stat");
	unsigned long user, system;

	ck_assert_int_eq(
	    fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		&system),
	    2);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long
wire_rss_kib(const struct wire_server *server)
{
	FILE *file = open_proc(server, "status");
	char line[256];
	long kib = -1;

	while (kib < 0 && fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "VmRSS: %ld", &kib);
	fclose(file);
	return kib;
}

int
wire_open_files(const struct wire_server *server)
{
	char path[64];
	DIR *directory;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)server->pid);
	directory = opendir(path);
	ck_assert_ptr_nonnull(directory);
	while (readdir(directory) != NULL)
		n++;
	closedir(directory);
	return n - 2;
}
