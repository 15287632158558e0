/*
 * outcome: what Microsoft answered, read for operators. It never changes what is forwarded.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "http.h"

/*
 * Read a callback's query (without its `?`). ret_outcome gets only bounded, sanitised words:
 * never code, state or a description. hint is one sentence of cure, or NULL.
 * https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
void outcome_read(struct span query, struct outcome *ret_outcome);

#endif
