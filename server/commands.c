/*
 * The commands that explain a configuration. They print; they change nothing and serve nothing.
 */
#include "commands.h"

#include <stdio.h>

#include "certificate.h"
#include "connect.h"
#include "oauth.h"
#include "tls.h"

static bool
check_certificate(const struct config *config)
{
	char fault[CERTIFICATE_FAULT_SIZE];
	struct tls_pair *pair;

	if (!certificate_read(config, &pair, fault)) {
		printf("error: %s\n", fault);
		return false;
	}
	if (pair != NULL && certificate_key_warning(config) != NULL)
		printf("warning: %s\n", certificate_key_warning(config));
	tls_free(pair);
	return true;
}

enum exit_code
command_check(const struct config *config)
{
	if (!check_certificate(config))
		return EXIT_CONFIG;
	if (config->microsoft_client_id != NULL)
		printf(
		    "Only the portals can tell: microsoft.client_id has to be the client id in the Recall "
		    "dashboard of this region, %s/dashboard/platforms/microsoft\n",
		    config->recall_base_url);
	if (config->public_url != NULL)
		printf(
		    "Only the portals can tell: %s%s has to be registered at Microsoft, platform Web, to the "
		    "letter\n",
		    config->public_url, OAUTH_CALLBACK_PATH);
	printf("The configuration is good.\n");
	return EXIT_GOOD;
}

enum exit_code
command_config(const struct config *config)
{
	char array[16 * 1024];
	struct buf line;

	for (size_t i = 0;; i++) {
		buf_init(&line, array, sizeof(array));
		if (!config_describe(config, i, &line))
			return EXIT_GOOD;
		printf("%s\n", buf_ok(&line) ? line.data : "(a value too long to print)");
	}
}

/* Say on standard error which keys a command lacks; true where it lacks none. */
static bool
has_keys(const struct config *config, const char *command)
{
	if (config->public_url == NULL)
		fprintf(stderr,
		    "%s: public_url is not set; set it to the origin that users see, such as "
		    "https://oauth.example.com\n",
		    command);
	if (config->microsoft_client_id == NULL)
		fprintf(stderr,
		    "%s: microsoft.client_id is not set; set it to the Application (client) ID "
		    "from the app's Overview page\n",
		    command);
	return config->public_url != NULL && config->microsoft_client_id != NULL;
}

enum exit_code
command_url(const struct config *config, struct span token)
{
	const struct connect_params params = { token, SPAN(""), SPAN(""), SPAN(""), SPAN(""),
		SPAN("") };
	char array[32 * 1024];
	struct problem problem;
	struct buf url;

	if (!has_keys(config, "url"))
		return EXIT_CONFIG;
	if (!connect_check_token(token, &problem)) {
		fprintf(stderr, "url: the token %s\n", problem.detail);
		return EXIT_FAILED;
	}
	buf_init(&url, array, sizeof(array));
	oauth_put_authorize_url(&url, config, &params);
	printf("%s\n", url.data);
	explicit_bzero(array, sizeof(array));
	return EXIT_GOOD;
}

enum exit_code
command_admin_url(const struct config *config)
{
	static const struct span none = SPAN("");
	char array[4096];
	struct buf url;

	if (!has_keys(config, "url"))
		return EXIT_CONFIG;
	buf_init(&url, array, sizeof(array));
	oauth_put_admin_consent_url(&url, config, none, none);
	printf("%s\n", url.data);
	return EXIT_GOOD;
}

static const char *
account_types(const char *tenant)
{
	if (strcmp(tenant, "common") == 0)
		return "Accounts in any organizational directory (Any Microsoft Entra ID tenant - "
		       "Multitenant) and personal Microsoft accounts";
	if (strcmp(tenant, "organizations") == 0)
		return "Accounts in any organizational directory (Any Microsoft Entra ID tenant - "
		       "Multitenant)";
	if (strcmp(tenant, "consumers") == 0)
		return "Personal Microsoft accounts only";
	return "Accounts in this organizational directory only (Single tenant)";
}

static void
print_microsoft(const struct config *config)
{
	printf("1. Microsoft Entra admin center, https://entra.microsoft.com: App registrations\n"
	       "   (a new registration; editing an old one can leave it broken)\n\n"
	       "   Supported account types  %s\n"
	       "   Platform                 Web\n"
	       "   Redirect URIs            %s%s\n"
	       "                            %s%s\n"
	       "   Authentication           tick \"ID tokens\", then Save\n"
	       "   API permissions          Microsoft Graph, Delegated:\n",
	    account_types(config->microsoft_tenant), config->public_url, OAUTH_CALLBACK_PATH,
	    config->public_url, OAUTH_ADMIN_CALLBACK_PATH);
	for (size_t i = 0; i < config->microsoft_scopes.n; i++)
		printf("                              %s\n", config->microsoft_scopes.items[i]);
	printf("   Overview                 Application (client) ID must be\n"
	       "                              %s\n"
	       "   Certificates & secrets   New client secret, 24 months; copy its Value\n"
	       "   Branding & properties    Publisher domain: verify %s\n\n",
	    config->microsoft_client_id, strstr(config->public_url, "//") + 2);
}

static void
print_recall(const struct config *config)
{
	printf("2. Recall dashboard of %s, %s/dashboard/platforms/microsoft\n\n"
	       "   Client ID                %s\n"
	       "   Client secret            the Value copied in step 1\n\n",
	    config->region_name, config->recall_base_url, config->microsoft_client_id);
}

static void
print_proof(const struct config *config)
{
	const char *url = config->public_url;

	printf(
	    "3. Prove the deployment, from any machine\n\n"
	    "   curl -si '%s%s?code=test&state=a%%2fb+c'\n"
	    "     302, Location: %s/api/v1/calendar/ms_oauth_callback/?code=test&state=a%%2fb+c\n"
	    "   curl -si %s%s.json\n"
	    "     200, Content-Type: application/json, the application id above\n"
	    "   curl -si %s%s\n"
	    "     400, recall_calendar_auth_token is missing\n"
	    "   curl -si %s/healthz\n"
	    "     200\n",
	    url, OAUTH_CALLBACK_PATH, config->recall_base_url, url, OAUTH_ASSOCIATION_PATH, url,
	    OAUTH_CONNECT_PATH, url);
}

static void
print_advice(const struct config *config)
{
	printf("\n4. Afterwards\n\n"
	       "   Customers whose users see \"Need admin approval\": send their IT\n"
	       "     %s%s\n",
	    config->public_url, OAUTH_ADMIN_PATH);
	if (config->callback_browser_binding != BINDING_ENFORCE)
		printf(
		    "   Login CSRF: once binding_total{result=\"missing\"} stays at 0 (\"binding\" in the log),\n"
		    "     set callback.browser_binding to enforce\n");
}

enum exit_code
command_setup(const struct config *config)
{
	if (!has_keys(config, "setup"))
		return EXIT_CONFIG;
	print_microsoft(config);
	print_recall(config);
	print_proof(config);
	print_advice(config);
	return EXIT_GOOD;
}
