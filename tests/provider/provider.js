// An OpenID Connect provider for tests: node provider.js PORT REDIRECT_URI POST_LOGOUT_URI
//
// Nobody types anything: the account of GET /as/NAME signs in at once. GET /rotate replaces the key.
// Accounts and their groups are fixed below.
import { createServer } from "node:http";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirect, afterLogout] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const GROUPS = {
  anna: ["physicists", "another"],
  adam: ["administrators"],
  otto: ["another"],
  dose: ["administrators"],
  "odd/name": ["physicists"],
};

const newKey = () => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid: randomBytes(6).toString("hex"),
  use: "sig",
  alg: "RS256",
});

let account = "anna";
// Sessions, grants and codes, which a new key does not end.
const kept = new Map();
class Kept {
  constructor(name) {
    this.name = name;
  }
  key(id) {
    return `${this.name} ${id}`;
  }
  async upsert(id, payload) {
    kept.set(this.key(id), payload);
    if (payload.uid) kept.set(this.key(`uid ${payload.uid}`), id);
  }
  async find(id) {
    return kept.get(this.key(id));
  }
  async findByUid(uid) {
    return this.find(kept.get(this.key(`uid ${uid}`)));
  }
  async findByUserCode() {}
  async consume(id) {
    kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    kept.delete(this.key(id));
  }
  async revokeByGrantId() {}
}

const cookieKeys = [randomBytes(16).toString("hex")];
const make = () =>
  new Provider(issuer, {
    adapter: Kept,
    clients: [
      {
        client_id: "dose",
        client_secret: "secret: of + the client",
        redirect_uris: [redirect],
        post_logout_redirect_uris: [afterLogout],
      },
    ],
    jwks: { keys: [newKey()] },
    cookies: { keys: cookieKeys },
    pkce: { required: () => true },
    scopes: ["openid", "profile", "groups"],
    claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, groups: GROUPS[id] ?? [] }),
    }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { logoutSource: (context, form) => (context.body = form) },
    },
    ttl: { Session: 3600, Interaction: 600, Grant: 3600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  });
let provider = make();

async function interact(request, response) {
  const { uid, params } = await provider.interactionDetails(request, response);
  if (account === "refuses")
    return provider.interactionFinished(request, response, { error: "access_denied" });
  const grant = new provider.Grant({ accountId: account, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: account }, consent: { grantId: await grant.save() } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: !!uid });
}

createServer((request, response) => {
  const done = () => response.end("done");
  if (request.url.startsWith("/as/")) {
    account = decodeURIComponent(request.url.slice(4));
    return done();
  }
  if (request.url === "/rotate") {
    provider = make();
    return done();
  }
  if (request.url.startsWith("/interaction/"))
    return interact(request, response).catch((error) => response.end(String(error)));
  return provider.callback()(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
