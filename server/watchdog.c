/*
 * Walks over the open connections five times a second. Owns no connection and no descriptor.
 */
#include "watchdog.h"

#include <sys/socket.h>
#include <time.h>

enum { TICK_MS = 200, PHASE_BITS = 3, MOST_IDLE_ENDED_PER_TICK = 64 };

int64_t
watch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
watch_list_init(struct watch_list *list, size_t limit)
{
	pthread_mutex_init(&list->mutex, NULL);
	list->first = NULL;
	list->n_open = 0;
	list->limit = limit;
}

static enum watch_phase
phase_of(int64_t phase)
{
	return (enum watch_phase)(phase & ((1 << PHASE_BITS) - 1));
}

static int64_t
since_of(int64_t phase)
{
	return phase >> PHASE_BITS;
}

static void
set_phase(struct watched *connection, enum watch_phase phase, int64_t since_ms)
{
	atomic_store_explicit(
	    &connection->phase, (since_ms << PHASE_BITS) + (int64_t)phase, memory_order_relaxed);
}

void
watch_enter(struct watched *connection, enum watch_phase phase)
{
	int64_t now = atomic_load_explicit(&connection->phase, memory_order_relaxed);

	if (phase_of(now) == WATCH_NEW && phase == WATCH_REQUEST)
		set_phase(connection, phase, since_of(now));
	else if (phase_of(now) != WATCH_ENDED)
		set_phase(connection, phase, watch_now_ms());
}

void
watch_add(struct watch_list *list, struct watched *connection, int fd)
{
	connection->fd = fd;
	connection->opened_ms = watch_now_ms();
	set_phase(connection, WATCH_NEW, connection->opened_ms);
	pthread_mutex_lock(&list->mutex);
	connection->previous = NULL;
	connection->next = list->first;
	if (list->first != NULL)
		list->first->previous = connection;
	list->first = connection;
	list->n_open++;
	pthread_mutex_unlock(&list->mutex);
}

void
watch_remove(struct watch_list *list, struct watched *connection)
{
	pthread_mutex_lock(&list->mutex);
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		list->first = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	list->n_open--;
	pthread_mutex_unlock(&list->mutex);
}

size_t
watch_list_count(struct watch_list *list)
{
	size_t n;

	pthread_mutex_lock(&list->mutex);
	n = list->n_open;
	pthread_mutex_unlock(&list->mutex);
	return n;
}

static void
end_connection(struct watched *connection, _Atomic uint64_t *counter)
{
	set_phase(connection, WATCH_ENDED, 0);
	shutdown(connection->fd, SHUT_RDWR);
	if (counter != NULL)
		atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void
check_deadline(struct watchdog *dog, struct watched *connection, int64_t now_ms)
{
	int64_t phase = atomic_load_explicit(&connection->phase, memory_order_relaxed);
	int64_t age = now_ms - since_of(phase);

	if (phase_of(phase) == WATCH_ENDED)
		return;
	if (phase_of(phase) == WATCH_IDLE) {
		if (age > dog->idle_ms)
			end_connection(connection, NULL);
	} else if (age > dog->request_ms) {
		end_connection(connection, &dog->counts.deadline);
	}
}

static struct watched *
oldest_idle(const struct watch_list *list)
{
	struct watched *oldest = NULL;
	int64_t oldest_ms = INT64_MAX;

	for (struct watched *c = list->first; c != NULL; c = c->next) {
		int64_t phase = atomic_load_explicit(&c->phase, memory_order_relaxed);

		if (phase_of(phase) != WATCH_IDLE || since_of(phase) >= oldest_ms)
			continue;
		oldest = c;
		oldest_ms = since_of(phase);
	}
	return oldest;
}

/* At the limit nobody new is let in: make room for one in sixteen. */
static void
make_room(struct watchdog *dog, struct watch_list *list)
{
	size_t most = list->limit / 16 + 1;
	struct watched *idle;

	if (list->n_open < list->limit)
		return;
	most = most < MOST_IDLE_ENDED_PER_TICK ? most : MOST_IDLE_ENDED_PER_TICK;
	for (; most > 0 && (idle = oldest_idle(list)) != NULL; most--)
		end_connection(idle, &dog->counts.limit);
}

/* Returns when the oldest connection that is still new was opened. */
static int64_t
check_list(struct watchdog *dog, struct watch_list *list, int64_t now_ms)
{
	int64_t oldest_new_ms = INT64_MAX;

	pthread_mutex_lock(&list->mutex);
	for (struct watched *c = list->first; c != NULL; c = c->next) {
		int64_t phase = atomic_load_explicit(&c->phase, memory_order_relaxed);
		bool may_be_new = phase_of(phase) == WATCH_NEW || phase_of(phase) == WATCH_ENDED;

		if (may_be_new && c->opened_ms < oldest_new_ms)
			oldest_new_ms = c->opened_ms;
		check_deadline(dog, c, now_ms);
	}
	make_room(dog, list);
	pthread_mutex_unlock(&list->mutex);
	return oldest_new_ms;
}

void
watchdog_tick(struct watchdog *dog, int64_t now_ms)
{
	int64_t oldest_new_ms = now_ms;

	for (size_t i = 0; i < dog->n_lists; i++) {
		int64_t oldest = check_list(dog, &dog->lists[i], now_ms);

		oldest_new_ms = oldest < oldest_new_ms ? oldest : oldest_new_ms;
	}
	if (dog->on_tick != NULL)
		dog->on_tick(dog->cls, oldest_new_ms);
}

static void *
run(void *cls)
{
	struct watchdog *dog = cls;
	const struct timespec pause = { .tv_nsec = TICK_MS * 1000000L };

	while (!atomic_load(&dog->stops)) {
		nanosleep(&pause, NULL);
		watchdog_tick(dog, watch_now_ms());
	}
	return NULL;
}

bool
watchdog_start(struct watchdog *dog)
{
	atomic_store(&dog->stops, false);
	return pthread_create(&dog->thread, NULL, run, dog) == 0;
}

void
watchdog_stop(struct watchdog *dog)
{
	atomic_store(&dog->stops, true);
	pthread_join(dog->thread, NULL);
}
