/**
 * The panel that shows the session. The page renders it first; the live stream renders it again.
 */
import type { Session } from "../mod.ts";
import type { ShopData } from "./_catalog.ts";
import { type Html, html } from "./_html.ts";
import { shortId } from "./_outcome.ts";
import type { LogEntry } from "./_outcome.ts";

/** How long a session lasts without a request, in seconds. */
export const EXPIRE = 3600;

/** The panel's parts. Each key is the ID of the element that shows the part. */
export interface PanelParts {
  facts: Html;
  latest: Html;
  data: Html;
  earlier: Html;
}

/** How many requests count as the latest: a form, and the page to which it redirects. */
const LATEST = 2;

/** Renders the panel's parts for a session. */
export function panelParts(
  session: Session<ShopData>,
  entries: readonly LogEntry[],
  nowMs: number,
): PanelParts {
  const now = Math.floor(nowMs / 1000);
  const { _created: created = now, _last_access: lastAccess = now } = session.data;
  return {
    facts: html`
      <div>
        <dt>ID</dt>
        <dd><code>${shortId(session.id)}</code></dd>
      </div>
      <div>
        <dt>Age</dt>
        <dd>${duration(now - created)}</dd>
      </div>
      <div>
        <dt>Last access</dt>
        <dd>${ago(now - lastAccess)}</dd>
      </div>
      <div>
        <dt>Expires in</dt>
        <dd>${duration(lastAccess + EXPIRE - now)}</dd>
      </div>
    `,
    data: html`${JSON.stringify({ ...session.data, _id: shortId(session.id) }, null, 2)}`,
    latest: html`${entries.slice(0, LATEST).map(logItem)}`,
    earlier: html`${entries.slice(LATEST).map(logItem)}`,
  };
}

/** Renders one request and its outcome. */
export function logItem(entry: LogEntry): Html {
  const at = new Date(entry.at);
  return html`
    <li class="step" data-outcome="${entry.label}">
      <p class="step-head">
        <strong>${entry.label}</strong>
        <code>${entry.request}</code> <span>${entry.status}</span>
        <time datetime="${at.toISOString()}">${at.toLocaleTimeString("en-GB")}</time>
      </p>
      <p>${entry.why}${entry.changed.length > 0 && html`
        Changed: ${entry.changed.join(", ")}.
      `}</p>
      ${entry.cookie === undefined
        ? html`<p class="cookie none">no Set-Cookie</p>`
        : html`<p class="cookie"><span>Set-Cookie:</span> ${entry.cookie}</p>`}
    </li>
  `;
}

/** Formats how long ago something was. */
export function ago(seconds: number): string {
  return seconds <= 0 ? "now" : `${duration(seconds)} ago`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole % 3600 / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
