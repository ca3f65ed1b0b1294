/** The panel that looks into the session: rendered with the page, and again by the live stream. */
import type { Session } from "../mod.ts";
import type { Visit } from "./_catalogue.ts";
import { type Html, html } from "./_html.ts";
import { shortId } from "./_outcome.ts";
import type { Step } from "./_trail.ts";

/** Seconds without a request after which a session has expired. */
export const EXPIRE = 3600;

/** The panel's parts, by the ids of the elements that they fill. */
export interface PanelParts {
  facts: Html;
  latest: Html;
  data: Html;
  earlier: Html;
}

/** A form and the page that it leads to are two requests. */
const LATEST = 2;

/** What the panel shows of a session. */
export function panelParts(
  session: Session<Visit>,
  steps: readonly Step[],
  nowMs: number,
): PanelParts {
  const now = Math.floor(nowMs / 1000);
  const { _created: created = now, _last_access: lastAccess = now } = session.data;
  return {
    facts: html`
      <div>
        <dt>Id</dt>
        <dd><code>${shortId(session.id)}</code></dd>
      </div>
      <div>
        <dt>Age</dt>
        <dd>${duration(now - created)}</dd>
      </div>
      <div>
        <dt>Last use</dt>
        <dd>${ago(now - lastAccess)}</dd>
      </div>
      <div>
        <dt>Expires in</dt>
        <dd>${duration(lastAccess + EXPIRE - now)}</dd>
      </div>
    `,
    data: html`${JSON.stringify({ ...session.data, _id: shortId(session.id) }, null, 2)}`,
    latest: html`${steps.slice(0, LATEST).map(stepItem)}`,
    earlier: html`${steps.slice(LATEST).map(stepItem)}`,
  };
}

/** One request, and what it did. */
export function stepItem(step: Step): Html {
  const at = new Date(step.at);
  return html`
    <li class="step" data-outcome="${step.label}">
      <p class="step-head">
        <strong>${step.label}</strong>
        <code>${step.request}</code> <span>${step.status}</span>
        <time datetime="${at.toISOString()}">${at.toLocaleTimeString("en-GB")}</time>
      </p>
      <p>${step.why}${step.changed.length > 0 && html`
        Changed: ${step.changed.join(", ")}.
      `}</p>
      ${step.cookie === undefined
        ? html`<p class="cookie none">no Set-Cookie</p>`
        : html`<p class="cookie"><span>Set-Cookie:</span> ${step.cookie}</p>`}
    </li>
  `;
}

/** How long ago, as people say it. */
export function ago(seconds: number): string {
  return seconds <= 0 ? "now" : `${duration(seconds)} ago`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole % 3600 / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
