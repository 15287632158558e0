/*
 * Reads the configuration file and hands all sources to config_parse().
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "machine.h"

enum { FILE_MAX_LEN = 1024 * 1024, MAX_DEFAULT_THREADS = 4 };

#define DEFAULT_FILE "/etc/recall-redirectd/config.json"

/* Put the file's text, which the caller frees, into source; what stops that becomes a finding. */
static void
read_config_file(
    const struct options *options, struct config_source *source, struct findings *findings)
{
	const char *path = options->config_file != NULL ? options->config_file : DEFAULT_FILE;
	size_t len;
	char *text = machine_read_file(path, FILE_MAX_LEN, &len);

	if (text != NULL) {
		source->file_name = path;
		source->file_text = (struct span){ text, len };
	} else if (options->config_file != NULL || errno != ENOENT) {
		config_add_error(
		    findings, path, strerror(errno), "use a readable JSON file of at most 1 MiB");
	}
}

struct config *
load_config(const struct options *options, struct findings *findings)
{
	unsigned long processors = machine_processors();
	struct config_source source = {
		.environment = environ,
		.flags = options->flags,
		.n_flags = options->n_flags,
		.processors = processors < MAX_DEFAULT_THREADS ? processors : MAX_DEFAULT_THREADS,
	};
	struct config *config;

	read_config_file(options, &source, findings);
	config = config_parse(&source, findings);
	if (source.file_name != NULL)
		free((char *)(uintptr_t)source.file_text.data);
	return config;
}

void
load_log_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		log_message(findings->items[i].is_error ? LOG_ERROR : LOG_WARNING,
		    findings->items[i].is_error ? "config_error" : "config_warning", "message",
		    findings->items[i].text);
}
