/* page: what people get to read, and what programs get in place of it when they are refused. */
#pragma once

#include "config/config.h"
#include "http/http.h"

/* Of every page: its beginning, colors for light and dark, and what it may load: only its style. */
#define PAGE_HEAD                                                                                  \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                  \
	"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
#define PAGE_COLORS                                                                                \
	":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;"  \
	"--mark:#0a5ad4}@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ea7b3;"     \
	"--paper:#12161c;--line:#3d444d;--mark:#6cb0ff}}"
#define PAGE_CSP(style_hash)                                                                       \
	"default-src 'none'; style-src '" style_hash                                               \
	"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/*
 * A page for people, as templates of HTML. In each of them stands, escaped,
 *   $a  the app's name, or "the app"       $i  the request's id
 *   $l  the admin-consent link             $t, $E  Microsoft's tenant and error number
 *   $P, $d, $r, $s  parameter, detail, reason and status of a refusal
 *   $(  what follows is percent-encoded, until $)
 */
struct page {
	const char *title;   /* what happened; may hold $a */
	const char *text;    /* paragraphs: what happened, and what to do now */
	const char *ask;     /* before the button back; left out where there is no $l */
	const char *more;    /* paragraphs after the buttons */
	const char *details; /* paragraphs for developers */
};

/*
 * Write the page, for the outcome and the problem that stand in the response, with the way back to
 * the app and the request's id on it. The status is the caller's. Nothing of the request's is shown
 * but a tenant and an error number, as outcome.h lets them through.
 */
void page_show(const struct config *config, const struct request *request, const struct page *page,
    struct response *response);

/*
 * Answer with the problem that stands in the response, and with nothing else that does, in the
 * format that Accept wants: a page where text/html is named and no JSON is wanted more, else
 * problem+json (RFC 9457).
 */
void page_show_problem(
    const struct config *config, const struct request *request, struct response *response);

/*
 * For the administrator, after Microsoft's approval question: whether the app was approved. Where
 * this browser did not start it, the page only repeats what Microsoft reports. Only one `True`
 * without an error is an approval: Microsoft sends True with errors too.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
void page_show_consent(const struct config *config, const struct request *request, bool is_bound,
    struct response *response);

/* For the person whom Microsoft stopped: how to get the approval. Nothing is forwarded then. */
void page_show_wall(
    const struct config *config, const struct request *request, struct response *response);
