/*
 * server: the event loops. One libmicrohttpd daemon a thread, each with its own listening socket.
 */
#ifndef SERVER_H
#define SERVER_H

#include "config.h"

struct server;

/* How many connections a configuration can have open; TLS loops can have fewer than it asks for. */
size_t server_max_connections(const struct config *config);

/*
 * Start config->threads event loops on fds, which the server then owns, for at most so many
 * connections in all. config must outlive the server. With TLS a certificate must have been
 * installed. Signals must be blocked before, so that the loops inherit that. NULL with *ret_fault
 * where a loop cannot be started.
 */
struct server *server_start(
    const struct config *config, const int *fds, size_t connections, const char **ret_fault);

/* Stop accepting, close every connection, and free the server. */
void server_stop(struct server *server);

/* The version of libmicrohttpd that is running, which need not be the one built against. */
const char *server_library_version(void);

#endif
