/*
 * reply: the response of an exchange on its way out. Used by exchange.c only.
 */
#ifndef REPLY_H
#define REPLY_H

#include "exchange.h"

/* An exchange under way: what the callbacks share while they answer. */
struct exchange {
	struct loop *loop;
	struct MHD_Connection *connection;
	struct record *record;
	const struct config *config; /* until the callback returns */
	struct request request;
	size_t head_bytes; /* of the request's head, as it came */
	bool too_many_headers;
	struct response *response;
};

/* Empty x->response, over the loop's arrays; Location has the room that this request leaves. */
void reply_open(struct exchange *x);

/* Queue what x->response holds, wipe it, count and log the exchange; 503 without the memory. */
enum MHD_Result reply_send(struct exchange *x);

/* A response that is made once, for when there is no memory for any other; NULL without any now. */
struct MHD_Response *reply_make_emergency(void);

/* Queue and count that one. */
enum MHD_Result reply_emergency(struct loop *loop, struct MHD_Connection *connection);

#endif
