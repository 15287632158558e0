/*
 * config: from file text, environment and flags to one immutable struct config, or to findings.
 *
 * Defaults < file < environment < flags. Everything is checked in one run; nothing is read or
 * written here.
 */
#pragma once

#include "base/address.h"
#include "base/log.h"
#include "base/url.h"

enum { CONFIG_MAX_THREADS = 64 };

struct text_list {
	char **items;
	size_t n;
};

enum cross_site { CROSS_SITE_REFUSE, CROSS_SITE_ALLOW };
enum admin_wall { ADMIN_WALL_FORWARD, ADMIN_WALL_PAGE };
enum browser_binding { BINDING_OFF, BINDING_REPORT, BINDING_ENFORCE };

enum provider_id { MICROSOFT, GOOGLE, N_PROVIDERS };

/* The app as it is registered at a provider. */
struct registration {
	char *client_id;
	struct text_list scopes;
};

/* One member per key; texts that are not set are NULL. Choices hold a value of the enum above. */
struct config {
	char *public_url;
	char *listen_address;
	unsigned listen_port; /* 0: any free one */
	char *admin_address;
	unsigned admin_port; /* 0: off */
	unsigned recall_region;
	char *recall_base_url;
	struct registration registered[N_PROVIDERS];
	struct text_list microsoft_association_ids;
	char *microsoft_tenant;
	char *microsoft_authority;
	char *connect_success_url;
	char *connect_error_url;
	struct text_list connect_return_origins;
	struct text_list connect_start_origins;
	unsigned connect_cross_site;
	unsigned callback_browser_binding;
	unsigned callback_admin_wall;
	char *app_name;
	char *app_url;
	char *tls_certificate;
	char *tls_private_key;
	unsigned tls_hsts_seconds;
	unsigned reload_poll_seconds; /* 0: only a signal makes it reload */
	struct text_list trusted_proxies;
	unsigned limits_query_bytes;
	unsigned limits_connections;
	unsigned limits_connections_per_ip; /* 0: no limit */
	unsigned limits_request_seconds;
	unsigned limits_idle_seconds;
	unsigned shutdown_delay_seconds;
	unsigned shutdown_timeout_seconds;
	unsigned log_level;
	unsigned log_format;
	unsigned log_access; /* 0 or 1 */
	unsigned threads;

	/* Made from the above, once. */
	const char *region_name;
	char hsts[32];                     /* the value of Strict-Transport-Security; empty: off */
	struct url_origin *return_origins; /* where success_url and error_url may lead */
	size_t n_return_origins;
	struct url_origin *start_origins; /* connect.start_origins */
	size_t n_start_origins;
	struct network *proxies; /* trusted_proxies */
	size_t n_proxies;
	char **sources;        /* where each key's value came from, in the order of the table */
	const char *file_name; /* as in struct config_source */
};

struct config_flag {
	const char *key;
	const char *value;
};

struct config_source {
	const char *file_name; /* NULL: no file; outlives the configuration */
	struct span file_text;
	char *const
	    *environment; /* NAME=value ..., NULL at the end; others' variables are skipped */
	const struct config_flag *flags;
	size_t n_flags;
	unsigned processors; /* the default of threads */
};

enum { FINDING_SIZE = 1024 };

struct finding {
	bool is_error;           /* else a warning, which stops nothing */
	char text[FINDING_SIZE]; /* source: key: what is wrong; what to do about it */
};

/* Start from { 0 }; end with findings_free(). */
struct findings {
	struct finding *items;
	size_t n;
	size_t n_errors;
	bool out_of_memory; /* counts as an error; findings may then be missing */
};

/*
 * Add "source: key: wrong; advice", without any value. SOURCE_DEFAULT is left out; the key
 * may be "", the advice NULL. Bytes that are not printable ASCII become `?`.
 */
void findings_add(struct findings *findings, bool is_error, const char *source, const char *key,
    const char *wrong, const char *advice);

void findings_free(struct findings *findings);

/*
 * Returns a configuration that the caller frees with config_free(), or NULL where there is an error
 * among the findings, which may have been added to before. Warnings are added either way.
 */
struct config *config_parse(const struct config_source *source, struct findings *findings);

/* Accepts NULL. */
void config_free(struct config *config);

/* Append `key = value (source)` of the key at index; false where there is no such key. */
bool config_describe(const struct config *config, size_t index, struct buf *out);

/* Append the names of the keys that begin with prefix and are set to a list with commas. */
void config_put_set_keys(const struct config *config, const char *prefix, struct buf *out);

/*
 * Append the names of the keys that differ, with commas between; for a restart, only those that
 * need one: listeners, threads, limits, TLS on or off. Those that follow from another key are left
 * out.
 */
void config_put_changed_keys(
    const struct config *before, const struct config *after, bool for_restart, struct buf *out);

/*
 * Add warnings of what is likely wrong with a good configuration: the example's own values, two
 * listeners on one port, a success_url whose site may not start the flow.
 */
void config_add_advice(const struct config *config, struct findings *findings);
