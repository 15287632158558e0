/*
 * sockets: the listening sockets that a configuration asks for, or that systemd has passed.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "config.h"

enum { SOCKETS_MAX_THREADS = 64 };

struct sockets {
	int public_fds[SOCKETS_MAX_THREADS];
	bool is_shared; /* passed: one socket, in as many copies as there are threads */
	int admin_fd;   /* -1: none is wanted */
};

/*
 * Open everything; passed sockets named `public` and `admin` win over listen and admin. False with
 * errno and, in *ret_key, the key whose address it was ("listen" or "admin"); nothing is left open.
 */
bool sockets_open(const struct config *config, struct sockets *ret_sockets, const char **ret_key);

#endif
