/*
 * Counts, and writes what was counted. The names and label values are closed sets, each of them
 * there from the start, so that a rate can be told from the first event on.
 */
#include "metrics.h"

static const char *const methods[METRICS_METHODS] = { "GET", "HEAD", "POST", "other" };
static const char *const codes[METRICS_CODES] = { "200", "302", "303", "400", "403", "404", "405",
	"413", "414", "415", "431", "500", "503", "other" };
static const int code_numbers[METRICS_CODES - 1] = { 200, 302, 303, 400, 403, 404, 405, 413, 414,
	415, 431, 500, 503 };
static const char *const outcomes[METRICS_OUTCOMES] = { "code", "error", "admin_consent", "empty",
	"ambiguous" };
static const char *const errors[METRICS_ERRORS] = { "invalid_request", "unauthorized_client",
	"access_denied", "unsupported_response_type", "server_error", "temporarily_unavailable",
	"invalid_resource", "login_required", "interaction_required", "consent_required", "other" };
static const char *const connects[METRICS_CONNECTS] = { "redirect", "json", "invalid", "refused",
	"unconfigured" };
static const char *const bindings[METRICS_BINDINGS] = { "match", "missing", "mismatch" };

/* Upper bounds in microseconds; the last bucket has none. */
static const uint64_t bounds_us[METRICS_BUCKETS - 1] = { 10, 25, 50, 100, 250, 500, 1000, 2500,
	5000, 10000, 50000, 100000, 500000, 1000000, 5000000 };
static const char *const bounds[METRICS_BUCKETS] = { "1e-05", "2.5e-05", "5e-05", "0.0001",
	"0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.05", "0.1", "0.5", "1", "5",
	"+Inf" };

