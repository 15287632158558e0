#include "process/options.h"

#include <getopt.h>
#include <stdio.h>

#include "config/keys.h"

/* What getopt_long() returns for a long option: one of these, or FIRST_KEY and a key's index. */
enum { WORD = 1, VERSION_OPTION = 256, ADMIN, PROVIDER, TOKEN, FIRST_KEY };

enum { N_OWN = 6 };

/* Our own options, then one for each key. */
static struct option known[N_OWN + KEYS_MAX + 1] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, VERSION_OPTION },
	{ "admin", no_argument, NULL, ADMIN },
	{ "provider", required_argument, NULL, PROVIDER },
	{ "token", required_argument, NULL, TOKEN },
};

/* False, with a sentence. */
#define REFUSE(o, ...) (snprintf((o)->fault, sizeof((o)->fault), __VA_ARGS__), false)

/* getopt_long() also takes the beginning of a name, whose meaning would change with a new key. */
static bool
check_name(struct options *o, const char *word)
{
	char name[64];
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	for (const struct option *option = known; option->name != NULL; option++)
		if (strcmp(option->name, name) == 0)
			return true;
	if (name[strspn(
		name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] != '\0')
		return REFUSE(o, "there is no such option");
	nearest = strcasestr(name, "secret") != NULL ? NULL : keys_find_nearest(name);
	return nearest != NULL
		   ? REFUSE(o, "there is no option --%s; did you mean --%s?", name, nearest)
		   : REFUSE(o, "there is no option --%s", name);
}

static bool
take_command(struct options *o, const char *word)
{
	static const char *const commands[] = { "serve", "check", "config", "setup", "url",
		"healthcheck" };
	size_t at;

	if (strcmp(word, "-") == 0)
		return REFUSE(o, "there is no option -");
	if (o->command != NULL)
		return REFUSE(o, "there are two commands");
	at = text_find_word(commands, COUNT(commands), span_of(word));
	o->command = at < COUNT(commands) ? commands[at] : NULL;
	return o->command != NULL || REFUSE(o, "there is no such command");
}

/* Take what getopt_long() found in this word of the command line. */
static bool
take(struct options *o, int found, const char *word)
{
	bool is_long = strncmp(word, "--", 2) == 0;

	switch (found) {
	case WORD:
		return take_command(o, optarg);
	case 'c':
		o->config_file = optarg;
		return true;
	case 'h':
		return o->help = true;
	case VERSION_OPTION:
		return o->version = true;
	case ADMIN:
		return o->admin = true;
	case PROVIDER:
		o->provider = NULL;
		for (size_t i = 0; i < N_PROVIDERS; i++)
			if (strcmp(optarg, providers[i].name) == 0)
				o->provider = &providers[i];
		return o->provider != NULL ||
		       REFUSE(o, "--provider is neither microsoft nor google");
	case TOKEN:
		o->token = optarg;
		return true;
	case ':':
		return REFUSE(o, "%s needs a value", is_long ? word : "-c");
	case '?':
		return is_long ? REFUSE(o, "%.*s takes no value", (int)strcspn(word, "="), word)
			       : REFUSE(o, "there is no option -%c", optopt);
	default:
		if (o->n_flags == OPTIONS_MAX_FLAGS)
			return REFUSE(o, "there are too many options");
		o->flags[o->n_flags++] =
		    (struct config_flag){ config_keys[found - FIRST_KEY].name, optarg };
		return true;
	}
}

static bool
fits_command(struct options *o)
{
	bool is_url;

	if (o->command == NULL)
		o->command = "serve";
	is_url = strcmp(o->command, "url") == 0;
	if ((o->token != NULL || o->admin || o->provider != NULL) && !is_url)
		return REFUSE(o, "--token, --admin and --provider go with url only");
	if (o->provider == NULL)
		o->provider = &providers[MICROSOFT];
	if (o->admin && o->provider->approve_hint == NULL)
		return REFUSE(o, "%s has no admin consent", o->provider->title);
	if (is_url && (o->token == NULL) != o->admin)
		return REFUSE(o, "url needs either --token -, with the token on standard input, or "
				 "--admin");
	return true;
}

bool
options_parse(int argc, char **argv, struct options *ret_options)
{
	*ret_options = (struct options){ 0 };
	for (size_t i = 0; i < config_n_keys; i++)
		known[N_OWN + i] = (struct option){ config_keys[i].name, required_argument, NULL,
			FIRST_KEY + (int)i };
	opterr = 0;
	optind = 0; /* start again */
	for (int next = 1; next < argc; next = optind) {
		int found = getopt_long(argc, argv, "-:c:h", known, NULL);
		const char *word = argv[next];

		if (found == -1)
			break;
		if ((strncmp(word, "--", 2) == 0 && !check_name(ret_options, word + 2)) ||
		    !take(ret_options, found, word))
			return false;
	}
	for (; optind > 0 && optind < argc; optind++) /* after -- */
		if (!take_command(ret_options, argv[optind]))
			return false;
	return ret_options->help || ret_options->version || fits_command(ret_options);
}
