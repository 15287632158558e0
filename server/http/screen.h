/*
 * screen: is this request head one that we accept? libmicrohttpd lets through what proxies and
 * other servers read differently; what two readers can read differently is refused here.
 */
#pragma once

#include "http/http.h"

/* Where a body turns out to be too long, or to be one, or a head is too long to be read. */
extern const struct problem screen_body_too_large, screen_body_not_allowed, screen_head_too_large;

/*
 * False with *ret_problem (400, 413, 414, 431) where a head, whose target has been split, breaks
 * RFC 9112 or a limit: of its query, or of all its bytes. The connection must be closed after the
 * answer: what follows on it may be no request at all.
 */
bool screen_head(
    const struct request *request, size_t max_query, size_t max_bytes, struct problem *ret_problem);

/*
 * What libmicrohttpd 0.9.75 loses or moves in a head before we see it; see mhd_0975.c. To be
 * deleted with Debian 12: later versions refuse all of it themselves.
 */

/* Whether the library of this version (MHD_get_version()) lays heads out as described in the .c. */
bool mhd_0975_applies(const char *library_version);

/*
 * Whether the head has been taken apart without loss. method and target are the library's own
 * strings, in its buffer, where the request's version and headers point as well; target_len is the
 * length that was seen before anything was decoded.
 */
bool mhd_0975_is_whole(
    const struct request *request, const char *method, const char *target, size_t target_len);
