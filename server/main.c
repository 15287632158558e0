/*
 * The process: command line, command, exit code.
 */
#include <stdio.h>

#include "commands.h"
#include "load.h"
#include "machine.h"
#include "options.h"
#include "server.h"

enum { TOKEN_MAX_LEN = 4096 };

static const char usage[] =
    "usage: recall-redirectd [-c FILE] [--KEY=VALUE ...] [COMMAND]\n"
    "\n"
    "commands\n"
    "  serve              run the server (the default)\n"
    "  check              check the configuration, print every finding\n"
    "  config             print the effective configuration and where each value came from\n"
    "  setup              print what to enter at Microsoft and at Recall, step by step\n"
    "  url --token -      read a Recall calendar token from standard input and print the\n"
    "                     authorize URL that /connect would build\n"
    "  url --admin        print the admin-consent URL, for a customer's IT department\n"
    "  healthcheck        ask the running server for /healthz\n"
    "\n"
    "  -c FILE            configuration file; without it /etc/recall-redirectd/config.json,\n"
    "                     if it is there\n"
    "  --KEY=VALUE        set a configuration key, such as --listen.port=8080\n"
    "  --version, --help\n"
    "\n"
    "Values come from, in rising order: defaults, the file, the environment\n"
    "(REDIRECTD_LISTEN_PORT=8080), options.\n"
    "Exit codes: 0 good, 1 failed, 64 usage, 69 cannot listen, 78 configuration.\n";

/* Findings of `check` are its output; anything else's are complaints. */
static void
print_findings(const struct findings *findings, FILE *to)
{
	for (size_t i = 0; i < findings->n; i++)
		fprintf(to, "%s: %s\n", findings->items[i].is_error ? "error" : "warning",
		    findings->items[i].text);
	if (findings->out_of_memory)
		fprintf(to, "error: there is not enough memory\n");
}

/* The first line of standard input, as far as there is room; it may hold any byte. */
static struct span
read_line(char *array, size_t size)
{
	size_t len = 0;
	int c;

	while (len < size && (c = getchar()) != EOF && c != '\n')
		array[len++] = (char)c;
	len -= len > 0 && array[len - 1] == '\r';
	return (struct span){ array, len };
}

/* The token to build a URL for: the option's, or the first line of standard input. */
static enum exit_code
print_url(const struct config *config, const struct options *options)
{
	char line[TOKEN_MAX_LEN];
	struct span token;
	enum exit_code code;

	if (options->token == NULL)
		return command_admin_url(config);
	token = strcmp(options->token, "-") == 0 ? read_line(line, sizeof(line))
						 : span_of(options->token);
	code = command_url(config, token);
	explicit_bzero(line, sizeof(line));
	return code;
}

static enum exit_code
run(const struct options *options, const struct config *config, const struct findings *findings)
{
	const char *command = options->command;

	if (strcmp(command, "serve") == 0)
		return command_serve(config, findings, options);
	if (strcmp(command, "check") == 0)
		return command_check(config);
	if (strcmp(command, "config") == 0)
		return command_config(config);
	if (strcmp(command, "setup") == 0)
		return command_setup(config);
	if (strcmp(command, "url") == 0)
		return print_url(config, options);
	return command_healthcheck(config);
}

static enum exit_code
load_and_run(const struct options *options)
{
	bool is_check = strcmp(options->command, "check") == 0;
	struct findings findings = { 0 };
	struct config *config = load_config(options, &findings);
	enum exit_code code = EXIT_CONFIG;

	if (config == NULL || is_check)
		print_findings(&findings, is_check ? stdout : stderr);
	if (config != NULL)
		code = run(options, config, &findings);
	config_free(config);
	config_findings_free(&findings);
	return code;
}

/* A write that failed (a full disk, a closed pipe) must not look like success. */
static enum exit_code
flushed(enum exit_code code)
{
	if (fflush(stdout) != 0 && code == EXIT_GOOD)
		return EXIT_FAILED;
	return code;
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	char fault[256];

	machine_open_standard_files();
	if (!options_parse(argc, argv, &options, fault, sizeof(fault))) {
		fprintf(stderr, "recall-redirectd: %s; see recall-redirectd --help\n", fault);
		return EXIT_USAGE;
	}
	if (options.help)
		fputs(usage, stdout);
	else if (options.version)
		printf(
		    "recall-redirectd %s (libmicrohttpd %s)\n", VERSION, server_library_version());
	else
		return (int)flushed(load_and_run(&options));
	return (int)flushed(EXIT_GOOD);
}
