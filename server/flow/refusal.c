/* Words for those who are refused: for people by a page, for programs by problem+json. */
#include "flow/page.h"

#define NOT_CONNECTED "It is not your fault. Your calendar was not connected.</p>\n<p>"
#define TRY_AGAIN     "Go back to $a and try again. If this page comes up again, tell support.</p>\n"

/* 0 and NULL stand for all others. */
static const struct words {
	int status;
	const char *reason;
	const char *title;
	const char *text;
} all_words[] = {
	{ 403, "cross_site_start", "Please start from $a",
	    "<p>You came here from another page, or by typing the address. Your calendar was not "
	    "connected: a link from a stranger could connect it to the stranger's account.</p>\n"
	    "<p>Open $a and connect your calendar from there.</p>\n" },
	{ 403, NULL, "The sign-in took too long",
	    "<p>It has to be finished within 15 minutes, in the same browser. Your calendar was not "
	    "connected, and nothing is lost.</p>\n"
	    "<p>Go back to $a and connect your calendar again.</p>\n" },
	{ 404, NULL, "There is no page here",
	    "<p>The address may be incomplete or mistyped. Go back to $a and continue from "
	    "there.</p>\n" },
	{ 405, NULL, "The sign-in could not be finished",
	    "<p>Your browser was sent here in a way that does not work. " NOT_CONNECTED TRY_AGAIN },
	{ 414, NULL, "This link is too long",
	    "<p>The address that your browser was sent to is longer than this server "
	    "takes. " NOT_CONNECTED TRY_AGAIN },
	{ 431, NULL, "Your browser sent too many cookies",
	    "<p>It keeps more data for this site than fits into one request. Your calendar was not "
	    "connected.</p>\n<p>Open $a in a private window and try again there, or delete this "
	    "site's cookies first.</p>\n" },
	{ 500, NULL, "Something went wrong here",
	    "<p>This service has made a mistake. " NOT_CONNECTED TRY_AGAIN },
	{ 501, NULL, "Connecting is not set up yet",
	    "<p>The people who run this service have not finished setting it up. There is nothing "
	    "that you have to do here.</p>\n<p>Go back to $a and tell support.</p>\n" },
	{ 503, NULL, "Please try again in a minute",
	    "<p>This service is busy, or it is being restarted. Your calendar was not "
	    "connected.</p>\n<p>Wait a minute, then go back to $a and try again.</p>\n" },
	{ 0, NULL, "This link does not work",
	    "<p>Something in the link that brought you here is wrong. " NOT_CONNECTED TRY_AGAIN },
};

static void
put_problem(struct buf *out, const char *id, const struct problem *problem)
{
	BUF(sentence, 512);

	if (problem->parameter != NULL)
		buf_printf(&sentence, "%s ", problem->parameter);
	buf_printf(&sentence, "%s.", problem->detail);
	buf_puts(out, "{\"type\":\"about:blank\",\"title\":");
	buf_put_json(out, span_of(http_statuses[http_status_index(problem->status)].title));
	buf_printf(out, ",\"status\":%d,\"detail\":", problem->status);
	buf_put_json(out, buf_span(&sentence));
	buf_printf(out, ",\"reason\":\"%s\"", problem->reason);
	if (problem->parameter != NULL)
		buf_printf(out, ",\"parameter\":\"%s\"", problem->parameter);
	buf_printf(out, ",\"id\":\"%s\"}\n", id);
}

void
page_show_problem(
    const struct config *config, const struct request *request, struct response *response)
{
	const struct problem *problem = &response->problem;
	const struct words *words = all_words;
	unsigned html = http_accept_weight(request, "text/html");

	response->status = problem->status;
	buf_clear(&response->location);
	buf_clear(&response->body);
	/* HTML where it is named, and nothing for programs is wanted more. */
	if (html == 0 || html < http_accept_weight(request, "application/problem+json") ||
	    html < http_accept_weight(request, "application/json")) {
		response->content_type = "application/problem+json";
		put_problem(&response->body, request->id, problem);
		return;
	}
	while ((words->status != 0 && words->status != problem->status) ||
	       (words->reason != NULL && strcmp(words->reason, problem->reason) != 0))
		words++;
	page_show(config, request,
	    &(struct page){ words->title, words->text, "", "",
		"<p>$P$d.</p>\n<p>Status $s, reason <code>$r</code></p>\n" },
	    response);
}
