/*
 * noise: what strangers can cause at will, told without flooding the log.
 */
#ifndef NOISE_H
#define NOISE_H

#include <stdarg.h>
#include <stdint.h>

#include "watchdog.h"

/*
 * MHD_LogCallback. Some messages of libmicrohttpd in every ten seconds are logged, the others
 * counted. Only the format is, never its arguments: they may be a stranger's bytes.
 */
void noise_log_library(void *cls, const char *format, va_list arguments);

/* Every ten seconds, log what has been counted since the last time. One thread calls this. */
void noise_report(const struct watch_counts *counts, int64_t now_ms);

#endif
