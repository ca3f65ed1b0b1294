/** The page that lists all sessions of one user, with buttons that end them. */
import type { ListedSession } from "../mod.ts";
import type { ShopData } from "./_catalog.ts";
import { type Html, html } from "./_html.ts";
import { layout } from "./_layout.ts";
import { ago } from "./_panel.ts";

/**
 * The names of browsers by their words in a User-Agent header. The order matters: Edge's header
 * also contains the word of Chrome, and Chrome's that of Safari.
 */
const BROWSERS = { Edg: "Edge", Firefox: "Firefox", Chrome: "Chrome", Safari: "Safari" };
const SYSTEMS = {
  iPhone: "iPhone",
  Android: "Android",
  Windows: "Windows",
  "Mac OS": "macOS",
  Linux: "Linux",
};

/** Describes a browser by its User-Agent header. */
export function deviceOf(userAgent: string | null): string {
  const nameIn = (names: Record<string, string>) =>
    Object.entries(names).find(([word]) => userAgent?.includes(word))?.[1];
  const [browser = "A browser", system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** Renders the page. `listed` is undefined if the store cannot list sessions. */
export function devicesPage(
  user: string,
  listed: readonly ListedSession<ShopData>[] | undefined,
  nowMs: number,
): Html {
  const now = Math.floor(nowMs / 1000);
  return layout(
    "Where you are signed in",
    html`
      <main class="message">
        <h1>Where you are signed in</h1>
        ${listed === undefined ? cannotList : html`
          <p class="lead">All sessions of ${user}. This page contains no session ID.</p>
          <form method="post" action="/devices/sign-out">
            <ul class="devices">${listed.map((session) => device(session, now))}</ul>
          </form>
          <form method="post" action="/devices/sign-out-elsewhere">
            <button class="primary" ${listed.length < 2 &&
              "disabled"}>Sign out everywhere else</button>
            <p class="hint">Requests still in progress in those sessions cannot bring them
              back.</p>
          </form>
        `}
        <p><a class="button" href="/">Back to the counter</a></p>
      </main>
    `,
  );
}

const cannotList = html`
  <p class="lead">With <code>--store cookie</code>, each session exists only in its browser's cookie,
    so the server cannot list sessions. Start the example with another store.</p>
`;

function device(
  { hash, created, lastAccess, current, session }: ListedSession<ShopData>,
  now: number,
) {
  return html`
    <li>
      <div>
        <strong>${session.get("device", "A browser")}</strong>
        ${current && html`<span class="badge">this one</span>`}
        <p class="note">Started ${ago(now - created)}, last used ${ago(now - lastAccess)}</p>
      </div>
      ${!current && html`
        <button name="session" value="${hash}"
          aria-label="Sign out ${session.get("device", "a browser")}">Sign out</button>
      `}
    </li>
  `;
}
