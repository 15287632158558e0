/*
 * Nothing that is put here needs an escape: words of closed sets, ids, digits and origins, as
 * http.h and config.h have them.
 */
#include "observe/operator_page.h"

#include <inttypes.h>
#include <time.h>

#include "flow/oauth.h"
#include "flow/page.h"

/* CSP_STYLE_HASH is the SHA-256 of STYLE; check_operator_page.c holds them together. */
/* clang-format off */
#define STYLE PAGE_COLORS \
	"body{margin:0;background:var(--paper);color:var(--ink);font:.9375rem/1.5 system-ui,sans-serif}main{max-width:75rem;margin:0 auto;padding:1.5rem}" \
	"h1{margin:0 0 1rem;padding-top:1rem;border-top:.25rem solid var(--mark);font-size:1.5rem}h2{margin:2rem 0 .5rem;font-size:1.125rem}" \
	"code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere;user-select:all}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:0}dt,p,th{color:var(--soft)}dd{margin:0}" \
	"section{display:inline-block;vertical-align:top;width:34rem;max-width:100%;margin-right:2.5rem}svg{display:block;border-bottom:1px solid var(--line)}" \
	"section p{display:flex;justify-content:space-between;margin:.25rem 0}span{display:inline-block;margin-right:1rem}i{display:inline-block;width:.75rem;height:.75rem;margin-right:.375rem}" \
	"time{white-space:nowrap}table{width:100%;border-collapse:collapse}th,td{padding:.375rem 1rem .375rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}" \
	".o0{fill:#3b82f6;background:#3b82f6}.o1{fill:#d1435b;background:#d1435b}.o2{fill:#d97706;background:#d97706}.o3{fill:#0f9d8a;background:#0f9d8a}.o4{fill:#8b8f98;background:#8b8f98}" \
	".o5{fill:#a65fd0;background:#a65fd0}@media(max-width:44rem){section{margin:0}dl,.f tr,.f td{display:block}thead{display:none}.f tr{padding:.5rem 0;border-bottom:1px solid var(--line)}" \
	".f td{padding:0;border:0}}"
/* clang-format on */
#define CSP_STYLE_HASH "sha256-zr/45wLlLF97kFvPr4gRpvV/lllX3JNFofJhEZacJk4="

enum { TIME_SIZE = sizeof("2026-11-26 20:41:03 UTC"), PLOT_HEIGHT = 60 };

static const char *
format_time(int64_t seconds, char text[TIME_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm utc;

	strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&time, &utc));
	return seconds != 0 ? text : "none";
}

static void
put_facts(struct buf *out, const struct config *config, const struct gauges *g, const char *link)
{
	const char *url = config->public_url != NULL ? config->public_url : "";
	char start[TIME_SIZE], reload[TIME_SIZE], expiry[TIME_SIZE];

	buf_printf(out,
	    "<dl>\n<dt>Server</dt><dd>recall-redirectd %s, since %s</dd>\n"
	    "<dt>Answers go to</dt><dd>%s</dd>\n<dt>Redirect URIs</dt><dd>",
	    g->version, format_time((int64_t)g->start_seconds, start), config->recall_base_url);
	for (size_t p = 0; p < N_PROVIDERS; p++)
		buf_printf(out, "<code>%s%s</code><br>", url, providers[p].callback_path);
	buf_printf(out,
	    "<code>%s" OAUTH_ADMIN_CALLBACK_PATH "</code></dd>\n"
	    "<dt>Admin-consent link</dt><dd><code>%s</code></dd>\n"
	    "<dt>Last reload</dt><dd>%s%s</dd>\n<dt>Certificate ends</dt><dd>%s</dd>\n"
	    "<dt>Connections</dt><dd>%" PRIu64 " open; rejected since the start:",
	    url, link, format_time(g->reload_seconds, reload),
	    g->reload_success ? "" : ", refused: the log says why",
	    format_time(g->certificate_expiry, expiry), g->connections_open);
	for (size_t i = 0; i < N_INCIDENTS; i++)
		buf_printf(out, "%s %s %" PRIu64, i > 0 ? "," : "", incident_names[i],
		    g->incidents->rejected[i]);
	buf_puts(out, "</dd>\n</dl>\n");
}

static uint64_t
sum(const counter n[METRICS_OUTCOMES])
{
	uint64_t all = 0;

	for (size_t o = 0; o < METRICS_OUTCOMES; o++)
		all += n[o];
	return all;
}

/* A bar for each hour, the present one at the right, and in it a part for each outcome. */
static void
put_plot(struct buf *out, const struct past *past, size_t p)
{
	uint64_t most = 1;

	for (size_t h = 0; h < RECENT_HOURS; h++)
		most = sum(past->hours[h].n[p]) > most ? sum(past->hours[h].n[p]) : most;
	buf_puts(out, "<svg viewBox=\"0 -6 240 66\" role=\"img\" aria-label=\"Answers of each "
		      "hour; the numbers follow in a table\">\n");
	for (size_t h = 0; h < RECENT_HOURS; h++) {
		double top = PLOT_HEIGHT;

		for (size_t o = 0; o < METRICS_OUTCOMES; o++) {
			double part = (double)past->hours[h].n[p][o] / (double)most;
			double height = part > 0 ? 1 + part * (PLOT_HEIGHT - 1) : 0;

			top -= height;
			if (height > 0)
				buf_printf(out,
				    "<rect class=\"o%zu\" x=\"%zu\" y=\"%.1f\" width=\"8\" height=\"%.1f\"/>\n",
				    o, 10 * (RECENT_HOURS - 1 - h) + 1, top, height);
		}
	}
	buf_printf(out,
	    "</svg>\n<p><span>23 hours ago</span><span>at most %" PRIu64
	    " in an hour</span><span>now</span></p>\n",
	    most);
}

