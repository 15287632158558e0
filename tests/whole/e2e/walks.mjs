// The walks of honest people.
import { is } from "./check.mjs";
import {
  APP,
  ERROR_URL,
  OAUTH,
  PROVIDERS,
  STRANGER,
  SUCCESS_URL,
  tokenOf,
} from "./names.mjs";
import {
  accept,
  clickConnect,
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

function checkForwarding(what, { provider, standIn, recall }) {
  const { path, query, referer } = recall.arrivals.at(-1);
  is(
    `${what}: Recall gets the provider's bytes`,
    [path, query],
    [provider.recallPath, standIn.answers.at(-1)],
  );
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

export async function certificates({ page }) {
  const error = await page.goto(`https://${STRANGER}/`).catch((reason) => reason.message);
  is("the browser checks certificates", /ERR_CERT_AUTHORITY_INVALID/.test(error), true);
}

async function success({ page, provider, context, server, standIn, recall }) {
  await server.configure({});
  const authorize = watch(page, `${provider.authorizeUrl}?`);
  await connect(page, provider, "adele", "adele@fabrikam.example");
  is("success: the user is back in the app", page.url(), SUCCESS_URL);
  is(
    "success: with the calendar connected",
    recall.calendarOf(provider, tokenOf("adele")),
    "adele@fabrikam.example",
  );
  checkForwarding("success", { provider, standIn, recall });
  const line = await server.takeRequest("callback");
  is(
    "success: the log says so",
    [line.provider, line.outcome, line.binding, line.hint],
    [provider.name, "code", "match", undefined],
  );
  is("success: report clears no cookie", await bindingCookies(context), 1);
  const [sent] = /state=[^&]*/.exec(authorize.url);
  const [back] = /state=[^&]*/.exec(recall.arrivals.at(-1).query);
  is(
    "success: state came back in other bytes",
    [
      sent === back,
      back.includes(provider.encodedState.brace),
      back.includes(provider.encodedState.space),
    ],
    [false, true, true],
  );
}

async function link({ page, provider, server, recall }) {
  await server.configure(ENFORCE);
  await openApp(page, "by link");
  await page.click(`text=Connect ${provider.calendar} by link`);
  await signIn(page, "lee@fabrikam.example");
  await accept(page, provider);
  is(
    "link: a link in the app does as well",
    recall.calendarOf(provider, tokenOf("by link")),
    "lee@fabrikam.example",
  );
}

async function enforced({ page, provider, context, server, recall }) {
  await server.configure(ENFORCE);
  const callback = watch(page, provider.redirectUri);
  await connect(page, provider, "enid", "enid@fabrikam.example");
  is("enforce: the user is back in the app", page.url(), SUCCESS_URL);
  is("enforce: the log says match", (await server.takeRequest("callback")).binding, "match");
  is("enforce: the cookie is cleared after use", await bindingCookies(context), 0);
  const before = recall.arrivals.length;
  await page.goto(callback.url);
  is(
    "enforce: the same answer again stops here",
    [hostOf(page), await heading(page)],
    [OAUTH, "The sign-in took too long"],
  );
  is("enforce: and does not reach Recall", recall.arrivals.length, before);
}

async function replayed({ page, provider, server, recall }) {
  await server.configure({});
  const callback = watch(page, provider.redirectUri);
  await connect(page, provider, "rita", "rita@fabrikam.example");
  await page.goto(callback.url);
  is(
    "report: the same answer again is refused at the token endpoint",
    [page.url(), recall.refusals.at(-1)],
    [ERROR_URL, "invalid_grant"],
  );
}

async function cancelled({ page, provider, server, standIn, recall }) {
  await server.configure(ENFORCE);
  await start(page, provider, "carl");
  await leave(page, "Cancel");
  is("cancel: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding("cancel", { provider, standIn, recall });
  const { outcome, error, error_subcode } = await server.takeRequest("callback");
  is(
    "cancel: the log says so",
    [outcome, error, error_subcode],
    ["error", "access_denied", provider.cancelSubcode],
  );
}

async function declined({ page, provider, server, standIn, recall }) {
  await server.configure(ENFORCE);
  await start(page, provider, "dora");
  await signIn(page, "dora@fabrikam.example");
  await leave(page, "Cancel");
  is("declined: the user is at error_url", page.url(), ERROR_URL);
  is(
    "declined: Microsoft's sentence has encoded line ends",
    standIn.answers.at(-1).includes("app.%0d%0aTrace+ID%3a+"),
    true,
  );
  checkForwarding("declined", { provider, standIn, recall });
  is("declined: the log has the number", (await server.takeRequest("callback")).aadsts, "65004");
}

async function adminWall({ page, provider, visit, server, standIn, recall }) {
  await server.configure(ENFORCE);
  standIn.approvesApps = false;
  await start(page, provider, "wanda");
  await signIn(page, "wanda@contoso.example");
  await leave(page, "Return to the application");
  is("admin wall: the user is at error_url", page.url(), ERROR_URL);
  checkForwarding("admin wall", { provider, standIn, recall });
  const { hint } = await server.takeRequest("callback");
  is("admin wall: the log has the cure", hint.includes("admin-consent link"), true);

  await visit("the administrator refuses", async ({ page: admin }) => {
    await openAdminLink(admin);
    await leave(admin, "Cancel");
    is(
      "refused: the administrator reads so",
      await heading(admin),
      `Your organization has not approved ${APP}`,
    );
  });
  await visit("the administrator approves", async ({ page: admin, context }) => {
    await openAdminLink(admin);
    await leave(admin, "Accept");
    is(
      "approved: the administrator reads so",
      await heading(admin),
      `Your organization has approved ${APP}`,
    );
    is(
      "approved: nothing of it goes to Recall",
      recall.arrivals.at(-1).query.includes("admin_consent"),
      false,
    );
    is("approved: the cookie is cleared", await bindingCookies(context), 0);
  });
  await visit("the user tries again", async ({ page: again }) => {
    await connect(again, provider, "wanda", "wanda@contoso.example");
    is(
      "approved: now the user can connect",
      recall.calendarOf(provider, tokenOf("wanda")),
      "wanda@contoso.example",
    );
  });
}

// callback.admin_wall=page: from the page to the mail, to the approval, and to a second start.
async function adminWallPage({ page, context, provider, visit, server, standIn, recall }) {
  await server.configure({ ...ENFORCE, "callback.admin_wall": "page" });
  standIn.approvesApps = false;
  const before = recall.arrivals.length;
  await start(page, provider, "wally");
  await signIn(page, "wally@contoso.example");
  await leave(page, "Return to the application");
  is(
    "wall page: the user reads why",
    [hostOf(page), await heading(page)],
    [OAUTH, `Your organization wants an administrator to approve ${APP} first`],
  );
  is("wall page: Recall gets nothing", recall.arrivals.length, before);
  is("wall page: the cookie is cleared", await bindingCookies(context), 0);
  const { outcome, status, hint } = await server.takeRequest("callback");
  const link = `https://${OAUTH}/connect/admin`;
  is(
    "wall page: the log says so, with the link",
    [outcome, status, hint.endsWith(`: ${link}`)],
    ["admin_wall", 200, true],
  );
  const mail = new URL(await page.getAttribute("text=Mail this link", "href"));
  const body = mail.searchParams.get("body");
  is("wall page: the mail has a subject", mail.searchParams.get("subject").includes(APP), true);
  is(
    "wall page: its lines end as in mails",
    body.split("\r\n").some((line) => line.includes("\n")),
    false,
  );
  is(
    "wall page: it holds the link that is to be copied",
    [body.split("\r\n").includes(link), await page.textContent("code")],
    [true, link],
  );

  await visit("the administrator follows the mail", async ({ page: admin }) => {
    await admin.goto(/https:\S+/.exec(body)[0]);
    await leave(admin, "Accept");
    is(
      "wall page: the administrator has approved",
      await heading(admin),
      `Your organization has approved ${APP}`,
    );
  });
  await page.click("text=Back to");
  is("wall page: leads back to the app", page.url(), `https://${APP}/`);
  await openApp(page, "wally");
  await clickConnect(page, provider);
  await accept(page, provider);
  is(
    "wall page: then the user can connect",
    recall.calendarOf(provider, tokenOf("wally")),
    "wally@contoso.example",
  );
}

async function twoTabs({ page, provider, context, server, recall }) {
  await server.configure(ENFORCE);
  const other = await context.newPage();
  await start(page, provider, "tab one");
  await start(other, provider, "tab two");
  is("two tabs: each has a cookie", await bindingCookies(context), 2);
  await signIn(other, "two@fabrikam.example");
  await accept(other, provider);
  await signIn(page, "one@fabrikam.example");
  await accept(page, provider);
  is("two tabs: both are back in the app", [page.url(), other.url()], [SUCCESS_URL, SUCCESS_URL]);
  is(
    "two tabs: each with its calendar",
    ["tab one", "tab two"].map((user) => recall.calendarOf(provider, tokenOf(user))),
    ["one@fabrikam.example", "two@fabrikam.example"],
  );
  is("two tabs: both cookies are cleared", await bindingCookies(context), 0);
}

async function longAnswer({ page, provider, server, standIn, recall }) {
  await server.configure(ENFORCE);
  const usual = standIn.codeLength;
  standIn.codeLength = 3200;
  await connect(page, provider, "lola", "lola@fabrikam.example").finally(() => {
    standIn.codeLength = usual;
  });
  is("long: over 3.5 KB came back", standIn.answers.at(-1).length > 3584, true);
  is("long: the user is back in the app", page.url(), SUCCESS_URL);
  checkForwarding("long", { provider, standIn, recall });
}

// One click leads through every host, which the app's form-action has to allow.
async function signedIn({ page, provider, server, recall }) {
  await server.configure(ENFORCE);
  await connect(page, provider, "sid", "sid@fabrikam.example");
  const before = recall.arrivals.length;
  await openApp(page, "sid");
  await clickConnect(page, provider);
  if (provider.asksAlways) await accept(page, provider);
  await page.waitForURL(SUCCESS_URL);
  is("signed in: a new start leads back without a sign-in", recall.arrivals.length, before + 1);
}

async function backButton({ page, provider, server, recall }) {
  await server.configure(ENFORCE);
  await connect(page, provider, "bert", "bert@fabrikam.example");
  const before = recall.arrivals.length;
  await page.goBack();
  is("back: leads to a page before, not through the callback", hostOf(page) !== OAUTH, true);
  is("back: no answer is sent twice", recall.arrivals.length, before);
  await page.goForward();
  is("back and forth: the app again", page.url(), SUCCESS_URL);
}

// Google lets the user leave the calendar out; Recall then gets a code that is of no use to it.
async function unticked({ page, provider, server, standIn, recall }) {
  await server.configure(ENFORCE);
  await start(page, provider, "una");
  await signIn(page, "una@fabrikam.example");
  await leave(page, provider.accept);
  checkForwarding("unticked", { provider, standIn, recall });
  const { outcome, hint } = await server.takeRequest("callback");
  is("unticked: the log has the cure", [outcome, hint.includes("tick")], ["code", true]);
}

// What Google says on a page of its own never reaches this server.
async function blocked({ page, provider, recall }) {
  const before = recall.arrivals.length;
  await start(page, provider, "walt");
  await signIn(page, "walt@contoso.example");
  is(
    "blocked: the user stays at Google",
    [hostOf(page), await heading(page)],
    [provider.host, "Access blocked"],
  );
  is("blocked: nothing reaches Recall", recall.arrivals.length, before);
}

// One user connects both calendars at once.
async function bothProviders({ page, context, server, recall }) {
  await server.configure(ENFORCE);
  const [microsoft, google] = PROVIDERS;
  const other = await context.newPage();
  await start(page, microsoft, "both");
  await start(other, google, "both");
  is("both: each start has a cookie", await bindingCookies(context), 2);
  await signIn(other, "both@gmail.example");
  await accept(other, google);
  await signIn(page, "both@fabrikam.example");
  await accept(page, microsoft);
  is("both: back in the app", [page.url(), other.url()], [SUCCESS_URL, SUCCESS_URL]);
  is(
    "both: each with its calendar",
    [microsoft, google].map((provider) => recall.calendarOf(provider, tokenOf("both"))),
    ["both@fabrikam.example", "both@gmail.example"],
  );
  is("both: both cookies are cleared", await bindingCookies(context), 0);
}

// A provider's answer comes to the other's callback, in the browser that started at both.
async function crossed({ page, context, server, standIns, recall }) {
  await server.configure(ENFORCE);
  for (const [provider, other] of [PROVIDERS, [...PROVIDERS].reverse()]) {
    const before = recall.arrivals.length;
    const standIn = standIns[provider.name];
    await start(await context.newPage(), other, "crossed");
    await start(page, provider, "crossed");
    await signIn(page, "crossed@fabrikam.example");
    standIn.answersAt = other.redirectUri;
    await accept(page, provider).finally(() => {
      standIn.answersAt = provider.redirectUri;
    });
    is(
      `crossed: an answer of ${provider.name} stops at the callback of ${other.name}`,
      [page.url().startsWith(`${other.redirectUri}?`), await heading(page)],
      [true, "The sign-in took too long"],
    );
    const { provider: logged, binding } = await server.takeRequest("callback");
    is("crossed: the log says so", [logged, binding], [other.name, "mismatch"]);
    is("crossed: nothing reaches Recall", recall.arrivals.length, before);
    await context.clearCookies();
  }
}

const COMMON = {
  success,
  link,
  enforced,
  replayed,
  cancelled,
  twoTabs,
  longAnswer,
  signedIn,
  backButton,
};

// provider's name -> name -> walk
export const WALKS = {
  microsoft: { ...COMMON, declined, adminWall, adminWallPage },
  google: { ...COMMON, unticked, blocked },
};
export const TOGETHER = { bothProviders, crossed };
