/*
 * Runs screen_head(), or app_find_route(), app_handle() and recent_note(), on a browser's request,
 * again and again, for callgrind to count. No socket, no library in between: what differs from one
 * run to the next is the code.
 *
 *	count_instructions                       what it was built with
 *	count_instructions screen_head FILE N    N calls, with the request that is in FILE
 */
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/app.h"
#include "http/screen.h"
#include "observe/recent.h"

enum { HEAD_SIZE = 8192, ARRAY_SIZE = 32 * 1024 };

#ifdef __clang__
#define COMPILER     "clang"
#define COMPILER_NUM __clang_major__
#else
#define COMPILER     "gcc"
#define COMPILER_NUM __GNUC__
#endif

static struct header headers[HTTP_MAX_HEADERS];

static struct span
take(struct span *rest, char separator)
{
	struct span part = SPAN("");

	span_next(rest, separator, &part);
	return part;
}

static struct request
read_request(struct span text)
{
	struct request request = { .id = "0123456789abcdef", .headers = headers, .body = SPAN("") };
	struct span line = take(&text, '\n');

	request.method = take(&line, ' ');
	request.target = take(&line, ' ');
	while (text.len > 0 && request.n_headers < HTTP_MAX_HEADERS) {
		line = take(&text, '\n');
		headers[request.n_headers].name = take(&line, ':');
		headers[request.n_headers++].value = span_trim(line);
	}
	return request;
}

static bool
run_screen(const struct request *request, int calls)
{
	struct problem problem;
	bool good = true;

	for (int i = 0; i < calls; i++)
		good = screen_head(request, 8192, 24 * 1024, &problem) && good;
	return good;
}

static bool
run_app(struct request *request, int calls)
{
	static char location[ARRAY_SIZE], body[ARRAY_SIZE];
	static struct recent recent = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct config_source source = { .file_text = SPAN(""), .processors = 1 };
	struct findings findings = { 0 };
	struct config *config = config_parse(&source, &findings);
	bool good = config != NULL;

	for (int i = 0; good && i < calls; i++) {
		struct response response = { 0 };

		buf_init(&response.location, location, sizeof(location));
		buf_init(&response.body, body, sizeof(body));
		app_find_route(request);
		app_handle(config, request, &response);
		recent_note(&recent, request, &response);
		good = response.status == 302 && response.location.len > request->target.len;
	}
	findings_free(&findings);
	config_free(config);
	return good;
}

static size_t
read_file(const char *path, char text[HEAD_SIZE])
{
	FILE *file = fopen(path, "r");
	size_t len = 0;

	if (file != NULL) {
		len = fread(text, 1, HEAD_SIZE, file);
		fclose(file);
	}
	return len;
}

int
main(int argc, char **argv)
{
	static char text[HEAD_SIZE];
	struct request request;
	size_t len;
	int calls;
	bool good;

	if (argc != 4) {
		printf("%s %d, glibc %s\n", COMPILER, COMPILER_NUM, gnu_get_libc_version());
		return 0;
	}
	len = read_file(argv[2], text);
	request = read_request((struct span){ text, len });
	http_split_target(&request);
	calls = (int)strtol(argv[3], NULL, 10);
	if (strcmp(argv[1], "screen_head") == 0)
		good = run_screen(&request, calls);
	else
		good = run_app(&request, calls);
	if (!good)
		fprintf(stderr, "%s: the request was refused\n", argv[1]);
	return good ? 0 : 1;
}
