// The pages that this server shows to people: a picture of each, and what axe finds in it.
import axe from "axe-core";
import { is } from "./check.mjs";
import { APP, OAUTH } from "./names.mjs";
import { heading, leave, openAdminLink } from "./steps.mjs";

const SITE = `https://${OAUTH}`;
const CONNECT = `${SITE}/connect`;
const CALLBACK = `${SITE}/api/ms_oauth_callback`;
const ADMIN_CALLBACK = `${SITE}/api/ms_admin_consent_callback`;
const TENANT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const SECRET = "hunter2"; // stands in what is asked for, and never on a page
const NAME = "Contoso Notes";
const BACK = `https://${APP}/?user=back&again`;
const NAMED = {
  "app.name": NAME,
  "app.url": BACK,
  "callback.browser_binding": "enforce",
};
const WALL = { ...NAMED, "callback.admin_wall": "page", "callback.browser_binding": "report" };
const UNCONFIGURED = { ...NAMED, microsoft: {} };
const REFUSED =
  `admin_consent=True&error=access_denied&error_description=AADSTS65004%3a+${SECRET}` +
  `&tenant=${TENANT}&state=${SECRET}`;

// Send a form from a page of the same origin, as an app that is set up wrongly would.
async function post(page, url, { type = "application/x-www-form-urlencoded", value = SECRET }) {
  await page.goto(`${SITE}/healthz`);
  await page.evaluate(
    ([action, enctype, text]) => {
      const form = Object.assign(document.createElement("form"), {
        action,
        enctype,
        method: "post",
      });
      form.append(Object.assign(document.createElement("input"), { name: "x", value: text }));
      document.body.append(form);
      form.submit();
    },
    [url, type, value],
  );
  await page.waitForURL(url);
}

// Above what a head may have, and not so much that it is refused before it is read.
async function sendCookies(page) {
  const cookies = ["a", "b", "c", "d", "e", "f", "g"].map((name) => ({
    name,
    value: SECRET.repeat(520),
    url: SITE,
  }));
  await page.context().addCookies(cookies);
  await page.goto(`${SITE}/nothing`);
}

const start = (query) => (page) => startFrom(page, `${CONNECT}?${query}`);

// A start from the app's site, which may be made.
async function startFrom(page, url) {
  await page.goto(`https://${APP}/`);
  await page.evaluate((to) => window.location.assign(to), url);
  await page.waitForURL(url);
}

// name -> [title, how to get there, what developers look for, configuration if not NAMED]
const PAGES = {
  "refused-start": [
    `Please start from ${NAME}`,
    (page) => page.goto(`${CONNECT}?recall_calendar_auth_token=${SECRET}`),
    "cross_site_start",
  ],
  "unbound-callback": [
    "The sign-in took too long",
    (page) => page.goto(`${CALLBACK}?code=${SECRET}&state=${SECRET}`),
    "unbound_callback",
  ],
  "not-found": [
    "There is no page here",
    (page) => page.goto(`${SITE}/${SECRET}?${SECRET}`),
    "not_found",
  ],
  "wrong-parameter": [
    "This link does not work",
    start(`recall_calendar_auth_token=${SECRET}&success_url=https://${SECRET}.example/`),
    "success_url",
  ],
  "posted-callback": [
    "The sign-in could not be finished",
    (page) => post(page, CALLBACK, {}),
    "response_mode=form_post",
  ],
  "body-too-large": [
    "This link does not work",
    (page) => post(page, CONNECT, { value: SECRET.repeat(3000) }),
    "body_too_large",
  ],
  "body-type": [
    "This link does not work",
    (page) => post(page, CONNECT, { type: "text/plain" }),
    "body_type",
  ],
  "link-too-long": [
    "This link is too long",
    (page) => page.goto(`${CALLBACK}?code=${SECRET.repeat(1200)}`),
    "query_too_long",
  ],
  "too-many-cookies": ["Your browser sent too many cookies", sendCookies, "head_too_large"],
  unconfigured: [
    "Connecting is not set up yet",
    (page) => page.goto(`${SITE}/connect/admin`),
    "microsoft.client_id",
    UNCONFIGURED,
  ],
  "admin-wall": [
    `Your organization wants an administrator to approve ${NAME} first`,
    (page) =>
      page.goto(`${CALLBACK}?error=access_denied&error_subcode=cancel&state=${SECRET}`),
    "admin_wall",
    WALL,
  ],
  "admin-wall-without-link": [
    `Your organization wants an administrator to approve ${NAME} first`,
    (page) => page.goto(`${CALLBACK}?error=consent_required&state=${SECRET}`),
    "admin_wall",
    { ...WALL, ...UNCONFIGURED, "callback.browser_binding": "report" },
  ],
  "admin-granted": [
    `Your organization has approved ${NAME}`,
    async (page) => {
      await openAdminLink(page);
      await leave(page, "Accept");
    },
    TENANT,
  ],
  "admin-refused": [
    `Your organization has not approved ${NAME}`,
    async (page) => {
      await openAdminLink(page);
      await leave(page, "Cancel");
    },
    "AADSTS65004",
  ],
  "admin-granted-elsewhere": [
    "Microsoft reports an approval",
    (page) =>
      page.goto(`${ADMIN_CALLBACK}?admin_consent=True&tenant=${TENANT}&state=${SECRET}`),
    TENANT,
  ],
  "admin-refused-elsewhere": [
    `Microsoft reports that ${NAME} was not approved`,
    (page) => page.goto(`${ADMIN_CALLBACK}?${REFUSED}`),
    TENANT,
  ],
  "admin-nothing": [
    "No answer from Microsoft",
    (page) => page.goto(`${ADMIN_CALLBACK}?x=${SECRET}`),
    "Tenant none",
  ],
};

