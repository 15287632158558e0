// Who is who. Origin, Microsoft's client id and return addresses are those of the example that is
// shipped.
import { readFileSync } from "node:fs";

const EXAMPLE = JSON.parse(
  readFileSync(new URL("../../../config/recall-redirectd.json", import.meta.url)),
);
export const CONFIG = {
  ...EXAMPLE,
  google: { client_id: "123456789012-e2e.apps.googleusercontent.com" },
};

export const APP = "app.example.com";
export const OAUTH = "oauth.example.com";
export const RECALL = "us-east-1.recall.ai";
export const ATTACKER = "attacker.example";
export const STRANGER = "stranger.example"; // has a certificate that nobody trusts

// What differs between the providers, as seen from outside.
const MICROSOFT = {
  name: "microsoft",
  calendar: "Outlook", // as the app's button calls it
  host: "login.microsoftonline.com",
  authorizePath: "/common/oauth2/v2.0/authorize",
  authorizeParameters: { response_mode: "query" },
  tokenUrl: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
  startPath: "/connect",
  callbackPath: "/api/ms_oauth_callback",
  recallPath: "/api/v1/calendar/ms_oauth_callback/",
  redirectMember: "ms_oauth_redirect_url",
  scope: "offline_access openid email https://graph.microsoft.com/Calendars.Read",
  clientId: CONFIG.microsoft.client_id,
  accept: "Accept",
  cancelSubcode: "cancel", // error_subcode where the user cancels
  asksAlways: false, // even a user who has granted all of it before
  encodedState: { brace: "%7b%22", space: "token+of" }, // how it writes these in its answers
};

const GOOGLE = {
  name: "google",
  calendar: "Google",
  host: "accounts.google.com",
  authorizePath: "/o/oauth2/v2/auth",
  authorizeParameters: {
    access_type: "offline",
    include_granted_scopes: "true",
    prompt: "consent",
  },
  tokenUrl: "https://oauth2.googleapis.com/token",
  startPath: "/connect/google",
  callbackPath: "/api/google_oauth_callback",
  recallPath: "/api/v1/calendar/google_oauth_callback/",
  redirectMember: "google_oauth_redirect_url",
  scope: ["calendar.events.readonly", "userinfo.email"]
    .map((name) => `https://www.googleapis.com/auth/${name}`)
    .join(" "),
  clientId: CONFIG.google.client_id,
  accept: "Continue",
  asksAlways: true,
  encodedState: { brace: "%7B%22", space: "token%20of" },
};

export const PROVIDERS = [MICROSOFT, GOOGLE].map((provider) => ({
  ...provider,
  authorizeUrl: `https://${provider.host}${provider.authorizePath}`,
  secret: `the secret of ${provider.name} in Recall's dashboard`,
  redirectUri: `${CONFIG.public_url}${provider.callbackPath}`,
}));
export const ADMIN_REDIRECT_URI = `${CONFIG.public_url}/api/ms_admin_consent_callback`;
export const SUCCESS_URL = CONFIG.connect.success_url;
export const ERROR_URL = CONFIG.connect.error_url;

// What Recall mints for a user of the app. It has a bit of everything that encodings differ in.
export const tokenOf = (user) => `token of ${user}: é+'%2B/~*`;
