#include "flow/app.h"

#include "flow/csrf.h"
#include "flow/oauth.h"
#include "flow/params.h"

/* False after a refusal: 501, which no load balancer takes for a dead replica. */
static bool
check_configured(
    const struct config *config, const struct request *request, struct response *response)
{
	const struct provider *provider = request->provider;
	bool has_id = config->registered[provider->id].client_id != NULL;
	const char *detail = has_id ? "public_url is not configured on this server"
				    : provider->unconfigured[config->public_url == NULL];

	return (config->public_url != NULL && has_id) ||
	       http_refuse(&response->problem, 501, "unconfigured", detail);
}

/*
 * Answer with the URL in location: as JSON for a backend, whose user's browser is elsewhere, else
 * as a redirect that is bound to this browser by the state, where answers are to be compared.
 */
static void
answer(const struct config *config, const struct request *request, struct span state,
    struct response *response)
{
	struct buf *body = &response->body;
	bool is_admin = request->route == ROUTE_CONNECT_ADMIN;

	if (!buf_ok(&response->location)) {
		http_refuse(&response->problem, 400, "parameters_too_long",
		    "The parameters are too long: together with the header fields, the "
		    "authorize URL does not fit into the answer");
		return;
	}
	if (http_accept_weight(request, "application/json") == 0 ||
	    http_accept_weight(request, "text/html") > 0) {
		if (is_admin || config->callback_browser_binding != BINDING_OFF)
			csrf_bind(request, state, response);
		response->status = span_is(request->method, "POST") ? 303 : 302;
		return;
	}
	buf_puts(body, is_admin ? "{\"admin_consent_url\":" : "{\"authorize_url\":");
	buf_put_json(body, buf_span(&response->location));
	if (!is_admin) /* Nothing in it needs an escape. */
		buf_printf(body, ",\"redirect_uri\":\"%s%s\"", config->public_url,
		    request->provider->callback_path);
	buf_puts(body, "}\n");
	buf_clear(&response->location);
	response->content_type = "application/json";
}

void
connect_start(const struct config *config, const struct request *request, struct response *response)
{
	char storage[PARAMS_STORAGE_SIZE];
	struct span params[N_PARAMS];
	BUF(state, OAUTH_STATE_SIZE);

	if (!check_configured(config, request, response) ||
	    !csrf_may_start(config, request, &response->problem))
		return;
	if (params_read(config, request, storage, params, &response->problem)) {
		oauth_put_authorize_url(
		    &response->location, config, request->provider, params, &state);
		response->authorize_url_len = response->location.len;
		answer(config, request, buf_span(&state), response);
	}
	explicit_bzero(storage, sizeof(storage));
	buf_wipe(&state);
}

/* The link is mailed to IT departments, so it may be opened from anywhere. */
void
connect_ask_admin(
    const struct config *config, const struct request *request, struct response *response)
{
	char storage[PARAMS_STORAGE_SIZE];
	struct span params[N_PARAMS];
	BUF(state, 2 * HTTP_RANDOM_SIZE + 1); /* hex digits that nobody else knows */

	if (!check_configured(config, request, response) ||
	    !params_read(config, request, storage, params, &response->problem))
		return;
	for (size_t i = 0; i < HTTP_RANDOM_SIZE; i++)
		buf_printf(&state, "%02x", request->random[i]);
	oauth_put_admin_consent_url(
	    &response->location, config, params[PARAM_TENANT], buf_span(&state));
	answer(config, request, buf_span(&state), response);
}
