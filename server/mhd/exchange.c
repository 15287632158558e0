/*
 * The library calls the handler once the head is there, for each piece of a body, and a last time
 * with none. A response queued in the first call closes the connection, which is right for what
 * screen refuses; good requests are answered in the last one, so that the connection is kept.
 */
#include <sys/random.h>
#include <time.h>

#include "flow/app.h"
#include "http/screen.h"
#include "mhd/callbacks.h"
#include "mhd/reply.h"
#include "mhd/server.h"

enum { MOST_UNREAD = 1024 * 1024 }; /* of a body that nobody wants; a longer one is cut off */

static enum MHD_Result
collect_header(void *cls, enum MHD_ValueKind, const char *name, size_t name_len, const char *value,
    size_t value_len)
{
	struct exchange *x = cls;

	x->n_records++;
	if (value == connection_no_cookies)
		return MHD_YES;
	x->request.too_many_headers = x->request.n_headers == HTTP_MAX_HEADERS;
	if (!x->request.too_many_headers)
		x->loop->headers[x->request.n_headers++] = (struct header){ { name, name_len },
			{ value != NULL ? value : "", value != NULL ? value_len : 0 } };
	return MHD_YES;
}

static void
open_exchange(struct exchange *x, struct loop *loop, struct MHD_Connection *connection,
    struct record *record, const char *method)
{
	const union MHD_ConnectionInfo *head =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	*x = (struct exchange){
		.loop = loop,
		.connection = connection,
		.record = record,
		.config = loop->config,
		.request = {
		    .id = record->id,
		    .method = span_of(method),
		    .target = { record->target != NULL ? record->target : "", record->target_len },
		    .target_too_long = record->target_too_long,
		    .headers = loop->headers,
		    .head_bytes = head != NULL ? head->header_size : 0,
		    .body = { record->body != NULL ? record->body : "", record->body_len },
		    .is_admin = loop->is_admin,
		    .is_draining = loop->is_draining,
		    .is_stuck = loop->is_admin && !server_makes_progress(loop->server, false),
		    .now = time(NULL),
		},
		.response = &loop->response
	};
	app_find_route(&x->request);
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, x);
	if (x->config->n_proxies > 0 || !record->watched.has_address)
		http_take_forwarded_id(x->config->proxies, x->config->n_proxies, &x->request,
		    record->watched.has_address ? &record->watched.address : NULL, record->id);
}

static enum MHD_Result
answer_problem(struct exchange *x, const struct problem *problem)
{
	reply_open(x);
	app_refuse(x->config, &x->request, problem, x->response);
	return reply_send(x);
}

static bool
has_bodyless_method(const struct exchange *x)
{
	return span_is(x->request.method, "GET") || span_is(x->request.method, "HEAD");
}

static enum MHD_Result
answer(struct exchange *x)
{
	if (x->record->body_len > 0 && has_bodyless_method(x))
		return answer_problem(x, &screen_body_not_allowed);
	if (x->record->body_too_large)
		return answer_problem(x, &screen_body_too_large);
	reply_open(x);
	if (x->request.route == ROUTE_CONNECT_ADMIN &&
	    getrandom(x->request.random, HTTP_RANDOM_SIZE, 0) != HTTP_RANDOM_SIZE)
		return reply_without_memory(x);
	x->request.samples_state =
	    x->request.route == ROUTE_CALLBACK && x->loop->state_sampled_at != x->request.now;
	if (x->request.samples_state)
		x->loop->state_sampled_at = x->request.now;
	app_handle(x->config, &x->request, x->response);
	if (x->request.is_admin && x->response->status == 200)
		server_put_numbers(x->loop->server, x->config, x->request.route, x->response);
	return reply_send(x);
}

/* The first call, before any body: refuse what must be refused, go on with everything else. */
static enum MHD_Result
handle_head(struct exchange *x, const char *method, const char *url, const char *version)
{
	struct span coding = http_find_header(&x->request, "Transfer-Encoding");
	struct span length = http_find_header(&x->request, "Content-Length");
	bool is_chunked = coding.len > 0 && !has_bodyless_method(x);
	bool waits = length.len > 0 && http_find_header(&x->request, "Expect").len > 0;
	unsigned long bytes = 0;
	struct problem problem;

	x->request.version = span_of(version);
	x->request.is_damaged = x->loop->checks_layout &&
				!mhd_0975_is_whole(&x->request, method, url, x->record->target_len);
	x->record->is_screened = true;
	x->record->has_body = is_chunked;
	x->reads_on =
	    !waits &&
	    (is_chunked || (text_to_number(span_trim(length), MOST_UNREAD, &bytes) && bytes > 0));
	if (!screen_head(&x->request, x->loop->query_bytes, x->loop->head_bytes, &problem))
		return answer_problem(x, &problem);
	return (is_chunked || waits) && !app_takes_body(&x->request) ? answer(x) : MHD_YES;
}

void
exchange_end(struct loop *loop, struct MHD_Connection *connection, struct record *record)
{
	const union MHD_ConnectionInfo *status =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
	/* Of libmicrohttpd 1.0.1 the next question overwrites the answer to this one. */
	int code = status != NULL ? (int)status->http_status : 0;
	struct exchange x;

	if (record->is_answered || code == 0)
		return;
	pthread_mutex_lock(&loop->mutex);
	open_exchange(&x, loop, connection, record, "");
	*x.response = (struct response){ .status = code, .problem.reason = "head_malformed" };
	if (code == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE)
		x.response->problem = screen_head_too_large;
	reply_note(&x);
	pthread_mutex_unlock(&loop->mutex);
}

enum MHD_Result
exchange_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
    const char *version, const char *upload_data, size_t *upload_data_size, void **request_context)
{
	struct loop *loop = cls;
	struct record *record = *request_context;
	enum MHD_Result result;
	struct exchange x;

	loop_note_progress(loop);
	if (record == NULL) /* the connection has been ended, see connection.c */
		return MHD_NO;
	if (*upload_data_size > 0) {
		if (!record->is_answered)
			record_add_body(record, (struct span){ upload_data, *upload_data_size });
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (record->is_answered) /* at its head, and read to its end since */
		return MHD_NO;
	pthread_mutex_lock(&loop->mutex);
	open_exchange(&x, loop, connection, record, method);
	if (record->out_of_memory)
		result = reply_without_memory(&x);
	else
		result = record->is_screened ? answer(&x) : handle_head(&x, method, url, version);
	pthread_mutex_unlock(&loop->mutex);
	return result;
}
