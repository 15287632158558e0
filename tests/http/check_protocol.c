#include "http/http.h"
#include "support.h"

/* A ClientHello as it begins: record header, handshake header, the version that it names. */
#define HELLO(minor) "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03" minor "\x9a\x9a\x9a\x9a\x9a"

static const struct {
	struct span first;
	const char *plain, *tls; /* how the hint begins; NULL: there is none */
} rows[] = {
	{ SPAN(""), NULL, NULL },
	{ SPAN("PROXY TCP4 192.0"), "A client sent the PROXY protocol",
	    "A client sent the PROXY protocol" },
	{ SPAN("PROXY "), "A client sent the PROXY protocol", "A client sent the PROXY protocol" },
	{ SPAN("PROXY"), NULL, "A client sent plain HTTP" },
	{ SPAN("proxy TCP4 192.0"), NULL, NULL },
	{ SPAN("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"), "A client sent the PROXY protocol",
	    "A client sent the PROXY protocol" },
	{ SPAN("\r\n\r\n\0\r\nQUIT\n"), "A client sent the PROXY protocol",
	    "A client sent the PROXY protocol" },
	{ SPAN("\r\n\r\n\0\r\nQUIT"), NULL, NULL },
	{ SPAN("PRI * HTTP/2.0\r\n"), "A client sent HTTP/2", "A client sent plain HTTP" },
	{ SPAN("PRI * HTTP/1.1\r\n"), NULL, "A client sent plain HTTP" },
	{ SPAN(HELLO("\x03")), "A client sent TLS", NULL },
	{ SPAN(HELLO("\x04")), "A client sent TLS", NULL },
	{ SPAN(HELLO("\x02")), "A client sent TLS", "A client supports TLS 1.1" },
	{ SPAN(HELLO("\x01")), "A client sent TLS", "A client supports TLS 1.1" },
	{ SPAN(HELLO("\0")), "A client sent TLS", "A client supports TLS 1.1" },
	{ SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"), "A client sent TLS", NULL },
	{ SPAN("\x16\x03\x01"), "A client sent TLS", NULL },
	{ SPAN("\x16\x03"), NULL, NULL },
	{ SPAN("\x16\x02\x01"), NULL, NULL },
	{ SPAN("\x15\x03\x03\x00\x02\x02\x28"), NULL, NULL },
	{ SPAN("GET / HTTP/1.1\r\n"), NULL, "A client sent plain HTTP" },
	{ SPAN("get / HTTP/1.1\r\n"), NULL, NULL },
	{ SPAN("A 1"), NULL, "A client sent plain HTTP" },
	{ SPAN("Z"), NULL, "A client sent plain HTTP" },
	{ SPAN("@A"), NULL, NULL },
	{ SPAN("[A"), NULL, NULL },
	{ SPAN("\x80\x2e\x01\x03\x01"), NULL, NULL },
	{ SPAN("\0\0\0\0"), NULL, NULL },
	{ SPAN("\xff"), NULL, NULL },
};

static void
check_hint(const char *hint, const char *wanted)
{
	ck_assert_int_eq(hint == NULL, wanted == NULL);
	if (wanted != NULL)
		ck_assert_msg(strncmp(hint, wanted, strlen(wanted)) == 0, "%s", hint);
}

START_TEST(knows_protocols)
{
	check_hint(protocol_hint(rows[_i].first, false), rows[_i].plain);
	check_hint(protocol_hint(rows[_i].first, true), rows[_i].tls);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("protocol");
	TCase *tests = tcase_create("protocol");

	tcase_add_loop_test(tests, knows_protocols, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
