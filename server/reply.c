/*
 * Makes a struct response libmicrohttpd's, queues it, counts it and logs one line. Its Location has
 * to fit into what the request has left of the connection's pool.
 */
#include "reply.h"

#include "access.h"
#include "connection.h"

enum {
	RESERVED_BYTES = 1024, /* of the pool, for status line and fields that are not Location */
	FIELD_BYTES = 64,      /* what the library keeps for each header field and cookie */
};

struct MHD_Response *
reply_make_emergency(void)
{
	static char text[] = "The server is short of memory.\n";
	struct MHD_Response *response =
	    MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);

	if (response != NULL) {
		MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
		MHD_add_response_header(response, "Cache-Control", "no-store");
		MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
		MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
		MHD_add_response_header(response, "Connection", "close");
	}
	return response;
}

static size_t
count_cookies(struct span cookies)
{
	struct span one;
	size_t n = 0;

	while (span_next(&cookies, ';', &one))
		n++;
	return n;
}

/* How long Location may be: what the pool has left beside the request, counted generously. */
static size_t
location_room(const struct exchange *x)
{
	struct span cookies = http_find_header(&x->request, (struct span)SPAN("Cookie"));
	size_t used = x->head_bytes + RESERVED_BYTES + cookies.len +
		      FIELD_BYTES * (x->request.n_headers + count_cookies(cookies));

	return used < x->loop->pool_bytes ? x->loop->pool_bytes - used : 1;
}

void
reply_open(struct exchange *x)
{
	size_t room = location_room(x);

	*x->response = (struct response){ 0 };
	buf_init(&x->response->location, x->loop->location,
	    room < x->loop->array_size ? room : x->loop->array_size);
	buf_init(&x->response->body, x->loop->body, x->loop->array_size);
}

/* NULL where there is no memory for all of it. */
static struct MHD_Response *
make_response(const struct exchange *x)
{
	const struct response *from = x->response;
	struct MHD_Response *to = MHD_create_response_from_buffer(from->body.len, from->body.data,
	    from->body.len > 0 ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
	bool good = to != NULL;

	for (size_t i = 0; good && i < from->n_fields; i++)
		good = MHD_add_response_header(to, from->fields[i].name, from->fields[i].value) ==
		       MHD_YES;
	if (good && from->location.len > 0)
		good = MHD_add_response_header(to, "Location", from->location.data) == MHD_YES;
	if (good && (x->record->has_body || x->request.is_draining))
		good = MHD_add_response_header(to, "Connection", "close") == MHD_YES;
	if (good || to == NULL)
		return to;
	MHD_destroy_response(to);
	return NULL;
}

enum MHD_Result
reply_emergency(struct loop *loop, struct MHD_Connection *connection)
{
	atomic_fetch_add_explicit(&loop->counts->no_memory, 1, memory_order_relaxed);
	return MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, loop->emergency);
}

/* Whom the log names: the connection's other end or, behind trusted proxies, who it says. */
static void
name_client(const struct exchange *x, char ret_text[NETWORK_ADDRESS_SIZE])
{
	const char *peer = record_client(x->record, connection_client(x->connection));
	struct address address;

	memcpy(ret_text, peer, strlen(peer) + 1);
	if (x->config->n_proxies == 0 || !network_parse_address(span_of(peer), &address))
		return;
	address =
	    network_find_client(x->config->proxies, x->config->n_proxies, &x->request, address);
	network_format_address(&address, ret_text);
}

static void
count_and_log(struct exchange *x)
{
	uint64_t duration_us = record_elapsed_us(x->record);
	char client[NETWORK_ADDRESS_SIZE];

	metrics_count(&x->loop->metrics, &x->request, x->response, duration_us);
	access_warn_of_long_url(&x->request, x->response);
	if (!x->config->log_access)
		return;
	name_client(x, client);
	access_log_request(&x->request, x->response, duration_us, client);
}

enum MHD_Result
reply_send(struct exchange *x)
{
	struct MHD_Response *response = make_response(x);
	enum MHD_Result queued;

	explicit_bzero(x->response->location.data, x->response->location.len);
	explicit_bzero(x->response->body.data, x->response->body.len);
	if (response == NULL)
		return reply_emergency(x->loop, x->connection);
	watch_enter(&x->record->watched, WATCH_ANSWER);
	queued = MHD_queue_response(x->connection, (unsigned)x->response->status, response);
	MHD_destroy_response(response);
	count_and_log(x);
	return queued;
}
