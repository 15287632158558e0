// The attacks on login, each with its defence on and, to show what that is worth, with it off.
import { is } from "./check.mjs";
import {
  ATTACKER,
  AUTHORIZE_URL,
  CLIENT,
  ERROR_URL,
  MICROSOFT,
  OAUTH,
  SCOPE,
  SUCCESS_URL,
} from "./names.mjs";
import { connect, heading, hostOf, leave, signIn, start } from "./steps.mjs";

const VICTIM = "victim@fabrikam.example";
const ON = { "connect.cross_site": "refuse", "callback.browser_binding": "enforce" };
const OFF = { "connect.cross_site": "allow", "callback.browser_binding": "off" };
const REFUSED = {
  "connect.cross_site": ["connect", "cross_site_start"],
  "callback.browser_binding": ["callback", "unbound_callback"],
};

const connectLink = (token) => `https://${OAUTH}/connect?recall_calendar_auth_token=${token}`;

// Everything in it is public but the attacker's own token.
function handMadeUrl(token, redirect_uri = CLIENT.redirectUri) {
  const state = {
    recall_calendar_auth_token: token,
    ms_oauth_redirect_url: redirect_uri,
    success_url: SUCCESS_URL,
    error_url: ERROR_URL,
  };
  return `${AUTHORIZE_URL}?${new URLSearchParams({
    client_id: CLIENT.id,
    response_type: "code",
    redirect_uri: CLIENT.redirectUri,
    response_mode: "query",
    scope: SCOPE,
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
    lure: ({ page, token }) => page.goto(connectLink(token)),
  },
  {
    what: "a link on another site",
    defence: "connect.cross_site",
    lure: ({ page, attacker, token }) => clickLure(page, attacker, connectLink(token)),
  },
  {
    what: "a mailed link to another site that redirects",
    defence: "connect.cross_site",
    lure({ page, attacker, token }) {
      attacker.target = connectLink(token);
      return page.goto(`https://${ATTACKER}/go`);
    },
  },
  {
    what: "a form on another site",
    defence: "connect.cross_site",
    async lure({ page, attacker, token }) {
      attacker.lure = `<form method="post" action="https://${OAUTH}/connect">
        <input name="recall_calendar_auth_token" value="${token}"><button>Win</button></form>`;
      await page.goto(`https://${ATTACKER}/`);
      await page.click("button");
      await page.waitForURL((url) => url.host !== ATTACKER);
    },
  },
  {
    what: "a hand-made authorize URL",
    defence: "callback.browser_binding",
    lure: ({ page, attacker, token }) =>
      clickLure(page, attacker, handMadeUrl(token).replaceAll("&", "&amp;")),
  },
  {
    what: "a hand-made authorize URL while the victim connects",
    defence: "callback.browser_binding",
    async lure({ page, context, token }) {
      await start(await context.newPage(), "the victim");
      await page.goto(handMadeUrl(token));
    },
  },
  {
    what: "a hand-made authorize URL after the victim has connected",
    defence: "callback.browser_binding",
    async lure({ page, token }) {
      await connect(page, "the victim", VICTIM);
      await page.goto(handMadeUrl(token)); // Microsoft asks nothing any more
    },
  },
];

// The victim does whatever Microsoft asks.
async function fall(page) {
  if (hostOf(page) !== MICROSOFT) return;
  await signIn(page, VICTIM);
  await leave(page, "Accept");
}

async function attack(world, { lure }, config) {
  const token = `attacker-${Math.random()}`;
  await world.server.configure(config);
  await lure({ ...world, token });
  await fall(world.page);
  return world.recall.connections.get(token);
}

async function tryOne(visit, one) {
  await visit(`${one.what}, defences on`, async (world) => {
    const loot = await attack(world, one, ON);
    is(`${one.what}: the attacker gets nothing`, loot, undefined);
    is(
      `${one.what}: the victim reads what to do`,
      await heading(world.page),
      "Please start from the app",
    );
    const [route, wanted] = REFUSED[one.defence];
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
async function checkReport({ page, attacker, server, recall }) {
  await server.configure({ "callback.browser_binding": "report" });
  await clickLure(page, attacker, handMadeUrl("reported").replaceAll("&", "&amp;"));
  await fall(page);
  is("report: a hand-made authorize URL passes", recall.connections.get("reported"), VICTIM);
  is(
    "report: and is told of in the log",
    (await server.takeRequest("callback")).binding,
    "missing",
  );
}

// The stand-ins are as strict as what they stand for.
async function checkMismatch({ page, server, recall }) {
  await server.configure({ "callback.browser_binding": "off" });
  await page.goto(handMadeUrl("mismatched", `${CLIENT.redirectUri}/`));
  await fall(page);
  is(
    "another ms_oauth_redirect_url: the code is not redeemed",
    [page.url(), recall.refusals.at(-1)],
    [ERROR_URL, "invalid_grant"],
  );
  await page.goto(handMadeUrl("mismatched").replace("ms_oauth_callback", "ms_oauth_callback2"));
  is("another redirect_uri: Microsoft keeps the user", hostOf(page), MICROSOFT);
}

export async function tryAttacks(visit) {
  for (const one of ATTACKS) await tryOne(visit, one);
  await visit("report", checkReport);
  await visit("mismatch", checkMismatch);
}
