/*
 * Which connections are ended, and when: the time is the test's own.
 */
#include "base/clock.h"
#include "mhd/watchdog.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

enum { N_CONNECTIONS = 100, REQUEST_MS = 10000, IDLE_MS = 75000, LIMIT = 32 };

static struct watched connections[N_CONNECTIONS];
static int peers[N_CONNECTIONS];
static struct watch_list list;
static struct watchdog dog;
static int n_ticks;

static void
count_tick(void *cls)
{
	++*(int *)cls;
}

static void
set_up(void)
{
	n_ticks = 0;
	watch_list_init(&list, LIMIT);
	dog = (struct watchdog){
		.request_ms = REQUEST_MS, .idle_ms = IDLE_MS, .on_tick = count_tick, .cls = &n_ticks
	};
	SLIST_INSERT_HEAD(&dog.lists, &list, entry);
}

enum state { NEW, REQUEST, IDLE };

/* Connection i, opened then and in this state since. Older ones have to be added first. */
static void
add(int i, enum state state, int64_t since_ms)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	connections[i].fd = pair[0];
	watch_add(&list, &connections[i]);
	peers[i] = pair[1];
	if (state != NEW)
		watch_enter_phase(&list, &connections[i], WATCH_BUSY);
	if (state == IDLE)
		watch_enter_phase(&list, &connections[i], WATCH_IDLE);
	connections[i].since_ms = since_ms;
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
	enum state state;
	int64_t age_ms;
	bool ends;
	uint64_t counted;
} ages[] = {
	{ NEW, 0, false, 0 },
	{ NEW, REQUEST_MS, false, 0 },
	{ NEW, REQUEST_MS + 1, true, 1 },
	{ REQUEST, REQUEST_MS, false, 0 },
	{ REQUEST, REQUEST_MS + 1, true, 1 },
	{ IDLE, REQUEST_MS + 1, false, 0 },
	{ IDLE, IDLE_MS, false, 0 },
	{ IDLE, IDLE_MS + 1, true, 0 },
};

START_TEST(ends_what_takes_too_long)
{
	int64_t now = clock_now_ms();

	add(0, ages[_i].state, now - ages[_i].age_ms);
	watchdog_tick(&dog, now);
	ck_assert_int_eq(is_ended(0), ages[_i].ends);
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_DEADLINE]), ages[_i].counted);
	watchdog_tick(&dog, now + IDLE_MS);
	watchdog_tick(&dog, now + 2 * IDLE_MS);
	ck_assert_uint_le(atomic_load(&dog.counts.rejected[INCIDENT_DEADLINE]), 1);
	ck_assert_int_eq(n_ticks, 3);
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_LIMIT]), 0);
	take_away(0);
}
END_TEST

/* The clock of the first request runs from the opening, that of each later one from its line. */
START_TEST(counts_the_first_request_from_the_opening)
{
	int64_t before = clock_now_ms() - 5000;
	struct watched *c = &connections[0];

	add(0, NEW, before);
	ck_assert(c->is_new);
	watch_enter_phase(&list, c, WATCH_BUSY);
	ck_assert(!c->is_new);
	ck_assert_int_eq(c->phase, WATCH_BUSY);
	ck_assert_int_eq(c->since_ms, before);
	watch_enter_phase(&list, c, WATCH_IDLE);
	ck_assert_int_eq(c->phase, WATCH_IDLE);
	ck_assert_int_ge(c->since_ms, before + 5000);
	c->since_ms = before;
	watch_enter_phase(&list, c, WATCH_BUSY);
	ck_assert_int_eq(c->phase, WATCH_BUSY);
	ck_assert_int_ge(c->since_ms, before + 5000);
	take_away(0);
}
END_TEST

START_TEST(lets_nothing_return_that_was_ended)
{
	int64_t now = clock_now_ms();

	add(0, REQUEST, now - REQUEST_MS - 1);
	watchdog_tick(&dog, now);
	watch_enter_phase(&list, &connections[0], WATCH_IDLE);
	ck_assert_int_eq(connections[0].phase, WATCH_ENDED);
	watch_enter_phase(&list, &connections[0], WATCH_BUSY);
	ck_assert_int_eq(connections[0].phase, WATCH_ENDED);
	take_away(0);
}
END_TEST

