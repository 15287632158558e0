#include "config/keys.h"

enum { NAME_MAX_LEN = 64 };

const struct config_key *
keys_find(const char *name)
{
	for (size_t i = 0; i < config_n_keys; i++)
		if (strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

bool
keys_is_section(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < config_n_keys; i++)
		if (strncmp(config_keys[i].name, name, len) == 0 && config_keys[i].name[len] == '.')
			return true;
	return false;
}

void
keys_put_variable(struct buf *out, const char *key)
{
	buf_puts(out, "REDIRECTD_");
	for (; *key != '\0'; key++)
		buf_putc(out, *key == '.' ? '_' : text_is_alpha(*key) ? (char)(*key & 0x5f) : *key);
}

void
keys_put_advice(struct buf *out, const struct config_key *key)
{
	if (key->advice != NULL) {
		buf_puts(out, key->advice);
	} else if (key->type == KEY_NUMBER) {
		buf_printf(out, "use a whole number from %u to %u", key->min, key->max);
	} else {
		buf_printf(out, "use %s", key->choices[0]);
		for (size_t i = 1; key->choices[i] != NULL; i++)
			buf_printf(out, "%s%s", key->choices[i + 1] == NULL ? " or " : ", ",
			    key->choices[i]);
	}
}

static bool
is_same(char a, char b)
{
	static const char separators[] = "._-";

	return text_lower(a) == text_lower(b) ||
	       (strchr(separators, a) != NULL && strchr(separators, b) != NULL);
}

/* Levenshtein's distance, letter case and the kind of separator aside. */
static size_t
distance(struct span a, struct span b)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = diagonal + !is_same(a.data[i - 1], b.data[j - 1]);

			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[b.len];
}

/* After the last dot; nothing where there is no dot. */
static const char *
member_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? dot + 1 : "";
}

/* How far a name is from a key: with its section, without one, or with another's. */
static size_t
distance_to_key(const char *name, const char *key)
{
	struct span whole = span_of(name), own = span_of(member_of(name));
	struct span member = span_of(*member_of(key) != '\0' ? member_of(key) : key);
	size_t section_len = strlen(key) - member.len;
	struct span section = { name, section_len < whole.len ? section_len : whole.len };
	struct span tail = span_from(whole, whole.len > member.len ? whole.len - member.len : 0);
	size_t far = distance(whole, span_of(key)), last = distance(whole, member) + 1;

	if (tail.data > name && tail.data[-1] == (own.len > 0 ? '.' : '_') &&
	    distance(tail, member) == 0)
		last = 2;
	else if (own.len == 0 && section_len > 0 &&
		 distance(section, (struct span){ key, section_len }) == 0)
		own = span_from(whole, section_len);
	if (last != 2 && own.len > 0 && distance(own, member) > own.len / 3 + 1)
		return NAME_MAX_LEN; /* a like section is not enough */
	return far < last ? far : last;
}

const char *
keys_find_nearest(const char *name)
{
	const char *nearest = NULL;
	size_t best = strlen(name) / 3 + 2, far;

	for (size_t i = 0; i < config_n_keys && strlen(name) <= NAME_MAX_LEN; i++) {
		far = distance_to_key(name, config_keys[i].name);
		nearest = far < best ? config_keys[i].name : nearest;
		best = far < best ? far : best;
	}
	return nearest;
}

const char *
keys_find_nearest_choice(const struct config_key *key, const char *text)
{
	const char *nearest = NULL;
	size_t best = strlen(text) / 3 + 1, far;

	for (size_t i = 0; strlen(text) <= NAME_MAX_LEN && key->choices[i] != NULL; i++) {
		far = distance(span_of(text), span_of(key->choices[i]));
		nearest = far < best ? key->choices[i] : nearest;
		best = far < best ? far : best;
	}
	return nearest;
}

void
keys_put_hint(struct buf *out, const char *name, void (*put)(struct buf *out, const char *key))
{
	const char *nearest = keys_find_nearest(name), *member = member_of(name);

	if (strcasestr(name, "secret") != NULL || strcasestr(name, "api_key") != NULL) {
		buf_puts(out,
		    "delete it: this server needs no secret; the client secret belongs in "
		    "Recall's dashboard");
	} else if (nearest != NULL) {
		buf_puts(out, "did you mean ");
		put(out, nearest);
		buf_putc(out, '?');
	} else if (keys_is_section(member)) {
		buf_printf(out, "%s is a section of its own: move it to the top level", member);
	} else {
		buf_puts(out, "see the table of keys in the README");
	}
}
