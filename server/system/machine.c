/* Asks the system for limits and usage. Decides nothing. */
#include "system/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The first two numbers of a file; what is no positive number, such as "max", is 0. */
static void
read_numbers(const char *path, unsigned long ret_numbers[2])
{
	FILE *file = fopen(path, "re");
	char line[128] = "", *at = line;

	if (file != NULL && fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	for (int i = 0; i < 2; i++) {
		long number = strtol(at, &at, 10);

		ret_numbers[i] = number > 0 ? (unsigned long)number : 0;
	}
	if (file != NULL)
		fclose(file);
}

/*
 * The control group's quota, rounded up; 0: none. Its path in the unified hierarchy is "0::/path"
 * (cgroups(7)); a container of version 1 has quota and period in two files.
 */
static unsigned long
quota_processors(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[512], path[600] = "";
	unsigned long quota[2], period[2];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "0::", 3) == 0)
			snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s/cpu.max",
			    (int)strcspn(line + 3, "\n"), line + 3);
	if (file != NULL)
		fclose(file);
	read_numbers(path, quota);
	if (quota[1] == 0) {
		read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period);
		read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota);
		quota[1] = period[0];
	}
	return quota[1] > 0 ? (quota[0] + quota[1] - 1) / quota[1] : 0;
}

unsigned long
machine_processors(void)
{
	unsigned long quota = quota_processors(), processors = 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1)
		processors = (unsigned long)CPU_COUNT(&set);
	return quota > 0 && quota < processors ? quota : processors;
}

unsigned long
machine_raise_file_limit(void)
{
	struct rlimit limit = { 1024, 1024 };

	getrlimit(RLIMIT_NOFILE, &limit);
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
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* writing fails, as it should */
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

const char *
machine_find_cure(int cause)
{
	static const struct {
		int cause;
		const char *cure;
	} cures[] = {
		{ EADDRINUSE,
		    "Another process listens there: stop it, or set another port (listen.port, admin.port)" },
		{ EACCES, "This user may not listen there: use a port from 1024 on, or sockets of "
			  "systemd" },
		{ EADDRNOTAVAIL, "No interface of this machine has the address: set another one" },
		{ EPERM, "The system forbids this process to start threads. An old Docker or "
			 "libseccomp refuses clone3(): update it, or start the container with "
			 "--security-opt seccomp=unconfined" },
		{ EAGAIN, "Raise the number of threads that it may have (TasksMax=, --pids-limit, "
			  "ulimit -u), or lower threads" },
		{ EMFILE, "Raise the limit of open files (LimitNOFILE=, --ulimit nofile), or lower "
			  "threads" },
		{ ENOMEM,
		    "Allow this process more memory (MemoryMax=, --memory), or lower threads" },
	};

	for (size_t i = 0; i < COUNT(cures); i++)
		if (cures[i].cause == cause)
			return cures[i].cure;
	return NULL;
}

void
machine_read_usage(struct gauges *gauges)
{
	struct rusage usage = { 0 };
	struct rlimit files = { 0 };
	unsigned long pages[2], page_size = (unsigned long)sysconf(_SC_PAGESIZE);
	DIR *folder = opendir("/proc/self/fd");

	getrusage(RUSAGE_SELF, &usage);
	getrlimit(RLIMIT_NOFILE, &files);
	gauges->cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	while (folder != NULL && readdir(folder) != NULL)
		gauges->open_fds++;
	if (folder != NULL) {
		gauges->open_fds -= 3; /* ".", ".." and the folder itself */
		closedir(folder);
	}
	gauges->max_fds = files.rlim_cur;
	read_numbers("/proc/self/statm", pages);
	gauges->virtual_bytes = pages[0] * page_size;
	gauges->resident_bytes = pages[1] * page_size;
}
