/* machine: what the system allows this process, and what it uses. */
#pragma once

#include <stdbool.h>

#include "observe/metrics.h"

/* Processors that this process may use: affinity and the control group's quota, rounded up. */
unsigned long machine_processors(void);

/* Raise the soft limit of open files to the hard one; returns what it is then. */
unsigned long machine_raise_file_limit(void);

/* Point standard input, output and error that are closed at /dev/null, so that nothing else gets
 * their numbers. */
void machine_open_standard_files(void);

/* No core of this process is ever written: its memory holds codes and tokens. */
void machine_forbid_core(void);

/* What may cure a start that failed with this errno; NULL where nothing is known. */
const char *machine_find_cure(int cause);

/* Fill in what the process uses, and may use; what cannot be read is 0. */
void machine_read_usage(struct gauges *gauges);
