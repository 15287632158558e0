/*
 * Loads, replaces and watches the certificate. Called by the main thread only.
 */
#include "certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "log.h"
#include "machine.h"
#include "tls.h"

enum { PEM_MAX_LEN = 256 * 1024, WARNING_DAYS = 14, DAY = 24 * 60 * 60 };

static const time_t warning_seconds = (time_t)WARNING_DAYS * DAY;

static time_t shown_until; /* of the pair that is shown; 0: none */

static char *
read_pem(const char *key, const char *path, size_t *ret_len, char *ret_fault)
{
	char *text = machine_read_file(path, PEM_MAX_LEN, ret_len);

	if (text == NULL)
		snprintf(ret_fault, CERTIFICATE_FAULT_SIZE,
		    "%.300s: %s: cannot be read: %s; use a readable PEM file", path, key,
		    strerror(errno));
	return text;
}

/* The private key is wiped from where it was read to. */
static void
wipe(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

static struct tls_pair *
load(const struct config *config, struct span chain, struct span key, char *ret_fault)
{
	struct tls_fault fault;
	struct tls_pair *pair = tls_load(chain, key, &fault);

	if (pair == NULL)
		snprintf(ret_fault, CERTIFICATE_FAULT_SIZE, "%.300s: %s: %s",
		    fault.is_key ? config->tls_private_key : config->tls_certificate,
		    fault.is_key ? "tls.private_key" : "tls.certificate", fault.text);
	return pair;
}

bool
certificate_read(
    const struct config *config, struct tls_pair **ret_pair, char ret_fault[CERTIFICATE_FAULT_SIZE])
{
	struct span chain, key = SPAN("");

	*ret_pair = NULL;
	if (config->tls_certificate == NULL)
		return true;
	chain.data = read_pem("tls.certificate", config->tls_certificate, &chain.len, ret_fault);
	if (chain.data == NULL)
		return false;
	key.data = read_pem("tls.private_key", config->tls_private_key, &key.len, ret_fault);
	if (key.data != NULL)
		*ret_pair = load(config, chain, key, ret_fault);
	wipe((char *)(uintptr_t)key.data, key.len);
	free((char *)(uintptr_t)chain.data);
	return *ret_pair != NULL;
}

static void
log_expiry(const char *event, enum log_level level, time_t expiry)
{
	char text[32];
	struct tm utc;
	struct log_line line;

	gmtime_r(&expiry, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (!log_begin(&line, level, event))
		return;
	log_string(&line, "expires", text);
	log_end(&line);
}

void
certificate_warn(void)
{
	time_t left = shown_until - time(NULL);

	if (shown_until == 0 || left >= warning_seconds)
		return;
	if (left <= 0)
		log_expiry("certificate_expired", LOG_ERROR, shown_until);
	else
		log_expiry("certificate_expires_soon", LOG_WARNING, shown_until);
}

const char *
certificate_key_warning(const struct config *config)
{
	struct stat status;

	if (stat(config->tls_private_key, &status) != 0 ||
	    (status.st_mode & (S_IRWXO | S_IWGRP)) == 0)
		return NULL;
	return "tls.private_key: is open to other users; use chmod 640 or 600 on its file";
}

void
certificate_show(const struct config *config, struct tls_pair *pair)
{
	const char *warning;

	if (pair == NULL)
		return;
	warning = certificate_key_warning(config);
	if (warning != NULL)
		log_message(LOG_WARNING, "config_warning", "message", warning);
	shown_until = tls_expiry(pair);
	log_expiry("certificate_loaded", LOG_INFO, shown_until);
	certificate_warn();
	tls_install(pair);
}
