/*
 * The callback: Location is the configured target and then the query as it came, to the byte.
 */
#include <stdlib.h>

#include "flow/app.h"
#include "fuzz.h"

enum { BODY_SIZE = 4 * 1024 };

static const char *const bases[] = { "https://us-east-1.recall.ai", "http://localhost:8443" };
static const char *const texts[] = { "{}",
	"{\"recall\":{\"base_url\":\"http://localhost:8443\"}}" };
#define RECALL(name) "/api/v1/calendar/" name "_oauth_callback/"
static const struct {
	const char *from, *to;
} paths[] = {
	{ "/api/ms_oauth_callback", RECALL("ms") },
	{ "/api/ms_oauth_callback/", RECALL("ms") },
	{ "https://oauth.example.com/api/ms_oauth_callback", RECALL("ms") },
	{ "/api/google_oauth_callback", RECALL("google") },
	{ "/api/google_oauth_callback/", RECALL("google") },
	{ "http://oauth.example.com/api/google_oauth_callback", RECALL("google") },
};

static char *
join(const char *start, const char *middle, struct span query, size_t *ret_len)
{
	struct buf b = fuzz_buf(strlen(start) + strlen(middle) + query.len + 1);

	buf_puts(&b, start);
	buf_puts(&b, middle);
	buf_put(&b, query);
	*ret_len = b.len;
	return b.data;
}

static void
check_redirect(const struct response *response, struct span wanted)
{
	HOLDS(response->status == 302);
	HOLDS(span_equals(buf_span(&response->location), wanted));
	HOLDS(response->body.len == 0 && response->problem.reason == NULL);
	fuzz_check_outcome(&response->outcome);
}

static void
check_refusal(const struct response *response)
{
	HOLDS(response->status == 414 || response->status == 431);
	HOLDS(response->location.len == 0 && response->location.data[0] == '\0');
	HOLDS(response->body.len > 0 && response->problem.reason != NULL);
}

/* room: the size of the array for Location, its NUL counted. */
static void
ask(const struct config *config, struct span target, struct span wanted, size_t room)
{
	struct request request = {
		.id = "0123456789abcdef",
		.method = SPAN("GET"),
		.target = target,
		.body = SPAN(""),
	};
	struct response response = { .location = fuzz_buf(room), .body = fuzz_buf(BODY_SIZE) };

	app_find_route(&request);
	app_handle(config, &request, &response);
	if (room > wanted.len)
		check_redirect(&response, wanted);
	else
		check_refusal(&response);
	HOLDS(request.route == ROUTE_CALLBACK);
	HOLDS(strcmp(fuzz_field(&response, "Cache-Control"), "no-store") == 0);
	HOLDS(strcmp(fuzz_field(&response, "Referrer-Policy"), "no-referrer") == 0);
	free(response.location.data);
	free(response.body.data);
}

static void
check(size_t config, size_t path, struct span query)
{
	static struct config *configs[2];
	struct span target, wanted;

	if (configs[config] == NULL)
		configs[config] = fuzz_config(texts[config]);
	target.data = join(paths[path].from, "", query, &target.len);
	wanted.data = join(bases[config], paths[path].to, query, &wanted.len);
	ask(configs[config], target, wanted, wanted.len + 1);
	ask(configs[config], target, wanted, wanted.len);
	ask(configs[config], target, wanted, 1);
	free((char *)(uintptr_t)target.data);
	free((char *)(uintptr_t)wanted.data);
}

/* The input is the target's query with its question mark; what stands before that is left out. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = { (const char *)data, size };

	while (input.len > 0 && input.data[0] != '?')
		input = (struct span){ input.data + 1, input.len - 1 };
	for (size_t c = 0; c < 2; c++)
		for (size_t p = 0; p < sizeof(paths) / sizeof(paths[0]); p++)
			check(c, p, input);
	return 0;
}
