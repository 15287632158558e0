// The company's app, and the site of somebody who means harm.
import { escape, show } from "./hosts.mjs";
import { APP, OAUTH, PROVIDERS, RECALL, tokenOf } from "./names.mjs";

// A form, as the README recommends, and a link.
function connectPart({ calendar, startPath }, token) {
  const query = `recall_calendar_auth_token=${encodeURIComponent(token)}`;
  return `<form method="post" action="https://${OAUTH}${startPath}">
<input type="hidden" name="recall_calendar_auth_token" value="${escape(token)}">
<button>Connect ${calendar} calendar</button></form>
<a href="https://${OAUTH}${startPath}?${query}">Connect ${calendar} by link</a>`;
}

export function handleApp(request, response) {
  const url = new URL(request.url, "https://app");
  if (url.pathname === "/settings/calendar")
    return show(response, `Calendar: ${escape(url.searchParams.get("outcome"))}`, "");
  // As the README says: without one of these, Chromium stops on the way.
  const hosts = [OAUTH, ...PROVIDERS.map(({ host }) => host), RECALL, APP];
  response.setHeader(
    "Content-Security-Policy",
    `form-action ${hosts.map((host) => `https://${host}`).join(" ")}`,
  );
  const token = tokenOf(url.searchParams.get("user"));
  const parts = PROVIDERS.map((provider) => connectPart(provider, token));
  return show(response, "Settings", parts.join("\n"));
}

export class Attacker {
  lure = ""; // HTML of the page
  target = ""; // where /go leads

  handle = (request, response) => {
    if (request.url !== "/go") return show(response, "You have won", this.lure);
    response.writeHead(302, { Location: this.target });
    return response.end();
  };
}
