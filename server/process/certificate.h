/* certificate: from the configured files to the pair that the listener shows. */
#pragma once

#include <time.h>

#include "config/config.h"

struct tls_pair;

/*
 * Read and check tls.certificate and tls.private_key; *ret_pair is NULL where none is configured.
 * False with an error among the findings. Warnings are added either way; is_check: about the end of
 * its time as well, which certificate_show() logs. The caller shows or frees the pair.
 */
bool certificate_read(const struct config *config, bool is_check, struct findings *findings,
    struct tls_pair **ret_pair);

/*
 * Show this pair from now on, which then belongs to tls.c, and log when it ends, with a warning
 * from 14 days before. Returns that time, 0 for none. NULL changes nothing.
 */
time_t certificate_show(struct tls_pair *pair);

/* Log a warning where the pair that is shown ends within 14 days. For every day. */
void certificate_warn(void);
