/*
 * Reads a callback's query for the log. Keeps nothing of it but words from closed sets, digits and
 * a GUID.
 */
#include "outcome.h"

#include "url.h"

enum { WORD_MAX_LEN = 40, DESCRIPTION_SIZE = 2048, AADSTS_MAX_LEN = 15, GUID_LEN = 36 };

enum name { CODE, ERROR, ERROR_SUBCODE, ERROR_DESCRIPTION, ADMIN_CONSENT, CORRELATION_ID, N_NAMES };

static const struct span names[N_NAMES] = {
	[CODE] = SPAN("code"),
	[ERROR] = SPAN("error"),
	[ERROR_SUBCODE] = SPAN("error_subcode"),
	[ERROR_DESCRIPTION] = SPAN("error_description"),
	[ADMIN_CONSENT] = SPAN("admin_consent"),
	[CORRELATION_ID] = SPAN("correlation_id"),
};

struct found {
	struct span value[N_NAMES]; /* encoded, of the first one */
	unsigned count[N_NAMES];
};

static void
note(struct found *found, struct span name, struct span value)
{
	for (enum name n = 0; n < N_NAMES; n++) {
		if (!url_name_is(name, names[n]))
			continue;
		if (found->count[n]++ == 0)
			found->value[n] = value;
		return;
	}
}

static const char *
classify(const struct found *found)
{
	if (found->count[CODE] + found->count[ERROR] > 1)
		return "ambiguous";
	if (found->count[ADMIN_CONSENT] > 0 && found->count[CODE] == 0)
		return "admin_consent";
	if (found->count[ERROR] > 0)
		return "error";
	return found->count[CODE] > 0 ? "code" : "empty";
}

/* The value where it matches [a-z_]{1,40}, else "other"; NULL where the parameter is not there. */
static const char *
read_word(const struct found *found, enum name name, char ret_word[WORD_MAX_LEN + 1])
{
	struct buf word;

	if (found->count[name] == 0)
		return NULL;
	buf_init(&word, ret_word, WORD_MAX_LEN + 1);
	if (!url_decode_form(&word, found->value[name]) || !buf_ok(&word) || word.len == 0)
		return "other";
	for (size_t i = 0; i < word.len; i++)
		if (!(ret_word[i] >= 'a' && ret_word[i] <= 'z') && ret_word[i] != '_')
			return "other";
	return ret_word;
}

