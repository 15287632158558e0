/*
 * Routes requests. The table below is the program's whole surface; paths are compared with the raw
 * target, byte for byte.
 */
#include "app.h"

#include "admin.h"
#include "csrf.h"
#include "oauth.h"
#include "outcome.h"
#include "page.h"
#include "start.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

typedef void handler(const struct config *, const struct request *, struct response *);

static handler handle_callback, handle_admin_callback;
static handler handle_association, handle_health, handle_ready, handle_metrics;

static const struct endpoint {
	struct span path;
	enum route route;
	const char *allow;
	handler *handle;
} endpoints[] = {
	{ SPAN(OAUTH_CALLBACK_PATH), ROUTE_CALLBACK, "GET, HEAD", handle_callback },
	{ SPAN(OAUTH_CALLBACK_PATH "/"), ROUTE_CALLBACK, "GET, HEAD", handle_callback },
	{ SPAN(OAUTH_CONNECT_PATH), ROUTE_CONNECT, "GET, HEAD, POST", start_connect },
	{ SPAN(OAUTH_ADMIN_PATH), ROUTE_CONNECT_ADMIN, "GET, HEAD", start_admin_consent },
	{ SPAN(OAUTH_ADMIN_CALLBACK_PATH), ROUTE_ADMIN_CALLBACK, "GET, HEAD",
	    handle_admin_callback },
	{ SPAN(OAUTH_ASSOCIATION_PATH ".json"), ROUTE_ASSOCIATION, "GET, HEAD",
	    handle_association },
	{ SPAN(OAUTH_ASSOCIATION_PATH), ROUTE_ASSOCIATION, "GET, HEAD", handle_association },
	{ SPAN("/healthz"), ROUTE_HEALTHZ, "GET, HEAD", handle_health },
	{ SPAN("/readyz"), ROUTE_READYZ, "GET, HEAD", handle_ready },
};

static const struct endpoint admin_endpoints[] = {
	{ SPAN("/metrics"), ROUTE_METRICS, "GET", handle_metrics },
	{ SPAN("/healthz"), ROUTE_HEALTHZ, "GET, HEAD", handle_health },
	{ SPAN("/readyz"), ROUTE_READYZ, "GET, HEAD", handle_ready },
};

/* What no path has: CONNECT, and `OPTIONS *`, which asks about the server as a whole. */
static const struct endpoint nowhere = { SPAN(""), ROUTE_OTHER, "GET, HEAD, POST", NULL };

static const struct endpoint *
find_endpoint(const struct request *request)
{
	const struct endpoint *table = request->is_admin ? admin_endpoints : endpoints;
	size_t n = request->is_admin ? N(admin_endpoints) : N(endpoints);
	struct span path = http_path(request->target);

	for (size_t i = 0; i < n; i++)
		if (span_equals(path, table[i].path))
			return &table[i];
	if (span_equals(path, (struct span)SPAN("*")) ||
	    span_equals(request->method, (struct span)SPAN("CONNECT")))
		return &nowhere;
	return NULL;
}

static bool
allows(const struct endpoint *endpoint, struct span method)
{
	struct span rest = span_of(endpoint->allow), one;

	if (endpoint->handle == NULL)
		return false;
	while (span_next(&rest, ',', &one))
		if (span_equals(span_trim(one), method))
			return true;
	return false;
}

static bool
is_post(const struct request *request)
{
	return span_equals(request->method, (struct span)SPAN("POST"));
}

bool
app_takes_body(const struct request *request)
{
	const struct endpoint *endpoint = find_endpoint(request);

	return is_post(request) && endpoint != NULL && allows(endpoint, request->method);
}

bool
app_needs_random(const struct request *request)
{
	const struct endpoint *endpoint = find_endpoint(request);

	return endpoint != NULL && endpoint->route == ROUTE_CONNECT_ADMIN;
}

static void
refuse(const struct request *request, struct response *response, int status, const char *reason,
    const char *detail)
{
	page_refuse(response, request, &(struct problem){ status, reason, NULL, detail, NULL });
}

