/*
 * server: the event loops. One libmicrohttpd daemon per thread for the public, one for the admin
 * listener, and a watchdog over all of them.
 */
#pragma once

#include "observe/recent.h"
#include "system/listener.h"

struct server;

/* Files that a thread may need besides its share of the connections. */
enum { SERVER_FILES_PER_THREAD = 32 };

/*
 * Start an event loop per listener for at most so many public connections in all; the server then
 * owns the listeners. config must live until it is replaced, or as long as the server. With TLS a
 * certificate must have been installed, which expires then (0: none). Signals must be blocked
 * before, so that the loops inherit that. NULL with errno and, in *ret_step, a sentence on what
 * failed; the listeners are not to be used any more then, and are left to the end of the process.
 */
struct server *server_start(const struct config *config, const struct listeners *listeners,
    size_t connections, int64_t expiry, const char **ret_step);

/*
 * Put another configuration in force, but for the limits of the first one, which hold until the
 * end. Waits for requests that are being handled: no loop reads the configuration before any more.
 */
void server_replace_config(struct server *server, const struct config *config, int64_t expiry);

/* For metrics and the operator's page: there was a reload, which was refused or not. */
void server_note_reload(struct server *server, bool is_good);

/*
 * The steps of a clean end: fail readiness and ask clients to go; stop listening, and end idle
 * connections; take in what was queued before, until no connection is left, which is how many
 * server_finish() returns.
 */
void server_drain(struct server *server);
void server_stop_listening(struct server *server);
size_t server_finish(struct server *server);

/* Close every connection, and free the server. */
void server_stop(struct server *server);

/*
 * Whether every event loop makes progress, the admin listener's too or not, and the watchdog that
 * judges them: false after some six seconds without any while work waits. Any thread may ask.
 */
bool server_makes_progress(struct server *server, bool with_admin);

/* Put what this program knows of itself into the answer of /metrics, or of the operator's page. */
void server_put_numbers(struct server *server, const struct config *config, enum route route,
    struct response *response);

/* The version of libmicrohttpd that is running, which need not be the one built against. */
const char *server_library_version(void);