/* A TCP connection, of which our end is watched. */
static void
add_tcp(int i, int64_t since_ms)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (void *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (void *)&address, &len), 0);
	peers[i] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(peers[i], (void *)&address, sizeof(address)), 0);
	connections[i].fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(connections[i].fd, 0);
	close(listener);
	watch_add(&list, &connections[i]);
	connections[i].since_ms = since_ms;
}

/* A new connection: how old it is, what it sent and when, and whether that ends it. */
static const struct {
	bool is_draining, is_tls, has_sent, was_read, has_begun;
	unsigned silent_ms;
	int64_t age_ms;
	bool ends;
} drained[] = {
	{ true, false, false, false, false, 0, 501, true },
	{ true, true, false, false, false, 0, 501, true },
	{ false, false, false, false, false, 0, 501, false },
	{ true, false, false, false, false, 0, 500, false },
	{ true, false, true, false, false, 0, 501, false },
	{ true, false, true, true, false, 600, 1000, false },
	{ true, true, true, true, false, 0, 1000, false },
	{ true, true, true, true, false, 600, 1000, true },
	{ true, true, true, true, true, 600, 1000, false },
	{ true, false, false, false, true, 0, 501, false },
};

/* Browsers open connections for later; the end does not wait for them. */
START_TEST(ends_unused_connections_while_draining)
{
	int64_t now = clock_now_ms();
	char byte;

	list.is_tls = drained[_i].is_tls;
	atomic_store(&dog.is_draining, drained[_i].is_draining);
	add_tcp(0, now - drained[_i].age_ms);
	if (drained[_i].has_sent)
		ck_assert_int_eq(send(peers[0], "G", 1, 0), 1);
	if (drained[_i].was_read)
		ck_assert_int_eq(recv(connections[0].fd, &byte, 1, 0), 1);
	if (drained[_i].has_begun)
		watch_enter_phase(&list, &connections[0], WATCH_BUSY);
	usleep(drained[_i].silent_ms * 1000);
	watchdog_tick(&dog, now);
	ck_assert_int_eq(is_ended(0), drained[_i].ends);
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_DEADLINE]), 0);
	take_away(0);
}
END_TEST

/* --- at the limit --- */

static void
make_room(int64_t now)
{
	watchdog_make_room(&dog, &list, now);
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_DEADLINE]), 0);
}

/* Of 32 places three are kept free; what is ended is gone, even if its loop has not closed it. */
START_TEST(keeps_one_place_in_sixteen_free)
{
	enum { N = LIMIT - LIMIT / 16 - 1 };
	int64_t now = clock_now_ms();

	for (int i = 0; i < N; i++)
		add(i, i % 2 == 0 ? REQUEST : IDLE, now - 900 + i);
	make_room(now);
	for (int i = 0; i < N; i++)
		ck_assert(!is_ended(i));
	add(N, NEW, now);
	add(N + 1, NEW, now);
	make_room(now);
	make_room(now);
	watchdog_tick(&dog, now);
	for (int i = 0; i < N + 2; i++)
		ck_assert_int_eq(is_ended(i), i == 1 || i == 3);
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_LIMIT]), 2);
	for (int i = 0; i < N + 2; i++)
		take_away(i);
}
END_TEST

static const struct {
	enum state state;
	int64_t age_ms;
	bool ends;
} slow[] = {
	{ NEW, 1000, false },
	{ NEW, 1001, true },
	{ REQUEST, 1000, false },
	{ REQUEST, 1001, true },
	{ IDLE, 0, true },
	{ IDLE, IDLE_MS, true },
};

START_TEST(ends_what_is_slow_at_the_limit)
{
	int64_t now = clock_now_ms();

	list.limit = 2;
	add(0, slow[_i].state, now - slow[_i].age_ms);
	make_room(now);
	ck_assert(!is_ended(0));
	add(1, NEW, now);
	make_room(now);
	ck_assert_int_eq(is_ended(0), slow[_i].ends);
	ck_assert(!is_ended(1));
	ck_assert_uint_eq(atomic_load(&dog.counts.rejected[INCIDENT_LIMIT]), slow[_i].ends);
	take_away(0);
	take_away(1);
}
END_TEST

