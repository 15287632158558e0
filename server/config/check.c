/* The rules between keys, the values that follow from others, and what is likely wrong. */
#include "config/draft.h"

#include <stdio.h>
#include <stdlib.h>

static void
warn(const struct config *config, struct findings *findings, const char *key, const char *wrong,
    const char *advice)
{
	findings_add(findings, false, config_source_of(config, keys_find(key)), key, wrong, advice);
}

/* The default of a list of scopes is what Recall needs: https://docs.recall.ai/docs/calendar-v1 */
static void
check_scopes(struct draft *d, const char *name, const struct text_list *scopes)
{
	const struct config_key *key = keys_find(name);
	struct span rest = span_of(key->fallback), scope;
	char wrong[80];

	draft_set_source(d, "%s", config_source_of(d->config, key));
	while (span_next(&rest, ',', &scope)) {
		if (text_find_word((const char *const *)scopes->items, scopes->n, scope) <
		    scopes->n)
			continue;
		snprintf(wrong, sizeof(wrong), "lacks %.*s", (int)scope.len, scope.data);
		draft_report_value(d, key, wrong);
	}
}

static void
put_origin(struct buf *out, const struct url_origin *origin)
{
	buf_printf(out, "%s://%s", origin->https ? "https" : "http", origin->host);
	if (origin->port != (origin->https ? 443 : 80))
		buf_printf(out, ":%u", origin->port);
}

/* What does not make a configuration wrong; Microsoft's rules for redirect URIs are among it. */
static void
warn_of_gaps(const struct config *c, struct findings *findings)
{
	const char *public_url = c->public_url;
	struct url_origin origin;
	BUF(usual, URL_HOST_SIZE + 32);

	if (c->registered[MICROSOFT].client_id == NULL && c->registered[GOOGLE].client_id == NULL)
		warn(c, findings, "microsoft.client_id", "is not set",
		    "set it to the Application (client) ID; until then /connect and the "
		    "association file answer 501");
	if (public_url == NULL)
		warn(c, findings, "public_url", "is not set",
		    "set it to the origin that users see; until then /connect answers 501");
	if (public_url == NULL || url_parse(span_of(public_url), URL_ORIGIN, &origin) != NULL)
		return;
	if (strcmp(origin.host, "127.0.0.1") == 0)
		warn(c, findings, "public_url",
		    "has the host 127.0.0.1, which Microsoft accepts through the app manifest only",
		    "use localhost for a test on this machine");
	put_origin(&usual, &origin);
	if (strcmp(usual.data, public_url) != 0)
		warn(c, findings, "public_url",
		    "is not written as browsers write it, and Microsoft compares byte for byte",
		    "use lower case, and no port where it is the default one");
}

/* The origins of n URLs, as far as they are set, and of a list of patterns; all judged before. */
static struct url_origin *
make_origins(
    struct draft *d, const char *const *urls, size_t n, const struct text_list *list, size_t *ret_n)
{
	struct url_origin *origins = calloc(n + list->n + 1, sizeof(*origins));

	d->findings->out_of_memory |= origins == NULL;
	for (size_t i = 0; origins != NULL && i < n + list->n; i++) {
		const char *url = i < n ? urls[i] : list->items[i - n];
		enum url_form form = i < n ? URL_ANY : URL_PATTERN;

		if (url != NULL && url_parse(span_of(url), form, &origins[*ret_n]) == NULL)
			++*ret_n;
	}
	return origins;
}

/* Pages name the app and lead back to it: without these keys, as far as success_url says. */
static void
fill_in_app(struct draft *d)
{
	struct config *c = d->config;
	const char *from = c->app_url != NULL ? c->app_url : c->connect_success_url;
	BUF(url, URL_HOST_SIZE + 32);
	struct url_origin origin;

	if (from == NULL || url_parse(span_of(from), URL_ANY, &origin) != NULL)
		return;
	put_origin(&url, &origin);
	draft_set_source(d, "from connect.success_url");
	if (c->app_url == NULL)
		draft_set(d, keys_find("app.url"), url.data);
	draft_set_source(d, "from app.url");
	if (c->app_name == NULL && strlen(origin.host) <= JUDGE_APP_NAME_MAX_LEN)
		draft_set(d, keys_find("app.name"), origin.host);
}

