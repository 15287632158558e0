#include "config/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SENTENCE_SIZE = 256 };

void
draft_set_source(struct draft *d, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(d->source, sizeof(d->source), format, arguments);
	va_end(arguments);
}

void
findings_add(struct findings *findings, bool is_error, const char *source, const char *key,
    const char *wrong, const char *advice)
{
	struct finding *items =
	    realloc(findings->items, (findings->n + 1) * sizeof(*findings->items));
	bool is_set = strcmp(source, SOURCE_DEFAULT) != 0;

	findings->n_errors += is_error;
	if (items == NULL) {
		findings->out_of_memory = true;
		return;
	}
	findings->items = items;
	items[findings->n].is_error = is_error;
	snprintf(items[findings->n].text, FINDING_SIZE, "%.300s%s%.120s%s%s%s%s",
	    is_set ? source : "", is_set ? ": " : "", key, *key != '\0' ? ": " : "", wrong,
	    advice != NULL ? "; " : "", advice != NULL ? advice : "");
	for (char *c = items[findings->n++].text; *c != '\0'; c++)
		if (*c < 0x20 || *c >= 0x7f)
			*c = '?';
}

void
findings_free(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){ 0 };
}

void
draft_report(struct draft *d, const char *key, const char *wrong, const char *advice)
{
	findings_add(d->findings, true, d->source, key, wrong, advice);
}

void
draft_report_value(struct draft *d, const struct config_key *key, const char *wrong)
{
	BUF(advice, SENTENCE_SIZE);

	keys_put_advice(&advice, key);
	draft_report(d, key->name, wrong, strstr(wrong, "; ") == NULL ? advice.data : NULL);
}

/* A copy that the configuration owns; NULL marks the findings. */
static char *
keep(struct draft *d, struct span text)
{
	char *copy = strndup(text.data, text.len);

	d->findings->out_of_memory |= copy == NULL;
	return copy;
}

static void
set_source(struct draft *d, const struct config_key *key)
{
	char **source = &d->config->sources[key - config_keys];

	free(*source);
	*source = keep(d, span_of(d->source));
}

/* Judge a text, or the item of this number, and report what is wrong. */
static bool
is_good(struct draft *d, const struct config_key *key, const char *text, size_t item)
{
	const char *wrong = NULL;
	char numbered[SENTENCE_SIZE];

	if (key->judge == judge_path)
		wrong = judge_path(text); /* before the line breaks in it */
	else if (item > 0 && strpbrk(text, " ;|\t\r\n") != NULL)
		wrong = "has a blank or a semicolon in it; put a comma between two items";
	if (wrong == NULL)
		wrong = judge_text(text);
	if (wrong == NULL && key->judge != NULL)
		wrong = key->judge(text);
	if (wrong == NULL)
		return true;
	snprintf(numbered, sizeof(numbered), "item %zu %s", item, wrong);
	draft_report_value(d, key, item > 0 ? numbered : wrong);
	return false;
}

void
draft_free_list(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

void
draft_set_items(struct draft *d, const struct config_key *key, const struct span *items, size_t n)
{
	struct text_list list = { calloc(n + 1, sizeof(char *)), 0 };
	struct text_list *place = config_value(d->config, key).list;
	bool good = list.items != NULL;

	d->findings->out_of_memory |= !good;
	for (; list.items != NULL && list.n < n; list.n++) {
		char *item = list.items[list.n] = keep(d, items[list.n]);

		good = item != NULL && is_good(d, key, item, list.n + 1) && good;
	}
	if (good) {
		struct text_list before = *place;

		*place = list;
		list = before;
		set_source(d, key);
	}
	draft_free_list(&list);
}

static void
set_list(struct draft *d, const struct config_key *key, const char *text)
{
	struct span items[DRAFT_MAX_ITEMS], rest = span_of(text);
	size_t n = 0;

	while (n < DRAFT_MAX_ITEMS && span_next(&rest, ',', &items[n])) {
		items[n] = span_trim(items[n]);
		n++;
	}
	if (rest.len > 0)
		draft_report_value(d, key, "has more than 256 items");
	else if (text[0] == '[' && text[strlen(text) - 1] == ']')
		draft_report_value(d, key,
		    "is written as JSON; write the items with commas between "
		    "them, without [ ] and quotes");
	else if (n > 0 && text[strlen(text) - 1] == ',')
		draft_report_value(d, key, "ends with a comma");
	else
		draft_set_items(d, key, items, n);
}

static bool
set_number(struct draft *d, const struct config_key *key, const char *text)
{
	struct span digits = span_of(text + (*text == '-'));
	unsigned long number;

	if (digits.len == 0 || strspn(digits.data, "0123456789") < digits.len)
		draft_report_value(d, key, "is not a whole number");
	else if (*text == '-' || !text_to_number(digits, key->max, &number) || number < key->min)
		draft_report_value(d, key, "is out of range");
	else
		return *config_value(d->config, key).number = (unsigned)number, true;
	return false;
}

static bool
set_choice(struct draft *d, const struct config_key *key, const char *text)
{
	const char *nearest = keys_find_nearest_choice(key, text);
	char wrong[80] = "is none of the known values";

	for (unsigned i = 0; key->choices[i] != NULL; i++)
		if (strcmp(key->choices[i], text) == 0)
			return *config_value(d->config, key).number = i, true;
	if (nearest != NULL)
		snprintf(
		    wrong, sizeof(wrong), "is none of the known values; did you mean %s?", nearest);
	draft_report_value(d, key, wrong);
	return false;
}

void
draft_set(struct draft *d, const struct config_key *key, const char *text)
{
	char **place = config_value(d->config, key).text;
	bool good = key->type != KEY_LIST && is_good(d, key, text, 0);

	if (key->type == KEY_LIST) {
		set_list(d, key, text);
	} else if (key->type == KEY_TEXT && good) {
		free(*place);
		*place = keep(d, span_of(text));
	} else if (good) {
		good =
		    key->type == KEY_NUMBER ? set_number(d, key, text) : set_choice(d, key, text);
	}
	if (good)
		set_source(d, key);
}
