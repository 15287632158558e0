/* hint: why a request cannot work, for the operator's log: a constant, or NULL. */
#pragma once

#include "config/config.h"
#include "http/http.h"

/* Of a preflight, or of a start by fetch() or in a frame: no sign-in page can be shown there. */
const char *hint_of_browser(const struct request *request);

/* Whether path only just misses wanted: letter case, a slash too many, /api, `-` for `_`. */
bool hint_is_near(struct span path, struct span wanted);

/* Of the name of an unknown parameter that a web framework or a mail tracker adds. */
const char *hint_of_parameter(struct span name);

/* Of a callback whose state was built elsewhere, and not as Recall wants it. */
const char *hint_of_state(const struct config *config, const struct request *request);
