#include "base/path.h"

#include "base/text.h"

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { PATH_MAX_LEN = 250 };

/* A run of these bytes as no path has, of both letter cases and digits. */
static bool
has_run(const char *text, const char *bytes, size_t min_len)
{
	while (*text != '\0') {
		size_t len = strspn(text, bytes);
		bool has_upper = false, has_lower = false, has_digit = false;

		for (size_t i = 0; i < len; i++) {
			has_digit |= text_is_digit(text[i]);
			has_upper |= text_is_alpha(text[i]) && text[i] < 'a';
			has_lower |= text[i] >= 'a';
		}
		if (len >= min_len && has_upper && has_lower && has_digit)
			return true;
		text += len + (text[len] != '\0');
	}
	return false;
}

bool
path_is_content(const char *text)
{
	bool is_relative = text[0] != '/' && text[0] != '.';

	return strstr(text, "-----") != NULL || strstr(text, "PRIVATE KEY") != NULL ||
	       strstr(text, "\\n") != NULL || strpbrk(text, "\r\n{") != NULL ||
	       strncmp(text, "LS0t", 4) == 0 || /* "---" in base64 */
	       has_run(text, ALPHANUMERIC "+=_-", 40) ||
	       has_run(text, ALPHANUMERIC "+/=", is_relative ? 64 : 80);
}

bool
path_is_plain(const char *text)
{
	const char *name = strrchr(text, '/'), *suffix, *c = text;

	while (*c != '\0' &&
	       ((unsigned char)*c >= 0x80 || strchr(ALPHANUMERIC "/._-@+:~", *c) != NULL))
		c++;
	suffix = strrchr(name != NULL ? name : text, '.');
	return *c == '\0' && c - text <= PATH_MAX_LEN && !path_is_content(text) &&
	       (text[0] == '/' || text[0] == '.' || suffix != NULL);
}