/* What the colors stand for; below it, a row for each hour. */
static void
put_numbers(struct buf *out, const struct past *past, size_t p)
{
	buf_puts(out, "<details><summary>Hour by hour: ");
	for (size_t o = 0; o < METRICS_OUTCOMES; o++)
		buf_printf(out, "<span><i class=\"o%zu\"></i>%s %" PRIu64 "</span>\n", o,
		    metrics_outcomes[o], past->all.n[p][o]);
	buf_puts(out, "</summary>\n<table>\n<tr><th>Hours ago</th>");
	for (size_t o = 0; o < METRICS_OUTCOMES; o++)
		buf_printf(out, "<th>%s</th>", metrics_outcomes[o]);
	for (size_t h = 0; h < RECENT_HOURS; h++) {
		buf_printf(out, "</tr>\n<tr><th>%zu</th>", h);
		for (size_t o = 0; o < METRICS_OUTCOMES; o++)
			buf_printf(out, "<td>%" PRIu64 "</td>", past->hours[h].n[p][o]);
	}
	buf_puts(out, "</tr>\n</table></details>\n");
}

static const char *
or_empty(const char *word)
{
	return word != NULL ? word : "";
}

static void
put_failure(struct buf *out, const struct failure *failure, const char *link)
{
	const struct outcome *o = &failure->outcome;
	const struct problem *problem = &failure->problem;
	const char *hint = problem->hint != NULL ? problem->hint : o->hint;
	char time[TIME_SIZE];

	buf_printf(out,
	    "<tr><td><time>%s</time><br><code>%s</code></td><td>%s</td><td>%d %s %s %s %s %s",
	    format_time(failure->time, time), failure->id, failure->provider->title,
	    failure->status, or_empty(problem->reason), or_empty(problem->parameter),
	    or_empty(o->name), o->error, o->error_subcode);
	if (o->aadsts[0] != '\0')
		buf_printf(out, " AADSTS%s", o->aadsts);
	if (o->correlation_id[0] != '\0')
		buf_printf(out, "<br>correlation id <code>%s</code>", o->correlation_id);
	buf_printf(out, "</td><td>%s</td><td>%s", or_empty(failure->from),
	    hint != NULL ? hint : "Look for the id in the log");
	if (o->hint_takes_link && problem->hint == NULL)
		buf_printf(out, ":<br><code>%s</code>", link);
	buf_puts(out, "</td></tr>\n");
}

/* from: what the column says of where the browser came from. */
static void
put_failures(struct buf *out, const char *title, const char *from, const struct failures *failures,
    const char *link)
{
	buf_printf(out,
	    "<h2>%s: %" PRIu64 " since the start</h2>\n<table class=\"f\">\n<thead><tr>"
	    "<th>Time and id</th><th>Provider</th><th>What happened</th><th>%s</th>"
	    "<th>What to do</th></tr></thead>\n<tbody>\n",
	    title, failures->n, from);
	for (uint64_t i = 1; i <= failures->n && i <= RECENT_FAILURES; i++)
		put_failure(out, &failures->items[(failures->n - i) % RECENT_FAILURES], link);
	buf_puts(out, "</tbody></table>\n");
}

void
operator_page_show(const struct config *config, const struct gauges *gauges,
    const struct past *past, struct response *response)
{
	struct buf *out = &response->body;
	BUF(link, OAUTH_REDIRECT_URI_SIZE);
	uint64_t all = 0, good = 0;

	http_add_field(response, "Refresh", "30");
	http_add_field(response, "Content-Security-Policy", PAGE_CSP(CSP_STYLE_HASH));
	oauth_put_admin_link(&link, config);
	for (size_t p = 0; p < N_PROVIDERS; p++) {
		all += sum(past->all.n[p]);
		good += past->all.n[p][0];
	}
	buf_puts(out, PAGE_HEAD "<title>recall-redirectd</title>\n<style>" STYLE "</style>\n"
				"</head>\n<body>\n<main>\n");
	buf_printf(out, "<h1>%" PRIu64 " of %" PRIu64 " answers in 24 hours brought no code</h1>\n",
	    all - good, all);
	put_facts(out, config, gauges, link.data);
	for (size_t p = 0; p < N_PROVIDERS; p++) {
		buf_printf(out, "<section>\n<h2>%s: %" PRIu64 " answers in 24 hours</h2>\n",
		    providers[p].title, sum(past->all.n[p]));
		put_plot(out, past, p);
		put_numbers(out, past, p);
		buf_puts(out, "</section>\n");
	}
	put_failures(out, "Failed answers", "Binding", &past->callbacks, link.data);
	put_failures(out, "Refused starts", "Sec-Fetch-Site", &past->starts, link.data);
	buf_puts(out, "<p>The last 50 of each, newest first. This page knows what this process "
		      "has seen; what was before its start is in the log.</p>\n"
		      "</main>\n</body>\n</html>\n");
}
