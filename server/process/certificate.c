/* Loads, judges, replaces and watches the certificate. Called by the main thread only. */
#include "process/certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/path.h"
#include "process/load.h"
#include "system/tls.h"

enum { PEM_MAX_LEN = 256 * 1024, WARNING_SECONDS = 14 * 24 * 60 * 60 };

static const char certificate_key[] = "tls.certificate", private_key_key[] = "tls.private_key";

static time_t shown_until; /* of the pair that is shown; 0: none */

static void
refuse(struct findings *findings, const char *path, const char *key, const char *wrong,
    const char *advice)
{
	bool is_shown = path_is_plain(path);

	findings_add(findings, true, is_shown ? path : key, is_shown ? key : "", wrong, advice);
}

static struct span
read_pem(const char *path, const char *key, struct findings *findings)
{
	struct span text = { NULL, 0 };
	char wrong[128];

	text.data = load_file(path, PEM_MAX_LEN, &text.len);
	if (text.data != NULL)
		return text;
	snprintf(wrong, sizeof(wrong), "cannot be read: %s", strerror(errno));
	refuse(findings, path, key, wrong,
	    "use the path of a PEM file of at most 256 KiB that the server's user can read");
	return text;
}

/* The private key is wiped from where it was read to. */
static void
wipe(struct span text)
{
	char *bytes = (char *)(uintptr_t)text.data;

	if (bytes != NULL)
		explicit_bzero(bytes, text.len);
	free(bytes);
}

static struct tls_pair *
load_pair(const struct config *config, const char *host, struct findings *findings)
{
	const char *path = config->tls_certificate, *key_path = config->tls_private_key;
	struct span chain = read_pem(path, certificate_key, findings);
	struct span key = read_pem(key_path, private_key_key, findings);
	struct tls_pair *pair = NULL;
	struct tls_fault fault;

	if (chain.data != NULL && key.data != NULL) {
		pair = tls_load(chain, key, host, &fault);
		if (pair == NULL)
			refuse(findings, fault.is_key ? key_path : path,
			    fault.is_key ? private_key_key : certificate_key, fault.wrong,
			    fault.advice);
	}
	wipe(key);
	wipe(chain);
	return pair;
}

/* What stops nothing, but what somebody should know. */
static void
warn(const struct config *config, bool is_check, const struct tls_facts *facts, bool has_host,
    struct findings *findings)
{
	time_t now = time(NULL), left = facts->until - now;
	struct stat status;
	bool is_open = stat(config->tls_private_key, &status) == 0 &&
		       (status.st_mode & (S_IRWXO | S_IWGRP)) != 0;
	const struct {
		bool is_true;
		const char *key, *wrong, *advice;
	} rows[] = {
		{ is_open, private_key_key, "is open to other users",
		    "use chmod 640 or 600 on its file" },
		{ facts->from > now, certificate_key, "is not valid yet",
		    "clients refuse it; check the clock of this machine" },
		{ is_check && left <= 0, certificate_key, "has expired",
		    "clients refuse it; renew it" },
		{ is_check && left > 0 && left < WARNING_SECONDS, certificate_key,
		    "expires within 14 days", "renew it" },
		{ has_host && !facts->is_for_host, certificate_key,
		    "is not for the host of public_url",
		    "browsers refuse it; use a certificate that names this host" },
		{ !facts->is_ordered, certificate_key, "is out of order",
		    "put each certificate before the one that issued it, and leave out others" },
		{ facts->is_rsa, certificate_key, "has an RSA key",
		    "an ECDSA key (P-256) makes a new connection cost a third of the time" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].is_true)
			findings_add(
			    findings, false, rows[i].key, "", rows[i].wrong, rows[i].advice);
}

bool
certificate_read(const struct config *config, bool is_check, struct findings *findings,
    struct tls_pair **ret_pair)
{
	struct url_origin origin = { 0 };
	bool has_host = config->public_url != NULL &&
			url_parse(span_of(config->public_url), URL_ORIGIN, &origin) == NULL;

	*ret_pair = NULL;
	if (config->tls_certificate == NULL)
		return true;
	*ret_pair = load_pair(config, origin.host, findings);
	if (*ret_pair != NULL)
		warn(config, is_check, tls_facts(*ret_pair), has_host, findings);
	return *ret_pair != NULL;
}

static void
log_expiry(const char *event, enum log_level level, time_t expiry)
{
	char date[sizeof("2026-11-23T20:41:00Z")];
	struct tm utc;

	gmtime_r(&expiry, &utc);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc);
	log_message(level, event, "expires", date);
}

void
certificate_warn(void)
{
	time_t left = shown_until - time(NULL);

	if (shown_until == 0 || left >= WARNING_SECONDS)
		return;
	log_expiry(left <= 0 ? "certificate_expired" : "certificate_expires_soon",
	    left <= 0 ? LOG_ERROR : LOG_WARNING, shown_until);
}

time_t
certificate_show(struct tls_pair *pair)
{
	if (pair == NULL)
		return shown_until;
	shown_until = tls_facts(pair)->until;
	log_expiry("certificate_loaded", LOG_INFO, shown_until);
	certificate_warn();
	tls_install(pair);
	return shown_until;
}
