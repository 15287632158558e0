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
http_is_repeated(const struct request *request, struct span name)
{
	size_t n = 0;

	for (size_t i = 0; i < request->n_headers; i++)
		n += span_equals_ignoring_case(request->headers[i].name, name);
	return n > 1;
}

bool
http_is_media_type(struct span content_type, struct span media_type)
{
	content_type.len = span_find(content_type, ';');
	return span_equals_ignoring_case(span_trim(content_type), media_type);
}

/* 0, 0.5, 1.000 (RFC 9110 12.4.2) in thousandths; what is none of these counts as 1. */
static unsigned
read_weight(struct span value)
{
	unsigned weight = 0, unit = 1000;

	if (value.len == 0 || value.data[0] != '0')
		return 1000;
	for (size_t i = 2; i < value.len && text_is_digit(value.data[i]); i++) {
		unit /= 10;
		weight += (unsigned)(value.data[i] - '0') * unit;
	}
	return weight;
}

static unsigned
weight_of(struct span media_range)
{
	static const struct span mark = SPAN("q=");
	struct span parameter;

	span_next(&media_range, ';', &parameter);
	while (span_next(&media_range, ';', &parameter)) {
		parameter = span_trim(parameter);
		if (parameter.len >= mark.len &&
		    span_equals_ignoring_case((struct span){ parameter.data, mark.len }, mark))
			return read_weight(span_from(parameter, mark.len));
	}
	return 1000;
}

unsigned
http_accept_weight(const struct request *request, struct span media_type)
{
	static const struct span accept = SPAN("Accept");
	unsigned best = 0;

	for (size_t i = 0; i < request->n_headers; i++) {
		struct span rest = request->headers[i].value, media_range;

		if (!span_equals_ignoring_case(request->headers[i].name, accept))
			continue;
		while (span_next(&rest, ',', &media_range))
			if (http_is_media_type(media_range, media_type) &&
			    weight_of(media_range) > best)
				best = weight_of(media_range);
	}
	return best;
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
