#include "support.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

int
support_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

char *
support_copy(struct span bytes)
{
	char *copy = malloc(bytes.len > 0 ? bytes.len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes.data, bytes.len);
	return copy;
}

struct config *
support_config(const char *file_text, char *const *environment)
{
	struct config_source source = {
		.file_name = file_text != NULL ? "test.json" : NULL,
		.file_text = span_of(file_text != NULL ? file_text : ""),
		.environment = environment,
		.processors = 2,
	};
	struct findings findings = { 0 };
	struct config *config = config_parse(&source, &findings);

	ck_assert_msg(config != NULL, "%s", findings.n > 0 ? findings.items[0].text : "no memory");
	findings_free(&findings);
	return config;
}

struct config *
support_usual_config(void)
{
	return support_config(
	    "{\"public_url\": \"https://oauth.example.com\","
	    "\"microsoft\": {\"client_id\": \"11111111-2222-3333-4444-555555555555\"},"
	    "\"google\": {\"client_id\": \"1-a.apps.googleusercontent.com\"},"
	    "\"connect\": {\"return_origins\": [\"https://app.example.com\"]}}",
	    NULL);
}

const struct provider *support_provider = &providers[MICROSOFT];

static void
go_to_microsoft(void)
{
	support_provider = &providers[MICROSOFT];
}

static void
go_to_google(void)
{
	support_provider = &providers[GOOGLE];
}

void
support_at_every_provider(Suite *suite, void (*add)(TCase *tests))
{
	static void (*const go[N_PROVIDERS])(void) = { go_to_microsoft, go_to_google };

	for (size_t i = 0; i < N_PROVIDERS; i++) {
		TCase *tests = tcase_create(providers[i].name);

		tcase_add_checked_fixture(tests, go[i], go_to_microsoft);
		add(tests);
		suite_add_tcase(suite, tests);
	}
}

static const struct {
	struct span microsoft;
	const char *google;
} words[] = {
	{ SPAN("ms_oauth_callback"), "google_oauth_callback" },
	{ SPAN("ms_oauth_redirect_url"), "google_oauth_redirect_url" },
	{ SPAN("microsoft.client_id"), "google.client_id" },
	{ SPAN("\"provider\":\"microsoft\""), "\"provider\":\"google\"" },
	{ SPAN("provider=microsoft"), "provider=google" },
	{ SPAN("provider=\"microsoft\""), "provider=\"google\"" },
	{ SPAN("__Host-redirectd-"), "__Host-redirectd-google-" },
	{ SPAN("https://login.microsoftonline.com/common/oauth2/v2.0/authorize"),
	    "https://accounts.google.com/o/oauth2/v2/auth" },
	{ SPAN("client_id=11111111-2222-3333-4444-555555555555"),
	    "client_id=1-a.apps.googleusercontent.com" },
	{ SPAN("&response_mode=query"), "" },
	{ SPAN("offline_access%20openid%20email%20https%3A%2F%2Fgraph.microsoft.com%2FCalendars."
	       "Read"),
	    "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcalendar.events.readonly%20https%3A%2F%2F"
	    "www.googleapis.com%2Fauth%2Fuserinfo.email&access_type=offline&include_granted_"
	    "scopes=true&prompt=consent" },
};

static bool
starts_with(struct span text, struct span start)
{
	return text.len >= start.len && memcmp(text.data, start.data, start.len) == 0;
}

/* Whether /connect stands here as a whole path, with or without a slash after it. */
static bool
is_start(struct span text)
{
	struct span rest = span_from(text, strlen("/connect"));

	if (!starts_with(text, (struct span)SPAN("/connect")))
		return false;
	if (starts_with(rest, (struct span)SPAN("/")))
		rest = span_from(rest, 1);
	return rest.len == 0 || rest.data[0] == '?' || rest.data[0] == ' ';
}

/* Append what stands for the start of the text at Google; returns how much of it that is. */
static size_t
put_word(struct buf *out, struct span text)
{
	if (is_start(text)) {
		buf_puts(out, "/connect/google");
		return strlen("/connect");
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!starts_with(text, words[i].microsoft))
			continue;
		buf_puts(out, words[i].google);
		return words[i].microsoft.len;
	}
	return 0;
}

bool
support_put(struct buf *out, struct span text)
{
	bool is_microsoft = support_provider->id == MICROSOFT, differs = is_microsoft;

	while (text.len > 0) {
		size_t len = is_microsoft ? 0 : put_word(out, text);

		differs |= len > 0;
		if (len == 0) {
			buf_putc(out, text.data[0]);
			len = 1;
		}
		text = span_from(text, len);
	}
	return differs;
}

void
support_check_policy(const char *policy, const char *page)
{
	const char *style = strstr(page, "<style>") + strlen("<style>");
	size_t len = (size_t)(strstr(style, "</style>") - style);
	unsigned char digest[32];
	gnutls_datum_t raw = { digest, sizeof(digest) }, text;
	BUF(wanted, 512);

	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(gnutls_hash_fast(GNUTLS_DIG_SHA256, style, len, digest), 0);
	ck_assert_int_eq(gnutls_base64_encode2(&raw, &text), 0);
	buf_puts(&wanted, "default-src 'none'; style-src 'sha256-");
	buf_put(&wanted, (struct span){ (const char *)text.data, text.size });
	buf_puts(&wanted, "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	gnutls_free(text.data);
	ck_assert_str_eq(policy, wanted.data);
}
