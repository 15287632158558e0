#include "config/config.h"
#include "support.h"

/* The advice of each key, as it stands after the semicolon. */
#define SEE_README  "; see the table of keys in the README\n"
#define ONE_OBJECT  "; write it as {\"listen\": {\"port\": 8080}}\n"
#define SECTION     "; use {...} with the keys of this section\n"
#define TWICE       ": is set twice; keep one of the two\n"
#define PORT        "; use a whole number from 0 to 65535\n"
#define QUERY_BYTES "; use a whole number from 1024 to 65536\n"
#define THREADS     "; use a whole number from 1 to 64\n"
#define ADDRESS     "; use a numeric address such as :: or 127.0.0.1, without a port\n"
#define ORIGIN                                                                                     \
	"; use an origin such as https://app.example.com or https://*.example.com, without a path\n"
#define PUBLIC_URL                                                                                 \
	"; use the origin that users see, such as https://oauth.example.com, without a path\n"
#define BASE_URL  "; use an origin such as https://us-east-1.recall.ai, without a path\n"
#define AUTHORITY "; use an origin such as https://login.microsoftonline.us, without a path\n"
#define URL       "; use a URL such as https://app.example.com/calendar/connected\n"
#define GUID                                                                                       \
	"; use the Application (client) ID from the app's Overview page, such as "                 \
	"11111111-2222-3333-4444-555555555555\n"
#define TENANT "; use common, organizations, consumers, a tenant's GUID or its domain\n"
#define SCOPES                                                                                     \
	"; use offline_access, openid, email, https://graph.microsoft.com/Calendars.Read, and "    \
	"what else the app needs\n"
#define GOOGLE_ID                                                                                  \
	"; use the Client ID of the OAuth client in the Google Cloud console, such as "            \
	"123456789012-abc.apps.googleusercontent.com\n"
#define GOOGLE_SCOPES                                                                              \
	"; use https://www.googleapis.com/auth/calendar.events.readonly, "                         \
	"https://www.googleapis.com/auth/userinfo.email, and what else the app needs\n"
#define NO_SCOPE    " has a byte that no scope may have" SCOPES
#define REGION      "; use us-east-1, us-west-2, eu-central-1 or ap-northeast-1\n"
#define LEVEL       "; use debug, info, warning or error\n"
#define SWITCH      "; use true or false\n"
#define NETWORKS    "; use networks such as 10.0.0.0/8 or fd00::/8, without a port\n"
#define CERTIFICATE "; use the path of a PEM file with the certificate and its chain\n"
#define CONTENT                                                                                    \
	": is the content of the file itself, such as a key, where its path belongs; save it to "  \
	"a file, and use the path of that file\n"
#define NO_KEY         ": is set without tls.private_key; set both, or neither\n"
#define NO_CERTIFICATE ": is set without tls.certificate; set both, or neither\n"
#define BLANK          ": has a blank at its start or end; delete it\n"
#define QUOTES         ": has quotes around it; delete them\n"
#define UNQUOTE        "; write it without quotes\n"
#define QUOTE          "; put it in double quotes\n"
#define SEPARATOR      " has a blank or a semicolon in it; put a comma between two items\n"
#define AS_JSON                                                                                    \
	": is written as JSON; write the items with commas between them, without [ ] and quotes\n"
#define MEANT(word) ": is none of the known values; did you mean " word "?\n"
#define LENGTH      ": does not have 36 characters, as a GUID has" GUID
#define NO_SECRET                                                                                  \
	"; delete it: this server needs no secret; the client secret belongs in Recall's "         \
	"dashboard\n"
#define SERVICE_LINK                                                                               \
	": is not a known variable; this looks like a service link of the container platform: "    \
	"set enableServiceLinks: false, or rename the service\n"
#define NO_PUBLIC_URL                                                                              \
	"warning: public_url: is not set; set it to the origin that users see; until "             \
	"then /connect answers 501\n"
#define NO_CLIENT_ID                                                                               \
	"warning: microsoft.client_id: is not set; set it to the Application (client) "            \
	"ID; until then /connect and the association file answer 501\n"
#define F1     "test.json:1: "

#define A_GUID "11111111-2222-3333-4444-555555555555"
#define B_GUID "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

/* Every finding on a line of its own, in order; a warning says that it is one. */
static void
put_findings(struct buf *out, const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		buf_puts(out, findings->items[i].is_error ? "" : "warning: ");
		buf_puts(out, findings->items[i].text);
		buf_putc(out, '\n');
	}
	ck_assert(buf_ok(out));
	ck_assert(!findings->out_of_memory);
}

/* Parse, compare the whole list of findings, and check that errors mean no configuration. */
static struct config *
parse(const struct config_source *source, const char *wanted)
{
	char array[32 * 1024];
	struct buf text;
	struct findings findings = { 0 };
	struct config *config = config_parse(source, &findings);

	buf_init(&text, array, sizeof(array));
	put_findings(&text, &findings);
	ck_assert_str_eq(text.data, wanted);
	ck_assert_int_eq(config == NULL, findings.n_errors > 0);
	findings_free(&findings);
	ck_assert(findings.items == NULL && findings.n == 0 && findings.n_errors == 0);
	return config;
}

struct file_row {
	struct span text;
	const char *findings;
};

#define ROW(text, findings)                                                                        \
	{                                                                                          \
		SPAN(text), findings                                                               \
	}

