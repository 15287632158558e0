/*
 * path: whether a value that should be the path of a file is one. By mistake it may be what belongs
 * in that file, such as a private key, which nobody may see.
 */
#pragma once

#include <stdbool.h>

/*
 * The content of a file in place of its path: a PEM text with line ends of any kind, with `\n` or
 * blanks in their place, or in base64; a JSON text; a long run of base64.
 */
bool path_is_content(const char *text);

/* Nothing but a path: absolute or with a dot in front, or a file name with a suffix. */
bool path_is_plain(const char *text);
