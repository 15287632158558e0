#include "http/http.h"

#include <assert.h>

const struct http_status http_statuses[HTTP_N_STATUSES] = {
	{ 200, "200", NULL },
	{ 302, "302", NULL },
	{ 303, "303", NULL },
	{ 400, "400", "Bad request" },
	{ 403, "403", "Please start from the app" },
	{ 404, "404", "Not found" },
	{ 405, "405", "Method not allowed" },
	{ 413, "413", "Content too large" },
	{ 414, "414", "Address too long" },
	{ 415, "415", "Unsupported media type" },
	{ 431, "431", "Header fields too large" },
	{ 500, "500", "Internal error" },
	{ 501, "501", "Not set up yet" },
	{ 503, "503", "Not available" },
	{ 0, "other", "Internal error" },
};

size_t
http_status_index(int number)
{
	size_t i = 0;

	while (i < HTTP_N_STATUSES - 1 && http_statuses[i].number != number)
		i++;
	return i;
}

size_t
http_count_header(const struct request *request, const char *name, struct span *ret_first)
{
	size_t n = 0, len = strlen(name);

	for (size_t i = 0; i < request->n_headers; i++) {
		const struct header *h = &request->headers[i];

		if (h->name.len == len && span_same_letters(h->name.data, name, len) && n++ == 0)
			*ret_first = h->value;
	}
	return n;
}

struct span
http_find_header(const struct request *request, const char *name)
{
	struct span value = SPAN("");

	http_count_header(request, name, &value);
	return value;
}

bool
http_is_media_type(struct span content_type, const char *media_type)
{
	content_type.len = span_find(content_type, ';');
	return span_is_ignoring_case(span_trim(content_type), media_type);
}

/* 0, 0.5, 1.000 (RFC 9110 12.4.2) in thousandths; anything else, or nothing, counts as 1. */
static unsigned
weight_of(struct span media_range)
{
	struct span parameter = SPAN("");
	unsigned weight = 0, unit = 1000;

	while (span_next(&media_range, ';', &parameter)) {
		parameter = span_trim(parameter);
		if (span_starts_ignoring_case(parameter, "q="))
			break;
	}
	if (!span_starts_ignoring_case(parameter, "q=0"))
		return 1000;
	for (size_t i = 4; i < parameter.len && text_is_digit(parameter.data[i]); i++) {
		unit /= 10;
		weight += (unsigned)(parameter.data[i] - '0') * unit;
	}
	return weight;
}

unsigned
http_accept_weight(const struct request *request, const char *media_type)
{
	unsigned best = 0;

	for (size_t i = 0; i < request->n_headers; i++) {
		struct span rest = request->headers[i].value, media_range;

		if (!span_is_ignoring_case(request->headers[i].name, "Accept"))
			continue;
		while (span_next(&rest, ',', &media_range))
			if (http_is_media_type(media_range, media_type) &&
			    weight_of(media_range) > best)
				best = weight_of(media_range);
	}
	return best;
}

bool
http_refuse(struct problem *ret_problem, int status, const char *reason, const char *detail)
{
	*ret_problem = (struct problem){ status, reason, NULL, detail, NULL };
	return false;
}

void
http_add_field(struct response *response, const char *name, const char *value)
{
	assert(response->n_fields < HTTP_MAX_FIELDS);
	response->fields[response->n_fields++] = (struct field){ name, value };
}

void
http_split_target(struct request *request)
{
	struct span target = request->target;
	size_t path_len;
	bool is_origin_form = target.len > 0 && target.data[0] == '/';

	if (!is_origin_form && (span_starts_ignoring_case(target, "http://") ||
				   span_starts_ignoring_case(target, "https://"))) {
		target = span_from(target, span_find(target, '/') + 2);
		while (target.len > 0 && target.data[0] != '/' && target.data[0] != '?')
			target = span_from(target, 1);
	}
	path_len = span_find(target, '?');
	request->path = (struct span){ target.data, path_len };
	request->query = span_from(target, path_len + 1);
	request->has_query = path_len < target.len;
}

const char *const http_route_names[N_ROUTES] = { "other", "callback", "connect", "connect_admin",
	"admin_consent_callback", "association", "healthz", "readyz", "metrics", "operator_page" };
