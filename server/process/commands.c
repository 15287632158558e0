#include "process/commands.h"

#include <stdio.h>

#include "flow/oauth.h"
#include "flow/params.h"
#include "process/certificate.h"
#include "process/report.h"
#include "system/tls.h"

enum { TOKEN_MAX_LEN = 4096 };

enum exit_code
command_check(const struct config *config, struct findings *findings)
{
	struct tls_pair *pair = NULL;
	bool good = certificate_read(config, true, findings, &pair);
	BUF(keys, 64);

	tls_free(pair);
	config_add_advice(config, findings);
	report_print_findings(findings, stdout);
	if (!good || findings->out_of_memory)
		return EXIT_CONFIG;
	for (const struct provider *p = providers; p < providers + N_PROVIDERS; p++) {
		if (config->registered[p->id].client_id == NULL)
			continue;
		printf("Check at Recall: the client id in the dashboard of this region has to be "
		       "%s.client_id: %s/dashboard/platforms/%s\n",
		    p->name, config->recall_base_url, p->name);
		if (config->public_url != NULL)
			printf(
			    "Check at %s: this redirect URI has to be registered, to the letter: %s%s\n",
			    p->title, config->public_url, p->callback_path);
	}
	config_put_set_keys(config, "recall.", &keys);
	printf("Answers go to %s (%s)\nThe configuration is good.\n", config->recall_base_url,
	    keys.len > 0 ? keys.data : "default");
	return EXIT_GOOD;
}

enum exit_code
command_config(const struct config *config)
{
	for (size_t i = 0;; i++) {
		BUF(line, 16 * 1024);

		if (!config_describe(config, i, &line))
			return EXIT_GOOD;
		printf("%s\n", buf_ok(&line) ? line.data : "(a value too long to print)");
	}
}

/* Say on standard error which keys a command lacks; true where it lacks none. */
static bool
has_keys(const struct config *config, const struct provider *provider, const char *command)
{
	bool has_id = provider == NULL || config->registered[provider->id].client_id != NULL;

	if (config->public_url == NULL)
		fprintf(stderr,
		    "%s: public_url is not set; set it to the origin that users see, such as "
		    "https://oauth.example.com\n",
		    command);
	if (!has_id)
		fprintf(stderr,
		    "%s: %s.client_id is not set; set it to the app's client id at %s\n", command,
		    provider->name, provider->title);
	return config->public_url != NULL && has_id;
}

/* The option's token, or the first line of standard input as far as there is room in array. */
static struct span
read_token(const char *token, char *array, size_t size)
{
	size_t len = 0;
	int c;

	if (strcmp(token, "-") != 0)
		return span_of(token);
	while (len < size && (c = getchar()) != EOF && c != '\n')
		array[len++] = (char)c;
	len -= len > 0 && array[len - 1] == '\r';
	return (struct span){ array, len };
}

