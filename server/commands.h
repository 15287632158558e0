/*
 * commands: one function each; they return the exit code. All but serving write to standard output.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "config.h"
#include "options.h"

/* sysexits.h where it has a name for the case. */
enum exit_code {
	EXIT_GOOD = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69, /* cannot listen */
	EXIT_CONFIG = 78,
};

/*
 * Serve until SIGTERM or SIGINT; logs the warnings among the findings first. SIGHUP reads the
 * configuration anew, from where the options say.
 */
enum exit_code command_serve(
    const struct config *config, const struct findings *findings, const struct options *options);

/* Print what only the portals can tell. The findings themselves have been printed before. */
enum exit_code command_check(const struct config *config);

/* Print every key with its value and where that came from. */
enum exit_code command_config(const struct config *config);

/* Print what to enter at Microsoft and at Recall, step by step. */
enum exit_code command_setup(const struct config *config);

/* Print the authorize URL that /connect would build for this token. */
enum exit_code command_url(const struct config *config, struct span token);

/* Print the admin-consent URL, without a state. */
enum exit_code command_admin_url(const struct config *config);

/* GET /healthz of the server that runs with this configuration; at most 3 seconds. */
enum exit_code command_healthcheck(const struct config *config);

#endif
