// The company's app, and the site of somebody who means harm.
import { escape, show } from "./hosts.mjs";
import { APP, MICROSOFT, OAUTH, RECALL, tokenOf } from "./names.mjs";

// A form, as the README recommends, and a link.
function connectPage(token) {
  const link = `https://${OAUTH}/connect?recall_calendar_auth_token=${encodeURIComponent(token)}`;
  return `<form method="post" action="https://${OAUTH}/connect">
<input type="hidden" name="recall_calendar_auth_token" value="${escape(token)}">
<button>Connect Outlook calendar</button></form>
<a href="${link}">Connect by link</a>`;
}

export function handleApp(request, response) {
  const url = new URL(request.url, "https://app");
  if (url.pathname === "/settings/calendar")
    return show(response, `Calendar: ${escape(url.searchParams.get("outcome"))}`, "");
  // As the README says: without one of these, Chromium stops on the way.
  response.setHeader(
    "Content-Security-Policy",
    `form-action ${[OAUTH, MICROSOFT, RECALL, APP].map((host) => `https://${host}`).join(" ")}`,
  );
  return show(response, "Settings", connectPage(tokenOf(url.searchParams.get("user"))));
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