static const struct file_row file_rows[] = {
	/* What is no JSON object; what else may be wrong with JSON is check_json.c's. */
	ROW("", F1 "is empty; write at least {}\n"),
	ROW("[]", F1 "is not a JSON object" ONE_OBJECT),
	ROW("8080", F1 "is not a JSON object" ONE_OBJECT),
	ROW("null", F1 "is not a JSON object" ONE_OBJECT),
	ROW("{", F1 "is not valid JSON; put text in double quotes (\"), and close every { and [\n"),
	ROW("{\n\"threads\": 1,\n}\n",
	    "test.json:2: has a comma after the last value; delete that comma\n"),
	ROW("{\n\"threads\": 0,\n\"threads\": 0 // no\n}",
	    "test.json:3: has a comment; delete it: JSON has no comments\n"),

	/* Names. */
	ROW("{\"listen\": {\"prot\": 1}}",
	    F1 "listen.prot: is not a known key; did you mean listen.port?\n"),
	ROW("{\"listen.prot\": 1}",
	    F1 "listen.prot: is not a known key; did you mean listen.port?\n"),
	ROW("{\"Listen.Port\": 1}",
	    F1 "Listen.Port: is not a known key; did you mean listen.port?\n"),
	ROW("{\"Listen\": {\"Port\": 1}}",
	    F1 "Listen.Port: is not a known key; did you mean listen.port?\n"),
	ROW("{\"listen_port\": 1}",
	    F1 "listen_port: is not a known key; did you mean listen.port?\n"),
	ROW("{\"client_id\": \"x\"}",
	    F1 "client_id: is not a known key; did you mean microsoft.client_id?\n"),
	ROW("{\"return_origins\": []}",
	    F1 "return_origins: is not a known key; did you mean connect.return_origins?\n"),
	ROW("{\"thread\": 1}", F1 "thread: is not a known key; did you mean threads?\n"),
	ROW("{\"listen.port \": 1}",
	    F1 "listen.port : is not a known key; did you mean listen.port?\n"),
	ROW("{\"colour\": \"red\"}", F1 "colour: is not a known key" SEE_README),
	ROW("{\"colour\": {}}", F1 "colour: is not a known key" SEE_README),
	ROW("{\"colour\": [{\"depth\": 1}]}", F1 "colour: is not a known key" SEE_README),
	ROW("{\"colour\": {\"depth\": 1, \"name\": 2}}",
	    F1 "colour.depth: is not a known key" SEE_README F1
	       "colour.name: is not a known key; did you mean app.name?\n"),
	ROW("{\"listen\": {\"colour_of_the_doors\": {\"x\": {\"y\": 1}}}}",
	    F1 "listen.colour_of_the_doors: is not a known key" SEE_README),
	ROW("{\"recall\": {\"listen\": {\"port\": 1}}}", F1
	    "recall.listen: is not a known key; listen is a section of its own: move it to the top "
	    "level\n"),
	ROW("{\"recall\": {\"listen\": 1}}", F1
	    "recall.listen: is not a known key; listen is a section of its own: move it to the top "
	    "level\n"),
	ROW("{\"recall\": {\"port\": 1}}",
	    F1 "recall.port: is not a known key; did you mean listen.port?\n"),
	ROW("{\"recall\": {\"public_url\": 1}}",
	    F1 "recall.public_url: is not a known key; did you mean public_url?\n"),
	ROW("{\"microsoft\": {\"success_url\": 1}}",
	    F1 "microsoft.success_url: is not a known key; did you mean connect.success_url?\n"),
	ROW("{\"tls\": {\"level\": 1}}",
	    F1 "tls.level: is not a known key; did you mean log.level?\n"),
	ROW("{\"recall\": {\"regoin\": 1}}",
	    F1 "recall.regoin: is not a known key; did you mean recall.region?\n"),
	ROW("{\"microsoft\": {\"client_secret\": \"x\"}}",
	    F1 "microsoft.client_secret: is not a known key" NO_SECRET),
	ROW("{\"recall\": {\"api_key\": \"x\"}}",
	    F1 "recall.api_key: is not a known key" NO_SECRET),
	ROW("{\"\": 1}", F1 "is not a known key" SEE_README),
	ROW("{\"caf\xc3\xa9\\n\": 1}", F1 "caf???: is not a known key" SEE_README),
	ROW("{\"listen\": []}", F1 "listen: is not an object" SECTION),
	ROW("{\"listen\": 8080}", F1 "listen: is not an object" SECTION),
	ROW("{\"microsoft\": null}", F1 "microsoft: is not an object" SECTION),

	/* Names that appear more than once. */
	ROW("{\"threads\": 1,\n\"threads\": 1}", "test.json:2: threads" TWICE),
	ROW("{\"listen\": {\"port\": 1,\n\"port\": 2}}", "test.json:2: listen.port" TWICE),
	ROW("{\"listen.port\": 1,\n\"listen\": {\n\"port\": 2}}", "test.json:3: listen.port" TWICE),
	ROW("{\"listen\": {\"port\": 1},\n\"listen.port\": 2}", "test.json:2: listen.port" TWICE),
	ROW("{\"listen\": {\"port\": 1},\n\"listen\": {\"address\": \"::\"}}",
	    "test.json:2: listen" TWICE),
	ROW("{\"threads\": 1,\n\"thre\\u0061ds\": 2}", "test.json:2: threads" TWICE),
	ROW("{\"threads\": 1, \"threads\": 2, \"threads\": 3}",
	    F1 "threads" TWICE F1 "threads" TWICE),

	/* Types. */
	ROW("{\"listen\": {\"port\": \"8080\"}}", F1 "listen.port: is not a number" UNQUOTE),
	ROW("{\"listen\": {\"port\": null}}", F1 "listen.port: is not a number" UNQUOTE),
	ROW("{\"listen\": {\"port\": {\"x\": 1}}}", F1 "listen.port: is not a number" UNQUOTE),
	ROW("{\"listen\": {\"port\": [8080]}}", F1 "listen.port: is not a number" UNQUOTE),
	ROW("{\"listen\": {\"port\": true}}", F1 "listen.port: is not a number" UNQUOTE),
	ROW("{\"listen\": {\"address\": 1}}", F1 "listen.address: is not a string" QUOTE),
	ROW("{\"\": {\"listen.port\": 1}}",
	    F1 ".listen.port: is not a known key; did you mean listen.port?\n"),
	ROW("{\"listen\": {\"\": 1}}",
	    F1 "listen.: is not a known key; see the table of keys in the README\n"),
	ROW("{\"public_url\": null}", F1 "public_url: is not a string" QUOTE),
	ROW("{\"recall\": {\"region\": 1}}", F1 "recall.region: is not a string" QUOTE),
	ROW("{\"recall\": {\"region\": null}}", F1 "recall.region: is not a string" QUOTE),
	ROW("{\"log\": {\"level\": true}}", F1 "log.level: is not a string" QUOTE),
	ROW("{\"log\": {\"access\": \"true\"}}", F1 "log.access: is not true or false" UNQUOTE),
	ROW("{\"log\": {\"access\": 1}}", F1 "log.access: is not true or false" UNQUOTE),
	ROW("{\"trusted_proxies\": \"10.0.0.0/8\"}",
	    F1 "trusted_proxies: is not a list; put it in [ ]\n"),
	ROW("{\"trusted_proxies\": {}}", F1 "trusted_proxies: is not a list; put it in [ ]\n"),
	ROW("{\"trusted_proxies\": [\"10.0.0.0/8\", 1]}",
	    F1 "trusted_proxies: has an item that is not a string" NETWORKS),

	/* Numbers. */
	ROW("{\"listen.port\": 65536}", F1 "listen.port: is out of range" PORT),
	ROW("{\"listen.port\": -1}", F1 "listen.port: is out of range" PORT),
	ROW("{\"listen.port\": 80.5}", F1 "listen.port: is not a whole number" PORT),
	ROW("{\"listen.port\": 1e400}", F1 "listen.port: is out of range" PORT),
	ROW("{\"listen.port\": -1e400}", F1 "listen.port: is out of range" PORT),
	ROW("{\"listen.port\": 1e18}", F1 "listen.port: is out of range" PORT),
	ROW("{\"threads\": 0}", F1 "threads: is out of range" THREADS),
	ROW("{\"threads\": 65}", F1 "threads: is out of range" THREADS),
	ROW("{\"limits\": {\"query_bytes\": 1023}}",
	    F1 "limits.query_bytes: is out of range" QUERY_BYTES),
	ROW("{\"limits\": {\"query_bytes\": 65537}}",
	    F1 "limits.query_bytes: is out of range" QUERY_BYTES),
	ROW("{\"limits.connections\": 0}",
	    F1 "limits.connections: is out of range; use a whole number from 1 to 1000000\n"),
	ROW("{\"limits.connections_per_ip\": 1000001}", F1
	    "limits.connections_per_ip: is out of range; use a whole number from 0 to 1000000\n"),
	ROW("{\"limits.request_seconds\": 301}",
	    F1 "limits.request_seconds: is out of range; use a whole number from 1 to 300\n"),
	ROW("{\"limits.idle_seconds\": 3601}",
	    F1 "limits.idle_seconds: is out of range; use a whole number from 1 to 3600\n"),
	ROW("{\"shutdown.delay_seconds\": 301}",
	    F1 "shutdown.delay_seconds: is out of range; use a whole number from 0 to 300\n"),
	ROW("{\"shutdown.timeout_seconds\": 0}",
	    F1 "shutdown.timeout_seconds: is out of range; use a whole number from 1 to 300\n"),
	ROW("{\"tls.hsts_seconds\": 63072001}",
	    F1 "tls.hsts_seconds: is out of range; use a whole number from 0 to 63072000\n"),

	/* Texts. */
	ROW("{\"tls.certificate\": \"\"}", F1 "tls.certificate: is empty" CERTIFICATE),
	ROW("{\"tls.certificate\": \"a\\nb\"}", F1 "tls.certificate" CONTENT),
	ROW("{\"tls.certificate\": \"a\\u007f\"}",
	    F1 "tls.certificate: has a control byte in it" CERTIFICATE),
	ROW("{\"connect.return_origins\": [\"https://a.example\", \"\"]}",
	    F1 "connect.return_origins: item 2 is empty" ORIGIN),
	ROW("{\"connect.start_origins\": [\"x\", \"https://a.example\", \"https://a.example/\"]}",
	    F1 "connect.start_origins: item 1 does not start with https://" ORIGIN F1
	       "connect.start_origins: item 3 has more than a scheme, a host and a port" ORIGIN),
	ROW("{\"microsoft.association_ids\": [\"" A_GUID "\", \"" A_GUID "0\"]}",
	    F1 "microsoft.association_ids: item 2 does not have 36 characters, as a GUID has" GUID),

	ROW("{\"microsoft.scopes\": [\"a b\", \"a\\\"b\", \"a\\\\b\", \"caf\xc3\xa9\", \"!~\"]}",
	    F1 "microsoft.scopes: item 1" SEPARATOR F1 "microsoft.scopes: item 2" NO_SCOPE F1
	       "microsoft.scopes: item 3" NO_SCOPE F1 "microsoft.scopes: item 4" NO_SCOPE),

	/* Rules between keys. */
	ROW("{\"tls\": {\n\"certificate\": \"a.pem\"}}", "test.json:2: tls.certificate" NO_KEY),
	ROW("{\"tls\": {\n\"private_key\": \"a.pem\"}}",
	    "test.json:2: tls.private_key" NO_CERTIFICATE),
	ROW("{\"microsoft.scopes\": []}",
	    F1 "microsoft.scopes: lacks offline_access" SCOPES F1
	       "microsoft.scopes: lacks openid" SCOPES F1 "microsoft.scopes: lacks email" SCOPES F1
	       "microsoft.scopes: lacks https://graph.microsoft.com/Calendars.Read" SCOPES),
	ROW("{\"microsoft.scopes\": [\"offline_access\", \"openid\", \"Email\", "
	    "\"https://graph.microsoft.com/Calendars.Read\"]}",
	    F1 "microsoft.scopes: lacks email" SCOPES),
	ROW("{\"google.scopes\": [\"https://www.googleapis.com/auth/userinfo.email\", "
	    "\"https://www.googleapis.com/auth/calendar.events\"]}",
	    F1 "google.scopes: lacks https://www.googleapis.com/auth/"
	       "calendar.events.readonly" GOOGLE_SCOPES),
	ROW("{\"google.scopes\": []}", F1 "google.scopes: lacks https://www.googleapis.com/auth/"
					  "calendar.events.readonly" GOOGLE_SCOPES F1
					  "google.scopes: lacks https://www.googleapis.com/auth/"
					  "userinfo.email" GOOGLE_SCOPES),
};

static struct config_source
file_source(struct span text)
{
	return (
	    struct config_source){ .file_name = "test.json", .file_text = text, .processors = 2 };
}

START_TEST(refuses_in_file)
{
	struct config_source source = file_source(file_rows[_i].text);

	config_free(parse(&source, file_rows[_i].findings));
}
END_TEST

/* A file may be there and say nothing, or say it in any white space; the warnings stay. */
static const struct file_row good_file_rows[] = {
	ROW("{}", NO_CLIENT_ID NO_PUBLIC_URL),
	ROW("\r\n\t {\n}\r\n ", NO_CLIENT_ID NO_PUBLIC_URL),
	ROW("{\"listen\": {}, \"tls\": {}}", NO_CLIENT_ID NO_PUBLIC_URL),
	ROW("{\"public_url\": \"https://oauth.example.com\"}", NO_CLIENT_ID),
	ROW("{\"microsoft.client_id\": \"" A_GUID "\"}", NO_PUBLIC_URL),
	ROW("{\"public_url\": \"https://oauth.example.com\", \"microsoft\": {\"client_id\": \"" A_GUID
	    "\"}}",
	    ""),
	ROW("{\"listen.port\": 65535, \"admin.port\": 0, \"threads\": 64, "
	    "\"limits\": {\"query_bytes\": 1024, \"connections\": 1000000}}",
	    NO_CLIENT_ID NO_PUBLIC_URL),
	ROW("{\"public_url\": \"http://127.0.0.1:8080\", \"microsoft.client_id\": \"" A_GUID "\"}",
	    "warning: " F1
	    "public_url: has the host 127.0.0.1, which Microsoft accepts through the "
	    "app manifest only; use localhost for a test on this machine\n"),
	ROW("{\"public_url\":\n\"https://OAuth.example.com\", \"microsoft.client_id\": \"" A_GUID
	    "\"}",
	    "warning: " F1
	    "public_url: is not written as browsers write it, and Microsoft compares "
	    "byte for byte; use lower case, and no port where it is the default one\n"),
	ROW("{\"public_url\": \"https://oauth.example.com:0443\", \"microsoft.client_id\": \"" A_GUID
	    "\"}",
	    "warning: " F1
	    "public_url: is not written as browsers write it, and Microsoft compares "
	    "byte for byte; use lower case, and no port where it is the default one\n"),
	ROW("{\"public_url\": \"http://localhost:8080\", \"microsoft.client_id\": \"" A_GUID "\"}",
	    ""),
	ROW("{\"google.client_id\": \"407408718192.apps.googleusercontent.com\"}", NO_PUBLIC_URL),
	ROW("{\"public_url\": \"https://oauth.example.com\", \"google\": {\"client_id\": "
	    "\"123456789012-0a1b2c.apps.googleusercontent.com\", \"scopes\": [\"openid\", "
	    "\"https://www.googleapis.com/auth/userinfo.email\", "
	    "\"https://www.googleapis.com/auth/calendar.events.readonly\"]}}",
	    ""),
};

START_TEST(accepts_file)
{
	struct config_source source = file_source(good_file_rows[_i].text);
	struct config *config = parse(&source, good_file_rows[_i].findings);

	ck_assert_ptr_nonnull(config);
	config_free(config);
}
END_TEST

