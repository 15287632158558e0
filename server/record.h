/*
 * record: what we keep of a request while it comes in. One hangs on every connection and holds one
 * request at a time, so that no path of libmicrohttpd's can leak it.
 */
#ifndef RECORD_H
#define RECORD_H

#include <sys/socket.h>
#include <time.h>

#include "http.h"
#include "watchdog.h"

enum { RECORD_CLIENT_SIZE = 46 };

struct record {
	struct watched watched;
	char *target; /* raw, NUL-terminated, as far as it fits */
	size_t target_len;
	char *body; /* HTTP_BODY_MAX_LEN + 1 bytes once there is one */
	size_t body_len;
	bool target_too_long;
	bool body_too_large;
	bool has_body;
	bool out_of_memory; /* only an answer without content can be given */
	bool is_screened;
	struct timespec start;
	char id[HTTP_ID_SIZE];
	char client[RECORD_CLIENT_SIZE]; /* of the connection; empty until it is asked for */
};

/* Start a request: take the time, make an id of *next_id, copy at most max_len of the target. */
void record_begin(struct record *record, const char *target, size_t max_len, uint64_t *next_id);

/* Keep a piece of the body, up to HTTP_BODY_MAX_LEN in all; what is more is dropped and noted. */
void record_add_body(struct record *record, struct span piece);

/* Wipe and free what the request left; the record is ready for the next one. */
void record_end(struct record *record);

uint64_t record_elapsed_us(const struct record *record);

/* The client's address as text, IPv4 in IPv6 as IPv4; made once a connection. */
const char *record_client(struct record *record, const struct sockaddr *address);

#endif
