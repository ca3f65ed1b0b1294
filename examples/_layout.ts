/** The parts that all pages share: the response, the layout, and pages with a single message. */
import { type Html, html } from "./_html.ts";
import { logItem } from "./_panel.ts";
import type { LogEntry } from "./_outcome.ts";

const encoder = new TextEncoder();

/** How many of the latest requests a message page shows. */
const LATEST = 4;

/**
 * Returns a page that is rendered when its body is read. By then the session has been saved, so the
 * page can show the result.
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
      // The next user of this browser must not see the page with the Back button.
      "cache-control": "no-store",
      "content-security-policy":
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    },
  });
}

/** Renders a page with a single message. */
export function messagePage(title: string, text: string, entries: readonly LogEntry[] = []): Html {
  return layout(
    title,
    html`
      <main class="message">
        <h1>${title}</h1>
        <p class="lead">${text}</p>
        <p><a class="button" href="/">Back to the counter</a></p>
        ${entries.length > 0 && html`
          <h2>What just happened</h2>
          <ol class="steps">${entries.slice(0, LATEST).map(logItem)}</ol>
        `}
      </main>
    `,
  );
}

/** Returns the response for a handler that threw. */
export function failurePage(entries: () => readonly LogEntry[]): Response {
  const text = "The handler changed the session and then threw an error. The change was not saved.";
  return page(() => messagePage("This failed on purpose", text, entries()), 500);
}

/** Renders a complete document around `content`. */
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

/** Draws a cup of tea from above. */
export function cup(color: string): Html {
  return html`
    <svg class="cup" viewBox="0 0 48 48" aria-hidden="true">
      <circle class="saucer" cx="24" cy="24" r="23" />
      <circle class="rim" cx="24" cy="24" r="16" />
      <circle cx="24" cy="24" r="13" fill="${color}" />
      <path d="M16 22a9 9 0 0 1 7-7" fill="none" stroke="#fff" stroke-opacity=".55" stroke-width="2"
        stroke-linecap="round" />
    </svg>
  `;
}
