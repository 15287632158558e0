// Plays Google: its pages, and its manner of saying what the authorization server has decided.
import { show } from "./hosts.mjs";
import { Provider } from "./provider.mjs";

const CALENDAR = "https://www.googleapis.com/auth/calendar.events.readonly";
const EMAIL = "https://www.googleapis.com/auth/userinfo.email";

const SIGN_IN = `<form method="post"><label>Email <input name="email"></label>
<button name="answer" value="accept">Next</button>
<button name="answer" value="cancel">Cancel</button></form>`;
// The box comes without its tick: the user has to set it.
const CONSENT = `<form method="post"><label><input type="checkbox" name="calendar">
View events on all your calendars</label>
<button name="answer" value="cancel">Cancel</button>
<button name="answer" value="accept">Continue</button></form>`;

// As Google encodes: hex in upper case, %20 for space, and : and / as they are.
function encode(fields) {
  return Object.entries(fields)
    .map(([name, value]) => {
      const encoded = encodeURIComponent(value).replaceAll("'", "%27");
      return `${name}=${encoded.replaceAll("%3A", ":").replaceAll("%2F", "/")}`;
    })
    .join("&");
}

// What Google wants of the request beside RFC 6749. Without the first and the last there is no refresh
// token, so that Recall could not use the connection.
function isGoodRequest(params) {
  const prompts = (params.get("prompt") ?? "").split(" ");
  return (
    params.get("access_type") === "offline" &&
    params.get("include_granted_scopes") === "true" &&
    prompts.includes("consent") &&
    !params.has("response_mode")
  );
}

export class Google extends Provider {
  codePrefix = "4/0A";
  codeLength = 70;

  openAs(names) {
    return this.open(names, ["openid", CALENDAR, EMAIL], { [EMAIL]: ["email"] });
  }

  manner({ code, error, state }, scope) {
    if (error) return encode({ error, state });
    return encode({
      state,
      iss: `https://${this.names.host}`,
      code,
      scope,
      authuser: "0",
      hd: "fabrikam.example",
      prompt: "consent",
    });
  }

  handleRequest(request, response) {
    const url = new URL(request.url, `https://${this.names.host}`);
    if (url.pathname !== this.names.authorizePath) return this.handleProtocol(request, response);
    if (!isGoodRequest(url.searchParams))
      return show(response, "Access blocked", "Error 400: invalid_request", 400);
    // Google answers a request for the address with openid, too.
    url.searchParams.set("scope", `${url.searchParams.get("scope")} openid`);
    request.url = `${url.pathname}${url.search}`;
    return this.handleProtocol(request, response);
  }

  // What an administrator of contoso.example forbids is said here, and never to the app.
  ask(response, prompt, email) {
    if (prompt === "login") return show(response, "Sign in", SIGN_IN);
    if (email.endsWith("@contoso.example"))
      return show(response, "Access blocked", "Error 400: admin_policy_enforced", 400);
    return show(response, "Select what the app can access", CONSENT);
  }

  async result(prompt, params, session, form) {
    if (form.get("answer") !== "accept") return { error: "access_denied" };
    if (prompt === "login") return { login: { accountId: form.get("email") } };
    const isTicked = form.get("calendar") === "on";
    if (!isTicked) return this.grant(params, session, `openid ${EMAIL}`, CALENDAR);
    return this.grant(params, session, params.scope);
  }
}
