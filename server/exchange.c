/*
 * Between libmicrohttpd and app_handle(): collects the request, screens it, has it answered.
 *
 * The library calls the handler once the head is there, for each piece of a body, and a last time
 * with none. A response queued in the first call closes the connection, which is right for what
 * screen refuses; good requests are answered in the last one, so that the connection is kept.
 */
#include "exchange.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "app.h"
#include "connection.h"
#include "cork.h"
#include "mhd_0975.h"
#include "reply.h"
#include "screen.h"

/* Of a pool; each byte more is cleared with every request, and above 32 KiB it costs an mmap(). */
enum { LEAST_BYTES = 27 * 1024, BYTES_BESIDE_THE_QUERY = 11 * 1024 };

/* For path, scheme and authority besides the query. */
enum { TARGET_EXTRA_BYTES = 1024 };

size_t
exchange_pool_bytes(size_t query_bytes)
{
	size_t wanted = 2 * query_bytes + BYTES_BESIDE_THE_QUERY;

	return wanted > LEAST_BYTES ? wanted : LEAST_BYTES;
}

bool
exchange_open(struct loop *loop)
{
	loop->pool_bytes = exchange_pool_bytes(loop->config->limits_query_bytes);
	loop->supply.target_max_len = loop->config->limits_query_bytes + TARGET_EXTRA_BYTES;
	loop->array_size = loop->is_admin ? METRICS_TEXT_SIZE : loop->pool_bytes;
	loop->location = malloc(loop->array_size);
	loop->body = malloc(loop->array_size);
	loop->emergency = reply_make_emergency();
	loop->checks_layout = mhd_0975_applies(MHD_get_version());
	return loop->location != NULL && loop->body != NULL && loop->emergency != NULL;
}

void
exchange_close(struct loop *loop)
{
	record_supply_free(&loop->supply);
	free(loop->location);
	free(loop->body);
	if (loop->emergency != NULL)
		MHD_destroy_response(loop->emergency);
}

static size_t
head_bytes(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info != NULL ? info->header_size : 0;
}

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
	x->head_bytes = head_bytes(connection);
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

static enum MHD_Result
answer_problem(struct exchange *x, const struct problem *problem)
{
	reply_open(x);
	app_refuse(x->config, &x->request, problem, x->response);
	return reply_send(x);
}

static enum MHD_Result
answer(struct exchange *x)
{
	static const struct problem too_large = { 413, "body_too_large", NULL,
		"The body is larger than 16 KiB", NULL };

	if (x->record->body_too_large)
		return answer_problem(x, &too_large);
	reply_open(x);
	if (app_needs_random(&x->request) &&
	    getrandom(x->request.random, HTTP_RANDOM_SIZE, 0) != HTTP_RANDOM_SIZE)
		return reply_emergency(x->loop, x->connection);
	app_handle(x->config, &x->request, x->response);
	if (x->response->route == ROUTE_METRICS && x->response->status == 200)
		x->loop->put_metrics(x->loop->put_metrics_cls, &x->response->body);
	return reply_send(x);
}

static struct head
describe_head(const struct exchange *x, const char *method, const char *url, const char *version)
{
	bool is_whole = !x->loop->checks_layout || x->too_many_headers ||
			x->record->target_too_long ||
			mhd_0975_is_whole(&x->request, method, url, x->record->target_len, version,
			    x->head_bytes);

	return (struct head){
		.request = &x->request,
		.version = span_of(version),
		.bytes = x->head_bytes,
		.too_many_headers = x->too_many_headers,
		.too_long = x->record->target_too_long,
		.damaged = !is_whole,
	};
}

/* Whether the client wants the connection closed, and so the library does (RFC 9112 9.6). */
static bool
is_last(const struct exchange *x)
{
	static const struct span connection = SPAN("Connection"), close = SPAN("close");

	return span_equals_ignoring_case(http_find_header(&x->request, connection), close);
}

/*
 * The last call: the request is whole. Never corked is TLS, where the library itself corks, and
 * sends by the call that cork.c leaves out.
 */
static enum MHD_Result
finish(struct exchange *x)
{
	if (!x->loop->is_tls && is_last(x))
		cork_until_end(connection_fd(x->connection));
	return answer(x);
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
		return reply_emergency(cls, connection);
	open_exchange(&x, cls, connection, record, method);
	result = record->is_screened ? finish(&x) : begin(&x, method, url, version);
	live_leave(&x.loop->reader);
	return result;
}
