// Plays Recall's callback: redeems the code, remembers who got whose calendar, sends the user on.
import { redirect, show } from "./hosts.mjs";
import { CLIENT, TOKEN_URL } from "./names.mjs";

const PATH = "/api/v1/calendar/ms_oauth_callback/";

export class Recall {
  arrivals = []; // { query, referer }
  refusals = []; // what the token endpoint said
  connections = new Map(); // Recall's token of a user -> whose calendar that user has

  // redeem(url, form): how to reach the token endpoint.
  constructor(redeem) {
    this.redeem = redeem;
  }

  handle = async (request, response) => {
    const [path, query = ""] = request.url.split("?");
    if (path !== PATH) return show(response, "Not found", "", 404);
    this.arrivals.push({ query, referer: request.headers.referer });
    const params = new URLSearchParams(query);
    const state = JSON.parse(params.get("state"));
    const email =
      params.has("code") &&
      (await this.redeemCode(params.get("code"), state.ms_oauth_redirect_url));
    if (email) this.connections.set(state.recall_calendar_auth_token, email);
    return redirect(response, email ? state.success_url : state.error_url);
  };

  async redeemCode(code, redirect_uri) {
    const form = {
      grant_type: "authorization_code",
      code,
      redirect_uri,
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
    };
    const { status, body } = await this.redeem(TOKEN_URL, form);
    if (status === 200 && body.refresh_token)
      return JSON.parse(Buffer.from(body.id_token.split(".")[1], "base64url")).email;
    this.refusals.push(body.error);
    return null;
  }
}
