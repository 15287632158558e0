/*
 * machine: what the system allows this process.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/* Processors that this process may use: affinity and the control group's quota, rounded up. */
unsigned long machine_processors(void);

/* Raise the soft limit of open files to the hard one; returns what it is then. */
unsigned long machine_raise_file_limit(void);

/* Point standard input, output and error that are closed at /dev/null, so that nothing else gets
 * their numbers. */
void machine_open_standard_files(void);

/* No core of this process is ever written: its memory holds codes and tokens. */
void machine_forbid_core(void);

/*
 * The whole file with a NUL behind it, for the caller to free; at most max_len bytes, else NULL
 * with errno (EFBIG where it is larger).
 */
char *machine_read_file(const char *path, size_t max_len, size_t *ret_len);

#endif
