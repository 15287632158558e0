#include "config/keys.h"

#include <arpa/inet.h>

#include "base/path.h"

/* https://learn.microsoft.com/entra/identity-platform/reply-url: at most 256 characters each. */
enum { REDIRECT_URI_MAX_LEN = 256 };

/* text begins with a quote that a shell or an .env file should have taken; it is not empty. */
static bool
is_quote(const char *text)
{
	return strchr("\"'`", *text) != NULL || strncmp(text, "\xe2\x80", 2) == 0;
}

const char *
judge_text(const char *text)
{
	size_t len = strlen(text);
	const char *last = text + len - (len > 0);

	if (len == 0)
		return "is empty";
	if (strchr(" \t", *text) != NULL || strchr(" \t", *last) != NULL)
		return "has a blank at its start or end; delete it";
	if (is_quote(text) || is_quote(last) || (len > 2 && is_quote(last - 2)))
		return "has quotes around it; delete them";
	if (text_has_control(span_of(text)))
		return "has a control byte in it";
	return text_is_utf8(span_of(text)) ? NULL : "is not UTF-8";
}

const char *
judge_origin(const char *text)
{
	return url_parse(span_of(text), URL_ORIGIN, &(struct url_origin){ 0 });
}

const char *
judge_pattern(const char *text)
{
	return url_parse(span_of(text), URL_PATTERN, &(struct url_origin){ 0 });
}

const char *
judge_public_url(const char *text)
{
	const char *wrong = judge_origin(text);

	if (wrong == NULL &&
	    strlen(text) + strlen("/api/ms_admin_consent_callback") > REDIRECT_URI_MAX_LEN)
		return "makes a redirect URI of more than Microsoft's 256 characters";
	if (wrong == NULL && strchr(text, '[') != NULL)
		return "has an IPv6 address as its host, which Microsoft does not accept";
	return wrong;
}

const char *
judge_return_url(const char *text)
{
	if (strlen(text) > URL_RETURN_MAX_LEN)
		return "is longer than 1024 bytes";
	return url_parse(span_of(text), URL_ANY, &(struct url_origin){ 0 });
}

const char *
judge_app_name(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (*text & 0xc0) != 0x80;
	return n <= JUDGE_APP_NAME_MAX_LEN ? NULL : "is longer than 64 characters";
}

const char *
judge_address(const char *text)
{
	unsigned char bytes[16];
	bool good = inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;

	return good ? NULL : "is not an IP address";
}

const char *
judge_network(const char *text)
{
	return network_parse(span_of(text), &(struct network){ 0 }) ? NULL : "is not a network";
}

const char *
judge_guid(const char *text)
{
	if (text_is_guid(span_of(text)))
		return NULL;
	return strlen(text) == 36 ? "is not a GUID" : "does not have 36 characters, as a GUID has";
}

const char *
judge_google_id(const char *text)
{
	const char *end = strchr(text, '.');
	bool good = end != NULL && strcmp(end, ".apps.googleusercontent.com") == 0 &&
		    text_is_domain(span_of(text));

	return good ? NULL : "is not a Google client ID";
}

const char *
judge_tenant(const char *text)
{
	struct span tenant = span_of(text);
	bool good = text_is_guid(tenant) || text_is_domain(tenant) || strcmp(text, "common") == 0 ||
		    strcmp(text, "organizations") == 0 || strcmp(text, "consumers") == 0;

	return good ? NULL : "is not a tenant";
}

const char *
judge_scope(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= 0x20 || *text >= 0x7f || *text == '"' || *text == '\\')
			return "has a byte that no scope may have";
	return NULL;
}

const char *
judge_path(const char *text)
{
	return path_is_content(text)
		   ? "is the content of the file itself, such as a key, where its path belongs; "
		     "save it to a file, and use the path of that file"
		   : NULL;
}
