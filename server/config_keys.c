/*
 * The configuration keys: their names, defaults, ranges, and what is wrong with a value.
 */
#include "config_keys.h"

#include <arpa/inet.h>

static const char *const regions[] = { "us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1",
	NULL };
static const char *const cross_sites[] = { "refuse", "allow", NULL };
static const char *const bindings[] = { "off", "report", "enforce", NULL };
static const char *const levels[] = { "debug", "info", "warning", "error", NULL };
static const char *const formats[] = { "json", "text", NULL };

/* https://learn.microsoft.com/entra/identity-platform/reply-url: at most 256 characters each. */
enum {
	REDIRECT_URI_MAX_LEN = 256,
	LONGEST_PATH_LEN = sizeof("/api/ms_admin_consent_callback") - 1
};

static const char *
origin_fault(const char *text)
{
	struct url_origin origin;
	enum url_fault fault = url_parse_origin(span_of(text), &origin);

	return fault == URL_GOOD ? NULL : url_fault_text(fault);
}

static const char *
public_url_fault(const char *text)
{
	struct url_origin origin;
	enum url_fault fault = url_parse_origin(span_of(text), &origin);

	if (fault != URL_GOOD)
		return url_fault_text(fault);
	if (strlen(text) + LONGEST_PATH_LEN > REDIRECT_URI_MAX_LEN)
		return "makes a redirect URI of more than Microsoft's 256 characters";
	if (origin.host[0] == '[')
		return "has an IPv6 address as its host, which Microsoft does not take";
	return NULL;
}

/* The same rules as for /connect's parameters of these names. */
static const char *
return_url_fault(const char *text)
{
	struct url_origin origin;
	struct span rest;
	enum url_fault fault = url_parse(span_of(text), &origin, &rest);

	if (strlen(text) > URL_RETURN_MAX_LEN)
		return "is longer than 1024 bytes";
	return fault == URL_GOOD ? NULL : url_fault_text(fault);
}

static bool
is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static const char *
address_fault(const char *text)
{
	return is_address(text) ? NULL : "is not an IP address";
}

static const char *
network_fault(const char *text)
{
	struct network network;
	struct span whole = span_of(text);
	struct span host = { text, span_find(whole, '/') };

	if (network_parse(whole, &network))
		return NULL;
	return network_parse(host, &network) ? "has a prefix length that is out of range"
					     : "is not a network";
}

static const char *
guid_fault(const char *text)
{
	return text_is_guid(span_of(text)) ? NULL : "is not a GUID";
}

static const char *
tenant_fault(const char *text)
{
	static const char *const words[] = { "common", "organizations", "consumers" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return NULL;
	if (text_is_guid(span_of(text)) || text_is_domain(span_of(text)))
		return NULL;
	return "is not a tenant";
}

/* RFC 6749 3.3: scope-token. */
static const char *
scope_fault(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= 0x20 || *text >= 0x7f || *text == '"' || *text == '\\')
			return "has a byte in it that no scope may have";
	return NULL;
}

static const char *
path_fault(const char *text)
{
	(void)text;
	return NULL;
}

#define TEXT(name, member, fallback, fault, right)                                                 \
	{                                                                                          \
		name, KEY_TEXT, offsetof(struct config, member), fallback, 0, 0, NULL, fault,      \
		    right                                                                          \
	}
#define LIST(name, member, fallback, fault, right)                                                 \
	{                                                                                          \
		name, KEY_LIST, offsetof(struct config, member), fallback, 0, 0, NULL, fault,      \
		    right                                                                          \
	}
#define NUMBER(name, member, fallback, min, max)                                                   \
	{                                                                                          \
		name, KEY_NUMBER, offsetof(struct config, member), fallback, min, max, NULL, NULL, \
		    NULL                                                                           \
	}
#define CHOICE(name, member, fallback, choices)                                                    \
	{                                                                                          \
		name, KEY_CHOICE, offsetof(struct config, member), fallback, 0, 0, choices, NULL,  \
		    NULL                                                                           \
	}
#define SWITCH(name, member, fallback)                                                             \
	{                                                                                          \
		name, KEY_SWITCH, offsetof(struct config, member), fallback, 0, 1, NULL, NULL,     \
		    "use true or false"                                                            \
	}

#define ORIGIN_RIGHT "use an origin such as https://app.example.com, without a path"
#define GUID_RIGHT                                                                                 \
	"use the Application (client) ID from the app's Overview page, such as "                   \
	"11111111-2222-3333-4444-555555555555"
#define URL_RIGHT     "use a URL such as https://app.example.com/calendar/connected"
#define ADDRESS_RIGHT "use a numeric address such as :: or 127.0.0.1"

