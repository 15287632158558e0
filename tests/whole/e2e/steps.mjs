// What people do in the browser.
import { APP, OAUTH, PROVIDERS } from "./names.mjs";

const isProvider = (host) => PROVIDERS.some((provider) => provider.host === host);

export const hostOf = (page) => new URL(page.url()).host;
export const isAtProvider = (page) => isProvider(hostOf(page));
export const heading = (page) => page.locator("h1").textContent();

export async function openApp(page, user) {
  await page.goto(`https://${APP}/?user=${encodeURIComponent(user)}`);
}

export async function clickConnect(page, { calendar }) {
  await page.click(`text=Connect ${calendar} calendar`);
}

export async function start(page, provider, user) {
  await openApp(page, user);
  await clickConnect(page, provider);
  await page.waitForSelector("text=Sign in");
}

export async function signIn(page, email) {
  await page.fill("input[name=email]", email);
  await page.click("text=Next");
  await page.waitForSelector("text=Sign in", { state: "detached" });
}

// Press a button of the provider's and wait for where it leads to: a host of somebody else.
export async function leave(page, button) {
  await page.click(`button:has-text("${button}")`);
  await page.waitForURL((url) => !isProvider(url.host));
}

// Grant all that the app asks for.
export async function accept(page, provider) {
  for (const box of await page.locator("input[type=checkbox]").all()) await box.check();
  await leave(page, provider.accept);
}

export async function connect(page, provider, user, email) {
  await start(page, provider, user);
  await signIn(page, email);
  await accept(page, provider);
}

// As from a mail: no page before it.
export async function openAdminLink(page) {
  await page.goto(`https://${OAUTH}/connect/admin`);
}
