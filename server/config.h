/*
 * config: from file text, environment and flags to one immutable struct config, or to findings.
 *
 * Defaults < file < environment < flags. Everything is checked in one run; nothing is read or
 * written here: main does that.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "network.h"
#include "url.h"

struct text_list {
	char **items;
	size_t n;
};

enum cross_site { CROSS_SITE_REFUSE, CROSS_SITE_ALLOW };
enum browser_binding { BINDING_OFF, BINDING_REPORT, BINDING_ENFORCE };
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
enum log_format { LOG_JSON, LOG_TEXT };

/* One member a key; texts that are not set are NULL. Choices hold a value of the enum above. */
struct config {
	char *public_url;
	char *listen_address;
	unsigned long listen_port; /* 0: any free one */
	char *admin_address;
	unsigned long admin_port; /* 0: off */
	unsigned long recall_region;
	char *recall_base_url;
	char *microsoft_client_id;
	struct text_list microsoft_association_ids;
	char *microsoft_tenant;
	char *microsoft_authority;
	struct text_list microsoft_scopes;
	char *connect_success_url;
	char *connect_error_url;
	struct text_list connect_return_origins;
	struct text_list connect_start_origins;
	unsigned long connect_cross_site;
	unsigned long callback_browser_binding;
	char *tls_certificate;
	char *tls_private_key;
	unsigned long tls_hsts_seconds;
	struct text_list trusted_proxies;
	unsigned long limits_query_bytes;
	unsigned long limits_connections;
	unsigned long limits_connections_per_ip; /* 0: no limit */
	unsigned long limits_request_seconds;
	unsigned long limits_idle_seconds;
	unsigned long shutdown_delay_seconds;
	unsigned long shutdown_timeout_seconds;
	unsigned long log_level;
	unsigned long log_format;
	unsigned long log_access; /* 0 or 1 */
	unsigned long threads;

	/* Made from the above, once. */
	const char *region_name;
	char *hsts;                        /* the value of Strict-Transport-Security; NULL: off */
	struct url_origin *return_origins; /* where success_url and error_url may lead */
	size_t n_return_origins;
	struct url_origin *start_origins; /* connect.start_origins */
	size_t n_start_origins;
	struct network *proxies; /* trusted_proxies */
	size_t n_proxies;
	char **origins; /* of each key's value, in the order of the table: for config_describe() */
};

struct config_flag {
	const char *key;
	const char *value;
};

struct config_source {
	const char *file_name; /* NULL: no file */
	struct span file_text;
	char *const
	    *environment; /* NAME=value ..., NULL at the end; others' variables are skipped */
	const struct config_flag *flags;
	size_t n_flags;
	unsigned long processors; /* the default of threads */
};

enum { FINDING_SIZE = 1024 };

struct finding {
	bool is_error;           /* else a warning, which stops nothing */
	char text[FINDING_SIZE]; /* origin: key: what is wrong; what would be right */
};

/* Start from { 0 }; end with config_findings_free(). */
struct findings {
	struct finding *items;
	size_t n;
	size_t n_errors;
	bool out_of_memory; /* counts as an error; findings may then be missing */
};

/*
 * Returns a configuration that the caller frees with config_free(), or NULL where there is an
 * error among the findings. Warnings may be found either way. Values are never in a finding.
 */
struct config *config_parse(const struct config_source *source, struct findings *findings);

/* Add what somebody else found, such as a file that cannot be read, before config_parse(). */
void config_add_error(
    struct findings *findings, const char *origin, const char *wrong, const char *right);

/* Takes NULL. */
void config_free(struct config *config);
void config_findings_free(struct findings *findings);

/* Append `key = value (origin)` of the key at index; false where there is no such key. */
bool config_describe(const struct config *config, size_t index, struct buf *out);

/*
 * Append the names of the keys that differ and that only a restart can change, with commas between:
 * listeners, threads, limits, and TLS on or off.
 */
void config_put_restart_keys(
    const struct config *before, const struct config *after, struct buf *out);

/* Whether there is a configuration key of this name. */
bool config_has_key(const char *name);

/* The known key that was most likely meant; NULL where none is near. */
const char *config_nearest_key(const char *name);

#endif
