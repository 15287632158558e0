#include "observe/recent.h"

#include "flow/csrf.h"

enum { HOUR_MS = 60 * 60 * 1000 };

static bool
is_start(const struct request *request)
{
	return request->route == ROUTE_CONNECT || request->route == ROUTE_CONNECT_ADMIN;
}

static bool
is_failure(const struct request *request, const struct response *response)
{
	const struct outcome *outcome = &response->outcome;

	if (request->route == ROUTE_CALLBACK)
		return response->status != 302 || strcmp(outcome->name, "code") != 0 ||
		       outcome->hint != NULL;
	return (request->route == ROUTE_ADMIN_CALLBACK && !outcome->is_granted) ||
	       (is_start(request) && response->status >= 400);
}

void
recent_note(struct recent *recent, const struct request *request, const struct response *response)
{
	struct failures *failures = is_start(request) ? &recent->starts : &recent->callbacks;
	struct failure *failure;

	if (!is_failure(request, response))
		return;
	pthread_mutex_lock(&recent->mutex);
	failure = &failures->items[failures->n++ % RECENT_FAILURES];
	*failure = (struct failure){
		.time = request->now,
		.provider = request->provider,
		.status = response->status,
		.from = is_start(request) ? csrf_site(request) : response->binding,
		.problem = response->problem,
		.outcome = response->outcome,
	};
	memcpy(failure->id, request->id, strlen(request->id) + 1);
	pthread_mutex_unlock(&recent->mutex);
}

static struct answers
difference(const struct answers *a, const struct answers *b)
{
	struct answers rest;

	for (size_t p = 0; p < N_PROVIDERS; p++)
		for (size_t o = 0; o < METRICS_OUTCOMES; o++)
			rest.n[p][o] = a->n[p][o] > b->n[p][o] ? a->n[p][o] - b->n[p][o] : 0;
	return rest;
}

void
recent_begin_hour(struct recent *recent, const struct metrics *total, int64_t now_ms)
{
	size_t hour = (size_t)((now_ms - recent->start_ms) / HOUR_MS);

	pthread_mutex_lock(&recent->mutex);
	while (recent->hour < hour) /* more than one, where the machine has slept */
		recent->before[++recent->hour % RECENT_HOURS] = total->answers;
	pthread_mutex_unlock(&recent->mutex);
}

void
recent_read(struct recent *recent, const struct metrics *total, struct past *ret_past)
{
	struct answers until = total->answers;

	pthread_mutex_lock(&recent->mutex);
	ret_past->callbacks = recent->callbacks;
	ret_past->starts = recent->starts;
	ret_past->all = difference(&until, &recent->before[(recent->hour + 1) % RECENT_HOURS]);
	for (size_t h = 0; h < RECENT_HOURS; h++) {
		const struct answers *before =
		    &recent->before[(recent->hour + RECENT_HOURS - h) % RECENT_HOURS];

		ret_past->hours[h] = difference(&until, before);
		until = *before;
	}
	pthread_mutex_unlock(&recent->mutex);
}
