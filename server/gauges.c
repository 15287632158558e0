/*
 * Reads /proc and resource usage.
 */
#include "gauges.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t
count_open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (folder == NULL)
		return 0;
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static void
read_memory(struct gauges *gauges)
{
	unsigned long pages = 0, resident = 0, page = (unsigned long)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	char line[128], *end;

	if (file == NULL)
		return;
	if (fgets(line, sizeof(line), file) != NULL) {
		pages = strtoul(line, &end, 10);
		resident = strtoul(end, NULL, 10);
	}
	fclose(file);
	gauges->virtual_bytes = pages * page;
	gauges->resident_bytes = resident * page;
}

/* The 22nd field of /proc/self/stat counts ticks from the boot; the second may hold anything. */
static double
read_start(void)
{
	struct timespec now, since_boot;
	FILE *file = fopen("/proc/self/stat", "re");
	char line[1024] = "";
	const char *at;

	if (file == NULL)
		return 0;
	at = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
	fclose(file);
	for (int field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	return (double)(now.tv_sec - since_boot.tv_sec) +
	       strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK);
}

void
gauges_read_process(struct gauges *gauges)
{
	struct rusage usage = { 0 };
	struct rlimit files = { 0 };

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	gauges->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	gauges->start_seconds = read_start();
	gauges->open_fds = count_open_fds();
	gauges->max_fds = files.rlim_cur;
	read_memory(gauges);
}
