// The pages that this server shows to people: a picture of each, and what axe finds in it.
import axe from "axe-core";
import { is } from "./check.mjs";
import { OAUTH } from "./names.mjs";
import { heading, leave, openAdminLink } from "./steps.mjs";

const SITE = `https://${OAUTH}`;
const ADMIN_CALLBACK = `${SITE}/api/ms_admin_consent_callback`;
const ENFORCE = { "callback.browser_binding": "enforce" };
const REFUSED =
  "admin_consent=True&error=access_denied&error_description=AADSTS65004%3a+no&state=s";

// name -> [title, how to get there]
const PAGES = {
  "refused-start": [
    "Please start from the app",
    (page) => page.goto(`${SITE}/connect?recall_calendar_auth_token=t`),
  ],
  "unbound-callback": [
    "Please start from the app",
    (page) => page.goto(`${SITE}/api/ms_oauth_callback?code=c&state=s`),
  ],
  "not-found": ["Not found", (page) => page.goto(`${SITE}/nothing`)],
  "admin-granted": [
    "The app is approved",
    async (page) => {
      await openAdminLink(page);
      await leave(page, "Accept");
    },
  ],
  "admin-refused": [
    "The app was not approved",
    async (page) => {
      await openAdminLink(page);
      await leave(page, "Cancel");
    },
  ],
  "admin-granted-elsewhere": [
    "Microsoft reports an approval",
    (page) => page.goto(`${ADMIN_CALLBACK}?admin_consent=True&tenant=t&state=s`),
  ],
  "admin-refused-elsewhere": [
    "Microsoft reports that the app was not approved",
    (page) => page.goto(`${ADMIN_CALLBACK}?${REFUSED}`),
  ],
  "admin-nothing": ["No answer from Microsoft", (page) => page.goto(ADMIN_CALLBACK)],
};

const SIZES = {
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
  desktop: { viewport: { width: 1280, height: 800 } },
};
const PAPER = { light: "rgb(255, 255, 255)", dark: "rgb(18, 22, 28)" };

// What is to be seen of a page in one scheme of colours.
async function look(page, scheme, file) {
  await page.emulateMedia({ colorScheme: scheme });
  await page.screenshot({ path: file });
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

async function checkPage(visit, name, size, folder) {
  const [title, open] = PAGES[name];
  await visit(
    `${name} on a ${size}`,
    async ({ page, server }) => {
      const complaints = [];
      page.on("console", (message) => complaints.push(message.text()));
      await server.configure(ENFORCE);
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
        complaints.filter((text) => !/status of 40[34]/.test(text)),
        [],
      );
    },
    SIZES[size],
  );
}

export async function checkPages(visit, folder) {
  for (const name of Object.keys(PAGES))
    for (const size of Object.keys(SIZES)) await checkPage(visit, name, size, folder);
}
