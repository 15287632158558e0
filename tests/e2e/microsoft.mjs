// Plays Microsoft: its pages, and its manner of telling what the authorization server has decided.
import { randomBytes } from "node:crypto";
import { readForm, redirect, show } from "./hosts.mjs";
import { CLIENT, SCOPE } from "./names.mjs";
import { makeProvider } from "./provider.mjs";

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

// What the library answers, told as Microsoft tells it.
function manner(location) {
  const { code, error, error_description, state } = Object.fromEntries(
    new URL(location).searchParams,
  );
  if (code) return encode({ code, state, session_state: GUID });
  if (error_description === "cancel") return encode({ error, error_subcode: "cancel", state });
  if (error_description === "declined")
    return encode({ error, error_description: DECLINED, state });
  return encode({ error, error_description, state });
}

class Microsoft {
  codeLength = 900;
  answers = []; // queries sent to the callback
  approvesApps = false; // whether an administrator of contoso.example has approved the app

  async open() {
    this.provider = await makeProvider();
    this.provider.AuthorizationCode.prototype.generateTokenId = () =>
      randomBytes(this.codeLength).toString("base64url").slice(0, this.codeLength);
    this.provider.use(async (context, next) => {
      await next();
      const location = context.response.get("Location");
      if (!location?.startsWith(CLIENT.redirectUri)) return;
      this.answers.push(manner(location));
      context.set("Location", `${CLIENT.redirectUri}?${this.answers.at(-1)}`);
    });
    this.handleProtocol = this.provider.callback();
    return this;
  }

  handle = (request, response) => {
    const [path, query] = request.url.split("?");
    if (path.startsWith("/interaction/")) return this.interact(request, response);
    if (path.endsWith("/v2.0/adminconsent"))
      return this.askAdmin(request, response, path, new URLSearchParams(query));
    return this.handleProtocol(request, response);
  };

  async interact(request, response) {
    const { prompt, params, session } = await this.provider.interactionDetails(request, response);
    if (request.method === "GET") return this.ask(response, prompt.name, session?.accountId);
    const form = await readForm(request);
    return this.provider.interactionFinished(
      request,
      response,
      await this.result(prompt.name, params, session, form),
      { mergeWithLastSubmission: false },
    );
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
    const grant = new this.provider.Grant({
      accountId: session.accountId,
      clientId: params.client_id,
    });
    grant.addOIDCScope(params.scope);
    grant.addOIDCClaims(["email"]);
    return { consent: { grantId: await grant.save() } };
  }

  async askAdmin(request, response, path, params) {
    const isGood =
      path === "/organizations/v2.0/adminconsent" &&
      params.get("scope") === SCOPE &&
      params.get("client_id") === CLIENT.id &&
      params.get("redirect_uri") === CLIENT.adminRedirectUri;
    if (!isGood) return show(response, "AADSTS50011", "", 400);
    if (request.method === "GET") return show(response, "Permissions requested", ADMIN_CONSENT);
    this.approvesApps = (await readForm(request)).get("answer") === "accept";
    // admin_consent is True even on failure.
    const answer = this.approvesApps
      ? { tenant: GUID, scope: SCOPE }
      : { error: "access_denied", error_description: DECLINED };
    const query = encode({ admin_consent: "True", ...answer, state: params.get("state") });
    return redirect(response, `${CLIENT.adminRedirectUri}?${query}`);
  }
}

export const playMicrosoft = () => new Microsoft().open();
