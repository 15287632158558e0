#include "mhd/reply.h"

#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "flow/app.h"
#include "observe/access_log.h"
#include "system/tls.h"

void
reply_open(struct exchange *x)
{
	*x->response = (struct response){ 0 };
	buf_init(&x->response->location, x->loop->location, x->loop->array_size);
	buf_init(&x->response->body, x->loop->body, x->loop->array_size);
}

/* NULL where there is no memory for all of it. */
static struct MHD_Response *
make_response(const struct exchange *x)
{
	const struct response *from = x->response;
	struct MHD_Response *to = MHD_create_response_from_buffer(from->body.len, from->body.data,
	    from->body.len > 0 ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
	/* A browser asks nothing more, and each turn of a TLS loop looks at all that is kept. */
	bool is_last = x->loop->connections.is_tls && x->request.route == ROUTE_CALLBACK &&
		       x->config->n_proxies == 0;
	bool good = to != NULL;

	for (size_t i = 0; good && i < from->n_fields; i++)
		good = MHD_add_response_header(to, from->fields[i].name, from->fields[i].value) ==
		       MHD_YES;
	if (good && from->location.len > 0)
		good = MHD_add_response_header(to, "Location", from->location.data) == MHD_YES;
	if (good && (x->record->has_body || x->request.is_draining || is_last))
		good = MHD_add_response_header(to, "Connection", "close") == MHD_YES;
	if (good || to == NULL)
		return to;
	MHD_destroy_response(to);
	return NULL;
}

/* Whom the log names: the connection's other end or, behind trusted proxies, who it says. */
static const char *
name_client(const struct exchange *x, char array[ADDRESS_TEXT_SIZE])
{
	const struct watched *watched = &x->record->watched;
	struct address client;

	if (x->config->n_proxies == 0 && watched->has_address)
		return record_client(x->record);
	if (!http_forwarded_client(x->config->proxies, x->config->n_proxies, &x->request,
		watched->has_address ? &watched->address : NULL, &client))
		return "";
	address_format(&client, array);
	return array;
}

void
reply_note(struct exchange *x)
{
	uint64_t duration_us = (uint64_t)(clock_now_us() - x->record->start_us);
	char array[ADDRESS_TEXT_SIZE];

	x->record->is_answered = true;
	metrics_count(&x->loop->metrics, &x->request, x->response, duration_us);
	recent_note(x->loop->recent, &x->request, x->response);
	access_log_request(x->config, &x->request, x->response, duration_us,
	    x->config->log_access ? name_client(x, array) : "");
}

/* The head of the response but for Location, in both directions of the wire. */
static void
put_head(const struct exchange *x, struct buf *out)
{
	const struct response *response = x->response;
	time_t now = (time_t)x->request.now;
	struct tm utc;
	char date[32];

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	buf_printf(out,
	    "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
	    response->status, MHD_get_reason_phrase_for((unsigned)response->status), date,
	    response->body.len);
	for (size_t i = 0; i < response->n_fields; i++)
		buf_printf(out, "%s: %s\r\n", response->fields[i].name, response->fields[i].value);
	if (response->location.len > 0)
		buf_puts(out, "Location: ");
}

static void
send_piece(const struct exchange *x, struct span piece)
{
	const union MHD_ConnectionInfo *session =
	    MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (session != NULL)
		tls_send(session->tls_session, piece);
	else
		send(x->record->watched.fd, piece.data, piece.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * A head that nearly fills the pool leaves no room for the response's, and the library would close
 * the connection without a word. And to a request whose body is still coming, it would send the
 * response and close at once: the kernel resets such a connection, and the client may never see the
 * response. So the response is written to the socket here, and then closed, or read to its end.
 */
static void
send_directly(const struct exchange *x)
{
	BUF(head, 4096);

	put_head(x, &head);
	send_piece(x, buf_span(&head));
	if (x->response->location.len > 0) {
		send_piece(x, buf_span(&x->response->location));
		send_piece(x, (struct span)SPAN("\r\n"));
	}
	send_piece(x, (struct span)SPAN("\r\n"));
	if (!span_is(x->request.method, "HEAD"))
		send_piece(x, buf_span(&x->response->body));
	if (x->reads_on)
		shutdown(x->record->watched.fd, SHUT_WR);
}

/* The page is written to an array that has been there since the start. */
enum MHD_Result
reply_without_memory(struct exchange *x)
{
	struct problem problem;

	http_refuse(&problem, 503, "out_of_memory", "The server is short of memory");
	atomic_fetch_add_explicit(&x->loop->watchdog->counts.no_memory, 1, memory_order_relaxed);
	reply_open(x);
	app_refuse(x->config, &x->request, &problem, x->response);
	send_directly(x);
	reply_note(x);
	return MHD_NO;
}

/*
 * Whether what the pool has left, at least, is enough for the head as the library writes it. The
 * request's head stands in a read buffer, at first of half the pool; it grows by an eighth of what
 * is left, or by 188 bytes. Pipelined bytes after the head may fill it.
 */
static bool
fits_into_pool(const struct exchange *x)
{
	enum { LEAST_GROWTH = 1500, SMALL_GROWTH = 188, RECORD_BYTES = 64, RESERVE = 128 };
	enum { STATUS_LINE_AND_OWN_FIELDS = 160 };
	size_t pool = x->loop->pool_bytes, used = x->request.head_bytes;
	size_t growth = used < pool ? (pool - used) / 8 : 0;

	used += growth >= LEAST_GROWTH ? growth : SMALL_GROWTH;
	used = used > pool / 2 ? used : pool / 2;
	used += RECORD_BYTES * x->n_records + RESERVE;
	used += STATUS_LINE_AND_OWN_FIELDS + x->response->location.len;
	for (size_t i = 0; i < x->response->n_fields; i++)
		used += strlen(x->response->fields[i].name) + strlen(x->response->fields[i].value) +
			strlen(": \r\n");
	return used <= pool;
}

enum MHD_Result
reply_send(struct exchange *x)
{
	bool is_direct = x->reads_on || !fits_into_pool(x);
	struct MHD_Response *response = is_direct ? NULL : make_response(x);
	enum MHD_Result queued = x->reads_on ? MHD_YES : MHD_NO;

	if (is_direct)
		send_directly(x);
	buf_wipe(&x->response->location);
	buf_wipe(&x->response->body);
	if (!is_direct && response == NULL)
		return reply_without_memory(x);
	if (!is_direct) {
		queued = MHD_queue_response(x->connection, (unsigned)x->response->status, response);
		MHD_destroy_response(response);
	}
	reply_note(x);
	return queued;
}
