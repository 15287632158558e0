/*
 * The idle connections are in order of time: what is overdue is at their head. There are many,
 * which are not looked at one by one. Busy ones are, five times a second.
 */
#include "mhd/watchdog.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

enum {
	TICK_MS = 200,
	MOST_ENDED_AT_ONCE = 64,
	YOUNG_MS = 1000,        /* a request or handshake that is not ended for others */
	DRAINING_IDLE_MS = 500, /* long enough for an answer's reader to send the next request */
};

void
watch_list_init(struct watch_list *list, size_t limit)
{
	pthread_mutex_init(&list->mutex, NULL);
	for (int i = 0; i < WATCH_PHASES; i++)
		TAILQ_INIT(&list->queues[i]);
	list->n_open = list->n_ended = 0;
	list->limit = limit;
}

/* Append to the queue of this phase; the time is taken under the mutex, which keeps the order. */
static void
enter(struct watch_list *list, struct watched *connection, enum watch_phase phase)
{
	connection->phase = phase;
	connection->since_ms = clock_now_ms();
	TAILQ_INSERT_TAIL(&list->queues[phase], connection, entry);
}

void
watch_add(struct watch_list *list, struct watched *connection)
{
	pthread_mutex_lock(&list->mutex);
	connection->is_new = true;
	enter(list, connection, WATCH_BUSY);
	list->n_open++;
	pthread_mutex_unlock(&list->mutex);
}

void
watch_remove(struct watch_list *list, struct watched *connection)
{
	pthread_mutex_lock(&list->mutex);
	TAILQ_REMOVE(&list->queues[connection->phase], connection, entry);
	list->n_open--;
	list->n_ended -= connection->phase == WATCH_ENDED;
	pthread_mutex_unlock(&list->mutex);
}

void
watch_enter_phase(struct watch_list *list, struct watched *connection, enum watch_phase phase)
{
	pthread_mutex_lock(&list->mutex);
	connection->is_new = false;
	if (connection->phase != WATCH_ENDED && connection->phase != phase) {
		TAILQ_REMOVE(&list->queues[connection->phase], connection, entry);
		enter(list, connection, phase);
	}
	pthread_mutex_unlock(&list->mutex);
}

size_t
watchdog_count_from(struct watchdog *dog, const struct network *network)
{
	const struct watched *c;
	struct watch_list *list;
	size_t n = 0;

	SLIST_FOREACH(list, &dog->lists, entry) {
		pthread_mutex_lock(&list->mutex);
		for (int i = 0; i < WATCH_PHASES; i++)
			TAILQ_FOREACH(c, &list->queues[i], entry)
				n += c->has_address && network_contains(network, &c->address);
		pthread_mutex_unlock(&list->mutex);
	}
	return n;
}

static void
end_connection(struct watch_list *list, struct watched *connection)
{
	TAILQ_REMOVE(&list->queues[connection->phase], connection, entry);
	TAILQ_INSERT_TAIL(&list->queues[WATCH_ENDED], connection, entry);
	connection->phase = WATCH_ENDED;
	list->n_ended++;
	shutdown(connection->fd, SHUT_RDWR);
}

bool
watch_ask_kernel(const struct watched *connection, struct tcp_info *ret_info)
{
	socklen_t len = sizeof(*ret_info);

	*ret_info = (struct tcp_info){ 0 };
	return getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, ret_info, &len) == 0;
}

/* Whether an answer is on its way to one who has not refused to take more for half a second. */
static bool
is_being_read(const struct watched *connection)
{
	struct tcp_info info;

	return watch_ask_kernel(connection, &info) &&
	       (info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0) && info.tcpi_backoff < 2;
}

