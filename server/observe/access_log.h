/* access_log: what the log says of a request. */
#pragma once

#include "config/config.h"
#include "http/http.h"

/*
 * The line of an answered request, where log.access wants one: level info, and debug for health
 * checks, scrapes and the operator's page. client may be "". And a warning of an authorize URL that
 * is longer than advised.
 */
void access_log_request(const struct config *config, const struct request *request,
    const struct response *response, uint64_t duration_us, const char *client);
