/* params: reads and judges the parameters of /connect, from a query, a form or a JSON body. */
#pragma once

#include "config/config.h"
#include "http/http.h"

enum {
	PARAMS_TOKEN_MAX_LEN = 2048,
	PARAMS_HINT_MAX_LEN = 320,
	PARAMS_STORAGE_SIZE = 8 * 1024, /* room for every parameter at its longest */
};

/* Each is a span in an array: decoded and checked; empty where not given. */
enum param {
	PARAM_TOKEN, /* recall_calendar_auth_token */
	PARAM_SUCCESS_URL,
	PARAM_ERROR_URL,
	PARAM_LOGIN_HINT,
	PARAM_DOMAIN_HINT,
	PARAM_PROMPT,
	PARAM_TENANT, /* of /connect/admin, which knows no other */
	N_PARAMS,
};

/*
 * Read a request's parameters into storage, of PARAMS_STORAGE_SIZE bytes, which the caller wipes.
 * False with *ret_problem, never with a value in it, at the first fault. Unknown parameters are
 * refused, but for those of /connect/admin, since mail trackers add theirs.
 */
bool params_read(const struct config *config, const struct request *request, char *storage,
    struct span ret_params[N_PARAMS], struct problem *ret_problem);

/* Judge one value as if it had come as this parameter; for the command line. */
bool params_check_token(struct span token, struct problem *ret_problem);
