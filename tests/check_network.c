#include "network.h"
#include "support.h"

static const struct {
	const char *text;
	const char *shown; /* NULL: refused */
} address_rows[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "192.0.2.1:8080", "192.0.2.1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "2001:db8::1", "2001:db8::1" },
	{ "[2001:db8::1]", "2001:db8::1" },
	{ "[2001:db8::1]:443", "2001:db8::1" },
	{ "::", "::" },
	{ "", NULL },
	{ "unknown", NULL },
	{ "_hidden", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2", NULL },
	{ "1.2.3.4 ", NULL },
	{ "2001:db8::1::2", NULL },
	{ "[", NULL },
	{ "[]", NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

START_TEST(reads_addresses)
{
	char shown[NETWORK_ADDRESS_SIZE] = "";
	struct address address;
	bool good = network_parse_address(span_of(address_rows[_i].text), &address);

	ck_assert_int_eq(good, address_rows[_i].shown != NULL);
	if (!good)
		return;
	network_format_address(&address, shown);
	ck_assert_str_eq(shown, address_rows[_i].shown);
}
END_TEST

static const struct {
	const char *network;
	const char *address;
	bool contains;
} contain_rows[] = {
	{ "10.0.0.0/8", "10.255.0.1", true },
	{ "10.0.0.0/8", "11.0.0.1", false },
	{ "10.0.0.1", "10.0.0.1", true },
	{ "10.0.0.1", "10.0.0.2", false },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "fd00::/8", "fdff::1", true },
	{ "fd00::/8", "fe00::1", false },
	{ "192.0.2.128/25", "192.0.2.200", true },
	{ "192.0.2.128/25", "192.0.2.100", false },
	{ "192.0.2.0/31", "192.0.2.1", true },
	{ "192.0.2.0/31", "192.0.2.2", false },
	{ "2001:db8::/33", "2001:db8:7fff::", true },
	{ "2001:db8::/33", "2001:db8:8000::", false },
	{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
};

START_TEST(contains)
{
	struct network network;
	struct address address;

	ck_assert(network_parse(span_of(contain_rows[_i].network), &network));
	ck_assert(network_parse_address(span_of(contain_rows[_i].address), &address));
	ck_assert(network_contains(&network, &address) == contain_rows[_i].contains);
}
END_TEST

static const char *const bad_networks[] = { "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129",
	"10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "[::1]/128", "host/8" };

START_TEST(refuses_networks)
{
	struct network network;

	ck_assert(!network_parse(span_of(bad_networks[_i]), &network));
}
END_TEST

/* Trusted are 10.0.0.0/8 and 2001:db8::/32. */
static const struct {
	const char *peer;
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
};

START_TEST(finds_clients)
{
	struct network trusted[2];
	struct header headers[3] = { { SPAN("Host"), SPAN("h") } };
	struct request request = { .headers = headers, .n_headers = 1 };
	struct address peer;
	char shown[NETWORK_ADDRESS_SIZE];

	ck_assert(network_parse((struct span)SPAN("10.0.0.0/8"), &trusted[0]));
	ck_assert(network_parse((struct span)SPAN("2001:db8::/32"), &trusted[1]));
	for (size_t i = 0; i < 2 && client_rows[_i].fields[i] != NULL; i++)
		headers[request.n_headers++] =
		    (struct header){ SPAN("x-forwarded-for"), span_of(client_rows[_i].fields[i]) };
	ck_assert(network_parse_address(span_of(client_rows[_i].peer), &peer));
	peer = network_find_client(trusted, 2, &request, peer);
	network_format_address(&peer, shown);
	ck_assert_str_eq(shown, client_rows[_i].client);
}
END_TEST

#define LOOP(test, rows) tcase_add_loop_test(tests, test, 0, sizeof(rows) / sizeof((rows)[0]))

int
main(void)
{
	Suite *suite = suite_create("network");
	TCase *tests = tcase_create("network");

	LOOP(reads_addresses, address_rows);
	LOOP(contains, contain_rows);
	LOOP(refuses_networks, bad_networks);
	LOOP(finds_clients, client_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
