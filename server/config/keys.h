/*
 * keys: the table of configuration keys. What the README, the manual page, the options and the
 * variables say of a key is made from it.
 */
#pragma once

#include "config/config.h"

enum key_type { KEY_TEXT, KEY_NUMBER, KEY_SWITCH, KEY_CHOICE, KEY_LIST };

/* Where a member of struct config is, by its key's type. */
union config_value {
	void *at;
	char **text;
	unsigned *number; /* also the index of a choice */
	struct text_list *list;
};

enum { KEYS_MAX = 64 }; /* room for as many in arrays that have a place for each key */

struct config_key {
	const char *name;
	enum key_type type;
	size_t offset;                          /* of its member of struct config */
	const char *fallback;                   /* the default, as text; NULL: not set */
	unsigned min, max;                      /* of a number */
	const char *const *choices;             /* NULL at the end */
	const char *(*judge)(const char *text); /* of a text, or of an item; see below */
	const char *advice; /* for a wrong value: "use ..."; NULL: made from the above */
};

extern const struct config_key config_keys[];
extern const size_t config_n_keys;

static inline union config_value
config_value(const struct config *config, const struct config_key *key)
{
	return (union config_value){ (char *)(uintptr_t)config + key->offset };
}

/* Where its value came from: this, where it is not set. */
#define SOURCE_DEFAULT "default"
static inline const char *
config_source_of(const struct config *config, const struct config_key *key)
{
	const char *source = config->sources[key - config_keys];

	return source != NULL ? source : SOURCE_DEFAULT;
}

/* The key of this name; NULL where there is none. Names are case-sensitive. */
const struct config_key *keys_find(const char *name);

/* Whether keys start with name and a dot. */
bool keys_is_section(const char *name);

/* The key, or the choice of a key, that was most likely meant; NULL where none is near. */
const char *keys_find_nearest(const char *name);
const char *keys_find_nearest_choice(const struct config_key *key, const char *text);

/* What to do about an unknown name; put writes the key that was meant, in the form of its place. */
void keys_put_hint(
    struct buf *out, const char *name, void (*put)(struct buf *out, const char *key));

/* The environment variable of a key: REDIRECTD_ and upper case, dots become underscores. */
void keys_put_variable(struct buf *out, const char *key);

/* What would be right for this key: "use ...". */
void keys_put_advice(struct buf *out, const struct config_key *key);

enum { JUDGE_APP_NAME_MAX_LEN = 64 }; /* characters */

/*
 * What is wrong with the text of one value, or with one item of a list (judge.c): NULL where it is
 * good; else to follow the name of the key, such as "is not a GUID". After "; " may stand what to
 * do, in place of the key's own advice. The text itself is never in it. judge_text() knows what no
 * text may be, such as empty; a public_url is an origin for Microsoft, a pattern an origin that may
 * have `*.` for a label, a scope a scope-token of RFC 6749 3.3.
 */
typedef const char *judge(const char *text);

judge judge_text, judge_origin, judge_pattern, judge_public_url, judge_return_url, judge_app_name,
    judge_address, judge_network, judge_guid, judge_google_id, judge_tenant, judge_scope,
    judge_path;
