/*
 * What happens to a connection besides its answers: let in, counted, watched, its target kept.
 */
#include "connection.h"

#include <stdlib.h>

#include "cork.h"
#include "peers.h"

enum MHD_Result
connection_may_accept(void *cls, const struct sockaddr *address, socklen_t len)
{
	struct loop *loop = cls;
	size_t limit = loop->config->limits_connections_per_ip;

	(void)len;
	if (limit == 0 || peers_may_join(address, limit))
		return MHD_YES;
	atomic_fetch_add_explicit(&loop->counts->per_ip, 1, memory_order_relaxed);
	return MHD_NO;
}

const struct sockaddr *
connection_client(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info != NULL ? info->client_addr : NULL;
}

int
connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

static struct record *
open_record(struct loop *loop, struct MHD_Connection *connection)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record == NULL)
		return NULL;
	atomic_fetch_add_explicit(&loop->opened, 1, memory_order_relaxed);
	watch_add(loop->connections, &record->watched, connection_fd(connection));
	if (loop->config->limits_connections_per_ip > 0)
		peers_join(connection_client(connection));
	return record;
}

static void
close_record(struct loop *loop, struct MHD_Connection *connection, struct record *record)
{
	watch_remove(loop->connections, &record->watched);
	if (loop->config->limits_connections_per_ip > 0)
		peers_leave(connection_client(connection));
	record_end(record);
	free(record);
}

void
connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = open_record(cls, connection);
	} else if (*socket_context != NULL) {
		close_record(cls, connection, *socket_context);
		*socket_context = NULL;
	}
}

void
connection_request_completed(void *cls, struct MHD_Connection *connection, void **request_context,
    enum MHD_RequestTerminationCode code)
{
	struct record *record = *request_context;

	(void)cls;
	(void)code;
	cork_end(connection_fd(connection));
	if (record != NULL) {
		record_end(record);
		watch_enter(&record->watched, WATCH_IDLE);
	}
	*request_context = NULL;
}

/*
 * libmicrohttpd 0.9.75 makes a record of every argument in the connection's pool and, when that is
 * full, neither answers nor ends the request. Nothing here needs arguments: end them after the `?`.
 */
static void
hide_arguments(const char *target)
{
	char *mark = strchr((char *)(uintptr_t)target, '?');

	if (mark != NULL && mark[1] != '\0')
		mark[1] = '\0';
}

void *
connection_take_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct loop *loop = cls;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct record *record = info != NULL ? info->socket_context : NULL;

	if (record != NULL) {
		watch_enter(&record->watched, WATCH_REQUEST);
		record_begin(record, target, &loop->supply);
	}
	hide_arguments(target);
	return record;
}
