#include "flow/provider.h"

#include "base/url.h"

enum { DESCRIPTION_SIZE = 2048, AADSTS_MAX_LEN = 15, GUID_LEN = 36 };

enum name { CODE, ERROR, SUBCODE, DESCRIPTION, APPROVAL, CORRELATION, TENANT, SCOPE, N_NAMES };

static const char *const names[N_NAMES] = { "code", "error", "error_subcode", "error_description",
	"admin_consent", "correlation_id", "tenant", "scope" };

struct found {
	struct span value[N_NAMES]; /* encoded, of the first one */
	unsigned count[N_NAMES];
};

static const char *
classify(const struct found *found)
{
	if (found->count[CODE] + found->count[ERROR] > 1)
		return "ambiguous";
	if (found->count[APPROVAL] > 0 && found->count[CODE] == 0)
		return "admin_consent";
	if (found->count[ERROR] > 0)
		return "error";
	return found->count[CODE] > 0 ? "code" : "empty";
}

/* The value where it matches [a-z_]{1,40}, else "other"; empty where the parameter is not there. */
static void
read_word(const struct found *found, enum name name, char ret_word[HTTP_WORD_SIZE])
{
	struct buf word;

	if (found->count[name] == 0)
		return;
	buf_init(&word, ret_word, HTTP_WORD_SIZE);
	if (url_decode_form(&word, found->value[name]) && word.len > 0 &&
	    strspn(ret_word, "abcdefghijklmnopqrstuvwxyz_") == word.len)
		return;
	buf_wipe(&word);
	buf_puts(&word, "other");
}

/* Whether an administrator approved: `True`, as Microsoft writes it, in any case, and once. */
static bool
is_granted(const struct found *found)
{
	BUF(word, 8);

	return found->count[APPROVAL] == 1 && found->count[ERROR] == 0 &&
	       url_decode_form(&word, found->value[APPROVAL]) &&
	       span_is_ignoring_case(buf_span(&word), "true");
}

static void
read_guid(struct span text, char ret_guid[GUID_LEN + 1])
{
	if (text.len < GUID_LEN || !text_is_guid((struct span){ text.data, GUID_LEN }))
		return;
	for (size_t i = 0; i < GUID_LEN; i++)
		ret_guid[i] = text_lower(text.data[i]);
	ret_guid[GUID_LEN] = '\0';
}

/* The description as far as it decodes and fits; what operators need stands in it. */
static void
read_description(const struct found *found, struct outcome *outcome)
{
	BUF(text, DESCRIPTION_SIZE);
	struct span encoded = found->value[DESCRIPTION];
	const char *number, *id;
	size_t len;

	encoded.len = encoded.len < text.size ? encoded.len : text.size - 1;
	url_decode_form(&text, encoded);
	number = strcasestr(text.data, "AADSTS");
	len = number != NULL ? strspn(number + strlen("AADSTS"), "0123456789") : 0;
	if (len > 0 && len <= AADSTS_MAX_LEN)
		memcpy(outcome->aadsts, number + strlen("AADSTS"), len);
	id = strcasestr(text.data, "Correlation ID:");
	if (id != NULL)
		read_guid(
		    span_trim(span_of(id + strlen("Correlation ID:"))), outcome->correlation_id);
}

static const char *
find_hint(const struct cure *cures, const char *key)
{
	for (; cures->key != NULL; cures++)
		if (strcmp(cures->key, key) == 0)
			return cures->hint;
	return NULL;
}

static bool
is(const char *word, const char *wanted)
{
	return strcmp(word, wanted) == 0;
}

static void
read_hint(const struct provider *provider, struct outcome *outcome)
{
	static const struct cure shapes[] = {
		{ "empty",
		    "No code and no error: a proxy in front may drop the query, the app's link may "
		    "ask for response_mode=fragment, or somebody opened the address by hand" },
		{ "ambiguous",
		    "The answer has both a code and an error, or one of them more than once: no "
		    "provider sends such answers" },
		{ "admin_consent",
		    "An admin-consent answer came to the calendar callback: its redirect URI should "
		    "be /api/ms_admin_consent_callback" },
		{ NULL, NULL },
	};
	bool is_refusal = is(outcome->name, "admin_consent") && outcome->error[0] != '\0';
	const char *hint = is_refusal ? NULL : find_hint(shapes, outcome->name);

	if (hint == NULL)
		hint = find_hint(provider->cures, outcome->aadsts);
	if (hint == NULL)
		hint = find_hint(provider->cures, outcome->error);
	outcome->hint = hint;
	if (hint == NULL || provider->approve_hint == NULL)
		return;
	outcome->hint_takes_link =
	    hint == provider->approve_hint || hint == provider->perhaps_approve_hint;
	/* What `error` says counts; a number in the description never alone. */
	outcome->is_admin_wall =
	    is(outcome->name, "error") &&
	    (is(outcome->error, "consent_required") ||
		(is(outcome->error, "access_denied") &&
		    (is(outcome->error_subcode, "cancel") || hint == provider->approve_hint)));
}

/* Whether the answer lists what was granted, and the calendar is not among it. */
static bool
lacks_calendar(const struct provider *provider, const struct found *found)
{
	BUF(scopes, DESCRIPTION_SIZE);
	struct span rest, scope;

	if (found->count[SCOPE] != 1 || !url_decode_form(&scopes, found->value[SCOPE]) ||
	    !buf_ok(&scopes))
		return false;
	for (rest = buf_span(&scopes); span_next(&rest, ' ', &scope);)
		if (span_is(scope, provider->calendar_scope))
			return false;
	return true;
}

void
outcome_read(const struct provider *provider, struct span query, struct outcome *ret_outcome)
{
	struct found found = { 0 };
	struct span name, value;

	*ret_outcome = (struct outcome){ 0 };
	while (url_next_pair(&query, &name, &value)) {
		enum name n = 0;

		while (n < N_NAMES && !url_name_is(name, names[n]))
			n++;
		if (n < N_NAMES && found.count[n]++ == 0)
			found.value[n] = value;
	}
	ret_outcome->name = classify(&found);
	ret_outcome->is_granted = is_granted(&found);
	if (provider->calendar_scope != NULL && lacks_calendar(provider, &found))
		ret_outcome->hint = "The visitor did not allow access to the calendar: they can "
				    "start again and tick its box";
	if (is(ret_outcome->name, "code"))
		return;
	read_word(&found, ERROR, ret_outcome->error);
	read_word(&found, SUBCODE, ret_outcome->error_subcode);
	read_guid(found.value[CORRELATION], ret_outcome->correlation_id);
	if (found.value[TENANT].len == GUID_LEN)
		read_guid(found.value[TENANT], ret_outcome->tenant);
	if (found.count[DESCRIPTION] > 0)
		read_description(&found, ret_outcome);
	read_hint(provider, ret_outcome);
}
