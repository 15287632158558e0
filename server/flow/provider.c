#include "flow/provider.h"

static const char *const microsoft_prompts[] = { "login", "select_account", NULL };

static const char approve[] =
    "An administrator has to approve the app: send the admin-consent link to the customer's IT "
    "department";
static const char perhaps_approve[] =
    "The visitor cancelled, or Microsoft showed \"Need admin approval\": send the admin-consent "
    "link to the customer's IT department";
#define ASK_IT                                                                                     \
	"The customer's Conditional Access policy blocked the sign-in: their IT department has "   \
	"to allow it"
#define WRONG_ACCOUNT                                                                              \
	"The visitor signed in with an account of the wrong tenant or kind: they should sign out " \
	"and start again with their work account"
#define NO_PROMPT_NONE "The visitor has to sign in: remove prompt=none from the app's links"
#define BUSY           "The provider is busy: the visitor should try again in a few minutes"
#define CODE_ONLY      "The app's link must ask for response_type=code"

/* https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
static const struct cure microsoft_cures[] = {
	{ "65001", approve },
	{ "90094", approve },
	{ "90095", approve },
	{ "65004", "The visitor declined: they can start again and accept" },
	{ "50105", "The customer's IT department has to assign the user to the app" },
	{ "53000", ASK_IT },
	{ "53003", ASK_IT },
	{ "50131", ASK_IT },
	{ "530035", ASK_IT },
	{ "50020", WRONG_ACCOUNT },
	{ "50034", WRONG_ACCOUNT },
	{ "51004", WRONG_ACCOUNT },
	{ "50194", "The app registration is not multitenant: set its audience to accounts in any "
		   "directory and personal accounts" },
	{ "9002332", "The app registration does not allow personal accounts" },
	{ "70011", "A scope is misspelt: compare microsoft.scopes with the app registration" },
	{ "700054", "Tick ID tokens under Authentication in the app registration" },
	{ "7000215", "The client secret in the Recall dashboard is wrong" },
	{ "7000222", "The client secret in the Recall dashboard has expired" },
	{ "54005", "The code had already been redeemed: the visitor has to start again" },
	{ "70008", "The code or grant has expired: the visitor has to start again" },
	{ "50196", "The sign-in went in circles: remove prompt=consent from the app's links" },
	{ "unauthorized_client",
	    "The app registration does not allow this flow: its platform must be Web, "
	    "and its audience must include all tenants and personal accounts" },
	{ "access_denied", perhaps_approve },
	{ "unsupported_response_type", CODE_ONLY },
	{ "server_error", "Microsoft had an internal error: the visitor should try again. "
			  "Microsoft's support will ask for the correlation_id" },
	{ "temporarily_unavailable", BUSY },
	{ "invalid_resource", "A scope names an unknown resource: compare microsoft.scopes" },
	{ "login_required", NO_PROMPT_NONE },
	{ "interaction_required", NO_PROMPT_NONE },
	{ "consent_required", approve },
	{ NULL, NULL },
};

/* Without consent, Google gives Recall no refresh token. */
static const char *const google_prompts[] = { "consent", "select_account consent", NULL };

/* Google shows most of these on a page of its own; a callback usually sees access_denied only. */
static const struct cure google_cures[] = {
	{ "access_denied", "The visitor cancelled: they can start again and allow access" },
	{ "admin_policy_enforced", "The customer's Google administrator has to trust the app" },
	{ "org_internal", "Set the app's audience to External in the Google Cloud console" },
	{ "disallowed_useragent", "Google refuses sign-in inside an app: open it in a browser" },
	{ "redirect_uri_mismatch", "Register the redirect URI that setup prints, to the letter" },
	{ "invalid_client", "google.client_id is not, or no longer, an OAuth client" },
	{ "deleted_client", "google.client_id is not, or no longer, an OAuth client" },
	{ "unauthorized_client", "The OAuth client has to be of the type Web application" },
	{ "unsupported_response_type", CODE_ONLY },
	{ "invalid_scope", "A scope is misspelt: compare google.scopes with the consent screen" },
	{ "server_error", "Google had an internal error: the visitor should try again" },
	{ "temporarily_unavailable", BUSY },
	{ "login_required", NO_PROMPT_NONE },
	{ "interaction_required", NO_PROMPT_NONE },
	{ NULL, NULL },
};

const struct provider providers[N_PROVIDERS] = {
	[MICROSOFT] = {
		.id = MICROSOFT,
		.name = "microsoft",
		.title = "Microsoft",
		.start_path = MICROSOFT_START_PATH,
		.callback_path = MICROSOFT_CALLBACK_PATH,
		.recall_path = "/api/v1/calendar/ms_oauth_callback/",
		.cookie_prefix = "__Host-redirectd-",
		.before_scope = "&response_mode=query",
		.after_scope = "",
		.domain_hint = "&domain_hint=",
		.prompts = microsoft_prompts,
		.prompt_rule = "must be login or select_account: consent sends people back to the "
			       "approval step again and again, even after their administrator has "
			       "approved the app",
		.redirect_member = "ms_oauth_redirect_url",
		.unconfigured = { "microsoft.client_id is not configured on this server",
		    "public_url and microsoft.client_id are not configured on this server" },
		.cures = microsoft_cures,
		.approve_hint = approve,
		.perhaps_approve_hint = perhaps_approve,
	},
	[GOOGLE] = {
		.id = GOOGLE,
		.name = "google",
		.title = "Google",
		.start_path = GOOGLE_START_PATH,
		.callback_path = GOOGLE_CALLBACK_PATH,
		.recall_path = "/api/v1/calendar/google_oauth_callback/",
		.cookie_prefix = "__Host-redirectd-google-",
		.endpoint = "https://accounts.google.com/o/oauth2/v2/auth",
		.before_scope = "",
		.after_scope = "&access_type=offline&include_granted_scopes=true",
		.domain_hint = "&hd=",
		.default_prompt = "consent",
		.prompts = google_prompts,
		.prompt_rule = "must be consent or select_account consent: without consent, Google "
			       "gives Recall no lasting access to the calendar",
		.redirect_member = "google_oauth_redirect_url",
		.unconfigured = { "google.client_id is not configured on this server",
		    "public_url and google.client_id are not configured on this server" },
		.calendar_scope = "https://www.googleapis.com/auth/calendar.events.readonly",
		.cures = google_cures,
	},
};
