/*
 * What the log learns of a callback: words of closed shapes, and nothing of what it must not know.
 */
#include <stdlib.h>

#include "base/url.h"
#include "flow/provider.h"
#include "fuzz.h"

enum { LONGEST = 40 };

/* No 41 bytes of the query, one after the other, are anywhere in the outcome's strings. */
static void
check_nothing_long(struct span query, const struct outcome *outcome)
{
	for (size_t i = 0; i + LONGEST < query.len; i++)
		HOLDS(memchr(query.data + i, '\0', LONGEST + 1) != NULL ||
		      memmem(outcome, sizeof(*outcome), query.data + i, LONGEST + 1) == NULL);
}

static bool
is_read(struct span name)
{
	static const char *const read[] = { "error", "error_subcode", "error_description",
		"correlation_id", "tenant", "scope" };

	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		if (url_name_is(name, read[i]))
			return true;
	return false;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The values of code, state and all that is unknown can be anything: the outcome is the same. */
static void
check_ignores_secrets(
    const struct provider *provider, struct span query, const struct outcome *outcome)
{
	char *other = fuzz_copy(query);
	struct span rest = { other, query.len }, name, value;
	struct outcome seen;

	while (url_next_pair(&rest, &name, &value))
		if (!is_read(name))
			memset((char *)(uintptr_t)value.data, 'Z', value.len);
	outcome_read(provider, (struct span){ other, query.len }, &seen);
	HOLDS(same(outcome->name, seen.name) && same(outcome->hint, seen.hint));
	HOLDS(same(outcome->error, seen.error));
	HOLDS(same(outcome->error_subcode, seen.error_subcode));
	HOLDS(same(outcome->aadsts, seen.aadsts));
	HOLDS(same(outcome->correlation_id, seen.correlation_id));
	free(other);
}

static unsigned
count(struct span query, const char *wanted, struct span *ret_first)
{
	struct span name, value;
	unsigned n = 0;

	while (url_next_pair(&query, &name, &value))
		if (url_name_is(name, wanted) && n++ == 0)
			*ret_first = value;
	return n;
}

/* `ambiguous` is both a code and an error, or one of them twice. */
static void
check_name(struct span query, const struct outcome *outcome)
{
	struct span ignored;
	unsigned codes = count(query, "code", &ignored);
	unsigned errors = count(query, "error", &ignored);
	bool admin = count(query, "admin_consent", &ignored) > 0;

	HOLDS(same(outcome->name, "ambiguous") == (codes + errors > 1));
	if (codes + errors > 1)
		return;
	HOLDS(same(outcome->name, "code") == (codes == 1));
	HOLDS(same(outcome->name, "admin_consent") == (codes == 0 && admin));
	HOLDS(same(outcome->name, "error") == (errors == 1 && !admin));
}

/* An answer is kept from Recall only for what its one error says, and never with a code. */
static void
check_wall(struct span query, const struct outcome *outcome)
{
	struct span ignored;

	if (!outcome->is_admin_wall)
		return;
	HOLDS(count(query, "code", &ignored) == 0 && count(query, "error", &ignored) == 1);
	HOLDS(same(outcome->error, "access_denied") || same(outcome->error, "consent_required"));
	HOLDS(outcome->hint != NULL);
}

/* A word is the first value, decoded, or it is "other". */
static void
check_word(struct span query, const char *name, const char *word)
{
	struct span value = SPAN("");
	unsigned n = count(query, name, &value);
	char *decoded;
	size_t len = 0;

	HOLDS((word[0] == '\0') == (n == 0));
	if (n == 0 || strcmp(word, "other") == 0)
		return;
	decoded = fuzz_copy(value);
	HOLDS(fuzz_decode(value, true, decoded, &len));
	HOLDS(span_equals((struct span){ decoded, len }, span_of(word)));
	free(decoded);
}

static void
check(const struct provider *provider, struct span query)
{
	struct outcome outcome;

	outcome_read(provider, query, &outcome);
	fuzz_check_outcome(&outcome);
	check_nothing_long(query, &outcome);
	check_ignores_secrets(provider, query, &outcome);
	check_name(query, &outcome);
	check_wall(query, &outcome);
	if (strcmp(outcome.name, "code") != 0) {
		check_word(query, "error", outcome.error);
		check_word(query, "error_subcode", outcome.error_subcode);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < N_PROVIDERS; i++)
		check(&providers[i], (struct span){ (const char *)data, size });
	return 0;
}