/* End the first of a phase that began before then; returns how many. What is read goes last. */
static size_t
end_first(struct watch_list *list, enum watch_phase phase, int64_t before_ms, size_t most)
{
	struct watch_queue *queue = &list->queues[phase];
	struct watched *first;
	size_t n = 0;

	for (; most > 0 && (first = TAILQ_FIRST(queue)) != NULL && first->since_ms < before_ms;
	     most--) {
		TAILQ_REMOVE(queue, first, entry);
		TAILQ_INSERT_TAIL(queue, first, entry);
		if (phase == WATCH_BUSY && is_being_read(first))
			continue;
		end_connection(list, first);
		n++;
	}
	return n;
}

/* What was ended is gone, even if its event loop has not closed it yet. */
void
watchdog_make_room(struct watchdog *dog, struct watch_list *list, int64_t now_ms)
{
	size_t n_taken = list->limit > 1 ? list->limit / 16 + 1 : 0; /* by those to come */
	size_t most, n;

	pthread_mutex_lock(&list->mutex);
	n_taken += list->n_open - list->n_ended;
	most = n_taken > list->limit ? n_taken - list->limit : 0;
	most = most < MOST_ENDED_AT_ONCE ? most : MOST_ENDED_AT_ONCE;
	n = end_first(list, WATCH_IDLE, INT64_MAX, most);
	n += end_first(list, WATCH_BUSY, now_ms - YOUNG_MS, most - n);
	pthread_mutex_unlock(&list->mutex);
	atomic_fetch_add_explicit(&dog->counts.rejected[INCIDENT_LIMIT], n, memory_order_relaxed);
}

/*
 * Whether a client opened a new connection for later, as browsers do: no byte has come, or over TLS
 * none since the handshake.
 */
static bool
is_unused(const struct watch_list *list, const struct watched *connection)
{
	struct tcp_info info;

	return connection->is_new && watch_ask_kernel(connection, &info) &&
	       (info.tcpi_bytes_received == 0 ||
		   (list->is_tls && info.tcpi_last_data_recv >= DRAINING_IDLE_MS));
}

static void
check_list(struct watchdog *dog, struct watch_list *list, int64_t now_ms)
{
	bool is_draining = atomic_load(&dog->is_draining);
	int64_t drained_ms = now_ms - DRAINING_IDLE_MS;
	struct watched *c, *next;

	pthread_mutex_lock(&list->mutex);
	for (c = TAILQ_FIRST(&list->queues[WATCH_BUSY]); c != NULL; c = next) {
		bool is_late = c->since_ms < now_ms - dog->request_ms;

		next = TAILQ_NEXT(c, entry);
		atomic_fetch_add_explicit(
		    &dog->counts.rejected[INCIDENT_DEADLINE], is_late, memory_order_relaxed);
		if (is_late || (is_draining && c->since_ms < drained_ms && is_unused(list, c)))
			end_connection(list, c);
	}
	end_first(list, WATCH_IDLE, is_draining ? drained_ms : now_ms - dog->idle_ms, SIZE_MAX);
	pthread_mutex_unlock(&list->mutex);
	watchdog_make_room(dog, list, now_ms);
}

void
watchdog_tick(struct watchdog *dog, int64_t now_ms)
{
	struct watch_list *list;

	SLIST_FOREACH(list, &dog->lists, entry)
		check_list(dog, list, now_ms);
	dog->on_tick(dog->cls);
	atomic_store(&dog->ticked_ms, now_ms);
}

static void *
run(void *cls)
{
	struct watchdog *dog = cls;
	const struct timespec pause = { .tv_nsec = TICK_MS * 1000000L };

	while (!atomic_load(&dog->stops)) {
		nanosleep(&pause, NULL);
		watchdog_tick(dog, clock_now_ms());
	}
	return NULL;
}

bool
watchdog_start(struct watchdog *dog)
{
	atomic_store(&dog->ticked_ms, clock_now_ms());
	errno = pthread_create(&dog->thread, NULL, run, dog);
	return errno == 0;
}

void
watchdog_stop(struct watchdog *dog)
{
	atomic_store(&dog->stops, true);
	pthread_join(dog->thread, NULL);
}
