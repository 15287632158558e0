/*
 * certificate: from the configured files to the pair that the listener shows.
 */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include "config.h"

struct tls_pair;

enum { CERTIFICATE_FAULT_SIZE = 512 };

/*
 * Read and check tls.certificate and tls.private_key; *ret_pair is NULL where none is configured.
 * False with one sentence, in the form of a finding, in ret_fault. The caller shows or frees it.
 */
bool certificate_read(const struct config *config, struct tls_pair **ret_pair,
    char ret_fault[CERTIFICATE_FAULT_SIZE]);

/*
 * Show this pair from now on, which then belongs to tls.c, and log when it ends, with a warning
 * from 14 days before. NULL changes nothing.
 */
void certificate_show(const struct config *config, struct tls_pair *pair);

/* Log a warning where the pair that is shown ends within 14 days. For every day. */
void certificate_warn(void);

/* A sentence of advice where the key's file is open to others; NULL where it is not. */
const char *certificate_key_warning(const struct config *config);

#endif
