/** Static files. They are the same for everybody and need no session. */
import base from "./_base.css" with { type: "text" };
import devices from "./_devices.css" with { type: "text" };
import panel from "./_panel.css" with { type: "text" };
import script from "./_live.js" with { type: "text" };
import style from "./_style.css" with { type: "text" };

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">
<circle cx="24" cy="24" r="24" fill="#1d5c46"/><circle cx="24" cy="24" r="16" fill="#fff"/>
<circle cx="24" cy="24" r="13" fill="#a9bd4e"/></svg>`;

const ASSETS: ReadonlyMap<string, [type: string, text: string]> = new Map([
  ["/style.css", ["text/css", base + panel + style + devices]],
  ["/live.js", ["text/javascript", script]],
  ["/icon.svg", ["image/svg+xml", ICON]],
]);

/** Returns the file at this path, if there is one. */
export function assetOf(path: string): Response | undefined {
  const asset = ASSETS.get(path);
  if (asset === undefined) return undefined;
  const [type, text] = asset;
  return new Response(text, {
    headers: { "content-type": `${type}; charset=utf-8`, "cache-control": "no-cache" },
  });
}
