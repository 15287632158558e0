/*
 * Merges defaults, file, environment and flags. Owns the configuration until it is handed out.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "config_keys.h"

enum { VARIABLE_SIZE = 64 };

static void
set_defaults(struct config *config, const struct config_source *source, struct findings *findings)
{
	char threads[24];

	for (size_t i = 0; i < config_n_keys; i++)
		if (config_keys[i].fallback != NULL)
			config_set_text(
			    config, &config_keys[i], config_keys[i].fallback, "default", findings);
	snprintf(threads, sizeof(threads), "%lu", source->processors);
	config_set_text(
	    config, &config_keys[config_find_key("threads")], threads, "default", findings);
}

static size_t
find_variable(struct span name)
{
	char array[VARIABLE_SIZE];
	struct buf variable;
	size_t i = 0;

	for (; i < config_n_keys; i++) {
		buf_init(&variable, array, sizeof(array));
		config_variable_name(config_keys[i].name, &variable);
		if (span_equals(buf_span(&variable), name))
			break;
	}
	return i;
}

/* Kubernetes and Docker set NAME_PORT=tcp://... and the like for a service called "redirectd". */
static bool
is_service_link(const char *name, const char *value)
{
	return strncmp(value, "tcp://", 6) == 0 || strncmp(value, "udp://", 6) == 0 ||
	       strstr(name, "_SERVICE_HOST") != NULL || strstr(name, "_SERVICE_PORT") != NULL ||
	       strstr(name, "_TCP_") != NULL || strstr(name, "_UDP_") != NULL ||
	       strncmp(name, "REDIRECTD_PORT_", 15) == 0;
}

static void
find_unknown_variable(const char *name, const char *value, struct findings *findings)
{
	const char *nearest = config_nearest_key(name + strlen("REDIRECTD_"));
	char array[160];
	struct buf right;

	buf_init(&right, array, sizeof(array));
	if (is_service_link(name, value)) {
		buf_puts(&right, "this looks like a service link of the container platform: set "
				 "enableServiceLinks: false, or rename the service");
	} else if (nearest != NULL) {
		buf_puts(&right, "did you mean ");
		config_variable_name(nearest, &right);
		buf_putc(&right, '?');
	} else {
		buf_puts(&right, "see the table of keys in the README");
	}
	config_find(findings, true, name, "", "is not a known variable", right.data);
}

static void
read_variable(struct config *config, const char *variable, struct findings *findings)
{
	const char *equals = strchr(variable, '=');
	char name[256];
	size_t key;

	if (equals == NULL || equals[1] == '\0')
		return;
	snprintf(name, sizeof(name), "%.*s",
	    (int)(equals - variable < 255 ? equals - variable : 255), variable);
	key = find_variable((struct span){ variable, (size_t)(equals - variable) });
	if (key < config_n_keys)
		config_set_text(config, &config_keys[key], equals + 1, name, findings);
	else
		find_unknown_variable(name, equals + 1, findings);
}

static void
read_environment(struct config *config, char *const *environment, struct findings *findings)
{
	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, "REDIRECTD_", strlen("REDIRECTD_")) == 0)
			read_variable(config, *environment, findings);
}

static bool
is_repeated(const struct config_flag *flags, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(flags[i].key, flags[index].key) == 0)
			return true;
	return false;
}

static void
read_flags(struct config *config, const struct config_source *source, struct findings *findings)
{
	char origin[128];

	for (size_t i = 0; i < source->n_flags; i++) {
		const struct config_flag *flag = &source->flags[i];
		size_t key = config_find_key(flag->key);

		snprintf(origin, sizeof(origin), "--%s", flag->key);
		if (is_repeated(source->flags, i))
			config_find(findings, true, origin, flag->key, "is set twice",
			    "keep one of the two");
		else if (key < config_n_keys)
			config_set_text(config, &config_keys[key], flag->value, origin, findings);
	}
}

struct config *
config_parse(const struct config_source *source, struct findings *findings)
{
	struct config *config = calloc(1, sizeof(*config));
	char **origins = calloc(config_n_keys, sizeof(*origins));

	if (config == NULL || origins == NULL) {
		free(config);
		free(origins);
		findings->out_of_memory = true;
		return NULL;
	}
	config->origins = origins;
	set_defaults(config, source, findings);
	if (source->file_name != NULL)
		config_read_file(config, source, findings);
	read_environment(config, source->environment, findings);
	read_flags(config, source, findings);
	if (!findings->out_of_memory)
		config_check_whole(config, findings);
	if (findings->n_errors == 0 && !findings->out_of_memory)
		return config;
	config_free(config);
	return NULL;
}

void
config_add_error(
    struct findings *findings, const char *origin, const char *wrong, const char *right)
{
	config_find(findings, true, origin, "", wrong, right);
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config_n_keys; i++) {
		if (config_keys[i].type == KEY_TEXT)
			free(*config_text_at(config, &config_keys[i]));
		else if (config_keys[i].type == KEY_LIST)
			config_list_free(config_list_at(config, &config_keys[i]));
		free(config->origins[i]);
	}
	free(config->origins);
	free(config->return_origins);
	free(config->start_origins);
	free(config->proxies);
	free(config->hsts);
	free(config);
}

void
config_findings_free(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){ 0 };
}

static void
describe_list(const struct text_list *list, struct buf *out)
{
	buf_puts(out, list->n == 0 ? "(none)" : "");
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "%s%s", i > 0 ? "," : "", list->items[i]);
}

static void
describe_value(struct config *config, const struct config_key *key, struct buf *out)
{
	unsigned long number = 0;

	if (key->type != KEY_TEXT && key->type != KEY_LIST)
		number = *config_number_at(config, key);
	if (key->type == KEY_TEXT)
		buf_puts(out, *config_text_at(config, key) != NULL ? *config_text_at(config, key)
								   : "(not set)");
	else if (key->type == KEY_LIST)
		describe_list(config_list_at(config, key), out);
	else if (key->type == KEY_CHOICE)
		buf_puts(out, key->choices[number]);
	else if (key->type == KEY_SWITCH)
		buf_puts(out, number != 0 ? "true" : "false");
	else
		buf_put_number(out, number);
}

static bool
needs_restart(const char *key)
{
	static const char *const starts[] = { "listen.", "admin.", "limits.", "threads" };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(key, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static bool
is_same_value(const struct config *a, const struct config *b, const struct config_key *key)
{
	struct config *x = (struct config *)(uintptr_t)a, *y = (struct config *)(uintptr_t)b;

	if (key->type == KEY_TEXT)
		return strcmp(*config_text_at(x, key), *config_text_at(y, key)) == 0;
	return *config_number_at(x, key) == *config_number_at(y, key);
}

void
config_put_restart_keys(const struct config *before, const struct config *after, struct buf *out)
{
	size_t start = out->len;

	for (size_t i = 0; i < config_n_keys; i++)
		if (needs_restart(config_keys[i].name) &&
		    !is_same_value(before, after, &config_keys[i]))
			buf_printf(out, "%s%s", out->len > start ? "," : "", config_keys[i].name);
	if ((before->tls_certificate == NULL) != (after->tls_certificate == NULL))
		buf_printf(out, "%stls.certificate", out->len > start ? "," : "");
}

bool
config_describe(const struct config *config, size_t index, struct buf *out)
{
	const char *origin;

	if (index >= config_n_keys)
		return false;
	origin = config->origins[index];
	buf_printf(out, "%s = ", config_keys[index].name);
	describe_value((struct config *)(uintptr_t)config, &config_keys[index], out);
	buf_printf(out, " (%s)", origin != NULL ? origin : "default");
	return true;
}
