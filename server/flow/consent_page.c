/* Words for administrators, and for those who need one. */
#include "flow/page.h"

#define ROLE  "Cloud Application Administrator or Application Administrator"
#define AGAIN "<a class=\"b\" href=\"$l\">Open the approval link again</a>"
#define KEEP  "If the approval is needed again, use this link:</p>\n" LINK
#define LINK  "<p><code class=\"c\">$l</code></p>\n<p>"
#define WHERE_TO_LOOK                                                                              \
	"<p>Approvals are listed in the <a href=\"https://entra.microsoft.com\">Microsoft Entra "  \
	"admin center</a>: Entra ID, Enterprise apps, $a, Permissions.</p>\n"
#define UNBOUND                                                                                    \
	"<p>The approval was not started in this browser, so this page can only repeat what it "   \
	"was sent. Look in the Microsoft Entra admin center to be sure.</p>\n"
#define MAIL                                                                                       \
	"<a class=\"b\" href=\"mailto:?subject=$(Please approve $a for our organization$)"         \
	"&amp;body=$(Hello,\r\n\r\nI would like to connect my Outlook calendar to $a. Microsoft "  \
	"wants an administrator to approve this first. Please open this link, sign in and "        \
	"accept:\r\n\r\n$l\r\n\r\nIt takes the role " ROLE ". One approval is enough for "         \
	"everyone in our organization.\r\n\r\nThank you$)\">Mail this link</a>"

static const char denied[] =
    "<p>Either the request was cancelled, or your account is not allowed to approve apps. Open the "
    "link again and sign in with the role " ROLE ".</p>\n";
static const char failed[] =
    "<p>Microsoft had a problem, or the registration of $a there does not match this link. Open "
    "the link again in a few minutes. If that does not help, tell the company that sent it to "
    "you.</p>\n";

void
page_show_consent(const struct config *config, const struct request *request, bool is_bound,
    struct response *response)
{
	const struct outcome *outcome = &response->outcome;
	bool is_failure = outcome->error[0] != '\0' && strcmp(outcome->error, "access_denied") != 0;
	struct page page = { .ask = outcome->is_granted ? KEEP : AGAIN,
		.more = is_bound ? WHERE_TO_LOOK : UNBOUND WHERE_TO_LOOK,
		.details = "<p>Tenant <code>$t</code>$E</p>\n" };

	if (outcome->error[0] == '\0' && strcmp(outcome->name, "admin_consent") != 0) {
		page.title = "No answer from Microsoft";
		page.text = "<p>This page shows what an administrator has answered to Microsoft's "
			    "question. This time Microsoft sent no answer. Open the approval link "
			    "again.</p>\n";
		page.more = WHERE_TO_LOOK;
	} else if (!outcome->is_granted) {
		page.title = is_bound ? "Your organization has not approved $a"
				      : "Microsoft reports that $a was not approved";
		page.text = is_failure ? failed : denied;
	} else {
		page.title = is_bound ? "Your organization has approved $a"
				      : "Microsoft reports an approval";
		page.text =
		    is_bound ? "<p>Everyone in it can connect their calendar now. Tell the person "
			       "who sent you the link.</p>\n"
			     : "<p>Microsoft reports that an administrator has approved $a.</p>\n";
	}
	page_show(config, request, &page, response);
}

void
page_show_wall(
    const struct config *config, const struct request *request, struct response *response)
{
	static const struct page page = {
		"Your organization wants an administrator to approve $a first",
		"<p>Your calendar is not connected yet. You did nothing wrong: your IT department has "
		"to approve $a once.</p>\n",
		"Send them this link:</p>\n" LINK MAIL,
		"<p>The administrator signs in at Microsoft, sees under \"Permissions requested\" what $a "
		"may do, such as reading calendars, and accepts for everyone in your organization. It "
		"takes the role " ROLE ". Then go back to $a and connect your calendar again.</p>\n"
		"<p>If you cancelled the sign-in yourself, go back to $a and start again.</p>\n",
		"<p>Outcome <code>admin_wall</code>$E. The answer was not sent to Recall, because "
		"callback.admin_wall is page.</p>\n",
	};

	buf_clear(&response->location);
	response->outcome.name = "admin_wall";
	page_show(config, request, &page, response);
}
