/*
 * http: a request and a response as plain data. Nothing here knows libmicrohttpd.
 */
#ifndef HTTP_H
#define HTTP_H

#include "buf.h"

enum {
	HTTP_MAX_HEADERS = 100,
	HTTP_MAX_FIELDS = 16,
	HTTP_BODY_MAX_LEN = 16 * 1024, /* of /connect; more is 413 */
	HTTP_ID_SIZE = 17,
	HTTP_RANDOM_SIZE = 16,
	HTTP_COOKIES_SIZE = 1024,
};

struct header {
	struct span name;
	struct span value;
};

/* All pointers are borrowed and live until the response has been queued. */
struct request {
	const char *id; /* HTTP_ID_SIZE with its NUL; stands in the log line and on error pages */
	struct span method;
	struct span target; /* raw: as the client sent it, nothing decoded */
	const struct header *headers;
	size_t n_headers;
	struct span body;
	bool is_admin;                          /* came over the admin listener */
	bool is_draining;                       /* the server wants no new work */
	int64_t now;                            /* seconds since 1970 */
	unsigned char random[HTTP_RANDOM_SIZE]; /* only where app_needs_random() says so */
};

/* The names of the routes as they stand in logs and metrics: route_name(). */
enum route {
	ROUTE_OTHER,
	ROUTE_CALLBACK,
	ROUTE_CONNECT,
	ROUTE_CONNECT_ADMIN,
	ROUTE_ADMIN_CALLBACK,
	ROUTE_ASSOCIATION,
	ROUTE_HEALTHZ,
	ROUTE_READYZ,
	ROUTE_METRICS,
	N_ROUTES,
};

/* Why a request was refused. The texts are constants: nothing of the client's is ever in them. */
struct problem {
	int status;
	const char *reason;    /* for programs and the log: a closed set of snake_case words */
	const char *parameter; /* the one at fault, from a closed set; NULL where none is */
	const char *detail;    /* what is wrong; a sentence, of which parameter is the subject */
	const char *hint;      /* for the operator's log only; may be NULL */
};

/* A response header field; both strings outlive the response. */
struct field {
	const char *name;
	const char *value;
};

/* What Microsoft answered, for the log: see outcome.h. */
struct outcome {
	const char *name; /* NULL: this was no callback */
	const char *error;
	const char *error_subcode;
	const char *hint;
	char aadsts[16];         /* digits; empty where there are none */
	char correlation_id[37]; /* a GUID; empty where there is none */
	char error_word[41];
	char error_subcode_word[41];
};

struct response {
	enum route route;
	int status;
	struct buf location; /* over the caller's array; sent where it is not empty */
	struct buf body;     /* over the caller's array */
	const char *content_type;
	struct field fields[HTTP_MAX_FIELDS];
	size_t n_fields;
	size_t authorize_url_len; /* of /connect; 0: none was built */
	struct problem problem;   /* reason is NULL where the request was good */
	struct outcome outcome;
	const char *binding; /* see csrf_check(); NULL where nothing was compared */
	struct buf
	    cookies; /* Set-Cookie values, each with its NUL; over cookie_array once in use */
	char cookie_array[HTTP_COOKIES_SIZE];
};

/* The value of the first header field of this name, in any case; an empty span without one. */
struct span http_find_header(const struct request *request, struct span name);

/* The same, and whether there is such a field at all. */
bool http_get_header(const struct request *request, struct span name, struct span *ret_value);

/* Whether there is more than one header field of this name, in any case. */
bool http_is_repeated(const struct request *request, struct span name);

/*
 * The weight that the Accept fields give to exactly this media type, in thousandths; 0 where none
 * names it (RFC 9110 12.5.1). Wildcards name nothing.
 */
unsigned http_accept_weight(const struct request *request, struct span media_type);

/* Whether a Content-Type value is of this media type, whatever its parameters. */
bool http_is_media_type(struct span content_type, struct span media_type);

void http_add_field(struct response *response, const char *name, const char *value);

/* The part of the target before the first `?`, without scheme and authority (RFC 9112 3.2.2). */
struct span http_path(struct span target);

/* The target from its first `?` on, that one included; empty without one. */
struct span http_query(struct span target);

const char *http_route_name(enum route route);

#endif
