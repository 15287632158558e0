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
	size_t offset;              /* of its member of struct config */
	const char *fallback;       /* the default, as text; NULL: not set */
	const char *derived;        /* where it is not set, what stands in, in words; or NULL */
	unsigned min, max;          /* of a number */
	const char *const *choices; /* NULL at the end */
	const char *(*judge)(const char *text); /* of a text, or of an item */
	const char *advice;  /* for a wrong value: "use ..."; NULL: made from the above */
	const char *meaning; /* for the documents; code between backticks */
};

extern const struct config_key config_keys[];
extern const size_t config_n_keys;

static inline union config_value
config_value(const struct config *config, const struct config_key *key)
{
	return (union config_value){ (char *)(uintptr_t)config + key->offset };
}

/* Where its value came from: "default" where it is not set. */
static inline const char *
config_source_of(const struct config *config, const struct config_key *key)
{
	const char *source = config->sources[key - config_keys];

	return source != NULL ? source : "default";
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
 * do, in place of the key's own advice. The text itself is never in it.
 */
const char *judge_text(const char *text); /* what no text may be, such as empty */
const char *judge_origin(const char *text);
const char *judge_pattern(const char *text);    /* an origin, maybe with `*.` for a label */
const char *judge_public_url(const char *text); /* an origin for Microsoft */
const char *judge_return_url(const char *text); /* as /connect's success_url */
const char *judge_app_name(const char *text);
const char *judge_address(const char *text); /* numeric, without a port */
const char *judge_network(const char *text);
const char *judge_guid(const char *text);
const char *judge_google_id(const char *text); /* an OAuth client's */
const char *judge_tenant(const char *text);
const char *judge_scope(const char *text); /* RFC 6749 3.3: scope-token */
const char *judge_path(const char *text);
