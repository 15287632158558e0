/*
 * commands: one function each; they return the exit code. All but serving write to standard output.
 */
#pragma once

#include "flow/provider.h"
#include "process/options.h"

/* sysexits.h where it has a name for the case. */
enum exit_code {
	EXIT_GOOD = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69, /* cannot listen */
	EXIT_CONFIG = 78,
};

/*
 * Hold SIGTERM, SIGINT and SIGHUP back for command_serve(), or let them act as usual. As early as
 * can be: the kernel drops what process 1 of a container neither handles nor blocks. A broken pipe
 * and a file at its size limit are errors of write() from then on, not signals.
 */
void command_hold_signals(bool is_held);

/*
 * Serve until SIGTERM or SIGINT; logs the warnings among the findings first. SIGHUP reads the
 * configuration again, from where the options say.
 */
enum exit_code command_serve(
    const struct config *config, struct findings *findings, const struct options *options);

/*
 * Check the certificate as well, print all findings, and what has to be compared at Microsoft and
 * Recall.
 */
enum exit_code command_check(const struct config *config, struct findings *findings);

/* Print every key with its value and where that came from. */
enum exit_code command_config(const struct config *config);

/* Print what to enter at Microsoft and at Recall, step by step. */
enum exit_code command_setup(const struct config *config);

/* Print the URL that /connect would build for the token, or the admin-consent URL. */
enum exit_code command_url(const struct config *config, const struct options *options);

/*
 * Ask the running server for /healthz, for at most 3 seconds: by its admin listener, else by its
 * public one. Good or failed, whatever the configuration is by now.
 */
enum exit_code command_healthcheck(const struct options *options);
