/**
 * PAGI's synopsis as a complete app. It uses the session both as a plain object in the scope and as
 * a `Session` object. Start it with `deno run --allow-net examples/pagi.ts`.
 *
 * @module
 */
import {
  type App,
  builder,
  type HeaderPair,
  type Receive,
  type Send,
  Session,
  type SessionApp,
  type SessionScope,
} from "../mod.ts";
import { assetOf } from "./_assets.ts";
import { bridge } from "./_bridge.ts";
import { type ShopData, TEAS, withMore } from "./_catalog.ts";
import { isCrossSite } from "./_cross_site.ts";
import { type Html, html } from "./_html.ts";
import { shortId } from "./_outcome.ts";
import { serve } from "./_serve.ts";

const MAX_FORM = 2000;

const counter: SessionApp<ShopData> = async (scope, receive, send) => {
  if (scope.method === "POST" && isCrossSite(scope.request!)) {
    return await sendText(send, 403, "Refused");
  }
  const method = scope.method === "HEAD" ? "GET" : scope.method;
  switch (`${method} ${scope.path}`) {
    case "GET /":
      return await home(scope, send);
    case "POST /sign-in":
      return await signIn(scope, receive, send);
    case "POST /cart":
      return await addToCart(scope, receive, send);
    case "POST /sign-out":
      new Session<ShopData>(scope).destroy();
      return await seeHome(send);
    default:
      return await sendText(send, 404, "Not found");
  }
};

/** Uses the plain object. Changes to it are saved when the response starts. */
async function home(scope: SessionScope<ShopData>, send: Send): Promise<void> {
  const session = scope["pagi.session"];
  session.visits = (session.visits ?? 0) + 1;
  const headers: HeaderPair[] = [
    ["content-type", "text/html; charset=utf-8"],
    ["cache-control", "no-store"],
  ];
  await send({ type: "http.response.start", status: 200, headers });
  // The session has been saved. From here on it can only be read.
  await send({ type: "http.response.body", body: head.text, more: true });
  await send({ type: "http.response.body", body: content(scope).text });
}

/** Uses the `Session` object: its methods can be chained, and `get` throws for unknown keys. */
async function signIn(scope: SessionScope<ShopData>, receive: Receive, send: Send): Promise<void> {
  const name = (await formOf(receive)).get("name")?.trim().slice(0, 40);
  if (!name) return await sendText(send, 400, "Please enter a name");
  new Session<ShopData>(scope).regenerate().set("user", name);
  await seeHome(send);
}

async function addToCart(
  scope: SessionScope<ShopData>,
  receive: Receive,
  send: Send,
): Promise<void> {
  const key = (await formOf(receive)).get("add") ?? "";
  if (!TEAS.has(key)) return await sendText(send, 400, "There is no such tea");
  new Session<ShopData>(scope).update("cart", (cart) => withMore(cart, key, 1));
  await seeHome(send);
}

const stylesheet: App = async (_scope, _receive, send) => {
  await send({
    type: "http.response.start",
    status: 200,
    headers: [["content-type", "text/css; charset=utf-8"]],
  });
  await send({ type: "http.response.body", body: await assetOf("/style.css")!.text() });
};

/** The complete app. It does not depend on Deno, so any PAGI server can run it. */
export const app: App = builder((b) => {
  // In production, read the secret from the environment and set `cookieOptions: { secure: true }`.
  b.enable("Session", { secret: crypto.randomUUID() });
  b.mount("/style.css", stylesheet);
  return counter;
});

const head = html`
  <!doctype html>
  <html lang="en">
    <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>PAGI's synopsis</title>
      <link rel="icon" href="data:,">
      <link rel="stylesheet" href="/style.css">
    </head>
`;

function content(scope: SessionScope<ShopData>): Html {
  const session = new Session<ShopData>(scope);
  const data = { ...session.data, _id: shortId(scope["pagi.session_id"]) };
  return html`
    <body>
      <div class="page">
        <main class="message">
          <h1>${session.exists("user")
            ? html`Hello, ${session.get("user")}`
            : "PAGI's synopsis"}</h1>
          <p class="lead">Visit ${session.get("visits")}, with <code>builder</code> and <code
          >scope["pagi.session"]</code>.</p>
          ${session.exists("user") ? signOutForm : signInForm}
          <form method="post" action="/cart" class="choice">
            ${[...TEAS].map(([key, { name }]) =>
              html`<button name="add" value="${key}">Add ${name}</button>`
            )}
          </form>
          <h2 id="data-title">The session</h2>
          <pre id="data" tabindex="0" aria-labelledby="data-title">${JSON.stringify(
            data,
            null,
            2,
          )}</pre>
        </main>
      </div>
    </body>
    </html>
  `;
}

const signInForm = html`
  <form method="post" action="/sign-in" class="sign-in">
    <label for="name">Your name</label>
    <div class="field">
      <input id="name" name="name" required maxlength="40" autocomplete="nickname">
      <button class="primary">Sign in</button>
    </div>
  </form>
`;

const signOutForm = html`
  <form method="post" action="/sign-out"><button>Sign out</button></form>
`;

async function sendText(send: Send, status: number, text: string): Promise<void> {
  await send({
    type: "http.response.start",
    status,
    headers: [["content-type", "text/plain; charset=utf-8"]],
  });
  await send({ type: "http.response.body", body: `${text}\n` });
}

async function seeHome(send: Send): Promise<void> {
  await send({ type: "http.response.start", status: 303, headers: [["location", "/"]] });
  await send({ type: "http.response.body" });
}

/** Reads the fields of a form from the events of the body. Returns none if the form is too long. */
async function formOf(receive: Receive): Promise<URLSearchParams> {
  const decoder = new TextDecoder();
  let text = "";
  for (let more = true; more;) {
    const event = await receive();
    text += decoder.decode(event.body as Uint8Array, { stream: true });
    more = Boolean(event.more) && text.length <= MAX_FORM;
  }
  return new URLSearchParams(text.length <= MAX_FORM ? text : "");
}

if (import.meta.main) serve(bridge(app));
