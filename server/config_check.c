/*
 * Checks what only the whole configuration can tell, and fills in what follows from it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "config_keys.h"

static const struct config_key *
key_named(const char *name)
{
	return &config_keys[config_find_key(name)];
}

static void
check_tls_pair(const struct config *config, struct findings *findings)
{
	const struct config_key *set = key_named("tls.certificate");
	const struct config_key *missing = key_named("tls.private_key");

	if ((config->tls_certificate == NULL) == (config->tls_private_key == NULL))
		return;
	if (config->tls_certificate == NULL) {
		missing = set;
		set = key_named("tls.private_key");
	}
	config_find(findings, true, config->origins[set - config_keys], missing->name, "is not set",
	    "set both tls.certificate and tls.private_key, or none of them");
}

static bool
has_item(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* https://docs.recall.ai/docs/calendar-v1-microsoft-outlook: the scopes that Recall needs. */
static void
check_scopes(const struct config *config, struct findings *findings)
{
	static const char *const wanted[] = { "offline_access", "openid", "email",
		"https://graph.microsoft.com/Calendars.Read" };
	const struct config_key *key = key_named("microsoft.scopes");
	char wrong[80];

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (has_item(&config->microsoft_scopes, wanted[i]))
			continue;
		snprintf(wrong, sizeof(wrong), "lacks %s", wanted[i]);
		config_find(findings, true, config->origins[key - config_keys], key->name, wrong,
		    key->right);
	}
}

static void
warn_of_missing(const struct config *config, struct findings *findings)
{
	if (config->public_url == NULL)
		config_find(findings, false, "default", "public_url", "is not set",
		    "/connect answers 503 until it is the origin that users see");
	if (config->microsoft_client_id == NULL)
		config_find(findings, false, "default", "microsoft.client_id", "is not set",
		    "/connect and the association file answer 503 until it is the Application "
		    "(client) ID");
}

static void
put_origin(struct buf *out, const struct url_origin *origin)
{
	buf_printf(out, "%s://%s", origin->https ? "https" : "http", origin->host);
	if (origin->port != (origin->https ? 443 : 80))
		buf_printf(out, ":%u", origin->port);
}

/* Microsoft's rules for redirect URIs that do not make a configuration wrong. */
static void
warn_of_public_url(const struct config *config, struct findings *findings)
{
	const struct config_key *key = key_named("public_url");
	const char *place = config->origins[key - config_keys];
	struct url_origin origin;
	char array[URL_HOST_SIZE + 32];
	struct buf usual;

	if (config->public_url == NULL ||
	    url_parse_origin(span_of(config->public_url), &origin) != URL_GOOD)
		return;
	if (strcmp(origin.host, "127.0.0.1") == 0)
		config_find(findings, false, place, key->name,
		    "has the host 127.0.0.1, which Microsoft takes through the app manifest only",
		    "use localhost for a test on this machine");
	buf_init(&usual, array, sizeof(array));
	put_origin(&usual, &origin);
	if (strcmp(usual.data, config->public_url) != 0)
		config_find(findings, false, place, key->name,
		    "is not written as browsers write it, and Microsoft compares byte for byte",
		    "use lower case, and no port where it is the default one");
}

static void
set_derived(struct config *config, const char *key_name, const char *text, const char *origin,
    struct findings *findings)
{
	config_set_text(config, key_named(key_name), text, origin, findings);
}

static void
fill_in(struct config *config, struct findings *findings)
{
	char base_url[64];

	config->region_name = key_named("recall.region")->choices[config->recall_region];
	snprintf(base_url, sizeof(base_url), "https://%s.recall.ai", config->region_name);
	if (config->recall_base_url == NULL)
		set_derived(config, "recall.base_url", base_url, "from recall.region", findings);
	if (config->microsoft_association_ids.n == 0 && config->microsoft_client_id != NULL)
		set_derived(config, "microsoft.association_ids", config->microsoft_client_id,
		    "from microsoft.client_id", findings);
}

/* RFC 6797 6.1.1 */
static void
make_hsts(struct config *config, struct findings *findings)
{
	if (config->tls_hsts_seconds == 0)
		return;
	if (asprintf(&config->hsts, "max-age=%lu", config->tls_hsts_seconds) >= 0)
		return;
	config->hsts = NULL;
	findings->out_of_memory = true;
}

/* Append the origin of a URL that has been checked before; NULL adds nothing. */
static void
add_origin(struct url_origin *origins, size_t *n, const char *url)
{
	struct span rest;

	if (url != NULL && url_parse(span_of(url), &origins[*n], &rest) == URL_GOOD)
		++*n;
}

static void
add_origins(struct url_origin *origins, size_t *n, const struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_origin(origins, n, list->items[i]);
}

static void
collect_origins(struct config *config, struct findings *findings)
{
	enum { OWN = 3 }; /* public_url and the two defaults */
	const struct text_list *returns = &config->connect_return_origins;
	const struct text_list *starts = &config->connect_start_origins;

	config->return_origins = calloc(returns->n + OWN, sizeof(*config->return_origins));
	config->start_origins = calloc(starts->n + 1, sizeof(*config->start_origins));
	if (config->return_origins == NULL || config->start_origins == NULL) {
		findings->out_of_memory = true;
		return;
	}
	add_origin(config->return_origins, &config->n_return_origins, config->public_url);
	add_origin(config->return_origins, &config->n_return_origins, config->connect_success_url);
	add_origin(config->return_origins, &config->n_return_origins, config->connect_error_url);
	add_origins(config->return_origins, &config->n_return_origins, returns);
	add_origins(config->start_origins, &config->n_start_origins, starts);
}

static void
collect_proxies(struct config *config, struct findings *findings)
{
	const struct text_list *list = &config->trusted_proxies;

	config->proxies = calloc(list->n + 1, sizeof(*config->proxies));
	findings->out_of_memory |= config->proxies == NULL;
	for (size_t i = 0; config->proxies != NULL && i < list->n; i++)
		if (network_parse(span_of(list->items[i]), &config->proxies[config->n_proxies]))
			config->n_proxies++;
}

void
config_check_whole(struct config *config, struct findings *findings)
{
	check_tls_pair(config, findings);
	check_scopes(config, findings);
	if (findings->n_errors > 0)
		return;
	warn_of_missing(config, findings);
	warn_of_public_url(config, findings);
	fill_in(config, findings);
	make_hsts(config, findings);
	collect_origins(config, findings);
	collect_proxies(config, findings);
}
