/*
 * provider: what differs between the companies whose calendars can be connected. A provider is a
 * row of data here; everything else is one mechanism for all of them.
 *
 * Microsoft: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 * Google: https://developers.google.com/identity/protocols/oauth2/web-server
 */
#pragma once

#include "config/config.h"
#include "http/http.h"

#define MICROSOFT_START_PATH    "/connect"
#define MICROSOFT_CALLBACK_PATH "/api/ms_oauth_callback"
#define GOOGLE_START_PATH       "/connect/google"
#define GOOGLE_CALLBACK_PATH    "/api/google_oauth_callback"

/* A word or number that a provider answers with, and one sentence of cure. */
struct cure {
	const char *key; /* NULL ends a table */
	const char *hint;
};

struct provider {
	enum provider_id id;
	const char *name;  /* in logs, metrics, options, and Recall's dashboard */
	const char *title; /* in sentences */
	const char *start_path;
	const char *callback_path;
	const char *recall_path;   /* of Recall's callback */
	const char *cookie_prefix; /* of the cookies that bind a start to a browser */

	/* The authorize URL: endpoint, and the fixed parameters on either side of `scope`. */
	const char *endpoint; /* NULL: of the configured authority and tenant */
	const char *before_scope;
	const char *after_scope;
	const char *domain_hint;     /* the parameter that carries domain_hint */
	const char *default_prompt;  /* sent where none is asked for; NULL: none */
	const char *const *prompts;  /* what may be asked for; NULL at the end */
	const char *prompt_rule;     /* what is said to a start that asks for another */
	const char *redirect_member; /* of `state`: the redirect URI's name */
	const char *unconfigured[2]; /* what is missing: the client id; it and public_url */

	/* What comes back. */
	const char *calendar_scope; /* has to be in the `scope` of an answer; NULL: it has none */
	const struct cure *cures;   /* by the number in error_description, then by `error` */
	const char *approve_hint;   /* of these, where an administrator has to approve the app */
	const char *perhaps_approve_hint; /* may have to; both NULL: nobody can for others */
};

extern const struct provider providers[N_PROVIDERS];

/*
 * Read a callback's query (without its `?`). ret_outcome gets only bounded, sanitised words:
 * never code, state or a description. hint is one sentence of cure, or NULL.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
void outcome_read(const struct provider *provider, struct span query, struct outcome *ret_outcome);
