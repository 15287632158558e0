#include "support.h"
#include "url.h"

#include <stdio.h>

#define LABEL_61 "a234567890123456789012345678901234567890123456789012345678901"
#define LABEL_63 LABEL_61 "23"
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61

/* RFC 3986 2.3, spelt out. */
static const char unreserved[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

START_TEST(encodes_every_byte)
{
	char array[8], wanted[8];
	struct buf b;

	for (int c = 0; c < 256; c++) {
		bool plain = c != '\0' && strchr(unreserved, c) != NULL;

		snprintf(wanted, sizeof(wanted), plain ? "%c" : "%%%02X", (unsigned)c);
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
	char array[64];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	ck_assert_int_eq(url_decode_form(&b, decode_rows[_i].encoded), decode_rows[_i].good);
	ck_assert_msg(span_equals(buf_span(&b), decoded), "saw \"%s\"", b.data);
}
END_TEST

/* What stands behind the span would make the percent form whole. */
START_TEST(decodes_nothing_behind_the_end)
{
	char array[8];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	ck_assert(!url_decode_form(&b, (struct span){ "%41", 2 }));
	ck_assert(!url_name_is((struct span){ "%41", 2 }, (struct span)SPAN("A")));
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
	struct span encoded, known;
	bool same;
} name_rows[] = {
	{ SPAN("code"), SPAN("code"), true },
	{ SPAN("%63ode"), SPAN("code"), true },
	{ SPAN("%63%6F%64%65"), SPAN("code"), true },
	{ SPAN("cod%65"), SPAN("code"), true },
	{ SPAN("a+b"), SPAN("a b"), true },
	{ SPAN("a%20b"), SPAN("a b"), true },
	{ SPAN("a%2Bb"), SPAN("a+b"), true },
	{ SPAN("%ff"), SPAN("\xff"), true },
	{ SPAN("\xff"), SPAN("\xff"), true },
	{ SPAN(""), SPAN(""), true },
	{ SPAN("Code"), SPAN("code"), false },
	{ SPAN("%43ode"), SPAN("code"), false },
	{ SPAN("cod"), SPAN("code"), false },
	{ SPAN("codes"), SPAN("code"), false },
	{ SPAN("code%00"), SPAN("code"), false },
	{ SPAN("%00code"), SPAN("code"), false },
	{ SPAN("code%"), SPAN("code"), false },
	{ SPAN("code%2"), SPAN("code"), false },
	{ SPAN("%zzode"), SPAN("code"), false },
	{ SPAN("%2563ode"), SPAN("code"), false },
	{ SPAN("+code"), SPAN("code"), false },
	{ SPAN("a+b"), SPAN("a+b"), false },
	{ SPAN(""), SPAN("code"), false },
	{ SPAN("code"), SPAN(""), false },
	/* A broken form is not the byte that a -1 would become. */
	{ SPAN("%zz"), SPAN("\xff"), false },
};

START_TEST(compares_names)
{
	ck_assert_int_eq(
	    url_name_is(name_rows[_i].encoded, name_rows[_i].known), name_rows[_i].same);
}
END_TEST

static const char *const fault_words[] = {
	[URL_GOOD] = "good",
	[URL_BYTES] = "bytes",
	[URL_SCHEME] = "scheme",
	[URL_USERINFO] = "userinfo",
	[URL_HOST] = "host",
	[URL_PORT] = "port",
	[URL_INSECURE] = "insecure",
	[URL_PATH] = "path",
};

static const struct {
	struct span url;
	const char *parsed; /* fault, or scheme, host, port and what follows them */
} parse_rows[] = {
	{ SPAN("https://example.com"), "https example.com 443 []" },
	{ SPAN("https://example.com/"), "https example.com 443 [/]" },
	{ SPAN("https://example.com/a/b?c=d#e"), "https example.com 443 [/a/b?c=d#e]" },
	{ SPAN("https://example.com?x"), "https example.com 443 [?x]" },
	{ SPAN("https://example.com#x"), "https example.com 443 [#x]" },
	{ SPAN("HTTPS://Example.COM/Path"), "https example.com 443 [/Path]" },
	{ SPAN("hTTpS://a"), "https a 443 []" },
	{ SPAN("https://xn--bcher-kva.example"), "https xn--bcher-kva.example 443 []" },
	{ SPAN("https://192.0.2.1/"), "https 192.0.2.1 443 [/]" },
	{ SPAN("https://" NAME_253 "/"), "https " NAME_253 " 443 [/]" },
	{ SPAN("https://" NAME_253 "2/"), "host" },
	{ SPAN("https://h/caf\xc3\xa9\xff"), "https h 443 [/caf\xc3\xa9\xff]" },
	/* What looks like an authority but follows one. */
	{ SPAN("https://h/@evil"), "https h 443 [/@evil]" },
	{ SPAN("https://h?@evil"), "https h 443 [?@evil]" },
	{ SPAN("https://h#@evil:0"), "https h 443 [#@evil:0]" },
	{ SPAN("https://h//evil"), "https h 443 [//evil]" },
	{ SPAN("https://h/https://u@evil:0"), "https h 443 [/https://u@evil:0]" },
	/* Bytes that browsers drop or read otherwise. */
	{ SPAN(" https://h"), "bytes" },
	{ SPAN("https://h "), "bytes" },
	{ SPAN("https://h/a b"), "bytes" },
	{ SPAN("ht\ttps://h"), "bytes" },
	{ SPAN("https://e\tvil/"), "bytes" },
	{ SPAN("https://h/\t"), "bytes" },
	{ SPAN("https://h/\r\n"), "bytes" },
	{ SPAN("https://h\n.evil/"), "bytes" },
	{ SPAN("https://h\0.evil/"), "bytes" },
	{ SPAN("https://h/\0"), "bytes" },
	{ SPAN("https://h/\x01"), "bytes" },
	{ SPAN("https://h/\x1f"), "bytes" },
	{ SPAN("https://h/\x7f"), "bytes" },
	{ SPAN("https://h/!"), "https h 443 [/!]" },
	{ SPAN("https:\\\\evil"), "bytes" },
	{ SPAN("https://evil\\@h"), "bytes" },
	{ SPAN("https://h/\\evil"), "bytes" },
	{ SPAN("https://h/<b>"), "bytes" },
	{ SPAN("https://h/?<"), "bytes" },
	{ SPAN("https://h/#>"), "bytes" },
	/* Schemes. */
	{ SPAN(""), "scheme" },
	{ SPAN("h"), "scheme" },
	{ SPAN("example.com"), "scheme" },
	{ SPAN("/x"), "scheme" },
	{ SPAN("//x"), "scheme" },
	{ SPAN("://x"), "scheme" },
	{ SPAN("https"), "scheme" },
	{ SPAN("https:"), "scheme" },
	{ SPAN("https:x"), "scheme" },
	{ SPAN("https:/x"), "scheme" },
	{ SPAN("https;//x"), "scheme" },
	{ SPAN("httpss://x"), "scheme" },
	{ SPAN("ftp://x"), "scheme" },
	{ SPAN("javascript:alert(1)"), "scheme" },
	{ SPAN("javascript://h/%0aalert(1)"), "scheme" },
	{ SPAN("data:text/html,x"), "scheme" },
	{ SPAN("\xef\xbb\xbfhttps://h"), "scheme" },
	/* User names. */
	{ SPAN("https://u@h"), "userinfo" },
	{ SPAN("https://u:p@h/"), "userinfo" },
	{ SPAN("https://@h"), "userinfo" },
	{ SPAN("https://h@"), "userinfo" },
	{ SPAN("https://h:443@evil/"), "userinfo" },
	{ SPAN("https://a@b@c"), "userinfo" },
	{ SPAN("https://u@[::1]/"), "userinfo" },
	/* Hosts. */
	{ SPAN("https://"), "host" },
	{ SPAN("https:///evil"), "host" },
	{ SPAN("https:////evil"), "host" },
	{ SPAN("https://?x"), "host" },
	{ SPAN("https://#x"), "host" },
	{ SPAN("https://:443/"), "host" },
	{ SPAN("https://h./"), "host" },
	{ SPAN("https://example.com./"), "host" },
	{ SPAN("https://.example.com"), "host" },
	{ SPAN("https://a..b"), "host" },
	{ SPAN("https://-a"), "host" },
	{ SPAN("https://a_b.com"), "host" },
	{ SPAN("https://*.example.com"), "host" },
	{ SPAN("https://a,b"), "host" },
	{ SPAN("https://b\xc3\xbc"
	       "cher.example"),
	    "host" },
	{ SPAN("https://example\xe3\x80\x82"
	       "com"),
	    "host" },
	{ SPAN("https://h\xff"), "host" },
	{ SPAN("https://ex%61mple.com"), "host" },
	{ SPAN("https://h%2eevil"), "host" },
	{ SPAN("https://h%00/"), "host" },
	/* IPv6. */
	{ SPAN("https://[::1]"), "https [::1] 443 []" },
	{ SPAN("https://[2001:DB8::A]:8443/x"), "https [2001:db8::a] 8443 [/x]" },
	{ SPAN("https://[::ffff:192.0.2.1]/"), "https [::ffff:192.0.2.1] 443 [/]" },
	{ SPAN("https://[1111:2222:3333:4444:5555:6666:255.255.255.255]"),
	    "https [1111:2222:3333:4444:5555:6666:255.255.255.255] 443 []" },
	{ SPAN("https://[0001111:2222:3333:4444:5555:6666:255.255.255.255]"), "host" },
	{ SPAN("https://[]"), "host" },
	{ SPAN("https://["), "host" },
	{ SPAN("https://]"), "host" },
	{ SPAN("https://[::1"), "host" },
	{ SPAN("https://[::1/]"), "host" },
	{ SPAN("https://::1/"), "host" },
	{ SPAN("https://[::g]"), "host" },
	{ SPAN("https://[1:2:3:4:5:6:7:8:9]"), "host" },
	{ SPAN("https://[1::2::3]"), "host" },
	{ SPAN("https://[192.0.2.1]"), "host" },
	{ SPAN("https://[h]"), "host" },
	{ SPAN("https://[v1.x]"), "host" },
	{ SPAN("https://[fe80::1%eth0]"), "host" },
	{ SPAN("https://[fe80::1%25eth0]"), "host" },
	{ SPAN("https://[[::1]]"), "host" },
	{ SPAN("https://h[::1]"), "host" },
	{ SPAN("https://[::1]h"), "port" },
	{ SPAN("https://[::1].evil"), "port" },
	{ SPAN("https://[::1]x80"), "port" },
	/* Ports. */
	{ SPAN("https://h:443"), "https h 443 []" },
	{ SPAN("https://h:1/"), "https h 1 [/]" },
	{ SPAN("https://h:65535?x"), "https h 65535 [?x]" },
	{ SPAN("https://h:0"), "port" },
	{ SPAN("https://h:00000"), "port" },
	{ SPAN("https://h:65536"), "port" },
	{ SPAN("https://h:65979"), "port" },
	{ SPAN("https://h:4294967739"), "port" },
	{ SPAN("https://h:18446744073709552059"), "port" },
	{ SPAN("https://h:"), "port" },
	{ SPAN("https://h:/x"), "port" },
	{ SPAN("https://h:00443/"), "https h 443 [/]" },
	{ SPAN("https://h:0000000000000000000080/"), "https h 80 [/]" },
	{ SPAN("https://h:+1"), "port" },
	{ SPAN("https://h:-1"), "port" },
	{ SPAN("https://h:x"), "port" },
	{ SPAN("https://h:1x"), "port" },
	{ SPAN("https://h:0x50"), "port" },
	{ SPAN("https://h:1:2"), "port" },
	{ SPAN("https://h:443evil.com/"), "port" },
	/* What browsers would take for an IPv4 address, unless it plainly is one. */
	{ SPAN("https://192.0.2.1/"), "https 192.0.2.1 443 [/]" },
	{ SPAN("https://127.1/"), "host" },
	{ SPAN("https://2130706433/"), "host" },
	{ SPAN("https://0x7f.1/"), "host" },
	{ SPAN("https://0x7f000001/"), "host" },
	{ SPAN("https://a.0X7F/"), "host" },
	{ SPAN("https://999.999.1.1/"), "host" },
	{ SPAN("https://1.2.3.4.5/"), "host" },
	{ SPAN("https://1a.example/"), "https 1a.example 443 [/]" },
	{ SPAN("https://1.example/"), "https 1.example 443 [/]" },
	/* http is for this machine only. */
	{ SPAN("http://localhost"), "http localhost 80 []" },
	{ SPAN("HTTP://LocalHost:3000/x"), "http localhost 3000 [/x]" },
	{ SPAN("http://127.0.0.1/"), "http 127.0.0.1 80 [/]" },
	{ SPAN("http://[::1]:80"), "http [::1] 80 []" },
	{ SPAN("http://localhost:443"), "http localhost 443 []" },
	{ SPAN("http://example.com/"), "insecure" },
	{ SPAN("http://localhost.evil/"), "insecure" },
	{ SPAN("http://evil.localhost/"), "insecure" },
	{ SPAN("http://localhos/"), "insecure" },
	{ SPAN("http://127.0.0.2/"), "insecure" },
	{ SPAN("http://[::2]/"), "insecure" },
	{ SPAN("http://localhost:0/"), "port" },
	{ SPAN("http://u@localhost/"), "userinfo" },
	{ SPAN("http:///localhost"), "host" },
};

/* Into b: the fault, or the origin; what was there stays where there is a fault. */
static void
put_parsed(struct buf *b, struct span url)
{
	struct url_origin origin = { .port = 9, .host = "untouched" };
	struct span rest = SPAN("untouched");
	enum url_fault fault = url_parse(url, &origin, &rest);

	if (fault != URL_GOOD) {
		buf_puts(b, fault_words[fault]);
		ck_assert_str_eq(origin.host, "untouched");
		ck_assert_uint_eq(origin.port, 9);
		ck_span_eq(rest, "untouched");
		return;
	}
	buf_printf(b, "%s %s %u [%.*s]", origin.https ? "https" : "http", origin.host, origin.port,
	    (int)rest.len, rest.data);
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

/* What stands behind the span would make the address, or the port, whole. */
START_TEST(parses_nothing_behind_the_end)
{
	struct url_origin origin;
	struct span rest;

	ck_assert_int_eq(url_parse((struct span){ "https://[::1]", 12 }, &origin, &rest), URL_HOST);
	ck_assert_int_eq(url_parse((struct span){ "https://h:1", 10 }, &origin, &rest), URL_PORT);
	ck_assert_int_eq(url_parse((struct span){ "https://h", 8 }, &origin, &rest), URL_HOST);
	ck_assert_int_eq(url_parse((struct span){ "https://h", 7 }, &origin, &rest), URL_SCHEME);
}
END_TEST

static const struct {
	struct span url;
	const char *fault;
} origin_rows[] = {
	{ SPAN("https://example.com"), "good" },
	{ SPAN("https://example.com:8443"), "good" },
	{ SPAN("http://localhost:3000"), "good" },
	{ SPAN("https://[::1]"), "good" },
	{ SPAN("https://example.com/"), "path" },
	{ SPAN("https://example.com?"), "path" },
	{ SPAN("https://example.com#"), "path" },
	{ SPAN("https://example.com:443/x"), "path" },
	/* The graver fault comes first. */
	{ SPAN("http://example.com/"), "insecure" },
	{ SPAN("https://h:0/"), "port" },
	{ SPAN("https:///"), "host" },
	{ SPAN("https://u@h/"), "userinfo" },
	{ SPAN("ftp://h/"), "scheme" },
	{ SPAN("https://h/ "), "bytes" },
	{ SPAN(""), "scheme" },
};

START_TEST(parses_origins)
{
	struct url_origin origin;
	enum url_fault fault = url_parse_origin(origin_rows[_i].url, &origin);

	ck_assert_str_eq(fault_words[fault], origin_rows[_i].fault);
}
END_TEST

static const struct {
	enum url_fault fault;
	const char *text;
} fault_rows[] = {
	{ URL_BYTES, "has a control byte, a space, a backslash, < or > in it" },
	{ URL_SCHEME, "does not start with https://" },
	{ URL_USERINFO, "has a user name in it" },
	{ URL_HOST, "has no valid ASCII host" },
	{ URL_PORT, "has a port that is not 1 to 65535" },
	{ URL_INSECURE, "uses http for another host than localhost" },
	{ URL_PATH, "has more than scheme, host and port" },
};

START_TEST(names_faults)
{
	ck_assert_str_eq(url_fault_text(fault_rows[_i].fault), fault_rows[_i].text);
}
END_TEST

static const struct {
	struct span a, b;
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
};

START_TEST(compares_origins)
{
	struct url_origin a, b;

	ck_assert_int_eq(url_parse_origin(same_rows[_i].a, &a), URL_GOOD);
	ck_assert_int_eq(url_parse_origin(same_rows[_i].b, &b), URL_GOOD);
	ck_assert_int_eq(url_same_origin(&a, &b), same_rows[_i].same);
	ck_assert_int_eq(url_same_origin(&b, &a), same_rows[_i].same);
}
END_TEST

static const struct {
	struct span url;
	bool loopback;
} loopback_rows[] = {
	{ SPAN("https://localhost:8443"), true },
	{ SPAN("http://LOCALHOST"), true },
	{ SPAN("http://127.0.0.1"), true },
	{ SPAN("https://[::1]"), true },
	{ SPAN("https://[::2]"), false },
	{ SPAN("https://127.0.0.2"), false },
	{ SPAN("https://localhost.example"), false },
	{ SPAN("https://example.com"), false },
};

START_TEST(knows_this_machine)
{
	struct url_origin origin;

	ck_assert_int_eq(url_parse_origin(loopback_rows[_i].url, &origin), URL_GOOD);
	ck_assert_int_eq(url_is_loopback(&origin), loopback_rows[_i].loopback);
}
END_TEST

static void
add_parse_tests(TCase *tests)
{
	tcase_add_loop_test(tests, parses, 0, sizeof(parse_rows) / sizeof(parse_rows[0]));
	tcase_add_test(tests, parses_nothing_behind_the_end);
	tcase_add_loop_test(tests, parses_origins, 0, sizeof(origin_rows) / sizeof(origin_rows[0]));
	tcase_add_loop_test(tests, names_faults, 0, sizeof(fault_rows) / sizeof(fault_rows[0]));
	tcase_add_loop_test(tests, compares_origins, 0, sizeof(same_rows) / sizeof(same_rows[0]));
	tcase_add_loop_test(
	    tests, knows_this_machine, 0, sizeof(loopback_rows) / sizeof(loopback_rows[0]));
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
	tcase_add_test(tests, decodes_nothing_behind_the_end);
	tcase_add_loop_test(tests, walks_pairs, 0, sizeof(pair_rows) / sizeof(pair_rows[0]));
	tcase_add_test(tests, leaves_the_pair_alone_at_the_end);
	tcase_add_loop_test(tests, compares_names, 0, sizeof(name_rows) / sizeof(name_rows[0]));
	add_parse_tests(tests);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
