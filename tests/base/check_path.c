#include "base/path.h"
#include "support.h"

/* The beginning of a PKCS #8 key and of a certificate, of no secret. */
#define KEY  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4NeA3yyp"
#define PEM  "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VBTUJNR0J5"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Forty. */
#define TEN_OF(ten) ten ten ten ten

enum kind { PLAIN, CONTENT, NEITHER };

static const struct {
	const char *text;
	enum kind kind;
} rows[] = {
	{ "/etc/tls/key.pem", PLAIN },
	{ "/run/secrets/tls-key", PLAIN },
	{ "/run/secrets/tls_key", PLAIN },
	{ "./key", PLAIN },
	{ "../tls/Key", PLAIN },
	{ "key.pem", PLAIN },
	{ "tls/key.pem", PLAIN },
	{ "tls/private.key", PLAIN },
	{ "/dev/fd/3", PLAIN },
	{ "/etc/letsencrypt/live/oauth.example.com/privkey.pem", PLAIN },
	{ "/var/lib/kubelet/pods/0a1b2c3d-0000-1111-2222-333344445555/volumes/..data/tls.key",
	    PLAIN },
	{ "/var/lib/docker/volumes/" HASH "/_data/key.pem", PLAIN },
	{ "/nix/store/" HASH "-keys/key.pem", PLAIN },
	/* Long, but not of all kinds: lower case, upper case and digits. */
	{ "/a/" TEN_OF("abcdefghi4"), PLAIN },
	{ "/a/" TEN_OF("ABCDEFGHI4"), PLAIN },
	{ "/a/" TEN_OF("abcdeFGHIJ"), PLAIN },
	{ "/a/" TEN_OF("abcdeFGHI4"), CONTENT },
	{ "/", PLAIN },
	{ "/caf\xc3\xa9/\x80", PLAIN },
	{ "/a\x7f", NEITHER },
	{ "/a b", NEITHER },
	{ "/a*", NEITHER },
	/* A path perhaps, and perhaps a password. */
	{ "", NEITHER },
	{ "key", NEITHER },
	{ "hunter2", NEITHER },
	{ ".", PLAIN },
	{ "/etc/tls/caf\xc3\xa9.pem", PLAIN },
	{ "/etc/tls/a key.pem", NEITHER },
	{ "/etc/tls/key.pem\x1b[0m", NEITHER },
	{ "correct horse battery staple", NEITHER },
	/* What belongs in the file. */
	{ "-----BEGIN PRIVATE KEY-----\n" KEY "\n-----END PRIVATE KEY-----\n", CONTENT },
	{ "-----BEGIN PRIVATE KEY-----\r\n" KEY "\r\n-----END PRIVATE KEY-----", CONTENT },
	{ "-----BEGIN PRIVATE KEY-----\\n" KEY "\\n-----END PRIVATE KEY-----\\n", CONTENT },
	{ "-----BEGIN EC PRIVATE KEY----- " KEY " -----END EC PRIVATE KEY-----", CONTENT },
	{ "-----BEGIN ENCRYPTED PRIVATE KEY-----" KEY, CONTENT },
	{ "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----", CONTENT },
	{ "\"-----BEGIN PRIVATE KEY-----\\nMIG\"", CONTENT },
	{ " -----BEGIN", CONTENT },
	{ "Bag Attributes\n    friendlyName: x\n", CONTENT },
	{ "BEGIN RSA PRIVATE KEY", CONTENT },
	{ KEY, CONTENT },
	{ KEY "\\n" KEY, CONTENT },
	{ KEY " " KEY, CONTENT },
	{ "MIGHAgEAMBMG\nByqGSM49", CONTENT },
	{ "/" KEY, CONTENT },
	{ "ab/" KEY "==", CONTENT },
	{ "/MIG/AgEAMBMGByqGSM49AgEGCCqGSM/9AwEHBG0wawIBAQQ/4NeA3yypMIGHAgEAMBMGByqGSM49/gEGCCqGSM4"
	  "9/wEHBG0w/",
	    CONTENT },
	{ "./MIG/AgEAMBMGByqGSM49AgEGCCqGSM/9AwEHBG0wawIBAQQ/4NeA3yypMIGHAgEAMBMGByqGSM49/gEGCCqGSM"
	  "49/wEHBG0",
	    CONTENT },
	{ "MIG/AgEAMBMGByqGSM49AgEGCCqGSM/9AwEHBG0wawIBAQQ/4NeA3yypMIGHAgEA", CONTENT },
	{ "Secrets/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/key.pem", PLAIN },
	{ PEM, CONTENT },
	{ "LS0tLS1CRUdJTg==", CONTENT },
	{ "{\"kty\":\"EC\",\"d\":\"x\"}", CONTENT },
	{ "{\"listen\": {\"port\": 8080}}", CONTENT },
};

START_TEST(knows_paths)
{
	const char *text = rows[_i].text;

	ck_assert_int_eq(path_is_content(text), rows[_i].kind == CONTENT);
	ck_assert_int_eq(path_is_plain(text), rows[_i].kind == PLAIN);
}
END_TEST

/* 250 bytes are a path, and no more. */
START_TEST(limits_paths)
{
	char text[256];

	memset(text, '/', sizeof(text));
	text[250] = '\0';
	ck_assert(path_is_plain(text));
	text[250] = '/';
	text[251] = '\0';
	ck_assert(!path_is_plain(text));
}
END_TEST

/* So many bytes without a blank, of both letter cases and digits, are base64; one fewer is a name.
 */
static const struct {
	const char *start;
	char byte;
	size_t least;
} runs[] = {
	{ "", 'a', 40 },
	{ "/", 'a', 40 },
	{ "a=", 'a', 40 },
	{ "a_", 'a', 40 },
	{ "a-", 'a', 40 },
	{ "a+", 'a', 40 },
};

START_TEST(knows_base64_by_its_length)
{
	char text[128];
	size_t start = runs[_i].start[0] == '/' ? 1 : 0;

	for (size_t i = 0; i < 2; i++) {
		size_t end = start + runs[_i].least - i;

		memset(text, runs[_i].byte, sizeof(text));
		memcpy(text, runs[_i].start, strlen(runs[_i].start));
		memcpy(text + end - 2, "B7", 3);
		ck_assert_msg(path_is_content(text) == (i == 0), "%s", text);
	}
}
END_TEST

/* The same where slashes stand between: in a relative path and in one from the root. */
START_TEST(knows_base64_with_slashes_by_its_length)
{
	static const struct {
		const char *start;
		size_t least;
	} paths[] = { { "B7", 64 }, { "/B7", 80 }, { "./B7", 81 } };

	for (size_t p = 0; p < COUNT(paths); p++)
		for (size_t i = 0; i < 2; i++) {
			char text[128];
			size_t len = strlen(paths[p].start);

			for (size_t at = 0; at < sizeof(text); at++)
				text[at] = at % 10 == 9 ? '/' : 'a';
			memcpy(text, paths[p].start, len);
			text[paths[p].least - i] = '\0';
			ck_assert_msg(path_is_content(text) == (i == 0), "%s", text);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("path");
	TCase *tests = tcase_create("path");

	LOOP(tests, knows_paths, rows);
	tcase_add_test(tests, limits_paths);
	LOOP(tests, knows_base64_by_its_length, runs);
	tcase_add_test(tests, knows_base64_with_slashes_by_its_length);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
