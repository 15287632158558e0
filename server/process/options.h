/* options: the command line. Every configuration key is an option: --listen.port=8080. */
#pragma once

#include "flow/provider.h"

enum { OPTIONS_MAX_FLAGS = 64 };

/* Points into the command line. */
struct options {
	const char *config_file;         /* -c; NULL: the default one, if it exists */
	const char *command;             /* "serve" where none is given */
	const struct provider *provider; /* url --provider */
	const char *token;               /* url --token; "-": from standard input */
	bool admin;                      /* url --admin */
	bool help;
	bool version;
	struct config_flag flags[OPTIONS_MAX_FLAGS]; /* --KEY=VALUE */
	size_t n_flags;
	char fault[256]; /* where the line makes no sense: one sentence */
};

/* False with a fault. Not to be called by two threads at once: getopt(3). */
bool options_parse(int argc, char **argv, struct options *ret_options);
