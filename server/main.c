/* The process: command line, command, exit code. */
#include <stdio.h>

#include "mhd/server.h"
#include "process/commands.h"
#include "process/load.h"
#include "process/options.h"
#include "process/report.h"
#include "system/machine.h"
#include "system/systemd.h"

static const char usage[] =
    "usage: recall-redirectd [-c FILE] [--KEY=VALUE ...] [COMMAND]\n"
    "\n"
    "commands\n"
    "  serve              run the server (the default)\n"
    "  check              check the configuration, print every finding\n"
    "  config             print the effective configuration and where each value came from\n"
    "  setup              print what to enter at Microsoft and at Recall, step by step\n"
    "  url --token -      read a Recall calendar token from standard input and print the\n"
    "                     authorize URL that /connect would build, or with\n"
    "                     --provider google that of /connect/google\n"
    "  url --admin        print the admin-consent URL, for a customer's IT department\n"
    "  healthcheck        ask the running server whether it is well\n"
    "\n"
    "  -c, --config FILE  configuration file; by default /etc/recall-redirectd/config.json,\n"
    "                     if that exists\n"
    "  --KEY=VALUE        set a configuration key, such as --listen.port=8080\n"
    "  --version, --help\n"
    "\n"
    "The file overrides defaults, the environment (REDIRECTD_LISTEN_PORT=8080)\n"
    "overrides the file, options override both.\n"
    "Exit codes: 0 good, 1 failed, 64 usage, 69 cannot listen, 78 configuration.\n";

static enum exit_code
run(const struct options *options, const struct config *config, struct findings *findings)
{
	const char *command = options->command;

	if (strcmp(command, "serve") == 0)
		return command_serve(config, findings, options);
	if (strcmp(command, "check") == 0)
		return command_check(config, findings);
	if (strcmp(command, "config") == 0)
		return command_config(config);
	if (strcmp(command, "setup") == 0)
		return command_setup(config);
	return command_url(config, options);
}

static enum exit_code
load_and_run(const struct options *options)
{
	bool is_check = strcmp(options->command, "check") == 0;
	struct findings findings = { 0 };
	enum exit_code code = EXIT_CONFIG;
	struct config *config;

	if (strcmp(options->command, "serve") != 0)
		command_hold_signals(false);
	if (strcmp(options->command, "healthcheck") == 0)
		return command_healthcheck(options);
	config = load_config(options, LOAD_FIRST, &findings);
	if (config != NULL)
		code = run(options, config, &findings);
	else
		report_print_findings(&findings, is_check ? stdout : stderr);
	config_free(config);
	findings_free(&findings);
	return code;
}

int
main(int argc, char **argv)
{
	struct options options = { 0 };
	enum exit_code code = EXIT_GOOD;

	command_hold_signals(true);
	machine_open_standard_files();
	if (systemd_has_journal())
		log_show_priorities();
	if (!options_parse(argc, argv, &options)) {
		fprintf(stderr, "%srecall-redirectd: %s; see recall-redirectd --help\n",
		    log_priority(LOG_ERROR), options.fault);
		return EXIT_USAGE;
	}
	if (options.help)
		fputs(usage, stdout);
	else if (options.version)
		printf(
		    "recall-redirectd %s (libmicrohttpd %s)\n", VERSION, server_library_version());
	else
		code = load_and_run(&options);
	/* A write that failed (a full disk, a closed pipe) must not look like success. */
	if (fflush(stdout) != 0 && code == EXIT_GOOD)
		code = EXIT_FAILED;
	return (int)code;
}
