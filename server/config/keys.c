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
		"use the origin that users see, such as https://oauth.example.com, without a path" },
	{ TEXT("listen.address", listen_address, "::", address), .advice = ADDRESS_ADVICE },
	{ NUMBER("listen.port", listen_port, "8080", 0, 65535) },
	{ TEXT("admin.address", admin_address, "127.0.0.1", address), .advice = ADDRESS_ADVICE },
	{ NUMBER("admin.port", admin_port, "9464", 0, 65535) },
	{ CHOICE("recall.region", recall_region, "us-east-1", regions) },
	{ TEXT("recall.base_url", recall_base_url, NULL, origin),
	    .advice = ORIGIN_ADVICE("https://us-east-1.recall.ai") },
	{ TEXT("microsoft.client_id", registered[MICROSOFT].client_id, NULL, guid),
	    .advice = GUID_ADVICE },
	{ LIST("microsoft.association_ids", microsoft_association_ids, NULL, guid),
	    .advice = GUID_ADVICE },
	{ TEXT("microsoft.tenant", microsoft_tenant, "common", tenant),
	    .advice = "use common, organizations, consumers, a tenant's GUID or its domain" },
	{ TEXT("microsoft.authority", microsoft_authority, "https://login.microsoftonline.com",
	      origin),
	    .advice = ORIGIN_ADVICE("https://login.microsoftonline.us") },
	{ LIST("microsoft.scopes", registered[MICROSOFT].scopes,
	      "offline_access,openid,email,https://graph.microsoft.com/Calendars.Read", scope),
	    .advice = SCOPES_ADVICE },
	{ TEXT("google.client_id", registered[GOOGLE].client_id, NULL, google_id),
	    .advice = "use the Client ID of the OAuth client in the Google Cloud console, such as "
		      "123456789012-abc.apps.googleusercontent.com" },
	{ LIST("google.scopes", registered[GOOGLE].scopes,
	      "https://www.googleapis.com/auth/calendar.events.readonly,"
	      "https://www.googleapis.com/auth/userinfo.email",
	      scope),
	    .advice =
		"use https://www.googleapis.com/auth/calendar.events.readonly, "
		"https://www.googleapis.com/auth/userinfo.email, and what else the app needs" },
	{ TEXT("connect.success_url", connect_success_url, NULL, return_url),
	    .advice = URL_ADVICE },
	{ TEXT("connect.error_url", connect_error_url, NULL, return_url), .advice = URL_ADVICE },
	{ LIST("connect.return_origins", connect_return_origins, NULL, pattern),
	    .advice = SITE_ADVICE },
	{ LIST("connect.start_origins", connect_start_origins, NULL, pattern),
	    .advice = SITE_ADVICE },
	{ CHOICE("connect.cross_site", connect_cross_site, "refuse", cross_sites) },
	{ CHOICE("callback.browser_binding", callback_browser_binding, "report", bindings) },
	{ CHOICE("callback.admin_wall", callback_admin_wall, "forward", admin_walls) },
	{ TEXT("app.name", app_name, NULL, app_name), .advice = "use the name of your app" },
	{ TEXT("app.url", app_url, NULL, return_url),
	    .advice = "use the address of your app, such as https://app.example.com" },
	{ NUMBER("reload.poll_seconds", reload_poll_seconds, "10", 0, 3600) },
	{ TEXT("tls.certificate", tls_certificate, NULL, path),
	    .advice = "use the path of a PEM file with the certificate and its chain" },
	{ TEXT("tls.private_key", tls_private_key, NULL, path),
	    .advice = "use the path of a PEM file with the private key" },
	{ NUMBER("tls.hsts_seconds", tls_hsts_seconds, "0", 0, 63072000) },
	{ LIST("trusted_proxies", trusted_proxies, NULL, network),
	    .advice = "use networks such as 10.0.0.0/8 or fd00::/8, without a port" },
	{ NUMBER("limits.query_bytes", limits_query_bytes, "8192", 1024, 65536) },
	{ NUMBER("limits.connections", limits_connections, "4096", 1, 1000000) },
	{ NUMBER("limits.connections_per_ip", limits_connections_per_ip, "0", 0, 1000000) },
	{ NUMBER("limits.request_seconds", limits_request_seconds, "10", 1, 300) },
	{ NUMBER("limits.idle_seconds", limits_idle_seconds, "75", 1, 3600) },
	{ NUMBER("shutdown.delay_seconds", shutdown_delay_seconds, "0", 0, 300) },
	{ NUMBER("shutdown.timeout_seconds", shutdown_timeout_seconds, "8", 1, 300) },
	{ CHOICE("log.level", log_level, "info", levels) },
	{ CHOICE("log.format", log_format, "json", formats) },
	{ KEY("log.access", SWITCH, log_access, "true"), .choices = switches,
	    .advice = "use true or false" },
	{ NUMBER("threads", threads, NULL, 1, CONFIG_MAX_THREADS) },
};

const size_t config_n_keys = COUNT(config_keys);
_Static_assert(COUNT(config_keys) <= KEYS_MAX, "raise KEYS_MAX");
