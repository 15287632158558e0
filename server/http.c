/*
 * Reads plain requests. Borrows everything, allocates nothing.
 */
#include "http.h"

#include <assert.h>

bool
http_get_header(const struct request *request, struct span name, struct span *ret_value)
{
	for (size_t i = 0; i < request->n_headers; i++) {
		if (!span_equals_ignoring_case(request->headers[i].name, name))
			continue;
		*ret_value = request->headers[i].value;
		return true;
	}
	return false;
}

struct span
http_find_header(const struct request *request, struct span name)
{
	struct span value = SPAN("");

	http_get_header(request, name, &value);
	return value;
}

bool
http_is_media_type(struct span content_type, struct span media_type)
{
	content_type.len = span_find(content_type, ';');
	return span_equals_ignoring_case(span_trim(content_type), media_type);
}

/* q=0, q=0.0 and the like: "not acceptable" (RFC 9110 12.4.2). */
static bool
has_zero_weight(struct span media_range)
{
	static const struct span zero = SPAN("q=0");
	struct span parameter;

	span_next(&media_range, ';', &parameter);
	while (span_next(&media_range, ';', &parameter)) {
		parameter = span_trim(parameter);
		if (parameter.len < zero.len ||
		    !span_equals_ignoring_case((struct span){ parameter.data, zero.len }, zero))
			continue;
		parameter = span_from(parameter, zero.len);
		while (parameter.len > 0 && (*parameter.data == '.' || *parameter.data == '0'))
			parameter = span_from(parameter, 1);
		return parameter.len == 0;
	}
	return false;
}

static bool
accept_names(struct span accept, struct span media_type)
{
	struct span media_range;

	while (span_next(&accept, ',', &media_range))
		if (http_is_media_type(media_range, media_type) && !has_zero_weight(media_range))
			return true;
	return false;
}

bool
http_accepts(const struct request *request, struct span media_type)
{
	static const struct span accept = SPAN("Accept");

	for (size_t i = 0; i < request->n_headers; i++)
		if (span_equals_ignoring_case(request->headers[i].name, accept) &&
		    accept_names(request->headers[i].value, media_type))
			return true;
	return false;
}

void
http_add_field(struct response *response, const char *name, const char *value)
{
	assert(response->n_fields < HTTP_MAX_FIELDS);
	response->fields[response->n_fields++] = (struct field){ name, value };
}

/* The target without a leading http:// or https:// and the authority behind it. */
static struct span
origin_form(struct span target)
{
	static const struct span schemes[] = { SPAN("http://"), SPAN("https://") };

	for (size_t i = 0; target.len > 0 && target.data[0] != '/' && i < 2; i++) {
		struct span start = { target.data, schemes[i].len };

		if (target.len < start.len || !span_equals_ignoring_case(start, schemes[i]))
			continue;
		target = span_from(target, start.len);
		while (target.len > 0 && target.data[0] != '/' && target.data[0] != '?')
			target = span_from(target, 1);
	}
	return target;
}

struct span
http_path(struct span target)
{
	target = origin_form(target);
	target.len = span_find(target, '?');
	return target;
}

struct span
http_query(struct span target)
{
	return span_from(target, span_find(target, '?'));
}

const char *
http_route_name(enum route route)
{
	static const char *const names[] = {
		[ROUTE_OTHER] = "other",
		[ROUTE_CALLBACK] = "callback",
		[ROUTE_CONNECT] = "connect",
		[ROUTE_CONNECT_ADMIN] = "connect_admin",
		[ROUTE_ADMIN_CALLBACK] = "admin_consent_callback",
		[ROUTE_ASSOCIATION] = "association",
		[ROUTE_HEALTHZ] = "healthz",
		[ROUTE_READYZ] = "readyz",
		[ROUTE_METRICS] = "metrics",
	};

	return names[route];
}
