/*
 * config_keys: the table of configuration keys, and how a value gets from text into its place.
 * Shared by config.c and config_file.c only.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config.h"

enum key_type { KEY_TEXT, KEY_NUMBER, KEY_SWITCH, KEY_CHOICE, KEY_LIST };

struct config_key {
	const char *name;
	enum key_type type;
	size_t offset;        /* in struct config: char *, unsigned long or struct text_list */
	const char *fallback; /* the default, as text; NULL: not set */
	unsigned long min, max;
	const char *const *choices; /* NULL at the end */
	const char *(*fault)(
	    const char *text); /* what is wrong with a text or an item; NULL: good */
	const char *right;     /* what would be right: "use ..." */
};

extern const struct config_key config_keys[];
extern const size_t config_n_keys;

/* The index of the key of this name, or config_n_keys. Names are case-sensitive. */
size_t config_find_key(const char *name);

/* Whether known keys start with name and a dot. */
bool config_is_section(const char *name);

/* The environment variable of a key: REDIRECTD_ and upper case, dots become underscores. */
void config_variable_name(const char *key, struct buf *out);

/*
 * Store the value of a key, freeing an earlier one, and its origin. What is wrong becomes a finding
 * and stores nothing.
 */
void config_set_text(struct config *config, const struct config_key *key, const char *text,
    const char *origin, struct findings *findings);
void config_set_list(struct config *config, const struct config_key *key, const struct span *items,
    size_t n, const char *origin, struct findings *findings);

/* Add the finding "origin: key: wrong; right". Unprintable bytes of origin and key become `?`. */
void config_find(struct findings *findings, bool is_error, const char *origin, const char *key,
    const char *wrong, const char *right);

/* The advice that goes with a wrong value of this key. */
void config_right(const struct config_key *key, struct buf *out);

/* The members of struct config that a key of each kind points at. */
char **config_text_at(struct config *config, const struct config_key *key);
unsigned long *config_number_at(struct config *config, const struct config_key *key);
struct text_list *config_list_at(struct config *config, const struct config_key *key);
void config_list_free(struct text_list *list);

/* Rules between keys, then the values that follow from others (config_check.c). */
void config_check_whole(struct config *config, struct findings *findings);

/* Read every key of a JSON file (config_file.c). */
void config_read_file(
    struct config *config, const struct config_source *source, struct findings *findings);

#endif
