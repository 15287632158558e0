/*
 * Reads the command line. Every configuration key is an option: --listen.port=8080.
 */
#include "options.h"

#include <stdio.h>

struct line {
	int argc;
	char **argv;
	int at;
	struct options *options;
	char *fault;
	size_t fault_size;
};

static const char *const commands[] = { "serve", "check", "config", "setup", "url", "healthcheck" };

/* The value of an option: behind its `=`, or the next word. */
static bool
take_value(struct line *line, const char *name, const char *equals, const char **ret_value)
{
	if (equals != NULL) {
		*ret_value = equals + 1;
		return true;
	}
	if (line->at + 1 >= line->argc) {
		snprintf(line->fault, line->fault_size, "%s needs a value", name);
		return false;
	}
	*ret_value = line->argv[++line->at];
	return true;
}

static bool
take_key(struct line *line, const char *name, const char *equals)
{
	struct options *options = line->options;
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	size_t n = options->n_flags;

	if (n == OPTIONS_MAX_FLAGS) {
		snprintf(line->fault, line->fault_size, "there are too many options");
		return false;
	}
	snprintf(
	    options->keys[n], sizeof(options->keys[n]), "%.*s", (int)(len < 63 ? len : 63), name);
	if (!config_has_key(options->keys[n])) {
		const char *nearest = config_nearest_key(options->keys[n]);

		snprintf(line->fault, line->fault_size, "there is no option --%s%s%s%s",
		    options->keys[n], nearest != NULL ? "; did you mean --" : "",
		    nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
		return false;
	}
	options->flags[n].key = options->keys[n];
	options->n_flags++;
	return take_value(line, line->argv[line->at], equals, &options->flags[n].value);
}

/* An option without a value; NULL where the name is none of these. */
static bool *
find_switch(struct options *options, const char *name, size_t len)
{
	if (strlen("help") == len && strncmp(name, "help", len) == 0)
		return &options->help;
	if (strlen("version") == len && strncmp(name, "version", len) == 0)
		return &options->version;
	if (strlen("admin") == len && strncmp(name, "admin", len) == 0)
		return &options->admin;
	return NULL;
}

static bool
take_long(struct line *line, const char *name)
{
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	bool *on = find_switch(line->options, name, len);

	if (on != NULL && equals == NULL)
		return *on = true;
	if (on != NULL) {
		snprintf(line->fault, line->fault_size, "--%.*s takes no value", (int)len, name);
		return false;
	}
	if (len == strlen("token") && strncmp(name, "token", len) == 0)
		return take_value(line, "--token", equals, &line->options->token);
	return take_key(line, name, equals);
}

static bool
take_command(struct line *line, const char *word)
{
	if (line->options->command != NULL) {
		snprintf(line->fault, line->fault_size, "there are two commands");
		return false;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(word, commands[i]) == 0)
			line->options->command = commands[i];
	if (line->options->command == NULL)
		snprintf(line->fault, line->fault_size, "there is no such command");
	return line->options->command != NULL;
}

static bool
take_word(struct line *line)
{
	const char *word = line->argv[line->at];

	if (strncmp(word, "--", 2) == 0 && word[2] != '\0')
		return take_long(line, word + 2);
	if (strncmp(word, "-c", 2) == 0)
		return take_value(
		    line, "-c", word[2] != '\0' ? word + 1 : NULL, &line->options->config_file);
	if (strcmp(word, "-h") == 0)
		return line->options->help = true;
	if (word[0] != '-')
		return take_command(line, word);
	snprintf(line->fault, line->fault_size, "there is no option %.2s", word);
	return false;
}

static bool
fits_command(struct line *line)
{
	struct options *options = line->options;
	bool is_url;

	if (options->command == NULL)
		options->command = "serve";
	is_url = strcmp(options->command, "url") == 0;
	if ((options->token != NULL || options->admin) && !is_url)
		snprintf(line->fault, line->fault_size, "--token and --admin go with url only");
	else if (is_url && (options->token == NULL) != options->admin)
		snprintf(line->fault, line->fault_size,
		    "url needs either --token -, with the token on standard input, or --admin");
	else
		return true;
	return false;
}

bool
options_parse(
    int argc, char **argv, struct options *ret_options, char *ret_fault, size_t fault_size)
{
	struct line line = { argc, argv, 1, ret_options, ret_fault, fault_size };

	*ret_options = (struct options){ 0 };
	for (; line.at < argc; line.at++)
		if (!take_word(&line))
			return false;
	return ret_options->help || ret_options->version || fits_command(&line);
}
