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

/* What the records of one event loop are made from; only its thread touches it. */
struct record_supply {
	size_t target_max_len;
	uint64_t next_id; /* starts with random bytes */
	char *spare;      /* of the last request that ended, for the next one's target; wiped */
};

void record_supply_free(struct record_supply *supply);

struct record {
	struct watched watched;
	struct record_supply *supply;
	char *target; /* raw, NUL-terminated, as far as it fits; of the supply */
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

/* Start a request: take the time, make an id, copy the target, at most target_max_len of it. */
void record_begin(struct record *record, const char *target, struct record_supply *supply);

/* Keep a piece of the body, up to HTTP_BODY_MAX_LEN in all; what is more is dropped and noted. */
void record_add_body(struct record *record, struct span piece);

/* Wipe what the request left and give it back; the record is ready for the next one. */
void record_end(struct record *record);

uint64_t record_elapsed_us(const struct record *record);

/* The client's address as text, IPv4 in IPv6 as IPv4; made once a connection. */
const char *record_client(struct record *record, const struct sockaddr *address);

#endif
