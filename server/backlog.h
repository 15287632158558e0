/*
 * backlog: log lines on their way to standard error. Writing costs a request a copy; a slow or
 * broken standard error costs lines, which are counted, and never a request its time.
 */
#ifndef BACKLOG_H
#define BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

/* Send the log's lines here from now on, written at least ten times a second by a thread. */
bool backlog_start(void);

/* Write what is left, for at most a second, and send lines straight to standard error again. */
void backlog_stop(void);

/* Lines lost so far. */
uint64_t backlog_dropped(void);

#endif
