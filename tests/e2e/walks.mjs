// The walks of honest people.
import { is } from "./check.mjs";
import {
  AUTHORIZE_URL,
  CLIENT,
  ERROR_URL,
  OAUTH,
  STRANGER,
  SUCCESS_URL,
  tokenOf,
} from "./names.mjs";
import {
  connect,
  heading,
  hostOf,
  leave,
  openAdminLink,
  openApp,
  signIn,
  start,
} from "./steps.mjs";

const ENFORCE = { "callback.browser_binding": "enforce" };

const bindingCookies = async (context) =>
  (await context.cookies()).filter((cookie) => cookie.name.startsWith("__Host-redirectd-")).length;

function checkForwarding(what, { microsoft, recall }) {
  const { query, referer } = recall.arrivals.at(-1);
  is(`${what}: Recall gets Microsoft's bytes`, query, microsoft.answers.at(-1));
  is(`${what}: and no Referer`, referer, undefined);
}

// The last address that the page asked for and that starts so.
function watch(page, start) {
  const seen = {};
  page.on("request", (request) => {
    if (request.url().startsWith(start)) seen.url = request.url();
  });
  return seen;
}

async function certificates({ page }) {
  const error = await page.goto(`https://${STRANGER}/`).catch((reason) => reason.message);
  is("the browser checks certificates", /ERR_CERT_AUTHORITY_INVALID/.test(error), true);
}

async function success({ page, context, server, microsoft, recall }) {
  await server.configure({});
  const authorize = watch(page, `${AUTHORIZE_URL}?`);
  await connect(page, "adele", "adele@fabrikam.example");
  is("success: the user is back in the app", page.url(), SUCCESS_URL);
  is(
    "success: with the calendar connected",
    recall.connections.get(tokenOf("adele")),
    "adele@fabrikam.example",
  );
  checkForwarding("success", { microsoft, recall });
  const { outcome, binding } = await server.takeRequest("callback");
  is("success: the log says so", [outcome, binding], ["code", "match"]);
  is("success: report clears no cookie", await bindingCookies(context), 1);
  const [sent] = /state=[^&]*/.exec(authorize.url);
  const [back] = /state=[^&]*/.exec(recall.arrivals.at(-1).query);
  is(
    "success: state came back in other bytes",
    [sent === back, back.includes("%7b%22"), back.includes("token+of")],
    [false, true, true],
  );
}

async function link({ page, server, recall }) {
  await server.configure(ENFORCE);
  await openApp(page, "by link");
  await page.click("text=Connect by link");
  await signIn(page, "lee@fabrikam.example");
  await leave(page, "Accept");
  is(
    "link: a link in the app does as well",
    recall.connections.get(tokenOf("by link")),
    "lee@fabrikam.example",
  );
}

async function enforced({ page, context, server, recall }) {
  await server.configure(ENFORCE);
  const callback = watch(page, CLIENT.redirectUri);
  await connect(page, "enid", "enid@fabrikam.example");
  is("enforce: the user is back in the app", page.url(), SUCCESS_URL);
  is("enforce: the log says match", (await server.takeRequest("callback")).binding, "match");
  is("enforce: the cookie is cleared after use", await bindingCookies(context), 0);
  const before = recall.arrivals.length;
  await page.goto(callback.url);
  is(
    "enforce: the same answer again stops here",
    [hostOf(page), await heading(page)],
    [OAUTH, "Please start from the app"],
  );
  is("enforce: and does not reach Recall", recall.arrivals.length, before);
}

async function replayed({ page, server, recall }) {
  await server.configure({});
  const callback = watch(page, CLIENT.redirectUri);
  await connect(page, "rita", "rita@fabrikam.example");
  await page.goto(callback.url);
  is(
    "report: the same answer again is refused at the token endpoint",
    [page.url(), recall.refusals.at(-1)],
    [ERROR_URL, "invalid_grant"],
  );
}

async function cancelled({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  await start(page, "carl");
  await leave(page, "Cancel");
  is("cancel: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding("cancel", { microsoft, recall });
  const { outcome, error, error_subcode } = await server.takeRequest("callback");
  is(
    "cancel: the log says so",
    [outcome, error, error_subcode],
    ["error", "access_denied", "cancel"],
  );
}

async function declined({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  await start(page, "dora");
  await signIn(page, "dora@fabrikam.example");
  await leave(page, "Cancel");
  is("declined: the user is at error_url", page.url(), ERROR_URL);
  is(
    "declined: Microsoft's sentence has encoded line ends",
    microsoft.answers.at(-1).includes("app.%0d%0aTrace+ID%3a+"),
    true,
  );
  checkForwarding("declined", { microsoft, recall });
  is("declined: the log has the number", (await server.takeRequest("callback")).aadsts, "65004");
}

async function adminWall({ page, visit, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  microsoft.approvesApps = false;
  await start(page, "wanda");
  await signIn(page, "wanda@contoso.example");
  await leave(page, "Return to the application");
  is("admin wall: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding("admin wall", { microsoft, recall });
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
    is(
      "approved: nothing of it goes to Recall",
      recall.arrivals.at(-1).query.includes("admin_consent"),
      false,
    );
    is("approved: the cookie is cleared", await bindingCookies(context), 0);
  });
  await visit("the user tries again", async ({ page: again }) => {
    await connect(again, "wanda", "wanda@contoso.example");
    is(
      "approved: now the user can connect",
      recall.connections.get(tokenOf("wanda")),
      "wanda@contoso.example",
    );
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
  is(
    "two tabs: each with its calendar",
    ["tab one", "tab two"].map((user) => recall.connections.get(tokenOf(user))),
    ["one@fabrikam.example", "two@fabrikam.example"],
  );
  is("two tabs: both cookies are cleared", await bindingCookies(context), 0);
}

async function longAnswer({ page, server, microsoft, recall }) {
  await server.configure(ENFORCE);
  const usual = microsoft.codeLength;
  microsoft.codeLength = 3200;
  await connect(page, "lola", "lola@fabrikam.example").finally(() => {
    microsoft.codeLength = usual;
  });
  is("long: over 3.5 KB came back", microsoft.answers.at(-1).length > 3584, true);
  is("long: the user is back in the app", page.url(), SUCCESS_URL);
  checkForwarding("long", { microsoft, recall });
}

// One click leads through every host, which the app's form-action has to allow.
async function signedIn({ page, server, recall }) {
  await server.configure(ENFORCE);
  await connect(page, "sid", "sid@fabrikam.example");
  const before = recall.arrivals.length;
  await openApp(page, "sid");
  await page.click("text=Connect Outlook calendar");
  await page.waitForURL(SUCCESS_URL);
  is("signed in: a new start leads back without a question", recall.arrivals.length, before + 1);
}

async function backButton({ page, server, recall }) {
  await server.configure(ENFORCE);
  await connect(page, "bert", "bert@fabrikam.example");
  const before = recall.arrivals.length;
  await page.goBack();
  is("back: leads to a page before, not through the callback", hostOf(page) !== OAUTH, true);
  is("back: no answer is sent twice", recall.arrivals.length, before);
  await page.goForward();
  is("back and forth: the app again", page.url(), SUCCESS_URL);
}

export const WALKS = {
  certificates,
  success,
  link,
  enforced,
  replayed,
  cancelled,
  declined,
  adminWall,
  twoTabs,
  longAnswer,
  signedIn,
  backButton,
};
