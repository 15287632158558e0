#include "http/http.h"
#include "support.h"

/* Trusted are 10.0.0.0/8 and 2001:db8::/32. */
static const struct {
	const char *peer;      /* empty: over a Unix socket */
	const char *fields[2]; /* X-Forwarded-For, in the order in which they stand */
	const char *client;
} client_rows[] = {
	{ "203.0.113.1", { NULL }, "203.0.113.1" },
	{ "203.0.113.1", { "198.51.100.1" }, "203.0.113.1" },
	{ "10.0.0.1", { NULL }, "10.0.0.1" },
	{ "10.0.0.1", { "198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "6.6.6.6, 198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "6.6.6.6, 198.51.100.1, 10.0.0.2,10.0.0.3" }, "198.51.100.1" },
	{ "10.0.0.1", { "198.51.100.1", "10.0.0.2" }, "198.51.100.1" },
	{ "10.0.0.1", { "6.6.6.6", "198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "10.0.0.3, 10.0.0.2" }, "10.0.0.3" },
	{ "10.0.0.1", { "198.51.100.1, garbage, 10.0.0.2" }, "10.0.0.2" },
	{ "10.0.0.1", { "198.51.100.1," }, "10.0.0.1" },
	{ "10.0.0.1", { "" }, "10.0.0.1" },
	{ "10.0.0.1", { "198.51.100.1:4711" }, "198.51.100.1" },
	{ "2001:db8::9", { "[2001:db9::1]:4711" }, "2001:db9::1" },
	{ "", { "198.51.100.1" }, "198.51.100.1" },
	{ "", { "6.6.6.6, 198.51.100.1" }, "198.51.100.1" },
	{ "", { "198.51.100.1, 10.0.0.2" }, "198.51.100.1" },
	{ "", { "6.6.6.6", "198.51.100.1, 10.0.0.2" }, "198.51.100.1" },
	{ "", { "198.51.100.1, garbage, 10.0.0.2" }, "10.0.0.2" },
	{ "", { "198.51.100.1, garbage" }, "" },
	{ "", { "198.51.100.1," }, "" },
	{ "", { "unix:" }, "" },
	{ "", { "" }, "" },
	{ "", { NULL }, "" },
};

START_TEST(finds_clients)
{
	struct network trusted[2];
	struct header headers[3] = { { SPAN("Host"), SPAN("h") } };
	struct request request = { .headers = headers, .n_headers = 1 };
	struct address peer, client;
	char shown[ADDRESS_TEXT_SIZE] = "";
	bool has_peer;

	ck_assert(network_parse((struct span)SPAN("10.0.0.0/8"), &trusted[0]));
	ck_assert(network_parse((struct span)SPAN("2001:db8::/32"), &trusted[1]));
	for (size_t i = 0; i < 2 && client_rows[_i].fields[i] != NULL; i++)
		headers[request.n_headers++] =
		    (struct header){ SPAN("x-forwarded-for"), span_of(client_rows[_i].fields[i]) };
	has_peer = address_parse(span_of(client_rows[_i].peer), &peer);
	if (http_forwarded_client(trusted, 2, &request, has_peer ? &peer : NULL, &client))
		address_format(&client, shown);
	ck_assert_str_eq(shown, client_rows[_i].client);
}
END_TEST

#define LONGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

static const struct {
	const char *peer;      /* empty: over a Unix socket */
	const char *fields[2]; /* X-Request-Id */
	const char *id;        /* empty: none that can be used */
} id_rows[] = {
	{ "10.0.0.1", { "a" }, "a" },
	{ "10.0.0.1", { "azAZ09._-" }, "azAZ09._-" },
	{ "10.0.0.1", { "3f1c1a9e-8d2b-4e0f-9a57-0b7c1d2e3f40" },
	    "3f1c1a9e-8d2b-4e0f-9a57-0b7c1d2e3f40" },
	{ "10.0.0.1", { LONGEST }, LONGEST },
	{ "10.0.0.1", { LONGEST "0" }, "" },
	{ "10.0.0.1", { "" }, "" },
	{ "10.0.0.1", { NULL }, "" },
	{ "10.0.0.1", { "a", "b" }, "" },
	{ "10.0.0.1", { "a", "" }, "" },
	{ "10.0.0.1", { "a b" }, "" },
	{ "10.0.0.1", { "a,b" }, "" },
	{ "10.0.0.1", { "a/b" }, "" },
	{ "10.0.0.1", { "a:b" }, "" },
	{ "10.0.0.1", { "a\"b" }, "" },
	{ "10.0.0.1", { "<b>" }, "" },
	{ "10.0.0.1", { "a@b" }, "" },
	{ "10.0.0.1", { "a`b" }, "" },
	{ "10.0.0.1", { "a[b" }, "" },
	{ "10.0.0.1", { "a{b" }, "" },
	{ "10.0.0.1", { "a\tb" }, "" },
	{ "10.0.0.1", { "a\r" }, "" },
	{ "10.0.0.1", { "a\x7f" }, "" },
	{ "10.0.0.1", { "\xc3\xa9" }, "" },
	{ "2001:db8::9", { "a" }, "a" },
	{ "203.0.113.1", { "a" }, "" },
	{ "2001:db9::9", { "a" }, "" },
	{ "", { "a" }, "a" },
	{ "", { "a b" }, "" },
};

START_TEST(finds_ids)
{
	struct network trusted[2];
	struct header headers[3] = { { SPAN("X-Forwarded-For"), SPAN("h") } };
	struct request request = { .headers = headers, .n_headers = 1 };
	char id[HTTP_ID_SIZE] = "our own";
	struct address peer;
	bool has_peer;

	ck_assert(network_parse((struct span)SPAN("10.0.0.0/8"), &trusted[0]));
	ck_assert(network_parse((struct span)SPAN("2001:db8::/32"), &trusted[1]));
	for (size_t i = 0; i < 2 && id_rows[_i].fields[i] != NULL; i++)
		headers[request.n_headers++] =
		    (struct header){ SPAN("x-request-id"), span_of(id_rows[_i].fields[i]) };
	has_peer = address_parse(span_of(id_rows[_i].peer), &peer);
	http_take_forwarded_id(trusted, 2, &request, has_peer ? &peer : NULL, id);
	ck_assert_str_eq(id, id_rows[_i].id[0] != '\0' ? id_rows[_i].id : "our own");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("forwarded");
	TCase *tests = tcase_create("forwarded");

	LOOP(tests, finds_clients, client_rows);
	LOOP(tests, finds_ids, id_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
