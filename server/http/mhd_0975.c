/*
 * libmicrohttpd 0.9.75 keeps the head in one buffer, in place of each separator a NUL:
 *
 *	GET\0/path\0HTTP/1.1\0\nName\0 value\0\nName\0 value\0\n\0\n
 *
 * so in a well-formed head each part starts where the one before it ends. A NUL byte, a folded or
 * nameless line, a bare line feed or a second space moves the parts, and leaves no other trace.
 */
#include "http/screen.h"

bool
mhd_0975_applies(const char *library_version)
{
	return strcmp(library_version, "0.9.75") == 0 || strcmp(library_version, "0.9.74") == 0 ||
	       strcmp(library_version, "0.9.76") == 0;
}

bool
mhd_0975_is_whole(
    const struct request *request, const char *method, const char *target, size_t target_len)
{
	static const size_t line_end = 2; /* CR LF */
	const char *version = request->version.data;
	const char *at = version + request->version.len + line_end;

	if (request->too_many_headers || request->target_too_long)
		return true; /* refused anyway */
	if (target != method + strlen(method) + 1 || version != target + target_len + 1)
		return false;
	for (size_t i = 0; i < request->n_headers; i++) {
		if (request->headers[i].name.data != at)
			return false;
		at = request->headers[i].value.data + request->headers[i].value.len + line_end;
	}
	return at + line_end == method + request->head_bytes;
}
