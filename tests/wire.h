/*
 * wire: the real server as a child process, and raw connections to it, plain or over TLS.
 *
 * The environment names the binary (PROGRAM) and a tool to run it under (WRAPPER, may be empty).
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <sys/types.h>

#include "text.h"

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
 * tells or, where the first option is --listen.port=N and N not 0, on that.
 */
void wire_start(struct wire_server *server, const char *const *options);

/* A port that nothing listens on just now. */
unsigned short wire_free_port(void);

/* Run a command to its end; its exit status. Output goes to the log. */
int wire_run(struct wire_server *server, const char *const *options);

/* SIGTERM, and the exit status, which is not 0 where a sanitizer or valgrind found something. */
int wire_stop(struct wire_server *server);

/* All that the server has written so far; the caller frees it. */
char *wire_log(const struct wire_server *server);

void wire_connect(const struct wire_server *server, struct wire *ret_wire);
void wire_send(struct wire *wire, struct span bytes);
void wire_half_close(struct wire *wire);
void wire_close(struct wire *wire);

/* Read one response; is_head: without a body. Waits at most milliseconds for each piece. */
void wire_receive(
    struct wire *wire, bool is_head, int milliseconds, struct wire_answer *ret_answer);

/* Connect, send, receive one response, close. */
void wire_ask(const struct wire_server *server, struct span bytes, struct wire_answer *ret_answer);

/* The value of a response field; false without it. */
bool wire_field(const struct wire_answer *answer, const char *name, struct span *ret_value);

struct span wire_body(const struct wire_answer *answer);

/* How long to wait for what should come at once: longer under valgrind. */
int wire_patience(void);

#endif
