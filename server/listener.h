/*
 * listener: listening TCP sockets, one for each event loop, on one address and port.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Open n listening sockets on a numeric address; port 0 takes a free one, the same for all.
 * "::" is dual-stack, and 0.0.0.0 where the system has no IPv6. Another process that listens there
 * makes it fail: the port is never shared. defer_seconds: how long the kernel keeps a connection
 * to itself until it has bytes (TCP_DEFER_ACCEPT); 0: not at all.
 * False with errno set, nothing left open. The caller closes ret_fds.
 */
bool listener_open(
    const char *address, unsigned short port, int defer_seconds, size_t n, int *ret_fds);

/* The port a socket is bound to, in host order. */
unsigned short listener_port(int fd);

#endif
