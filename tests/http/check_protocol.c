#include "http/http.h"
#include "support.h"

/* A ClientHello as it begins: record header, handshake header, the version that it names. */
#define HELLO(minor) "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03" minor "\x9a\x9a\x9a\x9a\x9a"

#define PROXY                                                                                      \
	"A client sent the PROXY protocol, which is not supported: turn it off in the proxy "      \
	"(send-proxy, proxy_protocol), and let it send X-Forwarded-For"
#define HTTP_2 "A client sent HTTP/2 without TLS: let the proxy speak HTTP/1.1 to this server"
#define TLS                                                                                        \
	"A client sent TLS to a plain HTTP port: let it use http, or set tls.certificate and "     \
	"tls.private_key"
#define OLD_TLS "A client supports TLS 1.1 at most: it must support TLS 1.2"
#define PLAIN   "A client sent plain HTTP to a TLS port: let the proxy or the health check use https"

static const struct {
	struct span first;
	const char *plain, *tls; /* the hint; NULL: there is none */
} rows[] = {
	{ SPAN(""), NULL, NULL },
	{ SPAN("PROXY TCP4 192.0"), PROXY, PROXY },
	{ SPAN("PROXY "), PROXY, PROXY },
	{ SPAN("PROXY"), NULL, PLAIN },
	{ SPAN("proxy TCP4 192.0"), NULL, NULL },
	{ SPAN("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"), PROXY, PROXY },
	{ SPAN("\r\n\r\n\0\r\nQUIT\n"), PROXY, PROXY },
	{ SPAN("\r\n\r\n\0\r\nQUIT"), NULL, NULL },
	{ SPAN("PRI * HTTP/2.0\r\n"), HTTP_2, PLAIN },
	{ SPAN("PRI * HTTP/1.1\r\n"), NULL, PLAIN },
	{ SPAN(HELLO("\x03")), TLS, NULL },
	{ SPAN(HELLO("\x04")), TLS, NULL },
	{ SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00"), TLS, NULL },
	{ SPAN(HELLO("\x02")), TLS, OLD_TLS },
	{ SPAN(HELLO("\x01")), TLS, OLD_TLS },
	{ SPAN(HELLO("\0")), TLS, OLD_TLS },
	{ SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"), TLS, NULL },
	{ SPAN("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x02"), TLS, OLD_TLS },
	{ SPAN("\x16\x03\x01"), TLS, NULL },
	{ SPAN("\x16\x03"), NULL, NULL },
	{ SPAN("\x16\x02\x01"), NULL, NULL },
	{ SPAN("\x15\x03\x03\x00\x02\x02\x28"), NULL, NULL },
	{ SPAN("GET / HTTP/1.1\r\n"), NULL, PLAIN },
	{ SPAN("get / HTTP/1.1\r\n"), NULL, NULL },
	{ SPAN("A 1"), NULL, PLAIN },
	{ SPAN("Z"), NULL, PLAIN },
	{ SPAN("@A"), NULL, NULL },
	{ SPAN("[A"), NULL, NULL },
	{ SPAN("\x80\x2e\x01\x03\x01"), NULL, NULL },
	{ SPAN("\0\0\0\0"), NULL, NULL },
	{ SPAN("\xff"), NULL, NULL },
};

START_TEST(knows_protocols)
{
	ck_assert_pstr_eq(protocol_hint(rows[_i].first, false), rows[_i].plain);
	ck_assert_pstr_eq(protocol_hint(rows[_i].first, true), rows[_i].tls);
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