enum exit_code
command_url(const struct config *config, const struct options *options)
{
	struct span params[N_PARAMS], none = SPAN("");
	char line[TOKEN_MAX_LEN];
	struct problem problem;
	BUF(url, 32 * 1024);
	BUF(state, OAUTH_STATE_SIZE);

	if (!has_keys(config, options->provider, "url"))
		return EXIT_CONFIG;
	if (options->admin) {
		oauth_put_admin_consent_url(&url, config, none, none);
	} else {
		for (size_t i = 0; i < N_PARAMS; i++)
			params[i] = none;
		params[PARAM_TOKEN] = read_token(options->token, line, sizeof(line));
		if (!params_check_token(params[PARAM_TOKEN], &problem)) {
			fprintf(stderr, "url: the token %s\n", problem.detail);
			return EXIT_FAILED;
		}
		oauth_put_authorize_url(&url, config, options->provider, params, &state);
	}
	printf("%s\n", url.data);
	explicit_bzero(line, sizeof(line));
	buf_wipe(&url);
	buf_wipe(&state);
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

static int step; /* of setup: the last one printed */

static const char *
client_id(const struct config *config, enum provider_id provider)
{
	const char *id = config->registered[provider].client_id;

	return id != NULL ? id : "(not set yet: comes with the registration)";
}

static void
print_scopes(const struct text_list *scopes)
{
	for (size_t i = 0; i < scopes->n; i++)
		printf("                              %s\n", scopes->items[i]);
}

static void
print_microsoft(const struct config *config)
{
	printf(
	    "%d. Microsoft Entra admin center, https://entra.microsoft.com: App registrations\n"
	    "   (a new registration; editing an old one can leave it broken)\n\n"
	    "   Supported account types  %s\n"
	    "   Platform                 Web\n"
	    "   Redirect URIs            %s%s\n"
	    "                            %s%s\n"
	    "   Authentication           add the second URI; tick \"ID tokens\", then Save\n"
	    "   API permissions          Microsoft Graph, Delegated; find each by its last part:\n",
	    ++step, account_types(config->microsoft_tenant), config->public_url,
	    MICROSOFT_CALLBACK_PATH, config->public_url, OAUTH_ADMIN_CALLBACK_PATH);
	print_scopes(&config->registered[MICROSOFT].scopes);
	printf("   Overview                 Application (client) ID, for microsoft.client_id:\n"
	       "                              %s\n"
	       "   Certificates & secrets   New client secret, 24 months; copy its Value\n"
	       "   Branding & properties    Publisher domain, after deployment: verify %s, by\n"
	       "                              %s%s.json\n"
	       "   \"Need admin approval\"    send the customer's IT\n"
	       "                              %s%s\n\n",
	    client_id(config, MICROSOFT), strstr(config->public_url, "//") + 2, config->public_url,
	    OAUTH_ASSOCIATION_PATH, config->public_url, OAUTH_ADMIN_PATH);
}

static void
print_google(const struct config *config)
{
	printf(
	    "%d. Google Cloud console, https://console.cloud.google.com: a project for the app\n\n"
	    "   APIs & Services          Library: enable the Google Calendar API\n"
	    "   OAuth consent screen     Branding: name, support address, authorized domain\n"
	    "                            Audience: External; publish the app, since access\n"
	    "                              ends after 7 days while it is in testing\n"
	    "                            Data access, scopes:\n",
	    ++step);
	print_scopes(&config->registered[GOOGLE].scopes);
	printf(
	    "   Clients                  New client, Web application\n"
	    "                            Authorized redirect URIs: %s%s\n"
	    "                            Client ID, for google.client_id:\n"
	    "                              %s\n"
	    "                            Client secret: copy it\n"
	    "   Search Console           https://search.google.com/search-console: verify the\n"
	    "                              domain of %s\n"
	    "   Verification center      submit the app: reading events is a sensitive scope\n\n",
	    config->public_url, GOOGLE_CALLBACK_PATH, client_id(config, GOOGLE),
	    strstr(config->public_url, "//") + 2);
}

static void
print_common(const struct config *config, const struct provider *provider)
{
	static const char query[] = "?code=test&state=a%2fb+c";

	printf("%d. Recall dashboard of %s, %s/dashboard/platforms/%s\n\n"
	       "   Client ID                %s\n"
	       "   Client secret            the one copied from %s\n\n",
	    step + 1, config->region_name, config->recall_base_url, provider->name,
	    client_id(config, provider->id), provider->title);
	printf("%d. Prove the deployment for %s, from any machine\n\n"
	       "   curl -si '%s%s%s'\n"
	       "     302, Location: %s%s%s\n"
	       "   curl -si %s%s\n"
	       "     400, recall_calendar_auth_token is missing\n\n",
	    step + 2, provider->title, config->public_url, provider->callback_path, query,
	    config->recall_base_url, provider->recall_path, query, config->public_url,
	    provider->start_path);
	step += 2;
}

enum exit_code
command_setup(const struct config *config)
{
	static void (*const print[N_PROVIDERS])(
	    const struct config *) = { print_microsoft, print_google };
	bool has_any = config->registered[MICROSOFT].client_id != NULL ||
		       config->registered[GOOGLE].client_id != NULL;

	if (!has_keys(config, NULL, "setup"))
		return EXIT_CONFIG;
	for (size_t i = 0; i < N_PROVIDERS; i++) {
		if (has_any && config->registered[i].client_id == NULL)
			continue;
		print[i](config);
		print_common(config, &providers[i]);
	}
	if (config->callback_browser_binding != BINDING_ENFORCE)
		printf(
		    "%d. Login CSRF: once redirectd_binding_total{result=\"missing\"} stays at 0 (\"binding\" in "
		    "the log),\n   set callback.browser_binding to enforce\n",
		    ++step);
	return EXIT_GOOD;
}