/* The bytes behind the first mark, in any letter case; empty without one. */
static struct span
behind(struct span text, struct span mark)
{
	for (; text.len >= mark.len; text = span_from(text, 1))
		if (span_equals_ignoring_case((struct span){ text.data, mark.len }, mark))
			return span_from(text, mark.len);
	return (struct span)SPAN("");
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

static void
read_aadsts(struct span text, char ret_digits[AADSTS_MAX_LEN + 1])
{
	size_t len = 0;

	text = behind(text, (struct span)SPAN("AADSTS"));
	while (len < text.len && text_is_digit(text.data[len]))
		len++;
	if (len == 0 || len > AADSTS_MAX_LEN)
		return;
	memcpy(ret_digits, text.data, len);
	ret_digits[len] = '\0';
}

/* The description as far as it decodes and fits; what operators need stands in it. */
static void
read_description(const struct found *found, struct outcome *outcome)
{
	char array[DESCRIPTION_SIZE];
	struct span encoded = found->value[ERROR_DESCRIPTION];
	struct buf text;

	buf_init(&text, array, sizeof(array));
	encoded.len = encoded.len < sizeof(array) ? encoded.len : sizeof(array) - 1;
	url_decode_form(&text, encoded);
	read_aadsts(buf_span(&text), outcome->aadsts);
	read_guid(span_trim(behind(buf_span(&text), (struct span)SPAN("Correlation ID:"))),
	    outcome->correlation_id);
}

struct cure {
	const char *key;
	const char *hint;
};

#define SEND_ADMIN_LINK                                                                            \
	"An administrator has to approve the app: send the customer's IT the admin-consent link"
#define ASK_IT                                                                                     \
	"The customer's Conditional Access policy stopped the sign-in: their IT has to allow it"
#define WRONG_ACCOUNT                                                                              \
	"The visitor used an account of another tenant or kind: sign out, then start again with "  \
	"the work account"

static const struct cure aadsts_cures[] = {
	{ "65001", SEND_ADMIN_LINK },
	{ "90094", SEND_ADMIN_LINK },
	{ "90095", SEND_ADMIN_LINK },
	{ "65004", "The visitor declined: start again, and accept" },
	{ "50105", "The customer's IT has to assign the user to the app" },
	{ "53000", ASK_IT },
	{ "53003", ASK_IT },
	{ "50131", ASK_IT },
	{ "530035", ASK_IT },
	{ "50020", WRONG_ACCOUNT },
	{ "50034", WRONG_ACCOUNT },
	{ "51004", WRONG_ACCOUNT },
	{ "50194", "The app registration is not multitenant: set its audience to accounts in any "
		   "directory and personal accounts" },
	{ "9002332", "The app registration's audience lacks personal accounts" },
	{ "70011", "A scope is misspelt: compare microsoft.scopes with the app registration" },
	{ "700054", "Tick ID tokens under Authentication in the app registration" },
	{ "7000215", "The client secret in the Recall dashboard is wrong" },
	{ "7000222", "The client secret in the Recall dashboard has expired" },
	{ "54005", "The code was redeemed before: start again" },
	{ "70008", "The code or grant has expired: start again" },
	{ "50196", "The sign-in looped: take prompt=consent out of the app's links" },
};

static const struct cure error_cures[] = {
	{ "consent_required", SEND_ADMIN_LINK },
	{ "temporarily_unavailable", "Microsoft is busy: start again in some minutes" },
	{ "server_error",
	    "Microsoft failed: start again; correlation_id is what its support asks for" },
	{ "login_required", "The visitor has to sign in: take prompt=none out of the app's links" },
	{ "interaction_required",
	    "The visitor has to sign in: take prompt=none out of the app's links" },
	{ "unauthorized_client",
	    "The app registration does not allow this flow: its platform must be "
	    "Web, its audience multitenant and personal" },
	{ "unsupported_response_type", "The app's link must ask for response_type=code" },
	{ "invalid_resource", "A scope names an unknown resource: compare microsoft.scopes" },
};

static const char *
find_cure(const struct cure *cures, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(cures[i].key, key) == 0)
			return cures[i].hint;
	return NULL;
}

static bool
is(const char *word, const char *wanted)
{
	return word != NULL && strcmp(word, wanted) == 0;
}

static const char *
hint_of_error(const struct outcome *outcome)
{
	const char *hint = find_cure(
	    aadsts_cures, sizeof(aadsts_cures) / sizeof(aadsts_cures[0]), outcome->aadsts);

	if (hint != NULL || outcome->error == NULL)
		return hint;
	if (is(outcome->error, "access_denied") && is(outcome->error_subcode, "cancel"))
		return "The visitor cancelled, or met \"Need admin approval\": send the customer's IT "
		       "the admin-consent link";
	return find_cure(error_cures, sizeof(error_cures) / sizeof(error_cures[0]), outcome->error);
}

static const char *
hint_of(const struct outcome *outcome)
{
	if (is(outcome->name, "empty"))
		return "No code and no error: the app's link may ask for response_mode=fragment, or "
		       "somebody opened the address by hand";
	if (is(outcome->name, "ambiguous"))
		return "Both a code and an error, or one of them twice: not an answer that Microsoft "
		       "gives";
	if (is(outcome->name, "admin_consent") && outcome->error == NULL)
		return "An admin-consent answer came to the calendar callback: its redirect URI should "
		       "be /api/ms_admin_consent_callback";
	return hint_of_error(outcome);
}

void
outcome_read(struct span query, struct outcome *ret_outcome)
{
	struct found found = { 0 };
	struct span name, value;

	*ret_outcome = (struct outcome){ 0 };
	while (url_next_pair(&query, &name, &value))
		note(&found, name, value);
	ret_outcome->name = classify(&found);
	if (is(ret_outcome->name, "code"))
		return;
	ret_outcome->error = read_word(&found, ERROR, ret_outcome->error_word);
	ret_outcome->error_subcode =
	    read_word(&found, ERROR_SUBCODE, ret_outcome->error_subcode_word);
	if (found.count[CORRELATION_ID] > 0)
		read_guid(found.value[CORRELATION_ID], ret_outcome->correlation_id);
	if (found.count[ERROR_DESCRIPTION] > 0)
		read_description(&found, ret_outcome);
	ret_outcome->hint = hint_of(ret_outcome);
}
