/*
 * Counts, and writes what was counted. The names and label values are closed sets, each of them
 * present from the start, so that rates are right from the first event.
 */
#include "observe/metrics.h"

#include <inttypes.h>

static const char *const methods[METRICS_METHODS] = { "GET", "HEAD", "POST", "other" };
const char *const metrics_outcomes[METRICS_OUTCOMES] = { "code", "error", "admin_wall",
	"admin_consent", "empty", "ambiguous" };
static const char *const errors[METRICS_ERRORS] = { "access_denied", "admin_policy_enforced",
	"consent_required", "deleted_client", "disallowed_useragent", "interaction_required",
	"invalid_client", "invalid_request", "invalid_resource", "invalid_scope", "login_required",
	"org_internal", "redirect_uri_mismatch", "server_error", "temporarily_unavailable",
	"unauthorized_client", "unsupported_response_type", "other" };
static const char *const connects[METRICS_CONNECTS] = { "redirect", "json", "refused",
	"unconfigured", "invalid" };
static const int connect_statuses[METRICS_CONNECTS - 1] = { 302, 200, 403, 501 };
static const char *const bindings[METRICS_BINDINGS] = { "match", "missing", "mismatch" };

/* Upper bounds in microseconds; the last bucket has none. */
static const uint64_t bounds_us[METRICS_BUCKETS - 1] = { 10, 25, 50, 100, 250, 500, 1000, 2500,
	5000, 10000, 50000, 100000, 500000, 1000000, 5000000 };

