/** The shop's page. It is rendered on the server and works without scripts. */
import type { Session } from "../mod.ts";
import { euros, type ShopData, type Tea, TEAS } from "./_catalog.ts";
import { type Html, html } from "./_html.ts";
import { cup, layout } from "./_layout.ts";
import { TOUCH_INTERVAL } from "./_outcome.ts";
import { type PanelParts, panelParts } from "./_panel.ts";
import type { LogEntry } from "./_outcome.ts";

/** The values that the shop's page shows. */
export interface View {
  session: Session<ShopData>;
  entries: readonly LogEntry[];
  now: number;
  /** A message to show once. It is no longer in the session. */
  flash: string | undefined;
}

/** Renders the shop. */
export function shopPage({ session, entries, now, flash }: View): Html {
  const user = session.get("user", undefined);
  const cart = session.get("cart", {});
  return layout(
    "The tea counter",
    html`
      <main>
        ${flash !== undefined && html`<p class="flash" role="status">${flash}</p>`}
        <section class="hero" aria-labelledby="welcome">
          <h1 id="welcome">${user === undefined ? "Have some tea" : html`Hello, ${user}`}</h1>
          <p class="lead">Everything this shop knows about you is stored in one session. Use
            the shop and watch the session change.</p>
          <p>${visitsLine(session.get("visits", 0))} <a class="jump" href="#panel">Inside your
            session ↓</a></p>
          ${user === undefined ? signInForm : signOutForm}
        </section>
        <section aria-labelledby="teas">
          <h2 id="teas">Teas</h2>
          <form method="post" action="/cart" class="teas">
            ${[...TEAS].map(([key, tea]) => teaCard(key, tea))}
          </form>
        </section>
        ${cartSection(cart)} ${experiments}
      </main>
      ${panelSection(panelParts(session, entries, now))}
      <script type="module" src="/live.js"></script>
    `,
  );
}

function panelSection({ facts, latest, data, earlier }: PanelParts): Html {
  return html`
    <aside id="panel" aria-labelledby="inside">
      <div class="title"><h2 id="inside">Inside your session</h2>
        <span id="live" class="badge" hidden></span></div>
      <dl class="facts" id="facts">${facts}</dl>
      <h3>What just happened</h3>
      <ol class="steps" id="latest">${latest}</ol>
      <h3 id="data-title">Data</h3>
      <pre id="data" tabindex="0" aria-labelledby="data-title">${data}</pre>
      <details>
        <summary>Earlier requests</summary>
        <ol class="steps" id="earlier">${earlier}</ol>
      </details>
      <p class="hint">The live view only reads the session, so it does not keep it alive. Every
        write updates the last-access time. Other requests do so at most once every ${TOUCH_INTERVAL}
        seconds.</p>
    </aside>
  `;
}

function visitsLine(visits: number): Html {
  if (visits === 0) return html`Your visits have not been counted yet.`;
  return visits === 1
    ? html`This is your <strong>first</strong> visit.`
    : html`You have been here <strong>${visits}</strong> times.`;
}

const signInForm = html`
  <form method="post" action="/sign-in" class="sign-in">
    <label for="name">Your name</label>
    <div class="field">
      <input id="name" name="name" required maxlength="40" autocomplete="nickname"
        placeholder="Any name will do" aria-describedby="name-hint">
      <button class="primary">Sign in</button>
    </div>
    <p class="hint" id="name-hint">No password needed. Signing in gives your session a new ID and
      keeps your cart.</p>
  </form>
`;

const signOutForm = html`
  <form method="post" action="/sign-out" class="sign-in">
    <button>Sign out</button>
    <p class="hint">Ends the session: your cart is deleted and the old cookie stops working.
      <a href="/devices">Where are you signed in?</a></p>
  </form>
`;

function teaCard(key: string, { name, note, cents, color }: Tea): Html {
  return html`
    <div class="tea">
      ${cup(color)}
      <div><h3>${name}</h3><p class="note">${note}</p><p class="price">${euros(
        cents,
      )} <span class="note">/ 100 g</span></p></div>
      <button name="add" value="${key}" aria-label="Add ${name} to the cart">Add</button>
    </div>
  `;
}

function cartSection(cart: Record<string, number>): Html {
  const lines = [...TEAS].filter(([key]) => Object.hasOwn(cart, key));
  const total = lines.reduce((sum, [key, { cents }]) => sum + cents * cart[key]!, 0);
  return html`
    <section aria-labelledby="cart-title" class="card">
      <h2 id="cart-title">Your cart</h2>
      ${lines.length === 0 ? html`<p class="note">Nothing in it yet.</p>` : html`
        <form method="post" action="/cart">
          <ul class="cart">${lines.map(([key, tea]) => cartLine(key, tea, cart[key]!))}</ul>
        </form>
        <p class="total"><span>Total</span> <strong>${euros(total)}</strong></p>
      `}
      <p class="hint">Each click calls <code>session.update("cart", …)</code>. Two tabs, or ten
        requests at the same time, lose nothing.</p>
      <p><button type="button" id="burst" hidden>Add Sencha ten times in parallel</button></p>
    </section>
  `;
}

function cartLine(key: string, { name, cents }: Tea, count: number): Html {
  return html`
    <li>
      <span class="name">${name}</span>
      <span class="stepper">
        <button name="take" value="${key}" aria-label="Remove one ${name}">−</button>
        <output aria-label="${name} in the cart">${count}</output>
        <button name="add" value="${key}" aria-label="Add one ${name}">+</button>
      </span>
      <span class="price">${euros(cents * count)}</span>
    </li>
  `;
}

const experiments = html`
  <section aria-labelledby="try">
    <h2 id="try">Try it</h2>
    <ul class="try">
      <li><a class="button" href="/">Visit again</a> <span class="note">Counts the visit, so it is saved.</span></li>
      <li><a class="button" href="/look">Only look</a> <span class="note">Writes nothing. A cookie is sent only if it is time to renew it.</span></li>
      <li><form method="post" action="/new-id"><button>New ID</button></form>
        <span class="note">Same data, new session ID. The old ID stops working.</span></li>
      <li><form method="post" action="/fail"><button>Fail halfway</button></form>
        <span class="note">The handler throws an error, so nothing is saved.</span></li>
    </ul>
  </section>
`;
