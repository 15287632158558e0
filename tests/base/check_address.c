#include "base/address.h"

#include <netinet/in.h>
#include <stdlib.h>

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
	/* The longest text of an address has 45 bytes. */
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255" },
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.2550", NULL },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
};

START_TEST(reads_addresses)
{
	struct span text = span_of(address_rows[_i].text);
	char *copy = support_copy(text);
	char shown[ADDRESS_TEXT_SIZE] = "";
	struct address address;
	bool good = address_parse((struct span){ copy, text.len }, &address);

	free(copy);
	ck_assert_int_eq(good, address_rows[_i].shown != NULL);
	if (!good)
		return;
	address_format(&address, shown);
	ck_assert_str_eq(shown, address_rows[_i].shown);
}
END_TEST

START_TEST(refuses_nul_in_an_address)
{
	struct address address;

	ck_assert(!address_parse((struct span)SPAN("192.0.2.1\0"), &address));
	ck_assert(!address_parse((struct span)SPAN("::\0001"), &address));
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
	{ "::ffff:10.0.0.0/104", "11.1.2.3", false },
	{ "::ffff:0:0/96", "11.1.2.3", true },
	{ "::ffff:0:0/96", "::1", false },
};

/* Whether two addresses are one client's. */
static const struct {
	const char *a, *b;
	bool same;
} client_rows[] = {
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "::ffff:192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "::ffff:192.0.2.1", "192.0.2.0", false },
	{ "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true },
	{ "2001:db8::1", "2001:db8:0:1::1", false },
	{ "::1", "192.0.2.1", false }, /* which lies within ::/64 */
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "0.0.0.1", "::1", false },
};

START_TEST(knows_clients)
{
	struct address a, b;
	struct network network;

	ck_assert(address_parse(span_of(client_rows[_i].a), &a));
	ck_assert(address_parse(span_of(client_rows[_i].b), &b));
	network = network_of_client(&a);
	ck_assert_int_eq(network_contains(&network, &b), client_rows[_i].same);
}
END_TEST

START_TEST(contains)
{
	struct network network;
	struct address address;

	ck_assert(network_parse(span_of(contain_rows[_i].network), &network));
	ck_assert(address_parse(span_of(contain_rows[_i].address), &address));
	ck_assert(network_contains(&network, &address) == contain_rows[_i].contains);
}
END_TEST

static const char *const bad_networks[] = { "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129",
	"10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "[::1]/128", "host/8",
	/* A port would make IPv4 look like IPv6, and /8 then every IPv4 address. */
	"10.0.0.1:80/8", "10.0.0.1:80", "10.0.0.1:80/32", "10.0.0.1:/8", "10.0.0.1:0/0",
	"[10.0.0.1]/8", "[10.0.0.1]:80/8", "[fd00::]:80/8", "[fd00::]", "[::1", "10.0.0.0/8:80",
	"::ffff:10.0.0.0/8", "::ffff:10.0.0.0/95", "::ffff:a00:0/8", "::ffff:0:0/0", "10.0.0.1 /8",
	"010.0.0.0/8", "10.0.0/8", "fd00::%eth0/64", "10.0.0.0\\8" };

START_TEST(refuses_networks)
{
	struct network network;

	ck_assert(!network_parse(span_of(bad_networks[_i]), &network));
}
END_TEST

/* Of a socket of each family; NULL: no IP address. */
static const struct {
	int family;
	const char *bytes; /* 4 or 16 of them */
	const char *shown;
} socket_rows[] = {
	{ AF_INET, "\xc0\x00\x02\x01", "192.0.2.1" },
	{ AF_INET6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", "2001:db8::1" },
	{ AF_INET6, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", "192.0.2.1" },
	{ AF_UNIX, "", NULL },
};

START_TEST(reads_sockets)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = (sa_family_t)socket_rows[_i].family };
	const struct sockaddr *from = (const void *)&v6;
	struct address address;
	char shown[ADDRESS_TEXT_SIZE] = "";

	if (socket_rows[_i].family == AF_INET) {
		memcpy(&v4.sin_addr, socket_rows[_i].bytes, 4);
		from = (const void *)&v4;
	} else if (socket_rows[_i].family == AF_INET6) {
		memcpy(&v6.sin6_addr, socket_rows[_i].bytes, 16);
	}
	ck_assert_int_eq(address_of_socket(from, &address), socket_rows[_i].shown != NULL);
	if (socket_rows[_i].shown == NULL)
		return;
	address_format(&address, shown);
	ck_assert_str_eq(shown, socket_rows[_i].shown);
}
END_TEST

START_TEST(makes_socket_addresses)
{
	struct sockaddr_storage to;
	const struct sockaddr_in *v4 = (const void *)&to;
	const struct sockaddr_in6 *v6 = (const void *)&to;
	struct address address;

	memset(&to, 0, sizeof(to));
	ck_assert(address_parse((struct span)SPAN("192.0.2.1"), &address));
	ck_assert_uint_eq(address_to_socket(&address, 8080, &to), sizeof(*v4));
	ck_assert_int_eq(v4->sin_family, AF_INET);
	ck_assert_uint_eq(ntohs(v4->sin_port), 8080);
	ck_assert_uint_eq(ntohl(v4->sin_addr.s_addr), 0xc0000201);
	memset(&to, 0, sizeof(to));
	ck_assert(address_parse((struct span)SPAN("2001:db8::1"), &address));
	ck_assert_uint_eq(address_to_socket(&address, 9464, &to), sizeof(*v6));
	ck_assert_int_eq(v6->sin6_family, AF_INET6);
	ck_assert_uint_eq(ntohs(v6->sin6_port), 9464);
	ck_assert_mem_eq(&v6->sin6_addr, address.bytes, sizeof(address.bytes));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tests = tcase_create("address");

	LOOP(tests, reads_addresses, address_rows);
	tcase_add_test(tests, refuses_nul_in_an_address);
	tcase_add_test(tests, makes_socket_addresses);
	LOOP(tests, contains, contain_rows);
	LOOP(tests, knows_clients, client_rows);
	LOOP(tests, refuses_networks, bad_networks);
	LOOP(tests, reads_sockets, socket_rows);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
