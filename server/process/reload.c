/* Replaces what is in force as a whole, or nothing of it. Runs in the main thread. */
#include "process/reload.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "process/certificate.h"
#include "process/load.h"
#include "process/report.h"
#include "system/systemd.h"
#include "system/tls.h"

static void
look(const struct service *service, struct file_marks *ret_marks)
{
	bool is_tls = service->boot->tls_certificate != NULL;
	const char *paths[] = { load_config_path(service->options),
		is_tls ? service->tried->tls_certificate : NULL,
		is_tls ? service->tried->tls_private_key : NULL };
	struct stat s;

	*ret_marks = (struct file_marks){ 0 };
	for (size_t i = 0; i < COUNT(paths); i++)
		if (paths[i] != NULL && stat(paths[i], &s) == 0 && S_ISREG(s.st_mode))
			memcpy(ret_marks->of[i],
			    (int64_t[]){ (int64_t)s.st_dev, (int64_t)s.st_ino, s.st_size,
				s.st_mtim.tv_sec, s.st_mtim.tv_nsec },
			    sizeof(ret_marks->of[i]));
}

void
reload_mark(struct service *service)
{
	look(service, &service->loaded);
	service->seen = service->loaded;
	service->looked_ms = clock_now_ms();
}

/* Go on to the PEM files of this configuration, before they are read. */
static void
watch_files_of(struct service *service, const struct config *config)
{
	struct file_marks now;

	if (service->tried != service->current)
		config_free((struct config *)(uintptr_t)service->tried);
	service->tried = config;
	look(service, &now);
	memcpy(service->loaded.of[1], now.of[1], sizeof(now.of) - sizeof(now.of[0]));
	service->seen = service->loaded;
}

static void
log_reloaded(const struct service *service, const struct config *after)
{
	BUF(changed, 2048);
	BUF(restart, 1024);
	struct log_line line;

	config_put_changed_keys(service->current, after, false, &changed);
	config_put_changed_keys(service->boot, after, true, &restart);
	report_log_keys("restart_needed", &restart,
	    "These keys keep their old values until the server is restarted");
	if (!log_begin(&line, LOG_INFO, "reloaded"))
		return;
	log_string(&line, "changed", changed.len > 0 ? changed.data : "none");
	report_put_config(&line, after);
	log_end(&line);
}

static void
put_in_force(struct service *service, struct config *config, struct tls_pair *pair)
{
	log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
	server_replace_config(service->server, config, certificate_show(pair));
	log_reloaded(service, config);
	if (service->current != service->boot)
		config_free((struct config *)(uintptr_t)service->current);
	service->current = config;
}

/* TLS that was off at the start stays off, and the other way round: only a restart changes that. */
static bool
load_all(struct service *service, struct config **ret_config, struct tls_pair **ret_pair)
{
	bool was_read = service->current->file_name != NULL;
	struct findings findings = { 0 };
	bool good;

	*ret_pair = NULL;
	*ret_config = load_config(service->options, was_read ? LOAD_AGAIN : LOAD_FIRST, &findings);
	watch_files_of(service, *ret_config != NULL ? *ret_config : service->current);
	good =
	    *ret_config != NULL && (service->boot->tls_certificate == NULL ||
				       certificate_read(*ret_config, false, &findings, ret_pair));
	report_log_findings(&findings);
	findings_free(&findings);
	if (good || *ret_config == NULL)
		return good;
	log_message(LOG_ERROR, "certificate_refused", NULL, NULL);
	return false;
}

void
reload_service(struct service *service)
{
	struct config *config;
	struct tls_pair *pair;
	bool is_good;

	reload_mark(service);
	systemd_notify_reloading();
	is_good = load_all(service, &config, &pair);
	server_note_reload(service->server, is_good);
	if (is_good) {
		put_in_force(service, config, pair);
		systemd_notify("READY=1\nSTATUS=Serving");
		return;
	}
	log_message(LOG_ERROR, "reload_refused", "hint",
	    "The last good configuration stays in force; the lines before say what is wrong");
	systemd_notify("READY=1\nSTATUS=Serving; the last reload was refused, see the log");
}

void
reload_if_changed(struct service *service)
{
	int64_t period_ms = (int64_t)service->current->reload_poll_seconds * 1000;
	struct file_marks now;
	bool is_whole;

	if (period_ms == 0 || clock_now_ms() - service->looked_ms < period_ms)
		return;
	look(service, &now);
	is_whole = memcmp(&now, &service->seen, sizeof(now)) == 0;
	service->seen = now;
	service->looked_ms = clock_now_ms();
	if (is_whole && memcmp(&now, &service->loaded, sizeof(now)) != 0)
		reload_service(service);
}
