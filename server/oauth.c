/*
 * Builds the URLs and documents of the flow. Every value is encoded when it is appended; a
 * callback's query is the one exception: it is passed on byte for byte.
 */
#include "oauth.h"

void
oauth_put_callback_target(struct buf *out, const struct config *config, struct span query)
{
	buf_puts(out, config->recall_base_url);
	buf_puts(out, "/api/v1/calendar/ms_oauth_callback/");
	buf_put(out, query);
}

void
oauth_put_redirect_uri(struct buf *out, const struct config *config)
{
	buf_puts(out, config->public_url);
	buf_puts(out, OAUTH_CALLBACK_PATH);
}

static struct span
given_or(struct span given, const char *fallback)
{
	return given.len > 0 || fallback == NULL ? given : span_of(fallback);
}

static void
put_member(struct buf *out, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	buf_puts(out, name);
	buf_put_json(out, value);
}

void
oauth_put_state(struct buf *out, const struct config *config, const struct connect_params *params)
{
	char array[OAUTH_REDIRECT_URI_SIZE];
	struct buf redirect_uri;

	buf_init(&redirect_uri, array, sizeof(array));
	oauth_put_redirect_uri(&redirect_uri, config);
	put_member(out, "{\"recall_calendar_auth_token\":", params->token);
	put_member(out, ",\"ms_oauth_redirect_url\":", buf_span(&redirect_uri));
	put_member(
	    out, ",\"success_url\":", given_or(params->success_url, config->connect_success_url));
	put_member(out, ",\"error_url\":", given_or(params->error_url, config->connect_error_url));
	buf_putc(out, '}');
}

static void
put_parameter(struct buf *out, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	buf_puts(out, name);
	url_encode(out, value);
}

static void
put_scope(struct buf *out, const struct config *config)
{
	buf_puts(out, "&scope=");
	for (size_t i = 0; i < config->microsoft_scopes.n; i++) {
		buf_puts(out, i > 0 ? "%20" : "");
		url_encode(out, span_of(config->microsoft_scopes.items[i]));
	}
}

static void
put_encoded_state(struct buf *out, const struct config *config, const struct connect_params *params)
{
	char array[OAUTH_STATE_SIZE];
	struct buf state;

	buf_init(&state, array, sizeof(array));
	oauth_put_state(&state, config, params);
	out->overflow |= state.overflow;
	put_parameter(out, "&state=", buf_span(&state));
	explicit_bzero(array, sizeof(array));
}

void
oauth_put_authorize_url(
    struct buf *out, const struct config *config, const struct connect_params *params)
{
	buf_puts(out, config->microsoft_authority);
	buf_putc(out, '/');
	buf_puts(out, config->microsoft_tenant);
	put_parameter(
	    out, "/oauth2/v2.0/authorize?client_id=", span_of(config->microsoft_client_id));
	buf_puts(out, "&response_type=code&redirect_uri=");
	url_encode(out, span_of(config->public_url));
	url_encode(out, span_of(OAUTH_CALLBACK_PATH));
	buf_puts(out, "&response_mode=query");
	put_scope(out, config);
	put_encoded_state(out, config, params);
	put_parameter(out, "&login_hint=", params->login_hint);
	put_parameter(out, "&domain_hint=", params->domain_hint);
	put_parameter(out, "&prompt=", params->prompt);
}

/* common and consumers name no organization, so nobody could consent for one. */
static const char *
admin_tenant(const struct config *config)
{
	const char *tenant = config->microsoft_tenant;

	if (strcmp(tenant, "common") == 0 || strcmp(tenant, "consumers") == 0)
		return "organizations";
	return tenant;
}

void
oauth_put_admin_consent_url(
    struct buf *out, const struct config *config, struct span tenant, struct span state)
{
	buf_puts(out, config->microsoft_authority);
	buf_putc(out, '/');
	buf_put(out, tenant.len > 0 ? tenant : span_of(admin_tenant(config)));
	put_parameter(out, "/v2.0/adminconsent?client_id=", span_of(config->microsoft_client_id));
	put_scope(out, config);
	buf_puts(out, "&redirect_uri=");
	url_encode(out, span_of(config->public_url));
	url_encode(out, span_of(OAUTH_ADMIN_CALLBACK_PATH));
	put_parameter(out, "&state=", state);
}

void
oauth_put_association(struct buf *out, const struct config *config)
{
	const struct text_list *ids = &config->microsoft_association_ids;

	buf_puts(out, "{\"associatedApplications\":[");
	for (size_t i = 0; i < ids->n; i++) {
		buf_puts(out, i > 0 ? ",{\"applicationId\":" : "{\"applicationId\":");
		buf_put_json(out, span_of(ids->items[i]));
		buf_putc(out, '}');
	}
	buf_puts(out, "]}");
}
