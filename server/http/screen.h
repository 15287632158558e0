/*
 * screen: is this request head one that we accept? libmicrohttpd lets through what proxies and
 * other servers read differently; what two readers can read differently is refused here.
 */
#pragma once

#include "http/http.h"

/* What libmicrohttpd knows of a head, besides struct request, whose target has been split. */
struct head {
	const struct request *request;
	struct span version;   /* "HTTP/1.1" */
	size_t bytes;          /* of the whole head */
	bool too_many_headers; /* more than HTTP_MAX_HEADERS: the request holds the first ones */
	bool too_long;         /* the target was longer than what the request holds */
	bool damaged; /* bytes were lost or moved on the way here: NUL, folding, bare line feeds */
	size_t max_query, max_bytes; /* the limits of the query and of the whole head */
};

/* Where a body turns out to be too long, or to be one, or a head is too long to be read. */
extern const struct problem screen_body_too_large, screen_body_not_allowed, screen_head_too_large;

/*
 * False with *ret_problem (400, 413, 414, 431) where a head breaks RFC 9112 or a limit. The
 * connection must be closed after the answer: what follows on it may be no request at all.
 */
bool screen_head(const struct head *head, struct problem *ret_problem);

/*
 * What libmicrohttpd 0.9.75 loses or moves in a head before we see it; see mhd_0975.c. To be
 * deleted with Debian 12: later versions refuse all of it themselves.
 */

/* Whether the library of this version (MHD_get_version()) lays heads out as described in the .c. */
bool mhd_0975_applies(const char *library_version);

/*
 * Whether the head has been taken apart without loss. method, target and version are the library's
 * own strings, in its buffer; target_len is the length that was seen before anything was decoded;
 * bytes is the size of the whole head. The request's headers point into the same buffer.
 */
bool mhd_0975_is_whole(const struct request *request, const char *method, const char *target,
    size_t target_len, const char *version, size_t bytes);
