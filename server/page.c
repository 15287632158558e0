/*
 * Writes error pages. Self-contained, without script; shows constants and the request id only.
 */
#include "page.h"

#include <stdio.h>

/* CSP_STYLE_HASH is the SHA-256 of STYLE; check_page.c holds them together. */
#define STYLE                                                                                         \
	":root{color-scheme:light dark}"                                                              \
	"body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:36rem;padding:3rem 1.25rem}" \
	"h1{font-size:1.5rem;line-height:1.2}"                                                        \
	"footer{margin-top:2rem;font-size:.875rem}"                                                   \
	"code{font:.875rem ui-monospace,monospace;overflow-wrap:anywhere}"
#define CSP_STYLE_HASH "sha256-BNwz+IesH9adNaLJ7S8QbrpNUXn3kdF78SwT9UqCK9c="
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
		return "Not allowed";
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
put_html_page(struct buf *out, const char *id, const struct problem *problem, struct span sentence)
{
	const char *title = title_of(problem->status);

	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
	buf_printf(out, "<title>%s</title>\n<style>" STYLE "</style>\n</head>\n", title);
	buf_printf(out, "<body>\n<main>\n<h1>%s</h1>\n<p>", title);
	put_html(out, sentence);
	buf_printf(out, "</p>\n</main>\n<footer>Error %d, request <code>%s</code></footer>\n",
	    problem->status, id);
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
	if (http_accepts(request, (struct span)SPAN("text/html"))) {
		response->content_type = "text/html; charset=utf-8";
		http_add_field(response, "Content-Security-Policy", CSP);
		put_html_page(&response->body, request->id, problem, buf_span(&sentence));
	} else {
		response->content_type = "application/problem+json";
		put_problem(&response->body, request->id, problem, buf_span(&sentence));
	}
}
