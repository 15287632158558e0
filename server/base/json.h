/*
 * json: cJSON with its traps closed. Names that appear more than once are left to the caller, who
 * knows their place.
 */
#pragma once

#include <cjson/cJSON.h>

#include "base/text.h"

/* What is wrong, by its address, where memory was short. */
extern const char json_out_of_memory[];

/*
 * Parse exactly one JSON text: UTF-8, no byte below 0x20 but white space, no \u0000 (cJSON would
 * cut the string there), nothing after it. Returns a tree to be freed with cJSON_Delete(), which
 * wipes it, or NULL with the line, counted from 1, and what is wrong and what to do, to follow the
 * name of the text: "has a comment; delete it".
 */
cJSON *json_parse(struct span text, size_t *ret_line, const char **ret_wrong);

/*
 * Move *rest, which starts as the whole of a text that json_parse() accepted, past its next member
 * name, in the order of the text. Adds the lines that were passed to *line, which is the name's
 * then.
 */
void json_next_name(struct span *rest, size_t *line);
