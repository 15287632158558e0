/*
 * Which connections are ended, and when: the time is the test's own.
 */
#include "watchdog.h"

#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

enum { N_CONNECTIONS = 40, REQUEST_MS = 10000, IDLE_MS = 75000, LIMIT = 32 };

static struct watched connections[N_CONNECTIONS];
static int peers[N_CONNECTIONS];
static struct watch_list list;
static struct watchdog dog;
static int64_t told_ms;

static void
tell(void *cls, int64_t oldest_new_ms)
{
	ck_assert_ptr_eq(cls, &told_ms);
	told_ms = oldest_new_ms;
}

static void
set_up(void)
{
	watch_list_init(&list, LIMIT);
	dog = (struct watchdog){ .lists = &list,
		.n_lists = 1,
		.request_ms = REQUEST_MS,
		.idle_ms = IDLE_MS,
		.on_tick = tell,
		.cls = &told_ms };
}

/* Connection i, which entered this phase at since_ms and was opened then. */
static void
add(int i, enum watch_phase phase, int64_t since_ms)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	watch_add(&list, &connections[i], pair[0]);
	peers[i] = pair[1];
	connections[i].opened_ms = since_ms;
	atomic_store(&connections[i].phase, since_ms * 8 + (int64_t)phase);
}

static void
take_away(int i)
{
	watch_remove(&list, &connections[i]);
	close(connections[i].fd);
	close(peers[i]);
}

static bool
is_ended(int i)
{
	char byte;

	return recv(peers[i], &byte, 1, MSG_DONTWAIT) == 0;
}

static const struct {
	enum watch_phase phase;
	int64_t age_ms;
	bool ends;
	uint64_t counted;
} ages[] = {
	{ WATCH_NEW, 0, false, 0 },
	{ WATCH_NEW, REQUEST_MS, false, 0 },
	{ WATCH_NEW, REQUEST_MS + 1, true, 1 },
	{ WATCH_REQUEST, REQUEST_MS, false, 0 },
	{ WATCH_REQUEST, REQUEST_MS + 1, true, 1 },
	{ WATCH_ANSWER, REQUEST_MS, false, 0 },
	{ WATCH_ANSWER, REQUEST_MS + 1, true, 1 },
	{ WATCH_IDLE, REQUEST_MS + 1, false, 0 },
	{ WATCH_IDLE, IDLE_MS, false, 0 },
	{ WATCH_IDLE, IDLE_MS + 1, true, 0 },
	{ WATCH_ENDED, IDLE_MS + 1, false, 0 },
};

START_TEST(ends_what_takes_too_long)
{
	int64_t now = watch_now_ms();

	add(0, ages[_i].phase, now - ages[_i].age_ms);
	watchdog_tick(&dog, now);
	ck_assert_int_eq(is_ended(0), ages[_i].ends);
	ck_assert_uint_eq(atomic_load(&dog.counts.deadline), ages[_i].counted);
	watchdog_tick(&dog, now + IDLE_MS);
	watchdog_tick(&dog, now + 2 * IDLE_MS);
	ck_assert_uint_le(atomic_load(&dog.counts.deadline), 1);
	ck_assert_uint_eq(atomic_load(&dog.counts.limit), 0);
	take_away(0);
}
END_TEST

/* How long ago the phase began that is entered now from another, 5 s old. */
static const struct {
	enum watch_phase from, to;
	bool begins_anew;
	enum watch_phase result;
} changes[] = {
	{ WATCH_NEW, WATCH_REQUEST, false, WATCH_REQUEST },
	{ WATCH_NEW, WATCH_IDLE, true, WATCH_IDLE },
	{ WATCH_IDLE, WATCH_REQUEST, true, WATCH_REQUEST },
	{ WATCH_REQUEST, WATCH_ANSWER, true, WATCH_ANSWER },
	{ WATCH_ANSWER, WATCH_IDLE, true, WATCH_IDLE },
	{ WATCH_ENDED, WATCH_IDLE, false, WATCH_ENDED },
	{ WATCH_ENDED, WATCH_REQUEST, false, WATCH_ENDED },
};

