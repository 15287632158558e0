#include "http/http.h"

static bool
is_trusted(const struct network *trusted, size_t n_trusted, const struct address *address)
{
	for (size_t i = 0; i < n_trusted; i++)
		if (network_contains(&trusted[i], address))
			return true;
	return false;
}

/* Cut the last comma-separated part off *rest. */
static struct span
take_last(struct span *rest)
{
	size_t start = rest->len;
	struct span last;

	while (start > 0 && rest->data[start - 1] != ',')
		start--;
	last = span_from(*rest, start);
	rest->len = start > 0 ? start - 1 : 0;
	return span_trim(last);
}

bool
http_forwarded_client(const struct network *trusted, size_t n_trusted,
    const struct request *request, const struct address *peer, struct address *ret_client)
{
	bool is_known = peer != NULL;
	struct address client = is_known ? *peer : (struct address){ 0 };

	for (size_t i = request->n_headers; i > 0; i--) {
		struct span rest = request->headers[i - 1].value;

		if (!span_is_ignoring_case(request->headers[i - 1].name, "X-Forwarded-For"))
			continue;
		for (; rest.len > 0; is_known = true)
			if ((is_known && !is_trusted(trusted, n_trusted, &client)) ||
			    !address_parse(take_last(&rest), &client))
				goto out;
	}
out:
	if (is_known)
		*ret_client = client;
	return is_known;
}

static bool
is_not_of_an_id(unsigned char c)
{
	return !text_is_alpha((char)c) && !text_is_digit((char)c) && c != '.' && c != '_' &&
	       c != '-';
}

void
http_take_forwarded_id(const struct network *trusted, size_t n_trusted,
    const struct request *request, const struct address *peer, char id[HTTP_ID_SIZE])
{
	struct span given;

	if ((peer != NULL && !is_trusted(trusted, n_trusted, peer)) ||
	    http_count_header(request, "X-Request-Id", &given) != 1 || given.len == 0 ||
	    given.len >= HTTP_ID_SIZE || span_any(given, is_not_of_an_id))
		return;
	memcpy(id, given.data, given.len);
	id[given.len] = '\0';
}
