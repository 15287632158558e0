/*
 * Puts values into a struct config, and findings into a list. Owns the texts that it stores there.
 */
#include <stdlib.h>

#include "config_keys.h"

char **
config_text_at(struct config *config, const struct config_key *key)
{
	return (char **)(void *)((char *)config + key->offset);
}

unsigned long *
config_number_at(struct config *config, const struct config_key *key)
{
	return (unsigned long *)(void *)((char *)config + key->offset);
}

struct text_list *
config_list_at(struct config *config, const struct config_key *key)
{
	return (struct text_list *)(void *)((char *)config + key->offset);
}

static void
put_printable(struct buf *out, const char *text, size_t most)
{
	for (size_t i = 0; i < most && text[i] != '\0'; i++)
		buf_putc(out, (char)(text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?'));
	if (strlen(text) > most)
		buf_puts(out, "...");
}

void
config_find(struct findings *findings, bool is_error, const char *origin, const char *key,
    const char *wrong, const char *right)
{
	struct finding *items =
	    realloc(findings->items, (findings->n + 1) * sizeof(*findings->items));
	struct buf text;

	findings->n_errors += is_error;
	if (items == NULL) {
		findings->out_of_memory = true;
		return;
	}
	findings->items = items;
	items[findings->n].is_error = is_error;
	buf_init(&text, items[findings->n++].text, FINDING_SIZE);
	put_printable(&text, origin, 300);
	buf_puts(&text, ": ");
	put_printable(&text, key, 120);
	buf_printf(&text, "%s%s; %s", *key != '\0' ? ": " : "", wrong, right);
}

void
config_right(const struct config_key *key, struct buf *out)
{
	if (key->right != NULL) {
		buf_puts(out, key->right);
	} else if (key->type == KEY_NUMBER) {
		buf_printf(out, "use a whole number from %lu to %lu", key->min, key->max);
	} else {
		buf_puts(out, "use ");
		for (size_t i = 0; key->choices[i] != NULL; i++) {
			if (i > 0)
				buf_puts(out, key->choices[i + 1] == NULL ? " or " : ", ");
			buf_puts(out, key->choices[i]);
		}
	}
}

static void
find_wrong_value(
    const struct config_key *key, const char *origin, const char *wrong, struct findings *findings)
{
	char array[256];
	struct buf right;

	buf_init(&right, array, sizeof(array));
	config_right(key, &right);
	config_find(findings, true, origin, key->name, wrong, right.data);
}

/* A copy that the caller frees; NULL marks the findings. */
static char *
keep(struct span text, struct findings *findings)
{
	char *copy = malloc(text.len + 1);

	if (copy == NULL) {
		findings->out_of_memory = true;
		return NULL;
	}
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return copy;
}

static void
set_origin(struct config *config, const struct config_key *key, const char *origin,
    struct findings *findings)
{
	size_t index = (size_t)(key - config_keys);

	free(config->origins[index]);
	config->origins[index] = keep(span_of(origin), findings);
}

static const char *
number_fault(const struct config_key *key, const char *text, unsigned long *ret_number)
{
	static const unsigned long most = 1UL << 62;
	struct span digits = span_of(text);

	for (size_t i = 0; i < digits.len; i++)
		if (!text_is_digit(digits.data[i]) &&
		    !(i == 0 && digits.data[i] == '-' && digits.len > 1))
			return "is not a whole number";
	if (digits.len == 0)
		return "is not a whole number";
	if (!text_to_number(digits, most, ret_number) || *ret_number < key->min ||
	    *ret_number > key->max)
		return "is out of range";
	return NULL;
}

static const char *
choice_fault(const char *const *choices, const char *text, unsigned long *ret_number)
{
	for (*ret_number = 0; choices[*ret_number] != NULL; ++*ret_number)
		if (strcmp(choices[*ret_number], text) == 0)
			return NULL;
	return "is none of the known values";
}

static const char *
parse_number(const struct config_key *key, const char *text, unsigned long *ret_number)
{
	static const char *const switches[] = { "false", "true", NULL };

	if (key->type == KEY_SWITCH)
		return choice_fault(switches, text, ret_number) == NULL ? NULL
									: "is not a truth value";
	if (key->type == KEY_CHOICE)
		return choice_fault(key->choices, text, ret_number);
	return number_fault(key, text, ret_number);
}

static const char *
text_fault(const struct config_key *key, const char *text)
{
	if (*text == '\0')
		return "is empty";
	if (text_has_control(span_of(text)))
		return "has a control byte in it";
	if (!text_is_utf8(span_of(text)))
		return "is not UTF-8";
	return key->fault(text);
}

void
config_list_free(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){ 0 };
}

/* The item at index, checked; what is wrong with it is found with its number. */
static bool
keep_item(const struct config_key *key, struct span item, size_t number, char **ret_item,
    const char *origin, struct findings *findings)
{
	const char *wrong;
	char sentence[160];
	struct buf text;

	*ret_item = keep(item, findings);
	if (*ret_item == NULL)
		return false;
	wrong = text_fault(key, *ret_item);
	if (wrong == NULL)
		return true;
	buf_init(&text, sentence, sizeof(sentence));
	buf_printf(&text, "item %zu %s", number, wrong);
	find_wrong_value(key, origin, sentence, findings);
	return false;
}

void
config_set_list(struct config *config, const struct config_key *key, const struct span *items,
    size_t n, const char *origin, struct findings *findings)
{
	struct text_list list = { calloc(n + 1, sizeof(char *)), 0 };
	bool good = list.items != NULL;

	findings->out_of_memory |= list.items == NULL;
	for (size_t i = 0; list.items != NULL && i < n; i++) {
		good = keep_item(key, items[i], i + 1, &list.items[i], origin, findings) && good;
		list.n++;
	}
	if (!good) {
		config_list_free(&list);
		return;
	}
	config_list_free(config_list_at(config, key));
	*config_list_at(config, key) = list;
	set_origin(config, key, origin, findings);
}

static void
set_list_from_text(struct config *config, const struct config_key *key, const char *text,
    const char *origin, struct findings *findings)
{
	enum { MAX_ITEMS = 256 };
	struct span items[MAX_ITEMS];
	struct span rest = span_of(text);
	size_t n = 0;

	while (n < MAX_ITEMS && span_next(&rest, ',', &items[n])) {
		items[n] = span_trim(items[n]);
		n++;
	}
	if (rest.len > 0)
		find_wrong_value(key, origin, "has more than 256 items", findings);
	else if (n > 0 && text[strlen(text) - 1] == ',')
		find_wrong_value(key, origin, "ends with a comma", findings);
	else
		config_set_list(config, key, items, n, origin, findings);
}

void
config_set_text(struct config *config, const struct config_key *key, const char *text,
    const char *origin, struct findings *findings)
{
	const char *wrong;
	unsigned long number;

	if (key->type == KEY_LIST) {
		set_list_from_text(config, key, text, origin, findings);
		return;
	}
	wrong = key->type == KEY_TEXT ? text_fault(key, text) : parse_number(key, text, &number);
	if (wrong != NULL) {
		find_wrong_value(key, origin, wrong, findings);
		return;
	}
	set_origin(config, key, origin, findings);
	if (key->type == KEY_TEXT) {
		free(*config_text_at(config, key));
		*config_text_at(config, key) = keep(span_of(text), findings);
	} else {
		*config_number_at(config, key) = number;
	}
}
