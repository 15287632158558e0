// The whole login in a real browser, once with this server's own TLS and once behind nginx.
//   PROGRAM  the server's binary      BUILD  pictures go into BUILD/e2e
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { tryAttacks } from "./attacks.mjs";
import { openBrowser } from "./browser.mjs";
import { makeAuthority, makeCertificate, makeTrustingHome } from "./certificates.mjs";
import { is, story, sum } from "./check.mjs";
import { Google } from "./google.mjs";
import { Hosts } from "./hosts.mjs";
import { Microsoft } from "./microsoft.mjs";
import { APP, ATTACKER, OAUTH, PROVIDERS, RECALL, STRANGER } from "./names.mjs";
import { checkOperatorPage } from "./operator.mjs";
import { checkPages } from "./pages.mjs";
import { Recall } from "./recall.mjs";
import { Server, startNginx } from "./server.mjs";
import { Attacker, handleApp } from "./sites.mjs";
import { TOGETHER, WALKS, certificates } from "./walks.mjs";

const STAND_INS = { microsoft: Microsoft, google: Google };
const PATIENCE_MS = 20000;
const folder = `${process.env.BUILD}/e2e`;
const dir = mkdtempSync(`${tmpdir()}/e2e-`);
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
])
  process.on(signal, () => process.exit(code));

async function playHosts(authority) {
  const hosts = new Hosts(dir);
  const recall = new Recall((url, form) => hosts.post(authority, url, form));
  const attacker = new Attacker();
  const standIns = {};
  for (const provider of PROVIDERS) {
    const standIn = await new STAND_INS[provider.name]().openAs(provider);
    for (const host of new Set([provider.host, new URL(provider.tokenUrl).host]))
      await hosts.play(host, authority, standIn.handle);
    standIns[provider.name] = standIn;
  }
  await hosts.play(RECALL, authority, recall.handle);
  await hosts.play(APP, authority, handleApp);
  await hosts.play(ATTACKER, authority, attacker.handle);
  await hosts.play(STRANGER, makeAuthority(dir, "stranger"), handleApp);
  return { hosts, standIns, recall, attacker };
}

// A story in a browser profile of its own; where it breaks off, a picture is kept.
function visitor(browser, front, world) {
  const visit = (what, tell, options = {}) =>
    story(`${front}: ${what}`, async () => {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      try {
        await tell({ ...world, context, page, visit });
      } catch (error) {
        await page.screenshot({ path: `${folder}/broken: ${front}, ${what}.png` });
        throw error;
      } finally {
        await context.close();
      }
    });
  return visit;
}

// The same, of one provider.
function visitProvider(visit, provider) {
  return (what, tell) =>
    visit(`${provider.name}, ${what}`, (world) =>
      tell({ ...world, provider, standIn: world.standIns[provider.name] }),
    );
}

function checkLogs(front, log, { standIns, recall }) {
  const secrets = [...recall.calendars.keys()].flatMap((token) => [
    token,
    encodeURIComponent(token),
  ]);
  for (const answer of Object.values(standIns).flatMap(({ answers }) => answers)) {
    const { code, state } = Object.fromEntries(new URLSearchParams(answer));
    secrets.push(...[code, state].filter(Boolean), /state=([^&]*)/.exec(answer)[1]);
  }
  is(
    `${front}: nothing of codes, states and tokens is in its logs`,
    secrets.filter((secret) => log.includes(secret)),
    [],
  );
  is(`${front}: which hold the callbacks`, log.split("callback").length > 20, true);
}

async function tellAll(front, world, home, startFront) {
  console.log(`# ${front}`);
  const { server, port, readLog } = await startFront();
  const browser = await openBrowser(home, { ...world.hosts.ports, [OAUTH]: port });
  const visit = visitor(browser, front, { ...world, server });
  await visit("certificates", certificates);
  for (const provider of PROVIDERS) {
    const visitOne = visitProvider(visit, provider);
    for (const [name, walk] of Object.entries(WALKS[provider.name])) await visitOne(name, walk);
    await tryAttacks(visitOne);
  }
  for (const [name, walk] of Object.entries(TOGETHER)) await visit(name, walk);
  if (front === "own TLS") {
    await checkPages(visit, folder);
    await checkOperatorPage(browser, dir, world.authority, folder);
  }
  checkLogs(front, readLog(), world);
  await browser.close();
}

async function main() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const authority = makeAuthority(dir, "authority");
  const pair = makeCertificate(dir, authority, OAUTH);
  const home = makeTrustingHome(dir, authority);
  const world = { ...(await playHosts(authority)), authority };
  await tellAll("own TLS", world, home, async () => {
    const server = await new Server(dir, pair).start();
    return { server, port: server.port, readLog: () => server.text };
  });
  await tellAll("nginx", world, home, async () => {
    const server = await new Server(dir).start();
    const port = await startNginx(dir, pair, server.port);
    const readLog = () =>
      readdirSync(`${dir}/logs`)
        .map((name) => readFileSync(`${dir}/logs/${name}`, "utf8"))
        .join();
    return { server, port, readLog: () => server.text + readLog() };
  });
  world.hosts.close();
}

await story("everything", main);
process.exit(sum() ? 0 : 1);