/* What follows from the values. */
static void
fill_in(struct draft *d)
{
	struct config *c = d->config;
	const char *const own[] = { c->public_url, c->connect_success_url, c->connect_error_url };
	char base_url[64];

	c->region_name = keys_find("recall.region")->choices[c->recall_region];
	snprintf(base_url, sizeof(base_url), "https://%s.recall.ai", c->region_name);
	draft_set_source(d, "from recall.region");
	if (c->recall_base_url == NULL)
		draft_set(d, keys_find("recall.base_url"), base_url);
	draft_set_source(d, "from microsoft.client_id");
	if (c->microsoft_association_ids.n == 0 && c->registered[MICROSOFT].client_id != NULL)
		draft_set(
		    d, keys_find("microsoft.association_ids"), c->registered[MICROSOFT].client_id);
	fill_in_app(d);
	if (c->tls_hsts_seconds > 0) /* RFC 6797 6.1.1 */
		snprintf(c->hsts, sizeof(c->hsts), "max-age=%u", c->tls_hsts_seconds);
	c->return_origins =
	    make_origins(d, own, 3, &c->connect_return_origins, &c->n_return_origins);
	c->start_origins = make_origins(d, own, 0, &c->connect_start_origins, &c->n_start_origins);
	c->proxies = calloc(c->trusted_proxies.n + 1, sizeof(*c->proxies));
	d->findings->out_of_memory |= c->proxies == NULL;
	for (size_t i = 0; c->proxies != NULL && i < c->trusted_proxies.n; i++)
		c->n_proxies += network_parse(span_of(c->trusted_proxies.items[i]), &c->proxies[i]);
}

void
draft_check(struct draft *d)
{
	const struct config *c = d->config;

	if (c->tls_certificate != NULL && c->tls_private_key == NULL)
		findings_add(d->findings, true, config_source_of(c, keys_find("tls.certificate")),
		    "tls.certificate", "is set without tls.private_key", "set both, or neither");
	if (c->tls_private_key != NULL && c->tls_certificate == NULL)
		findings_add(d->findings, true, config_source_of(c, keys_find("tls.private_key")),
		    "tls.private_key", "is set without tls.certificate", "set both, or neither");
	check_scopes(d, "microsoft.scopes", &c->registered[MICROSOFT].scopes);
	check_scopes(d, "google.scopes", &c->registered[GOOGLE].scopes);
	if (d->findings->n_errors > 0)
		return;
	warn_of_gaps(c, d->findings);
	fill_in(d);
}

static void
warn_of_example(const struct config *c, struct findings *findings)
{
	const struct {
		const char *key, *value, *example;
	} rows[] = {
		{ "public_url", c->public_url, "example.com" },
		{ "connect.success_url", c->connect_success_url, "example.com" },
		{ "connect.error_url", c->connect_error_url, "example.com" },
		{ "microsoft.client_id", c->registered[MICROSOFT].client_id,
		    "11111111-2222-3333-4444-555555555555" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].value != NULL && strcasestr(rows[i].value, rows[i].example) != NULL)
			warn(c, findings, rows[i].key, "is the example's", "use your own");
}

static bool
is_any(const char *address)
{
	return strcmp(address, "::") == 0 || strcmp(address, "0.0.0.0") == 0;
}

/* The last two labels; which domains have sites below them, only a list of all could tell. */
static const char *
site_of(const struct url_origin *origin)
{
	const char *site = origin->host + strlen(origin->host);

	for (int dots = 0; site > origin->host; site--)
		if (site[-1] == '.' && ++dots == 2)
			break;
	return site;
}

static void
warn_of_other_site(const struct config *c, struct findings *findings)
{
	struct url_origin own, app;

	if (c->connect_cross_site == CROSS_SITE_ALLOW || c->public_url == NULL ||
	    c->connect_success_url == NULL ||
	    url_parse(span_of(c->public_url), URL_ANY, &own) != NULL ||
	    url_parse(span_of(c->connect_success_url), URL_ANY, &app) != NULL)
		return;
	if (strcmp(site_of(&own), site_of(&app)) != 0 &&
	    !url_matches(&app, c->start_origins, c->n_start_origins))
		warn(c, findings, "connect.start_origins",
		    "lacks the origin of connect.success_url, "
		    "which is another site than public_url",
		    "add it, if users start there");
}

void
config_add_advice(const struct config *config, struct findings *findings)
{
	warn_of_example(config, findings);
	if (config->admin_port != 0 && config->admin_port == config->listen_port &&
	    (is_any(config->admin_address) || is_any(config->listen_address) ||
		strcmp(config->admin_address, config->listen_address) == 0))
		warn(config, findings, "admin.port", "is the port of the public listener too",
		    "use another");
	warn_of_other_site(config, findings);
}
