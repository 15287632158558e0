/*
 * Reads the configuration file: a JSON object whose members are keys, or sections that hold keys.
 * A name is the path to it, joined by dots, so {"listen": {"port": 1}} sets listen.port.
 */
#include <stdio.h>

#include "config_keys.h"
#include "json.h"

enum { MAX_KEYS = 64, PATH_SIZE = 128, ORIGIN_SIZE = 300 };

struct walk {
	struct config *config;
	struct findings *findings;
	const char *file_name;
	struct span cursor; /* behind the last name that was visited */
	size_t line;
	size_t seen_line[MAX_KEYS]; /* where each key stood; 0: not yet */
	char origin[ORIGIN_SIZE];   /* file:line of the name being read */
};

static void
next_name(struct walk *w)
{
	struct buf origin;

	w->line = json_next_name(&w->cursor, w->line);
	buf_init(&origin, w->origin, sizeof(w->origin));
	buf_printf(&origin, "%.255s:%zu", w->file_name, w->line);
}

/* Move the cursor past every name below item, which nobody will read. */
static void
skip_names(struct walk *w, const cJSON *item)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, item)
	{
		if (cJSON_IsObject(item))
			next_name(w);
		skip_names(w, child);
	}
}

static void
find_wrong_type(struct walk *w, const struct config_key *key, const char *wrong)
{
	char array[256];
	struct buf right;

	buf_init(&right, array, sizeof(array));
	config_right(key, &right);
	config_find(w->findings, true, w->origin, key->name, wrong, right.data);
}

static void
read_list(struct walk *w, const struct config_key *key, const cJSON *value)
{
	enum { MAX_ITEMS = 256 };
	struct span items[MAX_ITEMS];
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, value)
	{
		if (!cJSON_IsString(item) || n == MAX_ITEMS) {
			find_wrong_type(w, key,
			    n == MAX_ITEMS ? "has more than 256 items"
					   : "has an item that is no string");
			return;
		}
		items[n++] = span_of(item->valuestring);
	}
	config_set_list(w->config, key, items, n, w->origin, w->findings);
}

/* Whole numbers as text, so that file and environment share one check; others stay visible. */
static void
read_number(struct walk *w, const struct config_key *key, double number)
{
	char text[32];

	if (number < -1e15 || number > 1e15)
		find_wrong_type(w, key, "is out of range");
	else if (number != (double)(long long)number)
		find_wrong_type(w, key, "is not a whole number");
	else {
		snprintf(text, sizeof(text), "%lld", (long long)number);
		config_set_text(w->config, key, text, w->origin, w->findings);
	}
}

static void
read_value(struct walk *w, const struct config_key *key, const cJSON *value)
{
	bool is_text = key->type == KEY_TEXT || key->type == KEY_CHOICE;

	if (key->type == KEY_LIST && cJSON_IsArray(value))
		read_list(w, key, value);
	else if (key->type == KEY_NUMBER && cJSON_IsNumber(value))
		read_number(w, key, value->valuedouble);
	else if (key->type == KEY_SWITCH && cJSON_IsBool(value))
		config_set_text(
		    w->config, key, cJSON_IsTrue(value) ? "true" : "false", w->origin, w->findings);
	else if (is_text && cJSON_IsString(value))
		config_set_text(w->config, key, value->valuestring, w->origin, w->findings);
	else
		find_wrong_type(w, key,
		    key->type == KEY_LIST     ? "is not a list"
		    : key->type == KEY_NUMBER ? "is not a number"
		    : key->type == KEY_SWITCH ? "is not true or false"
					      : "is not a string");
}

static void
find_unknown(struct walk *w, const char *path)
{
	const char *nearest = config_nearest_key(path);
	char right[96] = "see the table of keys in the README";

	if (nearest != NULL)
		snprintf(right, sizeof(right), "did you mean %s?", nearest);
	config_find(w->findings, true, w->origin, path, "is not a known key", right);
}

static bool
is_repeated(const cJSON *object, const cJSON *member)
{
	const cJSON *other = object->child;

	while (other != member && strcmp(other->string, member->string) != 0)
		other = other->next;
	return other != member;
}

static void
read_key(struct walk *w, size_t key, const cJSON *value)
{
	if (w->seen_line[key] != 0)
		config_find(w->findings, true, w->origin, config_keys[key].name, "is set twice",
		    "keep one of the two");
	else
		read_value(w, &config_keys[key], value);
	w->seen_line[key] = w->line;
	skip_names(w, value);
}

static void read_section(struct walk *w, const char *path, const cJSON *section);

static void
read_member(struct walk *w, const char *path, const cJSON *section, const cJSON *member)
{
	size_t key = config_find_key(path);

	if (is_repeated(section, member)) {
		config_find(
		    w->findings, true, w->origin, path, "is set twice", "keep one of the two");
		skip_names(w, member);
	} else if (key < config_n_keys) {
		read_key(w, key, member);
	} else if (cJSON_IsObject(member) && member->child != NULL && *path != '\0' &&
		   strchr(path, '.') == NULL) {
		read_section(w, path, member);
	} else {
		if (config_is_section(path) && !cJSON_IsObject(member))
			config_find(w->findings, true, w->origin, path, "is not an object",
			    "use {...} with the keys of this section");
		else if (!config_is_section(path))
			find_unknown(w, path);
		skip_names(w, member);
	}
}

static void
read_section(struct walk *w, const char *path, const cJSON *section)
{
	char member_path[PATH_SIZE];
	const cJSON *member;

	cJSON_ArrayForEach(member, section)
	{
		snprintf(member_path, sizeof(member_path), "%s%s%s", path, *path == '\0' ? "" : ".",
		    member->string);
		next_name(w);
		read_member(w, member_path, section, member);
	}
}

void
config_read_file(
    struct config *config, const struct config_source *source, struct findings *findings)
{
	struct walk w = { .config = config,
		.findings = findings,
		.file_name = source->file_name,
		.cursor = source->file_text,
		.line = 1 };
	const char *fault;
	size_t line;
	cJSON *tree = json_parse(source->file_text, &line, &fault);
	struct buf origin;

	if (tree == NULL || !cJSON_IsObject(tree)) {
		buf_init(&origin, w.origin, sizeof(w.origin));
		buf_printf(&origin, "%.255s:%zu", w.file_name, tree == NULL ? line : 1);
		config_find(findings, true, w.origin, "",
		    tree == NULL ? fault : "is not a JSON object",
		    "use one JSON object, such as {\"listen\": {\"port\": 8080}}");
	} else {
		read_section(&w, "", tree);
	}
	cJSON_Delete(tree);
}
