// Plays a provider: a real authorization server, on the provider's paths, that knows the app. The
// classes that extend it have the provider's pages and its manner.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readForm } from "./hosts.mjs";

const ARTIFACTS = [
  "AccessToken",
  "AuthorizationCode",
  "Grant",
  "IdToken",
  "Interaction",
  "RefreshToken",
  "Session",
];

function configuration(names, scopes, claims) {
  const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    format: "jwk",
  });
  return {
    clients: [
      {
        client_id: names.clientId,
        client_secret: names.secret,
        redirect_uris: [names.redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    routes: { authorization: names.authorizePath, token: new URL(names.tokenUrl).pathname },
    scopes,
    claims,
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
async function makeServer(...args) {
  const { info, warn } = console;
  console.info = console.warn = () => {};
  const { Provider } = await import("oidc-provider");
  const server = new Provider(`https://${args[0].host}`, configuration(...args));
  Object.assign(console, { info, warn });
  return server;
}

export class Provider {
  answers = []; // queries sent to the callback

  // names: the provider's row in names.mjs. claims: scope -> what it puts into the id token.
  async open(names, scopes, claims) {
    this.names = names;
    this.answersAt = names.redirectUri;
    this.server = await makeServer(names, scopes, claims);
    this.server.AuthorizationCode.prototype.generateTokenId = () => {
      const random = randomBytes(this.codeLength).toString("base64url");
      return `${this.codePrefix}${random.slice(0, this.codeLength)}`;
    };
    this.server.use(async (context, next) => {
      await next();
      const location = context.response.get("Location");
      if (!location?.startsWith(names.redirectUri)) return;
      const answer = Object.fromEntries(new URL(location).searchParams);
      this.answers.push(this.manner(answer, context.oidc.entities.AuthorizationCode?.scope));
      context.set("Location", `${this.answersAt}?${this.answers.at(-1)}`);
    });
    this.handleProtocol = this.server.callback();
    return this;
  }

  handle = (request, response) =>
    request.url.startsWith("/interaction/")
      ? this.interact(request, response)
      : this.handleRequest(request, response);

  handleRequest(request, response) {
    return this.handleProtocol(request, response);
  }

  async interact(request, response) {
    const { prompt, params, session } = await this.server.interactionDetails(request, response);
    if (request.method === "GET") return this.ask(response, prompt.name, session?.accountId);
    const form = await readForm(request);
    return this.server.interactionFinished(
      request,
      response,
      await this.result(prompt.name, params, session, form),
      { mergeWithLastSubmission: false },
    );
  }

  // What an interaction ends with where the user grants these scopes, and not those.
  async grant(params, session, granted, refused) {
    const grant = new this.server.Grant({
      accountId: session.accountId,
      clientId: params.client_id,
    });
    grant.addOIDCScope(granted);
    if (refused) grant.rejectOIDCScope(refused);
    grant.addOIDCClaims(["email"]);
    return { consent: { grantId: await grant.save() } };
  }
}
