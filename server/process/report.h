/* report: what the log and the terminal say of a configuration and of a start. */
#pragma once

#include <stdio.h>

#include "system/listener.h"

/* Log each finding as an error or a warning. */
void report_log_findings(const struct findings *findings);

/* Print each finding: "error: ..." or "warning: ...". */
void report_print_findings(const struct findings *findings, FILE *to);

/* Add where the configuration comes from, and the addresses that it makes. */
void report_put_config(struct log_line *line, const struct config *config);

/* Log a warning about these keys, separated by commas; nothing where there are none. */
void report_log_keys(const char *event, const struct buf *keys, const char *hint);

/* Log what is served, and a warning about keys for which passed sockets are used instead. */
void report_log_listening(
    const struct config *config, const struct listeners *listeners, size_t connections);

/* Log why the server does not start. cause: errno; 0: not known. */
void report_log_listen_failure(const struct config *config, const struct listener_fault *fault);
void report_log_start_failure(const char *step, int cause);
