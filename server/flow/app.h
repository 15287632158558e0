/* app: the whole program as one function from a request to its response. */
#pragma once

#include "config/config.h"
#include "http/http.h"

/* Find what everything below needs, from the request's method, target and is_admin. */
void app_find_route(struct request *request);

/*
 * Answer a request; every failure becomes a status. The response comes in with its two bufs over
 * the caller's arrays, all else zero; what it points to is constant or of config and request.
 */
void app_handle(
    const struct config *config, const struct request *request, struct response *response);

/* The same for a request that somebody else has already found a problem with. */
void app_refuse(const struct config *config, const struct request *request,
    const struct problem *problem, struct response *response);

/* Whether this request's body is worth reading: its path takes one, by this method. */
bool app_takes_body(const struct request *request);

/* What answers at an endpoint. */
typedef void app_handler(const struct config *, const struct request *, struct response *);

/* Of connect.c: a start, and /connect/admin, which needs request->random. 501 without the keys. */
app_handler connect_start, connect_ask_admin;