export const SIZES = {
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
  desktop: { viewport: { width: 1280, height: 800 } },
};
export const PAPER = { light: "rgb(255, 255, 255)", dark: "rgb(18, 22, 28)" };

// What is to be seen of a page in one scheme of colours.
export async function look(page, scheme, file) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.screenshot({ path: file, fullPage: true });
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  const [paper, width] = await page.evaluate(() => [
    getComputedStyle(document.body).backgroundColor,
    document.documentElement.scrollWidth,
  ]);
  return {
    faults: violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
    paper,
    overhang: width - page.viewportSize().width,
  };
}

// What every page has: the number of its line in the log, the way back, and nothing of the client's.
async function checkContent(page, server, name, clue) {
  const text = await page.textContent("body");
  const [, number] = /this number to support: ([0-9a-f]{16})/.exec(text) ?? [];
  const line = await server.take(({ event, id }) => event === "request" && id === number);
  is(`${name}: its number leads to the log`, line.id, number);
  is(`${name}: developers find ${clue}`, (await page.textContent("footer")).includes(clue), true);
  is(`${name}: shows nothing that was sent`, (await page.content()).includes(SECRET), false);
  is(`${name}: is small`, (await page.content()).length < 4096, true);
  await page.click(`a:has-text("Back to ${NAME}")`);
  is(`${name}: leads back to the app`, page.url(), BACK);
}

async function checkPage(visit, name, size, folder) {
  const [title, open, clue, config = NAMED] = PAGES[name];
  await visit(
    `${name} on a ${size}`,
    async ({ page, server }) => {
      const complaints = [];
      page.on("console", (message) => complaints.push(message.text()));
      await server.configure(config);
      await open(page);
      is(`${name}, ${size}: title`, [await page.title(), await heading(page)], [title, title]);
      for (const [scheme, paper] of Object.entries(PAPER))
        is(
          `${name}, ${size}, ${scheme}: styled, fits, accessible`,
          await look(page, scheme, `${folder}/${name}-${size}-${scheme}.png`),
          { faults: [], paper, overhang: 0 },
        );
      is(
        `${name}, ${size}: the browser has nothing to complain of`,
        complaints.filter((text) => !/status of [45]\d\d/.test(text)),
        [],
      );
      await checkContent(page, server, `${name}, ${size}`, clue);
    },
    SIZES[size],
  );
}

export async function checkPages(visit, folder) {
  for (const name of Object.keys(PAGES))
    for (const size of Object.keys(SIZES)) await checkPage(visit, name, size, folder);
}
