/* Writes findings and a summary of what is in force. Shows no value but addresses. */
#include "process/report.h"

#include "flow/oauth.h"
#include "mhd/server.h"
#include "system/machine.h"

static const char no_memory[] = "there is not enough memory; give the process more";

void
report_log_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		log_message(findings->items[i].is_error ? LOG_ERROR : LOG_WARNING,
		    findings->items[i].is_error ? "config_error" : "config_warning", "message",
		    findings->items[i].text);
	if (findings->out_of_memory)
		log_message(LOG_ERROR, "config_error", "message", no_memory);
}

void
report_print_findings(const struct findings *findings, FILE *to)
{
	for (size_t i = 0; i < findings->n; i++) {
		bool is_error = findings->items[i].is_error;

		fprintf(to, "%s%s: %s\n", log_priority(is_error ? LOG_ERROR : LOG_WARNING),
		    is_error ? "error" : "warning", findings->items[i].text);
	}
	if (findings->out_of_memory)
		fprintf(to, "%serror: %s\n", log_priority(LOG_ERROR), no_memory);
}

void
report_put_config(struct log_line *line, const struct config *config)
{
	const char *url = config->public_url;
	BUF(uris, 1024);

	for (size_t i = 0; url != NULL && i < N_PROVIDERS; i++)
		buf_printf(&uris, "%s%s,", url, providers[i].callback_path);
	if (url != NULL)
		buf_printf(&uris, "%s" OAUTH_ADMIN_CALLBACK_PATH, url);
	log_string(line, "file", config->file_name != NULL ? config->file_name : "none");
	log_string(line, "recall", config->recall_base_url);
	log_string(line, "redirect_uris", url != NULL ? uris.data : "none");
}

void
report_log_keys(const char *event, const struct buf *keys, const char *hint)
{
	struct log_line line;

	if (keys->len == 0 || !log_begin(&line, LOG_WARNING, event))
		return;
	log_string(&line, "keys", keys->data);
	log_string(&line, "hint", hint);
	log_end(&line);
}

static void
log_port(struct log_line *line, const char *name, const int *fds, size_t n)
{
	unsigned port = listener_port(fds, n);

	if (port != 0)
		log_number(line, name, port);
}

void
report_log_listening(
    const struct config *config, const struct listeners *listeners, size_t connections)
{
	struct log_line line;
	BUF(unused, 128);

	if (listeners->is_passed)
		config_put_set_keys(config, "listen.", &unused);
	if (listeners->is_admin_passed)
		config_put_set_keys(config, "admin.", &unused);
	report_log_keys("keys_unused", &unused,
	    "systemd passed sockets, which are used instead: change the .socket unit, or unset these");
	if (!log_begin(&line, LOG_INFO, "listening"))
		return;
	log_string(&line, "address", listeners->is_passed ? "passed" : config->listen_address);
	log_port(&line, "port", listeners->public_fds, listeners->n_public);
	log_string(&line, "scheme", config->tls_certificate != NULL ? "https" : "http");
	log_port(&line, "admin_port", listeners->admin_fds, listeners->n_admin);
	log_number(&line, "threads", listeners->n_public);
	log_number(&line, "connections", connections);
	report_put_config(&line, config);
	log_string(&line, "version", VERSION);
	log_string(&line, "libmicrohttpd", server_library_version());
	log_end(&line);
}

void
report_log_listen_failure(const struct config *config, const struct listener_fault *fault)
{
	bool is_admin = strcmp(fault->key, "admin") == 0;
	struct log_line line;

	if (!log_begin(&line, LOG_ERROR, "listen_failed"))
		return;
	log_string(&line, "listener", fault->key);
	if (strcmp(fault->key, "passed") != 0) {
		log_string(
		    &line, "address", is_admin ? config->admin_address : config->listen_address);
		log_number(&line, "port", is_admin ? config->admin_port : config->listen_port);
	}
	log_string(&line, "cause", fault->cause);
	log_string(&line, "hint", machine_find_cure(fault->number));
	log_end(&line);
}

void
report_log_start_failure(const char *step, int cause)
{
	struct log_line line;

	if (!log_begin(&line, LOG_ERROR, "start_failed"))
		return;
	log_string(&line, "step", step);
	log_string(&line, "cause", cause != 0 ? strerror(cause) : "unknown");
	log_string(&line, "hint", machine_find_cure(cause));
	log_end(&line);
}
