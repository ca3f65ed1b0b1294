/** What all pages share: how they are sent, what stands around them, and the pages of one message. */
import { type Html, html } from "./_html.ts";
import { stepItem } from "./_panel.ts";
import type { Step } from "./_trail.ts";

const encoder = new TextEncoder();

/** So many steps a page of one message shows: what led to it. */
const LATEST = 4;

/**
 * A page that is rendered when it is read. That is after the session has been saved, so the page
 * can say what became of it.
 */
export function page(render: () => Html, status = 200): Response {
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(encoder.encode(render().text));
      controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      // Whoever uses the browser next must not find the page with the Back button.
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    },
  });
}

/** A page that says one thing. */
export function messagePage(title: string, text: string, steps: readonly Step[] = []): Html {
  return layout(
    title,
    html`
      <main class="message">
        <h1>${title}</h1>
        <p class="lead">${text}</p>
        <p><a class="button" href="/">Back to the counter</a></p>
        ${steps.length > 0 && html`
          <h2>What just happened</h2>
          <ol class="steps">${steps.slice(0, LATEST).map(stepItem)}</ol>
        `}
      </main>
    `,
  );
}

/** What a handler that threw is answered with. */
export function failurePage(steps: () => readonly Step[]): Response {
  const text = "The handler changed the session and then threw. The change was not saved.";
  return page(() => messagePage("That went wrong, on purpose", text, steps()), 500);
}

/** A whole document around `content`. */
export function layout(title: string, content: Html): Html {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/style.css">
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/">${cup("#a9bd4e")} <span>The tea counter</span></a>
          <span class="sub">an example of <code>@pagi/session</code></span>
        </header>
        <div class="page">${content}</div>
      </body>
    </html>
  `;
}

/** A cup of tea, seen from above. */
export function cup(colour: string): Html {
  return html`
    <svg class="cup" viewBox="0 0 48 48" aria-hidden="true">
      <circle class="saucer" cx="24" cy="24" r="23" />
      <circle class="rim" cx="24" cy="24" r="16" />
      <circle cx="24" cy="24" r="13" fill="${colour}" />
      <path d="M16 22a9 9 0 0 1 7-7" fill="none" stroke="#fff" stroke-opacity=".55" stroke-width="2"
        stroke-linecap="round" />
    </svg>
  `;
}
