/*
 * Words for administrators. Shows constants and an error number, nothing else of the request.
 */
#include "admin.h"

#include "page.h"

#define WHERE_TO_LOOK                                                                              \
	"You can check it in the Microsoft Entra admin center: Identity > Applications > "         \
	"Enterprise applications > the app > Permissions."

static const char *const granted[] = {
	"Your organization has approved the app. Its people can connect their calendars now.",
	"You can close this page and tell whoever sent you the link. " WHERE_TO_LOOK,
	NULL,
};

static const char *const granted_unbound[] = {
	"Microsoft reports that the app was approved. This browser did not start the approval, so this "
	"page cannot tell more.",
	WHERE_TO_LOOK,
	NULL,
};

static const char *const nothing[] = {
	"This page shows the result after an administrator has answered Microsoft's approval question. "
	"Nothing was reported this time.",
	"Open the approval link again.",
	NULL,
};

static const struct {
	const char *error;
	const char *cause;
} causes[] = {
	{ "access_denied",
	    "The request was cancelled, or your account may not approve apps. Open the "
	    "link again, signed in as an administrator who may, such as a Cloud "
	    "Application Administrator." },
	{ "invalid_request", "The app's registration at Microsoft does not fit this link. Tell the "
			     "company that sent it to you." },
	{ "unauthorized_client",
	    "The app's registration at Microsoft does not allow this. Tell the "
	    "company that sent you the link." },
	{ "invalid_client",
	    "Microsoft does not know the app. Tell the company that sent you the link." },
	{ "server_error", "Microsoft had a problem. Open the link again in some minutes." },
	{ "temporarily_unavailable", "Microsoft is busy. Open the link again in some minutes." },
};

static const char *
cause_of(const char *error)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strcmp(causes[i].error, error) == 0)
			return causes[i].cause;
	return "Open the link again, signed in as an administrator who may approve apps.";
}

static void
show_refusal(const struct outcome *outcome, bool is_bound, struct response *response)
{
	const char *const bound[] = { cause_of(outcome->error), NULL };
	const char *const unbound[] = {
		"This browser did not start the approval, so this page only repeats what Microsoft "
		"reports.",
		cause_of(outcome->error), WHERE_TO_LOOK, NULL
	};
	struct page page = {
		.title = is_bound ? "The app was not approved"
				  : "Microsoft reports that the app was not approved",
		.paragraphs = is_bound ? bound : unbound,
		.aadsts = outcome->aadsts,
	};

	page_show(response, &page);
}

void
admin_show_result(const struct outcome *outcome, bool is_bound, struct response *response)
{
	if (outcome->error != NULL)
		show_refusal(outcome, is_bound, response);
	else if (strcmp(outcome->name, "admin_consent") != 0)
		page_show(response, &(struct page){ "No answer from Microsoft", nothing, "" });
	else if (is_bound)
		page_show(response, &(struct page){ "The app is approved", granted, "" });
	else
		page_show(response,
		    &(struct page){ "Microsoft reports an approval", granted_unbound, "" });
}
