/*
 * wire: the real server as a child process, and raw connections to it, plain or over TLS.
 *
 * The environment names the binary (PROGRAM) and a tool to run it under (WRAPPER, may be empty).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/text.h"

enum { WIRE_ANSWER_SIZE = 128 * 1024 };

struct wire_server {
	pid_t pid;
	unsigned short port;
	bool tls;
	char log_path[64]; /* standard output and error */
};

struct wire {
	int fd;
	void *session; /* gnutls_session_t, or NULL */
};

/* One response, or as much of it as came. */
struct wire_answer {
	int status; /* 0: closed or silent without a response */
	bool closed;
	size_t len;
	size_t head_len; /* with the empty line */
	char bytes[WIRE_ANSWER_SIZE];
};

/*
 * Start with these options (NULL at the end), and wait until it listens: on the port that the log
 * names or, where the first option is --listen.port=N and N not 0, on that.
 */
void wire_start(struct wire_server *server, const char *const *options);

/* So many open files, soft and hard, for servers started from now on; 0: as many as the test has.
 */
void wire_limit_files(unsigned n);

/* A self-signed certificate for 127.0.0.1 and its key, PEM files of their own. */
struct wire_pair {
	char certificate[64];
	char key[64];
};

enum wire_key { WIRE_ECDSA, WIRE_RSA };

/* Valid from this many seconds from now until that many. */
void wire_make_pair(
    struct wire_pair *ret_pair, enum wire_key algorithm, const char *name, long from, long until);
void wire_remove_pair(const struct wire_pair *pair);

/* A port that nothing listens on just now. */
unsigned short wire_free_port(void);

/* The port that a log says the server listens on; 0 where it does not say. */
unsigned short wire_find_port(const char *log);

/* A connection to this port; -1 where nothing listens on it. */
int wire_dial(unsigned short port);

/* Whether something listens on this port. */
bool wire_accepts(unsigned short port);

/*
 * Start the program with these options (NULL at the end), under WRAPPER unless prepare sets
 * LD_PRELOAD. The child calls prepare(context) first. It is killed where this thread ends before
 * it.
 */
pid_t wire_spawn(
    const char *const *options, void (*prepare)(const void *context), const void *context);

/* Run a command to its end; its exit status. Output goes to the log. */
int wire_run(struct wire_server *server, const char *const *options);

/* SIGTERM, and the exit status, which is not 0 where a sanitizer or valgrind found something. */
int wire_stop(struct wire_server *server);

/* All that the server has written so far; the caller frees it. */
char *wire_log(const struct wire_server *server);

/* Whether the server runs with this version of libmicrohttpd, or a later one; its log names it. */
bool wire_has_library(const struct wire_server *server, const char *least);

void wire_connect(const struct wire_server *server, struct wire *ret_wire);
/* False where the other side has closed: the server may have answered already. */
bool wire_send(struct wire *wire, struct span bytes);
void wire_half_close(struct wire *wire);
void wire_close(struct wire *wire);

/* Whether a TLS client with these GnuTLS priorities (NULL: the default ones) is let in. */
bool wire_try_tls(const struct wire_server *server, const char *priorities, struct wire *ret_wire);

/* The common name in the certificate that the server showed. */
void wire_peer_name(const struct wire *wire, char *ret_name, size_t size);

/*
 * Receive until the other side ends, the array is full, or nothing came for so long. Returns the
 * bytes received; what is received ends with a NUL.
 */
size_t wire_drain(
    struct wire *wire, int milliseconds, char *ret_bytes, size_t size, bool *ret_closed);

/* Read one response; is_head: without a body. Waits at most milliseconds for each piece. */
void wire_receive(
    struct wire *wire, bool is_head, int milliseconds, struct wire_answer *ret_answer);

/* Connect, send, receive one response, close. */
void wire_ask(const struct wire_server *server, struct span bytes, struct wire_answer *ret_answer);

/* The value of a response field; false without it. */
bool wire_field(const struct wire_answer *answer, const char *name, struct span *ret_value);

struct span wire_body(const struct wire_answer *answer);

/* WRAPPER names a tool. It or a sanitizer slows the server down and adds to its memory. */
bool wire_is_wrapped(void);
bool wire_is_slowed(void);

/* Of the server: processor time used so far, memory in use (VmRSS), open descriptors. */
double wire_cpu_seconds(const struct wire_server *server);
long wire_rss_kib(const struct wire_server *server);
int wire_open_files(const struct wire_server *server);

/* Monotonic. */
double wire_now(void);

/* How long to wait for what should come at once: longer under valgrind. */
int wire_patience(void);
