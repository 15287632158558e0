#include "flow/hint.h"

#include "base/json.h"
#include "flow/csrf.h"
#include "flow/provider.h"

#define OPEN_AS_LINK "open /connect by a link or a form in the whole window"

const char *
hint_of_browser(const struct request *request)
{
	static const char *const frames[] = { "iframe", "frame", "embed", "object" };
	struct span mode;

	if (span_is(request->method, "OPTIONS") &&
	    http_count_header(request, "Access-Control-Request-Method", &mode) > 0)
		return "This is a preflight: a script wants to call this address by fetch(), which "
		       "cannot show the sign-in page; " OPEN_AS_LINK;
	if (request->route != ROUTE_CONNECT && request->route != ROUTE_CONNECT_ADMIN)
		return NULL;
	if (text_find_word(frames, COUNT(frames), http_find_header(request, "Sec-Fetch-Dest")) <
	    COUNT(frames))
		return "The sign-in page cannot be shown in a frame; " OPEN_AS_LINK;
	if (http_count_header(request, "Sec-Fetch-Mode", &mode) > 0 && !span_is(mode, "navigate"))
		return "A script asked by fetch(), which cannot show the sign-in page; " OPEN_AS_LINK;
	return NULL;
}

static struct span
cut_api(struct span path)
{
	while (span_starts_ignoring_case(path, "//"))
		path = span_from(path, 1);
	return span_from(path, span_starts_ignoring_case(path, "/api/") ? 4 : 0);
}

/* The next byte in the form in which near misses are the same; NUL at the end. */
static char
next_byte(struct span *rest)
{
	char c;

	while (span_starts_ignoring_case(*rest, "//"))
		*rest = span_from(*rest, 1);
	if (rest->len == 0 || span_is(*rest, "/"))
		return '\0';
	c = text_lower(rest->data[0]);
	*rest = span_from(*rest, 1);
	return (char)(c == '-' ? '_' : c);
}

bool
hint_is_near(struct span path, struct span wanted)
{
	char a, b;

	path = cut_api(path);
	wanted = cut_api(wanted);
	do {
		a = next_byte(&path);
		b = next_byte(&wanted);
	} while (a == b && a != '\0');
	return a == b;
}

const char *
hint_of_parameter(struct span name)
{
	static const char *const others[] = { "authenticity_token", "csrfmiddlewaretoken", "_token",
		"_csrf", "csrf_token", "_csrf_token", "__RequestVerificationToken", "_gl", "gclid",
		"fbclid", "msclkid", "mc_eid", "_hsenc", "_hsmi" };

	if (text_find_word(others, COUNT(others), name) == COUNT(others) &&
	    !span_starts_ignoring_case(name, "utm_"))
		return NULL;
	return "A web framework or a tracker of mails and advertisements added a field: leave it out "
	       "of the form or link to /connect";
}

const char *
hint_of_state(const struct config *config, const struct request *request)
{
	const char *url = config->public_url, *token, *uri, *wrong;
	BUF(state, CSRF_STATE_SIZE);
	size_t line, len = url != NULL ? strlen(url) : 0;
	cJSON *tree = NULL;
	bool good;

	if (csrf_read_state(request->query, &state))
		tree = json_parse(buf_span(&state), &line, &wrong);
	token = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(tree, "recall_calendar_auth_token"));
	uri = cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(tree, request->provider->redirect_member));
	good = token != NULL && *token != '\0' && uri != NULL &&
	       (url == NULL || (strncmp(uri, url, len) == 0 &&
				   strcmp(uri + len, request->provider->callback_path) == 0));
	cJSON_Delete(tree);
	buf_wipe(&state);
	return good ? NULL
		    : "The state was built elsewhere, and Recall cannot use it: it has to be one "
		      "JSON object with recall_calendar_auth_token and the redirect URI of this "
		      "server. Build the URL by /connect";
}
