// The attacks on login, each with its defence on and, to show what that is worth, with it off.
import { is } from "./check.mjs";
import { APP, ATTACKER, ERROR_URL, OAUTH, SUCCESS_URL } from "./names.mjs";
import { accept, connect, heading, hostOf, isAtProvider, signIn, start } from "./steps.mjs";

const VICTIM = "victim@fabrikam.example";
const ON = { "connect.cross_site": "refuse", "callback.browser_binding": "enforce" };
const OFF = { "connect.cross_site": "allow", "callback.browser_binding": "off" };
const REFUSED = {
  "connect.cross_site": ["connect", "cross_site_start", `Please start from ${APP}`],
  "callback.browser_binding": ["callback", "unbound_callback", "The sign-in took too long"],
};

const connectLink = ({ startPath }, token) =>
  `https://${OAUTH}${startPath}?recall_calendar_auth_token=${token}`;

// Everything in it is public but the attacker's own token.
function handMadeUrl(provider, token, redirect_uri = provider.redirectUri) {
  const state = {
    recall_calendar_auth_token: token,
    [provider.redirectMember]: redirect_uri,
    success_url: SUCCESS_URL,
    error_url: ERROR_URL,
  };
  return `${provider.authorizeUrl}?${new URLSearchParams({
    client_id: provider.clientId,
    response_type: "code",
    redirect_uri: provider.redirectUri,
    ...provider.authorizeParameters,
    scope: provider.scope,
    state: JSON.stringify(state),
  })}`;
}

async function clickLure(page, attacker, href) {
  attacker.lure = `<a href="${href}">Your prize</a>`;
  await page.goto(`https://${ATTACKER}/`);
  await page.click("a");
  await page.waitForURL((url) => url.host !== ATTACKER);
}

const ATTACKS = [
  {
    what: "a mailed link",
    defence: "connect.cross_site",
    lure: ({ page, provider, token }) => page.goto(connectLink(provider, token)),
  },
  {
    what: "a link on another site",
    defence: "connect.cross_site",
    lure: ({ page, attacker, provider, token }) =>
      clickLure(page, attacker, connectLink(provider, token)),
  },
  {
    what: "a mailed link to another site that redirects",
    defence: "connect.cross_site",
    lure({ page, attacker, provider, token }) {
      attacker.target = connectLink(provider, token);
      return page.goto(`https://${ATTACKER}/go`);
    },
  },
  {
    what: "a form on another site",
    defence: "connect.cross_site",
    async lure({ page, attacker, provider, token }) {
      attacker.lure = `<form method="post" action="https://${OAUTH}${provider.startPath}">
        <input name="recall_calendar_auth_token" value="${token}"><button>Win</button></form>`;
      await page.goto(`https://${ATTACKER}/`);
      await page.click("button");
      await page.waitForURL((url) => url.host !== ATTACKER);
    },
  },
  {
    what: "a hand-made authorize URL",
    defence: "callback.browser_binding",
    lure: ({ page, attacker, provider, token }) =>
      clickLure(page, attacker, handMadeUrl(provider, token).replaceAll("&", "&amp;")),
  },
  {
    what: "a hand-made authorize URL while the victim connects",
    defence: "callback.browser_binding",
    async lure({ page, context, provider, token }) {
      await start(await context.newPage(), provider, "the victim");
      await page.goto(handMadeUrl(provider, token));
    },
  },
  {
    // Microsoft asks nothing this time.
    what: "a hand-made authorize URL after the victim has connected",
    defence: "callback.browser_binding",
    async lure({ page, provider, token }) {
      await connect(page, provider, "the victim", VICTIM);
      await page.goto(handMadeUrl(provider, token))
    },
  },
];

// The victim does whatever the provider asks.
async function fall(page, provider) {
  if (!isAtProvider(page)) return;
  if ((await heading(page)) === "Sign in") await signIn(page, VICTIM);
  await accept(page, provider);
}

async function attack(world, { lure }, config) {
  const token = `attacker-${Math.random()}`;
  await world.server.configure(config);
  await lure({ ...world, token });
  await fall(world.page, world.provider);
  return world.recall.calendarOf(world.provider, token);
}

async function tryOne(visit, one) {
  await visit(`${one.what}, defences on`, async (world) => {
    const loot = await attack(world, one, ON);
    is(`${one.what}: the attacker gets nothing`, loot, undefined);
    const [route, wanted, title] = REFUSED[one.defence];
    is(`${one.what}: the victim reads what to do`, await heading(world.page), title);
    const { reason } = await world.server.take(
      (line) => line.route === route && line.status === 403,
    );
    is(`${one.what}: the log says why`, reason, wanted);
  });
  await visit(`${one.what}, defence off`, async (world) => {
    const loot = await attack(world, one, { ...ON, [one.defence]: OFF[one.defence] });
    is(`${one.what}: succeeds with ${one.defence}=${OFF[one.defence]}`, loot, VICTIM);
  });
}

// `report` sees what it lets pass.
async function checkReport({ page, attacker, provider, server, recall }) {
  await server.configure({ "callback.browser_binding": "report" });
  await clickLure(page, attacker, handMadeUrl(provider, "reported").replaceAll("&", "&amp;"));
  await fall(page, provider);
  is(
    "report: a hand-made authorize URL passes",
    recall.calendarOf(provider, "reported"),
    VICTIM,
  );
  is(
    "report: and is logged",
    (await server.takeRequest("callback")).binding,
    "missing",
  );
}

// The stand-ins are as strict as what they stand for.
async function checkMismatch({ page, provider, server, recall }) {
  await server.configure({ "callback.browser_binding": "off" });
  await page.goto(handMadeUrl(provider, "mismatched", `${provider.redirectUri}/`));
  await fall(page, provider);
  is(
    `another ${provider.redirectMember}: the code is not redeemed`,
    [page.url(), recall.refusals.at(-1)],
    [ERROR_URL, "invalid_grant"],
  );
  await page.goto(handMadeUrl(provider, "mismatched").replace("oauth_callback", "oauth_callback2"));
  is("another redirect_uri: the provider keeps the user", hostOf(page), provider.host);
}

export async function tryAttacks(visit) {
  for (const one of ATTACKS) await tryOne(visit, one);
  await visit("report", checkReport);
  await visit("mismatch", checkMismatch);
}