START_TEST(ends_the_idle_before_the_slow)
{
	int64_t now = clock_now_ms();

	list.limit = 2;
	add(0, REQUEST, now - 5000);
	add(1, IDLE, now);
	make_room(now);
	ck_assert(!is_ended(0) && is_ended(1));
	add(2, NEW, now);
	watchdog_tick(&dog, now);
	ck_assert(is_ended(0) && !is_ended(2));
	for (int i = 0; i < 3; i++)
		take_away(i);
}
END_TEST

START_TEST(ends_so_many_at_once)
{
	enum { AT_ONCE = 64 };
	int64_t now = clock_now_ms();

	list.limit = 2;
	for (int i = 0; i < N_CONNECTIONS; i++)
		add(i, i % 2 == 0 ? REQUEST : IDLE, now - 5000 + i);
	make_room(now);
	ck_assert_uint_eq(list.n_ended, AT_ONCE);
	make_room(now);
	ck_assert_uint_eq(list.n_ended, N_CONNECTIONS - 1);
	for (int i = 0; i < N_CONNECTIONS; i++) {
		ck_assert_int_eq(is_ended(i), i != N_CONNECTIONS - 2);
		take_away(i);
	}
}
END_TEST

/* The only place there is can be kept for as long as nobody else wants it. */
START_TEST(keeps_the_only_place)
{
	int64_t now = clock_now_ms();

	list.limit = 1;
	add(0, IDLE, now);
	make_room(now);
	ck_assert(!is_ended(0));
	add(1, NEW, now);
	make_room(now);
	ck_assert(is_ended(0) && !is_ended(1));
	take_away(0);
	take_away(1);
}
END_TEST

/* Who was idle first, not who came first. */
START_TEST(takes_the_longest_idle_for_the_oldest)
{
	static const int order[] = { 2, 0, 3, 1 };

	list.limit = 4;
	for (int i = 0; i < 4; i++)
		add(i, REQUEST, clock_now_ms());
	for (int i = 0; i < 4; i++)
		watch_enter_phase(&list, &connections[order[i]], WATCH_IDLE);
	for (int i = 0; i < 4; i++) {
		watchdog_tick(&dog, clock_now_ms());
		for (int j = 0; j < 4; j++)
			ck_assert_int_eq(is_ended(order[j]), j <= i);
		add(4 + i, NEW, clock_now_ms());
	}
	for (int i = 0; i < 8; i++)
		take_away(i);
}
END_TEST

