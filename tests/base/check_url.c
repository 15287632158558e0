#include "base/url.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#define LABEL_59 "a2345678901234567890123456789012345678901234567890123456789"
#define LABEL_61 LABEL_59 "01"
#define LABEL_63 LABEL_61 "23"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

/* What may be wrong, and that nothing is. */
#define GOOD     "good"
#define BYTES    "contains a control byte, a space, a backslash, < or >"
#define SCHEME   "does not start with https://"
#define USERINFO "contains a user name"
#define HOST     "has no valid ASCII host"
#define PORT     "has a port that is not 1 to 65535"
#define INSECURE "uses http for a host other than localhost"
#define PATH     "has more than a scheme, a host and a port"
#define STAR     "has a * that does not stand for the first label of a domain"

/* RFC 3986 2.3, spelt out. */
static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

START_TEST(encodes_every_byte)
{
	char array[8], wanted[8];
	struct buf b;

	for (int c = 0; c < 256; c++) {
		bool plain = c != '\0' && strchr(unreserved, c) != NULL;

		snprintf(wanted, sizeof(wanted), plain ? "%c" : "%%%02X", c);
		buf_init(&b, array, sizeof(array));
		url_encode(&b, (struct span){ (char[]){ (char)c }, 1 });
		ck_assert_str_eq(b.data, wanted);
	}
}
END_TEST

static const struct {
	struct span bytes;
	const char *encoded;
} encode_rows[] = {
	{ SPAN(""), "" },
	{ SPAN("a b+c"), "a%20b%2Bc" },
	{ SPAN("\0"), "%00" },
	{ SPAN("%41"), "%2541" },
	{ SPAN("\r\n\t"), "%0D%0A%09" },
	{ SPAN("caf\xc3\xa9"), "caf%C3%A9" },
	{ SPAN("\xff"), "%FF" },
	{ SPAN("https://h/?a=b&c#d"), "https%3A%2F%2Fh%2F%3Fa%3Db%26c%23d" },
};

START_TEST(encodes)
{
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	url_encode(&b, encode_rows[_i].bytes);
	ck_assert(buf_ok(&b));
	ck_assert_str_eq(b.data, encode_rows[_i].encoded);
}
END_TEST

/* A percent form is never cut in two. */
START_TEST(encoding_overflows_to_nothing)
{
	char array[6];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	url_encode(&b, (struct span)SPAN("ab "));
	ck_assert_str_eq(b.data, "ab%20");
	buf_clear(&b);
	url_encode(&b, (struct span)SPAN("abc "));
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(b.data, "");
}
END_TEST

static void
check_round_trip(struct span bytes)
{
	char encoded_array[256], decoded_array[256];
	struct buf encoded, decoded;

	buf_init(&encoded, encoded_array, sizeof(encoded_array));
	buf_init(&decoded, decoded_array, sizeof(decoded_array));
	url_encode(&encoded, bytes);
	ck_assert(url_decode_form(&decoded, buf_span(&encoded)));
	ck_assert(buf_ok(&encoded) && buf_ok(&decoded));
	ck_assert_msg(span_equals(buf_span(&decoded), bytes), "%s", encoded.data);
}

START_TEST(decodes_every_byte_that_was_encoded)
{
	for (int c = 0; c < 256; c++)
		check_round_trip((struct span){ (char[]){ (char)c }, 1 });
}
END_TEST

/* The same strings in every run, so that a failure can be met again. */
START_TEST(decodes_random_strings_that_were_encoded)
{
	unsigned state = 20250101;
	char bytes[64];

	for (size_t round = 0; round < 2000; round++) {
		size_t len = round % sizeof(bytes);

		for (size_t i = 0; i < len; i++) {
			state = state * 1664525u + 1013904223u;
			bytes[i] = (char)(state >> 24);
		}
		check_round_trip((struct span){ bytes, len });
	}
}
END_TEST

