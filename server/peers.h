/*
 * peers: how many connections each client address has open. Used only where
 * limits.connections_per_ip is set; IPv6 clients count by their /64.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Whether the address has fewer than limit open. All of these may be called from any thread. */
bool peers_may_join(const struct sockaddr *address, size_t limit);

/* Count a connection of this address, and take it off again. Without memory it is not counted. */
void peers_join(const struct sockaddr *address);
void peers_leave(const struct sockaddr *address);

#endif
