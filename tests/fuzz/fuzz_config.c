/*
 * The configuration: every error is reported; what is returned keeps every
 * promise that the program relies on.
 *
 * An input is the file's text, the environment's lines and the flags' lines, with a line of `--`
 * between them. Text that starts with `-` means no file.
 */
#include <stdlib.h>

#include "config/keys.h"
#include "fuzz.h"

enum { MAX_LINES = 64, DESCRIPTION_SIZE = 128 * 1024, N_KEYS_MOST = 64 };

struct input {
	struct span file_text;
	char *environment[MAX_LINES + 1];
	struct config_flag flags[MAX_LINES];
	size_t n_flags;
	char *flag_lines[MAX_LINES];
	size_t n_lines;
};

/* What one run of config_parse() came to. */
struct run {
	struct config *config;
	struct findings findings;
};

static struct span
cut_part(struct span *rest)
{
	static const char mark[] = "\n--\n";
	const char *end = memmem(rest->data, rest->len, mark, sizeof(mark) - 1);
	struct span part = *rest;

	if (end != NULL)
		part.len = (size_t)(end - rest->data);
	*rest = span_from(*rest, part.len + sizeof(mark) - 1);
	return part;
}

static void
read_flag(struct input *input, char *line)
{
	char *equals = strchr(line, '=');

	input->flag_lines[input->n_lines++] = line;
	if (equals != NULL)
		*equals = '\0';
	if (keys_find(line) != NULL) /* options_parse() lets no other pass */
		input->flags[input->n_flags++] =
		    (struct config_flag){ line, equals != NULL ? equals + 1 : "" };
}

static void
read_input(struct span bytes, struct input *input)
{
	struct span variables, flags;
	size_t n = 0;

	input->file_text = cut_part(&bytes);
	variables = cut_part(&bytes);
	flags = cut_part(&bytes);
	while (variables.len > 0 && n < MAX_LINES)
		input->environment[n++] = fuzz_copy(fuzz_line(&variables));
	while (flags.len > 0 && input->n_lines < MAX_LINES)
		read_flag(input, fuzz_copy(fuzz_line(&flags)));
}

static void
free_input(struct input *input)
{
	for (size_t i = 0; i < MAX_LINES; i++) {
		free(input->environment[i]);
		free(input->flag_lines[i]);
	}
}

static struct run
parse(const struct input *input)
{
	bool has_file = input->file_text.len == 0 || input->file_text.data[0] != '-';
	struct config_source source = {
		.file_name = has_file ? "fuzz\xc3\xa4\x1b.json" : NULL,
		.file_text = input->file_text,
		.environment = input->environment,
		.flags = input->flags,
		.n_flags = input->n_flags,
		.processors = 2,
	};
	struct run run = { 0 };

	run.config = config_parse(&source, &run.findings);
	return run;
}

/* `origin: wrong; right` or `origin: key: wrong; right`, on one line that any terminal bears. */
static void
check_finding(const char *text)
{
	size_t len = strlen(text);

	HOLDS(len > 0 && len < FINDING_SIZE);
	for (size_t i = 0; i < len; i++)
		HOLDS(text[i] >= 0x20 && text[i] < 0x7f);
	HOLDS(strstr(text, ": ") != NULL && strstr(text, ": ") != text);
	HOLDS(strstr(text, "; ") != NULL && strlen(strstr(text, "; ")) > 4);
}

/* What starts with this mark is a value: one that a finding must not show. */
static const char secret[] = "SECRETVALUE";

static bool
holds_secret(const struct input *input)
{
	for (size_t i = 0; i < MAX_LINES && input->environment[i] != NULL; i++)
		if (strncmp(input->environment[i], "REDIRECTD_", 10) == 0 &&
		    memmem(input->environment[i], strcspn(input->environment[i], "="), secret,
			sizeof(secret) - 1) != NULL)
			return true;
	for (size_t i = 0; i < input->n_flags; i++)
		if (strstr(input->flags[i].key, secret) != NULL)
			return true;
	return memmem(input->file_text.data, input->file_text.len, secret, sizeof(secret) - 1) !=
	       NULL;
}

static void
check_findings(const struct input *input, const struct run *run)
{
	bool may_show = holds_secret(input);
	size_t n_errors = 0;

	HOLDS(!run->findings.out_of_memory);
	for (size_t i = 0; i < run->findings.n; i++) {
		n_errors += run->findings.items[i].is_error;
		check_finding(run->findings.items[i].text);
		HOLDS(may_show || strstr(run->findings.items[i].text, secret) == NULL);
	}
	HOLDS(n_errors == run->findings.n_errors);
	HOLDS((run->config == NULL) == (n_errors > 0));
}

static bool
within(unsigned long number, unsigned long least, unsigned long most)
{
	return number >= least && number <= most;
}

/* The table of keys, as the documentation has it. */
static void
check_numbers(const struct config *c)
{
	HOLDS(c->listen_port <= 65535 && c->admin_port <= 65535);
	HOLDS(c->recall_region <= 3 && c->connect_cross_site <= CROSS_SITE_ALLOW);
	HOLDS(c->callback_browser_binding <= BINDING_ENFORCE);
	HOLDS(c->log_level <= LOG_ERROR && c->log_format <= LOG_TEXT && c->log_access <= 1);
	HOLDS(within(c->limits_query_bytes, 1024, 65536));
	HOLDS(within(c->limits_connections, 1, 1000000));
	HOLDS(c->limits_connections_per_ip <= 1000000);
	HOLDS(within(c->limits_request_seconds, 1, 300));
	HOLDS(within(c->limits_idle_seconds, 1, 3600));
	HOLDS(c->shutdown_delay_seconds <= 300 && within(c->shutdown_timeout_seconds, 1, 300));
	HOLDS(within(c->threads, 1, 64) && c->tls_hsts_seconds <= 63072000);
}