static const struct {
	struct span encoded;
	bool good;
	struct span decoded; /* of a broken one: what comes before the fault */
} decode_rows[] = {
	{ SPAN(""), true, SPAN("") },
	{ SPAN("abc"), true, SPAN("abc") },
	{ SPAN("+a+b+"), true, SPAN(" a b ") },
	{ SPAN("%2B"), true, SPAN("+") },
	{ SPAN("%2b%2B"), true, SPAN("++") },
	{ SPAN("%20%25%00%ff"), true, SPAN(" %\0\xff") },
	{ SPAN("a%00b"), true, SPAN("a\0b") },
	{ SPAN("%0d%0A"), true, SPAN("\r\n") },
	/* Once only. */
	{ SPAN("%2541"), true, SPAN("%41") },
	/* Bytes that should have been encoded stand for themselves. */
	{ SPAN("a\0\r\n\xff"), true, SPAN("a\0\r\n\xff") },
	{ SPAN("a=b&c?#"), true, SPAN("a=b&c?#") },
	{ SPAN("%"), false, SPAN("") },
	{ SPAN("%a"), false, SPAN("") },
	{ SPAN("ab%"), false, SPAN("ab") },
	{ SPAN("ab%4"), false, SPAN("ab") },
	{ SPAN("%zz"), false, SPAN("") },
	{ SPAN("%4z"), false, SPAN("") },
	{ SPAN("%z4"), false, SPAN("") },
	{ SPAN("%41%4g%42"), false, SPAN("A") },
	{ SPAN("a+%%41"), false, SPAN("a ") },
	{ SPAN("% 41"), false, SPAN("") },
	{ SPAN("%+1"), false, SPAN("") },
	{ SPAN("%-1"), false, SPAN("") },
	{ SPAN("%0x"), false, SPAN("") },
	{ SPAN("%u0041"), false, SPAN("") },
	{ SPAN("%\0\0"), false, SPAN("") },
	{ SPAN("%\xff\xff"), false, SPAN("") },
};

START_TEST(decodes)
{
	struct span decoded = decode_rows[_i].decoded;
	struct span encoded = decode_rows[_i].encoded;
	char *copy = support_copy(encoded);
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	ck_assert_int_eq(
	    url_decode_form(&b, (struct span){ copy, encoded.len }), decode_rows[_i].good);
	free(copy);
	ck_assert_msg(span_equals(buf_span(&b), decoded), "saw \"%s\"", b.data);
}
END_TEST

/* What stands after the span would make the percent form whole. */
START_TEST(decodes_nothing_past_the_end)
{
	char array[8];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	ck_assert(!url_decode_form(&b, (struct span){ "%41", 2 }));
	ck_assert(!url_name_is((struct span){ "%41", 2 }, "A"));
}
END_TEST

static const struct {
	struct span query;
	const char *pairs; /* name=value of each, in brackets */
} pair_rows[] = {
	{ SPAN(""), "" },
	{ SPAN("&"), "" },
	{ SPAN("&&&"), "" },
	{ SPAN("a"), "[a|]" },
	{ SPAN("a="), "[a|]" },
	{ SPAN("=v"), "[|v]" },
	{ SPAN("="), "[|]" },
	{ SPAN("=="), "[|=]" },
	{ SPAN("a=b"), "[a|b]" },
	{ SPAN("a=b=c"), "[a|b=c]" },
	{ SPAN("a&&b=="), "[a|][b|=]" },
	{ SPAN("&a=1&"), "[a|1]" },
	{ SPAN("a=1&a=2&b"), "[a|1][a|2][b|]" },
	/* Nothing is decoded, and nothing but & separates. */
	{ SPAN("a%26=%3D&b+c=+"), "[a%26|%3D][b+c|+]" },
	{ SPAN("a=1;b=2"), "[a|1;b=2]" },
	{ SPAN("?"), "[?|]" },
	{ SPAN("?a=1"), "[?a|1]" },
	{ SPAN("a=?&b=#"), "[a|?][b|#]" },
};

START_TEST(walks_pairs)
{
	struct span rest = pair_rows[_i].query;
	struct span name, value;
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	while (url_next_pair(&rest, &name, &value))
		buf_printf(&b, "[%.*s|%.*s]", (int)name.len, name.data, (int)value.len, value.data);
	ck_assert_str_eq(b.data, pair_rows[_i].pairs);
	ck_assert_uint_eq(rest.len, 0);
}
END_TEST

START_TEST(leaves_the_pair_alone_at_the_end)
{
	struct span rest = SPAN("&&");
	struct span name = SPAN("n"), value = SPAN("v");

	ck_assert(!url_next_pair(&rest, &name, &value));
	ck_span_eq(name, "n");
	ck_span_eq(value, "v");
}
END_TEST

