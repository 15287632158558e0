/*
 * Writes error pages. Self-contained, without script; shows constants and the request id only.
 */
#include "page.h"

#include <stdio.h>

/* CSP_STYLE_HASH is the SHA-256 of STYLE; check_page.c holds them together. */
/* clang-format off */
#define STYLE \
	":root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--line:#d0d7de;--mark:#0a5ad4}" \
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9ea7b3;--paper:#12161c;--line:#30363d;--mark:#6cb0ff}}" \
	"body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,sans-serif}" \
	"main,footer{max-width:34rem;margin:0 auto;padding:0 1.5rem}" \
	"main{padding-top:18vh}" \
	"h1{margin:0 0 1rem;padding-top:1rem;border-top:.25rem solid var(--mark);font-size:1.75rem;line-height:1.25;text-wrap:balance}" \
	"p{margin:0 0 1rem}" \
	"footer{margin-top:2.5rem;padding-bottom:3rem;color:var(--soft);font-size:.875rem}" \
	"code{font:inherit;font-family:ui-monospace,monospace;overflow-wrap:anywhere}"
/* clang-format on */
#define CSP_STYLE_HASH "sha256-OJmOkGtOnlSmx++AR+7ynfZySvbL3J1Wz2moRDz0RFA="
#define CSP                                                                                        \
	"default-src 'none'; style-src '" CSP_STYLE_HASH                                           \
	"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const char *
title_of(int status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Please start from the app";
	case 404:
		return "Not found";
	case 405:
		return "Method not allowed";
	case 413:
		return "Content too large";
	case 414:
		return "Address too long";
	case 415:
		return "Unsupported media type";
	case 431:
		return "Header fields too large";
	case 503:
		return "Not available";
	default:
		return "Internal error";
	}
}

static void
put_sentence(struct buf *out, const struct problem *problem)
{
	if (problem->parameter != NULL)
		buf_printf(out, "%s ", problem->parameter);
	buf_printf(out, "%s.", problem->detail);
}

/* The constants of this program hold no quote, but a < or & may stand in a sentence. */
static void
put_html(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '<')
			buf_puts(out, "&lt;");
		else if (text.data[i] == '>')
			buf_puts(out, "&gt;");
		else if (text.data[i] == '&')
			buf_puts(out, "&amp;");
		else
			buf_putc(out, text.data[i]);
	}
}

static void
put_html_start(struct buf *out, const char *title)
{
	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
	buf_printf(out, "<title>%s</title>\n<style>" STYLE "</style>\n</head>\n", title);
	buf_printf(out, "<body>\n<main>\n<h1>%s</h1>\n", title);
}

static void
put_paragraph(struct buf *out, struct span text)
{
	buf_puts(out, "<p>");
	put_html(out, text);
	buf_puts(out, "</p>\n");
}

static void
put_html_refusal(
    struct buf *out, const char *id, const struct problem *problem, struct span sentence)
{
	put_html_start(out, title_of(problem->status));
	put_paragraph(out, sentence);
	buf_printf(out, "</main>\n<footer>Error %d, request <code>%s</code></footer>\n",
	    problem->status, id);
	buf_puts(out, "</body>\n</html>\n");
}

static void
set_html(struct response *response)
{
	response->content_type = "text/html; charset=utf-8";
	http_add_field(response, "Content-Security-Policy", CSP);
}

void
page_show(struct response *response, const struct page *page)
{
	struct buf *out = &response->body;

	response->status = 200;
	set_html(response);
	put_html_start(out, page->title);
	for (size_t i = 0; page->paragraphs[i] != NULL; i++)
		put_paragraph(out, span_of(page->paragraphs[i]));
	buf_puts(out, "</main>\n");
	if (page->aadsts[0] != '\0')
		buf_printf(out, "<footer>Microsoft's error: <code>AADSTS%s</code></footer>\n",
		    page->aadsts);
	buf_puts(out, "</body>\n</html>\n");
}

static void
put_problem(struct buf *out, const char *id, const struct problem *problem, struct span sentence)
{
	buf_puts(out, "{\"type\":\"about:blank\",\"title\":");
	buf_put_json(out, span_of(title_of(problem->status)));
	buf_printf(out, ",\"status\":%d,\"detail\":", problem->status);
	buf_put_json(out, sentence);
	buf_printf(out, ",\"reason\":\"%s\"", problem->reason);
	if (problem->parameter != NULL)
		buf_printf(out, ",\"parameter\":\"%s\"", problem->parameter);
	buf_printf(out, ",\"id\":\"%s\"}\n", id);
}

/* HTML where it is named, and nothing for programs is wanted more. */
static bool
wants_html(const struct request *request)
{
	unsigned html = http_accept_weight(request, (struct span)SPAN("text/html"));

	return html > 0 &&
	       html >= http_accept_weight(request, (struct span)SPAN("application/problem+json")) &&
	       html >= http_accept_weight(request, (struct span)SPAN("application/json"));
}

void
page_refuse(struct response *response, const struct request *request, const struct problem *problem)
{
	char array[512];
	struct buf sentence;

	response->status = problem->status;
	response->problem = *problem;
	buf_clear(&response->location);
	buf_clear(&response->body);
	buf_init(&sentence, array, sizeof(array));
	put_sentence(&sentence, problem);
	if (wants_html(request)) {
		set_html(response);
		put_html_refusal(&response->body, request->id, problem, buf_span(&sentence));
	} else {
		response->content_type = "application/problem+json";
		put_problem(&response->body, request->id, problem, buf_span(&sentence));
	}
}

void
page_refuse_head(struct response *response, const struct request *request)
{
	page_refuse(response, request,
	    &(struct problem){ 431, "head_too_large", NULL,
		"The header fields leave no room for the answer", NULL });
}
