// The walks of honest people.
import { is } from "./check.mjs";
import { AUTHORIZE_URL } from "./microsoft.mjs";
import { ERROR_URL, OAUTH, STRANGER, SUCCESS_URL, tokenOf } from "./names.mjs";
import { connect, heading, hostOf, leave, openAdminLink, openApp, signIn, start } from "./steps.mjs";

const ENFORCE = { "callback.browser_binding": "enforce" };

const bindingCookies = async (context) =>
  (await context.cookies()).filter((cookie) => cookie.name.startsWith("__Host-redirectd-")).length;

// The query of Microsoft's last answer, and whether Recall got the same bytes.
function checkForwarding({ microsoft, recall }) {
  is("Recall gets Microsoft's bytes", recall.arrivals.at(-1).query, microsoft.answers.at(-1));
  is("and no Referer", recall.arrivals.at(-1).referer, undefined);
}

async function certificates({ page }) {
  const error = await page.goto(`https://${STRANGER}/`).catch((reason) => reason.message);
  is("the browser checks certificates", /ERR_CERT_AUTHORITY_INVALID/.test(error), true);
}

async function success({ page, context, server, microsoft, recall }) {
  await server.configure({});
  let sent;
  page.on("request", (request) => { sent = request.url().startsWith(`${AUTHORIZE_URL}?`) ? request.url() : sent; });
  await connect(page, "adele", "adele@fabrikam.example");
  is("the user is back in the app", page.url(), SUCCESS_URL);
  is("with the calendar connected", recall.connections.get(tokenOf("adele")), "adele@fabrikam.example");
  checkForwarding({ microsoft, recall });
  const { outcome, binding } = await server.takeRequest("callback");
  is("the log says so", [outcome, binding], ["code", "match"]);
  is("report clears no cookie", await bindingCookies(context), 1);
  const [there] = /state=[^&]*/.exec(sent);
  const [back] = /state=[^&]*/.exec(recall.arrivals.at(-1).query);
  is("state came back in other bytes", [there === back, back.includes("%7b%22"), back.includes("token+of")], [false, true, true]);
}

async function link({ page, server, recall }) {
  await server.configure(ENFORCE);
  await openApp(page, "by link");
  await page.click("text=Connect by link");
  await signIn(page, "lee@fabrikam.example");
  await leave(page, "Accept");
  is("a link in the app does as well", recall.connections.get(tokenOf("by link")), "lee@fabrikam.example");
}

async function enforced({ page, context, server, recall }) {
  await server.configure(ENFORCE);
  let callback;
  page.on("request", (request) => { callback = request.url().includes("/api/ms_oauth_callback?") ? request.url() : callback; });
  await connect(page, "enid", "enid@fabrikam.example");
  is("enforce: the user is back in the app", page.url(), SUCCESS_URL);
  is("enforce: the log says match", (await server.takeRequest("callback")).binding, "match");
  is("enforce: the cookie is cleared after use", await bindingCookies(context), 0);
  const before = recall.arrivals.length;
  await page.goto(callback);
  is("enforce: the same answer again stops here", [hostOf(page), await heading(page)], [OAUTH, "Please start from the app"]);
  is("enforce: and does not reach Recall", recall.arrivals.length, before);
}

async function replayed({ page, server, recall }) {
  await server.configure({});
  let callback;
  page.on("request", (request) => { callback = request.url().includes("/api/ms_oauth_callback?") ? request.url() : callback; });
  await connect(page, "rita", "rita@fabrikam.example");
  await page.goto(callback);
  is("report: the same answer again is refused at the token endpoint", [page.url(), recall.refusals.at(-1)], [ERROR_URL, "invalid_grant"]);
}

