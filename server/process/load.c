/* Reads the configuration file and hands all sources to config_parse(). */
#include "process/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "system/machine.h"

enum { FILE_MAX_LEN = 1024 * 1024, MAX_DEFAULT_THREADS = 4 };

#define DEFAULT_FILE "/etc/recall-redirectd/config.json"

char *
load_file(const char *path, size_t max_len, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *text = file != NULL ? malloc(max_len + 1) : NULL;
	int cause;

	if (text != NULL) {
		setvbuf(file, NULL, _IONBF, 0); /* no copy of a key stays in a buffer */
		*ret_len = fread(text, 1, max_len, file);
		text[*ret_len] = '\0';
		if (ferror(file) || fgetc(file) != EOF) {
			errno = ferror(file) ? errno : EFBIG;
			free(text);
			text = NULL;
		}
	}
	cause = errno;
	if (file != NULL)
		fclose(file);
	errno = cause;
	return text;
}

const char *
load_config_path(const struct options *options)
{
	return options->config_file != NULL ? options->config_file : DEFAULT_FILE;
}

/* A link on the way to the file leads nowhere: it is broken, where no file at all can be meant. */
static bool
has_broken_link(const char *path)
{
	char prefix[sizeof(DEFAULT_FILE)] = "";
	struct stat status;

	for (size_t len = 1; len <= strlen(path) && len < sizeof(prefix); len++) {
		prefix[len - 1] = path[len - 1];
		if ((path[len] == '/' || path[len] == '\0') && lstat(prefix, &status) == 0 &&
		    S_ISLNK(status.st_mode) && stat(prefix, &status) != 0)
			return true;
	}
	return false;
}

/* Put the file's text, which the caller frees, into source; what stops that becomes a finding. */
static void
read_config_file(const struct options *options, bool was_read, struct config_source *source,
    struct findings *findings)
{
	const char *path = load_config_path(options);
	const char *shown = path_is_plain(path) ? path : "-c";
	char wrong[128];
	size_t len;
	char *text = load_file(path, FILE_MAX_LEN, &len);
	int cause = errno;

	if (text == NULL && path_is_content(path)) {
		findings_add(findings, true, "-c", "",
		    "is the content of the file itself, where its path belongs",
		    "save it to a file, and use the path of that file");
	} else if (text != NULL) {
		source->file_name = path;
		source->file_text = (struct span){ text, len };
	} else if (was_read && cause == ENOENT) {
		findings_add(findings, true, shown, "",
		    "was read before and is gone; it is not taken for an empty file",
		    "put it back, or restart the server to run without it");
	} else if (has_broken_link(path)) {
		findings_add(findings, true, shown, "", "is a link that leads nowhere",
		    "let it lead to a JSON file, or remove it");
	} else if (options->config_file != NULL || cause != ENOENT) {
		snprintf(wrong, sizeof(wrong), "cannot be read: %s", strerror(cause));
		findings_add(findings, true, shown, "", wrong,
		    "use the path of a JSON file of at most 1 MiB that the server's user can read");
	}
}

struct config *
load_config(const struct options *options, enum load_file file, struct findings *findings)
{
	unsigned processors = (unsigned)machine_processors();
	struct config_source source = {
		.environment = environ,
		.flags = options->flags,
		.n_flags = options->n_flags,
		.processors = processors < MAX_DEFAULT_THREADS ? processors : MAX_DEFAULT_THREADS,
	};
	struct config *config;

	if (file != LOAD_NO_FILE)
		read_config_file(options, file == LOAD_AGAIN, &source, findings);
	config = config_parse(&source, findings);
	if (source.file_name != NULL)
		free((char *)(uintptr_t)source.file_text.data);
	return config;
}
