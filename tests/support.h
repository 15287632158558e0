/*
 * support: what the check suites share.
 */
#pragma once

#include <check.h>

#include "config/config.h"
#include "flow/provider.h"

/* Run one suite to its end; the exit status of a test program. */
int support_run(Suite *suite);

/* A test that runs once for each row of a table, which it finds at _i. */
#define LOOP(tcase, test, rows) tcase_add_loop_test(tcase, test, 0, COUNT(rows))

/* A span compares equal to a string; both are shown where they do not. */
#define ck_span_eq(bytes, string)                                                                  \
	do {                                                                                       \
		struct span seen_ = (bytes);                                                       \
		const char *wanted_ = (string);                                                    \
		ck_assert_msg(                                                                     \
		    seen_.len == strlen(wanted_) && memcmp(seen_.data, wanted_, seen_.len) == 0,   \
		    "saw \"%.*s\", wanted \"%s\"", (int)seen_.len, seen_.data, wanted_);           \
	} while (0)

/* Exactly as many bytes as there are, so that a sanitizer sees a read past them; the caller frees.
 */
char *support_copy(struct span bytes);

/* A configuration from file text (NULL: none) and environment (NULL: none); aborts on findings. */
struct config *support_config(const char *file_text, char *const *environment);

/* The one most tests want: public_url, both client ids and one return origin. */
struct config *support_usual_config(void);

/* The provider that a test is at, of those that support_at_every_provider() added. */
extern const struct provider *support_provider;

/* Have add() add the same tests for each provider. */
void support_at_every_provider(Suite *suite, void (*add)(TCase *tests));

/*
 * Tables are written with Microsoft's paths, names and URLs. Append a text of theirs as it is at
 * support_provider; false where it is the same there, so that nothing is left to try.
 */
bool support_put(struct buf *out, struct span text);

/*
 * The Content-Security-Policy lets the style of this page through and nothing else: a changed style
 * needs a new hash.
 */
void support_check_policy(const char *policy, const char *page);
