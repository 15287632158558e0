#include "config/keys.h"

static const char *const regions[] = { "us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1",
	NULL };
static const char *const cross_sites[] = { "refuse", "allow", NULL };
static const char *const bindings[] = { "off", "report", "enforce", NULL };
static const char *const admin_walls[] = { "forward", "page", NULL };
static const char *const levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const formats[] = { "json", "text", NULL };
static const char *const switches[] = { "false", "true", NULL };

#define ORIGIN_ADVICE(example) "use an origin such as " example ", without a path"
#define SITE_ADVICE            ORIGIN_ADVICE("https://app.example.com or https://*.example.com")
#define ADDRESS_ADVICE         "use a numeric address such as :: or 127.0.0.1, without a port"
#define URL_ADVICE             "use a URL such as https://app.example.com/calendar/connected"
#define GUID_ADVICE                                                                                \
	"use the Application (client) ID from the app's Overview page, such as "                   \
	"11111111-2222-3333-4444-555555555555"
#define SCOPES_ADVICE                                                                              \
	"use offline_access, openid, email, https://graph.microsoft.com/Calendars.Read, and what " \
	"else the app needs"

#define KEY(key_name, key_type, member, key_fallback)                                              \
	.name = (key_name), .type = KEY_##key_type, .offset = offsetof(struct config, member),     \
	.fallback = key_fallback
#define TEXT(name, member, fallback, by) KEY(name, TEXT, member, fallback), .judge = judge_##by
#define LIST(name, member, fallback, by) KEY(name, LIST, member, fallback), .judge = judge_##by
#define NUMBER(name, member, fallback, least, most)                                                \
	KEY(name, NUMBER, member, fallback), .min = (least), .max = (most)
#define CHOICE(name, member, fallback, words) KEY(name, CHOICE, member, fallback), .choices = words

