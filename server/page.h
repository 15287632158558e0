/*
 * page: what people get to read, and what programs get in place of it when they are refused.
 */
#ifndef PAGE_H
#define PAGE_H

#include "http.h"

/*
 * Fill in status, body and fields of a refusal, with the request's id on it. The format follows
 * Accept: HTML where text/html is named and no JSON is wanted more, else problem+json. Nothing of
 * the request's is shown.
 */
void page_refuse(
    struct response *response, const struct request *request, const struct problem *problem);

/* The refusal, 431, where the request's head leaves no room for Location. */
void page_refuse_head(struct response *response, const struct request *request);

struct page {
	const char *title;
	const char *const *paragraphs; /* constants, NULL at the end */
	const char *aadsts;            /* Microsoft's error number, digits; empty: none */
};

/* Fill in a page for people, with status 200. */
void page_show(struct response *response, const struct page *page);

#endif