const struct config_key config_keys[] = {
	TEXT("public_url", public_url, NULL, public_url_fault,
	    "use the origin that users see, such as https://oauth.example.com, without a path"),
	TEXT("listen.address", listen_address, "::", address_fault, ADDRESS_RIGHT),
	NUMBER("listen.port", listen_port, "8080", 0, 65535),
	TEXT("admin.address", admin_address, "127.0.0.1", address_fault, ADDRESS_RIGHT),
	NUMBER("admin.port", admin_port, "9464", 0, 65535),
	CHOICE("recall.region", recall_region, "us-east-1", regions),
	TEXT("recall.base_url", recall_base_url, NULL, origin_fault,
	    "use an origin such as https://us-east-1.recall.ai, without a path"),
	TEXT("microsoft.client_id", microsoft_client_id, NULL, guid_fault, GUID_RIGHT),
	LIST("microsoft.association_ids", microsoft_association_ids, NULL, guid_fault, GUID_RIGHT),
	TEXT("microsoft.tenant", microsoft_tenant, "common", tenant_fault,
	    "use common, organizations, consumers, a tenant's GUID or its domain"),
	TEXT("microsoft.authority", microsoft_authority, "https://login.microsoftonline.com",
	    origin_fault, "use an origin such as https://login.microsoftonline.us, without a path"),
	LIST("microsoft.scopes", microsoft_scopes,
	    "offline_access,openid,email,https://graph.microsoft.com/Calendars.Read", scope_fault,
	    "use offline_access, openid, email, https://graph.microsoft.com/Calendars.Read and what "
	    "else the app needs"),
	TEXT("connect.success_url", connect_success_url, NULL, return_url_fault, URL_RIGHT),
	TEXT("connect.error_url", connect_error_url, NULL, return_url_fault, URL_RIGHT),
	LIST("connect.return_origins", connect_return_origins, NULL, origin_fault, ORIGIN_RIGHT),
	LIST("connect.start_origins", connect_start_origins, NULL, origin_fault, ORIGIN_RIGHT),
	CHOICE("connect.cross_site", connect_cross_site, "refuse", cross_sites),
	CHOICE("callback.browser_binding", callback_browser_binding, "report", bindings),
	TEXT("tls.certificate", tls_certificate, NULL, path_fault,
	    "use the path of a PEM file with the certificate and its chain"),
	TEXT("tls.private_key", tls_private_key, NULL, path_fault,
	    "use the path of a PEM file with the private key"),
	NUMBER("tls.hsts_seconds", tls_hsts_seconds, "0", 0, 63072000),
	LIST("trusted_proxies", trusted_proxies, NULL, network_fault,
	    "use networks such as 10.0.0.0/8 or fd00::/8"),
	NUMBER("limits.query_bytes", limits_query_bytes, "8192", 1024, 65536),
	NUMBER("limits.connections", limits_connections, "4096", 1, 1000000),
	NUMBER("limits.connections_per_ip", limits_connections_per_ip, "0", 0, 1000000),
	NUMBER("limits.request_seconds", limits_request_seconds, "10", 1, 300),
	NUMBER("limits.idle_seconds", limits_idle_seconds, "75", 1, 3600),
	NUMBER("shutdown.delay_seconds", shutdown_delay_seconds, "0", 0, 300),
	NUMBER("shutdown.timeout_seconds", shutdown_timeout_seconds, "8", 1, 300),
	CHOICE("log.level", log_level, "info", levels),
	CHOICE("log.format", log_format, "json", formats),
	SWITCH("log.access", log_access, "true"),
	NUMBER("threads", threads, NULL, 1, 64),
};

const size_t config_n_keys = sizeof(config_keys) / sizeof(config_keys[0]);

size_t
config_find_key(const char *name)
{
	size_t i = 0;

	while (i < config_n_keys && strcmp(config_keys[i].name, name) != 0)
		i++;
	return i;
}

bool
config_has_key(const char *name)
{
	return config_find_key(name) < config_n_keys;
}

bool
config_is_section(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < config_n_keys; i++)
		if (strncmp(config_keys[i].name, name, len) == 0 && config_keys[i].name[len] == '.')
			return true;
	return false;
}

static char
variable_char(char c)
{
	if (c == '.')
		return '_';
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

void
config_variable_name(const char *key, struct buf *out)
{
	buf_puts(out, "REDIRECTD_");
	for (; *key != '\0'; key++)
		buf_putc(out, variable_char(*key));
}

enum { NAME_MAX_LEN = 64 };

/* Levenshtein's distance, letter case and the kind of separator aside. */
static size_t
distance(struct span a, struct span b)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = text_lower(a.data[i - 1]), y = text_lower(b.data[j - 1]);
			size_t best = diagonal + !(x == y || (x == '_' && y == '.'));

			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[b.len];
}

/* How far name is from key, or from the part of it behind the dot where that is nearer. */
static size_t
distance_to_key(struct span name, struct span key)
{
	size_t whole = distance(name, key);
	struct span member = span_from(key, span_find(key, '.') + 1);
	size_t last = member.len > 0 ? distance(name, member) + 1 : whole;

	return whole < last ? whole : last;
}

const char *
config_nearest_key(const char *name)
{
	struct span wanted = span_of(name);
	const char *nearest = NULL;
	size_t best = wanted.len / 3 + 1;

	if (wanted.len > NAME_MAX_LEN)
		return NULL;
	for (size_t i = 0; i < config_n_keys; i++) {
		size_t far = distance_to_key(wanted, span_of(config_keys[i].name));

		if (far > best || (far == best && nearest != NULL))
			continue;
		best = far;
		nearest = config_keys[i].name;
	}
	return nearest;
}