const struct config_key config_keys[] = {
	{ TEXT("public_url", public_url, NULL, public_url),
	    .advice =
		"use the origin that users see, such as https://oauth.example.com, without a path",
	    .meaning = "The origin, without a path, under which users reach this server, such "
		       "as `https://oauth.example.com` (http for localhost only). The redirect "
		       "URI is made from it, never from `Host`." },
	{ TEXT("listen.address", listen_address, "::", address), .advice = ADDRESS_ADVICE,
	    .meaning = "The numeric address of the public listener. `::` accepts IPv4 too." },
	{ NUMBER("listen.port", listen_port, "8080", 0, 65535),
	    .meaning = "The port of the public listener. 0 takes a free port and logs it. "
		       "`PORT` in the environment stands in where nothing else sets it." },
	{ TEXT("admin.address", admin_address, "127.0.0.1", address), .advice = ADDRESS_ADVICE,
	    .meaning = "The numeric address of the listener for metrics and health." },
	{ NUMBER("admin.port", admin_port, "9464", 0, 65535),
	    .meaning = "The port of the listener for metrics and health. 0 turns it off." },
	{ CHOICE("recall.region", recall_region, "us-east-1", regions),
	    .meaning = "The Recall region that answers go to: `us-east-1`, `us-west-2`, "
		       "`eu-central-1` or `ap-northeast-1`." },
	{ TEXT("recall.base_url", recall_base_url, NULL, origin), .derived = "from the region",
	    .advice = ORIGIN_ADVICE("https://us-east-1.recall.ai"),
	    .meaning = "An origin in place of the region's, for a new region or a stand-in." },
	{ TEXT("microsoft.client_id", registered[MICROSOFT].client_id, NULL, guid),
	    .advice = GUID_ADVICE,
	    .meaning = "The Application (client) ID of the app, as in the Recall dashboard." },
	{ LIST("microsoft.association_ids", microsoft_association_ids, NULL, guid),
	    .derived = "the client id", .advice = GUID_ADVICE,
	    .meaning = "List: the application IDs in the domain-verification file." },
	{ TEXT("microsoft.tenant", microsoft_tenant, "common", tenant),
	    .advice = "use common, organizations, consumers, a tenant's GUID or its domain",
	    .meaning =
		"Who signs in: `common`, `organizations`, `consumers`, a GUID or a domain." },
	{ TEXT("microsoft.authority", microsoft_authority, "https://login.microsoftonline.com",
	      origin),
	    .advice = ORIGIN_ADVICE("https://login.microsoftonline.us"),
	    .meaning = "The origin of Microsoft's sign-in page, for national clouds." },
	{ LIST("microsoft.scopes", registered[MICROSOFT].scopes,
	      "offline_access,openid,email,https://graph.microsoft.com/Calendars.Read", scope),
	    .advice = SCOPES_ADVICE,
	    .meaning = "List: the permissions to ask for. It must include these four." },
	{ TEXT("google.client_id", registered[GOOGLE].client_id, NULL, google_id),
	    .advice = "use the Client ID of the OAuth client in the Google Cloud console, such as "
		      "123456789012-abc.apps.googleusercontent.com",
	    .meaning = "The Client ID of the Google app, the same as in the Recall dashboard." },
	{ LIST("google.scopes", registered[GOOGLE].scopes,
	      "https://www.googleapis.com/auth/calendar.events.readonly,"
	      "https://www.googleapis.com/auth/userinfo.email",
	      scope),
	    .advice = "use https://www.googleapis.com/auth/calendar.events.readonly, "
		      "https://www.googleapis.com/auth/userinfo.email, and what else the app needs",
	    .meaning = "List: the permissions to ask for. It must include these two." },
	{ TEXT("connect.success_url", connect_success_url, NULL, return_url), .advice = URL_ADVICE,
	    .meaning = "Where Recall sends users after success, unless `/connect` got a URL." },
	{ TEXT("connect.error_url", connect_error_url, NULL, return_url), .advice = URL_ADVICE,
	    .meaning = "The same after a failure. Without it, users end on a page of Recall's." },
	{ LIST("connect.return_origins", connect_return_origins, NULL, pattern),
	    .advice = SITE_ADVICE,
	    .meaning = "List: further origins that `success_url` and `error_url` may have, "
		       "besides those of `public_url` and of the two defaults. "
		       "`https://*.example.com` allows one label in place of the star." },
	{ LIST("connect.start_origins", connect_start_origins, NULL, pattern),
	    .advice = SITE_ADVICE,
	    .meaning = "List: origins of other sites whose pages may start `/connect`." },
	{ CHOICE("connect.cross_site", connect_cross_site, "refuse", cross_sites),
	    .meaning = "A start from a site that is not listed: `refuse` it or `allow` it." },
	{ CHOICE("callback.browser_binding", callback_browser_binding, "report", bindings),
	    .meaning = "Whether an answer must come to the browser that started the flow: "
		       "`off`, `report` (log and count others) or `enforce` (refuse them)." },
	{ CHOICE("callback.admin_wall", callback_admin_wall, "forward", admin_walls),
	    .meaning = "What to do with an answer that says that an administrator has to approve "
		       "the app: `forward` it, or show a `page` that helps." },
	{ TEXT("app.name", app_name, NULL, app_name), .derived = "the host of app.url",
	    .advice = "use the name of your app",
	    .meaning = "How pages call your app, in at most 64 characters." },
	{ TEXT("app.url", app_url, NULL, return_url),
	    .derived = "the origin of connect.success_url",
	    .advice = "use the address of your app, such as https://app.example.com",
	    .meaning = "Where pages lead back to." },
	{ NUMBER("reload.poll_seconds", reload_poll_seconds, "10", 0, 3600),
	    .meaning = "How often to look whether the configuration file or a PEM file has "
		       "changed, to load it once it stays the same. 0: only SIGHUP reloads." },
	{ TEXT("tls.certificate", tls_certificate, NULL, path),
	    .advice = "use the path of a PEM file with the certificate and its chain",
	    .meaning = "The path of a PEM file with the certificate and its chain. With "
		       "`tls.private_key`, the public listener speaks TLS 1.2 and 1.3 only." },
	{ TEXT("tls.private_key", tls_private_key, NULL, path),
	    .advice = "use the path of a PEM file with the private key",
	    .meaning = "The path of a PEM file with the private key." },
	{ NUMBER("tls.hsts_seconds", tls_hsts_seconds, "0", 0, 63072000),
	    .meaning = "The `max-age` of `Strict-Transport-Security`. 0 sends no such header." },
	{ LIST("trusted_proxies", trusted_proxies, NULL, network),
	    .advice = "use networks such as 10.0.0.0/8 or fd00::/8, without a port",
	    .meaning =
		"List: the networks whose `X-Forwarded-For` names the client in the log, and "
		"whose `X-Request-Id` is the request's id." },
	{ NUMBER("limits.query_bytes", limits_query_bytes, "8192", 1024, 65536),
	    .meaning = "The longest query, 1024 to 65536. A longer one gets 414. The whole head, "
		       "cookies included, may have twice as many bytes and 8 KiB, at least 24 KiB; "
		       "a larger one gets 431." },
	{ NUMBER("limits.connections", limits_connections, "4096", 1, 1000000),
	    .meaning = "How many connections may be open. One in sixteen is kept free by closing "
		       "the oldest idle ones, then requests over a second old. Lowered, with a "
		       "warning, where the limit of open files is too low." },
	{ NUMBER("limits.connections_per_ip", limits_connections_per_ip, "0", 0, 1000000),
	    .meaning = "How many connections one address may have. 0 means no limit, which is "
		       "right where all come through a proxy." },
	{ NUMBER("limits.request_seconds", limits_request_seconds, "10", 1, 300),
	    .meaning = "How long a request may take to arrive, in all. On a kept connection "
		       "this begins with the request line." },
	{ NUMBER("limits.idle_seconds", limits_idle_seconds, "75", 1, 3600),
	    .meaning =
		"How long a connection waits for a request. Keep it above your balancer's. Over "
		"TLS at most 15, unless `trusted_proxies` is set." },
	{ NUMBER("shutdown.delay_seconds", shutdown_delay_seconds, "0", 0, 300),
	    .meaning = "How long `/readyz` fails before the server stops listening." },
	{ NUMBER("shutdown.timeout_seconds", shutdown_timeout_seconds, "8", 1, 300),
	    .meaning = "How long requests under way may take to end." },
	{ CHOICE("log.level", log_level, "info", levels),
	    .meaning = "The least level that is logged: `debug` (health checks and scrapes "
		       "too), `info`, `warning` or `error`." },
	{ CHOICE("log.format", log_format, "json", formats),
	    .meaning = "How a line is written: `json` or `text`." },
	{ KEY("log.access", SWITCH, log_access, "true"), .choices = switches,
	    .advice = "use true or false", .meaning = "Whether each request is logged." },
	{ NUMBER("threads", threads, NULL, 1, CONFIG_MAX_THREADS),
	    .derived = "processors, at most 4",
	    .meaning = "How many event loops serve the public listener." },
};

const size_t config_n_keys = sizeof(config_keys) / sizeof(config_keys[0]);
_Static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= KEYS_MAX, "raise KEYS_MAX");