static const struct {
	struct span encoded;
	const char *known;
	bool same;
} name_rows[] = {
	{ SPAN("code"), "code", true },
	{ SPAN("%63ode"), "code", true },
	{ SPAN("%63%6F%64%65"), "code", true },
	{ SPAN("cod%65"), "code", true },
	{ SPAN("a+b"), "a b", true },
	{ SPAN("a%20b"), "a b", true },
	{ SPAN("a%2Bb"), "a+b", true },
	{ SPAN("%ff"), "\xff", true },
	{ SPAN("\xff"), "\xff", true },
	{ SPAN(""), "", true },
	{ SPAN("Code"), "code", false },
	{ SPAN("%43ode"), "code", false },
	{ SPAN("cod"), "code", false },
	{ SPAN("codes"), "code", false },
	{ SPAN("code%00"), "code", false },
	{ SPAN("%00code"), "code", false },
	{ SPAN("code%"), "code", false },
	{ SPAN("code%2"), "code", false },
	{ SPAN("%zzode"), "code", false },
	{ SPAN("%2563ode"), "code", false },
	{ SPAN("+code"), "code", false },
	{ SPAN("a+b"), "a+b", false },
	{ SPAN(""), "code", false },
	{ SPAN("code"), "", false },
	/* A broken form is not the byte that a -1 would become. */
	{ SPAN("%zz"), "\xff", false },
};

START_TEST(compares_names)
{
	ck_assert_int_eq(
	    url_name_is(name_rows[_i].encoded, name_rows[_i].known), name_rows[_i].same);
}
END_TEST

