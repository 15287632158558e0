/*
 * start: the two starts of the flow, which send a browser to Microsoft.
 */
#ifndef START_H
#define START_H

#include "config.h"
#include "http.h"

/* /connect: 302, 303 after POST, or JSON with the authorize URL; 503 where keys are missing. */
void start_connect(
    const struct config *config, const struct request *request, struct response *response);

/* /connect/admin: 302 or JSON with the admin-consent URL. Needs request->random. */
void start_admin_consent(
    const struct config *config, const struct request *request, struct response *response);

#endif
