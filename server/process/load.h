/* load: the configuration from its sources: file, environment, command line. */
#pragma once

#include "config/config.h"
#include "process/options.h"

/*
 * The whole file, with a NUL after it, for the caller to free; at most max_len bytes, else NULL
 * with errno (EFBIG where it is larger).
 */
char *load_file(const char *path, size_t max_len, size_t *ret_len);

/* Where the configuration file is, or would be. */
const char *load_config_path(const struct options *options);

enum load_file {
	LOAD_FIRST,
	LOAD_AGAIN, /* a file was read before, so that none is an error */
	LOAD_NO_FILE,
};

/* Read all sources. As config_parse(): NULL where there is an error among the findings. */
struct config *load_config(
    const struct options *options, enum load_file file, struct findings *findings);