/* One writer a counter, so that no locked instruction is needed. */
static void
add(counter *c, uint64_t n)
{
	atomic_store_explicit(
	    c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The index of word among the first n - 1, else the last, which stands for all others. */
static size_t
index_of(const char *const *words, size_t n, const char *word)
{
	size_t i = 0;

	while (i < n - 1 && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static size_t
method_index(struct span method)
{
	size_t i = 0;

	while (i < METRICS_METHODS - 1 && !span_equals(method, span_of(methods[i])))
		i++;
	return i;
}

static size_t
code_index(int status)
{
	size_t i = 0;

	while (i < METRICS_CODES - 1 && code_numbers[i] != status)
		i++;
	return i;
}

static size_t
bucket_index(uint64_t duration_us)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS - 1 && duration_us > bounds_us[i])
		i++;
	return i;
}

static const char *
connect_result(int status)
{
	switch (status) {
	case 302:
	case 303:
		return "redirect";
	case 200:
		return "json";
	case 403:
		return "refused";
	case 503:
		return "unconfigured";
	default:
		return "invalid";
	}
}

static void
count_callback(struct metrics *metrics, const struct response *response)
{
	const struct outcome *outcome = &response->outcome;

	if (outcome->name != NULL)
		add(&metrics->outcomes[index_of(outcomes, METRICS_OUTCOMES, outcome->name)], 1);
	if (outcome->error != NULL)
		add(&metrics->errors[index_of(errors, METRICS_ERRORS, outcome->error)], 1);
	if (response->binding != NULL)
		add(&metrics->bindings[index_of(bindings, METRICS_BINDINGS, response->binding)], 1);
}

void
metrics_count(struct metrics *metrics, const struct request *request,
    const struct response *response, uint64_t duration_us)
{
	add(&metrics->requests[response->route][method_index(request->method)]
			      [code_index(response->status)],
	    1);
	add(&metrics->durations[bucket_index(duration_us)], 1);
	add(&metrics->duration_us, duration_us);
	if (response->route == ROUTE_CALLBACK)
		count_callback(metrics, response);
	if (response->route == ROUTE_CONNECT)
		add(&metrics->connects[index_of(
			connects, METRICS_CONNECTS, connect_result(response->status))],
		    1);
}

/* --- text --- */

struct writer {
	struct buf *out;
	const struct metrics *const *all;
	size_t n;
};

/* The sum over all loops of the counter that stands at this offset in struct metrics. */
static uint64_t
sum(const struct writer *w, size_t offset)
{
	uint64_t total = 0;

	for (size_t i = 0; i < w->n; i++)
		total += atomic_load_explicit(
		    (const counter *)(const void *)((const char *)w->all[i] + offset),
		    memory_order_relaxed);
	return total;
}

static void
put_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_labelled(const struct writer *w, const char *name, const char *label, const char *help,
    const char *const *values, size_t n_values, size_t offset)
{
	put_head(w->out, name, "counter", help);
	for (size_t i = 0; i < n_values; i++)
		buf_printf(w->out, "%s{%s=\"%s\"} %lu\n", name, label, values[i],
		    sum(w, offset + i * sizeof(counter)));
}

static void
put_requests_of_route(const struct writer *w, enum route route)
{
	for (size_t m = 0; m < METRICS_METHODS; m++)
		for (size_t c = 0; c < METRICS_CODES; c++)
			buf_printf(w->out,
			    "redirectd_http_requests_total{route=\"%s\",method=\"%s\",code=\"%s\"} %lu\n",
			    http_route_name(route), methods[m], codes[c],
			    sum(w, offsetof(struct metrics, requests[route][m][c])));
}

static void
put_durations(const struct writer *w)
{
	static const char name[] = "redirectd_http_request_duration_seconds";
	uint64_t count = 0, us = sum(w, offsetof(struct metrics, duration_us));

	put_head(w->out, name, "histogram", "From the request line to the queued answer.");
	for (size_t i = 0; i < METRICS_BUCKETS; i++) {
		count += sum(w, offsetof(struct metrics, durations[i]));
		buf_printf(w->out, "%s_bucket{le=\"%s\"} %lu\n", name, bounds[i], count);
	}
	buf_printf(w->out, "%s_sum %lu.%06lu\n%s_count %lu\n", name, us / 1000000, us % 1000000,
	    name, count);
}

static void
put_counts(const struct writer *w)
{
	put_head(w->out, "redirectd_http_requests_total", "counter", "Answered requests.");
	for (enum route route = 0; route < N_ROUTES; route++)
		put_requests_of_route(w, route);
	put_durations(w);
	put_labelled(w, "redirectd_callbacks_total", "outcome", "What Microsoft answered.",
	    outcomes, METRICS_OUTCOMES, offsetof(struct metrics, outcomes));
	put_labelled(w, "redirectd_callback_errors_total", "error",
	    "The error parameter of Microsoft's answers.", errors, METRICS_ERRORS,
	    offsetof(struct metrics, errors));
	put_labelled(w, "redirectd_connects_total", "result", "Starts of the flow at /connect.",
	    connects, METRICS_CONNECTS, offsetof(struct metrics, connects));
	put_labelled(w, "redirectd_binding_total", "result",
	    "Whether an answer belonged to the browser that started the flow.", bindings,
	    METRICS_BINDINGS, offsetof(struct metrics, bindings));
}

static void
put_one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
	put_head(out, name, type, help);
	buf_printf(out, "%s %lu\n", name, value);
}

static void
put_rejected(struct buf *out, const struct gauges *g)
{
	static const char name[] = "redirectd_connections_rejected_total";

	put_head(out, name, "counter", "Connections ended or refused to protect the others.");
	buf_printf(out, "%s{reason=\"deadline\"} %lu\n", name, g->rejected_deadline);
	buf_printf(out, "%s{reason=\"limit\"} %lu\n", name, g->rejected_limit);
	buf_printf(out, "%s{reason=\"per_ip\"} %lu\n", name, g->rejected_per_ip);
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
	put_rejected(out, g);
	put_one(out, "redirectd_log_lines_dropped_total", "counter",
	    "Log lines lost because standard error was too slow.", g->log_lines_dropped);
	put_one(out, "redirectd_config_reload_success", "gauge",
	    "Whether the last reload was taken; 1 before the first.", g->reload_success);
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
metrics_put(
    struct buf *out, const struct metrics *const *all, size_t n, const struct gauges *gauges)
{
	struct writer w = { out, all, n };

	put_counts(&w);
	put_gauges(out, gauges);
}