static const struct {
	struct span url;
	const char *parsed; /* fault, or scheme, host and port */
} parse_rows[] = {
	{ SPAN("https://example.com"), "https example.com 443" },
	{ SPAN("https://example.com/"), "https example.com 443" },
	{ SPAN("https://example.com/a/b?c=d#e"), "https example.com 443" },
	{ SPAN("https://example.com?x"), "https example.com 443" },
	{ SPAN("https://example.com#x"), "https example.com 443" },
	{ SPAN("HTTPS://Example.COM/Path"), "https example.com 443" },
	{ SPAN("hTTpS://a"), "https a 443" },
	{ SPAN("https://xn--bcher-kva.example"), "https xn--bcher-kva.example 443" },
	{ SPAN("https://192.0.2.1/"), "https 192.0.2.1 443" },
	{ SPAN("https://a.0b"), "https a.0b 443" },
	{ SPAN("https://a.0"), HOST },
	{ SPAN("https://" NAME_253 "/"), "https " NAME_253 " 443" },
	{ SPAN("https://" NAME_253 "2/"), HOST },
	{ SPAN("https://h/caf\xc3\xa9\xff"), "https h 443" },
	/* What looks like an authority but follows one. */
	{ SPAN("https://h/@evil"), "https h 443" },
	{ SPAN("https://h?@evil"), "https h 443" },
	{ SPAN("https://h#@evil:0"), "https h 443" },
	{ SPAN("https://h//evil"), "https h 443" },
	{ SPAN("https://h/https://u@evil:0"), "https h 443" },
	/* Bytes that browsers drop or read otherwise. */
	{ SPAN(" https://h"), BYTES },
	{ SPAN("https://h "), BYTES },
	{ SPAN("https://h/a b"), BYTES },
	{ SPAN("ht\ttps://h"), BYTES },
	{ SPAN("https://e\tvil/"), BYTES },
	{ SPAN("https://h/\t"), BYTES },
	{ SPAN("https://h/\r\n"), BYTES },
	{ SPAN("https://h\n.evil/"), BYTES },
	{ SPAN("https://h\0.evil/"), BYTES },
	{ SPAN("https://h/\0"), BYTES },
	{ SPAN("https://h/\x01"), BYTES },
	{ SPAN("https://h/\x1f"), BYTES },
	{ SPAN("https://h/\x7f"), BYTES },
	{ SPAN("https://h/!"), "https h 443" },
	{ SPAN("https:\\\\evil"), BYTES },
	{ SPAN("https://evil\\@h"), BYTES },
	{ SPAN("https://h/\\evil"), BYTES },
	{ SPAN("https://h/<b>"), BYTES },
	{ SPAN("https://h/?<"), BYTES },
	{ SPAN("https://h/#>"), BYTES },
	/* Schemes. */
	{ SPAN(""), SCHEME },
	{ SPAN("h"), SCHEME },
	{ SPAN("example.com"), SCHEME },
	{ SPAN("/x"), SCHEME },
	{ SPAN("//x"), SCHEME },
	{ SPAN("://x"), SCHEME },
	{ SPAN("https"), SCHEME },
	{ SPAN("https:"), SCHEME },
	{ SPAN("https:x"), SCHEME },
	{ SPAN("https:/x"), SCHEME },
	{ SPAN("https;//x"), SCHEME },
	{ SPAN("httpss://x"), SCHEME },
	{ SPAN("ftp://x"), SCHEME },
	{ SPAN("javascript:alert(1)"), SCHEME },
	{ SPAN("javascript://h/%0aalert(1)"), SCHEME },
	{ SPAN("data:text/html,x"), SCHEME },
	{ SPAN("\xef\xbb\xbfhttps://h"), SCHEME },
	/* User names. */
	{ SPAN("https://u@h"), USERINFO },
	{ SPAN("https://u:p@h/"), USERINFO },
	{ SPAN("https://@h"), USERINFO },
	{ SPAN("https://h@"), USERINFO },
	{ SPAN("https://h:443@evil/"), USERINFO },
	{ SPAN("https://a@b@c"), USERINFO },
	{ SPAN("https://u@[::1]/"), USERINFO },
	/* Hosts. */
	{ SPAN("https://"), HOST },
	{ SPAN("https:///evil"), HOST },
	{ SPAN("https:////evil"), HOST },
	{ SPAN("https://?x"), HOST },
	{ SPAN("https://#x"), HOST },
	{ SPAN("https://:443/"), HOST },
	{ SPAN("https://h./"), HOST },
	{ SPAN("https://example.com./"), HOST },
	{ SPAN("https://.example.com"), HOST },
	{ SPAN("https://a..b"), HOST },
	{ SPAN("https://-a"), HOST },
	{ SPAN("https://a_b.com"), HOST },
	{ SPAN("https://*.example.com"), HOST },
	{ SPAN("https://a,b"), HOST },
	{ SPAN("https://b\xc3\xbc"
	       "cher.example"),
	    HOST },
	{ SPAN("https://example\xe3\x80\x82"
	       "com"),
	    HOST },
	{ SPAN("https://h\xff"), HOST },
	{ SPAN("https://ex%61mple.com"), HOST },
	{ SPAN("https://h%2eevil"), HOST },
	{ SPAN("https://h%00/"), HOST },
	/* IPv6. */
	{ SPAN("https://[::1]"), "https [::1] 443" },
	{ SPAN("https://[2001:DB8::A]:8443/x"), "https [2001:db8::a] 8443" },
	{ SPAN("https://[::ffff:192.0.2.1]/"), "https [::ffff:192.0.2.1] 443" },
	{ SPAN("https://[1111:2222:3333:4444:5555:6666:255.255.255.255]"),
	    "https [1111:2222:3333:4444:5555:6666:255.255.255.255] 443" },
	{ SPAN("https://[0001111:2222:3333:4444:5555:6666:255.255.255.255]"), HOST },
	{ SPAN("https://[]"), HOST },
	{ SPAN("https://["), HOST },
	{ SPAN("https://]"), HOST },
	{ SPAN("https://[::1"), HOST },
	{ SPAN("https://[::1/]"), HOST },
	{ SPAN("https://::1/"), HOST },
	{ SPAN("https://[::g]"), HOST },
	{ SPAN("https://[1:2:3:4:5:6:7:8:9]"), HOST },
	{ SPAN("https://[1::2::3]"), HOST },
	{ SPAN("https://[192.0.2.1]"), HOST },
	{ SPAN("https://[h]"), HOST },
	{ SPAN("https://[v1.x]"), HOST },
	{ SPAN("https://[fe80::1%eth0]"), HOST },
	{ SPAN("https://[fe80::1%25eth0]"), HOST },
	{ SPAN("https://[[::1]]"), HOST },
	{ SPAN("https://h[::1]"), HOST },
	{ SPAN("https://[::1]h"), PORT },
	{ SPAN("https://[::1].evil"), PORT },
	{ SPAN("https://[::1]x80"), PORT },
	/* Ports. */
	{ SPAN("https://h:443"), "https h 443" },
	{ SPAN("https://h:1/"), "https h 1" },
	{ SPAN("https://h:65535?x"), "https h 65535" },
	{ SPAN("https://h:0"), PORT },
	{ SPAN("https://h:00000"), PORT },
	{ SPAN("https://h:65536"), PORT },
	{ SPAN("https://h:65979"), PORT },
	{ SPAN("https://h:4294967739"), PORT },
	{ SPAN("https://h:18446744073709552059"), PORT },
	{ SPAN("https://h:"), PORT },
	{ SPAN("https://h:/x"), PORT },
	{ SPAN("https://h:00443/"), "https h 443" },
	{ SPAN("https://h:0000000000000000000080/"), "https h 80" },
	{ SPAN("https://h:+1"), PORT },
	{ SPAN("https://h:-1"), PORT },
	{ SPAN("https://h:x"), PORT },
	{ SPAN("https://h:1x"), PORT },
	{ SPAN("https://h:0x50"), PORT },
	{ SPAN("https://h:1:2"), PORT },
	{ SPAN("https://h:443evil.com/"), PORT },
	/* What browsers would take for an IPv4 address, unless it plainly is one. */
	{ SPAN("https://192.0.2.1/"), "https 192.0.2.1 443" },
	{ SPAN("https://127.1/"), HOST },
	{ SPAN("https://2130706433/"), HOST },
	{ SPAN("https://0x7f.1/"), HOST },
	{ SPAN("https://0x7f000001/"), HOST },
	{ SPAN("https://a.0X7F/"), HOST },
	{ SPAN("https://999.999.1.1/"), HOST },
	{ SPAN("https://1.2.3.4.5/"), HOST },
	{ SPAN("https://1a.example/"), "https 1a.example 443" },
	{ SPAN("https://1.example/"), "https 1.example 443" },
	/* http is for this machine only. */
	{ SPAN("http://localhost"), "http localhost 80" },
	{ SPAN("HTTP://LocalHost:3000/x"), "http localhost 3000" },
	{ SPAN("http://127.0.0.1/"), "http 127.0.0.1 80" },
	{ SPAN("http://[::1]:80"), "http [::1] 80" },
	{ SPAN("http://localhost:443"), "http localhost 443" },
	{ SPAN("http://example.com/"), INSECURE },
	{ SPAN("http://localhost.evil/"), INSECURE },
	{ SPAN("http://evil.localhost/"), INSECURE },
	{ SPAN("http://localhos/"), INSECURE },
	{ SPAN("http://127.0.0.2/"), INSECURE },
	{ SPAN("http://[::2]/"), INSECURE },
	{ SPAN("http://localhost:0/"), PORT },
	{ SPAN("http://u@localhost/"), USERINFO },
	{ SPAN("http:///localhost"), HOST },
};

