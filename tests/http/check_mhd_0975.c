#include "http/screen.h"

#include "support.h"

enum { MAX_LINES = 3 };

/* A header line in the library's buffer: what it shows of it, and what stands in between. */
struct line {
	struct span name;
	struct span middle;
	struct span value;
	struct span end;
};

#define NUL SPAN("\0")
#define EOL SPAN("\0\n")
#define LINE(name, value)                                                                          \
	{                                                                                          \
		SPAN(name), SPAN("\0 "), SPAN(value), EOL                                          \
	}
#define CUT(name, value, end)                                                                      \
	{                                                                                          \
		SPAN(name), SPAN("\0 "), SPAN(value), SPAN(end)                                    \
	}

struct row {
	struct span after_method;
	struct span target;
	struct span after_target;
	struct span after_version;
	struct line lines[MAX_LINES]; /* as many as have a name */
	struct span end;
	size_t target_len; /* 0: as it stands there */
	bool is_whole;
};

#define LINES(is_whole, ...)                                                                       \
	{                                                                                          \
		NUL, SPAN("/path"), NUL, EOL, { __VA_ARGS__ }, EOL, 0, is_whole                    \
	}

static const struct row rows[] = {
	/* Well-formed heads. */
	{ NUL, SPAN("/"), NUL, EOL, { { SPAN(""), SPAN(""), SPAN(""), SPAN("") } }, EOL, 0, true },
	LINES(true, LINE("Host", "a")),
	LINES(true, LINE("Host", "a"), LINE("Accept", "*/*"), LINE("X", "y")),
	LINES(true, LINE("Host", "")),
	LINES(true, { SPAN("Host"), NUL, SPAN("a"), EOL }),
	LINES(true, { SPAN("Host"), SPAN("\0 \t  "), SPAN("a"), EOL }, LINE("X", "y")),
	LINES(true, LINE("Host", "a  \t"), LINE("X", "y ")),
	/* The library decodes the target in its place, which leaves a gap; the old length counts.
	 */
	{ NUL, SPAN("/a b"), SPAN("\0b\0"), EOL, { LINE("Host", "a") }, EOL, 6, true },
	{ NUL, SPAN("/a?"), SPAN("\0=b&c=d\0"), EOL, { LINE("Host", "a") }, EOL, 10, true },

	/* Request lines that have lost something. */
	{ SPAN("\0 "), SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, EOL, 0, false },
	{ SPAN("\0\0"), SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/path"), SPAN("\0 "), EOL, { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/pa"), SPAN("\0th\0"), EOL, { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, EOL, 4, false },
	{ NUL, SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, EOL, 6, false },
	{ NUL, SPAN("/path"), NUL, NUL, { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/path"), NUL, SPAN("\0x\0\n"), { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/path"), NUL, SPAN("\0\n "), { LINE("Host", "a") }, EOL, 0, false },
	{ NUL, SPAN("/path"), NUL, SPAN("\0\n\0 v\0\n"), { LINE("Host", "a") }, EOL, 0, false },

	/* A NUL byte cuts a value. */
	LINES(false, CUT("Host", "a", "\0b\0\n")),
	LINES(false, CUT("Host", "a", "\0b\0\n"), LINE("X", "y")),
	LINES(false, LINE("X", "y"), CUT("Host", "a", "\0\0\n")),

	/* A folded line moves what follows. */
	LINES(false, CUT("Host", "a", "\0\n b"), LINE("X", "y")),
	LINES(false, LINE("Host", "a"), CUT("X", "y", "\0\n z\0\n")),

	/* A bare line feed is one byte short. */
	LINES(false, CUT("Host", "a", "\0")),
	LINES(false, CUT("Host", "a", "\0"), LINE("X", "y")),
	{ NUL, SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, NUL, 0, false },

	/* A line that the library left out: in the middle, at the end, all of them. */
	LINES(false, CUT("Host", "a", "\0\n: lost\0\n"), LINE("X", "y")),
	LINES(false, CUT("Host", "a", "\0\nlost\0 b\0\n")),
	{ NUL, SPAN("/path"), NUL, SPAN("\0\nlost\0 b\0\n"),
	    { { SPAN(""), SPAN(""), SPAN(""), SPAN("") } }, EOL, 0, false },
	{ NUL, SPAN("/path"), NUL, EOL, { LINE("Host", "a") }, SPAN("\0\nGET / HTTP/1.1\r\n"), 0,
	    false },
};

