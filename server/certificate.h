/*
 * certificate: from the configured files to the pair that the listener shows.
 */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include "config.h"

struct tls_pair;

enum { CERTIFICATE_FAULT_SIZE = 512 };

/*
 * Read and check tls.certificate and tls.private_key. NULL with one sentence, in the form of a
 * finding, in ret_fault. The caller installs the pair or frees it.
 */
struct tls_pair *certificate_read(
    const struct config *config, char ret_fault[CERTIFICATE_FAULT_SIZE]);

/* Log when the pair ends: info, and a warning from 14 days before. */
void certificate_log(const struct tls_pair *pair);

/* Log a warning where the pair that is shown ends within 14 days. For every day. */
void certificate_warn(void);

/* A sentence of advice where the key's file is open to others; NULL where it is not. */
const char *certificate_key_warning(const struct config *config);

#endif
