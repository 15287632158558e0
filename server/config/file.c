/*
 * Reads the configuration file: a JSON object whose members are keys, or sections that hold keys.
 * A name is the path to it, joined by dots, so {"listen": {"port": 1}} sets listen.port.
 */
#include "config/draft.h"

#include <stdio.h>

#include "base/json.h"

enum { PATH_SIZE = 128 };

struct walk {
	struct draft *draft;
	const char *file_name;
	struct span rest; /* of the text, after the last name that was visited */
	size_t line;
	bool seen[KEYS_MAX];
};

/* Go on to the next name in the text; cJSON's tree has the same names in the same order. */
static void
next_name(struct walk *w)
{
	json_next_name(&w->rest, &w->line);
	draft_set_source(w->draft, "%.255s:%zu", w->file_name, w->line);
}

/* Move past every name below item, which nobody will read. */
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
read_list(struct walk *w, const struct config_key *key, const cJSON *value)
{
	struct span items[DRAFT_MAX_ITEMS];
	const cJSON *item;
	size_t n = 0;

	cJSON_ArrayForEach(item, value)
	{
		if (n == DRAFT_MAX_ITEMS || !cJSON_IsString(item)) {
			draft_report_value(w->draft, key,
			    n == DRAFT_MAX_ITEMS ? "has more than 256 items"
						 : "has an item that is not a string");
			return;
		}
		items[n++] = span_of(item->valuestring);
	}
	draft_set_items(w->draft, key, items, n);
}

/* As text, so that file and environment share one check; what is out of any range stays so. */
static void
read_number(struct walk *w, const struct config_key *key, double number)
{
	static const double most = 1e15;
	char text[32];

	number = number > most ? most : number < -most ? -most : number;
	snprintf(text, sizeof(text), number == (double)(long long)number ? "%.0f" : "%f", number);
	draft_set(w->draft, key, text);
}

static void
read_value(struct walk *w, const struct config_key *key, const cJSON *value)
{
	static const char *const wrong[] = { [KEY_TEXT] =
						 "is not a string; put it in double quotes",
		[KEY_CHOICE] = "is not a string; put it in double quotes",
		[KEY_NUMBER] = "is not a number; write it without quotes",
		[KEY_SWITCH] = "is not true or false; write it without quotes",
		[KEY_LIST] = "is not a list; put it in [ ]" };
	bool is_string = key->type == KEY_TEXT || key->type == KEY_CHOICE;

	if (key->type == KEY_LIST && cJSON_IsArray(value))
		read_list(w, key, value);
	else if (key->type == KEY_NUMBER && cJSON_IsNumber(value))
		read_number(w, key, value->valuedouble);
	else if (key->type == KEY_SWITCH && cJSON_IsBool(value))
		draft_set(w->draft, key, cJSON_IsTrue(value) ? "true" : "false");
	else if (is_string && cJSON_IsString(value))
		draft_set(w->draft, key, value->valuestring);
	else
		draft_report_value(w->draft, key, wrong[key->type]);
}

static void read_members(struct walk *w, const char *section, const cJSON *object);

/* A member of object, by the path to it. False where the names in it are still to be passed. */
static bool
read_member(struct walk *w, const char *path, bool is_top, const cJSON *object, const cJSON *member)
{
	const struct config_key *key = keys_find(path);
	const cJSON *first = cJSON_GetObjectItemCaseSensitive(object, member->string);
	bool is_section = keys_is_section(path);
	BUF(advice, 160);

	if (first != member || (key != NULL && w->seen[key - config_keys])) {
		draft_report(w->draft, path, "is set twice", "keep one of the two");
	} else if (key != NULL) {
		w->seen[key - config_keys] = true;
		read_value(w, key, member);
	} else if (is_section && !cJSON_IsObject(member)) {
		draft_report(
		    w->draft, path, "is not an object", "use {...} with the keys of this section");
	} else if (is_top && member->child != NULL && cJSON_IsObject(member)) {
		read_members(w, path, member);
		return true;
	} else if (!is_section) {
		keys_put_hint(&advice, path, buf_puts);
		draft_report(w->draft, path, "is not a known key", advice.data);
	}
	return false;
}

/* The members of a section, or of the whole file, where section is NULL. */
static void
read_members(struct walk *w, const char *section, const cJSON *object)
{
	char path[PATH_SIZE];
	const cJSON *member;

	cJSON_ArrayForEach(member, object)
	{
		if (section == NULL)
			snprintf(path, sizeof(path), "%s", member->string);
		else
			snprintf(path, sizeof(path), "%s.%s", section, member->string);
		next_name(w);
		if (!read_member(w, path, section == NULL, object, member))
			skip_names(w, member);
	}
}

void
draft_read_file(struct draft *d, const char *name, struct span text)
{
	struct walk w = { .draft = d, .file_name = name, .rest = text };
	const char *wrong;
	cJSON *tree = json_parse(text, &w.line, &wrong);

	draft_set_source(d, "%.255s:%zu", name, tree == NULL ? w.line : 1);
	if (tree == NULL) {
		draft_report(d, "", wrong, NULL);
	} else if (!cJSON_IsObject(tree)) {
		draft_report(
		    d, "", "is not a JSON object", "write it as {\"listen\": {\"port\": 8080}}");
	} else {
		w.line = 1;
		read_members(&w, NULL, tree);
	}
	cJSON_Delete(tree);
}