/* A head in memory, as the library would hand it to us. */
struct layout {
	struct buf buf;
	char array[256];
	struct header headers[MAX_LINES];
	struct request request;
	const char *method, *target, *version;
	size_t target_len;
};

static const char *
put_part(struct layout *layout, struct span part, struct span after)
{
	const char *at = layout->buf.data + layout->buf.len;

	buf_put(&layout->buf, part);
	buf_put(&layout->buf, after);
	return at;
}

static void
put_line(struct layout *layout, const struct line *line)
{
	struct header *header = &layout->headers[layout->request.n_headers++];

	header->name = (struct span){ put_part(layout, line->name, line->middle), line->name.len };
	header->value = (struct span){ put_part(layout, line->value, line->end), line->value.len };
}

static void
lay_out(struct layout *layout, const struct row *row)
{
	buf_init(&layout->buf, layout->array, sizeof(layout->array));
	layout->method = put_part(layout, (struct span)SPAN("GET"), row->after_method);
	layout->target = put_part(layout, row->target, row->after_target);
	layout->version = put_part(layout, (struct span)SPAN("HTTP/1.1"), row->after_version);
	layout->target_len = row->target_len > 0 ? row->target_len : row->target.len;
	for (size_t i = 0; i < MAX_LINES && row->lines[i].name.len > 0; i++)
		put_line(layout, &row->lines[i]);
	buf_put(&layout->buf, row->end);
	layout->request.headers = layout->headers;
	ck_assert(buf_ok(&layout->buf));
}

static bool
is_whole(struct layout *layout, size_t bytes)
{
	layout->request.version = span_of(layout->version);
	layout->request.head_bytes = bytes;
	return mhd_0975_is_whole(
	    &layout->request, layout->method, layout->target, layout->target_len);
}

START_TEST(knows_whole_heads)
{
	struct layout layout = { 0 };

	lay_out(&layout, &rows[_i]);
	ck_assert_int_eq(is_whole(&layout, layout.buf.len), rows[_i].is_whole);
	ck_assert(!is_whole(&layout, layout.buf.len + 1) || !rows[_i].is_whole);
	ck_assert(!is_whole(&layout, layout.buf.len - 1) || !rows[_i].is_whole);
}
END_TEST

/* Each header left out in turn, as if the library had dropped its line. */
START_TEST(misses_a_lost_line)
{
	static const struct row row =
	    LINES(true, LINE("Host", "a"), LINE("Accept", "*/*"), LINE("X", "y"));
	struct layout layout = { 0 };

	lay_out(&layout, &row);
	ck_assert(is_whole(&layout, layout.buf.len));
	for (size_t i = (size_t)_i; i + 1 < layout.request.n_headers; i++)
		layout.headers[i] = layout.headers[i + 1];
	layout.request.n_headers--;
	ck_assert(!is_whole(&layout, layout.buf.len));
}
END_TEST

static const struct {
	const char *version;
	bool applies;
} version_rows[] = {
	{ "0.9.75", true },
	{ "0.9.74", true },
	{ "0.9.76", true },
	{ "0.9.73", false },
	{ "0.9.77", false },
	{ "0.9.7", false },
	{ "0.9.750", false },
	{ "1.0.1", false },
	{ "", false },
};

START_TEST(applies_to_versions)
{
	ck_assert_int_eq(mhd_0975_applies(version_rows[_i].version), version_rows[_i].applies);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mhd_0975");
	TCase *tests = tcase_create("mhd_0975");

	tcase_add_loop_test(tests, knows_whole_heads, 0, COUNT(rows));
	tcase_add_loop_test(tests, misses_a_lost_line, 0, MAX_LINES);
	tcase_add_loop_test(tests, applies_to_versions, 0, COUNT(version_rows));
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
