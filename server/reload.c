/*
 * Replaces what is in force as a whole, or nothing of it. Runs in the main thread.
 */
#include "reload.h"

#include "certificate.h"
#include "load.h"
#include "log.h"
#include "systemd.h"
#include "tls.h"

static void
tell_restart_keys(const struct config *before, const struct config *after)
{
	char array[1024];
	struct buf keys;
	struct log_line line;

	buf_init(&keys, array, sizeof(array));
	config_put_restart_keys(before, after, &keys);
	if (keys.len == 0 || !log_begin(&line, LOG_WARNING, "restart_needed"))
		return;
	log_string(&line, "keys", keys.data);
	log_string(&line, "hint", "These keys keep their old values until the server is restarted");
	log_end(&line);
}

static void
put_in_force(struct service *service, struct config *config, struct tls_pair *pair)
{
	const struct config *before;

	tell_restart_keys(service->boot, config);
	log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
	certificate_show(config, pair);
	if (pair != NULL)
		server_set_certificate_expiry(service->server, tls_expiry(pair));
	before = server_replace_config(service->server, config);
	service->current = config;
	if (before != NULL && before != service->boot)
		config_free((struct config *)(uintptr_t)before);
}

/* TLS that was off at the start stays off, and the other way round: only a restart changes that. */
static bool
load_all(struct service *service, struct config **ret_config, struct tls_pair **ret_pair)
{
	struct findings findings = { 0 };
	char fault[CERTIFICATE_FAULT_SIZE];
	bool good;

	*ret_pair = NULL;
	*ret_config = load_config(service->options, &findings);
	load_log_findings(&findings);
	good = *ret_config != NULL;
	config_findings_free(&findings);
	if (good && service->boot->tls_certificate != NULL)
		good = certificate_read(*ret_config, ret_pair, fault);
	if (*ret_config != NULL && !good) {
		log_message(LOG_ERROR, "certificate_refused", "cause", fault);
		config_free(*ret_config);
	}
	return good;
}

void
reload_service(struct service *service)
{
	struct config *config;
	struct tls_pair *pair;
	bool good;

	systemd_notify_reloading();
	good = load_all(service, &config, &pair);
	if (good)
		put_in_force(service, config, pair);
	server_set_reload(service->server, good);
	log_message(good ? LOG_INFO : LOG_ERROR, good ? "reloaded" : "reload_refused", NULL, NULL);
	systemd_notify(good ? "READY=1\nSTATUS=Serving"
			    : "READY=1\nSTATUS=Serving; the last reload "
			      "was refused, see the log");
}
