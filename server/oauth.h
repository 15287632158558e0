/*
 * oauth: the URLs and documents of the flow. Names follow RFC 6749 and Microsoft's
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
 */
#ifndef OAUTH_H
#define OAUTH_H

#include "config.h"

/* Longer authorize URLs are built, but Microsoft and proxies may refuse them. */
enum { OAUTH_URL_ADVISED_LEN = 2000 };

enum {
	OAUTH_REDIRECT_URI_SIZE = 257, /* Microsoft's 256 characters */
	/* Three values of up to 2,048, 1,024 and 1,024 bytes, each byte two at most, and names. */
	OAUTH_STATE_SIZE = 10 * 1024,
};

#define OAUTH_CALLBACK_PATH       "/api/ms_oauth_callback"
#define OAUTH_ADMIN_CALLBACK_PATH "/api/ms_admin_consent_callback"
#define OAUTH_ADMIN_PATH          "/connect/admin"
#define OAUTH_CONNECT_PATH        "/connect"
#define OAUTH_ASSOCIATION_PATH    "/.well-known/microsoft-identity-association"

/* What a start of the flow asks for: decoded and checked; empty where not given. */
struct connect_params {
	struct span token; /* recall_calendar_auth_token */
	struct span success_url;
	struct span error_url;
	struct span login_hint;
	struct span domain_hint;
	struct span prompt;
};

/* Append Recall's callback and the query, which starts with its `?` or is empty, as it came. */
void oauth_put_callback_target(struct buf *out, const struct config *config, struct span query);

/* Append the redirect URI, as registered at Microsoft. Needs public_url. */
void oauth_put_redirect_uri(struct buf *out, const struct config *config);

/*
 * Append `state`: compact JSON with recall_calendar_auth_token, ms_oauth_redirect_url, then
 * success_url and error_url where given or configured. Recall parses it; it cannot be signed.
 */
void oauth_put_state(
    struct buf *out, const struct config *config, const struct connect_params *params);

/* Append Microsoft's authorize URL. Needs public_url and microsoft.client_id. */
void oauth_put_authorize_url(
    struct buf *out, const struct config *config, const struct connect_params *params);

/*
 * Append Microsoft's admin-consent URL. tenant is a GUID or domain; empty: the configured one, or
 * organizations where that is one that Microsoft does not take here. Needs public_url and
 * client_id. https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
void oauth_put_admin_consent_url(
    struct buf *out, const struct config *config, struct span tenant, struct span state);

/* Append the publisher-domain document. Needs microsoft.association_ids. */
void oauth_put_association(struct buf *out, const struct config *config);

#endif
