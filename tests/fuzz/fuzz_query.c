/*
 * The walk over a query and percent-encoding: nothing is lost, nothing is added, and what is
 * encoded decodes to itself.
 */
#include <stdlib.h>

#include "base/url.h"
#include "fuzz.h"

/* The query without its empty pairs, taken apart by nothing but the & in it. */
static void
put_without_empty_pairs(struct buf *out, struct span query)
{
	for (size_t i = 0; i < query.len; i++)
		if (query.data[i] != '&' || (out->len > 0 && out->data[out->len - 1] != '&'))
			buf_putc(out, query.data[i]);
	if (out->len > 0 && out->data[out->len - 1] == '&')
		out->data[--out->len] = '\0';
}

static void
put_pair(struct buf *out, struct span name, struct span value)
{
	HOLDS(memchr(name.data, '=', name.len) == NULL);
	HOLDS(memchr(name.data, '&', name.len) == NULL);
	HOLDS(memchr(value.data, '&', value.len) == NULL);
	if (out->len > 0)
		buf_putc(out, '&');
	buf_put(out, name);
	if (value.data != name.data + name.len)
		buf_putc(out, '=');
	buf_put(out, value);
}

static void
check_pairs(struct span query)
{
	struct buf wanted = fuzz_buf(query.len + 2), seen = fuzz_buf(query.len + 2);
	struct span rest = query, name, value;

	put_without_empty_pairs(&wanted, query);
	while (url_next_pair(&rest, &name, &value))
		put_pair(&seen, name, value);
	HOLDS(buf_ok(&seen) && span_equals(buf_span(&seen), buf_span(&wanted)));
	free(wanted.data);
	free(seen.data);
}

static bool
is_unreserved(char c)
{
	return c != '\0' && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~",
				c) != NULL;
}

/* RFC 3986 2.3 and 2.1: unreserved bytes as they are, all others as %XX. */
static void
check_encoding(struct span bytes, struct span encoded)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t at = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.data[i];

		HOLDS(at < encoded.len);
		if (is_unreserved(bytes.data[i])) {
			HOLDS(encoded.data[at++] == bytes.data[i]);
			continue;
		}
		HOLDS(encoded.len - at >= 3 && encoded.data[at] == '%');
		HOLDS(encoded.data[at + 1] == hex[c / 16] && encoded.data[at + 2] == hex[c % 16]);
		at += 3;
	}
	HOLDS(at == encoded.len);
}

/* A known name is a string, so one with a NUL in it is never the same. */
static bool
name_is(struct span encoded, struct span known)
{
	char *string = fuzz_copy(known);
	bool same = url_name_is(encoded, string);

	free(string);
	return same;
}

static void
check_round_trip(struct span bytes)
{
	struct buf encoded = fuzz_buf(3 * bytes.len + 1), decoded = fuzz_buf(bytes.len + 1);

	url_encode(&encoded, bytes);
	HOLDS(buf_ok(&encoded));
	check_encoding(bytes, buf_span(&encoded));
	HOLDS(url_decode_form(&decoded, buf_span(&encoded)));
	HOLDS(buf_ok(&decoded) && span_equals(buf_span(&decoded), bytes));
	HOLDS(name_is(buf_span(&encoded), bytes) == (span_find(bytes, '\0') == bytes.len));
	free(encoded.data);
	free(decoded.data);
}

/* A buf of the encoded length is always enough; what is decoded is what another decoder says. */
static void
check_decoding(struct span encoded)
{
	struct buf decoded = fuzz_buf(encoded.len + 1);
	char *wanted = fuzz_copy(encoded);
	size_t len = 0;
	bool good = url_decode_form(&decoded, encoded);

	HOLDS(buf_ok(&decoded));
	HOLDS(good == fuzz_decode(encoded, true, wanted, &len));
	if (good)
		HOLDS(span_equals(buf_span(&decoded), (struct span){ wanted, len }));
	HOLDS(name_is(encoded, buf_span(&decoded)) ==
	      (good && span_find(buf_span(&decoded), '\0') == decoded.len));
	if (good) {
		wanted[len] = 'x';
		HOLDS(!name_is(encoded, (struct span){ wanted, len + 1 }));
	}
	if (good && len > 0) {
		HOLDS(!name_is(encoded, (struct span){ wanted, len - 1 }));
		wanted[len - 1] = (char)(wanted[len - 1] ^ 1);
		HOLDS(!name_is(encoded, (struct span){ wanted, len }));
	}
	free(decoded.data);
	free(wanted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size }, rest = input, name, value;

	check_pairs(input);
	check_round_trip(input);
	check_decoding(input);
	while (url_next_pair(&rest, &name, &value)) {
		check_decoding(name);
		check_decoding(value);
	}
	return 0;
}
