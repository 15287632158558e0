#include "process/options.h"
#include "support.h"

enum { MAX_WORDS = 6 };

/* 63 bytes of a name are kept, enough for every key and for the message. */
#define NAME_60     "x23456789012345678901234567890123456789012345678901234567890"

#define NO_PROVIDER "--provider is neither microsoft nor google"
#define NEITHER     "url needs either --token -, with the token on standard input, or --admin"

static const struct {
	const char *words[MAX_WORDS + 1]; /* after the program's name */
	const char *parsed;               /* the fault, or all that was read */
} rows[] = {
	{ { NULL }, "serve" },
	{ { "serve" }, "serve" },
	{ { "check" }, "check" },
	{ { "config" }, "config" },
	{ { "setup" }, "setup" },
	{ { "healthcheck" }, "healthcheck" },
	{ { "url", "--token", "-" }, "url token=-" },
	{ { "url", "--token=T" }, "url token=T" },
	{ { "--token", "T", "url" }, "url token=T" },
	{ { "url", "--token=" }, "url token=" },
	{ { "url", "--token", "" }, "url token=" },
	{ { "url", "--token=a=b" }, "url token=a=b" },
	{ { "url", "--token", "--help" }, "url token=--help" },
	{ { "url", "--token=a", "--token=b" }, "url token=b" },
	{ { "url", "--admin" }, "url admin" },
	{ { "--admin", "url", "--admin" }, "url admin" },
	/* -c */
	{ { "-c", "f.json" }, "serve file=f.json" },
	{ { "-cf.json" }, "serve file=f.json" },
	{ { "-c", "f.json", "check" }, "check file=f.json" },
	{ { "check", "-c", "f.json" }, "check file=f.json" },
	{ { "-c", "-" }, "serve file=-" },
	{ { "-c", "check" }, "serve file=check" },
	{ { "-c", "a", "-c", "b" }, "serve file=b" },
	{ { "--config", "f.json" }, "serve file=f.json" },
	{ { "--config=f.json", "check" }, "check file=f.json" },
	{ { "--config" }, "--config needs a value" },
	{ { "--conf", "f.json" }, "there is no option --conf" },
	{ { "-c" }, "-c needs a value" },
	{ { "check", "-c" }, "-c needs a value" },
	/* After -- there are no options. */
	{ { "--", "check" }, "check" },
	{ { "check", "--" }, "check" },
	{ { "--", "--help" }, "there is no such command" },
	/* With help and version the rest need make no sense, but has to be known. */
	{ { "-h" }, "help" },
	{ { "--help" }, "help" },
	{ { "url", "-h" }, "url help" },
	{ { "--version" }, "version" },
	{ { "--help", "--version" }, "help version" },
	{ { "check", "--token=T", "--help" }, "check token=T help" },
	{ { "--help", "--nonsense" }, "there is no option --nonsense" },
	{ { "--help", "nonsense" }, "there is no such command" },
	{ { "--help=1" }, "--help takes no value" },
	{ { "--version=" }, "--version takes no value" },
	{ { "url", "--admin=secret" }, "--admin takes no value" },
	{ { "--helps" }, "there is no option --helps" },
	{ { "--hel" }, "there is no option --hel" },
	/* Keys. */
	{ { "--listen.port=8080" }, "serve listen.port=8080" },
	{ { "--listen.port", "8080" }, "serve listen.port=8080" },
	{ { "--listen.port=1", "check", "--listen.port=2" }, "check listen.port=1 listen.port=2" },
	{ { "--public_url=https://h", "-c", "f", "--threads", "1" },
	    "serve file=f public_url=https://h threads=1" },
	{ { "--connect.return_origins=https://a,https://b" },
	    "serve connect.return_origins=https://a,https://b" },
	{ { "--public_url=a=b" }, "serve public_url=a=b" },
	{ { "--public_url=" }, "serve public_url=" },
	{ { "--public_url", "" }, "serve public_url=" },
	{ { "--public_url", "-c" }, "serve public_url=-c" },
	{ { "--listen.port" }, "--listen.port needs a value" },
	{ { "check", "--log.level" }, "--log.level needs a value" },
	/* Unknown options. A value is not repeated: it may be a secret. */
	{ { "--listen.prot=8080" },
	    "there is no option --listen.prot; did you mean --listen.port?" },
	{ { "--listen.prot", "8080" },
	    "there is no option --listen.prot; did you mean --listen.port?" },
	{ { "--Threads=1" }, "there is no option --Threads; did you mean --threads?" },
	{ { "--qqqqqqqqqqqqqqqq=secret" }, "there is no option --qqqqqqqqqqqqqqqq" },
	{ { "--" NAME_60 "123" }, "there is no option --" NAME_60 "123" },
	{ { "--" NAME_60 "1234=secret" }, "there is no option --" NAME_60 "123" },
	{ { "--microsoft.client_secret=x" }, "there is no option --microsoft.client_secret" },
	{ { "-----BEGIN PRIVATE KEY-----\nMIG" }, "there is no such option" },
	{ { "--tls.private_kye\n=MIG" }, "there is no such option" },
	{ { "--a b" }, "there is no such option" },
	/* No short forms of long names. */
	{ { "url", "--toke=secret" }, "there is no option --toke" },
	{ { "url", "--=secret" }, "there is no option --" },
	{ { "url", "--tokens=secret" }, "there is no option --tokens" },
	{ { "-x" }, "there is no option -x" },
	{ { "-xsecret" }, "there is no option -x" },
	{ { "-" }, "there is no option -" },
	/* Commands. */
	{ { "" }, "there is no such command" },
	{ { "nonsense" }, "there is no such command" },
	{ { "Serve" }, "there is no such command" },
	{ { "serv" }, "there is no such command" },
	{ { "serve2" }, "there is no such command" },
	{ { "serve", "serve" }, "there are two commands" },
	{ { "check", "nonsense" }, "there are two commands" },
	/* What goes with what. */
	{ { "--token=T" }, "--token, --admin and --provider go with url only" },
	{ { "check", "--token", "-" }, "--token, --admin and --provider go with url only" },
	{ { "url" }, NEITHER },
	{ { "url", "-c", "f" }, NEITHER },
	{ { "url", "--admin", "--token=T" }, NEITHER },
	{ { "url", "--admin", "--token=" }, NEITHER },
	{ { "--admin" }, "--token, --admin and --provider go with url only" },
	{ { "check", "--admin" }, "--token, --admin and --provider go with url only" },
	{ { "url", "--token" }, "--token needs a value" },
	{ { "url", "--token=T", "--provider=google" }, "url token=T provider=google" },
	{ { "--provider", "microsoft", "url", "--token=T" }, "url token=T" },
	{ { "url", "--provider=google", "--token=T", "--provider=microsoft" }, "url token=T" },
	{ { "url", "--provider=microsoft", "--admin" }, "url admin" },
	{ { "url", "--provider=google", "--admin" }, "Google has no admin consent" },
	{ { "url", "--provider=google" }, NEITHER },
	{ { "url", "--token=T", "--provider=Google" }, NO_PROVIDER },
	{ { "url", "--token=T", "--provider=" }, NO_PROVIDER },
	{ { "url", "--token=T", "--provider=googles" }, NO_PROVIDER },
	{ { "url", "--token=T", "--provider" }, "--provider needs a value" },
	{ { "serve", "--provider=google" }, "--token, --admin and --provider go with url only" },
	/* The first fault counts. */
	{ { "-x", "-y", "nonsense" }, "there is no option -x" },
};

