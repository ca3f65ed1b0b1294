/** Where a user is signed in: every session of one subject, and buttons that end them. */
import type { ListedSession } from "../mod.ts";
import type { Visit } from "./_catalogue.ts";
import { type Html, html } from "./_html.ts";
import { layout } from "./_layout.ts";
import { ago } from "./_panel.ts";

/** By the words for them in a User-Agent header; Edge has those of Chrome as well, and Chrome Safari's. */
const BROWSERS = { Edg: "Edge", Firefox: "Firefox", Chrome: "Chrome", Safari: "Safari" };
const SYSTEMS = {
  iPhone: "iPhone",
  Android: "Android",
  Windows: "Windows",
  "Mac OS": "macOS",
  Linux: "Linux",
};

/** What people call a browser, from its User-Agent header. */
export function deviceOf(userAgent: string | null): string {
  const nameIn = (names: Record<string, string>) =>
    Object.entries(names).find(([word]) => userAgent?.includes(word))?.[1];
  const [browser = "A browser", system] = [nameIn(BROWSERS), nameIn(SYSTEMS)];
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** The page; `listed` is undefined where the store keeps no list. */
export function devicesPage(
  user: string,
  listed: readonly ListedSession<Visit>[] | undefined,
  nowMs: number,
): Html {
  const now = Math.floor(nowMs / 1000);
  return layout(
    "Where you are signed in",
    html`
      <main class="message">
        <h1>Where you are signed in</h1>
        ${listed === undefined ? noList : html`
          <p class="lead">All sessions of ${user}. Nothing on this page can be used as an id.</p>
          <form method="post" action="/devices/sign-out">
            <ul class="devices">${listed.map((session) => device(session, now))}</ul>
          </form>
          <form method="post" action="/devices/sign-out-elsewhere">
            <button class="primary" ${listed.length < 2 &&
              "disabled"}>Sign out everywhere else</button>
            <p class="hint">When this is done, no request of theirs that is under way brings one
              back.</p>
          </form>
        `}
        <p><a class="button" href="/">Back to the counter</a></p>
      </main>
    `,
  );
}

const noList = html`
  <p class="lead">With <code>--store cookie</code> each session is in its own browser's cookie, and
    nobody keeps a list. A store that keeps sessions on the server can tell.</p>
`;

function device(
  { hash, created, lastAccess, current, session }: ListedSession<Visit>,
  now: number,
) {
  return html`
    <li>
      <div>
        <strong>${session.get("device", "A browser")}</strong>
        ${current && html`<span class="badge">this one</span>`}
        <p class="note">Began ${ago(now - created)}, last used ${ago(now - lastAccess)}</p>
      </div>
      ${!current && html`
        <button name="session" value="${hash}"
          aria-label="Sign out ${session.get("device", "a browser")}">Sign out</button>
      `}
    </li>
  `;
}
