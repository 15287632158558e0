/* draft: a configuration that is being put together, value by value, and what is wrong with it. */
#pragma once

#include "config/keys.h"

enum { DRAFT_MAX_ITEMS = 256, DRAFT_SOURCE_SIZE = 300 };

struct draft {
	struct config *config;
	struct findings *findings;
	char source[DRAFT_SOURCE_SIZE]; /* of what is set next */
};

/* What is set or reported next comes from: SOURCE_DEFAULT, file:line, a variable, an option. */
void draft_set_source(struct draft *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Set the value of a key, in place of an earlier one, with its source. What is wrong with it
 * becomes a finding, and the earlier value stays.
 */
void draft_set(struct draft *d, const struct config_key *key, const char *text);
void draft_set_items(
    struct draft *d, const struct config_key *key, const struct span *items, size_t n);

void draft_free_list(struct text_list *list);

/* Report an error of this source; key may be "". */
void draft_report(struct draft *d, const char *key, const char *wrong, const char *advice);

/* Report a wrong value, as judges put it; the key's own advice is added where there is none. */
void draft_report_value(struct draft *d, const struct config_key *key, const char *wrong);

/* Set what a configuration file of this text sets; its name is for the findings (file.c). */
void draft_read_file(struct draft *d, const char *name, struct span text);

/* Report what is wrong between keys; where nothing is, fill in what follows from them (check.c). */
void draft_check(struct draft *d);
