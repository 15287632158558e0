#include "base/path.h"
#include "config/draft.h"

enum { VALUE_SIZE = 32 * 1024 };

static void
put_value(struct buf *out, union config_value value, const struct config_key *key)
{
	if (key->type == KEY_TEXT && *value.text == NULL)
		buf_puts(out, "(not set)");
	else if (key->type == KEY_TEXT && key->judge == judge_path && !path_is_plain(*value.text))
		buf_puts(out, "(a value that is not shown)");
	else if (key->type == KEY_TEXT)
		buf_puts(out, *value.text);
	else if (key->type == KEY_NUMBER)
		buf_put_number(out, *value.number);
	else if (key->type != KEY_LIST)
		buf_puts(out, key->choices[*value.number]);
	else if (value.list->n == 0)
		buf_puts(out, "(none)");
	else
		for (size_t i = 0; i < value.list->n; i++)
			buf_printf(out, "%s%s", i > 0 ? "," : "", value.list->items[i]);
}

bool
config_describe(const struct config *config, size_t index, struct buf *out)
{
	if (index >= config_n_keys)
		return false;
	buf_printf(out, "%s = ", config_keys[index].name);
	put_value(out, config_value(config, &config_keys[index]), &config_keys[index]);
	buf_printf(out, " (%s)", config_source_of(config, &config_keys[index]));
	return true;
}

static void
put_name(struct buf *out, const char *name)
{
	buf_printf(out, "%s%s", out->len > 0 ? "," : "", name);
}

/* Not set, or made from another key's value. */
static bool
is_derived(const struct config *config, const struct config_key *key)
{
	const char *source = config_source_of(config, key);

	return strcmp(source, SOURCE_DEFAULT) == 0 || strncmp(source, "from ", 5) == 0;
}

void
config_put_set_keys(const struct config *config, const char *prefix, struct buf *out)
{
	for (const struct config_key *key = config_keys; key < config_keys + config_n_keys; key++)
		if (strncmp(key->name, prefix, strlen(prefix)) == 0 && !is_derived(config, key))
			put_name(out, key->name);
}

static bool
is_changed(const struct config *before, const struct config *after, const struct config_key *key)
{
	BUF(x, VALUE_SIZE);
	BUF(y, VALUE_SIZE);

	put_value(&x, config_value(before, key), key);
	put_value(&y, config_value(after, key), key);
	return !(is_derived(before, key) && is_derived(after, key)) &&
	       (!buf_ok(&x) || !buf_ok(&y) || strcmp(x.data, y.data) != 0);
}

static bool
needs_restart(const char *key)
{
	return strncmp(key, "listen.", 7) == 0 || strncmp(key, "admin.", 6) == 0 ||
	       strncmp(key, "limits.", 7) == 0 || strcmp(key, "threads") == 0;
}

void
config_put_changed_keys(
    const struct config *before, const struct config *after, bool for_restart, struct buf *out)
{
	for (const struct config_key *key = config_keys; key < config_keys + config_n_keys; key++)
		if ((!for_restart || needs_restart(key->name)) && is_changed(before, after, key))
			put_name(out, key->name);
	if (for_restart && (before->tls_certificate == NULL) != (after->tls_certificate == NULL))
		put_name(out, "tls.certificate");
}