/* False after a refusal: the answer is not one to a start in this browser. */
static bool
check_binding(const struct config *config, const struct request *request, struct response *response)
{
	static const struct problem unbound = {
		.status = 403,
		.reason = "unbound_callback",
		.detail = "This answer does not belong to a connection that was started in this "
			  "browser within the last 15 minutes, so it was stopped: it could connect "
			  "your calendar to somebody else's account. Open the app and connect your "
			  "calendar from there",
		.hint =
		    "The state did not match a cookie of this browser, and "
		    "callback.browser_binding is enforce: starts must go through /connect in the "
		    "same browser, within 15 minutes",
	};
	bool is_enforced = config->callback_browser_binding == BINDING_ENFORCE;
	struct span query = span_from(http_query(request->target), 1);

	if (config->callback_browser_binding == BINDING_OFF)
		return true;
	if (!is_enforced && strcmp(response->outcome.name, "empty") == 0)
		return true;
	response->binding = csrf_check(request, query);
	if (!is_enforced)
		return true;
	if (strcmp(response->binding, "match") == 0)
		csrf_release(request, query, response);
	else
		page_refuse(response, request, &unbound);
	return response->problem.reason == NULL;
}

static void
handle_callback(
    const struct config *config, const struct request *request, struct response *response)
{
	struct span query = http_query(request->target);

	oauth_put_callback_target(&response->location, config, query);
	if (!buf_ok(&response->location)) {
		page_refuse_head(response, request);
		return;
	}
	outcome_read(span_from(query, 1), &response->outcome);
	if (check_binding(config, request, response))
		response->status = 302;
}

static void
handle_admin_callback(
    const struct config *config, const struct request *request, struct response *response)
{
	struct span query = span_from(http_query(request->target), 1);

	(void)config;
	outcome_read(query, &response->outcome);
	if (response->outcome.error == NULL)
		response->outcome.hint = NULL;
	response->binding = csrf_check(request, query);
	admin_show_result(&response->outcome, strcmp(response->binding, "match") == 0, response);
	csrf_release(request, query, response);
}

static void
handle_association(
    const struct config *config, const struct request *request, struct response *response)
{
	if (config->microsoft_association_ids.n == 0) {
		refuse(request, response, 503, "unconfigured",
		    "microsoft.client_id is not configured on this server");
		return;
	}
	oauth_put_association(&response->body, config);
	response->content_type = "application/json";
	response->status = 200;
}

static void
handle_health(const struct config *config, const struct request *request, struct response *response)
{
	(void)config;
	(void)request;
	buf_puts(&response->body, "ok\n");
	response->content_type = "text/plain; charset=utf-8";
	response->status = 200;
}

static void
handle_ready(const struct config *config, const struct request *request, struct response *response)
{
	if (request->is_draining)
		refuse(request, response, 503, "draining", "The server is shutting down");
	else
		handle_health(config, request, response);
}

/* The shell writes the body, since it knows the numbers. */
static void
handle_metrics(
    const struct config *config, const struct request *request, struct response *response)
{
	(void)config;
	(void)request;
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	response->status = 200;
}

static void
refuse_method(
    const struct endpoint *endpoint, const struct request *request, struct response *response)
{
	const char *detail = "This address does not take this method";

	if (endpoint->route == ROUTE_CALLBACK && is_post(request))
		detail = "The app's link asks for response_mode=form_post; it has to ask for "
			 "response_mode=query";
	refuse(request, response, 405, "method_not_allowed", detail);
	http_add_field(response, "Allow", endpoint->allow);
}

/* What goes with every answer; the association file alone may be kept and linked to. */
static void
add_common_fields(const struct config *config, struct response *response)
{
	if (config->hsts != NULL)
		http_add_field(response, "Strict-Transport-Security", config->hsts);
	if (response->route != ROUTE_ASSOCIATION || response->status != 200) {
		http_add_field(response, "Cache-Control", "no-store");
		http_add_field(response, "Referrer-Policy", "no-referrer");
	}
	if (response->content_type != NULL) {
		http_add_field(response, "Content-Type", response->content_type);
		http_add_field(response, "X-Content-Type-Options", "nosniff");
	}
}

void
app_refuse(const struct config *config, const struct request *request,
    const struct problem *problem, struct response *response)
{
	const struct endpoint *endpoint = find_endpoint(request);

	response->route = endpoint != NULL ? endpoint->route : ROUTE_OTHER;
	page_refuse(response, request, problem);
	add_common_fields(config, response);
}

void
app_handle(const struct config *config, const struct request *request, struct response *response)
{
	const struct endpoint *endpoint = find_endpoint(request);

	response->route = endpoint != NULL ? endpoint->route : ROUTE_OTHER;
	if (endpoint == NULL)
		refuse(request, response, 404, "not_found", "There is nothing at this address");
	else if (endpoint->handle == NULL || !allows(endpoint, request->method))
		refuse_method(endpoint, request, response);
	else
		endpoint->handle(config, request, response);
	if (response->status != 302 && !buf_ok(&response->body)) {
		response->n_fields = 0;
		refuse(request, response, 500, "answer_too_large", "The answer did not fit");
	}
	add_common_fields(config, response);
}
