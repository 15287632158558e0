#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const unsigned char v4_mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool
parse_numeric(struct span text, struct address *ret_address)
{
	char copy[ADDRESS_TEXT_SIZE];
	struct address address;

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

bool
address_parse(struct span text, struct address *ret_address)
{
	size_t colon = span_find(text, ':');
	struct span port = span_from(text, colon + 1);

	if (text.len > 0 && text.data[0] == '[') {
		text = span_from(text, 1);
		text.len = span_find(text, ']');
	} else if (span_find(port, ':') == port.len) {
		text.len = colon; /* more than one are IPv6 without a port */
	}
	return parse_numeric(text, ret_address);
}

bool
address_of_socket(const struct sockaddr *from, struct address *ret_address)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->sa_family == AF_INET) {
		memcpy(ret_address->bytes, v4_mapped, sizeof(v4_mapped));
		memcpy(ret_address->bytes + sizeof(v4_mapped), &v4->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		memcpy(ret_address->bytes, &v6->sin6_addr, sizeof(ret_address->bytes));
	}
	return from->sa_family == AF_INET || from->sa_family == AF_INET6;
}

static bool
is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_mapped, sizeof(v4_mapped)) == 0;
}

socklen_t
address_to_socket(
    const struct address *address, unsigned short port, struct sockaddr_storage *ret_to)
{
	struct sockaddr_in *v4 = (void *)ret_to;
	struct sockaddr_in6 *v6 = (void *)ret_to;

	memset(ret_to, 0, sizeof(*ret_to));
	if (is_v4(address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, address->bytes + sizeof(v4_mapped), sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, address->bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

bool
network_parse(struct span text, struct network *ret_network)
{
	size_t slash = span_find(text, '/');
	struct span host = { text.data, slash };
	struct network network;
	unsigned long bits;
	bool is_short;

	if (!parse_numeric(host, &network.address))
		return false;
	is_short = is_v4(&network.address) && span_find(host, ':') == host.len;
	bits = is_short ? 32 : 128;
	if (slash < text.len && !text_to_number(span_from(text, slash + 1), bits, &bits))
		return false;
	network.bits = (unsigned)bits + (is_short ? 96 : 0);
	if (is_v4(&network.address) && network.bits < 96)
		return false; /* ::ffff:10.0.0.0/8 would be every IPv4 address */
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

struct network
network_of_client(const struct address *address)
{
	static const struct network mixed = { .bits = 64 }; /* ::/64, where IPv4 is */

	return (struct network){ *address, network_contains(&mixed, address) ? 128 : 64 };
}

void
address_format(const struct address *address, char ret_text[ADDRESS_TEXT_SIZE])
{
	bool v4 = is_v4(address);

	inet_ntop(
	    v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), ret_text, ADDRESS_TEXT_SIZE);
}
