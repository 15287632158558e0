/*
 * Asks the system for limits and files. Decides nothing.
 */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned long
affinity_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 1)
		return 1;
	return (unsigned long)CPU_COUNT(&set);
}

/* The path of this process's own group in the unified hierarchy: "0::/path" (cgroups(7)). */
static void
find_control_group(char *ret_path, size_t size)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512];

	ret_path[0] = '\0';
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "0::", 3) == 0)
			snprintf(ret_path, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	if (file != NULL)
		fclose(file);
}

/* cpu.max: "QUOTA PERIOD" in microseconds, or "max PERIOD"; 0 where there is no quota. */
static unsigned long
quota_processors(void)
{
	char group[512], path[600];
	unsigned long quota = 0, period = 0;
	char line[64];
	char *end;
	FILE *file;

	find_control_group(group, sizeof(group));
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpu.max", group);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) != NULL) {
		quota = strtoul(line, &end, 10); /* "max" is 0 */
		period = strtoul(end, NULL, 10);
	}
	fclose(file);
	return period > 0 ? (quota + period - 1) / period : 0;
}

unsigned long
machine_processors(void)
{
	unsigned long processors = affinity_processors();
	unsigned long quota = quota_processors();

	return quota > 0 && quota < processors ? quota : processors;
}

unsigned long
machine_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

void
machine_open_standard_files(void)
{
	int fd;

	do
		fd =
		    open("/dev/null", O_RDONLY | O_CLOEXEC); /* writing still fails, as it should */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/*
 * One byte, not none: where cores go to a pipe, Linux takes 0 for no limit, and 1 for no core
 * (fs/coredump.c).
 */
void
machine_forbid_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 1, 1 });
}

static char *
read_stream(FILE *file, size_t max_len, size_t *ret_len)
{
	char *text = malloc(max_len + 1);

	if (text == NULL)
		return NULL;
	*ret_len = fread(text, 1, max_len, file);
	text[*ret_len] = '\0';
	if (ferror(file) || fgetc(file) != EOF) {
		errno = ferror(file) ? errno : EFBIG;
		free(text);
		return NULL;
	}
	return text;
}

char *
machine_read_file(const char *path, size_t max_len, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *text;
	int cause;

	if (file == NULL)
		return NULL;
	text = read_stream(file, max_len, ret_len);
	cause = errno;
	fclose(file);
	errno = cause;
	return text;
}
