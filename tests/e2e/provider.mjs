// A real authorization server, on Microsoft's paths, that knows the app.
import { generateKeyPairSync } from "node:crypto";
import { AUTHORIZE_URL, CLIENT, MICROSOFT, SCOPE, TOKEN_URL } from "./names.mjs";

const ARTIFACTS = [
  "AccessToken",
  "AuthorizationCode",
  "Grant",
  "IdToken",
  "Interaction",
  "RefreshToken",
  "Session",
];

function configuration() {
  const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    format: "jwk",
  });
  return {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [CLIENT.redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    routes: { authorization: new URL(AUTHORIZE_URL).pathname, token: new URL(TOKEN_URL).pathname },
    scopes: SCOPE.split(" "),
    claims: { email: ["email"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
    pkce: { required: () => false },
    issueRefreshToken: () => true,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    renderError: (context, out) => {
      context.body = `<h1>${out.error}</h1>`;
    },
    cookies: { keys: ["of a test"] },
    ttl: Object.fromEntries(ARTIFACTS.map((kind) => [kind, 600])),
    jwks: { keys: [{ ...jwk, use: "sig", alg: "RS256" }] },
  };
}

// The library's remarks about its own defaults would hide what the test has to say.
export async function makeProvider() {
  const { info, warn } = console;
  console.info = console.warn = () => {};
  const { Provider } = await import("oidc-provider");
  const provider = new Provider(`https://${MICROSOFT}`, configuration());
  Object.assign(console, { info, warn });
  return provider;
}
