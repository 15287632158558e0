/*
 * Writes pages: constants and what their letters stand for, escaped in one place. Self-contained,
 * without script.
 */
#include "flow/page.h"

#include "flow/oauth.h"

/* CSP_STYLE_HASH is the SHA-256 of STYLE; check_page.c holds them together. */
/* clang-format off */
#define STYLE PAGE_COLORS \
	"body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}" \
	"header,main,footer{max-width:34rem;margin:0 auto;padding:0 1.5rem}header{padding-top:10vh;color:var(--soft);font-weight:600}" \
	"h1{margin:.75rem 0 1rem;padding-top:1rem;border-top:.25rem solid var(--mark);font-size:1.75rem;line-height:1.25;text-wrap:balance}" \
	"p{margin:0 0 1rem}a{color:var(--mark)}code{font-family:ui-monospace,monospace;font-size:.9375em}" \
	".b{display:inline-block;margin:.25rem .75rem .25rem 0;padding:.625rem 1.25rem;border:2px solid var(--mark);border-radius:.5rem;font-weight:600;text-decoration:none}" \
	".b:first-child{background:var(--mark);color:var(--paper)}" \
	".c{display:block;padding:.75rem 1rem;border:1px solid var(--line);border-radius:.5rem;user-select:all}" \
	"footer{margin-top:2.5rem;padding-bottom:3rem;color:var(--soft);font-size:.875rem}" \
	"footer *{margin:0 0 .25rem;font-size:inherit}footer h2{padding-top:1rem;border-top:1px solid var(--line)}"
/* clang-format on */
#define CSP_STYLE_HASH "sha256-i3ibYe9DpqTZi9lnpD5AZtNUGCZDqrZY2oIze7HZ54g="

/* Upper-case letters stand for templates, lower-case ones for values: see struct page. */
#define SKELETON                                                                                   \
	PAGE_HEAD                                                                                  \
	"<title>$T</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<header>$H</header>\n"      \
	"<main>\n<h1>$T</h1>\n$X<p>$A$B</p>\n$M"                                                   \
	"<p>Do you need help? Give this number to support: <code>$i</code></p>\n</main>\n"         \
	"<footer>\n<h2>For support and developers</h2>\n$D</footer>\n</body>\n</html>\n"
#define BACK "<a class=\"b\" href=\"$b\">Back to $a</a>"

static void
put_html(struct buf *out, struct span text)
{
	static const char special[] = "<>&\"'";
	static const char *const names[] = { "&lt;", "&gt;", "&amp;", "&quot;", "&#39;" };

	for (size_t i = 0; i < text.len; i++) {
		const char *found = strchr(special, text.data[i]);

		if (found != NULL)
			buf_puts(out, names[found - special]);
		else
			buf_putc(out, text.data[i]);
	}
}

/* Put the template; a letter after a $ is replaced by what it stands for. */
static void
put(struct buf *out, const char *const values[], const char *template)
{
	bool is_encoded = false;

	for (; *template != '\0'; template += 2) {
		struct span literal = { template, strcspn(template, "$") };
		size_t letter;

		(is_encoded ? url_encode : buf_put)(out, literal);
		template += literal.len;
		if (*template == '\0')
			return;
		letter = (size_t) template[1];
		if (letter == '(' || letter == ')')
			is_encoded = letter == '(';
		else if (letter < 'a')
			put(out, values, values[letter]);
		else
			(is_encoded ? url_encode : put_html)(out, span_of(values[letter]));
	}
}

void
page_show(const struct config *config, const struct request *request, const struct page *page,
    struct response *response)
{
	const struct outcome *outcome = &response->outcome;
	const struct problem *problem = &response->problem;
	bool has_link =
	    config->public_url != NULL && config->registered[MICROSOFT].client_id != NULL;
	BUF(link, OAUTH_REDIRECT_URI_SIZE);
	const char *const values[] = {
		['A'] = has_link ? page->ask : "",
		['B'] = config->app_url != NULL ? BACK : "",
		['D'] = page->details,
		['E'] = outcome->aadsts[0] != '\0' ? ", error <code>AADSTS$e</code>" : "",
		['H'] = config->app_name != NULL ? "$a" : "Calendar connection",
		['M'] = page->more,
		['P'] = problem->parameter != NULL ? "$p " : "",
		['T'] = page->title,
		['X'] = page->text,
		['a'] = config->app_name != NULL ? config->app_name : "the app",
		['b'] = config->app_url,
		['d'] = problem->detail,
		['e'] = outcome->aadsts,
		['i'] = request->id,
		['l'] = link.data,
		['p'] = problem->parameter,
		['r'] = problem->reason,
		['s'] = http_statuses[http_status_index(response->status)].label,
		['t'] = outcome->tenant[0] != '\0' ? outcome->tenant : "none",
	};

	oauth_put_admin_link(&link, config);
	response->content_type = "text/html; charset=utf-8";
	http_add_field(response, "Content-Security-Policy", PAGE_CSP(CSP_STYLE_HASH));
	put(&response->body, values, SKELETON);
}
