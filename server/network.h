/*
 * network: IP addresses as 16 bytes (IPv4 as ::ffff:a.b.c.d), networks, and who is behind a proxy.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "http.h"

enum { NETWORK_ADDRESS_SIZE = 46 };

struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	unsigned bits; /* of the 128 */
};

/* A numeric address, with or without a port behind it, IPv6 then in brackets. */
bool network_parse_address(struct span text, struct address *ret_address);

/* An address with an optional /prefix length, such as 10.0.0.0/8 or fd00::/8. */
bool network_parse(struct span text, struct network *ret_network);

bool network_contains(const struct network *network, const struct address *address);

/* As inet_ntop, IPv4 in its own form. */
void network_format_address(const struct address *address, char ret_text[NETWORK_ADDRESS_SIZE]);

/*
 * The client of a request that came from peer: where peer is trusted, the last address in
 * X-Forwarded-For that is not, read from right to left; anything else there ends the reading.
 */
struct address network_find_client(const struct network *trusted, size_t n_trusted,
    const struct request *request, struct address peer);

#endif
