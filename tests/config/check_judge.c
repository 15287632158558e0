/*
 * What is wrong with a value, by the function that judges it: each limit, and one beside it.
 */
#include "config/keys.h"
#include "support.h"

#define A8         "aaaaaaaa"
#define GUID       "11111111-2222-3333-4444-555555555555"
#define BLANK      "has a blank at its start or end; delete it"
#define QUOTES     "has quotes around it; delete them"
#define CONTROL    "has a control byte in it"
#define NO_SCOPE   "has a byte that no scope may have"
#define NO_ADDRESS "is not an IP address"
#define NO_NETWORK "is not a network"
#define NO_TENANT  "is not a tenant"
#define NO_ID      "is not a Google client ID"

static const struct {
	const char *(*judge)(const char *);
	const char *text, *wrong;
} rows[] = {
	{ judge_text, "a", NULL },
	{ judge_text, "", "is empty" },
	{ judge_text, " a", BLANK },
	{ judge_text, "a ", BLANK },
	{ judge_text, "\ta", BLANK },
	{ judge_text, "a\t", BLANK },
	{ judge_text, "a b", NULL },
	{ judge_text, "\"a\"", QUOTES },
	{ judge_text, "'a", QUOTES },
	{ judge_text, "a`", QUOTES },
	{ judge_text, "a'b", NULL },
	{ judge_text,
	    "\xe2\x80\x9c"
	    "a",
	    QUOTES },
	{ judge_text, "a\xe2\x80\x9d", QUOTES },
	{ judge_text, "\xe2\x82\xac", NULL },
	{ judge_text,
	    "a\x1f"
	    "b",
	    CONTROL },
	{ judge_text,
	    "a\x7f"
	    "b",
	    CONTROL },
	{ judge_text,
	    "a\xff"
	    "b",
	    "is not UTF-8" },

	{ judge_address, "127.0.0.1", NULL },
	{ judge_address, "::", NULL },
	{ judge_address, "fe80::1", NULL },
	{ judge_address, "127.0.0.256", NO_ADDRESS },
	{ judge_address, "127.0.0.1:80", NO_ADDRESS },
	{ judge_address, "localhost", NO_ADDRESS },

	{ judge_network, "10.0.0.0/8", NULL },
	{ judge_network, "10.0.0.0/32", NULL },
	{ judge_network, "10.0.0.0/33", NO_NETWORK },
	{ judge_network, "::/128", NULL },
	{ judge_network, "::/129", NO_NETWORK },
	{ judge_network, "10.0.0.0/", NO_NETWORK },

	{ judge_guid, GUID, NULL },
	{ judge_guid, GUID "5", "does not have 36 characters, as a GUID has" },
	{ judge_guid, "1", "does not have 36 characters, as a GUID has" },
	{ judge_guid, "g1111111-2222-3333-4444-555555555555", "is not a GUID" },

	{ judge_google_id, "1-a.apps.googleusercontent.com", NULL },
	{ judge_google_id, ".apps.googleusercontent.com", NO_ID },
	{ judge_google_id, "1.a.apps.googleusercontent.com", NO_ID },
	{ judge_google_id, "1-a.apps.googleusercontent.co", NO_ID },
	{ judge_google_id, "1 a.apps.googleusercontent.com", NO_ID },
	{ judge_google_id, "1-a", NO_ID },

	{ judge_tenant, "common", NULL },
	{ judge_tenant, "organizations", NULL },
	{ judge_tenant, "consumers", NULL },
	{ judge_tenant, "contoso.com", NULL },
	{ judge_tenant, GUID, NULL },
	{ judge_tenant, "Common", NO_TENANT },
	{ judge_tenant, "contoso", NO_TENANT },

	{ judge_scope, "!#[]~", NULL },
	{ judge_scope, "a b", NO_SCOPE },
	{ judge_scope, "a\x1f", NO_SCOPE },
	{ judge_scope, "a\x7f", NO_SCOPE },
	{ judge_scope, "a\"", NO_SCOPE },
	{ judge_scope, "a\\", NO_SCOPE },
	{ judge_scope, "caf\xc3\xa9", NO_SCOPE },

	{ judge_app_name, A8 A8 A8 A8 A8 A8 A8 A8, NULL },
	{ judge_app_name, A8 A8 A8 A8 A8 A8 A8 A8 "a", "is longer than 64 characters" },
	{ judge_app_name, A8 A8 A8 A8 A8 A8 A8 "aaaaaaa\xc3\xa9", NULL },
	{ judge_app_name, A8 A8 A8 A8 A8 A8 A8 A8 "\xc3\xa9", "is longer than 64 characters" },

	{ judge_public_url, "https://oauth.example.com", NULL },
	{ judge_public_url, "https://[::1]",
	    "has an IPv6 address as its host, which Microsoft does not accept" },
	{ judge_origin, "https://[::1]", NULL },
	{ judge_pattern, "https://*.example.com", NULL },
	{ judge_path, "/etc/ssl/key.pem", NULL },
	{ judge_path, "-----BEGIN PRIVATE KEY-----",
	    "is the content of the file itself, such as a key, where its path belongs; save it to a "
	    "file, and use the path of that file" },
};

START_TEST(says_what_is_wrong)
{
	const char *wrong = rows[_i].judge(rows[_i].text);

	if (rows[_i].wrong == NULL)
		ck_assert_msg(wrong == NULL, "%s: %s", rows[_i].text, wrong);
	else
		ck_assert_msg(wrong != NULL && strcmp(wrong, rows[_i].wrong) == 0, "%s: %s",
		    rows[_i].text, wrong != NULL ? wrong : "good");
}
END_TEST

/* "https://", so many bytes, and the end, which counts. */
static void
make_url(char *text, size_t len, const char *end)
{
	static const char start[] = "https://";

	memset(text, 'a', len);
	memcpy(text, start, sizeof(start) - 1);
	for (size_t i = sizeof(start) - 1 + 40; i < len; i += 41)
		text[i] = '.';
	memcpy(text + len - strlen(end), end, strlen(end) + 1);
}

/* The longest redirect URI that it makes has 256 characters. */
START_TEST(limits_the_public_url)
{
	enum { MOST = 256 - (sizeof("/api/ms_admin_consent_callback") - 1) };
	char text[MOST + 2];

	make_url(text, MOST, "a.com");
	ck_assert_ptr_null(judge_public_url(text));
	make_url(text, MOST + 1, "a.com");
	ck_assert_str_eq(
	    judge_public_url(text), "makes a redirect URI of more than Microsoft's 256 characters");
}
END_TEST

START_TEST(limits_a_return_url)
{
	char text[1100];

	memset(text, 'a', sizeof(text));
	memcpy(text, "https://a.example/", strlen("https://a.example/"));
	text[1024] = '\0';
	ck_assert_ptr_null(judge_return_url(text));
	text[1024] = 'a';
	text[1025] = '\0';
	ck_assert_str_eq(judge_return_url(text), "is longer than 1024 bytes");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("judge");
	TCase *tests = tcase_create("values");

	LOOP(tests, says_what_is_wrong, rows);
	tcase_add_test(tests, limits_the_public_url);
	tcase_add_test(tests, limits_a_return_url);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
