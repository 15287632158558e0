/*
 * support: what the check suites share.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <check.h>

#include "config.h"

/* Run one suite to its end; the exit status of a test program. */
int support_run(Suite *suite);

/* A span compares equal to a string; both are shown where they do not. */
#define ck_span_eq(bytes, string)                                                                  \
	do {                                                                                       \
		struct span seen_ = (bytes);                                                       \
		const char *wanted_ = (string);                                                    \
		ck_assert_msg(                                                                     \
		    seen_.len == strlen(wanted_) && memcmp(seen_.data, wanted_, seen_.len) == 0,   \
		    "saw \"%.*s\", wanted \"%s\"", (int)seen_.len, seen_.data, wanted_);           \
	} while (0)

/* A configuration from file text (NULL: none) and environment (NULL: none); aborts on findings. */
struct config *support_config(const char *file_text, char *const *environment);

/* The one most tests want: public_url, client_id and one return origin. */
struct config *support_usual_config(void);

#endif
