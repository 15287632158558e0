#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/draft.h"

#define PREFIX "REDIRECTD_"

enum { VARIABLE_SIZE = 64 };

static void
set_defaults(struct draft *d, const struct config_source *source)
{
	char threads[24];

	draft_set_source(d, SOURCE_DEFAULT);
	for (size_t i = 0; i < config_n_keys; i++)
		if (config_keys[i].fallback != NULL)
			draft_set(d, &config_keys[i], config_keys[i].fallback);
	snprintf(threads, sizeof(threads), "%u", source->processors);
	draft_set(d, keys_find("threads"), threads);
}

/* Kubernetes and Docker set NAME_PORT=tcp://... and the like for a service called "redirectd". */
static void
report_unknown_variable(struct draft *d, const char *value)
{
	BUF(advice, 160);

	if (strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0 ||
	    strstr(d->source, "_SERVICE_") != NULL || strstr(d->source, "_PORT_") != NULL)
		buf_puts(&advice, "this looks like a service link of the container platform: set "
				  "enableServiceLinks: false, or rename the service");
	else
		keys_put_hint(&advice, d->source + strlen(PREFIX), keys_put_variable);
	draft_report(d, "", "is not a known variable", advice.data);
}

static void
read_variable(struct draft *d, const char *variable)
{
	const char *value = strchr(variable, '=');

	if (value == NULL || *++value == '\0' || strncmp(variable, PREFIX, strlen(PREFIX)) != 0)
		return;
	draft_set_source(d, "%.*s", (int)(value - 1 - variable), variable);
	for (const struct config_key *key = config_keys; key < config_keys + config_n_keys; key++) {
		BUF(name, VARIABLE_SIZE);

		keys_put_variable(&name, key->name);
		if (strcmp(name.data, d->source) == 0) {
			draft_set(d, key, value);
			return;
		}
	}
	report_unknown_variable(d, value);
}

/* The port that platforms choose, where nothing else sets listen.port. */
static void
read_port(struct draft *d, const char *variable)
{
	const struct config_key *key = keys_find("listen.port");

	if (strncmp(variable, "PORT=", 5) != 0 || variable[5] == '\0' ||
	    strcmp(config_source_of(d->config, key), SOURCE_DEFAULT) != 0)
		return;
	draft_set_source(d, "PORT");
	draft_set(d, key, variable + 5);
}

static void
read_flags(struct draft *d, const struct config_source *source)
{
	bool seen[KEYS_MAX] = { false };

	for (size_t i = 0; i < source->n_flags; i++) {
		const struct config_key *key = keys_find(source->flags[i].key);

		draft_set_source(d, "--%s", key->name);
		if (seen[key - config_keys])
			draft_report(d, key->name, "is set twice", "keep one of the two");
		else
			draft_set(d, key, source->flags[i].value);
		seen[key - config_keys] = true;
	}
}

struct config *
config_parse(const struct config_source *source, struct findings *findings)
{
	struct config *config = calloc(1, sizeof(*config));
	struct draft d = { .config = config, .findings = findings };

	if (config != NULL)
		config->sources = calloc(config_n_keys, sizeof(*config->sources));
	if (config == NULL || config->sources == NULL) {
		free(config);
		findings->out_of_memory = true;
		return NULL;
	}
	config->file_name = source->file_name;
	set_defaults(&d, source);
	if (source->file_name != NULL)
		draft_read_file(&d, source->file_name, source->file_text);
	for (char *const *v = source->environment; v != NULL && *v != NULL; v++)
		read_variable(&d, *v);
	read_flags(&d, source);
	for (char *const *v = source->environment; v != NULL && *v != NULL; v++)
		read_port(&d, *v);
	if (!findings->out_of_memory)
		draft_check(&d);
	if (findings->n_errors == 0 && !findings->out_of_memory)
		return config;
	config_free(config);
	return NULL;
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config_n_keys; i++) {
		union config_value value = config_value(config, &config_keys[i]);

		if (config_keys[i].type == KEY_TEXT)
			free(*value.text);
		else if (config_keys[i].type == KEY_LIST)
			draft_free_list(value.list);
		free(config->sources[i]);
	}
	free(config->sources);
	free(config->return_origins);
	free(config->start_origins);
	free(config->proxies);
	free(config);
}
