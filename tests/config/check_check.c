#include "config/config.h"
#include "support.h"

#define EXAMPLE(key)     "test.json:1: " key ": is the example's; use your own\n"
#define ONE_PORT(source) source "admin.port: is the port of the public listener too; use another\n"
#define OTHER_SITE(source)                                                                         \
	source "connect.start_origins: lacks the origin of connect.success_url, which is "         \
	       "another site than public_url; add it, if users start there\n"
#define PORTS(listen, admin)                                                                       \
	"{\"listen\": {\"address\": \"" listen "\", \"port\": 80}, "                               \
	"\"admin\": {\"address\": \"" admin "\", \"port\": 80}}"
#define SITES(url, success, more)                                                                  \
	"{\"public_url\": \"" url "\", \"connect\": {\"success_url\": \"" success "\"" more "}}"

static const struct {
	const char *file;
	const char *findings;
} rows[] = {
	{ "{}", "" },
	{ "{\"public_url\": \"https://oauth.example.com\"}", EXAMPLE("public_url") },
	{ "{\"public_url\": \"https://example.com:8443\"}", EXAMPLE("public_url") },
	{ "{\"public_url\": \"https://OAuth.Example.COM\"}", EXAMPLE("public_url") },
	{ "{\"public_url\": \"https://oauth.acme.test\"}", "" },
	{ "{\"connect.success_url\": \"https://app.example.com/x\"}",
	    EXAMPLE("connect.success_url") },
	{ "{\"connect.error_url\": \"https://app.example.com/x\"}", EXAMPLE("connect.error_url") },
	{ "{\"microsoft.client_id\": \"11111111-2222-3333-4444-555555555555\"}",
	    EXAMPLE("microsoft.client_id") },
	{ "{\"microsoft.client_id\": \"11111111-2222-3333-4444-555555555556\"}", "" },
	/* Two listeners. */
	{ PORTS("::", "127.0.0.1"), ONE_PORT("test.json:1: ") },
	{ PORTS("0.0.0.0", "127.0.0.1"), ONE_PORT("test.json:1: ") },
	{ PORTS("127.0.0.1", "127.0.0.1"), ONE_PORT("test.json:1: ") },
	{ PORTS("127.0.0.1", "::"), ONE_PORT("test.json:1: ") },
	{ PORTS("10.0.0.1", "127.0.0.1"), "" },
	{ "{\"listen.port\": 0, \"admin.port\": 0}", "" },
	{ "{\"listen.port\": 9464}", ONE_PORT("") },
	/* Another site. */
	{ SITES("https://oauth.acme.test", "https://app.acme.test/x", ""), "" },
	{ SITES("https://acme.test", "https://app.acme.test/x", ""), "" },
	{ SITES("https://oauth.acme.test", "https://app.other.test/x", ""), OTHER_SITE("") },
	{ SITES("https://oauth.acme.test", "https://app.other.test/x",
	      ", \"start_origins\": [\"https://x.test\"]"),
	    OTHER_SITE("test.json:1: ") },
	{ SITES("https://oauth.acme.test", "https://app.other.test/x",
	      ", \"start_origins\": [\"https://app.other.test\"]"),
	    "" },
	{ SITES("https://oauth.acme.test", "https://app.other.test/x",
	      ", \"start_origins\": [\"https://*.other.test\"]"),
	    "" },
	{ SITES(
	      "https://oauth.acme.test", "https://app.other.test/x", ", \"cross_site\": \"allow\""),
	    "" },
	{ SITES("http://localhost:8080", "http://localhost:3000/x", ""), "" },
};

START_TEST(advises)
{
	struct config *config = support_config(rows[_i].file, NULL);
	struct findings findings = { 0 };
	char array[2048];
	struct buf text;

	config_add_advice(config, &findings);
	buf_init(&text, array, sizeof(array));
	for (size_t i = 0; i < findings.n; i++)
		buf_printf(&text, "%s\n", findings.items[i].text);
	ck_assert_str_eq(text.data, rows[_i].findings);
	ck_assert_uint_eq(findings.n_errors, 0);
	findings_free(&findings);
	config_free(config);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("check");
	TCase *tests = tcase_create("check");

	LOOP(tests, advises, rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