static void
put_options(struct buf *b, const struct options *options)
{
	if (options->command != NULL)
		buf_printf(b, " %s", options->command);
	if (options->config_file != NULL)
		buf_printf(b, " file=%s", options->config_file);
	if (options->token != NULL)
		buf_printf(b, " token=%s", options->token);
	if (options->admin)
		buf_puts(b, " admin");
	if (options->provider != NULL && options->provider->id != MICROSOFT)
		buf_printf(b, " provider=%s", options->provider->name);
	if (options->help)
		buf_puts(b, " help");
	if (options->version)
		buf_puts(b, " version");
	for (size_t i = 0; i < options->n_flags; i++)
		buf_printf(b, " %s=%s", options->flags[i].key, options->flags[i].value);
}

static bool
parse(const char *const *words, struct options *ret_options)
{
	char *argv[MAX_WORDS + 2] = { (char[]){ "program" } };
	int argc = 1;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return options_parse(argc, argv, ret_options);
}

START_TEST(parses)
{
	struct options options;
	char array[512];
	struct buf b;

	buf_init(&b, array, sizeof(array));
	if (parse(rows[_i].words, &options))
		put_options(&b, &options);
	else
		buf_printf(&b, " %s", options.fault);
	ck_assert(buf_ok(&b));
	ck_assert_str_eq(b.data + 1, rows[_i].parsed);
}
END_TEST

static bool
parse_flags(int n, struct options *ret_options)
{
	static char program[] = "program", flag[] = "--threads=2"; /* what options point into */
	char *argv[OPTIONS_MAX_FLAGS + 2] = { program };

	for (int i = 1; i <= n; i++)
		argv[i] = flag;
	return options_parse(n + 1, argv, ret_options);
}

START_TEST(bounds_the_flags)
{
	struct options options;

	ck_assert(parse_flags(OPTIONS_MAX_FLAGS, &options));
	ck_assert_uint_eq(options.n_flags, OPTIONS_MAX_FLAGS);
	ck_assert_str_eq(options.flags[OPTIONS_MAX_FLAGS - 1].key, "threads");
	ck_assert_str_eq(options.flags[OPTIONS_MAX_FLAGS - 1].value, "2");
	ck_assert(!parse_flags(OPTIONS_MAX_FLAGS + 1, &options));
	ck_assert_str_eq(options.fault, "there are too many options");
}
END_TEST

/* An empty argument vector, as execve() allows. */
START_TEST(bears_having_no_name)
{
	char *argv[] = { NULL };
	struct options options;

	ck_assert(options_parse(0, argv, &options));
	ck_assert_str_eq(options.command, "serve");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");

	tcase_add_loop_test(tests, parses, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, bounds_the_flags);
	tcase_add_test(tests, bears_having_no_name);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
