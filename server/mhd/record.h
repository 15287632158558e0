/*
 * record: what we keep of a request while it comes in. One hangs on every connection and holds one
 * request at a time, so that no path of libmicrohttpd's can leak it.
 */
#pragma once

#include "http/http.h"
#include "mhd/watchdog.h"

enum { RECORD_ID_LEN = 16 }; /* of our own ids */

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
	bool is_screened;   /* its head has come, whole */
	bool is_answered;   /* by us; the library answers what it cannot read */
	int64_t start_us;
	char id[HTTP_ID_SIZE];         /* our own, unless a proxy gives another */
	char first[PROTOCOL_PEEK_LEN]; /* bytes of the connection, where they were looked at */
	size_t first_len;
	char client[ADDRESS_TEXT_SIZE]; /* of the connection; empty until it is asked for */
};

/* Start a request: take the time, make an id of *next_id, copy at most max_len of the target. */
void record_begin(struct record *record, const char *target, size_t max_len, uint64_t *next_id);

/* Keep a piece of the body, up to HTTP_BODY_MAX_LEN in all; what is more is dropped and noted. */
void record_add_body(struct record *record, struct span piece);

/* Wipe what the request left, which holds codes and tokens, and free it, ready for the next one. */
void record_end(struct record *record);

/* The other end's address as text, made once per connection; empty where it has none. */
const char *record_client(struct record *record);
