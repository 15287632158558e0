// What people do in the browser.
import { APP, MICROSOFT, OAUTH } from "./names.mjs";

export const hostOf = (page) => new URL(page.url()).host;
export const heading = (page) => page.locator("h1").textContent();

export async function openApp(page, user) {
  await page.goto(`https://${APP}/?user=${encodeURIComponent(user)}`);
}

export async function start(page, user) {
  await openApp(page, user);
  await page.click("text=Connect Outlook calendar");
  await page.waitForSelector("text=Sign in");
}

export async function signIn(page, email) {
  await page.fill("input[name=email]", email);
  await page.click("text=Next");
  await page.waitForSelector("text=Sign in", { state: "detached" });
}

// Press a button of Microsoft's and wait for where it leads to: a host of somebody else.
export async function leave(page, button) {
  await page.click(`button:has-text("${button}")`);
  await page.waitForURL((url) => url.host !== MICROSOFT);
}

export async function connect(page, user, email) {
  await start(page, user);
  await signIn(page, email);
  await leave(page, "Accept");
}

// As from a mail: no page before it.
export async function openAdminLink(page) {
  await page.goto(`https://${OAUTH}/connect/admin`);
}
