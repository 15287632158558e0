/*
 * screen: is this request head one that we accept? libmicrohttpd lets through what proxies and
 * other servers read differently; what two readers can read differently is refused here.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "http.h"

/* What libmicrohttpd knows of a head, besides struct request. */
struct head {
	const struct request *request;
	struct span version;   /* "HTTP/1.1" */
	size_t bytes;          /* of the whole head */
	bool too_many_headers; /* more than HTTP_MAX_HEADERS: the request holds the first ones */
	bool too_long;         /* the target was longer than what the request holds */
	bool damaged; /* bytes were lost or moved on the way here: NUL, folding, bare line feeds */
};

struct screen_limits {
	size_t query_bytes;
	size_t head_bytes;
};

/*
 * False with *ret_problem (400, 413, 414, 431) where a head breaks RFC 9112 or a limit. The
 * connection must be closed after the answer: what follows on it may be no request at all.
 */
bool screen_head(
    const struct head *head, const struct screen_limits *limits, struct problem *ret_problem);

#endif
