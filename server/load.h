/*
 * load: the configuration from where it stands: file, environment, command line.
 */
#ifndef LOAD_H
#define LOAD_H

#include "config.h"
#include "options.h"

/* Read everything anew. As config_parse(): NULL where there is an error among the findings. */
struct config *load_config(const struct options *options, struct findings *findings);

/* Log each finding as an error or a warning. */
void load_log_findings(const struct findings *findings);

#endif