static const char *
judged(struct span url, enum url_form form, struct url_origin *ret_origin)
{
	char *copy = support_copy(url);
	const char *wrong = url_parse((struct span){ copy, url.len }, form, ret_origin);

	free(copy);
	return wrong != NULL ? wrong : GOOD;
}

/* Into b: the fault, or the origin; what was there stays where there is a fault. */
static void
put_parsed(struct buf *b, struct span url)
{
	struct url_origin origin = { .port = 9, .host = "untouched" };
	const char *fault = judged(url, URL_ANY, &origin);

	if (strcmp(fault, GOOD) != 0) {
		buf_puts(b, fault);
		ck_assert_str_eq(origin.host, "untouched");
		ck_assert_uint_eq(origin.port, 9);
		return;
	}
	buf_printf(b, "%s %s %u", origin.https ? "https" : "http", origin.host, origin.port);
}

START_TEST(parses)
{
	char array[512];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	put_parsed(&b, parse_rows[_i].url);
	ck_assert(buf_ok(&b));
	ck_assert_str_eq(b.data, parse_rows[_i].parsed);
}
END_TEST

/* What stands after the span would make the address, or the port, whole. */
START_TEST(parses_nothing_past_the_end)
{
	struct url_origin origin;

	ck_assert_str_eq(judged((struct span){ "https://[::1]", 12 }, URL_ANY, &origin), HOST);
	ck_assert_str_eq(judged((struct span){ "https://h:1", 10 }, URL_ANY, &origin), PORT);
	ck_assert_str_eq(judged((struct span){ "https://h", 8 }, URL_ANY, &origin), HOST);
	ck_assert_str_eq(judged((struct span){ "https://h", 7 }, URL_ANY, &origin), SCHEME);
}
END_TEST

