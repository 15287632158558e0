/* access_log: what the log says of a request. */
#pragma once

#include "config/config.h"
#include "http/http.h"

/* The line of an answered request: level info, and debug for health checks. client may be "". */
void access_log_request(const struct config *config, const struct request *request,
    const struct response *response, uint64_t duration_us, const char *client);

/* A warning where /connect built an authorize URL that is longer than advised. */
void access_log_warn_of_long_url(const struct request *request, const struct response *response);
