// Plays Recall's callbacks: redeems the code, remembers who got whose calendar, sends the user on.
import { redirect, show } from "./hosts.mjs";
import { PROVIDERS } from "./names.mjs";

export class Recall {
  arrivals = []; // { path, query, referer }
  refusals = []; // what the token endpoint said
  calendars = new Map(); // Recall's token of a user -> { provider's name: whose calendar }

  // redeem(url, form): how to reach the token endpoint.
  constructor(redeem) {
    this.redeem = redeem;
  }

  calendarOf(provider, token) {
    return this.calendars.get(token)?.[provider.name];
  }

  handle = async (request, response) => {
    const [path, query = ""] = request.url.split("?");
    const provider = PROVIDERS.find(({ recallPath }) => recallPath === path);
    if (!provider) return show(response, "Not found", "", 404);
    this.arrivals.push({ path, query, referer: request.headers.referer });
    const params = new URLSearchParams(query);
    const state = JSON.parse(params.get("state"));
    const email =
      params.has("code") &&
      (await this.redeemCode(provider, params.get("code"), state[provider.redirectMember]));
    if (email) this.keep(provider, state.recall_calendar_auth_token, email);
    return redirect(response, email ? state.success_url : state.error_url);
  };

  keep(provider, token, email) {
    this.calendars.set(token, { ...this.calendars.get(token), [provider.name]: email });
  }

  async redeemCode(provider, code, redirect_uri) {
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri,
      client_id: provider.clientId,
      client_secret: provider.secret,
    };
    const { status, body } = await this.redeem(provider.tokenUrl, form);
    if (status === 200 && body.refresh_token)
      return JSON.parse(Buffer.from(body.id_token.split(".")[1], "base64url")).email;
    this.refusals.push(body.error);
    return null;
  }
}
