/*
 * app: the whole program as one function from a request to its response.
 */
#ifndef APP_H
#define APP_H

#include "config.h"
#include "http.h"

/*
 * Answer a request. The response comes in with its two bufs over the caller's arrays, everything
 * else zero; what it points to is constant or lives as long as config and request do. Every failure
 * becomes a status: there is always an answer.
 */
void app_handle(
    const struct config *config, const struct request *request, struct response *response);

/* The same for a request that somebody else has already found a problem with. */
void app_refuse(const struct config *config, const struct request *request,
    const struct problem *problem, struct response *response);

/* Whether app_handle() needs request->random, which costs a system call. */
bool app_needs_random(const struct request *request);

/* Whether this request's body is worth reading: its path takes one, by this method. */
bool app_takes_body(const struct request *request);

#endif
