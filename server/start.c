/*
 * Sends browsers to Microsoft: checks where they come from and what they bring, builds the URL,
 * binds the start to the browser.
 */
#include "start.h"

#include "connect.h"
#include "csrf.h"
#include "oauth.h"
#include "page.h"

/* Which of the keys that both need are not set; NULL where they are. */
static const char *
missing_keys(const struct config *config)
{
	if (config->public_url != NULL && config->microsoft_client_id != NULL)
		return NULL;
	if (config->public_url != NULL)
		return "microsoft.client_id is not configured on this server";
	if (config->microsoft_client_id != NULL)
		return "public_url is not configured on this server";
	return "public_url and microsoft.client_id are not configured on this server";
}

static bool
wants_json(const struct request *request)
{
	return http_accept_weight(request, (struct span)SPAN("application/json")) > 0 &&
	       http_accept_weight(request, (struct span)SPAN("text/html")) == 0;
}

/* The URL in location as JSON, for a backend whose user's browser is elsewhere. */
static void
answer_json(const char *name, const char *redirect_uri, struct response *response)
{
	struct buf *body = &response->body;

	buf_printf(body, "{\"%s\":", name);
	buf_put_json(body, buf_span(&response->location));
	if (redirect_uri != NULL) {
		buf_puts(body, ",\"redirect_uri\":");
		buf_put_json(body, span_of(redirect_uri));
	}
	buf_puts(body, "}\n");
	buf_clear(&response->location);
	response->content_type = "application/json";
	response->status = 200;
}

static void
bind_start(const struct config *config, const struct request *request,
    const struct connect_params *params, struct response *response)
{
	char array[OAUTH_STATE_SIZE];
	struct buf state;

	if (config->callback_browser_binding == BINDING_OFF)
		return;
	buf_init(&state, array, sizeof(array));
	oauth_put_state(&state, config, params);
	csrf_bind(request, buf_span(&state), response);
	explicit_bzero(array, state.len);
}

static void
answer_connect(const struct config *config, const struct request *request,
    const struct connect_params *params, struct response *response)
{
	char array[OAUTH_REDIRECT_URI_SIZE];
	struct buf redirect_uri;

	oauth_put_authorize_url(&response->location, config, params);
	response->authorize_url_len = response->location.len;
	buf_init(&redirect_uri, array, sizeof(array));
	oauth_put_redirect_uri(&redirect_uri, config);
	if (!buf_ok(&response->location)) {
		page_refuse(response, request,
		    &(struct problem){ 400, "parameters_too_long", NULL,
			"The parameters, beside the header fields, make an authorize URL that is "
			"too long",
			NULL });
	} else if (wants_json(request)) {
		answer_json("authorize_url", redirect_uri.data, response);
	} else {
		bind_start(config, request, params, response);
		response->status =
		    span_equals(request->method, (struct span)SPAN("POST")) ? 303 : 302;
	}
}

static void
connect(const struct config *config, const struct request *request, struct response *response)
{
	char storage[CONNECT_STORAGE_SIZE];
	struct connect_params params;
	struct problem problem;

	if (!csrf_may_start(config, request, &problem)) {
		page_refuse(response, request, &problem);
		return;
	}
	if (connect_read(config, request, storage, &params, &problem))
		answer_connect(config, request, &params, response);
	else
		page_refuse(response, request, &problem);
	explicit_bzero(storage, sizeof(storage));
}

void
start_connect(const struct config *config, const struct request *request, struct response *response)
{
	const char *missing = missing_keys(config);

	if (missing != NULL)
		page_refuse(response, request,
		    &(struct problem){ 503, "unconfigured", NULL, missing, NULL });
	else
		connect(config, request, response);
}

/* 32 hex digits of the request's random bytes: nobody else knows them. */
static struct span
admin_state(const struct request *request, char array[2 * HTTP_RANDOM_SIZE + 1])
{
	struct buf state;

	buf_init(&state, array, 2 * HTTP_RANDOM_SIZE + 1);
	for (size_t i = 0; i < HTTP_RANDOM_SIZE; i++)
		buf_printf(&state, "%02x", request->random[i]);
	return buf_span(&state);
}

/* The link is mailed to IT departments, so it may be opened from anywhere. */
static void
ask_admin(const struct config *config, const struct request *request, struct response *response)
{
	char storage[CONNECT_STORAGE_SIZE], array[2 * HTTP_RANDOM_SIZE + 1];
	struct span tenant, state = admin_state(request, array);
	struct problem problem;

	if (!connect_read_tenant(request, storage, &tenant, &problem)) {
		page_refuse(response, request, &problem);
		return;
	}
	oauth_put_admin_consent_url(&response->location, config, tenant, state);
	if (!buf_ok(&response->location)) {
		page_refuse_head(response, request);
	} else if (wants_json(request)) {
		answer_json("admin_consent_url", NULL, response);
	} else {
		csrf_bind(request, state, response);
		response->status = 302;
	}
}

void
start_admin_consent(
    const struct config *config, const struct request *request, struct response *response)
{
	const char *missing = missing_keys(config);

	if (missing != NULL)
		page_refuse(response, request,
		    &(struct problem){ 503, "unconfigured", NULL, missing, NULL });
	else
		ask_admin(config, request, response);
}
