/*
 * access: what the log says of a request.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "http.h"

/* The line of an answered request: level info, and debug for health checks. client may be "". */
void access_log_request(const struct request *request, const struct response *response,
    uint64_t duration_us, const char *client);

/* A warning where /connect built an authorize URL that is longer than advised. */
void access_warn_of_long_url(const struct request *request, const struct response *response);

#endif
