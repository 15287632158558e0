/*
 * csrf: nobody connects their calendar to a stranger's account (RFC 9700, login CSRF).
 *
 * `state` is Recall's and cannot be signed. Two checks without memory on the server: a browser says
 * where a start of the flow comes from (Fetch Metadata), and a cookie holds a hash of the state
 * that this browser was sent away with, so that an answer to somebody else's start is noticed.
 */
#ifndef CSRF_H
#define CSRF_H

#include "config.h"
#include "http.h"

enum {
	CSRF_COOKIE_SECONDS = 15 * 60,
	CSRF_MAX_COOKIES = 8, /* starts under way in one browser; the oldest goes */
};

/*
 * Whether a start may come from where Sec-Fetch-Site, Origin and Referer say; a request without
 * Sec-Fetch-Site comes from no browser of today. False with *ret_problem, a 403.
 * https://www.w3.org/TR/fetch-metadata/
 */
bool csrf_may_start(
    const struct config *config, const struct request *request, struct problem *ret_problem);

/* Add the cookie that binds the start with this state, decoded, to the browser. */
void csrf_bind(const struct request *request, struct span state, struct response *response);

/*
 * Compare the state in a query with the cookies: "match"; "missing", without a cookie; "mismatch",
 * also where the state is not there exactly once. Microsoft encodes state anew, so decoded values
 * are compared, in constant time.
 */
const char *csrf_check(const struct request *request, struct span query);

/* Clear the cookie that matched. */
void csrf_release(const struct request *request, struct span query, struct response *response);

#endif
