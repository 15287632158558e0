#include "flow/app.h"

#include "flow/csrf.h"
#include "flow/hint.h"
#include "flow/oauth.h"
#include "flow/page.h"
#include "flow/provider.h"
#include "http/screen.h"

#define READ   "GET, HEAD"
#define START  "GET, HEAD, POST"
#define OF(id) &providers[id]

static app_handler handle_callback, handle_admin_callback, handle_association, handle_status;

/* Which listeners have an endpoint, and whether its path may end with a slash too. */
enum { PUBLIC = 1, ADMIN = 2, SLASH = 4, FLOW = PUBLIC | SLASH };

#define AT(path)                                                                                   \
	SPAN(path), "The path is almost " path                                                     \
		    ", but not quite: look at capital letters, slashes, /api, - and _"

static const struct endpoint {
	struct span path;
	const char *near_miss; /* the hint where a path is almost this one */
	unsigned where;
	enum route route;
	const char *allow;
	app_handler *handle;
	const struct provider *provider; /* whose flow it is part of; NULL: nobody's */
} endpoints[] = {
	{ AT(MICROSOFT_CALLBACK_PATH), FLOW, ROUTE_CALLBACK, READ, handle_callback, OF(MICROSOFT) },
	{ AT(GOOGLE_CALLBACK_PATH), FLOW, ROUTE_CALLBACK, READ, handle_callback, OF(GOOGLE) },
	{ AT(MICROSOFT_START_PATH), FLOW, ROUTE_CONNECT, START, connect_start, OF(MICROSOFT) },
	{ AT(GOOGLE_START_PATH), FLOW, ROUTE_CONNECT, START, connect_start, OF(GOOGLE) },
	{ AT(OAUTH_ADMIN_PATH), FLOW, ROUTE_CONNECT_ADMIN, READ, connect_ask_admin, OF(MICROSOFT) },
	{ AT(OAUTH_ADMIN_CALLBACK_PATH), PUBLIC, ROUTE_ADMIN_CALLBACK, READ, handle_admin_callback,
	    OF(MICROSOFT) },
	{ AT(OAUTH_ASSOCIATION_PATH ".json"), PUBLIC, ROUTE_ASSOCIATION, READ, handle_association,
	    NULL },
	{ AT(OAUTH_ASSOCIATION_PATH), PUBLIC, ROUTE_ASSOCIATION, READ, handle_association, NULL },
	{ AT("/healthz"), PUBLIC | ADMIN, ROUTE_HEALTHZ, READ, handle_status, NULL },
	{ AT("/health"), PUBLIC | ADMIN, ROUTE_HEALTHZ, READ, handle_status, NULL },
	{ AT("/readyz"), PUBLIC | ADMIN, ROUTE_READYZ, READ, handle_status, NULL },
	{ AT("/metrics"), ADMIN, ROUTE_METRICS, "GET", handle_status, NULL },
	{ SPAN("/"), NULL, ADMIN, ROUTE_OPERATOR_PAGE, READ, handle_status, NULL },
};

/* What no path has: CONNECT, and `OPTIONS *`, which asks about the server as a whole. */
static const struct endpoint nowhere = { .path = SPAN(""), .allow = START };

static bool
is_here(const struct endpoint *endpoint, const struct request *request)
{
	return (endpoint->where & (request->is_admin ? ADMIN : PUBLIC)) != 0;
}

static const struct endpoint *
find_endpoint(const struct request *request)
{
	struct span path = request->path, cut = path;

	cut.len -= cut.len > 0 && cut.data[cut.len - 1] == '/';
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (is_here(&endpoints[i], request) &&
		    span_equals(endpoints[i].where & SLASH ? cut : path, endpoints[i].path))
			return &endpoints[i];
	if (span_is(request->method, "CONNECT") ||
	    (span_is(request->method, "OPTIONS") && span_is(request->path, "*")))
		return &nowhere;
	return NULL;
}

static const char *
find_near_miss(const struct request *request)
{
	for (size_t i = 0; i < COUNT(endpoints); i++)
		if (is_here(&endpoints[i], request) &&
		    hint_is_near(request->path, endpoints[i].path))
			return endpoints[i].near_miss;
	return NULL;
}

void
app_find_route(struct request *request)
{
	http_split_target(request);
	request->endpoint = find_endpoint(request);
	request->provider = request->endpoint != NULL ? request->endpoint->provider : NULL;
	request->route = request->endpoint != NULL ? request->endpoint->route : ROUTE_OTHER;
}

static bool
allows(const struct endpoint *endpoint, struct span method)
{
	struct span rest = span_of(endpoint->allow), one;

	while (span_next(&rest, ',', &one))
		if (span_equals(span_trim(one), method))
			return true;
	return false;
}

bool
app_takes_body(const struct request *request)
{
	return span_is(request->method, "POST") && request->route == ROUTE_CONNECT;
}