static const struct {
	struct span url;
	const char *fault;
} origin_rows[] = {
	{ SPAN("https://example.com"), GOOD },
	{ SPAN("https://example.com:8443"), GOOD },
	{ SPAN("http://localhost:3000"), GOOD },
	{ SPAN("https://[::1]"), GOOD },
	{ SPAN("https://example.com/"), PATH },
	{ SPAN("https://example.com?"), PATH },
	{ SPAN("https://example.com#"), PATH },
	{ SPAN("https://example.com:443/x"), PATH },
	/* The graver fault comes first. */
	{ SPAN("http://example.com/"), INSECURE },
	{ SPAN("https://h:0/"), PORT },
	{ SPAN("https:///"), HOST },
	{ SPAN("https://u@h/"), USERINFO },
	{ SPAN("ftp://h/"), SCHEME },
	{ SPAN("https://h/ "), BYTES },
	{ SPAN(""), SCHEME },
};

START_TEST(parses_origins)
{
	struct url_origin origin;

	ck_assert_str_eq(judged(origin_rows[_i].url, URL_ORIGIN, &origin), origin_rows[_i].fault);
}
END_TEST

static const struct {
	struct span origin, pattern;
	bool same;
} same_rows[] = {
	{ SPAN("https://h"), SPAN("https://h"), true },
	{ SPAN("https://h"), SPAN("https://h:443"), true },
	{ SPAN("https://h:00443"), SPAN("https://h"), true },
	{ SPAN("HTTPS://H"), SPAN("https://h"), true },
	{ SPAN("http://localhost"), SPAN("http://localhost:80"), true },
	{ SPAN("https://[::A]"), SPAN("https://[::a]:443"), true },
	{ SPAN("https://h"), SPAN("https://h:80"), false },
	{ SPAN("https://h:8443"), SPAN("https://h"), false },
	{ SPAN("http://localhost"), SPAN("https://localhost"), false },
	{ SPAN("http://localhost:443"), SPAN("https://localhost"), false },
	{ SPAN("https://localhost:80"), SPAN("http://localhost"), false },
	{ SPAN("http://localhost"), SPAN("http://127.0.0.1"), false },
	{ SPAN("https://h"), SPAN("https://hh"), false },
	{ SPAN("https://hh"), SPAN("https://h"), false },
	{ SPAN("https://a.h"), SPAN("https://h"), false },
	{ SPAN("https://h"), SPAN("https://h.evil"), false },
	/* A star is one label: no more, no less, and nothing but a label. */
	{ SPAN("https://a.b.c"), SPAN("https://*.b.c"), true },
	{ SPAN("https://A.B.C"), SPAN("HTTPS://*.b.C:443"), true },
	{ SPAN("https://a.b.c:8443"), SPAN("https://*.b.c:8443"), true },
	{ SPAN("https://xn--a.b.c"), SPAN("https://*.b.c"), true },
	{ SPAN("https://b.c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://x.a.b.c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://ab.c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://a.b.c.evil"), SPAN("https://*.b.c"), false },
	{ SPAN("https://a.evil.b.c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://evil-b.c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://a.b.c:444"), SPAN("https://*.b.c"), false },
	{ SPAN("https://c"), SPAN("https://*.b.c"), false },
	{ SPAN("https://1.2.3.4"), SPAN("https://*.b.c"), false },
	{ SPAN("https://[::1.2.3.4]"), SPAN("https://*.b.c"), false },
	{ SPAN("https://localhost"), SPAN("https://*.b.c"), false },
};

START_TEST(compares_origins)
{
	struct url_origin origin, patterns[2];

	ck_assert_ptr_null(url_parse((struct span)SPAN("https://other"), URL_ORIGIN, &patterns[0]));
	ck_assert_ptr_null(url_parse(same_rows[_i].origin, URL_ORIGIN, &origin));
	ck_assert_ptr_null(url_parse(same_rows[_i].pattern, URL_PATTERN, &patterns[1]));
	ck_assert_int_eq(url_matches(&origin, patterns, 2), same_rows[_i].same);
	ck_assert(!url_matches(&origin, patterns, 1));
}
END_TEST

