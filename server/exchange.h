/*
 * exchange: one request in and its response out, as libmicrohttpd's callbacks. Used by server.c
 * only.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <microhttpd.h>

#include "config.h"
#include "live.h"
#include "metrics.h"
#include "record.h"
#include "watchdog.h"

/* What one event loop needs to answer requests; only its own thread touches it. */
struct loop {
	const struct config *config; /* at the start: its limits hold until the end */
	struct live *live;           /* everything else, as it is now */
	struct live_reader reader;
	bool is_admin;
	bool is_tls;
	void (*put_metrics)(void *cls, struct buf *out); /* of the admin loop */
	void *put_metrics_cls;
	struct metrics metrics;
	_Atomic uint64_t opened; /* connections so far: a sign of life */
	struct watch_list *connections;
	struct watch_counts *counts;
	struct MHD_Daemon *daemon;
	int quiesced_fd;                /* the listening socket, once the daemon has given it up */
	struct MHD_Response *emergency; /* sent when there is no memory for anything else */
	struct header headers[HTTP_MAX_HEADERS]; /* of the request that is handled just now */
	struct response response;                /* to it */
	char *location;                          /* array_size each */
	char *body;
	size_t array_size;
	size_t pool_bytes; /* of a connection; request head and response head share it */
	struct record_supply supply;
	bool checks_layout; /* the library is one that mhd_0975 knows */
};

/* The pool that a connection needs for queries of this size, which are in it twice. */
size_t exchange_pool_bytes(size_t query_bytes);

/* Allocate the loop's arrays and emergency response; config is set before. False without memory. */
bool exchange_open(struct loop *loop);
void exchange_close(struct loop *loop);

/* MHD_AccessHandlerCallback. */
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
    void **request_context);

#endif
