/*
 * gauges: what the system says of this process, for metrics.
 */
#ifndef GAUGES_H
#define GAUGES_H

#include "metrics.h"

/* Fill in the process's members; what cannot be read is 0. */
void gauges_read_process(struct gauges *gauges);

#endif
