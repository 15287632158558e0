/* address: IP addresses as 16 bytes (IPv4 as ::ffff:a.b.c.d, RFC 4291 2.5.5.2), and networks. */
#pragma once

#include <sys/socket.h>

#include "base/text.h"

enum { ADDRESS_TEXT_SIZE = 46 }; /* INET6_ADDRSTRLEN */

struct address {
	unsigned char bytes[16];
};

struct network {
	struct address address;
	unsigned bits; /* of the 128 */
};

/* A numeric address, with or without a port after it, IPv6 then in brackets. */
bool address_parse(struct span text, struct address *ret_address);

/* The address of a socket's end; false where it is neither IPv4 nor IPv6. */
bool address_of_socket(const struct sockaddr *from, struct address *ret_address);

/* The other way round, for bind() and connect(); returns the length. */
socklen_t address_to_socket(
    const struct address *address, unsigned short port, struct sockaddr_storage *ret_to);

/* As inet_ntop, IPv4 in its own form. */
void address_format(const struct address *address, char ret_text[ADDRESS_TEXT_SIZE]);

/*
 * An address with an optional /prefix length, such as 10.0.0.0/8 or fd00::/8, and nothing else: no
 * port, no brackets. An IPv4 address in IPv6's form needs a prefix of 96 or more.
 */
bool network_parse(struct span text, struct network *ret_network);

bool network_contains(const struct network *network, const struct address *address);

/* What a client has to itself: an IPv4 address alone, or the /64 of an IPv6 address (RFC 6177). */
struct network network_of_client(const struct address *address);