async function cancelled({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  await start(page, "carl");
  await leave(page, "Cancel");
  is("cancel: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding({ microsoft, recall });
  const { outcome, error, error_subcode } = await server.takeRequest("callback");
  is("cancel: the log says so", [outcome, error, error_subcode], ["error", "access_denied", "cancel"]);
}

async function declined({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  await start(page, "dora");
  await signIn(page, "dora@fabrikam.example");
  await leave(page, "Cancel");
  is("declined: the user is at error_url", page.url(), ERROR_URL);
  is("declined: Microsoft's sentence has encoded line ends", microsoft.answers.at(-1).includes("app.%0d%0aTrace+ID%3a+"), true);
  checkForwarding({ microsoft, recall });
  is("declined: the log has the number", (await server.takeRequest("callback")).aadsts, "65004");
}

async function adminWall({ page, visit, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  microsoft.approvesApps = false;
  await start(page, "wanda");
  await signIn(page, "wanda@contoso.example");
  await leave(page, "Return to the application");
  is("admin wall: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding({ microsoft, recall });
  const { hint } = await server.takeRequest("callback");
  is("admin wall: the log has the cure", hint.includes("admin-consent link"), true);

  await visit("the administrator refuses", async ({ page: admin }) => {
    await openAdminLink(admin);
    await leave(admin, "Cancel");
    is("refused: the administrator reads so", await heading(admin), "The app was not approved");
  });
  await visit("the administrator approves", async ({ page: admin, context }) => {
    await openAdminLink(admin);
    await leave(admin, "Accept");
    is("approved: the administrator reads so", await heading(admin), "The app is approved");
    is("approved: nothing of it goes to Recall", recall.arrivals.at(-1).query.includes("admin_consent"), false);
    is("approved: the cookie is cleared", await bindingCookies(context), 0);
  });
  await visit("the user tries again", async ({ page: again }) => {
    await connect(again, "wanda", "wanda@contoso.example");
    is("approved: now the user can connect", recall.connections.get(tokenOf("wanda")), "wanda@contoso.example");
  });
}

async function twoTabs({ page, context, server, recall }) {
  await server.configure(ENFORCE);
  const other = await context.newPage();
  await start(page, "tab one");
  await start(other, "tab two");
  is("two tabs: each has a cookie", await bindingCookies(context), 2);
  await signIn(other, "two@fabrikam.example");
  await leave(other, "Accept");
  await signIn(page, "one@fabrikam.example");
  await leave(page, "Accept");
  is("two tabs: both are back in the app", [page.url(), other.url()], [SUCCESS_URL, SUCCESS_URL]);
  is("two tabs: each with its calendar", ["tab one", "tab two"].map((user) => recall.connections.get(tokenOf(user))),
    ["one@fabrikam.example", "two@fabrikam.example"]);
  is("two tabs: both cookies are cleared", await bindingCookies(context), 0);
}

async function longAnswer({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  const usual = microsoft.codeLength;
  microsoft.codeLength = 3200;
  await connect(page, "lola", "lola@fabrikam.example").finally(() => { microsoft.codeLength = usual; });
  is("long: over 3.5 KB came back", microsoft.answers.at(-1).length > 3584, true);
  is("long: the user is back in the app", page.url(), SUCCESS_URL);
  checkForwarding({ microsoft, recall });
}

async function backButton({ page, server, recall }) {
  await server.configure(ENFORCE);
  await connect(page, "bert", "bert@fabrikam.example");
  const { arrivals, refusals } = { arrivals: recall.arrivals.length, refusals: recall.refusals.length };
  await page.goBack();
  is("back: leads to a page before, not through the callback", hostOf(page) !== OAUTH, true);
  is("back: no answer is sent twice", [recall.arrivals.length, recall.refusals.length], [arrivals, refusals]);
  await page.goForward();
  is("back and forth: the app again", page.url(), SUCCESS_URL);
  await openApp(page, "bert");
  await page.click("text=Connect Outlook calendar");
  await page.waitForURL(SUCCESS_URL);
  is("back: a new start works, without signing in again", recall.arrivals.length, arrivals + 1);
}

export const WALKS = { certificates, success, link, enforced, replayed, cancelled, declined, adminWall, twoTabs, longAnswer, backButton };
