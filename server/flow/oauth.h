/* oauth: the URLs and documents of the flow. Names follow RFC 6749 and the providers' documents. */
#pragma once

#include "config/config.h"
#include "flow/params.h"
#include "flow/provider.h"

enum {
	OAUTH_URL_ADVISED_LEN = 2000,  /* longer ones may be refused by providers and proxies */
	OAUTH_REDIRECT_URI_SIZE = 257, /* Microsoft's 256 characters */
	/* Three values of up to 2,048, 1,024 and 1,024 bytes, each byte two at most, and names. */
	OAUTH_STATE_SIZE = 10 * 1024,
};

#define OAUTH_ADMIN_CALLBACK_PATH "/api/ms_admin_consent_callback"
#define OAUTH_ADMIN_PATH          "/connect/admin"
#define OAUTH_ASSOCIATION_PATH    "/.well-known/microsoft-identity-association"

/* Append Recall's callback and the request's query as it came; a bare `?` stays. */
void oauth_put_callback_target(
    struct buf *out, const struct config *config, const struct request *request);

/*
 * Append the provider's authorize URL. Needs public_url and the provider's client id. ret_state, of
 * OAUTH_STATE_SIZE and empty, gets the `state` in it, decoded; the caller wipes both.
 */
void oauth_put_authorize_url(struct buf *out, const struct config *config,
    const struct provider *provider, const struct span params[N_PARAMS], struct buf *ret_state);

/*
 * Append Microsoft's admin-consent URL, for a GUID or domain, or for the configured tenant. Needs
 * public_url and client_id. https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
void oauth_put_admin_consent_url(
    struct buf *out, const struct config *config, struct span tenant, struct span state);

/* Append the link that a customer's IT gets; without public_url, its path alone. */
void oauth_put_admin_link(struct buf *out, const struct config *config);

/* Append the publisher-domain document. Needs microsoft.association_ids. */
void oauth_put_association(struct buf *out, const struct config *config);
