// Who is who. Origin, client id and return addresses are those of the example that is shipped.
import { readFileSync } from "node:fs";

export const CONFIG = JSON.parse(
  readFileSync(new URL("../../config/recall-redirectd.json", import.meta.url)),
);

export const APP = "app.example.com";
export const OAUTH = "oauth.example.com";
export const MICROSOFT = "login.microsoftonline.com";
export const RECALL = "us-east-1.recall.ai";
export const ATTACKER = "attacker.example";
export const STRANGER = "stranger.example"; // has a certificate that nobody trusts

export const AUTHORIZE_URL = `https://${MICROSOFT}/common/oauth2/v2.0/authorize`;
export const TOKEN_URL = `https://${MICROSOFT}/common/oauth2/v2.0/token`;
export const SCOPE = "offline_access openid email https://graph.microsoft.com/Calendars.Read";

export const CLIENT = {
  id: CONFIG.microsoft.client_id,
  secret: "the secret in Recall's dashboard",
  redirectUri: `${CONFIG.public_url}/api/ms_oauth_callback`,
  adminRedirectUri: `${CONFIG.public_url}/api/ms_admin_consent_callback`,
};
export const SUCCESS_URL = CONFIG.connect.success_url;
export const ERROR_URL = CONFIG.connect.error_url;

// What Recall mints for a user of the app. It has a bit of everything that encodings differ in.
export const tokenOf = (user) => `token of ${user}: é+'%2B/~*`;
