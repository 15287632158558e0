/*
 * Between libmicrohttpd and app_handle(): collects the request, screens it, queues the response,
 * logs one line.
 *
 * The library calls the handler once the head is there, for each piece of a body, and a last time
 * with none. A response queued in the first call closes the connection, which is right for what
 * screen refuses; good requests are answered in the last one, so that the connection is kept.
 */
#include "exchange.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "access.h"
#include "app.h"
#include "connection.h"
#include "mhd_0975.h"
#include "record.h"
#include "screen.h"

enum {
	DEFAULT_POOL_BYTES = 32 * 1024, /* more costs an mmap() a connection */
	RESERVED_BYTES = 1024, /* of the pool, for status line and fields that are not Location */
	FIELD_BYTES = 64,      /* what the library keeps for each header field and cookie */
};

size_t
exchange_pool_bytes(size_t query_bytes)
{
	size_t wanted = 2 * query_bytes + DEFAULT_POOL_BYTES / 2;

	return wanted > DEFAULT_POOL_BYTES ? wanted : DEFAULT_POOL_BYTES;
}

static struct MHD_Response *
make_emergency(void)
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

bool
exchange_open(struct loop *loop)
{
	loop->pool_bytes = exchange_pool_bytes(loop->config->limits_query_bytes);
	loop->array_size = loop->is_admin ? METRICS_TEXT_SIZE : loop->pool_bytes;
	loop->location = malloc(loop->array_size);
	loop->body = malloc(loop->array_size);
	loop->emergency = make_emergency();
	loop->checks_layout = mhd_0975_applies(MHD_get_version());
	return loop->location != NULL && loop->body != NULL && loop->emergency != NULL;
}

void
exchange_close(struct loop *loop)
{
	free(loop->location);
	free(loop->body);
	if (loop->emergency != NULL)
		MHD_destroy_response(loop->emergency);
}

/* An exchange under way: what the callbacks share while they answer. */
struct exchange {
	struct loop *loop;
	struct MHD_Connection *connection;
	struct record *record;
	const struct config *config; /* until the callback returns */
	struct request request;
	bool too_many_headers;
	struct response *response;
};

static enum MHD_Result
collect_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	struct exchange *x = cls;

	(void)kind;
	if (x->request.n_headers == HTTP_MAX_HEADERS) {
		x->too_many_headers = true;
		return MHD_NO;
	}
	x->loop->headers[x->request.n_headers++] = (struct header){ { name, name_len },
		{ value != NULL ? value : "", value != NULL ? value_len : 0 } };
	return MHD_YES;
}

static void
open_exchange(struct exchange *x, struct loop *loop, struct MHD_Connection *connection,
    struct record *record, const char *method)
{
	x->loop = loop;
	x->connection = connection;
	x->record = record;
	x->config = live_enter(loop->live, &loop->reader);
	x->too_many_headers = false;
	x->response = &loop->response;
	x->request = (struct request){
		.id = record->id,
		.method = span_of(method),
		.target = { record->target, record->target_len },
		.headers = loop->headers,
		.body = { record->body != NULL ? record->body : "", record->body_len },
		.is_admin = loop->is_admin,
		.is_draining = atomic_load_explicit(&loop->live->draining, memory_order_relaxed),
		.now = time(NULL),
	};
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, x);
}

static size_t
head_bytes(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info != NULL ? info->header_size : 0;
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
	size_t used = head_bytes(x->connection) + RESERVED_BYTES + cookies.len +
		      FIELD_BYTES * (x->request.n_headers + count_cookies(cookies));

	return used < x->loop->pool_bytes ? x->loop->pool_bytes - used : 1;
}

static void
open_response(struct exchange *x)
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

static enum MHD_Result
queue_emergency(struct loop *loop, struct MHD_Connection *connection)
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

/* Send what x->response holds. */
static enum MHD_Result
queue_answer(struct exchange *x)
{
	struct MHD_Response *response = make_response(x);
	enum MHD_Result queued;

	explicit_bzero(x->response->location.data, x->response->location.len);
	explicit_bzero(x->response->body.data, x->response->body.len);
	if (response == NULL)
		return queue_emergency(x->loop, x->connection);
	watch_enter(&x->record->watched, WATCH_ANSWER);
	queued = MHD_queue_response(x->connection, (unsigned)x->response->status, response);
	MHD_destroy_response(response);
	count_and_log(x);
	return queued;
}

static enum MHD_Result
answer_problem(struct exchange *x, const struct problem *problem)
{
	open_response(x);
	app_refuse(x->config, &x->request, problem, x->response);
	return queue_answer(x);
}

static enum MHD_Result
answer(struct exchange *x)
{
	static const struct problem too_large = { 413, "body_too_large", NULL,
		"The body is larger than 16 KiB", NULL };

	if (x->record->body_too_large)
		return answer_problem(x, &too_large);
	open_response(x);
	if (app_needs_random(&x->request) &&
	    getrandom(x->request.random, HTTP_RANDOM_SIZE, 0) != HTTP_RANDOM_SIZE)
		return queue_emergency(x->loop, x->connection);
	app_handle(x->config, &x->request, x->response);
	if (x->response->route == ROUTE_METRICS && x->response->status == 200)
		x->loop->put_metrics(x->loop->put_metrics_cls, &x->response->body);
	return queue_answer(x);
}

static struct head
describe_head(const struct exchange *x, const char *method, const char *url, const char *version)
{
	size_t bytes = head_bytes(x->connection);
	bool is_whole =
	    !x->loop->checks_layout || x->too_many_headers || x->record->target_too_long ||
	    mhd_0975_is_whole(&x->request, method, url, x->record->target_len, version, bytes);

	return (struct head){
		.request = &x->request,
		.version = span_of(version),
		.bytes = bytes,
		.too_many_headers = x->too_many_headers,
		.too_long = x->record->target_too_long,
		.damaged = !is_whole,
	};
}

static bool
has_header(const struct exchange *x, struct span name)
{
	return http_find_header(&x->request, name).len > 0;
}

/* The first call: refuse what must be refused before a body, go on with everything else. */
static enum MHD_Result
begin(struct exchange *x, const char *method, const char *url, const char *version)
{
	struct head head = describe_head(x, method, url, version);
	struct screen_limits limits = { x->loop->config->limits_query_bytes,
		x->loop->pool_bytes - x->loop->config->limits_query_bytes };
	bool is_chunked = has_header(x, (struct span)SPAN("Transfer-Encoding"));
	bool waits = has_header(x, (struct span)SPAN("Expect")) &&
		     has_header(x, (struct span)SPAN("Content-Length"));
	struct problem problem;

	x->record->is_screened = true;
	x->record->has_body = is_chunked;
	if (!screen_head(&head, &limits, &problem))
		return answer_problem(x, &problem);
	return (is_chunked || waits) && !app_takes_body(&x->request) ? answer(x) : MHD_YES;
}

enum MHD_Result
exchange_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload_data, size_t *upload_data_size, void **request_context)
{
	struct record *record = *request_context;
	enum MHD_Result result;
	struct exchange x;

	if (*upload_data_size > 0 && record != NULL) {
		record_add_body(record, (struct span){ upload_data, *upload_data_size });
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (record == NULL || record->out_of_memory)
		return queue_emergency(cls, connection);
	open_exchange(&x, cls, connection, record, method);
	result = record->is_screened ? answer(&x) : begin(&x, method, url, version);
	live_leave(&x.loop->reader);
	return result;
}
