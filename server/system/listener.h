/* listener: the listening sockets that a configuration asks for or that systemd has passed. */
#pragma once

#include "config/config.h"

enum { LISTENER_MAX_PUBLIC = CONFIG_MAX_THREADS, LISTENER_MAX_ADMIN = 8 };

/* One for each event loop. */
struct listeners {
	int public_fds[LISTENER_MAX_PUBLIC];
	int admin_fds[LISTENER_MAX_ADMIN];
	size_t n_public; /* listener_count(), or more where more were passed */
	size_t n_admin;  /* 0: none is wanted */
	bool is_passed;  /* public_fds are sockets of systemd, which keeps them open */
	bool is_admin_passed;
};

/* How many event loops: as many as threads; with TLS, which polls all of a loop's, more share. */
size_t listener_count(const struct config *config);

struct listener_fault {
	const char *key; /* whose: "listen", "admin", or "passed" for a passed socket */
	char cause[256];
	int number; /* errno; 0: the cause says all */
};

/*
 * Open everything; passed sockets named `public` and `admin` win over listen and admin. A port that
 * another process listens on makes it fail: a port is never shared. False with *ret_fault; the
 * process ends then, so that nothing is closed.
 */
bool listeners_open(
    const struct config *config, struct listeners *ret_listeners, struct listener_fault *ret_fault);

/* The port that the first TCP socket is bound to, in host order; 0: none is TCP. */
unsigned listener_port(const int *fds, size_t n);
