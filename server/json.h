/*
 * json: cJSON with its traps closed (duplicate names are left to the caller, who knows the place).
 */
#ifndef JSON_H
#define JSON_H

#include <cjson/cJSON.h>

#include "text.h"

/* The fault, by its address, where memory was short. */
extern const char json_out_of_memory[];

/*
 * Parse exactly one JSON text: UTF-8, no byte below 0x20 but white space, no \u0000 (cJSON would
 * cut the string there), nothing behind it. Returns a tree to be freed with cJSON_Delete(), or
 * NULL with *ret_line, counted from 1, where the text is broken, and *ret_fault, what is wrong.
 */
cJSON *json_parse(struct span text, size_t *ret_line, const char **ret_fault);

/*
 * Move *cursor, which starts at the beginning of a text that json_parse() took, behind its next
 * member name, in document order. Returns the name's line, counted on from line.
 */
size_t json_next_name(struct span *cursor, size_t line);

#endif
