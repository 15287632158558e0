/*
 * reload: a new configuration and certificate while the server runs.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include "options.h"
#include "server.h"

/* What the main thread knows of the serving process. */
struct service {
	const struct options *options;
	const struct config *boot;    /* the first configuration; its limits hold until the end */
	const struct config *current; /* the same, or what the last reload brought */
	struct server *server;
};

/*
 * Read configuration and certificate anew and put them in force, or log every finding and keep the
 * old ones. Keys that only a restart changes are named in the log.
 */
void reload_service(struct service *service);

#endif
