/*
 * connect: reads and judges the parameters of /connect, from a query, a form or a JSON body.
 */
#ifndef CONNECT_H
#define CONNECT_H

#include "http.h"
#include "oauth.h"

enum {
	CONNECT_TOKEN_MAX_LEN = 2048,
	CONNECT_HINT_MAX_LEN = 320,
	CONNECT_STORAGE_SIZE = 8 * 1024, /* room for every parameter at its longest */
};

/*
 * Read the parameters of a request. They point into storage, of CONNECT_STORAGE_SIZE bytes, which
 * the caller wipes after use. False with *ret_problem where anything is wrong: the first fault in
 * the order of the bytes. No value is ever in the problem.
 */
bool connect_read(const struct config *config, const struct request *request, char *storage,
    struct connect_params *ret_params, struct problem *ret_problem);

/*
 * Read the one parameter of /connect/admin, tenant: a GUID or domain, empty where it is not given.
 * It points into storage, as above.
 */
bool connect_read_tenant(const struct request *request, char *storage, struct span *ret_tenant,
    struct problem *ret_problem);

/* Judge one value as if it had come as this parameter; for the command line. */
bool connect_check_token(struct span token, struct problem *ret_problem);

#endif
