/*
 * Reads and compares addresses. Pure.
 */
#include "network.h"

#include <arpa/inet.h>

static const unsigned char v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* Without a port: 192.0.2.1:80 and [2001:db8::1]:80 lose it, 2001:db8::1 has none. */
static struct span
without_port(struct span text)
{
	size_t colon = span_find(text, ':');

	if (text.len > 0 && text.data[0] == '[') {
		text = span_from(text, 1);
		text.len = span_find(text, ']');
	} else if (span_find(span_from(text, colon + 1), ':') == span_from(text, colon + 1).len) {
		text.len = colon;
	}
	return text;
}

bool
network_parse_address(struct span text, struct address *ret_address)
{
	char copy[NETWORK_ADDRESS_SIZE];
	struct address address;

	text = without_port(text);
	if (text.len >= sizeof(copy) || span_find(text, '\0') < text.len)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	memcpy(address.bytes, v4_mapped, sizeof(v4_mapped));
	if (inet_pton(AF_INET, copy, address.bytes + 12) != 1 &&
	    inet_pton(AF_INET6, copy, address.bytes) != 1)
		return false;
	*ret_address = address;
	return true;
}

static bool
is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_mapped, sizeof(v4_mapped)) == 0;
}

bool
network_parse(struct span text, struct network *ret_network)
{
	size_t slash = span_find(text, '/');
	struct span host = { text.data, slash };
	struct network network;
	unsigned long bits;

	if (!network_parse_address(host, &network.address) || span_find(host, '[') < host.len)
		return false;
	bits = is_v4(&network.address) && span_find(host, ':') == host.len ? 32 : 128;
	network.bits = 128 - (unsigned)bits;
	if (slash < text.len && !text_to_number(span_from(text, slash + 1), bits, &bits))
		return false;
	network.bits += (unsigned)bits;
	*ret_network = network;
	return true;
}

bool
network_contains(const struct network *network, const struct address *address)
{
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

void
network_format_address(const struct address *address, char ret_text[NETWORK_ADDRESS_SIZE])
{
	if (is_v4(address))
		inet_ntop(AF_INET, address->bytes + 12, ret_text, NETWORK_ADDRESS_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, ret_text, NETWORK_ADDRESS_SIZE);
}

static bool
is_trusted(const struct network *trusted, size_t n_trusted, const struct address *address)
{
	for (size_t i = 0; i < n_trusted; i++)
		if (network_contains(&trusted[i], address))
			return true;
	return false;
}

/* Cut the last comma-separated part off *rest. */
static struct span
take_last(struct span *rest)
{
	size_t start = rest->len;
	struct span last;

	while (start > 0 && rest->data[start - 1] != ',')
		start--;
	last = span_from(*rest, start);
	rest->len = start > 0 ? start - 1 : 0;
	return span_trim(last);
}

struct address
network_find_client(const struct network *trusted, size_t n_trusted, const struct request *request,
    struct address peer)
{
	static const struct span name = SPAN("X-Forwarded-For");

	for (size_t i = request->n_headers; i > 0; i--) {
		struct span rest = request->headers[i - 1].value;

		if (!span_equals_ignoring_case(request->headers[i - 1].name, name))
			continue;
		while (rest.len > 0) {
			if (!is_trusted(trusted, n_trusted, &peer) ||
			    !network_parse_address(take_last(&rest), &peer))
				return peer;
		}
	}
	return peer;
}
