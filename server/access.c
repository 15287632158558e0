/*
 * Turns a request and its response into log lines. Only words from closed sets, numbers, a GUID and
 * the client's address leave here: never a byte of the target.
 */
#include "access.h"

#include "log.h"
#include "oauth.h"

/* The method, where it is one of RFC 9110's; a stranger may send any word. */
static const char *
method_word(struct span method)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT",
		"OPTIONS", "TRACE", "PATCH" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_equals(method, span_of(known[i])))
			return known[i];
	return "other";
}

static void
log_outcome(struct log_line *line, const struct outcome *outcome)
{
	log_string(line, "outcome", outcome->name);
	log_string(line, "error", outcome->error);
	log_string(line, "error_subcode", outcome->error_subcode);
	log_string(line, "aadsts", outcome->aadsts);
	log_string(line, "correlation_id", outcome->correlation_id);
}

void
access_log_request(const struct request *request, const struct response *response,
    uint64_t duration_us, const char *client)
{
	bool is_health = response->route == ROUTE_HEALTHZ || response->route == ROUTE_READYZ ||
			 response->route == ROUTE_METRICS;
	size_t query = http_query(request->target).len;
	struct log_line line;

	if (!log_begin(&line, is_health ? LOG_DEBUG : LOG_INFO, "request"))
		return;
	log_string(&line, "id", request->id);
	log_string(&line, "method", method_word(request->method));
	log_string(&line, "route", http_route_name(response->route));
	log_number(&line, "status", (uint64_t)response->status);
	log_number(&line, "duration_us", duration_us);
	log_number(&line, "query_bytes", query > 0 ? query - 1 : 0);
	log_string(&line, "client", client);
	log_string(&line, "reason", response->problem.reason);
	log_string(&line, "parameter", response->problem.parameter);
	log_outcome(&line, &response->outcome);
	log_string(&line, "binding", response->binding);
	log_string(&line, "hint", response->problem.hint);
	log_string(&line, "hint", response->problem.hint != NULL ? NULL : response->outcome.hint);
	log_end(&line);
}

void
access_warn_of_long_url(const struct request *request, const struct response *response)
{
	struct log_line line;

	if (response->authorize_url_len <= OAUTH_URL_ADVISED_LEN ||
	    !log_begin(&line, LOG_WARNING, "authorize_url_long"))
		return;
	log_string(&line, "id", request->id);
	log_number(&line, "bytes", response->authorize_url_len);
	log_string(&line, "hint",
	    "Microsoft and proxies may refuse URLs of more than 2,000 bytes: "
	    "use a shorter success_url and error_url");
	log_end(&line);
}