/* False after a refusal: this browser did not start what is answered here. */
static bool
check_binding(const struct config *config, const struct request *request, struct response *response)
{
	static const struct problem unbound = { 403, "unbound_callback", NULL,
		"The state of this answer matches no cookie that /connect set in this "
		"browser within the last 15 minutes",
		"No cookie of this browser matched the state, and callback.browser_binding "
		"is enforce: the sign-in must start at /connect in the same browser, at "
		"most 15 minutes earlier" };
	bool is_enforced = config->callback_browser_binding == BINDING_ENFORCE;

	if (config->callback_browser_binding == BINDING_OFF ||
	    (!is_enforced && strcmp(response->outcome.name, "empty") == 0))
		return true;
	csrf_check(request, response);
	if (is_enforced && strcmp(response->binding, "match") == 0)
		csrf_release(response);
	else if (is_enforced)
		response->problem = unbound;
	return response->problem.reason == NULL;
}

static void
handle_callback(
    const struct config *config, const struct request *request, struct response *response)
{
	oauth_put_callback_target(&response->location, config, request);
	if (!buf_ok(&response->location)) {
		response->problem = screen_head_too_large;
		return;
	}
	outcome_read(request->provider, request->query, &response->outcome);
	if (!check_binding(config, request, response))
		return;
	if (request->samples_state && response->outcome.hint == NULL &&
	    response->bound_cookie.len == 0)
		response->outcome.hint = hint_of_state(config, request);
	if (config->callback_admin_wall == ADMIN_WALL_PAGE && response->outcome.is_admin_wall)
		page_show_wall(config, request, response);
	else
		response->status = 302;
}

static void
handle_admin_callback(
    const struct config *config, const struct request *request, struct response *response)
{
	outcome_read(request->provider, request->query, &response->outcome);
	if (response->outcome.error[0] == '\0')
		response->outcome.hint = NULL;
	csrf_check(request, response);
	page_show_consent(config, request, strcmp(response->binding, "match") == 0, response);
	csrf_release(response);
}

static void
handle_association(const struct config *config, const struct request *, struct response *response)
{
	if (config->microsoft_association_ids.n == 0) {
		http_refuse(&response->problem, 501, "unconfigured",
		    "microsoft.client_id is not configured on this server");
		return;
	}
	oauth_put_association(&response->body, config);
	response->content_type = "application/json";
}

/* Of /metrics and of the operator's page the shell writes the body: it knows the numbers. */
static void
handle_status(const struct config *, const struct request *request, struct response *response)
{
	if (request->route == ROUTE_METRICS) {
		response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	} else if (request->route == ROUTE_OPERATOR_PAGE) {
		response->content_type = "text/html; charset=utf-8";
	} else if (request->route == ROUTE_READYZ && request->is_draining) {
		http_refuse(&response->problem, 503, "draining", "The server is shutting down");
	} else if (request->is_stuck) {
		http_refuse(&response->problem, 503, "stuck", "An event loop makes no progress");
	} else {
		response->content_type = "text/plain; charset=utf-8";
		buf_puts(&response->body, "ok\n");
	}
}

/* What goes with every answer; the association file alone may be kept and linked to. */
static void
finish(const struct config *config, const struct request *request, struct response *response)
{
	if (response->problem.reason != NULL)
		page_show_problem(config, request, response);
	if (config->hsts[0] != '\0')
		http_add_field(response, "Strict-Transport-Security", config->hsts);
	if (request->route != ROUTE_ASSOCIATION || response->status != 200) {
		http_add_field(response, "Cache-Control", "no-store");
		http_add_field(response, "Referrer-Policy", "no-referrer");
	}
	if (response->status != 302 && response->status != 303)
		http_add_field(response, "X-Request-Id", request->id);
	if (response->content_type != NULL) {
		http_add_field(response, "Content-Type", response->content_type);
		http_add_field(response, "X-Content-Type-Options", "nosniff");
	}
}

void
app_refuse(const struct config *config, const struct request *request,
    const struct problem *problem, struct response *response)
{
	response->problem = *problem;
	finish(config, request, response);
}

void
app_handle(const struct config *config, const struct request *request, struct response *response)
{
	const struct endpoint *endpoint = request->endpoint;
	const char *hint = endpoint == NULL ? find_near_miss(request) : hint_of_browser(request);

	response->status = 200; /* unless somebody says otherwise */
	if (endpoint == NULL) {
		http_refuse(
		    &response->problem, 404, "not_found", "There is nothing at this address");
	} else if (!allows(endpoint, request->method)) {
		http_refuse(&response->problem, 405, "method_not_allowed",
		    request->route == ROUTE_CALLBACK && span_is(request->method, "POST")
			? "The app's link asks for response_mode=form_post, but it must ask for "
			  "response_mode=query"
			: "This address does not support this method");
		http_add_field(response, "Allow", endpoint->allow);
	} else {
		endpoint->handle(config, request, response);
	}
	if (response->status != 302 && !buf_ok(&response->body)) {
		response->n_fields = 0;
		http_refuse(
		    &response->problem, 500, "answer_too_large", "The answer was too large");
	}
	finish(config, request, response);
	if (hint != NULL && response->status != 200)
		response->problem.hint = hint;
}
