#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mhd/callbacks.h"

enum MHD_Result
connection_may_accept(void *cls, const struct sockaddr *address, socklen_t)
{
	struct loop *loop = cls;
	struct address client;
	struct network network;

	if (loop->connections_per_ip == 0 || !address_of_socket(address, &client))
		return MHD_YES;
	network = network_of_client(&client);
	if (watchdog_count_from(loop->watchdog, &network) < loop->connections_per_ip)
		return MHD_YES;
	atomic_fetch_add_explicit(
	    &loop->watchdog->counts.rejected[INCIDENT_PER_IP], 1, memory_order_relaxed);
	return MHD_NO;
}

/*
 * A connection on which no request was read is about to close. It counts if it sent bytes and, over
 * TLS, got no further than its hello; one that was ended for being slow, only if its first bytes
 * are recognized. From the first such connection on, the first bytes of new ones are looked at.
 */
static void
note_protocol(struct loop *loop, const struct record *record)
{
	enum { HELLO_ANSWER_LEN = 100 }; /* an alert is shorter, a certificate longer */
	struct incidents *counts = &loop->watchdog->counts;
	struct tcp_info info;
	const char *hint;

	if (!watch_ask_kernel(&record->watched, &info) ||
	    info.tcpi_bytes_received <= 1 || /* the end counts as one */
	    (loop->connections.is_tls && info.tcpi_bytes_sent > HELLO_ANSWER_LEN))
		return;
	atomic_store(&counts->is_peeking, true);
	hint = protocol_hint(
	    (struct span){ record->first, record->first_len }, loop->connections.is_tls);
	if (record->watched.phase == WATCH_ENDED && hint == NULL)
		return;
	atomic_store(&counts->hint, hint);
	atomic_fetch_add(&counts->rejected[INCIDENT_PROTOCOL], 1);
}

/* NULL without memory; the connection is ended then, since nothing would limit its time. */
static struct record *
open_record(struct loop *loop, struct MHD_Connection *connection)
{
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	const union MHD_ConnectionInfo *client =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct record *record = calloc(1, sizeof(*record));
	ssize_t n = 0;

	if (record == NULL) {
		atomic_fetch_add(&loop->watchdog->counts.no_memory, 1);
		shutdown(fd, SHUT_RDWR);
		return NULL;
	}
	record->watched.fd = fd;
	record->watched.has_address =
	    client != NULL && address_of_socket(client->client_addr, &record->watched.address);
	if (atomic_load_explicit(&loop->watchdog->counts.is_peeking, memory_order_relaxed))
		n = recv(fd, record->first, sizeof(record->first), MSG_PEEK | MSG_DONTWAIT);
	record->first_len = n > 0 ? (size_t)n : 0;
	watch_add(&loop->connections, &record->watched);
	return record;
}

void
connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code)
{
	struct loop *loop = cls;
	struct record *record = *socket_context;

	loop_note_progress(loop);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = open_record(loop, connection);
		atomic_fetch_add(&loop->opened, 1); /* once it is in the list, see daemon.c */
		watchdog_make_room(loop->watchdog, &loop->connections, clock_now_ms());
	} else if (record != NULL) {
		watch_remove(&loop->connections, &record->watched);
		if (record->watched.is_new)
			note_protocol(loop, record);
		record_end(record);
		free(record);
		*socket_context = NULL;
	}
}

void
connection_request_completed(void *cls, struct MHD_Connection *connection, void **request_context,
    enum MHD_RequestTerminationCode)
{
	struct loop *loop = cls;
	struct record *record = *request_context;

	loop_note_progress(loop);
	if (record != NULL) {
		exchange_end(loop, connection, record);
		record_end(record);
		watch_enter_phase(&loop->connections, &record->watched, WATCH_IDLE);
	}
	*request_context = NULL;
}

const char connection_no_cookies[] = "";

/*
 * The library makes records in the connection's pool that nothing here needs. Of every argument;
 * when the pool is full, 0.9.75 neither answers nor ends the request: they are cut off after the
 * `?`. And of every cookie of the first Cookie field: an empty one before the client's own is that.
 */
void *
connection_take_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	enum { EXTRA_BYTES = 1024 }; /* for path, scheme and authority besides the query */
	struct loop *loop = cls;
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct record *record = info != NULL ? info->socket_context : NULL;
	char *mark = strchr((char *)(uintptr_t)target, '?');

	loop_note_progress(loop);
	if (record != NULL) {
		watch_enter_phase(&loop->connections, &record->watched, WATCH_BUSY);
		record_begin(record, target, loop->query_bytes + EXTRA_BYTES, &loop->next_id);
	}
	if (mark != NULL && mark[1] != '\0')
		mark[1] = '\0';
	MHD_set_connection_value_n(
	    connection, MHD_HEADER_KIND, "Cookie", strlen("Cookie"), connection_no_cookies, 0);
	return record;
}
