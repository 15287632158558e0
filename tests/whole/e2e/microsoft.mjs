// Plays Microsoft: its pages, and its manner of saying what the authorization server has decided.
import { readForm, redirect, show } from "./hosts.mjs";
import { ADMIN_REDIRECT_URI } from "./names.mjs";
import { Provider } from "./provider.mjs";

const GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
const DECLINED =
  "AADSTS65004: User declined to consent to access the app.\r\n" +
  `Trace ID: ${GUID}\r\nCorrelation ID: ${GUID}\r\nTimestamp: 2026-11-24 10:00:00Z`;

const BUTTONS = `<button name="answer" value="accept">Accept</button>
<button name="answer" value="cancel">Cancel</button></form>`;
const SIGN_IN = `<form method="post"><label>Email <input name="email"></label>
<button name="answer" value="accept">Next</button>
<button name="answer" value="cancel">Cancel</button></form>`;
const CONSENT = `<p>Read your calendars</p><form method="post">${BUTTONS}`;
const WALL = `<p>Ask an admin to grant permission to this app.</p><form method="post">
<button name="answer" value="cancel">Return to the application without granting
consent</button></form>`;
const ADMIN_CONSENT = `<p>Accept for your organization</p><form method="post">${BUTTONS}`;

// As Microsoft encodes: a form, + for space, hex in lower case.
function encode(fields) {
  return new URLSearchParams(fields)
    .toString()
    .replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
}

export class Microsoft extends Provider {
  codePrefix = "";
  codeLength = 900;
  approvesApps = false; // whether an administrator of contoso.example has approved the app

  openAs(names) {
    return this.open(names, names.scope.split(" "), { email: ["email"] });
  }

  manner({ code, error, error_description, state }) {
    if (code) return encode({ code, state, session_state: GUID });
    if (error_description === "cancel") return encode({ error, error_subcode: "cancel", state });
    if (error_description === "declined")
      return encode({ error, error_description: DECLINED, state });
    return encode({ error, error_description, state });
  }

  handleRequest(request, response) {
    const [path, query] = request.url.split("?");
    if (path.endsWith("/v2.0/adminconsent"))
      return this.askAdmin(request, response, path, new URLSearchParams(query));
    return this.handleProtocol(request, response);
  }

  isWalled(email) {
    return email.endsWith("@contoso.example") && !this.approvesApps;
  }

  ask(response, prompt, email) {
    if (prompt === "login") return show(response, "Sign in", SIGN_IN);
    if (this.isWalled(email)) return show(response, "Need admin approval", WALL);
    return show(response, "Permissions requested", CONSENT);
  }

  async result(prompt, params, session, form) {
    const isCancel = form.get("answer") !== "accept";
    if (prompt === "login" && !isCancel) return { login: { accountId: form.get("email") } };
    if (prompt === "login" || this.isWalled(session.accountId))
      return { error: "access_denied", error_description: "cancel" };
    if (isCancel) return { error: "access_denied", error_description: "declined" };
    return this.grant(params, session, params.scope);
  }

  async askAdmin(request, response, path, params) {
    const isGood =
      path === "/organizations/v2.0/adminconsent" &&
      params.get("scope") === this.names.scope &&
      params.get("client_id") === this.names.clientId &&
      params.get("redirect_uri") === ADMIN_REDIRECT_URI;
    if (!isGood) return show(response, "AADSTS50011", "", 400);
    if (request.method === "GET") return show(response, "Permissions requested", ADMIN_CONSENT);
    this.approvesApps = (await readForm(request)).get("answer") === "accept";
    // admin_consent is True even on failure.
    const answer = this.approvesApps
      ? { tenant: GUID, scope: this.names.scope }
      : { error: "access_denied", error_description: DECLINED };
    const query = encode({ admin_consent: "True", ...answer, state: params.get("state") });
    return redirect(response, `${ADMIN_REDIRECT_URI}?${query}`);
  }
}