/* As long as a name may be: characters are counted, not bytes. */
#define CHARACTERS_8 "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\x85 abcd"
#define CHARACTERS_64                                                                              \
	CHARACTERS_8 CHARACTERS_8 CHARACTERS_8 CHARACTERS_8 CHARACTERS_8 CHARACTERS_8 CHARACTERS_8 \
	    CHARACTERS_8
#define LABEL_60 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
#define APP_NAME "REDIRECTD_APP_NAME: app.name: "
#define NAME     "; use the name of your app\n"
#define APP_URL  "; use the address of your app, such as https://app.example.com\n"

struct variable_row {
	const char *variable;
	const char *findings;
};

static const struct variable_row variable_rows[] = {
	{ "REDIRECTD_LISTEN_PORT=65536",
	    "REDIRECTD_LISTEN_PORT: listen.port: is out of range" PORT },
	{ "REDIRECTD_LISTEN_PORT=-1", "REDIRECTD_LISTEN_PORT: listen.port: is out of range" PORT },
	{ "REDIRECTD_LISTEN_PORT=99999999999999999999",
	    "REDIRECTD_LISTEN_PORT: listen.port: is out of range" PORT },
	{ "REDIRECTD_LISTEN_PORT=18446744073709551696",
	    "REDIRECTD_LISTEN_PORT: listen.port: is out of range" PORT },
	{ "REDIRECTD_LISTEN_PORT=80 ", "REDIRECTD_LISTEN_PORT: listen.port" BLANK },
	{ "REDIRECTD_LISTEN_PORT=+80",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LISTEN_PORT=0x50",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LISTEN_PORT=1e3",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LISTEN_PORT=80.0",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LISTEN_PORT=-",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LISTEN_PORT=tcp://10.0.0.1:8080",
	    "REDIRECTD_LISTEN_PORT: listen.port: is not a whole number" PORT },
	{ "REDIRECTD_LOG_ACCESS=1",
	    "REDIRECTD_LOG_ACCESS: log.access: is none of the known values" SWITCH },
	{ "REDIRECTD_LOG_ACCESS=True", "REDIRECTD_LOG_ACCESS: log.access" MEANT("true") },
	{ "REDIRECTD_LOG_LEVEL=INFO", "REDIRECTD_LOG_LEVEL: log.level" MEANT("info") },
	{ "REDIRECTD_CALLBACK_BROWSER_BINDING=of",
	    "REDIRECTD_CALLBACK_BROWSER_BINDING: callback.browser_binding: is none of the known "
	    "values; use off, report or enforce\n" },
	{ "REDIRECTD_LOG_LEVEL=informationinformationinformationinformationinformationinformation",
	    "REDIRECTD_LOG_LEVEL: log.level: is none of the known values; use debug, info, "
	    "warning or error\n" },
	{ "REDIRECTD_TRUSTED_PROXIES=[::1",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_LOG_FORMAT=xml",
	    "REDIRECTD_LOG_FORMAT: log.format: is none of the known values; use json or text\n" },
	{ "REDIRECTD_CONNECT_CROSS_SITE=deny",
	    "REDIRECTD_CONNECT_CROSS_SITE: connect.cross_site: is none of the known values; "
	    "use refuse or allow\n" },
	{ "REDIRECTD_CALLBACK_BROWSER_BINDING=on",
	    "REDIRECTD_CALLBACK_BROWSER_BINDING: callback.browser_binding: is none of the known "
	    "values; use off, report or enforce\n" },
	{ "REDIRECTD_CALLBACK_ADMIN_WALL=pages",
	    "REDIRECTD_CALLBACK_ADMIN_WALL: callback.admin_wall" MEANT("page") },
	{ "REDIRECTD_APP_NAME=" CHARACTERS_64 "x", APP_NAME "is longer than 64 characters" NAME },
	{ "REDIRECTD_APP_NAME=caf\xe9", APP_NAME "is not UTF-8" NAME },
	{ "REDIRECTD_APP_NAME=a\nb", APP_NAME "has a control byte in it" NAME },
	{ "REDIRECTD_APP_NAME=a\x7f", APP_NAME "has a control byte in it" NAME },
	{ "REDIRECTD_APP_URL=app.example.com",
	    "REDIRECTD_APP_URL: app.url: does not start with https://" APP_URL },
	{ "REDIRECTD_APP_URL=http://app.example.com/",
	    "REDIRECTD_APP_URL: app.url: uses http for a host other than localhost" APP_URL },
	{ "REDIRECTD_APP_URL=javascript:alert(1)",
	    "REDIRECTD_APP_URL: app.url: does not start with https://" APP_URL },
	{ "REDIRECTD_APP_URL=https://user@app.example.com/",
	    "REDIRECTD_APP_URL: app.url: contains a user name" APP_URL },
	{ "REDIRECTD_RECALL_REGION=us-east-2",
	    "REDIRECTD_RECALL_REGION: recall.region" MEANT("us-east-1") },
	{ "REDIRECTD_RECALL_REGION=US-EAST-1",
	    "REDIRECTD_RECALL_REGION: recall.region" MEANT("us-east-1") },
	{ "REDIRECTD_RECALL_REGION=eu-central",
	    "REDIRECTD_RECALL_REGION: recall.region" MEANT("eu-central-1") },
	{ "REDIRECTD_RECALL_REGION=us_west_2",
	    "REDIRECTD_RECALL_REGION: recall.region" MEANT("us-west-2") },
	{ "REDIRECTD_RECALL_REGION=ap-norteast-1",
	    "REDIRECTD_RECALL_REGION: recall.region" MEANT("ap-northeast-1") },
	{ "REDIRECTD_RECALL_REGION=moon",
	    "REDIRECTD_RECALL_REGION: recall.region: is none of the known values" REGION },
	/* What shells, .env files and the clipboard leave. */
	{ "REDIRECTD_RECALL_REGION=\"eu-central-1\"",
	    "REDIRECTD_RECALL_REGION: recall.region" QUOTES },
	{ "REDIRECTD_RECALL_REGION='eu-central-1'",
	    "REDIRECTD_RECALL_REGION: recall.region" QUOTES },
	{ "REDIRECTD_RECALL_REGION=eu-central-1\"",
	    "REDIRECTD_RECALL_REGION: recall.region" QUOTES },
	{ "REDIRECTD_RECALL_REGION=\xe2\x80\x9c"
	  "eu-central-1\xe2\x80\x9d",
	    "REDIRECTD_RECALL_REGION: recall.region" QUOTES },
	{ "REDIRECTD_LISTEN_PORT=\"8080\"", "REDIRECTD_LISTEN_PORT: listen.port" QUOTES },
	{ "REDIRECTD_LOG_ACCESS='true'", "REDIRECTD_LOG_ACCESS: log.access" QUOTES },
	{ "REDIRECTD_PUBLIC_URL=\"https://oauth.example.com\"",
	    "REDIRECTD_PUBLIC_URL: public_url" QUOTES },
	{ "REDIRECTD_TLS_CERTIFICATE='/c.pem'",
	    "REDIRECTD_TLS_CERTIFICATE: tls.certificate" QUOTES },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID='" A_GUID "'",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" QUOTES },
	{ "REDIRECTD_TRUSTED_PROXIES=\"10.0.0.0/8,::1\"",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 has quotes around it; delete them\n"
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 2 has quotes around it; delete them\n" },
	{ "REDIRECTD_RECALL_REGION=eu-central-1 ", "REDIRECTD_RECALL_REGION: recall.region" BLANK },
	{ "REDIRECTD_RECALL_REGION=\teu-central-1",
	    "REDIRECTD_RECALL_REGION: recall.region" BLANK },
	{ "REDIRECTD_RECALL_REGION= ", "REDIRECTD_RECALL_REGION: recall.region" BLANK },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=" A_GUID " ",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" BLANK },
	{ "REDIRECTD_MICROSOFT_TENANT= contoso.com",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant" BLANK },
	{ "REDIRECTD_TLS_PRIVATE_KEY= /k.pem", "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" BLANK },
	/* Separators. */
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/8 fd00::/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1" SEPARATOR },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/8;fd00::/8,::1",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1" SEPARATOR },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/8\nfd00::/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1" SEPARATOR },
	{ "REDIRECTD_TRUSTED_PROXIES=::1,10.0.0.0/8|fd00::/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 2" SEPARATOR },
	{ "REDIRECTD_CONNECT_START_ORIGINS=https://a.example https://b.example",
	    "REDIRECTD_CONNECT_START_ORIGINS: connect.start_origins: item 1" SEPARATOR },
	{ "REDIRECTD_MICROSOFT_ASSOCIATION_IDS=" A_GUID ";" B_GUID,
	    "REDIRECTD_MICROSOFT_ASSOCIATION_IDS: microsoft.association_ids: item 1" SEPARATOR },
	{ "REDIRECTD_TRUSTED_PROXIES=[\"10.0.0.0/8\"]",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies" AS_JSON },
	{ "REDIRECTD_TRUSTED_PROXIES=[10.0.0.0/8, ::1]",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies" AS_JSON },
	{ "REDIRECTD_CONNECT_RETURN_ORIGINS=[]",
	    "REDIRECTD_CONNECT_RETURN_ORIGINS: connect.return_origins" AS_JSON },
	{ "REDIRECTD_LISTEN_ADDRESS=localhost",
	    "REDIRECTD_LISTEN_ADDRESS: listen.address: is not an IP address" ADDRESS },
	{ "REDIRECTD_LISTEN_ADDRESS=0.0.0.0:8080",
	    "REDIRECTD_LISTEN_ADDRESS: listen.address: is not an IP address" ADDRESS },
	{ "REDIRECTD_LISTEN_ADDRESS=127.1",
	    "REDIRECTD_LISTEN_ADDRESS: listen.address: is not an IP address" ADDRESS },
	{ "REDIRECTD_LISTEN_ADDRESS=[::]",
	    "REDIRECTD_LISTEN_ADDRESS: listen.address: is not an IP address" ADDRESS },
	{ "REDIRECTD_ADMIN_ADDRESS=0.0.0.0/0",
	    "REDIRECTD_ADMIN_ADDRESS: admin.address: is not an IP address" ADDRESS },
	{ "REDIRECTD_TLS_CERTIFICATE=\xff",
	    "REDIRECTD_TLS_CERTIFICATE: tls.certificate: is not UTF-8" CERTIFICATE },
	{ "REDIRECTD_TLS_CERTIFICATE=a\tb",
	    "REDIRECTD_TLS_CERTIFICATE: tls.certificate: has a control byte in it" CERTIFICATE },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=11111111-2222-3333-4444-55555555555",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=11111111-2222-3333-4444-5555555555555",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=1",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=11111111222233334444555555555555",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID={" A_GUID "}",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=abc8Q~hunter2hunter2hunter2hunter2hunter",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id" LENGTH },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=1111111-12222-3333-4444-555555555555",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id: is not a GUID" GUID },
	{ "REDIRECTD_MICROSOFT_CLIENT_ID=g1111111-2222-3333-4444-555555555555",
	    "REDIRECTD_MICROSOFT_CLIENT_ID: microsoft.client_id: is not a GUID" GUID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123456789012-abc.apps.googleusercontent.co",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123456789012-abc.apps.googleusercontent.com.",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123456789012-abc",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=.apps.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=GOCSPX-secret",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=https://123-a.apps.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123 a.apps.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=\"123-a.apps.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id" QUOTES },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123-a.apps.googleusercontent.com/",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=a%40b.apps.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_GOOGLE_CLIENT_ID=123-A.APPS.googleusercontent.com",
	    "REDIRECTD_GOOGLE_CLIENT_ID: google.client_id: is not a Google client ID" GOOGLE_ID },
	{ "REDIRECTD_MICROSOFT_ASSOCIATION_IDS=" A_GUID ",," B_GUID,
	    "REDIRECTD_MICROSOFT_ASSOCIATION_IDS: microsoft.association_ids: item 2 is empty" GUID },
	{ "REDIRECTD_MICROSOFT_ASSOCIATION_IDS=" A_GUID ",",
	    "REDIRECTD_MICROSOFT_ASSOCIATION_IDS: microsoft.association_ids: ends with a "
	    "comma" GUID },
	{ "REDIRECTD_MICROSOFT_TENANT={" A_GUID "}",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_TENANT=Common",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_TENANT=contoso",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_TENANT=contoso.com/",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_TENANT=contoso..com",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_TENANT=b\xc3\xbc"
	  "cher.example",
	    "REDIRECTD_MICROSOFT_TENANT: microsoft.tenant: is not a tenant" TENANT },
	{ "REDIRECTD_MICROSOFT_AUTHORITY=https://login.microsoftonline.com/common",
	    "REDIRECTD_MICROSOFT_AUTHORITY: microsoft.authority: has more than a "
	    "scheme, a host and a port" AUTHORITY },
	{ "REDIRECTD_RECALL_BASE_URL=us-east-1.recall.ai",
	    "REDIRECTD_RECALL_BASE_URL: recall.base_url: does not start with https://" BASE_URL },
	{ "REDIRECTD_PUBLIC_URL=http://oauth.example.com",
	    "REDIRECTD_PUBLIC_URL: public_url: uses http for a host other than "
	    "localhost" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://oauth.example.com/",
	    "REDIRECTD_PUBLIC_URL: public_url: has more than a scheme, a host and a "
	    "port" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://oauth.example.com?a",
	    "REDIRECTD_PUBLIC_URL: public_url: has more than a scheme, a host and a "
	    "port" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://a@oauth.example.com",
	    "REDIRECTD_PUBLIC_URL: public_url: contains a user name" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://",
	    "REDIRECTD_PUBLIC_URL: public_url: has no valid ASCII host" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://o\xc3\xa4.example",
	    "REDIRECTD_PUBLIC_URL: public_url: has no valid ASCII host" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://oauth.example.com:0",
	    "REDIRECTD_PUBLIC_URL: public_url: has a port that is not 1 to 65535" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://oauth.example.com:65536",
	    "REDIRECTD_PUBLIC_URL: public_url: has a port that is not 1 to 65535" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL=https://oauth.example.com\\@x",
	    "REDIRECTD_PUBLIC_URL: public_url: contains a control byte, a space, a "
	    "backslash, < or >" PUBLIC_URL },
	{ "REDIRECTD_PUBLIC_URL= https://oauth.example.com",
	    "REDIRECTD_PUBLIC_URL: public_url" BLANK },
	{ "REDIRECTD_PUBLIC_URL=https://[::1]",
	    "REDIRECTD_PUBLIC_URL: public_url: has an IPv6 address as its host, which Microsoft "
	    "does not accept" PUBLIC_URL },
	{ "REDIRECTD_CONNECT_SUCCESS_URL=/calendar",
	    "REDIRECTD_CONNECT_SUCCESS_URL: connect.success_url: does not start with "
	    "https://" URL },
	{ "REDIRECTD_CONNECT_ERROR_URL=javascript:alert(1)",
	    "REDIRECTD_CONNECT_ERROR_URL: connect.error_url: does not start with https://" URL },
	{ "REDIRECTD_CONNECT_RETURN_ORIGINS=https://a.example,http://b.example",
	    "REDIRECTD_CONNECT_RETURN_ORIGINS: connect.return_origins: item 2 uses "
	    "http for a host other than localhost" ORIGIN },
	{ "REDIRECTD_CONNECT_START_ORIGINS=https://*.com",
	    "REDIRECTD_CONNECT_START_ORIGINS: connect.start_origins: item 1 has a * that does "
	    "not stand for the first label of a domain" ORIGIN },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/33",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/8,fd00::/129",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 2 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/-1",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0/8,",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: ends with a comma" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.1:80/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=10.0.0.0/8,10.0.0.1:80,[fd00::]/8,[::1]:80",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 2 is not a network" NETWORKS
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 3 is not a network" NETWORKS
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 4 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=::ffff:10.0.0.0/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_TRUSTED_PROXIES=/8",
	    "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: item 1 is not a network" NETWORKS },
	{ "REDIRECTD_MICROSOFT_SCOPES=offline_access,openid,email,"
	  "https://graph.microsoft.com/Calendars.Read,User Read",
	    "REDIRECTD_MICROSOFT_SCOPES: microsoft.scopes: item 5" SEPARATOR },
	{ "REDIRECTD_MICROSOFT_SCOPES=offline_access,openid,email",
	    "REDIRECTD_MICROSOFT_SCOPES: microsoft.scopes: lacks "
	    "https://graph.microsoft.com/Calendars.Read" SCOPES },
	{ "REDIRECTD_TLS_PRIVATE_KEY=key.pem",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" NO_CERTIFICATE },

	/* The key itself where its path belongs, as .env files and container platforms hold it. */
	{ "REDIRECTD_TLS_PRIVATE_KEY=-----BEGIN PRIVATE KEY-----\\nMIG\\n-----END PRIVATE KEY-----",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_PRIVATE_KEY=-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY-----\n",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_PRIVATE_KEY=-----BEGIN PRIVATE KEY----- MIG -----END PRIVATE KEY-----",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_PRIVATE_KEY=\"-----BEGIN PRIVATE KEY-----\\nMIG\"",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_PRIVATE_KEY=LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_PRIVATE_KEY=MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4NeA3yyp",
	    "REDIRECTD_TLS_PRIVATE_KEY: tls.private_key" CONTENT },
	{ "REDIRECTD_TLS_CERTIFICATE=-----BEGIN CERTIFICATE-----\nMIIB",
	    "REDIRECTD_TLS_CERTIFICATE: tls.certificate" CONTENT },

	/* Unknown variables. */
	{ "REDIRECTD_LISTEN_PROT=1",
	    "REDIRECTD_LISTEN_PROT: is not a known variable; did you mean REDIRECTD_LISTEN_PORT?\n" },
	{ "REDIRECTD_listen_port=1",
	    "REDIRECTD_listen_port: is not a known variable; did you mean REDIRECTD_LISTEN_PORT?\n" },
	{ "REDIRECTD_CLIENT_ID=1", "REDIRECTD_CLIENT_ID: is not a known variable; did you mean "
				   "REDIRECTD_MICROSOFT_CLIENT_ID?\n" },
	{ "REDIRECTD_MICROSOFT_CLIENT_SECRET=abc8Q~x",
	    "REDIRECTD_MICROSOFT_CLIENT_SECRET: is not a known variable" NO_SECRET },
	{ "REDIRECTD_CLIENT_SECRET=x",
	    "REDIRECTD_CLIENT_SECRET: is not a known variable" NO_SECRET },
	{ "REDIRECTD_RECALL_LISTEN=1",
	    "REDIRECTD_RECALL_LISTEN: is not a known variable" SEE_README },
	{ "REDIRECTD_RECALL_REGIN=1",
	    "REDIRECTD_RECALL_REGIN: is not a known variable; did you mean "
	    "REDIRECTD_RECALL_REGION?\n" },
	{ "REDIRECTD_RECALL_PORT=1",
	    "REDIRECTD_RECALL_PORT: is not a known variable; did you mean REDIRECTD_LISTEN_PORT?\n" },
	{ "REDIRECTD_COLOUR=red", "REDIRECTD_COLOUR: is not a known variable" SEE_README },
	{ "REDIRECTD_CAF\xe9=1", "REDIRECTD_CAF?: is not a known variable" SEE_README },
	{ "REDIRECTD_=1", "REDIRECTD_: is not a known variable" SEE_README },
	{ "REDIRECTD_PORT=tcp://10.0.0.1:8080", "REDIRECTD_PORT" SERVICE_LINK },
	{ "REDIRECTD_PORT=udp://10.0.0.1:8080", "REDIRECTD_PORT" SERVICE_LINK },
	{ "REDIRECTD_SERVICE_HOST=10.0.0.1", "REDIRECTD_SERVICE_HOST" SERVICE_LINK },
	{ "REDIRECTD_SERVICE_PORT=8080", "REDIRECTD_SERVICE_PORT" SERVICE_LINK },
	{ "REDIRECTD_SERVICE_PORT_HTTP=8080", "REDIRECTD_SERVICE_PORT_HTTP" SERVICE_LINK },
	{ "REDIRECTD_PORT_8080_TCP=tcp://10.0.0.1:8080", "REDIRECTD_PORT_8080_TCP" SERVICE_LINK },
	{ "REDIRECTD_PORT_8080_TCP_ADDR=10.0.0.1", "REDIRECTD_PORT_8080_TCP_ADDR" SERVICE_LINK },
	{ "REDIRECTD_DNS_PORT_53_UDP_ADDR=10.0.0.1",
	    "REDIRECTD_DNS_PORT_53_UDP_ADDR" SERVICE_LINK },
	{ "REDIRECTD_WEB_PORT_80_TCP_ADDR=10.0.0.1",
	    "REDIRECTD_WEB_PORT_80_TCP_ADDR" SERVICE_LINK },
	{ "REDIRECTD_PORT_8080_TCP_PROTO=tcp", "REDIRECTD_PORT_8080_TCP_PROTO" SERVICE_LINK },
};

START_TEST(refuses_in_environment)
{
	char *environment[] = { (char *)(uintptr_t)variable_rows[_i].variable, NULL };
	struct config_source source = { .environment = environment, .processors = 2 };

	config_free(parse(&source, variable_rows[_i].findings));
}
END_TEST

static void
check_described(const struct config *config, const char *wanted)
{
	char array[1024];
	struct buf line;
	bool found = false;

	buf_init(&line, array, sizeof(array));
	for (size_t i = 0; !found && config_describe(config, i, &line); i++) {
		found = strcmp(line.data, wanted) == 0;
		buf_clear(&line);
	}
	ck_assert_msg(found, "no key is described as \"%s\"", wanted);
}

/* PORT, as platforms set it, counts where nothing else sets listen.port. */
static const struct {
	const char *file;
	char *environment[3];
	const char *described;
} port_rows[] = {
	{ "{}", { "PORT=81" }, "listen.port = 81 (PORT)" },
	{ "{}", { "PORT=0" }, "listen.port = 0 (PORT)" },
	{ "{}", { "PORT=" }, "listen.port = 8080 (default)" },
	{ "{}", { "PORTS=81", "XPORT=81" }, "listen.port = 8080 (default)" },
	{ "{\"listen.port\": 82}", { "PORT=81" }, "listen.port = 82 (test.json:1)" },
	{ "{\"listen.port\": 8080}", { "PORT=81" }, "listen.port = 8080 (test.json:1)" },
	{ "{\"listen.port\": 82}", { "PORT=tcp://10.0.0.1:80" }, "listen.port = 82 (test.json:1)" },
	{ "{}", { "PORT=81", "REDIRECTD_LISTEN_PORT=83" },
	    "listen.port = 83 (REDIRECTD_LISTEN_PORT)" },
	{ "{}", { "REDIRECTD_LISTEN_PORT=83", "PORT=x" },
	    "listen.port = 83 (REDIRECTD_LISTEN_PORT)" },
};

START_TEST(takes_port_of_platform)
{
	struct config *config =
	    support_config(port_rows[_i].file, (char *const *)port_rows[_i].environment);

	check_described(config, port_rows[_i].described);
	config_free(config);
}
END_TEST

static const struct variable_row bad_port_rows[] = {
	{ "PORT=x", "PORT: listen.port: is not a whole number" PORT },
	{ "PORT=65536", "PORT: listen.port: is out of range" PORT },
	{ "PORT=-1", "PORT: listen.port: is out of range" PORT },
	{ "PORT=\"80\"", "PORT: listen.port" QUOTES },
	{ "PORT=80 ", "PORT: listen.port" BLANK },
	{ "PORT=tcp://10.0.0.1:80", "PORT: listen.port: is not a whole number" PORT },
};

START_TEST(refuses_port_of_platform)
{
	char *environment[] = { (char *)(uintptr_t)bad_port_rows[_i].variable, NULL };
	struct config_source source = { .environment = environment, .processors = 2 };

	config_free(parse(&source, bad_port_rows[_i].findings));
}
END_TEST

/* Neither an empty variable nor anybody else's is ours. */
START_TEST(skips_variables)
{
	char *environment[] = { "REDIRECTD_LISTEN_PORT=", "REDIRECTD_PUBLIC_URL=",
		"REDIRECTD_TRUSTED_PROXIES=", "REDIRECTD_LOG_ACCESS=", "REDIRECTD_COLOUR=",
		"REDIRECTD_PORT=", "REDIRECTD_LISTEN_PORT", "redirectd_listen_port=x",
		"REDIRECTDX_LISTEN_PORT=x", "XREDIRECTD_LISTEN_PORT=x", "REDIRECTD=x", "=", "",
		"PATH=x", NULL };
	struct config_source source = { .environment = environment, .processors = 2 };
	struct config *config = parse(&source, NO_CLIENT_ID NO_PUBLIC_URL);

	ck_assert_uint_eq(config->listen_port, 8080);
	ck_assert_ptr_null(config->public_url);
	config_free(config);
}
END_TEST

static const struct {
	struct config_flag flag;
	const char *findings;
} flag_rows[] = {
	{ { "listen.port", "x" }, "--listen.port: listen.port: is not a whole number" PORT },
	{ { "listen.port", "" }, "--listen.port: listen.port: is empty" PORT },
	{ { "listen.port", "65536" }, "--listen.port: listen.port: is out of range" PORT },
	{ { "public_url", "" }, "--public_url: public_url: is empty" PUBLIC_URL },
	{ { "public_url", "oauth" },
	    "--public_url: public_url: does not start with https://" PUBLIC_URL },
	{ { "log.access", "yes" }, "--log.access: log.access: is none of the known values" SWITCH },
	{ { "log.level", "" }, "--log.level: log.level: is empty" LEVEL },
	{ { "trusted_proxies", "all" },
	    "--trusted_proxies: trusted_proxies: item 1 is not a network" NETWORKS },
	{ { "tls.certificate", "a.pem" }, "--tls.certificate: tls.certificate" NO_KEY },
	{ { "tls.certificate", "\x7f" },
	    "--tls.certificate: tls.certificate: has a control byte in it" CERTIFICATE },
};

START_TEST(refuses_in_flags)
{
	struct config_source source = {
		.flags = &flag_rows[_i].flag, .n_flags = 1, .processors = 2
	};

	config_free(parse(&source, flag_rows[_i].findings));
}
END_TEST

/* As with everything that is set twice, nobody guesses which one was meant. */
START_TEST(refuses_repeated_flags)
{
	struct config_flag flags[] = { { "threads", "1" }, { "log.level", "info" },
		{ "threads", "1" } };
	struct config_source source = { .flags = flags, .n_flags = 3, .processors = 2 };

	config_free(parse(&source, "--threads: threads" TWICE));
}
END_TEST

/* One run says it all: file in document order, then environment, flags, rules between keys. */
START_TEST(finds_everything_in_one_run)
{
	char *environment[] = { "REDIRECTD_THREADS=none", "REDIRECTD_COLOUR=red", NULL };
	struct config_flag flags[] = { { "admin.port", "-1" }, { "admin.address", "here" } };
	struct config_source source = file_source((struct span)SPAN(
	    "{\n"
	    "  \"listen\": {\n"
	    "    \"port\": \"80\", \"entirely_elsewhere\": {\"port\": [{\"port\":\n1}]},\n"
	    "    \"address\": \"\"\n"
	    "  },\n"
	    "  \"microsoft\": {\"client_id\": 5, \"scopes\": [\"openid\"]},\n"
	    "  \"tls\": {\"certificate\": \"x\\\"port\\\": \\\\\",\n \"hsts_seconds\": 1.5},\n"
	    "  \"listen.port\": 80\n"
	    "}\n"));

	source.environment = environment;
	source.flags = flags;
	source.n_flags = 2;
	config_free(parse(&source,
	    "test.json:3: listen.port: is not a number" UNQUOTE
	    "test.json:3: listen.entirely_elsewhere: is not a known key" SEE_README
	    "test.json:5: listen.address: is empty" ADDRESS
	    "test.json:7: microsoft.client_id: is not a string" QUOTE
	    "test.json:9: tls.hsts_seconds: is not a whole number; use a whole number from 0 to "
	    "63072000\n"
	    "test.json:10: listen.port" TWICE
	    "REDIRECTD_THREADS: threads: is not a whole number" THREADS
	    "REDIRECTD_COLOUR: is not a known variable" SEE_README
	    "--admin.port: admin.port: is out of range" PORT
	    "--admin.address: admin.address: is not an IP address" ADDRESS
	    "test.json:8: tls.certificate" NO_KEY
	    "test.json:7: microsoft.scopes: lacks offline_access" SCOPES
	    "test.json:7: microsoft.scopes: lacks email" SCOPES
	    "test.json:7: microsoft.scopes: lacks https://graph.microsoft.com/Calendars.Read" SCOPES));
}
END_TEST

/* A bad value stays an error where a later source has a good one: nothing is silently replaced. */
START_TEST(keeps_error_below_a_good_value)
{
	char *environment[] = { "REDIRECTD_LISTEN_PORT=81", NULL };
	struct config_source source = file_source((struct span)SPAN("{\"listen.port\": \"x\"}"));

	source.environment = environment;
	config_free(parse(&source, F1 "listen.port: is not a number" UNQUOTE));
}
END_TEST

#define TLS ", \"tls.certificate\": \"/c\", \"tls.private_key\": \"/k\"}"

static const struct {
	const char *before, *after, *keys;
} restart_rows[] = {
	{ "{}", "{}", "" },
	{ "{\"recall.region\": \"us-east-1\"}", "{\"recall.region\": \"us-west-2\"}", "" },
	{ "{\"listen.port\": 1}", "{\"listen.port\": 2}", "listen.port" },
	{ "{}", "{\"limits.idle_seconds\": 60}", "limits.idle_seconds" },
	{ "{\"threads\": 1}", "{\"threads\": 2, \"admin.port\": 0}", "admin.port,threads" },
	{ "{\"threads\": 1}", "{\"threads\": 1" TLS, "tls.certificate" },
	{ "{\"threads\": 1" TLS, "{\"threads\": 2}", "threads,tls.certificate" },
	{ "{\"threads\": 1" TLS,
	    "{\"threads\": 1, \"tls.certificate\": \"/d\", \"tls.private_key\": \"/l\"}", "" },
};

START_TEST(names_keys_that_need_a_restart)
{
	struct config *before = support_config(restart_rows[_i].before, NULL);
	struct config *after = support_config(restart_rows[_i].after, NULL);
	char array[256];
	struct buf keys;

	buf_init(&keys, array, sizeof(array));
	config_put_changed_keys(before, after, true, &keys);
	ck_assert_str_eq(keys.data, restart_rows[_i].keys);
	config_free(before);
	config_free(after);
}
END_TEST

static const struct {
	const char *file, *prefix, *keys;
} set_rows[] = {
	{ "{}", "", "" },
	{ "{\"listen.port\": 1, \"listen.address\": \"::1\", \"recall.region\": \"us-west-2\"}",
	    "listen.", "listen.address,listen.port" },
	{ "{\"listen.port\": 1, \"recall.region\": \"us-west-2\"}", "recall.", "recall.region" },
	{ "{\"listen.port\": 1}", "listen.port.", "" },
};

START_TEST(names_keys_that_are_set)
{
	struct config *config = support_config(set_rows[_i].file, NULL);
	char array[256];
	struct buf keys;

	buf_init(&keys, array, sizeof(array));
	config_put_set_keys(config, set_rows[_i].prefix, &keys);
	ck_assert_str_eq(keys.data, set_rows[_i].keys);
	config_free(config);
}
END_TEST

#define FROM(name) "{\"recall.region\": \"" name "\"}"
#define IDS(list)  "{\"microsoft.association_ids\": [" list "]}"
#define ID(c)      "\"" c "1111111-2222-3333-4444-555555555555\""
#define CLIENT(c)  "{\"microsoft.client_id\": " ID(c) "}"

static const struct {
	const char *before, *after, *keys;
} changed_rows[] = {
	{ "{}", "{}", "" },
	{ "{}", FROM("us-east-1"), "" },
	{ "{}", FROM("us-west-2"), "recall.region" },
	{ FROM("us-west-2"), "{}", "recall.region" },
	{ "{}", "{\"recall.base_url\": \"https://r.example\"}", "recall.base_url" },
	{ FROM("us-west-2"), "{\"recall.base_url\": \"https://r.example\"}",
	    "recall.region,recall.base_url" },
	{ CLIENT("1"), CLIENT("2"), "microsoft.client_id" },
	{ CLIENT("1"), "{}", "microsoft.client_id" },
	{ IDS(ID("1")), IDS(ID("1")), "" },
	{ IDS(ID("1")), IDS(ID("2")), "microsoft.association_ids" },
	{ IDS(ID("1")), IDS(ID("1") "," ID("2")), "microsoft.association_ids" },
	{ IDS(ID("1") "," ID("2")), IDS(ID("2") "," ID("1")), "microsoft.association_ids" },
	{ "{\"log.access\": true}", "{\"log.access\": false, \"listen.port\": 1}",
	    "listen.port,log.access" },
	{ "{\"callback.browser_binding\": \"enforce\"}", "{}", "callback.browser_binding" },
	{ "{\"threads\": 1}", "{\"threads\": 1" TLS, "tls.certificate,tls.private_key" },
};

START_TEST(names_keys_that_changed)
{
	struct config *before = support_config(changed_rows[_i].before, NULL);
	struct config *after = support_config(changed_rows[_i].after, NULL);
	char array[256];
	struct buf keys;

	buf_init(&keys, array, sizeof(array));
	config_put_changed_keys(before, after, false, &keys);
	ck_assert_str_eq(keys.data, changed_rows[_i].keys);
	config_free(before);
	config_free(after);
}
END_TEST

/* What is too long to be compared counts as changed: no change goes unreported. */
START_TEST(names_keys_that_are_too_long_to_compare)
{
	static char array[64 * 1024];
	struct config *config[2] = { support_config("{}", NULL), NULL };
	char names[256];
	struct buf text, keys;

	buf_init(&text, array, sizeof(array));
	buf_puts(&text, "{\"connect.start_origins\": [");
	for (int i = 0; i < 256; i++)
		buf_printf(&text, "%s\"https://%060d.%060d.example\"", i > 0 ? "," : "", i, i);
	buf_puts(&text, "]}");
	config[1] = support_config(text.data, NULL);
	for (int i = 0; i < 3; i++) {
		buf_init(&keys, names, sizeof(names));
		config_put_changed_keys(config[i > 0], config[i < 2], false, &keys);
		ck_assert_str_eq(keys.data, "connect.start_origins");
	}
	config_free(config[0]);
	config_free(config[1]);
}
END_TEST

START_TEST(adds_what_others_found)
{
	struct config_source source = { .processors = 1 };
	struct findings findings = { 0 };

	findings_add(&findings, true, "-c a.json", "", "cannot be read", "use another file");
	ck_assert_uint_eq(findings.n, 1);
	ck_assert_str_eq(findings.items[0].text, "-c a.json: cannot be read; use another file");
	ck_assert_ptr_null(config_parse(&source, &findings));
	ck_assert_uint_eq(findings.n_errors, 1);
	findings_free(&findings);
}
END_TEST

/* 256 items are taken and 257 are not, from a file as from a variable. */
START_TEST(limits_items)
{
	enum { MOST = 256 };
	char array[16 * 1024];
	size_t n = MOST + (size_t)(_i & 1);
	bool is_file = _i >= 2;
	char *environment[] = { is_file ? NULL : array, NULL };
	struct config_source source = { .environment = environment, .processors = 2 };
	struct buf text;

	buf_init(&text, array, sizeof(array));
	buf_puts(&text, is_file ? "{\"trusted_proxies\": [" : "REDIRECTD_TRUSTED_PROXIES=");
	for (size_t i = 0; i < n; i++)
		buf_printf(
		    &text, is_file ? "%s\"%s\"" : "%s%s", i > 0 ? "," : "", i < MOST ? "::1" : "1");
	buf_puts(&text, is_file ? "]}" : "");
	if (is_file)
		source = file_source(buf_span(&text));
	config_free(parse(
	    &source, n == MOST ? NO_CLIENT_ID NO_PUBLIC_URL
		     : is_file ? F1 "trusted_proxies: has more than 256 items" NETWORKS
			       : "REDIRECTD_TRUSTED_PROXIES: trusted_proxies: has more than 256 "
				 "items" NETWORKS));
}
END_TEST

/* Microsoft's 256 characters, of which /api/ms_admin_consent_callback takes 30. */
START_TEST(limits_public_url)
{
	char array[400];
	char *environment[] = { array, NULL };
	struct config_source source = { .environment = environment, .processors = 2 };
	struct buf text;

	buf_init(&text, array, sizeof(array));
	buf_puts(&text, "REDIRECTD_PUBLIC_URL=https://");
	for (int i = 0; i < 4; i++)
		buf_puts(&text, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee.");
	buf_puts(&text, _i == 0 ? "0123.example.x" : "01234.example.x");
	config_free(parse(&source,
	    _i == 0 ? NO_CLIENT_ID
		    : "REDIRECTD_PUBLIC_URL: public_url: makes a redirect URI of more than "
		      "Microsoft's 256 characters" PUBLIC_URL));
}
END_TEST

/* A default must be no longer than the parameter in whose place it stands. */
START_TEST(limits_return_urls)
{
	char array[1100];
	char *environment[] = { array, NULL };
	struct config_source source = { .environment = environment, .processors = 2 };
	struct buf text;

	buf_init(&text, array, sizeof(array));
	buf_puts(&text, "REDIRECTD_CONNECT_ERROR_URL=https://app.example.com/");
	for (size_t i = strlen("https://app.example.com/"); i < 1024 + (size_t)_i; i++)
		buf_putc(&text, 'x');
	config_free(parse(&source,
	    _i == 0 ? NO_CLIENT_ID NO_PUBLIC_URL
		    : "REDIRECTD_CONNECT_ERROR_URL: connect.error_url: is longer than 1024 "
		      "bytes" URL));
}
END_TEST

/* Every key as config_describe() shows it, on a line of its own. */
static void
put_described(struct buf *out, const struct config *config)
{
	for (size_t i = 0; config_describe(config, i, out); i++)
		buf_putc(out, '\n');
	ck_assert(buf_ok(out));
}

START_TEST(has_defaults)
{
	char array[8 * 1024];
	struct config_source source = { .processors = 3 };
	struct config *config = parse(&source, NO_CLIENT_ID NO_PUBLIC_URL);
	struct buf text;

	buf_init(&text, array, sizeof(array));
	put_described(&text, config);
	ck_assert_str_eq(text.data,
	    "public_url = (not set) (default)\n"
	    "listen.address = :: (default)\n"
	    "listen.port = 8080 (default)\n"
	    "admin.address = 127.0.0.1 (default)\n"
	    "admin.port = 9464 (default)\n"
	    "recall.region = us-east-1 (default)\n"
	    "recall.base_url = https://us-east-1.recall.ai (from recall.region)\n"
	    "microsoft.client_id = (not set) (default)\n"
	    "microsoft.association_ids = (none) (default)\n"
	    "microsoft.tenant = common (default)\n"
	    "microsoft.authority = https://login.microsoftonline.com (default)\n"
	    "microsoft.scopes = offline_access,openid,email,"
	    "https://graph.microsoft.com/Calendars.Read (default)\n"
	    "google.client_id = (not set) (default)\n"
	    "google.scopes = https://www.googleapis.com/auth/calendar.events.readonly,"
	    "https://www.googleapis.com/auth/userinfo.email (default)\n"
	    "connect.success_url = (not set) (default)\n"
	    "connect.error_url = (not set) (default)\n"
	    "connect.return_origins = (none) (default)\n"
	    "connect.start_origins = (none) (default)\n"
	    "connect.cross_site = refuse (default)\n"
	    "callback.browser_binding = report (default)\n"
	    "callback.admin_wall = forward (default)\n"
	    "app.name = (not set) (default)\n"
	    "app.url = (not set) (default)\n"
	    "reload.poll_seconds = 10 (default)\n"
	    "tls.certificate = (not set) (default)\n"
	    "tls.private_key = (not set) (default)\n"
	    "tls.hsts_seconds = 0 (default)\n"
	    "trusted_proxies = (none) (default)\n"
	    "limits.query_bytes = 8192 (default)\n"
	    "limits.connections = 4096 (default)\n"
	    "limits.connections_per_ip = 0 (default)\n"
	    "limits.request_seconds = 10 (default)\n"
	    "limits.idle_seconds = 75 (default)\n"
	    "shutdown.delay_seconds = 0 (default)\n"
	    "shutdown.timeout_seconds = 8 (default)\n"
	    "log.level = info (default)\n"
	    "log.format = json (default)\n"
	    "log.access = true (default)\n"
	    "threads = 3 (default)\n");
	config_free(config);
}
END_TEST

START_TEST(takes_every_key_of_a_file)
{
	char array[8 * 1024];
	struct config_source source = file_source((struct span)SPAN(
	    "{\"public_url\": \"https://oauth.example.com\",\n"
	    "\"listen\": {\"address\": \"0.0.0.0\", \"port\": 0},\n"
	    "\"admin\": {\"address\": \"::1\", \"port\": 65535},\n"
	    "\"recall\": {\"region\": \"eu-central-1\", \"base_url\": \"http://localhost:9000\"},\n"
	    "\"microsoft\": {\"client_id\": \"" A_GUID "\", \"association_ids\": [\"" A_GUID
	    "\", \"" B_GUID "\"],\n"
	    "\"tenant\": \"contoso.onmicrosoft.com\", \"authority\": "
	    "\"https://login.microsoftonline.us\",\n"
	    "\"scopes\": [\"email\", \"https://graph.microsoft.com/Calendars.Read\", "
	    "\"openid\", \"offline_access\", \"User.Read\"]}, \"google\": {\"client_id\": "
	    "\"1-a.apps.googleusercontent.com\", \"scopes\": "
	    "[\"https://www.googleapis.com/auth/calendar.events.readonly\", "
	    "\"https://www.googleapis.com/auth/userinfo.email\", \"openid\"]},\n"
	    "\"connect\": {\"success_url\": \"https://a.example/ok?x=1#y\",\n"
	    "\"error_url\": \"http://localhost/error\", \"return_origins\": "
	    "[\"https://b.example:8443\"],\n"
	    "\"start_origins\": [\"https://c.example\"], \"cross_site\": \"allow\"},\n"
	    "\"callback\": {\"browser_binding\": \"enforce\", \"admin_wall\": \"page\"},"
	    "\"app\": {\"name\": \"Caf\xc3\xa9 <&>\", \"url\": \"https://a.example/?x=1#y\"},\n"
	    "\"reload\": {\"poll_seconds\": 3600},"
	    "\"tls\": {\"certificate\": \"/etc/caf\xc3\xa9.pem\", \"private_key\": \"k.pem\", "
	    "\"hsts_seconds\": 63072000},\n"
	    "\"trusted_proxies\": [\"10.0.0.0/8\", \"192.0.2.1\", \"fd00::/128\", \"::/0\"],\n"
	    "\"limits\": {\"query_bytes\": 65536, \"connections\": 1, \"connections_per_ip\": "
	    "1000000,\n\"request_seconds\": 300, \"idle_seconds\": 3600},\n"
	    "\"shutdown\": {\"delay_seconds\": 300, \"timeout_seconds\": 1},\n"
	    "\"log\": {\"level\": \"debug\", \"format\": \"text\", \"access\": false},\n"
	    "\"threads\": 1}"));
	struct config *config = parse(&source, "");
	struct buf text;

	buf_init(&text, array, sizeof(array));
	put_described(&text, config);
	ck_assert_str_eq(text.data,
	    "public_url = https://oauth.example.com (test.json:1)\n"
	    "listen.address = 0.0.0.0 (test.json:2)\n"
	    "listen.port = 0 (test.json:2)\n"
	    "admin.address = ::1 (test.json:3)\n"
	    "admin.port = 65535 (test.json:3)\n"
	    "recall.region = eu-central-1 (test.json:4)\n"
	    "recall.base_url = http://localhost:9000 (test.json:4)\n"
	    "microsoft.client_id = " A_GUID " (test.json:5)\n"
	    "microsoft.association_ids = " A_GUID "," B_GUID " (test.json:5)\n"
	    "microsoft.tenant = contoso.onmicrosoft.com (test.json:6)\n"
	    "microsoft.authority = https://login.microsoftonline.us (test.json:6)\n"
	    "microsoft.scopes = email,https://graph.microsoft.com/Calendars.Read,openid,"
	    "offline_access,User.Read (test.json:7)\n"
	    "google.client_id = 1-a.apps.googleusercontent.com (test.json:7)\n"
	    "google.scopes = https://www.googleapis.com/auth/calendar.events.readonly,"
	    "https://www.googleapis.com/auth/userinfo.email,openid (test.json:7)\n"
	    "connect.success_url = https://a.example/ok?x=1#y (test.json:8)\n"
	    "connect.error_url = http://localhost/error (test.json:9)\n"
	    "connect.return_origins = https://b.example:8443 (test.json:9)\n"
	    "connect.start_origins = https://c.example (test.json:10)\n"
	    "connect.cross_site = allow (test.json:10)\n"
	    "callback.browser_binding = enforce (test.json:11)\n"
	    "callback.admin_wall = page (test.json:11)\n"
	    "app.name = Caf\xc3\xa9 <&> (test.json:11)\n"
	    "app.url = https://a.example/?x=1#y (test.json:11)\n"
	    "reload.poll_seconds = 3600 (test.json:12)\n"
	    "tls.certificate = /etc/caf\xc3\xa9.pem (test.json:12)\n"
	    "tls.private_key = k.pem (test.json:12)\n"
	    "tls.hsts_seconds = 63072000 (test.json:12)\n"
	    "trusted_proxies = 10.0.0.0/8,192.0.2.1,fd00::/128,::/0 (test.json:13)\n"
	    "limits.query_bytes = 65536 (test.json:14)\n"
	    "limits.connections = 1 (test.json:14)\n"
	    "limits.connections_per_ip = 1000000 (test.json:14)\n"
	    "limits.request_seconds = 300 (test.json:15)\n"
	    "limits.idle_seconds = 3600 (test.json:15)\n"
	    "shutdown.delay_seconds = 300 (test.json:16)\n"
	    "shutdown.timeout_seconds = 1 (test.json:16)\n"
	    "log.level = debug (test.json:17)\n"
	    "log.format = text (test.json:17)\n"
	    "log.access = false (test.json:17)\n"
	    "threads = 1 (test.json:18)\n");
	config_free(config);
}
END_TEST

/* A key of each type, told by each source in turn; the last one that speaks wins. */
static const struct {
	const char *described[4]; /* from default, file, environment, flag */
	const char *file;
	const char *variable;
	struct config_flag flag;
} precedence_rows[] = {
	{ { "microsoft.tenant = common (default)", "microsoft.tenant = a.example (test.json:1)",
	      "microsoft.tenant = b.example (REDIRECTD_MICROSOFT_TENANT)",
	      "microsoft.tenant = c.example (--microsoft.tenant)" },
	    "{\"microsoft.tenant\": \"a.example\"}", "REDIRECTD_MICROSOFT_TENANT=b.example",
	    { "microsoft.tenant", "c.example" } },
	{ { "listen.port = 8080 (default)", "listen.port = 1 (test.json:1)",
	      "listen.port = 2 (REDIRECTD_LISTEN_PORT)", "listen.port = 3 (--listen.port)" },
	    "{\"listen\": {\"port\": 1}}", "REDIRECTD_LISTEN_PORT=2", { "listen.port", "3" } },
	{ { "log.access = true (default)", "log.access = false (test.json:1)",
	      "log.access = true (REDIRECTD_LOG_ACCESS)", "log.access = false (--log.access)" },
	    "{\"log\": {\"access\": false}}", "REDIRECTD_LOG_ACCESS=true",
	    { "log.access", "false" } },
	{ { "log.level = info (default)", "log.level = debug (test.json:1)",
	      "log.level = warning (REDIRECTD_LOG_LEVEL)", "log.level = error (--log.level)" },
	    "{\"log.level\": \"debug\"}", "REDIRECTD_LOG_LEVEL=warning", { "log.level", "error" } },
	{ { "trusted_proxies = (none) (default)", "trusted_proxies = ::1,::2 (test.json:1)",
	      "trusted_proxies = 10.0.0.0/8,::3 (REDIRECTD_TRUSTED_PROXIES)",
	      "trusted_proxies = (none) (--trusted_proxies)" },
	    "{\"trusted_proxies\": [\"::1\", \"::2\"]}",
	    "REDIRECTD_TRUSTED_PROXIES= 10.0.0.0/8 ,\t::3", { "trusted_proxies", "" } },
	{ { "threads = 2 (default)", "threads = 4 (test.json:1)", "threads = 5 (REDIRECTD_THREADS)",
	      "threads = 6 (--threads)" },
	    "{\"threads\": 4.0}", "REDIRECTD_THREADS=5", { "threads", "6" } },
};

START_TEST(later_sources_win)
{
	enum { FILE_SPEAKS = 1, ENVIRONMENT_SPEAKS = 2, FLAG_SPEAKS = 4, COMBINATIONS = 8 };
	int row = _i / COMBINATIONS, speaking = _i % COMBINATIONS;
	char *environment[] = { (char *)(uintptr_t)precedence_rows[row].variable, NULL };
	struct config_source source = { .processors = 2 };
	struct config *config;

	if (speaking & FILE_SPEAKS)
		source = file_source(span_of(precedence_rows[row].file));
	if (speaking & ENVIRONMENT_SPEAKS)
		source.environment = environment;
	source.flags = &precedence_rows[row].flag;
	source.n_flags = speaking & FLAG_SPEAKS ? 1 : 0;
	config = parse(&source, NO_CLIENT_ID NO_PUBLIC_URL);
	check_described(config, precedence_rows[row].described[speaking & FLAG_SPEAKS          ? 3
							       : speaking & ENVIRONMENT_SPEAKS ? 2
							       : speaking & FILE_SPEAKS        ? 1
											: 0]);
	config_free(config);
}
END_TEST

/* What follows from other keys: file text to region, base URL, ids and origins. */
static const struct {
	const char *file;
	const char *derived;
} derived_rows[] = {
	{ "{}", "us-east-1|https://us-east-1.recall.ai||" },
	{ "{\"recall.region\": \"us-west-2\"}", "us-west-2|https://us-west-2.recall.ai||" },
	{ "{\"recall.region\": \"eu-central-1\"}",
	    "eu-central-1|https://eu-central-1.recall.ai||" },
	{ "{\"recall.region\": \"ap-northeast-1\"}",
	    "ap-northeast-1|https://ap-northeast-1.recall.ai||" },
	{ "{\"recall\": {\"region\": \"us-west-2\", \"base_url\": \"https://new.recall.ai\"}}",
	    "us-west-2|https://new.recall.ai||" },
	{ "{\"microsoft.client_id\": \"" A_GUID "\"}",
	    "us-east-1|https://us-east-1.recall.ai|" A_GUID "|" },
	{ "{\"microsoft\": {\"client_id\": \"" A_GUID "\", \"association_ids\": [\"" B_GUID "\"]}}",
	    "us-east-1|https://us-east-1.recall.ai|" B_GUID "|" },
	{ "{\"microsoft\": {\"association_ids\": [\"" B_GUID "\", \"" A_GUID "\"]}}",
	    "us-east-1|https://us-east-1.recall.ai|" B_GUID "," A_GUID "|" },
	{ "{\"public_url\": \"https://oauth.example.com\"}",
	    "us-east-1|https://us-east-1.recall.ai||https oauth.example.com 443" },
	{ "{\"public_url\": \"https://OAuth.Example.com:8443\", \"connect\": {"
	  "\"success_url\": \"http://localhost/a/b?c#d\", \"error_url\": "
	  "\"https://app.example.com/x\", "
	  "\"return_origins\": [\"https://b.example:443\", \"HTTP://LOCALHOST:3000\", "
	  "\"http://[::1]:1\"],"
	  "\"start_origins\": [\"https://never.example\"]}}",
	    "us-east-1|https://us-east-1.recall.ai||https oauth.example.com 8443,http localhost 80,"
	    "https app.example.com 443,https b.example 443,http localhost 3000,http [::1] 1" },
};

static void
put_derived(struct buf *out, const struct config *config)
{
	buf_printf(out, "%s|%s|", config->region_name, config->recall_base_url);
	for (size_t i = 0; i < config->microsoft_association_ids.n; i++)
		buf_printf(
		    out, "%s%s", i > 0 ? "," : "", config->microsoft_association_ids.items[i]);
	buf_putc(out, '|');
	for (size_t i = 0; i < config->n_return_origins; i++)
		buf_printf(out, "%s%s %s %u", i > 0 ? "," : "",
		    config->return_origins[i].https ? "https" : "http",
		    config->return_origins[i].host, config->return_origins[i].port);
	ck_assert(buf_ok(out));
}

START_TEST(derives)
{
	char array[1024];
	struct config *config = support_config(derived_rows[_i].file, NULL);
	struct buf text;

	buf_init(&text, array, sizeof(array));
	put_derived(&text, config);
	ck_assert_str_eq(text.data, derived_rows[_i].derived);
	config_free(config);
}
END_TEST

/* Whom pages speak for, and where they lead back to. */
static const struct {
	const char *file;
	const char *app;
} app_rows[] = {
	{ "{}", "app.name = (not set) (default)\napp.url = (not set) (default)\n" },
	{ "{\"connect.error_url\": \"https://app.example.com/x\"}",
	    "app.name = (not set) (default)\napp.url = (not set) (default)\n" },
	{ "{\"connect.success_url\": \"https://App.example.com:443/x?y#z\"}",
	    "app.name = app.example.com (from app.url)\n"
	    "app.url = https://app.example.com (from connect.success_url)\n" },
	{ "{\"connect.success_url\": \"http://localhost:3000/\"}",
	    "app.name = localhost (from app.url)\n"
	    "app.url = http://localhost:3000 (from connect.success_url)\n" },
	{ "{\"connect.success_url\": \"https://a.example/\", \"app.name\": \"" CHARACTERS_64 "\"}",
	    "app.name = " CHARACTERS_64 " (test.json:1)\n"
	    "app.url = https://a.example (from connect.success_url)\n" },
	{ "{\"connect.success_url\": \"https://a.example/\", \"app.url\": \"https://b.example/?c\"}",
	    "app.name = b.example (from app.url)\napp.url = https://b.example/?c (test.json:1)\n" },
	{ "{\"app.url\": \"https://" LABEL_60 ".abc/x\"}",
	    "app.name = " LABEL_60 ".abc (from app.url)\n"
	    "app.url = https://" LABEL_60 ".abc/x (test.json:1)\n" },
	{ "{\"app.url\": \"https://" LABEL_60 ".abcd/x\"}",
	    "app.name = (not set) (default)\napp.url = https://" LABEL_60
	    ".abcd/x (test.json:1)\n" },
};

START_TEST(derives_the_app)
{
	struct config_source source = file_source(span_of(app_rows[_i].file));
	struct config *config = parse(&source, NO_CLIENT_ID NO_PUBLIC_URL);
	char array[1024], line[512];
	struct buf text, one;

	buf_init(&text, array, sizeof(array));
	for (size_t i = 0;; i++) {
		buf_init(&one, line, sizeof(line));
		if (!config_describe(config, i, &one))
			break;
		if (strncmp(line, "app.", 4) == 0)
			buf_printf(&text, "%s\n", line);
	}
	ck_assert_str_eq(text.data, app_rows[_i].app);
	config_free(config);
}
END_TEST

START_TEST(makes_hsts)
{
	struct config *config = support_config("{\"tls.hsts_seconds\": 63072000}", NULL);

	ck_assert_str_eq(config->hsts, "max-age=63072000");
	config_free(config);
	config = support_config("{\"tls.hsts_seconds\": 0}", NULL);
	ck_assert_str_eq(config->hsts, "");
	config_free(config);
}
END_TEST

START_TEST(says_what_a_value_followed_from)
{
	struct config *config = support_config("{\"microsoft.client_id\": \"" A_GUID "\"}", NULL);

	check_described(
	    config, "microsoft.association_ids = " A_GUID " (from microsoft.client_id)");
	check_described(
	    config, "recall.base_url = https://us-east-1.recall.ai (from recall.region)");
	config_free(config);
}
END_TEST

/* No such value is good for any key, and none may be repeated to whoever reads the findings. */
#define MARKER "\x01hunter2"

/* The name of the key at index, which stands before " = ". */
static bool
key_name(const struct config *defaults, size_t index, char name[64])
{
	char array[1024];
	struct buf line;

	buf_init(&line, array, sizeof(array));
	if (!config_describe(defaults, index, &line))
		return false;
	*strchr(line.data, ' ') = '\0';
	memcpy(name, line.data, strlen(line.data) + 1);
	return true;
}

static void
check_no_marker(const struct config_source *source, size_t n_wanted)
{
	struct findings findings = { 0 };

	ck_assert_ptr_null(config_parse(source, &findings));
	ck_assert_uint_eq(findings.n, n_wanted);
	ck_assert_uint_eq(findings.n_errors, n_wanted);
	for (size_t i = 0; i < findings.n; i++)
		ck_assert_msg(strstr(findings.items[i].text, "hunter2") == NULL, "%s",
		    findings.items[i].text);
	findings_free(&findings);
}

static void
put_variable(struct buf *out, const char *key)
{
	buf_puts(out, "REDIRECTD_");
	for (; *key != '\0'; key++)
		buf_putc(out, *key == '.'                  ? '_'
			      : *key >= 'a' && *key <= 'z' ? (char)(*key - 'a' + 'A')
							   : *key);
	buf_puts(out, "=" MARKER);
	ck_assert(buf_ok(out));
}

/* The marker in this key by file, by variable and by flag: three findings, none with it. */
static void
check_key_hides_value(const char *name)
{
	char file[160], variable[160];
	char *environment[] = { variable, NULL };
	struct config_flag flag = { name, MARKER };
	struct config_source source;
	struct buf text;

	buf_init(&text, file, sizeof(file));
	buf_printf(&text, "{\"%s\": \"\\u0001hunter2\"}", name);
	buf_init(&text, variable, sizeof(variable));
	put_variable(&text, name);
	source = file_source(span_of(file));
	source.environment = environment;
	source.flags = &flag;
	source.n_flags = 1;
	check_no_marker(&source, 3);
}

START_TEST(never_repeats_a_value)
{
	struct config *defaults = support_config(NULL, NULL);
	char name[64];
	size_t n = 0;

	for (; key_name(defaults, n, name); n++)
		check_key_hides_value(name);
	ck_assert_uint_eq(n, 39);
	config_free(defaults);
}
END_TEST

/* Nor is it in findings about lists, unknown names, repeated names and broken files. */
static const struct span marker_files[] = {
	SPAN("{\"trusted_proxies\": [\"hunter2\"]}"),
	SPAN("{\"colour\": \"hunter2\"}"),
	SPAN("{\"threads\": 1, \"threads\": \"hunter2\"}"),
	SPAN("{\"listen\": \"hunter2\"}"),
	SPAN("{\"tls.certificate\": \"hunter2\""),
	SPAN("{} hunter2"),
	SPAN("\"hunter2\""),
	SPAN("{\"tls.certificate\": \"hunter2\"}"),
};

/* A value that may be a password in place of a path, and what is plainly a path. */
START_TEST(shows_paths_only)
{
	struct config *config = support_config(
	    "{\"tls\": {\"certificate\": \"hunter2\", \"private_key\": \"./k\"}}", NULL);

	check_described(config, "tls.certificate = (a value that is not shown) (test.json:1)");
	check_described(config, "tls.private_key = ./k (test.json:1)");
	config_free(config);
}
END_TEST

START_TEST(never_repeats_a_file)
{
	struct config_source source = file_source(marker_files[_i]);

	check_no_marker(&source, 1);
}
END_TEST

START_TEST(never_repeats_unknown_variables)
{
	char *environment[] = { "REDIRECTD_COLOUR=hunter2", "REDIRECTD_PORT=tcp://hunter2",
		"REDIRECTD_LISTEN_PROT=hunter2", NULL };
	struct config_source source = { .environment = environment, .processors = 2 };

	check_no_marker(&source, 3);
}
END_TEST

/* Sources are the operator's own text, but not one that could write to a terminal. */
START_TEST(cleans_sources)
{
	struct config_source source = file_source((struct span)SPAN("{\"threads\": 0}"));

	source.file_name = "a\x1b[31m\n\xff.json";
	config_free(parse(&source, "a?[31m??.json:1: threads: is out of range" THREADS));
}
END_TEST

static void
add_table_tests(TCase *tests)
{
	tcase_add_loop_test(tests, refuses_in_file, 0, COUNT(file_rows));
	tcase_add_loop_test(tests, accepts_file, 0, COUNT(good_file_rows));
	tcase_add_loop_test(tests, refuses_in_environment, 0, COUNT(variable_rows));
	LOOP(tests, takes_port_of_platform, port_rows);
	LOOP(tests, refuses_port_of_platform, bad_port_rows);
	tcase_add_loop_test(tests, refuses_in_flags, 0, COUNT(flag_rows));
	tcase_add_loop_test(tests, later_sources_win, 0, 8 * COUNT(precedence_rows));
	tcase_add_loop_test(tests, derives, 0, COUNT(derived_rows));
	tcase_add_loop_test(tests, never_repeats_a_file, 0, COUNT(marker_files));
	tcase_add_loop_test(tests, names_keys_that_need_a_restart, 0, COUNT(restart_rows));
	tcase_add_loop_test(tests, names_keys_that_are_set, 0, COUNT(set_rows));
	tcase_add_loop_test(tests, limits_items, 0, 4);
	tcase_add_loop_test(tests, limits_public_url, 0, 2);
	tcase_add_loop_test(tests, limits_return_urls, 0, 2);
}

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	add_table_tests(tests);
	tcase_add_test(tests, skips_variables);
	tcase_add_test(tests, finds_everything_in_one_run);
	tcase_add_test(tests, refuses_repeated_flags);
	tcase_add_test(tests, keeps_error_below_a_good_value);
	tcase_add_loop_test(tests, names_keys_that_changed, 0, COUNT(changed_rows));
	tcase_add_test(tests, names_keys_that_are_too_long_to_compare);
	tcase_add_test(tests, adds_what_others_found);
	tcase_add_test(tests, has_defaults);
	tcase_add_test(tests, takes_every_key_of_a_file);
	tcase_add_loop_test(tests, derives_the_app, 0, COUNT(app_rows));
	tcase_add_test(tests, makes_hsts);
	tcase_add_test(tests, says_what_a_value_followed_from);
	tcase_add_test(tests, never_repeats_a_value);
	tcase_add_test(tests, shows_paths_only);
	tcase_add_test(tests, never_repeats_unknown_variables);
	tcase_add_test(tests, cleans_sources);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
