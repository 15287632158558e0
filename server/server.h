/*
 * server: the event loops. One libmicrohttpd daemon a thread for the public, one for the admin
 * listener, and a watchdog over all of them.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

struct server;

/* Listening sockets, which the server then owns. */
struct server_sockets {
	const int *public_fds; /* config->threads of them */
	bool is_shared;        /* they are one socket, that somebody else listens on as well */
	int admin_fd;          /* -1: no admin listener */
};

/* How many connections a configuration can have open; TLS loops can have fewer than it asks for. */
size_t server_max_connections(const struct config *config);

/*
 * Start config->threads event loops for at most so many public connections in all. config must
 * outlive the server. With TLS a certificate must have been installed. Signals must be blocked
 * before, so that the loops inherit that. NULL with *ret_fault where a loop cannot be started.
 */
struct server *server_start(const struct config *config, const struct server_sockets *sockets,
    size_t connections, const char **ret_fault);

/*
 * Put another configuration in force. Returns the one before, once no loop reads it, for the caller
 * to free; NULL where it has to be kept: the first one, or a loop that does not come back.
 */
const struct config *server_replace_config(struct server *server, const struct config *config);

/* What the metrics say of the last reload, and of the certificate that is shown (0: none). */
void server_set_reload(struct server *server, bool success);
void server_set_certificate_expiry(struct server *server, int64_t expiry);

/*
 * The steps of a clean end: fail readiness and ask clients to go; stop listening, after taking in
 * what has been queued; end idle connections. Then wait for server_open_connections() to be 0.
 */
void server_drain(struct server *server);
void server_stop_listening(struct server *server);
size_t server_open_connections(struct server *server);

/* Close every connection, and free the server. */
void server_stop(struct server *server);

/*
 * Whether every event loop has made progress since the last call: each is given a connection, and
 * has to have noticed the one before.
 */
bool server_is_alive(struct server *server);

/* The version of libmicrohttpd that is running, which need not be the one built against. */
const char *server_library_version(void);

#endif
