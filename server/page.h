/*
 * page: what a refused request gets to read, as HTML for people or RFC 9457 problem+json.
 */
#ifndef PAGE_H
#define PAGE_H

#include "http.h"

/*
 * Fill in status, body and fields of a refusal, with the request's id on it. The format follows
 * Accept: HTML where text/html is named, else problem+json. Nothing of the request's is shown.
 */
void page_refuse(
    struct response *response, const struct request *request, const struct problem *problem);

#endif
