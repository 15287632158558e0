/* http: a request and a response as plain data. Nothing here knows libmicrohttpd. */
#pragma once

#include "base/address.h"
#include "base/buf.h"

enum {
	HTTP_MAX_HEADERS = 128,
	HTTP_MAX_FIELDS = 16,
	HTTP_BODY_MAX_LEN = 16 * 1024, /* of /connect; more is 413 */
	HTTP_ID_SIZE = 65,             /* of a proxy's, at most, with its NUL */
	HTTP_RANDOM_SIZE = 16,
	HTTP_WORD_SIZE = 41,  /* of `error` and `error_subcode`, with its NUL */
	HTTP_MAX_COOKIES = 2, /* one bound, one dropped */
	HTTP_COOKIE_SIZE = 256,
	HTTP_N_STATUSES = 15,
};

struct header {
	struct span name;
	struct span value;
};

/* In the order of http_route_names. */
enum route {
	ROUTE_OTHER,
	ROUTE_CALLBACK,
	ROUTE_CONNECT,
	ROUTE_CONNECT_ADMIN,
	ROUTE_ADMIN_CALLBACK,
	ROUTE_ASSOCIATION,
	ROUTE_HEALTHZ, /* from here on, requests are routine: logged at debug */
	ROUTE_READYZ,
	ROUTE_METRICS,
	ROUTE_OPERATOR_PAGE,
	N_ROUTES,
};

struct endpoint;
struct provider;

/* All pointers are borrowed and live until the response has been queued. */
struct request {
	const char *id; /* in the log line, on pages, and on every answer that is no redirect */
	struct span method;
	struct span target;              /* raw: as the client sent it, nothing decoded */
	struct span path;                /* of the target; see http_split_target() */
	struct span query;               /* of the target, after its first `?` */
	bool has_query;                  /* there is a `?`, even if nothing follows it */
	enum route route;                /* see app_find_route() */
	const struct endpoint *endpoint; /* of flow/app; NULL: there is nothing at this path */
	const struct provider *provider; /* whose flow the path is part of; NULL: nobody's */
	const struct header *headers;
	size_t n_headers;
	struct span version;   /* "HTTP/1.1"; set for screen_head(), as are the next four */
	size_t head_bytes;     /* of the whole head */
	bool too_many_headers; /* more than HTTP_MAX_HEADERS: the first ones are here */
	bool target_too_long;  /* it was longer than what is here */
	bool is_damaged;       /* bytes were lost or moved: NUL, folding, bare line feeds */
	struct span body;
	bool is_admin;      /* came over the admin listener */
	bool is_draining;   /* the server wants no new work */
	bool samples_state; /* look whether state was built elsewhere */
	bool is_stuck;      /* a public event loop makes no progress; asked on the admin listener */
	int64_t now;        /* seconds since 1970 */
	unsigned char random[HTTP_RANDOM_SIZE]; /* of ROUTE_CONNECT_ADMIN only */
};

/* A status that this program gives: as metrics name it, and the title of its page. */
struct http_status {
	int number;
	const char *label;
	const char *title; /* NULL where it is no refusal */
};

/* The last one stands for all others. */
extern const struct http_status http_statuses[HTTP_N_STATUSES];

/* The index of this status in the table. */
size_t http_status_index(int number);

/* Why a request was refused. The texts are constants: nothing of the client's is ever in them. */
struct problem {
	int status;
	const char *reason;    /* for programs and the log: a closed set of snake_case words */
	const char *parameter; /* the one at fault, from a closed set; NULL where none is */
	const char *detail;    /* what is wrong; a sentence, of which parameter is the subject */
	const char *hint;      /* for the operator's log only; NULL: none. May stand alone */
};

/* A response header field; both strings outlive the response. */
struct field {
	const char *name;
	const char *value;
};

/* What a provider answered, for the log; see outcome_read(). The pointers are to constants. */
struct outcome {
	const char *name; /* NULL: this was no callback */
	const char *hint;
	bool hint_takes_link;       /* the hint goes on with the admin-consent link */
	bool is_granted;            /* an administrator approved: one `True`, and no error */
	char error[HTTP_WORD_SIZE]; /* it and the next: a word; empty where there is none */
	char error_subcode[HTTP_WORD_SIZE];
	char aadsts[16];         /* digits; empty where there are none */
	char correlation_id[37]; /* a GUID; empty where there is none */
	char tenant[37];         /* a GUID, where an administrator has answered; empty: none */
	bool is_admin_wall;      /* an administrator has to approve the app first, or may have to */
};

struct response {
	int status;
	struct buf location; /* over the caller's array; sent where it is not empty */
	struct buf body;     /* over the caller's array */
	const char *content_type;
	struct field fields[HTTP_MAX_FIELDS];
	size_t n_fields;
	size_t authorize_url_len; /* of /connect; 0: none was built */
	struct problem problem;   /* reason is NULL where the request was good */
	struct outcome outcome;
	const char *binding;      /* see csrf_check(); NULL where nothing was compared */
	struct span bound_cookie; /* its name, where one matched */
	char cookies[HTTP_MAX_COOKIES][HTTP_COOKIE_SIZE]; /* values of Set-Cookie */
	size_t n_cookies;
};

/* How many header fields have this name, in any case; the first one's value where there is one. */
size_t http_count_header(const struct request *request, const char *name, struct span *ret_first);

/* The value of the first one; an empty span without one. */
struct span http_find_header(const struct request *request, const char *name);

/*
 * The weight that the Accept fields give to exactly this media type, in thousandths; 0 where none
 * names it (RFC 9110 12.5.1). Wildcards name nothing.
 */
unsigned http_accept_weight(const struct request *request, const char *media_type);

/* Whether a Content-Type value is of this media type, whatever its parameters. */
bool http_is_media_type(struct span content_type, const char *media_type);

/* A problem with no parameter and no hint; false, for callers to return. */
bool http_refuse(struct problem *ret_problem, int status, const char *reason, const char *detail);

void http_add_field(struct response *response, const char *name, const char *value);

/*
 * Find path and query of the request's target, as they came. The path ends at the first `?` and has
 * no scheme and authority (RFC 9112 3.2.2).
 */
void http_split_target(struct request *request);

/* As logs and metrics call them. */
extern const char *const http_route_names[N_ROUTES];

/*
 * The client of a request that came from peer: where peer is trusted, the last address in
 * X-Forwarded-For that is not, read from right to left; anything else there ends the reading. A
 * peer without an address (NULL) is a process of this machine, over a Unix socket: it is trusted.
 * False where no address is known.
 */
bool http_forwarded_client(const struct network *trusted, size_t n_trusted,
    const struct request *request, const struct address *peer, struct address *ret_client);

/* Replace the id by that of a peer that is trusted, as above: one X-Request-Id of A-Za-z0-9._-. */
void http_take_forwarded_id(const struct network *trusted, size_t n_trusted,
    const struct request *request, const struct address *peer, char id[HTTP_ID_SIZE]);

enum { PROTOCOL_PEEK_LEN = 16 }; /* bytes that are enough to recognize one */

/*
 * What is wrong with a connection that starts with these bytes, and how to fix it: a sentence. NULL
 * where the bytes are not recognized, or may be HTTP/1 (over TLS: a hello of TLS 1.2 or later).
 */
const char *protocol_hint(struct span first, bool is_tls);
