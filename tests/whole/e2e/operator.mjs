// The operator's page, after a day's mixture of answers: what one sees of it, and changes of the
// configuration file and of the certificate that show on it without a signal.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import https from "node:https";
import { makeCertificate } from "./certificates.mjs";
import { is, story } from "./check.mjs";
import { CONFIG, OAUTH, PROVIDERS } from "./names.mjs";
import { PAPER, SIZES, look } from "./pages.mjs";
import { Server, freePort, until } from "./server.mjs";

const SECRET = "hunter2";
const GOOD_STATE = (provider) =>
  encodeURIComponent(
    JSON.stringify({
      recall_calendar_auth_token: SECRET,
      [provider.redirectMember]: provider.redirectUri,
    }),
  );
// 40 answers, the last ones last.
const ANSWERS = {
  microsoft: [
    ...Array(15).fill(`code=${SECRET}`),
    "error=server_error&error_description=AADSTS90094",
    ...Array(2).fill("error=access_denied&error_subcode=cancel"),
    "x=y",
  ],
  google: [
    ...Array(15).fill(`code=${SECRET}`),
    ...Array(4).fill("error=access_denied"),
    ...Array(2).fill("error=admin_policy_enforced"),
  ],
};

// What the server answers, or which certificate it has.
function ask(port, path) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, servername: OAUTH, rejectUnauthorized: false };
    const request = https.get({ ...options, agent: false }, (response) => {
      const { fingerprint } = response.socket.getPeerCertificate();
      response.resume().on("end", () => resolve({ status: response.statusCode, fingerprint }));
    });
    request.on("error", reject);
  });
}

async function answerAll(port) {
  for (const provider of PROVIDERS)
    for (const query of ANSWERS[provider.name])
      await ask(port, `${provider.callbackPath}?${query}&state=${GOOD_STATE(provider)}`);
  await ask(port, `/connect?recall_calendar_auth_token=${SECRET}&colour=red`);
}

async function checkNumbers(page) {
  const texts = (selector) => page.locator(selector).allTextContents();
  is(
    "operator: what matters is above",
    await texts("h1, h2"),
    [
      "10 of 40 answers in 24 hours brought no code",
      "Microsoft: 19 answers in 24 hours",
      "Google: 21 answers in 24 hours",
      "Failed answers: 10 since the start",
      "Refused starts: 1 since the start",
    ],
  );
  is(
    "operator: one bar at each provider, of all its outcomes",
    await page.locator("svg").evaluateAll((plots) => plots.map((plot) => plot.children.length)),
    [3, 2],
  );
  is(
    "operator: the legend has the numbers",
    (await texts("section:first-of-type summary span")).join(),
    "code 15,error 3,admin_wall 0,admin_consent 0,empty 1,ambiguous 0",
  );
  is("operator: the hours are closed", await page.isVisible("section table"), false);
  await page.click("section:first-of-type summary");
  is(
    "operator: and open at a click",
    await page.locator("section:first-of-type table tr:nth-of-type(2)").textContent(),
    "01530010",
  );
}

async function checkRows(page) {
  const rows = await page
    .locator("table.f tbody tr")
    .evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const cells = rows.map(([, provider, what]) => [provider, what.replace(/\s+/g, " ").trim()]);
  is(
    "operator: failures, newest first, and then the starts",
    cells,
    [
      ...Array(2).fill(["Google", "302 error admin_policy_enforced"]),
      ...Array(4).fill(["Google", "302 error access_denied"]),
      ["Microsoft", "302 empty"],
      ...Array(2).fill(["Microsoft", "302 error access_denied cancel"]),
      ["Microsoft", "302 error server_error AADSTS90094"],
      ["Microsoft", "400 parameter_unknown"],
    ],
  );
  is("operator: each has its cure", rows.filter(([, , , , cure]) => cure.length < 20), []);
  is(
    "operator: the admin-consent link stands where it is the cure",
    rows.filter(([, , , , cure]) => cure.includes(`${CONFIG.public_url}/connect/admin`)).length,
    3,
  );
  is("operator: nothing that was sent is on it", (await page.content()).includes(SECRET), false);
}

async function checkLooks(page, size, folder) {
  await page.setViewportSize(SIZES[size].viewport);
  for (const [scheme, paper] of Object.entries(PAPER))
    is(
      `operator, ${size}, ${scheme}: styled, fits, accessible`,
      await look(page, scheme, `${folder}/operator-${size}-${scheme}.png`),
      { faults: [], paper, overhang: 0 },
    );
}

async function swapFiles(page, server, pair, other) {
  const { fingerprint } = await ask(server.port, "/healthz");
  server.overrides = { recall: { region: "eu-central-1" } };
  server.write();
  for (const file of ["pem", "key"]) {
    copyFileSync(other[file], `${pair[file]}.new`);
    renameSync(`${pair[file]}.new`, pair[file]);
  }
  await until("the new certificate", async () => {
    const seen = await ask(server.port, "/healthz");
    return seen.fingerprint !== fingerprint;
  });
  await until("the new region", async () => {
    await page.reload();
    return (await page.textContent("dl")).includes("https://eu-central-1.recall.ai");
  });
  is("operator: a reload says when it was", /Last reload20\d\d-/.test(await page.textContent("dl")), true);
  is(
    "operator: and loses nothing",
    await page.textContent("h1"),
    "10 of 40 answers in 24 hours brought no code",
  );
}

export function checkOperatorPage(browser, dir, authority, folder) {
  return story("operator", async () => {
    const own = `${dir}/operator`;
    mkdirSync(`${own}/other`, { recursive: true });
    const pair = makeCertificate(own, authority, OAUTH);
    const other = makeCertificate(`${own}/other`, authority, OAUTH);
    const admin = await freePort();
    const server = new Server(own, pair);
    server.options = server.options.map((option) => option.replace("admin.port=0", `admin.port=${admin}`));
    server.options.push("--reload.poll_seconds=1");
    await server.start();
    await answerAll(server.port);
    const page = await browser.newPage();
    const complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    await page.goto(`http://127.0.0.1:${admin}/`);
    await checkRows(page);
    for (const size of Object.keys(SIZES)) await checkLooks(page, size, folder);
    await checkNumbers(page);
    is("operator: the browser has nothing to complain of", complaints, []);
    await swapFiles(page, server, pair, other);
    await page.close();
  });
}