/* One writer a counter, so that no locked instruction is needed. */
static void
add(counter *c, uint64_t n)
{
	atomic_store_explicit(
	    c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Count the word, where there is one, in the counter that has its place. */
static void
count_word(counter *counters, const char *const *words, size_t n, const char *word)
{
	if (word != NULL && word[0] != '\0')
		add(&counters[text_find_word(words, n - 1, span_of(word))], 1);
}

void
metrics_count(struct metrics *metrics, const struct request *request,
    const struct response *response, uint64_t duration_us)
{
	const struct outcome *outcome = &response->outcome;
	size_t bucket = 0, p = request->provider != NULL ? request->provider->id : 0;
	size_t method = text_find_word(methods, METRICS_METHODS - 1, request->method);

	while (bucket < METRICS_BUCKETS - 1 && duration_us > bounds_us[bucket])
		bucket++;
	add(&metrics->requests[request->route][method][http_status_index(response->status)], 1);
	add(&metrics->durations[bucket], 1);
	add(&metrics->duration_us, duration_us);
	if (request->route == ROUTE_CALLBACK) {
		count_word(
		    metrics->answers.n[p], metrics_outcomes, METRICS_OUTCOMES, outcome->name);
		count_word(metrics->errors[p], errors, METRICS_ERRORS, outcome->error);
		count_word(metrics->bindings[p], bindings, METRICS_BINDINGS, response->binding);
	}
	if (request->route == ROUTE_CONNECT) {
		size_t r = 0;

		while (r < METRICS_CONNECTS - 1 && connect_statuses[r] != response->status)
			r++;
		add(&metrics->connects[p][response->status == 303 ? 0 : r], 1);
	}
}

void
metrics_add(const struct metrics *one, struct metrics *total)
{
	const counter *from = (const counter *)(const void *)one;
	counter *to = (counter *)(void *)total;

	for (size_t i = 0; i < sizeof(*total) / sizeof(counter); i++)
		add(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

static void
put_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* counters: n_values of each provider. */
static void
put_labelled(struct buf *out, const char *name, const char *label, const char *help,
    const char *const *values, size_t n_values, const counter *counters)
{
	put_head(out, name, "counter", help);
	for (size_t i = 0; i < N_PROVIDERS * n_values; i++)
		buf_printf(out, "%s{provider=\"%s\",%s=\"%s\"} %" PRIu64 "\n", name,
		    providers[i / n_values].name, label, values[i % n_values], counters[i]);
}

static void
put_durations(struct buf *out, const struct metrics *total)
{
	static const char name[] = "redirectd_http_request_duration_seconds";
	uint64_t count = 0, us = total->duration_us;

	put_head(out, name, "histogram", "From the request line to the answer.");
	for (size_t i = 0; i < METRICS_BUCKETS - 1; i++) {
		count += total->durations[i];
		buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
		    (double)bounds_us[i] / 1e6, count);
	}
	count += total->durations[METRICS_BUCKETS - 1];
	buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
	buf_printf(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64 "\n", name,
	    us / 1000000, us % 1000000, name, count);
}

static void
put_counts(struct buf *out, const struct metrics *total)
{
	put_head(out, "redirectd_http_requests_total", "counter", "Answered requests.");
	for (enum route route = 0; route < N_ROUTES; route++)
		for (size_t m = 0; m < METRICS_METHODS; m++)
			for (size_t s = 0; s < HTTP_N_STATUSES; s++)
				buf_printf(out,
				    "redirectd_http_requests_total{route=\"%s\",method=\"%s\",code=\"%s\"} %" PRIu64
				    "\n",
				    http_route_names[route], methods[m], http_statuses[s].label,
				    total->requests[route][m][s]);
	put_durations(out, total);
	put_labelled(out, "redirectd_callbacks_total", "outcome", "What the provider answered.",
	    metrics_outcomes, METRICS_OUTCOMES, total->answers.n[0]);
	put_labelled(out, "redirectd_callback_errors_total", "error",
	    "The error parameter of the provider's answers.", errors, METRICS_ERRORS,
	    total->errors[0]);
	put_labelled(out, "redirectd_connects_total", "result", "Requests that start the flow.",
	    connects, METRICS_CONNECTS, total->connects[0]);
	put_labelled(out, "redirectd_binding_total", "result",
	    "Whether an answer belonged to the browser that started the flow.", bindings,
	    METRICS_BINDINGS, total->bindings[0]);
}

static void
put_one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	put_head(out, name, type, help);
	buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void
put_rejected(struct buf *out, const struct incidents *incidents)
{
	static const char name[] = "redirectd_connections_rejected_total";

	put_head(out, name, "counter", "Connections ended or refused to protect the others.");
	for (size_t i = 0; i < N_INCIDENTS; i++)
		buf_printf(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name, incident_names[i],
		    incidents->rejected[i]);
}

static void
put_process(struct buf *out, const struct gauges *g)
{
	put_head(out, "process_cpu_seconds_total", "counter", "User and system time.");
	buf_printf(out, "process_cpu_seconds_total %.2f\n", g->cpu_seconds);
	put_head(out, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.");
	buf_printf(out, "process_start_time_seconds %.2f\n", g->start_seconds);
	put_one(out, "process_open_fds", "gauge", "Open file descriptors.", g->open_fds);
	put_one(out, "process_max_fds", "gauge", "Limit of open file descriptors.", g->max_fds);
	put_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", g->virtual_bytes);
	put_one(
	    out, "process_resident_memory_bytes", "gauge", "Resident memory.", g->resident_bytes);
}

static void
put_gauges(struct buf *out, const struct gauges *g)
{
	put_one(out, "redirectd_connections_open", "gauge", "Open public connections.",
	    g->connections_open);
	put_rejected(out, g->incidents);
	put_one(out, "redirectd_log_lines_dropped_total", "counter",
	    "Log lines lost because standard error was too slow.", g->log_lines_dropped);
	put_one(out, "redirectd_config_reload_success", "gauge",
	    "Whether the last reload succeeded; 1 before the first one.", g->reload_success);
	if (g->certificate_expiry > 0)
		put_one(out, "redirectd_tls_certificate_expiry_timestamp_seconds", "gauge",
		    "End of the certificate, in seconds since 1970.",
		    (uint64_t)g->certificate_expiry);
	put_head(out, "redirectd_build_info", "gauge", "Versions.");
	buf_printf(out, "redirectd_build_info{version=\"%s\",libmicrohttpd=\"%s\"} 1\n", g->version,
	    g->libmicrohttpd);
	put_process(out, g);
}

void
metrics_put(struct buf *out, const struct metrics *total, const struct gauges *gauges)
{
	put_counts(out, total);
	put_gauges(out, gauges);
}