static void
check_text(const char *text)
{
	if (text == NULL)
		return;
	HOLDS(*text != '\0' && text_is_utf8(span_of(text)) && !text_has_control(span_of(text)));
}

static void
check_list(const struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		HOLDS(list->items[i] != NULL);
		check_text(list->items[i]);
	}
	HOLDS(list->n <= 256);
}

static void
check_texts(const struct config *c)
{
	const char *const texts[] = { c->public_url, c->listen_address, c->admin_address,
		c->recall_base_url, c->registered[MICROSOFT].client_id, c->microsoft_tenant,
		c->microsoft_authority, c->connect_success_url, c->connect_error_url,
		c->tls_certificate, c->tls_private_key };
	const struct text_list *const lists[] = { &c->microsoft_association_ids,
		&c->registered[MICROSOFT].scopes, &c->connect_return_origins,
		&c->connect_start_origins, &c->trusted_proxies };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_text(texts[i]);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		check_list(lists[i]);
	HOLDS(c->listen_address != NULL && c->admin_address != NULL);
	HOLDS(c->recall_base_url != NULL && c->microsoft_tenant != NULL);
	HOLDS(c->microsoft_authority != NULL && c->region_name != NULL);
}

static bool
has_scope(const struct config *c, const char *scope)
{
	for (size_t i = 0; i < c->registered[MICROSOFT].scopes.n; i++)
		if (strcmp(c->registered[MICROSOFT].scopes.items[i], scope) == 0)
			return true;
	return false;
}

/* An origin: a scheme, a host, and at most a port. */
static void
check_origin(const char *url)
{
	const char *host = url != NULL ? strstr(url, "://") : NULL;

	if (url == NULL)
		return;
	HOLDS(host != NULL && host[3] != '\0' && strpbrk(host + 3, "/?#@\\<> ") == NULL);
	HOLDS(strncasecmp(url, "https", 5) == 0 || strncasecmp(host, "://localhost", 12) == 0 ||
	      strncmp(host, "://127.0.0.1", 12) == 0 || strncmp(host, "://[::1]", 8) == 0);
}

static void
check_rules(const struct config *c)
{
	check_origin(c->public_url);
	check_origin(c->recall_base_url);
	check_origin(c->microsoft_authority);
	for (size_t i = 0; i < c->connect_return_origins.n; i++)
		check_origin(c->connect_return_origins.items[i]);
	for (size_t i = 0; i < c->connect_start_origins.n; i++)
		check_origin(c->connect_start_origins.items[i]);
	HOLDS(c->public_url == NULL || strlen(c->public_url) + 30 <= 256);
	HOLDS(has_scope(c, "offline_access") && has_scope(c, "openid") && has_scope(c, "email"));
	HOLDS(has_scope(c, "https://graph.microsoft.com/Calendars.Read"));
	HOLDS((c->tls_certificate == NULL) == (c->tls_private_key == NULL));
	HOLDS((c->hsts[0] == '\0') == (c->tls_hsts_seconds == 0));
	HOLDS(c->registered[MICROSOFT].client_id == NULL || c->microsoft_association_ids.n > 0);
	HOLDS(c->registered[MICROSOFT].client_id == NULL ||
	      text_is_guid(span_of(c->registered[MICROSOFT].client_id)));
	HOLDS(c->n_return_origins == c->connect_return_origins.n + (c->public_url != NULL) +
					 (c->connect_success_url != NULL) +
					 (c->connect_error_url != NULL));
}

/* Every key is described, on one line: `key = value (origin)`. */
static void
describe(const struct config *config, struct buf *out)
{
	struct buf line = fuzz_buf(DESCRIPTION_SIZE);
	size_t n = 0;

	while (config_describe(config, n, &line)) {
		HOLDS(buf_ok(&line) && strstr(line.data, " = ") != NULL);
		HOLDS(line.data[line.len - 1] == ')' && strstr(line.data, " (") != NULL);
		HOLDS(memchr(line.data, '\n', line.len) == NULL);
		buf_put(out, buf_span(&line));
		buf_clear(&line);
		n++;
	}
	HOLDS(n > 30 && n < N_KEYS_MOST && line.len == 0);
	free(line.data);
}

static void
check_same(const struct run *a, const struct run *b)
{
	struct buf first = fuzz_buf(DESCRIPTION_SIZE), second = fuzz_buf(DESCRIPTION_SIZE);

	HOLDS(a->findings.n == b->findings.n && (a->config == NULL) == (b->config == NULL));
	for (size_t i = 0; i < a->findings.n; i++)
		HOLDS(strcmp(a->findings.items[i].text, b->findings.items[i].text) == 0);
	if (a->config != NULL) {
		describe(a->config, &first);
		describe(b->config, &second);
	}
	HOLDS(span_equals(buf_span(&first), buf_span(&second)));
	free(first.data);
	free(second.data);
}

static void
end(struct run *run)
{
	config_free(run->config);
	findings_free(&run->findings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { 0 };
	struct run run, again;

	read_input((struct span){ (const char *)data, size }, &input);
	run = parse(&input);
	check_findings(&input, &run);
	if (run.config != NULL) {
		check_numbers(run.config);
		check_texts(run.config);
		check_rules(run.config);
	}
	again = parse(&input);
	check_same(&run, &again);
	end(&run);
	end(&again);
	free_input(&input);
	return 0;
}
