/*
 * Lines of many threads on their way to a standard error that is a file, a full one, or a pipe.
 */
#include "system/log_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "support.h"

/* All lines together fit into the ring, so that none is lost however slow the machine is. */
enum { N_THREADS = 4, N_LINES = 1000, N_SHORT = 100 };

static FILE *file; /* standard error, meanwhile */
static int saved;

static void
set_up(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	saved = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	log_configure(LOG_INFO, LOG_JSON);
	ck_assert(log_writer_start());
}

static void
tear_down(void)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	fclose(file);
}

/* No faster than lines are written. */
static void
log_lines(const char *thread, int n)
{
	struct log_line line;

	for (int i = 0; i < n; i++) {
		ck_assert(log_begin(&line, LOG_INFO, "tested"));
		log_string(&line, "thread", thread);
		log_number(&line, "n", (uint64_t)i);
		log_end(&line);
		if (i % 100 == 99)
			usleep(1000);
	}
}

static void *
run(void *name)
{
	log_lines(name, N_LINES);
	return NULL;
}

static void
log_from_threads(void (*meanwhile)(void))
{
	static const char *const names[N_THREADS] = { "0", "1", "2", "3" };
	pthread_t threads[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(
		    pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)names[i]), 0);
	if (meanwhile != NULL)
		meanwhile();
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	log_writer_stop();
	ck_assert_uint_eq(log_writer_dropped(), 0);
	rewind(file);
}

/* Whole, and in the order of their times. */
START_TEST(keeps_lines_of_all_threads_in_order)
{
	char line[256], last[64] = "", time[64];
	int next[N_THREADS] = { 0 }, thread, n;

	log_from_threads(NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		ck_assert_msg(sscanf(line,
				  "{\"time\":\"%63[^\"]\",\"level\":\"info\",\"event\":\"tested\","
				  "\"thread\":\"%d\",\"n\":%d}\n",
				  time, &thread, &n) == 3,
		    "%s", line);
		ck_assert_str_ge(time, last);
		ck_assert_int_eq(n, next[thread]++);
		memcpy(last, time, sizeof(last));
	}
	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(next[i], N_LINES);
}
END_TEST

static void
change_format(void)
{
	for (int i = 0; i < 20000; i++)
		log_configure(LOG_INFO, i % 2 == 0 ? LOG_TEXT : LOG_JSON);
}

/* A reload may change the format at any time: a line is in the one or in the other. */
START_TEST(writes_no_line_in_two_formats)
{
	char line[256];
	int n_json = 0, n_text = 0;

	log_from_threads(change_format);
	while (fgets(line, sizeof(line), file) != NULL) {
		bool is_json = line[0] == '{';
		char *rest = strstr(line, is_json ? "\",\"level\":\"info\",\"event\":\"tested\",\""
						  : " info tested thread=");

		ck_assert_msg(rest != NULL && (strstr(line, "}\n") != NULL) == is_json &&
				  (strchr(line, '=') == NULL) == is_json,
		    "%s", line);
		n_json += is_json;
		n_text += !is_json;
	}
	ck_assert_int_eq(n_json + n_text, N_THREADS * N_LINES);
}
END_TEST

static void
limit_file(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
await_dropped(uint64_t n)
{
	for (int i = 0; i < 5000 && log_writer_dropped() < n; i++)
		usleep(1000);
	ck_assert_uint_eq(log_writer_dropped(), n);
}

static const rlim_t full_at[] = { 0, 1, 30, 60 };

/* As on a disk that is full for a while: what comes later begins a line of its own. */
START_TEST(starts_a_new_line_after_a_full_disk)
{
	char line[256];
	int n = 0, n_torn = 0;

	signal(SIGXFSZ, SIG_IGN);
	limit_file(full_at[_i]);
	log_lines("full", 1);
	await_dropped(1);
	log_lines("still full", 1);
	await_dropped(2);
	limit_file(RLIM_INFINITY);
	log_lines("room", N_SHORT);
	log_writer_stop();
	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t len = strlen(line);

		if (strstr(line, "log_lines_dropped") != NULL)
			ck_assert_ptr_nonnull(strstr(line, "\"lines\":2}\n"));
		else if (len >= 3 && strcmp(line + len - 2, "}\n") == 0)
			n += strstr(line, "\"thread\":\"room\"") != NULL;
		else
			n_torn++;
	}
	ck_assert_int_eq(n, N_SHORT);
	ck_assert_int_eq(n_torn, full_at[_i] > 0);
}
END_TEST

/* Nobody reads: lines are lost, not time; the end comes within about a second. */
START_TEST(drops_lines_that_nobody_reads)
{
	int64_t before;
	clock_t used;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	log_writer_stop();
	dup2(ends[1], STDERR_FILENO);
	ck_assert(log_writer_start());
	log_lines("unread", 20000);
	ck_assert_uint_gt(log_writer_dropped(), 0);
	used = clock(); /* of the processor: to wait costs nothing */
	usleep(500000);
	ck_assert_int_lt(clock() - used, CLOCKS_PER_SEC / 10);
	before = clock_now_ms();
	log_writer_stop();
	ck_assert_int_lt(clock_now_ms() - before, 3000);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("log_writer");
	TCase *tests = tcase_create("log_writer");

	setenv("CK_FORK", "yes", 1); /* a limit on files would hold for check's own */
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, keeps_lines_of_all_threads_in_order);
	tcase_add_test(tests, writes_no_line_in_two_formats);
	tcase_add_loop_test(
	    tests, starts_a_new_line_after_a_full_disk, 0, sizeof(full_at) / sizeof(full_at[0]));
	tcase_add_test(tests, drops_lines_that_nobody_reads);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