START_TEST(counts_the_first_request_from_the_opening)
{
	int64_t before = watch_now_ms() - 5000, phase;

	add(0, changes[_i].from, before);
	watch_enter(&connections[0], changes[_i].to);
	phase = atomic_load(&connections[0].phase);
	ck_assert_int_eq(phase % 8, changes[_i].result);
	if (changes[_i].begins_anew)
		ck_assert_int_ge(phase / 8, before + 5000);
	else
		ck_assert_int_eq(phase / 8, before);
	take_away(0);
}
END_TEST

/* At the limit room is made for one in sixteen, the oldest idle first; one below it, for none. */
START_TEST(ends_the_oldest_idle_at_the_limit)
{
	enum { MOST_ENDED = LIMIT / 16 + 1 };
	int64_t now = watch_now_ms();

	for (int i = 0; i < LIMIT - 1; i++)
		add(i, i % 2 == 0 ? WATCH_IDLE : WATCH_REQUEST, now - 1000 + i);
	watchdog_tick(&dog, now);
	for (int i = 0; i < LIMIT - 1; i++)
		ck_assert(!is_ended(i));
	add(LIMIT - 1, WATCH_NEW, now);
	watchdog_tick(&dog, now);
	for (int i = 0; i < LIMIT; i++)
		ck_assert_int_eq(is_ended(i), i % 2 == 0 && i / 2 < MOST_ENDED);
	ck_assert_uint_eq(atomic_load(&dog.counts.limit), MOST_ENDED);
	ck_assert_uint_eq(atomic_load(&dog.counts.deadline), 0);
	for (int i = 0; i < LIMIT; i++)
		take_away(i);
}
END_TEST

START_TEST(ends_nobody_at_work_at_the_limit)
{
	int64_t now = watch_now_ms();

	for (int i = 0; i < LIMIT + 1; i++)
		add(i, i % 3 == 0 ? WATCH_NEW : i % 3 == 1 ? WATCH_REQUEST : WATCH_ANSWER, now);
	watchdog_tick(&dog, now);
	for (int i = 0; i < LIMIT + 1; i++)
		ck_assert(!is_ended(i));
	for (int i = 0; i < LIMIT + 1; i++)
		take_away(i);
}
END_TEST

/* What was taken away is not looked at, wherever it stood. */
START_TEST(forgets_what_was_removed)
{
	int64_t now = watch_now_ms();

	for (int i = 0; i < 5; i++)
		add(i, WATCH_REQUEST, now - REQUEST_MS - 1);
	watch_remove(&list, &connections[4]);
	watch_remove(&list, &connections[2]);
	watch_remove(&list, &connections[0]);
	ck_assert_uint_eq(watch_list_count(&list), 2);
	watchdog_tick(&dog, now);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(is_ended(i), i % 2 == 1);
	watch_remove(&list, &connections[1]);
	watch_remove(&list, &connections[3]);
	ck_assert_uint_eq(watch_list_count(&list), 0);
	ck_assert_ptr_null(list.first);
	for (int i = 0; i < 5; i++) {
		close(connections[i].fd);
		close(peers[i]);
	}
}
END_TEST

/* The oldest connection whose handshake may be under way; without one, now. */
START_TEST(tells_how_old_the_oldest_new_one_is)
{
	int64_t now = watch_now_ms();

	watchdog_tick(&dog, now);
	ck_assert_int_eq(told_ms, now);
	add(0, WATCH_REQUEST, now - 900);
	add(1, WATCH_NEW, now - 500);
	add(2, WATCH_NEW, now - 700);
	add(3, WATCH_IDLE, now - 800);
	watchdog_tick(&dog, now);
	ck_assert_int_eq(told_ms, now - 700);
	add(4, WATCH_ENDED, now - 750);
	watchdog_tick(&dog, now);
	ck_assert_int_eq(told_ms, now - 750);
	for (int i = 0; i < 5; i++)
		take_away(i);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("watchdog");
	TCase *tests = tcase_create("watchdog");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, ends_what_takes_too_long, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_loop_test(tests, counts_the_first_request_from_the_opening, 0,
	    sizeof(changes) / sizeof(changes[0]));
	tcase_add_test(tests, ends_the_oldest_idle_at_the_limit);
	tcase_add_test(tests, ends_nobody_at_work_at_the_limit);
	tcase_add_test(tests, forgets_what_was_removed);
	tcase_add_test(tests, tells_how_old_the_oldest_new_one_is);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
