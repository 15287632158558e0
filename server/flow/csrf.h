/*
 * csrf: nobody connects their calendar to a stranger's account (RFC 9700, login CSRF). `state` is
 * Recall's and cannot be signed, so Fetch Metadata says where a start comes from, and a cookie
 * holds a hash of the state that this browser was sent away with.
 */
#pragma once

#include "config/config.h"
#include "http/http.h"

enum {
	CSRF_COOKIE_SECONDS = 15 * 60,
	CSRF_MAX_COOKIES = 8, /* flows under way in one browser; the oldest is dropped */
	CSRF_STATE_SIZE = 16 * 1024,
};

/* Sec-Fetch-Site: same-origin, same-site, cross-site, none or other; NULL without one. */
const char *csrf_site(const struct request *request);

/*
 * Whether a start may come from where Sec-Fetch-Site, Origin and Referer say; browsers send the
 * first. False with *ret_problem, a 403. https://www.w3.org/TR/fetch-metadata/
 */
bool csrf_may_start(
    const struct config *config, const struct request *request, struct problem *ret_problem);

/* Append the state in a query, decoded; false where it does not appear exactly once. */
bool csrf_read_state(struct span query, struct buf *ret_state);

/* Add the cookie that binds a start with this decoded state; none where no hash can be made. */
void csrf_bind(const struct request *request, struct span state, struct response *response);

/*
 * Compare the decoded state of the query with the cookies, in constant time. response->binding:
 * "match"; "missing", without a cookie; "mismatch", also where state does not appear exactly once.
 */
void csrf_check(const struct request *request, struct response *response);

/* Clear the cookie that matched, if any. */
void csrf_release(struct response *response);