/* Fill the buffers between us and the client, as an answer that is not read does. */
static void
write_much(int i)
{
	static const char bytes[64 * 1024];

	while (send(connections[i].fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
}

/* Who takes some of an answer now and then keeps the place until the deadline; who stops does not.
 */
START_TEST(ends_answers_that_nobody_reads)
{
	static char bytes[8 * 1024 * 1024];
	int64_t now = clock_now_ms();

	list.limit = 2;
	for (int i = 0; i < 3; i++)
		add_tcp(i, now - 5000 + i);
	write_much(0);
	write_much(1);
	make_room(now);
	make_room(now);
	ck_assert_int_eq(connections[0].phase, WATCH_BUSY);
	ck_assert_int_eq(connections[1].phase, WATCH_BUSY);
	ck_assert_int_eq(connections[2].phase, WATCH_ENDED);
	usleep(1500 * 1000);
	recv(peers[0], bytes, sizeof(bytes), MSG_DONTWAIT);
	usleep(50 * 1000);
	write_much(0);
	make_room(now);
	ck_assert_int_eq(connections[0].phase, WATCH_BUSY);
	ck_assert_int_eq(connections[1].phase, WATCH_ENDED);
	add(3, NEW, now);
	watchdog_tick(&dog, now + REQUEST_MS - 4999);
	ck_assert_int_eq(connections[0].phase, WATCH_ENDED);
	ck_assert_int_eq(connections[3].phase, WATCH_BUSY);
	for (int i = 0; i < 4; i++)
		take_away(i);
}
END_TEST

/* What was taken away is not looked at, wherever it stood. */
START_TEST(forgets_what_was_removed)
{
	int64_t now = clock_now_ms();

	for (int i = 0; i < 5; i++)
		add(i, REQUEST, now - REQUEST_MS - 1);
	watch_remove(&list, &connections[4]);
	watch_remove(&list, &connections[2]);
	watch_remove(&list, &connections[0]);
	ck_assert_uint_eq(list.n_open, 2);
	watchdog_tick(&dog, now);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(is_ended(i), i % 2 == 1);
	ck_assert_uint_eq(list.n_ended, 2);
	watch_remove(&list, &connections[1]);
	watch_remove(&list, &connections[3]);
	ck_assert_uint_eq(list.n_open, 0);
	ck_assert_uint_eq(list.n_ended, 0);
	for (int i = 0; i < WATCH_PHASES; i++)
		ck_assert(TAILQ_EMPTY(&list.queues[i]));
	for (int i = 0; i < 5; i++) {
		close(connections[i].fd);
		close(peers[i]);
	}
}
END_TEST

static const struct {
	const char *network;
	size_t n;
} networks[] = {
	{ "192.0.2.1", 3 },
	{ "192.0.2.0/24", 4 },
	{ "192.0.2.3", 0 },
	{ "2001:db8::/64", 2 },
	{ "2001:db8:0:1::/64", 1 },
	{ "0.0.0.0/0", 4 },
};

/* In all lists and phases; what has no address is nobody's. */
START_TEST(counts_connections_of_a_network)
{
	static const char *const clients[] = { "192.0.2.1", "2001:db8::1", NULL, "192.0.2.2",
		"192.0.2.1", "2001:db8::ffff:1", "2001:db8:0:1::1", "192.0.2.1" };
	enum { N = sizeof(clients) / sizeof(clients[0]) };
	struct watch_list other;
	struct network network;

	watch_list_init(&other, LIMIT);
	SLIST_INSERT_HEAD(&dog.lists, &other, entry);
	for (int i = 0; i < N; i++) {
		connections[i].has_address = clients[i] != NULL;
		connections[i].address = (struct address){ { 0 } };
		if (clients[i] != NULL)
			ck_assert(address_parse(span_of(clients[i]), &connections[i].address));
		if (i < N - 1)
			add(i, (enum state)(i % 3), clock_now_ms());
		else
			watch_add(&other, &connections[i]);
	}
	ck_assert(network_parse(span_of(networks[_i].network), &network));
	ck_assert_uint_eq(watchdog_count_from(&dog, &network), networks[_i].n);
	for (int i = 0; i < N - 1; i++)
		take_away(i);
	watch_remove(&other, &connections[N - 1]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("watchdog");
	TCase *tests = tcase_create("watchdog");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, ends_what_takes_too_long, 0, sizeof(ages) / sizeof(ages[0]));
	tcase_add_test(tests, counts_the_first_request_from_the_opening);
	tcase_add_test(tests, lets_nothing_return_that_was_ended);
	tcase_add_loop_test(
	    tests, ends_unused_connections_while_draining, 0, sizeof(drained) / sizeof(drained[0]));
	tcase_add_test(tests, keeps_one_place_in_sixteen_free);
	tcase_add_loop_test(
	    tests, ends_what_is_slow_at_the_limit, 0, sizeof(slow) / sizeof(slow[0]));
	tcase_add_test(tests, ends_the_idle_before_the_slow);
	tcase_add_test(tests, ends_so_many_at_once);
	tcase_add_test(tests, keeps_the_only_place);
	tcase_add_test(tests, takes_the_longest_idle_for_the_oldest);
	tcase_add_test(tests, ends_answers_that_nobody_reads);
	tcase_add_test(tests, forgets_what_was_removed);
	tcase_add_loop_test(
	    tests, counts_connections_of_a_network, 0, sizeof(networks) / sizeof(networks[0]));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
