/*
 * Turns a request and its response into log lines. Only words from closed sets, numbers, a GUID and
 * the client's address leave here: never a byte of the target.
 */
#include "observe/access_log.h"

#include "base/log.h"
#include "flow/csrf.h"
#include "flow/oauth.h"

/* The method, where it is one of RFC 9110's; a stranger may send any word. */
static const char *
method_word(struct span method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT",
		"OPTIONS", "TRACE", "PATCH", "other" };

	return known[text_find_word(known, COUNT(known) - 1, method)];
}

/* Where the admin-consent link is the cure, the hint ends with it, ready to send. */
static void
log_hint(struct log_line *line, const struct config *config, const struct response *response)
{
	const struct outcome *outcome = &response->outcome;
	const char *hint = response->problem.hint;
	BUF(text, 512);

	if (hint == NULL && outcome->hint_takes_link) {
		buf_printf(&text, "%s: ", outcome->hint);
		oauth_put_admin_link(&text, config);
		hint = text.data;
	}
	log_string(line, "hint", hint != NULL ? hint : outcome->hint);
}

static void
warn_of_long_url(const struct request *request, const struct response *response)
{
	struct log_line line;

	if (response->authorize_url_len <= OAUTH_URL_ADVISED_LEN ||
	    !log_begin(&line, LOG_WARNING, "authorize_url_long"))
		return;
	log_string(&line, "id", request->id);
	log_number(&line, "bytes", response->authorize_url_len);
	log_string(&line, "hint",
	    "Providers and proxies may refuse URLs of more than 2,000 bytes: "
	    "use a shorter success_url and error_url");
	log_end(&line);
}

void
access_log_request(const struct config *config, const struct request *request,
    const struct response *response, uint64_t duration_us, const char *client)
{
	const struct outcome *outcome = &response->outcome;
	bool is_routine = request->route >= ROUTE_HEALTHZ;
	struct log_line line;

	warn_of_long_url(request, response);
	if (!config->log_access || !log_begin(&line, is_routine ? LOG_DEBUG : LOG_INFO, "request"))
		return;
	log_string(&line, "id", request->id);
	log_string(&line, "method", method_word(request->method));
	log_string(&line, "route", http_route_names[request->route]);
	if (request->provider != NULL)
		log_string(&line, "provider", request->provider->name);
	log_number(&line, "status", (uint64_t)response->status);
	log_number(&line, "duration_us", duration_us);
	log_number(&line, "query_bytes", request->query.len);
	log_string(&line, "client", client);
	log_string(&line, "reason", response->problem.reason);
	log_string(&line, "parameter", response->problem.parameter);
	if (request->route == ROUTE_CONNECT && response->status == 403)
		log_string(&line, "sec_fetch_site", csrf_site(request));
	log_string(&line, "outcome", outcome->name);
	log_string(&line, "error", outcome->error);
	log_string(&line, "error_subcode", outcome->error_subcode);
	log_string(&line, "aadsts", outcome->aadsts);
	log_string(&line, "correlation_id", outcome->correlation_id);
	log_string(&line, "binding", response->binding);
	log_hint(&line, config, response);
	log_end(&line);
}