#define LABEL_50 "a234567890b234567890c234567890d234567890e234567890."

static const struct {
	struct span url;
	const char *fault;
} pattern_rows[] = {
	{ SPAN("https://a.example.com"), GOOD },
	{ SPAN("https://localhost"), GOOD },
	{ SPAN("https://*.example.com"), GOOD },
	{ SPAN("https://*.a.b.example.com:8443"), GOOD },
	{ SPAN("https://*." LABEL_50 LABEL_50 LABEL_50 LABEL_50 LABEL_50 "c"), STAR },
	{ SPAN("https://*." LABEL_50 LABEL_50 LABEL_50 LABEL_50 "c"), GOOD },
	{ SPAN("https://*." LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_59), GOOD },
	{ SPAN("https://*." LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_59 "0"), STAR },
	{ SPAN("https://*"), STAR },
	{ SPAN("https://*."), STAR },
	{ SPAN("https://*.com"), STAR },
	{ SPAN("https://*.localhost"), STAR },
	{ SPAN("https://*example.com"), STAR },
	{ SPAN("https://**.example.com"), STAR },
	{ SPAN("https://*.*.example.com"), STAR },
	{ SPAN("https://a.*.example.com"), STAR },
	{ SPAN("https://a*.example.com"), STAR },
	{ SPAN("https://example.*"), STAR },
	{ SPAN("https://*..example.com"), STAR },
	{ SPAN("https://*.example.com."), STAR },
	{ SPAN("https://*.1.2.3"), STAR },
	{ SPAN("https://*.example.0x1"), STAR },
	{ SPAN("https://[*.example.com]"), STAR },
	{ SPAN("https://*.ex\xc3\xa4mple.com"), STAR },
	{ SPAN("https://*.example\0.com"), BYTES },
	{ SPAN("http://*.example.com"), INSECURE },
	{ SPAN("https://*.example.com/"), PATH },
	{ SPAN("https://*.example.com:0"), PORT },
	{ SPAN("https://u@*.example.com"), USERINFO },
	{ SPAN("*.example.com"), SCHEME },
	{ SPAN("https://a b"), BYTES },
	{ SPAN("https://"), HOST },
};

START_TEST(parses_patterns)
{
	struct url_origin pattern;

	ck_assert_str_eq(
	    judged(pattern_rows[_i].url, URL_PATTERN, &pattern), pattern_rows[_i].fault);
	if (span_find(pattern_rows[_i].url, '*') < pattern_rows[_i].url.len)
		ck_assert_ptr_nonnull(url_parse(pattern_rows[_i].url, URL_ANY, &pattern));
}
END_TEST

static void
add_parse_tests(TCase *tests)
{
	tcase_add_loop_test(tests, parses, 0, sizeof(parse_rows) / sizeof(parse_rows[0]));
	tcase_add_test(tests, parses_nothing_past_the_end);
	tcase_add_loop_test(tests, parses_origins, 0, sizeof(origin_rows) / sizeof(origin_rows[0]));
	tcase_add_loop_test(tests, compares_origins, 0, sizeof(same_rows) / sizeof(same_rows[0]));
	LOOP(tests, parses_patterns, pattern_rows);
}

int
main(void)
{
	Suite *suite = suite_create("url");
	TCase *tests = tcase_create("url");

	tcase_add_test(tests, encodes_every_byte);
	tcase_add_loop_test(tests, encodes, 0, sizeof(encode_rows) / sizeof(encode_rows[0]));
	tcase_add_test(tests, encoding_overflows_to_nothing);
	tcase_add_test(tests, decodes_every_byte_that_was_encoded);
	tcase_add_test(tests, decodes_random_strings_that_were_encoded);
	tcase_add_loop_test(tests, decodes, 0, sizeof(decode_rows) / sizeof(decode_rows[0]));
	tcase_add_test(tests, decodes_nothing_past_the_end);
	tcase_add_loop_test(tests, walks_pairs, 0, sizeof(pair_rows) / sizeof(pair_rows[0]));
	tcase_add_test(tests, leaves_the_pair_alone_at_the_end);
	tcase_add_loop_test(tests, compares_names, 0, sizeof(name_rows) / sizeof(name_rows[0]));
	add_parse_tests(tests);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
