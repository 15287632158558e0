/*
 * options: the command line, as getopt would read it if option names could have dots.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config.h"

enum { OPTIONS_MAX_FLAGS = 64 };

struct options {
	const char *config_file; /* -c; NULL: the default one, if it is there */
	const char *command;     /* "serve" where none is given */
	const char *token;       /* url --token; "-": from standard input */
	bool admin;              /* url --admin */
	bool help;
	bool version;
	struct config_flag flags[OPTIONS_MAX_FLAGS]; /* --KEY=VALUE */
	size_t n_flags;
	char keys[OPTIONS_MAX_FLAGS][64]; /* what flags point at */
};

/* False with one sentence in ret_fault, of fault_size, where the line makes no sense. */
bool options_parse(
    int argc, char **argv, struct options *ret_options, char *ret_fault, size_t fault_size);

#endif
