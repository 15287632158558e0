/* reload: a new configuration and certificate while the server runs. */
#pragma once

#include "mhd/server.h"
#include "process/options.h"

/* Of the configuration file, the certificate and the private key, where links lead; 0: none. */
struct file_marks {
	int64_t of[3][5]; /* device, inode, size, last change in seconds and nanoseconds */
};

/* What the main thread knows of the serving process. */
struct service {
	const struct options *options;
	const struct config *boot;    /* the first configuration; its limits hold until the end */
	const struct config *current; /* the same, or what the last reload brought */
	const struct config *tried;   /* the same, or what was refused for its certificate */
	struct server *server;
	struct file_marks loaded, seen; /* when they were read, and at the last look */
	int64_t looked_ms;
};

/* From now on what is in the files is taken for loaded: call it before they are read. */
void reload_mark(struct service *service);

/*
 * Read configuration and certificate again and put them in force, or log every finding and keep the
 * old ones. Keys that only a restart changes are named in the log.
 */
void reload_service(struct service *service);

/* The same once a file has changed, and been the same at two looks; one in reload.poll_seconds. */
void reload_if_changed(struct service *service);
