/*
 * log_writer: log lines on their way to standard error. A request pays for a copy of its line only:
 * a slow or broken standard error costs lines, which are counted, and never a request's time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Send lines here from now on; a thread writes them ten times a second. False with errno. */
bool log_writer_start(void);

/* Write what is left, for at most a second, and send lines straight to standard error again. */
void log_writer_stop(void);

/* Lines lost so far. */
uint64_t log_writer_dropped(void);
