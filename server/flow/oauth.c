/* Every value is encoded when it is appended, but for a callback's query. */
#include "flow/oauth.h"

void
oauth_put_callback_target(
    struct buf *out, const struct config *config, const struct request *request)
{
	buf_puts(out, config->recall_base_url);
	buf_puts(out, request->provider->recall_path);
	buf_puts(out, request->has_query ? "?" : "");
	buf_put(out, request->query);
}

static struct span
given_or(struct span given, const char *fallback)
{
	return given.len > 0 || fallback == NULL ? given : span_of(fallback);
}

/* Nothing where there is no value. */
static void
put(struct buf *out, const char *name, struct span value, void (*encode)(struct buf *, struct span))
{
	if (value.len == 0)
		return;
	buf_puts(out, name);
	encode(out, value);
}

/* Compact JSON, which Recall parses; URLs as given, else as configured. */
static void
put_state(struct buf *out, const struct config *config, const struct provider *provider,
    const struct span params[N_PARAMS])
{
	buf_puts(out, "{\"recall_calendar_auth_token\":");
	buf_put_json(out, params[PARAM_TOKEN]);
	/* Nothing in it needs an escape. */
	buf_printf(out, ",\"%s\":\"%s%s\"", provider->redirect_member, config->public_url,
	    provider->callback_path);
	put(out,
	    ",\"success_url\":", given_or(params[PARAM_SUCCESS_URL], config->connect_success_url),
	    buf_put_json);
	put(out, ",\"error_url\":", given_or(params[PARAM_ERROR_URL], config->connect_error_url),
	    buf_put_json);
	buf_putc(out, '}');
}

static void
put_scope(struct buf *out, const struct text_list *scopes)
{
	buf_puts(out, "&scope=");
	for (size_t i = 0; i < scopes->n; i++) {
		buf_puts(out, i > 0 ? "%20" : "");
		url_encode(out, span_of(scopes->items[i]));
	}
}

void
oauth_put_authorize_url(struct buf *out, const struct config *config,
    const struct provider *provider, const struct span params[N_PARAMS], struct buf *ret_state)
{
	const struct registration *registered = &config->registered[provider->id];

	put_state(ret_state, config, provider, params);
	out->overflow |= ret_state->overflow;
	if (provider->endpoint != NULL)
		buf_puts(out, provider->endpoint);
	else
		buf_printf(out, "%s/%s/oauth2/v2.0/authorize", config->microsoft_authority,
		    config->microsoft_tenant);
	put(out, "?client_id=", span_of(registered->client_id), url_encode);
	buf_puts(out, "&response_type=code&redirect_uri=");
	url_encode(out, span_of(config->public_url));
	url_encode(out, span_of(provider->callback_path));
	buf_puts(out, provider->before_scope);
	put_scope(out, &registered->scopes);
	buf_puts(out, provider->after_scope);
	put(out, "&prompt=", given_or(params[PARAM_PROMPT], provider->default_prompt), url_encode);
	put(out, "&state=", buf_span(ret_state), url_encode);
	put(out, "&login_hint=", params[PARAM_LOGIN_HINT], url_encode);
	put(out, provider->domain_hint, params[PARAM_DOMAIN_HINT], url_encode);
}

void
oauth_put_admin_consent_url(
    struct buf *out, const struct config *config, struct span tenant, struct span state)
{
	const char *own = config->microsoft_tenant;

	/* These name no organization, so nobody could consent for one. */
	if (strcmp(own, "common") == 0 || strcmp(own, "consumers") == 0)
		own = "organizations";
	buf_puts(out, config->microsoft_authority);
	buf_putc(out, '/');
	buf_put(out, given_or(tenant, own));
	put(out, "/v2.0/adminconsent?client_id=", span_of(config->registered[MICROSOFT].client_id),
	    url_encode);
	put_scope(out, &config->registered[MICROSOFT].scopes);
	buf_puts(out, "&redirect_uri=");
	url_encode(out, span_of(config->public_url));
	url_encode(out, span_of(OAUTH_ADMIN_CALLBACK_PATH));
	put(out, "&state=", state, url_encode);
}

void
oauth_put_admin_link(struct buf *out, const struct config *config)
{
	buf_puts(out, config->public_url != NULL ? config->public_url : "");
	buf_puts(out, OAUTH_ADMIN_PATH);
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
